// Conversions between types: which exist, which may be used where, and the nodes that do them (parse_coerce.c).
// Polymorphic arguments are in parse_generic.ts.
import { internalError, type PgError } from '../../common/errors.ts';
import {
  funcStrict, getBaseType, getBaseTypeAndTypmod, getElementType, getType, isPreferredType,
} from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeConst, makeNullConst, makeRelabelType } from '../nodes/makefuncs.ts';
import { containsNode, exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { CaseTestExpr, CoercionForm, Const, Expr, RowExpr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { pinLiteral, session } from '../utils/session.ts';
import { checkGenericTypeConsistency, isPolymorphic } from './parse_generic.ts';
import { parserError, withErrorPosition, withNoticePosition, type ParseState } from './parse_node.ts';
import { expandNamespaceItemVars, getNamespaceItemByRangeTablePosn } from './parse_relation.ts';
import { formatType, stringTypeDatum, typeOrDomainTypeRelid } from './parse_type.ts';
import { recursion } from './recursion.ts';

export type CoercionContext = 'implicit' | 'assignment' | 'plpgsql' | 'explicit';
const RANK: Record<CoercionContext, number> = { implicit: 0, assignment: 1, plpgsql: 2, explicit: 3 };
const CAST_RANK: Record<string, number> = { i: 0, a: 1, e: 3 };

const UNCHANGED_POLYMORPHIC = new Set<Oid>([T.ANYOID, T.ANYELEMENTOID, T.ANYNONARRAYOID, T.ANYCOMPATIBLEOID, T.ANYCOMPATIBLENONARRAYOID]);
const CONTAINER_POLYMORPHIC = new Set<Oid>([
  T.ANYARRAYOID, T.ANYENUMOID, T.ANYRANGEOID, T.ANYMULTIRANGEOID, T.ANYCOMPATIBLEARRAYOID, T.ANYCOMPATIBLERANGEOID, T.ANYCOMPATIBLEMULTIRANGEOID,
]);
/** A lifted string that becomes one of these is read anew at each run (CachedStatement.bind). */
const READ_ANEW = new Set<Oid>([
  T.TEXTOID, T.VARCHAROID, T.BPCHAROID, T.INT2OID, T.INT4OID, T.INT8OID, T.FLOAT4OID, T.FLOAT8OID, T.NUMERICOID, T.BOOLOID, T.BYTEAOID, T.UUIDOID,
  T.DATEOID, T.TIMEOID, T.TIMETZOID, T.TIMESTAMPOID, T.TIMESTAMPTZOID, T.INTERVALOID, T.JSONOID, T.JSONBOID, T.INETOID, T.CIDROID,
]);

export function typeCategory(type: Oid): string {
  return getType(type).typcategory;
}
export { isPreferredType };

/**
 * Converts an expression to a type and typmod; null when there is no such conversion in this context (the caller
 * words the error).
 */
export function coerceToTargetType(
  state: ParseState | null, expr: Expr, exprtype: Oid, targettype: Oid, targettypmod: number, context: CoercionContext, format: CoercionForm, location: number,
): Expr | null {
  if (!canCoerceType([exprtype], [targettype], context)) return null;
  // COLLATE goes on top of the coercion.
  const collate = expr.kind === 'CollateExpr' ? expr : null;
  let inner: Expr = expr;
  while (inner.kind === 'CollateExpr') inner = inner.arg;
  const coerced = coerceType(state, inner, exprtype, targettype, targettypmod, context, format, location);
  let result = coerceTypeTypmod(coerced, targettype, targettypmod, context, format, location, coerced !== inner && coerced.kind !== 'Const');
  if (collate !== null && typeIsCollatable(targettype)) {
    result = { kind: 'CollateExpr', arg: result, collOid: collate.collOid, location: collate.location };
  }
  return result;
}

export const typeIsCollatable = (type: Oid): boolean => getType(type).typcollation !== 0;

/** Converts to a type that canCoerceType() has allowed. The typmod is used only for literals and domains. */
export function coerceType(
  state: ParseState | null, node: Expr, inputType: Oid, targetType: Oid, targetTypmod: number, context: CoercionContext, format: CoercionForm, location: number,
): Expr {
  if (targetType === inputType || UNCHANGED_POLYMORPHIC.has(targetType)) return node;
  if (CONTAINER_POLYMORPHIC.has(targetType) && inputType !== T.UNKNOWNOID) {
    // The function sees the container itself, not a domain over it.
    const base = getBaseTypeAndTypmod(inputType, exprTypmod(node));
    return base.type === inputType ? node : makeRelabelType(node, base.type, base.typmod, 0, format, location);
  }
  if (inputType === T.UNKNOWNOID && node.kind === 'Const') return coerceUnknownLiteral(state, node, targetType, targetTypmod, context, format, location);
  if (node.kind === 'Param' && state?.coerceParamHook) {
    const result = state.coerceParamHook(state, node, targetType, targetTypmod, location);
    if (result !== null) return result;
  }
  if (node.kind === 'CollateExpr') {
    const arg = coerceType(state, node.arg, inputType, targetType, targetTypmod, context, format, location);
    return typeIsCollatable(targetType) ? { kind: 'CollateExpr', arg, collOid: node.collOid, location: node.location } : arg;
  }
  const path = findCoercionPathway(targetType, inputType, context);
  if (path !== null) {
    if (path.method !== 'relabel') {
      const base = getBaseTypeAndTypmod(targetType, targetTypmod);
      const result = buildCoercionExpression(node, path, base.type, base.typmod, context, format, location);
      return base.type === targetType ? result : coerceToDomain(result, base.type, base.typmod, targetType, context, format, location, true);
    }
    const result = coerceToDomain(node, 0, -1, targetType, context, format, location, false);
    return result === node ? makeRelabelType(node, targetType, -1, 0, format, location) : result;
  }
  if (inputType === T.RECORDOID && isComplex(targetType)) return coerceRecordToComplex(state, node, targetType, context, format, location);
  if (targetType === T.RECORDOID && isComplex(inputType)) return node;
  if (targetType === T.RECORDARRAYOID && isComplexArray(inputType)) return node;
  if (typeInheritsFrom(inputType, targetType) || isOfTypedTable(inputType, targetType)) {
    const base = getBaseType(inputType);
    const arg = base === inputType ? node : makeRelabelType(node, base, -1, 0, 'implicit_cast', location);
    return { kind: 'ConvertRowtypeExpr', arg, resulttype: targetType, convertformat: format, location };
  }
  throw internalError(`failed to find conversion function from ${formatType(inputType)} to ${formatType(targetType)}`);
}

function coerceUnknownLiteral(
  state: ParseState | null, con: Const, targetType: Oid, targetTypmod: number, context: CoercionContext, format: CoercionForm, location: number,
): Expr {
  const base = getBaseTypeAndTypmod(targetType, targetTypmod);
  // Interval literals are read in the light of their typmod; others get theirs by a length coercion afterwards.
  const typmod = base.type === T.INTERVALOID ? base.typmod : -1;
  const row = getType(base.type);
  const text = con.constvalue as string | null;
  const value = text === null ? null : (base.type === T.TSQUERYOID ? withNoticePosition : withErrorPosition)(state, con.location, () => stringTypeDatum(base.type, text, typmod));
  // Some pseudo-types have no values at all, not even NULL.
  if (text === null && row.typtype === 'p' && !funcStrict(row.typinput)) withErrorPosition(state, con.location, () => stringTypeDatum(base.type, '', typmod));
  const made = makeConst(base.type, typmod, row.typcollation, value, con.location);
  if (con.slot !== undefined) keepSlot(made, con.slot);
  if (base.type !== targetType) return coerceToDomain(made, base.type, base.typmod, targetType, context, format, location, false);
  return made;
}

/** A literal with a value that may be another one next time; if it can't be, the plan is for this value only. */
function keepSlot(made: Const, slot: number): void {
  const { literalTypes } = session, { consttype: type, consttypmod: typmod } = made, before = literalTypes[slot];
  if (type === T.UNKNOWNOID && before === undefined) made.slot = slot;
  else if (READ_ANEW.has(type) && (before === undefined || (before.type === type && before.typmod === typmod))) {
    literalTypes[slot] = { type, typmod };
    made.slot = slot;
  } else pinLiteral(slot);
}

/** Whether all inputs can be converted to their targets in this context. */
export function canCoerceType(inputs: readonly Oid[], targets: readonly Oid[], context: CoercionContext): boolean {
  let haveGenerics = false;
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    const target = targets[i]!;
    if (input === target || target === T.ANYOID) continue;
    if (isPolymorphic(target)) {
      haveGenerics = true;
      continue;
    }
    if (input === T.UNKNOWNOID) continue;
    if (findCoercionPathway(target, input, context) !== null) continue;
    if (input === T.RECORDOID && isComplex(target)) continue;
    if (target === T.RECORDOID && isComplex(input)) continue;
    if (target === T.RECORDARRAYOID && isComplexArray(input)) continue;
    if (typeInheritsFrom(input, target) || isOfTypedTable(input, target)) continue;
    return false;
  }
  return !haveGenerics || checkGenericTypeConsistency(inputs, targets);
}

/** Puts a CoerceToDomain on an expression of a domain's base type; `base` 0: look it up. */
export function coerceToDomain(
  arg: Expr, base: Oid, baseTypmod: number, type: Oid, context: CoercionContext, format: CoercionForm, location: number, hideInput: boolean,
): Expr {
  let typmod = baseTypmod;
  if (base === 0) {
    const found = getBaseTypeAndTypmod(type, typmod);
    base = found.type;
    typmod = found.typmod;
  }
  if (base === type) return arg;
  let inner = hideInput ? hideCoercionNode(arg) : arg;
  inner = coerceTypeTypmod(inner, base, typmod, context, 'implicit_cast', location, false);
  return { kind: 'CoerceToDomain', arg: inner, resulttype: type, resulttypmod: -1, resultcollid: 0, coercionformat: format, location };
}

/** Adds a length coercion when the target has a typmod that the node does not have already. */
export function coerceTypeTypmod(
  node: Expr, targetType: Oid, targetTypmod: number, context: CoercionContext, format: CoercionForm, location: number, hideInput: boolean,
): Expr {
  if (targetTypmod === exprTypmod(node)) return node;
  const inner = hideInput ? hideCoercionNode(node) : node;
  const path = targetTypmod < 0 ? null : findTypmodCoercionFunction(targetType);
  if (path !== null) return buildCoercionExpression(inner, path, targetType, targetTypmod, context, format, location);
  return applyRelabelType(inner, targetType, targetTypmod, exprCollation(inner), format, location);
}

/** Relabels without stacking labels; a constant is simply made anew (applyRelabelType). */
export function applyRelabelType(node: Expr, type: Oid, typmod: number, collation: Oid, format: CoercionForm, location: number): Expr {
  let arg = node;
  while (arg.kind === 'RelabelType') arg = arg.arg;
  if (arg.kind === 'Const') return { ...arg, consttype: type, consttypmod: typmod, constcollid: collation };
  if (exprType(arg) === type && exprTypmod(arg) === typmod && exprCollation(arg) === collation) return arg;
  return makeRelabelType(arg, type, typmod, collation, format, location);
}

/** Marks the topmost coercion as implicit, so that only the one above it is shown. */
export function hideCoercionNode(node: Expr): Expr {
  switch (node.kind) {
    case 'FuncExpr': return { ...node, funcformat: 'implicit_cast' };
    case 'RelabelType': return { ...node, relabelformat: 'implicit_cast' };
    case 'CoerceViaIO': return { ...node, coerceformat: 'implicit_cast' };
    case 'ArrayCoerceExpr': return { ...node, coerceformat: 'implicit_cast' };
    case 'ConvertRowtypeExpr': return { ...node, convertformat: 'implicit_cast' };
    case 'RowExpr': return { ...node, row_format: 'implicit_cast' };
    case 'CoerceToDomain': return { ...node, coercionformat: 'implicit_cast' };
    default: return node;
  }
}

export interface CoercionPath { method: 'func' | 'relabel' | 'array' | 'viaio'; funcid: Oid }
const RELABEL: CoercionPath = { method: 'relabel', funcid: 0 };
const VIA_IO: CoercionPath = { method: 'viaio', funcid: 0 };
const ARRAY: CoercionPath = { method: 'array', funcid: 0 };

/** How to get from one type to another in this context; null: not at all. */
export function findCoercionPathway(targetType: Oid, sourceType: Oid, context: CoercionContext): CoercionPath | null {
  const source = sourceType === 0 ? 0 : getBaseType(sourceType);
  const target = targetType === 0 ? 0 : getBaseType(targetType);
  if (source === target) return RELABEL;
  const cast = sys.castBySourceTarget(source, target);
  let result: CoercionPath | null = null;
  if (cast !== undefined) {
    if (RANK[context] >= CAST_RANK[cast.castcontext]!) {
      result = cast.castmethod === 'f' ? { method: 'func', funcid: cast.castfunc } : cast.castmethod === 'i' ? VIA_IO : RELABEL;
    }
  } else {
    if (target !== T.OIDVECTOROID && target !== T.INT2VECTOROID) {
      const targetElement = getElementType(target);
      const sourceElement = targetElement === 0 ? 0 : getElementType(source);
      if (targetElement !== 0 && sourceElement !== 0 && findCoercionPathway(targetElement, sourceElement, context) !== null) result = ARRAY;
    }
    if (result === null) {
      if (RANK[context] >= RANK.assignment && typeCategory(target) === 'S') result = VIA_IO;
      else if (RANK[context] >= RANK.explicit && typeCategory(source) === 'S') result = VIA_IO;
    }
  }
  return result === null && context === 'plpgsql' ? VIA_IO : result;
}

/** The function that enforces a typmod of this type; null when there is none. */
export function findTypmodCoercionFunction(type: Oid): CoercionPath | null {
  const row = getType(type);
  const element = getElementType(type);
  const scalar = element !== 0 ? element : row.oid;
  const cast = sys.castBySourceTarget(scalar, scalar);
  if (cast === undefined || cast.castfunc === 0) return null;
  return element !== 0 ? { method: 'array', funcid: cast.castfunc } : { method: 'func', funcid: cast.castfunc };
}

const F_INT4_INT2 = 313;

function buildCoercionExpression(
  node: Expr, path: CoercionPath, targetType: Oid, targetTypmod: number, context: CoercionContext, format: CoercionForm, location: number,
): Expr {
  if (path.method === 'func') {
    const proc = sys.procByOid(path.funcid);
    if (proc === undefined) throw internalError(`cache lookup failed for function ${path.funcid}`);
    const args: Expr[] = [node];
    if (proc.pronargs >= 2) args.push(makeConst(T.INT4OID, -1, 0, targetTypmod));
    if (proc.pronargs === 3) args.push(makeConst(T.BOOLOID, -1, 0, context === 'explicit'));
    // int4(int2) makes an oid of a smallint, too: the sign is another there.
    const asOid = path.funcid === F_INT4_INT2 && targetType !== T.INT4OID;
    const call: Expr = { kind: 'FuncExpr', funcid: path.funcid, funcresulttype: asOid ? T.INT4OID : targetType, funcretset: false, funcvariadic: false, funcformat: asOid ? 'implicit_cast' : format, funccollid: 0, inputcollid: 0, args, location };
    return asOid ? { kind: 'RelabelType', arg: call, resulttype: targetType, resulttypmod: -1, resultcollid: 0, relabelformat: format, location } : call;
  }
  if (path.method === 'array') {
    const sourceBase = getBaseTypeAndTypmod(exprType(node), exprTypmod(node));
    const sourceElement = getElementType(sourceBase.type);
    const target: CaseTestExpr = { kind: 'CaseTestExpr', typeId: sourceElement, typeMod: sourceBase.typmod, collation: 0 };
    const targetElement = getElementType(targetType);
    const elemexpr = coerceToTargetType(null, target, sourceElement, targetElement, targetTypmod, context, format, location);
    if (elemexpr === null) throw internalError('failed to coerce array element type as expected');
    return { kind: 'ArrayCoerceExpr', arg: node, elemexpr, resulttype: targetType, resulttypmod: exprTypmod(elemexpr), resultcollid: 0, coerceformat: format, location };
  }
  if (path.method === 'viaio') return { kind: 'CoerceViaIO', arg: node, resulttype: targetType, resultcollid: 0, coerceformat: format, location };
  throw internalError('unsupported coercion method');
}

export const isComplex = (type: Oid): boolean => type !== T.RECORDOID && typeOrDomainTypeRelid(type) !== 0;
function isComplexArray(type: Oid): boolean {
  const element = getElementType(type);
  return element !== 0 && isComplex(element);
}

/** ROW(...) or a whole-row Var of type record to a named row type, column by column. */
function coerceRecordToComplex(state: ParseState | null, node: Expr, targetType: Oid, context: CoercionContext, format: CoercionForm, location: number): Expr {
  let args: readonly Expr[];
  if (node.kind === 'RowExpr') args = node.args;
  else if (node.kind === 'Var' && node.varattno === 0 && state !== null) {
    args = expandNamespaceItemVars(getNamespaceItemByRangeTablePosn(state, node.varno, node.varlevelsup), node.varlevelsup, node.location).vars;
  } else throw cannotCast(state, T.RECORDOID, targetType, undefined, parserCoercionLocation(location, node));
  const base = getBaseType(targetType);
  const attributes = sys.attributesOf(typeOrDomainTypeRelid(base)).filter((a) => a.attnum > 0);
  const result: Expr[] = [];
  let next = 0;
  for (const attribute of attributes) {
    if (attribute.attisdropped) {
      result.push(makeNullConst(T.INT4OID, -1, 0));
      continue;
    }
    const arg = args[next];
    if (arg === undefined) throw cannotCast(state, T.RECORDOID, targetType, 'Input has too few columns.', parserCoercionLocation(location, node));
    next++;
    const type = exprType(arg);
    const coerced = coerceToTargetType(state, arg, type, attribute.atttypid, attribute.atttypmod, context, 'implicit_cast', -1);
    if (coerced === null) {
      throw cannotCast(state, T.RECORDOID, targetType, `Cannot cast type ${formatType(type)} to ${formatType(attribute.atttypid)} in column ${next}.`, parserCoercionLocation(location, arg));
    }
    result.push(coerced);
  }
  if (next < args.length) throw cannotCast(state, T.RECORDOID, targetType, 'Input has too many columns.', parserCoercionLocation(location, node));
  const row: RowExpr = { kind: 'RowExpr', args: result, row_typeid: base, row_format: format, colnames: [], location };
  return base === targetType ? row : coerceToDomain({ ...row, row_format: 'implicit_cast' }, base, -1, targetType, context, format, location, false);
}

function cannotCast(state: ParseState | null, from: Oid, to: Oid, detail: string | undefined, location: number): PgError {
  return parserError(state, 'cannot_coerce', `cannot cast type ${formatType(from)} to ${formatType(to)}`, location, { detail });
}

/** Where to point at when a coercion fails: at the cast, or else at the input. */
export function parserCoercionLocation(location: number, input: Expr): number {
  return location >= 0 ? location : exprLocation(input);
}

/** Whether a row type belongs to a table that inherits from that of the other (typeInheritsFrom). */
export function typeInheritsFrom(subclass: Oid, superclass: Oid): boolean {
  const sub = typeOrDomainTypeRelid(subclass);
  if (sub === 0) return false;
  const sup = getType(superclass).typrelid;
  if (sup === 0) return false;
  if (sub === sup) return true;
  if (sys.classByOid(sup)?.relhassubclass !== true) return false;
  const queue = [sub];
  const seen = new Set(queue);
  for (let i = 0; i < queue.length; i++) {
    for (const link of sys.parentsOf(queue[i]!)) {
      if (link.inhparent === sup) return true;
      if (!seen.has(link.inhparent)) {
        seen.add(link.inhparent);
        queue.push(link.inhparent);
      }
    }
  }
  return false;
}

/** Whether a row type is that of a table of the other type (typeIsOfTypedTable). */
function isOfTypedTable(rowType: Oid, ofType: Oid): boolean {
  const relation = typeOrDomainTypeRelid(rowType);
  return relation !== 0 && sys.classByOid(relation)?.reloftype === ofType;
}

// ---- the common requests -------------------------------------------------------------------------------------

/** For WHERE, HAVING, AND and the like. */
export function coerceToBoolean(state: ParseState | null, node: Expr, construct: string): Expr {
  return coerceToSpecificType(state, node, T.BOOLOID, construct);
}

/** Assignment-style conversion to a type that a clause demands; sets are refused. */
export function coerceToSpecificType(state: ParseState | null, node: Expr, target: Oid, construct: string, typmod = -1): Expr {
  const input = exprType(node);
  let result = node;
  if (input !== target) {
    const coerced = coerceToTargetType(state, node, input, target, typmod, 'assignment', 'implicit_cast', -1);
    if (coerced === null) {
      throw parserError(state, 'datatype_mismatch', `argument of ${construct} must be type ${formatType(target)}, not type ${formatType(input)}`, exprLocation(node));
    }
    result = coerced;
  }
  if (expressionReturnsSet(result)) throw parserError(state, 'datatype_mismatch', `argument of ${construct} must not return a set`, exprLocation(node));
  return result;
}

/** Whether evaluating it may give more than one row (expression_returns_set). */
export function expressionReturnsSet(node: Expr): boolean {
  return containsNode(node, (e) => (e.kind === 'FuncExpr' && e.funcretset) || (e.kind === 'OpExpr' && e.opretset));
}

export const coerceNullToDomain = (type: Oid, typmod: number, collation: Oid): Expr => {
  const base = getBaseTypeAndTypmod(type, typmod);
  const result = makeNullConst(base.type, base.typmod, collation);
  return base.type === type ? result : coerceToDomain(result, base.type, base.typmod, type, 'implicit', 'implicit_cast', -1, false);
};

/**
 * The type that all of these can be converted to (UNION, CASE, VALUES, COALESCE, ARRAY, ...), by PostgreSQL's rules.
 * With `context` null an impossible choice gives 0, else an error that names the context.
 */
export function selectCommonType(state: ParseState | null, exprs: readonly Expr[], context: string | null): { type: Oid; which: Expr } {
  let which = exprs[0]!;
  let type = exprType(which);
  if (type !== T.UNKNOWNOID) {
    let all = true;
    for (let i = 1; i < exprs.length && all; i++) if (exprType(exprs[i]!) !== type) all = false;
    if (all) return { type, which };
  }
  type = getBaseType(type);
  let category = typeCategory(type);
  let preferred = isPreferredType(category, type);
  for (let i = 1; i < exprs.length; i++) {
    const e = exprs[i]!;
    const next = getBaseType(exprType(e));
    if (next === T.UNKNOWNOID || next === type) continue;
    const nextCategory = typeCategory(next);
    if (type === T.UNKNOWNOID) {
      which = e; type = next; category = nextCategory; preferred = isPreferredType(nextCategory, next);
    } else if (nextCategory !== category) {
      if (context === null) return { type: 0, which };
      throw parserError(state, 'datatype_mismatch', `${context} types ${formatType(type)} and ${formatType(next)} cannot be matched`, exprLocation(e));
    } else if (!preferred && canCoerceType([type], [next], 'implicit') && !canCoerceType([next], [type], 'implicit')) {
      which = e; type = next; category = nextCategory; preferred = isPreferredType(nextCategory, next);
    }
  }
  if (type === T.UNKNOWNOID) type = T.TEXTOID;
  return { type, which };
}

/** Converts one of the inputs to the type selectCommonType chose. */
export function coerceToCommonType(state: ParseState | null, node: Expr, target: Oid, context: string): Expr {
  const input = exprType(node);
  if (input === target) return node;
  if (!canCoerceType([input], [target], 'implicit')) {
    throw parserError(state, 'cannot_coerce', `${context} could not convert type ${formatType(input)} to ${formatType(target)}`, exprLocation(node));
  }
  return coerceType(state, node, input, target, -1, 'implicit', 'implicit_cast', -1);
}

/** The typmod all share, else -1. */
export function selectCommonTypmod(exprs: readonly Expr[], type: Oid): number {
  let result: number | undefined;
  for (const e of exprs) {
    if (exprType(e) !== type) return -1;
    const typmod = exprTypmod(e);
    if (result === undefined) result = typmod;
    else if (result !== typmod) return -1;
  }
  return result ?? -1;
}

Object.assign(recursion, { canCoerceType, typeCategory });
