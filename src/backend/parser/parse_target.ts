// Target lists: of SELECT and RETURNING, and the assignments of INSERT and UPDATE (parse_target.c).
import { PgError, internalError } from '../../common/errors.ts';
import { getType } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeNullConst, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { ACL, type RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr, FieldSelect, FieldStore, SetToDefault, TargetEntry, Var } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { session } from '../utils/session.ts';
import { columnsOfRowType, getExprResultType, type ResultColumnDescription } from './func_result.ts';
import { coerceToDomain, coerceToTargetType, coerceType, isComplex } from './parse_coerce.ts';
import { parserError, type NamespaceItem, type ParseExprKind, type ParseState } from './parse_node.ts';
import {
  attnameAttNum, errorMissingRte, expandNamespaceItemAttrs, expandNamespaceItemVars, getNamespaceItemByRangeTablePosn, getRteByRangeTablePosn,
  markVarForSelectPriv, refnameNamespaceItem,
} from './parse_relation.ts';
import { transformContainerSubscripts, transformContainerType } from './parse_subscript.ts';
import { formatType } from './parse_type.ts';
import type { RawNode, RawResTarget } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

/** One target entry of an expression that is no star. */
export function transformTargetEntry(state: ParseState, node: RawNode, expr: Expr | null, kind: ParseExprKind, colname: string | null, resjunk: boolean): TargetEntry {
  let e = expr;
  if (e === null) {
    if (kind === 'update_source' && node.tag === 'SetToDefault') e = setToDefault(node);
    else e = recursion.transformExpr(state, node, kind);
  }
  const name = colname === null && !resjunk ? figureColname(node) : colname;
  return makeTargetEntry(e, state.nextResno++, name, resjunk);
}

const setToDefault = (node: RawNode): SetToDefault => ({ kind: 'SetToDefault', typeId: T.UNKNOWNOID, typeMod: -1, collation: 0, location: node.location ?? -1 });

export function transformTargetList(state: ParseState, list: readonly RawNode[], kind: ParseExprKind): TargetEntry[] {
  const expandStar = kind !== 'update_source';
  const result: TargetEntry[] = [];
  for (const raw of list) {
    const res = raw as RawResTarget;
    const val = res.val as RawNode;
    if (expandStar) {
      if (val.tag === 'ColumnRef' && isStar((val.fields as unknown[]).at(-1))) {
        result.push(...expandColumnRefStar(state, val, true) as TargetEntry[]);
        continue;
      }
      if (val.tag === 'A_Indirection' && isStar((val.indirection as unknown[]).at(-1))) {
        result.push(...expandIndirectionStar(state, val, true, kind) as TargetEntry[]);
        continue;
      }
    }
    result.push(transformTargetEntry(state, val, null, kind, (res.name as string | undefined) ?? null, false));
  }
  // UPDATE SET (a, b) = (SELECT ...): the sub-SELECTs become junk columns of the plan.
  if (state.multiassignExprs.length > 0) {
    if (kind !== 'update_source') throw internalError('multiassign outside UPDATE');
    for (const { resjunkSublink } of state.multiassignExprs) result.push(makeTargetEntry(resjunkSublink, state.nextResno++, null, true));
    state.multiassignExprs = [];
  }
  return result;
}

const isStar = (n: unknown): boolean => typeof n === 'object' && n !== null && (n as RawNode).tag === 'A_Star';

/** A list of expressions in which stars are expanded (ROW, VALUES). */
export function transformExpressionList(state: ParseState, list: readonly RawNode[], kind: ParseExprKind, allowDefault: boolean): Expr[] {
  const result: Expr[] = [];
  for (const e of list) {
    if (e.tag === 'ColumnRef' && isStar((e.fields as unknown[]).at(-1))) {
      result.push(...expandColumnRefStar(state, e, false) as Expr[]);
      continue;
    }
    if (e.tag === 'A_Indirection' && isStar((e.indirection as unknown[]).at(-1))) {
      result.push(...expandIndirectionStar(state, e, false, kind) as Expr[]);
      continue;
    }
    if (allowDefault && e.tag === 'SetToDefault') result.push(setToDefault(e));
    else result.push(recursion.transformExpr(state, e, kind));
  }
  return result;
}

