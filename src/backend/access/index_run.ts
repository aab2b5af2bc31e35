// Many changes of an index, sorted and packed: what a large load keeps instead of a string and three numbers an entry.
// Entries stand one after the other as in a leaf (index_leaf.ts: key, row id), so making leaves of them is copying.
import {
  BEYOND, EntryList, LEAF_NOT_UNIQUE, LEAF_TARGET_BYTES, ROW_ID_BYTES, compareBytes, copyBytes, leafBytes, leafFill, readRowId, separator,
  writeLeaf, writeRowId,
} from './index_leaf.ts';
import type { RowId } from './row.ts';
import type { RunStore } from './run_store.ts';

export const runSettings = {
  /** So many additions are packed into a run. */
  entries: 65536,
  /** So many entries of a range are looked up first. */
  rangeEntries: 32,
  /** So many, about, are merged at a time; runs of more are not merged for searching. */
  mergedEntries: 1 << 20,
  /** Of runs that are merged, every so many-th entry is looked at to divide them. */
  sampleStep: 1024,
  /** So many are sorted in memory that is used again. */
  largeEntries: 1 << 17,
  /** What runs may take in memory; null: maintenance_work_mem. */
  memoryBytes: null as number | null,
};

/** What an entry of the log is: added (else removed); not the only one of its key in a unique index. */
export const ADDED = 1, WITH_ROW = 2;
/** So few are sorted by comparing. */
const FEW = 1024;
/** So many runs, at most, are kept beside one another. */
const MAX_RUNS = 256;

export class SortedRun {
  readonly bytes: Buffer;
  /** Where each entry begins, and where the last one ends. */
  readonly starts: Uint32Array;
  /** The place of each entry in the log, from `base` on. */
  readonly positions: Uint32Array;
  base = 0;
  readonly count: number;
  readonly kinds: Uint8Array;
  readonly firstKey: string;
  readonly lastKey: string;
  /** Its keys are known to differ. */
  readonly distinct: boolean;
  /** Its memory will be written over when the next one is made: RunStore.keep gives it a place of its own. */
  readonly borrowed: boolean;

  constructor(bytes: Buffer, starts: Uint32Array, positions: Uint32Array, kinds: Uint8Array, distinct = false, borrowed = false) {
    this.bytes = bytes;
    this.starts = starts;
    this.positions = positions;
    this.kinds = kinds;
    this.count = positions.length;
    this.distinct = distinct;
    this.borrowed = borrowed;
    this.firstKey = this.key(0);
    this.lastKey = this.key(this.count - 1);
  }

  get memoryBytes(): number { return this.bytes.length + 9 * this.count; }
  /** The entry's place in the log. */
  position(i: number): number { return this.positions[i]! + this.base; }

  /** The key without the row id. */
  key(i: number): string {
    return this.bytes.latin1Slice(this.starts[i]!, this.starts[i + 1]! - ROW_ID_BYTES);
  }
  row(i: number): RowId {
    return readRowId(this.bytes, this.starts[i + 1]! - ROW_ID_BYTES);
  }
  withRow(i: number): boolean {
    return (this.kinds[i]! & WITH_ROW) !== 0;
  }
  isAddition(i: number): boolean {
    return (this.kinds[i]! & ADDED) !== 0;
  }
  get removals(): number {
    let n = 0;
    for (let i = 0; i < this.count; i++) if ((this.kinds[i]! & ADDED) === 0) n++;
    return n;
  }

