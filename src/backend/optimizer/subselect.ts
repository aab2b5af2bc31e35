// Subqueries in expressions (PostgreSQL's subselect.c): planned by themselves, put in as SubPlans or, when nothing of
// the outer query is in them, as initplans; WITH queries likewise. Outer references become parameters.
import { internalError } from '../../common/errors.ts';
import { opHashjoinable } from '../catalog/lsyscache.ts';
import { operator } from '../executor/fmgr_info.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, expressionTreeMutator, makeAndsImplicit, queryTreeMutator, promotedArrayType } from '../nodes/nodeFuncs.ts';
import type { CommonTableExpr, Query } from '../nodes/parsenodes.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Expr, OpExpr, Param, SubLink, SubPlan } from '../nodes/primnodes.ts';
import { containsLevel, containsSubplans, containsVolatile, equal, evalConstExpressions, incrementLevels, incrementQueryLevels, mutateDeep, pullVars, simplifyBool, walkDeep } from './clauses.ts';
import { clampRows, costs, enabled, evalCost, materialCost, relationBytes } from './costsize.ts';
import { makeExecParam } from './nestparams.ts';
import type { PlannerInfo } from './pathnodes.ts';
import { KEEPS_OUTPUT, over } from './planbuild.ts';
import { simplifyExists } from './prepjointree.ts';
import { takeRoot } from './setrefs.ts';
import { planRecursive, planSubquery } from './subroot.ts';

/** SS_replace_correlation_vars: what belongs to outer levels becomes parameters they set. */
export function replaceCorrelationVars(root: PlannerInfo, e: Expr): Expr {
  if (root.parent === null) return e;
  return mutateDeep(e, (n, depth) => {
    if (depth !== 0) return undefined;
    if (n.kind === 'Var' && n.varlevelsup > 0) return outerParam(root, n, n.varlevelsup, { ...n, varlevelsup: 0 });
    if (n.kind === 'PlaceHolderVar' && n.phlevelsup > 0) return outerParam(root, n, n.phlevelsup, incrementLevels(n, -n.phlevelsup, n.phlevelsup));
    if ((n.kind === 'Aggref' || n.kind === 'GroupingFunc') && n.agglevelsup > 0) {
      return outerParam(root, n, n.agglevelsup, incrementLevels(n, -n.agglevelsup, n.agglevelsup));
    }
    return undefined;
  });
}

function outerParam(root: PlannerInfo, node: Expr, levels: number, item: Expr): Param {
  let at: PlannerInfo | null = root;
  for (let i = 0; i < levels; i++) at = at?.parent ?? null;
  if (at === null) throw internalError(`outer reference ${levels} levels up, but there are fewer`);
  const known = at.planParams.find((p) => equal(p.item, item));
  const param: Param = { kind: 'Param', paramkind: 'exec', paramid: 0, paramtype: exprType(node), paramtypmod: exprTypmod(node), paramcollid: exprCollation(node), location: -1 };
  if (known !== undefined) return { ...param, paramid: known.paramId };
  const paramId = root.glob.paramExecCount++;
  at.planParams.push({ item, paramId });
  return { ...param, paramid: paramId };
}

/** SS_process_sublinks: every SubLink of an expression becomes a SubPlan or a parameter. */
export function processSublinks(root: PlannerInfo, e: Expr, isQual: boolean): Expr {
  const visit = (n: Expr, top: boolean): Expr => {
    if (n.kind === 'SubLink') {
      const testexpr = n.testexpr === null ? null : visit(n.testexpr, false);
      return makeSubplan(root, { ...n, testexpr }, top);
    }
    // An aggregate or outer reference of another level is looked at there.
    if ((n.kind === 'Aggref' || n.kind === 'GroupingFunc') && n.agglevelsup > 0) return n;
    const keepsTop = top && n.kind === 'BoolExpr' && n.boolop === 'and';
    return mutateChildren(n, (child) => visit(child, keepsTop));
  };
  if (e.kind === 'BoolExpr' && e.boolop === 'and') return simplifyBool('and', e.args.map((a) => visit(a, isQual)));
  return visit(e, isQual);
}
const mutateChildren = (n: Expr, f: (child: Expr) => Expr): Expr => expressionTreeMutator(n, f);

