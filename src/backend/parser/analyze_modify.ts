// INSERT, UPDATE, DELETE and RETURNING (the data-modifying half of analyze.c).
import { internalError } from '../../common/errors.ts';
import { openRelation } from '../catalog/relcache.ts';
import { getType } from '../catalog/lsyscache.ts';
import { makeAlias, makeConst, makeNullConst, makeQuery, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { containsVarsOfLevel, exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { ACL, type Query } from '../nodes/parsenodes.ts';
import type { Expr, OnConflictExpr, TargetEntry } from '../nodes/primnodes.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import * as T from '../types/oids.ts';
import { setTargetTable, transformFromClause, transformWhereClause } from './parse_clause.ts';
import { transformOnConflictArbiter } from './on_conflict.ts';
import { assignExprCollations, assignQueryCollations } from './parse_collate.ts';
import { makeParseState, parserError, withErrorPosition, type NamespaceItem, type ParseState } from './parse_node.ts';
import {
  addNamespaceItemToQuery, addRangeTableEntryForRelation, addRangeTableEntryForSubquery, addRangeTableEntryForValues, attnameAttNum, expandNamespaceItemVars, RowExclusiveLock,
} from './parse_relation.ts';
import { checkInsertTargets, markTargetListOrigins, resolveTargetListUnknowns, transformAssignedExpr, transformExpressionList, transformTargetList, updateTargetListEntry } from './parse_target.ts';
import type { RawNode, RawResTarget } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

// ---- INSERT --------------------------------------------------------------------------------------------------

export const OVERRIDES: Record<string, Query['override']> = { OVERRIDING_NOT_SET: 'none', OVERRIDING_USER_VALUE: 'user', OVERRIDING_SYSTEM_VALUE: 'system' };

export function transformInsertStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('insert');
  state.isInsert = true;
  recursion.applyWithClause(state, query, stmt.withClause);
  query.override = OVERRIDES[stmt.override as string] ?? 'none';
  const selectStmt = stmt.selectStmt as RawNode | undefined;
  const onConflict = stmt.onConflictClause as RawNode | undefined;
  const isOnConflictUpdate = onConflict?.action === 'ONCONFLICT_UPDATE';
  const isGeneralSelect = selectStmt !== undefined && (selectStmt.valuesLists === undefined || selectStmt.sortClause !== undefined || selectStmt.limitOffset !== undefined
    || selectStmt.limitCount !== undefined || selectStmt.lockingClause !== undefined || selectStmt.withClause !== undefined);
  // The SELECT does not see the target, but its range table comes first in ours when rules have OLD and NEW.
  let subRtable: ParseState['rtable'] = [];
  let subNamespace: NamespaceItem[] = [];
  if (isGeneralSelect) {
    subRtable = state.rtable;
    state.rtable = [];
    subNamespace = state.namespace;
    state.namespace = [];
  }
  query.resultRelation = setTargetTable(state, stmt.relation, false, false, ACL.INSERT | (isOnConflictUpdate ? ACL.UPDATE : 0));
  const { cols, attrnos } = checkInsertTargets(state, stmt.cols as RawNode[] | undefined);
  let exprList: Expr[];
  if (selectStmt === undefined) exprList = [];
  else if (isGeneralSelect) {
    const sub = makeParseState('', state);
    sub.rtable = subRtable;
    sub.namespace = subNamespace;
    sub.resolveUnknowns = false;
    const selectQuery = recursion.transformStmt(sub, selectStmt);
    if (selectQuery.commandType !== 'select') throw internalError('unexpected non-SELECT command in INSERT ... SELECT');
    const item = addRangeTableEntryForSubquery(state, selectQuery, makeAlias('*SELECT*', []), false, false);
    addNamespaceItemToQuery(state, item, true, false, false);
    // Literals stay literals, so that they can take the columns' types.
    const list: Expr[] = [];
    for (const te of selectQuery.targetList) {
      if (te.resjunk) continue;
      if (te.expr.kind === 'Const' || te.expr.kind === 'Param') {
        if (exprType(te.expr) === T.UNKNOWNOID) {
          list.push(te.expr);
          continue;
        }
      }
      list.push(makeVar(item.rtindex, te.resno, exprType(te.expr), exprTypmod(te.expr), exprCollation(te.expr), 0, exprLocation(te.expr)));
    }
    exprList = transformInsertRow(state, list, stmt, cols, attrnos, false);
  } else if ((selectStmt.valuesLists as RawNode[][]).length > 1) {
    exprList = transformMultiRowValues(state, selectStmt, stmt, cols, attrnos);
  } else {
    const list = transformExpressionList(state, (selectStmt.valuesLists as RawNode[][])[0]!, 'values_single', true);
    exprList = transformInsertRow(state, list, stmt, cols, attrnos, false);
  }
  const rte = state.targetItem!.rte;
  exprList.forEach((expr, i) => {
    const attr = attrnos[i]!;
    query.targetList.push(makeTargetEntry(expr, attr, cols[i]!.name as string, false));
    if (!rte.insertedCols.includes(attr)) rte.insertedCols.push(attr);
  });
  if (onConflict !== undefined || stmt.returningList !== undefined) {
    state.namespace = [];
    addNamespaceItemToQuery(state, state.targetItem!, false, true, true);
  }
  if (onConflict !== undefined) query.onConflict = transformOnConflictClause(state, onConflict);
  if (stmt.returningList !== undefined) query.returningList = transformReturningList(state, stmt.returningList);
  recursion.finishQuery(state, query, null);
  assignQueryCollations(state, query);
  return query;
}

function transformMultiRowValues(state: ParseState, selectStmt: RawNode, stmt: RawNode, cols: RawResTarget[], attrnos: number[]): Expr[] {
  const rows: Expr[][] = [], targets = cols.map((col, i) => constantTarget(state, col, attrnos[i]!));
  let width = -1;
  for (const raw of selectStmt.valuesLists as RawNode[][]) {
    if (raw.length === width) {
      const constants = constantRow(state, raw, targets);
      if (constants !== null) {
        rows.push(constants);
        continue;
      }
    }
    let row = transformExpressionList(state, raw, 'values', true);
    if (width < 0) width = row.length;
    else if (width !== row.length) throw parserError(state, 'syntax_error', 'VALUES lists must all be the same length', row[0] === undefined ? undefined : exprLocation(row[0]));
    // The values take the columns' types here, field stores and subscripts are left for the target list.
    row = transformInsertRow(state, row, stmt, cols, attrnos, true);
    for (const e of row) if (e.kind !== 'Const') assignExprCollations(state, e);
    rows.push(row);
  }
  const first = rows[0]!;
  const coltypes: Oid[] = first.map(exprType);
  const coltypmods = first.map(exprTypmod);
  const colcollations = first.map(() => 0);
  const lateral = state.rtable.length > 1 && rows.some((row) => row.some((e) => containsVarsOfLevel(e, 0)));
  const item = addRangeTableEntryForValues(state, rows, coltypes, coltypmods, colcollations, null, lateral, true);
  addNamespaceItemToQuery(state, item, true, false, false);
  const { vars } = expandNamespaceItemVars(item, 0, -1);
  return transformInsertRow(state, vars, stmt, cols, attrnos, false);
}

/** A column that a constant fits without more ado: no domain, no type modifier (but varchar(n)'s), no part of it. `maxLength`: of what needs no
 * length coercion. */
interface ConstantTarget { readonly type: Oid; readonly typmod: number; readonly collation: Oid; readonly maxLength: number; readonly input: (text: string, typmod: number) => Datum }

function constantTarget(state: ParseState, col: RawResTarget, attrno: number): ConstantTarget | null {
  const attribute = state.targetRelation!.attributes[attrno - 1];
  if (attribute === undefined || ((col.indirection as unknown[] | undefined) ?? []).length > 0) return null;
  const { atttypid: type, atttypmod: typmod } = attribute, row = getType(type), isVarchar = type === T.VARCHAROID;
  if (row.typtype !== 'b' || type === T.TSQUERYOID || (typmod !== -1 && !isVarchar)) return null;
  return { type, typmod, collation: row.typcollation, maxLength: typmod === -1 ? Infinity : typmod - VARCHAR_HEADER, input: typeHooks.typeIo(type).input };
}

const VARCHAR_HEADER = 4;

/** A row of constants as transformInsertRow would have it, of the thousands in bulk; null: it is none, or may fail in another order. */
function constantRow(state: ParseState, raw: readonly RawNode[], targets: readonly (ConstantTarget | null)[]): Expr[] | null {
  const row: Expr[] = [];
  for (let i = 0; i < raw.length; i++) {
    const item = raw[i]!, target = targets[i] ?? null;
    if (target === null || item.tag !== 'A_Const' || item['slot'] !== undefined) return null;
    const { type, typmod, collation, input } = target, location = item.location ?? -1;
    switch (item['ctype']) {
      case 'null': row.push(makeConst(type, typmod, collation, null, location)); break;
      case 'integer':
        if (type !== T.INT4OID) return null;
        row.push(makeConst(type, -1, collation, item['value'] as number, location));
        break;
      case 'string': {
        const text = item['value'] as string;
        if (text.length > target.maxLength) return null;
        row.push(makeConst(type, typmod, collation, withErrorPosition(state, location, () => input(text, -1)), location));
        break;
      }
      case 'float':
        if (type !== T.NUMERICOID || !(item['value'] as string).includes('.')) return null;
        row.push(makeConst(type, -1, collation, input(item['value'] as string, -1), location));
        break;
      default: return null;
    }
  }
  return row;
}

/** Converts one row of values to the types of the target columns. */
export function transformInsertRow(state: ParseState, exprlist: readonly Expr[], stmt: RawNode, cols: readonly RawResTarget[], attrnos: readonly number[], stripIndirection: boolean): Expr[] {
  if (exprlist.length > cols.length) {
    throw parserError(state, 'syntax_error', 'INSERT has more expressions than target columns', exprLocation(exprlist[cols.length]!));
  }
  const given = (stmt.cols as unknown[] | undefined) !== undefined;
  if (given && exprlist.length < cols.length) {
    // INSERT INTO t (a, b) SELECT (x, y): one row value where columns were meant.
    const hint = exprlist.length === 1 && countRowExprColumns(state, exprlist[0]!) === cols.length
      ? 'The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?' : undefined;
    throw parserError(state, 'syntax_error', 'INSERT has more target columns than expressions', cols[exprlist.length]!.location, { hint });
  }
  return exprlist.map((expr, i) => {
    const col = cols[i]!;
    let result = transformAssignedExpr(state, expr, 'insert_target', col.name as string, attrnos[i]!, (col.indirection as (string | RawNode)[] | undefined) ?? [], col.location);
    if (stripIndirection) {
      // Down to the innermost value: the rest is done again over the VALUES column.
      for (;;) {
        if (result.kind === 'CoerceToDomain' && (col.indirection as unknown[] | undefined) !== undefined) result = result.arg;
        else if (result.kind === 'FieldStore') result = result.newvals[0]!;
        else if (result.kind === 'SubscriptingRef' && result.refassgnexpr !== null) result = result.refassgnexpr;
        else break;
      }
    }
    return result;
  });
}

function countRowExprColumns(state: ParseState, e: Expr): number {
  if (e.kind === 'RowExpr') return e.args.length;
  if (e.kind === 'Var') {
    const rte = state.rtable[e.varno - 1];
    const te = rte?.subquery?.targetList.find((t) => t.resno === e.varattno);
    if (te?.expr.kind === 'RowExpr') return te.expr.args.length;
  }
  return -1;
}

function transformOnConflictClause(state: ParseState, clause: RawNode): OnConflictExpr {
  const relation = state.targetRelation!;
  const result: OnConflictExpr = {
    action: clause.action === 'ONCONFLICT_UPDATE' ? 'update' : 'nothing', arbiterElems: [], arbiterWhere: null, arbiterIndexes: [], constraint: 0, onConflictSet: [],
    onConflictWhere: null, exclRelIndex: 0, exclRelTlist: [],
  };
  let exclItem: NamespaceItem | null = null;
  if (result.action === 'update') {
    exclItem = addRangeTableEntryForRelation(state, relation, RowExclusiveLock, makeAlias('excluded', []), false, false);
    exclItem.rte.relkind = 'c';
    exclItem.rte.requiredPerms = 0;
    result.exclRelIndex = exclItem.rtindex;
    result.exclRelTlist = buildOnConflictExcludedTargetlist(relation.oid, result.exclRelIndex);
  }
  Object.assign(result, transformOnConflictArbiter(state, clause));
  if (result.action === 'update') {
    state.isInsert = false;
    addNamespaceItemToQuery(state, exclItem!, false, true, true);
    result.onConflictSet = transformUpdateTargetList(state, clause.targetList);
    result.onConflictWhere = transformWhereClause(state, clause.whereClause as RawNode | undefined, 'where', 'WHERE');
    state.namespace.pop();
    for (const te of result.onConflictSet) assignExprCollations(state, te.expr);
    if (result.onConflictWhere !== null) assignExprCollations(state, result.onConflictWhere);
  }
  return result;
}

/** Vars for all columns of EXCLUDED, dropped ones as NULL, and the whole row. */
export function buildOnConflictExcludedTargetlist(relid: Oid, exclRelIndex: number): TargetEntry[] {
  const relation = openRelation(relid);
  const list = relation.attributes.map((a) => a.attisdropped
    ? makeTargetEntry(makeNullConst(T.INT4OID, -1, 0), a.attnum, null, false)
    : makeTargetEntry(makeVar(exclRelIndex, a.attnum, a.atttypid, a.atttypmod, a.attcollation, 0), a.attnum, a.attname, false));
  list.push(makeTargetEntry(makeVar(exclRelIndex, 0, relation.rowType, -1, 0, 0), 0, null, true));
  return list;
}

// ---- UPDATE, DELETE ------------------------------------------------------------------------------------------

export function transformUpdateStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('update');
  state.isInsert = false;
  recursion.applyWithClause(state, query, stmt.withClause);
  query.resultRelation = setTargetTable(state, stmt.relation, (stmt.relation as RawNode).inh === true, true, ACL.UPDATE);
  const target = state.targetItem!;
  // FROM may not refer to the target laterally.
  target.lateralOnly = true;
  target.lateralOk = false;
  transformFromClause(state, (stmt.fromClause as RawNode[] | undefined) ?? []);
  target.lateralOnly = false;
  target.lateralOk = true;
  const qual = transformWhereClause(state, stmt.whereClause as RawNode | undefined, 'where', 'WHERE');
  query.returningList = transformReturningList(state, stmt.returningList);
  query.targetList = transformUpdateTargetList(state, stmt.targetList);
  recursion.finishQuery(state, query, qual);
  assignQueryCollations(state, query);
  return query;
}

