// Triggers while statements run (PostgreSQL's trigger.c): which of a relation's triggers fire for an event, the call of
// their functions, BEFORE and INSTEAD OF at once, AFTER through the queue (after_triggers.ts).
import { PgError, notSupported } from '../../common/errors.ts';
import { readRow, type RowId } from '../access/row.ts';
import { fetchRow } from '../access/table.ts';
import { TRIGGER_TYPE } from '../catalog/pg_trigger.ts';
import type { Relation, Trigger } from '../catalog/relation.ts';
import type { TransitionTable, TriggerData, TriggerResult } from '../commands/trigger_data.ts';
import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { withTransitionTables } from '../parser/query_environment.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { TRIGGEROID } from '../types/oids.ts';
import { registerCallback } from '../transaction/xact.ts';
import { settings } from '../utils/settings.ts';
import type { InternalTrigger } from './after_triggers.ts';
import { compilePredicate } from './expression.ts';
import { functionInfo, functionMissing } from './fmgr_info.ts';

export type TriggerOp = TriggerData['op'];
export type TriggerWhen = TriggerData['when'];

/** A trigger ready to be fired. */
export class FiringTrigger {
  readonly trigger: Trigger;
  readonly relation: Relation;
  readonly columns: ReadonlySet<number> | null;
  readonly when: ((old: readonly Datum[] | null, now: readonly Datum[] | null) => boolean) | null;
  /** Of a constraint's trigger, once after_triggers.ts has looked; null: it is none. */
  internal: InternalTrigger | null | undefined = undefined;

  constructor(trigger: Trigger, relation: Relation) {
    this.trigger = trigger;
    this.relation = relation;
    this.columns = trigger.columns.length === 0 ? null : new Set(trigger.columns);
    this.when = trigger.qual === null ? null : compileWhen(trigger.qual, relation);
  }

  /** UPDATE OF: whether one of its columns is among those assigned to (null: all of them). */
  concerns(assigned: ReadonlySet<number> | null): boolean {
    const { columns } = this;
    if (columns === null || assigned === null) return true;
    for (const c of columns) if (assigned.has(c)) return true;
    return false;
  }

  /** Calls the function. Rows as the event has them. */
  call(op: TriggerOp, old: readonly Datum[] | null, now: readonly Datum[] | null, oldTable: TransitionTable | null = null, newTable: TransitionTable | null = null): TriggerResult {
    const { trigger, relation } = this;
    const info = functionInfo(trigger.foid);
    const { builtin } = info;
    if (builtin === undefined) throw functionMissing(info);
    if (builtin.kind !== 'context') throw new PgError('internal_error', `function ${info.name} is no trigger function`);
    const data: TriggerData = {
      oid: trigger.oid, name: trigger.name, when: whenOf(trigger.type), level: (trigger.type & TRIGGER_TYPE.ROW) !== 0 ? 'ROW' : 'STATEMENT', op, relation,
      oldRow: old, newRow: now, argv: trigger.args, oldTable, newTable,
    };
    depth++;
    try {
      return timed(this, () => withTransitionTables(relation, oldTable, newTable,
        () => builtin.fn({ functionOid: info.oid, argTypes: [], resultType: TRIGGEROID, collation: 0, variadic: false, extra: undefined, aggregate: false, trigger: data }) as unknown as TriggerResult));
    } finally {
      depth--;
    }
  }
}

/** EXPLAIN ANALYZE: the triggers that the statement itself has fired, by OID. */
export interface TriggerTime { readonly trigger: Trigger; readonly relation: Relation; calls: number; ms: number }
let times: Map<Oid, TriggerTime> | null = null;

export function measureTriggers(into: Map<Oid, TriggerTime>, run: () => void): void {
  times = into;
  try {
    run();
  } finally {
    times = null;
  }
}

/** Runs a trigger's function. What statements inside fire is theirs. */
export function timed<T>({ trigger, relation }: FiringTrigger, run: () => T, calls = 1): T {
  if (times === null) return run();
  const into = times;
  times = null;
  const start = performance.now();
  try {
    return run();
  } finally {
    let entry = into.get(trigger.oid);
    if (entry === undefined) into.set(trigger.oid, (entry = { trigger, relation, calls: 0, ms: 0 }));
    entry.calls += calls;
    entry.ms += performance.now() - start;
    times = into;
  }
}

let depth = 0;
/** How many trigger functions are under way (pg_trigger_depth). */
export const triggerDepth = (): number => depth;
registerCallback({ onCommit: () => { depth = 0; }, onAbort: () => { depth = 0; } });

const whenOf = (type: number): TriggerWhen => (type & TRIGGER_TYPE.BEFORE ? 'BEFORE' : type & TRIGGER_TYPE.INSTEAD ? 'INSTEAD OF' : 'AFTER');

