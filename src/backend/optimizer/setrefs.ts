// The last pass over a plan (PostgreSQL's setrefs.c): range table entries of all query levels go into one list, Vars
// above the scans become references to columns of the node below.
import { internalError } from '../../common/errors.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import { INNER_VAR, OUTER_VAR, type Append, type BitmapPlan, type MergeAppend, type Plan } from '../nodes/plannodes.ts';
import type { Expr, SubPlan, TargetEntry } from '../nodes/primnodes.ts';
import { equal, isConst, stripPlaceholders } from './clauses.ts';
import { combining } from './partialagg.ts';
import type { PruneInfo } from './partprune.ts';
import type { PlannerInfo } from './pathnodes.ts';
import { newestPlaceholder } from './prepjointree.ts';

/** Which query level a subquery's plan belongs to. No WeakMap of all plans: young garbage collections spare what is in one, and it grew old. */
let roots = new Map<Plan, PlannerInfo>();

/** Plans a statement, perhaps in the midst of another's planning. */
export function withRoots<T>(plan: () => T): T {
  const outer = roots;
  roots = new Map();
  try {
    return plan();
  } finally {
    roots = outer;
  }
}

export function noteRoot(plan: Plan, root: PlannerInfo): void {
  roots.set(plan, root);
}

/** `above`: what is the plan of the level from now on. */
export const takeRoot = (above: Plan, plan: Plan): void => noteRoot(above, roots.get(plan)!);

/** The statement has placeholders; subqueries that can be done in two ways. */
let strips = false, alternatives = false;

export function setPlanReferences(plan: Plan): Plan {
  const root = roots.get(plan);
  if (root === undefined) throw internalError('plan of an unknown query level');
  const { glob } = root;
  const offset = glob.finalRtable.length;
  strips = newestPlaceholder() !== glob.placeholdersBefore;
  alternatives = glob.alternatives.size > 0;
  for (const rte of root.rtable) glob.finalRtable.push(rte.rtekind === 'subquery' ? { ...rte, subquery: null } : rte);
  for (const mark of root.rowMarks) if (!mark.reference) glob.finalRowMarks.push({ ...mark, rti: mark.rti + offset });
  return setRefs(plan, offset);
}

type Lists = { outer: readonly (TargetEntry | null)[] | null; inner: readonly (TargetEntry | null)[] | null };

/** fix_alternative_subplan: of two ways to the same, the one that costs less where it is run so often. */
function chosen(e: Expr, calls: number, below: readonly TargetEntry[]): Expr {
  // It comes from below.
  if (below.length > 0 && find(below, e) >= 0) return e;
  if (e.kind === 'SubPlan' && e.alternative !== null) {
    const { alternative } = e;
    const cost = (s: SubPlan): number => s.startup_cost + calls * s.per_call_cost;
    return chosen(cost(alternative) <= cost(e) ? alternative : { ...e, alternative: null }, calls, below);
  }
  return e.kind === 'Var' || e.kind === 'Const' ? e : expressionTreeMutator(e, (child) => chosen(child, calls, below));
}

/** A condition is asked of more rows than a node gives; as there, of twice as many. */
function withChosenSubplans(plan: Plan): Plan {
  const below = [...plan.lefttree?.targetlist ?? [], ...plan.righttree?.targetlist ?? []];
  const inList = (e: Expr): Expr => chosen(e, plan.plan_rows, below), inQual = (e: Expr): Expr => chosen(e, plan.plan_rows * 2, below);
  const base: Plan = { ...plan, targetlist: mapTargets(plan.targetlist, inList), qual: plan.qual.map(inQual) };
  switch (base.kind) {
    case 'NestLoop': case 'HashJoin': case 'MergeJoin': return { ...base, joinqual: base.joinqual.map(inQual) };
    case 'Result': return { ...base, resconstantqual: base.resconstantqual.map((e) => chosen(e, 1, below)) };
    default: return base;
  }
}

