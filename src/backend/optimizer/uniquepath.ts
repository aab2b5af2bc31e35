// The right side of a semi join made unique, so that it can be joined as an ordinary relation, also as the outer side.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsVolatile, equal, pullVarnos } from './clauses.ts';
import { costs } from './costsize.ts';
import type { Path, PlannerInfo, RelOptInfo, SpecialJoinInfo } from './pathnodes.ts';
import { planBase, withColumn } from './planbuild.ts';
import { targetOfRel } from './nestparams.ts';
import { EMPTY, isSubset } from './relids.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import { estimateGroups } from './selfuncs.ts';

const cache = new WeakMap<SpecialJoinInfo, Path | null>();

/** Null when the join's conditions are not all equalities with hashable columns of the right side. */
export function uniquePath(root: PlannerInfo, rel: RelOptInfo, sjinfo: SpecialJoinInfo): Path | null {
  const known = cache.get(sjinfo);
  if (known !== undefined) return known;
  const path = make(root, rel, sjinfo);
  cache.set(sjinfo, path);
  return path;
}

function make(root: PlannerInfo, rel: RelOptInfo, sjinfo: SpecialJoinInfo): Path | null {
  const child = rel.cheapestTotal;
  if (child === null || child.requiredOuter !== EMPTY) return null;
  const columns: { expr: Expr; eqop: number; collation: number }[] = [];
  for (const clause of sjinfo.quals) {
    const relids = pullVarnos(clause);
    // Conditions of the right side alone were applied below.
    if (isSubset(relids, sjinfo.synRighthand)) continue;
    const r = makeRestrictInfo(clause, true);
    if (!r.canJoin || !r.hashable || r.clause.kind !== 'OpExpr') return null;
    const [a, b] = r.clause.args as [Expr, Expr];
    const expr = isSubset(r.rightRelids, sjinfo.synRighthand) ? b : isSubset(r.leftRelids, sjinfo.synRighthand) ? a : null;
    if (expr === null || containsVolatile(expr)) return null;
    columns.push({ expr, eqop: r.clause.opno, collation: r.clause.inputcollid });
  }
  if (columns.length === 0) return null;
  const rows = estimateGroups(root, columns.map((c) => c.expr), child.rows);
  const startup = child.total + child.rows * costs.cpuOperator * columns.length;
  const total = startup + rows * costs.cpuTuple;
  const path: Path = {
    kind: 'Unique', rel, rows, startup, total, pathkeys: [], requiredOuter: EMPTY, paramClauses: [], parallelSafe: rel.considerParallel && child.parallelSafe === true,
    make: (): Plan => {
      let below = child.make();
      const position = (e: Expr): number => below.targetlist.findIndex((t) => equal(t.expr, e)) + 1;
      for (const { expr } of columns) if (position(expr) === 0) below = withColumn(below, expr);
      return {
        kind: 'Agg', ...planBase(path, targetOfRel(root, rel), [], below), aggstrategy: 'hashed',
        groupKeys: columns.map((c) => ({ column: position(c.expr), eqop: c.eqop, collation: c.collation, type: exprType(c.expr) })),
        numGroups: rows, groupingSets: null, groupRefs: [], aggrefs: [],
      };
    },
  };
  return path;
}
