// Bounds of partitions: how they are kept and ordered, in which one a value is, and whether a new one fits between those
// that are there (PostgreSQL's partbounds.c). Constraints made from bounds are in partqual.ts.
import { PgError } from '../../common/errors.ts';
import type { Const } from '../nodes/primnodes.ts';
import type { Datum } from '../types/datum.ts';
import { partitionHash, type PartitionKey, type PartitionStrategy } from './partkey.ts';

/** One column of a range bound. */
export type RangeDatum = Const | 'minvalue' | 'maxvalue';

/** FOR VALUES as pg_class.relpartbound keeps it. */
export interface PartitionBound {
  readonly kind: 'PartitionBoundSpec';
  readonly strategy: PartitionStrategy;
  readonly isDefault: boolean;
  readonly modulus: number;
  readonly remainder: number;
  readonly listdatums: readonly Const[];
  readonly lowerdatums: readonly RangeDatum[];
  readonly upperdatums: readonly RangeDatum[];
}

export const emptyBound = (strategy: PartitionStrategy): PartitionBound => ({
  kind: 'PartitionBoundSpec', strategy, isDefault: false, modulus: 0, remainder: 0, listdatums: [], lowerdatums: [], upperdatums: [],
});

/** One end of a range: kinds are -1 MINVALUE, 0 a value, 1 MAXVALUE. */
export interface RangeBound {
  readonly kinds: readonly number[];
  readonly values: readonly Datum[];
  readonly lower: boolean;
}

/** All bounds of a partitioned table in order. Partitions are known by their number, in the order of their bounds. */
export interface PartitionBounds {
  readonly strategy: PartitionStrategy;
  /** List: the values, in order, and each one's partition. */
  readonly values: readonly Datum[];
  /**
   * List: partition of each value. Range: indexes[i] is the partition that ends at ranges[i] (-1: none), one more than there
   * are bounds. Hash: partition by remainder of the greatest modulus.
   */
  readonly indexes: readonly number[];
  readonly ranges: readonly RangeBound[];
  /** Hash: modulus and remainder of each partition. */
  readonly hashes: readonly { modulus: number; remainder: number }[];
  readonly nullIndex: number;
  readonly defaultIndex: number;
}

function rangeBound(datums: readonly RangeDatum[], lower: boolean): RangeBound {
  return {
    kinds: datums.map((d) => (d === 'minvalue' ? -1 : d === 'maxvalue' ? 1 : 0)), lower,
    values: datums.map((d) => (typeof d === 'string' ? null : d.constvalue)),
  };
}

/** Less than, equal to or greater than 0; its size tells the column (from 1) that decided (partition_rbound_cmp). */
export function compareRangeBounds(key: PartitionKey, a: RangeBound, b: RangeBound): number {
  let column = 0;
  let cmp = 0;
  for (let i = 0; i < key.compare.length; i++) {
    column++;
    if (a.kinds[i]! < b.kinds[i]!) return -column;
    if (a.kinds[i]! > b.kinds[i]!) return column;
    // Nothing can come between two infinities.
    if (a.kinds[i] !== 0) break;
    cmp = key.compare[i]!(a.values[i], b.values[i]);
    if (cmp !== 0) break;
  }
  // An exclusive end comes before the inclusive beginning at the same place.
  if (cmp === 0 && a.lower !== b.lower) cmp = a.lower ? 1 : -1;
  return cmp === 0 ? 0 : cmp < 0 ? -column : column;
}

/** A bound against the first values of a key (partition_rbound_datum_cmp). */
function compareRangeToValues(key: PartitionKey, bound: RangeBound, values: readonly Datum[], count = values.length): number {
  for (let i = 0; i < count; i++) {
    if (bound.kinds[i] !== 0) return bound.kinds[i]!;
    const cmp = key.compare[i]!(bound.values[i], values[i]);
    if (cmp !== 0) return cmp;
  }
  return 0;
}

