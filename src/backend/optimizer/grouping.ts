// What comes on top of scans and joins (grouping_planner): grouping and aggregation, windows, set-returning functions,
// DISTINCT, ORDER BY, row locks, LIMIT, and the change of the target table.
import { internalError, PgError } from '../../common/errors.ts';
import { makeOpExpr, makeTargetEntry } from '../nodes/makefuncs.ts';
import { expressionTreeWalker, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Agg, GroupingPhase, ModifyMergeAction, Plan, PlanRowMark } from '../nodes/plannodes.ts';
import type { Expr, FromItem, SortGroupClause, TargetEntry, WindowFunc } from '../nodes/primnodes.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import { quicksort } from '../executor/qsort.ts';
import { memberTranslators } from './appendpath.ts';
import { collectLateral, functionRows, makeOneRel } from './allpaths.ts';
import { containsSrf, containsVolatile, equal, pullVarClause } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, enabled, evalCost, exprCost, exprsCost, incrementalSortCost, sortCost } from './costsize.ts';
import { cannotGroup, fitting, groupingSetsData, hashedRollup, type GroupingSetsData, type Rollup } from './groupingsets.ts';
import { overPart } from './inherit.ts';
import { limitCost, limitNeeded, literal } from './limit.ts';
import { addVarsToTargetList, buildBaseTargets, deconstructJointree, RESULT } from './initsplan.ts';
import { addGathers, addUsefulGathers, allRows, gatherMergePath } from './gatherpath.ts';
import { isParallelSafe } from './parallel.ts';
import { sharedMembers, type SharedMembers } from './partialappend.ts';
import { addPartialPath, addPath, cheapestFractional, commonPathkeys, givePath, pathkeysContain, setCheapest } from './pathnode.ts';
import { pathkeysForSort } from './pathkeys.ts';
import type { PartitionedRel, Path, PathKey, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { over, withAllColumns } from './planbuild.ts';
import { partialTarget } from './partialagg.ts';
import { groupsByKey } from './partjoin.ts';
import { appendOf, planSetOperations } from './prepunion.ts';
import { bit, members } from './relids.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import { getBool } from '../utils/guc.ts';
import { buildBaseRel, emptyRel, isDummy, NO_PATHS } from './relnode.ts';
import { clauselistSelectivity, estimateGroups } from './selfuncs.ts';
import { planMinMax } from './planagg.ts';
import { aggCosts, NO_AGGS, fullSort, groupKey, hashEntryBytes, hashSpillCost, incrementalSort, inOrder, mapPaths, planned, sortKey, upperPath, upperRel, wantOrder, widthOf, type AggCosts, type UpperCost, type WantedOrder } from './upperpath.ts';

/** `parallelSafe`: it can be run in a worker; `partial`: paths for processes that share the rows. */
export interface UpperPlan { plan: Plan; pathkeys: PathKey[]; parallelSafe: boolean; partial: readonly Path[] }

/** grouping_planner, and the choice among the paths it leaves. */
export function planUpper(root: PlannerInfo): UpperPlan {
  const q = root.parse;
  const asked = root.tupleFraction;
  limitFraction(root);
  const { rel, finish } = q.setOperations === null ? selectPaths(root) : setOperationPaths(root);
  const final = emptyRel('upper', 0n);
  final.considerStartup = rel.considerStartup;
  final.considerParallel = rel.considerParallel && isParallelSafe(root, [q.limitOffset, q.limitCount].filter((e) => e !== null));
  for (const p of rel.paths) addPath(final, finalPath(root, p, finish));
  setCheapest(final);
  const best = cheapestFractional(final.paths, [], asked)!;
  const plan = best.make();
  const partial = final.considerParallel && root.parent !== null && !limitNeeded(q) ? rel.partialPaths.map((p) => finalPath(root, p, finish)) : NO_PATHS;
  return { plan: q.commandType === 'select' ? plan : addModifyTable(root, plan), pathkeys: best.pathkeys, parallelSafe: final.considerParallel && best.parallelSafe === true, partial };
}

/** Row locks and the limit on top. */
function finalPath(root: PlannerInfo, p: Path, finish: (plan: Plan) => Plan): Path {
  const isLocking = root.rowMarks.some((m) => !m.reference);
  const locks = isLocking ? p.rows * costs.cpuTuple : 0;
  const limited = limitNeeded(root.parse);
  if (!isLocking && !limited) return { ...p, make: () => finish(p.make()) };
  const below = { startup: p.startup, total: p.total + locks, rows: p.rows };
  return {
    ...p, ...(limited ? limitCost(root.parse, below) : below),
    make: () => {
      let plan = finish(p.make());
      if (isLocking) plan = { kind: 'LockRows', ...over(plan, plan.targetlist), total_cost: plan.total_cost + locks, rowMarks: finalRowMarks(root) };
      return limited ? addLimit(root, plan) : plan;
    },
  };
}

/** UNION and the like, and ORDER BY over them. */
function setOperationPaths(root: PlannerInfo): UpperPaths {
  const { sortClause } = root.parse;
  const { plan, ordered } = planSetOperations(root);
  const done = planned(root, plan, []);
  if (ordered >= sortClause.length) return { rel: done, finish: asIs };
  const [p] = done.paths as [Path];
  const rel = upperRel(root, plan.targetlist);
  addPath(rel, fullSort(p, { pathkeys: [], clauses: [...sortClause] }, root.limitTuples));
  if (ordered > 0 && enabled.incremental_sort) {
    // Of columns of no table nothing is known.
    const cost = incrementalSortCost({ startup: p.startup, total: p.total, rows: p.rows, width: rel.width }, Math.min(p.rows, 200), root.limitTuples);
    addPath(rel, upperPath(rel, 'IncrementalSort', { ...cost, rows: p.rows }, [], () => ({ kind: 'IncrementalSort', ...over(plan, plan.targetlist), sortKeys: sortClause.map((c) => sortKey(c, plan.targetlist)), presortedCount: ordered }), p));
  }
  setCheapest(rel);
  return { rel, finish: asIs };
}

interface UpperPaths { rel: RelOptInfo; finish: (plan: Plan) => Plan }
const asIs = (plan: Plan): Plan => plan;

// ------------------------------------------------------------------ LIMIT

/** How much of the result is wanted (preprocess_limit): as tuple_fraction. */
function limitFraction(root: PlannerInfo): void {
  const { limitCount, limitOffset } = root.parse;
  if (limitCount === null) return;
  const count = literal(limitCount);
  const offset = limitOffset === null ? 0 : literal(limitOffset);
  if (limitCount.kind === 'Const' && limitCount.constvalue === null) return;
  const fraction = count === null ? 0.1 : Math.max(1, count + (offset ?? 0));
  root.tupleFraction = root.tupleFraction > 0 ? (fraction >= 1 && root.tupleFraction >= 1 ? Math.min(fraction, root.tupleFraction) : fraction) : fraction;
  if (count !== null && offset !== null) root.limitTuples = count + offset;
}

const INT8PL_OPERATOR = 684;
const INT8PL_FUNCTION = 463;

function addLimit(root: PlannerInfo, child: Plan): Plan {
  const { limitCount, limitOffset, limitWithTies, sortClause } = root.parse;
  let below = child;
  if (limitCount !== null && !limitWithTies) {
    const bound = limitOffset === null ? limitCount : makeOpExpr(INT8PL_OPERATOR, INT8PL_FUNCTION, 20, [limitCount, limitOffset], 0, 0);
    below = boundSort(below, bound);
  }
  const { startup, total, rows } = limitCost(root.parse, { startup: child.startup_cost, total: child.total_cost, rows: child.plan_rows });
  return {
    kind: 'Limit', ...over(below, below.targetlist), startup_cost: startup, total_cost: total, plan_rows: rows, limitOffset, limitCount, withTies: limitWithTies,
    uniqueKeys: limitWithTies ? sortClause.map((c) => groupKey(c, below.targetlist)) : [],
  };
}

/** A sort right below a LIMIT need only keep the first rows. */
function boundSort(plan: Plan, bound: Expr): Plan {
  if (plan.kind === 'Sort') return { ...plan, bound };
  if (plan.kind === 'Gather' || plan.kind === 'GatherMerge') return { ...plan, lefttree: boundSort(plan.lefttree!, bound) };
  if (plan.kind === 'MergeAppend') return { ...plan, bound, mergeplans: plan.mergeplans.map((p) => boundSort(p, bound)) };
  if (plan.kind === 'Result' && plan.lefttree !== null && plan.qual.length === 0 && plan.resconstantqual.length === 0) return { ...plan, lefttree: boundSort(plan.lefttree, bound) };
  return plan;
}

// ------------------------------------------------------------------ scans and joins

function fromRelids(root: PlannerInfo, item: FromItem): bigint {
  switch (item.kind) {
    case 'RangeTblRef':
      buildBaseRel(root, item.rtindex);
      return bit(item.rtindex);
    case 'JoinExpr': return fromRelids(root, item.larg) | fromRelids(root, item.rarg);
    case 'FromExpr': return item.fromlist.reduce((set, f) => set | fromRelids(root, f), 0n);
  }
}

interface Targets { final: TargetEntry[]; groupInput: TargetEntry[]; grouped: TargetEntry[]; windowInput: TargetEntry[]; sets: GroupingSetsData | null }

function selectPaths(root: PlannerInfo): UpperPaths {
  const q = root.parse;
  const final = root.resultTargetList;
  const grouping = q.groupClause.length > 0 || q.groupingSets.length > 0 || q.hasAggs || root.hasHaving;
  const having = makeAndsImplicit(q.havingQual);
  const windows = q.hasWindowFuncs ? activeWindows(root, final) : [];
  root.allBaserels = fromRelids(root, q.jointree);
  const needed = [...final.map((t) => t.expr), ...having, ...windows.flatMap((w) => [w.clause.startOffset, w.clause.endOffset].filter((e) => e !== null))];
  let rel: RelOptInfo | null = null;
  const t = makeTargets(root, final, grouping, having, windows.length > 0);
  // No groups and no aggregates, but HAVING or GROUP BY (): a row or none, and nothing of the tables is asked (create_degenerate_grouping_paths).
  const degenerate = (root.hasHaving || q.groupingSets.length > 0) && !q.hasAggs && q.groupClause.length === 0;
  if (root.allBaserels !== 0n && !degenerate) {
    buildBaseTargets(root, needed);
    addVarsToTargetList(root, final.flatMap((x) => pullVarClause(x.expr, true, true)), RESULT);
    collectLateral(root);
    deconstructJointree(root);
    root.queryPathkeys = wantedOrder(root, t, grouping, windows);
    rel = makeOneRel(root);
  }
  // What need not be sorted by and is volatile, costly or a set is evaluated after the sort.
  const late = postponed(root, final, grouping || windows.length > 0);
  const sorted = late ?? final;
  let level: RelOptInfo;
  let finish = asIs;
  // Sets that are grouped by are there before the groups are.
  const done = grouping ? t.groupInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr) : [];
  if (grouping) {
    level = degenerate ? degenerateGroups(root, t, having) : groupingPaths(root, rel, t, having);
    if (rel !== null && q.groupClause.length === 0 && q.groupingSets.length <= 1) {
      const minmax = planMinMax(root, t.grouped, having, level.cheapestTotal!);
      if (minmax !== null) {
        level = planned(root, minmax.plan, []);
        finish = minmax.finish;
      }
    }
    if (windows.length > 0) level = withSets(root, level, t.windowInput, done);
  } else {
    const target = windows.length > 0 ? t.windowInput : sorted;
    level = scanLevel(root, rel, target);
  }
  const below = windows.length > 0 ? [...done, ...t.windowInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr)] : done;
  for (let i = 0; i < windows.length; i++) level = windowPaths(root, level, windows, i, t, final, below);
  if (grouping || windows.length > 0) level = withSets(root, level, final, below);
  if (q.distinctClause.length > 0) level = distinctPaths(root, level, sorted);
  if (q.sortClause.length > 0) {
    const ordered = emptyRel('upper', 0n);
    ordered.considerStartup = level.considerStartup;
    ordered.considerParallel = level.considerParallel;
    const wanted = wantOrder(root, q.sortClause, sorted);
    for (const p of inOrder(root, level, wanted, root.limitTuples)) addPath(ordered, p);
    if (level.considerParallel) addSortedGathers(root, ordered, level.partialPaths, wanted, root.limitTuples);
    setCheapest(ordered);
    level = ordered;
  }
  if (late === null) return { rel: level, finish };
  if (final.some((x) => containsSrf(x.expr))) return { rel: withSets(root, level, final), finish };
  return { rel: level, finish: (plan) => (plan.kind === 'Append' ? { kind: 'Result', ...over(plan, final), resconstantqual: [] } : applyTarget(root, plan, final)) };
}

