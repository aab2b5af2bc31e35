// Functions and operators over arrays of any type.
import { PgError } from '../../common/errors.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { ArrayValue, makeArray, type Datum, type Oid } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { arrayTooLarge, checkBounds, elementCount, emptyArray, MAX_ARRAY_SIZE } from './array_io.ts';
import { arraysEqual, comparatorFor, compareArrays, equalsFor } from './compare.ts';
import { changedArray, lastingValues } from './grown_array.ts';
import { typeHooks } from './hooks.ts';
import { INT4OID } from './oids.ts';

/** The element type of an array type. */
function elementTypeOf(arrayType: Oid): Oid {
  const io = typeHooks.typeIo(arrayType);
  return io.typtype === 'd' ? typeHooks.typeIo(io.basetype).typelem : io.typelem;
}

/** V8 keeps an array of more elements than this as a hash table when it is made in one go. */
const DENSE_ELEMENTS = 32 << 20;

/** Announces an array of so many elements. */
function expectElements(count: number): void {
  expectBytes(count * (count > DENSE_ELEMENTS ? 48 : 8));
}

/** NULL arrays count as empty for the functions that build arrays. */
function orEmpty(context: FunctionContext, array: ArrayValue | null): ArrayValue {
  return array ?? emptyArray(elementTypeOf(context.resultType));
}

function add(array: ArrayValue, value: Datum, atEnd: boolean): ArrayValue {
  if (array.dims.length === 0) return makeArray(array.elementType, [value]);
  if (array.dims.length > 1) throw new PgError('data_exception', 'argument must be empty or one-dimensional array');
  const size = array.dims[0]! + 1;
  const bound = array.lbounds[0]!;
  if (size > MAX_ARRAY_SIZE) throw arrayTooLarge();
  if (atEnd && bound + size - 1 > 2147483646) throw new PgError('numeric_value_out_of_range', 'integer out of range');
  expectElements(size);
  return atEnd ? changedArray(array, [size], -1, value) : new ArrayValue(array.elementType, [size], [bound], [value, ...array.values]);
}

function incompatible(detail: string): PgError {
  return new PgError('array_subscript_error', 'cannot concatenate incompatible arrays', { detail });
}

/** array_cat: of equal dimensions, or one being an element of the other. */
function concatArrays(a: ArrayValue, b: ArrayValue): ArrayValue {
  if (a.dims.length === 0) return b;
  if (b.dims.length === 0) return a;
  const rankA = a.dims.length, rankB = b.dims.length;
  if (Math.abs(rankA - rankB) > 1) {
    throw incompatible(`Arrays of ${rankA} and ${rankB} dimensions are not compatible for concatenation.`);
  }
  const mismatch = 'Arrays with differing dimensions are not compatible for concatenation.';
  let dims: number[], lbounds: readonly number[];
  const tailEqual = (x: readonly number[], y: readonly number[]): boolean =>
    x.length === y.length && x.every((value, i) => value === y[i]);
  if (rankA === rankB) {
    if (!tailEqual(a.dims.slice(1), b.dims.slice(1)) || !tailEqual(a.lbounds.slice(1), b.lbounds.slice(1))) {
      throw incompatible('Arrays with differing element dimensions are not compatible for concatenation.');
    }
    dims = [a.dims[0]! + b.dims[0]!, ...a.dims.slice(1)];
    lbounds = a.lbounds;
  } else {
    const [large, small] = rankA > rankB ? [a, b] : [b, a];
    if (!tailEqual(large.dims.slice(1), small.dims) || !tailEqual(large.lbounds.slice(1), small.lbounds)) {
      throw incompatible(mismatch);
    }
    dims = [large.dims[0]! + 1, ...large.dims.slice(1)];
    lbounds = large.lbounds;
  }
  expectElements(elementCount(dims));
  checkBounds(dims, lbounds);
  return new ArrayValue(a.elementType, dims, lbounds, [...a.values, ...b.values]);
}

// The collation matters only where texts that are equal need not be the same.

const matcher = (elementType: Oid, wanted: Datum, collation: Oid): ((value: Datum) => boolean) => {
  if (wanted === null) return (value) => value === null;
  const equals = equalsFor(elementType, collation);
  return (value) => value !== null && equals(value, wanted);
};

