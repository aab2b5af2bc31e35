// The rows in which the catalogs describe themselves: pg_class, pg_attribute, pg_index and pg_constraint of a fresh
// database, computed from schema.ts.
import type { Oid } from '../types/datum.ts';
import { builtinTypes } from './builtin.ts';
import { catalogRelation } from './catalog_relations.ts';
import * as ids from './oids.ts';
import { attributeRow, classRow, constraintRow, SYSTEM_COLUMNS } from './pg_class.ts';
import { CATALOGS } from './schema.ts';

const parseAclText = (acl: string | null): string[] | null => (acl === null ? null : acl.slice(1, -1).split(','));

/** The rows of a catalog that follow from schema.ts; undefined for other catalogs. */
export function computedRows(catalog: Oid): object[] | undefined {
  switch (catalog) {
    case ids.RelationRelationId: return classRows();
    case ids.AttributeRelationId: return attributeRows();
    case ids.IndexRelationId: return indexRows();
    case ids.ConstraintRelationId: return constraintRows();
    default: return undefined;
  }
}

function classRows(): object[] {
  return CATALOGS.flatMap((c) => {
    const reltablespace = c.shared ? ids.GLOBALTABLESPACE_OID : 0;
    const common = { reltablespace, relisshared: c.shared };
    return [
      classRow({ ...common, oid: c.oid, relname: c.name, relkind: 'r', reltype: c.rowType, relam: ids.HEAP_TABLE_AM_OID,
        relfilenode: c.oid, relhasindex: c.indexes.length > 0, relnatts: c.columns.length, relreplident: 'n', relfrozenxid: 3,
        relminmxid: 1, relacl: parseAclText(c.acl) }),
      ...c.indexes.map((i) => classRow({ ...common, oid: i.oid, relname: i.name, relkind: 'i', relam: ids.BTREE_AM_OID,
        relfilenode: i.oid, relnatts: i.columns.length })),
    ];
  }).sort((a, b) => a.oid - b.oid);
}

function attributeRows(): object[] {
  return CATALOGS.flatMap((c) => [
    ...c.columns.map((k, n) => attributeRow(builtinTypes.byOid(k.type)!, { attrelid: c.oid, attname: k.name, attnum: n + 1,
      attnotnull: k.notnull, attndims: k.ndims, attcollation: k.collation, attacl: parseAclText(k.acl) })),
    ...SYSTEM_COLUMNS.map((k) => attributeRow(builtinTypes.byOid(k.atttypid)!, { attrelid: c.oid, attname: k.attname, attnum: k.attnum, attnotnull: true })),
    ...c.indexes.flatMap((i) => catalogRelation(i.oid)!.attributes.map((a) => attributeRow(builtinTypes.byOid(a.atttypid)!,
      { attrelid: i.oid, attname: a.attname, attnum: a.attnum, attcollation: a.attcollation }))),
  ]);
}

function indexRows(): object[] {
  return CATALOGS.flatMap((c) => c.indexes.map((i) => ({
    indexrelid: i.oid, indrelid: c.oid, indnatts: i.columns.length, indnkeyatts: i.columns.length, indisunique: i.unique,
    indnullsnotdistinct: false, indisprimary: i.primary, indisexclusion: false, indimmediate: true, indisclustered: false,
    indisvalid: true, indcheckxmin: false, indisready: true, indislive: true, indisreplident: false, indkey: i.columns,
    indcollation: i.collations, indclass: i.opclasses, indoption: i.columns.map(() => 0), indexprs: null, indpred: null,
  })));
}

function constraintRows(): object[] {
  return CATALOGS.flatMap((c) => c.indexes.filter((i) => i.constraint !== 0).map((i) => constraintRow({
    oid: i.constraint, conname: i.name, connamespace: ids.PG_CATALOG_NAMESPACE, contype: i.contype, conrelid: c.oid,
    conindid: i.oid, connoinherit: true, conkey: i.columns })));
}
