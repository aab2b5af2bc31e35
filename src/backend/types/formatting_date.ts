// Templates of to_char, to_date and to_timestamp for dates and times: the parser of templates and to_char, after the
// date part of PostgreSQL's formatting.c. Reading by template is formatting_parse.ts.
import { PgError } from '../../common/errors.ts';
import { date2j, dayNames, dayOfYear, isInfinite, isoWeek, isoYear, isoYearDay, j2day, monthNames, timestampToTm, Tm }
  from './calendar.ts';
import { intervalParts } from './datetime_encode.ts';
import { datetimeSettings } from './datetime_settings.ts';
import type { Int8, Interval } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { zonedTm } from './timestamp.ts';

/** Which calendar a field belongs to; a template may not mix them. */
export type DateMode = 'none' | 'gregorian' | 'iso';

export interface Keyword {
  readonly name: string;
  /** The name in lower case, but for fields whose case shows in the output. */
  readonly id: string;
  readonly isDigit: boolean;
  readonly mode: DateMode;
}

export type FormatNode =
  | { readonly type: 'field'; readonly key: Keyword; readonly fill: boolean; readonly translate: boolean; readonly ordinal: '' | 'TH' | 'th' }
  /** Other text, by one character. */
  | { readonly type: 'separator' | 'space' | 'char'; readonly character: string };

const G = 'gregorian', I = 'iso', N = 'none';
/** Fields in upper case; first match wins. */
const upperKeywords: readonly [name: string, isDigit: boolean, mode: DateMode][] = [
  ['A.D.', false, N], ['A.M.', false, N], ['AD', false, N], ['AM', false, N], ['B.C.', false, N], ['BC', false, N],
  ['CC', true, N], ['DAY', false, N], ['DDD', true, G], ['DD', true, G], ['DY', false, N], ['Day', false, N],
  ['Dy', false, N], ['D', true, G], ['FF1', true, N], ['FF2', true, N], ['FF3', true, N], ['FF4', true, N],
  ['FF5', true, N], ['FF6', true, N], ['FX', false, N], ['HH24', true, N], ['HH12', true, N], ['HH', true, N],
  ['IDDD', true, I], ['ID', true, I], ['IW', true, I], ['IYYY', true, I], ['IYY', true, I], ['IY', true, I], ['I', true, I],
  ['J', true, N], ['MI', true, N], ['MM', true, G], ['MONTH', false, G], ['MON', false, G], ['MS', true, N],
  ['Month', false, G], ['Mon', false, G], ['OF', false, N], ['P.M.', false, N], ['PM', false, N], ['Q', true, N],
  ['RM', false, G], ['SSSSS', true, N], ['SSSS', true, N], ['SS', true, N], ['TZH', false, N], ['TZM', true, N],
  ['TZ', false, N], ['US', true, N], ['WW', true, G], ['W', true, G], ['Y,YYY', true, G], ['YYYY', true, G],
  ['YYY', true, G], ['YY', true, G], ['Y', true, G],
];
/** Fields whose output follows the case of their name. */
const CASED = new Set(['a.d.', 'a.m.', 'ad', 'am', 'b.c.', 'bc', 'day', 'dy', 'month', 'mon', 'p.m.', 'pm', 'rm', 'tz']);

const keywordsByLetter = new Map<string, Keyword[]>();
for (const lower of [false, true]) {
  for (const [upperName, isDigit, mode] of upperKeywords) {
    if (lower && upperName !== upperName.toUpperCase()) continue; // Day, Month, ... have one lower form only
    const name = lower ? upperName.toLowerCase() : upperName;
    const id = CASED.has(name.toLowerCase()) ? name : name.toLowerCase();
    const list = keywordsByLetter.get(name.charAt(0)) ?? [];
    list.push({ name, id: id === 'ssss' ? 'sssss' : id, isDigit, mode });
    keywordsByLetter.set(name.charAt(0), list);
  }
}

export function isSeparatorCharacter(c: string): boolean {
  return c > ' ' && c < '\x7f' && !/[A-Za-z0-9]/.test(c);
}

