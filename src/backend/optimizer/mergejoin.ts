// Merge joins (the part of PostgreSQL's joinpath.c and createplan.c that is about them): both sides in order, by sorting them or
// by paths that have an order.
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { opclassInputType } from '../executor/sort_support.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { MergeJoin, Plan, SortKey } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { equal, pullVarnos, switchedClause } from './clauses.ts';
import { rowsOfOne, sortCost } from './costsize.ts';
import { overPart } from './inherit.ts';
import { joinParam } from './joinparam.ts';
import { mergeJoinCost, parallelJoin, type JoinPathContext, type MergeClause } from './joincost.ts';
import { cheapestSafe, givePath, pathkeysContain } from './pathnode.ts';
import { usefulPathkeys } from './pathkeys.ts';
import type { EquivalenceClass, Path, PathKey, RelOptInfo } from './pathnodes.ts';
import { orderedClauses, over, planBase, withAllColumns, withColumn } from './planbuild.ts';
import { targetOfRel } from './nestparams.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';

interface Clause extends MergeClause { outerEc: EquivalenceClass; innerEc: EquivalenceClass }

/** select_mergejoin_clauses; null: a merge join cannot do this join. */
function mergeClauses(cx: JoinPathContext): Clause[] | null {
  const { outer, inner } = cx;
  const list: Clause[] = [];
  let others = false;
  for (const rinfo of cx.joinquals) {
    const { clause } = rinfo;
    if (!rinfo.canJoin || rinfo.mergeFamilies.length === 0 || clause.kind !== 'OpExpr' || rinfo.leftEc === null || rinfo.rightEc === null) {
      if (clause.kind !== 'Const') others = true;
      continue;
    }
    const [a, b] = clause.args as [Expr, Expr];
    const straight = isSubset(rinfo.leftRelids, outer.relids) && isSubset(rinfo.rightRelids, inner.relids);
    if (!straight && !(isSubset(rinfo.rightRelids, outer.relids) && isSubset(rinfo.leftRelids, inner.relids))) {
      others = true;
      continue;
    }
    // Fixed by a constant, it says nothing about an order.
    if ((rinfo.leftEc.hasConst && !rinfo.leftEc.belowOuterJoin) || (rinfo.rightEc.hasConst && !rinfo.rightEc.belowOuterJoin)) {
      others = true;
      continue;
    }
    list.push(straight ? { rinfo, outer: a, inner: b, outerEc: rinfo.leftEc, innerEc: rinfo.rightEc } : { rinfo, outer: b, inner: a, outerEc: rinfo.rightEc, innerEc: rinfo.leftEc });
  }
  return others && (cx.jointype === 'right' || cx.jointype === 'full') ? null : list;
}

export function mergeJoins(cx: JoinPathContext, how: 'sorted' | 'presorted' | 'without_clauses'): void {
  const { outer, inner } = cx;
  const i = inner.cheapestTotal;
  if (i === null || overlaps(i.requiredOuter, outer.topRelids)) return;
  if (how === 'without_clauses') {
    if (outer.cheapestTotal !== null) addMergeJoin(cx, outer.cheapestTotal, i, [], [], [], []);
    return;
  }
  const clauses = mergeClauses(cx);
  if (clauses === null || clauses.length === 0) return;
  const shared = cx.partial ? outer.partialPaths[0] ?? null : null;
  const safe = shared === null || i.parallelSafe === true ? i : cheapestSafe(inner.paths);
  if (how === 'sorted') {
    const o = outer.cheapestTotal;
    if (o === null || overlaps(o.requiredOuter, inner.topRelids)) return;
    const all = outerPathkeys(cx, clauses);
    for (const first of all) {
      const keys = [first, ...all.filter((k) => k !== first)];
      const used = clausesFor(keys, clauses);
      addMergeJoin(cx, o, i, used, keys, keys, innerPathkeys(used, keys));
      if (shared !== null && safe !== null) addMergeJoin(cx, shared, safe, used, keys, keys, innerPathkeys(used, keys));
    }
    return;
  }
  for (const o of outer.paths) if (!overlaps(o.requiredOuter, inner.topRelids)) presorted(cx, clauses, o, i);
  if (cx.partial && safe !== null) for (const o of outer.partialPaths) presorted(cx, clauses, o, safe);
}

