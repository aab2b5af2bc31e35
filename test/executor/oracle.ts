// The same statements on a real PostgreSQL, where one is there.
import { execFileSync } from 'node:child_process';
import { oracle } from '../support/oracle.ts';

export const oracleIsThere = (): boolean => oracle !== undefined;

const MARK = '-- next --';

/** What PostgreSQL answers to each statement, in one session in a schema of its own: lines, or the error's message. */
export function askOracle(statements: readonly string[], schema: string): string[][] {
  const script = [`set client_min_messages = error; drop schema if exists ${schema} cascade; create schema ${schema}; set search_path = ${schema};`, `\\echo '${MARK}'`];
  for (const s of statements) script.push(`${s.replace(/;\s*$/, '')}\n;`, `\\echo '${MARK}'`);
  const out = execFileSync('psql', [...oracle!.psql, '-d', 'postgres'], { input: script.join('\n'), maxBuffer: 1 << 28 }).toString();
  return out.split(`${MARK}\n`).slice(1, -1).map((part) => part.split('\n').slice(0, -1));
}
