// Searches of gist and spgist indexes for what is no place in an order (gistget.c, spgscan.c): points and boxes within or beside
// others, the nearest ones; ranges; networks and texts that begin so. Rows found are to be looked at again.
//
// Points, boxes and ranges stand in Morton's order (spatial_key.ts). What is asked of them is a window: between which coordinates they lie.
// A search reads from the first key that may lie in it; behind one that does not, it goes on at the next one that may.
import { PgError } from '../../common/errors.ts';
import type { IndexColumn, IndexInfo } from '../catalog/relation.ts';
import { type Datum, MultirangeValue, RangeValue } from '../types/datum.ts';
import { Point } from '../types/geo_types.ts';
import { typeHooks } from '../types/hooks.ts';
import { Inet } from '../types/inet_text.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { RELATION } from '../utils/pgstat_shmem.ts';
import { isInverted } from './gin.ts';
import { beginIndexScan } from './index.ts';
import { boundCodes, encodeBound, encodePrefix, type KeyRange, RANGE_EMPTY_KEY, RANGE_PLACED, successor } from './key.ts';
import type { RowId } from './row.ts';
import { boundsOf, floatCode, highCode, lowCode, mortonCoordinates, mortonKey, nextWithin, RANGE_OPCLASSES, SPATIAL_DIMENSIONS } from './spatial_key.ts';

/** `column <operator of this strategy> value`; `equal`: the operator is an equality that the index's order knows. */
export interface LossyCondition { column: number; strategy: number; equal?: boolean }

const VALUE = '\x02';
/** So many keys outside of the window are read over before the next one that may lie in it is looked for. */
const STEPS = 4;

/** Where to look: in the order of keys, or in a window of Morton's order. */
type Place = KeyRange | { prefix: string; low: string; high: string; dimensions: number };

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

/** The window as codes. */
const windowCodes = ({ low, high }: Window, prefix: string): Place =>
  ({ prefix: prefix + VALUE, low: mortonKey(low.map(lowCode)), high: mortonKey(high.map(highCode)), dimensions: low.length });

const everything = (dimensions: number): Window => ({ low: Array<number>(dimensions).fill(-Infinity), high: Array<number>(dimensions).fill(Infinity) });

const beginningWith = (prefix: string): KeyRange => ({ from: prefix, fromInclusive: true, to: successor(prefix), toInclusive: false });

/** Is shown a row, and the Morton key where it was found by one. */
type Visit = (row: RowId, key: string) => void;

function readRange(info: IndexInfo, range: KeyRange, cid: number, visit: Visit): void {
  const scan = beginIndexScan(info, range, false, cid);
  let n = 0;
  try {
    while (scan.next()) {
      if ((++n & 255) === 0) checkForInterrupts();
      visit(scan.rowId, '');
    }
  } finally {
    scan.close();
  }
}

/** One scan, as the statistics count, is several of ours. */
const uncountScan = (info: IndexInfo): void => { info.index.counts[RELATION.scans]!--; };

function readPlace(info: IndexInfo, place: Place, cid: number, visit: Visit): void {
  uncountScan(info);
  if ('from' in place) {
    if (place.to === null || place.from < place.to) readRange(info, place, cid, visit);
    return;
  }
  const { prefix, low, high, dimensions } = place, start = prefix.length, end = start + low.length;
  for (let next: string | null = low; next !== null;) {
    checkForInterrupts();
    const scan = beginIndexScan(info, { from: prefix + next, fromInclusive: true, to: prefix + high, toInclusive: true }, false, cid);
    let steps = 0, n = 0;
    try {
      for (;;) {
        if (!scan.next()) return;
        if ((++n & 255) === 0) checkForInterrupts();
        const key = scan.key.slice(start, end);
        if (key < next) {
          if (++steps < STEPS) continue;
          steps = 0;
          if (scan.skipTo(prefix + next)) continue;
          break;
        }
        next = nextWithin(key, low, high, dimensions);
        if (next === null) return;
        if (next === key) visit(scan.rowId, key);
        steps = 0;
      }
    } finally {
      scan.close();
    }
    uncountScan(info);
  }
}

