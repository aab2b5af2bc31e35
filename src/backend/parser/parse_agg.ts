// Aggregates and window functions: where they may stand, to which query level they belong, and the check that
// everything else in a grouped query is grouped (parse_agg.c). GROUPING SETS become lists in grouping_sets.ts.
import { internalError } from '../../common/errors.ts';
import * as sys from '../catalog/syscache.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { exprLocation, exprType, expressionTreeMutator, expressionTreeWalker, queryTreeMutator, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Aggref, Expr, GroupingFunc, TargetEntry, Var, WindowFunc } from '../nodes/primnodes.ts';
import { flattenJoinAliasVars } from './flatten.ts';
import { expandGroupingSets } from './grouping_sets.ts';
import { formatType } from './parse_type.ts';
import { addTargetToSortList, transformDistinctClause, transformSortClause } from './sort_group.ts';
import { parserError, type ParseExprKind, type ParseState } from './parse_node.ts';
import { enforceGenericTypeConsistency } from './parse_generic.ts';
import { getRteAttributeName } from './parse_relation.ts';
import type { RawNode } from './raw_parser.ts';
import { recursion } from './recursion.ts';

/** Finishes an Aggref: its arguments become a target list, its level is found, its place checked. */
export function transformAggregateCall(state: ParseState, agg: Aggref, args: Expr[], aggorder: RawNode[], aggDistinct: boolean): void {
  let tlist: TargetEntry[] = [];
  agg.aggargtypes = args.map(exprType);
  if (agg.aggkind !== 'n') {
    const direct = args.length - aggorder.length;
    agg.aggdirectargs = args.slice(0, direct);
    // The ordered arguments: one target entry each, sorted as WITHIN GROUP says.
    args.slice(direct).forEach((arg, i) => {
      const te = makeTargetEntry(arg, i + 1, null, false);
      tlist.push(te);
      addTargetToSortList(state, te, agg.aggorder, tlist, aggorder[i]!);
    });
  } else {
    tlist = args.map((arg, i) => makeTargetEntry(arg, i + 1, null, false));
    const savedResno = state.nextResno;
    state.nextResno = args.length + 1;
    agg.aggorder = transformSortClause(state, aggorder, tlist, 'order_by', true);
    if (aggDistinct) {
      agg.aggdistinct = transformDistinctClause(state, tlist, agg.aggorder, true);
      for (const clause of agg.aggdistinct) {
        if (clause.sortop === 0) {
          const te = tlist.find((t) => t.ressortgroupref === clause.tleSortGroupRef)!;
          throw parserError(state, 'undefined_function', `could not identify an ordering operator for type ${formatType(exprType(te.expr))}`, exprLocation(te.expr),
            { detail: 'Aggregates with DISTINCT must be able to sort their inputs.' });
        }
      }
    }
    state.nextResno = savedResno;
  }
  agg.args = tlist;
  const row = sys.aggregateByOid(agg.aggfnoid);
  if (row === undefined) throw internalError(`cache lookup failed for aggregate ${agg.aggfnoid}`);
  agg.aggtranstype = enforceGenericTypeConsistency(agg.aggargtypes, (sys.procByOid(agg.aggfnoid)?.proargtypes ?? []).slice(0, agg.aggargtypes.length), row.aggtranstype, true);
  checkAggLevelsAndConstraints(state, agg);
}

/** GROUPING(...): like an aggregate as to its place. */
export function transformGroupingFunc(state: ParseState, p: RawNode, transform: (arg: RawNode) => Expr): Expr {
  const rawArgs = p.args as RawNode[];
  if (rawArgs.length > 31) throw parserError(state, 'too_many_arguments', 'GROUPING must have fewer than 32 arguments', p.location);
  const result: GroupingFunc = { kind: 'GroupingFunc', args: rawArgs.map(transform), refs: [], agglevelsup: 0, location: p.location ?? -1 };
  checkAggLevelsAndConstraints(state, result);
  return result;
}

