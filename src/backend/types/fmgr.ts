// The function manager: from a pg_proc row of language "internal" to the TypeScript function that does it.
// The name in `pg_proc.prosrc` (PostgreSQL's C function name, e.g. `int4pl`) is the key, so one entry serves
// all rows of pg_proc that share it. A row whose name is not registered is refused with 0A000 when it is
// called, naming the function.
//
// How to add a function: find its prosrc in pg_proc, write it in the file of its type family under
// backend/types, and list it in that file's `registerBuiltins` call. Strictness comes from pg_proc.proisstrict
// and is applied by the caller: a strict function never sees null.
import type { TriggerData } from '../commands/trigger_data.ts';
import type { Datum, Oid, RecordAttribute } from './datum.ts';

/** What PostgreSQL hands a function in FunctionCallInfo and FmgrInfo, for the few that look at it. */
export interface FunctionContext {
  readonly functionOid: Oid;
  /** The types of the actual arguments (get_fn_expr_argtype): needed by polymorphic functions. */
  readonly argTypes: readonly Oid[];
  /** The actual result type (get_fn_expr_rettype). */
  readonly resultType: Oid;
  /** The columns of a column definition list: `json_to_record(...) AS t(a int, b text)`. */
  readonly resultAttributes?: readonly RecordAttribute[] | undefined;
  readonly collation: Oid;
  /** For VARIADIC calls: whether the last argument was given as VARIADIC array. */
  readonly variadic: boolean;
  /** The function's own cache for the life of the expression (fn_extra). */
  extra: unknown;
  /** Set while the function runs as an aggregate's transition or final function. */
  readonly aggregate: boolean;
  /** The only argument is a column as it stands. */
  readonly ofColumn?: boolean;
  /** Set while the function runs as a trigger. */
  readonly trigger?: TriggerData | undefined;
}

// eslint-style note: arguments are `any` on purpose: each function knows its own SQL types.
export type PureFunction = (...args: any[]) => Datum | undefined | void;
export type ContextFunction = (context: FunctionContext, ...args: any[]) => Datum | undefined | void;
export type SetFunction = (context: FunctionContext, ...args: any[]) => Iterable<Datum>;

export type BuiltinFunction =
  /** Needs nothing but its arguments: `fn(a, b)`. Generated code calls it directly. */
  | { readonly kind: 'pure'; readonly fn: PureFunction }
  /** Looks at its context: `fn(context, a, b)`. */
  | { readonly kind: 'context'; readonly fn: ContextFunction }
  /** Returns a set: `fn(context, a, b)` gives an iterable; for functions with OUT columns of RecordValue. */
  | { readonly kind: 'set'; readonly fn: SetFunction };

const registry = new Map<string, BuiltinFunction>();

function add(name: string, entry: BuiltinFunction): void {
  if (registry.has(name)) throw new Error(`builtin function registered twice: ${name}`);
  registry.set(name, entry);
}

/** Registers functions under their prosrc. */
export function registerBuiltins(functions: {
  pure?: Record<string, PureFunction>;
  context?: Record<string, ContextFunction>;
  set?: Record<string, SetFunction>;
}): void {
  for (const [name, fn] of Object.entries(functions.pure ?? {})) add(name, { kind: 'pure', fn });
  for (const [name, fn] of Object.entries(functions.context ?? {})) add(name, { kind: 'context', fn });
  for (const [name, fn] of Object.entries(functions.set ?? {})) add(name, { kind: 'set', fn });
}

/** The implementation of an internal function, or undefined when there is none (yet). */
export function findBuiltin(prosrc: string): BuiltinFunction | undefined {
  return registry.get(prosrc);
}

export function builtinNames(): string[] {
  return [...registry.keys()];
}
