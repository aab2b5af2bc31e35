// Expressions: from raw nodes to typed ones (parse_expr.c). One handler per raw node tag.
import { PgError, internalError } from '../../common/errors.ts';
import { getArrayType, getBaseTypeAndTypmod, getElementType } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeBoolConst, makeBoolExpr, makeConst, makeVar } from '../nodes/makefuncs.ts';
import { containsVarsOfLevel, exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type {
  ArrayExpr, BooleanTest, CaseExpr, CaseTestExpr, CaseWhen, CoalesceExpr, CoercionForm, Const, Expr, MinMaxExpr, NullIfExpr, NullTest, OpExpr, Param, RowCompareExpr, RowExpr,
  SQLValueFunction, SQLValueFunctionOp, SubLink, SubLinkType,
} from '../nodes/primnodes.ts';
import { int8, type Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import { sendWarning, session } from '../utils/session.ts';
import { transformGroupingFunc } from './parse_agg.ts';
import { assignExprCollations } from './parse_collate.ts';
import {
  canCoerceType, coerceToBoolean, coerceToCommonType, coerceToTargetType, expressionReturnsSet, isComplex,
  selectCommonType, typeIsCollatable,
} from './parse_coerce.ts';
import { parseFuncOrColumn } from './parse_func.ts';
import { notSupportedAt, parserError, withErrorPosition, type NamespaceItem, type ParseExprKind, type ParseState } from './parse_node.ts';
import { makeOp, makeScalarArrayOp } from './parse_oper.ts';
import {
  colNameToVar, errorMissingColumn, errorMissingRte, expandNamespaceItemVars, getNamespaceItemByRangeTablePosn, markVarForSelectPriv, refnameNamespaceItem, scanNamespaceItemForColumn,
} from './parse_relation.ts';
import { transformContainerSubscripts } from './parse_subscript.ts';
import { transformExpressionList } from './parse_target.ts';
import { formatType, lookupCollation, stringTypeDatum, typenameTypeIdAndMod } from './parse_type.ts';
import { transformXmlExpr, transformXmlSerialize } from './parse_xml.ts';
import type { RawConst, RawNode } from './raw_nodes.ts';
import { getRowCompareStrategies } from './row_compare.ts';
import { recursion } from './recursion.ts';

/** Analyzes an expression in a context of the given kind. */
export function transformExpr(state: ParseState, expr: RawNode, kind: ParseExprKind): Expr {
  const saved = state.exprKind;
  state.exprKind = kind;
  try {
    return recurse(state, expr);
  } finally {
    state.exprKind = saved;
  }
}

/** The same, keeping the kind that is set (transformExprRecurse). */
export function recurse(state: ParseState, expr: RawNode): Expr {
  checkWhileWorking(1);
  const handler = HANDLERS[expr.tag];
  if (handler === undefined) throw notSupportedAt(state, expr.tag, expr.location);
  return handler(state, expr);
}

type Handler = (state: ParseState, node: RawNode) => Expr;

const HANDLERS: Record<string, Handler> = {
  ColumnRef: transformColumnRef,
  ParamRef: transformParamRef,
  A_Const: (state, n) => makeConstFromRaw(state, n as RawConst),
  A_Indirection: transformIndirection,
  A_ArrayExpr: (state, n) => transformArrayExpr(state, n, 0, 0, -1),
  TypeCast: transformTypeCast,
  CollateClause: transformCollateClause,
  A_Expr: transformAExpr,
  BoolExpr: transformBoolExpr,
  FuncCall: transformFuncCall,
  MultiAssignRef: transformMultiAssignRef,
  GroupingFunc: (state, n) => transformGroupingFunc(state, n, (arg) => recurse(state, arg)),
  NamedArgExpr: (state, n) => ({ kind: 'NamedArgExpr', arg: recurse(state, n.arg), name: n.name, argnumber: -1, location: n.location ?? -1 }),
  SubLink: transformSubLink,
  CaseExpr: transformCaseExpr,
  RowExpr: (state, n) => transformRowExpr(state, n, false),
  CoalesceExpr: transformCoalesceExpr,
  MinMaxExpr: transformMinMaxExpr,
  SQLValueFunction: transformSQLValueFunction,
  XmlExpr: (state, n) => transformXmlExpr(state, n, (arg) => recurse(state, arg)),
  XmlSerialize: (state, n) => transformXmlSerialize(state, n, (arg) => recurse(state, arg)),
  NullTest: (state, n) => {
    const arg = recurse(state, n.arg);
    const result: NullTest = { kind: 'NullTest', arg, isNull: n.nulltesttype === 'IS_NULL', argisrow: typeIsRow(exprType(arg)), location: n.location ?? -1 };
    return result;
  },
  BooleanTest: transformBooleanTest,
  CurrentOfExpr: transformCurrentOfExpr,
  SetToDefault: (state, n) => { throw parserError(state, 'syntax_error', 'DEFAULT is not allowed in this context', n.location); },
};

const typeIsRow = (type: Oid): boolean => type === T.RECORDOID || isComplex(type);

// ---- names ---------------------------------------------------------------------------------------------------

const NO_COLUMNS: Partial<Record<ParseExprKind, string>> = {
  column_default: 'cannot use column reference in DEFAULT expression', partition_bound: 'cannot use column reference in partition bound expression',
};

function transformColumnRef(state: ParseState, cref: RawNode): Expr {
  const refused = NO_COLUMNS[state.exprKind];
  if (refused !== undefined) throw parserError(state, 'feature_not_supported', refused, cref.location);
  if (state.preColumnRefHook !== null) {
    const node = state.preColumnRefHook(state, cref);
    if (node !== null) return node;
  }
  const location = cref.location ?? -1;
  const fields = cref.fields as (string | RawNode)[];
  const name = (i: number): string => fields[i] as string;
  let node: Expr | null = null;
  let missing: (() => PgError) | null = null;
  const qualified = (schema: string | null, relname: string, column: string | RawNode): void => {
    const found = refnameNamespaceItem(state, schema, relname, location);
    if (found === null) {
      missing = () => errorMissingRte(state, schema, relname, location);
      return;
    }
    if (typeof column !== 'string') {
      node = transformWholeRowRef(state, found.item, found.levelsup, location);
      return;
    }
    node = scanNamespaceItemForColumn(state, found.item, found.levelsup, column, location);
    if (node === null) {
      // f(tab) may be meant by tab.f.
      node = parseFuncOrColumn(state, [column], [transformWholeRowRef(state, found.item, found.levelsup, location)], state.lastSrf, null, false, location);
      if (node === null) missing = () => errorMissingColumn(state, relname, column, location);
    }
  };
  switch (fields.length) {
    case 1: {
      node = colNameToVar(state, name(0), false, location);
      if (node === null) {
        // "VALUE" stands for the value under test in a domain's constraint: that comes by hook. A table name: whole row.
        const found = refnameNamespaceItem(state, null, name(0), location);
        if (found !== null) node = transformWholeRowRef(state, found.item, found.levelsup, location);
      }
      break;
    }
    case 2: qualified(null, name(0), fields[1]!); break;
    case 3: qualified(name(0), name(1), fields[2]!); break;
    case 4:
      if (name(0) !== session.databaseName) {
        missing = () => parserError(state, 'feature_not_supported', `cross-database references are not implemented: ${fields.map((f) => typeof f === 'string' ? f : '*').join('.')}`, location);
      } else qualified(name(1), name(2), fields[3]!);
      break;
    default:
      missing = () => parserError(state, 'syntax_error', `improper qualified name (too many dotted names): ${fields.map((f) => typeof f === 'string' ? f : '*').join('.')}`, location);
  }
  if (state.postColumnRefHook !== null) {
    const hooked = state.postColumnRefHook(state, cref, node);
    if (node === null) node = hooked;
    else if (hooked !== null) {
      throw parserError(state, 'ambiguous_column', `column reference "${fields.map((f) => typeof f === 'string' ? f : '*').join('.')}" is ambiguous`, location);
    }
  }
  if (node === null) throw missing === null ? errorMissingColumn(state, null, name(0), location) : (missing as () => PgError)();
  return node;
}

/** The row of a table as one value. */
export function transformWholeRowRef(state: ParseState, item: NamespaceItem, levelsup: number, location: number): Expr {
  const rte = item.rte;
  if (item.names === rte.eref) {
    const scalar = scalarFunctionOf(item);
    const v = scalar === null ? makeVar(item.rtindex, 0, wholeRowType(item), -1, 0, levelsup, location)
      : makeVar(item.rtindex, 1, exprType(scalar), -1, exprCollation(scalar), levelsup, location);
    markVarForSelectPriv(state, v);
    return v;
  }
  // The name of a JOIN ... USING alias: only its columns.
  const { vars } = expandNamespaceItemVars(item, levelsup, location);
  for (const v of vars) markVarForSelectPriv(state, v);
  const row: RowExpr = { kind: 'RowExpr', args: vars, row_typeid: T.RECORDOID, row_format: 'implicit_cast', colnames: item.names.colnames.slice(0, vars.length), location };
  return row;
}

function wholeRowType(item: NamespaceItem): Oid {
  const rte = item.rte;
  if (rte.rtekind === 'relation') {
    const type = sys.classByOid(rte.relid)?.reltype ?? 0;
    if (type === 0) throw new PgError('wrong_object_type', `relation "${rte.eref.aliasname}" does not have a composite type`);
    return type;
  }
  if (rte.rtekind === 'function' && rte.functions.length === 1 && !rte.funcordinality) {
    const type = exprType(rte.functions[0]!.funcexpr);
    if (isComplex(type)) return type;
  }
  return T.RECORDOID;
}

/** The function, if it is alone in its place in FROM and its result no row: its name stands for its one column. */
function scalarFunctionOf({ rte }: NamespaceItem): Expr | null {
  if (rte.rtekind !== 'function' || rte.functions.length !== 1 || rte.funcordinality) return null;
  const { funcexpr } = rte.functions[0]!;
  const type = exprType(funcexpr);
  return type === T.RECORDOID || isComplex(type) ? null : funcexpr;
}

export function transformParamRef(state: ParseState, pref: RawNode): Expr {
  const result = state.paramRefHook === null ? null : state.paramRefHook(state, pref);
  if (result === null) throw parserError(state, 'undefined_parameter', `there is no parameter $${pref.number ?? 0}`, pref.location);
  return result;
}

function transformIndirection(state: ParseState, ind: RawNode): Expr {
  const lastSrf = state.lastSrf;
  let result = recurse(state, ind.arg);
  let subscripts: RawNode[] = [];
  const location = exprLocation(result);
  const flush = (): void => {
    if (subscripts.length > 0) result = transformContainerSubscripts(state, result, exprType(result), exprTypmod(result), subscripts, false);
    subscripts = [];
  };
  for (const n of ind.indirection as (string | RawNode)[]) {
    if (typeof n === 'string') {
      flush();
      const next: Expr | null = parseFuncOrColumn(state, [n], [result], lastSrf, null, false, location);
      if (next === null) throw unknownAttribute(state, result, n, location);
      result = next;
    } else if (n.tag === 'A_Indices') subscripts.push(n);
    else throw parserError(state, 'feature_not_supported', 'row expansion via "*" is not supported here', location);
  }
  flush();
  return result;
}

function unknownAttribute(state: ParseState, relref: Expr, attname: string, location: number): PgError {
  if (relref.kind === 'Var' && relref.varattno === 0 && (relref.vartype === T.RECORDOID || isComplex(relref.vartype))) {
    const item = getNamespaceItemByRangeTablePosn(state, relref.varno, relref.varlevelsup);
    return parserError(state, 'undefined_column', `column ${item.rte.eref.aliasname}.${attname} does not exist`, location);
  }
  const type = exprType(relref);
  if (isComplex(type)) return parserError(state, 'undefined_column', `column "${attname}" not found in data type ${formatType(type)}`, location);
  if (type === T.RECORDOID) return parserError(state, 'undefined_column', `could not identify column "${attname}" in record data type`, location);
  return parserError(state, 'wrong_object_type', `column notation .${attname} applied to type ${formatType(type)}, which is not a composite type`, location);
}

// ---- constants -----------------------------------------------------------------------------------------------

/** A constant of the text (make_const): integers by their size, other numbers numeric, strings unknown. */
export function makeConstFromRaw(state: ParseState | null, n: RawConst): Const {
  let result: Const;
  switch (n.ctype) {
    case 'integer': result = makeConst(T.INT4OID, -1, 0, n.value, n.location); break;
    case 'string': result = makeConst(T.UNKNOWNOID, -2, 0, n.value, n.location); break;
    case 'null': result = makeConst(T.UNKNOWNOID, -1, 0, null, n.location); break;
    case 'boolean': result = makeConst(T.BOOLOID, -1, 0, n.value, n.location); break;
    case 'float': {
      const text = n.value as string;
      const big = /^-?[0-9]+$/.test(text) ? BigInt(text) : null;
      if (big !== null && big >= -(2n ** 63n) && big < 2n ** 63n) {
        result = big >= -2147483648n && big <= 2147483647n ? makeConst(T.INT4OID, -1, 0, Number(big), n.location) : makeConst(T.INT8OID, -1, 0, int8(big), n.location);
      } else result = makeConst(T.NUMERICOID, -1, 0, withErrorPosition(state, n.location, () => stringTypeDatum(T.NUMERICOID, text, -1)), n.location);
      break;
    }
    case 'bit': result = makeConst(T.BITOID, -1, 0, withErrorPosition(state, n.location, () => stringTypeDatum(T.BITOID, n.value as string, -1)), n.location); break;
    default: throw internalError(`unrecognized constant ${String(n.ctype)}`);
  }
  if (n.ctype === 'string') result.consttypmod = -1;
  if (n.slot === undefined) return result;
  result.slot = n.slot;
  if (result.consttype === T.NUMERICOID) session.literalTypes[n.slot] = { type: T.NUMERICOID, typmod: -1 };
  return result;
}

// ---- operators -----------------------------------------------------------------------------------------------

const A_EXPR: Record<string, Handler> = {
  AEXPR_OP: transformAExprOp,
  AEXPR_OP_ANY: (state, a) => makeScalarArrayOp(state, a.name, true, recurse(state, a.lexpr), recurseArray(state, a.rexpr), a.location ?? -1),
  AEXPR_OP_ALL: (state, a) => makeScalarArrayOp(state, a.name, false, recurse(state, a.lexpr), recurseArray(state, a.rexpr), a.location ?? -1),
  AEXPR_DISTINCT: transformAExprDistinct,
  AEXPR_NOT_DISTINCT: transformAExprDistinct,
  AEXPR_NULLIF: transformAExprNullIf,
  AEXPR_IN: transformAExprIn,
  AEXPR_LIKE: transformAExprOp,
  AEXPR_ILIKE: transformAExprOp,
  AEXPR_SIMILAR: transformAExprOp,
  AEXPR_BETWEEN: transformAExprBetween,
  AEXPR_NOT_BETWEEN: transformAExprBetween,
  AEXPR_BETWEEN_SYM: transformAExprBetween,
  AEXPR_NOT_BETWEEN_SYM: transformAExprBetween,
};

const recurseArray = (state: ParseState, n: RawNode): Expr => recurse(state, n);

function transformAExpr(state: ParseState, a: RawNode): Expr {
  const handler = A_EXPR[a.kind as string];
  if (handler === undefined) throw internalError(`unrecognized A_Expr kind: ${String(a.kind)}`);
  return handler(state, a);
}

function transformAExprOp(state: ParseState, a: RawNode): Expr {
  const left = a.lexpr as RawNode | undefined;
  const right = a.rexpr as RawNode;
  const location = a.location ?? -1;
  if (left?.tag === 'RowExpr' && right.tag === 'SubLink' && right.subLinkType === 'EXPR_SUBLINK') {
    // (a, b) op (SELECT ...): a row comparison.
    return recurse(state, { ...right, subLinkType: 'ROWCOMPARE_SUBLINK', testexpr: left, operName: a.name, location });
  }
  if (left?.tag === 'RowExpr' && right.tag === 'RowExpr') {
    const l = recurse(state, left) as RowExpr;
    const r = recurse(state, right) as RowExpr;
    return makeRowComparisonOp(state, a.name, l.args, r.args, location);
  }
  const lastSrf = state.lastSrf;
  const l = left === undefined ? null : recurse(state, left);
  const r = recurse(state, right);
  return makeOp(state, a.name, l, r, lastSrf, location);
}

function transformAExprDistinct(state: ParseState, a: RawNode): Expr {
  const left = a.lexpr as RawNode;
  const right = a.rexpr as RawNode;
  const location = a.location ?? -1;
  let result: Expr;
  const isNullConst = (n: RawNode): boolean => n.tag === 'A_Const' && n.ctype === 'null';
  if (isNullConst(right) || isNullConst(left)) {
    const arg = recurse(state, isNullConst(right) ? left : right);
    return { kind: 'NullTest', arg, isNull: a.kind === 'AEXPR_NOT_DISTINCT', argisrow: false, location };
  }
  const l = recurse(state, left);
  const r = recurse(state, right);
  if (l.kind === 'RowExpr' && r.kind === 'RowExpr') result = makeRowDistinctOp(state, a.name, l, r, location);
  else result = makeDistinctOp(state, a.name, l, r, location);
  return a.kind === 'AEXPR_NOT_DISTINCT' ? makeBoolExpr('not', [result], location) : result;
}

function makeDistinctOp(state: ParseState, opname: string[], l: Expr, r: Expr, location: number): Expr {
  const result = makeOp(state, opname, l, r, state.lastSrf, location) as OpExpr;
  if (result.opresulttype !== T.BOOLOID) {
    throw parserError(state, 'datatype_mismatch', 'IS DISTINCT FROM requires = operator to yield boolean', location);
  }
  if (result.opretset) throw parserError(state, 'datatype_mismatch', 'IS DISTINCT FROM must not return a set', location);
  return { ...result, kind: 'DistinctExpr' };
}

function makeRowDistinctOp(state: ParseState, opname: string[], l: RowExpr, r: RowExpr, location: number): Expr {
  if (l.args.length !== r.args.length) throw parserError(state, 'syntax_error', 'unequal number of entries in row expressions', location);
  if (l.args.length === 0) return makeBoolConst(false);
  const list = l.args.map((arg, i) => makeDistinctOp(state, opname, arg, r.args[i]!, location));
  return list.length === 1 ? list[0]! : makeBoolExpr('or', list, location);
}

function transformAExprNullIf(state: ParseState, a: RawNode): Expr {
  const l = recurse(state, a.lexpr);
  const r = recurse(state, a.rexpr);
  const op = makeOp(state, a.name, l, r, state.lastSrf, a.location ?? -1) as OpExpr;
  if (op.opresulttype !== T.BOOLOID) throw parserError(state, 'datatype_mismatch', 'NULLIF requires = operator to yield boolean', a.location);
  if (op.opretset) throw parserError(state, 'datatype_mismatch', 'NULLIF must not return a set', a.location);
  const result: NullIfExpr = { ...op, kind: 'NullIfExpr', opresulttype: exprType(op.args[0]!) };
  return result;
}

function transformAExprIn(state: ParseState, a: RawNode): Expr {
  const useOr = (a.name as string[])[0] !== '<>';
  const location = a.location ?? -1;
  const lexpr = recurse(state, a.lexpr);
  const items = (a.rexpr as unknown as RawNode[]).map((n) => recurse(state, n));
  // Constants together make one ScalarArrayOpExpr; what contains Vars stands alone.
  const withVars = items.filter(containsVarsOfLevelZero);
  const plain = withVars.length === 0 ? items : items.filter((e) => !containsVarsOfLevelZero(e));
  let result: Expr | null = null;
  let rest = items;
  if (plain.length > 1) {
    const all = [lexpr, ...plain];
    const { type } = selectCommonType(state, all, null);
    // ROW() op ANY (array of rows) is not what is wanted for row comparisons.
    if (type !== 0 && type !== T.RECORDOID && plain.every((e) => exprType(e) === type || canCoerceType([exprType(e)], [type], 'implicit'))) {
      const arrayType = getArrayType(type);
      if (arrayType !== 0) {
        const elements = plain.map((e) => coerceToCommonType(state, e, type, 'IN'));
        const array: ArrayExpr = { kind: 'ArrayExpr', array_typeid: arrayType, array_collid: 0, element_typeid: type, elements, multidims: false, location: -1 };
        result = makeScalarArrayOp(state, a.name, useOr, lexpr, array, location);
        rest = withVars;
      }
    }
  }
  for (const rexpr of rest) {
    let cmp: Expr;
    if (lexpr.kind === 'RowExpr' && rexpr.kind === 'RowExpr') cmp = makeRowComparisonOp(state, a.name, lexpr.args, rexpr.args, location);
    else cmp = makeOp(state, a.name, lexpr, rexpr, state.lastSrf, location);
    cmp = coerceToBoolean(state, cmp, 'IN');
    result = result === null ? cmp : joinBool(useOr ? 'or' : 'and', result, cmp, location);
  }
  return result!;
}

/** Adds to a flat AND/OR rather than nesting. */
function joinBool(boolop: 'and' | 'or', left: Expr, right: Expr, location: number): Expr {
  if (left.kind === 'BoolExpr' && left.boolop === boolop) {
    left.args.push(right);
    return left;
  }
  return makeBoolExpr(boolop, [left, right], location);
}

const containsVarsOfLevelZero = (e: Expr): boolean => e.kind !== 'Const' && containsVarsOfLevel(e, 0);

function transformAExprBetween(state: ParseState, a: RawNode): Expr {
  const [b, c] = a.rexpr as unknown as [RawNode, RawNode];
  const location = a.location ?? -1;
  const op = (name: string, rexpr: RawNode): RawNode => ({ tag: 'A_Expr', kind: 'AEXPR_OP', name: [name], lexpr: a.lexpr, rexpr, location });
  const bool = (boolop: string, args: RawNode[]): RawNode => ({ tag: 'BoolExpr', boolop, args, location });
  switch (a.kind) {
    case 'AEXPR_BETWEEN': return recurse(state, bool('AND_EXPR', [op('>=', b), op('<=', c)]));
    case 'AEXPR_NOT_BETWEEN': return recurse(state, bool('OR_EXPR', [op('<', b), op('>', c)]));
    case 'AEXPR_BETWEEN_SYM':
      return recurse(state, bool('OR_EXPR', [bool('AND_EXPR', [op('>=', b), op('<=', c)]), bool('AND_EXPR', [op('>=', c), op('<=', b)])]));
    default:
      return recurse(state, bool('AND_EXPR', [bool('OR_EXPR', [op('<', b), op('>', c)]), bool('OR_EXPR', [op('<', c), op('>', b)])]));
  }
}

function transformBoolExpr(state: ParseState, a: RawNode): Expr {
  const names: Record<string, ['and' | 'or' | 'not', string]> = { AND_EXPR: ['and', 'AND'], OR_EXPR: ['or', 'OR'], NOT_EXPR: ['not', 'NOT'] };
  const [boolop, name] = names[a.boolop as string]!;
  return makeBoolExpr(boolop, (a.args as RawNode[]).map((arg) => coerceToBoolean(state, recurse(state, arg), name)), a.location ?? -1);
}

/** (a, b) < (c, d) and the like. */
export function makeRowComparisonOp(state: ParseState, opname: string[], largs: readonly Expr[], rargs: readonly Expr[], location: number): Expr {
  if (largs.length !== rargs.length) throw parserError(state, 'syntax_error', 'unequal number of entries in row expressions', location);
  if (largs.length === 0) throw parserError(state, 'feature_not_supported', 'cannot compare rows of zero length', location);
  const ops = largs.map((l, i) => {
    const cmp = makeOp(state, opname, l, rargs[i]!, state.lastSrf, location) as OpExpr;
    if (cmp.opresulttype !== T.BOOLOID) {
      throw parserError(state, 'datatype_mismatch', `row comparison operator must yield type boolean, not type ${formatType(cmp.opresulttype)}`, location);
    }
    if (expressionReturnsSet(cmp)) throw parserError(state, 'datatype_mismatch', 'row comparison operator must not return a set', location);
    return cmp;
  });
  if (ops.length === 1) return ops[0]!;
  const found = getRowCompareStrategies(ops.map((op) => op.opno));
  if (found === null) {
    throw parserError(state, 'feature_not_supported', `could not determine interpretation of row comparison operator ${opname[opname.length - 1]}`, location,
      { hint: 'Row comparison operators must be associated with btree operator families.' });
  }
  if (found.strategy === '=') return makeBoolExpr('and', ops, location);
  if (found.strategy === '<>') return makeBoolExpr('or', ops, location);
  const result: RowCompareExpr = {
    kind: 'RowCompareExpr', rctype: found.strategy, opnos: ops.map((op) => op.opno), opfamilies: found.opfamilies, inputcollids: [],
    largs: ops.map((op) => op.args[0]!), rargs: ops.map((op) => op.args[1]!),
  };
  return result;
}

// ---- functions -----------------------------------------------------------------------------------------------

function transformFuncCall(state: ParseState, fn: RawNode): Expr {
  const lastSrf = state.lastSrf;
  const args = ((fn.args as RawNode[] | undefined) ?? []).map((arg) => recurse(state, arg));
  if (fn.agg_within_group === true) {
    // The WITHIN GROUP columns are arguments too, for finding the function.
    for (const sortby of fn.agg_order as RawNode[]) args.push(transformExpr(state, sortby.node, 'order_by'));
  }
  return parseFuncOrColumn(state, fn.funcname, args, lastSrf, fn, false, fn.location ?? -1)!;
}

// ---- UPDATE SET (a, b) = ... ---------------------------------------------------------------------------------

function transformMultiAssignRef(state: ParseState, maref: RawNode): Expr {
  const source = maref.source as RawNode;
  const colno = maref.colno as number;
  const ncolumns = maref.ncolumns as number;
  const mismatch = (location: number | undefined): PgError => parserError(state, 'syntax_error', 'number of columns does not match number of values', location);
  if (colno === 1) {
    if (source.tag === 'SubLink' && source.subLinkType === 'EXPR_SUBLINK') {
      const sublink = transformExpr(state, { ...source, subLinkType: 'MULTIEXPR_SUBLINK' }, state.exprKind) as SubLink;
      const query = sublink.subselect;
      if (query.targetList.filter((te) => !te.resjunk).length !== ncolumns) throw mismatch(sublink.location);
      state.multiassignExprs.push({ resjunkSublink: sublink, targetno: state.multiassignExprs.length + 1 });
      sublink.subLinkId = state.multiassignExprs.length;
      return multiexprParam(sublink, 1);
    }
    if (source.tag === 'RowExpr') {
      const row = transformRowExpr(state, source, true) as RowExpr;
      if (row.args.length !== ncolumns) throw mismatch(row.location);
      state.multiassignRow = row;
      return row.args[0]!;
    }
    throw parserError(state, 'feature_not_supported', 'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression', source.location ?? exprLocationOfRaw(source));
  }
  if (source.tag === 'RowExpr') {
    const row = state.multiassignRow;
    if (row === null) throw internalError('unexpected expr type in multiassign list');
    return row.args[colno - 1]!;
  }
  const last = state.multiassignExprs[state.multiassignExprs.length - 1];
  if (last === undefined) throw internalError('unexpected expr type in multiassign list');
  return multiexprParam(last.resjunkSublink, colno);
}

const exprLocationOfRaw = (n: RawNode): number | undefined => n.location;

/** A Param of kind "multiexpr" stands for column `colno` of the sub-SELECT numbered subLinkId. */
function multiexprParam(sublink: SubLink, colno: number): Param {
  const te = sublink.subselect.targetList.filter((t) => !t.resjunk)[colno - 1]!;
  return {
    kind: 'Param', paramkind: 'multiexpr', paramid: (sublink.subLinkId << 16) | colno, paramtype: exprType(te.expr), paramtypmod: exprTypmod(te.expr),
    paramcollid: exprCollation(te.expr), location: exprLocation(te.expr),
  };
}

// ---- CASE, COALESCE, ... -------------------------------------------------------------------------------------

function transformCaseExpr(state: ParseState, c: RawNode): Expr {
  const lastSrf = state.lastSrf;
  let arg = c.arg === undefined ? null : recurse(state, c.arg);
  let placeholder: CaseTestExpr | null = null;
  if (arg !== null) {
    if (exprType(arg) === T.UNKNOWNOID) arg = coerceToCommonType(state, arg, T.TEXTOID, 'CASE');
    // The comparison sees the argument as a value of its own, with the collation known now.
    assignExprCollations(state, arg);
    placeholder = { kind: 'CaseTestExpr', typeId: exprType(arg), typeMod: exprTypmod(arg), collation: exprCollation(arg) };
  }
  const whens: CaseWhen[] = (c.args as RawNode[]).map((w) => {
    let expr: Expr;
    if (placeholder !== null) expr = makeOp(state, ['='], placeholder, recurse(state, w.expr), state.lastSrf, w.location ?? -1);
    else expr = recurse(state, w.expr);
    expr = coerceToBoolean(state, expr, 'CASE/WHEN');
    return { expr, result: recurse(state, w.result), location: w.location ?? -1 };
  });
  const defresult = c.defresult === undefined ? makeConst(T.UNKNOWNOID, -1, 0, null) : recurse(state, c.defresult);
  // The default goes first in choosing the type: that is what PostgreSQL does.
  const { type } = selectCommonType(state, [defresult, ...whens.map((w) => w.result)], 'CASE');
  const result: CaseExpr = {
    kind: 'CaseExpr', casetype: type, casecollid: 0, arg,
    args: whens.map((w) => ({ expr: w.expr, result: coerceToCommonType(state, w.result, type, 'CASE/WHEN'), location: w.location })),
    defresult: coerceToCommonType(state, defresult, type, 'CASE/ELSE'), location: c.location ?? -1,
  };
  refuseSrf(state, lastSrf, 'CASE');
  return result;
}

function refuseSrf(state: ParseState, lastSrf: Expr | null, construct: string): void {
  if (state.lastSrf === lastSrf) return;
  throw parserError(state, 'feature_not_supported', `set-returning functions are not allowed in ${construct}`, exprLocation(state.lastSrf!),
    { hint: 'You might be able to move the set-returning function into a LATERAL FROM item.' });
}

function transformCoalesceExpr(state: ParseState, c: RawNode): Expr {
  const lastSrf = state.lastSrf;
  const args = (c.args as RawNode[]).map((arg) => recurse(state, arg));
  const { type } = selectCommonType(state, args, 'COALESCE');
  const result: CoalesceExpr = { kind: 'CoalesceExpr', coalescetype: type, coalescecollid: 0, args: args.map((arg) => coerceToCommonType(state, arg, type, 'COALESCE')), location: c.location ?? -1 };
  refuseSrf(state, lastSrf, 'COALESCE');
  return result;
}

function transformMinMaxExpr(state: ParseState, m: RawNode): Expr {
  const name = m.op === 'IS_GREATEST' ? 'GREATEST' : 'LEAST';
  const args = (m.args as RawNode[]).map((arg) => recurse(state, arg));
  const { type } = selectCommonType(state, args, name);
  const result: MinMaxExpr = {
    kind: 'MinMaxExpr', minmaxtype: type, minmaxcollid: 0, inputcollid: 0, op: m.op === 'IS_GREATEST' ? 'greatest' : 'least',
    args: args.map((arg) => coerceToCommonType(state, arg, type, name)), location: m.location ?? -1,
  };
  return result;
}

const SQL_VALUE_TYPES: Record<SQLValueFunctionOp, Oid> = {
  current_date: T.DATEOID, current_time: T.TIMETZOID, current_time_n: T.TIMETZOID, current_timestamp: T.TIMESTAMPTZOID, current_timestamp_n: T.TIMESTAMPTZOID,
  localtime: T.TIMEOID, localtime_n: T.TIMEOID, localtimestamp: T.TIMESTAMPOID, localtimestamp_n: T.TIMESTAMPOID, current_role: T.NAMEOID, current_user: T.NAMEOID,
  user: T.NAMEOID, session_user: T.NAMEOID, current_catalog: T.NAMEOID, current_schema: T.NAMEOID,
};

function transformSQLValueFunction(state: ParseState, s: RawNode): Expr {
  const op = (s.op as string).replace('SVFOP_', '').toLowerCase() as SQLValueFunctionOp;
  const type = SQL_VALUE_TYPES[op];
  if (type === undefined) throw notSupportedAt(state, (s.op as string).replace('SVFOP_', ''), s.location);
  let typmod = (s.typmod as number | undefined) ?? 0;
  if (!op.endsWith('_n')) typmod = -1;
  else if (typmod > 6) {
    const name = type === T.TIMETZOID ? 'TIME(%) WITH TIME ZONE' : type === T.TIMEOID ? 'TIME(%)' : type === T.TIMESTAMPTZOID ? 'TIMESTAMP(%) WITH TIME ZONE' : 'TIMESTAMP(%)';
    sendWarning('invalid_parameter_value', `${name.replace('%', String(typmod))} precision reduced to maximum allowed, 6`);
    typmod = 6;
  }
  const result: SQLValueFunction = { kind: 'SQLValueFunction', op, type, typmod, location: s.location ?? -1 };
  return result;
}

function transformBooleanTest(state: ParseState, b: RawNode): Expr {
  const names: Record<string, string> = {
    IS_TRUE: 'IS TRUE', IS_NOT_TRUE: 'IS NOT TRUE', IS_FALSE: 'IS FALSE', IS_NOT_FALSE: 'IS NOT FALSE', IS_UNKNOWN: 'IS UNKNOWN', IS_NOT_UNKNOWN: 'IS NOT UNKNOWN',
  };
  const kind = b.booltesttype as string;
  const arg = coerceToBoolean(state, recurse(state, b.arg), names[kind]!);
  const result: BooleanTest = { kind: 'BooleanTest', arg, booltesttype: kind.toLowerCase() as BooleanTest['booltesttype'], location: b.location ?? -1 };
  return result;
}

function transformCurrentOfExpr(state: ParseState, c: RawNode): Expr {
  if (state.targetItem === null) throw internalError('CURRENT OF outside UPDATE or DELETE');
  let cursorName: string | null = (c.cursor_name as string | undefined) ?? null;
  let cursorParam = 0;
  if (cursorName !== null) {
    // It may name a PL/pgSQL variable of type refcursor.
    const ref: RawNode = { tag: 'ColumnRef', fields: [cursorName], location: -1 };
    const node = state.preColumnRefHook?.(state, ref) ?? state.postColumnRefHook?.(state, ref, null) ?? null;
    if (node !== null && node.kind === 'Param' && node.paramkind === 'extern' && node.paramtype === T.REFCURSOROID) {
      cursorName = null;
      cursorParam = node.paramid;
    }
  }
  return { kind: 'CurrentOfExpr', cvarno: state.targetItem.rtindex, cursor_name: cursorName, cursor_param: cursorParam };
}

// ---- rows and arrays -----------------------------------------------------------------------------------------

function transformRowExpr(state: ParseState, r: RawNode, allowDefault: boolean): Expr {
  const args = transformExpressionList(state, (r.args as RawNode[] | undefined) ?? [], state.exprKind, allowDefault);
  if (args.length > 1664) throw parserError(state, 'too_many_columns', 'ROW expressions can have at most 1664 entries', r.location);
  const format: CoercionForm = r.row_format === 'COERCE_EXPLICIT_CALL' ? 'explicit_call' : 'implicit_cast';
  const row: RowExpr = { kind: 'RowExpr', args, row_typeid: T.RECORDOID, row_format: format, colnames: args.map((_a, i) => `f${i + 1}`), location: r.location ?? -1 };
  return row;
}

/** ARRAY[...]; a cast above it tells the element type (array type 0: find it). */
function transformArrayExpr(state: ParseState, a: RawNode, arrayTypeIn: Oid, elementTypeIn: Oid, typmod: number): Expr {
  let arrayType = arrayTypeIn;
  let elementType = elementTypeIn;
  let multidims = false;
  const elements: Expr[] = ((a.elements as RawNode[] | undefined) ?? []).map((e) => {
    if (e.tag === 'A_ArrayExpr') {
      multidims = true;
      return transformArrayExpr(state, e, arrayType, elementType, typmod);
    }
    const node = recurse(state, e);
    if (getElementType(exprType(node)) !== 0 && sys.typeByOid(exprType(node))?.typlen === -1 && typeIsTrueArray(exprType(node))) multidims = true;
    return node;
  });
  let coerceTo: Oid;
  let hard: boolean;
  if (arrayType !== 0) {
    coerceTo = multidims ? arrayType : elementType;
    hard = true;
  } else {
    if (elements.length === 0) {
      throw parserError(state, 'indeterminate_datatype', 'cannot determine type of empty array', a.location, { hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].' });
    }
    coerceTo = selectCommonType(state, elements, 'ARRAY').type;
    if (multidims) {
      arrayType = coerceTo;
      elementType = getElementType(arrayType);
      if (elementType === 0) throw parserError(state, 'undefined_object', `could not find element type for data type ${formatType(arrayType)}`, a.location);
    } else {
      elementType = coerceTo;
      arrayType = getArrayType(elementType);
      if (arrayType === 0) throw parserError(state, 'undefined_object', `could not find array type for data type ${formatType(elementType)}`, a.location);
    }
    hard = false;
  }
  const coerced = elements.map((e) => {
    if (!hard) return coerceToCommonType(state, e, coerceTo, 'ARRAY');
    const result = coerceToTargetType(state, e, exprType(e), coerceTo, typmod, 'explicit', 'explicit_cast', -1);
    if (result === null) {
      throw parserError(state, 'cannot_coerce', `cannot cast type ${formatType(exprType(e))} to ${formatType(coerceTo)}`, exprLocation(e));
    }
    return result;
  });
  const result: ArrayExpr = { kind: 'ArrayExpr', array_typeid: arrayType, array_collid: 0, element_typeid: elementType, elements: coerced, multidims, location: a.location ?? -1 };
  return result;
}

const typeIsTrueArray = (type: Oid): boolean => getElementType(type) !== 0 && getArrayType(getElementType(type)) === type;

// ---- casts ---------------------------------------------------------------------------------------------------

function transformTypeCast(state: ParseState, tc: RawNode): Expr {
  const { type: targetType, typmod } = typenameTypeIdAndMod(state, tc.typeName);
  const arg = tc.arg as RawNode;
  let expr: Expr;
  if (arg.tag === 'A_ArrayExpr') {
    // ARRAY[...]::t[] makes the elements of that type at once.
    const base = getBaseTypeAndTypmod(targetType, typmod);
    const elementType = getElementType(base.type);
    if (elementType !== 0) expr = transformArrayExpr(state, arg, base.type, elementType, base.typmod);
    else expr = recurse(state, arg);
  } else expr = recurse(state, arg);
  const inputType = exprType(expr);
  if (inputType === 0) return expr;
  // Point at the cast itself, or at its type's name when it is written prefix.
  let location = tc.location ?? 0;
  if (location < 0) location = (tc.typeName as RawNode).location ?? -1;
  const result = coerceToTargetType(state, expr, inputType, targetType, typmod, 'explicit', 'explicit_cast', location);
  if (result === null) {
    throw parserError(state, 'cannot_coerce', `cannot cast type ${formatType(inputType)} to ${formatType(targetType)}`, location >= 0 ? location : exprLocation(expr));
  }
  return result;
}

function transformCollateClause(state: ParseState, c: RawNode): Expr {
  const arg = recurse(state, c.arg);
  const type = exprType(arg);
  if (!typeIsCollatable(type) && type !== T.UNKNOWNOID) {
    throw parserError(state, 'datatype_mismatch', `collations are not supported by type ${formatType(type)}`, c.location);
  }
  return { kind: 'CollateExpr', arg, collOid: lookupCollation(state, c.collname, c.location), location: c.location ?? -1 };
}

// ---- subqueries ----------------------------------------------------------------------------------------------

/** The query made of each SubLink of the text, which gives the column its name. */
export const analyzedSubLinks = new WeakMap<RawNode, Query>();

const SUBLINK_TYPES: Record<string, SubLinkType> = {
  EXISTS_SUBLINK: 'exists', ALL_SUBLINK: 'all', ANY_SUBLINK: 'any', ROWCOMPARE_SUBLINK: 'rowcompare', EXPR_SUBLINK: 'expr', MULTIEXPR_SUBLINK: 'multiexpr', ARRAY_SUBLINK: 'array',
};
const SUBQUERY_REFUSED: Partial<Record<ParseExprKind, string>> = {
  check_constraint: 'cannot use subquery in check constraint', domain_check: 'cannot use subquery in check constraint', column_default: 'cannot use subquery in DEFAULT expression',
  function_default: 'cannot use subquery in DEFAULT expression', index_expression: 'cannot use subquery in index expression', index_predicate: 'cannot use subquery in index predicate',
  stats_expression: 'cannot use subquery in statistics expression', alter_col_transform: 'cannot use subquery in transform expression', execute_parameter: 'cannot use subquery in EXECUTE parameter',
  trigger_when: 'cannot use subquery in trigger WHEN condition', partition_bound: 'cannot use subquery in partition bound', partition_expression: 'cannot use subquery in partition key expression',
  call_argument: 'cannot use subquery in CALL argument', copy_where: 'cannot use subquery in COPY FROM WHERE condition', generated_column: 'cannot use subquery in column generation expression',
};

function transformSubLink(state: ParseState, s: RawNode): Expr {
  const refused = SUBQUERY_REFUSED[state.exprKind];
  if (refused !== undefined) throw parserError(state, 'feature_not_supported', refused, s.location);
  state.hasSubLinks = true;
  const location = s.location ?? -1;
  const subselect: Query = recursion.parseSubAnalyze(s.subselect, state, null, false, true);
  if (subselect.commandType !== 'select') throw internalError('unexpected non-SELECT command in SubLink');
  analyzedSubLinks.set(s, subselect);
  const subLinkType = SUBLINK_TYPES[s.subLinkType as string]!;
  const result: SubLink = { kind: 'SubLink', subLinkType, subLinkId: 0, testexpr: null, operName: [], subselect, location };
  const columns = subselect.targetList.filter((te) => !te.resjunk);
  if (subLinkType === 'exists') return result;
  if (subLinkType === 'expr' || subLinkType === 'array') {
    if (columns.length !== 1) throw parserError(state, 'syntax_error', 'subquery must return only one column', location);
    return result;
  }
  if (subLinkType === 'multiexpr') return result;
  // ALL, ANY, or a row comparison: a test expression over Params for the subquery's columns.
  result.operName = (s.operName as string[] | undefined) ?? ['='];
  const left = recurse(state, s.testexpr);
  const leftList = left.kind === 'RowExpr' ? left.args : [left];
  if (leftList.length < columns.length) throw parserError(state, 'syntax_error', 'subquery has too many columns', location);
  if (leftList.length > columns.length) throw parserError(state, 'syntax_error', 'subquery has too few columns', location);
  const right: Param[] = columns.map((te, i) => ({
    kind: 'Param', paramkind: 'sublink', paramid: i + 1, paramtype: exprType(te.expr), paramtypmod: exprTypmod(te.expr), paramcollid: exprCollation(te.expr), location: -1,
  }));
  result.testexpr = makeRowComparisonOp(state, result.operName, leftList, right, location);
  if (s.operName === undefined) result.operName = [];
  return result;
}

// ---- names of contexts ---------------------------------------------------------------------------------------

const KIND_NAMES: Record<ParseExprKind, string> = {
  none: 'invalid expression context', other: 'extension expression', join_on: 'JOIN/ON', join_using: 'JOIN/USING', from_subselect: 'sub-SELECT in FROM', from_function: 'function in FROM',
  where: 'WHERE', policy: 'POLICY', having: 'HAVING', filter: 'FILTER', window_partition: 'window PARTITION BY', window_order: 'window ORDER BY', window_frame_range: 'window RANGE',
  window_frame_rows: 'window ROWS', window_frame_groups: 'window GROUPS', select_target: 'SELECT', insert_target: 'INSERT', update_source: 'UPDATE', update_target: 'UPDATE',
  merge_when: 'MERGE WHEN', group_by: 'GROUP BY', order_by: 'ORDER BY', distinct_on: 'DISTINCT ON', limit: 'LIMIT', offset: 'OFFSET', returning: 'RETURNING', values: 'VALUES',
  values_single: 'VALUES', check_constraint: 'CHECK', domain_check: 'CHECK', column_default: 'DEFAULT', function_default: 'DEFAULT', index_expression: 'index expression',
  index_predicate: 'index predicate', stats_expression: 'statistics expression', alter_col_transform: 'USING', execute_parameter: 'EXECUTE', trigger_when: 'WHEN',
  partition_bound: 'partition bound', partition_expression: 'PARTITION BY', call_argument: 'CALL', copy_where: 'WHERE', generated_column: 'GENERATED AS', cycle_mark: 'CYCLE',
};
/** What a clause is called in messages (ParseExprKindName). */
export function exprKindName(kind: ParseExprKind): string {
  return KIND_NAMES[kind];
}

Object.assign(recursion, { analyzedSubLinks, exprKindName, recurse, transformExpr });
