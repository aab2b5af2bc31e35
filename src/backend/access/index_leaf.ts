// The bytes of an index. Its entries stand in leaves of up to a page, so that a thousand of them are a few entries of
// the store and not a thousand: a load, a build and a DROP write and remove leaves, a scan reads one after the other.
//
// An entry is its key (key.ts) and, behind it, the row id in six bytes, big-endian. Entries are in the order of these
// bytes; keys of one index are never a prefix of one another, so that is the order of keys, and of row ids among equals.
//
//   u8   LEAF_FORMAT
//   u8   flags (1: entries that a unique index takes as often as they come; in messages only)
//   u16  number of entries
//   u16  bytes of an entry, when all have the same; 0: they differ, and where each starts stands in front
//   u16  bytes of the leaf
//   [u16 starts]
//   entries
//
// In the store a leaf stands under a key that is not less than its last entry and less than the first one of the next
// leaf; what is greater than all bounds goes into a leaf under BEYOND. So what reads or writes an entry takes the first leaf whose key is
// not less (`Store.ceiling`). Between leaves the key is as short as it can be.
import { internalError } from '../../common/errors.ts';
import { MAX_KEY_BYTES } from '../storage/store.ts';
import { BLOCK_TARGET_BYTES, type RowId } from './row.ts';
import type { Datum } from '../types/datum.ts';

const LEAF_HEADER_BYTES = 8;
export const ROW_ID_BYTES = 6;
/** As a block, a leaf takes one page. */
export const LEAF_TARGET_BYTES = BLOCK_TARGET_BYTES;
/** In a message: no entry of this leaf is the only one of its key. */
export const LEAF_NOT_UNIQUE = 1;
const LEAF_FORMAT = 3;
/** Greater than all entries: no column of a key begins with FF but a NULL, and 32 columns are the most an index has. */
export const BEYOND = '\xff'.repeat(33);

