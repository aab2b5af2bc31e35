// Where psql writes: standard output (gathered, and flushed before anything else is said or run), files, pipes; messages in the
// manner of pg_log.
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { strerror } from '../../common/strerror.ts';
import { pset } from './settings.ts';
import { endText, startShell } from './shell.ts';

const GATHERED_BYTES = 1 << 16;

export interface Sink {
  readonly isStdout: boolean;
  write(text: string | Buffer): void;
  flush(): void;
  /** Why what was written is not all there (the disk is full, a command does not read), told once; null: it is. */
  failure(): string | null;
  /** What is wrong with how a pipe's command ended; null: nothing. */
  close(): Promise<string | null>;
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
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Nobody reads our own output any more: the end that such a program has, which Node keeps off by ignoring the signal until somebody has listened to it. */
function endByBrokenPipe(): never {
  const listener = (): void => {};
  process.on('SIGPIPE', listener).off('SIGPIPE', listener);
  process.kill(process.pid, 'SIGPIPE');
  process.exit(128 + constants.signals.SIGPIPE);
}

/** Gathers what is written to a file descriptor. */
class DescriptorSink implements Sink {
  readonly isStdout: boolean;
  private readonly fd: number;
  private parts: Buffer[] = [];
  private bytes = 0;
  private failed: string | null = null;

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
    try {
      this.send(bytes);
    } catch (error) {
      if (this.isStdout && (error as NodeJS.ErrnoException).code === 'EPIPE') endByBrokenPipe();
      this.failed = strerror(error);
    }
  }

  protected send(bytes: Buffer): void { writeAll(this.fd, bytes); }

  failure(): string | null {
    this.flush();
    const { failed } = this;
    this.failed = null;
    return failed;
  }

  async close(): Promise<string | null> {
    this.flush();
    if (this.fd > 2) closeSync(this.fd);
    return null;
  }
}

/** A shell command, fed as it takes what is written. */
class PipeSink extends DescriptorSink {
  private readonly child: ChildProcess;
  private readonly ended: Promise<string | null>;

  constructor(command: string) {
    const child = startShell(command, 'in');
    // Written to without the event loop, for the one who writes has no time for it.
    super((child.stdin as unknown as { _handle: { fd: number } })._handle.fd);
    this.child = child;
    this.ended = new Promise((resolve) => { child.on('close', (status, signal) => resolve(signal === 'SIGPIPE' ? null : endText(status, signal))); });
  }

  /** Its descriptor is closed, and may be another's, when the command has been seen to end. */
  protected override send(bytes: Buffer): void {
    if (this.child.stdin!.destroyed) throw Object.assign(new Error('write'), { code: 'EPIPE', errno: -constants.errno.EPIPE, syscall: 'write' });
    super.send(bytes);
  }

  override async close(): Promise<string | null> {
    this.flush();
    stdout.flush();
    this.child.stdin!.destroy();
    return this.ended;
  }
}

export const stdout: Sink = new DescriptorSink(1);

/** \o, \g: a file name or "|command"; null: standard output. Undefined, after saying so, when it cannot be opened. */
export function openSink(name: string | null): Sink | undefined {
  if (name === null || name === '') return stdout;
  if (name.startsWith('|')) {
    stdout.flush();
    return new PipeSink(name.slice(1));
  }
  try {
    return new DescriptorSink(openSync(name, 'w', 0o666));
  } catch (error) {
    logError(`${name}: ${strerror(error)}`);
    return undefined;
  }
}

export function writeErr(text: string): void {
  stdout.flush();
  try {
    writeAll(2, toBytes(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') endByBrokenPipe();
  }
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
