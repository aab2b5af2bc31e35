// What generated expressions call for the rarer things: arrays, rows, conversions through text, domains, the SQL
// functions that are keywords.
import { type ErrorFields, PgError, notSupported } from '../../common/errors.ts';
import { formatType } from '../catalog/format_type.ts';
import { amopsByOperator, constraintsOfDomain, namespaceByOid, typeByOid } from '../catalog/syscache.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Expr, RowExpr, SQLValueFunction } from '../nodes/primnodes.ts';
import { arrayAssignElement, arrayAssignSlice, arrayElement, arraySlice } from '../types/array_subscript.ts';
import { mapArray, nestArrays } from '../types/array_ops.ts';
import { type ArrayValue, int8, type Int8, makeArray, type Datum, type Oid, type RecordAttribute, RecordValue } from '../types/datum.ts';
import { findBuiltin } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';
import { FLOAT4OID, FLOAT8OID, INT4OID, INT8OID } from '../types/oids.ts';
import { session } from '../utils/session.ts';
import { functionInfo, makeContext, typeInfo } from './fmgr_info.ts';
import { typeComparator } from './sort_support.ts';
import { compareWithoutCollation } from './collated.ts';

export { makeArray, mapArray, typeComparator };

type Fn = (...args: any[]) => any;

// ------------------------------------------------------------------ rows

export function rowIsNull(value: Datum): boolean {
  return value === null || (value as RecordValue).values.every((v, i) => v === null || (value as RecordValue).attributes[i]?.dropped === true);
}
export function rowIsNotNull(value: Datum): boolean {
  return value !== null && (value as RecordValue).values.every((v, i) => v !== null || (value as RecordValue).attributes[i]?.dropped === true);
}

const RECORDOID = 2249;

export function rowMaker(e: RowExpr): { typeOid: Oid; attributes: readonly RecordAttribute[] } {
  if (e.row_typeid !== RECORDOID) return { typeOid: e.row_typeid, attributes: typeHooks.rowAttributes(e.row_typeid, -1) };
  const attributes = e.args.map((a, i) => ({
    name: e.colnames[i] ?? `f${i + 1}`, typeOid: exprType(a), typmod: exprTypmod(a), collation: exprCollation(a), dropped: false,
  }));
  return { typeOid: RECORDOID, attributes };
}

/** To another row type by column name (inheritance). */
export function convertRow(type: Oid): (row: RecordValue) => RecordValue {
  return (row) => {
    const attributes = typeHooks.rowAttributes(type, -1);
    const values = attributes.map((a) => {
      const i = row.attributes.findIndex((b) => b.name === a.name && !b.dropped);
      return i < 0 ? null : row.values[i]!;
    });
    return new RecordValue(type, attributes, values);
  };
}

export function storeFields(type: Oid, fieldnums: readonly number[]): (row: RecordValue | null, values: Datum[]) => RecordValue {
  return (row, values) => {
    const attributes = row?.attributes ?? typeHooks.rowAttributes(type, -1);
    const all: Datum[] = row === null ? attributes.map(() => null) : [...row.values];
    fieldnums.forEach((n, i) => { all[n - 1] = values[i]!; });
    return new RecordValue(type, attributes, all);
  };
}

// ------------------------------------------------------------------ conversion through text

const TEXT_LIKE = new Set([25, 1043]);

export function viaIO(output: (value: any) => string, input: (text: string, typmod: number) => Datum, target: Oid): (value: any) => Datum {
  return TEXT_LIKE.has(target) ? output : (value) => input(output(value), -1);
}

// ------------------------------------------------------------------ arrays

export function elementType(arrayType: Oid): Oid {
  const type = typeInfo(arrayType);
  return type.typtype === 'd' ? elementType(type.typbasetype) : type.typelem;
}

/** ARRAY[ARRAY[...], ...]: the parts are arrays of the same shape. */
export function makeNestedArray(type: Oid, parts: Datum[]): Datum {
  return nestArrays(type, parts as (ArrayValue | null)[]);
}

/** x OP ANY/ALL (array), with a function that wants no nulls. */
export function arrayOpStrict(fn: Fn, scalar: Datum, array: ArrayValue | null, any: boolean): boolean | null {
  if (array === null) return null;
  const { values } = array;
  if (values.length === 0) return !any;
  if (scalar === null) return null;
  let unknown = false;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    const result = v === null ? null : fn(scalar, v);
    if (result === any) return any;
    if (result === null || result === undefined) unknown = true;
  }
  return unknown ? null : !any;
}
/** The same for one execution, where `key` is the same for equal values only: a list seen again is made a set, as PostgreSQL hashes
 * one of nine constants or more. */
