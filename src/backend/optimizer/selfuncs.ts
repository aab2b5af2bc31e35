// How many rows a condition lets through (PostgreSQL's selfuncs.c, clausesel.c).
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { typeComparator } from '../executor/sort_support.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, Var } from '../nodes/primnodes.ts';
import type { ArrayValue, Datum } from '../types/datum.ts';
import { pullVarnos, pullVars, stripRelabel } from './clauses.ts';
import { type ColumnStatistics, columnStatistics } from './plancat.ts';
import type { PlannerInfo, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { singleton } from './relids.ts';

const DEFAULT_INEQ_SEL = 0.3333333333333333;
const DEFAULT_RANGE_INEQ_SEL = 0.005;
const DEFAULT_MATCH_SEL = 0.005;
const DEFAULT_UNK_SEL = 0.005;
const DEFAULT_NUM_DISTINCT = 200;

const clamp = (p: number): number => Math.min(1, Math.max(0, p));

interface Column { rel: RelOptInfo; stats: ColumnStatistics | undefined; unique: boolean; boolean: boolean }

function columnOf(root: PlannerInfo, e: Expr): Column | null {
  const v = stripRelabel(e);
  if (v.kind !== 'Var' || v.varlevelsup !== 0) return null;
  const rel = root.rels[v.varno];
  if (rel === undefined) return null;
  const stats = rel.relation !== null && v.varattno > 0 ? columnStatistics(rel.relation.oid, v.varattno, rel.children !== null) : undefined;
  const unique = rel.indexes.some((i) => i.unique && i.predicate === null && i.keyCount === 1 && i.keyAttributes[0] === v.varattno);
  return { rel, stats, unique, boolean: v.vartype === 16 };
}

/** get_variable_numdistinct. */
function distinctOf(c: Column | null): { count: number; isDefault: boolean } {
  if (c === null) return { count: DEFAULT_NUM_DISTINCT, isDefault: true };
  const tuples = c.rel.tuples > 0 ? c.rel.tuples : c.rel.rows;
  let distinct = c.stats?.distinct ?? 0;
  if (c.stats === undefined) {
    if (c.boolean) distinct = 2;
    else if (c.unique) distinct = -1;
  } else if (c.unique) distinct = -1 * (1 - c.stats.nullFraction);
  if (distinct > 0) return { count: Math.max(1, distinct), isDefault: false };
  if (tuples <= 0) return { count: DEFAULT_NUM_DISTINCT, isDefault: true };
  if (distinct < 0) return { count: Math.max(1, Math.round(-distinct * tuples)), isDefault: false };
  return tuples < DEFAULT_NUM_DISTINCT ? { count: Math.max(1, Math.round(tuples)), isDefault: false } : { count: DEFAULT_NUM_DISTINCT, isDefault: true };
}

/** A literal's value, when statistics can be asked about it. Doing so ties the plan to it. */
function constValue(e: Expr): { known: true; value: Datum } | null {
  const c = stripRelabel(e);
  if (c.kind !== 'Const') return null;
  if (c.slot !== undefined) return null;
  return { known: true, value: c.constvalue };
}

export function clauselistSelectivity(root: PlannerInfo, clauses: readonly RestrictInfo[], sjinfo: SpecialJoinInfo | null = null): number {
  let s = 1;
  const ranges = new Map<string, { low: number | null; high: number | null; nullFraction: number }>();
  for (const rinfo of clauses) {
    const range = sjinfo === null ? rangeBound(root, rinfo.clause) : null;
    if (range !== null) {
      const entry = ranges.get(range.key) ?? { low: null, high: null, nullFraction: range.nullFraction };
      if (range.low) entry.low = Math.min(entry.low ?? 1, range.selectivity);
      else entry.high = Math.min(entry.high ?? 1, range.selectivity);
      ranges.set(range.key, entry);
      continue;
    }
    s *= restrictSelectivity(root, rinfo, sjinfo);
  }
  for (const { low, high, nullFraction } of ranges.values()) {
    if (low !== null && high !== null) {
      let both = low === DEFAULT_INEQ_SEL || high === DEFAULT_INEQ_SEL ? DEFAULT_RANGE_INEQ_SEL : high + low - 1 + nullFraction;
      if (both <= 0) both = both < -0.01 ? DEFAULT_RANGE_INEQ_SEL : 1e-10;
      s *= both;
    } else s *= low ?? high ?? 1;
  }
  return clamp(s);
}

/** x > low and x < high on the same column count as one range. */
function rangeBound(root: PlannerInfo, e: Expr): { key: string; low: boolean; selectivity: number; nullFraction: number } | null {
  if (e.kind !== 'OpExpr' || e.args.length !== 2) return null;
  const estimator = functionName(operator(e.opno).oprrest);
  const low = /^scalargt|^scalarge/.test(estimator);
  if (!low && !/^scalarl[te]/.test(estimator)) return null;
  const [a, b] = e.args as [Expr, Expr];
  const left = stripRelabel(a);
  const right = stripRelabel(b);
  const v = left.kind === 'Var' ? left : right.kind === 'Var' ? right : null;
  if (v === null || singleton(pullVarnos(e)) === 0) return null;
  return { key: `${v.varno}.${v.varattno}`, low: low === (v === left), selectivity: clauseSelectivity(root, e, null), nullFraction: columnOf(root, v)?.stats?.nullFraction ?? 0 };
}

function restrictSelectivity(root: PlannerInfo, rinfo: RestrictInfo, sjinfo: SpecialJoinInfo | null): number {
  if (sjinfo === null && rinfo.selectivity >= 0) return rinfo.selectivity;
  const s = clamp(clauseSelectivity(root, rinfo.clause, sjinfo));
  if (sjinfo === null) rinfo.selectivity = s;
  return s;
}

const functionName = (oid: number): string => (oid === 0 ? '' : functionInfo(oid).name);

export function clauseSelectivity(root: PlannerInfo, e: Expr, sjinfo: SpecialJoinInfo | null): number {
  switch (e.kind) {
    case 'Const': return e.constvalue === true ? 1 : 0;
    case 'Var': {
      const c = columnOf(root, e);
      return c?.stats === undefined ? 0.5 : booleanFraction(c.stats, true);
    }
    case 'BoolExpr':
      if (e.boolop === 'not') return 1 - clauseSelectivity(root, e.args[0]!, sjinfo);
      if (e.boolop === 'and') return e.args.reduce((s, a) => s * clauseSelectivity(root, a, sjinfo), 1);
      return e.args.reduce((s, a) => {
        const t = clauseSelectivity(root, a, sjinfo);
        return s + t - s * t;
      }, 0);
    case 'OpExpr': return operatorSelectivity(root, e, sjinfo);
    case 'DistinctExpr': return 1 - operatorSelectivity(root, { ...e, kind: 'OpExpr' }, sjinfo);
    case 'ScalarArrayOpExpr': {
      const one = operatorSelectivity(root, { kind: 'OpExpr', opno: e.opno, opfuncid: e.opfuncid, opresulttype: 16, opretset: false, opcollid: 0, inputcollid: e.inputcollid, args: [e.args[0], UNKNOWN], location: -1 }, sjinfo);
      const list = e.args[1];
      const n = list.kind === 'Const' ? (list.constvalue === null ? 0 : (list.constvalue as ArrayValue).values.length) : list.kind === 'ArrayExpr' ? list.elements.length : 10;
      const name = functionName(operator(e.opno).oprrest);
      if (e.useOr) return name === 'eqsel' ? Math.min(1, one * n) : 1 - (1 - one) ** n;
      return name === 'neqsel' ? Math.max(0, 1 - n * (1 - one)) : one ** n;
    }
    case 'NullTest': {
      const c = columnOf(root, e.arg);
      const nulls = c?.stats !== undefined ? c.stats.nullFraction : DEFAULT_UNK_SEL;
      return e.isNull ? nulls : 1 - nulls;
    }
    case 'BooleanTest': {
      const c = columnOf(root, e.arg);
      if (c?.stats === undefined) return e.booltesttype === 'is_unknown' ? DEFAULT_UNK_SEL : e.booltesttype === 'is_not_unknown' ? 1 - DEFAULT_UNK_SEL : 0.5;
      const t = booleanFraction(c.stats, true);
      const f = Math.max(0, 1 - c.stats.nullFraction - t);
      return { is_true: t, is_not_true: 1 - t, is_false: f, is_not_false: 1 - f, is_unknown: c.stats.nullFraction, is_not_unknown: 1 - c.stats.nullFraction }[e.booltesttype];
    }
    case 'RelabelType': return clauseSelectivity(root, e.arg, sjinfo);
    case 'FuncExpr': return 0.3333333;
    default: return 0.5;
  }
}
const UNKNOWN: Expr = { kind: 'Param', paramkind: 'extern', paramid: 0, paramtype: 0, paramtypmod: -1, paramcollid: 0, location: -1 };

function booleanFraction(stats: ColumnStatistics, value: boolean): number {
  const i = stats.mcv?.values.indexOf(value) ?? -1;
  if (i >= 0) return stats.mcv!.frequencies[i]!;
  const other = stats.mcv?.values.indexOf(!value) ?? -1;
  return other >= 0 ? Math.max(0, 1 - stats.nullFraction - stats.mcv!.frequencies[other]!) : (1 - stats.nullFraction) / 2;
}

function operatorSelectivity(root: PlannerInfo, e: Expr & { kind: 'OpExpr' }, sjinfo: SpecialJoinInfo | null): number {
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
      default: return DEFAULT_MATCH_SEL;
    }
  }
  const [column, other, swapped] = left !== null ? [left, b, false] : [right, a, true];
  const value = constValue(other);
  if (value !== null && value.value === null && functionInfo(e.opfuncid).strict) return 0;
  switch (functionName(op.oprrest)) {
    case 'eqsel': return equality(column, value, swapped ? b : a);
    case 'neqsel': return Math.max(0, 1 - (column?.stats?.nullFraction ?? 0) - equality(column, value, swapped ? b : a));
    case 'scalarltsel': case 'scalarlesel': return inequality(column, value, swapped, swapped ? b : a);
    case 'scalargtsel': case 'scalargesel': return inequality(column, value, !swapped, swapped ? b : a);
    case 'likesel': case 'iclikesel': case 'regexeqsel': case 'icregexeqsel': case 'matchingsel': return DEFAULT_MATCH_SEL;
    case 'nlikesel': case 'icnlikesel': case 'regexnesel': case 'icregexnesel': return 1 - DEFAULT_MATCH_SEL;
    case '': return 0.5;
    default: return DEFAULT_MATCH_SEL;
  }
}

