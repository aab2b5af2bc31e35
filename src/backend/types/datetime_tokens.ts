// The words of date and time input, and the kinds of fields: the tables of datetime.c. A word counts with its first
// ten characters only.

// What a field or word is. Those below 32 double as bit numbers of "fields seen" masks.
export const RESERV = 0, MONTH = 1, YEAR = 2, DAY = 3, TZ = 5, DTZ = 6, DYNTZ = 7, IGNORE = 8, AMPM = 9, HOUR = 10,
  MINUTE = 11, SECOND = 12, MILLISECOND = 13, MICROSECOND = 14, DOY = 15, DOW = 16, UNITS = 17, ADBC = 18, AGO = 19,
  ISOTIME = 23, WEEK = 24, DECADE = 25, CENTURY = 26, MILLENNIUM = 27, DTZMOD = 28, UNKNOWN_FIELD = 31;

export const DATE_MASK = (1 << YEAR) | (1 << MONTH) | (1 << DAY);
export const ALL_SECS_MASK = (1 << SECOND) | (1 << MILLISECOND) | (1 << MICROSECOND);
export const TIME_MASK = (1 << HOUR) | (1 << MINUTE) | ALL_SECS_MASK;

// What kind of token the scanner found.
export const DTK_NUMBER = 0, DTK_STRING = 1, DTK_DATE = 2, DTK_TIME = 3, DTK_TZ = 4, DTK_SPECIAL = 6;
// Reserved words.
export const DTK_EARLY = 9, DTK_LATE = 10, DTK_EPOCH = 11, DTK_NOW = 12, DTK_YESTERDAY = 13, DTK_TODAY = 14,
  DTK_TOMORROW = 15, DTK_ZULU = 16, DTK_DELTA = 17;
// Units.
export const DTK_SECOND = 18, DTK_MINUTE = 19, DTK_HOUR = 20, DTK_DAY = 21, DTK_WEEK = 22, DTK_MONTH = 23,
  DTK_QUARTER = 24, DTK_YEAR = 25, DTK_DECADE = 26, DTK_CENTURY = 27, DTK_MILLENNIUM = 28, DTK_MILLISEC = 29,
  DTK_MICROSEC = 30, DTK_JULIAN = 31, DTK_DOW = 32, DTK_DOY = 33, DTK_TZ_HOUR = 34, DTK_TZ_MINUTE = 35,
  DTK_ISOYEAR = 36, DTK_ISODOW = 37;

export const AM = 0, PM = 1, HR24 = 2;
const AD = 0;
export const BC = 1;

/** Range masks of interval typmods. */
export const INTERVAL_FULL_RANGE = 0x7fff;
export const INTERVAL_FULL_PRECISION = 0xffff;
export const I_YEAR = 1 << YEAR, I_MONTH = 1 << MONTH, I_DAY = 1 << DAY, I_HOUR = 1 << HOUR, I_MINUTE = 1 << MINUTE,
  I_SECOND = 1 << SECOND;

export interface Token {
  readonly type: number;
  readonly value: number;
}

const MAX_TOKEN_LENGTH = 10;

function table(entries: Record<string, readonly [type: number, value: number]>): Map<string, Token> {
  return new Map(Object.entries(entries).map(([word, [type, value]]) => [word, { type, value }]));
}

const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october',
  'november', 'december'];
const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const dateTokens = table({
  '-infinity': [RESERV, DTK_EARLY],
  ad: [ADBC, AD],
  allballs: [RESERV, DTK_ZULU],
  am: [AMPM, AM],
  at: [IGNORE, 0],
  bc: [ADBC, BC],
  d: [UNITS, DTK_DAY],
  dow: [UNITS, DTK_DOW],
  doy: [UNITS, DTK_DOY],
  dst: [DTZMOD, 3600],
  epoch: [RESERV, DTK_EPOCH],
  h: [UNITS, DTK_HOUR],
  infinity: [RESERV, DTK_LATE],
  isodow: [UNITS, DTK_ISODOW],
  isoyear: [UNITS, DTK_ISOYEAR],
  j: [UNITS, DTK_JULIAN],
  jd: [UNITS, DTK_JULIAN],
  julian: [UNITS, DTK_JULIAN],
  m: [UNITS, DTK_MONTH],
  mm: [UNITS, DTK_MINUTE],
  now: [RESERV, DTK_NOW],
  on: [IGNORE, 0],
  pm: [AMPM, PM],
  s: [UNITS, DTK_SECOND],
  sept: [MONTH, 9],
  t: [ISOTIME, DTK_TIME],
  thur: [DOW, 4],
  thurs: [DOW, 4],
  today: [RESERV, DTK_TODAY],
  tomorrow: [RESERV, DTK_TOMORROW],
  tues: [DOW, 2],
  weds: [DOW, 3],
  y: [UNITS, DTK_YEAR],
  yesterday: [RESERV, DTK_YESTERDAY],
  ...Object.fromEntries(months.flatMap((name, i) => [[name, [MONTH, i + 1]], [name.slice(0, 3), [MONTH, i + 1]]])),
  ...Object.fromEntries(days.flatMap((name, i) => [[name, [DOW, i]], [name.slice(0, 3), [DOW, i]]])),
});

const unitWords: Record<string, readonly [unit: number, ...words: string[]]> = {
  century: [DTK_CENTURY, 'c', 'cent', 'centuries', 'century'],
  day: [DTK_DAY, 'd', 'day', 'days'],
  decade: [DTK_DECADE, 'dec', 'decade', 'decades', 'decs'],
  hour: [DTK_HOUR, 'h', 'hour', 'hours', 'hr', 'hrs'],
  minute: [DTK_MINUTE, 'm', 'min', 'mins', 'minute', 'minutes'],
  microsecond: [DTK_MICROSEC, 'microsecon', 'us', 'usec', 'usecond', 'useconds', 'usecs'],
  millennium: [DTK_MILLENNIUM, 'mil', 'millennia', 'millennium', 'mils'],
  millisecond: [DTK_MILLISEC, 'millisecon', 'ms', 'msec', 'msecond', 'mseconds', 'msecs'],
  month: [DTK_MONTH, 'mon', 'mons', 'month', 'months'],
  quarter: [DTK_QUARTER, 'qtr', 'quarter'],
  second: [DTK_SECOND, 's', 'sec', 'second', 'seconds', 'secs'],
  timezone: [DTK_TZ, 'timezone'],
  timezone_hour: [DTK_TZ_HOUR, 'timezone_h'],
  timezone_minute: [DTK_TZ_MINUTE, 'timezone_m'],
  week: [DTK_WEEK, 'w', 'week', 'weeks'],
  year: [DTK_YEAR, 'y', 'year', 'years', 'yr', 'yrs'],
};

const unitTokens = table({
  '@': [IGNORE, 0],
  ago: [AGO, 0],
  ...Object.fromEntries(Object.values(unitWords).flatMap(([unit, ...words]) => words.map((word) => [word, [UNITS, unit]]))),
});

const key = (word: string): string => (word.length > MAX_TOKEN_LENGTH ? word.slice(0, MAX_TOKEN_LENGTH) : word);

/** A word of dates and times, lower case. */
export function dateToken(word: string): Token | undefined {
  return dateTokens.get(key(word));
}

/** A unit of intervals, lower case. */
export function unitToken(word: string): Token | undefined {
  return unitTokens.get(key(word));
}
