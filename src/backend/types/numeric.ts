// numeric: exact decimal numbers. A value is coefficient / 10^scale, where `scale` is PostgreSQL's display scale, so that
// the text form follows from the value alone. PostgreSQL counts in groups of four decimal digits, which shows
// in how it chooses the scale of a quotient, a root, ...: see `weightAndFirst`.
//
// Here: the class, text form, comparison and plain arithmetic. numeric_math.ts has the functions that approximate,
// numeric_ops.ts what SQL sees, numeric_aggregates.ts sums and averages.
import { PgError } from '../../common/errors.ts';
import type { Int8 } from './datum.ts';
import { divisionByZero, invalidInput } from './errors.ts';

export const NUMERIC_MAX_DISPLAY_SCALE = 1000;
export const NUMERIC_MAX_RESULT_SCALE = 2000;
export const NUMERIC_MIN_SIG_DIGITS = 16;
const NUMERIC_DSCALE_MAX = 16383;
/** Digits before the decimal point: 4 * (32767 + 1). */
const NUMERIC_MAX_INTEGER_DIGITS = 131072;

export const FINITE = 0, NAN = 1, POSITIVE_INFINITY = 2, NEGATIVE_INFINITY = 3;

export class Numeric {
  readonly coefficient: bigint;
  /** Digits after the decimal point, 0 to 16383. */
  readonly scale: number;
  /** FINITE, NAN, POSITIVE_INFINITY or NEGATIVE_INFINITY; all but FINITE have coefficient and scale 0. */
  readonly special: number;
  constructor(coefficient: bigint, scale: number, special: number) {
    this.coefficient = coefficient;
    this.scale = scale;
    this.special = special;
  }

  toString(): string {
    return numericToText(this);
  }
}

export const NUMERIC_NAN = new Numeric(0n, 0, NAN);
export const NUMERIC_INFINITY = new Numeric(0n, 0, POSITIVE_INFINITY);
export const NUMERIC_NEGATIVE_INFINITY = new Numeric(0n, 0, NEGATIVE_INFINITY);
export const NUMERIC_ZERO = new Numeric(0n, 0, FINITE);
export const NUMERIC_ONE = new Numeric(1n, 0, FINITE);

const powers: bigint[] = [1n];
for (let i = 1; i <= 64; i++) powers.push(powers[i - 1]! * 10n);

export function pow10(exponent: number): bigint {
  return powers[exponent] ?? largePower(exponent);
}

function largePower(exponent: number): bigint {
  const value = 10n ** BigInt(exponent);
  if (exponent <= 1200) powers[exponent] = value;
  return value;
}

/** How many decimal digits a bigint has; 0 for zero. */
export function digitCount(value: bigint): number {
  if (value < 0n) value = -value;
  if (value < 1000000000000000n) {
    if (value === 0n) return 0;
    const small = Number(value);
    let count = 1;
    for (let limit = 10; small >= limit; limit *= 10) count++;
    return count;
  }
  // 2^b has b * log10(2) digits, give or take one.
  const hex = value.toString(16).length;
  const guess = Math.floor((hex - 1) * 4 * 0.30102999566398120) + 1;
  let count = guess;
  while (value >= pow10(count)) count++;
  return count;
}

export function overflowsFormat(): PgError {
  return new PgError('numeric_value_out_of_range', 'value overflows numeric format');
}

/** A finite value, checked against the limits of the format. */
export function makeNumeric(coefficient: bigint, scale: number): Numeric {
  if (scale > NUMERIC_DSCALE_MAX) throw overflowsFormat();
  // 65536 digits is far from the limit and cheap to rule out: most values fit 64 bits.
  if ((coefficient > 18446744073709551615n || coefficient < -18446744073709551615n) &&
      digitCount(coefficient) - scale > NUMERIC_MAX_INTEGER_DIGITS) throw overflowsFormat();
  return new Numeric(coefficient, scale, FINITE);
}

export function numericFromInt8(value: Int8): Numeric {
  return new Numeric(BigInt(value), 0, FINITE);
}

/** Divides by a power of ten, halves away from zero. */
export function dropDigits(coefficient: bigint, count: number): bigint {
  return divideRounding(coefficient, pow10(count));
}

