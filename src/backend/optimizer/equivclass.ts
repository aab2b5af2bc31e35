// Equivalence classes (PostgreSQL's equivclass.c): expressions known to be equal in every row of the result. From a
// class come conditions nobody wrote: a.x = b.y and b.y = 5 give a.x = 5; of a.x = b.y, b.y = c.z any two joins will do.
import { amopsByFamily } from '../catalog/syscache.ts';
import { operator } from '../executor/fmgr_info.ts';
import { opclassInputType } from '../executor/sort_support.ts';
import { makeOpExpr } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { containsAggs, containsSrf, containsVolatile, containsWindowFunc, equal, evalConstExpressions, isFalseOrNull, isTrue, pullVarnos, stripRelabel } from './clauses.ts';
import type { EcMember, EquivalenceClass, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { makeRestrictInfo } from './restrictinfo.ts';

const sameFamilies = (a: readonly Oid[], b: readonly Oid[]): boolean => a.length === b.length && a.every((f) => b.includes(f));

/** To the same operator families and collation. */
const sameValue = (a: Expr, b: Expr): boolean => equal(stripRelabel(a), stripRelabel(b));

function newClass(families: Oid[], collation: Oid): EquivalenceClass {
  return {
    families, collation, members: [], sources: [], relids: EMPTY, hasConst: false, volatile: false, belowOuterJoin: false,
    broken: false, merged: null, sortref: 0,
  };
}

function addMember(ec: EquivalenceClass, expr: Expr, relids: Relids, type: Oid): EcMember {
  const member = { expr, relids, type, isConst: relids === EMPTY && !containsVolatile(expr) };
  ec.members.push(member);
  ec.relids |= relids;
  if (member.isConst) ec.hasConst = true;
  return member;
}

/** process_equivalence: takes an = condition into the classes. False: it must be kept as an ordinary condition. */
export function processEquivalence(root: PlannerInfo, rinfo: RestrictInfo, belowOuterJoin: boolean): boolean {
  const op = rinfo.clause;
  if (op.kind !== 'OpExpr') return false;
  // What may tell of rows that it should not have seen stays where it is.
  if (rinfo.securityLevel > 0 && !rinfo.leakproof) return false;
  const [left, right] = op.args as [Expr, Expr];
  if (equal(left, right)) return false;
  if (containsVolatile(left) || containsVolatile(right)) return false;
  const find = (e: Expr): EquivalenceClass | undefined => root.ecs.find((ec) => !ec.volatile && ec.collation === op.inputcollid
    && sameFamilies(ec.families, rinfo.mergeFamilies) && ec.belowOuterJoin === belowOuterJoin && ec.members.some((m) => sameValue(m.expr, e)));
  const lec = find(left);
  const rec = find(right);
  const types = operator(op.opno);
  if (lec !== undefined && rec !== undefined) {
    if (lec !== rec) {
      lec.members.push(...rec.members);
      lec.sources.push(...rec.sources);
      lec.relids |= rec.relids;
      lec.hasConst ||= rec.hasConst;
      rec.merged = lec;
      root.ecs = root.ecs.filter((ec) => ec !== rec);
    }
    lec.sources.push(rinfo);
    rinfo.leftEc = rinfo.rightEc = lec;
    return true;
  }
  let ec = lec ?? rec;
  if (ec === undefined) {
    ec = newClass(rinfo.mergeFamilies, op.inputcollid);
    ec.belowOuterJoin = belowOuterJoin;
    root.ecs.push(ec);
    addMember(ec, left, rinfo.leftRelids, types.oprleft);
    addMember(ec, right, rinfo.rightRelids, types.oprright);
  } else if (lec === undefined) addMember(ec, left, rinfo.leftRelids, types.oprleft);
  else addMember(ec, right, rinfo.rightRelids, types.oprright);
  ec.sources.push(rinfo);
  rinfo.leftEc = rinfo.rightEc = ec;
  return true;
}

/** The class an expression to be sorted by belongs to; made when there is none and `create`. */
export function classForSorting(root: PlannerInfo, expr: Expr, families: Oid[], collation: Oid, sortref: number, create: boolean): EquivalenceClass | null {
  const volatile = containsVolatile(expr);
  for (const ec of root.ecs) {
    if (!sameFamilies(ec.families, families) || ec.collation !== collation || ec.belowOuterJoin) continue;
    if (volatile || ec.volatile) {
      if (ec.volatile && ec.sortref === sortref && equal(ec.members[0]!.expr, expr)) return ec;
      continue;
    }
    if (ec.members.some((m) => sameValue(m.expr, expr))) return ec;
  }
  if (!create) return null;
  const ec = newClass(families, collation);
  addMember(ec, expr, pullVarnos(expr), exprType(expr));
  ec.volatile = volatile;
  ec.sortref = sortref;
  // Without Vars, but not the same in every row.
  if (volatile || containsSrf(expr) || containsAggs(expr) || containsWindowFunc(expr)) {
    ec.hasConst = false;
    ec.members[0]!.isConst = false;
  }
  root.ecs.push(ec);
  return ec;
}

function equalityFor(ec: EquivalenceClass, left: Oid, right: Oid): Oid {
  const l = opclassInputType(left);
  const r = opclassInputType(right);
  for (const family of ec.families) {
    const member = amopsByFamily(family).find((a) => a.amopstrategy === 3 && a.amoplefttype === l && a.amoprighttype === r);
    if (member !== undefined) return member.amopopr;
  }
  return 0;
}

function makeEquality(ec: EquivalenceClass, a: EcMember, b: EcMember): Expr | null {
  const opno = equalityFor(ec, a.type, b.type);
  if (opno === 0) return null;
  return makeOpExpr(opno, operator(opno).oprcode, 16, [a.expr, b.expr], 0, ec.collation);
}

/** The condition a class means between two of its members: the one written if there is one. */
function clauseBetween(ec: EquivalenceClass, a: EcMember, b: EcMember): RestrictInfo | null {
  for (const source of ec.sources) {
    if (source.clause.kind !== 'OpExpr') continue;
    const [x, y] = source.clause.args as [Expr, Expr];
    if (equal(x, a.expr) && equal(y, b.expr)) return source;
  }
  const clause = makeEquality(ec, a, b);
  if (clause === null) return null;
  const rinfo = makeRestrictInfo(clause, true);
  rinfo.leftEc = rinfo.rightEc = ec;
  rinfo.parentEc = ec;
  ec.sources.push(rinfo);
  return rinfo;
}

/** What outer joins below the conditions on it can make NULL of it. */
const nullableRelidsOf = (ec: EquivalenceClass, m: EcMember): Relids =>
  ec.sources.reduce((set, s) => (s.nullableRelids !== EMPTY && s.clause.kind === 'OpExpr' && s.clause.args.some((e) => equal(e, m.expr)) ? set | s.nullableRelids : set), EMPTY);

/** generate_base_implied_equalities: conditions on single relations. Calls `distribute` for each. */
export function generateBaseEqualities(root: PlannerInfo, distribute: (rinfo: RestrictInfo) => void): void {
  const given = root.ecs.map((ec) => [...ec.sources]);
  for (const ec of root.ecs) {
    if (ec.members.length < 2) continue;
    const constant = ec.members.find((m) => m.isConst);
    // One condition that equates a column to a value stays as it was written.
    const [only] = ec.sources;
    if (constant !== undefined && ec.members.length === 2 && ec.sources.length === 1 && !ec.members.every((m) => m.isConst)) {
      distribute({ ...only!, parentEc: ec });
      continue;
    }
    if (constant !== undefined) {
      for (const m of ec.members) {
        if (m === constant) continue;
        const rinfo = clauseBetween(ec, m, constant);
        if (rinfo === null) {
          ec.broken = true;
          break;
        }
        // Two constants: the condition decides about the whole query, at one of its relations.
        if (m.isConst) {
          const clause = evalConstExpressions(rinfo.clause);
          // False, it leaves nothing of the query, or of what is below the outer join.
          const at = isFalseOrNull(clause) ? (ec.belowOuterJoin ? ec.relids : root.allBaserels) : ec.members.find((x) => !x.isConst)?.relids ?? rinfo.requiredRelids;
          if (!isTrue(clause)) distribute({ ...rinfo, clause, parentEc: ec, pseudoconstant: true, requiredRelids: at });
        }
        else distribute({ ...rinfo, parentEc: ec, nullableRelids: rinfo.nullableRelids | nullableRelidsOf(ec, m) });
      }
      continue;
    }
    // Two columns of the same relation.
    const seen = new Map<Relids, EcMember>();
    for (const m of ec.members) {
      const other = seen.get(m.relids);
      if (other !== undefined) {
        const rinfo = clauseBetween(ec, other, m);
        if (rinfo === null) {
          ec.broken = true;
          break;
        }
        distribute({ ...rinfo, parentEc: ec });
      }
      seen.set(m.relids, m);
    }
  }
  // A class that cannot say all it means in operators says it in the words it was given.
  root.ecs.forEach((ec, i) => { if (ec.broken) for (const s of given[i]!) distribute(s); });
}

/** generate_join_implied_equalities: for each class one condition between what is on the two sides of a join. */
export function joinEqualities(root: PlannerInfo, outer: Relids, inner: Relids): RestrictInfo[] {
  const result: RestrictInfo[] = [];
  const both = outer | inner;
  for (const ec of root.ecs) {
    if (ec.hasConst || ec.broken || ec.members.length < 2 || !overlaps(ec.relids, outer) || !overlaps(ec.relids, inner)) continue;
    const outers = ec.members.filter((m) => isSubset(m.relids, outer));
    const inners = ec.members.filter((m) => isSubset(m.relids, inner));
    const both2 = ec.members.filter((m) => isSubset(m.relids, both) && !isSubset(m.relids, outer) && !isSubset(m.relids, inner));
    let best: RestrictInfo | null = null;
    if (outers.length > 0 && inners.length > 0) {
      search: for (const o of outers) {
        for (const i of inners) {
          const rinfo = clauseBetween(ec, o, i);
          if (rinfo === null) continue;
          if (best === null || (o.expr.kind === 'Var' && i.expr.kind === 'Var')) best = rinfo;
          if (o.expr.kind === 'Var' && i.expr.kind === 'Var') break search;
        }
      }
      if (best !== null) result.push(best);
    }
    // Members that need both sides to be computed equal each other, and the last of them one of the others.
    const chain = both2.length === 0 ? [] : [...both2, ...[...outers, ...inners].slice(0, 1)];
    for (let n = 1; n < chain.length; n++) {
      const rinfo = clauseBetween(ec, chain[n - 1]!, chain[n]!);
      if (rinfo !== null) result.push(rinfo);
    }
  }
  return result;
}

/** Conditions `column of rel = something of other relations` that a class implies, for parameterized index scans. */
export function impliedEqualitiesFor(root: PlannerInfo, rel: RelOptInfo, expr: Expr): RestrictInfo[] {
  const result: RestrictInfo[] = [];
  for (const ec of root.ecs) {
    if (ec.hasConst || ec.broken || ec.members.length < 2) continue;
    const own = ec.members.find((m) => equal(m.expr, expr));
    if (own === undefined) continue;
    for (const other of ec.members) {
      if (other === own || overlaps(other.relids, rel.relids) || other.relids === EMPTY) continue;
      const rinfo = clauseBetween(ec, own, other);
      if (rinfo !== null) result.push(rinfo);
    }
  }
  return result;
}

export function relevantJoinClause(root: PlannerInfo, a: RelOptInfo, b: RelOptInfo): boolean {
  for (const r of a.joinClauses) if (overlaps(r.requiredRelids, b.relids)) return true;
  if (a.hasEcJoins && b.hasEcJoins) {
    for (const ec of root.ecs) if (ec.members.length > 1 && !ec.hasConst && overlaps(ec.relids, a.relids) && overlaps(ec.relids, b.relids)) return true;
  }
  return false;
}