function makeSubplan(root: PlannerInfo, link: SubLink, isTopQual: boolean): Expr {
  let query = link.subselect;
  if (link.subLinkType === 'exists') query = simplifyExists(query) ?? query;
  const fraction = link.subLinkType === 'exists' ? 1 : link.subLinkType === 'any' || link.subLinkType === 'all' ? 0.5 : 0;
  const saved = root.planParams;
  root.planParams = [];
  const { plan, parallelSafe } = planSubquery(root, query, fraction, true);
  const params = root.planParams;
  root.planParams = saved;
  const node = buildSubplan(root, link, plan, params, isTopQual, parallelSafe);
  if (link.subLinkType !== 'exists' || node.kind !== 'SubPlan') return node;
  const alternative = existsAsAny(root, link);
  if (alternative !== null) root.glob.alternatives.add(node.planId).add(alternative.planId);
  return { ...node, alternative };
}

/** An EXISTS whose WHERE compares columns with what is outside as IN, whose rows are read once into a hash table; null: it cannot be. */
function existsAsAny(root: PlannerInfo, link: SubLink): SubPlan | null {
  const simple = simplifyExists(link.subselect);
  const any = simple === null ? null : convertExistsToAny(simple);
  if (any === null) return null;
  const saved = root.planParams;
  root.planParams = [];
  const { plan, parallelSafe } = planSubquery(root, any.subselect, 0, true);
  const params = root.planParams;
  root.planParams = saved;
  if (params.length > 0 || relationBytes(plan.plan_rows, plan.plan_width) > costs.hashMemBytes) return null;
  const node = buildSubplan(root, { ...link, subLinkType: 'any', ...any }, plan, params, true, parallelSafe);
  if (node.kind !== 'SubPlan' || !node.useHashTable) return null;
  return node;
}

/** convert_EXISTS_to_ANY. */
function convertExistsToAny(q: Query): { subselect: Query; testexpr: Expr } | null {
  const { quals } = q.jointree;
  if (quals === null || q.cteList.length > 0 || containsLevel({ ...q, jointree: { ...q.jointree, quals: null } }, 1) || containsVolatile(quals)) return null;
  const columns: Expr[] = [], tests: Expr[] = [], rest: Expr[] = [];
  for (const clause of makeAndsImplicit(evalConstExpressions(quals))) {
    const parts = clause.kind === 'OpExpr' && clause.args.length === 2 ? clause : null;
    const turned = parts !== null && !containsLevel(parts.args[0]!, 1) && containsLevel(parts.args[1]!, 1);
    if (parts === null || !opHashjoinable(parts.opno, exprType(parts.args[0]!)) || (!turned && !containsLevel(parts.args[0]!, 1))) {
      rest.push(clause);
      continue;
    }
    const opno = turned ? operator(parts.opno).oprcom : parts.opno;
    const [outer, inner] = (turned ? [parts.args[1], parts.args[0]] : parts.args) as [Expr, Expr];
    if (opno === 0 || !opHashjoinable(opno, exprType(outer))) return null;
    if (containsLevel(inner, 1) || containsLevel(outer, 0) || containsSubplans(outer)) return null;
    columns.push(inner);
    const column: Param = { kind: 'Param', paramkind: 'sublink', paramid: columns.length, paramtype: exprType(inner), paramtypmod: exprTypmod(inner), paramcollid: exprCollation(inner), location: -1 };
    tests.push({ ...parts, opno, opfuncid: operator(opno).oprcode, args: [incrementLevels(outer, -1, 1), column] });
  }
  if (tests.length === 0 || rest.some((e) => containsLevel(e, 1))) return null;
  return {
    subselect: { ...q, targetList: columns.map((e, i) => makeTargetEntry(e, i + 1, null, false)), jointree: { ...q.jointree, quals: rest.length === 0 ? null : simplifyBool('and', rest) } },
    testexpr: simplifyBool('and', tests),
  };
}

