// FROM, WHERE and LIMIT (parse_clause.c). Sorting, grouping, DISTINCT and windows: sort_group.ts; ON CONFLICT:
// on_conflict.ts.
import { PgError, internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { procByOid } from '../catalog/syscache.ts';
import { makeAlias, makeBoolExpr, makeVar } from '../nodes/makefuncs.ts';
import { containsVarsOfLevel, exprCollation, exprLocation, exprType, exprTypmod, varOfLevel } from '../nodes/nodeFuncs.ts';
import type { Alias, CoalesceExpr, Expr, FromItem, JoinExpr, JoinType, Var } from '../nodes/primnodes.ts';
import * as T from '../types/oids.ts';
import { coerceToBoolean, coerceToSpecificType, coerceType, selectCommonType, selectCommonTypmod } from './parse_coerce.ts';
import { assignExprCollations } from './parse_collate.ts';
import { recurse, transformExpr } from './parse_expr.ts';
import { lookupFuncName, parseFuncOrColumn } from './parse_func.ts';
import { makeParseState, parserError, type NamespaceColumn, type NamespaceItem, type ParseExprKind, type ParseState } from './parse_node.ts';
import { makeOp } from './parse_oper.ts';
import {
  addNamespaceItemToQuery, addRangeTableEntry, addRangeTableEntryForCte, addRangeTableEntryForEnr, addRangeTableEntryForFunction, addRangeTableEntryForJoin, addRangeTableEntryForRelation,
  addRangeTableEntryForSubquery, aliasOf, checkNameSpaceConflicts, isLockedRefname, markVarForSelectPriv, parserOpenTable, RowExclusiveLock, scanNamespaceForCte,
} from './parse_relation.ts';
import { figureColname } from './parse_target.ts';
import { transformRangeTableFunc } from './parse_xml.ts';
import { ephemeralRelation } from './query_environment.ts';
import type { RawNode } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

// ---- FROM ----------------------------------------------------------------------------------------------------

/** Adds the items of FROM to the range table, the join list and the namespace. */
export function transformFromClause(state: ParseState, list: readonly RawNode[]): void {
  for (const raw of list) {
    const { item, namespace } = transformFromClauseItem(state, raw);
    checkNameSpaceConflicts(state, state.namespace, namespace);
    setNamespaceLateralState(namespace, true, true);
    state.joinlist.push(item);
    state.namespace.push(...namespace);
  }
  setNamespaceLateralState(state.namespace, false, true);
}

function setNamespaceLateralState(namespace: readonly NamespaceItem[], lateralOnly: boolean, lateralOk: boolean): void {
  for (const n of namespace) {
    n.lateralOnly = lateralOnly;
    n.lateralOk = lateralOk;
  }
}

/** The table that INSERT, UPDATE, DELETE or MERGE changes: opened and added to the range table. */
export function setTargetTable(state: ParseState, raw: RawNode, inh: boolean, alsoSource: boolean, requiredPerms: number): number {
  if (raw.schemaname === undefined && ephemeralRelation(raw.relname as string) !== undefined) {
    throw new PgError('feature_not_supported', `relation "${raw.relname as string}" cannot be the target of a modifying statement`);
  }
  const relation = parserOpenTable(state, raw, RowExclusiveLock);
  state.targetRelation = relation;
  const item = addRangeTableEntryForRelation(state, relation, RowExclusiveLock, aliasOf(raw.alias), inh, false);
  state.targetItem = item;
  item.rte.requiredPerms = requiredPerms;
  if (alsoSource) addNamespaceItemToQuery(state, item, true, true, true);
  return item.rtindex;
}

interface FromResult { item: FromItem; top: NamespaceItem; namespace: NamespaceItem[] }

function transformFromClauseItem(state: ParseState, n: RawNode): FromResult {
  const single = (top: NamespaceItem): FromResult => ({ item: { kind: 'RangeTblRef', rtindex: top.rtindex }, top, namespace: [top] });
  switch (n.tag) {
    case 'RangeVar': return single(transformTableEntry(state, n));
    case 'RangeSubselect': return single(transformRangeSubselect(state, n));
    case 'RangeFunction': return single(transformRangeFunction(state, n));
    case 'RangeTableSample': return transformRangeTableSample(state, n);
    case 'RangeTableFunc': return single(transformRangeTableFunc(state, n, (raw) => transformExpr(state, raw, 'from_function')));
    case 'JoinExpr': return transformJoin(state, n);
    default: throw internalError(`unrecognized node type: ${n.tag}`);
  }
}

function transformRangeTableSample(state: ParseState, r: RawNode): FromResult {
  const result = transformFromClauseItem(state, r.relation);
  const { rte } = result.top;
  if (rte.rtekind !== 'relation' || !'rmp'.includes(rte.relkind)) {
    throw parserError(state, 'feature_not_supported', 'TABLESAMPLE clause can only be applied to tables and materialized views', (r.relation as RawNode).location);
  }
  const method = r.method as string[];
  const handler = lookupFuncName(method, [T.INTERNALOID], true);
  if (handler === 0) throw parserError(state, 'undefined_object', `tablesample method ${method.join('.')} does not exist`, r.location);
  const proc = procByOid(handler)!;
  if (proc.prorettype !== T.TSM_HANDLEROID) throw parserError(state, 'wrong_object_type', `function ${method.join('.')} must return type tsm_handler`, r.location);
  // Both methods there are take a percentage.
  const args = (r.args as RawNode[] | undefined) ?? [];
  if (args.length !== 1) {
    throw parserError(state, 'invalid_tablesample_argument', `tablesample method ${method.join('.')} requires 1 argument, not ${args.length}`, r.location);
  }
  const value = (raw: RawNode, type: number, construct: string): Expr => {
    const e = coerceToSpecificType(state, transformExpr(state, raw, 'from_function'), type, construct);
    assignExprCollations(state, e);
    return e;
  };
  rte.tablesample = {
    tsmhandler: handler, args: args.map((raw) => value(raw, T.FLOAT4OID, 'TABLESAMPLE')),
    repeatable: r.repeatable === undefined ? null : value(r.repeatable, T.FLOAT8OID, 'REPEATABLE'),
  };
  rte.lateral = [...rte.tablesample.args, rte.tablesample.repeatable].some((e) => e !== null && containsVarsOfLevel(e, 0));
  return result;
}

function transformTableEntry(state: ParseState, r: RawNode): NamespaceItem {
  if (r.schemaname === undefined) {
    const found = scanNamespaceForCte(state, r.relname as string);
    if (found !== null) return addRangeTableEntryForCte(state, found.cte, found.levelsup, r, true);
    const ephemeral = ephemeralRelation(r.relname as string);
    if (ephemeral !== undefined) return addRangeTableEntryForEnr(state, ephemeral, r, true);
  }
  return addRangeTableEntry(state, r, aliasOf(r.alias), r.inh === true, true);
}

function transformRangeSubselect(state: ParseState, r: RawNode): NamespaceItem {
  const savedKind = state.exprKind;
  const savedLateral = state.lateralActive;
  state.exprKind = 'from_subselect';
  state.lateralActive = r.lateral === true;
  const alias = aliasOf(r.alias)!;
  const query = recursion.parseSubAnalyze(r.subquery, state, null, isLockedRefname(state, alias.aliasname), true);
  state.lateralActive = savedLateral;
  state.exprKind = savedKind;
  if (query.commandType !== 'select') throw internalError('unexpected non-SELECT command in subquery in FROM');
  return addRangeTableEntryForSubquery(state, query, alias, r.lateral === true, true);
}

function transformRangeFunction(state: ParseState, r: RawNode): NamespaceItem {
  const savedKind = state.exprKind;
  const savedLateral = state.lateralActive;
  // Functions may always refer to the items before them.
  state.lateralActive = true;
  state.exprKind = 'from_function';
  const exprs: Expr[] = [];
  const names: string[] = [];
  const coldefs: (RawNode[] | undefined)[] = [];
  for (const pair of r.functions as [RawNode, RawNode[] | null][]) {
    const [fexpr, coldeflist] = pair;
    const args = (fexpr.args as RawNode[] | undefined) ?? [];
    if (fexpr.tag === 'FuncCall' && args.length > 1 && (fexpr.funcname as string[]).length === 1 && fexpr.funcname[0] === 'unnest' && fexpr.agg_order === undefined
      && fexpr.agg_filter === undefined && fexpr.over === undefined && fexpr.agg_star !== true && fexpr.agg_distinct !== true && fexpr.func_variadic !== true && coldeflist === null) {
      // unnest(a, b, ...) is short for ROWS FROM (unnest(a), unnest(b), ...).
      for (const arg of args) {
        const lastSrf = state.lastSrf;
        const one: RawNode = { tag: 'FuncCall', funcname: ['pg_catalog', 'unnest'], args: [arg], funcformat: 'COERCE_EXPLICIT_CALL', location: fexpr.location ?? -1 };
        exprs.push(parseFuncOrColumn(state, ['pg_catalog', 'unnest'], [recurse(state, arg)], lastSrf, one, false, fexpr.location ?? -1)!);
        names.push(figureColname(one));
        coldefs.push(undefined);
      }
      continue;
    }
    const lastSrf = state.lastSrf;
    const e = recurse(state, fexpr);
    if (state.lastSrf !== lastSrf && state.lastSrf !== e) {
      throw parserError(state, 'feature_not_supported', 'set-returning functions must appear at top level of FROM', exprLocation(state.lastSrf!));
    }
    exprs.push(e);
    names.push(figureColname(fexpr));
    if (coldeflist !== null && r.is_rowsfrom !== true) throw internalError('column definition list in a place where none can be');
    coldefs.push(coldeflist === null || (coldeflist as unknown[]).length === 0 ? undefined : coldeflist);
  }
  state.lateralActive = savedLateral;
  state.exprKind = savedKind;
  for (const e of exprs) assignExprCollations(state, e);
  const coldeflist = r.coldeflist as RawNode[] | undefined;
  if (coldeflist !== undefined) {
    if (exprs.length !== 1) {
      if (r.is_rowsfrom === true) {
        throw parserError(state, 'syntax_error', 'ROWS FROM() with multiple functions cannot have a column definition list', coldeflist[0]!.location,
          { hint: 'Put a separate column definition list for each function inside ROWS FROM().' });
      }
      throw parserError(state, 'syntax_error', 'UNNEST() with multiple arguments cannot have a column definition list', coldeflist[0]!.location,
        { hint: 'Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.' });
    }
    if (r.ordinality === true) {
      throw parserError(state, 'syntax_error', 'WITH ORDINALITY cannot be used with a column definition list', coldeflist[0]!.location,
        { hint: 'Put the column definition list inside ROWS FROM().' });
    }
    if (coldefs[0] !== undefined) throw parserError(state, 'syntax_error', 'multiple column definition lists are not allowed for the same function', coldeflist[0]!.location);
    coldefs[0] = coldeflist;
  }
  // Whether it is lateral in fact.
  const lateral = r.lateral === true || exprs.some((e) => containsVarsOfLevel(e, 0));
  return addRangeTableEntryForFunction(state, names, exprs, coldefs, r, lateral, true);
}

// ---- joins ---------------------------------------------------------------------------------------------------

const JOIN_TYPES: Record<string, JoinType> = { JOIN_INNER: 'inner', JOIN_LEFT: 'left', JOIN_FULL: 'full', JOIN_RIGHT: 'right' };

function transformJoin(state: ParseState, j: RawNode): FromResult {
  const jointype = JOIN_TYPES[j.jointype as string]!;
  const left = transformFromClauseItem(state, j.larg);
  // The left side is visible to LATERAL on the right: fully only for INNER and LEFT.
  const lateralOk = jointype === 'inner' || jointype === 'left';
  setNamespaceLateralState(left.namespace, true, lateralOk);
  const savedNamespace = state.namespace;
  state.namespace = [...state.namespace, ...left.namespace];
  const right = transformFromClauseItem(state, j.rarg);
  state.namespace = savedNamespace;
  checkNameSpaceConflicts(state, left.namespace, right.namespace);
  const myNamespace = [...left.namespace, ...right.namespace];
  const l = left.top;
  const r = right.top;
  const lNames = l.names.colnames;
  const rNames = r.names.colnames;
  let using = j.usingClause as string[] | undefined;
  if (j.isNatural === true) {
    using = lNames.filter((name) => name !== '' && rNames.includes(name));
  }
  const usingClause = using ?? [];
  const resNames: string[] = [];
  const resVars: Expr[] = [];
  const resColumns: NamespaceColumn[] = [];
  const leftcols: number[] = [];
  const rightcols: number[] = [];
  const lUsed = new Set<number>();
  const rUsed = new Set<number>();
  const lUsingVars: Var[] = [];
  const rUsingVars: Var[] = [];
  const position = (names: readonly string[], name: string, side: string, location: number | undefined): number => {
    let index = -1;
    names.forEach((n, i) => {
      if (n !== name) return;
      if (index >= 0) throw parserError(state, 'ambiguous_column', `common column name "${name}" appears more than once in ${side} table`, location);
      index = i;
    });
    if (index < 0) throw parserError(state, 'undefined_column', `column "${name}" specified in USING clause does not exist in ${side} table`, location);
    return index;
  };
  const varOf = (c: NamespaceColumn): Var => makeVar(c.varno, c.varattno, c.vartype, c.vartypmod, c.varcollid, 0);
  for (const name of usingClause) {
    if (j.isNatural !== true && usingClause.filter((u) => u === name).length > 1) {
      throw parserError(state, 'duplicate_column', `column name "${name}" appears more than once in USING clause`, j.location);
    }
    const li = position(lNames, name, 'left', j.location);
    const ri = position(rNames, name, 'right', j.location);
    lUsed.add(li);
    rUsed.add(ri);
    leftcols.push(li + 1);
    rightcols.push(ri + 1);
    const lv = varOf(l.columns[li]!);
    const rv = varOf(r.columns[ri]!);
    markVarForSelectPriv(state, lv);
    markVarForSelectPriv(state, rv);
    lUsingVars.push(lv);
    rUsingVars.push(rv);
    resNames.push(name);
  }
  const merged = usingClause.length;
  for (let i = 0; i < merged; i++) {
    const v = buildMergedJoinVar(state, jointype, lUsingVars[i]!, rUsingVars[i]!);
    resVars.push(v);
    resColumns.push(v === lUsingVars[i] ? l.columns[leftcols[i]! - 1]! : v === rUsingVars[i] ? r.columns[rightcols[i]! - 1]! : { varno: 0, varattno: 0, vartype: 0, vartypmod: -1, varcollid: 0, dontexpand: false });
  }
  let quals = merged > 0 ? transformJoinUsingClause(state, lUsingVars, rUsingVars) : null;
  const rest = (item: NamespaceItem, used: ReadonlySet<number>, mine: number[], other: number[]): void => {
    item.columns.forEach((c, i) => {
      if (used.has(i) || item.names.colnames[i] === '' || c.varno === 0) return;
      resNames.push(item.names.colnames[i]!);
      resVars.push(varOf(c));
      resColumns.push(c);
      mine.push(i + 1);
      other.push(0);
    });
  };
  rest(l, lUsed, leftcols, rightcols);
  rest(r, rUsed, rightcols, leftcols);
  const alias = aliasOf(j.alias);
  const usingAlias: Alias | null = j.join_using_alias === undefined ? null : makeAlias(j.join_using_alias.aliasname as string, resNames.slice(0, merged));
  // ON sees both sides.
  if (j.quals !== undefined) quals = transformJoinOnClause(state, j.quals, myNamespace);
  // A column that is neither side's Var belongs to the join's own entry. So do all columns of a join with an alias:
  // the alias hides the tables below, and the deparser must find it again.
  const rtindexNext = state.rtable.length + 1;
  const joinColumns = resColumns.map((c, i) => c.varno !== 0 && alias === null ? c
    : { varno: rtindexNext, varattno: i + 1, vartype: exprType(resVars[i]!), vartypmod: exprTypmod(resVars[i]!), varcollid: exprCollation(resVars[i]!), dontexpand: false });
  const join: JoinExpr = {
    kind: 'JoinExpr', jointype, isNatural: j.isNatural === true, larg: left.item, rarg: right.item, usingClause, join_using_alias: usingAlias, quals, alias, rtindex: 0,
  };
  const top = addRangeTableEntryForJoin(state, resNames, joinColumns, jointype, merged, resVars, leftcols, rightcols, usingAlias, alias, true);
  join.rtindex = top.rtindex;
  state.joinExprs[top.rtindex] = join;
  if (usingAlias !== null) {
    const jnames: NamespaceItem = {
      names: usingAlias, rte: top.rte, rtindex: top.rtindex, columns: top.columns.slice(0, merged), relVisible: true, colsVisible: true, lateralOnly: false, lateralOk: true,
    };
    checkNameSpaceConflicts(state, [jnames], myNamespace);
    myNamespace.push(jnames);
  }
  // An alias hides the tables below; without one they stay visible by name.
  const namespace: NamespaceItem[] = alias !== null ? [] : myNamespace;
  for (const n of namespace) n.colsVisible = false;
  top.relVisible = alias !== null;
  top.colsVisible = true;
  top.lateralOnly = false;
  top.lateralOk = true;
  namespace.push(top);
  return { item: join, top, namespace };
}

/** a.x = b.x AND ... for USING. */
function transformJoinUsingClause(state: ParseState, lvars: readonly Var[], rvars: readonly Var[]): Expr {
  const list = lvars.map((lv, i) => {
    const saved = state.exprKind;
    state.exprKind = 'join_using';
    const op = makeOp(state, ['='], lv, rvars[i]!, state.lastSrf, -1);
    state.exprKind = saved;
    return coerceToBoolean(state, op, 'JOIN/USING');
  });
  const result = list.length === 1 ? list[0]! : makeBoolExpr('and', list);
  assignExprCollations(state, result);
  return result;
}

function transformJoinOnClause(state: ParseState, quals: RawNode, namespace: NamespaceItem[]): Expr {
  // Everything in the two sides is visible, and not only to LATERAL.
  setNamespaceLateralState(namespace, false, true);
  const saved = state.namespace;
  state.namespace = namespace;
  const result = transformWhereClause(state, quals, 'join_on', 'JOIN/ON');
  state.namespace = saved;
  return result!;
}

/** The value of a column that USING has merged: the side that cannot be null, or COALESCE for FULL. */
function buildMergedJoinVar(state: ParseState, jointype: JoinType, lcol: Var, rcol: Var): Expr {
  const { type } = selectCommonType(state, [lcol, rcol], 'JOIN/USING');
  const typmod = selectCommonTypmod([lcol, rcol], type);
  const fit = (v: Var): Expr => {
    if (v.vartype !== type) return coerceType(state, v, v.vartype, type, typmod, 'implicit', 'implicit_cast', -1);
    if (v.vartypmod !== typmod) return { kind: 'RelabelType', arg: v, resulttype: type, resulttypmod: typmod, resultcollid: 0, relabelformat: 'implicit_cast', location: -1 };
    return v;
  };
  const l = fit(lcol);
  const r = fit(rcol);
  let result: Expr;
  switch (jointype) {
    case 'inner': result = l.kind === 'Var' ? l : r.kind === 'Var' ? r : l; break;
    case 'left': result = l; break;
    case 'right': result = r; break;
    default: {
      const c: CoalesceExpr = { kind: 'CoalesceExpr', coalescetype: type, coalescecollid: 0, args: [l, r], location: -1 };
      result = c;
    }
  }
  assignExprCollations(state, result);
  return result;
}

// ---- WHERE, LIMIT --------------------------------------------------------------------------------------------

export function transformWhereClause(state: ParseState, clause: RawNode, kind: ParseExprKind, construct: string): Expr;
export function transformWhereClause(state: ParseState, clause: RawNode | undefined, kind: ParseExprKind, construct: string): Expr | null;
export function transformWhereClause(state: ParseState, clause: RawNode | undefined, kind: ParseExprKind, construct: string): Expr | null {
  if (clause === undefined) return null;
  return coerceToBoolean(state, transformExpr(state, clause, kind), construct);
}

/** WHERE of COPY FROM and the like: the columns of one relation, as varno 1. */
export function transformWhereForRelation(relation: Relation, clause: RawNode, text: string): Expr {
  const state = makeParseState(text);
  addNamespaceItemToQuery(state, addRangeTableEntryForRelation(state, relation, RowExclusiveLock, null, false, true), false, true, true);
  const result = transformWhereClause(state, clause, 'copy_where', 'WHERE');
  assignExprCollations(state, result);
  return result;
}

export function transformLimitClause(state: ParseState, clause: RawNode | undefined, kind: 'limit' | 'offset', construct: string, withTies: boolean): Expr | null {
  if (clause === undefined) return null;
  let qual = transformExpr(state, clause, kind);
  qual = coerceToSpecificType(state, qual, T.INT8OID, construct);
  const v = varOfLevel(qual, 0);
  if (v !== null) throw parserError(state, 'invalid_column_reference', `argument of ${construct} must not contain variables`, v.location);
  if (withTies && clause.tag === 'A_Const' && clause.ctype === 'null') {
    throw new PgError('invalid_row_count_in_limit_clause', 'row count cannot be null in FETCH FIRST ... WITH TIES clause');
  }
  return qual;
}

Object.assign(recursion, { transformWhereClause });
