// Mathematical functions of double precision: PostgreSQL's error rules around JavaScript's Math.
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { randomHex } from '../../port/random.ts';
import { defineHooks } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { registerBuiltins } from './fmgr.ts';
import { float8Divide, float8Multiply, overflow, roundHalfEven, underflow } from './float.ts';
import { INT4_MAX } from './int.ts';
import { outOfRange } from './errors.ts';

const { libm } = port;
const RADIANS_PER_DEGREE = 0.017453292519943295;

function domainError(): PgError {
  return new PgError('numeric_value_out_of_range', 'input is out of range');
}

function dexp(a: number): number {
  if (a !== a || a === Infinity) return a;
  if (a === -Infinity) return 0;
  const result = libm.exp(a);
  if (result === Infinity) throw overflow();
  if (result === 0) throw underflow();
  return result;
}

function logarithm(fn: (value: number) => number): (a: number) => number {
  return (a) => {
    if (a === 0) throw new PgError('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
    if (a < 0) throw new PgError('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
    return fn(a);
  };
}

function dpow(base: number, exponent: number): number {
  if (base !== base) return exponent === 0 ? 1 : NaN;
  if (exponent !== exponent) return base === 1 ? 1 : NaN;
  if (base === 0 && exponent < 0) {
    throw new PgError('invalid_argument_for_power_function', 'zero raised to a negative power is undefined');
  }
  if (base < 0 && Math.floor(exponent) !== exponent) {
    throw new PgError('invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result');
  }
  if (Math.abs(exponent) === Infinity) {
    const size = Math.abs(base);
    if (size === 1) return 1;
    return exponent > 0 === size > 1 ? Infinity : 0;
  }
  if (Math.abs(base) === Infinity) return libm.pow(base, exponent);
  const result = libm.pow(base, exponent);
  if (Math.abs(result) === Infinity) throw overflow();
  if (result === 0 && base !== 0) throw underflow();
  return result;
}

function dsqrt(a: number): number {
  if (a < 0) throw new PgError('invalid_argument_for_power_function', 'cannot take square root of a negative number');
  return Math.sqrt(a);
}

/** For functions that have no value at infinity. */
function finite(fn: (value: number) => number): (a: number) => number {
  return (a) => {
    if (a === Infinity || a === -Infinity) throw domainError();
    return fn(a);
  };
}

function within(low: number, high: number, fn: (value: number) => number): (a: number) => number {
  return (a) => {
    if (a < low || a > high) throw domainError();
    return fn(a);
  };
}

// --- trigonometry in degrees: exact at multiples of 30 or 45, as PostgreSQL makes it

const SIN_30 = libm.sin(30 * RADIANS_PER_DEGREE);
const ONE_MINUS_COS_60 = 1 - libm.cos(60 * RADIANS_PER_DEGREE);
const ASIN_0_5 = libm.asin(0.5);
const ACOS_0_5 = libm.acos(0.5);
const ATAN_1_0 = libm.atan(1);

const sind0to30 = (x: number): number => (libm.sin(x * RADIANS_PER_DEGREE) / SIN_30) / 2;
const cosd0to60 = (x: number): number => 1 - ((1 - libm.cos(x * RADIANS_PER_DEGREE)) / ONE_MINUS_COS_60) / 2;
const sindQ1 = (x: number): number => (x <= 30 ? sind0to30(x) : cosd0to60(90 - x));
const cosdQ1 = (x: number): number => (x <= 60 ? cosd0to60(x) : sind0to30(90 - x));
const TAN_45 = sindQ1(45) / cosdQ1(45);
const COT_45 = cosdQ1(45) / sindQ1(45);

/** Folds the angle into the first quadrant: [angle, sign of sine, of cosine, of tangent]. */
function foldDegrees(angle: number): [number, number, number, number] {
  let x = angle % 360;
  let sine = 1, cosine = 1, tangent = 1;
  if (x < 0) {
    x = -x;
    sine = -sine;
    tangent = -tangent;
  }
  if (x > 180) {
    x = 360 - x;
    sine = -sine;
    tangent = -tangent;
  }
  if (x > 90) {
    x = 180 - x;
    cosine = -cosine;
    tangent = -tangent;
  }
  return [x, sine, cosine, tangent];
}

function dsind(a: number): number {
  const [x, sign] = foldDegrees(a);
  return sign * sindQ1(x);
}

function dcosd(a: number): number {
  const [x, , sign] = foldDegrees(a);
  return sign * cosdQ1(x);
}

// Zero is made positive: tand(180) is 0, not -0.
function dtand(a: number): number {
  const [x, , , sign] = foldDegrees(a);
  return (sign * ((sindQ1(x) / cosdQ1(x)) / TAN_45)) + 0;
}

function dcotd(a: number): number {
  const [x, , , sign] = foldDegrees(a);
  return (sign * ((cosdQ1(x) / sindQ1(x)) / COT_45)) + 0;
}

const asind = (x: number): number => (x <= 0.5 ? (libm.asin(x) / ASIN_0_5) * 30 : 90 - (libm.acos(x) / ACOS_0_5) * 60);
const acosd = (x: number): number => (x <= 0.5 ? 90 - (libm.asin(x) / ASIN_0_5) * 30 : (libm.acos(x) / ACOS_0_5) * 60);

// --- random(): PostgreSQL's generator (xoroshiro128**), so that setseed() gives the same sequence

/** Its state: two numbers of 64 bits, each as high and low 32 bits. */
const state = new Int32Array(4);
let seededFor = -1;
const mask = (value: bigint): bigint => BigInt.asUintN(64, value);

/** A forked backend must not repeat its parent's sequence. */
function seedOnce(): void {
  if (seededFor !== session.pid) seedWith(BigInt(`0x${randomHex(8)}`), BigInt(`0x${randomHex(8)}`) | 1n);
}
function seedWith(first: bigint, second: bigint): void {
  seededFor = session.pid;
  [first >> 32n, first, second >> 32n, second].forEach((word, i) => { state[i] = Number(BigInt.asIntN(32, word)); });
}

const TWO_32 = 2 ** 32;
function drandom(): number {
  seedOnce();
  const h0 = state[0]!, l0 = state[1]!, h1 = h0 ^ state[2]!, l1 = l0 ^ state[3]!;
  // (first * 5, rotated by 7) * 9
  const five = (l0 >>> 0) * 5, low5 = five | 0, high5 = (Math.imul(h0, 5) + Math.floor(five / TWO_32)) | 0;
  const nine = (((low5 << 7) | (high5 >>> 25)) >>> 0) * 9;
  const high = (Math.imul((high5 << 7) | (low5 >>> 25), 9) + Math.floor(nine / TWO_32)) >>> 0;
  // first: rotated by 24, ^ both ^ both << 16; second: both, rotated by 37
  state[0] = ((h0 << 24) | (l0 >>> 8)) ^ h1 ^ ((h1 << 16) | (l1 >>> 16));
  state[1] = ((l0 << 24) | (h0 >>> 8)) ^ l1 ^ (l1 << 16);
  state[2] = (l1 << 5) | (h1 >>> 27);
  state[3] = (h1 << 5) | (l1 >>> 27);
  // The upper 52 bits.
  return (high * 2 ** 20 + (nine % TWO_32 >>> 12)) * 2 ** -52;
}

function setSeed(seed: number): string {
  if (!(seed >= -1 && seed <= 1)) {
    throw new PgError('invalid_parameter_value', `setseed parameter ${String(seed)} is out of allowed range [-1,1]`);
  }
  let sum = mask(BigInt(Math.trunc((2 ** 52 - 1) * seed)));
  const split = (): bigint => {
    sum = mask(sum + 0x9e3779b97f4a7c15n);
    let value = sum;
    value = mask((value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n);
    value = mask((value ^ (value >> 27n)) * 0x94d049bb133111ebn);
    return value ^ (value >> 31n);
  };
  seedWith(split(), split());
  return '';
}

/** SET seed TO n is setseed(n), when it is said and not when a rollback takes it back. */
let seedSaid = false;
defineHooks('seed', {
  check(value, source) {
    seedSaid = source === 'session';
    return value;
  },
  assign(value) {
    if (seedSaid) setSeed(value as number);
    seedSaid = false;
  },
  show: () => 'unavailable',
});

function bucketError(message: string): PgError {
  return new PgError('invalid_argument_for_width_bucket_function', message);
}

function widthBucket(operand: number, low: number, high: number, count: number): number {
  if (count <= 0) throw bucketError('count must be greater than zero');
  if (operand !== operand || low !== low || high !== high) {
    throw bucketError('operand, lower bound, and upper bound cannot be NaN');
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) throw bucketError('lower and upper bounds must be finite');
  if (low === high) throw bucketError('lower bound cannot equal upper bound');
  const ascending = low < high;
  if (ascending ? operand < low : operand > low) return 0;
  if (ascending ? operand >= high : operand <= high) {
    if (count === INT4_MAX) throw outOfRange('integer');
    return count + 1;
  }
  // The order of operations is PostgreSQL 15's; halving keeps the differences finite, where it lets them overflow.
  const scale = Number.isFinite(high - low) ? 1 : 0.5;
  const part = ascending ? operand * scale - low * scale : low * scale - operand * scale;
  return Math.trunc((count * part) / Math.abs(high * scale - low * scale)) + 1;
}

registerBuiltins({
  pure: {
    dexp,
    dlog1: logarithm(libm.log),
    dlog10: logarithm(libm.log10),
    dpow,
    dsqrt,
    dcbrt: libm.cbrt,
    dround: roundHalfEven,
    dceil: Math.ceil,
    dfloor: Math.floor,
    dtrunc: Math.trunc,
    dsign: (a: number) => (a > 0 ? 1 : a < 0 ? -1 : 0),
    dsin: finite(libm.sin),
    dcos: finite(libm.cos),
    dtan: finite(libm.tan),
    dcot: finite((a) => 1 / libm.tan(a)),
    dasin: within(-1, 1, libm.asin),
    dacos: within(-1, 1, libm.acos),
    datan: libm.atan,
    datan2: libm.atan2,
    dsinh: libm.sinh,
    dcosh: libm.cosh,
    dtanh: libm.tanh,
    dasinh: libm.asinh,
    dacosh: within(1, Infinity, libm.acosh),
    datanh: within(-1, 1, libm.atanh),
    dsind: finite(dsind),
    dcosd: finite(dcosd),
    dtand: finite(dtand),
    dcotd: finite(dcotd),
    dasind: within(-1, 1, (a) => (a >= 0 ? asind(a) : -asind(-a))),
    dacosd: within(-1, 1, (a) => (a >= 0 ? acosd(a) : 90 + asind(-a))),
    datand: (a: number) => (libm.atan(a) / ATAN_1_0) * 45,
    datan2d: (a: number, b: number) => (libm.atan2(a, b) / ATAN_1_0) * 45,
    degrees: (a: number) => float8Divide(a, RADIANS_PER_DEGREE),
    radians: (a: number) => float8Multiply(a, RADIANS_PER_DEGREE),
    dpi: () => Math.PI,
    drandom,
    setseed: setSeed,
    width_bucket_float8: widthBucket,
  },
});
