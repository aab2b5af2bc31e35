// Paths for single relations and the search for a join order (PostgreSQL's allpaths.c, joinrels.c, geqo's place taken
// by a greedy search).
import { ephemeralRelation } from '../parser/query_environment.ts';
import type { RangeTblEntry, SetOperationNode, TableSampleClause } from '../nodes/parsenodes.ts';
import { PgError, internalError } from '../../common/errors.ts';
import { functionInfo } from '../executor/fmgr_info.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Expr, FromItem, TargetEntry } from '../nodes/primnodes.ts';
import { makeConst } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { containsSrf, containsSubplans, containsVolatile, evalConstExpressions, incrementLevels, isConst, isFalseOrNull, mutateDeep, mutateQueryDeep, pullVarClause, pullVarnos, pullVars, stripPlaceholders } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, enabled, exprCost, parallelDivisor, qualEvalCost, rowsOfOne } from './costsize.ts';
import { addAppendPaths } from './appendpath.ts';
import { relevantJoinClause } from './equivclass.ts';
import { excludedByConstraints, expandInheritedRel, standsForChildren } from './inherit.ts';
import { createIndexPaths } from './indxpath.ts';
import { addUsefulGathers } from './gatherpath.ts';
import { findLateralReferences } from './initsplan.ts';
import { considerParallel, parallelWorkers } from './parallel.ts';
import { paramPathInfo } from './parampath.ts';
import { addPartitionwisePaths, isLegalJoin, makeJoinRel } from './joinrels.ts';
import { replaceNestloopParams, subqueryOuterParams, targetOfRel } from './nestparams.ts';
import { subqueryPathkeys } from './pathkeys.ts';
import { hasVolatile } from './prepjointree.ts';
import { addPartialPath, addPath, setCheapest } from './pathnode.ts';
import type { CteEntry, Path, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { containsLeakedVars } from './leakproof.ts';
import { EMPTY, isSubset, members, overlaps, singleton } from './relids.ts';
import { baseRel, markDummy, targetWidth } from './relnode.ts';
import { arrayLength, clauselistSelectivity } from './selfuncs.ts';
import { pushRunCondition } from './runcondition.ts';
import { noteRoot } from './setrefs.ts';
import { createJoinTidPaths, createTidPaths } from './tidpath.ts';
import { planSubquery } from './subroot.ts';
import { expandUnionAll, standsForMembers } from './unionall.ts';

/** Lateral references of a relation to its siblings, at this query level. */
export function collectLateral(root: PlannerInfo): void {
  findLateralReferences(root, (rel) => {
    const rte = rel.rte!;
    const vars: Expr[] = [], take = (e: Expr): void => { vars.push(...pullVarClause(e, true, true)); };
    switch (rte.rtekind) {
      case 'subquery':
        // What a placeholder is made of is asked for where it is made.
        mutateQueryDeep(rte.subquery!, (n, depth) => {
          if (n.kind === 'Var' && n.varlevelsup === depth) vars.push(incrementLevels(n, -depth, depth));
          if (n.kind !== 'PlaceHolderVar' || n.phlevelsup !== depth) return undefined;
          vars.push(evalConstExpressions(incrementLevels(n, -depth, depth)));
          return n;
        }, 1);
        break;
      case 'relation':
        if (rte.tablesample) for (const e of [...rte.tablesample.args, rte.tablesample.repeatable]) if (e !== null) take(e);
        break;
      case 'function': for (const f of rte.functions) take(f.funcexpr); break;
      case 'values': for (const row of rte.values_lists) for (const e of row) if (e.kind !== 'Const') take(e); break;
      default:
    }
    return vars;
  });
}

/** Sizes and paths of all base relations; sizes first, as they tell how often a scan with values of others is run. */
function setBaseRelPaths(root: PlannerInfo): void {
  const rels = members(root.allBaserels).map((rti) => baseRel(root, rti));
  for (const rel of rels) {
    const rte = rel.rte!;
    rel.considerParallel = considerParallel(root, rel);
    if (rte.rtekind !== 'relation' && isNeverTrue(rel)) {
      markDummy(root, rel);
      continue;
    }
    switch (rte.rtekind) {
      case 'relation':
        if (standsForChildren(rte)) setAppendRelSize(root, rel);
        else finishSize(root, rel);
        break;
      case 'subquery':
        if (standsForMembers(rte)) setUnionAllSize(root, rel);
        else setSubqueryRel(root, rel);
        break;
      case 'function': setFunctionRel(root, rel); break;
      case 'values': setValuesRel(root, rel); break;
      case 'cte': setCteRel(root, rel); break;
      case 'namedtuplestore': setNamedTuplestoreRel(root, rel); break;
      case 'result': setResultRel(root, rel); break;
      case 'join': throw internalError('a join as a base relation');
    }
  }
  for (const rel of rels) {
    if (rel.children !== null) setAppendRelPaths(root, rel);
    else if (rel.rte!.rtekind === 'relation') setPlainRel(root, rel);
    // Of the whole query workers give the final columns.
    if (rel.relids !== root.allBaserels) addUsefulGathers(root, rel, rel.rows);
    setCheapest(rel);
  }
}

function finishSize(root: PlannerInfo, rel: RelOptInfo): void {
  rel.rows = clampRows(rel.tuples * clauselistSelectivity(root, rel.restrictions.filter((r) => !r.pseudoconstant)));
  rel.width = targetWidth(root, rel.target);
}

const quals = (rel: RelOptInfo): Expr[] => orderedClauses(rel.restrictions.filter((r) => !r.pseudoconstant));

/** A scan that reads all its relation has. What it takes values from anyway, and `outer`, gives it join conditions to test, too. */
function scanPath(root: PlannerInfo, rel: RelOptInfo, kind: string, startup: number, total: number, make: (path: Path, quals: Expr[]) => Plan, outer = rel.lateralRelids): Path {
  const param = outer === EMPTY ? null : paramPathInfo(root, rel, outer);
  const paramClauses = param === null ? [] : param.clauses;
  const path: Path = {
    kind, rel, rows: param === null ? rel.rows : param.rows, startup, total: total + rel.tuples * qualEvalCost(paramClauses).perTuple, pathkeys: [], requiredOuter: outer, paramClauses, parallelSafe: rel.considerParallel,
    make: () => gated(root, rel, make(path, param === null ? quals(rel) : orderedClauses([...rel.restrictions.filter((r) => !r.pseudoconstant), ...paramClauses]).map((q) => replaceNestloopParams(root, q)))),
    reparameterize: (wanted) => scanPath(root, rel, kind, startup, total, make, wanted),
  };
  return path;
}

/** Conditions without Vars are tested once, by a Result above the scan. */
function gated(root: PlannerInfo, rel: RelOptInfo, plan: Plan): Plan {
  const constant = rel.restrictions.filter((r) => r.pseudoconstant).map((r) => r.clause);
  if (constant.length === 0) return plan;
  if (plan.kind === 'Result' && plan.lefttree === null) return { ...plan, resconstantqual: [...constant, ...plan.resconstantqual] };
  return {
    kind: 'Result', startup_cost: plan.startup_cost, total_cost: plan.total_cost, plan_rows: plan.plan_rows, plan_width: plan.plan_width,
    targetlist: targetOfRel(root, rel), qual: [], lefttree: plan, righttree: null, initPlan: [], resconstantqual: constant,
  };
}

/** What folds to false is the only condition that is left; what classes of equals find out beside others gates the scan. */
const isNeverTrue = ({ restrictions }: RelOptInfo): boolean => restrictions.length === 1 && isFalseOrNull(restrictions[0]!.clause);

/** A table with children: each has its own paths, which are put together. */
function setAppendRelSize(root: PlannerInfo, rel: RelOptInfo): void {
  // What can have no row needs no children.
  if (rel.restrictions.some((r) => isFalseOrNull(r.clause))) rel.children = [];
  else expandInheritedRel(root, rel);
  const children = rel.children!;
  for (const { child } of children) {
    child.considerParamStartup = rel.considerParamStartup;
    finishSize(root, child);
  }
  shareParallel(root, rel);
  if (rel.relation!.kind !== 'p') rel.indexes = [];
  sumUp(root, rel);
}

/** All children may be read in workers, or none. */
function shareParallel(root: PlannerInfo, rel: RelOptInfo): void {
  if (!rel.considerParallel) return;
  rel.considerParallel = rel.children!.every(({ child }) => considerParallel(root, child));
  for (const { child } of rel.children!) child.considerParallel = rel.considerParallel;
}

/** Sizes of a table as those of its children. */
function sumUp(root: PlannerInfo, rel: RelOptInfo): void {
  const children = rel.children!;
  for (const part of subpartitioned(rel)) sumUp(root, part);
  rel.tuples = children.reduce((n, c) => n + c.child.tuples, 0);
  rel.pages = children.reduce((n, c) => n + c.child.pages, 0);
  rel.rows = clampRows(children.reduce((n, c) => n + c.child.rows, 0));
  rel.target.forEach((e, i) => {
    if (e.kind === 'Var' && e.varattno > 0 && children.length > 0) rel.columnWidths.set(e.varattno, Math.round(children.reduce((n, { child }) => n + child.rows * targetWidth(root, [child.target[i]!]), 0) / children.reduce((n, { child }) => n + child.rows, 0)));
  });
  rel.width = targetWidth(root, rel.target);
}

/** What never has a row. */
const isEmpty = (plan: Plan): boolean => plan.kind === 'Result' && plan.lefttree === null && plan.resconstantqual.some((q) => q.kind === 'Const' && q.slot === undefined && q.constvalue === false);

/** The members of a UNION ALL; those that are subqueries get their paths at once. */
function setUnionAllSize(root: PlannerInfo, rel: RelOptInfo): void {
  expandUnionAll(root, rel);
  shareParallel(root, rel);
  for (const { child } of rel.children!) {
    child.considerParamStartup = rel.considerParamStartup;
    if (child.relation !== null) finishSize(root, child);
    else if (child.rte!.rtekind === 'result') setResultRel(root, child);
    else setSubqueryRel(root, child);
  }
  rel.children = rel.children!.filter(({ child }) => child.subplan === null || !isEmpty(child.subplan));
  rel.tuples = rel.children.reduce((n, c) => n + c.child.rows, 0);
  rel.rows = clampRows(rel.tuples);
  rel.width = targetWidth(root, rel.target);
}

function setAppendRelPaths(root: PlannerInfo, rel: RelOptInfo): void {
  for (const { child } of rel.children!) {
    if (child.relation !== null) setPlainRel(root, child);
    setCheapest(child);
  }
  putTogether(root, rel);
}

function putTogether(root: PlannerInfo, rel: RelOptInfo): void {
  for (const part of subpartitioned(rel)) {
    part.considerParallel = rel.considerParallel;
    putTogether(root, part);
    setCheapest(part);
  }
  if (rel.children!.length === 0) markDummy(root, rel);
  else addAppendPaths(root, rel);
}

/** Partitions that are relations of their own, having partitions. */
const subpartitioned = (rel: RelOptInfo): RelOptInfo[] => (rel.parts === null ? [] : rel.parts.rels.filter((p) => p !== null && p.parts !== null) as RelOptInfo[]);

function setPlainRel(root: PlannerInfo, rel: RelOptInfo): void {
  if (isNeverTrue(rel)
    || (rel.appendInfo === null && excludedByConstraints(rel.relation!, rel.rti, rel.restrictions, true))) {
    markDummy(root, rel);
    return;
  }
  if (rel.rte!.tablesample) {
    addSamplePath(root, rel, rel.rte!.tablesample);
    return;
  }
  const cost = qualEvalCost(rel.restrictions);
  const startup = cost.startup + (enabled.seqscan ? 0 : DISABLE_COST);
  const disk = startup + rel.pages * costs.seqPage, cpu = rel.tuples * (costs.cpuTuple + cost.perTuple);
  const whole = scanPath(root, rel, 'SeqScan', startup, disk + cpu, (path, filter) => ({
    kind: 'SeqScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti, tidrangequals: NO_QUALS,
  }));
  addPath(rel, whole);
  const partial = partialSeqScan(rel, whole, startup, disk, cpu);
  if (partial !== null) addPartialPath(rel, partial);
  createIndexPaths(root, rel);
  createTidPaths(root, rel);
  createJoinTidPaths(root, rel);
  for (const p of [...rel.paths, ...rel.partialPaths]) {
    if (p !== whole && p !== partial) {
      const inner = p.make;
      p.make = () => gated(root, rel, inner());
    }
  }
}

/** create_plain_partial_paths; null: it is not worth a worker. */
function partialSeqScan(rel: RelOptInfo, { make, ...whole }: Path, startup: number, disk: number, cpu: number): Path | null {
  const workers = rel.considerParallel && rel.lateralRelids === EMPTY ? parallelWorkers(rel, rel.pages, -1) : 0;
  if (workers <= 0) return null;
  const path: Path = {
    ...whole, rows: rowsOfOne(rel.rows, workers), startup, total: disk + cpu / parallelDivisor(workers), parallelWorkers: workers, make: () => sharedScan(make(), path),
  };
  return path;
}

/** A scan in which the processes take turns. */
function sharedScan(plan: Plan, path: Path): Plan {
  const own = { total_cost: path.total, plan_rows: path.rows };
  return plan.kind === 'Result' ? { ...plan, ...own, lefttree: sharedScan(plan.lefttree!, path) } : { ...plan, ...own, parallelAware: true };
}

const NO_QUALS: Expr[] = [];

function addSamplePath(root: PlannerInfo, rel: RelOptInfo, { tsmhandler, args, repeatable }: TableSampleClause): void {
  const [percent] = args;
  const value = percent?.kind === 'Const' && percent.slot === undefined ? percent.constvalue : null;
  const fraction = typeof value === 'number' && value >= 0 && value <= 100 ? value / 100 : 0.1;
  const bySystem = functionInfo(tsmhandler).prosrc === 'tsm_system_handler';
  const pages = bySystem ? clampRows(rel.pages * fraction) : rel.pages;
  rel.tuples = clampRows(rel.tuples * fraction);
  finishSize(root, rel);
  const total = pages * (bySystem ? costs.randomPage : costs.seqPage) + rel.tuples * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple);
  addPath(rel, scanPath(root, rel, 'SampleScan', 0, total, (path, filter) => {
    const inner = (e: Expr): Expr => replaceNestloopParams(root, e);
    return {
      kind: 'SampleScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti,
      tablesample: { tsmhandler, args: args.map(inner), repeatable: repeatable === null ? null : inner(repeatable) },
    };
  }));
}

