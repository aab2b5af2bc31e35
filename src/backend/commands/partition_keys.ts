// Foreign keys of and to partitioned tables (the recursion of PostgreSQL's ATAddForeignKeyConstraint): a constraint on the
// partitioned table has one below it for every partition, on the referencing side as well as on the referenced one.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { performDeletion } from '../catalog/dependency.ts';

import { catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { chooseConstraintName, constraintNameIsUsed, createConstraintEntry } from '../catalog/pg_constraint.ts';
import { deleteDependencyRecordsForClass, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { RI_ACTION_FUNCTIONS } from '../catalog/pg_trigger.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgConstraint } from '../catalog/rows.ts';
import { constraintByOid, constraintsOf, triggersOf } from '../catalog/syscache.ts';
import { checkNoReferences } from '../executor/ri_triggers.ts';
import { partitionDescOf, partitionParent } from '../partitioning/partdesc.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { createActionTriggers, createCheckTriggers } from './constraints.ts';
import { joinColumnNames } from './names.ts';
import { columnMapByName, setParentConstraint } from './partition_index.ts';

/** Below a new foreign key: one for each partition of the referenced and of the referencing table. */
export function addKeysOfPartitions(oid: Oid): void {
  const row = constraintByOid(oid)!;
  const pk = openRelation(row.confrelid);
  const fk = openRelation(row.conrelid);
  if (pk.kind === 'p') for (const part of partitionDescOf(pk).oids) addReferenced(row, openRelation(part));
  if (fk.kind === 'p') for (const part of partitionDescOf(fk).oids) addReferencing(constraintByOid(oid)!, openRelation(part));
}

/** The key's columns in a partition. */
const mapped = (columns: readonly number[], from: Relation, to: Relation): number[] => {
  const map = columnMapByName(from, to);
  return columns.map((n) => map.get(n)!);
};

/** addFkRecurseReferenced: rows of this partition may be referred to. */
function addReferenced(parent: PgConstraint, partition: Relation): void {
  const pk = openRelation(parent.confrelid);
  const fk = openRelation(parent.conrelid);
  const index = partition.indexes.find((i) => partitionParent(i.indexrelid) === parent.conindid);
  if (index === undefined) throw new PgError('internal_error', `index for ${parent.conindid} not found in partition ${partition.name}`);
  const columns = parent.conkey!.map((n) => fk.attributes[n - 1]!.attname);
  const oid = createConstraintEntry({
    ...withoutOwn(parent), conname: freeName(parent.conname, fk, columns), confrelid: partition.oid, confkey: mapped(parent.confkey!, pk, partition), conindid: index.indexrelid,
    conparentid: parent.oid, conislocal: false, coninhcount: 1,
  });
  // It goes with the one above it, and cannot go alone.
  recordDependencyOn(objectAddress(ids.ConstraintRelationId, oid), objectAddress(ids.ConstraintRelationId, parent.oid), 'i');
  commandCounterIncrement();
  createActionTriggers(oid, parent.conrelid, partition.oid, index.indexrelid, specOf(parent));
  commandCounterIncrement();
  if (partition.kind === 'p') for (const part of partitionDescOf(partition).oids) addReferenced(constraintByOid(oid)!, openRelation(part));
}

/** addFkRecurseReferencing: rows of this partition refer to others. The OIDs of constraints whose rows are to be checked. */
function addReferencing(parent: PgConstraint, partition: Relation): Oid[] {
  lockTable(partition.oid, partition.name, false, 6);
  const fk = openRelation(parent.conrelid);
  const conkey = mapped(parent.conkey!, fk, partition);
  if (attachKey(parent, partition, conkey)) return [];
  const columns = conkey.map((n) => partition.attributes[n - 1]!.attname);
  const oid = createConstraintEntry({
    ...withoutOwn(parent), conname: freeName(parent.conname, partition, columns), connamespace: partition.namespace, conrelid: partition.oid, conkey,
    confdelsetcols: parent.confdelsetcols === null ? null : mapped(parent.confdelsetcols, fk, partition), conparentid: parent.oid, conislocal: false, coninhcount: 1,
    connoinherit: partition.kind !== 'p',
  });
  const self = objectAddress(ids.ConstraintRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.ConstraintRelationId, parent.oid), 'P');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, partition.oid), 'S');
  commandCounterIncrement();
  createCheckTriggers(oid, partition.oid, parent.confrelid, parent.conindid, specOf(parent));
  commandCounterIncrement();
  if (partition.kind !== 'p') return [oid];
  return partitionDescOf(openRelation(partition.oid)).oids.flatMap((part) => addReferencing(constraintByOid(oid)!, openRelation(part)));
}

