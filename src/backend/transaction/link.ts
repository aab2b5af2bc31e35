// How a backend's messages reach its manager: a blocking Unix socket. Paths are relative to the site's folder, which
// is the working folder of every process of a site.
import { closeSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { PgError, internalError } from '../../common/errors.ts';
import { POSTMASTER_PID, POSTMASTER_SOCKET, managerSocket } from '../../common/site.ts';
import { EAGAIN, EINTR, POLLHUP, POLLIN, SIGUSR2, port } from '../../port/port.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { ByteWriter, Spill } from './bytes.ts';
import type { ServerMessage } from './messages.ts';
import { LOCK_MEMORY_BYTES, isLockMemory } from './lock_memory.ts';
import { FRAME_HEADER_BYTES, LARGE_COMMIT_BYTES, readServerMessage, writeCommitFile } from './wire.ts';

/** The manager's end of the connection is gone. */
export class ManagerLost extends Error {
  constructor() {
    super('the connection to the transaction manager was lost');
  }
}

/** The manager's end when it is in this process. It speaks in frames as over a socket, so that a backend that was rehearsed
 * with it knows the link it gets. All may throw ManagerLost. */
export interface LocalEnd {
  take(out: ByteWriter): void;
  /** The next frame; null: there is none. */
  give(): Buffer | null;
  isAlive(): boolean;
  readonly lockWords: Int32Array;
  close(): void;
}

/** How long to wait for a manager to appear. */
const CONNECT_LIMIT_MS = 10_000;
const ENOENT = 2;

const pollFds = new Int32Array(1), pollEvents = new Int16Array([POLLIN]), pollReady = new Int16Array(1);
let fileNumber = 0;

/** A backend's connection to its manager. */
export class ManagerLink {
  readonly fd: number;
  /** See ByteWriter. */
  readonly makeSpill: (() => Spill) | null;
  private readonly local: LocalEnd | null;
  private bytes = Buffer.allocUnsafeSlow(4096);
  private from = 0;
  private to = 0;
  /** The last large commit: should the manager die before it has read it, nobody else will. */
  private commitFile: string | null = null;

  constructor(fd: number, local: LocalEnd | null = null) {
    this.fd = fd;
    this.local = local;
    this.makeSpill = local === null ? makeCommitFile : null;
  }

  /** Connects; has the postmaster fork the manager when there is none. `patient`: interrupts do not end the attempt. */
  static open(database: number, patient: boolean): ManagerLink {
    const path = managerSocket(database);
    const until = performance.now() + CONNECT_LIMIT_MS;
    for (let pauseMs = 1; ; pauseMs = pauseMs === 32 ? 1 : pauseMs * 2) {
      const fd = port.connectUnix(path);
      if (fd >= 0) {
        port.setBlocking(fd, true);
        return new ManagerLink(fd);
      }
      if (performance.now() > until) throw new PgError('cannot_connect_now', 'could not reach the transaction manager of this database');
      if (pauseMs === 1) askPostmaster(database);
      port.poll(pollFds, pollEvents, pollReady, 0, pauseMs);
      if (!patient) checkForInterrupts();
    }
  }

  /** Sends the frames in `out`. Throws ManagerLost. */
  send(out: ByteWriter): void {
    if (this.local !== null) {
      this.local.take(out);
      return;
    }
    if (out.position > LARGE_COMMIT_BYTES) {
      const file = out.spill instanceof CommitFile ? out.spill : new CommitFile();
      this.commitFile = file.name;
      file.write(out.bytes, out.length);
      file.close();
      out.clear();
      writeCommitFile(out, file.name);
    }
    for (let sent = 0; sent < out.length;) {
      const count = port.send(this.fd, out.bytes, sent, out.length - sent);
      if (count > 0) sent += count;
      else if (count !== -EINTR) {
        // An answer may have come before the end; but none to a message that did not get through.
        throw new ManagerLost();
      }
    }
  }

  /** Waits for the next message; `interrupted` is called when a signal came meanwhile. Throws ManagerLost. */
  receive(interrupted: () => void): ServerMessage {
    for (;;) {
      const message = this.buffered();
      if (message !== null) return message;
      if (this.local !== null) {
        if (!this.takeFrame()) throw internalError('a lock is waited for that nobody is there to free');
        continue;
      }
      const count = port.recv(this.fd, this.bytes, this.to, this.bytes.length - this.to, true);
      if (count > 0) this.to += count;
      else if (count === -EINTR || count === -EAGAIN) interrupted();
      else throw new ManagerLost();
    }
  }

  /** The next message if it has come. Throws ManagerLost. */
  poll(): ServerMessage | null {
    for (;;) {
      const message = this.buffered();
      if (message !== null) return message;
      if (this.local !== null) {
        if (!this.takeFrame()) return null;
        continue;
      }
      pollFds[0] = this.fd;
      if (port.poll(pollFds, pollEvents, pollReady, 1, 0) <= 0) return null;
      const count = port.recv(this.fd, this.bytes, this.to, this.bytes.length - this.to, false);
      if (count > 0) this.to += count;
      else if (count !== -EINTR && count !== -EAGAIN) throw new ManagerLost();
    }
  }

  /** What the manager in this process has to say, into the buffer. */
  private takeFrame(): boolean {
    const frame = this.local!.give();
    if (frame === null) return false;
    if (this.to + frame.length > this.bytes.length) this.bytes = Buffer.concat([this.bytes.subarray(0, this.to), frame], 2 * (this.to + frame.length));
    else frame.copy(this.bytes, this.to);
    this.to += frame.length;
    return true;
  }

  /** The next whole message in the buffer; otherwise makes room for it. */
  private buffered(): ServerMessage | null {
    const available = this.to - this.from;
    const length = available >= FRAME_HEADER_BYTES ? this.bytes.readUInt32LE(this.from) : 0;
    if (length > 0 && available >= FRAME_HEADER_BYTES + length) {
      const start = this.from + FRAME_HEADER_BYTES;
      this.from = start + length;
      return readServerMessage(this.bytes, start, this.from);
    }
    this.bytes.copyWithin(0, this.from, this.to);
    this.to = available;
    this.from = 0;
    if (FRAME_HEADER_BYTES + length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + length);
      this.bytes.copy(larger, 0, 0, this.to);
      this.bytes = larger;
    }
    return null;
  }

  /** Whether the manager is still there: asked without a message. */
  isAlive(): boolean {
    if (this.local !== null) return this.local.isAlive();
    pollFds[0] = this.fd;
    // Notifications may be waiting to be read; after its end there is POLLHUP.
    return port.poll(pollFds, pollEvents, pollReady, 1, 0) <= 0 || (pollReady[0]! & POLLHUP) === 0;
  }

  /** What backends lock in by themselves, if it is the memory that this manager has made. */
  lockMemory(path: string, nonce: number): Int32Array | null {
    if (this.local !== null) return this.local.lockWords;
    let file: number;
    try {
      file = openSync(path, 'r+');
    } catch {
      return null; // its manager is gone, and the next message will tell; or it shares none
    }
    const memory = port.mapShared(file, LOCK_MEMORY_BYTES);
    closeSync(file);
    if (typeof memory === 'number') return null;
    const words = new Int32Array(memory);
    return isLockMemory(words, nonce) ? words : null;
  }

  /** In a fork of the process whose connection it is. */
  abandon(): void {
    if (this.local === null) port.close(this.fd);
  }

  close(): void {
    if (this.local !== null) {
      this.local.close();
      return;
    }
    if (this.commitFile !== null) removeFile(this.commitFile);
    port.close(this.fd);
  }
}

