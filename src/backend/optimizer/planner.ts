// From a Query to a PlannedStmt (PostgreSQL's planner.c). Each query level: rewrite the join tree, simplify its
// expressions, find the cheapest way to scan and join, then put grouping, windows, DISTINCT, ORDER BY, LIMIT and the
// change of the target table on top.
import { internalError } from '../../common/errors.ts';
import { makeAlias, makeConst, makeRangeTblEntry, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Plan, PlannedStmt } from '../nodes/plannodes.ts';
import type { Expr, FromExpr, FromItem, JoinExpr, TargetEntry } from '../nodes/primnodes.ts';
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childPlans, planExprs, walkExpr } from '../executor/plan_walker.ts';
import { canonicalizeQual, containsAggs, containsSubplans, containsVolatile, equal, evalConstExpressions, isConst, isTrue, pullVarClause, simplifyBool } from './clauses.ts';
import { settings } from '../utils/settings.ts';
import { costs, readCostSettings } from './costsize.ts';
import { planUpper, type UpperPlan } from './grouping.ts';
import type { PlannerGlobal, PlannerInfo } from './pathnodes.ts';
import { usefulGroupClause } from './group_columns.ts';
import { maxParallelHazard } from './parallel.ts';
import { over } from './planbuild.ts';
import { estimateSize } from './plancat.ts';
import { inferArbiterIndexes } from '../parser/on_conflict.ts';
import { standsForChildren } from './inherit.ts';
import { flattenJoinAliases, newestPlaceholder, pullUpSublinks, pullUpSubqueries, reduceOuterJoins } from './prepjointree.ts';
import { removeUselessResults } from './resultrels.ts';
import { planRecursiveUnion } from './prepunion.ts';
import { noteRoot, setPlanReferences, takeRoot, withRoots } from './setrefs.ts';
import { processCtes, processSublinks, replaceCorrelationVars, replaceMultiexprParams } from './subselect.ts';
import { subqueryHooks, type PlannedSubquery } from './subroot.ts';
import { overUnionAll } from './unionall.ts';
import { FREE, workerCosts, type WorkerCosts } from './workercost.ts';

/** Makes the plan of an analyzed and rewritten query. `parallelOk`: workers may take part in it (CURSOR_OPT_PARALLEL_OK). */
export function planner(query: Query, parallelOk = true): PlannedStmt {
  readCostSettings();
  const plan = withRoots(() => planStatement(query, null));
  if (!parallelOk || !mayGainByWorkers(plan, costs.parallelSetup)) return plan;
  const given = workerCosts(query);
  if (!mayGainByWorkers(plan, given.setup)) return plan;
  const hazard = maxParallelHazard(query);
  return hazard === 'u' ? plan : withRoots(() => planStatement(query, hazard, given));
}

/** What costs no more than a Gather at the least is not planned with workers: so nothing is looked at that only they need. */
function mayGainByWorkers({ commandType, planTree, subplans, hasModifyingCTE, rtable }: PlannedStmt, setup: number): boolean {
  if (settings.max_parallel_workers_per_gather === 0 || commandType !== 'select' || hasModifyingCTE) return false;
  if (settings.force_parallel_mode !== 'off') return true;
  if (planTree.total_cost <= setup && !subplans.some((p) => p.total_cost > setup)) return false;
  return rtable.some((rte) => rte.rtekind === 'relation' && rte.relkind !== 'v' && isWorthWorkers(openRelation(rte.relid)));
}

function isWorthWorkers(relation: Relation): boolean {
  const given = relation.options.get('parallel_workers');
  if (given !== undefined) return given !== '0';
  return relation.kind === 'p' || relation.hasSubclass || estimateSize(relation).pages >= Math.min(settings.min_parallel_table_scan_size, settings.min_parallel_index_scan_size);
}

