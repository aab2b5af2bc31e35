// What a new partition takes over from its parent: indexes, row triggers, foreign keys.
import { PgError } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { catalogInsert } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { createConstraintEntry } from '../catalog/pg_constraint.ts';
import { deleteDependencyRecordsForClass, objectAddress } from '../catalog/pg_depend.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { TRIGGER_TYPE, noteTriggers, triggerRow } from '../catalog/pg_trigger.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { constraintByOid, triggersOf } from '../catalog/syscache.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { mapToChild } from '../partitioning/partqual.ts';
import { cloneForeignKeys } from './partition_keys.ts';
import { columnMapByName, ensureIndexes } from './partition_index.ts';
import { recordTriggerDependencies } from './trigger.ts';

/** CREATE TABLE PARTITION OF: there are no rows yet. */
export function cloneFromParent(partition: Relation, parent: Relation): void {
  ensureIndexes(partition, parent, false);
  cloneRowTriggers(openRelation(partition.oid), openRelation(parent.oid));
  cloneForeignKeys(openRelation(partition.oid), openRelation(parent.oid));
}

/** CloneRowTriggersToPartition. */
export function cloneRowTriggers(partition: Relation, parent: Relation, wanted: (trigger: Oid) => boolean = () => true): void {
  const map = columnMapByName(parent, partition);
  for (const t of [...triggersOf(parent.oid)]) {
    if (t.tgisinternal || (t.tgtype & TRIGGER_TYPE.ROW) === 0 || !wanted(t.oid)) continue;
    if (triggersOf(partition.oid).some((own) => own.tgname === t.tgname)) throw new PgError('duplicate_object', `trigger "${t.tgname}" for relation "${partition.name}" already exists`);
    const qual = t.tgqual === null ? null : mapToChild([stringToNode<Expr>(t.tgqual)], parent, partition)[0]!;
    const oid = getNewOid(ids.TriggerRelationId);
    let constraint: Oid = 0;
    if (t.tgconstraint !== 0) {
      const of = constraintByOid(t.tgconstraint)!;
      constraint = createConstraintEntry({
        conname: of.conname, connamespace: partition.namespace, contype: 't', condeferrable: of.condeferrable, condeferred: of.condeferred, conrelid: partition.oid, connoinherit: true,
      });
    }
    const row = triggerRow({
      ...t, oid, tgrelid: partition.oid, tgparentid: t.oid, tgconstraint: constraint, tgattr: t.tgattr.map((n) => map.get(n)!), tgqual: qual === null ? null : nodeToString(qual),
    });
    catalogInsert(ids.TriggerRelationId, row);
    noteTriggers(partition.oid);
    recordTriggerDependencies(oid, row, partition, qual, { oid: t.oid, qual: null });
    commandCounterIncrement();
  }
  // A partitioned table that is attached has partitions already.
  if (partition.kind !== 'p') return;
  for (const oid of partitionDescOf(openRelation(partition.oid)).oids) {
    const known = new Set(triggersOf(oid).map((t) => t.tgparentid));
    cloneRowTriggers(openRelation(oid), openRelation(partition.oid), (t) => !known.has(t));
  }
}

/** DETACH: triggers that came from the parent go. */
export function dropClonedTriggers(partition: Relation): void {
  for (const t of [...triggersOf(partition.oid)]) {
    if (t.tgparentid === 0 || t.tgisinternal) continue;
    const self = objectAddress(ids.TriggerRelationId, t.oid);
    deleteDependencyRecordsForClass(self, ids.TriggerRelationId, 'P');
    deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'S');
    commandCounterIncrement();
    performDeletion(self, 'restrict', { quietly: true });
    commandCounterIncrement();
  }
}
