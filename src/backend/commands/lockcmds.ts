// LOCK TABLE (PostgreSQL's lockcmds.c).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckRelation, notOwnerOrDenied, relkindNoun } from '../catalog/aclchk.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { openRelation } from '../catalog/relcache.ts';
import { expressionTreeWalker, queryTreeWalker, type Walker } from '../nodes/nodeFuncs.ts';
import { ACL, type RangeTblEntry } from '../nodes/parsenodes.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { requireTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import type { TableLockMode } from '../transaction/messages.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { allChildren } from './tablecmds.ts';

const ACCESS_SHARE_LOCK = 1, ROW_EXCLUSIVE_LOCK = 3;

function lockCommand(stmt: RawNode, context: UtilityContext): void {
  requireTransactionBlock(context, 'LOCK TABLE');
  const mode = stmt['mode'] as TableLockMode;
  const policy = stmt['nowait'] ? 'error' : 'block';
  for (const rv of stmt['relations'] as RawNode[]) {
    const relation = openRelation(rangeVarGetRelid(rv as never));
    if (!'rpv'.includes(relation.kind)) throw new PgError('wrong_object_type', `cannot lock relation "${relation.name}"`, { detail: errdetailRelkindNotSupported(relation.kind) });
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

/** What a view stands on is locked too, with its owner's rights unless it is a security invoker's. */
function lockView(oid: Oid, mode: TableLockMode, policy: 'error' | 'block', above: readonly Oid[]): void {
  const view = openRelation(oid);
  const role = view.options.get('security_invoker') === 'true' ? session.currentUser : view.owner;
  const lockEntry = (rte: RangeTblEntry): void => {
    if (rte.rtekind !== 'relation' || !'rpv'.includes(rte.relkind) || above.includes(rte.relid)) return;
    lockOne(rte.relid, mode, policy, role);
    if (rte.relkind === 'v') lockView(rte.relid, mode, policy, [...above, oid]);
    else if (rte.inh) for (const child of allChildren(rte.relid)) lockTable(child, openRelation(child).name, false, mode, policy);
  };
  const walker: Walker = (node) => {
    if (node.kind !== 'Query') return expressionTreeWalker(node, walker);
    for (const rte of node.rtable) lockEntry(rte);
    return queryTreeWalker(node, walker);
  };
  walker(view.viewQuery!);
}

export const LOCK_COMMANDS: UtilityTable = {
  LockStmt: { run: lockCommand, readOnly: (stmt: { mode: number }) => stmt.mode <= ROW_EXCLUSIVE_LOCK },
};
