// time and timetz: microseconds since midnight, for timetz with the seconds west of Greenwich.
import { PgError } from '../../common/errors.ts';
import { session } from '../utils/session.ts';
import { addInt8, isInfinite, timeOf, timestampDay, timestampTime, USECS_PER_DAY, USECS_PER_SEC } from './calendar.ts';
import { compareTimeTz } from './compare.ts';
import { DateTimeDecoder, decodeAbbreviation } from './datetime_decode.ts';
import { encodeInterval, encodeTime, encodeZone } from './datetime_encode.ts';
import { fastTimeOfDay } from './datetime_fast.ts';
import { DATE_BUFFER, datetimeParseError, rint, scanDateTime } from './datetime_scan.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { Interval, type Int8, TimeTz } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { abbreviationOffsetAt, findTimeZone, toLocal, unixSeconds } from './timezone.ts';
import { receiveAll, sendInt64, WireReader } from './wire.ts';

const SCALES = [1000000, 100000, 10000, 1000, 100, 10, 1];

/** AdjustTimeForTypmod: rounds to so many digits. */
export function adjustTime(time: number, typmod: number): number {
  if (typmod < 0 || typmod >= 6) return time;
  const scale = SCALES[typmod]!;
  return Math.floor((time + scale / 2) / scale) * scale;
}

function decode(text: string, typeName: string): DateTimeDecoder {
  const scanned = scanDateTime(text, DATE_BUFFER);
  if (typeof scanned === 'number') throw datetimeParseError(scanned, text, typeName);
  const decoder = new DateTimeDecoder(scanned);
  const error = decoder.timeOnly();
  if (error !== 0) throw datetimeParseError(error, text, typeName);
  return decoder;
}

function timeIn(text: string, _oid?: number, typmod = -1): number {
  const fast = fastTimeOfDay(text);
  return adjustTime(fast === fast ? fast : timeOf(decode(text, 'time').tm), typmod);
}

function timeTzIn(text: string, _oid?: number, typmod = -1): TimeTz {
  const { tm } = decode(text, 'time with time zone');
  return new TimeTz(adjustTime(timeOf(tm), typmod), tm.zone);
}

function timeTzOut(value: TimeTz): string {
  return encodeTime(value.time) + encodeZone(value.zone);
}

function timeOutOfRange(): PgError {
  return new PgError('datetime_field_overflow', 'time out of range');
}

/** Microseconds of an interval's time part, within the day that starts at midnight. */
function withinDay(time: Int8): number {
  const rest = typeof time === 'number' ? time % USECS_PER_DAY : Number(time % BigInt(USECS_PER_DAY));
  return (rest < 0 ? rest + USECS_PER_DAY : rest) + 0;
}

const plus = (time: number, span: Interval): number => withinDay(addInt8(time, span.time));
const minus = (time: number, span: Interval): number => withinDay(addInt8(time, -span.time));

function makeTime(hour: number, min: number, sec: number): number {
  // float_time_overflows
  const usec = rint(sec * USECS_PER_SEC);
  const overflows = hour < 0 || hour > 24 || min < 0 || min > 59 || !(usec >= 0 && usec <= 60 * USECS_PER_SEC) ||
    (hour * 60 + min) * 60 * USECS_PER_SEC + usec > USECS_PER_DAY;
  if (overflows) {
    throw new PgError('datetime_field_overflow',
      `time field value out of range: ${hour}:${String(min).padStart(2, '0')}:${secondsText(sec)}`);
  }
  return (hour * 60 + min) * 60 * USECS_PER_SEC + usec;
}

