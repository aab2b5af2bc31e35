// Exclusion constraints (check_exclusion_or_unique_constraint of PostgreSQL's execIndexing.c): no two rows for which all of the
// constraint's operators are true. The index has one entry a row, ordered by the columns with an equality first, so that
// only rows equal in those are looked at; overlapping ranges are looked for from above, and what lies wholly before the new
// one ends the search, since ranges that are there do not overlap.
//
// Two transactions that enter rows at the same time: each locks what the equalities say (without any: the whole
// constraint), so that the second waits for the first and then sees its row.
import { PgError } from '../../common/errors.ts';
import { beginIndexScan } from '../access/index.ts';
import { encodeBound, encodeKey, encodePrefix, successor } from '../access/key.ts';
import { PROVISIONAL_BLOCK, blockOf, readRow, type RowId } from '../access/row.ts';
import { fetchLatest, lockRows } from '../access/table.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { managerClient } from '../transaction/client.ts';
import { amongNewest, isStale, requireLocks, usesTransactionSnapshot } from '../transaction/xact.ts';
import { typeOperators } from '../catalog/lsyscache.ts';
import { RangeValue, type Datum } from '../types/datum.ts';
import { functionInfo, operator, operatorFunction } from './fmgr_info.ts';
import { IndexKeys, forEachRow, mayShowKey, schemaName } from './index_keys.ts';

interface Plan {
  /** How many leading columns must be equal. */
  readonly equals: number;
  /** The column after them is the last, and holds ranges that must not overlap. */
  readonly overlap: boolean;
  readonly operators: readonly ((a: Datum, b: Datum) => Datum)[];
}
const plans = new WeakMap<IndexInfo, Plan>();

function planOf(info: IndexInfo): Plan {
  let plan = plans.get(info);
  if (plan !== undefined) return plan;
  const sources = info.exclusion!.map((opno) => functionInfo(operator(opno).oprcode).prosrc);
  let equals = 0;
  while (equals < sources.length && typeOperators(info.columns[equals]!.typeOid).eqOpr === info.exclusion![equals]) equals++;
  plan = {
    equals, overlap: equals === sources.length - 1 && sources[equals] === 'range_overlaps',
    operators: info.exclusion!.map((opno, i) => operatorFunction(opno, info.columns[i]!.collation)),
  };
  plans.set(info, plan);
  return plan;
}

/** Flags of a range. */
const EMPTY = 1, LOWER_INCLUSIVE = 2, UPPER_INFINITE = 16;

/** Another row that must not be there beside this one, and its values. */
function conflict(keys: IndexKeys, values: readonly Datum[], rowId: RowId | null): { rowId: RowId; values: Datum[] } | null {
  const { info } = keys;
  const { equals, overlap, operators } = planOf(info);
  const table = openRelation(info.indrelid);
  const prefix = (equals === values.length ? encodeKey : encodePrefix)(info.columns, values.slice(0, equals));
  let to = prefix === '' ? null : successor(prefix);
  const range = overlap ? values[equals] as RangeValue : null;
  if (range !== null) {
    if ((range.flags & EMPTY) !== 0) return null;
    if ((range.flags & UPPER_INFINITE) === 0) {
      // Nothing that begins behind its end can overlap it.
      const behind = new RangeValue(range.typeOid, range.upper, null, LOWER_INCLUSIVE | UPPER_INFINITE);
      to = successor(prefix + encodeBound([info.columns[equals]!], [behind]).key);
    }
  }
  let found: { rowId: RowId; values: Datum[] } | null = null;
  const ownKey = range === null ? '' : encodeBound(info.columns, values).key;
  const scan = beginIndexScan(info, { from: prefix, fromInclusive: true, to, toInclusive: false }, range !== null, Infinity);
  try {
    while (scan.next()) {
      if (scan.rowId === rowId) continue;
      const ref = fetchLatest(table, scan.rowId);
      if (ref === undefined) continue;
      const other = keys.valuesOf(readRow(ref.bytes, ref.view, ref.offset, table.layout));
      if (other === null || other.includes(null)) continue;
      if (operators.every((op, i) => op(other[i]!, values[i]!) === true)) {
        found = { rowId: scan.rowId, values: [...other] };
        if (range === null) break; // ranges: the first of them is told
      } else if (range !== null && scan.key < ownKey) break;
    }
    return found;
  } finally {
    scan.close();
  }
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
