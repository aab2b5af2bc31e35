// ALTER ... OWNER TO for every kind of object (ATExecChangeOwner of PostgreSQL's tablecmds.c, ExecAlterOwnerStmt of
// alter.c). Grants by and to the old owner become the new owner's.
import { PgError } from '../../common/errors.ts';
import { aclMembers, aclNewOwner, formatAcl, isMemberOfRole, parseAcl } from '../catalog/acl.ts';
import { aclcheckNamespace, hasCreateDbPrivilege, notOwnerOrDenied, objectAclcheck } from '../catalog/aclchk.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import { objectName, objectNamespace, objectOwner, objectProperty, objectRow } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, ownedSequences, sequenceOwner, type ObjectAddress } from '../catalog/pg_depend.ts';
import { changeDependencyOnOwner, updateAclDependencies } from '../catalog/pg_shdepend.ts';
import { setTypeOwner } from '../catalog/pg_type.ts';
import { openRelation } from '../catalog/relcache.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { checkForeignOwner } from './foreigncmds.ts';
import { checkSubscriptionOwner } from './subscriptioncmds.ts';
import { checkPublicationOwner } from './publicationcmds.ts';
import { requireDomain, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

/** Only who is a member of the new owning role may give something to it (check_is_member_of_role). */
function requireMembership(role: Oid): void {
  if (!isMemberOfRole(session.currentUser, role)) {
    throw new PgError('insufficient_privilege', `must be member of role "${sys.authIdByOid(role)!.rolname}"`);
  }
}

/** Owner column, ACL and shared dependencies of one row (AlterObjectOwner_internal after its checks). */
export function setOwner(classId: Oid, objectId: Oid, owner: Oid): void {
  const property = objectProperty(classId)!;
  const row = objectRow(classId, objectId)!;
  const old = row[property.owner!] as Oid;
  if (old === owner) return;
  const acl = property.acl === undefined ? null : row[property.acl] as readonly string[] | null;
  const [tuple] = catalogFind(property.classId, property.oidIndex, [objectId]);
  const newAcl = acl === null ? null : aclNewOwner(parseAcl(acl), old, owner);
  catalogUpdate(property.classId, tuple!, { [property.owner!]: owner, ...(newAcl !== null ? { [property.acl!]: formatAcl(newAcl) } : {}) } as never);
  // Indexes and composite types are owned by way of their table or type.
  if (classId !== ids.RelationRelationId || !'iIct'.includes(row['relkind'] as string)) changeDependencyOnOwner(classId, objectId, owner);
  if (newAcl !== null) {
    commandCounterIncrement();
    updateAclDependencies(classId, objectId, 0, owner, aclMembers(parseAcl(acl!)).filter((r) => r !== old), aclMembers(newAcl).filter((r) => r !== owner));
  }
  commandCounterIncrement();
}

/** A table, view, sequence, ... with what belongs to it (ATExecChangeOwner). */
export function changeRelationOwner(oid: Oid, owner: Oid, recursing = false): void {
  const relation = openRelation(oid);
  if (!recursing) {
    if (relation.kind === 'i' || relation.kind === 'I') {
      if (relation.owner === owner) return;
      const warning = new PgError('wrong_object_type', `cannot change owner of index "${relation.name}"`, { hint: 'Change the ownership of the index\'s table, instead.' });
      warning.severity = 'WARNING';
      return session.notice(warning);
    }
    if (relation.kind === 'S' && relation.owner !== owner) {
      const table = sequenceOwner(oid, 'a') ?? sequenceOwner(oid, 'i');
      if (table !== undefined) {
        throw new PgError('feature_not_supported', `cannot change owner of sequence "${relation.name}"`, { detail: `Sequence "${relation.name}" is linked to table "${openRelation(table.table).name}".` });
      }
    }
    if (relation.kind === 'c') throw new PgError('wrong_object_type', `"${relation.name}" is a composite type`, { hint: 'Use ALTER TYPE instead.' });
  }
  if (relation.owner === owner) return;
  if (!recursing && !session.isSuperuser) {
    requireObjectOwnership(objectAddress(ids.RelationRelationId, oid));
    requireMembership(owner);
    if (!aclcheckNamespace(relation.namespace, owner, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(relation.namespace)!.nspname);
  }
  setOwner(ids.RelationRelationId, oid, owner);
  for (const column of sys.attributesOf(oid)) changeColumnAcl(oid, column.attnum, column.attacl, relation.owner, owner);
  if (relation.rowType !== 0 && relation.kind !== 'c') setTypeOwner(relation.rowType, owner);
  commandCounterIncrement();
  if (relation.kind !== 'r' && relation.kind !== 'm' && relation.kind !== 'p') return;
  for (const index of relation.indexes) changeRelationOwner(index.indexrelid, owner, true);
  for (const sequence of ownedSequences(oid)) changeRelationOwner(sequence, owner, true);
}

function changeColumnAcl(relation: Oid, attnum: number, acl: readonly string[] | null, old: Oid, owner: Oid): void {
  if (acl === null) return;
  const [tuple] = catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [relation, attnum]);
  catalogUpdate(ids.AttributeRelationId, tuple!, { attacl: formatAcl(aclNewOwner(parseAcl(acl), old, owner)) });
}

/** ALTER SCHEMA, DATABASE, FUNCTION, TYPE, ... OWNER TO (AlterOwnerStmt). */
export function alterOwner(stmt: RawNode): void {
  const owner = rolespecOid(stmt['newowner'] as RoleSpec);
  const type = stmt['objectType'] as string;
  const address = resolveObject(type === 'OBJECT_DOMAIN' ? 'OBJECT_TYPE' : type, stmt['object'] as RawObject)!;
  switch (type) {
    case 'OBJECT_DOMAIN': requireDomain(address.objectId); // falls through
    case 'OBJECT_TYPE': return changeTypeOwner(address.objectId, owner);
    case 'OBJECT_DATABASE': return changeDatabaseOwner(address, owner);
    default: changeObjectOwner(address, owner);
  }
}

function changeObjectOwner(address: ObjectAddress, owner: Oid): void {
  const { classId, objectId } = address;
  if (classId === ids.ForeignDataWrapperRelationId) checkForeignOwner(classId, objectId, owner);
  if (objectOwner(classId, objectId) === owner) return;
  if (classId === ids.EventTriggerRelationId) {
    requireObjectOwnership(address);
    if (!sys.authIdByOid(owner)!.rolsuper) {
      throw new PgError('insufficient_privilege', `permission denied to change owner of event trigger "${objectName(classId, objectId)}"`, { hint: 'The owner of an event trigger must be a superuser.' });
    }
  }
  if (classId === ids.SubscriptionRelationId) {
    requireObjectOwnership(address);
    checkSubscriptionOwner(objectId, owner);
  }
  if (!session.isSuperuser) {
    requireObjectOwnership(address);
    requireMembership(owner);
    if (classId === ids.ForeignServerRelationId) checkForeignOwner(classId, objectId, owner);
    if (classId === ids.PublicationRelationId) checkPublicationOwner(objectId, owner);
    const namespace = objectNamespace(classId, objectId);
    if (namespace !== 0 && !aclcheckNamespace(namespace, owner, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
    // A schema's new owner does not need CREATE on the database; who gives it away does.
    if (classId === ids.NamespaceRelationId && !objectAclcheck(ids.DatabaseRelationId, session.databaseOid, session.currentUser, ACL.CREATE)) {
      throw notOwnerOrDenied('database', session.databaseName);
    }
  }
  setOwner(classId, objectId, owner);
}

function changeTypeOwner(oid: Oid, owner: Oid): void {
  const type = sys.typeByOid(oid)!;
  if (type.typtype === 'c' && sys.classByOid(type.typrelid)!.relkind !== 'c') {
    throw new PgError('wrong_object_type', `${formatType(oid)} is a table's row type`, { hint: 'Use ALTER TABLE instead.' });
  }
  if (type.typelem !== 0 && sys.typeByOid(type.typelem)?.typarray === oid) {
    throw new PgError('wrong_object_type', `cannot alter array type ${formatType(oid)}`, { hint: `You can alter type ${formatType(type.typelem)}, which will alter the array type as well.` });
  }
  if (type.typowner === owner) return;
  if (!session.isSuperuser) {
    requireObjectOwnership(objectAddress(ids.TypeRelationId, oid));
    requireMembership(owner);
    if (!aclcheckNamespace(type.typnamespace, owner, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(type.typnamespace)!.nspname);
  }
  assignTypeOwner(oid, owner);
}

/** A type with its array type, and the relation of a composite type. */
export function assignTypeOwner(oid: Oid, owner: Oid): void {
  const type = sys.typeByOid(oid)!;
  if (type.typtype === 'c') changeRelationOwner(type.typrelid, owner, true);
  setOwner(ids.TypeRelationId, oid, owner);
  if (type.typarray !== 0) setTypeOwner(type.typarray, owner);
  commandCounterIncrement();
}

function changeDatabaseOwner(address: ObjectAddress, owner: Oid): void {
  if (objectOwner(address.classId, address.objectId) === owner) return;
  requireObjectOwnership(address);
  requireMembership(owner);
  if (!hasCreateDbPrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to change owner of database');
  setOwner(address.classId, address.objectId, owner);
}