/** `hazard`: the worst of what it does, where workers may take part; null: they may not. */
function planStatement(query: Query, hazard: 's' | 'r' | null, given: WorkerCosts = FREE): PlannedStmt {
  const glob: PlannerGlobal = {
    subplans: [], subroots: [], paramExecCount: 0, finalRtable: [], placeholdersBefore: newestPlaceholder(), finalRowMarks: [], hasModifyingCTE: false, alternatives: new Set(), parallelMode: hazard !== null, workerCosts: given, hasRestricted: hazard === 'r',
  };
  const { plan, subroot, parallelSafe } = planQuery(glob, query, null, 0);
  // The range table of the query itself comes first, as EXPLAIN numbers names.
  const planTree = setPlanReferences(parallelSafe && settings.force_parallel_mode !== 'off' ? inOneWorker(plan) : plan);
  for (const [i, subplan] of glob.subplans.entries()) glob.subplans[i] = setPlanReferences(subplan);
  if (glob.alternatives.size > 0) dropUnchosen(planTree, glob);
  if (glob.subplans.length > 0) markDirectCtes(planTree, glob);
  return {
    kind: 'PlannedStmt', commandType: query.commandType, hasReturning: query.returningList.length > 0, hasModifyingCTE: glob.hasModifyingCTE,
    canSetTag: query.canSetTag, planTree, rtable: glob.finalRtable, unplanned: unplannedRelations(query, glob.finalRtable), resultRelations: subroot.parse.resultRelation > 0 ? [query.resultRelation] : [],
    subplans: glob.subplans, rowMarks: glob.finalRowMarks, paramExecCount: glob.paramExecCount, stmt_location: query.stmt_location, stmt_len: query.stmt_len,
  };
}

/** force_parallel_mode: one worker does everything. */
function inOneWorker(plan: Plan): Plan {
  const gather: Plan = {
    kind: 'Gather', ...over({ ...plan, initPlan: [] }, plan.targetlist), initPlan: plan.initPlan, startup_cost: plan.startup_cost + costs.parallelSetup,
    total_cost: plan.total_cost + costs.parallelSetup + costs.parallelTuple * plan.plan_rows, numWorkers: 1, singleCopy: true,
  };
  takeRoot(gather, plan);
  return gather;
}

/** Of subqueries that can be done in two ways, what was not chosen leaves an empty place. */
function dropUnchosen(planTree: Plan, glob: PlannerGlobal): void {
  const used = new Set<number>();
  const visit = (plan: Plan): void => {
    const ids = plan.initPlan.map((i) => i.planId);
    for (const e of planExprs(plan)) walkExpr(e, (n) => { if (n.kind === 'SubPlan') ids.push(n.planId); });
    for (const id of ids) {
      if (used.has(id)) continue;
      used.add(id);
      visit(glob.subplans[id - 1]!);
    }
    childPlans(plan).forEach(visit);
  };
  visit(planTree);
  const nothing: Plan = { kind: 'Result', startup_cost: 0, total_cost: 0, plan_rows: 0, plan_width: 0, targetlist: [], qual: [], lefttree: null, righttree: null, initPlan: [], resconstantqual: [] };
  for (const id of glob.alternatives) if (!used.has(id)) glob.subplans[id - 1] = nothing;
}

/** Entries are copied on the way to the plan; their names are not. */
function unplannedRelations(query: Query, planned: readonly RangeTblEntry[]): RangeTblEntry[] {
  const all: RangeTblEntry[] = [];
  const visit = ({ rtable, cteList }: Query): void => {
    for (const rte of rtable) {
      if (rte.requiredPerms !== 0) all.push(rte);
      if (rte.subquery !== null) visit(rte.subquery);
    }
    for (const cte of cteList) if (cte.cterefcount > 0) visit(cte.ctequery);
  };
  visit(query);
  if (all.length === 0) return all;
  const known = new Set(planned.map((rte) => rte.eref));
  return all.filter((rte) => !known.has(rte.eref));
}

