// Indexes: entries of the store with those of the write set merged in. An entry is a key (access/key.ts) and the row id
// of the row that has it; equal keys stand beside each other in row order. index_leaf.ts has the bytes. A deferrable unique
// index counts as one that is not: until the check a key may be there twice (executor/indexing.ts).
import type { IndexInfo } from '../catalog/relation.ts';
import type { Cursor, Store } from '../storage/store.ts';
import { ValueBuffer } from '../storage/store.ts';
import { currentCommandId, getStore, noteIndexRead, tableFilenode, useCommandId } from '../transaction/xact.ts';
import { AdditionCursor, type IndexLog } from './index_changes.ts';
import { LeafReader } from './index_leaf.ts';
import { plainRange, type KeyRange } from './key.ts';
import type { SharedSequence } from './parallel_scan.ts';
import { PROVISIONAL_BLOCK, type RowId } from './row.ts';
import { uncounted, type Counts } from '../utils/pgstat.ts';
import { RELATION } from '../utils/pgstat_shmem.ts';
import { existingWriteSet, writeSet } from './writeset.ts';

export interface IndexScan {
  /** The row of the entry `next` has come to. */
  rowId: RowId;
  /** Its key, as it is stored. */
  readonly key: string;
  readonly keyLength: number;
  next(): boolean;
  /** Goes on at the first key that is not less (forwards, and never back); false: it cannot, and nothing was done. */
  skipTo(key: string): boolean;
  /** For scans that are left before their end. */
  close(): void;
}

function boundBytes(filenode: number, key: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + key.length);
  bytes.writeUInt32BE(filenode, 0);
  bytes.latin1Write(key, 4);
  return bytes;
}

/** The entries in a range, in key order (or backwards), as command `cid` sees them. */
export function beginIndexScan(info: IndexInfo, range: KeyRange, reverse = false, cid = currentCommandId(), share: SharedSequence | null = null): IndexScan {
  const { filenode, shared } = info.index;
  const { from, to } = plainRange(range);
  noteIndexRead(info.indrelid, shared);
  if (from === null || (to !== null && from >= to)) return new NoEntries();
  const store = getStore(shared), { counts } = info.index;
  counts[RELATION.scans]!++;
  const stored = reverse ? new StoredBackwards(store, filenode, from, to, counts, share) : new StoredEntries(store, filenode, from, to, counts, share);
  const log = existingWriteSet(shared)?.indexes.get(filenode);
  return log === undefined || log.length === 0 ? stored : new MergedEntries(stored, log, from, to, reverse, cid);
}

class NoEntries implements IndexScan {
  rowId = 0;
  readonly key = '';
  readonly keyLength = 0;
  next(): boolean { return false; }
  skipTo(): boolean { return true; }
  close(): void {}
}

const spareBuffers: ValueBuffer[] = [];
const MAX_SPARE_BUFFERS = 8;

/** What scans of leaves have in common, in either direction. */
class LeafScan {
  rowId = 0;
  protected cursor: Cursor | null = null;
  protected readonly buffer = spareBuffers.pop() ?? new ValueBuffer(8192);
  protected readonly leaf = new LeafReader();
  protected i = 0;
  protected end = 0;
  private readonly counts: Counts;
  private readonly share: SharedSequence | null;

  constructor(counts: Counts, share: SharedSequence | null) {
    this.counts = counts;
    this.share = share;
  }

  /** For the statistics: a leaf, and what of it is in the range. Nothing of a leaf that another process takes. */
  protected count(): void {
    const { counts } = this;
    if (this.share !== null && !this.share.takes()) {
      this.i = this.end;
      return;
    }
    counts[RELATION.blocksFetched]!++;
    counts[RELATION.returned]! += Math.abs(this.end - this.i);
  }

  close(): void {
    if (this.cursor === null) return;
    this.counts[RELATION.returned]! -= Math.abs(this.end - this.i);
    this.cursor.close();
    this.cursor = null;
    if (spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(this.buffer);
  }
}

/** Leaf after leaf, beginning with the first whose upper bound is not below `from`. */
class StoredEntries extends LeafScan implements IndexScan {
  private readonly store: Store;
  private readonly filenode: number;
  private readonly to: string | null;
  private from: string;

  constructor(store: Store, filenode: number, from: string, to: string | null, counts: Counts, share: SharedSequence | null) {
    super(counts, share);
    this.store = store;
    this.filenode = filenode;
    this.to = to;
    this.from = from;
    this.cursor = this.cursorFrom(from);
  }
  private cursorFrom(key: string): Cursor { return this.store.range(boundBytes(this.filenode, key), boundBytes(this.filenode + 1, ''), false, this.buffer); }

