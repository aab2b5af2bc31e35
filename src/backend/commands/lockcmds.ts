// LOCK TABLE (PostgreSQL's lockcmds.c).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckRelation, notOwnerOrDenied, relkindNoun } from '../catalog/aclchk.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { openRelation } from '../catalog/relcache.ts';
import { ACL, type Query } from '../nodes/parsenodes.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { requireTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import type { TableLockMode } from '../transaction/messages.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { kindNotSupported } from './altertable.ts';
import { allChildren } from './tablecmds.ts';

const ACCESS_SHARE_LOCK = 1, ROW_EXCLUSIVE_LOCK = 3;

function lockCommand(stmt: RawNode, context: UtilityContext): void {
  requireTransactionBlock(context, 'LOCK TABLE');
  const mode = stmt['mode'] as TableLockMode;
  const policy = stmt['nowait'] ? 'error' : 'block';
  for (const rv of stmt['relations'] as RawNode[]) {
    const relation = openRelation(rangeVarGetRelid(rv as never));
    if (!'rpv'.includes(relation.kind)) throw new PgError('wrong_object_type', `cannot lock relation "${relation.name}"`, { detail: kindNotSupported(relation.kind) });
    lockOne(relation.oid, mode, policy, session.currentUser);
    if (relation.kind === 'v') lockView(relation.oid, mode, policy, []);
    else if (rv['inh'] && relation.hasSubclass) for (const child of allChildren(relation.oid)) lockTable(child, openRelation(child).name, false, mode, policy);
  }
}

function lockOne(oid: Oid, mode: TableLockMode, policy: 'error' | 'block', role: Oid): void {
  const relation = openRelation(oid);
  let rights: number = ACL.UPDATE | ACL.DELETE | ACL.TRUNCATE;
  if (mode === ACCESS_SHARE_LOCK) rights = ACL.SELECT;
  else if (mode <= ROW_EXCLUSIVE_LOCK) rights |= ACL.INSERT;
  if (!aclcheckRelation(oid, role, rights)) throw notOwnerOrDenied(relkindNoun(relation.kind), relation.name);
  lockTable(oid, relation.name, relation.shared, mode, policy);
}

/** What a view stands on is locked with its owner's rights. */
function lockView(oid: Oid, mode: TableLockMode, policy: 'error' | 'block', above: readonly Oid[]): void {
  const view = openRelation(oid);
  if (above.includes(oid)) throw new PgError('invalid_object_definition', `infinite recursion detected in rules for relation "${view.name}"`);
  const visit = (query: Query): void => {
    for (const rte of query.rtable) {
      if (rte.subquery !== null) visit(rte.subquery);
      if (rte.rtekind !== 'relation') continue;
      if (!'rpv'.includes(rte.relkind)) continue;
      lockOne(rte.relid, mode, policy, view.owner);
      if (rte.relkind === 'v') lockView(rte.relid, mode, policy, [...above, oid]);
      else if (rte.inh) for (const child of allChildren(rte.relid)) lockTable(child, openRelation(child).name, false, mode, policy);
    }
    for (const cte of query.cteList) visit(cte.ctequery);
  };
  visit(view.viewQuery!);
}

export const LOCK_COMMANDS: UtilityTable = {
  LockStmt: { run: lockCommand, readOnly: (stmt: { mode: number }) => stmt.mode <= ROW_EXCLUSIVE_LOCK },
};
