// UNION, INTERSECT, EXCEPT (the set operation half of analyze.c).
import { internalError } from '../../common/errors.ts';
import { makeQuery, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprLocation, exprType, exprTypmod, expressionTreeWalker, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query, SetOperationNode, SetOperationStmt } from '../nodes/parsenodes.ts';
import type { Expr, SetToDefault, SortGroupClause, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { parseCheckAggregates } from './parse_agg.ts';
import { coerceToCommonType, selectCommonType, selectCommonTypmod } from './parse_coerce.ts';
import { assignQueryCollations, selectCommonCollation } from './parse_collate.ts';
import { analyzeCteTargetList } from './parse_cte.ts';
import { parserError, withErrorPosition, type ParseState } from './parse_node.ts';
import { getSortGroupOperators } from './parse_oper.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForJoin, addRangeTableEntryForSubquery } from './parse_relation.ts';
import type { RawNode } from './raw_nodes.ts';
import { transformSortClause } from './sort_group.ts';
import { recursion } from './recursion.ts';

type SetNode = Extract<SetOperationNode, { kind: 'SetOperationStmt' }>;
/** Columns of one arm: target entries, or (for an inner set operation) placeholders with its types. */
type Column = TargetEntry;

export function transformSetOperationStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('select');
  let leftmostStmt = stmt.larg as RawNode;
  while (leftmostStmt.op !== 'SETOP_NONE' && leftmostStmt.larg !== undefined) leftmostStmt = leftmostStmt.larg as RawNode;
  const { sortClause, limitOffset, limitCount, limitOption, lockingClause, withClause } = stmt;
  if (leftmostStmt.intoClause !== undefined) throw parserError(state, 'syntax_error', 'SELECT ... INTO is not allowed here', (leftmostStmt.intoClause.rel as RawNode).location);
  if (lockingClause !== undefined) {
    throw parserError(state, 'feature_not_supported', `${recursion.rawLockName((lockingClause as RawNode[])[0]!.strength)} is not allowed with UNION/INTERSECT/EXCEPT`);
  }
  recursion.applyWithClause(state, query, withClause);
  const { sortClause: _s, limitOffset: _o, limitCount: _c, limitOption: _l, withClause: _w, ...bare } = stmt;
  const { node } = transformSetOperationTree(state, bare as RawNode, true);
  if (node.kind !== 'SetOperationStmt') throw internalError('set operation expected');
  const { kind: _kind, ...sostmt } = node;
  query.setOperations = sostmt;
  // Output columns take their names from the leftmost arm.
  let left: SetOperationNode = node.larg;
  while (left.kind === 'SetOperationStmt') left = left.larg;
  const leftmostQuery = state.rtable[left.rtindex - 1]!.subquery!;
  const leftmostRti = left.rtindex;
  const targetvars: Expr[] = [];
  const targetnames: string[] = [];
  let i = 0;
  for (const te of leftmostQuery.targetList) {
    if (te.resjunk) continue;
    const type = sostmt.colTypes[i]!;
    const v = makeVar(leftmostRti, te.resno, type, sostmt.colTypmods[i]!, sostmt.colCollations[i]!, 0, exprLocation(te.expr));
    query.targetList.push(makeTargetEntry(v, state.nextResno++, te.resname, false));
    targetvars.push(v);
    targetnames.push(te.resname ?? '?column?');
    i++;
  }
  // ORDER BY sees the output columns only: a dummy join entry carries them while it is analyzed.
  const rtableLength = state.rtable.length;
  const columns = targetvars.map((v) => ({ varno: leftmostRti, varattno: (v as { varattno: number }).varattno, vartype: exprType(v), vartypmod: exprTypmod(v), varcollid: exprCollation(v), dontexpand: false }));
  const item = addRangeTableEntryForJoin(state, targetnames, columns, 'inner', 0, targetvars, [], [], null, null, false);
  const savedNamespace = state.namespace;
  state.namespace = [];
  addNamespaceItemToQuery(state, item, false, false, true);
  const tlistLength = query.targetList.length;
  query.sortClause = transformSortClause(state, (sortClause as RawNode[] | undefined) ?? [], query.targetList, 'order_by', false);
  state.namespace = savedNamespace;
  state.rtable.length = rtableLength;
  if (query.targetList.length !== tlistLength) {
    throw parserError(state, 'feature_not_supported', 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause', exprLocation(query.targetList[tlistLength]!.expr), {
      detail: 'Only result column names can be used, not expressions or functions.', hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
    });
  }
  recursion.applyLimit(state, query, { limitOffset, limitCount, limitOption } as unknown as RawNode);
  recursion.finishQuery(state, query, null);
  if (lockingClause !== undefined) for (const clause of lockingClause as RawNode[]) recursion.transformLockingClause(state, query, clause, false);
  assignQueryCollations(state, query);
  if (state.hasAggs || query.groupClause.length > 0 || query.havingQual !== null) parseCheckAggregates(state, query);
  return query;
}