export function listSearch(fn: Fn, key: (value: any) => Datum, any: boolean): (scalar: Datum, array: ArrayValue | null) => boolean | null {
  let list: ArrayValue | null = null, set: Set<Datum> | null = null, hasNull = false;
  return (scalar, array) => {
    if (array === null || array !== list || array.values.length < MIN_HASHED_ITEMS) {
      list = array;
      set = null;
      return arrayOpStrict(fn, scalar, array, any);
    }
    if (set === null) {
      hasNull = array.values.includes(null);
      set = new Set(array.values.filter((v) => v !== null).map(key));
    }
    if (scalar === null) return null;
    return set.has(key(scalar)) ? any : hasNull ? null : !any;
  };
}
const MIN_HASHED_ITEMS = 9;

export function arrayOp(fn: Fn, scalar: Datum, array: ArrayValue | null, any: boolean): boolean | null {
  if (array === null) return null;
  let unknown = false;
  for (const v of array.values) {
    const result = fn(scalar, v);
    if (result === any) return any;
    if (result === null || result === undefined) unknown = true;
  }
  return unknown ? null : !any;
}

type Subscript = number | null | undefined;

/** `container[upper]`, or `container[lower:upper]` when lower is an array (undefined: bound left out). */
export function subscriptFetcher(containerType: Oid): (container: Datum, upper: Subscript[], lower: Subscript[] | null) => Datum {
  const type = typeInfo(containerType);
  if (type.typsubscript !== 0 && typeIsArray(containerType)) return fetchFromArray as Fn;
  const subscript = findBuiltin(`subscript_${type.typname}`);
  if (subscript !== undefined && subscript.kind === 'pure') return subscript.fn as Fn;
  throw notSupported(`subscripting of type ${type.typname}`);
}

/** `container[...] := value` for types with subscripts of their own (jsonb, point); null for arrays. */
export function subscriptAssigner(containerType: Oid): ((container: Datum, subscripts: (Datum | undefined)[], value: Datum) => Datum) | null {
  if (typeIsArray(containerType)) return null;
  const { typname } = typeInfo(containerType);
  const assign = findBuiltin(`subscript_assign_${typname}`);
  if (assign === undefined || assign.kind !== 'pure') throw notSupported(`assignment to subscripts of type ${typname}`);
  return assign.fn as Fn;
}

/** `array[place]`, the usual case without a list of subscripts. */
export function elementOf(array: ArrayValue, place: number | null): Datum {
  if (place === null) return null;
  if (array.dims.length !== 1) return arrayElement(array, [place]);
  return array.values[place - array.lbounds[0]!] ?? null;
}

export const isArrayType = (oid: Oid): boolean => typeInfo(oid).typsubscript !== 0 && typeIsArray(oid);

function typeIsArray(oid: Oid): boolean {
  const type = typeInfo(oid);
  return type.typelem !== 0 && type.typcategory === 'A';
}

function fetchFromArray(array: ArrayValue, upper: Subscript[], lower: Subscript[] | null): Datum {
  if (upper.includes(null) || lower?.includes(null)) return null;
  return lower === null ? arrayElement(array, upper as number[]) : arraySlice(array, lower as number[], upper as number[]);
}

/** `container[...] := value`, for UPDATE and INSERT. */
export function assignSubscript(container: ArrayValue | null, upper: Subscript[], lower: Subscript[] | null, value: Datum, elemType: Oid): Datum {
  if (upper.includes(null) || lower?.includes(null)) throw new PgError('null_value_not_allowed', 'array subscript in assignment must not be null');
  if (lower === null) return arrayAssignElement(container, elemType, upper as number[], value);
  return value === null ? container : arrayAssignSlice(container, elemType, lower as number[], upper as number[], value as ArrayValue);
}

// ------------------------------------------------------------------ row comparison

/** The three-way comparison of the btree family an ordering operator belongs to. */
export function orderingFunction(opno: Oid, _family: Oid, collation: Oid): (a: Datum, b: Datum) => number {
  const amop = amopsByOperator(opno).find((a) => a.amopmethod === 403);
  if (amop === undefined) throw notSupported(`row comparison with operator ${opno}`);
  return compareWithoutCollation(amop.amoplefttype, collation) ?? typeComparator(amop.amoplefttype, collation, amop.amoprighttype);
}

// ------------------------------------------------------------------ SQL value functions

