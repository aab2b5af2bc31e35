// The postmaster's loop: one poll(2) over the listening sockets and the control socket, signals as flags. It accepts and
// forks, reaps, reloads and shuts down. It is a straight line like a backend, without an event loop, and keeps nothing of a
// connection that is over: a fork copies the postmaster's page tables, so it stays small.
import { FatalError } from '../../common/errors.ts';
import { SERVE, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, port } from '../../port/port.ts';
import type { Connection } from '../libpq/connection.ts';
import { log, openLogFile } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { saveStatistics } from '../utils/pgstat_shmem.ts';
import { reloadConfigFile } from '../utils/guc_file.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { backendStartup } from './backend_startup.ts';
import { backendCount, beChild, childCount, childEnded, disownFd, makeBackendPids, ownFd, signalChildren } from './children.ts';
import { closeListeners, errorText, type Listeners } from './listen.ts';
import { removeLockFile, type LockFile } from './lock_file.ts';
import type { Managers } from './managers.ts';
import { mendHugePages, restMemory } from './memory.ts';
import { ProofOfLife } from './proof_of_life.ts';
import { BackgroundRehearsal, type Rehearsal } from './background_rehearsal.ts';
import { ServiceReport } from './service_report.ts';
import { StartCheck, becomeAnew, type Continued } from './start_anew.ts';
import { monotonicUsec, notify } from './systemd.ts';
import { turnAwayAtOnce } from './turn_away.ts';

/** As PostgreSQL's postmaster does. */
const LOOK_AT_LOCK_MS = 60_000;
/** What `port.serve` may wait at most. */
const LONG_MS = 86_400_000;
/** So long after something that was not just time passing memory is put into huge pages again; and not more often. */
const MEND_AFTER_MS = 1000;
/** After an immediate shutdown, how long children may take before they are killed. */
const KILL_AFTER_MS = 5_000;
const MAX_POLL = 1024;

/** When it starts anew, how long managers may take to leave before they are killed. */
const KILL_BEFORE_ANEW_MS = 10_000;

/** `anew`: not to be gone, but to start anew; `idle`: nobody is there, and who comes is served by the next postmaster. */
type Shutdown = 'none' | 'anew' | 'idle' | 'smart' | 'fast' | 'immediate';
const SHUTDOWN_ORDER: readonly Shutdown[] = ['none', 'anew', 'idle', 'smart', 'fast', 'immediate'];

export interface ServerContext {
  listeners: Listeners;
  managers: Managers;
  siteLock: LockFile;
  mockNonce: Uint8Array;
  serve: (connection: Connection) => never;
  /** Whether a child runs a query. */
  answersQuery: () => boolean;
  /** The rehearsal, when it is still to be played; null: it has been. */
  rehearse: (() => Rehearsal | null) | null;
  /** Reads hba.conf and ident.conf again and says what was wrong. */
  reloadAuthentication: () => void;
  /** Whether a new postmaster would find the site fit to be started; in a child. */
  wouldStart: () => boolean;
  /** What this process was before it started anew. */
  continued: Continued | null;
}

export class Server {
  private readonly context: ServerContext;
  private shutdown: Shutdown = 'none';
  private managersTold = false;
  private killAt = Infinity;
  private mendAt = Infinity;
  private mendedAt = -Infinity;
  private readonly proof: ProofOfLife;
  private readonly report: ServiceReport;
  private readonly rehearsal: BackgroundRehearsal;
  private readonly seen = new Map<number, number>();
  private readonly fds = new Int32Array(MAX_POLL);
  private readonly revents = new Int16Array(MAX_POLL);
  private readonly handlers: (() => void)[] = [];
  private readonly what = new Int32Array(4);
  private readonly backendPids: Int32Array;
  private reported = 0;
  private readonly startCheck: StartCheck;
  /** signals[0] when signals were answered last. */
  private knownSignals = 0;
  /** Set when accept ran out of descriptors or forks: pause instead of spinning. */
  private pauseUntil = 0;

  constructor(context: ServerContext) {
    this.context = context;
    for (const fd of context.listeners.fds) ownFd(fd);
    // Children may be twice as many as max_connections, so that those that only knock do not keep others out.
    this.backendPids = makeBackendPids(2 * getInt('max_connections'));
    this.proof = new ProofOfLife(context.answersQuery, () => context.managers.running);
    this.report = new ServiceReport(context.listeners.passed, () => this.proof.begin(), context.continued?.idleSince ?? null);
    this.startCheck = new StartCheck(context.wouldStart);
    this.rehearsal = new BackgroundRehearsal(context.rehearse);
  }

