// Values that flow from the outer to the inner side of a nested loop travel in exec parameters (paramassign.c).
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Expr, Param, TargetEntry } from '../nodes/primnodes.ts';
import { equal, mutateDeep, pullVarnos } from './clauses.ts';
import type { PlannerInfo, Relids, RelOptInfo } from './pathnodes.ts';
import { targetOf } from './planbuild.ts';
import { bit, isSubset, overlaps } from './relids.ts';

export function makeExecParam(root: PlannerInfo, like: Expr): Param {
  return { kind: 'Param', paramkind: 'exec', paramid: root.glob.paramExecCount++, paramtype: exprType(like), paramtypmod: exprTypmod(like), paramcollid: exprCollation(like), location: -1 };
}

/** Replaces Vars of relations that are on the outer side of an enclosing nested loop by parameters, and what is computed there. */
export function replaceNestloopParams(root: PlannerInfo, e: Expr): Expr {
  const outer = root.curOuterRels;
  if (outer === 0n) return e;
  return mutateDeep(e, (n, depth) => {
    if (n.kind === 'PlaceHolderVar' && isSubset(n.evalAt, outer)) return outerParam(root, n);
    if (n.kind !== 'Var' || depth !== 0 || n.varlevelsup !== 0 || !overlaps(bit(n.varno), outer)) return undefined;
    return outerParam(root, n);
  });
}

/** The columns of a relation's plan: of what is computed of them, values from outside are parameters. */
export function targetOfRel(root: PlannerInfo, rel: RelOptInfo): TargetEntry[] {
  if (root.curOuterRels === 0n || !root.hasLateral) return targetOf(rel.target);
  return targetOf(rel.target.map((e) => (e.kind === 'PlaceHolderVar' ? replaceNestloopParams(root, e) : e)));
}

function outerParam(root: PlannerInfo, item: Expr): Param {
  const known = root.curOuterParams.find((p) => equal(p.paramval, item));
  if (known !== undefined) return { kind: 'Param', paramkind: 'exec', paramid: known.paramno, paramtype: exprType(item), paramtypmod: exprTypmod(item), paramcollid: exprCollation(item), location: -1 };
  const param = makeExecParam(root, item);
  root.curOuterParams.push({ paramno: param.paramid, paramval: item });
  return param;
}

/** The parameters a lateral subquery wants of its siblings, as parameters of the nested loop around it. */
export function subqueryOuterParams(root: PlannerInfo, params: readonly { item: Expr; paramId: number }[]): void {
  for (const p of params) {
    if (!root.curOuterParams.some((c) => c.paramno === p.paramId)) root.curOuterParams.push({ paramno: p.paramId, paramval: p.item });
  }
}

/** Takes out the parameters that the outer side of this nested loop can give. */
export function takeNestParams(root: PlannerInfo, outer: Relids): { paramno: number; paramval: Expr }[] {
  const mine = root.curOuterParams.filter((p) => isSubset(pullVarnos(p.paramval), outer));
  root.curOuterParams = root.curOuterParams.filter((p) => !mine.includes(p));
  return mine;
}