function setRefs(original: Plan, offset: number): Plan {
  const plan = alternatives ? withChosenSubplans(original) : original;
  const initPlan = plan.initPlan.map((s) => fixSubPlan(s, offset));
  switch (plan.kind) {
    case 'SeqScan': case 'SampleScan': case 'GinScan': case 'IndexScan': case 'IndexOnlyScan': case 'TidScan': case 'BitmapIndexScan': case 'BitmapHeapScan': case 'FunctionScan': case 'ValuesScan': case 'NamedTuplestoreScan': case 'CteScan': case 'WorkTableScan': {
      const scan = (e: Expr): Expr => fixScan(e, offset);
      const base = { ...plan, initPlan, scanrelid: plan.scanrelid + offset, targetlist: mapTargets(plan.targetlist, scan), qual: plan.qual.map(scan) } as Plan;
      switch (base.kind) {
        case 'BitmapHeapScan': return { ...base, bitmapqualorig: base.bitmapqualorig.map(scan), lefttree: setRefs(base.lefttree!, offset) };
        case 'IndexScan': case 'IndexOnlyScan': case 'BitmapIndexScan':
          return { ...base, extraquals: base.extraquals.map(scan), conditions: base.conditions.map((c) => ({ ...c, value: c.value === null ? null : scan(c.value) })), indexqual: base.indexqual.map(scan), indexorderby: base.indexorderby.map(scan) };
        case 'GinScan': return { ...base, conditions: base.conditions.map((c) => ({ ...c, value: scan(c.value) })), indexqual: base.indexqual.map(scan) };
        case 'SampleScan': {
          const { tsmhandler, args, repeatable } = base.tablesample;
          return { ...base, tablesample: { tsmhandler, args: args.map(scan), repeatable: repeatable === null ? null : scan(repeatable) } };
        }
        case 'SeqScan': return base.tidrangequals.length === 0 ? base : { ...base, tidrangequals: base.tidrangequals.map(scan) };
        case 'TidScan': return { ...base, tidquals: base.tidquals.map(scan) };
        case 'FunctionScan': return { ...base, functions: base.functions.map((f) => ({ ...f, funcexpr: scan(f.funcexpr) })) };
        case 'ValuesScan': return { ...base, values_lists: base.values_lists.map((row) => (row.every(isConst) ? row : row.map(scan))) };
        default: return base;
      }
    }
    case 'BitmapAnd': case 'BitmapOr': return { ...plan, initPlan, bitmapplans: plan.bitmapplans.map((p) => setRefs(p, offset) as BitmapPlan) };
    case 'SubqueryScan': {
      const subplan = setPlanReferences(plan.subplan);
      const scan = (e: Expr): Expr => fixScan(e, offset);
      const result: Plan = { ...plan, initPlan, scanrelid: plan.scanrelid + offset, targetlist: mapTargets(plan.targetlist, scan), qual: plan.qual.map(scan), subplan };
      return trivialSubqueryScan(result) ?? result;
    }
    case 'NestLoop': case 'HashJoin': case 'MergeJoin': {
      const lefttree = setChild(plan.lefttree!, offset);
      const righttree = setChild(plan.righttree!, offset);
      const lists: Lists = { outer: plan.lefttree!.targetlist, inner: plan.righttree!.targetlist };
      const fix = (e: Expr): Expr => fixUpper(e, lists);
      // Above the join, what the side computes whose rows it fills up is NULL where it should be computed of NULLs.
      const { jointype } = plan;
      const fillsOuter = jointype === 'right' || jointype === 'full', fillsInner = jointype !== 'inner' && jointype !== 'right';
      const above = fillsOuter || fillsInner ? (e: Expr): Expr => fixUpper(e, { outer: fillsOuter ? columnsOf(lists.outer!) : lists.outer, inner: fillsInner ? columnsOf(lists.inner!) : lists.inner }) : fix;
      const outerOnly = (e: Expr): Expr => fixUpper(e, { outer: lists.outer, inner: null });
      const base = { ...plan, initPlan, lefttree, righttree, targetlist: mapTargets(plan.targetlist, above), qual: plan.qual.map(above), joinqual: plan.joinqual.map(fix) } as Plan;
      switch (base.kind) {
        case 'NestLoop': return { ...base, nestParams: base.nestParams.map((p) => ({ ...p, paramval: outerOnly(p.paramval) })) };
        case 'HashJoin': return { ...base, hashclauses: base.hashclauses.map(fix), hashkeys: base.hashkeys.map((k) => ({ ...k, outer: fix(k.outer), inner: fix(k.inner) })) };
        case 'MergeJoin': return { ...base, mergeclauses: base.mergeclauses.map(fix), mergeKeys: base.mergeKeys.map((k) => ({ ...k, left: fix(k.left), right: fix(k.right) })) };
        default: return base;
      }
    }
    case 'Hash': case 'Material': case 'Memoize': case 'Sort': case 'IncrementalSort': case 'Unique': case 'SetOp': case 'LockRows': case 'Limit': case 'GatherMerge': {
      const child = plan.lefttree!;
      const lefttree = setChild(child, offset);
      const base = { ...plan, initPlan, lefttree, targetlist: dummyTargets(plan.targetlist) } as Plan;
      if (base.kind === 'Limit') {
        return { ...base, limitOffset: base.limitOffset === null ? null : fixScan(base.limitOffset, offset), limitCount: base.limitCount === null ? null : fixScan(base.limitCount, offset) };
      }
      if (base.kind === 'LockRows') return { ...base, rowMarks: base.rowMarks.map((m) => ({ ...m, rti: m.rti + offset, members: m.members.map((r) => r + offset) })) };
      if (base.kind === 'Sort') return { ...base, bound: base.bound === null ? null : fixScan(base.bound, offset) };
      return base;
    }
    case 'Agg': case 'WindowAgg': case 'ProjectSet': case 'Gather': {
      const child = plan.lefttree!;
      const lists: Lists = { outer: child.targetlist, inner: null };
      const lefttree = setChild(child, offset);
      const step = plan.kind === 'Agg' && plan.aggsplit === 'final' ? combining : (e: Expr): Expr => e;
      const fix = (e: Expr): Expr => fixUpper(step(e), lists);
      const base = { ...plan, initPlan, lefttree, targetlist: plan.targetlist.map((t) => ({ ...t, expr: bySortRef(t, child.targetlist) ?? fix(t.expr) })), qual: plan.qual.map(fix) } as Plan;
      if (base.kind === 'WindowAgg') return { ...base, runCondition: base.runCondition.map(fix), startOffset: base.startOffset === null ? null : fix(base.startOffset), endOffset: base.endOffset === null ? null : fix(base.endOffset) };
      return base;
    }
    case 'Result': {
      const child = plan.lefttree;
      const constant = plan.resconstantqual.map((q) => fixScan(q, offset));
      if (child === null) {
        const scan = (e: Expr): Expr => fixScan(e, offset);
        return { ...plan, initPlan, targetlist: mapTargets(plan.targetlist, scan), qual: plan.qual.map(scan), resconstantqual: constant };
      }
      const lists: Lists = { outer: child.targetlist, inner: null };
      const lefttree = setChild(child, offset);
      const fix = (e: Expr): Expr => fixUpper(e, lists);
      return { ...plan, initPlan, lefttree, targetlist: mapTargets(plan.targetlist, fix), qual: plan.qual.map(fix), resconstantqual: constant };
    }
    case 'Append': {
      if (plan.appendplans.length === 1 && plan.appendplans[0]!.parallelAware === plan.parallelAware) return onlyMember(plan, setChild(plan.appendplans[0]!, offset), initPlan);
      return { ...plan, initPlan, ...append(plan, offset), appendplans: plan.appendplans.map((p) => setChild(p, offset)) };
    }
    case 'MergeAppend': return { ...plan, initPlan, ...append(plan, offset), bound: plan.bound === null ? null : fixScan(plan.bound, offset), mergeplans: plan.mergeplans.map((p) => setChild(p, offset)) };
    case 'RecursiveUnion':
      return { ...plan, initPlan, targetlist: dummyTargets(plan.targetlist), lefttree: setChild(plan.lefttree!, offset), righttree: setChild(plan.righttree!, offset) };
    case 'ModifyTable': {
      const child = plan.lefttree!;
      const lefttree = setChild(child, offset);
      const target = plan.resultRelation;
      const fixReturning = (e: Expr): Expr => fixModify(e, child.targetlist, target, offset);
      const oc = plan.onConflict;
      const scan = (e: Expr): Expr => fixScan(e, offset);
      return {
        ...plan, initPlan, lefttree, resultRelation: target + offset, resultRelations: plan.resultRelations.map((r) => r + offset),
        returningList: mapTargets(plan.returningList, fixReturning), targetlist: mapTargets(plan.returningList, fixReturning),
        mergeActions: plan.mergeActions.map((a) => ({ ...a, qual: a.qual === null ? null : fixReturning(a.qual), targetList: mapTargets(a.targetList, fixReturning) })),
        withCheckOptions: plan.withCheckOptions.map((wco) => ({ ...wco, qual: wco.qual === null ? null : scan(wco.qual) })),
        onConflict: oc === null ? null : {
          ...oc, arbiterElems: oc.arbiterElems.map(scan), arbiterWhere: oc.arbiterWhere === null ? null : scan(oc.arbiterWhere), exclRelIndex: oc.exclRelIndex + offset,
          onConflictSet: mapTargets(oc.onConflictSet, scan), onConflictWhere: oc.onConflictWhere === null ? null : scan(oc.onConflictWhere), exclRelTlist: mapTargets(oc.exclRelTlist, scan),
        },
      };
    }
  }
}

