// CREATE, ALTER and rename of POLICY (PostgreSQL's policy.c), ALTER TABLE ... ROW LEVEL SECURITY. What policies do to queries is
// rewrite/rowsecurity.ts's business.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { mustBeOwner, objectOwnercheck, relkindNoun } from '../catalog/aclchk.ts';
import { ACL_ID_PUBLIC } from '../catalog/acl.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { recordDependencyOnExpr } from '../catalog/expr_references.ts';
import { catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { deleteSharedDependencyRecordsFor, recordSharedDependencyOn } from '../catalog/pg_shdepend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgPolicy } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { transformWhereClause } from '../parser/parse_clause.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { sendWarning, session } from '../utils/session.ts';
import { refuseSystemCatalog } from './object_names.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

const ACCESS_SHARE_LOCK = 1, ACCESS_EXCLUSIVE_LOCK = 8;
const COMMANDS: Readonly<Record<string, string>> = { all: '*', select: 'r', insert: 'a', update: 'w', delete: 'd' };

interface PolicyStmt extends RawNode {
  policy_name: string; table: RawNode & RangeVarName; cmd_name?: string; permissive?: boolean; roles?: RoleSpec[]; qual?: RawNode; with_check?: RawNode;
}
/** An expression with the tables it refers to. */
interface Condition { expr: Expr; rtable: readonly RangeTblEntry[] }

function tableForPolicy(rv: RangeVarName): Relation {
  const before = openRelation(rangeVarGetRelid(rv));
  if (!objectOwnercheck(ids.RelationRelationId, before.oid, session.currentUser)) throw mustBeOwner(relkindNoun(before.kind), before.name);
  refuseSystemCatalog(before.oid);
  if (before.kind !== 'r' && before.kind !== 'p') throw new PgError('wrong_object_type', `"${before.name}" is not a table`);
  lockTable(before.oid, before.name, before.shared, ACCESS_EXCLUSIVE_LOCK);
  return openRelation(rangeVarGetRelid(rv));
}

function policyRoles(specs: readonly RoleSpec[] | undefined): Oid[] {
  if (specs === undefined || specs.length === 0) return [ACL_ID_PUBLIC];
  if (specs.some((s) => s.roletype === 'ROLESPEC_PUBLIC')) {
    if (specs.length > 1) {
      sendWarning('invalid_parameter_value', 'ignoring specified roles other than PUBLIC', { hint: 'All roles are members of the PUBLIC role.' });
    }
    return [ACL_ID_PUBLIC];
  }
  return specs.map((s) => rolespecOid(s));
}

/** PostgreSQL gives no places for errors in these expressions. */
function transformCondition(relation: Relation, clause: RawNode | undefined): Condition | null {
  if (clause === undefined) return null;
  const state = makeParseState();
  addNamespaceItemToQuery(state, addRangeTableEntryForRelation(state, relation, ACCESS_SHARE_LOCK, null, false, false), false, true, true);
  const expr = transformWhereClause(state, clause, 'policy', 'POLICY')!;
  assignExprCollations(state, expr);
  return { expr, rtable: state.rtable };
}

const syntaxError = (message: string): PgError => new PgError('syntax_error', message);

function createPolicy(stmt: PolicyStmt): void {
  const command = COMMANDS[stmt.cmd_name ?? 'all'];
  if (command === undefined) throw syntaxError('unrecognized policy command');
  if ((command === 'r' || command === 'd') && stmt.with_check !== undefined) throw syntaxError('WITH CHECK cannot be applied to SELECT or DELETE');
  if (command === 'a' && stmt.qual !== undefined) throw syntaxError('only WITH CHECK expression allowed for INSERT');
  const roles = policyRoles(stmt.roles);
  const relation = tableForPolicy(stmt.table);
  const qual = transformCondition(relation, stmt.qual);
  const check = transformCondition(relation, stmt.with_check);
  refuseDuplicate(relation, stmt.policy_name);
  const oid = getNewOid(ids.PolicyRelationId);
  catalogInsert(ids.PolicyRelationId, {
    oid, polname: stmt.policy_name, polrelid: relation.oid, polcmd: command, polpermissive: stmt.permissive ?? false, polroles: roles,
    polqual: qual === null ? null : nodeToString(qual.expr), polwithcheck: check === null ? null : nodeToString(check.expr),
  });
  recordDependencies(oid, relation.oid, roles, [qual, check]);
  commandCounterIncrement();
}

function recordDependencies(oid: Oid, relid: Oid, roles: readonly Oid[], conditions: readonly (Condition | null)[]): void {
  const self = objectAddress(ids.PolicyRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, relid), 'a');
  for (const c of conditions) if (c !== null) recordDependencyOnExpr(self, c.expr, c.rtable, 'n');
  for (const role of roles) if (role !== ACL_ID_PUBLIC) recordSharedDependencyOn(ids.PolicyRelationId, oid, 0, ids.AuthIdRelationId, role, 'r');
}

