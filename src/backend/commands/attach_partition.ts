// ALTER TABLE ... ATTACH PARTITION and DETACH PARTITION (PostgreSQL's ATExecAttachPartition and ATExecDetachPartition).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import { isOtherTemp, rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf, classByOid, parentsOf } from '../catalog/syscache.ts';
import { makeAndsExplicit } from '../nodes/makefuncs.ts';
import { makeParseState } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { defaultPartitionOf, partitionBoundOf, partitionTree } from '../partitioning/partdesc.ts';
import { provenBy } from '../partitioning/implied.ts';
import { mapToChild, partitionQual, qualFromBound } from '../partitioning/partqual.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { addChecks } from './constraints.ts';
import { PASS, registerActions, type Altered, type Queue } from './altertable.ts';
import { createInheritance, removeInheritance } from './alter_misc.ts';
import { refuseSystemCatalog } from './object_names.ts';
import { checkDefaultPartitionContents, checkNewPartitionBound, scanForViolation, storePartitionBound, transformPartitionBound, updateDefaultPartition } from './partition.ts';
import { cloneRowTriggers, dropClonedTriggers } from './partition_clone.ts';
import { attachIndex, detachIndexes, ensureIndexes } from './partition_index.ts';
import { checkNoKeysReferTo, cloneForeignKeys, detachForeignKeys } from './partition_keys.ts';
import { allChildren } from './tablecmds.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;
const wrong = (message: string, detail?: string): PgError => new PgError('wrong_object_type', message, detail === undefined ? {} : { detail });

function openPartition(rv: RawNode): Relation {
  const oid = rangeVarGetRelid(rv as unknown as RangeVarName);
  lockTable(oid, openRelation(oid).name, false, ACCESS_EXCLUSIVE_LOCK);
  return openRelation(oid);
}

function attachPartition(queue: Queue, tab: Altered, cmd: RawNode): void {
  const parent = tab.current;
  const def = cmd['def'] as RawNode;
  if (parent.kind === 'I') {
    if (def['bound'] !== undefined) throw new PgError('invalid_object_definition', `"${parent.name}" is not a partitioned table`);
    return attachIndex(parent.oid, def['name'] as RawNode);
  }
  if (parent.kind !== 'p') throw new PgError('invalid_object_definition', `table "${parent.name}" is not partitioned`);
  const state = makeParseState(queue.text);
  const { bound, locations } = transformPartitionBound(state, parent, def['bound'] as RawNode);
  const partition = openPartition(def['name'] as RawNode);
  checkAttachable(parent, partition);
  checkNewPartitionBound(state, parent, partition.name, bound, locations);
  checkDefaultPartitionContents(parent, bound);
  createInheritance(partition.oid, parent.oid, true);
  storePartitionBound(partition.oid, parent.oid, bound);
  commandCounterIncrement();
  ensureIndexes(openRelation(partition.oid), openRelation(parent.oid), true);
  cloneRowTriggers(openRelation(partition.oid), openRelation(parent.oid));
  const keys = cloneForeignKeys(openRelation(partition.oid), openRelation(parent.oid));
  checkRows(openRelation(parent.oid), partition, [...partitionQual(openRelation(parent.oid)), ...qualFromBound(parent, bound)]);
  for (const key of keys) tab.newForeignKeys.push(key);
}

function checkAttachable(parent: Relation, partition: Relation): void {
  requireOwner(ids.RelationRelationId, partition.oid);
  refuseSystemCatalog(partition.oid);
  if (partition.kind !== 'r' && partition.kind !== 'p' && partition.kind !== 'f') {
    throw wrong(`ALTER action ATTACH PARTITION cannot be performed on relation "${partition.name}"`, errdetailRelkindNotSupported(partition.kind));
  }
  if (partition.isPartition) throw wrong(`"${partition.name}" is already a partition`);
  if (classByOid(partition.oid)!.reloftype !== 0) throw wrong('cannot attach a typed table as partition');
  if (parentsOf(partition.oid).length > 0) throw wrong('cannot attach inheritance child as partition');
  if (partition.kind === 'r' && childrenOf(partition.oid).length > 0) throw wrong('cannot attach inheritance parent as partition');
  if (partition.oid === parent.oid || allChildren(partition.oid).includes(parent.oid)) {
    throw new PgError('duplicate_table', 'circular inheritance not allowed', { detail: `"${parent.name}" is already a child of "${partition.name}".` });
  }
  if (parent.persistence === 't' && partition.persistence !== 't') throw wrong(`cannot attach a permanent relation as partition of temporary relation "${parent.name}"`);
  if (parent.persistence !== 't' && partition.persistence === 't') throw wrong(`cannot attach a temporary relation as partition of permanent relation "${parent.name}"`);
  if (isOtherTemp(parent)) throw wrong('cannot attach as partition of temporary relation of another session');
  if (isOtherTemp(partition)) throw wrong('cannot attach temporary relation of another session as partition');
  for (const a of partition.attributes) {
    if (a.attisdropped || parent.attributes.some((p) => p.attname === a.attname && !p.attisdropped)) continue;
    throw new PgError('datatype_mismatch', `table "${partition.name}" contains column "${a.attname}" not found in parent "${parent.name}"`, {
      detail: 'The new partition may contain only the columns present in parent.',
    });
  }
  const trigger = partition.triggers.find((t) => t.oldTable !== null || t.newTable !== null);
  if (trigger !== undefined && (trigger.type & 1) !== 0) {
    throw new PgError('feature_not_supported', `trigger "${trigger.name}" prevents table "${partition.name}" from becoming a partition`, {
      detail: 'ROW triggers with transition tables are not supported on partitions.',
    });
  }
}

