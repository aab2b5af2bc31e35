// How many rows a condition lets through (PostgreSQL's selfuncs.c, clausesel.c).
import { PgError } from '../../common/errors.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import { getBaseType, getElementType } from '../catalog/lsyscache.ts';
import { castBySourceTarget, rangeByType } from '../catalog/syscache.ts';
import { callable, functionInfo, operator, operatorFunction } from '../executor/fmgr_info.ts';
import { hashKeyFunction, typeComparator } from '../executor/sort_support.ts';
import { compileExpr } from '../executor/expression.ts';
import { someExpr } from '../executor/plan_walker.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import { makeOpExpr } from '../nodes/makefuncs.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import type { BoolExpr, Expr, OpExpr, Var } from '../nodes/primnodes.ts';
import { RangeValue, type ArrayValue, type Datum, type Oid } from '../types/datum.ts';
import { DATEOID, TIMESTAMPOID, TIMESTAMPTZOID } from '../types/oids.ts';
import { fixedPrefix, greaterText, type PatternKind } from '../types/pattern_prefix.ts';
import { TsQuery } from '../types/tsquery.ts';
import { containsVolatile, equal, pullVarnos, pullVars, stripRelabel } from './clauses.ts';
import { indexColumnExpr } from './pathkeys.ts';
import { clampProbability, clampRows } from './costsize.ts';
import {
  arraySelectivity as arraySelectivityOf, type ArrayCondition, defaultArraySelectivity, DEFAULT_TS_MATCH_SEL, tsquerySelectivity,
} from './element_selectivity.ts';
import { defaultRangeSelectivity, rangeSelectivity } from './range_selectivity.ts';
import { distinctTogether, expressionStatistics, extendedOr, extendedSelectivity } from './extended_stats.ts';
import { type ColumnStatistics, columnStatistics } from './plancat.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import type { ClauseFacts, MergeScan, PlannerInfo, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { session } from '../utils/session.ts';
import { singleton } from './relids.ts';

const BOOLOID = 16;
const DEFAULT_INEQ_SEL = 0.3333333333333333;
const DEFAULT_RANGE_INEQ_SEL = 0.005;
const DEFAULT_MATCH_SEL = 0.005;
/** What is taken to be by estimators that ask no statistics, of restrictions and of joins. */
const GUESSES: Record<string, number | undefined> = {
  contsel: 0.001, areasel: 0.005, positionsel: 0.1, contjoinsel: 0.001, areajoinsel: 0.005, positionjoinsel: 0.1, matchingjoinsel: 0.01,
};
const DEFAULT_UNK_SEL = 0.005;
const DEFAULT_NUM_DISTINCT = 200;

interface Column { rel: RelOptInfo; stats: ColumnStatistics | undefined; unique: boolean; type: Oid; attno: number; values: boolean }

/** examine_variable: what an expression over one relation is known by. */
function columnOf(root: PlannerInfo, e: Expr): Column | null {
  const v = stripRelabel(e);
  if (v.kind !== 'Var' || v.varlevelsup !== 0) {
    const rti = singleton(pullVarnos(v));
    const rel = rti === 0 ? undefined : root.rels[rti];
    return rel === undefined ? null : { rel, type: exprType(v), attno: 0, values: false, ...ofIndexExpression(rel, v) };
  }
  const rel = root.rels[v.varno];
  if (rel === undefined) return null;
  const column: Column = { rel, stats: undefined, unique: false, type: v.vartype, attno: v.varattno, values: false };
  if (rel.relation !== null) {
    column.stats = statisticsOf(rel, v.varattno);
    column.unique = rel.indexes.some((i) => i.unique && i.immediate && i.keyCount === 1 && i.keyAttributes[0] === v.varattno && (i.predicate === null || predicateHolds(rel, i)));
  } else if (rel.subroot !== null) examineSubqueryColumn(rel.subroot, v.varattno, column);
  else column.values = rel.rte?.rtekind === 'values';
  return column;
}

function statisticsOf(rel: RelOptInfo, attno: number): ColumnStatistics | undefined {
  if (attno <= 0) return undefined;
  const known = rel.statistics.get(attno);
  if (known !== undefined || rel.statistics.has(attno)) return known;
  const found = columnStatistics(rel.relation!.oid, attno, rel.children !== null);
  rel.statistics.set(attno, found);
  return found;
}

/** What is known of an expression by an index that has it, or else by a statistics object. */
function ofIndexExpression(rel: RelOptInfo, e: Expr): Pick<Column, 'stats' | 'unique'> {
  let unique = false;
  for (const info of rel.indexes) {
    if (info.expressions.length === 0) continue;
    for (let i = 0; i < info.keyAttributes.length; i++) {
      if (info.keyAttributes[i] !== 0 || !equal(stripRelabel(indexColumnExpr(rel, info, i)), e)) continue;
      unique ||= info.unique && info.immediate && info.keyCount === 1 && (info.predicate === null || predicateHolds(rel, info));
      // A partial index does not show the whole table.
      const stats = info.predicate === null ? columnStatistics(info.indexrelid, i + 1) : undefined;
      if (stats !== undefined) return { stats, unique };
    }
  }
  return { stats: expressionStatistics(rel, e), unique };
}

/** A subquery's column that is a column below (examine_simple_variable). */
function examineSubqueryColumn(subroot: PlannerInfo, attno: number, into: Column): void {
  const q = subroot.parse;
  const tle = q.targetList.find((t) => t.resno === attno);
  if (tle === undefined || q.setOperations !== null) return;
  const only = (list: readonly { tleSortGroupRef: number }[]): boolean => list.length === 1 && list[0]!.tleSortGroupRef === tle.ressortgroupref;
  if (q.distinctClause.length > 0) {
    into.unique = only(q.distinctClause);
    return;
  }
  if (q.groupClause.length > 0) {
    into.unique = only(q.groupClause);
    return;
  }
  if (q.groupingSets.length > 0 || tle.expr.kind !== 'Var' || tle.expr.varlevelsup !== 0) return;
  into.stats = columnOf(subroot, tle.expr)?.stats;
}

