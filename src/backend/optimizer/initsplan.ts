// From the join tree to relations, conditions and join order restrictions (PostgreSQL's initsplan.c): every condition
// is put where it can first be evaluated, outer joins become SpecialJoinInfos that say what must be joined first.
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { opclassInputType } from '../executor/sort_support.ts';
import { makeOpExpr } from '../nodes/makefuncs.ts';
import { exprType, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Expr, FromItem, JoinType, PlaceHolderVar } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { removeUselessJoins, reduceUniqueSemijoins } from './analyzejoins.ts';
import { containsVolatile, equal, findForcedNullVars, findNonnullableRels, lateralOf, pullPlaceholders, pullVarClause, pullVarnos, stripPlaceholders } from './clauses.ts';
import { classForSorting, generateBaseEqualities, processEquivalence } from './equivclass.ts';
import { extractRestrictionOrClauses } from './orclauses.ts';
import type { PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { bit, EMPTY, isSubset, members, overlaps, singleton } from './relids.ts';
import { newestPlaceholder } from './prepjointree.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import { baseRel } from './relnode.ts';

/** Notes that columns are needed at `where` (bit 0: in the result), so that joins below carry them. */
export function addVarsToTargetList(root: PlannerInfo, vars: readonly Expr[], where: Relids): void {
  for (const e of vars) {
    if (e.kind === 'PlaceHolderVar') {
      const known = root.placeholders.find((p) => p.node.phid === e.phid);
      if (known === undefined) root.placeholders.push({ node: e, needed: where });
      else known.needed |= where;
    }
    if (e.kind !== 'Var' || e.varlevelsup !== 0) continue;
    const rel = root.rels[e.varno];
    if (rel === undefined) continue;
    const entry = rel.attrNeeded.get(e.varattno), before = entry?.needed ?? EMPTY, needed = before | where;
    if (entry === undefined) rel.attrNeeded.set(e.varattno, { node: e, needed });
    else entry.needed = needed;
    // What only its own conditions want is not put out.
    if (isSubset(before, rel.relids) && !isSubset(needed, rel.relids)) rel.target.push(e);
  }
}

export function buildBaseTargets(root: PlannerInfo, exprs: readonly Expr[]): void {
  for (const e of exprs) addVarsToTargetList(root, pullVarClause(e, true, true), RESULT);
}
export const RESULT: Relids = 1n;

/** `postponed`: conditions that mention what is outside, having come out of a lateral subquery. */
interface Deconstructed { qualscope: Relids; innerJoinRels: Relids; nonnullable: Relids; postponed: readonly Expr[] }

export function deconstructJointree(root: PlannerInfo): void {
  const placeholders = newestPlaceholder() === root.glob.placeholdersBefore ? [] : pullPlaceholders(root.parse);
  deconstruct(root, root.parse.jointree, false, placeholders, root.rtable.some((r) => r.lateral));
  reconsiderOuterJoinClauses(root);
  generateBaseEqualities(root, (rinfo) => distributeRestrictInfo(root, rinfo));
  root.ecMergingDone = true;
  for (const rel of root.rels) {
    for (const rinfo of rel?.joinClauses ?? []) noteClasses(root, rinfo);
  }
  for (const ec of root.ecs) {
    if (ec.members.length < 2) continue;
    for (const rti of members(ec.relids)) {
      const rel = root.rels[rti];
      if (rel !== undefined) rel.hasEcJoins = true;
    }
    for (const m of ec.members) {
      if (m.relids !== EMPTY) addVarsToTargetList(root, pullVarClause(m.expr, true, true), ec.relids);
    }
  }
  // With those that are found on the way, inside of others.
  for (const { node } of root.placeholders) addVarsToTargetList(root, pullVarClause(node.arg, true, true), node.evalAt);
  removeUselessJoins(root);
  addPlaceholdersToScans(root);
  if (root.hasLateral || placeholders.length > 0) createLateralJoinInfo(root);
  reduceUniqueSemijoins(root);
  extractRestrictionOrClauses(root);
}

/** add_placeholders_to_base_rels: what is made of one relation is computed by its scan. */
function addPlaceholdersToScans(root: PlannerInfo): void {
  for (const { node, needed } of root.placeholders) {
    const rti = singleton(node.evalAt);
    if (rti !== 0 && !isSubset(needed, node.evalAt)) baseRel(root, rti).target.push(node);
  }
}

/** reconsider_outer_join_clauses: of a left join on a.x = b.y where a.x is a constant, only rows of b with b.y = that constant can
 * match; of a full join whose merged column is a constant, only such rows of both sides come out. */
function reconsiderOuterJoinClauses(root: PlannerInfo): void {
  const known: { expr: Expr; type: Oid; constant: Expr; constantType: Oid; families: readonly Oid[]; collation: Oid }[] = [];
  for (const ec of root.ecs) {
    if (!ec.hasConst || ec.volatile || ec.belowOuterJoin) continue;
    const constant = ec.members.find((m) => m.isConst)!;
    for (const m of ec.members) if (!m.isConst) known.push({ expr: m.expr, type: m.type, constant: constant.expr, constantType: constant.type, families: ec.families, collation: ec.collation });
  }
  const clauses = new Set<RestrictInfo>();
  /** Conditions and members of classes that say what a merged column is, until both sides say it. */
  const merged: { rinfo: RestrictInfo | null; column: Extract<Expr, { kind: 'CoalesceExpr' }>; constant: Expr; families: readonly Oid[]; drop: () => void }[] = [];
  for (const ec of root.ecs) {
    if (!ec.hasConst || ec.volatile || ec.belowOuterJoin) continue;
    const constant = ec.members.find((m) => m.isConst)!;
    for (const m of ec.members) if (m.expr.kind === 'CoalesceExpr') merged.push({ rinfo: null, column: m.expr, constant: constant.expr, families: ec.families, drop: () => { ec.members = ec.members.filter((x) => x !== m); } });
  }
  for (const rel of root.rels) for (const r of rel?.joinClauses ?? []) {
    if (r.clause.kind === 'OpExpr' && r.isPushedDown && r.mergeFamilies.length > 0) {
      const [column, constant] = r.clause.args as [Expr, Expr];
      if (column.kind === 'CoalesceExpr' && r.requiredRelids === r.clauseRelids && r.rightRelids === EMPTY && !containsVolatile(constant) && !merged.some((m) => m.rinfo === r)) merged.push({
        rinfo: r, column, constant, families: r.mergeFamilies,
        drop: () => { for (const x of root.rels) if (x !== undefined) x.joinClauses = x.joinClauses.filter((c) => c !== r); },
      });
    }
    if (!r.isPushedDown && r.canJoin && r.mergeFamilies.length > 0 && r.clause.kind === 'OpExpr' && (r.nullableRelids === EMPTY || functionInfo(r.clause.opfuncid).proc.proisstrict)) clauses.add(r);
  }
  const done = new Set<RestrictInfo>();
  const imply = (inner: Expr, relids: Relids, k: (typeof known)[number]): boolean => {
    const type = exprType(inner);
    const opno = equalityOf(k.families, type, k.constantType);
    if (opno === 0) return false;
    // A condition of the join itself may have said so before.
    const clause = makeOpExpr(opno, operator(opno).oprcode, 16, [inner, k.constant], 0, k.collation);
    const isSaid = root.rels[singleton(relids)]?.restrictions.some((r) => equal(r.clause, clause)) ?? false;
    if (!isSaid) distributeRestrictInfo(root, makeRestrictInfo(clause, true, relids));
    known.push({ ...k, expr: inner, type });
    return true;
  };
  for (let again = true; again;) {
    again = false;
    for (const r of clauses) {
      if (done.has(r)) continue;
      const [left, right] = (r.clause as { args: [Expr, Expr] }).args;
      const { inputcollid } = r.clause as { inputcollid: Oid };
      const fits = (k: (typeof known)[number]): boolean => k.collation === inputcollid && r.mergeFamilies.some((f) => k.families.includes(f));
      const outerLeft = isSubset(r.leftRelids, r.outerRelids);
      const outerRight = isSubset(r.rightRelids, r.outerRelids);
      if (outerLeft !== outerRight) {
        const [outer, inner, relids] = outerLeft ? [left, right, r.rightRelids] : [right, left, r.leftRelids];
        const k = known.find((x) => fits(x) && equal(x.expr, outer));
        if (k === undefined || singleton(relids) === 0 || !imply(inner, relids, k)) continue;
      } else if (outerLeft) {
        const m = merged.find(({ column, families }) => column.args.length === 2 && equal(column.args[0], left) && equal(column.args[1], right) && families.some((f) => r.mergeFamilies.includes(f)));
        if (m === undefined || singleton(r.leftRelids) === 0 || singleton(r.rightRelids) === 0) continue;
        const k = { expr: m.column, type: exprType(m.column), constant: m.constant, constantType: exprType(m.constant), families: m.families, collation: inputcollid };
        if (!imply(left, r.leftRelids, k) || !imply(right, r.rightRelids, k)) continue;
        m.drop();
      } else continue;
      done.add(r);
      again = true;
    }
  }
  inOrderOfUse(root, clauses, done);
}

/** Conditions of outer joins that could be merged by come after the others, having waited here; first those that gave a constant. */
function inOrderOfUse(root: PlannerInfo, clauses: ReadonlySet<RestrictInfo>, done: ReadonlySet<RestrictInfo>): void {
  if (clauses.size === 0) return;
  const rank = (r: RestrictInfo): number => {
    if (!clauses.has(r)) return 0;
    const left = isSubset(r.leftRelids, r.outerRelids);
    return (done.has(r) ? 1 : 4) + (left === isSubset(r.rightRelids, r.outerRelids) ? 2 : left ? 0 : 1);
  };
  for (const rel of root.rels) if (rel !== undefined && rel.joinClauses.length > 1) rel.joinClauses.sort((a, b) => rank(a) - rank(b));
}

function equalityOf(families: readonly Oid[], left: Oid, right: Oid): Oid {
  for (const f of families) {
    const op = getOpfamilyMember(f, opclassInputType(left), opclassInputType(right), 3);
    if (op !== 0) return op;
  }
  return 0;
}

/** Both sides of a condition that can be merged by have classes, as orders are told by them (initialize_mergeclause_eclasses). */
function noteClasses(root: PlannerInfo, rinfo: RestrictInfo): void {
  const { clause } = rinfo;
  if (clause.kind !== 'OpExpr' || rinfo.mergeFamilies.length === 0 || !rinfo.canJoin || rinfo.leftEc !== null) return;
  rinfo.leftEc = classForSorting(root, clause.args[0]!, rinfo.mergeFamilies, clause.inputcollid, 0, true);
  rinfo.rightEc = classForSorting(root, clause.args[1]!, rinfo.mergeFamilies, clause.inputcollid, 0, true);
}

function deconstruct(root: PlannerInfo, item: FromItem, belowOuter: boolean, placeholders: readonly PlaceHolderVar[], lateral: boolean): Deconstructed {
  switch (item.kind) {
    case 'RangeTblRef': {
      const set = bit(item.rtindex);
      // At the scan even when they mention no column (process_security_barrier_quals).
      root.rtable[item.rtindex - 1]!.securityQuals.forEach((quals, level) => {
        for (const clause of makeAndsImplicit(quals)) distributeQual(root, clause, { belowOuter, isPushedDown: true, qualscope: set, ojscope: set, nonnullable: EMPTY, securityLevel: level });
      });
      return { qualscope: set, innerJoinRels: EMPTY, nonnullable: set, postponed: NO_QUALS };
    }
    case 'FromExpr': {
      let qualscope = EMPTY;
      let innerJoinRels = EMPTY;
      const waiting: Expr[] = [];
      for (const f of item.fromlist) {
        const d = deconstruct(root, f, belowOuter, placeholders, lateral);
        qualscope |= d.qualscope;
        innerJoinRels = d.innerJoinRels;
        if (lateral) waiting.push(...d.postponed);
      }
      if (item.fromlist.length > 1) innerJoinRels = qualscope;
      const { quals, postponed } = inScope([...waiting, ...makeAndsImplicit(item.quals)], qualscope, lateral);
      for (const clause of quals) {
        distributeQual(root, clause, { belowOuter, isPushedDown: true, qualscope, ojscope: EMPTY, nonnullable: EMPTY, securityLevel: root.qualSecurityLevel });
      }
      return { qualscope, innerJoinRels, nonnullable: qualscope, postponed };
    }
    case 'JoinExpr': {
      const { jointype } = item;
      const left = deconstruct(root, item.larg, belowOuter || jointype === 'full', placeholders, lateral);
      const right = deconstruct(root, item.rarg, belowOuter || jointype === 'full' || jointype === 'left' || jointype === 'anti', placeholders, lateral);
      const qualscope = left.qualscope | right.qualscope;
      let innerJoinRels: Relids;
      let nonnullable: Relids;
      let ojscope = EMPTY;
      let sjinfo: SpecialJoinInfo | null = null;
      const { quals, postponed } = inScope([...left.postponed, ...right.postponed, ...makeAndsImplicit(item.quals)], qualscope, lateral);
      switch (jointype) {
        case 'inner':
          innerJoinRels = qualscope;
          nonnullable = EMPTY;
          break;
        case 'semi':
          innerJoinRels = left.innerJoinRels | right.innerJoinRels;
          nonnullable = EMPTY;
          break;
        case 'full':
          innerJoinRels = left.innerJoinRels | right.innerJoinRels;
          nonnullable = qualscope;
          break;
        default:
          innerJoinRels = left.innerJoinRels | right.innerJoinRels;
          nonnullable = left.qualscope;
      }
      if (jointype !== 'inner') {
        sjinfo = makeOuterJoinInfo(root, left.qualscope, right.qualscope, innerJoinRels, jointype, quals, placeholders);
        ojscope = jointype === 'semi' ? EMPTY : sjinfo.minLefthand | sjinfo.minRighthand;
      }
      for (const clause of quals) {
        distributeQual(root, clause, { belowOuter, isPushedDown: jointype === 'inner', qualscope, ojscope, nonnullable, securityLevel: root.qualSecurityLevel });
      }
      if (sjinfo !== null) root.joinInfoList.push(sjinfo);
      return { qualscope, innerJoinRels, nonnullable, postponed };
    }
  }
}

const NO_QUALS: readonly Expr[] = [];
/** The conditions that can be asked where these relations are joined, and those that wait for others, which only lateral references make
 * them do. */
function inScope(all: Expr[], qualscope: Relids, lateral: boolean): { quals: Expr[]; postponed: readonly Expr[] } {
  if (!lateral || all.every((e) => isSubset(pullVarnos(e), qualscope))) return { quals: all, postponed: NO_QUALS };
  return { quals: all.filter((e) => isSubset(pullVarnos(e), qualscope)), postponed: all.filter((e) => !isSubset(pullVarnos(e), qualscope)) };
}

function makeOuterJoinInfo(
  root: PlannerInfo, leftRels: Relids, rightRels: Relids, innerJoinRels: Relids, jointype: JoinType, quals: Expr[], placeholders: readonly PlaceHolderVar[],
): SpecialJoinInfo {
  const info: SpecialJoinInfo = {
    minLefthand: leftRels, minRighthand: rightRels, synLefthand: leftRels, synRighthand: rightRels, jointype, lhsStrict: false,
    delayUpperJoins: false, quals,
  };
  if (jointype === 'full') return info;
  let clauseRelids = EMPTY, strict = EMPTY;
  for (const clause of quals) {
    clauseRelids |= pullVarnos(clause);
    strict |= findNonnullableRels(clause);
  }
  info.lhsStrict = overlaps(strict, leftRels);
  let minLeft = clauseRelids & leftRels;
  let minRight = (clauseRelids | innerJoinRels) & rightRels;
  const semiOrAnti = (t: JoinType): boolean => t === 'semi' || t === 'anti';
  for (const other of root.joinInfoList) {
    if (other.jointype === 'full') {
      const all = other.synLefthand | other.synRighthand;
      if (overlaps(leftRels, all)) minLeft |= all;
      if (overlaps(rightRels, all)) minRight |= all;
      continue;
    }
    if (overlaps(leftRels, other.synRighthand) && overlaps(clauseRelids, other.synRighthand)
      && (semiOrAnti(jointype) || !overlaps(strict, other.minRighthand))) {
      minLeft |= other.synLefthand | other.synRighthand;
    }
    if (overlaps(rightRels, other.synRighthand)
      && (overlaps(clauseRelids, other.synRighthand) || !overlaps(clauseRelids, other.minLefthand) || semiOrAnti(jointype)
        || semiOrAnti(other.jointype) || !other.lhsStrict || other.delayUpperJoins)) {
      minRight |= other.synLefthand | other.synRighthand;
    }
  }
  // What is computed of the nullable side is so before the join.
  for (const p of placeholders) if (isSubset(p.phrels, rightRels)) minRight |= p.evalAt;
  info.minLefthand = minLeft === EMPTY ? leftRels : minLeft;
  info.minRighthand = minRight === EMPTY ? rightRels : minRight;
  return info;
}

interface QualPlace {
  belowOuter: boolean; isPushedDown: boolean; qualscope: Relids; ojscope: Relids; nonnullable: Relids; securityLevel: number;
}

function distributeQual(root: PlannerInfo, clause: Expr, place: QualPlace): void {
  let relids = pullVarnos(clause);
  const { ojscope, qualscope } = place;
  let pseudoconstant = false;
  if (relids === EMPTY) {
    // Without Vars: where the join is, or at the top.
    if (ojscope !== EMPTY) relids = ojscope;
    else {
      relids = qualscope;
      // What is volatile is asked of each row.
      pseudoconstant = !containsVolatile(clause);
    }
  }
  let isPushedDown: boolean;
  let nullable: Relids;
  let maybeEquivalence: boolean;
  if (ojscope !== EMPTY && overlaps(relids, place.nonnullable)) {
    // A condition of the outer join that mentions its preserved side: it decides what matches, nothing else.
    isPushedDown = false;
    maybeEquivalence = false;
    ({ nullable } = delayForOuterJoins(root, relids, false));
    relids = ojscope;
  } else {
    isPushedDown = true;
    const d = delayForOuterJoins(root, relids, true);
    ({ relids, nullable } = d);
    if (nullable !== EMPTY && isTrueOfAntijoin(root, clause)) return;
    // Below an outer join, or on the nullable side of this one, a condition holds there only.
    maybeEquivalence = !place.belowOuter && (ojscope === EMPTY || place.nonnullable === EMPTY);
  }
  const rinfo = makeRestrictInfo(clause, isPushedDown, relids, place.securityLevel);
  rinfo.pseudoconstant = pseudoconstant;
  rinfo.nullableRelids = nullable;
  if (!isPushedDown) rinfo.outerRelids = place.nonnullable;
  addVarsToTargetList(root, pullVarClause(clause, true, true), relids);
  // What an outer join below makes NULL may equal a constant where that join is done.
  if (nullable !== EMPTY && rinfo.leftRelids !== EMPTY && rinfo.rightRelids !== EMPTY) maybeEquivalence = false;
  if (maybeEquivalence && rinfo.mergeFamilies.length > 0 && rinfo.requiredRelids === rinfo.clauseRelids && !pseudoconstant) {
    const notNull = trivialEquality(rinfo);
    if (notNull !== null) {
      distributeRestrictInfo(root, { ...makeRestrictInfo(notNull, isPushedDown, relids, place.securityLevel), nullableRelids: nullable, outerRelids: rinfo.outerRelids });
      return;
    }
    if (processEquivalence(root, rinfo, false)) return;
  }
  distributeRestrictInfo(root, rinfo);
}

/** check_redundant_nullability_qual: an antijoin has no rows of its right side, so all that stands there is NULL. */
function isTrueOfAntijoin(root: PlannerInfo, clause: Expr): boolean {
  if (clause.kind !== 'NullTest' && clause.kind !== 'BooleanTest') return false;
  return findForcedNullVars(clause).some((v) => root.joinInfoList.some((sj) => sj.jointype === 'anti' && overlaps(bit(v.varno), sj.synRighthand)));
}

/** x = x by a strict operator says that x is not null. */
function trivialEquality({ clause, securityLevel, leakproof }: RestrictInfo): Expr | null {
  if (clause.kind !== 'OpExpr' || (securityLevel > 0 && !leakproof)) return null;
  const [left, right] = clause.args as [Expr, Expr];
  if (!equal(left, right) || containsVolatile(left) || !functionInfo(clause.opfuncid).proc.proisstrict) return null;
  return { kind: 'NullTest', arg: left, isNull: false, argisrow: false, location: -1 };
}

/** check_outerjoin_delay: a condition over an outer join's nullable side waits until that join is done. */
function delayForOuterJoins(root: PlannerInfo, start: Relids, isPushedDown: boolean): { relids: Relids; nullable: Relids } {
  let relids = start;
  let nullable = EMPTY;
  for (let again = true; again;) {
    again = false;
    for (const sj of root.joinInfoList) {
      if (sj.jointype === 'semi') continue;
      if (overlaps(relids, sj.minRighthand) || (sj.jointype === 'full' && overlaps(relids, sj.minLefthand))) {
        const all = sj.minLefthand | sj.minRighthand;
        if (!isSubset(all, relids)) {
          relids |= all;
          again = true;
        }
        nullable |= sj.jointype === 'full' ? all : sj.minRighthand;
        if (isPushedDown && sj.jointype !== 'full' && overlaps(relids, sj.minLefthand)) sj.delayUpperJoins = true;
      }
    }
  }
  return { relids, nullable };
}

function distributeRestrictInfo(root: PlannerInfo, rinfo: RestrictInfo): void {
  const single = singleton(rinfo.requiredRelids);
  if (single !== 0) {
    const clause = stripPlaceholders(rinfo.clause);
    baseRel(root, single).restrictions.push(clause === rinfo.clause ? rinfo : { ...rinfo, clause });
    return;
  }
  addVarsToTargetList(root, pullVarClause(rinfo.clause, true, true), rinfo.requiredRelids);
  for (const rti of members(rinfo.requiredRelids)) {
    const rel = root.rels[rti];
    if (rel !== undefined && !rel.joinClauses.includes(rinfo)) rel.joinClauses.push(rinfo);
  }
}

/** Columns that lateral subqueries and functions take from other relations. */
export function findLateralReferences(root: PlannerInfo, lateralVars: (rel: RelOptInfo) => Expr[]): void {
  for (const rel of root.rels) {
    if (rel === undefined || rel.rte === null || !rel.rte.lateral) continue;
    const vars = lateralVars(rel).filter((v) => !overlaps(pullVarnos(v), rel.relids));
    for (const v of vars) rel.lateralRelids |= pullVarnos(v);
    if (rel.lateralRelids === EMPTY) continue;
    rel.directLateral = rel.lateralRelids;
    rel.lateralVars = vars;
    root.hasLateral = true;
    addVarsToTargetList(root, vars, rel.relids);
  }
}

/** create_lateral_join_info: what is computed of a relation, or of a join of some, with values from outside makes these take them; and what
 * takes values of one that takes some itself takes those, too. */
function createLateralJoinInfo(root: PlannerInfo): void {
  for (const { node } of root.placeholders) {
    const outside = lateralOf(node), isScan = singleton(node.evalAt) !== 0;
    if (outside === EMPTY) continue;
    root.hasLateral = true;
    for (const rti of members(node.evalAt)) {
      const rel = baseRel(root, rti);
      rel.lateralRelids |= outside;
      if (isScan) rel.directLateral |= outside;
    }
  }
  if (!root.hasLateral) return;
  for (const rel of root.rels) {
    if (rel === undefined || rel.lateralRelids === EMPTY) continue;
    for (const other of root.rels) if (other !== undefined && overlaps(other.lateralRelids, rel.relids)) other.lateralRelids |= rel.lateralRelids;
  }
}
