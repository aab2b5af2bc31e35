// date: days since 2000-01-01.
import { PgError } from '../../common/errors.ts';
import { date2j, daysInMonth, END_TIMESTAMP_DATE, isValidDate, isValidJulian, isValidTimestamp, j2date, makeTimestamp,
  POSTGRES_EPOCH_JDATE, Tm, USECS_PER_SEC } from './calendar.ts';
import { DateTimeDecoder } from './datetime_decode.ts';
import { encodeDate, isoDay } from './datetime_encode.ts';
import { fastDate } from './datetime_fast.ts';
import { DATE_BUFFER, datetimeParseError, scanDateTime } from './datetime_scan.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { DTK_DATE, DTK_EARLY, DTK_EPOCH, DTK_LATE } from './datetime_tokens.ts';
import { DATE_INFINITY, DATE_NEG_INFINITY, INT8_MAX, INT8_MIN, type Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { fromLocal } from './timezone.ts';
import { receiveAll, sendInt32 } from './wire.ts';

export const isInfiniteDate = (date: number): boolean => date === DATE_INFINITY || date === DATE_NEG_INFINITY;

export function dateOutOfRange(): PgError {
  return new PgError('datetime_field_overflow', 'date out of range');
}

function dateOutOfRangeForTimestamp(): PgError {
  return new PgError('datetime_field_overflow', 'date out of range for timestamp');
}

function dateIn(text: string): number {
  const fast = fastDate(text);
  if (fast === fast) return fast;
  const scanned = scanDateTime(text, DATE_BUFFER);
  if (typeof scanned === 'number') throw datetimeParseError(scanned, text, 'date');
  const decoder = new DateTimeDecoder(scanned);
  const error = decoder.dateTime();
  if (error !== 0) throw datetimeParseError(error, text, 'date');
  switch (decoder.kind) {
    case DTK_DATE: break;
    case DTK_EPOCH: return date2j(1970, 1, 1) - POSTGRES_EPOCH_JDATE;
    case DTK_LATE: return DATE_INFINITY;
    case DTK_EARLY: return DATE_NEG_INFINITY;
    default: throw datetimeParseError(-1, text, 'date');
  }
  const { year, mon, mday } = decoder.tm;
  const outOfRange = (): PgError => new PgError('datetime_field_overflow', `date out of range: "${text}"`);
  if (!isValidJulian(year, mon, mday)) throw outOfRange();
  const date = date2j(year, mon, mday) - POSTGRES_EPOCH_JDATE;
  if (!isValidDate(date)) throw outOfRange();
  return date;
}

const scratch = new Tm();

export function dateOut(date: number): string {
  if (date >= -730119 && datetimeSettings.dateStyle === 'ISO') return date === DATE_INFINITY ? 'infinity' : isoDay(date);
  if (date === DATE_INFINITY) return 'infinity';
  if (date === DATE_NEG_INFINITY) return '-infinity';
  j2date(date + POSTGRES_EPOCH_JDATE, scratch);
  return encodeDate(scratch);
}

/** date2timestamp, or 'high' where timestamps end before the date. */
export function dateToTimestampOr(date: number): Int8 | 'high' {
  if (date === DATE_INFINITY) return INT8_MAX;
  if (date === DATE_NEG_INFINITY) return INT8_MIN;
  return date >= END_TIMESTAMP_DATE ? 'high' : makeTimestamp(date, 0);
}

export function dateToTimestamp(date: number): Int8 {
  const timestamp = dateToTimestampOr(date);
  if (timestamp === 'high') throw dateOutOfRangeForTimestamp();
  return timestamp;
}

/** Midnight of the date in the session's zone, or on which side it is out of range. */
export function dateToTimestampTzOr(date: number): Int8 | 'high' | 'low' {
  const local = dateToTimestampOr(date);
  if (local === 'high' || isInfiniteDate(date)) return local;
  const timestamp = fromLocal(local, datetimeSettings.timeZone);
  if (isValidTimestamp(timestamp)) return timestamp;
  return timestamp < 0 ? 'low' : 'high';
}

function dateToTimestampTz(date: number): Int8 {
  const timestamp = dateToTimestampTzOr(date);
  if (timestamp === 'high' || timestamp === 'low') throw dateOutOfRangeForTimestamp();
  return timestamp;
}

function addDays(date: number, days: number): number {
  if (isInfiniteDate(date)) return date;
  const result = date + days;
  if (!isValidDate(result)) throw dateOutOfRange();
  return result;
}

function makeDate(year: number, month: number, day: number): number {
  const y = year < 0 && year !== -2147483648 ? year + 1 : year; // BC; messages show the year as counted inside
  const shown = `${y}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  const overflow = (): PgError => new PgError('datetime_field_overflow', `date field value out of range: ${shown}`);
  if (year === -2147483648) throw overflow();
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > 31) throw overflow();
  if (day > daysInMonth(y, month)) throw overflow();
  const outOfRange = (): PgError => new PgError('datetime_field_overflow', `date out of range: ${shown}`);
  if (!isValidJulian(y, month, day)) throw outOfRange();
  const date = date2j(y, month, day) - POSTGRES_EPOCH_JDATE;
  if (!isValidDate(date)) throw outOfRange();
  return date;
}

registerBuiltins({
  pure: {
    date_in: dateIn,
    date_out: dateOut,
    date_recv: (bytes: Uint8Array) => {
      const date = receiveAll(bytes, (reader) => reader.int32());
      if (!isInfiniteDate(date) && !isValidDate(date)) throw dateOutOfRange();
      return date;
    },
    date_send: sendInt32,
    date_eq: (a: number, b: number) => a === b,
    date_ne: (a: number, b: number) => a !== b,
    date_lt: (a: number, b: number) => a < b,
    date_le: (a: number, b: number) => a <= b,
    date_gt: (a: number, b: number) => a > b,
    date_ge: (a: number, b: number) => a >= b,
    date_cmp: (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0),
    date_larger: (a: number, b: number) => (a > b ? a : b),
    date_smaller: (a: number, b: number) => (a < b ? a : b),
    date_finite: (date: number) => !isInfiniteDate(date),
    date_mi: (a: number, b: number) => {
      if (isInfiniteDate(a) || isInfiniteDate(b)) {
        throw new PgError('datetime_field_overflow', 'cannot subtract infinite dates');
      }
      return a - b;
    },
    date_pli: addDays,
    date_mii: (date: number, days: number) => addDays(date, -days),
    date_timestamp: dateToTimestamp,
    date_timestamptz: dateToTimestampTz,
    make_date: makeDate,
    datetime_timestamp: (date: number, time: number) => {
      const midnight = dateToTimestamp(date);
      if (isInfiniteDate(date)) return midnight;
      const timestamp = makeTimestamp(date, time);
      if (!isValidTimestamp(timestamp)) throw new PgError('datetime_field_overflow', 'timestamp out of range');
      return timestamp;
    },
    datetimetz_timestamptz: (date: number, time: { time: number; zone: number }) => {
      if (date === DATE_NEG_INFINITY) return INT8_MIN;
      if (date === DATE_INFINITY) return INT8_MAX;
      if (date >= END_TIMESTAMP_DATE) throw dateOutOfRangeForTimestamp();
      const timestamp = makeTimestamp(date, time.time + time.zone * USECS_PER_SEC);
      if (!isValidTimestamp(timestamp)) throw dateOutOfRangeForTimestamp();
      return timestamp;
    },
  },
});