/** get_variable_numdistinct. */
function distinctOf(c: Column | null): { count: number; isDefault: boolean } {
  if (c === null) return { count: DEFAULT_NUM_DISTINCT, isDefault: true };
  let distinct = c.stats?.distinct ?? 0;
  if (c.unique) distinct = -1 * (1 - (c.stats?.nullFraction ?? 0));
  else if (c.stats === undefined) {
    if (c.type === BOOLOID) distinct = 2;
    else if (c.values || c.attno === -1) distinct = -1;
    else if (c.attno === -6) distinct = 1;
  }
  if (distinct > 0) return { count: clampRows(distinct), isDefault: false };
  const { tuples } = c.rel;
  if (tuples <= 0) return { count: DEFAULT_NUM_DISTINCT, isDefault: true };
  if (distinct < 0) return { count: clampRows(-distinct * tuples), isDefault: false };
  return tuples < DEFAULT_NUM_DISTINCT ? { count: clampRows(tuples), isDefault: false } : { count: DEFAULT_NUM_DISTINCT, isDefault: true };
}

/** What is known of the conditions says that rows outside a partial index are not wanted; indxpath.ts, which is above, fills it in. */
export const indexHooks: { predicateHolds: (rel: RelOptInfo, info: IndexInfo) => boolean } = { predicateHolds: () => false };
const predicateHolds = (rel: RelOptInfo, info: IndexInfo): boolean => indexHooks.predicateHolds(rel, info);

/** A literal's value, when statistics can be asked about it. */
function constValue(e: Expr): { value: Datum } | null {
  const c = stripRelabel(e);
  return c.kind === 'Const' && c.slot === undefined ? { value: c.constvalue } : null;
}

/** The one table that conditions are about. */
function onlyRelation(root: PlannerInfo, clauses: readonly Expr[]): RelOptInfo | null {
  let relids = 0n;
  for (const c of clauses) relids |= pullVarnos(c);
  const rti = singleton(relids);
  return rti === 0 ? null : root.rels[rti] ?? null;
}

export function clauselistSelectivity(root: PlannerInfo, clauses: readonly RestrictInfo[], sjinfo: SpecialJoinInfo | null = null): number {
  const rel = sjinfo === null && clauses.length > 0 && (clauses.length > 1 || clauses[0]!.clause.kind === 'BoolExpr') ? onlyRelation(root, clauses.map((r) => r.clause)) : null;
  const together = rel === null ? null : extendedSelectivity(rel, clauses, (list) => simpleSelectivity(root, list, null, true));
  return together === null ? simpleSelectivity(root, clauses, sjinfo) : clampProbability(together.selectivity * simpleSelectivity(root, together.rest, null));
}

/** As though columns were independent; `alone`: nothing is known of several columns. */
function simpleSelectivity(root: PlannerInfo, clauses: readonly RestrictInfo[], sjinfo: SpecialJoinInfo | null, alone = false): number {
  let s = 1;
  const ranges: { expr: Expr; low: number | null; high: number | null }[] = [];
  for (const rinfo of clauses) {
    const range = sjinfo === null ? rangeBound(root, rinfo.clause) : null;
    if (range !== null) {
      let entry = ranges.find((r) => equal(r.expr, range.expr));
      if (entry === undefined) ranges.push((entry = { expr: range.expr, low: null, high: null }));
      if (range.low) entry.low = Math.min(entry.low ?? 1, range.selectivity);
      else entry.high = Math.min(entry.high ?? 1, range.selectivity);
      continue;
    }
    s *= alone ? clampProbability(clauseSelectivity(root, rinfo.clause, sjinfo, true)) : restrictSelectivity(root, rinfo, sjinfo);
  }
  for (const { expr, low, high } of ranges) {
    if (low !== null && high !== null) {
      const nullFraction = columnOf(root, expr)?.stats?.nullFraction ?? 0;
      let both = low === DEFAULT_INEQ_SEL || high === DEFAULT_INEQ_SEL ? DEFAULT_RANGE_INEQ_SEL : high + low - 1 + nullFraction;
      if (both <= 0) both = both < -0.01 ? DEFAULT_RANGE_INEQ_SEL : 1e-10;
      s *= both;
    } else s *= low ?? high ?? 1;
  }
  return clampProbability(s);
}

/** x > low and x < high on the same column or expression count as one range. */
function rangeBound(root: PlannerInfo, e: Expr): { expr: Expr; low: boolean; selectivity: number } | null {
  if (e.kind !== 'OpExpr' || e.args.length !== 2) return null;
  const estimator = functionName(operator(e.opno).oprrest);
  const low = /^scalargt|^scalarge/.test(estimator);
  if (!low && !/^scalarl[te]/.test(estimator)) return null;
  const [a, b] = e.args as [Expr, Expr];
  const left = stripRelabel(a);
  const right = stripRelabel(b);
  if (singleton(pullVarnos(e)) === 0) return null;
  const expr = isPseudoConstant(right) ? left : isPseudoConstant(left) ? right : null;
  return expr === null ? null : { expr, low: low === (expr === left), selectivity: clauseSelectivity(root, e, null) };
}

/** is_pseudo_constant_clause. */
const isPseudoConstant = (e: Expr): boolean => e.kind === 'Const' || e.kind === 'Param' || (pullVarnos(e) === 0n && !containsVolatile(e));

function restrictSelectivity(root: PlannerInfo, rinfo: RestrictInfo, sjinfo: SpecialJoinInfo | null): number {
  if (sjinfo === null) {
    if (rinfo.selectivity < 0) rinfo.selectivity = clampProbability(clauseSelectivity(root, rinfo.clause, null));
    return rinfo.selectivity;
  }
  if (sjinfo.jointype !== 'inner') return clampProbability(clauseSelectivity(root, rinfo.clause, sjinfo));
  const facts = factsOf(root, rinfo.clause);
  if (facts.joinSelectivity < 0) facts.joinSelectivity = clampProbability(clauseSelectivity(root, rinfo.clause, sjinfo));
  return facts.joinSelectivity;
}
export function factsOf(root: PlannerInfo, clause: Expr): ClauseFacts {
  let facts = root.clauseFacts.get(clause);
  if (facts === undefined) root.clauseFacts.set(clause, (facts = { cost: null, joinSelectivity: -1, mergeScans: [] }));
  return facts;
}

