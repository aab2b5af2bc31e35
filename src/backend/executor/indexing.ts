// Index upkeep: the keys of a row, their entries, unique checks, and the making of a whole index (ExecInsertIndexTuples
// and index_build of PostgreSQL).
//
// Two transactions that insert the same unique key: each locks its key at the transaction manager, the second waits and
// then sees the first one's row, or its absence. A transaction that inserts very many keys stops locking them
// (MAX_KEY_LOCKS) and leaves it to the commit, which refuses a key that is there by then.
import { PgError } from '../../common/errors.ts';
import { asOwner } from '../catalog/acl.ts';
import { ginKeys } from '../access/gin.ts';
import { IndexBuilder } from '../access/index_build.ts';
import { beginIndexScan, findDuplicate, insertEntry, removeEntry } from '../access/index.ts';
import { PROVISIONAL_BLOCK, blockOf, readColumn, readRow, type RowId } from '../access/row.ts';
import {
  advanceSnapshot, amongNewest, hasRead, isOptimistic, isStale, readWriteDependencies, registerCallback, requireLocks, setDuplicateReporter, usesTransactionSnapshot,
} from '../transaction/xact.ts';
import { beginScan, changedSince, fetchLatest, fetchRow } from '../access/table.ts';
import { seenNewest } from '../transaction/snapshot.ts';
import { existingWriteSet } from '../access/writeset.ts';
import { catalogFindByFilenode } from '../catalog/relation_map.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { LockTarget } from '../transaction/messages.ts';
import { managerClient } from '../transaction/client.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { IndexKeys, mayShowKey, schemaName } from './index_keys.ts';
import { checkExclusion, mayExclude, refuseExcluded } from './exclusion.ts';
import { checkIndexRow } from './long_keys.ts';

// ---- unique keys

const MAX_KEY_LOCKS = 1000;
let keyLocks = 0;
registerCallback({ onCommit: () => { keyLocks = 0; }, onAbort: () => { keyLocks = 0; } });

/** The row that stands in the way of a new unique key, after waiting for whoever is inserting the same one. */
export function conflictingRow(keys: IndexKeys, key: string): RowId | undefined {
  const { info } = keys;
  const there = findDuplicate(info, key);
  // In the stricter levels it may be gone since.
  if (there !== undefined && (!usesTransactionSnapshot() || seenNewest(info.index.shared, () => findDuplicate(info, key)) === there)) return there;
  if (isOptimistic() || keyLocks >= MAX_KEY_LOCKS) return undefined;
  const { shared, filenode } = info.index;
  keyLocks++;
  const target: LockTarget = { kind: 'key', index: filenode, key };
  const answer = managerClient(shared).acquireLock(target);
  if (answer.kind !== 'granted' || !isStale(answer, shared)) return undefined;
  // Somebody has committed to this index since our snapshot: is it this key?
  return amongNewest(shared, () => findDuplicate(info, key));
}

/** Waits for whoever is changing or deleting a row, and keeps no lock. (Who has only locked it for that is waited for as well:
 * nobody knows what is to become of it.) */
export function waitForRow(table: Relation, rowId: RowId): void {
  if (blockOf(rowId) >= PROVISIONAL_BLOCK) return;
  const client = managerClient(table.shared), mark = client.lockMark();
  const answer = client.acquireLock({ kind: 'row', relation: table.filenode, row: rowId, mode: 'share' }, isOptimistic() ? 'error' : 'block');
  if (answer.kind !== 'granted') requireLocks();
  client.releaseAfter(mark);
}

/** Whether a key is taken for good. The row that has it may just be going: whoever deletes it is waited for. */
export function isTaken(keys: IndexKeys, key: string): boolean {
  for (;;) {
    const rowId = conflictingRow(keys, key);
    if (rowId === undefined) return false;
    if (blockOf(rowId) >= PROVISIONAL_BLOCK) return true;
    requireLocks();
    waitForRow(openRelation(keys.info.indrelid), rowId);
    if (amongNewest(keys.info.index.shared, () => findDuplicate(keys.info, key)) === rowId) return true;
  }
}

export function uniqueViolation(keys: IndexKeys, row: readonly Datum[]): PgError {
  const { info } = keys;
  const table = openRelation(info.indrelid);
  // Who has looked before and could not see the row would be refused at its commit anyway.
  const key = info.immediate && hasRead(table.filenode, table.shared) ? keys.key(row) : null;
  const there = key === null ? undefined : amongNewest(table.shared, () => findDuplicate(info, key));
  if (there !== undefined && blockOf(there) < PROVISIONAL_BLOCK && changedSince(table, there)) return readWriteDependencies();
  return new PgError('unique_violation', `duplicate key value violates unique constraint "${info.index.name}"`, {
    detail: mayShowKey(table, info) ? `Key ${keys.describe(row)} already exists.` : undefined, schema: schemaName(table), table: table.name, constraint: info.index.name,
  });
}

/** Enters a row into an index; throws 23505 when its unique key is there. True: it is deferrable, and must be looked at
 * again later (recheckUnique). */
