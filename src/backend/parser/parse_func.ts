// Function calls: which pg_proc row is meant (or which column, or which cast), and the node made of it
// (parse_func.c).
import { PgError, internalError } from '../../common/errors.ts';
import { functionCandidates, type FuncCandidate } from '../catalog/func_candidates.ts';
import { getArrayType, getBaseType, getType, isPreferredType } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeFuncExpr } from '../nodes/makefuncs.ts';
import { exprLocation, exprType } from '../nodes/nodeFuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Aggref, ArrayExpr, CoercionForm, Expr, FieldSelect, FuncExpr, WindowFunc } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { FUNC_MAX_ARGS } from '../catalog/pg_proc.ts';
import { canCoerceType, coerceType, findCoercionPathway, isComplex, selectCommonType, selectCommonTypmod, typeCategory } from './parse_coerce.ts';
import { columnsOfRowType, getExprResultType } from './func_result.ts';
import { enforceGenericTypeConsistency } from './parse_generic.ts';
import { parserError, type ParseExprKind, type ParseState, withErrorPosition } from './parse_node.ts';
import { getNamespaceItemByRangeTablePosn, scanNamespaceItemForColumn } from './parse_relation.ts';
import { formatType, lookupTypeName, typeNameToString } from './parse_type.ts';
import type { RawNode } from './raw_parser.ts';
import { recursion } from './recursion.ts';


// ---- choosing among candidates -------------------------------------------------------------------------------

interface Candidate { oid: Oid; args: readonly Oid[] }

/** Those candidates whose arguments the inputs can be coerced to implicitly. */
export function funcMatchArgtypes<C extends Candidate>(inputs: readonly Oid[], candidates: readonly C[]): C[] {
  return candidates.filter((c) => canCoerceType(inputs, c.args.length === inputs.length ? c.args : c.args.slice(0, inputs.length), 'implicit'));
}

/** The best of several candidates by PostgreSQL's rules; undefined when none is best. */
export function funcSelectCandidate<C extends Candidate>(inputTypes: readonly Oid[], candidates: readonly C[]): C | undefined {
  const nargs = inputTypes.length;
  if (nargs > FUNC_MAX_ARGS) throw new PgError('too_many_arguments', `cannot pass more than ${FUNC_MAX_ARGS} arguments to a function`);
  let unknowns = 0;
  const inputs = inputTypes.map((type) => {
    if (type === T.UNKNOWNOID) {
      unknowns++;
      return type;
    }
    return getBaseType(type);
  });
  const bestBy = (list: readonly C[], score: (c: C) => number): C[] => {
    let best = 0;
    let kept: C[] = [];
    for (const c of list) {
      const n = score(c);
      if (n > best || kept.length === 0) {
        best = n;
        kept = [c];
      } else if (n === best) kept.push(c);
    }
    return kept;
  };
  // Most exact matches on known types.
  let left = bestBy(candidates, (c) => {
    let n = 0;
    for (let i = 0; i < nargs; i++) if (inputs[i] !== T.UNKNOWNOID && c.args[i] === inputs[i]) n++;
    return n;
  });
  if (left.length === 1) return left[0];
  // Most exact matches or preferred types.
  const categories = inputs.map((type) => typeCategory(type));
  left = bestBy(left, (c) => {
    let n = 0;
    for (let i = 0; i < nargs; i++) {
      if (inputs[i] !== T.UNKNOWNOID && (c.args[i] === inputs[i] || isPreferredType(categories[i]!, c.args[i]!))) n++;
    }
    return n;
  });
  if (left.length === 1) return left[0];
  if (unknowns === 0) return undefined;
  // Unknown inputs: a category each, string if any candidate takes it, else the one all agree on.
  const slotCategory: string[] = [];
  const slotPreferred: boolean[] = [];
  let resolved = true;
  for (let i = 0; i < nargs && resolved; i++) {
    slotCategory[i] = '';
    slotPreferred[i] = false;
    if (inputs[i] !== T.UNKNOWNOID) continue;
    let conflict = false;
    for (const c of left) {
      const { typcategory, typispreferred } = getType(c.args[i]!);
      if (slotCategory[i] === '') {
        slotCategory[i] = typcategory;
        slotPreferred[i] = typispreferred;
      } else if (typcategory === slotCategory[i]) slotPreferred[i] ||= typispreferred;
      else if (typcategory === 'S') {
        slotCategory[i] = 'S';
        slotPreferred[i] = typispreferred;
      } else conflict = true;
    }
    if (conflict && slotCategory[i] !== 'S') resolved = false;
  }
  if (resolved) {
    const kept = left.filter((c) => {
      for (let i = 0; i < nargs; i++) {
        if (inputs[i] !== T.UNKNOWNOID) continue;
        const { typcategory, typispreferred } = getType(c.args[i]!);
        if (typcategory !== slotCategory[i]) return false;
        if (slotPreferred[i] && !typispreferred) return false;
      }
      return true;
    });
    if (kept.length > 0) left = kept;
    if (left.length === 1) return left[0];
  }
  // If the known types are all the same, take the unknowns for that type.
  if (unknowns < nargs) {
    let known: Oid = T.UNKNOWNOID;
    for (const type of inputs) {
      if (type === T.UNKNOWNOID) continue;
      if (known === T.UNKNOWNOID) known = type;
      else if (known !== type) {
        known = T.UNKNOWNOID;
        break;
      }
    }
    if (known !== T.UNKNOWNOID) {
      const same = inputs.map(() => known);
      const kept = left.filter((c) => canCoerceType(same, c.args.slice(0, nargs), 'implicit'));
      if (kept.length === 1) return kept[0];
    }
  }
  return undefined;
}

