// What comes on top of scans and joins (grouping_planner): grouping and aggregation, windows, set-returning functions,
// DISTINCT, ORDER BY, row locks, LIMIT, and the change of the target table.
import { PgError, notSupported } from '../../common/errors.ts';
import { makeOpExpr, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, expressionTreeWalker, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Query, GroupingSet } from '../nodes/parsenodes.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { GroupKey, ModifyMergeAction, Plan, PlanRowMark, SortKey } from '../nodes/plannodes.ts';
import type { Expr, FromItem, SortGroupClause, TargetEntry, WindowFunc } from '../nodes/primnodes.ts';
import { sortOperator } from '../executor/sort_support.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import { memberTranslators } from './appendpath.ts';
import { collectLateral, functionRows, makeOneRel } from './allpaths.ts';
import { containsSrf, containsVolatile, equal, pullVarClause, pullVarnos } from './clauses.ts';
import { clampRows, costs, enabled, exprCost, exprsCost, incrementalSortCost, sortCost } from './costsize.ts';
import { overPart } from './inherit.ts';
import { addVarsToTargetList, buildBaseTargets, deconstructJointree, RESULT } from './initsplan.ts';
import { addPath, cheapestFractional, commonPathkeys, fractionalCost, pathkeysContain } from './pathnode.ts';
import { pathkeysForSort } from './pathkeys.ts';
import type { PartitionedRel, Path, PathKey, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { over } from './planbuild.ts';
import { partialTarget } from './partialagg.ts';
import { groupsByKey } from './partjoin.ts';
import { appendOf, planSetOperations } from './prepunion.ts';
import { bit, members } from './relids.ts';
import { getBool } from '../utils/guc.ts';
import { buildBaseRel, emptyRel, targetWidth } from './relnode.ts';
import { estimateGroups } from './selfuncs.ts';
import { planMinMax, type MinMax } from './planagg.ts';

interface Built { plan: Plan; pathkeys: PathKey[] }

export function planUpper(root: PlannerInfo): Built {
  const q = root.parse;
  limitFraction(root);
  let built: Built;
  if (q.setOperations !== null) {
    const { plan, ordered: isOrdered } = planSetOperations(root);
    built = { plan, pathkeys: [] };
    if (q.sortClause.length > 0 && !isOrdered) built = sortBy(root, built, q.sortClause, plan.targetlist);
  } else built = planSelect(root);
  let { plan } = built;
  if (root.rowMarks.some((m) => !m.reference)) {
    plan = { kind: 'LockRows', ...over(plan, plan.targetlist), rowMarks: finalRowMarks(root) };
    plan.total_cost += plan.plan_rows * costs.cpuTuple;
  }
  if (isLimited(q)) plan = addLimit(root, plan);
  if (q.commandType !== 'select') plan = addModifyTable(root, plan);
  return { plan, pathkeys: built.pathkeys };
}

// ------------------------------------------------------------------ LIMIT

const literal = (e: Expr | null): number | null => (e !== null && e.kind === 'Const' && e.slot === undefined && e.constvalue !== null ? Number(e.constvalue) : null);

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

/** LIMIT ALL and OFFSET 0 leave everything in (limit_needed). */
function isLimited({ limitCount, limitOffset }: Query): boolean {
  if (limitCount !== null && !(limitCount.kind === 'Const' && limitCount.constvalue === null)) return true;
  return limitOffset !== null && !(limitOffset.kind === 'Const' && (limitOffset.constvalue === null || literal(limitOffset) === 0));
}

function addLimit(root: PlannerInfo, child: Plan): Plan {
  const { limitCount, limitOffset, limitWithTies, sortClause } = root.parse;
  let below = child;
  if (limitCount !== null && !limitWithTies) {
    const bound = limitOffset === null ? limitCount : makeOpExpr(INT8PL_OPERATOR, INT8PL_FUNCTION, 20, [limitCount, limitOffset], 0, 0);
    below = boundSort(below, bound);
  }
  const rows = child.plan_rows;
  const offset = limitOffset === null ? 0 : literal(limitOffset) ?? clampRows(rows * 0.1);
  const count = limitCount === null ? rows : literal(limitCount) ?? clampRows(rows * 0.1);
  const out = clampRows(Math.min(Math.max(0, rows - offset), count));
  const run = child.total_cost - child.startup_cost;
  const startup = child.startup_cost + (rows > 0 ? (run * Math.min(offset, rows)) / rows : 0);
  const total = child.startup_cost + (rows > 0 ? (run * Math.min(offset + count, rows)) / rows : 0);
  return {
    kind: 'Limit', ...over(below, below.targetlist), startup_cost: startup, total_cost: total, plan_rows: out, limitOffset, limitCount, withTies: limitWithTies,
    uniqueKeys: limitWithTies ? sortClause.map((c) => groupKey(c, below.targetlist)) : [],
  };
}

/** A sort right below a LIMIT need only keep the first rows. */
function boundSort(plan: Plan, bound: Expr): Plan {
  if (plan.kind === 'Sort') return { ...plan, bound };
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

interface Targets { final: TargetEntry[]; groupInput: TargetEntry[]; grouped: TargetEntry[]; windowInput: TargetEntry[]; sets: number[][] | null }

function planSelect(root: PlannerInfo): Built {
  const q = root.parse;
  const final = root.resultTargetList;
  const grouping = q.groupClause.length > 0 || q.groupingSets.length > 0 || q.hasAggs || root.hasHaving;
  const having = makeAndsImplicit(q.havingQual);
  const windows = q.hasWindowFuncs ? activeWindows(root, final) : [];
  root.allBaserels = fromRelids(root, q.jointree);
  const needed = [...final.map((t) => t.expr), ...having, ...windows.flatMap((w) => [w.clause.startOffset, w.clause.endOffset].filter((e) => e !== null))];
  let rel: RelOptInfo | null = null;
  const t = makeTargets(root, final, grouping, having, windows.length > 0);
  // HAVING without groups or aggregates: a row or none, and nothing of the tables is asked (create_degenerate_grouping_paths).
  const degenerate = root.hasHaving && !q.hasAggs && q.groupClause.length === 0 && q.groupingSets.length === 0;
  if (root.allBaserels !== 0n && !degenerate) {
    collectLateral(root);
    buildBaseTargets(root, needed);
    addVarsToTargetList(root, final.flatMap((x) => pullVarClause(x.expr, true, true)), RESULT);
    deconstructJointree(root);
    root.queryPathkeys = wantedOrder(root, t, grouping, windows);
    rel = makeOneRel(root);
  }
  // What need not be sorted by and is volatile, costly or a set is evaluated after the sort.
  const late = postponed(root, final, grouping || windows.length > 0);
  const sorted = late ?? final;
  let built: Built;
  let minmax: MinMax | null = null;
  // Sets that are grouped by are there before the groups are.
  const done = grouping ? t.groupInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr) : [];
  if (grouping) {
    built = degenerate ? onlyOneRow(root, t.grouped, having) : planGrouping(root, rel, t, having);
    if (rel !== null && q.groupClause.length === 0 && q.groupingSets.length === 0) minmax = planMinMax(root, t.grouped, having, built.plan);
    if (minmax !== null) built = { plan: minmax.plan, pathkeys: [] };
    if (windows.length > 0) built = withSets(built, t.windowInput, done);
  }
  else built = withSets(scanTarget(root, rel, setInputTarget(windows.length > 0 ? t.windowInput : sorted), root.queryPathkeys), windows.length > 0 ? t.windowInput : sorted);
  for (let i = 0; i < windows.length; i++) built = addWindow(root, built, windows, i, t, final, [...done, ...t.windowInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr)]);
  if (grouping || windows.length > 0) built = withSets(built, final, windows.length > 0 ? [...done, ...t.windowInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr)] : done);
  if (q.distinctClause.length > 0) built = addDistinct(root, built, sorted);
  if (q.sortClause.length > 0) built = sortBy(root, built, q.sortClause, sorted);
  if (minmax !== null) built = { plan: minmax.finish(built.plan), pathkeys: built.pathkeys };
  if (late === null) return built;
  if (final.some((x) => containsSrf(x.expr))) return withSets(built, final);
  return { plan: { kind: 'Result', ...over(built.plan, final), resconstantqual: [] }, pathkeys: built.pathkeys };
}