const append = (plan: Append | MergeAppend, offset: number): Pick<Append, 'targetlist' | 'apptlist' | 'apprelids' | 'pruning'> => ({
  targetlist: dummyTargets(plan.targetlist), apptlist: mapTargets(plan.apptlist, (e) => fixScan(e, offset)), apprelids: plan.apprelids.map((rti) => rti + offset),
  pruning: plan.pruning.map((p) => ({ ...p, levels: fixPruning(p.levels, offset), atStart: fixPruning(p.atStart, offset) })),
});

const fixPruning = (levels: readonly PruneInfo[], offset: number): PruneInfo[] => levels.map((l) => ({ ...l, exprs: l.exprs.map((e) => fixScan(e, offset)) }));

/** An Append of one member is that member. */
function onlyMember(plan: Append, member: Plan, initPlan: SubPlan[]): Plan {
  return {
    ...member, initPlan: [...initPlan, ...member.initPlan],
    targetlist: member.targetlist.map((t, i) => ({ ...plan.targetlist[i]!, expr: t.expr })),
  };
}

/** Inputs of set operations are query levels of their own. */
const setChild = (p: Plan, offset: number): Plan => (roots.has(p) ? setPlanReferences(p) : setRefs(p, offset));

/** INTERSECT and EXCEPT have one column more, which says where rows come from. */
function hasFlag(plan: Plan): boolean {
  if (plan.kind === 'Sort' || plan.kind === 'IncrementalSort' || plan.kind === 'Limit') return hasFlag(plan.lefttree!);
  return plan.kind === 'SetOp';
}

