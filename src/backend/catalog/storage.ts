// What a relation has in the store: a number under which its blocks or entries stand (pg_class.relfilenode). A rewrite
// fills a new number and takes it into the catalog; the old content goes at commit, or the new one never comes.
import { dropStorage } from '../access/table.ts';
import { writeSet } from '../access/writeset.ts';
import { currentSubTransactionId, getStore, registerCallback, usesTransactionSnapshot } from '../transaction/xact.ts';
import { byPresentSnapshot, hasCatalogSnapshot } from '../transaction/snapshot.ts';
import type { Oid } from '../types/datum.ts';
import { getNewRelationOid } from './catalog.ts';
import { catalogFind, catalogUpdate } from './indexing.ts';
import { PgClassOidIndexId, RelationRelationId } from './oids.ts';
import { noteStatistics } from './pgstat_xact.ts';
import type { Relation } from './relation.ts';
import { isSharedRelation } from './schema.ts';
import { internalError, notSupported } from '../../common/errors.ts';

/** Storage that this transaction has begun, and the subtransaction that did (rd_createSubid, rd_newRelfilenodeSubid). */
const begun = new Map<number, number>();
/** By what snapshot: where others are kept, this need not be theirs. */
const begunBy = new Map<number, number>();
const forgetBegun = (): void => {
  if (begun.size > 0) begun.clear();
  if (begunBy.size > 0) begunBy.clear();
};
registerCallback({
  onCommit: forgetBegun,
  onAbort: forgetBegun,
  onSubCommit: (subid, parent) => { for (const [filenode, by] of begun) if (by === subid) begun.set(filenode, parent); },
  onSubAbort: (subid) => { for (const [filenode, by] of begun) if (by === subid) begun.delete(filenode); },
});
export function noteStorage(filenode: number): void {
  begun.set(filenode, currentSubTransactionId());
  begunBy.set(filenode, getStore(false).snapshotId);
}
/** Whether an index has what the present snapshot shows of its table: one that was made since, by others or out of newer rows, cannot be
 * searched by a transaction that keeps its snapshot. */
export function isSearchable(index: Oid, filenode: number): boolean {
  if (!usesTransactionSnapshot()) return true;
  const by = begunBy.get(filenode);
  if (by !== undefined) return by === getStore(false).snapshotId;
  return !hasCatalogSnapshot() || byPresentSnapshot(() => catalogFind(RelationRelationId, PgClassOidIndexId, [index]))[0]?.row.relfilenode === filenode;
}
/** Nobody else can have seen anything in it. */
export const begunHere = (filenode: number): boolean => begun.get(filenode) === currentSubTransactionId();

/** Gives a table or index a new, empty storage number (TRUNCATE, a rewrite); the number (RelationSetNewRelfilenumber).
 * The caller must commandCounterIncrement() before the relation is opened with it. */
export function setNewFilenode(relation: Oid, keepStatistics = false): number {
  if (relation < 16384) throw notSupported('rewriting a system catalog');
  const [tuple] = catalogFind(RelationRelationId, PgClassOidIndexId, [relation]);
  if (!tuple) throw internalError(`cache lookup failed for relation ${relation}`);
  const filenode = getNewRelationOid();
  noteStorage(filenode);
  if (tuple.row.relfilenode !== 0) dropStorage(tuple.row.relfilenode, isSharedRelation(relation));
  catalogUpdate(RelationRelationId, tuple, { relfilenode: filenode,
    ...(keepStatistics || tuple.row.relkind === 'S' ? {} : { relpages: 0, reltuples: -1, relallvisible: 0 }) });
  return filenode;
}

/** TRUNCATE of a table, its indexes apart. */
export function truncateRelation({ oid, filenode }: Relation): void {
  writeSet(false).noteTruncated(filenode, setNewFilenode(oid));
  noteStatistics('truncated', 'relation', oid);
}
