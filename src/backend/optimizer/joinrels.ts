// Which relations may be joined how, and the paths that do it (PostgreSQL's joinrels.c and joinpath.c).
import { PgError } from '../../common/errors.ts';
import { operator } from '../executor/fmgr_info.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin, MergeJoin, NestLoop, Plan } from '../nodes/plannodes.ts';
import type { Expr, JoinType } from '../nodes/primnodes.ts';
import { clampRows, costs, DISABLE_COST, enabled, exprCost, sortCost } from './costsize.ts';
import { joinEqualities } from './equivclass.ts';
import { replaceNestloopParams, takeNestParams } from './nestparams.ts';
import { addPath, cheapestFractional } from './pathnode.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { orderedClauses, over, planBase, targetOf } from './planbuild.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { emptyRel, joinTarget, targetWidth } from './relnode.ts';
import { bucketFraction, clauselistSelectivity } from './selfuncs.ts';
import { uniquePath } from './uniquepath.ts';

type JoinCase = JoinType | 'unique_inner';

/** join_is_legal: what kind of join this must be; null: it may not be done. */
function joinCase(root: PlannerInfo, a: RelOptInfo, b: RelOptInfo): { sjinfo: SpecialJoinInfo | null; reversed: boolean; unique: boolean } | null {
  const both = a.relids | b.relids;
  let match: SpecialJoinInfo | null = null;
  let reversed = false;
  let unique = false;
  let mustBeLeft = false;
  for (const sj of root.joinInfoList) {
    if (!overlaps(sj.minRighthand, both) || isSubset(both, sj.minRighthand)) continue;
    if (isSubset(sj.minLefthand, a.relids) && isSubset(sj.minRighthand, a.relids)) continue;
    if (isSubset(sj.minLefthand, b.relids) && isSubset(sj.minRighthand, b.relids)) continue;
    if (sj.jointype === 'semi') {
      // Made unique before, it is an ordinary relation.
      if (isSubset(sj.synRighthand, a.relids) && sj.synRighthand !== a.relids) continue;
      if (isSubset(sj.synRighthand, b.relids) && sj.synRighthand !== b.relids) continue;
    }
    if (isSubset(sj.minLefthand, a.relids) && isSubset(sj.minRighthand, b.relids)) {
      if (match !== null) return null;
      match = sj;
      reversed = false;
    } else if (isSubset(sj.minLefthand, b.relids) && isSubset(sj.minRighthand, a.relids)) {
      if (match !== null) return null;
      match = sj;
      reversed = true;
    } else if (sj.jointype === 'semi' && sj.synRighthand === b.relids && uniquePath(root, b, sj) !== null) {
      if (match !== null) return null;
      match = sj;
      reversed = false;
      unique = true;
    } else if (sj.jointype === 'semi' && sj.synRighthand === a.relids && uniquePath(root, a, sj) !== null) {
      if (match !== null) return null;
      match = sj;
      reversed = true;
      unique = true;
    } else {
      if (overlaps(a.relids, sj.minRighthand) && overlaps(b.relids, sj.minRighthand)) continue;
      if (sj.jointype !== 'left' || overlaps(both, sj.minLefthand)) return null;
      mustBeLeft = true;
    }
  }
  if (mustBeLeft && (match === null || match.jointype !== 'left' || !match.lhsStrict)) return null;
  // A lateral reference wants its target on the outer side.
  const lateralA = overlaps(a.lateralRelids, b.relids);
  const lateralB = overlaps(b.lateralRelids, a.relids);
  if (lateralA && lateralB) return null;
  if (lateralA || lateralB) {
    const outer = lateralA ? b : a;
    if (match !== null && (reversed ? outer !== b : outer !== a)) return null;
    if (match?.jointype === 'full') return null;
  }
  return { sjinfo: match, reversed, unique };
}

