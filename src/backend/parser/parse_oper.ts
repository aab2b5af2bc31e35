// Operators: which pg_operator row an expression means, and the nodes made of it (parse_oper.c).
import { PgError } from '../../common/errors.ts';
import { getArrayType, getBaseType, getElementType, getSortGroupOperators as sortGroupOperators, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { operatorCandidates, operatorNameGetOprid } from '../catalog/func_candidates.ts';
import type { PgOperator } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, OpExpr, ScalarArrayOpExpr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { catalogVersionKey } from './parse_cache.ts';
import { enforceGenericTypeConsistency, isPolymorphic } from './parse_generic.ts';
import { parserError, type ParseState, withErrorPosition } from './parse_node.ts';
import { funcMatchArgtypes, funcSelectCandidate, makeFnArguments, checkSrfCallPlacement } from './parse_func.ts';
import { formatType, lookupTypeName, typeNameToString } from './parse_type.ts';
import type { RawNode } from './raw_parser.ts';

/** "left op right" as in messages. */
function opSignature(name: readonly string[], left: Oid, right: Oid): string {
  const op = name.join('.');
  return left === 0 ? `${op} ${formatType(right)}` : `${formatType(left)} ${op} ${formatType(right)}`;
}

function opError(state: ParseState | null, name: readonly string[], left: Oid, right: Oid, ambiguous: boolean, location: number): PgError {
  if (ambiguous) {
    return parserError(state, 'ambiguous_function', `operator is not unique: ${opSignature(name, left, right)}`, location,
      { hint: 'Could not choose a best candidate operator. You might need to add explicit type casts.' });
  }
  return parserError(state, 'undefined_function', `operator does not exist: ${opSignature(name, left, right)}`, location, {
    hint: left === 0 ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.'
      : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
  });
}

const cache = new Map<string, PgOperator>();
let cacheKey: unknown = null;

/** The binary operator for these argument types; with noError undefined when there is none. */
export function oper(state: ParseState | null, name: readonly string[], left: Oid, right: Oid, noError: boolean, location: number): PgOperator | undefined {
  const key = catalogVersionKey();
  if (key !== cacheKey) {
    cache.clear();
    cacheKey = key;
  }
  const text = name.length === 1 ? `${name[0]} ${left} ${right}` : `${name.join('\0')} ${left} ${right}`;
  const known = cache.get(text);
  if (known !== undefined) return known;
  let ambiguous = false;
  let oid = binaryExact(name, left, right);
  if (oid === 0) {
    const inputs = [left === 0 ? right : left, right === 0 ? left : right];
    const candidates = withErrorPosition(state, location, () => operatorCandidates(name, 'b')).map((c) => ({ oid: c.oid, args: [c.left, c.right] }));
    const matching = funcMatchArgtypes(inputs, candidates);
    if (matching.length === 1) oid = matching[0]!.oid;
    else if (matching.length > 1) {
      oid = funcSelectCandidate(inputs, matching)?.oid ?? 0;
      ambiguous = oid === 0;
    }
  }
  const row = oid === 0 ? undefined : sys.operatorByOid(oid);
  if (row === undefined) {
    if (noError) return undefined;
    throw opError(state, name, left, right, ambiguous, location);
  }
  cache.set(text, row);
  return row;
}

/** An operator that takes exactly these types, unknown standing for the other's, a domain for its base type. */
function binaryExact(name: readonly string[], left: Oid, right: Oid): Oid {
  let wasUnknown = false;
  if (left === T.UNKNOWNOID && right !== 0) {
    left = right;
    wasUnknown = true;
  } else if (right === T.UNKNOWNOID && left !== 0) {
    right = left;
    wasUnknown = true;
  }
  const exact = operatorNameGetOprid(name, left, right);
  if (exact !== 0) return exact;
  if (wasUnknown) {
    const base = getBaseType(left);
    if (base !== left) return operatorNameGetOprid(name, base, base);
  }
  return 0;
}

/** The prefix operator for this argument type. */
export function leftOper(state: ParseState | null, name: readonly string[], arg: Oid, noError: boolean, location: number): PgOperator | undefined {
  let oid = operatorNameGetOprid(name, 0, arg);
  let ambiguous = false;
  if (oid === 0) {
    const candidates = withErrorPosition(state, location, () => operatorCandidates(name, 'l')).map((c) => ({ oid: c.oid, args: [c.right] }));
    const matching = funcMatchArgtypes([arg], candidates);
    if (matching.length === 1) oid = matching[0]!.oid;
    else if (matching.length > 1) {
      oid = funcSelectCandidate([arg], matching)?.oid ?? 0;
      ambiguous = oid === 0;
    }
  }
  const row = oid === 0 ? undefined : sys.operatorByOid(oid);
  if (row === undefined && !noError) throw opError(state, name, 0, arg, ambiguous, location);
  return row;
}

/** An operator by its exact types, or an error (LookupOperName; used by DDL and ORDER BY ... USING). */
export function lookupOperName(state: ParseState | null, name: readonly string[], left: Oid, right: Oid, noError: boolean, location: number): Oid {
  const oid = operatorNameGetOprid(name, left, right);
  if (oid !== 0 || noError) return oid;
  if (right === 0) throw parserError(state, 'syntax_error', 'postfix operators are not supported', location);
  throw parserError(state, 'undefined_function', `operator does not exist: ${opSignature(name, left, right)}`, location);
}

/** An operator with its argument types (LookupOperWithArgs). */
export function lookupOperWithArgs(object: RawNode, noError: boolean): Oid {
  const [left, right] = (object.objargs as (RawNode | null)[]).map((t) => {
    if (t === null) return 0;
    const found = lookupTypeName(null, t, noError);
    if (found === undefined && !noError) throw new PgError('undefined_object', `type "${typeNameToString(t)}" does not exist`);
    return found?.type.oid ?? 0;
  });
  return lookupOperName(null, object.objname as string[], left ?? 0, right ?? 0, noError, -1);
}

/** Like oper(), and the inputs must be binary compatible with it. */
export function compatibleOper(state: ParseState | null, name: readonly string[], left: Oid, right: Oid, noError: boolean, location: number): PgOperator | undefined {
  const op = oper(state, name, left, right, noError, location);
  if (op === undefined) return undefined;
  if (isBinaryCoercible(left, op.oprleft) && isBinaryCoercible(right, op.oprright)) return op;
  if (noError) return undefined;
  throw parserError(state, 'undefined_function', `operator requires run-time type coercion: ${opSignature(name, left, right)}`, location);
}

/** The < = > of a type, for ORDER BY and GROUP BY. */
export function getSortGroupOperators(type: Oid, needLt: boolean, needEq: boolean, needGt: boolean): { lt: Oid; eq: Oid; gt: Oid; hashable: boolean } {
  return sortGroupOperators(type, needLt, needEq, needGt, formatType);
}

/** Makes an operator expression; `left` null for a prefix operator. */
export function makeOp(state: ParseState, name: readonly string[], left: Expr | null, right: Expr, lastSrf: Expr | null, location: number): Expr {
  const rightType = exprType(right);
  const leftType = left === null ? 0 : exprType(left);
  const op = left === null ? leftOper(state, name, rightType, false, location)! : oper(state, name, leftType, rightType, false, location)!;
  if (op.oprcode === 0) {
    throw parserError(state, 'undefined_function', `operator is only a shell: ${opSignature(name, op.oprleft, op.oprright)}`, location);
  }
  const args = left === null ? [right] : [left, right];
  const actual = left === null ? [rightType] : [leftType, rightType];
  const declared = left === null ? [op.oprright] : [op.oprleft, op.oprright];
  const rettype = enforceGenericTypeConsistency(actual, declared, op.oprresult, false);
  const coerced = makeFnArguments(state, args, actual, declared);
  const result: OpExpr = {
    kind: 'OpExpr', opno: op.oid, opfuncid: op.oprcode, opresulttype: rettype, opretset: sys.procByOid(op.oprcode)?.proretset ?? false,
    opcollid: 0, inputcollid: 0, args: coerced, location,
  };
  if (result.opretset) {
    checkSrfCallPlacement(state, lastSrf, location);
    state.lastSrf = result;
  }
  return result;
}

/** scalar op ANY/ALL (array). */
export function makeScalarArrayOp(state: ParseState, name: readonly string[], useOr: boolean, left: Expr, right: Expr, location: number): Expr {
  const leftType = exprType(left);
  const arrayType = exprType(right);
  let elementType: Oid;
  if (arrayType === T.UNKNOWNOID) elementType = T.UNKNOWNOID;
  else {
    elementType = getElementType(getBaseType(arrayType));
    if (elementType === 0) throw parserError(state, 'wrong_object_type', 'op ANY/ALL (array) requires array on right side', location);
  }
  const op = oper(state, name, leftType, elementType, false, location)!;
  if (op.oprcode === 0) throw parserError(state, 'undefined_function', `operator is only a shell: ${opSignature(name, op.oprleft, op.oprright)}`, location);
  const actual = [leftType, elementType];
  const declared = [op.oprleft, op.oprright];
  const rettype = enforceGenericTypeConsistency(actual, declared, op.oprresult, false);
  if (rettype !== T.BOOLOID) throw parserError(state, 'wrong_object_type', 'op ANY/ALL (array) requires operator to yield boolean', location);
  if (sys.procByOid(op.oprcode)?.proretset === true) throw parserError(state, 'wrong_object_type', 'op ANY/ALL (array) requires operator not to return a set', location);
  // Back to the array on the right; a polymorphic operator takes it as it is.
  let declaredArray = arrayType;
  if (!isPolymorphic(declared[1]!)) {
    declaredArray = getArrayType(declared[1]!);
    if (declaredArray === 0) throw parserError(state, 'undefined_object', `could not find array type for data type ${formatType(declared[1]!)}`, location);
  }
  const args = makeFnArguments(state, [left, right], [leftType, arrayType], [declared[0]!, declaredArray]);
  const result: ScalarArrayOpExpr = { kind: 'ScalarArrayOpExpr', opno: op.oid, opfuncid: op.oprcode, useOr, inputcollid: 0, args: args as [Expr, Expr], location };
  return result;
}
