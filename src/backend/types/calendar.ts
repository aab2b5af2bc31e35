// The calendar: Julian day numbers, broken-down times, and the units of time. What PostgreSQL keeps in
// datatype/timestamp.h and the arithmetic part of datetime.c. The calendar is Gregorian for all time; years are
// counted astronomically inside (1 BC is 0).
import { INT8_MAX, INT8_MIN, int8, type Int8 } from './datum.ts';

export const DAYS_PER_MONTH = 30; // assumed where a month must be a number of days
export const SECS_PER_DAY = 86400;
export const USECS_PER_DAY = 86_400_000_000;
export const USECS_PER_HOUR = 3_600_000_000;
export const USECS_PER_MINUTE = 60_000_000;
export const USECS_PER_SEC = 1_000_000;
const USECS_PER_DAY_BIG = 86_400_000_000n;

export const UNIX_EPOCH_JDATE = 2440588; // 1970-01-01
export const POSTGRES_EPOCH_JDATE = 2451545; // 2000-01-01
/** Seconds from 1970 to 2000. */
export const EPOCH_SHIFT_SECS = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
const DATE_END_JULIAN = 2147483494; // 5874898-01-01
const TIMESTAMP_END_JULIAN = 109203528; // 294277-01-01

const MIN_DATE = -POSTGRES_EPOCH_JDATE;
const END_DATE = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE;
/** Days, counted from 2000, at which timestamps end. */
export const END_TIMESTAMP_DATE = TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;
const MIN_TIMESTAMP = -211813488000000000n;
const END_TIMESTAMP = 9223371331200000000n;

/** A broken-down time, filled in place by those who take it as argument (PostgreSQL's struct pg_tm). */
export class Tm {
  year = 0;
  mon = 0; // 1 to 12
  mday = 0;
  hour = 0;
  min = 0;
  sec = 0;
  usec = 0;
  wday = 0; // 0 is Sunday
  yday = 0; // 1 to 366
  isdst = -1; // 1, 0, or -1: not known
  /** Seconds WEST of Greenwich, where a zone was involved. */
  zone = 0;
  /** The zone's abbreviation then, where a zone was involved. */
  zoneName: string | null = null;
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : MONTH_LENGTHS[month - 1]!;
}

export const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
  'October', 'November', 'December'];
export const monthAbbreviations = monthNames.map((name) => name.slice(0, 3));
export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Julian day number of a date; the caller has checked isValidJulian. */
export function date2j(year: number, month: number, day: number): number {
  if (month > 2) {
    month += 1;
    year += 4800;
  } else {
    month += 13;
    year += 4799;
  }
  const century = Math.trunc(year / 100);
  return year * 365 - 32167 + Math.trunc(year / 4) - century + Math.trunc(century / 4) + ((7834 * month) >> 8) + day;
}

/** Sets year, mon and mday. */
export function j2date(julianDay: number, tm: Tm): void {
  let julian = (julianDay + 32044) >>> 0;
  let quad = (julian / 146097) >>> 0;
  const extra = (julian - quad * 146097) * 4 + 3;
  julian += 60 + quad * 3 + ((extra / 146097) >>> 0);
  quad = (julian / 1461) >>> 0;
  julian -= quad * 1461;
  const y = ((julian * 4) / 1461) >>> 0;
  julian = (y !== 0 ? (julian + 305) % 365 : (julian + 306) % 366) + 123;
  tm.year = y + quad * 4 - 4800;
  quad = (julian * 2141) >>> 16;
  tm.mday = julian - ((7834 * quad) >>> 8);
  tm.mon = ((quad + 10) % 12) + 1;
}

/** Day of the week, 0 is Sunday. */
export function j2day(julianDay: number): number {
  const day = (julianDay + 1) % 7;
  return day < 0 ? day + 7 : day;
}

/** Whether date2j can represent it. */
export function isValidJulian(year: number, month: number, _day: number): boolean {
  return (year > -4713 || (year === -4713 && month >= 11)) && (year < 5874898 || (year === 5874898 && month < 6));
}

export function isValidDate(days: number): boolean {
  return days >= MIN_DATE && days < END_DATE;
}

export function isValidTimestamp(timestamp: Int8): boolean {
  return typeof timestamp === 'number' || (timestamp >= MIN_TIMESTAMP && timestamp < END_TIMESTAMP);
}

export function isInfinite(timestamp: Int8): boolean {
  return typeof timestamp === 'bigint' && (timestamp === INT8_MIN || timestamp === INT8_MAX);
}

/** Day (since 2000-01-01) of a finite timestamp. */
export function timestampDay(timestamp: Int8): number {
  if (typeof timestamp === 'number') return Math.floor(timestamp / USECS_PER_DAY);
  const day = timestamp / USECS_PER_DAY_BIG;
  return Number(timestamp < 0n && day * USECS_PER_DAY_BIG !== timestamp ? day - 1n : day);
}

/** Microseconds since midnight of a finite timestamp whose day is known. */
export function timestampTime(timestamp: Int8, day: number): number {
  return typeof timestamp === 'number'
    ? timestamp - day * USECS_PER_DAY
    : Number(timestamp - BigInt(day) * USECS_PER_DAY_BIG);
}