  /** The first entry that is not less than this key with this row. */
  placeOf(key: string, row: RowId): number {
    let low = this.lowerBound(key), high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) === 0 && this.row(middle) < row) low = middle + 1; else high = middle;
    }
    return low;
  }

  /** The first entry whose key is not less; `count` when there is none. */
  lowerBound(key: string): number {
    if (key > this.lastKey) return this.count;
    let low = 0, high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) < 0) low = middle + 1; else high = middle;
    }
    return low;
  }

  private compareKey(i: number, key: string): number {
    const { bytes } = this;
    const from = this.starts[i]!, length = this.starts[i + 1]! - ROW_ID_BYTES - from;
    const n = Math.min(length, key.length);
    for (let k = 0; k < n; k++) {
      const difference = bytes[from + k]! - key.charCodeAt(k);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  /** Entries whose place in the log is below `length`; null when none is. */
  truncated(length: number): SortedRun | null {
    const { bytes, count } = this;
    let left = 0;
    for (let i = 0; i < count; i++) if (this.position(i) < length) left++;
    if (left === count) return this;
    if (left === 0) return null;
    const out = new RunBuilder(left, bytes.length);
    for (let i = 0; i < count; i++) if (this.position(i) < length) out.copy(this, i);
    return out.finish();
  }

  /** Writes the entries as leaves. */
  writeLeaves(out: LeafTarget): void {
    const { bytes, starts, count, kinds } = this;
    for (let from = 0; from < count;) {
      const kind = kinds[from]! & WITH_ROW;
      let to = from + 1;
      while (to < count && (kinds[to]! & WITH_ROW) === kind) to++;
      fillLeaves(out, bytes, starts, from, to, kind !== 0);
      from = to;
    }
  }
}

/** What leaves are written to (ByteWriter). */
interface LeafTarget { bytes: Buffer; length: number; reserve(lengthBytes: number): void }

function fillLeaves(out: LeafTarget, bytes: Buffer, starts: Uint32Array, from: number, to: number, withRow: boolean): void {
  while (from < to) {
    const n = leafFill(starts, from, to, LEAF_TARGET_BYTES);
    out.reserve(LEAF_TARGET_BYTES);
    out.length = writeLeaf(out.bytes, out.length, bytes, starts, from, from + n, withRow ? LEAF_NOT_UNIQUE : 0);
    from += n;
  }
}

/** Few entries, in order, as leaves. */
export function writeEntries(out: LeafTarget, entries: readonly { key: string; row: RowId; withRow: boolean }[]): void {
  for (let from = 0; from < entries.length;) {
    const { withRow } = entries[from]!;
    few.clear();
    while (from < entries.length && entries[from]!.withRow === withRow) {
      few.addKey(entries[from]!.key, entries[from]!.row);
      from++;
    }
    fillLeaves(out, few.bytes, few.starts, 0, few.count, withRow);
  }
}
const few = new EntryList();

/** Memory that is used again for each large sort: V8 gives back late what stands outside its heap, and there would be ten times
 * as much of it. */
class Scratch {
  private readonly arrays = new Map<string, Buffer>();
  bytes(name: string, lengthBytes: number): Buffer {
    let array = this.arrays.get(name);
    if (array === undefined || array.length < lengthBytes) this.arrays.set(name, array = Buffer.allocUnsafeSlow(Math.ceil(lengthBytes * 1.25)));
    return array;
  }
  words(name: string, count: number): Uint32Array {
    return new Uint32Array(this.bytes(name, 4 * count).buffer, 0, count);
  }
  shorts(name: string, count: number): Uint16Array {
    return new Uint16Array(this.bytes(name, 2 * count).buffer, 0, count);
  }
  clear(): void {
    this.arrays.clear();
  }
}
const scratch = new Scratch();
/** A write set with large indexes is through. */
export const dropScratch = (): void => scratch.clear();
const words = (name: string, count: number): Uint32Array => (count < runSettings.largeEntries ? new Uint32Array(count) : scratch.words(name, count));
const shorts = (name: string, count: number): Uint16Array => (count < runSettings.largeEntries ? new Uint16Array(count) : scratch.shorts(name, count));

/** Puts entries together that come in order. A large one is in memory that the next large one with the same name takes. */
class RunBuilder {
  private readonly bytes: Buffer;
  private readonly starts: Uint32Array;
  private readonly positions: Uint32Array;
  private readonly kinds: Uint8Array;
  private readonly borrowed: boolean;
  private at = 0;
  count = 0;

  constructor(count: number, lengthBytes: number, name = 'run') {
    this.borrowed = count >= runSettings.largeEntries;
    this.bytes = this.borrowed ? scratch.bytes(name, lengthBytes) : Buffer.allocUnsafeSlow(lengthBytes);
    this.starts = this.borrowed ? scratch.words(`${name} starts`, count + 1) : new Uint32Array(count + 1);
    this.positions = this.borrowed ? scratch.words(`${name} positions`, count) : new Uint32Array(count);
    this.kinds = this.borrowed ? scratch.bytes(`${name} kinds`, count) : new Uint8Array(count);
    this.starts[0] = 0;
  }

  copy(from: SortedRun, i: number): void {
    this.add(from.bytes, from.starts[i]!, from.starts[i + 1]!, from.kinds[i]!, from.position(i));
  }
  add(bytes: Buffer, start: number, end: number, kind: number, position: number): void {
    copyBytes(bytes, start, end, this.bytes, this.at);
    this.at += end - start;
    this.close(kind, position);
  }

  put(key: string, row: RowId, kind: number, position: number): void {
    const { bytes } = this;
    let { at } = this;
    for (let k = 0; k < key.length; k++) bytes[at++] = key.charCodeAt(k);
    writeRowId(bytes, at, row);
    this.at = at + ROW_ID_BYTES;
    this.close(kind, position);
  }

  private close(kind: number, position: number): void {
    this.kinds[this.count] = kind;
    this.positions[this.count++] = position;
    this.starts[this.count] = this.at;
  }

  finish(): SortedRun {
    const { at, bytes, count, borrowed } = this;
    return new SortedRun(at === bytes.length ? bytes : borrowed ? bytes.subarray(0, at) : Buffer.from(bytes.subarray(0, at)), this.starts.subarray(0, count + 1),
      this.positions.subarray(0, count), this.kinds.subarray(0, count), false, borrowed);
  }
}

/** The bytes that all keys begin with. */
function commonPrefix(keys: readonly string[]): number {
  const first = keys[0]!;
  let common = first.length;
  for (let i = 1; i < keys.length && common > 0; i++) {
    const key = keys[i]!;
    let k = 0;
    while (k < common && key.charCodeAt(k) === first.charCodeAt(k)) k++;
    common = k;
  }
  return common;
}

/** In which order the things 0 to n - 1 come. Three times 16 bits of each decide mostly, and are sorted by counting; those
 * that agree in them are compared. */
function orderBy(n: number, digits: readonly Uint16Array[], compare: (i: number, j: number) => number): Uint32Array {
  let order = words('order', n), other = words('other order', n);
  for (let i = 0; i < n; i++) order[i] = i;
  const places = new Uint32Array(65536);
  for (let d = 2; d >= 0; d--) {
    const digit = digits[d]!;
    places.fill(0);
    for (let i = 0; i < n; i++) places[digit[i]!]!++;
    if (places[digit[0]!] === n) continue;
    let sum = 0;
    for (let v = 0; v < 65536; v++) { const c = places[v]!; places[v] = sum; sum += c; }
    for (let k = 0; k < n; k++) { const i = order[k]!; other[places[digit[i]!]!++] = i; }
    [order, other] = [other, order];
  }
  const [a, b, c] = digits as [Uint16Array, Uint16Array, Uint16Array];
  for (let from = 0; from < n;) {
    const i = order[from]!;
    let to = from + 1, ordered = true;
    for (; to < n; to++) {
      const j = order[to]!;
      if (a[j] !== a[i] || b[j] !== b[i] || c[j] !== c[i]) break;
      ordered &&= compare(order[to - 1]!, j) <= 0;
    }
    if (!ordered) order.subarray(from, to).sort(compare);
    from = to;
  }
  return order;
}
const makeDigits = (n: number): Uint16Array[] => [shorts('first', n), shorts('second', n), shorts('third', n)];

/** In which order (key, row) come; those that are equal in the order of the lists. Null: they are in order. */
function sortedOrder(keys: readonly string[], rows: readonly RowId[]): Uint32Array | null {
  const n = keys.length;
  let sorted = true;
  for (let i = 1; i < n && sorted; i++) sorted = keys[i - 1]! < keys[i]! || (keys[i - 1] === keys[i] && rows[i - 1]! <= rows[i]!);
  if (sorted) return null;
  const compare = (i: number, j: number): number => {
    const x = keys[i]!, y = keys[j]!;
    return x < y ? -1 : x > y ? 1 : rows[i]! - rows[j]! || i - j;
  };
  if (n < FEW) return Uint32Array.from({ length: n }, (_, i) => i).sort(compare);
  const skip = commonPrefix(keys), digits = makeDigits(n);
  for (let i = 0; i < n; i++) {
    const key = keys[i]!, { length } = key;
    for (let d = 0, k = skip; d < 3; d++, k += 2) {
      digits[d]![i] = ((k < length ? key.charCodeAt(k) : 0) << 8) | (k + 1 < length ? key.charCodeAt(k + 1) : 0);
    }
  }
  return orderBy(n, digits, compare);
}

/** Packs a part of the log; entry i of the lists stands at `base + i` of it. */
export function packRun(keys: readonly string[], rows: readonly RowId[], kinds: readonly number[], base: number): SortedRun {
  const n = keys.length;
  const order = sortedOrder(keys, rows);
  let length = ROW_ID_BYTES * n;
  for (let i = 0; i < n; i++) length += keys[i]!.length;
  const out = new RunBuilder(n, length);
  for (let k = 0; k < n; k++) { const i = order === null ? k : order[k]!; out.put(keys[i]!, rows[i]!, kinds[i]!, base + i); }
  return out.finish();
}

/** Sorts entries of a list, which stand at `base` and behind in the log; the run may be in the memory of the list. */
export function sortList({ bytes, starts, count, used }: EntryList, kinds: Uint8Array, base: number): SortedRun {
  let sorted = true, distinct = true;
  for (let i = 1, from = 0, to = starts[1]!; i < count && sorted; i++) {
    const end = starts[i + 1]!;
    const order = compareBytes(bytes, from, to - ROW_ID_BYTES, bytes, to, end - ROW_ID_BYTES);
    if (order >= 0) {
      distinct = false;
      sorted = order === 0 && compareBytes(bytes, to - ROW_ID_BYTES, to, bytes, end - ROW_ID_BYTES, end) <= 0;
    }
    from = to;
    to = end;
  }
  if (sorted) {
    const positions = words('run positions', count);
    for (let i = 0; i < count; i++) positions[i] = base + i;
    return new SortedRun(bytes.subarray(0, used), starts.subarray(0, count + 1), positions, kinds.subarray(0, count), distinct, true);
  }
  let skip = starts[1]!;
  for (let i = 1; i < count && skip > 0; i++) {
    const start = starts[i]!;
    let k = 0;
    while (k < skip && bytes[k] === bytes[start + k]) k++;
    skip = k;
  }
  const digits = makeDigits(count), [a, b, c] = digits as [Uint16Array, Uint16Array, Uint16Array];
  for (let i = 0; i < count; i++) {
    // Row ids stand behind the keys, so there is always something; beyond the end, what follows counts as nothing.
    const k = starts[i]! + skip, end = starts[i + 1]!;
    if (k + 6 <= end) {
      a[i] = (bytes[k]! << 8) | bytes[k + 1]!;
      b[i] = (bytes[k + 2]! << 8) | bytes[k + 3]!;
      c[i] = (bytes[k + 4]! << 8) | bytes[k + 5]!;
    } else {
      for (let d = 0, at = k; d < 3; d++, at += 2) digits[d]![i] = ((at < end ? bytes[at]! : 0) << 8) | (at + 1 < end ? bytes[at + 1]! : 0);
    }
  }
  const order = orderBy(count, digits, (i, j) => compareBytes(bytes, starts[i]!, starts[i + 1]!, bytes, starts[j]!, starts[j + 1]!) || i - j);
  const out = new RunBuilder(count, used);
  for (let k = 0; k < count; k++) { const i = order[k]!; out.add(bytes, starts[i]!, starts[i + 1]!, kinds[i]!, base + i); }
  return out.finish();
}

/** What a log comes to, its runs following one another: of all that it says about an entry (key, row), the first tells how
 * the store has it, the last how it shall be. */
export function netOf(runs: readonly SortedRun[], store: RunStore | null = null): { removed: SortedRun[]; added: SortedRun[] } {
  const removed: SortedRun[] = [], added: SortedRun[] = [];
  for (const run of runs) {
    const { count, bytes, removals } = run;
    // What is only added is added once.
    let twice = false;
    for (let i = 1; i < count && removals > 0 && !twice; i++) twice = compareEntries(run, i - 1, run, i) === 0;
    if (!twice && (removals === 0 || removals === count)) {
      (removals === 0 ? added : removed).push(run);
      continue;
    }
    const gone = new RunBuilder(removals, bytes.length, 'gone'), come = new RunBuilder(count - removals, bytes.length, 'come');
    for (let from = 0; from < count;) {
      let to = from + 1;
      while (to < count && compareEntries(run, from, run, to) === 0) to++;
      const was = !run.isAddition(from), is = run.isAddition(to - 1);
      if (was !== is) (was ? gone : come).copy(run, from);
      from = to;
    }
    for (const [built, list] of [[gone, removed], [come, added]] as const) {
      if (built.count > 0) list.push(store === null ? built.finish() : store.keep(built.finish()));
    }
  }
  return { removed, added };
}

function compareEntries(a: SortedRun, i: number, b: SortedRun, j: number): number {
  return compareBytes(a.bytes, a.starts[i]!, a.starts[i + 1]!, b.bytes, b.starts[j]!, b.starts[j + 1]!);
}

/** Entries that have the key of the one before, in runs that follow one another. */
export function eachEqualKey(runs: readonly SortedRun[], visit: (run: SortedRun, i: number, before: SortedRun, j: number) => void): void {
  let before: SortedRun | null = null;
  for (const run of runs) {
    if (before !== null && before.lastKey === run.firstKey) visit(run, 0, before, before.count - 1);
    const { bytes, starts, count } = run;
    for (let i = 1, from = starts[0]!, to = starts[1]!; i < count && !run.distinct; i++) {
      const end = starts[i + 1]!;
      if (end - to === to - from && compareBytes(bytes, from, to - ROW_ID_BYTES, bytes, to, end - ROW_ID_BYTES) === 0) visit(run, i, run, i - 1);
      from = to;
      to = end;
    }
    before = run;
  }
}

function mergeTwo(a: SortedRun, b: SortedRun): SortedRun {
  const out = new RunBuilder(a.count + b.count, a.bytes.length + b.bytes.length);
  let i = 0, j = 0;
  while (i < a.count || j < b.count) {
    if (j >= b.count || (i < a.count && compareEntries(a, i, b, j) <= 0)) out.copy(a, i++);
    else out.copy(b, j++);
  }
  return out.finish();
}

/** A part of a run. */
interface Part { run: SortedRun; from: number; to: number }

/** Many runs at once, or parts of them. Entries that are equal stay in the order of the runs. */
function mergeMany(parts: readonly Part[]): SortedRun {
  let n = 0, length = 0;
  const ends: string[] = [];
  for (const { run, from, to } of parts) {
    n += to - from;
    length += run.starts[to]! - run.starts[from]!;
    ends.push(run.key(from), run.key(to - 1));
  }
  const skip = commonPrefix(ends), digits = makeDigits(n);
  const partOf = shorts('part', n), place = words('place', n);
  let at = 0;
  parts.forEach(({ run, from, to }, p) => {
    const { bytes, starts } = run;
    for (let i = from; i < to; i++, at++) {
      partOf[at] = p;
      place[at] = i;
      const end = starts[i + 1]!;
      for (let d = 0, k = starts[i]! + skip; d < 3; d++, k += 2) digits[d]![at] = ((k < end ? bytes[k]! : 0) << 8) | (k + 1 < end ? bytes[k + 1]! : 0);
    }
  });
  const order = orderBy(n, digits, (i, j) => compareEntries(parts[partOf[i]!]!.run, place[i]!, parts[partOf[j]!]!.run, place[j]!) || i - j);
  const out = new RunBuilder(n, length);
  for (let k = 0; k < n; k++) { const i = order[k]!; out.copy(parts[partOf[i]!]!.run, place[i]!); }
  return out.finish();
}

/** All entries of the runs, in runs that follow one another: what is merged at a time is a part of each, between the same two
 * entries, so that its size does not depend on theirs. */
function mergeInPieces(runs: readonly SortedRun[], keep: (run: SortedRun) => SortedRun): SortedRun[] {
  const { sampleStep, mergedEntries } = runSettings;
  const samples: { run: SortedRun; i: number }[] = [];
  for (const run of runs) for (let i = sampleStep; i < run.count; i += sampleStep) samples.push({ run, i });
  samples.sort((a, b) => compareEntries(a.run, a.i, b.run, b.i));
  const pieces: SortedRun[] = [], from = runs.map(() => 0), step = Math.max(1, Math.floor(mergedEntries / sampleStep));
  for (let s = step; ; s += step) {
    const bound = samples[s], parts: Part[] = [];
    runs.forEach((run, r) => {
      const to = bound === undefined ? run.count : firstNotBelow(run, from[r]!, bound.run, bound.i);
      if (to > from[r]!) parts.push({ run, from: from[r]!, to });
      from[r] = to;
    });
    if (parts.length > 0) pieces.push(keep(mergeMany(parts)));
    if (bound === undefined) return pieces;
  }
}

/** The first entry of a run, from one on, that is not less than an entry of another. */
function firstNotBelow(run: SortedRun, from: number, other: SortedRun, i: number): number {
  let low = from, high = run.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareEntries(run, middle, other, i) < 0) low = middle + 1; else high = middle;
  }
  return low;
}

