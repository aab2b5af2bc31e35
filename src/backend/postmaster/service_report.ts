// What a service manager is told while the postmaster serves (sd_notify(3)): that it is ready, how many sessions there are,
// that it is alive; and when the postmaster may go because nobody is there (idle_exit). Nothing here costs a connection
// more than a comparison.
import { readdirSync } from 'node:fs';
import { BASE } from '../../common/site.ts';
import { log } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { notify, serviceManagerListens, watchdogIntervalMs } from './systemd.ts';

/** Sessions come and go faster than anybody reads; and looking runs JavaScript beside children (memory.ts). */
const STATUS_EVERY_MS = 1000;
const TEMPLATES = 2;
/** So soon a proof of life is tried again. */
const PROVE_AGAIN_MS = 1000;
/** So long after the last session memory is given back. */
const REST_AFTER_MS = 3000;

export class ServiceReport {
  private readonly passed: boolean;
  private readonly watchdogMs = watchdogIntervalMs();
  private readonly prove: () => boolean;
  private watchdogAt = this.watchdogMs > 0 ? performance.now() + this.watchdogMs : Infinity;
  private statusAt = Infinity;
  /** When sessions are counted next, if they have changed lately. */
  private lookAt = -Infinity;
  private count = 0;
  private readonly continued: boolean;
  /** Since when there has been no session. */
  idleSince: number;
  private stops = false;
  private restAt = Infinity;

  /** `passed`: the sockets are a service manager's, which would start us again. `prove` begins to look whether the site serves
   * (then comes `proved`); false: it cannot be seen now. `idleSince`: since when nobody has been there, if this process was
   * ready before (start_anew.ts). */
  constructor(passed: boolean, prove: () => boolean, idleSince: number | null) {
    this.passed = passed;
    this.prove = prove;
    this.continued = idleSince !== null;
    this.idleSince = idleSince ?? performance.now();
    if (this.continued) this.restAt = performance.now() + REST_AFTER_MS;
    if (getInt('idle_exit') > 0 && !passed) {
      log('WARNING', 'idle_exit has no effect: the sockets were not passed by a service manager, so nobody would start the postmaster again');
    }
  }

  ready(): void {
    notify('READY=1', `STATUS=${this.status()}`);
  }

  /** It serves: again, or for the first time. */
  begins(): void {
    if (this.continued) notify('WATCHDOG=1', `STATUS=${this.status()}`);
    else this.ready();
  }

  stopping(mode: string): void {
    this.stops = true;
    if (mode === 'anew') return;
    notify('STOPPING=1', `STATUS=${mode === 'idle' ? 'idle: waits for a connection' : `${mode} shutdown`}`);
  }

  /** Whether somebody waits for `sessions`. */
  get looks(): boolean {
    return this.passed || serviceManagerListens();
  }

  /** Whether it matters at once that a session comes or goes. */
  counts(now: number): boolean {
    return now >= this.lookAt && this.looks;
  }

  /** There are so many now. */
  sessions(count: number): void {
    const now = performance.now();
    this.lookAt = now + STATUS_EVERY_MS;
    if (count === 0) this.idleSince = now;
    this.restAt = count === 0 && this.passed ? now + REST_AFTER_MS : Infinity;
    this.count = count;
    if (this.statusAt === Infinity && serviceManagerListens()) this.statusAt = now + STATUS_EVERY_MS;
  }

  tick(now: number): void {
    if (now >= this.watchdogAt) {
      this.watchdogAt = now + this.watchdogMs;
      // While it stops there are no new children.
      if (this.stops || !this.prove()) this.proved(true);
    }
    if (now >= this.statusAt) {
      this.statusAt = Infinity;
      if (!this.stops) notify(`STATUS=${this.status()}`);
    }
  }

  /** The site was found to serve, or not. */
  proved(well: boolean): void {
    if (well) notify('WATCHDOG=1');
    else this.watchdogAt = Math.min(this.watchdogAt, performance.now() + PROVE_AGAIN_MS);
  }

  /** Once, when nobody has been there for a while. */
  mayRest(now: number): boolean {
    if (now < this.restAt) return false;
    this.restAt = Infinity;
    return true;
  }

  private get idleExitMs(): number {
    return this.passed ? getInt('idle_exit') * 1000 : 0;
  }

  idleTooLong(now: number): boolean {
    const limit = this.idleExitMs;
    return limit > 0 && !this.stops && this.count === 0 && now - this.idleSince >= limit;
  }

  /** When nobody will have been there for so long that the memory is better given back. */
  get anewAt(): number {
    const limit = this.passed ? getInt('idle_restart') * 1000 : 0;
    return limit > 0 && this.count === 0 && !this.stops ? this.idleSince + limit : Infinity;
  }

  /** When `tick` or `idleTooLong` wants to be asked (performance.now()). */
  get nextAt(): number {
    const limit = this.idleExitMs;
    return Math.min(this.watchdogAt, this.statusAt, this.restAt, this.lookAt > performance.now() ? this.lookAt : Infinity, limit > 0 && this.count === 0 && !this.stops ? this.idleSince + limit : Infinity);
  }

  private status(): string {
    const databases = Math.max(0, readdirSync(BASE).length - TEMPLATES);
    return `${this.count} session${this.count === 1 ? '' : 's'}, ${databases} database${databases === 1 ? '' : 's'}`;
  }
}
