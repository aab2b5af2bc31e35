// Dates and times from the fields that datetime_scan.ts found: PostgreSQL's DecodeDateTime and DecodeTimeOnly with
// all they accept. Interval input is interval_decode.ts.
import { PgError } from '../../common/errors.ts';
import { session } from '../utils/session.ts';
import { date2j, daysInMonth, j2date, setTime, timestampToTm, Tm, USECS_PER_DAY } from './calendar.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { BAD_FORMAT, FIELD_OVERFLOW, isAlpha, isDigit, MD_FIELD_OVERFLOW, parsedTo, parseFraction,
  parseFractionalSecond, parseInt32, parseInt64, rint, type Scanned, TZDISP_OVERFLOW } from './datetime_scan.ts';
import { ADBC, ALL_SECS_MASK, AM, AMPM, BC, DATE_MASK, dateToken, DAY, DOW, DOY, DTK_DATE, DTK_DAY, DTK_HOUR,
  DTK_JULIAN, DTK_MINUTE, DTK_MONTH, DTK_NOW, DTK_NUMBER, DTK_SECOND, DTK_SPECIAL, DTK_STRING, DTK_TIME, DTK_TODAY,
  DTK_TOMORROW, DTK_TZ, DTK_YEAR, DTK_YESTERDAY, DTK_ZULU, DTZ, DTZMOD, DYNTZ, HOUR, HR24, IGNORE, ISOTIME, MINUTE,
  MONTH, PM, RESERV, SECOND, TIME_MASK, TZ, UNITS, UNKNOWN_FIELD, YEAR } from './datetime_tokens.ts';
import { determineAbbreviationOffset, determineTimeZoneOffset, findTimeZone, type TimeZone, toLocal, unixSeconds }
  from './timezone.ts';

const bit = (field: number): number => 1 << field;
const PLUS = 43, MINUS = 45, DOT = 46, COLON = 58;

/** What a time zone abbreviation stands for: seconds EAST, or a zone whose history decides. */
export interface AbbreviationMeaning {
  readonly type: number; // TZ, DTZ or DYNTZ
  readonly offset: number;
  readonly zone: TimeZone | null;
}

/** DecodeTimezoneAbbrev: lower case; undefined when it is none of the set in use. */
export function decodeAbbreviation(word: string): AbbreviationMeaning | undefined {
  const entry = datetimeSettings.abbreviations.get(word.length > 10 ? word.slice(0, 10) : word);
  if (entry === undefined) return undefined;
  if (entry.length === 3) return { type: entry[2] ? DTZ : TZ, offset: entry[1], zone: null };
  const zone = findTimeZone(entry[1]);
  if (zone === undefined) {
    throw new PgError('config_file_error', `time zone "${entry[1]}" not recognized`,
      { detail: `This time zone name appears in the configuration file for time zone abbreviation "${entry[0]}".` });
  }
  return { type: DYNTZ, offset: 0, zone };
}

/** The transaction's start in the session's zone. Sets tm.zone (west) as well. */
function currentTm(tm: Tm): void {
  const zone = datetimeSettings.timeZone;
  session.literalsVolatile = true;
  timestampToTm(toLocal(session.transactionStart, zone), tm);
  const type = zone.at(unixSeconds(session.transactionStart));
  tm.zone = 0 - type.offset;
  tm.isdst = type.isDst ? 1 : 0;
}

/** Hours, minutes, seconds and their sum out of range? 24:00:00 is in. */
function timeOverflows(hour: number, min: number, sec: number, usec: number): boolean {
  return hour < 0 || hour > 24 || min < 0 || min > 59 || sec < 0 || sec > 60 || usec < 0 || usec > 1000000 ||
    ((hour * 60 + min) * 60 + sec) * 1000000 + usec > USECS_PER_DAY;
}

/** DecodeTimezone: "+hh", "+hhmm", "+hh:mm[:ss]" from a position to the end. Result: seconds WEST, or an error code
 * as `{ error }`. */
