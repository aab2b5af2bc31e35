// Memoize (get_memoize_path of PostgreSQL's joinpath.c, cost_memoize_rescan of costsize.c): the inner rows of a nested loop are
// kept for each value of the outer row's columns that they depend on.
import { opHashjoinable, typeOperators } from '../catalog/lsyscache.ts';
import type { Oid } from '../types/datum.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { containsVolatile } from './clauses.ts';
import { costs, enabled, relationBytes } from './costsize.ts';
import type { JoinPathContext } from './joincost.ts';
import { replaceNestloopParams } from './nestparams.ts';
import type { Path } from './pathnodes.ts';
import { over } from './planbuild.ts';
import { EMPTY, isSubset } from './relids.ts';
import { estimateGroups, usesDefaults } from './selfuncs.ts';

/** Null when the rows do not depend on a few columns of the outer side alone. */
export function memoizePath(cx: JoinPathContext, outer: Path, inner: Path): Path | null {
  const { root, jointype, innerUnique } = cx;
  if (!enabled.memoize || cx.outer.rows < 2 || inner.requiredOuter === EMPTY || !isSubset(inner.requiredOuter, cx.outer.topRelids) || cx.inner.kind === 'join') return null;
  if ((jointype === 'semi' || jointype === 'anti') && !innerUnique) return null;
  // An Append knows conditions from outside where it prunes by them only.
  const clauses = inner.kind === 'Append' && inner.rel.relation?.kind !== 'p' ? [] : inner.paramClauses;
  if (innerUnique && clauses.length < cx.joinquals.length + cx.otherquals.length) return null;
  if (cx.inner.target.some(containsVolatile) || cx.inner.restrictions.some((r) => containsVolatile(r.clause))) return null;
  // A column that two conditions mention is there twice.
  const keys: Expr[] = [];
  let binary = false;
  for (const r of clauses) {
    if (r.clause.kind !== 'OpExpr' || r.clause.args.length !== 2) return null;
    const left = isSubset(r.leftRelids, cx.outer.topRelids) && r.leftRelids !== EMPTY && isSubset(r.rightRelids, cx.inner.relids);
    const right = isSubset(r.rightRelids, cx.outer.topRelids) && r.rightRelids !== EMPTY && isSubset(r.leftRelids, cx.inner.relids);
    if (left === right) return null;
    const key = r.clause.args[left ? 0 : 1]!;
    if (!isHashable(exprType(key))) return null;
    if (!r.hashable) binary = true;
    keys.push(key);
  }
  for (const v of cx.inner.lateralVars) {
    if (!isHashable(exprType(v))) return null;
    binary = true;
    keys.push(v);
  }
  // What its columns are computed of is no key: when that changes, what was kept is dropped.
  if (keys.length === 0) return null;
  const path: Path = {
    ...inner, kind: 'Memoize', startup: inner.startup + costs.cpuTuple, total: inner.total + costs.cpuTuple, rescan: memoizeRescan(cx, outer, inner, keys),
    make: () => {
      // The child first: a subquery brings the parameters that it was planned with.
      const child = inner.make();
      const param_exprs = keys.map((k) => replaceNestloopParams(root, k));
      return { kind: 'Memoize', ...over(child, child.targetlist), startup_cost: path.startup, total_cost: path.total, param_exprs, binaryMode: binary };
    },
  };
  delete path.indexClauses;
  delete path.reparameterize;
  return path;
}

/** Whether values of the type have an equality that hashing knows. */
function isHashable(type: Oid): boolean {
  const { eqOpr } = typeOperators(type);
  return eqOpr !== 0 && opHashjoinable(eqOpr, type);
}

function memoizeRescan(cx: JoinPathContext, outer: Path, inner: Path, keys: readonly Expr[]): { startup: number; total: number } {
  const calls = Math.max(1, outer.rows);
  const tuples = inner.rows;
  const entryBytes = relationBytes(tuples, cx.inner.width) + 40 + 16 * tuples;
  const room = Math.max(1, Math.floor(costs.hashMemBytes / entryBytes));
  // Where nothing is known, no value is expected twice.
  const distinct = usesDefaults(cx.root, keys) ? calls : estimateGroups(cx.root, keys, calls);
  const evictions = 1 - Math.min(room, distinct) / distinct;
  const hits = Math.max(0, ((calls - distinct) / calls) * (room / Math.max(distinct, room)));
  const total = inner.total * (1 - hits) + costs.cpuOperator + costs.cpuTuple * evictions + costs.cpuOperator * evictions * tuples + costs.cpuTuple + costs.cpuOperator * tuples;
  return { startup: inner.startup * (1 - hits) + costs.cpuTuple, total };
}
