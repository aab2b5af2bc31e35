// What ANALYZE finds in values that are made of others: the most common elements of arrays and lexemes of tsvectors, how many
// elements an array has, and the bounds of ranges (PostgreSQL's array_typanalyze.c, ts_typanalyze.c, rangetypes_typanalyze.c). All elements of the sample are counted, where
// PostgreSQL lets those go that turn out to be rare.
import type { Comparator } from '../types/compare.ts';
import { rangeLine, type RangeStatistics } from '../optimizer/range_selectivity.ts';
import type { ArrayValue, Datum, Oid, RangeValue } from '../types/datum.ts';
import { compareBounds, isEmpty, lowerOf, uncheckedRange, upperOf } from '../types/rangetypes.ts';
import type { TsVector } from '../types/tsvector.ts';

/** Elements that are kept for each unit of the statistics target. */
const ELEMENTS_PER_TARGET = 10;

/** `frequencies`: of the values, then the lowest and the highest of them. All are shares of the values that are not null. */
export interface CommonElements { values: Datum[]; frequencies: number[] }
export interface ArrayStatistics { common: CommonElements | null; /** Rows with a null element, as a share. */ withNull: number; counts: number[] }

/** Those of the elements that are clearly common, in order; `width` is the number of elements between two clearances of PostgreSQL's. */
function mostCommon<T>(counted: Iterable<[T, number]>, elements: number, values: number, most: number, width: number, compare: (a: T, b: T) => number): { kept: T[]; frequencies: number[] } | null {
  const cutoff = Math.floor((9 * elements) / width);
  let found = [...counted].filter(([, n]) => n > cutoff);
  if (found.length === 0) return null;
  if (found.length > most) found = found.sort((a, b) => b[1] - a[1]).slice(0, most);
  const numbers = found.map(([, n]) => n), low = numbers.reduce((a, b) => Math.min(a, b)), high = numbers.reduce((a, b) => Math.max(a, b));
  found.sort((a, b) => compare(a[0], b[0]));
  return { kept: found.map(([e]) => e), frequencies: [...found.map(([, n]) => n), low, high].map((n) => Math.fround(n / values)) };
}

/** `keyOf` gives the same for elements that are equal. */
export function arrayStatistics(arrays: readonly Datum[], target: number, compare: Comparator, keyOf: (element: Datum) => unknown): ArrayStatistics {
  const counted = new Map<unknown, { element: Datum; rows: number }>();
  const sizes = new Map<number, number>();
  let elements = 0, withNull = 0;
  for (const array of arrays) {
    const seen = new Set<unknown>();
    let hasNull = false;
    for (const element of (array as ArrayValue).values) {
      if (element === null) hasNull = true;
      else {
        const key = keyOf(element);
        if (seen.has(key)) continue;
        seen.add(key);
        const known = counted.get(key);
        if (known === undefined) counted.set(key, { element, rows: 1 });
        else known.rows++;
      }
    }
    if (hasNull) withNull++;
    elements += seen.size;
    sizes.set(seen.size, (sizes.get(seen.size) ?? 0) + 1);
  }
  const most = target * ELEMENTS_PER_TARGET;
  const common = mostCommon([...counted.values()].map(({ element, rows }): [Datum, number] => [element, rows]), elements, arrays.length, most, Math.floor((most * 1000) / 7), compare);
  return {
    common: common === null ? null : { values: common.kept, frequencies: common.frequencies }, withNull: withNull / arrays.length,
    counts: [...countHistogram([...sizes].sort((a, b) => a[0] - b[0]), Math.max(target, 2), arrays.length), Math.fround(elements / arrays.length)],
  };
}

/** Numbers of distinct elements that part the arrays into equal parts. */
function countHistogram(sizes: readonly [number, number][], bounds: number, arrays: number): number[] {
  const result: number[] = [];
  let at = 0, left = sizes[0]![1] * (bounds - 1);
  for (let i = 0; i < bounds; i++) {
    while (left <= 0) left += sizes[++at]![1] * (bounds - 1);
    result.push(sizes[at]![0]);
    left -= arrays - 1;
  }
  return result;
}

/** By length first, as PostgreSQL keeps lexemes. */
const compareLexemes = (a: Uint8Array, b: Uint8Array): number => a.length - b.length || Buffer.compare(a, b);

export function lexemeStatistics(vectors: readonly Datum[], target: number): CommonElements | null {
  const counted = new Map<string, number>();
  let lexemes = 0;
  for (const vector of vectors) {
    for (const { text } of (vector as TsVector).lexemes) counted.set(text, (counted.get(text) ?? 0) + 1);
    lexemes += (vector as TsVector).lexemes.length;
  }
  const most = target * ELEMENTS_PER_TARGET, bytes = [...counted].map(([text, n]): [Buffer, number] => [Buffer.from(text), n]);
  const common = mostCommon(bytes, lexemes, vectors.length, most, Math.floor(((most + 10) * 1000) / 7), compareLexemes);
  return common === null ? null : { values: common.kept.map((b) => b.toString()), frequencies: common.frequencies };
}

/** Histograms of ranges (rangetypes_typanalyze.c): their bounds, each side by itself; their lengths; the share of empty ones. */
export function rangeStatistics(ranges: readonly Datum[], type: Oid, target: number): RangeStatistics {
  const full = (ranges as readonly RangeValue[]).filter((r) => !isEmpty(r)), empty = Math.fround((ranges.length - full.length) / ranges.length);
  if (full.length < 2) return { bounds: null, lengths: [], empty };
  const { compare, difference } = rangeLine(type);
  const lowers = full.map(lowerOf).sort((a, b) => compareBounds(compare, a, b)), uppers = full.map(upperOf).sort((a, b) => compareBounds(compare, a, b));
  const lengths = full.map((r) => {
    const low = lowerOf(r), high = upperOf(r);
    return low.infinite || high.infinite ? Infinity : difference === null ? 1 : difference(high.value, low.value);
  }).sort((a, b) => a - b);
  const count = full.length > target ? target + 1 : full.length;
  const places = Array.from({ length: count }, (_x, i) => Math.floor((i * (full.length - 1)) / (count - 1)));
  return { bounds: places.map((at) => uncheckedRange(type, lowers[at]!, uppers[at]!)), lengths: places.map((at) => lengths[at]!), empty };
}
