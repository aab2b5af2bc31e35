// Interval input: PostgreSQL's DecodeInterval (its own and SQL's forms, by units or by the type's field qualifiers) and
// DecodeISO8601Interval.
import { addInt8, DAYS_PER_MONTH, fitsInt64, negateInt8, Tm, USECS_PER_DAY, USECS_PER_HOUR, USECS_PER_MINUTE,
  USECS_PER_SEC } from './calendar.ts';
import { decodeTime } from './datetime_decode.ts';
import { BAD_FORMAT, datetimeParseError, FIELD_OVERFLOW, INTERVAL_BUFFER, INTERVAL_OVERFLOW, parsedTo, parseFraction,
  parseInt32, parseInt64, rint, scanDateTime, type Scanned } from './datetime_scan.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { AGO, ALL_SECS_MASK, CENTURY, DAY, DECADE, DTK_CENTURY, DTK_DATE, DTK_DAY, DTK_DECADE,
  DTK_HOUR, DTK_MICROSEC, DTK_MILLENNIUM, DTK_MILLISEC, DTK_MINUTE, DTK_MONTH, DTK_NUMBER, DTK_SECOND,
  DTK_SPECIAL, DTK_STRING, DTK_TIME, DTK_TZ, DTK_WEEK, DTK_YEAR, HOUR, IGNORE, I_DAY, I_HOUR, I_MINUTE, I_MONTH,
  I_SECOND, I_YEAR, MICROSECOND, MILLENNIUM, MILLISECOND, MINUTE, MONTH, SECOND, TIME_MASK, UNITS, unitToken,
  WEEK, YEAR } from './datetime_tokens.ts';
import { PgError } from '../../common/errors.ts';
import { int8, type Int8, Interval } from './datum.ts';

const INT_MAX = 2147483647, INT_MIN = -2147483648;
const fitsInt32 = (value: number): boolean => value >= INT_MIN && value <= INT_MAX;

/** The interval under construction. The methods return false on overflow. */
class Accumulator {
  years = 0;
  months = 0;
  days = 0;
  usecs: Int8 = 0;

  addMicroseconds(value: Int8, fraction: number, scale: number): boolean {
    const product = typeof value === 'number' && Number.isSafeInteger(value * scale)
      ? value * scale
      : int8(BigInt(value) * BigInt(scale));
    if (!fitsInt64(product)) return false;
    this.usecs = addInt8(this.usecs, product);
    return fitsInt64(this.usecs) && this.addFractionMicroseconds(fraction, scale);
  }

  /** A fraction below 1 of a unit of `scale` microseconds. */
  addFractionMicroseconds(fraction: number, scale: number): boolean {
    if (fraction === 0) return true;
    const exact = fraction * scale;
    let usecs = Math.trunc(exact);
    if (exact - usecs > 0.5) usecs++;
    else if (exact - usecs < -0.5) usecs--;
    this.usecs = addInt8(this.usecs, usecs);
    return fitsInt64(this.usecs);
  }

  addDays(value: Int8, scale: number): boolean {
    const days = Number(value) * scale;
    this.days += days;
    return fitsInt32(Number(value)) && fitsInt32(days) && fitsInt32(this.days);
  }

  addFractionDays(fraction: number, scale: number): boolean {
    if (fraction === 0) return true;
    const days = Math.trunc(fraction * scale);
    this.days += days;
    return fitsInt32(this.days) && this.addFractionMicroseconds(fraction * scale - days, USECS_PER_DAY);
  }

  addMonths(value: Int8): boolean {
    this.months += Number(value);
    return fitsInt32(Number(value)) && fitsInt32(this.months);
  }

  addYears(value: Int8, fraction: number, scale: number): boolean {
    const years = Number(value) * scale;
    this.years += years;
    if (!fitsInt32(Number(value)) || !fitsInt32(years) || !fitsInt32(this.years)) return false;
    this.months += rint(fraction * scale * 12);
    return fitsInt32(this.months);
  }

