// extract and date_part: fields of dates, times and intervals. extract gives numeric, date_part double precision.
import { PgError } from '../../common/errors.ts';
import { date2j, dayOfYear, EPOCH_SHIFT_SECS, isInfinite, isoWeek, isoYear, j2date, j2day, POSTGRES_EPOCH_JDATE, setTime,
  timeOf, timestampToTm, Tm, USECS_PER_SEC } from './calendar.ts';
import { isInfiniteDate } from './date.ts';
import { intervalParts } from './datetime_encode.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { dateToken, DTK_CENTURY, DTK_DAY, DTK_DECADE, DTK_DOW, DTK_DOY, DTK_EPOCH, DTK_HOUR, DTK_ISODOW, DTK_ISOYEAR,
  DTK_JULIAN, DTK_MICROSEC, DTK_MILLENNIUM, DTK_MILLISEC, DTK_MINUTE, DTK_MONTH, DTK_QUARTER, DTK_SECOND, DTK_TZ,
  DTK_TZ_HOUR, DTK_TZ_MINUTE, DTK_WEEK, DTK_YEAR, RESERV, UNITS, unitToken } from './datetime_tokens.ts';
import { INT8_MAX, type Int8, type Interval, type TimeTz } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { addNumeric, divideNumeric, makeNumeric, roundTo, type Numeric, NUMERIC_INFINITY, NUMERIC_NEGATIVE_INFINITY,
  numericFromInt8 } from './numeric.ts';
import { zonedTm } from './timestamp.ts';

const TIMESTAMP = 'timestamp without time zone', TIMESTAMPTZ = 'timestamp with time zone', DATE = 'date',
  TIME = 'time without time zone', TIMETZ = 'time with time zone', INTERVAL = 'interval';

const TAKES_RESERVED = new Set([TIMESTAMP, TIMESTAMPTZ, DATE]);

/** A unit's number; EPOCH is the only reserved word among them. */
function decodeUnit(text: string, typeName: string): number {
  const word = lowerUnit(text);
  const token = unitToken(word) ?? dateToken(word);
  const known = token !== undefined && (token.type === UNITS || token.type === RESERV);
  // A reserved word other than epoch is known to timestamps and dates, but means nothing there.
  if (!known || (token.type === RESERV && token.value !== DTK_EPOCH && !TAKES_RESERVED.has(typeName))) {
    throw new PgError('invalid_parameter_value', `unit "${word}" not recognized for type ${typeName}`);
  }
  return token.value;
}

export function lowerUnit(text: string): string {
  return text.toLowerCase().slice(0, 63);
}

export function unitNotSupported(text: string, typeName: string, detail?: string): PgError {
  return new PgError('feature_not_supported', `unit "${lowerUnit(text)}" not supported for type ${typeName}`, { detail });
}

/** How results are made: as numeric or as float8. */
interface Maker<T> {
  integer(value: number): T;
  /** value / 10^scale, with that many digits. */
  decimal(value: Int8, scale: number): T;
  /** Seconds (scale 6) or milliseconds (scale 3) with their fraction. */
  seconds(sec: number, usec: number, scale: 3 | 6): T;
  /** A Julian date: day and microseconds of it. */
  julian(day: number, time: number): T;
  infinity(negative: boolean): T;
}

const asNumeric: Maker<Numeric> = {
  integer: (value) => numericFromInt8(value),
  decimal: (value, scale) => makeNumeric(BigInt(value), scale),
  seconds: (sec, usec, scale) => makeNumeric(BigInt(sec * USECS_PER_SEC + usec), scale),
  julian: (day, time) =>
    addNumeric(numericFromInt8(day), divideNumeric(numericFromInt8(time), numericFromInt8(86400000000))),
  infinity: (negative) => (negative ? NUMERIC_NEGATIVE_INFINITY : NUMERIC_INFINITY),
};

const asFloat: Maker<number> = {
  integer: (value) => value,
  decimal: (value, scale) => Number(value) / 10 ** scale,
  seconds: (sec, usec, scale) => (scale === 6 ? sec + usec / 1000000 : sec * 1000 + usec / 1000),
  julian: (day, time) => day + time / 1000000 / 86400,
  infinity: (negative) => (negative ? -Infinity : Infinity),
};

const yearOf = (year: number): number => (year > 0 ? year : year - 1); // there is no year 0
const decadeOf = (year: number): number => (year >= 0 ? Math.trunc(year / 10) : -Math.trunc((8 - (year - 1)) / 10));
const centuryOf = (year: number): number => (year > 0 ? Math.trunc((year + 99) / 100) : -Math.trunc((99 - (year - 1)) / 100));
const millenniumOf = (year: number): number =>
  year > 0 ? Math.trunc((year + 999) / 1000) : -Math.trunc((999 - (year - 1)) / 1000);

