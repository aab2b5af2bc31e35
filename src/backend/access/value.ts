// The byte form of values that have no fixed layout: arrays, records, jsonb and whatever else a type family keeps as
// an object. Self-describing, so that nothing in here asks the catalogs: every value starts with a tag.
//
//   tag          payload                               tag            payload
//   0 null                                             8 bytes        u32 length, bytes
//   1 false                                            9 numeric      u32 length, access/numeric_bytes.ts
//   2 true                                            10 interval     i64 time, i32 days, i32 months
//   3 int32      i32                                  11 timetz       i64 time, i32 zone
//   4 float64    f64 (also integers beyond 32 bits)   12 array        u32 element type, u8 dimensions, for each: i32
//   5 bigint     i64                                                  size, i32 lower bound; then the elements
//   7 string     u32 length, UTF-8                    13 record       u32 type, u16 columns, for each: u32 type, i32
//                                                                     typmod, u32 collation, u8 dropped, string name;
//                                                                     then the values
//  14 list       u32 length, values                   15 map          u32 length, (string, value) each
//  16 int32s     an array's elements, when all are small integers: i32 each
//  17 custom     u16 number, u32 length, bytes: a codec registered by `registerCodec`
//  18 range      u32 type, u8 flags, the values of its bounds      19 multirange   u32 type, list of ranges
//
// 14 and 15 are JavaScript arrays and plain objects, as parsed JSON is made of.
import { internalError } from '../../common/errors.ts';
import { ArrayValue, Interval, MultirangeValue, RangeValue, RecordValue, TimeTz, int8, type Datum, type RecordAttribute } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { RECORDOID } from '../types/oids.ts';
import { jsonbCodec } from '../types/jsonb.ts';
import { geoCodecs } from '../types/geo_types.ts';
import { tsQueryCodec } from '../types/tsquery.ts';
import { tsVectorCodec } from '../types/tsvector.ts';
import { inetCodec } from '../types/network.ts';
import { snapshotCodec } from '../types/pg_lsn.ts';
import { jsonPathCodec } from '../types/jsonpath.ts';
import { Numeric } from '../types/numeric.ts';
import { decodeNumeric, encodeNumeric, numericBytesBound } from './numeric_bytes.ts';

const NULL = 0, FALSE = 1, TRUE = 2, INT32 = 3, FLOAT64 = 4, BIGINT = 5, STRING = 7, BYTES = 8, NUMERIC = 9, INTERVAL = 10,
  TIMETZ = 11, ARRAY = 12, RECORD = 13, LIST = 14, MAP = 15, INT32S = 16, CUSTOM = 17, RANGE = 18, MULTIRANGE = 19;

/** How a class of objects becomes bytes and comes back; `number` is for ever. */
export interface Codec<T extends object = any> {
  readonly number: number;
  readonly type: abstract new (...args: any[]) => T;
  encode(value: T): Uint8Array;
  /** Of bytes of its own; or of the text that they are, which needs no copy. */
  readonly decode?: (bytes: Uint8Array) => T;
  readonly decodeText?: (text: string) => T;
}
const codecs = new Map<number, Codec>();
const codecByType = new Map<unknown, Codec>();

function registerCodec(codec: Codec): void {
  codecs.set(codec.number, codec);
  codecByType.set(codec.type, codec);
}

registerCodec(jsonbCodec);
registerCodec(jsonPathCodec);
registerCodec(inetCodec);
registerCodec(snapshotCodec);
geoCodecs.forEach(registerCodec);
registerCodec(tsVectorCodec);
registerCodec(tsQueryCodec);