const AGG_REFUSED: Partial<Record<ParseExprKind, [string, string]>> = {
  join_on: ['aggregate functions are not allowed in JOIN conditions', 'grouping operations are not allowed in JOIN conditions'],
  join_using: ['aggregate functions are not allowed in JOIN conditions', 'grouping operations are not allowed in JOIN conditions'],
  from_function: ['aggregate functions are not allowed in functions in FROM', 'grouping operations are not allowed in functions in FROM'],
  policy: ['aggregate functions are not allowed in policy expressions', 'grouping operations are not allowed in policy expressions'],
  window_frame_range: ['aggregate functions are not allowed in window RANGE', 'grouping operations are not allowed in window RANGE'],
  window_frame_rows: ['aggregate functions are not allowed in window ROWS', 'grouping operations are not allowed in window ROWS'],
  window_frame_groups: ['aggregate functions are not allowed in window GROUPS', 'grouping operations are not allowed in window GROUPS'],
  merge_when: ['aggregate functions are not allowed in MERGE WHEN conditions', 'grouping operations are not allowed in MERGE WHEN conditions'],
  check_constraint: ['aggregate functions are not allowed in check constraints', 'grouping operations are not allowed in check constraints'],
  domain_check: ['aggregate functions are not allowed in check constraints', 'grouping operations are not allowed in check constraints'],
  column_default: ['aggregate functions are not allowed in DEFAULT expressions', 'grouping operations are not allowed in DEFAULT expressions'],
  function_default: ['aggregate functions are not allowed in DEFAULT expressions', 'grouping operations are not allowed in DEFAULT expressions'],
  index_expression: ['aggregate functions are not allowed in index expressions', 'grouping operations are not allowed in index expressions'],
  index_predicate: ['aggregate functions are not allowed in index predicates', 'grouping operations are not allowed in index predicates'],
  stats_expression: ['aggregate functions are not allowed in statistics expressions', 'grouping operations are not allowed in statistics expressions'],
  alter_col_transform: ['aggregate functions are not allowed in transform expressions', 'grouping operations are not allowed in transform expressions'],
  execute_parameter: ['aggregate functions are not allowed in EXECUTE parameters', 'grouping operations are not allowed in EXECUTE parameters'],
  trigger_when: ['aggregate functions are not allowed in trigger WHEN conditions', 'grouping operations are not allowed in trigger WHEN conditions'],
  partition_bound: ['aggregate functions are not allowed in partition bound', 'grouping operations are not allowed in partition bound'],
  partition_expression: ['aggregate functions are not allowed in partition key expressions', 'grouping operations are not allowed in partition key expressions'],
  generated_column: ['aggregate functions are not allowed in column generation expressions', 'grouping operations are not allowed in column generation expressions'],
  call_argument: ['aggregate functions are not allowed in CALL arguments', 'grouping operations are not allowed in CALL arguments'],
  copy_where: ['aggregate functions are not allowed in COPY FROM WHERE conditions', 'grouping operations are not allowed in COPY FROM WHERE conditions'],
};
const AGG_BY_NAME: readonly ParseExprKind[] = ['where', 'filter', 'insert_target', 'update_source', 'update_target', 'group_by', 'limit', 'offset', 'returning', 'values', 'values_single', 'cycle_mark'];

function checkAggLevelsAndConstraints(state: ParseState, e: Aggref | GroupingFunc): void {
  const isAgg = e.kind === 'Aggref';
  const location = e.location;
  const args = isAgg ? e.args.map((te) => te.expr) : e.args;
  const minLevel = checkAggArguments(state, isAgg ? e.aggdirectargs : [], args, isAgg ? e.aggfilter : null, location);
  e.agglevelsup = minLevel;
  let level: ParseState = state;
  for (let i = 0; i < minLevel; i++) level = level.parent!;
  level.hasAggs = true;
  const kind = level.exprKind;
  if (kind === 'from_subselect' && !level.lateralActive) return;
  const refused = AGG_REFUSED[kind];
  if (refused !== undefined) throw parserError(state, 'grouping_error', refused[isAgg ? 0 : 1], location);
  if (kind === 'from_subselect') {
    throw parserError(state, 'grouping_error', isAgg ? 'aggregate functions are not allowed in FROM clause of their own query level' : 'grouping operations are not allowed in FROM clause of their own query level', location);
  }
  if (AGG_BY_NAME.includes(kind)) {
    throw parserError(state, 'grouping_error', `${isAgg ? 'aggregate functions' : 'grouping operations'} are not allowed in ${recursion.exprKindName(kind)}`, location);
  }
}

