// ALTER ... SET SCHEMA (PostgreSQL's AlterTableNamespace, AlterTypeNamespace and AlterObjectNamespace_internal).
import { PgError, notSupported } from '../../common/errors.ts';
import { aclcheckNamespace, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { getObjectDescription } from '../catalog/objectaddress.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { isAnyTempNamespace, lookupCreationNamespace } from '../catalog/namespace.ts';
import { objectName, objectNamespace, objectProperty } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { changeDependencyFor, objectAddress, ownedSequences, sequenceOwner } from '../catalog/pg_depend.ts';
import { openRelation } from '../catalog/relcache.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { relationForAlter } from './altertable.ts';
import { requireDomain, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';
import { refuseSameName } from './rename.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;

export function alterObjectSchema(stmt: RawNode): void {
  const type = stmt['objectType'] as string;
  const name = stmt['newschema'] as string;
  switch (type) {
    case 'OBJECT_TABLE': case 'OBJECT_SEQUENCE': case 'OBJECT_VIEW': case 'OBJECT_MATVIEW': case 'OBJECT_FOREIGN_TABLE':
      return moveRelation(stmt['relation'] as RawNode, type, Boolean(stmt['missing_ok']), name);
    case 'OBJECT_TYPE': case 'OBJECT_DOMAIN': {
      const { objectId } = resolveObject('OBJECT_TYPE', stmt['object'] as RawObject)!;
      if (type === 'OBJECT_DOMAIN') requireDomain(objectId);
      return moveTypeStmt(objectId, name);
    }
    case 'OBJECT_EXTENSION': {
      const extension = resolveObject(type, stmt['object'] as RawObject)!;
      lookupCreationNamespace(name);
      requireObjectOwnership(extension);
      // None of ours can be moved.
      throw new PgError('feature_not_supported', `extension "${stmt['object'] as string}" does not support SET SCHEMA`);
    }
    default: return moveObject(type, stmt['object'] as RawObject, name);
  }
}

/** May objects go from one schema to another? (CheckSetNamespace) */
function checkSetNamespace(from: Oid, to: Oid): void {
  if (isAnyTempNamespace(from) || isAnyTempNamespace(to)) throw new PgError('feature_not_supported', 'cannot move objects into or out of temporary schemas');
  if (from === ids.PG_TOAST_NAMESPACE || to === ids.PG_TOAST_NAMESPACE) throw new PgError('feature_not_supported', 'cannot move objects into or out of TOAST schema');
}

function moveRelation(rv: RawNode, type: string, missingOk: boolean, schema: string): void {
  const oid = relationForAlter(rv, type, missingOk, ACCESS_EXCLUSIVE_LOCK);
  if (oid === 0) return;
  const relation = openRelation(oid);
  if (relation.kind === 'i' || relation.kind === 'I') {
    throw new PgError('wrong_object_type', `cannot change schema of index "${relation.name}"`, { hint: 'Change the schema of the table instead.' });
  }
  if (relation.kind === 'S') {
    const table = sequenceOwner(oid, 'a') ?? sequenceOwner(oid, 'i');
    if (table !== undefined) {
      throw new PgError('feature_not_supported', 'cannot move an owned sequence into another schema', { detail: `Sequence "${relation.name}" is linked to table "${openRelation(table.table).name}".` });
    }
  }
  const to = lookupCreationNamespace(schema);
  checkSetNamespace(relation.namespace, to);
  moveRelationTo(oid, relation.namespace, to, true);
}

/** A relation with its row type, indexes, constraints and sequences. */
function moveRelationTo(oid: Oid, from: Oid, to: Oid, hasDependency: boolean): void {
  if (from === to) return;
  const relation = openRelation(oid);
  if (sys.relationOidByName(relation.name, to) !== 0) {
    throw new PgError('duplicate_table', `relation "${relation.name}" already exists in schema "${sys.namespaceByOid(to)!.nspname}"`);
  }
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relnamespace: to });
  if (hasDependency) changeDependencyFor(ids.RelationRelationId, oid, ids.NamespaceRelationId, from, to);
  commandCounterIncrement();
  if (relation.rowType !== 0) moveTypeTo(relation.rowType, to, false);
  for (const index of relation.indexes) moveRelationTo(index.indexrelid, from, to, false);
  for (const constraint of sys.constraintsOf(oid)) {
    if (constraint.connamespace === from) catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [constraint.oid], { connamespace: to });
  }
  for (const sequence of 'rpf'.includes(relation.kind) ? ownedSequences(oid) : []) moveRelationTo(sequence, from, to, true);
  commandCounterIncrement();
}

function moveTypeStmt(oid: Oid, schema: string): void {
  const to = lookupCreationNamespace(schema);
  requireObjectOwnership(objectAddress(ids.TypeRelationId, oid));
  const type = sys.typeByOid(oid)!;
  if (type.typelem !== 0 && sys.typeByOid(type.typelem)?.typarray === oid) {
    throw new PgError('wrong_object_type', `cannot alter array type ${formatType(oid)}`, { hint: `You can alter type ${formatType(type.typelem)}, which will alter the array type as well.` });
  }
  if (type.typtype === 'c' && sys.classByOid(type.typrelid)!.relkind !== 'c') {
    throw new PgError('wrong_object_type', `${formatType(oid)} is a table's row type`, { hint: 'Use ALTER TABLE instead.' });
  }
  checkSetNamespace(type.typnamespace, to);
  if (type.typnamespace === to) return;
  moveTypeTo(oid, to, true);
}

function moveTypeTo(oid: Oid, to: Oid, hasDependency: boolean): void {
  const type = sys.typeByOid(oid)!;
  const from = type.typnamespace;
  if (from === to) return;
  if (sys.typeByName(type.typname, to) !== undefined) {
    throw new PgError('duplicate_object', `type "${type.typname}" already exists in schema "${sys.namespaceByOid(to)!.nspname}"`);
  }
  catalogUpdateByKey(ids.TypeRelationId, ids.PgTypeOidIndexId, [oid], { typnamespace: to });
  commandCounterIncrement();
  if (type.typtype === 'c' && sys.classByOid(type.typrelid)!.relkind === 'c') {
    catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [type.typrelid], { relnamespace: to });
  }
  for (const constraint of type.typtype === 'd' ? sys.constraintsOfDomain(oid) : []) {
    catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [constraint.oid], { connamespace: to });
  }
  if (hasDependency) changeDependencyFor(ids.TypeRelationId, oid, ids.NamespaceRelationId, from, to);
  commandCounterIncrement();
  if (type.typarray !== 0) moveTypeTo(type.typarray, to, false);
}

function moveObject(type: string, object: RawObject, schema: string): void {
  const address = resolveObject(type, object)!;
  const { classId, objectId } = address;
  const to = lookupCreationNamespace(schema);
  const from = objectNamespace(classId, objectId);
  if (!session.isSuperuser) {
    if (objectProperty(classId)?.owner === undefined) throw new PgError('insufficient_privilege', `must be superuser to set schema of ${getObjectDescription(address)}`);
    requireObjectOwnership(address);
    if (!aclcheckNamespace(to, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', schema);
  }
  checkSetNamespace(from, to);
  if (from === to) return;
  const property = objectProperty(classId);
  if (property?.namespace === undefined) throw notSupported(`moving ${getObjectDescription(address)}`);
  refuseSameName(address, objectName(classId, objectId)!, to);
  const [tuple] = catalogFind(property.classId, property.oidIndex, [objectId]);
  catalogUpdate(property.classId, tuple!, { [property.namespace]: to } as never);
  changeDependencyFor(classId, objectId, ids.NamespaceRelationId, from, to);
}
