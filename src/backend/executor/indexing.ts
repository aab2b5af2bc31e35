// Index upkeep: the keys of a row, their entries, unique checks, and the making of a whole index (ExecInsertIndexTuples
// and index_build of PostgreSQL).
//
// Two transactions that insert the same unique key: each locks its key at the transaction manager, the second waits and
// then sees the first one's row, or its absence. A transaction that inserts very many keys stops locking them
// (MAX_KEY_LOCKS) and leaves it to the commit, which refuses a key that is there by then.
import { PgError, internalError } from '../../common/errors.ts';
import { aclcheckAttribute, aclcheckRelation } from '../catalog/aclchk.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { session } from '../utils/session.ts';
import { encodeKey, keyHasNull } from '../access/key.ts';
import { IndexBuilder } from '../access/index_build.ts';
import { beginIndexScan, findDuplicate, insertEntry, removeEntry } from '../access/index.ts';
import { PROVISIONAL_BLOCK, blockOf, readColumn, readRow, type RowId } from '../access/row.ts';
import { advanceSnapshot, isOptimistic, isStale, registerCallback, requireLocks, setDuplicateReporter, usesTransactionSnapshot } from '../transaction/xact.ts';
import { beginScan, deleteRow, fetchLatest, fetchRow, lockRows } from '../access/table.ts';
import { dropSnapshot, holdSnapshot, useSnapshot } from '../transaction/snapshot.ts';
import { existingWriteSet } from '../access/writeset.ts';
import { catalogFindByFilenode } from '../catalog/relation_map.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { rlsApplies } from '../catalog/rls.ts';
import type { LockTarget } from '../transaction/messages.ts';
import { managerClient } from '../transaction/client.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { compileExpr, compilePredicate, type CompiledExpr } from './expression.ts';

/** How the keys of one index are made from a row's values. */
export class IndexKeys {
  readonly info: IndexInfo;
  /** Columns the key or predicate looks at: an UPDATE of none of them leaves the entry as it is; null: any. */
  readonly attributes: ReadonlySet<number> | null;
  private readonly expressions: readonly CompiledExpr[];
  private readonly predicate: ((params: null, row: readonly Datum[]) => boolean) | null;
  private readonly values: Datum[];
  hasNull = false;

  constructor(info: IndexInfo) {
    this.info = info;
    this.expressions = info.expressions.map(compileExpr);
    this.predicate = info.predicate === null ? null : compilePredicate([info.predicate]);
    this.values = new Array(info.keyCount).fill(null);
    this.attributes = info.expressions.length > 0 || info.predicate !== null ? null : new Set(info.keyAttributes);
  }

  /** The key of a row (values[attnum - 1]); null when a partial index leaves it out. Sets `hasNull`. */
  key(row: readonly Datum[]): string | null {
    const { info } = this, values = this.valuesOf(row);
    if (values === null) return null;
    this.hasNull = keyHasNull(info.columns, values);
    return encodeKey(info.columns, values);
  }

  /** The values the key is made of, good until the next call; null when a partial index leaves the row out. */
  valuesOf(row: readonly Datum[]): readonly Datum[] | null {
    if (this.predicate !== null && !this.predicate(null, row)) return null;
    const { info, values } = this;
    let next = 0;
    for (let i = 0; i < info.keyCount; i++) {
      const attnum = info.keyAttributes[i]!;
      values[i] = attnum === 0 ? this.expressions[next++]!(null, row) : row[attnum - 1] ?? null;
    }
    return values;
  }

  /** The key's values of the row last shown to `key`, as messages have them: "(a, b)=(1, 2)". */
  describe(row: readonly Datum[]): string {
    this.key(row);
    const table = openRelation(this.info.indrelid);
    let next = 0;
    const names = this.info.keyAttributes.slice(0, this.info.keyCount).map((attnum) => {
      if (attnum !== 0) return table.attributes[attnum - 1]!.attname;
      return deparseIndexExpression(this.info, next++);
    });
    const texts = this.values.map((v, i) => (v === null ? 'null' : typeHooks.typeIo(this.info.columns[i]!.typeOid).output(v)));
    return `(${names.join(', ')})=(${texts.join(', ')})`;
  }
}

/** ruleutils lies above; it fills this in. */
let deparseIndexExpression: (info: IndexInfo, expression: number) => string = () => 'expression';
export function setIndexExpressionDeparser(f: typeof deparseIndexExpression): void {
  deparseIndexExpression = f;
}

// ---- unique keys

const MAX_KEY_LOCKS = 1000;
let keyLocks = 0;
registerCallback({ onCommit: () => { keyLocks = 0; }, onAbort: () => { keyLocks = 0; } });

