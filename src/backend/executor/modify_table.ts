// ModifyTable while it runs (PostgreSQL's nodeModifyTable.c): takes the rows of its subplan, locks what is to be changed,
// checks again what somebody else has changed meanwhile (EvalPlanQual), and changes it through ResultRelation.
//
// The subplan is run to its end before the first row is changed: locking may renew the snapshot, and a scan must not see
// two of them.
import { PgError } from '../../common/errors.ts';
import { readRow } from '../access/row.ts';
import { fetchRow, lastChange, lockRows } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { ModifyTable } from '../nodes/plannodes.ts';
import type { RowLockMode } from '../transaction/messages.ts';
import { currentCommandId, isOptimistic } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Runtime } from './execute.ts';
import { evalPlanQual } from './eval_plan_qual.ts';
import { beforeStatementDue, queueStatementEvent } from './after_triggers.ts';
import { describeRow, ResultRelation } from './result_relation.ts';
import { fireBeforeStatement, type TriggerOp, type TriggerSet } from './trigger.ts';

const OPERATIONS = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const;
const BATCH = 500;
const NO_RESULTS: readonly string[] = [];

/** A changed row for RETURNING: the row, its id, and what the subplan gave. */
export interface ChangedRow { row: Datum[]; rowId: number; source: Datum[] }

/** What of a ModifyTable node does not change between executions. */
export class ModifySpec {
  readonly plan: ModifyTable;
  readonly relation: Relation;
  readonly returning: boolean;
  /** Columns an UPDATE assigns to. */
  readonly assigned: ReadonlySet<number>;
  readonly lockMode: RowLockMode;
  /** A join may show a target row more than once; only the first counts. */
  readonly maybeTwice: boolean;
  /** Columns that DO UPDATE assigns to. */
  readonly conflictColumns: readonly number[];
  /** What statement triggers see of it. */
  readonly events: readonly { op: TriggerOp; assigned: ReadonlySet<number> | null }[];

  constructor(plan: ModifyTable, relationOid: number) {
    this.plan = plan;
    this.relation = openRelation(relationOid);
    this.returning = plan.returningList.length > 0;
    this.assigned = new Set(plan.updateColnos);
    this.lockMode = plan.operation === 'delete' ? 'update' : rowLockMode(this.relation, this.assigned);
    const source = plan.lefttree!.kind;
    this.maybeTwice = source !== 'SeqScan' && source !== 'IndexScan' && source !== 'TidScan' && source !== 'Result';
    this.conflictColumns = plan.onConflict === null || plan.onConflict.action === 'nothing' ? [] : plan.onConflict.onConflictSet.map((t) => t.resno);
    this.events = [
      { op: OPERATIONS[plan.operation], assigned: plan.operation === 'update' ? this.assigned : null },
      ...(plan.onConflict?.action === 'update' ? [{ op: 'UPDATE' as const, assigned: new Set(this.conflictColumns) }] : []),
    ];
  }
}

/** A condition of a view WITH CHECK OPTION. */
export interface ViewCheck { readonly view: string; readonly test: (row: Datum[], rowId: number) => boolean }

/** The expressions of DO UPDATE, over the row that is there and the one that was to be inserted. */
export interface ConflictUpdate {
  readonly where: ((row: Datum[], excluded: Datum[]) => boolean) | null;
  /** The values of conflictColumns. */
  readonly values: (row: Datum[], excluded: Datum[]) => Datum[];
}

/** FOR NO KEY UPDATE unless a column of a unique key is assigned to. */
function rowLockMode(relation: Relation, assigned: ReadonlySet<number>): RowLockMode {
  const key = relation.indexes.some((i) => i.unique && i.predicate === null && i.expressions.length === 0 && i.keyAttributes.slice(0, i.keyCount).some((a) => assigned.has(a)));
  return key ? 'update' : 'nokeyupdate';
}

export class ModifyRun {
  private readonly rt: Runtime;
  private readonly spec: ModifySpec;
  private readonly target: ResultRelation;
  private pending: Datum[][] = [];
  private readonly seen: Set<number> | null;
  readonly changed: ChangedRow[] = [];
  private readonly conflictUpdate: ConflictUpdate | null;
  private readonly countsForTag: boolean;
  private readonly triggers: TriggerSet | null;
  /** Rows this has changed, where triggers may have done so as well. */
  private readonly touched = new Set<number>();
  private readonly viewChecks: readonly ViewCheck[] | null;

