// timestamp and timestamptz: microseconds since 2000-01-01, local and UTC; input, output, casts and arithmetic.
import { PgError } from '../../common/errors.ts';
import { session } from '../utils/session.ts';
import { addInt8, compareInt8, date2j, dayNames, daysInMonth, EPOCH_SHIFT_SECS, isInfinite, isValidJulian,
  isValidTimestamp, j2date, makeTimestamp, monthAbbreviations, POSTGRES_EPOCH_JDATE, 
  timestampDay, timestampTime, timestampToTm, Tm, tmToTimestamp, USECS_PER_DAY, USECS_PER_SEC } from './calendar.ts';
import { DateTimeDecoder, decodeAbbreviation, decodeTimezone } from './datetime_decode.ts';
import { encodeDateTime, isoTimestamp } from './datetime_encode.ts';
import { fastTimestamp, fastTimestampTz } from './datetime_fast.ts';
import { BAD_FORMAT, datetimeParseError, rint, scanDateTime, TIMESTAMP_BUFFER, TZDISP_OVERFLOW } from './datetime_scan.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { DTK_DATE, DTK_EARLY, DTK_EPOCH, DTK_LATE } from './datetime_tokens.ts';
import { DATE_INFINITY, DATE_NEG_INFINITY, INT8_MAX, INT8_MIN, int8, type Int8, type Interval } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { secondsText, zoneNotRecognized, zoneOfInterval } from './time.ts';
import { abbreviationOffsetAt, determineAbbreviationOffset, findTimeZone, fromLocal, offsetTimeZone, type TimeZone, toLocal,
  unixSeconds } from './timezone.ts';
import { receiveAll, sendInt64 } from './wire.ts';

export function timestampOutOfRange(): PgError {
  return new PgError('datetime_field_overflow', 'timestamp out of range');
}

/** The timestamp, if it is one. */
function checkTimestamp(timestamp: Int8): Int8 {
  if (!isValidTimestamp(timestamp)) throw timestampOutOfRange();
  return timestamp;
}

const SCALES = [1000000, 100000, 10000, 1000, 100, 10, 1];

/** AdjustTimestampForTypmod: rounds to so many digits, halves away from zero. */
export function adjustTimestamp(timestamp: Int8, typmod: number): Int8 {
  if (typmod === -1 || typmod === 6 || isInfinite(timestamp)) return timestamp;
  if (typmod < 0 || typmod > 6) {
    throw new PgError('invalid_parameter_value', `timestamp(${typmod}) precision must be between 0 and 6`);
  }
  const scale = SCALES[typmod]!;
  if (typeof timestamp === 'number' && Number.isSafeInteger(timestamp * 2)) {
    return timestamp >= 0
      ? Math.floor((timestamp + scale / 2) / scale) * scale
      : 0 - Math.floor((scale / 2 - timestamp) / scale) * scale;
  }
  const value = BigInt(timestamp), big = BigInt(scale);
  return int8(value >= 0n ? ((value + big / 2n) / big) * big : -(((big / 2n - value) / big) * big));
}

const EPOCH = -EPOCH_SHIFT_SECS * USECS_PER_SEC;

function decode(text: string, typeName: string, withZone: boolean): Int8 {
  const scanned = scanDateTime(text, TIMESTAMP_BUFFER);
  if (typeof scanned === 'number') throw datetimeParseError(scanned, text, typeName);
  const decoder = new DateTimeDecoder(scanned);
  const error = decoder.dateTime();
  if (error !== 0) throw datetimeParseError(error, text, typeName);
  switch (decoder.kind) {
    case DTK_DATE: {
      const timestamp = tmToTimestamp(decoder.tm, withZone ? decoder.tm.zone : 0);
      if (timestamp === undefined) throw new PgError('datetime_field_overflow', `timestamp out of range: "${text}"`);
      return timestamp;
    }
    case DTK_EPOCH: return EPOCH;
    case DTK_LATE: return INT8_MAX;
    case DTK_EARLY: return INT8_MIN;
    default: throw datetimeParseError(BAD_FORMAT, text, typeName);
  }
}

function timestampIn(text: string, _oid?: number, typmod = -1): Int8 {
  const fast = fastTimestamp(text);
  const timestamp = fast === fast ? fast : decode(text, 'timestamp', false);
  return typmod < 0 ? timestamp : adjustTimestamp(timestamp, typmod);
}

function timestampTzIn(text: string, _oid?: number, typmod = -1): Int8 {
  let timestamp: Int8 = fastTimestampTz(text);
  if (timestamp !== timestamp) {
    const local = fastTimestamp(text);
    timestamp = local === local ? fromLocal(local, datetimeSettings.timeZone) : decode(text, 'timestamp with time zone', true);
  }
  return typmod < 0 ? timestamp : adjustTimestamp(timestamp, typmod);
}

