// Which relations may be joined how (PostgreSQL's joinrels.c), and how many rows that gives.
import type { JoinType } from '../nodes/primnodes.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import { isFalseOrNull, lateralOf } from './clauses.ts';
import { clampRows } from './costsize.ts';
import { addAppendPaths } from './appendpath.ts';
import { joinEqualities } from './equivclass.ts';
import { adjustRestriction, overPart } from './inherit.ts';
import { addPathsToJoinRel } from './joinpath.ts';
import { isParallelSafe } from './parallel.ts';
import { joinPartitions, partitionPairs, sjinfoOfPart } from './partjoin.ts';
import { setCheapest } from './pathnode.ts';
import type { PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { emptyRel, isDummy, joinTarget, markDummy, NO_PATHS, targetWidth, wantsHalf } from './relnode.ts';
import { clauselistSelectivity } from './selfuncs.ts';
import { uniquePath } from './uniquepath.ts';

type JoinCase = JoinType | 'unique_inner';

/** join_is_legal: what kind of join this must be; null: it may not be done. */
function joinCase(root: PlannerInfo, a: RelOptInfo, b: RelOptInfo): JoinHow | null {
  const both = a.relids | b.relids;
  let match: SpecialJoinInfo | null = null;
  let reversed = false;
  let unique = false;
  let mustBeLeft = false;
  for (const sj of root.joinInfoList) {
    // The sides of a FULL JOIN are joined whole, before anything else is joined to either (PostgreSQL plans them as a list of their own).
    if (sj.jointype === 'full') {
      const all = sj.minLefthand | sj.minRighthand;
      if (!overlaps(all, both) || isSubset(both, sj.minLefthand) || isSubset(both, sj.minRighthand) || isSubset(all, a.relids) || isSubset(all, b.relids)) continue;
      if (match !== null || both !== all || (a.relids !== sj.minLefthand && b.relids !== sj.minLefthand)) return null;
      match = sj;
      reversed = a.relids !== sj.minLefthand;
      continue;
    }
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
    const [outer, inner] = lateralA ? [b, a] : [a, b];
    if (match !== null && (unique || match.jointype === 'full' || outer !== (reversed ? b : a))) return null;
    if (!overlaps(outer.relids, inner.directLateral) || wantsHalf(root, outer.relids, inner.lateralRelids)) return null;
  }
  const wanted = root.hasLateral ? (a.lateralRelids | b.lateralRelids) & ~both : EMPTY;
  if (wanted !== EMPTY && overlaps(wanted, withRightSides(root, both))) return null;
  return { sjinfo: match, reversed, unique };
}

/** The relations, and those that outer joins put on their right side, directly or not: these can give them nothing. */
function withRightSides(root: PlannerInfo, relids: Relids): Relids {
  let all = relids;
  for (let before = EMPTY; before !== all;) {
    before = all;
    for (const sj of root.joinInfoList) if (sj.jointype !== 'full' && overlaps(sj.minLefthand, all)) all |= sj.minRighthand;
  }
  return all;
}

export const isLegalJoin = (root: PlannerInfo, a: RelOptInfo, b: RelOptInfo): boolean => joinCase(root, a, b) !== null;

interface JoinHow { sjinfo: SpecialJoinInfo | null; reversed: boolean; unique: boolean }

export function makeJoinRel(root: PlannerInfo, x: RelOptInfo, y: RelOptInfo): RelOptInfo | null {
  checkWhileWorking(20);
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
    if (root.hasLateral) rel.directLateral = (a.directLateral | b.directLateral | root.placeholders.reduce((set, { node }) => (isSubset(node.evalAt, relids) ? set | lateralOf(node) : set), EMPTY)) & ~relids;
    rel.rows = joinRows(root, a, b, jointype, clauses, how.sjinfo, how.unique);
    rel.hasEcJoins = root.ecs.some((ec) => ec.members.length > 1 && overlaps(ec.relids, relids) && !isSubset(ec.relids, relids));
    for (const r of [...a.joinClauses, ...b.joinClauses]) {
      if (!isSubset(r.requiredRelids, relids) && !rel.joinClauses.includes(r)) rel.joinClauses.push(r);
    }
    rel.considerParallel = a.considerParallel && b.considerParallel && isParallelSafe(root, clauses.map((c) => c.clause)) && isParallelSafe(root, rel.target);
    rel.parts = joinPartitions(a, b, jointype, clauses);
    root.joinRels.set(relids, rel);
  }
  addJoin(root, rel, a, b, how, clauses);
  joinByPartition(root, rel, a, b, how, clauses);
  return rel;
}

const isNever = (r: RestrictInfo): boolean => isFalseOrNull(r.clause);

/** A join of what has no rows, or by what is never true. */
function hasNoRows(a: RelOptInfo, b: RelOptInfo, jointype: JoinType, clauses: readonly RestrictInfo[]): boolean {
  const pushed = clauses.some((r) => isNever(r) && r.isPushedDown);
  switch (jointype) {
    case 'inner': case 'semi': return isDummy(a) || isDummy(b) || clauses.some(isNever);
    case 'full': return (isDummy(a) && isDummy(b)) || pushed;
    default: return isDummy(a) || pushed;
  }
}

