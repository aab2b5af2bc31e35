// What a backend and the transaction manager of its database say to each other, decoded. The byte form is
// transaction/wire.ts. One connection per backend and environment; strictly request, answer, except that a request
// may wait (locks), during which the backend may send `cancel`, and that `notify` comes unasked between answers.
import type { PackedEntries } from '../access/index_run.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import type { Int8, Oid } from '../types/datum.ts';
import type { RowId } from '../access/row.ts';

/** Row lock strengths, weakest first (PostgreSQL 15, section 13.3.2; conflicts as there). */
export type RowLockMode = 'keyshare' | 'share' | 'nokeyupdate' | 'update';
/** Table lock modes, weakest first (section 13.3.1). */
export type TableLockMode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8; // AccessShare=1 ... AccessExclusive=8, as in lockdefs.h
export type WaitPolicy = 'block' | 'skip' | 'error';

/** `session`: it is held until the session lets it go, or ends. */
export interface AdvisoryTarget { kind: 'advisory'; key1: number; key2: number; key3: number; shared: boolean; session: boolean }

/** What a lock is on. `row`: relation is the table's filenode. `key`: a unique index key somebody is inserting. */
export type LockTarget =
  | { kind: 'row'; relation: number; row: RowId; mode: RowLockMode }
  | { kind: 'key'; index: number; key: string }
  | { kind: 'table'; oid: Oid; mode: TableLockMode }
  | AdvisoryTarget
  | { kind: 'object'; classid: Oid; objid: Oid; exclusive: boolean };

/** Changed rows that are written one by one when the request is sent. */
export interface ChangeSource {
  readonly length: number;
  write(out: { deleted(block: number, slot: number, version: number): void; changed(block: number, slot: number, version: number, bytes: Uint8Array, start: number, end: number): void }): void;
  /** For commits that are written down. */
  toList(): ChangedRow[];
}
export interface ChangedRow { row: RowId; version: number; bytes: Uint8Array | null }

export interface RelationChanges {
  filenode: number;
  catalog: boolean;
  /** Whole blocks of new rows, provisional block numbers in order; `xmin` fields are filled in by the manager. */
  inserted: { block: number; bytes: Uint8Array }[];
  /** Changed rows: the version (xmin) that was read and the new row; `bytes` null deletes. */
  changed: ChangedRow[] | ChangeSource;
}
export interface IndexChanges {
  filenode: number;
  /** Filenode of its table: provisional row ids below are that table's. */
  relation: number;
  unique: boolean;
  /** Removed before added. Keys without filenode; binary strings. A row id may be provisional. */
  removed: { key: string; row: RowId; withRow: boolean }[] | PackedEntries;
  /** withRow: the row id is part of the key (non-unique index, or a NULL in a unique one). In key order. */
  added: { key: string; row: RowId; withRow: boolean }[] | PackedEntries;
}

export interface CommitRequest {
  kind: 'commit';
  /** commitSeq of the snapshot; the oldest one the transaction's decisions rest on. */
  snapshotSeq: number;
  xid: number; // already allocated one, or 0
  catalogChanged: boolean;
  relations: RelationChanges[];
  indexes: IndexChanges[];
  /** Filenodes whose whole content goes (DROP, TRUNCATE, rewrite). */
  droppedFilenodes: number[];
  /** Optimistic commit: rows that must still have this version, and not be locked against `mode`. */
  asserted: { relation: number; row: RowId; version: number; mode: RowLockMode }[];
  /** SERIALIZABLE: filenodes read; refused when one was changed since snapshotSeq. */
  readSet: number[];
  notifications: { channel: string; payload: string; pid: number }[];
  /** true: no locks were taken, "changed" answers are welcome and the statement will be run again. */
  optimistic: boolean;
  /** Optimistic commit: the tables it writes and the mode a pessimistic run would have locked them in. Without it,
   * any table lock of another session that conflicts with RowExclusiveLock gives the answer "changed". */
  tables?: { oid: Oid; mode: TableLockMode }[];
  /** Rows among the deleted ones that were moved to another partition. */
  moved?: { relation: number; row: RowId }[];
  /** Of a SERIALIZABLE transaction. */
  serializable?: boolean;
  /** PREPARE TRANSACTION: checked as a commit is, and kept instead of applied. */
  prepare?: PrepareSection;
  /** COMMIT PREPARED, ROLLBACK PREPARED: the request has nothing else. */
  finish?: FinishSection;
}

/** What is known of a prepared transaction: both halves, that of the database and that of global/, have the same. */
export interface PreparedXact {
  gid: string;
  /** Its id in the database. */
  xid: number;
  owner: Oid;
  database: Oid;
  /** Microseconds since 2000. */
  preparedAt: number;
  /** Who prepares it; 0 in lists: nobody does so any more. */
  pid: number;
}
export interface PrepareSection extends PreparedXact {
  /** max_prepared_transactions. */
  limit: number;
  /** The transaction's locks that the manager was not asked for; the client fills them in. */
  locks: LockTarget[];
}
export interface FinishSection { gid: string; xid: number; commit: boolean }
export type CommitAnswer =
  | { kind: 'committed'; xid: number; commitSeq: number }
  /** A row or asserted row is not what was read, or a lock stood in the way (and is gone by now). */
  | { kind: 'changed'; relation: number; row: RowId }
  /** A unique key is there already. The backend looks again and reports 23505. */
  | { kind: 'duplicate'; index: number; key: string }
  | { kind: 'serialization'; relation: number };

