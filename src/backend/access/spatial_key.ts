// Keys of points and boxes (gist and spgist over point, box, circle, polygon): the bits of their coordinates taken in turn, the
// highest ones first (Morton's order), so that keys with a common beginning lie in a common box of space. A box has four
// coordinates and is thus a point among boxes. Circles and polygons go by the box around them.
import type { Datum, Oid } from '../types/datum.ts';
import { Box, Circle, Point, Polygon } from '../types/geo_types.ts';

/** Operator classes, and how many coordinates their values have. */
export const SPATIAL_DIMENSIONS: Readonly<Record<Oid, number>> = { 10060: 4, 10061: 2, 10062: 4, 10063: 4, 10083: 4, 10084: 2, 10085: 2, 10087: 4 };

const view = new DataView(new ArrayBuffer(8));
const INFINITY_HIGH = 0xfff00000, MINUS_INFINITY_HIGH = 0x000fffff;

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

/** The Morton key of coordinates: eight bytes for each. NaN comes after everything. */
export function mortonKey(values: readonly number[]): string {
  const dimensions = values.length, out = new Uint8Array(8 * dimensions);
  values.forEach((v, d) => {
    let high = 0xffffffff, low = 0xffffffff;
    if (v === v) {
      view.setFloat64(0, v === 0 ? 0 : v);
      high = view.getUint32(0);
      low = view.getUint32(4);
      if (high >= 0x80000000) { high = ~high; low = ~low; } else high |= 0x80000000;
    }
    for (let i = 0, at = d; i < 64; i++, at += dimensions) {
      if (((i < 32 ? high >>> (31 - i) : low >>> (63 - i)) & 1) !== 0) out[at >> 3]! |= 128 >> (at & 7);
    }
  });
  return Buffer.from(out.buffer).latin1Slice();
}

/** Coordinates of a key; what is no number counts as infinite. */
export function mortonCoordinates(key: string, dimensions: number): number[] {
  const values: number[] = [];
  for (let d = 0; d < dimensions; d++) {
    let high = 0, low = 0;
    for (let i = 0, at = d; i < 64; i++, at += dimensions) {
      if ((key.charCodeAt(at >> 3) & (128 >> (at & 7))) === 0) continue;
      if (i < 32) high |= 1 << (31 - i);
      else low |= 1 << (63 - i);
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

/** The first and the last key that begin with the first `bits` bits of one. */
export function cellEnds(key: string, bits: number): { first: string; last: string } {
  const whole = bits >> 3, rest = key.length - whole;
  if (rest === 0) return { first: key, last: key };
  const mask = 255 >> (bits & 7), byte = key.charCodeAt(whole);
  const start = key.slice(0, whole);
  return {
    first: start + String.fromCharCode(byte & ~mask) + '\x00'.repeat(rest - 1),
    last: start + String.fromCharCode(byte | mask) + '\xff'.repeat(rest - 1),
  };
}

/** How many bits two keys have in common at their beginning. */
export function commonBits(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i === a.length ? 8 * i : 8 * i + Math.clz32(a.charCodeAt(i) ^ b.charCodeAt(i)) - 24;
}

export function withBit(key: string, bit: number): string {
  const at = bit >> 3;
  return key.slice(0, at) + String.fromCharCode(key.charCodeAt(at) | (128 >> (bit & 7))) + key.slice(at + 1);
}
