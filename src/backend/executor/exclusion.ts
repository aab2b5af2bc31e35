// Exclusion constraints (check_exclusion_or_unique_constraint of PostgreSQL's execIndexing.c): no two rows for which all of the
// constraint's operators are true. Of the index's leading columns those with an equality and the one after them say where to look.
//
// Two transactions that enter rows at the same time: each locks what the equalities say (without any: the whole
// constraint), so that the second waits for the first and then sees its row.
import { PgError } from '../../common/errors.ts';
import { beginIndexScan } from '../access/index.ts';
import { encodeKey, encodePrefix } from '../access/key.ts';
import { lossyRows, type LossyCondition } from '../access/spatial.ts';
import { PROVISIONAL_BLOCK, blockOf, readRow, type RowId } from '../access/row.ts';
import { fetchLatest, lockRows } from '../access/table.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { managerClient } from '../transaction/client.ts';
import { amongNewest, isStale, requireLocks, usesTransactionSnapshot } from '../transaction/xact.ts';
import { opFamilyEntry, typeOperators } from '../catalog/lsyscache.ts';
import type { Datum } from '../types/datum.ts';
import { operatorFunction } from './fmgr_info.ts';
import { IndexKeys, forEachRow, mayShowKey, schemaName } from './index_keys.ts';

interface Plan {
  /** How many leading columns must be equal. */
  readonly equals: number;
  readonly conditions: readonly LossyCondition[];
  readonly operators: readonly ((a: Datum, b: Datum) => Datum)[];
}
const plans = new WeakMap<IndexInfo, Plan>();

function planOf(info: IndexInfo): Plan {
  let plan = plans.get(info);
  if (plan !== undefined) return plan;
  const operators = info.exclusion!;
  let equals = 0;
  while (equals < operators.length && typeOperators(info.columns[equals]!.typeOid).eqOpr === operators[equals]) equals++;
  plan = {
    equals,
    conditions: operators.map((opno, i) => ({ column: i + 1, strategy: opFamilyEntry(opno, info.columns[i]!.opfamily)?.amopstrategy ?? 0, equal: i < equals })),
    operators: info.exclusion!.map((opno, i) => operatorFunction(opno, info.columns[i]!.collation)),
  };
  plans.set(info, plan);
  return plan;
}

/** Another row that must not be there beside this one, and its values. */
function conflict(keys: IndexKeys, values: readonly Datum[], rowId: RowId | null): { rowId: RowId; values: Datum[] } | null {
  const { info } = keys, { equals, conditions, operators } = planOf(info);
  const table = openRelation(info.indrelid);
  const isOther = (other: RowId): Datum[] | null => {
    if (other === rowId) return null;
    const ref = fetchLatest(table, other);
    const found = ref === undefined ? null : keys.valuesOf(readRow(ref.bytes, ref.view, ref.offset, table.layout));
    return found !== null && !found.includes(null) && operators.every((op, i) => op(found[i]!, values[i]!) === true) ? [...found] : null;
  };
  for (const other of equals === values.length ? equalRows(info, values) : lossyRows(info, conditions, values, Infinity)) {
    const found = isOther(other);
    if (found !== null) return { rowId: other, values: found };
  }
  return null;
}

function equalRows(info: IndexInfo, values: readonly Datum[]): RowId[] {
  const key = encodeKey(info.columns, values), rows: RowId[] = [];
  const scan = beginIndexScan(info, { from: key, fromInclusive: true, to: key, toInclusive: true }, false, Infinity);
  while (scan.next()) rows.push(scan.rowId);
  return rows;
}

/** The same among the newest rows. */
const newestConflict = (keys: IndexKeys, values: readonly Datum[], rowId: RowId | null): { rowId: RowId; values: Datum[] } | null =>
  amongNewest(keys.info.index.shared, () => conflict(keys, values, rowId));

/** Whoever enters a row that could be in the way of this one is waited for. */
function lockAgainstOthers(info: IndexInfo, values: readonly Datum[]): boolean {
  requireLocks();
  const { shared, filenode } = info.index;
  const key = encodePrefix(info.columns, values.slice(0, planOf(info).equals));
  const answer = managerClient(shared).acquireLock({ kind: 'key', index: filenode, key: key.length > 400 ? '' : key });
  return answer.kind === 'granted' && isStale(answer, shared);
}

/** A row that was just entered. Throws 23P01, or says whether a deferrable constraint must be looked at later. */
export function mayExclude(keys: IndexKeys, row: readonly Datum[], rowId: RowId): boolean {
  const found = keys.valuesOf(row);
  if (found === null || found.includes(null)) return false;
  const values = [...found];
  const stale = lockAgainstOthers(keys.info, values);
  if (!keys.info.immediate) return (stale ? newestConflict(keys, values, rowId) : conflict(keys, values, rowId)) !== null;
  if (!stale && conflict(keys, values, rowId) === null) return false;
  refuseConflict(keys, values, rowId);
  return false;
}

/** The deferred check. */
export function refuseExcluded(keys: IndexKeys, row: readonly Datum[], rowId: RowId): void {
  const found = keys.valuesOf(row);
  if (found !== null && !found.includes(null)) refuseConflict(keys, [...found], rowId);
}

/** For ON CONFLICT: a row that stands in the way of one that is not entered yet. */
export function excludedBy(keys: IndexKeys, row: readonly Datum[]): RowId | undefined {
  const found = keys.valuesOf(row);
  if (found === null || found.includes(null)) return undefined;
  const values = [...found];
  const stale = lockAgainstOthers(keys.info, values);
  return (stale ? newestConflict(keys, values, null) : conflict(keys, values, null))?.rowId;
}

function refuseConflict(keys: IndexKeys, values: readonly Datum[], rowId: RowId): void {
  const table = openRelation(keys.info.indrelid);
  for (;;) {
    const other = newestConflict(keys, values, rowId);
    if (other === null) return;
    // The other one may just be going: whoever deletes it is waited for.
    if (blockOf(other.rowId) >= PROVISIONAL_BLOCK || usesTransactionSnapshot() || lockRows(table, [other.rowId], 'keyshare', 'block')[0] === 'ok') {
      throw violation(table, keys, `conflicting key value violates exclusion constraint "${keys.info.index.name}"`, 'conflicts with existing key', values, other.values);
    }
  }
}

function violation(table: Relation, keys: IndexKeys, message: string, words: string, values: readonly Datum[], others: readonly Datum[]): PgError {
  const { info } = keys;
  return new PgError('exclusion_violation', message, {
    detail: mayShowKey(table, info) ? `Key ${keys.describeValues(values)} ${words} ${keys.describeValues(others)}.` : undefined,
    schema: schemaName(table), table: table.name, constraint: info.index.name,
  });
}

/** A constraint on rows that are there (IndexCheckExclusion). */
export function checkExclusion(table: Relation, keys: IndexKeys): void {
  forEachRow(table, (row, rowId) => {
    const found = keys.valuesOf(row);
    if (found === null || found.includes(null)) return;
    const values = [...found];
    const other = conflict(keys, values, rowId);
    if (other !== null) throw violation(table, keys, `could not create exclusion constraint "${keys.info.index.name}"`, 'conflicts with key', values, other.values);
  });
}