/** Every row must be within the bound, unless constraints of the table say so (QueuePartitionConstraintValidation). */
function checkRows(parent: Relation, partition: Relation, quals: ReturnType<typeof partitionQual>): void {
  if (quals.length === 0) return;
  const own = mapToChild(quals, parent, partition);
  const now = openRelation(partition.oid);
  // Its own bound, which is stored by now, must not prove itself.
  if (provenBy(now, own, false)) return;
  for (const leaf of partitionTree(now)) {
    if (leaf.kind !== 'r') continue;
    const mine = mapToChild(own, partition, leaf);
    if (leaf.oid !== now.oid && provenBy(leaf, mine, false)) continue;
    scanForViolation(leaf, makeAndsExplicit(mine)!, `partition constraint of relation "${leaf.name}" is violated by some row`);
  }
}

/** CONCURRENTLY keeps out whoever uses the two tables all the same, for a moment; what else it asks for and leaves is as in PostgreSQL. */
function detachPartition(tab: Altered, cmd: RawNode): void {
  const parent = tab.current;
  const def = cmd['def'] as RawNode;
  if (parent.kind !== 'p') throw new PgError('invalid_object_definition', `table "${parent.name}" is not partitioned`);
  const oid = rangeVarGetRelid(def['name'] as unknown as RangeVarName);
  const name = openRelation(oid).name;
  if (!parentsOf(oid).some((p) => p.inhparent === parent.oid)) throw new PgError('undefined_table', `relation "${name}" is not a partition of relation "${parent.name}"`);
  const defaultPartition = defaultPartitionOf(parent);
  const concurrent = Boolean(def['concurrent']);
  if (concurrent && defaultPartition !== 0) throw new PgError('object_not_in_prerequisite_state', 'cannot detach partitions concurrently when a default partition exists');
  if (defaultPartition !== 0 && defaultPartition !== oid) lockTable(defaultPartition, openRelation(defaultPartition).name, false, ACCESS_EXCLUSIVE_LOCK);
  lockTable(oid, name, false, ACCESS_EXCLUSIVE_LOCK);
  const isDefault = partitionBoundOf(oid)?.isDefault ?? false;
  checkNoKeysReferTo(openRelation(oid));
  const bound = concurrent && partitionBoundOf(oid)?.strategy !== 'h' ? partitionQual(openRelation(oid)) : [];
  removeInheritance(oid, parent.oid, true);
  dropClonedTriggers(openRelation(oid));
  detachForeignKeys(openRelation(oid));
  detachIndexes(openRelation(oid));
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relispartition: false, relpartbound: null });
  if (isDefault) updateDefaultPartition(parent.oid, 0);
  commandCounterIncrement();
  // What its bound said becomes a constraint (DetachAddConstraintIfNeeded).
  if (bound.length > 0 && !provenBy(openRelation(oid), bound, false)) {
    addChecks(oid, [{ name: null, raw: null, expr: makeAndsExplicit([...bound])!, noInherit: false, skipValidation: false, location: -1, inhcount: 0, islocal: true }], '', new Set());
  }
}

function finalizeDetach(tab: Altered, cmd: RawNode): void {
  const oid = rangeVarGetRelid((cmd['def'] as RawNode)['name'] as unknown as RangeVarName), { name } = openRelation(oid);
  if (!parentsOf(oid).some((p) => p.inhparent === tab.oid)) throw new PgError('undefined_table', `relation "${name}" is not a partition of relation "${tab.current.name}"`);
  throw new PgError('object_not_in_prerequisite_state', `cannot complete detaching partition "${name}"`, { detail: "There's no pending concurrent detach." });
}

registerActions({
  AT_AttachPartition: { name: 'ATTACH PARTITION', kinds: 'rpI', lock: 4, prepare: (queue, tab, cmd) => tab.add(PASS.MISC, () => attachPartition(queue, tab, cmd)) },
  AT_DetachPartition: { name: 'DETACH PARTITION', kinds: 'rp', prepare: (_queue, tab, cmd) => tab.add(PASS.MISC, () => detachPartition(tab, cmd)) },
  AT_DetachPartitionFinalize: { name: 'DETACH PARTITION ... FINALIZE', kinds: 'rp', prepare: (_queue, tab, cmd) => tab.add(PASS.MISC, () => finalizeDetach(tab, cmd)) },
});
