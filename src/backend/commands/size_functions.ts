// Sizes as text and back: pg_size_pretty, pg_size_bytes (PostgreSQL's dbsize.c).
import { PgError } from '../../common/errors.ts';
import { int8, INT8_MAX, INT8_MIN, type Datum, type Int8 } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';

interface Unit { name: string; limit: bigint; round: boolean; bits: bigint }
/** A size below the limit is told in the unit; `round`: one bit more is kept, to round by. */
const UNITS: readonly Unit[] = [
  { name: 'bytes', limit: 10n * 1024n, round: false, bits: 0n }, { name: 'kB', limit: 20n * 1024n - 1n, round: true, bits: 10n },
  { name: 'MB', limit: 20n * 1024n - 1n, round: true, bits: 20n }, { name: 'GB', limit: 20n * 1024n - 1n, round: true, bits: 30n },
  { name: 'TB', limit: 20n * 1024n - 1n, round: true, bits: 40n }, { name: 'PB', limit: 20n * 1024n - 1n, round: true, bits: 50n },
];

const abs = (n: bigint): bigint => (n < 0n ? -n : n);
const halfRounded = (n: bigint): bigint => (n + (n < 0n ? -1n : 1n)) / 2n;

function pretty(size: bigint): string {
  for (let i = 0; ; i++) {
    const unit = UNITS[i]!;
    if (i === UNITS.length - 1 || abs(size) < unit.limit) return `${unit.round ? halfRounded(size) : size} ${unit.name}`;
    // The next unit, with one bit more if it is rounded.
    const bits = UNITS[i + 1]!.bits - unit.bits - (UNITS[i + 1]!.round ? 1n : 0n) + (unit.round ? 1n : 0n);
    size /= 1n << bits;
  }
}

const NUMERICOID = 1700;
/** A numeric; bytes keep their fraction. */
function prettyNumeric(value: Datum): string {
  const text = typeHooks.typeIo(NUMERICOID).output(value);
  if (!/^-?\d/.test(text)) return `${text} PB`;
  const size = BigInt(text.replace(/\..*$/, ''));
  return abs(size) < UNITS[0]!.limit ? `${text} bytes` : pretty(size);
}

const FACTORS: Readonly<Record<string, bigint>> = { '': 1n, bytes: 1n, kb: 1n << 10n, mb: 1n << 20n, gb: 1n << 30n, tb: 1n << 40n, pb: 1n << 50n };

function sizeBytes(text: string): Int8 {
  const m = /^\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$/s.exec(text);
  if (m === null) throw new PgError('invalid_parameter_value', `invalid size: "${text}"`);
  const factor = FACTORS[m[2]!.toLowerCase()];
  if (factor === undefined) {
    throw new PgError('invalid_parameter_value', `invalid size: "${text}"`, {
      detail: `Invalid size unit: "${m[2]}".`, hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
    });
  }
  const value = exact(m[1]!, factor);
  if (value > INT8_MAX || value < INT8_MIN) throw new PgError('numeric_value_out_of_range', 'bigint out of range');
  return int8(value);
}

/** number * factor, rounded half away from zero. */
function exact(number: string, factor: bigint): bigint {
  const m = /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(number)!;
  const exponent = Number(m[4] ?? 0) - m[3]!.length;
  if (Math.abs(exponent) > 131072) throw new PgError('numeric_value_out_of_range', 'value overflows numeric format');
  let digits = BigInt(`${m[2]}${m[3]}` || '0') * factor;
  if (exponent >= 0) digits *= 10n ** BigInt(exponent);
  else {
    const divisor = 10n ** BigInt(-exponent);
    digits = (digits + divisor / 2n) / divisor;
  }
  return m[1] === '-' ? -digits : digits;
}

registerBuiltins({
  pure: {
    pg_size_pretty: (size: Int8) => pretty(BigInt(size)),
    pg_size_pretty_numeric: prettyNumeric,
    pg_size_bytes: sizeBytes,
  },
});