const scratch = new Tm();

export function timestampOut(timestamp: Int8): string {
  if (typeof timestamp === 'bigint') {
    if (timestamp === INT8_MAX) return 'infinity';
    if (timestamp === INT8_MIN) return '-infinity';
  }
  if (datetimeSettings.dateStyle === 'ISO') return isoTimestamp(timestamp, undefined);
  timestampToTm(timestamp, scratch);
  return encodeDateTime(scratch, false);
}

function timestampTzOut(timestamp: Int8): string {
  if (typeof timestamp === 'bigint') {
    if (timestamp === INT8_MAX) return 'infinity';
    if (timestamp === INT8_MIN) return '-infinity';
  }
  const zone = datetimeSettings.timeZone;
  if (datetimeSettings.dateStyle === 'ISO') {
    return isoTimestamp(toLocal(timestamp, zone), 0 - zone.at(unixSeconds(timestamp)).offset);
  }
  zonedTm(timestamp, zone, scratch);
  return encodeDateTime(scratch, true);
}

/** Breaks a finite timestamptz down in a zone, with the zone's offset, abbreviation and daylight saving. */
export function zonedTm(timestamp: Int8, zone: TimeZone, tm: Tm): void {
  timestampToTm(toLocal(timestamp, zone), tm);
  const type = zone.at(unixSeconds(timestamp));
  tm.zone = 0 - type.offset;
  tm.isdst = type.isDst ? 1 : 0;
  tm.zoneName = type.abbreviation;
}

// --- arithmetic

/** Local time plus months and days, clipped to the end of the month. */
function addMonthsAndDays(local: Int8, months: number, days: number): Int8 {
  let day = timestampDay(local);
  const time = timestampTime(local, day);
  if (months !== 0) {
    j2date(day + POSTGRES_EPOCH_JDATE, scratch);
    const total = scratch.year * 12 + scratch.mon - 1 + months;
    const year = Math.floor(total / 12), month = total - year * 12 + 1;
    if (!isValidJulian(year, month, 1)) throw timestampOutOfRange();
    day = date2j(year, month, Math.min(scratch.mday, daysInMonth(year, month))) - POSTGRES_EPOCH_JDATE;
    checkTimestamp(makeTimestamp(day, time));
  }
  day += days;
  return makeTimestamp(day, time);
}

/** timestamp + interval. */
export function timestampPlus(timestamp: Int8, span: Interval): Int8 {
  if (isInfinite(timestamp)) return timestamp;
  let result = timestamp;
  if (span.months !== 0 || span.days !== 0) result = checkTimestamp(addMonthsAndDays(result, span.months, span.days));
  return checkTimestamp(addInt8(result, span.time));
}

/** timestamptz + interval: months and days are those of the zone's calendar. */
export function timestampTzPlus(timestamp: Int8, span: Interval, zone: TimeZone = datetimeSettings.timeZone): Int8 {
  if (isInfinite(timestamp)) return timestamp;
  let result = timestamp;
  if (span.months !== 0) {
    result = checkTimestamp(fromLocal(checkTimestamp(addMonthsAndDays(toLocal(result, zone), span.months, 0)), zone));
  }
  if (span.days !== 0) {
    result = checkTimestamp(fromLocal(checkTimestamp(addMonthsAndDays(toLocal(result, zone), 0, span.days)), zone));
  }
  return checkTimestamp(addInt8(result, span.time));
}

// --- between the types

export function timestampToDate(timestamp: Int8): number {
  if (typeof timestamp === 'bigint') {
    if (timestamp === INT8_MAX) return DATE_INFINITY;
    if (timestamp === INT8_MIN) return DATE_NEG_INFINITY;
  }
  return timestampDay(timestamp);
}

function timestampTzToDate(timestamp: Int8): number {
  return timestampToDate(isInfinite(timestamp) ? timestamp : toLocal(timestamp, datetimeSettings.timeZone));
}

/** Local time of the session's zone as timestamptz, or the side on which it is out of range. */
export function timestampToTimestampTzOr(timestamp: Int8): Int8 | 'high' | 'low' {
  if (isInfinite(timestamp)) return timestamp;
  const result = fromLocal(timestamp, datetimeSettings.timeZone);
  return isValidTimestamp(result) ? result : result < 0 ? 'low' : 'high';
}

function timestampToTimestampTz(timestamp: Int8): Int8 {
  const result = timestampToTimestampTzOr(timestamp);
  if (result === 'high' || result === 'low') throw timestampOutOfRange();
  return result;
}

function timestampTzToTimestamp(timestamp: Int8): Int8 {
  return isInfinite(timestamp) ? timestamp : toLocal(timestamp, datetimeSettings.timeZone);
}