/** ProjectSets on top when the target list has sets that are not among the `done`, computed below. */
function withSets(built: Built, target: TargetEntry[], done: readonly Expr[] = []): Built {
  if (!target.some((t) => hasSets(t.expr, done))) return built;
  return { plan: addProjectSets(built.plan, target, done), pathkeys: built.pathkeys };
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
  if (e.kind === 'Var' || e.kind === 'Aggref' || e.kind === 'GroupingFunc' || e.kind === 'WindowFunc') return [e];
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
    if (!hasSets(t.expr, done)) add(t.expr, t.ressortgroupref);
    else for (const v of leaves(t.expr, done)) add(v, 0);
  }
  return list;
}

/** The order worth having from below: that of GROUP BY, else of the first window, DISTINCT, ORDER BY. */
function wantedOrder(root: PlannerInfo, t: Targets, grouping: boolean, windows: ActiveWindow[]): PathKey[] {
  const q = root.parse;
  const sortable = (list: readonly SortGroupClause[]): boolean => list.every((c) => c.sortop !== 0);
  if (grouping && q.groupingSets.length === 0 && q.groupClause.length > 0 && sortable(q.groupClause)) return pathkeysForSort(root, groupOrder(q.groupClause, q.sortClause), t.groupInput);
  if (grouping) return [];
  if (windows.length > 0) return pathkeysForSort(root, windows[0]!.order, t.windowInput);
  if (q.distinctClause.length > 0 && q.sortClause.length < q.distinctClause.length && sortable(q.distinctClause)) return pathkeysForSort(root, distinctOrder(q.distinctClause, q.sortClause), t.final);
  if (q.sortClause.length > 0 && !q.hasTargetSRFs) return pathkeysForSort(root, q.sortClause, t.final);
  return [];
}

/** GROUP BY columns in the order of ORDER BY as far as that goes, so that one sort serves both. */
function groupOrder(group: readonly SortGroupClause[], sort: readonly SortGroupClause[]): SortGroupClause[] {
  const list: SortGroupClause[] = [];
  for (const s of sort) {
    const g = group.find((c) => c.tleSortGroupRef === s.tleSortGroupRef);
    if (g === undefined) break;
    list.push({ ...g, sortop: s.sortop, nulls_first: s.nulls_first });
  }
  for (const g of group) if (!list.some((c) => c.tleSortGroupRef === g.tleSortGroupRef)) list.push(g);
  return list;
}
const distinctOrder = groupOrder;

