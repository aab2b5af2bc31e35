// Date and time types against a real PostgreSQL: input in all its forms and settings, output, functions.
import test from 'ava';
import { datetimeSettings, parseDateStyle, parseTimeZoneSetting, type IntervalStyle } from '../../src/backend/types/datetime_settings.ts';
import { DATETIME_POOLS, randomDateTime, randomInterval, sensibleDateTime } from './datetime_pools.ts';
import { session } from '../../src/backend/utils/session.ts';
import { currentTime } from '../../src/backend/types/timestamp.ts';
import { compare, functionCalls } from './differential.ts';
import { randomFrom } from '../support/random.ts';
import { askOracle, describeError, fn, oracleAvailable, type Call } from './harness.ts';
import { POOLS } from './pools.ts';

const check = oracleAvailable ? test.serial : test.skip;
const cases = Number(process.env['POSTHOUSE_CASES'] ?? 400);
const seed = Number(process.env['POSTHOUSE_SEED'] ?? 1);
Object.assign(POOLS, DATETIME_POOLS);
session.transactionStart = currentTime();

function configure(dateStyle: string, timeZone: string, intervalStyle: IntervalStyle): string {
  const parsed = parseDateStyle(dateStyle, datetimeSettings, { dateStyle: 'ISO', dateOrder: 'MDY' });
  if (typeof parsed === 'string') throw new Error(parsed);
  Object.assign(datetimeSettings, parsed, { intervalStyle, timeZone: parseTimeZoneSetting(timeZone)! });
  return `set datestyle = ${dateStyle}; set timezone = '${timeZone}'; set intervalstyle = ${intervalStyle};`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function ours(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return describeError(error);
  }
}

const STEMS: Record<string, string> = { date: 'date', time: 'time', timetz: 'timetz', timestamp: 'timestamp', timestamptz: 'timestamptz', interval: 'interval' };

/** Text in, text out. */
function differencesOf(type: string, inputs: string[], settings: string, typmod = -1, suffix = ''): string[] {
  const theirs = askOracle(inputs.map((text) => `${quote(text)}::${type}${suffix}`), settings);
  const input = fn(`${STEMS[type]}_in`), output = fn(`${STEMS[type]}_out`);
  return inputs.flatMap((text, i) => {
    const mine = ours(() => output(input(text, 0, typmod)));
    return mine === theirs[i] ? [] : [`${type}${suffix} ${quote(text)} (${settings})\n   ours:   ${mine}\n   theirs: ${theirs[i]}`];
  });
}

const STYLES: [string, string, IntervalStyle][] = [
  ['ISO, MDY', 'America/New_York', 'postgres'], ['SQL, DMY', 'Europe/Moscow', 'postgres_verbose'],
  ['Postgres, MDY', 'PST8PDT', 'sql_standard'], ['German', 'Asia/Kolkata', 'iso_8601'], ['ISO, YMD', 'FOO-2BAR,M3.5.0,M10.5.0/3', 'sql_standard'],
  ['Postgres, DMY', '<-03:30>+3:30', 'postgres_verbose'], ['SQL, MDY', 'Africa/Casablanca', 'postgres'],
];

for (const [k, style] of STYLES.entries()) {
  check(`input and output, ${style.join(' ')}`, (t) => {
    const settings = configure(...style);
    const random = randomFrom(seed * 100 + k);
    const differences: string[] = [];
    for (const type of ['timestamptz', 'timestamp', 'date', 'time', 'timetz']) {
      const inputs = Array.from({ length: cases }, (_, i) => (i % 3 === 0 ? randomDateTime(random) : sensibleDateTime(random)));
      differences.push(...differencesOf(type, [...inputs, ...Object.values(DATETIME_POOLS).flat()], settings));
    }
    differences.push(...differencesOf('interval', [...Array.from({ length: cases }, () => randomInterval(random)), ...DATETIME_POOLS['interval']!], settings));
    t.deepEqual(differences, []);
  });
}