/** SET: each entry's resno becomes the column's number. */
export function transformUpdateTargetList(state: ParseState, origTlist: readonly RawNode[]): TargetEntry[] {
  const tlist = transformTargetList(state, origTlist, 'update_source');
  const relation = state.targetRelation!;
  if (state.nextResno <= relation.attributes.length) state.nextResno = relation.attributes.length + 1;
  let next = 0;
  for (const te of tlist) {
    if (te.resjunk) {
      te.resno = state.nextResno++;
      te.resname = null;
      continue;
    }
    const orig = origTlist[next++];
    if (orig === undefined) throw internalError('UPDATE target count mismatch --- internal error');
    const attrno = attnameAttNum(relation, orig.name as string, true);
    if (attrno === 0) {
      throw parserError(state, 'undefined_column', `column "${orig.name}" of relation "${relation.name}" does not exist`, orig.location);
    }
    updateTargetListEntry(state, te, orig.name as string, attrno, (orig.indirection as (string | RawNode)[] | undefined) ?? [], orig.location ?? -1);
    const rte = state.targetItem!.rte;
    if (!rte.updatedCols.includes(attrno)) rte.updatedCols.push(attrno);
  }
  if (next < origTlist.length) throw internalError('UPDATE target count mismatch --- internal error');
  return tlist;
}