  static installSignals(): void {
    for (const signal of [SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2]) port.setSignal(signal, 'flag');
    port.releaseSignals();
  }

  /** Until shutdown is complete. */
  run(): void {
    log('LOG', 'database system is ready to accept connections');
    this.report.begins();
    const { fd, path } = this.context.siteLock;
    port.watchFile(fd, path, LOOK_AT_LOCK_MS);
    while (!this.step());
    if (this.shutdown !== 'immediate') saveStatistics();
    log('LOG', 'database system is shut down');
  }

  /** One turn; true when everything is over. */
  private step(): boolean {
    this.answerSignals();
    this.onTime();
    if (this.shutdown !== 'none' && this.shutdownStep()) return true;
    const { what, backendPids, revents } = this;
    const listening = this.collectListeners(), count = this.collect(listening);
    const tell = this.shutdown !== 'none' || this.report.counts(performance.now()) || this.rehearsal.waits;
    this.mendMemory();
    port.serve(this.fds, revents, count, listening, this.timeoutMs(), backendPids, tell, what);
    if (what[0] === SERVE.child) {
      const { mockNonce, serve } = this.context;
      beChild('backend', backendStartup, { fd: what[1]!, state: this.shutdown === 'none' ? 'ok' : 'shutting down', mockNonce, serve });
    }
    this.answer(what[0]!, what[1]!, what[2]!);
    for (let i = listening; i < count; i++) if (revents[i] !== 0) this.handlers[i]!();
    if (tell || this.report.looks) this.reportSessions(what[3]! > 0);
    this.wrote(what[0] === SERVE.look ? 0 : MEND_AFTER_MS);
    if (this.rehearsal.waits && this.shutdown === 'none') {
      const busy = what[0] !== SERVE.look || what[3]! > 0 || revents.some((events, i) => events !== 0 && i < count);
      this.rehearsal.connections += what[3]!;
      this.rehearsal.turn(busy);
    }
    this.context.managers.tick();
    return false;
  }

  private reportSessions(changed: boolean): void {
    const count = backendCount();
    if (changed || count !== this.reported) {
      this.report.sessions(count);
      this.startCheck.forget();
    }
    this.reported = count;
  }

  /** JavaScript runs. Beside children that breaks up every huge page it writes to: after so long they are mended, when it is done. */
  private wrote(after: number): void {
    if (childCount() > 0) this.mendAt = Math.min(this.mendAt, Math.max(performance.now() + after, this.mendedAt + MEND_AFTER_MS));
  }

  /** The last thing before `port.serve`. */
  private mendMemory(): void {
    const now = performance.now();
    if (now < this.mendAt) return;
    this.mendAt = Infinity;
    this.mendedAt = now;
    if ((this.rehearsal.played || !this.rehearsal.waits) && !mendHugePages()) this.mendAt = now + MEND_AFTER_MS;
  }

  private collectListeners(): number {
    const { listeners } = this.context;
    // While it stops, connections stay with whoever passed the sockets: the next postmaster serves them.
    if (performance.now() < this.pauseUntil || (this.shutdown !== 'none' && listeners.passed)) return 0;
    for (let i = 0; i < listeners.fds.length; i++) this.fds[i] = listeners.fds[i]!;
    return listeners.fds.length;
  }

  private collect(from: number): number {
    let count = from;
    this.context.managers.addPollFds((fd, ready) => {
      if (count >= MAX_POLL) return;
      this.fds[count] = fd;
      this.handlers[count++] = ready;
    });
    return count;
  }

  private timeoutMs(): number {
    const now = performance.now();
    const until = Math.min(this.report.nextAt, this.anewAt, this.killAt, this.mendAt, this.pauseUntil > now ? this.pauseUntil : Infinity) - now;
    const tick = this.context.managers.tickMs;
    if (this.shutdown === 'anew' && childCount() === 0) return 0; // a signal came between: it is tried again
    if (this.rehearsal.waits) return Math.max(0, Math.min(Math.ceil(until), tick < 0 ? this.rehearsal.patienceMs : tick));
    return Math.max(0, Math.min(Math.ceil(until), tick < 0 ? LONG_MS : tick));
  }

  /** How often the signal has come since the last question. */
  private came(signal: number): boolean {
    const count = port.signals[signal]!;
    if (count === (this.seen.get(signal) ?? 0)) return false;
    this.seen.set(signal, count);
    return true;
  }