export function decodeTimezone(text: string, from: number): number | { error: number } {
  const sign = text.charCodeAt(from);
  if (sign !== PLUS && sign !== MINUS) return { error: BAD_FORMAT };
  let hour = parseInt32(text, from + 1);
  let at = parsedTo();
  if (hour === undefined) return { error: TZDISP_OVERFLOW };
  let min: number | undefined = 0, sec: number | undefined = 0;
  if (text.charCodeAt(at) === COLON) {
    min = parseInt32(text, at + 1);
    at = parsedTo();
    if (min === undefined) return { error: TZDISP_OVERFLOW };
    if (text.charCodeAt(at) === COLON) {
      sec = parseInt32(text, at + 1);
      at = parsedTo();
      if (sec === undefined) return { error: TZDISP_OVERFLOW };
    }
  } else if (at === text.length && text.length - from > 3) {
    min = hour % 100;
    hour = Math.trunc(hour / 100);
  }
  if (hour < 0 || hour > 15 || min < 0 || min > 59 || sec < 0 || sec > 59) return { error: TZDISP_OVERFLOW };
  if (at !== text.length) return { error: BAD_FORMAT };
  const seconds = (hour * 60 + min) * 60 + sec;
  return sign === MINUS ? seconds : 0 - seconds;
}

/** DecodeTime: hh:mm[:ss[.ffffff]], where hour may be any int64. `minuteSecond` takes two fields as mm:ss. */
export function decodeTime(text: string, minuteSecond: boolean, tm: Tm): { hour: number | bigint } | number {
  let hour = parseInt64(text, 0);
  if (hour === undefined) return FIELD_OVERFLOW;
  if (text.charCodeAt(parsedTo()) !== COLON) return BAD_FORMAT;
  let min = parseInt32(text, parsedTo() + 1);
  if (min === undefined) return FIELD_OVERFLOW;
  let sec: number | undefined = 0, usec: number | undefined = 0;
  const at = parsedTo();
  const c = text.charCodeAt(at);
  if (at === text.length || c === DOT) {
    if (c === DOT) { // always mm:ss.fff
      usec = parseFractionalSecond(text, at);
      if (usec === undefined) return BAD_FORMAT;
    }
    if (c === DOT || minuteSecond) {
      if (hour > 2147483647 || hour < -2147483648) return FIELD_OVERFLOW;
      sec = min;
      min = Number(hour);
      hour = 0;
    }
  } else if (c === COLON) {
    sec = parseInt32(text, at + 1);
    if (sec === undefined) return FIELD_OVERFLOW;
    const end = parsedTo();
    if (text.charCodeAt(end) === DOT) {
      usec = parseFractionalSecond(text, end);
      if (usec === undefined) return BAD_FORMAT;
    } else if (end !== text.length) {
      return BAD_FORMAT;
    }
  } else {
    return BAD_FORMAT;
  }
  if (hour < 0 || min < 0 || min > 59 || sec < 0 || sec > 60 || usec < 0 || usec > 1000000) return FIELD_OVERFLOW;
  tm.min = min;
  tm.sec = sec;
  tm.usec = usec;
  return { hour };
}

/** One value being decoded. After `dateTime()` or `timeOnly()` returned 0, `kind` says what it is: DTK_DATE (in `tm`,
 * with the zone as tm.zone, seconds WEST) or DTK_EPOCH, DTK_LATE, DTK_EARLY. */
export class DateTimeDecoder {
  readonly tm = new Tm();
  kind = DTK_DATE;
  private readonly fields: string[];
  private readonly types: number[];
  private seen = 0; // fields seen so far
  private found = 0; // fields that the present token gives
  private twoDigits = false; // the year was given with one or two digits
  private isJulian = false;
  private isBc = false;
  private meridian = HR24;
  private prefix = 0; // the unit word before a number, as in y2001m02d04; 0 is none
  private haveTextMonth = false;
  private namedZone: TimeZone | null = null;
  private abbreviationZone: TimeZone | null = null;
  private abbreviation = '';

  constructor(scanned: Scanned) {
    this.fields = scanned.fields;
    this.types = scanned.types;
  }

