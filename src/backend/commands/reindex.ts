// REINDEX (PostgreSQL's indexcmds.c). CONCURRENTLY does the same as without; what it must refuse is refused, and where it fails it
// leaves the new indexes it would have made, not valid.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import { markIndexBuilt } from '../catalog/index.ts';
import { catalogScanAll } from '../catalog/indexing.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { getNamespaceOid, isOtherTemp, rangeVarGetRelid, refuseOtherTemp } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { chooseRelationName } from '../catalog/pg_constraint.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../catalog/relcache.ts';
import { setNewFilenode } from '../catalog/storage.ts';
import { attributesOf, indexByOid } from '../catalog/syscache.ts';
import { buildIndex } from '../executor/indexing.ts';
import { ddlNotice, transformIndexStmt } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { rawParse } from '../parser/raw_parser.ts';
import { indexdef } from '../rewrite/ruleutils/indexdef.ts';
import { commandCounterIncrement, commitAndGoOn } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { BITOID, BPCHAROID, NUMERICOID, VARBITOID, VARCHAROID } from '../types/oids.ts';
import { session } from '../utils/session.ts';
import { defGetString } from './def_elem.ts';
import { defineInvalidIndex, leavingInvalid } from './indexcmds.ts';
import { readFlags, report, rusage, usageSince } from './maintenance.ts';
import { allChildren } from './tablecmds.ts';
import { getTablespaceOid } from '../catalog/objectaddress.ts';
import { checkedTablespace } from '../catalog/pg_tablespace.ts';
import { setRelationTablespace } from './tablespace.ts';

const SHARE_LOCK = 5, ACCESS_EXCLUSIVE_LOCK = 8;
const FIRST_NORMAL_OID = 16384;

/** `tablespace`: where the indexes go (0: the database's own), undefined: they stay. */
interface How { verbose: boolean; concurrently: boolean; tablespace: Oid | undefined }

function reindex(stmt: RawNode, context: UtilityContext): void {
  const options = readFlags((stmt['params'] ?? []) as RawNode[], ['verbose', 'concurrently', 'tablespace'], 'REINDEX', context.text, { tablespace: () => true });
  const concurrently = options.has('concurrently'), given = options.get('tablespace');
  if (concurrently) preventInTransactionBlock(context, 'REINDEX CONCURRENTLY');
  const how = { verbose: options.has('verbose'), concurrently, tablespace: given ? checkedTablespace(getTablespaceOid(defGetString(given))) : undefined };
  switch (stmt['kind']) {
    case 'REINDEX_OBJECT_INDEX': return reindexIndex(rangeVarGetRelid(stmt['relation']), how, context);
    case 'REINDEX_OBJECT_TABLE': return reindexTable(rangeVarGetRelid(stmt['relation']), how, context);
    default: return reindexMany(stmt, how, context);
  }
}

function reindexIndex(oid: Oid, how: How, context: UtilityContext): void {
  const relation = openRelation(oid);
  if (relation.kind !== 'i' && relation.kind !== 'I') throw new PgError('wrong_object_type', `"${relation.name}" is not an index`);
  requireOwner(ids.RelationRelationId, oid);
  refuseCatalog(relation, how);
  if (relation.kind === 'I') {
    oncePerPartition(context, 'REINDEX INDEX', `while reindexing partitioned index "${qualified(relation)}"`);
    for (const part of allChildren(oid)) if (openRelation(part).kind === 'i') reindexIndexes(locked(openRelation(indexByOid(part)!.indrelid))!, [part], how);
    return;
  }
  if (how.concurrently && relation.persistence !== 't' && relation.indexInfo!.exclusion !== null) throw new PgError('feature_not_supported', 'concurrent index creation for exclusion constraints is not supported');
  const table = locked(openRelation(indexByOid(oid)!.indrelid));
  if (table === undefined || tryOpenRelation(oid) === undefined) throw new PgError('undefined_table', `relation "${relation.name}" does not exist`);
  reindexIndexes(table, [oid], how);
}

