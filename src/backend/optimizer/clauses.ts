// Facts about and simple rewriting of expressions (PostgreSQL's clauses.c, var.c): which relations one mentions, what it
// does for NULLs, constant folding, walks and rewrites that go into subqueries.
import { containsMutable, containsVolatile, someExpr } from '../executor/plan_walker.ts';
import { foldToConst } from '../executor/expression.ts';
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { domainHasConstraints } from '../catalog/lsyscache.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import { procByOid, typeByOid } from '../catalog/syscache.ts';
import { makeBoolConst, makeBoolExpr, makeConst } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, expressionTreeMutator, expressionTreeWalker, queryTreeMutator, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { BoolExpr, CaseExpr, CoalesceExpr, Const, Expr, FuncExpr, NullTest, PlaceHolderVar, RelabelType, Var } from '../nodes/primnodes.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import type { Oid } from '../types/datum.ts';
import { BOOLOID, FLOAT4OID, FLOAT8OID, INT4OID, INT8OID } from '../types/oids.ts';
import { pinLiteral, session } from '../utils/session.ts';
import { inlineHooks } from './inline_hook.ts';
import { withoutLengthCoercion } from './length_coercion.ts';
import type { Relids } from './pathnodes.ts';
import { bit, EMPTY, singleton } from './relids.ts';

export { containsMutable, containsVolatile };

// ------------------------------------------------------------------ walks

/** Shows every node of an expression, subqueries entered with their depth. Stops when `visit` returns true. */
export function walkDeep(node: Expr | Query, visit: (node: Expr, depth: number) => boolean, depth = 0): boolean {
  const walker = (n: Expr | Query): boolean => {
    if (n.kind === 'Query') return queryTreeWalker(n, (m) => walkDeep(m, visit, depth + 1));
    return visit(n, depth) || expressionTreeWalker(n, walker);
  };
  return walker(node);
}

type RteChange = (rte: RangeTblEntry, depth: number) => RangeTblEntry;

/** Replaces nodes for which `change` gives something; subqueries entered with their depth. */
export function mutateDeep(node: Expr, change: (node: Expr, depth: number) => Expr | undefined, depth = 0, changeRte?: RteChange): Expr {
  const query = (q: Query): Query => mutateQueryDeep(q, change, depth + 1, changeRte);
  const mutate = (n: Expr): Expr => change(n, depth) ?? expressionTreeMutator(n, mutate, query);
  return mutate(node);
}
export function mutateQueryDeep(q: Query, change: (node: Expr, depth: number) => Expr | undefined, depth: number, changeRte?: RteChange): Query {
  const mutate = (n: Expr): Expr => mutateDeep(n, change, depth, changeRte);
  const changed = queryTreeMutator(q, mutate, { query: (sub) => mutateQueryDeep(sub, change, depth + 1, changeRte) });
  return changeRte === undefined ? changed : { ...changed, rtable: changed.rtable.map((r) => changeRte(r, depth)) };
}

const LEVELS: Partial<Record<Expr['kind'], 'varlevelsup' | 'agglevelsup' | 'phlevelsup'>> = { Var: 'varlevelsup', Aggref: 'agglevelsup', GroupingFunc: 'agglevelsup', PlaceHolderVar: 'phlevelsup' };

/** IncrementVarSublevelsUp: references that leave the expression (level >= min) go `by` levels further. */
export function incrementLevels(node: Expr, by: number, min = 0): Expr {
  return by === 0 ? node : mutateDeep(node, (n, depth) => levelChange(n, depth, by, min), 0, cteLevelChange(by, min));
}
/** The same for a whole query, whose own Vars have level 0. */
export function incrementQueryLevels(q: Query, by: number, min: number): Query {
  return by === 0 ? q : mutateQueryDeep(q, (n, depth) => levelChange(n, depth, by, min), 0, cteLevelChange(by, min));
}
const cteLevelChange = (by: number, min: number): RteChange => (r, depth) =>
  (r.rtekind === 'cte' && r.ctelevelsup >= min + depth ? { ...r, ctelevelsup: r.ctelevelsup + by } : r);