/** cost_subplan: what it takes once, and for each call. */
function withCost(node: SubPlan, plan: Plan): SubPlan {
  const test = node.testexpr === null ? { startup: 0, perTuple: 0 } : evalCost(makeAndsImplicit(node.testexpr));
  let { startup, perTuple } = test;
  if (node.useHashTable) startup += plan.total_cost + costs.cpuOperator * plan.plan_rows;
  else {
    const run = plan.total_cost - plan.startup_cost;
    if (node.subLinkType === 'exists') perTuple += run / clampRows(plan.plan_rows);
    else if (node.subLinkType === 'any' || node.subLinkType === 'all') perTuple += 0.5 * run + 0.5 * plan.plan_rows * costs.cpuOperator;
    else perTuple += run;
    if (node.parParam.length === 0 && KEEPS_OUTPUT.has(plan.kind)) startup += plan.startup_cost;
    else perTuple += plan.startup_cost;
  }
  return { ...node, startup_cost: startup, per_call_cost: perTuple };
}

function buildSubplan(root: PlannerInfo, link: SubLink, plan: Plan, params: { item: Expr; paramId: number }[], isTopQual: boolean, parallelSafe: boolean): Expr {
  const made = subplanOf(root, link, plan, params, isTopQual, parallelSafe);
  return made.kind === 'SubPlan' ? withCost(made, root.glob.subplans[made.planId - 1]!) : made;
}

function subplanOf(root: PlannerInfo, link: SubLink, plan: Plan, params: { item: Expr; paramId: number }[], isTopQual: boolean, parallelSafe: boolean): Expr {
  root.glob.subplans.push(plan);
  const planId = root.glob.subplans.length;
  const columns = plan.targetlist.filter((t) => !t.resjunk);
  const first = columns[0]?.expr;
  const node: SubPlan = {
    kind: 'SubPlan', subLinkType: link.subLinkType, testexpr: null, paramIds: [], planId, planName: '', firstColType: first === undefined ? 0 : exprType(first),
    firstColTypmod: first === undefined ? -1 : exprTypmod(first), firstColCollation: first === undefined ? 0 : exprCollation(first), useHashTable: false,
    unknownEqFalse: isTopQual, setParam: [], parParam: params.map((p) => p.paramId),
    // The items may have sublinks and outer references of this level in them.
    args: params.map((p) => processSublinks(root, replaceCorrelationVars(root, p.item), false)), startup_cost: 0, per_call_cost: 0, parallel_safe: parallelSafe, alternative: null,
  };
  const uncorrelated = params.length === 0;
  const resultParams = (): Param[] => columns.map((c) => makeExecParam(root, c.expr));
  const testWith = (list: Param[]): Expr => mutateDeep(link.testexpr!, (n, depth) => (n.kind === 'SubLink' ? n : depth === 0 && n.kind === 'Param' && n.paramkind === 'sublink' ? list[n.paramid - 1] : undefined));
  switch (link.subLinkType) {
    case 'exists': case 'expr': case 'array': {
      if (!uncorrelated) return named(node, 'SubPlan');
      const param = link.subLinkType === 'expr' ? makeExecParam(root, first!) : makeTypedParam(root, link.subLinkType === 'exists' ? 16 : promotedArrayType(exprType(first!)), first === undefined ? 0 : exprCollation(first));
      root.initPlans.push(named({ ...node, setParam: [param.paramid] }, 'InitPlan', [param.paramid]));
      return param;
    }
    case 'rowcompare': {
      const list = resultParams();
      const ids = list.map((p) => p.paramid);
      if (uncorrelated) {
        root.initPlans.push(named({ ...node, setParam: ids }, 'InitPlan', ids));
        return testWith(list);
      }
      return named({ ...node, testexpr: testWith(list), paramIds: ids }, 'SubPlan');
    }
    case 'multiexpr': {
      const list = resultParams();
      const ids = list.map((p) => p.paramid);
      root.multiexprParams.set(link.subLinkId, ids);
      if (uncorrelated) {
        root.initPlans.push(named({ ...node, setParam: ids }, 'InitPlan', ids));
        return { kind: 'Const', consttype: 2249, consttypmod: -1, constcollid: 0, constvalue: null, location: -1 };
      }
      return named({ ...node, setParam: ids }, 'SubPlan', ids);
    }
    case 'any': case 'all': {
      const list = resultParams();
      const testexpr = testWith(list);
      const useHashTable = link.subLinkType === 'any' && uncorrelated && hashable(testexpr, list);
      if (!useHashTable && uncorrelated && enabled.material && !KEEPS_OUTPUT.has(plan.kind)) root.glob.subplans[planId - 1] = materialized(plan);
      return named({ ...node, testexpr: useHashTable ? simplifyBool('and', comparisons(testexpr)) : testexpr, paramIds: list.map((p) => p.paramid), useHashTable }, useHashTable ? 'hashed SubPlan' : 'SubPlan');
    }
    case 'cte': throw internalError('CTE as a SubLink');
  }
}