function equality(c: Column | null, value: { value: Datum } | null, e: Expr): number {
  if (c === null) return 1 / DEFAULT_NUM_DISTINCT;
  if (c.unique && c.rel.tuples >= 1) return 1 / c.rel.tuples;
  const { stats } = c;
  if (stats === undefined) return 1 / distinctOf(c).count;
  let rest = 1 - stats.nullFraction;
  if (stats.mcv !== null) {
    if (value !== null) {
      const compare = typeComparator(exprType(e), exprCollation(e));
      const i = stats.mcv.values.findIndex((v) => v !== null && compare(v, value.value) === 0);
      if (i >= 0) return stats.mcv.frequencies[i]!;
    }
    const sum = stats.mcv.frequencies.reduce((x, y) => x + y, 0);
    const others = distinctOf(c).count - stats.mcv.values.length;
    if (value === null) return clamp(rest / distinctOf(c).count);
    rest -= sum;
    return clamp(others > 1 ? rest / others : rest);
  }
  return clamp(rest / distinctOf(c).count);
}

/** The share of rows with column < value (greater: >). */
function inequality(c: Column | null, value: { value: Datum } | null, greater: boolean, e: Expr): number {
  if (c === null || c.stats === undefined || value === null || value.value === null) return DEFAULT_INEQ_SEL;
  const { stats } = c;
  const compare = typeComparator(exprType(e), exprCollation(e));
  let mcvShare = 0;
  let mcvTotal = 0;
  stats.mcv?.values.forEach((v, i) => {
    const f = stats.mcv!.frequencies[i]!;
    mcvTotal += f;
    if ((compare(v, value.value) < 0) !== greater) mcvShare += f;
  });
  let share = DEFAULT_INEQ_SEL;
  const h = stats.histogram;
  if (h !== null && h.length > 1) {
    let low = 0;
    let high = h.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (compare(h[mid], value.value) < 0) low = mid + 1;
      else high = mid;
    }
    let below: number;
    if (low === 0) below = 0;
    else if (low === h.length) below = 1;
    else {
      const from = h[low - 1];
      const to = h[low];
      let fraction = 0.5;
      if (typeof from === 'number' && typeof to === 'number' && typeof value.value === 'number' && to > from) fraction = (value.value - from) / (to - from);
      below = (low - 1 + fraction) / (h.length - 1);
    }
    share = greater ? 1 - below : below;
    share = Math.min(0.9999, Math.max(0.0001, share));
  }
  return clamp(share * (1 - stats.nullFraction - mcvTotal) + mcvShare);
}

