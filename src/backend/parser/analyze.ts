// Parse analysis: from a raw statement to a Query (analyze.c). Set operations are in analyze_setop.ts, INSERT, UPDATE,
// DELETE in analyze_modify.ts.
import { internalError } from '../../common/errors.ts';
import { makeFromExpr, makeQuery } from '../nodes/makefuncs.ts';
import { containsVarsOfLevel, exprLocation } from '../nodes/nodeFuncs.ts';
import { ACL, type CommonTableExpr, type Query, type RangeTblEntry, type RowMarkClause } from '../nodes/parsenodes.ts';
import type { Expr, FuncExpr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { transformDeleteStmt, transformInsertStmt, transformUpdateStmt } from './analyze_modify.ts';
import { transformSetOperationStmt } from './analyze_setop.ts';
import { transformMergeStmt } from './parse_merge.ts';
import { parseCheckAggregates } from './parse_agg.ts';
import { transformFromClause, transformLimitClause, transformWhereClause } from './parse_clause.ts';
import { selectCommonType, selectCommonTypmod, coerceToCommonType } from './parse_coerce.ts';
import { assignExprCollations, assignQueryCollations, selectCommonCollation } from './parse_collate.ts';
import { transformWithClause } from './parse_cte.ts';
import { transformExpr } from './parse_expr.ts';
import { parseFuncOrColumn } from './parse_func.ts';
import { makeParseState, parserError, type ParseState } from './parse_node.ts';
import { checkVariableParameters, setupParseFixedParameters, setupParseVariableParameters } from './parse_param.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForValues, expandNamespaceItemAttrs } from './parse_relation.ts';
import { markTargetListOrigins, resolveTargetListUnknowns, transformExpressionList, transformTargetList } from './parse_target.ts';
import { stackDepthExceeded } from '../utils/stack_depth.ts';
import { isStackOverflow } from './raw_parser.ts';
import type { RawNode, RawStmt } from './raw_nodes.ts';
import { transformDistinctClause, transformDistinctOnClause, transformGroupClause, transformSortClause, transformWindowDefinitions } from './sort_group.ts';
import { recursion } from './recursion.ts';

// ---- entry points --------------------------------------------------------------------------------------------

/** Analyzes a statement whose parameters have the given types (0: there is no such parameter). */
export function parseAnalyze(raw: RawStmt, text: string, paramTypes: readonly Oid[] = []): Query {
  const state = makeParseState(text);
  if (paramTypes.length > 0) setupParseFixedParameters(state, paramTypes);
  return guarded(() => transformTopLevelStmt(state, raw));
}

/** Analyzes a statement and finds the types of parameters not given (0 in `paramTypes`). */
export function parseAnalyzeVarParams(raw: RawStmt, text: string, paramTypes: readonly Oid[]): { query: Query; paramTypes: Oid[] } {
  const state = makeParseState(text);
  const types = paramTypes.slice();
  setupParseVariableParameters(state, types);
  return guarded(() => {
    const query = transformTopLevelStmt(state, raw);
    checkVariableParameters(state, query, types);
    return { query, paramTypes: types };
  });
}

/** Analyzes with a state the caller has prepared: hooks for PL/pgSQL and SQL functions. */
export function parseAnalyzeWithState(raw: RawStmt, state: ParseState): Query {
  return guarded(() => transformTopLevelStmt(state, raw));
}

function guarded<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (isStackOverflow(error)) throw stackDepthExceeded();
    throw error;
  }
}

/** Analyzes a subquery below `parent`. */
export function parseSubAnalyze(stmt: RawNode, parent: ParseState, parentCte: CommonTableExpr | null, lockedFromParent: boolean, resolveUnknowns: boolean): Query {
  const state = makeParseState('', parent);
  state.parentCte = parentCte;
  state.lockedFromParent = lockedFromParent;
  state.resolveUnknowns = resolveUnknowns;
  const query = transformStmt(state, stmt);
  checkTargetCount(state);
  return query;
}

const MAX_TARGETS = 1664;

function checkTargetCount(state: ParseState): void {
  if (state.nextResno - 1 > MAX_TARGETS) throw parserError(state, 'too_many_columns', `target lists can have at most ${MAX_TARGETS} entries`);
}