export function transformDeleteStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('delete');
  recursion.applyWithClause(state, query, stmt.withClause);
  query.resultRelation = setTargetTable(state, stmt.relation, (stmt.relation as RawNode).inh === true, true, ACL.DELETE);
  const target = state.targetItem!;
  target.lateralOnly = true;
  target.lateralOk = false;
  transformFromClause(state, (stmt.usingClause as RawNode[] | undefined) ?? []);
  target.lateralOnly = false;
  target.lateralOk = true;
  const qual = transformWhereClause(state, stmt.whereClause as RawNode | undefined, 'where', 'WHERE');
  query.returningList = transformReturningList(state, stmt.returningList);
  recursion.finishQuery(state, query, qual);
  assignQueryCollations(state, query);
  return query;
}

function transformReturningList(state: ParseState, list: readonly RawNode[] | undefined): TargetEntry[] {
  if (list === undefined) return [];
  const saved = state.nextResno;
  state.nextResno = 1;
  const result = transformTargetList(state, list, 'returning');
  if (result.length === 0) throw parserError(state, 'syntax_error', 'RETURNING must have at least one column', list[0]?.location);
  markTargetListOrigins(state, result);
  if (state.resolveUnknowns) resolveTargetListUnknowns(state, result);
  state.nextResno = saved;
  return result;
}

