// Foreign keys (PostgreSQL's ri_triggers.c): what is checked when a referencing row comes or changes, and what is done
// when a referenced row goes or changes. Checks run at the end of the statement, or at COMMIT when deferred.
//
// The referenced row is locked FOR KEY SHARE until the end of the transaction, so that nobody takes it away meanwhile;
// whoever deletes a referenced row, or changes its key, has locked it FOR UPDATE and then looks for referencing rows in
// the newest snapshot. In optimistic mode the lock becomes an assertion of the commit.
import { PgError } from '../../common/errors.ts';
import { lookupUnique } from '../access/index.ts';
import { encodeKey } from '../access/key.ts';
import type { RowId } from '../access/row.ts';
import { lockRows } from '../access/table.ts';
import type { ForeignKey, Relation } from '../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../catalog/relcache.ts';
import { getNamespaceName, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { operatorByOid } from '../catalog/syscache.ts';
import { quoteQualifiedIdentifier, quoteIdentifier } from '../catalog/quote.ts';
import { advanceSnapshot, commandCounterIncrement, currentSubTransactionId, registerCallback, requireLocks, usesTransactionSnapshot } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { operatorFunction } from './fmgr_info.ts';
import { forEachRow } from './indexing.ts';
import { spi } from './spi_hook.ts';

// ---- deferral (SET CONSTRAINTS)

let allDeferred: boolean | null = null;
const deferredByOid = new Map<number, boolean>();

/** SET CONSTRAINTS: for all (oids null) or some deferrable constraints. IMMEDIATE checks what has piled up. */
export function setConstraints(oids: readonly number[] | null, deferred: boolean): void {
  if (oids === null) {
    allDeferred = deferred;
    deferredByOid.clear();
  } else for (const oid of oids) deferredByOid.set(oid, deferred);
  if (!deferred) {
    const due = waiting.filter((c) => oids === null || oids.includes(c.key.oid));
    waiting = waiting.filter((c) => !due.includes(c));
    for (const check of due) check.run();
  }
}

function isDeferred(key: ForeignKey): boolean {
  if (!key.deferrable) return false;
  return deferredByOid.get(key.oid) ?? allDeferred ?? key.initiallyDeferred;
}

interface WaitingCheck { key: ForeignKey; subid: number; run: () => void }
let waiting: WaitingCheck[] = [];
registerCallback({
  preCommit() {
    while (waiting.length > 0) {
      const due = waiting;
      waiting = [];
      commandCounterIncrement();
      for (const check of due) check.run();
    }
  },
  onCommit() { waiting = []; allDeferred = null; deferredByOid.clear(); },
  onAbort() { waiting = []; allDeferred = null; deferredByOid.clear(); },
  onSubAbort(subid) { waiting = waiting.filter((c) => c.subid < subid); },
  onSubCommit(subid, parent) { for (const c of waiting) if (c.subid === subid) c.subid = parent; },
});

function runOrDefer(key: ForeignKey, run: () => void): void {
  if (isDeferred(key)) waiting.push({ key, subid: currentSubTransactionId(), run });
  else run();
}

// ---- the referencing side

/** Whether the referenced row must be there for these values: with a NULL (MATCH SIMPLE), or all NULL (FULL), it need not. */
function needsReference(key: ForeignKey, row: readonly Datum[], fk: Relation): boolean {
  const nulls = key.conkey.filter((n) => row[n - 1] === null || row[n - 1] === undefined).length;
  if (nulls === 0) return true;
  if (key.matchType === 'f' && nulls < key.conkey.length) {
    throw new PgError('foreign_key_violation', `insert or update on table "${fk.name}" violates foreign key constraint "${key.name}"`, {
      detail: 'MATCH FULL does not allow mixing of null and nonnull key values.', ...where(fk, key),
    });
  }
  return false;
}

const where = (relation: Relation, key: ForeignKey): { schema: string; table: string; constraint: string } =>
  ({ schema: getNamespaceName(relation.namespace) ?? '', table: relation.name, constraint: key.name });

/** Rows of one statement whose references are to be checked when it ends. Equal keys are checked once. */
export class ReferenceChecks {
  private readonly fk: Relation;
  private readonly pending = new Map<ForeignKey, Map<string, Datum[]>>();

  constructor(fk: Relation) {
    this.fk = fk;
  }

  /** A row was inserted, or a referencing column of it changed. */
  add(row: readonly Datum[], changed: ReadonlySet<number> | null): void {
    for (const key of this.fk.foreignKeys) {
      if (changed !== null && !key.conkey.some((n) => changed.has(n))) continue;
      if (!needsReference(key, row, this.fk)) continue;
      const values = key.conkey.map((n) => row[n - 1] ?? null);
      let keys = this.pending.get(key);
      if (keys === undefined) this.pending.set(key, (keys = new Map()));
      keys.set(values.map((v, i) => typeHooks.typeIo(this.fk.attributes[key.conkey[i]! - 1]!.atttypid).output(v)).join('\u0001'), values);
      if (keys.size >= MAX_PENDING && !isDeferred(key)) {
        this.pending.delete(key);
        checkReferences(key, this.fk, [...keys.values()]);
      }
    }
  }

  /** At the end of the statement, after its changes have become visible. */
  finish(): void {
    for (const [key, keys] of this.pending) {
      const values = [...keys.values()];
      runOrDefer(key, () => checkReferences(key, openRelation(this.fk.oid), values));
    }
    this.pending.clear();
  }

  get isEmpty(): boolean {
    return this.pending.size === 0;
  }
}
const MAX_PENDING = 10000;

function checkReferences(key: ForeignKey, fk: Relation, list: readonly Datum[][]): void {
  const pk = openRelation(key.confrelid);
  for (const values of list) {
    if (!lockReferenced(key, pk, fk, values)) {
      const names = key.conkey.map((n) => fk.attributes[n - 1]!.attname).join(', ');
      const texts = values.map((v, i) => typeHooks.typeIo(fk.attributes[key.conkey[i]! - 1]!.atttypid).output(v)).join(', ');
      throw new PgError('foreign_key_violation', `insert or update on table "${fk.name}" violates foreign key constraint "${key.name}"`, {
        detail: `Key (${names})=(${texts}) is not present in table "${pk.name}".`, ...where(fk, key),
      });
    }
  }
}

/** Finds the referenced row and locks it FOR KEY SHARE. */
function lockReferenced(key: ForeignKey, pk: Relation, fk: Relation, values: readonly Datum[]): boolean {
  for (;;) {
    const rowId = findReferenced(key, pk, fk, values);
    if (rowId === undefined) {
      // It may have come since this statement's snapshot.
      if (usesTransactionSnapshot()) return false;
      requireLocks();
      advanceSnapshot(pk.shared);
      const again = findReferenced(key, pk, fk, values);
      if (again === undefined) return false;
      if (lockRows(pk, [again], 'keyshare', 'block')[0] === 'ok') return true;
      continue;
    }
    if (lockRows(pk, [rowId], 'keyshare', 'block')[0] === 'ok') return true;
  }
}

/** The referenced row by its unique index, whose columns may stand in another order than the key's. */
function findReferenced(key: ForeignKey, pk: Relation, fk: Relation, values: readonly Datum[]): RowId | undefined {
  const info = pk.indexes.find((i) => i.indexrelid === key.indexOid);
  if (info === undefined) throw new PgError('internal_error', `foreign key "${key.name}" has no index`);
  const ordered = info.keyAttributes.slice(0, info.keyCount).map((attnum) => {
    const i = key.confkey.indexOf(attnum);
    return castToKey(values[i]!, fk.attributes[key.conkey[i]! - 1]!.atttypid, pk.attributes[attnum - 1]!.atttypid);
  });
  return lookupUnique(info, encodeKey(info.columns, ordered), Infinity);
}

/** int2 to int8 and the like share their keys; numeric over integers and others go through text. */
function castToKey(value: Datum, from: number, to: number): Datum {
  if (from === to || isBinaryCoercible(from, to) || (INTEGERS.has(from) && INTEGERS.has(to)) || (FLOATS.has(from) && FLOATS.has(to))) return value;
  return typeHooks.typeIo(to).input(typeHooks.typeIo(from).output(value), -1);
}
const INTEGERS = new Set([20, 21, 23]);
const FLOATS = new Set([700, 701]);

// ---- the referenced side

/** Rows of one statement that referenced keys may be missing for when it ends. */
export class ReferencedChanges {
  private readonly pk: Relation;
  private readonly list: { old: Datum[]; new: Datum[] | null }[] = [];

  constructor(pk: Relation) {
    this.pk = pk;
  }

  /** A row was deleted (`now` null) or changed. */
  add(old: readonly Datum[], now: readonly Datum[] | null): void {
    for (const key of this.pk.referencedBy) {
      if (key.confkey.some((n) => old[n - 1] === null || old[n - 1] === undefined)) continue;
      if (now !== null && !keyChanged(key, old, now)) continue;
      this.list.push({ old: [...old], new: now === null ? null : [...now] });
      return;
    }
  }

  /** After the statement's changes have become visible. */
  finish(): void {
    const list = this.list.splice(0);
    for (const change of list) {
      for (const key of this.pk.referencedBy) {
        if (key.confkey.some((n) => change.old[n - 1] === null || change.old[n - 1] === undefined)) continue;
        if (change.new !== null && !keyChanged(key, change.old, change.new)) continue;
        act(key, this.pk, change.old, change.new);
      }
    }
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }
}

function keyChanged(key: ForeignKey, old: readonly Datum[], now: readonly Datum[]): boolean {
  return key.confkey.some((n, i) => {
    const a = old[n - 1] ?? null;
    const b = now[n - 1] ?? null;
    if (a === null || b === null) return a !== b;
    const op = operatorByOid(key.pfeqop[i]!)!;
    // pk = fk; for the same type on both sides it is the type's own =.
    return op.oprleft === op.oprright ? operatorFunction(op.oid, 100)(a, b) !== true : a !== b;
  });
}

/** NO ACTION, RESTRICT, CASCADE, SET NULL, SET DEFAULT for one referenced row that has gone or changed. */
function act(key: ForeignKey, pk: Relation, old: readonly Datum[], now: readonly Datum[] | null): void {
  // What others have inserted since our snapshot counts: a lock on the referenced row kept later ones away.
  requireLocks();
  const action = now === null ? key.onDelete : key.onUpdate;
  const fk = tryOpenRelation(key.conrelid);
  if (fk === undefined) return;
  const check = (): void => {
    if (!usesTransactionSnapshot()) advanceSnapshot(fk.shared);
    if (action === 'a' && pkStillThere(key, pk, old)) return;
    const match = referencing(key, pk, fk, old);
    if (spi.execute(`SELECT 1 FROM ONLY ${tableName(fk)} x WHERE ${match.where} LIMIT 1`, match.types, match.params) > 0) throw stillReferenced(key, pk, fk, old);
  };
  switch (action) {
    case 'a': runOrDefer(key, check); return;
    case 'r': check(); return;
    default:
  }
  if (!usesTransactionSnapshot()) advanceSnapshot(fk.shared);
  const match = referencing(key, pk, fk, old);
  if (action === 'c' && now === null) {
    spi.execute(`DELETE FROM ONLY ${tableName(fk)} x WHERE ${match.where}`, match.types, match.params);
  } else if (action === 'c') {
    const base = match.params.length;
    const sets = key.conkey.map((n, i) => `${column(fk, n)} = $${base + i + 1}`);
    spi.execute(`UPDATE ONLY ${tableName(fk)} x SET ${sets.join(', ')} WHERE ${match.where}`,
      [...match.types, ...key.confkey.map((n) => pk.attributes[n - 1]!.atttypid)], [...match.params, ...key.confkey.map((n) => now![n - 1] ?? null)]);
  } else {
    const columns = now === null && key.deleteSetColumns.length > 0 ? key.deleteSetColumns : key.conkey;
    const sets = columns.map((n) => `${column(fk, n)} = ${action === 'n' ? 'NULL' : 'DEFAULT'}`);
    spi.execute(`UPDATE ONLY ${tableName(fk)} x SET ${sets.join(', ')} WHERE ${match.where}`, match.types, match.params);
    // A default must refer to something, too: the update's own check sees to that.
  }
}

const tableName = (r: Relation): string => quoteQualifiedIdentifier(getNamespaceName(r.namespace), r.name);
const column = (r: Relation, n: number): string => quoteIdentifier(r.attributes[n - 1]!.attname);

/** "pk = fk" for every column, with the constraint's own operators. */
function referencing(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[]): { where: string; types: number[]; params: Datum[] } {
  const conditions = key.conkey.map((n, i) => {
    const op = operatorByOid(key.pfeqop[i]!)!;
    const fkType = fk.attributes[n - 1]!.atttypid;
    const cast = isBinaryCoercible(fkType, op.oprright) || fkType === op.oprright ? '' : `::${typeHooks.typeIo(op.oprright).name}`;
    return `$${i + 1} OPERATOR(${quoteIdentifier(getNamespaceName(op.oprnamespace)!)}.${op.oprname}) x.${column(fk, n)}${cast}`;
  });
  return { where: conditions.join(' AND '), types: key.confkey.map((n) => pk.attributes[n - 1]!.atttypid), params: key.confkey.map((n) => old[n - 1] ?? null) };
}

/** NO ACTION: another row may have taken the key over by now. */
function pkStillThere(key: ForeignKey, pk: Relation, old: readonly Datum[]): boolean {
  const info = openRelation(pk.oid).indexes.find((i) => i.indexrelid === key.indexOid);
  if (info === undefined) return false;
  const ordered = info.keyAttributes.slice(0, info.keyCount).map((attnum) => old[attnum - 1] ?? null);
  return lookupUnique(info, encodeKey(info.columns, ordered), Infinity) !== undefined;
}

function stillReferenced(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[]): PgError {
  const names = key.confkey.map((n) => pk.attributes[n - 1]!.attname).join(', ');
  const texts = key.confkey.map((n) => typeHooks.typeIo(pk.attributes[n - 1]!.atttypid).output(old[n - 1])).join(', ');
  return new PgError('foreign_key_violation', `update or delete on table "${pk.name}" violates foreign key constraint "${key.name}" on table "${fk.name}"`, {
    detail: `Key (${names})=(${texts}) is still referenced from table "${fk.name}".`, ...where(fk, key),
  });
}

/** ALTER TABLE ADD FOREIGN KEY, VALIDATE CONSTRAINT: every row that is there. */
export function checkExistingRows(fk: Relation, key: ForeignKey): void {
  const checks = new Map<string, Datum[]>();
  forEachRow(fk, (row) => {
    if (!needsReference(key, row, fk)) return;
    const values = key.conkey.map((n) => row[n - 1] ?? null);
    checks.set(values.map((v, i) => typeHooks.typeIo(fk.attributes[key.conkey[i]! - 1]!.atttypid).output(v)).join('\u0001'), values);
  });
  checkReferences(key, fk, [...checks.values()]);
}