  /** A value with its fraction in a unit; the mask of what it fills, BAD_FORMAT or FIELD_OVERFLOW. */
  add(unit: number, value: Int8, fraction: number): number {
    const check = (fits: boolean, mask: number): number => (fits ? mask : FIELD_OVERFLOW);
    switch (unit) {
      case DTK_MICROSEC: return check(this.addMicroseconds(value, fraction, 1), 1 << MICROSECOND);
      case DTK_MILLISEC: return check(this.addMicroseconds(value, fraction, 1000), 1 << MILLISECOND);
      case DTK_SECOND:
        return check(this.addMicroseconds(value, fraction, USECS_PER_SEC), fraction === 0 ? 1 << SECOND : ALL_SECS_MASK);
      case DTK_MINUTE: return check(this.addMicroseconds(value, fraction, USECS_PER_MINUTE), 1 << MINUTE);
      case DTK_HOUR: return check(this.addMicroseconds(value, fraction, USECS_PER_HOUR), 1 << HOUR);
      case DTK_DAY:
        return check(this.addDays(value, 1) && this.addFractionMicroseconds(fraction, USECS_PER_DAY), 1 << DAY);
      case DTK_WEEK: return check(this.addDays(value, 7) && this.addFractionDays(fraction, 7), 1 << WEEK);
      case DTK_MONTH:
        return check(this.addMonths(value) && this.addFractionDays(fraction, DAYS_PER_MONTH), 1 << MONTH);
      case DTK_YEAR: return check(this.addYears(value, fraction, 1), 1 << YEAR);
      case DTK_DECADE: return check(this.addYears(value, fraction, 10), 1 << DECADE);
      case DTK_CENTURY: return check(this.addYears(value, fraction, 100), 1 << CENTURY);
      case DTK_MILLENNIUM: return check(this.addYears(value, fraction, 1000), 1 << MILLENNIUM);
      default: return BAD_FORMAT;
    }
  }

  negate(): boolean {
    this.years = 0 - this.years;
    this.months = 0 - this.months;
    this.days = 0 - this.days;
    this.usecs = negateInt8(this.usecs);
    return fitsInt32(this.years) && fitsInt32(this.months) && fitsInt32(this.days) && fitsInt64(this.usecs);
  }
}

/** The unit of a number without one: the rightmost field of the type's qualifier. */
function unitOfRange(range: number): number {
  switch (range) {
    case I_YEAR: return DTK_YEAR;
    case I_MONTH: case I_YEAR | I_MONTH: return DTK_MONTH;
    case I_DAY: return DTK_DAY;
    case I_HOUR: case I_DAY | I_HOUR: return DTK_HOUR;
    case I_MINUTE: case I_HOUR | I_MINUTE: case I_DAY | I_HOUR | I_MINUTE: return DTK_MINUTE;
    default: return DTK_SECOND;
  }
}

const scratch = new Tm();

/** DecodeTimeForInterval: hh:mm[:ss.fff] sets (not adds to) the microseconds. */
function decodeIntervalTime(text: string, range: number, sum: Accumulator): number {
  const result = decodeTime(text, range === (I_MINUTE | I_SECOND), scratch);
  if (typeof result === 'number') return result;
  const { min, sec, usec } = scratch;
  const rest = (min * 60 + sec) * USECS_PER_SEC + usec;
  const total = typeof result.hour === 'number' && result.hour < 1e6
    ? result.hour * USECS_PER_HOUR + rest
    : int8(BigInt(result.hour) * BigInt(USECS_PER_HOUR) + BigInt(rest));
  if (!fitsInt64(total)) return FIELD_OVERFLOW;
  sum.usecs = total;
  return 0;
}