/** What a user calls a time zone: an abbreviation of the set in use, or a name. The abbreviation's own history counts
 * only for input, so that here it gives a fixed zone or that zone. */
export function zoneByName(name: string): TimeZone {
  const meaning = decodeAbbreviation(name.toLowerCase());
  const zone = meaning === undefined ? findTimeZone(name) : meaning.zone ?? offsetTimeZone(0 - meaning.offset);
  if (zone === undefined) throw zoneNotRecognized(name);
  return zone;
}

const shifted = (timestamp: Int8, eastSecs: number): Int8 => checkTimestamp(addInt8(timestamp, eastSecs * USECS_PER_SEC));

/** timestamp AT TIME ZONE name. */
function timestampZone(name: string, timestamp: Int8): Int8 {
  if (isInfinite(timestamp)) return timestamp;
  const meaning = decodeAbbreviation(name.toLowerCase());
  if (meaning === undefined) {
    const zone = findTimeZone(name);
    if (zone === undefined) throw zoneNotRecognized(name);
    return checkTimestamp(fromLocal(timestamp, zone));
  }
  if (meaning.zone === null) return shifted(timestamp, -meaning.offset);
  timestampToTm(timestamp, scratch);
  return shifted(timestamp, determineAbbreviationOffset(scratch, name, meaning.zone));
}

/** timestamptz AT TIME ZONE name. */
function timestampTzZone(name: string, timestamp: Int8): Int8 {
  if (isInfinite(timestamp)) return timestamp;
  const meaning = decodeAbbreviation(name.toLowerCase());
  if (meaning === undefined) {
    const zone = findTimeZone(name);
    if (zone === undefined) throw zoneNotRecognized(name);
    return checkTimestamp(toLocal(timestamp, zone));
  }
  if (meaning.zone === null) return shifted(timestamp, meaning.offset);
  return shifted(timestamp, abbreviationOffsetAt(timestamp, name, meaning.zone).offset);
}

// --- made from parts

function makeTimestampInternal(year: number, month: number, mday: number, hour: number, min: number, sec: number): Int8 {
  const y = year < 0 ? year + 1 : year; // BC
  const shown = `${year}-${String(month).padStart(2, '0')}-${String(mday).padStart(2, '0')}`;
  const dateOverflow = (): PgError => new PgError('datetime_field_overflow', `date field value out of range: ${shown}`);
  if (year === -2147483648 || year === 0) throw dateOverflow();
  if (month < 1 || month > 12 || mday < 1 || mday > daysInMonth(y, month)) throw dateOverflow();
  if (!isValidJulian(y, month, mday)) throw new PgError('datetime_field_overflow', `date out of range: ${shown}`);
  const usec = rint(sec * USECS_PER_SEC);
  if (hour < 0 || hour > 24 || min < 0 || min > 59 || !(usec >= 0 && usec <= 60 * USECS_PER_SEC) ||
    (hour * 60 + min) * 60 * USECS_PER_SEC + usec > USECS_PER_DAY) {
    throw new PgError('datetime_field_overflow',
      `time field value out of range: ${hour}:${String(min).padStart(2, '0')}:${secondsText(sec)}`);
  }
  const time = (hour * 60 + min) * 60 * USECS_PER_SEC + usec;
  const timestamp = makeTimestamp(date2j(y, month, mday) - POSTGRES_EPOCH_JDATE, time);
  if (!isValidTimestamp(timestamp)) {
    throw new PgError('datetime_field_overflow', `timestamp out of range: ${shown} ${hour}:${
      String(min).padStart(2, '0')}:${secondsText(sec)}`);
  }
  return timestamp;
}

/** parse_sane_timezone: a zone for make_timestamptz, of which "+1" is not one without minutes. */
function makeTimestampTzAt(year: number, month: number, mday: number, hour: number, min: number, sec: number,
  zoneName: string): Int8 {
  const local = makeTimestampInternal(year, month, mday, hour, min, sec);
  if (/^[0-9]/.test(zoneName)) {
    throw new PgError('invalid_parameter_value', `invalid input syntax for type ${'numeric time zone'}: "${zoneName}"`,
      { hint: 'Numeric time zones must have "-" or "+" as first character.' });
  }
  const west = decodeTimezone(zoneName, 0);
  if (typeof west === 'number') return shifted(local, west);
  if (west.error === TZDISP_OVERFLOW) {
    throw new PgError('invalid_parameter_value', `numeric time zone "${zoneName}" out of range`);
  }
  return timestampZone(zoneName, local);
}

