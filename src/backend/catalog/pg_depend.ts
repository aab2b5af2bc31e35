// Which object depends on which (pg_depend). Types of dependency: 'n' normal, 'a' auto, 'i' internal, 'P' and 'S'
// partition, 'e' extension, 'x' auto extension.
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { isPinnedObject } from './catalog.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import type { PgDepend } from './rows.ts';

export interface ObjectAddress {
  readonly classId: Oid;
  readonly objectId: Oid;
  /** Column number for a column of a relation, else 0. */
  readonly objectSubId: number;
}
export const objectAddress = (classId: Oid, objectId: Oid, objectSubId = 0): ObjectAddress => ({ classId, objectId, objectSubId });
export const sameAddress = (a: ObjectAddress, b: ObjectAddress): boolean =>
  a.classId === b.classId && a.objectId === b.objectId && a.objectSubId === b.objectSubId;
/** For Sets and Maps. */
export const addressKey = (a: ObjectAddress): string => `${a.classId}.${a.objectId}.${a.objectSubId}`;

export type DependencyType = 'n' | 'a' | 'i' | 'P' | 'S' | 'e' | 'x';

export function recordDependencyOn(depender: ObjectAddress, referenced: ObjectAddress, type: DependencyType): void {
  recordMultipleDependencies(depender, [referenced], type);
}

export function recordMultipleDependencies(depender: ObjectAddress, referenced: readonly ObjectAddress[], type: DependencyType): void {
  for (const r of referenced) {
    if (isPinnedObject(r.classId, r.objectId)) continue;
    catalogInsert(ids.DependRelationId, { classid: depender.classId, objid: depender.objectId, objsubid: depender.objectSubId,
      refclassid: r.classId, refobjid: r.objectId, refobjsubid: r.objectSubId, deptype: type });
  }
}

/** What an object depends on. A whole object's entries include those of its columns. */
export function dependenciesOf(object: ObjectAddress): PgDepend[] {
  return dependencyTuples(object).map((t) => t.row);
}
function dependencyTuples(object: ObjectAddress) {
  const keys = [object.classId, object.objectId, ...(object.objectSubId !== 0 ? [object.objectSubId] : [])];
  return catalogFind(ids.DependRelationId, ids.PgDependDependerIndexId, keys);
}
/** What depends on an object. */
export function dependentsOf(object: ObjectAddress): PgDepend[] {
  const keys = [object.classId, object.objectId, ...(object.objectSubId !== 0 ? [object.objectSubId] : [])];
  return catalogFind(ids.DependRelationId, ids.PgDependReferenceIndexId, keys).map((t) => t.row);
}

/** Removes all entries of a depender; how many. */
export function deleteDependencyRecordsFor(object: ObjectAddress, keepExtension = false): number {
  let count = 0;
  for (const tuple of dependencyTuples(object)) {
    if (keepExtension && tuple.row.deptype === 'e') continue;
    catalogDelete(ids.DependRelationId, tuple);
    count++;
  }
  return count;
}

/** Removes the entries of one type from an object to another (deleteDependencyRecordsForSpecific). */
export function deleteDependencyRecordsForSpecific(object: ObjectAddress, referenced: ObjectAddress, type: DependencyType): void {
  for (const tuple of dependencyTuples(object)) {
    if (tuple.row.refclassid === referenced.classId && tuple.row.refobjid === referenced.objectId && tuple.row.deptype === type) catalogDelete(ids.DependRelationId, tuple);
  }
}

/** Removes the entries from an object to objects of one class, of one type (deleteDependencyRecordsForClass). */
export function deleteDependencyRecordsForClass(object: ObjectAddress, refClassId: Oid, type: DependencyType): number {
  let count = 0;
  for (const tuple of dependencyTuples({ ...object, objectSubId: 0 })) {
    if (tuple.row.refclassid !== refClassId || tuple.row.deptype !== type) continue;
    catalogDelete(ids.DependRelationId, tuple);
    count++;
  }
  return count;
}

/** An object depends on another one of the same class now: a table moved to another schema (changeDependencyFor). */
export function changeDependencyFor(classId: Oid, objectId: Oid, refClassId: Oid, oldRef: Oid, newRef: Oid): number {
  const object = objectAddress(classId, objectId);
  const newPinned = isPinnedObject(refClassId, newRef);
  if (isPinnedObject(refClassId, oldRef)) {
    if (!newPinned) recordDependencyOn(object, objectAddress(refClassId, newRef), 'n');
    return 1;
  }
  let count = 0;
  for (const tuple of dependencyTuples(object)) {
    if (tuple.row.refclassid !== refClassId || tuple.row.refobjid !== oldRef) continue;
    if (newPinned) catalogDelete(ids.DependRelationId, tuple);
    else catalogUpdate(ids.DependRelationId, tuple, { refobjid: newRef });
    count++;
  }
  return count;
}

/** Whether a sequence belongs to a column (SERIAL: 'a', identity: 'i'), and to which. */
export function sequenceOwner(sequence: Oid, type: 'a' | 'i'): { table: Oid; column: number } | undefined {
  const d = dependenciesOf(objectAddress(ids.RelationRelationId, sequence))
    .find((r) => r.refclassid === ids.RelationRelationId && r.deptype === type && r.refobjsubid !== 0);
  return d && { table: d.refobjid, column: d.refobjsubid };
}

/** The sequences that belong to a table, or to one column of it (getOwnedSequences). */
export function ownedSequences(table: Oid, attnum = 0, type: 'a' | 'i' | null = null): Oid[] {
  return dependentsOf(objectAddress(ids.RelationRelationId, table, attnum))
    .filter((d) => d.classid === ids.RelationRelationId && d.objsubid === 0 && d.refobjsubid !== 0
      && (type === null ? d.deptype === 'a' || d.deptype === 'i' : d.deptype === type)
      && catalogFind(ids.SequenceRelationId, ids.PgSequenceSeqrelidIndexId, [d.objid]).length > 0)
    .map((d) => d.objid);
}

/** The sequence of an identity column (getIdentitySequence). */
export function identitySequenceOf(table: Oid, attnum: number): Oid {
  const [sequence, another] = ownedSequences(table, attnum, 'i');
  if (sequence === undefined) throw internalError('no owned sequence found');
  if (another !== undefined) throw internalError('more than one owned sequence found');
  return sequence;
}

/** The constraint an index serves, 0: none (get_index_constraint). */
export function indexConstraint(index: Oid): Oid {
  return dependenciesOf(objectAddress(ids.RelationRelationId, index))
    .find((d) => d.refclassid === ids.ConstraintRelationId && d.deptype === 'i')?.refobjid ?? 0;
}
