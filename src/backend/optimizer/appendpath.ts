// Paths for a relation that stands for several tables (set_append_rel_pathlist of PostgreSQL's allpaths.c): one after the
// other (Append), merged in order (MergeAppend), or one after the other in order, where partitions follow each other.
import type { Plan, Pruning, SortKey } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { opclassInputType } from '../executor/sort_support.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { partitionKeyOf } from '../partitioning/partkey.ts';
import { BOOLOID } from '../types/oids.ts';
import { getBool } from '../utils/guc.ts';
import { booleanValue, equal } from './clauses.ts';
import { clampRows, costs, sortCost } from './costsize.ts';
import { ofTable, overPart, overRelation, toChild, toParent } from './inherit.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { sharedMembers, type SharedMembers } from './partialappend.ts';
import { runtimePruning, type PruneInfo } from './partprune.ts';
import { classForSorting } from './equivclass.ts';
import { addPartialPath, addPath, cheapestFractional, pathkeysContain } from './pathnode.ts';
import { mergeFamilies } from './pathkeys.ts';
import type { AppendRelInfo, PartitionStep, Path, PathKey, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { planBase, withColumn } from './planbuild.ts';
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
  if (rel.considerParallel && rel.lateralRelids === EMPTY) addPartialPaths(root, rel);
  addOrderedPaths(root, rel);
  addParameterizedPaths(root, rel);
}

/** Appends that processes share. */
function addPartialPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  for (const members of sharedMembers(children.map((c) => c.child))) addPartialPath(rel, sharedAppend(root, rel, members));
  if (children.length > 1) return;
  const [, ...others] = children[0]!.child.partialPaths;
  for (const p of others) {
    if (p.pathkeys.length === 0) continue;
    addPartialPath(rel, sharedAppend(root, rel, { paths: [{ path: p, member: 0 }], firstPartial: 0, isAware: true, workers: p.parallelWorkers!, startup: p.startup, total: p.total, rows: p.rows }));
  }
}

function sharedAppend(root: PlannerInfo, rel: RelOptInfo, members: SharedMembers): Path {
  const { paths, workers, startup, total, rows, firstPartial } = members;
  // Members stand in the order in which they are begun.
  const ordered = { ...rel, children: paths.map((m) => rel.children![m.member]!) };
  const pathkeys = paths.length === 1 ? paths[0]!.path.pathkeys : [];
  const path = appendPath(root, ordered, paths.map((m) => m.path), pathkeys, EMPTY, [], members);
  return Object.assign(path, { rel, startup, total, rows, parallelSafe: true, parallelWorkers: workers, firstPartial });
}

/** Columns of a UNION ALL, or of a partition that has partitions, are shown as the first member's. */
const isCalledAsMember = (rel: RelOptInfo): boolean => rel.translators.length > 0 || (rel.kind === 'base' && rel.relation === null);

/** A member's form of an expression: a member that is an Append of joins itself has given its own members. */
function memberForm(rel: RelOptInfo, n: number, path: Path): (e: Expr) => Expr {
  const info = rel.children![n];
  // Partitions of a partition, being put together already.
  if (rel.rti > 0 && path.rel.rti === rel.rti) return (e) => e;
  if (rel.kind !== 'join' && info !== undefined) return (e) => toChild(info, e);
  // A part of a part: what it is a part of has its own form already.
  return (e) => overPart(path.rel, rel.translators.reduce((x, t) => toParent(t, x), e));
}

function appendPath(root: PlannerInfo, rel: RelOptInfo, members: readonly Path[], pathkeys: PathKey[], outer: Relids = rel.lateralRelids, paramClauses: RestrictInfo[] = [], shared: SharedMembers | null = null): Path {
  const paths = shared !== null ? [...members] : members.flatMap((p) => p.subpaths ?? [p]);
  const total = paths.reduce((c, p) => c + p.total, 0) + (paths.length > 1 ? 0.5 * costs.cpuTuple * paths.reduce((c, p) => c + p.rows, 0) : 0);
  // Of an order all members may be begun.
  const startup = pathkeys.length > 0 ? paths.reduce((c, p) => c + p.startup, 0) : paths[0]?.startup ?? 0;
  const path: Path = {
    kind: 'Append', rel, rows: clampRows(paths.reduce((c, p) => c + p.rows, 0)), startup, total, pathkeys, requiredOuter: outer, paramClauses, parallelSafe: rel.considerParallel && paths.every((p) => p.parallelSafe === true),
    make: () => {
      const plan: Plan = {
        kind: 'Append', ...planBase(path, targetOfRel(root, rel)), appendplans: paths.map((p) => p.make()), apprelids: membersOf(rel.relids), apptlist: targetOfRel(root, rel), byMember: isCalledAsMember(rel),
        pruning: pruningOf(root, rel, paramClauses), ...(shared?.isAware === true ? { parallelAware: true, firstPartialPlan: shared.firstPartial } : {}),
      };
      memberTranslators.set(plan, { partitions: rel.relation?.kind !== 'r', list: paths.map((p, n) => memberForm(rel, n, p)) });
      return plan;
    },
  };
  if (rel.kind === 'join') path.subpaths = paths;
  return path;
}

