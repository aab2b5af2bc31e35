// $1, $2, ...: with types given beforehand, or found from how they are used (parse_param.c).
import { getTypCollation } from '../catalog/lsyscache.ts';
import type { Query } from '../nodes/parsenodes.ts';
import { expressionTreeWalker, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Expr, Param } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { UNKNOWNOID, VOIDOID } from '../types/oids.ts';
import { parserError, type ParseState } from './parse_node.ts';
import { formatType } from './parse_type.ts';

const MAX_PARAMS = 65535;

function makeParam(paramid: number, paramtype: Oid, location: number): Param {
  return { kind: 'Param', paramkind: 'extern', paramid, paramtype, paramtypmod: -1, paramcollid: paramtype === UNKNOWNOID ? 0 : getTypCollation(paramtype), location };
}

/** Only these parameters exist. */
export function setupParseFixedParameters(state: ParseState, types: readonly Oid[]): void {
  state.paramRefHook = (s, ref) => {
    const number = (ref.number as number | undefined) ?? 0;
    const type = types[number - 1];
    if (number <= 0 || number > types.length || type === undefined || type === 0) throw parserError(s, 'undefined_parameter', `there is no parameter $${number}`, ref.location);
    return makeParam(number, type, ref.location ?? -1);
  };
}

/** Parameters come into being as they are used; `types` grows and gets the types that are found out. */
export function setupParseVariableParameters(state: ParseState, types: Oid[]): void {
  state.paramRefHook = (s, ref) => {
    const number = (ref.number as number | undefined) ?? 0;
    if (number <= 0 || number > MAX_PARAMS) throw parserError(s, 'undefined_parameter', `there is no parameter $${number}`, ref.location);
    while (types.length < number) types.push(0);
    const given = types[number - 1]!;
    // JDBC calls procedures as it calls functions: what only comes back it gives as void.
    if (given === 0 || (given === VOIDOID && s.exprKind === 'call_argument')) types[number - 1] = UNKNOWNOID;
    return makeParam(number, types[number - 1]!, ref.location ?? -1);
  };
  state.coerceParamHook = (s, param, targetType, targetTypmod, location) => {
    if (param.paramkind !== 'extern' || param.paramtype !== UNKNOWNOID) return null;
    const known = types[param.paramid - 1];
    if (known === undefined) throw parserError(s, 'undefined_parameter', `there is no parameter $${param.paramid}`, param.location);
    if (known === UNKNOWNOID) types[param.paramid - 1] = targetType;
    else if (known !== targetType) {
      throw parserError(s, 'ambiguous_parameter', `inconsistent types deduced for parameter $${param.paramid}`, param.location,
        { detail: `${formatType(known)} versus ${formatType(targetType)}` });
    }
    void targetTypmod;
    return { ...param, paramtype: targetType, paramtypmod: -1, paramcollid: getTypCollation(targetType), location: leftmost(param.location, location) };
  };
}

function leftmost(a: number, b: number): number {
  return b >= 0 && (a < 0 || b < a) ? b : a;
}

/** After analysis: a parameter must not have been used with two types. */
export function checkVariableParameters(state: ParseState, query: Query, types: readonly Oid[]): void {
  if (types.length === 0) return;
  queryDeep(query, (param) => {
    const known = types[param.paramid - 1];
    if (known !== undefined && known !== param.paramtype) {
      throw parserError(state, 'ambiguous_parameter', `could not determine data type of parameter $${param.paramid}`, param.location);
    }
  });
}

function queryDeep(query: Query, visit: (param: Param) => void): void {
  const walker = (node: Expr | Query): boolean => {
    if (node.kind === 'Query') return queryTreeWalker(node, walker);
    if (node.kind === 'Param' && node.paramkind === 'extern') visit(node);
    return expressionTreeWalker(node, walker);
  };
  queryTreeWalker(query, walker);
}