/** Outputs that are still of unknown type become text. */
export function resolveTargetListUnknowns(state: ParseState, targetlist: readonly TargetEntry[]): void {
  for (const te of targetlist) {
    if (exprType(te.expr) === T.UNKNOWNOID) te.expr = coerceType(state, te.expr, T.UNKNOWNOID, T.TEXTOID, -1, 'implicit', 'implicit_cast', -1);
  }
}

/** Notes the table and column that an output column simply repeats. */
export function markTargetListOrigins(state: ParseState, targetlist: readonly TargetEntry[]): void {
  for (const te of targetlist) if (te.expr.kind === 'Var') markTargetListOrigin(state, te, te.expr, 0);
}

function markTargetListOrigin(state: ParseState, te: TargetEntry, v: Var, levelsup: number): void {
  const netLevels = v.varlevelsup + levelsup;
  const rte = getRteByRangeTablePosn(state, v.varno, netLevels);
  switch (rte.rtekind) {
    case 'relation':
      te.resorigtbl = rte.relid;
      te.resorigcol = v.varattno;
      return;
    case 'subquery':
      if (v.varattno > 0) {
        const sub = rte.subquery!.targetList.find((t) => t.resno === v.varattno && !t.resjunk);
        if (sub === undefined) throw internalError(`subquery ${rte.eref.aliasname} does not have attribute ${v.varattno}`);
        te.resorigtbl = sub.resorigtbl;
        te.resorigcol = sub.resorigcol;
      }
      return;
    case 'join': {
      const target = rte.joinaliasvars[v.varattno - 1];
      if (target?.kind === 'Var') markTargetListOrigin(state, te, target, netLevels);
      return;
    }
    case 'cte':
      if (v.varattno > 0 && !rte.self_reference) {
        let level: ParseState = state;
        for (let i = 0; i < netLevels + rte.ctelevelsup && level.parent !== null; i++) level = level.parent;
        const cte = level.cteNamespace.find((c) => c.ctename === rte.ctename);
        const list = cte === undefined ? [] : cte.ctequery.commandType === 'select' ? cte.ctequery.targetList : cte.ctequery.returningList;
        const sub = list.find((t) => t.resno === v.varattno && !t.resjunk);
        if (sub !== undefined) {
          te.resorigtbl = sub.resorigtbl;
          te.resorigcol = sub.resorigcol;
        }
      }
      return;
    default:
  }
}

// ---- assignments ---------------------------------------------------------------------------------------------

/** Makes an expression fit the column it is assigned to (INSERT, UPDATE). */
export function transformAssignedExpr(state: ParseState, expr: Expr, kind: ParseExprKind, colname: string, attrno: number, indirection: readonly (string | RawNode)[], location: number): Expr {
  const saved = state.exprKind;
  state.exprKind = kind;
  const relation = state.targetRelation!;
  if (attrno <= 0) throw parserError(state, 'feature_not_supported', `cannot assign to system column "${colname}"`, location);
  const attribute = relation.attributes[attrno - 1]!;
  const { atttypid: attrtype, atttypmod: attrtypmod, attcollation } = attribute;
  let result: Expr;
  if (expr.kind === 'SetToDefault') {
    if (indirection.length > 0) {
      throw parserError(state, 'feature_not_supported', typeof indirection[0] === 'string' ? 'cannot set a subfield to DEFAULT' : 'cannot set an array element to DEFAULT', location);
    }
    result = { ...expr, typeId: attrtype, typeMod: attrtypmod, collation: attcollation };
    state.exprKind = saved;
    return result;
  }
  const type = exprType(expr);
  if (indirection.length > 0) {
    // In INSERT the rest of the column is NULL, in UPDATE what it was.
    const colVar: Expr = state.isInsert ? makeNullConst(attrtype, attrtypmod, attcollation)
      : makeVar(state.targetItem!.rtindex, attrno, attrtype, attrtypmod, attcollation, 0, location);
    if (colVar.kind === 'Var') markVarForSelectPriv(state, colVar);
    result = transformAssignmentIndirection(state, colVar, colname, false, attrtype, attrtypmod, attcollation, indirection, 0, expr, 'assignment', location);
  } else {
    const coerced = coerceToTargetType(state, expr, type, attrtype, attrtypmod, 'assignment', 'implicit_cast', -1);
    if (coerced === null) {
      throw parserError(state, 'datatype_mismatch', `column "${colname}" is of type ${formatType(attrtype)} but expression is of type ${formatType(type)}`, exprLocation(expr),
        { hint: 'You will need to rewrite or cast the expression.' });
    }
    result = coerced;
  }
  state.exprKind = saved;
  return result;
}

