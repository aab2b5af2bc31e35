// What every statement begins and ends with: its time, its time limit, its line in the log.
import { log } from '../utils/elog.ts';
import { startStatementTimeout, stopStatementTimeout } from '../utils/interrupts.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';

const UNIX_EPOCH_TO_2000_MS = 946684800000;

/** Microseconds since 2000-01-01 UTC. */
export function currentTimestamp(): number {
  return Math.round((performance.timeOrigin + performance.now() - UNIX_EPOCH_TO_2000_MS) * 1000);
}

/** A message that runs or prepares a statement has come. */
export function statementStarts(): void {
  session.statementStart = currentTimestamp();
  startStatementTimeout();
}

export function statementEnds(): void {
  stopStatementTimeout();
}

const LOGGED: Record<string, RegExp | null> = {
  none: null, all: /^/, ddl: /^\s*(create|alter|drop|comment|grant|revoke|reindex|security)\b/i,
  mod: /^\s*(create|alter|drop|comment|grant|revoke|reindex|security|insert|update|delete|merge|truncate|copy)\b/i,
};

/** By log_statement; the time it took goes with it when log_duration asks for that. */
export function logStatement(text: string): void {
  const wanted = LOGGED[settings.log_statement];
  if (wanted !== null && wanted !== undefined && wanted.test(text)) log('LOG', `statement: ${text}`);
}
