// REASSIGN OWNED and DROP OWNED (shdepReassignOwned and shdepDropOwned of PostgreSQL's pg_shdepend.c): all that a role
// owns in this database, and in global/.
import { PgError } from '../../common/errors.ts';
import { hasPrivsOfRole } from '../catalog/acl.ts';
import { performMultipleDeletions } from '../catalog/dependency.ts';
import { getObjectDescription } from '../catalog/objectaddress.ts';
import { objectProperty } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import { sharedDependentsOf } from '../catalog/pg_shdepend.ts';
import { isPinnedObject } from '../catalog/catalog.ts';
import * as sys from '../catalog/syscache.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { assignTypeOwner, changeRelationOwner, setOwner } from './alter_owner.ts';
import { revokeAllFromRole } from './grant.ts';
import { removeRoleFromPolicy } from './policy.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

const here = (dbid: Oid): boolean => dbid === session.databaseOid || dbid === 0;

function refusePinned(role: Oid, verb: string): void {
  if (!isPinnedObject(ids.AuthIdRelationId, role)) return;
  throw new PgError('dependent_objects_still_exist', `cannot ${verb} objects owned by ${getObjectDescription(objectAddress(ids.AuthIdRelationId, role))} because they are required by the database system`);
}

function dropOwned(stmt: RawNode): void {
  const roles = (stmt['roles'] as RoleSpec[]).map((spec) => rolespecOid(spec));
  for (const role of roles) {
    if (!hasPrivsOfRole(session.currentUser, role)) throw new PgError('insufficient_privilege', 'permission denied to drop objects');
  }
  const addresses: ObjectAddress[] = [];
  for (const role of roles) {
    refusePinned(role, 'drop');
    for (const d of sharedDependentsOf(ids.AuthIdRelationId, role)) {
      if (!here(d.dbid)) continue;
      if (d.deptype === 'a') {
        revokeAllFromRole(role, d.classid, d.objid);
        commandCounterIncrement();
      } else if (d.deptype === 'r' && d.dbid === session.databaseOid) {
        if (!removeRoleFromPolicy(role, d.objid)) addresses.push(objectAddress(d.classid, d.objid, d.objsubid));
      } else if (d.deptype === 'o' && d.dbid === session.databaseOid) addresses.push(objectAddress(d.classid, d.objid, d.objsubid));
    }
  }
  addresses.sort((a, b) => b.objectId - a.objectId || a.classId - b.classId);
  performMultipleDeletions(addresses, stmt['behavior'] === 'DROP_CASCADE' ? 'cascade' : 'restrict');
}

function reassignOwned(stmt: RawNode): void {
  const roles = (stmt['roles'] as RoleSpec[]).map((spec) => rolespecOid(spec));
  const newOwner = rolespecOid(stmt['newrole'] as RoleSpec);
  for (const role of roles) if (!hasPrivsOfRole(session.currentUser, role)) throw new PgError('insufficient_privilege', 'permission denied to reassign objects');
  if (!hasPrivsOfRole(session.currentUser, newOwner)) throw new PgError('insufficient_privilege', 'permission denied to reassign objects');
  for (const role of roles) {
    refusePinned(role, 'reassign ownership of');
    for (const d of sharedDependentsOf(ids.AuthIdRelationId, role)) {
      if (!here(d.dbid) || d.deptype !== 'o') continue;
      if (d.classid === ids.RelationRelationId) {
        if (sys.classByOid(d.objid)?.relkind !== 'i') changeRelationOwner(d.objid, newOwner, true);
        else setOwner(d.classid, d.objid, newOwner);
      } else if (d.classid === ids.TypeRelationId) assignTypeOwner(d.objid, newOwner);
      else if (d.classid !== ids.DefaultAclRelationId && objectProperty(d.classid)?.owner !== undefined) setOwner(d.classid, d.objid, newOwner);
      commandCounterIncrement();
    }
  }
}

export const OWNED_COMMANDS: UtilityTable = {
  DropOwnedStmt: { run: dropOwned },
  ReassignOwnedStmt: { run: reassignOwned },
};