  /** DecodeDateTime. 1: a time without a date. */
  dateTime(): number {
    const { fields, tm } = this;
    for (let i = 0; i < fields.length; i++) {
      this.found = 0;
      const error = this.dateTimeField(i);
      if (error === SKIP) continue;
      if (error !== 0) return error;
      if ((this.found & this.seen) !== 0) return BAD_FORMAT;
      this.seen |= this.found;
    }
    const error = this.validateDate() || this.applyMeridian();
    if (error !== 0) return error;
    if (this.kind !== DTK_DATE) return 0;
    if ((this.seen & DATE_MASK) !== DATE_MASK) return (this.seen & TIME_MASK) === TIME_MASK ? 1 : BAD_FORMAT;
    const modified = (this.seen & bit(DTZMOD)) !== 0;
    if (this.namedZone !== null) {
      if (modified) return BAD_FORMAT;
      tm.zone = determineTimeZoneOffset(tm, this.namedZone);
    }
    if (this.abbreviationZone !== null) {
      if (modified) return BAD_FORMAT;
      tm.zone = determineAbbreviationOffset(tm, this.abbreviation, this.abbreviationZone);
    }
    if ((this.seen & bit(TZ)) === 0) {
      if (modified) return BAD_FORMAT;
      tm.zone = determineTimeZoneOffset(tm, datetimeSettings.timeZone);
    }
    return 0;
  }

  private dateTimeField(i: number): number {
    const field = this.fields[i]!;
    switch (this.types[i]) {
      case DTK_DATE:
        return this.dateOrZone(field);
      case DTK_TIME: {
        if (this.prefix !== 0) { // a time after "t"
          if (this.prefix !== DTK_TIME) return BAD_FORMAT;
          this.prefix = 0;
        }
        const error = this.time(field);
        if (error !== 0) return error;
        const { hour, min, sec, usec } = this.tm;
        return timeOverflows(hour, min, sec, usec) ? FIELD_OVERFLOW : 0;
      }
      case DTK_TZ:
        return this.zone(field, 0);
      case DTK_NUMBER:
        if (this.prefix !== 0) return this.labelledNumber(field);
        return this.plainNumber(field);
      case DTK_STRING:
      case DTK_SPECIAL:
        return this.dateTimeWord(i, field);
      default:
        return BAD_FORMAT;
    }
  }

  /** A field with '-', '/' or '.' inside: a date; a zone's name or hhmmss-zz once there is a month and day. */
  private dateOrZone(field: string): number {
    if (this.prefix === DTK_JULIAN) { // J and the day with a time zone attached
      const day = parseInt32(field, 0);
      if (day === undefined || day < 0) return FIELD_OVERFLOW;
      const at = parsedTo();
      j2date(day, this.tm);
      this.isJulian = true;
      const error = this.zone(field, at);
      this.found = DATE_MASK | TIME_MASK | bit(TZ);
      this.prefix = 0;
      return error;
    }
    const monthAndDay = bit(MONTH) | bit(DAY);
    if (this.prefix === 0 && (this.seen & monthAndDay) !== monthAndDay) return this.date(field);
    if (!isDigit(field.charCodeAt(0)) && this.prefix === 0) return this.zoneName(field);
    if (this.prefix !== 0) {
      if (this.prefix !== DTK_TIME) return BAD_FORMAT;
      this.prefix = 0;
    }
    return this.timeWithZone(field, this.seen);
  }

  /** hhmmss-zz */
  private timeWithZone(field: string, seen: number): number {
    if ((this.seen & TIME_MASK) === TIME_MASK) return BAD_FORMAT;
    const at = field.indexOf('-');
    if (at < 0) return BAD_FORMAT;
    let error = this.zone(field, at);
    if (error !== 0) return error;
    error = this.numberField(field.slice(0, at), seen);
    this.found |= bit(TZ);
    return error;
  }

  private zone(field: string, from: number): number {
    const zone = decodeTimezone(field, from);
    if (typeof zone !== 'number') return zone.error;
    this.tm.zone = zone;
    this.found = bit(TZ);
    return 0;
  }

  private zoneName(field: string): number {
    const zone = findTimeZone(field);
    if (zone === undefined) throw new PgError('invalid_parameter_value', `time zone "${field}" not recognized`);
    this.namedZone = zone;
    this.found = bit(TZ);
    return 0;
  }

  private time(field: string): number {
    const result = decodeTime(field, false, this.tm);
    this.found = TIME_MASK;
    if (typeof result === 'number') return result;
    if (result.hour > 2147483647) return FIELD_OVERFLOW;
    this.tm.hour = Number(result.hour);
    return 0;
  }

