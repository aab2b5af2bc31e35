// to_date and to_timestamp: reading dates by a template, after DCH_from_char and do_to_timestamp of formatting.c. Also
// jsonpath's .datetime(template), which reads in SQL's strict way.
import { PgError } from '../../common/errors.ts';
import { date2j, dayNames, daysInMonth, isLeapYear, isoWeekDayToDate, isoWeekToDate, isoWeekToJulian, isValidDate, isValidJulian,
  j2date, monthNames, POSTGRES_EPOCH_JDATE, Tm, tmToTimestamp } from './calendar.ts';
import { datetimeParseError, FIELD_OVERFLOW, TZDISP_OVERFLOW } from './datetime_scan.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { registerBuiltins } from './fmgr.ts';
import { type DateMode, type FormatNode, isSeparatorCharacter, parseTemplate, romanMonths } from './formatting_date.ts';
import { adjustTimestamp, timestampOutOfRange } from './timestamp.ts';
import { determineTimeZoneOffset } from './timezone.ts';

type FieldNode = Extract<FormatNode, { type: 'field' }>;

const isSpace = (c: string): boolean => c !== '' && ' \t\n\v\f\r'.includes(c);

/** What was read, as PostgreSQL's TmFromChar: 0 means not given. */
class Fields {
  mode: DateMode = 'none';
  hh = 0; pm = 0; mi = 0; ss = 0; sssss = 0; d = 0; dd = 0; ddd = 0; mm = 0; ms = 0; year = 0; bc = 0; ww = 0; w = 0;
  cc = 0; j = 0; us = 0; yearSize = 0; twelveHours = false; zoneSign = 0; tzh = 0; tzm = 0; fractionDigits = 0;
}

function invalid(message: string, detail?: string, hint?: string): PgError {
  return new PgError('invalid_datetime_format', message, { detail, hint });
}

const FILL_HINT = 'If your source string is not fixed-width, try using the "FM" modifier.';
const months = monthNames, shortMonths = monthNames.map((name) => name.slice(0, 3));
const shortDays = dayNames.map((name) => name.slice(0, 3));

function adjustPartialYear(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  if (year < 1000) return year + 1000;
  return year;
}

class TemplateReader {
  readonly out = new Fields();
  private readonly text: string;
  private readonly nodes: readonly FormatNode[];
  private readonly standard: boolean;
  private at = 0;

  constructor(text: string, nodes: readonly FormatNode[], standard: boolean) {
    this.text = text;
    this.nodes = nodes;
    this.standard = standard;
  }

  private get next(): string {
    return this.text.charAt(this.at);
  }

  private skipCharacter(): void {
    this.at += this.text.codePointAt(this.at)! > 0xffff ? 2 : 1;
  }

  /** The digits at a position, with space and sign before them, as strtol takes them. */
  private strtol(text: string): { value: number; length: number } | undefined {
    const found = /^[ \t\n\v\f\r]*[+-]?\d+/.exec(text);
    return found === null ? undefined : { value: Number(found[0]), length: found[0].length };
  }

  /** Whether the field at an index may take all digits there are. */
  private nextIsSeparator(index: number): boolean {
    const node = this.nodes[index] as FieldNode;
    if (node.ordinal !== '') return true;
    const next = this.nodes[index + 1];
    if (next === undefined) return true;
    return next.type === 'field' ? !next.key.isDigit : !/^\d$/.test(next.character);
  }

  /** from_char_parse_int_len: sets the field; the result is how many characters were used. */
  private integer(index: number, field: keyof Fields | null, width: number): number {
    const node = this.nodes[index] as FieldNode;
    const { name } = node.key;
    const start = this.at;
    while (isSpace(this.next)) this.at++;
    const copy = this.text.slice(this.at, this.at + width);
    let value = 0;
    if (node.fill || this.nextIsSeparator(index)) {
      const found = this.strtol(this.text.slice(start));
      value = found?.value ?? 0;
      this.at = start + (found?.length ?? 0);
    } else {
      const remain = this.text.length - this.at;
      if (remain < width) {
        throw invalid(`source string too short for "${name}" formatting field`,
          `Field requires ${width} characters, but only ${remain} remain.`, FILL_HINT);
      }
      const found = this.strtol(copy);
      const used = found?.length ?? 0;
      if (used > 0 && used < width) {
        throw invalid(`invalid value "${copy}" for "${name}"`,
          `Field requires ${width} characters, but only ${used} could be parsed.`, FILL_HINT);
      }
      value = found?.value ?? 0;
      this.at += used;
    }
    if (this.at === start) throw invalid(`invalid value "${copy}" for "${name}"`, 'Value must be an integer.');
    if (value < -2147483648 || value > 2147483647) {
      throw new PgError('datetime_field_overflow', `value for "${name}" in source string is out of range`,
        { detail: 'Value must be in the range -2147483648 to 2147483647.' });
    }
    if (field !== null) this.set(field, value, name);
    return this.at - start;
  }