function setResultRel(root: PlannerInfo, rel: RelOptInfo): void {
  rel.tuples = 1;
  finishSize(root, rel);
  addPath(rel, scanPath(root, rel, 'Result', 0, costs.cpuTuple, (path, filter) => ({
    kind: 'Result', ...planBase(path, targetOfRel(root, rel), []), resconstantqual: filter,
  })));
}

function setFunctionRel(root: PlannerInfo, rel: RelOptInfo): void {
  const rte = rel.rte!;
  let rows = 1;
  for (const f of rte.functions) rows = Math.max(rows, functionRows(f.funcexpr));
  rel.tuples = rows;
  finishSize(root, rel);
  const startup = rte.functions.reduce((c, f) => c + exprCost(f.funcexpr), 0);
  const total = startup + rows * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple);
  addPath(rel, scanPath(root, rel, 'FunctionScan', startup, total, (path, filter) => ({
    kind: 'FunctionScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti,
    functions: rte.functions.map((f) => ({ ...f, funcexpr: replaceNestloopParams(root, f.funcexpr) })), funcordinality: rte.funcordinality,
  })));
}

/** prorows, or for generate_series over literals and for arrays what it will give. */
export function functionRows(e: Expr): number {
  // Nobody knows how many rows a document has.
  if (e.kind === 'TableFunc') return 100;
  if (e.kind !== 'FuncExpr' || !e.funcretset) return 1;
  const { prosrc, proc } = functionInfo(e.funcid);
  if (prosrc === 'array_unnest') return arrayLength(e.args[0]!);
  if (/^generate_series(_step)?_int[48]$/.test(prosrc) && e.args.every((a) => a.kind === 'Const' && a.slot === undefined && a.constvalue !== null)) {
    const [from, to, step] = e.args.map((a) => Number((a as { constvalue: number }).constvalue));
    const by = step ?? 1;
    return by === 0 ? 1 : Math.max(0, Math.floor((to! - from! + by) / by));
  }
  return proc.prorows || 1000;
}

