// Selectivities and numbers of groups by statistics over several columns and over expressions (PostgreSQL's extended_stats.c, mcv.c,
// dependencies.c, and what selfuncs.c makes of mvdistinct.c).
import { registerCatalogCache, refreshCatalogs } from '../catalog/inval.ts';
import * as ids from '../catalog/oids.ts';
import * as sys from '../catalog/syscache.ts';
import { compilePredicate } from '../executor/expression.ts';
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { ArrayValue, Oid, RecordValue } from '../types/datum.ts';
import { itemValues, parseCommonValues, parseDependencies, parseDistinct, type CommonValues, type Dependency, type DistinctItem } from '../types/extended_stats.ts';
import { containsVolatile, equal, mutateDeep, pullVars, stripRelabel } from './clauses.ts';
import { clampProbability } from './costsize.ts';
import { forRelation } from './pathkeys.ts';
import { pinLiteral } from '../utils/session.ts';
import { statisticsOfRow, type ColumnStatistics } from './plancat.ts';
import type { RelOptInfo, RestrictInfo } from './pathnodes.ts';

interface Statistics {
  readonly columns: readonly number[];
  /** Over range table entry 1. */
  readonly expressions: readonly Expr[];
  readonly distinct: readonly DistinctItem[];
  readonly dependencies: readonly Dependency[];
  readonly common: CommonValues | null;
  readonly ofExpressions: readonly (ColumnStatistics | null)[];
}

const cache = new Map<string, readonly Statistics[]>();
registerCatalogCache(() => cache.clear());
const NONE: readonly Statistics[] = [];

function statisticsOf(rel: RelOptInfo): readonly Statistics[] {
  if (rel.relation === null) return NONE;
  refreshCatalogs();
  const { oid } = rel.relation, inherited = rel.children !== null, key = `${oid} ${inherited}`;
  let list = cache.get(key);
  if (list === undefined) cache.set(key, (list = readStatistics(oid, inherited)));
  return list;
}

function readStatistics(relation: Oid, inherited: boolean): readonly Statistics[] {
  const list: Statistics[] = [];
  const all = sys.lookupAll(ids.StatisticExtRelationId, ids.PgStatisticExtRelidIndexId, relation);
  for (const s of [...all].sort((a, b) => a.oid - b.oid)) {
    const data = sys.lookup(ids.StatisticExtDataRelationId, ids.PgStatisticExtDataStxoidInhIndexId, s.oid, inherited);
    if (data === undefined) continue;
    list.push({
      columns: s.stxkeys, expressions: s.stxexprs === null ? [] : stringToNode<Expr[]>(s.stxexprs),
      distinct: parseDistinct(data.stxdndistinct), dependencies: parseDependencies(data.stxddependencies), common: parseCommonValues(data.stxdmcv),
      ofExpressions: data.stxdexpr === null ? [] : (data.stxdexpr as ArrayValue).values.map((r) => statisticsOfRow(asRow(r as RecordValue))),
    });
  }
  return list;
}
const asRow = (record: RecordValue): Record<string, unknown> => Object.fromEntries(record.attributes.map((a, i) => [a.name, record.values[i]]));

/** What is known of the values of an expression over one relation. */
export function expressionStatistics(rel: RelOptInfo, e: Expr): ColumnStatistics | undefined {
  for (const s of statisticsOf(rel)) {
    const i = s.expressions.findIndex((x) => equal(forRelation(x, rel.rti), e));
    if (i >= 0 && s.ofExpressions[i]) return s.ofExpressions[i];
  }
  return undefined;
}

/** The number that a statistics object has for an expression; undefined: none. */
function numberOf(s: Statistics, rel: RelOptInfo, e: Expr): number | undefined {
  const x = stripRelabel(e);
  if (x.kind === 'Var' && x.varno === rel.rti && s.columns.includes(x.varattno)) return x.varattno;
  const i = s.expressions.findIndex((y) => equal(forRelation(y, rel.rti), e) || equal(forRelation(y, rel.rti), x));
  return i < 0 ? undefined : -1 - i;
}

