// ALTER ... DEPENDS ON EXTENSION: what is dropped with an extension, without being its member (ExecAlterObjectDependsStmt of
// PostgreSQL's alter.c).
import { getRelationByQualifiedName } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsForSpecific, dependenciesOf, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { lockRelation, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;

export function alterObjectDepends(stmt: RawNode): void {
  const type = stmt['objectType'] as string;
  const rv = stmt['relation'] as { schemaname?: string; relname: string } | undefined;
  const table = rv === undefined ? [] : rv.schemaname === undefined ? [rv.relname] : [rv.schemaname, rv.relname];
  // The table of a trigger stands apart from its name.
  const address = type === 'OBJECT_TRIGGER' ? resolveObject(type, [...table, ...stmt['object'] as string[]])!
    : rv === undefined ? resolveObject(type, stmt['object'] as RawObject)! : getRelationByQualifiedName(type.replace('OBJECT_', ''), table)!;
  if (address.classId === ids.RelationRelationId) lockRelation(address.objectId, ACCESS_EXCLUSIVE_LOCK);
  requireObjectOwnership(address, type, (stmt['object'] ?? []) as RawObject);
  const extension = resolveObject('OBJECT_EXTENSION', [(stmt['extname'] as { sval: string }).sval])!;
  if (stmt['remove']) return deleteDependencyRecordsForSpecific(address, extension, 'x');
  const known = dependenciesOf(objectAddress(address.classId, address.objectId)).some((d) => d.deptype === 'x' && d.refobjid === extension.objectId);
  if (!known) recordDependencyOn(address, extension, 'x');
}
