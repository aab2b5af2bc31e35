// interval: months, days and microseconds, kept apart. Input, output, arithmetic and aggregates.
import { PgError, internalError } from '../../common/errors.ts';
import { addInt8, fitsInt64, negateInt8, USECS_PER_DAY, USECS_PER_HOUR, USECS_PER_MINUTE } from './calendar.ts';
import { compareIntervals, intervalSpan } from './compare.ts';
import { encodeInterval } from './datetime_encode.ts';
import { rint } from './datetime_scan.ts';
import { INTERVAL_FULL_PRECISION, INTERVAL_FULL_RANGE, I_DAY, I_HOUR, I_MINUTE, I_MONTH, I_SECOND, I_YEAR }
  from './datetime_tokens.ts';
import { type ArrayValue, int8, type Int8, Interval, makeArray } from './datum.ts';
import { divisionByZero } from './errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { decodeInterval } from './interval_decode.ts';
import { INTERVALOID } from './oids.ts';
import { checkOffset } from './time.ts';
import { sendInt64, WireReader } from './wire.ts';

const DAYS_PER_MONTH = 30;
const SECS_PER_DAY = 86400;

export function intervalOutOfRange(): PgError {
  return new PgError('datetime_field_overflow', 'interval out of range');
}

const fitsInt32 = (value: number): boolean => value >= -2147483648 && value <= 2147483647;

/** An interval of these parts, if they fit. */
export function checkedInterval(months: number, days: number, time: Int8): Interval {
  if (!fitsInt32(months) || !fitsInt32(days) || !fitsInt64(time)) throw intervalOutOfRange();
  return new Interval(months + 0, days + 0, time);
}

/** Takes off what is below a unit, towards zero. */
function truncateTime(time: Int8, unit: number): Int8 {
  return typeof time === 'number' ? Math.trunc(time / unit) * unit + 0 : int8((time / BigInt(unit)) * BigInt(unit));
}

const ROUNDED = [1000000, 100000, 10000, 1000, 100, 10, 1];

/** AdjustIntervalForTypmod: field qualifiers cut off what is below them, a precision rounds. */
function adjustInterval(value: Interval, typmod: number): Interval {
  if (typmod < 0) return value;
  const range = (typmod >> 16) & 0x7fff;
  const precision = typmod & 0xffff;
  let { months, days, time } = value;
  switch (range) {
    case INTERVAL_FULL_RANGE:
      break;
    case I_YEAR:
      months = Math.trunc(months / 12) * 12 + 0;
      days = 0;
      time = 0;
      break;
    case I_MONTH: case I_YEAR | I_MONTH:
      days = 0;
      time = 0;
      break;
    case I_DAY:
      time = 0;
      break;
    case I_HOUR: case I_DAY | I_HOUR:
      time = truncateTime(time, USECS_PER_HOUR);
      break;
    case I_MINUTE: case I_DAY | I_HOUR | I_MINUTE: case I_HOUR | I_MINUTE:
      time = truncateTime(time, USECS_PER_MINUTE);
      break;
    case I_SECOND: case I_DAY | I_HOUR | I_MINUTE | I_SECOND: case I_HOUR | I_MINUTE | I_SECOND: case I_MINUTE | I_SECOND:
      break; // the precision below
    default:
      throw internalError(`unrecognized interval typmod: ${typmod}`);
  }
  if (precision !== INTERVAL_FULL_PRECISION) {
    if (precision > 6) {
      throw new PgError('invalid_parameter_value', `interval(${precision}) precision must be between 0 and 6`);
    }
    const unit = ROUNDED[precision]!;
    const half = unit === 1 ? 0 : unit / 2;
    time = truncateTime(addInt8(time, time >= 0 ? half : -half), unit);
  }
  return new Interval(months, days, time);
}

function intervalIn(text: string, _oid?: number, typmod = -1): Interval {
  return adjustInterval(decodeInterval(text, typmod < 0 ? INTERVAL_FULL_RANGE : (typmod >> 16) & 0x7fff), typmod);
}

function intervalOut(value: Interval): string {
  return encodeInterval(value);
}