// ---- groups

/** The number of combinations of some of these expressions, and which they are (estimate_multivariate_ndistinct). */
export function distinctTogether(rel: RelOptInfo, exprs: readonly Expr[]): { count: number; covered: Expr[] } | null {
  let best: { covered: Expr[]; numbers: number[]; s: Statistics } | null = null;
  for (const s of statisticsOf(rel)) {
    if (s.distinct.length === 0) continue;
    const found = exprs.map((e) => ({ e, n: numberOf(s, rel, e) })).filter((x) => x.n !== undefined);
    if (found.length < 2 || (best !== null && found.length <= best.covered.length)) continue;
    best = { covered: found.map((x) => x.e), numbers: found.map((x) => x.n!), s };
  }
  if (best === null) return null;
  const { covered, numbers } = best;
  const item = best.s.distinct.find((d) => d.columns.length === numbers.length && d.columns.every((c) => numbers.includes(c)));
  return item === undefined ? null : { count: item.distinct, covered };
}

// ---- conditions

/** A condition's share of the rows by what is known of single columns. */
export type Simple = (clauses: readonly RestrictInfo[]) => number;

const COMPARISONS = /^(?:eqsel|neqsel|scalar[lg][te]sel)$/;
const comparison = (opno: Oid): boolean => {
  const { oprrest } = operator(opno);
  return oprrest !== 0 && COMPARISONS.test(functionInfo(oprrest).name);
};
const constant = (e: Expr): boolean => {
  const c = stripRelabel(e);
  if (c.kind !== 'Const') return false;
  pinLiteral(c.slot);
  return true;
};

/** What a condition compares with constants, if it does nothing else (statext_is_compatible_clause). */
function subjects(e: Expr, into: Expr[]): boolean {
  const isSubject = (x: Expr): boolean => {
    if (pullVars(x).length === 0) return false;
    into.push(x);
    return true;
  };
  switch (e.kind) {
    case 'OpExpr': {
      if (e.args.length !== 2 || !comparison(e.opno)) return false;
      const [a, b] = e.args as [Expr, Expr];
      return constant(b) ? isSubject(a) : constant(a) && isSubject(b);
    }
    case 'ScalarArrayOpExpr': return comparison(e.opno) && constant(e.args[1]) && isSubject(e.args[0]);
    case 'BoolExpr': return e.args.every((a) => subjects(a, into));
    case 'NullTest': return isSubject(e.arg);
    case 'Var': return e.vartype === 16 && isSubject(e);
    default: return exprType(e) === 16 && e.kind !== 'Const' && !containsVolatile(e) && isSubject(e);
  }
}

interface Candidate { rinfo: RestrictInfo; subjects: readonly Expr[] }

/** The selectivity of those conditions that statistics over several columns tell something of, and the others. */
export function extendedSelectivity(rel: RelOptInfo, clauses: readonly RestrictInfo[], simple: Simple): { selectivity: number; rest: RestrictInfo[] } | null {
  const all = statisticsOf(rel);
  if (all.length === 0) return null;
  let rest = [...clauses], selectivity = 1;
  const used = (list: readonly RestrictInfo[]): void => { rest = rest.filter((r) => !list.includes(r)); };
  for (;;) {
    const best = bestForCommon(all, rel, candidatesOf(rest));
    if (best === null) break;
    selectivity *= byCommonValues(best.s, rel, best.covered, simple);
    used(best.covered);
  }
  const byDependencies = dependencySelectivity(all, rel, rest, simple);
  if (byDependencies !== null) {
    selectivity *= byDependencies.selectivity;
    used(byDependencies.used);
  }
  return rest.length === clauses.length ? null : { selectivity, rest };
}