/** ProjectSets on top when the target list has sets that are not among the `done`, computed below. */
function withSets(root: PlannerInfo, below: RelOptInfo, target: TargetEntry[], done: readonly Expr[] = []): RelOptInfo {
  if (!target.some((t) => hasSets(t.expr, done))) return below;
  const rel = upperRel(root, target);
  rel.considerParallel = below.considerParallel && isParallelSafe(root, target.map((t) => t.expr));
  if (rel.considerParallel) rel.target = target.map((t) => t.expr);
  rel.rows = below.rows;
  const factor = Math.max(1, ...target.map((t) => setRows(t.expr)));
  return mapPaths(below, rel, (p) => {
    const rows = clampRows(p.rows * factor);
    const total = p.total + p.rows * costs.cpuTuple + (rows - p.rows) * costs.cpuTuple / 2;
    return upperPath(rel, 'ProjectSet', { startup: p.startup, total, rows }, p.pathkeys, () => addProjectSets(p.make(), target, done), p);
  });
}

const isDone = (e: Expr, done: readonly Expr[]): boolean => done.some((d) => equal(d, e));

function hasSets(e: Expr, done: readonly Expr[]): boolean {
  if (done.length === 0) return containsSrf(e);
  if (isDone(e, done)) return false;
  return isSet(e) || expressionTreeWalker(e, (child) => child.kind !== 'Query' && hasSets(child, done));
}

/** What an expression is made of: columns, aggregates, window functions, and what is done. */
function leaves(e: Expr, done: readonly Expr[]): Expr[] {
  if (done.length === 0) return pullVarClause(e, false, false);
  if (isDone(e, done)) return [e];
  if (e.kind === 'Var' || e.kind === 'PlaceHolderVar' || e.kind === 'Aggref' || e.kind === 'GroupingFunc' || e.kind === 'WindowFunc') return [e];
  const list: Expr[] = [];
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Query') list.push(...leaves(child, done));
    return false;
  });
  return list;
}

/** make_sort_input_target: the columns to sort, null when they are just the final ones. */
function postponed(root: PlannerInfo, final: TargetEntry[], above: boolean): TargetEntry[] | null {
  const q = root.parse;
  if (q.sortClause.length === 0 || above) return null;
  const limited = q.limitCount !== null;
  const wait = (t: TargetEntry): boolean => t.ressortgroupref === 0 && t.expr.kind !== 'Var' && (containsVolatile(t.expr) || containsSrf(t.expr) || (limited && exprCost(t.expr) > 10 * costs.cpuOperator));
  if (!final.some(wait) || final.some((t) => t.ressortgroupref !== 0 && containsSrf(t.expr))) return null;
  const list: TargetEntry[] = [];
  const add = (e: Expr, ref: number): void => {
    if (!list.some((x) => equal(x.expr, e) && (ref === 0 || x.ressortgroupref === ref))) list.push({ ...makeTargetEntry(e, list.length + 1, null, false), ressortgroupref: ref });
  };
  for (const t of final) if (!wait(t)) add(t.expr, t.ressortgroupref);
  for (const t of final) if (wait(t)) for (const v of pullVarClause(t.expr, false, false)) add(v, 0);
  return list;
}

