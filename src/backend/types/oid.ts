// oid, xid, cid, xid8, tid, and the vectors int2vector and oidvector.
import { PgError } from '../../common/errors.ts';
import { ArrayValue, int8, type Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { invalidInput, invalidParameter, valueOutOfRange } from './errors.ts';
import { int2In, parseInteger } from './int.ts';
import { INT2OID, OIDOID } from './oids.ts';
import { receiveAll, sendInt16, sendInt32, sendInt64, WireReader } from './wire.ts';

/** Unsigned 32 bits; a negative number is accepted and wraps, as strtoul did it for oid. */
export function oidIn(text: string): number {
  return readUnsigned(text, 'oid');
}

function readUnsigned(text: string, typeName: string): number {
  const value = parseInteger(text);
  if (value !== value) throw invalidInput(typeName, text);
  if (value > 4294967295 || value < -2147483648) throw valueOutOfRange(typeName, text);
  return value >>> 0;
}

/** strtoul without any check: what xidin and cidin do (base 0: octal and hexadecimal too). */
function looseUnsigned(text: string, bits: 32 | 64): bigint {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)/.exec(text);
  if (match === null) return 0n;
  let digits = match[2]!;
  if (/^0[0-7]/.test(digits)) digits = `0o${/^0*([0-7]*)/.exec(digits)![1] || '0'}`;
  else if (/^0[89]/.test(digits)) digits = '0';
  let value = BigInt(digits);
  if (value > 0xffffffffffffffffn) value = 0xffffffffffffffffn;
  return BigInt.asUintN(bits, match[1] === '-' ? -value : value);
}

const eq = (a: number, b: number): boolean => a === b;
const ne = (a: number, b: number): boolean => a !== b;
const receiveUint32 = (bytes: Uint8Array): number => receiveAll(bytes, (reader) => reader.uint32());
const looseIn = (text: string): number => Number(looseUnsigned(text, 32));

// --- xid8: kept in eight bytes, the upper half as negative numbers (as pg_lsn).
export const compareUint64 = (a: Int8, b: Int8): number => (a === b ? 0 : (a < 0) !== (b < 0) ? (a < 0 ? 1 : -1) : a < b ? -1 : 1);
const stored = (value: bigint): Int8 => int8(BigInt.asIntN(64, value));

// --- tid: the row id of access/row.ts as one number, block * 65536 + slot. Shown as PostgreSQL does: (block,offset), where
// the offset of slot 0 is 1; so (0,0) is -1.
function tidIn(text: string): number {
  // As tidin: what stands before the parenthesis and behind the numbers is not looked at, and no digits are zero.
  const match = /^[^(,)]*\(\s*([+-]?\d*),\s*([+-]?\d*)\)/.exec(text);
  const block = match === null ? NaN : Number(match[1] || 0);
  const offset = match === null ? NaN : Number(match[2] || 0);
  if (!(block >= -2147483648 && block <= 4294967295) || !(offset >= 0 && offset <= 65535)) {
    throw invalidInput('tid', text);
  }
  return (block >>> 0) * 65536 + offset - 1;
}
export const tidOut = (tid: number): string => `(${Math.floor((tid + 1) / 65536)},${(tid + 1) % 65536})`;

// --- vectors: one dimension, lower bound 0, no nulls.
function makeVector(elementType: number, values: readonly number[]): ArrayValue {
  return new ArrayValue(elementType, [values.length], [0], values);
}

/** An error shows all the text that was left to read, as PostgreSQL's. */
function vectorItems(text: string, element: (text: string) => number): number[] {
  const values: number[] = [];
  for (const match of text.matchAll(/[^ ]+/g)) {
    const item = match[0];
    values.push(element(Number.isNaN(parseInteger(item)) ? text.slice(match.index) : item));
  }
  return values;
}

function vectorIn(text: string, elementType: number, element: (text: string) => number): ArrayValue {
  return makeVector(elementType, vectorItems(text, element));
}

/** An array that was relabelled may be none. */
export function checkedVector(vector: ArrayValue, type = 'oidvector'): ArrayValue {
  if (vector.dims.length !== 1 || vector.values.includes(null)) throw new PgError('datatype_mismatch', `array is not a valid ${type}`);
  return vector;
}

function vectorReceive(bytes: Uint8Array, elementType: number): ArrayValue {
  const reader = new WireReader(bytes);
  const dimensions = reader.int32();
  reader.int32();
  if (reader.uint32() !== elementType || dimensions > 1) throw invalidParameter('invalid vector data');
  if (dimensions === 0) return makeVector(elementType, []);
  const length = reader.int32();
  reader.int32();
  const values: number[] = [];
  for (let i = 0; i < length; i++) {
    const size = reader.int32();
    values.push(size === 2 ? reader.int16() : reader.uint32());
  }
  reader.end();
  return makeVector(elementType, values);
}

