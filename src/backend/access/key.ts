// Index keys: bytes whose memcmp order is the SQL order, as binary strings (one character per byte).
//
// A key is its columns' encodings one after the other; each is self-delimiting, so a key of fewer columns is a prefix
// of all longer ones that agree with it. The first byte of a column says NULL: 00 when NULLs come first, FF when they
// come last; values start with 01 to FE. DESC inverts the bytes of a value (the NULL marker is not inverted).
//
//   integers, oid, date, time,   80+n, n bytes big-endian for v >= 0 (n as few as it takes); 7F-n, the complement of
//     timestamp, money, xid,       the n bytes of -v-1 for v < 0. So int2, int4 and int8 give equal keys for equal values.
//     pg_lsn
//   bool                         01 false, 02 true
//   float4, float8               02, 8 bytes: sign bit flipped, or all inverted when negative; -0 is 0, NaN is FF...
//   numeric                      see numericKey in numeric_bytes.ts
//   text, varchar, name, enum .. 02, UTF-8, 00 (text has no zero byte); char(n) without its trailing blanks
//     by a collation of ICU      02, ICU's sort key, 00; then the text as above, unless the collation is nondeterministic
//   bytea                        02, bytes with 00 as 00 FF, then 00 00
//   uuid, "char"                 02, the bytes
//   interval                     the integer of its microseconds, a month as 30 days and a day as 24 hours
//   timetz                       the integer of UTC microseconds, then of the zone
//   enum                         as float: its sort order
//   array                        02, elements (NULL FF, greatest), 01; then dimensions and lower bounds as integers
//   oidvector                    its length, then its elements, as integers
//   record                       02, columns (NULL FF), 01
//   range                        01 when empty, else 02, lower bound (01, or 02 value 01|02), upper bound (03, or 02 value 01|02)
//   multirange                   02, 02 range each, 01
//   jsonb                        01 for an empty array alone, else its kind (02 to 07), then: text; number; 00 or 01; size and elements
//   point, box, circle, polygon  02, spatial_key.ts (gist and spgist only)
//   range, multirange in gist    01 when empty, else 03, the place of its bounds (spatial_key.ts), then as above
//     and spgist
//   inet                         family, bits of the network up to its length, length, all bits
//
// Long values: methods other than btree keep their beginning and a hash of the whole (`keyLimit` of a column), so that keys are equal
// where values are, and in order as far as the beginning tells: whoever bounds a range takes `encodeBound`. A key of a B-tree that is
// longer than the store takes is cut as a whole: CUT_BYTES of it, CUT_MARK, and its hash. Keys that agree in so many bytes are put in
// order by whoever reads them (executor/long_keys.ts).
import { createHash } from 'node:crypto';
import { notSupported } from '../../common/errors.ts';
import type { IndexColumn } from '../catalog/relation.ts';
import { ArrayValue, Interval, MultirangeValue, RangeValue, RecordValue, TimeTz, type Datum, type Oid } from '../types/datum.ts';
import type { Inet } from '../types/inet_text.ts';
import { type Collator, icuCollator, isNondeterministic } from '../types/collation.ts';
import { trimPadding } from '../types/characters.ts';
import { typeHooks } from '../types/hooks.ts';
import { bigKey, integerKey, putIntegerKey } from './key_integer.ts';
import { type JsonbItem, JsonbObject, type JsonbValue } from '../types/jsonb.ts';
import { Numeric } from '../types/numeric.ts';
import { hashBytesExtended } from '../types/hash_bytes.ts';
import { textKey, tsQueryKey, tsVectorKey } from './key_text.ts';
import { numericKey } from './numeric_bytes.ts';
import { coordinates, floatCode, mortonKey, RANGE_OPCLASSES, SPATIAL_DIMENSIONS } from './spatial_key.ts';
import { encodeContainer } from './value.ts';
import { MAX_KEY_BYTES } from '../storage/store.ts';

/** The encoding of a value that is not null, ascending. */
export type ColumnEncoder = (value: any) => string;

/** What is left for a key beside its filenode and row id. */
export const MAX_INDEX_KEY_BYTES = MAX_KEY_BYTES - 4 - 6;

const NULL_FIRST = '\x00', NULL_LAST = '\xff';
const { fromCharCode } = String;

