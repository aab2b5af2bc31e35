// Reading and changing catalog rows by their indexes (PostgreSQL's indexing.c and genam.c).
import type { Oid } from '../types/datum.ts';
import type { CatalogId, CatalogRows } from './rows.ts';

/** Values catalogs are looked up by. */
export type KeyValue = string | number | boolean;

/** Rows of a catalog whose leading index columns have these values, in index order. */
export function catalogScan<K extends CatalogId>(_relation: K, _index: Oid, _keys: readonly KeyValue[]): CatalogRows[K][] {
  return [];
}