export function makeJoinRel(root: PlannerInfo, x: RelOptInfo, y: RelOptInfo): RelOptInfo | null {
  const how = joinCase(root, x, y);
  if (how === null) return null;
  const [a, b] = how.reversed ? [y, x] : [x, y];
  const relids = a.relids | b.relids;
  const jointype: JoinType = how.sjinfo?.jointype ?? 'inner';
  const clauses = joinClausesFor(root, a, b, relids);
  let rel = root.joinRels.get(relids);
  if (rel === undefined) {
    rel = emptyRel('join', relids);
    rel.target = joinTarget(root, relids, a, b);
    rel.width = targetWidth(root, rel.target);
    rel.lateralRelids = (a.lateralRelids | b.lateralRelids) & ~relids;
    rel.rows = joinRows(root, a, b, jointype, clauses, how.sjinfo, how.unique);
    rel.hasEcJoins = root.ecs.some((ec) => ec.members.length > 1 && overlaps(ec.relids, relids) && !isSubset(ec.relids, relids));
    for (const r of [...a.joinClauses, ...b.joinClauses]) {
      if (!isSubset(r.requiredRelids, relids) && !rel.joinClauses.includes(r)) rel.joinClauses.push(r);
    }
    root.joinRels.set(relids, rel);
  }
  if (how.unique) {
    addJoinPaths(root, rel, a, b, 'unique_inner', how.sjinfo, clauses);
    return rel;
  }
  switch (jointype) {
    case 'inner':
      addJoinPaths(root, rel, a, b, 'inner', null, clauses);
      addJoinPaths(root, rel, b, a, 'inner', null, clauses);
      break;
    case 'left':
      addJoinPaths(root, rel, a, b, 'left', how.sjinfo, clauses);
      addJoinPaths(root, rel, b, a, 'right', how.sjinfo, clauses);
      break;
    case 'full':
      addJoinPaths(root, rel, a, b, 'full', how.sjinfo, clauses);
      addJoinPaths(root, rel, b, a, 'full', how.sjinfo, clauses);
      break;
    case 'semi':
      addJoinPaths(root, rel, a, b, 'semi', how.sjinfo, clauses);
      if (how.sjinfo!.synRighthand === b.relids && uniquePath(root, b, how.sjinfo!) !== null) {
        addJoinPaths(root, rel, a, b, 'unique_inner', how.sjinfo, clauses);
        addUniqueOuter(root, rel, b, a, how.sjinfo!, clauses);
      }
      break;
    default:
      addJoinPaths(root, rel, a, b, 'anti', how.sjinfo, clauses);
  }
  return rel;
}

/** The conditions that can be evaluated at this join and not before. */
function joinClausesFor(root: PlannerInfo, a: RelOptInfo, b: RelOptInfo, relids: Relids): RestrictInfo[] {
  const list: RestrictInfo[] = [];
  for (const rel of [a, b]) {
    for (const r of rel.joinClauses) if (isSubset(r.requiredRelids, relids) && !list.includes(r)) list.push(r);
  }
  list.push(...joinEqualities(root, a.relids, b.relids));
  return list;
}

function joinRows(root: PlannerInfo, a: RelOptInfo, b: RelOptInfo, jointype: JoinType, clauses: RestrictInfo[], sjinfo: SpecialJoinInfo | null, unique: boolean): number {
  const outerJoin = jointype === 'left' || jointype === 'full' || jointype === 'anti';
  const joinquals = outerJoin ? clauses.filter((c) => !c.isPushedDown) : clauses;
  const pushed = outerJoin ? clauses.filter((c) => c.isPushedDown) : [];
  const selectivity = clauselistSelectivity(root, joinquals, unique ? null : sjinfo);
  const pushedSelectivity = clauselistSelectivity(root, pushed, null);
  switch (jointype) {
    case 'inner': return clampRows(a.rows * b.rows * selectivity);
    case 'left': return clampRows(Math.max(a.rows, a.rows * b.rows * selectivity) * pushedSelectivity);
    case 'full': return clampRows(Math.max(a.rows, b.rows, a.rows * b.rows * selectivity) * pushedSelectivity);
    case 'semi': return unique ? clampRows(Math.min(a.rows, a.rows * b.rows * selectivity)) : clampRows(a.rows * selectivity);
    case 'anti': return clampRows(a.rows * (1 - selectivity) * pushedSelectivity);
    case 'right': return clampRows(Math.max(b.rows, a.rows * b.rows * selectivity) * pushedSelectivity);
  }
}

