// Functions between date and time types: comparison of unlike ones, differences and ages, bins, series, window ranges.
import { PgError } from '../../common/errors.ts';
import { compareInt8, daysInMonth, fitsInt64, isInfinite, isValidTimestamp, subtractInt8, timestampToTm, Tm,
  USECS_PER_DAY } from './calendar.ts';
import { compareIntervals } from './compare.ts';
import { dateToTimestamp, dateToTimestampOr, dateToTimestampTzOr } from './date.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { INT8_MAX, INT8_MIN, int8, type Int8, Interval } from './datum.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { checkedInterval, intervalOutOfRange, justifyHours } from './interval.ts';
import { invalidParameter } from './errors.ts';
import { checkOffset, overlaps } from './time.ts';
import { timestampOutOfRange, timestampPlus, timestampToTimestampTzOr, timestampTzPlus } from './timestamp.ts';
import { toLocal } from './timezone.ts';

/** Compares a converted value that may lie beyond all finite timestamps. */
function compareConverted(a: Int8 | 'high' | 'low', b: Int8): number {
  if (a === 'high') return b === INT8_MAX ? -1 : 1;
  if (a === 'low') return b === INT8_MIN ? 1 : -1;
  return compareInt8(a, b);
}

const dateTimestamp = (date: number, timestamp: Int8): number => compareConverted(dateToTimestampOr(date), timestamp);
const dateTimestampTz = (date: number, timestamp: Int8): number => compareConverted(dateToTimestampTzOr(date), timestamp);
const timestampTimestampTz = (a: Int8, b: Int8): number => compareConverted(timestampToTimestampTzOr(a), b);
const swap = (compare: (a: any, b: any) => number) => (a: any, b: any): number => 0 - compare(b, a);

/** The seven functions of a pair of types: left_eq_right, left_cmp_right, ... */
function comparisons(left: string, right: string, compare: (a: any, b: any) => number): Record<string, PureFunction> {
  return {
    [`${left}_eq_${right}`]: (a, b) => compare(a, b) === 0,
    [`${left}_ne_${right}`]: (a, b) => compare(a, b) !== 0,
    [`${left}_lt_${right}`]: (a, b) => compare(a, b) < 0,
    [`${left}_le_${right}`]: (a, b) => compare(a, b) <= 0,
    [`${left}_gt_${right}`]: (a, b) => compare(a, b) > 0,
    [`${left}_ge_${right}`]: (a, b) => compare(a, b) >= 0,
    [`${left}_cmp_${right}`]: compare,
  };
}

function subtractTimestamps(a: Int8, b: Int8): Interval {
  if (isInfinite(a) || isInfinite(b)) {
    throw new PgError('datetime_field_overflow', 'cannot subtract infinite timestamps');
  }
  // Beyond 64 bits it is wrong, as PostgreSQL's is.
  const time = subtractInt8(a, b);
  return justifyHours(new Interval(0, 0, typeof time === 'bigint' ? int8(BigInt.asIntN(64, time)) : time));
}

const early = new Tm(), late = new Tm();

/** age: the difference in years, months, days and time, as one would say it. */
function age(a: Int8, b: Int8): Interval {
  if (a === INT8_MIN || b === INT8_MIN) throw timestampOutOfRange();
  timestampToTm(a, late);
  timestampToTm(b, early);
  const negative = a < b;
  const sign = negative ? -1 : 1;
  let usec = sign * (late.usec - early.usec), sec = sign * (late.sec - early.sec), min = sign * (late.min - early.min);
  let hour = sign * (late.hour - early.hour), day = sign * (late.mday - early.mday);
  let month = sign * (late.mon - early.mon), year = sign * (late.year - early.year);
  while (usec < 0) { usec += 1000000; sec--; }
  while (sec < 0) { sec += 60; min--; }
  while (min < 0) { min += 60; hour--; }
  while (hour < 0) { hour += 24; day--; }
  const from = negative ? late : early; // the month whose length counts is that of the earlier one
  while (day < 0) { day += daysInMonth(from.year, from.mon); month--; }
  while (month < 0) { month += 12; year--; }
  const time = ((hour * 60 + min) * 60 + sec) * 1000000 + usec;
  return checkedInterval(sign * (year * 12 + month), sign * day, sign * time + 0);
}

