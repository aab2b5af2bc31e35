// EvalPlanQual: somebody else has changed a row between our snapshot and our lock. The plan below ModifyTable or
// LockRows is run again with that relation showing only the new version of the row: if the row still passes, what
// comes out now is what counts. All else is seen as the statement has seen it: by its snapshot, with what its
// subqueries and WITH queries have given before.
import { fetchRow, seenBy, type RowRef } from '../access/table.ts';
import type { RowId } from '../access/row.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import type { Plan, PlannedStmt, PlanRowMark } from '../nodes/plannodes.ts';
import type { HeldSnapshot } from '../storage/store.ts';
import type { Datum, Oid } from '../types/datum.ts';
import type { CompiledPlan, Runtime } from './execute.ts';

/** Compiles a plan with all its columns, junk included; execute.ts, which is above, fills it in. */
export const epqHooks: { compile: ((rt: Runtime, plan: Plan, relations: ReadonlySet<number>) => CompiledPlan) | null } = { compile: null };

/** The row a relation shows, with bytes that no later fetch overwrites. */
export interface PinnedRow extends RowRef { readonly rowId: RowId }
/** By range table index; undefined: it shows none. */
export type PinnedRows = Map<number, PinnedRow | undefined>;

/** A row as it is now. */
export function pinRow(relation: Relation, rowId: RowId, cid: number): PinnedRow | undefined {
  const ref = fetchRow(relation, rowId, cid);
  if (ref === undefined) return undefined;
  const bytes = Buffer.from(ref.bytes);
  return { rowId, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: ref.offset };
}

/** Of the tables below one that was named, this one shows the row and the others none. */
export function pinMember(stmt: PlannedStmt, members: readonly number[], relation: Oid, rowId: RowId, cid: number): PinnedRows {
  return new Map(members.map((rti) => [rti, stmt.rtable[rti - 1]!.relid === relation ? pinRow(openRelation(relation), rowId, cid) : undefined]));
}

/** What EvalPlanQual is to show of the relations of a row: locked rows as they are, others as they were read. */
export function pinnedRows(rt: Runtime, marks: readonly PlanRowMark[], row: readonly Datum[], shared: boolean, readBy: HeldSnapshot | null): PinnedRows {
  const pinned: PinnedRows = new Map();
  const { stmt } = rt.plan;
  for (const { rti, members, reference, rowIdColumn, tableOidColumn } of marks) {
    const id = row[rowIdColumn - 1] as RowId | null;
    seenBy(shared, reference ? readBy : null, () => {
      if (id === null) for (const member of members) pinned.set(member, undefined);
      else if (tableOidColumn === 0) pinned.set(rti, pinRow(openRelation(stmt.rtable[rti - 1]!.relid), id, rt.cid));
      else for (const [member, own] of pinMember(stmt, members, row[tableOidColumn - 1] as Oid, id, rt.cid)) pinned.set(member, own);
    });
  }
  return pinned;
}

/** The first row (that is acceptable) the plan gives with these relations showing these rows, all others what they were at
 * `readBy` (null: now); null: none passes. */
export function evalPlanQual(rt: Runtime, plan: Plan, rows: PinnedRows, shared: boolean, readBy: HeldSnapshot | null, accept: (row: Datum[]) => boolean = () => true): Datum[] | null {
  const compiled = epqHooks.compile!(rt, plan, new Set(rows.keys()));
  let found: Datum[] | null = null;
  const inner: Runtime = {
    ...rt, plan: compiled, epq: rows, processed: 0, instrument: [], later: null,
    dest: {
      start: () => {}, end: () => {},
      receive: (row) => {
        if (!accept(row)) return true;
        found ??= row;
        return false;
      },
    },
  };
  seenBy(shared, readBy, () => compiled.run(inner));
  return found;
}
