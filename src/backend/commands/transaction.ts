// BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION's options, SET CONSTRAINTS, CHECKPOINT.
import { PgError } from '../../common/errors.ts';
import { hasPrivsOfRole } from '../catalog/acl.ts';
import { ROLE_PG_CHECKPOINT } from '../catalog/oids.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { preventInTransactionBlock, requireTransactionBlock } from '../tcop/utility.ts';
import {
  beginTransactionBlock, defineSavepoint, endTransactionBlock, prepareTransactionBlock, releaseSavepoint, rollbackToSavepoint, userAbortTransactionBlock,
} from '../transaction/xact.ts';
import { countCheckpoint } from '../utils/pgstat.ts';
import { session } from '../utils/session.ts';
import { finishPreparedTransaction } from './twophase.ts';
import { setTransactionOption } from './variable.ts';

interface TransactionStmt { kind: string; options?: { defname: string; arg?: unknown }[]; savepoint_name?: string; chain?: boolean; gid?: string }

type TransactionCommand = (stmt: TransactionStmt, context: UtilityContext) => { tag?: string } | void;

function begin(stmt: TransactionStmt): void {
  beginTransactionBlock();
  for (const option of stmt.options ?? []) setTransactionOption(option);
}

const COMMANDS: Record<string, TransactionCommand> = {
  TRANS_STMT_BEGIN: begin,
  TRANS_STMT_START: begin,
  // A COMMIT of a failed block is a ROLLBACK, and says so.
  TRANS_STMT_COMMIT: (stmt) => (endTransactionBlock(stmt.chain === true) ? undefined : { tag: 'ROLLBACK' }),
  TRANS_STMT_ROLLBACK: (stmt) => userAbortTransactionBlock(stmt.chain === true),
  TRANS_STMT_SAVEPOINT: (stmt, context) => { requireTransactionBlock(context, 'SAVEPOINT'); defineSavepoint(stmt.savepoint_name ?? ''); },
  TRANS_STMT_RELEASE: (stmt, context) => { requireTransactionBlock(context, 'RELEASE SAVEPOINT'); releaseSavepoint(stmt.savepoint_name ?? ''); },
  TRANS_STMT_ROLLBACK_TO: (stmt, context) => { requireTransactionBlock(context, 'ROLLBACK TO SAVEPOINT'); rollbackToSavepoint(stmt.savepoint_name ?? ''); },
  TRANS_STMT_PREPARE: (stmt) => (prepareTransactionBlock(stmt.gid ?? '') ? undefined : { tag: 'ROLLBACK' }),
  TRANS_STMT_COMMIT_PREPARED: (stmt, context) => { preventInTransactionBlock(context, 'COMMIT PREPARED'); finishPreparedTransaction(stmt.gid ?? '', true); },
  TRANS_STMT_ROLLBACK_PREPARED: (stmt, context) => { preventInTransactionBlock(context, 'ROLLBACK PREPARED'); finishPreparedTransaction(stmt.gid ?? '', false); },
};

function checkpoint(): void {
  if (!hasPrivsOfRole(session.currentUser, ROLE_PG_CHECKPOINT)) throw new PgError('insufficient_privilege', 'must be superuser or have privileges of pg_checkpoint to do CHECKPOINT');
  countCheckpoint();
}

export const TRANSACTION_COMMANDS: UtilityTable = {
  TransactionStmt: { run: (stmt: TransactionStmt, context) => COMMANDS[stmt.kind]!(stmt, context), readOnly: true, inFailedTransaction: true },
  // Every commit is on disk when it is acknowledged: there is nothing left to write.
  CheckPointStmt: { run: checkpoint, readOnly: true },
};
