// What a backend and the transaction manager of its database say to each other, decoded. The byte form is
// transaction/wire.ts. One connection per backend and environment; strictly request, answer, except that a request
// may wait (locks), during which the backend may send `cancel`, and that `notify` comes unasked between answers.
import type { Oid } from '../types/datum.ts';
import type { RowId } from '../access/row.ts';

/** Row lock strengths, weakest first (PostgreSQL 15, section 13.3.2; conflicts as there). */
export type RowLockMode = 'keyshare' | 'share' | 'nokeyupdate' | 'update';
/** Table lock modes, weakest first (section 13.3.1). */
export type TableLockMode = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8; // AccessShare=1 ... AccessExclusive=8, as in lockdefs.h
export type WaitPolicy = 'block' | 'skip' | 'error';

/** What a lock is on. `row`: relation is the table's filenode. `key`: a unique index key somebody is inserting. */
export type LockTarget =
  | { kind: 'row'; relation: number; row: RowId; mode: RowLockMode }
  | { kind: 'key'; index: number; key: string }
  | { kind: 'table'; oid: Oid; mode: TableLockMode }
  | { kind: 'advisory'; key1: number; key2: number; key3: number; shared: boolean; session: boolean }
  | { kind: 'object'; classid: Oid; objid: Oid; exclusive: boolean };

export interface RelationChanges {
  filenode: number;
  catalog: boolean;
  /** Whole blocks of new rows, provisional block numbers in order; `xmin` fields are filled in by the manager. */
  inserted: { block: number; bytes: Uint8Array }[];
  /** Changed rows: the version (xmin) that was read and the new row; `row` null deletes. */
  changed: { row: RowId; version: number; bytes: Uint8Array | null }[];
}
export interface IndexChanges {
  filenode: number;
  unique: boolean;
  /** Removed before added. Keys without filenode; binary strings. A row id may be provisional. */
  removed: { key: string; row: RowId; withRow: boolean }[];
  /** withRow: the row id is part of the key (non-unique index, or a NULL in a unique one). In key order. */
  added: { key: string; row: RowId; withRow: boolean }[];
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
}
export type CommitAnswer =
  | { kind: 'committed'; xid: number; commitSeq: number }
  /** A row or asserted row is not what was read, or a lock stood in the way (and is gone by now). */
  | { kind: 'changed'; relation: number; row: RowId }
  /** A unique key is there already. The backend looks again and reports 23505. */
  | { kind: 'duplicate'; index: number; key: string }
  | { kind: 'serialization'; relation: number };

export type LockAnswer =
  /** `waited`: something was in the way: renew the snapshot and read again. */
  | { kind: 'granted'; waited: boolean }
  | { kind: 'unavailable' } // skip and error policies
  | { kind: 'deadlock'; detail: string } // the lines of PostgreSQL's DETAIL
  | { kind: 'timeout' }
  | { kind: 'cancelled' };
