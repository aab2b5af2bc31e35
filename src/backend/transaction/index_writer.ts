// Changes of an index go into its leaves (access/index_leaf.ts). Additions and removals of a commit come in order, so each
// leaf they concern is read, merged with them and written once, and whole leaves of a load go into the store as they came.
import { internalError } from '../../common/errors.ts';
import { BEYOND, EntryList, LEAF_TARGET_BYTES, LeafReader, ROW_ID_BYTES, compareBytes, leafBytes, leafFill, readRowId, separator, writeLeaf, writeRowId } from '../access/index_leaf.ts';
import { PROVISIONAL_BLOCK, type RowId } from '../access/row.ts';
import { MAX_KEY_BYTES, type Batch } from '../storage/store.ts';
import { EntryCursor, type IndexView } from './commit_codec.ts';

/** A leaf of a message at least this full is taken over whole ... */
const ADOPT_BYTES = LEAF_TARGET_BYTES * 3 / 4;
/** ... and leaves a gap before it only in a load of at least so many entries. */
const MANY_ENTRIES = 2000;
/** Fewer than these are not worth the try to put them behind everything. */
const APPEND_MINIMUM = 256;
/** The first byte of a provisional row id, at least. */
const PROVISIONAL_BYTE = PROVISIONAL_BLOCK / 2 ** 24;
/** Merged entries are written when they are so many bytes. */
const FLUSH_BYTES = 1 << 16;

/** A leaf to be put as soon as it is known what follows. */
interface PendingLeaf { bytes: Buffer; at: number; end: number; lastAt: number }

export class IndexWriter {
  private batch!: Batch;
  private readonly removed = new EntryCursor();
  private readonly added = new EntryCursor();
  private readonly source = new LeafReader();
  private readonly out = new EntryList();
  /** Two, for a leaf and the one before it. */
  private readonly leaves = [Buffer.allocUnsafeSlow(2 * LEAF_TARGET_BYTES), Buffer.allocUnsafeSlow(2 * LEAF_TARGET_BYTES)];
  private turn = 0;
  private pending: PendingLeaf | null = null;
  private readonly key = Buffer.allocUnsafeSlow(MAX_KEY_BYTES + 8);
  /** The key of the leaf in hand, with the filenode. */
  private readonly bound = Buffer.allocUnsafeSlow(MAX_KEY_BYTES + 8);
  private boundLength = 0;
  private isLast = false;
  private appending = false;

  /** Looks at a commit's changes of an index, changing nothing: a unique key that is there already, or null. Throws when
   * entries are broken or out of order. */
  check(batch: Batch, bytes: Buffer, { filenode, unique, removed: removals, added: additions }: IndexView): string | null {
    const { removed, added, source: leaf } = this;
    checkOrder(removed.reset(bytes, removals));
    removed.reset(bytes, removals);
    let hasRemoved = unique && removed.next();
    added.reset(bytes, additions);
    let previousAt = 0, previousEnd = 0, previousUnique = false;
    let found: 'unknown' | 'leaf' | 'none' = 'unknown', at = 0;
    if (additions.count >= MANY_ENTRIES && added.next()) {
      if (batch.ceiling(this.key, this.keyOf(filenode, bytes, added.at, added.keyEnd)) === undefined) return checkNew(added.reset(bytes, additions), unique);
      added.reset(bytes, additions);
    }
    while (added.next()) {
      const { at: start, keyEnd } = added, isUnique = unique && !added.notUnique;
      if (previousEnd > 0) {
        if (compareBytes(bytes, previousAt, previousEnd, bytes, start, added.end) >= 0) throw internalError('index entries are not in order');
        if (isUnique && previousUnique && compareBytes(bytes, previousAt, previousEnd - ROW_ID_BYTES, bytes, start, keyEnd) === 0) return added.lockKey;
      }
      previousAt = start;
      previousEnd = added.end;
      previousUnique = isUnique;
      if (!isUnique || found === 'none') continue;
      // The key stands in the first leaf whose bound is greater, if anywhere.
      if (found === 'unknown' || compareBytes(bytes, start, keyEnd, batch.lastKey, 4, batch.lastKeyLength) >= 0) {
        const length = this.keyOf(filenode, bytes, start, keyEnd);
        this.key[length] = 0;
        const value = batch.ceiling(this.key, length + 1);
        found = value === undefined ? 'none' : 'leaf';
        if (value === undefined) continue;
        leaf.load(value);
        at = 0;
      }
      at = leaf.seek(bytes, start, keyEnd, at);
      if (at >= leaf.count || compareBytes(leaf.bytes, leaf.start(at), leaf.start(at + 1) - ROW_ID_BYTES, bytes, start, keyEnd) !== 0) continue;
      // It is there: does this very commit remove it?
      let order = 1;
      while (hasRemoved && (order = leaf.compare(at, bytes, removed.at, removed.end)) > 0) hasRemoved = removed.next();
      if (!hasRemoved || order !== 0) return added.lockKey;
    }
    return null;
  }

