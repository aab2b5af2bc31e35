// What SQL sees of numeric: input and output, operators, functions, conversions.
import { PgError } from '../../common/errors.ts';
import type { Int8 } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { invalidParameter, outOfRange } from './errors.ts';
import { formatG } from './float.ts';
import { INT4_MAX, typmodIntegers } from './int.ts';
import type { ArrayValue } from './datum.ts';
import { checkInt8 } from './int8.ts';
import {
  absNumeric, addNumeric, ceilNumeric, coefficientAt, compareNumeric, digitCount, divideNumeric, divTruncNumeric, FINITE,
  floorNumeric, makeNumeric, moduloNumeric, multiplyNumeric, NAN, negateNumeric, NEGATIVE_INFINITY, Numeric,
  NUMERIC_INFINITY, NUMERIC_NAN, NUMERIC_NEGATIVE_INFINITY, NUMERIC_ONE, NUMERIC_ZERO,
  numericFromInt8, numericToFloat, numericToText, overflowsFormat, parseNumeric, POSITIVE_INFINITY, pow10, roundTo,
  signOf, subtractNumeric, trimScale, truncateTo,
} from './numeric.ts';
import { expNumeric, lnNumeric, logNumeric, powerNumeric, sqrtNumeric } from './numeric_math.ts';
import { sendInt16, WireReader } from './wire.ts';

const VARHDRSZ = 4;