/** What the input of ProjectSet must give: everything but the sets. The target list itself when it has none. */
function setInputTarget(final: TargetEntry[], done: readonly Expr[] = []): TargetEntry[] {
  if (!final.some((t) => hasSets(t.expr, done))) return final;
  const list: TargetEntry[] = [];
  const add = (e: Expr, ref: number): void => {
    if (!list.some((x) => equal(x.expr, e) && (ref === 0 || x.ressortgroupref === ref))) list.push({ ...makeTargetEntry(e, list.length + 1, null, false), ressortgroupref: ref });
  };
  for (const t of final) {
    // Constants need no row.
    if (t.expr.kind === 'Const') continue;
    if (!hasSets(t.expr, done)) add(t.expr, t.ressortgroupref);
    else for (const v of leaves(t.expr, done)) add(v, 0);
  }
  return list;
}

/** The order worth having from below: that of GROUP BY, else of the first window, DISTINCT, ORDER BY. */
function wantedOrder(root: PlannerInfo, t: Targets, grouping: boolean, windows: ActiveWindow[]): PathKey[] {
  const q = root.parse;
  const sortable = (list: readonly SortGroupClause[]): boolean => list.every((c) => c.sortop !== 0);
  if (t.sets !== null) return pathkeysForSort(root, t.sets.rollups[0]?.clause ?? [], t.groupInput);
  if (grouping && q.groupClause.length > 0 && sortable(q.groupClause)) return pathkeysForSort(root, q.groupClause, t.groupInput);
  if (grouping) return [];
  if (windows.length > 0) return pathkeysForSort(root, windows[0]!.order, t.windowInput);
  if (q.distinctClause.length > 0 && q.sortClause.length < q.distinctClause.length && sortable(q.distinctClause)) return pathkeysForSort(root, distinctOrder(q.distinctClause, q.sortClause), t.final);
  if (q.sortClause.length > 0 && !(q.hasTargetSRFs && t.final.some((x) => x.ressortgroupref !== 0 && containsSrf(x.expr)))) return pathkeysForSort(root, q.sortClause, t.final);
  return [];
}

/** DISTINCT's columns in the order of ORDER BY as far as that goes, so that one sort serves both. */
function distinctOrder(distinct: readonly SortGroupClause[], sort: readonly SortGroupClause[]): SortGroupClause[] {
  const list: SortGroupClause[] = [];
  for (const s of sort) {
    const d = distinct.find((c) => c.tleSortGroupRef === s.tleSortGroupRef);
    if (d === undefined) break;
    list.push({ ...d, sortop: s.sortop, nulls_first: s.nulls_first });
  }
  for (const g of distinct) if (!list.some((c) => c.tleSortGroupRef === g.tleSortGroupRef)) list.push(g);
  return list;
}

/** One row of no table, or none. */
const onlyOneRow = (root: PlannerInfo, target: TargetEntry[], quals: Expr[]): Plan => ({
  kind: 'Result', startup_cost: 0, total_cost: costs.cpuTuple + exprsCost(target.map((t) => t.expr)), plan_rows: 1, plan_width: widthOf(root, target), targetlist: target, qual: [], lefttree: null,
  righttree: null, initPlan: [], resconstantqual: quals,
});

/** create_degenerate_grouping_paths: of each grouping set its row. */
function degenerateGroups(root: PlannerInfo, t: Targets, having: Expr[]): RelOptInfo {
  const row = onlyOneRow(root, t.grouped, having);
  const sets = t.sets?.rollups[0]!.sets.length ?? 1;
  return planned(root, sets === 1 ? row : appendOf(Array.from({ length: sets }, () => ({ ...row })), t.grouped), []);
}

/** The paths of the join with this target list on them (apply_scanjoin_target_to_paths). */
function scanPaths(root: PlannerInfo, rel: RelOptInfo | null, target: TargetEntry[]): RelOptInfo {
  if (rel === null) {
    const quals = makeAndsImplicit(root.parse.jointree.quals);
    return planned(root, onlyOneRow(root, target, quals), [], root.glob.parallelMode && isParallelSafe(root, [...quals, ...target.map((t) => t.expr)]));
  }
  const scan = upperRel(root, target);
  const exprs = target.map((t) => t.expr);
  const cost = exprsCost(exprs);
  scan.rows = rel.rows;
  scan.considerParallel = rel.considerParallel && isParallelSafe(root, exprs);
  // What workers cannot compute is computed of what they have found.
  if (!scan.considerParallel && rel.translators.length === 0) addUsefulGathers(root, rel, rel.rows);
  const projected = (p: Path): Path => upperPath(scan, p.kind, { startup: p.startup, total: p.total + cost * p.rows, rows: p.rows }, p.pathkeys, () => {
    root.curOuterParams = [];
    const plan = p.make();
    if (root.curOuterParams.length > 0) throw internalError('a scan wants a value that no join around it gives');
    return applyTarget(root, plan, target);
  }, p);
  for (const p of rel.paths) if (p.requiredOuter === 0n) addPath(scan, projected(p));
  if (scan.considerParallel && rel.partialPaths.length > 0) {
    scan.target = exprs;
    for (const p of rel.partialPaths) addPartialPath(scan, projected(p));
  }
  setCheapest(scan);
  return scan;
}

/** Scans and joins with the whole target list; the rows of workers are gathered, unless it is a part of the query's tables only. */
function scanLevel(root: PlannerInfo, rel: RelOptInfo | null, target: TargetEntry[]): RelOptInfo {
  const level = withSets(root, scanPaths(root, rel, setInputTarget(target)), target);
  if (rel === null || rel.translators.length > 0 || level.partialPaths.length === 0) return level;
  addUsefulGathers(root, level, level.rows);
  setCheapest(level);
  return level;
}

const PROJECTS = new Set<Plan['kind']>(['SeqScan', 'SampleScan', 'GinScan', 'IndexScan', 'IndexOnlyScan', 'BitmapHeapScan', 'TidScan', 'FunctionScan', 'ValuesScan', 'NamedTuplestoreScan', 'CteScan', 'WorkTableScan', 'SubqueryScan', 'NestLoop', 'HashJoin', 'MergeJoin', 'Result', 'Gather']);

/** What a member is sorted by is computed below the sort, with the rest. */
function applyToMember(root: PlannerInfo, plan: Plan, target: TargetEntry[]): Plan {
  if (plan.kind !== 'Sort') return applyTarget(root, plan, target);
  const places = plan.sortKeys.map((k) => target.findIndex((t) => equal(t.expr, plan.targetlist[k.column - 1]!.expr)));
  if (places.includes(-1)) return applyTarget(root, plan, target);
  const lefttree = applyTarget(root, plan.lefttree!, target);
  return { ...plan, targetlist: target, lefttree, sortKeys: plan.sortKeys.map((k, i) => ({ ...k, column: places[i]! + 1 })) };
}

/** Makes a plan put out these columns: by itself if it can, else through a Result. */
function applyTarget(root: PlannerInfo, plan: Plan, target: TargetEntry[]): Plan {
  const translators = memberTranslators.get(plan);
  // Partitions compute for themselves; child tables only give their columns (apply_scanjoin_target_to_paths).
  if (translators !== undefined && plan.kind === 'Append' && (translators.partitions || target.every((t) => t.expr.kind === 'Var'))) {
    const members = plan.appendplans.map((p, i) => applyToMember(root, p, target.map((t) => ({ ...t, expr: translators.list[i]!(t.expr) }))));
    return { ...plan, targetlist: target, apptlist: target, appendplans: members, total_cost: plan.total_cost + members.reduce((c, m, i) => c + m.total_cost - plan.appendplans[i]!.total_cost, 0), plan_width: widthOf(root, target) };
  }
  const cost = exprsCost(target.map((t) => t.expr)) * plan.plan_rows;
  if (PROJECTS.has(plan.kind) && !(plan.kind === 'Result' && plan.lefttree !== null && plan.targetlist.some((t) => t.expr.kind !== 'Var'))) {
    return { ...plan, targetlist: target, total_cost: plan.total_cost + cost, plan_width: widthOf(root, target) };
  }
  if (plan.targetlist.length === target.length && plan.targetlist.every((t, i) => equal(t.expr, target[i]!.expr))) return { ...plan, targetlist: target };
  return { kind: 'Result', ...over(plan, target), total_cost: plan.total_cost + cost, resconstantqual: [] };
}