function levelChange(n: Expr, depth: number, by: number, min: number): Expr | undefined {
  const field = LEVELS[n.kind];
  if (field === undefined) return undefined;
  const level = (n as unknown as Record<string, number>)[field]!;
  if (level < min + depth) return undefined;
  if (n.kind === 'Var') return { ...n, varlevelsup: level + by };
  const inner = expressionTreeMutator(n, (child) => mutateDeep(child, (m, d) => levelChange(m, d, by, min), depth)) as unknown as Record<string, unknown>;
  return { ...inner, [field]: level + by } as unknown as Expr;
}
/** Placeholders of an expression over one relation as one over another, `arg` changed already. */
export function movePlaceholder(n: PlaceHolderVar, arg: Expr, from: number, to: number): PlaceHolderVar {
  const move = (relids: Relids): Relids => ((relids & bit(from)) === EMPTY ? relids : (relids & ~bit(from)) | bit(to));
  return { ...n, arg, evalAt: move(n.evalAt), phrels: move(n.phrels) };
}
/** The expression for a place where what its placeholders stand for is computed anew. */
export const stripPlaceholders = (e: Expr): Expr => mutateDeep(e, (n) => (n.kind === 'PlaceHolderVar' ? stripPlaceholders(n.arg) : undefined));
/** Placeholders of this query level, each once. */
export function pullPlaceholders(node: Expr | Query): PlaceHolderVar[] {
  const list: PlaceHolderVar[] = [];
  walkDeep(node, (n, depth) => {
    if (n.kind === 'PlaceHolderVar' && n.phlevelsup === depth && !list.some((p) => p.phid === n.phid)) list.push(n);
    return false;
  }, node.kind === 'Query' ? -1 : 0);
  return list;
}
/** The relations of this query level an expression mentions, inside subqueries too; of a placeholder those where it is made. */
export function pullVarnos(node: Expr | Query | null, level = 0): Relids {
  let relids = EMPTY;
  const visit = (n: Expr | Query, at: number): boolean => {
    if (n.kind === 'Query') return queryTreeWalker(n, (m) => visit(m, at + 1));
    if (n.kind === 'PlaceHolderVar' && n.phlevelsup === at) {
      relids |= n.evalAt;
      return false;
    }
    if (n.kind === 'Var') {
      if (n.varlevelsup === at) relids |= bit(n.varno);
    } else if (n.kind === 'CurrentOfExpr' && at === 0) relids |= bit(n.cvarno);
    return expressionTreeWalker(n, (m) => visit(m, at));
  };
  if (node !== null) visit(node, node.kind === 'Query' ? level - 1 : level);
  return relids;
}
/** What a placeholder takes from outside of the subquery that it came from (ph_lateral). */
export const lateralOf = (p: PlaceHolderVar): Relids => pullVarnos(p.arg) & ~p.phrels;

/** Vars of this query level. */
export function pullVars(node: Expr): Var[] {
  const vars: Var[] = [];
  walkDeep(node, (n, depth) => {
    if (n.kind === 'Var' && n.varlevelsup === depth) vars.push(depth === 0 ? n : { ...n, varlevelsup: 0 });
    return false;
  });
  return vars;
}

/** Vars, placeholders and aggregate and window function calls of this level, Vars inside aggregates only when `intoAggs`. */
export function pullVarClause(node: Expr, intoAggs: boolean, intoWindows: boolean): Expr[] {
  const list: Expr[] = [];
  const visit = (n: Expr | Query): boolean => {
    if (n.kind === 'Query') return false;
    if (n.kind === 'Var') {
      if (n.varlevelsup === 0) list.push(n);
      return false;
    }
    if (n.kind === 'PlaceHolderVar') {
      if (n.phlevelsup === 0) list.push(n);
      return false;
    }
    if ((n.kind === 'Aggref' || n.kind === 'GroupingFunc') && !intoAggs) {
      list.push(n);
      return false;
    }
    if (n.kind === 'WindowFunc' && !intoWindows) {
      list.push(n);
      return false;
    }
    return expressionTreeWalker(n, visit);
  };
  visit(node);
  return list;
}

