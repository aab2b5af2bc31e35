// Comparing and hashing datums by type: what sorts, merges, groups and hash tables need (PostgreSQL's sortsupport).
import { notSupported } from '../../common/errors.ts';
import { amopsByOperator, amprocsByFamily, opclassesOf } from '../catalog/syscache.ts';
import type { ArrayValue, Datum, Int8, Interval, Oid, RecordValue, TimeTz } from '../types/datum.ts';
import { icuCollator, isNondeterministic } from '../types/collation.ts';
import { hashKeyFor } from '../types/compare.ts';
import { numericHashKey } from '../types/numeric.ts';
import { callable, functionInfo, outputFunction, typeInfo } from './fmgr_info.ts';
import { compareWithoutCollation } from './collated.ts';

export type Comparator = (a: any, b: any) => number;

const BTREE = 403;

/** Types whose datums JavaScript's < orders as SQL does. */
const PLAIN = new Set([16, 18, 20, 21, 23, 24, 26, 28, 29, 790, 1082, 1083, 1114, 1184, 2202, 2203, 2204, 2205, 2206, 2950, 2278, 27, 4089, 4096]);
/** Of these a type's datums are compared with another's just so; a date's are not with a timestamp's. */
const INTEGERS = new Set([20, 21, 23]);
const FLOATS = new Set([700, 701]);
const STRINGS = new Set([25, 1043, 19, 705]);

const plain: Comparator = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const floats: Comparator = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : a !== a ? (b !== b ? 0 : 1) : -1);

/** UTF-8 byte order of two strings: that of their code points. */
function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all others.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

const comparators = new Map<string, Comparator>();

/** Three-way comparison by the default btree operator class; `right` when the second argument's type differs. */
export function typeComparator(type: Oid, collation: Oid, right: Oid = type): Comparator {
  if (PLAIN.has(type) && (right === type || INTEGERS.has(type))) return plain;
  if (FLOATS.has(type)) return floats;
  // The default collation is another one in another database.
  if (icuCollator(collation) !== null) return makeComparator(type, collation, right);
  const key = `${type},${collation},${right}`;
  let fn = comparators.get(key);
  if (fn === undefined) {
    fn = makeComparator(type, collation, right);
    if (type < 16384) comparators.set(key, fn);
  }
  return fn;
}

function makeComparator(type: Oid, collation: Oid, right: Oid): Comparator {
  const proc = comparisonProc(type, right);
  if (proc !== 0) {
    const info = functionInfo(proc);
    if (info.builtin !== undefined) return callable(info, [type, right], 23, collation);
  }
  if (STRINGS.has(type)) return compareCodePoints;
  const t = typeInfo(type);
  if (t.typtype === 'd') return typeComparator(t.typbasetype, collation);
  throw notSupported(`ordering of type ${t.typname}`);
}

/** The type whose operator class a type uses: arrays, enums, ranges and rows have polymorphic ones. */
export function opclassInputType(type: Oid): Oid {
  const t = typeInfo(type);
  if (t.typtype === 'd') return opclassInputType(t.typbasetype);
  if (t.typtype === 'e') return 3500;
  if (t.typtype === 'c' || type === 2249) return 2249;
  if (t.typtype === 'r') return 3831;
  if (t.typtype === 'm') return 4537;
  if ((t.typcategory === 'A' || type === 2287) && t.typelem !== 0 && t.typname.startsWith('_')) return 2277;
  if (type === 1043) return 25;
  return type;
}

/** Default operator family of a type for an access method, 0 when it has none. */
export function defaultOpfamily(type: Oid, method: Oid = BTREE): Oid {
  const input = opclassInputType(type);
  return opclassesOf(method).find((c) => c.opcdefault && c.opcintype === input)?.opcfamily ?? 0;
}

function comparisonProc(type: Oid, right: Oid): Oid {
  const family = defaultOpfamily(type);
  const l = opclassInputType(type);
  const r = opclassInputType(right);
  return amprocsByFamily(family).find((p) => p.amprocnum === 1 && p.amproclefttype === l && p.amprocrighttype === r)?.amproc ?? 0;
}

