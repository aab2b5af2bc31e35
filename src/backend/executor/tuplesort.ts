// Sorting rows: in memory, by radix over 32 bits of the first key where it is a number or a text, keeping only the first few where a LIMIT says so,
// and by merging runs from temporary files when the rows take more than work_mem.
import type { SortKey } from '../nodes/plannodes.ts';
import { compareText } from '../types/characters.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { datumBytes, workMemBytes } from './memory.ts';
import { type RowComparator, rowComparator } from './row_compare.ts';
import { quicksort } from './qsort.ts';
import { collatorOf } from '../types/collation.ts';
import { abbreviatedKeys, collatedSort } from './collated_sort.ts';
import { RunFile } from './run_file.ts';
import { sortComparator } from './sort_support.ts';

export interface SortSpec {
  readonly keys: readonly SortKey[];
  /** Types of all columns, for the temporary files. */
  readonly types: readonly Oid[];
}

export interface RowReader { next(): Datum[] | undefined }

const MAX_RUNS = 128;
/** Up to so many rows those that tie come as PostgreSQL gives them. Of more nobody expects it, and V8's own sort, which makes
 * use of the order that is there, takes half the time. */
const MAX_TIE_ROWS = 20_000;

function interruptible<T>(compare: (a: T, b: T) => number): (a: T, b: T) => number {
  let looks = 0;
  return (a, b) => {
    if ((++looks & 1023) === 0) checkForInterrupts();
    return compare(a, b);
  };
}

function sortStretch<T>(rows: T[], compare: (a: T, b: T) => number, from: number, to: number): void {
  if (to - from <= MAX_TIE_ROWS) quicksort(rows, compare, from, to - from);
  else if (to - from === rows.length) rows.sort(interruptible(compare));
  else rows.slice(from, to).sort(interruptible(compare)).forEach((row, i) => { rows[from + i] = row; });
}
const OIDOID = 26;
const INTEGER_TYPES = new Set([21, 23, OIDOID, 1082]);
/** Whose values are numbers, or bigints beyond 2^53: int8, float4, float8, time, timestamp, timestamptz. */
const NUMBER_TYPES = new Set([20, 700, 701, 1083, 1114, 1184]);

/** Numbers of 32 bits in the order of the rows' first keys, none of them NULL; those of different keys may be equal. Null: these values
 * have none. */
type Abbreviation = (rows: readonly Datum[][], column: number) => Uint32Array<ArrayBuffer> | null;

function abbreviationOf({ type, sortop, collation }: SortKey): Abbreviation | null {
  if (type === OIDOID) return (rows, column) => Uint32Array.from(rows, (row) => row[column] as number);
  if (INTEGER_TYPES.has(type)) return (rows, column) => Uint32Array.from(rows, (row) => (row[column] as number) ^ 0x80000000);
  if (NUMBER_TYPES.has(type)) return abbreviatedNumbers;
  const { compare } = sortComparator(sortop, type, collation), collator = collatorOf(compare);
  if (collator !== undefined) return (rows, column) => abbreviatedKeys(rows, column, collator);
  return compare === compareText ? abbreviatedTexts : null;
}

/** Where a number lies between the least and the greatest. */
function abbreviatedNumbers(rows: readonly Datum[][], column: number): Uint32Array<ArrayBuffer> | null {
  let min = Infinity, max = -Infinity;
  for (const row of rows) {
    const v = Number(row[column]);
    if (!Number.isFinite(v)) return null;
    if (v < min) min = v;
    if (v > max) max = v;
  }
  const scale = 0xffffffff / (max - min);
  if (!(scale > 0 && scale < Infinity)) return null;
  return Uint32Array.from(rows, (row) => Math.min(0xffffffff, Math.floor((Number(row[column]) - min) * scale)));
}

/** The first four characters behind those that all texts begin with; what is not ASCII comes last, and nothing after it counts. */
function abbreviatedTexts(rows: readonly Datum[][], column: number): Uint32Array<ArrayBuffer> {
  const first = rows[0]![column] as string;
  let common = first.length;
  for (const row of rows) {
    const text = row[column] as string;
    let i = 0;
    while (i < common && text.charCodeAt(i) === first.charCodeAt(i)) i++;
    common = i;
  }
  const keys = new Uint32Array(rows.length);
  for (let i = 0; i < keys.length; i++) {
    const text = rows[i]![column] as string, end = Math.min(text.length, common + 4);
    let key = 0;
    for (let at = common, shift = 24; at < end; at++, shift -= 8) {
      const c = text.charCodeAt(at);
      key |= (c < 128 ? c : 255) << shift;
      if (c >= 128) break;
    }
    keys[i] = key;
  }
  return keys;
}

