// The table that a statement changes: every row that is inserted, updated or deleted goes through here, with its generated
// columns, NOT NULL and CHECK constraints, index entries and foreign keys (ExecInsert, ExecUpdate, ExecDelete and
// ExecConstraints of PostgreSQL). Rows are arrays of values, [attnum - 1]. Locking the row is the caller's business
// (modify_table.ts, access/table.ts lockRows).
import { PgError, notSupported } from '../../common/errors.ts';
import { checkKeySize } from '../access/key.ts';
import { removeEntry, insertEntry } from '../access/index.ts';
import { formRow, type RowId } from '../access/row.ts';
import { deleteRow, insertValues, lockTable, updateRow } from '../access/table.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import type { Relation } from '../catalog/relation.ts';
import { commandCounterIncrement, isReadOnlyTransaction } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { compileExpr, type CompiledExpr } from './expression.ts';
import { IndexKeys, addIndexEntry, conflictingRow, dropIndexEntry, isTaken, isUniqueKey, uniqueViolation } from './indexing.ts';
import { ReferenceChecks, ReferencedChanges } from './ri_triggers.ts';

const ROW_EXCLUSIVE_LOCK = 3;

/** What of a relation does not change between executions; made anew with every new Relation object. */
interface Rules {
  readonly notNull: readonly number[]; // attnums
  readonly generated: readonly { attnum: number; expr: CompiledExpr }[];
  readonly checks: readonly { name: string; expr: CompiledExpr }[];
  readonly indexes: readonly IndexKeys[];
}
const rulesOf = new WeakMap<Relation, Rules>();

function rules(relation: Relation): Rules {
  let found = rulesOf.get(relation);
  if (found === undefined) {
    const live = relation.attributes.filter((a) => !a.attisdropped);
    found = {
      notNull: live.filter((a) => a.attnotnull).map((a) => a.attnum),
      generated: live.filter((a) => a.attgenerated === 's').map((a) => ({ attnum: a.attnum, expr: compileExpr(relation.defaults.get(a.attnum)!) })),
      checks: [...relation.checks].sort((a, b) => (a.name < b.name ? -1 : 1)).map((c) => ({ name: c.name, expr: compileExpr(c.expr) })),
      indexes: relation.indexes.map((info) => new IndexKeys(info)),
    };
    rulesOf.set(relation, found);
  }
  return found;
}

export class ResultRelation {
  readonly relation: Relation;
  private readonly rules: Rules;
  private readonly references: ReferenceChecks | null;
  private readonly referenced: ReferencedChanges | null;

  constructor(relation: Relation) {
    if (relation.kind !== 'r' && relation.kind !== 'm') throw wrongKind(relation);
    if (isReadOnlyTransaction() && relation.persistence !== 't') {
      throw new PgError('read_only_sql_transaction', 'cannot change a table in a read-only transaction');
    }
    this.relation = relation;
    if (relation.oid >= 16384) lockTable(relation.oid, relation.name, relation.shared, ROW_EXCLUSIVE_LOCK);
    this.rules = rules(relation);
    this.references = relation.foreignKeys.length > 0 ? new ReferenceChecks(relation) : null;
    this.referenced = relation.referencedBy.length > 0 ? new ReferencedChanges(relation) : null;
  }

  /** The indexes, when entering a row into them is all that inserting it takes beside NOT NULL; null: there is more. */
  get plainIndexes(): readonly IndexKeys[] | null {
    const { generated, checks, indexes } = this.rules;
    return generated.length > 0 || checks.length > 0 || this.references !== null ? null : indexes;
  }

  /** Inserts a row; its (provisional) row id. Generated columns are filled into `row`. */
  insert(row: Datum[]): RowId {
    const { generated, indexes } = this.rules;
    if (generated.length > 0) for (const g of generated) row[g.attnum - 1] = g.expr(null, row);
    this.checkRow(row);
    const rowId = insertValues(this.relation, row);
    for (let i = 0; i < indexes.length; i++) addIndexEntry(indexes[i]!, row, rowId);
    this.references?.add(row, null);
    return rowId;
  }