  /** A number after a unit word: the ISO form "y2001m02d04". */
  private labelledNumber(field: string): number {
    const { tm, prefix } = this;
    const value = parseInt32(field, 0);
    const at = parsedTo();
    if (value === undefined) return FIELD_OVERFLOW;
    const fraction = field.charCodeAt(at) === DOT;
    if (fraction) {
      if (prefix !== DTK_JULIAN && prefix !== DTK_TIME && prefix !== DTK_SECOND) return BAD_FORMAT;
    } else if (at !== field.length) {
      return BAD_FORMAT;
    }
    switch (prefix) {
      case DTK_YEAR:
        tm.year = value;
        this.found = bit(YEAR);
        break;
      case DTK_MONTH: // with a month and an hour already there: minutes
        if ((this.seen & bit(MONTH)) !== 0 && (this.seen & bit(HOUR)) !== 0) {
          tm.min = value;
          this.found = bit(MINUTE);
        } else {
          tm.mon = value;
          this.found = bit(MONTH);
        }
        break;
      case DTK_DAY:
        tm.mday = value;
        this.found = bit(DAY);
        break;
      case DTK_HOUR:
        tm.hour = value;
        this.found = bit(HOUR);
        break;
      case DTK_MINUTE:
        tm.min = value;
        this.found = bit(MINUTE);
        break;
      case DTK_SECOND:
        tm.sec = value;
        this.found = bit(SECOND);
        if (fraction) {
          const usec = parseFractionalSecond(field, at);
          if (usec === undefined) return BAD_FORMAT;
          tm.usec = usec;
          this.found = ALL_SECS_MASK;
        }
        break;
      case DTK_JULIAN:
        if (value < 0) return FIELD_OVERFLOW;
        this.found = DATE_MASK;
        j2date(value, tm);
        this.isJulian = true;
        if (fraction) {
          const part = parseFraction(field, at);
          if (part === undefined) return BAD_FORMAT;
          setTime(Math.trunc(part * USECS_PER_DAY), tm);
          this.found |= TIME_MASK;
        }
        break;
      case DTK_TIME: {
        const error = this.numberField(field, this.seen | DATE_MASK);
        if (error !== 0) return error;
        if (this.found !== TIME_MASK) return BAD_FORMAT;
        break;
      }
      default:
        return BAD_FORMAT;
    }
    this.prefix = 0;
    this.kind = DTK_DATE;
    return 0;
  }

  private plainNumber(field: string): number {
    const point = field.indexOf('.');
    if (point >= 0 && (this.seen & DATE_MASK) === 0) return this.date(field);
    if (point > 2) return this.numberField(field, this.seen);
    if (field.length >= 6 && ((this.seen & DATE_MASK) === 0 || (this.seen & TIME_MASK) === 0)) {
      return this.numberField(field, this.seen);
    }
    return this.number(field, this.haveTextMonth, this.seen);
  }

  private dateTimeWord(i: number, field: string): number {
    const { tm } = this;
    const abbreviation = decodeAbbreviation(field);
    const token = abbreviation === undefined ? dateToken(field) : undefined;
    const type = abbreviation?.type ?? token?.type ?? UNKNOWN_FIELD;
    const value = abbreviation?.offset ?? token?.value ?? 0;
    if (type === IGNORE) return SKIP;
    this.found = bit(type);
    switch (type) {
      case RESERV:
        switch (value) {
          case DTK_NOW:
            this.found = DATE_MASK | TIME_MASK | bit(TZ);
            this.kind = DTK_DATE;
            currentTm(tm);
            return 0;
          case DTK_YESTERDAY:
          case DTK_TODAY:
          case DTK_TOMORROW: {
            this.found = DATE_MASK;
            this.kind = DTK_DATE;
            const now = new Tm();
            currentTm(now);
            j2date(date2j(now.year, now.mon, now.mday) + (value - DTK_TODAY), tm);
            return 0;
          }
          case DTK_ZULU:
            this.found = TIME_MASK | bit(TZ);
            this.kind = DTK_DATE;
            tm.hour = 0;
            tm.min = 0;
            tm.sec = 0;
            tm.zone = 0;
            return 0;
          default:
            this.kind = value;
            return 0;
        }
      case MONTH: // a number that was taken for the month must have been the day
        if ((this.seen & bit(MONTH)) !== 0 && !this.haveTextMonth && (this.seen & bit(DAY)) === 0 && tm.mon >= 1 &&
          tm.mon <= 31) {
          tm.mday = tm.mon;
          this.found = bit(DAY);
        }
        this.haveTextMonth = true;
        tm.mon = value;
        return 0;
      case DOW:
        tm.wday = value;
        return 0;
      case ISOTIME:
        if ((this.seen & DATE_MASK) !== DATE_MASK) return BAD_FORMAT;
        return this.isoTime(i, value);
      default:
        return this.commonWord(field, type, value, abbreviation?.zone ?? null);
    }
  }

