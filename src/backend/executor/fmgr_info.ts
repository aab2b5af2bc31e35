// From the OID of a function to what calls it: the builtin by prosrc, or what the handler of its language makes.
// Also the other facts about functions, operators and types that planner and executor ask for (PostgreSQL's
// lsyscache.c).
import { PgError, internalError, notSupported } from '../../common/errors.ts';
import { aclcheckProc, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { aggregateByOid, languageByOid, operatorByOid, procByOid, typeByOid } from '../catalog/syscache.ts';
import type { PgAggregate, PgOperator, PgProc, PgType } from '../catalog/rows.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { collatedFunction } from './collated.ts';
import { type BuiltinFunction, type FunctionContext, findBuiltin } from '../types/fmgr.ts';

export interface FunctionInfo {
  readonly oid: Oid;
  readonly name: string;
  readonly prosrc: string;
  readonly internal: boolean;
  readonly strict: boolean;
  readonly retset: boolean;
  readonly volatility: string; // i s v
  readonly resultType: Oid;
  /** Undefined: not implemented (yet). */
  readonly builtin: BuiltinFunction | undefined;
  readonly proc: PgProc;
}

const INTERNAL_LANGUAGE = 12;
const C_LANGUAGE = 13;
const FIRST_NORMAL_OID = 16384;

/** Languages other than "internal": SQL by its OID, others by the name of their call handler (pg_language.lanplcallfoid). */
const languageHandlers = new Map<Oid | string, (proc: PgProc) => BuiltinFunction>();
export function registerLanguageHandler(language: Oid | string, handler: (proc: PgProc) => BuiltinFunction): void {
  languageHandlers.set(language, handler);
}

function handlerOf(language: Oid): ((proc: PgProc) => BuiltinFunction) | undefined {
  return languageHandlers.get(language) ?? languageHandlers.get(callHandlerName(language));
}

/** The function in which a language's call handler is written; '' for languages without one. */
export function callHandlerName(language: Oid): string {
  const handler = languageByOid(language)?.lanplcallfoid ?? 0;
  return handler === 0 ? '' : procByOid(handler)?.prosrc ?? '';
}

const builtinInfos = new Map<Oid, FunctionInfo>();

/** Functions with an ACL of their own that what is being compiled calls: whoever runs it must have EXECUTE. */
let restricted: Set<Oid> | null = null;

export function collectRestricted<T>(into: Set<Oid>, run: () => T): T {
  const outer = restricted;
  restricted = into;
  try {
    return run();
  } finally {
    restricted = outer;
  }
}

/** A function or aggregate that the user's own expression calls. */
function noteCall(oid: Oid): void {
  if (restricted !== null && (procByOid(oid)?.proacl ?? null) !== null) restricted.add(oid);
}

const KIND_NOUNS: Readonly<Record<string, string>> = { a: 'aggregate', p: 'procedure' };

/** functionInfo of what an expression calls. */
export function calledFunction(oid: Oid): FunctionInfo {
  noteCall(oid);
  return functionInfo(oid);
}

/** Throws 42501 unless the current user may execute them all. */
export function checkExecute(functions: readonly Oid[]): void {
  for (const oid of functions) {
    if (aclcheckProc(oid, session.currentUser)) continue;
    const proc = procByOid(oid)!;
    throw notOwnerOrDenied(KIND_NOUNS[proc.prokind] ?? 'function', proc.proname);
  }
}

export function functionInfo(oid: Oid): FunctionInfo {
  const known = builtinInfos.get(oid);
  if (known !== undefined) return known;
  const proc = procByOid(oid);
  if (proc === undefined) throw internalError(`cache lookup failed for function ${oid}`);
  const internal = proc.prolang === INTERNAL_LANGUAGE || proc.prolang === C_LANGUAGE;
  const info: FunctionInfo = {
    oid, name: proc.proname, prosrc: proc.prosrc ?? '', internal, strict: proc.proisstrict, retset: proc.proretset,
    volatility: proc.provolatile, resultType: proc.prorettype,
    builtin: internal ? findBuiltin(proc.prosrc ?? '') : handlerOf(proc.prolang)?.(proc), proc,
  };
  if (internal && oid < FIRST_NORMAL_OID) builtinInfos.set(oid, info);
  return info;
}

/** 0A000 for a function that is in the catalog but not in the registry. */
export function functionMissing(info: FunctionInfo): PgError {
  return info.internal
    ? notSupported(`function ${info.name} (${info.prosrc})`)
    : notSupported(`function ${info.name} of language ${info.proc.prolang}`);
}

export function makeContext(functionOid: Oid, argTypes: readonly Oid[], resultType: Oid, collation: Oid, variadic = false, aggregate = false): FunctionContext {
  return { functionOid, argTypes, resultType, collation, variadic, extra: undefined, aggregate };
}

type Callable = (...args: any[]) => any;

/** The function as a plain JavaScript function of its arguments. Strictness is the caller's business. */
export function callable(info: FunctionInfo, argTypes: readonly Oid[], resultType: Oid, collation: Oid, variadic = false, aggregate = false): Callable {
  const { builtin } = info;
  if (builtin === undefined) {
    return () => { throw functionMissing(info); };
  }
  const collated = info.internal && collation !== 0 ? collatedFunction(info.prosrc, collation) : null;
  if (collated !== null) return collated;
  if (builtin.kind === 'pure') return builtin.fn;
  const context = makeContext(info.oid, argTypes, resultType, collation, variadic, aggregate);
  const fn = builtin.fn as Callable;
  return (...args) => fn(context, ...args);
}

/** A binary operator's function, e.g. to compare two datums. */
export function operatorFunction(opno: Oid, collation: Oid): Callable {
  const op = operator(opno);
  return callable(functionInfo(op.oprcode), [op.oprleft, op.oprright], op.oprresult, collation);
}

export function operator(opno: Oid): PgOperator {
  const op = operatorByOid(opno);
  if (op === undefined) throw internalError(`cache lookup failed for operator ${opno}`);
  return op;
}

export function typeInfo(oid: Oid): PgType {
  const type = typeByOid(oid);
  if (type === undefined) throw internalError(`cache lookup failed for type ${oid}`);
  return type;
}

export function aggregate(fnoid: Oid): PgAggregate {
  noteCall(fnoid);
  const agg = aggregateByOid(fnoid);
  if (agg === undefined) throw internalError(`cache lookup failed for aggregate ${fnoid}`);
  return agg;
}

/** typinput as a function of text (and typmod), typoutput as a function of the value. */
export function inputFunction(type: Oid): (text: string, typmod: number) => any {
  const t = typeInfo(type);
  const fn = callable(functionInfo(t.typinput), [], type, t.typcollation);
  const ioParam = t.typelem !== 0 ? t.typelem : type;
  return (text, typmod) => fn(text, ioParam, typmod);
}
export function outputFunction(type: Oid): (value: any) => string {
  const t = typeInfo(type);
  return callable(functionInfo(t.typoutput), [type], 2275, t.typcollation);
}
