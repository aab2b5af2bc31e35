// Hash functions of the types, with PostgreSQL's results: what hash partitioning and users of hashtext() see. Inside,
// hash joins and the like use the keys of `compare.ts` instead.
import { PgError } from '../../common/errors.ts';
import { intervalSpan } from './compare.ts';
import { trimPadding } from './characters.ts';
import { ArrayValue, int8, type Datum, type Int8, type Interval, type Oid, type RecordValue, type TimeTz } from './datum.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { hashBytes, hashBytesExtended, hashUint32, hashUint32Extended } from './hash_bytes.ts';
import { typeHooks } from './hooks.ts';
import { isArray, isScalar, JsonbObject, type JsonbItem, type JsonbValue } from './jsonb.ts';
import { FINITE, Numeric, pow10 } from './numeric.ts';
import * as oids from './oids.ts';

/** How a type is hashed: both results are unsigned. */
export interface TypeHash {
  readonly hash: (value: any) => number;
  readonly extended: (value: any, seed: bigint) => bigint;
}

const MASK = 0xffffffffffffffffn;
const unsigned = (value: Int8): bigint => BigInt.asUintN(64, BigInt(value));
export const rotateLeft = (value: number): number => ((value << 1) | (value >>> 31)) >>> 0;
/** ROTATE_HIGH_AND_LOW_32BITS. */
export const rotateHalves = (value: bigint): bigint => ((value << 1n) & 0xfffffffefffffffen) | ((value >> 31n) & 0x100000001n);

const ofBytes = (bytesOf: (value: any) => Uint8Array): TypeHash => ({
  hash: (value) => hashBytes(bytesOf(value)),
  extended: (value, seed) => hashBytesExtended(bytesOf(value), seed),
});

const ofInteger = (integerOf: (value: any) => number): TypeHash => ({
  hash: (value) => hashUint32(integerOf(value)),
  extended: (value, seed) => hashUint32Extended(integerOf(value), seed),
});

/** A 64-bit integer hashes like the 32-bit one of the same value. */
function foldInt8(value: Int8): number {
  if (typeof value === 'number' && (value | 0) === value) return value;
  const bits = unsigned(value);
  const low = Number(bits & 0xffffffffn), high = Number(bits >> 32n);
  return low ^ (high >= 0x80000000 ? ~high : high);
}

const float64 = new DataView(new ArrayBuffer(8));
function floatBytes(value: number): Uint8Array {
  // Of NaN there is one, whatever its sign.
  float64.setFloat64(0, Number.isNaN(value) ? Number.NaN : value, true);
  return new Uint8Array(float64.buffer);
}

const CHAR: TypeHash = ofInteger((value: string | boolean) => (typeof value === 'boolean' ? Number(value) : value === '' ? 0 : (value.charCodeAt(0) << 24) >> 24));
const INTEGER = ofInteger((value: number) => value);
const INT8 = ofInteger(foldInt8);
const TEXT = ofBytes((value: string) => Buffer.from(value, 'utf8'));
const BPCHAR = ofBytes((value: string) => Buffer.from(trimPadding(value), 'utf8'));
const BYTES = ofBytes((value: Uint8Array) => value);
const UUID = ofBytes((value: string) => Buffer.from(value.replaceAll('-', ''), 'hex'));
const INTERVAL: TypeHash = ofInteger((value: Interval) => foldInt8(BigInt.asIntN(64, intervalSpan(value))));
const FLOAT: TypeHash = {
  hash: (value: number) => (value === 0 ? 0 : hashBytes(floatBytes(value))),
  extended: (value: number, seed) => (value === 0 ? seed : hashBytesExtended(floatBytes(value), seed)),
};
const TIMETZ: TypeHash = {
  hash: (value: TimeTz) => (INT8.hash(value.time) ^ hashUint32(value.zone)) >>> 0,
  extended: (value: TimeTz, seed) => INT8.extended(value.time, seed) ^ hashUint32Extended(value.zone, seed),
};
const OIDVECTOR = ofBytes((value: ArrayValue) => new Uint8Array(Uint32Array.from(value.values as number[]).buffer));
const TID = ofBytes((value: number) => {
  // (block, offset) as ItemPointerData lies in memory: the block's high half first.
  const block = Math.floor((value + 1) / 65536);
  return new Uint8Array(Uint16Array.of(block >>> 16, block & 0xffff, (value + 1) % 65536).buffer);
});

/** The digits of a finite numeric to base 10000 without zeros at the ends, as bytes, and the weight of the first. */
export function numericDigits(value: Numeric): { bytes: Uint8Array; weight: number } {
  const magnitude = value.coefficient < 0n ? -value.coefficient : value.coefficient;
  const fraction = Math.ceil(value.scale / 4);
  const text = (magnitude * pow10(fraction * 4 - value.scale)).toString();
  const padded = text.padStart(Math.ceil(text.length / 4) * 4, '0');
  const digits: number[] = [];
  for (let i = 0; i < padded.length; i += 4) digits.push(Number(padded.slice(i, i + 4)));
  const weight = digits.length - fraction - 1;
  while (digits.length > 0 && digits.at(-1) === 0) digits.pop();
  return { bytes: new Uint8Array(Int16Array.from(digits).buffer), weight };
}

