// Functions and operators of a name that a call may mean (the rest of PostgreSQL's namespace.c): all of them, by the
// search path, with named arguments put in place, VARIADIC spread out and defaults counted in. Choosing among them by
// argument types is the parser's (parse_func.c, parse_oper.c).
import type { Oid } from '../types/datum.ts';
import { deconstructQualifiedName, lookupExplicitNamespace, searchPathPosition } from './namespace.ts';
import type { PgProc } from './rows.ts';
import * as sys from './syscache.ts';

export interface FuncCandidate {
  /** Place of its schema in the search path. */
  readonly pathpos: number;
  /** 0: two functions match equally well (ambiguous). */
  oid: Oid;
  /** Its own number of arguments, and that after spreading VARIADIC. */
  readonly nominalnargs: number;
  readonly nargs: number;
  /** How many of `args` are spread VARIADIC elements, how many come from defaults (the last ones). */
  readonly nvargs: number;
  readonly ndargs: number;
  /** args[i] is the function's parameter argnumbers[i]; null: in order. */
  readonly argnumbers: readonly number[] | null;
  readonly args: readonly Oid[];
}

export interface CandidateOptions {
  /** Names of the last arguments, for name => value notation. */
  argnames?: readonly string[];
  expandVariadic?: boolean;
  expandDefaults?: boolean;
  /** For procedures: OUT arguments are written in the call too. */
  includeOutArguments?: boolean;
  missingOk?: boolean;
}

/** The functions a call with nargs arguments may mean; nargs -1: any number (FuncnameGetCandidates). */
export function functionCandidates(names: readonly string[], nargs: number, options: CandidateOptions = {}): FuncCandidate[] {
  const { argnames = [], expandVariadic = false, expandDefaults = false, includeOutArguments = false, missingOk = false } = options;
  const { schema, name } = deconstructQualifiedName(names);
  let namespace: Oid = 0;
  if (schema !== null) {
    namespace = lookupExplicitNamespace(schema, missingOk);
    if (namespace === 0) return [];
  }
  const results: FuncCandidate[] = [];
  for (const proc of sys.procsByName(name)) {
    let pathpos = 0;
    if (namespace !== 0) {
      if (proc.pronamespace !== namespace) continue;
    } else {
      pathpos = searchPathPosition(proc.pronamespace);
      if (pathpos < 0) continue;
    }
    const types = includeOutArguments && proc.proallargtypes ? proc.proallargtypes : proc.proargtypes;
    const pronargs = types.length;
    let variadic = false;
    let useDefaults = false;
    let argnumbers: number[] | null = null;
    if (pronargs > nargs && expandDefaults) {
      if (nargs + proc.pronargdefaults < pronargs) continue;
      useDefaults = true;
    }
    if (argnames.length > 0) {
      if (proc.provariadic !== 0 && expandVariadic) continue;
      if (pronargs !== nargs && !useDefaults) continue;
      argnumbers = matchNamedCall(proc, nargs, argnames, includeOutArguments, pronargs);
      if (!argnumbers) continue;
    } else {
      variadic = pronargs <= nargs && expandVariadic && proc.provariadic !== 0;
      if (nargs >= 0 && pronargs !== nargs && !variadic && !useDefaults) continue;
    }
    const effective = Math.max(pronargs, nargs);
    const args = argnumbers ? argnumbers.map((n) => types[n]!) : types.slice();
    if (variadic) for (let i = pronargs - 1; i < effective; i++) args[i] = proc.provariadic;
    const candidate: FuncCandidate = { pathpos, oid: proc.oid, nominalnargs: pronargs, nargs: effective,
      nvargs: variadic ? effective - pronargs + 1 : 0, ndargs: useDefaults ? pronargs - nargs : 0, argnumbers, args };
    addCandidate(results, candidate);
  }
  return results;
}

