// The backend's side of the transaction manager. Blocking: a request is sent, its answer awaited. One connection per
// environment, opened at the first need; `client` is the one of the session's database, `sharedClient` that of global/.
//
// A manager may die at any time (and is forked anew by the postmaster). What then happens to the running transaction:
// - it held no locks: the request is sent again to the new manager, nobody notices;
// - it held locks: they are gone, so it fails (40001), and the session goes on;
// - a commit was under way: the new manager is asked whether the old one applied it; its answer is certain.
// Advisory locks of the session and LISTENs are renewed at reconnecting.
import { FatalError, PgError, internalError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import type { RowId } from '../access/row.ts';
import { int8, type Int8, type Oid } from '../types/datum.ts';
import { checkForSignals, lookAgain } from '../utils/interrupts.ts';
import { reportWait, type WaitEvent } from '../utils/backend_status.ts';
import { getPsStatus, setPsStatus } from '../utils/ps_status.ts';
import { countOfDatabase } from '../utils/pgstat.ts';
import { DATABASE } from '../utils/pgstat_shmem.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';
import { ByteWriter } from './bytes.ts';
import { FastPath } from './fast_path.ts';
import { CommitFile, ManagerLink, ManagerLost } from './link.ts';
import './manager_settings.ts';
import type {
  AdvisoryTarget, ClientMessage, CommitAnswer, CommitRequest, CommitToken, LockAnswer, LockStatus, LockTarget, PreparedXact, SequenceParameters,
  SequenceState, ServerMessage, TableLockMode, WaitPolicy,
} from './messages.ts';
import { MAX_LOCK_TARGETS, writeClientMessage } from './wire.ts';
import { XID_STATUSES, type XidStatus } from './xid_log.ts';

export interface Notification { pid: number; channel: string; payload: string }
/** A lock that was granted or not; everything else is thrown. */
export type LockResult = Extract<LockAnswer, { kind: 'granted' } | { kind: 'unavailable' }>;
/** The sequence's name is for the error message. */
export type SequenceRequest = SequenceParameters & { name: string };

/** Nobody was asked, and there was nobody to wait for. */
const TAKEN: LockResult = { kind: 'granted', waited: false, changedSeq: -1 };

const RECONNECTS = 8;
/** Bytes of lock targets in one request. */
const MAX_LOCK_BYTES = 4 << 20;
/** nextval() called this often in one statement fetches ahead, up to so many values. */
const BURST = 32, MAX_BURST = 4096;

interface SequenceCache {
  /** The value given out last, and how many more there are. */
  value: bigint;
  left: number;
  increment: bigint;
  /** Fetched ahead for a burst: what is left goes back at the end of the statement. */
  burst: boolean;
  /** Calls in this statement. */
  calls: number;
}

/** What pg_stat_activity says of who waits for the answer. */
function waitEventOf(message: ClientMessage): WaitEvent {
  const kind = message.kind === 'locks' ? message.targets[0]!.kind : 'row';
  return kind === 'table' ? 'relation' : kind === 'advisory' || kind === 'object' ? kind : 'transactionid';
}

function notInWorker(): never {
  throw new PgError('invalid_transaction_state', 'cannot assign transaction IDs during a parallel operation');
}

export class ManagerClient {
  private readonly database: () => Oid;
  private link: ManagerLink | null = null;
  /** Instead of a socket: single-user mode, initdb and tests put a manager into the process. */
  private makeLink: ((database: Oid) => ManagerLink) | null = null;
  private incarnation = 0;
  /** Locks taken without a message; null until the first one, and without memory to take them in. */
  private fast: FastPath | null = null;
  private lockSession = 0;
  private lockNonce = 0;
  private lockPath = '';
  private sessionToken = 0;
  private commitNumber = 0;
  /** The transaction has locks that end with it. */
  private locksHeld = false;
  /** A manager died and took them along: whatever else the transaction asks for fails, until it ends. */
  private locksLost = false;
  private mark = 0;
  /** Those of the session, and how often each was taken: the manager, or the memory, has it once. */
  private readonly advisory = new Map<string, { target: AdvisoryTarget; count: number }>();
  private readonly channels = new Set<string>();
  private notifications: Notification[] = [];
  private readonly sequences = new Map<number, SequenceCache>();
  /** Whether an optimistic try runs, or its repetition; and what nextval() gave to the former, by filenode. */
  private attempt: 'only' | 'first' | 'second' = 'only';
  private given: Map<number, Int8[]> | null = null;
  private readonly out = new ByteWriter(16384);

  constructor(database: () => Oid) {
    this.database = database;
  }

  /** From now on links are made by this function. */
  useLinks(makeLink: ((database: Oid) => ManagerLink) | null): void {
    this.close();
    this.makeLink = makeLink;
  }

  /** Nothing of this session remains: the next one in this process, or in one forked from it, is another. */
  forget(): void {
    this.useLinks(null);
    this.endTransaction();
    this.sessionToken = this.commitNumber = this.incarnation = 0;
    this.advisory.clear();
    this.channels.clear();
    this.notifications = [];
    this.sequences.clear();
  }

  /** In a parallel worker: the connection is its leader's, as are the locks. */
  abandon(): void {
    this.link?.abandon();
    this.link = this.fast = null;
    this.makeLink = notInWorker;
  }

  /** Ends the connection; the manager frees everything. */
  close(): void {
    this.link?.close();
    this.link = null;
    this.fast = null;
    this.locksHeld = false;
  }

  // --- Locks

  /** Takes a lock; waits as the policy says. 'unavailable' is an answer only to 'skip' and 'error'. Throws 40P01 at a
   * deadlock, 55P03 after lock_timeout, and whatever an interrupt throws. */
  acquireLock(target: LockTarget, policy: WaitPolicy = 'block'): LockResult {
    return this.acquireLocks([target], policy)[0]!;
  }

  /** Takes many locks in one round trip, in this order; the answers are in step with the targets. With policy 'error'
   * they end at the first one that was unavailable. */
  acquireLocks(targets: readonly LockTarget[], policy: WaitPolicy = 'block'): LockResult[] {
    const results: LockResult[] = [];
    while (results.length < targets.length) {
      let end = results.length, bytes = 0;
      while (end < targets.length && end - results.length < MAX_LOCK_TARGETS && bytes < MAX_LOCK_BYTES) {
        const target = targets[end++]!;
        bytes += 16 + (target.kind === 'key' ? target.key.length : 0);
      }
      const part = results.length === 0 && end === targets.length ? targets as LockTarget[] : targets.slice(results.length, end);
      for (const answer of this.requestLocks(part, policy)) results.push(answer);
      if (results[results.length - 1]!.kind === 'unavailable' && policy === 'error') break;
    }
    return results;
  }

  /** Locks are taken in the order given: by ourselves as long as nobody is in the way, the rest by the manager. */
  private requestLocks(targets: LockTarget[], policy: WaitPolicy): LockResult[] {
    const mark = ++this.mark, fast = this.fastPath();
    let taken = 0;
    while (taken < targets.length && this.takeAlone(fast, targets[taken]!, mark)) taken++;
    if (taken === 0) return this.askForLocks(targets, policy, mark);
    const results = new Array<LockResult>(taken).fill(TAKEN);
    return taken === targets.length ? results : results.concat(this.askForLocks(targets.slice(taken), policy, mark));
  }

  private takeAlone(fast: FastPath | null, target: LockTarget, mark: number): boolean {
    if (target.kind !== 'advisory' || !target.session) return fast !== null && fast.take(target, mark);
    const held = this.advisory.get(advisoryKey(target));
    if (held !== undefined) held.count++;
    else if (fast !== null && fast.take(target, mark)) this.advisory.set(advisoryKey(target), { target, count: 1 });
    else return false;
    return true;
  }

  /** Takes a weak table lock, if nobody has to be asked. */
  takeTable(oid: Oid, mode: TableLockMode): boolean {
    const fast = this.fastPath();
    return fast !== null && fast.takeTable(oid, mode, ++this.mark);
  }

  /** Whether somebody may have locked a table so that it cannot be changed; for those who take no locks. */
  isTableLocked(oid: Oid): boolean {
    return this.fastPath()?.isTableLocked(oid) === true;
  }

  private fastPath(): FastPath | null {
    if (this.locksLost) this.failForLostLocks();
    // Locks in the memory of a manager that is gone would only fail the commit: look before the first one.
    if (this.link !== null && !this.holdsLocks && !this.link.isAlive()) this.dropLink();
    const link = this.connect();
    if (this.fast === null && this.lockSession !== 0) {
      const words = link.lockMemory(this.lockPath, this.lockNonce);
      if (words !== null) this.fast = new FastPath(words, this.lockSession, settings.max_prepared_transactions > 0);
      else this.lockSession = 0;
    }
    return this.fast;
  }

  private askForLocks(targets: LockTarget[], policy: WaitPolicy, mark: number): LockResult[] {
    const answer = this.call({ kind: 'locks', targets, policy, timeoutMs: settings.lock_timeout, mark }, true, () => {
      // Even a request that fails may have taken some of its locks.
      if (!targets.every((target) => target.kind === 'advisory' && target.session)) this.locksHeld = true;
    });
    if (answer.kind !== 'locks') throw unexpected(answer);
    const { answers } = answer;
    for (let i = 0; i < answers.length; i++) {
      const target = targets[i]!;
      if (answers[i]!.kind === 'granted' && target.kind === 'advisory' && target.session) this.advisory.set(advisoryKey(target), { target, count: 1 });
    }
    const last = answers[answers.length - 1];
    if (last !== undefined) throwInterruption(last);
    return answers as LockResult[];
  }

  /** Takes the lock if nothing is in the way. */
  tryLock(target: LockTarget): boolean {
    return this.acquireLock(target, 'error').kind === 'granted';
  }

  /** To be kept at SAVEPOINT, for releaseAfter. */
  lockMark(): number {
    return this.mark;
  }

  /** ROLLBACK TO: lets go of the locks taken since the mark. Never fails. */
  releaseAfter(mark: number): void {
    if (this.mark <= mark || this.link === null) return;
    const all = this.fast === null || this.fast.releaseAfter(mark);
    if (all && !this.locksHeld) return;
    try {
      this.exchange(this.link, { kind: 'releaseAfter', mark }, false);
      this.fast?.released();
    } catch (error) {
      // In the middle of a rollback nothing is thrown: the next request fails.
      if (!(error instanceof ManagerLost)) throw error;
      this.dropLink();
      this.locksLost = true;
    }
  }

  /** Whether there are locks that the end of the transaction must free. */
  get holdsLocks(): boolean {
    return this.locksHeld || (this.fast !== null && this.fast.held);
  }

  /** The transaction is over without a commit request: rolled back, or (`committed`) it had nothing to write. Never fails. */
  endTransaction(committed = false): void {
    const { fast } = this;
    const held = fast !== null && fast.held && !fast.end() ? true : this.locksHeld;
    this.locksHeld = this.locksLost = false;
    this.mark = 0;
    this.endStatement();
    if (!held || this.link === null) return;
    try {
      this.exchange(this.link, { kind: 'end', committed }, false);
      fast?.ended();
    } catch (error) {
      if (!(error instanceof ManagerLost)) throw error;
      this.dropLink(); // the locks are gone as well
    }
  }

  /** pg_advisory_unlock: false when this session does not hold the lock. */
  unlockAdvisory(key1: number, key2: number, key3: number, shared: boolean): boolean {
    const target: AdvisoryTarget = { kind: 'advisory', key1, key2, key3, shared, session: true };
    const key = advisoryKey(target), held = this.advisory.get(key);
    if (held === undefined) return false;
    if (held.count === 1 && this.fast?.releaseAdvisory(target) !== true) this.callForNumber({ kind: 'unlockAdvisory', key1, key2, key3, shared });
    if (--held.count === 0) this.advisory.delete(key);
    if (this.advisory.size === 0) this.fast?.releasedAdvisory();
    return true;
  }

  unlockAllAdvisory(): void {
    if (this.advisory.size === 0) return;
    let all = this.fast !== null;
    if (this.fast !== null) for (const { target } of this.advisory.values()) if (!this.fast.releaseAdvisory(target)) all = false;
    if (!all) this.callForNumber({ kind: 'unlockAllAdvisory' });
    this.advisory.clear();
    this.fast?.releasedAdvisory();
  }

  lockStatus(): LockStatus[] {
    const answer = this.call({ kind: 'lockStatus' });
    if (answer.kind !== 'lockStatus') throw unexpected(answer);
    return answer.locks;
  }

  blockingPids(pid: number): number[] {
    const answer = this.call({ kind: 'blockingPids', pid });
    if (answer.kind !== 'pids') throw unexpected(answer);
    return answer.pids;
  }

  // --- Commit

  /** Commits; returns after the flush. After 'committed' the transaction's locks are free; after any other answer
   * they are still held. An optimistic commit may wait for locks and then throws as acquireLock does.
   * `decided`: the other half of it is committed, so what locks were lost does not matter any more. */
  commit(request: CommitRequest, decided = false): CommitAnswer {
    this.endStatement();
    const answer = this.tryCommit(request, decided);
    if (answer.kind === 'committed') {
      this.fast?.ended();
      this.locksHeld = this.locksLost = false;
      this.mark = 0;
    }
    return answer;
  }

  /** Throws when the locks of this transaction are lost already. */
  checkLocks(): void {
    if (this.holdsLocks) this.blockingPids(0);
  }

  private tryCommit(request: CommitRequest, decided: boolean): CommitAnswer {
    if (this.locksLost && !decided) this.failForLostLocks();
    for (let attempt = 0; attempt < RECONNECTS; attempt++) {
      const link = this.connect();
      const token: CommitToken = { session: this.sessionToken, number: ++this.commitNumber };
      const { incarnation } = this;
      const message: ClientMessage = { kind: 'commit', token, timeoutMs: settings.lock_timeout, request };
      try {
        const answer = this.exchange(link, message, request.optimistic);
        if (answer.kind !== 'commit') throw unexpected(answer);
        throwInterruption(answer.answer);
        return answer.answer as CommitAnswer;
      } catch (error) {
        if (!(error instanceof ManagerLost)) throw error;
      }
      const heldLocks = this.holdsLocks;
      this.dropLink();
      const outcome = this.askOutcome(incarnation, token);
      if (outcome !== null) return outcome;
      if (heldLocks && !decided) this.failForLostLocks();
    }
    throw unreachable();
  }

  /** What became of a commit whose answer was lost. */
  private askOutcome(incarnation: number, token: CommitToken): CommitAnswer | null {
    for (let attempt = 0; attempt < RECONNECTS; attempt++) {
      try {
        const answer = this.exchange(this.connect(true), { kind: 'outcome', incarnation, token }, false);
        if (answer.kind !== 'outcome') throw unexpected(answer);
        return answer.applied ? { kind: 'committed', xid: answer.xid, commitSeq: answer.commitSeq } : null;
      } catch (error) {
        if (!(error instanceof ManagerLost)) throw unknownOutcome(error);
        this.dropLink();
      }
    }
    throw unknownOutcome(null);
  }

  // --- Prepared transactions

  /** Keeps this half of the transaction instead of applying it, and its locks. The answers are those of a commit. */
  prepare(request: CommitRequest): CommitAnswer {
    request.prepare!.locks = this.fast?.heldTargets() ?? [];
    return this.commit(request);
  }

  /** Both halves are prepared, or will never be. Never fails. */
  endPrepare(): void {
    if (this.link === null) return;
    try {
      this.exchange(this.link, { kind: 'end', committed: true }, false);
    } catch (error) {
      if (!(error instanceof ManagerLost)) throw error;
      this.dropLink();
    }
  }

  /** Commits or rolls back this half of a prepared transaction; false: it is not there. Its locks are free then, those of the
   * running transaction stay. */
  finishPrepared(gid: string, xid: number, commit: boolean): boolean {
    const request: CommitRequest = {
      kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, relations: [], indexes: [], droppedFilenodes: [], asserted: [], readSet: [],
      notifications: [], optimistic: false, finish: { gid, xid, commit },
    };
    try {
      this.tryCommit(request, false);
      return true;
    } catch (error) {
      if (error instanceof PgError && error.condition === 'undefined_object') return false;
      throw error;
    }
  }

  /** The halves of prepared transactions that this environment has. */
  preparedXacts(): PreparedXact[] {
    const answer = this.call({ kind: 'preparedXacts' });
    if (answer.kind !== 'preparedXacts') throw unexpected(answer);
    return answer.list;
  }

  // --- Sequences

  /** The next value. Throws 2200H at the end of a sequence that does not cycle. */
  nextval(sequence: SequenceRequest): Int8 {
    if (this.attempt === 'only') return this.newValue(sequence);
    const { filenode } = sequence;
    if (this.attempt === 'second') return this.given?.get(filenode)?.pop() ?? this.newValue(sequence);
    const value = this.newValue(sequence);
    this.given ??= new Map();
    const values = this.given.get(filenode);
    if (values === undefined) this.given.set(filenode, [value]);
    else values.push(value);
    return value;
  }

  /** An optimistic try begins: should the statement be run again, it gets the same values, as if it had run once. */
  beginFirstTry(): void {
    this.attempt = 'first';
  }
  beginSecondTry(): void {
    this.attempt = 'second';
    for (const values of this.given?.values() ?? []) values.reverse();
  }
  endTries(): void {
    this.attempt = 'only';
    this.given = null;
  }

  private newValue(sequence: SequenceRequest): Int8 {
    let cache = this.sequences.get(sequence.filenode);
    if (cache === undefined) this.sequences.set(sequence.filenode, cache = { value: 0n, left: 0, increment: 0n, burst: false, calls: 0 });
    cache.calls++;
    if (cache.left === 0) this.fetchValues(sequence, cache);
    else cache.value += cache.increment;
    cache.left--;
    return int8(cache.value);
  }

  private fetchValues({ name, ...sequence }: SequenceRequest, cache: SequenceCache): void {
    const burst = sequence.cache <= 1 && cache.calls > BURST;
    const count = burst ? Math.min(cache.calls, MAX_BURST) : Math.max(1, sequence.cache);
    const answer = this.call({ kind: 'nextval', sequence, count });
    if (answer.kind === 'exhausted') {
      const which = answer.ascending ? 'maximum' : 'minimum';
      throw new PgError('sequence_generator_limit_exceeded', `nextval: reached ${which} value of sequence "${name}" (${answer.limit})`);
    }
    if (answer.kind !== 'values') throw unexpected(answer);
    cache.value = BigInt(answer.first);
    cache.left = answer.count;
    cache.increment = BigInt(sequence.increment);
    cache.burst = burst;
  }

  /** Not transactional, as in PostgreSQL. The caller has checked the bounds. */
  setval(filenode: number, value: Int8, isCalled: boolean): void {
    this.sequences.delete(filenode);
    this.call({ kind: 'setval', filenode, value, isCalled });
  }

  /** What SELECT from the sequence shows: the stored row runs ahead of it. */
  sequenceState(filenode: number): SequenceState {
    this.endStatement();
    const answer = this.call({ kind: 'sequenceState', filenode });
    if (answer.kind !== 'sequence') throw unexpected(answer);
    return answer.state;
  }

  /** DISCARD SEQUENCES, and whenever a sequence was altered: forgets cached values. */
  forgetSequences(): void {
    this.endStatement();
    this.sequences.clear();
  }

  /** The end of a statement: sequence values fetched ahead for it go back. Never fails. */
  endStatement(): void {
    if (this.sequences.size === 0) return;
    for (const [filenode, cache] of this.sequences) {
      cache.calls = 0;
      if (!cache.burst || cache.left === 0) continue;
      const handed = int8(cache.value + cache.increment * BigInt(cache.left));
      if (this.link !== null) this.sendOnly(this.link, { kind: 'giveBack', filenode, handed, used: int8(cache.value), count: cache.left });
      cache.left = 0;
      cache.burst = false;
    }
  }

  // --- Numbers

  /** `count` fresh OIDs; the first of them. */
  allocateOids(count = 1): Oid {
    return this.callForNumber({ kind: 'allocateOids', count });
  }

  /** The transaction's id, for those who want to see it; the commit must carry it. */
  allocateXid(): number {
    return this.callForNumber({ kind: 'allocateXid' }, () => { this.locksHeld = true; });
  }

  /** Whether a row that is gone was moved to another partition. The manager remembers so many of them, as long as it lives. */
  wasMoved(relation: number, row: RowId): boolean {
    return this.callForNumber({ kind: 'wasMoved', relation, row }) === 1;
  }

  /** How a transaction ended. */
  xidStatus(xid: number): XidStatus {
    return XID_STATUSES[this.callForNumber({ kind: 'xidStatus', xid })]!;
  }

  /** What a snapshot of this commit does not see: transactions from `next` on, and those `running` then (null: that was too long ago). */
  snapshotXids(commitSeq: number): { next: number; running: number[] | null } {
    const answer = this.call({ kind: 'snapshotXids', commitSeq });
    if (answer.kind !== 'xids') throw unexpected(answer);
    return answer;
  }

  // --- LISTEN and NOTIFY (a NOTIFY goes along with the commit)

  listen(channel: string): void {
    this.callForNumber({ kind: 'listen', channel });
    this.channels.add(channel);
  }
  unlisten(channel: string): void {
    if (!this.channels.delete(channel)) return;
    this.callForNumber({ kind: 'unlisten', channel });
  }
  unlistenAll(): void {
    if (this.channels.size === 0) return;
    this.channels.clear();
    this.callForNumber({ kind: 'unlistenAll' });
  }
  get listeningChannels(): ReadonlySet<string> {
    return this.channels;
  }

  /** Readable when notifications have come (or the manager died: drainNotifications then connects anew). -1: there is
   * nothing to wait for. */
  get notifyFd(): number {
    return this.link !== null && (this.channels.size > 0 || this.advisory.size > 0) ? this.link.fd : -1;
  }

  /** What has come since the last call. Does not wait. */
  drainNotifications(): Notification[] {
    if (this.link !== null && this.channels.size + this.advisory.size > 0) {
      try {
        for (let message; (message = this.link.poll()) !== null;) this.noteNotification(message);
      } catch (error) {
        if (!(error instanceof ManagerLost)) throw error;
        // With locks the transaction fails at its next request; without, a new connection listens on.
        if (!this.holdsLocks) {
          this.dropLink();
          this.connect();
        }
      }
    }
    const drained = this.notifications;
    if (drained.length > 0) this.notifications = [];
    return drained;
  }

  private noteNotification(message: ServerMessage): void {
    if (message.kind !== 'notify') throw unexpected(message);
    this.notifications.push({ pid: message.pid, channel: message.channel, payload: message.payload });
  }

  // --- The connection

  private callForNumber(message: ClientMessage, sent?: () => void): number {
    const answer = this.call(message, false, sent);
    if (answer.kind !== 'number') throw unexpected(answer);
    return answer.value;
  }

  /** Request and answer, again on a new connection when the manager dies and the transaction has lost nothing. */
  private call(message: ClientMessage, interruptible = false, answered?: () => void): ServerMessage {
    if (this.locksLost) this.failForLostLocks();
    for (let attempt = 0; attempt < RECONNECTS; attempt++) {
      const link = this.connect();
      try {
        const answer = this.exchange(link, message, interruptible, answered);
        if (answer.kind === 'failed') throw new PgError(answer.condition, answer.message);
        return answer;
      } catch (error) {
        if (!(error instanceof ManagerLost)) throw error;
        const heldLocks = this.holdsLocks;
        this.dropLink();
        if (heldLocks) this.failForLostLocks();
      }
    }
    throw unreachable();
  }

  private exchange(link: ManagerLink, message: ClientMessage, interruptible: boolean, answered?: () => void): ServerMessage {
    const { out } = this;
    out.clear();
    out.makeSpill = message.kind === 'commit' ? link.makeSpill : null;
    try {
      writeClientMessage(out, message);
    } catch (error) {
      if (out.spill instanceof CommitFile) out.spill.remove();
      throw error;
    }
    link.send(out);
    if (out.bytes.length > 1 << 22) out.bytes = Buffer.allocUnsafeSlow(16384);
    let interrupt: unknown = null, activity: string | null = null;
    const look = (): void => {
      // Even a commit that holds its locks may have to wait, for a prepared transaction: it can be ended as long as it does.
      if ((!interruptible && activity === null) || interrupt !== null) return;
      try {
        checkForSignals();
      } catch (error) {
        // The wait ends, but whatever the answer will be must be read before anything else is said.
        interrupt = error;
        this.sendOnly(link, { kind: 'cancel' });
      }
    };
    try {
      for (;;) {
        const answer = link.receive(look);
        if (answer.kind === 'notify') {
          this.noteNotification(answer);
          continue;
        }
        if (answer.kind === 'waiting') {
          activity = getPsStatus();
          setPsStatus(`${activity} waiting`);
          reportWait(waitEventOf(message));
          look();
          continue;
        }
        if (answer.kind !== 'failed') answered?.();
        if (interrupt !== null) this.throwInterrupt(interrupt, answer, interruptible);
        if (answer.kind === 'failed' && message.kind === 'commit') throw new PgError(answer.condition, answer.message);
        return answer;
      }
    } finally {
      if (activity !== null) {
        setPsStatus(activity);
        reportWait(null);
      }
    }
  }

  /** A commit that got through is a commit, though somebody wanted it cancelled; the end of the session is put off by it only
   * where a rollback would take back what was done beside it. */
  private throwInterrupt(interrupt: unknown, answer: ServerMessage, atOnce: boolean): void {
    if (answer.kind === 'commit' && answer.answer.kind === 'committed') {
      if (!(interrupt instanceof FatalError)) return;
      if (!atOnce) return lookAgain();
    }
    throw interrupt;
  }

  /** Sends what has no answer; a manager that died is noticed at the next request. */
  private sendOnly(link: ManagerLink, message: ClientMessage): void {
    const out = new ByteWriter(128);
    writeClientMessage(out, message);
    try {
      link.send(out);
    } catch (error) {
      if (!(error instanceof ManagerLost)) throw error;
    }
  }

  private connect(patient = false): ManagerLink {
    if (this.link !== null) return this.link;
    if (this.sessionToken === 0) this.sessionToken = (port.randomInt() >>> 0) * 65536 + (port.randomInt() & 0xffff);
    const database = this.database();
    for (let attempt = 0; attempt < RECONNECTS; attempt++) {
      const link = this.makeLink !== null ? this.makeLink(database) : ManagerLink.open(database, patient);
      try {
        const welcome = this.exchange(link, { kind: 'hello', pid: session.pid, session: this.sessionToken }, false);
        if (welcome.kind !== 'welcome') throw unexpected(welcome);
        this.renewSession(link);
        this.incarnation = welcome.incarnation;
        this.lockSession = welcome.lockSession;
        this.lockNonce = welcome.lockNonce;
        this.lockPath = welcome.lockPath;
        this.link = link;
        return link;
      } catch (error) {
        link.close();
        if (!(error instanceof ManagerLost)) throw error; // retiring or dying: try again
      }
    }
    throw unreachable();
  }

  /** What belongs to the session rather than to a transaction is told to a new manager. */
  private renewSession(link: ManagerLink): void {
    for (const channel of this.channels) this.exchange(link, { kind: 'listen', channel }, false);
    for (const { target } of this.advisory.values()) {
      const answer = this.exchange(link, { kind: 'locks', targets: [target], policy: 'error', timeoutMs: 0, mark: 0 }, false);
      if (answer.kind !== 'locks') throw unexpected(answer);
      if (answer.answers[0]!.kind !== 'granted') {
        this.advisory.clear();
        throw new FatalError('crash_shutdown', 'terminating connection because an advisory lock was lost', {
          detail: 'The transaction manager of this database was restarted, and another session has taken the lock.',
        });
      }
    }
  }

  private dropLink(): void {
    this.close();
    this.mark = 0;
  }

  private failForLostLocks(): never {
    this.locksLost = true;
    throw new PgError('serialization_failure', 'the transaction manager of this database was restarted', {
      detail: 'The locks of this transaction were lost.', hint: 'The transaction might succeed if retried.',
    });
  }
}

/** The transaction manager of the session's database. */
export const client = new ManagerClient(() => session.databaseOid);
/** The one of the catalogs that all databases share. */
export const sharedClient = new ManagerClient(() => 0);

export function managerClient(shared: boolean): ManagerClient {
  return shared ? sharedClient : client;
}

const advisoryKey = ({ key1, key2, key3, shared }: AdvisoryTarget): string => `${key1},${key2},${key3},${shared}`;

function throwInterruption(answer: { kind: string; detail?: string }): void {
  switch (answer.kind) {
    case 'deadlock':
      countOfDatabase(DATABASE.deadlocks);
      throw new PgError('deadlock_detected', 'deadlock detected', { detail: answer.detail, hint: 'See server log for query details.' });
    case 'timeout': throw new PgError('lock_not_available', 'canceling statement due to lock timeout');
    case 'cancelled': throw new PgError('query_canceled', 'canceling statement due to user request');
  }
}

function unexpected(answer: ServerMessage): Error {
  if (answer.kind === 'failed') return new PgError(answer.condition, answer.message);
  return internalError(`unexpected answer "${answer.kind}" of the transaction manager`);
}
function unreachable(): PgError {
  return new PgError('cannot_connect_now', 'could not reach the transaction manager of this database');
}
function unknownOutcome(error: unknown): PgError {
  return new PgError('transaction_resolution_unknown', 'it is not known whether the transaction was committed', {
    detail: error instanceof Error ? `The transaction manager could not be asked: ${error.message}.` : undefined,
  });
}