/** Whether something `level` levels above the expression (or above the query's own level) is referred to. */
/** Whether anything in an expression belongs to a query above. */
export function containsOuter(node: Expr): boolean {
  return walkDeep(node, (n, depth) => {
    const field = LEVELS[n.kind];
    return field !== undefined && (n as unknown as Record<string, number>)[field]! > depth;
  }, 0);
}

export function containsLevel(node: Expr | Query, level: number): boolean {
  return walkDeep(node, (n, depth) => {
    const field = LEVELS[n.kind];
    return field !== undefined && (n as unknown as Record<string, number>)[field] === depth + level;
  }, node.kind === 'Query' ? -1 : 0);
}

export const containsSubplans = (e: Expr): boolean => someExpr(e, (n) => n.kind === 'SubLink' || n.kind === 'SubPlan');
export const containsAggs = (e: Expr): boolean => someExpr(e, (n) => (n.kind === 'Aggref' || n.kind === 'GroupingFunc') && n.agglevelsup === 0);
export const containsWindowFunc = (e: Expr): boolean => someExpr(e, (n) => n.kind === 'WindowFunc');
export const containsSrf = (e: Expr): boolean => someExpr(e, (n) => (n.kind === 'FuncExpr' && n.funcretset) || (n.kind === 'OpExpr' && n.opretset));

/** equal(): the same meaning; source positions do not count. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false;
    return true;
  }
  const x = a as Record<string, unknown>;
  const y = b as Record<string, unknown>;
  if (x['kind'] === 'Var' && y['kind'] === 'Var') return x['varno'] === y['varno'] && x['varattno'] === y['varattno'] && x['varlevelsup'] === y['varlevelsup'];
  if (x['kind'] === 'PlaceHolderVar' && y['kind'] === 'PlaceHolderVar') return x['phid'] === y['phid'] && x['phlevelsup'] === y['phlevelsup'];
  // What differs mostly does so in its arguments.
  if (!equal(x['args'], y['args'])) return false;
  for (const key in x) {
    if (key === 'args' || key === 'location' || key === 'funcformat' || key === 'relabelformat' || key === 'coerceformat' || key === 'defaulted' || key === 'written') continue;
    if (!equal(x[key], y[key])) return false;
  }
  return x['slot'] === y['slot'];
}

/** Removes binary-compatible relabelling. */
export function stripRelabel(e: Expr): Expr {
  while (e.kind === 'RelabelType') e = e.arg;
  return e;
}

// ------------------------------------------------------------------ strictness

const strictFunction = (oid: number): boolean => functionInfo(oid).strict;

/** Relations whose being all NULL makes the condition false or NULL (find_nonnullable_rels). */
export function findNonnullableRels(e: Expr | null, top = true): Relids {
  if (e === null) return EMPTY;
  switch (e.kind) {
    case 'Var': return e.varlevelsup === 0 ? bit(e.varno) : EMPTY;
    case 'FuncExpr': return strictFunction(e.funcid) ? unionOf(e.args, false) : EMPTY;
    case 'OpExpr': return strictFunction(e.opfuncid) ? unionOf(e.args, false) : EMPTY;
    case 'ScalarArrayOpExpr':
      if (!strictFunction(e.opfuncid)) return EMPTY;
      if (e.useOr && top) return unionOf(e.args, false);
      return findNonnullableRels(e.args[0], false);
    case 'BoolExpr':
      if (e.boolop === 'and' && top) return unionOf(e.args, top);
      if (e.boolop === 'not') return findNonnullableRels(e.args[0]!, false);
      return e.args.map((a) => findNonnullableRels(a, top)).reduce((a, b) => a & b);
    case 'RelabelType': case 'CollateExpr': return findNonnullableRels(e.arg, top);
    // Of one relation it is like a column of that one.
    case 'PlaceHolderVar': return findNonnullableRels(e.arg, top) | (e.phlevelsup > 0 || singleton(e.phrels) === 0 ? EMPTY : e.phrels);
    case 'CoerceViaIO': return findNonnullableRels(e.arg, false);
    case 'NullTest': return top && !e.isNull && !e.argisrow ? findNonnullableRels(e.arg, false) : EMPTY;
    case 'BooleanTest':
      return top && (e.booltesttype === 'is_true' || e.booltesttype === 'is_false' || e.booltesttype === 'is_not_unknown') ? findNonnullableRels(e.arg, false) : EMPTY;
    default: return EMPTY;
  }
}
const unionOf = (list: readonly Expr[], top: boolean): Relids => list.reduce((set, a) => set | findNonnullableRels(a, top), EMPTY);