export type FuncDetailCode = 'notfound' | 'multiple' | 'normal' | 'procedure' | 'aggregate' | 'window' | 'coercion';
export interface FuncDetail {
  code: FuncDetailCode; funcid: Oid; rettype: Oid; retset: boolean; nvargs: number; vatype: Oid; trueTypes: Oid[]; argdefaults: Expr[];
  argnumbers: readonly number[] | null;
}
const nothing = (code: FuncDetailCode): FuncDetail => ({ code, funcid: 0, rettype: 0, retset: false, nvargs: 0, vatype: 0, trueTypes: [], argdefaults: [], argnumbers: null });

/** Finds the function a call means (func_get_detail). `fargs` is null when only types are known. */
export function funcGetDetail(
  funcname: readonly string[], fargs: readonly Expr[] | null, fargnames: readonly string[], argtypes: readonly Oid[], expandVariadic: boolean, expandDefaults: boolean, includeOut: boolean,
): FuncDetail {
  const nargs = argtypes.length;
  const raw = functionCandidates(funcname, nargs, { argnames: fargnames, expandVariadic, expandDefaults, includeOutArguments: includeOut, missingOk: false });
  let best: FuncCandidate | undefined = raw.find((c) => c.args.length >= nargs && argtypes.every((type, i) => c.args[i] === type));
  if (best === undefined) {
    // f(x) may also mean a cast to a type named f.
    if (nargs === 1 && fargs !== null && fargnames.length === 0) {
      const targetType = funcNameAsType(funcname);
      if (targetType !== 0) {
        const sourceType = argtypes[0]!;
        let isCoercion: boolean;
        if (sourceType === T.UNKNOWNOID && fargs[0]!.kind === 'Const') isCoercion = true;
        else {
          const path = findCoercionPathway(targetType, sourceType, 'explicit');
          isCoercion = path !== null && (path.method === 'relabel'
            || (path.method === 'viaio' && !((sourceType === T.RECORDOID || isComplex(sourceType)) && typeCategory(targetType) === 'S')));
        }
        if (isCoercion) return { ...nothing('coercion'), rettype: targetType, trueTypes: [targetType] };
      }
    }
    if (raw.length > 0) {
      const current = funcMatchArgtypes(argtypes, raw);
      if (current.length === 1) best = current[0];
      else if (current.length > 1) {
        best = funcSelectCandidate(argtypes, current);
        if (best === undefined) return nothing('multiple');
      }
    }
  }
  if (best === undefined) return nothing('notfound');
  if (best.oid === 0) return nothing('multiple');
  if (fargnames.length > 0 && best.argnumbers === null) return nothing('notfound');
  const proc = sys.procByOid(best.oid);
  if (proc === undefined) throw internalError(`cache lookup failed for function ${best.oid}`);
  const defaults = best.ndargs > 0 && proc.proargdefaults !== null ? stringToNode(proc.proargdefaults) as Expr[] : [];
  let argdefaults: Expr[] = [];
  if (best.ndargs > 0) {
    if (best.argnumbers !== null) {
      // Defaults by parameter number, in the order the call lacks them.
      const firstDefault = best.nominalnargs - proc.pronargdefaults;
      argdefaults = best.argnumbers.slice(nargs).map((n) => defaults[n - firstDefault]!);
    } else argdefaults = defaults.slice(defaults.length - best.ndargs);
  }
  const codes: Record<string, FuncDetailCode> = { a: 'aggregate', f: 'normal', p: 'procedure', w: 'window' };
  return {
    code: codes[proc.prokind] ?? 'normal', funcid: best.oid, rettype: proc.prorettype, retset: proc.proretset, nvargs: best.nvargs,
    vatype: proc.provariadic, trueTypes: best.args.slice(), argdefaults, argnumbers: best.argnumbers,
  };
}

