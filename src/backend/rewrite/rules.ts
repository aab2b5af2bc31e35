// Rules of a relation for INSERT, UPDATE and DELETE, and what they make of a query (fireRules of rewriteHandler.c). OLD and
// NEW are entries 1 and 2 of the range table of a rule's action, or of its SELECT when it is INSERT ... SELECT.
import { PgError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import type { PgRewrite } from '../catalog/rows.ts';
import { rulesOf, triggersOf } from '../catalog/syscache.ts';
import { makeAndQual } from '../nodes/makefuncs.ts';
import { containsNode, containsVarsOfLevel } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, FromItem } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Oid } from '../types/datum.ts';
import { checkAs } from './expand_views.ts';
import { settings } from '../utils/settings.ts';
import {
  changeVarNodes, changeVarNodesInQuery, offsetVarNodes, offsetVarNodesInQuery, rangeTableEntryUsed, replaceVarsFromTargetList, replaceVarsFromTargetListInQuery,
} from './rewrite_manip.ts';

export const OLD_VARNO = 1, NEW_VARNO = 2;

export type ModifyEvent = 'insert' | 'update' | 'delete';
export const EVENT_NUMBERS: Record<ModifyEvent | 'select', string> = { select: '1', update: '2', insert: '3', delete: '4' };

export interface Rule { name: string; event: string; isInstead: boolean; enabled: string; qual: Expr | null; actions: Query[] }

const parsed = new WeakMap<PgRewrite, Rule>();

function parseRule(row: PgRewrite, owner: Oid): Rule {
  let rule = parsed.get(row);
  if (rule === undefined) {
    rule = {
      name: row.rulename, event: row.ev_type, isInstead: row.is_instead, enabled: row.ev_enabled, qual: row.ev_qual === '<>' ? null : stringToNode<Expr>(row.ev_qual),
      actions: stringToNode<Query[]>(row.ev_action).map((q) => checkAs(q, owner)),
    };
    parsed.set(row, rule);
  }
  return rule;
}

/** The enabled rules for an event, by name (matchLocks). */
export function matchRules(relation: Relation, event: ModifyEvent): Rule[] {
  if (!relation.hasRules) return [];
  const on = settings.session_replication_role === 'replica' ? 'RA' : 'OA';
  return rulesOf(relation.oid).filter((r) => r.ev_type === EVENT_NUMBERS[event] && on.includes(r.ev_enabled))
    .sort((a, b) => (a.rulename < b.rulename ? -1 : 1)).map((r) => parseRule(r, relation.owner));
}

export const hasRulesFor = (relation: Relation, event: ModifyEvent): boolean => relation.hasRules && rulesOf(relation.oid).some((r) => r.ev_type === EVENT_NUMBERS[event]);

const TRIGGER_INSTEAD = 64, TRIGGER_ROW = 1;
const TRIGGER_EVENTS: Record<ModifyEvent, number> = { insert: 4, delete: 8, update: 16 };
export const hasInsteadTrigger = (view: Relation, event: ModifyEvent): boolean => view.hasTriggers
  && triggersOf(view.oid).some((t) => (t.tgtype & TRIGGER_INSTEAD) !== 0 && (t.tgtype & TRIGGER_ROW) !== 0 && (t.tgtype & TRIGGER_EVENTS[event]) !== 0);

export type QuerySource = 'original' | 'instead' | 'qual_instead' | 'non_instead';
export interface Product { query: Query; source: QuerySource }

export interface Fired {
  products: Product[];
  /** There is an unconditional INSTEAD rule: the query itself is not run. */
  instead: boolean;
  /** A rule gives what RETURNING asks for. */
  returning: boolean;
  /** The query for the rows that no conditional INSTEAD rule is for. */
  qualProduct: Query | null;
}

export function fireRules(query: Query, event: ModifyEvent, rules: readonly Rule[]): Fired {
  const fired: Fired = { products: [], instead: false, returning: false, qualProduct: null };
  for (const rule of rules) {
    const source: QuerySource = !rule.isInstead ? 'non_instead' : rule.qual !== null ? 'qual_instead' : 'instead';
    if (source === 'instead') fired.instead = true;
    if (source === 'qual_instead' && !fired.instead) fired.qualProduct = addInvertedQual(fired.qualProduct ?? query, rule.qual!, event);
    for (const action of rule.actions) {
      if (action.commandType === 'nothing') continue;
      fired.products.push({ query: { ...rewriteRuleAction(query, action, rule.qual, event, fired), canSetTag: false }, source });
    }
  }
  return fired;
}

/** The query an action's OLD and NEW stand in: the SELECT of INSERT ... SELECT, else the action itself. */
export function insertSelectQuery(action: Query): Query {
  if (action.commandType !== 'insert') return action;
  const isPlaceholder = (q: Query | null | undefined): boolean => q !== null && q !== undefined && q.rtable.length >= 2
    && q.rtable[0]!.eref.aliasname === 'old' && q.rtable[1]!.eref.aliasname === 'new';
  if (isPlaceholder(action)) return action;
  const select = action.rtable.find((rte) => rte.rtekind === 'subquery')?.subquery;
  return isPlaceholder(select) ? select! : action;
}

const SETOP = 'conditional UNION/INTERSECT/EXCEPT statements are not implemented';