export type LockAnswer =
  /** `waited`: something was in the way: renew the snapshot and read again. The same is due when `changedSeq` is above
   * the snapshot's commitSeq: it is the newest commit that changed this table (rows), or the newest one (other targets).
   * -1: nobody was asked, any commit since the snapshot may have. `isStale` (snapshot.ts) decides. */
  | { kind: 'granted'; waited: boolean; changedSeq: number }
  | { kind: 'unavailable' } // skip and error policies
  | { kind: 'deadlock'; detail: string } // the lines of PostgreSQL's DETAIL
  | { kind: 'timeout' }
  | { kind: 'cancelled' };

/** What nextval() needs to know of pg_sequence. */
export interface SequenceParameters {
  filenode: number;
  increment: Int8;
  min: Int8;
  max: Int8;
  cache: number;
  cycle: boolean;
}
/** The three columns of a sequence's row. */
export interface SequenceState {
  lastValue: Int8;
  logCount: number;
  isCalled: boolean;
}

/** Says which commit request is meant, for ever: `session` is random, `number` counts the session's requests. */
export interface CommitToken {
  session: number; // 48 bits
  number: number;
}

/** A row of pg_locks, as far as the manager knows it. */
export interface LockStatus {
  locktype: 'relation' | 'tuple' | 'transactionid' | 'advisory' | 'object';
  /** relation oid, or filenode for tuple; xid for transactionid; 0 otherwise. */
  relation: number;
  row: RowId;
  xid: number;
  classid: Oid;
  objid: Oid;
  objsubid: number;
  pid: number;
  /** Of a prepared transaction, which has no pid: its id; else 0. */
  preparedXid: number;
  /** AccessShareLock, ExclusiveLock, ... */
  mode: string;
  granted: boolean;
  /** Milliseconds since 1970 when the wait began; 0 when granted. */
  waitStartMs: number;
}

/** Everything a backend says. Those without an answer are marked so. */
export type ClientMessage =
  | { kind: 'hello'; pid: number; session: number }
  | { kind: 'commit'; token: CommitToken; timeoutMs: number; request: CommitRequest }
  /** `mark`: grows with every request of a transaction; see releaseAfter. Answered once for all targets. */
  | { kind: 'locks'; targets: LockTarget[]; policy: WaitPolicy; timeoutMs: number; mark: number }
  /** No answer of its own: ends a waiting `locks` or `commit`, whose answer then says 'cancelled'. */
  | { kind: 'cancel' }
  /** The transaction is over without a commit request (`committed`: it had nothing to write): its locks go. */
  | { kind: 'end'; committed: boolean }
  /** ROLLBACK TO: what was locked by requests with a greater mark is let go. */
  | { kind: 'releaseAfter'; mark: number }
  | { kind: 'unlockAdvisory'; key1: number; key2: number; key3: number; shared: boolean }
  | { kind: 'unlockAllAdvisory' }
  | { kind: 'nextval'; sequence: SequenceParameters; count: number }
  /** No answer. Values above `used` of those handed out up to `handed` were not used. */
  | { kind: 'giveBack'; filenode: number; handed: Int8; used: Int8; count: number }
  | { kind: 'setval'; filenode: number; value: Int8; isCalled: boolean }
  | { kind: 'sequenceState'; filenode: number }
  | { kind: 'allocateOids'; count: number }
  | { kind: 'allocateXid' }
  /** How did it end? The answer is an index of XID_STATUSES. */
  | { kind: 'xidStatus'; xid: number }
  /** Was this row, which is gone, moved to another partition? The answer is 0 or 1. */
  | { kind: 'wasMoved'; relation: number; row: RowId }
  /** Which transactions does a snapshot of this commit not see? */
  | { kind: 'snapshotXids'; commitSeq: number }
  | { kind: 'listen'; channel: string }
  | { kind: 'unlisten'; channel: string }
  | { kind: 'unlistenAll' }
  /** Was this commit, sent to that incarnation of the manager, applied? */
  | { kind: 'outcome'; incarnation: number; token: CommitToken }
  | { kind: 'preparedXacts' }
  | { kind: 'lockStatus' }
  | { kind: 'blockingPids'; pid: number }
  /** A backend died: sweep its reader slot. */
  | { kind: 'readerCheck' };

export type ServerMessage =
  /** `lockSession`: the session's number in the lock memory (0: none); `lockNonce`: which memory it is; `lockPath`: where
   * to open it ('': it is not shared). */
  | { kind: 'welcome'; incarnation: number; commitSeq: number; lockSession: number; lockNonce: number; lockPath: string }
  | { kind: 'commit'; answer: CommitAnswer | InterruptedCommit }
  | { kind: 'locks'; answers: LockAnswer[] }
  | { kind: 'number'; value: number }
  | { kind: 'sequence'; state: SequenceState }
  | { kind: 'values'; first: Int8; count: number }
  | { kind: 'exhausted'; limit: Int8; ascending: boolean }
  | { kind: 'outcome'; applied: boolean; xid: number; commitSeq: number }
  | { kind: 'preparedXacts'; list: PreparedXact[] }
  | { kind: 'lockStatus'; locks: LockStatus[] }
  | { kind: 'pids'; pids: number[] }
  /** `running`: in order; null: that was too long ago. */
  | { kind: 'xids'; next: number; running: number[] | null }
  /** The request has waited for a lock for some time (10 ms); its answer comes later. */
  | { kind: 'waiting' }
  | { kind: 'notify'; channel: string; payload: string; pid: number }
  | { kind: 'failed'; condition: ConditionName; message: string };

/** A commit that had to wait for a lock and did not get through. */
export type InterruptedCommit = { kind: 'deadlock'; detail: string } | { kind: 'timeout' } | { kind: 'cancelled' };
