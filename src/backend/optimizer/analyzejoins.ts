// Joins that can be left out or made simpler as one side has no two rows that match the same row (PostgreSQL's analyzejoins.c).
import type { IndexInfo } from '../catalog/relation.ts';
import type { Query, SetOperationNode } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { joinEqualities } from './equivclass.ts';
import { standsForChildren } from './inherit.ts';
import { indexColumnExpr } from './pathkeys.ts';
import { equal, lateralOf } from './clauses.ts';
import type { PlannerInfo, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { bit, EMPTY, isSubset, overlaps, singleton } from './relids.ts';

/** innerrel_is_unique: no two inner rows can match the same outer row by these conditions. */
export const innerIsUnique = (root: PlannerInfo, inner: RelOptInfo, clauses: readonly RestrictInfo[], outer: Relids): boolean =>
  clauses.length > 0 && isDistinctFor(root, inner, clauses, outer);

/** rel_is_distinct_for: the same, also where nothing but the inner rows' own conditions says so. */
function isDistinctFor(root: PlannerInfo, inner: RelOptInfo, clauses: readonly RestrictInfo[], outer: Relids): boolean {
  if (inner.kind !== 'base' || inner.rte === null || singleton(inner.relids) === 0) return false;
  const equalities = clauses.filter((r) => r.clause.kind === 'OpExpr' && r.mergeFamilies.length > 0 && r.canJoin
    && ((isSubset(r.leftRelids, inner.relids) && isSubset(r.rightRelids, outer)) || (isSubset(r.rightRelids, inner.relids) && isSubset(r.leftRelids, outer))));
  const sides = equalities.map((r) => ({ expr: (r.clause as { args: Expr[] }).args[isSubset(r.leftRelids, inner.relids) ? 0 : 1]!, families: r.mergeFamilies }));
  if (inner.relation !== null) {
    if (standsForChildren(inner.rte) && inner.relation.kind !== 'p') return false;
    const fixed = inner.restrictions.flatMap((r) => {
      if (r.clause.kind !== 'OpExpr' || r.mergeFamilies.length === 0 || r.clause.args.length !== 2) return [];
      return r.rightRelids === EMPTY ? [{ expr: r.clause.args[0]!, families: r.mergeFamilies }] : r.leftRelids === EMPTY ? [{ expr: r.clause.args[1]!, families: r.mergeFamilies }] : [];
    });
    const known = [...sides, ...fixed];
    if (known.length === 0) return false;
    return inner.relation.indexes.some((info) => info.valid && isUniqueFor(root, inner, info, known));
  }
  const query = inner.rte.subquery ?? inner.subroot?.parse ?? null;
  if (inner.rte.rtekind !== 'subquery' || query === null) return false;
  const columns = sides.flatMap(({ expr }) => (expr.kind === 'Var' && expr.varno === inner.rti && expr.varattno > 0 ? [expr.varattno] : []));
  return queryIsDistinctFor(query, columns);
}

function isUniqueFor(_root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, known: readonly { expr: Expr; families: readonly number[] }[]): boolean {
  if (!info.unique || !info.immediate || info.predicate !== null) return false;
  for (let i = 0; i < info.keyCount; i++) {
    const column = indexColumnExpr(rel, info, i);
    if (!known.some((k) => k.families.includes(info.columns[i]!.opfamily) && equal(k.expr, column))) return false;
  }
  return true;
}

/** query_is_distinct_for: no two rows of the subquery have the same values in these columns. */
function queryIsDistinctFor(q: Query, columns: readonly number[]): boolean {
  const among = (list: readonly { tleSortGroupRef: number }[]): boolean => list.every((c) => {
    const t = q.targetList.find((x) => x.ressortgroupref === c.tleSortGroupRef);
    return t !== undefined && !t.resjunk && columns.includes(t.resno);
  });
  if (q.distinctClause.length > 0) return among(q.distinctClause);
  if (q.hasTargetSRFs) return false;
  if (q.groupClause.length > 0 && q.groupingSets.length === 0) return among(q.groupClause);
  if (q.groupingSets.length > 0) return false;
  if (q.hasAggs || q.havingQual !== null) return true;
  if (q.setOperations === null) return false;
  const top = q.setOperations as SetOperationNode & { all?: boolean };
  return top.all !== true && q.targetList.every((t) => t.resjunk || columns.includes(t.resno));
}

/** remove_useless_joins: left joins that neither add nor double rows and whose columns nobody wants. */
export function removeUselessJoins(root: PlannerInfo): void {
  for (let i = 0; i < root.joinInfoList.length;) {
    const sj = root.joinInfoList[i]!;
    if (!isRemovable(root, sj)) {
      i++;
      continue;
    }
    removeRelation(root, sj);
    i = 0;
  }
}

function isRemovable(root: PlannerInfo, sj: SpecialJoinInfo): boolean {
  if (sj.jointype !== 'left' || sj.delayUpperJoins) return false;
  const rti = singleton(sj.minRighthand);
  const rel = rti === 0 ? undefined : root.rels[rti];
  if (rel === undefined || root.parse.resultRelation === rti || root.rowMarks.some((m) => m.rti === rti)) return false;
  const inputs = sj.minLefthand | sj.minRighthand;
  for (const { needed } of rel.attrNeeded.values()) if (!isSubset(needed, inputs)) return false;
  if (root.placeholders.some(({ node, needed }) => overlaps(lateralOf(node), rel.relids) || (overlaps(node.evalAt, rel.relids) && !isSubset(needed, inputs)))) return false;
  if (root.rels.some((r) => r !== undefined && overlaps(r.lateralRelids, rel.relids))) return false;
  const clauses: RestrictInfo[] = [];
  for (const r of rel.joinClauses) {
    if (r.isPushedDown || !isSubset(r.requiredRelids, inputs)) {
      if (overlaps(r.clauseRelids, rel.relids)) return false;
      continue;
    }
    clauses.push(r);
  }
  return isDistinctFor(root, rel, clauses, sj.minLefthand);
}

/** remove_rel_from_query. */
function removeRelation(root: PlannerInfo, gone: SpecialJoinInfo): void {
  const rti = singleton(gone.minRighthand);
  const keep = ~bit(rti), joined = gone.minLefthand | gone.minRighthand;
  root.rels[rti] = undefined;
  root.allBaserels &= keep;
  root.joinInfoList = root.joinInfoList.filter((sj) => sj !== gone);
  for (const sj of root.joinInfoList) {
    sj.minLefthand &= keep;
    sj.minRighthand &= keep;
    sj.synLefthand &= keep;
    sj.synRighthand &= keep;
  }
  root.placeholders = root.placeholders.filter(({ node }) => !overlaps(node.evalAt, bit(rti)));
  for (const entry of root.placeholders) entry.needed &= keep;
  const again = new Set<RestrictInfo>();
  for (const rel of root.rels) {
    if (rel === undefined) continue;
    for (const entry of rel.attrNeeded.values()) entry.needed &= keep;
    const stay: RestrictInfo[] = [];
    for (const r of rel.joinClauses) {
      if (!overlaps(r.requiredRelids, bit(rti))) stay.push(r);
      else if (!overlaps(r.clauseRelids, bit(rti)) && (r.isPushedDown || !isSubset(r.requiredRelids, joined))) {
        // It had to wait for the join only; a condition of the join itself goes with it, whatever it is about.
        again.add(r);
      }
    }
    rel.joinClauses = stay;
  }
  for (const r of again) {
    r.requiredRelids &= keep;
    const single = singleton(r.requiredRelids);
    if (single !== 0) root.rels[single]!.restrictions.push(r);
    else for (const rel of root.rels) if (rel !== undefined && overlaps(rel.relids, r.requiredRelids)) rel.joinClauses.push(r);
  }
}

/** reduce_unique_semijoins: where the right side has one match at most, a semi join is an ordinary one. */
export function reduceUniqueSemijoins(root: PlannerInfo): void {
  root.joinInfoList = root.joinInfoList.filter((sj) => {
    if (sj.jointype !== 'semi') return true;
    const rti = singleton(sj.minRighthand);
    const rel = rti === 0 ? undefined : root.rels[rti];
    if (rel === undefined || sj.synRighthand !== sj.minRighthand) return true;
    const both = sj.minLefthand | sj.minRighthand;
    const clauses = [...joinEqualities(root, sj.minLefthand, rel.relids), ...rel.joinClauses.filter((r) => isSubset(r.requiredRelids, both))];
    return !innerIsUnique(root, rel, clauses, sj.minLefthand);
  });
}
