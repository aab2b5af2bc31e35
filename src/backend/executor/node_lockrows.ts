// LockRows: SELECT ... FOR UPDATE and its weaker forms (PostgreSQL's nodeLockRows.c). The input is run to its end,
// then rows are locked in batches and passed on; rows that somebody changed are looked at again (EvalPlanQual).
import { PgError } from '../../common/errors.ts';
import { dropReadSnapshot, holdReadSnapshot, lastChange, lockRows as lockTableRows, lockTable, type RowLockResult } from '../access/table.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { LockRows, PlanRowMark } from '../nodes/plannodes.ts';
import type { HeldSnapshot } from '../storage/store.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { evalPlanQual, pinMember } from './eval_plan_qual.ts';
import type { Runtime } from './execute.ts';
import type { Producer } from './plan_compiler.ts';

const BATCH = 100;

/** readBy: what the input was read by. */
interface Mark { mark: PlanRowMark; relation: Relation; readBy: HeldSnapshot | null }

/** What EvalPlanQual is to show of the relations of a row. */
function pinnedRows(rt: Runtime, marks: readonly Mark[], row: readonly Datum[]): Map<number, number | undefined> {
  const pinned = new Map<number, number | undefined>();
  for (const { mark } of marks) {
    const id = row[mark.rowIdColumn - 1] as number;
    if (mark.tableOidColumn === 0) pinned.set(mark.rti, id);
    else for (const [rti, own] of pinMember(rt.plan.stmt, mark.members, row[mark.tableOidColumn - 1] as number, id)) pinned.set(rti, own);
  }
  return pinned;
}

/** Locks the rows of one batch; gives those that are left, in their present form. */
function lockBatch(rt: Runtime, plan: LockRows, marks: readonly Mark[], rows: Datum[][]): Datum[][] {
  checkForInterrupts();
  let left: (Datum[] | null)[] = rows;
  for (const { mark, relation, readBy } of marks) {
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
    const results = mark.tableOidColumn === 0 ? lockTableRows(relation, ids, mark.strength, mark.waitPolicy, readBy)
      : lockOfMembers(mark, readBy, at.map((i) => left[i]![mark.tableOidColumn - 1] as number), ids);
    left = [...left];
    results.forEach((result, n) => {
      const i = at[n]!;
      const last = lastChange(mark.tableOidColumn === 0 ? relation : openRelation(left[i]![mark.tableOidColumn - 1] as number), ids[n]!);
      // A row that this transaction has changed since (with a cursor open) is left out, as in heap_lock_tuple.
      if (result === 'deleted' || result === 'skipped' || (last !== undefined && last.cid >= rt.cid)) left[i] = null;
      else if (result === 'changed') {
        left[i] = evalPlanQual(rt, plan.lefttree!, pinnedRows(rt, marks, left[i]!));
      }
    });
  }
  return left.filter((row) => row !== null);
}

/** Rows of several tables, each row's table given. */
function lockOfMembers(mark: PlanRowMark, readBy: HeldSnapshot | null, tables: readonly number[], ids: readonly number[]): RowLockResult[] {
  const results: RowLockResult[] = new Array<RowLockResult>(ids.length);
  for (const oid of new Set(tables)) {
    const own = ids.map((_id, i) => i).filter((i) => tables[i] === oid);
    lockTableRows(openRelation(oid), own.map((i) => ids[i]!), mark.strength, mark.waitPolicy, readBy).forEach((r, n) => { results[own[n]!] = r; });
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
  for (const { relation } of marks) refuseLocking(relation);
  for (const { relation } of marks) lockTable(relation.oid, relation.name, relation.shared, ROW_SHARE_LOCK);
}

class LockQueue {
  private rows: Datum[][] = [];
  add(row: Datum[]): void {
    this.rows.push(row);
  }
  /** Locked rows in order; a consumer that stops early leaves the rest unlocked. */
  *locked(rt: Runtime, plan: LockRows, marks: readonly Mark[], batch: number): Generator<Datum[]> {
    if (this.rows.length === 0) return;
    const held = marks.map((m): Mark => ({ ...m, readBy: holdReadSnapshot(m.relation.shared) }));
    try {
      for (let from = 0; from < this.rows.length; from += batch) yield* lockBatch(rt, plan, held, this.rows.slice(from, from + batch));
    } finally {
      for (const { relation, readBy } of held) dropReadSnapshot(relation.shared, readBy);
    }
  }
}

export const lockRows: Producer<LockRows> = (pc, plan, consume) => {
  const { g } = pc;
  const marks = plan.rowMarks.map((mark): Mark => ({ mark, relation: openRelation(pc.stmt.rtable[mark.rti - 1]!.relid), readBy: null }));
  const queue = g.state('null');
  g.emit(`${g.konst(lockTables)}(${g.konst(marks)});`);
  g.emit(`${queue} = new ${g.konst(LockQueue)}();`);
  pc.produce(plan.lefttree!, (columns) => g.emit(`${queue}.add(${pc.row(columns)});`));
  const row = g.next('r');
  // Below a LIMIT no row more than wanted may be locked.
  const batch = pc.stmt.planTree.kind === 'Limit' ? 1 : BATCH;
  g.block(`for (const ${row} of ${queue}.locked(rt, ${g.konst(plan)}, ${g.konst(marks)}, ${batch}))`, () => {
    consume(pc.columnsOfRow(row, plan.lefttree!.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }))));
  });
};
