// How each system catalog is built, from data/schema.json: columns, indexes, OIDs. The catalogs describe themselves
// in pg_class and pg_attribute too, but to read those one must know how they are built: here is the beginning.
import type { Oid } from '../types/datum.ts';
import type { CatalogId } from './rows.ts';
import schema from './data/schema.json' with { type: 'json' };

export interface CatalogColumn {
  readonly name: string;
  readonly type: Oid;
  readonly notnull: boolean;
  readonly ndims: number;
  readonly collation: Oid;
  readonly acl: string | null;
}

export interface CatalogIndex {
  readonly oid: Oid;
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  /** Attribute numbers, opclasses, collations: one of each per column. */
  readonly columns: readonly number[];
  readonly opclasses: readonly Oid[];
  readonly collations: readonly Oid[];
  /** pg_constraint entry, 0: none. */
  readonly constraint: Oid;
  readonly contype: string;
}

export interface CatalogDefinition {
  readonly oid: CatalogId;
  readonly name: string;
  readonly shared: boolean;
  readonly rowType: Oid;
  readonly acl: string | null;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

export const CATALOGS: readonly CatalogDefinition[] = schema.catalogs as unknown as CatalogDefinition[];

const byOid = new Map<Oid, CatalogDefinition>(CATALOGS.map((c) => [c.oid, c]));
const byIndex = new Map<Oid, CatalogDefinition>(CATALOGS.flatMap((c) => c.indexes.map((i) => [i.oid, c] as const)));

/** First OID that is not pinned: what is below belongs to the system and cannot be dropped. */
export const FirstUnpinnedObjectId = 12000;
/** First OID given to objects that users make. */
export const FirstNormalObjectId = 16384;

export const catalogByOid = (oid: Oid): CatalogDefinition | undefined => byOid.get(oid);
/** The catalog an index belongs to, by the index's OID. */
export const catalogOfIndex = (indexOid: Oid): CatalogDefinition | undefined => byIndex.get(indexOid);

/** Whether a relation, given by OID, is in global/: a shared catalog or an index of one (IsSharedRelation). */
export function isSharedRelation(oid: Oid): boolean {
  if (oid >= FirstUnpinnedObjectId) return false;
  return (byOid.get(oid) ?? byIndex.get(oid))?.shared ?? false;
}

/** Whether a relation is a system catalog or an index of one (IsCatalogRelationOid). */
export function isCatalogRelation(oid: Oid): boolean {
  return oid < FirstUnpinnedObjectId && (byOid.has(oid) || byIndex.has(oid));
}

const factories = new Map<Oid, (values: readonly unknown[]) => object>();

/** Makes row objects of a catalog from their values in column order: all of one shape, with fast properties (setting
 * thirty properties one by one would give V8 dictionaries). The generated text holds column names of catalogs only. */
export function rowFactory(definition: CatalogDefinition): (values: readonly unknown[]) => object {
  let factory = factories.get(definition.oid);
  if (!factory) {
    const fields = definition.columns.map((c, i) => `${c.name}: v[${i}]`).join(', ');
    factory = new Function('v', `return {${fields}};`) as (values: readonly unknown[]) => object;
    // Any value may stand in any field from now on: the first fraction in a field that had held whole numbers only made another shape
    // of all rows, and every session threw away what had been compiled for the first one (pg_statistic).
    for (const value of [0, 0.5, null, '']) factory(definition.columns.map(() => value));
    factories.set(definition.oid, factory);
  }
  return factory;
}