function position(array: ArrayValue | null, wanted: Datum, start: number | null | undefined, collation: Oid): number | null {
  if (array === null) return null;
  if (array.dims.length > 1) {
    throw new PgError('feature_not_supported', 'searching for elements in multidimensional arrays is not supported');
  }
  if (array.values.length === 0 || (wanted === null && !array.values.includes(null))) return null;
  if (start === null) throw new PgError('null_value_not_allowed', 'initial position must not be null');
  if (array.values.length === 0) return null;
  const bound = array.lbounds[0]!;
  const from = start === undefined ? 0 : Math.max(start - bound, 0);
  const matches = matcher(array.elementType, wanted, collation);
  for (let i = from; i < array.values.length; i++) if (matches(array.values[i]!)) return i + bound;
  return null;
}

function positions(array: ArrayValue | null, wanted: Datum, collation: Oid = 0): ArrayValue | null {
  if (array === null) return null;
  if (array.dims.length > 1) {
    throw new PgError('feature_not_supported', 'searching for elements in multidimensional arrays is not supported');
  }
  const matches = matcher(array.elementType, wanted, collation);
  const found: number[] = [];
  array.values.forEach((value, i) => {
    if (matches(value)) found.push(i + array.lbounds[0]!);
  });
  return makeArray(INT4OID, found);
}

function remove(array: ArrayValue | null, wanted: Datum, collation: Oid = 0): ArrayValue | null {
  if (array === null) return null;
  if (array.dims.length > 1) {
    throw new PgError('feature_not_supported', 'removing elements from multidimensional arrays is not supported');
  }
  const matches = matcher(array.elementType, wanted, collation);
  const kept = array.values.filter((value) => !matches(value));
  if (kept.length === array.values.length) return array;
  return kept.length === 0 ? emptyArray(array.elementType) : new ArrayValue(array.elementType, [kept.length], array.lbounds, kept);
}

function replace(array: ArrayValue | null, wanted: Datum, replacement: Datum, collation: Oid = 0): ArrayValue | null {
  if (array === null) return null;
  const matches = matcher(array.elementType, wanted, collation);
  return new ArrayValue(array.elementType, array.dims, array.lbounds, array.values.map((value) => (matches(value) ? replacement : value)));
}

function fill(context: FunctionContext, value: Datum, sizes: ArrayValue | null, bounds: ArrayValue | null): ArrayValue {
  if (sizes === null || bounds === null) {
    throw new PgError('null_value_not_allowed', 'dimension array or low bound array cannot be null');
  }
  const elementType = elementTypeOf(context.resultType);
  const check = (array: ArrayValue): readonly number[] => {
    if (array.dims.length > 1) {
      throw new PgError('array_subscript_error', 'wrong number of array subscripts', { detail: 'Dimension array must be one dimensional.' });
    }
    if (array.values.includes(null)) throw new PgError('null_value_not_allowed', 'dimension values cannot be null');
    return array.values as readonly number[];
  };
  const dims = check(sizes);
  if (dims.length > 6) {
    throw new PgError('program_limit_exceeded', `number of array dimensions (${dims.length}) exceeds the maximum allowed (6)`);
  }
  const lbounds = check(bounds);
  if (lbounds.length !== dims.length && bounds !== DEFAULT_BOUNDS) {
    throw new PgError('array_subscript_error', 'wrong number of array subscripts',
      { detail: 'Low bound array has different size than dimensions array.' });
  }
  const actual = bounds === DEFAULT_BOUNDS ? dims.map(() => 1) : lbounds;
  const count = elementCount(dims);
  checkBounds(dims, actual);
  expectElements(count);
  return count === 0 ? emptyArray(elementType) : new ArrayValue(elementType, dims, actual, new Array<Datum>(count).fill(value));
}
const DEFAULT_BOUNDS = emptyArray(INT4OID);

/** Looking through more elements than this may be cancelled. */
const LONG_ARRAY = 256;

/** a @> b: every element of b is somewhere in a; a NULL in b is in nothing. */
function contains(a: ArrayValue, b: ArrayValue, collation: Oid = 0): boolean {
  const equals = sharedEquals(a, b, collation);
  const { length } = a.values;
  return b.values.every((wanted) => {
    if (length > LONG_ARRAY) checkForInterrupts();
    return wanted !== null && a.values.some((value) => value !== null && equals(value, wanted));
  });
}

function overlaps(a: ArrayValue, b: ArrayValue, collation: Oid = 0): boolean {
  const equals = sharedEquals(a, b, collation);
  const { length } = a.values;
  return b.values.some((wanted) => {
    if (length > LONG_ARRAY) checkForInterrupts();
    return wanted !== null && a.values.some((value) => value !== null && equals(value, wanted));
  });
}