/** Precision and scale (which may be negative) of a valid typmod. */
function numericTypmod(typmod: number): { precision: number; scale: number } {
  const packed = typmod - VARHDRSZ;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

/** apply_typmod: rounds to the declared scale and checks the declared precision. */
export function applyNumericTypmod(value: Numeric, typmod: number): Numeric {
  if (typmod < VARHDRSZ || value.special === NAN) return value;
  const { precision, scale } = numericTypmod(typmod);
  if (value.special !== FINITE) {
    throw new PgError('numeric_value_out_of_range', 'numeric field overflow',
      { detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.` });
  }
  const rounded = value.scale === scale ? value : roundTo(value, scale);
  const integerDigits = digitCount(rounded.coefficient) - rounded.scale;
  if (rounded.coefficient !== 0n && integerDigits > precision - scale) {
    const limit = precision - scale;
    throw new PgError('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ` +
        `${limit === 0 ? '1' : `10^${limit}`}.`,
    });
  }
  return rounded;
}

function typmodIn(parameters: ArrayValue): number {
  const numbers = typmodIntegers(parameters);
  const [precision, scale = 0] = numbers;
  if (numbers.length < 1 || numbers.length > 2) throw invalidParameter('invalid NUMERIC type modifier');
  if (!(precision! >= 1 && precision! <= 1000)) {
    throw invalidParameter(`NUMERIC precision ${precision} must be between 1 and 1000`);
  }
  if (!(scale >= -1000 && scale <= 1000)) throw invalidParameter(`NUMERIC scale ${scale} must be between -1000 and 1000`);
  return ((precision! << 16) | (scale & 0x7ff)) + VARHDRSZ;
}

// --- binary form: groups of four digits

function receive(bytes: Uint8Array, _typelem: number, typmod: number): Numeric {
  const reader = new WireReader(bytes);
  const count = reader.uint16(), weight = reader.int16(), sign = reader.uint16(), scale = reader.uint16();
  const bad = (what: string): PgError =>
    new PgError('invalid_binary_representation', `invalid ${what} in external "numeric" value`);
  if (![0, 0x4000, 0xc000, 0xd000, 0xf000].includes(sign)) throw bad('sign');
  if (scale > 16383) throw bad('scale');
  let coefficient = 0n;
  for (let i = 0; i < count; i++) {
    const digit = reader.int16();
    if (digit < 0 || digit >= 10000) throw bad('digit');
    coefficient = coefficient * 10000n + BigInt(digit);
  }
  reader.end();
  if (sign >= 0xc000) {
    const value = sign === 0xc000 ? NUMERIC_NAN : sign === 0xd000 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
    return applyNumericTypmod(value, typmod);
  }
  const lastPower = 4 * (weight - count + 1); // of the last digit group
  const size = lastPower + scale >= 0 ? coefficient * pow10(lastPower + scale) : coefficient / pow10(-lastPower - scale);
  return applyNumericTypmod(makeNumeric(sign === 0x4000 ? -size : size, scale), typmod);
}

function send(value: Numeric): Uint8Array {
  const parts: number[] = [];
  let weight = 0, sign = 0;
  if (value.special !== FINITE) {
    sign = value.special === NAN ? 0xc000 : value.special === POSITIVE_INFINITY ? 0xd000 : 0xf000;
  } else if (value.coefficient !== 0n) {
    if (value.coefficient < 0n) sign = 0x4000;
    const padding = (4 - (value.scale % 4)) % 4;
    let digits = absNumeric(value).coefficient.toString() + '0'.repeat(padding);
    digits = '0'.repeat((4 - (digits.length % 4)) % 4) + digits;
    for (let i = 0; i < digits.length; i += 4) parts.push(Number(digits.slice(i, i + 4)));
    weight = parts.length - (value.scale + padding) / 4 - 1;
    while (parts[0] === 0) {
      parts.shift();
      weight--;
    }
    while (parts.at(-1) === 0) parts.pop();
  }
  return Buffer.concat([parts.length, weight, sign, value.special === FINITE || value.special === NAN ? value.scale : 32, ...parts].map(sendInt16));
}

// --- functions

function negativeLogarithm(): PgError {
  return new PgError('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
}

function numericSqrt(a: Numeric): Numeric {
  if (signOf(a) < 0) {
    throw new PgError('invalid_argument_for_power_function', 'cannot take square root of a negative number');
  }
  return a.special === FINITE ? sqrtNumeric(a) : a;
}

function numericExp(a: Numeric): Numeric {
  if (a.special !== FINITE) return a.special === NEGATIVE_INFINITY ? NUMERIC_ZERO : a;
  return expNumeric(a);
}

function numericLn(a: Numeric): Numeric {
  if (signOf(a) < 0) throw negativeLogarithm();
  return a.special === FINITE ? lnNumeric(a) : a;
}

function numericLog(base: Numeric, a: Numeric): Numeric {
  if ((base.special | a.special) !== FINITE) {
    if (base.special === NAN || a.special === NAN) return NUMERIC_NAN;
    if (signOf(base) < 0 || signOf(a) < 0) throw negativeLogarithm();
    if (signOf(base) === 0 || signOf(a) === 0) {
      throw new PgError('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
    }
    if (base.special === FINITE) return NUMERIC_INFINITY;
    return a.special === FINITE ? NUMERIC_ZERO : NUMERIC_NAN;
  }
  return logNumeric(base, a);
}

const isOne = (a: Numeric): boolean => a.special === FINITE && compareNumeric(a, NUMERIC_ONE) === 0;
const isIntegral = (a: Numeric): boolean => a.special !== FINITE || a.coefficient % pow10(a.scale) === 0n;

function numericPower(a: Numeric, b: Numeric): Numeric {
  if (a.special === NAN) return signOf(b) === 0 ? NUMERIC_ONE : NUMERIC_NAN;
  if (b.special === NAN) return isOne(a) ? NUMERIC_ONE : NUMERIC_NAN;
  const signA = signOf(a), signB = signOf(b);
  if (signA === 0 && signB < 0) {
    throw new PgError('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  if (signA < 0 && !isIntegral(b)) {
    throw new PgError('invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result');
  }
  if ((a.special | b.special) === FINITE) return powerNumeric(a, b);
  if (isOne(a) || signB === 0) return NUMERIC_ONE;
  if (signA === 0) return NUMERIC_ZERO;
  if (b.special !== FINITE) {
    const size = compareNumeric(absNumeric(a), NUMERIC_ONE);
    if (size === 0) return NUMERIC_ONE;
    return size > 0 === signB > 0 ? NUMERIC_INFINITY : NUMERIC_ZERO;
  }
  if (signB < 0) return NUMERIC_ZERO;
  if (signA > 0) return NUMERIC_INFINITY;
  return (b.coefficient / pow10(b.scale)) % 2n === 0n ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
}

function factorial(value: Int8): Numeric {
  if (value < 0) throw new PgError('numeric_value_out_of_range', 'factorial of a negative number is undefined');
  if (value > 32177) throw overflowsFormat();
  // Products of halves keep the factors of similar size.
  const product = (low: number, high: number): bigint => {
    if (high - low < 8) {
      let result = 1n;
      for (let i = low; i <= high; i++) result *= BigInt(i);
      return result;
    }
    const middle = (low + high) >> 1;
    return product(low, middle) * product(middle + 1, high);
  };
  return makeNumeric(product(1, Number(value)), 0);
}

function gcdNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) return NUMERIC_NAN;
  const scale = Math.max(a.scale, b.scale);
  let x = coefficientAt(a, scale), y = coefficientAt(b, scale);
  while (y !== 0n) [x, y] = [y, x % y];
  return new Numeric(x < 0n ? -x : x, scale, FINITE);
}

function lcmNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) return NUMERIC_NAN;
  const scale = Math.max(a.scale, b.scale);
  if (a.coefficient === 0n || b.coefficient === 0n) return new Numeric(0n, scale, FINITE);
  const product = (coefficientAt(a, scale) / gcdNumeric(a, b).coefficient) * coefficientAt(b, scale);
  return makeNumeric(product < 0n ? -product : product, scale);
}