/** The quotient rounded to an integer, halves away from zero. */
export function divideRounding(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const remainder = dividend - quotient * divisor;
  if (remainder === 0n) return quotient;
  const twice = remainder < 0n ? remainder * -2n : remainder * 2n;
  if (twice < (divisor < 0n ? -divisor : divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** The coefficient at another scale, rounded if that is smaller (it may be negative). */
export function coefficientAt(value: Numeric, scale: number): bigint {
  if (scale === value.scale) return value.coefficient;
  return scale > value.scale
    ? value.coefficient * pow10(scale - value.scale)
    : dropDigits(value.coefficient, value.scale - scale);
}

/** round_var: to `scale` digits after the point; with a negative scale the result has scale 0. */
export function roundTo(value: Numeric, scale: number): Numeric {
  if (value.special !== FINITE) return value;
  const coefficient = coefficientAt(value, scale);
  return scale < 0 ? makeNumeric(coefficient * pow10(-scale), 0) : makeNumeric(coefficient, scale);
}

/** trunc_var: the same towards zero. */
export function truncateTo(value: Numeric, scale: number): Numeric {
  if (value.special !== FINITE) return value;
  if (scale >= value.scale) return makeNumeric(coefficientAt(value, scale), scale);
  const coefficient = value.coefficient / pow10(value.scale - scale);
  return scale < 0 ? makeNumeric(coefficient * pow10(-scale), 0) : new Numeric(coefficient, scale, FINITE);
}

export function floorNumeric(value: Numeric): Numeric {
  const whole = truncateTo(value, 0);
  return value.special === FINITE && value.coefficient < 0n && value.coefficient % pow10(value.scale) !== 0n
    ? new Numeric(whole.coefficient - 1n, 0, FINITE) : whole;
}

export function ceilNumeric(value: Numeric): Numeric {
  const whole = truncateTo(value, 0);
  return value.special === FINITE && value.coefficient > 0n && value.coefficient % pow10(value.scale) !== 0n
    ? makeNumeric(whole.coefficient + 1n, 0) : whole;
}

// --- text

const SYNTAX = /^[ \t\n\v\f\r]*([+-]?)(?:(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?|(nan)|(inf(?:inity)?))[ \t\n\v\f\r]*$/i;

/** The usual case: up to 15 characters of "-123.45" and nothing else. */
function parseSimple(text: string): Numeric | undefined {
  const { length } = text;
  const negative = text.charCodeAt(0) === 45;
  let value = 0, scale = -1, digits = 0;
  for (let i = negative ? 1 : 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && scale < 0) {
      scale = 0;
    } else {
      if (code < 48 || code > 57) return undefined;
      value = value * 10 + code - 48;
      digits++;
      if (scale >= 0) scale++;
    }
  }
  return digits === 0 ? undefined : new Numeric(BigInt(negative ? 0 - value : value), scale < 0 ? 0 : scale, FINITE);
}

export function parseNumeric(text: string): Numeric {
  if (text.length <= 15) {
    const simple = parseSimple(text);
    if (simple !== undefined) return simple;
  }
  const match = SYNTAX.exec(text);
  if (match === null) throw invalidInput('numeric', text);
  const negative = match[1] === '-';
  if (match[5] !== undefined && match[1] === '') return NUMERIC_NAN;
  if (match[6] !== undefined) return negative ? NUMERIC_NEGATIVE_INFINITY : NUMERIC_INFINITY;
  const whole = match[2] ?? '', fraction = match[3] ?? '';
  if (whole === '' && fraction === '') throw invalidInput('numeric', text);
  const coefficient = BigInt(whole + fraction);
  let scale = fraction.length;
  if (match[4] !== undefined) {
    const exponent = Number(match[4]);
    if (exponent >= 1073741823 || exponent <= -1073741823) throw overflowsFormat();
    scale -= exponent;
  }
  const signed = negative ? -coefficient : coefficient;
  if (scale >= 0) return makeNumeric(signed, scale);
  if (coefficient === 0n) return NUMERIC_ZERO;
  if (-scale > NUMERIC_MAX_INTEGER_DIGITS) throw overflowsFormat();
  return makeNumeric(signed * pow10(-scale), 0);
}

export function numericToText(value: Numeric): string {
  if (value.special !== FINITE) {
    return value.special === NAN ? 'NaN' : value.special === POSITIVE_INFINITY ? 'Infinity' : '-Infinity';
  }
  return decimalText(value.coefficient, value.scale);
}

function decimalText(coefficient: bigint, scale: number): string {
  if (scale === 0) return coefficient.toString();
  const negative = coefficient < 0n;
  let digits = (negative ? -coefficient : coefficient).toString();
  if (digits.length <= scale) digits = '0'.repeat(scale + 1 - digits.length) + digits;
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

// --- comparison: -Infinity < finite < Infinity < NaN

const RANK = [1, 3, 2, 0];

export function compareNumeric(a: Numeric, b: Numeric): number {
  if ((a.special | b.special) !== FINITE) return RANK[a.special]! - RANK[b.special]!;
  let x = a.coefficient, y = b.coefficient;
  if (a.scale !== b.scale) {
    if (a.scale < b.scale) x *= pow10(b.scale - a.scale);
    else y *= pow10(a.scale - b.scale);
  }
  return x < y ? -1 : x > y ? 1 : 0;
}

export function signOf(value: Numeric): number {
  if (value.special !== FINITE) return value.special === POSITIVE_INFINITY ? 1 : value.special === NEGATIVE_INFINITY ? -1 : NaN;
  return value.coefficient > 0n ? 1 : value.coefficient < 0n ? -1 : 0;
}

/** The value without trailing zeros in its fraction. */
export function trimScale(value: Numeric): Numeric {
  let { coefficient, scale } = value;
  if (coefficient === 0n) return scale === 0 ? value : new Numeric(0n, 0, value.special);
  while (scale >= 16 && coefficient % 10000000000000000n === 0n) {
    coefficient /= 10000000000000000n;
    scale -= 16;
  }
  while (scale > 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    scale--;
  }
  return scale === value.scale ? value : new Numeric(coefficient, scale, FINITE);
}

/** The same key for equal values, whatever their scales. Up to 15 digits the nearest double is unambiguous. */
export function numericHashKey(value: Numeric): number | string {
  if (value.special !== FINITE) return numericToText(value);
  const quick = quickKey(value);
  if (quick !== undefined) return quick;
  const trimmed = trimScale(value);
  return quickKey(trimmed) ?? `${trimmed.coefficient}e-${trimmed.scale}`;
}

function quickKey(value: Numeric): number | undefined {
  const { coefficient, scale } = value;
  if (coefficient >= 1000000000000000n || coefficient <= -1000000000000000n || scale > 22) return undefined;
  return Number(coefficient) / 10 ** scale + 0;
}

// --- arithmetic on finite values and specials

function specialResult(special: number): Numeric {
  return special === NAN ? NUMERIC_NAN : special === POSITIVE_INFINITY ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY;
}

const infinity = (sign: number): Numeric => (sign > 0 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY);

export function addNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) {
    if (a.special === NAN || b.special === NAN) return NUMERIC_NAN;
    if (a.special !== FINITE && b.special !== FINITE && a.special !== b.special) return NUMERIC_NAN;
    return specialResult(a.special !== FINITE ? a.special : b.special);
  }
  if (a.scale === b.scale) return makeNumeric(a.coefficient + b.coefficient, a.scale);
  return a.scale > b.scale
    ? makeNumeric(a.coefficient + b.coefficient * pow10(a.scale - b.scale), a.scale)
    : makeNumeric(a.coefficient * pow10(b.scale - a.scale) + b.coefficient, b.scale);
}

export function negateNumeric(a: Numeric): Numeric {
  if (a.special !== FINITE) {
    return a.special === NAN ? a : a.special === POSITIVE_INFINITY ? NUMERIC_NEGATIVE_INFINITY : NUMERIC_INFINITY;
  }
  return new Numeric(-a.coefficient, a.scale, FINITE);
}

export function subtractNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) === FINITE && a.scale === b.scale) {
    return makeNumeric(a.coefficient - b.coefficient, a.scale);
  }
  return addNumeric(a, negateNumeric(b));
}

