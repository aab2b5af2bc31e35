// Range types, all over one class: text and binary form, bounds and their order, operators (PostgreSQL's rangetypes.c).
import { PgError, internalError } from '../../common/errors.ts';
import { dateOutOfRange, isInfiniteDate } from './date.ts';
import { comparatorFor, hashKeyFor, registerRangeComparison, type Comparator } from './compare.ts';
import { RangeValue, type Datum, type Int8, type MultirangeValue, type Oid } from './datum.ts';
import { outOfRange } from './errors.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { hashFunctions, registerHashOfKind, rotateHalves, rotateLeft, typeHash, type TypeHash } from './hash.ts';
import { hashUint32, hashUint32Extended } from './hash_bytes.ts';
import { typeHooks } from './hooks.ts';
import { int8Add } from './int8.ts';
import { isValidDate } from './calendar.ts';
import { numericToFloat, subtractNumeric, type Numeric } from './numeric.ts';
import { sendInt32, WireReader } from './wire.ts';

const EMPTY = 1;
export const LOWER_INC = 2, UPPER_INC = 4, LOWER_INF = 8, UPPER_INF = 16;

export interface Bound {
  readonly value: Datum;
  readonly infinite: boolean;
  readonly inclusive: boolean;
  readonly lower: boolean;
}

export const isEmpty = (range: RangeValue): boolean => (range.flags & EMPTY) !== 0;
export const lowerOf = ({ lower, flags }: RangeValue): Bound => ({ value: lower, infinite: (flags & LOWER_INF) !== 0, inclusive: (flags & LOWER_INC) !== 0, lower: true });
export const upperOf = ({ upper, flags }: RangeValue): Bound => ({ value: upper, infinite: (flags & UPPER_INF) !== 0, inclusive: (flags & UPPER_INC) !== 0, lower: false });
export const emptyRange = (typeOid: Oid): RangeValue => new RangeValue(typeOid, null, null, EMPTY);

function comparatorOf(typeOid: Oid): Comparator {
  const { subtype, collation } = typeHooks.rangeInfo(typeOid);
  return comparatorFor(subtype, collation);
}

/** Of two bounds as they are, even when the lower one is the higher. */
export function uncheckedRange(typeOid: Oid, lower: Bound, upper: Bound): RangeValue {
  return new RangeValue(typeOid, lower.infinite ? null : lower.value, upper.infinite ? null : upper.value,
    (lower.infinite ? LOWER_INF : lower.inclusive ? LOWER_INC : 0) | (upper.infinite ? UPPER_INF : upper.inclusive ? UPPER_INC : 0));
}

/** make_range: checked, and in canonical form. */
export function makeRange(typeOid: Oid, lower: Bound, upper: Bound): RangeValue {
  const { canonical } = typeHooks.rangeInfo(typeOid);
  if (!lower.infinite && !upper.infinite) {
    const order = comparatorOf(typeOid)(lower.value, upper.value);
    if (order > 0) throw new PgError('data_exception', 'range lower bound must be less than or equal to range upper bound');
    if (order === 0 && !(lower.inclusive && upper.inclusive)) return emptyRange(typeOid);
  }
  const range = uncheckedRange(typeOid, lower, upper);
  return canonical === undefined ? range : canonical(range);
}

/** range_cmp_bounds: where two bounds lie on the line, of either side. */
export function compareBounds(compare: Comparator, a: Bound, b: Bound): number {
  if (a.infinite) return b.infinite && a.lower === b.lower ? 0 : a.lower ? -1 : 1;
  if (b.infinite) return b.lower ? 1 : -1;
  const order = compare(a.value, b.value);
  if (order !== 0 || (a.inclusive && b.inclusive)) return order;
  if (!a.inclusive && !b.inclusive) return a.lower === b.lower ? 0 : a.lower ? 1 : -1;
  if (!a.inclusive) return a.lower ? 1 : -1;
  return b.lower ? -1 : 1;
}

// --- text form

function malformed(text: string, detail: string): PgError {
  return new PgError('invalid_text_representation', `malformed range literal: "${text}"`, { detail });
}

const EMPTY_WORD = /^\s*empty/i;