export function sqlValueFunction(e: SQLValueFunction): () => Datum {
  const call = (prosrc: string, ...args: Datum[]): Datum => {
    const builtin = findBuiltin(prosrc);
    if (builtin === undefined) throw notSupported(`function ${prosrc}`);
    const fn = builtin.fn as Fn;
    return builtin.kind === 'pure' ? fn(...args) : fn(makeContext(0, [], e.type, 0), ...args);
  };
  const scaled = (prosrc: string, value: Datum): Datum => (e.typmod >= 0 ? call(prosrc, value, e.typmod) : value);
  switch (e.op) {
    case 'current_date': return () => call('timestamptz_date', session.transactionStart);
    case 'current_time': case 'current_time_n': return () => scaled('timetz_scale', call('timestamptz_timetz', session.transactionStart));
    case 'current_timestamp': case 'current_timestamp_n': return () => scaled('timestamptz_scale', session.transactionStart);
    case 'localtime': case 'localtime_n': return () => scaled('time_scale', call('timestamptz_time', session.transactionStart));
    case 'localtimestamp': case 'localtimestamp_n': return () => scaled('timestamp_scale', call('timestamptz_timestamp', session.transactionStart));
    case 'current_role': case 'current_user': case 'user': return () => call('current_user');
    case 'session_user': return () => call('session_user');
    case 'current_catalog': return () => call('current_database');
    case 'current_schema': return () => call('current_schema');
  }
}

// ------------------------------------------------------------------ domains

export interface DomainCheck { notNull: boolean; expr: Expr | null; violated: () => PgError }

/** Analyzes pg_constraint.conbin; the catalog fills it in. */
export const domainHooks: { constraintExpr: ((conbin: string) => Expr) | null } = { constraintExpr: null };

/** What tells a domain to a program (errdatatype). */
function domainFields(oid: Oid): ErrorFields {
  const { typname, typnamespace } = typeByOid(oid)!;
  return { schema: namespaceByOid(typnamespace)?.nspname, dataType: typname };
}

/** The checks of a domain, those of its base domains first; `named`: the one that messages tell. */
export function domainChecks(oid: Oid, named = oid): DomainCheck[] {
  const type = typeInfo(oid);
  if (type.typtype !== 'd') return [];
  const checks = domainChecks(type.typbasetype, named);
  if (type.typnotnull) {
    checks.push({ notNull: true, expr: null, violated: () => new PgError('not_null_violation', `domain ${formatType(named)} does not allow null values`, domainFields(named)) });
  }
  for (const con of constraintsOfDomain(oid)) {
    if (con.contype !== 'c' || con.conbin === null) continue;
    if (domainHooks.constraintExpr === null) throw notSupported('a CHECK constraint of a domain');
    checks.push({
      notNull: false, expr: domainHooks.constraintExpr(con.conbin),
      violated: () => new PgError('check_violation', `value for domain ${formatType(named)} violates check constraint "${con.conname}"`, { ...domainFields(named), constraint: con.conname }),
    });
  }
  return checks;
}

const bits = new DataView(new ArrayBuffer(8));

/** The number of one type that has the bits of a number of the other; undefined: they are the same value, or no numbers of the same size. */
export function sameBits(from: Oid, to: Oid): ((value: Datum) => Datum) | undefined {
  return SAME_BITS.get(numberOf(from))?.get(numberOf(to));
}
const FIRST_NORMAL_OID = 16384;
/** The type whose values a type's values are: a user's type has those of its input function's. */
const numberOf = (type: Oid): Oid => (type < FIRST_NORMAL_OID ? type : NUMBER_READ_BY.get(typeByOid(type)?.typtype === 'b' ? functionInfo(typeByOid(type)!.typinput).prosrc : '') ?? type);
const NUMBER_READ_BY = new Map([['int4in', INT4OID], ['int8in', INT8OID], ['float4in', FLOAT4OID], ['float8in', FLOAT8OID]]);
const SAME_BITS = new Map<Oid, Map<Oid, (value: Datum) => Datum>>([
  [INT8OID, new Map([[FLOAT8OID, (value) => { bits.setBigInt64(0, BigInt(value as Int8)); return bits.getFloat64(0); }]])],
  [FLOAT8OID, new Map([[INT8OID, (value) => { bits.setFloat64(0, value as number); return int8(bits.getBigInt64(0)); }]])],
  [INT4OID, new Map([[FLOAT4OID, (value) => { bits.setInt32(0, value as number); return bits.getFloat32(0); }]])],
  [FLOAT4OID, new Map([[INT4OID, (value) => { bits.setFloat32(0, value as number); return bits.getInt32(0); }]])],
]);
