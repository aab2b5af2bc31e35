// Roots, exponentials, logarithms and powers of finite numerics: PostgreSQL's choice of scales, over binary fixed-point
// arithmetic of our own with ample guard bits, so that the results are correctly rounded.
import { PgError } from '../../common/errors.ts';
import { divisionByZero } from './errors.ts';
import {
  compareNumeric, digitCount, divideAt, divideRounding, dropDigits, FINITE, makeNumeric, multiplyNumeric, Numeric,
  NUMERIC_MAX_DISPLAY_SCALE, NUMERIC_MAX_RESULT_SCALE, NUMERIC_MIN_SIG_DIGITS, NUMERIC_ONE, numericToFloat,
  overflowsFormat, pow10, roundTo, subtractNumeric, weightAndFirst,
} from './numeric.ts';

const LOG10_E = 0.434294481903252;
const BITS_PER_DIGIT = 3.3219280948873626;
const INT16_MAX = 32767;

const clampScale = (scale: number): number => Math.min(Math.max(scale, 0), NUMERIC_MAX_DISPLAY_SCALE);

/** floor(sqrt(n)). */
function integerSqrt(n: bigint): bigint {
  if (n < 4503599627370496n) return BigInt(Math.floor(Math.sqrt(Number(n))));
  const bits = n.toString(16).length * 4;
  const shift = BigInt(Math.max(0, bits - 104) & ~1);
  // A first guess from above out of the leading 104 bits, then Newton.
  let x = (BigInt(Math.ceil(Math.sqrt(Number(n >> shift)) * (1 + 2 ** -50))) + 1n) << (shift / 2n);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** sqrt_var: rounded to `scale`. */
export function sqrtAt(value: Numeric, scale: number): Numeric {
  const shift = 2 * scale - value.scale;
  // floor(2 * sqrt(v) + 1) / 2 rounds halves up.
  if (shift >= 0) return makeNumeric((integerSqrt(4n * value.coefficient * pow10(shift)) + 1n) >> 1n, scale);
  return makeNumeric((integerSqrt((4n * value.coefficient) / pow10(-shift)) + 1n) >> 1n, scale);
}

export function sqrtNumeric(value: Numeric): Numeric {
  const [weight] = weightAndFirst(value);
  const digits = Math.trunc(((weight + 1) * 4) / 2) - 1;
  return sqrtAt(value, clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS - digits, value.scale)));
}

// --- fixed point: an integer that stands for itself / 2^bits

let ln2Cache = { bits: 0, value: 0n };

/** ln 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749). */
function ln2(bits: number): bigint {
  if (ln2Cache.bits < bits) {
    const wide = bits + 64;
    const atanhInverse = (n: bigint): bigint => {
      const square = n * n;
      let term = (1n << BigInt(wide)) / n;
      let sum = term;
      for (let k = 3n; term !== 0n; k += 2n) {
        term /= square;
        sum += term / k;
      }
      return sum;
    };
    const value = 18n * atanhInverse(26n) - 2n * atanhInverse(4801n) + 8n * atanhInverse(8749n);
    ln2Cache = { bits: wide, value };
  }
  return ln2Cache.value >> BigInt(ln2Cache.bits - bits);
}

/** e^x for 0 <= x < 1. */
function expFixed(x: bigint, bits: number): bigint {
  const halvings = Math.ceil(Math.sqrt(bits) / 2) + 1;
  const wide = bits + 2 * halvings + 16;
  const one = 1n << BigInt(wide);
  const shift = BigInt(wide);
  const reduced = (x << BigInt(wide - bits)) >> BigInt(halvings);
  let term = one, sum = one;
  for (let k = 1n; term !== 0n; k++) {
    term = ((term * reduced) >> shift) / k;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) >> shift;
  return sum >> BigInt(wide - bits);
}

const toFixed = (value: Numeric, bits: number): bigint => (value.coefficient << BigInt(bits)) / pow10(value.scale);

/** A fixed-point number times 2^exponent, rounded to `scale` decimals. */
function fromFixed(value: bigint, bits: number, exponent: number, scale: number): Numeric {
  const scaled = value * pow10(scale);
  const shift = bits - exponent;
  return makeNumeric(shift <= 0 ? scaled << BigInt(-shift) : divideRounding(scaled, 1n << BigInt(shift)), scale);
}

