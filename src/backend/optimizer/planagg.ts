// min and max of an indexed column without reading the table (PostgreSQL's planagg.c): the first entry of the index.
import { aggregate } from '../executor/fmgr_info.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Aggref, Expr, TargetEntry } from '../nodes/primnodes.ts';
import { sortOperator } from '../executor/sort_support.ts';
import { containsMutable, equal, mutateDeep } from './clauses.ts';
import { costs, exprsCost } from './costsize.ts';
import { makeExecParam } from './nestparams.ts';
import type { Path, PlannerInfo } from './pathnodes.ts';
import { planSubquery } from './subroot.ts';
import { standsForMembers } from './unionall.ts';

interface Found { agg: Aggref; plan: Plan }

/** The min and max aggregates, each with a plan for its first row; null unless all are such and need no sort. */
function findMinMax(root: PlannerInfo, exprs: readonly Expr[]): Found[] | null {
  const q = root.parse;
  const [from] = q.jointree.fromlist;
  if (!q.hasAggs || q.hasWindowFuncs || q.cteList.length > 0 || q.rowMarks.length > 0 || q.jointree.fromlist.length !== 1 || from?.kind !== 'RangeTblRef') return null;
  const rte = root.rtable[from.rtindex - 1]!;
  if (rte.rtekind !== 'relation' && !standsForMembers(rte)) return null;
  const aggs: Aggref[] = [];
  for (const e of exprs) walkExpr(e, (n) => { if (n.kind === 'Aggref' && !aggs.some((a) => equal(a, n))) aggs.push(n); });
  if (aggs.length === 0) return null;
  const found: Found[] = [];
  for (const agg of aggs) {
    const { aggsortop } = aggregate(agg.aggfnoid);
    const arg = agg.args[0]?.expr;
    if (aggsortop === 0 || agg.args.length !== 1 || agg.aggfilter !== null || agg.aggorder.length > 0 || arg === undefined || containsMutable(arg)) return null;
    const plan = firstRow(root, arg, aggsortop);
    const below = plan.kind === 'Limit' ? plan.lefttree! : plan;
    if (below.kind === 'Sort' || below.kind === 'IncrementalSort' || (below.kind === 'GatherMerge' && below.lefttree!.kind === 'Sort')) return null;
    found.push({ agg, plan });
  }
  return found;
}

/** SELECT arg FROM t WHERE ... AND arg IS NOT NULL ORDER BY arg LIMIT 1 */
function firstRow(root: PlannerInfo, arg: Expr, sortop: number): Plan {
  const tle: TargetEntry = { ...makeTargetEntry(arg, 1, 'agg_target', false), ressortgroupref: 1 };
  const notNull: Expr = { kind: 'NullTest', arg, isNull: false, argisrow: false, location: -1 };
  const { quals } = root.parse.jointree;
  const query: Query = {
    ...root.parse, targetList: [tle], hasAggs: false, havingQual: null, groupClause: [], groupingSets: [], distinctClause: [], windowClause: [], hasWindowFuncs: false, hasSubLinks: false, hasTargetSRFs: false, cteList: [],
    sortClause: [{ tleSortGroupRef: 1, eqop: 0, sortop, nulls_first: sortOperator(sortop).reverse, hashable: false }],
    limitCount: { kind: 'Const', consttype: 20, consttypmod: -1, constcollid: 0, constvalue: 1, location: -1 }, limitOffset: null,
    jointree: { ...root.parse.jointree, quals: quals === null ? notNull : { kind: 'BoolExpr', boolop: 'and', args: [notNull, quals], location: -1 } },
  };
  return planSubquery({ ...root, parent: null, initPlans: [] }, query, 1, false).plan;
}

export interface MinMax {
  /** In place of the aggregation: Aggrefs stand for what the index gives until `finish` has been there. */
  plan: Plan;
  finish: (plan: Plan) => Plan;
}

/** The aggregation done by index, where that is cheaper than `other`. */
export function planMinMax(root: PlannerInfo, target: TargetEntry[], having: Expr[], other: Path): MinMax | null {
  const paramsBefore = root.glob.paramExecCount;
  const found = findMinMax(root, [...target.map((t) => t.expr), ...having]);
  const cost = (found ?? []).reduce((c, f) => c + f.plan.total_cost, 0);
  const total = cost + costs.cpuTuple + exprsCost(target.map((t) => t.expr));
  if (found === null || total >= other.total) {
    root.glob.paramExecCount = paramsBefore;
    return null;
  }
  const params = found.map(({ agg, plan }) => {
    const arg = agg.args[0]!.expr;
    root.glob.subplans.push(plan);
    const param = makeExecParam(root, agg);
    const planId = root.glob.subplans.length;
    root.initPlans.push({
      kind: 'SubPlan', subLinkType: 'expr', testexpr: null, paramIds: [], planId, planName: `InitPlan ${planId} (returns $${param.paramid})`, startup_cost: 0, per_call_cost: 0, parallel_safe: false, alternative: null, firstColType: exprType(arg), firstColTypmod: -1,
      firstColCollation: exprCollation(arg), useHashTable: false, unknownEqFalse: false, setParam: [param.paramid], parParam: [], args: [],
    });
    return { agg, param };
  });
  const replace = (e: Expr): Expr => mutateDeep(e, (n) => (n.kind === 'Aggref' ? params.find((p) => equal(p.agg, n))?.param : undefined));
  const result: Plan = {
    kind: 'Result', startup_cost: cost, total_cost: total, plan_rows: 1, plan_width: Math.round(other.rel.width), targetlist: target, qual: [], lefttree: null, righttree: null, initPlan: [],
    resconstantqual: having.map(replace),
  };
  const finish = (plan: Plan): Plan => ({
    ...plan, targetlist: plan.targetlist.map((t) => ({ ...t, expr: replace(t.expr) })), qual: plan.qual.map(replace), lefttree: plan.lefttree === null ? null : finish(plan.lefttree),
  });
  return { plan: result, finish };
}