  constructor(rt: Runtime, spec: ModifySpec, conflictUpdate: ConflictUpdate | null, viewChecks: readonly ViewCheck[] | null) {
    this.viewChecks = viewChecks;
    this.rt = rt;
    this.conflictUpdate = conflictUpdate;
    this.spec = spec;
    this.target = new ResultRelation(spec.relation);
    this.seen = spec.maybeTwice ? new Set() : null;
    this.countsForTag = rt.plan.stmt.planTree === spec.plan;
    this.triggers = this.target.triggers;
    if (this.triggers !== null) this.begin(this.triggers);
  }

  /** BEFORE STATEMENT, and what its rows are kept for. */
  private begin(triggers: TriggerSet): void {
    const { relation } = this.spec;
    for (const { op, assigned } of this.spec.events) {
      if (beforeStatementDue(relation, op)) fireBeforeStatement(triggers, op, assigned);
      this.target.captureFor(relation, op);
    }
  }

  /** A row of the subplan. */
  add(row: Datum[]): void {
    this.pending.push(row);
  }

  finish(): void {
    const { plan } = this.spec;
    if (plan.operation === 'insert') this.insertAll();
    else this.changeAll(plan.operation);
    if (this.triggers !== null) for (const { op, assigned } of this.spec.events.toReversed()) queueStatementEvent(this.triggers, this.spec.relation, op, assigned);
  }

  private note(row: Datum[], rowId: number, source: Datum[]): void {
    if (this.countsForTag) this.rt.processed++;
    if (this.spec.returning) this.changed.push({ row, rowId, source });
  }

  /** A row that was inserted or updated through views must be one that they show. */
  private checkViews(row: Datum[], rowId: number): void {
    for (const { view, test } of this.viewChecks!) {
      if (test(row, rowId)) continue;
      throw new PgError('with_check_option_violation', `new row violates check option for view "${view}"`, { detail: `Failing row contains ${describeRow(this.spec.relation, row)}.` });
    }
  }

  // ---------------------------------------------------------------- INSERT

  private insertAll(): void {
    const { spec } = this;
    const width = spec.relation.attributes.length;
    const oc = spec.plan.onConflict;
    let n = 0;
    for (const source of this.pending) {
      if ((++n & 1023) === 0) checkForInterrupts();
      let row: Datum[] | null = source.length === width ? source : source.slice(0, width);
      if (this.triggers !== null && (row = this.target.beforeRow('INSERT', null, row, null)) === null) continue;
      if (oc !== null) this.insertOrElse(row, source);
      else this.inserted(row, source);
    }
    this.pending = [];
  }

  private inserted(row: Datum[], source: Datum[]): void {
    const rowId = this.target.insert(row);
    if (this.viewChecks !== null) this.checkViews(row, rowId);
    this.note(row, rowId, source);
  }

  private insertOrElse(row: Datum[], source: Datum[]): void {
    const { spec, target } = this;
    const oc = spec.plan.onConflict!;
    for (;;) {
      const conflict = target.findConflict(row, oc.arbiterIndexes);
      if (conflict === null) {
        this.inserted(row, source);
        return;
      }
      if (oc.action === 'nothing') return;
      if (this.updateConflicting(conflict.rowId, row, source)) return;
    }
  }