export function addQual(query: Query, qual: Expr | null): Query {
  if (qual === null) return query;
  if (query.commandType === 'utility') throw new PgError('feature_not_supported', 'conditional utility statements are not implemented');
  if (query.setOperations !== null) throw new PgError('feature_not_supported', SETOP);
  return {
    ...query, jointree: { ...query.jointree, quals: makeAndQual(query.jointree.quals, qual) }, hasSubLinks: query.hasSubLinks || hasSubLink(qual),
  };
}

const hasSubLink = (e: Expr): boolean => containsNode(e, (n) => n.kind === 'SubLink');

/** The query for the rows that the rule's condition does not hold for. */
function addInvertedQual(query: Query, ruleQual: Expr, event: ModifyEvent): Query {
  const rtindex = query.resultRelation;
  let qual = changeVarNodes(ruleQual, OLD_VARNO, rtindex);
  if (event !== 'delete') {
    qual = replaceVarsFromTargetList(qual, NEW_VARNO, 0, query.rtable[rtindex - 1]!, query.targetList, event === 'update' ? 'change_varno' : 'substitute_null', rtindex);
  }
  return addQual(query, { kind: 'BooleanTest', arg: qual, booltesttype: 'is_not_true', location: -1 });
}

/** The query that an action becomes: joined with the rows the query is about, NEW replaced by what the query assigns. */
function rewriteRuleAction(query: Query, action: Query, ruleQual: Expr | null, event: ModifyEvent, fired: Fired): Query {
  if (action.commandType === 'utility') return addQual(action, ruleQual);
  const rtindex = query.resultRelation;
  const offset = query.rtable.length;
  const newVarno = NEW_VARNO + offset;
  const original = insertSelectQuery(action);
  let sub = changeVarNodesInQuery(offsetVarNodesInQuery(original, offset), OLD_VARNO + offset, rtindex);
  const qual = ruleQual === null ? null : changeVarNodes(offsetVarNodes(ruleQual, offset), OLD_VARNO + offset, rtindex);
  // A subquery that refers to OLD or NEW is lateral, whether anybody wrote so or not.
  const ownRtable = sub.rtable.map((rte) => (rte.rtekind === 'subquery' && !rte.lateral && containsVarsOfLevel(rte.subquery!, 1) ? { ...rte, lateral: true } : rte));
  sub = { ...sub, rtable: [...query.rtable, ...ownRtable], hasSubLinks: sub.hasSubLinks || query.hasSubLinks };
  // The target is joined only once: by the action, or for the sake of the conditions.
  const keepTarget = !rangeTableEntryUsed(sub.jointree, rtindex)
    && ((qual !== null && rangeTableEntryUsed(qual, rtindex)) || (query.jointree.quals !== null && rangeTableEntryUsed(query.jointree.quals, rtindex)));
  const from: FromItem[] = query.jointree.fromlist.filter((item) => keepTarget || item.kind !== 'RangeTblRef' || item.rtindex !== rtindex);
  if (from.length > 0) {
    if (sub.setOperations !== null) throw new PgError('feature_not_supported', SETOP);
    sub = { ...sub, jointree: { ...sub.jointree, fromlist: [...from, ...sub.jointree.fromlist] } };
  }
  if (query.cteList.length > 0) sub = mergeCtes(sub, query, original !== action);
  sub = addQual(addQual(sub, qual), query.jointree.quals);
  if (event !== 'delete') {
    sub = replaceVarsFromTargetListInQuery(sub, newVarno, sub.rtable[newVarno - 1]!, query.targetList, event === 'update' ? 'change_varno' : 'substitute_null', rtindex);
  }
  const result = original === action ? sub : { ...action, rtable: action.rtable.map((rte) => (rte.subquery === original ? { ...rte, subquery: sub } : rte)) };
  return rewriteReturning(query, result, fired);
}

function mergeCtes(sub: Query, query: Query, isInsertSelect: boolean): Query {
  const twice = query.cteList.find((cte) => sub.cteList.some((other) => other.ctename === cte.ctename));
  if (twice !== undefined) throw new PgError('feature_not_supported', `WITH query name "${twice.ctename}" appears in both a rule action and the query being rewritten`);
  const hasModifyingCTE = sub.hasModifyingCTE || query.hasModifyingCTE;
  if (hasModifyingCTE && isInsertSelect) {
    throw new PgError('feature_not_supported', 'INSERT...SELECT rule actions are not supported for queries having data-modifying statements in WITH');
  }
  return { ...sub, cteList: [...sub.cteList, ...query.cteList], hasRecursive: sub.hasRecursive || query.hasRecursive, hasModifyingCTE };
}

function rewriteReturning(query: Query, action: Query, fired: Fired): Query {
  if (action.returningList.length === 0) return action;
  if (query.returningList.length === 0) return { ...action, returningList: [] };
  if (fired.returning) throw new PgError('feature_not_supported', 'cannot have RETURNING lists in multiple rules');
  fired.returning = true;
  const target = query.rtable[query.resultRelation - 1]!;
  return {
    ...action, returningList: query.returningList.map((te) => ({ ...te, expr: replaceVarsFromTargetList(te.expr, query.resultRelation, 0, target, action.returningList, 'error', 0) })),
  };
}
