// Tablespaces by name and right. A tablespace is where an administrator wants relations to be kept; here every relation lies in its
// database's folder whichever tablespace it is said to be in, so there are only those "in place" (allow_in_place_tablespaces).
import { PgError } from '../../common/errors.ts';
import { managerClient } from '../transaction/client.ts';
import { isTransactionState, requireLocks } from '../transaction/xact.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { CheckFailure, defineHooks, getString } from '../utils/guc.ts';
import { splitIdentifierList } from '../utils/guc_parse.ts';
import { session } from '../utils/session.ts';
import { objectAclcheck, requirePrivilege } from './aclchk.ts';
import { isPinnedObject } from './catalog.ts';
import { catalogDelete, catalogFind } from './indexing.ts';
import { getTablespaceOid } from './objectaddress.ts';
import * as ids from './oids.ts';
import { recordSharedDependencyOn } from './pg_shdepend.ts';
import * as sys from './syscache.ts';

/** The tablespace of what names none, in this database. */
export const databaseTablespace = (): Oid => sys.databaseByOid(session.databaseOid)?.dattablespace ?? ids.DEFAULTTABLESPACE_OID;

/** As pg_class.reltablespace and pg_depend have it: 0 is the database's own. */
const stored = (oid: Oid): Oid => (oid === databaseTablespace() ? 0 : oid);

/** The tablespace of a new relation, as pg_class has it: the one that is named, `inherited` (0: none), or that of the settings. */
export function chooseTablespace(name: string | null | undefined, persistence: string, partitioned: boolean, inherited: Oid = 0): Oid {
  let oid: Oid = 0;
  if (name !== null && name !== undefined && name !== '') {
    oid = getTablespaceOid(name);
    if (partitioned && oid === databaseTablespace()) throw defaultForPartitioned();
  } else oid = inherited || defaultTablespace(persistence, partitioned);
  return oid === 0 ? 0 : checkedTablespace(oid);
}

const defaultForPartitioned = (): PgError => new PgError('feature_not_supported', 'cannot specify default tablespace for partitioned relations');

/** A tablespace that the user may put relations into; 0: the database's own. */
export function checkedTablespace(oid: Oid): Oid {
  if (oid === databaseTablespace()) return 0;
  requirePrivilege(ids.TableSpaceRelationId, oid, ACL.CREATE);
  if (oid === ids.GLOBALTABLESPACE_OID) throw new PgError('invalid_parameter_value', 'only shared relations can be placed in pg_global tablespace');
  return oid;
}

/** default_tablespace, or one of temp_tablespaces (GetDefaultTablespace); 0: the database's own. */
export function defaultTablespace(persistence: string, partitioned: boolean): Oid {
  if (persistence === 't') return nextTempTablespace();
  const name = getString('default_tablespace');
  const oid = name === '' ? 0 : sys.tablespaceByName(name)?.oid ?? 0;
  if (oid === 0 || oid !== databaseTablespace()) return oid;
  if (partitioned) throw defaultForPartitioned();
  return 0;
}

// Where there are catalogs to look at, tablespaces must be there; temporary ones only when a user names them.
const catalogsAreThere = (): boolean => isTransactionState() && session.databaseOid !== 0;
const missing = (name: string): PgError => new PgError('undefined_object', `tablespace "${name}" does not exist`);
function missingNotice(name: string): void {
  const notice = missing(name);
  notice.severity = 'NOTICE';
  session.notice(notice);
}
defineHooks('default_tablespace', {
  check(value, source) {
    const name = value as string;
    if (name === '' || !catalogsAreThere() || sys.tablespaceByName(name) !== undefined) return value;
    if (source !== 'test') return new CheckFailure({ detail: `Tablespace "${name}" does not exist.` });
    missingNotice(name);
    return value;
  },
});
defineHooks('temp_tablespaces', {
  check(value, source) {
    const names = splitIdentifierList(value as string);
    if (names === null) return new CheckFailure({ detail: 'List syntax is invalid.' });
    if (!catalogsAreThere()) return value;
    for (const name of names) {
      const oid = name === '' ? databaseTablespace() : sys.tablespaceByName(name)?.oid;
      if (oid === undefined) {
        if (source === 'test') missingNotice(name);
        if (source === 'interactive' || source === 'session') throw missing(name);
      } else if ((source === 'interactive' || source === 'session') && oid !== databaseTablespace()) requirePrivilege(ids.TableSpaceRelationId, oid, ACL.CREATE);
    }
    return value;
  },
});

let nextTemp = 0;
/** Those the user may use, one after the other; names that mean nothing are passed over. */
function nextTempTablespace(): Oid {
  const text = getString('temp_tablespaces');
  if (text === '') return 0;
  const usable = (splitIdentifierList(text) ?? []).map((name) => (name === '' ? databaseTablespace() : sys.tablespaceByName(name)?.oid ?? 0))
    .filter((oid) => oid !== 0 && (oid === databaseTablespace() || objectAclcheck(ids.TableSpaceRelationId, oid, session.currentUser, ACL.CREATE)));
  return usable.length === 0 ? 0 : stored(usable[nextTemp++ % usable.length]!);
}

/** Locks a tablespace against DROP until the transaction ends. */
export function keepTablespace(oid: Oid): void {
  if (isPinnedObject(ids.TableSpaceRelationId, oid)) return;
  requireLocks();
  managerClient(true).acquireLock({ kind: 'object', classid: ids.TableSpaceRelationId, objid: oid, exclusive: false });
  if (sys.tablespaceByOid(oid) === undefined) throw new PgError('undefined_object', `tablespace ${oid} was concurrently dropped`);
}

/** Relations without storage depend on their tablespace as PostgreSQL's do ('t'); those with storage would be files in its folder, and
 * are noted as such ('f'). */
export function recordDependencyOnTablespace(relation: Oid, tablespace: Oid, hasStorage: boolean): void {
  if (tablespace === 0 || tablespace === ids.GLOBALTABLESPACE_OID) return;
  keepTablespace(tablespace);
  recordSharedDependencyOn(ids.RelationRelationId, relation, 0, ids.TableSpaceRelationId, tablespace, hasStorage ? 'f' : 't');
}

/** A relation is in another tablespace now. */
export function changeDependencyOnTablespace(relation: Oid, tablespace: Oid, hasStorage: boolean): void {
  for (const tuple of catalogFind(ids.SharedDependRelationId, ids.PgShdependDependerIndexId, [session.databaseOid, ids.RelationRelationId, relation])) {
    if (tuple.row.refclassid === ids.TableSpaceRelationId) catalogDelete(ids.SharedDependRelationId, tuple);
  }
  recordDependencyOnTablespace(relation, tablespace, hasStorage);
}
