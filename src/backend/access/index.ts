// Indexes: entries of the store with those of the write set merged in. An entry is a key (access/key.ts) and the row id
// of the row that has it. In a unique index the key alone is the entry's name, unless a column of it is NULL; in any
// other the row id is part of it, so that equal keys stand beside each other in row order. A deferrable unique index is
// such another one: until the check a key may be there twice (executor/indexing.ts).
import type { IndexInfo } from '../catalog/relation.ts';
import type { Cursor } from '../storage/store.ts';
import { ValueBuffer } from '../storage/store.ts';
import { currentCommandId, getStore, noteIndexRead, useCommandId } from '../transaction/xact.ts';
import { IndexLog, rowIdKey } from './index_changes.ts';
import { checkKeySize, plainRange, type KeyRange } from './key.ts';
import { PROVISIONAL_BLOCK, type RowId } from './row.ts';
import { existingWriteSet, writeSet } from './writeset.ts';

export interface IndexScan {
  /** The row of the entry `next` has come to. */
  rowId: RowId;
  /** Its key; the row id is behind it where it is part of the name. */
  readonly key: string;
  next(): boolean;
  /** For scans that are left before their end. */
  close(): void;
}

const readRowId = (value: Buffer): RowId => (value[0]! * 256 + value[1]!) * 4294967296 + value[2]! * 16777216 + ((value[3]! << 16) | (value[4]! << 8) | value[5]!);

function boundBytes(filenode: number, key: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + key.length);
  bytes.writeUInt32BE(filenode, 0);
  bytes.latin1Write(key, 4);
  return bytes;
}

/** The entries in a range, in key order (or backwards), as command `cid` sees them. */
export function beginIndexScan(info: IndexInfo, range: KeyRange, reverse = false, cid = currentCommandId()): IndexScan {
  const { filenode, shared } = info.index;
  const { from, to } = plainRange(range);
  noteIndexRead(info.indrelid, shared);
  if (from === null || (to !== null && from >= to)) return new NoEntries();
  const cursor = getStore(shared).range(
    boundBytes(filenode, from), to === null ? boundBytes(filenode + 1, '') : boundBytes(filenode, to), reverse, new ValueBuffer(64));
  const log = existingWriteSet(shared)?.indexes.get(filenode);
  return log === undefined || log.length === 0 ? new StoreEntries(cursor) : new MergedEntries(cursor, log, from, to, reverse, cid);
}

class NoEntries implements IndexScan {
  rowId = 0;
  readonly key = '';
  next(): boolean { return false; }
  close(): void {}
}

class StoreEntries implements IndexScan {
  rowId = 0;
  private readonly cursor: Cursor;
  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }
  get key(): string { return this.cursor.key.latin1Slice(4, this.cursor.keyLength); }
  next(): boolean {
    if (!this.cursor.next()) return false;
    this.rowId = readRowId(this.cursor.value);
    return true;
  }
  close(): void { this.cursor.close(); }
}

/** Two streams in the same order: what the store has and what the log has added. */
class MergedEntries implements IndexScan {
  rowId = 0;
  key = '';
  private readonly cursor: Cursor;
  private readonly log: IndexLog;
  private readonly cid: number;
  private readonly reverse: boolean;
  private readonly added: readonly { physical: string; key: string; row: RowId }[];
  private at: number;
  private readonly end: number;
  private storeKey: string | null = null;
  private storeRow = 0;
  private storeDone = false;

  constructor(cursor: Cursor, log: IndexLog, from: string, to: string | null, reverse: boolean, cid: number) {
    this.cursor = cursor;
    this.log = log;
    this.cid = cid;
    this.reverse = reverse;
    const { entries, start, end } = log.range(from, to);
    this.added = entries;
    this.at = reverse ? end - 1 : start;
    this.end = reverse ? start - 1 : end;
  }

  next(): boolean {
    const { log, cid } = this;
    for (;;) {
      if (this.storeKey === null && !this.storeDone) {
        if (this.cursor.next()) {
          this.storeKey = this.cursor.key.latin1Slice(4, this.cursor.keyLength);
          this.storeRow = readRowId(this.cursor.value);
        } else {
          this.storeDone = true;
        }
      }
      const entry = this.at === this.end ? undefined : this.added[this.at];
      if (entry === undefined && this.storeKey === null) return false;
      let order = entry === undefined ? -1 : this.storeKey === null ? 1 : compareEntries(this.storeKey, this.storeRow, entry.physical, entry.row);
      if (this.reverse && entry !== undefined && this.storeKey !== null) order = -order;
      if (order >= 0) this.at += this.reverse ? -1 : 1;
      if (order <= 0) {
        const key = this.storeKey!, row = this.storeRow;
        this.storeKey = null;
        if (this.stateOfStored(key, row) === false) continue;
        this.key = key;
        this.rowId = row;
        return true;
      }
      if (log.state(entry!.key, entry!.row, cid) !== true) continue;
      this.key = entry!.physical;
      this.rowId = entry!.row;
      return true;
    }
  }

  /** What the log says about an entry of the store, whose key may have the row id behind it. */
  private stateOfStored(physical: string, row: RowId): boolean | undefined {
    const { log, cid } = this;
    const suffix = rowIdKey(row);
    if (physical.endsWith(suffix)) {
      const state = log.state(physical.slice(0, -6), row, cid);
      if (state !== undefined || !log.unique) return state;
    }
    return log.state(physical, row, cid);
  }

  close(): void { this.cursor.close(); }
}

function compareEntries(a: string, aRow: RowId, b: string, bRow: RowId): number {
  return a < b ? -1 : a > b ? 1 : aRow - bRow;
}

const found = new ValueBuffer(64);

/** The row that has this key in a unique index (a key without NULL), as command `cid` sees it. For scans. */
export function lookupUnique(info: IndexInfo, key: string, cid = currentCommandId()): RowId | undefined {
  const { filenode, shared } = info.index;
  noteIndexRead(info.indrelid, shared);
  const log = existingWriteSet(shared)?.indexes.get(filenode);
  if (log !== undefined && log.length > 0) {
    const row = log.addedRow(key, cid);
    if (row !== undefined) return row;
  }
  const length = getStore(shared).getKey(filenode, key, found);
  if (length < 0) return undefined;
  const row = readRowId(found.bytes);
  return log !== undefined && log.state(key, row, cid) === false ? undefined : row;
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
  if (store.getKey(filenode, key, found) < 0) {
    if (greatest.key === undefined && ++greatest.misses > 8) {
      const cursor = store.range(boundBytes(filenode, ''), boundBytes(filenode + 1, ''), true, new ValueBuffer(64));
      greatest.key = cursor.next() ? cursor.key.latin1Slice(4, cursor.keyLength) : null;
      cursor.close();
    }
    return undefined;
  }
  const row = readRowId(found.bytes);
  return log !== undefined && log.state(key, row, Infinity) === false ? undefined : row;
}

/** Adds the entry of a row. `hasNull`: keyHasNull of its values. */
export function insertEntry(info: IndexInfo, key: string, rowId: RowId, hasNull: boolean): void {
  checkKeySize(key, info.index.name);
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
  if (log.relation === 0 && rowId >= PROVISIONAL_BLOCK * 65536) log.relation = set.filenodes.get(info.indrelid)!;
  log.log(key, rowId, added, !unique || (hasNull && !info.nullsNotDistinct), useCommandId());
}
