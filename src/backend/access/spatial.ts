// Searches of gist and spgist indexes for what is no place in an order (gistget.c, spgscan.c): points and boxes within or beside
// others, the nearest ones; ranges, networks and texts that begin so. Rows found are to be looked at again.
//
// Keys of points and boxes that begin with the same bits lie in one box of space (spatial_key.ts): that is a cell, and what keys
// have in common halves it. Cells are split until few keys are left in them, and only those are entered that may hold
// what is asked for.
import type { IndexColumn, IndexInfo } from '../catalog/relation.ts';
import { type Datum, type Oid, RangeValue } from '../types/datum.ts';
import { Point } from '../types/geo_types.ts';
import { Inet } from '../types/inet_text.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { beginIndexScan } from './index.ts';
import { encodeBound, encodePrefix, type KeyRange, successor } from './key.ts';
import type { RowId } from './row.ts';
import { boundsOf, cellEnds, commonBits, mortonCoordinates, SPATIAL_DIMENSIONS, withBit } from './spatial_key.ts';

/** `column <operator of this strategy> value`. */
export interface LossyCondition { column: number; strategy: number }

const VALUE = '\x02';
/** Cells of no more entries are not split. */
const LEAF_ENTRIES = 24;
const ALL: KeyRange = { from: '', fromInclusive: true, to: null, toInclusive: false };

/** Between which coordinates a value must lie. */
interface Window { low: number[]; high: number[] }

/** Operators take numbers that differ by less than 1e-6 for equal. */
const below = (v: number): number => v - 1e-5 - Math.abs(v) * 1e-15;
const above = (v: number): number => v + 1e-5 + Math.abs(v) * 1e-15;

function narrow(window: Window, strategy: number, value: Datum): void {
  const { low: a, high: b } = boundsOf(value);
  if (Number.isNaN(a.x + a.y) || Number.isNaN(b.x + b.y)) return;
  const { low, high } = window;
  const atMost = (d: number, v: number): void => { high[d] = Math.min(high[d]!, above(v)); };
  const atLeast = (d: number, v: number): void => { low[d] = Math.max(low[d]!, below(v)); };
  if (low.length === 2) {
    switch (strategy) {
      case 1: atMost(0, a.x); break;
      case 5: atLeast(0, a.x); break;
      case 10: case 29: atMost(1, a.y); break;
      case 11: case 30: atLeast(1, a.y); break;
      default: atLeast(0, a.x); atMost(0, b.x); atLeast(1, a.y); atMost(1, b.y);
    }
    return;
  }
  switch (strategy) {
    case 1: atMost(2, a.x); break;
    case 2: atMost(2, b.x); break;
    case 3: atMost(0, b.x); atLeast(2, a.x); atMost(1, b.y); atLeast(3, a.y); break;
    case 4: atLeast(0, a.x); break;
    case 5: atLeast(0, b.x); break;
    case 6: [a.x, a.y, b.x, b.y].forEach((v, d) => { atLeast(d, v); atMost(d, v); }); break;
    case 7: atMost(0, a.x); atMost(1, a.y); atLeast(2, b.x); atLeast(3, b.y); break;
    case 8: atLeast(0, a.x); atLeast(1, a.y); atMost(2, b.x); atMost(3, b.y); break;
    case 9: atMost(3, b.y); break;
    case 10: atMost(3, a.y); break;
    case 11: atLeast(1, b.y); break;
    case 12: atLeast(1, a.y); break;
    default:
  }
}

interface Entry { key: string; row: RowId }

/** Keys that agree in their first bits. */
class Cell {
  readonly key: string;
  readonly bits: number;
  readonly low: number[];
  readonly high: number[];

  constructor(key: string, bits: number, dimensions: number) {
    const { first, last } = cellEnds(key, bits);
    this.key = first;
    this.bits = bits;
    this.low = mortonCoordinates(first, dimensions);
    this.high = mortonCoordinates(last, dimensions);
  }

  meets({ low, high }: Window): boolean {
    for (let d = 0; d < low.length; d++) if (this.high[d]! < low[d]! || this.low[d]! > high[d]!) return false;
    return true;
  }
}

class CellReader {
  readonly dimensions: number;
  readonly window: Window;
  private readonly info: IndexInfo;
  private readonly cid: number;
  private readonly size: number;