/** The query level an aggregate belongs to; nested aggregates and window functions inside are errors. */
function checkAggArguments(state: ParseState, direct: readonly Expr[], args: readonly Expr[], filter: Expr | null, aggLocation: number): number {
  let minVar = -1;
  let minAgg = -1;
  let minCte: { level: number; name: string } | null = null as { level: number; name: string } | null;
  const look = (list: readonly (Expr | null)[]): void => {
    let depth = 0;
    const walker = (node: Expr | Query): boolean => {
      if (node.kind === 'Query') {
        depth++;
        for (const rte of node.rtable) {
          // A WITH query counts like a Var of the level it belongs to.
          const level = rte.rtekind === 'cte' ? rte.ctelevelsup - depth : -1;
          if (level >= 0 && (minCte === null || minCte.level > level)) minCte = { level, name: rte.eref.aliasname };
        }
        queryTreeWalker(node, walker);
        depth--;
        return false;
      }
      if (node.kind === 'Var') {
        const level = node.varlevelsup - depth;
        if (level >= 0 && (minVar < 0 || minVar > level)) minVar = level;
        return false;
      }
      if (node.kind === 'Aggref' || node.kind === 'GroupingFunc') {
        const level = node.agglevelsup - depth;
        if (level >= 0 && (minAgg < 0 || minAgg > level)) minAgg = level;
        return expressionTreeWalker(node, walker);
      }
      if (depth === 0) {
        if ((node.kind === 'FuncExpr' && node.funcretset) || (node.kind === 'OpExpr' && node.opretset)) {
          throw parserError(state, 'feature_not_supported', 'aggregate function calls cannot contain set-returning function calls', exprLocation(node),
            { hint: 'You might be able to move the set-returning function into a LATERAL FROM item.' });
        }
        if (node.kind === 'WindowFunc') throw parserError(state, 'grouping_error', 'aggregate function calls cannot contain window function calls', node.location);
      }
      return expressionTreeWalker(node, walker);
    };
    for (const e of list) if (e !== null) walker(e);
  };
  look(args);
  look([filter]);
  const aggLevel = minVar < 0 ? (minAgg < 0 ? 0 : minAgg) : minAgg < 0 ? minVar : Math.min(minVar, minAgg);
  if (minCte !== null && minCte.level < aggLevel) {
    throw parserError(state, 'feature_not_supported', 'outer-level aggregate cannot use a nested CTE', aggLocation, { detail: `CTE "${minCte.name}" is below the aggregate's semantic level.` });
  }
  if (aggLevel === minAgg) {
    throw parserError(state, 'grouping_error', 'aggregate function calls cannot be nested', locateAggOfLevel([...args, ...(filter === null ? [] : [filter])], aggLevel) ?? aggLocation);
  }
  if (direct.length > 0) {
    minVar = -1;
    minAgg = -1;
    look(direct);
    if (minVar >= 0 && minVar < aggLevel) {
      throw parserError(state, 'grouping_error', 'outer-level aggregate cannot contain a lower-level variable in its direct arguments', exprLocation(direct[0]!));
    }
    if (minAgg >= 0 && minAgg <= aggLevel) {
      throw parserError(state, 'grouping_error', 'aggregate function calls cannot be nested', locateAggOfLevel(direct, minAgg) ?? aggLocation);
    }
  }
  return aggLevel;
}

export function locateAggOfLevel(list: readonly (Expr | Query)[], level: number): number | undefined {
  let depth = level;
  let found: number | undefined;
  const walker = (node: Expr | Query): boolean => {
    if (node.kind === 'Query') {
      depth++;
      const result = queryTreeWalker(node, walker);
      depth--;
      return result;
    }
    if ((node.kind === 'Aggref' || node.kind === 'GroupingFunc') && node.agglevelsup === depth && node.location >= 0) {
      found = node.location;
      return true;
    }
    return expressionTreeWalker(node, walker);
  };
  for (const e of list) if (walker(e)) break;
  return found;
}