/** contain_nonstrict_functions: whether it may be other than NULL though a column of it is NULL. */
export function containsNonstrict(e: Expr): boolean {
  return someExpr(e, (n) => {
    switch (n.kind) {
      case 'Var': case 'Const': case 'Param': case 'RelabelType': case 'CollateExpr': case 'CoerceViaIO': case 'PlaceHolderVar': return false;
      case 'FuncExpr': return !strictFunction(n.funcid);
      case 'OpExpr': return !strictFunction(n.opfuncid);
      case 'BoolExpr': return n.boolop !== 'not';
      default: return true;
    }
  });
}

/** What a condition that is nothing but a boolean, or its negation, says that this is; null: it is another condition (match_boolean_index_clause). */
export function booleanValue(e: Expr, matches: (e: Expr) => boolean): boolean | null {
  if (matches(e)) return true;
  if (e.kind === 'BoolExpr') return e.boolop === 'not' && matches(e.args[0]!) ? false : null;
  if (e.kind !== 'BooleanTest' || !matches(e.arg)) return null;
  return e.booltesttype === 'is_true' ? true : e.booltesttype === 'is_false' ? false : null;
}

/** Vars the condition forces to be NULL (find_forced_null_vars). */
export function findForcedNullVars(e: Expr | null): Var[] {
  if (e === null) return [];
  if (e.kind === 'NullTest' && e.isNull && !e.argisrow && e.arg.kind === 'Var' && e.arg.varlevelsup === 0) return [e.arg];
  if (e.kind === 'BooleanTest' && e.booltesttype === 'is_unknown' && e.arg.kind === 'Var' && e.arg.varlevelsup === 0) return [e.arg];
  if (e.kind === 'BoolExpr' && e.boolop === 'and') return e.args.flatMap(findForcedNullVars);
  return [];
}

/** Vars whose being NULL makes the condition false or NULL. */
export function findNonnullableVars(e: Expr | null, top = true): Var[] {
  if (e === null) return [];
  switch (e.kind) {
    case 'Var': return e.varlevelsup === 0 ? [e] : [];
    case 'FuncExpr': return strictFunction(e.funcid) ? e.args.flatMap((a) => findNonnullableVars(a, false)) : [];
    case 'OpExpr': return strictFunction(e.opfuncid) ? e.args.flatMap((a) => findNonnullableVars(a, false)) : [];
    case 'BoolExpr': return e.boolop === 'and' && top ? e.args.flatMap((a) => findNonnullableVars(a, true)) : e.boolop === 'not' ? findNonnullableVars(e.args[0]!, false) : [];
    case 'RelabelType': case 'PlaceHolderVar': return findNonnullableVars(e.arg, top);
    case 'NullTest': return top && !e.isNull ? findNonnullableVars(e.arg, false) : [];
    default: return [];
  }
}

// ------------------------------------------------------------------ constant folding

/** The defaults of a function as they are now (expand_function_arguments); polymorphic ones stay as they were. */
function withDefaults({ defaulted = 0, written, ...call }: FuncExpr): FuncExpr {
  const proc = procByOid(call.funcid);
  const stored = proc?.proargdefaults ?? null;
  if (proc === undefined || stored === null || proc.pronargdefaults < defaulted || written?.numbers.length === call.args.length) return call;
  const first = call.args.length - proc.pronargdefaults, known = stringToNode<Expr[]>(stored);
  const isDefault = (i: number): boolean => (written === undefined ? i >= call.args.length - defaulted : i >= first && !written.numbers.includes(i));
  return { ...call, args: call.args.map((a, i) => (isDefault(i) && exprType(known[i - first]!) === exprType(a) ? evalConstExpressions(known[i - first]!) : a)) };
}