  /** "t": the next field must be a time. */
  private isoTime(i: number, value: number): number {
    this.found = 0;
    const next = this.types[i + 1];
    if (next !== DTK_NUMBER && next !== DTK_TIME && next !== DTK_DATE) return BAD_FORMAT;
    this.prefix = value;
    return 0;
  }

  /** Words that mean the same in dates and in times of day. */
  private commonWord(field: string, type: number, value: number, zone: TimeZone | null): number {
    const { tm } = this;
    switch (type) {
      case DTZMOD: // as in "MET DST"
        this.found |= bit(DTZ);
        tm.isdst = 1;
        tm.zone -= value;
        return 0;
      case DTZ:
        this.found |= bit(TZ);
        tm.isdst = 1;
        tm.zone = 0 - value;
        return 0;
      case TZ:
        tm.isdst = 0;
        tm.zone = 0 - value;
        return 0;
      case DYNTZ:
        this.found |= bit(TZ);
        this.abbreviationZone = zone;
        this.abbreviation = field;
        return 0;
      case AMPM:
        this.meridian = value;
        return 0;
      case ADBC:
        this.isBc = value === BC;
        return 0;
      case UNITS:
        this.found = 0;
        this.prefix = value;
        return 0;
      case UNKNOWN_FIELD: {
        const named = findTimeZone(field);
        if (named === undefined) return BAD_FORMAT;
        this.namedZone = named;
        this.found = bit(TZ);
        return 0;
      }
      default:
        return BAD_FORMAT;
    }
  }

  /** DecodeTimeOnly: a time of day, perhaps with a zone, and with a date where that is needed for the zone. */
  timeOnly(): number {
    const { fields, tm } = this;
    this.kind = DTK_TIME;
    for (let i = 0; i < fields.length; i++) {
      this.found = 0;
      const error = this.timeField(i);
      if (error === SKIP) continue;
      if (error !== 0) return error;
      if ((this.found & this.seen) !== 0) return BAD_FORMAT;
      this.seen |= this.found;
    }
    const error = this.validateDate() || this.applyMeridian();
    if (error !== 0) return error;
    if (timeOverflows(tm.hour, tm.min, tm.sec, tm.usec)) return FIELD_OVERFLOW;
    if ((this.seen & TIME_MASK) !== TIME_MASK) return BAD_FORMAT;
    const modified = (this.seen & bit(DTZMOD)) !== 0;
    const dates = this.seen & DATE_MASK;
    if (this.namedZone !== null) {
      if (modified) return BAD_FORMAT;
      const fixed = this.namedZone.fixedOffset;
      if (fixed !== undefined) {
        tm.zone = 0 - fixed;
      } else {
        if (dates !== DATE_MASK) return BAD_FORMAT;
        tm.zone = determineTimeZoneOffset(tm, this.namedZone);
      }
    }
    if (this.abbreviationZone !== null || (this.seen & bit(TZ)) === 0) {
      if (modified || (dates !== 0 && dates !== DATE_MASK)) return BAD_FORMAT;
      const day = new Tm();
      if (dates === 0) currentTm(day);
      else Object.assign(day, tm);
      day.hour = tm.hour;
      day.min = tm.min;
      day.sec = tm.sec;
      tm.zone = this.abbreviationZone !== null
        ? determineAbbreviationOffset(day, this.abbreviation, this.abbreviationZone)
        : determineTimeZoneOffset(day, datetimeSettings.timeZone);
      tm.isdst = day.isdst;
    }
    return 0;
  }

  private timeField(i: number): number {
    const { fields, types } = this;
    const field = fields[i]!;
    const last = types[types.length - 1];
    switch (types[i]) {
      case DTK_DATE:
        if (i === 0 && fields.length >= 2 && (last === DTK_DATE || types[1] === DTK_TIME)) return this.date(field);
        if (!isDigit(field.charCodeAt(0))) {
          types[i] = DTK_TZ;
          return this.zoneName(field);
        }
        types[i] = DTK_TIME;
        return this.timeWithZone(field, this.seen | DATE_MASK);
      case DTK_TIME:
        return this.time(field);
      case DTK_TZ:
        return this.zone(field, 0);
      case DTK_NUMBER: {
        if (this.prefix !== 0) return this.labelledNumber(field);
        const point = field.indexOf('.');
        const seen = this.seen | DATE_MASK;
        if (point >= 0) {
          if (i === 0 && fields.length >= 2 && last === DTK_DATE) return this.date(field);
          if (point <= 2) return BAD_FORMAT;
          types[i] = DTK_TIME;
          return this.numberField(field, seen);
        }
        if (field.length > 4) {
          types[i] = DTK_TIME;
          return this.numberField(field, seen);
        }
        return this.number(field, false, seen);
      }
      case DTK_STRING:
      case DTK_SPECIAL:
        return this.timeWord(i, field);
      default:
        return BAD_FORMAT;
    }
  }

