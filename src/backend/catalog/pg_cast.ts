// Rows of pg_cast (PostgreSQL's pg_cast.c).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { getNewOid } from './catalog.ts';
import { formatType } from './format_type.ts';
import { catalogInsert } from './indexing.ts';
import * as ids from './oids.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import { castBySourceTarget } from './syscache.ts';

/** A new cast (`func` 0: none), which depends on its types and function: `behavior` is a deptype. Throws 42710 if there is one. */
export function castCreate(source: Oid, target: Oid, func: Oid, context: string, method: string, behavior: 'n' | 'i'): void {
  if (castBySourceTarget(source, target) !== undefined) {
    throw new PgError('duplicate_object', `cast from type ${formatType(source)} to type ${formatType(target)} already exists`);
  }
  const oid = getNewOid(ids.CastRelationId);
  catalogInsert(ids.CastRelationId, { oid, castsource: source, casttarget: target, castfunc: func, castcontext: context, castmethod: method });
  const self = objectAddress(ids.CastRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, source), behavior);
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, target), behavior);
  if (func !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, func), behavior);
}
