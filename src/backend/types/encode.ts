// encode and decode, message digests, conversion between encodings.
import { crypto } from '../../common/builtin.ts';
import { PgError, notSupported } from '../../common/errors.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { registerBuiltins } from './fmgr.ts';
import { invalidParameter } from './errors.ts';
import { decodeEscape, decodeHex, encodeEscapeFormat, toHex } from './bytea.ts';
import { charLength } from './characters.ts';
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

const digest = (algorithm: string) => (bytes: Uint8Array): Uint8Array => crypto().createHash(algorithm).update(bytes).digest();

/** pg_char_to_encoding's idea of a name, for the few encodings we convert. */
function encodingName(name: string, role: 'source ' | 'destination ' | ''): 'utf8' | 'latin1' | 'ascii' {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (plain === 'utf8' || plain === 'unicode') return 'utf8';
  if (plain === 'latin1' || plain === 'iso88591') return 'latin1';
  if (plain === 'sqlascii') return 'ascii';
  if (/^(latin\d+|iso8859\d+|win\d+|koi8[ru]?|euc(jp|cn|kr|tw)|big5|gbk|gb18030|sjis|uhc|johab|mulefabinternalcode|muleinternal|eucjis2004|shiftjis2004|abc|tcvn\d*|windows\d+|alt|win)$/.test(plain)) {
    throw notSupported(`encoding ${name}`);
  }
  throw new PgError('invalid_parameter_value', `invalid ${role}encoding name "${name}"`);
}

function convertTo(text: string, name: string): Uint8Array {
  const encoding = encodingName(name, 'destination ');
  expectBytes(text.length);
  if (encoding === 'latin1') {
    for (const char of text) {
      if (char.codePointAt(0)! > 255) {
        const bytes = [...Buffer.from(char)].map((byte) => `0x${byte.toString(16)}`).join(' ');
        throw new PgError('untranslatable_character',
          `character with byte sequence ${bytes} in encoding "UTF8" has no equivalent in encoding "LATIN1"`);
      }
    }
    return Buffer.from(text, 'latin1');
  }
  return Buffer.from(text, 'utf8');
}

function convertFrom(bytes: Uint8Array, name: string, role: 'source ' | '' = 'source '): string {
  expectBytes(bytes.length);
  return encodingName(name, role) === 'latin1' ? Buffer.from(bytes).toString('latin1') : decodeUtf8(bytes);
}

registerBuiltins({
  pure: {
    binary_encode: (bytes: Uint8Array, name: string) => coding(name).encode(bytes),
    binary_decode: (text: string, name: string) => coding(name).decode(text),
    md5_text: (text: string) => crypto().createHash('md5').update(text, 'utf8').digest('hex'),
    md5_bytea: (bytes: Uint8Array) => crypto().createHash('md5').update(bytes).digest('hex'),
    sha224_bytea: digest('sha224'),
    sha256_bytea: digest('sha256'),
    sha384_bytea: digest('sha384'),
    sha512_bytea: digest('sha512'),
    pg_convert_to: convertTo,
    pg_convert_from: (bytes: Uint8Array, name: string) => convertFrom(bytes, name),
    pg_convert: (bytes: Uint8Array, from: string, to: string) => convertTo(convertFrom(bytes, from), to),
    length_in_encoding: (bytes: Uint8Array, name: string) => charLength(convertFrom(bytes, name, '')),
  },
});