  private timeWord(i: number, field: string): number {
    const { tm, types } = this;
    const abbreviation = decodeAbbreviation(field);
    const token = abbreviation === undefined ? dateToken(field) : undefined;
    const type = abbreviation?.type ?? token?.type ?? UNKNOWN_FIELD;
    const value = abbreviation?.offset ?? token?.value ?? 0;
    if (type === IGNORE) return SKIP;
    this.found = bit(type);
    if (abbreviation !== undefined) types[i] = DTK_TZ;
    if (type === ISOTIME) return this.isoTime(i, value);
    if (type !== RESERV) return this.commonWord(field, type, value, abbreviation?.zone ?? null);
    this.kind = DTK_TIME;
    if (value === DTK_NOW) {
      this.found = TIME_MASK;
      const now = new Tm();
      currentTm(now);
      Object.assign(tm, now, { zone: tm.zone });
      return 0;
    }
    if (value !== DTK_ZULU) return BAD_FORMAT;
    this.found = TIME_MASK | bit(TZ);
    tm.hour = 0;
    tm.min = 0;
    tm.sec = 0;
    tm.isdst = 0;
    return 0;
  }

  private applyMeridian(): number {
    const { tm, meridian } = this;
    if (meridian === HR24) return 0;
    if (tm.hour > 12) return FIELD_OVERFLOW;
    if (meridian === AM && tm.hour === 12) tm.hour = 0;
    else if (meridian === PM && tm.hour !== 12) tm.hour += 12;
    return 0;
  }

  /** DecodeDate: numbers and perhaps a month's name, with any separators. */
  private date(field: string): number {
    const { tm } = this;
    const parts: (string | null)[] = [];
    let i = 0;
    while (i < field.length && parts.length < 25) {
      while (i < field.length && !isDigit(field.charCodeAt(i)) && !isAlpha(field.charCodeAt(i))) i++;
      if (i === field.length) return BAD_FORMAT; // a separator at the end
      const start = i;
      const same = isDigit(field.charCodeAt(i)) ? isDigit : isAlpha;
      while (same(field.charCodeAt(i))) i++;
      parts.push(field.slice(start, i));
      i++; // whatever stands there separates
    }
    let seen = this.seen, given = 0, textMonth = false;
    for (let k = 0; k < parts.length; k++) {
      const part = parts[k]!;
      if (!isAlpha(part.charCodeAt(0))) continue;
      const token = dateToken(part);
      if (token?.type === IGNORE) continue;
      if (token?.type !== MONTH) return BAD_FORMAT;
      tm.mon = token.value;
      textMonth = true;
      if ((seen & bit(MONTH)) !== 0) return BAD_FORMAT;
      seen |= bit(MONTH);
      given |= bit(MONTH);
      parts[k] = null;
    }
    for (const part of parts) {
      if (part === null) continue;
      const error = this.number(part, textMonth, seen);
      if (error !== 0) return error;
      if ((seen & this.found) !== 0) return BAD_FORMAT;
      seen |= this.found;
      given |= this.found;
    }
    this.found = given;
    return (seen & ~(bit(DOY) | bit(TZ))) === DATE_MASK ? 0 : BAD_FORMAT;
  }