// ------------------------------------------------------------------ grouping

function makeTargets(root: PlannerInfo, final: TargetEntry[], grouping: boolean, having: Expr[], windows: boolean): Targets {
  const q = root.parse;
  let windowInput = final;
  if (windows) windowInput = flattened(root, final, q.windowClause.flatMap((w) => [...w.partitionClause, ...w.orderClause]), grouping, q.windowClause.flatMap((w) => [w.startOffset, w.endOffset].filter((e) => e !== null)));
  let grouped = windows ? windowInput : final;

  let groupInput = final;
  let sets: GroupingSetsData | null = null;
  if (grouping) {
    // Group columns first, then the Vars that aggregates and the rest use.
    groupInput = [];
    const add = (e: Expr, ref: number): void => {
      const known = groupInput.find((t) => equal(t.expr, e));
      if (known === undefined) groupInput.push({ ...makeTargetEntry(e, groupInput.length + 1, null, false), ressortgroupref: ref });
      else if (ref !== 0 && known.ressortgroupref === 0) known.ressortgroupref = ref;
      else if (ref !== 0 && known.ressortgroupref !== ref) groupInput.push({ ...makeTargetEntry(e, groupInput.length + 1, null, false), ressortgroupref: ref });
    };
    for (const { expr, ressortgroupref } of final) if (ressortgroupref > 0 && q.groupClause.some((c) => c.tleSortGroupRef === ressortgroupref)) add(expr, ressortgroupref);
    const rest = (e: Expr): void => {
      for (const v of varsOutsideGroups(e, groupInput)) add(v, 0);
    };
    for (const t of final) rest(t.expr);
    for (const h of having) rest(h);
    grouped = setInputTarget(grouped, groupInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr));
    if (q.groupingSets.length > 0) sets = groupingSetsData(q);
  }
  return { final, groupInput, grouped, windowInput, sets };
}

/** Vars of an expression that are not inside a group column. */
function varsOutsideGroups(e: Expr, groups: readonly TargetEntry[]): Expr[] {
  if (groups.some((g) => g.ressortgroupref !== 0 && equal(g.expr, e))) return [];
  if (e.kind === 'PlaceHolderVar') return [e];
  if (e.kind === 'Var') return e.varlevelsup === 0 ? [e] : [];
  const list: Expr[] = [];
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Query') list.push(...varsOutsideGroups(child, groups));
    return false;
  });
  return list;
}

/** make_window_input_target: sort columns of the windows whole, of the rest what it is made of. */
function flattened(root: PlannerInfo, final: TargetEntry[], clauses: readonly SortGroupClause[], grouping: boolean, more: readonly Expr[]): TargetEntry[] {
  const refs = new Set([...clauses, ...(grouping ? root.parse.groupClause : [])].map((c) => c.tleSortGroupRef));
  const list: TargetEntry[] = [];
  const add = (e: Expr, ref: number): void => {
    const known = list.find((t) => equal(t.expr, e) && (ref === 0 || t.ressortgroupref === 0 || t.ressortgroupref === ref));
    if (known === undefined) list.push({ ...makeTargetEntry(e, list.length + 1, null, false), ressortgroupref: ref });
    else if (ref !== 0) known.ressortgroupref = ref;
  };
  for (const t of final) if (refs.has(t.ressortgroupref) && t.ressortgroupref !== 0) add(t.expr, t.ressortgroupref);
  for (const e of [...final.filter((t) => !refs.has(t.ressortgroupref) || t.ressortgroupref === 0).map((t) => t.expr), ...more]) for (const v of pullVarClause(e, false, true)) if (v.kind !== 'Aggref' || !list.some((t) => equal(t.expr, v))) add(v, 0);
  return list;
}

function hasOrderedAggs(list: readonly Expr[]): boolean {
  let found = false;
  for (const e of list) walkExpr(e, (node) => { if (node.kind === 'Aggref') found ||= node.aggdistinct.length > 0 || node.aggorder.length > 0 || node.aggkind !== 'n'; });
  return found;
}

/** The target lists and HAVING are over the tables of the query, also for a part of them (create_ordinary_grouping_paths). */
function groupingPaths(root: PlannerInfo, rel: RelOptInfo | null, t: Targets, having: Expr[]): RelOptInfo {
  const grouped = upperRel(root, t.grouped);
  const sortable = t.sets === null && root.parse.groupClause.every((c) => c.sortop !== 0);
  const order = sortable ? wantOrder(root, root.parse.groupClause, t.groupInput) : null;
  if (rel === null) addGroupPaths(root, null, grouped, t, having, order);
  else {
    addGroupPaths(root, rel, grouped, ofPart(rel, t), having.map((e) => overPart(rel, e)), order);
    addGroupsByPartition(root, rel, grouped, t, having, order);
  }
  if (grouped.partialPaths.length > 0) gatherGroups(root, grouped, order);
  setCheapest(grouped);
  return grouped;
}

type Strategy = Agg['aggstrategy'];
interface AggStep { root: PlannerInfo; into: RelOptInfo; target: TargetEntry[]; having: Expr[]; split: 'partial' | 'final' | undefined; aggs: AggCosts }

/** create_agg_path and create_group_path. */
function addAgg(step: AggStep, child: Path, strategy: Strategy, groups: number, pathkeys: PathKey[]): void {
  const { root, into } = step;
  const cost = aggCost(step, strategy, root.parse.groupClause.length, groups, child, child.rel.width);
  // Groups as they come, of which nothing is computed.
  if (strategy === 'sorted' && !root.parse.hasAggs) cost.total -= groups * costs.cpuTuple;
  givePath(into, upperPath(into, 'Agg', cost, pathkeys, () => aggPlan(step, child, strategy, groups, null), child));
}

/** cost_agg; what is grouped by comes from `input`. */
function aggCost({ having, aggs, root }: AggStep, strategy: Strategy, columns: number, groups: number, input: UpperCost, width: number): UpperCost {
  const cpu = input.rows * (aggs.perTuple + costs.cpuOperator * columns);
  const hashing = strategy === 'hashed' || strategy === 'mixed';
  const spill = hashing ? hashSpillCost(input.rows, width, groups, aggs) : { startup: 0, total: 0 };
  const disabled = hashing && !enabled.hashagg ? DISABLE_COST : 0;
  const quals = evalCost(having);
  const startup = (strategy === 'sorted' || strategy === 'mixed' ? input.startup : input.total + cpu) + spill.startup + disabled + quals.startup;
  const total = input.total + cpu + groups * (costs.cpuTuple + aggs.final) + spill.total + disabled + quals.startup + groups * quals.perTuple;
  return { startup, total, rows: having.length === 0 ? groups : clampRows(groups * clauselistSelectivity(root, having.map((e) => makeRestrictInfo(e, true)))) };
}

function aggPlan({ root, target, having, split }: AggStep, child: Path, strategy: Strategy, groups: number, rollups: readonly Rollup[] | null): Plan {
  const { groupClause } = root.parse;
  const input = split === 'final' ? child.make() : withAllColumns(child.make());
  return {
    kind: 'Agg', ...over(input, target), qual: having, groupKeys: groupClause.map((c) => groupKey(c, input.targetlist)), groupRefs: groupClause.map((c) => c.tleSortGroupRef), aggrefs: [],
    ...(split === undefined ? {} : { aggsplit: split }), ...(root.parse.hasAggs ? {} : { withoutAggs: true }), aggstrategy: strategy, numGroups: groups, groupingSets: rollups === null ? null : phasesOf(groupClause, rollups, input),
  };
}

