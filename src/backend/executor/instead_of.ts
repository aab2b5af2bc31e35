// ModifyTable on a view: there is nothing to change but what its INSTEAD OF triggers do. Rows of UPDATE and DELETE come
// with the row as the view showed it, in a junk column (rewrite/expand_views.ts).
import { internalError } from '../../common/errors.ts';
import { RecordValue, type Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { beforeStatementDue, queueStatementEvent } from './after_triggers.ts';
import type { Runtime } from './execute.ts';
import { violatesCheckOption, type ChangedRow, type ModifySpec, type RowCheck } from './modify_table.ts';
import { fireBeforeStatement, fireRow, triggersOf, type TriggerSet } from './trigger.ts';

/** Does what ModifyRun does for tables. */
export class ViewRun {
  readonly changed: ChangedRow[] = [];
  private readonly rt: Runtime;
  private readonly spec: ModifySpec;
  private readonly triggers: TriggerSet | null;
  private readonly countsForTag: boolean;
  private readonly wholeRow: number;
  private pending: Datum[][] = [];

  private readonly checks: readonly RowCheck[];

  constructor(rt: Runtime, spec: ModifySpec, checks: readonly RowCheck[] | null) {
    this.checks = checks ?? []; // of views over this one
    const { plan, relation } = spec;
    this.rt = rt;
    this.spec = spec;
    this.triggers = triggersOf(relation);
    this.countsForTag = rt.plan.stmt.planTree === plan;
    this.wholeRow = plan.lefttree!.targetlist.findIndex((t) => t.resjunk && t.resname === 'wholerow');
    if (this.triggers === null) return;
    for (const { op, assigned } of spec.events) if (beforeStatementDue(relation, op)) fireBeforeStatement(this.triggers, op, assigned);
  }

  add(row: Datum[]): void {
    this.pending.push(row);
  }

  finish(): void {
    const { spec, rt, triggers } = this;
    const [{ op }] = spec.events as [ModifySpec['events'][number]];
    const list = triggers === null ? [] : triggers.insteadRow[op];
    let n = 0;
    for (const source of this.pending) {
      if ((++n & 255) === 0) checkForInterrupts();
      const { old, now } = this.rowsOf(source);
      const row = fireRow(list, op, old, now, op === 'UPDATE' ? spec.assigned : null);
      if (row === null) continue;
      for (const check of this.checks) if (!check.test(row, 0)) throw violatesCheckOption(check.name, spec.relation, row);
      if (this.countsForTag) rt.processed++;
      if (spec.returning) this.changed.push({ row, rowId: 0, relation: spec.relation.oid, source });
    }
    this.pending = [];
    if (triggers !== null) for (const e of spec.events) queueStatementEvent(triggers, spec.relation, e.op, e.assigned, this.countsForTag);
  }

  private rowsOf(source: Datum[]): { old: Datum[] | null; now: Datum[] | null } {
    const { plan, relation } = this.spec;
    if (plan.operation === 'insert') return { old: null, now: source.slice(0, relation.attributes.length) };
    const whole = source[this.wholeRow];
    if (!(whole instanceof RecordValue)) throw internalError(`a row of view "${relation.name}" is missing`);
    const old = [...whole.values] as Datum[];
    if (plan.operation === 'delete') return { old, now: null };
    const now = [...old];
    plan.updateColnos.forEach((n, i) => { now[n - 1] = source[i]!; });
    return { old, now };
  }
}