/** eqjoinsel without the comparison of most common values. */
function equalityJoin(a: Column | null, b: Column | null, sjinfo: SpecialJoinInfo | null): number {
  const na = distinctOf(a);
  const nb = distinctOf(b);
  const nullsA = a?.stats?.nullFraction ?? 0;
  const nullsB = b?.stats?.nullFraction ?? 0;
  if (sjinfo !== null && (sjinfo.jointype === 'semi' || sjinfo.jointype === 'anti')) {
    const aIsOuter = a !== null && (a.rel.relids & sjinfo.synRighthand) === 0n;
    const outer = aIsOuter ? na : nb;
    const inner = aIsOuter ? nb : na;
    const innerRel = aIsOuter ? b?.rel : a?.rel;
    const innerCount = innerRel !== undefined && inner.count > innerRel.rows ? Math.max(1, innerRel.rows) : inner.count;
    if (outer.isDefault || inner.isDefault) return 0.5 * (1 - (aIsOuter ? nullsA : nullsB));
    return (innerCount >= outer.count ? 1 : innerCount / outer.count) * (1 - (aIsOuter ? nullsA : nullsB));
  }
  return ((1 - nullsA) * (1 - nullsB)) / Math.max(na.count, nb.count);
}

/** estimate_num_groups: how many different combinations of values. */
export function estimateGroups(root: PlannerInfo, exprs: readonly Expr[], inputRows: number): number {
  let groups = 1;
  const perRel = new Map<RelOptInfo, number>();
  for (const e of exprs) {
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
      if (c === null) groups *= n;
      else perRel.set(c.rel, (perRel.get(c.rel) ?? 1) * n);
    }
  }
  for (const [rel, n] of perRel) {
    let count = n;
    const tuples = rel.tuples > 0 ? rel.tuples : rel.rows;
    if (tuples > 0) {
      count = Math.min(count, tuples);
      // Rows that were filtered away take values with them.
      if (rel.rows < tuples && count > 0) count = count * (1 - ((tuples - rel.rows) / tuples) ** (tuples / count));
    }
    groups *= Math.max(1, count);
  }
  return Math.max(1, Math.min(Math.ceil(groups), Math.ceil(inputRows)));
}
function varsOf(e: Expr): Var[] {
  const list: Var[] = [];
  collect(e, list);
  return list;
}
const collect = (e: Expr, into: Var[]): void => {
  for (const v of pullVars(e)) if (!into.some((w) => w.varno === v.varno && w.varattno === v.varattno)) into.push(v);
};

/** Share of an outer relation's rows per value of a hash key: how crowded the buckets will be. */
export function bucketFraction(root: PlannerInfo, e: Expr): number {
  const c = columnOf(root, e);
  const d = distinctOf(c);
  return d.isDefault ? 0.1 : 1 / d.count;
}

export function correlationOf(rel: RelOptInfo, attnum: number): number {
  return rel.relation === null ? 0 : columnStatistics(rel.relation.oid, attnum)?.correlation ?? 0;
}
