// UNION, INTERSECT, EXCEPT and recursive queries (PostgreSQL's prepunion.c).
import { internalError, notSupported, PgError } from '../../common/errors.ts';
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { applyRelabelType, coerceToCommonType } from '../parser/parse_coerce.ts';
import type { SetOperationNode } from '../nodes/parsenodes.ts';
import type { GroupKey, Plan, SortKey } from '../nodes/plannodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { clampRows, costs, enabled, sortCost } from './costsize.ts';
import type { PlannerInfo } from './pathnodes.ts';
import { over } from './planbuild.ts';
import { planSubquery } from './subroot.ts';

interface Part { plan: Plan; types: Oid[] }

/** The plan of the whole tree of set operations, with the query's own target list. */
export function planSetOperations(root: PlannerInfo): Plan {
  const top = root.parse.setOperations!;
  const part = planNode(root, { kind: 'SetOperationStmt', ...top }, leftmost(root, { kind: 'SetOperationStmt', ...top }));
  // Names and sort references are those of the query.
  const { plan } = part;
  const list = root.parse.targetList;
  const targetlist = plan.targetlist.slice(0, list.length).map((t, i) => ({ ...t, resname: list[i]!.resname, ressortgroupref: list[i]!.ressortgroupref, resjunk: list[i]!.resjunk }));
  if (list.some((t) => t.resjunk)) throw notSupported('ORDER BY expressions over a set operation');
  if (plan.kind === 'Append' || plan.kind === 'SetOp' || plan.kind === 'Agg' || plan.kind === 'Unique' || plan.kind === 'Result') return { ...plan, targetlist };
  return { kind: 'Result', ...over(plan, targetlist), resconstantqual: [] };
}

function leftmost(root: PlannerInfo, node: SetOperationNode): readonly TargetEntry[] {
  let n = node;
  while (n.kind === 'SetOperationStmt') n = n.larg;
  return root.rtable[n.rtindex - 1]!.subquery!.targetList.filter((t) => !t.resjunk);
}

/** Target list of Vars over a node below, with these types. */
function targetsOver(child: readonly TargetEntry[], types: readonly Oid[], typmods: readonly number[], collations: readonly Oid[], names: readonly TargetEntry[]): TargetEntry[] {
  return types.map((type, i) => makeTargetEntry(makeVar(0, i + 1, type, typmods[i] ?? -1, collations[i] ?? 0, 0), i + 1, names[i]?.resname ?? child[i]?.resname ?? null, false));
}