export function readRowId(bytes: Uint8Array, at: number): RowId {
  return (bytes[at]! * 256 + bytes[at + 1]!) * 4294967296 + bytes[at + 2]! * 16777216
    + ((bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!);
}

export function writeRowId(bytes: Uint8Array, at: number, row: RowId): void {
  const high = Math.floor(row / 4294967296), low = row >>> 0;
  bytes[at] = high >> 8;
  bytes[at + 1] = high;
  bytes[at + 2] = low >>> 24;
  bytes[at + 3] = low >>> 16;
  bytes[at + 4] = low >>> 8;
  bytes[at + 5] = low;
}

/** Compares two stretches of bytes as memcmp does, a prefix being less. */
export function compareBytes(a: Uint8Array, aAt: number, aEnd: number, b: Uint8Array, bAt: number, bEnd: number): number {
  while (aAt < aEnd && bAt < bEnd) {
    const difference = a[aAt++]! - b[bAt++]!;
    if (difference !== 0) return difference;
  }
  return (aEnd - aAt) - (bEnd - bAt);
}

/** Copies a stretch; short ones without a call. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > 48) from.copy(to, at, start, end);
  else while (start < end) to[at++] = from[start++]!;
}

/** A leaf being read: somewhere in a buffer that is not this one's. */
export class LeafReader {
  bytes: Buffer = EMPTY;
  count = 0;
  /** Where it begins and ends. */
  at = 0;
  finish = 0;
  private stride = 0;
  private data = 0;

  load(bytes: Buffer, at = 0): this {
    this.bytes = bytes;
    this.at = at;
    this.count = bytes[at + 2]! | (bytes[at + 3]! << 8);
    this.stride = bytes[at + 4]! | (bytes[at + 5]! << 8);
    this.finish = at + (bytes[at + 6]! | (bytes[at + 7]! << 8));
    this.data = at + LEAF_HEADER_BYTES;
    return this;
  }
  clear(): this {
    this.bytes = EMPTY;
    this.count = this.at = this.finish = 0;
    return this;
  }
  get notUnique(): boolean { return (this.bytes[this.at + 1]! & LEAF_NOT_UNIQUE) !== 0; }

  /** All entries are as long. */
  get isEven(): boolean { return this.stride !== 0; }

  /** Where entry i starts; for i = count, where the last one ends. */
  start(i: number): number {
    if (this.stride !== 0) return this.data + i * this.stride;
    if (i >= this.count) return this.finish;
    const p = this.data + 2 * i;
    return this.at + (this.bytes[p]! | (this.bytes[p + 1]! << 8));
  }
  rowId(i: number): RowId {
    return readRowId(this.bytes, this.start(i + 1) - ROW_ID_BYTES);
  }
  keyLength(i: number): number { return this.start(i + 1) - ROW_ID_BYTES - this.start(i); }
  /** The key without the row id. */
  key(i: number): string {
    return this.bytes.latin1Slice(this.start(i), this.start(i + 1) - ROW_ID_BYTES);
  }
  hasKey(i: number, key: string): boolean {
    const start = this.start(i), length = this.start(i + 1) - ROW_ID_BYTES - start;
    if (length !== key.length) return false;
    const { bytes } = this;
    for (let k = 0; k < length; k++) if (bytes[start + k] !== key.charCodeAt(k)) return false;
    return true;
  }

  /** The first entry that is not less than these bytes, given as a binary string; `count` when there is none. */
  lowerBound(bound: string): number {
    let low = 0, high = this.count;
    const { bytes } = this, { length } = bound;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = this.start(middle), n = Math.min(this.start(middle + 1) - start, length);
      let difference = 0;
      for (let k = 0; k < n && difference === 0; k++) difference = bytes[start + k]! - bound.charCodeAt(k);
      if (difference < 0 || (difference === 0 && n < length)) low = middle + 1; else high = middle;
    }
    return low;
  }

  /** The same for bytes elsewhere, from entry `from` on, in steps that grow: what is wanted is often near. */
  seek(source: Uint8Array, at: number, end: number, from: number): number {
    let low = from, step = 1;
    while (low < this.count && this.compare(low, source, at, end) < 0) {
      const next = low + step;
      if (next >= this.count || this.compare(next, source, at, end) >= 0) {
        let high = Math.min(next, this.count);
        low++;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if (this.compare(middle, source, at, end) < 0) low = middle + 1; else high = middle;
        }
        return low;
      }
      low = next;
      step *= 2;
    }
    return low;
  }
  compare(i: number, source: Uint8Array, at: number, end: number): number {
    return compareBytes(this.bytes, this.start(i), this.start(i + 1), source, at, end);
  }

  /** Throws unless these are the bytes of a leaf; up to `end` the bytes may be read. */
  check(end: number): void {
    const { bytes, at, count, stride } = this;
    if (at + LEAF_HEADER_BYTES > end || bytes[at] !== LEAF_FORMAT || this.finish > end || count === 0) throw internalError('not a leaf of an index');
    if (stride !== 0) {
      if (stride <= ROW_ID_BYTES || stride > MAX_KEY_BYTES - 4 || this.data + count * stride !== this.finish) throw internalError('a leaf of an index is cut off');
      return;
    }
    let before = this.data + 2 * count;
    if (before > this.finish || this.start(0) !== before) throw internalError('a leaf of an index is cut off');
    for (let i = 1; i <= count; i++) {
      const start = this.start(i);
      if (start - before <= ROW_ID_BYTES || start - before > MAX_KEY_BYTES - 4 || start > this.finish) throw internalError('an index entry is broken');
      before = start;
    }
  }
}
const EMPTY = Buffer.alloc(LEAF_HEADER_BYTES);

/** Entries in order, to be written as leaves. */
export class EntryList {
  bytes = Buffer.allocUnsafeSlow(16384);
  /** Where each begins, and where the last one ends. */
  starts = new Uint32Array(2048);
  count = 0;

  get used(): number { return this.starts[this.count]!; }

  clear(): void {
    this.count = 0;
    this.starts[0] = 0;
  }