function phasesOf(groupClause: readonly SortGroupClause[], rollups: readonly Rollup[], input: Plan): GroupingPhase[] {
  const first = rollups.find((r) => !r.hashed);
  return rollups.map((r) => ({
    hashed: r.hashed, sets: r.sets.map((set) => set.refs.map((ref) => groupClause.findIndex((c) => c.tleSortGroupRef === ref))),
    sortKeys: r.hashed || r === first ? [] : r.clause.map((c) => sortKey(c, input.targetlist)),
  }));
}

/** add_paths_to_grouping_rel; `partial`: the first of two steps. */
function addGroupPaths(root: PlannerInfo, rel: RelOptInfo | null, into: RelOptInfo, t: Targets, having: Expr[], order: WantedOrder | null, split?: 'partial'): void {
  const exprs = [...t.grouped.map((x) => x.expr), ...having];
  const step: AggStep = { root, into, target: t.grouped, having, split, aggs: aggCosts(exprs, split) };
  const input = scanLevel(root, rel, t.groupInput);
  into.considerParallel = input.considerParallel && isParallelSafe(root, exprs);
  addOneStep(step, rel, input, t, order, exprs);
  if (into.considerParallel && input.partialPaths.length > 0) {
    if (split === 'partial') addPartialGroups(step, input, order);
    else addGatheredGroups(step, input, t, exprs, order, rel!.rows);
  }
}

/** All groups are made at once. */
function addOneStep(step: AggStep, rel: RelOptInfo | null, input: RelOptInfo, t: Targets, order: WantedOrder | null, exprs: readonly Expr[]): void {
  const { root } = step;
  const q = root.parse;
  if (q.groupClause.length === 0 && t.sets === null) {
    addAgg(step, input.cheapestTotal!, 'plain', 1, []);
    return;
  }
  const groupsBy = (refs: readonly number[]): number => (refs.length === 0 ? 1 : estimateGroups(root, refs.map((ref) => t.groupInput.find((x) => x.ressortgroupref === ref)!.expr), rel === null ? 1 : rel.rows));
  // What an aggregate sorts or makes distinct is kept for one group at a time.
  const collects = hasOrderedAggs(exprs);
  if (t.sets !== null) {
    for (const rollup of t.sets.rollups) {
      for (const set of rollup.sets) set.groups = groupsBy(set.refs);
      rollup.groups = rollup.sets.reduce((n, set) => n + set.groups, 0);
    }
    for (const set of t.sets.unsortable) set.groups = groupsBy(set.refs);
    addGroupingSets(step, input, t.sets, wantOrder(root, t.sets.rollups[0]?.clause ?? [], t.groupInput), collects);
    return;
  }
  const groups = groupsBy(q.groupClause.map((c) => c.tleSortGroupRef));
  addSortedOrHashed(step, input, order, groups, collects);
}

/** Each process makes groups of the rows it has (the partial paths of create_partial_grouping_paths). */
function addPartialGroups(step: AggStep, input: RelOptInfo, order: WantedOrder | null): void {
  const { root, target } = step;
  const { groupClause } = root.parse;
  const [cheapest] = input.partialPaths as [Path];
  if (groupClause.length === 0) {
    for (const p of input.partialPaths) addAgg(step, p, 'plain', 1, []);
    return;
  }
  const groups = estimateGroups(root, groupClause.map((c) => target.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr), cheapest.rows);
  if (order !== null) for (const p of inOrder(root, { paths: input.partialPaths, cheapestTotal: cheapest }, order, -1)) addAgg(step, p, 'sorted', groups, p.pathkeys);
  if (groupClause.every((c) => c.hashable) && (order === null || enabled.hashagg)) addAgg(step, cheapest, 'hashed', groups, []);
}

/** Groups of each process, gathered and put together by a Finalize node. */
function addGatheredGroups(step: AggStep, input: RelOptInfo, t: Targets, exprs: readonly Expr[], order: WantedOrder | null, rows: number): void {
  const { root } = step;
  const { groupClause, hasAggs } = root.parse;
  if (t.sets !== null || (!hasAggs && groupClause.length === 0)) return;
  const target = partialTarget(t.groupInput.filter((x) => x.ressortgroupref !== 0), exprs);
  if (target === null) return;
  const partial = upperRel(root, target);
  partial.considerParallel = true;
  partial.target = target.map((x) => x.expr);
  addPartialGroups({ ...step, into: partial, target, having: [], split: 'partial', aggs: aggCosts(exprs, 'partial') }, input, order);
  if (partial.partialPaths.length === 0) return;
  gatherGroups(root, partial, order);
  setCheapest(partial);
  const groups = groupClause.map((c) => target.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr);
  addFinalGroups({ ...step, split: 'final', aggs: aggCosts(exprs, 'final') }, partial, order, groups, rows);
}

function addFinalGroups(step: AggStep, partial: RelOptInfo, order: WantedOrder | null, groups: readonly Expr[], rows: number): void {
  if (groups.length === 0) for (const p of partial.paths) addAgg(step, p, 'plain', 1, []);
  else addSortedOrHashed(step, partial, order, estimateGroups(step.root, groups, rows), false);
}

/** gather_grouping_paths. */
function gatherGroups(root: PlannerInfo, rel: RelOptInfo, order: WantedOrder | null): void {
  addUsefulGathers(root, rel);
  if (order !== null) addSortedGathers(root, rel, rel.partialPaths, order, -1);
}

/** Partial paths that are not in the order yet, each process sorting its rows: the cheapest, and what is sorted in part. */
function addSortedGathers(root: PlannerInfo, rel: RelOptInfo, paths: readonly Path[], wanted: WantedOrder, limit: number): void {
  if (wanted.pathkeys.length === 0) return;
  paths.forEach((p, i) => {
    if (pathkeysContain(p.pathkeys, wanted.pathkeys)) return;
    if (i === 0) addPath(rel, gatherMergePath(root, rel, fullSort(p, wanted, limit), wanted.pathkeys, allRows(p)));
    const rest = incrementalSort(root, p, wanted, limit);
    if (rest !== null) addPath(rel, gatherMergePath(root, rel, rest, wanted.pathkeys, allRows(p)));
  });
}

/** Sorted, sorted in part, and hashed. */
function addGroupingSets(step: AggStep, input: RelOptInfo, data: GroupingSetsData, order: WantedOrder, collects: boolean): void {
  const { into, root } = step;
  const canHash = !collects && data.anyHashable;
  if (data.rollups.length > 0) {
    for (const p of inOrder(root, input, order, -1)) {
      if (canHash) addMixedSets(step, p, data);
      if (data.unsortable.length === 0) addRollups(step, p, 'sorted', data.rollups, order.pathkeys);
    }
  }
  if (canHash) addHashedSets(step, input.cheapestTotal!, data, order);
  if (into.paths.length === 0) throw cannotGroup();
}

/** consider_groupingsets_paths, of rows in no order: all sets hashed if they are thought to have room, but for a rollup that the rows happen to
 * be in the order of, and sets without columns. */
function addHashedSets(step: AggStep, p: Path, { rollups, unsortable }: GroupingSetsData, order: WantedOrder): void {
  const { groupClause } = step.root.parse;
  const [first, ...others] = rollups;
  const sorted = first !== undefined && pathkeysContain(p.pathkeys, order.pathkeys) ? first : undefined;
  const hashed = sorted === undefined ? rollups : others;
  const groups = [...hashed, ...unsortable].reduce((n, r) => n + r.groups, 0);
  if (first !== undefined && groups * hashEntryBytes(p.rel.width, step.aggs) > costs.hashMemBytes) return;
  if (hashed.some((r) => !r.hashable)) return;
  const sets = [...unsortable, ...hashed.flatMap((r) => r.sets)];
  const list = sets.filter((set) => set.refs.length > 0).map((set) => hashedRollup(groupClause, set));
  if (list.length === 0) return;
  const empty = sets.filter((set) => set.refs.length === 0);
  if (sorted !== undefined) list.push(sorted);
  else if (empty.length > 0) list.push({ clause: [], sets: empty, hashable: false, hashed: false, groups: empty.length });
  addRollups(step, p, sorted !== undefined || empty.length > 0 ? 'mixed' : 'hashed', list, []);
}