function floatToTimestampTz(seconds: number): Int8 {
  if (Number.isNaN(seconds)) throw new PgError('datetime_field_overflow', 'timestamp cannot be NaN');
  if (!Number.isFinite(seconds)) return seconds < 0 ? INT8_MIN : INT8_MAX;
  const outOfRange = (): PgError => new PgError('datetime_field_overflow', `timestamp out of range: "${secondsText(seconds)}"`);
  // Out of range already before 1970 is taken away?
  if (seconds < -210866803200 || seconds >= 9224318016000) throw outOfRange();
  const result = int8(BigInt(rint((seconds - EPOCH_SHIFT_SECS) * USECS_PER_SEC)));
  if (!isValidTimestamp(result)) throw outOfRange();
  return result;
}

function timeOfDay(): string {
  const now = currentTime();
  zonedTm(now, datetimeSettings.timeZone, scratch);
  const weekday = dayNames[(((timestampDay(toLocal(now, datetimeSettings.timeZone)) + 6) % 7) + 7) % 7]!.slice(0, 3);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${weekday} ${monthAbbreviations[scratch.mon - 1]} ${two(scratch.mday)} ${two(scratch.hour)}:${two(scratch.min)}:${
    two(scratch.sec)}.${String(scratch.usec).padStart(6, '0')} ${scratch.year} ${scratch.zoneName}`;
}

/** The present moment, as timestamptz. */
export function currentTime(): number {
  const now = performance.timeOrigin + performance.now();
  // The clock of a forked process runs on from the parent's origin; wall-clock time corrects it if it was set meanwhile.
  const wall = Date.now();
  const ms = Math.abs(now - wall) < 5 ? now : wall;
  return Math.floor(ms * 1000) - EPOCH_SHIFT_SECS * USECS_PER_SEC;
}

const receive = (bytes: Uint8Array, _oid: number, typmod: number): Int8 => {
  const value = receiveAll(bytes, (reader) => reader.int64());
  if (!isInfinite(value) && !isValidTimestamp(value)) throw timestampOutOfRange();
  return adjustTimestamp(value, typmod ?? -1);
};

registerBuiltins({
  pure: {
    timestamp_in: timestampIn,
    timestamp_out: timestampOut,
    timestamp_recv: receive,
    timestamp_send: sendInt64,
    timestamp_scale: adjustTimestamp,
    timestamptz_in: timestampTzIn,
    timestamptz_out: timestampTzOut,
    timestamptz_recv: receive,
    timestamptz_send: sendInt64,
    timestamptz_scale: adjustTimestamp,
    timestamp_eq: (a: Int8, b: Int8) => a === b,
    timestamp_ne: (a: Int8, b: Int8) => a !== b,
    timestamp_lt: (a: Int8, b: Int8) => a < b,
    timestamp_le: (a: Int8, b: Int8) => a <= b,
    timestamp_gt: (a: Int8, b: Int8) => a > b,
    timestamp_ge: (a: Int8, b: Int8) => a >= b,
    timestamp_cmp: compareInt8,
    timestamp_larger: (a: Int8, b: Int8) => (a > b ? a : b),
    timestamp_smaller: (a: Int8, b: Int8) => (a < b ? a : b),
    timestamp_finite: (timestamp: Int8) => !isInfinite(timestamp),
    timestamp_pl_interval: timestampPlus,
    timestamp_mi_interval: (timestamp: Int8, span: Interval) => timestampPlus(timestamp, negated(span)),
    timestamptz_pl_interval: (timestamp: Int8, span: Interval) => timestampTzPlus(timestamp, span),
    timestamptz_mi_interval: (timestamp: Int8, span: Interval) => timestampTzPlus(timestamp, negated(span)),
    timestamp_date: timestampToDate,
    timestamptz_date: timestampTzToDate,
    timestamp_timestamptz: timestampToTimestampTz,
    timestamptz_timestamp: timestampTzToTimestamp,
    timestamp_zone: timestampZone,
    timestamptz_zone: timestampTzZone,
    timestamp_izone: (zone: Interval, timestamp: Int8) =>
      isInfinite(timestamp) ? timestamp : shifted(timestamp, zoneOfInterval(zone)),
    timestamptz_izone: (zone: Interval, timestamp: Int8) =>
      isInfinite(timestamp) ? timestamp : shifted(timestamp, 0 - zoneOfInterval(zone)),
    make_timestamp: makeTimestampInternal,
    make_timestamptz: (year: number, month: number, mday: number, hour: number, min: number, sec: number) =>
      timestampToTimestampTz(makeTimestampInternal(year, month, mday, hour, min, sec)),
    make_timestamptz_at_timezone: makeTimestampTzAt,
    float8_timestamptz: floatToTimestampTz,
    timeofday: timeOfDay,
    now: () => session.transactionStart,
    statement_timestamp: () => session.statementStart,
    clock_timestamp: currentTime,
  },
});

function negated(span: Interval): Interval {
  const { months, days, time } = span;
  return { months: 0 - months, days: 0 - days, time: typeof time === 'number' ? 0 - time : -time };
}
