// bit(n) and bit varying: strings of the characters 0 and 1, which order like PostgreSQL's bit strings.
import { PgError } from '../../common/errors.ts';
import { byPieces } from './characters.ts';
import type { ArrayValue, Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { typmodIntegers } from './int.ts';
import { invalidParameter, outOfRange } from './errors.ts';
import { registerComparison } from './compare.ts';
import { BITOID, VARBITOID } from './oids.ts';
import { int8 } from './datum.ts';
import { sendInt32, WireReader } from './wire.ts';

function readBits(text: string): string {
  if (/^[xX]/.test(text)) {
    let bits = '';
    for (const char of text.slice(1)) {
      if (!/^[0-9a-fA-F]$/.test(char)) {
        throw new PgError('invalid_text_representation', `"${char}" is not a valid hexadecimal digit`);
      }
      bits += parseInt(char, 16).toString(2).padStart(4, '0');
    }
    return bits;
  }
  const bits = /^[bB]/.test(text) ? text.slice(1) : text;
  for (const char of bits) {
    if (char !== '0' && char !== '1') throw new PgError('invalid_text_representation', `"${char}" is not a valid binary digit`);
  }
  return bits;
}

function checkBit(bits: string, typmod: number): string {
  if (typmod > 0 && bits.length !== typmod) {
    throw new PgError('string_data_length_mismatch', `bit string length ${bits.length} does not match type bit(${typmod})`);
  }
  return bits;
}

function checkVarbit(bits: string, typmod: number): string {
  if (typmod > 0 && bits.length > typmod) {
    throw new PgError('string_data_right_truncation', `bit string too long for type bit varying(${typmod})`);
  }
  return bits;
}

function receive(bytes: Uint8Array): string {
  const reader = new WireReader(bytes);
  const length = reader.int32();
  if (length < 0) throw new PgError('invalid_binary_representation', 'invalid length in external bit string');
  const data = reader.takeBytes(Math.ceil(length / 8));
  reader.end();
  return Array.from(data, (byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, length);
}

function send(bits: string): Uint8Array {
  const data = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) if (bits[i] === '1') data[i >> 3]! |= 0x80 >> (i & 7);
  return Buffer.concat([sendInt32(bits.length), data]);
}

/** Longer ones are asked for in vain. */
const MAX_BITS = 0x7ffffff8;

function combine(name: string, bit: (a: boolean, b: boolean) => boolean) {
  return (a: string, b: string): string => {
    if (a.length !== b.length) {
      throw new PgError('string_data_length_mismatch', `cannot ${name} bit strings of different sizes`);
    }
    let result = '';
    for (let i = 0; i < a.length; i++) result += bit(a[i] === '1', b[i] === '1') ? '1' : '0';
    return result;
  };
}

function substring(bits: string, start: number, length?: number): string {
  if (length === undefined) return bits.slice(Math.max(start, 1) - 1);
  const end = start + length;
  if (end < start) throw new PgError('substring_error', 'negative substring length not allowed');
  return end < 1 ? '' : bits.slice(Math.max(start, 1) - 1, end - 1);
}

function overlay(bits: string, replacement: string, start: number, length: number): string {
  if (start <= 0) throw new PgError('substring_error', 'negative substring length not allowed');
  if (start + length > 2147483647) throw outOfRange('integer');
  return substring(bits, 1, start - 1) + replacement + substring(bits, start + length);
}

function shift(bits: string, count: number): string {
  if (count < 0) return '0'.repeat(Math.min(-count, bits.length)) + bits.slice(0, Math.max(bits.length + count, 0));
  return bits.slice(count) + '0'.repeat(Math.min(count, bits.length));
}

function checkIndex(bits: string, index: number): void {
  if (index < 0 || index >= bits.length) {
    throw new PgError('array_subscript_error', `bit index ${index} out of valid range (0..${bits.length - 1})`);
  }
}

function toInteger(bits: string, size: 32 | 64): Int8 {
  if (bits.length > size) throw outOfRange(size === 32 ? 'integer' : 'bigint');
  return int8(BigInt.asIntN(size, BigInt(`0b0${bits}`)));
}

function fromInteger(value: Int8, typmod: number): string {
  const length = typmod <= 0 ? 1 : typmod;
  const bits = BigInt.asUintN(64, BigInt(value)).toString(2).padStart(64, '0');
  return length <= 64 ? bits.slice(64 - length) : bits[0]!.repeat(length - 64) + bits;
}

function typmodIn(parameters: ArrayValue, typeName: string): number {
  const [length, ...more] = typmodIntegers(parameters);
  if (length === undefined || more.length > 0) throw invalidParameter('invalid type modifier');
  if (!(length >= 1)) throw invalidParameter(`length for type ${typeName} must be at least 1`);
  if (length > 83886080) throw invalidParameter(`length for type ${typeName} cannot exceed 83886080`);
  return length;
}

const typmodOut = (typmod: number): string => (typmod >= 0 ? `(${typmod})` : '');
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const same = (bits: string): string => bits;
for (const type of [BITOID, VARBITOID]) registerComparison(type, { compare, hashKey: same });

registerBuiltins({
  pure: {
    bit_in: (text: string, _typelem?: number, typmod = -1) => checkBit(readBits(text), typmod),
    bit_out: same,
    bit_recv: (bytes: Uint8Array, _typelem?: number, typmod = -1) => checkBit(receive(bytes), typmod),
    bit_send: send,
    bittypmodin: (parameters: ArrayValue) => typmodIn(parameters, 'bit'),
    bittypmodout: typmodOut,
    bit: (bits: string, length: number, explicit: boolean) => {
      if (length <= 0 || length > MAX_BITS || bits.length === length) return bits;
      return explicit ? bits.slice(0, length).padEnd(length, '0') : checkBit(bits, length);
    },
    varbit_in: (text: string, _typelem?: number, typmod = -1) => checkVarbit(readBits(text), typmod),
    varbit_out: same,
    varbit_recv: (bytes: Uint8Array, _typelem?: number, typmod = -1) => checkVarbit(receive(bytes), typmod),
    varbit_send: send,
    varbittypmodin: (parameters: ArrayValue) => typmodIn(parameters, 'varbit'),
    varbittypmodout: typmodOut,
    varbit: (bits: string, length: number, explicit: boolean) =>
      length > 0 && explicit ? bits.slice(0, length) : checkVarbit(bits, length),
    biteq: (a: string, b: string) => a === b,
    bitne: (a: string, b: string) => a !== b,
    bitlt: (a: string, b: string) => a < b,
    bitle: (a: string, b: string) => a <= b,
    bitgt: (a: string, b: string) => a > b,
    bitge: (a: string, b: string) => a >= b,
    bitcmp: compare,
    bitcat: (a: string, b: string) => a + b,
    bit_and: combine('AND', (a, b) => a && b),
    bit_or: combine('OR', (a, b) => a || b),
    bitxor: combine('XOR', (a, b) => a !== b),
    bitnot: (bits: string) => byPieces(bits, (piece) => piece.replace(/[01]/g, (bit) => (bit === '0' ? '1' : '0'))),
    bitshiftleft: shift,
    bitshiftright: (bits: string, count: number) => shift(bits, -count),
    bitlength: (bits: string) => bits.length,
    bitoctetlength: (bits: string) => Math.ceil(bits.length / 8),
    bit_bit_count: (bits: string) => byPieces(bits, (piece) => piece.replaceAll('0', '')).length,
    bitsubstr: substring,
    bitsubstr_no_len: (bits: string, start: number) => substring(bits, start),
    bitoverlay: overlay,
    bitoverlay_no_len: (bits: string, replacement: string, start: number) => overlay(bits, replacement, start, replacement.length),
    bitposition: (bits: string, search: string) => (bits === '' ? 0 : bits.indexOf(search) + 1),
    bitgetbit: (bits: string, index: number) => {
      checkIndex(bits, index);
      return Number(bits[index]);
    },
    bitsetbit: (bits: string, index: number, bit: number) => {
      checkIndex(bits, index);
      if (bit !== 0 && bit !== 1) throw invalidParameter('new bit must be 0 or 1');
      return bits.slice(0, index) + String(bit) + bits.slice(index + 1);
    },
    bitfromint4: fromInteger,
    bitfromint8: fromInteger,
    bittoint4: (bits: string) => toInteger(bits, 32),
    bittoint8: (bits: string) => toInteger(bits, 64),
  },
});