/** The same of rows in the order of the first rollup: as many of the others hashed as are thought to have room. */
function addMixedSets(step: AggStep, p: Path, { rollups, unsortable }: GroupingSetsData): void {
  const { groupClause } = step.root.parse;
  const entry = hashEntryBytes(p.rel.width, step.aggs);
  const space = costs.hashMemBytes - entry * unsortable.reduce((n, set) => n + set.groups, 0);
  const sets = [...unsortable];
  const others = rollups.slice(1);
  let list: Rollup[] = [];
  if (space > 0 && others.length > 0) {
    const scale = Math.max(space / (20 * rollups.length), 1);
    const capacity = Math.floor(space / scale);
    const candidates = others.filter((r) => r.hashable);
    const chosen = fitting(capacity, candidates.map((r) => Math.min(Math.floor(entry * r.groups / scale), capacity + 1)));
    if (chosen.size > 0) {
      list = rollups.filter((r) => !chosen.has(candidates.indexOf(r)));
      for (const i of chosen) sets.push(...candidates[i]!.sets);
    }
  }
  if (list.length === 0 && sets.length > 0) list = [...rollups];
  for (const set of sets) list.unshift(hashedRollup(groupClause, set));
  if (list.length > 0) addRollups(step, p, 'mixed', list, []);
}

/** create_groupingsets_path. */
function addRollups(step: AggStep, child: Path, wanted: 'sorted' | 'hashed' | 'mixed', rollups: readonly Rollup[], pathkeys: PathKey[]): void {
  const { into } = step;
  const strategy = rollups.length > 1 ? wanted : wanted === 'mixed' ? 'hashed' : wanted === 'sorted' && rollups[0]!.clause.length === 0 ? 'plain' : wanted;
  const { width } = child.rel;
  const columns = (r: Rollup): number => r.sets[0]!.refs.length;
  const cost = aggCost(step, strategy, columns(rollups[0]!), rollups[0]!.groups, child, width);
  let inOrderStill = rollups[0]!.hashed;
  for (const r of rollups.slice(1)) {
    let input = { startup: 0, total: 0, rows: child.rows };
    if (!r.hashed && !inOrderStill) {
      const sort = sortCost(child.rows, width, -1);
      input = { ...input, startup: sort.startup, total: sort.startup + sort.run };
    }
    const more = aggCost(step, r.hashed ? 'hashed' : 'sorted', columns(r), r.groups, input, width);
    inOrderStill &&= r.hashed;
    cost.total += more.total;
    cost.rows += more.rows;
  }
  const groups = rollups.reduce((n, r) => n + r.groups, 0);
  addPath(into, upperPath(into, 'Agg', cost, strategy === 'sorted' && rollups.length === 1 ? pathkeys : [], () => aggPlan(step, child, strategy, groups, rollups), child));
}

/** Groups of what comes in order, and by hashing. */
function addSortedOrHashed(step: AggStep, input: RelOptInfo, order: WantedOrder | null, groups: number, collects: boolean): void {
  const { root } = step;
  const hashable = root.parse.groupClause.every((c) => c.hashable) && (order === null || (enabled.hashagg && !collects));
  if (order !== null) for (const p of inOrder(root, input, order, -1)) addAgg(step, p, 'sorted', groups, p.pathkeys);
  else if (!hashable) throw cannotGroup();
  if (hashable) addAgg(step, input.cheapestTotal!, 'hashed', groups, []);
}

/** create_partitionwise_grouping_paths: groups that are each in one partition are made partition by partition, others in two steps. */
function addGroupsByPartition(root: PlannerInfo, rel: RelOptInfo, into: RelOptInfo, t: Targets, having: Expr[], order: WantedOrder | null): void {
  const { parts } = rel;
  if (parts === null || t.sets !== null || !getBool('enable_partitionwise_aggregate') || t.groupInput.some((x) => containsSrf(x.expr))) return;
  const live = liveParts(parts);
  const groups = root.parse.groupClause.map((c) => t.groupInput.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr);
  if (live.length === 0 || live.some((p) => p.cheapestTotal === null)) return;
  if (groupsByKey(parts, groups)) addAppends(into, live.map((part) => groupingPaths(root, part, t, having)), t.grouped, order, []);
  else addGroupsInSteps(root, rel, parts, into, t, having, order);
}

const ofPart = (part: RelOptInfo, t: Targets): Targets => ({ ...t, groupInput: overPartTargets(part, t.groupInput), grouped: overPartTargets(part, t.grouped) });
const overPartTargets = (part: RelOptInfo, list: TargetEntry[]): TargetEntry[] => (part.translators.length === 0 ? list : list.map((x) => ({ ...x, expr: overPart(part, x.expr) })));
const liveParts = (parts: PartitionedRel): RelOptInfo[] => parts.rels.filter((p) => p !== null && !isDummy(p)) as RelOptInfo[];

/** add_paths_to_append_rel: the cheapest of each one after the other; merged, where they come in order. */
function addAppends(into: RelOptInfo, parts: readonly RelOptInfo[], target: TargetEntry[], order: WantedOrder | null, apprelids: number[]): void {
  const subpaths = parts.flatMap(({ cheapestTotal }) => cheapestTotal!.subpaths ?? [cheapestTotal!]);
  const rows = subpaths.reduce((n, p) => n + p.rows, 0);
  const total = subpaths.reduce((c, p) => c + p.total, 0) + rows * costs.cpuTuple * 0.5;
  addPath(into, {
    ...upperPath(into, 'Append', { startup: subpaths[0]!.startup, total, rows }, [], () => ({ ...appendOf(subpaths.map((p) => p.make()), target), apprelids, byMember: true } as Plan), null), subpaths,
    parallelSafe: into.considerParallel && subpaths.every((p) => p.parallelSafe === true),
  });
  if (into.considerParallel) for (const members of sharedMembers(parts)) addPartialPath(into, sharedGroups(into, members, target, apprelids));
  if (order === null || order.pathkeys.length === 0 || parts.length < 2 || order.clauses.some((c) => !target.some((x) => x.ressortgroupref === c.tleSortGroupRef))) return;
  if (!parts.some((part) => part.paths.some((p) => pathkeysContain(p.pathkeys, order.pathkeys)))) return;
  const sorted = parts.map((part) => cheapestFractional(part.paths, order.pathkeys, 0) ?? fullSort(part.cheapestTotal!, order, -1));
  const first = 2 * costs.cpuOperator * sorted.length * Math.log2(sorted.length);
  addPath(into, upperPath(into, 'MergeAppend', {
    startup: first + sorted.reduce((n, p) => n + p.startup, 0), total: first + total - subpaths.reduce((n, p) => n + p.total, 0) + sorted.reduce((n, p) => n + p.total, 0) + rows * 2 * costs.cpuOperator * Math.log2(sorted.length), rows,
  }, order.pathkeys, () => {
    const plans = sorted.map((p) => p.make());
    return { ...appendOf(plans, target), kind: 'MergeAppend', mergeplans: plans, sortKeys: order.clauses.map((c) => sortKey(c, target)), bound: null, byMember: true } as Plan;
  }, null));
}

