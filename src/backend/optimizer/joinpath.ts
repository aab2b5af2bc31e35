// The ways to join two relations (PostgreSQL's joinpath.c): nested loops, hash joins, merge joins.
import { PgError } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin, NestLoop, Plan } from '../nodes/plannodes.ts';
import type { Expr, JoinType } from '../nodes/primnodes.ts';
import { innerIsUnique } from './analyzejoins.ts';
import { settings } from '../utils/settings.ts';
import { switchedClause } from './clauses.ts';
import { enabled, rowsOfOne } from './costsize.ts';
import { hashJoinCost, materialPath, nestLoopCost, parallelJoin, semiFactors, type JoinPathContext } from './joincost.ts';
import { overPart } from './inherit.ts';
import { isMovable, isSame, joinParam, paramClauses, paramJoinRows, paramSources } from './joinparam.ts';
import { memoizePath } from './memoize.ts';
import { mergeJoins } from './mergejoin.ts';
import { replaceNestloopParams, takeNestParams, targetOfRel } from './nestparams.ts';
import { cheapestSafe, cheapestStartup, givePath } from './pathnode.ts';
import { usefulPathkeys } from './pathkeys.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { wantsHalf } from './relnode.ts';
import { KEEPS_OUTPUT, orderedClauses, over, planBase, withAllColumns } from './planbuild.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { FREE } from './workercost.ts';

/** add_paths_to_joinrel. */
export function addPathsToJoinRel(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, clauses: RestrictInfo[], sjinfo: SpecialJoinInfo | null): void {
  const isOuter = jointype !== 'inner' && jointype !== 'semi';
  const joinquals = isOuter ? clauses.filter((c) => !c.isPushedDown) : clauses;
  const innerUnique = innerIsUnique(root, inner, joinquals, outer.relids);
  const cx: JoinPathContext = {
    root, rel, outer, inner, jointype, joinquals, otherquals: isOuter ? clauses.filter((c) => c.isPushedDown) : [], innerUnique,
    sources: EMPTY, partial: rel.considerParallel && jointype !== 'right' && jointype !== 'full' && outer.partialPaths.length > 0 && rel.lateralRelids === EMPTY,
    semi: jointype === 'semi' || jointype === 'anti' || innerUnique ? semiFactors(root, inner, outer, jointype, joinquals, sjinfo) : null,
  };
  const lateral = overlaps(inner.lateralRelids, outer.topRelids);
  const before = rel.paths.length;
  cx.sources = paramSources(root, rel);
  if (!lateral) mergeJoins(cx, 'sorted');
  if (jointype !== 'right' && jointype !== 'full') nestLoops(cx, lateral);
  if (lateral) return;
  mergeJoins(cx, 'presorted');
  hashJoins(cx);
  if (jointype === 'full' && rel.paths.length === 0 && before === 0) {
    if (joinquals.some((r) => r.clauseRelids !== EMPTY)) throw new PgError('feature_not_supported', 'FULL JOIN is only supported with merge-joinable or hash-joinable join conditions');
    mergeJoins(cx, 'without_clauses');
  }
}

// ------------------------------------------------------------------ nested loops

function nestLoops(cx: JoinPathContext, lateral: boolean): void {
  const { root, rel, outer, inner, sources } = cx;
  const inners = inner.paths.filter((p) => p.requiredOuter !== EMPTY);
  const cheapest = inner.cheapestTotal;
  if (cheapest !== null && !lateral && !overlaps(cheapest.requiredOuter, outer.topRelids)) {
    if (cheapest.requiredOuter === EMPTY) inners.unshift(cheapest);
    if (enabled.material && !KEEPS_OUTPUT.has(cheapest.kind)) inners.push(materialPath(cheapest));
  }
  for (const o of outer.paths) {
    if (overlaps(o.requiredOuter, inner.topRelids)) continue;
    for (const i of inners) {
      const required = (o.requiredOuter | i.requiredOuter) & ~rel.topRelids;
      const star = overlaps(i.requiredOuter, outer.topRelids) && !isSubset(i.requiredOuter, outer.topRelids);
      if (required !== EMPTY && ((!overlaps(required, sources) && !star) || wantsHalf(root, outer.topRelids, i.requiredOuter))) continue;
      addNestLoop(cx, o, i, required);
      const memo = memoizePath(cx, o, i);
      if (memo !== null) addNestLoop(cx, o, memo, required);
    }
  }
  if (!cx.partial) return;
  // consider_parallel_nestloop
  const safe = inner.paths.filter((p) => p.parallelSafe === true && (p.requiredOuter === EMPTY ? p === cheapest : isSubset(p.requiredOuter, outer.topRelids)));
  for (const o of outer.partialPaths) {
    for (const i of safe) {
      addNestLoop(cx, o, i, EMPTY);
      const memo = memoizePath(cx, o, i);
      if (memo !== null) addNestLoop(cx, o, memo, EMPTY);
    }
  }
}

