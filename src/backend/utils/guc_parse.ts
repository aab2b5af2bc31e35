// Values of settings as text: parsing with units, and showing them as PostgreSQL's guc.c does.
import { PgError } from '../../common/errors.ts';

/** Unit of a setting -> accepted units and how many base units each is, greatest first. */
const MEMORY_BYTES: readonly (readonly [string, number])[] =
  [['TB', 1024 ** 4], ['GB', 1024 ** 3], ['MB', 1024 ** 2], ['kB', 1024], ['B', 1]];
const TIME_US: readonly (readonly [string, number])[] =
  [['d', 86400e6], ['h', 3600e6], ['min', 60e6], ['s', 1e6], ['ms', 1e3], ['us', 1]];
const BASE_SIZE: Readonly<Record<string, number>> = {
  B: 1, kB: 1024, MB: 1024 ** 2, '8kB': 8192, us: 1, ms: 1e3, s: 1e6, min: 60e6,
};
const MEMORY_HINT = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".';
const TIME_HINT = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".';

const isMemory = (unit: string): boolean => unit.endsWith('B');

export interface Parsed {
  value?: number;
  hint?: string;
}

/** A number with an optional unit, in the setting's base unit. `hint` when it is none. */
function parseNumber(text: string, unit: string | null, mayBeOctal: boolean): Parsed {
  const m = /^\s*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))\s*(.*?)\s*$/s.exec(text);
  if (!m) return {};
  const digits = m[1]!, suffix = m[2]!;
  // Like strtol with base 0: a leading zero means octal.
  const octal = mayBeOctal && /^[+-]?0[0-7]+$/.test(digits);
  let value = octal ? Number.parseInt(digits, 8)
    : /0[xX]/.test(digits) ? Number(digits.replace(/^[+-]/, '')) * (digits.startsWith('-') ? -1 : 1) : Number(digits);
  if (suffix !== '') {
    if (unit === null) return {};
    const memory = isMemory(unit);
    const entry = (memory ? MEMORY_BYTES : TIME_US).find(([name]) => name === suffix);
    if (!entry) return { hint: memory ? MEMORY_HINT : TIME_HINT };
    value = value * entry[1] / BASE_SIZE[unit]!;
  }
  return { value };
}

export function parseInteger(text: string, unit: string | null): Parsed {
  const parsed = parseNumber(text, unit, true);
  if (parsed.value === undefined) return parsed;
  const value = roundHalfEven(parsed.value);
  if (value > 2147483647 || value < -2147483648) return { hint: 'Value exceeds integer range.' };
  return { value };
}

export function parseReal(text: string, unit: string | null): Parsed {
  const infinite = /^\s*([+-]?)inf(?:inity)?\s*$/i.exec(text);
  if (infinite !== null) return { value: infinite[1] === '-' ? -Infinity : Infinity };
  const parsed = parseNumber(text, unit, false);
  // As strtod has it: what is too small to be told from zero is out of range.
  return parsed.value === 0 && /^[^eE]*[1-9]/.test(text) && !/0[xX]/.test(text) ? {} : parsed;
}

/** C's rint(). */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x), rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** PostgreSQL's parse_bool: any unambiguous beginning of true, false, yes, no, on, off; 1 and 0. */
export function parseBool(text: string): boolean | undefined {
  const t = text.toLowerCase();
  if (t === '') return undefined;
  if ('true'.startsWith(t) || 'yes'.startsWith(t) || t === 'on' || t === '1') return true;
  if ('false'.startsWith(t) || 'no'.startsWith(t) || t === 'off' || t === 'of' || t === '0') return false;
  return undefined;
}

/** The greatest unit in which the value is a whole number. */
export function showInteger(value: number, unit: string | null): string {
  if (unit === null || value <= 0) return String(value);
  const base = BASE_SIZE[unit]!;
  for (const [name, size] of isMemory(unit) ? MEMORY_BYTES : TIME_US) {
    if ((value * base) % size === 0) return `${(value * base) / size}${name}`;
  }
  return `${value}${unit}`;
}

export function showReal(value: number, unit: string | null): string {
  if (unit === null || value <= 0) return formatG(value);
  const base = BASE_SIZE[unit]!;
  for (const [name, size] of isMemory(unit) ? MEMORY_BYTES : TIME_US) {
    const converted = (value * base) / size;
    if (Math.abs(Math.round(converted) - converted) <= Math.round(converted) * 1e-8 && Math.round(converted) > 0) {
      return `${formatG(converted)}${name}`;
    }
  }
  return `${formatG(value)}${unit}`;
}

/** C's %g: six digits, without trailing zeros. */
export function formatG(value: number): string {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return String(value);
  const exponent = Number(value.toExponential(5).split('e')[1]);
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [digits, power] = value.toExponential(5).split('e') as [string, string];
  const sign = power.startsWith('-') ? '-' : '+';
  return `${digits.replace(/\.?0+$/, '')}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
}

/** Splits a list of identifiers as PostgreSQL's SplitIdentifierString: folded unless quoted. Null: not a list. */
export function splitIdentifierList(text: string): string[] | null {
  return splitList(text, true);
}

/** The same without folding, for file names. */
export function splitList(text: string, fold = false): string[] | null {
  const names: string[] = [];
  const pattern = fold ? /\s*(?:"((?:[^"]|"")*)"|([^\s,"]+))\s*(,|$)/y : /\s*(?:"((?:[^"]|"")*)"|([^,"]+?))\s*(,|$)/y;
  if (text.trim() === '') return names;
  for (;;) {
    const m = pattern.exec(text);
    if (!m) return null;
    names.push(m[1] !== undefined ? m[1].replaceAll('""', '"') : fold ? m[2]!.toLowerCase() : m[2]!);
    if (m[3] === '') return pattern.lastIndex === text.length ? names : null;
  }
}

/** PostgreSQL's flatten_set_variable_args: the values of SET name = a, b, ... as one text. */
export function flattenValues(name: string, values: readonly (string | number)[], listInput: boolean, listQuote: boolean): string {
  if (values.length > 1 && !listInput) {
    throw new PgError('invalid_parameter_value', `SET ${name} takes only one argument`);
  }
  return values.map((v) => (listQuote && typeof v === 'string' ? quoteIdentifier(v) : v)).join(', ');
}

function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
