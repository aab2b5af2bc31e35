// numeric in rows and in index keys.
//
// In a row:   u8 head: bit 0 negative, bits 1 to 7 the scale when below 124; 124: u16 scale follows; 125 NaN,
//             126 Infinity, 127 -Infinity; then the magnitude of the coefficient, big-endian, as few bytes as it takes.
// In a key:   one byte: 01 -Infinity, 02 negative, 03 zero, 04 positive, 05 Infinity, 06 NaN (greatest, as in PostgreSQL);
//             for finite values other than zero: the exponent e of 0.ddd * 10^e as an integer key, then two digits a
//             byte as 1 to 100, then 00; all of it inverted when negative. Equal values of different scale are equal.
import { FINITE, NAN, NUMERIC_INFINITY, NUMERIC_NAN, NUMERIC_NEGATIVE_INFINITY, Numeric, POSITIVE_INFINITY } from '../types/numeric.ts';
import { integerKey } from './key_integer.ts';

const LONG_SCALE = 124, HEAD_NAN = 125, HEAD_INFINITY = 126, HEAD_NEGATIVE_INFINITY = 127;
const TWO_53 = 9007199254740992n;

/** As many bytes as encodeNumeric may write. */
export function numericBytesBound(value: Numeric): number {
  const c = value.coefficient;
  return c < TWO_53 && c > -TWO_53 ? 11 : 4 + (c.toString(16).length >> 1) + 1;
}

/** Writes the value at `p`; where it ends. */
export function encodeNumeric(value: Numeric, bytes: Buffer, p: number): number {
  if (value.special !== FINITE) {
    bytes[p] = (value.special === NAN ? HEAD_NAN : value.special === POSITIVE_INFINITY ? HEAD_INFINITY : HEAD_NEGATIVE_INFINITY) << 1;
    return p + 1;
  }
  let { coefficient } = value;
  const negative = coefficient < 0n ? 1 : 0;
  if (negative) coefficient = -coefficient;
  const { scale } = value;
  if (scale < LONG_SCALE) {
    bytes[p++] = (scale << 1) | negative;
  } else {
    bytes[p++] = (LONG_SCALE << 1) | negative;
    bytes[p++] = scale & 255;
    bytes[p++] = scale >> 8;
  }
  if (coefficient < TWO_53) {
    const small = Number(coefficient);
    const high = Math.floor(small / 4294967296), low = small >>> 0;
    if (high > 0) {
      if (high >= 0x10000) bytes[p++] = high >> 16;
      if (high >= 0x100) bytes[p++] = (high >> 8) & 255;
      bytes[p++] = high & 255;
    }
    if (high > 0 || low >= 0x1000000) bytes[p++] = low >>> 24;
    if (high > 0 || low >= 0x10000) bytes[p++] = (low >>> 16) & 255;
    if (high > 0 || low >= 0x100) bytes[p++] = (low >>> 8) & 255;
    if (small > 0) bytes[p++] = low & 255;
    return p;
  }
  const hex = coefficient.toString(16);
  return p + bytes.write(hex.length % 2 === 0 ? hex : `0${hex}`, p, 'hex');
}

export function decodeNumeric(bytes: Buffer, start: number, end: number): Numeric {
  const head = bytes[start++]!;
  let scale = head >> 1;
  if (scale >= LONG_SCALE) {
    if (scale === HEAD_NAN) return NUMERIC_NAN;
    if (scale === HEAD_INFINITY) return NUMERIC_INFINITY;
    if (scale === HEAD_NEGATIVE_INFINITY) return NUMERIC_NEGATIVE_INFINITY;
    scale = bytes[start]! | (bytes[start + 1]! << 8);
    start += 2;
  }
  let magnitude: bigint;
  if (end - start <= 6) {
    let small = 0;
    for (let i = start; i < end; i++) small = small * 256 + bytes[i]!;
    magnitude = BigInt(small);
  } else {
    magnitude = BigInt(`0x${bytes.toString('hex', start, end)}`);
  }
  return new Numeric((head & 1) !== 0 ? -magnitude : magnitude, scale, FINITE);
}

const { fromCharCode } = String;

export function numericKey(value: Numeric): string {
  if (value.special !== FINITE) return value.special === NAN ? '\x06' : value.special === POSITIVE_INFINITY ? '\x05' : '\x01';
  const { coefficient } = value;
  if (coefficient === 0n) return '\x03';
  const negative = coefficient < 0n;
  const digits = (negative ? -coefficient : coefficient).toString();
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  let key = integerKey(digits.length - value.scale);
  for (let i = 0; i < end; i += 2) {
    const tens = digits.charCodeAt(i) - 48;
    const ones = i + 1 < end ? digits.charCodeAt(i + 1) - 48 : 0;
    key += fromCharCode(tens * 10 + ones + 1);
  }
  key += '\x00';
  if (!negative) return `\x04${key}`;
  let inverted = '\x02';
  for (let i = 0; i < key.length; i++) inverted += fromCharCode(255 - key.charCodeAt(i));
  return inverted;
}
