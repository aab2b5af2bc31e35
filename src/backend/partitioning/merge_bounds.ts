// Which partitions of two tables go together in a join by what they are partitioned by, when their bounds are not the same
// (partition_bounds_merge of PostgreSQL's partbounds.c). A partition may have one partner at most: else the two are not
// joined by partition.
import type { JoinType } from '../nodes/primnodes.ts';
import type { Datum } from '../types/datum.ts';
import { compareRangeBounds, sameBound, type PartitionBounds, type RangeBound } from './partbounds.ts';
import type { PartitionKey } from './partkey.ts';

/** `has`: whether a partition is wanted at all. */
export interface MergeSide { bounds: PartitionBounds; has: (n: number) => boolean }
/** Numbers of partitions of the two sides, -1: none. */
export interface MergedBounds { bounds: PartitionBounds; pairs: { outer: number; inner: number }[] }

/** A partition of one side has more than one partner. */
class NoMatch extends Error {}

/** Null: they cannot be merged. */
export function mergeBounds(key: PartitionKey, outer: MergeSide, inner: MergeSide, jointype: JoinType): MergedBounds | null {
  if (key.strategy === 'h') return null;
  const merger = new Merger(outer, inner, jointype);
  try {
    return key.strategy === 'l' ? mergeLists(key, merger) : mergeRanges(key, merger);
  } catch (e) {
    if (e instanceof NoMatch) return null;
    throw e;
  }
}

const OUTER = 0;
const INNER = 1;
type Side = 0 | 1;

/** PartitionMap: of each partition of a side the merged partition it is in, and whether it has met its partner there. */
class Merger {
  readonly sides: readonly [MergeSide, MergeSide];
  readonly keepsOuter: boolean;
  readonly keepsInner: boolean;
  /** Of each side the default partition, if it is wanted. */
  readonly defaults: readonly [number, number];
  readonly pairs: [number, number][] = [];
  defaultIndex = -1;
  private readonly indexes: readonly [Map<number, number>, Map<number, number>] = [new Map(), new Map()];

  constructor(outer: MergeSide, inner: MergeSide, jointype: JoinType) {
    this.sides = [outer, inner];
    this.keepsOuter = jointype === 'left' || jointype === 'anti' || jointype === 'full';
    this.keepsInner = jointype === 'full';
    const wanted = ({ bounds, has }: MergeSide): number => (bounds.defaultIndex >= 0 && has(bounds.defaultIndex) ? bounds.defaultIndex : -1);
    this.defaults = [wanted(outer), wanted(inner)];
  }

  indexOf(side: Side, n: number): number {
    return this.indexes[side].get(n) ?? -1;
  }

  /** merge_matching_partitions. */
  match(outer: number, inner: number): number {
    const [a, b] = [this.indexOf(OUTER, outer), this.indexOf(INNER, inner)];
    if (a >= 0 && a === b) return a;
    const alone = (side: Side, index: number): boolean => index < 0 || this.pairs[index]![1 - side] === -1;
    if (!alone(OUTER, a) || !alone(INNER, b)) throw new NoMatch();
    const index = a >= 0 && b >= 0 ? Math.min(a, b) : a >= 0 ? a : b >= 0 ? b : this.pairs.length;
    // Each had been taken for one without a partner.
    if (a >= 0 && b >= 0) this.pairs[Math.max(a, b)] = [-1, -1];
    this.pairs[index] = [outer, inner];
    this.indexes[OUTER].set(outer, index);
    this.indexes[INNER].set(inner, index);
    return index;
  }

  /** merge_partition_with_dummy. */
  alone(side: Side, n: number): number {
    const known = this.indexOf(side, n);
    if (known >= 0) return known;
    this.indexes[side].set(n, this.pairs.length);
    return this.pairs.push(side === OUTER ? [n, -1] : [-1, n]) - 1;
  }

  /** process_outer_partition and process_inner_partition: values that only one side has a partition for, which the other's default may have too. */
  onOneSide(side: Side, n: number): number {
    const other = this.defaults[1 - side]!;
    if (other < 0) return (side === OUTER ? this.keepsOuter : this.keepsInner) ? this.alone(side, n) : -1;
    if (this.defaults[side] >= 0) throw new NoMatch();
    const index = side === OUTER ? this.match(n, other) : this.match(other, n);
    // The default partition's other rows come out, too.
    if (side === OUTER ? this.keepsInner : this.keepsOuter) this.defaultIndex = index;
    return index;
  }

  /** merge_default_partitions. */
  mergeDefaults(): void {
    const [outer, inner] = this.defaults;
    if (outer >= 0 && inner >= 0) this.defaultIndex = this.match(outer, inner);
    else if (outer >= 0 && this.keepsOuter) this.defaultIndex = this.alone(OUTER, outer);
    else if (inner >= 0 && this.keepsInner) this.defaultIndex = this.alone(INNER, inner);
  }

  /** Numbers without those that others took the place of. */
  finish(bounds: (number: (index: number) => number) => Partial<PartitionBounds>): MergedBounds | null {
    const numbers: number[] = [];
    const pairs: { outer: number; inner: number }[] = [];
    for (const [outer, inner] of this.pairs) {
      numbers.push(outer < 0 && inner < 0 ? -1 : pairs.length);
      if (outer >= 0 || inner >= 0) pairs.push({ outer, inner });
    }
    if (pairs.length === 0) return null;
    const number = (index: number): number => (index < 0 ? -1 : numbers[index]!);
    const none: PartitionBounds = { strategy: this.sides[0].bounds.strategy, values: [], indexes: [], ranges: [], hashes: [], nullIndex: -1, defaultIndex: number(this.defaultIndex) };
    return { bounds: { ...none, ...bounds(number) }, pairs };
  }
}

