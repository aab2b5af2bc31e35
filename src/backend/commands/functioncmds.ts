// CREATE FUNCTION and PROCEDURE, ALTER FUNCTION, CALL, DO, CREATE CAST (PostgreSQL's functioncmds.c).
import { PgError, notSupported } from '../../common/errors.ts';
import { aclcheckNamespace, mustBeSuperuser, notOwnerOrDenied, objectAclcheck, objectOwnercheck } from '../catalog/aclchk.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import { getElementType, getType, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { qualifiedNameGetCreationNamespace } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { castCreate } from '../catalog/pg_cast.ts';
import { objectAddress } from '../catalog/pg_depend.ts';
import { procedureCreate } from '../catalog/pg_proc.ts';
import { typeShellMake } from '../catalog/pg_type.ts';
import type { PgLanguage, PgProc, PgType } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { callHandlerName } from '../executor/fmgr_info.ts';
import { checkSqlSignature, validateSqlFunction, functionParseState, withSettingsOf } from '../executor/functions.ts';
import { takeNonatomic } from '../executor/procedure_call.ts';
import { containsNode } from '../nodes/nodeFuncs.ts';
import { ACL, type Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { parseAnalyzeWithState } from '../parser/analyze.ts';
import { coerceToSpecificType } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { lookupFuncName, lookupFuncWithArgs } from '../parser/parse_func.ts';
import { isPolymorphic } from '../parser/parse_generic.ts';
import { makeParseState, parserError, type ParseState } from '../parser/parse_node.ts';
import { lookupTypeName, typeNameToString, typenameTypeId } from '../parser/parse_type.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { createCommandTag } from '../tcop/cmdtag.ts';
import { asRawStmt } from '../tcop/plancache.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement, inTransactionBlock } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { isWindowFunction } from '../executor/window_functions.ts';
import { builtinProcs } from '../catalog/builtin.ts';
import { findBuiltin } from '../types/fmgr.ts';
import { findSetting, flattenSetArgs, getBool, setConfigOption, show } from '../utils/guc.ts';
import { settings } from '../utils/settings.ts';
import { changingNotices, sendWarning, session } from '../utils/session.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { creationPlace, requireObjectOwnership, type RawObject } from './object_names.ts';
import { constantText, settingArguments } from './variable.ts';

const invalid = (message: string, fields = {}): PgError => new PgError('invalid_function_definition', message, fields);

// ---- parameters

export interface Parameters {
  /** Of the input arguments, and of all when there are others. */
  argTypes: Oid[]; allTypes: Oid[] | null; modes: string[] | null; names: string[] | null;
  defaults: Expr[]; variadic: Oid;
  /** What the OUT parameters make of the result; 0: nothing. */
  requiredResult: Oid;
}

const MODES: Readonly<Record<string, string>> = { FUNC_PARAM_IN: 'i', FUNC_PARAM_DEFAULT: 'i', FUNC_PARAM_OUT: 'o', FUNC_PARAM_INOUT: 'b', FUNC_PARAM_VARIADIC: 'v', FUNC_PARAM_TABLE: 't' };

/** What is input or output only. */
const SIDES: Readonly<Record<string, string>> = { i: 'in', v: 'in', o: 'out', t: 'out' };

/** interpret_function_parameter_list. */
export function interpretParameters(list: readonly RawNode[], kind: 'function' | 'procedure' | 'aggregate', language: string, text: string): Parameters {
  const result: Parameters = { argTypes: [], allTypes: [], modes: [], names: [], defaults: [], variadic: 0, requiredResult: 0 };
  const names: { name: string; mode: string }[] = [];
  let outs = 0;
  let haveDefaults = false;
  for (const p of list) {
    const typeName = p['argType'] as RawNode;
    const mode = MODES[p['mode'] as string]!;
    const isInput = mode !== 'o' && mode !== 't';
    const found = lookupTypeName(null, typeName);
    if (found === undefined) throw new PgError('undefined_object', `type ${typeNameToString(typeName)} does not exist`);
    const type = found.type.oid;
    if (!found.type.typisdefined) {
      if (language === 'sql') throw invalid(`SQL function cannot accept shell type ${typeNameToString(typeName)}`);
      ddlNotice(`argument type ${typeNameToString(typeName)} is only a shell`, 'wrong_object_type');
    }
    requireTypeUsage(type);
    if (typeName['setof']) throw invalid(`${kind}s cannot accept set arguments`);
    if (isInput) {
      if (result.variadic !== 0) throw invalid('VARIADIC parameter must be the last input parameter');
      result.argTypes.push(type);
    }
    if (!isInput || mode === 'b') {
      if (kind === 'procedure' && result.variadic !== 0 && mode === 'o') throw invalid('VARIADIC parameter must be the last parameter');
      outs++;
      if (result.requiredResult === 0) result.requiredResult = type;
    }
    if (kind === 'procedure' && (mode === 'o' || mode === 'b')) result.requiredResult = ids.RECORDOID;
    if (mode === 'v') {
      result.variadic = variadicElement(type);
      if (result.variadic === 0) throw invalid('VARIADIC parameter must be an array');
    }
    result.allTypes!.push(type);
    result.modes!.push(mode);
    const name = (p['name'] as string | undefined) ?? '';
    // An input does not stand in the way of an output of that name.
    const side = SIDES[mode] ?? '';
    if (name !== '' && names.some((n) => n.name === name && (side === '' || (SIDES[n.mode] ?? side) === side))) throw invalid(`parameter name "${name}" used more than once`);
    names.push({ name, mode });
    if (p['defexpr'] !== undefined) {
      if (!isInput) throw invalid('only input parameters can have default values');
      result.defaults.push(defaultExpression(p['defexpr'] as RawNode, type, text));
      haveDefaults = true;
    } else if (isInput && haveDefaults) {
      throw invalid('input parameters after one with a default value must also have defaults');
    } else if (kind === 'procedure' && haveDefaults) {
      throw invalid('procedure OUT parameters cannot appear after one with a default value');
    }
  }
  if (outs > 1) result.requiredResult = ids.RECORDOID;
  if (outs === 0 && result.variadic === 0) result.allTypes = result.modes = null;
  else if (outs === 0 && result.modes!.every((m) => m === 'i')) result.allTypes = result.modes = null;
  result.names = names.some((n) => n.name !== '') ? names.map((n) => n.name) : null;
  return result;
}

function variadicElement(type: Oid): Oid {
  if (type === ids.ANYARRAYOID) return ids.ANYELEMENTOID;
  if (type === ids.ANYCOMPATIBLEARRAYOID) return ids.ANYCOMPATIBLEOID;
  if (type === ids.ANYOID) return ids.ANYOID;
  return getElementType(type);
}

function defaultExpression(raw: RawNode, type: Oid, text: string): Expr {
  const state = makeParseState(text);
  const expr = coerceToSpecificType(state, transformExpr(state, raw, 'function_default'), type, 'DEFAULT');
  assignExprCollations(state, expr);
  if (state.rtable.length > 0 || containsNode(expr, (e) => e.kind === 'Var', true)) {
    throw new PgError('invalid_column_reference', 'cannot use table references in parameter default value');
  }
  return expr;
}

// ---- options

interface Options {
  language: string | null; as: string[] | null; volatility: string; strict: boolean; security: boolean; leakproof: boolean; cost: number; rows: number;
  parallel: string; window: boolean; set: RawNode[]; given: Set<string>; support: string[] | null; transforms: readonly RawNode[];
}

const VOLATILITY: Readonly<Record<string, string>> = { immutable: 'i', stable: 's', volatile: 'v' };
const PARALLEL: Readonly<Record<string, string>> = { safe: 's', restricted: 'r', unsafe: 'u' };

function readFunctionOptions(list: readonly RawNode[], isProcedure: boolean, text: string): Options {
  const o: Options = {
    language: null, as: null, volatility: 'v', strict: false, security: false, leakproof: false, cost: -1, rows: -1, parallel: 'u', window: false, set: [],
    given: new Set(), support: null, transforms: [],
  };
  const state = makeParseState(text);
  for (const e of list) {
    const name = e['defname'] as string;
    if (name !== 'set' && o.given.has(name)) throw errorConflictingDefElem(e, text);
    if (isProcedure && ['window', 'volatility', 'strict', 'leakproof', 'cost', 'rows', 'support', 'parallel'].includes(name)) {
      throw parserError(state, 'invalid_function_definition', 'invalid attribute in procedure definition', e.location);
    }
    o.given.add(name);
    const { arg } = e as { arg?: any };
    switch (name) {
      case 'language': o.language = arg as string; break;
      case 'as': o.as = arg as string[]; break;
      case 'volatility': o.volatility = VOLATILITY[arg as string]!; break;
      case 'strict': o.strict = arg.boolval as boolean; break;
      case 'security': o.security = arg.boolval as boolean; break;
      case 'leakproof': o.leakproof = arg.boolval as boolean; break;
      case 'window': o.window = arg.boolval as boolean; break;
      case 'cost':
        o.cost = Number(constantText(arg));
        if (o.cost <= 0) throw new PgError('invalid_parameter_value', 'COST must be positive');
        break;
      case 'rows':
        o.rows = Number(constantText(arg));
        if (o.rows <= 0) throw new PgError('invalid_parameter_value', 'ROWS must be positive');
        break;
      case 'parallel': {
        const parallel = PARALLEL[arg as string];
        if (parallel === undefined) throw new PgError('syntax_error', 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE');
        o.parallel = parallel;
        break;
      }
      case 'set': o.set.push(arg as RawNode); break;
      case 'support': o.support = arg as string[]; break;
      case 'transform': o.transforms = arg as RawNode[]; break;
      default: throw new PgError('internal_error', `option "${name}" not recognized`);
    }
  }
  return o;
}

/** SET and RESET clauses of a function over what it has (update_proconfig_value). */
function changeConfig(old: readonly string[] | null, set: readonly RawNode[]): string[] | null {
  let entries = [...(old ?? [])];
  for (const stmt of set) {
    if (stmt['kind'] === 'VAR_RESET_ALL') {
      entries = [];
      continue;
    }
    const given = stmt['name'] as string;
    const name = findSetting(given)?.name ?? given;
    entries = entries.filter((e) => !e.toLowerCase().startsWith(`${name.toLowerCase()}=`));
    if (stmt['kind'] === 'VAR_RESET' || stmt['kind'] === 'VAR_SET_DEFAULT') continue;
    const value = stmt['kind'] === 'VAR_SET_CURRENT' ? show(name) : flattenSetArgs(name, settingArguments(stmt['args'] as RawNode[] | undefined));
    setConfigOption(name, value, session.isSuperuser ? 'superuser' : 'user', 'test', 'set', false);
    entries.push(`${name}=${value}`);
  }
  return entries.length === 0 ? null : entries;
}

// ---- CREATE FUNCTION

function createFunction(stmt: RawNode, context: UtilityContext): void {
  const isProcedure = Boolean(stmt['is_procedure']);
  const { namespace, name } = qualifiedNameGetCreationNamespace(stmt['funcname'] as string[]);
  if (!aclcheckNamespace(namespace, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
  const o = readFunctionOptions((stmt['options'] ?? []) as RawNode[], isProcedure, context.text);
  const languageName = o.language ?? (stmt['sql_body'] !== undefined ? 'sql' : null);
  if (languageName === null) throw invalid('no language specified');
  const language = checkedLanguage(languageName);
  if (o.leakproof && !session.isSuperuser) throw new PgError('insufficient_privilege', 'only superuser can define a leakproof function');
  const params = interpretParameters((stmt['parameters'] ?? []) as RawNode[], isProcedure ? 'procedure' : 'function', language.lanname, context.text);
  const { type: result, isSet } = resultType(stmt, params, isProcedure, language.lanname, context.text);
  const config = changeConfig(null, o.set);
  const body = interpretBody(stmt, o, language, name, params, context.text);
  if (o.rows >= 0 && !isSet) throw new PgError('invalid_parameter_value', 'ROWS is not applicable when function does not return a set');
  if (o.support !== null) refuseSupport(o.support);
  for (const type of o.transforms) refuseTransform(typenameTypeId(null, type), language);
  const cheap = language.oid === ids.INTERNALlanguageId || language.oid === ids.ClanguageId;
  checkPolymorphicResult(params, result);
  const oid = procedureCreate({
    proname: name, pronamespace: namespace, proowner: session.currentUser, prolang: language.oid, prorettype: result, proretset: isSet, proargtypes: params.argTypes,
    proallargtypes: params.allTypes, proargmodes: params.modes, proargnames: params.names, provariadic: params.variadic, defaults: params.defaults,
    prosrc: body.source, sqlBody: body.queries, prokind: isProcedure ? 'p' : o.window ? 'w' : 'f', prosecdef: o.security, proleakproof: o.leakproof, proisstrict: o.strict,
    provolatile: o.volatility, proparallel: o.parallel, procost: o.cost >= 0 ? o.cost : cheap ? 1 : 100, prorows: o.rows >= 0 ? o.rows : isSet ? 1000 : 0, proconfig: config,
    replace: Boolean(stmt['replace']),
  });
  commandCounterIncrement();
  const checkBody = getBool('check_function_bodies');
  const validate = (): void => validateFunction(oid, name, language, body, context, checkBody);
  // Under the settings that it will run under.
  if (checkBody) withSettingsOf(sys.procByOid(oid)!, validate);
  else validate();
}

function validateFunction(oid: Oid, name: string, language: PgLanguage, body: ReturnType<typeof interpretBody>, context: UtilityContext, checkBody: boolean): void {
  const validating = (where: string | null, inline: boolean, check: () => void): void => changingNotices(
    (notice) => transpose(notice, null, body.source, inline, context), () => validated(where, body.source, inline, context, check));
  if (language.oid === ids.SQLlanguageId) {
    checkSqlSignature(oid);
    if (checkBody) validating(`SQL function "${name}"`, body.queries !== null, () => validateSqlFunction(oid));
    return;
  }
  const handler = languages.get(callHandlerName(language.oid));
  if (handler === undefined) return;
  const proc = sys.procByOid(oid)!;
  validating(null, false, () => handler.validate(proc, checkBody));
}

/** What a language other than "internal" and "sql" does with bodies; by the name of its call handler. */
export interface LanguageCommands {
  /** Checks a function that was just made. */
  validate(proc: PgProc, checkBody: boolean): void;
  /** DO. */
  runInline(source: string, nonatomic: boolean, compiling: <T>(compile: () => T) => T): void;
}
const languages = new Map<string, LanguageCommands>();
export function registerLanguageCommands(callHandler: string, commands: LanguageCommands): void {
  languages.set(callHandler, commands);
}

/** Errors in the body point into the body, which stands in the statement's text (function_parse_error_transpose). */
function validated(where: string | null, source: string, inline: boolean, context: UtilityContext, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof PgError) transpose(error, where, source, inline, context);
    throw error;
  }
}

function transpose(error: PgError, where: string | null, source: string, inline: boolean, context: UtilityContext): void {
  const { position, internalPosition, internalQuery, ...rest } = error.fields;
  const at = internalQuery === source ? internalPosition : internalQuery === undefined ? position : undefined;
  const place = at === undefined || inline ? undefined : placeInText(context.text, source, at);
  const own = where === null ? {} : { where };
  if (at === undefined) error.fields = { ...error.fields, ...own };
  // A place says it all.
  else if (inline) error.fields = { ...rest, position: at };
  else error.fields = { ...rest, ...(place !== undefined ? { position: place } : { internalPosition: at, internalQuery: source }) };
}

/** The character position in a statement of a place in a body that stands there as a literal (match_prosrc_to_query). */
function placeInText(text: string, source: string, position: number): number | undefined {
  let found: number | undefined;
  for (const m of text.matchAll(/'|\$[A-Za-z_\u0080-\uffff]*[\w\u0080-\uffff]*\$/g)) {
    const from = m.index + m[0].length;
    const place = m[0] === "'" ? quotedPlace(text, from, source, position) : text.startsWith(source + m[0], from) ? [...text.slice(0, from)].length + position : undefined;
    if (place === undefined) continue;
    // Two such literals: nobody knows which is meant.
    if (found !== undefined && found !== place) return undefined;
    found = place;
  }
  return found;
}

function quotedPlace(text: string, from: number, source: string, position: number): number | undefined {
  let at = from, place: number | undefined;
  let n = 0;
  for (const char of source) {
    if (++n === position) place = at;
    // A backslash makes whatever follows it stand for itself, as far as this goes.
    const isEscaped = text[at] === '\\' && !settings.standard_conforming_strings;
    if (isEscaped) at++;
    if (char === "'" && !isEscaped) {
      if (!text.startsWith("''", at)) return undefined;
      at += 2;
    } else if (text.startsWith(char, at)) at += char.length;
    else return undefined;
  }
  if (text[at] !== "'" || text[at + 1] === "'") return undefined;
  place ??= at;
  return [...text.slice(0, place)].length + 1;
}

function checkedLanguage(name: string): PgLanguage {
  const language = sys.languageByName(name);
  if (language === undefined) throw new PgError('undefined_object', `language "${name}" does not exist`);
  if (language.lanpltrusted) {
    if (!objectAclcheck(ids.LanguageRelationId, language.oid, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('language', name);
  } else if (!session.isSuperuser) throw notOwnerOrDenied('language', name);
  return language;
}

function resultType(stmt: RawNode, params: Parameters, isProcedure: boolean, language: string, text: string): { type: Oid; isSet: boolean } {
  if (isProcedure) return { type: params.requiredResult || ids.VOIDOID, isSet: false };
  const typeName = stmt['returnType'] as RawNode | undefined;
  if (typeName === undefined) {
    if (params.requiredResult === 0) throw invalid('function result type must be specified');
    return { type: params.requiredResult, isSet: false };
  }
  const state = makeParseState(text);
  const known = lookupTypeName(null, typeName);
  const found = known ?? shellForResult(state, typeName, language);
  if (known !== undefined && !known.type.typisdefined) {
    if (language === 'sql') throw invalid(`SQL function cannot return shell type ${typeNameToString(typeName)}`);
    ddlNotice(`return type ${typeNameToString(typeName)} is only a shell`, 'wrong_object_type');
  }
  requireTypeUsage(found.type.oid);
  const isTable = params.modes?.includes('t') ?? false;
  const type = isTable ? params.requiredResult : found.type.oid;
  if (params.requiredResult !== 0 && type !== params.requiredResult) {
    throw invalid(`function result type must be ${formatType(params.requiredResult)} because of OUT parameters`);
  }
  return { type, isSet: Boolean(typeName['setof']) };
}

/** An input function comes before its type: the type is a shell until CREATE TYPE (compute_return_type). */
function shellForResult(state: ParseState, typeName: RawNode, language: string): { type: PgType; typmod: number } {
  const text = typeNameToString(typeName);
  if (language !== 'internal' && language !== 'c') throw parserError(state, 'undefined_object', `type "${text}" does not exist`);
  if (typeName['typmods'] !== undefined) throw parserError(state, 'syntax_error', `type modifier cannot be specified for shell type "${text}"`);
  ddlNotice(`type "${text}" is not yet defined`, 'undefined_object', 'Creating a shell type definition.');
  const { name, namespace } = creationPlace(typeName['names'] as string[]);
  typeShellMake(name, namespace, session.currentUser);
  commandCounterIncrement();
  return { type: sys.typeByName(name, namespace)!, typmod: -1 };
}

const RANGES = ['anyrange', 'anymultirange'], COMPATIBLE_RANGES = ['anycompatiblerange', 'anycompatiblemultirange'];
const SIMPLE = ['anyelement', 'anyarray', 'anynonarray', 'anyenum', ...RANGES];
const COMPATIBLE = ['anycompatible', 'anycompatiblearray', 'anycompatiblenonarray', ...COMPATIBLE_RANGES];

/** A polymorphic result must follow from an argument (check_valid_polymorphic_signature). */
function checkPolymorphicResult(params: Parameters, result: Oid): void {
  for (const type of [result, ...params.allTypes?.filter((_t, i) => 'obt'.includes(params.modes![i]!)) ?? []]) {
    const detail = polymorphicProblem(type, params.argTypes);
    if (detail !== null) throw invalid('cannot determine result data type', { detail });
  }
}

/** Why nothing tells what a polymorphic result is; null: something does (check_valid_polymorphic_signature). */
export function polymorphicProblem(type: Oid, argTypes: readonly Oid[]): string | null {
  if (!isPolymorphic(type)) return null;
  const inputs = argTypes.map(formatType);
  const name = formatType(type);
  const sources = RANGES.includes(name) ? RANGES : COMPATIBLE_RANGES.includes(name) ? COMPATIBLE_RANGES : SIMPLE.includes(name) ? SIMPLE : COMPATIBLE;
  if (inputs.some((i) => sources.includes(i))) return null;
  const list = sources.length === 2 ? sources.join(' or ') : `${sources.slice(0, -1).join(', ')}, or ${sources[sources.length - 1]}`;
  return `A result of type ${name} requires at least one input of type ${list}.`;
}

/** SUPPORT: the planner asks no such function. */
function refuseSupport(names: readonly string[]): never {
  const oid = lookupFuncName(names, [ids.INTERNALOID], false);
  if (sys.procByOid(oid)!.prorettype !== ids.INTERNALOID) throw invalidObject(`support function ${names.join('.')} must return type internal`);
  mustBeSuperuser('specify a support function');
  throw notSupported('a planner support function');
}

function refuseTransform(type: Oid, language: PgLanguage): never {
  if (sys.lookup(ids.TransformRelationId, ids.PgTransformTypeLangIndexId, type, language.oid) === undefined) {
    throw new PgError('undefined_object', `transform for type ${formatType(type)} language "${language.lanname}" does not exist`);
  }
  throw notSupported('TRANSFORM FOR TYPE');
}

function interpretBody(stmt: RawNode, o: Options, language: PgLanguage, name: string, params: Parameters, text: string): { source: string; queries: Query[] | Query | null } {
  const inline = stmt['sql_body'] as RawNode | RawNode[][] | undefined;
  if (inline !== undefined && o.as !== null) throw invalid('duplicate function body specified');
  if (inline !== undefined) {
    if (language.oid !== ids.SQLlanguageId) throw invalid('inline SQL function body only valid for language SQL');
    if (params.argTypes.some(isPolymorphic)) throw invalid('SQL function with unquoted function body cannot have polymorphic arguments');
    return { source: '', queries: inlineBody(inline, name, params, text) };
  }
  if (o.as === null) throw invalid('no function body specified');
  if (language.oid === ids.ClanguageId) throw notSupported('a function of language C');
  if (o.as.length !== 1) throw invalid(`only one AS item needed for language "${language.lanname}"`);
  let [source] = o.as as [string];
  if (language.oid === ids.INTERNALlanguageId) {
    if (source === '' || source === '-') source = name;
    if (findBuiltin(source) === undefined && !isWindowFunction(source) && !isBuiltinSource(source)) throw new PgError('undefined_function', `there is no built-in function named "${source}"`);
  }
  return { source, queries: null };
}

/** A function of PostgreSQL's that nothing here calls: a selectivity estimator, a support function of an index method. */
function isBuiltinSource(source: string): boolean {
  for (const proc of builtinProcs) if (proc.prosrc === source) return true;
  return false;
}

function inlineBody(body: RawNode | RawNode[][], name: string, params: Parameters, text: string): Query[] | Query {
  const inputs = params.modes === null ? params.names : params.names?.filter((_n, i) => 'ibv'.includes(params.modes![i]!)) ?? null;
  const analyze = (stmt: RawNode): Query => {
    const state = functionParseState(text, { name, types: params.argTypes, names: params.argTypes.map((_t, i) => inputs?.[i] ?? ''), collation: 0 });
    const query = parseAnalyzeWithState(asRawStmt(stmt), state);
    const into = stmt.tag === 'SelectStmt' ? (stmt['intoClause'] as RawNode | undefined) : undefined;
    if (into !== undefined) throw parserError(state, 'syntax_error', 'SELECT ... INTO is not allowed here', (into['rel'] as RawNode).location);
    if (query.commandType === 'utility') throw new PgError('feature_not_supported', `${createCommandTag(stmt)} is not yet supported in unquoted SQL function body`);
    return query;
  };
  const asSelect = (stmt: RawNode): RawNode => {
    const value = stmt['returnval'] as RawNode;
    return { tag: 'SelectStmt', targetList: [{ tag: 'ResTarget', val: value, location: value.location ?? -1 }], op: 'SETOP_NONE', limitOption: 'LIMIT_OPTION_DEFAULT' };
  };
  if (!Array.isArray(body)) return analyze(asSelect(body));
  return body.flat().filter((s) => s !== null && s.tag !== undefined).map((s) => (s.tag === 'ReturnStmt' ? { ...analyze(asSelect(s)), isReturn: true } : analyze(s)));
}

// ---- ALTER FUNCTION

function alterFunction(stmt: RawNode, context: UtilityContext): void {
  const kind = (stmt['objtype'] as string).replace('OBJECT_', '').toLowerCase() as 'function' | 'procedure' | 'routine';
  const func = stmt['func'] as RawNode;
  const oid = lookupFuncWithArgs(kind, func, false);
  requireObjectOwnership(objectAddress(ids.ProcedureRelationId, oid), stmt['objtype'] as string, func as RawObject);
  const [tuple] = catalogFind(ids.ProcedureRelationId, ids.PgProcOidIndexId, [oid]);
  const proc = tuple!.row;
  if (proc.prokind === 'a') throw new PgError('wrong_object_type', `"${(func['objname'] as string[]).join('.')}" is an aggregate function`);
  const o = readFunctionOptions((stmt['actions'] ?? []) as RawNode[], proc.prokind === 'p', context.text);
  if (o.leakproof && !session.isSuperuser) throw new PgError('insufficient_privilege', 'only superuser can define a leakproof function');
  if (o.given.has('rows') && !proc.proretset) throw new PgError('invalid_parameter_value', 'ROWS is not applicable when function does not return a set');
  if (o.support !== null) refuseSupport(o.support);
  catalogUpdate(ids.ProcedureRelationId, tuple!, {
    ...(o.given.has('volatility') ? { provolatile: o.volatility } : {}), ...(o.given.has('strict') ? { proisstrict: o.strict } : {}),
    ...(o.given.has('security') ? { prosecdef: o.security } : {}), ...(o.given.has('leakproof') ? { proleakproof: o.leakproof } : {}),
    ...(o.given.has('cost') ? { procost: o.cost } : {}), ...(o.given.has('rows') ? { prorows: o.rows } : {}),
    ...(o.given.has('parallel') ? { proparallel: o.parallel } : {}), ...(o.given.has('set') ? { proconfig: changeConfig(proc.proconfig, o.set) } : {}),
  });
}

// ---- CREATE CAST

const CONTEXTS: Readonly<Record<string, string>> = { COERCION_IMPLICIT: 'i', COERCION_ASSIGNMENT: 'a', COERCION_EXPLICIT: 'e' };

function createCast(stmt: RawNode): void {
  const source = typenameTypeId(null, stmt['sourcetype'] as RawNode);
  const target = typenameTypeId(null, stmt['targettype'] as RawNode);
  const sourceType = getType(source);
  const targetType = getType(target);
  const pseudo = (what: string, type: RawNode): PgError => new PgError('wrong_object_type', `${what} data type ${typeNameToString(type)} is a pseudo-type`);
  if (sourceType.typtype === 'p') throw pseudo('source', stmt['sourcetype'] as RawNode);
  if (targetType.typtype === 'p') throw pseudo('target', stmt['targettype'] as RawNode);
  if (!objectOwnercheck(ids.TypeRelationId, source, session.currentUser) && !objectOwnercheck(ids.TypeRelationId, target, session.currentUser)) {
    throw new PgError('insufficient_privilege', `must be owner of type ${formatType(source)} or type ${formatType(target)}`);
  }
  for (const type of [source, target]) {
    requireTypeUsage(type);
  }
  if (sourceType.typtype === 'd' || targetType.typtype === 'd') {
    sendWarning('wrong_object_type', `cast will be ignored because the ${sourceType.typtype === 'd' ? 'source' : 'target'} data type is a domain`);
  }
  const method = stmt['func'] !== undefined ? 'f' : stmt['inout'] ? 'i' : 'b';
  const func = method === 'f' ? castFunction(stmt, source, target) : 0;
  if (method === 'b') checkBinaryCast(source, target);
  if (source === target && (method !== 'f' || sys.procByOid(func)!.pronargs < 2)) throw invalidObject('source data type and target data type are the same');
  castCreate(source, target, func, CONTEXTS[stmt['context'] as string]!, method, 'n');
}

const invalidObject = (message: string): PgError => new PgError('invalid_object_definition', message);

function castFunction(stmt: RawNode, source: Oid, target: Oid): Oid {
  const oid = lookupFuncWithArgs('function', stmt['func'] as RawNode, false);
  const proc = sys.procByOid(oid)!;
  const { proargtypes: args } = proc;
  if (args.length < 1 || args.length > 3) throw invalidObject('cast function must take one to three arguments');
  if (!isBinaryCoercible(source, args[0]!)) throw invalidObject('argument of cast function must match or be binary-coercible from source data type');
  if (args.length > 1 && args[1] !== ids.INT4OID) throw invalidObject('second argument of cast function must be type integer');
  if (args.length > 2 && args[2] !== ids.BOOLOID) throw invalidObject('third argument of cast function must be type boolean');
  if (!isBinaryCoercible(proc.prorettype, target)) throw invalidObject('return data type of cast function must match or be binary-coercible to target data type');
  if (proc.prokind !== 'f') throw invalidObject('cast function must be a normal function');
  if (proc.proretset) throw invalidObject('cast function must not return a set');
  return oid;
}

function checkBinaryCast(source: Oid, target: Oid): void {
  mustBeSuperuser('create a cast WITHOUT FUNCTION');
  const a = getType(source);
  const b = getType(target);
  if (a.typlen !== b.typlen || a.typbyval !== b.typbyval || a.typalign !== b.typalign) throw invalidObject('source and target data types are not physically compatible');
  if (a.typtype === 'c' || b.typtype === 'c') throw invalidObject('composite data types are not binary-compatible');
  if (a.typtype === 'e' || b.typtype === 'e') throw invalidObject('enum data types are not binary-compatible');
  if (getElementType(source) !== 0 || getElementType(target) !== 0) throw invalidObject('array data types are not binary-compatible');
  if (a.typtype === 'd' || b.typtype === 'd') throw invalidObject('domain data types must not be marked binary-compatible');
}

// ---- DO

function doBlock(stmt: RawNode, context: UtilityContext): void {
  const args = (stmt['args'] ?? []) as RawNode[];
  const twice = args.find((a, i) => args.findIndex((b) => b['defname'] === a['defname']) < i);
  if (twice !== undefined) throw errorConflictingDefElem(twice, context.text);
  const option = (name: string): string | undefined => args.find((a) => a['defname'] === name)?.['arg'] as string | undefined;
  const source = option('as');
  if (source === undefined) throw new PgError('syntax_error', 'no inline code specified');
  const name = option('language') ?? 'plpgsql';
  const language = checkedLanguage(name);
  if (language.laninline === 0) throw new PgError('feature_not_supported', `language "${name}" does not support inline code execution`);
  const handler = languages.get(callHandlerName(language.oid));
  if (handler === undefined) throw notSupported(`a DO block of language ${name}`);
  const nonatomic = takeNonatomic() || (context.topLevel && !inTransactionBlock(true));
  validated(null, source, false, context, () => handler.runInline(source, nonatomic,
    (compile) => changingNotices((notice) => transpose(notice, null, source, false, context), compile)));
}

export const FUNCTION_COMMANDS: UtilityTable = {
  CreateFunctionStmt: { run: createFunction },
  AlterFunctionStmt: { run: alterFunction },
  CreateCastStmt: { run: createCast },
  DoStmt: { run: doBlock, readOnly: true },
};
