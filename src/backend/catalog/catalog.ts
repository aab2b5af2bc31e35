// New OIDs, reserved names, and which objects belong to the system (PostgreSQL's catalog.c).
import { internalError } from '../../common/errors.ts';
import { managerClient } from '../transaction/client.ts';
import type { Oid } from '../types/datum.ts';
import { catalogScan } from './indexing.ts';
import * as ids from './oids.ts';
import type { CatalogId } from './rows.ts';
import { catalogByOid, FirstNormalObjectId, FirstUnpinnedObjectId, isSharedRelation } from './schema.ts';

/** OIDs this backend has reserved and not used, of the database and of global/. */
const reserved = { database: { next: 0, end: 0 }, shared: { next: 0, end: 0 } };
const RESERVE = 32;

/** An OID that no row of this catalog has (GetNewOidWithIndex). */
export function getNewOid(catalog: CatalogId): Oid {
  const definition = catalogByOid(catalog)!;
  const oidIndex = definition.indexes.find((i) => i.unique && i.columns.length === 1 && i.columns[0] === 1);
  for (;;) {
    const oid = nextOid(definition.shared);
    // After four thousand million OIDs the counter comes round.
    if (!oidIndex || catalogScan(catalog, oidIndex.oid, [oid]).length === 0) return oid;
  }
}

/** An OID, and filenode, for a new relation (GetNewRelFileNode). Never used for another one while the site lives. */
export const getNewRelationOid = (): Oid => getNewOid(ids.RelationRelationId);

/** OIDs for what initdb's SQL files make, above those of the generated rows and below users' (0: not in use). */
let systemOid = 0;
const FIRST_SYSTEM_OID = 14000;

/** From now on this process hands out OIDs of the system's range: for initdb while it runs the SQL files. */
export function useSystemOids(on: boolean): void {
  systemOid = on ? FIRST_SYSTEM_OID : 0;
}

export const usesSystemOids = (): boolean => systemOid !== 0;

function nextOid(shared: boolean): Oid {
  if (systemOid !== 0) {
    if (systemOid >= FirstNormalObjectId) throw internalError('the SQL files make more objects than there are OIDs for');
    return systemOid++;
  }
  const range = shared ? reserved.shared : reserved.database;
  if (range.next === range.end) {
    range.next = managerClient(shared).allocateOids(RESERVE);
    range.end = range.next + RESERVE;
  }
  return range.next++;
}

/** The OIDs at hand came from another environment: the next ones are asked for anew. */
export function forgetReservedOids(): void {
  for (const range of [reserved.database, reserved.shared]) range.next = range.end = 0;
}

/** Whether a schema or role name is one of those kept for the system. */
export const isReservedName = (name: string): boolean => name.startsWith('pg_');

/** Objects without which nothing works: no dependencies on them are recorded, and they cannot be dropped. */
export function isPinnedObject(classId: Oid, objectId: Oid): boolean {
  if (objectId >= FirstUnpinnedObjectId) return false;
  if (classId === ids.LargeObjectRelationId || classId === ids.DatabaseRelationId) return false;
  return !(classId === ids.NamespaceRelationId && objectId === ids.PG_PUBLIC_NAMESPACE);
}
export { isSharedRelation };

/** Whether a table is one of the system's, so that DDL on it is refused (IsSystemRelation). */
export const isSystemRelation = (oid: Oid, namespace: Oid): boolean =>
  oid < FirstUnpinnedObjectId || namespace === ids.PG_TOAST_NAMESPACE;
