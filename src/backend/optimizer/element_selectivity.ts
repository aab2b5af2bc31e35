// How many values a condition on their elements selects: arrays that contain others, tsvectors that match a tsquery (PostgreSQL's
// array_selfuncs.c and ts_selfuncs.c). All numbers are shares of the values that are not null.
import type { Comparator } from '../types/compare.ts';
import type { Datum } from '../types/datum.ts';
import type { QueryNode, TsQuery } from '../types/tsquery.ts';
import { clampProbability } from './costsize.ts';

/** The most common elements, in order. Behind their frequencies stand the lowest and the highest, and for arrays that of nulls. */
export interface ElementStatistics { readonly values: readonly Datum[]; readonly frequencies: readonly number[] }
export type ArrayCondition = 'contains' | 'contained' | 'overlaps';

const DEFAULT_CONTAIN_SEL = 0.005, DEFAULT_OVERLAP_SEL = 0.01;
export const defaultArraySelectivity = (condition: ArrayCondition): number => (condition === 'overlaps' ? DEFAULT_OVERLAP_SEL : DEFAULT_CONTAIN_SEL);

/** The place of a value among sorted ones; -1: it is not there. */
function placeOf(values: readonly Datum[], value: Datum, compare: Comparator): number {
  let low = 0, high = values.length - 1;
  while (low <= high) {
    const mid = (low + high) >> 1, order = compare(values[mid], value);
    if (order === 0) return mid;
    if (order < 0) low = mid + 1;
    else high = mid - 1;
  }
  return -1;
}

/** mcelem_array_selec: `counts` are the histogram of the numbers of elements, with their average behind it. */
export function arraySelectivity(elements: ElementStatistics | null, counts: readonly number[] | null, wanted: readonly Datum[], condition: ArrayCondition, compare: Comparator): number {
  const hasNull = wanted.includes(null);
  if (hasNull && condition === 'contains') return 0; // a null is contained in nothing
  const sorted = wanted.filter((v) => v !== null).sort(compare), distinct = sorted.filter((v, i) => i === 0 || compare(sorted[i - 1], v) !== 0);
  const known = elements !== null && elements.frequencies.length === elements.values.length + 3 ? elements : null;
  return condition === 'contained' ? containedIn(known, counts, distinct, compare) : containing(known, distinct, condition, compare);
}

function containing(elements: ElementStatistics | null, distinct: readonly Datum[], condition: ArrayCondition, compare: Comparator): number {
  const rare = Math.min(DEFAULT_CONTAIN_SEL, (elements === null ? 2 * DEFAULT_CONTAIN_SEL : elements.frequencies[elements.values.length]!) / 2);
  let result = condition === 'contains' ? 1 : 0;
  for (const value of distinct) {
    const place = elements === null ? -1 : placeOf(elements.values, value, compare), share = place < 0 ? rare : elements!.frequencies[place]!;
    result = clampProbability(condition === 'contains' ? result * share : result + share - result * share);
  }
  return result;
}

/** No more products are made than about so many for each common element. */
const EFFORT = 100;

/** Elements are taken to be independent but for the number of them that an array has: of arrays of each size the share that has as many
 * of the wanted elements. */
function containedIn(elements: ElementStatistics | null, counts: readonly number[] | null, distinct: readonly Datum[], compare: Comparator): number {
  if (elements === null || counts === null || counts.length < 3) return DEFAULT_CONTAIN_SEL;
  const { values, frequencies } = elements, n = values.length;
  const rare = Math.min(DEFAULT_CONTAIN_SEL, frequencies[n]! / 2), common = frequencies.slice(0, n);
  const wanted = new Set<number>();
  let shares = distinct.map((value) => {
    const place = placeOf(values, value, compare);
    if (place >= 0) wanted.add(place);
    return place < 0 ? rare : common[place]!;
  });
  // No element that is not wanted; those that are not common come by chance (Poisson).
  let others = 1, rest = counts.at(-1)!;
  for (const [i, share] of common.entries()) {
    rest -= share;
    if (!wanted.has(i)) others *= 1 - share;
  }
  others *= Math.exp(-rest);
  if (n + shares.length > 0 && shares.length > Math.floor((EFFORT * n) / (n + shares.length))) {
    shares = shares.sort((a, b) => b - a).slice(0, Math.floor((Math.sqrt(n * n + 4 * EFFORT * n) - n) / 2));
  }
  const size = shares.length;
  const ofWanted = countDistribution(shares, size, 0), ofCommon = countDistribution(common, size, rest), ofSizes = sizeDistribution(counts.slice(0, -1), size);
  let result = 0;
  for (let i = 0; i <= size; i++) if (ofCommon[i]! > 0) result += (ofSizes[i]! * others * ofWanted[i]!) / ofCommon[i]!;
  return clampProbability(result * (1 - frequencies[n + 2]!));
}