/** materialize_finished_plan. */
function materialized(plan: Plan): Plan {
  const cost = materialCost({ startup: plan.startup_cost, total: plan.total_cost, rows: plan.plan_rows, width: plan.plan_width });
  const kept: Plan = { kind: 'Material', ...over({ ...plan, initPlan: [] }, plan.targetlist), initPlan: plan.initPlan, startup_cost: cost.startup, total_cost: cost.total };
  takeRoot(kept, plan);
  return kept;
}

function makeTypedParam(root: PlannerInfo, type: number, collation: number): Param {
  return { kind: 'Param', paramkind: 'exec', paramid: root.glob.paramExecCount++, paramtype: type, paramtypmod: -1, paramcollid: collation, location: -1 };
}

function named(node: SubPlan, prefix: string, params: number[] = []): SubPlan {
  const outputs = params.length > 0 ? ` (returns ${params.map((p) => `$${p}`).join(',')})` : '';
  return { ...node, planName: `${prefix} ${node.planId}${outputs}` };
}

/** Each once: an operator written out as SQL may say the same twice. */
const comparisons = (testexpr: Expr): Expr[] => makeAndsImplicit(testexpr).filter((t, i, all) => all.findIndex((u) => equal(t, u)) === i);

function hashable(testexpr: Expr, params: Param[]): boolean {
  const list = comparisons(testexpr);
  // One comparison for each column, in order.
  if (list.length !== params.length) return false;
  return list.every((t, i) => {
    if (t.kind !== 'OpExpr' || t.args.length !== 2) return false;
    const [left, right] = t.args as [Expr, Expr];
    if (right.kind !== 'Param' || right.paramid !== params[i]!.paramid) return false;
    if (pullVars(right).length > 0 || containsVolatile(left)) return false;
    return opHashjoinable((t as OpExpr).opno, exprType(left)) && sameHash(exprType(left), exprType(right));
  });
}
const sameHash = (a: number, b: number): boolean => {
  const integers = [20, 21, 23, 26];
  const texts = [19, 25, 1043];
  return a === b || (integers.includes(a) && integers.includes(b)) || (texts.includes(a) && texts.includes(b));
};

/** The parameters of multiple assignment: column n of sublink m. */
export function replaceMultiexprParams(root: PlannerInfo, e: Expr): Expr {
  if (root.multiexprParams.size === 0) return e;
  return mutateDeep(e, (n, depth) => {
    if (depth !== 0 || n.kind !== 'Param' || n.paramkind !== 'multiexpr') return undefined;
    const ids = root.multiexprParams.get(n.paramid >> 16);
    const id = ids?.[(n.paramid & 0xffff) - 1];
    if (id === undefined) throw internalError('unexpected PARAM_MULTIEXPR');
    return { ...n, paramkind: 'exec', paramid: id };
  });
}

// ------------------------------------------------------------------ WITH

