// How the parts of the planner that meet a subquery get it planned: planner.ts, which is above them, fills this in.
import { internalError } from '../../common/errors.ts';
import type { CommonTableExpr, Query } from '../nodes/parsenodes.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Path, PathKey, PlannerInfo } from './pathnodes.ts';

/** `parallelSafe`: the plan can be run in a worker; `partial`: paths for processes that share its rows. */
export interface PlannedSubquery { plan: Plan; subroot: PlannerInfo; pathkeys: PathKey[]; parallelSafe: boolean; partial: readonly Path[] }

export interface SubqueryHooks {
  /** `mayBeCorrelated`: outer references are allowed and become root.planParams. */
  planSubquery(root: PlannerInfo, query: Query, tupleFraction: number, mayBeCorrelated: boolean): PlannedSubquery;
  planRecursive(root: PlannerInfo, cte: CommonTableExpr): PlannedSubquery;
}

const missing = (): never => { throw internalError('the planner is not loaded'); };
export const subqueryHooks: SubqueryHooks = { planSubquery: missing, planRecursive: missing };

export const planSubquery: SubqueryHooks['planSubquery'] = (...args) => subqueryHooks.planSubquery(...args);
export const planRecursive: SubqueryHooks['planRecursive'] = (...args) => subqueryHooks.planRecursive(...args);