function sharedEquals(a: ArrayValue, b: ArrayValue, collation: Oid): (x: Datum, y: Datum) => boolean {
  if (a.elementType !== b.elementType) {
    throw new PgError('datatype_mismatch', 'cannot compare arrays of different element types');
  }
  return equalsFor(a.elementType, collation);
}

const hasDimension = (array: ArrayValue, dimension: number): boolean => dimension >= 1 && dimension <= array.dims.length;
const upperBound = (array: ArrayValue, dimension: number): number => array.lbounds[dimension - 1]! + array.dims[dimension - 1]! - 1;

function* subscripts(array: ArrayValue, dimension: number, reverse: boolean): Generator<number> {
  if (!hasDimension(array, dimension)) return;
  const low = array.lbounds[dimension - 1]!, high = upperBound(array, dimension);
  if (reverse) for (let i = high; i >= low; i--) yield i;
  else for (let i = low; i <= high; i++) yield i;
}

function trimArray(array: ArrayValue, count: number): ArrayValue {
  const size = array.dims.length > 0 ? array.dims[0]! : 0;
  if (count < 0 || count > size) {
    throw new PgError('array_element_error', `number of elements to trim must be between 0 and ${size}`);
  }
  if (count === size) return emptyArray(array.elementType);
  // As the slice array[:size - count]: lower bounds become 1.
  const perRow = array.values.length / size;
  return new ArrayValue(array.elementType, [size - count, ...array.dims.slice(1)], array.dims.map(() => 1),
    array.values.slice(0, (size - count) * perRow));
}