function setValuesRel(root: PlannerInfo, rel: RelOptInfo): void {
  const rte = rel.rte!;
  rel.tuples = rte.values_lists.length;
  finishSize(root, rel);
  const total = rel.tuples * (costs.cpuOperator + costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple);
  addPath(rel, scanPath(root, rel, 'ValuesScan', 0, total, (path, filter) => ({
    kind: 'ValuesScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti,
    values_lists: rte.values_lists.map((row) => (row.every(isConst) ? row : row.map((e) => replaceNestloopParams(root, e)))),
  })));
}

function findCte(root: PlannerInfo, name: string, levelsup: number): { entry: CteEntry | undefined; root: PlannerInfo } {
  let at: PlannerInfo | null = root;
  for (let i = 0; i < levelsup; i++) at = at?.parent ?? null;
  if (at === null) throw internalError(`bad levelsup for CTE "${name}"`);
  return { entry: at.ctes.get(name), root: at };
}

function setNamedTuplestoreRel(root: PlannerInfo, rel: RelOptInfo): void {
  const { ctename, coltypes } = rel.rte!;
  rel.tuples = Math.max(1, ephemeralRelation(ctename)?.table.rowCount ?? 1000);
  finishSize(root, rel);
  addPath(rel, scanPath(root, rel, 'NamedTuplestoreScan', 0, rel.tuples * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple), (path, filter) => ({
    kind: 'NamedTuplestoreScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti, enrname: ctename, coltypes,
  })));
}