export function multiplyNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) {
    const sign = signOf(a) * signOf(b);
    return Math.abs(sign) > 0 ? infinity(sign) : NUMERIC_NAN;
  }
  const scale = a.scale + b.scale;
  const product = a.coefficient * b.coefficient;
  return scale > NUMERIC_DSCALE_MAX
    ? makeNumeric(dropDigits(product, scale - NUMERIC_DSCALE_MAX), NUMERIC_DSCALE_MAX)
    : makeNumeric(product, scale);
}

export function absNumeric(a: Numeric): Numeric {
  return a.special === NEGATIVE_INFINITY ? NUMERIC_INFINITY : a.coefficient < 0n ? negateNumeric(a) : a;
}

/** Weight (power of 10000) of the first base-10000 digit, and that digit; [0, 0] for zero. */
export function weightAndFirst(value: Numeric): [number, number] {
  const size = value.coefficient < 0n ? -value.coefficient : value.coefficient;
  if (size === 0n) return [0, 0];
  const digits = digitCount(size);
  if (size < 9007199254740992n) return weightOfSmall(Number(size), digits, value.scale);
  const exponent = digits - value.scale - 1;
  const weight = Math.floor(exponent / 4);
  const leading = exponent - 4 * weight + 1;
  const first = leading >= digits ? Number(size) * 10 ** (leading - digits) : Number(size / pow10(digits - leading));
  return [weight, first];
}