const floatView = new DataView(new ArrayBuffer(8));
function floatKey(v: number): string {
  if (v !== v) return '\x02\xff\xff\xff\xff\xff\xff\xff\xff';
  floatView.setFloat64(0, v === 0 ? 0 : v);
  let high = floatView.getUint32(0), low = floatView.getUint32(4);
  if (high >= 0x80000000) { high = ~high >>> 0; low = ~low >>> 0; } else high = (high | 0x80000000) >>> 0;
  return fromCharCode(2, high >>> 24, (high >>> 16) & 255, (high >>> 8) & 255, high & 255,
    low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255);
}

/** Of 64 bits without a sign, which are kept with one. */
const unsignedKey: ColumnEncoder = (v: number | bigint) => (v < 0 ? bigKey(BigInt.asUintN(64, BigInt(v))) : integerKey(v));

const bpcharKey: ColumnEncoder = (v: string) => textKey(trimPadding(v));

function byteaKey(v: Uint8Array): string {
  const text = Buffer.from(v.buffer, v.byteOffset, v.length).latin1Slice();
  return `\x02${text.includes('\x00') ? text.replaceAll('\x00', '\x00\xff') : text}\x00\x00`;
}

const uuidKey: ColumnEncoder = (v: string) => `\x02${Buffer.from(v.replaceAll('-', ''), 'hex').latin1Slice()}`;

const charKey: ColumnEncoder = (v: string) => `\x02${v === '' ? '\x00' : v}`;

const intervalKey: ColumnEncoder = (v: Interval) =>
  bigKey((BigInt(v.months) * 30n + BigInt(v.days)) * 86400000000n + BigInt(v.time));

const timetzKey: ColumnEncoder = (v: TimeTz) => integerKey(v.time + v.zone * 1000000) + integerKey(v.zone);

const enumKey: ColumnEncoder = (v: number) => floatKey(typeHooks.enumSortOrder(v));

/** A text by a collation of ICU: its sort key. Where texts that ICU finds equal are not the same, they follow. */
function collatedKey(collator: Collator): ColumnEncoder {
  const { sortKey, deterministic } = collator;
  const encode: ColumnEncoder = deterministic ? (v: string) => `\x02${sortKey(v)}\x00${textKey(v)}` : (v: string) => `\x02${sortKey(v)}\x00`;
  collatedKeys.set(encode, collator);
  return encode;
}
const collatedKeys = new WeakMap<ColumnEncoder, Collator>();

function arrayKey(v: ArrayValue, collation: Oid = 0): string {
  const encode = encoderOfType(v.elementType, collation);
  let key = '\x02';
  for (const element of v.values) key += element === null ? '\xff' : `\x02${encode(element)}`;
  key += `\x01${integerKey(v.dims.length)}`;
  for (const d of v.dims) key += integerKey(d);
  for (const l of v.lbounds) key += integerKey(l);
  return key;
}

function vectorKey(v: ArrayValue): string {
  let key = integerKey(v.values.length);
  for (const element of v.values) key += integerKey(element as number);
  return key;
}

function recordKey(v: RecordValue): string {
  let key = '\x02';
  for (let i = 0; i < v.values.length; i++) {
    const attribute = v.attributes[i]!;
    if (attribute.dropped) continue;
    const value = v.values[i]!;
    key += value === null ? '\xff' : `\x02${encoderOfType(attribute.typeOid, attribute.collation)(value)}`;
  }
  return `${key}\x01`;
}

function rangeKey(v: RangeValue): string {
  if ((v.flags & 1) !== 0) return '\x01';
  const { subtype, collation } = typeHooks.rangeInfo(v.typeOid), encode = encoderOfType(subtype, collation);
  const lower = (v.flags & 8) !== 0 ? '\x01' : `\x02${encode(v.lower)}${(v.flags & 2) !== 0 ? '\x01' : '\x02'}`;
  const upper = (v.flags & 16) !== 0 ? '\x03' : `\x02${encode(v.upper)}${(v.flags & 4) !== 0 ? '\x02' : '\x01'}`;
  return `\x02${lower}${upper}`;
}

const multirangeKey: ColumnEncoder = (v: MultirangeValue) => `\x02${v.ranges.map((range) => `\x02${rangeKey(range)}`).join('')}\x01`;

