// ModifyTable while it runs (PostgreSQL's nodeModifyTable.c): takes the rows of its subplan, locks what is to be changed,
// checks again what somebody else has changed meanwhile (EvalPlanQual), and changes it through ResultRelation.
//
// The subplan is run to its end before the first row is changed: locking may renew the snapshot, and a scan must not see
// two of them. Only rows of VALUES are inserted one by one, so that a later one may fail, or look at those before.
import { PgError } from '../../common/errors.ts';
import { PROVISIONAL_BLOCK, readColumn, readRow } from '../access/row.ts';
import { dropReadSnapshot, fetchRow, holdReadSnapshot, lastChange, lockRows, checkVisible, noteMoved, returnToReadSnapshot, seenBy, type RowLockResult } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import { allPublications, checkReplicaIdentity } from '../catalog/publication.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { WithCheckOption } from '../nodes/parsenodes.ts';
import type { ModifyMergeAction, ModifyTable, Plan } from '../nodes/plannodes.ts';
import type { RowLockMode } from '../transaction/messages.ts';
import { amongNewest, isOptimistic } from '../transaction/xact.ts';
import type { HeldSnapshot } from '../storage/store.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { partitionAncestors } from '../partitioning/partdesc.ts';
import { equalDatums } from './datum_equal.ts';
import type { Runtime } from './execute.ts';
import { beforeStatementDue, queueStatementEvent } from './after_triggers.ts';
import { evalPlanQual, pinMember, pinnedRows, pinRow } from './eval_plan_qual.ts';
import { convertRow, makePlace, PartitionRouter, type Place } from './partition_routing.ts';
import { planExprs, someExpr } from './plan_walker.ts';
import { noteMovedRow } from './ri_triggers.ts';
import type { BulkDelete } from './bulk_delete.ts';
import type { IndexKeys } from './index_keys.ts';
import { waitForRow } from './indexing.ts';
import { failingRow } from './result_relation.ts';
import { fireBeforeStatement, triggersOf, type TriggerOp, type TriggerSet } from './trigger.ts';

const OPERATIONS = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const;
const MERGE_ORDER = ['insert', 'update', 'delete'] as const;
const NO_IDS = new Float64Array(0);
const BATCH = 500;
/** So many rows are deleted from the indexes together. */
const MANY_ROWS = 1000;
const NO_RESULTS: readonly string[] = [];
const NO_SOURCE: Datum[] = [];

/** A changed row for RETURNING: the row as the named table has it, where it is, and what the subplan gave. */
export interface ChangedRow { row: Datum[]; rowId: number; relation: Oid; source: Datum[] }

/** What of a ModifyTable node does not change between executions. */
export class ModifySpec {
  readonly plan: ModifyTable;
  readonly relation: Relation;
  readonly returning: boolean;
  /** Columns an UPDATE assigns to. */
  readonly assigned: ReadonlySet<number>;
  /** A join may show a target row more than once; only the first counts. */
  readonly maybeTwice: boolean;
  /** Of the subplan's rows nothing is kept but where they are. */
  readonly idsOnly: boolean;
  /** Rows are inserted as they come: they are of VALUES, where no relation is read. */
  readonly atOnce: boolean;
  /** Columns that DO UPDATE assigns to. */
  readonly conflictColumns: readonly number[];
  /** What statement triggers see of it. */
  readonly events: readonly { op: TriggerOp; assigned: ReadonlySet<number> | null }[];
  readonly ops: readonly TriggerOp[];
  /** What is assigned to the named table itself. */
  readonly own: Assignment;

  constructor(plan: ModifyTable, relationOid: number) {
    this.plan = plan;
    this.relation = openRelation(relationOid);
    this.returning = plan.returningList.length > 0;
    this.assigned = new Set(plan.updateColnos);
    this.maybeTwice = !showsRowsOnce(plan.lefttree!);
    this.idsOnly = plan.operation === 'delete' && !this.returning && !this.maybeTwice && plan.tableOidColumn === 0 && this.relation.kind !== 'v';
    this.atOnce = plan.operation === 'insert' && this.relation.kind !== 'v' && readsNothing(plan.lefttree!);
    this.conflictColumns = plan.onConflict === null || plan.onConflict.action === 'nothing' ? [] : plan.onConflict.onConflictSet.filter((t) => !t.resjunk).map((t) => t.resno);
    this.events = plan.operation === 'merge' ? mergeEvents(plan) : [
      { op: OPERATIONS[plan.operation], assigned: plan.operation === 'update' ? this.assigned : null },
      ...(plan.onConflict?.action === 'update' ? [{ op: 'UPDATE' as const, assigned: new Set(this.conflictColumns) }] : []),
    ];
    this.ops = this.events.map((e) => e.op);
    const columns = plan.operation === 'update' ? plan.updateColnos : this.conflictColumns;
    const assigned = plan.operation === 'update' ? this.assigned : new Set(columns);
    this.own = { columns, assigned, lockMode: plan.operation === 'delete' ? 'update' : rowLockMode(this.relation, assigned) };
  }
}

