// New schemas (PostgreSQL's pg_namespace.c).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { aclMembers, parseAcl } from './acl.ts';
import { userDefaultAcl } from './aclchk.ts';
import { getNewOid } from './catalog.ts';
import { catalogInsert } from './indexing.ts';
import * as ids from './oids.ts';
import { recordDependencyOnOwner, updateAclDependencies } from './pg_shdepend.ts';
import { namespaceByName } from './syscache.ts';

/** Makes a schema; its OID (NamespaceCreate). */
export function namespaceCreate(name: string, owner: Oid, isTemp = false): Oid {
  if (namespaceByName(name)) throw new PgError('duplicate_schema', `schema "${name}" already exists`);
  const acl = isTemp ? null : userDefaultAcl('n', owner, 0);
  const oid = getNewOid(ids.NamespaceRelationId);
  catalogInsert(ids.NamespaceRelationId, { oid, nspname: name, nspowner: owner, nspacl: acl });
  recordDependencyOnOwner(ids.NamespaceRelationId, oid, owner);
  if (acl) updateAclDependencies(ids.NamespaceRelationId, oid, 0, owner, [], aclMembers(parseAcl(acl)));
  return oid;
}
