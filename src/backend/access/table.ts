// Tables: the blocks of the store with the write set's changes laid over them. A scan shows plain blocks (access/row.ts):
// those of the store as they are, or patched where rows of them have changed, then those of inserted rows. Where the
// write set has nothing about a table, nothing is looked at but the store.
import { isDeepStrictEqual } from 'node:util';
import { PgError, internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { ValueBuffer, type Cursor, type HeldSnapshot, type Store } from '../storage/store.ts';
import { managerClient, type LockResult } from '../transaction/client.ts';
import { areTablesLocked } from '../transaction/locked_tables.ts';
import { advanceStores, plans, renewCatalogSnapshot, seenNewest } from '../transaction/snapshot.ts';
import type { LockTarget, RowLockMode, TableLockMode, WaitPolicy } from '../transaction/messages.ts';
import {
  RetryStatement, advanceSnapshot, currentCommandId, getStore, isOptimistic, isOutsideBlock, isStale, noteCatalogChange, noteRead, noteTable, registerCallback, useCommandId, usesTransactionSnapshot,
} from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { uncounted, type Counts } from '../utils/pgstat.ts';
import { RELATION } from '../utils/pgstat_shmem.ts';
import { session } from '../utils/session.ts';
import {
  BLOCK_HEADER_BYTES, BLOCK_MOVED, BLOCK_WIDE, HEAP_ORDER_BLOCKS, MAX_SLOTS, PROVISIONAL_BLOCK, blockOf, formRow, readColumn, setSlotStart, slotOf, slotStart, slotsInRowOrder, sortSlots, type RowId,
} from './row.ts';
import { SharedRange, type SharedCounter } from './parallel_scan.ts';
import { slotsInOrderOfChange, visibleVersion, type RowRef, type TableChanges, type Version } from './table_changes.ts';
import { existingWriteSet, writeSet } from './writeset.ts';

export type { RowRef };

// --- Scans -------------------------------------------------------------------------------------------------------

const spareBuffers: ValueBuffer[] = [];
const spareOrders: Uint16Array[] = [];
const starts = new Uint32Array(MAX_SLOTS);
const MAX_SPARE_BUFFERS = 16;

/** `while (scan.next())`: one block after the other; row i of a block starts at u16 (wide: u32) 8 + 2*i (4*i), 0: no row.
 * Its row id is `scan.rowId(i)`: where rows were updated, they are shown in the order they stand in, not that of their
 * slots. */
export class TableScan {
  bytes: Buffer;
  view: DataView;
  block = -1;
  slotCount = 0;
  wide = false;
  /** Slots by place, where they are shown in another order: as many as there is room for. */
  private order: Uint16Array | null = null;
  private orderRoom: Uint16Array | null = null;
  /** The rows do not stand in the order of their slots. */
  moved = false;
  /** Whoever wants few of the rows tells which (`wanted`, then `arrangeWanted`): to put all in order costs more than to look. */
  counts: Counts;
  private readonly arranging: boolean;
  private buffer: ValueBuffer;
  private cursor: Cursor | null;
  private readonly changes: TableChanges | null;
  private readonly cid: number;
  private inserted = 0;
  private done = false;

  private readonly store: Store;
  private readonly filenode: number;
  /** Other processes read the other blocks. */
  private readonly share: SharedRange | null;

  /** `block`: this one alone. Not `arranging`: where rows are `moved`, the slots are as they are. `counter`: each of several processes
   * reads some of the blocks. */
  constructor(rel: Relation, cid: number, block = -1, arranging = true, counter: SharedCounter | null = null) {
    this.cid = cid;
    this.counts = block < 0 ? rel.counts : uncounted;
    this.arranging = arranging;
    this.buffer = spareBuffers.pop() ?? new ValueBuffer(8192);
    this.bytes = this.buffer.bytes;
    this.view = this.buffer.view;
    this.store = getStore(rel.shared);
    this.filenode = rel.filenode;
    this.share = counter === null ? null : new SharedRange(counter, this.store.blockLimit(rel.filenode, this.buffer));
    this.cursor = this.share === null ? this.store.blocks(rel.filenode, this.buffer, block) : this.stretch(this.share);
    this.changes = existingWriteSet(rel.shared)?.tables.get(rel.filenode) ?? null;
  }

  private stretch(share: SharedRange): Cursor | null {
    return share.next() ? this.store.blocks(this.filenode, this.buffer, share.from, share.to) : null;
  }

  next(): boolean {
    let { cursor } = this;
    while (cursor !== null) {
      if (cursor.next()) {
        const { key } = cursor;
        this.block = (key[4]! * 256 + key[5]!) * 65536 + key[6]! * 256 + key[7]!;
        this.show();
        if (this.changes !== null && this.changes.changed.size > 0) this.patch(cursor.valueLength);
        if (this.moved && this.arranging) this.arrange();
        this.count();
        return true;
      }
      this.cursor = cursor = this.share === null ? null : this.stretch(this.share);
    }
    if (this.changes !== null && !this.done) {
      for (; this.inserted < this.changes.insertedBlocks; ) {
        const index = this.inserted++;
        const length = this.changes.insertedBlock(index, this.cid, this.buffer);
        if (length === 0) continue;
        this.block = PROVISIONAL_BLOCK + index;
        this.show();
        this.patch(length);
        if (this.moved && this.arranging) this.arrange();
        this.count();
        return true;
      }
    }
    this.close();
    return false;
  }

  private show(): void {
    const { buffer } = this;
    this.bytes = buffer.bytes;
    this.view = buffer.view;
    const head = buffer.view.getUint32(0, true);
    this.slotCount = head >>> 16;
    this.wide = (head & (BLOCK_WIDE << 8)) !== 0;
    this.moved = (head & (BLOCK_MOVED << 8)) !== 0;
    this.order = null;
  }

  /** For the statistics. Whoever finds that a slot has no row takes it back. */
  private count(): void {
    const { counts } = this;
    counts[RELATION.blocksFetched]!++;
    counts[RELATION.returned]! += this.slotCount;
  }

  /** The row id of row i of the block. */
  rowId(i: number): RowId {
    return this.block * 65536 + (this.order === null ? i : this.order[i]!);
  }

  /** Puts the slot directory into the order the rows stand in. */
  private arrange(): void {
    const order = this.wanted();
    this.order = order;
    this.slotCount = slotsInRowOrder(this.view, this.wide, this.slotCount, order);
    this.rewriteSlots();
  }

  /** Where to write the slots of the rows that are wanted, in their order; for `arrangeWanted`. */
  wanted(): Uint16Array {
    let room = this.orderRoom;
    if (room === null) room = spareOrders.pop() ?? null;
    if (room === null || room.length < this.slotCount) room = new Uint16Array(Math.max(512, this.slotCount));
    return (this.orderRoom = room);
  }

  /** The block shows but the first `count` of the wanted rows, in the order they stand in; how many. */
  arrangeWanted(count: number): number {
    const order = (this.order = this.orderRoom!);
    if (count > 1) sortSlots(this.view, this.wide, order, count);
    this.slotCount = count;
    this.rewriteSlots();
    return count;
  }

  private rewriteSlots(): void {
    const { view, wide, slotCount } = this, order = this.order!;
    for (let i = 0; i < slotCount; i++) starts[i] = slotStart(view, 0, order[i]!, wide);
    for (let i = 0; i < slotCount; i++) setSlotStart(view, i, wide, starts[i]!);
  }

  /** Puts changed rows behind the others and points their slots to them. */
  private patch(length: number): void {
    const slots = this.changes!.changed.get(this.block);
    if (slots === undefined) return;
    let growth = 0;
    for (let slot = 0; slot < slots.length; slot++) {
      const version = visibleVersion(slots[slot], this.cid);
      if (version !== undefined && !version.deleted) growth += version.length;
    }
    if (!this.wide && length + growth > 65535) length = this.widen(length);
    this.reserve(length, length + growth);
    if (growth > 0 && (this.block < HEAP_ORDER_BLOCKS || this.block >= PROVISIONAL_BLOCK)) this.moved = true;
    for (const slot of slotsInOrderOfChange(slots, this.cid)) {
      const version = visibleVersion(slots[slot], this.cid)!;
      setSlotStart(this.view, slot, this.wide, version.deleted ? 0 : length);
      if (!version.deleted) length += this.copyVersion(version, length);
    }
  }

  private copyVersion(version: Version, at: number): number {
    const row = this.changes!.versionRow(version);
    return row.bytes.copy(this.bytes, at, row.offset, row.offset + version.length);
  }

  /** Turns the slot directory into one of u32; the new length. */
  private widen(length: number): number {
    const growth = 2 * this.slotCount;
    this.reserve(length, length + growth);
    const directoryEnd = BLOCK_HEADER_BYTES + growth;
    this.bytes.copyWithin(directoryEnd + growth, directoryEnd, length);
    for (let slot = this.slotCount - 1; slot >= 0; slot--) {
      const start = slotStart(this.view, 0, slot, false);
      setSlotStart(this.view, slot, true, start === 0 ? 0 : start + growth);
    }
    this.bytes[1]! |= BLOCK_WIDE;
    this.wide = true;
    return length + growth;
  }

  private reserve(used: number, lengthBytes: number): void {
    if (lengthBytes <= this.bytes.length) return;
    const before = this.buffer.bytes;
    this.buffer.grow(lengthBytes);
    before.copy(this.buffer.bytes, 0, 0, used);
    this.bytes = this.buffer.bytes;
    this.view = this.buffer.view;
  }

  /** For scans that are left before their end. */
  close(): void {
    if (this.done) return;
    this.done = true;
    this.cursor?.close();
    this.cursor = null;
    if (spareBuffers.length < MAX_SPARE_BUFFERS && this.buffer.bytes.length <= 1 << 16) spareBuffers.push(this.buffer);
    if (this.orderRoom !== null && spareOrders.length < MAX_SPARE_BUFFERS) spareOrders.push(this.orderRoom);
    this.order = this.orderRoom = null;
  }
}

/** All rows of a table as command `cid` sees them. Not `arranging`: for somebody who says what is wanted of a block whose rows
 * have moved (`TableScan.arrangeWanted`). `counter`: several processes read it together, each some of the rows. */
export function beginScan(rel: Relation, cid = currentCommandId(), arranging = true, counter: SharedCounter | null = null): TableScan {
  noteRead(rel.oid, rel.filenode, rel.shared);
  rel.counts[RELATION.scans]!++;
  if (rel.kind === 'S' && existingWriteSet(rel.shared)?.tables.get(rel.filenode) === undefined) return new SequenceScan(rel, cid);
  return new TableScan(rel, cid, -1, arranging, counter);
}

/** The same for who looks after a table (ANALYZE): it is no use of the table, and does not count. */
export function beginQuietScan(rel: Relation): TableScan {
  const scan = new TableScan(rel, currentCommandId());
  scan.counts = uncounted;
  return scan;
}

/** A sequence's stored row runs ahead of what was handed out; the transaction manager knows the true one. */
class SequenceScan extends TableScan {
  private readonly sequence: Relation;
  private shown = false;

  constructor(rel: Relation, cid: number) {
    super(rel, cid);
    this.sequence = rel;
  }

  override next(): boolean {
    if (this.shown) return false;
    this.shown = true;
    const { lastValue, logCount, isCalled } = managerClient(false).sequenceState(this.sequence.filenode);
    const row = formRow(this.sequence.layout, [lastValue, logCount, isCalled]);
    const start = BLOCK_HEADER_BYTES + 2;
    const bytes = Buffer.alloc(start + row.length);
    bytes[0] = 1;
    bytes.writeUInt16LE(1, 2);
    bytes.writeUInt16LE(start, BLOCK_HEADER_BYTES);
    bytes.set(row, start);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.block = 0;
    this.slotCount = 1;
    this.wide = false;
    return true;
  }
}

// --- Single rows -------------------------------------------------------------------------------------------------

/** The block fetched last from one table. */
class FetchCache {
  readonly value = new ValueBuffer(8192);
  snapshotId = 0;
  block = -1;
  slotCount = 0;
  wide = false;
  readonly ref: RowRef = { bytes: this.value.bytes, view: this.value.view, offset: 0 };
}
const MAX_CACHES = 64;
const caches: [Map<number, FetchCache>, Map<number, FetchCache>] = [new Map(), new Map()];

/** The row as the store has it. */
function fetchStored(store: Store, rel: Relation, rowId: RowId): RowRef | undefined {
  const map = caches[rel.shared ? 1 : 0];
  let cache = map.get(rel.filenode);
  if (cache === undefined) {
    if (map.size >= MAX_CACHES) map.clear();
    map.set(rel.filenode, (cache = new FetchCache()));
  }
  const block = blockOf(rowId);
  if (cache.block !== block || cache.snapshotId !== store.snapshotId) {
    cache.block = block;
    cache.snapshotId = store.snapshotId;
    rel.counts[RELATION.blocksFetched]!++;
    if (store.getBlock(rel.filenode, block, cache.value) < 0) {
      cache.slotCount = 0;
    } else {
      const head = cache.value.view.getUint32(0, true);
      cache.slotCount = head >>> 16;
      cache.wide = (head & (BLOCK_WIDE << 8)) !== 0;
      cache.ref.bytes = cache.value.bytes;
      cache.ref.view = cache.value.view;
    }
  }
  const slot = slotOf(rowId);
  if (slot >= cache.slotCount) return undefined;
  const start = slotStart(cache.ref.view, 0, slot, cache.wide);
  if (start === 0) return undefined;
  cache.ref.offset = start;
  return cache.ref;
}

/** The row as command `cid` sees it; undefined: it is not there. Valid until the next fetch on that relation. */
export function fetchRow(rel: Relation, rowId: RowId, cid = currentCommandId()): RowRef | undefined {
  const changes = existingWriteSet(rel.shared)?.tables.get(rel.filenode);
  if (changes !== undefined) {
    const version = visibleVersion(changes.head(rowId), cid);
    if (version !== undefined) return version.deleted ? undefined : changes.versionRow(version);
    if (rowId >= PROVISIONAL_BLOCK * 65536) return changes.insertedRow(rowId, cid);
  }
  noteRead(rel.oid, rel.filenode, rel.shared);
  return fetchStored(getStore(rel.shared), rel, rowId);
}

/** As fetchRow, with what the running command itself has done: for checks at its end, and to see whether it has
 * touched the row already. */
export function fetchLatest(rel: Relation, rowId: RowId): RowRef | undefined {
  return fetchRow(rel, rowId, Infinity);
}

/** These rows, each once, in the order a scan of the table shows them. */
export function inHeapOrder(rel: Relation, rowIds: RowId[], cid = currentCommandId()): RowId[] {
  if (rowIds.length < 2) return rowIds;
  rowIds.sort((a, b) => a - b);
  let n = 0;
  for (let i = 0; i < rowIds.length; i++) if (i === 0 || rowIds[i] !== rowIds[i - 1]) rowIds[n++] = rowIds[i]!;
  rowIds.length = n;
  for (let from = 0; from < n;) {
    const block = blockOf(rowIds[from]!);
    let to = from + 1;
    while (to < n && blockOf(rowIds[to]!) === block) to++;
    // In the others rows stand in the order of their slots.
    if (to - from > 1 && block < HEAP_ORDER_BLOCKS) arrangeIds(rel, block, rowIds, from, to, cid);
    from = to;
  }
  return rowIds;
}

function arrangeIds(rel: Relation, block: number, rowIds: RowId[], from: number, to: number, cid: number): void {
  const scan = new TableScan(rel, cid, block);
  if (scan.next() && scan.moved && scan.block === block) {
    const wanted = new Set(rowIds.slice(from, to));
    for (let i = 0, at = from; i < scan.slotCount && at < to; i++) if (wanted.has(scan.rowId(i))) rowIds[at++] = scan.rowId(i);
  }
  scan.close();
}

/** The command of this transaction that last changed a row (or inserted it, when the row id is provisional and nothing
 * has changed it: then undefined). */
export function lastChange(rel: Relation, rowId: RowId): { cid: number; deleted: boolean } | undefined {
  const head = existingWriteSet(rel.shared)?.tables.get(rel.filenode)?.head(rowId);
  return head === undefined ? undefined : { cid: head.cid, deleted: head.deleted };
}

// --- Changes -----------------------------------------------------------------------------------------------------

/** Relations with OIDs below this are system catalogs: a commit that touches them makes cached catalogs stale. */
const FIRST_NORMAL_OID = 16384;
/** The pages of large objects are data: nobody keeps anything of pg_largeobject. Each write to one made all plans anew, everywhere. */
const LARGE_OBJECT_RELATION = 2613;

function changesOf(rel: Relation): TableChanges {
  const catalog = rel.oid < FIRST_NORMAL_OID && rel.oid !== LARGE_OBJECT_RELATION;
  if (catalog) noteCatalogChange();
  const changes = writeSet(rel.shared).table(rel.filenode, catalog);
  changes.counts = rel.counts;
  return changes;
}

/** Inserts a formed row. */
export function insertRow(rel: Relation, row: Uint8Array): RowId {
  const changes = changesOf(rel);
  writeSet(rel.shared).noteInsert(changes, rel.oid);
  return changes.insertRow(row, useCommandId());
}

/** Inserts a row of values [attnum - 1]: formed in its place, faster than formRow and insertRow. */
export function insertValues(rel: Relation, values: readonly Datum[]): RowId {
  const changes = changesOf(rel);
  writeSet(rel.shared).noteInsert(changes, rel.oid);
  return changes.insertValues(rel.layout, values, useCommandId());
}

/** For loads: inserts one row after another, each written in its place by a function that says where it ends (-1: no
 * row). Good until something else is done to the table. */
export function bulkInserts(rel: Relation): (form: (bytes: Buffer, view: DataView, at: number) => number) => RowId {
  const changes = changesOf(rel);
  writeSet(rel.shared).noteInsert(changes, rel.oid);
  const cid = useCommandId();
  return (form) => changes.insertFormed(form, cid);
}

export function updateRow(rel: Relation, rowId: RowId, row: Uint8Array): void {
  change(rel, rowId, row);
}

export function deleteRow(rel: Relation, rowId: RowId): void {
  change(rel, rowId, null);
}

/** A row that was deleted has gone to another partition. */
export function noteMoved(rel: Relation, rowId: RowId): void {
  writeSet(rel.shared).noteMoved(rel.filenode, rowId);
}

/** Deletes many rows, block after block, as the store has them: what is changed twice, or may be taken back by a savepoint, goes
 * row by row. */
export class BlockDeletes {
  private readonly rel: Relation;
  private readonly changes: TableChanges;
  private readonly possible: boolean;
  private readonly cid = useCommandId();
  private slots: (Version | undefined)[] = [];
  private block = -1;
  row: RowRef | null = null;

  constructor(rel: Relation) {
    this.rel = rel;
    this.changes = changesOf(rel);
    this.possible = !writeSet(rel.shared).hasSavepoints;
    noteRead(rel.oid, rel.filenode, rel.shared);
  }

  /** Goes to a row. False: not here, see above. `row`, until the next call, says where it is; null: it is gone. */
  find(rowId: RowId): boolean {
    const block = blockOf(rowId);
    if (!this.possible || block >= PROVISIONAL_BLOCK) return false;
    const { rel } = this;
    this.row = fetchStored(getStore(rel.shared), rel, rowId) ?? null;
    if (this.row === null) return this.changes.head(rowId) === undefined;
    if (block !== this.block) {
      this.block = block;
      this.slots = this.changes.slotsForChange(block, caches[rel.shared ? 1 : 0].get(rel.filenode)!.slotCount);
    }
    return this.slots[slotOf(rowId)] === undefined;
  }

  /** Deletes the row that `find` has found. */
  delete(rowId: RowId): void {
    const { view, offset } = this.row!;
    this.changes.noteDeleted();
    this.slots[slotOf(rowId)] = this.changes.deletion(this.cid, view.getUint32(offset, true));
  }
}

function change(rel: Relation, rowId: RowId, row: Uint8Array | null): void {
  const changes = changesOf(rel);
  let readVersion = 0;
  if (rowId < PROVISIONAL_BLOCK * 65536 && changes.head(rowId) === undefined) {
    const stored = fetchStored(getStore(rel.shared), rel, rowId);
    if (stored === undefined) throw internalError(`row ${rowId} of ${rel.name} is not there`);
    readVersion = stored.view.getUint32(stored.offset, true);
  }
  writeSet(rel.shared).change(changes, rowId, row, useCommandId(), readVersion);
}

/** Rows that were inserted only because a table is written anew do not count. */
export function countAsRewrite(rel: Relation): void {
  existingWriteSet(rel.shared)?.tables.get(rel.filenode)?.forgetInserted();
}

/** The content of a table or index goes at commit: DROP, TRUNCATE, a rewrite. */
export function dropStorage(filenode: number, shared: boolean): void {
  writeSet(shared).dropFilenode(filenode);
}

// --- Table locks -------------------------------------------------------------------------------------------------

/** Table locks this transaction holds, so that nobody is asked twice: by oid, a bit for each mode, and above them the
 * number of the transaction, so that nothing need be cleared when it ends. */
const heldTables = new Map<number, number>();
const MODE_BITS = 512, MAX_HELD_TABLES = 1000;
let heldBy = 1;
const forgetHeldTables = (): void => {
  heldBy++;
  if (heldTables.size > MAX_HELD_TABLES) heldTables.clear();
};
function heldModes(oid: number): number {
  const held = heldTables.get(oid) ?? 0;
  return Math.floor(held / MODE_BITS) === heldBy ? held % MODE_BITS : 0;
}
registerCallback({ onCommit: forgetHeldTables, onAbort: forgetHeldTables, onSubAbort: forgetHeldTables });
const ROW_EXCLUSIVE_LOCK = 3;

/** Locks a table (oid). False: not at once, under policy 'skip'. After a wait READ COMMITTED looks at the newest commit:
 * what was read of the table's catalogs before must be read again (true as a second result). */
export function lockTable(oid: number, name: string, shared: boolean, mode: TableLockMode, waitPolicy: WaitPolicy = 'block'): { granted: boolean; renewed: boolean } {
  const held = heldModes(oid);
  if ((held & (1 << mode)) !== 0) return { granted: true, renewed: false };
  if (isOptimistic()) {
    if (mode > ROW_EXCLUSIVE_LOCK || waitPolicy !== 'block') throw new RetryStatement();
    noteTable(oid, mode, shared);
    return { granted: true, renewed: false };
  }
  const answer = managerClient(shared).acquireLock({ kind: 'table', oid, mode }, waitPolicy);
  if (answer.kind === 'unavailable') {
    if (waitPolicy === 'error') throw new PgError('lock_not_available', `could not obtain lock on relation "${name}"`);
    return { granted: false, renewed: false };
  }
  heldTables.set(oid, heldBy * MODE_BITS + (held | (1 << mode)));
  const stale = isStale(answer, shared);
  if (stale && usesTransactionSnapshot()) return { granted: true, renewed: renewCatalogSnapshot() };
  if (stale) advanceSnapshot(shared);
  return { granted: true, renewed: stale };
}

/** A table that a statement names: ACCESS SHARE; ROW SHARE where rows of it are to be locked, ROW EXCLUSIVE where they are changed. */
export interface ReadLock { readonly oid: Oid; readonly mode: 1 | 2 | 3 }
/** `stale`: there may be newer commits than the snapshot. */
export type ReadLocked = 'at once' | 'stale' | 'waited';

/** Whether who reads tables locks them. A statement outside a transaction block reads one snapshot and is over: it need not
 * (unless it is `part` of another one), but it waits for those who have locked a table against readers. */
export function locksReads(part = false): boolean {
  // A parallel worker reads what its leader has locked, in the leader's snapshot.
  if (session.parallelLeader !== 0) return false;
  return (!isOptimistic() && (part || plans.running > 0 || !isOutsideBlock())) || areTablesLocked(session.databaseOid);
}

/** Locks tables of the database that are going to be used, until the transaction ends. The snapshot stays. */
export function lockReads(reads: readonly ReadLock[]): ReadLocked {
  let wanted: ReadLock[] | null = null, result: ReadLocked = 'at once';
  const database = managerClient(false);
  for (let i = 0; i < reads.length; i++) {
    const { oid, mode } = reads[i]!, held = heldModes(oid);
    if ((held & (1 << mode)) !== 0) continue;
    if (isOptimistic()) throw new RetryStatement();
    if (wanted === null && database.takeTable(oid, mode)) {
      heldTables.set(oid, heldBy * MODE_BITS + (held | (1 << mode)));
      result = 'stale';
    } else {
      (wanted ??= []).push(reads[i]!);
    }
  }
  if (result === 'stale' && getStore(false).isNewest()) result = 'at once';
  if (wanted === null) {
    if (result === 'stale' && usesTransactionSnapshot() && !renewCatalogSnapshot()) result = 'at once';
    return result;
  }
  const answers = database.acquireLocks(wanted.map(({ oid, mode }) => ({ kind: 'table', oid, mode })));
  for (let i = 0; i < wanted.length; i++) {
    const { oid, mode } = wanted[i]!, answer = answers[i] as { kind: 'granted'; waited: boolean; changedSeq: number };
    heldTables.set(oid, heldBy * MODE_BITS + (heldModes(oid) | (1 << mode)));
    if (answer.waited) result = 'waited';
    else if (result === 'at once' && isStale(answer, false)) result = 'stale';
  }
  if (result !== 'at once' && usesTransactionSnapshot() && !renewCatalogSnapshot()) result = 'at once';
  return result;
}

/** After a wait READ COMMITTED looks at the newest commit, the stricter levels (`lockReads`) have looked at the catalogs. False: the
 * snapshot is that of a plan that runs. */
export function renewAfterWait(): boolean {
  if (usesTransactionSnapshot()) return true;
  if (plans.running > plans.whenTaken) return false;
  advanceStores();
  return true;
}

// --- Row locks ---------------------------------------------------------------------------------------------------

/** 'changed', 'deleted': by somebody else since the snapshot, which has been renewed: fetch again and check again. */
export type RowLockResult = 'ok' | 'changed' | 'deleted' | 'skipped';

/** What `read` gives when it looks at an older snapshot; null: at the present one. */
export function seenBy<T>(shared: boolean, snapshot: HeldSnapshot | null, read: () => T): T {
  const store = getStore(shared);
  if (snapshot === null || snapshot.snapshotId === store.snapshotId) return read();
  const present = store.hold();
  store.use(snapshot);
  try {
    return read();
  } finally {
    store.use(present);
    store.unhold(present);
  }
}

/** Keeps what a command has read by, for the rows it is going to lock later: a wait for one of them moves the snapshot on
 * before the next is looked at. Null: not needed, nothing moves. */
export function holdReadSnapshot(shared: boolean): HeldSnapshot | null {
  return isOptimistic() || usesTransactionSnapshot() ? null : getStore(shared).hold();
}

export function dropReadSnapshot(shared: boolean, held: HeldSnapshot | null): void {
  if (held !== null) getStore(shared).unhold(held);
}

/** Goes back to what the command has read by. True: waits had moved the snapshot on. */
export function returnToReadSnapshot(shared: boolean, held: HeldSnapshot | null): boolean {
  const store = getStore(shared);
  if (held === null || held.snapshotId === store.snapshotId) return false;
  store.use(held);
  return true;
}

/** A row that the stricter levels are to leave alone must be one they see (ExecCheckTupleVisible). */
export function checkVisible(rel: Relation, rowId: RowId): void {
  if (!usesTransactionSnapshot() || rowId >= PROVISIONAL_BLOCK * 65536) return;
  if (changedSince(rel, rowId)) throw new PgError('serialization_failure', 'could not serialize access due to concurrent update');
}

/** Whether a stored row has come, gone or changed since the snapshot. */
export function changedSince(rel: Relation, rowId: RowId): boolean {
  const store = getStore(rel.shared);
  const version = (): number => storedVersion(store, rel, rowId);
  return version() !== seenNewest(rel.shared, version);
}

/** Locks a row that is to be changed as it was read; the snapshot stays. False: somebody else has changed it since. */
export function lockAsRead(rel: Relation, rowId: RowId): boolean {
  if (isOptimistic() || rowId >= PROVISIONAL_BLOCK * 65536 || lastChange(rel, rowId) !== undefined) return true;
  const answer = managerClient(rel.shared).acquireLock({ kind: 'row', relation: rel.filenode, row: rowId, mode: 'nokeyupdate' });
  return answer.kind !== 'granted' || !isStale(answer, rel.shared) || !changedSince(rel, rowId);
}

/** Of the row as the snapshot has it; -1: it is not there. */
function storedVersion(store: Store, rel: Relation, rowId: RowId): number {
  const row = fetchStored(store, rel, rowId);
  return row === undefined ? -1 : row.view.getUint32(row.offset, true);
}

/** Whether all values of unique keys are the same in two snapshots. */
function keysStay(rel: Relation, rowId: RowId, readBy: HeldSnapshot | null): boolean {
  const columns = new Set(rel.indexes.flatMap((i) => (i.unique && i.predicate === null ? i.keyAttributes.slice(0, i.keyCount) : [])));
  if (columns.has(0)) return false;
  const read = (): Datum[] => {
    const row = fetchStored(getStore(rel.shared), rel, rowId)!;
    return [...columns].map((n) => readColumn(row.bytes, row.view, row.offset, rel.layout, n));
  };
  return isDeepStrictEqual(seenBy(rel.shared, readBy, read), usesTransactionSnapshot() ? seenNewest(rel.shared, read) : read());
}

/** Locks rows that were read by the present snapshot, or by `readBy`. In optimistic mode nobody is asked: the commit checks
 * that they are as they were. A row that keeps its keys is the same one to whom only they matter, and who need not wait for it. `gone`: what became of
 * a deleted row, in the words of those who do not change it themselves. */
export function lockRows(rel: Relation, rowIds: readonly RowId[], mode: RowLockMode, waitPolicy: WaitPolicy, readBy: HeldSnapshot | null = null, gone: 'delete' | 'update' = 'delete'): RowLockResult[] {
  const results: RowLockResult[] = rowIds.map(() => 'ok');
  const wanted: number[] = [];
  for (let i = 0; i < rowIds.length; i++) if (rowIds[i]! < PROVISIONAL_BLOCK * 65536) wanted.push(i);
  if (wanted.length === 0) return results;
  const store = getStore(rel.shared);
  const versions = (): number[] => wanted.map((i) => storedVersion(store, rel, rowIds[i]!));
  const moved = readBy !== null && readBy.snapshotId !== store.snapshotId;
  const before = seenBy(rel.shared, readBy, versions);
  if (isOptimistic()) {
    if (waitPolicy !== 'block') throw new RetryStatement();
    const set = writeSet(rel.shared);
    wanted.forEach((i, n) => {
      if (before[n] === -1) results[i] = 'deleted';
      else set.assertRow(rel.filenode, rowIds[i]!, before[n]!, mode);
    });
    return results;
  }
  const keep = usesTransactionSnapshot();
  const present = store.hold();
  try {
    let answers: readonly LockResult[] = [];
    const newest = (keep || mode === 'keyshare') && !store.isNewest() ? seenNewest(rel.shared, versions) : null;
    /** Whether it was changed by whom the lock was waited for. */
    const changedInWait = (n: number, version: number): boolean => answers[n]?.kind === 'granted' && answers[n].waited && version !== (newest ?? before)[n];
    /** What became of them since they were read. */
    const note = (after: readonly number[]): void => {
      for (let n = 0; n < wanted.length; n++) {
        const i = wanted[n]!;
        if (results[i] === 'skipped' || after[n] === before[n]) continue;
        if (mode === 'keyshare' && !changedInWait(n, after[n]!) && before[n] !== -1 && after[n] !== -1 && keysStay(rel, rowIds[i]!, readBy ?? present)) continue;
        results[i] = after[n] === -1 ? 'deleted' : 'changed';
        const moved = after[n] === -1 && rel.isPartition && managerClient(rel.shared).wasMoved(rel.filenode, rowIds[i]!);
        if (moved && !keep) throw new PgError('serialization_failure', 'tuple to be locked was already moved to another partition due to concurrent update');
        if (keep) throw new PgError('serialization_failure', `could not serialize access due to concurrent ${after[n] === -1 && !moved ? gone : 'update'}`);
      }
    };
    // What the stricter levels could not change anyway is waited for by nobody.
    if (keep && newest !== null) note(newest);
    const targets = wanted.map((i): LockTarget => ({ kind: 'row', relation: rel.filenode, row: rowIds[i]!, mode }));
    answers = managerClient(rel.shared).acquireLocks(targets, waitPolicy);
    let stale = false;
    for (let n = 0; n < wanted.length; n++) {
      const answer = answers[n]!;
      if (answer.kind === 'unavailable') {
        if (waitPolicy === 'error') throw new PgError('lock_not_available', `could not obtain lock on row in relation "${rel.name}"`);
        results[wanted[n]!] = 'skipped';
      } else if (!stale && isStale(answer, rel.shared)) {
        stale = true;
      }
    }
    if (!stale && !moved) return results;
    // Something in the table is newer than what we saw; is it one of these rows?
    if (keep) {
      note(seenNewest(rel.shared, versions));
    } else {
      if (stale) advanceSnapshot(rel.shared);
      note(versions());
    }
  } finally {
    store.unhold(present);
  }
  return results;
}
