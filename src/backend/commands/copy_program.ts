// COPY FROM and TO PROGRAM: a command of the server's shell at the other end of a pipe. Who may do that is copy.ts's business.
import { closeSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { PgError } from '../../common/errors.ts';
import { strerror } from '../../common/strerror.ts';
import { port } from '../../port/port.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { ByteSource } from './copy_parse.ts';

export interface Program {
  readonly command: string;
  readonly fd: number;
  readonly pid: number;
  readonly reading: boolean;
  /** All that it wrote has been read. */
  atEnd: boolean;
  /** It does not read what we write: why, its end may say. */
  broken: boolean;
}

const CHUNK_BYTES = 65536;
/** The signals as signal.h knows them, in the C library's words. */
const SIGNAL_TEXTS: Readonly<Record<number, string>> = {
  1: 'Hangup', 2: 'Interrupt', 3: 'Quit', 4: 'Illegal instruction', 6: 'Aborted', 8: 'Floating point exception', 9: 'Killed', 11: 'Segmentation fault',
  13: 'Broken pipe', 14: 'Alarm clock', 15: 'Terminated', 24: 'CPU time limit exceeded', 25: 'File size limit exceeded',
};
const SIGPIPE = constants.signals.SIGPIPE;

export function openProgram(command: string, reading: boolean): Program {
  const opened = port.openProgram(command, reading);
  if (typeof opened === 'number') throw new PgError('system_error', `could not execute command "${command}": error ${-opened}`);
  return { command, fd: opened[0], pid: opened[1], reading, atEnd: false, broken: false };
}

/** Runs `work`, closes the pipe and waits for the program. Its failure is an error unless there is one already. */
export function whileOpen<T>(program: Program, work: () => T): T {
  let succeeded = false;
  try {
    const result = work();
    succeeded = true;
    return result;
  } finally {
    closeSync(program.fd);
    const status = port.waitFor(program.pid);
    if (succeeded || program.broken) checkStatus(program, status);
  }
}

/** PostgreSQL's ClosePipeToProgram: a program that had more to say than we wanted to hear may die of that. */
function checkStatus(program: Program, status: number): void {
  // A shell says of its command's signal by its own exit code.
  const isBrokenPipe = (status & 0x7f) === SIGPIPE || status >> 8 === 128 + SIGPIPE;
  if (status === 0 || (program.reading && !program.atEnd && isBrokenPipe)) return;
  throw new PgError('external_routine_exception', `program "${program.command}" failed`, { detail: waitResult(status) });
}

/** PostgreSQL's wait_result_to_str. */
function waitResult(status: number): string {
  const signal = status & 0x7f, code = (status >> 8) & 0xff;
  if (signal !== 0) return `child process was terminated by signal ${signal}: ${SIGNAL_TEXTS[signal] ?? `Unknown signal ${signal}`}`;
  return code === 126 ? 'command not executable' : code === 127 ? 'command not found' : `child process exited with exit code ${code}`;
}

/** Again and again while signals come in between that mean nothing to us. */
function uninterrupted<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if ((error as { code?: string }).code !== 'EINTR') throw error;
      checkForInterrupts();
    }
  }
}

export function programSource(program: Program): ByteSource {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const next = (): Buffer | null => {
    try {
      const n = uninterrupted(() => readSync(program.fd, chunk, 0, chunk.length, null));
      program.atEnd = n === 0;
      return n === 0 ? null : chunk.subarray(0, n);
    } catch (error) {
      if (error instanceof PgError) throw error;
      throw new PgError('io_error', `could not read from COPY program: ${strerror(error)}`);
    }
  };
  return { next, take: (_into, at) => at };
}

/** How many bytes it took. */
export function writeToProgram(program: Program, bytes: Buffer): number {
  try {
    return uninterrupted(() => writeSync(program.fd, bytes));
  } catch (error) {
    if (error instanceof PgError) throw error;
    program.broken = (error as { code?: string }).code === 'EPIPE';
    throw new PgError(program.broken ? 'internal_error' : 'io_error', `could not write to COPY program: ${strerror(error)}`);
  }
}
