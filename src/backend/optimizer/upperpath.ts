// Paths for what comes on top of scans and joins (the upper relations of PostgreSQL's planner.c): each step takes the paths of the
// step below and gives its own, and those that may be part of the best plan are kept.
import { aggregate, functionInfo } from '../executor/fmgr_info.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import { opclassInputType, sortOperator } from '../executor/sort_support.ts';
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { typeByOid } from '../catalog/syscache.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { GroupKey, Plan, SortKey } from '../nodes/plannodes.ts';
import type { Aggref, Expr, SortGroupClause, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { equal, pullVarnos, stripRelabel } from './clauses.ts';
import { BLOCK_BYTES, costs, enabled, evalCost, incrementalSortCost, maxAlign, relationBytes, sortCost } from './costsize.ts';
import { addPartialPath, addPath, commonPathkeys, pathkeysContain, setCheapest } from './pathnode.ts';
import { pathkeysForSort } from './pathkeys.ts';
import type { Path, PathKey, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { over } from './planbuild.ts';
import { typeWidth } from './plancat.ts';
import { emptyRel, targetWidth } from './relnode.ts';
import { estimateGroups } from './selfuncs.ts';

/** A step's relation; `target`: what it puts out. */
export function upperRel(root: PlannerInfo, target: readonly TargetEntry[]): RelOptInfo {
  const rel = emptyRel('upper', 0n);
  rel.considerStartup = root.tupleFraction > 0;
  rel.width = widthOf(root, target);
  return rel;
}

export const widthOf = (root: PlannerInfo, target: readonly TargetEntry[]): number => targetWidth(root, target.map((t) => t.expr));

export interface UpperCost { startup: number; total: number; rows: number }

/** A path of a step; what `make` gives gets the costs of the path. `below`: what it works on, by which it can be done in workers or not. */
export function upperPath(rel: RelOptInfo, kind: string, cost: UpperCost, pathkeys: PathKey[], make: () => Plan, below: Path | null): Path {
  return {
    kind, rel, ...cost, pathkeys, requiredOuter: 0n, paramClauses: [], ...(below === null ? {} : parallelOver(rel, below)),
    make: () => ({ ...make(), startup_cost: cost.startup, total_cost: cost.total, plan_rows: cost.rows, plan_width: Math.round(rel.width) }),
  };
}

/** Whether what works on a path can be done in workers. */
const parallelOver = (rel: RelOptInfo, { parallelSafe, parallelWorkers }: Path): Pick<Path, 'parallelSafe' | 'parallelWorkers'> =>
  ({ parallelSafe: rel.considerParallel && parallelSafe === true, ...(parallelWorkers === undefined ? {} : { parallelWorkers }) });

/** The step that is already done by a plan. */
export function planned(root: PlannerInfo, plan: Plan, pathkeys: PathKey[], parallelSafe = false): RelOptInfo {
  const rel = upperRel(root, plan.targetlist);
  rel.considerParallel = parallelSafe;
  addPath(rel, { kind: plan.kind, rel, rows: plan.plan_rows, startup: plan.startup_cost, total: plan.total_cost, pathkeys, requiredOuter: 0n, paramClauses: [], parallelSafe, make: () => plan });
  setCheapest(rel);
  return rel;
}

/** A step that is done to each path below in the same way. */
export function mapPaths(below: RelOptInfo, rel: RelOptInfo, change: (p: Path) => Path): RelOptInfo {
  for (const p of below.paths) addPath(rel, change(p));
  if (rel.considerParallel) for (const p of below.partialPaths) addPartialPath(rel, change(p));
  setCheapest(rel);
  return rel;
}

// ------------------------------------------------------------------ sorting

export function groupKey(c: SortGroupClause, target: readonly TargetEntry[]): GroupKey {
  const i = target.findIndex((t) => t.ressortgroupref === c.tleSortGroupRef);
  const { expr } = target[i]!;
  return { column: i + 1, eqop: c.eqop, collation: exprCollation(expr), type: exprType(expr) };
}

export function sortKey(c: SortGroupClause, target: readonly TargetEntry[]): SortKey {
  const i = target.findIndex((t) => t.ressortgroupref === c.tleSortGroupRef);
  const { expr } = target[i]!;
  return { column: i + 1, sortop: c.sortop, collation: exprCollation(expr), nullsFirst: c.nulls_first, type: exprType(expr), reverse: sortOperator(c.sortop).reverse };
}

/** The keys of an order: of columns that are equal the first is compared (prepare_sort_from_pathkeys). */
function sortKeys({ pathkeys, clauses }: WantedOrder, target: readonly TargetEntry[]): SortKey[] {
  return clauses.map((c, n) => {
    const own = sortKey(c, target);
    const ec = pathkeys[n]?.ec;
    if (ec === undefined || ec.volatile || ec.members.length < 2) return own;
    const column = 1 + target.findIndex((t) => ec.members.some((m) => !m.isConst && equal(stripRelabel(m.expr), stripRelabel(t.expr))));
    if (column === 0 || column === own.column) return own;
    const type = exprType(target[column - 1]!.expr);
    if (type === own.type) return { ...own, column };
    const input = opclassInputType(type);
    const sortop = ec.families.map((f) => getOpfamilyMember(f, input, input, own.reverse ? 5 : 1)).find((op) => op !== 0);
    return sortop === undefined ? own : { ...own, column, type, sortop };
  });
}

function sortPlan(child: Plan, wanted: WantedOrder, limit: number): Plan {
  const keys = sortKeys(wanted, child.targetlist).filter((key, n, all) => all.findIndex((k) => k.column === key.column) === n);
  const cost = sortCost(child.plan_rows, child.plan_width, limit);
  return {
    kind: 'Sort', ...over(child, child.targetlist), startup_cost: child.total_cost + cost.startup, total_cost: child.total_cost + cost.startup + cost.run, sortKeys: keys, bound: null,
  };
}

/** An order: by which clauses, of which target list. */
export interface WantedOrder { pathkeys: PathKey[]; clauses: SortGroupClause[] }

/** Without the keys that a condition fixes, or that others are the same as. */
export function wantOrder(root: PlannerInfo, clauses: readonly SortGroupClause[], target: readonly TargetEntry[]): WantedOrder {
  const kept: SortGroupClause[] = [], pathkeys: PathKey[] = [];
  for (const c of clauses) {
    const [key] = pathkeysForSort(root, [c], target);
    if (key === undefined || pathkeys.some((k) => k.ec === key.ec)) continue;
    kept.push(c);
    pathkeys.push(key);
  }
  return { pathkeys, clauses: kept };
}

export function fullSort(p: Path, wanted: WantedOrder, limit: number): Path {
  const cost = sortCost(p.rows, p.rel.width, limit);
  const startup = p.total + cost.startup;
  return upperPath(p.rel, 'Sort', { startup, total: startup + cost.run, rows: p.rows }, wanted.pathkeys, () => sortPlan(p.make(), wanted, limit), p);
}

/** Rows that are in the order of the first keys, sorted by the others; null: they are not, or it is switched off. */
export function incrementalSort(root: PlannerInfo, p: Path, wanted: WantedOrder, limit: number): Path | null {
  const { pathkeys } = wanted;
  const presortedCount = commonPathkeys(p.pathkeys, pathkeys);
  if (presortedCount === 0 || !enabled.incremental_sort) return null;
  const cost = incrementalSortCost({ startup: p.startup, total: p.total, rows: p.rows, width: p.rel.width }, presortedGroups(root, pathkeys, presortedCount, p.rows), limit);
  return upperPath(p.rel, 'IncrementalSort', { ...cost, rows: p.rows }, pathkeys, () => {
    const child = p.make();
    return { kind: 'IncrementalSort', ...over(child, child.targetlist), sortKeys: sortKeys(wanted, child.targetlist), presortedCount };
  }, p);
}

/** How many groups of rows are in order already. */
export function presortedGroups(root: PlannerInfo, order: readonly PathKey[], presorted: number, rows: number): number {
  const exprs = order.slice(0, presorted).map((k) => k.ec.members[0]!.expr);
  if (exprs.some((e) => pullVarnos(e) === 0n)) return Math.min(rows, 200);
  return estimateGroups(root, exprs, rows);
}

/** The ways to have the rows in an order: as they come, the cheapest sorted as a whole, the rest of an order sorted. */
export function inOrder(root: PlannerInfo, below: Readonly<Pick<RelOptInfo, 'cheapestTotal'>> & { readonly paths: readonly Path[] }, wanted: WantedOrder, limit: number): Path[] {
  const list: Path[] = [];
  for (const p of below.paths) {
    if (pathkeysContain(p.pathkeys, wanted.pathkeys)) {
      list.push(p);
      continue;
    }
    if (p === below.cheapestTotal) list.push(fullSort(p, wanted, limit));
    const rest = incrementalSort(root, p, wanted, limit);
    if (rest !== null) list.push(rest);
  }
  return list;
}

// ------------------------------------------------------------------ aggregation

/** Of the different aggregates in expressions: what they cost for a row and for a group, and how many bytes their states take beside a Datum each. */
export interface AggCosts { count: number; perTuple: number; final: number; space: number }
export const NO_AGGS: AggCosts = { count: 0, perTuple: 0, final: 0, space: 0 };

const ARRAY_APPEND = 378, INTERNAL = 2281;

/** get_agg_clause_costs; `split`: of the first or second of two steps. */
export function aggCosts(list: readonly Expr[], split?: 'partial' | 'final'): AggCosts {
  const seen: Aggref[] = [];
  for (const e of list) walkExpr(e, (n) => { if (n.kind === 'Aggref' && !seen.some((a) => equal(a, n))) seen.push(n); });
  const sum: AggCosts = { ...NO_AGGS, count: seen.length };
  for (const agg of seen) {
    const { aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggtransspace } = aggregate(agg.aggfnoid);
    const inputs = split === 'final' ? [] : [...agg.args.map((t) => t.expr), ...(agg.aggfilter === null ? [] : [agg.aggfilter])];
    sum.perTuple += callCost(split === 'final' ? aggcombinefn : aggtransfn) + evalCost(inputs).perTuple;
    if (split === 'final') sum.perTuple += callCost(aggdeserialfn);
    sum.final += callCost(split === 'partial' ? aggserialfn : aggfinalfn);
    if (agg.aggtranstype === INTERNAL) sum.space += aggtransspace > 0 ? aggtransspace : 8192;
    else if (!typeByOid(agg.aggtranstype)!.typbyval) sum.space += maxAlign(aggtransspace > 0 ? aggtransspace : aggtransfn === ARRAY_APPEND ? 1024 : typeWidth(agg.aggtranstype, -1)) + 16;
  }
  return sum;
}

const callCost = (fn: Oid): number => (fn === 0 ? 0 : functionInfo(fn).proc.procost * costs.cpuOperator);

/** hash_agg_entry_size: of a group in a hash table. */
export const hashEntryBytes = (width: number, { count, space }: AggCosts): number => 24 + 16 + 16 + maxAlign(Math.round(width)) + (count > 0 ? 16 + 16 * count : 0) + (space > 0 ? 16 + space : 0);

/** What groups that do not fit into memory add by going to files (cost_agg, hash_agg_set_limits). */
export function hashSpillCost(inputRows: number, inputWidth: number, groups: number, aggs: AggCosts): { startup: number; total: number } {
  const width = Math.round(inputWidth);
  const entry = hashEntryBytes(width, aggs);
  const memory = costs.hashMemBytes;
  if (groups * entry <= memory) return { startup: 0, total: 0 };
  const most = Math.max(4, Math.min(1024, memory * 0.25 / BLOCK_BYTES));
  const partitions = 2 ** Math.ceil(Math.log2(Math.max(4, Math.min(most, 1 + 1.5 * groups * entry / memory))));
  const buffers = BLOCK_BYTES * (1 + partitions);
  const usable = memory > 4 * buffers ? memory - buffers : memory * 0.75;
  const batches = Math.max(1, Math.ceil(Math.max(groups * entry / usable, groups / Math.max(1, usable / entry))));
  const depth = Math.ceil(Math.log(batches) / Math.log(Math.max(2, partitions)));
  const pages = 2 * depth * relationBytes(inputRows, width) / BLOCK_BYTES;
  const rows = depth * inputRows * 2 * costs.cpuTuple;
  return { startup: pages * costs.randomPage + rows, total: pages * (costs.randomPage + costs.seqPage) + rows };
}