  /** from_char_set_int. */
  private set(field: keyof Fields, value: number, name: string): void {
    const old = this.out[field];
    if (old !== 0 && old !== value) {
      throw invalid(`conflicting values for "${name}" field in formatting string`,
        'This value contradicts a previous setting for the same field type.');
    }
    (this.out as unknown as Record<string, number>)[field] = value;
  }

  /** from_char_seq_search: which of the words, in any case, stands here. */
  private word(node: FieldNode, words: readonly string[]): number {
    const rest = this.text.slice(this.at);
    const index = words.findIndex((word) => rest.slice(0, word.length).toLowerCase() === word.toLowerCase());
    if (index < 0) {
      throw invalid(`invalid value "${rest.replace(/[ \t\n\r\f][^]*$/, '')}" for "${node.key.name}"`,
        'The given value did not match any of the allowed values for this field.');
    }
    this.at += words[index]!.length;
    return index;
  }

  private setMode(mode: DateMode): void {
    if (mode === 'none') return;
    if (this.out.mode === 'none') this.out.mode = mode;
    else if (this.out.mode !== mode) {
      throw invalid('invalid combination of date conventions', undefined,
        'Do not mix Gregorian and ISO week date conventions in a formatting template.');
    }
  }

  read(): void {
    const { nodes, text, standard } = this;
    let fixed = standard;
    let extraSkip = 0; // characters skipped beyond what the template asked for
    const skipSpaces = (): void => {
      while (isSpace(this.next)) {
        this.at++;
        extraSkip++;
      }
    };
    let i = 0;
    for (; i < nodes.length && this.at < text.length; i++) {
      const node = nodes[i]!;
      if (!fixed && !(node.type === 'field' && node.key.id === 'fx') && (node.type === 'field' || i === 0)) skipSpaces();
      if (node.type === 'space' || node.type === 'separator') {
        if (standard) {
          if (this.next !== node.character) {
            throw invalid(`unmatched format separator "${node.character}"`);
          }
          this.at++;
        } else if (!fixed) {
          extraSkip--;
          if (isSpace(this.next) || isSeparatorCharacter(this.next)) {
            this.at++;
            extraSkip++;
          }
        } else {
          this.skipCharacter();
        }
        continue;
      }
      if (node.type !== 'field') {
        if (!fixed && extraSkip > 0) {
          extraSkip--;
        } else {
          if (standard && this.next !== node.character) throw invalid(`unmatched format character "${node.character}"`);
          if (this.at < text.length) this.skipCharacter();
        }
        continue;
      }
      this.setMode(node.key.mode);
      if (node.key.id === 'fx') fixed = true;
      else this.field(i, node, extraSkip);
      if (node.ordinal !== '' && !WITHOUT_ORDINAL.has(node.key.id.toLowerCase())) {
        for (let k = 0; k < 2; k++) if (this.at < text.length) this.skipCharacter();
      }
      if (!fixed) {
        extraSkip = 0;
        skipSpaces();
      }
    }
    if (!standard) return;
    while (isSpace(this.next)) this.at++;
    if (i < nodes.length) throw invalid('input string is too short for datetime format');
    if (this.at < text.length) throw invalid('trailing characters remain in input string after datetime format');
  }

