// UNION, INTERSECT, EXCEPT and recursive queries (PostgreSQL's prepunion.c).
import { internalError, notSupported, PgError } from '../../common/errors.ts';
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { applyRelabelType, coerceToCommonType } from '../parser/parse_coerce.ts';
import type { SetOperationNode } from '../nodes/parsenodes.ts';
import type { GroupKey, Plan } from '../nodes/plannodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { clampRows, costs } from './costsize.ts';
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
  if (plan.kind === 'Append' || plan.kind === 'SetOp' || plan.kind === 'Agg' || plan.kind === 'Result') return { ...plan, targetlist };
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
    if (!node.groupClauses.every((c) => c.hashable)) throw new PgError('feature_not_supported', 'could not implement UNION', { detail: 'All column datatypes must be hashable.' });
    const cost = append.total_cost + rows * costs.cpuOperator * colTypes.length;
    return {
      plan: { kind: 'Agg', ...over(append, target), startup_cost: cost, total_cost: cost + rows * costs.cpuTuple, plan_rows: rows, aggstrategy: 'hashed', groupKeys: keys, numGroups: rows, groupingSets: null, groupRefs: [], aggrefs: [] },
      types: colTypes,
    };
  }
  const sides = [node.larg, node.rarg].map((side, flag) => {
    const plan = coerced(planNode(root, side, names), colTypes, colTypmods, colCollations);
    const flagTle = makeTargetEntry({ kind: 'Const', consttype: 23, consttypmod: -1, constcollid: 0, constvalue: flag, location: -1 }, colTypes.length + 1, 'flag', true);
    const visible = plan.targetlist.filter((t) => !t.resjunk);
    const list = [...visible.map((t, i): TargetEntry => makeTargetEntry(columnOf(plan, t, i), i + 1, t.resname, false)), flagTle];
    return { kind: 'Result', ...over(plan, list), resconstantqual: [] } as Plan;
  });
  const [left, right] = sides as [Plan, Plan];
  const rows = left.plan_rows + right.plan_rows;
  const target = targetsOver(left.targetlist, colTypes, colTypmods, colCollations, names);
  const withFlag = [...target, makeTargetEntry(makeVar(0, colTypes.length + 1, 23, -1, 0, 0), colTypes.length + 1, 'flag', true)];
  const append: Plan = {
    kind: 'Append', apprelid: 0, apptlist: [], pruning: null, startup_cost: 0, total_cost: left.total_cost + right.total_cost + rows * costs.cpuTuple * 0.5, plan_rows: rows, plan_width: left.plan_width, targetlist: withFlag, qual: [],
    lefttree: null, righttree: null, initPlan: [], appendplans: sides,
  };
  const cmd = `${node.op}${node.all ? '_all' : ''}` as 'intersect' | 'intersect_all' | 'except' | 'except_all';
  return {
    plan: {
      kind: 'SetOp', ...over(append, target), total_cost: append.total_cost + rows * costs.cpuOperator * colTypes.length, plan_rows: clampRows(left.plan_rows * 0.5), cmd,
      dupColumns: groupKeys(node.groupClauses.map((c) => c.eqop), colTypes, colCollations), flagColumn: colTypes.length + 1,
    },
    types: colTypes,
  };
}

/** The expression that setrefs will find again in the plan's target list. */
const columnOf = (_plan: Plan, t: TargetEntry, _i: number): Expr => t.expr;

function unionParts(root: PlannerInfo, node: SetOperationNode & { kind: 'SetOperationStmt' }, all: boolean, names: readonly TargetEntry[]): Part[] {
  const side = (n: SetOperationNode): Part[] => {
    if (n.kind === 'SetOperationStmt' && n.op === 'union' && n.all === all && n.colTypes.join() === node.colTypes.join()) return unionParts(root, n, all, names);
    return [planNode(root, n, names)];
  };
  return [...side(node.larg), ...side(node.rarg)];
}

const groupKeys = (eqops: readonly Oid[], types: readonly Oid[], collations: readonly Oid[]): GroupKey[] =>
  types.map((type, i) => ({ column: i + 1, eqop: eqops[i] ?? 0, collation: collations[i] ?? 0, type }));

/** The columns of an input in the types of the whole (analysis has checked that this can be done). */
function coerced(part: Part, types: readonly Oid[], typmods: readonly number[], collations: readonly Oid[]): Plan {
  if (part.types.length !== types.length) throw internalError('set operation over different numbers of columns');
  const { plan } = part;
  const visible = plan.targetlist.filter((t) => !t.resjunk);
  const list = visible.map((t, i): TargetEntry => {
    let { expr } = t;
    if (exprType(expr) !== types[i]) expr = coerceToCommonType(null, expr, types[i]!, 'UNION/INTERSECT/EXCEPT');
    else if (typmods[i] === -1 && exprTypmod(expr) !== -1) expr = applyRelabelType(expr, types[i]!, -1, collations[i] ?? 0, 'implicit_cast', -1);
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

