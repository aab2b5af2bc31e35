// min and max of an indexed column without reading the table (PostgreSQL's planagg.c): the first entry of the index.
import { aggregate } from '../executor/fmgr_info.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Aggref, Expr, TargetEntry } from '../nodes/primnodes.ts';
import { sortOperator } from '../executor/sort_support.ts';
import { equal, mutateDeep } from './clauses.ts';
import { costs, exprsCost } from './costsize.ts';
import { standsForChildren } from './inherit.ts';
import { makeExecParam } from './nestparams.ts';
import { indexColumnExpr } from './pathkeys.ts';
import type { PlannerInfo } from './pathnodes.ts';
import { baseRel } from './relnode.ts';
import { singleton } from './relids.ts';
import { finishPlan, planSubquery } from './subroot.ts';

/** Null unless every aggregate is a min or max of something the one table has an index on. */
export function planMinMax(root: PlannerInfo, final: readonly TargetEntry[]): Plan | null {
  const rti = singleton(root.allBaserels);
  if (rti === 0 || root.parent !== null) return null;
  const rel = baseRel(root, rti);
  if (rel.relation === null || rel.indexes.length === 0 || standsForChildren(rel.rte!) || root.parse.jointree.fromlist.length !== 1 || root.parse.jointree.fromlist[0]!.kind !== 'RangeTblRef') return null;
  const aggs: Aggref[] = [];
  let possible = true;
  for (const t of final) {
    walkExpr(t.expr, (n) => {
      if (n.kind === 'Aggref' && !aggs.some((a) => equal(a, n))) aggs.push(n);
      if (n.kind === 'SubPlan') possible = false;
    });
  }
  if (!possible || aggs.length === 0) return null;
  const found = aggs.map((agg) => {
    const { aggsortop } = aggregate(agg.aggfnoid);
    if (aggsortop === 0 || agg.args.length !== 1 || agg.aggfilter !== null || agg.aggorder.length > 0) return null;
    const arg = agg.args[0]!.expr;
    const indexed = rel.indexes.some((i) => i.accessMethod === 'btree' && i.predicate === null && equal(indexColumnExpr(rel, i, 0), arg));
    return indexed ? { agg, arg, sortop: aggsortop } : null;
  });
  if (found.some((f) => f === null)) return null;
  const params = new Map<Aggref, Expr>();
  let total = 0;
  for (const f of found) {
    const { agg, arg, sortop } = f!;
    const tle: TargetEntry = { ...makeTargetEntry(arg, 1, 'agg_target', false), ressortgroupref: 1 };
    const notNull: Expr = { kind: 'NullTest', arg, isNull: false, argisrow: false, location: -1 };
    const { quals } = root.parse.jointree;
    // SELECT arg FROM t WHERE ... AND arg IS NOT NULL ORDER BY arg LIMIT 1
    const query: Query = {
      ...root.parse, targetList: [tle], hasAggs: false, havingQual: null, groupClause: [], distinctClause: [], windowClause: [], hasWindowFuncs: false, hasSubLinks: false, cteList: [],
      sortClause: [{ tleSortGroupRef: 1, eqop: 0, sortop, nulls_first: sortOperator(sortop).reverse, hashable: false }],
      limitCount: { kind: 'Const', consttype: 20, consttypmod: -1, constcollid: 0, constvalue: 1, location: -1 }, limitOffset: null,
      jointree: { ...root.parse.jointree, quals: quals === null ? notNull : { kind: 'BoolExpr', boolop: 'and', args: [notNull, quals], location: -1 } },
    };
    const { plan } = planSubquery({ ...root, parent: null, initPlans: [] }, query, 1, false);
    const scan = plan.kind === 'Limit' ? plan.lefttree! : plan;
    if (scan.kind !== 'IndexScan' && scan.kind !== 'IndexOnlyScan') return null;
    total += plan.total_cost;
    root.glob.subplans.push(finishPlan(plan));
    const param = makeExecParam(root, agg);
    const planId = root.glob.subplans.length;
    root.initPlans.push({
      kind: 'SubPlan', subLinkType: 'expr', testexpr: null, paramIds: [], planId, planName: `InitPlan ${planId} (returns $${param.paramid})`, firstColType: exprType(arg), firstColTypmod: -1,
      firstColCollation: exprCollation(arg), useHashTable: false, unknownEqFalse: false, setParam: [param.paramid], parParam: [], args: [],
    });
    params.set(agg, param);
  }
  const replace = (e: Expr): Expr => mutateDeep(e, (n) => {
    if (n.kind !== 'Aggref') return undefined;
    for (const [agg, param] of params) if (equal(agg, n)) return param;
    return undefined;
  });
  const targetlist = final.map((t) => ({ ...t, expr: replace(t.expr) }));
  return {
    kind: 'Result', startup_cost: total, total_cost: total + costs.cpuTuple + exprsCost(targetlist.map((t) => t.expr)), plan_rows: 1, plan_width: 8, targetlist, qual: [], lefttree: null, righttree: null,
    initPlan: [], resconstantqual: [],
  };
}