function addNestLoop(cx: JoinPathContext, o: Path, i: Path, required: Relids): void {
  const { root, rel, outer, jointype, otherquals, innerUnique } = cx;
  const param = overlaps(i.requiredOuter, outer.topRelids);
  // Conditions evaluated inside the parameterized scan need not be evaluated again.
  const done = (c: RestrictInfo): boolean => i.paramClauses.some((p) => isSame(p, c)) || (param && c.leftEc !== null && c.leftEc === c.rightEc && isMovable(c.ofParent ?? c, cx.inner.topRelids, i.requiredOuter)
    && i.paramClauses.some((p) => p.leftEc === c.leftEc && p.leftEc === p.rightEc));
  const rest = cx.joinquals.filter((c) => !done(c));
  const indexed = param && rest.length === 0 && i.indexClauses !== undefined && i.paramClauses.length > 0 && i.paramClauses.every((c) => i.indexClauses!.includes(c) || (c.leftEc !== null && i.indexClauses!.some((x) => x.leftEc === c.leftEc)));
  const outside = required === EMPTY ? null : paramClauses(cx, o, i, required);
  // A condition from outside must not decide what an outer join matches.
  const isOuter = jointype !== 'inner' && jointype !== 'semi';
  const others = outside === null || !isOuter ? otherquals : [...otherquals, ...outside.here];
  if (outside !== null && !isOuter) rest.push(...outside.here);
  const { startup, total } = nestLoopCost(cx, o, i, rest, indexed);
  const rows = outside === null ? rowsOfOne(rel.rows, o.parallelWorkers) : paramJoinRows(cx, o, i, rest, required);
  const path: Path = {
    kind: 'NestLoop', rel, rows, startup, total, pathkeys: usefulPathkeys(root, rel, o.pathkeys), requiredOuter: required, paramClauses: outside === null ? [] : outside.all,
    ...parallelJoin(cx, o, i),
    make: () => {
      const outerPlan = withAllColumns(o.make());
      const saved = root.curOuterRels;
      root.curOuterRels |= outer.topRelids;
      const innerPlan = withAllColumns(i.make());
      root.curOuterRels = saved;
      const nestParams = takeNestParams(root, outer.topRelids).map((p) => ({ ...p, paramval: overPart(outer, p.paramval) }));
      const fix = (e: Expr): Expr => (required === EMPTY && rel.lateralRelids === EMPTY ? e : replaceNestloopParams(root, e));
      const plan: NestLoop = {
        kind: 'NestLoop', ...planBase(path, targetOfRel(root, rel), orderedClauses(others).map(fix), outerPlan, innerPlan), jointype,
        joinqual: orderedClauses(rest).map(fix), inner_unique: innerUnique, nestParams,
      };
      return plan;
    },
  };
  givePath(rel, path);
}

// ------------------------------------------------------------------ hash joins

interface HashKey { rinfo: RestrictInfo; outer: Expr; inner: Expr; clause: Expr; eqop: number }

function hashableFor(r: RestrictInfo, outer: RelOptInfo, inner: RelOptInfo): HashKey | null {
  if (!r.hashable || !r.canJoin || r.clause.kind !== 'OpExpr') return null;
  const [a, b] = r.clause.args as [Expr, Expr];
  if (!crossTypeHashes(exprType(a), exprType(b))) return null;
  if (isSubset(r.leftRelids, outer.relids) && isSubset(r.rightRelids, inner.relids)) return { rinfo: r, outer: a, inner: b, clause: r.clause, eqop: r.clause.opno };
  if (isSubset(r.rightRelids, outer.relids) && isSubset(r.leftRelids, inner.relids)) {
    return { rinfo: r, outer: b, inner: a, clause: r.clause, eqop: r.clause.opno };
  }
  return null;
}