check('typmods', (t) => {
  const settings = configure('ISO, MDY', 'America/New_York', 'postgres');
  const differences: string[] = [];
  for (const digits of [0, 1, 3, 5]) {
    differences.push(...differencesOf('timestamptz', [...DATETIME_POOLS['timestamp with time zone']!, '1999-12-31 23:59:59.95', '1800-01-01 00:00:00.5555555'], settings, digits, `(${digits})`));
    differences.push(...differencesOf('timestamp', DATETIME_POOLS['timestamp without time zone']!, settings, digits, `(${digits})`));
    differences.push(...differencesOf('time', DATETIME_POOLS['time without time zone']!, settings, digits, `(${digits})`));
    differences.push(...differencesOf('timetz', DATETIME_POOLS['time with time zone']!, settings, digits, `(${digits})`));
  }
  const [Y, M, D, H, MI, S] = [4, 2, 8, 1024, 2048, 4096];
  const random = randomFrom(seed);
  const ranges: [string, number][] = [['year', Y], ['month', M], ['day', D], ['hour', H], ['minute', MI], ['second', S], ['year to month', Y | M], ['day to hour', D | H],
    ['day to minute', D | H | MI], ['day to second', D | H | MI | S], ['hour to minute', H | MI], ['hour to second', H | MI | S], ['minute to second', MI | S]];
  for (const [name, mask] of ranges) {
    const inputs = [...DATETIME_POOLS['interval']!.filter((text) => !text.includes('2562047788')), '1', '1 2', '1:2', '1 2:3', '1 2:3:4', '1.5', '-1', '1-2', ...Array.from({ length: 40 }, () => randomInterval(random))];
    differences.push(...differencesOf('interval', inputs, settings, (mask << 16) | 0xffff, ` ${name}`));
    if (name.endsWith('second')) differences.push(...differencesOf('interval', inputs, settings, (mask << 16) | 2, ` ${name}(2)`));
  }
  t.deepEqual(differences.filter((text) => !/theirs: .*2562047788/.test(text)), []); // there PostgreSQL's int64 wraps
});

/** Where PostgreSQL's int64 silently wraps around, or infinity counts as a number: ours is an error. */
function wraps({ prosrc, values }: Call): boolean {
  return (/_age$/.test(prosrc) && values.some((value) => /infinity/.test(value!))) ||
    (/^(timestamptz_izone|timestamp_izone|time_|timetz_|in_range_time)/.test(prosrc) && values.some((value) => /^-?2562047788/.test(value!))) ||
    prosrc === 'make_interval' && values.some((value) => /^-?\d{6}|^1e/.test(value!)) ||
    (/^timestamp_mi$/.test(prosrc) && values.some((value) => /^294276/.test(value!)));
}

check('functions', (t) => {
  configure('ISO, MDY', 'UTC', 'postgres');
  POOLS['text'] = ['year', 'MONTH', 'day', 'hour', 'minute', 'second', 'milliseconds', 'microseconds', 'us', 'quarter', 'week', 'decade', 'century', 'millennium', 'epoch', 'julian',
    'dow', 'isodow', 'doy', 'isoyear', 'timezone', 'timezone_hour', 'timezone_minute', 'infinity', 'foo', 'America/New_York', 'EST', 'msk', 'MSD', 'Europe/Paris', 'nowhere', '+3', 'PDT', '<+03>-3', 'FOO5'];
  POOLS['double precision'] = ['0', '1', '-1', '0.5', '1.5', '-0.1', '3.14159', '1e10', '1e-10', '1284352323.5', 'Infinity', '-Infinity', 'NaN', '1e20', '0.333333333333', '59.9999999', '60', '1e9'];
  POOLS['integer'] = ['0', '1', '2', '-1', '12', '13', '28', '29', '30', '31', '1999', '2024', '-44', '24', '59', '60', '2147483647', '-2147483648', '5874897', '294276'];
  const names = /^(date|time|timetz|timestamp|timestamptz|interval|datetime|datetimetz|make_(date|time|interval)|extract|overlaps_time|in_range_(date|time|interval)|float8_timestamptz|mul_d_interval|to_date|to_timestamp|(ts|tstz|date)range_subdiff)/;
  const { differences, total } = compare(functionCalls(Math.max(30, cases / 4), seed, names).filter(({ prosrc }) =>
    !/hash|to_char|timetz_(zone|izone)|time_timetz|_recv|_send|_in$|_support|to_date|to_timestamp/.test(prosrc)).filter((call) => !wraps(call)));
  t.log(`${total} calls`);
  t.deepEqual(differences, []);
});