function rangeIn(text: string, typeOid: Oid, typmod: number): RangeValue {
  const { input } = typeHooks.typeIo(typeHooks.rangeInfo(typeOid).subtype);
  const word = EMPTY_WORD.exec(text);
  if (word !== null) {
    if (text.slice(word[0].length).trim() !== '') throw malformed(text, 'Junk after "empty" keyword.');
    return emptyRange(typeOid);
  }
  let at = 0;
  while (/\s/.test(text[at] ?? '')) at++;
  const open = text[at++];
  if (open !== '[' && open !== '(') throw malformed(text, 'Missing left parenthesis or bracket.');
  const readBound = (): string | null => {
    if (text[at] === ',' && !sawComma) return null;
    if (sawComma && (text[at] === ')' || text[at] === ']')) return null;
    let value = '', quoted = false;
    for (;;) {
      const char = text[at];
      if (!quoted && (char === ',' || char === ')' || char === ']')) return value;
      at++;
      if (char === undefined) throw malformed(text, 'Unexpected end of input.');
      if (char === '\\') {
        if (at >= text.length) throw malformed(text, 'Unexpected end of input.');
        value += text[at++];
      } else if (char !== '"') value += char;
      else if (!quoted) quoted = true;
      else if (text[at] === '"') { value += '"'; at++; } else quoted = false;
    }
  };
  let sawComma = false;
  const lower = readBound();
  if (text[at] !== ',') throw malformed(text, 'Missing comma after lower bound.');
  at++;
  sawComma = true;
  const upper = readBound();
  const close = text[at++];
  if (close !== ']' && close !== ')') throw malformed(text, 'Too many commas.');
  if (text.slice(at).trim() !== '') throw malformed(text, 'Junk after right parenthesis or bracket.');
  const bound = (part: string | null, inclusive: boolean, isLower: boolean): Bound => ({
    value: part === null ? null : input(part, typmod), infinite: part === null, inclusive: part !== null && inclusive, lower: isLower,
  });
  return makeRange(typeOid, bound(lower, open === '[', true), bound(upper, close === ']', false));
}