/** What may be left out when it is run: of each partitioned table the tables above the members, with steps for each (make_partition_pruneinfo). */
function pruningOf(root: PlannerInfo, rel: RelOptInfo, paramClauses: readonly RestrictInfo[] = []): Pruning[] {
  const children = rel.children ?? [];
  if (rel.kind === 'join' || !children.some((c) => c.path.length > 0) || !getBool('enable_partition_pruning')) return [];
  const clauses = [...rel.restrictions.filter((r) => !r.pseudoconstant), ...paramClauses].map((r) => replaceNestloopParams(root, r.clause));
  if (clauses.length === 0) return [];
  const result: Pruning[] = [];
  const memberOf = (c: AppendRelInfo): AppendRelInfo | undefined => c.members?.at(-1);
  for (const member of new Set(children.filter((c) => c.path.length > 0).map(memberOf))) {
    const own = children.filter((c) => memberOf(c) === member);
    const table = member?.child ?? rel;
    const ofTable = clauses.map((c) => (own[0]!.members ?? []).reduce((e, m) => toChild(m, e), c));
    const levels: PruneInfo[] = [];
    const atStart: PruneInfo[] = [];
    for (const oid of new Set(own.flatMap((c) => c.path.map((s) => s.relation)))) {
      const relation = openRelation(oid);
      const ofLevel = ofTable.map((c) => overRelation(c, table, relation));
      const info = runtimePruning(relation, ofLevel, 'running');
      if (info === null) continue;
      levels.push(info);
      const first = runtimePruning(relation, ofLevel, 'start');
      if (first !== null) atStart.push(first);
    }
    if (levels.length > 0) result.push({ levels, atStart, paths: children.map((c) => (memberOf(c) === member ? c.path : [])) });
  }
  return result;
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
  for (const order of orders) for (const path of pathsInOrder(root, rel, order)) addPath(rel, path);
}

/** Whose first row comes early, whose last row does, and, where only some are wanted, which gives these early. */
function choices(root: PlannerInfo, paths: readonly Path[], order: readonly PathKey[]): (Path | null)[] {
  const total = cheapestFractional(paths, order, 0);
  const startup = paths.reduce<Path | null>((best, p) => (p.requiredOuter === EMPTY && pathkeysContain(p.pathkeys, order) && (best === null || p.startup < best.startup) ? p : best), null);
  return [startup, total, ...(root.tupleFraction > 0 ? [cheapestFractional(paths, order, 1 / root.tupleFraction)] : [])];
}

/** generate_orderedappend_paths. */
function pathsInOrder(root: PlannerInfo, rel: RelOptInfo, order: PathKey[]): Path[] {
  const children = rel.children!, made: Path[] = [];
  const wanted = children.map((c) => choices(root, c.child.paths, order));
  const members = rel.relation?.kind === 'p' ? partitionsInOrder(root, rel, openRelation(rel.relation.oid), children, 0, order) : null;
  for (let n = 0; n < wanted[0]!.length; n++) {
    const sorted = new Map(children.map((c, i) => [c, wanted[i]![n]!]));
    // The same ones once more.
    if (wanted.some((w) => w[n] !== w[0]) || n === 0) {
      const path = members === null ? mergePath(root, rel, order, children.map((c) => sorted.get(c)!)) : memberPath(root, rel, members, sorted, order);
      if (path !== null) made.push(path);
    }
  }
  return made;
}

/** Partitions one after the other, or, as an array, merged; those of a partition are one member. */
type Member = AppendRelInfo | { readonly inOrder: boolean; readonly members: readonly Member[]; readonly step: readonly PartitionStep[] };

