// From text to fields, and numbers from the start of a field: the scanner of PostgreSQL's datetime.c (ParseDateTime),
// and the errors of date and time input.
import { PgError } from '../../common/errors.ts';
import { dateToken, DTK_DATE, DTK_NUMBER, DTK_SPECIAL, DTK_STRING, DTK_TIME, DTK_TZ } from './datetime_tokens.ts';
import type { Int8 } from './datum.ts';
import { int8 } from './datum.ts';

/** Why input was refused; 0 is none. */
export const BAD_FORMAT = -1, FIELD_OVERFLOW = -2, MD_FIELD_OVERFLOW = -3, INTERVAL_OVERFLOW = -4, TZDISP_OVERFLOW = -5;

/** DateTimeParseError. */
export function datetimeParseError(error: number, text: string, typeName: string): PgError {
  switch (error) {
    case FIELD_OVERFLOW:
      return new PgError('datetime_field_overflow', `date/time field value out of range: "${text}"`);
    case MD_FIELD_OVERFLOW:
      return new PgError('datetime_field_overflow', `date/time field value out of range: "${text}"`,
        { hint: 'Perhaps you need a different "datestyle" setting.' });
    case INTERVAL_OVERFLOW:
      return new PgError('interval_field_overflow', `interval field value out of range: "${text}"`);
    case TZDISP_OVERFLOW:
      return new PgError('invalid_time_zone_displacement_value', `time zone displacement out of range: "${text}"`);
    default:
      return new PgError('invalid_datetime_format', `invalid input syntax for type ${typeName}: "${text}"`);
  }
}

const MAX_FIELDS = 25;
/** Sizes of PostgreSQL's work buffers, which limit how long input may be. */
export const DATE_BUFFER = 129, TIMESTAMP_BUFFER = 153, INTERVAL_BUFFER = 256;

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;
export const isAlpha = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);
const isPunctuation = (c: number): boolean => c > 32 && c < 127 && !isDigit(c) && !isAlpha(c);

// Characters, by code.
const PLUS = 43, MINUS = 45, DOT = 46, SLASH = 47, COLON = 58, UNDERSCORE = 95;

export interface Scanned {
  readonly fields: string[];
  readonly types: number[];
}

