// The simple protocol: one string, any number of statements, one transaction unless they say otherwise.
import { rawParse, type RawStmt } from '../parser/raw_parser.ts';
import {
  beginImplicitTransactionBlock, commandCounterIncrement, commitTransactionCommand, endImplicitTransactionBlock, renewSnapshot,
  startTransactionCommand,
} from '../transaction/xact.ts';
import { checkForInterrupts, startStatementTimeout } from '../utils/interrupts.ts';
import { setPsStatus } from '../utils/ps_status.ts';
import { refuseInFailedTransaction } from './utility.ts';
import { parseAlike, type Part } from './alike.ts';
import { completesOptimistically, runAutocommit } from './autocommit.ts';
import { dropUnnamedStatement } from './extended_query.ts';
import { CachedStatement, findByText, forgetTextsOfOtherSettings, keepByText } from './plancache.ts';
import { FETCH_ALL, Portal, findPortal } from './portal.ts';
import { RemoteDest } from './printtup.ts';
import { BINARY_FORMAT, TEXT_FORMAT, sendCommandComplete, sendEmptyQueryResponse } from './protocol.ts';
import { withShape } from './shapes.ts';
import { logStatement, statementEnds, statementStarts } from './statement.ts';

export function execSimpleQuery(text: string): void {
  statementStarts();
  logStatement(text);
  dropUnnamedStatement();
  forgetTextsOfOtherSettings();
  // By its shape first: a Map internalizes a string that it is asked for, which costs more than to read it twice.
  if (!runByShape(text)) {
    const known = findByText(text);
    if (known !== undefined) runSingle(known);
    else runNew(text);
  }
  statementEnds();
}

/** A text that was not seen before, not even with other literals. */
function runNew(text: string): void {
  startTransactionCommand();
  const alike = parseAlike(text);
  if (alike !== null) {
    runSeveral(alike);
    return;
  }
  const list = rawParse(text);
  if (list.length === 0) {
    sendEmptyQueryResponse();
    commitTransactionCommand();
  } else if (list.length === 1) {
    const statement = new CachedStatement(text, list[0]!, [], false, false);
    runSingle(statement);
    if (statement.isTransactionControl || statement.units.some((u) => u.plan !== null)) keepByText(text, statement);
  } else {
    runSeveral(list.map((raw) => ({ raw, statement: () => new CachedStatement(text, raw, [], false, false) })));
  }
}

/** Runs a statement whose shape has a plan, or makes one. False: it must be run as it is. */
function runByShape(text: string): boolean {
  return withShape(text, parseInTransaction, runSingle);
}
function parseInTransaction(text: string): readonly RawStmt[] {
  startTransactionCommand();
  return rawParse(text);
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

function runSeveral(list: readonly Part[]): void {
  const last = list[list.length - 1];
  for (const part of list) {
    const { raw } = part;
    refuseInFailedTransaction(raw);
    startTransactionCommand();
    startStatementTimeout();
    beginImplicitTransactionBlock();
    checkForInterrupts();
    const statement = part.statement();
    setPsStatus(statement.commandTag);
    const tag = runStatement(statement);
    if (part === last) {
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
  if (statement.takesSnapshot) renewSnapshot(statement.fixesSnapshot);
  statement.revalidate();
  const portal = new Portal('', statement, []);
  const dest = new RemoteDest(true, formatsFor(statement.raw!), statement.sent);
  return portal.run(FETCH_ALL, dest, dest).tag;
}

/** FETCH from a binary cursor is the one case of binary rows in the simple protocol. */
function formatsFor(raw: RawStmt): readonly number[] {
  if (raw.stmt.tag !== 'FetchStmt') return TEXT_FORMAT;
  return findPortal((raw.stmt as unknown as { portalname: string }).portalname)?.options.binary ? BINARY_FORMAT : TEXT_FORMAT;
}
