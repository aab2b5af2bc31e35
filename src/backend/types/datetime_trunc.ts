// date_trunc: timestamps and intervals cut off below a unit.
import { addInt8, isInfinite, isoWeek, isoWeekToDate, timestampToTm, Tm, tmToTimestamp } from './calendar.ts';
import { intervalParts } from './datetime_encode.ts';
import { lowerUnit, unitNotSupported } from './datetime_part.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { DTK_CENTURY, DTK_DAY, DTK_DECADE, DTK_HOUR, DTK_MICROSEC, DTK_MILLENNIUM, DTK_MILLISEC, DTK_MINUTE, DTK_MONTH,
  DTK_QUARTER, DTK_SECOND, DTK_WEEK, DTK_YEAR, UNITS, unitToken } from './datetime_tokens.ts';
import { type Int8, Interval } from './datum.ts';
import { PgError } from '../../common/errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { checkedInterval } from './interval.ts';
import { timestampOutOfRange, zoneByName, zonedTm } from './timestamp.ts';
import { determineTimeZoneOffset, type TimeZone } from './timezone.ts';

/** Units from fine to coarse; each also cuts what the ones before it cut. Weeks stand aside. */
const RANKS = new Map([DTK_MICROSEC, DTK_MILLISEC, DTK_SECOND, DTK_MINUTE, DTK_HOUR, DTK_DAY, DTK_MONTH, DTK_QUARTER,
  DTK_YEAR, DTK_DECADE, DTK_CENTURY, DTK_MILLENNIUM].map((unit, rank) => [unit, rank]));
const RANK_DAY = RANKS.get(DTK_DAY)!;

function rankOf(text: string, unit: number, typeName: string): number {
  const rank = RANKS.get(unit);
  if (rank === undefined) throw unitNotSupported(text, typeName);
  return rank;
}

/** date_trunc knows units of intervals only, not "epoch" or "doy". */
function truncUnit(text: string, typeName: string): number {
  const token = unitToken(lowerUnit(text));
  if (token?.type !== UNITS) {
    throw new PgError('invalid_parameter_value', `unit "${lowerUnit(text)}" not recognized for type ${typeName}`);
  }
  return token.value;
}

/** Cuts in place. */
function truncateTm(text: string, unit: number, typeName: string, tm: Tm): void {
  if (unit === DTK_WEEK) {
    const week = isoWeek(tm.year, tm.mon, tm.mday);
    if (week >= 52 && tm.mon === 1) tm.year--; // the last week of the year before
    if (week <= 1 && tm.mon === 12) tm.year++;
    isoWeekToDate(week, tm);
    tm.hour = tm.min = tm.sec = tm.usec = 0;
    return;
  }
  const rank = rankOf(text, unit, typeName);
  const { year } = tm;
  if (unit === DTK_MILLENNIUM) {
    tm.year = year > 0 ? Math.trunc((year + 999) / 1000) * 1000 - 999 : -Math.trunc((999 - (year - 1)) / 1000) * 1000 + 1;
  } else if (unit === DTK_CENTURY) {
    tm.year = year > 0 ? Math.trunc((year + 99) / 100) * 100 - 99 : -Math.trunc((99 - (year - 1)) / 100) * 100 + 1;
  } else if (unit === DTK_DECADE) {
    tm.year = year > 0 ? Math.trunc(year / 10) * 10 : -Math.trunc((8 - (year - 1)) / 10) * 10;
  }
  if (rank >= RANKS.get(DTK_YEAR)!) tm.mon = 1;
  else if (unit === DTK_QUARTER) tm.mon = 3 * Math.trunc((tm.mon - 1) / 3) + 1;
  if (rank >= RANKS.get(DTK_MONTH)!) tm.mday = 1;
  if (rank >= RANK_DAY) tm.hour = 0;
  if (rank >= RANKS.get(DTK_HOUR)!) tm.min = 0;
  if (rank >= RANKS.get(DTK_MINUTE)!) tm.sec = 0;
  if (rank >= RANKS.get(DTK_SECOND)!) tm.usec = 0;
  else if (unit === DTK_MILLISEC) tm.usec = Math.trunc(tm.usec / 1000) * 1000;
}

const scratch = new Tm();

function truncTimestamp(text: string, timestamp: Int8): Int8 {
  const typeName = 'timestamp without time zone';
  if (isInfinite(timestamp)) return timestamp;
  const unit = truncUnit(text, typeName);
  timestampToTm(timestamp, scratch);
  truncateTm(text, unit, typeName, scratch);
  const result = tmToTimestamp(scratch);
  if (result === undefined) throw timestampOutOfRange();
  return result;
}

function truncTimestampTz(text: string, timestamp: Int8, zone: TimeZone): Int8 {
  const typeName = 'timestamp with time zone';
  if (isInfinite(timestamp)) return timestamp;
  const unit = truncUnit(text, typeName);
  zonedTm(timestamp, zone, scratch);
  const west = scratch.zone;
  truncateTm(text, unit, typeName, scratch);
  // Below a day the offset stays what it is, from a day on it may be another one.
  const days = unit === DTK_WEEK || RANKS.get(unit)! >= RANK_DAY;
  const result = tmToTimestamp(scratch, days ? determineTimeZoneOffset(scratch, zone) : west);
  if (result === undefined) throw timestampOutOfRange();
  return result;
}

function truncInterval(text: string, value: Interval): Interval {
  const unit = truncUnit(text, 'interval');
  if (unit === DTK_WEEK) throw unitNotSupported(text, 'interval', 'Months usually have fractional weeks.');
  const rank = rankOf(text, unit, 'interval');
  const parts = intervalParts(value);
  const years = { [DTK_MILLENNIUM]: 1000, [DTK_CENTURY]: 100, [DTK_DECADE]: 10 }[unit];
  if (years !== undefined) parts.year = Math.trunc(parts.year / years) * years;
  if (rank >= RANKS.get(DTK_YEAR)!) parts.mon = 0;
  else if (unit === DTK_QUARTER) parts.mon = 3 * Math.trunc(parts.mon / 3);
  if (rank >= RANKS.get(DTK_MONTH)!) parts.day = 0;
  if (rank >= RANK_DAY) parts.hour = 0;
  if (rank >= RANKS.get(DTK_HOUR)!) parts.min = 0;
  if (rank >= RANKS.get(DTK_MINUTE)!) parts.sec = 0;
  if (rank >= RANKS.get(DTK_SECOND)!) parts.usec = 0;
  else if (unit === DTK_MILLISEC) parts.usec = Math.trunc(parts.usec / 1000) * 1000;
  const { year, mon, day, hour, min, sec, usec } = parts;
  const rest = (min * 60 + sec) * 1000000 + usec;
  const hours = hour * 3600000000;
  const time = Number.isSafeInteger(hours) ? hours + rest : addInt8(BigInt(hour) * 3600000000n, rest);
  return checkedInterval(year * 12 + mon, day, time);
}

registerBuiltins({
  pure: {
    timestamp_trunc: truncTimestamp,
    timestamptz_trunc: (unit: string, timestamp: Int8) => truncTimestampTz(unit, timestamp, datetimeSettings.timeZone),
    timestamptz_trunc_zone: (unit: string, timestamp: Int8, zone: string) =>
      isInfinite(timestamp) ? timestamp : truncTimestampTz(unit, timestamp, zoneByName(zone)),
    interval_trunc: truncInterval,
  },
});
