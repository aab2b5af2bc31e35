// The settings DateStyle, IntervalStyle, TimeZone and timezone_abbreviations, as date and time types see them. The owner
// of the settings (utils/guc) checks a new value with the parse functions here and assigns the result's parts.
import { offsetTimeZone, findTimeZone, type TimeZone } from './timezone.ts';
import { defaultAbbreviations, australiaAbbreviations, indiaAbbreviations, type TimezoneAbbreviation }
  from './timezone_abbreviations.ts';

export type DateStyle = 'ISO' | 'SQL' | 'Postgres' | 'German';
export type DateOrder = 'MDY' | 'DMY' | 'YMD';
export type IntervalStyle = 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601';

export const datetimeSettings = {
  dateStyle: 'ISO' as DateStyle,
  dateOrder: 'MDY' as DateOrder,
  intervalStyle: 'postgres' as IntervalStyle,
  timeZone: findTimeZone('GMT')!,
  abbreviations: new Map<string, TimezoneAbbreviation>(defaultAbbreviations.map((entry) => [entry[0], entry])),
};

/** check_datestyle. `defaults` is what the word DEFAULT stands for. A string result is the DETAIL of the error. */
export function parseDateStyle(text: string, current: { dateStyle: DateStyle; dateOrder: DateOrder },
  defaults: { dateStyle: DateStyle; dateOrder: DateOrder }): { dateStyle: DateStyle; dateOrder: DateOrder } | string {
  let style: DateStyle | undefined, order: DateOrder | undefined;
  const conflicting = 'Conflicting "datestyle" specifications.';
  const words = text.split(',').map((word) => word.trim().replace(/^"(.*)"$/, '$1'));
  for (const word of words) {
    const upper = word.toUpperCase();
    let newStyle: DateStyle | undefined, newOrder: DateOrder | undefined;
    if (upper === 'ISO') newStyle = 'ISO';
    else if (upper === 'SQL') newStyle = 'SQL';
    else if (upper.startsWith('POSTGRES')) newStyle = 'Postgres';
    else if (upper === 'GERMAN') newStyle = 'German';
    else if (upper === 'YMD') newOrder = 'YMD';
    else if (upper === 'DMY' || upper.startsWith('EURO')) newOrder = 'DMY';
    else if (upper === 'MDY' || upper === 'US' || upper.startsWith('NONEURO')) newOrder = 'MDY';
    else if (upper === 'DEFAULT') {
      style ??= defaults.dateStyle;
      order ??= defaults.dateOrder;
    } else if (word === '' && words.length === 1) {
      continue;
    } else {
      return word === '' ? 'List syntax is invalid.' : `Unrecognized key word: "${word.toLowerCase()}".`;
    }
    if (newStyle !== undefined) {
      if (style !== undefined && style !== newStyle) return conflicting;
      style = newStyle;
      if (newStyle === 'German') order ??= 'DMY'; // GERMAN alone means German, DMY
    }
    if (newOrder !== undefined) {
      if (order !== undefined && order !== newOrder && style !== 'German') return conflicting;
      order = newOrder;
    }
  }
  return { dateStyle: style ?? current.dateStyle, dateOrder: order ?? current.dateOrder };
}

/** check_timezone, but for INTERVAL values, which the caller turns into hours. undefined: no such zone. */
export function parseTimeZoneSetting(text: string): TimeZone | undefined {
  const hours = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : NaN;
  if (!Number.isNaN(hours)) return offsetTimeZone(Math.trunc(-hours * 3600));
  return findTimeZone(text);
}

/** timezone_abbreviations: false when there is no such set. */
export function setTimezoneAbbreviations(name: string): boolean {
  const sets: Record<string, readonly TimezoneAbbreviation[]> = {
    Default: [], Australia: australiaAbbreviations, India: indiaAbbreviations,
  };
  const set = sets[name];
  if (set === undefined) return false;
  datetimeSettings.abbreviations = new Map([...defaultAbbreviations, ...set].map((entry) => [entry[0], entry]));
  return true;
}