function mergeEvents(plan: ModifyTable): ModifySpec['events'] {
  return MERGE_ORDER.filter((command) => plan.mergeActions.some((a) => a.command === command)).map((command) => ({
    op: OPERATIONS[command], assigned: command === 'update' ? new Set(plan.mergeActions.flatMap((a) => (a.command === 'update' ? a.columns : []))) : null,
  }));
}

function showsRowsOnce(plan: Plan): boolean {
  switch (plan.kind) {
    case 'SeqScan': case 'SampleScan': case 'GinScan': case 'IndexScan': case 'BitmapHeapScan': case 'TidScan': case 'Result': return true;
    case 'Append': return plan.appendplans.every(showsRowsOnce);
    default: return false;
  }
}

/** One row, or VALUES, without subqueries. */
function readsNothing(plan: Plan): boolean {
  return (plan.kind === 'ValuesScan' || (plan.kind === 'Result' && plan.lefttree === null))
    && !planExprs(plan).some((e) => e.kind !== 'Const' && someExpr(e, (n) => n.kind === 'SubPlan' || (n.kind === 'Param' && n.paramkind === 'exec')));
}

export const violatesCheckOption = (view: string, relation: Relation, row: readonly Datum[], modified: readonly number[] = []): PgError =>
  new PgError('with_check_option_violation', `new row violates check option for view "${view}"`, { detail: failingRow(relation, row, modified) });

/** A condition of a view WITH CHECK OPTION, or of policies. */
export interface RowCheck {
  readonly kind: WithCheckOption['kind'];
  /** The view or table. */
  readonly name: string;
  readonly policy: string | null;
  readonly test: (row: Datum[], rowId: number) => boolean;
}

/** The expressions of DO UPDATE, over the row that is there and the one that was to be inserted. */
export interface ConflictUpdate {
  readonly where: ((row: Datum[], excluded: Datum[]) => boolean) | null;
  /** The values of conflictColumns. */
  readonly values: (row: Datum[], excluded: Datum[]) => Datum[];
}

/** What an UPDATE or DO UPDATE of one table needs of that table. */
interface Assignment { readonly columns: readonly number[]; readonly assigned: ReadonlySet<number>; readonly lockMode: RowLockMode }

/** Those of the columns that belong to unique keys. */
function keyColumns(relation: Relation, assigned: ReadonlySet<number>): number[] {
  return relation.indexes.flatMap((i) => (i.unique && i.predicate === null && i.expressions.length === 0 ? i.keyAttributes.slice(0, i.keyCount).filter((a) => assigned.has(a)) : []));
}

/** FOR NO KEY UPDATE unless a column of a unique key is assigned to. */
const rowLockMode = (relation: Relation, assigned: ReadonlySet<number>): RowLockMode => (keyColumns(relation, assigned).length > 0 ? 'update' : 'nokeyupdate');

export class ModifyRun {
  protected readonly rt: Runtime;
  protected readonly spec: ModifySpec;
  /** The named table; null: it is partitioned and has no rows itself. */
  protected readonly main: Place | null;
  /** All tables that rows were written to or taken from so far. */
  private places: Map<Oid, Place> | null = null;
  private router: PartitionRouter | null = null;
  private assignments: Map<ModifyTable | ModifyMergeAction, Map<Place, Assignment>> | null = null;
  private pending: Datum[][] = [];
  /** Where the rows are, when that is all that is wanted: batches, of which all but the first stand outside V8's heap, which is
   * collected as a whole when a million numbers fill it. */
  private idBatches: (number[] | Float64Array)[] | null = null;
  private readonly firstIds: number[] = [];
  private ids = NO_IDS;
  private idCount = 0;
  /** What the subplan read by. */
  protected readBy: HeldSnapshot | null = null;
  /** While many rows are deleted. */
  private bulks: Map<Place, BulkDelete | null> | null = null;
  private readonly seen: Map<Oid, Set<number>> | null;
  readonly changed: ChangedRow[] = [];
  private readonly conflictUpdate: ConflictUpdate | null;
  private readonly countsForTag: boolean;
  /** Of the named table. */
  private readonly triggers: TriggerSet | null;
  /** Columns that the statement gives values for. */
  private readonly modified: readonly number[];
  protected readonly rowChecks: readonly RowCheck[] | null;