export function locateWindowFunc(e: Expr): number {
  let found = -1;
  const walker = (node: Expr | Query): boolean => {
    if (node.kind === 'WindowFunc') {
      found = node.location;
      return true;
    }
    return expressionTreeWalker(node, walker);
  };
  walker(e);
  return found;
}

export function containWindowFunction(e: Expr): boolean {
  const walker = (node: Expr | Query): boolean => node.kind === 'WindowFunc' || expressionTreeWalker(node, walker);
  return walker(e);
}

// ---- window functions ----------------------------------------------------------------------------------------

const WINDOW_REFUSED: Partial<Record<ParseExprKind, string>> = {
  join_on: 'window functions are not allowed in JOIN conditions', join_using: 'window functions are not allowed in JOIN conditions',
  from_function: 'window functions are not allowed in functions in FROM', policy: 'window functions are not allowed in policy expressions',
  window_partition: 'window functions are not allowed in window definitions', window_order: 'window functions are not allowed in window definitions',
  window_frame_range: 'window functions are not allowed in window definitions', window_frame_rows: 'window functions are not allowed in window definitions',
  window_frame_groups: 'window functions are not allowed in window definitions', merge_when: 'window functions are not allowed in MERGE WHEN conditions',
  check_constraint: 'window functions are not allowed in check constraints', domain_check: 'window functions are not allowed in check constraints',
  column_default: 'window functions are not allowed in DEFAULT expressions', function_default: 'window functions are not allowed in DEFAULT expressions',
  index_expression: 'window functions are not allowed in index expressions', stats_expression: 'window functions are not allowed in statistics expressions',
  index_predicate: 'window functions are not allowed in index predicates', alter_col_transform: 'window functions are not allowed in transform expressions',
  execute_parameter: 'window functions are not allowed in EXECUTE parameters', trigger_when: 'window functions are not allowed in trigger WHEN conditions',
  partition_bound: 'window functions are not allowed in partition bound', partition_expression: 'window functions are not allowed in partition key expressions',
  call_argument: 'window functions are not allowed in CALL arguments', copy_where: 'window functions are not allowed in COPY FROM WHERE conditions',
  generated_column: 'window functions are not allowed in column generation expressions',
};
const WINDOW_BY_NAME: readonly ParseExprKind[] = ['where', 'having', 'filter', 'insert_target', 'update_source', 'update_target', 'group_by', 'limit', 'offset', 'returning', 'values', 'values_single', 'cycle_mark'];

/** Finishes a WindowFunc: its window is found among the named ones or added. */
export function transformWindowFuncCall(state: ParseState, wfunc: WindowFunc, windef: RawNode): void {
  if (state.hasWindowFuncs && wfunc.args.some(containWindowFunction)) {
    throw parserError(state, 'windowing_error', 'window function calls cannot be nested', locateWindowFunc(wfunc.args.find(containWindowFunction)!));
  }
  const kind = state.exprKind;
  const refused = WINDOW_REFUSED[kind];
  if (refused !== undefined) throw parserError(state, 'windowing_error', refused, wfunc.location);
  if (WINDOW_BY_NAME.includes(kind)) throw parserError(state, 'windowing_error', `window functions are not allowed in ${recursion.exprKindName(kind)}`, wfunc.location);
  if (windef.name !== undefined) {
    // OVER name: a reference to a window of the WINDOW clause.
    const i = state.windowDefs.findIndex((w) => w.name === windef.name);
    if (i < 0) throw parserError(state, 'undefined_object', `window "${windef.name}" does not exist`, windef.location);
    wfunc.winref = i + 1;
  } else {
    const i = state.windowDefs.findIndex((w) => sameWindow(w, windef));
    if (i >= 0) wfunc.winref = i + 1;
    else {
      state.windowDefs.push(windef);
      wfunc.winref = state.windowDefs.length;
    }
  }
  state.hasWindowFuncs = true;
}

