// Order, equality and hash keys of values, by type. For sorting, hash joins, DISTINCT, aggregation and containers.
// Types that live in other files add themselves with `registerComparison`.
import { PgError } from '../../common/errors.ts';
import { ArrayValue, Interval, RecordValue, TimeTz, type Datum, type Int8, type Oid } from './datum.ts';
import { compareBytes, compareText, trimPadding } from './characters.ts';
import { compareBpchar } from './varchar.ts';
import { type Collator, icuCollator } from './collation.ts';
import { floatCompare } from './float.ts';
import { typeHooks } from './hooks.ts';
import { compareNumeric, numericHashKey } from './numeric.ts';
import { vectorCompare, compareUint64 } from './oid.ts';
import * as oids from './oids.ts';

export type Comparator = (a: any, b: any) => number;
export type Equals = (a: any, b: any) => boolean;
export type HashKey = (value: any) => string | number | bigint | boolean;

export interface Comparison {
  /** Negative, zero, positive. Undefined: the type has no order (xid, ...). */
  readonly compare?: Comparator;
  readonly equals: Equals;
  /** A Map key that equal values share and unequal ones do not. */
  readonly hashKey: HashKey;
}

const comparisons = new Map<Oid, Comparison>();

/** Tells how the values of a built-in type compare; without `equals` they are equal when `compare` gives 0. */
export function registerComparison(typeOid: Oid, comparison: { compare?: Comparator; equals?: Equals; hashKey: HashKey }): void {
  const { compare, hashKey } = comparison;
  const equals = comparison.equals ?? ((a: any, b: any): boolean => compare!(a, b) === 0);
  comparisons.set(typeOid, compare === undefined ? { equals, hashKey } : { compare, equals, hashKey });
}

const identity = (value: any): any => value;
const same: Equals = (a, b) => a === b;
const compareNumbers = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
const compareInt8 = (a: Int8, b: Int8): number => (a < b ? -1 : a > b ? 1 : 0);
const compareStrings = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** interval_cmp_value: months of 30 days, in microseconds. */
export function intervalSpan(interval: Interval): bigint {
  return BigInt(interval.time) + (BigInt(interval.months) * 30n + BigInt(interval.days)) * 86400000000n;
}

