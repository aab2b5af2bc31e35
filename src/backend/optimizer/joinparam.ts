// Joins of paths that take values from outside of the join (get_joinrel_parampathinfo of PostgreSQL's relnode.c).
import type { Expr } from '../nodes/primnodes.ts';
import { clampRows } from './costsize.ts';
import { joinEqualities } from './equivclass.ts';
import { adjustRestriction } from './inherit.ts';
import type { JoinPathContext } from './joincost.ts';
import { replaceNestloopParams } from './nestparams.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { clauselistSelectivity } from './selfuncs.ts';

/** Relations that a path of the join may take values from: those that an outer join keeps from being joined before. */
export function paramSources(root: PlannerInfo, rel: RelOptInfo): Relids {
  let sources = rel.lateralRelids;
  const relids = rel.topRelids;
  for (const sj of root.joinInfoList) {
    if (overlaps(relids, sj.minRighthand) && !overlaps(relids, sj.minLefthand)) sources |= root.allBaserels & ~sj.minRighthand;
    if (sj.jointype === 'full' && overlaps(relids, sj.minLefthand) && !overlaps(relids, sj.minRighthand)) sources |= root.allBaserels & ~sj.minLefthand;
  }
  return sources;
}

export const isMovable = (c: RestrictInfo, relids: Relids, outside: Relids): boolean =>
  isSubset(c.clauseRelids, relids | outside) && overlaps(c.clauseRelids, relids) && !overlaps(c.nullableRelids, relids) && !overlaps(c.outerRelids, relids);

/** They are the same condition, over tables or their partitions. */
export const isSame = (a: RestrictInfo, b: RestrictInfo): boolean => (a.ofParent ?? a) === (b.ofParent ?? b);
const ofPart = (rel: RelOptInfo, r: RestrictInfo): RestrictInfo => rel.translators.reduce((x, info) => adjustRestriction(info, x), r);

/** get_joinrel_parampathinfo: the conditions with what is outside that a path of the join has to test, and those among them that
 * neither side has tested. */
export function paramClauses(cx: JoinPathContext, o: Path, i: Path, required: Relids): { all: RestrictInfo[]; here: RestrictInfo[] } {
  const { root, rel, outer, inner } = cx;
  const below = [...o.paramClauses, ...i.paramClauses];
  const all = below.filter((c) => overlaps(c.clauseRelids, required) && isSubset(c.clauseRelids, rel.relids | required));
  const here: RestrictInfo[] = [];
  for (const c of rel.joinClauses) {
    if (!isMovable(c, rel.relids, required) || !overlaps(c.clauseRelids, required) || all.some((x) => isSame(x, c))) continue;
    all.push(c);
    if (!isMovable(c, outer.relids, o.requiredOuter) && !isMovable(c, inner.relids, i.requiredOuter)) here.push(c);
  }
  // A class may have been enforced on one side by a member of the other: each side is told for itself.
  for (const [side, path] of [[outer, o], [inner, i]] as const) {
    for (const c of joinEqualities(root, required, side.topRelids).map((r) => ofPart(side, r))) {
      if (isMovable(c, side.relids, path.requiredOuter) && path.paramClauses.some((x) => x.leftEc === c.leftEc && x.leftEc === x.rightEc)) continue;
      all.push(c);
      here.push(c);
    }
  }
  return { all, here };
}

/** get_parameterized_joinrel_size; all paths with the same values from outside say the same. */
export function paramJoinRows(cx: JoinPathContext, o: Path, i: Path, clauses: RestrictInfo[], required: Relids): number {
  const { root, rel, jointype } = cx;
  const known = rel.paramInfos.get(required);
  if (known !== undefined) return known.rows;
  const pairs = o.rows * i.rows * clauselistSelectivity(root, clauses);
  const rows = Math.min(rel.rows, clampRows(jointype === 'left' ? Math.max(o.rows, pairs) : jointype === 'inner' ? pairs : Math.min(o.rows, pairs)));
  rel.paramInfos.set(required, { clauses: [], rows });
  return rows;
}

/** What hash and merge joins need to know where a side takes values from outside; null: they should not take these (calc_non_nestloop_required_outer).
 * `rest`, `others`: the conditions to test, `quals` and those with what is outside. */
export function joinParam(cx: JoinPathContext, o: Path, i: Path, quals: RestrictInfo[]): { required: Relids; all: RestrictInfo[]; rest: RestrictInfo[]; others: RestrictInfo[]; rows: number; fix: (e: Expr) => Expr } | null {
  const { root, rel, otherquals, jointype, sources } = cx;
  const required = o.requiredOuter | i.requiredOuter;
  if (required === EMPTY) return { required, all: [], rest: quals, others: otherquals, rows: rel.rows, fix: (e) => e };
  if (!overlaps(required, sources)) return null;
  const { all, here } = paramClauses(cx, o, i, required);
  const isOuter = jointype !== 'inner' && jointype !== 'semi';
  return {
    required, all, rest: isOuter ? quals : [...quals, ...here], others: isOuter ? [...otherquals, ...here] : otherquals,
    rows: paramJoinRows(cx, o, i, [...cx.joinquals, ...here], required), fix: (e) => replaceNestloopParams(root, e),
  };
}