const MAX_CACHED = 200;
const parsed = new Map<string, FormatNode[]>();

/** parse_format, with a cache. `standard` is SQL's, for jsonpath: few separators, no modifiers we would not know. */
export function parseTemplate(template: string, standard = false): FormatNode[] {
  const key = standard ? `\0${template}` : template;
  let nodes = parsed.get(key);
  if (nodes === undefined) {
    nodes = parseNodes(template, standard);
    if (parsed.size >= MAX_CACHED) parsed.clear();
    parsed.set(key, nodes);
  }
  return nodes;
}

function parseNodes(template: string, standard: boolean): FormatNode[] {
  const nodes: FormatNode[] = [];
  let i = 0;
  const starts = (...words: string[]): string | undefined => words.find((word) => template.startsWith(word, i));
  const character = (): string => {
    const c = String.fromCodePoint(template.codePointAt(i)!);
    i += c.length;
    return c;
  };
  while (i < template.length) {
    const prefix = starts('FM', 'fm', 'TM', 'tm');
    if (prefix !== undefined) i += 2;
    if (i === template.length) break;
    const key = keywordsByLetter.get(template.charAt(i))?.find((keyword) => template.startsWith(keyword.name, i));
    if (key !== undefined) {
      i += key.name.length;
      const suffix = starts('TH', 'th', 'SP');
      if (suffix !== undefined) i += 2;
      nodes.push({ type: 'field', key, fill: prefix?.toUpperCase() === 'FM', translate: prefix?.toUpperCase() === 'TM',
        ordinal: suffix === 'TH' || suffix === 'th' ? suffix : '' });
    } else if (standard && template.charAt(i) !== '"') {
      const c = character();
      if (!"-./,':; ".includes(c)) {
        throw new PgError('invalid_datetime_format', `invalid datetime format separator: "${c}"`);
      }
      nodes.push({ type: c === ' ' ? 'space' : 'separator', character: c });
    } else if (template.charAt(i) === '"') {
      i++;
      while (i < template.length) {
        if (template.charAt(i) === '"') {
          i++;
          break;
        }
        if (template.charAt(i) === '\\' && i + 1 < template.length) i++;
        nodes.push({ type: 'char', character: character() });
      }
    } else {
      if (template.charAt(i) === '\\' && template.charAt(i + 1) === '"') i++;
      const c = character();
      nodes.push({ type: isSeparatorCharacter(c) ? 'separator' : /[ \t\n\v\f\r]/.test(c) ? 'space' : 'char', character: c });
    }
  }
  return nodes;
}

export const romanMonths = ['XII', 'XI', 'X', 'IX', 'VIII', 'VII', 'VI', 'V', 'IV', 'III', 'II', 'I'];

/** C's "%0*d". */
function pad(value: number, width: number): string {
  const digits = String(Math.abs(value));
  return value < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0');
}

/** get_th: the English ending of an ordinal. */
function ordinalEnding(number: string, style: '' | 'TH' | 'th'): string {
  const last = number.at(-2) === '1' ? '0' : number.at(-1);
  const ending = last === '1' ? 'st' : last === '2' ? 'nd' : last === '3' ? 'rd' : 'th';
  return style === 'TH' ? ending.toUpperCase() : ending;
}

function invalidForInterval(): PgError {
  return new PgError('invalid_datetime_format', 'invalid format specification for an interval value',
    { hint: 'Intervals are not tied to specific calendar dates.' });
}

/** Fields that make no sense for intervals. */
const CALENDAR_ONLY = new Set(['tz', 'TZ', 'tzh', 'tzm', 'of', 'A.D.', 'B.C.', 'AD', 'BC', 'a.d.', 'b.c.', 'ad', 'bc',
  'MONTH', 'Month', 'month', 'MON', 'Mon', 'mon', 'DAY', 'Day', 'day', 'DY', 'Dy', 'dy', 'd', 'id']);

type FieldNode = Extract<FormatNode, { type: 'field' }>;

