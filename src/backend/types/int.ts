// smallint and integer: numbers. Functions over mixed widths (int24pl, ...) are those of the wider type, since both
// arguments are plain numbers; only the range of the result differs.
import { PgError } from '../../common/errors.ts';
import type { ArrayValue } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { divisionByZero, invalidInput, invalidParameter, outOfRange, valueOutOfRange } from './errors.ts';
import { receiveAll, sendInt16, sendInt32 } from './wire.ts';

export const INT2_MIN = -32768, INT2_MAX = 32767;
export const INT4_MIN = -2147483648, INT4_MAX = 2147483647;

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** Optional white space, sign, decimal digits, white space. NaN when the text is not that; exact up to 2^53. */
export function parseInteger(text: string): number {
  let i = 0;
  let end = text.length;
  while (i < end && isSpace(text.charCodeAt(i))) i++;
  while (end > i && isSpace(text.charCodeAt(end - 1))) end--;
  const sign = text.charCodeAt(i);
  if (sign === 45 || sign === 43) i++;
  if (i === end) return NaN;
  let value = 0;
  for (; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return sign === 45 ? 0 - value : value;
}

/** Which error: PostgreSQL notices that the digits are too many before it comes to what follows them. */
export function badInteger(text: string, value: number, typeName: string, limit: number): PgError {
  const digits = value === value ? value : Number(/^\s*([+-]?\d+)/.exec(text)?.[1]);
  return digits > limit || digits < -limit - 1 ? valueOutOfRange(typeName, text) : invalidInput(typeName, text);
}

export function int2In(text: string): number {
  const value = parseInteger(text);
  if (value >= INT2_MIN && value <= INT2_MAX) return value;
  throw badInteger(text, value, 'smallint', INT2_MAX);
}

export function int4In(text: string): number {
  const value = parseInteger(text);
  if (value >= INT4_MIN && value <= INT4_MAX) return value;
  throw badInteger(text, value, 'integer', INT4_MAX);
}

function checkInt2(value: number): number {
  if (value < INT2_MIN || value > INT2_MAX) throw outOfRange('smallint');
  return value;
}

function checkInt4(value: number): number {
  if (value < INT4_MIN || value > INT4_MAX) throw outOfRange('integer');
  return value;
}

// The product of two int4 may exceed 2^53, but is then out of range in any case. Adding 0 turns -0 into 0.
const int4pl = (a: number, b: number): number => {
  const sum = a + b;
  if (sum < INT4_MIN || sum > INT4_MAX) throw outOfRange('integer');
  return sum;
};
const int4mi = (a: number, b: number): number => {
  const difference = a - b;
  if (difference < INT4_MIN || difference > INT4_MAX) throw outOfRange('integer');
  return difference;
};
const int4mul = (a: number, b: number): number => {
  const product = a * b + 0;
  if (product < INT4_MIN || product > INT4_MAX) throw outOfRange('integer');
  return product;
};
const int4div = (a: number, b: number): number => {
  if (b === 0) throw divisionByZero();
  if (b === -1) return checkInt4(0 - a);
  return (a / b) | 0;
};
const intMod = (a: number, b: number): number => {
  if (b === 0) throw divisionByZero();
  return (a % b) + 0;
};
const int2pl = (a: number, b: number): number => checkInt2(a + b);
const int2mi = (a: number, b: number): number => checkInt2(a - b);
const int2mul = (a: number, b: number): number => checkInt2(a * b + 0);
const int2div = (a: number, b: number): number => {
  if (b === 0) throw divisionByZero();
  return b === -1 ? checkInt2(0 - a) : (a / b) | 0;
};

const eq = (a: number, b: number): boolean => a === b;
const ne = (a: number, b: number): boolean => a !== b;
const lt = (a: number, b: number): boolean => a < b;
const le = (a: number, b: number): boolean => a <= b;
const gt = (a: number, b: number): boolean => a > b;
const ge = (a: number, b: number): boolean => a >= b;
const cmp = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
const larger = (a: number, b: number): number => (a > b ? a : b);
const smaller = (a: number, b: number): number => (a < b ? a : b);
const same = (a: number): number => a;

export function gcd(a: number, b: number): number {
  a = Math.abs(a);
  b = Math.abs(b);
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** The values of generate_series over numbers, until the type's range ends. */
function* series(from: number, to: number, step: number): Generator<number> {
  if (step === 0) throw invalidParameter('step size cannot equal zero');
  if (step > 0) for (let value = from; value <= to; value += step) yield value;
  else for (let value = from; value >= to; value += step) yield value;
}

/** in_range for window frames: is value <= base + offset (less), or >=; base - offset when sub. */
function inRange(value: number, base: number, offset: number, sub: boolean, less: boolean): boolean {
  if (offset < 0) {
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
  const bound = sub ? base - offset : base + offset;
  return less ? value <= bound : value >= bound;
}

/** The integers of a type modifier as its input function gets them: cstring[] of one dimension (ArrayGetIntegerTypmods). */
export function typmodIntegers({ dims, values }: ArrayValue): number[] {
  if (dims.length !== 1) throw new PgError('array_subscript_error', 'typmod array must be one-dimensional');
  return values.map((text) => {
    if (text === null) throw new PgError('null_value_not_allowed', 'typmod array must not contain nulls');
    return int4In(text as string);
  });
}

registerBuiltins({
  pure: {
    int2in: int2In,
    int2out: String,
    int2recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.int16()),
    int2send: sendInt16,
    int4in: int4In,
    int4out: String,
    int4recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.int32()),
    int4send: sendInt32,
    i2toi4: same,
    i4toi2: checkInt2,

    int4pl, int4mi, int4mul, int4div, int4mod: intMod,
    int4um: (a: number) => checkInt4(0 - a),
    int4up: same,
    int4abs: (a: number) => checkInt4(Math.abs(a)),
    int4inc: (a: number) => int4pl(a, 1),
    int4and: (a: number, b: number) => a & b,
    int4or: (a: number, b: number) => a | b,
    int4xor: (a: number, b: number) => a ^ b,
    int4not: (a: number) => ~a,
    int4shl: (a: number, b: number) => a << b,
    int4shr: (a: number, b: number) => a >> b,
    int4gcd: (a: number, b: number) => checkInt4(gcd(a, b)),
    int4lcm: (a: number, b: number) => (a === 0 || b === 0 ? 0 : checkInt4(Math.abs((a / gcd(a, b)) * b))),
    int4eq: eq, int4ne: ne, int4lt: lt, int4le: le, int4gt: gt, int4ge: ge, btint4cmp: cmp,
    int4larger: larger, int4smaller: smaller,

    int2pl, int2mi, int2mul, int2div, int2mod: intMod,
    int2um: (a: number) => checkInt2(0 - a),
    int2up: same,
    int2abs: (a: number) => checkInt2(Math.abs(a)),
    int2and: (a: number, b: number) => a & b,
    int2or: (a: number, b: number) => a | b,
    int2xor: (a: number, b: number) => a ^ b,
    int2not: (a: number) => ~a,
    int2shl: (a: number, b: number) => ((a << b) << 16) >> 16,
    int2shr: (a: number, b: number) => a >> b,
    int2eq: eq, int2ne: ne, int2lt: lt, int2le: le, int2gt: gt, int2ge: ge, btint2cmp: (a: number, b: number) => a - b,
    int2larger: larger, int2smaller: smaller,

    int24pl: int4pl, int24mi: int4mi, int24mul: int4mul, int24div: int4div,
    int42pl: int4pl, int42mi: int4mi, int42mul: int4mul, int42div: int4div,
    int24eq: eq, int24ne: ne, int24lt: lt, int24le: le, int24gt: gt, int24ge: ge, btint24cmp: cmp,
    int42eq: eq, int42ne: ne, int42lt: lt, int42le: le, int42gt: gt, int42ge: ge, btint42cmp: cmp,

    in_range_int4_int4: inRange, in_range_int4_int2: inRange, in_range_int2_int2: inRange, in_range_int2_int4: inRange,
  },
  set: {
    generate_series_int4: (_context: FunctionContext, from: number, to: number) => series(from, to, 1),
    generate_series_step_int4: (_context: FunctionContext, from: number, to: number, step: number) =>
      series(from, to, step),
  },
});