function makeRoot(glob: PlannerGlobal, query: Query, parent: PlannerInfo | null): PlannerInfo {
  return {
    glob, parse: query, parent, rtable: query.rtable, rels: [], joinRels: new Map(), allBaserels: 0n, joinInfoList: [], placeholders: [], ecs: [], ecMergingDone: false,
    initPlans: [], planParams: [], ctes: new Map(), wtParamId: -1, wtRows: 0, queryPathkeys: [], tupleFraction: 0, limitTuples: -1, curOuterRels: 0n,
    curOuterParams: [], rowMarks: [], multiexprParams: new Map(), hasLateral: false, hasHaving: query.havingQual !== null, qualSecurityLevel: 0, resultTargetList: [], totalTablePages: 0, clauseFacts: new Map(),
  };
}

function planQuery(glob: PlannerGlobal, query: Query, parent: PlannerInfo | null, tupleFraction: number): PlannedSubquery {
  const root = makeRoot(glob, query, parent);
  root.tupleFraction = tupleFraction;
  const { plan: bare, pathkeys, parallelSafe, partial } = subqueryPlanner(root);
  let plan = bare;
  if (root.initPlans.length > 0) plan = { ...plan, initPlan: [...root.initPlans, ...plan.initPlan] };
  noteRoot(plan, root);
  // Initplans are the leader's (SS_charge_for_initplans).
  const isFree = root.initPlans.length === 0;
  return { plan, subroot: root, pathkeys, parallelSafe: parallelSafe && isFree, partial: isFree ? partial : [] };
}

subqueryHooks.planSubquery = (root, query, tupleFraction) => planQuery(root.glob, query, root, tupleFraction);
subqueryHooks.planRecursive = (root, cte) => {
  const sub = makeRoot(root.glob, cte.ctequery, root);
  if (cte.ctequery.cteList.length > 0) processCtes(sub);
  const plan = planRecursiveUnion(sub);
  const withInits = sub.initPlans.length > 0 ? { ...plan, initPlan: sub.initPlans } : plan;
  noteRoot(withInits, sub);
  return { plan: withInits, subroot: sub, pathkeys: [], parallelSafe: false, partial: [] };
};

function subqueryPlanner(root: PlannerInfo): UpperPlan {
  if (root.parse.cteList.length > 0) processCtes(root);
  let q = root.parse.commandType === 'merge' ? mergeToJoin(root.parse) : overUnionAll(root.parse);
  if (q.hasSubLinks) q = pullUpSublinks(q);
  if (q.rtable.some((r) => r.rtekind === 'subquery' || r.rtekind === 'function' || r.rtekind === 'values')) q = pullUpSubqueries(q);
  q = flattenJoinAliases(q, q.rtable);
  root.parse = q;
  root.rtable = q.rtable;
  for (const [i, rte] of q.rtable.entries()) if (rte.rtekind === 'subquery' && rte.subquery === null) throw internalError(`range table entry ${i + 1} lost its subquery`);
  preprocessQuery(root);
  root.parse = reduceOuterJoins(root.parse);
  removeUselessResults(root);
  return planUpper(root);
}

/** transform_MERGE_to_join: source and target are joined, by an outer join when unmatched rows of the source are inserted. */
function mergeToJoin(q: Query): Query {
  const [source] = q.jointree.fromlist;
  const left = q.mergeActionList.some((a) => a.command === 'insert');
  const target: FromItem = { kind: 'RangeTblRef', rtindex: q.resultRelation };
  const rtindex = q.rtable.length + 1;
  const join: JoinExpr = {
    kind: 'JoinExpr', jointype: left ? 'left' : 'inner', isNatural: false, usingClause: [], join_using_alias: null, larg: left ? source! : target, rarg: left ? target : source!,
    quals: q.jointree.quals, alias: null, rtindex,
  };
  const entry = { ...makeRangeTblEntry('join', null, makeAlias('unnamed_join', [])), jointype: join.jointype };
  return { ...q, rtable: [...q.rtable, entry], jointree: { kind: 'FromExpr', fromlist: [join], quals: null } };
}