/** No two inner rows can match the same outer row. */
function innerIsUnique(inner: RelOptInfo, clauses: readonly RestrictInfo[], outer: Relids): boolean {
  if (inner.kind !== 'base' || inner.relation === null) return false;
  return inner.indexes.some((info) => {
    if (!info.unique || !info.immediate || info.predicate !== null) return false;
    for (let i = 0; i < info.keyCount; i++) {
      const attnum = info.keyAttributes[i]!;
      if (attnum === 0) return false;
      const bound = clauses.some((r) => {
        if (r.clause.kind !== 'OpExpr' || r.mergeFamilies.length === 0 || !r.mergeFamilies.includes(info.columns[i]!.opfamily)) return false;
        const [x, y] = r.clause.args as [Expr, Expr];
        const isKey = (e: Expr): boolean => e.kind === 'Var' && e.varno === inner.rti && e.varattno === attnum;
        return (isKey(x) && isSubset(r.rightRelids, outer)) || (isKey(y) && isSubset(r.leftRelids, outer));
      }) || inner.restrictions.some((r) => r.clause.kind === 'OpExpr' && r.mergeFamilies.length > 0 && r.clause.args[0]!.kind === 'Var' && (r.clause.args[0] as { varattno: number }).varattno === attnum && r.rightRelids === EMPTY);
      if (!bound) return false;
    }
    return true;
  });
}

function addUniqueOuter(root: PlannerInfo, rel: RelOptInfo, unique: RelOptInfo, other: RelOptInfo, sjinfo: SpecialJoinInfo, clauses: RestrictInfo[]): void {
  const path = uniquePath(root, unique, sjinfo)!;
  joinWith(root, rel, { ...unique, paths: [path], cheapestTotal: path, rows: path.rows }, other, 'inner', clauses);
}

function addJoinPaths(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, kind: JoinCase, sjinfo: SpecialJoinInfo | null, clauses: RestrictInfo[]): void {
  if (overlaps(outer.lateralRelids, inner.relids)) return;
  if (kind === 'unique_inner') {
    const path = uniquePath(root, inner, sjinfo!);
    if (path !== null) joinWith(root, rel, outer, { ...inner, paths: [path], cheapestTotal: path, rows: path.rows }, 'inner', clauses);
    return;
  }
  joinWith(root, rel, outer, inner, kind, clauses);
}

function joinWith(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, clauses: RestrictInfo[]): void {
  const lateral = overlaps(inner.lateralRelids, outer.relids);
  const innerUnique = jointype !== 'full' && jointype !== 'right' && innerIsUnique(inner, clauses, outer.relids);
  const isOuter = jointype !== 'inner' && jointype !== 'semi';
  const joinquals = isOuter ? clauses.filter((c) => !c.isPushedDown) : clauses;
  const otherquals = isOuter ? clauses.filter((c) => c.isPushedDown) : [];
  if (jointype !== 'right' && jointype !== 'full') nestLoops(root, rel, outer, inner, jointype, joinquals, otherquals, innerUnique);
  if (lateral) return;
  hashJoin(root, rel, outer, inner, jointype, joinquals, otherquals, innerUnique);
  if (jointype === 'full' && !joinquals.some((c) => hashableFor(c, outer, inner) !== null)) mergeJoin(rel, outer, inner, jointype, joinquals, otherquals);
}

// ------------------------------------------------------------------ nested loops

