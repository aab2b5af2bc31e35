// The transaction manager without any I/O: what goes in are connects, messages, disconnects and the time; what comes
// out are answers (`outputs`) and batches to apply (`takeBatch`, `finishBatch`). The same inputs give the same outputs,
// which is what the simulation tests rest on.
//
// Life of a commit: `receive` puts it among the ready ones; `takeBatch` checks an optimistic one against other
// sessions' locks (nothing can come between that and the apply) and lets it wait where one is in the way; the applier
// checks data and writes; `finishBatch` frees the locks and answers. Numbers that must be durable before somebody
// hears of them (sequence values, oids, shown xids) go through the same batches: their answers are `withheld`.
import { assert } from '../../common/errors.ts';
import type { AppliedCommit, BatchCommit, BatchResult, BatchWork } from './apply.ts';
import { Channels } from './channels.ts';
import { ChangeCursor, EntryCursor, type CommitView } from './commit_codec.ts';
import { checkDeadlock, deadlockDetail, edgesOf, modeName, wakeAll } from './deadlock.ts';
import {
  KIND_ADVISORY, KIND_KEY, KIND_ROW, KIND_TABLE, LockTable, MODE_EXCLUSIVE, MODE_SHARED, ROW_EXCLUSIVE, ROW_MODES,
  conflictSet, eachHolder, locate, located, othersMask, ownMask, targetOf, type Lock, type LockOwner, type Waiter,
} from './locks.ts';
import type { CommitToken, FinishSection, LockAnswer, LockStatus, LockTarget, PreparedXact, PrepareSection, ServerMessage, WaitPolicy } from './messages.ts';
import { MovedRows } from './moved_rows.ts';
import type { PreparedState } from './prepared.ts';
import { SESSION_HOLD, SharedLocks } from './shared_locks.ts';
import { advanceSequence, sequenceState, toInt8, type LiveSequence } from './sequences.ts';
import type { Incoming } from './wire.ts';
import { XID_STATUSES, XidLog } from './xid_log.ts';

const FIRST_OID = 16384, LAST_OID = 0xffffffff, FIRST_XID = 3;
/** Numbers made durable ahead of need. */
const OID_PREFETCH = 8192, XID_PREFETCH = 1024;
const MAX_SEQUENCE_VALUES = 65536;
/** All locks of a database together; beyond, 53200. */
const MAX_LOCKS = 10_000_000;
const NEVER = -1;
/** Most waits are over before the one who waits could say so (`ps`): a message, and a wake for nothing, in a third of TPC-B's transactions. */
const TELL_AFTER_MS = 10;

/** What the machine asks of the store, by looking only. */
export interface StoreView {
  readonly commitSeq: number;
  readonly incarnation: number;
  changedSeq(filenode: number): number;
  readSequence(filenode: number): LiveSequence | undefined;
  outcome(incarnation: number, token: CommitToken): AppliedCommit | undefined;
}

/** A `locks` request that has not been answered. */
interface LockRequest {
  readonly targets: readonly LockTarget[];
  readonly policy: WaitPolicy;
  readonly timeoutMs: number;
  readonly mark: number;
  readonly answers: LockAnswer[];
}

class Session implements LockOwner {
  readonly id: number;
  pid = 0;
  /** CommitToken.session of what it commits. */
  token = 0;
  /** In the lock memory; 0: none. */
  number = 0;
  xid = 0;
  readonly heldLocks: Lock[] = [];
  readonly heldModes: number[] = [];
  readonly heldMarks: number[] = [];
  waiter: Waiter | null = null;
  deadlineMs = NEVER;
  /** When it is told that it waits; `NEVER`: it has been, or it does not. */
  tellMs = NEVER;
  /** Session-level advisory locks. How often each was taken is the session's business. */
  readonly advisory = new Set<Lock>();
  request: LockRequest | null = null;
  commit: CommitView | null = null;
  constructor(id: number) {
    this.id = id;
  }
}

/** A prepared transaction: it holds its locks without a session. */
class Prepared implements LockOwner {
  readonly pid = 0;
  xid: number;
  readonly heldLocks: Lock[] = [];
  readonly heldModes: number[] = [];
  readonly heldMarks: number[] = [];
  readonly waiter = null;
  readonly state: PreparedState;
  /** Whoever is just preparing it: the other environment's half may be missing yet. Null when this process has begun since. */
  preparer: Session | null;
  preparerPid: number;
  constructor(state: PreparedState, preparer: Session | null) {
    this.state = state;
    this.xid = state.id;
    this.preparer = preparer;
    this.preparerPid = state.xact.pid;
  }
}

interface Sequence extends LiveSequence {
  /** What must become durable with the next batch. */
  toWrite: LiveSequence | null;
  /** Answers wait for it. */
  withheld: boolean;
}

export interface Output { readonly session: number; readonly message: ServerMessage }

export interface MachineOptions {
  readonly database: number;
  readonly view: StoreView;
  readonly nextXid: number;
  readonly nextOid: number;
  readonly prepared: readonly PreparedState[];
  /** What backends lock in by themselves (lock_memory.ts). */
  readonly lockWords: Int32Array;
  readonly lockNonce: number;
  readonly lockPath: string;
}