export function compareIntervals(a: Interval, b: Interval): number {
  const x = intervalSpan(a), y = intervalSpan(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function compareTimeTz(a: TimeTz, b: TimeTz): number {
  const x = a.time + a.zone * 1000000, y = b.time + b.zone * 1000000;
  return x !== y ? x - y : a.zone - b.zone;
}

for (const type of [oids.INT2OID, oids.INT4OID, oids.OIDOID, oids.DATEOID, oids.TIDOID,
  oids.REGPROCOID, oids.REGPROCEDUREOID, oids.REGOPEROID, oids.REGOPERATOROID, oids.REGCLASSOID, oids.REGTYPEOID,
  oids.REGCONFIGOID, oids.REGDICTIONARYOID, oids.REGNAMESPACEOID, oids.REGROLEOID, oids.REGCOLLATIONOID]) {
  registerComparison(type, { compare: compareNumbers, equals: same, hashKey: identity });
}
for (const type of [oids.INT8OID, oids.TIMESTAMPOID, oids.TIMESTAMPTZOID, oids.TIMEOID, oids.MONEYOID]) {
  registerComparison(type, { compare: compareInt8, equals: same, hashKey: identity });
}
registerComparison(oids.XID8OID, { compare: compareUint64, equals: same, hashKey: identity });
for (const type of [oids.XIDOID, oids.CIDOID]) registerComparison(type, { equals: same, hashKey: identity });
const STRINGS = new Set([oids.TEXTOID, oids.VARCHAROID, oids.NAMEOID, oids.CSTRINGOID, oids.UNKNOWNOID]);
for (const type of STRINGS) {
  registerComparison(type, { compare: compareText, equals: same, hashKey: identity });
}
for (const type of [oids.UUIDOID, oids.CHAROID]) registerComparison(type, { compare: compareStrings, equals: same, hashKey: identity });
registerComparison(oids.BOOLOID, { compare: (a: boolean, b: boolean) => Number(a) - Number(b), equals: same, hashKey: identity });
for (const type of [oids.FLOAT4OID, oids.FLOAT8OID]) registerComparison(type, { compare: floatCompare, hashKey: identity });
registerComparison(oids.BPCHAROID, { compare: compareBpchar, hashKey: trimPadding });
registerComparison(oids.NUMERICOID, { compare: compareNumeric, hashKey: numericHashKey });
registerComparison(oids.BYTEAOID, {
  compare: compareBytes,
  hashKey: (value: Uint8Array) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'),
});
registerComparison(oids.INTERVALOID, { compare: compareIntervals, hashKey: intervalSpan });
registerComparison(oids.TIMETZOID, {
  compare: compareTimeTz,
  hashKey: (value: TimeTz) => `${value.time + value.zone * 1000000} ${value.zone}`,
});
registerComparison(oids.OIDVECTOROID, { compare: vectorCompare, hashKey: (value: ArrayValue) => value.values.join(' ') });

function noOrder(typeOid: Oid): PgError {
  return new PgError('undefined_function', `could not identify a comparison function for type ${typeHooks.typeIo(typeOid).name}`);
}

function noEquality(typeOid: Oid): PgError {
  return new PgError('undefined_function', `could not identify an equality operator for type ${typeHooks.typeIo(typeOid).name}`);
}

// --- containers

/** One joined key of several, unambiguous whatever the parts contain. */
function joinKeys(parts: readonly unknown[]): string {
  let key = '';
  for (const part of parts) {
    const text = String(part);
    key += `${text.length}:${text}`;
  }
  return key;
}

/** array_cmp: element by element (NULL last), then length, number of dimensions, dimensions, lower bounds. */
export function compareArrays(a: ArrayValue, b: ArrayValue, collation: Oid = 0): number {
  const compare = elementComparison(a, b, collation).compare;
  if (compare === undefined) throw noOrder(a.elementType);
  const x = a.values, y = b.values;
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    const order = compareNulls(x[i]!, y[i]!, compare);
    if (order !== 0) return order;
  }
  if (x.length !== y.length) return x.length - y.length;
  if (a.dims.length !== b.dims.length) return a.dims.length - b.dims.length;
  for (let i = 0; i < a.dims.length; i++) if (a.dims[i] !== b.dims[i]) return a.dims[i]! - b.dims[i]!;
  for (let i = 0; i < a.dims.length; i++) if (a.lbounds[i] !== b.lbounds[i]) return a.lbounds[i]! - b.lbounds[i]!;
  return 0;
}

function compareNulls(a: Datum, b: Datum, compare: Comparator): number {
  if (a === null) return b === null ? 0 : 1;
  return b === null ? -1 : compare(a, b);
}

function elementComparison(a: ArrayValue, b: ArrayValue, collation: Oid): Comparison {
  if (a.elementType !== b.elementType) {
    throw new PgError('datatype_mismatch', 'cannot compare arrays of different element types');
  }
  return comparisonFor(a.elementType, collation);
}

export function arraysEqual(a: ArrayValue, b: ArrayValue, collation: Oid = 0): boolean {
  const { equals } = elementComparison(a, b, collation);
  if (a.values.length !== b.values.length || a.dims.length !== b.dims.length) return false;
  for (let i = 0; i < a.dims.length; i++) {
    if (a.dims[i] !== b.dims[i] || a.lbounds[i] !== b.lbounds[i]) return false;
  }
  return a.values.every((value, i) => {
    const other = b.values[i]!;
    return value === null || other === null ? value === other : equals(value, other);
  });
}

function arrayHashKey(array: ArrayValue, collation: Oid = 0): string {
  const { hashKey } = comparisonFor(array.elementType, collation);
  return `${array.dims.join()};${array.lbounds.join()};` + joinKeys(array.values.map((value) => (value === null ? '' : `=${hashKey(value)}`)));
}

function liveColumns(record: RecordValue): number[] {
  const columns: number[] = [];
  record.attributes.forEach((attribute, i) => {
    if (!attribute.dropped) columns.push(i);
  });
  return columns;
}

/** How two records are compared: column by column, the first that is not the same (other than 0) decides. */
export function compareColumns(a: RecordValue, b: RecordValue, visit: (x: Datum, y: Datum, typeOid: Oid, collation: Oid) => number): number {
  const columnsA = liveColumns(a), columnsB = liveColumns(b);
  for (let i = 0; i < columnsA.length && i < columnsB.length; i++) {
    const { typeOid: typeA, collation } = a.attributes[columnsA[i]!]!, other = b.attributes[columnsB[i]!]!, typeB = other.typeOid;
    if (typeA !== typeB) {
      throw new PgError('datatype_mismatch', `cannot compare dissimilar column types ${typeHooks.typeIo(typeA).name} and ` +
        `${typeHooks.typeIo(typeB).name} at record column ${i + 1}`);
    }
    const order = visit(a.values[columnsA[i]!]!, b.values[columnsB[i]!]!, typeA, collation === other.collation ? collation : 0);
    if (order !== 0) return order;
  }
  if (columnsA.length !== columnsB.length) {
    throw new PgError('datatype_mismatch', 'cannot compare record types with different numbers of columns');
  }
  return 0;
}

export function compareRecords(a: RecordValue, b: RecordValue): number {
  return compareColumns(a, b, (x, y, typeOid, collation) => compareNulls(x, y, comparatorFor(typeOid, collation)));
}

export function recordsEqual(a: RecordValue, b: RecordValue): boolean {
  return compareColumns(a, b, (x, y, typeOid, collation) =>
    (x === null || y === null ? x === y : equalsFor(typeOid, collation)(x, y)) ? 0 : 1) === 0;
}

function recordHashKey(record: RecordValue): string {
  return joinKeys(liveColumns(record).map((i) => {
    const value = record.values[i]!, { typeOid, collation } = record.attributes[i]!;
    return value === null ? '' : `=${hashKeyFor(typeOid, collation)(value)}`;
  }));
}

/** Of arrays whose elements have a collation; 0: it does not matter. */
const arraysBy = (collation: Oid): Comparison => ({
  compare: (a: ArrayValue, b: ArrayValue) => compareArrays(a, b, collation), equals: (a: ArrayValue, b: ArrayValue) => arraysEqual(a, b, collation),
  hashKey: (array: ArrayValue) => arrayHashKey(array, collation),
});
const ARRAY = arraysBy(0);
const RECORD: Comparison = { compare: compareRecords, equals: recordsEqual, hashKey: recordHashKey };
const ENUM: Comparison = {
  compare: (a: Oid, b: Oid) => (a === b ? 0 : typeHooks.enumSortOrder(a) - typeHooks.enumSortOrder(b)),
  equals: same,
  hashKey: identity,
};
comparisons.set(oids.RECORDOID, RECORD);
comparisons.set(oids.ANYARRAYOID, ARRAY);
comparisons.set(oids.INT2VECTOROID, ARRAY);

/** Range types share one comparison, which the file of ranges sets. */
let rangeComparison: Comparison | undefined;
let multirangeComparison: Comparison | undefined;
export function registerRangeComparison(range: Comparison, multirange: Comparison): void {
  rangeComparison = range;
  multirangeComparison = multirange;
}

function derived(typeOid: Oid): Comparison | undefined {
  const io = typeHooks.typeIo(typeOid);
  switch (io.typtype) {
    case 'd': return comparisonFor(io.basetype);
    case 'e': return ENUM;
    case 'c': return RECORD;
    case 'r': return rangeComparison;
    case 'm': return multirangeComparison;
    default: return io.typelem !== 0 && io.typlen === -1 && (io.typcategory === 'A' || typeOid === oids.RECORDARRAYOID) ? ARRAY : undefined;
  }
}

function comparisonFor(typeOid: Oid, collation: Oid = 0): Comparison {
  const collator = icuCollator(collation);
  if (collator !== null) return collatedComparison(typeOid, collation, collator);
  const known = comparisons.get(typeOid);
  if (known !== undefined) return known;
  const comparison = derived(typeOid);
  if (comparison === undefined) throw noEquality(typeOid);
  // OIDs of users' types may be dropped and used again, those of built-in ones not.
  if (typeOid < 16384) comparisons.set(typeOid, comparison);
  return comparison;
}

function collatedComparison(typeOid: Oid, collation: Oid, { compare, equals, sortKey, deterministic }: Collator): Comparison {
  if (STRINGS.has(typeOid)) return { compare, equals, hashKey: deterministic ? identity : sortKey };
  if (typeOid === oids.BPCHAROID) {
    return {
      compare: (a: string, b: string) => compare(trimPadding(a), trimPadding(b)), equals: (a: string, b: string) => equals(trimPadding(a), trimPadding(b)),
      hashKey: deterministic ? trimPadding : (value: string) => sortKey(trimPadding(value)),
    };
  }
  const plain = comparisonFor(typeOid);
  if (plain === ARRAY) return arraysBy(collation);
  const { typtype, basetype } = typeHooks.typeIo(typeOid);
  return typtype === 'd' ? comparisonFor(basetype, collation) : plain;
}

/** Order of two non-null values of a type; 42883 when it has none. The collation, of the values or of what is in them, may be left
 * out where it is one that goes by bytes. */
export function comparatorFor(typeOid: Oid, collation: Oid = 0): Comparator {
  const { compare } = comparisonFor(typeOid, collation);
  if (compare === undefined) throw noOrder(typeOid);
  return compare;
}

export function equalsFor(typeOid: Oid, collation: Oid = 0): Equals {
  return comparisonFor(typeOid, collation).equals;
}

/** Map keys for non-null values: equal values have equal keys, others different ones. */
export function hashKeyFor(typeOid: Oid, collation: Oid = 0): HashKey {
  return comparisonFor(typeOid, collation).hashKey;
}