function nestLoops(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, joinquals: RestrictInfo[], otherquals: RestrictInfo[], innerUnique: boolean): void {
  const inners = inner.paths.filter((p) => isSubset(p.requiredOuter & ~outer.relids, inner.lateralRelids | outer.lateralRelids) && p.requiredOuter !== EMPTY && isSubset(p.requiredOuter, outer.relids | rel.lateralRelids));
  if (inner.cheapestTotal !== null && inner.cheapestTotal.requiredOuter === EMPTY) inners.push(inner.cheapestTotal);
  const outers = new Set(outer.paths.filter((p) => isSubset(p.requiredOuter, rel.lateralRelids) && (p === outer.cheapestTotal || p.pathkeys.length > 0)));
  for (const o of outers) for (const i of inners) addNestLoop(root, rel, o, i, jointype, joinquals, otherquals, innerUnique, outer);
}

function addNestLoop(root: PlannerInfo, rel: RelOptInfo, o: Path, i: Path, jointype: JoinType, joinquals: RestrictInfo[], otherquals: RestrictInfo[], innerUnique: boolean, outer: RelOptInfo): void {
  const param = overlaps(i.requiredOuter, outer.relids);
  // Conditions evaluated inside the parameterized scan need not be evaluated again.
  const rest = joinquals.filter((c) => !i.paramClauses.includes(c) && !(param && c.parentEc !== null && i.paramClauses.some((p) => p.leftEc !== null && p.leftEc === c.leftEc)) && !(param && c.leftEc !== null && i.paramClauses.some((p) => p.leftEc === c.leftEc)));
  const material = !param && i.kind !== 'Material' && enabled.material && i.total > 0;
  const innerRows = i.rows;
  const matcost = costs.cpuOperator * 2 * innerRows;
  const rescan = material ? costs.cpuOperator * innerRows : i.rescanCost;
  const outerRows = Math.max(1, o.rows);
  let total = o.total + i.total + (material ? matcost : 0) + (outerRows - 1) * rescan;
  const qual = rest.reduce((c, r) => c + exprCost(r.clause), 0);
  const pairs = jointype === 'semi' || jointype === 'anti' || innerUnique ? outerRows * Math.max(1, innerRows / 2) : outerRows * innerRows;
  total += pairs * (costs.cpuTuple + qual);
  if (!enabled.nestloop) total += DISABLE_COST;
  const path: Path = {
    kind: 'NestLoop', rel, rows: rel.rows, startup: o.startup + i.startup + (enabled.nestloop ? 0 : DISABLE_COST), total, pathkeys: o.pathkeys,
    requiredOuter: (o.requiredOuter | i.requiredOuter) & ~rel.relids, paramClauses: [], rescanCost: total,
    make: () => {
      const outerPlan = o.make();
      const saved = root.curOuterRels;
      root.curOuterRels |= outer.relids;
      let innerPlan = i.make();
      root.curOuterRels = saved;
      const nestParams = takeNestParams(root, outer.relids);
      if (material && !cheapToRescan(innerPlan)) {
        innerPlan = { kind: 'Material', ...over(innerPlan, innerPlan.targetlist), total_cost: innerPlan.total_cost + matcost };
      }
      const lateralFix = (e: Expr): Expr => (rel.lateralRelids === EMPTY ? e : replaceNestloopParams(root, e));
      const plan: NestLoop = {
        kind: 'NestLoop', ...planBase(path, targetOf(rel.target), orderedClauses(otherquals).map(lateralFix), outerPlan, innerPlan), jointype,
        joinqual: orderedClauses(rest).map(lateralFix), inner_unique: innerUnique, nestParams,
      };
      return plan;
    },
  };
  addPath(rel, path);
}

/** Kept rows already, or no more than a look-up. */
const cheapToRescan = (plan: Plan): boolean => plan.kind === 'Material' || plan.kind === 'Sort' || plan.kind === 'CteScan' || plan.kind === 'WorkTableScan' || plan.kind === 'ValuesScan'
  || (plan.kind === 'Result' && plan.lefttree === null) || (plan.kind === 'IndexScan' && plan.plan_rows <= 1 && plan.conditions.length > 0 && plan.conditions.every((c) => c.strategy === '='));

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