/** width_bucket(operand, thresholds): how many thresholds are at most the operand. */
function widthBucket(operand: Datum, thresholds: ArrayValue): number {
  if (thresholds.dims.length > 1) throw new PgError('array_subscript_error', 'thresholds must be one-dimensional array');
  if (thresholds.values.includes(null)) throw new PgError('null_value_not_allowed', 'thresholds array must not contain NULLs');
  const compare = comparatorFor(thresholds.elementType);
  let low = 0, high = thresholds.values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(operand, thresholds.values[middle]) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** ArrayCoerceExpr: the same array with every element converted. */
export function mapArray(array: ArrayValue, elementType: Oid, convert: (value: Datum) => Datum): ArrayValue {
  return new ArrayValue(elementType, array.dims, array.lbounds, array.values.map(convert));
}

/** construct_md_array for ARRAY[...] of arrays: all of the same dimensions; NULL and empty ones only if all are empty. */
export function nestArrays(elementType: Oid, arrays: readonly (ArrayValue | null)[]): ArrayValue {
  const filled = arrays.filter((array): array is ArrayValue => array !== null && array.dims.length > 0);
  if (filled.length === 0) return emptyArray(elementType);
  const first = filled[0]!;
  const mismatch = filled.length !== arrays.length || filled.some((array) =>
    array.dims.length !== first.dims.length || array.dims.some((dim, i) => dim !== first.dims[i] || array.lbounds[i] !== first.lbounds[i]));
  if (mismatch) {
    throw new PgError('array_subscript_error', 'multidimensional arrays must have array expressions with matching dimensions');
  }
  const dims = [arrays.length, ...first.dims];
  if (dims.length > 6) {
    throw new PgError('program_limit_exceeded', `number of array dimensions (${dims.length}) exceeds the maximum allowed (6)`);
  }
  expectElements(elementCount(dims));
  return new ArrayValue(elementType, dims, [1, ...first.lbounds], filled.flatMap((array) => array.values));
}

// --- array_agg

/** State of array_agg: elements so far; over arrays also their common shape. */
interface ArrayAggregate { elementType: Oid; values: Datum[]; shape: ArrayValue | null; count: number }

const aggregateArray = (context: FunctionContext, state: ArrayAggregate | null, array: ArrayValue | null): ArrayAggregate =>
  accumulateArray(state ?? noArrays(context.argTypes[1]!), array);

const noArrays = (arrayType: Oid): ArrayAggregate => ({ elementType: elementTypeOf(arrayType), values: [], shape: null, count: 0 });

const arrayOf = (state: ArrayAggregate): ArrayValue => state.shape === null ? makeArray(state.elementType, [])
  : new ArrayValue(state.elementType, [state.count, ...state.shape.dims], [1, ...state.shape.lbounds], state.values.slice());

/** Arrays of this type as one with one more dimension; of none, an empty one. */
export function arrayOfArrays(arrayType: Oid, arrays: readonly Datum[]): ArrayValue {
  const state = noArrays(arrayType);
  for (const array of arrays) accumulateArray(state, array as ArrayValue | null);
  return arrayOf(state);
}

function accumulateArray(state: ArrayAggregate, array: ArrayValue | null): ArrayAggregate {
  if (array === null) throw new PgError('null_value_not_allowed', 'cannot accumulate null arrays');
  if (array.dims.length === 0) throw new PgError('array_subscript_error', 'cannot accumulate empty arrays');
  if (state.shape === null) {
    state.shape = array;
  } else if (state.shape.dims.length !== array.dims.length || array.dims.some((dim, i) => dim !== state.shape!.dims[i])) {
    throw new PgError('array_subscript_error', 'cannot accumulate arrays of different dimensionality');
  }
  for (const value of array.values) state.values.push(value);
  state.count++;
  return state;
}

registerBuiltins({
  pure: {
    array_eq: arraysEqual,
    array_ne: (a: ArrayValue, b: ArrayValue) => !arraysEqual(a, b),
    array_lt: (a: ArrayValue, b: ArrayValue) => compareArrays(a, b) < 0,
    array_le: (a: ArrayValue, b: ArrayValue) => compareArrays(a, b) <= 0,
    array_gt: (a: ArrayValue, b: ArrayValue) => compareArrays(a, b) > 0,
    array_ge: (a: ArrayValue, b: ArrayValue) => compareArrays(a, b) >= 0,
    btarraycmp: compareArrays,
    array_larger: (a: ArrayValue, b: ArrayValue) => (compareArrays(a, b) > 0 ? a : b),
    array_smaller: (a: ArrayValue, b: ArrayValue) => (compareArrays(a, b) < 0 ? a : b),
    arraycontains: contains,
    arraycontained: (a: ArrayValue, b: ArrayValue, collation: Oid = 0) => contains(b, a, collation),
    arrayoverlap: overlaps,
    array_ndims: (array: ArrayValue) => array.dims.length || null,
    array_dims: (array: ArrayValue) =>
      array.dims.length === 0 ? null : array.dims.map((_, i) => `[${array.lbounds[i]}:${upperBound(array, i + 1)}]`).join(''),
    array_lower: (array: ArrayValue, dimension: number) => (hasDimension(array, dimension) ? array.lbounds[dimension - 1]! : null),
    array_upper: (array: ArrayValue, dimension: number) => (hasDimension(array, dimension) ? upperBound(array, dimension) : null),
    array_length: (array: ArrayValue, dimension: number) => (hasDimension(array, dimension) ? array.dims[dimension - 1]! : null),
    array_cardinality: (array: ArrayValue) => array.values.length,
    array_position: (array: ArrayValue | null, wanted: Datum, collation: Oid = 0) => position(array, wanted, undefined, collation),
    array_position_start: (array: ArrayValue | null, wanted: Datum, start: number | null, collation: Oid = 0) => position(array, wanted, start, collation),
    array_positions: positions,
    array_remove: remove,
    array_replace: replace,
    trim_array: trimArray,
    width_bucket_array: widthBucket,
  },
  context: {
    array_append: (context: FunctionContext, array: ArrayValue | null, value: Datum) => add(orEmpty(context, array), value, true),
    array_prepend: (context: FunctionContext, value: Datum, array: ArrayValue | null) => add(orEmpty(context, array), value, false),
    array_cat: (_context: FunctionContext, a: ArrayValue | null, b: ArrayValue | null) =>
      a === null ? b : b === null ? a : concatArrays(a, b),
    array_fill: (context: FunctionContext, value: Datum, sizes: ArrayValue | null) => fill(context, value, sizes, DEFAULT_BOUNDS),
    array_fill_with_lower_bounds: fill,
    array_agg_transfn: (context: FunctionContext, state: ArrayAggregate | null, value: Datum) => {
      state ??= { elementType: context.argTypes[1]!, values: [], shape: null, count: 0 };
      state.values.push(value);
      return state;
    },
    array_agg_finalfn: (_context: FunctionContext, state: ArrayAggregate | null) =>
{
      if (state === null) return null;
      expectElements(state.values.length);
      return makeArray(state.elementType, state.values.slice());
    },
    array_agg_array_transfn: aggregateArray,
    array_agg_array_finalfn: (_context: FunctionContext, state: ArrayAggregate | null) =>
      (state === null ? null : arrayOf(state)),
  },
  set: {
    array_unnest: (_context: FunctionContext, array: ArrayValue) => lastingValues(array),
    generate_subscripts: (_context: FunctionContext, array: ArrayValue, dimension: number, reverse: boolean) =>
      subscripts(array, dimension, reverse),
    generate_subscripts_nodir: (_context: FunctionContext, array: ArrayValue, dimension: number) =>
      subscripts(array, dimension, false),
  },
});
