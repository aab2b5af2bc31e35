// Fixed cases of dates and times, with what PostgreSQL 15 answers; they need no PostgreSQL to run.
import test from 'ava';
import '../../src/backend/types/index.ts';
import { datetimeSettings, parseDateStyle, parseTimeZoneSetting } from '../../src/backend/types/datetime_settings.ts';
import { INT8_MAX } from '../../src/backend/types/datum.ts';
import { findBuiltin } from '../../src/backend/types/fmgr.ts';
import { findTimeZone, setZoneFolder, zoneFolder } from '../../src/backend/types/timezone.ts';
import { PgError } from '../../src/common/errors.ts';

const call = (name: string, ...args: unknown[]): any => (findBuiltin(name)!.fn as (...args: unknown[]) => unknown)(...args);
const through = (type: string, text: string): string => call(`${type}_out`, call(`${type}_in`, text));

test.beforeEach(() => {
  Object.assign(datetimeSettings, { dateStyle: 'ISO', dateOrder: 'MDY', intervalStyle: 'postgres', timeZone: findTimeZone('America/New_York') });
});

test.serial('input', (t) => {
  t.is(call('timestamp_in', '2000-01-01 00:00:01.5'), 1500000);
  t.is(call('timestamp_in', 'infinity'), INT8_MAX);
  t.is(through('timestamptz', '2024-03-10 02:30'), '2024-03-10 03:30:00-04'); // no such local time
  t.is(through('timestamptz', '2024-11-03 01:30'), '2024-11-03 01:30:00-05'); // twice
  t.is(through('timestamptz', 'Jul 4 2024 12:00 PST'), '2024-07-04 16:00:00-04');
  t.is(through('date', '5874897-12-31'), '5874897-12-31');
  t.is(through('timetz', '04:05:06 PST'), '04:05:06-08');
  t.is(through('interval', '1 year 2 mons -3 days 04:05:06.7'), '1 year 2 mons -3 days +04:05:06.7');
  t.is(through('interval', 'P1Y2M10DT2H30M'), '1 year 2 mons 10 days 02:30:00');
});

test.serial('errors', (t) => {
  const error = t.throws(() => call('date_in', '13/13/2020'), { instanceOf: PgError });
  t.is(error?.message, 'date/time field value out of range: "13/13/2020"');
  t.is((error as PgError).code, '22008');
  t.is((error as PgError).fields.hint, 'Perhaps you need a different "datestyle" setting.');
  t.throws(() => call('timestamp_in', 'foo'), { message: 'invalid input syntax for type timestamp: "foo"' });
  t.throws(() => call('timestamptz_in', '2020-01-01 America/Nowhere'), { message: 'time zone "america/nowhere" not recognized' });
});

test.serial('styles', (t) => {
  const value = call('timestamptz_in', '1997-12-17 07:37:16.25-08');
  for (const [style, expected] of [['SQL, MDY', '12/17/1997 10:37:16.25 EST'], ['SQL, DMY', '17/12/1997 10:37:16.25 EST'],
    ['German', '17.12.1997 10:37:16.25 EST'], ['Postgres, MDY', 'Wed Dec 17 10:37:16.25 1997 EST'], ['ISO', '1997-12-17 10:37:16.25-05']] as const) {
    Object.assign(datetimeSettings, parseDateStyle(style, datetimeSettings, { dateStyle: 'ISO', dateOrder: 'MDY' }));
    t.is(call('timestamptz_out', value), expected);
  }
});

test.serial('zones', (t) => {
  t.is(findTimeZone('america/new_york')?.name, 'America/New_York');
  t.is(parseTimeZoneSetting('-7')?.name, '<-07>+07');
  t.is(parseTimeZoneSetting('5.5')?.name, '<+05:30>-05:30');
  datetimeSettings.timeZone = findTimeZone('<+03>-3')!;
  t.is(through('timestamptz', '2024-01-01 00:00:00+00'), '2024-01-01 03:00:00+03');
});

test.serial('without zone files', (t) => {
  const folder = zoneFolder();
  setZoneFolder(null);
  try {
    datetimeSettings.timeZone = findTimeZone('Europe/Berlin')!;
    t.is(through('timestamptz', '2024-07-01 12:00:00+00'), '2024-07-01 14:00:00+02');
    t.is(through('timestamptz', '2300-01-01 12:00:00+00'), '2300-01-01 13:00:00+01');
    t.is(findTimeZone('Europe/Nowhere'), undefined);
  } finally {
    setZoneFolder(folder);
  }
});

test.serial('functions', (t) => {
  t.is(call('interval_out', call('timestamp_age', call('timestamp_in', '2001-04-10'), call('timestamp_in', '1957-06-13'))), '43 years 9 mons 27 days');
  t.is(call('timestamp_out', call('timestamp_trunc', 'week', call('timestamp_in', '2024-01-03 12:00'))), '2024-01-01 00:00:00');
  t.is(call('numeric_out', call('extract_timestamp', 'second', call('timestamp_in', '2001-02-16 20:38:40.5'))), '40.500000');
  t.is(call('timestamp_to_char', call('timestamp_in', '2002-04-20 17:31:12.66'), 'FMDay, DDth FMMonth YYYY HH12:MI:SS AM'), 'Saturday, 20th April 2002 05:31:12 PM');
  t.is(call('date_out', call('to_date', '05 Dec 2000', 'DD Mon YYYY')), '2000-12-05');
  t.is(call('interval_out', call('interval_mul', call('interval_in', '1 mon 1 day'), 1.5)), '1 mon 16 days 12:00:00');
});