/** exp_var: e^value rounded to `scale`. */
function expAt(value: Numeric, scale: number): Numeric {
  const size = numericToFloat(value);
  if (Math.abs(size) >= NUMERIC_MAX_RESULT_SCALE * 3) {
    if (size > 0) throw overflowsFormat();
    return new Numeric(0n, scale, FINITE);
  }
  const significant = Math.max(0, scale + Math.ceil(size * LOG10_E)) + 4;
  const bits = Math.ceil(significant * BITS_PER_DIGIT) + 64;
  const x = toFixed(value, bits);
  const step = ln2(bits);
  let exponent = x / step;
  if (x < 0n) exponent -= 1n;
  return fromFixed(expFixed(x - exponent * step, bits), bits, Number(exponent), scale);
}

export function expNumeric(value: Numeric): Numeric {
  const digits = Math.min(Math.max(numericToFloat(value) * LOG10_E, -NUMERIC_MAX_RESULT_SCALE), NUMERIC_MAX_RESULT_SCALE);
  return expAt(value, clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS - Math.trunc(digits), value.scale)));
}

/** ln_var: the natural logarithm of a positive value, rounded to `scale` (which may be negative). */
function lnAt(value: Numeric, scale: number): Numeric {
  if (value.coefficient <= 0n) {
    throw new PgError('invalid_argument_for_logarithm', value.coefficient === 0n
      ? 'cannot take logarithm of zero' : 'cannot take logarithm of a negative number');
  }
  const bits = Math.ceil((Math.max(scale, 0) + 4) * BITS_PER_DIGIT) + 64;
  // value = m * 2^exponent with 1 <= m < 2.
  const divisor = pow10(value.scale);
  let exponent = value.coefficient.toString(2).length - divisor.toString(2).length;
  const shift = bits - exponent;
  let m = shift >= 0 ? (value.coefficient << BigInt(shift)) / divisor : value.coefficient / (divisor << BigInt(-shift));
  if (m >> BigInt(bits) === 0n) {
    m = shift + 1 >= 0 ? (value.coefficient << BigInt(shift + 1)) / divisor : value.coefficient / (divisor << BigInt(-shift - 1));
    exponent--;
  }
  const logarithm = lnFixed(m, bits) + BigInt(exponent) * ln2(bits);
  const result = fromFixed(logarithm, bits, 0, Math.max(scale, 0));
  return scale < 0 ? roundTo(result, scale) : result;
}

/** ln m for 1 <= m < 2: Halley's iteration on e^y = m triples the correct bits each time. */
function lnFixed(m: bigint, bits: number): bigint {
  const lead = Math.log(Number(m >> BigInt(bits - 60)) / 2 ** 60);
  let y = bits >= 60 ? BigInt(Math.round(lead * 2 ** 60)) << BigInt(bits - 60) : 0n;
  if (y < 0n) y = 0n;
  for (let correct = 48; correct < bits; correct *= 3) {
    const e = expFixed(y, bits);
    y += ((m - e) << BigInt(bits + 1)) / (m + e);
    if (y < 0n) y = 0n;
  }
  return y;
}

/** estimate_ln_dweight: the decimal weight of ln(value), roughly. */
function lnWeight(value: Numeric): number {
  if (value.coefficient <= 0n) return 0;
  if (compareNumeric(value, new Numeric(9n, 1, FINITE)) >= 0 && compareNumeric(value, new Numeric(11n, 1, FINITE)) <= 0) {
    const [weight, first] = weightAndFirst(subtractNumeric(value, NUMERIC_ONE));
    return first === 0 ? 0 : weight * 4 + Math.trunc(Math.log10(first));
  }
  const [weight] = weightAndFirst(value);
  // The first two base-10000 digits, if there are two.
  const exact = value.coefficient;
  const drop = value.scale + (weight - 1) * 4;
  const twoDigits = drop >= 0 ? exact / pow10(drop) : exact * pow10(-drop);
  const logarithm = Math.log(Number(twoDigits)) + (weight - 1) * 4 * 2.302585092994046;
  return Math.trunc(Math.log10(Math.abs(logarithm)));
}

export function lnNumeric(value: Numeric): Numeric {
  const weight = lnWeight(value);
  return lnAt(value, clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS - weight, value.scale)));
}

/** log_var: the logarithm of `value` to a base. */
export function logNumeric(base: Numeric, value: Numeric): Numeric {
  const baseWeight = lnWeight(base), valueWeight = lnWeight(value);
  const resultWeight = valueWeight - baseWeight;
  const scale = clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS - resultWeight, base.scale, value.scale));
  const baseScale = Math.max(scale + resultWeight - baseWeight + 8, 0);
  const valueScale = Math.max(scale + resultWeight - valueWeight + 8, 0);
  // The base first, for the order of errors.
  const divisor = lnAt(base, baseScale);
  return divideAt(lnAt(value, valueScale), divisor, scale);
}