/** The members of a partitioned table where it gives the order; null: it does not. */
function partitionsInOrder(root: PlannerInfo, rel: RelOptInfo, relation: Relation, children: readonly AppendRelInfo[], depth: number, order: readonly PathKey[]): Member[] | null {
  const direction = [false, true].find((descending) => {
    const keys = partitionOrder(root, rel, relation, new Set(children.map((c) => c.path[depth]!.number)), descending);
    return keys !== null && (pathkeysContain(keys.order, order) || (keys.isWhole && pathkeysContain(order, keys.order)));
  });
  if (direction === undefined) return null;
  const groups = new Map<number, AppendRelInfo[]>();
  for (const c of children) {
    const { number } = c.path[depth]!, group = groups.get(number);
    if (group === undefined) groups.set(number, [c]);
    else group.push(c);
  }
  const members = [...groups.values()].map((group): Member => {
    const [first] = group as [AppendRelInfo];
    if (group.length === 1) return first;
    const inside = partitionsInOrder(root, rel, openRelation(first.path[depth + 1]!.relation), group, depth + 1, order);
    return { inOrder: inside !== null, members: inside ?? group, step: first.path.slice(0, depth + 1) };
  });
  return direction ? members.reverse() : members;
}

/** The path of such members, in the form that `sorted` gives them; what has none is sorted. */
function memberPath(root: PlannerInfo, rel: RelOptInfo, members: readonly Member[], sorted: ReadonlyMap<AppendRelInfo, Path | null>, order: PathKey[]): Path | null {
  const paths: Path[] = [];
  for (const m of members) {
    let path: Path | null;
    if (!('inOrder' in m)) path = sorted.get(m) ?? sortedPath(root, rel, m, order);
    else {
      const part = { ...rel, children: m.members as AppendRelInfo[] };
      path = m.inOrder ? memberPath(root, rel, m.members, sorted, order) : mergePath(root, part, order, part.children.map((c) => sorted.get(c)!), true);
    }
    if (path === null) return null;
    paths.push(path);
  }
  const infos = members.map((m) => ('inOrder' in m ? { ...rel.children![0]!, path: m.step } : m));
  const path = appendPath(root, { ...rel, children: infos }, paths, order);
  path.rel = rel;
  return path;
}

/** The cheapest path of a member, sorted. */
function sortedPath(root: PlannerInfo, rel: RelOptInfo, info: AppendRelInfo, order: PathKey[]): Path | null {
  const below = info.child.cheapestTotal!;
  const columns = sortColumns(rel, order);
  if (columns === null || below.requiredOuter !== EMPTY) return null;
  const sort = sortCost(info.child.tuples, info.child.width, rel.relids === root.allBaserels ? root.limitTuples : -1);
  return {
    ...below, kind: 'Sort', pathkeys: order, startup: below.total + sort.startup, total: below.total + sort.startup + sort.run,
    make: () => {
      const plan = columns.more.reduce((p, e) => withColumn(p, toChild(info, e)), below.make());
      return sortPlan(plan, columns.keys, sort);
    },
  };
}

const sortPlan = (plan: Plan, sortKeys: SortKey[], sort: { startup: number; run: number }): Plan => ({
  kind: 'Sort', startup_cost: plan.total_cost + sort.startup, total_cost: plan.total_cost + sort.startup + sort.run, plan_rows: plan.plan_rows, plan_width: plan.plan_width,
  targetlist: plan.targetlist.map((t, n) => makeTargetEntry(t.expr, n + 1, null, t.resjunk)), qual: [], lefttree: plan, righttree: null, initPlan: [], sortKeys, bound: null,
});

/** The order in which partitions come one after the other, by the whole key or by the first columns of it; null: there is none
 * (build_partition_pathkeys). */
function partitionOrder(root: PlannerInfo, rel: RelOptInfo, relation: Relation, live: ReadonlySet<number>, descending: boolean): { order: PathKey[]; isWhole: boolean } | null {
  const key = partitionKeyOf(relation);
  const { bounds } = partitionDescOf(relation);
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
  const order: PathKey[] = [];
  for (const c of key.columns) {
    const own = ofTable(rel, relation, c.expr);
    const expr = rel.appendInfo === null ? own : toParent(rel.appendInfo, own);
    const type = opclassInputType(c.typeOid);
    const ec = classForSorting(root, expr, mergeFamilies(c.opfamily, type, type), c.collation, 0, false);
    if (ec === null) {
      // A boolean that is the same in all rows (partkey_is_bool_constant_for_query).
      if (c.typeOid === BOOLOID && rel.restrictions.some((r) => !r.pseudoconstant && r.clause.kind !== 'BooleanTest' && booleanValue(r.clause, (e) => equal(e, own)) !== null)) continue;
      return { order, isWhole: false };
    }
    if (ec.hasConst) continue;
    if (!order.some((k) => k.ec === ec)) order.push({ ec, reverse: descending, nullsFirst: descending });
  }
  return { order, isWhole: true };
}