/** Bytes a row takes, roughly, as PostgreSQL would count it: what work_mem is compared with. */
export function rowBytes(row: readonly Datum[]): number {
  let bytes = 24 + 8 * row.length;
  for (const v of row) {
    if (typeof v === 'string') bytes += v.length;
    else if (typeof v === 'object' && v !== null) bytes += datumBytes(v);
  }
  return bytes;
}

export class Tuplesort {
  private readonly spec: SortSpec;
  private readonly compare: RowComparator;
  private rows: Datum[][] = [];
  private bytes = 0;
  private readonly abbreviate: Abbreviation | null;
  private readonly limit: number;
  private readonly bound: number;
  private heaped = false;
  private readonly runs: RunFile[] = [];
  /** For EXPLAIN ANALYZE. */
  method = 'quicksort';
  spaceType: 'Memory' | 'Disk' = 'Memory';
  private spilledBytes = 0;
  get spaceKb(): number {
    const bytes = this.spaceType === 'Disk' ? this.spilledBytes : Math.max(this.bytes, this.rows.reduce((n, r) => n + rowBytes(r), 0));
    return Math.max(25, Math.ceil(bytes / 1024));
  }

  constructor(spec: SortSpec, bound: Datum) {
    this.spec = spec;
    this.compare = rowComparator(spec.keys);
    this.abbreviate = spec.keys.length === 0 ? null : abbreviationOf(spec.keys[0]!);
    this.limit = workMemBytes();
    this.bound = bound === null ? Infinity : Number(bound);
  }

  add(row: Datum[]): void {
    const { rows } = this;
    if (this.heaped) {
      this.addBounded(row);
      return;
    }
    rows.push(row);
    this.bytes += rowBytes(row);
    if (this.runs.length === 0 && (rows.length > 2 * this.bound || (rows.length > this.bound && this.bytes > this.limit))) this.makeBoundedHeap();
    else if (this.bytes > this.limit && rows.length > 64) this.spill();
  }

  /** There are more rows than are wanted: from now on only the best are kept, in a heap with the worst of them on top. */
  private makeBoundedHeap(): void {
    const { rows } = this;
    this.heaped = true;
    this.method = 'top-N heapsort';
    this.rows = [];
    for (const row of rows) this.addBounded(row);
  }

  private addBounded(row: Datum[]): void {
    const { rows, compare } = this;
    if (rows.length < this.bound) {
      rows.push(row);
      let i = rows.length - 1;
      while (i > 0) {
        const up = (i - 1) >> 1;
        if (compare(row, rows[up]!) <= 0) break;
        rows[i] = rows[up]!;
        i = up;
      }
      rows[i] = row;
    } else if (rows.length > 0 && compare(row, rows[0]!) < 0) {
      this.replaceTop(row, rows.length);
    }
  }