function setCteRel(root: PlannerInfo, rel: RelOptInfo): void {
  const rte = rel.rte!;
  if (rte.self_reference) {
    let at: PlannerInfo | null = root;
    // The recursive term's own level has the work table.
    for (let i = 0; i < rte.ctelevelsup - 1; i++) at = at?.parent ?? null;
    let holder = at;
    while (holder !== null && holder.wtParamId < 0) holder = holder.parent;
    if (holder === null) throw internalError(`no work table for CTE "${rte.ctename}"`);
    rel.tuples = Math.max(1, 10 * holder.wtRows);
    finishSize(root, rel);
    const { wtParamId } = holder;
    addPath(rel, scanPath(root, rel, 'WorkTableScan', 0, rel.tuples * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple), (path, filter) => ({
      kind: 'WorkTableScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti, wtParam: wtParamId,
    })));
    return;
  }
  const { entry } = findCte(root, rte.ctename, rte.ctelevelsup);
  if (entry === undefined) throw internalError(`no plan was made for CTE "${rte.ctename}"`);
  entry.references++;
  rel.tuples = entry.rows;
  finishSize(root, rel);
  addPath(rel, scanPath(root, rel, 'CteScan', 0, rel.tuples * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple), (path, filter) => ({
    kind: 'CteScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti, ctePlanId: entry.planId, cteParam: entry.paramId, direct: false,
  })));
}