function reindexTable(oid: Oid, how: How, context: UtilityContext): void {
  const table = openRelation(oid);
  if (!'rmp'.includes(table.kind)) throw new PgError('wrong_object_type', `"${table.name}" is not a table or materialized view`);
  requireOwner(ids.RelationRelationId, table.oid);
  refuseCatalog(table, how);
  if (table.kind === 'p') {
    oncePerPartition(context, 'REINDEX TABLE', `while reindexing partitioned table "${qualified(table)}"`);
    for (const part of allChildren(table.oid)) if (openRelation(part).kind === 'r') reindexWhole(openRelation(part), how);
    return;
  }
  if (locked(table) === undefined) throw new PgError('undefined_table', `relation "${table.name}" does not exist`);
  const concurrently = how.concurrently && table.persistence !== 't';
  const left = concurrently ? concurrentIndexes(table) : table.indexes;
  if (left.length === 0 && !needsToastTable(table.oid)) ddlNotice(`table "${table.name}" has no indexes ${concurrently ? 'that can be reindexed concurrently' : 'to reindex'}`);
  reindexIndexes(table, left.map((i) => i.indexrelid), how);
}

const HEADER_BYTES = 23, TOAST_THRESHOLD = 2032, BYTES_PER_CHARACTER = 4;

/** needs_toast_table: whether PostgreSQL would keep long values of the table elsewhere, with an index that counts here. */
function needsToastTable(oid: Oid): boolean {
  const aligned = (n: number): number => Math.ceil(n / 8) * 8;
  const columns = attributesOf(oid).filter((a) => a.attnum > 0 && !a.attisdropped);
  let length = 0;
  for (const a of columns) {
    const most = a.attlen > 0 ? a.attlen : a.atttypmod < 0 ? Infinity
      : [BPCHAROID, VARCHAROID].includes(a.atttypid) ? (a.atttypmod - 4) * BYTES_PER_CHARACTER + 4
      : a.atttypid === NUMERICOID ? 8 + 2 * Math.floor((((a.atttypmod - 4) >> 16) + 6) / 4)
      : [BITOID, VARBITOID].includes(a.atttypid) ? Math.ceil(a.atttypmod / 8) + 8 : Infinity;
    length += most;
  }
  return columns.some((a) => a.attlen < 0 && a.attstorage !== 'p') && aligned(HEADER_BYTES + Math.ceil(columns.length / 8)) + aligned(length) > TOAST_THRESHOLD;
}

/** Those that CONCURRENTLY does; it warns of the others. */
function concurrentIndexes(table: Relation): readonly IndexInfo[] {
  return table.indexes.filter((info) => {
    if (!info.valid) report('WARNING', `cannot reindex invalid index "${qualified(info.index)}" concurrently, skipping`, undefined, 'feature_not_supported');
    else if (info.exclusion === null) return true;
    else report('WARNING', `cannot reindex exclusion constraint index "${qualified(info.index)}" concurrently, skipping`, undefined, 'feature_not_supported');
    return false;
  });
}

/** Each partition is a transaction of its own. */
function oncePerPartition(context: UtilityContext, command: string, where: string): void {
  try {
    preventInTransactionBlock(context, command);
  } catch (error) {
    if (error instanceof PgError) error.fields.where = where;
    throw error;
  }
}

function refuseCatalog(relation: Relation, how: How): void {
  if (how.tablespace !== undefined && relation.oid < FIRST_NORMAL_OID) throw new PgError('feature_not_supported', `cannot move system relation "${relation.name}"`);
  if (how.concurrently && relation.oid < FIRST_NORMAL_OID) throw new PgError('feature_not_supported', 'cannot reindex system catalogs concurrently');
}

