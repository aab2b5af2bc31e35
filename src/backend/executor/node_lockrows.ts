// LockRows: SELECT ... FOR UPDATE and its weaker forms (PostgreSQL's nodeLockRows.c). The input is run to its end, or below a
// LIMIT until there may be enough rows; then these are locked in batches and passed on. Rows that somebody changed are looked at
// again (EvalPlanQual).
import { PgError } from '../../common/errors.ts';
import { dropReadSnapshot, holdReadSnapshot, lastChange, lockRows as lockTableRows, lockTable, returnToReadSnapshot, type RowLockResult } from '../access/table.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { LockRows, Plan, PlannedStmt, PlanRowMark } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { HeldSnapshot } from '../storage/store.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { evalPlanQual, pinnedRows } from './eval_plan_qual.ts';
import type { Runtime } from './execute.ts';
import type { Producer } from './plan_compiler.ts';
import { childPlans, isVolatile, paramsUsed, planExprs, someExpr } from './plan_walker.ts';

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

/** Some rows may turn out to be locked or gone: so many are read in a second run, and so much longer is each further one. */
const SECOND_RUN = 32, GROWTH = 8;

class LockQueue {
  private rows: Datum[][] = [];
  /** Of the input's rows: those that earlier runs have passed on, those of this run, and where it ends. */
  private done = 0;
  private seen = 0;
  private end = Infinity;
  add(row: Datum[]): void {
    this.rows.push(row);
  }
  /** Only so many rows are asked for. */
  bound(rows: number): void {
    this.end = rows;
  }
  isNew(): boolean {
    return ++this.seen > this.done;
  }
  isFull(): boolean {
    return this.seen >= this.end;
  }
  /** Whether the input has more, and is to be run again: it gives the same rows in the same order. */
  goOn(): boolean {
    if (this.seen < this.end) return false;
    this.done = this.end;
    this.seen = 0;
    this.end = Math.max(SECOND_RUN, this.end * GROWTH);
    this.rows = [];
    return true;
  }
  /** Locked rows in order; a consumer that stops early leaves the rest unlocked. `batch`: so many may be locked at once. */
  *locked(rt: Runtime, plan: LockRows, marks: readonly Mark[], batch: () => number): Generator<Datum[]> {
    if (this.rows.length === 0) return;
    const { shared } = marks[0]!.relation;
    const readBy = holdReadSnapshot(shared);
    try {
      for (let from = 0, to: number; from < this.rows.length; from = to) {
        to = from + Math.min(BATCH, batch());
        const left = lockBatch(rt, plan, marks, this.rows.slice(from, to), readBy);
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
  const wanted = pc.rowsWanted.get(plan);
  const row = g.next('r');
  // Whoever reads may stop, and rows that belong together are locked together: only at the top, or as many as a LIMIT wants, one row after
  // the other is the same as many.
  const together = marks.filter((m) => !m.mark.reference).length === 1;
  const batch = together && pc.stmt.planTree === plan ? `${BATCH}` : together && wanted !== undefined ? wanted : '1';
  const rows = (most: string): string => `${queue}.locked(rt, ${g.konst(plan)}, ${g.konst(marks)}, () => ${most})`;
  const passOn = (): void => consume(pc.columnsOfRow(row, plan.lefttree!.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }))));
  // EvalPlanQual runs the plan below on its own.
  const handParams = (): void => { for (const p of paramsUsed(plan.lefttree!, pc.stmt)) g.emit(`X[${p}] = ${pc.param(p)};`); };
  if (wanted !== undefined && isRepeatable(plan.lefttree!, pc.stmt)) {
    g.emit(`${queue}.bound(${wanted});`);
    g.labelled((done) => {
      g.block('for (;;)', () => {
        g.labelled((full) => pc.produce(plan.lefttree!, (columns) => {
          g.block(`if (${queue}.isNew())`, () => g.emit(`${queue}.add(${pc.row(columns)});`));
          g.emit(`if (${queue}.isFull()) ${g.jumpCode(full)}`);
        }));
        handParams();
        g.block(`for (const ${row} of ${rows(batch)})`, passOn);
        g.emit(`if (!${queue}.goOn()) ${g.jumpCode(done)}`);
      });
    });
    return;
  }
  pc.produce(plan.lefttree!, (columns) => g.emit(`${queue}.add(${pc.row(columns)});`));
  handParams();
  // A cursor asks for the rows at the top when they are fetched.
  const later = pc.stmt.planTree === plan ? `if (rt.later !== null) rt.later.rows = ${rows('1')}; else ` : '';
  g.block(`${later}for (const ${row} of ${rows(batch)})`, passOn);
};

/** Whether a second run gives the same rows in the same order. */
function isRepeatable(plan: Plan, stmt: PlannedStmt): boolean {
  if (plan.kind === 'SampleScan' || plan.kind === 'ModifyTable' || plan.kind === 'Gather') return false;
  if (plan.kind === 'CteScan' && !isRepeatable(stmt.subplans[plan.ctePlanId - 1]!, stmt)) return false;
  const changes = (e: Expr): boolean => isVolatile(e) || (e.kind === 'SubPlan' && !isRepeatable(stmt.subplans[e.planId - 1]!, stmt));
  return !planExprs(plan).some((e) => someExpr(e, changes)) && childPlans(plan).every((child) => isRepeatable(child, stmt));
}