const functionName = (oid: number): string => (oid === 0 ? '' : functionInfo(oid).name);

/** An OR or AND within a condition, by what is known of several columns together. */
function boolSelectivity(root: PlannerInfo, e: BoolExpr, sjinfo: SpecialJoinInfo | null): number | null {
  const rel = sjinfo === null && e.boolop !== 'not' ? onlyRelation(root, e.args) : null;
  if (rel === null) return null;
  const arms = e.args.map((a) => makeRestrictInfo(a, true));
  if (e.boolop === 'and') return extendedSelectivity(rel, arms, () => 1) === null ? null : clauselistSelectivity(root, arms);
  const known = extendedOr(rel, arms, (r) => clauseSelectivity(root, r.clause, null, true));
  return known === null ? null : known.rest.reduce((s, r) => {
    const t = clauseSelectivity(root, r.clause, null);
    return s + t - s * t;
  }, known.selectivity);
}

export function clauseSelectivity(root: PlannerInfo, e: Expr, sjinfo: SpecialJoinInfo | null, alone = false): number {
  if (e.kind === 'BoolExpr' && !alone) {
    const together = boolSelectivity(root, e, sjinfo);
    if (together !== null) return together;
  }
  switch (e.kind) {
    case 'Const': return e.constvalue === true ? 1 : 0;
    case 'Var': {
      const c = columnOf(root, e);
      return c?.stats === undefined ? 0.5 : booleanFraction(c.stats, true);
    }
    case 'BoolExpr':
      if (e.boolop === 'not') return 1 - clauseSelectivity(root, e.args[0]!, sjinfo, alone);
      if (e.boolop === 'and') return simpleSelectivity(root, e.args.map((a) => makeRestrictInfo(a, true)), sjinfo, alone);
      return e.args.reduce((s, a) => {
        const t = clauseSelectivity(root, a, sjinfo, alone);
        return s + t - s * t;
      }, 0);
    case 'OpExpr': return operatorSelectivity(root, e, sjinfo);
    case 'DistinctExpr': return 1 - operatorSelectivity(root, { ...e, kind: 'OpExpr' }, sjinfo);
    case 'ScalarArrayOpExpr': return arraySelectivity(root, e, sjinfo);
    // rowcomparesel: the first columns decide nearly always.
    case 'RowCompareExpr': return operatorSelectivity(root, makeOpExpr(e.opnos[0]!, operator(e.opnos[0]!).oprcode, BOOLOID, [e.largs[0]!, e.rargs[0]!], 0, e.inputcollids[0]!), sjinfo);
    case 'NullTest': {
      const c = columnOf(root, e.arg);
      const nulls = c?.stats !== undefined ? c.stats.nullFraction : DEFAULT_UNK_SEL;
      return e.isNull ? nulls : 1 - nulls;
    }
    case 'BooleanTest': {
      const c = columnOf(root, e.arg);
      if (c?.stats === undefined) {
        const s = clauseSelectivity(root, e.arg, sjinfo);
        return { is_true: s, is_not_true: 1 - s, is_false: 1 - s, is_not_false: s, is_unknown: DEFAULT_UNK_SEL, is_not_unknown: 1 - DEFAULT_UNK_SEL }[e.booltesttype];
      }
      const t = booleanFraction(c.stats, true);
      const f = Math.max(0, 1 - c.stats.nullFraction - t);
      return { is_true: t, is_not_true: 1 - t, is_false: f, is_not_false: 1 - f, is_unknown: c.stats.nullFraction, is_not_unknown: 1 - c.stats.nullFraction }[e.booltesttype];
    }
    case 'RelabelType': return clauseSelectivity(root, e.arg, sjinfo);
    case 'FuncExpr': return 0.3333333;
    default: return 0.5;
  }
}

/** scalararraysel: what the elements select one by one; of equality they are taken to exclude each other. */
function arraySelectivity(root: PlannerInfo, e: Extract<Expr, { kind: 'ScalarArrayOpExpr' }>, sjinfo: SpecialJoinInfo | null): number {
  const comparison = (element: Expr): OpExpr => ({
    kind: 'OpExpr', opno: e.opno, opfuncid: e.opfuncid, opresulttype: BOOLOID, opretset: false, opcollid: 0, inputcollid: e.inputcollid, args: [e.args[0], element], location: -1,
  });
  const one = (element: Expr): number => operatorSelectivity(root, comparison(element), sjinfo);
  const list = stripRelabel(e.args[1]), name = functionName(operator(e.opno).oprrest);
  const ofColumn = elementSelectivity(root, e, name);
  if (ofColumn !== null) return ofColumn;
  const selectivities: number[] = [];
  let apart = false;
  if (list.kind === 'Const') {
    if (list.constvalue === null) return 0;
    const { elementType, values } = list.constvalue as ArrayValue, column = columnOf(root, e.args[0]);
    for (const constvalue of values) {
      const element: Expr = { kind: 'Const', consttype: elementType, consttypmod: -1, constcollid: list.constcollid, constvalue, location: -1 };
      selectivities.push(restrictionSelectivity(root, comparison(element), name, column, element, false, sjinfo));
    }
    apart = true;
  } else if (list.kind === 'ArrayExpr' && !list.multidims) {
    for (const element of list.elements) selectivities.push(one(element));
    apart = true;
  } else selectivities.push(...new Array<number>(UNKNOWN_LENGTH).fill(one(UNKNOWN)));
  const together = e.useOr ? selectivities.reduce((s, x) => s + x - s * x, 0) : selectivities.reduce((s, x) => s * x, 1);
  if (!apart || name !== (e.useOr ? 'eqsel' : 'neqsel')) return clampProbability(together);
  const sum = e.useOr ? selectivities.reduce((s, x) => s + x, 0) : selectivities.reduce((s, x) => s + x - 1, 1);
  return clampProbability(sum >= 0 && sum <= 1 ? sum : together);
}

/** Elements of an array that only running the statement shows. */
const UNKNOWN_LENGTH = 10;

/** estimate_array_length. */
export function arrayLength(list: Expr): number {
  const e = stripRelabel(list);
  if (e.kind === 'Const') return e.constvalue === null ? 0 : (e.constvalue as ArrayValue).values.length;
  return e.kind === 'ArrayExpr' ? e.elements.length : UNKNOWN_LENGTH;
}
const UNKNOWN: Expr = { kind: 'Param', paramkind: 'extern', paramid: 0, paramtype: 0, paramtypmod: -1, paramcollid: 0, location: -1 };

