// A value of date, timestamp or timestamptz among the values of another of these types: an index of a column of one is searched for
// what a comparison with another allows.
import { addInt8, isInfinite, subtractInt8, USECS_PER_DAY } from './calendar.ts';
import { dateToTimestampOr } from './date.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { INT8_MAX, int8, type Datum, type Int8, type Oid } from './datum.ts';
import { DATEOID, TIMESTAMPOID, TIMESTAMPTZOID } from './oids.ts';
import { timestampToDate } from './timestamp.ts';
import { fromLocal, toLocal } from './timezone.ts';

export const DATETIME_TYPES: ReadonlySet<Oid> = new Set([DATEOID, TIMESTAMPOID, TIMESTAMPTZOID]);

/** What is less than the value is at most `high`, what is greater at least `low`, what is equal is between. */
export interface Bounds { low: Datum; high: Datum }

/** The bounds of a value of type `from` among those of type `to`. */
export function datetimeBounds(to: Oid, from: Oid, value: Datum): Bounds {
  const start = from === DATEOID ? beginning(value as number) : value as Int8;
  const { low, high } = to === TIMESTAMPTZOID ? shifted(start, fromLocal) : from === TIMESTAMPTZOID ? shifted(start, toLocal) : { low: start, high: start };
  return to === DATEOID ? { low: timestampToDate(low), high: timestampToDate(high) } : { low, high };
}

/** Midnight of a date; of one later than all timestamps, what is between these and infinity. */
function beginning(date: number): Int8 {
  const timestamp = dateToTimestampOr(date);
  return timestamp === 'high' ? int8(BigInt(INT8_MAX) - 1n) : timestamp;
}

/** In or out of the session's zone. Where its offset changes about then, all that could be meant. */
function shifted(timestamp: Int8, shift: typeof toLocal): { low: Int8; high: Int8 } {
  if (isInfinite(timestamp) || timestamp === int8(BigInt(INT8_MAX) - 1n)) return { low: timestamp, high: timestamp };
  const zone = datetimeSettings.timeZone;
  const before = subtractInt8(timestamp, USECS_PER_DAY), after = addInt8(timestamp, USECS_PER_DAY);
  const low = shift(before, zone), high = shift(after, zone);
  if (subtractInt8(high, low) !== 2 * USECS_PER_DAY) return { low, high };
  const exact = shift(timestamp, zone);
  return { low: exact, high: exact };
}