/** The rows that may meet all conditions, in any order. */
export function lossyRows(info: IndexInfo, conditions: readonly LossyCondition[], values: readonly Datum[], cid: number): RowId[] {
  const rows: RowId[] = [];
  if (conditions.some((_, i) => (values[i] ?? null) === null)) return rows;
  refuseOldKeys(info);
  // Leading columns by their equality, then one by its place.
  const equals: Datum[] = [];
  for (;;) {
    const at = conditions.findIndex((c) => c.equal === true && c.column === equals.length + 1);
    if (at < 0) break;
    equals.push(values[at]!);
  }
  const prefix = encodePrefix(info.columns, equals), column = equals.length + 1;
  const own = conditions.flatMap((c, i) => (c.column === column ? [{ strategy: c.strategy, value: values[i]! }] : []));
  for (const place of placesOf(info, prefix, column - 1, own)) readPlace(info, place, cid, (row) => { rows.push(row); });
  info.index.counts[RELATION.scans]!++;
  return rows;
}

interface Asked { strategy: number; value: Datum }

/** Where the values of a column are that may meet all conditions. A row may be found in several places. */
function placesOf(info: IndexInfo, prefix: string, at: number, conditions: readonly Asked[]): Place[] {
  const column = info.columns[at];
  if (conditions.length === 0 || column === undefined) return [beginningWith(prefix)];
  const dimensions = SPATIAL_DIMENSIONS[column.opclass];
  if (dimensions !== undefined) {
    const window = everything(dimensions);
    for (const { strategy, value } of conditions) narrow(window, strategy, value);
    return window.low.some((v, d) => v > window.high[d]!) ? [] : [windowCodes(window, prefix)];
  }
  if (RANGE_OPCLASSES.has(column.opclass)) return rangePlaces(prefix, column, conditions);
  const [{ strategy, value }] = conditions as [Asked];
  if (typeof value === 'string' && strategy === 28) return [beginningWith(prefix + beginning(column, value))];
  return value instanceof Inet ? networkPlaces(prefix, column, strategy, value) : [beginningWith(prefix)];
}

/** What the keys of all texts with these first characters begin with. */
function beginning(column: IndexColumn, text: string): string {
  const { key, cut } = encodeBound([column], [text]);
  return cut ? key : key.slice(0, -1);
}

/** A network's key begins with its bits, then it has a zero byte: what lies in it goes on with more bits, what it lies in has fewer. */
function networkPlaces(prefix: string, column: IndexColumn, strategy: number, value: Inet): Place[] {
  const bits = encodePrefix([column], [value]).slice(0, 1 + value.bits);
  const within = beginningWith(prefix + bits), around: Place[] = [];
  for (let n = strategy === 27 ? value.bits : value.bits - 1; n >= 0; n--) around.push(beginningWith(`${prefix}${bits.slice(0, 1 + n)}\x00`));
  switch (strategy) {
    case 3: return [within, ...around];
    case 24: case 25: return [within];
    case 26: case 27: return around;
    default: return [beginningWith(prefix)];
  }
}

// ---- ranges

const LOWER_INCLUSIVE = 2, UPPER_INCLUSIVE = 4;
/** What overlaps one of so many ranges is looked for range by range. */
const MANY_RANGES = 50;

/** Between which codes the bounds of ranges must lie. */
interface BoundWindow { lower: [string, string]; upper: [string, string] }

function rangePlaces(prefix: string, column: IndexColumn, conditions: readonly Asked[]): Place[] {
  let windows: BoundWindow[] | null = null, withEmpty = true;
  for (const { strategy, value } of conditions) {
    const asked = strategy === 16 ? elementRange(column, value) : value as RangeValue | MultirangeValue, codes = boundCodes(asked);
    if (codes === null) {
      // An empty range: everything contains it; it is contained in and equal to itself.
      if (strategy === 7) continue;
      windows = [];
      if (strategy !== 8 && strategy !== 18) withEmpty = false;
      continue;
    }
    if (strategy !== 8) withEmpty = false;
    const asks = strategy === 3 && asked instanceof MultirangeValue && asked.ranges.length <= MANY_RANGES
      ? asked.ranges.flatMap((range) => boundWindows(strategy, boundCodes(range)!)) : boundWindows(strategy, codes);
    windows = windows === null ? asks : windows.flatMap((w) => asks.map((a) => meet(w, a)));
  }
  const places: Place[] = withEmpty ? [beginningWith(prefix + RANGE_EMPTY_KEY)] : [];
  if (windows === null) return [...places, beginningWith(prefix + RANGE_PLACED)];
  for (const { lower, upper } of windows) {
    if (lower[0] > lower[1] || upper[0] > upper[1]) continue;
    places.push({ prefix: prefix + RANGE_PLACED, low: mortonKey([lower[0], upper[0]]), high: mortonKey([lower[1], upper[1]]), dimensions: 2 });
  }
  return places;
}