function booleanFraction(stats: ColumnStatistics, value: boolean): number {
  const i = stats.mcv?.values.indexOf(value) ?? -1;
  if (i >= 0) return stats.mcv!.frequencies[i]!;
  const other = stats.mcv?.values.indexOf(!value) ?? -1;
  return other >= 0 ? Math.max(0, 1 - stats.nullFraction - stats.mcv!.frequencies[other]!) : (1 - stats.nullFraction) / 2;
}

function operatorSelectivity(root: PlannerInfo, e: OpExpr, sjinfo: SpecialJoinInfo | null): number {
  const op = operator(e.opno);
  if (e.args.length !== 2) return 0.5;
  const [a, b] = e.args as [Expr, Expr];
  const left = columnOf(root, a);
  const right = columnOf(root, b);
  const isJoin = singleton(pullVarnos(e)) === 0 && pullVarnos(a) !== 0n && pullVarnos(b) !== 0n;
  if (isJoin) {
    switch (functionName(op.oprjoin)) {
      case 'eqjoinsel': return equalityJoin(left, right, sjinfo);
      case 'neqjoinsel': return 1 - equalityJoin(left, right, null);
      case 'scalarltjoinsel': case 'scalarlejoinsel': case 'scalargtjoinsel': case 'scalargejoinsel': return DEFAULT_INEQ_SEL;
      case '': return 0.5;
      default: return GUESSES[functionName(op.oprjoin)] ?? DEFAULT_MATCH_SEL;
    }
  }
  // get_restriction_variable: what is compared must say the same for all rows.
  const [column, other, swapped] = pullVarnos(b) === 0n ? [left, b, false] : pullVarnos(a) === 0n ? [right, a, true] : [null, b, false];
  return restrictionSelectivity(root, e, functionName(op.oprrest), column, other, swapped, sjinfo);
}

type Compared = (c: Column | null, value: { value: Datum } | null, subject: Expr, swapped: boolean, opno: Oid) => number;
const COMPARED: Record<string, Compared | undefined> = {
  eqsel: (c, value, subject) => equality(c, value, subject),
  neqsel: (c, value, subject) => Math.max(0, 1 - (c?.stats?.nullFraction ?? 0) - equality(c, value, subject)),
  scalarltsel: (c, value, subject, swapped) => inequality(c, value, swapped, false, subject),
  scalarlesel: (c, value, subject, swapped) => inequality(c, value, swapped, true, subject),
  scalargtsel: (c, value, subject, swapped) => inequality(c, value, !swapped, false, subject),
  scalargesel: (c, value, subject, swapped) => inequality(c, value, !swapped, true, subject),
  arraycontsel: (c, value, _subject, swapped, opno) => arrayContainment(c, value, opno, swapped),
  tsmatchsel: textMatch,
  rangesel: rangeMatch,
  matchingsel: ofOperator,
};

/** arraycontsel. */
function arrayContainment(c: Column | null, value: { value: Datum } | null, opno: Oid, swapped: boolean): number {
  const { oprcode } = operator(opno), name = functionName(oprcode);
  const condition = name === 'arrayoverlap' ? 'overlaps' : (name === 'arraycontains') !== swapped ? 'contains' : 'contained';
  if (value === null) return defaultArraySelectivity(condition);
  const { elementType, values } = value.value as ArrayValue;
  if (c === null || getElementType(getBaseType(c.type)) !== elementType) return defaultArraySelectivity(condition);
  return ofElements(c, elementType, values, condition);
}

function ofElements({ stats, rel, attno }: Column, type: Oid, values: readonly Datum[], condition: ArrayCondition): number {
  const collation = stats === undefined || attno <= 0 ? 0 : rel.relation?.attributes[attno - 1]?.attcollation ?? 0;
  return clampProbability(arraySelectivityOf(stats?.elements ?? null, stats?.elementCounts ?? null, values, condition, typeComparator(type, collation)) * (1 - (stats?.nullFraction ?? 0)));
}

const DEFAULT_MATCHING_SEL = 0.01, MIN_HISTOGRAM = 10, FULL_HISTOGRAM = 100;

/** matchingsel (generic_restriction_selectivity): the share of common values, and of bounds of the histogram, that the operator holds of. */
function ofOperator(c: Column | null, value: { value: Datum } | null, subject: Expr, swapped: boolean, opno: Oid): number {
  if (value === null || c?.stats === undefined) return DEFAULT_MATCHING_SEL;
  const { mcv, histogram, nullFraction } = c.stats, holds = operatorFunction(opno, exprCollation(subject));
  const matches = (v: Datum): boolean => (swapped ? holds(value.value, v) : holds(v, value.value)) === true;
  let ofCommon = 0, common = 0;
  for (const [i, v] of (mcv?.values ?? []).entries()) {
    common += mcv!.frequencies[i]!;
    if (matches(v)) ofCommon += mcv!.frequencies[i]!;
  }
  let others = DEFAULT_MATCHING_SEL;
  if (histogram !== null && histogram.length >= MIN_HISTOGRAM) {
    const inner = histogram.slice(1, -1), found = inner.filter(matches).length / inner.length, weight = Math.min(1, histogram.length / FULL_HISTOGRAM);
    others = found * weight + DEFAULT_MATCHING_SEL * (1 - weight);
  }
  others = Math.min(0.9999, Math.max(0.0001, others)) * Math.max(0, 1 - nullFraction - common);
  return clampProbability(others + ofCommon);
}

/** rangesel. */
function rangeMatch(c: Column | null, value: { value: Datum } | null, subject: Expr, swapped: boolean, opno: Oid): number {
  const given = operator(opno), { oprcode } = swapped && given.oprcom !== 0 ? operator(given.oprcom) : given, name = functionName(oprcode);
  if (swapped && given.oprcom === 0) return defaultRangeSelectivity('');
  if (value === null || c === null) return defaultRangeSelectivity(name);
  const type = getBaseType(exprType(subject)), isRange = value.value instanceof RangeValue;
  if (rangeByType(type) === undefined || (isRange ? (value.value as RangeValue).typeOid !== type : name !== 'range_contains_elem')) return defaultRangeSelectivity(name);
  return clampProbability(rangeSelectivity(type, c.stats?.ranges ?? null, name, value.value) * (1 - (c.stats?.nullFraction ?? 0)));
}