  /** The keys of a new row that stand in the way of ON CONFLICT: the first index of `arbiters` (all unique ones when
   * empty) in which it is there already. */
  findConflict(row: Datum[], arbiters: readonly number[]): { rowId: RowId; keys: IndexKeys } | null {
    for (const g of this.rules.generated) row[g.attnum - 1] = g.expr(null, row);
    for (const keys of this.rules.indexes) {
      if (!keys.info.unique || (arbiters.length > 0 && !arbiters.includes(keys.info.indexrelid))) continue;
      const key = keys.key(row);
      if (key === null || !isUniqueKey(keys)) continue;
      const rowId = conflictingRow(keys, key);
      if (rowId !== undefined) return { rowId, keys };
    }
    return null;
  }

  /** Replaces a row. `assigned`: the columns that were assigned to (others are equal); null: any. */
  update(rowId: RowId, old: readonly Datum[], row: Datum[], assigned: ReadonlySet<number> | null): void {
    const { generated, indexes } = this.rules;
    let changed = assigned;
    if (generated.length > 0) {
      for (const g of generated) row[g.attnum - 1] = g.expr(null, row);
      if (changed !== null) changed = new Set([...changed, ...generated.map((g) => g.attnum)]);
    }
    this.checkRow(row);
    updateRow(this.relation, rowId, formRow(this.relation.layout, row));
    for (let i = 0; i < indexes.length; i++) {
      const keys = indexes[i]!;
      if (changed !== null && keys.attributes !== null && !intersects(keys.attributes, changed)) continue;
      this.moveEntry(keys, rowId, old, row);
    }
    this.references?.add(row, changed);
    this.referenced?.add(old, row);
  }

  /** An index entry follows its row to a new key, if the key is new. */
  private moveEntry(keys: IndexKeys, rowId: RowId, old: readonly Datum[], row: readonly Datum[]): void {
    const before = keys.key(old);
    const hadNull = keys.hasNull;
    const after = keys.key(row);
    if (before === after && (before === null || hadNull === keys.hasNull)) return;
    const { hasNull } = keys;
    if (after !== null && isUniqueKey(keys)) {
      checkKeySize(after, keys.info.index.name);
      if (isTaken(keys, after)) throw uniqueViolation(keys, row);
    }
    if (before !== null) removeEntry(keys.info, before, rowId, hadNull);
    if (after !== null) insertEntry(keys.info, after, rowId, hasNull);
  }

  delete(rowId: RowId, old: readonly Datum[]): void {
    for (const keys of this.rules.indexes) dropIndexEntry(keys, old, rowId);
    deleteRow(this.relation, rowId);
    this.referenced?.add(old, null);
  }

  /** The end of the statement: what it did becomes visible, and foreign keys are looked after. */
  finish(): void {
    if ((this.references?.isEmpty ?? true) && (this.referenced?.isEmpty ?? true)) return;
    commandCounterIncrement();
    this.referenced?.finish();
    this.references?.finish();
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

  private failingRow(row: readonly Datum[]): string {
    return `Failing row contains ${describeRow(this.relation, row)}.`;
  }
}

const MAX_FIELD_CHARACTERS = 64;

/** "(1, abc, null)", long values cut (ExecBuildSlotValueDescription). */
export function describeRow(relation: Relation, row: readonly Datum[]): string {
  const texts = relation.attributes.filter((a) => !a.attisdropped).map((a) => {
    const value = row[a.attnum - 1];
    if (value === null || value === undefined) return 'null';
    const text = typeHooks.typeIo(a.atttypid).output(value);
    return Buffer.byteLength(text) <= MAX_FIELD_CHARACTERS ? text : `${Buffer.from(text).subarray(0, MAX_FIELD_CHARACTERS).toString('utf8').replace(/\ufffd+$/, '')}...`;
  });
  return `(${texts.join(', ')})`;
}

function wrongKind(relation: Relation): PgError {
  switch (relation.kind) {
    case 'S': return new PgError('wrong_object_type', `cannot change sequence "${relation.name}"`);
    case 'm': return new PgError('wrong_object_type', `cannot change materialized view "${relation.name}"`);
    case 'p': return notSupported(`changing the partitioned table "${relation.name}"`);
    default: return new PgError('wrong_object_type', `cannot change relation "${relation.name}"`);
  }
}

function intersects(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const x of b) if (a.has(x)) return true;
  return false;
}

/** Many rows, one after another, outside a plan: COPY, CREATE TABLE AS, rewrites. */
export function openBulkInsert(relation: Relation): { insert(row: Datum[]): void; finish(): number } {
  const target = new ResultRelation(relation);
  let rows = 0;
  return {
    insert(row) {
      target.insert(row);
      rows++;
    },
    finish() {
      target.finish();
      return rows;
    },
  };
}
