// The postmaster's loop: one poll(2) over the listening sockets and the control socket, signals as flags. It accepts and
// forks, reaps, reloads and shuts down. It is a straight line like a backend, without an event loop, and keeps nothing of a
// connection that is over: a fork copies the postmaster's page tables, so it stays small.
import { FatalError } from '../../common/errors.ts';
import { EAGAIN, EINTR, POLLIN, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, port } from '../../port/port.ts';
import type { Connection } from '../libpq/connection.ts';
import { log, openLogFile } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { reloadConfigFile } from '../utils/guc_file.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { backendStartup, type AcceptState } from './backend_startup.ts';
import { childCount, disownFd, forkChild, ownFd, reapChildren, signalChildren } from './children.ts';
import { closeListeners, errorText, type Listeners } from './listen.ts';
import { ownsLockFile, removeLockFile, type LockFile } from './lock_file.ts';
import type { Managers } from './managers.ts';
import { restMemory } from './memory.ts';
import { BackgroundRehearsal, type Rehearsal } from './background_rehearsal.ts';
import { ServiceReport } from './service_report.ts';
import { monotonicUsec, notify } from './systemd.ts';
import { turnAwayAtOnce } from './turn_away.ts';

const ACCEPTS_PER_TURN = 64;
const HOUSEKEEPING_MS = 60_000;
/** After an immediate shutdown, how long children may take before they are killed. */
const KILL_AFTER_MS = 5_000;
const MAX_POLL = 1024;

type Shutdown = 'none' | 'idle' | 'smart' | 'fast' | 'immediate';
const SHUTDOWN_ORDER: readonly Shutdown[] = ['none', 'idle', 'smart', 'fast', 'immediate'];

export interface ServerContext {
  listeners: Listeners;
  managers: Managers;
  siteLock: LockFile;
  mockNonce: Uint8Array;
  serve: (connection: Connection) => never;
  /** The rehearsal, when it is still to be played; null: it has been. */
  rehearse: (() => Rehearsal | null) | null;
  /** Reads hba.conf and ident.conf again and says what was wrong. */
  reloadAuthentication: () => void;
}

export class Server {
  private readonly context: ServerContext;
  private shutdown: Shutdown = 'none';
  private managersTold = false;
  private killAt = Infinity;
  private housekeepingAt = performance.now() + HOUSEKEEPING_MS;
  private readonly report: ServiceReport;
  private readonly rehearsal: BackgroundRehearsal;
  private readonly seen = new Map<number, number>();
  private readonly fds = new Int32Array(MAX_POLL);
  private readonly events = new Int16Array(MAX_POLL).fill(POLLIN);
  private readonly revents = new Int16Array(MAX_POLL);
  private readonly handlers: (() => void)[] = [];
  /** Set when accept ran out of descriptors or forks: pause instead of spinning. */
  private pauseUntil = 0;

  constructor(context: ServerContext) {
    this.context = context;
    for (const fd of context.listeners.fds) ownFd(fd);
    this.report = new ServiceReport(context.listeners.passed);
    this.rehearsal = new BackgroundRehearsal(context.rehearse);
  }

  static installSignals(): void {
    for (const signal of [SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2]) port.setSignal(signal, 'flag');
  }

  /** Until shutdown is complete. */
  run(): void {
    log('LOG', 'database system is ready to accept connections');
    this.report.ready();
    while (!this.step());
    log('LOG', 'database system is shut down');
  }

  /** One turn; true when everything is over. */
  private step(): boolean {
    this.answerSignals();
    if (this.shutdown !== 'none' && this.shutdownStep()) return true;
    this.onTime();
    const count = this.collect();
    const ready = port.poll(this.fds, this.events, this.revents, count, this.timeoutMs());
    if (ready > 0) for (let i = 0; i < count; i++) if (this.revents[i] !== 0) this.handlers[i]!();
    if (this.rehearsal.waits && this.shutdown === 'none') this.rehearsal.turn(ready > 0);
    this.context.managers.tick();
    return false;
  }

  private collect(): number {
    const { listeners, managers } = this.context;
    let count = 0;
    const add = (fd: number, ready: () => void): void => {
      if (count >= MAX_POLL) return;
      this.fds[count] = fd;
      this.handlers[count++] = ready;
    };
    // While it stops, connections stay with whoever passed the sockets: the next postmaster serves them.
    const accepts = performance.now() >= this.pauseUntil && (this.shutdown === 'none' || !listeners.passed);
    if (accepts) for (const fd of listeners.fds) add(fd, () => this.acceptFrom(fd));
    managers.addPollFds(add);
    return count;
  }

  private timeoutMs(): number {
    const now = performance.now();
    const until = Math.min(this.housekeepingAt, this.report.nextAt, this.killAt, this.pauseUntil > now ? this.pauseUntil : Infinity) - now;
    const tick = this.context.managers.tickMs;
    if (this.rehearsal.waits) return Math.max(0, Math.min(Math.ceil(until), tick < 0 ? this.rehearsal.patienceMs : tick));
    return Math.max(0, Math.min(Math.ceil(until), tick < 0 ? HOUSEKEEPING_MS : tick));
  }