function transformTopLevelStmt(state: ParseState, raw: RawStmt): Query {
  const query = transformOptionalSelectInto(state, raw.stmt);
  checkTargetCount(state);
  query.stmt_location = raw.stmt_location;
  query.stmt_len = raw.stmt_len;
  return query;
}

/** SELECT ... INTO becomes CREATE TABLE AS. */
function transformOptionalSelectInto(state: ParseState, stmt: RawNode): Query {
  if (stmt.tag === 'SelectStmt') {
    let leftmost = stmt;
    while (leftmost.op !== 'SETOP_NONE' && leftmost.larg !== undefined) leftmost = leftmost.larg as RawNode;
    if (leftmost.intoClause !== undefined) {
      const into = leftmost.intoClause as RawNode;
      const query = stripInto(stmt);
      return transformStmt(state, { tag: 'CreateTableAsStmt', query, into, objtype: 'OBJECT_TABLE', is_select_into: true });
    }
  }
  return transformStmt(state, stmt);
}

function stripInto(stmt: RawNode): RawNode {
  if (stmt.op === 'SETOP_NONE') {
    const { intoClause: _into, ...rest } = stmt;
    return rest as RawNode;
  }
  return { ...stmt, larg: stripInto(stmt.larg) };
}

/** Analyzes an optimizable statement; anything else becomes a utility Query. */
export function transformStmt(state: ParseState, stmt: RawNode): Query {
  switch (stmt.tag) {
    case 'SelectStmt':
      if (stmt.valuesLists !== undefined) return transformValuesClause(state, stmt);
      return stmt.op === 'SETOP_NONE' ? transformSelectStmt(state, stmt) : transformSetOperationStmt(state, stmt);
    case 'InsertStmt': return transformInsertStmt(state, stmt);
    case 'UpdateStmt': return transformUpdateStmt(state, stmt);
    case 'DeleteStmt': return transformDeleteStmt(state, stmt);
    case 'MergeStmt': return transformMergeStmt(state, stmt);
    default: {
      const query = makeQuery('utility');
      query.utilityStmt = transformUtility(state, stmt);
      return query;
    }
  }
}

/** Statements that hold a query have it analyzed now: the result is beside the raw one, in `analyzed`. */
function transformUtility(state: ParseState, stmt: RawNode): RawNode {
  switch (stmt.tag) {
    case 'DeclareCursorStmt': {
      const query = transformStmt(state, stmt.query);
      checkDeclareCursor(state, stmt, query);
      return { ...stmt, analyzed: query };
    }
    case 'ExplainStmt': {
      const query = transformOptionalSelectInto(state, stmt.query);
      return { ...stmt, analyzed: query };
    }
    case 'CreateTableAsStmt': {
      const query = transformStmt(state, stmt.query);
      if (stmt.objtype === 'OBJECT_MATVIEW' && query.hasModifyingCTE) {
        throw parserError(state, 'feature_not_supported', 'materialized views must not use data-modifying statements in WITH');
      }
      return { ...stmt, analyzed: query };
    }
    case 'CallStmt': return { ...stmt, analyzed: transformCall(state, stmt) };
    default: return stmt;
  }
}

/** The call that CALL makes, with all arguments given, those that only come back among them. */
export function transformCall(state: ParseState, stmt: RawNode): FuncExpr {
  const raw = stmt.funccall as RawNode;
  const args = ((raw.args ?? []) as RawNode[]).map((a) => transformExpr(state, a, 'call_argument'));
  const call = parseFuncOrColumn(state, raw.funcname as string[], args, null, raw, true, (raw.location as number | undefined) ?? -1);
  if (call?.kind !== 'FuncExpr') throw internalError('CALL of something that is no procedure');
  assignExprCollations(state, call);
  return call;
}

const CURSOR_OPT = { SCROLL: 2, NO_SCROLL: 4, INSENSITIVE: 8, HOLD: 32 } as const;