  get key(): string { return this.leaf.key(this.i - 1); }
  get keyLength(): number { return this.leaf.keyLength(this.i - 1); }

  next(): boolean {
    while (this.i === this.end) if (!this.nextLeaf()) return false;
    this.rowId = this.leaf.rowId(this.i++);
    return true;
  }

  skipTo(key: string): boolean {
    if (this.cursor === null) return true;
    const { leaf } = this, place = leaf.lowerBound(key);
    if (place < leaf.count || this.end < leaf.count) {
      this.i = Math.min(Math.max(this.i, place), this.end);
      return true;
    }
    this.cursor.close();
    this.cursor = this.cursorFrom(this.from = key);
    leaf.clear();
    this.i = this.end = 0;
    return true;
  }

  private nextLeaf(): boolean {
    const { leaf, to } = this;
    // A leaf that holds the end of the range is the last.
    if (this.cursor === null || this.end < leaf.count || !this.cursor.next()) {
      this.close();
      return false;
    }
    leaf.load(this.buffer.bytes);
    this.i = this.from === '' ? 0 : leaf.lowerBound(this.from);
    // Further leaves lie behind the beginning, unless the range begins where this one ends.
    if (this.i < leaf.count) this.from = '';
    this.end = to === null ? leaf.count : leaf.lowerBound(to);
    this.count();
    return true;
  }
}

class StoredBackwards extends LeafScan implements IndexScan {
  private readonly from: string;
  private to: string | null;

  constructor(store: Store, filenode: number, from: string, to: string | null, counts: Counts, share: SharedSequence | null) {
    super(counts, share);
    this.from = from;
    this.to = to;
    const start = boundBytes(filenode, ''), end = boundBytes(filenode + 1, '');
    if (to === null) {
      this.cursor = store.range(start, end, true, this.buffer);
      return;
    }
    // The last leaf with entries below `to` is the first whose upper bound is not below it.
    const first = store.range(boundBytes(filenode, to), end, false, this.buffer);
    const bound = first.next() ? Buffer.concat([first.key.subarray(0, first.keyLength), Buffer.of(0)]) : end;
    first.close();
    this.cursor = store.range(start, bound, true, this.buffer);
  }
  skipTo(): boolean { return false; }
  get key(): string { return this.leaf.key(this.i); }
  get keyLength(): number { return this.leaf.keyLength(this.i); }

  next(): boolean {
    while (this.i === this.end) if (!this.nextLeaf()) return false;
    this.rowId = this.leaf.rowId(--this.i);
    return true;
  }

  private nextLeaf(): boolean {
    const { leaf, from } = this;
    // A leaf that holds the beginning of the range is the last.
    if (this.cursor === null || this.end > 0 || !this.cursor.next()) {
      this.close();
      return false;
    }
    leaf.load(this.buffer.bytes);
    this.end = from === '' ? 0 : leaf.lowerBound(from);
    this.i = this.to === null ? leaf.count : leaf.lowerBound(this.to);
    if (this.i > 0) this.to = null;
    if (this.i < this.end) this.i = this.end;
    this.count();
    return true;
  }
}

/** Two streams in the same order: what the store has and what the log has added. */
class MergedEntries implements IndexScan {
  rowId = 0;
  key = '';
  get keyLength(): number { return this.key.length; }
  private readonly stored: IndexScan;
  private readonly log: IndexLog;
  private readonly cid: number;
  private readonly reverse: boolean;
  private readonly added: AdditionCursor;
  private storeKey: string | null = null;
  private storeRow = 0;
  private storeDone = false;

  constructor(stored: IndexScan, log: IndexLog, from: string, to: string | null, reverse: boolean, cid: number) {
    this.stored = stored;
    this.log = log;
    this.cid = cid;
    this.reverse = reverse;
    this.added = new AdditionCursor(log, from, to, reverse);
  }

  next(): boolean {
    const { log, cid } = this;
    for (;;) {
      if (this.storeKey === null && !this.storeDone) {
        if (this.stored.next()) {
          this.storeKey = this.stored.key;
          this.storeRow = this.stored.rowId;
        } else {
          this.storeDone = true;
        }
      }
      const entry = this.added.entry;
      if (entry === undefined && this.storeKey === null) return false;
      let order = entry === undefined ? -1 : this.storeKey === null ? 1 : compareEntries(this.storeKey, this.storeRow, entry.key, entry.row);
      if (this.reverse && entry !== undefined && this.storeKey !== null) order = -order;
      if (order >= 0) this.added.advance();
      if (order <= 0) {
        const key = this.storeKey!, row = this.storeRow;
        this.storeKey = null;
        if (log.state(key, row, cid) === false) continue;
        this.key = key;
        this.rowId = row;
        return true;
      }
      if (log.state(entry!.key, entry!.row, cid) !== true) continue;
      this.key = entry!.key;
      this.rowId = entry!.row;
      return true;
    }
  }

