// What a relation has in the store: a number under which its blocks or entries stand (pg_class.relfilenode). A rewrite
// fills a new number and takes it into the catalog; the old content goes at commit, or the new one never comes.
import { dropStorage } from '../access/table.ts';
import type { Oid } from '../types/datum.ts';
import { getNewRelationOid } from './catalog.ts';
import { catalogFind, catalogUpdate } from './indexing.ts';
import { PgClassOidIndexId, RelationRelationId } from './oids.ts';
import { isSharedRelation } from './schema.ts';
import { internalError, notSupported } from '../../common/errors.ts';

/** Gives a table or index a new, empty storage number (TRUNCATE, a rewrite); the number (RelationSetNewRelfilenumber).
 * The caller must commandCounterIncrement() before the relation is opened with it. */
export function setNewFilenode(relation: Oid, keepStatistics = false): number {
  if (relation < 16384) throw notSupported('rewriting a system catalog');
  const [tuple] = catalogFind(RelationRelationId, PgClassOidIndexId, [relation]);
  if (!tuple) throw internalError(`cache lookup failed for relation ${relation}`);
  const filenode = getNewRelationOid();
  if (tuple.row.relfilenode !== 0) dropStorage(tuple.row.relfilenode, isSharedRelation(relation));
  catalogUpdate(RelationRelationId, tuple, { relfilenode: filenode,
    ...(keepStatistics || tuple.row.relkind === 'S' ? {} : { relpages: 0, reltuples: -1, relallvisible: 0 }) });
  return filenode;
}