/** "manager <oid>\n" -> "ok\n". A postmaster that does not answer now may do so at the next attempt. */
const askPostmaster = (database: number): void => tellPostmaster(`manager ${database}\n`, 2000);

/** Has the manager of a database that has been dropped end; returns when it has. */
export const retireManager = (database: number): void => tellPostmaster(`retire ${database}\n`, 10_000);

function tellPostmaster(request: string, limitMs: number): void {
  const fd = port.connectUnix(POSTMASTER_SOCKET);
  if (fd < 0) {
    if (fd === -ENOENT && parentIsPostmaster()) port.kill(port.getppid(), SIGUSR2); // it listens again
    return;
  }
  port.setBlocking(fd, true);
  const question = Buffer.from(request), answer = Buffer.alloc(64);
  if (port.send(fd, question, 0, question.length) === question.length) {
    pollFds[0] = fd;
    if (port.poll(pollFds, pollEvents, pollReady, 1, limitMs) > 0) port.recv(fd, answer, 0, answer.length, false);
  }
  port.close(fd);
}

/** Not in a rehearsal, which has no such file. */
function parentIsPostmaster(): boolean {
  try {
    return readFileSync(POSTMASTER_PID, 'latin1').startsWith(`${port.getppid()}\n`);
  } catch {
    return false;
  }
}

/** A file for a large commit; the manager removes it. */
export class CommitFile implements Spill {
  readonly name: string;
  private fd: number;
  private length = 0;

  constructor() {
    this.name = `tmp/commit.${port.getpid()}.${++fileNumber}`;
    try {
      this.fd = openSync(this.name, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error);
      mkdirSync('tmp', { mode: 0o700 });
      this.fd = openSync(this.name, 'wx', 0o600);
    }
  }

  write(bytes: Buffer, lengthBytes: number): void {
    this.put(bytes, lengthBytes, this.length);
    this.length += lengthBytes;
  }
  patchU16(at: number, value: number): void {
    patch.writeUInt16LE(value);
    this.put(patch, 2, at);
  }
  patchU32(at: number, value: number): void {
    patch.writeUInt32LE(value);
    this.put(patch, 4, at);
  }

  private put(bytes: Buffer, lengthBytes: number, at: number): void {
    try {
      for (let done = 0; done < lengthBytes;) done += writeSync(this.fd, bytes, done, Math.min(lengthBytes - done, 1 << 26), at + done);
    } catch (error) {
      this.remove();
      throw diskError(error);
    }
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
  /** The commit does not come about. */
  remove(): void {
    this.close();
    removeFile(this.name);
  }
}
const patch = Buffer.alloc(4);
const makeCommitFile = (): CommitFile => new CommitFile();

function removeFile(name: string): void {
  try {
    unlinkSync(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function diskError(error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new PgError('disk_full', 'could not write to temporary file: No space left on device');
  return internalError(`could not write to a temporary file: ${message}`);
}