function hashJoin(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, joinquals: RestrictInfo[], otherquals: RestrictInfo[], innerUnique: boolean): void {
  const keys = joinquals.map((r) => hashableFor(r, outer, inner)).filter((k) => k !== null);
  if (keys.length === 0) return;
  const o = outer.cheapestTotal;
  const i = inner.cheapestTotal;
  if (o === null || i === null || o.requiredOuter !== EMPTY && !isSubset(o.requiredOuter, rel.lateralRelids) || i.requiredOuter !== EMPTY) return;
  const rest = joinquals.filter((r) => !keys.some((k) => k.rinfo === r));
  const hashCost = costs.cpuOperator * keys.length;
  const startup = o.startup + i.total + (hashCost + costs.cpuTuple) * i.rows;
  let run = o.total - o.startup + hashCost * o.rows;
  const bytes = i.rows * (inner.width + 24);
  const batches = bytes > costs.workMemBytes * 2 ? 2 : 1;
  if (batches > 1) run += costs.seqPage * (2 * Math.ceil((i.rows * (inner.width + 24)) / 8192) + 2 * Math.ceil((o.rows * (outer.width + 24)) / 8192));
  const fraction = Math.min(...keys.map((k) => bucketFraction(root, k.inner)));
  const compared = jointype === 'semi' || jointype === 'anti' || innerUnique ? o.rows * Math.max(1, i.rows * fraction * 0.5) : o.rows * Math.max(1, i.rows * fraction) * 0.5;
  const keyCost = keys.reduce((c, k) => c + exprCost(k.clause), 0);
  run += keyCost * compared;
  const pairs = Math.max(rel.rows, 1);
  run += pairs * (costs.cpuTuple + rest.reduce((c, r) => c + exprCost(r.clause), 0));
  const total = startup + run + (enabled.hashjoin ? 0 : DISABLE_COST);
  const path: Path = {
    kind: 'HashJoin', rel, rows: rel.rows, startup: startup + (enabled.hashjoin ? 0 : DISABLE_COST), total, pathkeys: [],
    requiredOuter: (o.requiredOuter | i.requiredOuter) & ~rel.relids, paramClauses: [], rescanCost: total - i.total,
    make: () => {
      const outerPlan = o.make();
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

// ------------------------------------------------------------------ merge joins

/** For full joins that cannot be hashed. Both sides are sorted here. */
function mergeJoin(rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, jointype: JoinType, joinquals: RestrictInfo[], otherquals: RestrictInfo[]): void {
  if (joinquals.some((r) => r.clauseRelids !== EMPTY) && !joinquals.some((r) => r.mergeFamilies.length > 0 || r.hashable)) {
    throw new PgError('feature_not_supported', 'FULL JOIN is only supported with merge-joinable or hash-joinable join conditions');
  }
  const o = cheapestFractional(outer.paths, [], 0);
  const i = cheapestFractional(inner.paths, [], 0);
  if (o === null || i === null) return;
  const os = sortCost(o.rows, outer.width, 0);
  const is = sortCost(i.rows, inner.width, 0);
  const total = o.total + i.total + os.startup + os.run + is.startup + is.run + rel.rows * costs.cpuTuple + (joinquals.length === 0 ? o.rows * i.rows * costs.cpuTuple : 0);
  const path: Path = {
    kind: 'MergeJoin', rel, rows: rel.rows, startup: o.total + i.total, total, pathkeys: [], requiredOuter: EMPTY, paramClauses: [], rescanCost: total,
    make: () => {
      // No merge keys: every pair is looked at, which is right for any condition, if slow.
      const plan: MergeJoin = {
        kind: 'MergeJoin', ...planBase(path, targetOf(rel.target), orderedClauses(otherquals), o.make(), i.make()), jointype,
        joinqual: orderedClauses(joinquals), inner_unique: false, mergeclauses: [], mergeKeys: [],
      };
      return plan;
    },
  };
  addPath(rel, path);
}