const JSON_NULL = '\x02', JSON_STRING = '\x03', JSON_NUMBER = '\x04', JSON_BOOLEAN = '\x05', JSON_ARRAY = '\x06', JSON_OBJECT = '\x07';

function jsonbItemKey(item: JsonbItem): string {
  if (item === null) return JSON_NULL;
  if (typeof item === 'boolean') return JSON_BOOLEAN + (item ? '\x01' : '\x00');
  if (typeof item === 'string') return JSON_STRING + textKey(item);
  if (item instanceof Numeric) return JSON_NUMBER + numericKey(item);
  if (item instanceof JsonbObject) {
    let key = JSON_OBJECT + integerKey(item.keys.length);
    for (let i = 0; i < item.keys.length; i++) key += textKey(item.keys[i]!) + jsonbItemKey(item.values[i]!);
    return key;
  }
  let key = JSON_ARRAY + integerKey((item as readonly JsonbItem[]).length);
  for (const element of item as readonly JsonbItem[]) key += jsonbItemKey(element);
  return key;
}

/** Networks before what lies in them: the order of network_cmp. */
function inetKey({ family, bits, bytes }: Inet): string {
  const text = Buffer.from(bytes).latin1Slice();
  let prefix = '';
  // Each bit of the network part as a character, so that a shorter network that is a prefix comes first.
  for (let i = 0; i < bits; i++) prefix += (bytes[i >> 3]! & (128 >> (i & 7))) !== 0 ? '\x02' : '\x01';
  return `${fromCharCode(family)}${prefix}\x00${text}`;
}

/** An empty array alone comes before all scalars. */
const jsonbKey: ColumnEncoder = (v: JsonbValue) => (Array.isArray(v.root) && v.root.length === 0 ? '\x01' : jsonbItemKey(v.root));

const BY_TYPE: Record<Oid, ColumnEncoder> = {
  16: (v: boolean) => (v ? '\x02' : '\x01'), 17: byteaKey, 18: charKey, 19: textKey, 20: integerKey, 21: integerKey,
  23: integerKey, 24: integerKey, 25: textKey, 26: integerKey, 27: integerKey, 28: integerKey, 29: integerKey, 30: vectorKey,
  650: inetKey, 700: floatKey, 774: textKey, 829: textKey, 869: inetKey, 701: floatKey, 790: integerKey, 1042: bpcharKey, 1043: textKey, 1082: integerKey, 1083: integerKey,
  1114: integerKey, 1184: integerKey, 1186: intervalKey, 1266: timetzKey, 1560: textKey, 1562: textKey, 1700: numericKey, 2202: integerKey, 2203: integerKey,
  2204: integerKey, 2205: integerKey, 2206: integerKey, 2249: recordKey, 2277: arrayKey, 2950: uuidKey, 3220: unsignedKey,
  3500: enumKey, 3614: tsVectorKey, 3615: tsQueryKey, 3734: integerKey, 3769: integerKey, 3802: jsonbKey, 4089: integerKey, 4096: integerKey, 4191: integerKey, 5069: unsignedKey,
};

/** The built-in operator classes of btree and hash, and the type each is for: the class tells the encoding. */
const OPCLASS_TYPE: Record<Oid, Oid> = {
  1978: 23, 1979: 21, 1981: 26, 3122: 1082, 3123: 701, 3124: 20, 3125: 1700, 3126: 25, 3127: 1184, 3128: 1114, 4217: 25,
  4218: 25, 4219: 1042, 10000: 2277, 10001: 2277, 10003: 16, 10004: 1042, 10005: 1042, 10006: 17, 10007: 18, 10008: 18,
  10011: 1082, 10012: 700, 10013: 700, 10014: 701, 10019: 21, 10020: 23, 10021: 20, 10022: 1186, 10023: 1186, 10028: 19,
  10029: 19, 10030: 1700, 10031: 26, 10032: 30, 10033: 30, 10034: 2249, 10035: 2249, 10037: 25, 10038: 1083, 10039: 1083,
  10040: 1184, 10041: 1266, 10042: 1266, 10044: 25, 10045: 25, 10046: 1114, 10047: 790, 10048: 16, 10049: 17, 10050: 27,
  10051: 28, 10052: 5069, 10053: 5069, 10054: 29, 10055: 27, 10056: 25, 10057: 25, 10058: 1042, 10065: 2950, 10066: 2950,
  10067: 3220, 10068: 3220, 10069: 3500, 10070: 3500,
};

