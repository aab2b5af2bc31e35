// Costs of single nodes, in PostgreSQL's units (costsize.c): 1 is one page read in sequence. Joins: joincost.ts.
import { functionInfo } from '../executor/fmgr_info.ts';
import { expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { rint } from '../types/datetime_scan.ts';
import { settings } from '../utils/settings.ts';
import type { Path, QualCost, RestrictInfo } from './pathnodes.ts';

export const costs = {
  seqPage: 1, randomPage: 4, cpuTuple: 0.01, cpuIndexTuple: 0.005, cpuOperator: 0.0025, effectiveCachePages: 524288,
  workMemBytes: 4 * 1024 * 1024, hashMemBytes: 8 * 1024 * 1024, parallelSetup: 1000, parallelTuple: 0.1,
};
export const DISABLE_COST = 1e10;
export const BLOCK_BYTES = 8192;
export const enabled = {
  seqscan: true, indexscan: true, indexonlyscan: true, bitmapscan: true, sort: true, incremental_sort: true, hashagg: true, nestloop: true, hashjoin: true, mergejoin: true,
  material: true, memoize: true, tidscan: true,
};

/** Takes the settings over at the start of planning. By hand: every statement is planned once, and to find them by name took a tenth of it. */
export function readCostSettings(): void {
  costs.seqPage = settings.seq_page_cost;
  costs.randomPage = settings.random_page_cost;
  costs.cpuTuple = settings.cpu_tuple_cost;
  costs.cpuIndexTuple = settings.cpu_index_tuple_cost;
  costs.cpuOperator = settings.cpu_operator_cost;
  costs.effectiveCachePages = settings.effective_cache_size;
  costs.workMemBytes = settings.work_mem * 1024;
  costs.hashMemBytes = costs.workMemBytes * settings.hash_mem_multiplier;
  costs.parallelSetup = settings.parallel_setup_cost;
  costs.parallelTuple = settings.parallel_tuple_cost;
  enabled.seqscan = settings.enable_seqscan;
  enabled.indexscan = settings.enable_indexscan;
  enabled.indexonlyscan = settings.enable_indexonlyscan;
  enabled.bitmapscan = settings.enable_bitmapscan;
  enabled.sort = settings.enable_sort;
  enabled.incremental_sort = settings.enable_incremental_sort;
  enabled.hashagg = settings.enable_hashagg;
  enabled.nestloop = settings.enable_nestloop;
  enabled.hashjoin = settings.enable_hashjoin;
  enabled.mergejoin = settings.enable_mergejoin;
  enabled.material = settings.enable_material;
  enabled.memoize = settings.enable_memoize;
  enabled.tidscan = settings.enable_tidscan;
}

/** clamp_row_est: rint, at least one. */
export const clampRows = (rows: number): number => (rows > 1e100 || Number.isNaN(rows) ? 1e100 : rows <= 1 ? 1 : rint(rows));
/** CLAMP_PROBABILITY. */
export const clampProbability = (p: number): number => Math.min(1, Math.max(0, p));

// ------------------------------------------------------------------ workers

/** get_parallel_divisor: by how much each process has less to do; the leader helps as long as it has not too many workers to listen to. */
export function parallelDivisor(workers: number): number {
  return workers + (settings.parallel_leader_participation ? Math.max(0, 1 - 0.3 * workers) : 0);
}
/** The rows of one of the processes that share a path. */
export const rowsOfOne = (rows: number, workers: number | undefined): number => (workers === undefined ? rows : clampRows(rows / parallelDivisor(workers)));

// ------------------------------------------------------------------ expressions

/** cost_qual_eval. */
export function evalCost(list: readonly Expr[]): QualCost {
  const cost: QualCost = { startup: 0, perTuple: 0 };
  const walk = (node: any): boolean => {
    switch (node.kind) {
      case 'FuncExpr': cost.perTuple += functionInfo(node.funcid).proc.procost * costs.cpuOperator; break;
      case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': cost.perTuple += functionInfo(node.opfuncid).proc.procost * costs.cpuOperator; break;
      case 'ScalarArrayOpExpr': {
        const one = functionInfo(node.opfuncid).proc.procost * costs.cpuOperator;
        cost.perTuple += one * arrayElements(node.args[1]) * 0.5;
        break;
      }
      case 'CoerceViaIO': cost.perTuple += 2 * costs.cpuOperator; break;
      case 'ArrayCoerceExpr': cost.perTuple += costs.cpuOperator * arrayElements(node.arg); break;
      case 'RowCompareExpr': cost.perTuple += costs.cpuOperator * node.largs.length; break;
      case 'MinMaxExpr': case 'SQLValueFunction': case 'XmlExpr': case 'CoerceToDomain': case 'NextValueExpr': cost.perTuple += costs.cpuOperator; break;
      case 'CurrentOfExpr': cost.startup += DISABLE_COST; break;
      // Their arguments are counted where they are aggregated.
      case 'Aggref': case 'WindowFunc': return false;
      case 'GroupingFunc': cost.perTuple += costs.cpuOperator; return false;
      // Where it is computed it is a column of the target list.
      case 'PlaceHolderVar': return false;
      case 'SubPlan':
        cost.startup += node.startup_cost;
        cost.perTuple += node.per_call_cost;
        return false;
      default:
    }
    return node.kind !== 'Query' && expressionTreeWalker(node, walk);
  };
  for (const e of list) walk(e);
  return cost;
}
function arrayElements(e: any): number {
  if (e.kind === 'Const') return e.constvalue === null ? 0 : e.constvalue.values?.length ?? 10;
  return e.kind === 'ArrayExpr' ? e.elements.length : e.kind === 'RelabelType' ? arrayElements(e.arg) : 10;
}

/** Evaluating an expression once. */
export const exprCost = (e: Expr): number => evalCost([e]).perTuple;
export const qualEvalCost = (quals: readonly RestrictInfo[]): QualCost => (quals.length === 0 ? NO_COST : evalCost(quals.map((r) => r.clause)));
const NO_COST: QualCost = { startup: 0, perTuple: 0 };
export const exprsCost = (list: readonly Expr[]): number => list.reduce((c, e) => c + (e.kind === 'Var' || e.kind === 'Const' ? 0 : exprCost(e)), 0);

// ------------------------------------------------------------------ sorting and keeping

/** MAXALIGN. */
export const maxAlign = (n: number): number => Math.ceil(n / 8) * 8;
const HEAP_TUPLE_HEADER = 24;
/** relation_byte_size. */
export const relationBytes = (rows: number, width: number): number => rows * (maxAlign(Math.round(width)) + HEAP_TUPLE_HEADER);
export const relationPages = (rows: number, width: number): number => Math.ceil(relationBytes(rows, width) / BLOCK_BYTES);

/** tuplesort_merge_order: runs that one pass can merge. */
const mergeOrder = (bytes: number): number => Math.min(500, Math.max(6, Math.floor(bytes / (2 * BLOCK_BYTES + BLOCK_BYTES * 32))));

/** cost_tuplesort: what sorting adds to the cost of its input. */
function tuplesortCost(rows: number, width: number, limit: number): { startup: number; run: number } {
  const n = Math.max(rows, 2);
  const comparison = 2 * costs.cpuOperator;
  const bytes = relationBytes(n, width);
  const output = limit > 0 && limit < n ? limit : n;
  const outputBytes = limit > 0 && limit < n ? relationBytes(output, width) : bytes;
  let startup: number;
  if (outputBytes > costs.workMemBytes) {
    const pages = Math.ceil(bytes / BLOCK_BYTES);
    const runs = bytes / costs.workMemBytes;
    const order = mergeOrder(costs.workMemBytes);
    const passes = runs > order ? Math.ceil(Math.log(runs) / Math.log(order)) : 1;
    startup = comparison * n * Math.log2(n) + 2 * pages * passes * (costs.seqPage * 0.75 + costs.randomPage * 0.25);
  } else if (n > 2 * output || bytes > costs.workMemBytes) startup = comparison * n * Math.log2(2 * output);
  else startup = comparison * n * Math.log2(n);
  return { startup, run: costs.cpuOperator * n };
}

/** cost_sort. */
export function sortCost(rows: number, width: number, limit: number): { startup: number; run: number } {
  const { startup, run } = tuplesortCost(rows, width, limit);
  return { startup: startup + (enabled.sort ? 0 : DISABLE_COST), run };
}

/** Groups differ in size: what is sorted at a time is thought to be so much more than the average. */
const UNEVEN_GROUPS = 1.5;
/** cost_incremental_sort: groups of rows that are in order already are sorted one after the other. */
export function incrementalSortCost(input: { startup: number; total: number; rows: number; width: number }, groups: number, limit: number): { startup: number; total: number } {
  const rows = Math.max(input.rows, 2);
  const run = input.total - input.startup;
  const groupRows = rows / groups;
  const groupRun = run / groups;
  const sort = tuplesortCost(UNEVEN_GROUPS * groupRows, input.width, limit);
  let startup = sort.startup + input.startup + groupRun;
  let rest = sort.run + (sort.run + sort.startup) * (groups - 1) + groupRun * (groups - 1);
  rest += costs.cpuTuple * rows;
  rest += 2 * costs.cpuTuple * groups;
  if (!enabled.incremental_sort) startup += DISABLE_COST;
  return { startup, total: startup + rest };
}

/** cost_material. */
export function materialCost(input: { startup: number; total: number; rows: number; width: number }): { startup: number; total: number } {
  let run = input.total - input.startup + 2 * costs.cpuOperator * input.rows;
  if (relationBytes(input.rows, input.width) > costs.workMemBytes) run += costs.seqPage * relationPages(input.rows, input.width);
  return { startup: input.startup, total: input.startup + run };
}

const KEEPS_ROWS = new Set(['Material', 'Sort']);
const KEEPS_INPUT = new Set(['CteScan', 'WorkTableScan']);

/** cost_rescan. */
export function rescanCost(path: Path): { startup: number; total: number } {
  if (path.rescan !== undefined) return path.rescan;
  const spill = (): number => (relationBytes(path.rows, path.rel.width) > costs.workMemBytes ? costs.seqPage * relationPages(path.rows, path.rel.width) : 0);
  if (KEEPS_ROWS.has(path.kind)) return { startup: 0, total: costs.cpuOperator * path.rows + spill() };
  if (KEEPS_INPUT.has(path.kind)) return { startup: 0, total: costs.cpuTuple * path.rows + spill() };
  if (path.kind === 'FunctionScan' || path.kind === 'HashJoin') return { startup: 0, total: path.total - path.startup };
  return { startup: path.startup, total: path.total };
}

// ------------------------------------------------------------------ scans

/** index_pages_fetched (Mackert and Lohman); `total`: pages of all tables of the query, which share the cache, and of the index. */
export function indexPagesFetched(tuples: number, pages: number, total: number): number {
  const t = Math.max(pages, 1);
  let b = Math.max(1, (costs.effectiveCachePages * t) / Math.max(1, total));
  b = b <= 1 ? 1 : Math.ceil(b);
  if (t <= b) {
    const n = (2 * t * tuples) / (2 * t + tuples);
    return n >= t ? t : Math.ceil(n);
  }
  const limit = (2 * t * b) / (2 * t - b);
  return Math.ceil(tuples <= limit ? (2 * t * tuples) / (2 * t + tuples) : b + ((tuples - limit) * (t - b)) / t);
}