  constructor(rt: Runtime, spec: ModifySpec, conflictUpdate: ConflictUpdate | null, rowChecks: readonly RowCheck[] | null) {
    this.rowChecks = rowChecks;
    this.rt = rt;
    this.conflictUpdate = conflictUpdate;
    this.spec = spec;
    const { relation } = spec;
    this.triggers = triggersOf(relation);
    if (this.triggers !== null) {
      for (const { op, assigned } of spec.events) if (beforeStatementDue(relation, op)) fireBeforeStatement(this.triggers, op, assigned);
    }
    const { insertedCols, updatedCols } = rt.plan.stmt.rtable[spec.plan.resultRelation - 1]!;
    this.modified = [...insertedCols, ...updatedCols];
    this.main = relation.kind === 'p' ? null : makePlace(relation, relation, false, spec.ops);
    if (this.main !== null) this.main.target.modified = this.modified;
    if ((relation.kind === 'p' || spec.plan.resultRelations.length > 1) && spec.plan.operation !== 'insert' && allPublications().length > 0) this.checkMembers();
    this.seen = spec.maybeTwice ? new Map() : null;
    this.countsForTag = rt.plan.stmt.planTree === spec.plan;
  }

  /** Partitions and child tables that could not be told apart for a publication, whether or not they have rows to change. */
  private checkMembers(): void {
    const { plan, relation, ops } = this.spec;
    for (const rti of plan.resultRelations) {
      const { relid } = this.rt.plan.stmt.rtable[rti - 1]!;
      if (relid !== relation.oid) for (const op of ops) if (op === 'UPDATE' || op === 'DELETE') checkReplicaIdentity(openRelation(relid), op);
    }
  }

  /** A row of the subplan. */
  add(row: Datum[]): void {
    if (this.spec.atOnce) this.insertSource(row);
    else this.pending.push(row);
  }

  /** Where a row of the subplan is, when that is all that is wanted. */
  addId(rowId: number): void {
    const at = this.idCount++ % BATCH;
    if (this.idCount <= BATCH) {
      if (at === 0) this.idBatches = [this.firstIds];
      this.firstIds.push(rowId);
      return;
    }
    // Never one place for both kinds of array: V8 then asks its runtime at each store.
    if (at === 0) this.idBatches!.push((this.ids = new Float64Array(BATCH)));
    this.ids[at] = rowId;
  }

  finish(): void {
    const { plan } = this.spec;
    if (plan.operation === 'insert') {
      this.insertAll();
    } else {
      const { shared } = this.spec.relation;
      this.readBy = holdReadSnapshot(shared);
      try {
        this.changeAll(plan.operation);
        // What is yet to be read belongs to what was read before.
        if ((this.spec.returning || this.rt.plan.stmt.hasModifyingCTE) && returnToReadSnapshot(shared, this.readBy)) this.rt.moved = true;
      } finally {
        dropReadSnapshot(shared, this.readBy);
      }
    }
    if (this.triggers !== null) for (const { op, assigned } of this.spec.events.toReversed()) queueStatementEvent(this.triggers, this.spec.relation, op, assigned, this.countsForTag);
  }

  private note(place: Place, row: Datum[], rowId: number, source: Datum[]): void {
    if (this.countsForTag) this.rt.processed++;
    if (this.spec.returning) this.changed.push({ row: convertRow(place.toRoot, row), rowId, relation: place.relation.oid, source });
  }