/** The row that stands in the way of a new unique key, after waiting for whoever is inserting the same one. */
export function conflictingRow(keys: IndexKeys, key: string): RowId | undefined {
  const { info } = keys;
  const there = findDuplicate(info, key);
  if (there !== undefined) return there;
  if (isOptimistic() || keyLocks >= MAX_KEY_LOCKS) return undefined;
  const { shared, filenode } = info.index;
  keyLocks++;
  const target: LockTarget = { kind: 'key', index: filenode, key };
  const answer = managerClient(shared).acquireLock(target);
  if (answer.kind !== 'granted' || !isStale(answer, shared)) return undefined;
  // Somebody has committed to this index since our snapshot: is it this key?
  if (usesTransactionSnapshot()) return undefined; // the commit decides
  advanceSnapshot(shared);
  return findDuplicate(info, key);
}

/** Whether a key is taken for good. The row that has it may just be going: whoever deletes it is waited for. */
export function isTaken(keys: IndexKeys, key: string): boolean {
  for (;;) {
    const rowId = conflictingRow(keys, key);
    if (rowId === undefined) return false;
    if (blockOf(rowId) >= PROVISIONAL_BLOCK) return true;
    requireLocks();
    if (lockRows(openRelation(keys.info.indrelid), [rowId], 'keyshare', 'block')[0] === 'ok') return true;
  }
}

/** Values are shown to those who may read them (BuildIndexValueDescription). */
const mayShowKey = (table: Relation, info: IndexInfo): boolean => !rlsApplies(table.oid, 0, true) && (aclcheckRelation(table.oid, session.currentUser, ACL.SELECT)
  || info.keyAttributes.slice(0, info.keyCount).every((n) => n !== 0 && aclcheckAttribute(table.oid, n, session.currentUser, ACL.SELECT)));

export function uniqueViolation(keys: IndexKeys, row: readonly Datum[]): PgError {
  const { info } = keys;
  const table = openRelation(info.indrelid);
  return new PgError('unique_violation', `duplicate key value violates unique constraint "${info.index.name}"`, {
    detail: mayShowKey(table, info) ? `Key ${keys.describe(row)} already exists.` : undefined, schema: schemaName(table), table: table.name, constraint: info.index.name,
  });
}

const schemaName = (table: Relation): string => typeHooks.regName('regnamespace', table.namespace) ?? '';

/** Enters a row into an index; throws 23505 when its unique key is there. True: it is deferrable, and must be looked at
 * again later (recheckUnique). */
export function addIndexEntry(keys: IndexKeys, row: readonly Datum[], rowId: RowId): boolean {
  const key = keys.key(row);
  if (key === null) return false;
  const { hasNull } = keys;
  let recheck = false;
  if (isUniqueKey(keys)) {
    if (!keys.info.immediate) recheck = mayShareKey(keys, key, rowId);
    else if (isTaken(keys, key)) throw uniqueViolation(keys, row);
  }
  insertEntry(keys.info, key, rowId, hasNull);
  return recheck;
}

// ---- deferrable unique keys: entries have the row id in them, so that a key can be there twice for a while

/** Another row that has this key by now. */
function otherWithKey(info: IndexInfo, key: string, rowId: RowId): RowId | undefined {
  const scan = beginIndexScan(info, { from: key, fromInclusive: true, to: key, toInclusive: true }, false, Infinity);
  try {
    while (scan.next()) if (scan.rowId !== rowId) return scan.rowId;
    return undefined;
  } finally {
    scan.close();
  }
}

/** Whether a new key of a deferrable index may turn out to be there twice. Whoever else is entering it is waited for now:
 * nobody can see rows that are not committed. */
export function mayShareKey(keys: IndexKeys, key: string, rowId: RowId): boolean {
  const { info } = keys;
  requireLocks();
  if (otherWithKey(info, key, rowId) !== undefined) return true;
  const { shared, filenode } = info.index;
  const answer = managerClient(shared).acquireLock({ kind: 'key', index: filenode, key });
  if (answer.kind !== 'granted' || !isStale(answer, shared)) return false;
  return newestOtherWithKey(info, key, rowId) !== undefined;
}

/** The same in the newest snapshot; a transaction that has one of its own goes on with that. */
function newestOtherWithKey(info: IndexInfo, key: string, rowId: RowId): RowId | undefined {
  if (!usesTransactionSnapshot()) {
    advanceSnapshot(info.index.shared);
    return otherWithKey(info, key, rowId);
  }
  const saved = holdSnapshot();
  try {
    advanceSnapshot(info.index.shared);
    return otherWithKey(info, key, rowId);
  } finally {
    useSnapshot(saved);
    dropSnapshot(saved);
  }
}

/** The deferred check: throws 23505 when another row has the key of this one (unique_key_recheck). */
export function recheckUnique(table: Relation, index: Oid, row: readonly Datum[], rowId: RowId): void {
  const info = table.indexes.find((i) => i.indexrelid === index);
  if (info === undefined) return;
  const keys = new IndexKeys(info);
  const key = keys.key(row);
  if (key === null || !isUniqueKey(keys)) return;
  for (;;) {
    const other = newestOtherWithKey(info, key, rowId);
    if (other === undefined) return;
    if (blockOf(other) >= PROVISIONAL_BLOCK || lockRows(table, [other], 'keyshare', 'block')[0] === 'ok') throw uniqueViolation(keys, row);
  }
}