const TRUE: Const = makeConst(16, -1, 0, true);
export const FALSE: Const = makeConst(16, -1, 0, false);
export const isTrue = (e: Expr): boolean => e.kind === 'Const' && e.constvalue === true;
export const isFalseOrNull = (e: Expr): boolean => e.kind === 'Const' && (e.constvalue === false || e.constvalue === null);

/** eval_const_expressions: folds what has no Vars, parameters or side effects, and simplifies AND, OR, NOT, CASE. */
export function evalConstExpressions(e: Expr): Expr {
  switch (e.kind) {
    case 'Var': case 'Const': case 'Param': return e;
    case 'SubLink': {
      // The subquery is simplified when it is planned.
      return e.testexpr === null ? e : { ...e, testexpr: evalConstExpressions(e.testexpr) };
    }
    // What constants decide here is not reached, so it must not be computed either: it could fail.
    case 'BoolExpr': return foldBool(e);
    case 'CaseExpr': return foldCase(e);
    case 'CoalesceExpr': return foldCoalesce(e);
    default:
  }
  checkWhileWorking(1);
  const node = expressionTreeMutator(e, evalConstExpressions);
  switch (node.kind) {
    case 'FuncExpr': {
      const call = node.defaulted === undefined && node.written === undefined ? node : withDefaults(node);
      if (call.funcretset) return call;
      const folded = foldCall(call, call.funcid, call.args, call.inputcollid);
      return folded === call ? withoutLengthCoercion(call) ?? call : folded;
    }
    case 'OpExpr': return node.opretset ? node : booleanEquality(node) ?? foldCall(node, node.opfuncid, node.args, node.inputcollid);
    case 'NullIfExpr': case 'ScalarArrayOpExpr': case 'DistinctExpr': {
      // NULL equals nothing.
      if (node.kind === 'NullIfExpr' && node.args.some((a) => a.kind === 'Const' && a.constvalue === null)) return node.args[0]!;
      if (node.args.every(isKnown) && functionInfo(node.opfuncid).volatility === 'i') return foldToConst(node);
      return node;
    }
    case 'NullTest':
      if (node.argisrow && node.arg.kind === 'RowExpr') return foldRowTest(node, node.arg.args);
      if (node.arg.kind === 'Const' && !node.argisrow) {
        noteSlot(node.arg);
        return makeConst(BOOLOID, -1, 0, (node.arg.constvalue === null) === node.isNull);
      }
      return !node.argisrow && isKnown(node.arg) ? foldToConst(node) : node;
    case 'RelabelType': return relabeled(node);
    // A domain without constraints is its base type by another name.
    case 'CoerceToDomain':
      if (domainHasConstraints(node.resulttype)) return node;
      return relabeled({ kind: 'RelabelType', arg: node.arg, resulttype: node.resulttype, resulttypmod: node.resulttypmod, resultcollid: node.resultcollid, relabelformat: node.coercionformat, location: node.location });
    case 'CollateExpr': {
      const arg = node.arg.kind === 'RelabelType' ? node.arg.arg : node.arg;
      if (node.arg.kind === 'Const') return { ...node.arg, constcollid: node.collOid };
      if (exprCollation(node.arg) === node.collOid) return node.arg;
      return { kind: 'RelabelType', arg, resulttype: exprType(node.arg), resulttypmod: exprTypmod(node.arg), resultcollid: node.collOid, relabelformat: 'explicit_cast', location: -1 };
    }
    case 'BooleanTest': case 'ArrayExpr': case 'RowExpr': case 'MinMaxExpr': case 'ArrayCoerceExpr': case 'CoerceViaIO': case 'SubscriptingRef':
      if (node.kind === 'ArrayExpr' && node.elements.every(isConst)) return node.elements.length <= MAX_LITERALS_LISTED && node.elements.some(isLiteral) ? node : foldToConst(node);
      if (node.kind !== 'ArrayCoerceExpr' && someExpr(node, (n) => n.kind === 'CaseTestExpr')) return node;
      return allConst(node) && !containsMutable(node) ? foldToConst(node) : node;
    // A child's row becomes its parent's parent's at once.
    case 'ConvertRowtypeExpr': {
      const whole = node.arg.kind === 'ConvertRowtypeExpr' ? { ...node, arg: node.arg.arg } : node;
      return whole.arg.kind === 'Const' ? foldToConst(whole) : whole;
    }
    // A column of a row that is made here.
    case 'FieldSelect': {
      if (node.arg.kind === 'Const') return foldToConst(node);
      const field = node.arg.kind === 'RowExpr' ? node.arg.args[node.fieldnum - 1] : undefined;
      return field !== undefined && exprType(field) === node.resulttype && exprTypmod(field) === node.resulttypmod && exprCollation(field) === node.resultcollid ? field : node;
    }
    default: return node;
  }
}
inlineHooks.simplify = evalConstExpressions;