const NUMERIC: TypeHash = {
  hash: (value: Numeric) => {
    if (value.special !== FINITE) return 0;
    if (value.coefficient === 0n) return 0xffffffff;
    const { bytes, weight } = numericDigits(value);
    return (hashBytes(bytes) ^ weight) >>> 0;
  },
  extended: (value: Numeric, seed) => {
    if (value.special !== FINITE) return seed;
    if (value.coefficient === 0n) return (seed - 1n) & MASK;
    const { bytes, weight } = numericDigits(value);
    return hashBytesExtended(bytes, seed) ^ unsigned(weight);
  },
};

// --- jsonb: scalars and keys in order; where containers begin is mixed in, where they end is not

const IN_ARRAY = 0x40000000, IN_OBJECT = 0x20000000;

/** Calls `scalar` for keys and scalars, `begin` for containers. */
function walkJsonb(item: JsonbItem, scalar: (item: null | boolean | string | Numeric) => void, begin: (flag: number) => void): void {
  if (isArray(item)) {
    begin(IN_ARRAY);
    for (const element of item) walkJsonb(element, scalar, begin);
  } else if (item instanceof JsonbObject) {
    begin(IN_OBJECT);
    item.keys.forEach((key, i) => {
      scalar(key);
      walkJsonb(item.values[i]!, scalar, begin);
    });
  } else {
    scalar(item);
  }
}

/** [] and {}. */
const isEmpty = (root: JsonbItem): boolean => (isArray(root) && root.length === 0) || (root instanceof JsonbObject && root.keys.length === 0);

const JSONB: TypeHash = {
  hash: ({ root }: JsonbValue) => {
    if (isEmpty(root)) return 0;
    let hash = isScalar(root) ? IN_ARRAY : 0;
    walkJsonb(root, (item) => {
      const own = item === null ? 1 : item === true ? 2 : item === false ? 4 : typeof item === 'string' ? TEXT.hash(item) : NUMERIC.hash(item);
      hash = (rotateLeft(hash) ^ own) >>> 0;
    }, (flag) => { hash = (hash ^ flag) >>> 0; });
    return hash;
  },
  extended: ({ root }: JsonbValue, seed) => {
    const flags = (flag: number): bigint => (BigInt(flag) << 32n) | BigInt(flag);
    if (isEmpty(root)) return seed;
    let hash = isScalar(root) ? flags(IN_ARRAY) : 0n;
    walkJsonb(root, (item) => {
      const own = item === null ? (seed + 1n) & MASK
        : typeof item === 'boolean' ? (seed === 0n ? (item ? 2n : 4n) : CHAR.extended(item, seed))
        : typeof item === 'string' ? TEXT.extended(item, seed) : NUMERIC.extended(item, seed);
      hash = rotateHalves(hash) ^ own;
    }, (flag) => { hash ^= flags(flag); });
    return hash;
  },
};

// --- containers

/** hash * 31 + element, as array and record do; NULL counts as 0. */
const combine = (hash: number, element: number): number => (Math.imul(hash, 31) + element) >>> 0;
const combineExtended = (hash: bigint, element: bigint): bigint => (hash * 31n + element) & MASK;

const ARRAY: TypeHash = {
  hash: (array: ArrayValue) => {
    const { hash } = typeHash(array.elementType);
    return array.values.reduce<number>((result, value) => combine(result, value === null ? 0 : hash(value)), 1);
  },
  extended: (array: ArrayValue, seed) => {
    const { extended } = typeHash(array.elementType, true);
    return array.values.reduce<bigint>((result, value) => combineExtended(result, value === null ? 0n : extended(value, seed)), 1n);
  },
};

const columnsOf = (record: RecordValue): [Oid, Datum][] =>
  record.attributes.flatMap((attribute, i): [Oid, Datum][] => (attribute.dropped ? [] : [[attribute.typeOid, record.values[i]!]]));

const RECORD: TypeHash = {
  hash: (record: RecordValue) => columnsOf(record).reduce((result, [type, value]) => combine(result, value === null ? 0 : typeHash(type).hash(value)), 0),
  extended: (record: RecordValue, seed) => columnsOf(record).reduce((result, [type, value]) =>
    combineExtended(result, value === null ? 0n : typeHash(type, true).extended(value, seed)), 0n),
};

// --- by type

const hashes = new Map<Oid, TypeHash>();
export function registerHash(typeOid: Oid, hash: TypeHash): void {
  hashes.set(typeOid, hash);
}
/** Ranges and multiranges share one each; their files enter them. */
const byTyptype = new Map<string, TypeHash>([['e', INTEGER], ['c', RECORD]]);
export function registerHashOfKind(typtype: 'r' | 'm', hash: TypeHash): void {
  byTyptype.set(typtype, hash);
}