// ------------------------------------------------------------------ subqueries

function setSubqueryRel(root: PlannerInfo, rel: RelOptInfo): void {
  const rte = rel.rte!;
  let subquery = rte.subquery!;
  const used = new Set<number>();
  // Conditions on the subquery's columns go into it where that changes nothing but speed.
  if (canPushInto(subquery)) {
    const kept = [];
    // What is volatile is to see each row once, as it comes out.
    const keepsVolatile = subquery.distinctClause.length > 0 || subquery.hasWindowFuncs || subquery.hasTargetSRFs || subquery.setOperations !== null;
    for (const r of rel.restrictions) {
      const pushed = r.pseudoconstant || containsSubplans(r.clause) || (keepsVolatile && containsVolatile(r.clause)) || (pullVarnos(r.clause) & ~rel.relids) !== EMPTY || (rte.security_barrier && containsLeakedVars(r.clause)) ? null : pushInto(subquery, r.clause, rel.rti);
      if (pushed !== null) {
        subquery = pushed;
        continue;
      }
      const run = r.pseudoconstant || rte.security_barrier ? null : pushRunCondition(subquery, r.clause, rel.rti);
      if (run !== null) {
        subquery = run.query;
        for (const v of pullVars(r.clause)) used.add(v.varattno);
      }
      if (run === null || run.keep) kept.push(r);
    }
    rel.restrictions = kept;
  }
  for (const e of [...rel.target, ...rel.restrictions.map((r) => r.clause)]) for (const v of pullVars(e)) if (v.varno === rel.rti) used.add(v.varattno);
  subquery = withoutUnused(subquery, used);
  const fraction = subqueryFraction(root) ? root.tupleFraction : 0;
  const saved = root.planParams;
  root.planParams = [];
  const { plan, subroot, pathkeys, parallelSafe, partial } = planSubquery(root, subquery, fraction, rel.lateralRelids !== EMPTY || rte.lateral);
  rel.subplanParams = root.planParams;
  root.planParams = saved;
  rel.subroot = subroot;
  rel.subplan = plan;
  rel.tuples = plan.plan_rows;
  finishSize(root, rel);
  const total = plan.total_cost + rel.tuples * (costs.cpuTuple + qualEvalCost(rel.restrictions).perTuple);
  const scan = scanPath(root, rel, 'SubqueryScan', plan.startup_cost, total, (path, filter) => {
    subqueryOuterParams(root, rel.subplanParams);
    return {
      kind: 'SubqueryScan', ...planBase(path, targetOfRel(root, rel), filter), scanrelid: rel.rti, subplan: plan,
    };
  });
  scan.pathkeys = subqueryPathkeys(root, rel, subroot, pathkeys);
  scan.parallelSafe = rel.considerParallel && parallelSafe;
  addPath(rel, scan);
  if (rel.considerParallel && rel.lateralRelids === EMPTY) for (const p of partial) addPartialPath(rel, partialSubqueryScan(root, rel, subroot, p));
}

