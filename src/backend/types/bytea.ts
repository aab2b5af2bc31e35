// bytea: Uint8Array.
import { PgError } from '../../common/errors.ts';
import { settings } from '../utils/settings.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import type { Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { compareBytes, flat, joinTexts } from './characters.ts';
import { copyBytes } from './wire.ts';

const isOctal = (code: number, high = 55): boolean => code >= 48 && code <= high;

const hexDigit = (code: number): number =>
  code >= 48 && code <= 57 ? code - 48 : (code | 32) >= 97 && (code | 32) <= 102 ? (code | 32) - 87 : -1;

/** Hexadecimal digits, white space between pairs allowed. */
export function decodeHex(text: string): Uint8Array {
  expectBytes(text.length / 2);
  if (text.length % 2 === 0) {
    const plain = Buffer.from(text, 'hex');
    if (plain.length * 2 === text.length) return plain;
  }
  const bytes = new Uint8Array(text.length >> 1);
  let length = 0;
  const digit = (at: number): number => {
    const value = hexDigit(text.charCodeAt(at));
    if (value < 0) {
      throw new PgError('invalid_parameter_value', `invalid hexadecimal digit: "${String.fromCodePoint(text.codePointAt(at)!)}"`);
    }
    return value;
  };
  for (let i = 0; i < text.length;) {
    if ((i & 0xffff) === 0) checkForInterrupts();
    if (' \n\t\r'.includes(text[i]!)) {
      i++;
      continue;
    }
    const high = digit(i++);
    if (i >= text.length) throw new PgError('invalid_parameter_value', 'invalid hexadecimal data: odd number of digits');
    bytes[length++] = high * 16 + digit(i++);
  }
  return bytes.subarray(0, length);
}

/** The older text form: \\ and \ooo, everything else is its own UTF-8 bytes. */
export function decodeEscape(text: string): Uint8Array {
  expectBytes(2 * text.length);
  const source = Buffer.from(text, 'utf8');
  if (!text.includes('\\')) return source;
  const out = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length;) {
    if ((i & 0xffff) === 0) checkForInterrupts();
    const byte = source[i]!;
    if (byte !== 92) {
      out[length++] = byte;
      i++;
    } else if (source[i + 1] === 92) {
      out[length++] = 92;
      i += 2;
    } else if (i + 3 < source.length && isOctal(source[i + 1]!, 51) && isOctal(source[i + 2]!) && isOctal(source[i + 3]!)) {
      out[length++] = ((source[i + 1]! - 48) << 6) | ((source[i + 2]! - 48) << 3) | (source[i + 3]! - 48);
      i += 4;
    } else {
      throw new PgError('invalid_text_representation', 'invalid input syntax for type bytea');
    }
  }
  return out.subarray(0, length);
}

function byteaIn(text: string): Uint8Array {
  if (!text.startsWith('\\x')) return decodeEscape(text);
  return decodeHex(text.slice(2));
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function toHex(bytes: Uint8Array): string {
  expectBytes(2 * bytes.length);
  return asBuffer(bytes).toString('hex');
}

const PIECE_BYTES = 1 << 14;

/** `printable` bytes stand for themselves, a backslash is doubled, others are \ooo. */
function encodeEscape(bytes: Uint8Array, printable: (byte: number) => boolean): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    checkForInterrupts();
    let text = '';
    for (const byte of bytes.subarray(at, at + PIECE_BYTES)) {
      if (byte === 92) text += '\\\\';
      else if (printable(byte)) text += String.fromCharCode(byte);
      else text += `\\${byte.toString(8).padStart(3, '0')}`;
    }
    parts.push(flat(text));
  }
  return joinTexts(parts, '');
}

/** bytea_output = escape. */
function byteaToEscape(bytes: Uint8Array): string {
  return encodeEscape(bytes, (byte) => byte >= 0x20 && byte <= 0x7e);
}

/** encode(..., 'escape'): only the zero byte and bytes with the high bit are escaped. */
export function encodeEscapeFormat(bytes: Uint8Array): string {
  return encodeEscape(bytes, (byte) => byte !== 0 && byte < 0x80);
}

function byteaOut(bytes: Uint8Array): string {
  return settings.bytea_output === 'hex' ? `\\x${toHex(bytes)}` : byteaToEscape(bytes);
}

function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  expectBytes(a.length + b.length);
  return Buffer.concat([a, b]);
}

function substringBytes(bytes: Uint8Array, start: number, length?: number): Uint8Array {
  if (length === undefined) return copyBytes(bytes, Math.max(start, 1) - 1);
  const end = start + length;
  if (end < start) throw new PgError('substring_error', 'negative substring length not allowed');
  return end < 1 ? new Uint8Array(0) : copyBytes(bytes, Math.max(start, 1) - 1, end - 1);
}