  /** How often the signal has come since the last question. */
  private came(signal: number): boolean {
    const count = port.signals[signal]!;
    if (count === (this.seen.get(signal) ?? 0)) return false;
    this.seen.set(signal, count);
    return true;
  }

  private answerSignals(): void {
    if (this.came(SIGCHLD)) {
      reapChildren((pid, child) => { if (child.kind === 'manager') this.context.managers.ended(pid, child); });
      this.report.sessions(childCount('backend'));
    }
    if (this.came(SIGHUP) && this.shutdown === 'none') this.reload();
    if (this.came(SIGTERM)) this.beginShutdown('smart');
    if (this.came(SIGINT)) this.beginShutdown('fast');
    if (this.came(SIGQUIT)) this.beginShutdown('immediate');
  }

  // ---- connections

  private acceptState(): AcceptState {
    if (this.shutdown !== 'none') return 'shutting down';
    return 'ok';
  }

  private acceptFrom(listener: number): void {
    for (let i = 0; i < ACCEPTS_PER_TURN; i++) {
      const fd = port.accept(listener);
      if (fd === -EAGAIN || fd === -EINTR) return;
      if (fd < 0) {
        // EMFILE and the like stay for a while; errors of the one connection do not matter.
        if (fd === -24 || fd === -23 || fd === -12 || fd === -105) {
          log('LOG', `could not accept new connection: ${errorText(fd)}`);
          this.pauseUntil = performance.now() + 100;
          return;
        }
        continue;
      }
      this.serveConnection(fd);
      port.close(fd);
    }
  }

  private serveConnection(fd: number): void {
    // Children may be twice as many as max_connections, so that those that only knock do not keep others out.
    if (childCount('backend') >= 2 * getInt('max_connections')) {
      turnAwayAtOnce(fd, new FatalError('too_many_connections', 'sorry, too many clients already'));
      return;
    }
    const state = this.acceptState(), { mockNonce, serve } = this.context;
    const pid = forkChild({ kind: 'backend' }, () => backendStartup({ fd, state, mockNonce, serve }));
    if (pid >= 0) {
      this.rehearsal.connections++;
      return this.report.sessions(childCount('backend'));
    }
    const why = errorText(pid);
    log('LOG', `could not fork new process for connection: ${why}`);
    turnAwayAtOnce(fd, new FatalError('insufficient_resources', `could not fork new process for connection: ${why}`));
    this.pauseUntil = performance.now() + 100;
  }

  // ---- configuration

  private reload(): void {
    log('LOG', 'received SIGHUP, reloading configuration files');
    notify('RELOADING=1', `MONOTONIC_USEC=${monotonicUsec()}`);
    reloadConfigFile(true);
    openLogFile();
    this.context.reloadAuthentication();
    signalChildren(SIGHUP);
    this.report.ready();
  }

  // ---- shutdown

  private beginShutdown(mode: Shutdown): void {
    if (SHUTDOWN_ORDER.indexOf(mode) <= SHUTDOWN_ORDER.indexOf(this.shutdown)) return;
    this.shutdown = mode;
    log('LOG', mode === 'idle' ? 'nobody is connected: shutting down until the next connection' : `received ${mode} shutdown request`);
    this.report.stopping(mode);
    initPsStatus('postmaster', 'shutting down');
    if (mode === 'fast') {
      log('LOG', 'aborting any active transactions');
      signalChildren(SIGTERM, 'backend');
    } else if (mode === 'immediate') {
      this.context.managers.close();
      signalChildren(SIGQUIT);
      this.killAt = performance.now() + KILL_AFTER_MS;
    }
  }

  /** True when the last child has gone. */
  private shutdownStep(): boolean {
    if (performance.now() >= this.killAt) {
      signalChildren(SIGKILL);
      this.killAt = Infinity;
    }
    if (childCount() === 0) return true;
    if (childCount('backend') === 0 && !this.managersTold && this.shutdown !== 'immediate') {
      // The backends are gone; what they committed is on disk already, so managers have only to leave.
      this.managersTold = true;
      this.context.managers.close();
      signalChildren(SIGTERM, 'manager');
    }
    return false;
  }

  // ---- time

  private onTime(): void {
    const now = performance.now();
    this.report.tick(now);
    if (this.report.idleTooLong(now)) this.beginShutdown('idle');
    else if (this.report.mayRest(now)) restMemory(!this.rehearsal.waits);
    if (now < this.housekeepingAt) return;
    this.housekeepingAt = now + HOUSEKEEPING_MS;
    if (!ownsLockFile(this.context.siteLock)) {
      log('LOG', 'performing immediate shutdown because data directory lock file is invalid');
      this.beginShutdown('immediate');
    }
  }

  /** What the file system shows of us. */
  cleanUp(): void {
    const { listeners, siteLock } = this.context;
    for (const fd of listeners.fds) disownFd(fd);
    closeListeners(listeners);
    removeLockFile(siteLock);
  }
}