class Writer {
  bytes = Buffer.allocUnsafeSlow(1024);
  view = new DataView(this.bytes.buffer);
  at = 0;
  room(lengthBytes: number): void {
    if (this.at + lengthBytes <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + lengthBytes));
    this.bytes.copy(bytes, 0, 0, this.at);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
  u8(value: number): void { this.room(1); this.bytes[this.at++] = value; }
  u16(value: number): void { this.room(2); this.view.setUint16(this.at, value, true); this.at += 2; }
  u32(value: number): void { this.room(4); this.view.setUint32(this.at, value, true); this.at += 4; }
  i32(value: number): void { this.room(4); this.view.setInt32(this.at, value, true); this.at += 4; }
  f64(value: number): void { this.room(8); this.view.setFloat64(this.at, value, true); this.at += 8; }
  i64(value: number | bigint): void { this.room(8); this.view.setBigInt64(this.at, BigInt(value), true); this.at += 8; }
  string(value: string): void {
    this.room(4 + value.length * 3);
    const length = this.bytes.utf8Write(value, this.at + 4);
    this.view.setUint32(this.at, length, true);
    this.at += 4 + length;
  }
  blob(value: Uint8Array): void {
    this.u32(value.length);
    this.room(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }
}

const writer = new Writer();

/** The bytes of a container; valid until the next call. */
export function encodeContainer(value: Datum): Uint8Array {
  writer.at = 0;
  put(writer, value);
  const bytes = writer.bytes.subarray(0, writer.at);
  // One huge value must not keep its buffer for the life of the backend.
  if (writer.bytes.length > 1 << 20) { writer.bytes = Buffer.allocUnsafeSlow(1024); writer.view = new DataView(writer.bytes.buffer); }
  return bytes;
}

function put(w: Writer, value: Datum | undefined): void {
  switch (typeof value) {
    case 'boolean': w.u8(value ? TRUE : FALSE); return;
    case 'number':
      if ((value | 0) === value && !Object.is(value, -0)) { w.u8(INT32); w.i32(value); } else { w.u8(FLOAT64); w.f64(value); }
      return;
    case 'bigint': w.u8(BIGINT); w.i64(value); return;
    case 'string': w.u8(STRING); w.string(value); return;
    case 'object': if (value === null) w.u8(NULL); else putObject(w, value); return;
    default: throw internalError(`cannot store a value of type ${typeof value}`);
  }
}

function putObject(w: Writer, value: object): void {
  if (value instanceof ArrayValue) return putArray(w, value);
  if (value instanceof Numeric) {
    w.u8(NUMERIC);
    w.room(4 + numericBytesBound(value));
    const end = encodeNumeric(value, w.bytes, w.at + 4);
    w.view.setUint32(w.at, end - w.at - 4, true);
    w.at = end;
    return;
  }
  if (value instanceof Uint8Array) { w.u8(BYTES); w.blob(value); return; }
  if (value instanceof RecordValue) return putRecord(w, value);
  if (value instanceof Interval) { w.u8(INTERVAL); w.i64(value.time); w.i32(value.days); w.i32(value.months); return; }
  if (value instanceof TimeTz) { w.u8(TIMETZ); w.i64(value.time); w.i32(value.zone); return; }
  if (value instanceof RangeValue) { w.u8(RANGE); w.u32(value.typeOid); w.u8(value.flags); put(w, value.lower); put(w, value.upper); return; }
  if (value instanceof MultirangeValue) {
    w.u8(MULTIRANGE);
    w.u32(value.typeOid);
    w.u32(value.ranges.length);
    for (const range of value.ranges) put(w, range);
    return;
  }
  const codec = codecByType.get(value.constructor);
  if (codec !== undefined) { w.u8(CUSTOM); w.u16(codec.number); w.blob(codec.encode(value)); return; }
  if (Array.isArray(value)) {
    w.u8(LIST);
    w.u32(value.length);
    for (const element of value) put(w, element);
    return;
  }
  if (value instanceof Map || value.constructor === Object || value.constructor === undefined) {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    w.u8(MAP);
    w.u32(entries.length);
    for (const [key, element] of entries) { w.string(key as string); put(w, element as Datum); }
    return;
  }
  throw internalError(`cannot store an object of class ${value.constructor.name}`);
}

function putArray(w: Writer, array: ArrayValue): void {
  w.u8(ARRAY);
  w.u32(array.elementType);
  w.u8(array.dims.length);
  for (let i = 0; i < array.dims.length; i++) { w.i32(array.dims[i]!); w.i32(array.lbounds[i]!); }
  const { values } = array;
  if (values.length > 0 && values.every((v) => typeof v === 'number' && (v | 0) === v && !Object.is(v, -0))) {
    w.u8(INT32S);
    w.room(4 * values.length);
    for (const v of values) w.i32(v as number);
    return;
  }
  w.u8(LIST);
  for (const v of values) put(w, v);
}

function putRecord(w: Writer, record: RecordValue): void {
  w.u8(RECORD);
  w.u32(record.typeOid);
  w.u16(record.attributes.length);
  for (const a of record.attributes) {
    w.u32(a.typeOid); w.i32(a.typmod); w.u32(a.collation); w.u8(a.dropped ? 1 : 0); w.string(a.name);
  }
  for (let i = 0; i < record.attributes.length; i++) put(w, record.values[i]);
}

class Reader {
  readonly bytes: Buffer;
  readonly view: DataView;
  at: number;
  constructor(bytes: Buffer, view: DataView, at: number) {
    this.bytes = bytes;
    this.view = view;
    this.at = at;
  }
  u8(): number { return this.bytes[this.at++]!; }
  u16(): number { const v = this.view.getUint16(this.at, true); this.at += 2; return v; }
  u32(): number { const v = this.view.getUint32(this.at, true); this.at += 4; return v; }
  i32(): number { const v = this.view.getInt32(this.at, true); this.at += 4; return v; }
  f64(): number { const v = this.view.getFloat64(this.at, true); this.at += 8; return v; }
  i64(): bigint { const v = this.view.getBigInt64(this.at, true); this.at += 8; return v; }
  string(): string { const n = this.u32(); this.at += n; return this.bytes.utf8Slice(this.at - n, this.at); }
  /** A copy: what is read outlives the block. */
  blob(): Uint8Array { const n = this.u32(); this.at += n; return new Uint8Array(this.bytes.subarray(this.at - n, this.at)); }
}

/** The container that starts at `start`. `view` looks at the same memory as `bytes`, from the same byte on. */
export function decodeContainer(bytes: Buffer, view: DataView, start: number): Datum {
  return take(new Reader(bytes, view, start));
}

function take(r: Reader): any {
  const tag = r.u8();
  switch (tag) {
    case NULL: return null;
    case FALSE: return false;
    case TRUE: return true;
    case INT32: return r.i32();
    case FLOAT64: return r.f64();
    case BIGINT: return int8(r.i64());
    case STRING: return r.string();
    case BYTES: return r.blob();
    case NUMERIC: { const n = r.u32(); r.at += n; return decodeNumeric(r.bytes, r.at - n, r.at); }
    case INTERVAL: { const time = int8(r.i64()); const days = r.i32(); return new Interval(r.i32(), days, time); }
    case TIMETZ: { const time = Number(r.i64()); return new TimeTz(time, r.i32()); }
    case ARRAY: return takeArray(r);
    case RECORD: return takeRecord(r);
    case LIST: { const n = r.u32(); const list: unknown[] = []; for (let i = 0; i < n; i++) list.push(take(r)); return list; }
    case MAP: { const n = r.u32(); const map: Record<string, unknown> = {}; for (let i = 0; i < n; i++) { const k = r.string(); map[k] = take(r); } return map; }
    case RANGE: { const type = r.u32(), flags = r.u8(), lower = take(r); return new RangeValue(type, lower, take(r), flags); }
    case MULTIRANGE: {
      const type = r.u32(), n = r.u32();
      const ranges: RangeValue[] = [];
      for (let i = 0; i < n; i++) ranges.push(take(r));
      return new MultirangeValue(type, ranges);
    }
    case CUSTOM: {
      const codec = codecs.get(r.u16());
      if (codec === undefined) throw internalError('a stored value has an unknown codec');
      return codec.decodeText !== undefined ? codec.decodeText(r.string()) : codec.decode!(r.blob());
    }
    default: throw internalError(`a stored value has the unknown tag ${tag}`);
  }
}

function takeArray(r: Reader): ArrayValue {
  const elementType = r.u32();
  const dimensions = r.u8();
  const dims: number[] = [], lbounds: number[] = [];
  let count = dimensions === 0 ? 0 : 1;
  for (let i = 0; i < dimensions; i++) { dims.push(r.i32()); lbounds.push(r.i32()); count *= dims[i]!; }
  const values: Datum[] = [];
  if (r.u8() === INT32S) for (let i = 0; i < count; i++) values.push(r.i32());
  else for (let i = 0; i < count; i++) values.push(take(r));
  return new ArrayValue(elementType, dims, lbounds, values);
}

function takeRecord(r: Reader): RecordValue {
  const typeOid = r.u32();
  const count = r.u16();
  const attributes: RecordAttribute[] = [];
  for (let i = 0; i < count; i++) {
    const typeOid = r.u32(), typmod = r.i32(), collation = r.u32(), dropped = r.u8() === 1;
    attributes.push({ name: r.string(), typeOid, typmod, collation, dropped });
  }
  const values: Datum[] = [];
  for (let i = 0; i < count; i++) values.push(take(r));
  return typeOid === RECORDOID ? new RecordValue(typeOid, attributes, values) : asOfNow(typeOid, values);
}

/** A row of a named type may have been written before a column was added or dropped. */
function asOfNow(typeOid: number, values: Datum[]): RecordValue {
  const attributes = typeHooks.rowAttributes(typeOid, -1);
  for (let i = 0; i < attributes.length; i++) if (i >= values.length || attributes[i]!.dropped) values[i] = null;
  return new RecordValue(typeOid, attributes, values);
}