function weightOfSmall(size: number, digits: number, scale: number): [number, number] {
  const exponent = digits - scale - 1;
  const weight = Math.floor(exponent / 4);
  const leading = exponent - 4 * weight + 1;
  return [weight, leading >= digits ? size * 10 ** (leading - digits) : Math.floor(size / 10 ** (digits - leading))];
}

/** The scale PostgreSQL gives a quotient: at least 16 significant digits, and no less than either argument's. */
export function selectDivScale(a: Numeric, b: Numeric): number {
  const [weightA, firstA] = weightAndFirst(a);
  const [weightB, firstB] = weightAndFirst(b);
  const weight = weightA - weightB - (firstA <= firstB ? 1 : 0);
  return Math.min(Math.max(NUMERIC_MIN_SIG_DIGITS - weight * 4, a.scale, b.scale, 0), NUMERIC_MAX_DISPLAY_SCALE);
}

/** Finite a / finite b at a given scale, rounded. */
export function divideAt(a: Numeric, b: Numeric, scale: number): Numeric {
  if (b.coefficient === 0n) throw divisionByZero();
  const shift = scale + b.scale - a.scale;
  return makeNumeric(shift >= 0
    ? divideRounding(a.coefficient * pow10(shift), b.coefficient)
    : divideRounding(a.coefficient, b.coefficient * pow10(-shift)), scale);
}

export function divideNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) {
    if (a.special === NAN || b.special === NAN) return NUMERIC_NAN;
    if (a.special === FINITE) return NUMERIC_ZERO;
    if (b.special !== FINITE) return NUMERIC_NAN;
    if (b.coefficient === 0n) throw divisionByZero();
    return infinity(signOf(a) * signOf(b));
  }
  return divideAt(a, b, selectDivScale(a, b));
}

export function divTruncNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) return divideNumeric(a, b);
  if (b.coefficient === 0n) throw divisionByZero();
  const shift = b.scale - a.scale;
  return makeNumeric(shift >= 0
    ? (a.coefficient * pow10(shift)) / b.coefficient
    : a.coefficient / (b.coefficient * pow10(-shift)), 0);
}

export function moduloNumeric(a: Numeric, b: Numeric): Numeric {
  if ((a.special | b.special) !== FINITE) {
    if (a.special === NAN || b.special === NAN) return NUMERIC_NAN;
    if (a.special !== FINITE) {
      if (b.special === FINITE && b.coefficient === 0n) throw divisionByZero();
      return NUMERIC_NAN;
    }
    return a;
  }
  if (b.coefficient === 0n) throw divisionByZero();
  const scale = Math.max(a.scale, b.scale);
  return new Numeric(coefficientAt(a, scale) % coefficientAt(b, scale), scale, FINITE);
}

/** The nearest double; infinite when too large. */
export function numericToFloat(value: Numeric): number {
  if (value.special !== FINITE) return Number(numericToText(value));
  const { coefficient, scale } = value;
  if (scale <= 22 && coefficient < 9007199254740992n && coefficient > -9007199254740992n) {
    return Number(coefficient) / 10 ** scale;
  }
  return Number(`${coefficient}e-${scale}`);
}