/** DCH_to_char. In `tm` an interval has its parts, yday its approximate days. */
function format(nodes: readonly FormatNode[], tm: Tm, isInterval: boolean): string {
  let text = '';
  for (const node of nodes) text += node.type === 'field' ? formatField(node, tm, isInterval) : node.character;
  return text;
}

function formatField(node: FieldNode, tm: Tm, isInterval: boolean): string {
  const { id } = node.key;
  if (isInterval && CALENDAR_ONLY.has(id)) throw invalidForInterval();
  const number = formatNumber(node, tm, isInterval);
  if (number !== undefined) {
    const plain = node.ordinal === '' || number === '' || id === 'of' || id === 'tzh' || id === 'tzm';
    return plain ? number : number + ordinalEnding(number, node.ordinal);
  }
  const afternoon = ((tm.hour % 24) + 24) % 24 >= 12 && tm.hour >= 0;
  const cased = (word: string): string => (id === id.toLowerCase() ? word.toLowerCase() : id === id.toUpperCase() ? word.toUpperCase() : word);
  const padded = (word: string): string => (node.fill || node.translate ? word : word.padEnd(9));
  switch (id.toLowerCase()) {
    case 'a.m.': case 'p.m.': return cased(afternoon ? 'P.M.' : 'A.M.');
    case 'am': case 'pm': return cased(afternoon ? 'PM' : 'AM');
    case 'a.d.': case 'b.c.': return cased(tm.year <= 0 ? 'B.C.' : 'A.D.');
    case 'ad': case 'bc': return cased(tm.year <= 0 ? 'BC' : 'AD');
    case 'month': return tm.mon === 0 ? '' : padded(cased(monthNames[tm.mon - 1]!));
    case 'mon': return tm.mon === 0 ? '' : cased(monthNames[tm.mon - 1]!.slice(0, 3));
    case 'day': return padded(cased(dayNames[tm.wday]!));
    case 'dy': return cased(dayNames[tm.wday]!.slice(0, 3));
    case 'rm': {
      if (tm.mon === 0 && tm.year === 0) return '';
      const place = tm.mon === 0 ? (tm.year >= 0 ? 0 : 11) : tm.mon < 0 ? -tm.mon - 1 : 12 - tm.mon;
      return node.fill ? cased(romanMonths[place]!) : cased(romanMonths[place]!).padEnd(4);
    }
    case 'tz': return tm.zoneName === null ? '' : cased(tm.zoneName);
    default: return ''; // FX
  }
}