/** Puts partitions in the order of their bounds; `order[n]` is which of `specs` partition n is. */
export function makeBounds(key: PartitionKey, specs: readonly PartitionBound[]): { bounds: PartitionBounds; order: number[] } {
  const none = { strategy: key.strategy, values: [], indexes: [], ranges: [], hashes: [], nullIndex: -1, defaultIndex: -1 };
  const defaultSpec = specs.findIndex((s) => s.isDefault);
  const order: number[] = [];
  const numbers = new Map<number, number>();
  const numberOf = (spec: number): number => {
    let n = numbers.get(spec);
    if (n === undefined) {
      numbers.set(spec, (n = order.length));
      order.push(spec);
    }
    return n;
  };
  const others = specs.map((spec, i) => ({ spec, i })).filter(({ spec }) => !spec.isDefault);
  switch (key.strategy) {
    case 'h': {
      others.sort((a, b) => a.spec.modulus - b.spec.modulus || a.spec.remainder - b.spec.remainder);
      const greatest = others.at(-1)?.spec.modulus ?? 0;
      const indexes: number[] = new Array(greatest).fill(-1);
      for (const { spec, i } of others) for (let r = spec.remainder; r < greatest; r += spec.modulus) indexes[r] = numberOf(i);
      return { order, bounds: { ...none, indexes, hashes: others.map(({ spec }) => ({ modulus: spec.modulus, remainder: spec.remainder })) } };
    }
    case 'l': {
      const values = others.flatMap(({ spec, i }) => spec.listdatums.filter((c) => c.constvalue !== null).map((c) => ({ value: c.constvalue, i })));
      values.sort((a, b) => key.compare[0]!(a.value, b.value));
      const indexes = values.map((v) => numberOf(v.i));
      const nulls = others.find(({ spec }) => spec.listdatums.some((c) => c.constvalue === null));
      return {
        order, bounds: {
          ...none, values: values.map((v) => v.value), indexes, nullIndex: nulls === undefined ? -1 : numberOf(nulls.i),
          defaultIndex: defaultSpec < 0 ? -1 : numberOf(defaultSpec),
        },
      };
    }
    case 'r': {
      const all = others.flatMap(({ spec, i }) => [{ bound: rangeBound(spec.lowerdatums, true), i }, { bound: rangeBound(spec.upperdatums, false), i }]);
      all.sort((a, b) => compareRangeBounds(key, a.bound, b.bound));
      // Where one partition ends and the next begins is one bound.
      const distinct = all.filter(({ bound }, n) => n === 0 || !sameBound(key, all[n - 1]!.bound, bound));
      const indexes = distinct.map(({ bound }) => {
        const ending = all.find((x) => !x.bound.lower && sameBound(key, x.bound, bound));
        return ending === undefined ? -1 : numberOf(ending.i);
      });
      return { order, bounds: { ...none, ranges: distinct.map((x) => x.bound), indexes: [...indexes, -1], defaultIndex: defaultSpec < 0 ? -1 : numberOf(defaultSpec) } };
    }
  }
}

export function sameBound(key: PartitionKey, a: RangeBound, b: RangeBound): boolean {
  for (let i = 0; i < key.compare.length; i++) {
    if (a.kinds[i] !== b.kinds[i]) return false;
    if (a.kinds[i] !== 0) return true;
    if (key.compare[i]!(a.values[i], b.values[i]) !== 0) return false;
  }
  return true;
}

/** partition_bounds_equal: the same values, ranges or remainders, for partitions of the same numbers. */
export function sameBounds(key: PartitionKey, a: PartitionBounds, b: PartitionBounds): boolean {
  if (a === b) return true;
  return a.nullIndex === b.nullIndex && a.defaultIndex === b.defaultIndex && a.values.length === b.values.length && a.ranges.length === b.ranges.length
    && a.indexes.length === b.indexes.length && a.indexes.every((n, i) => n === b.indexes[i])
    && a.values.every((v, i) => key.compare[0]!(v, b.values[i]) === 0) && a.ranges.every((r, i) => sameBound(key, r, b.ranges[i]!));
}

