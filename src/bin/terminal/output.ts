// Where psql writes: standard output (gathered, and flushed before anything else is said or run), files, pipes; messages in the
// manner of pg_log.
import { closeSync, openSync, writeSync } from 'node:fs';
import { childProcess } from '../prompt.ts';
import { strerror } from '../../common/strerror.ts';
import { pset } from './settings.ts';

const GATHERED_BYTES = 1 << 16;

export interface Sink {
  readonly isStdout: boolean;
  write(text: string | Buffer): void;
  flush(): void;
  /** The exit status of a pipe's command; 0 otherwise. */
  close(): number;
}

/** In the client's encoding; what that has no character for (a word of ours, or of a server in another language) in UTF-8. */
export function toBytes(text: string): Buffer {
  try {
    return pset.encoding.encode(text);
  } catch {
    return Buffer.from(text);
  }
}

/** All of it, also to a pipe that is full. */
function writeAll(fd: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

class FileSink implements Sink {
  readonly isStdout: boolean;
  private readonly fd: number;
  private parts: Buffer[] = [];
  private bytes = 0;

  constructor(fd: number) {
    this.fd = fd;
    this.isStdout = fd === 1;
  }

  write(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? toBytes(text) : text;
    this.parts.push(bytes);
    this.bytes += bytes.length;
    if (this.bytes > GATHERED_BYTES) this.flush();
  }

  flush(): void {
    if (this.bytes === 0) return;
    const bytes = Buffer.concat(this.parts);
    this.parts = [];
    this.bytes = 0;
    writeAll(this.fd, bytes);
  }

  close(): number {
    this.flush();
    if (this.fd > 2) closeSync(this.fd);
    return 0;
  }
}

/** A shell command gets all of it when it is complete. */
class PipeSink implements Sink {
  readonly isStdout = false;
  private readonly command: string;
  private readonly parts: Buffer[] = [];

  constructor(command: string) {
    this.command = command;
  }

  write(text: string | Buffer): void {
    this.parts.push(typeof text === 'string' ? toBytes(text) : text);
  }

  flush(): void { /* at the end */ }

  close(): number {
    stdout.flush();
    const { status } = childProcess().spawnSync('/bin/sh', ['-c', this.command], { input: Buffer.concat(this.parts), stdio: ['pipe', 'inherit', 'inherit'] });
    return status ?? 1;
  }
}

export const stdout: Sink = new FileSink(1);

/** \o, \g: a file name or "|command"; null: standard output. Undefined, after saying so, when it cannot be opened. */
export function openSink(name: string | null): Sink | undefined {
  if (name === null || name === '') return stdout;
  if (name.startsWith('|')) return new PipeSink(name.slice(1));
  try {
    return new FileSink(openSync(name, 'w', 0o666));
  } catch (error) {
    logError(`${name}: ${strerror(error)}`);
    return undefined;
  }
}

export function writeErr(text: string): void {
  stdout.flush();
  writeAll(2, toBytes(text));
}

/** pg_log: with the place in the script, or who says it. */
function log(kind: '' | 'error: ' | 'warning: ' | 'hint: ', message: string): void {
  if (pset.out !== null) pset.out.flush();
  let head = '';
  if (pset.inputFile !== null) head = `psql:${pset.inputFile}:${pset.lineNumber > 0 ? `${pset.lineNumber}:` : ''} `;
  else if (!pset.terse) head = 'psql: ';
  if (!pset.terse || pset.inputFile !== null) head += kind;
  writeErr(`${head}${message.replace(/\n$/, '')}\n`);
}

export const logError = (message: string): void => log('error: ', message);
export const logWarning = (message: string): void => log('warning: ', message);
export const logHint = (message: string): void => log('hint: ', message);
export const logInfo = (message: string): void => log('', message);
