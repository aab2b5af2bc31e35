// Subscripts and slices of arrays, for the executor's SubscriptingRef: arrayfuncs.c's array_get_element, ... .
import { PgError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { ArrayValue, type Datum, type Oid } from './datum.ts';
import { changedArray } from './grown_array.ts';
import { arrayTooLarge, checkBounds, elementCount, emptyArray, MAX_ARRAY_SIZE } from './array_io.ts';

function subscriptError(message: string, detail?: string): PgError {
  return new PgError('array_subscript_error', message, detail === undefined ? {} : { detail });
}

/** a[i][j]...: NULL when out of bounds or with the wrong number of subscripts. */
export function arrayElement(array: ArrayValue, subscripts: readonly number[]): Datum {
  const { dims, lbounds } = array;
  if (dims.length !== subscripts.length) return null;
  let offset = 0;
  for (let i = 0; i < dims.length; i++) {
    const at = subscripts[i]! - lbounds[i]!;
    if (at < 0 || at >= dims[i]!) return null;
    offset = offset * dims[i]! + at;
  }
  return array.values[offset] ?? null;
}

/** Visits the offsets of a sub-box in row-major order. */
function forEachOffset(dims: readonly number[], from: readonly number[], size: readonly number[], visit: (offset: number) => void): void {
  const walk = (dimension: number, offset: number): void => {
    if (dimension === dims.length) {
      visit(offset);
      return;
    }
    for (let i = 0; i < size[dimension]!; i++) walk(dimension + 1, offset * dims[dimension]! + from[dimension]! + i);
  };
  walk(0, 0);
}

/** a[l:u]...; undefined bounds were left out. Lower bounds of the result are 1. */
export function arraySlice(array: ArrayValue, lower: readonly (number | undefined)[], upper: readonly (number | undefined)[]): ArrayValue {
  const { dims, lbounds, elementType } = array;
  if (dims.length < lower.length || dims.length === 0) return emptyArray(elementType);
  const from: number[] = [], size: number[] = [];
  for (let i = 0; i < dims.length; i++) {
    const low = Math.max((i < lower.length ? lower[i] : undefined) ?? -Infinity, lbounds[i]!);
    const high = Math.min((i < upper.length ? upper[i] : undefined) ?? Infinity, lbounds[i]! + dims[i]! - 1);
    if (low > high) return emptyArray(elementType);
    from.push(low - lbounds[i]!);
    size.push(high - low + 1);
  }
  const values: Datum[] = [];
  forEachOffset(dims, from, size, (offset) => values.push(array.values[offset]!));
  return new ArrayValue(elementType, size, size.map(() => 1), values);
}

/** An array of one dimension made to reach from `low` to `high`, with NULLs in the new places. */
function widen(array: ArrayValue, low: number, high: number): ArrayValue {
  const lower = Math.min(array.lbounds[0]!, low);
  const before = array.lbounds[0]! - lower;
  const after = Math.max(0, high - (array.lbounds[0]! + array.dims[0]! - 1));
  if (before === 0 && after === 0) return array;
  const size = before + array.dims[0]! + after;
  if (size > MAX_ARRAY_SIZE) throw arrayTooLarge();
  expectBytes(size * 8);
  const values = [...new Array<Datum>(before).fill(null), ...array.values, ...new Array<Datum>(after).fill(null)];
  return new ArrayValue(array.elementType, [size], [lower], values);
}

/** a[i]... := value. A NULL array counts as empty; an array of one dimension grows as needed. */
export function arrayAssignElement(array: ArrayValue | null, elementType: Oid, subscripts: readonly number[], value: Datum): ArrayValue {
  if (array === null || array.dims.length === 0) {
    const dims = subscripts.map(() => 1);
    checkBounds(dims, subscripts);
    return new ArrayValue(elementType, dims, [...subscripts], [value]);
  }
  if (array.dims.length !== subscripts.length) throw subscriptError('wrong number of array subscripts');
  let base = array;
  if (subscripts.length === 1) {
    if (subscripts[0]! >= 2147483647) throw arrayTooLarge();
    const size = array.dims[0]!;
    if (subscripts[0] === array.lbounds[0]! + size && size < MAX_ARRAY_SIZE) return changedArray(array, [size + 1], -1, value);
    base = widen(array, subscripts[0]!, subscripts[0]!);
  }
  let offset = 0;
  for (let i = 0; i < base.dims.length; i++) {
    const at = subscripts[i]! - base.lbounds[i]!;
    if (at < 0 || at >= base.dims[i]!) throw subscriptError('array subscript out of range');
    offset = offset * base.dims[i]! + at;
  }
  if (base === array) return changedArray(array, array.dims, offset, value);
  const values = base.values as Datum[];
  values[offset] = value;
  return new ArrayValue(elementType, base.dims, base.lbounds, values);
}

const MAX_INT = 2147483647;

/** a[l:u]... := source. */
export function arrayAssignSlice(
  array: ArrayValue | null, elementType: Oid, lower: readonly (number | undefined)[],
  upper: readonly (number | undefined)[], source: ArrayValue,
): ArrayValue {
  const tooSmall = (): PgError => subscriptError('source array too small');
  const inverted = (): PgError => subscriptError('upper bound cannot be less than lower bound');
  if (array === null || array.dims.length === 0) {
    const dims: number[] = [], lbounds: number[] = [];
    lower.forEach((low, i) => {
      const high = upper[i];
      if (low === undefined || high === undefined) {
        throw subscriptError('array slice subscript must provide both boundaries',
          'When assigning to a slice of an empty array value, slice boundaries must be fully specified.');
      }
      if (high - low + 1 > MAX_INT || high - low + 1 < 0) throw arrayTooLarge();
      dims.push(high - low + 1);
      lbounds.push(low);
    });
    const count = elementCount(dims);
    if (source.values.length < count) throw tooSmall();
    checkBounds(dims, lbounds);
    return count === 0 ? emptyArray(elementType) : new ArrayValue(elementType, dims, lbounds, source.values.slice(0, count));
  }
  if (array.dims.length < lower.length) throw subscriptError('wrong number of array subscripts');
  let base = array;
  if (array.dims.length === 1) {
    const low = lower[0] ?? array.lbounds[0]!, high = upper[0] ?? array.lbounds[0]! + array.dims[0]! - 1;
    if (low > high) throw inverted();
    if (source.values.length < high - low + 1) throw tooSmall();
    base = widen(array, low, high);
  }
  const from: number[] = [], size: number[] = [];
  for (let i = 0; i < base.dims.length; i++) {
    const first = base.lbounds[i]!, last = first + base.dims[i]! - 1;
    const low = (i < lower.length ? lower[i] : undefined) ?? (base === array || i > 0 ? first : lower[0] ?? first);
    const high = (i < upper.length ? upper[i] : undefined) ?? last;
    if (low > high) throw inverted();
    if (low < first || high > last) throw subscriptError('array subscript out of range');
    from.push(low - first);
    size.push(high - low + 1);
  }
  if (source.values.length < elementCount(size)) throw tooSmall();
  const values = [...base.values];
  let next = 0;
  forEachOffset(base.dims, from, size, (offset) => {
    values[offset] = source.values[next++]!;
  });
  return new ArrayValue(elementType, base.dims, base.lbounds, values);
}
