// Which objects of which database depend on shared ones, mostly on roles (pg_shdepend): 'o' owner, 'a' mentioned in an
// ACL, 'r' in a policy, 't' tablespace of a relation without storage, 'f' of one with (what PostgreSQL sees by the files).
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { PgError } from '../../common/errors.ts';
import { isPinnedObject, isSharedRelation } from './catalog.ts';
import { keepObject } from './object_lock.ts';
import { authIdByOid } from './syscache.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import type { PgShdepend } from './rows.ts';

export type SharedDependencyType = 'o' | 'a' | 'r' | 't' | 'f';

const databaseOf = (classId: Oid): Oid => (isSharedRelation(classId) ? 0 : session.databaseOid);

export function recordSharedDependencyOn(classId: Oid, objectId: Oid, subId: number, refClassId: Oid, refObjectId: Oid, type: SharedDependencyType): void {
  if (isPinnedObject(refClassId, refObjectId)) return;
  if (refClassId === ids.AuthIdRelationId) keepRole(refObjectId);
  catalogInsert(ids.SharedDependRelationId, { dbid: databaseOf(classId), classid: classId, objid: objectId, objsubid: subId,
    refclassid: refClassId, refobjid: refObjectId, deptype: type });
}

/** shdepLockAndCheckObject. */
function keepRole(oid: Oid): void {
  if (!keepObject(true, ids.AuthIdRelationId, oid, () => authIdByOid(oid) !== undefined)) throw new PgError('undefined_object', `role ${oid} was concurrently dropped`);
}

export const recordDependencyOnOwner = (classId: Oid, objectId: Oid, owner: Oid): void =>
  recordSharedDependencyOn(classId, objectId, 0, ids.AuthIdRelationId, owner, 'o');

const tuplesOf = (classId: Oid, objectId: Oid) =>
  catalogFind(ids.SharedDependRelationId, ids.PgShdependDependerIndexId, [databaseOf(classId), classId, objectId]);

/** The object has a new owner; a grant to that role in its ACL needs no entry of its own any more. */
export function changeDependencyOnOwner(classId: Oid, objectId: Oid, newOwner: Oid): void {
  const owner = tuplesOf(classId, objectId).find((t) => t.row.objsubid === 0 && t.row.deptype === 'o');
  if (owner && isPinnedObject(ids.AuthIdRelationId, newOwner)) catalogDelete(ids.SharedDependRelationId, owner);
  else if (owner) {
    keepRole(newOwner);
    catalogUpdate(ids.SharedDependRelationId, owner, { refobjid: newOwner });
  } else recordDependencyOnOwner(classId, objectId, newOwner);
  for (const t of tuplesOf(classId, objectId)) {
    if (t.row.objsubid === 0 && t.row.deptype === 'a' && t.row.refobjid === newOwner) catalogDelete(ids.SharedDependRelationId, t);
  }
}

/** The roles an ACL mentions were these and are those now; the owner has an entry already. */
export function updateAclDependencies(classId: Oid, objectId: Oid, subId: number, owner: Oid, oldMembers: readonly Oid[], newMembers: readonly Oid[]): void {
  for (const role of newMembers) {
    if (role === owner || oldMembers.includes(role)) continue;
    recordSharedDependencyOn(classId, objectId, subId, ids.AuthIdRelationId, role, 'a');
  }
  const gone = oldMembers.filter((role) => role !== owner && !newMembers.includes(role));
  if (gone.length === 0) return;
  for (const t of tuplesOf(classId, objectId)) {
    if (t.row.objsubid === subId && t.row.deptype === 'a' && gone.includes(t.row.refobjid)) catalogDelete(ids.SharedDependRelationId, t);
  }
}

/** Removes all entries of an object (subId 0: of its columns too). */
export function deleteSharedDependencyRecordsFor(classId: Oid, objectId: Oid, subId = 0): void {
  for (const t of tuplesOf(classId, objectId)) {
    if (subId === 0 || t.row.objsubid === subId) catalogDelete(ids.SharedDependRelationId, t);
  }
}

/** What depends on a shared object, in all databases. */
export const sharedDependentsOf = (refClassId: Oid, refObjectId: Oid): PgShdepend[] =>
  catalogFind(ids.SharedDependRelationId, ids.PgShdependReferenceIndexId, [refClassId, refObjectId]).map((t) => t.row);