function overlayBytes(bytes: Uint8Array, replacement: Uint8Array, start: number, length: number): Uint8Array {
  if (start <= 0) throw new PgError('substring_error', 'negative substring length not allowed');
  const end = start + length;
  if (end > 2147483647) throw new PgError('numeric_value_out_of_range', 'integer out of range');
  expectBytes(bytes.length + replacement.length);
  return Buffer.concat([substringBytes(bytes, 1, start - 1), replacement, substringBytes(bytes, end)]);
}

function subscriptError(index: Int8, limit: number): PgError {
  return new PgError('array_subscript_error', `index ${index} out of valid range, 0..${limit}`);
}

function checkIndex(index: Int8, length: number): number {
  if (index < 0 || index >= length) throw subscriptError(index, length - 1);
  return Number(index);
}

function setBit(bytes: Uint8Array, index: Int8, bit: number): Uint8Array {
  const at = checkIndex(index, bytes.length * 8);
  if (bit !== 0 && bit !== 1) throw new PgError('invalid_parameter_value', 'new bit must be 0 or 1');
  const copy = copyBytes(bytes);
  const flag = 1 << (at % 8);
  copy[at >> 3] = bit === 1 ? copy[at >> 3]! | flag : copy[at >> 3]! & ~flag;
  return copy;
}

function trimBytes(bytes: Uint8Array, set: Uint8Array, left: boolean, right: boolean): Uint8Array {
  let start = 0, end = bytes.length;
  if (left) while (start < end && set.includes(bytes[start]!)) start++;
  if (right) while (end > start && set.includes(bytes[end - 1]!)) end--;
  return copyBytes(bytes, start, end);
}

function bitCount(bytes: Uint8Array): number {
  let count = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

/** State of string_agg over bytea. */
interface BytesAggregate { parts: Uint8Array[] }

const bytesEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && compareBytes(a, b) === 0;

registerBuiltins({
  pure: {
    byteain: byteaIn,
    byteaout: byteaOut,
    bytearecv: (bytes: Uint8Array) => copyBytes(bytes),
    byteasend: (bytes: Uint8Array) => bytes,
    byteaeq: bytesEqual,
    byteane: (a: Uint8Array, b: Uint8Array) => !bytesEqual(a, b),
    bytealt: (a: Uint8Array, b: Uint8Array) => compareBytes(a, b) < 0,
    byteale: (a: Uint8Array, b: Uint8Array) => compareBytes(a, b) <= 0,
    byteagt: (a: Uint8Array, b: Uint8Array) => compareBytes(a, b) > 0,
    byteage: (a: Uint8Array, b: Uint8Array) => compareBytes(a, b) >= 0,
    byteacmp: compareBytes,
    byteaoctetlen: (bytes: Uint8Array) => bytes.length,
    byteacat: concatBytes,
    bytea_substr: substringBytes,
    bytea_substr_no_len: (bytes: Uint8Array, start: number) => substringBytes(bytes, start),
    byteaoverlay: overlayBytes,
    byteaoverlay_no_len: (bytes: Uint8Array, replacement: Uint8Array, start: number) =>
      overlayBytes(bytes, replacement, start, replacement.length),
    byteapos: (bytes: Uint8Array, search: Uint8Array) => asBuffer(bytes).indexOf(search) + 1,
    byteatrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, true, true),
    bytealtrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, true, false),
    byteartrim: (bytes: Uint8Array, set: Uint8Array) => trimBytes(bytes, set, false, true),
    byteaGetByte: (bytes: Uint8Array, index: number) => bytes[checkIndex(index, bytes.length)]!,
    byteaSetByte: (bytes: Uint8Array, index: number, value: number) => {
      const copy = copyBytes(bytes);
      copy[checkIndex(index, bytes.length)] = value;
      return copy;
    },
    byteaGetBit: (bytes: Uint8Array, index: Int8) => {
      const at = checkIndex(index, bytes.length * 8);
      return (bytes[at >> 3]! >> (at % 8)) & 1;
    },
    byteaSetBit: setBit,
    bytea_bit_count: bitCount,
    bytea_string_agg_transfn: (state: BytesAggregate | null, value: Uint8Array | null, delimiter: Uint8Array | null) => {
      if (value === null) return state;
      if (state === null) return { parts: [value] };
      if (delimiter !== null) state.parts.push(delimiter);
      state.parts.push(value);
      return state;
    },
    bytea_string_agg_finalfn: (state: BytesAggregate | null) => {
      if (state === null) return null;
      expectBytes(state.parts.reduce((sum, part) => sum + part.length, 0));
      return Buffer.concat(state.parts);
    },
  },
});