/** btree's text_pattern_ops, varchar_pattern_ops, bpchar_pattern_ops: they order by bytes what is found equal by the collation. */
export const PATTERN_OPCLASSES: ReadonlySet<Oid> = new Set([4217, 4218, 4219]);
/** Operator classes that go by bytes whatever the collation: those of patterns, and spgist's of texts. */
const BYTEWISE = new Set([...PATTERN_OPCLASSES, 10086]);

/** Encoders for types that others add (user-defined operator classes, later families). */
const registered = new Map<Oid, ColumnEncoder>();

/** The default order of a type, by a collation if it has any. */
function encoderOfType(typeOid: Oid, collation: Oid = 0): ColumnEncoder {
  const collator = icuCollator(collation);
  if (collator !== null) return collatedEncoder(typeOid, collation, collator);
  const known = BY_TYPE[typeOid] ?? derived.get(typeOid);
  if (known !== undefined) return known;
  const encoder = findEncoder(typeOid);
  if (encoder === undefined) throw notSupported(`an index over type ${typeHooks.typeIo(typeOid).name}`);
  derived.set(typeOid, encoder);
  return encoder;
}

function collatedEncoder(typeOid: Oid, collation: Oid, collator: Collator): ColumnEncoder {
  const plain = encoderOfType(typeOid);
  if (plain === textKey) return collatedKey(collator);
  if (plain === bpcharKey) {
    const encode = collatedKey(collator);
    return (v: string) => encode(trimPadding(v));
  }
  if (plain === arrayKey) return (v: ArrayValue) => arrayKey(v, collation);
  return plain;
}

function findEncoder(typeOid: Oid): ColumnEncoder | undefined {
  const io = typeHooks.typeIo(typeOid);
  return io.typtype === 'd' ? encoderOfType(io.basetype)
    : io.typtype === 'e' ? enumKey
    : io.typtype === 'c' ? recordKey
    : io.typtype === 'r' ? rangeKey
    : io.typtype === 'm' ? multirangeKey
    : io.typelem !== 0 ? arrayKey
    : undefined;
}
const derived = new Map<Oid, ColumnEncoder>();

/** The encoding of an array's element; of types without an order, any that tells values apart. */
export function elementKey(typeOid: Oid, value: Datum, collation: Oid): string {
  if (isNondeterministic(collation)) return encoderOfType(typeOid, collation)(value);
  return (BY_TYPE[typeOid] ?? derived.get(typeOid) ?? findEncoder(typeOid) ?? opaqueKey)(value);
}

/** Values that have no order: their bytes' hash. What is found by it must be looked at again. */
const opaqueKey: ColumnEncoder = (v: Datum) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hashBytesExtended(encodeContainer(v), 0n));
  return `\x02${bytes.latin1Slice()}`;
};
/** Operator classes of gist and brin over such types: tsvector, tsquery; box. */
for (const opclass of [10072, 10075, 10163]) registered.set(opclass, opaqueKey);
for (const [opclass, dimensions] of Object.entries(SPATIAL_DIMENSIONS)) registered.set(Number(opclass), (v: Datum) => `\x02${mortonKey(coordinates(v, dimensions).map(floatCode))}`);
for (const opclass of RANGE_OPCLASSES) registered.set(opclass, placedRangeKey);

/** What begins the key of a range by its place, and of one that has none. */
export const RANGE_PLACED = '\x03', RANGE_EMPTY_KEY = '\x01';

/** The codes of a range's bounds, or of those around a multirange; null: it is empty. What they leave out of long bounds, and whether these
 * are inclusive, counts for less than their order. */