/** The last value not greater than this one, and whether it is the same; -1: none (partition_list_bsearch). */
function searchList(key: PartitionKey, bounds: PartitionBounds, value: Datum): { at: number; equal: boolean } {
  let low = -1;
  let high = bounds.values.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    const cmp = key.compare[0]!(bounds.values[mid], value);
    if (cmp === 0) return { at: mid, equal: true };
    if (cmp < 0) low = mid;
    else high = mid - 1;
  }
  return { at: low, equal: false };
}

/** The last bound not greater than the first `count` values; among several that equal them any (partition_range_datum_bsearch). */
function searchRange(key: PartitionKey, bounds: PartitionBounds, values: readonly Datum[], count = values.length): { at: number; equal: boolean } {
  let low = -1;
  let high = bounds.ranges.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    const cmp = compareRangeToValues(key, bounds.ranges[mid]!, values, count);
    if (cmp === 0) return { at: mid, equal: true };
    if (cmp < 0) low = mid;
    else high = mid - 1;
  }
  return { at: low, equal: false };
}

/** The number of the partition for a row's key values, -1: there is none (get_partition_for_tuple). */
export function partitionForValues(key: PartitionKey, bounds: PartitionBounds, values: readonly Datum[]): number {
  let found = -1;
  switch (key.strategy) {
    case 'h': return bounds.indexes.length === 0 ? -1 : bounds.indexes[Number(partitionHash(key, values) % BigInt(bounds.indexes.length))]!;
    case 'l':
      if (values[0] === null) found = bounds.nullIndex;
      else {
        const { at, equal } = searchList(key, bounds, values[0]!);
        if (equal) found = bounds.indexes[at]!;
      }
      break;
    case 'r':
      // Only the default partition takes rows with NULL in a key column.
      if (!values.includes(null)) found = bounds.indexes[searchRange(key, bounds, values).at + 1]!;
      break;
  }
  return found >= 0 ? found : bounds.defaultIndex;
}

// ---- a new partition

export interface NewBoundContext {
  /** Name of partition number n. */
  readonly nameOf: (n: number) => string;
  /** Position in the statement of a location, for the error. */
  readonly fail: (condition: 'invalid_object_definition', message: string, location: number | undefined, detail?: string) => PgError;
  /** A range bound as text: (1, MINVALUE). */
  readonly rangeText: (datums: readonly RangeDatum[]) => string;
  readonly location: number | undefined;
  /** Of each column of a range. */
  readonly lowerLocations: readonly (number | undefined)[];
  readonly upperLocations: readonly (number | undefined)[];
}