function elementRange({ typeOid }: IndexColumn, value: Datum): RangeValue {
  const range = typeHooks.rangeInfo(typeHooks.typeIo(typeOid).basetype).typeOid;
  return new RangeValue(range, value, value, LOWER_INCLUSIVE | UPPER_INCLUSIVE);
}

function boundWindows(strategy: number, { lower, upper }: { lower: string; upper: string }): BoundWindow[] {
  const least = '\x00'.repeat(lower.length), greatest = '\xff'.repeat(lower.length), any: [string, string] = [least, greatest];
  switch (strategy) {
    case 1: return [{ lower: any, upper: [least, lower] }];
    case 2: return [{ lower: any, upper: [least, upper] }];
    case 3: return [{ lower: [least, upper], upper: [lower, greatest] }];
    case 4: return [{ lower: [lower, greatest], upper: any }];
    case 5: return [{ lower: [upper, greatest], upper: any }];
    case 6: return [{ lower: any, upper: [lower, lower] }, { lower: [upper, upper], upper: any }];
    case 7: case 16: return [{ lower: [least, lower], upper: [upper, greatest] }];
    case 8: return [{ lower: [lower, greatest], upper: [least, upper] }];
    case 18: return [{ lower: [lower, lower], upper: [upper, upper] }];
    default: return [{ lower: any, upper: any }];
  }
}

const meet = (a: BoundWindow, b: BoundWindow): BoundWindow => ({ lower: common(a.lower, b.lower), upper: common(a.upper, b.upper) });
const common = ([a, b]: [string, string], [c, d]: [string, string]): [string, string] => [a > c ? a : c, b < d ? b : d];

const known = new WeakSet<IndexInfo>();

/** Indexes over ranges that were built when keys were in the order of their lower bounds, over tsvector when a row had one key. */
export function refuseOldKeys(info: IndexInfo): void {
  if (known.has(info) || !(RANGE_OPCLASSES.has(info.columns[0]!.opclass) || isInverted(info))) return;
  const scan = beginIndexScan(info, beginningWith(VALUE), false, Infinity);
  const isOld = scan.next();
  scan.close();
  uncountScan(info);
  if (isOld) throw new PgError('index_corrupted', `index "${info.index.name}" has keys of an earlier version`, { hint: 'Please REINDEX it.' });
  known.add(info);
}

// ---- the nearest ones first

/** `exact`: the distance is the row's; else it is no nearer. */
interface Waiting { distance: number | null; row: RowId; exact: boolean }

/** So many entries on each side of the place of a point give a first idea of how far away its neighbours are. */
const NEIGHBOURS = 16;
/** After so many wider windows with nothing new all the rest is read. */
const EMPTY_WINDOWS = 12;

/** Rows in the order of their distance from a point, those without one at the end. Windows around the point are searched, each
 * wider than the one before. `distanceOf`: a row's own, null also where it is gone. */
export class NearestRows {
  private readonly info: IndexInfo;
  private readonly cid: number;
  private readonly window: Window;
  private readonly from: Point;
  private readonly distanceOf: (row: RowId) => number | null;
  private readonly withNulls: boolean;
  private readonly seen = new Set<RowId>();
  private readonly heap: Waiting[] = [];
  /** What is as near as this was found. */
  private radius = -1;
  private emptyWindows = 0;

  constructor(info: IndexInfo, conditions: readonly LossyCondition[], values: readonly Datum[], point: Datum, distanceOf: (row: RowId) => number | null, cid: number) {
    this.info = info;
    this.cid = cid;
    this.distanceOf = distanceOf;
    this.from = point instanceof Point ? point : new Point(NaN, NaN);
    this.window = everything(SPATIAL_DIMENSIONS[info.columns[0]!.opclass]!);
    this.withNulls = conditions.length === 0;
    if (conditions.some((_, i) => (values[i] ?? null) === null)) this.radius = Infinity;
    else conditions.forEach(({ column, strategy }, i) => { if (column === 1) narrow(this.window, strategy, values[i]!); });
  }

