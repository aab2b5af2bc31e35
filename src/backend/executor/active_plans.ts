// The plans that are running, innermost last: whoever alters a table from inside a function asks whether the statement
// around it uses that table (CheckTableNotInUse).
import type { PlannedStmt } from '../nodes/plannodes.ts';
import type { Oid } from '../types/datum.ts';

export const activePlans: PlannedStmt[] = [];

export const plansUse = (plans: readonly PlannedStmt[], relation: Oid): boolean =>
  plans.some((plan) => plan.rtable.some((rte) => rte.rtekind === 'relation' && rte.relid === relation && rte.relkind !== 'v'));
