// Small makers of plan nodes.
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import type { Path, RestrictInfo } from './pathnodes.ts';
import { costs, exprCost } from './costsize.ts';

export interface PlanBase {
  startup_cost: number; total_cost: number; plan_rows: number; plan_width: number; targetlist: TargetEntry[]; qual: Expr[];
  lefttree: Plan | null; righttree: Plan | null; initPlan: [];
}

export function planBase(path: Path, targetlist: TargetEntry[], qual: Expr[] = [], lefttree: Plan | null = null, righttree: Plan | null = null): PlanBase {
  return { startup_cost: path.startup, total_cost: path.total, plan_rows: path.rows, plan_width: Math.round(path.rel.width), targetlist, qual, lefttree, righttree, initPlan: [] };
}

/** Costs copied from the plan below, for nodes that cost (next to) nothing. */
export function over(child: Plan, targetlist: TargetEntry[], qual: Expr[] = []): PlanBase {
  return { startup_cost: child.startup_cost, total_cost: child.total_cost, plan_rows: child.plan_rows, plan_width: child.plan_width, targetlist, qual, lefttree: child, righttree: null, initPlan: [] };
}

export const targetOf = (exprs: readonly Expr[]): TargetEntry[] => exprs.map((e, i) => makeTargetEntry(e, i + 1, null, false));

/** Conditions as expressions, those of lower security levels first, then cheap ones, otherwise in the order written
 * (order_qual_clauses). Cheap leakproof ones may come early. */
export function orderedClauses(list: readonly RestrictInfo[]): Expr[] {
  if (list.length <= 1) return list.map((r) => r.clause);
  return list.map((r, i) => {
    const cost = exprCost(r.clause);
    return { e: r.clause, cost, level: r.leakproof && cost < 10 * costs.cpuOperator ? 0 : r.securityLevel, i };
  }).sort((a, b) => a.level - b.level || a.cost - b.cost || a.i - b.i).map((x) => x.e);
}

/** Nodes that can compute columns. */
const COMPUTES = new Set<Plan['kind']>(['SeqScan', 'SampleScan', 'GinScan', 'IndexScan', 'IndexOnlyScan', 'BitmapHeapScan', 'TidScan', 'FunctionScan', 'ValuesScan', 'CteScan', 'WorkTableScan', 'SubqueryScan', 'NestLoop', 'HashJoin', 'MergeJoin']);

/** The plan with one more column, which is not shown. */
export function withColumn(plan: Plan, expr: Expr): Plan {
  const targetlist = [...plan.targetlist, makeTargetEntry(expr, plan.targetlist.length + 1, null, true)];
  return COMPUTES.has(plan.kind) ? { ...plan, targetlist } as Plan : { kind: 'Result', ...over(plan, targetlist), resconstantqual: [] };
}

/** Nodes that can be read again at no great cost (ExecMaterializesOutput), of plans and paths. */
export const KEEPS_OUTPUT: ReadonlySet<string> = new Set<Plan['kind']>(['Material', 'FunctionScan', 'CteScan', 'NamedTuplestoreScan', 'WorkTableScan', 'Sort']);

/** A subquery's columns as they come: then its scan need not be there at all (use_physical_tlist). */
export function withAllColumns(plan: Plan): Plan {
  if (plan.kind !== 'SubqueryScan' || plan.qual.length > 0) return plan;
  const { targetlist, subplan, scanrelid } = plan;
  if (targetlist.length > subplan.targetlist.length || !targetlist.every(({ expr }) => expr.kind === 'Var' && expr.varattno > 0)) return plan;
  const list = subplan.targetlist.map(({ expr, resjunk }, i) => {
    const column = makeVar(scanrelid, i + 1, exprType(expr), exprTypmod(expr), exprCollation(expr), 0);
    const wanted = targetlist.filter((t) => (t.expr as typeof column).varattno === i + 1);
    return { ...makeTargetEntry(column, i + 1, null, resjunk), ressortgroupref: wanted[0]?.ressortgroupref ?? 0, twice: wanted.length > 1 };
  });
  return list.some((t) => t.twice) ? plan : { ...plan, targetlist: list.map(({ twice: _twice, ...t }) => t) };
}
