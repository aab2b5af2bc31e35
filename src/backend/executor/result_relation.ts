// The table that a statement changes: every row that is inserted, updated or deleted goes through here, with its generated
// columns, NOT NULL and CHECK constraints, index entries and what AFTER triggers will hear of (ExecInsert, ExecUpdate, ExecDelete and
// ExecConstraints of PostgreSQL). Rows are arrays of values, [attnum - 1]. Locking the row is the caller's business
// (modify_table.ts, access/table.ts lockRows).
import { PgError, notSupported } from '../../common/errors.ts';
import { removeEntry, insertEntry } from '../access/index.ts';
import { checkIndexRow } from './long_keys.ts';
import { PROVISIONAL_BLOCK, formRowBriefly, type RowId } from '../access/row.ts';
import { deleteRow, insertValues, lastChange, lockTable, updateRow } from '../access/table.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { TRIGGER_TYPE } from '../catalog/pg_trigger.ts';
import { aclcheckAttribute, aclcheckRelation } from '../catalog/aclchk.ts';
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import type { Relation } from '../catalog/relation.ts';
import { rlsApplies } from '../catalog/rls.ts';
import { makeAndsExplicit } from '../nodes/makefuncs.ts';
import { containsNode } from '../nodes/nodeFuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { session } from '../utils/session.ts';
import { partitionQual } from '../partitioning/partqual.ts';
import { currentCommandId, isReadOnlyTransaction } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { compileExpr, type CompiledExpr } from './expression.ts';
import { BulkDelete } from './bulk_delete.ts';
import { excludedBy, mayExclude } from './exclusion.ts';
import { IndexKeys } from './index_keys.ts';
import { addIndexEntry, conflictingRow, dropIndexEntry, isTaken, isUniqueKey, mayShareKey, moveInvertedEntries, uniqueViolation } from './indexing.ts';
import { captureFor, queueRowEvent } from './after_triggers.ts';
import './ri_triggers.ts';
import './trigger_functions.ts';
import { fireRow, triggersOf, type FiringTrigger, type TriggerOp, type TriggerSet } from './trigger.ts';
import type { Capture } from './transition_table.ts';

const ROW_EXCLUSIVE_LOCK = 3;
const BEFORE_UPDATE_ROW = TRIGGER_TYPE.BEFORE | TRIGGER_TYPE.UPDATE | TRIGGER_TYPE.ROW;

/** What of a relation does not change between executions; made anew with every new Relation object. */
interface Rules {
  readonly notNull: readonly number[]; // attnums
  readonly generated: readonly { attnum: number; expr: CompiledExpr; uses: ReadonlySet<number> }[];
  readonly checks: readonly { name: string; expr: CompiledExpr }[];
  readonly indexes: readonly IndexKeys[];
  /** The columns that the indexes look at; null: any. */
  readonly keyColumns: readonly number[] | null;
  /** What its bound demands of a partition's rows. */
  readonly partition: CompiledExpr | null;
}
const rulesOf = new WeakMap<Relation, Rules>();

function rules(relation: Relation): Rules {
  let found = rulesOf.get(relation);
  if (found === undefined) {
    const live = relation.attributes.filter((a) => !a.attisdropped);
    const indexes = relation.indexes.filter((info) => info.ready).map((info) => new IndexKeys(info));
    found = {
      notNull: live.filter((a) => a.attnotnull).map((a) => a.attnum),
      generated: live.filter((a) => a.attgenerated === 's').map((a) => {
        const source = relation.defaults.get(a.attnum)!;
        return { attnum: a.attnum, expr: compileExpr(source, relation.oid), uses: columnsUsed(source) };
      }),
      checks: [...relation.checks].sort((a, b) => (a.name < b.name ? -1 : 1)).map((c) => ({ name: c.name, expr: compileExpr(c.expr, relation.oid) })),
      indexes,
      keyColumns: indexes.some((keys) => keys.attributes === null) ? null : [...new Set(indexes.flatMap((keys) => [...keys.attributes!]))],
      partition: relation.isPartition ? compiledAnd(partitionQual(relation)) : null,
    };
    rulesOf.set(relation, found);
  }
  return found;
}

function columnsUsed(expr: Expr): ReadonlySet<number> {
  const found = new Set<number>();
  containsNode(expr, (e) => { if (e.kind === 'Var') found.add(e.varattno); return false; }, true);
  return found;
}

function compiledAnd(quals: Expr[]): CompiledExpr | null {
  const all = makeAndsExplicit(quals);
  return all === null ? null : compileExpr(all);
}

/** The table that the statement names, when it is another: a parent of the one that is changed. */
export interface RootTable {
  readonly relation: Relation;
  /** Its columns out of a row of this table; null: rows are alike. */
  readonly toRoot: readonly number[] | null;
  /** Rows come from the root and fit the partition's bound. */
  readonly routed: boolean;
}

