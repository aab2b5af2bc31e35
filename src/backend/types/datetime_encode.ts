// Dates, times and intervals as text, in the styles of DateStyle and IntervalStyle: the Encode functions of
// PostgreSQL's datetime.c. The ISO style is on COPY's path and has a way of its own.
import { date2j, dayNames, j2date, j2day, monthAbbreviations, POSTGRES_EPOCH_JDATE, timestampDay, timestampTime,
  Tm, USECS_PER_HOUR, USECS_PER_MINUTE, USECS_PER_SEC } from './calendar.ts';
import { datetimeSettings, type DateOrder, type DateStyle, type IntervalStyle } from './datetime_settings.ts';
import type { Int8, Interval } from './datum.ts';

const MAX_ABBREVIATION = 10;

// "00" to "99".
const twoDigits: string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

function two(value: number): string {
  return value >= 0 && value < 100 ? twoDigits[value]! : String(value);
}

function four(value: number): string {
  return value >= 1000 ? String(value) : value >= 100 ? `0${value}` : `00${two(value)}`;
}

/** AppendSeconds: without trailing zeros in the fraction. */
function seconds(sec: number, usec: number, fillZeros: boolean): string {
  const whole = fillZeros ? two(Math.abs(sec)) : String(Math.abs(sec));
  return usec === 0 ? whole : whole + fraction(Math.abs(usec));
}

/** ".5" for 500000. */
function fraction(usec: number): string {
  let digits = 6;
  while (usec % 10 === 0) {
    usec /= 10;
    digits--;
  }
  return `.${String(usec).padStart(digits, '0')}`;
}

/** EncodeTimezone: of seconds WEST. */
export function encodeZone(west: number, alwaysMinutes = false): string {
  const total = Math.abs(west);
  const sec = total % 60;
  const min = Math.floor(total / 60) % 60;
  const hour = Math.floor(total / 3600);
  const text = (west <= 0 ? '+' : '-') + two(hour);
  if (sec !== 0) return `${text}:${two(min)}:${two(sec)}`;
  return min !== 0 || alwaysMinutes ? `${text}:${two(min)}` : text;
}

/** EncodeDateOnly, without " BC". */
function dateText(tm: Tm, style: DateStyle, order: DateOrder): string {
  const year = four(tm.year > 0 ? tm.year : 1 - tm.year);
  const month = two(tm.mon), day = two(tm.mday);
  switch (style) {
    case 'ISO': return `${year}-${month}-${day}`;
    case 'SQL': return order === 'DMY' ? `${day}/${month}/${year}` : `${month}/${day}/${year}`;
    case 'German': return `${day}.${month}.${year}`;
    case 'Postgres': return order === 'DMY' ? `${day}-${month}-${year}` : `${month}-${day}-${year}`;
  }
}

export function encodeDate(tm: Tm): string {
  const text = dateText(tm, datetimeSettings.dateStyle, datetimeSettings.dateOrder);
  return tm.year > 0 ? text : `${text} BC`;
}

/** A time of day in microseconds; hour may be 24. */
export function encodeTime(time: number): string {
  const whole = Math.floor(time / USECS_PER_SEC);
  const usec = time - whole * USECS_PER_SEC;
  const minutes = (whole / 60) | 0;
  const text = `${two((minutes / 60) | 0)}:${two(minutes % 60)}:${two(whole - minutes * 60)}`;
  return usec === 0 ? text : text + fraction(usec);
}