export function boundCodes(v: RangeValue | MultirangeValue): { lower: string; upper: string } | null {
  const first = v instanceof RangeValue ? v : v.ranges[0], last = v instanceof RangeValue ? v : v.ranges.at(-1);
  if (first === undefined || last === undefined || (first.flags & 1) !== 0) return null;
  const { subtype, collation } = typeHooks.rangeInfo(first.typeOid), encode = encoderOfType(subtype, collation);
  const length = CODE_BYTES[subtype] ?? 16;
  const code = (value: Datum): string => encode(value).slice(0, length).padEnd(length, '\x00');
  return { lower: (first.flags & 8) !== 0 ? '\x00'.repeat(length) : code(first.lower), upper: (last.flags & 16) !== 0 ? '\xff'.repeat(length) : code(last.upper) };
}
/** Of int4, date; int8, timestamp, timestamptz: all that their keys have. */
const CODE_BYTES: Readonly<Record<Oid, number>> = { 23: 5, 1082: 5, 20: 9, 1114: 9, 1184: 9 };

/** Its place among ranges, then all of it. */
function placedRangeKey(v: RangeValue | MultirangeValue): string {
  const codes = boundCodes(v);
  return codes === null ? RANGE_EMPTY_KEY : `${RANGE_PLACED}${mortonKey([codes.lower, codes.upper])}${v instanceof RangeValue ? rangeKey(v) : multirangeKey(v)}`;
}

/** How a column of an index is encoded: its operator class says so. */
function columnEncoder(column: IndexColumn): ColumnEncoder {
  const other = registered.get(column.opclass);
  if (other !== undefined) return other;
  const type = OPCLASS_TYPE[column.opclass];
  return encoderOfType(type ?? column.typeOid, BYTEWISE.has(column.opclass) ? 0 : column.collation);
}

function inverted(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += fromCharCode(255 - text.charCodeAt(i));
  return out;
}

const HASH_BYTES = 32;
const hashOf = (key: string): string => createHash('sha256').update(key, 'latin1').digest('latin1');

const shortened = (key: string, limit: number): string => (key.length <= limit ? key : key.slice(0, limit - HASH_BYTES) + hashOf(key));

/** What is left of a key that is longer than MAX_INDEX_KEY_BYTES, before the mark and the hash. */
export const CUT_BYTES = MAX_INDEX_KEY_BYTES - HASH_BYTES - 1;
/** No byte of UTF-8: as good as no key goes on with it, so that none is the beginning of a cut one. */
const CUT_MARK = '\xf9';

/** Whether a key as it is stored may be a cut one. */
export const mayBeCut = (key: string): boolean => key.length === MAX_INDEX_KEY_BYTES && key[CUT_BYTES] === CUT_MARK;

interface ColumnCoder { encode: ColumnEncoder; whole: ColumnEncoder; limit: number; nullMark: string; descending: boolean }
const coders = new WeakMap<readonly IndexColumn[], ColumnCoder[]>();

function codersOf(columns: readonly IndexColumn[]): ColumnCoder[] {
  let list = coders.get(columns);
  if (list === undefined) {
    list = columns.map((c) => {
      const ascending = columnEncoder(c);
      const whole: ColumnEncoder = c.descending ? (v) => inverted(ascending(v)) : ascending;
      const limit = c.keyLimit ?? Infinity;
      const encode: ColumnEncoder = limit === Infinity ? whole : (v) => shortened(whole(v), limit);
      return { encode, whole, limit, nullMark: c.nullsFirst ? NULL_FIRST : NULL_LAST, descending: c.descending };
    });
    coders.set(columns, list);
  }
  return list;
}

/** The key of a row as it is stored: `values` of the key columns in index order. */
export function encodeKey(columns: readonly IndexColumn[], values: readonly Datum[]): string {
  const key = encodePrefix(columns, values);
  return key.length <= MAX_INDEX_KEY_BYTES ? key : key.slice(0, CUT_BYTES) + CUT_MARK + hashOf(key);
}

/** The prefix that all keys share whose leading columns have these values; of all columns the whole key, however long. */
export function encodePrefix(columns: readonly IndexColumn[], values: readonly Datum[]): string {
  const list = codersOf(columns);
  const count = Math.min(values.length, list.length);
  let key = '';
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const coder = list[i]!;
    key += value === null || value === undefined ? coder.nullMark : coder.encode(value);
  }
  return key;
}

/** Writes the key of a row at a place of a buffer and says where it ends; -1: encodeKey must make it, because it may not
 * fit, or for some rarer value. Null: it always must. */