/** One row of no table, or none. */
const onlyOneRow = (root: PlannerInfo, target: TargetEntry[], quals: Expr[]): Built => ({
  plan: {
    kind: 'Result', startup_cost: 0, total_cost: costs.cpuTuple + exprsCost(target.map((t) => t.expr)), plan_rows: 1, plan_width: widthOf(root, target), targetlist: target, qual: [], lefttree: null,
    righttree: null, initPlan: [], resconstantqual: quals,
  },
  pathkeys: [],
});

/** The cheapest plan for the join with this target list on it; `order` is preferred when it is cheap enough. */
function scanTarget(root: PlannerInfo, rel: RelOptInfo | null, target: TargetEntry[], order: PathKey[]): Built {
  if (rel === null) return onlyOneRow(root, target, makeAndsImplicit(root.parse.jointree.quals));
  const best = rel.cheapestTotal!;
  let path = best;
  if (order.length > 0) {
    // Of what costs about the same in the end, the one that begins earlier.
    const sorted = emptyRel('upper', rel.relids);
    const sources = new Map<Path, Path>();
    for (const p of rel.paths) {
      if (p.requiredOuter !== 0n) continue;
      for (const { startup, total } of orderedCosts(root, rel, p, order)) {
        const candidate: Path = { ...p, startup, total, pathkeys: order };
        sources.set(candidate, p);
        addPath(sorted, candidate);
      }
    }
    path = sources.get(cheapestFractional(sorted.paths, [], root.tupleFraction)!) ?? best;
  } else if (root.tupleFraction > 0) path = cheapestFractional(rel.paths, [], root.tupleFraction) ?? best;
  root.curOuterParams = [];
  return { plan: applyTarget(root, path.make(), target), pathkeys: path.pathkeys };
}

const PROJECTS = new Set<Plan['kind']>(['SeqScan', 'SampleScan', 'GinScan', 'IndexScan', 'IndexOnlyScan', 'BitmapHeapScan', 'TidScan', 'FunctionScan', 'ValuesScan', 'NamedTuplestoreScan', 'CteScan', 'WorkTableScan', 'SubqueryScan', 'NestLoop', 'HashJoin', 'MergeJoin', 'Result']);

/** What it costs to have a path's rows in an order: as they come, or sorted in part, or (the cheapest path) as a whole. */
function orderedCosts(root: PlannerInfo, rel: RelOptInfo, p: Path, order: readonly PathKey[]): { startup: number; total: number }[] {
  if (pathkeysContain(p.pathkeys, order)) return [p];
  const list: { startup: number; total: number }[] = [];
  if (p === rel.cheapestTotal) {
    const sort = sortCost(p.rows, rel.width, root.limitTuples);
    list.push({ startup: p.total + sort.startup, total: p.total + sort.startup + sort.run });
  }
  const presorted = commonPathkeys(p.pathkeys, order);
  if (presorted > 0 && enabled.incremental_sort) list.push(incrementalSortCost({ startup: p.startup, total: p.total, rows: p.rows, width: rel.width }, presortedGroups(root, order, presorted, p.rows), root.limitTuples));
  return list;
}

/** How many groups of rows are in order already. */
function presortedGroups(root: PlannerInfo, order: readonly PathKey[], presorted: number, rows: number): number {
  const exprs = order.slice(0, presorted).map((k) => k.ec.members[0]!.expr);
  if (exprs.some((e) => pullVarnos(e) === 0n)) return Math.min(rows, 200);
  return estimateGroups(root, exprs, rows);
}

/** Makes a plan put out these columns: by itself if it can, else through a Result. */
export function applyTarget(root: PlannerInfo, plan: Plan, target: TargetEntry[]): Plan {
  const translators = memberTranslators.get(plan);
  // Partitions compute for themselves; child tables only give their columns (apply_scanjoin_target_to_paths).
  if (translators !== undefined && plan.kind === 'Append' && (translators.partitions || target.every((t) => t.expr.kind === 'Var'))) {
    const members = plan.appendplans.map((p, i) => applyTarget(root, p, target.map((t) => ({ ...t, expr: translators.list[i]!(t.expr) }))));
    return { ...plan, targetlist: target, apptlist: target, appendplans: members, total_cost: plan.total_cost + members.reduce((c, m, i) => c + m.total_cost - plan.appendplans[i]!.total_cost, 0), plan_width: widthOf(root, target) };
  }
  const cost = exprsCost(target.map((t) => t.expr)) * plan.plan_rows;
  if (PROJECTS.has(plan.kind) && !(plan.kind === 'Result' && plan.lefttree !== null && plan.targetlist.some((t) => t.expr.kind !== 'Var'))) {
    return { ...plan, targetlist: target, total_cost: plan.total_cost + cost, plan_width: widthOf(root, target) };
  }
  if (plan.targetlist.length === target.length && plan.targetlist.every((t, i) => equal(t.expr, target[i]!.expr))) return { ...plan, targetlist: target };
  return { kind: 'Result', ...over(plan, target), total_cost: plan.total_cost + cost, resconstantqual: [] };
}

const widthOf = (root: PlannerInfo, target: readonly TargetEntry[]): number => targetWidth(root, target.map((t) => t.expr));

// ------------------------------------------------------------------ grouping