/** The fields of a date; undefined for other units. */
function dateField(unit: number, tm: Tm): number | undefined {
  switch (unit) {
    case DTK_DAY: return tm.mday;
    case DTK_MONTH: return tm.mon;
    case DTK_QUARTER: return Math.trunc((tm.mon - 1) / 3) + 1;
    case DTK_WEEK: return isoWeek(tm.year, tm.mon, tm.mday);
    case DTK_YEAR: return yearOf(tm.year);
    case DTK_DECADE: return decadeOf(tm.year);
    case DTK_CENTURY: return centuryOf(tm.year);
    case DTK_MILLENNIUM: return millenniumOf(tm.year);
    case DTK_ISOYEAR: return yearOf(isoYear(tm.year, tm.mon, tm.mday));
    case DTK_DOW: return j2day(date2j(tm.year, tm.mon, tm.mday));
    case DTK_ISODOW: return j2day(date2j(tm.year, tm.mon, tm.mday)) || 7;
    case DTK_DOY: return dayOfYear(tm);
    default: return undefined;
  }
}

/** The fields of a time of day. */
function timeField<T>(unit: number, tm: Tm, make: Maker<T>): T | undefined {
  switch (unit) {
    case DTK_MICROSEC: return make.integer(tm.sec * USECS_PER_SEC + tm.usec);
    case DTK_MILLISEC: return make.seconds(tm.sec, tm.usec, 3);
    case DTK_SECOND: return make.seconds(tm.sec, tm.usec, 6);
    case DTK_MINUTE: return make.integer(tm.min);
    case DTK_HOUR: return make.integer(tm.hour);
    default: return undefined;
  }
}

/** The fields of a zone, seconds WEST. */
function zoneField(unit: number, west: number): number | undefined {
  switch (unit) {
    case DTK_TZ: return 0 - west;
    case DTK_TZ_MINUTE: return (Math.trunc(-west / 60) % 60) + 0;
    case DTK_TZ_HOUR: return Math.trunc(-west / 3600) + 0;
    default: return undefined;
  }
}

const growing = new Set([DTK_YEAR, DTK_DECADE, DTK_CENTURY, DTK_MILLENNIUM, DTK_JULIAN, DTK_ISOYEAR, DTK_EPOCH]);
const periodicOfDate = new Set([DTK_DAY, DTK_MONTH, DTK_QUARTER, DTK_WEEK, DTK_DOW, DTK_ISODOW, DTK_DOY]);
const periodic = new Set([...periodicOfDate, DTK_MICROSEC, DTK_MILLISEC, DTK_SECOND, DTK_MINUTE, DTK_HOUR]);
const zoneUnits = new Set([DTK_TZ, DTK_TZ_MINUTE, DTK_TZ_HOUR]);

const scratch = new Tm();

function timestampPart<T>(text: string, timestamp: Int8, zoned: boolean, make: Maker<T>): T | null {
  const typeName = zoned ? TIMESTAMPTZ : TIMESTAMP;
  const unit = decodeUnit(text, typeName);
  if (isInfinite(timestamp)) {
    if (growing.has(unit)) return make.infinity(timestamp < 0);
    if (periodic.has(unit) || (zoned && zoneUnits.has(unit))) return null;
    // Whichever way, a zone's field of an infinite timestamp is unknown.
    if (zoneUnits.has(unit)) return null;
    throw unitNotSupported(text, typeName);
  }
  if (unit === DTK_EPOCH) {
    const since1970 = typeof timestamp === 'number' && Number.isSafeInteger(timestamp + EPOCH_SHIFT_SECS * USECS_PER_SEC)
      ? timestamp + EPOCH_SHIFT_SECS * USECS_PER_SEC
      : BigInt(timestamp) + BigInt(EPOCH_SHIFT_SECS) * 1000000n;
    // Beyond int64 PostgreSQL divides with fewer digits.
    return since1970 > INT8_MAX && make === (asNumeric as unknown)
      ? (roundTo(divideNumeric(makeNumeric(BigInt(since1970), 0), makeNumeric(1000000n, 0)), 6) as T)
      : make.decimal(since1970, 6);
  }
  if (zoned) zonedTm(timestamp, datetimeSettings.timeZone, scratch);
  else timestampToTm(timestamp, scratch);
  const integer = dateField(unit, scratch) ?? (zoned ? zoneField(unit, scratch.zone) : undefined);
  if (integer !== undefined) return make.integer(integer);
  const found = timeField(unit, scratch, make);
  if (found !== undefined) return found;
  if (unit === DTK_JULIAN) return make.julian(date2j(scratch.year, scratch.mon, scratch.mday), timeOf(scratch));
  throw unitNotSupported(text, typeName);
}

