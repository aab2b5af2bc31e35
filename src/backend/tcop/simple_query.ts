// The simple protocol: one string, any number of statements, one transaction unless they say otherwise.
import { PgError } from '../../common/errors.ts';
import { rawParse, type RawStmt } from '../parser/raw_parser.ts';
import {
  beginImplicitTransactionBlock, commandCounterIncrement, commitTransactionCommand, endImplicitTransactionBlock, renewSnapshot,
  startTransactionCommand, transactionBlockStatus,
} from '../transaction/xact.ts';
import { logStatement } from '../utils/elog.ts';
import { checkForInterrupts, statementEnds, statementStarts } from '../utils/interrupts.ts';
import { setPsStatus } from '../utils/ps_status.ts';
import { allowedInFailedTransaction } from './utility.ts';
import { completesOptimistically, runAutocommit } from './autocommit.ts';
import { dropUnnamedStatement } from './extended_query.ts';
import { CachedStatement, findByText, keepByText } from './plancache.ts';
import { FETCH_ALL, Portal, findPortal } from './portal.ts';
import { RemoteDest } from './printtup.ts';
import { sendCommandComplete, sendEmptyQueryResponse } from './protocol.ts';

export function execSimpleQuery(text: string): void {
  statementStarts();
  logStatement(text);
  dropUnnamedStatement();
  const known = findByText(text);
  if (known !== undefined) {
    runSingle(known);
  } else {
    startTransactionCommand();
    const list = rawParse(text);
    if (list.length === 0) {
      sendEmptyQueryResponse();
      commitTransactionCommand();
    } else if (list.length === 1) {
      const statement = new CachedStatement(text, list[0]!, [], false, false);
      runSingle(statement);
      if (statement.columns !== null || statement.units.some((u) => u.plan !== null)) keepByText(text, statement);
    } else {
      runSeveral(text, list);
    }
  }
  statementEnds();
}

/** The common case: one statement, and when no block is open a transaction of its own. */
function runSingle(statement: CachedStatement): void {
  refuseInFailedTransaction(statement.raw!);
  setPsStatus(statement.commandTag);
  runAutocommit(completesOptimistically(statement.raw!), () => {
    const tag = runStatement(statement);
    return () => sendCommandComplete(tag);
  });
}

function runSeveral(text: string, list: readonly RawStmt[]): void {
  const last = list[list.length - 1];
  for (const raw of list) {
    refuseInFailedTransaction(raw);
    startTransactionCommand();
    beginImplicitTransactionBlock();
    checkForInterrupts();
    const statement = new CachedStatement(text, raw, [], false, false);
    setPsStatus(statement.commandTag);
    const tag = runStatement(statement);
    if (raw === last) {
      endImplicitTransactionBlock();
      commitTransactionCommand();
    } else if (raw.stmt.tag === 'TransactionStmt') {
      commitTransactionCommand();
    } else {
      commandCounterIncrement();
    }
    sendCommandComplete(tag);
  }
}

function runStatement(statement: CachedStatement): string {
  // Transaction control needs no snapshot, and must not take one: BEGIN may choose the isolation level.
  if (!statement.isTransactionControl) renewSnapshot();
  statement.revalidate();
  const portal = new Portal('', statement, []);
  return portal.run(FETCH_ALL, new RemoteDest(true, formatsFor(statement.raw!))).tag;
}

/** FETCH from a binary cursor is the one case of binary rows in the simple protocol. */
function formatsFor(raw: RawStmt): readonly number[] {
  if (raw.stmt.tag !== 'FetchStmt') return [];
  return findPortal((raw.stmt as unknown as { portalname: string }).portalname)?.options.binary ? [1] : [];
}

export function refuseInFailedTransaction(raw: RawStmt): void {
  if (transactionBlockStatus() === 'E' && !allowedInFailedTransaction(raw.stmt)) {
    throw new PgError('in_failed_sql_transaction', 'current transaction is aborted, commands ignored until end of transaction block');
  }
}