/** How a < or > operator orders: ascending or descending, in which btree family, over which types. */
export function sortOperator(opno: Oid): { family: Oid; reverse: boolean; type: Oid; right: Oid } {
  const amop = amopsByOperator(opno).find((a) => a.amopmethod === BTREE && (a.amopstrategy === 1 || a.amopstrategy === 5));
  if (amop === undefined) throw notSupported(`ordering by operator ${opno}`);
  return { family: amop.amopfamily, reverse: amop.amopstrategy === 5, type: amop.amoplefttype, right: amop.amoprighttype };
}

/** Comparison for ORDER BY with this operator; the operator's family decides, not the type's default one. */
export function sortComparator(opno: Oid, type: Oid, collation: Oid): { compare: Comparator; reverse: boolean } {
  const { family, reverse, type: inputType } = sortOperator(opno);
  if (family === defaultOpfamily(type)) return { compare: compareWithoutCollation(inputType, collation) ?? typeComparator(type, collation), reverse };
  const proc = amprocsByFamily(family).find((p) => p.amprocnum === 1 && p.amproclefttype === inputType && p.amprocrighttype === inputType);
  if (proc === undefined) throw notSupported(`ordering by operator ${opno}`);
  return { compare: callable(functionInfo(proc.amproc), [inputType, inputType], 23, collation), reverse };
}

// ------------------------------------------------------------------ hash keys

/** Types whose datums are equal in SQL exactly when they are `===` (Map and Set treat NaN and -0 as wanted too). */
export function isPrimitiveKey(type: Oid, collation: Oid): boolean {
  if (PLAIN.has(type)) return true;
  if (STRINGS.has(type)) return !isNondeterministic(collation);
  return FLOATS.has(type) || type === 142 || isEnum(type);
}
const isEnum = (type: Oid): boolean => type >= 16384 && typeInfo(type).typtype === 'e';

/** A function to a primitive (number, bigint, string, boolean) that is the same exactly for values SQL calls equal. */
export function hashKeyFunction(type: Oid, collation: Oid): (value: any) => Datum {
  if (isPrimitiveKey(type, collation)) return (v) => v;
  if (isNondeterministic(collation)) return hashKeyFor(type, collation);
  switch (type) {
    case 1042: return trimBlanks;
    case 1186: return (v: Interval) => intervalKey(v);
    case 1266: return (v: TimeTz) => `${v.time + v.zone * 1e6},${v.zone}`;
    case 17: return (v: Uint8Array) => Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('latin1');
    case 1700: return numericHashKey;
    default:
  }
  const t = typeInfo(type);
  if (t.typtype === 'd') return hashKeyFunction(t.typbasetype, collation);
  if (opclassInputType(type) === 2277) {
    const element = hashKeyFunction(t.typelem, collation);
    return (v: ArrayValue) => `${v.dims.join()};${v.lbounds.join()};${keyOf(v.values.map((x) => (x === null ? null : element(x))))}`;
  }
  if (t.typtype === 'c' || type === 2249) {
    return (v: RecordValue) => keyOf(v.values.map((x, i) => (x === null ? null : hashKeyFunction(v.attributes[i]!.typeOid, v.attributes[i]!.collation)(x))));
  }
  return hashKeyFor(type);
}

/** A function to a primitive that is the same exactly for values that are the same to everybody: equal ones may be written in other ways. */
export function imageKeyFunction(type: Oid): (value: any) => Datum {
  if (FLOATS.has(type)) return (v) => (Object.is(v, -0) ? '-0' : v);
  return isPrimitiveKey(type, 0) ? (v) => v : outputFunction(type);
}

function trimBlanks(v: string): string {
  let end = v.length;
  while (end > 0 && v.charCodeAt(end - 1) === 32) end--;
  return end === v.length ? v : v.slice(0, end);
}

const MICROSECONDS_PER_DAY = 86_400_000_000n;
function intervalKey(v: Interval): Int8 | string {
  return (BigInt(v.time) + (BigInt(v.days) + BigInt(v.months) * 30n) * MICROSECONDS_PER_DAY).toString();
}

/** One string for several primitives, unambiguous. */
export function keyOf(values: readonly Datum[]): string {
  let key = '';
  for (const v of values) {
    if (v === null) key += 'n;';
    else {
      const text = String(v);
      key += `${text.length}:${text}`;
    }
  }
  return key;
}
