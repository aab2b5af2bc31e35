// Multirange types: sets of ranges (PostgreSQL's multirangetypes.c).
import { PgError, internalError } from '../../common/errors.ts';
import { comparatorFor } from './compare.ts';
import { MultirangeValue, type ArrayValue, type Datum, type Oid, RangeValue } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { hashFunctions, registerHashOfKind, type TypeHash } from './hash.ts';
import { typeHooks } from './hooks.ts';
import {
  adjacent, before, type Bound, boundsAdjacent, compareBounds, compareRanges, contains, containsElement, emptyRange, intersect, isEmpty,
  LOWER_INC, LOWER_INF, lowerOf, makeRange, minus, overlaps, RANGE_HASH, rangeHashKey, rangeOut, rangeReceive, rangeSend, registerComparisons,
  split, union, UPPER_INC, UPPER_INF, upperOf,
} from './rangetypes.ts';
import { sendInt32, WireReader } from './wire.ts';

const rangeTypeOf = (multirange: Oid): Oid => typeHooks.rangeInfo(multirange).typeOid;

/** make_multirange: sorted, without empty ranges, what touches or overlaps joined. */
function makeMultirange(typeOid: Oid, ranges: readonly RangeValue[]): MultirangeValue {
  const sorted = ranges.filter((range) => !isEmpty(range)).sort(compareRanges);
  const result: RangeValue[] = [];
  for (const range of sorted) {
    const last = result.at(-1);
    if (last === undefined) result.push(range);
    else if (adjacent(last, range)) result[result.length - 1] = union(last, range, false);
    else if (before(last, range)) result.push(range);
    else result[result.length - 1] = union(last, range, true);
  }
  return new MultirangeValue(typeOid, result);
}

// --- text and binary form

function malformed(text: string, detail: string): PgError {
  return new PgError('invalid_text_representation', `malformed multirange literal: "${text}"`, { detail });
}

type State = 'before' | 'in' | 'escaped' | 'quoted' | 'quoted-escaped' | 'after' | 'finished';

function multirangeIn(text: string, typeOid: Oid, typmod: number): MultirangeValue {
  const { input } = typeHooks.typeIo(rangeTypeOf(typeOid));
  let at = 0;
  while (/\s/.test(text[at] ?? '')) at++;
  if (text[at] !== '{') throw malformed(text, 'Missing left brace.');
  at++;
  const ranges: RangeValue[] = [];
  let state: State = 'before', start = 0, seen = 0;
  for (; state !== 'finished'; at++) {
    const char = text[at];
    if (char === undefined) throw malformed(text, 'Unexpected end of input.');
    if (/\s/.test(char)) continue;
    switch (state) {
      case 'before':
        if (char === '[' || char === '(') { start = at; state = 'in'; }
        else if (char === '}' && seen === 0) state = 'finished';
        else if (/^empty/i.test(text.slice(at, at + 5))) { seen++; state = 'after'; at += 4; }
        else throw malformed(text, 'Expected range start.');
        break;
      case 'in':
        if (char === ']' || char === ')') {
          seen++;
          ranges.push(input(text.slice(start, at + 1), typmod) as RangeValue);
          state = 'after';
        } else if (char === '"') state = 'quoted';
        else if (char === '\\') state = 'escaped';
        break;
      case 'escaped': state = 'in'; break;
      case 'quoted':
        if (char === '"') state = text[at + 1] === '"' ? 'quoted-escaped' : 'in';
        else if (char === '\\') state = 'quoted-escaped';
        break;
      case 'quoted-escaped': state = 'quoted'; break;
      case 'after':
        if (char === ',') state = 'before';
        else if (char === '}') state = 'finished';
        else throw malformed(text, 'Expected comma or end of multirange.');
        break;
    }
  }
  if (text.slice(at).trim() !== '') throw malformed(text, 'Junk after closing right brace.');
  return makeMultirange(typeOid, ranges);
}

