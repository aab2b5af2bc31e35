// Values of columns and parameters, by type OID. A decoder reads straight from the message's bytes: most values never
// become a text first. Programs add their own types with `Types.set`, in terms of texts.
import { formatArray, parseArray, readBinaryArray } from './arrays.ts';
import { dateOfMicroseconds, dayText, formatDate, parseDate, parseInstant, parsePlainDate, parsePlainDateTime, parsePlainTime } from './datetime.ts';
import type { WireValue } from './message_writer.ts';
import * as oids from './type_oids.ts';

/** Reads buffer[at..end). */
export type Decoder = (buffer: Buffer, at: number, end: number) => unknown;

export interface TypeOptions {
  /** int8: 'bigint' (always exact), 'number' (a number while it is exact, else bigint), or 'string'. */
  int8?: 'bigint' | 'number' | 'string' | undefined;
  /** timestamps: Date (milliseconds; one without time zone is taken as UTC), Temporal's classes (dates and times, too), or text. */
  timestamps?: 'date' | 'temporal' | 'string' | undefined;
  /** numeric: text (exact) or number. */
  numeric?: 'string' | 'number' | undefined;
  /** json and jsonb: parsed, or text. */
  json?: 'parse' | 'string' | undefined;
}

/** How a type of one's own is read and written. */
export interface CustomType {
  parse?: (text: string) => unknown;
  /** For results in the binary format. */
  parseBinary?: (bytes: Buffer) => unknown;
  /** A parameter's text, or its bytes in the binary format. */
  serialize?: (value: unknown) => string | Uint8Array | null;
}

/** A parameter of a given type: `typed(1700, '1.5')`. */
export class Typed {
  readonly typeOid: number;
  readonly value: unknown;
  constructor(typeOid: number, value: unknown) {
    this.typeOid = typeOid;
    this.value = value;
  }
}
export const typed = (typeOid: number, value: unknown): Typed => new Typed(typeOid, value);

function decodeText(buffer: Buffer, at: number, end: number): string {
  return buffer.utf8Slice(at, end);
}

function decodeInt(buffer: Buffer, at: number, end: number): number {
  let c = buffer[at]!, value = 0;
  const negative = c === 0x2d;
  if (negative) at++;
  for (; at < end; at++) {
    c = buffer[at]!;
    value = value * 10 + c - 48;
  }
  return negative ? -value : value;
}

function decodeInt8(buffer: Buffer, at: number, end: number): bigint {
  return end - at <= 15 ? BigInt(decodeInt(buffer, at, end)) : BigInt(buffer.latin1Slice(at, end));
}

