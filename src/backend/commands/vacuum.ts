// VACUUM, ANALYZE, REINDEX, CLUSTER (PostgreSQL's vacuum.c, indexcmds.c, cluster.c). There are no dead row versions, so
// VACUUM has nothing to reclaim: it counts rows and blocks for the planner.
import { PgError } from '../../common/errors.ts';
import { insertValues, lockTable } from '../access/table.ts';
import { objectOwnercheck, requireOwner } from '../catalog/aclchk.ts';
import { catalogFind, catalogScanAll, catalogUpdate } from '../catalog/indexing.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { getNamespaceOid, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { clearMissing } from '../catalog/pg_attrdef.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { tableBlocks } from '../catalog/relation_size.ts';
import { setNewFilenode } from '../catalog/storage.ts';
import { indexByOid } from '../catalog/syscache.ts';
import { IndexKeys, buildIndex, forEachRow } from '../executor/indexing.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { rebuildIndexes } from './altertable.ts';
import { undefinedColumn } from './alter_common.ts';
import { indexOfTable, markClustered } from './alter_misc.ts';
import { allChildren } from './tablecmds.ts';
import { analyzeTable, analyzeTree, sampleRows, type Sample } from './analyze.ts';
import { constantText } from './variable.ts';

const SHARE_UPDATE_EXCLUSIVE_LOCK = 4, SHARE_LOCK = 5, ACCESS_EXCLUSIVE_LOCK = 8;

function report(severity: 'WARNING' | 'INFO', message: string): void {
  const notice = new PgError(severity === 'INFO' ? 'successful_completion' : 'warning', message);
  notice.severity = severity;
  session.notice(notice);
}

// ---- VACUUM, ANALYZE

const VACUUM_OPTIONS = ['full', 'freeze', 'verbose', 'analyze', 'disable_page_skipping', 'index_cleanup', 'process_toast', 'truncate', 'parallel', 'skip_locked'];
const ANALYZE_OPTIONS = ['verbose', 'skip_locked'];

function vacuum(stmt: RawNode, context: UtilityContext): void {
  const isVacuum = Boolean(stmt['is_vacuumcmd']);
  const options = readFlags((stmt['options'] ?? []) as RawNode[], isVacuum ? VACUUM_OPTIONS : ANALYZE_OPTIONS, isVacuum ? 'VACUUM' : 'ANALYZE', context.text);
  if (isVacuum) preventInTransactionBlock(context, 'VACUUM');
  const analyze = !isVacuum || options.has('analyze');
  const verbose = options.has('verbose');
  const list = (stmt['rels'] ?? []) as RawNode[];
  if (!analyze && list.some((r) => r['va_cols'] !== undefined)) throw new PgError('feature_not_supported', 'ANALYZE option must be specified when a column list is provided');
  if (options.has('full') && options.has('parallel')) throw new PgError('feature_not_supported', 'VACUUM FULL cannot be performed in parallel');
  const targets: { oid: Oid; columns: string[] | null }[] = list.length > 0
    ? list.map((r) => ({ oid: rangeVarGetRelid(r['relation']), columns: (r['va_cols'] as string[] | undefined) ?? null }))
    : catalogScanAll(ids.RelationRelationId).filter((r) => (r.relkind === 'r' || r.relkind === 'm') && r.oid >= 16384 && objectOwnercheck(ids.RelationRelationId, r.oid, session.currentUser))
      .map((r) => ({ oid: r.oid, columns: null }));
  // Partitions go with the partitioned table.
  const all = targets.flatMap((t) => (openRelation(t.oid).kind === 'p' ? [t, ...allChildren(t.oid).map((oid) => ({ oid, columns: t.columns }))] : [t]));
  for (const { oid, columns } of all) processTable(oid, columns, isVacuum, analyze, verbose, options.has('skip_locked'));
}

function readFlags(list: readonly RawNode[], known: readonly string[], command: string, text: string): Map<string, RawNode> {
  const state = makeParseState(text);
  const result = new Map<string, RawNode>();
  for (const e of list) {
    const name = e['defname'] as string;
    if (!known.includes(name)) throw parserError(state, 'syntax_error', `unrecognized ${command} option "${name}"`, e.location);
    const arg = e['arg'] as any;
    const value = arg === undefined ? 'true' : typeof arg === 'object' && arg.tag === 'Boolean' ? String(arg.boolval) : constantText(arg).toLowerCase();
    if (!['false', 'off', '0', 'no'].includes(value)) result.set(name, e);
  }
  return result;
}