export function addIndexEntry(keys: IndexKeys, row: readonly Datum[], rowId: RowId): boolean {
  if (keys.inverted) {
    for (const key of keys.keys(row)) insertEntry(keys.info, key, rowId, false);
    return false;
  }
  const key = keys.key(row);
  if (key === null) return false;
  const { hasNull } = keys;
  checkIndexRow(keys, row, key.length, rowId);
  let recheck = false;
  if (isUniqueKey(keys)) {
    if (!keys.info.immediate) recheck = mayShareKey(keys, key, rowId);
    else if (isTaken(keys, key)) throw uniqueViolation(keys, row);
  }
  insertEntry(keys.info, key, rowId, hasNull);
  if (keys.info.exclusion !== null && mayExclude(keys, row, rowId)) recheck = true;
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

/** Whether a new key of a deferrable index may turn out to be there twice. Whoever else is entering it is waited for when it is
 * looked at again. */
export function mayShareKey(keys: IndexKeys, key: string, rowId: RowId): boolean {
  const { info } = keys;
  requireLocks();
  if (otherWithKey(info, key, rowId) !== undefined) return true;
  const { shared, filenode } = info.index;
  const answer = managerClient(shared).acquireLock({ kind: 'key', index: filenode, key }, 'error');
  if (answer.kind !== 'granted') return true;
  return isStale(answer, shared) && newestOtherWithKey(info, key, rowId) !== undefined;
}

const newestOtherWithKey = (info: IndexInfo, key: string, rowId: RowId): RowId | undefined => amongNewest(info.index.shared, () => otherWithKey(info, key, rowId));

/** The deferred check: throws 23505 when another row has the key of this one (unique_key_recheck). */
export function recheckUnique(table: Relation, index: Oid, row: readonly Datum[], rowId: RowId): void {
  const info = table.indexes.find((i) => i.indexrelid === index);
  if (info === undefined) return;
  const keys = new IndexKeys(info);
  if (info.exclusion !== null) {
    refuseExcluded(keys, row, rowId);
    return;
  }
  const key = keys.key(row);
  if (key === null || !isUniqueKey(keys)) return;
  managerClient(info.index.shared).acquireLock({ kind: 'key', index: info.index.filenode, key });
  for (;;) {
    const other = newestOtherWithKey(info, key, rowId);
    if (other === undefined) return;
    waitForRow(table, other);
    if (blockOf(other) >= PROVISIONAL_BLOCK || newestOtherWithKey(info, key, rowId) === other) throw uniqueViolation(keys, row);
  }
}

/** Whether the key last made must be the only one of its kind. */
export const isUniqueKey = (keys: IndexKeys): boolean => keys.info.unique && (!keys.hasNull || keys.info.nullsNotDistinct);

/** Moves what an inverted index has for a row: entries that stay are left alone. */
export function moveInvertedEntries(keys: IndexKeys, rowId: RowId, old: readonly Datum[], row: readonly Datum[]): void {
  const before = new Set(keys.keys(old)), after = new Set(keys.keys(row));
  for (const key of before) if (!after.has(key)) removeEntry(keys.info, key, rowId, false);
  for (const key of after) if (!before.has(key)) insertEntry(keys.info, key, rowId, false);
}

export function dropIndexEntry(keys: IndexKeys, row: readonly Datum[], rowId: RowId): void {
  if (keys.inverted) {
    for (const key of keys.keys(row)) removeEntry(keys.info, key, rowId, false);
    return;
  }
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

/** Makes the entries of a new index from the rows that are there. */
export const buildIndex = (table: Relation, info: IndexInfo): { totalRows: number; blocks: number } => asOwner(table.owner, () => build(table, info));

function build(table: Relation, info: IndexInfo): { totalRows: number; blocks: number } {
  let totalRows = 0;
  let blocks = 0;
  const keys = new IndexKeys(info);
  const builder = new IndexBuilder(info);
  const wanted = keys.attributes === null ? null : [...keys.attributes];
  const { layout } = table;
  const some: Datum[] = new Array(layout.attributeCount).fill(null);
  const scan = beginScan(table);
  while (scan.next()) {
    checkForInterrupts();
    blocks++;
    const { bytes, view, slotCount, wide } = scan;
    for (let slot = 0; slot < slotCount; slot++) {
      const start = wide ? view.getUint32(8 + 4 * slot, true) : view.getUint16(8 + 2 * slot, true);
      if (start === 0) continue;
      totalRows++;
      let row = some;
      if (wanted === null) row = readRow(bytes, view, start, layout);
      else for (let i = 0; i < wanted.length; i++) some[wanted[i]! - 1] = readColumn(bytes, view, start, layout, wanted[i]!);
      const values = keys.valuesOf(row);
      if (values === null) continue;
      if (keys.inverted) for (const key of ginKeys(info, values)) builder.addKey(key, scan.rowId(slot));
      else checkIndexRow(keys, row, builder.add(values, scan.rowId(slot)), scan.rowId(slot));
    }
  }
  builder.finish();
  if (info.unique) refuseDuplicates(table, keys);
  if (info.exclusion !== null) checkExclusion(table, keys);
  return { totalRows, blocks };
}

/** Equal keys stand beside each other once all are in order; those with a row id in them may. A deferrable index has all its
 * entries with the row id: those with a NULL are told apart by the row. */
function refuseDuplicates(table: Relation, keys: IndexKeys): void {
  const { info } = keys;
  existingWriteSet(info.index.shared)?.indexes.get(info.index.filenode)?.eachDuplicate((rowId, withRow) => {
    if (withRow && info.immediate) return;
    const ref = fetchRow(table, rowId)!;
    const row = readRow(ref.bytes, ref.view, ref.offset, table.layout);
    keys.key(row);
    if (!isUniqueKey(keys)) return;
    throw new PgError('unique_violation', `could not create unique index "${info.index.name}"`, {
      detail: `Key ${keys.describe(row)} is duplicated.`, schema: schemaName(table), table: table.name, constraint: info.index.name,
    });
  });
}

