// real and double precision: numbers; a real is always rounded by Math.fround.
import { PgError } from '../../common/errors.ts';
import { settings } from '../utils/settings.ts';
import type { Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { divisionByZero, invalidInput, outOfRange } from './errors.ts';
import { INT2_MAX, INT2_MIN, INT4_MAX, INT4_MIN } from './int.ts';
import { checkInt8 } from './int8.ts';
import { receiveAll, sendFloat32, sendFloat64 } from './wire.ts';

export function overflow(): PgError {
  return new PgError('numeric_value_out_of_range', 'value out of range: overflow');
}

export function underflow(): PgError {
  return new PgError('numeric_value_out_of_range', 'value out of range: underflow');
}

const NUMBER =
  /^[ \t\n\v\f\r]*(([+-]?)(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?)|(inf(?:inity)?|nan)))[ \t\n\v\f\r]*$/i;

function parseHexFloat(text: string): number {
  const match = /^0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i.exec(text)!;
  const mantissa = Number(BigInt(`0x0${match[1]}${match[2]}`));
  return mantissa * 2 ** (Number(match[3] ?? 0) - 4 * match[2]!.length);
}

/** What strtod and PostgreSQL's additions accept. `round` makes a real of it. */
function parseFloating(text: string, typeName: string, round: (value: number, digits: string | undefined) => number): number {
  const match = NUMBER.exec(text);
  if (match === null) {
    // Only for the order of PostgreSQL's checks: hexadecimal has to be tried before decimal "0".
    throw invalidInput(typeName, text);
  }
  const word = match[5];
  let value: number;
  if (word !== undefined) {
    value = /^n/i.test(word) ? NaN : Infinity;
    return match[2] === '-' ? -value : value;
  }
  const digits = match[3];
  value = digits === undefined ? parseHexFloat(match[4]!) : Number(digits);
  const rounded = round(value, digits);
  if (rounded === Infinity || (rounded === 0 && isNotZero(digits ?? match[4]!))) {
    throw new PgError('numeric_value_out_of_range', `"${match[1]}" is out of range for type ${typeName}`);
  }
  return match[2] === '-' ? -rounded : rounded;
}

function isNotZero(digits: string): boolean {
  return /^0x/i.test(digits) ? /[1-9a-f]/i.test(digits.slice(2).replace(/p.*$/i, '')) : /[1-9]/.test(digits.replace(/e.*$/i, ''));
}

function isDecimal(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 48 || code > 57) && code !== 46 && code !== 45 && code !== 43 && code !== 101 && code !== 69) return false;
  }
  return true;
}

export function float8In(text: string): number {
  // The usual case: Number() knows the same decimal syntax. What it may see differently goes the long way: zero (which
  // may be an underflow), infinity, and all but digits, signs, point and e.
  if (isDecimal(text)) {
    const value = Number(text);
    if (value !== 0 && Number.isFinite(value)) return value;
  }
  return parseFloating(text, 'double precision', (value) => value);
}

function float4In(text: string): number {
  return parseFloating(text, 'real', roundToReal);
}

/** A decimal text's value as a real. Halfway between two of them the double is rounded already: the text decides. */
function roundToReal(value: number, digits: string | undefined): number {
  const rounded = Math.fround(value);
  bits.setFloat64(0, value);
  if (digits === undefined || rounded === value || (bits.getUint32(4) & 0x1fffffff) !== 0x10000000) return rounded;
  const side = compareWithText(value, digits);
  return side === 0 ? rounded : Math.fround(value * (1 + Math.sign(side) * 2 ** -40));
}
const bits = new DataView(new ArrayBuffer(8));