/** Reads the fields from right to left, to know units before their values. */
function decodeFields({ fields, types }: Scanned, range: number, sum: Accumulator): number {
  // In SQL's style one leading sign counts for all fields.
  const forceNegative = datetimeSettings.intervalStyle === 'sql_standard' && fields.length > 0 &&
    fields[0]!.startsWith('-') && !fields.slice(1).some((field) => field.startsWith('-') || field.startsWith('+'));
  let unit = IGNORE; // of the number that comes next; IGNORE is not a unit and means none is known
  let seen = 0;
  let isBefore = false;
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i]!;
    let mask = 0;
    switch (types[i]) {
      case DTK_TIME: {
        const error = decodeIntervalTime(field, range, sum);
        if (error !== 0) return error;
        if (forceNegative && sum.usecs > 0) sum.usecs = negateInt8(sum.usecs);
        mask = TIME_MASK;
        unit = DTK_DAY;
        break;
      }
      case DTK_TZ: // a sign and digits, perhaps with ':', '.' or '-' inside
      case DTK_DATE:
      case DTK_NUMBER: {
        if (types[i] === DTK_TZ && field.includes(':') && decodeIntervalTime(field.slice(1), range, sum) === 0) {
          if (field.startsWith('-')) sum.usecs = negateInt8(sum.usecs);
          if (forceNegative && sum.usecs > 0) sum.usecs = negateInt8(sum.usecs);
          mask = TIME_MASK;
          unit = DTK_DAY;
          break;
        }
        if (unit === IGNORE) unit = unitOfRange(range);
        let value = parseInt64(field, 0);
        if (value === undefined) return FIELD_OVERFLOW;
        const at = parsedTo();
        let fraction = 0;
        const next = field.charAt(at);
        if (next === '-') { // SQL's years-months
          const months = parseInt32(field, at + 1);
          if (months === undefined || months < 0 || months >= 12) return FIELD_OVERFLOW;
          if (parsedTo() !== field.length) return BAD_FORMAT;
          unit = DTK_MONTH;
          value = int8(BigInt(value) * 12n + BigInt(field.startsWith('-') ? -months : months));
          if (!fitsInt64(value)) return FIELD_OVERFLOW;
        } else if (next === '.') {
          const parsed = parseFraction(field, at);
          if (parsed === undefined) return BAD_FORMAT;
          fraction = field.startsWith('-') ? -parsed : parsed;
        } else if (next !== '') {
          return BAD_FORMAT;
        }
        if (forceNegative) {
          if (value > 0) value = negateInt8(value);
          if (fraction > 0) fraction = -fraction;
        }
        mask = sum.add(unit, value, fraction);
        if (mask < 0) return mask;
        if (unit === DTK_HOUR) unit = DTK_DAY; // for the next field
        break;
      }
      case DTK_STRING:
      case DTK_SPECIAL: {
        const token = unitToken(field);
        if (token === undefined) return BAD_FORMAT;
        unit = token.type;
        if (token.type === IGNORE) continue;
        if (token.type === UNITS) unit = token.value;
        else if (token.type === AGO) {
          isBefore = true;
          unit = token.value;
        } else {
          return BAD_FORMAT;
        }
        break;
      }
      default:
        return BAD_FORMAT;
    }
    if ((mask & seen) !== 0) return BAD_FORMAT;
    seen |= mask;
  }
  if (seen === 0) return BAD_FORMAT;
  return isBefore && !sum.negate() ? FIELD_OVERFLOW : 0;
}

/** Reads ISO 8601's P... forms: with designators, or the "alternative" ones that look like dates and times. */
class IsoReader {
  private readonly text: string;
  private readonly sum: Accumulator;
  private at = 1;
  private value = 0;
  private fraction = 0;

  constructor(text: string, sum: Accumulator) {
    this.text = text;
    this.sum = sum;
  }

  /** Sets value and fraction from a number as strtod takes it. */
  private number(): number {
    if (!/[\d.-]/.test(this.text.charAt(this.at))) return BAD_FORMAT;
    const found = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(this.text.slice(this.at));
    if (found === null) return BAD_FORMAT;
    this.at += found[0].length;
    const number = Number(found[0]);
    if (!Number.isFinite(number)) return BAD_FORMAT;
    if (number < -1e15 || number > 1e15) return FIELD_OVERFLOW;
    this.value = Math.trunc(number) + 0;
    this.fraction = number - this.value;
    return 0;
  }

  private add(unit: number): number {
    return Math.min(0, this.sum.add(unit, this.value, this.fraction));
  }

  /** The number, then its unit. */
  private next(unit: number): number {
    return this.number() || this.add(unit);
  }

