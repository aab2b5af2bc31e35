// to_char, to_date and to_timestamp by templates, against a real PostgreSQL.
import test from 'ava';
import { datetimeSettings, parseTimeZoneSetting } from '../../src/backend/types/datetime_settings.ts';
import { DATETIME_POOLS } from './datetime_pools.ts';
import { randomFrom } from '../support/random.ts';
import { askOracle, describeError, fn, oracleAvailable } from './harness.ts';

const check = oracleAvailable ? test.serial : test.skip;
const cases = Number(process.env['POSTHOUSE_CASES'] ?? 600);
const seed = Number(process.env['POSTHOUSE_SEED'] ?? 1);
const SETTINGS = "set timezone = 'America/New_York';";

const FIELDS = ['A.D.', 'A.M.', 'AD', 'AM', 'B.C.', 'BC', 'CC', 'DAY', 'DDD', 'DD', 'DY', 'Day', 'Dy', 'D', 'FF1', 'FF2', 'FF3', 'FF4', 'FF5', 'FF6', 'FX', 'HH24', 'HH12', 'HH', 'IDDD', 'ID',
  'IW', 'IYYY', 'IYY', 'IY', 'I', 'J', 'MI', 'MM', 'MONTH', 'MON', 'MS', 'Month', 'Mon', 'OF', 'P.M.', 'PM', 'Q', 'RM', 'SSSSS', 'SSSS', 'SS', 'TZH', 'TZM', 'TZ', 'US', 'WW', 'W', 'Y,YYY', 'YYYY',
  'YYY', 'YY', 'Y', 'a.d.', 'am', 'day', 'dy', 'month', 'mon', 'rm', 'tz', 'yyyy', 'ddd', 'hh24', 'Xx'];
const BETWEEN = ['', ' ', '-', '/', ':', '.', ' "text" ', '\\"', ',', '  ', 'x', '"a\\"b"', 'é', 'T', '_'];
const COMMON = ['YYYY-MM-DD', 'YYYY-MM-DD HH24:MI:SS', 'DD Mon YYYY', 'YYYYMMDD', 'MM/DD/YY', 'HH:MI AM', 'HH12:MI:SS P.M.', 'YYYY-DDD', 'IYYY-IW-ID', 'IYYYIWID', 'YYYY-WW', 'J', 'SSSSS', 'CC', 'CC YY', 'Month DD, YYYY',
  'YYYY-MM-DD"T"HH24:MI:SS.MS', 'YYYY-MM-DD HH24:MI:SS.US', 'YYYY-MM-DD HH24:MI:SS.FF3', 'YYYY-MM-DD HH24:MI TZH:TZM', 'YYYY-MM-DD HH24:MITZH', 'FMYYYY-FMMM-FMDD', 'FXYYYY-MM-DD', 'Y,YYY-MM-DD', 'YYY', 'Y', 'DDth Mon YYYY', 'Day DD Mon YY',
  'RM YYYY', 'YYYY BC', 'BC YYYY-MM', 'IYYY-IDDD', 'W MM YYYY', 'Q YYYY', 'YYYYMM', 'HH24MISS', 'IYYY MM', 'FXMM/DD/YYYY', 'MON', 'YYYY TZ', 'dy DD mon', 'FF1', 'YYYYDDD'];
const INPUTS = ['1997-02-10', '1997-02-10 17:32:01', '10 Feb 1997', '19970210', '02/10/97', '05:12 PM', '05:12:10 a.m.', '1997-041', '1997-07-1', '1997071', '1997-366', '2451545', '86399', '86400', '19', '20 97', 'February 10, 1997',
  '1997-02-10T17:32:01.25', '1997-02-10 17:32:01.123456', '1997-02-10 17:32 -08:30', '1997-02-10 17:32-08', '1997-2-1', '1,997-02-10', '97', '7', '10th Feb 1997', 'Monday 10 Feb 97', 'VII 1997', '44 BC', 'BC 0044-03', '  1997 - 02 - 10 ',
  '1997/13/01', '1997-02-30', '24:00', '13:00 PM', '0 AM', '', 'abc', '-1997-02-10', '+1997-02-10', '20000-1131', '99999999999', '0000-00-00', '2 12 1997', '3 1997', 'x1997', '12', '1', '123', '1234', '12345', '123456', '1997-02-10 +5', 'mar 5', 'XII', 'iv'];

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function template(random: (n: number) => number): string {
  if (random(2) === 0) return COMMON[random(COMMON.length)]!;
  let text = '';
  for (let i = 0; i <= random(4); i++) {
    text += BETWEEN[random(BETWEEN.length)]! + (random(6) === 0 ? ['FM', 'fm', 'TM'][random(3)]! : '') + FIELDS[random(FIELDS.length)]! + (random(8) === 0 ? ['TH', 'th', 'SP'][random(3)]! : '');
  }
  return text;
}

function run(expressions: string[], ours: (() => unknown)[]): string[] {
  datetimeSettings.timeZone = parseTimeZoneSetting('America/New_York')!;
  return askOracle(expressions, SETTINGS).flatMap((theirs, i) => {
    let mine: string;
    try {
      const value = ours[i]!();
      mine = value === null ? '<NULL>' : String(value);
    } catch (error) {
      mine = describeError(error);
    }
    return mine === theirs ? [] : [`${expressions[i]}\n   ours:   ${mine}\n   theirs: ${theirs}`];
  });
}

check('to_char', (t) => {
  const random = randomFrom(seed);
  const expressions: string[] = [], ours: (() => unknown)[] = [];
  const types: [string, string, string][] = [['timestamp without time zone', 'timestamp', 'timestamp'], ['timestamp with time zone', 'timestamptz', 'timestamptz'], ['interval', 'interval', 'interval']];
  for (const [pool, type, stem] of types) {
    for (const value of DATETIME_POOLS[pool]!) {
      const templates = [...FIELDS, ...FIELDS.map((field) => `FM${field}TH`), ...Array.from({ length: cases / 20 }, () => template(random))];
      for (const text of templates) {
        if (value.includes('2147483648')) continue; // int32 wraps around
        if (type !== 'interval' ? false : /IYY|IW|IDDD|IY|I|J/i.test(text)) continue; // of an interval PostgreSQL makes a nonsensical date
        expressions.push(`to_char(${quote(value)}::${type}, ${quote(text)})`);
        ours.push(() => fn(`${stem}_to_char`)(fn(`${stem}_in`)(value, 0, -1), text));
      }
    }
  }
  t.log(`${expressions.length} cases`);
  t.deepEqual(run(expressions, ours), []);
});

check('to_date and to_timestamp', (t) => {
  const random = randomFrom(seed);
  const expressions: string[] = [], ours: (() => unknown)[] = [];
  for (let i = 0; i < cases * 5; i++) {
    const text = INPUTS[random(INPUTS.length)]!, format = template(random);
    if (i % 2 === 0) {
      expressions.push(`to_date(${quote(text)}, ${quote(format)})`);
      ours.push(() => fn('date_out')(fn('to_date')(text, format)));
    } else {
      expressions.push(`to_timestamp(${quote(text)}, ${quote(format)})`);
      ours.push(() => fn('timestamptz_out')(fn('to_timestamp')(text, format)));
    }
  }
  t.deepEqual(run(expressions, ours), []);
});
