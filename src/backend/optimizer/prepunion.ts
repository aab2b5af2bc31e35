// UNION, INTERSECT, EXCEPT and recursive queries (PostgreSQL's prepunion.c).
import { internalError, notSupported, PgError } from '../../common/errors.ts';
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { applyRelabelType, coerceToCommonType } from '../parser/parse_coerce.ts';
import type { SetOperationNode } from '../nodes/parsenodes.ts';
import type { GroupKey, Plan, SortKey } from '../nodes/plannodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { clampRows, costs, enabled, relationBytes, sortCost } from './costsize.ts';
import { fractionalCost } from './pathnode.ts';
import { estimateGroups } from './selfuncs.ts';
import { gatherPath } from './gatherpath.ts';
import { sharedAppend } from './partialappend.ts';
import type { Path, PlannerInfo } from './pathnodes.ts';
import { over } from './planbuild.ts';
import { EMPTY } from './relids.ts';
import { emptyRel } from './relnode.ts';
import { noteRoot } from './setrefs.ts';
import { planSubquery } from './subroot.ts';

/** One side: its plan, the types of its columns, how many different rows it has, and whether they come sorted by all of them.
 * `partial`: the path for processes that share the rows. */
interface Part { plan: Plan; types: Oid[]; groups: number; sorted: boolean; partial?: Path | null }

/** The plan of the whole tree of set operations, with the query's own target list; how many columns of ORDER BY it has in order. */
export function planSetOperations(root: PlannerInfo): { plan: Plan; ordered: number } {
  const top = { kind: 'SetOperationStmt' as const, ...root.parse.setOperations! };
  const part = planNode(root, top, leftmost(root, top), root.tupleFraction);
  return { plan: withNames(root, part), ordered: part.sorted ? columnsInOrder(root, top) : 0 };
}

/** What is sorted by all columns is in the order of ORDER BY as far as that takes the same columns in the same way. */
function columnsInOrder(root: PlannerInfo, { groupClauses }: SetOperation): number {
  const { sortClause, targetList } = root.parse;
  const other = sortClause.findIndex((c, i) => {
    const g = groupClauses[i];
    return g === undefined || c.tleSortGroupRef === 0 || targetList[i]?.ressortgroupref !== c.tleSortGroupRef || g.sortop !== c.sortop || g.nulls_first !== c.nulls_first;
  });
  return other < 0 ? sortClause.length : other;
}

