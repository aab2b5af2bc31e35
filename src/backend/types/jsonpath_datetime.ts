// Dates and times in jsonpath: what the datetime() method makes, how they compare and what they are as text.
import { PgError } from '../../common/errors.ts';
import { date2j, isValidDate, isValidJulian, POSTGRES_EPOCH_JDATE, timeOf, timestampToTm, Tm, tmToTimestamp, j2date } from './calendar.ts';
import { encodeTime, encodeXsdDate, encodeXsdDateTime } from './datetime_encode.ts';
import { TimeTz, type Datum, type Int8, type Oid } from './datum.ts';
import { findBuiltin, type PureFunction } from './fmgr.ts';
import { parseTemplate } from './formatting_date.ts';
import { readByTemplate } from './formatting_parse.ts';
import { DATEOID, TIMEOID, TIMESTAMPOID, TIMESTAMPTZOID, TIMETZOID } from './oids.ts';
import { adjustTime } from './time.ts';
import { adjustTimestamp, timestampOutOfRange } from './timestamp.ts';

export class PathDatetime {
  readonly type: Oid;
  readonly value: Datum;
  /** Seconds WEST, as it was written; for types with a zone. */
  readonly zone: number;
  constructor(type: Oid, value: Datum, zone: number) {
    this.type = type;
    this.value = value;
    this.zone = zone;
  }
}

const NAMES: Record<Oid, string> = {
  [DATEOID]: 'date', [TIMEOID]: 'time without time zone', [TIMETZOID]: 'time with time zone',
  [TIMESTAMPOID]: 'timestamp without time zone', [TIMESTAMPTZOID]: 'timestamp with time zone',
};
export const datetimeTypeName = (value: PathDatetime): string => NAMES[value.type]!;

const ZONE_FIELDS = new Set(['tzh', 'tzm', 'of', 'tz']);
const TIME_FIELDS = /^(ff\d|hh\d*|mi|ss|ms|us|sssss?|[ap]\.?m\.?)$/;

/** DCH_datetime_type: what the fields of a template speak of. */
function contentOf(template: string): { dated: boolean; timed: boolean; zoned: boolean } {
  const content = { dated: false, timed: false, zoned: false };
  for (const node of parseTemplate(template, true)) {
    if (node.type !== 'field') continue;
    const id = node.key.id.toLowerCase();
    if (id === 'fx') continue;
    if (ZONE_FIELDS.has(id)) content.zoned = true;
    else if (TIME_FIELDS.test(id)) content.timed = true;
    else content.dated = true;
  }
  return content;
}

const invalid = (message: string): PgError => new PgError('invalid_datetime_format', message);

/** parse_datetime. */
export function datetimeByTemplate(text: string, template: string): PathDatetime {
  const { tm, zone, fractionDigits } = readByTemplate(text, template, true);
  const { dated, timed, zoned } = contentOf(template);
  const typmod = fractionDigits === 0 ? -1 : fractionDigits;
  const zoneFor = (type: string): number => {
    if (zone === undefined) throw invalid(`missing time zone in input string for type ${type}`);
    return zone;
  };
  if (dated && !timed) {
    if (zoned) throw invalid('datetime format is zoned but not timed');
    const date = isValidJulian(tm.year, tm.mon, tm.mday) ? date2j(tm.year, tm.mon, tm.mday) - POSTGRES_EPOCH_JDATE : NaN;
    if (!isValidDate(date)) throw new PgError('datetime_field_overflow', `date out of range: "${text}"`);
    return new PathDatetime(DATEOID, date, 0);
  }
  if (dated) {
    const west = zoned ? zoneFor('timestamptz') : 0;
    const timestamp = tmToTimestamp(tm, west);
    if (timestamp === undefined) throw zoned ? new PgError('datetime_field_overflow', 'timestamptz out of range') : timestampOutOfRange();
    return new PathDatetime(zoned ? TIMESTAMPTZOID : TIMESTAMPOID, adjustTimestamp(timestamp, typmod), west);
  }
  if (!timed) throw invalid('datetime format is not dated and not timed');
  const time = adjustTime(timeOf(tm), typmod);
  if (!zoned) return new PathDatetime(TIMEOID, time, 0);
  const west = zoneFor('timetz');
  return new PathDatetime(TIMETZOID, new TimeTz(time, west), west);
}