function makeTargets(root: PlannerInfo, final: TargetEntry[], grouping: boolean, having: Expr[], windows: boolean): Targets {
  const q = root.parse;
  let windowInput = final;
  if (windows) windowInput = flattened(root, final, q.windowClause.flatMap((w) => [...w.partitionClause, ...w.orderClause]), grouping, q.windowClause.flatMap((w) => [w.startOffset, w.endOffset].filter((e) => e !== null)));
  let grouped = windows ? windowInput : final;

  let groupInput = final;
  let sets: number[][] | null = null;
  if (grouping) {
    // Group columns first, then the Vars that aggregates and the rest use.
    groupInput = [];
    const add = (e: Expr, ref: number): void => {
      const known = groupInput.find((t) => equal(t.expr, e));
      if (known === undefined) groupInput.push({ ...makeTargetEntry(e, groupInput.length + 1, null, false), ressortgroupref: ref });
      else if (ref !== 0 && known.ressortgroupref === 0) known.ressortgroupref = ref;
      else if (ref !== 0 && known.ressortgroupref !== ref) groupInput.push({ ...makeTargetEntry(e, groupInput.length + 1, null, false), ressortgroupref: ref });
    };
    for (const c of q.groupClause) add(final.find((t) => t.ressortgroupref === c.tleSortGroupRef)!.expr, c.tleSortGroupRef);
    const rest = (e: Expr): void => {
      for (const v of varsOutsideGroups(e, groupInput)) add(v, 0);
    };
    for (const t of final) rest(t.expr);
    for (const h of having) rest(h);
    grouped = setInputTarget(grouped, groupInput.filter((x) => containsSrf(x.expr)).map((x) => x.expr));
    sets = q.groupingSets.length > 0 ? expandGroupingSets(q.groupingSets, q.groupDistinct).map((set) => set.map((ref) => q.groupClause.findIndex((c) => c.tleSortGroupRef === ref))) : null;
  }
  return { final, groupInput, grouped, windowInput, sets };
}

/** Vars of an expression that are not inside a group column. */
function varsOutsideGroups(e: Expr, groups: readonly TargetEntry[]): Expr[] {
  if (groups.some((g) => g.ressortgroupref !== 0 && equal(g.expr, e))) return [];
  if (e.kind === 'Var') return e.varlevelsup === 0 ? [e] : [];
  const list: Expr[] = [];
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Query') list.push(...varsOutsideGroups(child, groups));
    return false;
  });
  return list;
}