export class StateMachine {
  /** Answers to be sent; whoever drives the machine empties it. */
  outputs: Output[] = [];
  /** Set when somebody asked for a sweep of dead readers. */
  readerCheckWanted = false;
  /** Some listener has so many notifications unread that there may be no more. */
  notifyQueueFull = false;
  nowMs = 0;
  private readonly database: number;
  private readonly view: StoreView;
  private readonly sessions = new Map<number, Session>();
  private readonly locks = new LockTable();
  private readonly shared: SharedLocks;
  private readonly lockNonce: number;
  private readonly lockPath: string;
  private readonly waiting = new Set<Session>();
  /** By gid. */
  private readonly prepared = new Map<string, Prepared>();
  private ready: Session[] = [];
  private batch: Session[] = [];
  private withheld: Output[] = [];
  private inBatch: Output[] = [];
  private resumed: Waiter[] = [];
  private readonly movedRows = new MovedRows();
  private readonly channels = new Channels<Session>();
  private readonly sequences = new Map<number, Sequence>();
  private readonly changedSequences = new Set<number>();
  private nextXid: number;
  private readonly xidLog: XidLog;
  private durableXid: number;
  private nextOid: number;
  private durableOid: number;
  private mustWrite = false;
  private readonly changes = new ChangeCursor();
  private readonly entries = new EntryCursor();
  /** A bound function, made once. */
  private readonly granted = (waiter: Waiter): void => this.onGranted(waiter);

  constructor({ database, view, nextXid, nextOid, prepared, lockWords, lockNonce, lockPath }: MachineOptions) {
    this.database = database;
    this.view = view;
    this.lockNonce = lockNonce;
    this.lockPath = lockPath;
    this.shared = new SharedLocks(lockWords, database, this.locks, (owner, lock, mode, mark) => {
      if ((lock.kind === KIND_ROW || lock.kind === KIND_KEY) && owner.xid === 0) owner.xid = this.nextXid++;
      if (mark === SESSION_HOLD) this.holdForSession(owner as Session, lock, mode);
      else this.locks.hold(owner, lock, mode, mark);
    });
    this.nextXid = this.durableXid = Math.max(nextXid, FIRST_XID);
    this.xidLog = new XidLog(this.nextXid, view.commitSeq);
    this.nextOid = this.durableOid = Math.max(nextOid, FIRST_OID);
    for (const state of prepared) this.restore(new Prepared(state, null));
  }

  // Inputs.

  connect(id: number): void {
    const session = new Session(id);
    session.number = this.shared.attach(session);
    this.sessions.set(id, session);
  }

