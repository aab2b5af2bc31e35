// Default and generation expressions of columns (PostgreSQL's pg_attrdef.c).
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { makeArray } from '../types/datum.ts';
import { getNewOid } from './catalog.ts';
import { performDeletion } from './dependency.ts';
import { recordDependencyOnSingleRelExpr } from './expr_references.ts';
import { catalogInsert, catalogUpdateByKey } from './indexing.ts';
import * as ids from './oids.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import * as sys from './syscache.ts';

/** Stores the default of a column that has none; the pg_attrdef row's OID (StoreAttrDefault). `missing`: the value of
 * the column in the rows that are there already (ADD COLUMN without rewriting). */
export function storeAttrDefault(table: Oid, attnum: number, expr: Expr, missing?: Datum): Oid {
  const oid = getNewOid(ids.AttrDefaultRelationId);
  catalogInsert(ids.AttrDefaultRelationId, { oid, adrelid: table, adnum: attnum, adbin: nodeToString(expr) });
  const attribute = sys.attributeByNumber(table, attnum)!;
  const hasMissing = missing !== undefined && missing !== null;
  catalogUpdateByKey(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [table, attnum], {
    atthasdef: true, ...(hasMissing ? { atthasmissing: true, attmissingval: makeArray(attribute.atttypid, [missing]) } : {}) });
  const self = objectAddress(ids.AttrDefaultRelationId, oid);
  const column = objectAddress(ids.RelationRelationId, table, attnum);
  const isGenerated = attribute.attgenerated !== '';
  // A default goes with its column; a generated column cannot be without its expression.
  recordDependencyOn(self, column, isGenerated ? 'i' : 'a');
  recordDependencyOnSingleRelExpr(self, expr, table, 'n', 'n');
  return oid;
}

/** Rows have been rewritten: none is short of a column any more (RelationClearMissing). */
export function clearMissing(table: Oid): void {
  for (const a of sys.attributesOf(table)) {
    if (a.atthasmissing) catalogUpdateByKey(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [table, a.attnum], { atthasmissing: false, attmissingval: null });
  }
}

/** Drops a column's default, if there is one (RemoveAttrDefault). */
export function removeAttrDefault(table: Oid, attnum: number, behavior: 'restrict' | 'cascade' = 'restrict'): boolean {
  const row = sys.attrdefsOf(table).find((d) => d.adnum === attnum);
  if (!row) return false;
  performDeletion(objectAddress(ids.AttrDefaultRelationId, row.oid), behavior, { quietly: true });
  return true;
}
