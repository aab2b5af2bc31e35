// Scans that are given values of other relations (get_baserel_parampathinfo of PostgreSQL's relnode.c): which join conditions
// they can test, and how many rows are left then.
import { clampRows } from './costsize.ts';
import { joinEqualities } from './equivclass.ts';
import { adjustRestriction } from './inherit.ts';
import type { ParamPathInfo, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { EMPTY, isSubset, members, overlaps } from './relids.ts';
import { clauselistSelectivity } from './selfuncs.ts';

/** Whether a join condition may be evaluated as early as in the scan (join_clause_is_movable_to). */
export function joinClauseMovable(rel: RelOptInfo, rinfo: RestrictInfo): boolean {
  return overlaps(rinfo.clauseRelids, rel.relids) && !overlaps(rinfo.nullableRelids, rel.relids) && !overlaps(rinfo.outerRelids, rel.relids) && (rinfo.clauseRelids & ~rel.relids) !== EMPTY;
}

export function paramPathInfo(root: PlannerInfo, rel: RelOptInfo, outer: Relids): ParamPathInfo {
  let info = rel.paramInfos.get(outer);
  if (info !== undefined) return info;
  const reach = rel.relids | outer;
  const { appendInfo } = rel;
  const clauses = rel.joinClauses.filter((r) => isSubset(r.clauseRelids, reach) && joinClauseMovable(rel, r));
  if (appendInfo === null) clauses.push(...joinEqualities(root, outer, rel.relids));
  else clauses.push(...joinEqualities(root, outer, appendInfo.parent.relids).map((r) => adjustRestriction(appendInfo, r)));
  const rows = clampRows(rel.tuples * clauselistSelectivity(root, [...clauses, ...rel.restrictions.filter((r) => !r.pseudoconstant)]));
  info = { clauses, rows: Math.min(rows, rel.rows) };
  rel.paramInfos.set(outer, info);
  return info;
}

/** get_loop_count: how often a scan with values of these will be run. */
export function loopCount(root: PlannerInfo, rel: RelOptInfo, outer: Relids): number {
  if (outer === EMPTY) return 1;
  let result = 0;
  for (const rti of members(outer)) {
    const other = root.rels[rti];
    if (other === undefined || other.rows <= 0) continue;
    const rows = rowsWithSemijoins(root, (rel.appendInfo?.parent ?? rel).relids, other);
    if (result === 0 || result > rows) result = rows;
  }
  return result > 0 ? result : 1;
}

/** adjust_rowcount_for_semijoins: the right side of a semi join made unique has fewer rows. */
function rowsWithSemijoins(root: PlannerInfo, current: Relids, other: RelOptInfo): number {
  let { rows } = other;
  for (const sj of root.joinInfoList) {
    if (sj.jointype !== 'semi' || !overlaps(current, sj.synLefthand) || !isSubset(other.relids, sj.synRighthand)) continue;
    let total = 1;
    for (const rti of members(sj.synRighthand)) total *= root.rels[rti]?.rows ?? 1;
    if (rows > total) rows = total;
  }
  return rows;
}
