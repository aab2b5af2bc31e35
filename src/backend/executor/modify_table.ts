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
import { describeRow, ResultRelation } from './result_relation.ts';

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

  constructor(plan: ModifyTable, relationOid: number) {
    this.plan = plan;
    this.relation = openRelation(relationOid);
    this.returning = plan.returningList.length > 0;
    this.assigned = new Set(plan.updateColnos);
    this.lockMode = plan.operation === 'delete' ? 'update' : rowLockMode(this.relation, this.assigned);
    const source = plan.lefttree!.kind;
    this.maybeTwice = source !== 'SeqScan' && source !== 'IndexScan' && source !== 'TidScan' && source !== 'Result';
    this.conflictColumns = plan.onConflict === null || plan.onConflict.action === 'nothing' ? [] : plan.onConflict.onConflictSet.map((t) => t.resno);
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
  private readonly viewChecks: readonly ViewCheck[] | null;

  constructor(rt: Runtime, spec: ModifySpec, conflictUpdate: ConflictUpdate | null, viewChecks: readonly ViewCheck[] | null) {
    this.viewChecks = viewChecks;
    this.rt = rt;
    this.conflictUpdate = conflictUpdate;
    this.spec = spec;
    this.target = new ResultRelation(spec.relation);
    this.seen = spec.maybeTwice ? new Set() : null;
    this.countsForTag = rt.plan.stmt.planTree === spec.plan;
  }

  /** A row of the subplan. */
  add(row: Datum[]): void {
    this.pending.push(row);
  }

  finish(): void {
    const { plan } = this.spec;
    if (plan.operation === 'insert') this.insertAll();
    else this.changeAll(plan.operation);
    this.target.finish();
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
      const row = source.length === width ? source : source.slice(0, width);
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
    const row = [...old];
    values(old, excluded).forEach((v, i) => { row[spec.conflictColumns[i]! - 1] = v; });
    target.update(rowId, old, row, assigned);
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
    const row = [...old];
    const { updateColnos } = spec.plan;
    for (let i = 0; i < updateColnos.length; i++) row[updateColnos[i]! - 1] = source[i]!;
    target.update(rowId, old, row, spec.assigned);
    if (this.viewChecks !== null) this.checkViews(row, rowId);
    this.note(row, rowId, source);
  }

  private deleteRow(rowId: number, source: Datum[]): void {
    const old = this.read(rowId);
    if (old === null) return;
    this.target.delete(rowId, old);
    this.note(old, rowId, source);
  }

  /** The row as this command sees it, unless the command has changed it already (then it is left alone). */
  private read(rowId: number): Datum[] | null {
    const { relation } = this.spec;
    const last = lastChange(relation, rowId);
    if (last !== undefined && last.cid >= this.rt.cid) return null;
    const ref = fetchRow(relation, rowId, this.rt.cid);
    return ref === undefined ? null : readRow(ref.bytes, ref.view, ref.offset, relation.layout);
  }
}