/** generate_mergejoin_paths, for an outer path that has an order. */
function presorted(cx: JoinPathContext, clauses: readonly Clause[], o: Path, i: Path): void {
  const { inner, jointype } = cx;
  if (o.pathkeys.length === 0) return;
  const useAll = jointype === 'right' || jointype === 'full';
  const used = clausesFor(o.pathkeys, clauses);
  if (used.length === 0 || (useAll && used.length !== clauses.length)) return;
  const wanted = innerPathkeys(used, o.pathkeys);
  addMergeJoin(cx, o, i, used, o.pathkeys, [], wanted);
  const paths = o.parallelWorkers === undefined ? inner.paths : inner.paths.filter((p) => p.parallelSafe === true);
  let [cheapest, early]: [Path | null, Path | null] = pathkeysContain(i.pathkeys, wanted) ? [i, i] : [null, null];
  for (let n = wanted.length; n > 0; n--) {
    const keys = wanted.slice(0, n);
    const some = n < wanted.length ? used.filter((c) => keys.some((k) => k.ec === c.innerEc)) : used;
    const total = cheapestFor(paths, keys, (p) => p.total);
    if (total !== null && (cheapest === null || total.total < cheapest.total)) {
      addMergeJoin(cx, o, total, some, o.pathkeys, [], []);
      cheapest = total;
    }
    const startup = cheapestFor(paths, keys, (p) => p.startup);
    if (startup !== null && (early === null || startup.startup < early.startup)) {
      if (startup !== cheapest) addMergeJoin(cx, o, startup, some, o.pathkeys, [], []);
      early = startup;
    }
    if (useAll) break;
  }
}

/** get_cheapest_path_for_pathkeys. */
function cheapestFor(paths: readonly Path[], keys: readonly PathKey[], cost: (p: Path) => number): Path | null {
  let best: Path | null = null;
  for (const p of paths) {
    if (p.requiredOuter === EMPTY && pathkeysContain(p.pathkeys, keys) && (best === null || cost(p) < cost(best))) best = p;
  }
  return best;
}

/** find_mergeclauses_for_outer_pathkeys. */
function clausesFor(keys: readonly PathKey[], clauses: readonly Clause[]): Clause[] {
  const used: Clause[] = [];
  for (const k of keys) {
    const mine = clauses.filter((c) => c.outerEc === k.ec);
    if (mine.length === 0) break;
    used.push(...mine);
  }
  return used;
}

/** select_outer_pathkeys_for_merge: what the query wants first of all, then what further joins want. */
function outerPathkeys(cx: JoinPathContext, clauses: readonly Clause[]): PathKey[] {
  const { root, rel } = cx;
  const scores = new Map<EquivalenceClass, number>();
  for (const { outerEc } of clauses) {
    if (!scores.has(outerEc)) scores.set(outerEc, outerEc.members.filter((m) => !overlaps(m.relids, rel.topRelids)).length);
  }
  const keys: PathKey[] = [];
  if (root.queryPathkeys.length > 0 && root.queryPathkeys.every((k) => scores.has(k.ec))) {
    keys.push(...root.queryPathkeys);
    for (const k of keys) scores.delete(k.ec);
  }
  for (const [ec] of [...scores].sort((a, b) => b[1] - a[1])) if (!keys.some((k) => k.ec === ec)) keys.push({ ec, reverse: false, nullsFirst: false });
  return keys;
}

/** make_inner_pathkeys_for_merge. */
function innerPathkeys(clauses: readonly Clause[], outer: readonly PathKey[]): PathKey[] {
  const keys: PathKey[] = [];
  for (const c of clauses) {
    const k = outer.find((o) => o.ec === c.outerEc)!;
    if (!keys.some((x) => x.ec === c.innerEc)) keys.push({ ec: c.innerEc, reverse: k.reverse, nullsFirst: k.nullsFirst });
  }
  return keys;
}