  constructor(info: IndexInfo, conditions: readonly LossyCondition[], values: readonly Datum[], cid: number) {
    this.info = info;
    this.cid = cid;
    this.dimensions = SPATIAL_DIMENSIONS[info.columns[0]!.opclass]!;
    this.size = 8 * this.dimensions;
    this.window = { low: Array(this.dimensions).fill(-Infinity), high: Array(this.dimensions).fill(Infinity) };
    conditions.forEach(({ column, strategy }, i) => { if (column === 1) narrow(this.window, strategy, values[i]!); });
  }

  get root(): Cell { return new Cell('\x00'.repeat(this.size), 0, this.dimensions); }

  /** Its entries, where they are few or all have the same key; otherwise its two halves. */
  open(cell: Cell): Entry[] | Cell[] {
    checkForInterrupts();
    const { first, last } = cellEnds(cell.key, cell.bits), range = { from: VALUE + first, fromInclusive: true, to: VALUE + last, toInclusive: true };
    const entries: Entry[] = [];
    const scan = beginIndexScan(this.info, range, false, this.cid);
    let common = cell.bits;
    try {
      while (scan.next()) {
        entries.push({ key: scan.key.slice(1, 1 + this.size), row: scan.rowId });
        if (entries.length !== LEAF_ENTRIES) continue;
        common = commonBits(entries[0]!.key, this.lastKey(range));
        if (common < 8 * this.size) break;
      }
    } finally {
      scan.close();
    }
    if (entries.length < LEAF_ENTRIES || common === 8 * this.size) return entries;
    const { first: lower } = cellEnds(entries[0]!.key, common);
    return [new Cell(lower, common + 1, this.dimensions), new Cell(withBit(lower, common), common + 1, this.dimensions)];
  }

  private lastKey(range: KeyRange): string {
    const scan = beginIndexScan(this.info, range, true, this.cid);
    try {
      scan.next();
      return scan.key.slice(1, 1 + this.size);
    } finally {
      scan.close();
    }
  }
}

function rowsBetween(info: IndexInfo, range: KeyRange, cid: number): RowId[] {
  const rows: RowId[] = [];
  const scan = beginIndexScan(info, range, false, cid);
  try {
    while (scan.next()) if ((rows.push(scan.rowId) & 255) === 0) checkForInterrupts();
  } finally {
    scan.close();
  }
  return rows;
}

/** The rows that may meet all conditions, in any order. */
export function lossyRows(info: IndexInfo, conditions: readonly LossyCondition[], values: readonly Datum[], cid: number): RowId[] {
  if (conditions.some((_, i) => (values[i] ?? null) === null)) return [];
  if (SPATIAL_DIMENSIONS[info.columns[0]!.opclass] === undefined) {
    const range = { ...ALL };
    conditions.forEach(({ column, strategy }, i) => { if (column === 1) limit(range, info, strategy, values[i]!); });
    return range.to !== null && range.to <= range.from ? [] : rowsBetween(info, range, cid);
  }
  if (!conditions.some((c) => c.column === 1)) return rowsBetween(info, ALL, cid);
  const reader = new CellReader(info, conditions, values, cid);
  const rows: RowId[] = [];
  const visit = (cell: Cell): void => {
    for (const part of reader.open(cell)) {
      if (!(part instanceof Cell)) rows.push(part.row);
      else if (part.meets(reader.window)) visit(part);
    }
  };
  visit(reader.root);
  return rows;
}

// ---- places in an order that hold what is looked for

const RANGE_EMPTY = 1, LOWER_INCLUSIVE = 2, UPPER_INCLUSIVE = 4, LOWER_INFINITE = 8, UPPER_INFINITE = 16;

/** Narrows a range of keys to those that a condition may be true of. */
function limit(range: KeyRange, info: IndexInfo, strategy: number, value: Datum): void {
  const { columns } = info;
  const from = (key: string): void => { if (key > range.from) range.from = key; };
  const to = (key: string | null): void => { if (key !== null && (range.to === null || key < range.to)) range.to = key; };
  const prefix = (key: string): void => {
    from(key);
    to(successor(key));
  };
  if (typeof value === 'string' && strategy === 28) prefix(beginning(columns, value));
  else if (value instanceof Inet && (strategy === 24 || strategy === 25)) {
    prefix(encodePrefix(columns, [value]).slice(0, 1 + value.bits));
  } else if (RANGE_FAMILIES.includes(columns[0]!.opfamily)) limitRanges(value, strategy, info, to);
}
/** What the keys of all texts with these first characters begin with. */
function beginning(columns: readonly IndexColumn[], text: string): string {
  const { key, cut } = encodeBound([columns[0]!], [text]);
  return cut ? key : key.slice(0, -1);
}