function widthBucket(operand: Numeric, low: Numeric, high: Numeric, count: number): number {
  const fail = (message: string): PgError => new PgError('invalid_argument_for_width_bucket_function', message);
  if (count <= 0) throw fail('count must be greater than zero');
  if ([operand, low, high].some((value) => value.special === NAN)) {
    throw fail('operand, lower bound, and upper bound cannot be NaN');
  }
  if ((low.special | high.special) !== FINITE) throw fail('lower and upper bounds must be finite');
  const order = compareNumeric(low, high);
  if (order === 0) throw fail('lower bound cannot equal upper bound');
  if (compareNumeric(operand, low) * order > 0) return 0;
  if (compareNumeric(operand, high) * order <= 0) {
    if (count === INT4_MAX) throw outOfRange('integer');
    return count + 1;
  }
  // The quotient is rounded, as in PostgreSQL 15, which can make it one bucket too many.
  const share = divideNumeric(multiplyNumeric(subtractNumeric(operand, low), numericFromInt8(count)), subtractNumeric(high, low));
  return Number(floorNumeric(share).coefficient) + 1;
}

// --- conversions

function toInteger(a: Numeric, typeName: string): bigint {
  if (a.special !== FINITE) {
    throw new PgError('feature_not_supported', `cannot convert ${a.special === NAN ? 'NaN' : 'infinity'} to ${typeName}`);
  }
  return coefficientAt(a, 0);
}

function toSmall(a: Numeric, typeName: string, limit: bigint): number {
  const value = toInteger(a, typeName);
  if (value < -limit || value >= limit) throw outOfRange(typeName);
  return Number(value);
}

function toFloat(a: Numeric, typeName: string, round: (value: number) => number): number {
  const value = round(numericToFloat(a));
  if (a.special === FINITE && (!Number.isFinite(value) || (value === 0 && a.coefficient !== 0n))) {
    throw new PgError('numeric_value_out_of_range', `"${numericToText(a)}" is out of range for type ${typeName}`);
  }
  return value;
}

/** float8_numeric: the digits that are certain (15, or 6 of a real). */
function numericFromFloat(value: number, digits: number): Numeric {
  if (value !== value) return NUMERIC_NAN;
  if (!Number.isFinite(value)) return value > 0 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
  return parseNumeric(formatG(value, digits));
}

function numericSign(a: Numeric): Numeric {
  const sign = signOf(a);
  return sign !== sign ? NUMERIC_NAN : sign > 0 ? NUMERIC_ONE : sign < 0 ? new Numeric(-1n, 0, FINITE) : NUMERIC_ZERO;
}

const clampRound = (scale: number): number => Math.min(Math.max(scale, -131073), 16383);

function* series(from: Numeric, to: Numeric, step: Numeric): Generator<Numeric> {
  const check = (value: Numeric, what: string): void => {
    if (value.special !== FINITE) {
      throw invalidParameter(`${what} cannot be ${value.special === NAN ? 'NaN' : 'infinity'}`);
    }
  };
  check(from, 'start value');
  check(to, 'stop value');
  check(step, 'step size');
  if (step.coefficient === 0n) throw invalidParameter('step size cannot equal zero');
  const up = step.coefficient > 0n;
  if (up ? compareNumeric(from, to) > 0 : compareNumeric(from, to) < 0) return;
  for (let value = from; ; value = addNumeric(value, step)) {
    yield value;
    // Whether another one fits is seen by what is left: the sum may be too large for a numeric.
    const left = compareNumeric(subtractNumeric(to, value), step);
    if (up ? left < 0 : left > 0) return;
  }
}

