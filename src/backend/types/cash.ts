// money: a number of cents as int8. Shown as in the C locale: $1,234.56.
import { PgError } from '../../common/errors.ts';
import { INT8_MAX, INT8_MIN, int8, type Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { invalidInput, outOfRange, valueOutOfRange } from './errors.ts';
import { float8Divide, float8Multiply, roundHalfEven } from './float.ts';
import { checkInt8, int8Compare, int8Divide, int8Multiply } from './int8.ts';
import { coefficientAt, FINITE, NAN, Numeric } from './numeric.ts';
import { receiveAll, sendInt64 } from './wire.ts';

const SYNTAX = /^\s*(?:\$\s*)?([-+(]?)\s*(?:\$\s*)?([0-9,]*)(?:\.([0-9]*))?\s*((?:\)|-|\+|\$|\s)*)$/;

function cashIn(text: string): Int8 {
  const match = SYNTAX.exec(text);
  const whole = match?.[2]?.replaceAll(',', '') ?? '', fraction = match?.[3] ?? '';
  if (match === null) throw invalidInput('money', text);
  let cents = BigInt(whole + fraction.slice(0, 2).padEnd(2, '0'));
  if (fraction.length > 2 && fraction[2]! >= '5') cents++;
  const negative = match[1] === '-' || match[1] === '(' || match[4]!.includes('-');
  const value = negative ? -cents : cents;
  if (value < INT8_MIN || value > INT8_MAX) throw valueOutOfRange('money', text);
  return int8(value);
}

function cashOut(value: Int8): string {
  const cents = BigInt(value);
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${cents < 0n ? '-' : ''}$${whole}.${digits.slice(-2)}`;
}

function checked(value: bigint): Int8 {
  if (value < INT8_MIN || value > INT8_MAX) throw outOfRange('money');
  return int8(value);
}
const times = (value: Int8, factor: Int8): Int8 => checked(BigInt(value) * BigInt(factor));
function fromFloat(value: number): Int8 {
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) throw outOfRange('money');
  return checked(BigInt(roundHalfEven(value)));
}
const timesFloat = (value: Int8, factor: number): Int8 => fromFloat(float8Multiply(Number(value), factor));
const overFloat = (value: Int8, divisor: number): Int8 => fromFloat(float8Divide(Number(value), divisor));

const SMALL = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve',
  'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'];
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

function belowThousand(value: number): string {
  const rest = value % 100;
  const hundreds = value > 99 ? `${SMALL[Math.floor(value / 100)]} hundred` : '';
  if (value > 99 && rest === 0) return hundreds;
  const prefix = hundreds === '' ? '' : `${hundreds} `;
  if (rest % 10 === 0 && rest > 10) return prefix + TENS[rest / 10]!;
  if (rest < 20) return (prefix === '' ? '' : `${prefix}and `) + SMALL[rest]!;
  return `${prefix}${TENS[Math.floor(rest / 10)]} ${SMALL[rest % 10]}`;
}

function cashWords(value: Int8): string {
  let cents = BigInt(value);
  let text = '';
  if (cents < 0n) {
    cents = -cents;
    text = 'minus ';
  }
  const dollars = cents / 100n;
  ['quadrillion', 'trillion', 'billion', 'million', 'thousand', ''].forEach((unit, i) => {
    const part = Number((dollars / 1000n ** BigInt(5 - i)) % 1000n);
    if (part > 0) text += belowThousand(part) + (unit === '' ? '' : ` ${unit} `);
  });
  if (dollars === 0n) text += 'zero';
  const rest = Number(cents % 100n);
  text += `${dollars === 1n ? ' dollar and ' : ' dollars and '}${belowThousand(rest)}${rest === 1 ? ' cent' : ' cents'}`;
  return text[0]!.toUpperCase() + text.slice(1);
}

function fromNumeric(value: Numeric): Int8 {
  if (value.special !== FINITE) {
    throw new PgError('feature_not_supported', `cannot convert ${value.special === NAN ? 'NaN' : 'infinity'} to bigint`);
  }
  return checkInt8(coefficientAt(value, 2));
}

/** The smallest over -1 is more than the machine can divide. */
function overInteger(a: Int8, b: Int8): Int8 {
  if (a === INT8_MIN && b === -1) {
    throw new PgError('floating_point_exception', 'floating-point exception', { detail: 'An invalid floating-point operation was signaled. This probably means an out-of-range result or an invalid operation, such as division by zero.' });
  }
  return int8Divide(a, b);
}

registerBuiltins({
  pure: {
    cash_in: cashIn,
    cash_out: cashOut,
    cash_recv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.int64()),
    cash_send: sendInt64,
    cash_eq: (a: Int8, b: Int8) => a === b,
    cash_ne: (a: Int8, b: Int8) => a !== b,
    cash_lt: (a: Int8, b: Int8) => a < b,
    cash_le: (a: Int8, b: Int8) => a <= b,
    cash_gt: (a: Int8, b: Int8) => a > b,
    cash_ge: (a: Int8, b: Int8) => a >= b,
    cash_cmp: int8Compare,
    cash_pl: (a: Int8, b: Int8) => checked(BigInt(a) + BigInt(b)),
    cash_mi: (a: Int8, b: Int8) => checked(BigInt(a) - BigInt(b)),
    cash_div_cash: (a: Int8, b: Int8) => float8Divide(Number(a), Number(b)),
    cash_mul_int2: times, cash_mul_int4: times, cash_mul_int8: times,
    int2_mul_cash: times, int4_mul_cash: times, int8_mul_cash: times,
    cash_div_int2: overInteger, cash_div_int4: overInteger, cash_div_int8: overInteger,
    cash_mul_flt4: timesFloat, cash_mul_flt8: timesFloat,
    flt4_mul_cash: (factor: number, value: Int8) => timesFloat(value, factor),
    flt8_mul_cash: (factor: number, value: Int8) => timesFloat(value, factor),
    cash_div_flt4: overFloat, cash_div_flt8: overFloat,
    cashlarger: (a: Int8, b: Int8) => (a > b ? a : b),
    cashsmaller: (a: Int8, b: Int8) => (a < b ? a : b),
    cash_words: cashWords,
    cash_numeric: (value: Int8) => new Numeric(BigInt(value), 2, FINITE),
    numeric_cash: fromNumeric,
    int4_cash: (value: number) => int8Multiply(value, 100),
    int8_cash: (value: Int8) => int8Multiply(value, 100),
  },
});
