// A Datum is one SQL value inside the backend. Which JavaScript type stands for which SQL type:
//
//   boolean                         boolean
//   int2 int4 oid xid cid reg*      number
//   int8, timestamp, timestamptz,   "Int8": a number while Number.isSafeInteger, a bigint beyond.
//     time, money                   Canonical: the same value never has two representations.
//   float4 float8                   number (float4 always rounded by Math.fround)
//   numeric                         Numeric (types/numeric.ts): bigint coefficient and display scale
//   text varchar char(n) name       string (char(n) padded with spaces to n characters; name cut to 63 bytes)
//     cstring unknown json xml pg_node_tree
//   "char"                          string of one character (code 0 to 255), '' for the zero byte
//   bytea                           Uint8Array
//   date                            number: days since 2000-01-01; DATE_NEG_INFINITY, DATE_INFINITY
//   timestamp, timestamptz          Int8: microseconds since 2000-01-01 00:00 (UTC for timestamptz);
//                                   INT8_MIN is -infinity, INT8_MAX is infinity
//   time                            number: microseconds since midnight
//   timetz                          TimeTz;  interval: Interval
//   uuid                            string, 36 characters, lower case
//   arrays, int2vector, oidvector   ArrayValue (vectors have lower bound 0)
//   composite, record               RecordValue
//   enum                            number (oid of the pg_enum row)
//   range, multirange               RangeValue, MultirangeValue
//   jsonb                           JsonbValue (types/jsonb.ts);  other types: the class named in their own file
//   internal (transition states)    any object of the functions that share it
//   NULL                            null, for every type
//
// Datums are never changed in place, except a transition state by its own aggregate.
import { RECORDOID, TEXTARRAYOID, TEXTOID } from './oids.ts';

export type Oid = number;
export type Int8 = number | bigint;

// The classes below are all frozen shapes: every field is set in the constructor, in one order.

export class Interval {
  readonly months: number;
  readonly days: number;
  /** Microseconds. */
  readonly time: Int8;
  constructor(months: number, days: number, time: Int8) {
    this.months = months;
    this.days = days;
    this.time = time;
  }
}

export class TimeTz {
  /** Microseconds since local midnight. */
  readonly time: number;
  /** Seconds WEST of Greenwich, as in PostgreSQL's TimeTzADT. */
  readonly zone: number;
  constructor(time: number, zone: number) {
    this.time = time;
    this.zone = zone;
  }
}

/** A PostgreSQL array: dims and lbounds have one entry per dimension; an empty array has none. */
export class ArrayValue {
  readonly elementType: Oid;
  readonly dims: readonly number[];
  readonly lbounds: readonly number[];
  /** In row-major order. */
  readonly values: readonly Datum[];
  constructor(elementType: Oid, dims: readonly number[], lbounds: readonly number[], values: readonly Datum[]) {
    this.elementType = elementType;
    this.dims = dims;
    this.lbounds = lbounds;
    this.values = values;
  }
}

/** A row value. `typeOid` is RECORDOID for anonymous rows, whose column names and types are in `attributes`. */
export class RecordValue {
  readonly typeOid: Oid;
  readonly attributes: readonly RecordAttribute[];
  readonly values: readonly Datum[];
  constructor(typeOid: Oid, attributes: readonly RecordAttribute[], values: readonly Datum[]) {
    this.typeOid = typeOid;
    this.attributes = attributes;
    this.values = values;
  }
}

/** A range. A bound that is infinite has no value and is not inclusive; an empty range has no bounds at all. */
export class RangeValue {
  readonly typeOid: Oid;
  readonly lower: Datum;
  readonly upper: Datum;
  /** PostgreSQL's: 1 empty, 2 lower bound inclusive, 4 upper inclusive, 8 lower infinite, 16 upper infinite. */
  readonly flags: number;
  constructor(typeOid: Oid, lower: Datum, upper: Datum, flags: number) {
    this.typeOid = typeOid;
    this.lower = lower;
    this.upper = upper;
    this.flags = flags;
  }
}

/** Ranges in order that neither overlap nor touch; none is empty. */
export class MultirangeValue {
  readonly typeOid: Oid;
  readonly ranges: readonly RangeValue[];
  constructor(typeOid: Oid, ranges: readonly RangeValue[]) {
    this.typeOid = typeOid;
    this.ranges = ranges;
  }
}

export interface RecordAttribute {
  readonly name: string;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly collation: Oid;
  readonly dropped: boolean;
}

/** What a built-in function's rows look like (CreateTemplateTupleDesc). */
export const tupleDesc = (columns: readonly (readonly [name: string, typeOid: Oid])[]): RecordAttribute[] =>
  columns.map(([name, typeOid]) => ({ name, typeOid, typmod: -1, collation: typeOid === TEXTOID || typeOid === TEXTARRAYOID ? 100 : 0, dropped: false }));

/** Makes such rows of their values. */
export function recordMaker(columns: readonly (readonly [name: string, typeOid: Oid])[]): (...values: Datum[]) => RecordValue {
  const attributes = tupleDesc(columns);
  return (...values) => new RecordValue(RECORDOID, attributes, values);
}

// `object` covers Numeric, Interval, ArrayValue, RecordValue, parsed jsonb and transition states:
// code that handles one type knows which it is from the type's OID, never by testing the value.
export type Datum = null | boolean | number | bigint | string | object;

export const INT8_MIN = -(2n ** 63n);
export const INT8_MAX = 2n ** 63n - 1n;
export const DATE_NEG_INFINITY = -2147483648;
export const DATE_INFINITY = 2147483647;

/** The canonical form of an integer that may or may not be safe. The caller has checked the range of int8. */
export function int8(value: bigint): Int8 {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** An array of one dimension with lower bound 1; no dimension at all when empty, as PostgreSQL has it. */
export function makeArray(elementType: Oid, values: readonly Datum[]): ArrayValue {
  return values.length === 0
    ? new ArrayValue(elementType, [], [], [])
    : new ArrayValue(elementType, [values.length], [1], values);
}