  private answerSignals(): void {
    this.knownSignals = port.signals[0]!;
    if (this.came(SIGHUP) && this.shutdown === 'none') this.reload();
    if (this.came(SIGUSR2)) this.context.managers.lookAtSocket();
    if (this.came(SIGTERM)) this.beginShutdown('smart');
    if (this.came(SIGINT)) this.beginShutdown('fast');
    if (this.came(SIGQUIT)) this.beginShutdown('immediate');
  }

  // ---- connections

  /** What `port.serve` leaves to us. */
  private answer(what: number, a: number, b: number): void {
    switch (what) {
      case SERVE.ended: {
        const fit = this.startCheck.ended(a, b);
        if (fit !== undefined) {
          if (fit) this.startCheck.forget();
          if (fit && performance.now() >= this.anewAt) this.beginShutdown('anew');
          break;
        }
        const well = this.proof.ended(a, b);
        if (well !== undefined) {
          this.report.proved(well);
          break;
        }
        const child = childEnded(a, b);
        if (child.kind === 'manager') this.context.managers.ended(a, child);
        break;
      }
      case SERVE.full:
        turnAwayAtOnce(a, new FatalError('too_many_connections', 'sorry, too many clients already'));
        port.close(a);
        break;
      case SERVE.noAccept:
        log('LOG', `could not accept new connection: ${errorText(a)}`);
        this.pauseUntil = performance.now() + 100;
        break;
      case SERVE.noFork: {
        const why = `could not fork new process for connection: ${errorText(b)}`;
        log('LOG', why);
        turnAwayAtOnce(a, new FatalError('insufficient_resources', why));
        port.close(a);
        this.pauseUntil = performance.now() + 100;
        break;
      }
      case SERVE.lost:
        log('LOG', 'performing immediate shutdown because data directory lock file is invalid');
        this.beginShutdown('immediate');
    }
  }

  // ---- configuration

  private reload(): void {
    log('LOG', 'received SIGHUP, reloading configuration files');
    notify('RELOADING=1', `MONOTONIC_USEC=${monotonicUsec()}`);
    reloadConfigFile(true);
    openLogFile();
    this.context.reloadAuthentication();
    this.startCheck.forget();
    signalChildren(SIGHUP);
    this.report.ready();
  }

  // ---- shutdown

  private beginShutdown(mode: Shutdown): void {
    if (SHUTDOWN_ORDER.indexOf(mode) <= SHUTDOWN_ORDER.indexOf(this.shutdown)) return;
    this.shutdown = mode;
    log('LOG', mode === 'idle' ? 'nobody is connected: shutting down until the next connection'
      : mode === 'anew' ? 'nobody is connected: starting anew, to give memory back' : `received ${mode} shutdown request`);
    this.report.stopping(mode);
    initPsStatus('postmaster', mode === 'anew' ? 'starting anew' : 'shutting down');
    if (mode === 'anew') this.killAt = performance.now() + KILL_BEFORE_ANEW_MS;
    else if (mode === 'fast') {
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
    if (childCount() === 0) return this.shutdown !== 'anew' || this.becomeAnew();
    if (backendCount() === 0 && !this.managersTold && this.shutdown !== 'immediate') {
      // The backends are gone; what they committed is on disk already, so managers have only to leave.
      this.managersTold = true;
      this.context.managers.close();
      signalChildren(SIGTERM, 'manager');
    }
    return false;
  }

  // ---- starting anew

  private get anewAt(): number {
    return this.shutdown === 'none' && this.rehearsal.played && !this.proof.busy && !this.startCheck.rests ? this.report.anewAt : Infinity;
  }

  /** When it comes back: whether it is over. */
  private becomeAnew(): boolean {
    const { listeners, siteLock } = this.context;
    saveStatistics();
    return becomeAnew(listeners, siteLock, this.report.idleSince, this.knownSignals);
  }

  // ---- time

  private onTime(): void {
    const now = performance.now();
    if (this.report.looks) this.reportSessions(false);
    this.report.tick(now);
    if (this.report.idleTooLong(now)) this.beginShutdown('idle');
    else if (now >= this.anewAt) this.startCheck.begin();
    else if (this.report.mayRest(now)) restMemory(!this.rehearsal.waits);
  }

  /** What the file system shows of us. */
  cleanUp(): void {
    const { listeners, siteLock } = this.context;
    for (const fd of listeners.fds) disownFd(fd);
    closeListeners(listeners);
    removeLockFile(siteLock);
  }
}
