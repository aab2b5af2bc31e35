// EvalPlanQual: somebody else has changed a row between our snapshot and our lock. The plan below ModifyTable or
// LockRows is run again with that relation showing only the new version of the row: if the row still passes, what
// comes out now is what counts.
import type { Plan, PlannedStmt } from '../nodes/plannodes.ts';
import type { Datum, Oid } from '../types/datum.ts';
import type { CompiledPlan, Runtime } from './execute.ts';

/** Compiles a plan with all its columns, junk included; execute.ts, which is above, fills it in. */
export const epqHooks: { compile: ((rt: Runtime, plan: Plan, relations: ReadonlySet<number>) => CompiledPlan) | null } = { compile: null };

/** Of the tables below one that was named, this one shows one row and the others none. */
export function pinMember(stmt: PlannedStmt, members: readonly number[], relation: Oid, rowId: number): Map<number, number | undefined> {
  return new Map(members.map((rti) => [rti, stmt.rtable[rti - 1]!.relid === relation ? rowId : undefined]));
}

/** The first row (that is acceptable) the plan gives with these relations (range table index) showing these rows; null: none passes. */
export function evalPlanQual(rt: Runtime, plan: Plan, rows: Map<number, number | undefined>, accept: (row: Datum[]) => boolean = () => true): Datum[] | null {
  const compiled = epqHooks.compile!(rt, plan, new Set(rows.keys()));
  let found: Datum[] | null = null;
  const inner: Runtime = {
    ...rt, plan: compiled, epq: rows, processed: 0, instrument: [],
    dest: {
      start: () => {}, end: () => {},
      receive: (row) => {
        if (!accept(row)) return true;
        found ??= row;
        return false;
      },
    },
  };
  compiled.run(inner);
  return found;
}
