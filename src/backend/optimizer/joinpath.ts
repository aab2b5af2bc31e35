// The ways to join two relations (PostgreSQL's joinpath.c): nested loops, hash joins, merge joins.
import { PgError } from '../../common/errors.ts';
import { operator } from '../executor/fmgr_info.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin, NestLoop, Plan } from '../nodes/plannodes.ts';
import type { Expr, JoinType } from '../nodes/primnodes.ts';
import { innerIsUnique } from './analyzejoins.ts';
import { clampRows, enabled } from './costsize.ts';
import { joinEqualities } from './equivclass.ts';
import { hashJoinCost, materialPath, nestLoopCost, semiFactors, type JoinPathContext } from './joincost.ts';
import { adjustRestriction, overPart } from './inherit.ts';
import { memoizePath } from './memoize.ts';
import { mergeJoins } from './mergejoin.ts';
import { replaceNestloopParams, takeNestParams } from './nestparams.ts';
import { addPath, cheapestStartup } from './pathnode.ts';
import { usefulPathkeys } from './pathkeys.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { wantsHalf } from './relnode.ts';
import { KEEPS_OUTPUT, orderedClauses, over, planBase, targetOf, withAllColumns } from './planbuild.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { clauselistSelectivity } from './selfuncs.ts';