for (const [hash, types] of [
  [CHAR, [oids.BOOLOID, oids.CHAROID]],
  [INTEGER, [oids.INT2OID, oids.INT4OID, oids.OIDOID, oids.XIDOID, oids.CIDOID, oids.DATEOID, oids.REGPROCOID, oids.REGPROCEDUREOID,
    oids.REGOPEROID, oids.REGOPERATOROID, oids.REGCLASSOID, oids.REGTYPEOID, oids.REGCONFIGOID, oids.REGDICTIONARYOID,
    oids.REGNAMESPACEOID, oids.REGROLEOID, oids.REGCOLLATIONOID]],
  [INT8, [oids.INT8OID, oids.TIMESTAMPOID, oids.TIMESTAMPTZOID, oids.TIMEOID, oids.XID8OID, oids.PG_LSNOID]],
  [TEXT, [oids.TEXTOID, oids.VARCHAROID, oids.NAMEOID]], [BPCHAR, [oids.BPCHAROID]], [BYTES, [oids.BYTEAOID]], [UUID, [oids.UUIDOID]],
  [INTERVAL, [oids.INTERVALOID]], [TIMETZ, [oids.TIMETZOID]], [FLOAT, [oids.FLOAT4OID, oids.FLOAT8OID]], [NUMERIC, [oids.NUMERICOID]],
  [JSONB, [oids.JSONBOID]], [OIDVECTOR, [oids.OIDVECTOROID]], [TID, [oids.TIDOID]], [ARRAY, [oids.ANYARRAYOID]], [RECORD, [oids.RECORDOID]],
] as [TypeHash, Oid[]][]) for (const type of types) registerHash(type, hash);

/** The hash functions of a type; 42883 when it has none. `extended`: asked for the one with a seed. */
export function typeHash(typeOid: Oid, extended = false): TypeHash {
  const known = hashes.get(typeOid);
  if (known !== undefined) return known;
  const io = typeHooks.typeIo(typeOid);
  const found = io.typtype === 'd' ? typeHash(io.basetype, extended)
    : byTyptype.get(io.typtype) ?? (io.typelem !== 0 && io.typlen === -1 ? ARRAY : undefined);
  if (found === undefined) throw new PgError('undefined_function', `could not identify ${extended ? 'an extended' : 'a'} hash function for type ${io.name}`);
  return found;
}

/** The pair of SQL functions for a type's hash. */
export function hashFunctions(name: string, extendedName: string, { hash, extended }: TypeHash): Record<string, PureFunction> {
  return {
    [name]: (value: any) => hash(value) | 0,
    [extendedName]: (value: any, seed: Int8) => int8(BigInt.asIntN(64, extended(value, unsigned(seed)))),
  };
}

registerBuiltins({
  pure: {
    ...hashFunctions('hashchar', 'hashcharextended', CHAR),
    ...hashFunctions('hashint2', 'hashint2extended', INTEGER),
    ...hashFunctions('hashint4', 'hashint4extended', INTEGER),
    ...hashFunctions('hashoid', 'hashoidextended', INTEGER),
    ...hashFunctions('hashenum', 'hashenumextended', INTEGER),
    ...hashFunctions('hashint8', 'hashint8extended', INT8),
    ...hashFunctions('timestamp_hash', 'timestamp_hash_extended', INT8),
    ...hashFunctions('time_hash', 'time_hash_extended', INT8),
    ...hashFunctions('pg_lsn_hash', 'pg_lsn_hash_extended', INT8),
    ...hashFunctions('hashtext', 'hashtextextended', TEXT),
    ...hashFunctions('hashname', 'hashnameextended', TEXT),
    ...hashFunctions('hashbpchar', 'hashbpcharextended', BPCHAR),
    ...hashFunctions('hashvarlena', 'hashvarlenaextended', BYTES),
    ...hashFunctions('uuid_hash', 'uuid_hash_extended', UUID),
    ...hashFunctions('interval_hash', 'interval_hash_extended', INTERVAL),
    ...hashFunctions('timetz_hash', 'timetz_hash_extended', TIMETZ),
    ...hashFunctions('hashfloat4', 'hashfloat4extended', FLOAT),
    ...hashFunctions('hashfloat8', 'hashfloat8extended', FLOAT),
    ...hashFunctions('hash_numeric', 'hash_numeric_extended', NUMERIC),
    ...hashFunctions('jsonb_hash', 'jsonb_hash_extended', JSONB),
    ...hashFunctions('hashoidvector', 'hashoidvectorextended', OIDVECTOR),
    ...hashFunctions('hashtid', 'hashtidextended', TID),
    ...hashFunctions('hash_array', 'hash_array_extended', ARRAY),
    ...hashFunctions('hash_record', 'hash_record_extended', RECORD),
  },
});
