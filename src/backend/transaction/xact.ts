// The transaction system of a backend (PostgreSQL's xact.c): commands, blocks, savepoints, and the snapshots and command
// ids that statements run under. Three layers, as there: tcop calls startTransactionCommand / commitTransactionCommand /
// abortCurrentTransaction around every statement; transaction statements only set the block state, upon which the next
// commitTransactionCommand acts; the bottom starts, commits and aborts for real.
import { FatalError, PgError, internalError } from '../../common/errors.ts';
import { atEOXact, atStartGuc, defineHooks, newNestLevel } from '../utils/guc.ts';
import { sendWarning, session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';
import { client, managerClient, sharedClient } from './client.ts';
import type { CommitAnswer, CommitRequest, PrepareSection, TableLockMode } from './messages.ts';
import { transactionResource } from './resource.ts';
import {
  advanceSnapshot, advanceStores, besideSnapshot, dropSnapshot, endCatalogSnapshot, holdSnapshot, plans, releaseStores, renewCatalogSnapshot, renewStores, seenNewest, snapshotSeq, storedCatalogVersion, useSnapshot, type SavedSnapshot,
} from './snapshot.ts';
import type { XidStatus } from './xid_log.ts';
import { BLOCK_STATUS, type BlockState, type IsolationLevel, type TransactionState } from './xact_state.ts';

export { advanceSnapshot, closeStores, getStore, isStale, setStoreOpener, setStorePaths, setStores, snapshotSeq } from './snapshot.ts';
export type { IsolationLevel } from './xact_state.ts';

/** The optimistic try met somebody else's change: run the statement again, with locks. */
export class RetryStatement extends Error {
  constructor() {
    super('the statement must be run again');
    this.name = 'RetryStatement';
  }
}

const FIRST_COMMAND_ID = 1;
const TOP_SUBID = 1;

function topState(): TransactionState {
  return {
    nestingLevel: 1, subid: TOP_SUBID, name: null, phase: 'default', block: 'default', parent: null, savepointLevel: 0, gucLevel: 1,
    outerReadOnly: false, chain: false, lockMarks: null, user: 0,
  };
}

let top = topState();
let current = top;

/** What lives as long as a transaction. */
const xact = {
  isolation: 'read committed' as IsolationLevel,
  readOnly: false,
  deferrable: false,
  optimistic: false,
  commandId: FIRST_COMMAND_ID,
  commandIdUsed: false,
  nextSubid: TOP_SUBID,
  /** A snapshot has been taken: the isolation level cannot be changed any more. */
  firstSnapshot: false,
  xids: [0, 0] as [number, number],
  /** SERIALIZABLE: filenodes read, of the database and of global/. */
  reads: [new Set<number>(), new Set<number>()] as const,
  /** Tables an optimistic statement would have locked. */
  tables: new Map<number, CommitRequest['tables'] & object>(),
  /** This transaction has changed catalogs: a number no other state of them has, else 0. */
  localCatalogVersion: 0,
  /** That of the state which it has changed: others go on changing theirs. */
  changedVersion: 0,
  catalogTouched: false,
  /** The snapshot that the transaction keeps is put aside. */
  readsNewest: false,
};

// --- What others ask ------------------------------------------------------------------------------------------------

export const transactionBlockStatus = (): 'I' | 'T' | 'E' => BLOCK_STATUS[current.block];
/** A statement outside a block is a transaction of its own (several in one string are a block, too). */
export const isOutsideBlock = (): boolean => current.block === 'started';
/** Inside a live transaction. */
export const isTransactionState = (): boolean => current.phase === 'inprogress';
export const isolationLevel = (): IsolationLevel => xact.isolation;
export const usesTransactionSnapshot = (): boolean => !xact.readsNewest && (xact.isolation === 'repeatable read' || xact.isolation === 'serializable');
export const isReadOnlyTransaction = (): boolean => xact.readOnly;
export const readOnly = isReadOnlyTransaction;
export const isDeferrable = (): boolean => xact.deferrable;
export const isOptimistic = (): boolean => xact.optimistic;
export const currentSubTransactionId = (): number => current.subid;
export const transactionNestingLevel = (): number => (current.phase === 'default' ? 0 : current.nestingLevel);
const isSubTransaction = (): boolean => current.nestingLevel >= 2;

/** For commands that may not (or must) run in a block: a block of any kind, a subtransaction, or a function. */
export function inTransactionBlock(topLevel: boolean): boolean {
  return !topLevel || isSubTransaction() || (current.block !== 'default' && current.block !== 'started');
}

/** A single statement's first try: no locks are taken, the commit checks instead. Only before the first snapshot. */
export function setOptimistic(optimistic: boolean): void {
  xact.optimistic = optimistic && current.block === 'started' && !usesTransactionSnapshot();
}

/** Leaves optimistic mode for good: the statement is run again with locks. For what cannot be checked at commit. */
export function requireLocks(): void {
  if (xact.optimistic) throw new RetryStatement();
}

// --- Command ids ----------------------------------------------------------------------------------------------------

/** What a command of now reads: everything that commands with smaller ids have done. */
export const currentCommandId = (): number => xact.commandId;

/** The id for a change made now. */
export function useCommandId(): number {
  xact.commandIdUsed = true;
  return xact.commandId;
}

/** What was done becomes visible. */
export function commandCounterIncrement(): void {
  if (!xact.commandIdUsed) return;
  xact.commandId++;
  xact.commandIdUsed = false;
  if (xact.catalogTouched) {
    xact.catalogTouched = false;
    newLocalCatalogVersion();
    for (const callback of callbacks) callback.onCatalogChange?.();
  }
}

// --- Catalog version ------------------------------------------------------------------------------------------------

/** -1 is that of a plan that is yet to be made: those made under it after the first DDL of a session were made for each run. */
let lastLocalVersion = -1;
function newLocalCatalogVersion(): void {
  xact.localCatalogVersion = --lastLocalVersion;
  xact.changedVersion = storedCatalogVersion();
}

/** Cached catalogs and plans made under another number are stale. */
export function catalogVersion(): number {
  if (xact.localCatalogVersion === 0) return storedCatalogVersion();
  if (xact.changedVersion !== storedCatalogVersion()) newLocalCatalogVersion();
  return xact.localCatalogVersion;
}

/** This transaction has written to a catalog: visible, and a new version, after the next commandCounterIncrement. */
export function noteCatalogChange(): void {
  xact.catalogTouched = true;
}

// --- Snapshots ------------------------------------------------------------------------------------------------------

/** At the start of every statement: READ COMMITTED looks at the newest commit, the stricter levels once. `fixes`: false where
 * only names are looked up, and the stricter levels have their snapshot yet to come. */
export function renewSnapshot(fixes = true): void {
  if (xact.firstSnapshot && usesTransactionSnapshot()) {
    renewCatalogSnapshot();
    return;
  }
  if (fixes) xact.firstSnapshot = true;
  renewStores();
}

/** A query has run: what must be said before any query is too late now. */
export function noteFirstSnapshot(): void {
  xact.firstSnapshot = true;
}

/** A statement inside a statement (in a volatile function): it sees the newest commit in READ COMMITTED; what is under way
 * outside goes on with its own after `popSnapshot`. */
export function pushSnapshot(): SavedSnapshot & { whenTaken: number } {
  const { whenTaken } = plans, saved = { ...holdSnapshot(), whenTaken };
  plans.whenTaken = plans.running;
  if (!usesTransactionSnapshot()) advanceStores();
  return saved;
}

/** Runs a command that looks at whole tables, as ALTER TABLE does: it must find what others have committed by now, as in READ COMMITTED,
 * whatever the transaction sees. `alone`: it is all of its transaction. */
export function atNewest<T>(alone: boolean, work: () => T): T {
  if (!usesTransactionSnapshot()) return work();
  const run = (): T => {
    xact.readsNewest = true;
    try {
      return work();
    } finally {
      xact.readsNewest = false;
    }
  };
  if (!alone || !isOutsideBlock()) return besideSnapshot(run);
  renewStores();
  return run();
}

/** What `look` finds among what is committed by now. READ COMMITTED stays there, the stricter levels go on with their snapshot. */
export function amongNewest<T>(shared: boolean, look: () => T): T {
  if (usesTransactionSnapshot()) return seenNewest(shared, look);
  advanceSnapshot(shared);
  return look();
}

export function popSnapshot(saved: SavedSnapshot & { whenTaken: number }): void {
  plans.whenTaken = saved.whenTaken;
  useSnapshot(saved);
  dropSnapshot(saved);
}

const FIRST_NORMAL_OID = 16384;

/** SERIALIZABLE remembers what was read by its snapshot. */
export function noteRead(relationOid: number, filenode: number, shared: boolean): void {
  if (xact.isolation === 'serializable' && usesTransactionSnapshot() && relationOid >= FIRST_NORMAL_OID) xact.reads[shared ? 1 : 0].add(filenode);
}

/** The same for a look into an index of the table: what it did not find counts as well. */
export function noteIndexRead(tableOid: number, shared: boolean): void {
  if (xact.isolation === 'serializable' && usesTransactionSnapshot() && tableOid >= FIRST_NORMAL_OID) xact.reads[shared ? 1 : 0].add(filenodeOf(tableOid));
}

/** SERIALIZABLE: whether the transaction has read a table. */
export const hasRead = (filenode: number, shared: boolean): boolean => xact.isolation === 'serializable' && xact.reads[shared ? 1 : 0].has(filenode);

/** The refusal of a SERIALIZABLE transaction that has read what was changed since. */
export function readWriteDependencies(): PgError {
  return new PgError('serialization_failure', 'could not serialize access due to read/write dependencies among transactions', {
    detail: 'Reason code: Canceled on commit: what this transaction read was changed since.',
    hint: 'The transaction might succeed if retried.',
  });
}

/** A table's filenode; the relcache knows. Until it says so, a table that was never rewritten has its oid there. */
let filenodeOf: (tableOid: number) => number = (oid) => oid;
export const tableFilenode = (tableOid: number): number => filenodeOf(tableOid);
export function setFilenodeLookup(lookup: (tableOid: number) => number): void {
  filenodeOf = lookup;
}

/** An optimistic statement would have locked this table. */
export function noteTable(oid: number, mode: TableLockMode, shared: boolean): void {
  const key = shared ? 1 : 0;
  const list = xact.tables.get(key) ?? [];
  if (!list.some((t) => t.oid === oid && t.mode === mode)) list.push({ oid, mode });
  xact.tables.set(key, list);
}

/** The transaction's id, allocated when first asked for (pg_current_xact_id). */
export function currentTransactionId(shared = false): number {
  const key = shared ? 1 : 0;
  if (xact.xids[key] === 0) xact.xids[key] = managerClient(shared).allocateXid();
  return xact.xids[key];
}
export const currentTransactionIdIfAny = (): number => xact.xids[0];

/** What the snapshot does not see: transactions from `xmax` on, and `xip`, in order. It stays the same as long as the snapshot does. */
export function snapshotXids(): { xmax: number; xip: number[] } {
  const commitSeq = snapshotSeq(false), at = usesTransactionSnapshot() ? session.transactionStart : session.statementStart;
  if (known === null || known.at !== at || known.commitSeq !== commitSeq) {
    const { next, running } = client.snapshotXids(commitSeq);
    if (running === null) throw new PgError('snapshot_too_old', 'snapshot too old');
    let xmax = next;
    while (running.at(-1) === xmax - 1) {
      running.pop();
      xmax--;
    }
    known = { at, commitSeq, xmax, xip: running };
  }
  return known;
}
let known: { at: number; commitSeq: number; xmax: number; xip: number[] } | null = null;

/** How a transaction of this database ended. */
export const transactionStatus = (xid: number): XidStatus => client.xidStatus(xid);

// --- Options of the transaction -------------------------------------------------------------------------------------

const active = (message: string): PgError => new PgError('active_sql_transaction', message);

function checkIsolation(level: IsolationLevel): void {
  if (level === xact.isolation || !isTransactionState()) return;
  if (xact.firstSnapshot) throw active('SET TRANSACTION ISOLATION LEVEL must be called before any query');
  if (isSubTransaction()) throw active('SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction');
}

function checkReadOnly(on: boolean): void {
  if (on || !xact.readOnly || !isTransactionState()) return;
  if (isSubTransaction()) throw active('cannot set transaction read-write mode inside a read-only transaction');
  if (xact.firstSnapshot) throw active('transaction read-write mode must be set before any query');
}

function checkDeferrable(): void {
  if (!isTransactionState()) return;
  if (isSubTransaction()) throw active('SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction');
  if (xact.firstSnapshot) throw active('SET TRANSACTION [NOT] DEFERRABLE must be called before any query');
}

/** BEGIN's and SET TRANSACTION's options. */
export function setTransactionIsolation(level: IsolationLevel): void {
  checkIsolation(level);
  xact.isolation = level;
  if (usesTransactionSnapshot()) xact.optimistic = false;
}
export function setTransactionReadOnly(on: boolean): void {
  checkReadOnly(on);
  xact.readOnly = on;
}
/** SET TRANSACTION SNAPSHOT: `take` makes another session's snapshot ours, in place of one of now. */
export function importTransactionSnapshot(take: () => void): void {
  if (xact.firstSnapshot || isSubTransaction()) throw active('SET TRANSACTION SNAPSHOT must be called before any query');
  if (!usesTransactionSnapshot()) throw new PgError('feature_not_supported', 'a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ');
  take();
  xact.firstSnapshot = true;
}
export const inSubTransaction = isSubTransaction;
export function setTransactionDeferrable(on: boolean): void {
  checkDeferrable();
  xact.deferrable = on;
}

// The same as settings: SHOW transaction_isolation, SET transaction_read_only = on.
const onOff = (on: boolean): string => (on ? 'on' : 'off');
defineHooks('transaction_isolation', {
  check: (value) => { checkIsolation(value as IsolationLevel); return value; },
  assign: (value) => { xact.isolation = value as IsolationLevel; },
  show: () => xact.isolation,
});
defineHooks('transaction_read_only', {
  check: (value) => { checkReadOnly(value as boolean); return value; },
  assign: (value) => { xact.readOnly = value as boolean; },
  show: () => onOff(xact.readOnly),
});
defineHooks('transaction_deferrable', {
  check: (value) => { checkDeferrable(); return value; },
  assign: (value) => { xact.deferrable = value as boolean; },
  show: () => onOff(xact.deferrable),
});

// --- Callbacks ------------------------------------------------------------------------------------------------------

export interface TransactionCallbacks {
  /** May still fail, and may still change things: deferred triggers, cursors WITH HOLD. */
  preCommit?(): void;
  onCommit?(): void;
  /** The transaction has been prepared; without it, onCommit is called. */
  onPrepare?(): void;
  /** Throws when it must not be prepared. */
  refusePrepare?(): void;
  onAbort?(): void;
  onSubStart?(subid: number, parentSubid: number): void;
  onSubCommit?(subid: number, parentSubid: number): void;
  onSubAbort?(subid: number, parentSubid: number): void;
  /** Catalogs look different from now on: this transaction changed them (or took a change back). */
  onCatalogChange?(): void;
}
const callbacks: TransactionCallbacks[] = [];
/** Those of every transaction, so that its end looks up nothing. */
const preCommits: (() => void)[] = [];
const onCommits: (() => void)[] = [];

/** For the life of the process. Called in the order they were registered. */
export function registerCallback(callback: TransactionCallbacks): void {
  callbacks.push(callback);
  if (callback.preCommit !== undefined) preCommits.push(callback.preCommit);
  if (callback.onCommit !== undefined) onCommits.push(callback.onCommit);
}

// --- Notifications --------------------------------------------------------------------------------------------------

let notifications: { channel: string; payload: string; subid: number }[] = [];
/** Those there are, when they are many; made when asked for. */
let notified: Set<string> | null = null;
const FEW_NOTIFICATIONS = 16;
const notificationKey = (channel: string, payload: string): string => `${channel}\0${payload}`;

/** NOTIFY: sent with the commit. The same channel and payload twice in a transaction is one notification. */
export function addNotification(channel: string, payload: string): void {
  if (notifications.length < FEW_NOTIFICATIONS) {
    if (notifications.some((n) => n.channel === channel && n.payload === payload)) return;
  } else {
    notified ??= new Set(notifications.map((n) => notificationKey(n.channel, n.payload)));
    const key = notificationKey(channel, payload);
    if (notified.has(key)) return;
    notified.add(key);
  }
  notifications.push({ channel, payload, subid: current.subid });
}

// --- The bottom: transactions ---------------------------------------------------------------------------------------

function startTransaction(): void {
  const s = current;
  if (s.phase !== 'default') throw new FatalError('internal_error', `cannot start a transaction in state ${s.phase}`);
  s.phase = 'start';
  xact.isolation = settings.default_transaction_isolation as IsolationLevel;
  xact.readOnly = settings.default_transaction_read_only;
  xact.deferrable = settings.default_transaction_deferrable;
  xact.optimistic = false;
  xact.commandId = FIRST_COMMAND_ID;
  xact.commandIdUsed = false;
  xact.nextSubid = TOP_SUBID;
  xact.firstSnapshot = false;
  s.gucLevel = 1;
  atStartGuc();
  session.transactionStart = session.statementStart;
  s.phase = 'inprogress';
}

function commitTransaction(): void {
  const s = current;
  if (s.phase !== 'inprogress' || s.parent !== null) throw internalError(`cannot commit in state ${s.phase}`);
  for (let i = 0; i < preCommits.length; i++) preCommits[i]!();
  if (preparing !== null) return prepareTransaction(preparing);
  s.phase = 'commit';
  // The database first; where global/ has changed, too, that commit takes the other along (access/cross_commit.ts).
  const resource = transactionResource();
  let shared: CommitRequest | null = null, both = false;
  if (resource.hasChanges(true)) {
    both = resource.hasChanges(false);
    if (both) sharedClient.checkLocks();
    if (both) crossCommit.mark();
    shared = commitRequest(true);
    if (both) crossCommit.note(shared);
  }
  if (notifications.length > 0 || resource.hasChanges(false)) sendCommit(false, commitRequest(false));
  if (shared !== null) {
    if (both) sendOtherHalf(shared);
    else sendCommit(true, shared);
  }
  atEOXact(true, 1);
  endOfTransaction(true);
  for (let i = 0; i < onCommits.length; i++) onCommits[i]!();
  s.phase = 'default';
}

// --- Two-phase commit -------------------------------------------------------------------------------------------------
// The first phase ends the block as COMMIT does, but each environment keeps its half and its locks instead of applying it: global/
// first, which knows the names of all databases' prepared transactions, then the database, whose half decides. So a half of global/
// without the other one was never prepared, or is finished already: see commands/twophase.ts.

let preparing: string | null = null;
let accessedTemp = false;
/** Temporary objects have been used: such a transaction cannot be prepared. */
export function noteTempAccess(): void {
  accessedTemp = true;
}
/** The end of this transaction is its PREPARE. */
export const isPreparing = (): boolean => preparing !== null;

const MAX_GID_BYTES = 199, NO_LIMIT = 0xffffffff;
const UNIX_TO_POSTGRES_EPOCH_US = 946_684_800_000_000;

/** PREPARE TRANSACTION: the block ends so. False: it has become a ROLLBACK, or there is no block. */
export function prepareTransactionBlock(gid: string): boolean {
  if (!endTransactionBlock() || top.block !== 'end') return false;
  preparing = gid;
  return true;
}

function prepareTransaction(gid: string): void {
  if (accessedTemp) throw new PgError('feature_not_supported', 'cannot PREPARE a transaction that has operated on temporary objects');
  if (Buffer.byteLength(gid) > MAX_GID_BYTES) throw new PgError('invalid_parameter_value', `transaction identifier "${gid}" is too long`);
  const limit = settings.max_prepared_transactions;
  if (limit === 0) throw new PgError('object_not_in_prerequisite_state', 'prepared transactions are disabled', { hint: 'Set max_prepared_transactions to a nonzero value.' });
  for (const callback of callbacks) callback.refusePrepare?.();
  if (notifications.length > 0) throw refusedNotifications();
  const xid = currentTransactionId();
  crossCommit.notePrepared(gid, xid);
  const section: PrepareSection = {
    gid, xid, owner: session.currentUser, database: session.databaseOid, pid: session.pid, limit, locks: [],
    preparedAt: Math.round((performance.timeOrigin + performance.now()) * 1000) - UNIX_TO_POSTGRES_EPOCH_US,
  };
  try {
    checkCommitAnswer(true, sharedClient.prepare({ ...commitRequest(true), prepare: section }));
  } catch (error) {
    if (!(error instanceof PgError) || !crossCommit.finishLost(error.condition)) throw tooMany(error, limit);
    checkCommitAnswer(true, sharedClient.prepare({ ...commitRequest(true), prepare: section }));
  }
  try {
    checkCommitAnswer(false, client.prepare({ ...commitRequest(false), prepare: { ...section, limit: NO_LIMIT } }));
  } catch (error) {
    takeBackPrepared(gid, xid, error);
    throw error;
  }
  sharedClient.endPrepare();
  const catalogs = xact.localCatalogVersion !== 0 || xact.catalogTouched;
  atEOXact(true, 1);
  endOfTransaction(true);
  for (const callback of callbacks) (callback.onPrepare ?? callback.onCommit)?.();
  // What it has done is not to be seen any more.
  if (catalogs) for (const callback of callbacks) callback.onCatalogChange?.();
  current.phase = 'default';
}

export const refusedNotifications = (): PgError => new PgError('feature_not_supported', 'cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY');

function tooMany(error: unknown, limit: number): unknown {
  if (!(error instanceof PgError) || error.condition !== 'out_of_memory' || !error.message.startsWith('maximum number')) return error;
  return new PgError('out_of_memory', error.message, { hint: `Increase max_prepared_transactions (currently ${limit}).` });
}

/** The database has refused its half: the other one goes, unless it is not certain that it has. */
function takeBackPrepared(gid: string, xid: number, error: unknown): void {
  if (error instanceof FatalError || (error instanceof PgError && error.condition === 'transaction_resolution_unknown')) return;
  try {
    sharedClient.finishPrepared(gid, xid, false);
  } catch (other) {
    if (!(other instanceof PgError)) throw other;
  }
}

/** What a transaction that changes both environments leaves in each, so that one commit never stays without the other: `mark`, `note`.
 * `notePrepared`: what a prepared one will leave in the database; `finishLost`: ends halves of global/ that have lost the other one, and says
 * whether it is worth another try. */
let crossCommit: { mark(): void; note(shared: CommitRequest): void; notePrepared(gid: string, xid: number): void; finishLost(condition: string): boolean } = {
  mark() {}, note() {}, notePrepared() {}, finishLost: () => false,
};
export function setCrossCommit(other: Partial<typeof crossCommit>): void {
  crossCommit = { ...crossCommit, ...other };
}

function commitRequest(shared: boolean): CommitRequest {
  const resource = transactionResource();
  const notify = !shared && notifications.length > 0;
  const key = shared ? 1 : 0;
  const request: CommitRequest = {
    kind: 'commit', snapshotSeq: snapshotSeq(shared), xid: xact.xids[key], catalogChanged: false, relations: [], indexes: [],
    droppedFilenodes: [], asserted: [], readSet: [...xact.reads[key]],
    notifications: notify ? notifications.map(({ channel, payload }) => ({ channel, payload, pid: session.pid })) : [],
    optimistic: xact.optimistic,
  };
  if (xact.optimistic) request.tables = xact.tables.get(key) ?? [];
  if (xact.isolation === 'serializable') request.serializable = true;
  if (resource.hasChanges(shared)) resource.fillCommit(shared, request);
  return request;
}

function sendCommit(shared: boolean, request: CommitRequest): void {
  checkCommitAnswer(shared, managerClient(shared).commit(request));
}

function checkCommitAnswer(shared: boolean, answer: CommitAnswer): void {
  if (answer.kind === 'committed') {
    xact.xids[shared ? 1 : 0] = answer.xid;
    return;
  }
  if (xact.optimistic) throw new RetryStatement();
  switch (answer.kind) {
    case 'changed': throw new PgError('serialization_failure', 'could not serialize access due to concurrent update');
    case 'duplicate': throw duplicateReporter(shared, answer.index, answer.key);
    case 'serialization': throw readWriteDependencies();
  }
}

/** The database's half is committed, and with it what the other one is: whoever comes next would apply it. So it is not refused because
 * its manager died just now. */
function sendOtherHalf(request: CommitRequest): void {
  const answer = sharedClient.commit(request, true);
  if (answer.kind === 'committed') xact.xids[1] = answer.xid;
  else throw new PgError('statement_completion_unknown', 'the changes of shared catalogs could not be committed', { detail: 'Those of the database are committed.' });
}

/** Makes 23505 of a key that turned out to be there at commit (deferred constraints); the executor knows the names. */
let duplicateReporter: (shared: boolean, indexFilenode: number, key: string) => PgError = () =>
  new PgError('unique_violation', 'duplicate key value violates unique constraint');
export function setDuplicateReporter(reporter: typeof duplicateReporter): void {
  duplicateReporter = reporter;
}

/** What commit and abort have in common. */
function endOfTransaction(committed: boolean): void {
  preparing = null;
  accessedTemp = false;
  // Clearing what is empty costs: of a set a call into the runtime and a new table, of an array a call.
  if (notifications.length > 0) {
    notifications = [];
    notified = null;
  }
  xact.optimistic = xact.readsNewest = false;
  for (let i = 0; i < 2; i++) {
    if (xact.reads[i]!.size > 0) xact.reads[i]!.clear();
    xact.xids[i] = 0;
  }
  if (xact.tables.size > 0) xact.tables.clear();
  xact.localCatalogVersion = 0;
  xact.catalogTouched = false;
  transactionResource().reset(committed);
  client.endTransaction(committed);
  sharedClient.endTransaction(committed);
  endCatalogSnapshot();
  releaseStores();
}

function abortTransaction(): void {
  const s = current;
  if (s.phase !== 'inprogress' && s.phase !== 'start' && s.phase !== 'commit') return;
  s.phase = 'abort';
  for (const callback of callbacks) callback.onAbort?.();
  const catalogs = xact.localCatalogVersion !== 0 || xact.catalogTouched;
  atEOXact(false, 1);
  endOfTransaction(false);
  if (catalogs) for (const callback of callbacks) callback.onCatalogChange?.();
}

function cleanupTransaction(): void {
  top = current = topState();
}

// --- Subtransactions ------------------------------------------------------------------------------------------------

function pushTransaction(): void {
  const parent = current;
  xact.nextSubid++;
  current = {
    nestingLevel: parent.nestingLevel + 1, subid: xact.nextSubid, name: null, phase: 'default', block: 'subbegin', parent,
    savepointLevel: parent.savepointLevel, gucLevel: 0, outerReadOnly: xact.readOnly, chain: false, lockMarks: null, user: session.currentUser,
  };
}

function popTransaction(): void {
  current = current.parent!;
}

function startSubTransaction(): void {
  const s = current;
  s.phase = 'start';
  s.gucLevel = newNestLevel();
  s.lockMarks = [client.lockMark(), sharedClient.lockMark()];
  transactionResource().defineSavepoint();
  s.phase = 'inprogress';
  for (const callback of callbacks) callback.onSubStart?.(s.subid, s.parent!.subid);
}

function commitSubTransaction(): void {
  const s = current;
  commandCounterIncrement();
  for (const callback of callbacks) callback.onSubCommit?.(s.subid, s.parent!.subid);
  transactionResource().releaseSavepoint();
  for (const n of notifications) if (n.subid === s.subid) n.subid = s.parent!.subid;
  atEOXact(true, s.gucLevel);
  xact.readOnly = s.outerReadOnly;
  popTransaction();
}

function abortSubTransaction(): void {
  const s = current;
  if (s.phase === 'abort') return;
  const begun = s.phase === 'inprogress';
  s.phase = 'abort';
  if (!begun) return;
  for (const callback of callbacks) callback.onSubAbort?.(s.subid, s.parent!.subid);
  transactionResource().rollbackSavepoint();
  notifications = notifications.filter((n) => n.subid < s.subid);
  notified = null;
  client.releaseAfter(s.lockMarks![0]);
  sharedClient.releaseAfter(s.lockMarks![1]);
  atEOXact(false, s.gucLevel);
  xact.readOnly = s.outerReadOnly;
  // Commands after this one must not see what it did, and its own id may stand in what is left of others.
  xact.commandId++;
  if (xact.localCatalogVersion !== 0 || xact.catalogTouched) {
    xact.catalogTouched = false;
    newLocalCatalogVersion();
    for (const callback of callbacks) callback.onCatalogChange?.();
  }
}

function cleanupSubTransaction(): void {
  popTransaction();
}

// --- The top: around every statement --------------------------------------------------------------------------------

export function startTransactionCommand(): void {
  switch (current.block) {
    case 'default':
      startTransaction();
      current.block = 'started';
      break;
    case 'started': case 'inprogress': case 'implicit': case 'subinprogress': case 'abort': case 'subabort':
      break;
    default:
      throw unexpected('startTransactionCommand');
  }
}

/** For commands that do their work table by table: what is done is committed, and the next transaction begins. */
export function commitAndGoOn(): void {
  commitTransactionCommand();
  startTransactionCommand();
  renewSnapshot(false);
}

export function commitTransactionCommand(): void {
  const s = current;
  switch (s.block) {
    case 'default': break;
    case 'started':
      commitTransaction();
      cleanupTransaction();
      break;
    case 'begin': s.block = 'inprogress'; break;
    case 'inprogress': case 'implicit': case 'subinprogress': commandCounterIncrement(); break;
    case 'end': endBlock(s, commitTransaction); break;
    case 'abort': case 'subabort': break;
    case 'abort_end': endBlock(s, () => {}); break;
    case 'abort_pending': endBlock(s, abortTransaction); break;
    case 'subbegin':
      startSubTransaction();
      s.block = 'subinprogress';
      break;
    case 'subrelease':
      do commitSubTransaction(); while (block() === 'subrelease');
      break;
    case 'subcommit':
      do commitSubTransaction(); while (block() === 'subcommit');
      if (block() !== 'end') throw unexpected('commitTransactionCommand');
      endBlock(current, commitTransaction);
      break;
    case 'subabort_end':
      cleanupSubTransaction();
      commitTransactionCommand();
      break;
    case 'subabort_pending':
      abortSubTransaction();
      cleanupSubTransaction();
      commitTransactionCommand();
      break;
    case 'subrestart':
      abortSubTransaction();
      restartSavepoint(s);
      break;
    case 'subabort_restart':
      restartSavepoint(s);
      break;
  }
}

const block = (): BlockState => current.block;

/** Ends the block, and opens the next one with the same characteristics when the user said AND CHAIN. */
function endBlock(s: TransactionState, finish: () => void): void {
  const { chain } = s;
  const { isolation, readOnly, deferrable } = xact;
  finish();
  cleanupTransaction();
  if (!chain) return;
  startTransaction();
  xact.isolation = isolation;
  xact.readOnly = readOnly;
  xact.deferrable = deferrable;
  current.block = 'inprogress';
}

/** ROLLBACK TO: the savepoint is there again, with nothing behind it. */
function restartSavepoint(s: TransactionState): void {
  const { name } = s;
  cleanupSubTransaction();
  pushTransaction();
  current.name = name;
  startSubTransaction();
  current.block = 'subinprogress';
}

/** After an error. */
export function abortCurrentTransaction(): void {
  const s = current;
  switch (s.block) {
    case 'default':
      if (s.phase !== 'default') { abortTransaction(); cleanupTransaction(); }
      break;
    case 'started': case 'implicit': case 'begin': case 'end': case 'abort_pending':
      abortTransaction();
      cleanupTransaction();
      break;
    case 'inprogress':
      abortTransaction();
      s.block = 'abort';
      break;
    case 'abort': case 'subabort': break;
    case 'abort_end': cleanupTransaction(); break;
    case 'subinprogress':
      abortSubTransaction();
      s.block = 'subabort';
      break;
    case 'subbegin': case 'subrelease': case 'subcommit': case 'subabort_pending': case 'subrestart':
      abortSubTransaction();
      cleanupSubTransaction();
      abortCurrentTransaction();
      break;
    case 'subabort_end': case 'subabort_restart':
      cleanupSubTransaction();
      abortCurrentTransaction();
      break;
  }
}

/** The session ends: whatever is open goes. */
export function abortOutOfAnyTransaction(): void {
  while (current.parent !== null) {
    abortSubTransaction();
    cleanupSubTransaction();
  }
  abortTransaction();
  cleanupTransaction();
}

// --- Transaction statements -----------------------------------------------------------------------------------------

function warn(condition: 'no_active_sql_transaction' | 'active_sql_transaction', message: string): void {
  sendWarning(condition, message);
}

const unexpected = (where: string): FatalError => new FatalError('internal_error', `${where}: unexpected state ${current.block}`);

const onlyInBlocks = (statement: string): PgError =>
  new PgError('no_active_sql_transaction', `${statement} can only be used in transaction blocks`);

/** BEGIN. */
export function beginTransactionBlock(): void {
  switch (current.block) {
    case 'started': case 'implicit': current.block = 'begin'; break;
    case 'inprogress': case 'subinprogress': case 'abort': case 'subabort':
      warn('active_sql_transaction', 'there is already a transaction in progress');
      break;
    default: throw unexpected('BeginTransactionBlock');
  }
}

/** COMMIT. False: the block has failed, and it will be rolled back. */
export function endTransactionBlock(chain = false): boolean {
  let s = current;
  let result = false;
  switch (s.block) {
    case 'inprogress': s.block = 'end'; result = true; break;
    case 'implicit': case 'started':
      if (chain) throw onlyInBlocks('COMMIT AND CHAIN');
      warn('no_active_sql_transaction', 'there is no transaction in progress');
      if (s.block === 'implicit') s.block = 'end';
      result = true;
      break;
    case 'abort': s.block = 'abort_end'; break;
    case 'subinprogress':
      for (; s.parent !== null; s = s.parent) {
        if (s.block !== 'subinprogress') throw unexpected('EndTransactionBlock');
        s.block = 'subcommit';
      }
      if (s.block !== 'inprogress') throw unexpected('EndTransactionBlock');
      s.block = 'end';
      result = true;
      break;
    case 'subabort': s = failAll(s); break;
    default: throw unexpected('EndTransactionBlock');
  }
  s.chain = chain;
  return result;
}

/** ROLLBACK. */
export function userAbortTransactionBlock(chain = false): void {
  let s = current;
  switch (s.block) {
    case 'inprogress': s.block = 'abort_pending'; break;
    case 'abort': s.block = 'abort_end'; break;
    case 'subinprogress': case 'subabort': s = failAll(s); break;
    case 'started': case 'implicit':
      if (chain) throw onlyInBlocks('ROLLBACK AND CHAIN');
      warn('no_active_sql_transaction', 'there is no transaction in progress');
      s.block = 'abort_pending';
      break;
    default: throw unexpected('UserAbortTransactionBlock');
  }
  s.chain = chain;
}

/** Marks every level for rollback; the outermost. */
function failAll(s: TransactionState): TransactionState {
  for (; s.parent !== null; s = s.parent) s.block = s.block === 'subinprogress' ? 'subabort_pending' : 'subabort_end';
  s.block = s.block === 'inprogress' ? 'abort_pending' : 'abort_end';
  return s;
}

/** A string of several statements is one transaction. */
export function beginImplicitTransactionBlock(): void {
  if (current.block === 'started') current.block = 'implicit';
}
export function endImplicitTransactionBlock(): void {
  if (current.block === 'implicit') current.block = 'started';
}

/** SAVEPOINT. */
export function defineSavepoint(name: string): void {
  switch (current.block) {
    case 'inprogress': case 'subinprogress':
      pushTransaction();
      current.name = name;
      break;
    case 'implicit': throw onlyInBlocks('SAVEPOINT');
    default: throw unexpected('DefineSavepoint');
  }
}

function findSavepoint(name: string): TransactionState {
  for (let s: TransactionState | null = current; s !== null; s = s.parent) if (s.name === name && s.parent !== null) {
    if (s.savepointLevel !== current.savepointLevel) {
      throw new PgError('invalid_savepoint_specification', `savepoint "${name}" does not exist within current savepoint level`);
    }
    return s;
  }
  throw new PgError('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
}

/** RELEASE SAVEPOINT. */
export function releaseSavepoint(name: string): void {
  switch (current.block) {
    case 'inprogress': case 'subinprogress': break;
    case 'implicit': throw onlyInBlocks('RELEASE SAVEPOINT');
    default: throw unexpected('ReleaseSavepoint');
  }
  const target = findSavepoint(name);
  for (let s = current; ; s = s.parent!) {
    s.block = 'subrelease';
    if (s === target) break;
  }
}

/** ROLLBACK TO SAVEPOINT. */
export function rollbackToSavepoint(name: string): void {
  switch (current.block) {
    case 'inprogress': case 'abort': case 'subinprogress': case 'subabort': break;
    case 'implicit': throw onlyInBlocks('ROLLBACK TO SAVEPOINT');
    default: throw unexpected('RollbackToSavepoint');
  }
  const target = findSavepoint(name);
  for (let s = current; s !== target; s = s.parent!) s.block = s.block === 'subinprogress' ? 'subabort_pending' : 'subabort_end';
  target.block = target.block === 'subinprogress' ? 'subrestart' : 'subabort_restart';
}

/** A subtransaction of our own (exception blocks): begun at once. */
export function beginInternalSubTransaction(name: string | null = null): void {
  switch (current.block) {
    case 'started': case 'inprogress': case 'implicit': case 'end': case 'subinprogress': break;
    default: throw unexpected('BeginInternalSubTransaction');
  }
  pushTransaction();
  current.name = name;
  startSubTransaction();
  current.block = 'subinprogress';
}

export function releaseCurrentSubTransaction(): void {
  if (current.block !== 'subinprogress') throw unexpected('ReleaseCurrentSubTransaction');
  commitSubTransaction();
}

export function rollbackAndReleaseCurrentSubTransaction(): void {
  if (current.block !== 'subinprogress' && current.block !== 'subabort') throw unexpected('RollbackAndReleaseCurrentSubTransaction');
  if (current.block === 'subinprogress') abortSubTransaction();
  cleanupSubTransaction();
}
