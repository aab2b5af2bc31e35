// LockRows: SELECT ... FOR UPDATE and its weaker forms (PostgreSQL's nodeLockRows.c). The input is run to its end,
// then rows are locked in batches and passed on; rows that somebody changed are looked at again (EvalPlanQual).
import { PgError } from '../../common/errors.ts';
import { dropReadSnapshot, holdReadSnapshot, lastChange, lockRows as lockTableRows, lockTable, returnToReadSnapshot, type RowLockResult } from '../access/table.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { LockRows, PlanRowMark } from '../nodes/plannodes.ts';
import type { HeldSnapshot } from '../storage/store.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { evalPlanQual, pinnedRows } from './eval_plan_qual.ts';
import type { Runtime } from './execute.ts';
import type { Producer } from './plan_compiler.ts';
import { paramsUsed } from './plan_walker.ts';

const BATCH = 100;

interface Mark { readonly mark: PlanRowMark; readonly relation: Relation }

/** Locks the rows of one batch; gives those that are left, in their present form. */
function lockBatch(rt: Runtime, plan: LockRows, marks: readonly Mark[], rows: Datum[][], readBy: HeldSnapshot | null): Datum[][] {
  checkForInterrupts();
  const left: (Datum[] | null)[] = [...rows];
  const changed = new Set<number>();
  for (const { mark, relation } of marks) {
    if (mark.reference) continue;
    const column = mark.rowIdColumn - 1;
    const at: number[] = [];
    const ids: number[] = [];
    left.forEach((row, i) => {
      const id = row?.[column] as number | null | undefined;
      if (id === null || id === undefined) return;
      at.push(i);
      ids.push(id);
    });
    if (ids.length === 0) continue;
    const results = mark.tableOidColumn === 0 ? lockTableRows(relation, ids, mark.strength, mark.waitPolicy, readBy, 'update')
      : lockOfMembers(mark, readBy, at.map((i) => left[i]![mark.tableOidColumn - 1] as number), ids);
    results.forEach((result, n) => {
      const i = at[n]!;
      const last = lastChange(mark.tableOidColumn === 0 ? relation : openRelation(left[i]![mark.tableOidColumn - 1] as number), ids[n]!);
      // A row that this transaction has changed since (with a cursor open) is left out, as in heap_lock_tuple.
      if (result === 'deleted' || result === 'skipped' || (last !== undefined && last.cid >= rt.cid)) left[i] = null;
      else if (result === 'changed') changed.add(i);
    });
  }
  // All rows that belong together are locked before the plan decides again.
  for (const i of changed) if (left[i] !== null) left[i] = evalPlanQual(rt, plan.lefttree!, pinnedRows(rt, plan.rowMarks, left[i]!, marks[0]!.relation.shared, readBy), marks[0]!.relation.shared, readBy);
  return left.filter((row) => row !== null);
}

/** Rows of several tables, each row's table given. */
function lockOfMembers(mark: PlanRowMark, readBy: HeldSnapshot | null, tables: readonly number[], ids: readonly number[]): RowLockResult[] {
  const results: RowLockResult[] = new Array<RowLockResult>(ids.length);
  for (const oid of new Set(tables)) {
    const own = ids.map((_id, i) => i).filter((i) => tables[i] === oid);
    lockTableRows(openRelation(oid), own.map((i) => ids[i]!), mark.strength, mark.waitPolicy, readBy, 'update').forEach((r, n) => { results[own[n]!] = r; });
  }
  return results;
}

const ROW_SHARE_LOCK = 2;

const NOUNS: Partial<Record<Relation['kind'], string>> = { S: 'sequence', t: 'TOAST relation', v: 'view', m: 'materialized view', f: 'foreign table' };

/** CheckValidRowMarkRel. */
function refuseLocking({ kind, name }: Relation): void {
  const noun = NOUNS[kind];
  if (noun !== undefined) throw new PgError('wrong_object_type', `cannot lock rows in ${noun} "${name}"`);
}

/** Before anything is read of them. */
function lockTables(marks: readonly Mark[]): void {
  for (const { relation, mark } of marks) if (!mark.reference) refuseLocking(relation);
  for (const { relation, mark } of marks) if (!mark.reference) lockTable(relation.oid, relation.name, relation.shared, ROW_SHARE_LOCK);
}

class LockQueue {
  private rows: Datum[][] = [];
  add(row: Datum[]): void {
    this.rows.push(row);
  }
  /** Locked rows in order; a consumer that stops early leaves the rest unlocked. */
  *locked(rt: Runtime, plan: LockRows, marks: readonly Mark[], batch: number): Generator<Datum[]> {
    if (this.rows.length === 0) return;
    const { shared } = marks[0]!.relation;
    const readBy = holdReadSnapshot(shared);
    try {
      for (let from = 0; from < this.rows.length; from += batch) {
        const left = lockBatch(rt, plan, marks, this.rows.slice(from, from + batch), readBy);
        // Whoever takes the rows reads what was read before.
        returnToReadSnapshot(shared, readBy);
        yield* left;
      }
    } finally {
      dropReadSnapshot(shared, readBy);
    }
  }
}

export const lockRows: Producer<LockRows> = (pc, plan, consume) => {
  const { g } = pc;
  const marks = plan.rowMarks.map((mark): Mark => ({ mark, relation: openRelation(pc.stmt.rtable[mark.rti - 1]!.relid) }));
  const queue = g.state('null');
  g.emit(`${g.konst(lockTables)}(${g.konst(marks)});`);
  g.emit(`${queue} = new ${g.konst(LockQueue)}();`);
  pc.produce(plan.lefttree!, (columns) => g.emit(`${queue}.add(${pc.row(columns)});`));
  const row = g.next('r');
  // Whoever reads may stop, and rows that belong together are locked together: only at the top one row after the other is the same as many.
  const batch = pc.stmt.planTree === plan && marks.filter((m) => !m.mark.reference).length === 1 ? BATCH : 1;
  // EvalPlanQual runs the plan below on its own.
  for (const p of paramsUsed(plan.lefttree!, pc.stmt)) g.emit(`X[${p}] = ${pc.param(p)};`);
  // A cursor asks for the rows at the top when they are fetched.
  const rows = `${queue}.locked(rt, ${g.konst(plan)}, ${g.konst(marks)}, `;
  const later = pc.stmt.planTree === plan ? `if (rt.later !== null) rt.later.rows = ${rows}1); else ` : '';
  g.block(`${later}for (const ${row} of ${rows}${batch}))`, () => {
    consume(pc.columnsOfRow(row, plan.lefttree!.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }))));
  });
};