/** Throws when the bound is empty or covers what another partition has (check_new_partition_bound). `name`: the new partition's. */
export function checkNewBound(key: PartitionKey, bounds: PartitionBounds | null, name: string, spec: PartitionBound, context: NewBoundContext): void {
  const { fail, nameOf, location } = context;
  if (spec.isDefault) {
    if (bounds !== null && bounds.defaultIndex >= 0) {
      throw fail('invalid_object_definition', `partition "${name}" conflicts with existing default partition "${nameOf(bounds.defaultIndex)}"`, location);
    }
    return;
  }
  const overlap = (n: number, at: number | undefined): PgError => fail('invalid_object_definition', `partition "${name}" would overlap partition "${nameOf(n)}"`, at);
  switch (key.strategy) {
    case 'h':
      if (bounds !== null && bounds.hashes.length > 0) checkNewHash(bounds, spec, context, overlap);
      return;
    case 'l':
      for (const c of bounds === null ? [] : spec.listdatums) {
        if (c.constvalue === null) {
          if (bounds!.nullIndex >= 0) throw overlap(bounds!.nullIndex, c.location);
          continue;
        }
        const { at, equal } = searchList(key, bounds!, c.constvalue);
        if (equal && bounds!.indexes[at]! >= 0) throw overlap(bounds!.indexes[at]!, c.location);
      }
      return;
    case 'r': {
      const lower = rangeBound(spec.lowerdatums, true);
      const upper = rangeBound(spec.upperdatums, false);
      const cmp = compareRangeBounds(key, lower, upper);
      if (cmp >= 0) {
        throw fail('invalid_object_definition', `empty range bound specified for partition "${name}"`, context.lowerLocations[Math.max(cmp - 1, 0)],
          `Specified lower bound ${context.rangeText(spec.lowerdatums)} is greater than or equal to upper bound ${context.rangeText(spec.upperdatums)}.`);
      }
      if (bounds === null || bounds.ranges.length === 0) return;
      const { at, cmp: lowerCmp } = searchBound(key, bounds, lower);
      if (bounds.indexes[at + 1]! < 0) {
        // There is a gap at the lower bound: it must reach to the upper one.
        if (at + 1 >= bounds.ranges.length) return;
        const upperCmp = compareRangeBounds(key, asEnd(bounds, at + 1), upper);
        if (upperCmp >= 0) return;
        throw overlap(bounds.indexes[at + 2]!, context.upperLocations[-upperCmp - 1]);
      }
      throw overlap(bounds.indexes[at + 1]!, context.lowerLocations[lowerCmp === 0 ? 0 : Math.abs(lowerCmp) - 1]);
    }
  }
}

/** A bound counts as the end of the partition before it, or else as the beginning of the one after it. */
const asEnd = (bounds: PartitionBounds, n: number): RangeBound => ({ ...bounds.ranges[n]!, lower: bounds.indexes[n] === -1 });

/** The last bound not greater than a new lower one (partition_range_bsearch). */
function searchBound(key: PartitionKey, bounds: PartitionBounds, wanted: RangeBound): { at: number; cmp: number } {
  let low = -1;
  let high = bounds.ranges.length - 1;
  let cmp = 0;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    cmp = compareRangeBounds(key, asEnd(bounds, mid), wanted);
    if (cmp <= 0) {
      low = mid;
      if (cmp === 0) break;
    } else high = mid - 1;
  }
  return { at: low, cmp };
}

function checkNewHash(bounds: PartitionBounds, spec: PartitionBound, { fail, nameOf, location }: NewBoundContext, overlap: (n: number, at: number | undefined) => PgError): void {
  const list = bounds.hashes;
  const wrong = (detail: string): PgError => fail('invalid_object_definition', 'every hash partition modulus must be a factor of the next larger modulus', undefined, detail);
  // The last one not greater, by modulus and remainder.
  let at = -1;
  list.forEach((h, i) => { if (h.modulus < spec.modulus || (h.modulus === spec.modulus && h.remainder <= spec.remainder)) at = i; });
  if (at < 0) {
    const next = list[0]!.modulus;
    if (next % spec.modulus !== 0) throw wrong(`The new modulus ${spec.modulus} is not a factor of ${next}, the modulus of existing partition "${nameOf(0)}".`);
  } else {
    const previous = list[at]!.modulus;
    if (spec.modulus % previous !== 0) throw wrong(`The new modulus ${spec.modulus} is not divisible by ${previous}, the modulus of existing partition "${nameOf(at)}".`);
    if (at + 1 < list.length) {
      const next = list[at + 1]!.modulus;
      if (next % spec.modulus !== 0) throw wrong(`The new modulus ${spec.modulus} is not a factor of ${next}, the modulus of existing partition "${nameOf(at + 1)}".`);
    }
  }
  const greatest = bounds.indexes.length;
  for (let r = spec.remainder % greatest; r < greatest; r += spec.modulus) if (bounds.indexes[r]! >= 0) throw overlap(bounds.indexes[r]!, location);
}