/** tsmatchsel. */
function textMatch(c: Column | null, value: { value: Datum } | null): number {
  if (value === null || c === null || !(value.value instanceof TsQuery)) return DEFAULT_TS_MATCH_SEL;
  return clampProbability(tsquerySelectivity(value.value, c.stats?.elements ?? null) * (1 - (c.stats?.nullFraction ?? 0)));
}

/** scalararraysel_containment: a constant compared with the elements of a column; null: it is something else. */
function elementSelectivity(root: PlannerInfo, e: Extract<Expr, { kind: 'ScalarArrayOpExpr' }>, estimator: string): number | null {
  const value = constValue(e.args[0]);
  if (value === null || (estimator !== 'eqsel' && estimator !== 'neqsel')) return null;
  const c = columnOf(root, e.args[1]);
  if (c === null) return null;
  if (value.value === null) return 0;
  const type = exprType(e.args[0]), equal = estimator === 'eqsel';
  if (getElementType(getBaseType(c.type)) !== type) return null;
  const share = ofElements(c, type, [value.value], e.useOr === equal ? 'contains' : 'contained');
  return equal ? share : 1 - share;
}

/** By the present value of an expression of constants, which may be stable (estimate_expression_value). Where statistics would say
 * something else of other literals, that is noted. */
function ofPresentValue(c: Column | null, e: Expr, subject: Expr, swapped: boolean, opno: Oid, compared: Compared): number {
  const literals: Datum[] = [];
  someExpr(e, (n) => {
    if (n.kind === 'Const' && n.slot !== undefined) literals[n.slot] = n.constvalue;
    return false;
  });
  const value: (literals: readonly Datum[]) => Datum = e.kind !== 'Const' ? compiledValue(e) : (({ slot, constvalue }) => (values: readonly Datum[]) => (slot === undefined ? constvalue : values[slot]!))(e);
  const moment = toMoment(exprType(e), exprType(subject));
  const share = (column: Column | null, values: readonly Datum[]): number => {
    const given = value(values), present = given === null || moment === null ? given : moment(given);
    return present === null ? 0 : compared(column, present === undefined ? null : { value: present }, subject, swapped, opno);
  };
  const planned = share(c, literals);
  if (literals.length === 0 || c?.stats === undefined || (c.unique && compared === COMPARED['eqsel'])) return planned;
  // Nothing of this plan's making is to be kept with it.
  const column: Column = { ...c, rel: { tuples: c.rel.tuples } as RelOptInfo };
  session.literalEstimates.push({ planned, tuples: c.rel.tuples, selectivity: (values) => share(column, values) });
  return planned;
}
function compiledValue(e: Expr): (literals: readonly Datum[]) => Datum {
  const run = compileExpr(e);
  return (literals) => run(null, null, literals);
}

/** Dates and timestamps are compared as what the column has; undefined: it has none such. Null: they are of one type. */
function toMoment(given: Oid, type: Oid): ((value: Datum) => Datum | undefined) | null {
  if (given === type || !MOMENTS.has(given) || !MOMENTS.has(type)) return null;
  const cast = callable(functionInfo(castBySourceTarget(given, type)!.castfunc), [given], type, 0);
  return (value) => {
    try {
      return cast(value);
    } catch (error) {
      if (error instanceof PgError) return undefined; // it is out of range
      throw error;
    }
  };
}
const MOMENTS = new Set<Oid>([DATEOID, TIMESTAMPOID, TIMESTAMPTZOID]);

/** What says the same for all rows, and for as long as a statement runs. */
const hasPresentValue = (e: Expr): boolean => e.kind !== 'Param' && isPseudoConstant(e) && !someExpr(e, (n) => ELSEWHERE.has(n.kind));
const ELSEWHERE = new Set<Expr['kind']>(['Param', 'SubLink', 'SubPlan', 'Var', 'PlaceHolderVar', 'Aggref', 'GroupingFunc', 'WindowFunc', 'CurrentOfExpr']);

/** What `estimator` says of a column compared with `other`, which stands on the left if `swapped`. */
function restrictionSelectivity(root: PlannerInfo, e: OpExpr, estimator: string, column: Column | null, other: Expr, swapped: boolean, sjinfo: SpecialJoinInfo | null): number {
  const [a, b] = e.args as [Expr, Expr], value = constValue(other);
  if (value !== null && value.value === null && functionInfo(e.opfuncid).strict) return 0;
  const compared = COMPARED[estimator];
  if (compared !== undefined) {
    const subject = swapped ? b : a, literal = stripRelabel(other);
    const isPresent = literal.kind === 'Const' ? literal.slot !== undefined || MOMENTS.has(literal.consttype) : column?.stats !== undefined && hasPresentValue(literal);
    return isPresent ? ofPresentValue(column, literal, subject, swapped, e.opno, compared) : compared(column, value, subject, swapped, e.opno);
  }
  switch (estimator) {
    case 'likesel': return patternSelectivity(column, e, 'like');
    case 'iclikesel': return patternSelectivity(column, e, 'ilike');
    case 'regexeqsel': return patternSelectivity(column, e, 'regex');
    case 'icregexeqsel': return patternSelectivity(column, e, 'iregex');
    case 'prefixsel': return patternSelectivity(column, e, 'prefix');
    case 'nlikesel': case 'icnlikesel': case 'regexnesel': case 'icregexnesel': {
      const positive = operator(operator(e.opno).oprnegate);
      return clampProbability(1 - (column?.stats?.nullFraction ?? 0) - operatorSelectivity(root, { ...e, opno: positive.oid, opfuncid: positive.oprcode }, sjinfo));
    }
    case '': return 0.5;
    default: return GUESSES[estimator] ?? DEFAULT_MATCH_SEL;
  }
}