/** date_bin: the start of the bin of width `stride`, counted from `origin`, that holds the timestamp. */
function bin(stride: Interval, timestamp: Int8, origin: Int8): Int8 {
  if (isInfinite(timestamp)) return timestamp;
  if (isInfinite(origin)) throw new PgError('datetime_field_overflow', 'origin out of range');
  if (stride.months !== 0) {
    throw new PgError('feature_not_supported', 'timestamps cannot be binned into intervals containing months or years');
  }
  const width = BigInt(stride.days) * BigInt(USECS_PER_DAY) + BigInt(stride.time);
  if (!fitsInt64(width)) throw intervalOutOfRange();
  if (width <= 0n) throw new PgError('datetime_field_overflow', 'stride must be greater than zero');
  const start = BigInt(origin);
  const difference = BigInt(timestamp) - start;
  if (!fitsInt64(difference)) throw intervalOutOfRange();
  const rest = difference % width;
  const result = int8(start + difference - rest - (rest < 0n ? width : 0n));
  if (!isValidTimestamp(result)) throw timestampOutOfRange();
  return result;
}

const ZERO = new Interval(0, 0, 0);

function* series(start: Int8, finish: Int8, step: Interval, plus: (a: Int8, b: Interval) => Int8): Generator<Int8> {
  const direction = compareIntervals(step, ZERO);
  if (direction === 0) throw invalidParameter('step size cannot equal zero');
  let current = start;
  while (direction > 0 ? current <= finish : current >= finish) {
    yield current;
    current = plus(current, step);
  }
}

/** in_range(value, base, offset, subtract, less): may the frame reach that far? */
function inRange(value: Int8, base: Int8, offset: Interval, subtract: boolean, less: boolean,
  plus: (a: Int8, b: Interval) => Int8): boolean {
  checkOffset(offset, compareIntervals);
  const { months, days, time } = offset;
  const bound = plus(base, subtract
    ? new Interval(0 - months, 0 - days, typeof time === 'number' ? 0 - time : -time)
    : offset);
  return less ? value <= bound : value >= bound;
}

const plusTz = (timestamp: Int8, span: Interval): Int8 => timestampTzPlus(timestamp, span);
const negated = ({ months, days, time }: Interval): Interval =>
  new Interval(0 - months, 0 - days, typeof time === 'number' ? 0 - time : -time);

registerBuiltins({
  pure: {
    ...comparisons('date', 'timestamp', dateTimestamp),
    ...comparisons('date', 'timestamptz', dateTimestampTz),
    ...comparisons('timestamp', 'date', swap(dateTimestamp)),
    ...comparisons('timestamptz', 'date', swap(dateTimestampTz)),
    ...comparisons('timestamp', 'timestamptz', timestampTimestampTz),
    ...comparisons('timestamptz', 'timestamp', swap(timestampTimestampTz)),
    timestamp_mi: subtractTimestamps,
    timestamp_age: age,
    timestamptz_age: (a: Int8, b: Int8) => {
      const zone = datetimeSettings.timeZone;
      return age(toLocal(a, zone), toLocal(b, zone));
    },
    timestamp_bin: bin,
    timestamptz_bin: bin,
    date_pl_interval: (date: number, span: Interval) => timestampPlus(dateToTimestamp(date), span),
    date_mi_interval: (date: number, span: Interval) => timestampPlus(dateToTimestamp(date), negated(span)),
    overlaps_timestamp: (a: Int8 | null, b: Int8 | null, c: Int8 | null, d: Int8 | null) =>
      overlaps(a, b, c, d, compareInt8),
    in_range_timestamp_interval: (value: Int8, base: Int8, offset: Interval, subtract: boolean, less: boolean) =>
      inRange(value, base, offset, subtract, less, timestampPlus),
    in_range_timestamptz_interval: (value: Int8, base: Int8, offset: Interval, subtract: boolean, less: boolean) =>
      inRange(value, base, offset, subtract, less, plusTz),
    in_range_date_interval: (value: number, base: number, offset: Interval, subtract: boolean, less: boolean) =>
      inRange(dateToTimestamp(value), dateToTimestamp(base), offset, subtract, less, timestampPlus),
    daterange_subdiff: (a: number, b: number) => a - b,
    tsrange_subdiff: (a: Int8, b: Int8) => (Number(a) - Number(b)) / 1000000,
    tstzrange_subdiff: (a: Int8, b: Int8) => (Number(a) - Number(b)) / 1000000,
  },
  set: {
    generate_series_timestamp: (_context, start: Int8, finish: Int8, step: Interval) =>
      series(start, finish, step, timestampPlus),
    generate_series_timestamptz: (_context, start: Int8, finish: Int8, step: Interval) =>
      series(start, finish, step, plusTz),
  },
});