function checkDeclareCursor(state: ParseState, stmt: RawNode, query: Query): void {
  const options = (stmt.options as number | undefined) ?? 0;
  const has = (bit: number): boolean => (options & bit) !== 0;
  if (query.commandType !== 'select') throw internalError('unexpected non-SELECT command in DECLARE CURSOR');
  if (query.hasModifyingCTE) throw parserError(state, 'feature_not_supported', 'DECLARE CURSOR must not contain data-modifying statements in WITH');
  if (has(CURSOR_OPT.SCROLL) && has(CURSOR_OPT.NO_SCROLL)) throw parserError(state, 'invalid_cursor_definition', 'cannot specify both SCROLL and NO SCROLL');
  if (query.rowMarks.length === 0) return;
  const strength = lockName(query.rowMarks[0]!.strength);
  if (has(CURSOR_OPT.HOLD)) throw parserError(state, 'feature_not_supported', `DECLARE CURSOR WITH HOLD ... ${strength} is not supported`, undefined, { detail: 'Holdable cursors must be READ ONLY.' });
  if (has(CURSOR_OPT.SCROLL)) throw parserError(state, 'feature_not_supported', `DECLARE SCROLL CURSOR ... ${strength} is not supported`, undefined, { detail: 'Scrollable cursors must be READ ONLY.' });
  if (has(CURSOR_OPT.INSENSITIVE)) throw parserError(state, 'invalid_cursor_definition', `DECLARE INSENSITIVE CURSOR ... ${strength} is not valid`, undefined, { detail: 'Insensitive cursors must be READ ONLY.' });
}

// ---- SELECT --------------------------------------------------------------------------------------------------

/** WITH of any statement. */
export function applyWithClause(state: ParseState, query: Query, withClause: RawNode | undefined): void {
  if (withClause === undefined) return;
  query.hasRecursive = withClause.recursive === true;
  query.cteList = transformWithClause(state, withClause);
  query.hasModifyingCTE = state.hasModifyingCTE;
}

/** Copies what the state has gathered into the query. */
export function finishQuery(state: ParseState, query: Query, qual: Expr | null): void {
  query.rtable = state.rtable;
  query.jointree = makeFromExpr(state.joinlist, qual);
  query.hasSubLinks = state.hasSubLinks;
  query.hasWindowFuncs = state.hasWindowFuncs;
  query.hasTargetSRFs = state.hasTargetSRFs;
  query.hasAggs = state.hasAggs;
}

function transformSelectStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('select');
  applyWithClause(state, query, stmt.withClause);
  if (stmt.intoClause !== undefined) throw parserError(state, 'syntax_error', 'SELECT ... INTO is not allowed here', (stmt.intoClause.rel as RawNode).location);
  state.lockingClause = (stmt.lockingClause as never) === undefined ? [] : (stmt.lockingClause as RawNode[]).map((c) => ({
    lockedRels: (c.lockedRels as RawNode[] | undefined) ?? [], strength: c.strength as string, waitPolicy: c.waitPolicy as string,
  }));
  state.windowDefs = ((stmt.windowClause as RawNode[] | undefined) ?? []).slice();
  transformFromClause(state, (stmt.fromClause as RawNode[] | undefined) ?? []);
  query.targetList = transformTargetList(state, (stmt.targetList as RawNode[] | undefined) ?? [], 'select_target');
  markTargetListOrigins(state, query.targetList);
  const qual = transformWhereClause(state, stmt.whereClause as RawNode | undefined, 'where', 'WHERE');
  query.havingQual = transformWhereClause(state, stmt.havingClause as RawNode | undefined, 'having', 'HAVING');
  query.sortClause = transformSortClause(state, (stmt.sortClause as RawNode[] | undefined) ?? [], query.targetList, 'order_by', false);
  const group = transformGroupClause(state, (stmt.groupClause as RawNode[] | undefined) ?? [], query.targetList, query.sortClause, 'group_by', false);
  query.groupClause = group.groupClause;
  query.groupingSets = group.groupingSets;
  query.groupDistinct = stmt.groupDistinct === true;
  const distinct = stmt.distinctClause as (RawNode | null)[] | undefined;
  if (distinct === undefined) query.distinctClause = [];
  else if (distinct[0] === null || distinct.length === 0) query.distinctClause = transformDistinctClause(state, query.targetList, query.sortClause, false);
  else {
    query.distinctClause = transformDistinctOnClause(state, distinct as RawNode[], query.targetList, query.sortClause);
    query.hasDistinctOn = true;
  }
  applyLimit(state, query, stmt);
  // Windows last: OVER clauses have added to the list.
  query.windowClause = transformWindowDefinitions(state, state.windowDefs, query.targetList);
  if (state.resolveUnknowns) resolveTargetListUnknowns(state, query.targetList);
  finishQuery(state, query, qual);
  for (const clause of (stmt.lockingClause as RawNode[] | undefined) ?? []) transformLockingClause(state, query, clause, false);
  assignQueryCollations(state, query);
  if (state.hasAggs || query.groupClause.length > 0 || query.groupingSets.length > 0 || query.havingQual !== null) parseCheckAggregates(state, query);
  return query;
}

