// Foreign keys (PostgreSQL's ri_triggers.c): what is checked when a referencing row comes or changes, and what is done
// when a referenced row goes or changes. They are AFTER triggers (after_triggers.ts) of the constraint, and so are the
// checks of deferrable unique keys, which stand here as well.
//
// The referenced row is locked FOR KEY SHARE until the end of the transaction, so that nobody takes it away meanwhile;
// whoever deletes a referenced row, or changes its key, has locked it FOR UPDATE and then looks for referencing rows in
// the newest snapshot. In optimistic mode the lock becomes an assertion of the commit.
import { isDeepStrictEqual } from 'node:util';
import { PgError, internalError } from '../../common/errors.ts';
import { lookupUnique } from '../access/index.ts';
import { encodeKey } from '../access/key.ts';
import { readColumn, type RowId } from '../access/row.ts';
import { fetchRow, lastChange, lockReads, lockRows } from '../access/table.ts';
import { withUser } from '../catalog/acl.ts';
import { aclcheckAttribute, aclcheckRelation } from '../catalog/aclchk.ts';
import { getArrayType, getNamespaceName, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { F_RI_FKEY_CHECK_INS, F_RI_FKEY_CHECK_UPD, F_UNIQUE_KEY_RECHECK, RI_ACTION_FUNCTIONS } from '../catalog/pg_trigger.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import type { ForeignKey, IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation, toForeignKey, tryOpenRelation } from '../catalog/relcache.ts';
import { rlsApplies, withoutForcedRls } from '../catalog/rls.ts';
import { collationByOid, constraintByOid, operatorByOid } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { partitionForValues } from '../partitioning/partbounds.ts';
import { partitionAncestors, partitionDescOf, partitionParent } from '../partitioning/partdesc.ts';
import { partitionKeyOf, partitionKeyValues } from '../partitioning/partkey.ts';
import { seenNewest } from '../transaction/snapshot.ts';
import { advanceSnapshot, amongNewest, commandCounterIncrement, currentCommandId, getStore, isOptimistic, noteTable, registerCallback, requireLocks, usesTransactionSnapshot } from '../transaction/xact.ts';
import { isNondeterministic } from '../types/collation.ts';
import { makeArray, type Datum, type Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { session } from '../utils/session.ts';
import { onForget, registerInternalTrigger, type InternalTrigger, type RowEvent } from './after_triggers.ts';
import { operatorFunction } from './fmgr_info.ts';
import { forEachRow } from './index_keys.ts';
import { recheckUnique } from './indexing.ts';
import { spi } from './spi_hook.ts';
import { rowAt, type FiringTrigger } from './trigger.ts';

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

// ---- the triggers

/** The foreign key of a trigger: as the referencing table has it. */
function keyOf({ trigger, relation }: FiringTrigger): ForeignKey {
  const referencing = relation.foreignKeys.find((k) => k.oid === trigger.constraint);
  const key = referencing ?? relation.referencedBy.find((k) => k.oid === trigger.constraint);
  if (key === undefined) throw internalError(`no pg_constraint entry for trigger "${trigger.name}" on table "${relation.name}"`);
  return key;
}

const keys = new WeakMap<FiringTrigger, ForeignKey>();
function cachedKey(firing: FiringTrigger): ForeignKey {
  let key = keys.get(firing);
  if (key === undefined) keys.set(firing, (key = keyOf(firing)));
  return key;
}

/** The referenced side of a key, and the keys that were found to be there: many rows have the same. */
class Referenced {
  readonly relation: Relation;
  /** Null: it is partitioned. */
  private readonly info: IndexInfo | null;
  /** For each column of the index the place among the key's values, and what makes it the index's type. */
  private readonly columns: readonly { from: number; cast: ((value: Datum) => Datum) | null }[];
  private readonly there = new Set<string | number>();
  private readonly key: ForeignKey;
  private readonly fk: Relation;

  constructor(key: ForeignKey, fk: Relation) {
    const pk = openRelation(key.confrelid);
    this.key = key;
    this.fk = fk;
    this.relation = pk;
    this.info = pk.kind === 'p' ? null : referencedIndex(key, pk);
    this.columns = this.info === null ? [] : this.info.keyAttributes.slice(0, this.info.keyCount).map((attnum) => {
      const from = key.confkey.indexOf(attnum);
      return { from, cast: castToKey(fk.attributes[key.conkey[from]! - 1]!.atttypid, pk.attributes[attnum - 1]!.atttypid) };
    });
  }

  /** Whether the row is there; it is locked FOR KEY SHARE then. */
  has(values: readonly Datum[]): boolean {
    const { info, there, columns } = this;
    if (info === null) {
      const leaf = referencedLeaf(this.key, this.relation, this.fk, values);
      return leaf !== null && lockByKey(leaf.info, leaf.text, leaf.relation);
    }
    // A number alone is known by itself.
    const single = values.length === 1 && typeof values[0] === 'number' ? values[0] : null;
    if (single !== null && there.has(single)) return true;
    const text = encodeKey(info.columns, columns.map(({ from, cast }) => (cast === null ? values[from]! : cast(values[from]!))));
    if (single === null && there.has(text)) return true;
    if (!lockByKey(info, text, this.relation)) return false;
    if (there.size >= MAX_KNOWN) there.clear();
    there.add(single ?? text);
    return true;
  }
}
const MAX_KNOWN = 10000;
const found = new Map<ForeignKey, Referenced>();
onForget(() => found.clear());

const isNull = (value: Datum | undefined): boolean => value === null || value === undefined;

/** A referencing row came or changed: the row it refers to must be there (RI_FKey_check). */
function checkRow({ firing, rowId, cid }: RowEvent): void {
  const { relation: fk } = firing;
  // A row that has gone or changed since needs no check, or has another event for it.
  const last = lastChange(fk, rowId);
  if (last !== undefined && (last.deleted || last.cid > cid)) return;
  const key = cachedKey(firing);
  const row = keyColumns(fk, rowId, Infinity, key.conkey);
  if (!needsReference(key, row, fk)) return;
  checkReference(key, fk, key.conkey.map((n) => row[n - 1] ?? null));
}

/** The key columns of a row by [attnum - 1], the others left out. */
function keyColumns(relation: Relation, rowId: RowId, cid: number, columns: readonly number[]): Datum[] {
  const ref = fetchRow(relation, rowId, cid);
  if (ref === undefined) throw internalError(`a row of "${relation.name}" is not there for its foreign key`);
  const row: Datum[] = [];
  for (const n of columns) row[n - 1] = readColumn(ref.bytes, ref.view, ref.offset, relation.layout, n);
  return row;
}

function checkReference(key: ForeignKey, fk: Relation, values: readonly Datum[]): void {
  let referenced = found.get(key);
  if (referenced === undefined) found.set(key, (referenced = new Referenced(key, fk)));
  if (referenced.has(values)) return;
  const pk = referenced.relation;
  const names = key.conkey.map((n) => fk.attributes[n - 1]!.attname).join(', ');
  const texts = values.map((v, i) => typeHooks.typeIo(fk.attributes[key.conkey[i]! - 1]!.atttypid).output(v)).join(', ');
  throw new PgError('foreign_key_violation', `insert or update on table "${fk.name}" violates foreign key constraint "${key.name}"`, {
    detail: mayShow(fk, key.conkey) ? `Key (${names})=(${texts}) is not present in table "${pk.name}".` : `Key is not present in table "${pk.name}".`, ...where(fk, key),
  });
}

/** Values are shown to those who may read them. */
const mayShow = (relation: Relation, columns: readonly number[]): boolean => !rlsApplies(relation.oid, 0, true)
  && (aclcheckRelation(relation.oid, session.currentUser, ACL.SELECT) || columns.every((n) => aclcheckAttribute(relation.oid, n, session.currentUser, ACL.SELECT)));

/** A referenced row has gone, or its key has changed. */
function referencedGone({ firing, op, rowId, cid }: RowEvent): void {
  const key = cachedKey(firing);
  const { relation: pk } = firing;
  const old = keyColumns(pk, rowId, cid, key.confkey);
  const moved = op === 'DELETE' ? movedRows.get(placeOf(pk, rowId, cid)) : undefined;
  if (moved === undefined || constraintByOid(key.oid)!.conparentid === 0) {
    act(key, pk, old, op === 'UPDATE' ? keyColumns(pk, rowId, cid + 1, key.confkey) : null);
    return;
  }
  const now: Datum[] = [];
  for (const n of key.confkey) now[n - 1] = moved.row[moved.root.attributes.findIndex((a) => a.attname === pk.attributes[n - 1]!.attname && !a.attisdropped)] ?? null;
  act(key, pk, old, now, { key: keyAbove(key, moved.root), pk: moved.root });
}

/** The key on the partitioned table that one on a partition comes from. */
function keyAbove(key: ForeignKey, root: Relation): ForeignKey {
  for (let row = constraintByOid(key.oid); row !== undefined; row = constraintByOid(row.conparentid)) if (row.confrelid === root.oid) return toForeignKey(row);
  return key;
}

/** Referenced rows that went to another partition in this transaction: to those who refer to them that is an UPDATE. */
const movedRows = new Map<string, { readonly root: Relation; readonly row: readonly Datum[] }>();
const forgetMoved = (): void => { if (movedRows.size > 0) movedRows.clear(); };
registerCallback({ onCommit: forgetMoved, onAbort: forgetMoved });
const placeOf = (relation: Relation, rowId: RowId, cid: number): string => `${relation.oid}:${rowId}:${cid}`;

/** A row of a partition of `root` is about to be deleted there and inserted elsewhere, as `row` of the root. */
export function noteMovedRow(partition: Relation, rowId: RowId, root: Relation, row: readonly Datum[]): void {
  if (partition.referencedBy.length === 0) return;
  for (const oid of partitionAncestors(partition.oid)) {
    if (oid === root.oid) break;
    const ancestor = openRelation(oid);
    if (!ancestor.referencedBy.some((k) => constraintByOid(k.oid)!.conparentid === 0)) continue;
    throw new PgError('feature_not_supported', 'cannot move tuple across partitions when a non-root ancestor of the source partition is directly referenced in a foreign key', {
      detail: `A foreign key points to ancestor "${ancestor.name}" but not the root ancestor "${root.name}".`, hint: `Consider defining the foreign key on table "${root.name}".`,
    });
  }
  movedRows.set(placeOf(partition, rowId, currentCommandId()), { root, row });
}

const referencing: InternalTrigger = {
  wanted(firing, old, now, own) {
    const key = cachedKey(firing);
    if (key.matchType === 's' ? key.conkey.some((n) => isNull(now![n - 1])) : key.conkey.every((n) => isNull(now![n - 1]))) return false;
    // The event of a row of this very transaction may have been left to this one.
    return old === null || own || key.conkey.some((n, i) => differs(key.ffeqop[i]!, firing.relation.attributes[n - 1]!.atttypid, old[n - 1] ?? null, now![n - 1] ?? null));
  },
  fire: checkRow,
};
const UPDATE_ACTIONS: ReadonlySet<Oid> = new Set(Object.values(RI_ACTION_FUNCTIONS).map(({ upd }) => upd));
const referenced: InternalTrigger = {
  wanted(firing, old, now) {
    const key = cachedKey(firing);
    if (key.confkey.some((n) => isNull(old![n - 1]))) return false;
    return now === null || keyChanged(key, old!, now);
  },
  // A row that went to another partition: what is to be done then may be deferrable, unlike what deleting it asks for.
  insteadOf({ trigger, relation }, set, op, rowId) {
    if (op !== 'DELETE' || movedRows.size === 0 || !movedRows.has(placeOf(relation, rowId, currentCommandId())) || constraintByOid(trigger.constraint)!.conparentid === 0) return undefined;
    return set.afterRow.UPDATE.find((f) => f.trigger.constraint === trigger.constraint && UPDATE_ACTIONS.has(f.trigger.foid));
  },
  fire: referencedGone,
  mayBatch: ({ firing, op }) => op === 'DELETE' && movedRows.size === 0 && cascadesPlainly(cachedKey(firing), firing.relation),
  fireBatch: deleteReferencing,
};
for (const foid of [F_RI_FKEY_CHECK_INS, F_RI_FKEY_CHECK_UPD]) registerInternalTrigger(foid, referencing);
for (const { del, upd } of Object.values(RI_ACTION_FUNCTIONS)) for (const foid of [del, upd]) registerInternalTrigger(foid, referenced);

registerInternalTrigger(F_UNIQUE_KEY_RECHECK, {
  wanted: ({ trigger }, _old, _now, _own, recheck) => recheck !== null && recheck.includes(trigger.constrindid),
  fire({ firing, rowId }) {
    const { relation, trigger } = firing;
    // A row that was changed since is looked at as it is: a change that left its key alone has no event of its own.
    if (lastChange(relation, rowId)?.deleted === true) return;
    recheckUnique(relation, trigger.constrindid, rowAt(relation, rowId, Infinity), rowId);
  },
});

// ---- finding the referenced row

/** The partition that a referenced row must be in: the key has all columns of the partition key. */
function referencedLeaf(key: ForeignKey, root: Relation, fk: Relation, values: readonly Datum[]): { relation: Relation; info: IndexInfo; text: string } | null {
  let relation = root;
  let index = key.indexOid;
  const named = new Map(key.confkey.map((n, i) => [root.attributes[n - 1]!.attname, asKey(values[i]!, fk.attributes[key.conkey[i]! - 1]!.atttypid, root.attributes[n - 1]!.atttypid)]));
  while (relation.kind === 'p') {
    const partitionKey = partitionKeyOf(relation);
    const row = relation.attributes.map((a): Datum => named.get(a.attname) ?? null);
    const desc = partitionDescOf(relation);
    const n = partitionForValues(partitionKey, desc.bounds, partitionKeyValues(partitionKey, row));
    if (n < 0) return null;
    relation = openRelation(desc.oids[n]!);
    const part = relation.indexes.find((i) => partitionParent(i.indexrelid) === index);
    if (part === undefined) throw internalError(`foreign key "${key.name}" has no index`);
    index = part.indexrelid;
  }
  const info = relation.indexes.find((i) => i.indexrelid === index)!;
  return { relation, info, text: encodeKey(info.columns, info.keyAttributes.slice(0, info.keyCount).map((n) => named.get(relation.attributes[n - 1]!.attname) ?? null)) };
}

function lockByKey(info: IndexInfo, text: string, pk: Relation): boolean {
  if (isOptimistic()) noteTable(pk.oid, ROW_SHARE_LOCK, pk.shared);
  else lockReads([{ oid: pk.oid, mode: ROW_SHARE_LOCK }]);
  for (;;) {
    const rowId = lookupUnique(info, text, Infinity);
    if (rowId === undefined) {
      // It may have come since this statement's snapshot.
      if (usesTransactionSnapshot()) return false;
      requireLocks();
      advanceSnapshot(pk.shared);
      const again = lookupUnique(info, text, Infinity);
      if (again === undefined) return false;
      if (lockRows(pk, [again], 'keyshare', 'block', null, 'update')[0] === 'ok') return true;
      continue;
    }
    if (lockRows(pk, [rowId], 'keyshare', 'block', null, 'update')[0] === 'ok') return true;
  }
}

function referencedIndex(key: ForeignKey, pk: Relation): IndexInfo {
  const info = pk.indexes.find((i) => i.indexrelid === key.indexOid);
  if (info === undefined) throw internalError(`foreign key "${key.name}" has no index`);
  return info;
}

/** int2 to int8 and the like share their keys; numeric over integers and others go through text. Null: nothing to do. */
function castToKey(from: Oid, to: Oid): ((value: Datum) => Datum) | null {
  if (from === to || isBinaryCoercible(from, to) || (INTEGERS.has(from) && INTEGERS.has(to)) || (FLOATS.has(from) && FLOATS.has(to))) return null;
  return (value) => typeHooks.typeIo(to).input(typeHooks.typeIo(from).output(value), -1);
}
const asKey = (value: Datum, from: Oid, to: Oid): Datum => castToKey(from, to)?.(value) ?? value;
const ROW_SHARE_LOCK = 2;
const INTEGERS = new Set([20, 21, 23]);
const FLOATS = new Set([700, 701]);

// ---- the referenced side

/** Whether the referenced key has become another: bit by bit, for what = takes for equal may not be so to the other side. */
const keyChanged = (key: ForeignKey, old: readonly Datum[], now: readonly Datum[]): boolean => key.confkey.some((n) => {
  const a = old[n - 1] ?? null, b = now[n - 1] ?? null;
  return !Object.is(a, b) && (a === null || b === null || typeof a !== 'object' || !isDeepStrictEqual(a, b));
});

/** Whether the referencing key has become another one. To say so of equal ones costs a check, no more. */
function differs(equals: Oid, type: Oid, a: Datum, b: Datum): boolean {
  if (a === null || b === null) return a !== b;
  if (Object.is(a, b)) return false;
  const { oprleft } = operatorByOid(equals)!;
  return (oprleft !== type && !isBinaryCoercible(type, oprleft)) || operatorFunction(equals, DEFAULT_COLLATION)(a, b) !== true;
}
const DEFAULT_COLLATION = 100;

/** NO ACTION, RESTRICT, CASCADE, SET NULL, SET DEFAULT for one referenced row that has gone or changed. */
function act(key: ForeignKey, pk: Relation, old: readonly Datum[], now: readonly Datum[] | null, report = { key, pk }): void {
  // What others have inserted since our snapshot counts: a lock on the referenced row kept later ones away.
  requireLocks();
  const action = now === null ? key.onDelete : key.onUpdate;
  const fk = tryOpenRelation(key.conrelid);
  if (fk === undefined) return;
  if (action === 'a' || action === 'r') {
    lockReads([{ oid: fk.oid, mode: ROW_SHARE_LOCK }]);
    amongNewest(fk.shared, () => restrict(key, pk, fk, old, action, report));
    return;
  }
  if (!usesTransactionSnapshot()) advanceSnapshot(fk.shared);
  const where = usesTransactionSnapshot() && !getStore(fk.shared).isNewest() ? stillMatching(key, pk, fk, old) : '';
  const change = (text: string, types: readonly Oid[], params: readonly Datum[]): unknown => runAsOwner(fk, text + where, types, params, text);
  found.clear();
  commandCounterIncrement();
  if (action === 'c' && now === null) {
    const match = matching(key, pk, fk, old, 0);
    change(`DELETE FROM ${onlyTable(fk)} WHERE ${match.where}`, match.types, match.params);
  } else if (action === 'c') {
    const match = matching(key, pk, fk, old, key.conkey.length);
    const sets = key.conkey.map((n, i) => `${column(fk, n)} = $${i + 1}`);
    change(`UPDATE ${onlyTable(fk)} SET ${sets.join(', ')} WHERE ${match.where}`,
      [...match.types, ...match.types], [...key.confkey.map((n) => now![n - 1] ?? null), ...match.params]);
  } else {
    const match = matching(key, pk, fk, old, 0);
    const columns = now === null && key.deleteSetColumns.length > 0 ? key.deleteSetColumns : key.conkey;
    const sets = columns.map((n) => `${column(fk, n)} = ${action === 'n' ? 'NULL' : 'DEFAULT'}`);
    change(`UPDATE ${onlyTable(fk)} SET ${sets.join(', ')} WHERE ${match.where}`, match.types, match.params);
    // Rows that had the default before look unchanged; the key they refer to may be the one that has gone.
    if (action === 'd') {
      commandCounterIncrement();
      amongNewest(fk.shared, () => restrict(key, pk, fk, old, 'a', report));
    }
  }
  commandCounterIncrement();
}

/** Whether ON DELETE CASCADE may take the rows of many keys at once: nothing but the foreign keys themselves is told of a row that goes,
 * down to the last table, and none of those refuses. */
function cascadesPlainly(key: ForeignKey, pk: Relation): boolean {
  const fk = tryOpenRelation(key.conrelid);
  if (fk === undefined || key.conkey.length !== 1 || usesTransactionSnapshot()) return false;
  const type = pk.attributes[key.confkey[0]! - 1]!.atttypid, { oprleft, oprright } = operatorByOid(key.pfeqop[0]!)!;
  return type === fk.attributes[key.conkey[0]! - 1]!.atttypid && type === oprleft && type === oprright && getArrayType(type) !== 0 && goesQuietly(key, fk, new Set());
}

function goesQuietly(key: ForeignKey, fk: Relation, seen: Set<Oid>): boolean {
  if (key.onDelete !== 'c' || fk.kind !== 'r' || fk.hasRules || fk.triggers.some((t) => !t.isInternal)) return false;
  if (seen.has(fk.oid)) return true;
  seen.add(fk.oid);
  return fk.referencedBy.every((next) => {
    const table = tryOpenRelation(next.conrelid);
    return table === undefined || goesQuietly(next, table, seen);
  });
}

/** ON DELETE CASCADE for many referenced rows that have gone. */
function deleteReferencing(events: readonly RowEvent[]): void {
  requireLocks();
  const { firing } = events[0]!, key = cachedKey(firing), { relation: pk } = firing, fk = openRelation(key.conrelid);
  advanceSnapshot(fk.shared);
  found.clear();
  const n = key.confkey[0]!, values = events.map(({ rowId, cid }) => keyColumns(pk, rowId, cid, key.confkey)[n - 1]!);
  commandCounterIncrement();
  const type = pk.attributes[n - 1]!.atttypid, op = operatorByOid(key.pfeqop[0]!)!, single = matching(key, pk, fk, [], 0);
  const from = `DELETE FROM ${onlyTable(fk)} WHERE`;
  runAsOwner(fk, `${from} ${column(fk, key.conkey[0]!)} OPERATOR(${quoteIdentifier(getNamespaceName(op.oprnamespace)!)}.${op.oprname}) ANY ($1${collation(pk, n, fk, key.conkey[0]!)})`,
    [getArrayType(type)], [makeArray(type, values)], `${from} ${single.where}`);
  commandCounterIncrement();
}

/** The stricter levels cannot act on rows that they do not see; and those that others have taken away from the key since are none of
 * its concern: the rest, as a condition. */
function stillMatching(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[]): string {
  const match = matching(key, pk, fk, old, 0);
  const rows = (): string[] => {
    const ids: string[] = [];
    withUser(fk.owner, () => withoutForcedRls(() => spi.execute(`SELECT tableoid, ctid::text FROM ${onlyTable(fk)} x WHERE ${match.where}`, match.types, match.params, (row) => ids.push(row.join()) > 0)));
    return ids;
  };
  const seen = new Set(rows()), there = seenNewest(fk.shared, rows);
  if (there.some((id) => !seen.has(id))) throw new PgError('serialization_failure', 'could not serialize access due to concurrent update');
  return there.length === seen.size ? '' : ` AND ${there.length === 0 ? 'false' : `(tableoid, ctid) IN (${there.map((id) => id.replace(/^(\d+),(.*)$/, "($1, '$2')")).join()})`}`;
}

/** `report`: how the error calls key and table. */
function restrict(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[], action: 'a' | 'r', report: { key: ForeignKey; pk: Relation }): void {
  if (action === 'a' && pkStillThere(key, pk, old)) return;
  const match = matching(key, pk, fk, old, 0);
  if (runAsOwner(fk, `SELECT 1 FROM ${onlyTable(fk)} x WHERE ${match.where} LIMIT 1`, match.types, match.params) > 0) throw stillReferenced(key, pk, fk, old, report);
}

/** Runs a query with the rights of a table's owner; the events of what it changes belong to the query around it. `shown`: what errors
 * call it. */
function runAsOwner(relation: Relation, text: string, types: readonly Oid[], params: readonly Datum[], shown = text): number {
  try {
    return withUser(relation.owner, () => withoutForcedRls(() => spi.execute(text, types, params, undefined, true)));
  } catch (error) {
    if (error instanceof PgError) {
      const line = `SQL statement "${shown}"`;
      error.fields = { ...error.fields, where: error.fields.where === undefined ? line : `${error.fields.where}\n${line}` };
    }
    throw error;
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A partitioned table with its partitions, others alone. */
const onlyTable = (r: Relation): string => `${r.kind === 'p' ? '' : 'ONLY '}${tableName(r)}`;
const tableName = (r: Relation): string => `${quoted(getNamespaceName(r.namespace) ?? '')}.${quoted(r.name)}`;
const column = (r: Relation, n: number): string => quoted(r.attributes[n - 1]!.attname);

/** What is equal is what the referenced column's collation finds equal, if that is more than what is the same. */
function collation(pk: Relation, pkColumn: number, fk: Relation, fkColumn: number): string {
  const of = pk.attributes[pkColumn - 1]!.attcollation;
  if (of === fk.attributes[fkColumn - 1]!.attcollation || !isNondeterministic(of)) return '';
  const { collname, collnamespace } = collationByOid(of)!;
  return ` COLLATE ${quoted(getNamespaceName(collnamespace)!)}.${quoted(collname)}`;
}

/** "pk = fk" for every column, with the constraint's own operators; parameters from number `base` + 1 on. */
function matching(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[], base: number): { where: string; types: number[]; params: Datum[] } {
  const conditions = key.conkey.map((n, i) => {
    const op = operatorByOid(key.pfeqop[i]!)!;
    const fkType = fk.attributes[n - 1]!.atttypid;
    const cast = isBinaryCoercible(fkType, op.oprright) || fkType === op.oprright ? '' : `::${typeHooks.typeIo(op.oprright).name}`;
    return `$${base + i + 1} OPERATOR(${quoteIdentifier(getNamespaceName(op.oprnamespace)!)}.${op.oprname}) ${column(fk, n)}${cast}${collation(pk, key.confkey[i]!, fk, n)}`;
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

function stillReferenced(key: ForeignKey, pk: Relation, fk: Relation, old: readonly Datum[], report = { key, pk }): PgError {
  const names = key.confkey.map((n) => pk.attributes[n - 1]!.attname).join(', ');
  const texts = key.confkey.map((n) => typeHooks.typeIo(pk.attributes[n - 1]!.atttypid).output(old[n - 1])).join(', ');
  return new PgError('foreign_key_violation', `update or delete on table "${report.pk.name}" violates foreign key constraint "${report.key.name}" on table "${fk.name}"`, {
    detail: mayShow(pk, key.confkey) ? `Key (${names})=(${texts}) is still referenced from table "${fk.name}".` : `Key is still referenced from table "${fk.name}".`, ...where(fk, key),
  });
}

/** DETACH PARTITION: an error when a row refers to one of the partition's. */
export function checkNoReferences(partition: Relation, key: ForeignKey): void {
  const fk = openRelation(key.conrelid);
  const on = key.conkey.map((n, i) => {
    const op = operatorByOid(key.pfeqop[i]!)!;
    return `p.${column(partition, key.confkey[i]!)} OPERATOR(${quoteIdentifier(getNamespaceName(op.oprnamespace)!)}.${op.oprname}) x.${column(fk, n)}${collation(partition, key.confkey[i]!, fk, n)}`;
  });
  const text = `SELECT ${key.confkey.map((n) => `p.${column(partition, n)}`).join(', ')} FROM ${onlyTable(fk)} x JOIN ${tableName(partition)} p ON ${on.join(' AND ')} LIMIT 1`;
  let referenced: Datum[] | null = null;
  withUser(fk.owner, () => withoutForcedRls(() => spi.execute(text, [], [], (row) => { referenced = row; return false; })));
  if (referenced === null) return;
  const old: Datum[] = [];
  key.confkey.forEach((n, i) => { old[n - 1] = referenced![i]!; });
  const { fields } = stillReferenced(key, partition, fk, old);
  throw new PgError('foreign_key_violation', `removing partition "${partition.name}" violates foreign key constraint "${key.name}"`, fields);
}

/** ALTER TABLE ADD FOREIGN KEY, VALIDATE CONSTRAINT: every row that is there. */
export function checkExistingRows(fk: Relation, key: ForeignKey): void {
  found.clear();
  if (fk.kind === 'p') {
    // The partitions have constraints of their own.
    for (const oid of partitionDescOf(fk).oids) {
      const partition = openRelation(oid);
      for (const own of partition.foreignKeys) if (constraintByOid(own.oid)?.conparentid === key.oid) checkExistingRows(partition, own);
    }
    return;
  }
  forEachRow(fk, (row) => {
    if (needsReference(key, row, fk)) checkReference(key, fk, key.conkey.map((n) => row[n - 1] ?? null));
  });
  found.clear();
}
