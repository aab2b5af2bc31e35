// The simple protocol: one string, any number of statements, one transaction unless they say otherwise.
import { rawParse, type RawStmt } from '../parser/raw_parser.ts';
import {
  beginImplicitTransactionBlock, commandCounterIncrement, commitTransactionCommand, endImplicitTransactionBlock, renewSnapshot,
  startTransactionCommand,
} from '../transaction/xact.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { setPsStatus } from '../utils/ps_status.ts';
import { refuseInFailedTransaction } from './utility.ts';
import { completesOptimistically, runAutocommit } from './autocommit.ts';
import { isOptimizable } from './cmdtag.ts';
import { dropUnnamedStatement } from './extended_query.ts';
import { assignSlots, liftLiterals, sameShape, type LiftedText } from './literals.ts';
import { CachedStatement, findByText, forgetTextsOfOtherSettings, keepByText, textCaches } from './plancache.ts';
import { FETCH_ALL, Portal, findPortal } from './portal.ts';
import { RemoteDest } from './printtup.ts';
import { BINARY_FORMAT, TEXT_FORMAT, sendCommandComplete, sendEmptyQueryResponse } from './protocol.ts';
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
  const list = rawParse(text);
  if (list.length === 0) {
    sendEmptyQueryResponse();
    commitTransactionCommand();
  } else if (list.length === 1) {
    const statement = new CachedStatement(text, list[0]!, [], false, false);
    runSingle(statement);
    if (statement.isTransactionControl || statement.units.some((u) => u.plan !== null)) keepByText(text, statement);
  } else {
    runSeveral(text, list);
  }
}

/** Plans by the shape of their text: by its hash, one each; `statement` null: this shape cannot be kept. */
interface Shape { like: LiftedText; statement: CachedStatement | null; negated: readonly boolean[] }
const MAX_SHAPES = 512;
const shapes = new Map<number, Shape>();
textCaches.push(shapes);

/** Runs a statement whose shape has a plan, or makes one. False: it must be run as it is. */
function runByShape(text: string): boolean {
  const lifted = liftLiterals(text);
  if (lifted === null) return false;
  const known = shapes.get(lifted.hash);
  let shape = known !== undefined && sameShape(known.like, lifted) ? known : null;
  if (shape !== null && shape.statement === null) return false;
  const isNew = shape === null;
  if (shape === null) {
    startTransactionCommand();
    const list = rawParse(text);
    if (list.length !== 1 || !isOptimizable(list[0]!.stmt)) return false;
    const assigned = assignSlots(list[0]!, text, lifted);
    if (assigned === null) {
      keepShape({ like: lifted, statement: null, negated: [] });
      return false;
    }
    shape = { like: lifted, statement: new CachedStatement(text, assigned.raw, [], false, false), negated: assigned.negated };
  }
  const statement = shape.statement!, { negated } = shape;
  statement.slots = lifted.values.map((v, i) => (negated[i] ? -v : v));
  try {
    runSingle(statement);
  } finally {
    // Made (anew) just now, from these very literals: good for others only if none of them played a part.
    if (isNew || !statement.liftable) keepShape({ like: lifted, statement: statement.liftable ? statement : null, negated });
  }
  return true;
}

function keepShape(shape: Shape): void {
  if (shapes.size >= MAX_SHAPES) shapes.delete(shapes.keys().next().value!);
  shapes.set(shape.like.hash, shape);
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
  if (statement.takesSnapshot) renewSnapshot();
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
