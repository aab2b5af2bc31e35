// Rows of pg_collation (PostgreSQL's pg_collation.c), and the versions of what is behind them.
import { PgError } from '../../common/errors.ts';
import { icuCollationVersion } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { getNewOid } from './catalog.ts';
import { catalogInsert } from './indexing.ts';
import * as ids from './oids.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import { recordDependencyOnOwner } from './pg_shdepend.ts';
import type { PgCollation } from './rows.ts';
import { collationsByName } from './syscache.ts';

/** get_collation_actual_version: null for the locales of the C library that there are, which have none. */
export const actualCollationVersion = (provider: string, icuLocale: string | null): string | null => (provider === 'i' ? icuCollationVersion(icuLocale!) : null);

/** Of which encoding a collation is, in a message; those for all encodings need no word of it. */
const ofEncoding = (...encodings: readonly number[]): string => (encodings.includes(-1) ? '' : ' for encoding "UTF8"');

/** A new collation's OID. One of the name that would be taken for it is an error (42710), or is handed to `exists`: undefined then. */
export function collationCreate(row: Omit<PgCollation, 'oid'>, exists?: (message: string) => void): Oid | undefined {
  const { collname, collnamespace, collencoding } = row;
  const known = collationsByName(collname, collnamespace).find((c) => collencoding === -1 || c.collencoding === collencoding || c.collencoding === -1);
  if (known !== undefined) {
    const message = `collation "${collname}"${ofEncoding(collencoding, known.collencoding)} already exists`;
    if (exists === undefined) throw new PgError('duplicate_object', message);
    exists(message);
    return undefined;
  }
  const oid = getNewOid(ids.CollationRelationId);
  catalogInsert(ids.CollationRelationId, { oid, ...row });
  recordDependencyOn(objectAddress(ids.CollationRelationId, oid), objectAddress(ids.NamespaceRelationId, collnamespace), 'n');
  recordDependencyOnOwner(ids.CollationRelationId, oid, row.collowner);
  return oid;
}
