// Which relations may be joined how (PostgreSQL's joinrels.c), and how many rows that gives.
import type { JoinType } from '../nodes/primnodes.ts';
import { clampRows } from './costsize.ts';
import { joinEqualities } from './equivclass.ts';
import { addPathsToJoinRel } from './joinpath.ts';
import type { PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { isSubset, overlaps } from './relids.ts';
import { emptyRel, joinTarget, targetWidth } from './relnode.ts';
import { clauselistSelectivity } from './selfuncs.ts';
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
    rel.considerStartup = root.tupleFraction > 0;
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

function addUniqueOuter(root: PlannerInfo, rel: RelOptInfo, unique: RelOptInfo, other: RelOptInfo, sjinfo: SpecialJoinInfo, clauses: RestrictInfo[]): void {
  const path = uniquePath(root, unique, sjinfo)!;
  addPathsToJoinRel(root, rel, { ...unique, paths: [path], cheapestTotal: path, rows: path.rows }, other, 'inner', clauses, sjinfo);
}

function addJoinPaths(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, kind: JoinCase, sjinfo: SpecialJoinInfo | null, clauses: RestrictInfo[]): void {
  if (overlaps(outer.lateralRelids, inner.relids)) return;
  if (kind === 'unique_inner') {
    const path = uniquePath(root, inner, sjinfo!);
    if (path !== null) addPathsToJoinRel(root, rel, outer, { ...inner, paths: [path], cheapestTotal: path, rows: path.rows }, 'inner', clauses, sjinfo);
    return;
  }
  addPathsToJoinRel(root, rel, outer, inner, kind, clauses, sjinfo);
}