/** SS_process_ctes: WITH queries are merged into the one place that reads them, or planned to be kept. */
export function processCtes(root: PlannerInfo): void {
  for (let i = 0; i < root.parse.cteList.length;) {
    // Merging one changes those that read it.
    const cte = root.parse.cteList[i]!;
    const { ctequery } = cte, unread = cte.cterefcount === 0 && ctequery.commandType === 'select';
    if (!unread && inlinable(cte)) {
      inlineCte(root, cte);
      continue;
    }
    i++;
    if (unread) continue;
    const saved = root.planParams;
    root.planParams = [];
    const { plan, subroot } = cte.cterecursive ? planRecursive(root, cte) : planSubquery(root, ctequery, 0, true);
    if (root.planParams.length > 0) throw internalError('unexpected outer reference in CTE query');
    root.planParams = saved;
    root.glob.subplans.push(plan);
    const planId = root.glob.subplans.length;
    const param = makeTypedParam(root, 2278, 0);
    root.initPlans.push({
      kind: 'SubPlan', subLinkType: 'cte', testexpr: null, paramIds: [], planId, planName: `CTE ${cte.ctename}`, firstColType: 0, firstColTypmod: -1,
      firstColCollation: 0, useHashTable: false, unknownEqFalse: false, setParam: [param.paramid], parParam: [], args: [], startup_cost: 0, per_call_cost: 0, parallel_safe: false, alternative: null,
    });
    if (ctequery.commandType !== 'select') root.glob.hasModifyingCTE = true;
    root.ctes.set(cte.ctename, { name: cte.ctename, planId, paramId: param.paramid, rows: plan.plan_rows, width: plan.plan_width, root: subroot, references: 0 });
  }
}

function inlinable(cte: CommonTableExpr): boolean {
  const q = cte.ctequery;
  return cte.materialized !== 'always' && !cte.cterecursive && q.commandType === 'select' && (cte.materialized === 'never' || cte.cterefcount === 1)
    && !locksRows(q) && (cte.cterefcount === 1 || !mentionsOuterSelf(q)) && !hasVolatile(q);
}
const locksRows = (q: Query): boolean => q.rowMarks.length > 0 || q.rtable.some((r) => r.rtekind === 'subquery' && r.subquery !== null && locksRows(r.subquery));
const mentionsOuterSelf = (q: Query): boolean => q.rtable.some((r) => (r.rtekind === 'cte' && r.self_reference) || (r.rtekind === 'subquery' && r.subquery !== null && mentionsOuterSelf(r.subquery)));
const hasVolatile = (q: Query): boolean => walkDeep(q, (n) => n.kind !== 'Var' && n.kind !== 'Const' && shallowVolatile(n), -1);
const shallowVolatile = (n: Expr): boolean => (n.kind === 'FuncExpr' || n.kind === 'OpExpr' || n.kind === 'NextValueExpr') && containsVolatile(n);

/** Nobody reads it from the list any more, so it goes: in a chain of them each one merged had the others in it, and merging the
 * next one went through all of that. */
function inlineCte(root: PlannerInfo, cte: CommonTableExpr): void {
  root.parse = inlineIn({ ...root.parse, cteList: root.parse.cteList.filter((other) => other !== cte) }, cte, 0);
  root.rtable = root.parse.rtable;
}
function inlineIn(q: Query, cte: CommonTableExpr, depth: number): Query {
  const inSublinks = mutateSubqueries(q, (sub) => inlineIn(sub, cte, depth + 1));
  return {
    ...inSublinks, rtable: inSublinks.rtable.map((r) => (r.rtekind === 'cte' && r.ctename === cte.ctename && r.ctelevelsup === depth
      ? { ...r, rtekind: 'subquery' as const, subquery: levelsUp(cte.ctequery, depth), security_barrier: false, ctename: '' } : r)),
  };
}
const levelsUp = (q: Query, depth: number): Query => incrementQueryLevels(q, depth, 1);
function mutateSubqueries(q: Query, f: (sub: Query) => Query): Query {
  const m = (e: Expr): Expr => expressionTreeMutator(e, m, f);
  return queryTreeMutator(q, m, { query: f });
}