/** The rows of a subquery as processes share them. */
function partialSubqueryScan(root: PlannerInfo, rel: RelOptInfo, subroot: PlannerInfo, sub: Path): Path {
  const workers = sub.parallelWorkers!;
  const cost = qualEvalCost(rel.restrictions);
  const path: Path = {
    kind: 'SubqueryScan', rel, rows: clampRows(sub.rows * clauselistSelectivity(root, rel.restrictions.filter((r) => !r.pseudoconstant))), startup: sub.startup + cost.startup, total: sub.total + cost.startup + sub.rows * (costs.cpuTuple + cost.perTuple),
    pathkeys: subqueryPathkeys(root, rel, subroot, sub.pathkeys), requiredOuter: EMPTY, paramClauses: [], parallelSafe: true, parallelWorkers: workers,
    make: () => {
      const subplan = sub.make();
      noteRoot(subplan, subroot);
      return gated(root, rel, { kind: 'SubqueryScan', ...planBase(path, targetOfRel(root, rel), quals(rel)), scanrelid: rel.rti, subplan });
    },
  };
  return path;
}

/** remove_unused_subquery_outputs: a column that nobody reads is NULL, where it says nothing of the rows themselves. */
function withoutUnused(q: SubQuery, used: ReadonlySet<number>): SubQuery {
  if (q.commandType !== 'select' || q.setOperations !== null || q.distinctClause.length > 0 || used.has(0)) return q;
  const isUnused = ({ expr, resno, resjunk, ressortgroupref }: TargetEntry): boolean =>
    !resjunk && ressortgroupref === 0 && !used.has(resno) && expr.kind !== 'Const' && !containsSrf(expr) && !hasVolatile(expr);
  if (!q.targetList.some(isUnused)) return q;
  return { ...q, targetList: q.targetList.map((t) => (isUnused(t) ? { ...t, expr: makeConst(exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), null) } : t)) };
}

/** Only one relation, nothing above it that wants all rows: the limit counts for the subquery too. */
const subqueryFraction = (root: PlannerInfo): boolean => {
  const q = root.parse;
  return members(root.allBaserels).length === 1 && q.groupClause.length === 0 && !q.hasAggs && q.distinctClause.length === 0 && q.sortClause.length === 0 && !q.hasWindowFuncs;
};

type SubQuery = NonNullable<RangeTblEntry['subquery']>;

function canPushInto(q: SubQuery): boolean {
  return q.commandType === 'select' && q.limitCount === null && q.limitOffset === null && q.groupingSets.length === 0 && q.rowMarks.length === 0
    && !q.hasDistinctOn && !q.hasModifyingCTE && (q.setOperations === null || isWithoutExcept({ kind: 'SetOperationStmt', ...q.setOperations }));
}

/** A condition on a UNION or an INTERSECT is one on each of its members; of EXCEPT's right side fewer rows would take fewer away. */
function isWithoutExcept(node: SetOperationNode): boolean {
  return node.kind === 'RangeTblRef' || (node.op !== 'except' && isWithoutExcept(node.larg) && isWithoutExcept(node.rarg));
}

function pushIntoMembers(q: SubQuery, clause: Expr, rti: number): SubQuery | null {
  const { colTypes } = q.setOperations!;
  const columns = pullVars(clause).map((v) => v.varattno - 1);
  const rtable = [];
  for (const rte of q.rtable) {
    if (rte.subquery === null || !canPushInto(rte.subquery)) return null;
    // A member whose column has another type means another operator.
    const { targetList } = rte.subquery;
    if (columns.some((i) => targetList[i] === undefined || exprType(targetList[i].expr) !== colTypes[i])) return null;
    const pushed = pushInto(rte.subquery, clause, rti);
    if (pushed === null) return null;
    rtable.push({ ...rte, subquery: pushed });
  }
  return { ...q, rtable };
}