/** A row that is made here IS [NOT] NULL when each of its columns is. */
function foldRowTest(test: NullTest, columns: readonly Expr[]): Expr {
  const tests: Expr[] = [];
  for (const arg of columns) {
    if (arg.kind !== 'Const') tests.push({ ...test, arg, argisrow: false });
    else {
      noteSlot(arg);
      if ((arg.constvalue === null) !== test.isNull) return FALSE;
    }
  }
  return simplifyBool('and', tests);
}

/** Of several relabelings the last counts; one back to what it was is none (applyRelabelType). */
function relabeled(node: RelabelType): Expr {
  let { arg } = node;
  while (arg.kind === 'RelabelType' && exprType(arg.arg) !== INT4OID) ({ arg } = arg);
  const { resulttype, resulttypmod, resultcollid } = node;
  // A negative integer is another number as an oid.
  const another = arg.kind === 'Const' && arg.consttype !== resulttype && (typeof arg.constvalue === 'number' && (arg.constvalue < 0 || arg.constvalue > 0x7fffffff)
    || NUMBERS.has(arg.consttype) && (NUMBERS.has(resulttype) || resulttype >= FirstNormalObjectId && typeByOid(resulttype)!.typtype === 'b')); // its bits, by a cast WITHOUT FUNCTION
  if (arg.kind === 'Const' && !another) return { ...arg, consttype: resulttype, consttypmod: resulttypmod, constcollid: resultcollid };
  if (exprType(arg) === resulttype && exprTypmod(arg) === resulttypmod && exprCollation(arg) === resultcollid) return arg;
  return arg === node.arg ? node : { ...node, arg };
}
const NUMBERS = new Set<Oid>([INT8OID, INT4OID, FLOAT4OID, FLOAT8OID]);

/** AND and OR up to the first argument that decides. */
function foldBool(e: BoolExpr): Expr {
  const args: Expr[] = [];
  for (const a of e.args) {
    const arg = evalConstExpressions(a);
    args.push(arg);
    if (e.boolop !== 'not' && arg.kind === 'Const' && arg.constvalue === (e.boolop === 'or')) break;
  }
  return simplifyBool(e.boolop, args);
}
/** A constant, or what a call of lifted literals was left as. */
function isKnown(e: Expr): boolean {
  switch (e.kind) {
    case 'Const': return true;
    case 'RelabelType': return isKnown(e.arg);
    case 'FuncExpr': return session.literalsLifted && !e.funcretset && isPure(e.funcid) && e.args.every(isKnown);
    case 'OpExpr': return session.literalsLifted && !e.opretset && isPure(e.opfuncid) && e.args.every(isKnown);
    default: return false;
  }
}
function isPure(funcid: Oid): boolean {
  const { volatility, builtin } = functionInfo(funcid);
  return volatility === 'i' && builtin !== undefined;
}

