// COMMIT and ROLLBACK inside procedures and DO (SPI_commit, SPI_rollback): the next transaction begins at once.
import { PgError } from '../../../common/errors.ts';
import { allPortals } from '../../tcop/portal.ts';
import {
  abortCurrentTransaction, commitTransactionCommand, isDeferrable, isolationLevel, readOnly, renewSnapshot, setTransactionDeferrable, setTransactionIsolation,
  setTransactionReadOnly, startTransactionCommand, transactionNestingLevel,
} from '../../transaction/xact.ts';
import { errorContext } from '../../utils/error_context.ts';
import type { Estate } from './estate.ts';
import { changingLoops } from './exec_sql.ts';

function end(rt: Estate, what: 'commit' | 'roll back', chain: boolean, finish: () => void): void {
  if (rt.atomic) throw new PgError('invalid_transaction_termination', 'invalid transaction termination');
  if (transactionNestingLevel() > 1) throw new PgError('invalid_transaction_termination', `cannot ${what} while a subtransaction is active`);
  const isolation = isolationLevel(), isReadOnly = readOnly(), deferrable = isDeferrable();
  holdPinnedPortals();
  const { top } = errorContext;
  finish();
  startTransactionCommand();
  if (chain) {
    setTransactionIsolation(isolation);
    setTransactionReadOnly(isReadOnly);
    setTransactionDeferrable(deferrable);
  }
  renewSnapshot(false);
  errorContext.top = top;
}

const notReadOnly = (): PgError =>
  new PgError('object_not_in_prerequisite_state', 'cannot perform transaction commands inside a cursor loop that is not read-only');

/** The cursors of loops that are running go on in the next transaction. */
function holdPinnedPortals(): void {
  if (changingLoops.running > 0) throw notReadOnly();
  for (const portal of allPortals()) {
    if (!portal.pinned || portal.held) continue;
    if (portal.strategy !== 'one_select') throw notReadOnly();
    portal.materialize();
    portal.fail();
    portal.held = true;
  }
}

export function commitInProcedure(rt: Estate, chain: boolean): void {
  end(rt, 'commit', chain, commitTransactionCommand);
}

export function rollbackInProcedure(rt: Estate, chain: boolean): void {
  end(rt, 'roll back', chain, abortCurrentTransaction);
}