function decodeInt8AsNumber(buffer: Buffer, at: number, end: number): number | bigint {
  if (end - at <= 15) return decodeInt(buffer, at, end);
  const value = BigInt(buffer.latin1Slice(at, end)), number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const decodeFloat: Decoder = (buffer, at, end) => Number(buffer.latin1Slice(at, end));
const decodeBool: Decoder = (buffer, at) => buffer[at] === 0x74;

/** Both bytea_output forms. */
function decodeBytea(buffer: Buffer, at: number, end: number): Buffer {
  if (buffer[at] === 0x5c && buffer[at + 1] === 0x78) return Buffer.from(buffer.latin1Slice(at + 2, end), 'hex');
  const out = Buffer.allocUnsafe(end - at);
  let n = 0;
  while (at < end) {
    const c = buffer[at++]!;
    if (c !== 0x5c) out[n++] = c;
    else if (buffer[at] === 0x5c) out[n++] = buffer[at++]!;
    else {
      out[n++] = parseInt(buffer.latin1Slice(at, at + 3), 8);
      at += 3;
    }
  }
  return out.subarray(0, n);
}

const fromText = (parse: (text: string) => unknown): Decoder => (buffer, at, end) => parse(buffer.utf8Slice(at, end));
const copyBytes: Decoder = (buffer, at, end) => Buffer.from(buffer.subarray(at, end));
export const parseBytea = (text: string): Buffer => decodeBytea(Buffer.from(text), 0, Buffer.byteLength(text));

/** numeric_send: digits of base 10000. */
function binaryNumeric(buffer: Buffer, at: number): string {
  const count = buffer.readUInt16BE(at), weight = buffer.readInt16BE(at + 2), sign = buffer.readUInt16BE(at + 4), scale = buffer.readUInt16BE(at + 6);
  if (sign === 0xc000) return 'NaN';
  if (sign === 0xd000) return 'Infinity';
  if (sign === 0xf000) return '-Infinity';
  const digit = (i: number): string => String(i >= 0 && i < count ? buffer.readUInt16BE(at + 8 + 2 * i) : 0).padStart(4, '0');
  let whole = '', fraction = '';
  for (let i = 0; i <= weight; i++) whole += digit(i);
  for (let i = weight + 1; fraction.length < scale; i++) fraction += digit(i);
  whole = whole.replace(/^0+(?=.)/, '') || '0';
  return `${sign === 0x4000 ? '-' : ''}${whole}${scale > 0 ? `.${fraction.slice(0, scale)}` : ''}`;
}

function binaryUuid(buffer: Buffer, at: number): string {
  const hex = buffer.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function binaryTime(microseconds: bigint): string {
  const seconds = Number(microseconds / 1_000_000n), fraction = String(microseconds % 1_000_000n).padStart(6, '0').replace(/0+$/, '');
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${fraction === '' ? '' : `.${fraction}`}`;
}

const json = (text: string): unknown => JSON.parse(text);

export class Types {
  private readonly text = new Map<number, Decoder>();
  private readonly binary = new Map<number, Decoder>();
  private readonly serializers = new Map<number, (value: unknown) => string | Uint8Array | null>();
  private readonly arrays = new Map<number, number>(oids.ARRAY_ELEMENT);

  constructor(options: TypeOptions = {}) {
    const { text, binary } = this;
    const int8 = options.int8 ?? 'bigint', timestamps = options.timestamps ?? 'date';
    text.set(oids.BOOL, decodeBool);
    text.set(oids.BYTEA, decodeBytea);
    for (const oid of [oids.INT2, oids.INT4, oids.OID, oids.XID, oids.CID]) text.set(oid, decodeInt);
    if (int8 !== 'string') text.set(oids.INT8, int8 === 'bigint' ? decodeInt8 : decodeInt8AsNumber);
    text.set(oids.FLOAT4, decodeFloat);
    text.set(oids.FLOAT8, decodeFloat);
    if (options.numeric === 'number') text.set(oids.NUMERIC, decodeFloat);
    if (options.json !== 'string') for (const oid of [oids.JSON_TYPE, oids.JSONB]) text.set(oid, fromText(json));

    binary.set(oids.BOOL, (b, at) => b[at] === 1);
    binary.set(oids.BYTEA, copyBytes);
    binary.set(oids.INT2, (b, at) => b.readInt16BE(at));
    binary.set(oids.INT4, (b, at) => b.readInt32BE(at));
    for (const oid of [oids.OID, oids.XID, oids.CID]) binary.set(oid, (b, at) => b.readUInt32BE(at));
    binary.set(oids.INT8, (b, at) => {
      const value = b.readBigInt64BE(at);
      return int8 === 'bigint' ? value : int8 === 'string' ? String(value) : Number.isSafeInteger(Number(value)) ? Number(value) : value;
    });
    binary.set(oids.FLOAT4, (b, at) => Number(b.readFloatBE(at).toPrecision(7)));
    binary.set(oids.FLOAT8, (b, at) => b.readDoubleBE(at));
    for (const oid of [oids.TEXT, oids.VARCHAR, oids.BPCHAR, oids.NAME, oids.CHAR, oids.XML]) binary.set(oid, decodeText);
    binary.set(oids.JSON_TYPE, options.json === 'string' ? decodeText : fromText(json));
    binary.set(oids.JSONB, (b, at, end) => (options.json === 'string' ? decodeText(b, at + 1, end) : json(b.utf8Slice(at + 1, end))));
    binary.set(oids.NUMERIC, (b, at) => (options.numeric === 'number' ? Number(binaryNumeric(b, at)) : binaryNumeric(b, at)));
    binary.set(oids.UUID, binaryUuid);
    const plainTime = (b: Buffer, at: number): string => binaryTime(b.readBigInt64BE(at));
    const stamp = (b: Buffer, at: number): Date | number => dateOfMicroseconds(b.readBigInt64BE(at));
    if (timestamps === 'date') {
      for (const oid of [oids.TIMESTAMP, oids.TIMESTAMPTZ]) {
        text.set(oid, fromText(parseDate));
        binary.set(oid, stamp);
      }
      binary.set(oids.DATE, (b, at) => dayText(b.readInt32BE(at)));
      binary.set(oids.TIME, plainTime);
    } else {
      const temporal = timestamps === 'temporal';
      /** All six digits of the fraction: Date has three. */
      const iso = (b: Buffer, at: number, zone: string): string => {
        const value = b.readBigInt64BE(at), date = dateOfMicroseconds(value);
        if (typeof date === 'number') return date > 0 ? 'infinity' : '-infinity';
        const rest = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n, fraction = String(rest).padStart(6, '0').replace(/0+$/, '');
        const shown = formatDate(date);
        return shown.replace(/\.\d+\+00/, `${fraction === '' ? '' : `.${fraction}`}${zone}`);
      };
      for (const [oid, parse, zone] of [[oids.TIMESTAMPTZ, parseInstant, '+00'], [oids.TIMESTAMP, parsePlainDateTime, '']] as const) {
        if (temporal) text.set(oid, fromText(parse));
        binary.set(oid, (b, at) => (temporal ? parse(iso(b, at, zone)) : iso(b, at, zone)));
      }
      if (temporal) {
        text.set(oids.DATE, fromText(parsePlainDate));
        text.set(oids.TIME, fromText(parsePlainTime));
      }
      binary.set(oids.DATE, (b, at) => (temporal ? parsePlainDate(dayText(b.readInt32BE(at))) : dayText(b.readInt32BE(at))));
      binary.set(oids.TIME, (b, at) => (temporal ? parsePlainTime(plainTime(b, at)) : plainTime(b, at)));
    }
  }

  /** Adds or replaces a type. With `element`, it is the array of that type (already known or added). */
  set(typeOid: number, type: CustomType | { element: number }): this {
    if ('element' in type) {
      this.arrays.set(typeOid, type.element);
      return this;
    }
    const { parse, parseBinary, serialize } = type;
    if (parse) this.text.set(typeOid, fromText(parse));
    if (parseBinary) this.binary.set(typeOid, (buffer, at, end) => parseBinary(Buffer.from(buffer.subarray(at, end))));
    if (serialize) this.serializers.set(typeOid, serialize);
    return this;
  }

  decoder(typeOid: number, format: number): Decoder {
    const known = (format === 1 ? this.binary : this.text).get(typeOid);
    if (known !== undefined) return known;
    const element = this.arrays.get(typeOid);
    if (element === undefined) return format === 1 ? copyBytes : decodeText;
    if (format === 1) return (buffer, at) => readBinaryArray(buffer, at, (oid, from, end) => this.decoder(oid, 1)(buffer, from, end));
    const inner = this.decoder(element, 0), separator = typeOid === oids.BOX_ARRAY ? ';' : ',';
    const parse = inner === decodeText ? (text: string): unknown => text : (text: string): unknown => {
      const bytes = Buffer.from(text);
      return inner(bytes, 0, bytes.length);
    };
    return (buffer, at, end) => parseArray(buffer.utf8Slice(at, end), parse, separator);
  }

  /** A parameter as it is sent. `typeOid` is 0 where the server is to find out. */
  encode(value: unknown, typeOid = 0): WireValue {
    if (value === null || value === undefined) return null;
    const own = typeOid === 0 ? undefined : this.serializers.get(typeOid);
    if (own !== undefined) return own(value);
    switch (typeof value) {
      case 'string': return value;
      case 'number': case 'bigint': return String(value);
      case 'boolean': return value ? 't' : 'f';
      case 'object': return this.encodeObject(value, typeOid);
      default: throw new TypeError(`a ${typeof value} cannot be a parameter`);
    }
  }

  private encodeObject(value: object, typeOid: number): WireValue {
    if (value instanceof Typed) return this.encode(value.value, value.typeOid);
    if (value instanceof Date) return formatDate(value);
    if (value instanceof Uint8Array) return value;
    if (typeOid === oids.JSON_TYPE || typeOid === oids.JSONB) return JSON.stringify(value);
    if (Array.isArray(value)) {
      const element = this.arrays.get(typeOid) ?? 0;
      return formatArray(value, (item) => {
        const encoded = this.encode(item, element);
        return encoded === null || typeof encoded === 'string' ? encoded : `\\x${Buffer.from(encoded).toString('hex')}`;
      }, typeOid === oids.BOX_ARRAY ? ';' : ',');
    }
    const name = Object.prototype.toString.call(value);
    return name.startsWith('[object Temporal.') ? String(value) : JSON.stringify(value);
  }
}

/** The type OID that a parameter asks for by itself; 0: none. */
export const typeOf = (value: unknown): number => (value instanceof Typed ? value.typeOid : 0);