/** The columns of a relation with children to sort by, some of them in addition to what it puts out; null: it cannot. */
function sortColumns(rel: RelOptInfo, order: readonly PathKey[]): { keys: SortKey[]; more: Expr[] } | null {
  const keys: SortKey[] = [], more: Expr[] = [];
  for (const k of order) {
    let column = rel.target.findIndex((e) => k.ec.members.some((m) => equal(overPart(rel, m.expr), e)));
    if (column < 0) {
      const member = rel.kind === 'base' && !k.ec.volatile ? k.ec.members.find((m) => m.relids === rel.topRelids) : undefined;
      if (member === undefined) return null;
      column = rel.target.length + more.push(overPart(rel, member.expr)) - 1;
    }
    const e = rel.target[column] ?? more[column - rel.target.length]!;
    const type = opclassInputType(exprType(e));
    const sortop = getOpfamilyMember(k.ec.families[0]!, type, type, k.reverse ? 5 : 1);
    if (sortop === 0) return null;
    keys.push({ column: column + 1, sortop, collation: k.ec.collation, nullsFirst: k.nullsFirst, type: exprType(e), reverse: k.reverse });
  }
  return { keys, more };
}

/** create_merge_append_path. As there, sorts are told the number of rows in a table, not of those that are wanted. */
function mergePath(root: PlannerInfo, rel: RelOptInfo, order: PathKey[], sorted: readonly (Path | null)[], byMember = isCalledAsMember(rel)): Path | null {
  const columns = sortColumns(rel, order);
  if (columns === null) return null;
  const { keys: sortKeys, more } = columns;
  const paths = sorted.map((p, i) => p ?? rel.children![i]!.child.cheapestTotal!);
  if (paths.some((p) => p.requiredOuter !== EMPTY)) return null;
  const rows = paths.reduce((c, p) => c + p.rows, 0);
  const isAll = rel.relids === root.allBaserels;
  const sorts = paths.map((p, i) => (sorted[i] === null ? sortCost(p.rel.tuples, p.rel.width, isAll ? root.limitTuples : -1) : null));
  const inputs = Math.max(2, paths.length);
  const first = 2 * costs.cpuOperator * inputs * Math.log2(inputs);
  const total = paths.reduce((c, p, i) => c + p.total + (sorts[i] === null ? 0 : sorts[i]!.startup + sorts[i]!.run), 0)
    + rows * (2 * costs.cpuOperator * Math.log2(inputs) + 0.5 * costs.cpuTuple) + first;
  const startup = paths.reduce((c, p, i) => c + (sorts[i] === null ? p.startup : p.total + sorts[i]!.startup), 0) + first;
  const path: Path = {
    kind: 'MergeAppend', rel, rows: clampRows(rows), startup, total, pathkeys: order, requiredOuter: EMPTY, paramClauses: [], parallelSafe: rel.considerParallel && paths.every((p) => p.parallelSafe === true),
    make: () => {
      const targetlist = [...targetOfRel(root, rel), ...more.map((e, i) => makeTargetEntry(e, rel.target.length + i + 1, null, true))];
      return {
        kind: 'MergeAppend', ...planBase(path, targetlist), sortKeys, bound: null, pruning: pruningOf(root, rel), apprelids: membersOf(rel.relids), apptlist: targetlist, byMember,
        mergeplans: paths.map((p, i) => {
          const plan = more.reduce((x, e) => withColumn(x, toChild(rel.children![i]!, e)), p.make());
          const sort = sorts[i];
          return sort === null || sort === undefined ? plan : sortPlan(plan, sortKeys, sort);
        }),
      };
    },
  };
  return path;
}

// ---------------------------------------------------------------- with values of other relations

function addParameterizedPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  const outers: Relids[] = [];
  for (const c of children) for (const p of c.child.paths) if (p.requiredOuter !== EMPTY && !outers.includes(p.requiredOuter)) outers.push(p.requiredOuter);
  for (const outer of outers) {
    const paths = children.map((c) => {
      let best: Path | null = null;
      for (const p of c.child.paths) {
        if (!isSubset(p.requiredOuter, outer) || (best !== null && best.total <= p.total)) continue;
        const path: Path = p.requiredOuter === outer ? p : p.reparameterize?.(outer) ?? p;
        if (best === null || path.total < best.total) best = path;
      }
      return best;
    });
    if (paths.some((p) => p === null)) continue;
    // Conditions that every member takes care of.
    const common = (paths as Path[]).map((p) => new Set(p.paramClauses.map((r) => r.ofParent ?? r)))
      .reduce((a, b) => new Set([...a].filter((r) => b.has(r))));
    addPath(rel, appendPath(root, rel, paths as Path[], [], outer, [...common]));
  }
}