export class ResultRelation {
  readonly relation: Relation;
  private readonly root: RootTable | null;
  /** Rows are to be held against the partition's bound. */
  private readonly checkPartition: CompiledExpr | null;
  private readonly rules: Rules;
  /** Columns of the named table that the statement gives values for. */
  modified: readonly number[] = [];
  /** Null for a table without triggers: then nothing of what follows is looked at. */
  readonly triggers: TriggerSet | null;
  private captures: Partial<Record<TriggerOp, Capture | null>> | null = null;
  /** Somebody wants to hear of every row afterwards. */
  private watched: boolean;
  /** Deferrable unique keys that the row being entered may share with another one. */
  private recheck: Oid[] | null = null;

  constructor(relation: Relation, root: RootTable | null = null) {
    if (relation.kind !== 'r' && relation.kind !== 'm') throw wrongKind(relation);
    if (isReadOnlyTransaction() && relation.persistence !== 't') {
      throw new PgError('read_only_sql_transaction', 'cannot change a table in a read-only transaction');
    }
    this.relation = relation;
    this.root = root;
    if (relation.oid >= 16384) lockTable(relation.oid, relation.name, relation.shared, ROW_EXCLUSIVE_LOCK);
    this.rules = rules(relation);
    this.checkPartition = root === null || !root.routed ? this.rules.partition : null;
    this.triggers = triggersOf(relation);
    this.watched = this.triggers !== null;
  }

  /** The statement does this to `root`, whose triggers may want to see the rows as tables. */
  captureFor(root: Relation, op: TriggerOp): void {
    const set = triggersOf(root);
    const capture = set === null ? null : captureFor(set, root, op);
    (this.captures ??= {})[op] = capture;
    if (capture !== null) this.watched = true;
  }

  /** BEFORE ROW: the row to go on with, null to leave it out. Only to be asked when there are triggers. */
  beforeRow(op: TriggerOp, old: readonly Datum[] | null, row: Datum[] | null, assigned: ReadonlySet<number> | null): Datum[] | null {
    const list = this.triggers!.beforeRow[op];
    if (list.length === 0) return op === 'DELETE' ? old as Datum[] : row;
    const check = op === 'INSERT' && this.rules.partition !== null ? (f: FiringTrigger, changed: readonly Datum[]) => this.refuseMove(f, changed) : null;
    return fireRow(list, op, old, row, assigned === null ? null : this.withGenerated(assigned), check);
  }

  /** BEFORE INSERT of a row that was found to belong here: a trigger of the partition's own may have made another of it. */
  beforeRoutedInsert(row: Datum[]): Datum[] | null {
    const result = this.beforeRow('INSERT', null, row, null);
    if (result !== null && result !== row && this.checkPartition === null && !this.fitsPartition(result)) throw this.partitionViolation(result);
    return result;
  }

  /** A trigger that came with the partition must leave the row in it. */
  private refuseMove({ trigger }: FiringTrigger, row: readonly Datum[]): void {
    if (trigger.parent === 0 || this.fitsPartition(row)) return;
    const { schema, table } = this.place();
    throw new PgError('feature_not_supported', 'moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported', {
      detail: `Before executing trigger "${trigger.name}", the row was to be in partition "${schema}.${table}".`,
    });
  }

  /** What an assignment changes, with the columns generated from it: all, where a BEFORE trigger may change anything. */
  private withGenerated(assigned: ReadonlySet<number>): ReadonlySet<number> {
    const { generated } = this.rules;
    if (generated.length === 0) return assigned;
    const any = this.relation.triggers.some((t) => (t.type & BEFORE_UPDATE_ROW) === BEFORE_UPDATE_ROW);
    return new Set([...assigned, ...generated.filter((g) => any || intersects(g.uses, assigned)).map((g) => g.attnum)]);
  }

  private noteRow(op: TriggerOp, rowId: RowId, old: readonly Datum[] | null, row: readonly Datum[] | null, assigned: ReadonlySet<number> | null, own: boolean): void {
    const { recheck } = this;
    if (this.triggers !== null) queueRowEvent(this.triggers, op, rowId, old, row, assigned === null ? null : this.withGenerated(assigned), own, recheck);
    this.recheck = null;
    if (this.captures !== null) this.capture(this.captures, op, rowId);
  }

  private capture(captures: Partial<Record<TriggerOp, Capture | null>>, op: TriggerOp, rowId: RowId): void {
    const cid = currentCommandId();
    if (captures[op] !== undefined) captures[op]?.add(this.relation, rowId, cid);
    // An UPDATE that moves a row to another partition deletes it here and inserts it there.
    else if (op === 'DELETE') captures.UPDATE?.addOld(this.relation, rowId, cid);
    else if (op === 'INSERT') captures.UPDATE?.addNew(this.relation, rowId, cid);
  }

