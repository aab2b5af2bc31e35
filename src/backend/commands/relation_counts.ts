// How many rows and pages relations have, as pg_class keeps it for the planner.
import { catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { tableBlocks } from '../catalog/relation_size.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';

export interface RowCounts { totalRows: number; blocks: number }

/** pg_class's counts, of the indexes too (vac_update_relstats). */
export function storeCounts(table: Relation, { totalRows, blocks }: RowCounts, visible = false): void {
  // The planner counts pages by the number of the last block.
  const pages = Math.max(blocks, tableBlocks(table));
  updateCounts(table.oid, totalRows, pages, visible ? pages : undefined);
  for (const index of table.indexes) updateCounts(index.indexrelid, totalRows, Math.ceil(totalRows / ENTRIES_PER_PAGE));
  commandCounterIncrement();
}
const ENTRIES_PER_PAGE = 300;

export function updateCounts(oid: Oid, reltuples: number, relpages: number, relallvisible?: number): void {
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [oid]);
  if (tuple === undefined || (tuple.row.reltuples === reltuples && tuple.row.relpages === relpages && (relallvisible === undefined || tuple.row.relallvisible === relallvisible))) return;
  catalogUpdate(ids.RelationRelationId, tuple, { reltuples: Math.fround(reltuples), relpages, ...(relallvisible === undefined ? {} : { relallvisible }) });
}