function datePart(text: string, date: number): Numeric | null {
  const unit = decodeUnit(text, DATE);
  if (isInfiniteDate(date)) {
    if (periodicOfDate.has(unit)) return null;
    if (growing.has(unit)) return asNumeric.infinity(date < 0);
    throw unitNotSupported(text, DATE);
  }
  if (unit === DTK_JULIAN) return numericFromInt8(date + POSTGRES_EPOCH_JDATE);
  if (unit === DTK_EPOCH) return numericFromInt8(date * 86400 + EPOCH_SHIFT_SECS);
  j2date(date + POSTGRES_EPOCH_JDATE, scratch);
  const field = dateField(unit, scratch);
  if (field === undefined) throw unitNotSupported(text, DATE);
  return numericFromInt8(field);
}

function timePart<T>(text: string, time: number, west: number | undefined, make: Maker<T>): T {
  const typeName = west === undefined ? TIME : TIMETZ;
  const unit = decodeUnit(text, typeName);
  if (unit === DTK_EPOCH) {
    if (make === (asFloat as unknown)) return make.integer(time / 1000000 + (west ?? 0));
    return make.decimal(time + (west ?? 0) * USECS_PER_SEC, 6);
  }
  setTime(time, scratch);
  const field = timeField(unit, scratch, make);
  if (field !== undefined) return field;
  const zone = west === undefined ? undefined : zoneField(unit, west);
  if (zone === undefined) throw unitNotSupported(text, typeName);
  return make.integer(zone);
}

function intervalPart<T>(text: string, value: Interval, make: Maker<T>): T {
  const unit = decodeUnit(text, INTERVAL);
  if (unit === DTK_EPOCH) {
    // A year has 365.25 days here, a month of the rest 30.
    const { months, days, time } = value;
    const years = Math.trunc(months / 12);
    if (make === (asFloat as unknown)) {
      return make.integer(Number(time) / 1000000 + 365.25 * 86400 * years + 30 * 86400 * (months % 12) + 86400 * days);
    }
    const secs = (1461 * years + 120 * (months % 12) + 4 * days) * 21600;
    return make.decimal(BigInt(secs) * 1000000n + BigInt(time), 6);
  }
  const { year, mon, day, hour, min, sec, usec } = intervalParts(value);
  switch (unit) {
    case DTK_MICROSEC: return make.integer(sec * USECS_PER_SEC + usec);
    case DTK_MILLISEC: return make.seconds(sec, usec, 3);
    case DTK_SECOND: return make.seconds(sec, usec, 6);
    case DTK_MINUTE: return make.integer(min);
    case DTK_HOUR: return make.integer(hour);
    case DTK_DAY: return make.integer(day);
    case DTK_MONTH: return make.integer(mon);
    case DTK_QUARTER: return make.integer(Math.trunc(mon / 3) + 1);
    case DTK_YEAR: return make.integer(year);
    case DTK_DECADE: return make.integer(Math.trunc(year / 10) + 0);
    case DTK_CENTURY: return make.integer(Math.trunc(year / 100) + 0);
    case DTK_MILLENNIUM: return make.integer(Math.trunc(year / 1000) + 0);
    default: throw unitNotSupported(text, INTERVAL);
  }
}

registerBuiltins({
  pure: {
    extract_timestamp: (unit: string, value: Int8) => timestampPart(unit, value, false, asNumeric),
    extract_timestamptz: (unit: string, value: Int8) => timestampPart(unit, value, true, asNumeric),
    extract_date: datePart,
    extract_time: (unit: string, value: number) => timePart(unit, value, undefined, asNumeric),
    extract_timetz: (unit: string, value: TimeTz) => timePart(unit, value.time, value.zone, asNumeric),
    extract_interval: (unit: string, value: Interval) => intervalPart(unit, value, asNumeric),
    timestamp_part: (unit: string, value: Int8) => timestampPart(unit, value, false, asFloat),
    timestamptz_part: (unit: string, value: Int8) => timestampPart(unit, value, true, asFloat),
    time_part: (unit: string, value: number) => timePart(unit, value, undefined, asFloat),
    timetz_part: (unit: string, value: TimeTz) => timePart(unit, value.time, value.zone, asFloat),
    interval_part: (unit: string, value: Interval) => intervalPart(unit, value, asFloat),
  },
});