/** The composite or scalar type a function name may stand for in f(x). */
function funcNameAsType(funcname: readonly string[]): Oid {
  const found = lookupTypeName(null, { tag: 'TypeName', names: [...funcname], typemod: -1 }, true, false);
  return found !== undefined && found.type.typisdefined && found.type.typrelid === 0 ? found.type.oid : 0;
}

/** "f(integer, x => text)" for messages (func_signature_string). */
export function funcSignatureString(funcname: readonly string[], argtypes: readonly Oid[], argnames: readonly string[] = []): string {
  const positional = argtypes.length - argnames.length;
  const list = argtypes.map((type, i) => i >= positional ? `${argnames[i - positional]} => ${formatType(type)}` : formatType(type));
  return `${funcname.join('.')}(${list.join(', ')})`;
}

/** Converts arguments to the declared types of the function. */
export function makeFnArguments(state: ParseState, args: readonly Expr[], actual: readonly Oid[], declared: readonly Oid[]): Expr[] {
  return args.map((arg, i) => {
    if (actual[i] === declared[i]) return arg;
    if (arg.kind === 'NamedArgExpr') {
      return { ...arg, arg: coerceType(state, arg.arg, actual[i]!, declared[i]!, -1, 'implicit', 'implicit_cast', -1) };
    }
    return coerceType(state, arg, actual[i]!, declared[i]!, -1, 'implicit', 'implicit_cast', -1);
  });
}

// ---- calls ---------------------------------------------------------------------------------------------------

/**
 * Analyzes name(args). `fn` is the FuncCall of the grammar, or null for the notation arg.name, which may also be a
 * column of a composite value (then null is returned when it is neither).
 */