/** EncodeDateTime: a broken-down timestamp; `withZone` shows its zone. */
export function encodeDateTime(tm: Tm, withZone: boolean, style: DateStyle = datetimeSettings.dateStyle): string {
  const order = datetimeSettings.dateOrder;
  const time = `${two(tm.hour)}:${two(tm.min)}:${seconds(tm.sec, tm.usec, true)}`;
  let text: string;
  if (style === 'Postgres') {
    const weekday = dayNames[j2day(date2j(tm.year, tm.mon, tm.mday))]!.slice(0, 3);
    const month = monthAbbreviations[tm.mon - 1]!;
    const day = order === 'DMY' ? `${two(tm.mday)} ${month}` : `${month} ${two(tm.mday)}`;
    text = `${weekday} ${day} ${time} ${four(tm.year > 0 ? tm.year : 1 - tm.year)}`;
  } else {
    text = `${dateText(tm, style, order)} ${time}`;
  }
  if (withZone) {
    if (style === 'ISO') text += encodeZone(tm.zone);
    else if (tm.zoneName !== null) text += ` ${tm.zoneName.slice(0, MAX_ABBREVIATION)}`;
    else text += (style === 'Postgres' ? ' ' : '') + encodeZone(tm.zone);
  }
  return tm.year > 0 ? text : `${text} BC`;
}

/** XML and JSON form: 2000-01-01T00:00:00, the zone always with minutes. */
export function encodeXsdDateTime(tm: Tm, withZone: boolean): string {
  const time = `${two(tm.hour)}:${two(tm.min)}:${seconds(tm.sec, tm.usec, true)}`;
  const text = `${dateText(tm, 'ISO', 'YMD')}T${time}${withZone ? encodeZone(tm.zone, true) : ''}`;
  return tm.year > 0 ? text : `${text} BC`;
}

export function encodeXsdDate(tm: Tm): string {
  const text = dateText(tm, 'ISO', 'YMD');
  return tm.year > 0 ? text : `${text} BC`;
}

const scratch = new Tm();
let lastDay = NaN;
let lastDayText = '';

/** The ISO form of a day since 2000, with the last one kept. */
export function isoDay(day: number): string {
  if (day !== lastDay) {
    j2date(day + POSTGRES_EPOCH_JDATE, scratch);
    lastDayText = dateText(scratch, 'ISO', 'YMD');
    lastDay = day;
  }
  return lastDayText;
}

const YEAR_ONE_DAY = date2j(1, 1, 1) - POSTGRES_EPOCH_JDATE;

/** The ISO form of a finite local timestamp, with a zone (seconds WEST) unless undefined. */
export function isoTimestamp(local: Int8, zone: number | undefined): string {
  const day = timestampDay(local);
  const text = `${isoDay(day)} ${encodeTime(timestampTime(local, day))}${zone === undefined ? '' : encodeZone(zone)}`;
  return day >= YEAR_ONE_DAY ? text : `${text} BC`;
}

/** An interval in parts, of equal sign within months and within time. */
export interface IntervalParts {
  year: number;
  mon: number;
  day: number;
  hour: number;
  min: number;
  sec: number;
  usec: number;
}

export function intervalParts(interval: Interval): IntervalParts {
  const { months, time } = interval;
  // Also a time beyond 2^53 leaves a remainder of hours that is exact.
  const hour = typeof time === 'number' ? Math.trunc(time / USECS_PER_HOUR) : Number(time / BigInt(USECS_PER_HOUR));
  let rest = typeof time === 'number' ? time - hour * USECS_PER_HOUR : Number(time % BigInt(USECS_PER_HOUR));
  const min = Math.trunc(rest / USECS_PER_MINUTE);
  rest -= min * USECS_PER_MINUTE;
  const sec = Math.trunc(rest / USECS_PER_SEC);
  return { year: Math.trunc(months / 12) + 0, mon: (months % 12) + 0, day: interval.days, hour: hour + 0, min: min + 0,
    sec: sec + 0, usec: rest - sec * USECS_PER_SEC };
}

/** EncodeInterval. */
export function encodeInterval(interval: Interval, style: IntervalStyle = datetimeSettings.intervalStyle): string {
  const parts = intervalParts(interval);
  switch (style) {
    case 'postgres': return postgresInterval(parts);
    case 'postgres_verbose': return verboseInterval(parts);
    case 'sql_standard': return sqlInterval(parts);
    case 'iso_8601': return isoInterval(parts);
  }
}

