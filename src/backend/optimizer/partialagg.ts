// Aggregation in two steps (AGGSPLIT of PostgreSQL's nodes.h and make_partial_grouping_target of its planner.c): each input has
// its own states, which a Finalize node puts together.
import { partialType } from '../executor/agg_functions.ts';
import { makeTargetEntry } from '../nodes/makefuncs.ts';
import { expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Aggref, Expr, TargetEntry } from '../nodes/primnodes.ts';
import { equal, mutateDeep } from './clauses.ts';

const partialOf = (e: Aggref): Aggref => ({ ...e, aggsplit: 'partial', aggtype: partialType(e), aggcollid: 0 });

/** convert_combining_aggrefs: an aggregate takes its states from below. */
export const combining = (e: Expr): Expr => mutateDeep(e, (n, depth) =>
  (n.kind === 'Aggref' && depth === 0 ? { ...n, aggsplit: 'final', args: [makeTargetEntry(partialOf(n), 1, null, false)], aggfilter: null } : undefined));

/** What the first step gives: group columns, states, other columns that depend on the groups; null: an aggregate cannot be done in two steps. */
export function partialTarget(groups: readonly TargetEntry[], exprs: readonly Expr[]): TargetEntry[] | null {
  const list: TargetEntry[] = groups.map((g, i) => ({ ...g, resno: i + 1 }));
  let canSplit = true;
  const visit = (e: Expr): void => {
    if (groups.some((g) => equal(g.expr, e))) return;
    if (e.kind === 'GroupingFunc' || (e.kind === 'Aggref' && partialType(e) === 0)) canSplit = false;
    else if (e.kind === 'Aggref' || e.kind === 'Var' || e.kind === 'PlaceHolderVar') {
      const wanted = e.kind === 'Aggref' ? partialOf(e) : e;
      if (!list.some((t) => equal(t.expr, wanted))) list.push(makeTargetEntry(wanted, list.length + 1, null, false));
    } else {
      expressionTreeWalker(e, (child) => {
        if (child.kind !== 'Query') visit(child);
        return false;
      });
    }
  };
  exprs.forEach(visit);
  return canSplit && list.length > 0 ? list : null;
}
