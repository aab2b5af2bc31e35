// bigint: a number while safe, a JavaScript bigint beyond (see datum.ts). Sums, differences and products of safe
// integers that round to a safe integer are exact, so the fast path is one check of the result.
import { PgError } from '../../common/errors.ts';
import { INT8_MAX, INT8_MIN, int8, type Int8 } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { divisionByZero, invalidParameter, outOfRange, valueOutOfRange } from './errors.ts';
import { badInteger, gcd, INT2_MAX, INT2_MIN, INT4_MAX, INT4_MIN, parseInteger } from './int.ts';
import { receiveAll, sendInt64 } from './wire.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** Canonical form, or 22003. */
export function checkInt8(value: bigint): Int8 {
  if (value < INT8_MIN || value > INT8_MAX) throw outOfRange('bigint');
  return int8(value);
}

function int8In(text: string): Int8 {
  const value = parseInteger(text);
  if (value >= -MAX_SAFE && value <= MAX_SAFE) return value;
  if (value !== value) throw badInteger(text, value, 'bigint', 2 ** 63 - 1);
  const exact = BigInt(text.trim().replace(/^\+/, ''));
  if (exact < INT8_MIN || exact > INT8_MAX) throw valueOutOfRange('bigint', text);
  return int8(exact);
}

export function int8Add(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum >= -MAX_SAFE && sum <= MAX_SAFE) return sum;
  }
  return checkInt8(BigInt(a) + BigInt(b));
}

function int8Subtract(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (difference >= -MAX_SAFE && difference <= MAX_SAFE) return difference;
  }
  return checkInt8(BigInt(a) - BigInt(b));
}

export function int8Multiply(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (product >= -MAX_SAFE && product <= MAX_SAFE) return product + 0;
  }
  return checkInt8(BigInt(a) * BigInt(b));
}

export function int8Divide(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return checkInt8(BigInt(a) / BigInt(b));
}

function int8Modulo(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return int8(BigInt(a) % BigInt(b));
}

function int8Negate(a: Int8): Int8 {
  return typeof a === 'number' ? 0 - a : checkInt8(-a);
}

export const int8Compare = (a: Int8, b: Int8): number => (a < b ? -1 : a > b ? 1 : 0);

const eq = (a: Int8, b: Int8): boolean => a === b;
const ne = (a: Int8, b: Int8): boolean => a !== b;
const lt = (a: Int8, b: Int8): boolean => a < b;
const le = (a: Int8, b: Int8): boolean => a <= b;
const gt = (a: Int8, b: Int8): boolean => a > b;
const ge = (a: Int8, b: Int8): boolean => a >= b;
const same = (a: Int8): Int8 => a;

const isInt4 = (a: Int8): a is number => typeof a === 'number' && a >= INT4_MIN && a <= INT4_MAX;

/** A bit operation: on 32-bit operands directly, else on 64 bits. */
function bitwise(narrow: (a: number, b: number) => number, wide: (a: bigint, b: bigint) => bigint) {
  return (a: Int8, b: Int8): Int8 => (isInt4(a) && isInt4(b) ? narrow(a, b) : int8(wide(BigInt(a), BigInt(b))));
}

function wideGcd(a: Int8, b: Int8): bigint {
  let x = BigInt(a), y = BigInt(b);
  while (y !== 0n) [x, y] = [y, x % y];
  return x < 0n ? -x : x;
}

function int8Gcd(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') return gcd(a, b);
  return checkInt8(wideGcd(a, b));
}

function int8Lcm(a: Int8, b: Int8): Int8 {
  if (a === 0 || b === 0) return 0;
  const value = (BigInt(a) / wideGcd(a, b)) * BigInt(b);
  return checkInt8(value < 0n ? -value : value);
}

function int8ToInt4(value: Int8): number {
  if (!isInt4(value)) throw outOfRange('integer');
  return value;
}

function int8ToInt2(value: Int8): number {
  if (!(value >= INT2_MIN && value <= INT2_MAX)) throw outOfRange('smallint');
  return value as number;
}

function int8ToOid(value: Int8): number {
  if (!(value >= 0 && value <= 4294967295)) throw outOfRange('OID');
  return value as number;
}