  private replaceTop(row: Datum[], count: number): void {
    const { rows, compare } = this;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= count) break;
      if (down + 1 < count && compare(rows[down]!, rows[down + 1]!) < 0) down++;
      if (compare(row, rows[down]!) >= 0) break;
      rows[i] = rows[down]!;
      i = down;
    }
    rows[i] = row;
  }

  /** The heap becomes a sorted array: the worst goes last, again and again. */
  private sortHeap(): void {
    const { rows } = this;
    for (let count = rows.length - 1; count > 0; count--) {
      const worst = rows[0]!;
      this.replaceTop(rows[count]!, count);
      rows[count] = worst;
    }
  }

  private sortRows(): void {
    if (this.heaped) return this.sortHeap();
    if (this.radixSort()) return;
    const [key] = this.spec.keys;
    const collated = key === undefined ? null
      : collatedSort(this.rows, key.column - 1, sortComparator(key.sortop, key.type, key.collation), this.compare, (list, compare) => sortStretch(list, compare, 0, list.length));
    if (collated !== null) this.rows = collated;
    else sortStretch(this.rows, this.compare, 0, this.rows.length);
  }

  /** Least significant digit first over 32 bits of the first key; stable. False when the key is of another kind. */
  private radixSort(): boolean {
    const [key] = this.spec.keys;
    if (this.abbreviate === null || key === undefined || this.rows.length < (INTEGER_TYPES.has(key.type) ? 1000 : MAX_TIE_ROWS)) return false;
    const column = key.column - 1;
    const nulls = this.rows.filter((row) => row[column] === null);
    if (nulls.length > 0 && this.rows.length < MAX_TIE_ROWS) return false;
    const rows = nulls.length === 0 ? this.rows : this.rows.filter((row) => row[column] !== null);
    const n = rows.length;
    let keys = n === 0 ? null : this.abbreviate(rows, column);
    if (keys === null) return false;
    if (key.reverse) for (let i = 0; i < n; i++) keys[i] = ~keys[i]!;
    let order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    let keys2 = new Uint32Array(n);
    let order2 = new Uint32Array(n);
    for (let shift = 0; shift < 32; shift += 11) {
      const counts = new Uint32Array(2048);
      for (let i = 0; i < n; i++) counts[(keys[i]! >>> shift) & 2047]!++;
      if (counts[(keys[0]! >>> shift) & 2047] === n) continue;
      let sum = 0;
      for (let d = 0; d < 2048; d++) {
        const c = counts[d]!;
        counts[d] = sum;
        sum += c;
      }
      for (let i = 0; i < n; i++) {
        const at = counts[(keys[i]! >>> shift) & 2047]!++;
        keys2[at] = keys[i]!;
        order2[at] = order[i]!;
      }
      [keys, keys2] = [keys2, keys];
      [order, order2] = [order2, order];
    }
    const sorted = new Array<Datum[]>(n);
    for (let i = 0; i < n; i++) sorted[i] = rows[order[i]!]!;
    // Rows that share these bits: by the rest of the key, and the other keys.
    if (this.spec.keys.length > 1 || !INTEGER_TYPES.has(key.type)) {
      for (let from = 0; from < n;) {
        let to = from + 1;
        while (to < n && keys[to] === keys[from]) to++;
        if (to - from > 1) sortStretch(sorted, this.compare, from, to);
        from = to;
      }
    }
    if (nulls.length > 0) {
      if (this.spec.keys.length > 1) sortStretch(nulls, this.compare, 0, nulls.length);
      this.rows = key.nullsFirst ? nulls.concat(sorted) : sorted.concat(nulls);
    } else this.rows = sorted;
    return true;
  }

  private spill(): void {
    checkForInterrupts();
    this.sortRows();
    this.method = 'external merge';
    this.spaceType = 'Disk';
    this.spilledBytes += this.bytes;
    const run = new RunFile(this.spec.types);
    for (const row of this.rows) run.write(row);
    run.finish();
    this.runs.push(run);
    this.rows = [];
    this.bytes = 0;
    if (this.runs.length === MAX_RUNS) this.mergeRuns();
  }

  /** Many runs become one: each that is open takes a descriptor and a buffer. */
  private mergeRuns(): void {
    const merged = new RunFile(this.spec.types);
    const all = new Merge(this.runs.map((run) => run.reader()), this.compare);
    for (let row, n = 1; (row = all.next()) !== undefined; n++) {
      if ((n & 1023) === 0) checkForInterrupts();
      merged.write(row);
    }
    merged.finish();
    for (const run of this.runs.splice(0, this.runs.length, merged)) run.close();
  }

  finish(): this {
    this.sortRows();
    return this;
  }

  reader(): RowReader {
    const memory = arrayReader(this.rows);
    if (this.runs.length === 0) return memory;
    return new Merge([...this.runs.map((run) => run.reader()), memory], this.compare);
  }

  close(): void {
    for (const run of this.runs) run.close();
  }
}

function arrayReader(rows: readonly Datum[][]): RowReader {
  let i = 0;
  return { next: () => rows[i++] };
}

/** Merges sorted inputs; the earlier one wins among equals, so that the sort is stable. */
export class Merge implements RowReader {
  private readonly heap: { row: Datum[]; input: number }[] = [];
  private readonly inputs: readonly RowReader[];
  private readonly compare: RowComparator;

  constructor(inputs: readonly RowReader[], compare: RowComparator) {
    this.inputs = inputs;
    this.compare = compare;
    inputs.forEach((r, input) => {
      const row = r.next();
      if (row !== undefined) this.heap.push({ row, input });
    });
    for (let i = (this.heap.length >> 1) - 1; i >= 0; i--) this.sift(i);
  }

  private less(a: { row: Datum[]; input: number }, b: { row: Datum[]; input: number }): boolean {
    const order = this.compare(a.row, b.row);
    return order !== 0 ? order < 0 : a.input < b.input;
  }

  private sift(start: number): void {
    const { heap } = this;
    const top = heap[start]!;
    let i = start;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && this.less(heap[down + 1]!, heap[down]!)) down++;
      if (!this.less(heap[down]!, top)) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = top;
  }

  next(): Datum[] | undefined {
    const { heap } = this;
    const top = heap[0];
    if (top === undefined) return undefined;
    const { row } = top;
    const following = this.inputs[top.input]!.next();
    if (following !== undefined) heap[0] = { row: following, input: top.input };
    else {
      const last = heap.pop()!;
      if (heap.length > 0) heap[0] = last;
    }
    if (heap.length > 0) this.sift(0);
    return row;
  }
}
