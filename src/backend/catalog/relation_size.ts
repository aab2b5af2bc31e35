// How much a relation takes on disk. The ordered map does not count what is in a range, so a table's size comes from
// the number of its last block, an index's from its first leaves and the number of rows: near enough for people.
import { ValueBuffer } from '../storage/store.ts';
import { TableScan } from '../access/table.ts';
import { existingWriteSet } from '../access/writeset.ts';
import { currentCommandId, getStore } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { tryOpenRelation } from './relcache.ts';
import type { Relation } from './relation.ts';
import { statSync } from 'node:fs';
import { databaseByOid } from './syscache.ts';
import { session } from '../utils/session.ts';

const BLOCK_BYTES = 4096;
/** So many leaves of an index are counted. */
const SAMPLE = 100;

function bounds(filenode: number): [Buffer, Buffer] {
  const from = Buffer.alloc(4);
  const to = Buffer.alloc(4);
  from.writeUInt32BE(filenode, 0);
  to.writeUInt32BE(filenode + 1, 0);
  return [from, to];
}

/** Blocks of a table, by the number of its last one; 0 when it has none. */
export function tableBlocks(rel: Relation): number {
  const cursor = getStore(rel.shared).range(...bounds(rel.filenode), true, new ValueBuffer(BLOCK_BYTES));
  const count = cursor.next() ? cursor.key.readUInt32BE(4) + 1 : 0;
  cursor.close();
  return count;
}

/** A table as it is now, for the planner (estimate_rel_size): the density is that of the last ANALYZE, or else of the first
 * block. `rowBytes`: what its rows take there, 0 when that is not known. */
export function estimateRelationSize(rel: Relation): { blocks: number; tuples: number; rowBytes: number } {
  if (rel.filenode === 0) return { blocks: 0, tuples: 0, rowBytes: 0 };
  const stored = tableBlocks(rel);
  const blocks = stored + (existingWriteSet(rel.shared)?.tables.get(rel.filenode)?.insertedBlocks ?? 0);
  if (blocks === 0) return { blocks: 0, tuples: 0, rowBytes: 0 };
  if (rel.tuples >= 0 && rel.pages > 0) return { blocks, tuples: (rel.tuples / rel.pages) * blocks, rowBytes: 0 };
  if (stored === 0) {
    const scan = new TableScan(rel, currentCommandId());
    const tuples = scan.next() ? scan.slotCount * blocks : 0;
    scan.close();
    return { blocks, tuples, rowBytes: 0 };
  }
  const block = new ValueBuffer(BLOCK_BYTES);
  const cursor = getStore(rel.shared).range(...bounds(rel.filenode), false, block);
  const slots = cursor.next() ? block.view.getUint16(2, true) : 0;
  const bytes = slots === 0 ? 0 : cursor.valueLength - 8;
  cursor.close();
  return { blocks, tuples: slots * blocks, rowBytes: slots === 0 ? 0 : bytes / slots - 2 };
}

function indexBytes(rel: Relation): number {
  const leaf = new ValueBuffer(BLOCK_BYTES);
  const cursor = getStore(rel.shared).range(...bounds(rel.filenode), false, leaf);
  let leaves = 0;
  let count = 0;
  while (leaves < SAMPLE && cursor.next()) {
    leaves++;
    count += leaf.view.getUint16(2, true);
  }
  cursor.close();
  if (leaves < SAMPLE) return leaves * BLOCK_BYTES;
  const table = rel.indexInfo ? tryOpenRelation(rel.indexInfo.indrelid) : undefined;
  // Without statistics: as many rows as blocks of the table hold, at a guess of 64 each.
  const rows = Math.max(count, table ? (table.tuples >= 0 ? table.tuples : tableBlocks(table) * 64) : count);
  return Math.ceil(leaves / count * rows) * BLOCK_BYTES;
}

/** Bytes of a relation itself; null when it does not exist. */
export function relationSize(oid: Oid): number | null {
  const rel = tryOpenRelation(oid);
  if (!rel) return null;
  if (rel.filenode === 0) return 0;
  return rel.kind === 'i' || rel.kind === 'I' ? indexBytes(rel) : tableBlocks(rel) * BLOCK_BYTES;
}
export function indexesSize(oid: Oid): number | null {
  const rel = tryOpenRelation(oid);
  return rel ? rel.indexes.reduce((sum, i) => sum + (relationSize(i.indexrelid) ?? 0), 0) : null;
}
export function totalRelationSize(oid: Oid): number | null {
  const own = relationSize(oid);
  return own === null ? null : own + (indexesSize(oid) ?? 0);
}

/** Bytes of a database's file; null when there is no such database. */
export function databaseSize(oid: Oid): number | null {
  if (!databaseByOid(oid)) return null;
  const own = getStore(false).path; // base/<oid>
  const path = oid === session.databaseOid ? own : own.replace(/[^/]+\/?$/, String(oid));
  // Packed as long as nobody has opened it (storage/packed.ts).
  const file = statSync(`${path}/data.mdb`, { throwIfNoEntry: false }) ?? statSync(`${path}/data.mdb.zst`, { throwIfNoEntry: false });
  return file ? file.blocks * 512 : 0;
}