/** Whether the key last made must be the only one of its kind. */
export const isUniqueKey = (keys: IndexKeys): boolean => keys.info.unique && (!keys.hasNull || keys.info.nullsNotDistinct);

export function dropIndexEntry(keys: IndexKeys, row: readonly Datum[], rowId: RowId): void {
  const key = keys.key(row);
  if (key !== null) removeEntry(keys.info, key, rowId, keys.hasNull);
}

// At commit a key may turn out to be there although nobody was waited for.
setDuplicateReporter((shared, indexFilenode, key) => {
  const index = catalogFindByFilenode(indexFilenode);
  if (index === undefined || index.indexInfo === null) return new PgError('unique_violation', 'duplicate key value violates unique constraint');
  const info = index.indexInfo;
  const table = openRelation(info.indrelid);
  advanceSnapshot(shared);
  const rowId = findDuplicate(info, key);
  const ref = rowId === undefined ? undefined : fetchLatest(table, rowId);
  const keys = new IndexKeys(info);
  if (ref !== undefined) return uniqueViolation(keys, readRow(ref.bytes, ref.view, ref.offset, table.layout));
  return new PgError('unique_violation', `duplicate key value violates unique constraint "${index.name}"`, { table: table.name, constraint: index.name });
});

// ---- building

/** Every row of a table, as the running command sees it: its place and its values. */
export function forEachRow(table: Relation, visit: (row: Datum[], rowId: RowId) => void): void {
  if (table.kind === 'p') throw internalError(`the partitioned table "${table.name}" has no rows of its own`);
  const scan = beginScan(table);
  while (scan.next()) {
    checkForInterrupts();
    const { bytes, view, slotCount, wide } = scan;
    for (let slot = 0; slot < slotCount; slot++) {
      const start = wide ? view.getUint32(8 + 4 * slot, true) : view.getUint16(8 + 2 * slot, true);
      if (start !== 0) visit(readRow(bytes, view, start, table.layout), scan.rowId(slot));
    }
  }
}

/** Makes the entries of a new index from the rows that are there. */
export function buildIndex(table: Relation, info: IndexInfo): void {
  const keys = new IndexKeys(info);
  const builder = new IndexBuilder(info);
  const wanted = keys.attributes === null ? null : [...keys.attributes];
  const { layout } = table;
  const some: Datum[] = new Array(layout.attributeCount).fill(null);
  const scan = beginScan(table);
  while (scan.next()) {
    checkForInterrupts();
    const { bytes, view, slotCount, wide } = scan;
    for (let slot = 0; slot < slotCount; slot++) {
      const start = wide ? view.getUint32(8 + 4 * slot, true) : view.getUint16(8 + 2 * slot, true);
      if (start === 0) continue;
      let row = some;
      if (wanted === null) row = readRow(bytes, view, start, layout);
      else for (let i = 0; i < wanted.length; i++) some[wanted[i]! - 1] = readColumn(bytes, view, start, layout, wanted[i]!);
      const values = keys.valuesOf(row);
      if (values !== null) builder.add(values, scan.rowId(slot));
    }
  }
  builder.finish();
  if (info.unique) refuseDuplicates(table, keys);
}

/** Deletes many rows of a table whose indexes are all there is to it: their entries go together, at `finish`. */
export class BulkDelete {
  /** The columns that `delete` looks at. */
  readonly columns: readonly number[];
  private readonly table: Relation;
  private readonly indexes: readonly { keys: IndexKeys; builder: IndexBuilder }[];

  constructor(table: Relation, indexes: readonly IndexKeys[], columns: readonly number[]) {
    this.table = table;
    this.columns = columns;
    this.indexes = indexes.map((keys) => ({ keys, builder: new IndexBuilder(keys.info, 'removals') }));
  }

  delete(rowId: RowId, old: readonly Datum[]): void {
    const { indexes } = this;
    for (let i = 0; i < indexes.length; i++) {
      const { keys, builder } = indexes[i]!;
      const values = keys.valuesOf(old);
      if (values !== null) builder.add(values, rowId);
    }
    deleteRow(this.table, rowId);
  }

  finish(): void {
    for (const { builder } of this.indexes) builder.finish();
  }
}

/** Equal keys stand beside each other once all are in order; those with a row id in them may. */
function refuseDuplicates(table: Relation, keys: IndexKeys): void {
  const { info } = keys;
  let previous: string | null = null;
  existingWriteSet(info.index.shared)?.indexes.get(info.index.filenode)?.inOrder((key, rowId, withRow) => {
    // A deferrable index has all its entries with the row id: those with a NULL are told apart by the row.
    if (key === previous && (!withRow || !info.immediate)) {
      const ref = fetchRow(table, rowId)!;
      const row = readRow(ref.bytes, ref.view, ref.offset, table.layout);
      keys.key(row);
      if (isUniqueKey(keys)) {
        throw new PgError('unique_violation', `could not create unique index "${info.index.name}"`, {
          detail: `Key ${keys.describe(row)} is duplicated.`, schema: schemaName(table), table: table.name, constraint: info.index.name,
        });
      }
    }
    previous = withRow && info.immediate ? null : key;
  });
}