  /** DecodeNumber: a number whose place says what it is. */
  private number(text: string, haveTextMonth: boolean, seen: number): number {
    const { tm } = this;
    this.found = 0;
    const value = parseInt32(text, 0);
    const at = parsedTo();
    if (value === undefined) return FIELD_OVERFLOW;
    if (at === 0) return BAD_FORMAT;
    const length = text.length;
    if (text.charCodeAt(at) === DOT) {
      if (at > 2) return this.numberField(text, seen | DATE_MASK);
      const usec = parseFractionalSecond(text, at);
      if (usec === undefined) return BAD_FORMAT;
      tm.usec = usec;
    } else if (at !== length) {
      return BAD_FORMAT;
    }
    if (length === 3 && (seen & DATE_MASK) === bit(YEAR) && value >= 1 && value <= 366) {
      this.found = bit(DOY) | bit(MONTH) | bit(DAY);
      tm.yday = value;
      return 0;
    }
    const order = datetimeSettings.dateOrder;
    let is: number; // YEAR, MONTH or DAY
    switch (seen & DATE_MASK) {
      case 0:
        is = length >= 3 || order === 'YMD' ? YEAR : order === 'DMY' ? DAY : MONTH;
        break;
      case bit(YEAR):
        is = MONTH;
        break;
      case bit(MONTH): // after a month's name a year or a day, after a number the day
        is = haveTextMonth && (length >= 3 || order === 'YMD') ? YEAR : DAY;
        break;
      case bit(YEAR) | bit(MONTH):
        is = DAY;
        if (haveTextMonth && length >= 3 && this.twoDigits) { // DD-MON-YYYY, even in YMD mode
          this.found = bit(DAY);
          tm.mday = tm.year;
          tm.year = value;
          this.twoDigits = false;
          return 0;
        }
        break;
      case bit(DAY):
        is = MONTH;
        break;
      case bit(MONTH) | bit(DAY):
        is = YEAR;
        break;
      case DATE_MASK:
        return this.numberField(text, seen);
      default:
        return BAD_FORMAT;
    }
    this.found = bit(is);
    if (is === MONTH) {
      tm.mon = value;
    } else if (is === DAY) {
      tm.mday = value;
    } else {
      tm.year = value;
      this.twoDigits = length <= 2;
    }
    return 0;
  }

  /** DecodeNumberField: yyyymmdd, hhmmss or hhmm, perhaps with a fraction. */
  private numberField(text: string, seen: number): number {
    const { tm } = this;
    let digits = text;
    const point = text.indexOf('.');
    const atoi = (part: string): number => parseInt(part, 10) || 0;
    if (point >= 0) {
      tm.usec = rint((parseFloat(`0${text.slice(point)}`) || 0) * 1000000);
      digits = text.slice(0, point);
    } else if ((seen & DATE_MASK) !== DATE_MASK && text.length >= 6) {
      const n = text.length;
      this.found = DATE_MASK;
      tm.mday = atoi(text.slice(n - 2));
      tm.mon = atoi(text.slice(n - 4, n - 2));
      tm.year = atoi(text.slice(0, n - 4)) | 0;
      if (n - 4 === 2) this.twoDigits = true;
      return 0;
    }
    if ((seen & TIME_MASK) !== TIME_MASK && (digits.length === 6 || digits.length === 4)) {
      this.found = TIME_MASK;
      tm.sec = digits.length === 6 ? atoi(digits.slice(4)) : 0;
      tm.min = atoi(digits.slice(2, 4));
      tm.hour = atoi(digits.slice(0, 2));
      return 0;
    }
    return BAD_FORMAT;
  }

  private validateDate(): number {
    const { tm, seen } = this;
    if ((seen & bit(YEAR)) !== 0 && !this.isJulian) {
      if (this.isBc) { // there is no year zero
        if (tm.year <= 0) return FIELD_OVERFLOW;
        tm.year = 1 - tm.year;
      } else if (this.twoDigits) {
        if (tm.year < 0) return FIELD_OVERFLOW;
        if (tm.year < 70) tm.year += 2000;
        else if (tm.year < 100) tm.year += 1900;
      } else if (tm.year <= 0) {
        return FIELD_OVERFLOW;
      }
    }
    if ((seen & bit(DOY)) !== 0) j2date(date2j(tm.year, 1, 1) + tm.yday - 1, tm);
    if ((seen & bit(MONTH)) !== 0 && (tm.mon < 1 || tm.mon > 12)) return MD_FIELD_OVERFLOW;
    if ((seen & bit(DAY)) !== 0 && (tm.mday < 1 || tm.mday > 31)) return MD_FIELD_OVERFLOW;
    if ((seen & DATE_MASK) === DATE_MASK && tm.mday > daysInMonth(tm.year, tm.mon)) return FIELD_OVERFLOW;
    return 0;
  }
}

/** A word without meaning of its own ("at", "on"). */
const SKIP = 99;