function postgresInterval({ year, mon, day, hour, min, sec, usec }: IntervalParts): string {
  let text = '';
  let afterNegative = false; // a positive part after a negative one shows its sign
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    text += `${text === '' ? '' : ' '}${afterNegative && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`;
    afterNegative = value < 0;
  };
  add(year, 'year');
  add(mon, 'mon');
  add(day, 'day');
  if (text === '' || hour !== 0 || min !== 0 || sec !== 0 || usec !== 0) {
    const minus = hour < 0 || min < 0 || sec < 0 || usec < 0;
    text += `${text === '' ? '' : ' '}${minus ? '-' : afterNegative ? '+' : ''}${two(Math.abs(hour))}:` +
      `${two(Math.abs(min))}:${seconds(sec, usec, true)}`;
  }
  return text;
}

function verboseInterval({ year, mon, day, hour, min, sec, usec }: IntervalParts): string {
  let text = '@';
  let isZero = true, isBefore = false; // the first part decides about "ago"
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    if (isZero) {
      isBefore = value < 0;
      value = Math.abs(value);
    } else if (isBefore) {
      value = -value;
    }
    text += ` ${value} ${unit}${value === 1 ? '' : 's'}`;
    isZero = false;
  };
  add(year, 'year');
  add(mon, 'mon');
  add(day, 'day');
  add(hour, 'hour');
  add(min, 'min');
  if (sec !== 0 || usec !== 0) {
    text += ' ';
    if (sec < 0 || (sec === 0 && usec < 0)) {
      if (isZero) isBefore = true;
      else if (!isBefore) text += '-';
    } else if (isBefore) {
      text += '-';
    }
    text += `${seconds(sec, usec, false)} sec${Math.abs(sec) !== 1 || usec !== 0 ? 's' : ''}`;
    isZero = false;
  }
  if (isZero) text += ' 0';
  return isBefore ? `${text} ago` : text;
}

function sqlInterval(parts: IntervalParts): string {
  let { year, mon, day, hour, min, sec, usec } = parts;
  const all = [year, mon, day, hour, min, sec, usec];
  const hasNegative = all.some((value) => value < 0), hasPositive = all.some((value) => value > 0);
  if (!hasNegative && !hasPositive) return '0';
  const hasYearMonth = year !== 0 || mon !== 0;
  const hasDayTime = all.slice(2).some((value) => value !== 0);
  if ((hasNegative && hasPositive) || (hasYearMonth && hasDayTime)) { // not a standard value: every part with its sign
    const sign = (...values: number[]): string => (values.some((value) => value < 0) ? '-' : '+');
    return `${sign(year, mon)}${Math.abs(year)}-${Math.abs(mon)} ${sign(day)}${Math.abs(day)} ` +
      `${sign(hour, min, sec, usec)}${Math.abs(hour)}:${two(Math.abs(min))}:${seconds(sec, usec, true)}`;
  }
  [year, mon, day, hour, min, sec, usec] = all.map(Math.abs) as [number, number, number, number, number, number, number];
  const sign = hasNegative ? '-' : '';
  if (hasYearMonth) return `${sign}${year}-${mon}`;
  const time = `${hour}:${two(min)}:${seconds(sec, usec, true)}`;
  return day !== 0 ? `${sign}${day} ${time}` : sign + time;
}

function isoInterval({ year, mon, day, hour, min, sec, usec }: IntervalParts): string {
  const part = (value: number, unit: string): string => (value === 0 ? '' : `${value}${unit}`);
  let text = `P${part(year, 'Y')}${part(mon, 'M')}${part(day, 'D')}`;
  if (hour !== 0 || min !== 0 || sec !== 0 || usec !== 0) {
    text += `T${part(hour, 'H')}${part(min, 'M')}`;
    if (sec !== 0 || usec !== 0) text += `${sec < 0 || usec < 0 ? '-' : ''}${seconds(sec, usec, false)}S`;
  }
  return text === 'P' ? 'PT0S' : text;
}