/** var_eq_const, var_eq_non_const. */
function equality(c: Column | null, value: { value: Datum } | null, e: Expr): number {
  if (c === null) return 1 / DEFAULT_NUM_DISTINCT;
  if (c.unique && c.rel.tuples >= 1) return 1 / c.rel.tuples;
  const { stats } = c;
  if (stats === undefined) return 1 / distinctOf(c).count;
  const { mcv } = stats;
  if (value === null) {
    const s = (1 - stats.nullFraction) / distinctOf(c).count;
    return clampProbability(mcv !== null && s > mcv.frequencies[0]! ? mcv.frequencies[0]! : s);
  }
  let rest = 1 - stats.nullFraction;
  let others = distinctOf(c).count;
  if (mcv !== null) {
    const compare = typeComparator(exprType(e), exprCollation(e));
    const i = mcv.values.findIndex((v) => v !== null && compare(v, value.value) === 0);
    if (i >= 0) return mcv.frequencies[i]!;
    rest -= mcv.frequencies.reduce((x, y) => x + y, 0);
    others -= mcv.values.length;
  }
  let s = clampProbability(rest);
  if (others > 1) s /= others;
  return mcv !== null && mcv.frequencies.length > 0 ? Math.min(s, mcv.frequencies[mcv.frequencies.length - 1]!) : s;
}

/** scalarineqsel: the share of rows with column < value (greater: >; orEqual: <=, >=). */
function inequality(c: Column | null, value: { value: Datum } | null, greater: boolean, orEqual: boolean, e: Expr): number {
  if (c === null || c.stats === undefined || value === null || value.value === null) return DEFAULT_INEQ_SEL;
  const { stats } = c;
  const compare = typeComparator(exprType(e), exprCollation(e));
  const passes = (v: Datum): boolean => {
    const order = compare(v, value.value);
    return order === 0 ? orEqual : order > 0 === greater;
  };
  let mcvShare = 0;
  let mcvTotal = 0;
  stats.mcv?.values.forEach((v, i) => {
    const f = stats.mcv!.frequencies[i]!;
    mcvTotal += f;
    if (passes(v)) mcvShare += f;
  });
  const h = stats.histogram;
  let share = -1;
  if (h !== null && h.length > 1) {
    const last = h.length - 1;
    let low = 0;
    let high = h.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (passes(h[mid]!) !== greater) low = mid + 1;
      else high = mid;
    }
    let below: number;
    if (low <= 0) below = 0;
    else if (low > last) below = 1;
    else {
      let equal = 0;
      if (low === 1 || greater === orEqual) {
        const others = distinctOf(c).count - (stats.mcv?.values.length ?? 0);
        if (others > 1) equal = 1 / others;
      }
      const fraction = placeBetween(value.value, h[low - 1]!, h[low]!);
      below = (low - 1 + fraction) / last;
      if (low === 1) below += equal * (1 - fraction);
      if (greater === orEqual) below -= equal;
      below = clampProbability(below);
    }
    const cutoff = 0.01 / last;
    share = Math.min(1 - cutoff, Math.max(cutoff, greater ? 1 - below : below));
  }
  const rest = 1 - stats.nullFraction - mcvTotal;
  return clampProbability(mcvShare + (share >= 0 ? share : 0.5) * rest);
}

/** patternsel: by the values and the histogram that are known, or by the looks of the pattern. */
function patternSelectivity(c: Column | null, e: OpExpr, kind: PatternKind): number {
  const [subject, pattern] = e.args as [Expr, Expr];
  const known = constValue(pattern);
  if (c === null || known === null || typeof known.value !== 'string' || columnIsRight(subject)) return DEFAULT_MATCH_SEL;
  const { prefix, exact, rest } = fixedPrefix(known.value, kind);
  if (exact) return equality(c, { value: prefix }, subject);
  const { stats } = c;
  const nulls = stats?.nullFraction ?? 0;
  const info = functionInfo(e.opfuncid);
  const call = callable(info, e.args.map(exprType), BOOLOID, e.inputcollid);
  const fits = (v: Datum): boolean => v !== null && call(v, known.value) === true;
  const histogram = stats?.histogram ?? null;
  // The ends of a histogram are extremes; of one of some size all others tell.
  const inner = histogram !== null && histogram.length >= 10 ? histogram.slice(1, -1) : [];
  let s = inner.filter(fits).length / Math.max(1, inner.length);
  if (inner.length < 98) {
    let byLooks = rest;
    if (prefix !== '') byLooks *= prefixSelectivity(c, prefix, subject);
    const weight = inner.length === 0 ? 0 : histogram!.length / 100;
    s = s * weight + byLooks * (1 - weight);
  }
  s = Math.min(0.9999, Math.max(0.0001, s));
  let listed = 0;
  let listedFits = 0;
  stats?.mcv?.values.forEach((v, i) => {
    listed += stats.mcv!.frequencies[i]!;
    if (fits(v)) listedFits += stats.mcv!.frequencies[i]!;
  });
  return clampProbability(listedFits + s * Math.max(0, 1 - nulls - listed));
}
const columnIsRight = (subject: Expr): boolean => stripRelabel(subject).kind === 'Const';

/** prefix_selectivity: the range from the text to the next that does not begin with it. */
function prefixSelectivity(c: Column, prefix: string, subject: Expr): number {
  const greater = greaterText(prefix);
  const low = inequality(c, { value: prefix }, true, true, subject);
  let s = greater === null ? low : low + inequality(c, { value: greater }, false, false, subject) - 1 + (c.stats?.nullFraction ?? 0);
  if ((c.stats?.histogram ?? null) === null) s = greater === null ? low : DEFAULT_MATCH_SEL;
  return Math.max(s <= 0 ? 1e-10 : s, equality(c, { value: prefix }, subject));
}

/** Where a value is between two others, as far as that can be told (convert_to_scalar). */
function placeBetween(value: Datum, low: Datum, high: Datum): number {
  const [v, l, h] = [scalar(value), scalar(low), scalar(high)];
  if (v === null || l === null || h === null) return 0.5;
  if (h <= l) return 0.5;
  return v <= l ? 0 : v >= h ? 1 : (v - l) / (h - l);
}
function scalar(v: Datum): number | null {
  if (typeof v === 'number') return v;
  if (typeof v === 'bigint') return Number(v);
  if (typeof v !== 'string') return null;
  let x = 0;
  for (let i = 0; i < 12; i++) x = x * 256 + (i < v.length ? Math.min(255, v.charCodeAt(i)) : 0);
  return x;
}