  private field(i: number, node: FieldNode, extraSkip: number): void {
    const { out } = this;
    const { id, name } = node.key;
    switch (id.toLowerCase()) {
      case 'a.m.': case 'p.m.':
        this.set('pm', this.word(node, ['a.m.', 'p.m.']), name);
        out.twelveHours = true;
        break;
      case 'am': case 'pm':
        this.set('pm', this.word(node, ['am', 'pm']), name);
        out.twelveHours = true;
        break;
      case 'hh': case 'hh12':
        this.integer(i, 'hh', 2);
        out.twelveHours = true;
        break;
      case 'hh24': this.integer(i, 'hh', 2); break;
      case 'mi': this.integer(i, 'mi', 2); break;
      case 'ss': this.integer(i, 'ss', 2); break;
      case 'ms': {
        const length = this.integer(i, 'ms', 3);
        out.ms *= length === 1 ? 100 : length === 2 ? 10 : 1; // 25 is 0.25, and so is 250
        break;
      }
      case 'ff1': case 'ff2': case 'ff3': case 'ff4': case 'ff5': case 'ff6':
        out.fractionDigits = Number(id.slice(2));
        this.microseconds(i, out.fractionDigits);
        break;
      case 'us': this.microseconds(i, 6); break;
      case 'sssss': this.integer(i, 'sssss', name.length); break;
      case 'tz': case 'of':
        throw new PgError('feature_not_supported', `formatting field "${name}" is only supported in to_char`);
      case 'tzh':
        if (this.next === '+' || this.next === '-' || this.next === ' ') {
          out.zoneSign = this.next === '-' ? -1 : 1;
          this.at++;
        } else { // the minus may have been skipped as a separator
          out.zoneSign = extraSkip > 0 && this.text.charAt(this.at - 1) === '-' ? -1 : 1;
        }
        this.integer(i, 'tzh', 2);
        break;
      case 'tzm':
        if (out.zoneSign === 0) out.zoneSign = 1;
        this.integer(i, 'tzm', 2);
        break;
      case 'a.d.': case 'b.c.': this.set('bc', this.word(node, ['a.d.', 'b.c.']), name); break;
      case 'ad': case 'bc': this.set('bc', this.word(node, ['ad', 'bc']), name); break;
      case 'month': this.set('mm', this.word(node, months) + 1, name); break;
      case 'mon': this.set('mm', this.word(node, shortMonths) + 1, name); break;
      case 'mm': this.integer(i, 'mm', 2); break;
      case 'day':
        this.set('d', this.word(node, dayNames), name);
        out.d++;
        break;
      case 'dy':
        this.set('d', this.word(node, shortDays), name);
        out.d++;
        break;
      case 'ddd': case 'iddd': this.integer(i, 'ddd', 3); break;
      case 'dd': this.integer(i, 'dd', 2); break;
      case 'd': this.integer(i, 'd', 1); break;
      case 'id':
        this.integer(i, 'd', 1);
        if (++out.d > 7) out.d = 1; // Sunday is 1 inside
        break;
      case 'ww': case 'iw': this.integer(i, 'ww', 2); break;
      case 'q': this.integer(i, null, 1); break;
      case 'cc': this.integer(i, 'cc', 2); break;
      case 'y,yyy': {
        const found = /^[ \t\n\v\f\r]*([+-]?\d+),[ \t\n\v\f\r]*([+-]?\d{1,3})/.exec(this.text.slice(this.at));
        if (found === null) throw invalid('invalid input string for "Y,YYY"');
        const year = Number(found[1]) * 1000 + Number(found[2]);
        if (Math.abs(year) > 2147483647) {
          throw new PgError('datetime_field_overflow', `value for "${name}" in source string is out of range`);
        }
        this.set('year', year, name);
        out.yearSize = 4;
        this.at += found[0].length;
        break;
      }
      case 'yyyy': case 'iyyy':
        this.integer(i, 'year', 4);
        out.yearSize = 4;
        break;
      case 'yyy': case 'iyy': this.partialYear(i, 3); break;
      case 'yy': case 'iy': this.partialYear(i, 2); break;
      case 'y': case 'i': this.partialYear(i, 1); break;
      case 'rm': this.set('mm', 12 - this.word(node, romanMonths), name); break;
      case 'w': this.integer(i, 'w', 1); break;
      case 'j': this.integer(i, 'j', 1); break;
    }
  }

  private microseconds(i: number, width: number): void {
    const length = this.integer(i, 'us', width);
    if (length < 6) this.out.us *= 10 ** (6 - length);
  }

  private partialYear(i: number, size: number): void {
    if (this.integer(i, 'year', size) < 4) this.out.year = adjustPartialYear(this.out.year);
    this.out.yearSize = size;
  }
}

/** Fields after which a TH in the template takes nothing from the input. */
const WITHOUT_ORDINAL = new Set(['a.m.', 'p.m.', 'am', 'pm', 'a.d.', 'b.c.', 'ad', 'bc', 'month', 'mon', 'day', 'dy', 'rm', 'tzh', 'tzm', 'fx']);

export interface TemplateResult {
  readonly tm: Tm;
  /** Seconds WEST, if the template had a zone. */
  readonly zone: number | undefined;
  /** Digits of FF1 to FF6, else 0. */
  readonly fractionDigits: number;
}