function withNames(root: PlannerInfo, part: Part): Plan {
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

function planNode(root: PlannerInfo, node: SetOperationNode, names: readonly TargetEntry[], fraction: number): Part {
  if (node.kind === 'RangeTblRef') {
    const { plan } = planSubquery(root, root.rtable[node.rtindex - 1]!.subquery!, fraction, true);
    return { plan, types: plan.targetlist.filter((t) => !t.resjunk).map((t) => exprType(t.expr)), groups: plan.plan_rows, sorted: false };
  }
  const { colTypes, colTypmods, colCollations } = node;
  if (node.op === 'union') {
    // UNIONs of the same kind in a row are one.
    const parts = unionParts(root, node, node.all, names, node.all ? fraction : 0);
    const plans = parts.map((p) => coerced(p, colTypes, colTypmods, colCollations));
    const target = targetsOver(plans[0]!.targetlist, colTypes, colTypmods, colCollations, names);
    const serial = appendOf(plans, target);
    const rows = serial.plan_rows;
    const gathered = gatheredUnion(root, parts, target, rows);
    const append = gathered !== null && gathered.total < serial.total_cost ? gathered.make() : serial;
    if (node.all) return { plan: append, types: colTypes, groups: rows, sorted: false };
    const keys = groupKeys(node.groupClauses.map((c) => c.eqop), colTypes, colCollations);
    if (!isHashed(node, 'UNION', append, rows, fraction)) {
      const sorted = sortedBy(append, node);
      const plan: Plan = { kind: 'Unique', ...over(sorted, target), total_cost: sorted.total_cost + rows * costs.cpuOperator * keys.length, plan_rows: rows, uniqueKeys: keys };
      return { plan, types: colTypes, groups: rows, sorted: true };
    }
    const cost = append.total_cost + rows * costs.cpuOperator * colTypes.length;
    return {
      plan: { kind: 'Agg', ...over(append, target), startup_cost: cost, total_cost: cost + rows * costs.cpuTuple, plan_rows: rows, aggstrategy: 'hashed', groupKeys: keys, numGroups: rows, groupingSets: null, groupRefs: [], aggrefs: [] },
      types: colTypes, groups: rows, sorted: false,
    };
  }
  const marked = (side: SetOperationNode, flag: number): { plan: Plan; groups: number } => {
    const flagTle = makeTargetEntry({ kind: 'Const', consttype: 23, consttypmod: -1, constcollid: 0, constvalue: flag, location: -1 }, colTypes.length + 1, 'flag', true);
    if (side.kind === 'RangeTblRef') return subqueryScan(root, side.rtindex, node, [flagTle], 0);
    const part = planNode(root, side, names, 0);
    const plan = coerced(part, colTypes, colTypmods, colCollations);
    const visible = plan.targetlist.filter((t) => !t.resjunk);
    return { plan: { kind: 'Result', ...over(plan, [...visible.map((t, i) => makeTargetEntry(t.expr, i + 1, t.resname, false)), flagTle]), resconstantqual: [] }, groups: part.groups };
  };
  const left = marked(node.larg, 0);
  const right = marked(node.rarg, 1);
  // The input of an INTERSECT with fewer groups comes first.
  const sides = (node.op === 'except' || left.groups <= right.groups ? [left, right] : [right, left]).map((s) => s.plan);
  const groups = node.op === 'except' ? left.groups : Math.min(left.groups, right.groups);
  const out = !node.all ? groups : node.op === 'except' ? left.plan.plan_rows : Math.min(left.plan.plan_rows, right.plan.plan_rows);
  const target = targetsOver(sides[0]!.targetlist, colTypes, colTypmods, colCollations, names);
  const withFlag = [...target, makeTargetEntry(makeVar(0, colTypes.length + 1, 23, -1, 0, 0), colTypes.length + 1, 'flag', true)];
  const append = appendOf(sides, withFlag);
  const cmd = `${node.op}${node.all ? '_all' : ''}` as 'intersect' | 'intersect_all' | 'except' | 'except_all';
  const hashed = colTypes.length > 0 && isHashed(node, node.op.toUpperCase(), append, groups, fraction);
  const below = hashed ? append : sortedBy(append, node);
  return {
    plan: {
      kind: 'SetOp', ...over(below, target), total_cost: below.total_cost + append.plan_rows * costs.cpuOperator * colTypes.length, plan_rows: clampRows(out), cmd,
      dupColumns: groupKeys(node.groupClauses.map((c) => c.eqop), colTypes, colCollations), flagColumn: colTypes.length + 1,
    },
    types: colTypes, groups: out, sorted: !hashed,
  };
}

/** One input after the other. */
export function appendOf(plans: readonly Plan[], targetlist: TargetEntry[]): Plan {
  const rows = plans.reduce((n, p) => n + p.plan_rows, 0);
  return {
    kind: 'Append', apprelids: [], apptlist: [], pruning: [], startup_cost: plans[0]!.startup_cost, total_cost: plans.reduce((c, p) => c + p.total_cost, 0) + rows * costs.cpuTuple * 0.5, plan_rows: rows,
    plan_width: plans[0]!.plan_width, targetlist, qual: [], lefttree: null, righttree: null, initPlan: [], appendplans: [...plans],
  };
}

/** The inputs one after the other, their rows shared by processes; null: they cannot be. */
function gatheredUnion(root: PlannerInfo, parts: readonly Part[], target: TargetEntry[], rows: number): Path | null {
  const paths = parts.map((p) => p.partial ?? null).filter((p) => p !== null);
  if (paths.length < parts.length) return null;
  const { isAware, workers, ...shared } = sharedAppend(paths);
  const rel = emptyRel('upper', 0n);
  const aware = isAware ? { parallelAware: true, firstPartialPlan: 0 } : {};
  return gatherPath(root, rel, {
    kind: 'Append', rel, rows: shared.rows, startup: shared.startup, total: shared.total, pathkeys: [], requiredOuter: EMPTY, paramClauses: [], parallelSafe: true, parallelWorkers: workers,
    make: () => ({ ...appendOf(shared.paths.map((m) => m.path.make()), target), ...aware } as Plan),
  }, rows);
}

/** A SELECT as one side, its columns in the types of the whole, and more of them. */
function subqueryScan(root: PlannerInfo, rtindex: number, { colTypes, colTypmods, colCollations }: SetOperation, more: readonly TargetEntry[], fraction: number): { plan: Plan; groups: number; partial: Path | null } {
  const { subquery } = root.rtable[rtindex - 1]!;
  const { plan: subplan, subroot, partial } = planSubquery(root, subquery!, fraction, true);
  const list = subplan.targetlist.filter((t) => !t.resjunk).map((t, i) => {
    const column = makeVar(rtindex, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0);
    return makeTargetEntry(inType(column, colTypes[i]!, colTypmods[i]!, colCollations[i] ?? 0), i + 1, t.resname, false);
  });
  const { startup_cost, total_cost, plan_rows, plan_width } = subplan;
  const plain = more.length === 0 && list.every((t) => t.expr.kind === 'Var');
  const { groupClause, groupingSets, distinctClause, hasAggs, setOperations } = subroot.parse;
  const grouped = groupClause.length > 0 || groupingSets.length > 0 || distinctClause.length > 0 || subroot.hasHaving || hasAggs || setOperations !== null;
  const groups = grouped ? plan_rows : estimateGroups(subroot, subroot.parse.targetList.filter((t) => !t.resjunk).map((t) => t.expr), plan_rows);
  const scan = (below: Plan, cost: { startup: number; total: number; rows: number }): Plan => ({
    kind: 'SubqueryScan', startup_cost: cost.startup, total_cost: cost.total + (plain ? 0 : cost.rows * costs.cpuTuple), plan_rows: cost.rows, plan_width, targetlist: [...list, ...more], qual: [], lefttree: null,
    righttree: null, initPlan: [], scanrelid: rtindex, subplan: below,
  });
  const [cheapest] = partial;
  const shared: Path | null = cheapest === undefined ? null : {
    ...cheapest, total: cheapest.total + (plain ? 0 : cheapest.rows * costs.cpuTuple), make: () => {
      const below = cheapest.make();
      noteRoot(below, subroot);
      return scan(below, cheapest);
    },
  };
  return { plan: scan(subplan, { startup: startup_cost, total: total_cost, rows: plan_rows }), groups, partial: shared };
}

type SetOperation = SetOperationNode & { kind: 'SetOperationStmt' };

/** choose_hashed_setop: whether duplicates are found by hashing, or by sorting. */
function isHashed({ groupClauses }: SetOperation, construct: string, { total_cost, plan_rows, plan_width }: Plan, groups: number, fraction: number): boolean {
  const hashable = groupClauses.every((c) => c.hashable);
  const sortable = groupClauses.every((c) => c.sortop !== 0);
  if (!hashable && !sortable) {
    throw new PgError('feature_not_supported', `could not implement ${construct}`, { detail: 'Some of the datatypes only support hashing, while others only support sorting.' });
  }
  if (!hashable || !sortable) return hashable;
  if (!enabled.hashagg || relationBytes(groups, plan_width) > costs.workMemBytes * 2) return false;
  const comparing = plan_rows * costs.cpuOperator * groupClauses.length;
  const sort = sortCost(plan_rows, plan_width, -1);
  const startup = total_cost + sort.startup;
  const byHash = { startup: total_cost + comparing, total: total_cost + comparing + groups * costs.cpuTuple, rows: groups };
  return fractionalCost(byHash, fraction) < fractionalCost({ startup, total: startup + sort.run + comparing, rows: groups }, fraction);
}

/** All columns sorted, by the operators of the set operation. */
function sortedBy(child: Plan, { groupClauses, colTypes, colCollations }: SetOperation): Plan {
  if (groupClauses.length === 0) return child;
  const cost = sortCost(child.plan_rows, child.plan_width, -1);
  const sortKeys = groupClauses.map((c, i): SortKey => ({ column: i + 1, sortop: c.sortop, collation: colCollations[i] ?? 0, nullsFirst: c.nulls_first, type: colTypes[i]!, reverse: false }));
  return {
    kind: 'Sort', ...over(child, child.targetlist), startup_cost: child.total_cost + cost.startup, total_cost: child.total_cost + cost.startup + cost.run, sortKeys, bound: null,
  };
}

function unionParts(root: PlannerInfo, node: SetOperationNode & { kind: 'SetOperationStmt' }, all: boolean, names: readonly TargetEntry[], fraction: number): Part[] {
  const side = (n: SetOperationNode): Part[] => {
    if (n.kind === 'SetOperationStmt' && n.op === 'union' && n.all === all && n.colTypes.join() === node.colTypes.join()) return unionParts(root, n, all, names, fraction);
    if (n.kind === 'SetOperationStmt') return [planNode(root, n, names, fraction)];
    // A subquery that only passes its rows on is left out again (setrefs.ts).
    const { plan, partial } = subqueryScan(root, n.rtindex, node, [], fraction);
    return [{ plan, types: node.colTypes, groups: plan.plan_rows, sorted: false, partial }];
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
  const left = coerced(planNode(root, top.larg, q.targetList, 0), top.colTypes, top.colTypmods, top.colCollations);
  root.wtParamId = root.glob.paramExecCount++;
  root.wtRows = left.plan_rows;
  const right = coerced(planNode(root, top.rarg, q.targetList, 0), top.colTypes, top.colTypmods, top.colCollations);
  const rows = left.plan_rows + 10 * right.plan_rows;
  return {
    kind: 'RecursiveUnion', startup_cost: left.startup_cost, total_cost: left.total_cost + 10 * right.total_cost + rows * costs.cpuTuple, plan_rows: rows,
    plan_width: Math.max(left.plan_width, right.plan_width), targetlist: targetsOver(left.targetlist, top.colTypes, top.colTypmods, top.colCollations, q.targetList), qual: [],
    lefttree: left, righttree: right, initPlan: [], wtParam: root.wtParamId,
    dupColumns: top.all ? [] : groupKeys(top.groupClauses.map((c) => c.eqop), top.colTypes, top.colCollations),
  };
}

