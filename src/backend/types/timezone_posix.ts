// POSIX time zone strings (`EST5EDT,M3.2.0,M11.1.0`, `<+03>-3`): what tzparse of the IANA code does. They stand at the
// end of TZif files, for the years after their tables, and may be given by users instead of a zone's name.
import { isLeapYear, SECS_PER_DAY } from './calendar.ts';

/** When a change happens in a year. `day`: J (1 to 365, no leap day), N (0 to 365) or M (month, week, weekday). */
export interface Rule {
  readonly kind: 'J' | 'N' | 'M';
  readonly month: number;
  readonly week: number;
  readonly day: number;
  /** Seconds after midnight, local time before the change. */
  readonly time: number;
}

export interface PosixZone {
  readonly standardName: string;
  /** Seconds EAST of Greenwich. */
  readonly standardOffset: number;
  readonly daylight: { readonly name: string; readonly offset: number; readonly start: Rule; readonly end: Rule } | null;
}

const DEFAULT_RULES = ',M3.2.0,M11.1.0';
const MAX_HOURS = 24 * 7 - 1;

/** Reads the string from front to back; every method returns undefined on a syntax error. */
class Scanner {
  private readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): string {
    return this.text.charAt(this.at);
  }

  name(): string | undefined {
    const start = this.at;
    if (this.next() === '<') {
      const end = this.text.indexOf('>', start);
      if (end < 0) return undefined;
      this.at = end + 1;
      return this.text.slice(start + 1, end);
    }
    while (this.next() !== '' && !/[\d,+-]/.test(this.next())) this.at++;
    return this.text.slice(start, this.at);
  }

  number(min: number, max: number): number | undefined {
    const digits = /^\d+/.exec(this.text.slice(this.at))?.[0];
    if (digits === undefined || Number(digits) < min || Number(digits) > max) return undefined;
    this.at += digits.length;
    return Number(digits);
  }

  /** [+-]hh[:mm[:ss]] */
  offset(): number | undefined {
    let sign = 1;
    if (this.next() === '-' || this.next() === '+') {
      if (this.next() === '-') sign = -1;
      this.at++;
    }
    let seconds = this.number(0, MAX_HOURS);
    if (seconds === undefined) return undefined;
    seconds *= 3600;
    for (const [unit, max] of [[60, 59], [1, 60]] as const) {
      if (this.next() !== ':') break;
      this.at++;
      const part = this.number(0, max);
      if (part === undefined) return undefined;
      seconds += part * unit;
    }
    return sign * seconds;
  }

  rule(): Rule | undefined {
    let kind: Rule['kind'] = 'N';
    let month = 0, week = 0;
    let day: number | undefined;
    if (this.next() === 'J') {
      this.at++;
      kind = 'J';
      day = this.number(1, 365);
    } else if (this.next() === 'M') {
      this.at++;
      kind = 'M';
      month = this.number(1, 12) ?? 0;
      if (month === 0 || this.next() !== '.') return undefined;
      this.at++;
      week = this.number(1, 5) ?? 0;
      if (week === 0 || this.next() !== '.') return undefined;
      this.at++;
      day = this.number(0, 6);
    } else {
      day = this.number(0, 365);
    }
    if (day === undefined) return undefined;
    let time: number | undefined = 7200;
    if (this.next() === '/') {
      this.at++;
      time = this.offset();
      if (time === undefined) return undefined;
    }
    return { kind, month, week, day, time };
  }
}

/** undefined: not such a string. */
export function parsePosixZone(text: string): PosixZone | undefined {
  let scanner = new Scanner(text);
  const standardName = scanner.name();
  if (standardName === undefined || scanner.next() === '') return undefined;
  const west = scanner.offset();
  if (west === undefined) return undefined;
  const standardOffset = 0 - west;
  if (scanner.next() === '') return { standardName, standardOffset, daylight: null };
  const name = scanner.name();
  if (name === undefined || name === '') return undefined;
  let offset = standardOffset + 3600;
  if (scanner.next() !== '' && scanner.next() !== ',' && scanner.next() !== ';') {
    const given = scanner.offset();
    if (given === undefined) return undefined;
    offset = 0 - given;
  }
  if (scanner.next() === '') scanner = new Scanner(DEFAULT_RULES);
  if (scanner.next() !== ',' && scanner.next() !== ';') return undefined;
  scanner.at++;
  const start = scanner.rule();
  if (start === undefined || scanner.next() !== ',') return undefined;
  scanner.at++;
  const end = scanner.rule();
  if (end === undefined || scanner.next() !== '') return undefined;
  return { standardName, standardOffset, daylight: { name, offset, start, end } };
}

/** Days from 1970-01-01 to the first of January. */
function daysBeforeYear(year: number): number {
  const y = year - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - 719162;
}

/** The local time, as seconds since 1970 in local time before the change, at which a rule strikes in a year. */
export function ruleTime(rule: Rule, year: number): number {
  const january = daysBeforeYear(year);
  const leap = isLeapYear(year);
  let day: number;
  if (rule.kind === 'J') {
    day = january + rule.day - 1 + (leap && rule.day >= 60 ? 1 : 0);
  } else if (rule.kind === 'N') {
    day = january + rule.day;
  } else {
    const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let first = january;
    for (let i = 0; i < rule.month - 1; i++) first += lengths[i]!;
    const weekday = (((first + 4) % 7) + 7) % 7; // 1970-01-01 was a Thursday
    let offset = (rule.day - weekday + 7) % 7;
    for (let i = 1; i < rule.week && offset + 7 < lengths[rule.month - 1]!; i++) offset += 7;
    day = first + offset;
  }
  return day * SECS_PER_DAY + rule.time;
}