export function negateInterval(value: Interval): Interval {
  return checkedInterval(-value.months, -value.days, negateInt8(value.time));
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return checkedInterval(a.months + b.months, a.days + b.days, addInt8(a.time, b.time));
}

function subtractIntervals(a: Interval, b: Interval): Interval {
  return checkedInterval(a.months - b.months, a.days - b.days, addInt8(a.time, negateBig(b.time)));
}

const negateBig = (time: Int8): Int8 => (typeof time === 'number' ? 0 - time : -time);

const roundToMicro = (value: number): number => rint(value * 1000000) / 1000000;

/** interval_mul and interval_div: fractions of months go into days, fractions of days into time. */
function scaled(value: Interval, scale: (part: number) => number): Interval {
  const exactMonths = scale(value.months), exactDays = scale(value.days);
  const whole = (exact: number): number => {
    if (Number.isNaN(exact) || exact > 2147483647 || exact < -2147483648) throw intervalOutOfRange();
    return Math.trunc(exact);
  };
  const months = whole(exactMonths);
  let days = whole(exactDays);
  const monthRemainderDays = roundToMicro((exactMonths - months) * DAYS_PER_MONTH);
  let seconds = roundToMicro((exactDays - days + monthRemainderDays - Math.trunc(monthRemainderDays)) * SECS_PER_DAY);
  if (Math.abs(seconds) >= SECS_PER_DAY) {
    const more = Math.trunc(seconds / SECS_PER_DAY);
    days += more;
    seconds -= more * SECS_PER_DAY;
  }
  days += Math.trunc(monthRemainderDays);
  const time = rint(scale(Number(value.time)) + seconds * 1000000);
  if (Number.isNaN(time) || time < -(2 ** 63) || time >= 2 ** 63) throw intervalOutOfRange();
  return checkedInterval(months, days, Number.isSafeInteger(time) ? time + 0 : int8(BigInt(time)));
}

export function multiplyInterval(value: Interval, factor: number): Interval {
  return scaled(value, (part) => part * factor);
}

function divideInterval(value: Interval, divisor: number): Interval {
  if (divisor === 0) throw divisionByZero();
  return scaled(value, (part) => part / divisor);
}

/** Whole days of a time, and the rest. */
function splitDays(time: Int8): [days: number, rest: number] {
  if (typeof time === 'number') {
    const days = Math.trunc(time / USECS_PER_DAY) + 0;
    return [days, time - days * USECS_PER_DAY];
  }
  const unit = BigInt(USECS_PER_DAY);
  return [Number(time / unit), Number(time % unit)];
}

export function justifyHours(value: Interval): Interval {
  let [days, time] = splitDays(value.time);
  days += value.days;
  if (days > 0 && time < 0) {
    time += USECS_PER_DAY;
    days--;
  } else if (days < 0 && time > 0) {
    time -= USECS_PER_DAY;
    days++;
  }
  return checkedInterval(value.months, days, time);
}

function justifyDays(value: Interval): Interval {
  let months = Math.trunc(value.days / DAYS_PER_MONTH);
  let days = value.days - months * DAYS_PER_MONTH;
  months += value.months;
  if (months > 0 && days < 0) {
    days += DAYS_PER_MONTH;
    months--;
  } else if (months < 0 && days > 0) {
    days -= DAYS_PER_MONTH;
    months++;
  }
  return checkedInterval(months, days, value.time);
}

function justifyInterval(value: Interval): Interval {
  let [days, time] = splitDays(value.time);
  days += value.days;
  let months = Math.trunc(days / DAYS_PER_MONTH);
  days -= months * DAYS_PER_MONTH;
  months += value.months;
  if (!fitsInt32(months)) throw intervalOutOfRange();
  if (months > 0 && (days < 0 || (days === 0 && time < 0))) {
    days += DAYS_PER_MONTH;
    months--;
  } else if (months < 0 && (days > 0 || (days === 0 && time > 0))) {
    days -= DAYS_PER_MONTH;
    months++;
  }
  if (days > 0 && time < 0) {
    time += USECS_PER_DAY;
    days--;
  } else if (days < 0 && time > 0) {
    time -= USECS_PER_DAY;
    days++;
  }
  return checkedInterval(months, days, time);
}

