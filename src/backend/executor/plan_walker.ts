// Walks over expressions and plans: which parameters a subtree reads, whether an expression is volatile.
import { expressionTreeWalker, exprType } from '../nodes/nodeFuncs.ts';
import type { Append, Gather, GatherMerge, MergeAppend, Plan, PlannedStmt } from '../nodes/plannodes.ts';
import type { CoerceViaIO, Expr } from '../nodes/primnodes.ts';
import { functionInfo, typeInfo } from './fmgr_info.ts';

/** Calls `visit` for every node of an expression, SubLinks' queries left out. */
export function walkExpr(e: Expr, visit: (node: Expr) => void): void {
  const walker = (node: any): boolean => {
    if (node !== null && typeof node === 'object' && 'kind' in node) visit(node as Expr);
    return expressionTreeWalker(node, walker);
  };
  walker(e);
}

export function someExpr(e: Expr, test: (node: Expr) => boolean): boolean {
  const walker = (node: any): boolean => test(node as Expr) || expressionTreeWalker(node, walker);
  return walker(e);
}

/** The function a node calls, 0 for none. */
export function functionOf(node: Expr): number {
  switch (node.kind) {
    case 'FuncExpr': return node.funcid;
    case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': case 'ScalarArrayOpExpr': return node.opfuncid;
    default: return 0;
  }
}

/** By itself, whatever is in it. */
export function isVolatile(node: Expr): boolean {
  if (node.kind === 'NextValueExpr') return true;
  const fn = functionOf(node);
  return fn !== 0 && functionInfo(fn).volatility === 'v';
}

export const containsVolatile = (e: Expr): boolean => someExpr(e, isVolatile);

/** Not immutable: may change between executions, so not to be folded. */
export function containsMutable(e: Expr): boolean {
  return someExpr(e, (node) => {
    if (node.kind === 'NextValueExpr' || node.kind === 'SQLValueFunction' || node.kind === 'CoerceToDomain') return true;
    if (node.kind === 'CoerceViaIO') return !ioIsImmutable(node);
    const fn = functionOf(node);
    return fn !== 0 && functionInfo(fn).volatility !== 'i';
  });
}

function ioIsImmutable({ arg, resulttype }: CoerceViaIO): boolean {
  return functionInfo(typeInfo(exprType(arg)).typoutput).volatility === 'i' && functionInfo(typeInfo(resulttype).typinput).volatility === 'i';
}

const pruningExprs = ({ pruning }: Append | MergeAppend): Expr[] => pruning.flatMap((p) => p.levels.flatMap((l) => l.exprs));

/** The expressions a node holds itself. */
export function planExprs(plan: Plan): Expr[] {
  const list: (Expr | null)[] = [...plan.targetlist.map((t) => t.expr), ...plan.qual];
  switch (plan.kind) {
    case 'Result': list.push(...plan.resconstantqual); break;
    case 'IndexScan': case 'IndexOnlyScan': case 'BitmapIndexScan': list.push(...plan.conditions.map((c) => c.value), ...plan.indexqual, ...plan.indexorderby); break;
    case 'BitmapHeapScan': list.push(...plan.bitmapqualorig); break;
    case 'GinScan': list.push(...plan.conditions.map((c) => c.value), ...plan.indexqual); break;
    case 'SampleScan': list.push(...plan.tablesample.args, plan.tablesample.repeatable); break;
    case 'TidScan': list.push(...plan.tidquals); break;
    case 'SeqScan': list.push(...plan.tidrangequals); break;
    case 'Append': list.push(...pruningExprs(plan)); break;
    case 'MergeAppend': list.push(plan.bound, ...pruningExprs(plan)); break;
    case 'FunctionScan': list.push(...plan.functions.map((f) => f.funcexpr)); break;
    case 'ValuesScan': list.push(...plan.values_lists.flat()); break;
    case 'NestLoop': list.push(...plan.joinqual, ...plan.nestParams.map((p) => p.paramval)); break;
    case 'MergeJoin': list.push(...plan.joinqual, ...plan.mergeclauses, ...plan.mergeKeys.flatMap((k) => [k.left, k.right])); break;
    case 'HashJoin': list.push(...plan.joinqual, ...plan.hashclauses, ...plan.hashkeys.flatMap((k) => [k.outer, k.inner])); break;
    case 'Memoize': list.push(...plan.param_exprs); break;
    case 'Sort': list.push(plan.bound); break;
    case 'WindowAgg': list.push(...plan.runCondition, plan.startOffset, plan.endOffset); break;
    case 'Limit': list.push(plan.limitOffset, plan.limitCount); break;
    case 'ModifyTable':
      list.push(...plan.withCheckOptions.map((o) => o.qual), ...plan.returningList.map((t) => t.expr), ...plan.mergeActions.flatMap((a) => [a.qual, ...a.targetList.map((t) => t.expr)]));
      if (plan.onConflict !== null) list.push(...plan.onConflict.onConflictSet.map((t) => t.expr), plan.onConflict.onConflictWhere);
      break;
    default:
  }
  return list.filter((e) => e !== null);
}

