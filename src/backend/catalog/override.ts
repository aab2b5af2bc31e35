// Built-in objects that have been altered. Their rows in memory (builtin.ts) are then not the true ones, so every
// database keeps a list of such objects, in the form of an index that pg_index does not know: entries (catalog, OID),
// nearly always none. Look-ups in syscache.ts ask `isOverridden`; the list is read again whenever catalogs change.
import { beginIndexScan, insertEntry, findDuplicate } from '../access/index.ts';
import { encodeKey } from '../access/key.ts';
import type { Oid } from '../types/datum.ts';
import { byCatalogSnapshot } from '../transaction/snapshot.ts';
import { session } from '../utils/session.ts';
import { catalogRelation } from './catalog_relations.ts';
import { registerCatalogCache, refreshCatalogs } from './inval.ts';
import * as ids from './oids.ts';
import type { IndexInfo, Relation } from './relation.ts';

/** Filenode of the list; no relation has this OID. */
const OVERRIDE_FILENODE = 8;
/** Catalogs whose rows syscache.ts takes from memory. */
const CACHED = new Set<Oid>([ids.TypeRelationId, ids.ProcedureRelationId, ids.OperatorRelationId, ids.CastRelationId,
  ids.CollationRelationId, ids.LanguageRelationId, ids.ConversionRelationId, ids.OperatorClassRelationId,
  ids.OperatorFamilyRelationId, ids.NamespaceRelationId, ids.RangeRelationId, ids.AccessMethodOperatorRelationId,
  ids.AccessMethodProcedureRelationId]);
const LAST_BUILTIN_OID = 14000; // catalog.ts gives out those above

let list: Set<number> | null = null;
registerCatalogCache(() => { list = null; });

/** One number for both: OIDs of built-in objects are below 16384. */
const keyOf = (relation: Oid, oid: Oid): number => relation * 16384 + oid;

let infoCache: IndexInfo | undefined;
function overrideIndex(): IndexInfo {
  if (!infoCache) {
    const model = catalogRelation(ids.PgTypeOidIndexId)!.indexInfo!; // one column of type oid; here two
    const index: Relation = Object.create(model.index, { oid: { value: OVERRIDE_FILENODE }, filenode: { value: OVERRIDE_FILENODE },
      name: { value: 'overridden built-in objects' } }) as Relation;
    infoCache = { ...model, columns: [model.columns[0]!, model.columns[0]!], keyAttributes: [1, 2], keyCount: 2, index };
  }
  return infoCache;
}

function read(): Set<number> {
  const set = new Set<number>();
  if (session.databaseOid === 0) return set;
  byCatalogSnapshot(() => {
    const scan = beginIndexScan(overrideIndex(), { from: '', fromInclusive: true, to: null, toInclusive: true }, false);
    while (scan.next()) set.add(scan.rowId);
  });
  return set;
}

/** Whether a built-in object has been altered in this database, so that its row is to be read from the table. */
export function isOverridden(relation: Oid, oid: Oid): boolean {
  refreshCatalogs();
  list ??= read();
  return list.size !== 0 && list.has(keyOf(relation, oid));
}

export function hasOverrides(): boolean {
  refreshCatalogs();
  return (list ??= read()).size !== 0;
}

/** A catalog row is being changed or deleted: remember it if it is a built-in object's. */
export function noteOverride(relation: Oid, row: object): void {
  const oid = (row as { oid?: Oid; rngtypid?: Oid }).oid ?? (row as { rngtypid?: Oid }).rngtypid ?? 0;
  if (oid === 0 || oid >= LAST_BUILTIN_OID || !CACHED.has(relation)) return;
  const info = overrideIndex();
  const key = encodeKey(info.columns, [relation, oid]);
  // The entry's row id is not a row: it is the pair of numbers itself.
  if (findDuplicate(info, key) === undefined) insertEntry(info, key, keyOf(relation, oid), false);
}