/** A log's runs. Where they are searched they are kept few, by merging those of like size, unless they simply follow one
 * another. */
export class RunList {
  runs: SortedRun[] = [];
  count = 0;
  private readonly searched: boolean;
  private readonly store: RunStore;
  constructor(searched: boolean, store: RunStore) {
    this.searched = searched;
    this.store = store;
  }

  /** A run that `store` keeps already. */
  add(run: SortedRun): void {
    this.count += run.count;
    this.runs.push(run);
    this.checked = -1;
    if (this.runs.length >= MAX_RUNS && !this.ascending) this.merged();
    while (this.searched) {
      const b = this.runs[this.runs.length - 1], a = this.runs[this.runs.length - 2];
      if (a === undefined || b === undefined || a.lastKey < b.firstKey || a.count > b.count * 2 || a.count > runSettings.mergedEntries) return;
      this.runs.length -= 2;
      const merged = mergeTwo(a, b);
      this.store.release(a);
      this.store.release(b);
      this.runs.push(this.store.keep(merged));
      this.checked = -1;
    }
  }

  /** Calls `visit` for the entries with this key, newest run first, until it returns something. */
  find<T>(key: string, visit: (run: SortedRun, i: number) => T | undefined): T | undefined {
    const { runs } = this;
    for (let r = runs.length - 1; r >= 0; r--) {
      const run = runs[r]!;
      if (key > run.lastKey) { if (this.follow(r)) return undefined; continue; }
      if (key < run.firstKey) continue;
      for (let i = run.lowerBound(key); i < run.count && run.key(i) === key; i++) {
        const found = visit(run, i);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** Whether all runs before this one end before it begins. */
  private follow(r: number): boolean {
    const { runs } = this;
    // Most often the keys ascend, and a new key lies behind all of them.
    return r === runs.length - 1 && this.ascending;
  }

  get ascending(): boolean {
    const { runs } = this;
    if (this.checked === runs.length) return this.inOrder;
    this.checked = runs.length;
    this.inOrder = true;
    for (let i = 1; i < runs.length && this.inOrder; i++) this.inOrder = runs[i - 1]!.lastKey < runs[i]!.firstKey;
    return this.inOrder;
  }
  private checked = -1;
  private inOrder = true;

  truncate(length: number): void {
    this.runs = this.runs.map((run) => {
      const left = run.truncated(length);
      if (left === run) return run;
      this.store.release(run);
      return left === null ? null : this.store.keep(left);
    }).filter((run) => run !== null);
    this.count = this.runs.reduce((n, run) => n + run.count, 0);
    this.checked = -1;
  }

  /** All runs as one list in order. */
  merged(): readonly SortedRun[] {
    if (!this.ascending) {
      const pieces = mergeInPieces(this.runs, (run) => this.store.keep(run));
      for (const run of this.runs) this.store.release(run);
      this.runs = pieces;
      this.checked = -1;
    }
    return this.runs;
  }
}

/** Entries of a commit request that are packed already. */
export class PackedEntries {
  readonly runs: readonly SortedRun[];
  readonly length: number;
  constructor(runs: readonly SortedRun[]) {
    this.runs = runs;
    this.length = runs.reduce((n, run) => n + run.count, 0);
  }
  /** One by one, for commits that are written down (cross_commit.ts). */
  toJSON(): { key: string; row: RowId; withRow: boolean }[] {
    return this.runs.flatMap((run) => Array.from({ length: run.count }, (_, i) => ({ key: run.key(i), row: run.row(i), withRow: run.withRow(i) })));
  }
}

/** All leaves of an index that is made at once, with the keys (without the filenode) that they stand under. */
export function makeLeaves(keys: readonly string[], rows: readonly RowId[]): { bound: string; bytes: Buffer }[] {
  if (keys.length === 0) return [];
  const { bytes, starts, count } = packRun(keys, rows, new Array<number>(keys.length).fill(ADDED), 0);
  const leaves: { bound: string; bytes: Buffer }[] = [];
  for (let from = 0; from < count;) {
    const to = from + leafFill(starts, from, count, LEAF_TARGET_BYTES);
    const leaf = Buffer.alloc(leafBytes(starts, from, to));
    writeLeaf(leaf, 0, bytes, starts, from, to, 0);
    leaves.push({ bound: to === count ? BEYOND : separator(bytes, starts[to - 1]!, starts[to]!, bytes, starts[to]!, starts[to + 1]!).latin1Slice(), bytes: leaf });
    from = to;
  }
  return leaves;
}