  /** The indexes, when entering a row into them is all that inserting it takes beside NOT NULL; null: there is more. */
  get plainIndexes(): readonly IndexKeys[] | null {
    const { generated, checks, indexes } = this.rules;
    return generated.length > 0 || checks.length > 0 || this.watched || this.checkPartition !== null ? null : indexes;
  }

  /** The columns that deleting a row looks at, when all it takes is to take it out of the indexes; null: any. */
  get columnsOfDelete(): readonly number[] | null {
    return this.watched ? null : this.rules.keyColumns;
  }
  /** For many rows; null when there is more to it. */
  bulkDelete(): BulkDelete | null {
    const { columnsOfDelete } = this;
    return columnsOfDelete === null ? null : new BulkDelete(this.relation, this.rules.indexes, columnsOfDelete);
  }

  computeGenerated(row: Datum[]): void {
    for (const g of this.rules.generated) row[g.attnum - 1] = g.expr(null, row);
  }

  /** Inserts a row; its (provisional) row id. Generated columns are filled into `row`; `checked`: findConflict has done that, and
   * looked at constraints. */
  insert(row: Datum[], checked = false): RowId {
    const { generated, indexes } = this.rules;
    if (!checked) {
      if (generated.length > 0) for (const g of generated) row[g.attnum - 1] = g.expr(null, row);
      this.checkRow(row);
    }
    const rowId = insertValues(this.relation, row);
    for (let i = 0; i < indexes.length; i++) if (addIndexEntry(indexes[i]!, row, rowId)) this.noteRecheck(indexes[i]!);
    if (this.watched) this.noteRow('INSERT', rowId, null, row, null, true);
    return rowId;
  }

  /** The keys of a new row that stand in the way of ON CONFLICT: the first index of `arbiters` (all unique ones when
   * empty) in which it is there already. The row must meet the constraints all the same. */
  findConflict(row: Datum[], arbiters: readonly number[]): { rowId: RowId; keys: IndexKeys } | null {
    for (const g of this.rules.generated) row[g.attnum - 1] = g.expr(null, row);
    this.checkRow(row);
    for (const keys of this.rules.indexes) {
      if ((!keys.info.unique && keys.info.exclusion === null) || (arbiters.length > 0 && !arbiters.includes(keys.info.indexrelid))) continue;
      if (!keys.info.immediate) {
        throw new PgError('object_not_in_prerequisite_state', 'ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters', { ...this.place(), constraint: keys.info.index.name });
      }
      const key = keys.info.exclusion === null ? keys.key(row) : null;
      if (keys.info.exclusion === null && (key === null || !isUniqueKey(keys))) continue;
      const rowId = key === null ? excludedBy(keys, row) : conflictingRow(keys, key);
      if (rowId !== undefined) return { rowId, keys };
    }
    return null;
  }

  private noteRecheck(keys: IndexKeys): void {
    (this.recheck ??= []).push(keys.info.indexrelid);
  }

  /** Replaces a row. `assigned`: the columns that the statement assigns to; null: any. `changedElsewhere`: a trigger has
   * made a row of its own, so that others may differ as well. */
  update(rowId: RowId, old: readonly Datum[], row: Datum[], assigned: ReadonlySet<number> | null, changedElsewhere = false): void {
    const { generated, indexes } = this.rules;
    let changed = changedElsewhere ? null : assigned;
    if (generated.length > 0) {
      for (const g of generated) row[g.attnum - 1] = g.expr(null, row);
      if (changed !== null) changed = new Set([...changed, ...generated.map((g) => g.attnum)]);
    }
    this.checkRow(row);
    const own = this.watched && (rowId >= PROVISIONAL_BLOCK * 65536 || lastChange(this.relation, rowId) !== undefined);
    updateRow(this.relation, rowId, formRowBriefly(this.relation.layout, row));
    for (let i = 0; i < indexes.length; i++) {
      const keys = indexes[i]!;
      if (changed !== null && keys.attributes !== null && !intersects(keys.attributes, changed)) continue;
      this.moveEntry(keys, rowId, old, row);
    }
    if (this.watched) this.noteRow('UPDATE', rowId, old, row, assigned, own);
  }

  /** An index entry follows its row to a new key, if the key is new. */
  private moveEntry(keys: IndexKeys, rowId: RowId, old: readonly Datum[], row: readonly Datum[]): void {
    if (keys.inverted) return moveInvertedEntries(keys, rowId, old, row);
    const before = keys.key(old);
    const hadNull = keys.hasNull;
    const after = keys.key(row);
    if (before === after && (before === null || hadNull === keys.hasNull)) return;
    const { hasNull } = keys;
    if (after !== null) checkIndexRow(keys, row, after.length, rowId);
    if (after !== null && isUniqueKey(keys)) {
      if (!keys.info.immediate) {
        if (mayShareKey(keys, after, rowId)) this.noteRecheck(keys);
      } else if (isTaken(keys, after)) throw uniqueViolation(keys, row);
    }
    if (before !== null) removeEntry(keys.info, before, rowId, hadNull);
    if (after === null) return;
    insertEntry(keys.info, after, rowId, hasNull);
    if (keys.info.exclusion !== null && mayExclude(keys, row, rowId)) this.noteRecheck(keys);
  }