function candidatesOf(clauses: readonly RestrictInfo[]): Candidate[] {
  const list: Candidate[] = [];
  for (const rinfo of clauses) {
    const found: Expr[] = [];
    if (!rinfo.pseudoconstant && subjects(rinfo.clause, found)) list.push({ rinfo, subjects: found });
  }
  return list;
}

/** choose_best_statistics. */
function bestForCommon(all: readonly Statistics[], rel: RelOptInfo, list: readonly Candidate[]): { s: Statistics; covered: RestrictInfo[] } | null {
  let best: { s: Statistics; covered: RestrictInfo[]; matched: number; keys: number } | null = null;
  for (const s of all) {
    if (s.common === null) continue;
    const numbers = new Set<number>(), covered: RestrictInfo[] = [];
    for (const { rinfo, subjects: of } of list) {
      const own = of.map((e) => numberOf(s, rel, e));
      if (own.some((n) => n === undefined)) continue;
      covered.push(rinfo);
      for (const n of own) numbers.add(n!);
    }
    const keys = s.columns.length + s.expressions.length;
    if (numbers.size < 2 || (best !== null && (numbers.size < best.matched || (numbers.size === best.matched && keys >= best.keys)))) continue;
    best = { s, covered, matched: numbers.size, keys };
  }
  return best;
}

/** mcv_combine_selectivities. */
function combine(simple: number, mcv: number, base: number, total: number): number {
  return clampProbability(mcv + Math.min(clampProbability(simple - base), 1 - total));
}

/** Tests of a condition against the items of a list. */
function itemTest(s: Statistics, rel: RelOptInfo, clause: Expr): (item: number) => boolean {
  const { columns, items } = s.common!, list = s.common!;
  const place = (n: number): number => columns.indexOf(n) + 1;
  const known = mutateDeep(clause, (node) => {
    const n = node.kind === 'Const' ? undefined : numberOf(s, rel, node as Expr);
    return n === undefined ? undefined : makeVar(1, place(n), exprType(node as Expr), -1, exprCollation(node as Expr), 0);
  });
  const test = compilePredicate([known]);
  return (i) => test(null, itemValues(list, items[i]!));
}

function byCommonValues(s: Statistics, rel: RelOptInfo, clauses: readonly RestrictInfo[], simple: Simple): number {
  const { items } = s.common!;
  const tests = clauses.map((r) => itemTest(s, rel, r.clause));
  let mcv = 0, base = 0, total = 0;
  items.forEach(({ frequency, base: independent }, i) => {
    total += frequency;
    if (!tests.every((t) => t(i))) return;
    mcv += frequency;
    base += independent;
  });
  return combine(simple(clauses), mcv, base, total);
}

/** An OR of conditions over one relation (clauselist_selectivity_or). */
export function extendedOr(rel: RelOptInfo, arms: readonly RestrictInfo[], simple: (arm: RestrictInfo) => number): { selectivity: number; rest: RestrictInfo[] } | null {
  const all = statisticsOf(rel);
  if (all.length === 0) return null;
  let rest = [...arms], selectivity = 0;
  for (;;) {
    const best = bestForCommon(all, rel, candidatesOf(rest));
    if (best === null) break;
    const { s, covered } = best, { items } = s.common!;
    const before: boolean[] = Array(items.length).fill(false);
    const total = items.reduce((t, i) => t + i.frequency, 0);
    let simpleOr = 0, sum = 0;
    for (const arm of covered) {
      const own = simple(arm), overlapSimple = simpleOr * own;
      simpleOr = clampProbability(simpleOr + own - overlapSimple);
      const test = itemTest(s, rel, arm.clause);
      let mcv = 0, base = 0, overlapMcv = 0, overlapBase = 0;
      items.forEach((item, i) => {
        if (!test(i)) return;
        mcv += item.frequency;
        base += item.base;
        if (before[i]) { overlapMcv += item.frequency; overlapBase += item.base; }
        before[i] = true;
      });
      sum = clampProbability(sum + combine(own, mcv, base, total) - combine(overlapSimple, overlapMcv, overlapBase, total));
    }
    selectivity = selectivity + sum - selectivity * sum;
    rest = rest.filter((r) => !covered.includes(r));
  }
  return rest.length === arms.length ? null : { selectivity, rest };
}

