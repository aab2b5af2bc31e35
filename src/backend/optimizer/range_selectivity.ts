// How many ranges a condition selects, by histograms of their bounds and of their lengths (PostgreSQL's rangetypes_selfuncs.c).
import { rangeByType } from '../catalog/syscache.ts';
import { callable, functionInfo } from '../executor/fmgr_info.ts';
import { comparatorFor, type Comparator } from '../types/compare.ts';
import { RangeValue, type Datum, type Oid } from '../types/datum.ts';
import { FLOAT8OID } from '../types/oids.ts';
import { compareBounds, isEmpty, lowerOf, uncheckedRange, upperOf, type Bound } from '../types/rangetypes.ts';
import { clampProbability } from './costsize.ts';

/** Ranges whose bounds part the lower ones and the upper ones into equal parts, the same of lengths; the share of empty ranges. */
export interface RangeStatistics { readonly bounds: readonly RangeValue[] | null; readonly lengths: readonly number[]; readonly empty: number }

export interface RangeLine {
  readonly compare: Comparator;
  /** How far two values of the subtype lie apart; null: nobody knows. */
  readonly difference: ((a: Datum, b: Datum) => number) | null;
}

export function rangeLine(type: Oid): RangeLine {
  const { rngsubtype, rngcollation, rngsubdiff } = rangeByType(type)!;
  const info = rngsubdiff === 0 ? null : functionInfo(rngsubdiff);
  const run = info?.builtin === undefined ? null : callable(info, [rngsubtype, rngsubtype], FLOAT8OID, rngcollation);
  return { compare: comparatorFor(rngsubtype, rngcollation), difference: run === null ? null : (a, b) => run(a, b) as number };
}

const DEFAULT_INEQ_SEL = 0.3333333333333333;
/** By the name of the operator's function, with the column on the left: what is taken to be when nothing is known. */
const DEFAULTS = {
  range_overlaps: 0.01, range_contains: 0.005, range_contained_by: 0.005, range_contains_elem: 0.005, elem_contained_by_range: 0.005,
  range_lt: DEFAULT_INEQ_SEL, range_le: DEFAULT_INEQ_SEL, range_gt: DEFAULT_INEQ_SEL, range_ge: DEFAULT_INEQ_SEL,
  range_before: DEFAULT_INEQ_SEL, range_after: DEFAULT_INEQ_SEL, range_overleft: DEFAULT_INEQ_SEL, range_overright: DEFAULT_INEQ_SEL,
};
type Condition = keyof typeof DEFAULTS;
const isCondition = (name: string): name is Condition => name in DEFAULTS;
export const defaultRangeSelectivity = (operator: string): number => (isCondition(operator) ? DEFAULTS[operator] : 0.01);

/** What an empty range is compared with: the share of all others, given that of empty ones. */
const OF_EMPTY: Partial<Record<Condition, (empty: number) => number>> = {
  range_contained_by: (empty) => empty, range_le: (empty) => empty, range_contains: () => 1, range_ge: () => 1, range_gt: (empty) => 1 - empty,
};

/** A share of the ranges that are not null; `value` is a range, or what is to be in one. */
export function rangeSelectivity(type: Oid, stats: RangeStatistics | null, operator: string, value: Datum): number {
  if (!isCondition(operator) || operator === 'elem_contained_by_range') return defaultRangeSelectivity(operator);
  const bound = (lower: boolean): Bound => ({ value, infinite: false, inclusive: true, lower });
  const range = operator === 'range_contains_elem' ? uncheckedRange(type, bound(true), bound(false)) : value as RangeValue;
  const empty = stats?.empty ?? 0;
  if (isEmpty(range)) return OF_EMPTY[operator]?.(empty) ?? 0;
  const { bounds, lengths } = stats ?? { bounds: null, lengths: [] };
  const ofOthers = bounds === null ? null : byHistograms(rangeLine(type), bounds, lengths, operator, lowerOf(range), upperOf(range));
  return (1 - empty) * (ofOthers ?? DEFAULTS[operator]) + (operator === 'range_contained_by' ? empty : 0);
}

function byHistograms(line: RangeLine, bounds: readonly RangeValue[], lengths: readonly number[], condition: Condition, low: Bound, high: Bound): number | null {
  const lowers = bounds.map(lowerOf), uppers = bounds.map(upperOf);
  const below = (bound: Bound, histogram: readonly Bound[], orEqual: boolean): number => shareBelow(line, bound, histogram, orEqual);
  switch (condition) {
    case 'range_lt': return below(low, lowers, false);
    case 'range_le': return below(low, lowers, true);
    case 'range_gt': return 1 - below(low, lowers, true);
    case 'range_ge': return 1 - below(low, lowers, false);
    case 'range_before': return below(low, uppers, false);
    case 'range_after': return 1 - below(high, lowers, true);
    case 'range_overright': return 1 - below(low, lowers, false);
    case 'range_overleft': return below(high, uppers, true);
    case 'range_overlaps': case 'range_contains_elem': return 1 - (below(low, uppers, false) + (1 - below(high, lowers, true)));
    case 'range_contains': return lengths.length < 2 ? null : containing(line, low, high, lowers, lengths);
    case 'range_contained_by':
      if (lengths.length < 2) return null;
      if (low.infinite) return below(high, uppers, true);
      return high.infinite ? 1 - below(low, lowers, false) : contained(line, low, high, lowers, lengths);
    default: return null;
  }
}

