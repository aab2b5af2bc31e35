// CREATE RULE and ALTER TABLE ... ENABLE | DISABLE RULE (PostgreSQL's rewriteDefine.c, and transformRuleStmt of
// parse_utilcmd.c). OLD and NEW are entries 1 and 2 of the range table of every action (rewrite/rules.ts).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { mustBeOwner, objectOwnercheck, relkindNoun } from '../catalog/aclchk.ts';
import { getNewOid, isSystemRelation } from '../catalog/catalog.ts';
import { recordDependencyOnExpr } from '../catalog/expr_references.ts';
import { formatTypeWithTypmod } from '../catalog/format_type.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { rulesOf } from '../catalog/syscache.ts';
import { makeAlias, makeQuery } from '../nodes/makefuncs.ts';
import { exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import { transformStmt } from '../parser/analyze.ts';
import { transformWhereClause } from '../parser/parse_clause.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { makeParseState, withErrorPosition, type NamespaceItem, type ParseState } from '../parser/parse_node.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { rangeTableEntryUsed } from '../rewrite/rewrite_manip.ts';
import { EVENT_NUMBERS, insertSelectQuery, NEW_VARNO, OLD_VARNO } from '../rewrite/rules.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { becomeView, checkBecomesView } from './table_to_view.ts';
import { VIEW_SELECT_RULE } from './view.ts';

const ACCESS_SHARE_LOCK = 1, ACCESS_EXCLUSIVE_LOCK = 8;

type RuleEvent = keyof typeof EVENT_NUMBERS;
interface RuleStmt extends RawNode {
  relation: RawNode & RangeVarName; rulename: string; whereClause?: RawNode; event: string; instead?: boolean; actions?: RawNode[]; replace?: boolean;
}

const unsupported = (message: string, hint?: string): PgError => new PgError('feature_not_supported', message, { hint });
const invalid = (message: string, detail?: string): PgError => new PgError('invalid_object_definition', message, { detail });

function createRule(stmt: RuleStmt, context: UtilityContext): void {
  const event = stmt.event.replace('CMD_', '').toLowerCase() as RuleEvent;
  const relid = rangeVarGetRelid(stmt.relation);
  const before = openRelation(relid);
  lockTable(relid, before.name, before.shared, ACCESS_EXCLUSIVE_LOCK);
  const relation = openRelation(relid);
  if (relation.kind === 'm') throw unsupported('rules on materialized views are not supported');
  const { qual, actions } = transformRule(stmt, event, relation, context.text);
  checkRelation(relation);
  checkActions(stmt, event, relation, qual, actions);
  insertRule(stmt, event, relation, qual, actions);
  if (event === 'select' && relation.kind === 'r') {
    becomeView(relation);
    commandCounterIncrement();
  }
}

// ---- analysis

/** OLD and NEW, which one refers to by these names but does not select from. */
function addOldAndNew(state: ParseState, relation: Relation): [NamespaceItem, NamespaceItem] {
  const entry = (name: string): NamespaceItem => {
    const item = addRangeTableEntryForRelation(state, relation, ACCESS_SHARE_LOCK, makeAlias(name, []), false, false);
    item.rte.requiredPerms = 0;
    return item;
  };
  return [entry('old'), entry('new')];
}

function transformRule(stmt: RuleStmt, event: RuleEvent, relation: Relation, text: string): { qual: Expr | null; actions: Query[] } {
  const state = makeParseState(text);
  const [old, now] = addOldAndNew(state, relation);
  // In the condition of INSERT and DELETE the one that there is may be left out: its columns are names.
  if (event !== 'insert') addNamespaceItemToQuery(state, old, false, true, true);
  if (event === 'insert' || event === 'update') addNamespaceItemToQuery(state, now, false, true, true);
  const qual = withErrorPosition(state, -1, () => transformWhereClause(state, stmt.whereClause, 'where', 'WHERE'));
  if (qual !== null) assignExprCollations(state, qual);
  if (state.rtable.length !== 2) throw invalid('rule WHERE condition cannot contain references to other relations');
  if (stmt.actions === undefined || stmt.actions.length === 0) return { qual, actions: [{ ...makeQuery('nothing'), rtable: state.rtable }] };
  return { qual, actions: stmt.actions.map((action) => transformAction(action, event, relation, qual, text)) };
}

function transformAction(action: RawNode, event: RuleEvent, relation: Relation, qual: Expr | null, text: string): Query {
  const state = makeParseState(text);
  const [old, now] = addOldAndNew(state, relation);
  addNamespaceItemToQuery(state, old, false, true, false);
  addNamespaceItemToQuery(state, now, false, true, false);
  const query = transformStmt(state, action);
  if (query.commandType === 'utility') {
    if (qual !== null) throw invalid('rules with WHERE conditions can only have SELECT, INSERT, UPDATE, or DELETE actions');
    return query;
  }
  const sub = insertSelectQuery(query);
  if (sub.setOperations !== null && qual !== null) throw unsupported('conditional UNION/INTERSECT/EXCEPT statements are not implemented');
  const uses = (varno: number): boolean => rangeTableEntryUsed(sub, varno) || (qual !== null && rangeTableEntryUsed(qual, varno));
  const hasOld = uses(OLD_VARNO);
  const hasNew = uses(NEW_VARNO);
  if (event === 'select' && hasOld) throw invalid('ON SELECT rule cannot use OLD');
  if (event === 'select' && hasNew) throw invalid('ON SELECT rule cannot use NEW');
  if (event === 'insert' && hasOld) throw invalid('ON INSERT rule cannot use OLD');
  if (event === 'delete' && hasNew) throw invalid('ON DELETE rule cannot use NEW');
  for (const [name, varno] of [['OLD', OLD_VARNO], ['NEW', NEW_VARNO]] as const) {
    if ([query, sub].some((q) => q.cteList.some((cte) => rangeTableEntryUsed(cte.ctequery, varno, 1)))) throw unsupported(`cannot refer to ${name} within WITH query`);
  }
  // OLD is a table to be joined when it is referred to; NEW is what OLD becomes.
  if (hasOld || (hasNew && event === 'update')) {
    if (sub.setOperations !== null) throw unsupported('conditional UNION/INTERSECT/EXCEPT statements are not implemented');
    sub.jointree = { ...sub.jointree, fromlist: [...sub.jointree.fromlist, { kind: 'RangeTblRef', rtindex: OLD_VARNO }] };
  }
  return query;
}

// ---- checks

function checkRelation(relation: Relation): void {
  if (!'rmvp'.includes(relation.kind)) {
    throw new PgError('wrong_object_type', `relation "${relation.name}" cannot have rules`, { detail: errdetailRelkindNotSupported(relation.kind) });
  }
  if (isSystemRelation(relation.oid, relation.namespace)) {
    throw new PgError('insufficient_privilege', `permission denied: "${relation.name}" is a system catalog`);
  }
  if (!objectOwnercheck(ids.RelationRelationId, relation.oid, session.currentUser)) throw mustBeOwner(relkindNoun(relation.kind), relation.name);
}

function checkActions(stmt: RuleStmt, event: RuleEvent, relation: Relation, qual: Expr | null, actions: readonly Query[]): void {
  for (const q of actions) {
    if (q.resultRelation === 0 || insertSelectQuery(q) !== q) continue;
    if (q.resultRelation === OLD_VARNO) throw unsupported('rule actions on OLD are not implemented', 'Use views or triggers instead.');
    if (q.resultRelation === NEW_VARNO) throw unsupported('rule actions on NEW are not implemented', 'Use triggers instead.');
  }
  if (event === 'select') { checkSelectRule(stmt, relation, qual, actions); return; }
  let haveReturning = false;
  for (const q of actions) {
    if (q.returningList.length === 0) continue;
    if (haveReturning) throw unsupported('cannot have multiple RETURNING lists in a rule');
    haveReturning = true;
    if (qual !== null) throw unsupported('RETURNING lists are not supported in conditional rules');
    if (!stmt.instead) throw unsupported('RETURNING lists are not supported in non-INSTEAD rules');
    checkResultList(q.returningList, relation, false);
  }
  if (stmt.rulename === VIEW_SELECT_RULE) throw invalid(`non-view rule for "${relation.name}" must not be named "${VIEW_SELECT_RULE}"`);
}

function checkSelectRule(stmt: RuleStmt, relation: Relation, qual: Expr | null, actions: readonly Query[]): void {
  const [query, another] = actions;
  if (another !== undefined) throw unsupported('multiple actions for rules on SELECT are not implemented');
  if (!stmt.instead || query?.commandType !== 'select') throw unsupported('rules on SELECT must have action INSTEAD SELECT');
  if (query.hasModifyingCTE) throw unsupported('rules on SELECT must not contain data-modifying statements in WITH');
  if (qual !== null) throw unsupported('event qualifications are not implemented for rules on SELECT');
  checkResultList(query.targetList, relation, true);
  if (!stmt.replace && rulesOf(relation.oid).some((r) => r.ev_type === EVENT_NUMBERS.select)) {
    throw new PgError('object_not_in_prerequisite_state', `"${relation.name}" is already a view`);
  }
  if (stmt.rulename !== VIEW_SELECT_RULE) throw invalid(`view rule for "${relation.name}" must be named "${VIEW_SELECT_RULE}"`);
  if (relation.kind !== 'v') checkBecomesView(relation);
}

/** What a rule gives must be rows of the relation (checkRuleResultList). */
function checkResultList(list: readonly TargetEntry[], relation: Relation, isSelect: boolean): void {
  const what = isSelect ? 'SELECT rule\'s target' : 'RETURNING list\'s';
  const given = isSelect ? 'SELECT target entry' : 'RETURNING list entry';
  const whole = isSelect ? 'SELECT rule\'s target list' : 'RETURNING list';
  const visible = list.filter((te) => !te.resjunk);
  visible.forEach((te, i) => {
    const attribute = relation.attributes[i];
    if (attribute === undefined) throw invalid(`${whole} has too many entries`);
    if (attribute.attisdropped) {
      throw unsupported(isSelect ? 'cannot convert relation containing dropped columns to view' : 'cannot create a RETURNING list for a relation containing dropped columns');
    }
    const differs = (how: string, detail: string): PgError => invalid(`${what} entry ${i + 1} has different ${how} from column "${attribute.attname}"`, detail);
    if (isSelect && te.resname !== attribute.attname) throw differs('column name', `SELECT target entry is named "${te.resname}".`);
    const type = exprType(te.expr);
    const typmod = exprTypmod(te.expr);
    if (type !== attribute.atttypid) throw differs('type', `${given} has type ${formatTypeWithTypmod(type, -1)}, but column has type ${formatTypeWithTypmod(attribute.atttypid, -1)}.`);
    if (typmod !== attribute.atttypmod && typmod !== -1 && attribute.atttypmod !== -1) {
      throw differs('size', `${given} has type ${formatTypeWithTypmod(type, typmod)}, but column has type ${formatTypeWithTypmod(attribute.atttypid, attribute.atttypmod)}.`);
    }
  });
  if (visible.length < relation.attributes.length) throw invalid(`${whole} has too few entries`);
}

// ---- storing

function insertRule(stmt: RuleStmt, event: RuleEvent, relation: Relation, qual: Expr | null, actions: readonly Query[]): void {
  const fields = {
    ev_type: EVENT_NUMBERS[event], is_instead: stmt.instead ?? false, ev_qual: qual === null ? '<>' : nodeToString(qual), ev_action: nodeToString(actions),
  };
  const existing = rulesOf(relation.oid).find((r) => r.rulename === stmt.rulename);
  let oid: number;
  if (existing !== undefined) {
    if (!stmt.replace) throw new PgError('duplicate_object', `rule "${stmt.rulename}" for relation "${relation.name}" already exists`);
    oid = existing.oid;
    const [tuple] = catalogFind(ids.RewriteRelationId, ids.PgRewriteOidIndexId, [oid]);
    catalogUpdate(ids.RewriteRelationId, tuple!, fields);
    ddlHooks.created?.(ids.RewriteRelationId, { oid, rulename: stmt.rulename });
    deleteDependencyRecordsFor(objectAddress(ids.RewriteRelationId, oid));
  } else {
    oid = getNewOid(ids.RewriteRelationId);
    catalogInsert(ids.RewriteRelationId, { oid, rulename: stmt.rulename, ev_class: relation.oid, ev_enabled: 'O', ...fields });
  }
  const self = objectAddress(ids.RewriteRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid), event === 'select' ? 'i' : 'a');
  recordDependencyOnExpr(self, actions, [], 'n');
  if (qual !== null) recordDependencyOnExpr(self, qual, insertSelectQuery(actions[0]!).rtable, 'n');
  // Also when it is so already: whoever has the relation in a cache must look again.
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [relation.oid], { relhasrules: true });
  commandCounterIncrement();
}

/** ALTER TABLE ... ENABLE, DISABLE RULE: `enabled` O origin, A always, R replica, D never. */
export function enableDisableRule(relid: number, rulename: string, enabled: 'O' | 'A' | 'R' | 'D'): void {
  const rule = rulesOf(relid).find((r) => r.rulename === rulename);
  if (rule === undefined) throw new PgError('undefined_object', `rule "${rulename}" for relation "${openRelation(relid).name}" does not exist`);
  if (rule.ev_enabled === enabled) return;
  catalogUpdateByKey(ids.RewriteRelationId, ids.PgRewriteOidIndexId, [rule.oid], { ev_enabled: enabled });
}

export const RULE_COMMANDS: UtilityTable = {
  RuleStmt: { run: createRule },
};