const TRUE_CONST = makeConst(16, -1, 0, true);

/** preprocess_expression of everything in the query. */
function preprocessQuery(root: PlannerInfo): void {
  const hasSublinks = root.parse.hasSubLinks;
  const value = (e: Expr): Expr => {
    if (e.kind === 'Const') return e;
    let result = evalConstExpressions(e);
    if (hasSublinks || containsSubplans(result)) result = processSublinks(root, result, false);
    return root.parent === null ? result : replaceCorrelationVars(root, result);
  };
  const qual = (e: Expr | null): Expr | null => {
    if (e === null) return null;
    let result = canonicalizeQual(evalConstExpressions(e));
    if (hasSublinks || containsSubplans(result)) result = processSublinks(root, result, true);
    if (root.parent !== null) result = replaceCorrelationVars(root, result);
    return isTrue(result) ? null : result;
  };
  const targets = (list: TargetEntry[]): TargetEntry[] => list.map((t) => ({ ...t, expr: value(t.expr) }));
  const from = (item: FromItem): FromItem => {
    switch (item.kind) {
      case 'RangeTblRef': return item;
      case 'FromExpr': return { ...item, fromlist: item.fromlist.map(from), quals: qual(item.quals) };
      case 'JoinExpr': return { ...item, larg: from(item.larg), rarg: from(item.rarg), quals: qual(item.quals) };
    }
  };
  const q = root.parse;
  // Sublinks of a multiple assignment come first, so that their parameters are known to the others.
  let targetList = targets(q.targetList);
  targetList = targetList.map((t) => ({ ...t, expr: replaceMultiexprParams(root, t.expr) }));
  const withCheckOptions = q.withCheckOptions.length === 0 ? q.withCheckOptions : q.withCheckOptions.map((wco) => ({ ...wco, qual: qual(wco.qual) }));
  const rtable = q.rtable.map((r): RangeTblEntry => {
    switch (r.rtekind) {
      case 'relation':
        if (r.tablesample) r = { ...r, tablesample: { ...r.tablesample, args: r.tablesample.args.map(value), repeatable: r.tablesample.repeatable === null ? null : value(r.tablesample.repeatable) } };
        if (r.securityQuals.length === 0) return r;
        root.qualSecurityLevel = Math.max(root.qualSecurityLevel, r.securityQuals.length);
        return { ...r, securityQuals: r.securityQuals.map((q) => qual(q) ?? TRUE_CONST) };
      case 'function': return { ...r, functions: r.functions.map((f) => ({ ...f, funcexpr: value(f.funcexpr) })) };
      case 'values': return { ...r, values_lists: r.values_lists.map((row) => (row.every(isConst) ? row : row.map(value))) };
      case 'subquery': return r;
      default: return r;
    }
  });
  let jointree = from(q.jointree) as FromExpr;
  const oc = q.onConflict;
  let havingQual = qual(q.havingQual);
  // HAVING conditions without aggregates are WHERE conditions, unless grouping is what makes the rows.
  if (havingQual !== null && (q.groupingSets.length === 0 || q.groupClause.length === 0)) {
    const having: Expr[] = [];
    const where: Expr[] = [];
    for (const clause of makeAndsImplicit(havingQual)) {
      if (containsAggs(clause) || containsVolatile(clause) || containsSubplans(clause)) having.push(clause);
      else if (q.groupClause.length > 0) where.push(clause);
      else {
        where.push(clause);
        having.push(clause);
      }
    }
    if (where.length > 0) jointree = { ...jointree, quals: simplifyBool('and', [...(jointree.quals === null ? [] : [jointree.quals]), ...where]) };
    havingQual = having.length === 0 ? null : simplifyBool('and', having);
  }
  root.parse = {
    ...q, targetList, rtable, jointree, havingQual, groupClause: usefulGroupClause({ ...q, targetList, rtable }),
    withCheckOptions,
    mergeActionList: q.mergeActionList.map((a) => ({ ...a, qual: qual(a.qual), targetList: targets(a.targetList).map((t) => ({ ...t, expr: replaceMultiexprParams(root, t.expr) })) })),
    returningList: targets(q.returningList), limitOffset: q.limitOffset === null ? null : value(q.limitOffset),
    limitCount: q.limitCount === null ? null : value(q.limitCount),
    windowClause: q.windowClause.map((w) => ({ ...w, startOffset: w.startOffset === null ? null : value(w.startOffset), endOffset: w.endOffset === null ? null : value(w.endOffset) })),
    onConflict: oc === null ? null : {
      ...oc, arbiterIndexes: inferArbiterIndexes(openRelation(q.rtable[q.resultRelation - 1]!.relid), oc),
      arbiterElems: oc.arbiterElems.map(value), arbiterWhere: qual(oc.arbiterWhere), onConflictSet: targets(oc.onConflictSet).map((t) => ({ ...t, expr: replaceMultiexprParams(root, t.expr) })), onConflictWhere: qual(oc.onConflictWhere),
    },
  };
  root.rtable = rtable;
  preprocessRowMarks(root);
  root.resultTargetList = preprocessTargetList(root);
}

