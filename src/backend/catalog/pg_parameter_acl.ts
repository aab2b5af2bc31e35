// Rights on settings: GRANT SET, ALTER SYSTEM ON PARAMETER. A setting has a row only while somebody but the site's superuser has rights
// on it (PostgreSQL's pg_parameter_acl.c). Names that nobody has defined may be given rights when they look like an extension's.
import { PgError } from '../../common/errors.ts';
import { findSetting, parameterRights } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import type { Oid } from '../types/datum.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { objectAclcheck } from './aclchk.ts';
import { getNewOid } from './catalog.ts';
import { catalogInsert } from './indexing.ts';
import * as ids from './oids.ts';
import * as sys from './syscache.ts';

/** Settings are found by names in any case, and stand in the catalog in lower case. */
const ownName = (name: string): string => (findSetting(name)?.name ?? name).toLowerCase();

/** 0: nobody has been given rights. */
export const parameterAclOid = (name: string): Oid => sys.lookup(ids.ParameterAclRelationId, ids.PgParameterAclParnameIndexId, ownName(name))?.oid ?? 0;

const CUSTOM_NAME = /^[a-z_\x80-\uffff][\w$\x80-\uffff]*(?:\.[a-z_\x80-\uffff][\w$\x80-\uffff]*)+$/i;

/** The row for GRANT, made when there is none; the caller must commandCounterIncrement(). */
export function createParameterAcl(name: string): Oid {
  if (findSetting(name) === undefined && !CUSTOM_NAME.test(name)) throw new PgError('invalid_name', `invalid parameter name "${name}"`);
  const oid = getNewOid(ids.ParameterAclRelationId);
  catalogInsert(ids.ParameterAclRelationId, { oid, parname: ownName(name), paracl: null });
  return oid;
}

/** Whether a role has the rights; superusers have them all. */
export const aclcheckParameter = (name: string, role: Oid, mode: number): boolean => objectAclcheck(ids.ParameterAclRelationId, parameterAclOid(name), role, mode);

parameterRights.maySet = (name) => aclcheckParameter(name, session.currentUser, ACL.SET);
