// The rehearsal of a postmaster that a connection has started: it answers first, with code that is compiled as far as the
// code cache of the package goes. When it turns out to be busy, it plays the rehearsal (tcop/rehearsal.ts) a scene at a
// time, when nobody wants anything; those who come then find everything warm. A site that is hardly used stays small.
// What a first connection seldom needs is loaded when that one has been answered.
import { loadBuiltins } from '../../common/builtin.ts';
import { loadWriter } from '../storage/lmdb.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { loadFormats, log } from '../utils/elog.ts';
import { compileFor, settleMemory, useHugePages } from './memory.ts';

export interface Rehearsal {
  /** Plays a little; false: it is over. */
  next(): boolean;
  readonly errors: readonly string[];
}

/** So many connections make it worth while. */
const WORTH_WHILE = 30;
/** A scene is played when nothing has come for so long, or when nothing was played for so long. */
const QUIET_MS = 10, BUSY_MS = 1000;
/** So long after a connection, if no other came, the rest is loaded. */
const REST_AFTER_MS = 200;
/** While it is not worth while there is nothing to wait for. */
const ASLEEP_MS = 60_000;

/** What is loaded only when somebody wants it, so that a forked child finds it there. */
export function loadTheRest(): void {
  loadBuiltins();
  loadFormats();
  loadWriter();
}

export function playAll(rehearsal: Rehearsal | null): void {
  while (rehearsal?.next());
  reportErrors(rehearsal);
}

function reportErrors(rehearsal: Rehearsal | null): void {
  for (const error of rehearsal?.errors ?? []) log('DEBUG1', `rehearsal: ${error}`);
}

export class BackgroundRehearsal {
  private begin: (() => Rehearsal | null) | null;
  private current: Rehearsal | null = null;
  private playedAt = 0;
  private busyAt = 0;
  private allIsLoaded = false;
  /** It has been played, and memory is as large as it gets. */
  played = false;
  connections = 0;

  constructor(begin: (() => Rehearsal | null) | null) {
    this.begin = begin;
  }

  /** Whether there is something to play, now or later. */
  get waits(): boolean {
    return this.begin !== null || this.current !== null;
  }

  /** How long the server loop may sleep. */
  get patienceMs(): number {
    return this.connections >= WORTH_WHILE ? QUIET_MS : this.connections > 0 && !this.allIsLoaded ? REST_AFTER_MS : ASLEEP_MS;
  }

  /** After each turn of the server loop; `busy`: somebody wanted something. */
  turn(busy: boolean): void {
    if (this.connections === 0) return;
    const now = performance.now(), worthWhile = this.connections >= WORTH_WHILE;
    if (busy) this.busyAt = now;
    if (!this.allIsLoaded && (worthWhile || now - this.busyAt >= REST_AFTER_MS)) {
      this.allIsLoaded = true;
      loadTheRest();
    }
    if (!worthWhile) return;
    if (busy && now - this.playedAt < BUSY_MS) return;
    if (this.begin !== null) {
      compileFor('rehearsal');
      this.current = this.begin();
      this.begin = null;
      this.playedAt = now;
      return;
    }
    if (!this.current!.next()) this.end();
    initPsStatus('postmaster', '');
    this.playedAt = performance.now();
    log('DEBUG2', `rehearsal: a scene took ${(this.playedAt - now).toFixed(0)} ms`);
  }

  private end(): void {
    reportErrors(this.current);
    this.current = null;
    this.played = true;
    useHugePages();
    settleMemory();
    log('DEBUG1', 'rehearsal is over');
  }
}