/** An Append of groups that processes share. */
function sharedGroups(into: RelOptInfo, { paths, isAware, firstPartial, workers, startup, total, rows }: SharedMembers, target: TargetEntry[], apprelids: number[]): Path {
  const aware = isAware ? { parallelAware: true, firstPartialPlan: firstPartial } : {};
  return {
    ...upperPath(into, 'Append', { startup, total, rows }, [], () => ({ ...appendOf(paths.map((m) => m.path.make()), target), apprelids, byMember: true, ...aware } as Plan), null),
    subpaths: paths.map((m) => m.path), firstPartial, parallelSafe: true, parallelWorkers: workers,
  };
}

/** Groups of each partition, put together by a Finalize node. */
function addGroupsInSteps(root: PlannerInfo, rel: RelOptInfo, parts: PartitionedRel, into: RelOptInfo, t: Targets, having: Expr[], order: WantedOrder | null): void {
  const { groupClause } = root.parse;
  const exprs = [...t.grouped.map((x) => x.expr), ...having];
  const target = partialTarget(t.groupInput.filter((x) => x.ressortgroupref !== 0), exprs);
  if (target === null) return;
  const first = (part: RelOptInfo): RelOptInfo[] => {
    if (part.parts !== null) return liveParts(part.parts).flatMap(first);
    const states = upperRel(root, target);
    addGroupPaths(root, part, states, ofPart(part, { ...t, grouped: target }), [], order, 'partial');
    setCheapest(states);
    return [states];
  };
  const partial = upperRel(root, target);
  partial.considerParallel = into.considerParallel;
  partial.target = target.map((x) => x.expr);
  addAppends(partial, liveParts(parts).flatMap(first), target, order, rel.translators.length === 0 ? [] : members(rel.relids));
  if (partial.partialPaths.length > 0) gatherGroups(root, partial, order);
  setCheapest(partial);
  const step: AggStep = { root, into, target: t.grouped, having, split: 'final', aggs: aggCosts(exprs, 'final') };
  addFinalGroups(step, partial, order, groupClause.map((c) => overPart(rel, target.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr)), rel.rows);
}

// ------------------------------------------------------------------ DISTINCT

/** create_final_distinct_paths. */
function distinctPaths(root: PlannerInfo, below: RelOptInfo, final: TargetEntry[]): RelOptInfo {
  const rel = upperRel(root, final);
  rel.considerParallel = below.considerParallel;
  addDistinctPaths(root, rel, below, final);
  if (below.considerParallel && below.partialPaths.length > 0 && !root.parse.hasDistinctOn) {
    const partial = partialDistinct(root, below, final);
    if (partial !== null) addDistinctPaths(root, rel, partial, final);
  }
  if (rel.paths.length === 0) {
    throw new PgError('feature_not_supported', 'could not implement DISTINCT', { detail: 'Some of the datatypes only support hashing, while others only support sorting.' });
  }
  setCheapest(rel);
  return rel;
}

/** create_partial_distinct_paths: each process leaves out what it has seen; null: it cannot. */
function partialDistinct(root: PlannerInfo, below: RelOptInfo, final: TargetEntry[]): RelOptInfo | null {
  const { distinctClause, sortClause } = root.parse;
  const [cheapest] = below.partialPaths as [Path];
  const rel = upperRel(root, final);
  rel.considerParallel = true;
  const rows = estimateGroups(root, distinctClause.map((c) => final.find((t) => t.ressortgroupref === c.tleSortGroupRef)!.expr), cheapest.rows);
  if (distinctClause.every((c) => c.sortop !== 0)) {
    const wanted = wantOrder(root, distinctOrder(distinctClause, sortClause), final);
    for (const p of below.partialPaths) if (pathkeysContain(p.pathkeys, wanted.pathkeys)) addPartialPath(rel, uniqueOf(root, rel, p, rows));
  }
  if (enabled.hashagg && distinctClause.every((c) => c.hashable)) addPartialPath(rel, hashedOf(root, rel, cheapest, final, rows));
  if (rel.partialPaths.length === 0) return null;
  addGathers(root, rel);
  setCheapest(rel);
  return rel;
}

/** Of rows in order, those that differ from the one before. */
function uniqueOf(root: PlannerInfo, rel: RelOptInfo, p: Path, rows: number): Path {
  const { distinctClause } = root.parse;
  return upperPath(rel, 'Unique', { startup: p.startup, total: p.total + p.rows * costs.cpuOperator * distinctClause.length, rows }, p.pathkeys, () => {
    const child = p.make();
    return { kind: 'Unique', ...over(child, child.targetlist), uniqueKeys: distinctClause.map((c) => groupKey(c, child.targetlist)) };
  }, p);
}

function hashedOf(root: PlannerInfo, rel: RelOptInfo, p: Path, final: TargetEntry[], rows: number): Path {
  const { distinctClause } = root.parse;
  const comparing = p.rows * costs.cpuOperator * distinctClause.length;
  const spill = hashSpillCost(p.rows, p.rel.width, rows, NO_AGGS);
  return upperPath(rel, 'Agg', { startup: p.total + comparing + spill.startup, total: p.total + comparing + rows * costs.cpuTuple + spill.total, rows }, [], () => {
    const child = withAllColumns(p.make());
    return {
      kind: 'Agg', ...over(child, final), aggstrategy: 'hashed', groupKeys: distinctClause.map((c) => groupKey(c, child.targetlist)), numGroups: rows, groupingSets: null, groupRefs: [], aggrefs: [],
    };
  }, p);
}

function addDistinctPaths(root: PlannerInfo, rel: RelOptInfo, below: RelOptInfo, final: TargetEntry[]): void {
  const { distinctClause, sortClause, groupClause, hasAggs, hasDistinctOn } = root.parse;
  const cheapest = below.cheapestTotal!;
  const exprs = distinctClause.map((c) => final.find((t) => t.ressortgroupref === c.tleSortGroupRef)!.expr);
  const rows = groupClause.length > 0 || hasAggs || root.hasHaving ? cheapest.rows : estimateGroups(root, exprs, cheapest.rows);
  if (distinctClause.every((c) => c.sortop !== 0)) {
    const unique = (p: Path): void => addPath(rel, uniqueOf(root, rel, p, rows));
    const distinct = wantOrder(root, distinctOrder(distinctClause, sortClause), final);
    const sort = wantOrder(root, sortClause, final);
    // One order for both: the longer of DISTINCT's and ORDER BY's.
    const both = distinct.pathkeys.length < sort.pathkeys.length ? sort : distinct;
    const needed = hasDistinctOn ? both : distinct;
    for (const p of below.paths) if (pathkeysContain(p.pathkeys, needed.pathkeys)) unique(p);
    unique(pathkeysContain(cheapest.pathkeys, both.pathkeys) ? cheapest : fullSort(cheapest, both, -1));
  }
  if (distinctClause.every((c) => c.hashable) && (rel.paths.length === 0 || (!hasDistinctOn && enabled.hashagg))) addPath(rel, hashedOf(root, rel, cheapest, final, rows));
}

const isSet = (e: Expr): boolean => (e.kind === 'FuncExpr' && e.funcretset) || (e.kind === 'OpExpr' && e.opretset);

/** How many sets are inside each other: an argument of a set must be there before the set is. */
function setDepth(e: Expr): number {
  let inner = 0;
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Query') inner = Math.max(inner, setDepth(child));
    return false;
  });
  return isSet(e) ? inner + 1 : inner;
}

/** One ProjectSet for each level of sets inside sets (split_pathtarget_at_srfs). */
function addProjectSets(child: Plan, final: TargetEntry[], done: readonly Expr[]): Plan {
  let plan = child;
  const depth = Math.max(...final.map((t) => (hasSets(t.expr, done) ? setDepth(t.expr) : 0)));
  // Sets inside other expressions are computed once each, below these.
  const within = final.some((t) => hasSets(t.expr, done) && !isSet(t.expr) && setDepth(t.expr) === depth);
  for (let level = 1; level < depth + (within ? 1 : 0); level++) {
    // First the sets of this level, then what the levels above need besides.
    const list: TargetEntry[] = [];
    const addSets = (wanted: (depth: number) => boolean): void => {
      for (const t of final) {
        walkExpr(t.expr, (n) => {
          if (isSet(n) && wanted(setDepth(n)) && !isDone(n, done) && !list.some((x) => equal(x.expr, n))) list.push(makeTargetEntry(n, list.length + 1, null, false));
        });
      }
    };
    addSets((d) => d === level);
    for (const t of setInputTarget(final, done)) list.push({ ...t, resno: list.length + 1 });
    addSets((d) => d < level);
    plan = addProjectSet(plan, list);
  }
  return within ? { kind: 'Result', ...over(plan, final), resconstantqual: [] } : addProjectSet(plan, final);
}