function processTable(oid: Oid, columns: string[] | null, isVacuum: boolean, analyze: boolean, verbose: boolean, skipLocked: boolean): void {
  const relation = openRelation(oid);
  const verb = isVacuum ? 'vacuum' : 'analyze';
  if (!objectOwnercheck(ids.RelationRelationId, oid, session.currentUser)) {
    const who = relation.shared ? 'only superuser' : relation.namespace === ids.PG_CATALOG_NAMESPACE ? 'only superuser or database owner' : 'only table or database owner';
    return report('WARNING', `skipping "${relation.name}" --- ${who} can ${verb} it`);
  }
  if (relation.kind === 'p') {
    if (!analyze) return;
    lockTable(oid, relation.name, relation.shared, SHARE_UPDATE_EXCLUSIVE_LOCK, 'block');
    if (verbose) report('INFO', `analyzing "${getNamespaceName(relation.namespace)}.${relation.name}" inheritance tree`);
    const table = openRelation(oid);
    updateCounts(oid, analyzeTree(table, columns === null ? null : columnNumbers(table, columns)), -1);
    commandCounterIncrement();
    return;
  }
  if (relation.kind !== 'r' && relation.kind !== 'm') {
    return report('WARNING', isVacuum ? `skipping "${relation.name}" --- cannot vacuum non-tables or special system tables` : `skipping "${relation.name}" --- cannot analyze non-tables or special system tables`);
  }
  const { granted } = lockTable(oid, relation.name, relation.shared, SHARE_UPDATE_EXCLUSIVE_LOCK, skipLocked ? 'skip' : 'block');
  if (!granted) return report('WARNING', `skipping ${verb} of "${relation.name}" --- lock not available`);
  const table = openRelation(oid);
  const named = `${getNamespaceName(table.namespace)}.${table.name}`;
  if (verbose && isVacuum) report('INFO', `vacuuming "${session.databaseName}.${named}"`);
  let sample: Sample;
  if (analyze) {
    if (verbose) report('INFO', `analyzing "${named}"`);
    sample = analyzeTable(table, columns === null ? null : columnNumbers(table, columns));
    if (table.hasSubclass && allChildren(oid).length > 0) analyzeTree(table, columns === null ? null : columnNumbers(table, columns));
    if (verbose) {
      report('INFO', `"${table.name}": scanned ${sample.blocks} of ${sample.blocks} pages, containing ${sample.totalRows} live rows and 0 dead rows; ${sample.rows.length} rows in sample, ${sample.totalRows} estimated total rows`);
    }
  } else sample = sampleRows(table, 0);
  storeCounts(table, sample);
}

function columnNumbers(table: Relation, names: readonly string[]): number[] {
  const numbers = names.map((name) => {
    const column = table.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (column === undefined) throw undefinedColumn(table, name);
    return column.attnum;
  });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new PgError('duplicate_column', `column "${twice}" of relation "${table.name}" appears more than once`);
  return numbers;
}

/** pg_class's counts, of the indexes too (vac_update_relstats). */
function storeCounts(table: Relation, { totalRows, blocks }: Sample): void {
  // The planner counts pages by the number of the last block.
  updateCounts(table.oid, totalRows, Math.max(blocks, tableBlocks(table)));
  for (const index of table.indexes) updateCounts(index.indexrelid, totalRows, Math.ceil(totalRows / ENTRIES_PER_PAGE));
  commandCounterIncrement();
}
const ENTRIES_PER_PAGE = 300;

function updateCounts(oid: Oid, reltuples: number, relpages: number): void {
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [oid]);
  if (tuple === undefined || (tuple.row.reltuples === reltuples && tuple.row.relpages === relpages)) return;
  catalogUpdate(ids.RelationRelationId, tuple, { reltuples: Math.fround(reltuples), relpages });
}

// ---- REINDEX

function reindex(stmt: RawNode, context: UtilityContext): void {
  const options = readFlags((stmt['params'] ?? []) as RawNode[], ['verbose', 'concurrently', 'tablespace'], 'REINDEX', context.text);
  if (options.has('concurrently')) preventInTransactionBlock(context, 'REINDEX CONCURRENTLY');
  switch (stmt['kind']) {
    case 'REINDEX_OBJECT_INDEX': {
      const oid = rangeVarGetRelid(stmt['relation']);
      const relation = openRelation(oid);
      if (relation.kind !== 'i' && relation.kind !== 'I') throw new PgError('wrong_object_type', `"${relation.name}" is not an index`);
      requireOwner(ids.RelationRelationId, oid);
      if (relation.kind === 'I') {
        preventInTransactionBlock(context, 'REINDEX INDEX');
        for (const part of allChildren(oid)) if (openRelation(part).kind === 'i') reindexIndexes(openRelation(indexByOid(part)!.indrelid), [part]);
        return;
      }
      return reindexIndexes(openRelation(indexByOid(oid)!.indrelid), [oid]);
    }
    case 'REINDEX_OBJECT_TABLE': {
      const table = openRelation(rangeVarGetRelid(stmt['relation']));
      if (!'rmp'.includes(table.kind)) throw new PgError('wrong_object_type', `"${table.name}" is not a table or materialized view`);
      requireOwner(ids.RelationRelationId, table.oid);
      if (table.kind === 'p') {
        preventInTransactionBlock(context, 'REINDEX TABLE');
        for (const oid of allChildren(table.oid)) {
          const part = openRelation(oid);
          if (part.kind === 'r') reindexIndexes(part, part.indexes.map((i) => i.indexrelid));
        }
        return;
      }
      if (table.indexes.length === 0) return ddlNotice(`table "${table.name}" has no indexes to reindex`);
      return reindexIndexes(table, table.indexes.map((i) => i.indexrelid));
    }
    default: return reindexMany(stmt, context);
  }
}

