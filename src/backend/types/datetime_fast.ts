// The quick ways in for the ISO forms of dates and timestamps, as COPY and drivers send them. They accept only what
// PostgreSQL reads in the same way under every setting, and say NaN to all else, for the full decoder to judge.
import { date2j, daysInMonth, POSTGRES_EPOCH_JDATE, USECS_PER_DAY, USECS_PER_SEC } from './calendar.ts';

const MINUS = 45, COLON = 58, DOT = 46, PLUS = 43, SPACE = 32, LETTER_T = 84;

/** Two digits at a position, else NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48, ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

let lastPrefix = '';
let lastDay = NaN;

/** "YYYY-MM-DD" at the start: days since 2000, else NaN. */
function fastDay(text: string): number {
  if (lastPrefix !== '' && text.startsWith(lastPrefix)) return lastDay;
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS) return NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5), day = two(text, 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) {
    if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return NaN;
  }
  lastDay = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
  lastPrefix = text.slice(0, 10);
  return lastDay;
}

/** "YYYY-MM-DD" and nothing else. */
export function fastDate(text: string): number {
  return text.length === 10 ? fastDay(text) : NaN;
}

/** Where fastTime stopped. */
let stopped = 0;

/** "HH:MM:SS[.ffffff]" from a position: microseconds, else NaN. */
function fastTime(text: string, at: number): number {
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return NaN;
  const hour = two(text, at), min = two(text, at + 3), sec = two(text, at + 6);
  if (!(hour <= 23 && min <= 59 && sec <= 59)) return NaN;
  let usec = 0;
  stopped = at + 8;
  if (text.charCodeAt(stopped) === DOT) {
    let scale = 100000;
    let digit = text.charCodeAt(++stopped) - 48;
    while (digit >= 0 && digit <= 9) {
      if (scale < 1) return NaN; // more digits than microseconds have
      usec += digit * scale;
      scale /= 10;
      digit = text.charCodeAt(++stopped) - 48;
    }
  }
  return ((hour * 60 + min) * 60 + sec) * USECS_PER_SEC + usec;
}

/** "YYYY-MM-DD[ HH:MM:SS[.ffffff]]": a local timestamp, else NaN. */
export function fastTimestamp(text: string): number {
  const day = fastDay(text);
  if (text.length === 10) return day * USECS_PER_DAY;
  const c = text.charCodeAt(10);
  if (c !== SPACE && c !== LETTER_T) return NaN;
  const time = fastTime(text, 11);
  const timestamp = day * USECS_PER_DAY + time;
  return stopped === text.length && Number.isSafeInteger(timestamp) ? timestamp : NaN;
}

/** "YYYY-MM-DD HH:MM:SS[.ffffff]" with "+HH" or "+HH:MM": universal time, else NaN. */
export function fastTimestampTz(text: string): number {
  const c = text.charCodeAt(10);
  if (c !== SPACE && c !== LETTER_T) return NaN;
  const day = fastDay(text);
  const time = fastTime(text, 11);
  if (Number.isNaN(time)) return NaN;
  const sign = text.charCodeAt(stopped);
  if (sign !== PLUS && sign !== MINUS) return NaN;
  const hour = two(text, stopped + 1);
  const rest = text.length - stopped;
  const min = rest === 3 ? 0 : rest === 6 && text.charCodeAt(stopped + 3) === COLON ? two(text, stopped + 4) : NaN;
  if (!(hour <= 15 && min <= 59)) return NaN;
  const offset = (hour * 60 + min) * 60 * USECS_PER_SEC;
  const timestamp = day * USECS_PER_DAY + time + (sign === PLUS ? -offset : offset);
  return Number.isSafeInteger(timestamp) ? timestamp : NaN;
}

/** "HH:MM:SS[.ffffff]" alone. */
export function fastTimeOfDay(text: string): number {
  const time = fastTime(text, 0);
  return stopped === text.length ? time : NaN;
}