export function keyWriter(columns: readonly IndexColumn[]): ((bytes: Buffer, at: number, limit: number, values: readonly Datum[]) => number) | null {
  const list = codersOf(columns);
  const integers = list.map((c) => !c.descending && c.whole === integerKey);
  const collators = list.map((c) => (c.descending ? null : collatedKeys.get(c.whole) ?? null));
  if (!list.every((c, i) => integers[i] || collators[i] !== null || (!c.descending && c.whole === textKey))) return null;
  const marks = list.map((c) => c.nullMark.charCodeAt(0));
  return (bytes, at, limit, values) => {
    for (let i = 0; i < list.length; i++) {
      const value = values[i];
      if (at + 8 > limit) return -1;
      if (value === null || value === undefined) {
        bytes[at++] = marks[i]!;
      } else if (integers[i]) {
        if (typeof value !== 'number' || (at = putIntegerKey(bytes, at, value)) < 0) return -1;
      } else {
        const text = value as string, collator = collators[i]!;
        const most = 3 * text.length + 2;
        if (at + most > limit || list[i]!.limit < (collator === null ? most : Infinity)) return -1;
        bytes[at++] = 2;
        if (collator !== null) {
          at = collator.putSortKey(text, bytes, at, limit) + 1;
          if (at === 0) return -1;
          if (!collator.deterministic) continue;
          if (at + most > limit) return -1;
          bytes[at++] = 2;
        }
        at += bytes.utf8Write(text, at);
        bytes[at++] = 0;
      }
    }
    return at;
  };
}

/** The key that `values` bound a range with. `cut`: of a long value only the beginning, which keys below and above it may have, too. */
export function encodeBound(columns: readonly IndexColumn[], values: readonly Datum[]): { key: string; cut: boolean } {
  const last = values.length - 1, value = values[last] ?? null, coder = codersOf(columns)[last];
  if (coder === undefined || coder.limit === Infinity || value === null) return { key: encodePrefix(columns, values), cut: false };
  const before = encodePrefix(columns, values.slice(0, last)), own = coder.whole(value), most = coder.limit - HASH_BYTES;
  return own.length <= most ? { key: before + own, cut: false } : { key: before + own.slice(0, most), cut: true };
}

export function keyHasNull(columns: readonly IndexColumn[], values: readonly Datum[]): boolean {
  for (let i = 0; i < columns.length; i++) if (values[i] === null || values[i] === undefined) return true;
  return false;
}

/** A range of keys. A bound stands for all keys that start with it: `to: 'ab', toInclusive: true` includes 'abc'. */
export interface KeyRange { from: string; fromInclusive: boolean; to: string | null; toInclusive: boolean }

export interface RangeBound { value: Datum; inclusive: boolean }

/** Keys whose first columns equal `equals` (null: IS NULL) and whose next column lies between the bounds. A bound, or
 * `notNull`, leaves out the rows where that column is NULL. In SQL order: `lower` is the smaller value, also for DESC. */
export function keyRange(columns: readonly IndexColumn[], equals: readonly Datum[], lower?: RangeBound | null, upper?: RangeBound | null, notNull = false): KeyRange {
  const prefix = encodePrefix(columns, equals);
  const coder = codersOf(columns)[equals.length];
  if ((!lower && !upper && !notNull) || coder === undefined) {
    return { from: prefix, fromInclusive: true, to: prefix === '' ? null : prefix, toInclusive: true };
  }
  const [first, last] = coder.descending ? [upper, lower] : [lower, upper];
  return {
    from: prefix + (first ? coder.encode(first.value) : '\x01'), fromInclusive: first ? first.inclusive : true,
    to: prefix + (last ? coder.encode(last.value) : '\xff'), toInclusive: last ? last.inclusive : false,
  };
}

/** The least string greater than all that start with `prefix`; null when there is none. */
export function successor(prefix: string): string | null {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 255) end--;
  return end === 0 ? null : prefix.slice(0, end - 1) + fromCharCode(prefix.charCodeAt(end - 1) + 1);
}

/** The range as plain string bounds: from <= key < to (null: to the end). */
export function plainRange(range: KeyRange): { from: string | null; to: string | null } {
  return {
    from: range.fromInclusive ? range.from : successor(range.from),
    to: range.to === null ? null : range.toInclusive ? successor(range.to) : range.to,
  };
}
