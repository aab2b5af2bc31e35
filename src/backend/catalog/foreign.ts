// What is behind a foreign table (PostgreSQL's foreign.c).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import * as ids from './oids.ts';
import { lookup } from './syscache.ts';

export const wrapperHasNoHandler = (wrapper: string): PgError => new PgError('object_not_in_prerequisite_state', `foreign-data wrapper "${wrapper}" has no handler`);

/** The error of who wants to read or change a foreign table (GetFdwRoutineForRelation): there is no handler that could. */
export function foreignTableUnreachable(relation: Oid): PgError {
  const table = lookup(ids.ForeignTableRelationId, ids.PgForeignTableRelidIndexId, relation);
  const server = table && lookup(ids.ForeignServerRelationId, ids.PgForeignServerOidIndexId, table.ftserver);
  const wrapper = server && lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperOidIndexId, server.srvfdw);
  return wrapperHasNoHandler(wrapper?.fdwname ?? '');
}