function sameWindow(a: RawNode, b: RawNode): boolean {
  if (a.refname !== b.refname) return false;
  return equal(a.partitionClause ?? [], b.partitionClause ?? []) && equal(a.orderClause ?? [], b.orderClause ?? []) && a.frameOptions === b.frameOptions
    && equal(a.startOffset, b.startOffset) && equal(a.endOffset, b.endOffset) && !(a.name !== undefined && a.refname !== undefined);
}

// ---- the check of grouping -----------------------------------------------------------------------------------

interface GroupingContext {
  state: ParseState; query: Query; groupClauses: TargetEntry[]; groupClauseCommonVars: Var[]; haveNonVar: boolean; sublevelsUp: number;
  inAggDirectArgs: boolean; funcGrouped: RangeTblEntry[];
  groupExprsFlat: { te: TargetEntry; expr: Expr }[];
}

/** Everything outside aggregates must be grouped, or depend on what is (parseCheckAggregates). */
export function parseCheckAggregates(state: ParseState, query: Query): void {
  let commonRefs: number[] | null = null;
  if (query.groupingSets.length > 0) {
    const sets = expandGroupingSets(query);
    if (sets.length > 4096) throw parserError(state, 'statement_too_complex', 'too many grouping sets present (maximum 4096)', query.groupingSets[0]!.location);
    commonRefs = sets.reduce<number[] | null>((common, set) => common === null ? [...set] : common.filter((r) => set.includes(r)), null) ?? [];
    // A single set that is not empty is a plain GROUP BY.
    if (sets.length === 1 && query.groupClause.length > 0) query.groupingSets = [];
  }
  const flat = (e: Expr): Expr => flattenJoinAliasVars(query, e);
  const hasJoins = query.rtable.some((rte) => rte.rtekind === 'join');
  const groupClauses: TargetEntry[] = [];
  for (const clause of query.groupClause) {
    const te = query.targetList.find((t) => t.ressortgroupref === clause.tleSortGroupRef);
    if (te === undefined) continue;
    groupClauses.push(te);
  }
  const groupExprsFlat = groupClauses.map((te) => ({ te, expr: hasJoins ? flat(te.expr) : te.expr }));
  const groupClauseCommonVars: Var[] = [];
  let haveNonVar = false;
  for (const { te, expr } of groupExprsFlat) {
    if (expr.kind !== 'Var') haveNonVar = true;
    else if (commonRefs === null || commonRefs.includes(te.ressortgroupref)) groupClauseCommonVars.push(expr);
  }
  const context: GroupingContext = { state, query, groupClauses, groupClauseCommonVars, haveNonVar, sublevelsUp: 0, inAggDirectArgs: false, funcGrouped: [], groupExprsFlat };
  const check = (e: Expr): Expr => {
    const finalized = finalizeGroupingFuncs(e, context, hasJoins);
    checkUngrouped(hasJoins ? flat(finalized) : finalized, context);
    return finalized;
  };
  query.targetList = query.targetList.map((te) => {
    const expr = check(te.expr);
    return expr === te.expr ? te : { ...te, expr };
  });
  if (query.havingQual !== null) query.havingQual = check(query.havingQual);
  if (state.hasAggs && query.rtable.some((rte) => rte.rtekind === 'cte' && rte.self_reference)) {
    const exprs = [...query.targetList.map((te) => te.expr), ...(query.havingQual === null ? [] : [query.havingQual])];
    throw parserError(state, 'invalid_recursion', "aggregate functions are not allowed in a recursive query's recursive term", locateAggOfLevel(exprs, 0));
  }
}

