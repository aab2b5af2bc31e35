// What every statement begins and ends with: its time, its time limit, its line in the log and in pg_stat_activity.
import { performance } from 'node:perf_hooks';
import { client } from '../transaction/client.ts';
import { reportActivity } from '../utils/backend_status.ts';
import { logDuration, logStatement as writeToLog } from '../utils/elog.ts';
import { noteStatement, startStatementTimeout, stopStatementTimeout } from '../utils/interrupts.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';

const UNIX_EPOCH_TO_2000_MS = 946684800000;
/** BACKEND_STATES of utils/backend_status.ts. */
const IDLE = 1, ACTIVE = 2, IDLE_IN_TRANSACTION = 3, IDLE_ABORTED = 5;

/** Milliseconds from 2000-01-01 UTC to the zero of the steady clock. */
let originMs = performance.timeOrigin - UNIX_EPOCH_TO_2000_MS;

/** Microseconds since 2000-01-01 UTC: the steady clock's, which has the digits, as long as it agrees with the wall's,
 * which somebody may set. */
export function currentTimestamp(): number {
  const steadyMs = performance.now(), wallMs = Date.now() - UNIX_EPOCH_TO_2000_MS;
  if (Math.abs(originMs + steadyMs - wallMs) > CLOCKS_DIFFER_MS) originMs = wallMs - steadyMs;
  return Math.round((originMs + steadyMs) * 1000);
}
const CLOCKS_DIFFER_MS = 5;

/** A message that runs or prepares a statement has come. */
export function statementStarts(): void {
  session.statementStart = currentTimestamp();
  noteStatement();
  startStatementTimeout();
}

/** The text that is about to run. */
export function logStatement(text: string): void {
  reportActivity(ACTIVE, text);
  writeToLog(text);
}

export function statementEnds(): void {
  client.endStatement();
  stopStatementTimeout();
  if (settings.log_duration || settings.log_min_duration_statement >= 0) logDuration((currentTimestamp() - session.statementStart) / 1000);
}

/** The backend waits for its frontend. */
export function reportIdle(status: 'I' | 'T' | 'E'): void {
  reportActivity(status === 'I' ? IDLE : status === 'T' ? IDLE_IN_TRANSACTION : IDLE_ABORTED);
}
