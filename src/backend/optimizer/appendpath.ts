// Paths for a relation that stands for several tables (set_append_rel_pathlist of PostgreSQL's allpaths.c): one after the
// other (Append), merged in order (MergeAppend), or one after the other in order, where partitions follow each other.
import type { Plan, SortKey } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import { opclassInputType } from '../executor/sort_support.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { partitionKeyOf } from '../partitioning/partkey.ts';
import { getBool } from '../utils/guc.ts';
import { equal } from './clauses.ts';
import { clampRows, costs, sortCost } from './costsize.ts';
import { overPart, overRelation, toChild, toParent } from './inherit.ts';
import { replaceNestloopParams } from './nestparams.ts';
import { runtimePruning, type PruneInfo } from './partprune.ts';
import { classForSorting } from './equivclass.ts';
import { addPath, cheapestFractional, pathkeysContain } from './pathnode.ts';
import { forRelation, mergeFamilies } from './pathkeys.ts';
import type { AppendRelInfo, Path, PathKey, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { planBase, targetOf } from './planbuild.ts';
import { EMPTY, isSubset, members as membersOf } from './relids.ts';

/** Turns the expressions of an Append into those of its members, for who puts another target list on it. */
export const memberTranslators = new WeakMap<Plan, { partitions: boolean; list: readonly ((e: Expr) => Expr)[] }>();

/** The children have their paths. */
export function addAppendPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  const cheapest = children.map((c) => c.child.cheapestTotal!);
  if (cheapest.every((p) => p.requiredOuter === EMPTY || isSubset(p.requiredOuter, rel.lateralRelids))) {
    const single = children.length === 1 ? cheapest[0]!.pathkeys : [];
    addPath(rel, appendPath(root, rel, cheapest, single));
  }
  addOrderedPaths(root, rel);
  addParameterizedPaths(root, rel);
}

/** Columns of a UNION ALL, or of a partition that has partitions, are shown as the first member's. */
const isCalledAsMember = (rel: RelOptInfo): boolean => rel.translators.length > 0 || (rel.kind === 'base' && rel.relation === null);

/** A member's form of an expression: a member that is an Append of joins itself has given its own members. */
function memberForm(rel: RelOptInfo, n: number, path: Path): (e: Expr) => Expr {
  const info = rel.children![n];
  if (rel.kind !== 'join' && info !== undefined) return (e) => toChild(info, e);
  // A part of a part: what it is a part of has its own form already.
  return (e) => overPart(path.rel, rel.translators.reduce((x, t) => toParent(t, x), e));
}

function appendPath(root: PlannerInfo, rel: RelOptInfo, members: readonly Path[], pathkeys: PathKey[], outer: Relids = rel.lateralRelids, paramClauses: RestrictInfo[] = []): Path {
  const paths = members.flatMap((p) => p.subpaths ?? [p]);
  const total = paths.reduce((c, p) => c + p.total, 0) + (paths.length > 1 ? 0.5 * costs.cpuTuple * paths.reduce((c, p) => c + p.rows, 0) : 0);
  const path: Path = {
    kind: 'Append', rel, rows: clampRows(paths.reduce((c, p) => c + p.rows, 0)), startup: paths[0]?.startup ?? 0, total, pathkeys, requiredOuter: outer, paramClauses,
    make: () => {
      const children = rel.children!;
      const plan: Plan = {
        kind: 'Append', ...planBase(path, targetOf(rel.target)), appendplans: paths.map((p) => p.make()), apprelids: membersOf(rel.relids), apptlist: targetOf(rel.target), byMember: isCalledAsMember(rel),
        pruning: pruningOf(root, rel, children, paramClauses),
      };
      memberTranslators.set(plan, { partitions: rel.relation?.kind !== 'r', list: paths.map((p, n) => memberForm(rel, n, p)) });
      return plan;
    },
  };
  if (rel.kind === 'join') path.subpaths = paths;
  return path;
}