export function parseFuncOrColumn(
  state: ParseState, funcname: readonly string[], fargsIn: readonly Expr[], lastSrf: Expr | null, fn: RawNode | null, procCall: boolean, location: number,
): Expr | null {
  let fargs = fargsIn.slice();
  const isColumn = fn === null;
  const aggWithin = fn?.agg_within_group === true;
  const aggStar = fn?.agg_star === true;
  const aggDistinct = fn?.agg_distinct === true;
  let funcVariadic = fn?.func_variadic === true;
  const aggOrder = (fn?.agg_order as RawNode[] | undefined) ?? [];
  const over = fn?.over as RawNode | undefined;
  const couldBeProjection = isColumn || (!aggWithin && !aggStar && !aggDistinct && aggOrder.length === 0 && over === undefined && fn.agg_filter === undefined
    && !funcVariadic && funcname.length === 1 && fargs.length === 1 && fn.funcformat === 'COERCE_EXPLICIT_CALL');
  if (fargs.length > FUNC_MAX_ARGS) {
    throw parserError(state, 'too_many_arguments', `cannot pass more than ${FUNC_MAX_ARGS} arguments to a function`, location);
  }
  const aggFilter = fn?.agg_filter === undefined ? null : recursion.transformWhereClause(state, fn.agg_filter as RawNode, 'filter', 'FILTER');
  // Void literals of type unknown keep their type for now; count the rest.
  const actual: Oid[] = [];
  const kept: Expr[] = [];
  for (const arg of fargs) {
    const type = exprType(arg);
    // Parameters of type void are dropped: functions return them, nothing takes them.
    if (type === T.VOIDOID && arg.kind === 'Param' && !isColumn && !procCall) continue;
    actual.push(type);
    kept.push(arg);
  }
  fargs = kept;
  const argnames: string[] = [];
  for (const arg of fargs) {
    if (arg.kind === 'NamedArgExpr') {
      if (argnames.includes(arg.name)) throw parserError(state, 'syntax_error', `argument name "${arg.name}" used more than once`, arg.location);
      argnames.push(arg.name);
    } else if (argnames.length > 0) {
      throw parserError(state, 'syntax_error', 'positional argument cannot follow named argument', exprLocation(arg));
    }
  }
  const first = fargs[0];
  let firstType = 0;
  if (first !== undefined) firstType = actual[0]!;
  // A column of a composite value? With the column notation that comes first.
  if (couldBeProjection && isColumn && (firstType === T.RECORDOID || (firstType !== 0 && isComplex(firstType)))) {
    const projection = parseComplexProjection(state, funcname[0]!, first!, location);
    if (projection !== null) return projection;
  }
  const detail = withErrorPosition(state, location, () => funcGetDetail(funcname, fargs, argnames, actual, !funcVariadic, true, procCall));
  const name = funcname.join('.');
  const fail = (condition: 'wrong_object_type' | 'undefined_function' | 'syntax_error', message: string, hint?: string): PgError =>
    parserError(state, condition, message, location, { hint });
  if (detail.code === 'coercion') {
    if (isColumn) return null;
    if (aggOrder.length > 0 || over !== undefined || aggDistinct || aggFilter !== null || aggStar || aggWithin) throw notAggregate(fail, name, { aggStar, aggDistinct, aggOrder, aggFilter, over, aggWithin });
    return coerceType(state, first!, actual[0]!, detail.rettype, -1, 'explicit', 'explicit_call', location);
  }
  if (detail.code === 'normal' || detail.code === 'procedure' || detail.code === 'window' || detail.code === 'aggregate') {
    if (procCall ? detail.code !== 'procedure' : detail.code === 'procedure') {
      if (procCall) {
        throw parserError(state, 'wrong_object_type', `${funcSignatureString(funcname, actual, argnames)} is not a procedure`, location, { hint: 'To call a function, use SELECT.' });
      }
      throw parserError(state, 'wrong_object_type', `${funcSignatureString(funcname, actual, argnames)} is a procedure`, location, { hint: 'To call a procedure, use CALL.' });
    }
    if (detail.code === 'normal' || detail.code === 'procedure') {
      if (aggStar || aggDistinct || aggWithin || aggOrder.length > 0 || aggFilter !== null || over !== undefined) {
        throw notAggregate(fail, name, { aggStar, aggDistinct, aggOrder, aggFilter, over, aggWithin });
      }
    }
  }
  let aggkind: 'n' | 'o' | 'h' = 'n';
  if (detail.code === 'aggregate') {
    const agg = sys.aggregateByOid(detail.funcid);
    if (agg === undefined) throw internalError(`cache lookup failed for aggregate ${detail.funcid}`);
    aggkind = agg.aggkind as 'n' | 'o' | 'h';
    const signature = (): string => funcSignatureString(funcname, actual, argnames);
    if (aggkind !== 'n') {
      if (!aggWithin) throw fail('wrong_object_type', `WITHIN GROUP is required for ordered-set aggregate ${name}`);
      if (over !== undefined) throw parserError(state, 'feature_not_supported', `OVER is not supported for ordered-set aggregate ${name}`, location);
      if (aggDistinct) throw parserError(state, 'feature_not_supported', 'cannot use DISTINCT with WITHIN GROUP', location);
      const direct = fargs.length - aggOrder.length;
      if (agg.aggnumdirectargs !== direct && !(agg.aggnumdirectargs >= 0 && detail.vatype !== 0)) {
        throw parserError(state, 'undefined_function', `function ${signature()} does not exist`, location, {
          hint: `There is an ordered-set aggregate ${name}, but it requires ${agg.aggnumdirectargs} direct argument${agg.aggnumdirectargs === 1 ? '' : 's'}, not ${direct}.`,
        });
      }
      if (aggkind === 'h') {
        if (detail.nvargs > 1 && detail.nvargs !== 2 * aggOrder.length) {
          throw parserError(state, 'undefined_function', `function ${signature()} does not exist`, location, {
            hint: `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments (here ${detail.nvargs - aggOrder.length}) must match the number of ordering columns (here ${aggOrder.length}).`,
          });
        }
      } else if (detail.nvargs > aggOrder.length && agg.aggnumdirectargs < 0) {
        throw fail('undefined_function', `function ${signature()} does not exist`);
      }
    } else if (aggWithin) throw fail('wrong_object_type', `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
  } else if (detail.code === 'window') {
    if (over === undefined) throw fail('wrong_object_type', `window function ${name} requires an OVER clause`);
    if (aggWithin) throw fail('wrong_object_type', `window function ${name} cannot have WITHIN GROUP`);
  } else if (detail.code === 'multiple' || detail.code === 'notfound') {
    if (couldBeProjection && !isColumn && (firstType === T.RECORDOID || (firstType !== 0 && isComplex(firstType)))) {
      const projection = parseComplexProjection(state, funcname[0]!, first!, location);
      if (projection !== null) return projection;
    }
    if (isColumn) return null;
    throw cannotFind(state, detail.code, funcname, fargs, argnames, actual, procCall, aggOrder.length > 1 && !aggWithin, location);
  }
  // The arguments are converted, defaults added, and all put into the order of the parameters.
  if (argnames.length > 0) {
    fargs = fargs.map((arg) => arg.kind === 'NamedArgExpr' ? arg.arg : arg);
  }
  const nargsGiven = fargs.length;
  const actualAll = actual.slice();
  for (const d of detail.argdefaults) actualAll.push(exprType(d));
  const declaredAll = detail.trueTypes.slice(0, actualAll.length);
  const rettype = enforceGenericTypeConsistency(actualAll, declaredAll, detail.rettype, false);
  const declared = declaredAll.slice(0, nargsGiven);
  if (aggkind === 'h') unifyHypotheticalArgs(state, fargs, aggOrder.length, actual, declared);
  fargs = makeFnArguments(state, fargs, actual, declared);
  for (const [i, d] of detail.argdefaults.entries()) {
    const to = declaredAll[nargsGiven + i]!;
    const from = actualAll[nargsGiven + i]!;
    fargs.push(from === to ? d : coerceType(state, d, from, to, -1, 'implicit', 'implicit_cast', -1));
  }
  if (argnames.length > 0 || detail.argnumbers !== null) fargs = orderNamedArguments(fargs, detail.argnumbers);
  // An "any" VARIADIC parameter takes its arguments as they are, others as an array.
  if (detail.nvargs > 0 && detail.vatype !== T.ANYOID) {
    const nonVariadic = fargs.length - detail.nvargs;
    const elements = fargs.slice(nonVariadic);
    const elementType = exprType(elements[0]!);
    const arrayType = getArrayType(elementType);
    if (arrayType === 0) {
      throw parserError(state, 'undefined_object', `could not find array type for data type ${formatType(elementType)}`, exprLocation(elements[0]!));
    }
    const array: ArrayExpr = { kind: 'ArrayExpr', array_typeid: arrayType, array_collid: 0, element_typeid: elementType, elements, multidims: false, location: exprLocation(elements[0]!) };
    fargs = [...fargs.slice(0, nonVariadic), array];
    funcVariadic = true;
  }
  if (detail.nvargs === 0 && funcVariadic && detail.vatype === T.ANYOID) {
    const last = fargs[fargs.length - 1]!;
    const type = exprType(last);
    if (sys.typeByOid(getBaseType(type))?.typcategory !== 'A') {
      throw parserError(state, 'datatype_mismatch', 'VARIADIC argument must be an array', exprLocation(last));
    }
  }
  if (detail.retset) checkSrfCallPlacement(state, lastSrf, location);
  const format: CoercionForm = fn?.funcformat === 'COERCE_SQL_SYNTAX' ? 'sql_syntax' : 'explicit_call';
  if (detail.code === 'normal' || detail.code === 'procedure') {
    const call: FuncExpr = { ...makeFuncExpr(detail.funcid, rettype, fargs, 0, 0, format, location), funcretset: detail.retset, funcvariadic: funcVariadic };
    if (detail.argdefaults.length > 0 && detail.argnumbers === null && argnames.length === 0) call.defaulted = detail.argdefaults.length;
    if (argnames.length > 0 && detail.argnumbers !== null) call.written = { numbers: detail.argnumbers.slice(0, nargsGiven), names: argnames };
    if (detail.retset) state.lastSrf = call;
    return call;
  }
  if (detail.code === 'aggregate' && over === undefined) {
    if (fargs.length === 0 && !aggStar && !aggWithin) throw fail('wrong_object_type', `${name}(*) must be used to call a parameterless aggregate function`);
    if (detail.retset) throw parserError(state, 'invalid_function_definition', 'aggregates cannot return sets', location);
    if (argnames.length > 0) throw parserError(state, 'feature_not_supported', 'aggregates cannot use named arguments', location);
    const aggref: Aggref = {
      kind: 'Aggref', aggfnoid: detail.funcid, aggtype: rettype, aggcollid: 0, inputcollid: 0, aggtranstype: 0, aggargtypes: [], aggdirectargs: [],
      args: [], aggorder: [], aggdistinct: [], aggfilter: aggFilter, aggstar: aggStar, aggvariadic: funcVariadic, aggkind, agglevelsup: 0, location,
    };
    recursion.transformAggregateCall(state, aggref, fargs, aggOrder, aggDistinct);
    return aggref;
  }
  // A window function, or an aggregate used as one.
  if (fargs.length === 0 && detail.code === 'aggregate' && !aggStar) throw fail('wrong_object_type', `${name}(*) must be used to call a parameterless aggregate function`);
  if (aggDistinct) throw parserError(state, 'feature_not_supported', 'DISTINCT is not implemented for window functions', location);
  if (aggOrder.length > 0) throw parserError(state, 'feature_not_supported', 'aggregate ORDER BY is not implemented for window functions', location);
  if (aggFilter !== null && detail.code !== 'aggregate') throw parserError(state, 'feature_not_supported', 'FILTER is not implemented for non-aggregate window functions', location);
  if (state.lastSrf !== lastSrf) {
    throw parserError(state, 'feature_not_supported', 'window function calls cannot contain set-returning function calls', exprLocation(state.lastSrf!),
      { hint: 'You might be able to move the set-returning function into a LATERAL FROM item.' });
  }
  if (detail.retset) throw parserError(state, 'invalid_function_definition', 'window functions cannot return sets', location);
  const wfunc: WindowFunc = {
    kind: 'WindowFunc', winfnoid: detail.funcid, wintype: rettype, wincollid: 0, inputcollid: 0, args: fargs, aggfilter: aggFilter, winref: 0,
    winstar: aggStar, winagg: detail.code === 'aggregate', location,
  };
  recursion.transformWindowFuncCall(state, wfunc, over!);
  return wfunc;
}

/** The hypothetical arguments take the types of the sort columns they are compared with. */
function unifyHypotheticalArgs(state: ParseState, fargs: Expr[], aggregated: number, actual: Oid[], declared: readonly Oid[]): void {
  const direct = fargs.length - aggregated;
  const nonHypothetical = direct - aggregated;
  if (nonHypothetical < 0) throw internalError('incorrect number of arguments to hypothetical-set aggregate');
  for (let h = nonHypothetical; h < direct; h++) {
    const a = direct + (h - nonHypothetical);
    if (declared[h] !== T.ANYOID) continue;
    const { type } = selectCommonType(state, [fargs[a]!, fargs[h]!], 'WITHIN GROUP');
    const typmod = selectCommonTypmod([fargs[a]!, fargs[h]!], type);
    for (const i of [h, a]) {
      fargs[i] = coerceType(state, fargs[i]!, actual[i]!, type, typmod, 'implicit', 'implicit_cast', -1);
      actual[i] = type;
    }
  }
}

/** Puts the arguments of a call with names into the parameters' order. */
function orderNamedArguments(fargs: Expr[], argnumbers: readonly number[] | null): Expr[] {
  if (argnumbers === null) return fargs;
  const ordered: Expr[] = [];
  fargs.forEach((arg, i) => { ordered[argnumbers[i]!] = arg; });
  return ordered;
}

type Fail = (condition: 'wrong_object_type', message: string) => PgError;
interface AggSyntax { aggStar: boolean; aggDistinct: boolean; aggOrder: RawNode[]; aggFilter: Expr | null; over: RawNode | undefined; aggWithin: boolean }

function notAggregate(fail: Fail, name: string, s: AggSyntax): PgError {
  if (s.aggStar) return fail('wrong_object_type', `${name}(*) specified, but ${name} is not an aggregate function`);
  if (s.aggDistinct) return fail('wrong_object_type', `DISTINCT specified, but ${name} is not an aggregate function`);
  if (s.aggWithin) return fail('wrong_object_type', `WITHIN GROUP specified, but ${name} is not an aggregate function`);
  if (s.aggOrder.length > 0) return fail('wrong_object_type', `ORDER BY specified, but ${name} is not an aggregate function`);
  if (s.aggFilter !== null) return fail('wrong_object_type', `FILTER specified, but ${name} is not an aggregate function`);
  return fail('wrong_object_type', `OVER specified, but ${name} is not a window function nor an aggregate function`);
}

function cannotFind(
  state: ParseState, code: 'multiple' | 'notfound', funcname: readonly string[], fargs: readonly Expr[], argnames: readonly string[], actual: readonly Oid[], procCall: boolean, orderedAgg: boolean, location: number,
): PgError {
  void fargs;
  const noun = procCall ? 'procedure' : 'function';
  const signature = funcSignatureString(funcname, actual, argnames);
  if (code === 'multiple') {
    return parserError(state, 'ambiguous_function', `${noun} ${signature} is not unique`, location,
      { hint: `Could not choose a best candidate ${noun}. You might need to add explicit type casts.` });
  }
  if (orderedAgg) {
    return parserError(state, 'undefined_function', `function ${signature} does not exist`, location,
      { hint: 'No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.' });
  }
  return parserError(state, 'undefined_function', `${noun} ${signature} does not exist`, location,
    { hint: `No ${noun} matches the given name and argument types. You might need to add explicit type casts.` });
}

/** column of a composite value: a Var of a table's column, or a FieldSelect; null when there is no such column. */
export function parseComplexProjection(state: ParseState, colname: string, first: Expr, location: number): Expr | null {
  if (first.kind === 'Var' && first.varattno === 0) {
    const level = levelOf(state, first.varlevelsup);
    const nsitem = level.namespace.find((n) => n.rtindex === first.varno) === undefined ? null : getNamespaceItemByRangeTablePosn(state, first.varno, first.varlevelsup);
    if (nsitem !== null) return scanNamespaceItemForColumn(state, nsitem, first.varlevelsup, colname, location);
  }
  const columns = first.kind === 'Var' && first.vartype === T.RECORDOID ? recursion.expandRecordVariable(state, first, 0)
    : exprType(first) === T.RECORDOID ? getExprResultType(first).columns : columnsOfRowType(exprType(first));
  const i = columns.findIndex((c) => c.name === colname && !c.dropped);
  if (i < 0) return null;
  const column = columns[i]!;
  const select: FieldSelect = { kind: 'FieldSelect', arg: first, fieldnum: i + 1, resulttype: column.type, resulttypmod: column.typmod, resultcollid: column.collation };
  return select;
}

function levelOf(state: ParseState, levelsup: number): ParseState {
  let level = state;
  for (let i = 0; i < levelsup; i++) level = level.parent!;
  return level;
}

// ---- set-returning functions ---------------------------------------------------------------------------------

const SRF_REFUSED: Partial<Record<ParseExprKind, string>> = {
  join_on: 'set-returning functions are not allowed in JOIN conditions', join_using: 'set-returning functions are not allowed in JOIN conditions',
  where: '', having: '', filter: '',
  window_partition: 'window', window_order: 'window', window_frame_range: 'set-returning functions are not allowed in window definitions',
  window_frame_rows: 'set-returning functions are not allowed in window definitions', window_frame_groups: 'set-returning functions are not allowed in window definitions',
  update_source: '', update_target: '', insert_target: '', returning: '', values: '', limit: '', offset: '',
  merge_when: 'set-returning functions are not allowed in MERGE WHEN conditions',
  check_constraint: 'set-returning functions are not allowed in check constraints', domain_check: 'set-returning functions are not allowed in check constraints',
  column_default: 'set-returning functions are not allowed in DEFAULT expressions', function_default: 'set-returning functions are not allowed in DEFAULT expressions',
  index_expression: 'set-returning functions are not allowed in index expressions', index_predicate: 'set-returning functions are not allowed in index predicates',
  stats_expression: 'set-returning functions are not allowed in statistics expressions', alter_col_transform: 'set-returning functions are not allowed in transform expressions',
  execute_parameter: 'set-returning functions are not allowed in EXECUTE parameters', trigger_when: 'set-returning functions are not allowed in trigger WHEN conditions',
  partition_bound: 'set-returning functions are not allowed in partition bound', partition_expression: 'set-returning functions are not allowed in partition key expressions',
  policy: 'set-returning functions are not allowed in policy expressions', call_argument: 'set-returning functions are not allowed in CALL arguments',
  copy_where: 'set-returning functions are not allowed in COPY FROM WHERE conditions', generated_column: 'set-returning functions are not allowed in column generation expressions',
  cycle_mark: '',
};
const CLAUSE_NAME: Partial<Record<ParseExprKind, string>> = {
  where: 'WHERE', having: 'HAVING', filter: 'FILTER', update_source: 'UPDATE', update_target: 'UPDATE', insert_target: 'INSERT', returning: 'RETURNING', values: 'VALUES',
  limit: 'LIMIT', offset: 'OFFSET', cycle_mark: 'CYCLE',
};

/** Whether a set-returning function may stand here; errors as PostgreSQL's. */
export function checkSrfCallPlacement(state: ParseState, lastSrf: Expr | null, location: number): void {
  const kind = state.exprKind;
  switch (kind) {
    case 'none': case 'other': case 'from_subselect': return;
    case 'from_function':
      if (state.lastSrf !== lastSrf) {
        throw parserError(state, 'feature_not_supported', 'set-returning functions must appear at top level of FROM', exprLocation(state.lastSrf!));
      }
      return;
    case 'select_target': case 'order_by': case 'group_by': case 'distinct_on': case 'values_single':
      state.hasTargetSRFs = true;
      return;
    case 'window_partition': case 'window_order':
      state.hasTargetSRFs = true;
      return;
    default: {
      const message = SRF_REFUSED[kind];
      if (message !== undefined && message !== '') throw parserError(state, 'feature_not_supported', message, location);
      throw parserError(state, 'feature_not_supported', `set-returning functions are not allowed in ${CLAUSE_NAME[kind] ?? kind}`, location);
    }
  }
}

// ---- look-ups for DDL ----------------------------------------------------------------------------------------

/** The function with exactly these argument types (LookupFuncName); 0 with missingOk when there is none. */
export function lookupFuncName(funcname: readonly string[], argtypes: readonly Oid[] | null, missingOk: boolean): Oid {
  const candidates = functionCandidates(funcname, argtypes === null ? -1 : argtypes.length, { missingOk });
  if (argtypes === null) {
    if (candidates.length > 1) {
      throw new PgError('ambiguous_function', `function name "${funcname.join('.')}" is not unique`, { hint: 'Specify the argument list to select the function unambiguously.' });
    }
    if (candidates.length === 1) return candidates[0]!.oid;
    if (missingOk) return 0;
    throw new PgError('undefined_function', `could not find a function named "${funcname.join('.')}"`);
  }
  const found = candidates.find((c) => c.args.length === argtypes.length && c.args.every((t, i) => t === argtypes[i]));
  if (found !== undefined) return found.oid;
  if (missingOk) return 0;
  throw new PgError('undefined_function', `function ${funcSignatureString(funcname, argtypes)} does not exist`);
}

export type FunctionObjectKind = 'function' | 'procedure' | 'routine' | 'aggregate';

/** The function an ObjectWithArgs means (LookupFuncWithArgs). */
export function lookupFuncWithArgs(kind: FunctionObjectKind, object: RawNode, missingOk: boolean): Oid {
  const names = object.objname as string[];
  const noArgs = object.args_unspecified === true;
  const types: Oid[] = ((object.objargs as (RawNode | null)[] | undefined) ?? []).map((t) => {
    if (t === null) return 0;
    const found = lookupTypeName(null, t, missingOk);
    if (found === undefined) {
      if (missingOk) return 0;
      throw new PgError('undefined_object', `type "${typeNameToString(t)}" does not exist`);
    }
    return found.type.oid;
  });
  const name = names.join('.');
  let candidates = functionCandidates(names, noArgs ? -1 : types.length, { missingOk });
  const ofTypes = (list: FuncCandidate[]): FuncCandidate[] => list.filter((c) => c.args.length === types.length && c.args.every((t, i) => t === types[i]));
  if (!noArgs) candidates = ofTypes(candidates);
  // Types without modes may be those of all arguments of a procedure, or of the input ones.
  const given = (object.objfuncargs as RawNode[] | undefined) ?? [];
  if ((kind === 'procedure' || kind === 'routine') && given.length > 0 && given.every((a) => a.mode === 'FUNC_PARAM_DEFAULT')) {
    for (const c of ofTypes(functionCandidates(names, types.length, { missingOk, includeOutArguments: true }))) {
      // OID 0: several that differ in modes only.
      if ((kind === 'routine' || c.oid === 0 || sys.procByOid(c.oid)?.prokind === 'p') && !candidates.some((known) => known.oid === c.oid)) candidates.push(c);
    }
  }
  const prokinds: Record<FunctionObjectKind, string> = { function: 'fw', procedure: 'p', routine: 'fwpa', aggregate: 'a' };
  // Without arguments, procedures are no candidates for functions and aggregates, nor these for procedures.
  if (noArgs && kind !== 'routine') candidates = candidates.filter((c) => (sys.procByOid(c.oid)?.prokind === 'p') === (kind === 'procedure'));
  if (candidates.length > 1 || candidates[0]?.oid === 0) {
    throw new PgError('ambiguous_function', `${kind} name "${name}" is not unique`, noArgs ? { hint: `Specify the argument list to select the ${kind} unambiguously.` } : {});
  }
  const [found] = candidates;
  const signature = (): string => noArgs ? name : funcSignatureString(names, types);
  if (found === undefined) {
    if (missingOk) return 0;
    if (noArgs) throw new PgError('undefined_function', kind === 'aggregate' ? `could not find an aggregate named "${name}"` : kind === 'procedure' ? `could not find a procedure named "${name}"` : `could not find a function named "${name}"`);
    throw new PgError('undefined_function', kind === 'aggregate' ? `aggregate ${types.length === 0 ? `${name}(*)` : signature()} does not exist` : `${kind === 'procedure' ? 'procedure' : 'function'} ${signature()} does not exist`);
  }
  const prokind = sys.procByOid(found.oid)?.prokind ?? 'f';
  // DROP FUNCTION of an aggregate is refused by its own message.
  if (!prokinds[kind].includes(prokind) && !(kind === 'function' && prokind === 'a')) {
    if (kind === 'aggregate') throw new PgError('wrong_object_type', `function ${signature()} is not an aggregate`);
    if (kind === 'procedure') throw new PgError('wrong_object_type', `${signature()} is not a procedure`);
    throw new PgError('wrong_object_type', prokind === 'a' ? `${signature()} is not a function` : `${signature()} is not a function`);
  }
  return found.oid;
}