function makeInterval(years: number, months: number, weeks: number, days: number, hours: number, mins: number,
  secs: number): Interval {
  if (!Number.isFinite(secs)) throw intervalOutOfRange();
  const usecs = rint(secs * 1000000);
  if (Math.abs(usecs) >= 2 ** 63) throw intervalOutOfRange();
  const time = int8(BigInt(hours) * BigInt(USECS_PER_HOUR) + BigInt(mins) * BigInt(USECS_PER_MINUTE) + BigInt(usecs));
  return checkedInterval(years * 12 + months, weeks * 7 + days, time);
}

/** Transition values of avg(interval): an array of the sum, and the count in place of a time. */
function accumulate(state: ArrayValue, value: Interval, sign: 1 | -1): ArrayValue {
  const [sum, count] = state.values as [Interval, Interval];
  const newSum = sign > 0 ? addIntervals(sum, value) : subtractIntervals(sum, value);
  return makeArray(INTERVALOID, [newSum, new Interval(0, 0, addInt8(count.time, sign))]);
}

registerBuiltins({
  pure: {
    interval_in: intervalIn,
    interval_out: intervalOut,
    interval_recv: (bytes: Uint8Array, _oid: number, typmod: number) => {
      const reader = new WireReader(bytes);
      const time = reader.int64(), days = reader.int32(), months = reader.int32();
      reader.end();
      return adjustInterval(new Interval(months, days, time), typmod ?? -1);
    },
    interval_send: (value: Interval) => {
      const bytes = Buffer.allocUnsafe(16);
      bytes.set(sendInt64(value.time));
      bytes.writeInt32BE(value.days, 8);
      bytes.writeInt32BE(value.months, 12);
      return bytes;
    },
    interval_scale: adjustInterval,
    interval_finite: () => true,
    interval_eq: (a: Interval, b: Interval) => compareIntervals(a, b) === 0,
    interval_ne: (a: Interval, b: Interval) => compareIntervals(a, b) !== 0,
    interval_lt: (a: Interval, b: Interval) => compareIntervals(a, b) < 0,
    interval_le: (a: Interval, b: Interval) => compareIntervals(a, b) <= 0,
    interval_gt: (a: Interval, b: Interval) => compareIntervals(a, b) > 0,
    interval_ge: (a: Interval, b: Interval) => compareIntervals(a, b) >= 0,
    interval_cmp: compareIntervals,
    interval_larger: (a: Interval, b: Interval) => (compareIntervals(a, b) > 0 ? a : b),
    interval_smaller: (a: Interval, b: Interval) => (compareIntervals(a, b) < 0 ? a : b),
    interval_um: negateInterval,
    interval_pl: addIntervals,
    interval_mi: subtractIntervals,
    interval_mul: multiplyInterval,
    mul_d_interval: (factor: number, value: Interval) => multiplyInterval(value, factor),
    interval_div: divideInterval,
    interval_justify_hours: justifyHours,
    interval_justify_days: justifyDays,
    interval_justify_interval: justifyInterval,
    make_interval: makeInterval,
    interval_accum: (state: ArrayValue, value: Interval) => accumulate(state, value, 1),
    interval_accum_inv: (state: ArrayValue, value: Interval) => accumulate(state, value, -1),
    interval_combine: (a: ArrayValue, b: ArrayValue) => {
      const [sum1, count1] = a.values as [Interval, Interval];
      const [sum2, count2] = b.values as [Interval, Interval];
      return makeArray(INTERVALOID, [addIntervals(sum1, sum2), new Interval(0, 0, addInt8(count1.time, count2.time))]);
    },
    interval_avg: (state: ArrayValue) => {
      if (state.values.length !== 2 || state.values.includes(null)) throw internalError('expected 2-element interval array');
      const [sum, count] = state.values as [Interval, Interval];
      return count.time === 0 ? null : divideInterval(sum, Number(count.time));
    },
    in_range_interval_interval: (value: Interval, base: Interval, offset: Interval, subtract: boolean, less: boolean) => {
      checkOffset(offset, compareIntervals);
      const bound = subtract ? subtractIntervals(base, offset) : addIntervals(base, offset);
      const order = intervalSpan(value) - intervalSpan(bound);
      return less ? order <= 0n : order >= 0n;
    },
  },
});