  /** DO UPDATE of the row that is there. False: it has gone meanwhile, try again. */
  private updateConflicting(rowId: number, excluded: Datum[], source: Datum[]): boolean {
    const { spec, target, rt } = this;
    const { relation } = spec;
    const { where, values } = this.conflictUpdate!;
    const assigned = new Set(spec.conflictColumns);
    const last = lastChange(relation, rowId);
    if ((last !== undefined && last.cid >= rt.cid) || this.insertedHere(rowId)) {
      throw new PgError('cardinality_violation', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
        hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
      });
    }
    const [result] = lockRows(relation, [rowId], rowLockMode(relation, assigned), 'block');
    if (result === 'deleted') return false;
    const old = this.read(rowId);
    if (old === null) return false;
    if (where !== null && !where(old, excluded)) return true;
    let row: Datum[] | null = [...old];
    for (const [i, v] of values(old, excluded).entries()) row[spec.conflictColumns[i]! - 1] = v;
    const proposed = row;
    if (this.triggers !== null && (row = this.beforeUpdate(rowId, old, proposed, assigned)) === null) return true;
    target.update(rowId, old, row, assigned, row !== proposed);
    if (this.viewChecks !== null) this.checkViews(row, rowId);
    this.note(row, rowId, source);
    return true;
  }

  /** Provisional rows of this very command cannot be seen by it. */
  private insertedHere(rowId: number): boolean {
    return fetchRow(this.spec.relation, rowId, this.rt.cid) === undefined && fetchRow(this.spec.relation, rowId, currentCommandId()) === undefined;
  }

  // ---------------------------------------------------------------- UPDATE, DELETE

  private changeAll(operation: 'update' | 'delete'): void {
    const { spec, seen, pending } = this;
    const idColumn = spec.plan.rowIdColumn - 1;
    for (let from = 0; from < pending.length; from += BATCH) {
      checkForInterrupts();
      let batch = pending.slice(from, from + BATCH);
      // An outer join may show no target row, a join the same one twice.
      if (seen !== null) {
        batch = batch.filter((source) => {
          const id = source[idColumn] as number | null;
          return id !== null && !seen.has(id) && (seen.add(id), true);
        });
      }
      const ids = batch.map((source) => source[idColumn] as number);
      // In optimistic mode the change itself says which version was read.
      const results = isOptimistic() ? NO_RESULTS : lockRows(spec.relation, ids, spec.lockMode, 'block');
      for (let i = 0; i < batch.length; i++) {
        let source: Datum[] | null = batch[i]!;
        const id = ids[i]!;
        if (results[i] === 'deleted' || results[i] === 'skipped') continue;
        // Changed by somebody else: the plan decides again about its new version.
        if (results[i] === 'changed') source = evalPlanQual(this.rt, spec.plan.lefttree!, new Map([[spec.plan.resultRelation, id]]));
        if (source === null) continue;
        if (operation === 'update') this.updateRow(id, source);
        else this.deleteRow(id, source);
      }
    }
    this.pending = [];
  }

  private updateRow(rowId: number, source: Datum[]): void {
    const { spec, target } = this;
    const old = this.read(rowId);
    if (old === null) return;
    let row: Datum[] | null = [...old];
    const { updateColnos } = spec.plan;
    for (let i = 0; i < updateColnos.length; i++) row[updateColnos[i]! - 1] = source[i]!;
    const proposed = row;
    if (this.triggers !== null && (row = this.beforeUpdate(rowId, old, proposed, spec.assigned)) === null) return;
    target.update(rowId, old, row, spec.assigned, row !== proposed);
    if (this.viewChecks !== null) this.checkViews(row, rowId);
    this.note(row, rowId, source);
  }

  /** BEFORE UPDATE triggers; one that changes the key needs the stronger lock. */
  private beforeUpdate(rowId: number, old: readonly Datum[], proposed: Datum[], assigned: ReadonlySet<number>): Datum[] | null {
    const { spec, target } = this;
    const row = target.beforeRow('UPDATE', old, proposed, assigned);
    if (row === null) return null;
    this.refuseChanged(rowId, 'updated');
    this.touched.add(rowId);
    if (row !== proposed && !isOptimistic()) {
      const changed = new Set(row.flatMap((v, i) => (v === old[i] ? [] : [i + 1])));
      if (rowLockMode(spec.relation, changed) === 'update') lockRows(spec.relation, [rowId], 'update', 'block');
    }
    return row;
  }

  /** A BEFORE trigger must not change the row it is called for by other means. */
  private refuseChanged(rowId: number, what: 'updated' | 'deleted'): void {
    const last = lastChange(this.spec.relation, rowId);
    if (last === undefined || last.cid < this.rt.cid || this.touched.has(rowId)) return;
    throw new PgError('triggered_data_change_violation', `tuple to be ${what} was already modified by an operation triggered by the current command`, {
      hint: 'Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.',
    });
  }

  private deleteRow(rowId: number, source: Datum[]): void {
    const old = this.read(rowId);
    if (old === null) return;
    if (this.triggers !== null) {
      if (this.target.beforeRow('DELETE', old, null, null) === null) return;
      this.refuseChanged(rowId, 'deleted');
      this.touched.add(rowId);
    }
    this.target.delete(rowId, old);
    this.note(old, rowId, source);
  }

  /** The row as this command sees it, unless the command has changed it already (then it is left alone). */
  private read(rowId: number): Datum[] | null {
    const { relation } = this.spec;
    const last = lastChange(relation, rowId);
    if (last !== undefined && last.cid >= this.rt.cid) {
      if (this.triggers !== null) this.refuseChanged(rowId, this.spec.plan.operation === 'delete' ? 'deleted' : 'updated');
      return null;
    }
    const ref = fetchRow(relation, rowId, this.rt.cid);
    return ref === undefined ? null : readRow(ref.bytes, ref.view, ref.offset, relation.layout);
  }
}