function reindexMany(stmt: RawNode, how: How, context: UtilityContext): void {
  const kind = (stmt['kind'] as string).replace('REINDEX_OBJECT_', '');
  preventInTransactionBlock(context, `REINDEX ${kind}`);
  if (kind === 'SYSTEM' && how.concurrently) throw new PgError('feature_not_supported', 'cannot reindex system catalogs concurrently');
  const name = stmt['name'] as string | undefined;
  let namespace: Oid = 0;
  if (kind === 'SCHEMA') {
    namespace = getNamespaceOid(name!);
    requireOwner(ids.NamespaceRelationId, namespace);
  } else {
    if (name !== undefined && name !== session.databaseName) throw new PgError('feature_not_supported', 'can only reindex the currently open database');
    requireOwner(ids.DatabaseRelationId, session.databaseOid);
  }
  if (how.concurrently && (namespace === 0 || namespace === ids.PG_CATALOG_NAMESPACE)) report('WARNING', 'cannot reindex system catalogs concurrently, skipping all', undefined, 'feature_not_supported');
  if (how.tablespace !== undefined && (namespace === 0 || namespace === ids.PG_CATALOG_NAMESPACE)) report('WARNING', 'cannot move system relations, skipping all', undefined, 'feature_not_supported');
  if (kind === 'SYSTEM') return; // catalogs are not rebuilt while they are in use; there is nothing to mend in them
  const tables = catalogScanAll(ids.RelationRelationId)
    .filter((row) => (row.relkind === 'r' || row.relkind === 'm') && row.oid >= FIRST_NORMAL_OID && (namespace === 0 || row.relnamespace === namespace));
  for (const { oid } of tables) {
    const table = tryOpenRelation(oid);
    if (table !== undefined && table.indexes.length > 0 && !isOtherTemp(table)) reindexWhole(table, how);
    commitAndGoOn();
  }
}

/** The table as it is when it is locked; undefined: somebody has dropped it meanwhile. */
function locked(table: Relation): Relation | undefined {
  if (table.oid >= FIRST_NORMAL_OID) lockTable(table.oid, table.name, table.shared, SHARE_LOCK);
  return tryOpenRelation(table.oid);
}

/** All indexes of one of several tables; VERBOSE names the table as well. */
function reindexWhole(found: Relation, how: How): void {
  const table = locked(found);
  if (table === undefined) return;
  const indexes = how.concurrently && table.persistence !== 't' ? concurrentIndexes(table) : table.indexes;
  reindexIndexes(table, indexes.map((i) => i.indexrelid), how);
  if (how.verbose && !how.concurrently) report('INFO', `table "${qualified(table)}" was reindexed`);
}

function reindexIndexes(table: Relation, indexes: readonly Oid[], how: How): void {
  if (table.oid < FIRST_NORMAL_OID) return; // see above
  refuseOtherTemp('reindex', table);
  if (!how.concurrently || table.persistence === 't') return rebuild(table, indexes, how);
  const copies = indexes.map((oid) => ({ ...transformIndexStmt(rawParse(indexdef(oid, 0)!)[0]!.stmt), name: openRelation(oid).name }));
  leavingInvalid(() => rebuild(table, indexes, how), (error) => {
    for (const copy of copies) {
      const name = chooseRelationName(copy.name, null, 'ccnew', table.namespace);
      defineInvalidIndex(openRelation(table.oid), { ...copy, name }, '');
      if (error.condition !== 'unique_violation' || error.fields.constraint !== copy.name) continue;
      error.fields.constraint = name;
      error.message = error.message.replace(`"${copy.name}"`, `"${name}"`);
    }
  });
}

function rebuild(table: Relation, indexes: readonly Oid[], { verbose, concurrently, tablespace }: How): void {
  const began = rusage(), quietly = concurrently && table.persistence !== 't';
  for (const oid of indexes) lockTable(oid, openRelation(oid).name, table.shared, ACCESS_EXCLUSIVE_LOCK);
  for (const oid of indexes) setNewFilenode(oid, true);
  commandCounterIncrement();
  if (tablespace !== undefined) for (const oid of indexes) setRelationTablespace(oid, tablespace);
  for (const oid of indexes) {
    const begun = rusage(), index = openRelation(oid);
    buildIndex(openRelation(table.oid), index.indexInfo!);
    markIndexBuilt(index.indexInfo!);
    if (verbose) report('INFO', `index "${quietly ? qualified(index) : index.name}" was reindexed`, quietly ? undefined : usageSince(begun));
  }
  if (verbose && quietly) report('INFO', `table "${qualified(table)}" was reindexed`, `${usageSince(began)}.`);
  commandCounterIncrement();
}

const qualified = (relation: Relation): string => `${getNamespaceName(relation.namespace)}.${relation.name}`;

export const REINDEX_COMMANDS: UtilityTable = { ReindexStmt: { run: reindex } };