  /** Rows written through views must be such as they show, those of a table with policies such as these let pass; before
   * ON CONFLICT and MERGE change a row, policies must let them see it (ExecWithCheckOptions). */
  protected checkRow(kind: RowCheck['kind'], place: Place, own: Datum[], rowId: number): void {
    const row = convertRow(place.toRoot, own);
    for (const check of this.rowChecks!) {
      if (check.kind !== kind || check.test(row, rowId)) continue;
      if (kind === 'view') {
        throw violatesCheckOption(check.name, this.spec.relation, row, place.target.modified);
      }
      const policy = check.policy === null ? '' : ` "${check.policy}"`;
      const using = kind === 'insert' || kind === 'update' ? '' : ' (USING expression)';
      throw new PgError('insufficient_privilege', `${kind.startsWith('merge') ? 'target' : 'new'} row violates row-level security policy${policy}${using} for table "${check.name}"`);
    }
  }

  /** What policies say of a new row, with its generated columns; before constraints have their say. */
  private checkNew(kind: 'insert' | 'update', place: Place, row: Datum[]): void {
    place.target.computeGenerated(row);
    this.checkRow(kind, place, row, 0);
  }

  /** The place of a child table of the named one. */
  protected placeOf(relation: Oid): Place {
    const places = this.allPlaces();
    let place = places.get(relation);
    if (place === undefined) {
      places.set(relation, (place = makePlace(this.spec.relation, openRelation(relation), true, this.spec.ops)));
      place.target.modified = this.modified;
    }
    return place;
  }

  private allPlaces(): Map<Oid, Place> {
    return (this.places ??= new Map(this.main === null ? [] : [[this.main.relation.oid, this.main]]));
  }

  private route(row: Datum[]): Place {
    this.router ??= new PartitionRouter(this.spec.relation, this.allPlaces(), this.spec.ops);
    const place = this.router.find(row);
    place.target.modified = this.modified;
    return place;
  }

  private assignmentOf(place: Place): Assignment {
    return place === this.main ? this.spec.own : this.assignment(place, this.spec.plan);
  }

  /** `of`: the plan, or one of its actions. */
  protected assignment(place: Place, of: ModifyTable | ModifyMergeAction): Assignment {
    this.assignments ??= new Map();
    let byPlace = this.assignments.get(of);
    if (byPlace === undefined) this.assignments.set(of, (byPlace = new Map()));
    let found = byPlace.get(place);
    if (found !== undefined) return found;
    const { plan, conflictColumns } = this.spec;
    const named = 'columns' in of ? of.columns : plan.operation === 'update' ? plan.updateColnos : conflictColumns;
    const own = (list: readonly number[]): readonly number[] => (place.fromRoot === null ? list : list.map((n) => place.fromRoot!.indexOf(n - 1) + 1));
    const columns = own(named);
    // Triggers of UPDATE OF, and locks, look at what any of MERGE's actions assigns to.
    const assigned = new Set('columns' in of ? own(plan.mergeActions.flatMap((a) => (a.command === 'update' ? a.columns : []))) : columns);
    found = { columns, assigned, lockMode: plan.operation === 'delete' ? 'update' : rowLockMode(place.relation, assigned) };
    byPlace.set(place, found);
    return found;
  }

  // ---------------------------------------------------------------- INSERT

  private insertAll(): void {
    let n = 0;
    for (const source of this.pending) {
      if ((++n & 255) === 0) checkForInterrupts();
      this.insertSource(source);
    }
    this.pending = [];
  }

  private insertSource(source: Datum[]): void {
    const width = this.spec.relation.attributes.length;
    this.insertRow(source.length === width ? source : source.slice(0, width), source);
  }

  /** A row of the named table, to be put where it belongs. False: it was left out. */
  protected insertRow(given: Datum[], source: Datum[]): boolean {
    const { main } = this;
    const oc = this.spec.plan.onConflict;
    const place = main ?? this.route(given);
    const routed = main === null ? convertRow(place.fromRoot, given) : given;
    const row = place.target.triggers === null ? routed : place.target.beforeRoutedInsert(routed);
    if (row === null) return false;
    const insert = (): void => (oc !== null ? this.insertOrElse(place, row, source) : this.inserted(place, row, source));
    if (this.rt.plan.stmt.subplans.length === 0 || this.spec.plan.operation !== 'insert') insert();
    else this.keepingSnapshot(place.relation.shared, insert);
    return true;
  }

