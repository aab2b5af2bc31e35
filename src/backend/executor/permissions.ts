// Whether the current user may do with the tables of a plan what the plan does (ExecCheckRTPerms of PostgreSQL). What
// was allowed once stays so until a catalog or the user changes: the answer is kept with the plan.
import { aclcheckAttributes, attributeAclmask, notOwnerOrDenied, objectAclmask, relkindNoun } from '../catalog/aclchk.ts';
import { superuserArg } from '../catalog/acl.ts';
import { getRelKind, getRelName } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import { classByOid } from '../catalog/syscache.ts';
import { PgError } from '../../common/errors.ts';
import { ACL, type RangeTblEntry } from '../nodes/parsenodes.ts';
import type { PlannedStmt } from '../nodes/plannodes.ts';
import { refuseOtherTemp } from '../catalog/namespace.ts';
import { openRelation } from '../catalog/relcache.ts';
import { catalogVersion, isReadOnlyTransaction } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';

/** What was allowed last: to whom, and under which state of the catalogs. */
export interface Allowed { user: Oid; version: number }

const CHANGES = ACL.INSERT | ACL.UPDATE | ACL.DELETE;

/** ExecCheckXactReadOnly: only temporary tables may be changed. (UPDATE rights alone may be wanted for FOR UPDATE, too.) */
function checkReadOnly(stmt: PlannedStmt): void {
  for (const rte of stmt.rtable) {
    if ((rte.requiredPerms & CHANGES) === 0 || rte.relid === 0 || openRelation(rte.relid).persistence === 't') continue;
    throw new PgError('read_only_sql_transaction', `cannot execute ${commandName(stmt)} in a read-only transaction`);
  }
}

/** CreateCommandName of a plan. */
function commandName({ commandType, rowMarks }: PlannedStmt): string {
  if (commandType !== 'select' || rowMarks.length === 0) return commandType.toUpperCase();
  return `SELECT FOR ${{ keyshare: 'KEY SHARE', share: 'SHARE', nokeyupdate: 'NO KEY UPDATE', update: 'UPDATE' }[rowMarks[0]!.strength]}`;
}

export function checkPermissions(stmt: PlannedStmt, known: Allowed): void {
  if (isReadOnlyTransaction()) checkReadOnly(stmt);
  const version = catalogVersion();
  if (known.user === session.currentUser && known.version === version) return;
  checkRights(stmt);
  for (const rte of stmt.rtable) {
    if (rte.rtekind !== 'relation') continue;
    if (rte.relkind === 'm') checkPopulated(rte.relid);
    else if (rte.relkind === 'r') refuseOtherTemp('access', openRelation(rte.relid));
  }
  known.user = session.currentUser;
  known.version = version;
}

/** The rights that the plan needs, of whoever looks at it, too. */
export function checkRights(stmt: PlannedStmt): void {
  for (const list of [stmt.rtable, stmt.unplanned]) {
    for (const rte of list) if (rte.requiredPerms !== 0 && rte.relid !== 0) checkEntry(rte);
  }
}

/** REFRESH ... WITH NO DATA leaves nothing that could be read (ExecOpenScanRelation). */
function checkPopulated(relid: Oid): void {
  const relation = classByOid(relid);
  if (relation === undefined || relation.relispopulated) return;
  throw new PgError('object_not_in_prerequisite_state', `materialized view "${relation.relname}" has not been populated`, {
    hint: 'Use the REFRESH MATERIALIZED VIEW command.',
  });
}

function checkEntry(rte: RangeTblEntry): void {
  const user = rte.checkAsUser !== 0 ? rte.checkAsUser : session.currentUser;
  if (superuserArg(user)) return;
  const { relid, requiredPerms } = rte;
  const missing = requiredPerms & ~objectAclmask(ids.RelationRelationId, relid, user, requiredPerms);
  if (missing === 0) return;
  // What columns can make up for.
  if ((missing & ~(ACL.SELECT | ACL.INSERT | ACL.UPDATE)) !== 0
    || ((missing & ACL.SELECT) !== 0 && !selectAllowed(rte, user))
    || ((missing & ACL.INSERT) !== 0 && !columnsAllowed(relid, user, rte.insertedCols, ACL.INSERT))
    || ((missing & ACL.UPDATE) !== 0 && !columnsAllowed(relid, user, rte.updatedCols, ACL.UPDATE))) {
    throw notOwnerOrDenied(relkindNoun(getRelKind(relid)), getRelName(relid) ?? String(relid));
  }
}

function selectAllowed(rte: RangeTblEntry, user: Oid): boolean {
  // count(*) and the like name no column: the right to any of them is enough.
  if (rte.selectedCols.length === 0) return aclcheckAttributes(rte.relid, user, ACL.SELECT, 'any');
  return rte.selectedCols.every((attnum) => (attnum === 0 ? aclcheckAttributes(rte.relid, user, ACL.SELECT, 'all')
    : (attributeAclmask(rte.relid, attnum, user, ACL.SELECT) & ACL.SELECT) !== 0));
}

function columnsAllowed(relid: Oid, user: Oid, columns: readonly number[], mode: number): boolean {
  if (columns.length === 0) return aclcheckAttributes(relid, user, mode, 'any');
  return columns.every((attnum) => (attributeAclmask(relid, attnum, user, mode) & mode) !== 0);
}