function* series(from: Int8, to: Int8, step: Int8): Generator<Int8> {
  if (step === 0) throw invalidParameter('step size cannot equal zero');
  let value = from;
  const up = step > 0;
  while (up ? value <= to : value >= to) {
    yield value;
    const next = typeof value === 'number' && typeof step === 'number' ? value + step : NaN;
    if (next >= -MAX_SAFE && next <= MAX_SAFE) {
      value = next;
      continue;
    }
    const exact = BigInt(value) + BigInt(step);
    if (exact < INT8_MIN || exact > INT8_MAX) return;
    value = int8(exact);
  }
}

function inRange(value: Int8, base: Int8, offset: Int8, sub: boolean, less: boolean): boolean {
  if (offset < 0) {
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
  const bound = sub ? BigInt(base) - BigInt(offset) : BigInt(base) + BigInt(offset);
  return less ? value <= bound : value >= bound;
}

const increment = (a: Int8): Int8 => int8Add(a, 1);

registerBuiltins({
  pure: {
    int8in: int8In,
    int8out: String,
    int8recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.int64()),
    int8send: sendInt64,
    int48: same,
    int28: same,
    int84: int8ToInt4,
    int82: int8ToInt2,
    i8tooid: int8ToOid,
    oidtoi8: same,

    int8pl: int8Add, int8mi: int8Subtract, int8mul: int8Multiply, int8div: int8Divide, int8mod: int8Modulo,
    int84pl: int8Add, int84mi: int8Subtract, int84mul: int8Multiply, int84div: int8Divide,
    int48pl: int8Add, int48mi: int8Subtract, int48mul: int8Multiply, int48div: int8Divide,
    int82pl: int8Add, int82mi: int8Subtract, int82mul: int8Multiply, int82div: int8Divide,
    int28pl: int8Add, int28mi: int8Subtract, int28mul: int8Multiply, int28div: int8Divide,
    int8um: int8Negate,
    int8up: same,
    int8abs: (a: Int8) => (a < 0 ? int8Negate(a) : a),
    int8inc: increment,
    int8inc_any: increment,
    int8inc_float8_float8: increment,
    int8dec: (a: Int8) => int8Subtract(a, 1),
    int8dec_any: (a: Int8) => int8Subtract(a, 1),
    int8and: bitwise((a, b) => a & b, (a, b) => a & b),
    int8or: bitwise((a, b) => a | b, (a, b) => a | b),
    int8xor: bitwise((a, b) => a ^ b, (a, b) => a ^ b),
    int8not: (a: Int8) => (typeof a === 'number' ? int8(~BigInt(a)) : int8(~a)),
    int8shl: (a: Int8, b: number) => int8(BigInt.asIntN(64, BigInt(a) << BigInt(b & 63))),
    int8shr: (a: Int8, b: number) => int8(BigInt(a) >> BigInt(b & 63)),
    int8gcd: int8Gcd,
    int8lcm: int8Lcm,
    int8larger: (a: Int8, b: Int8) => (a > b ? a : b),
    int8smaller: (a: Int8, b: Int8) => (a < b ? a : b),

    int8eq: eq, int8ne: ne, int8lt: lt, int8le: le, int8gt: gt, int8ge: ge, btint8cmp: int8Compare,
    int84eq: eq, int84ne: ne, int84lt: lt, int84le: le, int84gt: gt, int84ge: ge, btint84cmp: int8Compare,
    int48eq: eq, int48ne: ne, int48lt: lt, int48le: le, int48gt: gt, int48ge: ge, btint48cmp: int8Compare,
    int82eq: eq, int82ne: ne, int82lt: lt, int82le: le, int82gt: gt, int82ge: ge, btint82cmp: int8Compare,
    int28eq: eq, int28ne: ne, int28lt: lt, int28le: le, int28gt: gt, int28ge: ge, btint28cmp: int8Compare,

    in_range_int8_int8: inRange, in_range_int4_int8: inRange, in_range_int2_int8: inRange,
  },
  set: {
    generate_series_int8: (_context: FunctionContext, from: Int8, to: Int8) => series(from, to, 1),
    generate_series_step_int8: (_context: FunctionContext, from: Int8, to: Int8, step: Int8) => series(from, to, step),
  },
});