function refuseDuplicate(relation: Relation, name: string): void {
  if (relation.policies.some((p) => p.name === name)) throw new PgError('duplicate_object', `policy "${name}" for table "${relation.name}" already exists`);
}

function existingPolicy(relation: Relation, name: string): PgPolicy {
  const row = sys.lookup(ids.PolicyRelationId, ids.PgPolicyPolrelidPolnameIndexId, relation.oid, name);
  if (row === undefined) throw new PgError('undefined_object', `policy "${name}" for table "${relation.name}" does not exist`);
  return row;
}

function alterPolicy(stmt: PolicyStmt): void {
  const roles = stmt.roles === undefined ? null : policyRoles(stmt.roles);
  const relation = tableForPolicy(stmt.table);
  const qual = transformCondition(relation, stmt.qual);
  const check = transformCondition(relation, stmt.with_check);
  const row = existingPolicy(relation, stmt.policy_name);
  if ((row.polcmd === 'r' || row.polcmd === 'd') && check !== null) throw syntaxError('only USING expression allowed for SELECT, DELETE');
  if (row.polcmd === 'a' && qual !== null) throw syntaxError('only WITH CHECK expression allowed for INSERT');
  catalogUpdateByKey(ids.PolicyRelationId, ids.PgPolicyOidIndexId, [row.oid], {
    ...(roles === null ? {} : { polroles: roles }), ...(qual === null ? {} : { polqual: nodeToString(qual.expr) }),
    ...(check === null ? {} : { polwithcheck: nodeToString(check.expr) }),
  });
  const kept = (text: string | null): Condition | null => (text === null ? null : { expr: stringToNode<Expr>(text), rtable: [{ rtekind: 'relation', relid: relation.oid } as RangeTblEntry] });
  deleteDependencyRecordsFor(objectAddress(ids.PolicyRelationId, row.oid));
  deleteSharedDependencyRecordsFor(ids.PolicyRelationId, row.oid);
  recordDependencies(row.oid, relation.oid, roles ?? row.polroles, [qual ?? kept(row.polqual), check ?? kept(row.polwithcheck)]);
  commandCounterIncrement();
}

export function renamePolicy(stmt: RawNode, newName: string): void {
  const relation = tableForPolicy(stmt['relation'] as unknown as RangeVarName);
  refuseDuplicate(relation, newName);
  const row = existingPolicy(relation, stmt['subname'] as string);
  catalogUpdateByKey(ids.PolicyRelationId, ids.PgPolicyOidIndexId, [row.oid], { polname: newName });
}

/** DROP OWNED BY: the role is no longer among the policy's. False: it is the only one (RemoveRoleFromObjectPolicy). */
export function removeRoleFromPolicy(role: Oid, policy: Oid): boolean {
  const [tuple] = catalogFind(ids.PolicyRelationId, ids.PgPolicyOidIndexId, [policy]);
  if (tuple === undefined) return true;
  const roles = tuple.row.polroles.filter((r) => r !== role);
  if (roles.length === 0) return false;
  catalogUpdate(ids.PolicyRelationId, tuple, { polroles: roles });
  deleteSharedDependencyRecordsFor(ids.PolicyRelationId, policy);
  for (const r of roles) if (r !== ACL_ID_PUBLIC) recordSharedDependencyOn(ids.PolicyRelationId, policy, 0, ids.AuthIdRelationId, r, 'r');
  commandCounterIncrement();
  return true;
}

export function setRowSecurity(relid: Oid, change: { relrowsecurity: boolean } | { relforcerowsecurity: boolean }): void {
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [relid], change);
}

export const POLICY_COMMANDS: UtilityTable = {
  CreatePolicyStmt: { run: createPolicy },
  AlterPolicyStmt: { run: alterPolicy },
};