function vectorSend(vector: ArrayValue, elementType: number): Uint8Array {
  const parts: Uint8Array[] = [sendInt32(1), sendInt32(0), sendInt32(elementType), sendInt32(vector.values.length), sendInt32(0)];
  for (const value of vector.values as readonly number[]) {
    parts.push(sendInt32(elementType === INT2OID ? 2 : 4), elementType === INT2OID ? sendInt16(value) : sendInt32(value));
  }
  return Buffer.concat(parts);
}

/** By length first, then element by element, as btoidvectorcmp. */
export function vectorCompare(a: ArrayValue, b: ArrayValue): number {
  const x = checkedVector(a).values as readonly number[], y = checkedVector(b).values as readonly number[];
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return x[i]! < y[i]! ? -1 : 1;
  return 0;
}

registerBuiltins({
  pure: {
    oidin: oidIn,
    oidout: String,
    oidrecv: receiveUint32,
    oidsend: sendInt32,
    oideq: eq,
    oidne: ne,
    oidlt: (a: number, b: number) => a < b,
    oidle: (a: number, b: number) => a <= b,
    oidgt: (a: number, b: number) => a > b,
    oidge: (a: number, b: number) => a >= b,
    oidlarger: (a: number, b: number) => (a > b ? a : b),
    oidsmaller: (a: number, b: number) => (a < b ? a : b),
    btoidcmp: (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0),

    xidin: looseIn, xidout: String, xidrecv: receiveUint32, xidsend: sendInt32, xideq: (a: number, b: number) => a === b >>> 0, xidneq: (a: number, b: number) => a !== b >>> 0,
    cidin: looseIn, cidout: String, cidrecv: receiveUint32, cidsend: sendInt32, cideq: eq,

    xid8in: (text: string) => stored(looseUnsigned(text, 64)),
    xid8out: (a: Int8) => (a < 0 ? String(BigInt.asUintN(64, BigInt(a))) : String(a)),
    xid8recv: (bytes: Uint8Array) => stored(receiveAll(bytes, (reader) => reader.uint64())),
    xid8send: sendInt64,
    xid8eq: (a: Int8, b: Int8) => a === b,
    xid8ne: (a: Int8, b: Int8) => a !== b,
    xid8lt: (a: Int8, b: Int8) => compareUint64(a, b) < 0,
    xid8le: (a: Int8, b: Int8) => compareUint64(a, b) <= 0,
    xid8gt: (a: Int8, b: Int8) => compareUint64(a, b) > 0,
    xid8ge: (a: Int8, b: Int8) => compareUint64(a, b) >= 0,
    xid8cmp: compareUint64,
    xid8_larger: (a: Int8, b: Int8) => (compareUint64(a, b) > 0 ? a : b),
    xid8_smaller: (a: Int8, b: Int8) => (compareUint64(a, b) < 0 ? a : b),
    xid8toxid: (a: Int8) => Number(BigInt.asUintN(32, BigInt(a))),

    tidin: tidIn,
    tidout: tidOut,
    tidrecv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.uint32() * 65536 + reader.uint16() - 1),
    tidsend: (tid: number) => Buffer.concat([sendInt32(Math.floor((tid + 1) / 65536)), sendInt16((tid + 1) % 65536)]),
    tideq: eq, tidne: ne,
    tidlt: (a: number, b: number) => a < b,
    tidle: (a: number, b: number) => a <= b,
    tidgt: (a: number, b: number) => a > b,
    tidge: (a: number, b: number) => a >= b,
    bttidcmp: (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0),
    tidlarger: (a: number, b: number) => (a > b ? a : b),
    tidsmaller: (a: number, b: number) => (a < b ? a : b),

    int2vectorin: (text: string) => vectorIn(text, INT2OID, int2In),
    int2vectorout: (vector: ArrayValue) => checkedVector(vector, 'int2vector').values.join(' '),
    int2vectorrecv: (bytes: Uint8Array) => vectorReceive(bytes, INT2OID),
    int2vectorsend: (vector: ArrayValue) => vectorSend(vector, INT2OID),
    oidvectorin: (text: string) => vectorIn(text, OIDOID, oidIn),
    oidvectorout: (vector: ArrayValue) => checkedVector(vector).values.join(' '),
    oidvectorrecv: (bytes: Uint8Array) => vectorReceive(bytes, OIDOID),
    oidvectorsend: (vector: ArrayValue) => vectorSend(vector, OIDOID),
    oidvectoreq: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) === 0,
    oidvectorne: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) !== 0,
    oidvectorlt: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) < 0,
    oidvectorle: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) <= 0,
    oidvectorgt: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) > 0,
    oidvectorge: (a: ArrayValue, b: ArrayValue) => vectorCompare(a, b) >= 0,
    btoidvectorcmp: vectorCompare,
  },
});