/** Turns an entry of UPDATE's target list into the assignment to its column. */
export function updateTargetListEntry(state: ParseState, te: TargetEntry, colname: string, attrno: number, indirection: readonly (string | RawNode)[], location: number): void {
  te.expr = transformAssignedExpr(state, te.expr, 'update_target', colname, attrno, indirection, location);
  te.resno = attrno;
  te.resname = colname;
}

/** column.field[subscript]... := rhs, from the outside in. */
export function transformAssignmentIndirection(
  state: ParseState, basenode: Expr | null, targetName: string, targetIsSubscripting: boolean, targetType: Oid, targetTypmod: number, targetCollation: Oid,
  indirection: readonly (string | RawNode)[], start: number, rhs: Expr, context: 'assignment' | 'plpgsql', location: number,
): Expr {
  let base = basenode;
  if (start < indirection.length && base === null) {
    // Stands for the value that FieldStore or SubscriptingRef above works on.
    base = { kind: 'CaseTestExpr', typeId: targetType, typeMod: targetTypmod, collation: targetCollation };
  }
  const subscripts: RawNode[] = [];
  for (let i = start; i < indirection.length; i++) {
    const n = indirection[i]!;
    if (typeof n !== 'string') {
      if (n.tag === 'A_Star') throw parserError(state, 'feature_not_supported', 'row expansion via "*" is not supported here', location);
      subscripts.push(n);
      continue;
    }
    if (subscripts.length > 0) {
      return transformAssignmentSubscripts(state, base!, targetName, targetType, targetTypmod, targetCollation, subscripts, indirection, i, rhs, context, location);
    }
    // A field of a composite type.
    let baseType = targetType;
    while (getType(baseType).typtype === 'd') baseType = getType(baseType).typbasetype;
    const relid = getType(baseType).typrelid;
    if (relid === 0) {
      throw parserError(state, 'datatype_mismatch', `cannot assign to field "${n}" of column "${targetName}" because its type ${formatType(targetType)} is not a composite type`, location);
    }
    const attribute = sys.attributeByName(relid, n);
    if (attribute === undefined || attribute.attisdropped) {
      throw parserError(state, 'undefined_column', `cannot assign to field "${n}" of column "${targetName}" because there is no such column in data type ${formatType(targetType)}`, location);
    }
    if (attribute.attnum < 0) throw parserError(state, 'undefined_column', `cannot assign to system column "${n}"`, location);
    const value = transformAssignmentIndirection(state, null, n, false, attribute.atttypid, attribute.atttypmod, attribute.attcollation, indirection, i + 1, rhs, context, location);
    const store: FieldStore = { kind: 'FieldStore', arg: base!, newvals: [value], fieldnums: [attribute.attnum], resulttype: baseType };
    return baseType === targetType ? store : coerceToDomain(store, baseType, -1, targetType, 'implicit', 'implicit_cast', location, false);
  }
  if (subscripts.length > 0) {
    return transformAssignmentSubscripts(state, base!, targetName, targetType, targetTypmod, targetCollation, subscripts, indirection, indirection.length, rhs, context, location);
  }
  // The innermost: convert the value.
  const result = coerceToTargetType(state, rhs, exprType(rhs), targetType, targetTypmod, context, 'implicit_cast', -1);
  if (result === null) {
    const what = targetIsSubscripting ? `subscripted assignment to "${targetName}" requires type ${formatType(targetType)} but expression is of type ${formatType(exprType(rhs))}`
      : `subfield "${targetName}" is of type ${formatType(targetType)} but expression is of type ${formatType(exprType(rhs))}`;
    throw parserError(state, 'datatype_mismatch', what, location, { hint: 'You will need to rewrite or cast the expression.' });
  }
  return result;
}