/** C's "%02g". */
export function secondsText(sec: number): string {
  if (Number.isNaN(sec)) return 'NaN';
  if (!Number.isFinite(sec)) return sec > 0 ? 'Infinity' : '-Infinity';
  let text = Object.is(sec, -0) ? '-0' : String(Number(sec.toPrecision(6)));
  const exponent = Math.floor(Math.log10(Math.abs(sec)));
  if (sec !== 0 && (exponent < -4 || exponent >= 6)) {
    text = sec.toExponential(5).replace(/\.?0+e/, 'e').replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return text.length < 2 ? `0${text}` : text;
}

export function zoneNotRecognized(name: string): PgError {
  return new PgError('invalid_parameter_value', `time zone "${name}" not recognized`);
}

/** Seconds WEST of an interval that is used as a time zone. */
export function zoneOfInterval(zone: Interval): number {
  if (zone.months !== 0 || zone.days !== 0) {
    throw new PgError('invalid_parameter_value',
      `interval time zone "${encodeInterval(zone)}" must not include months or days`);
  }
  return 0 - Number(BigInt(zone.time) / 1000000n);
}

function atZone(value: TimeTz, west: number): TimeTz {
  return new TimeTz(withinDay(value.time + (value.zone - west) * USECS_PER_SEC), west);
}

/** timetz AT TIME ZONE name: the offset that holds when the transaction starts. */
function timeTzZone(name: string, value: TimeTz): TimeTz {
  const meaning = decodeAbbreviation(name.toLowerCase());
  if (meaning !== undefined) {
    return atZone(value, meaning.zone === null
      ? 0 - meaning.offset
      : 0 - abbreviationOffsetAt(session.transactionStart, name, meaning.zone).offset);
  }
  const zone = findTimeZone(name);
  if (zone === undefined) throw zoneNotRecognized(name);
  return atZone(value, 0 - zone.at(unixSeconds(session.transactionStart)).offset);
}

/** overlaps(s1, e1, s2, e2) of SQL, with its rules for NULL. */
export function overlaps<T>(ts1: T | null, te1: T | null, ts2: T | null, te2: T | null,
  compare: (a: T, b: T) => number): boolean | null {
  const order = (start: T | null, end: T | null): { start: T; end: T | null } | null => {
    if (start === null) return end === null ? null : { start: end, end: null };
    if (end === null) return { start, end: null };
    return compare(start, end) > 0 ? { start: end, end: start } : { start, end };
  };
  const a = order(ts1, te1), b = order(ts2, te2);
  if (a === null || b === null) return null;
  const cmp = compare(a.start, b.start);
  if (cmp === 0) return a.end === null || b.end === null ? null : true;
  const [earlier, later] = cmp > 0 ? [b, a] : [a, b];
  if (earlier.end === null) return null;
  if (compare(later.start, earlier.end) < 0) return true;
  return later.end === null ? null : false;
}

const number = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** in_range support: a window frame's offset must not be negative. */
export function checkOffset(offset: Interval, compare: (a: Interval, b: Interval) => number): void {
  if (compare(offset, new Interval(0, 0, 0)) < 0) {
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
}

function checkTimeOffset(offset: Interval): void {
  if (offset.time < 0) { // only the time part counts
    throw new PgError('invalid_preceding_or_following_size', 'invalid preceding or following size in window function');
  }
}

function sendTimeTz(value: TimeTz): Uint8Array {
  const bytes = Buffer.allocUnsafe(12);
  bytes.set(sendInt64(value.time));
  bytes.writeInt32BE(value.zone, 8);
  return bytes;
}

registerBuiltins({
  pure: {
    time_in: timeIn,
    time_out: encodeTime,
    time_recv: (bytes: Uint8Array, _oid: number, typmod: number) => {
      const time = receiveAll(bytes, (reader) => reader.int64());
      if (typeof time !== 'number' || time < 0 || time > USECS_PER_DAY) throw timeOutOfRange();
      return adjustTime(time, typmod ?? -1);
    },
    time_send: sendInt64,
    time_scale: adjustTime,
    time_eq: (a: number, b: number) => a === b,
    time_ne: (a: number, b: number) => a !== b,
    time_lt: (a: number, b: number) => a < b,
    time_le: (a: number, b: number) => a <= b,
    time_gt: (a: number, b: number) => a > b,
    time_ge: (a: number, b: number) => a >= b,
    time_cmp: number,
    time_larger: (a: number, b: number) => (a > b ? a : b),
    time_smaller: (a: number, b: number) => (a < b ? a : b),
    overlaps_time: (a: number | null, b: number | null, c: number | null, d: number | null) => overlaps(a, b, c, d, number),
    timestamp_time: (timestamp: Int8) => (isInfinite(timestamp) ? null : timestampTime(timestamp, timestampDay(timestamp))),
    timestamptz_time: (timestamp: Int8) => {
      if (isInfinite(timestamp)) return null;
      const local = toLocal(timestamp, datetimeSettings.timeZone);
      return timestampTime(local, timestampDay(local));
    },
    timestamptz_timetz: (timestamp: Int8) => {
      if (isInfinite(timestamp)) return null;
      const zone = datetimeSettings.timeZone;
      const local = toLocal(timestamp, zone);
      return new TimeTz(timestampTime(local, timestampDay(local)), 0 - zone.at(unixSeconds(timestamp)).offset);
    },
    time_interval: (time: number) => new Interval(0, 0, time),
    interval_time: (span: Interval) => withinDay(span.time),
    time_mi_time: (a: number, b: number) => new Interval(0, 0, a - b),
    time_pl_interval: plus,
    time_mi_interval: minus,
    in_range_time_interval: (value: number, base: number, offset: Interval, subtract: boolean, less: boolean) => {
      checkTimeOffset(offset);
      // Not wrapped at midnight.
      const bound = subtract ? Number(base) - Number(offset.time) : Number(base) + Number(offset.time);
      return less ? value <= bound : value >= bound;
    },
    make_time: makeTime,
    time_timetz: (time: number) => {
      const now = session.transactionStart;
      const zone = datetimeSettings.timeZone;
      const day = timestampDay(toLocal(now, zone));
      const type = zone.ofLocalTime(unixSeconds(day * USECS_PER_DAY + time));
      return new TimeTz(time, 0 - type.offset);
    },
    timetz_in: timeTzIn,
    timetz_out: timeTzOut,
    timetz_recv: (bytes: Uint8Array, _oid: number, typmod: number) => {
      const reader = new WireReader(bytes);
      const time = reader.int64();
      if (typeof time !== 'number' || time < 0 || time > USECS_PER_DAY) throw timeOutOfRange();
      const zone = reader.int32();
      reader.end();
      if (zone <= -16 * 3600 || zone >= 16 * 3600) {
        throw new PgError('invalid_time_zone_displacement_value', 'time zone displacement out of range');
      }
      return new TimeTz(adjustTime(time, typmod ?? -1), zone);
    },
    timetz_send: sendTimeTz,
    timetz_scale: (value: TimeTz, typmod: number) => new TimeTz(adjustTime(value.time, typmod), value.zone),
    timetz_eq: (a: TimeTz, b: TimeTz) => a.time === b.time && a.zone === b.zone,
    timetz_ne: (a: TimeTz, b: TimeTz) => a.time !== b.time || a.zone !== b.zone,
    timetz_lt: (a: TimeTz, b: TimeTz) => compareTimeTz(a, b) < 0,
    timetz_le: (a: TimeTz, b: TimeTz) => compareTimeTz(a, b) <= 0,
    timetz_gt: (a: TimeTz, b: TimeTz) => compareTimeTz(a, b) > 0,
    timetz_ge: (a: TimeTz, b: TimeTz) => compareTimeTz(a, b) >= 0,
    timetz_cmp: (a: TimeTz, b: TimeTz) => Math.sign(compareTimeTz(a, b)),
    timetz_larger: (a: TimeTz, b: TimeTz) => (compareTimeTz(a, b) > 0 ? a : b),
    timetz_smaller: (a: TimeTz, b: TimeTz) => (compareTimeTz(a, b) < 0 ? a : b),
    overlaps_timetz: (a: TimeTz | null, b: TimeTz | null, c: TimeTz | null, d: TimeTz | null) =>
      overlaps(a, b, c, d, compareTimeTz),
    timetz_time: (value: TimeTz) => value.time,
    timetz_pl_interval: (value: TimeTz, span: Interval) => new TimeTz(plus(value.time, span), value.zone),
    timetz_mi_interval: (value: TimeTz, span: Interval) => new TimeTz(minus(value.time, span), value.zone),
    in_range_timetz_interval: (value: TimeTz, base: TimeTz, offset: Interval, subtract: boolean, less: boolean) => {
      checkTimeOffset(offset);
      const time = subtract ? base.time - Number(offset.time) : base.time + Number(offset.time);
      const order = compareTimeTz(value, new TimeTz(time, base.zone));
      return less ? order <= 0 : order >= 0;
    },
    timetz_zone: timeTzZone,
    timetz_izone: (zone: Interval, value: TimeTz) => atZone(value, zoneOfInterval(zone)),
  },
});