/** try_mergejoin_path; `keys`: the order of the outer side; empty lists of sort keys: that side is in order. */
function addMergeJoin(cx: JoinPathContext, o: Path, i: Path, clauses: readonly Clause[], keys: readonly PathKey[], sortOuter: readonly PathKey[], sortInner: readonly PathKey[]): void {
  const { root, rel, outer, inner, jointype, innerUnique } = cx;
  const param = joinParam(cx, o, i, cx.joinquals.filter((r) => !clauses.some((c) => c.rinfo === r)));
  if (param === null) return;
  const { rest, others, fix } = param;
  const outerKeys = sortOuter.length > 0 && !pathkeysContain(o.pathkeys, sortOuter) ? sortOuter : [];
  const innerKeys = sortInner.length > 0 && !pathkeysContain(i.pathkeys, sortInner) ? sortInner : [];
  const cost = mergeJoinCost(cx, o, i, clauses, keys[0] ?? null, outerKeys.length > 0, innerKeys.length > 0);
  const path: Path = {
    kind: 'MergeJoin', rel, rows: rowsOfOne(param.rows, o.parallelWorkers), startup: cost.startup, total: cost.total, pathkeys: jointype === 'right' || jointype === 'full' ? [] : usefulPathkeys(root, rel, [...keys]),
    requiredOuter: param.required, paramClauses: param.all, ...parallelJoin(cx, o, i),
    make: () => {
      const left = outerKeys.length > 0 ? sorted(o.make(), outerKeys, outer) : withAllColumns(o.make());
      let right = innerKeys.length > 0 ? sorted(i.make(), innerKeys, inner) : cost.material ? i.make() : withAllColumns(i.make());
      if (cost.material) right = { kind: 'Material', ...over(right, right.targetlist) };
      const plan: MergeJoin = {
        kind: 'MergeJoin', ...planBase(path, targetOfRel(root, rel), orderedClauses(others).map(fix), left, right), jointype, inner_unique: innerUnique,
        joinqual: orderedClauses(rest).map(fix), mergeclauses: clauses.map((c) => switchedClause(c.rinfo.clause, c.outer, c.inner)), mergeKeys: clauses.map((c) => mergeKey(c, keys)),
      };
      return plan;
    },
  };
  givePath(rel, path);
}

function mergeKey(c: Clause, keys: readonly PathKey[]): MergeJoin['mergeKeys'][number] {
  const k = keys.find((x) => x.ec === c.outerEc)!;
  const { opno } = c.rinfo.clause as { opno: number };
  return { left: c.outer, right: c.inner, reverse: k.reverse, nullsFirst: k.nullsFirst, eqop: opno, sortop: 0, collation: k.ec.collation };
}

/** prepare_sort_from_pathkeys: an expression to be sorted by that is no column yet becomes one. */
export function sortColumns(child: Plan, keys: readonly PathKey[], rel: RelOptInfo): { below: Plan; sortKeys: SortKey[] } {
  let below = child;
  const sortKeys: SortKey[] = keys.map((k) => {
    const own = k.ec.members.filter((m) => m.relids !== EMPTY && (rel.kind === 'upper' || isSubset(m.relids, rel.topRelids))).map((m) => overPart(rel, m.expr));
    let at = below.targetlist.findIndex((t) => own.some((e) => equal(e, t.expr)));
    if (at < 0) {
      const expr = own.find((e) => isSubset(pullVarnos(e), rel.relids))!;
      at = below.targetlist.length;
      below = withColumn(below, expr);
    }
    const { expr } = below.targetlist[at]!;
    const type = opclassInputType(exprType(expr));
    const sortop = k.ec.families.map((f) => getOpfamilyMember(f, type, type, k.reverse ? 5 : 1)).find((op) => op !== 0) ?? 0;
    return { column: at + 1, sortop, collation: k.ec.collation, nullsFirst: k.nullsFirst, type: exprType(expr), reverse: k.reverse };
  });
  return { below, sortKeys };
}

/** make_sort_from_pathkeys. */
export function sorted(child: Plan, keys: readonly PathKey[], rel: RelOptInfo): Plan {
  const { below, sortKeys } = sortColumns(child, keys, rel);
  const cost = sortCost(below.plan_rows, below.plan_width, -1);
  return {
    kind: 'Sort', ...over(below, below.targetlist), startup_cost: below.total_cost + cost.startup, total_cost: below.total_cost + cost.startup + cost.run, sortKeys, bound: null,
  };
}
