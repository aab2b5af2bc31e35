// Whether conditions imply or refute another, by their form alone (PostgreSQL's predtest.c): for constraints that make a
// look at the rows unnecessary, and for tables whose constraints say that no row can be wanted.
//
// Weak and strong are PostgreSQL's: strong implication is "true gives true", weak "not false gives not false"; strong
// refutation is "true gives false", weak "true gives not true".
import { amopsByOperator } from '../catalog/syscache.ts';
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { typeComparator } from '../executor/sort_support.ts';
import { makeConst, makeOpExpr } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Const, Expr } from '../nodes/primnodes.ts';
import type { ArrayValue, Oid } from '../types/datum.ts';
import { pinLiteral } from '../utils/session.ts';
import { containsMutable, equal, stripRelabel } from './clauses.ts';

const MAX_SAOP_ARRAY_SIZE = 100;

/** Whether all of `clauses` together mean that all of `predicates` hold. */
export function predicateImpliedBy(predicates: readonly Expr[], clauses: readonly Expr[], weak: boolean): boolean {
  if (predicates.length === 0) return true;
  if (clauses.length === 0) return false;
  return implied(listOf(clauses), listOf(predicates), weak);
}

/** Whether all of `clauses` together mean that `predicates` cannot hold together. */
export function predicateRefutedBy(predicates: readonly Expr[], clauses: readonly Expr[], weak: boolean): boolean {
  if (predicates.length === 0 || clauses.length === 0) return false;
  return refuted(listOf(clauses), listOf(predicates), weak);
}

const listOf = (list: readonly Expr[]): Expr => (list.length === 1 ? list[0]! : { kind: 'BoolExpr', boolop: 'and', args: [...list], location: -1 });

/** Parts of an AND or OR; x = ANY (list) is an OR of equalities, x op ALL (list) an AND (predicate_classify). */
function parts(e: Expr): { op: 'and' | 'or' | 'atom'; args: readonly Expr[] } {
  if (e.kind === 'BoolExpr' && e.boolop !== 'not') return { op: e.boolop, args: e.args };
  if (e.kind === 'ScalarArrayOpExpr') {
    const [left, array] = e.args;
    const elements = array.kind === 'ArrayExpr' && !array.multidims ? array.elements : array.kind === 'Const' ? constElements(array) : null;
    if (elements !== null && elements.length > 0 && elements.length <= MAX_SAOP_ARRAY_SIZE) {
      return { op: e.useOr ? 'or' : 'and', args: elements.map((x) => makeOpExpr(e.opno, e.opfuncid, 16, [left, x], 0, e.inputcollid)) };
    }
  }
  return { op: 'atom', args: [e] };
}

function constElements(array: Const): Expr[] | null {
  const value = array.constvalue as ArrayValue | null;
  if (value === null || typeof value !== 'object' || !('values' in value)) return null;
  pinLiteral(array.slot);
  return (value.values as Const['constvalue'][]).map((v) => makeConst(value.elementType, -1, array.constcollid, v));
}

function implied(clause: Expr, predicate: Expr, weak: boolean): boolean {
  const c = parts(clause);
  const p = parts(predicate);
  switch (c.op) {
    case 'and':
      if (p.op === 'and') return p.args.every((x) => implied(clause, x, weak));
      if (p.op === 'or' && p.args.some((x) => implied(clause, x, weak))) return true;
      return c.args.some((x) => implied(x, predicate, weak));
    case 'or':
      if (p.op === 'or') return c.args.every((x) => p.args.some((y) => implied(x, y, weak)));
      return c.args.every((x) => implied(x, predicate, weak));
    case 'atom':
      if (p.op === 'and') return p.args.every((x) => implied(clause, x, weak));
      if (p.op === 'or') return p.args.some((x) => implied(clause, x, weak));
      return simpleImplied(clause, predicate, weak);
  }
}

