// Dates and times as text to Date or Temporal, and from the binary format. What has no place there ("infinity" aside, which
// is the number) or is not in ISO style stays the text that came.
const MS_PER_DAY = 86_400_000, EPOCH_DAYS = 10957;
const TIMESTAMP = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

/** A timestamp with or without time zone; one without is taken as UTC, as a Date is sent. */
export function parseDate(text: string): Date | number | string {
  const m = TIMESTAMP.exec(text);
  if (m === null) return text === 'infinity' ? Infinity : text === '-infinity' ? -Infinity : text;
  const year = m[12] === undefined ? Number(m[1]) : 1 - Number(m[1]);
  const milliseconds = m[7] === undefined ? 0 : Number(m[7].padEnd(3, '0').slice(0, 3));
  const date = new Date(Date.UTC(2000, Number(m[2]) - 1, Number(m[3]), Number(m[4]), Number(m[5]), Number(m[6]), milliseconds));
  date.setUTCFullYear(year, Number(m[2]) - 1, Number(m[3]));
  if (m[8] !== undefined) {
    const offset = (Number(m[9]) * 3600 + Number(m[10] ?? 0) * 60 + Number(m[11] ?? 0)) * 1000;
    date.setTime(date.getTime() - (m[8] === '-' ? -offset : offset));
  }
  return Number.isNaN(date.getTime()) ? text : date;
}

/** As PostgreSQL reads a time point of a Date, whatever the session's zone and style. */
export function formatDate(date: Date): string {
  const iso = date.toISOString(), year = date.getUTCFullYear();
  if (year >= 1 && year <= 9999) return `${iso.slice(0, 10)} ${iso.slice(11, 23)}+00`;
  const rest = iso.slice(iso.indexOf('-', 1)).replace('T', ' ').replace('Z', '+00');
  return year >= 1 ? `${year}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`;
}

/** Microseconds since 2000-01-01, as in the binary format. */
export function dateOfMicroseconds(microseconds: bigint): Date | number {
  if (microseconds === 0x7fffffffffffffffn) return Infinity;
  if (microseconds === -0x8000000000000000n) return -Infinity;
  const floor = microseconds >= 0n ? microseconds / 1000n : -((-microseconds + 999n) / 1000n);
  return new Date(Number(floor) + EPOCH_DAYS * MS_PER_DAY);
}

/** Days since 2000-01-01 to year-month-day. */
export function dayText(days: number): string {
  if (days === 0x7fffffff) return 'infinity';
  if (days === -0x80000000) return '-infinity';
  const date = new Date((days + EPOCH_DAYS) * MS_PER_DAY), year = date.getUTCFullYear();
  const tail = `-${String(date.getUTCMonth() + 1).padStart(2, '0')}-${String(date.getUTCDate()).padStart(2, '0')}`;
  return year >= 1 ? `${String(year).padStart(4, '0')}${tail}` : `${String(1 - year).padStart(4, '0')}${tail} BC`;
}

/** Text to Temporal's form of it; the text itself when Temporal has none. */
function temporal<T>(make: (iso: string) => T): (text: string) => T | string | number {
  return (text) => {
    if (text === 'infinity') return Infinity;
    if (text === '-infinity') return -Infinity;
    try {
      const bc = text.endsWith(' BC');
      const iso = bc ? text.slice(0, -3).replace(/^\d+/, (y) => (y === '0001' ? '0000' : `-${String(Number(y) - 1).padStart(6, '0')}`)) : text.replace(/^\d{5,}(?=-)/, (y) => `+${y.padStart(6, '0')}`);
      return make(iso.replace(' ', 'T'));
    } catch {
      return text;
    }
  };
}

export const parseInstant = temporal((iso) => Temporal.Instant.from(iso));
export const parsePlainDateTime = temporal((iso) => Temporal.PlainDateTime.from(iso));
export const parsePlainDate = temporal((iso) => Temporal.PlainDate.from(iso));
export const parsePlainTime = temporal((iso) => Temporal.PlainTime.from(iso));