function addProjectSet(child: Plan, target: TargetEntry[]): Plan {
  const rows = clampRows(child.plan_rows * Math.max(1, ...target.map((t) => setRows(t.expr))));
  return { kind: 'ProjectSet', ...over(child, target), plan_rows: rows, total_cost: child.total_cost + child.plan_rows * costs.cpuTuple + (rows - child.plan_rows) * costs.cpuTuple / 2 };
}
function setRows(e: Expr): number {
  let rows = 1;
  walkExpr(e, (n) => { if (isSet(n)) rows = Math.max(rows, functionRows(n)); });
  return rows;
}

// ------------------------------------------------------------------ windows

interface ActiveWindow { clause: PlannerInfo['parse']['windowClause'][number]; order: SortGroupClause[]; funcs: WindowFunc[] }

function activeWindows(root: PlannerInfo, final: readonly TargetEntry[]): ActiveWindow[] {
  const funcs: WindowFunc[] = [];
  for (const t of final) walkExpr(t.expr, (n) => { if (n.kind === 'WindowFunc' && !funcs.some((f) => equal(f, n))) funcs.push(n); });
  const list: ActiveWindow[] = [];
  for (const clause of root.parse.windowClause) {
    const mine = funcs.filter((f) => f.winref === clause.winref);
    if (mine.length === 0) continue;
    const order: SortGroupClause[] = [...clause.partitionClause];
    for (const c of clause.orderClause) if (!order.some((o) => o.tleSortGroupRef === c.tleSortGroupRef && o.sortop === c.sortop && o.nulls_first === c.nulls_first)) order.push(c);
    list.push({ clause, order, funcs: mine });
  }
  // Those of the same order stand together, the longest of orders that begin alike first (common_prefix_cmp).
  quicksort(list, (a, b) => {
    for (let i = 0; i < Math.min(a.order.length, b.order.length); i++) {
      const x = a.order[i]!, y = b.order[i]!;
      const d = y.tleSortGroupRef - x.tleSortGroupRef || y.sortop - x.sortop || Number(y.nulls_first) - Number(x.nulls_first);
      if (d !== 0) return d;
    }
    return b.order.length - a.order.length;
  });
  return list;
}

function windowPaths(root: PlannerInfo, below: RelOptInfo, windows: ActiveWindow[], i: number, t: Targets, final: TargetEntry[], done: readonly Expr[]): RelOptInfo {
  const { clause, order, funcs } = windows[i]!;
  const last = i === windows.length - 1;
  const wanted = wantOrder(root, order, t.windowInput);
  const rel = upperRel(root, last ? setInputTarget(final, done) : [...t.windowInput, ...funcs.map((f) => makeTargetEntry(f, 0, null, false))]);
  for (const p of below.paths) {
    if (i === 0 && p !== below.cheapestTotal && commonPathkeys(p.pathkeys, wanted.pathkeys) === 0) continue;
    const child = pathkeysContain(p.pathkeys, wanted.pathkeys) ? p : incrementalSort(root, p, wanted, -1) ?? fullSort(p, wanted, -1);
    const total = child.total + child.rows * costs.cpuOperator * (funcs.length + order.length) + child.rows * costs.cpuTuple;
    addPath(rel, upperPath(rel, 'WindowAgg', { startup: child.startup, total, rows: child.rows }, child.pathkeys, () => {
      const plan = child.make();
      const input = plan.targetlist;
      const target = last ? setInputTarget(final, done) : [...input, ...funcs.map((f, k) => makeTargetEntry(f, input.length + k + 1, null, false))];
      return {
        kind: 'WindowAgg', ...over(plan, target), winref: clause.winref, partKeys: clause.partitionClause.map((c) => groupKey(c, input)),
        ordKeys: clause.orderClause.map((c) => sortKey(c, input)), frameOptions: clause.frameOptions, startOffset: clause.startOffset, endOffset: clause.endOffset,
        qual: last ? windows.slice(0, i).flatMap((w) => w.clause.runCondition) : [], runCondition: clause.runCondition, topWindow: last,
        startInRangeFunc: clause.startInRangeFunc, endInRangeFunc: clause.endInRangeFunc, inRangeColl: clause.inRangeColl, inRangeAsc: clause.inRangeAsc, inRangeNullsFirst: clause.inRangeNullsFirst,
      };
    }, null));
  }
  setCheapest(rel);
  return rel;
}

// ------------------------------------------------------------------ INSERT, UPDATE, DELETE

/** The tables a relation stands for. */
function membersOf(root: PlannerInfo, rti: number): number[] {
  const children = root.rels[rti]?.children?.map((c) => c.rti) ?? [];
  return children.length === 0 ? [rti] : children;
}

const finalRowMarks = (root: PlannerInfo): PlanRowMark[] => root.rowMarks.map((m) => ({ ...m, members: m.tableOidColumn === 0 ? [m.rti] : membersOf(root, m.rti) }));

function targetMembers(root: PlannerInfo): number[] {
  const { resultRelation } = root.parse;
  return root.parse.commandType === 'insert' ? [resultRelation] : membersOf(root, resultRelation);
}

function mergeActions(root: PlannerInfo): ModifyMergeAction[] {
  const q = root.parse;
  if (q.commandType !== 'merge') return [];
  const { attributes } = openRelation(root.rtable[q.resultRelation - 1]!.relid);
  return q.mergeActionList.map(({ matched, command, qual, targetList }) => {
    const given = targetList.filter((t) => !t.resjunk);
    if (command !== 'insert') return { matched, command, qual, columns: given.map((t) => t.resno), targetList };
    const all = attributes.map((a) => given.find((t) => t.resno === a.attnum)
      ?? makeTargetEntry({ kind: 'Const', consttype: a.attisdropped ? 23 : a.atttypid, consttypmod: -1, constcollid: 0, constvalue: null, location: -1 }, a.attnum, a.attname, false));
    return { matched, command, qual, columns: [], targetList: all };
  });
}

function addModifyTable(root: PlannerInfo, child: Plan): Plan {
  const q = root.parse;
  const operation = q.commandType as 'insert' | 'update' | 'delete' | 'merge';
  const target = root.resultTargetList;
  const rowId = target.findIndex((t) => t.expr.kind === 'Var' && t.expr.varno === q.resultRelation && t.expr.varattno === -1 && t.resjunk);
  const tableOid = target.findIndex((t) => t.expr.kind === 'Var' && t.expr.varno === q.resultRelation && t.expr.varattno === -6 && t.resjunk);
  const colnos = operation === 'update' ? q.targetList.filter((t) => !t.resjunk).map((t) => t.resno) : operation === 'insert' ? target.filter((t) => !t.resjunk).map((_t, i) => i + 1) : [];
  return {
    kind: 'ModifyTable', ...over(child, q.returningList), plan_rows: q.returningList.length > 0 ? child.plan_rows : 0, operation, canSetTag: q.canSetTag, resultRelation: q.resultRelation,
    updateColnos: colnos, rowIdColumn: operation === 'insert' ? 0 : rowId + 1, tableOidColumn: tableOid + 1, resultRelations: targetMembers(root), returningList: q.returningList, onConflict: q.onConflict, mergeActions: mergeActions(root),
    withCheckOptions: q.withCheckOptions, rowMarks: finalRowMarks(root),
  };
}
