// Conditions that an index serves though none of its operators is in them (the support functions of PostgreSQL's
// like_support.c and network.c): texts that begin like a pattern, addresses within a network. The index finds a range that
// holds them; the condition itself is asked of the rows still.
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { callable, functionInfo, operator } from '../executor/fmgr_info.ts';
import { makeConst, makeOpExpr } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { IndexCondition } from '../nodes/plannodes.ts';
import type { Const, Expr, OpExpr } from '../nodes/primnodes.ts';
import { icuCollator, isNondeterministic } from '../types/collation.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { fixedPrefix, greaterText, type PatternKind } from '../types/pattern_prefix.ts';
import { stripRelabel } from './clauses.ts';

const DEFAULT_COLLATION = 100, BOOLOID = 16, NAMEOID = 19, TEXTOID = 25, BPCHAROID = 1042, NETWORK_BTREE_FAMILY = 1974;
const BPCHAR_FAMILIES = new Set([426, 2097]), TEXT_FAMILIES = new Set([1994, 2095, ...BPCHAR_FAMILIES]);
export const PATTERN_FAMILIES: ReadonlySet<Oid> = new Set([2095, 2097]);
const STRATEGY = { '<': 1, '<=': 2, '=': 3, '>=': 4, '>': 5 } as const;

/** By the estimators of the operators, and by name the function that is written as a call. */
const PATTERNS: Readonly<Record<string, PatternKind>> = { likesel: 'like', iclikesel: 'ilike', regexeqsel: 'regex', icregexeqsel: 'iregex', prefixsel: 'prefix' };
const STARTS_WITH = 3696, STARTS_WITH_OPERATOR = 3877, PREFIX_STRATEGY = 28;
export const SPGIST_TEXT_FAMILY = 4017;

export interface DerivedCondition { condition: IndexCondition; expr: Expr }

/** The pattern match that a condition is, if it is one. */
function patternMatch(clause: Expr): { kind: PatternKind; subject: Expr; pattern: Expr } | null {
  let kind: PatternKind | undefined;
  if (clause.kind === 'OpExpr' && clause.args.length === 2) {
    const estimator = operator(clause.opno).oprrest;
    kind = estimator === 0 ? undefined : PATTERNS[functionInfo(estimator).name];
  } else if (clause.kind === 'FuncExpr' && clause.funcid === STARTS_WITH) kind = 'prefix';
  if (kind === undefined) return null;
  const [subject, pattern] = (clause as OpExpr).args as [Expr, Expr];
  return { kind, subject, pattern };
}

/** A pattern that the planner knows. */
function knownPattern(pattern: Expr): string | null {
  const p = stripRelabel(pattern);
  return p.kind === 'Const' && p.slot === undefined && typeof p.constvalue === 'string' ? p.constvalue : null;
}

/** What an index column can look for; `matches` tells which expression the column holds. */
export function derivedConditions(info: IndexInfo, column: number, clause: Expr, matches: (e: Expr) => boolean): DerivedCondition[] {
  const { opfamily } = info.columns[column]!;
  if (opfamily === SPGIST_TEXT_FAMILY) return prefixConditions(info, column, clause, matches);
  if (info.accessMethod !== 'btree') return [];
  if (opfamily === NETWORK_BTREE_FAMILY) return networkConditions(column, clause, matches);
  if (!TEXT_FAMILIES.has(opfamily)) return [];
  const match = patternMatch(clause);
  return match === null || !matches(match.subject) ? [] : patternConditions(info, column, clause, match);
}

/** A comparison with the column, as the executor wants it and as an expression. */
function derived(column: number, strategy: keyof typeof STRATEGY, family: Oid, subject: Expr, value: Const, collation: Oid): DerivedCondition[] {
  const opno = getOpfamilyMember(family, exprType(subject), value.consttype, STRATEGY[strategy]);
  if (opno === 0) return [];
  return [{ condition: { column: column + 1, strategy, value }, expr: makeOpExpr(opno, operator(opno).oprcode, BOOLOID, [subject, value], 0, collation) }];
}

