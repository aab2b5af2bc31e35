// What gathers the rows of parallel workers (generate_useful_gather_paths of PostgreSQL's allpaths.c): as they come, or in order,
// each process having sorted its own.
import type { Plan, SortKey } from '../nodes/plannodes.ts';
import { containsSrf, equal, pullVarClause, pullVarnos } from './clauses.ts';
import { costs, enabled, incrementalSortCost, sortCost } from './costsize.ts';
import { overPart } from './inherit.ts';
import { sortColumns, sorted } from './mergejoin.ts';
import { isParallelSafe } from './parallel.ts';
import { addPath, commonPathkeys, pathkeysContain } from './pathnode.ts';
import type { Path, PathKey, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { over, withAllColumns } from './planbuild.ts';
import { EMPTY, isSubset } from './relids.ts';
import { presortedGroups } from './upperpath.ts';

/** All rows of a partial path. */
export const allRows = (p: Path): number => p.rows * p.parallelWorkers!;

/** By the settings, and no less than workers cost here. */
function workersCost({ glob: { workerCosts } }: PlannerInfo, sub: Path): { setup: number; tuple: number } {
  return { setup: Math.max(costs.parallelSetup, sub.parallelWorkers! * workerCosts.setup), tuple: Math.max(costs.parallelTuple, workerCosts.tuple) };
}

/** create_gather_path; `rows` of all processes together. */
export function gatherPath(root: PlannerInfo, rel: RelOptInfo, sub: Path, rows: number): Path {
  const { setup, tuple } = workersCost(root, sub);
  const startup = sub.startup + setup;
  const total = sub.total + setup + tuple * rows;
  return {
    kind: 'Gather', rel, rows, startup, total, pathkeys: [], requiredOuter: EMPTY, paramClauses: [],
    make: () => {
      const child = gathered(root, rel, sub);
      return { kind: 'Gather', ...over(child, child.targetlist), startup_cost: startup, total_cost: total, plan_rows: rows, numWorkers: sub.parallelWorkers!, singleCopy: false };
    },
  };
}

/** create_gather_merge_path, of rows that each process gives in this order. */
export function gatherMergePath(root: PlannerInfo, rel: RelOptInfo, sub: Path, pathkeys: PathKey[], rows: number): Path {
  const inputs = sub.parallelWorkers! + 1;
  const comparison = 2 * costs.cpuOperator, depth = Math.log2(inputs);
  const { setup, tuple } = workersCost(root, sub);
  const startup = comparison * inputs * depth + setup;
  const run = rows * comparison * depth + costs.cpuOperator * rows + tuple * rows * 1.05;
  const cost = { startup: startup + sub.startup, total: startup + run + sub.total };
  return {
    kind: 'GatherMerge', rel, rows, ...cost, pathkeys, requiredOuter: EMPTY, paramClauses: [],
    make: () => {
      const { below, sortKeys } = keysOf(gathered(root, rel, sub), pathkeys, sub.rel);
      // What is sorted by, and is no column of the relation, is left behind.
      const targetlist = rel.kind === 'upper' ? below.targetlist : below.targetlist.filter((t) => !t.resjunk);
      return { kind: 'GatherMerge', ...over(below, targetlist), startup_cost: cost.startup, total_cost: cost.total, plan_rows: rows, numWorkers: sub.parallelWorkers!, sortKeys };
    },
  };
}

/** What workers run. PostgreSQL has a parameter that tells it of being run again; others are numbered as there. */
function gathered(root: PlannerInfo, rel: RelOptInfo, sub: Path): Plan {
  const plan = rel.kind === 'upper' ? sub.make() : withAllColumns(sub.make());
  root.glob.paramExecCount++;
  return plan;
}

/** What a sort has sorted by, or columns that are in this order. */
function keysOf(plan: Plan, pathkeys: readonly PathKey[], rel: RelOptInfo): { below: Plan; sortKeys: SortKey[] } {
  if (plan.kind === 'Sort' || plan.kind === 'IncrementalSort') return { below: plan, sortKeys: plan.sortKeys };
  return sortColumns(plan, pathkeys, rel);
}

/** Each process sorts its rows, or what is not in order of them; null: sorting in part is no help, or switched off. */
function partialSort(root: PlannerInfo, p: Path, pathkeys: PathKey[], whole: boolean): Path | null {
  if (whole) {
    const sort = sortCost(p.rows, p.rel.width, -1);
    return { ...p, kind: 'Sort', startup: p.total + sort.startup, total: p.total + sort.startup + sort.run, pathkeys, make: () => sorted(p.make(), pathkeys, p.rel) };
  }
  const presortedCount = commonPathkeys(p.pathkeys, pathkeys);
  if (presortedCount === 0 || !enabled.incremental_sort) return null;
  const cost = incrementalSortCost({ startup: p.startup, total: p.total, rows: p.rows, width: p.rel.width }, presortedGroups(root, pathkeys, presortedCount, p.rows), -1);
  return {
    ...p, kind: 'IncrementalSort', ...cost, pathkeys, make: () => {
      const { below, sortKeys } = sortColumns(p.make(), pathkeys, p.rel);
      return { kind: 'IncrementalSort', ...over(below, below.targetlist), startup_cost: cost.startup, total_cost: cost.total, sortKeys, presortedCount };
    },
  };
}

/** get_useful_pathkeys_for_relation: the beginning of the order that the query wants which workers can sort by. */
function usefulOrder(root: PlannerInfo, rel: RelOptInfo): PathKey[] {
  const keys = root.queryPathkeys;
  const end = keys.findIndex((k) => !canSortBy(root, rel, k));
  return end < 0 ? keys : keys.slice(0, end);
}

/** relation_can_be_sorted_early. */
function canSortBy(root: PlannerInfo, rel: RelOptInfo, { ec }: PathKey): boolean {
  if (ec.volatile) return false;
  return ec.members.some((m) => {
    if (m.isConst || (rel.kind !== 'upper' && (m.relids === EMPTY || !isSubset(m.relids, rel.topRelids)))) return false;
    const own = overPart(rel, m.expr);
    if (containsSrf(own) || !isParallelSafe(root, [own])) return false;
    return rel.target.some((e) => equal(e, own)) || (rel.kind !== 'upper' && isSubset(pullVarnos(own), rel.relids) && pullVarClause(own, true, true).every((v) => rel.target.some((e) => equal(e, v))));
  });
}

/** generate_useful_gather_paths; `rows`: of the relation; undefined: of what workers give, which may be more. */
export function addUsefulGathers(root: PlannerInfo, rel: RelOptInfo, rows?: number): void {
  if (rel.partialPaths.length === 0) return;
  addGathers(root, rel, rows);
  const wanted = usefulOrder(root, rel);
  if (wanted.length === 0) return;
  rel.partialPaths.forEach((p, i) => {
    if (pathkeysContain(p.pathkeys, wanted)) return;
    if (i === 0) addPath(rel, gatherMergePath(root, rel, partialSort(root, p, wanted, true)!, wanted, rows ?? allRows(p)));
    const rest = partialSort(root, p, wanted, false);
    if (rest !== null) addPath(rel, gatherMergePath(root, rel, rest, wanted, rows ?? allRows(p)));
  });
}

/** generate_gather_paths. */
export function addGathers(root: PlannerInfo, rel: RelOptInfo, rows?: number): void {
  const [cheapest] = rel.partialPaths;
  if (cheapest === undefined) return;
  addPath(rel, gatherPath(root, rel, cheapest, rows ?? allRows(cheapest)));
  for (const p of rel.partialPaths) if (p.pathkeys.length > 0) addPath(rel, gatherMergePath(root, rel, p, p.pathkeys, rows ?? allRows(p)));
}