function transformSetOperationTree(state: ParseState, stmt: RawNode, isTopLevel: boolean): { node: SetOperationNode; columns: Column[] } {
  if (stmt.intoClause !== undefined) throw parserError(state, 'syntax_error', 'INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT', (stmt.intoClause.rel as RawNode).location);
  if (stmt.lockingClause !== undefined) {
    throw parserError(state, 'feature_not_supported', `${recursion.rawLockName((stmt.lockingClause as RawNode[])[0]!.strength)} is not allowed with UNION/INTERSECT/EXCEPT`);
  }
  const isLeaf = stmt.op === 'SETOP_NONE' || stmt.larg === undefined || stmt.sortClause !== undefined || stmt.limitOffset !== undefined || stmt.limitCount !== undefined || stmt.withClause !== undefined;
  void isTopLevel;
  if (isLeaf) {
    const savedNamespace = state.namespace;
    state.namespace = [];
    const query = recursion.parseSubAnalyze(stmt, state, null, false, false);
    state.namespace = savedNamespace;
    // The arms of a set operation do not see each other.
    const bad = state.namespace.length > 0 ? locateLevelOneVar(query) : undefined;
    if (bad !== undefined) {
      throw parserError(state, 'invalid_column_reference', 'UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level', bad);
    }
    const columns = query.targetList.filter((te) => !te.resjunk);
    const item = addRangeTableEntryForSubquery(state, query, { aliasname: `*SELECT* ${state.rtable.length + 1}`, colnames: [] }, false, false);
    return { node: { kind: 'RangeTblRef', rtindex: item.rtindex }, columns };
  }
  const ops: Record<string, SetOperationStmt['op']> = { SETOP_UNION: 'union', SETOP_INTERSECT: 'intersect', SETOP_EXCEPT: 'except' };
  const op = ops[stmt.op as string]!;
  const context = op.toUpperCase();
  const all = stmt.all === true;
  const left = transformSetOperationTree(state, stmt.larg, false);
  // The types of a recursive query are those of its non-recursive term.
  if (isTopLevel && state.parentCte !== null && state.parentCte.cterecursive) determineRecursiveColTypes(state, left);
  const right = transformSetOperationTree(state, stmt.rarg, false);
  if (left.columns.length !== right.columns.length) {
    throw parserError(state, 'syntax_error', `each ${context} query must have the same number of columns`, right.columns[0] === undefined ? undefined : exprLocation(right.columns[0].expr));
  }
  const node: SetNode = { kind: 'SetOperationStmt', op, all, larg: left.node, rarg: right.node, colTypes: [], colTypmods: [], colCollations: [], groupClauses: [] };
  const columns: Column[] = left.columns.map((lte, i) => {
    const rte = right.columns[i]!;
    const { type } = selectCommonType(state, [lte.expr, rte.expr], context);
    const which = selectCommonType(state, [lte.expr, rte.expr], context).which;
    const bestLocation = exprLocation(which);
    // Literals in leaf queries take the common type now; anything else is converted by the executor's own means.
    lte.expr = coerceArm(state, lte.expr, type, context);
    rte.expr = coerceArm(state, rte.expr, type, context);
    const typmod = selectCommonTypmod([lte.expr, rte.expr], type);
    const collation = selectCommonCollation(state, [lte.expr, rte.expr], op === 'union' && all);
    node.colTypes.push(type);
    node.colTypmods.push(typmod);
    node.colCollations.push(collation);
    if (op !== 'union' || !all) node.groupClauses.push(makeSortGroupClauseForSetOp(state, type, bestLocation, op === 'union' && state.parentCte?.cterecursive === true));
    const placeholder: SetToDefault = { kind: 'SetToDefault', typeId: type, typeMod: typmod, collation, location: bestLocation };
    return makeTargetEntry(placeholder, i + 1, lte.resname, false);
  });
  return { node, columns };
}

function coerceArm(state: ParseState, e: Expr, type: Oid, context: string): Expr {
  if (exprType(e) !== T.UNKNOWNOID) {
    // Only checks that there is a way.
    coerceToCommonType(state, e, type, context);
    return e;
  }
  return e.kind === 'Const' || e.kind === 'Param' || e.kind === 'CollateExpr' ? coerceToCommonType(state, e, type, context) : e;
}

export function makeSortGroupClauseForSetOp(state: ParseState, type: Oid, location: number, requireHash: boolean): SortGroupClause {
  const o = withErrorPosition(state, location, () => getSortGroupOperators(type, false, true, false));
  return { tleSortGroupRef: 0, eqop: o.eq, sortop: o.lt, nulls_first: false, hashable: o.hashable || (requireHash && (type === T.RECORDOID || type === T.RECORDARRAYOID)) };
}

function determineRecursiveColTypes(state: ParseState, left: { node: SetOperationNode; columns: Column[] }): void {
  let leftmost = left.node;
  while (leftmost.kind === 'SetOperationStmt') leftmost = leftmost.larg;
  const query = state.rtable[leftmost.rtindex - 1]!.subquery!;
  const names = query.targetList.filter((te) => !te.resjunk).map((te) => te.resname);
  const list = left.columns.map((c, i): TargetEntry => makeTargetEntry(exprType(c.expr) === T.UNKNOWNOID ? unknownAsText(c.expr) : c.expr, i + 1, names[i] ?? null, false));
  analyzeCteTargetList(state, state.parentCte!, list);
}
const unknownAsText = (e: Expr): Expr => e.kind === 'Const' ? { ...e, consttype: T.UNKNOWNOID } : e;

function locateLevelOneVar(query: Query): number | undefined {
  let found: number | undefined;
  let depth = 1;
  const walker = (n: Expr | Query): boolean => {
    if (n.kind === 'Query') {
      depth++;
      const result = queryTreeWalker(n, walker);
      depth--;
      return result;
    }
    if (n.kind === 'Var' && n.varlevelsup === depth) {
      found = n.location;
      return true;
    }
    return expressionTreeWalker(n, walker);
  };
  queryTreeWalker(query, walker);
  return found;
}
