// CLUSTER (PostgreSQL's cluster.c): a table's rows in the order of an index.
import { PgError } from '../../common/errors.ts';
import { asOwner } from '../catalog/acl.ts';
import { countAsRewrite, insertValues, lockTable } from '../access/table.ts';
import { objectOwnercheck, requireOwner } from '../catalog/aclchk.ts';
import { catalogScanAll } from '../catalog/indexing.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { rangeVarGetRelid, refuseOtherTemp } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { clearMissing } from '../catalog/pg_attrdef.ts';
import { tableBlocks } from '../catalog/relation_size.ts';
import { openRelation } from '../catalog/relcache.ts';
import { setNewFilenode } from '../catalog/storage.ts';
import { indexByOid } from '../catalog/syscache.ts';
import { IndexKeys, forEachRow } from '../executor/index_keys.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { session } from '../utils/session.ts';
import { checkClusterable, indexOfTable, markClustered } from './alter_misc.ts';
import { rebuildIndexes } from './altertable.ts';
import { readFlags, report, rusage } from './maintenance.ts';
import { allChildren } from './tablecmds.ts';
import { storeCounts } from './relation_counts.ts';
import { refuseInUse } from './trigger.ts';
import { reportRewrite } from './vacuum.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;

function cluster(stmt: RawNode, context: UtilityContext): void {
  const verbose = readFlags((stmt['params'] ?? []) as RawNode[], ['verbose'], 'CLUSTER', context.text).has('verbose');
  if (stmt['relation'] === undefined) {
    preventInTransactionBlock(context, 'CLUSTER');
    for (const row of catalogScanAll(ids.IndexRelationId)) {
      if (row.indisclustered && objectOwnercheck(ids.RelationRelationId, row.indrelid, session.currentUser)) clusterTable(row.indrelid, row.indexrelid, verbose);
    }
    return;
  }
  const oid = rangeVarGetRelid(stmt['relation']);
  const table = openRelation(oid);
  requireOwner(ids.RelationRelationId, oid);
  if (table.kind !== 'r' && table.kind !== 'm' && table.kind !== 'p') throw new PgError('wrong_object_type', `"${table.name}" is not a table or materialized view`);
  refuseOtherTemp('cluster', table);
  refuseInUse('CLUSTER', table);
  let index: Oid;
  if (stmt['indexname'] !== undefined) index = indexOfTable(table, stmt['indexname'] as string);
  else {
    index = table.indexes.find((i) => indexByOid(i.indexrelid)?.indisclustered)?.indexrelid ?? 0;
    if (index === 0) throw new PgError('undefined_object', `there is no previously clustered index for table "${table.name}"`);
  }
  if (table.kind !== 'p') {
    clusterTable(oid, index, verbose);
    return;
  }
  preventInTransactionBlock(context, 'CLUSTER');
  checkClusterable(openRelation(index).indexInfo!);
  for (const part of allChildren(index)) if (openRelation(part).kind === 'i') clusterTable(indexByOid(part)!.indrelid, part, verbose);
}

/** Writes the rows anew, in the order of an index. */
function clusterTable(oid: Oid, index: Oid, verbose: boolean): void {
  const began = rusage();
  const before = openRelation(oid);
  if (oid < 16384) throw new PgError('feature_not_supported', `cannot cluster system catalog "${before.name}"`);
  lockTable(oid, before.name, before.shared, ACCESS_EXCLUSIVE_LOCK);
  const table = openRelation(oid);
  const info = openRelation(index).indexInfo!;
  checkClusterable(info);
  const named = `${getNamespaceName(table.namespace)}.${table.name}`;
  if (verbose) report('INFO', `clustering "${named}" using sequential scan and sort`);
  const blocks = verbose ? tableBlocks(table) : 0;
  const keys = new IndexKeys(info);
  const rows: { key: string; row: Datum[] }[] = [];
  asOwner(table.owner, () => forEachRow(table, (row) => rows.push({ key: keys.key(row)!, row })));
  let looks = 0;
  rows.sort((a, b) => {
    if ((++looks & 1023) === 0) checkForInterrupts();
    return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
  });
  setNewFilenode(oid);
  clearMissing(oid);
  commandCounterIncrement();
  const now = openRelation(oid);
  for (const { row } of rows) insertValues(now, row);
  countAsRewrite(now);
  commandCounterIncrement();
  rebuildIndexes(openRelation(oid));
  markClustered(openRelation(oid), index);
  storeCounts(openRelation(oid), { totalRows: rows.length, blocks: 0 });
  if (verbose) reportRewrite(named, rows.length, blocks, began);
}

export const CLUSTER_COMMANDS: UtilityTable = { ClusterStmt: { run: cluster } };
