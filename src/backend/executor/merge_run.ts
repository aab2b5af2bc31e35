// MERGE while it runs (ExecMerge of PostgreSQL's nodeModifyTable.c): each row of the join of source and target meets the
// first action whose condition holds, on the target row if there is one, else for a row to be inserted.
import { PgError } from '../../common/errors.ts';
import { readRow } from '../access/row.ts';
import { fetchRow, lastChange, lockRows, seenBy } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import type { ModifyMergeAction } from '../nodes/plannodes.ts';
import type { RowLockMode } from '../transaction/messages.ts';
import { isOptimistic } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { equalDatums } from './datum_equal.ts';
import type { Runtime } from './execute.ts';
import { ModifyRun, type ModifySpec, type RowCheck } from './modify_table.ts';
import { convertRow, type Place } from './partition_routing.ts';

/** An action's condition and values, over the target row (as the named table has it), its place, and the subplan's row. */
export interface MergeActionCode {
  readonly test: ((row: Datum[] | null, source: Datum[], rowId: number, table: Oid) => boolean) | null;
  readonly values: ((row: Datum[] | null, source: Datum[], rowId: number, table: Oid) => Datum[]) | null;
}
interface Action extends MergeActionCode { readonly plan: ModifyMergeAction }

/** For EXPLAIN ANALYZE. */
export interface MergeCounts { inserted: number; updated: number; deleted: number; skipped: number }

export class MergeRun extends ModifyRun {
  private readonly matched: readonly Action[];
  private readonly notMatched: readonly Action[];
  readonly counts: MergeCounts = { inserted: 0, updated: 0, deleted: 0, skipped: 0 };

  constructor(rt: Runtime, spec: ModifySpec, actions: readonly MergeActionCode[], checks: readonly RowCheck[] | null) {
    super(rt, spec, null, checks);
    const all = spec.plan.mergeActions.map((plan, i): Action => ({ plan, ...actions[i]! }));
    this.matched = all.filter((a) => a.plan.matched);
    this.notMatched = all.filter((a) => !a.plan.matched);
    if (rt.instrument.length > 0) rt.notes.set(spec.plan, this.counts);
  }

  protected override changeAll(): void {
    const { plan } = this.spec;
    let n = 0;
    for (const source of this.takePending()) {
      if ((++n & 255) === 0) checkForInterrupts();
      const rowId = source[plan.rowIdColumn - 1] as number | null;
      if (rowId === null) this.insertFor(source);
      else this.changeRow(rowId, source);
    }
  }

  private changeRow(rowId: number, given: Datum[]): void {
    const { spec, rt } = this;
    const { plan } = spec;
    let source = given;
    const place = plan.tableOidColumn === 0 ? this.main! : this.placeOf(source[plan.tableOidColumn - 1] as Oid);
    const { relation } = place;
    // What this command has done to the row already is looked at only when something is to be done to it again.
    const last = lastChange(relation, rowId);
    const again = last !== undefined && last.cid >= rt.cid;
    let found = this.asRead(relation, () => this.actionFor(place, rowId, source));
    // An action that does nothing waits for nobody; one of the row's new version may want a stronger lock.
    for (let held: RowLockMode | null = null; !again && !isOptimistic();) {
      const mode = this.lockModeOf(place, found?.action);
      if (mode === null || mode === held || held === 'update') break;
      held = mode;
      const [result] = lockRows(relation, [rowId], mode, 'block', this.readBy);
      if (result === 'ok') break;
      // Whether the new version still matches this very row of the source.
      const now = result === 'changed' ? this.lookAgain(relation, rowId, given, (row) => row[plan.rowIdColumn - 1] === rowId && this.sameSource(row, given)) : null;
      if (now === null) {
        this.insertFor(source);
        return;
      }
      source = now;
      found = this.actionFor(place, rowId, source);
    }
    if (found === null) return;
    const { old, ofRoot, action } = found;
    if (action === undefined || action.plan.command === 'nothing') {
      this.counts.skipped++;
      return;
    }
    if (again) {
      throw new PgError('cardinality_violation', 'MERGE command cannot affect row a second time', {
        hint: 'Ensure that not more than one source row matches any one target row.',
      });
    }
    if (this.rowChecks !== null) this.checkRow(action.plan.command === 'delete' ? 'merge_delete' : 'merge_update', place, old, rowId);
    if (action.plan.command === 'delete') {
      if (this.deleteRow(place, rowId, source)) this.counts.deleted++;
      return;
    }
    const { columns, assigned } = this.assignment(place, action.plan);
    const row = [...old];
    const assignedValues = this.asRead(relation, () => action.values!(ofRoot, source, rowId, relation.oid));
    for (const [i, v] of assignedValues.entries()) row[columns[i]! - 1] = v;
    if (this.replaceRow(place, rowId, old, row, assigned, source)) this.counts.updated++;
  }

  /** What an expression's subqueries see is what the statement has read by, however long it has waited for a row. */
  private asRead<T>({ shared }: Relation, expression: () => T): T {
    return seenBy(shared, this.readBy, expression);
  }

  /** The row as it is, and the first action whose condition it meets; null: it is not there. */
  private actionFor({ relation, toRoot }: Place, rowId: number, source: Datum[]): { old: Datum[]; ofRoot: Datum[]; action: Action | undefined } | null {
    const ref = fetchRow(relation, rowId, this.rt.cid);
    if (ref === undefined) return null;
    const old = readRow(ref.bytes, ref.view, ref.offset, relation.layout), ofRoot = convertRow(toRoot, old);
    return { old, ofRoot, action: this.asRead(relation, () => this.matched.find((a) => a.test === null || a.test(ofRoot, source, rowId, relation.oid))) };
  }

  /** The rows of the source are the same when all columns but the target's are. */
  private sameSource(a: readonly Datum[], b: readonly Datum[]): boolean {
    const { rowIdColumn, tableOidColumn, lefttree } = this.spec.plan;
    return lefttree!.targetlist.every((_t, i) => i === rowIdColumn - 1 || i === tableOidColumn - 1 || equalDatums(a[i], b[i]));
  }

  private insertFor(source: Datum[]): void {
    const { relation } = this.spec;
    const action = this.asRead(relation, () => this.notMatched.find((a) => a.test === null || a.test(null, source, 0, 0)));
    if (action === undefined || action.plan.command === 'nothing') {
      this.counts.skipped++;
      return;
    }
    if (this.insertRow(this.asRead(relation, () => action.values!(null, source, 0, 0)), source)) this.counts.inserted++;
  }

  /** Null: the action changes nothing, or there is none. */
  private lockModeOf(place: Place, action: Action | undefined): RowLockMode | null {
    if (action === undefined || action.plan.command === 'nothing') return null;
    return action.plan.command === 'delete' ? 'update' : this.assignment(place, action.plan).lockMode;
  }
}