export function childPlans(plan: Plan): Plan[] {
  const list: (Plan | null)[] = [plan.lefttree, plan.righttree];
  if (plan.kind === 'Append') list.push(...plan.appendplans);
  if (plan.kind === 'MergeAppend') list.push(...plan.mergeplans);
  if (plan.kind === 'BitmapAnd' || plan.kind === 'BitmapOr') list.push(...plan.bitmapplans);
  if (plan.kind === 'SubqueryScan') list.push(plan.subplan);
  return list.filter((p) => p !== null);
}

const cache = new WeakMap<Plan, Set<number>>();

/** Adds the exec parameters that an expression reads to `used`, and those that its subqueries set to `set`. */
function addParams(e: Expr, stmt: PlannedStmt, used: Set<number>, set: Set<number>): void {
  walkExpr(e, (node) => {
    if (node.kind === 'Param' && node.paramkind === 'exec') used.add(node.paramid);
    else if (node.kind === 'SubPlan') {
      for (const p of paramsUsed(stmt.subplans[node.planId - 1]!, stmt)) if (!node.parParam.includes(p)) used.add(p);
      // What it sets for its own test is nobody else's: as if it came from outside, all below was done again for each row.
      for (const p of [...node.paramIds, ...node.setParam]) set.add(p);
    }
  });
}

/** Exec parameters that expressions read and do not set themselves. */
export function paramsOf(exprs: readonly Expr[], stmt: PlannedStmt): Set<number> {
  const used = new Set<number>(), set = new Set<number>();
  for (const e of exprs) addParams(e, stmt, used, set);
  for (const p of set) used.delete(p);
  return used;
}

/** Exec parameters a subtree reads and does not set itself. Work tables count as parameters. */
export function paramsUsed(plan: Plan, stmt: PlannedStmt): Set<number> {
  let used = cache.get(plan);
  if (used !== undefined) return used;
  used = new Set<number>();
  cache.set(plan, used);
  const set = new Set<number>();
  for (const e of planExprs(plan)) addParams(e, stmt, used, set);
  for (const child of childPlans(plan)) for (const p of paramsUsed(child, stmt)) used.add(p);
  for (const init of plan.initPlan) {
    for (const p of init.setParam) set.add(p);
    for (const p of paramsUsed(stmt.subplans[init.planId - 1]!, stmt)) used.add(p);
  }
  if (plan.kind === 'NestLoop') for (const p of plan.nestParams) set.add(p.paramno);
  if (plan.kind === 'WorkTableScan') used.add(plan.wtParam);
  if (plan.kind === 'RecursiveUnion') set.add(plan.wtParam);
  if (plan.kind === 'CteScan') for (const p of paramsUsed(stmt.subplans[plan.ctePlanId - 1]!, stmt)) used.add(p);
  for (const p of set) used.delete(p);
  return used;
}

/** What initplans at a Gather or above it give to the plans below, which workers do not evaluate for themselves (initParam). */
export function evaluatedByLeader(plan: Gather | GatherMerge, stmt: PlannedStmt): number[] {
  const used = paramsUsed(plan.lefttree!, stmt), found: number[] = [];
  const visit = (p: Plan): void => {
    for (const init of p.initPlan) if (init.subLinkType !== 'cte') found.push(...init.setParam.filter((id) => used.has(id)));
    childPlans(p).forEach(visit);
  };
  if (used.size > 0) [stmt.planTree, ...stmt.subplans].forEach(visit);
  return found.sort((a, b) => a - b);
}
