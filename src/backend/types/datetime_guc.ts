// Checks and appearances of the settings DateStyle, IntervalStyle, TimeZone and timezone_abbreviations.
import { CheckFailure, defineHooks, findSetting, type GucValue } from '../utils/guc.ts';
import { datetimeSettings, type IntervalStyle, parseDateStyle, parseTimeZoneSetting, setTimezoneAbbreviations }
  from './datetime_settings.ts';
import { decodeInterval } from './interval_decode.ts';
import { INTERVAL_FULL_RANGE } from './datetime_tokens.ts';
import { findTimeZone, offsetTimeZone, type TimeZone } from './timezone.ts';

/** "ISO, MDY", as we keep it, taken apart. */
function splitDateStyle(text: string): Pick<typeof datetimeSettings, 'dateStyle' | 'dateOrder'> {
  const [dateStyle, dateOrder] = text.split(', ') as [typeof datetimeSettings.dateStyle, typeof datetimeSettings.dateOrder];
  return { dateStyle, dateOrder };
}

defineHooks('DateStyle', {
  check: (value) => {
    const setting = findSetting('DateStyle')!;
    const defaults = splitDateStyle(setting.reset as string);
    const parsed = parseDateStyle(value as string, splitDateStyle(setting.value as string), defaults);
    return typeof parsed === 'string' ? new CheckFailure({ detail: parsed }) : `${parsed.dateStyle}, ${parsed.dateOrder}`;
  },
  assign: (value) => Object.assign(datetimeSettings, splitDateStyle(value as string)),
});

defineHooks('IntervalStyle', {
  assign: (value) => {
    datetimeSettings.intervalStyle = value as IntervalStyle;
  },
});

/** A zone by name, offset in hours, or the "INTERVAL '...'" of SET TIME ZONE. */
function checkZone(value: GucValue): TimeZone | CheckFailure {
  const text = value as string;
  const interval = /^interval\s*'(.*)'$/is.exec(text);
  if (interval !== null) {
    const { months, days, time } = decodeInterval(interval[1]!.replaceAll("''", "'"), INTERVAL_FULL_RANGE);
    if (months !== 0) return new CheckFailure({ detail: 'Cannot specify months in time zone interval.' });
    if (days !== 0) return new CheckFailure({ detail: 'Cannot specify days in time zone interval.' });
    return offsetTimeZone(0 - Number(BigInt(time) / 1000000n));
  }
  const zone = parseTimeZoneSetting(text);
  if (zone === undefined) return new CheckFailure(text.trim() === '' || Number.isNaN(Number(text)) ? {} : { detail: 'UTC timezone offset is out of range.' });
  if (zone.usesLeapSeconds) {
    return new CheckFailure({
      message: `time zone "${text}" appears to use leap seconds`, detail: 'PostgreSQL does not support leap seconds.',
    });
  }
  return zone;
}

defineHooks('TimeZone', {
  check: (value) => {
    const zone = checkZone(value);
    return zone instanceof CheckFailure ? zone : zone.name;
  },
  assign: (value) => {
    datetimeSettings.timeZone = findTimeZone(value as string) ?? datetimeSettings.timeZone;
  },
});

defineHooks('timezone_abbreviations', {
  check: (value) => (/^(Default|Australia|India)$/.test(value as string) ? value : new CheckFailure()),
  assign: (value) => {
    setTimezoneAbbreviations(value as string);
  },
});