  read(): number {
    const { text, sum } = this;
    if (text.length < 2 || !text.startsWith('P')) return BAD_FORMAT;
    let inDate = true, haveField = false;
    while (this.at < text.length) {
      if (text.charAt(this.at) === 'T') {
        inDate = false;
        haveField = false;
        this.at++;
        continue;
      }
      const start = this.at;
      let error = this.number();
      if (error !== 0) return error;
      const unit = text.charAt(this.at++);
      const width = /^-?(\d*)/.exec(text.slice(start))![1]!.length;
      const { value, fraction } = this;
      const plain = inDate
        ? { Y: DTK_YEAR, M: DTK_MONTH, W: DTK_WEEK, D: DTK_DAY }[unit]
        : { H: DTK_HOUR, M: DTK_MINUTE, S: DTK_SECOND }[unit];
      if (plain !== undefined) {
        error = this.add(plain);
        if (error !== 0) return error;
        haveField = true;
        continue;
      }
      if (inDate) {
        if (unit !== 'T' && unit !== '' && unit !== '-') return BAD_FORMAT;
        if (unit !== '-' && width === 8 && !haveField) { // yyyymmdd
          if (!sum.addYears(Math.trunc(value / 10000), 0, 1) || !sum.addMonths(Math.trunc(value / 100) % 100) ||
            !sum.addDays(value % 100, 1) || !sum.addFractionMicroseconds(fraction, USECS_PER_DAY)) return FIELD_OVERFLOW;
        } else { // yyyy-mm-dd, or the front of it
          if (haveField) return BAD_FORMAT;
          error = this.add(DTK_YEAR);
          if (error !== 0) return error;
          if (unit === '-') {
            error = this.next(DTK_MONTH);
            if (error !== 0) return error;
            if (text.charAt(this.at) === '-') {
              this.at++;
              error = this.next(DTK_DAY);
              if (error !== 0) return error;
            }
            if (this.at < text.length && text.charAt(this.at++) !== 'T') return BAD_FORMAT;
          }
        }
        if (unit === '') return 0;
        inDate = false;
        haveField = false;
        continue;
      }
      if (unit !== '' && unit !== ':') return BAD_FORMAT;
      if (unit === '' && width === 6 && !haveField) { // hhmmss
        return sum.addMicroseconds(Math.trunc(value / 10000), 0, USECS_PER_HOUR) &&
          sum.addMicroseconds(Math.trunc(value / 100) % 100, 0, USECS_PER_MINUTE) &&
          sum.addMicroseconds(value % 100, 0, USECS_PER_SEC) && sum.addFractionMicroseconds(fraction, 1)
          ? 0 : FIELD_OVERFLOW;
      }
      if (haveField) return BAD_FORMAT; // hh:mm:ss, or the front of it
      error = this.add(DTK_HOUR);
      if (error !== 0 || unit === '') return error;
      error = this.next(DTK_MINUTE);
      if (error !== 0 || this.at === text.length) return error;
      if (text.charAt(this.at++) !== ':') return BAD_FORMAT;
      error = this.next(DTK_SECOND);
      return error !== 0 || this.at === text.length ? error : BAD_FORMAT;
    }
    return 0;
  }
}

/** interval_in but for its typmod: `range` is the mask of the type's field qualifiers. */
export function decodeInterval(text: string, range: number): Interval {
  let sum = new Accumulator();
  const scanned = scanDateTime(text, INTERVAL_BUFFER);
  let error = typeof scanned === 'number' ? scanned : decodeFields(scanned, range, sum);
  if (error === BAD_FORMAT) {
    sum = new Accumulator();
      error = new IsoReader(text, sum).read();
  }
  if (error !== 0) throw datetimeParseError(error === FIELD_OVERFLOW ? INTERVAL_OVERFLOW : error, text, 'interval');
  const months = sum.years * 12 + sum.months;
  if (!fitsInt32(months)) throw new PgError('datetime_field_overflow', 'interval out of range');
  return new Interval(months + 0, sum.days + 0, sum.usecs);
}
