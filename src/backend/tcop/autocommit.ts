// A statement outside a transaction block commits by itself. A plain INSERT, UPDATE or DELETE is first tried without
// asking for any lock: its write set goes to the transaction manager with the versions it read, one round trip in
// all. Where somebody else was faster the manager says so, nothing has been told to the frontend yet, and the
// statement is run again, this time taking its locks one by one as inside a block.
import type { RawNode, RawStmt } from '../parser/raw_parser.ts';
import { client } from '../transaction/client.ts';
import {
  RetryStatement, abortCurrentTransaction, commitTransactionCommand, setOptimistic, startTransactionCommand, transactionBlockStatus,
} from '../transaction/xact.ts';
import { counting } from '../utils/pgstat.ts';
import { frontend, hasFrontend } from './protocol.ts';

/** Statements whose only effect is their write set, and that send no rows which could not be taken back. */
export function completesOptimistically(raw: RawStmt): boolean {
  const stmt = raw.stmt as RawNode & { returningList?: unknown[]; withClause?: unknown };
  return (stmt.tag === 'InsertStmt' || stmt.tag === 'UpdateStmt' || stmt.tag === 'DeleteStmt')
    && stmt.returningList === undefined && stmt.withClause === undefined;
}

/** Runs `body` in the current block, or in a transaction of its own. What `body` returns is called after the commit. */
export function runAutocommit(optimistic: boolean, body: () => () => void): void {
  if (!optimistic || transactionBlockStatus() !== 'I' || !hasFrontend()) {
    startTransactionCommand();
    const finish = body();
    commitTransactionCommand();
    finish();
    return;
  }
  const mark = frontend.mark();
  frontend.hold = true;
  try {
    let finish: () => void;
    try {
      startTransactionCommand();
      setOptimistic(true);
      client.beginFirstTry();
      finish = body();
      commitTransactionCommand();
    } catch (error) {
      if (!(error instanceof RetryStatement)) throw error;
      counting.retry = true;
      abortCurrentTransaction();
      counting.retry = false;
      frontend.rewind(mark);
      client.beginSecondTry();
      startTransactionCommand();
      finish = body();
      commitTransactionCommand();
    }
    finish();
  } finally {
    client.endTries();
    frontend.hold = false;
  }
}