/** add_paths_to_joinrel. */
export function addPathsToJoinRel(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, clauses: RestrictInfo[], sjinfo: SpecialJoinInfo | null): void {
  const isOuter = jointype !== 'inner' && jointype !== 'semi';
  const joinquals = isOuter ? clauses.filter((c) => !c.isPushedDown) : clauses;
  const innerUnique = innerIsUnique(root, inner, joinquals, outer.relids);
  const cx: JoinPathContext = {
    root, rel, outer, inner, jointype, joinquals, otherquals: isOuter ? clauses.filter((c) => c.isPushedDown) : [], innerUnique,
    semi: jointype === 'semi' || jointype === 'anti' || innerUnique ? semiFactors(root, inner, outer, jointype, joinquals, sjinfo) : null,
  };
  const lateral = overlaps(inner.lateralRelids, outer.topRelids);
  const before = rel.paths.length;
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

/** Relations that a path of the join may take values from: those that an outer join keeps from being joined before. */
function paramSources(root: PlannerInfo, rel: RelOptInfo): Relids {
  let sources = rel.lateralRelids;
  const relids = rel.topRelids;
  for (const sj of root.joinInfoList) {
    if (overlaps(relids, sj.minRighthand) && !overlaps(relids, sj.minLefthand)) sources |= root.allBaserels & ~sj.minRighthand;
    if (sj.jointype === 'full' && overlaps(relids, sj.minLefthand) && !overlaps(relids, sj.minRighthand)) sources |= root.allBaserels & ~sj.minLefthand;
  }
  return sources;
}

function nestLoops(cx: JoinPathContext, lateral: boolean): void {
  const { root, rel, outer, inner } = cx;
  const inners = inner.paths.filter((p) => p.requiredOuter !== EMPTY);
  const cheapest = inner.cheapestTotal;
  if (cheapest !== null && cheapest.requiredOuter === EMPTY && !lateral) {
    inners.unshift(cheapest);
    if (enabled.material && !KEEPS_OUTPUT.has(cheapest.kind)) inners.push(materialPath(cheapest));
  }
  const sources = paramSources(root, rel);
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
}

const isMovable = (c: RestrictInfo, relids: Relids, outside: Relids): boolean =>
  isSubset(c.clauseRelids, relids | outside) && overlaps(c.clauseRelids, relids) && !overlaps(c.nullableRelids, relids) && !overlaps(c.outerRelids, relids);

/** They are the same condition, over tables or their partitions. */
const isSame = (a: RestrictInfo, b: RestrictInfo): boolean => (a.ofParent ?? a) === (b.ofParent ?? b);
const ofPart = (rel: RelOptInfo, r: RestrictInfo): RestrictInfo => rel.translators.reduce((x, info) => adjustRestriction(info, x), r);

/** get_joinrel_parampathinfo: the conditions with what is outside that a path of the join has to test, and those among them that
 * neither side has tested. */
function paramClauses(cx: JoinPathContext, o: Path, i: Path, required: Relids): { all: RestrictInfo[]; here: RestrictInfo[] } {
  const { root, rel, outer, inner } = cx;
  const below = [...o.paramClauses, ...i.paramClauses];
  const all = below.filter((c) => overlaps(c.clauseRelids, required) && isSubset(c.clauseRelids, rel.relids | required));
  const here: RestrictInfo[] = [];
  for (const c of rel.joinClauses) {
    if (!isMovable(c, rel.relids, required) || !overlaps(c.clauseRelids, required) || all.some((x) => isSame(x, c))) continue;
    all.push(c);
    if (!isMovable(c, outer.relids, o.requiredOuter) && !isMovable(c, inner.relids, i.requiredOuter)) here.push(c);
  }
  // A class may have been enforced on one side by a member of the other: each side is told for itself.
  for (const [side, path] of [[outer, o], [inner, i]] as const) {
    for (const c of joinEqualities(root, required, side.topRelids).map((r) => ofPart(side, r))) {
      if (isMovable(c, side.relids, path.requiredOuter) && path.paramClauses.some((x) => x.leftEc === c.leftEc && x.leftEc === x.rightEc)) continue;
      all.push(c);
      here.push(c);
    }
  }
  return { all, here };
}

function addNestLoop(cx: JoinPathContext, o: Path, i: Path, required: Relids): void {
  const { root, rel, outer, jointype, otherquals, innerUnique } = cx;
  const param = overlaps(i.requiredOuter, outer.topRelids);
  // Conditions evaluated inside the parameterized scan need not be evaluated again.
  const done = (c: RestrictInfo): boolean => i.paramClauses.some((p) => isSame(p, c)) || (param && c.leftEc !== null && c.leftEc === c.rightEc && isMovable(c.ofParent ?? c, cx.inner.topRelids, i.requiredOuter)
    && i.paramClauses.some((p) => p.leftEc === c.leftEc && p.leftEc === p.rightEc));
  const rest = cx.joinquals.filter((c) => !done(c));
  const indexed = param && rest.length === 0 && i.indexClauses !== undefined && i.paramClauses.length > 0 && i.paramClauses.every((c) => i.indexClauses!.includes(c) || (c.leftEc !== null && i.indexClauses!.some((x) => x.leftEc === c.leftEc)));
  const outside = required === EMPTY || required === rel.lateralRelids ? null : paramClauses(cx, o, i, required);
  // A condition from outside must not decide what an outer join matches.
  if (outside !== null && outside.here.length > 0 && jointype !== 'inner') return;
  if (outside !== null) rest.push(...outside.here);
  const { startup, total } = nestLoopCost(cx, o, i, rest, indexed);
  const rows = outside === null ? rel.rows : paramJoinRows(cx, o, i, rest, required);
  const path: Path = {
    kind: 'NestLoop', rel, rows, startup, total, pathkeys: usefulPathkeys(root, rel, o.pathkeys), requiredOuter: required, paramClauses: outside === null ? [] : outside.all,
    make: () => {
      const outerPlan = withAllColumns(o.make());
      const saved = root.curOuterRels;
      root.curOuterRels |= outer.topRelids;
      const innerPlan = withAllColumns(i.make());
      root.curOuterRels = saved;
      const nestParams = takeNestParams(root, outer.topRelids).map((p) => ({ ...p, paramval: overPart(outer, p.paramval) }));
      const fix = (e: Expr): Expr => (required === EMPTY && rel.lateralRelids === EMPTY ? e : replaceNestloopParams(root, e));
      const plan: NestLoop = {
        kind: 'NestLoop', ...planBase(path, targetOf(rel.target), orderedClauses(otherquals).map(fix), outerPlan, innerPlan), jointype,
        joinqual: orderedClauses(rest).map(fix), inner_unique: innerUnique, nestParams,
      };
      return plan;
    },
  };
  addPath(rel, path);
}

/** get_parameterized_joinrel_size; all paths with the same values from outside say the same. */
function paramJoinRows(cx: JoinPathContext, o: Path, i: Path, clauses: RestrictInfo[], required: Relids): number {
  const { root, rel, jointype } = cx;
  const known = rel.paramInfos.get(required);
  if (known !== undefined) return known.rows;
  const pairs = o.rows * i.rows * clauselistSelectivity(root, clauses);
  const rows = Math.min(rel.rows, clampRows(jointype === 'left' ? Math.max(o.rows, pairs) : jointype === 'inner' ? pairs : Math.min(o.rows, pairs)));
  rel.paramInfos.set(required, { clauses: [], rows });
  return rows;
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
  const { rel, outer, inner, jointype } = cx;
  if (!enabled.hashjoin && jointype !== 'full') return;
  const keys = cx.joinquals.map((r) => hashableFor(r, outer, inner)).filter((k) => k !== null);
  if (keys.length === 0) return;
  const i = inner.cheapestTotal;
  const o = outer.cheapestTotal;
  if (o === null || i === null || i.requiredOuter !== EMPTY || (o.requiredOuter !== EMPTY && !isSubset(o.requiredOuter, rel.lateralRelids))) return;
  const early = cheapestStartup(outer);
  if (early !== null && early !== o) addHashJoin(cx, early, i, keys);
  addHashJoin(cx, o, i, keys);
}

function addHashJoin(cx: JoinPathContext, o: Path, i: Path, keys: HashKey[]): void {
  const { rel, jointype, otherquals, innerUnique } = cx;
  const rest = cx.joinquals.filter((r) => !keys.some((k) => k.rinfo === r));
  const { startup, total } = hashJoinCost(cx, o, i, keys);
  const path: Path = {
    kind: 'HashJoin', rel, rows: rel.rows, startup, total, pathkeys: [], requiredOuter: (o.requiredOuter | i.requiredOuter) & ~rel.topRelids, paramClauses: [],
    make: () => {
      const outerPlan = withAllColumns(o.make());
      const innerPlan = i.make();
      const hash: Plan = { kind: 'Hash', ...over(innerPlan, innerPlan.targetlist), startup_cost: innerPlan.total_cost };
      const plan: HashJoin = {
        kind: 'HashJoin', ...planBase(path, targetOf(rel.target), orderedClauses(otherquals), outerPlan, hash), jointype,
        joinqual: orderedClauses(rest), inner_unique: innerUnique,
        hashclauses: keys.map((k) => commuted(k)), hashkeys: keys.map((k) => ({ outer: k.outer, inner: k.inner, eqop: k.eqop })),
      };
      return plan;
    },
  };
  addPath(rel, path);
}

/** The hash condition with the outer side on the left, as EXPLAIN shows it. */
function commuted(k: HashKey): Expr {
  if (k.clause.kind !== 'OpExpr' || k.clause.args[0] === k.outer) return k.clause;
  const { opno } = k.clause;
  const com = operator(opno).oprcom || opno;
  return { ...k.clause, opno: com, opfuncid: operator(com).oprcode, args: [k.outer, k.inner] };
}