const quoteBound = (text: string): string => (text === '' || /["\\()[\],\s]/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text);

export function rangeOut(range: RangeValue): string {
  const { flags } = range;
  if ((flags & EMPTY) !== 0) return 'empty';
  const { output } = typeHooks.typeIo(typeHooks.rangeInfo(range.typeOid).subtype);
  return `${(flags & LOWER_INC) !== 0 ? '[' : '('}${(flags & LOWER_INF) !== 0 ? '' : quoteBound(output(range.lower))},` +
    `${(flags & UPPER_INF) !== 0 ? '' : quoteBound(output(range.upper))}${(flags & UPPER_INC) !== 0 ? ']' : ')'}`;
}

export function rangeReceive(bytes: Uint8Array, typeOid: Oid, typmod: number): RangeValue {
  const { receive } = typeHooks.typeIo(typeHooks.rangeInfo(typeOid).subtype);
  const reader = new WireReader(bytes);
  const flags = reader.uint8() & (EMPTY | LOWER_INC | UPPER_INC | LOWER_INF | UPPER_INF);
  const bound = (infinity: number, inclusive: number, lower: boolean): Bound => {
    const infinite = (flags & (EMPTY | infinity)) !== 0;
    return { value: infinite ? null : receive(reader.takeBytes(reader.int32()), typmod), infinite, inclusive: !infinite && (flags & inclusive) !== 0, lower };
  };
  const lower = bound(LOWER_INF, LOWER_INC, true), upper = bound(UPPER_INF, UPPER_INC, false);
  reader.end();
  return (flags & EMPTY) !== 0 ? emptyRange(typeOid) : makeRange(typeOid, lower, upper);
}

export function rangeSend(range: RangeValue): Uint8Array {
  const { send } = typeHooks.typeIo(typeHooks.rangeInfo(range.typeOid).subtype);
  const parts: Uint8Array[] = [Uint8Array.of(range.flags)];
  for (const { value, infinite } of isEmpty(range) ? [] : [lowerOf(range), upperOf(range)]) {
    if (infinite) continue;
    const bytes = send(value);
    parts.push(sendInt32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

// --- construction

const FLAGS = ['[]', '[)', '(]', '()'];

function construct(context: FunctionContext, lower: Datum, upper: Datum, flags: string | null = '[)'): RangeValue {
  if (flags === null) throw new PgError('data_exception', 'range constructor flags argument must not be null');
  if (!FLAGS.includes(flags)) {
    throw new PgError('syntax_error', 'invalid range bound flags', { hint: 'Valid values are "[]", "[)", "(]", and "()".' });
  }
  return makeRange(context.resultType,
    { value: lower, infinite: lower === null, inclusive: lower !== null && flags[0] === '[', lower: true },
    { value: upper, infinite: upper === null, inclusive: upper !== null && flags[1] === ']', lower: false });
}

/** Discrete ranges are written [lower,upper): `next` is the value after another, itself for those that have none. */
const canonical = (next: (value: any) => Datum) => (range: RangeValue): RangeValue => {
  const { typeOid, lower, upper, flags } = range;
  if ((flags & EMPTY) !== 0) return range;
  let low = lower, high = upper, changed = flags;
  if ((flags & (LOWER_INF | LOWER_INC)) === 0 && next(lower) !== lower) { low = next(lower); changed |= LOWER_INC; }
  if ((flags & UPPER_INF) === 0 && (flags & UPPER_INC) !== 0 && next(upper) !== upper) { high = next(upper); changed &= ~UPPER_INC; }
  if (changed === flags) return range;
  if ((flags & (LOWER_INF | UPPER_INF)) === 0 && (low as Int8) >= (high as Int8) && (changed & UPPER_INC) === 0) return emptyRange(typeOid);
  return new RangeValue(typeOid, low, high, changed);
};

function nextInt4(value: number): number {
  if (value === 2147483647) throw outOfRange('integer');
  return value + 1;
}

function nextDate(value: number): number {
  if (isInfiniteDate(value)) return value;
  if (!isValidDate(value + 1)) throw dateOutOfRange();
  return value + 1;
}

// --- comparison

function sameType(a: RangeValue | MultirangeValue, b: RangeValue | MultirangeValue): void {
  if (a.typeOid !== b.typeOid) throw internalError('range types do not match');
}

export function compareRanges(a: RangeValue, b: RangeValue): number {
  sameType(a, b);
  if (isEmpty(a) || isEmpty(b)) return Number(isEmpty(b)) - Number(isEmpty(a));
  const compare = comparatorOf(a.typeOid);
  return compareBounds(compare, lowerOf(a), lowerOf(b)) || compareBounds(compare, upperOf(a), upperOf(b));
}

/** A relation of ranges that does not hold when one is empty. */
const relation = (test: (compare: Comparator, a: RangeValue, b: RangeValue) => boolean) => (a: RangeValue, b: RangeValue): boolean => {
  sameType(a, b);
  return !isEmpty(a) && !isEmpty(b) && test(comparatorOf(a.typeOid), a, b);
};

export const before = relation((compare, a, b) => compareBounds(compare, upperOf(a), lowerOf(b)) < 0);
export const overlaps = relation((compare, a, b) =>
  compareBounds(compare, lowerOf(a), upperOf(b)) <= 0 && compareBounds(compare, lowerOf(b), upperOf(a)) <= 0);
const overLeft = relation((compare, a, b) => compareBounds(compare, upperOf(a), upperOf(b)) <= 0);
const overRight = relation((compare, a, b) => compareBounds(compare, lowerOf(a), lowerOf(b)) >= 0);
export const adjacent = relation((_compare, a, b) =>
  boundsAdjacent(a.typeOid, upperOf(a), lowerOf(b)) || boundsAdjacent(a.typeOid, upperOf(b), lowerOf(a)));

/** bounds_adjacent: whether nothing lies between an upper and a lower bound, and they have nothing in common. */
export function boundsAdjacent(typeOid: Oid, upper: Bound, lower: Bound): boolean {
  if (upper.infinite || lower.infinite) return false;
  const order = comparatorOf(typeOid)(upper.value, lower.value);
  if (order > 0) return false;
  if (order === 0) return upper.inclusive !== lower.inclusive;
  if (typeHooks.rangeInfo(typeOid).canonical === undefined) return false;
  // Discrete: is what lies between them empty?
  return isEmpty(makeRange(typeOid, { ...upper, inclusive: !upper.inclusive, lower: true }, { ...lower, inclusive: !lower.inclusive, lower: false }));
}

export function contains(a: RangeValue, b: RangeValue): boolean {
  sameType(a, b);
  if (isEmpty(b)) return true;
  if (isEmpty(a)) return false;
  const compare = comparatorOf(a.typeOid);
  return compareBounds(compare, lowerOf(a), lowerOf(b)) <= 0 && compareBounds(compare, upperOf(a), upperOf(b)) >= 0;
}

export function containsElement(range: RangeValue, value: Datum): boolean {
  const { flags } = range;
  if ((flags & EMPTY) !== 0) return false;
  const compare = comparatorOf(range.typeOid);
  if ((flags & LOWER_INF) === 0) {
    const order = compare(range.lower, value);
    if (order > 0 || (order === 0 && (flags & LOWER_INC) === 0)) return false;
  }
  if ((flags & UPPER_INF) === 0) {
    const order = compare(range.upper, value);
    if (order < 0 || (order === 0 && (flags & UPPER_INC) === 0)) return false;
  }
  return true;
}

// --- set operations

const notContiguous = (what: string): PgError => new PgError('data_exception', `result of range ${what} would not be contiguous`);

/** A bound of the other side at the same place: where what is cut off begins. */
const opposite = (bound: Bound): Bound => ({ ...bound, inclusive: !bound.inclusive, lower: !bound.lower });

/** range_split_internal: what is left and right of `b` when it lies inside `a`. */
export function split(a: RangeValue, b: RangeValue): [RangeValue, RangeValue] | null {
  const compare = comparatorOf(a.typeOid);
  if (compareBounds(compare, lowerOf(a), lowerOf(b)) >= 0 || compareBounds(compare, upperOf(a), upperOf(b)) <= 0) return null;
  return [makeRange(a.typeOid, lowerOf(a), opposite(lowerOf(b))), makeRange(a.typeOid, opposite(upperOf(b)), upperOf(a))];
}

export function minus(a: RangeValue, b: RangeValue): RangeValue {
  sameType(a, b);
  if (isEmpty(a) || isEmpty(b)) return a;
  const compare = comparatorOf(a.typeOid);
  const lowers = compareBounds(compare, lowerOf(a), lowerOf(b)), uppers = compareBounds(compare, upperOf(a), upperOf(b));
  if (lowers < 0 && uppers > 0) throw notContiguous('difference');
  if (compareBounds(compare, lowerOf(a), upperOf(b)) > 0 || compareBounds(compare, upperOf(a), lowerOf(b)) < 0) return a;
  if (lowers >= 0 && uppers <= 0) return emptyRange(a.typeOid);
  return uppers <= 0 ? makeRange(a.typeOid, lowerOf(a), opposite(lowerOf(b))) : makeRange(a.typeOid, opposite(upperOf(b)), upperOf(a));
}

export function union(a: RangeValue, b: RangeValue, strict: boolean): RangeValue {
  sameType(a, b);
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  if (strict && !overlaps(a, b) && !adjacent(a, b)) throw notContiguous('union');
  const compare = comparatorOf(a.typeOid);
  return makeRange(a.typeOid, compareBounds(compare, lowerOf(a), lowerOf(b)) < 0 ? lowerOf(a) : lowerOf(b),
    compareBounds(compare, upperOf(a), upperOf(b)) > 0 ? upperOf(a) : upperOf(b));
}

export function intersect(a: RangeValue, b: RangeValue): RangeValue {
  sameType(a, b);
  if (isEmpty(a) || isEmpty(b) || !overlaps(a, b)) return emptyRange(a.typeOid);
  const compare = comparatorOf(a.typeOid);
  return makeRange(a.typeOid, compareBounds(compare, lowerOf(a), lowerOf(b)) >= 0 ? lowerOf(a) : lowerOf(b),
    compareBounds(compare, upperOf(a), upperOf(b)) <= 0 ? upperOf(a) : upperOf(b));
}

// --- hashing

const boundHash = (range: RangeValue): TypeHash => typeHash(typeHooks.rangeInfo(range.typeOid).subtype);
const hasLower = (range: RangeValue): boolean => (range.flags & (EMPTY | LOWER_INF)) === 0;
const hasUpper = (range: RangeValue): boolean => (range.flags & (EMPTY | UPPER_INF)) === 0;

export const RANGE_HASH: TypeHash = {
  hash: (range: RangeValue) => {
    const { hash } = boundHash(range);
    const lower = hasLower(range) ? hash(range.lower) : 0, upper = hasUpper(range) ? hash(range.upper) : 0;
    return (rotateLeft(hashUint32(range.flags) ^ lower) ^ upper) >>> 0;
  },
  extended: (range: RangeValue, seed) => {
    const { extended } = boundHash(range);
    const lower = hasLower(range) ? extended(range.lower, seed) : 0n, upper = hasUpper(range) ? extended(range.upper, seed) : 0n;
    return rotateHalves(hashUint32Extended(range.flags, seed) ^ lower) ^ upper;
  },
};
registerHashOfKind('r', RANGE_HASH);

export function rangeHashKey(range: RangeValue): string {
  const { subtype, collation } = typeHooks.rangeInfo(range.typeOid), key = hashKeyFor(subtype, collation);
  const lower = hasLower(range) ? String(key(range.lower)) : '', upper = hasUpper(range) ? String(key(range.upper)) : '';
  return `${range.flags}:${lower.length}:${lower}${upper}`;
}

/** Called by multirangetypes.ts, which knows the other half. */
export function registerComparisons(compareMulti: Comparator, hashKeyMulti: (value: MultirangeValue) => string): void {
  registerRangeComparison(
    { compare: compareRanges, equals: (a, b) => compareRanges(a, b) === 0, hashKey: rangeHashKey },
    { compare: compareMulti, equals: (a, b) => compareMulti(a, b) === 0, hashKey: hashKeyMulti });
}

registerBuiltins({
  pure: {
    range_in: rangeIn, range_out: rangeOut, range_recv: rangeReceive, range_send: rangeSend,
    anyrange_out: rangeOut, anycompatiblerange_out: rangeOut,
    range_lower: (r: RangeValue) => r.lower,
    range_upper: (r: RangeValue) => r.upper,
    range_empty: isEmpty,
    range_lower_inc: (r: RangeValue) => (r.flags & LOWER_INC) !== 0,
    range_upper_inc: (r: RangeValue) => (r.flags & UPPER_INC) !== 0,
    range_lower_inf: (r: RangeValue) => (r.flags & LOWER_INF) !== 0,
    range_upper_inf: (r: RangeValue) => (r.flags & UPPER_INF) !== 0,
    range_contains_elem: containsElement,
    elem_contained_by_range: (value: Datum, range: RangeValue) => containsElement(range, value),
    range_eq: (a: RangeValue, b: RangeValue) => compareRanges(a, b) === 0,
    range_ne: (a: RangeValue, b: RangeValue) => compareRanges(a, b) !== 0,
    range_lt: (a: RangeValue, b: RangeValue) => compareRanges(a, b) < 0,
    range_le: (a: RangeValue, b: RangeValue) => compareRanges(a, b) <= 0,
    range_gt: (a: RangeValue, b: RangeValue) => compareRanges(a, b) > 0,
    range_ge: (a: RangeValue, b: RangeValue) => compareRanges(a, b) >= 0,
    range_cmp: compareRanges,
    range_contains: contains,
    range_contained_by: (a: RangeValue, b: RangeValue) => contains(b, a),
    range_before: before, range_after: (a: RangeValue, b: RangeValue) => before(b, a),
    range_overlaps: overlaps, range_overleft: overLeft, range_overright: overRight, range_adjacent: adjacent,
    range_minus: minus, range_union: (a: RangeValue, b: RangeValue) => union(a, b, true),
    range_merge: (a: RangeValue, b: RangeValue) => union(a, b, false),
    range_intersect: intersect,
    int4range_canonical: canonical(nextInt4),
    int8range_canonical: canonical((value: Int8) => int8Add(value, 1)),
    daterange_canonical: canonical(nextDate),
    int4range_subdiff: (a: number, b: number) => a - b,
    int8range_subdiff: (a: Int8, b: Int8) => Number(a) - Number(b),
    numrange_subdiff: (a: Numeric, b: Numeric) => numericToFloat(subtractNumeric(a, b)),
    ...hashFunctions('hash_range', 'hash_range_extended', RANGE_HASH),
  },
  context: {
    range_constructor2: (context, lower, upper) => construct(context, lower, upper),
    range_constructor3: construct,
    range_intersect_agg_transfn: (context, state: RangeValue, range: RangeValue) => {
      if (!context.aggregate) throw internalError('range_intersect_agg_transfn called in non-aggregate context');
      return intersect(state, range);
    },
  },
});