function transformAssignmentSubscripts(
  state: ParseState, base: Expr, targetName: string, targetType: Oid, targetTypmod: number, targetCollation: Oid, subscripts: readonly RawNode[],
  indirection: readonly (string | RawNode)[], next: number, rhs: Expr, context: 'assignment' | 'plpgsql', location: number,
): Expr {
  const container = transformContainerType(targetType, targetTypmod);
  const ref = transformContainerSubscripts(state, base, container.type, container.typmod, subscripts, true);
  const typeNeeded = ref.refrestype;
  let collationNeeded: Oid;
  if (container.type === targetType) collationNeeded = targetCollation;
  else collationNeeded = getType(container.type).typcollation;
  const value = transformAssignmentIndirection(state, null, targetName, true, typeNeeded, ref.reftypmod, collationNeeded, indirection, next, rhs, context, location);
  ref.refassgnexpr = value;
  ref.refrestype = ref.refcontainertype;
  if (container.type === targetType) return ref;
  const result = coerceToTargetType(state, ref, container.type, targetType, targetTypmod, context, 'implicit_cast', -1);
  if (result === null) {
    throw parserError(state, 'cannot_coerce', `cannot cast type ${formatType(container.type)} to ${formatType(targetType)}`, location);
  }
  return result;
}

/** The target columns of INSERT: those given, or all; with their numbers. */
export function checkInsertTargets(state: ParseState, cols: readonly RawNode[] | undefined): { cols: RawResTarget[]; attrnos: number[] } {
  const relation = state.targetRelation!;
  if (cols === undefined || cols.length === 0) {
    const live = relation.attributes.filter((a) => !a.attisdropped);
    return {
      cols: live.map((a) => ({ tag: 'ResTarget', name: a.attname, location: -1 })), attrnos: live.map((a) => a.attnum),
    };
  }
  const whole = new Set<number>();
  const partial = new Set<number>();
  const attrnos = cols.map((col) => {
    const name = col.name as string;
    const attrno = attnameAttNum(relation, name, false);
    if (attrno === 0) throw parserError(state, 'undefined_column', `column "${name}" of relation "${relation.name}" does not exist`, col.location);
    if ((col.indirection as unknown[] | undefined) === undefined) {
      if (whole.has(attrno) || partial.has(attrno)) throw parserError(state, 'duplicate_column', `column "${name}" specified more than once`, col.location);
      whole.add(attrno);
    } else {
      if (whole.has(attrno)) throw parserError(state, 'duplicate_column', `column "${name}" specified more than once`, col.location);
      partial.add(attrno);
    }
    return attrno;
  });
  return { cols: cols as RawResTarget[], attrnos };
}

// ---- stars ---------------------------------------------------------------------------------------------------