  delete(rowId: RowId, old: readonly Datum[]): void {
    for (const keys of this.rules.indexes) dropIndexEntry(keys, old, rowId);
    deleteRow(this.relation, rowId);
    if (this.watched) this.noteRow('DELETE', rowId, old, null, null, true);
  }

  /** NOT NULL and CHECK (ExecConstraints). */
  checkRow(row: readonly Datum[]): void {
    const { notNull, checks } = this.rules;
    for (let i = 0; i < notNull.length; i++) {
      const value = row[notNull[i]! - 1];
      if (value === null || value === undefined) throw this.notNullViolation(notNull[i]!, row);
    }
    for (let i = 0; i < checks.length; i++) {
      if (checks[i]!.expr(null, row) === false) {
        throw new PgError('check_violation', `new row for relation "${this.relation.name}" violates check constraint "${checks[i]!.name}"`, {
          detail: this.failingRow(row), ...this.place(), constraint: checks[i]!.name,
        });
      }
    }
    if (this.checkPartition !== null && this.checkPartition(null, row) === false) throw this.partitionViolation(row);
  }

  /** Whether a row is within the partition's bound. Always true for a table that is none. */
  fitsPartition(row: readonly Datum[]): boolean {
    const { partition } = this.rules;
    return partition === null || partition(null, row) !== false;
  }

  partitionViolation(row: readonly Datum[]): PgError {
    return new PgError('check_violation', `new row for relation "${this.relation.name}" violates partition constraint`, { detail: this.failingRow(row), ...this.place() });
  }

  private notNullViolation(attnum: number, row: readonly Datum[]): PgError {
    const column = this.relation.attributes[attnum - 1]!.attname;
    return new PgError('not_null_violation', `null value in column "${column}" of relation "${this.relation.name}" violates not-null constraint`, {
      detail: this.failingRow(row), ...this.place(), column,
    });
  }

  private place(): { schema: string; table: string } {
    return { schema: getNamespaceName(this.relation.namespace) ?? '', table: this.relation.name };
  }

  private failingRow(row: readonly Datum[]): string | undefined {
    const { root } = this;
    if (root === null) return failingRow(this.relation, row, this.modified);
    return failingRow(root.relation, root.toRoot === null ? row : root.toRoot.map((n) => (n < 0 ? null : row[n]!)), this.modified);
  }
}

const MAX_FIELD_CHARACTERS = 64;

/** "Failing row contains (1, abc, null).", long values cut. Who may not read the table sees only the columns that he may read,
 * or has given himself (`modified`), with their names; undefined: none (ExecBuildSlotValueDescription). */
export function failingRow(relation: Relation, row: readonly Datum[], modified: readonly number[] = []): string | undefined {
  if (rlsApplies(relation.oid, 0, true)) return undefined;
  const all = aclcheckRelation(relation.oid, session.currentUser, ACL.SELECT);
  const shown = relation.attributes.filter((a) => !a.attisdropped
    && (all || modified.includes(a.attnum) || aclcheckAttribute(relation.oid, a.attnum, session.currentUser, ACL.SELECT)));
  if (!all && shown.length === 0) return undefined;
  const texts = shown.map((a) => {
    const value = row[a.attnum - 1];
    if (value === null || value === undefined) return 'null';
    const text = typeHooks.typeIo(a.atttypid).output(value);
    return Buffer.byteLength(text) <= MAX_FIELD_CHARACTERS ? text : `${Buffer.from(text).subarray(0, MAX_FIELD_CHARACTERS).toString('utf8').replace(/\ufffd+$/, '')}...`;
  });
  return `Failing row contains ${all ? '' : `(${shown.map((a) => a.attname).join(', ')}) = `}(${texts.join(', ')}).`;
}

function wrongKind(relation: Relation): PgError {
  switch (relation.kind) {
    case 'S': return new PgError('wrong_object_type', `cannot change sequence "${relation.name}"`);
    case 'm': return new PgError('wrong_object_type', `cannot change materialized view "${relation.name}"`);
    case 'f': return foreignTableUnreachable(relation.oid);
    case 'p': return notSupported(`changing the partitioned table "${relation.name}"`);
    default: return new PgError('wrong_object_type', `cannot change relation "${relation.name}"`);
  }
}

function intersects(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const x of b) if (a.has(x)) return true;
  return false;
}