/** CASE without the arms that are never taken, and up to the one that always is. */
function foldCase(e: CaseExpr): Expr {
  let arg = e.arg === null ? null : evalConstExpressions(e.arg);
  let test = (x: Expr): Expr => x;
  if (arg?.kind === 'Const' && e.args.every((w) => !containsMutable(w.expr))) {
    // CASE constant WHEN ...: the tests can be done now, the value put in for CaseTestExpr.
    const value = arg;
    test = (x) => (x.kind === 'CaseTestExpr' ? value : x.kind === 'CaseExpr' ? x : expressionTreeMutator(x, test));
    arg = null;
  }
  const args = [];
  let { defresult } = e;
  for (const when of e.args) {
    const expr = evalConstExpressions(test(when.expr));
    if (isFalseOrNull(expr)) continue;
    if (isTrue(expr)) {
      defresult = when.result;
      break;
    }
    args.push({ ...when, expr, result: evalConstExpressions(when.result) });
  }
  defresult &&= evalConstExpressions(defresult);
  if (args.length === 0) return defresult ?? makeConst(e.casetype, -1, e.casecollid, null);
  return { ...e, arg, args, defresult };
}

/** COALESCE without constant NULLs, and up to the first other constant. */
function foldCoalesce(e: CoalesceExpr): Expr {
  const args: Expr[] = [];
  for (const a of e.args) {
    const arg = evalConstExpressions(a);
    if (arg.kind === 'Const' && arg.constvalue === null) continue;
    args.push(arg);
    if (arg.kind === 'Const') break;
  }
  if (args.length === 0) return makeConst(e.coalescetype, -1, e.coalescecollid, null);
  return args.length === 1 && args[0]!.kind === 'Const' ? args[0]! : { ...e, args };
}

/** Longer lists are looked up in a set, made for their values. */
const MAX_LITERALS_LISTED = 32;
const isLiteral = (e: Expr): boolean => e.kind === 'Const' && e.slot !== undefined;
export const isConst = (e: Expr): boolean => e.kind === 'Const';

function allConst(e: Expr): boolean {
  let all = true;
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Const' && child.kind !== 'CaseTestExpr' && !(child.kind !== 'Query' && allLeafless(child))) all = false;
    return !all;
  });
  return all;
}
const allLeafless = (e: Expr): boolean => !someExpr(e, (n) => n.kind === 'Var' || n.kind === 'PlaceHolderVar' || n.kind === 'Param' || n.kind === 'SubLink' || n.kind === 'SubPlan' || n.kind === 'Aggref' || n.kind === 'WindowFunc'
  || (n.kind === 'FuncExpr' && n.funcretset) || (n.kind === 'OpExpr' && n.opretset));

const noteSlot = (c: Const): void => pinLiteral(c.slot);

const BOOLEAN_EQUAL = 91, BOOLEAN_NOT_EQUAL = 85;

/** x = true is x, x = false is NOT x (simplify_boolean_equality); null: it is something else. */
function booleanEquality(node: Expr & { kind: 'OpExpr' }): Expr | null {
  if (node.opno !== BOOLEAN_EQUAL && node.opno !== BOOLEAN_NOT_EQUAL) return null;
  const [a, b] = node.args as [Expr, Expr];
  const [c, x] = a.kind === 'Const' ? [a, b] : [b, a];
  if (c.kind !== 'Const' || c.constvalue === null || c.slot !== undefined || x.kind === 'Const') return null;
  return (c.constvalue === true) === (node.opno === BOOLEAN_EQUAL) ? x : negate(x);
}

function foldCall(node: Expr, funcid: number, args: readonly Expr[], collation: number): Expr {
  const info = functionInfo(funcid);
  if (info.strict && args.some((a) => a.kind === 'Const' && a.constvalue === null)) {
    return makeConst(exprType(node), exprTypmod(node), exprCollation(node), null);
  }
  // What is true, false or NULL decides about others, which are not computed then.
  const folds = exprType(node) === BOOLOID ? isKnown : isConst;
  if (info.volatility !== 'i' || info.builtin === undefined || !args.every(folds)) return (info.internal && !info.prosrc.startsWith('sql_') ? null : inlineHooks.call(node, funcid, args, collation)) ?? node;
  // A lifted literal may be another one next time: other calls are left to be done then.
  if (folds === isConst && args.some(isLiteral)) return node;
  return foldToConst(node);
}