  /** Removes and adds entries. `resolve` gives provisional row ids their places; -1: the row is no more. */
  apply(batch: Batch, bytes: Buffer, { filenode, removed: removals, added: additions }: IndexView, resolve: (row: RowId) => RowId): void {
    const { removed, added, source } = this;
    this.batch = batch;
    added.reset(bytes, additions);
    while (added.next()) resolveRows(added, resolve);
    added.reset(bytes, additions);
    removed.reset(bytes, removals);
    this.appending = additions.count >= APPEND_MINIMUM;
    let more = { removed: removed.next(), added: added.next() };
    while (more.removed || more.added) {
      const first = this.first(more);
      const value = batch.ceiling(this.key, this.keyOf(filenode, bytes, first.at, first.end));
      if (value === undefined) {
        source.clear();
        this.boundLength = this.keyOfText(this.bound, filenode, BEYOND);
      } else {
        source.load(value);
        this.boundLength = batch.lastKeyLength;
        batch.lastKey.copy(this.bound, 0, 0, this.boundLength);
      }
      this.isLast = this.boundLength === 4 + BEYOND.length && this.bound.latin1Slice(4, this.boundLength) === BEYOND;
      more = this.mergeLeaf(more, additions.count);
    }
  }

  /** A request that was applied, but not written: its new rows have provisional row ids again. */
  takeBack(bytes: Buffer, { added: additions }: IndexView, provisionalOf: (row: RowId) => RowId): void {
    const { added } = this;
    added.reset(bytes, additions);
    while (added.next()) writeRowId(bytes, added.end - ROW_ID_BYTES, provisionalOf(readRowId(bytes, added.end - ROW_ID_BYTES)));
  }

  /** The change that comes first. */
  private first(more: { removed: boolean; added: boolean }): EntryCursor {
    const { removed, added } = this;
    if (!more.removed) return added;
    return !more.added || compareBytes(removed.bytes, removed.at, removed.end, added.bytes, added.at, added.end) < 0 ? removed : added;
  }

  private reaches(entry: EntryCursor): boolean {
    return this.isLast || compareBytes(entry.bytes, entry.at, entry.end, this.bound, 4, this.boundLength) <= 0;
  }

  /** Merges the leaf in hand with the changes that lie in it. */
  private mergeLeaf(more: { removed: boolean; added: boolean }, additions: number): { removed: boolean; added: boolean } {
    const { removed, added, source, out } = this;
    const existed = source.count > 0;
    let position = 0, changed = false, atEnd = false;
    out.clear();
    this.pending = null;
    while (more.removed || more.added) {
      const change = this.first(more);
      if (!this.reaches(change)) break;
      const place = source.seek(change.bytes, change.at, change.end, position);
      out.addRange(source, position, place);
      position = place;
      const isThere = place < source.count && source.compare(place, change.bytes, change.at, change.end) === 0;
      if (change === removed) {
        if (isThere) {
          // Many that stand together are compared together, once for each leaf here and there.
          const together = !more.added && (position === 0 || removed.i === 0) ? this.commonRun(position) : 1;
          position += together;
          removed.i += together - 1;
          changed = true;
        }
        more = { removed: removed.next(), added: more.added };
        continue;
      }
      changed = true;
      if (!isThere && added.i === 0 && this.fits(place, more.removed, additions)) {
        this.flush(0, LEAF_TARGET_BYTES);
        const { leaf } = added;
        leaf.bytes[leaf.at + 1] = 0;
        this.place(leaf.bytes, leaf.at, leaf.finish, leaf.start(0), leaf.start(1), leaf.start(leaf.count - 1));
        more = { removed: more.removed, added: added.skipLeaf() };
        atEnd = place === source.count;
        continue;
      }
      if (!isThere) out.add(added.bytes, added.at, added.end);
      atEnd = place === source.count;
      if (out.used > FLUSH_BYTES) this.flush(LEAF_TARGET_BYTES, LEAF_TARGET_BYTES);
      more = { removed: more.removed, added: added.next() };
    }
    if (!changed) return more;
    out.addRange(source, position, source.count);
    if (out.count > 0) {
      const total = leafBytes(out.starts, 0, out.count);
      // Keys that ascend fill leaf after leaf; others leave room on both sides.
      const parts = Math.ceil(total / LEAF_TARGET_BYTES);
      this.flush(0, atEnd && this.isLast ? LEAF_TARGET_BYTES : Math.min(LEAF_TARGET_BYTES, Math.ceil(total / parts) + 64));
    }
    this.finishLeaf(existed);
    return more;
  }

  /** How many entries of the leaf in hand are the same as those to be removed next: all that stand in both leaves, or one. */
  private commonRun(position: number): number {
    const { removed, source } = this, { leaf, i } = removed;
    const n = Math.min(source.count - position, leaf.count - i);
    const at = source.start(position), end = source.start(position + n), from = leaf.start(i), to = leaf.start(i + n);
    if (!source.isEven || !leaf.isEven || end - at !== to - from) return 1;
    return source.bytes.compare(leaf.bytes, from, to, at, end) === 0 ? n : 1;
  }