  private reserve(lengthBytes: number, entries: number): void {
    if (this.used + lengthBytes > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.used + lengthBytes, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.used);
      this.bytes = larger;
    }
    if (this.count + entries >= this.starts.length) {
      const larger = new Uint32Array(Math.max(this.count + entries + 1, this.starts.length * 2));
      larger.set(this.starts);
      this.starts = larger;
    }
  }

  /** One entry, as it stands somewhere. */
  add(source: Buffer, start: number, end: number): void {
    this.reserve(end - start, 1);
    const { used } = this;
    copyBytes(source, start, end, this.bytes, used);
    this.starts[++this.count] = used + end - start;
  }
  addKey(key: string, row: RowId): void {
    this.reserve(key.length + ROW_ID_BYTES, 1);
    const { bytes } = this;
    let at = this.used;
    for (let k = 0; k < key.length; k++) bytes[at++] = key.charCodeAt(k);
    writeRowId(bytes, at, row);
    this.starts[++this.count] = at + ROW_ID_BYTES;
  }
  /** An entry whose key `write` puts into its place; false: it could not, or the key is longer than `limit` bytes. */
  addWritten(write: (bytes: Buffer, at: number, limit: number, values: readonly Datum[]) => number, values: readonly Datum[], limit: number, row: RowId): boolean {
    this.reserve(limit + ROW_ID_BYTES, 1);
    const { used } = this;
    const end = write(this.bytes, used, used + limit, values);
    if (end < 0) return false;
    writeRowId(this.bytes, end, row);
    this.starts[++this.count] = end + ROW_ID_BYTES;
    return true;
  }
  /** Entries from to (exclusive) of a leaf. */
  addRange(leaf: LeafReader, from: number, to: number): void {
    if (from >= to) return;
    const first = leaf.start(from), last = leaf.start(to), { used } = this;
    this.reserve(last - first, to - from);
    leaf.bytes.copy(this.bytes, used, first, last);
    const { starts } = this, shift = used - first;
    for (let i = from + 1; i <= to; i++) starts[++this.count] = leaf.start(i) + shift;
  }
  /** Drops the first n. */
  shift(n: number): void {
    const offset = this.starts[n]!;
    this.bytes.copyWithin(0, offset, this.used);
    for (let i = n; i <= this.count; i++) this.starts[i - n] = this.starts[i]! - offset;
    this.count -= n;
  }
}

/** How many entries from `from` on (up to `to`) a leaf of at most `limit` bytes takes; one at least. */
export function leafFill(starts: Uint32Array, from: number, to: number, limit: number): number {
  const first = starts[from]!;
  const stride = starts[from + 1]! - first;
  let n = 1, even = true;
  while (from + n < to) {
    const end = starts[from + n + 1]!;
    even &&= end - starts[from + n]! === stride;
    if (LEAF_HEADER_BYTES + (even ? 0 : 2 * (n + 1)) + end - first > limit) break;
    n++;
  }
  return n;
}

/** The bytes that entries from to (exclusive) take as one leaf. */
export function leafBytes(starts: Uint32Array, from: number, to: number): number {
  return LEAF_HEADER_BYTES + (isEven(starts, from, to) ? 0 : 2 * (to - from)) + starts[to]! - starts[from]!;
}

function isEven(starts: Uint32Array, from: number, to: number): boolean {
  const stride = starts[from + 1]! - starts[from]!;
  for (let i = from + 1; i < to; i++) if (starts[i + 1]! - starts[i]! !== stride) return false;
  return true;
}

/** Writes entries from to (exclusive) as a leaf at `at`, where there must be room; where it ends. */
export function writeLeaf(into: Buffer, at: number, source: Buffer, starts: Uint32Array, from: number, to: number, flags: number): number {
  const first = starts[from]!, last = starts[to]!, count = to - from;
  const even = isEven(starts, from, to);
  const data = LEAF_HEADER_BYTES + (even ? 0 : 2 * count), length = data + last - first;
  into[at] = LEAF_FORMAT;
  into[at + 1] = flags;
  into.writeUInt16LE(count, at + 2);
  into.writeUInt16LE(even ? starts[from + 1]! - first : 0, at + 4);
  into.writeUInt16LE(length, at + 6);
  if (!even) {
    const shift = data - first;
    for (let i = from, p = at + LEAF_HEADER_BYTES; i < to; i++, p += 2) {
      const start = starts[i]! + shift;
      into[p] = start;
      into[p + 1] = start >> 8;
    }
  }
  source.copy(into, at + data, first, last);
  return at + length;
}

/** The key between a leaf that ends with entry a and one that begins with entry b: not less than a, less than b. */
export function separator(a: Buffer, aAt: number, aEnd: number, b: Buffer, bAt: number, bEnd: number): Buffer {
  let same = 0;
  while (aAt + same < aEnd && a[aAt + same] === b[bAt + same]) same++;
  return bAt + same + 1 < bEnd ? b.subarray(bAt, bAt + same + 1) : a.subarray(aAt, aEnd);
}