function expandColumnRefStar(state: ParseState, cref: RawNode, makeTargets: boolean): (TargetEntry | Expr)[] {
  const fields = cref.fields as (string | RawNode)[];
  const location = cref.location ?? -1;
  if (fields.length === 1) {
    // SELECT *: all columns of all tables that are visible unqualified.
    return expandAllTables(state, location, makeTargets);
  }
  const names = fields.slice(0, -1) as string[];
  if (state.preColumnRefHook !== null) {
    const node = state.preColumnRefHook(state, cref);
    if (node !== null) return expandRowReference(state, node, makeTargets);
  }
  let schema: string | null = null;
  let relname = names[names.length - 1]!;
  let tooMany = false;
  let wrongDatabase = false;
  if (names.length === 2) schema = names[0]!;
  else if (names.length === 3) {
    if (names[0] !== session.databaseName) wrongDatabase = true;
    schema = names[1]!;
  } else if (names.length > 3) tooMany = true;
  const found = tooMany || wrongDatabase ? null : refnameNamespaceItem(state, schema, relname, location);
  if (state.postColumnRefHook !== null) {
    const node = state.postColumnRefHook(state, cref, found === null ? null : makeVar(found.item.rtindex, 0, T.RECORDOID, -1, 0, found.levelsup));
    if (node !== null) {
      if (found !== null) throw parserError(state, 'ambiguous_column', `column reference "${[...names, '*'].join('.')}" is ambiguous`, location);
      return expandRowReference(state, node, makeTargets);
    }
  }
  if (found === null) {
    if (wrongDatabase) throw parserError(state, 'feature_not_supported', `cross-database references are not implemented: ${[...names, '*'].join('.')}`, location);
    if (tooMany) throw parserError(state, 'syntax_error', `improper qualified name (too many dotted names): ${[...names, '*'].join('.')}`, location);
    relname = names[names.length - 1]!;
    throw errorMissingRte(state, schema, relname, location);
  }
  return expandSingleTable(state, found.item, found.levelsup, location, makeTargets);
}

function expandAllTables(state: ParseState, location: number, makeTargets: boolean): (TargetEntry | Expr)[] {
  const result: (TargetEntry | Expr)[] = [];
  let foundTable = false;
  for (const item of state.namespace) {
    if (!item.colsVisible) continue;
    foundTable = true;
    if (makeTargets) result.push(...expandNamespaceItemAttrs(state, item, 0, true, location));
    else result.push(...expandSingleTable(state, item, 0, location, false));
  }
  if (!foundTable) throw parserError(state, 'syntax_error', 'SELECT * with no tables specified is not valid', location);
  return result;
}

function expandSingleTable(state: ParseState, item: NamespaceItem, levelsup: number, location: number, makeTargets: boolean): (TargetEntry | Expr)[] {
  if (makeTargets) return expandNamespaceItemAttrs(state, item, levelsup, true, location);
  const { vars } = expandNamespaceItemVars(item, levelsup, location);
  if (item.rte.rtekind === 'relation') item.rte.requiredPerms |= ACL.SELECT;
  for (const v of vars) markVarForSelectPriv(state, v);
  return vars;
}

function expandIndirectionStar(state: ParseState, ind: RawNode, makeTargets: boolean, kind: ParseExprKind): (TargetEntry | Expr)[] {
  const rest = (ind.indirection as (string | RawNode)[]).slice(0, -1);
  const raw: RawNode = rest.length === 0 ? ind.arg : { ...ind, indirection: rest };
  return expandRowReference(state, recursion.transformExpr(state, raw, kind), makeTargets);
}