  /** Whether the leaf of the message at hand can be taken over whole: nothing else lies between its entries. */
  private fits(place: number, moreRemoved: boolean, additions: number): boolean {
    const { added: { leaf }, removed, source, out } = this;
    if (leaf.finish - leaf.at < ADOPT_BYTES || (out.count > 0 && out.used < ADOPT_BYTES && additions < MANY_ENTRIES)) return false;
    const at = leaf.start(leaf.count - 1), end = leaf.finish;
    if (place < source.count && source.compare(place, leaf.bytes, at, end) <= 0) return false;
    if (moreRemoved && compareBytes(removed.bytes, removed.at, removed.end, leaf.bytes, at, end) <= 0) return false;
    return this.isLast || compareBytes(leaf.bytes, at, end, this.bound, 4, this.boundLength) <= 0;
  }

  /** Writes entries as leaves until at most so many bytes are left. */
  private flush(keepBytes: number, limit: number): void {
    const { out } = this, { starts, count } = out;
    let from = 0;
    while (from < count && (keepBytes === 0 || out.used - starts[from]! > keepBytes)) {
      const to = from + leafFill(starts, from, count, limit);
      const leaf = this.leaves[this.turn ^= 1]!;
      const end = writeLeaf(leaf, 0, out.bytes, starts, from, to, 0);
      const shift = end - starts[to]!;
      this.place(leaf, 0, end, starts[from]! + shift, starts[from + 1]! + shift, starts[to - 1]! + shift);
      from = to;
    }
    if (from < count) out.shift(from); else out.clear();
  }

  /** A leaf comes behind those so far: the one before it gets its key. */
  private place(bytes: Buffer, at: number, end: number, firstAt: number, firstEnd: number, lastAt: number): void {
    const { pending, bound } = this;
    if (pending !== null) {
      const between = separator(pending.bytes, pending.lastAt, pending.end, bytes, firstAt, firstEnd);
      const keyLength = this.keyOf(bound.readUInt32BE(0), between, 0, between.length);
      this.put(this.key.subarray(0, keyLength), pending);
    }
    this.pending = { bytes, at, end, lastAt };
  }

  /** The last leaf, which takes the key of the one that was merged. */
  private finishLeaf(existed: boolean): void {
    const key = this.bound.subarray(0, this.boundLength);
    if (this.pending !== null) this.put(key, this.pending);
    else if (existed) this.batch.remove(key);
    this.pending = null;
  }

  private put(key: Uint8Array, { bytes, at, end }: PendingLeaf): void {
    const { batch } = this, value = bytes.subarray(at, end);
    if (!this.appending || !(this.appending = batch.append(key, value))) batch.put(key, value);
  }

  private keyOf(filenode: number, bytes: Buffer, at: number, end: number): number {
    this.key.writeUInt32BE(filenode, 0);
    bytes.copy(this.key, 4, at, end);
    return 4 + end - at;
  }

  private keyOfText(into: Buffer, filenode: number, text: string): number {
    into.writeUInt32BE(filenode, 0);
    return 4 + into.latin1Write(text, 4);
  }
}

/** Gives the rest of a leaf's entries their row ids. Row ids that are none of the transaction's own stay. */
function resolveRows(entries: EntryCursor, resolve: (row: RowId) => RowId): void {
  const { leaf, bytes } = entries;
  for (let i = entries.i; i < leaf.count; i++) {
    const end = leaf.start(i + 1);
    if (bytes[end - ROW_ID_BYTES]! < PROVISIONAL_BYTE) continue;
    const place = resolve(readRowId(bytes, end - ROW_ID_BYTES));
    if (place < 0) throw internalError('an index entry leads to no row');
    writeRowId(bytes, end - ROW_ID_BYTES, place);
  }
  entries.i = leaf.count - 1;
}

/** `check` for entries behind which the index has none: only their order is in question. */
function checkNew(entries: EntryCursor, unique: boolean): string | null {
  const { leaf, bytes } = entries;
  let from = 0, to = 0, before = false;
  while (entries.next()) {
    const isUnique = unique && !entries.notUnique;
    for (let i = entries.i; i < leaf.count; i++) {
      const start = leaf.start(i), end = leaf.start(i + 1);
      if (to > 0) {
        const order = compareBytes(bytes, from, to - ROW_ID_BYTES, bytes, start, end - ROW_ID_BYTES);
        if (order === 0 && isUnique && before) return bytes.latin1Slice(start, end - ROW_ID_BYTES);
        if (order > 0 || (order === 0 && compareBytes(bytes, to - ROW_ID_BYTES, to, bytes, end - ROW_ID_BYTES, end) >= 0)) throw internalError('index entries are not in order');
      }
      from = start;
      to = end;
      before = isUnique;
    }
    entries.i = leaf.count - 1;
  }
  return null;
}

function checkOrder(entries: EntryCursor): void {
  const { leaf, bytes } = entries;
  let from = 0, to = 0;
  while (entries.next()) {
    for (let i = entries.i; i < leaf.count; i++) {
      const start = leaf.start(i), end = leaf.start(i + 1);
      if (to > 0 && compareBytes(bytes, from, to, bytes, start, end) >= 0) throw internalError('index entries are not in order');
      from = start;
      to = end;
    }
    entries.i = leaf.count - 1;
  }
}