  /** Waits for the keys of one row do not move the snapshot that subqueries see (of DO UPDATE, RETURNING). */
  private keepingSnapshot(shared: boolean, insert: () => void): void {
    this.readBy = holdReadSnapshot(shared);
    try {
      insert();
      if (returnToReadSnapshot(shared, this.readBy)) this.rt.moved = true;
    } finally {
      dropReadSnapshot(shared, this.readBy);
      this.readBy = null;
    }
  }

  private inserted(place: Place, row: Datum[], source: Datum[], checked = false): void {
    const { rowChecks } = this;
    if (rowChecks !== null && !checked) this.checkNew('insert', place, row);
    const rowId = place.target.insert(row, checked && this.spec.plan.onConflict !== null);
    if (rowChecks !== null) this.checkRow('view', place, row, rowId);
    this.note(place, row, rowId, source);
  }

  private insertOrElse(place: Place, row: Datum[], source: Datum[]): void {
    const oc = this.spec.plan.onConflict!;
    if (this.rowChecks !== null) this.checkNew('insert', place, row);
    const arbiters = place === this.main || oc.arbiterIndexes.length === 0 ? oc.arbiterIndexes : leafIndexes(place.relation, oc.arbiterIndexes);
    for (;;) {
      const conflict = place.target.findConflict(row, arbiters);
      if (conflict === null) {
        this.inserted(place, row, source, true);
        return;
      }
      if (oc.action === 'nothing') {
        if (this.staysInTheWay(place, row, conflict)) return;
        continue;
      }
      if (this.updateConflicting(place, conflict.rowId, row, source)) return;
      checkForInterrupts();
    }
  }

  /** DO NOTHING: whether the row in the way is there after whoever is deleting it has come to an end. */
  private staysInTheWay(place: Place, row: Datum[], { rowId, keys }: { rowId: number; keys: IndexKeys }): boolean {
    waitForRow(place.relation, rowId);
    if (isOptimistic()) return true;
    if (amongNewest(place.relation.shared, () => place.target.findConflict(row, [keys.info.indexrelid]))?.rowId !== rowId) return false;
    checkVisible(place.relation, rowId);
    return true;
  }

