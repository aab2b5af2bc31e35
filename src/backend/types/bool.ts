// boolean.
import { registerBuiltins } from './fmgr.ts';
import { invalidInput } from './errors.ts';
import { receiveAll } from './wire.ts';

const WORDS = ['true', 'false', 'yes', 'no', 'on', 'off'];

/** parse_bool: unique prefixes of true, false, yes, no, of on and off (two letters at least), 1 and 0. */
function parseBool(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (word === '') return undefined;
  if (word === '1') return true;
  if (word === '0') return false;
  if (word === 'o') return undefined;
  const found = WORDS.findIndex((candidate) => candidate.startsWith(word));
  return found < 0 ? undefined : found % 2 === 0;
}

function boolIn(text: string): boolean {
  const value = parseBool(text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, ''));
  if (value === undefined) throw invalidInput('boolean', text);
  return value;
}

const compare = (a: boolean, b: boolean): number => Number(a) - Number(b);

/** State of bool_and and bool_or as moving aggregates. */
interface BoolAggregate { count: number; trues: number }

function boolAccum(state: BoolAggregate | null, value: boolean | null, step: number): BoolAggregate {
  state ??= { count: 0, trues: 0 };
  if (value !== null) {
    state.count += step;
    if (value) state.trues += step;
  }
  return state;
}

registerBuiltins({
  pure: {
    boolin: boolIn,
    boolout: (value: boolean) => (value ? 't' : 'f'),
    boolrecv: (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.uint8() !== 0),
    boolsend: (value: boolean) => Uint8Array.of(value ? 1 : 0),
    booltext: (value: boolean) => (value ? 'true' : 'false'),
    bool_int4: (value: boolean) => (value ? 1 : 0),
    int4_bool: (value: number) => value !== 0,
    booleq: (a: boolean, b: boolean) => a === b,
    boolne: (a: boolean, b: boolean) => a !== b,
    boollt: (a: boolean, b: boolean) => !a && b,
    boolgt: (a: boolean, b: boolean) => a && !b,
    boolle: (a: boolean, b: boolean) => !a || b,
    boolge: (a: boolean, b: boolean) => a || !b,
    btboolcmp: compare,
    booland_statefunc: (a: boolean, b: boolean) => a && b,
    boolor_statefunc: (a: boolean, b: boolean) => a || b,
    bool_accum: (state: BoolAggregate | null, value: boolean | null) => boolAccum(state, value, 1),
    bool_accum_inv: (state: BoolAggregate | null, value: boolean | null) => boolAccum(state, value, -1),
    bool_alltrue: (state: BoolAggregate | null) =>
      state === null || state.count === 0 ? null : state.trues === state.count,
    bool_anytrue: (state: BoolAggregate | null) => (state === null || state.count === 0 ? null : state.trues > 0),
  },
});