/** The last of sorted bounds below another one (or equal to it); -1: none is. */
function lastBelow({ compare }: RangeLine, bound: Bound, histogram: readonly Bound[], orEqual: boolean): number {
  let low = -1, high = histogram.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1, order = compareBounds(compare, histogram[mid]!, bound);
    if (order < 0 || (orEqual && order === 0)) low = mid;
    else high = mid - 1;
  }
  return low;
}

/** calc_hist_selectivity_scalar. */
function shareBelow(line: RangeLine, bound: Bound, histogram: readonly Bound[], orEqual: boolean): number {
  const i = lastBelow(line, bound, histogram, orEqual), bins = histogram.length - 1;
  return (Math.max(i, 0) + (i >= 0 && i < bins ? position(line, bound, histogram[i]!, histogram[i + 1]!) : 0)) / bins;
}

/** get_position: where a bound lies between two others, from 0 to 1. */
function position({ difference }: RangeLine, bound: Bound, from: Bound, to: Bound): number {
  if (from.infinite && to.infinite) return 0.5;
  if (from.infinite) return bound.infinite && bound.lower ? 0 : 1;
  if (to.infinite) return bound.infinite && !bound.lower ? 1 : 0;
  if (bound.infinite || difference === null) return 0.5;
  const width = difference(to.value, from.value), place = difference(bound.value, from.value) / width;
  return !(width > 0) || Number.isNaN(place) ? 0.5 : clampProbability(place);
}

function distance({ difference }: RangeLine, from: Bound, to: Bound): number {
  if (from.infinite && to.infinite && from.lower === to.lower) return 0;
  if (from.infinite || to.infinite) return Infinity;
  const length = difference === null ? 1 : difference(to.value, from.value);
  return length >= 0 ? length : 1;
}

/** calc_hist_selectivity_contained: of each part of the lower bounds those ranges that end before `high`. */
function contained(line: RangeLine, low: Bound, high: Bound, lowers: readonly Bound[], lengths: readonly number[]): number {
  const end: Bound = { ...high, inclusive: !high.inclusive, lower: true }, bins = lowers.length - 1;
  const last = Math.min(lastBelow(line, end, lowers, false), bins - 1);
  if (last < 0) return 0;
  let share = 0, width = position(line, end, lowers[last]!, lowers[last + 1]!), before = 0;
  for (let i = last; i >= 0; i--) {
    const isLast = compareBounds(line.compare, lowers[i]!, low) < 0, far = distance(line, isLast ? low : lowers[i]!, end);
    if (isLast) width = Math.max(0, width - position(line, low, lowers[i]!, lowers[i + 1]!));
    share += (shareOfLengths(lengths, before, far, true) * width) / bins;
    if (isLast) break;
    width = 1;
    before = far;
  }
  return share;
}

/** calc_hist_selectivity_contains: of each part of the lower bounds up to `low` those ranges that reach `high`. */
function containing(line: RangeLine, low: Bound, high: Bound, lowers: readonly Bound[], lengths: readonly number[]): number {
  const bins = lowers.length - 1, last = Math.min(lastBelow(line, low, lowers, true), bins - 1);
  if (last < 0) return 0;
  let share = 0, width = position(line, low, lowers[last]!, lowers[last + 1]!), before = distance(line, low, high);
  for (let i = last; i >= 0; i--) {
    const far = distance(line, lowers[i]!, high);
    share += ((1 - shareOfLengths(lengths, before, far, false)) * width) / bins;
    width = 1;
    before = far;
  }
  return share;
}

/** get_len_position. */
function lengthPosition(length: number, from: number, to: number): number {
  if (from === Infinity) return 0;
  return to === Infinity || length === Infinity ? 0.5 : 1 - (to - length) / (to - from);
}

/** calc_length_hist_frac: the share of lengths below a length, on average of all from one to another. */
function shareOfLengths(lengths: readonly number[], from: number, to: number, orEqual: boolean): number {
  if (to < 0) return 0;
  if (to === Infinity && orEqual) return 1;
  const bins = lengths.length - 1, isBelow = (length: number, limit: number): boolean => length < limit || (orEqual && length === limit);
  let i = lengths.findLastIndex((length) => isBelow(length, from));
  if (i >= bins) return 1;
  let b = from, pb = (i < 0 ? 0 : i + lengthPosition(from, lengths[i]!, lengths[i + 1]!)) / bins, area = 0;
  if (i < 0) i = 0;
  if (to === from) return pb;
  const addUpTo = (end: number, share: number): void => {
    if (pb > 0 || share > 0) area += 0.5 * (pb + share) * (end - b);
    [b, pb] = [end, share];
  };
  for (; i < bins && isBelow(lengths[i + 1]!, to); i++) addUpTo(lengths[i + 1]!, i / bins);
  addUpTo(to, (i + (i >= bins || lengths[i] === lengths[i + 1] ? 0 : lengthPosition(to, lengths[i]!, lengths[i + 1]!))) / bins);
  return area === Infinity && to === Infinity ? 0.5 : area / (to - from);
}