/** Adds a function unless one with the same arguments is preferred; throws out the one it is preferred to. */
function addCandidate(results: FuncCandidate[], added: FuncCandidate): void {
  const given = added.nargs - added.ndargs;
  const i = results.findIndex((r) => r.nargs - r.ndargs === given && sameTypes(r.args, added.args, given));
  if (i < 0) {
    results.push(added);
    return;
  }
  const known = results[i]!;
  const preference = added.pathpos !== known.pathpos ? added.pathpos - known.pathpos
    : added.nvargs > 0 && known.nvargs === 0 ? 1 : added.nvargs === 0 && known.nvargs > 0 ? -1 : 0;
  if (preference < 0) results[i] = added;
  else if (preference === 0) known.oid = 0;
}

function sameTypes(a: readonly Oid[], b: readonly Oid[], count: number): boolean {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Which parameter each argument of a call with names stands for, then the defaulted ones; null: does not match. */
function matchNamedCall(proc: PgProc, nargs: number, argnames: readonly string[], includeOut: boolean, pronargs: number): number[] | null {
  if (!proc.proargnames) return null;
  const positional = nargs - argnames.length;
  const argnumbers: number[] = [];
  const given = new Array<boolean>(pronargs).fill(false);
  for (let i = 0; i < positional; i++) { argnumbers.push(i); given[i] = true; }
  const count = (proc.proallargtypes ?? proc.proargtypes).length;
  for (const argname of argnames) {
    let parameter = 0;
    let found = false;
    for (let i = 0; i < count && !found; i++) {
      const mode = proc.proargmodes?.[i] ?? 'i';
      if (!includeOut && mode !== 'i' && mode !== 'b' && mode !== 'v') continue;
      if (proc.proargnames[i] === argname) {
        if (given[parameter]) return null;
        given[parameter] = true;
        argnumbers.push(parameter);
        found = true;
      }
      parameter++;
    }
    if (!found) return null;
  }
  if (nargs < pronargs) {
    const firstDefault = pronargs - proc.pronargdefaults;
    for (let p = positional; p < pronargs; p++) {
      if (given[p]) continue;
      if (p < firstDefault) return null;
      argnumbers.push(p);
    }
  }
  return argnumbers;
}

export interface OperCandidate { readonly pathpos: number; readonly oid: Oid; readonly left: Oid; readonly right: Oid }

/** The operators of a name: kind 'b' binary, 'l' prefix (OpernameGetCandidates). */
export function operatorCandidates(names: readonly string[], kind: 'b' | 'l', missingSchemaOk = false): OperCandidate[] {
  const { schema, name } = deconstructQualifiedName(names);
  const namespace = schema === null ? 0 : lookupExplicitNamespace(schema, missingSchemaOk);
  if (schema !== null && namespace === 0) return [];
  const results: OperCandidate[] = [];
  for (const op of sys.operatorsByName(name)) {
    if (op.oprkind !== kind) continue;
    const pathpos = namespace !== 0 ? (op.oprnamespace === namespace ? 0 : -1) : searchPathPosition(op.oprnamespace);
    if (pathpos < 0) continue;
    const i = namespace !== 0 ? -1 : results.findIndex((r) => r.left === op.oprleft && r.right === op.oprright);
    const candidate = { pathpos, oid: op.oid, left: op.oprleft, right: op.oprright };
    if (i < 0) results.push(candidate);
    else if (pathpos < results[i]!.pathpos) results[i] = candidate;
  }
  return results;
}

/** The operator with exactly these argument types, 0: none (OpernameGetOprid). Left 0: a prefix operator. */
export function operatorNameGetOprid(names: readonly string[], left: Oid, right: Oid): Oid {
  const { schema, name } = deconstructQualifiedName(names);
  const list = sys.operatorsByNameArgs(name, left, right);
  if (schema !== null) {
    const namespace = lookupExplicitNamespace(schema, true);
    return list.find((o) => o.oprnamespace === namespace)?.oid ?? 0;
  }
  let best: Oid = 0;
  let bestPosition = Infinity;
  for (const op of list) {
    const position = searchPathPosition(op.oprnamespace);
    if (position >= 0 && position < bestPosition) { best = op.oid; bestPosition = position; }
  }
  return best;
}
