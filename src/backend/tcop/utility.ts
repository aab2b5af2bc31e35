// Utility statements: everything that is not planned. Dispatch is data: each file of commands/ exports a table from
// raw node tag to handler, commands/index.ts joins them, and what has no handler is refused with 0A000 by name.
import { PgError, notSupported } from '../../common/errors.ts';
import { refuseRestricted } from '../catalog/acl.ts';
import type { DestReceiver, ResultColumn } from '../executor/dest.ts';
import type { RawNode, RawStmt } from '../parser/raw_parser.ts';
import type { Datum } from '../types/datum.ts';
import { atNewest, transactionBlockStatus, isReadOnlyTransaction, inTransactionBlock } from '../transaction/xact.ts';
import { withEventTriggers } from '../commands/event_trigger_fire.ts';
import { createCommandTag } from './cmdtag.ts';

export interface UtilityContext {
  /** The whole source text that the statement's locations point into. */
  text: string;
  /** The statement's own text. */
  statementText: string;
  /** Sent by the frontend itself, not from within a function. */
  topLevel: boolean;
  /** Part of another command (CREATE SCHEMA). */
  subcommand?: boolean;
  /** Values of $n, for the few statements that take them (EXECUTE, DECLARE, CREATE TABLE AS, EXPLAIN). */
  params: readonly Datum[];
  paramTypes: readonly number[];
  dest: DestReceiver;
}

export interface UtilityResult {
  /** Replaces the command tag. */
  tag?: string;
  /** Rows, for tags that count them. */
  processed?: number;
}

export interface UtilityHandler {
  run(stmt: any, context: UtilityContext): UtilityResult | void;
  /** The columns of the rows it returns; absent or null: none. */
  columns?(stmt: any): ResultColumn[] | null;
  /** May run in a transaction block that has failed (COMMIT, ROLLBACK, ...). */
  inFailedTransaction?: boolean;
  /** Changes nothing that a READ ONLY transaction protects. Default: false. */
  readOnly?: boolean | ((stmt: any) => boolean);
}

export type UtilityTable = Record<string, UtilityHandler>;

const handlers = new Map<string, UtilityHandler>();

export function registerUtilities(table: UtilityTable): void {
  for (const [tag, handler] of Object.entries(table)) handlers.set(tag, handler);
}

function handlerOf(stmt: RawNode): UtilityHandler {
  const handler = handlers.get(stmt.tag);
  if (handler === undefined) throw notSupported(createCommandTag(stmt));
  return handler;
}

/** Whether the statement may run although the transaction block has failed. */
function allowedInFailedTransaction(stmt: RawNode): boolean {
  if (stmt.tag !== 'TransactionStmt') return false;
  const kind = (stmt as unknown as { kind: string }).kind;
  return kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_PREPARE' || kind === 'TRANS_STMT_ROLLBACK' || kind === 'TRANS_STMT_ROLLBACK_TO';
}

/** Throws 25P02 for everything else. */
export function refuseInFailedTransaction(raw: RawStmt): void {
  if (transactionBlockStatus() === 'E' && !allowedInFailedTransaction(raw.stmt)) {
    throw new PgError('in_failed_sql_transaction', 'current transaction is aborted, commands ignored until end of transaction block');
  }
}

export function utilityColumns(stmt: RawNode): ResultColumn[] | null {
  return handlers.get(stmt.tag)?.columns?.(stmt) ?? null;
}

/** What changes the session beyond the transaction (CheckRestrictedOperation). */
const LEAVES_BEHIND: Readonly<Record<string, string>> = {
  PrepareStmt: 'PREPARE', DeallocateStmt: 'DEALLOCATE', ListenStmt: 'LISTEN', UnlistenStmt: 'UNLISTEN', DiscardStmt: 'DISCARD', ClosePortalStmt: 'CLOSE',
};

/** Runs one utility statement (PostgreSQL's ProcessUtility). */
export function processUtility(stmt: RawNode, context: UtilityContext): UtilityResult {
  const handler = handlerOf(stmt);
  if (isReadOnlyTransaction() && !(typeof handler.readOnly === 'function' ? handler.readOnly(stmt) : handler.readOnly)) {
    throw new PgError('read_only_sql_transaction', `cannot execute ${createCommandTag(stmt)} in a read-only transaction`);
  }
  const leaves = LEAVES_BEHIND[stmt.tag];
  if (leaves !== undefined) refuseRestricted(`execute ${leaves}`);
  const run = (): UtilityResult => handler.run(stmt, context) ?? {};
  return withEventTriggers(stmt, context.subcommand === true, READS_NEWEST.has(stmt.tag) ? () => atNewest(context.topLevel, run) : run);
}

/** What rewrites or checks whole tables. */
const READS_NEWEST: ReadonlySet<string> = new Set(['AlterTableStmt', 'AlterDomainStmt', 'ClusterStmt', 'CreateStmt', 'IndexStmt', 'ReindexStmt']);

/** Commands that commit by themselves: refused inside a block, a function, or a multi-statement string. */
export function preventInTransactionBlock(context: UtilityContext, what: string): void {
  if (inTransactionBlock(context.topLevel)) {
    if (transactionBlockStatus() !== 'I') throw new PgError('active_sql_transaction', `${what} cannot run inside a transaction block`);
    if (!context.topLevel) throw new PgError('active_sql_transaction', `${what} cannot be executed from a function`);
    throw new PgError('active_sql_transaction', `${what} cannot be executed within a pipeline`);
  }
}

/** Commands that make sense only inside a block (DECLARE CURSOR without HOLD, LOCK TABLE, SAVEPOINT). */
export function requireTransactionBlock(context: UtilityContext, what: string): void {
  if (!inTransactionBlock(context.topLevel)) {
    throw new PgError('no_active_sql_transaction', `${what} can only be used in transaction blocks`);
  }
}
