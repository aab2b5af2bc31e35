// Costs, in PostgreSQL's units (costsize.c): 1 is one page read in sequence.
import { functionInfo } from '../executor/fmgr_info.ts';
import { expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { getBool, getInt, getReal } from '../utils/guc.ts';
import type { RestrictInfo } from './pathnodes.ts';

export const costs = {
  seqPage: 1, randomPage: 4, cpuTuple: 0.01, cpuIndexTuple: 0.005, cpuOperator: 0.0025, effectiveCachePages: 524288,
  workMemBytes: 4 * 1024 * 1024,
};
export const DISABLE_COST = 1e10;
export const enabled = { seqscan: true, indexscan: true, indexonlyscan: true, sort: true, hashagg: true, nestloop: true, hashjoin: true, mergejoin: true, material: true, tidscan: true };

/** Takes the settings over at the start of planning. */
export function readCostSettings(): void {
  costs.seqPage = getReal('seq_page_cost');
  costs.randomPage = getReal('random_page_cost');
  costs.cpuTuple = getReal('cpu_tuple_cost');
  costs.cpuIndexTuple = getReal('cpu_index_tuple_cost');
  costs.cpuOperator = getReal('cpu_operator_cost');
  costs.effectiveCachePages = getInt('effective_cache_size');
  costs.workMemBytes = getInt('work_mem') * 1024;
  for (const name of Object.keys(enabled) as (keyof typeof enabled)[]) enabled[name] = getBool(`enable_${name}`);
}

export const clampRows = (rows: number): number => (rows <= 1 || Number.isNaN(rows) ? 1 : Math.min(Math.round(rows), 1e100));

/** Evaluating an expression once. */
export function exprCost(e: Expr): number {
  let cost = 0;
  const walk = (node: any): boolean => {
    if (node.kind === 'FuncExpr') cost += functionInfo(node.funcid).proc.procost * costs.cpuOperator;
    else if (node.kind === 'OpExpr' || node.kind === 'DistinctExpr' || node.kind === 'NullIfExpr') cost += functionInfo(node.opfuncid).proc.procost * costs.cpuOperator;
    else if (node.kind === 'ScalarArrayOpExpr') cost += functionInfo(node.opfuncid).proc.procost * costs.cpuOperator * 5;
    else if (node.kind === 'SubPlan') cost += 100 * costs.cpuOperator;
    return node.kind !== 'Query' && expressionTreeWalker(node, walk);
  };
  walk(e);
  return cost;
}
export const qualCost = (quals: readonly RestrictInfo[]): number => quals.reduce((c, r) => c + exprCost(r.clause), 0);
export const exprsCost = (list: readonly Expr[]): number => list.reduce((c, e) => c + (e.kind === 'Var' ? 0 : exprCost(e)), 0);

/** What sorting adds to the cost of its input. */
export function sortCost(rows: number, width: number, limit: number): { startup: number; run: number } {
  const n = Math.max(rows, 2);
  const comparison = 2 * costs.cpuOperator;
  const output = limit > 0 && limit < n ? limit : n;
  const bytes = n * (width + 24);
  let startup: number;
  if (limit > 0 && n > 2 * output && output * (width + 24) <= costs.workMemBytes) startup = comparison * n * Math.log2(2 * output);
  else {
    startup = comparison * n * Math.log2(n);
    if (bytes > costs.workMemBytes) startup += 2 * Math.ceil(bytes / 8192) * Math.max(1, Math.ceil(Math.log(bytes / costs.workMemBytes) / Math.log(6))) * (costs.seqPage * 0.75 + costs.randomPage * 0.25);
  }
  return { startup: startup + (enabled.sort ? 0 : DISABLE_COST), run: costs.cpuOperator * n };
}

/** index_pages_fetched (Mackert and Lohman). */
export function indexPagesFetched(tuples: number, pages: number): number {
  const t = Math.max(pages, 1);
  const b = Math.max(costs.effectiveCachePages, 1);
  if (t <= b) return Math.min(t, Math.ceil((2 * t * tuples) / (2 * t + tuples)));
  const limit = (2 * t * b) / (2 * t - b);
  return Math.ceil(tuples <= limit ? (2 * t * tuples) / (2 * t + tuples) : b + ((tuples - limit) * (t - b)) / t);
}