/** The subquery with the condition added to its WHERE, or HAVING when it groups; null when that is not right. */
function pushInto(q: SubQuery, clause: Expr, rti: number): SubQuery | null {
  if (q.setOperations !== null) return pushIntoMembers(q, clause, rti);
  const tles = q.targetList;
  for (const v of pullVars(clause)) {
    if (v.varno !== rti || v.varattno <= 0) return null;
    const tle = tles[v.varattno - 1];
    if (tle === undefined || containsVolatile(tle.expr) || containsSrf(tle.expr) || containsSubplans(tle.expr)) return null;
    // Each partition of a window must keep all its rows or none.
    if (q.hasWindowFuncs && !q.windowClause.every((w) => w.partitionClause.some((p) => p.tleSortGroupRef === tle.ressortgroupref && tle.ressortgroupref > 0))) return null;
  }
  const moved = mutateDeep(stripPlaceholders(clause), (n, depth) => (n.kind === 'Var' && n.varlevelsup === depth && n.varno === rti && depth === 0 ? tles[n.varattno - 1]!.expr : undefined));
  const grouped = q.hasAggs || q.groupClause.length > 0;
  if (!grouped) return { ...q, jointree: { ...q.jointree, quals: andOf(q.jointree.quals, moved) } };
  return { ...q, havingQual: andOf(q.havingQual, moved) };
}
const andOf = (a: Expr | null, b: Expr): Expr => (a === null ? b : { kind: 'BoolExpr', boolop: 'and', args: [a, b], location: -1 });

// ------------------------------------------------------------------ join order

const MAX_DYNAMIC = 8;

/** make_rel_from_joinlist: the relation of all of them joined. */
export function makeOneRel(root: PlannerInfo): RelOptInfo {
  markStartupUses(root);
  setBaseRelPaths(root);
  // Some joins may have been left out.
  const rels = inFromOrder(root.parse.jointree).filter((rti) => root.rels[rti] !== undefined).map((rti) => baseRel(root, rti));
  if (rels.length === 1) return rels[0]!;
  const result = rels.length <= MAX_DYNAMIC ? standardJoinSearch(root, rels) : greedyJoinSearch(root, rels);
  if (result === null) throw new PgError('internal_error', 'failed to build any join order');
  return result;
}

/** Relations in the order they are written, which decides between joins that cost the same. */
function inFromOrder(item: FromItem): number[] {
  switch (item.kind) {
    case 'RangeTblRef': return [item.rtindex];
    case 'JoinExpr': return [...inFromOrder(item.larg), ...inFromOrder(item.rarg)];
    case 'FromExpr': return item.fromlist.flatMap(inFromOrder);
  }
}

/** set_base_rel_consider_startup: the right side of a semi or anti join is left at the first match. */
function markStartupUses(root: PlannerInfo): void {
  for (const sj of root.joinInfoList) {
    if (sj.jointype !== 'semi' && sj.jointype !== 'anti') continue;
    const rti = singleton(sj.synRighthand);
    if (rti !== 0) baseRel(root, rti).considerParamStartup = true;
  }
}

/** has_join_restriction: an outer join or a lateral reference has a say in how it may be joined. */
function hasJoinRestriction(root: PlannerInfo, rel: RelOptInfo): boolean {
  if (rel.lateralRelids !== EMPTY || (root.hasLateral && rel.kind === 'base' && root.rels.some((r) => r !== undefined && overlaps(r.lateralRelids, rel.relids)))) return true;
  if (root.placeholders.some(({ node: { evalAt } }) => isSubset(rel.relids, evalAt) && rel.relids !== evalAt)) return true;
  return root.joinInfoList.some((sj) => !(isSubset(sj.minLefthand, rel.relids) && isSubset(sj.minRighthand, rel.relids))
    && overlaps(sj.minRighthand | sj.minLefthand, rel.relids));
}

