// The transaction manager as a process: the only writer of one database. The postmaster forks it when a backend asks;
// it runs straight on, without an event loop: poll, read what has come, apply one batch, answer, again.
//
// Of two managers of one database the second finds the environment's folder locked and leaves (a lock in tmp/ would go with it). A manager without
// connections retires after `manager_idle_exit`; a backend that connects at that very moment finds its connection
// closed before it was welcomed, and tries again.
import { closeSync, existsSync, fstatSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { PgError, internalError } from '../../common/errors.ts';
import { managerSocket } from '../../common/site.ts';
import {
  EAGAIN, EINTR, POLLIN, POLLOUT, SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR2, port,
} from '../../port/port.ts';
import { openWritableStore } from '../storage/lmdb.ts';
import type { WritableStore } from '../storage/store.ts';
import type { Oid } from '../types/datum.ts';
import { log, logError, startLogContext } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { reloadIfAsked } from '../utils/interrupts.ts';
import { giveMemoryBack } from '../utils/memory_limit.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { ByteWriter } from './bytes.ts';
import { ManagerCore } from './core.ts';
import { LOCK_MEMORY_BYTES, privateLockMemory, type LockMemory } from './lock_memory.ts';
import './manager_settings.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, isCommit, writeServerMessage } from './wire.ts';

const BACKLOG = 1024;
const READ_BYTES = 1 << 18;
/** What one session may leave unread: notifications to somebody who is stuck. With so many there can be no others, and of one commit
 * not many more. */
const MAX_UNREAD_BYTES = 64 << 20, MAX_UNREAD_AT_ONCE_BYTES = 1 << 30;
/** Answers to one session are sent together up to so many bytes, about. */
const SEND_BYTES = 1 << 16;
/** What was dropped is removed beside commits, or when there has been none for so long. */
const QUIET_MS = 50;
/** After so many bytes of large commits, and when there has been nothing to do for so long, memory is given back. That takes a tenth
 * of a second or several, and who comes meanwhile waits: not between one statement and the next, and not for a few megabytes. */
const REST_BYTES = 16 << 20, REST_MS = 10_000;
const READER_CHECK_MS = 10_000, READER_CHECK_SOON_MS = 1000;
const FIRST_CONNECTION_MS = 2000;

/** The databases' environments below the site. */
export const environmentPath = (database: Oid): string => database === 0 ? 'global' : `base/${database}`;

/** The whole life of a manager process; the working folder is the site's. Not `durable`: of a rehearsal. */
export function managerMain(database: Oid, durable = true): never {
  port.setParentDeathSignal(SIGTERM);
  for (const signal of [SIGTERM, SIGQUIT, SIGHUP, SIGUSR2]) port.setSignal(signal, 'flag');
  for (const signal of [SIGINT, SIGPIPE, SIGALRM]) port.setSignal(signal, 'ignore');
  startLogContext('transaction manager');
  initPsStatus(`transaction manager ${environmentPath(database)}`);
  try {
    if (takeLock(database)) new Manager(openWritableStore(environmentPath(database), durable), database).run();
    port._exit(0);
  } catch (error) {
    logError(error instanceof PgError ? error : internalError(error instanceof Error ? error.stack ?? error.message : String(error)));
    port._exit(1);
  }
}

/** One manager per database, for as long as the process lives. */
function takeLock(database: Oid): boolean {
  return port.lockFile(openSync(environmentPath(database), 'r')) === 0;
}

/** Bytes that a connection has no room for yet: what comes is added behind, what has gone taken in front. */
class Unsent {
  private buffer: Buffer;
  private from = 0;
  private to: number;

  constructor(bytes: Buffer) {
    this.buffer = Buffer.from(bytes);
    this.to = bytes.length;
  }

  get length(): number { return this.to - this.from; }
  get bytes(): Buffer { return this.buffer.subarray(this.from, this.to); }

  add(bytes: Buffer): void {
    if (this.to + bytes.length > this.buffer.length) {
      const { length } = this, larger = Buffer.allocUnsafeSlow(2 * length + bytes.length);
      this.buffer.copy(larger, 0, this.from, this.to);
      this.buffer = larger;
      this.from = 0;
      this.to = length;
    }
    bytes.copy(this.buffer, this.to);
    this.to += bytes.length;
  }

  take(count: number): void { this.from += count; }
}

interface Connection {
  readonly id: number;
  readonly fd: number;
  /** A connection without a word is the watchdog's: it keeps no manager here. */
  hasSpoken: boolean;
  /** The beginning of a frame whose rest has not come. */
  partial: Buffer | null;
  partialLength: number;
  /** Answers that did not fit into the socket. */
  unsent: Unsent | null;
}

const nowMs = (): number => Math.floor(performance.timeOrigin + performance.now());

class Manager {
  private readonly core: ManagerCore;
  private readonly store: WritableStore;
  private readonly path: string;
  private listening = -1;
  /** In step with fds from place 1 on. */
  private connections: Connection[] = [];
  private readonly byId = new Map<number, Connection>();
  private nextId = 1;
  private fds = new Int32Array(64);
  private events = new Int16Array(64);
  private revents = new Int16Array(64);
  private fdsAreStale = true;
  private readonly input = Buffer.allocUnsafeSlow(READ_BYTES);
  private readonly out = new ByteWriter(READ_BYTES);
  /** At first there is time for the one who asked for us. */
  private idleSinceMs = nowMs() + FIRST_CONNECTION_MS;
  private workedMs = 0;
  private checkedReadersMs = nowMs();
  private seenSignals = port.signals[SIGUSR2]!;
  /** A backend has left, perhaps not of its own will. */
  private connectionEnded = false;
  /** Large commits that have come and are not answered: their files are gone, and mapped. */
  private large: Buffer[] = [];
  /** Their bytes since memory was given back last. */
  private largeBytes = 0;
  private readonly readFile = (name: string): Buffer => {
    const bytes = mapCommitFile(name);
    this.large.push(bytes);
    this.largeBytes += bytes.length;
    return bytes;
  };

  constructor(store: WritableStore, database: Oid) {
    this.store = store;
    this.core = new ManagerCore(store, database, makeLockMemory());
    this.path = managerSocket(database);
  }

  run(): void {
    this.listen();
    for (;;) {
      reloadIfAsked();
      if (port.signals[SIGQUIT]! > 0) port._exit(2);
      if (port.signals[SIGTERM]! > 0) break;
      this.wait();
      while (this.core.work()) {
        this.answer();
        this.workedMs = nowMs();
      }
      this.answer();
      if (this.large.length > 0) this.freeLarge();
      if (this.core.applier.hasMaintenance && nowMs() >= this.workedMs + QUIET_MS) this.core.applier.maintain();
      this.rest();
      this.checkReaders();
      if (this.retire()) return;
    }
    this.removeSocket();
    this.end();
  }

  private end(): void {
    this.core.close();
  }

  // --- Input

  private wait(): void {
    this.collectFds();
    const count = this.connections.length + 1;
    const ready = port.poll(this.fds, this.events, this.revents, count, this.timeoutMs());
    this.core.machine.tick(nowMs());
    if (ready <= 0) {
      if (ready < 0 && ready !== -EINTR) throw internalError(`poll failed: errno ${-ready}`);
      return;
    }
    const { connections, revents } = this;
    for (let i = 1; i < count; i++) {
      if (revents[i] === 0) continue;
      const connection = connections[i - 1]!;
      if (revents[i]! & POLLOUT) this.sendRest(connection);
      if (revents[i]! & ~POLLOUT && this.byId.has(connection.id)) this.read(connection);
    }
    if (revents[0] !== 0) this.acceptAll();
  }

  private timeoutMs(): number {
    const { machine, applier } = this.core;
    if (machine.hasWork) return 0;
    let until = this.checkedReadersMs + (this.connectionEnded ? READER_CHECK_SOON_MS : READER_CHECK_MS);
    if (applier.hasMaintenance) until = Math.min(until, this.workedMs + QUIET_MS);
    if (this.largeBytes >= REST_BYTES) until = Math.min(until, this.workedMs + REST_MS);
    const deadline = machine.nextDeadlineMs();
    if (deadline >= 0) until = Math.min(until, deadline);
    const idleExit = getInt('manager_idle_exit');
    if (idleExit > 0 && this.connections.length === 0) until = Math.min(until, this.idleSinceMs + idleExit);
    return Math.max(0, until - nowMs());
  }

  private collectFds(): void {
    const { connections } = this;
    if (connections.length + 1 > this.fds.length) {
      this.fds = new Int32Array(this.fds.length * 2);
      this.events = new Int16Array(this.fds.length);
      this.revents = new Int16Array(this.fds.length);
      this.fdsAreStale = true;
    }
    if (!this.fdsAreStale) return;
    this.fdsAreStale = false;
    this.fds[0] = this.listening;
    this.events[0] = POLLIN;
    for (let i = 0; i < connections.length; i++) {
      this.fds[i + 1] = connections[i]!.fd;
      this.events[i + 1] = connections[i]!.unsent === null ? POLLIN : POLLIN | POLLOUT;
    }
  }

  private acceptAll(): number {
    for (let count = 0; ; count++) {
      const fd = port.accept(this.listening);
      if (fd < 0) return count;
      port.setBlocking(fd, false);
      const peer = port.peerCredentials(fd);
      if (typeof peer === 'number' || peer.uid !== process.getuid!()) {
        log('LOG', 'connection to the transaction manager from another account refused');
        port.close(fd);
        continue;
      }
      const connection: Connection = { id: this.nextId++, fd, hasSpoken: false, partial: null, partialLength: 0, unsent: null };
      this.connections.push(connection);
      this.byId.set(connection.id, connection);
      this.core.machine.connect(connection.id);
      this.fdsAreStale = true;
      this.read(connection);
    }
  }

  private read(connection: Connection): void {
    for (;;) {
      const count = port.recv(connection.fd, this.input, 0, READ_BYTES, false);
      if (count <= 0) {
        if (count === -EAGAIN || count === -EINTR) return;
        this.disconnect(connection);
        return;
      }
      connection.hasSpoken = true;
      if (!this.take(connection, count) || count < READ_BYTES) return;
    }
  }

  /** Frames in the first `count` bytes of the input; false when the connection had to be ended. */
  private take(connection: Connection, count: number): boolean {
    let bytes: Buffer = this.input, end = count;
    if (connection.partial !== null) {
      const { partial, partialLength } = connection;
      bytes = partial.length >= partialLength + count ? partial : Buffer.allocUnsafeSlow(Math.max(partialLength + count, 2 * partial.length));
      if (bytes !== partial) partial.copy(bytes, 0, 0, partialLength);
      this.input.copy(bytes, partialLength, 0, count);
      end = partialLength + count;
    }
    let at = 0;
    while (end - at >= FRAME_HEADER_BYTES) {
      const length = bytes.readUInt32LE(at), start = at + FRAME_HEADER_BYTES;
      let fault: string | null = null;
      if (length === 0 || length > MAX_FRAME_BYTES) {
        fault = `a frame of ${length} bytes`;
      } else {
        if (end - start < length) break;
        at = start + length;
        fault = isCommit(bytes[start]!)
          ? this.core.receive(connection.id, Buffer.from(bytes.subarray(start, at)), 0, length, this.readFile)
          : this.core.receive(connection.id, bytes, start, at, this.readFile);
      }
      if (fault === null) continue;
      log('LOG', `connection to the transaction manager ended: ${fault}`);
      this.disconnect(connection);
      return false;
    }
    if (at === end) {
      connection.partial = null;
    } else if (bytes === this.input || at > 0) {
      connection.partial = Buffer.allocUnsafeSlow(Math.max(4096, end - at));
      bytes.copy(connection.partial, 0, at, end);
    } else {
      connection.partial = bytes;
    }
    connection.partialLength = end - at;
    return true;
  }

  private disconnect(connection: Connection): void {
    if (!this.byId.delete(connection.id)) return;
    port.close(connection.fd);
    this.connections = this.connections.filter((other) => other !== connection);
    this.fdsAreStale = true;
    this.core.machine.disconnect(connection.id);
    if (connection.unsent !== null) this.lookAtQueues();
    if (!connection.hasSpoken) return;
    if (this.connections.length === 0) this.idleSinceMs = Math.max(this.idleSinceMs, nowMs());
    this.connectionEnded = true;
  }

  // --- Output

  private answer(): void {
    const outputs = this.core.takeOutputs(), { out } = this;
    for (let i = 0; i < outputs.length;) {
      const { session } = outputs[i]!, connection = this.byId.get(session);
      out.length = 0;
      do writeServerMessage(out, outputs[i++]!.message);
      while (i < outputs.length && outputs[i]!.session === session && out.length < SEND_BYTES);
      if (connection !== undefined) this.sendOut(connection);
    }
    if (this.core.applier.undelivered.length === 0) return;
    let late: Set<number> | undefined;
    for (const { id, unsent } of this.connections) if (unsent !== null) (late ??= new Set()).add(this.core.machine.tokenOf(id));
    this.core.delivered(late);
  }

  private sendOut(connection: Connection): void {
    const { out } = this;
    if (connection.unsent !== null) {
      if (connection.unsent.length + out.length > MAX_UNREAD_AT_ONCE_BYTES) {
        log('LOG', 'a backend that reads no notifications was cut off from the transaction manager');
        this.disconnect(connection);
        return;
      }
      connection.unsent.add(out.bytes.subarray(0, out.length));
      if (connection.unsent.length > MAX_UNREAD_BYTES) this.core.machine.notifyQueueFull = true;
      return;
    }
    const sent = this.sendBytes(connection, out.bytes, out.length);
    if (sent >= 0 && sent < out.length) {
      connection.unsent = new Unsent(out.bytes.subarray(sent, out.length));
      this.fdsAreStale = true;
    }
  }

  /** How much went out; -1: the connection is gone. */
  private sendBytes(connection: Connection, bytes: Buffer, length: number): number {
    let sent = 0;
    while (sent < length) {
      const count = port.send(connection.fd, bytes, sent, length - sent);
      if (count === -EAGAIN) break;
      if (count === -EINTR) continue;
      if (count < 0) {
        this.disconnect(connection);
        return -1;
      }
      sent += count;
    }
    return sent;
  }

  private sendRest(connection: Connection): void {
    const { unsent } = connection;
    if (unsent === null) return;
    const sent = this.sendBytes(connection, unsent.bytes, unsent.length);
    if (sent < 0) return;
    if (sent === unsent.length) connection.unsent = null;
    else unsent.take(sent);
    this.fdsAreStale = true;
    this.lookAtQueues();
  }

  private lookAtQueues(): void {
    const { machine } = this.core;
    if (machine.notifyQueueFull) machine.notifyQueueFull = this.connections.some(({ unsent }) => unsent !== null && unsent.length > MAX_UNREAD_BYTES);
  }

  // --- Housekeeping

  /** Frees the reader slots of backends that died: SIGUSR2 from the postmaster, a message, or time passed. */
  private checkReaders(): void {
    const signalled = port.signals[SIGUSR2]! !== this.seenSignals, asked = signalled || this.core.machine.readerCheckWanted;
    if (signalled && !existsSync(this.path)) this.listenAgain();
    const periodMs = this.connectionEnded ? READER_CHECK_SOON_MS : READER_CHECK_MS;
    if (!asked && nowMs() < this.checkedReadersMs + periodMs) return;
    this.connectionEnded = false;
    this.seenSignals = port.signals[SIGUSR2]!;
    this.core.machine.readerCheckWanted = false;
    this.checkedReadersMs = nowMs();
    this.store.readerCheck();
    removeOrphanedCommits();
  }

  private freeLarge(): void {
    const waiting = this.large.filter((bytes) => this.core.machine.hasCommit(bytes));
    for (const bytes of this.large) if (!waiting.includes(bytes)) port.unmapPart(bytes.buffer as ArrayBuffer);
    this.large = waiting;
  }

  /** A large commit leaves garbage, and its pages holes as large as itself in the C library's memory. */
  private rest(): void {
    if (this.largeBytes < REST_BYTES || nowMs() < this.workedMs + REST_MS) return;
    this.largeBytes = 0;
    giveMemoryBack();
  }

  /** Ends when there has been nothing to do for long enough; true: it is over. */
  private retire(): boolean {
    const idleExit = getInt('manager_idle_exit');
    if (idleExit === 0 || this.connections.length > 0 || nowMs() < this.idleSinceMs + idleExit) return false;
    // Nobody finds us from here on; whoever did before is served.
    this.removeSocket();
    this.core.machine.tick(nowMs());
    if (this.acceptAll() > 0) {
      port.close(this.listening);
      this.listen();
      this.idleSinceMs = nowMs();
      return false;
    }
    this.end();
    return true;
  }

  private listen(): void {
    this.removeSocket();
    this.listening = port.listenUnix(this.path, 0o600, BACKLOG);
    if (this.listening < 0) throw internalError(`could not listen on "${this.path}": errno ${-this.listening}`);
    port.setBlocking(this.listening, false);
    this.fdsAreStale = true;
  }

  /** Somebody has emptied tmp/: who has found us stays, nobody else would come. */
  private listenAgain(): void {
    log('LOG', `"${this.path}" was removed; listening again`);
    this.acceptAll();
    port.close(this.listening);
    this.listen();
  }

  private removeSocket(): void {
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Memory for locks, shared with backends as long as this process lives. Where there is none to share they ask for every lock. */
function makeLockMemory(): LockMemory {
  const file = port.memoryFile(LOCK_MEMORY_BYTES), memory = file < 0 ? file : port.mapShared(file, LOCK_MEMORY_BYTES);
  if (typeof memory !== 'number') return { words: new Int32Array(memory), path: `/proc/${port.getpid()}/fd/${file}` };
  log('LOG', `no memory to share locks in: errno ${-memory}`);
  return privateLockMemory();
}

/** Commit files of backends that were killed before we could read them, and snapshots that killed ones have exported. */
function removeOrphanedCommits(): void {
  for (const name of existsSync('tmp') ? readdirSync('tmp') : []) {
    const pid = Number(/^commit\.(\d+)\.\d+$/.exec(name)?.[1] ?? parseInt(/^snapshot\.([0-9A-F]{8})-/.exec(name)?.[1] ?? '', 16));
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    try {
      unlinkSync(`tmp/${name}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // another manager was faster
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The frame of a large commit; the file is gone afterwards, but for what is mapped. So the kernel can have all of the memory back,
 * and what is changed in it does not become ours. */
function mapCommitFile(name: string): Buffer {
  if (!/^tmp\/commit\.\d+\.\d+$/.test(name)) throw internalError('not the name of a commit file');
  const file = openSync(name, 'r+');
  try {
    const memory = port.mapPart(file, 0, fstatSync(file).size);
    if (typeof memory === 'number') throw internalError(`could not map a commit file: errno ${-memory}`);
    return Buffer.from(memory);
  } finally {
    closeSync(file);
    unlinkSync(name);
  }
}
