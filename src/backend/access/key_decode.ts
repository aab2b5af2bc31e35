// Index keys back to values, for index-only scans: of the types whose encoding (key.ts) loses nothing.
import type { IndexColumn } from '../catalog/relation.ts';
import { icuCollator, isNondeterministic } from '../types/collation.ts';
import { PATTERN_OPCLASSES } from './key.ts';
import { int8, type Datum, type Oid } from '../types/datum.ts';

/** Reads the value that starts at `state.at` and moves on; `flip` is 255 where the column is descending. */
type Decoder = (state: KeyState, flip: number) => Datum;
interface KeyState { key: string; at: number }

const integer: Decoder = (state, flip) => {
  const { key } = state;
  const head = key.charCodeAt(state.at) ^ flip;
  const negative = head < 0x80;
  const count = negative ? 0x7f - head : head - 0x80;
  const inverted = flip ^ (negative ? 255 : 0);
  const start = state.at + 1, end = (state.at = start + count);
  if (count > 6) return wideInteger(key, start, end, inverted, negative);
  let m = 0;
  for (let i = start; i < end; i++) m = m * 256 + (key.charCodeAt(i) ^ inverted);
  return negative ? -m - 1 : m;
};

function wideInteger(key: string, start: number, end: number, inverted: number, negative: boolean): Datum {
  let m = 0n;
  for (let i = start; i < end; i++) m = (m << 8n) | BigInt(key.charCodeAt(i) ^ inverted);
  return int8(negative ? -m - 1n : m);
}

const text: Decoder = (state, flip) => {
  const { key } = state, start = state.at + 1;
  const end = key.indexOf(flip === 0 ? '\0' : '\xff', start);
  state.at = end + 1;
  let value = key.slice(start, end), ascii = true;
  if (flip !== 0) value = invert(value);
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 127) ascii = false;
  return ascii ? value : Buffer.from(value, 'latin1').toString('utf8');
};

/** Behind its sort key. */
const collatedText: Decoder = (state, flip) => {
  state.at = state.key.indexOf(flip === 0 ? '\0' : '\xff', state.at + 1) + 1;
  return text(state, flip);
};

function invert(value: string): string {
  let out = '';
  for (let i = 0; i < value.length; i++) out += String.fromCharCode(value.charCodeAt(i) ^ 255);
  return out;
}

const bool: Decoder = (state, flip) => (state.key.charCodeAt(state.at++) ^ flip) === 2;

/** By type: bool, name, int8, int2, int4, text, oid, varchar, date, timestamp, timestamptz. */
const DECODERS: Readonly<Record<Oid, Decoder>> = {
  16: bool, 19: text, 20: integer, 21: integer, 23: integer, 25: text, 26: integer, 1043: text, 1082: integer, 1114: integer, 1184: integer,
};
/** Their own operator classes of btree and hash, and those of patterns: others may encode in another way. */
const OPCLASSES = new Set([1978, 1979, 1981, 3122, 3124, 3126, 3127, 3128, 4217, 4218, 10003, 10011, 10019, 10020, 10021, 10028, 10031, 10037, 10044, 10045, 10046]);

const isCollated = (column: IndexColumn): boolean => DECODERS[column.typeOid] === text && !PATTERN_OPCLASSES.has(column.opclass) && icuCollator(column.collation) !== null;

/** Whether the value of a column, of a type, comes back from keys. */
export function isDecodable(column: IndexColumn, type: Oid): boolean {
  if (isCollated(column) && isNondeterministic(column.collation)) return false;
  return DECODERS[type] !== undefined && column.typeOid === type && OPCLASSES.has(column.opclass);
}

/** Values by key column of an index whose columns up to `count` can all be decoded. */
export function keyDecoder(columns: readonly IndexColumn[], count: number): (key: string) => Datum[] {
  const parts = columns.slice(0, count).map((c) => ({ decode: isCollated(c) ? collatedText : DECODERS[c.typeOid]!, flip: c.descending ? 255 : 0, nullMark: c.nullsFirst ? 0 : 255 }));
  const state: KeyState = { key: '', at: 0 };
  return (key) => {
    state.key = key;
    state.at = 0;
    const values: Datum[] = new Array(parts.length);
    for (let i = 0; i < parts.length; i++) {
      const { decode, flip, nullMark } = parts[i]!;
      if (key.charCodeAt(state.at) === nullMark) {
        values[i] = null;
        state.at++;
      } else {
        values[i] = decode(state, flip);
      }
    }
    return values;
  };
}