/** join_search_one_level, one after the other: the best joins of 2, 3, ... relations from the best of fewer. */
function standardJoinSearch(root: PlannerInfo, rels: RelOptInfo[]): RelOptInfo | null {
  const levels: RelOptInfo[][] = [[], rels];
  const linked = (rel: RelOptInfo): boolean => rel.joinClauses.length > 0 || rel.hasEcJoins || hasJoinRestriction(root, rel);
  for (let level = 2; level <= rels.length; level++) {
    const made = new Set<RelOptInfo>();
    const join = (a: RelOptInfo, b: RelOptInfo, clauses: boolean): void => {
      if (overlaps(a.relids, b.relids) || (clauses && !relevantJoinClause(root, a, b) && !orderForces(root, rels, a, b))) return;
      const rel = makeJoinRel(root, a, b);
      if (rel !== null) made.add(rel);
    };
    levels[level - 1]!.forEach((a, i) => {
      const others = level === 2 && linked(a) ? rels.slice(i + 1) : rels;
      for (const b of others) join(a, b, linked(a));
    });
    // Bushy: two joins of several relations each.
    for (let k = 2; k <= level - k; k++) {
      levels[k]!.forEach((a, i) => {
        if (!linked(a)) return;
        for (const b of k === level - k ? levels[k]!.slice(i + 1) : levels[level - k]!) join(a, b, true);
      });
    }
    if (made.size === 0) {
      for (const a of levels[level - 1]!) for (const b of rels) join(a, b, false);
      if (made.size === 0) for (let k = 2; k <= level - k; k++) for (const a of levels[k]!) for (const b of levels[level - k]!) join(a, b, false);
    }
    for (const rel of made) {
      addPartitionwisePaths(root, rel);
      if (rel.relids !== root.allBaserels) addUsefulGathers(root, rel, rel.rows);
      setCheapest(rel);
    }
    levels.push([...made]);
  }
  return levels[rels.length]?.[0] ?? null;
}

/** have_join_order_restriction. */
function orderForces(root: PlannerInfo, rels: readonly RelOptInfo[], a: RelOptInfo, b: RelOptInfo): boolean {
  if (overlaps(a.directLateral, b.relids) || overlaps(b.directLateral, a.relids)) return true;
  // Both are needed to compute something.
  if (root.placeholders.some(({ node: { evalAt } }) => isSubset(a.relids | b.relids, evalAt))) return true;
  let isForced = false;
  for (const sj of root.joinInfoList) {
    if ((isSubset(sj.minLefthand, a.relids) && isSubset(sj.minRighthand, b.relids)) || (isSubset(sj.minLefthand, b.relids) && isSubset(sj.minRighthand, a.relids))
      // Both belong to one side of an outer join, which may have to be put together first.
      || (overlaps(sj.minRighthand, a.relids) && overlaps(sj.minRighthand, b.relids)) || (overlaps(sj.minLefthand, a.relids) && overlaps(sj.minLefthand, b.relids))) {
      if (sj.jointype === 'full') return true;
      isForced = true;
    }
  }
  // What can be joined to something by a condition waits for that (has_legal_joinclause).
  return isForced && ![a, b].some((x) => rels.some((other) => !overlaps(x.relids, other.relids) && relevantJoinClause(root, x, other) && isLegalJoin(root, x, other)));
}

/** Many relations: always the join that gives the fewest rows next. */
function greedyJoinSearch(root: PlannerInfo, rels: RelOptInfo[]): RelOptInfo | null {
  let clumps = [...rels];
  while (clumps.length > 1) {
    let best: { rel: RelOptInfo; a: RelOptInfo; b: RelOptInfo; score: number } | null = null;
    for (const related of [true, false]) {
      for (let i = 0; i < clumps.length; i++) {
        for (let j = i + 1; j < clumps.length; j++) {
          const a = clumps[i]!;
          const b = clumps[j]!;
          if (related !== (relevantJoinClause(root, a, b) || orderForces(root, rels, a, b))) continue;
          // Looked at in an earlier round, it is what it was.
          let rel = root.joinRels.get(a.relids | b.relids) ?? null;
          if (rel === null) {
            rel = makeJoinRel(root, a, b);
            if (rel === null) continue;
            addPartitionwisePaths(root, rel);
            if (rel.relids !== root.allBaserels) addUsefulGathers(root, rel, rel.rows);
            setCheapest(rel);
          }
          const score = rel.rows * Math.max(1, rel.cheapestTotal!.total / 1e6) + rel.cheapestTotal!.total / 1e9;
          if (best === null || score < best.score) best = { rel, a, b, score };
        }
      }
      if (best !== null) break;
    }
    if (best === null) return null;
    const { a, b, rel } = best;
    clumps = clumps.filter((c) => c !== a && c !== b);
    clumps.push(rel);
  }
  return clumps[0]!;
}