function reindexMany(stmt: RawNode, context: UtilityContext): void {
  const kind = (stmt['kind'] as string).replace('REINDEX_OBJECT_', '');
  preventInTransactionBlock(context, `REINDEX ${kind}`);
  const name = stmt['name'] as string | undefined;
  let namespace: Oid = 0;
  if (kind === 'SCHEMA') {
    namespace = getNamespaceOid(name!);
    requireOwner(ids.NamespaceRelationId, namespace);
  } else {
    if (name !== undefined && name !== session.databaseName) throw new PgError('feature_not_supported', 'can only reindex the currently open database');
    requireOwner(ids.DatabaseRelationId, session.databaseOid);
  }
  if (kind === 'SYSTEM') return; // catalogs are not rebuilt while they are in use; there is nothing to mend in them
  for (const row of catalogScanAll(ids.RelationRelationId)) {
    if ((row.relkind !== 'r' && row.relkind !== 'm') || row.oid < 16384 || (namespace !== 0 && row.relnamespace !== namespace)) continue;
    const table = openRelation(row.oid);
    if (table.indexes.length > 0) reindexIndexes(table, table.indexes.map((i) => i.indexrelid));
  }
}

function reindexIndexes(table: Relation, indexes: readonly Oid[]): void {
  if (table.oid < 16384) return; // see above
  lockTable(table.oid, table.name, table.shared, SHARE_LOCK);
  for (const oid of indexes) lockTable(oid, openRelation(oid).name, table.shared, ACCESS_EXCLUSIVE_LOCK);
  for (const oid of indexes) setNewFilenode(oid, true);
  commandCounterIncrement();
  for (const oid of indexes) buildIndex(openRelation(table.oid), openRelation(oid).indexInfo!);
  commandCounterIncrement();
}

// ---- CLUSTER

function cluster(stmt: RawNode, context: UtilityContext): void {
  readFlags((stmt['params'] ?? []) as RawNode[], ['verbose'], 'CLUSTER', context.text);
  if (stmt['relation'] === undefined) {
    preventInTransactionBlock(context, 'CLUSTER');
    for (const row of catalogScanAll(ids.IndexRelationId)) {
      if (row.indisclustered && objectOwnercheck(ids.RelationRelationId, row.indrelid, session.currentUser)) clusterTable(row.indrelid, row.indexrelid);
    }
    return;
  }
  const oid = rangeVarGetRelid(stmt['relation']);
  const table = openRelation(oid);
  requireOwner(ids.RelationRelationId, oid);
  if (table.kind !== 'r' && table.kind !== 'm' && table.kind !== 'p') throw new PgError('wrong_object_type', `"${table.name}" is not a table or materialized view`);
  let index: Oid;
  if (stmt['indexname'] !== undefined) index = indexOfTable(table, stmt['indexname'] as string);
  else {
    index = table.indexes.find((i) => indexByOid(i.indexrelid)?.indisclustered)?.indexrelid ?? 0;
    if (index === 0) throw new PgError('undefined_object', `there is no previously clustered index for table "${table.name}"`);
  }
  if (table.kind !== 'p') {
    clusterTable(oid, index);
    return;
  }
  preventInTransactionBlock(context, 'CLUSTER');
  for (const part of allChildren(index)) if (openRelation(part).kind === 'i') clusterTable(indexByOid(part)!.indrelid, part);
}

/** Writes the rows anew, in the order of an index. */
function clusterTable(oid: Oid, index: Oid): void {
  const before = openRelation(oid);
  if (oid < 16384) throw new PgError('feature_not_supported', `cannot cluster system catalog "${before.name}"`);
  lockTable(oid, before.name, before.shared, ACCESS_EXCLUSIVE_LOCK);
  const table = openRelation(oid);
  const info = openRelation(index).indexInfo!;
  if (info.accessMethod !== 'btree') throw new PgError('feature_not_supported', `cannot cluster on index "${info.index.name}" because access method does not support clustering`);
  if (info.predicate !== null) throw new PgError('feature_not_supported', `cannot cluster on partial index "${info.index.name}"`);
  if (!info.valid) throw new PgError('feature_not_supported', `cannot cluster on invalid index "${info.index.name}"`);
  const keys = new IndexKeys(info);
  const rows: { key: string; row: Datum[] }[] = [];
  forEachRow(table, (row) => rows.push({ key: keys.key(row)!, row }));
  rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  setNewFilenode(oid);
  clearMissing(oid);
  commandCounterIncrement();
  const now = openRelation(oid);
  for (const { row } of rows) insertValues(now, row);
  commandCounterIncrement();
  rebuildIndexes(openRelation(oid));
  markClustered(openRelation(oid), index);
}

export const MAINTENANCE_COMMANDS: UtilityTable = {
  VacuumStmt: { run: vacuum },
  ReindexStmt: { run: reindex },
  ClusterStmt: { run: cluster },
};
