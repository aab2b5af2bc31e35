// FOREACH: what a loop over an array gets, element by element or slice by slice.
import { PgError } from '../../../common/errors.ts';
import { formatType } from '../../catalog/format_type.ts';
import { getBaseType, getElementType } from '../../catalog/lsyscache.ts';
import { ArrayValue, type Datum, type Oid } from '../../types/datum.ts';
import { lastingValues } from '../../types/grown_array.ts';
import type { PlDatum } from './nodes.ts';

export function foreachElements(value: Datum, type: Oid, slice: number, target: PlDatum): { values: readonly Datum[]; type: Oid; typmod: number } {
  if (value === null) throw new PgError('null_value_not_allowed', 'FOREACH expression must not be null');
  const base = getBaseType(type);
  const element = getElementType(base);
  if (element === 0) throw new PgError('datatype_mismatch', `FOREACH expression must yield an array, not type ${formatType(type)}`);
  const array = value as ArrayValue;
  const { dims } = array;
  if (slice < 0 || slice > dims.length) {
    throw new PgError('array_subscript_error', `slice dimension (${slice}) is out of the valid range 0..${dims.length}`);
  }
  const isArray = (target.kind === 'var' || target.kind === 'rec') && getElementType(getBaseType(target.type.oid)) !== 0;
  if (slice > 0 && target.kind === 'var' && !isArray) {
    throw new PgError('datatype_mismatch', 'FOREACH ... SLICE loop variable must be of an array type');
  }
  if (slice === 0 && target.kind === 'var' && isArray) throw new PgError('datatype_mismatch', 'FOREACH loop variable must not be of an array type');
  if (slice === 0) return { values: lastingValues(array), type: element, typmod: -1 };
  const size = dims.slice(dims.length - slice).reduce((a, b) => a * b, 1);
  const values: ArrayValue[] = [];
  for (let i = 0; i < array.values.length; i += size) {
    values.push(new ArrayValue(array.elementType, dims.slice(dims.length - slice), array.lbounds.slice(dims.length - slice), array.values.slice(i, i + size)));
  }
  return { values, type: base, typmod: -1 };
}