  skipTo(): boolean { return false; }
  close(): void { this.stored.close(); }
}

function compareEntries(a: string, aRow: RowId, b: string, bRow: RowId): number {
  return a < b ? -1 : a > b ? 1 : aRow - bRow;
}

const found = new ValueBuffer(8192);
const foundLeaf = new LeafReader();

/** The row that has this key in the store. A key of a unique index stands in the first leaf whose upper bound is greater:
 * the bound may be the key itself, when the key is the first of the next leaf. */
function storedUnique(store: Store, filenode: number, key: string): RowId | undefined {
  if (store.ceiling(filenode, `${key}\0`, found) < 0) return undefined;
  const leaf = foundLeaf.load(found.bytes);
  const i = leaf.lowerBound(key);
  return i < leaf.count && leaf.hasKey(i, key) ? leaf.rowId(i) : undefined;
}

/** The row that has this key in a unique index (a key without NULL), as command `cid` sees it. For scans. */
export function lookupUnique(info: IndexInfo, key: string, cid = currentCommandId()): RowId | undefined {
  const { filenode, shared, counts } = info.index;
  noteIndexRead(info.indrelid, shared);
  counts[RELATION.scans]!++;
  counts[RELATION.blocksFetched]!++;
  const log = existingWriteSet(shared)?.indexes.get(filenode);
  if (log !== undefined && log.length > 0) {
    const row = log.addedRow(key, cid);
    if (row !== undefined) {
      counts[RELATION.returned]!++;
      return row;
    }
  }
  const row = storedUnique(getStore(shared), filenode, key);
  if (row === undefined || (log !== undefined && log.state(key, row, cid) === false)) return undefined;
  counts[RELATION.returned]!++;
  return row;
}

/** The greatest key of an index, kept for one snapshot: a load in key order need not look up what lies behind it. */
const greatest = { filenode: 0, snapshotId: 0, misses: 0, key: null as string | null | undefined };

/** The row that has this key by now, what the running command has added and removed included. For unique checks. */
export function findDuplicate(info: IndexInfo, key: string): RowId | undefined {
  const { filenode, shared } = info.index;
  const log = existingWriteSet(shared)?.indexes.get(filenode);
  if (log !== undefined && log.length > 0) {
    const row = log.addedRow(key, Infinity);
    if (row !== undefined) return row;
  }
  const store = getStore(shared);
  if (greatest.filenode === filenode && greatest.snapshotId === store.snapshotId) {
    if (greatest.key === null || (greatest.key !== undefined && key > greatest.key)) return undefined;
  } else {
    greatest.filenode = filenode;
    greatest.snapshotId = store.snapshotId;
    greatest.misses = 0;
    greatest.key = undefined;
  }
  const row = storedUnique(store, filenode, key);
  if (row === undefined) {
    if (greatest.key === undefined && ++greatest.misses > 8) {
      const last = new StoredBackwards(store, filenode, '', null, uncounted, null);
      greatest.key = last.next() ? last.key : null;
      last.close();
    }
    return undefined;
  }
  return log !== undefined && log.state(key, row, Infinity) === false ? undefined : row;
}

/** Adds the entry of a row. `hasNull`: keyHasNull of its values. */
export function insertEntry(info: IndexInfo, key: string, rowId: RowId, hasNull: boolean): void {
  note(info, key, rowId, hasNull, true);
}

export function removeEntry(info: IndexInfo, key: string, rowId: RowId, hasNull: boolean): void {
  note(info, key, rowId, hasNull, false);
}

function note(info: IndexInfo, key: string, rowId: RowId, hasNull: boolean, added: boolean): void {
  const { filenode, shared } = info.index;
  const set = writeSet(shared);
  const unique = info.unique && info.immediate;
  const log = set.index(filenode, unique);
  set.noteIndex(log);
  if (rowId >= PROVISIONAL_BLOCK * 65536) log.setRelation(set.filenodes.get(info.indrelid)!);
  else if (unique && !added && log.relation === 0) log.relation = tableFilenode(info.indrelid);
  log.log(key, rowId, added, !unique || (hasNull && !info.nullsNotDistinct), useCommandId());
}