/** A partition may have the same key itself already (tryAttachPartitionForeignKey). */
function attachKey(parent: PgConstraint, partition: Relation, conkey: readonly number[]): boolean {
  const same = (a: readonly number[] | null, b: readonly number[] | null): boolean => (a ?? []).length === (b ?? []).length && (a ?? []).every((n, i) => n === b![i]);
  const own = constraintsOf(partition.oid).find((c) => c.contype === 'f' && c.conparentid === 0 && c.confrelid === parent.confrelid && c.convalidated && same(c.conkey, conkey)
    && same(c.confkey, parent.confkey) && same(c.conpfeqop, parent.conpfeqop) && c.condeferrable === parent.condeferrable && c.condeferred === parent.condeferred
    && c.confupdtype === parent.confupdtype && c.confdeltype === parent.confdeltype && c.confmatchtype === parent.confmatchtype);
  if (own === undefined) return false;
  dropActionTriggers(own);
  // So are the constraints for partitions of the referenced table.
  for (const c of constraintsOf(partition.oid).filter((x) => x.conparentid === own.oid)) dropOfParent(c.oid);
  setParentConstraint(own.oid, parent.oid, partition.oid);
  commandCounterIncrement();
  return true;
}

/** What is done when referenced rows go is the business of the key on the partitioned table. */
function dropActionTriggers(key: PgConstraint): void {
  const functions = new Set(Object.values(RI_ACTION_FUNCTIONS).flatMap((f) => [f.del, f.upd] as number[]));
  for (const t of [...triggersOf(key.confrelid)]) {
    if (t.tgconstraint !== key.oid || !functions.has(t.tgfoid)) continue;
    const self = objectAddress(ids.TriggerRelationId, t.oid);
    deleteDependencyRecordsForClass(self, ids.ConstraintRelationId, 'i');
    commandCounterIncrement();
    performDeletion(self, 'restrict', { quietly: true });
    commandCounterIncrement();
  }
}

const withoutOwn = (c: PgConstraint): PgConstraint => ({ ...c, oid: 0 });
const specOf = (c: PgConstraint): { onUpdate: string; onDelete: string; deferrable: boolean; initDeferred: boolean } =>
  ({ onUpdate: c.confupdtype, onDelete: c.confdeltype, deferrable: c.condeferrable, initDeferred: c.condeferred });
const freeName = (name: string, relation: Relation, columns: string[]): string =>
  (constraintNameIsUsed('relation', relation.oid, name) ? chooseConstraintName(relation.name, joinColumnNames(columns), 'fkey', relation.namespace) : name);

// ---- partitions that come and go

/** CloneForeignKeyConstraints; the OIDs of constraints that rows of the partition are to be checked against. */
export function cloneForeignKeys(partition: Relation, parent: Relation): Oid[] {
  for (const key of parent.referencedBy) {
    const row = constraintByOid(key.oid)!;
    // Those that come from a partition's own key have been seen with the one above them.
    if (row.conparentid !== 0 && constraintByOid(row.conparentid)!.confrelid === parent.oid) continue;
    addReferenced(row, openRelation(partition.oid));
  }
  const keys = constraintsOf(parent.oid).filter((c) => c.contype === 'f' && !isReferencedClone(c));
  const toPartition = keys.find((c) => c.confrelid === partition.oid);
  if (toPartition !== undefined) {
    throw new PgError('feature_not_supported', `cannot attach table "${partition.name}" as a partition because it is referenced by foreign key "${toPartition.conname}"`);
  }
  return keys.flatMap((c) => addReferencing(c, openRelation(partition.oid)));
}

/** A constraint of this table for one partition of the table it refers to. */
const isReferencedClone = (c: PgConstraint): boolean => c.conparentid !== 0 && constraintByOid(c.conparentid)?.conrelid === c.conrelid;

/** DETACH: nobody may refer to the partition's rows (ATDetachCheckNoForeignKeyRefs). */
export function checkNoKeysReferTo(partition: Relation): void {
  for (const key of partition.referencedBy) {
    if (constraintByOid(key.oid)!.conparentid !== 0) checkNoReferences(partition, key);
  }
}

/** DETACH: the partition's keys are its own from now on; those that others have to it go. */
export function detachForeignKeys(partition: Relation): void {
  for (const c of constraintsOf(partition.oid).filter((x) => x.contype === 'f' && x.conparentid !== 0 && !isReferencedClone(x))) {
    setParentConstraint(c.oid, 0, partition.oid);
    for (const t of triggersOf(partition.oid)) {
      if (t.tgconstraint === c.oid) catalogUpdateByKey(ids.TriggerRelationId, ids.PgTriggerOidIndexId, [t.oid], { tgparentid: 0 });
    }
    commandCounterIncrement();
    createActionTriggers(c.oid, partition.oid, c.confrelid, c.conindid, specOf(c));
    commandCounterIncrement();
    const pk = openRelation(c.confrelid);
    if (pk.kind === 'p') for (const part of partitionDescOf(pk).oids) addReferenced(constraintByOid(c.oid)!, openRelation(part));
  }
  for (const key of openRelation(partition.oid).referencedBy) {
    const row = constraintByOid(key.oid);
    if (row === undefined || row.conparentid === 0) continue;
    dropOfParent(key.oid);
  }
}

/** A constraint for one partition of the referenced table, which otherwise goes only with the one above it. */
function dropOfParent(oid: Oid): void {
  const self = objectAddress(ids.ConstraintRelationId, oid);
  deleteDependencyRecordsForClass(self, ids.ConstraintRelationId, 'i');
  commandCounterIncrement();
  performDeletion(self, 'restrict', { quietly: true });
  commandCounterIncrement();
}