const RANGE_FAMILIES: readonly Oid[] = [3919, 3474];

/** Ranges stand in the order of their lower bounds: those that begin behind the end of another do not meet it. */
function limitRanges(value: Datum, strategy: number, info: IndexInfo, to: (key: string | null) => void): void {
  const range = strategy === 16 ? new RangeValue(info.columns[0]!.typeOid, value, value, LOWER_INCLUSIVE | UPPER_INCLUSIVE) : value;
  if (!(range instanceof RangeValue) || (range.flags & (RANGE_EMPTY | UPPER_INFINITE)) !== 0 || ![1, 2, 3, 6, 7, 8, 16].includes(strategy)) return;
  if (strategy === 7 && (range.flags & LOWER_INFINITE) !== 0) return;
  const behind = new RangeValue(range.typeOid, range.upper, null, LOWER_INCLUSIVE | UPPER_INFINITE);
  to(successor(encodeBound([info.columns[0]!], [behind]).key));
}

// ---- the nearest ones first

interface Waiting { distance: number | null; cell: Cell | null; row: RowId; exact: boolean }

/** Rows in the order of their distance from a point, those without one at the end. `distanceOf`: a row's own, null also where
 * it is gone. */
export class NearestRows {
  private readonly reader: CellReader;
  private readonly heap: Waiting[] = [];
  private readonly from: Point;
  private readonly distanceOf: (row: RowId) => number | null;

  constructor(info: IndexInfo, conditions: readonly LossyCondition[], values: readonly Datum[], point: Datum, distanceOf: (row: RowId) => number | null, cid: number) {
    this.reader = new CellReader(info, conditions, values, cid);
    this.distanceOf = distanceOf;
    this.from = point instanceof Point ? point : new Point(NaN, NaN);
    if (conditions.some((_, i) => (values[i] ?? null) === null)) return;
    this.push({ distance: 0, cell: this.reader.root, row: 0, exact: false });
    if (conditions.length > 0) return;
    for (const row of [...rowsBetween(info, { ...ALL, to: '\x01' }, cid), ...rowsBetween(info, { ...ALL, from: '\xff' }, cid)]) this.push({ distance: null, cell: null, row, exact: true });
  }

  next(): RowId | undefined {
    for (;;) {
      const first = this.pop();
      if (first === undefined) return undefined;
      if (first.exact) return first.row;
      if (first.cell === null) {
        this.push({ ...first, distance: this.distanceOf(first.row), exact: true });
        continue;
      }
      for (const part of this.reader.open(first.cell)) {
        if (part instanceof Cell) {
          if (part.meets(this.reader.window)) this.push({ distance: this.atLeast(part.low, part.high), cell: part, row: 0, exact: false });
          continue;
        }
        const place = mortonCoordinates(part.key, this.reader.dimensions);
        this.push({ distance: this.atLeast(place, place), cell: null, row: part.row, exact: false });
      }
    }
  }

  /** No value whose coordinates lie between these is nearer. */
  private atLeast(low: readonly number[], high: readonly number[]): number {
    const { x, y } = this.from, last = high.length - 2;
    const dx = Math.max(0, low[0]! - x, x - high[last]!), dy = Math.max(0, low[1]! - y, y - high[last + 1]!);
    const distance = Math.hypot(dx, dy) * (1 - 1e-14);
    return Number.isNaN(distance) ? 0 : distance;
  }

  private push(item: Waiting): void {
    const { heap } = this;
    let i = heap.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (compare(heap[parent]!, item) <= 0) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = item;
  }

  private pop(): Waiting | undefined {
    const { heap } = this, first = heap[0], last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) < 0) child++;
      if (compare(last, heap[child]!) <= 0) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

/** NaN comes after all numbers, no distance after that; rows before what may hold others as near. */
function compare(a: Waiting, b: Waiting): number {
  const rank = (w: Waiting): number => (w.distance === null ? 2 : Number.isNaN(w.distance) ? 1 : 0);
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  return rank(a) === 0 && a.distance !== b.distance ? a.distance! - b.distance! : Number(b.exact) - Number(a.exact);
}
