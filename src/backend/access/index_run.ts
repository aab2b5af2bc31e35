// Many changes of an index, sorted and packed: what a large load keeps instead of a string and three numbers an entry.
// Entries stand one after the other as in a leaf (index_leaf.ts: key, row id), so making leaves of them is copying.
import {
  BEYOND, EntryList, LEAF_NOT_UNIQUE, LEAF_TARGET_BYTES, ROW_ID_BYTES, compareBytes, copyBytes, leafBytes, leafFill, readRowId, separator,
  writeLeaf, writeRowId,
} from './index_leaf.ts';
import type { RowId } from './row.ts';

export const runSettings = {
  /** So many additions are packed into a run. */
  entries: 65536,
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
  /** The place of each entry in the log. */
  readonly positions: Uint32Array;
  readonly count: number;
  readonly kinds: Uint8Array;
  readonly firstKey: string;
  readonly lastKey: string;
  /** Its keys are known to differ. */
  readonly distinct: boolean;

  constructor(bytes: Buffer, starts: Uint32Array, positions: Uint32Array, kinds: Uint8Array, distinct = false) {
    this.bytes = bytes;
    this.starts = starts;
    this.positions = positions;
    this.kinds = kinds;
    this.count = positions.length;
    this.distinct = distinct;
    this.firstKey = this.key(0);
    this.lastKey = this.key(this.count - 1);
  }

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

  /** The same, so much later in the log. */
  movedBy(places: number): SortedRun {
    return places === 0 ? this : new SortedRun(this.bytes, this.starts, this.positions.map((p) => p + places), this.kinds);
  }

  /** Entries whose place in the log is below `length`; null when none is. */
  truncated(length: number): SortedRun | null {
    const { bytes, positions, count } = this;
    const picked: number[] = [];
    for (let i = 0; i < count; i++) if (positions[i]! < length) picked.push(i);
    if (picked.length === count) return this;
    if (picked.length === 0) return null;
    const out = new RunBuilder(picked.length, bytes.length);
    for (const i of picked) out.copy(this, i);
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

/** Puts entries together that come in order. */
class RunBuilder {
  private readonly bytes: Buffer;
  private readonly starts: Uint32Array;
  private readonly positions: Uint32Array;
  private readonly kinds: Uint8Array;
  private at = 0;
  count = 0;

  constructor(count: number, lengthBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(lengthBytes);
    this.starts = new Uint32Array(count + 1);
    this.positions = new Uint32Array(count);
    this.kinds = new Uint8Array(count);
  }

  copy(from: SortedRun, i: number): void {
    this.add(from.bytes, from.starts[i]!, from.starts[i + 1]!, from.kinds[i]!, from.positions[i]!);
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
    const { at, bytes, count } = this;
    return new SortedRun(at === bytes.length ? bytes : Buffer.from(bytes.subarray(0, at)), this.starts.subarray(0, count + 1),
      this.positions.subarray(0, count), this.kinds.subarray(0, count));
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
  let order = new Uint32Array(n), other = new Uint32Array(n);
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
const makeDigits = (n: number): Uint16Array[] => [new Uint16Array(n), new Uint16Array(n), new Uint16Array(n)];

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

/** Sorts entries of a list, which stand at `base` and behind in the log; the run has memory of its own. */
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
    const positions = new Uint32Array(count);
    for (let i = 0; i < count; i++) positions[i] = base + i;
    return new SortedRun(Buffer.from(bytes.subarray(0, used)), starts.slice(0, count + 1), positions, kinds.slice(0, count), distinct);
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
export function netOf(runs: readonly SortedRun[]): { removed: SortedRun[]; added: SortedRun[] } {
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
    const gone = new RunBuilder(removals, bytes.length), come = new RunBuilder(count - removals, bytes.length);
    for (let from = 0; from < count;) {
      let to = from + 1;
      while (to < count && compareEntries(run, from, run, to) === 0) to++;
      const was = !run.isAddition(from), is = run.isAddition(to - 1);
      if (was !== is) (was ? gone : come).copy(run, from);
      from = to;
    }
    if (gone.count > 0) removed.push(gone.finish());
    if (come.count > 0) added.push(come.finish());
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

/** Many runs at once. Entries that are equal stay in the order of the runs. */
function mergeMany(runs: readonly SortedRun[]): SortedRun {
  if (runs.length === 1) return runs[0]!;
  if (runs.length === 2) return mergeTwo(runs[0]!, runs[1]!);
  let n = 0, length = 0, lowest = runs[0]!.firstKey, highest = runs[0]!.lastKey;
  for (const run of runs) {
    n += run.count;
    length += run.bytes.length;
    if (run.firstKey < lowest) lowest = run.firstKey;
    if (run.lastKey > highest) highest = run.lastKey;
  }
  const skip = commonPrefix([lowest, highest]), digits = makeDigits(n);
  const runOf = new Uint16Array(n), place = new Uint32Array(n);
  let at = 0;
  runs.forEach((run, r) => {
    const { bytes, starts, count } = run;
    for (let i = 0; i < count; i++, at++) {
      runOf[at] = r;
      place[at] = i;
      const end = starts[i + 1]!;
      for (let d = 0, k = starts[i]! + skip; d < 3; d++, k += 2) digits[d]![at] = ((k < end ? bytes[k]! : 0) << 8) | (k + 1 < end ? bytes[k + 1]! : 0);
    }
  });
  const order = orderBy(n, digits, (i, j) => compareEntries(runs[runOf[i]!]!, place[i]!, runs[runOf[j]!]!, place[j]!) || i - j);
  const out = new RunBuilder(n, length);
  for (let k = 0; k < n; k++) { const i = order[k]!; out.copy(runs[runOf[i]!]!, place[i]!); }
  return out.finish();
}

/** A log's runs. Where they are searched they are kept few, by merging those of like size, unless they simply follow one
 * another. */
export class RunList {
  runs: SortedRun[] = [];
  count = 0;
  private readonly searched: boolean;
  constructor(searched: boolean) {
    this.searched = searched;
  }

  add(run: SortedRun): void {
    this.count += run.count;
    this.runs.push(run);
    this.checked = -1;
    if (this.runs.length >= MAX_RUNS && !this.ascending) this.merged();
    while (this.searched) {
      const b = this.runs[this.runs.length - 1], a = this.runs[this.runs.length - 2];
      if (a === undefined || b === undefined || a.lastKey < b.firstKey || a.count > b.count * 2) return;
      this.runs.length -= 2;
      this.runs.push(mergeTwo(a, b));
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
    this.runs = this.runs.map((run) => run.truncated(length)).filter((run) => run !== null);
    this.count = this.runs.reduce((n, run) => n + run.count, 0);
    this.checked = -1;
  }

  /** All runs as one list in order. */
  merged(): readonly SortedRun[] {
    if (!this.ascending) {
      this.runs = [mergeMany(this.runs)];
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
