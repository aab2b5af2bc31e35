// Conditions on a window function of a subquery whose value only grows (or only shrinks) from row to row: once it is beyond
// the bound, no later row of the partition can pass (find_window_run_conditions of PostgreSQL's allpaths.c).
import { amopsByOperator, procByOid } from '../catalog/syscache.ts';
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { operator } from '../executor/fmgr_info.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, WindowFunc } from '../nodes/primnodes.ts';
import { FRAMEOPTION } from '../parser/sort_group.ts';
import { containsSubplans, containsVolatile, pullVarnos } from './clauses.ts';
import { EMPTY } from './relids.ts';

const BTREE = 403;

/** The subquery with the condition as a window's, and whether it has to be tested above all the same; null: it is none of the kind. */
export function pushRunCondition(q: Query, clause: Expr, rti: number): { query: Query; keep: boolean } | null {
  if (!q.hasWindowFuncs || clause.kind !== 'OpExpr' || clause.args.length !== 2) return null;
  for (const side of [0, 1] as const) {
    const column = clause.args[side]!;
    const other = clause.args[1 - side]!;
    if (column.kind !== 'Var' || column.varno !== rti || column.varlevelsup !== 0 || column.varattno <= 0) continue;
    const tle = q.targetList[column.varattno - 1];
    if (tle === undefined || tle.resjunk || tle.expr.kind !== 'WindowFunc' || pullVarnos(other) !== EMPTY || containsVolatile(other) || containsSubplans(other)) continue;
    if (tle.expr.args.some((a) => containsSubplans(a) || containsVolatile(a) || pullVarnos(a) !== EMPTY)) continue;
    const found = runCondition(q, tle.expr, clause.opno, side === 0);
    if (found === null) continue;
    const args = (side === 0 ? [tle.expr, other] : [other, tle.expr]) as [Expr, Expr];
    const condition: Expr = { ...clause, opno: found.opno, opfuncid: operator(found.opno).oprcode, args };
    const { winref } = tle.expr;
    return { keep: found.keep, query: { ...q, windowClause: q.windowClause.map((w) => (w.winref === winref ? { ...w, runCondition: [...w.runCondition, condition] } : w)) } };
  }
  return null;
}

function runCondition(q: Query, f: WindowFunc, opno: number, left: boolean): { opno: number; keep: boolean } | null {
  const { grows, shrinks } = monotonicity(q, f);
  if (!grows && !shrinks) return null;
  for (const { amopfamily, amopstrategy, amopmethod, amoplefttype, amoprighttype } of amopsByOperator(opno)) {
    if (amopmethod !== BTREE) continue;
    if (amopstrategy <= 2 && (left ? grows : shrinks)) return { opno, keep: false };
    if (amopstrategy >= 4 && (left ? shrinks : grows)) return { opno, keep: false };
    if (amopstrategy !== 3) continue;
    if (grows && shrinks) return { opno, keep: false };
    const bound = getOpfamilyMember(amopfamily, amoplefttype, amoprighttype, left === grows ? 2 : 4);
    if (bound !== 0) return { opno: bound, keep: true };
  }
  return null;
}

/** What a function's support function says (SupportRequestWFuncMonotonic). */
function monotonicity(q: Query, f: WindowFunc): { grows: boolean; shrinks: boolean } {
  const window = q.windowClause.find((w) => w.winref === f.winref)!;
  switch (supportOf(f)) {
    case 'window_row_number_support': case 'window_rank_support': case 'window_dense_rank_support': return { grows: true, shrinks: false };
    case 'int8inc_support':
      if (window.orderClause.length === 0) return { grows: true, shrinks: true };
      return { grows: (window.frameOptions & FRAMEOPTION.START_UNBOUNDED_PRECEDING) !== 0, shrinks: (window.frameOptions & FRAMEOPTION.END_UNBOUNDED_FOLLOWING) !== 0 };
    default: return { grows: false, shrinks: false };
  }
}

function supportOf(f: WindowFunc): string {
  const support = procByOid(f.winfnoid)?.prosupport ?? 0;
  return support === 0 ? '' : procByOid(support)?.prosrc ?? '';
}