/** MERGE: the target row's place, and whatever actions want of the source. */
function mergeTargetList(root: PlannerInfo): TargetEntry[] {
  const q = root.parse;
  let list = [makeTargetEntry(makeVar(q.resultRelation, -1, 27, -1, 0, 0), 1, 'ctid', true)];
  if (standsForChildren(root.rtable[q.resultRelation - 1]!)) list = [...list, makeTargetEntry(makeVar(q.resultRelation, -6, 26, -1, 0, 0), 2, 'tableoid', true)];
  for (const e of q.mergeActionList.flatMap((a) => [...(a.qual === null ? [] : [a.qual]), ...a.targetList.map((t) => t.expr)])) {
    for (const v of pullVarClause(e, true, true)) {
      if ((v.kind === 'Var' ? v.varno === q.resultRelation : v.kind !== 'PlaceHolderVar') || list.some((x) => equal(x.expr, v))) continue;
      list = [...list, makeTargetEntry(v, list.length + 1, null, true)];
    }
  }
  return list;
}

function preprocessRowMarks(root: PlannerInfo): void {
  for (const mark of root.parse.rowMarks) {
    const rte = root.rtable[mark.rti - 1]!;
    if (rte.rtekind !== 'relation') continue;
    root.rowMarks.push({ rti: mark.rti, strength: mark.strength, waitPolicy: mark.waitPolicy, reference: false, rowIdColumn: 0, tableOidColumn: 0, members: [] });
  }
  const { commandType, resultRelation, jointree } = root.parse;
  if (root.rowMarks.length === 0 && commandType !== 'update' && commandType !== 'delete' && commandType !== 'merge') return;
  const visit = (item: FromItem): void => {
    if (item.kind === 'FromExpr') item.fromlist.forEach(visit);
    else if (item.kind === 'JoinExpr') {
      visit(item.larg);
      // The other side of a semijoin does not come through.
      if (item.jointype !== 'semi' && item.jointype !== 'anti') visit(item.rarg);
    } else if (item.rtindex !== resultRelation && root.rtable[item.rtindex - 1]!.rtekind === 'relation' && !root.rowMarks.some((m) => m.rti === item.rtindex)) {
      root.rowMarks.push({ rti: item.rtindex, strength: 'keyshare', waitPolicy: 'block', reference: true, rowIdColumn: 0, tableOidColumn: 0, members: [] });
    }
  };
  visit(jointree);
}