function refuted(clause: Expr, predicate: Expr, weak: boolean): boolean {
  const c = parts(clause);
  const p = parts(predicate);
  const not = notArg(predicate);
  switch (c.op) {
    case 'and':
      if (p.op === 'and') return p.args.some((x) => refuted(clause, x, weak)) || c.args.some((x) => refuted(x, predicate, weak));
      if (p.op === 'or') return p.args.every((x) => refuted(clause, x, weak));
      if (not !== null && implied(clause, not, false)) return true;
      return c.args.some((x) => refuted(x, predicate, weak));
    case 'or':
      if (p.op === 'or') return p.args.every((x) => refuted(clause, x, weak));
      if (p.op === 'and') return c.args.every((x) => p.args.some((y) => refuted(x, y, weak)));
      if (not !== null && implied(clause, not, false)) return true;
      return c.args.every((x) => refuted(x, predicate, weak));
    case 'atom': {
      const own = notArg(clause);
      if (own !== null && implied(predicate, own, !weak)) return true;
      if (p.op === 'and') return p.args.some((x) => refuted(clause, x, weak));
      if (p.op === 'or') return p.args.every((x) => refuted(clause, x, weak));
      if (not !== null && implied(clause, not, false)) return true;
      return simpleRefuted(clause, predicate, weak);
    }
  }
}

function notArg(e: Expr): Expr | null {
  if (e.kind === 'BoolExpr' && e.boolop === 'not') return e.args[0]!;
  if (e.kind === 'BooleanTest' && (e.booltesttype === 'is_not_true' || e.booltesttype === 'is_false')) return e.arg;
  return null;
}

function simpleImplied(clause: Expr, predicate: Expr, weak: boolean): boolean {
  if (equal(clause, predicate)) return true;
  if (predicate.kind === 'NullTest' && !predicate.isNull && !predicate.argisrow && !weak && isStrictFor(clause, predicate.arg, true)) return true;
  return operatorProof(predicate, clause, false);
}

function simpleRefuted(clause: Expr, predicate: Expr, weak: boolean): boolean {
  if (equal(clause, predicate)) return false;
  if (predicate.kind === 'NullTest' && predicate.isNull && !predicate.argisrow) {
    if (isStrictFor(clause, predicate.arg, true)) return true;
    if (clause.kind === 'NullTest' && !clause.isNull && !clause.argisrow && equal(clause.arg, predicate.arg)) return true;
    return false;
  }
  if (clause.kind === 'NullTest' && clause.isNull && !clause.argisrow) {
    // "x IS NULL" makes strict conditions on x NULL: not true.
    if (weak && isStrictFor(predicate, clause.arg, true)) return true;
    return predicate.kind === 'NullTest' && !predicate.isNull && !predicate.argisrow && equal(predicate.arg, clause.arg);
  }
  return operatorProof(predicate, clause, true);
}

/** Whether the expression is NULL (or, at the top, at least not true) when `sub` is. */
function isStrictFor(e: Expr, sub: Expr, top: boolean): boolean {
  if (equal(stripRelabel(e), stripRelabel(sub))) return true;
  switch (e.kind) {
    case 'OpExpr': return functionInfo(e.opfuncid).strict && e.args.some((a) => isStrictFor(a, sub, false));
    case 'FuncExpr': return functionInfo(e.funcid).strict && e.args.some((a) => isStrictFor(a, sub, false));
    case 'RelabelType': case 'CoerceViaIO': case 'ArrayCoerceExpr': case 'ConvertRowtypeExpr': return isStrictFor(e.arg, sub, false);
    case 'ScalarArrayOpExpr': return top && functionInfo(e.opfuncid).strict && isStrictFor(e.args[0], sub, false);
    case 'NullTest': return top && !e.isNull && !e.argisrow && isStrictFor(e.arg, sub, false);
    case 'BoolExpr': return e.boolop === 'not' && isStrictFor(e.args[0]!, sub, top);
    default: return false;
  }
}

// ---- x op c against x op c

const BTREE = 403;
/** Strategies of btree families, and 6 for <>. */
const NEGATED = [0, 4, 5, 6, 1, 2, 3];