  next(): RowId | undefined {
    for (;;) {
      const first = this.heap[0];
      if (this.radius < Infinity && (first === undefined || first.distance === null || !(first.distance <= this.radius))) {
        this.widen();
        continue;
      }
      if (first === undefined) return undefined;
      this.pop();
      if (first.exact) return first.row;
      this.push({ row: first.row, distance: this.distanceOf(first.row), exact: true });
    }
  }

  private widen(): void {
    const { info, cid, from: { x, y }, window, seen } = this, before = seen.size;
    const radius = this.radius = this.radius < 0 ? this.firstRadius() : this.nextRadius();
    const low = [...window.low], high = [...window.high], last = low.length - 2;
    if (radius < Infinity) {
      // A box is as near as its nearest point.
      for (const [d, v] of [x, y].entries()) {
        low[last + d] = Math.max(low[last + d]!, below(v - radius));
        high[d] = Math.min(high[d]!, above(v + radius));
      }
    }
    if (low.every((v, d) => v <= high[d]!)) {
      readPlace(info, windowCodes({ low, high }, ''), cid, (row, key) => {
        if (seen.has(row)) return;
        seen.add(row);
        this.push({ row, distance: this.atLeast(key), exact: false });
      });
    }
    if (radius === Infinity && this.withNulls) {
      for (const mark of ['\x00', '\xff']) readPlace(info, beginningWith(mark), cid, (row) => this.push({ row, distance: null, exact: true }));
    }
    this.emptyWindows = seen.size === before ? this.emptyWindows + 1 : 0;
  }

  /** No value with this key is nearer. */
  private atLeast(key: string): number {
    const { x, y } = this.from, place = mortonCoordinates(key, this.window.low.length), last = place.length - 2;
    const dx = Math.max(0, place[0]! - x, x - place[last]!), dy = Math.max(0, place[1]! - y, y - place[last + 1]!);
    const distance = Math.hypot(dx, dy) * (1 - 1e-14);
    return Number.isNaN(distance) ? 0 : distance;
  }

  /** As far as some of those are that stand beside the point in the index. */
  private firstRadius(): number {
    const { info, cid, from: { x, y }, window } = this;
    const key = VALUE + mortonKey(window.low.map((_, d) => floatCode(d % 2 === 0 ? x : y)));
    const distances: number[] = [];
    for (const reverse of [false, true]) {
      const range = reverse ? { from: VALUE, fromInclusive: true, to: key, toInclusive: false } : { from: key, fromInclusive: true, to: successor(VALUE), toInclusive: false };
      const scan = beginIndexScan(info, range, reverse, cid);
      uncountScan(info);
      for (let n = 0; n < NEIGHBOURS && scan.next(); n++) distances.push(this.atLeast(scan.key.slice(1, key.length)));
      scan.close();
    }
    if (distances.length < 2 * NEIGHBOURS) return Infinity;
    return distances.sort((a, b) => a - b)[NEIGHBOURS >> 1]!;
  }

  private nextRadius(): number {
    const { radius, emptyWindows } = this, beyond = this.heap[0]?.distance ?? Infinity;
    if (emptyWindows > EMPTY_WINDOWS) return Infinity;
    if (radius === 0) return beyond > 0 ? beyond : Infinity;
    return Math.max(1.5 * radius * 2 ** emptyWindows, Number.isFinite(beyond) ? beyond : 0);
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

  private pop(): void {
    const { heap } = this, last = heap.pop()!;
    if (heap.length === 0) return;
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
  }
}

/** NaN comes after all numbers, no distance after that; rows before what may be as near. */
function compare(a: Waiting, b: Waiting): number {
  const rank = (w: Waiting): number => (w.distance === null ? 2 : Number.isNaN(w.distance) ? 1 : 0);
  const order = rank(a) - rank(b);
  if (order !== 0) return order;
  return rank(a) === 0 && a.distance !== b.distance ? a.distance! - b.distance! : Number(b.exact) - Number(a.exact);
}
