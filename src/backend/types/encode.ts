// encode and decode, message digests, conversion between encodings.
import { crypto } from '../../common/builtin.ts';
import { findEncoding, isWellFormed, type Encoding } from '../../common/charsets.ts';
import { charToEncoding, encodingMaxLength, encodingToChar } from '../../common/encoding.ts';
import { PgError, notSupported } from '../../common/errors.ts';
import { CheckFailure, defineHooks } from '../utils/guc.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { registerBuiltins } from './fmgr.ts';
import { invalidParameter } from './errors.ts';
import { decodeEscape, decodeHex, encodeEscapeFormat, toHex } from './bytea.ts';
import { charLength } from './characters.ts';
import { client } from './client_encoding.ts';
import { decodeUtf8 } from './wire.ts';

/** RFC 2045: lines of 76 characters. */
function encodeBase64(bytes: Uint8Array): string {
  expectBytes(bytes.length * 3);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  if (text.length <= 76) return text;
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += 76) {
    lines.push(text.slice(at, at + 76));
    if ((lines.length & 1023) === 0) checkForInterrupts();
  }
  return lines.join('\n');
}

function decodeBase64(text: string): Uint8Array {
  expectBytes(text.length);
  const out = new Uint8Array(Math.ceil(text.length / 4) * 3);
  let length = 0, seen = 0;
  let buffer = 0, position = 0, end = 0;
  for (const char of text) {
    if ((++seen & 0xffff) === 0) checkForInterrupts();
    if (char === ' ' || char === '\t' || char === '\n' || char === '\r') continue;
    let value = 0;
    if (char === '=') {
      if (end === 0) {
        if (position === 2) end = 1;
        else if (position === 3) end = 2;
        else throw invalidParameter('unexpected "=" while decoding base64 sequence');
      }
    } else {
      value = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(char);
      if (value < 0) throw invalidParameter(`invalid symbol "${char}" found while decoding base64 sequence`);
    }
    buffer = (buffer << 6) + value;
    if (++position === 4) {
      out[length++] = (buffer >> 16) & 255;
      if (end === 0 || end > 1) out[length++] = (buffer >> 8) & 255;
      if (end === 0 || end > 2) out[length++] = buffer & 255;
      buffer = 0;
      position = 0;
    }
  }
  if (position !== 0) {
    throw new PgError('invalid_parameter_value', 'invalid base64 end sequence',
      { hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.' });
  }
  return out.subarray(0, length);
}

interface Coding { encode: (bytes: Uint8Array) => string; decode: (text: string) => Uint8Array }
const CODINGS: Record<string, Coding> = {
  hex: { encode: toHex, decode: decodeHex },
  base64: { encode: encodeBase64, decode: decodeBase64 },
  escape: { encode: encodeEscapeFormat, decode: decodeEscape },
};

function coding(name: string): Coding {
  const found = Object.hasOwn(CODINGS, name.toLowerCase()) ? CODINGS[name.toLowerCase()] : undefined;
  if (found === undefined) throw invalidParameter(`unrecognized encoding: "${name}"`);
  return found;
}

const digest = (algorithm: string) => (bytes: Uint8Array): Uint8Array => crypto().hash(algorithm, bytes, 'buffer');

/** The encoding of a name, as PostgreSQL writes it. */
function encodingName(name: string, role: 'source ' | 'destination ' | ''): string {
  const found = encodingToChar(charToEncoding(name));
  if (found === '') throw new PgError('invalid_parameter_value', `invalid ${role}encoding name "${name}"`);
  return found;
}

function tableOf(name: string): Encoding {
  const found = findEncoding(name);
  if (found === null || found === undefined) throw notSupported(`encoding ${name}`);
  return found;
}

/** Encodings between which PostgreSQL converts though neither is UTF8. */
const RELATED = [['KOI8R', 'WIN1251', 'WIN866', 'ISO_8859_5'], ['LATIN2', 'WIN1250'], ['EUC_JP', 'SJIS']];
const NO_CONVERSION = new Set(['UTF8', 'SQL_ASCII']);
const hexBytes = (bytes: Uint8Array): string => [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
const untranslatable = (bytes: Uint8Array, from: string, to: string): PgError =>
  new PgError('untranslatable_character', `character with byte sequence ${hexBytes(bytes)} in encoding "${from}" has no equivalent in encoding "${to}"`);

/** Text as bytes of an encoding. */
export function encodeAs(text: string, to: string): Uint8Array {
  expectBytes(text.length);
  if (NO_CONVERSION.has(to)) return Buffer.from(text, 'utf8');
  if (to === 'MULE_INTERNAL') throw missingConversion('UTF8', to);
  const table = tableOf(to);
  try {
    return table.encode(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    for (const char of text) {
      try {
        table.encode(char);
      } catch {
        throw untranslatable(Buffer.from(char), 'UTF8', to);
      }
    }
    throw error;
  }
}

export function decodeAs(bytes: Uint8Array, from: string): string {
  expectBytes(bytes.length);
  if (NO_CONVERSION.has(from)) return decodeUtf8(bytes);
  if (from === 'MULE_INTERNAL') throw missingConversion(from, 'UTF8');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const invalid = (at: number, length: number): PgError =>
    new PgError('character_not_in_repertoire', `invalid byte sequence for encoding "${from}": ${hexBytes(buffer.subarray(at, at + length))}`);
  const zero = buffer.indexOf(0);
  if (zero >= 0) throw invalid(zero, 1);
  const table = tableOf(from);
  const text = table.decode(buffer);
  // Bytes that mean nothing came out as halves of surrogate pairs.
  if (isWellFormed(text)) return text;
  let at = 0;
  for (const char of text) {
    if (isWellFormed(char)) {
      at += table.encode(char).length;
      continue;
    }
    if ((encodingMaxLength(charToEncoding(from)) ?? 1) === 1) throw untranslatable(buffer.subarray(at, at + 1), from, 'UTF8');
    const { length, valid } = characterAt(from, buffer, at);
    if (valid) throw untranslatable(buffer.subarray(at, at + length), from, 'UTF8');
    throw invalid(at, length);
  }
  return text;
}

const isIn = (byte: number | undefined, low: number, high: number): boolean => byte !== undefined && byte >= low && byte <= high;

/** How many bytes the character there has, as its first one says (pg_encoding_mblen), and whether they may stand together
 * (pg_encoding_verifymbchar), whatever they mean. */
function characterAt(encoding: string, bytes: Uint8Array, at: number): { length: number; valid: boolean } {
  const first = bytes[at]!, second = bytes[at + 1], third = bytes[at + 2];
  const euc = (byte: number | undefined): boolean => isIn(byte, 0xa1, 0xfe);
  switch (encoding) {
    case 'EUC_JP':
      if (first === 0x8e) return { length: 2, valid: isIn(second, 0xa1, 0xdf) };
      return first === 0x8f ? { length: 3, valid: euc(second) && euc(third) } : { length: 2, valid: euc(first) && euc(second) };
    case 'EUC_KR': case 'EUC_CN':
      return { length: first === 0x8f || (first === 0x8e && encoding === 'EUC_CN') ? 3 : 2, valid: euc(first) && euc(second) };
    case 'SJIS':
      if (isIn(first, 0xa1, 0xdf)) return { length: 1, valid: true };
      return { length: 2, valid: (isIn(first, 0x81, 0x9f) || isIn(first, 0xe0, 0xfc)) && (isIn(second, 0x40, 0x7e) || isIn(second, 0x80, 0xfc)) };
    case 'GB18030':
      if (isIn(second, 0x30, 0x39)) return { length: 4, valid: isIn(first, 0x81, 0xfe) && isIn(third, 0x81, 0xfe) && isIn(bytes[at + 3], 0x30, 0x39) };
      return { length: 2, valid: isIn(first, 0x81, 0xfe) && (isIn(second, 0x40, 0x7e) || isIn(second, 0x80, 0xfe)) };
    default: return { length: 2, valid: second !== undefined && second !== 0 };
  }
}

const missingConversion = (from: string, to: string): PgError => new PgError('undefined_function', `default conversion function for encoding "${from}" to "${to}" does not exist`);

/** Encodings that cannot be a client's: there is no conversion, or no table of ours for it. */
const isConvertible = (name: string): boolean => NO_CONVERSION.has(name) || (findEncoding(name) ?? null) !== null;

defineHooks('client_encoding', {
  check: (value) => {
    const name = encodingToChar(charToEncoding(value as string));
    if (name === '') return new CheckFailure();
    return isConvertible(name) ? name : new CheckFailure({ condition: 'feature_not_supported', detail: `Conversion between ${name} and UTF8 is not supported.` });
  },
  assign: (value) => {
    const name = value as string;
    client.encoding = NO_CONVERSION.has(name) ? null : { name, encode: (text) => encodeAs(text, name), decode: (bytes) => decodeAs(bytes, name) };
  },
});

const convertTo = (text: string, name: string): Uint8Array => encodeAs(text, encodingName(name, 'destination '));
const convertFrom = (bytes: Uint8Array, name: string, role: 'source ' | '' = 'source '): string => decodeAs(bytes, encodingName(name, role));

function convert(bytes: Uint8Array, source: string, destination: string): Uint8Array {
  const from = encodingName(source, 'source '), to = encodingName(destination, 'destination ');
  if (from === 'SQL_ASCII' && to === 'SQL_ASCII') return bytes;
  // Bytes of no encoding are not changed, but must be of the one they are said to be of.
  const text = decodeAs(bytes, from === 'SQL_ASCII' ? to : from);
  if (from === 'SQL_ASCII' || from === to || to === 'SQL_ASCII') return bytes;
  if (from !== 'UTF8' && to !== 'UTF8' && !RELATED.some((r) => r.includes(from) && r.includes(to))) throw missingConversion(from, to);
  return encodeAs(text, to);
}

registerBuiltins({
  pure: {
    binary_encode: (bytes: Uint8Array, name: string) => coding(name).encode(bytes),
    binary_decode: (text: string, name: string) => coding(name).decode(text),
    md5_text: (text: string) => crypto().hash('md5', text),
    md5_bytea: (bytes: Uint8Array) => crypto().hash('md5', bytes),
    sha224_bytea: digest('sha224'),
    sha256_bytea: digest('sha256'),
    sha384_bytea: digest('sha384'),
    sha512_bytea: digest('sha512'),
    pg_convert_to: convertTo,
    pg_convert_from: (bytes: Uint8Array, name: string) => convertFrom(bytes, name),
    pg_convert: convert,
    length_in_encoding: (bytes: Uint8Array, name: string) => charLength(convertFrom(bytes, name, '')),
  },
});