/** populate_joinrel_with_paths. */
function addJoin(root: PlannerInfo, rel: RelOptInfo, a: RelOptInfo, b: RelOptInfo, how: JoinHow, clauses: RestrictInfo[]): void {
  const jointype: JoinType = how.sjinfo?.jointype ?? 'inner';
  if (isDummy(rel)) return;
  if (hasNoRows(a, b, jointype, clauses)) {
    markDummy(root, rel);
    return;
  }
  // A join condition that is never true leaves nothing of the nullable side.
  if ((jointype === 'left' || jointype === 'anti') && clauses.some((r) => isNever(r) && !r.isPushedDown) && isSubset(b.relids, how.sjinfo!.synRighthand)) markDummy(root, b);
  if (how.unique) {
    addJoinPaths(root, rel, a, b, 'unique_inner', how.sjinfo, clauses);
    return;
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
}

/** try_partitionwise_join: the join as joins of the partitions that go together. */
function joinByPartition(root: PlannerInfo, rel: RelOptInfo, a: RelOptInfo, b: RelOptInfo, how: JoinHow, clauses: readonly RestrictInfo[]): void {
  if (rel.parts === null) return;
  const pairs = partitionPairs(rel.parts, a, b, how.sjinfo?.jointype ?? 'inner');
  if (pairs === null) {
    rel.parts = null;
    return;
  }
  for (const { n, left, right } of pairs) {
    const sjinfo = how.sjinfo === null ? null : sjinfoOfPart(how.sjinfo, [...left.translators, ...right.translators]);
    const both: RestrictInfo[] = clauses.map((r) => [...left.translators, ...right.translators].reduce((x, info) => adjustRestriction(info, x), r));
    let child = rel.parts.rels[n] ?? null;
    if (child === null) {
      child = joinOfPart(root, rel, left, right);
      child.rows = joinRows(root, left, right, sjinfo?.jointype ?? 'inner', both, sjinfo, how.unique);
      child.parts = joinPartitions(left, right, sjinfo?.jointype ?? 'inner', clauses);
      rel.parts.rels[n] = child;
    }
    const part: JoinHow = { ...how, sjinfo };
    addJoin(root, child, left, right, part, both);
    joinByPartition(root, child, left, right, part, clauses);
  }
}

/** build_child_join_rel. */
function joinOfPart(root: PlannerInfo, parent: RelOptInfo, left: RelOptInfo, right: RelOptInfo): RelOptInfo {
  const rel = emptyRel('join', left.relids | right.relids);
  rel.topRelids = parent.topRelids;
  rel.translators = [...left.translators, ...right.translators];
  rel.considerStartup = parent.considerStartup;
  rel.considerParallel = parent.considerParallel;
  rel.target = root.joinRels.get(parent.topRelids)!.target.map((e) => overPart(rel, e));
  rel.width = targetWidth(root, rel.target);
  rel.lateralRelids = parent.lateralRelids;
  rel.directLateral = parent.directLateral;
  rel.hasEcJoins = parent.hasEcJoins;
  rel.joinClauses = root.joinRels.get(parent.topRelids)!.joinClauses.map((r) => rel.translators.reduce((x, info) => adjustRestriction(info, x), r));
  return rel;
}

/** generate_partitionwise_join_paths: when all ways to join the partitions are known, an Append of the best. */
export function addPartitionwisePaths(root: PlannerInfo, rel: RelOptInfo): void {
  if (rel.kind !== 'join' || rel.parts === null) return;
  const live = rel.parts.rels.filter((p) => p !== null);
  for (const part of live) {
    addPartitionwisePaths(root, part);
    if (part.paths.length === 0) return;
    setCheapest(part);
  }
  if (live.length === 0) return;
  const children = live.filter((part) => !isDummy(part));
  if (children.length === 0) {
    markDummy(root, rel);
    return;
  }
  // All the query's tables by partition: what joins them in another way is no longer looked at (apply_scanjoin_target_to_paths).
  if (rel.topRelids === root.allBaserels) {
    rel.paths = [];
    rel.partialPaths = NO_PATHS;
  }
  rel.children = children.map((child) => ({ parent: rel, child, rti: 0, relation: null, translated: null, columns: [], path: [] }));
  addAppendPaths(root, rel);
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
  addPathsToJoinRel(root, rel, { ...unique, paths: [path], partialPaths: NO_PATHS, cheapestTotal: path, rows: path.rows }, other, 'inner', clauses, sjinfo);
}

function addJoinPaths(root: PlannerInfo, rel: RelOptInfo, outer: RelOptInfo, inner: RelOptInfo, kind: JoinCase, sjinfo: SpecialJoinInfo | null, clauses: RestrictInfo[]): void {
  if (overlaps(outer.lateralRelids, inner.relids)) return;
  if (kind === 'unique_inner') {
    const path = uniquePath(root, inner, sjinfo!);
    if (path !== null) addPathsToJoinRel(root, rel, outer, { ...inner, paths: [path], partialPaths: NO_PATHS, cheapestTotal: path, rows: path.rows }, 'inner', clauses, sjinfo);
    return;
  }
  addPathsToJoinRel(root, rel, outer, inner, kind, clauses, sjinfo);
}
