// Keys of what has several coordinates (gist and spgist over point, box, circle, polygon, ranges, multiranges): the bits of the coordinates taken in
// turn, the highest ones first (Morton's order), so that what lies near each other in space mostly does so in the index. A box has four
// coordinates and is thus a point among boxes; circles and polygons go by the box around them. A range is a point, too: its bounds are
// two coordinates.
//
// A coordinate is a code: bytes in its order, of one length in an index.
import type { Datum, Oid } from '../types/datum.ts';
import { Box, Circle, Point, Polygon } from '../types/geo_types.ts';

/** Operator classes over shapes, and how many coordinates their values have. */
export const SPATIAL_DIMENSIONS: Readonly<Record<Oid, number>> = { 10060: 4, 10061: 2, 10062: 4, 10063: 4, 10083: 4, 10084: 2, 10085: 2, 10087: 4 };
/** Of gist and spgist over ranges and multiranges. */
export const RANGE_OPCLASSES: ReadonlySet<Oid> = new Set([10078, 10079, 10082]);

const { fromCharCode } = String;

/** The box around a value. */
export function boundsOf(value: Datum): Box {
  if (value instanceof Point) return new Box(value, value);
  if (value instanceof Polygon) return value.box;
  if (value instanceof Circle) {
    const { center: { x, y }, radius: r } = value;
    return new Box(new Point(x + r, y + r), new Point(x - r, y - r));
  }
  return value as Box;
}

export function coordinates(value: Datum, dimensions: number): number[] {
  const { high, low } = boundsOf(value);
  return dimensions === 2 ? [low.x, low.y] : [low.x, low.y, high.x, high.y];
}

const view = new DataView(new ArrayBuffer(8));
const LEAST = '\x00'.repeat(8), GREATEST = '\xff'.repeat(8);

/** The code of a number. NaN comes after everything. */
export function floatCode(v: number): string {
  if (v !== v) return GREATEST;
  view.setFloat64(0, v === 0 ? 0 : v);
  let high = view.getUint32(0), low = view.getUint32(4);
  if (high >= 0x80000000) { high = ~high; low = ~low; } else high |= 0x80000000;
  return fromCharCode(high >>> 24, (high >>> 16) & 255, (high >>> 8) & 255, high & 255, low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255);
}

/** Codes that bound the values of a window: what is infinite is no bound. */
export const lowCode = (v: number): string => (v === -Infinity ? LEAST : floatCode(v));
export const highCode = (v: number): string => (v === Infinity ? GREATEST : floatCode(v));

/** A byte with so many zero bits behind each of its bits, less one. */
function spread(dimensions: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let out = 0;
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) out |= 1 << (bit * dimensions);
    return out;
  });
}
const SPREAD_2 = spread(2), SPREAD_4 = spread(4);

/** The Morton key of two or four codes. */
export function mortonKey(codes: readonly string[]): string {
  const { length } = codes[0]!;
  let key = '';
  if (codes.length === 2) {
    const [a, b] = codes as [string, string];
    for (let i = 0; i < length; i++) {
      const bits = (SPREAD_2[a.charCodeAt(i)]! << 1) | SPREAD_2[b.charCodeAt(i)]!;
      key += fromCharCode(bits >>> 8, bits & 255);
    }
    return key;
  }
  const [a, b, c, d] = codes as [string, string, string, string];
  for (let i = 0; i < length; i++) {
    const bits = (SPREAD_4[a.charCodeAt(i)]! << 3) | (SPREAD_4[b.charCodeAt(i)]! << 2) | (SPREAD_4[c.charCodeAt(i)]! << 1) | SPREAD_4[d.charCodeAt(i)]!;
    key += fromCharCode(bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255);
  }
  return key;
}

/** The numbers of a Morton key; what is no number counts as infinite. */
export function mortonCoordinates(key: string, dimensions: number): number[] {
  const values: number[] = [], gather = dimensions === 2 ? GATHER_2 : GATHER_4;
  for (let d = 0; d < dimensions; d++) {
    let high = 0, low = 0;
    const own = gather[d]!, bits = 8 / dimensions, half = 4 * dimensions;
    for (let i = 0; i < half; i++) {
      high = (high << bits) | own[key.charCodeAt(i)]!;
      low = (low << bits) | own[key.charCodeAt(i + half)]!;
    }
    high >>>= 0;
    if (high >= INFINITY_HIGH) values.push(Infinity);
    else if (high <= MINUS_INFINITY_HIGH) values.push(-Infinity);
    else {
      if (high >= 0x80000000) high &= 0x7fffffff;
      else { high = ~high; low = ~low; }
      view.setUint32(0, high);
      view.setUint32(4, low);
      values.push(view.getFloat64(0));
    }
  }
  return values;
}
/** What a byte of a Morton key has of each dimension. */
const gathered = (dimensions: number): Uint8Array[] => Array.from({ length: dimensions }, (_, d) => Uint8Array.from({ length: 256 }, (_b, byte) => {
  let out = 0;
  for (let at = d; at < 8; at += dimensions) out = (out << 1) | ((byte >> (7 - at)) & 1);
  return out;
}));
const GATHER_2 = gathered(2), GATHER_4 = gathered(4);
const INFINITY_HIGH = 0xfff00000, MINUS_INFINITY_HIGH = 0x000fffff;

const bitOf = (key: string, p: number): number => (key.charCodeAt(p >> 3) >> (7 - (p & 7))) & 1;

/** The least key not less than this one whose coordinates all lie between those of `low` and `high`; null: there is none. */
export function nextWithin(key: string, low: string, high: string, dimensions: number): string | null {
  const { length } = key;
  let same = 0;
  while (same < length && key.charCodeAt(same) === low.charCodeAt(same) && key.charCodeAt(same) === high.charCodeAt(same)) same++;
  // Dimensions whose coordinate is that of `low`, of `high` so far: the others are bound by it no more.
  let atLow = (1 << dimensions) - 1, atHigh = atLow;
  // The last place where a greater key may turn off, and what is at `low` then.
  let turn = -1, lowAtTurn = 0, isWithin = true;
  search: for (let i = same; i < length && (atLow | atHigh) !== 0; i++) {
    const k = key.charCodeAt(i), l = low.charCodeAt(i), h = high.charCodeAt(i);
    for (let bit = 128, p = 8 * i; bit !== 0; bit >>= 1, p++) {
      // Dimensions are two or four.
      const mask = 1 << (p & (dimensions - 1));
      if ((k & bit) === 0) {
        if ((atHigh & mask) === 0 || (h & bit) !== 0) {
          turn = p;
          lowAtTurn = (l & bit) === 0 ? atLow & ~mask : atLow;
        }
        if ((l & bit) !== 0 && (atLow & mask) !== 0) {
          isWithin = false;
          break search;
        }
        if ((h & bit) !== 0) atHigh &= ~mask;
      } else {
        if ((h & bit) === 0 && (atHigh & mask) !== 0) {
          isWithin = false;
          break search;
        }
        if ((l & bit) === 0) atLow &= ~mask;
      }
    }
  }
  if (isWithin) return key;
  if (turn < 0) return null;
  const whole = turn >> 3;
  let next = key.slice(0, whole);
  for (let i = whole; i < length; i++) {
    let byte = 0;
    for (let q = 8 * i; q < 8 * i + 8; q++) {
      const bit = q < turn ? bitOf(key, q) : q === turn ? 1 : (lowAtTurn & (1 << (q & (dimensions - 1)))) === 0 ? 0 : bitOf(low, q);
      byte = (byte << 1) | bit;
    }
    next += fromCharCode(byte);
  }
  return next;
}