const DATE_FORMAT = 'yyyy-mm-dd';
const TIME_FORMATS = ['HH24:MI:SS.USTZH:TZM', 'HH24:MI:SS.USTZH', 'HH24:MI:SSTZH:TZM', 'HH24:MI:SSTZH', 'HH24:MI:SS.US', 'HH24:MI:SS'];
const [ZONED, PLAIN] = [TIME_FORMATS.slice(0, 4), TIME_FORMATS.slice(4)];
const FORMATS = [DATE_FORMAT, ...TIME_FORMATS,
  ...ZONED.map((time) => `${DATE_FORMAT} ${time}`), ...ZONED.map((time) => `${DATE_FORMAT}"T"${time}`),
  ...PLAIN.map((time) => `${DATE_FORMAT} ${time}`), ...PLAIN.map((time) => `${DATE_FORMAT}"T"${time}`)];

/** Without a template: the ISO formats one after the other. */
export function guessDatetime(text: string): PathDatetime | null {
  for (const format of FORMATS) {
    try {
      return datetimeByTemplate(text, format);
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
    }
  }
  return null;
}

function zoneText(west: number): string {
  const east = Math.abs(west), two = (n: number): string => String(n).padStart(2, '0');
  const seconds = east % 60 === 0 ? '' : `:${two(east % 60)}`;
  return `${west > 0 ? '-' : '+'}${two(Math.floor(east / 3600))}:${two(Math.floor(east / 60) % 60)}${seconds}`;
}

/** JsonEncodeDateTime: the XSD form; timestamps with their zone as they were written. */
export function datetimeText({ type, value, zone }: PathDatetime): string {
  const tm = new Tm();
  switch (type) {
    case DATEOID:
      j2date((value as number) + POSTGRES_EPOCH_JDATE, tm);
      return encodeXsdDate(tm);
    case TIMEOID: return encodeTime(value as number);
    case TIMETZOID: return encodeTime((value as TimeTz).time) + zoneText(zone);
    default: {
      const local = type === TIMESTAMPTZOID ? Number(value) - zone * 1000000 : (value as Int8);
      timestampToTm(local, tm);
      return encodeXsdDateTime(tm, false) + (type === TIMESTAMPTZOID ? zoneText(zone) : '');
    }
  }
}

const SHORT: Record<Oid, string> = { [DATEOID]: 'date', [TIMEOID]: 'time', [TIMETZOID]: 'timetz', [TIMESTAMPOID]: 'timestamp', [TIMESTAMPTZOID]: 'timestamptz' };
const compareBy = (prosrc: string, a: Datum, b: Datum): number => (findBuiltin(prosrc)!.fn as PureFunction)(a, b) as number;

/** compareDatetime: null when the types cannot be compared at all. */
export function compareDatetimes(a: PathDatetime, b: PathDatetime, useTz: boolean): number | null {
  if (a.type === b.type) {
    if (a.type === TIMETZOID) return compareBy('timetz_cmp', a.value, b.value);
    return (a.value as Int8) < (b.value as Int8) ? -1 : (a.value as Int8) > (b.value as Int8) ? 1 : 0;
  }
  const isTime = (type: Oid): boolean => type === TIMEOID || type === TIMETZOID;
  if (isTime(a.type) !== isTime(b.type)) return null;
  const rank = (type: Oid): number => [TIMEOID, TIMETZOID, DATEOID, TIMESTAMPOID, TIMESTAMPTZOID].indexOf(type);
  if (rank(a.type) > rank(b.type)) {
    const order = compareDatetimes(b, a, useTz);
    return order === null ? null : 0 - order;
  }
  if ((b.type === TIMETZOID || b.type === TIMESTAMPTZOID) && !useTz) {
    throw new PgError('feature_not_supported', `cannot convert value from ${SHORT[a.type]} to ${SHORT[b.type]} without time zone usage`,
      { hint: 'Use *_tz() function for time zone support.' });
  }
  if (b.type === TIMETZOID) return compareBy('timetz_cmp', (findBuiltin('time_timetz')!.fn as PureFunction)(a.value) as Datum, b.value);
  return compareBy(a.type === DATEOID ? (b.type === TIMESTAMPOID ? 'date_cmp_timestamp' : 'date_cmp_timestamptz') : 'timestamp_cmp_timestamptz', a.value, b.value);
}