function patternConditions(info: IndexInfo, column: number, clause: Expr, match: { kind: PatternKind; subject: Expr; pattern: Expr }): DerivedCondition[] {
  const { opfamily, collation } = info.columns[column]!;
  const bytewise = PATTERN_FAMILIES.has(opfamily) || icuCollator(collation) === null;
  const { kind, pattern } = match;
  const text = knownPattern(pattern);
  if (text === null) {
    // Its range is found when the value is there.
    if (!bytewise || pattern.kind !== 'Param' || pattern.paramkind !== 'extern' || (kind !== 'like' && kind !== 'prefix')) return [];
    return [{ condition: { column: column + 1, strategy: kind, value: pattern }, expr: clause }];
  }
  // Indexes of names hold names; a text in front of which one was made has no operators in the family.
  const stripped = stripRelabel(match.subject);
  const subject = BPCHAR_FAMILIES.has(opfamily) || exprType(stripped) === NAMEOID ? stripped : match.subject;
  const type = BPCHAR_FAMILIES.has(opfamily) ? BPCHAROID : TEXTOID;
  const make = (strategy: keyof typeof STRATEGY, value: Datum): DerivedCondition[] => derived(column, strategy, opfamily, subject, makeConst(type, -1, DEFAULT_COLLATION, value), collation);
  const { prefix, exact } = fixedPrefix(text, kind);
  if (exact) return isNondeterministic(collation) ? [] : make('=', prefix);
  if (prefix === '' || !bytewise) return [];
  const greater = greaterText(prefix);
  return [...make('>=', prefix), ...(greater === null ? [] : make('<', greater))];
}

/** Trees over texts know prefixes as such. */
function prefixConditions(info: IndexInfo, column: number, clause: Expr, matches: (e: Expr) => boolean): DerivedCondition[] {
  const match = patternMatch(clause), text = match === null ? null : knownPattern(match.pattern);
  if (match === null || text === null || !matches(match.subject)) return [];
  const { prefix, exact } = fixedPrefix(text, match.kind);
  const value = makeConst(TEXTOID, -1, DEFAULT_COLLATION, prefix), { opfamily, collation } = info.columns[column]!;
  if (exact) return derived(column, '=', opfamily, match.subject, value, collation);
  if (prefix === '') return [];
  return [{ condition: { column: column + 1, strategy: 'lossy', number: PREFIX_STRATEGY, value }, expr: makeOpExpr(STARTS_WITH_OPERATOR, STARTS_WITH, BOOLOID, [match.subject, value], 0, collation) }];
}

const WITHIN: Readonly<Record<number, { commuted: boolean; equal: boolean }>> = {
  931: { commuted: false, equal: false }, 932: { commuted: false, equal: true }, 933: { commuted: true, equal: false }, 934: { commuted: true, equal: true },
};
const NETWORK = 683, BROADCAST = 698, SET_MASKLEN = 605, INETOID = 869;

/** network_subset_support. */
function networkConditions(column: number, clause: Expr, matches: (e: Expr) => boolean): DerivedCondition[] {
  const within = clause.kind === 'OpExpr' ? WITHIN[clause.opno] : undefined;
  if (within === undefined) return [];
  const args = (clause as OpExpr).args as [Expr, Expr];
  const [subject, other] = within.commuted ? [args[1], args[0]] : args;
  const whole = stripRelabel(other);
  if (!matches(subject) || whole.kind !== 'Const' || whole.slot !== undefined || whole.constvalue === null) return [];
  const call = (oid: Oid, ...values: Datum[]): Datum => callable(functionInfo(oid), [INETOID], INETOID, 0)(...values);
  const first = call(NETWORK, whole.constvalue);
  const last = call(SET_MASKLEN, call(BROADCAST, whole.constvalue), -1);
  const make = (strategy: keyof typeof STRATEGY, value: Datum): DerivedCondition[] =>
    derived(column, strategy, NETWORK_BTREE_FAMILY, subject, makeConst(INETOID, -1, 0, value), 0);
  return [...make(within.equal ? '>=' : '>', first), ...make('<=', last)];
}