/** ParseDateTime: fields in lower case where they are words. A number is an error. */
export function scanDateTime(text: string, bufferLength: number): Scanned | number {
  const fields: string[] = [], types: number[] = [];
  const length = text.length;
  let used = 0;
  let i = 0;
  while (i < length) {
    let c = text.charCodeAt(i);
    if (isSpace(c)) {
      i++;
      continue;
    }
    if (fields.length >= MAX_FIELDS) return BAD_FORMAT;
    const start = i;
    let type: number;
    let prefix = '';
    let from = start;
    const skipDigits = (): void => {
      while (isDigit(text.charCodeAt(i))) i++;
    };
    const skipLetters = (): void => {
      while (isAlpha(text.charCodeAt(i))) i++;
    };
    if (isDigit(c)) {
      skipDigits();
      c = text.charCodeAt(i);
      type = DTK_NUMBER;
      if (c === COLON) {
        type = DTK_TIME;
        while (isDigit(c) || c === COLON || c === DOT) c = text.charCodeAt(++i);
      } else if (c === MINUS || c === SLASH || c === DOT) {
        const delimiter = c;
        i++;
        if (isDigit(text.charCodeAt(i))) { // no text month inside
          type = delimiter === DOT ? DTK_NUMBER : DTK_DATE;
          skipDigits();
          if (text.charCodeAt(i) === delimiter) {
            type = DTK_DATE;
            c = delimiter;
            while (isDigit(c) || c === delimiter) c = text.charCodeAt(++i);
          }
        } else {
          type = DTK_DATE;
          c = text.charCodeAt(i);
          while (isDigit(c) || isAlpha(c) || c === delimiter) c = text.charCodeAt(++i);
        }
      }
    } else if (c === DOT) { // fractional seconds
      i++;
      skipDigits();
      type = DTK_NUMBER;
    } else if (isAlpha(c)) {
      type = DTK_STRING;
      skipLetters();
      c = text.charCodeAt(i);
      // Dates have '-', '/' or '.' inside, names of time zones also '+', digits, and then '_' or ':'. But a keyword
      // ends where a '+' or digit follows.
      const more = c === MINUS || c === SLASH || c === DOT ||
        ((c === PLUS || isDigit(c)) && dateToken(text.slice(start, i).toLowerCase()) === undefined);
      if (more) {
        type = DTK_DATE;
        do c = text.charCodeAt(++i);
        while (c === PLUS || c === MINUS || c === SLASH || c === UNDERSCORE || c === DOT || c === COLON || isDigit(c) ||
          isAlpha(c));
      }
    } else if (c === PLUS || c === MINUS) {
      prefix = text.charAt(i++);
      while (isSpace(text.charCodeAt(i))) i++;
      from = i;
      c = text.charCodeAt(i);
      if (isDigit(c)) { // a numeric time zone, or a signed number or yyyy-mm
        type = DTK_TZ;
        while (isDigit(c) || c === COLON || c === DOT || c === MINUS) c = text.charCodeAt(++i);
      } else if (isAlpha(c)) {
        type = DTK_SPECIAL;
        skipLetters();
      } else {
        return BAD_FORMAT;
      }
    } else if (isPunctuation(c)) {
      i++;
      continue;
    } else {
      return BAD_FORMAT;
    }
    used += prefix.length + i - from + 1;
    if (used > bufferLength) return BAD_FORMAT;
    fields.push(prefix + text.slice(from, i).toLowerCase());
    types.push(type);
  }
  return { fields, types };
}

// Numbers at the start of a string. strtoint's second result, where it stopped, is `parsedTo`.
let stopped = 0;

export function parsedTo(): number {
  return stopped;
}

const INT_MAX = 2147483647, INT_MIN = -2147483648;

/** C's strtol into an int: leading space, sign, digits; undefined when out of range. No digits: 0, parsedTo() = from. */
export function parseInt32(text: string, from: number): number | undefined {
  let i = from;
  while (isSpace(text.charCodeAt(i))) i++;
  let c = text.charCodeAt(i);
  const negative = c === MINUS;
  if (negative || c === PLUS) c = text.charCodeAt(++i);
  if (!isDigit(c)) {
    stopped = from;
    return 0;
  }
  let value = 0;
  while (isDigit(c)) {
    value = value * 10 + (c - 48);
    c = text.charCodeAt(++i);
  }
  stopped = i;
  if (negative) value = 0 - value;
  return value >= INT_MIN && value <= INT_MAX ? value : undefined;
}

/** The same into an int64. */
export function parseInt64(text: string, from: number): Int8 | undefined {
  const found = /^[ \t\n\v\f\r]*([+-]?)(\d+)/.exec(from === 0 ? text : text.slice(from));
  if (found === null) {
    stopped = from;
    return 0;
  }
  stopped = from + found[0].length;
  const magnitude = BigInt(found[2]!);
  const value = found[1] === '-' ? -magnitude : magnitude;
  return BigInt.asIntN(64, value) === value ? int8(value) : undefined;
}

/** C's rint: to the nearest integer, halves to the even one. */
export function rint(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** A fraction from its point to the end of the string; undefined when there is anything else. */
export function parseFraction(text: string, from: number): number | undefined {
  const rest = text.slice(from);
  if (rest === '.') return 0;
  return /^\.\d+$/.test(rest) || /^\.\d+e[+-]?\d+$/.test(rest) ? Number(rest) : undefined;
}

/** The same in whole microseconds. */
export function parseFractionalSecond(text: string, from: number): number | undefined {
  const fraction = parseFraction(text, from);
  return fraction === undefined ? undefined : rint(fraction * 1000000);
}
