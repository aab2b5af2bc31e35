// Commands of the shell: run to their end (system), or fed while they run (popen).
import type { ChildProcess, SpawnSyncOptionsWithStringEncoding, SpawnSyncReturns } from 'node:child_process';
import { constants } from 'node:os';
import { childProcess } from '../prompt.ts';

/** Runs a command to its end; its input, output and errors are psql's own where `options` say nothing else. */
export const runShell = (command: string, options: Omit<Partial<SpawnSyncOptionsWithStringEncoding>, 'encoding'> = {}): SpawnSyncReturns<string> =>
  childProcess().spawnSync('/bin/sh', ['-c', command], { argv0: 'sh', stdio: 'inherit', ...options, encoding: 'utf8' });

/** Starts a command with a pipe to its standard input ('in') or from its standard output ('out'). */
export const startShell = (command: string, end: 'in' | 'out'): ChildProcess =>
  childProcess().spawn('/bin/sh', ['-c', command], { argv0: 'sh', stdio: end === 'in' ? ['pipe', 'inherit', 'inherit'] : ['inherit', 'pipe', 'inherit'] });

/** What is wrong with how a command ended (wait_result_to_str); null: nothing. A shell says 128 and the signal for its last command's. */
export function endText(status: number | null, signal: NodeJS.Signals | null): string | null {
  if (signal !== null) return `child process was terminated by signal ${constants.signals[signal]}: ${SIGNALS[signal] ?? signal}`;
  if (status === 127) return 'command not found';
  if (status === 126) return 'command not executable';
  return status === 0 ? null : `child process exited with exit code ${status}`;
}

/** strsignal's words for what ends commands. */
const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'Hangup', SIGINT: 'Interrupt', SIGQUIT: 'Quit', SIGABRT: 'Aborted', SIGKILL: 'Killed', SIGSEGV: 'Segmentation fault', SIGPIPE: 'Broken pipe', SIGTERM: 'Terminated',
};