/** What may be left out when it is run: the tables above the members, with steps for each. */
function pruningOf(root: PlannerInfo, rel: RelOptInfo, children: readonly AppendRelInfo[], paramClauses: readonly RestrictInfo[]): Extract<Plan, { kind: 'Append' }>['pruning'] {
  if (rel.relation?.kind !== 'p' || !getBool('enable_partition_pruning') || children.length === 0) return null;
  const clauses = [...rel.restrictions.filter((r) => !r.pseudoconstant), ...paramClauses].map((r) => replaceNestloopParams(root, r.clause));
  const levels: PruneInfo[] = [];
  const atStart: PruneInfo[] = [];
  for (const oid of new Set(children.flatMap((c) => c.path.map((s) => s.relation)))) {
    const relation = openRelation(oid);
    const own = clauses.map((c) => overRelation(c, rel, relation));
    const info = runtimePruning(relation, own, 'running');
    if (info === null) continue;
    levels.push(info);
    const first = runtimePruning(relation, own, 'start');
    if (first !== null) atStart.push(first);
  }
  if (levels.length === 0) return null;
  return { levels, atStart, paths: children.map((c) => c.path) };
}

// ---------------------------------------------------------------- in order

function addOrderedPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  if (children.length < 2) {
    for (const p of children[0]?.child.paths ?? []) {
      if (p.requiredOuter === EMPTY && p.pathkeys.length > 0) addPath(rel, appendPath(root, rel, [p], p.pathkeys));
    }
    return;
  }
  const orders: PathKey[][] = [];
  for (const c of children) {
    for (const p of c.child.paths) {
      if (p.requiredOuter !== EMPTY || p.pathkeys.length === 0) continue;
      if (!orders.some((o) => o.length === p.pathkeys.length && pathkeysContain(o, p.pathkeys))) orders.push(p.pathkeys);
    }
  }
  if (orders.length === 0) return;
  const forward = partitionOrder(root, rel, false);
  const backward = partitionOrder(root, rel, true);
  for (const order of orders) {
    const sorted = children.map((c) => cheapestFractional(c.child.paths, order, 0));
    const direction = forward !== null && pathkeysContain(forward, order) ? 1 : backward !== null && pathkeysContain(backward, order) ? -1 : 0;
    if (direction === 1 && sorted.every((p) => p !== null)) addPath(rel, appendPath(root, rel, sorted, order));
    else if (direction === -1 && sorted.every((p) => p !== null)) addPath(rel, reversedAppend(root, rel, sorted, order));
    else addMerge(root, rel, order, sorted);
  }
}

/** Partitions last to first. */
function reversedAppend(root: PlannerInfo, rel: RelOptInfo, paths: readonly Path[], order: PathKey[]): Path {
  const turned: RelOptInfo = { ...rel, children: [...rel.children!].reverse() };
  const path = appendPath(root, turned, [...paths].reverse(), order);
  path.rel = rel;
  return path;
}

/** The order in which partitions come one after the other; null: there is none (build_partition_pathkeys). */
function partitionOrder(root: PlannerInfo, rel: RelOptInfo, descending: boolean): PathKey[] | null {
  const { relation } = rel;
  if (relation?.kind !== 'p' || rel.children!.some((c) => c.path.length !== 1)) return null;
  const key = partitionKeyOf(relation);
  const { bounds } = partitionDescOf(relation);
  const live = new Set(rel.children!.map((c) => c.path[0]!.number));
  if (key.strategy === 'h' || live.has(bounds.defaultIndex)) return null;
  if (key.strategy === 'l') {
    // Values of one partition must not lie between those of another.
    let last = -1;
    for (const n of bounds.indexes) {
      if (!live.has(n)) continue;
      if (n < last) return null;
      last = n;
    }
    if (bounds.nullIndex >= 0 && live.has(bounds.nullIndex) && (bounds.nullIndex !== Math.max(...live) || bounds.indexes.includes(bounds.nullIndex))) return null;
  }
  const keys: PathKey[] = [];
  for (const c of key.columns) {
    const own = forRelation(c.expr, rel.rti);
    const expr = rel.appendInfo === null ? own : toParent(rel.appendInfo, own);
    const type = opclassInputType(c.typeOid);
    const ec = classForSorting(root, expr, mergeFamilies(c.opfamily, type, type), c.collation, 0, false);
    if (ec === null) break;
    if (ec.hasConst) continue;
    if (!keys.some((k) => k.ec === ec)) keys.push({ ec, reverse: descending, nullsFirst: descending });
  }
  return keys;
}