function planNode(root: PlannerInfo, node: SetOperationNode, names: readonly TargetEntry[]): Part {
  if (node.kind === 'RangeTblRef') {
    const { plan } = planSubquery(root, root.rtable[node.rtindex - 1]!.subquery!, 0, true);
    return { plan, types: plan.targetlist.filter((t) => !t.resjunk).map((t) => exprType(t.expr)) };
  }
  const { colTypes, colTypmods, colCollations } = node;
  if (node.op === 'union') {
    // UNIONs of the same kind in a row are one.
    const parts = unionParts(root, node, node.all, names);
    const plans = parts.map((p) => coerced(p, colTypes, colTypmods, colCollations));
    const rows = plans.reduce((n, p) => n + p.plan_rows, 0);
    const target = targetsOver(plans[0]!.targetlist, colTypes, colTypmods, colCollations, names);
    const append: Plan = {
      kind: 'Append', apprelid: 0, apptlist: [], pruning: null, startup_cost: plans[0]!.startup_cost, total_cost: plans.reduce((c, p) => c + p.total_cost, 0) + rows * costs.cpuTuple * 0.5, plan_rows: rows,
      plan_width: plans[0]!.plan_width, targetlist: target, qual: [], lefttree: null, righttree: null, initPlan: [], appendplans: plans,
    };
    if (node.all) return { plan: append, types: colTypes };
    const keys = groupKeys(node.groupClauses.map((c) => c.eqop), colTypes, colCollations);
    if (!isHashed(node, 'UNION')) {
      const sorted = sortedBy(append, node);
      return { plan: { kind: 'Unique', ...over(sorted, target), total_cost: sorted.total_cost + rows * costs.cpuOperator * keys.length, plan_rows: rows, uniqueKeys: keys }, types: colTypes };
    }
    const cost = append.total_cost + rows * costs.cpuOperator * colTypes.length;
    return {
      plan: { kind: 'Agg', ...over(append, target), startup_cost: cost, total_cost: cost + rows * costs.cpuTuple, plan_rows: rows, aggstrategy: 'hashed', groupKeys: keys, numGroups: rows, groupingSets: null, groupRefs: [], aggrefs: [] },
      types: colTypes,
    };
  }
  const marked = (side: SetOperationNode, flag: number): Plan => {
    const flagTle = makeTargetEntry({ kind: 'Const', consttype: 23, consttypmod: -1, constcollid: 0, constvalue: flag, location: -1 }, colTypes.length + 1, 'flag', true);
    if (side.kind === 'RangeTblRef') return subqueryScan(root, side.rtindex, node, [flagTle]);
    const plan = coerced(planNode(root, side, names), colTypes, colTypmods, colCollations);
    const visible = plan.targetlist.filter((t) => !t.resjunk);
    return { kind: 'Result', ...over(plan, [...visible.map((t, i) => makeTargetEntry(t.expr, i + 1, t.resname, false)), flagTle]), resconstantqual: [] };
  };
  const left = marked(node.larg, 0);
  const right = marked(node.rarg, 1);
  // The smaller input of an INTERSECT comes first.
  const sides = node.op === 'except' || left.plan_rows <= right.plan_rows ? [left, right] : [right, left];
  const rows = left.plan_rows + right.plan_rows;
  const target = targetsOver(sides[0]!.targetlist, colTypes, colTypmods, colCollations, names);
  const withFlag = [...target, makeTargetEntry(makeVar(0, colTypes.length + 1, 23, -1, 0, 0), colTypes.length + 1, 'flag', true)];
  const append: Plan = {
    kind: 'Append', apprelid: 0, apptlist: [], pruning: null, startup_cost: 0, total_cost: left.total_cost + right.total_cost + rows * costs.cpuTuple * 0.5, plan_rows: rows, plan_width: left.plan_width, targetlist: withFlag, qual: [],
    lefttree: null, righttree: null, initPlan: [], appendplans: sides,
  };
  const cmd = `${node.op}${node.all ? '_all' : ''}` as 'intersect' | 'intersect_all' | 'except' | 'except_all';
  const below = isHashed(node, node.op.toUpperCase()) ? append : sortedBy(append, node);
  return {
    plan: {
      kind: 'SetOp', ...over(below, target), total_cost: below.total_cost + rows * costs.cpuOperator * colTypes.length, plan_rows: clampRows(left.plan_rows * 0.5), cmd,
      dupColumns: groupKeys(node.groupClauses.map((c) => c.eqop), colTypes, colCollations), flagColumn: colTypes.length + 1,
    },
    types: colTypes,
  };
}

/** A SELECT as one side, its columns in the types of the whole, and more of them. */
function subqueryScan(root: PlannerInfo, rtindex: number, { colTypes, colTypmods, colCollations }: SetOperation, more: readonly TargetEntry[]): Plan {
  const { plan: subplan } = planSubquery(root, root.rtable[rtindex - 1]!.subquery!, 0, true);
  const list = subplan.targetlist.filter((t) => !t.resjunk).map((t, i) => {
    const column = makeVar(rtindex, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0);
    return makeTargetEntry(inType(column, colTypes[i]!, colTypmods[i]!, colCollations[i] ?? 0), i + 1, t.resname, false);
  });
  const { startup_cost, total_cost, plan_rows, plan_width } = subplan;
  return {
    kind: 'SubqueryScan', startup_cost, total_cost: total_cost + plan_rows * costs.cpuTuple, plan_rows, plan_width, targetlist: [...list, ...more], qual: [], lefttree: null,
    righttree: null, initPlan: [], scanrelid: rtindex, subplan,
  };
}

type SetOperation = SetOperationNode & { kind: 'SetOperationStmt' };

/** Whether duplicates are found by hashing; else by sorting. */
function isHashed({ groupClauses }: SetOperation, construct: string): boolean {
  const hashable = groupClauses.every((c) => c.hashable);
  const sortable = groupClauses.every((c) => c.sortop !== 0);
  if (!hashable && !sortable) {
    throw new PgError('feature_not_supported', `could not implement ${construct}`, { detail: 'Some of the datatypes only support hashing, while others only support sorting.' });
  }
  return hashable && (enabled.hashagg || !sortable);
}

