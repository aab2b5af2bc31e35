// The states of PostgreSQL's xact.c: of a transaction as such, and of the block the user has opened around it.
import type { Oid } from '../types/datum.ts';

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

/** TRANS_*: what the machinery is doing. */
export type TransactionPhase = 'default' | 'start' | 'inprogress' | 'commit' | 'abort';

/** TBLOCK_*: what the user has asked for. */
export type BlockState =
  | 'default' // idle
  | 'started' // running a single statement
  | 'begin' // a block is to be opened
  | 'inprogress' // in a block
  | 'implicit' // in an implicit block: a string of several statements
  | 'end' // COMMIT received
  | 'abort' // failed, waiting for ROLLBACK
  | 'abort_end' // failed, ROLLBACK received
  | 'abort_pending' // live, ROLLBACK received
  | 'subbegin' | 'subinprogress' | 'subrelease' | 'subcommit' | 'subabort' | 'subabort_end' | 'subabort_pending'
  | 'subrestart' | 'subabort_restart';

/** What ReadyForQuery says. */
export const BLOCK_STATUS: Record<BlockState, 'I' | 'T' | 'E'> = {
  default: 'I', started: 'I', begin: 'T', inprogress: 'T', implicit: 'T', end: 'T', abort: 'E', abort_end: 'E', abort_pending: 'E',
  subbegin: 'T', subinprogress: 'T', subrelease: 'T', subcommit: 'T', subabort: 'E', subabort_end: 'E', subabort_pending: 'E',
  subrestart: 'E', subabort_restart: 'E',
};

/** A transaction, or a subtransaction with its parent. */
export interface TransactionState {
  readonly nestingLevel: number;
  readonly subid: number;
  name: string | null;
  phase: TransactionPhase;
  block: BlockState;
  readonly parent: TransactionState | null;
  readonly savepointLevel: number;
  /** Settings level to unwind at its end. */
  gucLevel: number;
  /** Read-only as it was outside; comes back at its end. */
  readonly outerReadOnly: boolean;
  /** COMMIT AND CHAIN, ROLLBACK AND CHAIN. */
  chain: boolean;
  /** Lock marks of database and global/ when it began. */
  lockMarks: [number, number] | null;
  readonly user: Oid;
}