/** eqjoinsel. */
function equalityJoin(a: Column | null, b: Column | null, sjinfo: SpecialJoinInfo | null): number {
  const semi = sjinfo !== null && (sjinfo.jointype === 'semi' || sjinfo.jointype === 'anti');
  const inner = equalityInner(a, b);
  if (!semi) return inner;
  const aIsOuter = a !== null ? (a.rel.relids & sjinfo.synRighthand) === 0n : b !== null && (b.rel.relids & sjinfo.synRighthand) !== 0n;
  const [outer, other] = aIsOuter ? [a, b] : [b, a];
  // There cannot be more that match than there are pairs.
  return Math.min(equalitySemi(outer, other), Math.max(1, other?.rel.rows ?? 1e100) * inner);
}

interface Matches { product: number; freqA: number; freqB: number; count: number; totalA: number; totalB: number }

/** How often most common values of both sides are the same. */
function matchCommon(a: Column, b: Column, limitB = Infinity): Matches | null {
  const ma = a.stats?.mcv ?? null;
  const mb = b.stats?.mcv ?? null;
  if (ma === null || mb === null) return null;
  const keys = new Map<unknown, number>();
  const keyOfB = hashKeyFunction(b.type, 0);
  const keyOfA = hashKeyFunction(a.type, 0);
  mb.values.slice(0, limitB).forEach((v, i) => keys.set(keyOfB(v), i));
  const m: Matches = { product: 0, freqA: 0, freqB: 0, count: 0, totalA: 0, totalB: 0 };
  for (const f of ma.frequencies) m.totalA += f;
  for (const f of mb.frequencies) m.totalB += f;
  ma.values.forEach((v, i) => {
    const j = keys.get(keyOfA(v));
    if (j === undefined) return;
    m.product += ma.frequencies[i]! * mb.frequencies[j]!;
    m.freqA += ma.frequencies[i]!;
    m.freqB += mb.frequencies[j]!;
    m.count++;
  });
  return m;
}

/** eqjoinsel_inner. */
function equalityInner(a: Column | null, b: Column | null): number {
  const na = distinctOf(a).count;
  const nb = distinctOf(b).count;
  const nullsA = a?.stats?.nullFraction ?? 0;
  const nullsB = b?.stats?.nullFraction ?? 0;
  const m = a === null || b === null ? null : matchCommon(a, b);
  if (m === null) return ((1 - nullsA) * (1 - nullsB)) / Math.max(na, nb);
  const ca = a!.stats!.mcv!.values.length;
  const cb = b!.stats!.mcv!.values.length;
  const unmatchedA = clampProbability(m.totalA - m.freqA);
  const unmatchedB = clampProbability(m.totalB - m.freqB);
  const othersA = clampProbability(1 - nullsA - m.totalA);
  const othersB = clampProbability(1 - nullsB - m.totalB);
  let viaA = m.product;
  if (nb > cb) viaA += (unmatchedA * othersB) / (nb - cb);
  if (nb > m.count) viaA += (othersA * (othersB + unmatchedB)) / (nb - m.count);
  let viaB = m.product;
  if (na > ca) viaB += (unmatchedB * othersA) / (na - ca);
  if (na > m.count) viaB += (othersB * (othersA + unmatchedA)) / (na - m.count);
  return Math.min(viaA, viaB);
}

/** eqjoinsel_semi. */
function equalitySemi(outer: Column | null, inner: Column | null): number {
  const no = distinctOf(outer);
  const ni = distinctOf(inner);
  const nulls = outer?.stats?.nullFraction ?? 0;
  let count = ni.count;
  let innerDefault = ni.isDefault;
  if (inner !== null && count >= inner.rel.rows) {
    count = Math.max(1, inner.rel.rows);
    innerDefault = false;
  }
  const m = outer === null || inner === null ? null : matchCommon(outer, inner, Math.ceil(count));
  if (m !== null) {
    let uncertain = 0.5;
    if (!no.isDefault && !innerDefault) {
      const left = no.count - m.count;
      const right = count - m.count;
      uncertain = left <= right || right < 0 ? 1 : right / left;
    }
    return clampProbability(m.freqA + uncertain * clampProbability(1 - m.freqA - nulls));
  }
  if (no.isDefault || innerDefault) return 0.5 * (1 - nulls);
  return (no.count <= count || count < 0 ? 1 : count / no.count) * (1 - nulls);
}

/** Counts the combinations that statistics tell of; what is left is to be counted by itself. */
function groupsTogether(root: PlannerInfo, exprs: readonly Expr[], counted: (c: Column, n: number, known: number) => void): readonly Expr[] {
  if (exprs.length < 2) return exprs;
  let rest = exprs.flatMap((e): Expr[] => (e.kind === 'Var' || exprType(e) === BOOLOID || pullVars(e).length === 0 || columnOf(root, e)?.stats !== undefined ? [e] : varsOf(e)));
  for (const rel of new Set(exprs.map((e) => onlyRelation(root, [e])))) {
    if (rel === null) continue;
    for (;;) {
      const known = distinctTogether(rel, rest);
      if (known === null) break;
      counted({ rel, stats: undefined, unique: false, type: 0, attno: 0, values: false }, known.count, 1);
      rest = rest.filter((e) => !known.covered.includes(e));
    }
  }
  return rest;
}