/** Strategies of an operator by family; <> through its negator. */
function strategies(opno: Oid): Map<Oid, number> {
  const found = new Map<Oid, number>();
  for (const a of amopsByOperator(opno)) if (a.amopmethod === BTREE) found.set(a.amopfamily, a.amopstrategy);
  if (found.size === 0) {
    const negator = operator(opno).oprnegate;
    if (negator !== 0) for (const a of amopsByOperator(negator)) if (a.amopmethod === BTREE && a.amopstrategy === 3) found.set(a.amopfamily, 6);
  }
  return found;
}

/** `x op c` with the constant on the right. */
function normal(e: Expr): { x: Expr; opno: Oid; c: Const; collation: Oid } | null {
  if (e.kind !== 'OpExpr' || e.args.length !== 2) return null;
  const [a, b] = e.args as [Expr, Expr];
  if (b.kind === 'Const') return { x: a, opno: e.opno, c: b, collation: e.inputcollid };
  if (a.kind !== 'Const') return null;
  const opno = operator(e.opno).oprcom;
  return opno === 0 ? null : { x: b, opno, c: a, collation: e.inputcollid };
}

/** operator_predicate_proof. */
function operatorProof(predicate: Expr, clause: Expr, refute: boolean): boolean {
  const p = normal(predicate);
  const c = p === null ? null : normal(clause);
  if (p === null || c === null || p.collation !== c.collation || !equal(p.x, c.x)) return sameOperands(predicate, clause, refute);
  if (p.c.constvalue === null || c.c.constvalue === null) return c.c.constvalue === null && functionInfo(operator(c.opno).oprcode).strict;
  const ps = strategies(p.opno);
  for (const [family, cs] of strategies(c.opno)) {
    const own = ps.get(family);
    if (own === undefined) continue;
    if (containsMutable(predicate) || containsMutable(clause)) return false;
    pinLiteral(p.c.slot);
    pinLiteral(c.c.slot);
    const cmp = typeComparator(exprType(c.c), c.collation, exprType(p.c))(c.c.constvalue, p.c.constvalue);
    if (impliesByOrder(cs, refute ? NEGATED[own]! : own, cmp)) return true;
  }
  return false;
}

/** x < y against x >= y and the like: the same operands, neither a constant. */
function sameOperands(predicate: Expr, clause: Expr, refute: boolean): boolean {
  if (predicate.kind !== 'OpExpr' || clause.kind !== 'OpExpr' || predicate.args.length !== 2 || clause.args.length !== 2 || predicate.inputcollid !== clause.inputcollid) return false;
  let { opno } = predicate;
  if (!equal(predicate.args, clause.args)) {
    if (!equal(predicate.args[0], clause.args[1]) || !equal(predicate.args[1], clause.args[0])) return false;
    opno = operator(opno).oprcom;
  }
  if (opno === 0 || functionInfo(operator(opno).oprcode).volatility !== 'i') return false;
  const ps = strategies(opno);
  for (const [family, cs] of strategies(clause.opno)) {
    const own = ps.get(family);
    if (own !== undefined && impliesByOrder(cs, refute ? NEGATED[own]! : own, 0)) return true;
  }
  return false;
}

/** Whether x c-op C means x p-op P; cmp: C compared with P. */
function impliesByOrder(c: number, p: number, cmp: number): boolean {
  switch (c) {
    case 3: return p === 1 ? cmp < 0 : p === 2 ? cmp <= 0 : p === 3 ? cmp === 0 : p === 4 ? cmp >= 0 : p === 5 ? cmp > 0 : cmp !== 0;
    case 1: return p === 1 || p === 2 || p === 6 ? cmp <= 0 : false;
    case 2: return p === 1 || p === 6 ? cmp < 0 : p === 2 ? cmp <= 0 : false;
    case 5: return p === 5 || p === 4 || p === 6 ? cmp >= 0 : false;
    case 4: return p === 5 || p === 6 ? cmp > 0 : p === 4 ? cmp >= 0 : false;
    case 6: return p === 6 && cmp === 0;
    default: return false;
  }
}