export function simplifyBool(boolop: 'and' | 'or' | 'not', args: readonly Expr[]): Expr {
  if (boolop === 'not') return negate(args[0]!);
  const flat: Expr[] = [];
  const decided = boolop === 'or';
  let sawNull = false;
  const add = (list: readonly Expr[]): boolean => {
    for (const a of list) {
      if (a.kind === 'BoolExpr' && a.boolop === boolop) {
        if (add(a.args)) return true;
      } else if (a.kind === 'Const') {
        if (a.constvalue === decided) return true;
        if (a.constvalue === null) sawNull = true;
      } else flat.push(a);
    }
    return false;
  };
  if (add(args)) return decided ? TRUE : FALSE;
  if (sawNull) flat.push(makeConst(16, -1, 0, null));
  if (flat.length === 0) return decided ? FALSE : TRUE;
  return flat.length === 1 ? flat[0]! : makeBoolExpr(boolop, flat);
}

/** A join clause with this side on the left (get_switched_clauses). */
export function switchedClause(clause: Expr, outer: Expr, inner: Expr): Expr {
  if (clause.kind !== 'OpExpr' || clause.args[0] === outer) return clause;
  const opno = operator(clause.opno).oprcom || clause.opno;
  return { ...clause, opno, opfuncid: operator(opno).oprcode, args: [outer, inner] };
}

/** NOT pushed down where an operator has a negator. */
export function negate(e: Expr): Expr {
  switch (e.kind) {
    case 'Const': return e.constvalue === null ? e : e.constvalue === true ? FALSE : TRUE;
    case 'BoolExpr':
      if (e.boolop === 'not') return e.args[0]!;
      return simplifyBool(e.boolop === 'and' ? 'or' : 'and', e.args.map(negate));
    case 'OpExpr': {
      const negator = operator(e.opno).oprnegate;
      if (negator === 0) return makeBoolExpr('not', [e]);
      const turned = { ...e, opno: negator, opfuncid: operator(negator).oprcode };
      return booleanEquality(turned) ?? turned;
    }
    case 'ScalarArrayOpExpr': {
      const negator = operator(e.opno).oprnegate;
      return negator === 0 ? makeBoolExpr('not', [e]) : { ...e, opno: negator, opfuncid: operator(negator).oprcode, useOr: !e.useOr };
    }
    case 'NullTest': return e.argisrow ? makeBoolExpr('not', [e]) : { ...e, isNull: !e.isNull };
    case 'BooleanTest': {
      const opposite = { is_true: 'is_not_true', is_not_true: 'is_true', is_false: 'is_not_false', is_not_false: 'is_false', is_unknown: 'is_not_unknown', is_not_unknown: 'is_unknown' } as const;
      return { ...e, booltesttype: opposite[e.booltesttype] };
    }
    default: return makeBoolExpr('not', [e]);
  }
}

/** canonicalize_qual: implicit ANDs, with conditions common to all arms of an OR pulled out. `isCheck`: a constraint, which NULL meets. */
export function canonicalizeQual(e: Expr, isCheck = false): Expr {
  if (e.kind !== 'BoolExpr' || e.boolop === 'not') return e;
  const args: Expr[] = [];
  for (const a of e.args) {
    const arg = canonicalizeQual(a, isCheck);
    if (arg.kind !== 'Const' || arg.slot !== undefined) args.push(arg);
    // What is NULL is not true.
    else if (!isCheck && (arg.constvalue === true) === (e.boolop === 'or')) return makeBoolConst(e.boolop === 'or');
    else if (isCheck) args.push(arg);
  }
  if (args.length === 0) return makeBoolConst(e.boolop === 'and');
  if (e.boolop === 'and') return simplifyBool('and', args);
  const arms = args.map((a) => (a.kind === 'BoolExpr' && a.boolop === 'and' ? a.args : [a]));
  const common = arms[0]!.filter((c) => arms.every((arm) => arm.some((x) => equal(x, c))));
  if (common.length === 0) return simplifyBool('or', args);
  const rests = arms.map((arm) => arm.filter((x) => !common.some((c) => equal(c, x))));
  if (rests.some((r) => r.length === 0)) return simplifyBool('and', common);
  return simplifyBool('and', [...common, simplifyBool('or', rests.map((r) => simplifyBool('and', r)))]);
}