/** estimate_num_groups: how many different combinations of values. */
export function estimateGroups(root: PlannerInfo, exprs: readonly Expr[], inputRows: number): number {
  let groups = 1;
  const perRel = new Map<RelOptInfo, { product: number; most: number; vars: number }>();
  const counted = (c: Column, n: number, known: number): void => {
    const entry = perRel.get(c.rel);
    if (entry === undefined) perRel.set(c.rel, { product: n, most: n, vars: known });
    else {
      entry.product *= n;
      entry.most = Math.max(entry.most, n);
      entry.vars += known;
    }
  };
  const seen: Expr[] = [];
  for (const e of groupsTogether(root, exprs, counted)) {
    if (seen.some((x) => equal(x, e))) continue;
    seen.push(e);
    const own = e.kind === 'Var' ? null : columnOf(root, e);
    if (own?.stats !== undefined) {
      counted(own, distinctOf(own).count, 1);
      continue;
    }
    const vars = e.kind === 'Var' ? [e] : varsOf(e);
    if (e.kind !== 'Var' && exprType(e) === 16) {
      groups *= 2;
      continue;
    }
    if (vars.length === 0) {
      if (pullVarnos(e) !== 0n) groups *= DEFAULT_NUM_DISTINCT;
      continue;
    }
    for (const v of vars) {
      const c = columnOf(root, v);
      const n = distinctOf(c).count;
      if (c === null) {
        groups *= n;
        continue;
      }
      counted(c, n, 1);
    }
  }
  for (const [rel, { product, most, vars }] of perRel) {
    let count = product;
    const tuples = rel.tuples > 0 ? rel.tuples : rel.rows;
    if (tuples > 0) {
      // Columns are not that independent of each other.
      count = Math.min(count, vars > 1 ? Math.min(tuples, Math.max(tuples * 0.1, most)) : tuples);
      // Rows that were filtered away take values with them.
      if (rel.rows < tuples && count > 0) count *= 1 - ((tuples - rel.rows) / tuples) ** (tuples / count);
    }
    groups *= clampRows(count);
  }
  return Math.max(1, Math.min(Math.ceil(groups), Math.ceil(inputRows)));
}
/** Whether nothing is known of the number of different values. */
export const usesDefaults = (root: PlannerInfo, exprs: readonly Expr[]): boolean => exprs.some((e) => varsOf(e).some((v) => distinctOf(columnOf(root, v)).isDefault));

function varsOf(e: Expr): Var[] {
  const list: Var[] = [];
  collect(e, list);
  return list;
}
const collect = (e: Expr, into: Var[]): void => {
  for (const v of pullVars(e)) if (!into.some((w) => w.varno === v.varno && w.varattno === v.varattno)) into.push(v);
};

/** estimate_hash_bucket_stats: the share of the inner rows in the bucket that an outer row looks into; the most common value's share. */
export function bucketStatistics(root: PlannerInfo, e: Expr, buckets: number): { size: number; mostCommon: number } {
  const c = columnOf(root, e);
  const d = distinctOf(c);
  const mostCommon = c?.stats?.mcv?.frequencies[0] ?? 0;
  if (d.isDefault) return { size: Math.max(0.1, mostCommon), mostCommon };
  const nulls = c?.stats?.nullFraction ?? 0;
  const average = (1 - nulls) / d.count;
  let distinct = d.count;
  if (c !== null && c.rel.tuples > 0) distinct = clampRows(distinct * (c.rel.rows / c.rel.tuples));
  let size = distinct > buckets ? 1 / buckets : 1 / distinct;
  if (average > 0 && mostCommon > average) size *= mostCommon / average;
  return { size: Math.min(1, Math.max(1e-6, size)), mostCommon };
}

/** The least and the greatest value of a column as far as statistics tell (get_variable_range). */
function columnRange(root: PlannerInfo, e: Expr): { low: Datum; high: Datum } | null {
  const stats = columnOf(root, e)?.stats;
  if (stats === undefined) return null;
  const compare = typeComparator(exprType(e), exprCollation(e));
  let range: { low: Datum; high: Datum } | null = null;
  const h = stats.histogram;
  if (h !== null && h.length > 0) range = { low: h[0]!, high: h[h.length - 1]! };
  else if (stats.mcv === null || stats.mcv.frequencies.reduce((x, y) => x + y, 0) + stats.nullFraction < 0.99999) return null;
  for (const v of stats.mcv?.values ?? []) {
    if (range === null) range = { low: v, high: v };
    else if (compare(v, range.low) < 0) range = { low: v, high: range.high };
    else if (compare(v, range.high) > 0) range = { low: range.low, high: v };
  }
  return range;
}

/** mergejoinscansel: from where to where each side of a merge join has to be read. */
export function mergeScanSelectivity(root: PlannerInfo, left: Expr, right: Expr, reverse: boolean, nullsFirst: boolean): MergeScan {
  const result = { leftStart: 0, leftEnd: 1, rightStart: 0, rightEnd: 1 };
  const l = columnRange(root, left);
  const r = columnRange(root, right);
  if (l === null || r === null) return result;
  const lc = columnOf(root, left);
  const rc = columnOf(root, right);
  const [least, most] = reverse ? ['high', 'low'] as const : ['low', 'high'] as const;
  const share = (c: Column | null, e: Expr, v: Datum, orEqual: boolean): number => inequality(c, { value: v }, reverse, orEqual, e);
  result.leftEnd = share(lc, left, r[most], true);
  result.rightEnd = share(rc, right, l[most], true);
  if (result.leftEnd > result.rightEnd) result.leftEnd = 1;
  else if (result.leftEnd < result.rightEnd) result.rightEnd = 1;
  else result.leftEnd = result.rightEnd = 1;
  result.leftStart = share(lc, left, r[least], false);
  result.rightStart = share(rc, right, l[least], false);
  if (result.leftStart < result.rightStart) result.leftStart = 0;
  else if (result.leftStart > result.rightStart) result.rightStart = 0;
  else result.leftStart = result.rightStart = 0;
  if (nullsFirst) {
    for (const [c, start, end] of [[lc, 'leftStart', 'leftEnd'], [rc, 'rightStart', 'rightEnd']] as const) {
      const nulls = c?.stats?.nullFraction ?? 0;
      result[start] = Math.min(1, result[start] + nulls);
      result[end] = Math.min(1, result[end] + nulls);
    }
  }
  if (result.leftStart >= result.leftEnd) [result.leftStart, result.leftEnd] = [0, 1];
  if (result.rightStart >= result.rightEnd) [result.rightStart, result.rightEnd] = [0, 1];
  return result;
}

export function correlationOf(rel: RelOptInfo, attnum: number): number {
  if (rel.relation === null) return 0;
  // Nobody analyzes the catalogs; what is made one after the other has OIDs one after the other.
  return columnStatistics(rel.relation.oid, attnum)?.correlation ?? (rel.relation.oid < FirstNormalObjectId ? 1 : 0);
}
