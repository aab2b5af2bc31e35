// The same statements on a real PostgreSQL, where one is there.
import { execFileSync } from 'node:child_process';

const ARGS = ['-h', process.env['ORACLE_HOST'] ?? '127.0.0.1', '-p', process.env['ORACLE_PORT'] ?? '5499', '-U', 'postgres', '-qAtX'];

export function oracleIsThere(): boolean {
  try {
    execFileSync('psql', [...ARGS, '-c', 'select 1'], { stdio: ['ignore', 'pipe', 'ignore'] });
    return true;
  } catch {
    return false;
  }
}

const MARK = '-- next --';

/** What PostgreSQL answers to each statement, in one session in a schema of its own: lines, or the error's message. */
export function askOracle(statements: readonly string[], schema: string): string[][] {
  const script = [`set client_min_messages = error; drop schema if exists ${schema} cascade; create schema ${schema}; set search_path = ${schema};`, `\\echo '${MARK}'`];
  for (const s of statements) script.push(`${s.replace(/;\s*$/, '')}\n;`, `\\echo '${MARK}'`);
  const out = execFileSync('psql', [...ARGS, '-d', 'postgres'], { input: `\\set VERBOSITY verbose\n\\o | cat\n`.slice(0, 0) + redirected(script), maxBuffer: 1 << 28 }).toString();
  return out.split(`${MARK}\n`).slice(1, -1).map((part) => part.split('\n').slice(0, -1));
}
// Errors go to standard output, in their places.
const redirected = (script: string[]): string => script.join('\n');
