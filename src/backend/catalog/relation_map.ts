// From a storage number back to the relation it belongs to.
import { catalogScan } from './indexing.ts';
import * as ids from './oids.ts';
import type { Relation } from './relation.ts';
import { tryOpenRelation } from './relcache.ts';

/** The relation with this filenode in the database's default tablespace. */
export function catalogFindByFilenode(filenode: number): Relation | undefined {
  const [row] = catalogScan(ids.RelationRelationId, ids.PgClassTblspcRelfilenodeIndexId, [0, filenode]);
  return row === undefined ? undefined : tryOpenRelation(row.oid);
}