const INTEGERS = new Set([20, 21, 23, 26]);
const TEXTS = new Set([19, 25, 1043]);
/** Both sides' datums must hash alike (sort_support's hash keys). */
function crossTypeHashes(a: number, b: number): boolean {
  if (a === b || (INTEGERS.has(a) && INTEGERS.has(b)) || (TEXTS.has(a) && TEXTS.has(b))) return true;
  const floats = (t: number): boolean => t === 700 || t === 701;
  return floats(a) && floats(b) || (a >= 2200 && b >= 2200);
}

/** hash_inner_and_outer. */
function hashJoins(cx: JoinPathContext): void {
  const { outer, inner, jointype } = cx;
  if (!enabled.hashjoin && jointype !== 'full') return;
  const keys = cx.joinquals.map((r) => hashableFor(r, outer, inner)).filter((k) => k !== null);
  if (keys.length === 0) return;
  const i = inner.cheapestTotal;
  const o = outer.cheapestTotal;
  if (o === null || i === null || overlaps(i.requiredOuter, outer.topRelids) || overlaps(o.requiredOuter, inner.topRelids)) return;
  const early = cheapestStartup(outer);
  if (early !== null && early !== o) addHashJoin(cx, early, i, keys);
  addHashJoin(cx, o, i, keys);
  if (cx.partial) {
    const [shared] = outer.partialPaths as [Path];
    const [part] = inner.partialPaths;
    // By what it costs here there is none: the leader fills the table, and its workers inherit it.
    if (part !== undefined && settings.enable_parallel_hash && cx.root.glob.workerCosts === FREE) addHashJoin(cx, shared, part, keys);
    const safe = i.parallelSafe === true ? i : cheapestSafe(inner.paths);
    if (safe !== null) addHashJoin(cx, shared, safe, keys);
  }
  if (cx.sources === EMPTY) return;
  const outers = [o, ...outer.paths.filter((p) => p !== o && p.requiredOuter !== EMPTY && !overlaps(p.requiredOuter, inner.topRelids))];
  const inners = [i, ...inner.paths.filter((p) => p !== i && p.requiredOuter !== EMPTY && !overlaps(p.requiredOuter, outer.topRelids))];
  for (const left of outers) for (const right of inners) if (left !== o || right !== i) addHashJoin(cx, left, right, keys);
}

function addHashJoin(cx: JoinPathContext, o: Path, i: Path, keys: HashKey[]): void {
  const { root, rel, jointype, innerUnique } = cx;
  const param = joinParam(cx, o, i, cx.joinquals.filter((r) => !keys.some((k) => k.rinfo === r)));
  if (param === null) return;
  const { rest, others, fix } = param;
  const { startup, total } = hashJoinCost(cx, o, i, keys);
  const path: Path = {
    kind: 'HashJoin', rel, rows: rowsOfOne(param.rows, o.parallelWorkers), startup, total, pathkeys: [], requiredOuter: param.required, paramClauses: param.all, ...parallelJoin(cx, o, i),
    make: () => {
      const outerPlan = withAllColumns(o.make());
      const innerPlan = i.make();
      // All processes fill one table.
      const aware: Pick<Plan, 'parallelAware'> = i.parallelWorkers === undefined ? {} : { parallelAware: true };
      const hash: Plan = { kind: 'Hash', ...over(innerPlan, innerPlan.targetlist), startup_cost: innerPlan.total_cost, ...aware };
      const plan: HashJoin = {
        kind: 'HashJoin', ...planBase(path, targetOfRel(root, rel), orderedClauses(others).map(fix), outerPlan, hash), jointype,
        joinqual: orderedClauses(rest).map(fix), inner_unique: innerUnique, ...aware,
        hashclauses: keys.map((k) => switchedClause(k.clause, k.outer, k.inner)), hashkeys: keys.map((k) => ({ outer: k.outer, inner: k.inner, eqop: k.eqop })),
      };
      return plan;
    },
  };
  givePath(rel, path);
}