/** A subquery's columns as they come: then its scan need not be there at all (use_physical_tlist). */
function withAllColumns(plan: Plan): Plan {
  if (plan.kind !== 'SubqueryScan' || plan.qual.length > 0 || plan.subplan.targetlist.some((t) => t.resjunk)) return plan;
  const { targetlist, subplan, scanrelid } = plan;
  if (targetlist.length > subplan.targetlist.length || !targetlist.every(({ expr }) => expr.kind === 'Var' && expr.varattno > 0)) return plan;
  const list = subplan.targetlist.map(({ expr }, i) => {
    const column = makeVar(scanrelid, i + 1, exprType(expr), exprTypmod(expr), exprCollation(expr), 0);
    const wanted = targetlist.filter((t) => (t.expr as typeof column).varattno === i + 1);
    return { ...makeTargetEntry(column, i + 1, null, false), ressortgroupref: wanted[0]?.ressortgroupref ?? 0, twice: wanted.length > 1 };
  });
  return list.some((t) => t.twice) ? plan : { ...plan, targetlist: list.map(({ twice: _twice, ...t }) => t) };
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

function groupKey(c: SortGroupClause, target: readonly TargetEntry[]): GroupKey {
  const i = target.findIndex((t) => t.ressortgroupref === c.tleSortGroupRef);
  const { expr } = target[i]!;
  return { column: i + 1, eqop: c.eqop, collation: exprCollation(expr), type: exprType(expr) };
}

export function sortKey(c: SortGroupClause, target: readonly TargetEntry[]): SortKey {
  const i = target.findIndex((t) => t.ressortgroupref === c.tleSortGroupRef);
  const { expr } = target[i]!;
  return { column: i + 1, sortop: c.sortop, collation: exprCollation(expr), nullsFirst: c.nulls_first, type: exprType(expr), reverse: sortOperator(c.sortop).reverse };
}

function hasOrderedAggs(list: readonly Expr[]): boolean {
  let found = false;
  for (const e of list) walkExpr(e, (node) => { if (node.kind === 'Aggref') found ||= node.aggdistinct.length > 0 || node.aggorder.length > 0 || node.aggkind !== 'n'; });
  return found;
}

/** The target lists and HAVING are over the tables of the query, also for a part of them. */
function planGrouping(root: PlannerInfo, rel: RelOptInfo | null, t: Targets, having: Expr[]): Built {
  const whole = planGroups(root, rel, rel === null ? t : ofPart(rel, t), rel === null ? having : having.map((e) => overPart(rel, e)));
  const byPartition = rel === null ? null : groupByPartition(root, rel, t, having);
  return byPartition !== null && byPartition.plan.total_cost < whole.plan.total_cost ? byPartition : whole;
}

const FUZZ = 1.01;
/** add_path: of what costs about the same, the one in order stays. */
const isAsGood = (sorted: Plan, hashed: Plan): boolean => sorted.total_cost <= hashed.total_cost * FUZZ && sorted.startup_cost <= hashed.startup_cost * FUZZ;

/** create_partitionwise_grouping_paths: groups that are each in one partition are made partition by partition; null: they are not. */
function groupByPartition(root: PlannerInfo, rel: RelOptInfo, t: Targets, having: Expr[]): Built | null {
  const { parts } = rel;
  if (parts === null || t.sets !== null || !getBool('enable_partitionwise_aggregate') || t.groupInput.some((x) => containsSrf(x.expr))) return null;
  const live = liveParts(parts);
  const groups = root.parse.groupClause.map((c) => t.groupInput.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr);
  if (live.length === 0 || live.some((p) => p.cheapestTotal === null)) return null;
  if (!groupsByKey(parts, groups)) return groupInSteps(root, rel, parts, t, having);
  const plans = live.flatMap((part) => {
    const { plan } = planGrouping(root, part, t, having);
    return plan.kind === 'Append' ? plan.appendplans : [plan];
  });
  const append: Built = { plan: { ...appendOf(plans, t.grouped), plan_width: widthOf(root, t.grouped) }, pathkeys: [] };
  const { sortClause } = root.parse;
  if (rel.translators.length > 0 || sortClause.length === 0 || root.parse.hasWindowFuncs || root.parse.distinctClause.length > 0) return append;
  if (commonPathkeys(root.queryPathkeys, pathkeysForSort(root, sortClause, t.final)) === 0) return append;
  const merged = mergeSorted(root, live.map((part) => planGroups(root, part, ofPart(part, t), having.map((e) => overPart(part, e)), 'sorted').plan), t.grouped);
  if (merged === null) return append;
  const [a, b] = [append, merged].map((x) => ordered(root, x, sortClause, t.final, root.limitTuples).plan) as [Plan, Plan];
  return isAsGood(b, a) ? merged : append;
}

const ofPart = (part: RelOptInfo, t: Targets): Targets => ({ ...t, groupInput: overPartTargets(part, t.groupInput), grouped: overPartTargets(part, t.grouped) });
const overPartTargets = (part: RelOptInfo, list: TargetEntry[]): TargetEntry[] => (part.translators.length === 0 ? list : list.map((x) => ({ ...x, expr: overPart(part, x.expr) })));

/** Groups that each of these gives in the order of GROUP BY; null: not all of them do, or what is sorted by is not among the columns. */
function mergeSorted(root: PlannerInfo, plans: readonly Plan[], target: TargetEntry[]): Built | null {
  const clauses = groupOrder(root.parse.groupClause, root.parse.sortClause);
  if (plans.length < 2 || plans.some((p) => p.kind !== 'Agg' || p.aggstrategy !== 'sorted') || clauses.some((c) => !target.some((t) => t.ressortgroupref === c.tleSortGroupRef))) return null;
  const { total_cost, plan_rows, ...append } = appendOf(plans, target);
  const first = 2 * costs.cpuOperator * plans.length * Math.log2(plans.length);
  return {
    plan: {
      ...append, kind: 'MergeAppend', mergeplans: [...plans], sortKeys: clauses.map((c) => sortKey(c, target)), bound: null, byMember: true, plan_rows, plan_width: widthOf(root, target),
      startup_cost: first + plans.reduce((n, p) => n + p.startup_cost, 0), total_cost: total_cost + first + plan_rows * 2 * costs.cpuOperator * Math.log2(plans.length),
    } as Plan, pathkeys: root.queryPathkeys,
  };
}

const liveParts = (parts: PartitionedRel): RelOptInfo[] => parts.rels.filter((p) => p !== null);

/** Groups of each partition, put together by a Finalize node. */
function groupInSteps(root: PlannerInfo, rel: RelOptInfo, parts: PartitionedRel, t: Targets, having: Expr[]): Built | null {
  const { groupClause } = root.parse;
  const target = partialTarget(t.groupInput.filter((x) => x.ressortgroupref !== 0), [...t.grouped.map((x) => x.expr), ...having]);
  if (target === null) return null;
  const first = (part: RelOptInfo, how: 'step' | 'sorted'): Plan[] => {
    if (part.parts !== null) return liveParts(part.parts).flatMap((p) => first(p, how));
    return [{ ...planGroups(root, part, ofPart(part, { ...t, grouped: target }), [], how).plan, aggsplit: 'partial' } as Plan];
  };
  const append = { ...appendOf(liveParts(parts).flatMap((p) => first(p, 'step')), target), plan_width: widthOf(root, target), apprelids: rel.translators.length === 0 ? [] : members(rel.relids), byMember: true };
  const groups = groupClause.length === 0 ? 1 : estimateGroups(root, groupClause.map((c) => overPart(rel, target.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr)), rel.rows);
  const finalize = (child: Plan, aggstrategy: 'plain' | 'sorted' | 'hashed'): Plan => {
    const cpu = child.plan_rows * costs.cpuOperator * (countAggs([...t.grouped.map((x) => x.expr), ...having]) + groupClause.length);
    return {
      kind: 'Agg', ...over(child, t.grouped), qual: having, groupKeys: groupClause.map((c) => groupKey(c, target)), groupRefs: groupClause.map((c) => c.tleSortGroupRef), aggrefs: [], aggsplit: 'final', aggstrategy,
      startup_cost: aggstrategy === 'sorted' ? child.startup_cost : child.total_cost + cpu, total_cost: child.total_cost + cpu + groups * costs.cpuTuple, plan_rows: groups, plan_width: widthOf(root, t.grouped),
      numGroups: groups, groupingSets: null,
    };
  };
  if (groupClause.length === 0) return { plan: finalize(append, 'plain'), pathkeys: [] };
  const hashed = groupClause.every((c) => c.hashable) && enabled.hashagg ? finalize(append, 'hashed') : null;
  if (groupClause.some((c) => c.sortop === 0)) return hashed === null ? null : { plan: hashed, pathkeys: [] };
  let sorted = { plan: finalize(sortPlan(append, groupOrder(groupClause, root.parse.sortClause), target, -1), 'sorted'), pathkeys: root.queryPathkeys };
  if (hashed === null) {
    const merged = mergeSorted(root, liveParts(parts).flatMap((p) => first(p, 'sorted')), target);
    if (merged !== null && merged.plan.total_cost < sorted.plan.lefttree!.total_cost) sorted = { plan: finalize(merged.plan, 'sorted'), pathkeys: root.queryPathkeys };
  }
  if (hashed === null || isAsGood(sorted.plan, hashed)) return sorted;
  const above = rel.translators.length === 0 && wantsGroupOrder(root.parse) ? sortCost(groups, hashed.plan_width, root.limitTuples) : { startup: 0, run: 0 };
  return sorted.plan.total_cost < hashed.total_cost + above.startup + above.run ? sorted : { plan: hashed, pathkeys: [] };
}

/** An ORDER BY above wants what sorting for groups gives anyway. */
const wantsGroupOrder = (q: Query): boolean => q.sortClause.length > 0 && q.sortClause.every((s) => q.groupClause.some((g) => g.tleSortGroupRef === s.tleSortGroupRef));

/** `how`: the first of two steps, which no ORDER BY is above; or sorted, if that can be. */
function planGroups(root: PlannerInfo, rel: RelOptInfo | null, t: Targets, having: Expr[], how: 'best' | 'step' | 'sorted' = 'best'): Built {
  const q = root.parse;
  const aggCount = countAggs([...t.final.map((x) => x.expr), ...having]);
  const groupKeysOf = (input: readonly TargetEntry[]): GroupKey[] => q.groupClause.map((c) => groupKey(c, input));
  const common = { qual: having, groupKeys: groupKeysOf(t.groupInput), groupRefs: q.groupClause.map((c) => c.tleSortGroupRef), aggrefs: [] };
  const savedFraction = root.tupleFraction;
  const savedLimit = root.limitTuples;
  // All rows are needed for groups, whatever the limit above.
  root.tupleFraction = 0;
  root.limitTuples = -1;
  const finish = (input: Plan, strategy: 'plain' | 'sorted' | 'hashed' | 'mixed', rows: number, pathkeys: PathKey[]): Built => {
    const child = withAllColumns(input);
    const cpu = child.plan_rows * costs.cpuOperator * (aggCount + common.groupKeys.length);
    const startup = strategy === 'sorted' ? child.startup_cost : child.total_cost + cpu;
    const total = child.total_cost + cpu + rows * costs.cpuTuple;
    root.tupleFraction = savedFraction;
    root.limitTuples = savedLimit;
    return {
      plan: { kind: 'Agg', ...over(child, t.grouped), ...common, groupKeys: child === input ? common.groupKeys : groupKeysOf(child.targetlist), startup_cost: startup, total_cost: total, plan_rows: rows, plan_width: widthOf(root, t.grouped), aggstrategy: strategy, numGroups: rows, groupingSets: t.sets },
      pathkeys,
    };
  };
  if (q.groupClause.length === 0 && t.sets === null) return finish(groupInputPlan(root, rel, t.groupInput).plan, 'plain', 1, []);
  const groupExprs = q.groupClause.map((c) => t.groupInput.find((x) => x.ressortgroupref === c.tleSortGroupRef)!.expr);
  const input = rel === null ? 1 : rel.rows;
  const groups = estimateGroups(root, groupExprs, input);
  if (t.sets !== null) {
    const sets = t.sets.length, collects = hasOrderedAggs([...t.final.map((x) => x.expr), ...having]);
    if (t.sets.some((set) => set.some((i) => q.groupClause[i]!.sortop === 0) && (collects || set.some((i) => !q.groupClause[i]!.hashable)))) throw cannotGroup();
    return finish(groupInputPlan(root, rel, t.groupInput).plan, t.sets.every((s) => s.length === 0) && sets === 1 ? 'hashed' : 'mixed', clampRows(groups * Math.max(1, sets / 2)), []);
  }
  const sortable = q.groupClause.every((c) => c.sortop !== 0);
  // What an aggregate sorts or makes distinct is kept for one group at a time.
  const hashable = (how !== 'sorted' || !sortable) && q.groupClause.every((c) => c.hashable) && enabled.hashagg && !(sortable && hasOrderedAggs([...t.final.map((x) => x.expr), ...having]));
  const order = sortable ? root.queryPathkeys : [];
  const sorted = rel !== null && sortable && !groupExprs.some(containsSrf) ? cheapestFractional(rel.paths, order, 0) : null;
  const cheapest = rel?.cheapestTotal ?? null;
  const sort = cheapest === null ? { startup: 0, run: 0 } : sortCost(cheapest.rows, rel!.width, 0);
  const hashTotal = (cheapest?.total ?? 0) + input * costs.cpuOperator * groupExprs.length + groups * costs.cpuTuple;
  const wantsOrder = how === 'best' && wantsGroupOrder(q);
  const above = sortCost(groups, 32, savedLimit);
  const hashCost = hashTotal + (wantsOrder ? above.startup + above.run : 0);
  const sortedCost = sorted === null ? Infinity : sorted.total + input * costs.cpuOperator * groupExprs.length + groups * costs.cpuTuple;
  const bySortCost = (cheapest?.total ?? 0) + sort.startup + sort.run + input * costs.cpuOperator * groupExprs.length + groups * costs.cpuTuple;
  if (sortable && (!hashable || (sortedCost <= hashCost && sortedCost <= bySortCost))) {
    if (sorted !== null && sortedCost <= bySortCost) {
      root.curOuterParams = [];
      return finish(applyTarget(root, sorted.make(), t.groupInput), 'sorted', groups, order);
    }
    const child = groupInputPlan(root, rel, t.groupInput);
    return finish(sortPlan(child.plan, groupOrder(q.groupClause, q.sortClause), t.groupInput, -1), 'sorted', groups, order);
  }
  const sortsEarly = (cheapest?.total ?? 0) + sort.startup <= (wantsOrder ? hashCost - above.run : hashTotal - groups * costs.cpuTuple) * FUZZ;
  if (sortable && (bySortCost < hashCost || (bySortCost <= hashCost * FUZZ && sortsEarly))) {
    const child = groupInputPlan(root, rel, t.groupInput);
    return finish(sortPlan(child.plan, groupOrder(q.groupClause, q.sortClause), t.groupInput, -1), 'sorted', groups, order);
  }
  if (!hashable && !sortable) throw cannotGroup();
  return finish(groupInputPlan(root, rel, t.groupInput).plan, 'hashed', groups, []);
}

const cannotGroup = (): PgError => new PgError('feature_not_supported', 'could not implement GROUP BY', {
  detail: 'Some of the datatypes only support hashing, while others only support sorting.',
});

/** The input of grouping, sets included when there is grouping by them. */
const groupInputPlan = (root: PlannerInfo, rel: RelOptInfo | null, target: TargetEntry[]): Built => withSets(scanTarget(root, rel, setInputTarget(target), []), target);

const countAggs = (list: readonly Expr[]): number => {
  let n = 0;
  for (const e of list) walkExpr(e, (node) => { if (node.kind === 'Aggref') n++; });
  return n;
};

/** All the single grouping sets that ROLLUP, CUBE and GROUPING SETS stand for (expand_grouping_sets). */
export function expandGroupingSets(sets: readonly GroupingSet[], distinct: boolean): number[][] {
  const one = (set: GroupingSet): number[][] => {
    switch (set.kind) {
      case 'empty': return [[]];
      case 'simple': return [set.content as number[]];
      case 'rollup': {
        const parts = (set.content as GroupingSet[]).map((s) => s.content as number[]);
        return Array.from({ length: parts.length + 1 }, (_x, i) => parts.slice(0, parts.length - i).flat());
      }
      case 'cube': {
        const parts = (set.content as GroupingSet[]).map((s) => s.content as number[]);
        return Array.from({ length: 1 << parts.length }, (_x, i) => parts.filter((_p, k) => ((1 << parts.length) - 1 - i) & (1 << (parts.length - 1 - k))).flat());
      }
      case 'sets': return (set.content as GroupingSet[]).flatMap(one);
    }
  };
  let result: number[][] = [[]];
  for (const set of sets) {
    const expanded = one(set);
    result = result.flatMap((a) => expanded.map((b) => [...new Set([...a, ...b])]));
  }
  if (distinct) {
    const seen = new Set<string>();
    result = result.filter((s) => {
      const key = [...s].sort((a, b) => a - b).join();
      return seen.has(key) ? false : (seen.add(key), true);
    });
  }
  return result;
}

// ------------------------------------------------------------------ sorting and DISTINCT

export function sortPlan(child: Plan, clauses: readonly SortGroupClause[], target: readonly TargetEntry[], limit: number): Plan {
  const keys: SortKey[] = [];
  for (const c of clauses) {
    const key = sortKey(c, target);
    if (!keys.some((k) => k.column === key.column)) keys.push(key);
  }
  const cost = sortCost(child.plan_rows, child.plan_width, limit);
  return {
    kind: 'Sort', ...over(child, child.targetlist), startup_cost: child.total_cost + cost.startup, total_cost: child.total_cost + cost.startup + cost.run, sortKeys: keys, bound: null,
  };
}

/** Rows in the order of these clauses, sorted as far as they are not. */
function ordered(root: PlannerInfo, built: Built, clauses: readonly SortGroupClause[], target: readonly TargetEntry[], limit: number): Built {
  const pathkeys = pathkeysForSort(root, clauses, target);
  if (pathkeysContain(built.pathkeys, pathkeys)) return built;
  // A key that a condition fixes, or that another is the same as, adds nothing.
  const kept: SortGroupClause[] = [];
  for (const c of clauses) if (pathkeysForSort(root, [...kept, c], target).length > kept.length) kept.push(c);
  const presorted = commonPathkeys(built.pathkeys, pathkeys);
  const full = sortPlan(built.plan, kept, built.plan.targetlist, limit);
  if (presorted === 0 || !enabled.incremental_sort || full.kind !== 'Sort') return { plan: full, pathkeys };
  const { plan } = built;
  const input = { startup: plan.startup_cost, total: plan.total_cost, rows: plan.plan_rows, width: plan.plan_width };
  const cost = incrementalSortCost(input, presortedGroups(root, pathkeys, presorted, plan.plan_rows), limit);
  const share = (c: { startup: number; total: number }): number => fractionalCost({ ...c, rows: plan.plan_rows }, root.tupleFraction);
  const isEarlier = cost.total <= full.total_cost * FUZZ && cost.startup * FUZZ < full.startup_cost;
  if (!isEarlier && share({ startup: full.startup_cost, total: full.total_cost }) < share(cost)) return { plan: full, pathkeys };
  return {
    plan: { kind: 'IncrementalSort', ...over(plan, plan.targetlist), startup_cost: cost.startup, total_cost: cost.total, sortKeys: full.sortKeys, presortedCount: presorted }, pathkeys,
  };
}

function sortBy(root: PlannerInfo, built: Built, clauses: readonly SortGroupClause[], final: TargetEntry[]): Built {
  if (root.parse.setOperations !== null) return { plan: sortPlan(built.plan, clauses, built.plan.targetlist, root.limitTuples), pathkeys: [] };
  return ordered(root, built, clauses, final, root.limitTuples);
}

function addDistinct(root: PlannerInfo, built: Built, final: TargetEntry[]): Built {
  const q = root.parse;
  const { distinctClause, sortClause } = q;
  const exprs = distinctClause.map((c) => final.find((t) => t.ressortgroupref === c.tleSortGroupRef)!.expr);
  const grouped = q.groupClause.length > 0 || q.hasAggs;
  const rows = grouped ? built.plan.plan_rows : estimateGroups(root, exprs, built.plan.plan_rows);
  const keys = distinctClause.map((c) => groupKey(c, final));
  const sortable = distinctClause.every((c) => c.sortop !== 0);
  const hashable = distinctClause.every((c) => c.hashable) && enabled.hashagg && !q.hasDistinctOn;
  // One order for both: the longer of DISTINCT's and ORDER BY's.
  const order = sortClause.length >= distinctClause.length ? [...sortClause] : distinctOrder(distinctClause, sortClause);
  const unique = (child: Built): Built => ({
    plan: { kind: 'Unique', ...over(child.plan, child.plan.targetlist), total_cost: child.plan.total_cost + child.plan.plan_rows * costs.cpuOperator * keys.length, plan_rows: rows, uniqueKeys: keys },
    pathkeys: child.pathkeys,
  });
  const byHash = built.plan.total_cost + built.plan.plan_rows * costs.cpuOperator * keys.length + rows * costs.cpuTuple;
  if (sortable) {
    const wanted = pathkeysForSort(root, order, final);
    const presorted = pathkeysContain(built.pathkeys, wanted);
    const sort = sortCost(built.plan.plan_rows, built.plan.plan_width, -1);
    const above = sortClause.length > 0 ? sortCost(rows, built.plan.plan_width, -1) : { startup: 0, run: 0 };
    if (presorted || !hashable || built.plan.total_cost + sort.startup + sort.run < byHash + above.startup + above.run) {
      return unique(presorted ? built : { plan: sortPlan(built.plan, order, final, -1), pathkeys: wanted });
    }
  }
  if (!hashable) throw notSupported('DISTINCT over types that cannot be sorted');
  return {
    plan: {
      kind: 'Agg', ...over(built.plan, final), startup_cost: byHash, total_cost: byHash, plan_rows: rows, aggstrategy: 'hashed', groupKeys: keys, numGroups: rows, groupingSets: null,
      groupRefs: [], aggrefs: [],
    },
    pathkeys: [],
  };
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
    const list = setInputTarget(final, done).map((t) => ({ ...t }));
    for (const t of final) {
      walkExpr(t.expr, (n) => {
        if (isSet(n) && setDepth(n) <= level && !isDone(n, done) && !list.some((x) => equal(x.expr, n))) list.push(makeTargetEntry(n, list.length + 1, null, false));
      });
    }
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
    for (const c of clause.orderClause) if (!order.some((o) => o.tleSortGroupRef === c.tleSortGroupRef)) order.push(c);
    list.push({ clause, order, funcs: mine });
  }
  // Windows with the longest orders first: the sorts of others may be prefixes of theirs.
  return list.sort((a, b) => {
    for (let i = 0; i < Math.min(a.order.length, b.order.length); i++) {
      const d = b.order[i]!.tleSortGroupRef - a.order[i]!.tleSortGroupRef || b.order[i]!.sortop - a.order[i]!.sortop;
      if (d !== 0) return -d;
    }
    return b.order.length - a.order.length;
  });
}