/** WHEN over one row that has OLD's columns before NEW's. */
function compileWhen(qual: Expr, relation: Relation): NonNullable<FiringTrigger['when']> {
  const width = relation.attributes.length;
  const m = (e: Expr): Expr => {
    if (e.kind !== 'Var') return expressionTreeMutator(e, m);
    const shift = e.varno === 1 ? 0 : width;
    if (e.varattno > 0) return { ...e, varattno: e.varattno + shift };
    if (e.varattno === -6) return { kind: 'Const', consttype: 26, consttypmod: -1, constcollid: 0, constvalue: relation.oid, location: -1 };
    if (e.varattno < 0) throw notSupported('a system column in WHEN');
    const args = relation.attributes.map((a): Expr => (a.attisdropped
      ? { kind: 'Const', consttype: 23, consttypmod: -1, constcollid: 0, constvalue: null, location: -1 }
      : { kind: 'Var', varno: 1, varattno: a.attnum + shift, vartype: a.atttypid, vartypmod: a.atttypmod, varcollid: a.attcollation, varlevelsup: 0, location: -1 }));
    return { kind: 'RowExpr', args, row_typeid: relation.rowType, row_format: 'implicit_cast', colnames: [], location: -1 };
  };
  const test = compilePredicate([m(qual)]);
  const nothing: Datum[] = new Array(width).fill(null);
  return (old, now) => test(null, [...(old ?? nothing), ...(now ?? nothing)]);
}

// ---- which fire

const EVENT_BITS: Record<TriggerOp, number> = { INSERT: TRIGGER_TYPE.INSERT, UPDATE: TRIGGER_TYPE.UPDATE, DELETE: TRIGGER_TYPE.DELETE, TRUNCATE: TRIGGER_TYPE.TRUNCATE };
const OPS = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;
type ByOp = { readonly [op in TriggerOp]: readonly FiringTrigger[] };

/** A relation's triggers that are switched on, by what they wait for. */
export interface TriggerSet {
  readonly beforeStatement: ByOp; readonly beforeRow: ByOp; readonly insteadRow: ByOp; readonly afterRow: ByOp; readonly afterStatement: ByOp;
  /** Transition tables that triggers for an event ask for. */
  readonly transitions: Readonly<Record<TriggerOp, { readonly old: boolean; readonly new: boolean } | null>>;
}

const sets = new WeakMap<Relation, Map<string, TriggerSet | null>>();

/** The triggers of a relation; null when none is switched on. */
export function triggersOf(relation: Relation): TriggerSet | null {
  if (!relation.hasTriggers) return null;
  const role = settings.session_replication_role;
  let byRole = sets.get(relation);
  if (byRole === undefined) sets.set(relation, (byRole = new Map()));
  let found = byRole.get(role);
  if (found === undefined) byRole.set(role, (found = makeSet(relation, role)));
  return found;
}

function makeSet(relation: Relation, role: string): TriggerSet | null {
  const off = role === 'replica' ? 'OD' : 'RD';
  const list = relation.triggers.filter((t) => !off.includes(t.enabled)).map((t) => new FiringTrigger(t, relation));
  if (list.length === 0) return null;
  const select = (mask: number, bits: number): ByOp => {
    const of = (op: TriggerOp): FiringTrigger[] => list.filter(({ trigger: { type } }) => (type & mask) === bits && (type & EVENT_BITS[op]) !== 0);
    return { INSERT: of('INSERT'), UPDATE: of('UPDATE'), DELETE: of('DELETE'), TRUNCATE: of('TRUNCATE') };
  };
  const { ROW, BEFORE, INSTEAD } = TRIGGER_TYPE;
  const all = ROW | BEFORE | INSTEAD;
  const afterRow = select(all, ROW);
  const afterStatement = select(all, 0);
  const asked = (op: TriggerOp): { old: boolean; new: boolean } | null => {
    const those = [...afterRow[op], ...afterStatement[op]].map((f) => f.trigger);
    const found = { old: op !== 'INSERT' && those.some((t) => t.oldTable !== null), new: op !== 'DELETE' && those.some((t) => t.newTable !== null) };
    return found.old || found.new ? found : null;
  };
  return {
    beforeStatement: select(all, BEFORE), beforeRow: select(all, BEFORE | ROW), insteadRow: select(all, INSTEAD | ROW), afterRow, afterStatement,
    transitions: Object.fromEntries(OPS.map((op) => [op, asked(op)])) as TriggerSet['transitions'],
  };
}

// ---- BEFORE and INSTEAD OF

/** BEFORE STATEMENT. */
export function fireBeforeStatement(set: TriggerSet, op: TriggerOp, assigned: ReadonlySet<number> | null): void {
  for (const f of set.beforeStatement[op]) {
    if (!f.concerns(assigned) || (f.when !== null && !f.when(null, null))) continue;
    f.call(op, null, null);
  }
}

/** BEFORE ROW and INSTEAD OF: the row to go on with (the very same when no function made another), or null. For DELETE any
 * row stands for yes. `check` sees every row that a trigger has made. */
export function fireRow(list: readonly FiringTrigger[], op: TriggerOp, old: readonly Datum[] | null, now: Datum[] | null, assigned: ReadonlySet<number> | null,
  check: ((f: FiringTrigger, row: readonly Datum[]) => void) | null = null): Datum[] | null {
  let row = now;
  for (const f of list) {
    if (!f.concerns(assigned) || (f.when !== null && !f.when(old, row))) continue;
    const result = f.call(op, old, row);
    if (result === null || result === undefined) return null;
    if (op === 'DELETE') continue;
    if (check !== null && result !== row) check(f, result);
    row = result as Datum[];
  }
  return op === 'DELETE' ? old as Datum[] : row;
}

// ---- rows of events

/** A row as the commands before `cid` have left it. */
export function rowAt(relation: Relation, rowId: RowId, cid: number): Datum[] {
  const ref = fetchRow(relation, rowId, cid);
  if (ref === undefined) throw new PgError('internal_error', `failed to fetch a row of ${relation.name} for an AFTER trigger`);
  return readRow(ref.bytes, ref.view, ref.offset, relation.layout);
}
