// TABLESPACE clauses. A site has the two tablespaces that PostgreSQL makes itself; what a statement names must be the one
// that everything is in.
import { PgError, notSupported } from '../../common/errors.ts';
import { getTablespaceOid } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';

/** Of a new relation, or of one to be moved. */
export function checkTablespace(name: string | null | undefined, partitioned = false): void {
  if (name === null || name === undefined || name === '') return;
  const oid = getTablespaceOid(name);
  if (oid === ids.DEFAULTTABLESPACE_OID) {
    if (partitioned) throw new PgError('feature_not_supported', 'cannot specify default tablespace for partitioned relations');
    return;
  }
  if (oid === ids.GLOBALTABLESPACE_OID) throw new PgError('invalid_parameter_value', 'only shared relations can be placed in pg_global tablespace');
  throw notSupported(`a relation in tablespace "${name}"`);
}
