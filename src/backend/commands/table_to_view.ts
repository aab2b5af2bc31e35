// A table that gets a rule ON SELECT becomes a view if nothing is in it and nothing hangs on it: old dumps made views that
// go in a circle so (the end of DefineQueryRewrite in PostgreSQL's rewriteDefine.c).
import { PgError } from '../../common/errors.ts';
import { beginScan, dropStorage } from '../access/table.ts';
import { catalogDelete, catalogFind, catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { parentsOf } from '../catalog/syscache.ts';

/** Throws unless it may be one. */
export function checkBecomesView(table: Relation): void {
  const refuse = (condition: 'wrong_object_type' | 'object_not_in_prerequisite_state', message: string, hint?: string): PgError => new PgError(condition, message, { hint });
  if (table.kind === 'p') throw refuse('wrong_object_type', `cannot convert partitioned table "${table.name}" to a view`);
  if (table.isPartition) throw refuse('wrong_object_type', `cannot convert partition "${table.name}" to a view`);
  const because = (what: string, hint?: string): PgError => refuse('object_not_in_prerequisite_state', `could not convert table "${table.name}" to a view because it ${what}`, hint);
  if (!isEmpty(table)) throw because('is not empty');
  if (table.hasTriggers) throw because('has triggers', 'In particular, the table cannot be involved in any foreign key relationships.');
  if (table.indexes.length > 0) throw because('has indexes');
  if (table.hasSubclass) throw because('has child tables');
  if (parentsOf(table.oid).length > 0) throw because('has parent tables');
  if (table.rowSecurity) throw because('has row security enabled');
  if (catalogFind(ids.PolicyRelationId, ids.PgPolicyPolrelidPolnameIndexId, [table.oid]).length > 0) throw because('has row security policies');
}

function isEmpty(table: Relation): boolean {
  for (const scan = beginScan(table); scan.next();) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      if ((scan.wide ? scan.view.getUint32(8 + 4 * slot, true) : scan.view.getUint16(8 + 2 * slot, true)) !== 0) return false;
    }
  }
  return true;
}

/** Once its rule is there: what only a table has goes. */
export function becomeView(table: Relation): void {
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [table.oid]);
  dropStorage(tuple!.row.relfilenode, false);
  for (const column of catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [table.oid])) {
    if (column.row.attnum < 0) catalogDelete(ids.AttributeRelationId, column);
  }
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [table.oid], {
    relkind: 'v', relam: 0, relfilenode: 0, reltablespace: 0, relpages: 0, reltuples: -1, relallvisible: 0, reltoastrelid: 0, relhasindex: false,
    relfrozenxid: 0, relminmxid: 0, relreplident: 'n',
  });
}