/** merge_list_bounds. */
function mergeLists(key: PartitionKey, m: Merger): MergedBounds | null {
  const lists = m.sides.map(({ bounds, has }) => bounds.values.map((value, i) => ({ value, n: bounds.indexes[i]! })).filter((v) => has(v.n)));
  const [outer, inner] = [lists[0]!, lists[1]!];
  const values: { value: Datum; partition: () => number }[] = [];
  for (let i = 0, k = 0; i < outer.length || k < inner.length;) {
    const [a, b] = [outer[i], inner[k]];
    const cmp = a === undefined ? 1 : b === undefined ? -1 : key.compare[0]!(a.value, b.value);
    let index: number;
    if (cmp === 0) index = m.match(a!.n, b!.n);
    else index = cmp < 0 ? m.onOneSide(OUTER, a!.n) : m.onOneSide(INNER, b!.n);
    const { value } = (cmp <= 0 ? a : b)!;
    // A partition may be put together with another later.
    if (index >= 0 && index !== m.defaultIndex) values.push({ value, partition: cmp <= 0 ? () => m.indexOf(OUTER, a!.n) : () => m.indexOf(INNER, b!.n) });
    if (cmp <= 0) i++;
    if (cmp >= 0) k++;
  }
  const nullIndex = mergeNulls(m);
  m.mergeDefaults();
  return m.finish((number) => {
    const left = values.map((v) => ({ value: v.value, n: number(v.partition()) })).filter((v) => v.n !== number(m.defaultIndex));
    return { values: left.map((v) => v.value), indexes: left.map((v) => v.n), nullIndex: number(nullIndex) };
  });
}

/** merge_null_partitions: NULL meets nothing, but rows with it come out of outer joins. */
function mergeNulls(m: Merger): number {
  const [outer, inner] = m.sides.map(({ bounds, has }, side) => {
    const n = bounds.nullIndex;
    return n >= 0 && has(n) && m.indexOf(side as Side, n) < 0 ? n : -1;
  }) as [number, number];
  if (outer >= 0 && inner >= 0) return m.keepsOuter ? m.match(outer, inner) : -1;
  if (outer >= 0) return m.keepsOuter ? m.alone(OUTER, outer) : -1;
  return inner >= 0 && m.keepsInner ? m.alone(INNER, inner) : -1;
}

interface Range { n: number; lower: RangeBound; upper: RangeBound }

function rangesOf({ bounds, has }: MergeSide): Range[] {
  const list: Range[] = [];
  bounds.indexes.forEach((n, i) => {
    if (n >= 0 && i > 0 && i < bounds.ranges.length && has(n)) list.push({ n, lower: { ...bounds.ranges[i - 1]!, lower: true }, upper: { ...bounds.ranges[i]!, lower: false } });
  });
  return list;
}

/** merge_range_bounds. */
function mergeRanges(key: PartitionKey, m: Merger): MergedBounds | null {
  const [outer, inner] = [rangesOf(m.sides[0]), rangesOf(m.sides[1])];
  const merged: Range[] = [];
  const compare = (a: RangeBound, b: RangeBound): number => compareRangeBounds(key, a, b);
  for (let i = 0, k = 0; i < outer.length || k < inner.length;) {
    const [a, b] = [outer[i], inner[k]];
    if (a !== undefined && b !== undefined && compare(a.lower, b.upper) < 0 && compare(b.lower, a.upper) < 0) {
      const [lower, upper] = [compare(a.lower, b.lower), compare(a.upper, b.upper)];
      // Rows beyond the other's range could have partners in its default partition.
      if ((m.defaults[0] >= 0 && (lower > 0 || upper < 0)) || (m.defaults[1] >= 0 && (lower < 0 || upper > 0))) throw new NoMatch();
      const n = m.match(a.n, b.n);
      const [next, nextInner] = [outer[++i], inner[++k]];
      if ((next !== undefined && compare(next.lower, b.upper) < 0) || (nextInner !== undefined && compare(nextInner.lower, a.upper) < 0)) throw new NoMatch();
      merged.push({ n, lower: joined(m, a.lower, b.lower, lower <= 0), upper: joined(m, a.upper, b.upper, upper >= 0) });
      continue;
    }
    const first: Side = b === undefined || (a !== undefined && compare(a.upper, b.upper) < 0) ? OUTER : INNER;
    const range = (first === OUTER ? a : b)!;
    const n = m.onOneSide(first, range.n);
    if (n >= 0 && n !== m.defaultIndex) merged.push({ ...range, n });
    if (first === OUTER) i++;
    else k++;
  }
  m.mergeDefaults();
  return m.finish((number) => {
    const ranges: RangeBound[] = [];
    const indexes: number[] = [];
    for (const r of merged) {
      if (ranges.length === 0 || !sameBound(key, ranges.at(-1)!, r.lower)) {
        ranges.push(r.lower);
        indexes.push(-1);
      }
      ranges.push(r.upper);
      indexes.push(number(r.n));
    }
    return { ranges, indexes: [...indexes, -1] };
  });
}

/** get_merged_range_bounds: rows of inner joins are in both ranges, of outer joins in the outer one's, of full joins in either. */
const joined = (m: Merger, a: RangeBound, b: RangeBound, firstIsWider: boolean): RangeBound => (m.keepsInner ? (firstIsWider ? a : b) : m.keepsOuter ? a : firstIsWider ? b : a);