function expandRowReference(state: ParseState, expr: Expr, makeTargets: boolean): (TargetEntry | Expr)[] {
  // A whole-row Var of a table: simply its columns.
  if (expr.kind === 'Var' && expr.varattno === 0) {
    const item = getNamespaceItemByRangeTablePosn(state, expr.varno, expr.varlevelsup);
    return expandSingleTable(state, item, expr.varlevelsup, expr.location, makeTargets);
  }
  const type = exprType(expr);
  let columns: ResultColumnDescription[];
  if (expr.kind === 'Var' && expr.vartype === T.RECORDOID) columns = expandRecordVariable(state, expr, 0);
  else if (type === T.RECORDOID) columns = columnsOfRecord(expr);
  else if (isComplex(type)) columns = columnsOfRowType(type);
  else throw parserError(state, 'wrong_object_type', `type ${formatType(type)} is not composite`, exprLocation(expr));
  const result: (TargetEntry | Expr)[] = [];
  columns.forEach((c, i) => {
    if (c.dropped) return;
    const select: FieldSelect = { kind: 'FieldSelect', arg: expr, fieldnum: i + 1, resulttype: c.type, resulttypmod: c.typmod, resultcollid: c.collation };
    result.push(makeTargets ? makeTargetEntry(select, state.nextResno++, c.name, false) : select);
  });
  return result;
}

/** The columns of a Var of type record, found where the record is made. */
export function expandRecordVariable(state: ParseState, v: Var, levelsup: number): ResultColumnDescription[] {
  const netLevels = v.varlevelsup + levelsup;
  const rte = getRteByRangeTablePosn(state, v.varno, netLevels);
  if (v.varattno === 0) {
    let level: ParseState = state;
    for (let i = 0; i < netLevels; i++) level = level.parent!;
    const { vars, names } = expandRte(level, rte, v.varno);
    return vars.map((e, i) => ({ name: names[i]!, type: exprType(e), typmod: exprTypmod(e), collation: exprCollation(e), dropped: false }));
  }
  let expr: Expr = v;
  switch (rte.rtekind) {
    case 'subquery': {
      const te = rte.subquery!.targetList.find((t) => t.resno === v.varattno && !t.resjunk);
      if (te === undefined) throw internalError(`subquery ${rte.eref.aliasname} does not have attribute ${v.varattno}`);
      expr = te.expr;
      if (expr.kind === 'Var') {
        const sub = { ...subState(state, netLevels), rtable: rte.subquery!.rtable };
        return expandRecordVariable(sub, expr, 0);
      }
      break;
    }
    case 'join': {
      const target = rte.joinaliasvars[v.varattno - 1];
      if (target !== null && target !== undefined) {
        expr = target;
        if (expr.kind === 'Var') return expandRecordVariable(state, expr, netLevels);
      }
      break;
    }
    case 'cte':
      if (!rte.self_reference) {
        let level: ParseState = state;
        for (let i = 0; i < netLevels + rte.ctelevelsup && level.parent !== null; i++) level = level.parent;
        const cte = level.cteNamespace.find((c) => c.ctename === rte.ctename);
        const list = cte === undefined ? [] : cte.ctequery.commandType === 'select' ? cte.ctequery.targetList : cte.ctequery.returningList;
        const te = list.find((t) => t.resno === v.varattno && !t.resjunk);
        if (te !== undefined) {
          expr = te.expr;
          if (expr.kind === 'Var') {
            const sub = { ...subState(state, netLevels), rtable: cte!.ctequery.rtable };
            return expandRecordVariable(sub, expr, 0);
          }
        }
      }
      break;
    default:
  }
  return columnsOfRecord(expr);
}

/** Of an expression that says what is in its record. */
function columnsOfRecord(expr: Expr): ResultColumnDescription[] {
  if (expr.kind !== 'Var') {
    const described = getExprResultType(expr);
    if (described.class === 'composite' || described.class === 'composite_domain') return described.columns;
  }
  throw new PgError('wrong_object_type', 'record type has not been registered');
}

function subState(state: ParseState, levels: number): ParseState {
  let level = state;
  for (let i = 0; i < levels && level.parent !== null; i++) level = level.parent;
  // What is in scope out there is not what is numbered in here.
  return { ...level, parent: level, namespace: [] };
}