/** All columns sorted, by the operators of the set operation. */
function sortedBy(child: Plan, { groupClauses, colTypes, colCollations }: SetOperation): Plan {
  const cost = sortCost(child.plan_rows, child.plan_width, -1);
  const sortKeys = groupClauses.map((c, i): SortKey => ({ column: i + 1, sortop: c.sortop, collation: colCollations[i] ?? 0, nullsFirst: c.nulls_first, type: colTypes[i]!, reverse: false }));
  return {
    kind: 'Sort', ...over(child, child.targetlist), startup_cost: child.total_cost + cost.startup, total_cost: child.total_cost + cost.startup + cost.run, sortKeys, bound: null,
  };
}

function unionParts(root: PlannerInfo, node: SetOperationNode & { kind: 'SetOperationStmt' }, all: boolean, names: readonly TargetEntry[]): Part[] {
  const side = (n: SetOperationNode): Part[] => {
    if (n.kind === 'SetOperationStmt' && n.op === 'union' && n.all === all && n.colTypes.join() === node.colTypes.join()) return unionParts(root, n, all, names);
    if (n.kind === 'SetOperationStmt') return [planNode(root, n, names)];
    // A subquery that only passes its rows on is left out again (setrefs.ts).
    return [{ plan: subqueryScan(root, n.rtindex, node, []), types: node.colTypes }];
  };
  return [...side(node.larg), ...side(node.rarg)];
}

const groupKeys = (eqops: readonly Oid[], types: readonly Oid[], collations: readonly Oid[]): GroupKey[] =>
  types.map((type, i) => ({ column: i + 1, eqop: eqops[i] ?? 0, collation: collations[i] ?? 0, type }));

function inType(expr: Expr, type: Oid, typmod: number, collation: Oid): Expr {
  if (exprType(expr) !== type) return coerceToCommonType(null, expr, type, 'UNION/INTERSECT/EXCEPT');
  return typmod === -1 && exprTypmod(expr) !== -1 ? applyRelabelType(expr, type, -1, collation, 'implicit_cast', -1) : expr;
}

/** The columns of an input in the types of the whole (analysis has checked that this can be done). */
function coerced(part: Part, types: readonly Oid[], typmods: readonly number[], collations: readonly Oid[]): Plan {
  if (part.types.length !== types.length) throw internalError('set operation over different numbers of columns');
  const { plan } = part;
  const visible = plan.targetlist.filter((t) => !t.resjunk);
  const list = visible.map((t, i): TargetEntry => {
    const expr = inType(t.expr, types[i]!, typmods[i]!, collations[i] ?? 0);
    return expr === t.expr ? t : { ...t, expr };
  });
  if (list.every((t, i) => t === visible[i]) && visible.length === plan.targetlist.length) return plan;
  return { kind: 'Result', ...over(plan, list.map((t, i) => ({ ...t, resno: i + 1 }))), resconstantqual: [] };
}

/** WITH RECURSIVE: the non-recursive term, then the recursive one over its own last result until that is empty. */
export function planRecursiveUnion(root: PlannerInfo): Plan {
  const q = root.parse;
  const top = q.setOperations;
  if (top === null || top.op !== 'union') throw internalError('only UNION queries can be recursive');
  if (q.sortClause.length > 0 || q.limitCount !== null || q.limitOffset !== null) throw notSupported('ORDER BY, LIMIT or OFFSET in a recursive query');
  if (!top.all && !top.groupClauses.every((c) => c.hashable)) {
    throw new PgError('feature_not_supported', 'could not implement recursive UNION', { detail: 'All column datatypes must be hashable.' });
  }
  const left = coerced(planNode(root, top.larg, q.targetList), top.colTypes, top.colTypmods, top.colCollations);
  root.wtParamId = root.glob.paramExecCount++;
  root.wtRows = left.plan_rows;
  const right = coerced(planNode(root, top.rarg, q.targetList), top.colTypes, top.colTypmods, top.colCollations);
  const rows = left.plan_rows + 10 * right.plan_rows;
  return {
    kind: 'RecursiveUnion', startup_cost: left.startup_cost, total_cost: left.total_cost + 10 * right.total_cost + rows * costs.cpuTuple, plan_rows: rows,
    plan_width: Math.max(left.plan_width, right.plan_width), targetlist: targetsOver(left.targetlist, top.colTypes, top.colTypmods, top.colCollations, q.targetList), qual: [],
    lefttree: left, righttree: right, initPlan: [], wtParam: root.wtParamId,
    dupColumns: top.all ? [] : groupKeys(top.groupClauses.map((c) => c.eqop), top.colTypes, top.colCollations),
  };
}

