// Whether a shared object (a role, a tablespace) may be dropped: what still depends on it, in words.
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { describeObject } from './objectaddress.ts';
import { objectAddress } from './pg_depend.ts';
import { FirstNormalObjectId } from './schema.ts';
import { sharedDependentsOf } from './pg_shdepend.ts';
import type { PgShdepend } from './rows.ts';
import { databaseByOid } from './syscache.ts';

const MAX_REPORTED_DEPS = 100;
const RELATIONS: Readonly<Record<string, string>> = { o: 'owner of', a: 'privileges for', r: 'target of', t: 'tablespace for' };

/** In the order of their making, which is that of OIDs: what initdb has made, what databases share, what is in this database. */
const place = (d: PgShdepend): number => (d.objid < FirstNormalObjectId ? 0 : d.dbid === 0 ? 1 : 2);

/** The DETAIL of why a shared object cannot be dropped; null: nothing depends on it (checkSharedDependencies). */
export function checkSharedDependencies(classId: Oid, objectId: Oid): string | null {
  const lines: string[] = [];
  const elsewhere = new Map<Oid, number>();
  for (const d of sharedDependentsOf(classId, objectId).sort((a, b) => place(a) - place(b) || a.objid - b.objid || a.classid - b.classid || a.objsubid - b.objsubid)) {
    if (d.deptype === 'f') continue; // the tablespace says so itself
    if (d.dbid !== 0 && d.dbid !== session.databaseOid) {
      elsewhere.set(d.dbid, (elsewhere.get(d.dbid) ?? 0) + 1);
      continue;
    }
    const what = describeObject(objectAddress(d.classid, d.objid, d.objsubid)) ?? `object ${d.objid}`;
    lines.push(`${RELATIONS[d.deptype] ?? 'dependency of'} ${what}`);
  }
  for (const [oid, count] of elsewhere) {
    lines.push(`${count} object${count === 1 ? '' : 's'} in database ${databaseByOid(oid)?.datname ?? oid}`);
  }
  if (lines.length === 0) return null;
  const more = lines.length - MAX_REPORTED_DEPS;
  if (more > 0) {
    lines.length = MAX_REPORTED_DEPS;
    lines.push(`and ${more} other object${more === 1 ? '' : 's'} (see server log for list)`);
  }
  return lines.join('\n');
}
