// What the transaction state machine (xact.ts) needs of the write set, which stands a floor above it: the write set
// enters itself here when it is loaded.
import type { CommitRequest } from './messages.ts';

export interface TransactionResource {
  /** Whether there is anything to commit in global/ (shared) or in the database. */
  hasChanges(shared: boolean): boolean;
  /** Puts the changes into a request: relations, indexes, droppedFilenodes, asserted, catalogChanged. */
  fillCommit(shared: boolean, request: CommitRequest): void;
  defineSavepoint(): void;
  /** Takes back what was done since the innermost savepoint, and removes it. */
  rollbackSavepoint(): void;
  /** Removes the innermost savepoint and keeps what was done since. */
  releaseSavepoint(): void;
  /** The transaction is over: forget all changes. */
  reset(committed: boolean): void;
}

const nothing: TransactionResource = {
  hasChanges: () => false, fillCommit() {}, defineSavepoint() {}, rollbackSavepoint() {}, releaseSavepoint() {}, reset() {},
};

let resource = nothing;

/** The write set enters itself when it is loaded. */
export function setTransactionResource(other: TransactionResource): void {
  resource = other;
}

export function transactionResource(): TransactionResource {
  return resource;
}