/** Whether the decimal text, without a sign, means more (1), less (-1) or just as much (0) as the number. */
function compareWithText(value: number, digits: string): number {
  const [, whole, fraction = '', exponent = '0'] = /^(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(digits)!;
  let text = BigInt(`0${whole}${fraction}`), number = 1n;
  let shift = 0;
  for (; value > Number.MAX_SAFE_INTEGER; shift--) value /= 2;
  for (; !Number.isInteger(value); shift++) value *= 2;
  number = BigInt(value);
  const tens = Number(exponent) - fraction.length;
  if (tens >= 0) text *= 10n ** BigInt(tens);
  else number *= 10n ** BigInt(-tens);
  if (shift >= 0) text <<= BigInt(shift);
  else number <<= BigInt(-shift);
  return text > number ? 1 : text < number ? -1 : 0;
}

/** Digits d1d2d3... and exponent in the notation of printf's %g, whose limit for the fixed form is `limit`. */
function layOut(exponential: string, limit: number): string {
  const at = exponential.indexOf('e');
  const exponent = Number(exponential.slice(at + 1));
  let sign = '';
  let mantissa = exponential.slice(0, at);
  if (mantissa.startsWith('-')) {
    sign = '-';
    mantissa = mantissa.slice(1);
  }
  let digits = mantissa.replace('.', '');
  let end = digits.length;
  while (end > 1 && digits.charCodeAt(end - 1) === 48) end--;
  digits = digits.slice(0, end);
  if (exponent < -4 || exponent >= limit) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = Math.abs(exponent);
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits + '0'.repeat(exponent + 1 - digits.length);
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function special(value: number): string {
  if (value !== value) return 'NaN';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return value > 0 ? 'Infinity' : '-Infinity';
}

/**
 * JavaScript rounds exact halves away from zero, C to even. `text` has `extra` more digits than wanted: cuts them off, and
 * when they say exactly one half and the digit before them is even, that is the result; else undefined.
 */
function evenTie(text: string, extra: number): string | undefined {
  const tail = text.slice(-extra);
  if (tail[0] !== '5' || /[1-9]/.test(tail.slice(1))) return undefined;
  const kept = text.slice(0, -extra);
  return Number(/(\d)\.?$/.exec(kept)![1]) % 2 === 0 ? kept.replace(/\.$/, '') : undefined;
}

/** printf's %.<digits>e, but for the exponent, which is JavaScript's. */
export function exponentialForm(value: number, digits: number): string {
  if (Object.is(value, -0)) return `-${exponentialForm(0, digits)}`;
  if (digits + 25 <= 100) {
    const [mantissa, exponent] = value.toExponential(digits + 25).split('e') as [string, string];
    const tie = evenTie(mantissa, 25);
    if (tie !== undefined) return `${tie}e${exponent}`;
  }
  return value.toExponential(digits);
}

/** printf's %.<scale>f. */
export function fixedForm(value: number, scale: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return `-${fixedForm(0, scale)}`;
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (scale > 0 ? `.${'0'.repeat(scale)}` : '');
  if (scale > 100) return value.toFixed(100) + '0'.repeat(scale - 100);
  return (scale + 25 <= 100 ? evenTie(value.toFixed(scale + 25), 25) : undefined) ?? value.toFixed(scale);
}

/** printf's %.<digits>g, to which no digits are one. */
export function formatG(value: number, digits: number): string {
  if (digits < 1) return formatG(value, 1);
  if (value === 0 || !Number.isFinite(value)) return special(value);
  return layOut(exponentialForm(value, digits - 1), digits);
}

export function float8Out(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return special(value);
  if (settings.extra_float_digits <= 0) return formatG(value, 15 + settings.extra_float_digits);
  const size = Math.abs(value);
  // JavaScript prints the shortest digits too, and in the same notation within this range.
  if (size >= 1e-4 && size < 1e15) return String(value);
  return layOut(size >= 18014398509481984 && size < 1e45 ? insideInterval(value) : value.toExponential(), 15);
}

/**
 * PostgreSQL wants digits strictly inside the interval of numbers that round to the value; JavaScript takes those on its
 * very border too when they round to even (1e23). Only integers beyond 2^54 can meet the border with few digits.
 */
function insideInterval(value: number): string {
  const shortest = value.toExponential();
  const exact = BigInt(value);
  const ulp = 1n << BigInt((exact < 0n ? -exact : exact).toString(2).length - 53);
  const onBorder = (text: string): boolean => {
    const distance = BigInt(expandInteger(text)) - exact;
    return distance * 2n === ulp || distance * -2n === ulp;
  };
  if (!onBorder(shortest)) return shortest;
  for (let digits = shortest.replace(/e.*|[-.]/g, '').length; digits < 16; digits++) {
    const longer = value.toExponential(digits);
    if (Number(longer) === value && !onBorder(longer)) return longer;
  }
  return value.toExponential(16);
}

/** "1.5e+23" without its exponent. */
function expandInteger(text: string): string {
  const [mantissa, exponent] = text.split('e') as [string, string];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  return whole + fraction.padEnd(Number(exponent), '0');
}

function float4Out(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return special(value);
  if (settings.extra_float_digits <= 0) return formatG(value, 6 + settings.extra_float_digits);
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toExponential(digits - 1);
    if (insideRealInterval(Number(text), value)) return layOut(digits === 6 ? shortenReal(value, text) : text, 6);
  }
  return layOut(value.toExponential(8), 6);
}

/** Whether a decimal rounds to this real and is not exactly half-way to its neighbour (see insideInterval). */
function insideRealInterval(decimal: number, value: number): boolean {
  if (Math.fround(decimal) !== value) return false;
  const mirrored = value + 2 * (decimal - value);
  return mirrored === value || Math.fround(mirrored) !== mirrored;
}

/** Fewer than six digits may do, for tiny (denormal) values only. */
function shortenReal(value: number, text: string): string {
  if (Math.abs(value) >= 1.1754944e-38) return text;
  for (let digits = 1; digits < 6; digits++) {
    const shorter = value.toExponential(digits - 1);
    if (insideRealInterval(Number(shorter), value)) return shorter;
  }
  return text;
}

// --- arithmetic: a result may be infinite or zero only if an argument explains it

export function float8Add(a: number, b: number): number {
  const sum = a + b;
  if ((sum === Infinity || sum === -Infinity) && Number.isFinite(a) && Number.isFinite(b)) throw overflow();
  return sum;
}

export function float8Subtract(a: number, b: number): number {
  const difference = a - b;
  if ((difference === Infinity || difference === -Infinity) && Number.isFinite(a) && Number.isFinite(b)) throw overflow();
  return difference;
}

export function float8Multiply(a: number, b: number): number {
  const product = a * b;
  if ((product === Infinity || product === -Infinity) && Number.isFinite(a) && Number.isFinite(b)) throw overflow();
  if (product === 0 && a !== 0 && b !== 0) throw underflow();
  return product;
}

export function float8Divide(a: number, b: number): number {
  if (b === 0 && a === a) throw divisionByZero();
  const quotient = a / b;
  if ((quotient === Infinity || quotient === -Infinity) && Number.isFinite(a)) throw overflow();
  if (quotient === 0 && a !== 0 && Number.isFinite(b)) throw underflow();
  return quotient;
}

function checkReal(result: number, infiniteOk: boolean, zeroOk: boolean): number {
  const rounded = Math.fround(result);
  if ((rounded === Infinity || rounded === -Infinity) && !infiniteOk) throw overflow();
  if (rounded === 0 && !zeroOk) throw underflow();
  return rounded;
}
const anyInfinite = (a: number, b: number): boolean => Math.abs(a) === Infinity || Math.abs(b) === Infinity;
const float4Add = (a: number, b: number): number => checkReal(a + b, anyInfinite(a, b), true);
const float4Subtract = (a: number, b: number): number => checkReal(a - b, anyInfinite(a, b), true);
const float4Multiply = (a: number, b: number): number => checkReal(a * b, anyInfinite(a, b), a === 0 || b === 0);
const float4Divide = (a: number, b: number): number => {
  if (b === 0 && a === a) throw divisionByZero();
  return checkReal(a / b, Math.abs(a) === Infinity, a === 0 || Math.abs(b) === Infinity);
};

// --- comparison: all NaN are equal, and larger than everything else

export const floatEquals = (a: number, b: number): boolean => a === b || (a !== a && b !== b);
const ne = (a: number, b: number): boolean => !floatEquals(a, b);
export const floatLess = (a: number, b: number): boolean => a < b || (b !== b && a === a);
const le = (a: number, b: number): boolean => a <= b || b !== b;
const gt = (a: number, b: number): boolean => a > b || (a !== a && b === b);
const ge = (a: number, b: number): boolean => a >= b || a !== a;
export const floatCompare = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : a === b ? 0 : a !== a ? (b !== b ? 0 : 1) : -1;
const larger = (a: number, b: number): number => (gt(a, b) ? a : b);
const smaller = (a: number, b: number): number => (floatLess(a, b) ? a : b);

// --- conversions

/** C's rint: to the nearest integer, halves to even. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded === 0 ? Math.trunc(value * 0.5) : rounded;
}

function toInt2(value: number): number {
  const rounded = roundHalfEven(value) + 0;
  if (!(rounded >= INT2_MIN && rounded <= INT2_MAX)) throw outOfRange('smallint');
  return rounded;
}

function toInt4(value: number): number {
  const rounded = roundHalfEven(value) + 0;
  if (!(rounded >= INT4_MIN && rounded <= INT4_MAX)) throw outOfRange('integer');
  return rounded;
}

function floatToInt8(value: number): Int8 {
  const rounded = roundHalfEven(value) + 0;
  if (Number.isSafeInteger(rounded)) return rounded;
  if (!Number.isFinite(rounded)) throw outOfRange('bigint');
  return checkInt8(BigInt(rounded));
}

function float8ToFloat4(value: number): number {
  return checkReal(value, Math.abs(value) === Infinity, value === 0);
}

const same = (value: number): number => value;

function inRange(value: number, base: number, offset: number, sub: boolean, less: boolean): boolean {
  if (offset !== offset || offset < 0) {
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
  if (value !== value) return base !== base ? true : !less;
  if (base !== base) return less;
  if (offset === Infinity && (sub ? base === Infinity : base === -Infinity)) return true;
  const bound = sub ? base - offset : base + offset;
  return less ? value <= bound : value >= bound;
}

registerBuiltins({
  pure: {
    float8in: float8In,
    float8out: float8Out,
    float8recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.float64()),
    float8send: sendFloat64,
    float4in: float4In,
    float4out: float4Out,
    float4recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.float32()),
    float4send: sendFloat32,

    float8pl: float8Add, float8mi: float8Subtract, float8mul: float8Multiply, float8div: float8Divide,
    float48pl: float8Add, float48mi: float8Subtract, float48mul: float8Multiply, float48div: float8Divide,
    float84pl: float8Add, float84mi: float8Subtract, float84mul: float8Multiply, float84div: float8Divide,
    float4pl: float4Add, float4mi: float4Subtract, float4mul: float4Multiply, float4div: float4Divide,
    float8um: (a: number) => -a, float4um: (a: number) => -a,
    float8up: same, float4up: same,
    float8abs: Math.abs, float4abs: Math.abs,
    float8larger: larger, float4larger: larger, float8smaller: smaller, float4smaller: smaller,

    float8eq: floatEquals, float8ne: ne, float8lt: floatLess, float8le: le, float8gt: gt, float8ge: ge, btfloat8cmp: floatCompare,
    float4eq: floatEquals, float4ne: ne, float4lt: floatLess, float4le: le, float4gt: gt, float4ge: ge, btfloat4cmp: floatCompare,
    float48eq: floatEquals, float48ne: ne, float48lt: floatLess, float48le: le, float48gt: gt, float48ge: ge, btfloat48cmp: floatCompare,
    float84eq: floatEquals, float84ne: ne, float84lt: floatLess, float84le: le, float84gt: gt, float84ge: ge, btfloat84cmp: floatCompare,

    i2tod: same, i4tod: same, i2tof: same,
    i4tof: Math.fround,
    i8tod: Number,
    i8tof: (value: Int8) => Math.fround(Number(value)),
    ftod: same,
    dtof: float8ToFloat4,
    ftoi2: toInt2, dtoi2: toInt2, ftoi4: toInt4, dtoi4: toInt4, ftoi8: floatToInt8, dtoi8: floatToInt8,

    in_range_float8_float8: inRange, in_range_float4_float8: inRange,
  },
});
