// Many additions to an index, sorted and packed: what a large load keeps instead of a string and three numbers an entry.
// An entry has the form in which a commit carries it (transaction/commit_codec.ts), so sending a run is copying it:
//   u16 key length, u8 withRow, u32be filenode, key, 6 bytes row id
import type { RowId } from './row.ts';

const HEAD_BYTES = 7, ROW_BYTES = 6;
export const runSettings = {
  /** So many additions are packed into a run. */
  entries: 65536,
};

export class SortedRun {
  readonly bytes: Buffer;
  /** Where each entry begins, and where the last one ends. */
  readonly starts: Uint32Array;
  /** The place of each entry in the log. */
  readonly positions: Uint32Array;
  readonly count: number;
  readonly firstKey: string;
  readonly lastKey: string;

  constructor(bytes: Buffer, starts: Uint32Array, positions: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
    this.positions = positions;
    this.count = positions.length;
    this.firstKey = this.key(0);
    this.lastKey = this.key(this.count - 1);
  }

  /** The key without the row id. */
  key(i: number): string {
    return this.bytes.latin1Slice(this.starts[i]! + HEAD_BYTES, this.starts[i + 1]! - ROW_BYTES);
  }
  row(i: number): RowId {
    return this.bytes.readUIntBE(this.starts[i + 1]! - ROW_BYTES, ROW_BYTES);
  }
  withRow(i: number): boolean {
    return this.bytes[this.starts[i]! + 2] !== 0;
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
    const from = this.starts[i]! + HEAD_BYTES, length = this.starts[i + 1]! - ROW_BYTES - from;
    const n = Math.min(length, key.length);
    for (let k = 0; k < n; k++) {
      const difference = bytes[from + k]! - key.charCodeAt(k);
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  /** Without entries that come twice. */
  distinct(): SortedRun {
    const picked: number[] = [];
    for (let i = 0; i < this.count; i++) if (i === 0 || compareEntries(this, i - 1, this, i) !== 0) picked.push(i);
    if (picked.length === this.count) return this;
    const out = new RunBuilder(picked.length, this.bytes.length);
    for (const i of picked) out.copy(this, i);
    return out.finish();
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
}

/** Puts entries together that come in order. */
class RunBuilder {
  private bytes: Buffer;
  private readonly starts: Uint32Array;
  private readonly positions: Uint32Array;
  private at = 0;
  private count = 0;

  constructor(count: number, lengthBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(lengthBytes);
    this.starts = new Uint32Array(count + 1);
    this.positions = new Uint32Array(count);
  }

  copy(from: SortedRun, i: number): void {
    const start = from.starts[i]!, end = from.starts[i + 1]!;
    this.positions[this.count++] = from.positions[i]!;
    if (end - start <= 32) {
      const { bytes, at } = this, source = from.bytes;
      for (let k = start, t = at; k < end; k++) bytes[t++] = source[k]!;
    } else {
      from.bytes.copy(this.bytes, this.at, start, end);
    }
    this.at += end - start;
    this.starts[this.count] = this.at;
  }

  put(filenode: number, key: string, row: RowId, withRow: boolean, position: number): void {
    const { bytes } = this;
    let { at } = this;
    const length = 4 + key.length + (withRow ? ROW_BYTES : 0);
    bytes[at] = length & 255;
    bytes[at + 1] = length >> 8;
    bytes[at + 2] = withRow ? 1 : 0;
    bytes[at + 3] = filenode >>> 24;
    bytes[at + 4] = filenode >>> 16;
    bytes[at + 5] = filenode >>> 8;
    bytes[at + 6] = filenode;
    at += HEAD_BYTES;
    for (let k = 0; k < key.length; k++) bytes[at++] = key.charCodeAt(k);
    const high = Math.floor(row / 4294967296), low = row >>> 0;
    bytes[at] = high >> 8;
    bytes[at + 1] = high;
    bytes[at + 2] = low >>> 24;
    bytes[at + 3] = low >>> 16;
    bytes[at + 4] = low >>> 8;
    bytes[at + 5] = low;
    this.positions[this.count++] = position;
    this.at = at + ROW_BYTES;
    this.starts[this.count] = this.at;
  }

  finish(): SortedRun {
    return new SortedRun(this.at === this.bytes.length ? this.bytes : Buffer.from(this.bytes.subarray(0, this.at)), this.starts, this.positions);
  }
}

/** The first six bytes of a key as one number, in the order of keys. */
function keyPrefix(key: string): number {
  let high = 0, low = 0;
  const n = key.length;
  for (let i = 0; i < 3; i++) high = high * 256 + (i < n ? key.charCodeAt(i) : 0);
  for (let i = 3; i < 6; i++) low = low * 256 + (i < n ? key.charCodeAt(i) : 0);
  return high * 16777216 + low;
}

/** Packs additions; entry i of the lists stands at `base + i` of the log. */
export function packRun(filenode: number, keys: readonly string[], rows: readonly RowId[], withRow: (i: number) => boolean, base: number): SortedRun {
  const n = keys.length;
  let length = 0, sorted = true;
  for (let i = 0; i < n; i++) {
    length += HEAD_BYTES + keys[i]!.length + ROW_BYTES;
    if (i > 0 && sorted) sorted = keys[i - 1]! < keys[i]! || (keys[i - 1] === keys[i] && rows[i - 1]! <= rows[i]!);
  }
  const out = new RunBuilder(n, length);
  if (sorted) {
    for (let i = 0; i < n; i++) out.put(filenode, keys[i]!, rows[i]!, withRow(i), base + i);
  } else {
    const prefixes = new Float64Array(n);
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) { prefixes[i] = keyPrefix(keys[i]!); order[i] = i; }
    order.sort((a, b) => prefixes[a]! - prefixes[b]! || (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : rows[a]! - rows[b]!));
    for (let k = 0; k < n; k++) { const i = order[k]!; out.put(filenode, keys[i]!, rows[i]!, withRow(i), base + i); }
  }
  return out.finish();
}

function compareEntries(a: SortedRun, i: number, b: SortedRun, j: number): number {
  const x = a.bytes, y = b.bytes;
  let p = a.starts[i]! + HEAD_BYTES, q = b.starts[j]! + HEAD_BYTES;
  const pEnd = a.starts[i + 1]! - ROW_BYTES, qEnd = b.starts[j + 1]! - ROW_BYTES;
  while (p < pEnd && q < qEnd) {
    const difference = x[p++]! - y[q++]!;
    if (difference !== 0) return difference;
  }
  return (pEnd - p) - (qEnd - q) || a.row(i) - b.row(j);
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

/** A log's runs: kept few, by merging those of like size, unless they simply follow one another. */
export class RunList {
  runs: SortedRun[] = [];
  count = 0;

  add(run: SortedRun): void {
    this.count += run.count;
    this.runs.push(run);
    for (;;) {
      const b = this.runs[this.runs.length - 1], a = this.runs[this.runs.length - 2];
      if (a === undefined || b === undefined || a.lastKey < b.firstKey || a.count > b.count * 2) return;
      this.runs.length -= 2;
      this.runs.push(mergeTwo(a, b));
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
    if (this.ascending) return this.runs;
    let list = this.runs;
    while (list.length > 1) {
      const half: SortedRun[] = [];
      for (let i = 0; i < list.length; i += 2) half.push(i + 1 < list.length ? mergeTwo(list[i]!, list[i + 1]!) : list[i]!);
      list = half;
    }
    this.runs = list;
    this.checked = -1;
    return list;
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