// ---- dependencies

/** What an equality with constants is about (dependency_is_compatible_clause). */
function equated(e: Expr): Expr | null {
  const isEquality = (opno: Oid): boolean => operator(opno).oprrest !== 0 && functionInfo(operator(opno).oprrest).name === 'eqsel';
  switch (e.kind) {
    case 'OpExpr': {
      if (e.args.length !== 2 || !isEquality(e.opno)) return null;
      const [a, b] = e.args as [Expr, Expr];
      return constant(b) ? a : constant(a) ? b : null;
    }
    case 'ScalarArrayOpExpr': return e.useOr && isEquality(e.opno) && constant(e.args[1]) ? e.args[0] : null;
    case 'BoolExpr': {
      if (e.boolop === 'not') return exprType(e.args[0]!) === 16 && e.args[0]!.kind === 'Var' ? e.args[0]! : null;
      if (e.boolop !== 'or') return null;
      const all = e.args.map(equated);
      return all.every((x) => x !== null && equal(x, all[0])) ? all[0]! : null;
    }
    case 'Var': return e.vartype === 16 ? e : null;
    default: return null;
  }
}

interface KnownDependency { from: Expr[]; to: Expr; degree: number }

function dependencySelectivity(all: readonly Statistics[], rel: RelOptInfo, clauses: readonly RestrictInfo[], simple: Simple): { selectivity: number; used: RestrictInfo[] } | null {
  const of = new Map<RestrictInfo, Expr>();
  const subjectsFound: Expr[] = [];
  const canonical = (e: Expr): Expr => {
    const x = stripRelabel(e), known = subjectsFound.find((y) => equal(x, y));
    if (known === undefined) subjectsFound.push(x);
    return known ?? x;
  };
  for (const r of clauses) {
    const subject = r.pseudoconstant ? null : equated(r.clause);
    if (subject !== null && pullVars(subject).length > 0) of.set(r, canonical(subject));
  }
  if (subjectsFound.length < 2) return null;
  const known: KnownDependency[] = [];
  for (const s of all) {
    const byNumber = new Map(subjectsFound.map((e) => [numberOf(s, rel, e), e]));
    for (const d of s.dependencies) {
      const list = d.columns.map((c) => byNumber.get(c));
      if (list.every((e) => e !== undefined)) known.push({ from: list.slice(0, -1) as Expr[], to: list.at(-1)!, degree: d.degree });
    }
  }
  const chosen: KnownDependency[] = [], open = new Set(subjectsFound);
  for (;;) {
    // The one with most columns, the strongest of those.
    let best: KnownDependency | null = null;
    for (const d of known) {
      if (!open.has(d.to) || !d.from.every((e) => open.has(e))) continue;
      if (best === null || d.from.length > best.from.length || (d.from.length === best.from.length && d.degree > best.degree)) best = d;
    }
    if (best === null) break;
    chosen.push(best);
    open.delete(best.to);
  }
  if (chosen.length === 0) return null;
  const involved = new Set(chosen.flatMap((d) => [...d.from, d.to]));
  const used = [...of].filter(([, e]) => involved.has(e)).map(([r]) => r);
  const shares = new Map([...involved].map((e) => [e, simple(used.filter((r) => of.get(r) === e))]));
  for (const { from, to, degree } of chosen.reverse()) {
    const s2 = shares.get(to)!, s1 = from.reduce((p, e) => p * shares.get(e)!, 1);
    shares.set(to, s1 <= s2 ? degree + (1 - degree) * s2 : (degree * s2) / s1 + (1 - degree) * s2);
  }
  return { selectivity: clampProbability([...shares.values()].reduce((p, s) => p * s, 1)), used };
}