function inRange(value: Numeric, base: Numeric, offset: Numeric, sub: boolean, less: boolean): boolean {
  if (offset.special === NAN || signOf(offset) < 0) {
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
  if (value.special === NAN) return base.special === NAN ? true : !less;
  if (base.special === NAN) return less;
  if (offset.special !== FINITE && base.special === (sub ? POSITIVE_INFINITY : NEGATIVE_INFINITY)) return true;
  const order = compareNumeric(value, sub ? subtractNumeric(base, offset) : addNumeric(base, offset));
  return less ? order <= 0 : order >= 0;
}

registerBuiltins({
  pure: {
    numeric_in: (text: string, _typelem?: number, typmod = -1) => applyNumericTypmod(parseNumeric(text), typmod),
    numeric_out: numericToText,
    numeric_recv: receive,
    numeric_send: send,
    numerictypmodin: typmodIn,
    numerictypmodout: (typmod: number) => {
      if (typmod < VARHDRSZ) return '';
      const { precision, scale } = numericTypmod(typmod);
      return `(${precision},${scale})`;
    },
    numeric: applyNumericTypmod,
    numeric_add: addNumeric, numeric_sub: subtractNumeric, numeric_mul: multiplyNumeric, numeric_div: divideNumeric,
    numeric_div_trunc: divTruncNumeric, numeric_mod: moduloNumeric,
    numeric_uminus: negateNumeric, numeric_uplus: (a: Numeric) => a, numeric_abs: absNumeric, numeric_sign: numericSign,
    numeric_inc: (a: Numeric) => addNumeric(a, NUMERIC_ONE),
    numeric_round: (a: Numeric, scale: number) => roundTo(a, clampRound(scale)),
    numeric_trunc: (a: Numeric, scale: number) => truncateTo(a, clampRound(scale)),
    numeric_ceil: ceilNumeric, numeric_floor: floorNumeric,
    numeric_sqrt: numericSqrt, numeric_exp: numericExp, numeric_ln: numericLn, numeric_log: numericLog,
    numeric_power: numericPower, numeric_fac: factorial, numeric_gcd: gcdNumeric, numeric_lcm: lcmNumeric,
    numeric_scale: (a: Numeric) => (a.special === FINITE ? a.scale : null),
    numeric_min_scale: (a: Numeric) => (a.special === FINITE ? trimScale(a).scale : null),
    numeric_trim_scale: trimScale,
    width_bucket_numeric: widthBucket,

    numeric_eq: (a: Numeric, b: Numeric) => compareNumeric(a, b) === 0,
    numeric_ne: (a: Numeric, b: Numeric) => compareNumeric(a, b) !== 0,
    numeric_lt: (a: Numeric, b: Numeric) => compareNumeric(a, b) < 0,
    numeric_le: (a: Numeric, b: Numeric) => compareNumeric(a, b) <= 0,
    numeric_gt: (a: Numeric, b: Numeric) => compareNumeric(a, b) > 0,
    numeric_ge: (a: Numeric, b: Numeric) => compareNumeric(a, b) >= 0,
    numeric_cmp: (a: Numeric, b: Numeric) => Math.sign(compareNumeric(a, b)),
    numeric_larger: (a: Numeric, b: Numeric) => (compareNumeric(a, b) > 0 ? a : b),
    numeric_smaller: (a: Numeric, b: Numeric) => (compareNumeric(a, b) < 0 ? a : b),

    int2_numeric: numericFromInt8, int4_numeric: numericFromInt8, int8_numeric: numericFromInt8,
    numeric_int2: (a: Numeric) => toSmall(a, 'smallint', 32768n),
    numeric_int4: (a: Numeric) => toSmall(a, 'integer', 2147483648n),
    numeric_int8: (a: Numeric) => checkInt8(toInteger(a, 'bigint')),
    float8_numeric: (value: number) => numericFromFloat(value, 15),
    float4_numeric: (value: number) => numericFromFloat(value, 6),
    numeric_float8: (a: Numeric) => toFloat(a, 'double precision', (value) => value),
    numeric_float4: (a: Numeric) => toFloat(a, 'real', Math.fround),
    in_range_numeric_numeric: inRange,
  },
  set: {
    generate_series_numeric: (_context: FunctionContext, from: Numeric, to: Numeric) => series(from, to, NUMERIC_ONE),
    generate_series_step_numeric: (_context: FunctionContext, from: Numeric, to: Numeric, step: Numeric) =>
      series(from, to, step),
  },
});