/** preprocess_targetlist: INSERT gets a column for every attribute, UPDATE and DELETE the row's id, FOR UPDATE ids too. */
function preprocessTargetList(root: PlannerInfo): TargetEntry[] {
  const q = root.parse;
  let list = q.targetList;
  if (q.commandType === 'insert') {
    const rel = openRelation(root.rtable[q.resultRelation - 1]!.relid);
    if (rel.kind === 'f') throw foreignTableUnreachable(rel.oid);
    const byNumber = new Map(list.filter((t) => !t.resjunk).map((t) => [t.resno, t]));
    list = rel.attributes.map((a) => byNumber.get(a.attnum)
      ?? makeTargetEntry({ kind: 'Const', consttype: a.attisdropped ? 23 : a.atttypid, consttypmod: -1, constcollid: 0, constvalue: null, location: -1 }, a.attnum, a.attname, false));
    list = [...list, ...q.targetList.filter((t) => t.resjunk)];
  } else if (q.commandType === 'update' || q.commandType === 'delete') {
    // A view as target has INSTEAD OF triggers, which want the whole row instead of its place.
    const isView = root.rtable[q.resultRelation - 1]!.relkind === 'v';
    list = q.commandType === 'delete' ? list.filter((t) => isView && t.resname === 'wholerow').map((t) => ({ ...t, resno: 1 })) : list.map((t, i) => ({ ...t, resno: i + 1 }));
    if (standsForChildren(root.rtable[q.resultRelation - 1]!)) list = [...list, makeTargetEntry(makeVar(q.resultRelation, -6, 26, -1, 0, 0), list.length + 1, 'tableoid', true)];
    if (!isView) list = [...list, makeTargetEntry(makeVar(q.resultRelation, -1, 27, -1, 0, 0), list.length + 1, 'ctid', true)];
  }
  if (q.commandType === 'merge') list = mergeTargetList(root);
  for (const mark of root.rowMarks) {
    list = [...list, makeTargetEntry(makeVar(mark.rti, -1, 27, -1, 0, 0), list.length + 1, `ctid${mark.rti}`, true)];
    mark.rowIdColumn = list.length;
    if (!standsForChildren(root.rtable[mark.rti - 1]!)) continue;
    list = [...list, makeTargetEntry(makeVar(mark.rti, -6, 26, -1, 0, 0), list.length + 1, `tableoid${mark.rti}`, true)];
    mark.tableOidColumn = list.length;
  }
  // RETURNING may mention other relations than the target.
  for (const t of q.returningList) {
    for (const e of pullVarClause(t.expr, true, true)) {
      if ((e.kind === 'Var' ? e.varno === q.resultRelation : e.kind !== 'PlaceHolderVar') || list.some((x) => equal(x.expr, e))) continue;
      list = [...list, makeTargetEntry(e, list.length + 1, null, true)];
    }
  }
  return list;
}

/**
 * A recursive WITH query that is read in one place, once, comes straight through without being kept: a LIMIT above can
 * then end a recursion that would not end by itself.
 */
function markDirectCtes(planTree: Plan, glob: PlannerGlobal): void {
  const scans: { scan: Plan & { kind: 'CteScan' }; once: boolean }[] = [];
  /** `owned`: the WITH queries of nodes above that are run as often as this node is. */
  const visit = (plan: Plan, owned: ReadonlySet<number>): void => {
    const here = plan.initPlan.some((i) => i.subLinkType === 'cte') ? new Set([...owned, ...plan.initPlan.map((i) => i.planId)]) : owned;
    if (plan.kind === 'CteScan') scans.push({ scan: plan, once: here.has(plan.ctePlanId) });
    const repeats = plan.kind === 'NestLoop' || plan.kind === 'RecursiveUnion';
    for (const child of childPlans(plan)) visit(child, repeats && child === plan.righttree ? new Set() : here);
  };
  for (const plan of [planTree, ...glob.subplans]) visit(plan, new Set());
  for (const { scan, once } of scans) {
    const recursive = glob.subplans[scan.ctePlanId - 1]!.kind === 'RecursiveUnion';
    if (once && recursive && scans.filter((s) => s.scan.ctePlanId === scan.ctePlanId).length === 1) scan.direct = true;
  }
}
