// What an OR over several relations says of one of them alone (PostgreSQL's orclauses.c): (a.x = 1 and b.y = 2) or (a.x = 3 and
// b.z = 4) lets only rows of a with x = 1 or x = 3 through.
import { makeAndsExplicit, makeBoolExpr } from '../nodes/makefuncs.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsVolatile, pullVarnos } from './clauses.ts';
import { joinClauseMovable } from './parampath.ts';
import type { PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import { clauseSelectivity } from './selfuncs.ts';

export function extractRestrictionOrClauses(root: PlannerInfo): void {
  for (const rel of root.rels) {
    if (rel === undefined || rel.joinClauses.length === 0) continue;
    for (const rinfo of rel.joinClauses) {
      if (rinfo.clause.kind !== 'BoolExpr' || rinfo.clause.boolop !== 'or' || rinfo.securityLevel > 0 || !joinClauseMovable(rel, rinfo)) continue;
      const own = ownPart(rel, rinfo.clause.args);
      if (own === null) continue;
      const restriction = makeRestrictInfo(own, true);
      const selectivity = clauseSelectivity(root, own, null);
      // It must be worth being tested twice.
      if (selectivity > 0.9) continue;
      restriction.selectivity = selectivity;
      rel.restrictions.push(restriction);
      const whole = clauseSelectivity(root, rinfo.clause, null);
      rinfo.selectivity = selectivity > 0 ? Math.min(1, whole / selectivity) : whole;
    }
  }
}

/** extract_or_clause; null: some arm says nothing of the relation. */
function ownPart(rel: RelOptInfo, arms: readonly Expr[]): Expr | null {
  const parts: Expr[] = [];
  for (const arm of arms) {
    const own: Expr[] = [];
    for (const e of makeAndsImplicit(arm)) {
      if (e.kind === 'BoolExpr' && e.boolop === 'or' && pullVarnos(e) !== rel.relids) {
        const inner = ownPart(rel, e.args);
        if (inner !== null) own.push(inner);
      } else if (pullVarnos(e) === rel.relids && !containsVolatile(e)) own.push(e);
    }
    if (own.length === 0) return null;
    const all = makeAndsExplicit(own)!;
    if (all.kind === 'BoolExpr' && all.boolop === 'or') parts.push(...all.args);
    else parts.push(all);
  }
  return parts.length === 1 ? parts[0]! : makeBoolExpr('or', parts);
}
