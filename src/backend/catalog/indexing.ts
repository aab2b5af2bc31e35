// Reading and changing catalog rows (PostgreSQL's indexing.c and genam.c). Rows go in and out as objects with the
// column names of rows.ts; every change keeps all indexes of the catalog. What a command changes it does not see
// itself until commandCounterIncrement().
import { ddlHooks } from './ddl_hooks.ts';
import { beginIndexScan, findDuplicate, insertEntry, lookupUnique, removeEntry } from '../access/index.ts';
import { encodeKey, keyHasNull, keyRange } from '../access/key.ts';
import { formRow, readRow, type RowId } from '../access/row.ts';
import { beginScan, deleteRow, fetchRow, insertRow, lastChange, lockAsRead, updateRow } from '../access/table.ts';
import { managerClient } from '../transaction/client.ts';
import { byCatalogSnapshot, dropSnapshot, holdSnapshot, useSnapshot } from '../transaction/snapshot.ts';
import { advanceSnapshot, currentCommandId, getStore, isOptimistic, isStale } from '../transaction/xact.ts';
import { PgError, internalError } from '../../common/errors.ts';
import { ArrayValue, type Datum, type Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { catalogRelation } from './catalog_relations.ts';
import { toRow, toValues } from './catalog_rows.ts';
import { AttributeRelationId, NAMEOID, ProcedureRelationId } from './oids.ts';
import { noteOverride } from './override.ts';
import type { IndexInfo, Relation } from './relation.ts';
import type { CatalogId, CatalogRows } from './rows.ts';
import { catalogByOid, type CatalogDefinition } from './schema.ts';

/** Values catalogs are looked up by. */
export type KeyValue = string | number | boolean;

/** A catalog row and where it is. */
export interface CatalogTuple<K extends CatalogId> {
  readonly rowId: RowId;
  readonly row: CatalogRows[K];
}

function catalog(relation: CatalogId): { definition: CatalogDefinition; rel: Relation } {
  const definition = catalogByOid(relation);
  const rel = catalogRelation(relation);
  if (!definition || !rel) throw internalError(`relation ${relation} is not a catalog`);
  return { definition, rel };
}

/** Whether the environment this catalog is in can be read: before a session has chosen its database only global/ can;
 * in a process without a site (the postmaster, tests of the parser) neither. */
function isReadable(rel: Relation): boolean {
  if (session.databaseOid !== 0) return true;
  if (!rel.shared) return false;
  try {
    getStore(true);
    return true;
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------- reading

/** Which of the rows with the leading columns given. */
interface Which {
  /** Rows up to this place are left out unread. */
  readonly after?: RowId;
  /** Those whose next column lies between these, both included. */
  readonly between?: readonly [KeyValue, KeyValue];
  /** The last one in index order alone. */
  readonly last?: boolean;
}
const ALL: Which = {};

/** Rows of a catalog whose leading index columns have these values, in index order, with their places. */
export function catalogFind<K extends CatalogId>(relation: K, index: Oid, keys: readonly KeyValue[], which: Which = ALL): CatalogTuple<K>[] {
  return byCatalogSnapshot(() => find(relation, index, keys, which));
}

function find<K extends CatalogId>(relation: K, index: Oid, keys: readonly KeyValue[], { after, between, last }: Which): CatalogTuple<K>[] {
  const { definition, rel } = catalog(relation);
  if (!isReadable(rel)) return [];
  const info = rel.indexes.find((i) => i.indexrelid === index);
  if (!info) throw internalError(`index ${index} is not one of ${rel.name}`);
  const range = between === undefined ? keyRange(info.columns, keys as readonly Datum[])
    : keyRange(info.columns, keys as readonly Datum[], { value: between[0], inclusive: true }, { value: between[1], inclusive: true });
  const scan = beginIndexScan(info, range, last === true);
  const rowIds: RowId[] = [];
  while (scan.next()) {
    if (after !== undefined && scan.rowId <= after) continue;
    rowIds.push(scan.rowId);
    if (last === true) break;
  }
  const tuples: CatalogTuple<K>[] = [];
  for (const rowId of rowIds) {
    const ref = fetchRow(rel, rowId);
    if (ref) tuples.push({ rowId, row: toRow(definition, readRow(ref.bytes, ref.view, ref.offset, rel.layout)) as CatalogRows[K] });
  }
  return tuples;
}

/** Where the row with this key of a unique index is; -1: nowhere. */
export function catalogRowId(relation: CatalogId, index: Oid, keys: readonly KeyValue[]): RowId {
  const { rel } = catalog(relation);
  const info = rel.indexes.find((i) => i.indexrelid === index)!;
  return isReadable(rel) ? byCatalogSnapshot(() => lookupUnique(info, encodeKey(info.columns, keys as readonly Datum[]))) ?? -1 : -1;
}

/** catalogFind without the places. */
export function catalogScan<K extends CatalogId>(relation: K, index: Oid, keys: readonly KeyValue[]): CatalogRows[K][] {
  return catalogFind(relation, index, keys).map((t) => t.row);
}

/** All rows of a catalog. */
export function catalogFindAll<K extends CatalogId>(relation: K): CatalogTuple<K>[] {
  return byCatalogSnapshot(() => findAll(relation));
}

function findAll<K extends CatalogId>(relation: K): CatalogTuple<K>[] {
  const { definition, rel } = catalog(relation);
  if (!isReadable(rel)) return [];
  const tuples: CatalogTuple<K>[] = [];
  const scan = beginScan(rel);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const start = scan.wide ? scan.view.getUint32(8 + 4 * slot, true) : scan.view.getUint16(8 + 2 * slot, true);
      if (start === 0) continue;
      tuples.push({ rowId: scan.rowId(slot), row: toRow(definition, readRow(scan.bytes, scan.view, start, rel.layout)) as CatalogRows[K] });
    }
  }
  return tuples;
}
export const catalogScanAll = <K extends CatalogId>(relation: K): CatalogRows[K][] => catalogFindAll(relation).map((t) => t.row);

// ---------------------------------------------------------------- changing

/** Adds a row. Fields left out are NULL. */
export function catalogInsert<K extends CatalogId>(relation: K, row: CatalogRows[K]): RowId {
  const { definition, rel } = catalog(relation);
  const values = toValues(definition, row);
  checkNotNull(definition, values);
  byCatalogSnapshot(() => { for (const info of rel.indexes) checkUnique(rel, info, values); });
  const rowId = insertRow(rel, formRow(rel.layout, values));
  for (const info of rel.indexes) addEntry(info, values, rowId);
  ddlHooks.created?.(relation, row as unknown as Record<string, unknown>);
  return rowId;
}

/** Changes fields of a row. Gives the row as it is now. */
export function catalogUpdate<K extends CatalogId>(relation: K, tuple: CatalogTuple<K>, changes: Partial<CatalogRows[K]>): CatalogRows[K] {
  return byCatalogSnapshot(() => update(relation, tuple, changes));
}

function update<K extends CatalogId>(relation: K, tuple: CatalogTuple<K>, changes: Partial<CatalogRows[K]>): CatalogRows[K] {
  const { definition, rel } = catalog(relation);
  const row = { ...tuple.row, ...changes };
  const before = toValues(definition, tuple.row);
  const after = toValues(definition, row);
  checkNotNull(definition, after);
  const touched = rel.indexes.filter((info) => keyOf(info, before) !== keyOf(info, after));
  for (const info of touched) checkUnique(rel, info, after);
  checkNotChanged(rel, tuple.rowId);
  // COMMIT is too late to hear of it.
  if (!lockAsRead(rel, tuple.rowId)) throw internalError('tuple concurrently updated');
  updateRow(rel, tuple.rowId, formRow(rel.layout, after));
  for (const info of touched) {
    dropEntry(info, before, tuple.rowId);
    addEntry(info, after, tuple.rowId);
  }
  noteOverride(relation, tuple.row);
  return row;
}

export function catalogDelete<K extends CatalogId>(relation: K, tuple: CatalogTuple<K>): void {
  byCatalogSnapshot(() => remove(relation, tuple));
}

function remove<K extends CatalogId>(relation: K, tuple: CatalogTuple<K>): void {
  const { definition, rel } = catalog(relation);
  const values = toValues(definition, tuple.row);
  checkNotChanged(rel, tuple.rowId);
  // Tables have locks of their own.
  if (rel.oid === ProcedureRelationId && !lockAsRead(rel, tuple.rowId)) throw internalError('tuple concurrently deleted');
  for (const info of rel.indexes) dropEntry(info, values, tuple.rowId);
  deleteRow(rel, tuple.rowId);
  noteOverride(relation, tuple.row);
}

/** What this very command has changed it did not see: changing it again would lose the first change. */
function checkNotChanged(rel: Relation, rowId: RowId): void {
  const last = lastChange(rel, rowId);
  if (last && last.cid >= currentCommandId()) throw internalError(`tuple of ${rel.name} already updated by self`);
}

/** Changes the one row with this key. */
export function catalogUpdateByKey<K extends CatalogId>(relation: K, index: Oid, keys: readonly KeyValue[], changes: Partial<CatalogRows[K]>): CatalogRows[K] {
  const [tuple] = catalogFind(relation, index, keys);
  if (!tuple) throw internalError(`cache lookup failed for ${catalogByOid(relation)!.name} ${keys.join(', ')}`);
  return catalogUpdate(relation, tuple, changes);
}

/** Deletes all rows with this key; how many. */
export function catalogDeleteByKey<K extends CatalogId>(relation: K, index: Oid, keys: readonly KeyValue[]): number {
  const tuples = catalogFind(relation, index, keys);
  for (const tuple of tuples) catalogDelete(relation, tuple);
  return tuples.length;
}

// ---------------------------------------------------------------- index entries

const columnsOf = (info: IndexInfo, values: readonly Datum[]): Datum[] => info.keyAttributes.map((attnum) => values[attnum - 1]!);
const keyOf = (info: IndexInfo, values: readonly Datum[]): string => encodeKey(info.columns, columnsOf(info, values));

function addEntry(info: IndexInfo, values: readonly Datum[], rowId: RowId): void {
  const columns = columnsOf(info, values);
  insertEntry(info, encodeKey(info.columns, columns), rowId, keyHasNull(info.columns, columns));
}
function dropEntry(info: IndexInfo, values: readonly Datum[], rowId: RowId): void {
  const columns = columnsOf(info, values);
  removeEntry(info, encodeKey(info.columns, columns), rowId, keyHasNull(info.columns, columns));
}

function checkUnique(rel: Relation, info: IndexInfo, values: readonly Datum[]): void {
  if (!info.unique) return;
  const columns = columnsOf(info, values);
  const key = encodeKey(info.columns, columns);
  if (findDuplicate(info, key) === undefined && !(isContested(rel, info) && isClaimed(info, key))) return;
  const names = info.keyAttributes.map((attnum) => rel.attributes[attnum - 1]!.attname).join(', ');
  throw new PgError('unique_violation', `duplicate key value violates unique constraint "${info.index.name}"`, {
    detail: `Key (${names})=(${columns.map((c) => (c instanceof ArrayValue ? c.values.join(' ') : String(c))).join(', ')}) already exists.`, schema: 'pg_catalog', table: rel.name, constraint: info.index.name,
  });
}

/** Two sessions can make the same name at once. OIDs are handed out once, columns are made under their table's lock. */
const isContested = (rel: Relation, info: IndexInfo): boolean => rel.oid !== AttributeRelationId && info.columns.some((c) => c.typeOid === NAMEOID);

/** Whether somebody else has taken the key, after waiting for whoever is just taking it. */
function isClaimed(info: IndexInfo, key: string): boolean {
  const { shared, filenode } = info.index;
  if (isOptimistic()) return false; // the commit decides
  const answer = managerClient(shared).acquireLock({ kind: 'key', index: filenode, key });
  if (answer.kind !== 'granted' || !isStale(answer, shared)) return false;
  const saved = holdSnapshot();
  try {
    advanceSnapshot(shared);
    return findDuplicate(info, key) !== undefined;
  } finally {
    useSnapshot(saved);
    dropSnapshot(saved);
  }
}

function checkNotNull(definition: CatalogDefinition, values: readonly Datum[]): void {
  definition.columns.forEach((c, i) => {
    if (c.notnull && values[i] === null) throw internalError(`null value in column "${c.name}" of catalog "${definition.name}"`);
  });
}