/** The timestamp of a day (since 2000-01-01) and a time; any time of less than 2^52. The range is not checked. */
export function makeTimestamp(day: number, time: number): Int8 {
  const value = day * USECS_PER_DAY + time;
  return Number.isSafeInteger(value) ? value : int8(BigInt(day) * USECS_PER_DAY_BIG + BigInt(time));
}

/** timestamp + delta, unchecked but exact. */
export function addInt8(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return int8(BigInt(a) + BigInt(b));
}

export function subtractInt8(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return int8(BigInt(a) - BigInt(b));
}

export function negateInt8(a: Int8): Int8 {
  return typeof a === 'number' ? 0 - a : int8(-a);
}

/** Whether it fits into PostgreSQL's int64. */
export function fitsInt64(value: Int8): boolean {
  return typeof value === 'number' || (value >= INT8_MIN && value <= INT8_MAX);
}

export function compareInt8(a: Int8, b: Int8): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sets hour, min, sec and usec from microseconds since midnight. */
export function setTime(time: number, tm: Tm): void {
  const seconds = Math.floor(time / USECS_PER_SEC);
  tm.usec = time - seconds * USECS_PER_SEC;
  tm.hour = (seconds / 3600) | 0;
  const rest = seconds - tm.hour * 3600;
  tm.min = (rest / 60) | 0;
  tm.sec = rest - tm.min * 60;
}

/** Microseconds since midnight of hour, min, sec and usec. */
export function timeOf(tm: Tm): number {
  return ((tm.hour * 60 + tm.min) * 60 + tm.sec) * USECS_PER_SEC + tm.usec;
}

/** Breaks a finite timestamp (local or UTC) down. */
export function timestampToTm(timestamp: Int8, tm: Tm): void {
  const day = timestampDay(timestamp);
  j2date(day + POSTGRES_EPOCH_JDATE, tm);
  setTime(timestampTime(timestamp, day), tm);
  tm.isdst = -1;
  tm.zone = 0;
  tm.zoneName = null;
}

/** The timestamp of a broken-down time (without a zone), or undefined when out of range. */
export function tmToTimestamp(tm: Tm, zone = 0): Int8 | undefined {
  if (!isValidJulian(tm.year, tm.mon, tm.mday)) return undefined;
  const day = date2j(tm.year, tm.mon, tm.mday) - POSTGRES_EPOCH_JDATE;
  const time = timeOf(tm);
  if (time > USECS_PER_DAY && day < -1 && makeTimestamp(day, time) > 0) return undefined; // hours beyond reason
  const timestamp = makeTimestamp(day, time + zone * USECS_PER_SEC);
  return isValidTimestamp(timestamp) ? timestamp : undefined;
}

/** Julian day of the Monday that starts an ISO 8601 week. */
export function isoWeekToJulian(year: number, week: number): number {
  const day4 = date2j(year, 1, 4);
  return (week - 1) * 7 + (day4 - j2day(day4 - 1));
}

/** Sets the date to the Monday of this week; the year is the one in `tm`. */
export function isoWeekToDate(week: number, tm: Tm): void {
  j2date(isoWeekToJulian(tm.year, week), tm);
}

/** Sets the date to a day (1 is Sunday, as in to_char's D) of an ISO week; the year is the one in `tm`. */
export function isoWeekDayToDate(week: number, day: number, tm: Tm): void {
  let julian = isoWeekToJulian(tm.year, week);
  julian += day > 1 ? day - 2 : 6;
  j2date(julian, tm);
}

export function isoWeek(year: number, month: number, day: number): number {
  const dayn = date2j(year, month, day);
  let day4 = date2j(year, 1, 4);
  let day0 = j2day(day4 - 1);
  if (dayn < day4 - day0) { // in the last week of the year before
    day4 = date2j(year - 1, 1, 4);
    day0 = j2day(day4 - 1);
  }
  let week = Math.trunc((dayn - (day4 - day0)) / 7) + 1;
  if (week >= 52) { // the last days may belong to the first week of the next year
    day4 = date2j(year + 1, 1, 4);
    day0 = j2day(day4 - 1);
    if (dayn >= day4 - day0) week = Math.trunc((dayn - (day4 - day0)) / 7) + 1;
  }
  return week;
}

export function isoYear(year: number, month: number, day: number): number {
  const dayn = date2j(year, month, day);
  let result = year;
  let day4 = date2j(year, 1, 4);
  let day0 = j2day(day4 - 1);
  if (dayn < day4 - day0) {
    day4 = date2j(year - 1, 1, 4);
    day0 = j2day(day4 - 1);
    result = year - 1;
  }
  if (Math.trunc((dayn - (day4 - day0)) / 7) + 1 >= 52) {
    day4 = date2j(year + 1, 1, 4);
    day0 = j2day(day4 - 1);
    if (dayn >= day4 - day0) result = year + 1;
  }
  return result;
}

/** Day of an ISO year, 1 to 371. */
export function isoYearDay(year: number, month: number, day: number): number {
  return date2j(year, month, day) - isoWeekToJulian(isoYear(year, month, day), 1) + 1;
}

export function dayOfYear(tm: Tm): number {
  return date2j(tm.year, tm.mon, tm.mday) - date2j(tm.year, 1, 1) + 1;
}