/** calc_distr: the chance that just 0, 1, ... `most` of events with these chances happen, and of some more that are rare. */
function countDistribution(chances: readonly number[], most: number, rest: number): number[] {
  let row: number[] = [1];
  const next = (): number[] => new Array<number>(most + 1).fill(0);
  for (const [i, chance] of chances.entries()) {
    const now = next();
    for (let j = 0; j <= Math.min(i + 1, most); j++) now[j] = (row[j] ?? 0) * (1 - chance) + (j > 0 ? (row[j - 1] ?? 0) * chance : 0);
    row = now;
  }
  if (rest <= DEFAULT_CONTAIN_SEL) return row;
  const now = next();
  let chance = Math.exp(-rest);
  for (let i = 0; i <= most; i++) {
    for (let j = 0; j <= most - i; j++) now[i + j]! += (row[j] ?? 0) * chance;
    chance *= rest / (i + 1);
  }
  return now;
}

/** calc_hist: the share of arrays that have 0, 1, ... `most` elements. */
function sizeDistribution(histogram: readonly number[], most: number): number[] {
  const box = 1 / (histogram.length - 1), result: number[] = [];
  let k = 0, before = 0;
  for (let i = 0; i <= most; i++) {
    let count = 0;
    for (; k < histogram.length && histogram[k]! <= i; k++) count++;
    if (count === 0) result.push(before > 0 ? box / before : 0);
    else {
      const after = k < histogram.length ? histogram[k]! - histogram[k - 1]! : 0;
      result.push(box * (count - 1 + (after > 0 ? 0.5 / after : 0) + (before > 0 ? 0.5 / before : 0)));
      before = after;
    }
  }
  return result;
}

export const DEFAULT_TS_MATCH_SEL = 0.005;
/** Fewer common lexemes say nothing of what a prefix finds. */
const MIN_FOR_PREFIX = 100;

/** tsquerysel. */
export function tsquerySelectivity({ root }: TsQuery, elements: ElementStatistics | null): number {
  if (root === null) return 0;
  return nodeSelectivity(root, elements !== null && elements.frequencies.length === elements.values.length + 2 ? elements : null);
}

function nodeSelectivity(node: QueryNode, elements: ElementStatistics | null): number {
  switch (node.op) {
    case 'value': return clampProbability(node.prefix ? prefixShare(node.text, elements) : lexemeShare(node.text, elements));
    case '!': return clampProbability(1 - nodeSelectivity(node.arg, elements));
    default: {
      const a = nodeSelectivity(node.left, elements), b = nodeSelectivity(node.right, elements);
      return clampProbability(node.op === '|' ? a + b - a * b : a * b);
    }
  }
}

const rareLexeme = ({ values, frequencies }: ElementStatistics): number => Math.min(DEFAULT_TS_MATCH_SEL, frequencies[values.length]! / 2);

function lexemeShare(text: string, elements: ElementStatistics | null): number {
  if (elements === null) return DEFAULT_TS_MATCH_SEL;
  const place = elements.values.indexOf(text);
  return place >= 0 ? elements.frequencies[place]! : rareLexeme(elements);
}

function prefixShare(prefix: string, elements: ElementStatistics | null): number {
  if (elements === null || elements.values.length < MIN_FOR_PREFIX) return DEFAULT_TS_MATCH_SEL * 4;
  let matched = 0, all = 0, count = 0;
  for (const [i, value] of elements.values.entries()) {
    const share = elements.frequencies[i]!;
    if ((value as string).startsWith(prefix)) {
      matched += share - matched * share;
      count++;
    }
    all += share - all * share;
  }
  // Of lexemes that are not common as many match.
  return Math.max(rareLexeme(elements), matched + (1 - all) * (count / elements.values.length));
}