/** do_to_timestamp. */
export function readByTemplate(text: string, template: string, standard = false): TemplateResult {
  const reader = new TemplateReader(text, parseTemplate(template, standard), standard);
  reader.read();
  const { out } = reader;
  const tm = new Tm();
  tm.mon = 1;
  tm.mday = 1;
  const overflow = (): PgError => datetimeParseError(FIELD_OVERFLOW, text, 'timestamp');
  if (out.sssss !== 0) {
    tm.hour = Math.trunc(out.sssss / 3600);
    tm.min = Math.trunc((out.sssss % 3600) / 60);
    tm.sec = out.sssss % 60;
  }
  if (out.ss !== 0) tm.sec = out.ss;
  if (out.mi !== 0) tm.min = out.mi;
  if (out.hh !== 0) tm.hour = out.hh;
  if (out.twelveHours) {
    if (tm.hour < 1 || tm.hour > 12) {
      throw invalid(`hour "${tm.hour}" is invalid for the 12-hour clock`, undefined,
        'Use the 24-hour clock, or give an hour between 1 and 12.');
    }
    if (out.pm !== 0 && tm.hour < 12) tm.hour += 12;
    else if (out.pm === 0 && tm.hour === 12) tm.hour = 0;
  }
  let haveYear = false, haveMonth = false, haveDay = false;
  const century = out.bc !== 0 ? -out.cc : out.cc;
  if (out.year !== 0) {
    if (out.cc !== 0 && out.yearSize <= 2) { // the century of CC with the low digits of the year
      const low = out.year % 100;
      tm.year = low === 0 ? century * 100 + (century >= 0 ? 0 : 1)
        : century >= 0 ? low + (century - 1) * 100 : (century + 1) * 100 - low + 1;
    } else {
      tm.year = out.bc !== 0 ? -out.year : out.year;
      if (tm.year < 0) tm.year++;
    }
    haveYear = true;
  } else if (out.cc !== 0) { // its first year
    tm.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    haveYear = true;
  }
  if (out.j !== 0) {
    j2date(out.j, tm);
    haveYear = haveMonth = haveDay = true;
  }
  let { dd, ddd } = out;
  if (out.ww !== 0) {
    if (out.mode === 'iso') {
      if (out.d !== 0) isoWeekDayToDate(out.ww, out.d, tm);
      else isoWeekToDate(out.ww, tm);
      haveYear = haveMonth = haveDay = true;
    } else {
      ddd = (out.ww - 1) * 7 + 1;
    }
  }
  if (out.w !== 0) dd = (out.w - 1) * 7 + 1;
  if (dd !== 0) {
    tm.mday = dd;
    haveDay = true;
  }
  if (out.mm !== 0) {
    tm.mon = out.mm;
    haveMonth = true;
  }
  if (ddd !== 0 && (tm.mon <= 1 || tm.mday <= 1)) { // month and day follow from the day of the year
    if (tm.year === 0 && out.bc === 0) throw invalid('cannot calculate day of year without year information');
    if (out.mode === 'iso') {
      j2date(isoWeekToJulian(tm.year, 1) - 1 + ddd, tm);
      haveYear = true;
    } else {
      const leap = isLeapYear(tm.year) ? 1 : 0;
      const before = [0, 31, 59 + leap, 90 + leap, 120 + leap, 151 + leap, 181 + leap, 212 + leap, 243 + leap, 273 + leap,
        304 + leap, 334 + leap, 365 + leap];
      let month = 1;
      while (month <= 12 && ddd > before[month]!) month++;
      if (tm.mon <= 1) tm.mon = month;
      if (tm.mday <= 1) tm.mday = ddd - before[month - 1]!;
    }
    haveMonth = haveDay = true;
  }
  tm.usec = out.ms * 1000 + out.us;
  if (haveMonth && (tm.mon < 1 || tm.mon > 12)) throw overflow();
  if (haveDay && (tm.mday < 1 || tm.mday > 31)) throw overflow();
  if (haveYear && haveMonth && haveDay && tm.mday > daysInMonth(tm.year, tm.mon)) throw overflow();
  if (tm.hour < 0 || tm.hour > 23 || tm.min < 0 || tm.min > 59 || tm.sec < 0 || tm.sec > 59 || tm.usec < 0 || tm.usec > 999999) {
    throw overflow();
  }
  let zone: number | undefined;
  if (out.zoneSign !== 0) {
    if (out.tzh < 0 || out.tzh > 15 || out.tzm < 0 || out.tzm > 59) throw datetimeParseError(TZDISP_OVERFLOW, text, 'timestamp');
    zone = 0 - out.zoneSign * (out.tzh * 60 + out.tzm) * 60;
  }
  return { tm, zone, fractionDigits: out.fractionDigits };
}

registerBuiltins({
  pure: {
    to_timestamp: (text: string, template: string) => {
      const { tm, zone, fractionDigits } = readByTemplate(text, template);
      const timestamp = tmToTimestamp(tm, zone ?? determineTimeZoneOffset(tm, datetimeSettings.timeZone));
      if (timestamp === undefined) throw timestampOutOfRange();
      return fractionDigits === 0 ? timestamp : adjustTimestamp(timestamp, fractionDigits);
    },
    to_date: (text: string, template: string) => {
      const { tm } = readByTemplate(text, template);
      const outOfRange = (): PgError => new PgError('datetime_field_overflow', `date out of range: "${text}"`);
      if (!isValidJulian(tm.year, tm.mon, tm.mday)) throw outOfRange();
      const date = date2j(tm.year, tm.mon, tm.mday) - POSTGRES_EPOCH_JDATE;
      if (!isValidDate(date)) throw outOfRange();
      return date;
    },
  },
});
