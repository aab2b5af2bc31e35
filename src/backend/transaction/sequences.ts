// How a sequence advances: nextval_internal of PostgreSQL's commands/sequence.c, as a function over plain state.
// The manager runs it for committed sequences; a backend runs it on its own write set for a sequence that its
// transaction has just made.
//
// The stored row is written ahead: it says the value up to which numbers may have been handed out, so that none is
// handed out twice after a crash (they are skipped instead, as in PostgreSQL). What the row would say without that is
// the live state, `SequenceState`, which only the manager knows.
import { int8, type Int8 } from '../types/datum.ts';
import type { SequenceParameters, SequenceState } from './messages.ts';

/** Values written ahead of need: SEQ_LOG_VALS. */
const LOG_VALUES = 32;

/** With bigints inside: the range of int8 is needed near both ends. */
export interface LiveSequence {
  lastValue: bigint;
  logCount: number;
  isCalled: boolean;
}

export type Advance =
  /** `logged`: what has to be durable before the values are handed out; null: it is already. */
  | { kind: 'values'; first: bigint; last: bigint; count: number; logged: LiveSequence | null }
  | { kind: 'exhausted'; limit: bigint; ascending: boolean };

/** Takes up to `count` values and changes `state`; fewer when the limit comes before. */
export function advanceSequence(state: LiveSequence, parameters: SequenceParameters, count: number): Advance {
  const increment = BigInt(parameters.increment), max = BigInt(parameters.max), min = BigInt(parameters.min);
  const ascending = increment > 0n;
  let result = state.lastValue, next = result, last = result;
  let fetch = count, log = state.logCount, taken = 0, logIt = false;
  if (!state.isCalled) {
    taken = 1; // last_value itself is the first result
    fetch--;
  }
  if (log < fetch || !state.isCalled) {
    fetch = log = fetch + LOG_VALUES;
    logIt = true;
  }
  let wrapped = false;
  while (fetch > 0) {
    const stepped = next + increment;
    if (ascending ? stepped > max : stepped < min) {
      if (taken > 0) break; // hand out what there is
      if (!parameters.cycle) return { kind: 'exhausted', limit: ascending ? max : min, ascending };
      next = ascending ? min : max;
      wrapped = true;
    } else {
      next = stepped;
    }
    fetch--;
    if (taken < count) {
      log--;
      taken++;
      last = next;
      if (taken === 1) result = next;
    }
    // A cached run does not cross the limit, and the steps written ahead need not be walked one by one.
    if (taken >= count && fetch > 0) {
      const room = ascending ? (max - next) / increment : (next - min) / -increment;
      const steps = room < BigInt(fetch) ? Number(room) : fetch;
      next += increment * BigInt(steps);
      fetch -= steps;
      break;
    }
  }
  log -= fetch; // values that could not be written ahead
  const logged = logIt || wrapped ? { lastValue: next, logCount: 0, isCalled: true } : null;
  state.lastValue = last;
  state.logCount = Math.max(0, log);
  state.isCalled = true;
  return { kind: 'values', first: result, last, count: taken, logged };
}

export const liveSequence = (state: SequenceState): LiveSequence =>
  ({ lastValue: BigInt(state.lastValue), logCount: state.logCount, isCalled: state.isCalled });
export const sequenceState = (live: LiveSequence): SequenceState =>
  ({ lastValue: int8(live.lastValue), logCount: live.logCount, isCalled: live.isCalled });

// The row in block 0, slot 0 (access/row.ts): three fixed columns int8, int8, bool after a six-byte header and one
// byte of null bitmap.
const LAST_VALUE = 7, LOG_COUNT = 15, IS_CALLED = 23;
export const SEQUENCE_ROW_BYTES = 24;

export function readSequenceRow(bytes: Buffer, rowOffset: number): LiveSequence {
  return {
    lastValue: bytes.readBigInt64LE(rowOffset + LAST_VALUE),
    logCount: Number(bytes.readBigInt64LE(rowOffset + LOG_COUNT)),
    isCalled: bytes[rowOffset + IS_CALLED] !== 0,
  };
}
export function writeSequenceRow(bytes: Buffer, rowOffset: number, state: LiveSequence): void {
  bytes.writeBigInt64LE(state.lastValue, rowOffset + LAST_VALUE);
  bytes.writeBigInt64LE(BigInt(state.logCount), rowOffset + LOG_COUNT);
  bytes[rowOffset + IS_CALLED] = state.isCalled ? 1 : 0;
}

/** A value as the messages carry it. */
export const toInt8 = (value: bigint): Int8 => int8(value);