function expandRte(state: ParseState, rte: RangeTblEntry, varno: number): { vars: Expr[]; names: string[] } {
  const item = state.namespace.find((n) => n.rtindex === varno);
  if (item !== undefined) return expandNamespaceItemVars(item, 0, -1);
  if (rte.rtekind === 'subquery') {
    const list = rte.subquery!.targetList.filter((te) => !te.resjunk);
    return { vars: list.map((te) => te.expr), names: list.map((_te, i) => rte.eref.colnames[i]!) };
  }
  if (rte.coltypes.length > 0) {
    return { vars: rte.coltypes.map((t, i) => makeNullConst(t, rte.coltypmods[i]!, rte.colcollations[i]!)), names: rte.eref.colnames.slice() };
  }
  throw new PgError('wrong_object_type', 'record type has not been registered');
}

// ---- names of columns ----------------------------------------------------------------------------------------

/** The name of an output column that was not given one. */
export function figureColname(node: RawNode): string {
  return figure(node)?.name ?? '?column?';
}
/** For index columns: null when nothing better than "?column?" is known. */
export function figureIndexColname(node: RawNode): string | null {
  return figure(node)?.name ?? null;
}

/** Names of strength 2 beat those of strength 1 (a type's name in a cast, "case"). */
function figure(node: RawNode | undefined): { name: string; strength: 1 | 2 } | null {
  if (node === undefined) return null;
  const strong = (name: string): { name: string; strength: 2 } => ({ name, strength: 2 });
  switch (node.tag) {
    case 'ColumnRef': {
      const last = (node.fields as unknown[]).findLast((f) => typeof f === 'string');
      return last === undefined ? null : strong(last as string);
    }
    case 'A_Indirection': {
      const last = (node.indirection as unknown[]).findLast((f) => typeof f === 'string');
      return last === undefined ? figure(node.arg) : strong(last as string);
    }
    case 'FuncCall': return strong((node.funcname as string[]).at(-1)!);
    case 'A_Expr': return node.kind === 'AEXPR_NULLIF' ? strong('nullif') : null;
    case 'TypeCast': {
      const inner = figure(node.arg);
      if (inner !== null && inner.strength === 2) return inner;
      const names = (node.typeName as RawNode).names as string[] | undefined;
      return names === undefined ? inner : { name: names.at(-1)!, strength: 1 };
    }
    case 'CollateClause': return figure(node.arg);
    case 'GroupingFunc': return strong('grouping');
    case 'MultiAssignRef': return null;
    case 'SubLink':
      switch (node.subLinkType) {
        case 'EXISTS_SUBLINK': return strong('exists');
        case 'ARRAY_SUBLINK': return strong('array');
        case 'EXPR_SUBLINK': {
          const name = recursion.analyzedSubLinks.get(node)?.targetList[0]?.resname;
          return name === null || name === undefined ? null : strong(name);
        }
        default: return null;
      }
    case 'CaseExpr': {
      const inner = figure(node.defresult);
      return inner !== null && inner.strength === 2 ? inner : { name: 'case', strength: 1 };
    }
    case 'A_ArrayExpr': return strong('array');
    case 'RowExpr': return strong('row');
    case 'CoalesceExpr': return strong('coalesce');
    case 'MinMaxExpr': return strong(node.op === 'IS_GREATEST' ? 'greatest' : 'least');
    case 'SQLValueFunction': {
      const name = (node.op as string).replace('SVFOP_', '').toLowerCase().replace(/_n$/, '');
      return strong(name);
    }
    case 'XmlExpr': {
      const names: Record<string, string> = { IS_XMLCONCAT: 'xmlconcat', IS_XMLELEMENT: 'xmlelement', IS_XMLFOREST: 'xmlforest', IS_XMLPARSE: 'xmlparse', IS_XMLPI: 'xmlpi', IS_XMLROOT: 'xmlroot' };
      const name = names[node.op as string];
      return name === undefined ? null : strong(name);
    }
    case 'XmlSerialize': return strong('xmlserialize');
    default: return null;
  }
}

Object.assign(recursion, { expandRecordVariable });