/** Fills GroupingFunc.refs: the sort group references of its arguments, which must be grouping expressions. */
function finalizeGroupingFuncs(e: Expr, context: GroupingContext, hasJoins: boolean): Expr {
  let depth = 0;
  const mutate = (node: Expr): Expr => {
    if (node.kind === 'GroupingFunc') {
      if (node.agglevelsup !== depth) return node;
      const refs = node.args.map((arg) => {
        const flat = hasJoins && depth === 0 ? flattenJoinAliasVars(context.query, arg) : arg;
        const found = flat.kind === 'Var'
          ? context.groupExprsFlat.find((g) => flat.varlevelsup === depth && g.expr.kind === 'Var' && g.expr.varno === flat.varno && g.expr.varattno === flat.varattno && g.expr.varlevelsup === 0)
          : depth === 0 ? context.groupExprsFlat.find((g) => equal(g.expr, flat)) : undefined;
        if (found === undefined) {
          throw parserError(context.state, 'grouping_error', 'arguments to GROUPING must be grouping expressions of the associated query level', exprLocation(arg));
        }
        return found.te.ressortgroupref;
      });
      return { ...node, refs };
    }
    return expressionTreeMutator(node, mutate, (query) => {
      depth++;
      const result = mutateDeep(query);
      depth--;
      return result;
    });
  };
  const mutateDeep = (query: Query): Query => {
    let has = false;
    const look = (n: Expr | Query): boolean => n.kind === 'Query' ? queryTreeWalker(n, look) : n.kind === 'GroupingFunc' ? (has = true) : expressionTreeWalker(n, look);
    queryTreeWalker(query, look);
    return has ? queryTreeMutator(query, mutate, { query: mutateDeep }) : query;
  };
  return mutate(e);
}

function checkUngrouped(e: Expr | Query, context: GroupingContext): void {
  const walker = (node: Expr | Query): boolean => {
    if (node.kind === 'Query') {
      context.sublevelsUp++;
      queryTreeWalker(node, walker);
      context.sublevelsUp--;
      return false;
    }
    if (node.kind === 'Const' || node.kind === 'Param') return false;
    if (node.kind === 'Aggref') {
      if (node.agglevelsup === context.sublevelsUp) {
        // Its own arguments are free; direct arguments must be grouped.
        const saved = context.inAggDirectArgs;
        context.inAggDirectArgs = true;
        for (const arg of node.aggdirectargs) walker(arg);
        context.inAggDirectArgs = saved;
        return false;
      }
      if (node.agglevelsup > context.sublevelsUp) return false;
    }
    if (node.kind === 'GroupingFunc' && node.agglevelsup >= context.sublevelsUp) return false;
    // A grouping expression as a whole?
    if (context.haveNonVar && context.sublevelsUp === 0) {
      if (context.groupExprsFlat.some((g) => g.expr.kind !== 'Var' && equal(g.expr, node))) return false;
    }
    if (node.kind === 'Var') {
      if (node.varlevelsup !== context.sublevelsUp) return false;
      for (const { expr } of context.groupExprsFlat) {
        if (expr.kind === 'Var' && expr.varno === node.varno && expr.varattno === node.varattno && expr.varlevelsup === 0) return false;
      }
      const rte = context.query.rtable[node.varno - 1]!;
      if (rte.rtekind === 'relation') {
        if (context.funcGrouped.includes(rte)) return false;
        if (checkFunctionalGrouping(context, node.varno, rte)) {
          context.funcGrouped.push(rte);
          return false;
        }
      }
      const attname = getRteAttributeName(rte, node.varattno);
      if (context.sublevelsUp === 0) {
        throw parserError(context.state, 'grouping_error', `column "${rte.eref.aliasname}.${attname}" must appear in the GROUP BY clause or be used in an aggregate function`, node.location,
          context.inAggDirectArgs ? { detail: 'Direct arguments of an ordered-set aggregate must use only grouped columns.' } : {});
      }
      throw parserError(context.state, 'grouping_error', `subquery uses ungrouped column "${rte.eref.aliasname}.${attname}" from outer query`, node.location);
    }
    return expressionTreeWalker(node, walker);
  };
  walker(e);
}

/** Whether the grouping columns contain a primary key of the table. */
function checkFunctionalGrouping(context: GroupingContext, varno: number, rte: RangeTblEntry): boolean {
  for (const constraint of sys.constraintsOf(rte.relid)) {
    if (constraint.contype !== 'p' || constraint.condeferrable) continue;
    const key = constraint.conkey as readonly number[] | null;
    if (key === null) continue;
    if (key.every((attnum) => context.groupClauseCommonVars.some((v) => v.varno === varno && v.varattno === attnum && v.varlevelsup === 0))) {
      context.query.constraintDeps.push(constraint.oid);
      return true;
    }
  }
  return false;
}

Object.assign(recursion, { transformAggregateCall, transformWindowFuncCall });