export function applyLimit(state: ParseState, query: Query, stmt: RawNode): void {
  query.limitOffset = transformLimitClause(state, stmt.limitOffset as RawNode | undefined, 'offset', 'OFFSET', false);
  query.limitWithTies = stmt.limitOption === 'LIMIT_OPTION_WITH_TIES';
  query.limitCount = transformLimitClause(state, stmt.limitCount as RawNode | undefined, 'limit', query.limitWithTies ? 'FETCH FIRST' : 'LIMIT', query.limitWithTies);
}

// ---- VALUES --------------------------------------------------------------------------------------------------

function transformValuesClause(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('select');
  applyWithClause(state, query, stmt.withClause);
  const rows: Expr[][] = [];
  let width = -1;
  for (const raw of stmt.valuesLists as RawNode[][]) {
    const row = transformExpressionList(state, raw, 'values', false);
    if (width < 0) width = row.length;
    else if (row.length !== width) throw parserError(state, 'syntax_error', 'VALUES lists must all be the same length', row[0] === undefined ? undefined : exprLocation(row[0]));
    rows.push(row);
  }
  // Each column gets the type common to all its values.
  const coltypes: Oid[] = [];
  const coltypmods: number[] = [];
  const colcollations: Oid[] = [];
  for (let i = 0; i < width; i++) {
    const column = rows.map((row) => row[i]!);
    const { type } = selectCommonType(state, column, 'VALUES');
    const coerced = column.map((e) => coerceToCommonType(state, e, type, 'VALUES'));
    coerced.forEach((e, r) => { rows[r]![i] = e; });
    coltypes.push(type);
    coltypmods.push(selectCommonTypmod(coerced, type));
    colcollations.push(selectCommonCollation(state, coerced, true));
  }
  for (const row of rows) for (const e of row) assignExprCollations(state, e);
  const lateral = state.rtable.length > 0 && rows.some((row) => row.some((e) => containsVarsOfLevel(e, 0)));
  const item = addRangeTableEntryForValues(state, rows, coltypes, coltypmods, colcollations, null, lateral, true);
  addNamespaceItemToQuery(state, item, true, true, true);
  query.targetList = expandNamespaceItemAttrs(state, item, 0, false, -1);
  query.sortClause = transformSortClause(state, (stmt.sortClause as RawNode[] | undefined) ?? [], query.targetList, 'order_by', false);
  applyLimit(state, query, stmt);
  if (stmt.lockingClause !== undefined) {
    throw parserError(state, 'feature_not_supported', `${rawLockName((stmt.lockingClause as RawNode[])[0]!.strength)} cannot be applied to VALUES`);
  }
  finishQuery(state, query, null);
  assignQueryCollations(state, query);
  return query;
}

// ---- FOR UPDATE ----------------------------------------------------------------------------------------------

const STRENGTHS: Record<string, RowMarkClause['strength']> = {
  LCS_FORKEYSHARE: 'keyshare', LCS_FORSHARE: 'share', LCS_FORNOKEYUPDATE: 'nokeyupdate', LCS_FORUPDATE: 'update',
};
const STRENGTH_ORDER: readonly RowMarkClause['strength'][] = ['keyshare', 'share', 'nokeyupdate', 'update'];
const WAIT: Record<string, RowMarkClause['waitPolicy']> = { LockWaitBlock: 'block', LockWaitSkip: 'skip', LockWaitError: 'error' };
const WAIT_ORDER: readonly RowMarkClause['waitPolicy'][] = ['block', 'skip', 'error'];

export function lockName(strength: RowMarkClause['strength']): string {
  return { keyshare: 'FOR KEY SHARE', share: 'FOR SHARE', nokeyupdate: 'FOR NO KEY UPDATE', update: 'FOR UPDATE' }[strength];
}
export const rawLockName = (strength: string): string => lockName(STRENGTHS[strength]!);