/** A subquery scan that only passes on what its subplan gives is left out. */
function trivialSubqueryScan(plan: Plan & { kind: 'SubqueryScan' }): Plan | null {
  const { subplan } = plan;
  if (plan.qual.length > 0 || plan.targetlist.length !== subplan.targetlist.length || subplan.kind === 'ModifyTable' || hasFlag(subplan)) return null;
  for (let i = 0; i < plan.targetlist.length; i++) {
    const { expr, resjunk } = plan.targetlist[i]!;
    if (expr.kind !== 'Var' || expr.varattno !== i + 1 || subplan.targetlist[i]!.resjunk !== resjunk) return null;
  }
  return {
    ...subplan, initPlan: [...plan.initPlan, ...subplan.initPlan],
    targetlist: subplan.targetlist.map((t, i) => ({ ...t, resname: plan.targetlist[i]!.resname, ressortgroupref: plan.targetlist[i]!.ressortgroupref, resorigtbl: plan.targetlist[i]!.resorigtbl, resorigcol: plan.targetlist[i]!.resorigcol, resjunk: plan.targetlist[i]!.resjunk })),
  };
}

const mapTargets = (list: readonly TargetEntry[], f: (e: Expr) => Expr): TargetEntry[] => list.map((t) => ({ ...t, expr: f(t.expr) }));