function addWindow(root: PlannerInfo, built: Built, windows: ActiveWindow[], i: number, t: Targets, final: TargetEntry[], done: readonly Expr[]): Built {
  const { clause, order, funcs } = windows[i]!;
  const last = i === windows.length - 1;
  let child = built;
  if (order.length > 0) {
    const wanted = pathkeysForSort(root, order, t.windowInput);
    if (!pathkeysContain(child.pathkeys, wanted)) child = ordered(root, child, order, child.plan.targetlist, -1);
  }
  const input = child.plan.targetlist;
  let target: TargetEntry[];
  if (last) target = setInputTarget(final, done);
  else target = [...input, ...funcs.map((f, k) => makeTargetEntry(f, input.length + k + 1, null, false))];
  const keyOf = (c: SortGroupClause): GroupKey => groupKey(c, input);
  const run = child.plan.plan_rows * costs.cpuOperator * (funcs.length + order.length) + child.plan.plan_rows * costs.cpuTuple;
  return {
    plan: {
      kind: 'WindowAgg', ...over(child.plan, target), total_cost: child.plan.total_cost + run, winref: clause.winref, partKeys: clause.partitionClause.map(keyOf),
      ordKeys: clause.orderClause.map((c) => sortKey(c, input)), frameOptions: clause.frameOptions, startOffset: clause.startOffset, endOffset: clause.endOffset,
      qual: last ? windows.slice(0, i).flatMap((w) => w.clause.runCondition) : [], runCondition: last ? clause.runCondition : [],
      startInRangeFunc: clause.startInRangeFunc, endInRangeFunc: clause.endInRangeFunc, inRangeColl: clause.inRangeColl, inRangeAsc: clause.inRangeAsc, inRangeNullsFirst: clause.inRangeNullsFirst,
    },
    pathkeys: child.pathkeys,
  };
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