/** create_merge_append_path. As there, sorts are told the number of rows in a table, not of those that are wanted. */
function addMerge(root: PlannerInfo, rel: RelOptInfo, order: PathKey[], sorted: readonly (Path | null)[]): void {
  const columns = order.map((k) => rel.target.findIndex((e) => k.ec.members.some((m) => equal(overPart(rel, m.expr), e))));
  if (columns.includes(-1)) return;
  const paths = sorted.map((p, i) => p ?? rel.children![i]!.child.cheapestTotal!);
  if (paths.some((p) => p.requiredOuter !== EMPTY)) return;
  const keys = order.map((k, i): SortKey | null => {
    const e = rel.target[columns[i]!]!;
    const type = opclassInputType(exprType(e));
    const sortop = getOpfamilyMember(k.ec.families[0]!, type, type, k.reverse ? 5 : 1);
    return sortop === 0 ? null : { column: columns[i]! + 1, sortop, collation: k.ec.collation, nullsFirst: k.nullsFirst, type: exprType(e), reverse: k.reverse };
  });
  if (keys.includes(null)) return;
  const sortKeys = keys as SortKey[];
  const rows = paths.reduce((c, p) => c + p.rows, 0);
  const isAll = rel.relids === root.allBaserels;
  const sorts = paths.map((p, i) => (sorted[i] === null ? sortCost(p.rel.tuples, p.rel.width, isAll ? root.limitTuples : -1) : null));
  const inputs = Math.max(2, paths.length);
  const first = 2 * costs.cpuOperator * inputs * Math.log2(inputs);
  const total = paths.reduce((c, p, i) => c + p.total + (sorts[i] === null ? 0 : sorts[i]!.startup + sorts[i]!.run), 0)
    + rows * (2 * costs.cpuOperator * Math.log2(inputs) + 0.5 * costs.cpuTuple) + first;
  const startup = paths.reduce((c, p, i) => c + (sorts[i] === null ? p.startup : p.total + sorts[i]!.startup), 0) + first;
  const path: Path = {
    kind: 'MergeAppend', rel, rows: clampRows(rows), startup, total, pathkeys: order, requiredOuter: EMPTY, paramClauses: [],
    make: () => ({
      kind: 'MergeAppend', ...planBase(path, targetOf(rel.target)), sortKeys, bound: null, apprelids: membersOf(rel.relids), apptlist: targetOf(rel.target), byMember: isCalledAsMember(rel), mergeplans: paths.map((p, i) => {
        const plan = p.make();
        const sort = sorts[i];
        if (sort === null || sort === undefined) return plan;
        return {
          kind: 'Sort', startup_cost: plan.total_cost + sort.startup, total_cost: plan.total_cost + sort.startup + sort.run, plan_rows: plan.plan_rows, plan_width: plan.plan_width,
          targetlist: plan.targetlist.map((t, n) => makeTargetEntry(t.expr, n + 1, null, false)), qual: [], lefttree: plan, righttree: null, initPlan: [], sortKeys, bound: null,
        };
      }),
    }),
  };
  addPath(rel, path);
}

// ---------------------------------------------------------------- with values of other relations

function addParameterizedPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  const outers: Relids[] = [];
  for (const c of children) for (const p of c.child.paths) if (p.requiredOuter !== EMPTY && !outers.includes(p.requiredOuter)) outers.push(p.requiredOuter);
  for (const outer of outers) {
    const paths = children.map((c) => {
      let best: Path | null = null;
      for (const p of c.child.paths) if (isSubset(p.requiredOuter, outer) && (best === null || p.total < best.total)) best = p;
      return best;
    });
    if (paths.some((p) => p === null)) continue;
    // Conditions that every member takes care of.
    const common = (paths as Path[]).map((p) => new Set(p.paramClauses.map((r) => r.ofParent ?? r)))
      .reduce((a, b) => new Set([...a].filter((r) => b.has(r))));
    addPath(rel, appendPath(root, rel, paths as Path[], [], outer, [...common]));
  }
}