/** The text of fields that are numbers; undefined for other fields. */
function formatNumber(node: FieldNode, tm: Tm, isInterval: boolean): string | undefined {
  const { fill, key } = node;
  const padTo = (value: number, width: number): string => pad(value, fill ? 0 : value < 0 ? width + 1 : width);
  // Years are shown as counted by people, but in intervals.
  const shown = (year: number): number => (isInterval || year > 0 ? year : 1 - year);
  // PostgreSQL takes the width from the year's sign, not from that of the digits shown.
  const yearDigits = (year: number, width: number, modulus: number): string =>
    pad(modulus === 0 ? shown(year) : shown(year) % modulus, fill ? 0 : shown(tm.year) >= 0 ? width : width + 1);
  const east = 0 - tm.zone;
  const iso = (): number => isoYear(tm.year, tm.mon, tm.mday);
  switch (key.id) {
    case 'hh': case 'hh12': {
      const hour = tm.hour % 12 === 0 ? 12 : tm.hour % 12;
      return pad(hour, fill ? 0 : tm.hour >= 0 ? 2 : 3);
    }
    case 'hh24': return padTo(tm.hour, 2);
    case 'mi': return padTo(tm.min, 2);
    case 'ss': return padTo(tm.sec, 2);
    case 'ff1': return pad(Math.trunc(tm.usec / 100000), 1);
    case 'ff2': return pad(Math.trunc(tm.usec / 10000), 2);
    case 'ff3': case 'ms': return pad(Math.trunc(tm.usec / 1000), 3);
    case 'ff4': return pad(Math.trunc(tm.usec / 100), 4);
    case 'ff5': return pad(Math.trunc(tm.usec / 10), 5);
    case 'ff6': case 'us': return pad(tm.usec, 6);
    case 'sssss': return String(tm.hour * 3600 + tm.min * 60 + tm.sec);
    case 'tzh': return (east >= 0 ? '+' : '-') + pad(Math.trunc(Math.abs(east) / 3600), 2);
    case 'tzm': return pad(Math.trunc((Math.abs(east) % 3600) / 60), 2);
    case 'of': {
      const minutes = Math.abs(east) % 3600;
      return (east >= 0 ? '+' : '-') + pad(Math.trunc(Math.abs(east) / 3600), fill ? 0 : 2) +
        (minutes === 0 ? '' : `:${pad(Math.trunc(minutes / 60), 2)}`);
    }
    case 'mm': return padTo(tm.mon, 2);
    case 'ddd': return pad(tm.yday, fill ? 0 : 3);
    case 'iddd': return pad(isoYearDay(tm.year, tm.mon, tm.mday), fill ? 0 : 3);
    case 'dd': return pad(tm.mday, fill ? 0 : 2);
    case 'd': return String(tm.wday + 1);
    case 'id': return String(tm.wday === 0 ? 7 : tm.wday);
    case 'ww': return pad(Math.trunc((tm.yday - 1) / 7) + 1, fill ? 0 : 2);
    case 'iw': return pad(isoWeek(tm.year, tm.mon, tm.mday), fill ? 0 : 2);
    case 'q': return tm.mon === 0 ? '' : String(Math.trunc((tm.mon - 1) / 3) + 1);
    case 'cc': {
      const century = isInterval ? Math.trunc(tm.year / 100)
        : tm.year > 0 ? Math.trunc((tm.year - 1) / 100) + 1 : Math.trunc(tm.year / 100) - 1;
      return century <= 99 && century >= -99 ? padTo(century, 2) : String(century);
    }
    case 'y,yyy': {
      const year = shown(tm.year), thousands = Math.trunc(year / 1000);
      return `${thousands},${pad(year - thousands * 1000, 3)}`;
    }
    case 'yyyy': return yearDigits(tm.year, 4, 0);
    case 'iyyy': return yearDigits(iso(), 4, 0);
    case 'yyy': return yearDigits(tm.year, 3, 1000);
    case 'iyy': return yearDigits(iso(), 3, 1000);
    case 'yy': return yearDigits(tm.year, 2, 100);
    case 'iy': return yearDigits(iso(), 2, 100);
    case 'y': return pad(shown(tm.year) % 10, 1);
    case 'i': return pad(shown(iso()) % 10, 1);
    case 'w': return String(Math.trunc((tm.mday - 1) / 7) + 1);
    case 'j': return String(date2j(tm.year, tm.mon, tm.mday));
    default: return undefined;
  }
}

const scratch = new Tm();

function setDays(tm: Tm): void {
  tm.wday = j2day(date2j(tm.year, tm.mon, tm.mday));
  tm.yday = dayOfYear(tm);
}

registerBuiltins({
  pure: {
    timestamp_to_char: (timestamp: Int8, template: string) => {
      if (template === '' || isInfinite(timestamp)) return null;
      timestampToTm(timestamp, scratch);
      setDays(scratch);
      return format(parseTemplate(template), scratch, false);
    },
    timestamptz_to_char: (timestamp: Int8, template: string) => {
      if (template === '' || isInfinite(timestamp)) return null;
      zonedTm(timestamp, datetimeSettings.timeZone, scratch);
      setDays(scratch);
      return format(parseTemplate(template), scratch, false);
    },
    interval_to_char: (value: Interval, template: string) => {
      if (template === '') return null;
      const { year, mon, day, hour, min, sec, usec } = intervalParts(value);
      Object.assign(scratch, { year, mon, mday: day, hour, min, sec, usec, zone: 0, zoneName: null, wday: 0,
        yday: ((year * 12 + mon) * 30 + day) | 0 });
      return format(parseTemplate(template), scratch, true);
    },
  },
});