  /** DO UPDATE of the row that is there. False: it has gone meanwhile, try again. */
  private updateConflicting(place: Place, rowId: number, excluded: Datum[], source: Datum[]): boolean {
    const { rt } = this;
    const { relation, target, toRoot } = place;
    const { where, values } = this.conflictUpdate!;
    const { assigned, columns, lockMode } = this.assignmentOf(place);
    const last = lastChange(relation, rowId);
    if ((last !== undefined && last.cid >= rt.cid) || this.insertedHere(relation, rowId)) {
      throw new PgError('cardinality_violation', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
        hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
      });
    }
    const [result] = lockRows(relation, [rowId], lockMode, 'block');
    // Its key may be another one by now.
    if (result !== 'ok') return false;
    const old = this.read(relation, rowId);
    if (old === null) return false;
    const oldOfRoot = convertRow(toRoot, old);
    const excludedOfRoot = convertRow(toRoot, excluded);
    const asRead = <T>(expression: () => T): T => seenBy(relation.shared, this.readBy, expression);
    if (where !== null && !asRead(() => where(oldOfRoot, excludedOfRoot))) return true;
    if (this.rowChecks !== null) this.checkRow('conflict', place, old, rowId);
    let row: Datum[] | null = [...old];
    for (const [i, v] of asRead(() => values(oldOfRoot, excludedOfRoot)).entries()) row[columns[i]! - 1] = v;
    const proposed = row;
    if (target.triggers !== null && (row = this.beforeUpdate(place, rowId, old, proposed, assigned)) === null) return true;
    if (!target.fitsPartition(row)) {
      throw new PgError('feature_not_supported', 'invalid ON UPDATE specification', {
        detail: 'The result tuple would appear in a different partition than the original tuple.',
      });
    }
    if (this.rowChecks !== null) this.checkNew('update', place, row);
    target.update(rowId, old, row, assigned, row !== proposed);
    if (this.rowChecks !== null) this.checkRow('view', place, row, rowId);
    this.note(place, row, rowId, source);
    return true;
  }

  /** Rows that this very command has inserted, or its triggers, cannot be seen by it. */
  private insertedHere(relation: Relation, rowId: number): boolean {
    return rowId >= PROVISIONAL_BLOCK * 65536 && fetchRow(relation, rowId, this.rt.cid) === undefined;
  }

  // ---------------------------------------------------------------- UPDATE, DELETE

  protected changeAll(operation: 'update' | 'delete' | 'merge'): void {
    if (operation === 'merge') return;
    const { spec, pending, idBatches } = this;
    this.bulks = operation === 'delete' && !spec.returning && pending.length + this.idCount >= MANY_ROWS ? new Map() : null;
    if (idBatches !== null) for (let i = 0; i < idBatches.length; i++) this.deleteBatch(this.main!, idBatches[i]!, Math.min(BATCH, this.idCount - i * BATCH));
    const tableColumn = spec.plan.tableOidColumn - 1;
    for (let from = 0; from < pending.length;) {
      checkForInterrupts();
      let to = Math.min(from + BATCH, pending.length);
      let place = this.main;
      if (tableColumn >= 0) {
        // A batch is of one table.
        const oid = pending[from]![tableColumn] as Oid | null;
        to = from + 1;
        while (to < pending.length && to < from + BATCH && pending[to]![tableColumn] === oid) to++;
        place = oid === null ? null : this.placeOf(oid);
      }
      if (place !== null) this.changeBatch(operation, place, pending.slice(from, to));
      from = to;
    }
    if (this.bulks !== null) for (const bulk of this.bulks.values()) bulk?.finish();
    this.bulks = null;
    this.pending = [];
  }

  private deleteBatch(place: Place, ids: number[] | Float64Array, count: number): void {
    checkForInterrupts();
    const { relation } = place;
    const bulk = this.bulks === null ? null : this.bulkOf(place, this.bulks);
    const results = isOptimistic() ? NO_RESULTS : lockRows(relation, ids instanceof Array ? ids : [...ids.subarray(0, count)], this.spec.own.lockMode, 'block', this.readBy);
    for (let i = 0; i < count; i++) {
      const id = ids[i]!, result = results[i];
      if (result === 'deleted' || result === 'skipped') continue;
      if (result === 'changed' && this.lookAgain(relation, id, NO_SOURCE) === null) continue;
      const done = bulk === null ? 'changed' : bulk.deleteStored(id);
      if (done === 'changed') this.deleteRow(place, id, NO_SOURCE);
      else if (done === 'done' && this.countsForTag) this.rt.processed++;
    }
  }

  private bulkOf(place: Place, bulks: Map<Place, BulkDelete | null>): BulkDelete | null {
    let bulk = bulks.get(place);
    if (bulk === undefined) bulks.set(place, (bulk = place.target.bulkDelete()));
    return bulk;
  }

  private changeBatch(operation: 'update' | 'delete', place: Place, rows: Datum[][]): void {
    const { spec } = this;
    const { relation } = place;
    const idColumn = spec.plan.rowIdColumn - 1;
    let batch = rows, seen: Set<number> | undefined;
    // An outer join may show no target row, a join the same one twice.
    if (this.seen !== null) {
      seen = this.seen.get(relation.oid);
      if (seen === undefined) this.seen.set(relation.oid, (seen = new Set()));
      batch = batch.filter((source) => source[idColumn] !== null && !seen!.has(source[idColumn] as number));
    }
    const ids = batch.map((source) => source[idColumn] as number);
    // In optimistic mode the change itself says which version was read.
    const changesKey = operation === 'update' ? this.keyTest(place) : null;
    const results = isOptimistic() ? NO_RESULTS : changesKey !== null ? this.lockByKey(place, ids, batch, changesKey)
      : lockRows(relation, ids, this.assignmentOf(place).lockMode, 'block', this.readBy);
    for (let i = 0; i < batch.length; i++) {
      let source: Datum[] | null = batch[i]!;
      const id = ids[i]!;
      if (results[i] === 'deleted' || results[i] === 'skipped' || seen?.has(id) === true) continue;
      // Changed by somebody else: the plan decides again about its new version.
      if (results[i] === 'changed') source = this.lookAgain(relation, id, source);
      // Another row of the source may still fit.
      if (source === null) continue;
      if (results[i] === 'changed' && changesKey?.(id, source) === true) lockRows(relation, [id], 'update', 'block');
      const done = operation === 'update' ? this.updateRow(place, id, source) : this.deleteRow(place, id, source);
      if (done) seen?.add(id);
    }
  }

  /** Whether what is assigned to the columns of unique keys differs from what is there (HeapDetermineColumnsInfo); null: there are
   * none, or BEFORE triggers, which want the lock for all that is assigned. */
  private keyTest(place: Place): ((rowId: number, source: readonly Datum[]) => boolean) | null {
    const { relation, target } = place, { columns, assigned, lockMode } = this.assignmentOf(place);
    if (isOptimistic() || lockMode !== 'update' || (target.triggers?.beforeRow.UPDATE.length ?? 0) > 0) return null;
    const keys = keyColumns(relation, assigned);
    return (rowId, source) => {
      const ref = fetchRow(relation, rowId, this.rt.cid);
      return ref === undefined || keys.some((n) => !equalDatums(readColumn(ref.bytes, ref.view, ref.offset, relation.layout, n), source[columns.indexOf(n)]));
    };
  }

  /** Rows that keep their keys let others refer to them. */
  private lockByKey({ relation }: Place, ids: readonly number[], sources: readonly Datum[][], changesKey: (rowId: number, source: readonly Datum[]) => boolean): RowLockResult[] {
    const modes = seenBy(relation.shared, this.readBy, () => ids.map((id, i): RowLockMode => (changesKey(id, sources[i]!) ? 'update' : 'nokeyupdate')));
    if (modes.every((mode) => mode === modes[0])) return lockRows(relation, ids, modes[0]!, 'block', this.readBy);
    return ids.map((id, i) => lockRows(relation, [id], modes[i]!, 'block', this.readBy)[0]!);
  }

  /** EvalPlanQual: the target shows one row, its other children none, and what it was joined with the same rows as before. */
  protected lookAgain(relation: Relation, rowId: number, source: readonly Datum[], accept?: (row: Datum[]) => boolean): Datum[] | null {
    const { rt } = this, { plan } = this.spec;
    const pinned = pinnedRows(rt, plan.rowMarks, source, relation.shared, this.readBy);
    if (plan.tableOidColumn === 0) pinned.set(plan.resultRelation, pinRow(relation, rowId, rt.cid));
    else for (const [rti, row] of pinMember(rt.plan.stmt, plan.resultRelations, relation.oid, rowId, rt.cid)) pinned.set(rti, row);
    return evalPlanQual(rt, plan.lefttree!, pinned, relation.shared, this.readBy, accept);
  }

  private updateRow(place: Place, rowId: number, source: Datum[]): boolean {
    const old = this.read(place.relation, rowId);
    if (old === null) return false;
    const row = [...old];
    const { columns, assigned } = this.assignmentOf(place);
    for (let i = 0; i < columns.length; i++) row[columns[i]! - 1] = source[i]!;
    return this.replaceRow(place, rowId, old, row, assigned, source);
  }

  /** The new version of a row, in its partition or another. False: a trigger would not have it. */
  protected replaceRow(place: Place, rowId: number, old: Datum[], proposed: Datum[], assigned: ReadonlySet<number>, source: Datum[]): boolean {
    const { target } = place;
    const row = target.triggers === null ? proposed : this.beforeUpdate(place, rowId, old, proposed, assigned);
    if (row === null) return false;
    if (place !== this.main && !target.fitsPartition(row)) return this.moveRow(place, rowId, old, row, source);
    if (this.rowChecks !== null) this.checkNew('update', place, row);
    target.update(rowId, old, row, assigned, row !== proposed);
    if (this.rowChecks !== null) this.checkRow('view', place, row, rowId);
    this.note(place, row, rowId, source);
    return true;
  }

  /** The new row belongs to another partition (ExecCrossPartitionUpdate). */
  private moveRow(place: Place, rowId: number, old: Datum[], row: Datum[], source: Datum[]): boolean {
    place.target.computeGenerated(row);
    const ofRoot = convertRow(place.toRoot, row);
    // It is deleted here, whatever its keys are.
    if (!isOptimistic()) lockRows(place.relation, [rowId], 'update', 'block');
    if (!this.beforeDelete(place, rowId, old)) return false;
    noteMovedRow(place.relation, rowId, this.spec.relation, ofRoot);
    place.target.delete(rowId, old);
    noteMoved(place.relation, rowId);
    // Whether there is a partition for it matters only now: a trigger may have kept it where it was.
    const to = this.route(ofRoot), routed = convertRow(to.fromRoot, ofRoot);
    const moved = to.target.triggers === null ? routed : to.target.beforeRoutedInsert(routed);
    if (moved === null) return false;
    // Policies look at what the triggers there have left.
    if (this.rowChecks !== null) this.checkNew('update', to, moved);
    this.inserted(to, moved, source, true);
    return true;
  }

  /** BEFORE UPDATE triggers; one that changes the key needs the stronger lock. */
  private beforeUpdate({ relation, target }: Place, rowId: number, old: readonly Datum[], proposed: Datum[], assigned: ReadonlySet<number>): Datum[] | null {
    const row = target.beforeRow('UPDATE', old, proposed, assigned);
    if (row === null) return null;
    this.refuseChanged(relation, rowId, 'updated');
    this.touch(relation, rowId);
    if (row !== proposed && !isOptimistic()) {
      const changed = new Set(row.flatMap((v, i) => (v === old[i] ? [] : [i + 1])));
      if (rowLockMode(relation, changed) === 'update') lockRows(relation, [rowId], 'update', 'block');
    }
    return row;
  }

  private beforeDelete({ relation, target }: Place, rowId: number, old: readonly Datum[]): boolean {
    if (target.triggers === null) return true;
    if (target.beforeRow('DELETE', old, null, null) === null) return false;
    this.refuseChanged(relation, rowId, 'deleted');
    this.touch(relation, rowId);
    return true;
  }

  private touch(relation: Relation, rowId: number): void {
    const touched = (this.rt.touched ??= new Map());
    let rows = touched.get(relation);
    if (rows === undefined) touched.set(relation, (rows = new Set()));
    rows.add(rowId);
  }

  /** A BEFORE trigger must not change the row it is called for by other means. */
  private refuseChanged(relation: Relation, rowId: number, what: 'updated' | 'deleted'): void {
    const last = lastChange(relation, rowId);
    if (last === undefined || last.cid < this.rt.cid || this.rt.touched?.get(relation)?.has(rowId)) return;
    throw new PgError('triggered_data_change_violation', `tuple to be ${this.spec.plan.operation === 'merge' ? 'updated or deleted' : what} was already modified by an operation triggered by the current command`, {
      hint: 'Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.',
    });
  }

  protected deleteRow(place: Place, rowId: number, source: Datum[]): boolean {
    const bulk = this.bulks === null ? null : this.bulkOf(place, this.bulks);
    if (bulk !== null) {
      const key = this.read(place.relation, rowId, bulk.columns);
      if (key === null) return false;
      bulk.delete(rowId, key);
      this.note(place, key, rowId, source);
      return true;
    }
    const old = this.read(place.relation, rowId, this.spec.returning ? null : place.target.columnsOfDelete);
    if (old === null || !this.beforeDelete(place, rowId, old)) return false;
    place.target.delete(rowId, old);
    this.note(place, old, rowId, source);
    return true;
  }

  protected takePending(): Datum[][] {
    const rows = this.pending;
    this.pending = [];
    return rows;
  }

  /** BEFORE triggers lock their row, and say so in the words of UPDATE. */
  private changedWord(relation: Relation): 'updated' | 'deleted' {
    return this.spec.plan.operation === 'delete' && (triggersOf(relation)?.beforeRow.DELETE.length ?? 0) === 0 ? 'deleted' : 'updated';
  }

  /** The row as this command sees it, unless the command has changed it already (then it is left alone); only these columns
   * of it, if they are given. */
  private read(relation: Relation, rowId: number, wanted: readonly number[] | null = null): Datum[] | null {
    const last = lastChange(relation, rowId);
    if (last !== undefined && last.cid >= this.rt.cid) {
      if (relation.hasTriggers) this.refuseChanged(relation, rowId, this.changedWord(relation));
      return null;
    }
    const ref = fetchRow(relation, rowId, this.rt.cid);
    if (ref === undefined) return null;
    if (wanted === null) return readRow(ref.bytes, ref.view, ref.offset, relation.layout);
    const partial = new Array<Datum>(relation.attributes.length);
    for (let i = 0; i < wanted.length; i++) partial[wanted[i]! - 1] = readColumn(ref.bytes, ref.view, ref.offset, relation.layout, wanted[i]!);
    return partial;
  }
}

/** The indexes of a partition that are parts of these indexes of the partitioned table. */
function leafIndexes(relation: Relation, indexes: readonly Oid[]): Oid[] {
  return relation.indexes.map((i) => i.indexrelid).filter((oid) => partitionAncestors(oid).some((a) => indexes.includes(a)));
}