const multirangeOut = (value: MultirangeValue): string => `{${value.ranges.map(rangeOut).join(',')}}`;

function multirangeReceive(bytes: Uint8Array, typeOid: Oid, typmod: number): MultirangeValue {
  const rangeType = rangeTypeOf(typeOid);
  const reader = new WireReader(bytes);
  const count = reader.int32();
  const ranges: RangeValue[] = [];
  for (let i = 0; i < count; i++) ranges.push(rangeReceive(reader.takeBytes(reader.int32()), rangeType, typmod));
  reader.end();
  return makeMultirange(typeOid, ranges);
}

function multirangeSend(value: MultirangeValue): Uint8Array {
  const parts = [sendInt32(value.ranges.length)];
  for (const range of value.ranges) {
    const bytes = rangeSend(range);
    parts.push(sendInt32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

// --- construction

function constructFromArray(context: FunctionContext, array: ArrayValue): MultirangeValue {
  if (array.dims.length > 1) throw new PgError('cardinality_violation', 'multiranges cannot be constructed from multidimensional arrays');
  if (array.values.includes(null)) throw new PgError('null_value_not_allowed', 'multirange values cannot contain null members');
  return makeMultirange(context.resultType, array.values as RangeValue[]);
}

function constructFromRange(context: FunctionContext, range: RangeValue | null): MultirangeValue {
  if (range === null) throw new PgError('null_value_not_allowed', 'multirange values cannot contain null members');
  return makeMultirange(context.resultType, [range]);
}

function aggregateRange(context: FunctionContext, state: RangeValue[] | null, range: RangeValue | null): RangeValue[] {
  if (!context.aggregate) throw internalError('range_agg_transfn called in non-aggregate context');
  const list = state ?? [];
  if (range !== null) list.push(range);
  return list;
}

function aggregateMultirange(context: FunctionContext, state: RangeValue[] | null, value: MultirangeValue | null): RangeValue[] {
  if (!context.aggregate) throw internalError('multirange_agg_transfn called in non-aggregate context');
  const list = state ?? [];
  // An empty multirange makes the result empty, not NULL.
  if (value !== null) list.push(...(value.ranges.length === 0 ? [emptyRange(rangeTypeOf(value.typeOid))] : value.ranges));
  return list;
}

// --- comparison

function compareMultiranges(a: MultirangeValue, b: MultirangeValue): number {
  if (a.typeOid !== b.typeOid) throw internalError('multirange types do not match');
  const length = Math.min(a.ranges.length, b.ranges.length);
  for (let i = 0; i < length; i++) {
    const order = compareRanges(a.ranges[i]!, b.ranges[i]!);
    if (order !== 0) return order;
  }
  return a.ranges.length - b.ranges.length;
}

/** A range as what it is among multiranges; an empty one has no ranges. */
type Operand = RangeValue | MultirangeValue;
const rangesOf = (value: Operand): readonly RangeValue[] => (value instanceof RangeValue ? (isEmpty(value) ? [] : [value]) : value.ranges);

interface Span { typeOid: Oid; lower: Bound; upper: Bound }
function spanOf(value: Operand): Span | null {
  const ranges = rangesOf(value);
  if (ranges.length === 0) return null;
  return { typeOid: ranges[0]!.typeOid, lower: lowerOf(ranges[0]!), upper: upperOf(ranges.at(-1)!) };
}

/** A relation of first and last bounds; it does not hold when a side is empty. */
const spans = (test: (a: Span, b: Span, compare: (x: Bound, y: Bound) => number) => boolean) => (a: Operand, b: Operand): boolean => {
  const x = spanOf(a), y = spanOf(b);
  if (x === null || y === null) return false;
  const { subtype, collation } = typeHooks.rangeInfo(x.typeOid), compare = comparatorFor(subtype, collation);
  return test(x, y, (p, q) => compareBounds(compare, p, q));
};

const isBefore = spans((a, b, compare) => compare(a.upper, b.lower) < 0);
const isAfter = (a: Operand, b: Operand): boolean => isBefore(b, a);
const isOverLeft = spans((a, b, compare) => compare(a.upper, b.upper) <= 0);
const isOverRight = spans((a, b, compare) => compare(a.lower, b.lower) >= 0);
const isAdjacent = spans((a, b) => boundsAdjacent(a.typeOid, a.upper, b.lower) || boundsAdjacent(a.typeOid, b.upper, a.lower));

function isOverlapping(a: Operand, b: Operand): boolean {
  const x = rangesOf(a), y = rangesOf(b);
  for (let i = 0, k = 0; i < x.length && k < y.length;) {
    if (before(x[i]!, y[k]!)) i++;
    else if (before(y[k]!, x[i]!)) k++;
    else return overlaps(x[i]!, y[k]!);
  }
  return false;
}

function isContaining(a: Operand, b: Operand): boolean {
  const x = rangesOf(a), y = rangesOf(b);
  let i = 0;
  for (const range of y) {
    while (i < x.length && before(x[i]!, range)) i++;
    if (i === x.length || !contains(x[i]!, range)) return false;
  }
  return true;
}
const isContainedBy = (a: Operand, b: Operand): boolean => isContaining(b, a);

const hasElement = (value: MultirangeValue, element: Datum): boolean => value.ranges.some((range) => containsElement(range, element));

// --- set operations

function subtract(a: MultirangeValue, b: MultirangeValue): MultirangeValue {
  const result: RangeValue[] = [];
  let next = 0;
  for (let range of a.ranges) {
    while (next < b.ranges.length && before(b.ranges[next]!, range)) next++;
    while (next < b.ranges.length) {
      const other = b.ranges[next]!;
      const halves = split(range, other);
      if (halves !== null) {
        result.push(halves[0]);
        range = halves[1];
        next++;
      } else if (overlaps(range, other)) {
        range = minus(range, other);
        if (isEmpty(range) || before(range, other)) break;
        next++;
      } else break;
    }
    if (!isEmpty(range)) result.push(range);
  }
  return makeMultirange(a.typeOid, result);
}

function intersection(a: MultirangeValue, b: MultirangeValue): MultirangeValue {
  const result: RangeValue[] = [];
  for (let i = 0, k = 0; i < a.ranges.length && k < b.ranges.length;) {
    const x = a.ranges[i]!, y = b.ranges[k]!;
    if (overlaps(x, y)) result.push(intersect(x, y));
    const { subtype, collation } = typeHooks.rangeInfo(x.typeOid), compare = comparatorFor(subtype, collation);
    if (compareBounds(compare, upperOf(x), upperOf(y)) < 0) i++;
    else k++;
  }
  return makeMultirange(a.typeOid, result);
}

function merge(value: MultirangeValue): RangeValue {
  const type = rangeTypeOf(value.typeOid);
  if (value.ranges.length === 0) return emptyRange(type);
  return makeRange(type, lowerOf(value.ranges[0]!), upperOf(value.ranges.at(-1)!));
}

// --- hashing

const HASH: TypeHash = {
  hash: (value: MultirangeValue) => value.ranges.reduce((result, range) => (Math.imul(result, 31) + RANGE_HASH.hash(range)) >>> 0, 1),
  extended: (value: MultirangeValue, seed) => value.ranges.reduce((result, range) => (result * 31n + RANGE_HASH.extended(range, seed)) & 0xffffffffffffffffn, 1n),
};
registerHashOfKind('m', HASH);
registerComparisons(compareMultiranges, (value) => value.ranges.map((range) => {
  const key = rangeHashKey(range);
  return `${key.length}:${key}`;
}).join(''));

const first = (value: MultirangeValue, flag: number): boolean => value.ranges.length > 0 && (value.ranges[0]!.flags & flag) !== 0;
const last = (value: MultirangeValue, flag: number): boolean => value.ranges.length > 0 && (value.ranges.at(-1)!.flags & flag) !== 0;
type M = MultirangeValue;

registerBuiltins({
  pure: {
    multirange_in: multirangeIn, multirange_out: multirangeOut, multirange_recv: multirangeReceive, multirange_send: multirangeSend,
    anymultirange_out: multirangeOut, anycompatiblemultirange_out: multirangeOut,
    multirange_lower: (value: M) => value.ranges[0]?.lower ?? null,
    multirange_upper: (value: M) => value.ranges.at(-1)?.upper ?? null,
    multirange_empty: (value: M) => value.ranges.length === 0,
    multirange_lower_inc: (value: M) => first(value, LOWER_INC), multirange_lower_inf: (value: M) => first(value, LOWER_INF),
    multirange_upper_inc: (value: M) => last(value, UPPER_INC), multirange_upper_inf: (value: M) => last(value, UPPER_INF),
    multirange_contains_elem: hasElement,
    elem_contained_by_multirange: (element: Datum, value: M) => hasElement(value, element),
    multirange_eq: (a: M, b: M) => compareMultiranges(a, b) === 0,
    multirange_ne: (a: M, b: M) => compareMultiranges(a, b) !== 0,
    multirange_lt: (a: M, b: M) => compareMultiranges(a, b) < 0,
    multirange_le: (a: M, b: M) => compareMultiranges(a, b) <= 0,
    multirange_gt: (a: M, b: M) => compareMultiranges(a, b) > 0,
    multirange_ge: (a: M, b: M) => compareMultiranges(a, b) >= 0,
    multirange_cmp: (...args: Parameters<typeof compareMultiranges>) => Math.sign(compareMultiranges(...args)),
    range_overlaps_multirange: isOverlapping, multirange_overlaps_range: isOverlapping, multirange_overlaps_multirange: isOverlapping,
    range_overleft_multirange: isOverLeft, multirange_overleft_range: isOverLeft, multirange_overleft_multirange: isOverLeft,
    range_overright_multirange: isOverRight, multirange_overright_range: isOverRight, multirange_overright_multirange: isOverRight,
    range_contains_multirange: isContaining, multirange_contains_range: isContaining, multirange_contains_multirange: isContaining,
    range_contained_by_multirange: isContainedBy, multirange_contained_by_range: isContainedBy, multirange_contained_by_multirange: isContainedBy,
    range_before_multirange: isBefore, multirange_before_range: isBefore, multirange_before_multirange: isBefore,
    range_after_multirange: isAfter, multirange_after_range: isAfter, multirange_after_multirange: isAfter,
    range_adjacent_multirange: isAdjacent, multirange_adjacent_range: isAdjacent, multirange_adjacent_multirange: isAdjacent,
    multirange_union: (a: M, b: M) => makeMultirange(a.typeOid, [...a.ranges, ...b.ranges]),
    multirange_minus: subtract, multirange_intersect: intersection,
    range_merge_from_multirange: merge,
    ...hashFunctions('hash_multirange', 'hash_multirange_extended', HASH),
  },
  context: {
    multirange_constructor0: (context) => new MultirangeValue(context.resultType, []),
    multirange_constructor1: constructFromRange,
    multirange_constructor2: constructFromArray,
    range_agg_transfn: aggregateRange,
    multirange_agg_transfn: aggregateMultirange,
    multirange_intersect_agg_transfn: (context, state: M, value: M) => {
      if (!context.aggregate) throw internalError('multirange_intersect_agg_transfn called in non-aggregate context');
      return intersection(state, value);
    },
    range_agg_finalfn: (context, state: RangeValue[] | null) => (state === null || state.length === 0 ? null : makeMultirange(context.resultType, state)),
  },
  set: { multirange_unnest: (_context, value: M) => value.ranges },
});
