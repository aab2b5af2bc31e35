// ON COMMIT DROP and ON COMMIT DELETE ROWS of temporary tables, and their end with the session.
import { PgError } from '../../common/errors.ts';
import { setNewFilenode, truncateRelation } from '../catalog/storage.ts';
import { performDeletion, removeTempRelations } from '../catalog/dependency.ts';
import { myTempNamespaceOid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress } from '../catalog/pg_depend.ts';
import { getRelName } from '../catalog/lsyscache.ts';
import { tryOpenRelation } from '../catalog/relcache.ts';
import {
  abortOutOfAnyTransaction, commandCounterIncrement, commitTransactionCommand, currentSubTransactionId, isPreparing, registerCallback, renewSnapshot, startTransactionCommand,
} from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';

/** As the grammar names it. */
export type OnCommitClause = 'ONCOMMIT_NOOP' | 'ONCOMMIT_PRESERVE_ROWS' | 'ONCOMMIT_DELETE_ROWS' | 'ONCOMMIT_DROP';
interface Entry { relation: Oid; action: 'delete' | 'drop'; subid: number; committed: boolean }
let entries: Entry[] = [];

export function checkOnCommit(clause: OnCommitClause | undefined, persistence: 'p' | 'u' | 't'): void {
  if ((clause ?? 'ONCOMMIT_NOOP') === 'ONCOMMIT_NOOP' || persistence === 't') return;
  throw new PgError('invalid_table_definition', 'ON COMMIT can only be used on temporary tables');
}

/** What is to be done with a temporary table at the end of every transaction from now on. */
export function noteOnCommit(relation: Oid, clause: OnCommitClause | undefined): void {
  if (clause !== 'ONCOMMIT_DROP' && clause !== 'ONCOMMIT_DELETE_ROWS') return;
  entries.push({ relation, action: clause === 'ONCOMMIT_DROP' ? 'drop' : 'delete', subid: currentSubTransactionId(), committed: false });
}

/** Rows that go must not be referenced from a table whose rows stay (heap_truncate_check_FKs). */
function refuseReferenced(): void {
  const emptied = entries.filter((e) => e.action === 'delete').map((e) => e.relation);
  for (const oid of emptied) {
    const relation = tryOpenRelation(oid);
    if (relation === undefined) continue;
    for (const key of relation.referencedBy) {
      if (emptied.includes(key.conrelid)) continue;
      throw new PgError('feature_not_supported', 'unsupported ON COMMIT and foreign key combination', {
        detail: `Table "${getRelName(key.conrelid)}" references "${relation.name}", but they do not have the same ON COMMIT setting.`,
      });
    }
  }
}

/** PreCommit_on_commit_actions: when cursors have read what they will be asked for (session_callbacks.ts). */
export function preCommitOnCommitActions(): void {
  if (isPreparing()) return; // it has no business with temporary tables, or will be refused
  refuseReferenced();
  for (const entry of entries) {
    const relation = tryOpenRelation(entry.relation);
    if (relation === undefined) continue;
    if (entry.action === 'drop') performDeletion(objectAddress(ids.RelationRelationId, entry.relation), 'cascade', { quietly: true });
    else {
      truncateRelation(relation);
      for (const index of relation.indexes) setNewFilenode(index.indexrelid);
    }
  }
  if (entries.length > 0) commandCounterIncrement();
}

registerCallback({
  onCommit() {
    if (entries.length === 0) return;
    entries = entries.filter((e) => e.action === 'delete');
    for (const entry of entries) entry.committed = true;
  },
  onAbort() { entries = entries.filter((e) => e.committed); },
  onSubAbort(subid) { entries = entries.filter((e) => e.committed || e.subid < subid); },
});

/** At the end of the session: its temporary tables go. */
export function dropTemporaryTables(): void {
  if (myTempNamespaceOid() === 0) return;
  abortOutOfAnyTransaction();
  startTransactionCommand();
  renewSnapshot();
  removeTempRelations();
  commitTransactionCommand();
}