/** mul_var: the product rounded to `scale` (which may be larger than the exact product needs). */
function multiplyAt(a: Numeric, b: Numeric, scale: number): Numeric {
  const exact = a.scale + b.scale;
  const product = a.coefficient * b.coefficient;
  return new Numeric(exact > scale ? dropDigits(product, exact - scale) : product * pow10(scale - exact), scale, FINITE);
}

export function powerNumeric(base: Numeric, exponent: Numeric): Numeric {
  const divisor = pow10(exponent.scale);
  if (exponent.coefficient % divisor === 0n) {
    const whole = exponent.coefficient / divisor;
    if (whole >= -2147483648n && whole <= 2147483647n) {
      return powerInteger(base, Number(whole), clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS, base.scale)));
    }
  }
  if (base.coefficient === 0n) return new Numeric(0n, NUMERIC_MIN_SIG_DIGITS, FINITE);
  let negative = false;
  let size = base;
  if (base.coefficient < 0n) {
    // The caller has made sure that the exponent is integral.
    size = new Numeric(-base.coefficient, base.scale, FINITE);
    negative = (exponent.coefficient / divisor) % 2n !== 0n;
  }
  const weight = lnWeight(size);
  // First roughly, for the weight of the result.
  const roughScale = Math.max(8 - weight, 0);
  const rough = numericToFloat(multiplyAt(lnAt(size, roughScale), exponent, roughScale));
  if (Math.abs(rough) > NUMERIC_MAX_RESULT_SCALE * 3.01) {
    if (rough > 0) throw overflowsFormat();
    return new Numeric(0n, NUMERIC_MAX_DISPLAY_SCALE, FINITE);
  }
  const digits = Math.trunc(rough * LOG10_E);
  const scale = clampScale(Math.max(NUMERIC_MIN_SIG_DIGITS - digits, base.scale, exponent.scale));
  const logScale = Math.max(Math.max(scale + digits, 0) - weight + 8, 0);
  const result = expAt(multiplyAt(lnAt(size, logScale), exponent, logScale), scale);
  return negative ? new Numeric(-result.coefficient, scale, FINITE) : result;
}

/** power_var_int, step by step: its intermediate roundings decide the last digits. */
function powerInteger(base: Numeric, exponent: number, scale: number): Numeric {
  if (exponent === 0) return new Numeric(pow10(scale), scale, FINITE);
  if (exponent === 1) return roundTo(base, scale);
  if (exponent === -1) return divideAt(NUMERIC_ONE, base, scale);
  if (exponent === 2) return roundTo(multiplyNumeric(base, base), scale);
  if (base.coefficient === 0n) {
    if (exponent < 0) throw divisionByZero();
    return new Numeric(0n, scale, FINITE);
  }
  const size = base.coefficient < 0n ? -base.coefficient : base.coefficient;
  const count = digitCount(size);
  const kept = Math.min(count, 16);
  const estimate = exponent * (Math.log10(Number(size / pow10(count - kept))) + count - kept - base.scale);
  if (estimate > 3 * INT16_MAX * 4) throw overflowsFormat();
  if (estimate + 1 < -scale || estimate + 1 < -NUMERIC_MAX_DISPLAY_SCALE) return new Numeric(0n, scale, FINITE);
  const significant = 1 + scale + Math.trunc(estimate) + Math.trunc(Math.log(Math.abs(exponent))) + 8;
  let mask = Math.abs(exponent);
  let square = base;
  let result = mask & 1 ? base : NUMERIC_ONE;
  const weightOf = (value: Numeric): number => weightAndFirst(value)[0];
  while ((mask = Math.floor(mask / 2)) > 0) {
    square = multiplyAt(square, square, Math.max(Math.min(significant - 2 * weightOf(square) * 4, 2 * square.scale), 0));
    if (mask & 1) {
      const local = significant - (weightOf(square) + weightOf(result)) * 4;
      result = multiplyAt(square, result, Math.max(Math.min(local, square.scale + result.scale), 0));
    }
    if (weightOf(square) > INT16_MAX || weightOf(result) > INT16_MAX) {
      if (exponent > 0) throw overflowsFormat();
      return new Numeric(0n, scale, FINITE);
    }
  }
  return exponent < 0 ? divideAt(NUMERIC_ONE, result, scale) : roundTo(result, scale);
}