  /** The connection's end frees everything. A commit that is not in a batch yet is forgotten: nobody heard of it. */
  disconnect(id: number): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    if (session.waiter !== null) this.stopWaiting(session);
    session.commit = null;
    session.request = null;
    if (this.prepared.size > 0) this.noLongerPreparing(session);
    this.channels.unlistenAll(session);
    this.releaseAll(session);
    this.shared.detach(session.number);
    this.settle();
  }

  receive(id: number, message: Incoming): void {
    const session = this.sessions.get(id);
    assert(session !== undefined, 'a message comes from a known session');
    assert(message.kind === 'cancel' || !this.isBusy(id), 'a session awaits the answer before its next request');
    this.handle(session, message);
    this.settle();
  }

  /** Whether a session's request has not been answered. */
  isBusy(id: number): boolean {
    const session = this.sessions.get(id);
    return session !== undefined && (session.request !== null || session.commit !== null);
  }

  /** Tells the time; ends waits whose lock_timeout has come. To be called before what comes is received: limits count from then. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    for (const session of this.waiting) {
      if (session.deadlineMs !== NEVER && session.deadlineMs <= nowMs) {
        this.interrupt(session, { kind: 'timeout' });
      } else if (session.tellMs !== NEVER && session.tellMs <= nowMs) {
        session.tellMs = NEVER;
        this.answer(session.id, { kind: 'waiting' });
      }
    }
    this.settle();
  }

  /** When the next tick is needed; -1: never. */
  nextDeadlineMs(): number {
    let next = NEVER;
    for (const { deadlineMs, tellMs } of this.waiting) {
      if (deadlineMs !== NEVER && (next === NEVER || deadlineMs < next)) next = deadlineMs;
      if (tellMs !== NEVER && (next === NEVER || tellMs < next)) next = tellMs;
    }
    return next;
  }

  /** CommitToken.session of a session; 0: not said, or not known. */
  tokenOf(id: number): number {
    return this.sessions.get(id)?.token ?? 0;
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  // Batches.

  get hasWork(): boolean {
    return this.ready.length > 0 || this.withheld.length > 0 || this.mustWrite;
  }

  /** Whether a commit that stands in these bytes still waits. */
  hasCommit(bytes: Buffer): boolean {
    for (const session of this.sessions.values()) if (session.commit?.bytes === bytes) return true;
    return false;
  }

  /** The next batch, to be applied before anything else comes in; null when there is nothing to do. */
  takeBatch(): BatchWork | null {
    assert(this.batch.length === 0, 'one batch at a time');
    const ready = this.ready;
    this.ready = [];
    const commits: BatchCommit[] = [];
    for (let i = 0; i < ready.length; i++) {
      const session = ready[i]!, view = session.commit;
      if (view === null) continue; // cancelled, or its session is gone
      if (this.notifyQueueFull && view.notifications.length > 0) {
        session.commit = null;
        this.answer(session.id, { kind: 'failed', condition: 'program_limit_exceeded', message: 'too many notifications in the NOTIFY queue' });
        continue;
      }
      if (view.prepare !== null || view.finish !== null) {
        const commit = view.prepare !== null ? this.beginPrepare(session, view, view.prepare) : this.beginFinish(session, view, view.finish!);
        if (commit === null) continue;
        commits.push(commit);
        this.batch.push(session);
        // What comes behind must find its locks.
        this.ready = ready.slice(i + 1);
        break;
      }
      if (view.optimistic ? this.meetsLock(session, view) : this.prepared.size > 0 && this.meetsPrepared(session, view)) continue;
      if (view.serializable && this.prepared.size > 0 && this.wouldFailPrepared(session, view)) continue;
      commits.push({ view, xid: view.xid !== 0 ? view.xid : session.xid !== 0 ? session.xid : this.nextXid++, prepared: null });
      this.batch.push(session);
    }
    this.settle();
    if (commits.length === 0 && this.withheld.length === 0 && !this.mustWrite) {
      this.shared.unpin();
      return null;
    }
    const sequences = [...this.changedSequences].map((filenode) => ({ filenode, state: this.sequences.get(filenode)!.toWrite! }));
    this.inBatch = this.withheld;
    this.withheld = [];
    const { mustWrite } = this;
    this.mustWrite = false;
    const nextXid = mustWrite ? this.nextXid + XID_PREFETCH : Math.max(this.durableXid, this.nextXid);
    const nextOid = mustWrite ? Math.min(this.nextOid + OID_PREFETCH, LAST_OID) : this.durableOid;
    return { commits, sequences, nextXid, nextOid, mustWrite };
  }

  /** After the batch has become durable, or has failed. */
  finishBatch(work: BatchWork, { outcomes, failure, numbersWritten }: BatchResult): void {
    for (const { filenode } of work.sequences) {
      // After a failure the stored row is read again.
      if (failure !== null) this.sequences.delete(filenode);
      else Object.assign(this.sequences.get(filenode)!, { toWrite: null, withheld: false });
    }
    this.changedSequences.clear();
    this.shared.unpin();
    if (numbersWritten) {
      this.durableXid = work.nextXid;
      this.durableOid = work.nextOid;
    }
    for (const { session, message } of this.inBatch) this.answer(session, failure ?? message);
    this.inBatch = [];
    const batch = this.batch;
    this.batch = [];
    for (let i = 0; i < batch.length; i++) {
      const session = batch[i]!, view = session.commit!, outcome = outcomes[i]!, { prepared } = work.commits[i]!;
      session.commit = null;
      if (outcome.kind === 'committed' && prepared !== null) {
        if (view.finish === null) this.finishPrepare(session, prepared);
        else this.endPrepared(prepared, view.finish.commit, outcome.commitSeq);
      } else if (outcome.kind === 'committed') {
        for (const relation of view.relations) this.sequences.delete(relation.filenode);
        for (const filenode of view.dropped) this.sequences.delete(filenode);
        this.movedRows.note(view);
        this.xidLog.committed(outcome.xid, outcome.commitSeq);
        this.endTransaction(session, true);
        this.notify(view);
      }
      this.answer(session.id, outcome.kind === 'failed' ? outcome : { kind: 'commit', answer: outcome });
    }
    this.settle();
  }

  /** At the end of the process: the rows of sequences as they are, so that no number is skipped. */
  finalSequences(): { filenode: number; state: LiveSequence }[] {
    const exact: { filenode: number; state: LiveSequence }[] = [];
    for (const [filenode, { lastValue, isCalled }] of this.sequences) exact.push({ filenode, state: { lastValue, logCount: 0, isCalled } });
    return exact;
  }
  get numbers(): { nextXid: number; nextOid: number } {
    return { nextXid: this.durableXid, nextOid: this.durableOid };
  }

  // Requests.

  private answer(session: number, message: ServerMessage): void {
    if (this.sessions.has(session)) this.outputs.push({ session, message });
  }

  private handle(session: Session, message: Incoming): void {
    switch (message.kind) {
      case 'hello':
        session.pid = message.pid;
        session.token = message.session;
        this.answer(session.id, {
          kind: 'welcome', incarnation: this.view.incarnation, commitSeq: this.view.commitSeq, lockSession: session.number, lockNonce: this.lockNonce, lockPath: this.lockPath,
        });
        return;
      case 'commit':
        session.commit = message.view;
        this.ready.push(session);
        return;
      case 'locks':
        session.request = { ...message, answers: [] };
        this.continueRequest(session);
        return;
      case 'cancel':
        if (session.waiter !== null) this.interrupt(session, { kind: 'cancelled' });
        return;
      case 'end':
        if (this.prepared.size > 0) this.noLongerPreparing(session);
        this.endTransaction(session, message.committed);
        this.answerNumber(session, 0);
        return;
      case 'releaseAfter':
        this.shared.clearAfter(session.number, message.mark);
        this.locks.releaseAfter(session, message.mark, this.granted);
        this.answerNumber(session, 0);
        return;
      case 'unlockAdvisory':
        this.answerNumber(session, this.unlockAdvisory(session, `${message.key1},${message.key2},${message.key3}`, message.shared) ? 1 : 0);
        return;
      case 'unlockAllAdvisory':
        this.releaseAdvisory(session);
        this.answerNumber(session, 0);
        return;
      case 'nextval': this.nextval(session, message); return;
      case 'giveBack': {
        const sequence = this.sequences.get(message.filenode);
        if (sequence === undefined || sequence.toWrite !== null || sequence.lastValue !== BigInt(message.handed)) return;
        sequence.lastValue = BigInt(message.used);
        sequence.logCount += message.count;
        return;
      }
      case 'setval': {
        if (this.sequence(message.filenode) === undefined) { this.noSequence(session, message.filenode); return; }
        const state: LiveSequence = { lastValue: BigInt(message.value), logCount: 0, isCalled: message.isCalled };
        this.sequences.set(message.filenode, { ...state, toWrite: state, withheld: true });
        this.changedSequences.add(message.filenode);
        this.withheld.push({ session: session.id, message: { kind: 'number', value: 0 } });
        return;
      }
      case 'sequenceState': {
        const sequence = this.sequence(message.filenode);
        if (sequence === undefined) this.noSequence(session, message.filenode);
        else this.answer(session.id, { kind: 'sequence', state: sequenceState(sequence) });
        return;
      }
      case 'allocateOids': this.allocateOids(session, message.count); return;
      case 'allocateXid': this.allocateXid(session); return;
      case 'wasMoved': this.answerNumber(session, this.movedRows.has(message.relation, message.row) ? 1 : 0); return;
      case 'xidStatus':
        this.answerNumber(session, XID_STATUSES.indexOf(this.xidLog.status(message.xid, this.runningXids(), this.nextXid)));
        return;
      case 'snapshotXids':
        this.answer(session.id, { kind: 'xids', next: this.nextXid, running: this.xidLog.unfinished(this.runningXids(), message.commitSeq) });
        return;
      case 'listen':
        this.channels.listen(session, message.channel);
        this.answerNumber(session, 0);
        return;
      case 'unlisten':
        this.channels.unlisten(session, message.channel);
        this.answerNumber(session, 0);
        return;
      case 'unlistenAll':
        this.channels.unlistenAll(session);
        this.answerNumber(session, 0);
        return;
      case 'outcome': {
        const applied = this.view.outcome(message.incarnation, message.token);
        this.answer(session.id, {
          kind: 'outcome', applied: applied !== undefined, xid: applied?.xid ?? 0, commitSeq: applied?.commitSeq ?? 0,
        });
        return;
      }
      case 'preparedXacts': this.answer(session.id, { kind: 'preparedXacts', list: this.preparedXacts() }); return;
      case 'lockStatus': this.answer(session.id, { kind: 'lockStatus', locks: this.lockStatus() }); return;
      case 'blockingPids': this.answer(session.id, { kind: 'pids', pids: this.blockingPids(message.pid) }); return;
      case 'readerCheck':
        this.readerCheckWanted = true;
        this.answerNumber(session, 0);
    }
  }

  private answerNumber(session: Session, value: number): void {
    this.answer(session.id, { kind: 'number', value });
  }

  // Locks.

  /** Goes on with a session's lock request until it is done or has to wait. */
  private continueRequest(session: Session): void {
    const request = session.request!;
    while (request.answers.length < request.targets.length) {
      if (this.locks.total >= MAX_LOCKS) {
        session.request = null;
        this.answer(session.id, { kind: 'failed', condition: 'out_of_memory', message: 'out of shared memory' });
        return;
      }
      locate(request.targets[request.answers.length]!);
      const { kind, mode } = located;
      const lock = this.locks.obtain(kind, located.space, located.id);
      const target = request.targets[request.answers.length]!;
      this.shared.strengthen(lock, mode);
      if (this.locks.tryAcquire(session, lock, mode)) {
        this.take(session, lock, mode, target, request.mark);
        request.answers.push(this.grantedAnswer(lock, false));
        continue;
      }
      if (request.policy !== 'block') {
        this.shared.weaker(lock);
        request.answers.push({ kind: 'unavailable' });
        if (request.policy === 'skip') continue;
        break;
      }
      const cycle = this.wait(session, lock, mode, true, request.timeoutMs);
      if (cycle === null) return; // settle() goes on with it
      request.answers.push({ kind: 'deadlock', detail: cycle });
      break;
    }
    session.request = null;
    this.answer(session.id, { kind: 'locks', answers: request.answers });
  }

  private take(session: Session, lock: Lock, mode: number, target: LockTarget, mark: number): void {
    if ((lock.kind === KIND_ROW || lock.kind === KIND_KEY) && session.xid === 0) session.xid = this.nextXid++;
    if (target.kind === 'advisory' && target.session) this.holdForSession(session, lock, mode);
    else this.locks.hold(session, lock, mode, mark);
  }

  private holdForSession(session: Session, lock: Lock, mode: number): void {
    this.locks.addMask(session, lock, 1 << (mode + 16));
    session.advisory.add(lock);
  }

  private grantedAnswer(lock: Lock, waited: boolean): LockAnswer {
    const changedSeq = lock.kind === KIND_ROW ? this.view.changedSeq(lock.space) : this.view.commitSeq;
    return { kind: 'granted', waited, changedSeq };
  }

  /** Lets a session wait. The DETAIL text when that would be a deadlock: it does not wait then. */
  private wait(session: Session, lock: Lock, mode: number, takes: boolean, timeoutMs: number): string | null {
    if (lock.kind === KIND_ROW || lock.kind === KIND_KEY) if (session.xid === 0) session.xid = this.nextXid++;
    const waiter: Waiter = { owner: session, lock, mode, sinceMs: this.nowMs, takes };
    this.locks.enqueue(waiter);
    this.waiting.add(session);
    session.deadlineMs = timeoutMs > 0 ? this.nowMs + timeoutMs : NEVER;
    session.tellMs = this.nowMs + TELL_AFTER_MS;
    const reordered = new Set<Lock>();
    const cycle = checkDeadlock(waiter, reordered);
    if (cycle !== null) {
      const detail = deadlockDetail(cycle, this.database);
      this.stopWaiting(session);
      return detail;
    }
    wakeAll(this.locks, reordered, this.granted);
    return null;
  }

  private stopWaiting(session: Session): void {
    this.noLongerWaits(session);
    this.locks.dequeue(session.waiter!, this.granted);
  }

  private noLongerWaits(session: Session): void {
    this.waiting.delete(session);
    session.deadlineMs = session.tellMs = NEVER;
  }

  /** A waiter may go on. Takes the hold now, so that those behind it see it; the rest happens in settle. */
  private onGranted(waiter: Waiter): void {
    const session = waiter.owner as Session;
    this.noLongerWaits(session);
    if (waiter.takes) {
      const request = session.request!;
      this.take(session, waiter.lock, waiter.mode, request.targets[request.answers.length]!, request.mark);
      request.answers.push(this.grantedAnswer(waiter.lock, true));
    }
    this.resumed.push(waiter);
  }

  /** Goes on with everybody who was let go on meanwhile. */
  private settle(): void {
    while (this.resumed.length > 0) {
      const resumed = this.resumed;
      this.resumed = [];
      for (const { owner, takes } of resumed) {
        const session = owner as Session;
        if (!this.sessions.has(session.id)) continue;
        if (!takes) this.ready.push(session);
        else if (session.request !== null) this.continueRequest(session);
      }
    }
  }

  /** Ends a wait with this answer. */
  private interrupt(session: Session, answer: { kind: 'timeout' } | { kind: 'cancelled' }): void {
    this.stopWaiting(session);
    if (session.commit !== null) {
      session.commit = null;
      this.answer(session.id, { kind: 'commit', answer });
      return;
    }
    const request = session.request!;
    session.request = null;
    request.answers.push(answer);
    this.answer(session.id, { kind: 'locks', answers: request.answers });
  }

  private endTransaction(session: Session, committed: boolean): void {
    this.shared.clear(session.number);
    this.locks.releaseAfter(session, NEVER, this.granted);
    if (session.xid !== 0 && !committed) this.xidLog.rolledBack(session.xid);
    session.xid = 0;
  }

  private releaseAll(session: Session): void {
    this.endTransaction(session, false);
    this.releaseAdvisory(session);
  }

  private releaseAdvisory(session: Session): void {
    this.shared.clearAllAdvisory(session.number);
    for (const lock of session.advisory) {
      const mask = ownMask(lock, session) & ~0xffff;
      if (mask !== 0) this.locks.removeMask(session, lock, mask, this.granted);
    }
    session.advisory.clear();
  }

  private unlockAdvisory(session: Session, id: string, shared: boolean): boolean {
    const lock = this.locks.find(KIND_ADVISORY, 0, id), mask = 1 << ((shared ? MODE_SHARED : MODE_EXCLUSIVE) + 16);
    if (lock === undefined || (ownMask(lock, session) & mask) === 0) return false;
    this.shared.clearAdvisory(session.number, id, shared);
    if ((ownMask(lock, session) & ~0xffff) === mask) session.advisory.delete(lock);
    this.locks.removeMask(session, lock, mask, this.granted);
    return true;
  }

  // Prepared transactions. Everything they do is kept by the store and their locks by `Prepared`, until somebody finishes them.

  private restore(prepared: Prepared): void {
    this.prepared.set(prepared.state.xact.gid, prepared);
    for (const target of prepared.state.locks) {
      locate(target);
      const { mode } = located, lock = this.locks.obtain(located.kind, located.space, located.id);
      this.shared.strengthen(lock, mode);
      this.locks.hold(prepared, lock, mode, 0);
    }
  }

  /** Before the request is checked: takes the locks that its commit will need. Null: it is answered, or waits. */
  private beginPrepare(session: Session, view: CommitView, { limit, locks, ...xact }: PrepareSection): BatchCommit | null {
    const refusal = this.refusePrepare(session, xact, limit, locks);
    if (refusal !== null) {
      session.commit = null;
      this.answer(session.id, refusal);
      return null;
    }
    if (!this.lockChanges(session, view)) return null;
    const id = view.xid !== 0 ? view.xid : session.xid !== 0 ? session.xid : this.nextXid++;
    const prepared: PreparedState = {
      id, xact, readSet: view.serializable ? view.readSet : [], changes: [...view.relations.map((r) => r.filenode), ...view.dropped],
      locks: session.heldLocks.map((lock, i) => targetOf(lock, session.heldModes[i]!)),
    };
    return { view, xid: id, prepared };
  }

  /** If nothing else refuses it, the locks that the session has taken by itself are in the table then. */
  private refusePrepare(session: Session, { gid }: PreparedXact, limit: number, locks: readonly LockTarget[]): ServerMessage | null {
    if (this.prepared.has(gid)) return { kind: 'failed', condition: 'duplicate_object', message: `transaction identifier "${gid}" is already in use` };
    if (this.prepared.size >= limit) return { kind: 'failed', condition: 'out_of_memory', message: 'maximum number of prepared transactions reached' };
    if (this.locks.total >= MAX_LOCKS) return { kind: 'failed', condition: 'out_of_memory', message: 'out of shared memory' };
    for (const target of locks) {
      locate(target);
      const { mode } = located;
      this.locks.hold(session, this.locks.obtain(located.kind, located.space, located.id), mode, 0);
    }
    if (!session.heldLocks.some((lock) => session.advisory.has(lock))) return null;
    return { kind: 'failed', condition: 'feature_not_supported', message: 'cannot PREPARE while holding both session-level and transaction-level locks on the same object' };
  }

  /** Locks all rows that the request changes and all unique keys that it adds: those of catalogs, and of very many keys, are left
   * to the commit otherwise, which must not fail here. */
  private lockChanges(session: Session, view: CommitView): boolean {
    return this.eachChange(view, (kind, space, id, mode) => {
      const lock = this.locks.obtain(kind, space, id);
      if (!this.locks.tryAcquire(session, lock, mode)) return this.waitFor(session, view, lock, mode);
      if (session.xid === 0) session.xid = this.nextXid++;
      this.locks.hold(session, lock, mode, 0);
      return false;
    });
  }

  /** A commit that changes, without a lock of its own, what a prepared transaction has locked: it waits. */
  private meetsPrepared(session: Session, view: CommitView): boolean {
    return !this.eachChange(view, (kind, space, id, mode) => {
      const lock = this.locks.find(kind, space, id);
      if (lock === undefined) return false;
      let inTheWay = false;
      eachHolder(lock, (owner, mask) => { inTheWay ||= owner instanceof Prepared && (mask & conflictSet(kind, mode)) !== 0; });
      return inTheWay && this.waitFor(session, view, lock, mode);
    });
  }

  /** Calls back with the locks that changes need; false when that said to stop. */
  private eachChange(view: CommitView, stop: (kind: number, space: number, id: number | string, mode: number) => boolean): boolean {
    for (const { filenode, changed } of view.relations) {
      const keyChanged = this.rowsWithChangedKey(view, filenode);
      this.changes.reset(view.bytes, changed);
      while (this.changes.next()) {
        const { row } = this.changes, mode = this.changes.at < 0 || keyChanged.has(row) ? ROW_MODES.update : ROW_MODES.nokeyupdate;
        if (stop(KIND_ROW, filenode, row, mode)) return false;
      }
    }
    for (const { filenode, unique, added } of view.indexes) {
      if (!unique) continue;
      this.entries.reset(view.bytes, added);
      while (this.entries.next()) if (!this.entries.notUnique && stop(KIND_KEY, filenode, this.entries.lockKey, MODE_EXCLUSIVE)) return false;
    }
    return true;
  }

  /** A prepared transaction can't be refused any more for what it has read: so a serializable one that changes it is. */
  private wouldFailPrepared(session: Session, view: CommitView): boolean {
    for (const { state: { readSet } } of this.prepared.values()) {
      const relation = readSet.length === 0 ? undefined : [...view.relations.map((r) => r.filenode), ...view.dropped].find((f) => readSet.includes(f));
      if (relation === undefined) continue;
      session.commit = null;
      this.answer(session.id, { kind: 'commit', answer: { kind: 'serialization', relation } });
      return true;
    }
    return false;
  }

  /** It is durable: its locks are nobody's who could die. */
  private finishPrepare(session: Session, state: PreparedState): void {
    const prepared = new Prepared(state, session);
    this.prepared.set(state.xact.gid, prepared);
    for (let i = 0; i < session.heldLocks.length; i++) this.locks.hold(prepared, session.heldLocks[i]!, session.heldModes[i]!, 0);
    this.endTransaction(session, true);
  }

  private beginFinish(session: Session, view: CommitView, { gid, xid }: FinishSection): BatchCommit | null {
    const prepared = this.prepared.get(gid);
    if (prepared?.state.xact.xid === xid) return { view, xid: prepared.xid, prepared: prepared.state };
    session.commit = null;
    this.answer(session.id, { kind: 'failed', condition: 'undefined_object', message: `prepared transaction with identifier "${gid}" does not exist` });
    return null;
  }

  private endPrepared(state: PreparedState, commit: boolean, commitSeq: number): void {
    const { gid } = state.xact, prepared = this.prepared.get(gid)!;
    this.prepared.delete(gid);
    if (commit) {
      for (const filenode of state.changes) this.sequences.delete(filenode);
      this.xidLog.committed(prepared.xid, commitSeq);
    } else {
      this.xidLog.rolledBack(prepared.xid);
    }
    this.locks.releaseAfter(prepared, NEVER, this.granted);
  }

  private noLongerPreparing(session: Session): void {
    for (const prepared of this.prepared.values()) {
      if (prepared.preparer !== session) continue;
      prepared.preparer = null;
      prepared.preparerPid = 0;
    }
  }

  private preparedXacts(): PreparedXact[] {
    return [...this.prepared.values()].map(({ state, preparerPid }) => ({ ...state.xact, pid: preparerPid }));
  }

  // Optimistic commits and locks.

  /** Whether something is in the way of an optimistic commit. It is then waiting or answered. */
  private meetsLock(session: Session, view: CommitView): boolean {
    const { counts } = this.locks;
    if (counts[KIND_TABLE]! > 0) {
      if (view.tables === null) {
        if (this.anyStrongTableLock(session)) {
          session.commit = null;
          this.answer(session.id, { kind: 'commit', answer: { kind: 'changed', relation: 0, row: 0 } });
          return true;
        }
      } else {
        for (const { oid, mode } of view.tables) {
          // What it has read is older than what it would have waited for: the lock comes first, and then the snapshot.
          const lock = this.locks.find(KIND_TABLE, 0, oid);
          if (lock !== undefined && this.locks.blocks(lock, session, mode)) {
            session.commit = null;
            this.answer(session.id, { kind: 'commit', answer: { kind: 'changed', relation: 0, row: 0 } });
            return true;
          }
        }
      }
    }
    for (const { filenode, changed } of view.relations) {
      let keyChanged: Set<number> | null = null;
      this.changes.reset(view.bytes, changed);
      while (this.changes.next()) {
        const lock = this.shared.pinRow(filenode, this.changes.row, session);
        if (lock === undefined) continue;
        keyChanged ??= this.rowsWithChangedKey(view, filenode);
        const mode = this.changes.at < 0 || keyChanged.has(this.changes.row) ? ROW_MODES.update : ROW_MODES.nokeyupdate;
        if (this.waitsFor(session, view, lock, mode)) return true;
      }
    }
    for (const { relation, row, mode } of view.asserted) {
      if (this.waitsFor(session, view, this.shared.pinRow(relation, row, session), mode)) return true;
    }
    if (view.indexes.some(({ unique }) => unique) && (counts[KIND_KEY]! > 0 || this.shared.keysAreTaken)) {
      for (const { filenode, unique, added } of view.indexes) {
        if (!unique) continue;
        this.entries.reset(view.bytes, added);
        while (this.entries.next()) {
          if (this.entries.notUnique) continue;
          if (this.waitsFor(session, view, this.shared.findKey(filenode, this.entries.lockKey), MODE_EXCLUSIVE)) return true;
        }
      }
    }
    return false;
  }

  /** An update that takes an entry out of a unique index changes a key: it needs the strongest row lock. */
  private rowsWithChangedKey(view: CommitView, table: number): Set<number> {
    const rows = new Set<number>();
    for (const { relation, unique, removed } of view.indexes) {
      if (!unique || relation !== table) continue;
      this.entries.reset(view.bytes, removed);
      while (this.entries.next()) rows.add(this.entries.row);
    }
    return rows;
  }

  private anyStrongTableLock(session: Session): boolean {
    for (const lock of this.locks.ofKind(KIND_TABLE)) {
      if (othersMask(lock, session) & conflictSet(KIND_TABLE, ROW_EXCLUSIVE)) return true;
    }
    return false;
  }

  private waitsFor(session: Session, view: CommitView, lock: Lock | undefined, mode: number): boolean {
    return lock !== undefined && this.locks.blocks(lock, session, mode) && this.waitFor(session, view, lock, mode);
  }

  /** The commit waits until the lock is free, or is answered: true. */
  private waitFor(session: Session, view: CommitView, lock: Lock, mode: number): true {
    const cycle = this.wait(session, lock, mode, false, view.timeoutMs);
    if (cycle !== null) {
      session.commit = null;
      this.answer(session.id, { kind: 'commit', answer: { kind: 'deadlock', detail: cycle } });
    }
    return true;
  }

  // Sequences and numbers.

  private sequence(filenode: number): Sequence | undefined {
    let sequence = this.sequences.get(filenode);
    if (sequence === undefined) {
      const stored = this.view.readSequence(filenode);
      if (stored === undefined) return undefined;
      sequence = { ...stored, toWrite: null, withheld: false };
      this.sequences.set(filenode, sequence);
    }
    return sequence;
  }

  private noSequence(session: Session, filenode: number): void {
    this.answer(session.id, { kind: 'failed', condition: 'undefined_table', message: `could not find sequence with filenode ${filenode}` });
  }

  private nextval(session: Session, { sequence: parameters, count }: Extract<Incoming, { kind: 'nextval' }>): void {
    const sequence = this.sequence(parameters.filenode);
    if (sequence === undefined) {
      this.noSequence(session, parameters.filenode);
      return;
    }
    const advance = advanceSequence(sequence, parameters, Math.min(Math.max(count, 1), MAX_SEQUENCE_VALUES));
    if (advance.kind === 'exhausted') {
      this.answer(session.id, { kind: 'exhausted', limit: toInt8(advance.limit), ascending: advance.ascending });
      return;
    }
    if (advance.logged !== null) {
      sequence.toWrite = advance.logged;
      sequence.withheld = true;
      this.changedSequences.add(parameters.filenode);
    }
    const message: ServerMessage = { kind: 'values', first: toInt8(advance.first), count: advance.count };
    if (sequence.withheld) this.withheld.push({ session: session.id, message });
    else this.answer(session.id, message);
  }

  private allocateOids(session: Session, count: number): void {
    // After the last oid come the first ones again: whoever uses one looks whether it is free.
    if (this.nextOid + count > LAST_OID) {
      this.nextOid = FIRST_OID;
      this.mustWrite = true;
    }
    const first = this.nextOid;
    this.nextOid += count;
    this.answerDurably(session, first, this.nextOid > this.durableOid);
  }

  private allocateXid(session: Session): void {
    if (session.xid === 0) session.xid = this.nextXid++;
    this.answerDurably(session, session.xid, session.xid >= this.durableXid);
  }

  private runningXids(): Set<number> {
    const running = new Set<number>();
    for (const session of this.sessions.values()) if (session.xid !== 0) running.add(session.xid);
    for (const { xid } of this.prepared.values()) running.add(xid);
    return running;
  }

  /** Answers with a number, after a batch when it is not durable yet that it was given away. */
  private answerDurably(session: Session, value: number, notYet: boolean): void {
    if (notYet) this.mustWrite = true;
    // While a batch is due, everybody waits for it: what is durable is known only afterwards.
    if (this.mustWrite) this.withheld.push({ session: session.id, message: { kind: 'number', value } });
    else this.answerNumber(session, value);
  }

  // Notifications.

  private notify(view: CommitView): void {
    for (const { channel, payload, pid } of view.notifications) {
      for (const listener of this.channels.listeners(channel)) {
        this.answer(listener.id, { kind: 'notify', channel, payload, pid });
      }
    }
  }

  // What pg_locks and pg_blocking_pids show.

  private lockStatus(): LockStatus[] {
    const status: LockStatus[] = [];
    for (const owner of [...this.sessions.values(), ...this.prepared.values()]) {
      if (owner.xid !== 0) status.push(statusOf('transactionid', owner, 'ExclusiveLock', true, 0, { xid: owner.xid }));
    }
    this.shared.eachWeak((owner, oid, mode) => {
      status.push(statusOf('relation', owner, modeName(KIND_TABLE, mode), true, 0, { relation: oid }));
    });
    this.shared.eachAdvisory((owner, lock, mode) => status.push(this.statusOfLock(lock, owner, mode, true, 0)));
    for (const lock of this.locks.all()) {
      if (lock.kind !== KIND_ROW && lock.kind !== KIND_KEY) {
        eachHolder(lock, (owner, mask) => {
          for (let mode = 1; mode <= 8; mode++) {
            if ((mask | (mask >>> 16)) & (1 << mode)) status.push(this.statusOfLock(lock, owner, mode, true, 0));
          }
        });
      }
      for (const waiter of lock.queue ?? []) status.push(this.statusOfLock(lock, waiter.owner, waiter.mode, false, waiter.sinceMs, waiter));
    }
    return status;
  }

  private statusOfLock(lock: Lock, owner: LockOwner, mode: number, granted: boolean, sinceMs: number, waiter?: Waiter): LockStatus {
    switch (lock.kind) {
      case KIND_TABLE: return statusOf('relation', owner, modeName(lock.kind, mode), granted, sinceMs, { relation: lock.id as number });
      case KIND_ADVISORY: {
        const [classid, objid, objsubid] = (lock.id as string).split(',').map(Number);
        return statusOf('advisory', owner, modeName(lock.kind, mode), granted, sinceMs, { classid: classid!, objid: objid!, objsubid: objsubid! });
      }
      case KIND_ROW: case KIND_KEY: {
        // Row waits are waits for the end of the transaction that holds the row.
        const holder = waiter === undefined ? undefined : edgesOf(waiter, false)[0]?.blocker;
        if (holder !== undefined) return statusOf('transactionid', owner, 'ShareLock', granted, sinceMs, { xid: holder.xid });
        return statusOf('tuple', owner, modeName(lock.kind, mode), granted, sinceMs,
          { relation: lock.space, row: lock.kind === KIND_ROW ? lock.id as number : 0 });
      }
      default: return statusOf('object', owner, modeName(lock.kind, mode), granted, sinceMs, { classid: lock.space, objid: lock.id as number });
    }
  }

  private blockingPids(pid: number): number[] {
    for (const session of this.waiting) {
      if (session.pid === pid && session.waiter !== null) {
        return [...new Set(edgesOf(session.waiter, true).map((edge) => edge.blocker.pid))];
      }
    }
    return [];
  }

  /** For tests: throws when two sessions hold what they must not, or something is held by nobody. */
  checkInvariants(): void {
    for (const lock of this.locks.all()) {
      eachHolder(lock, (owner, mask) => {
        assert(mask !== 0, 'a holder holds something');
        assert(owner instanceof Prepared ? this.prepared.get(owner.state.xact.gid) === owner : this.sessions.get((owner as Session).id) === owner, 'a holder is connected, or prepared');
        for (let mode = 1; mode <= 8; mode++) {
          if ((mask | (mask >>> 16)) & (1 << mode)) {
            assert((othersMask(lock, owner) & conflictSet(lock.kind, mode)) === 0, 'no two holders are in conflict');
          }
        }
      });
      assert(lock.owner !== null || lock.queue !== null, 'a lock is held or waited for');
      for (const waiter of lock.queue ?? []) assert(waiter.owner.waiter === waiter, 'a waiter waits');
      const first = lock.queue?.[0];
      if (first !== undefined) {
        assert(othersMask(lock, first.owner) & conflictSet(lock.kind, first.mode), 'the first in line waits for a holder');
      }
    }
  }

  /** For tests: slots of the lock memory that somebody has. */
  get takenSlots(): number {
    return this.shared.takenSlots;
  }

  /** For tests: how many locks are held or waited for. */
  get lockCount(): number {
    return this.locks.total;
  }
}

function statusOf(
  locktype: LockStatus['locktype'], owner: LockOwner, mode: string, granted: boolean, waitStartMs: number,
  what: Partial<LockStatus>,
): LockStatus {
  return {
    locktype, relation: 0, row: 0, xid: 0, classid: 0, objid: 0, objsubid: 0, pid: owner.pid,
    preparedXid: owner instanceof Prepared ? owner.state.xact.xid : 0, mode, granted, waitStartMs, ...what,
  };
}