const dummyTargets = (list: readonly TargetEntry[]): TargetEntry[] =>
  list.map((t, i) => ({ ...t, expr: t.expr.kind === 'Const' ? t.expr : makeVar(OUTER_VAR, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0) }));

const fixSubPlan = (s: SubPlan, offset: number): SubPlan => fixScan(s, offset) as SubPlan;

/** Scan level: range table indexes move behind those of the levels before. */
function fixScan(e: Expr, offset: number): Expr {
  if (offset === 0) return strips ? stripPlaceholders(e) : e;
  if (e.kind === 'Var') return e.varno > 0 ? { ...e, varno: e.varno + offset } : e;
  if (e.kind === 'CurrentOfExpr') return { ...e, cvarno: e.cvarno + offset };
  if (e.kind === 'PlaceHolderVar') return fixScan(e.arg, offset);
  return expressionTreeMutator(e, (child) => fixScan(child, offset));
}

function columnRef(varno: number, i: number, e: Expr): Expr {
  return makeVar(varno, i + 1, exprType(e), exprTypmod(e), exprCollation(e), 0);
}

/** The list with nothing in the places of what is more than a column. */
const columnsOf = (list: readonly (TargetEntry | null)[]): (TargetEntry | null)[] => list.map((t) => (t !== null && (t.expr.kind === 'Var' || t.expr.kind === 'PlaceHolderVar') ? t : null));

function find(list: readonly (TargetEntry | null)[], e: Expr): number {
  for (let i = 0; i < list.length; i++) {
    const t = list[i]!;
    if (t !== null && equal(t.expr, e)) return i;
  }
  return -1;
}

/** A grouped or sorted column, which is not to be mixed up with another of the same expression. */
function bySortRef(t: TargetEntry, list: readonly TargetEntry[]): Expr | null {
  if (t.ressortgroupref === 0) return null;
  const i = list.findIndex((x) => x.ressortgroupref === t.ressortgroupref && equal(x.expr, t.expr));
  return i < 0 ? null : columnRef(OUTER_VAR, i, t.expr);
}

/** Whatever a node below computes already is taken from there. */
function fixUpper(e: Expr, lists: Lists): Expr {
  if (e.kind === 'Const' || e.kind === 'Param') return e;
  if (lists.outer !== null) {
    const i = find(lists.outer, e);
    if (i >= 0) return columnRef(OUTER_VAR, i, e);
  }
  if (lists.inner !== null) {
    const i = find(lists.inner, e);
    if (i >= 0) return columnRef(INNER_VAR, i, e);
  }
  if (e.kind === 'Var') {
    if (e.varno < 0) return e;
    throw internalError(`variable ${e.varno}.${e.varattno} not found in subplan target lists`);
  }
  // It is computed here.
  if (e.kind === 'PlaceHolderVar') return fixUpper(e.arg, lists);
  return expressionTreeMutator(e, (child) => fixUpper(child, lists));
}

/** RETURNING: Vars of the target stay, the rest comes from the subplan. */
function fixModify(e: Expr, list: readonly TargetEntry[], target: number, offset: number): Expr {
  if (e.kind === 'Var') {
    if (e.varno === target) return { ...e, varno: e.varno + offset };
    const i = find(list, e);
    if (i < 0) throw internalError(`variable ${e.varno}.${e.varattno} not found in subplan target list`);
    return columnRef(OUTER_VAR, i, e);
  }
  if (e.kind === 'PlaceHolderVar') {
    const i = find(list, e);
    return i < 0 ? fixModify(e.arg, list, target, offset) : columnRef(OUTER_VAR, i, e);
  }
  return expressionTreeMutator(e, (child) => fixModify(child, list, target, offset));
}