/** What cannot be locked. */
export function checkSelectLocking(state: ParseState | null, query: Query, name: string): void {
  const refuse = (what: string): never => { throw parserError(state, 'feature_not_supported', `${name} is not allowed with ${what}`); };
  if (query.setOperations !== null) refuse('UNION/INTERSECT/EXCEPT');
  if (query.distinctClause.length > 0) refuse('DISTINCT clause');
  if (query.groupClause.length > 0 || query.groupingSets.length > 0) refuse('GROUP BY clause');
  if (query.havingQual !== null) refuse('HAVING clause');
  if (query.hasAggs) refuse('aggregate functions');
  if (query.hasWindowFuncs) refuse('window functions');
  if (query.hasTargetSRFs) refuse('set-returning functions in the target list');
}

/** Applies one FOR UPDATE/SHARE clause; pushed down into subqueries. */
export function transformLockingClause(state: ParseState, query: Query, clause: RawNode, pushedDown: boolean): void {
  const strength = clause.strength as string;
  checkSelectLocking(state, query, rawLockName(strength));
  const allRels: RawNode = { tag: 'LockingClause', strength, waitPolicy: clause.waitPolicy };
  const lockedRels = (clause.lockedRels as RawNode[] | undefined) ?? [];
  const apply = (rte: RangeTblEntry, rtindex: number): void => {
    if (rte.rtekind === 'relation') {
      rte.requiredPerms |= ACL.UPDATE;
      applyLockingClause(query, rtindex, STRENGTHS[strength]!, WAIT[clause.waitPolicy as string]!, pushedDown);
    } else if (rte.rtekind === 'subquery') {
      applyLockingClause(query, rtindex, STRENGTHS[strength]!, WAIT[clause.waitPolicy as string]!, pushedDown);
      transformLockingClause(state, rte.subquery!, allRels, true);
    }
  };
  if (lockedRels.length === 0) {
    query.rtable.forEach((rte, i) => { if (rte.inFromCl) apply(rte, i + 1); });
    return;
  }
  for (const rel of lockedRels) {
    if (rel.catalogname !== undefined || rel.schemaname !== undefined) throw parserError(state, 'syntax_error', `${rawLockName(strength)} must specify unqualified relation names`, rel.location);
    let found = false;
    for (const [i, rte] of query.rtable.entries()) {
      if (!rte.inFromCl) continue;
      // A join goes by its alias or that of its USING, if any.
      const alias = rte.rtekind === 'join' && rte.alias === null ? rte.join_using_alias : rte.eref;
      if (alias?.aliasname !== rel.relname) continue;
      const kinds: Partial<Record<RangeTblEntry['rtekind'], string>> = { join: 'a join', function: 'a function', values: 'VALUES', cte: 'a WITH query' };
      const kind = kinds[rte.rtekind];
      if (kind !== undefined) throw parserError(state, 'feature_not_supported', `${rawLockName(strength)} cannot be applied to ${kind}`, rel.location);
      apply(rte, i + 1);
      found = true;
      break;
    }
    if (!found) throw parserError(state, 'undefined_table', `relation "${rel.relname}" in ${rawLockName(strength)} clause not found in FROM clause`, rel.location);
  }
}

export function applyLockingClause(query: Query, rti: number, strength: RowMarkClause['strength'], waitPolicy: RowMarkClause['waitPolicy'], pushedDown: boolean): void {
  if (!pushedDown) query.hasForUpdate = true;
  const known = query.rowMarks.find((rc) => rc.rti === rti);
  if (known !== undefined) {
    // The stronger of each wins.
    if (STRENGTH_ORDER.indexOf(strength) > STRENGTH_ORDER.indexOf(known.strength)) known.strength = strength;
    if (WAIT_ORDER.indexOf(waitPolicy) > WAIT_ORDER.indexOf(known.waitPolicy)) known.waitPolicy = waitPolicy;
    known.pushedDown &&= pushedDown;
    return;
  }
  query.rowMarks.push({ rti, strength, waitPolicy, pushedDown });
}

Object.assign(recursion, { applyLimit, applyWithClause, finishQuery, parseSubAnalyze, rawLockName, transformLockingClause, transformStmt });
