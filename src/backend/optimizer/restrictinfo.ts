// A condition with what the planner keeps knowing about it.
import { getMergejoinOpfamilies, opHashjoinable, opMergejoinable } from '../catalog/lsyscache.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsVolatile, pullVarnos } from './clauses.ts';
import { containsLeakedVars } from './leakproof.ts';
import type { RelOptInfo, Relids, RestrictInfo } from './pathnodes.ts';
import { EMPTY, overlaps } from './relids.ts';

export function makeRestrictInfo(clause: Expr, isPushedDown: boolean, required?: Relids, securityLevel = 0): RestrictInfo {
  const clauseRelids = pullVarnos(clause);
  const rinfo: RestrictInfo = {
    clause, clauseRelids, requiredRelids: required ?? clauseRelids, isPushedDown, nullableRelids: EMPTY, outerRelids: EMPTY,
    securityLevel, leakproof: securityLevel > 0 && !containsLeakedVars(clause), pseudoconstant: clauseRelids === EMPTY, leftRelids: EMPTY, rightRelids: EMPTY, canJoin: false, mergeFamilies: [],
    hashable: false, leftEc: null, rightEc: null, selectivity: -1, parentEc: null, ofParent: null,
  };
  if (clause.kind === 'OpExpr' && clause.args.length === 2) {
    rinfo.leftRelids = pullVarnos(clause.args[0]!);
    rinfo.rightRelids = pullVarnos(clause.args[1]!);
    rinfo.canJoin = rinfo.leftRelids !== EMPTY && rinfo.rightRelids !== EMPTY && !overlaps(rinfo.leftRelids, rinfo.rightRelids);
    const type = exprType(clause.args[0]!);
    if (opMergejoinable(clause.opno, type)) rinfo.mergeFamilies = getMergejoinOpfamilies(clause.opno);
    rinfo.hashable = opHashjoinable(clause.opno, type) && !containsVolatile(clause);
  }
  return rinfo;
}

/** Whether the condition may be moved ahead of the relation's others, into an index (restriction_is_securely_promotable). */
export const isSecurelyPromotable = (rinfo: RestrictInfo, rel: RelOptInfo): boolean =>
  rinfo.securityLevel === 0 || rinfo.leakproof || rel.restrictions.every((r) => r.securityLevel >= rinfo.securityLevel);

/** Without the join clauses that say once more, by another member of the equivalence class, what one of `met` says already. (Conditions
 * on one relation are another matter: x = 1 and y = 1 are of one class, too, and both have to be asked.) */
export function withoutRepeated(joinClauses: readonly RestrictInfo[], met: readonly RestrictInfo[]): RestrictInfo[] {
  const classOf = (r: RestrictInfo): unknown => (r.leftEc === r.rightEc ? r.leftEc : null);
  return joinClauses.filter((r) => classOf(r) === null || !met.some((m) => classOf(m) === classOf(r)));
}
