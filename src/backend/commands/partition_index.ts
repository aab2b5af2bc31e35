// Indexes of partitioned tables: each has one on every partition, made with it or found there (the parts of PostgreSQL's
// indexcmds.c and tablecmds.c that speak of partitions).
import { PgError } from '../../common/errors.ts';
import { indexCreate, type IndexColumnSpec } from '../catalog/index.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { chooseRelationName } from '../catalog/pg_constraint.ts';
import { chooseTablespace } from '../catalog/pg_tablespace.ts';
import { deleteDependencyRecordsForClass, indexConstraint, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import type { PgConstraint } from '../catalog/rows.ts';
import { openRelation } from '../catalog/relcache.ts';
import { classByOid, constraintByOid, indexByOid, opclassByOid } from '../catalog/syscache.ts';
import { lockTable } from '../access/table.ts';
import { getOpfamilyMember } from '../catalog/lsyscache.ts';
import { buildIndex } from '../executor/indexing.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { partitionDescOf, partitionParent } from '../partitioning/partdesc.ts';
import { partitionKeyOf } from '../partitioning/partkey.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { joinColumnNames } from './names.ts';
import { mapVars } from './varmap.ts';

/** From the columns of one table to those of the same name of another. */
export function columnMapByName(from: Relation, to: Relation): Map<number, number> {
  const map = new Map<number, number>();
  for (const a of from.attributes) {
    const found = a.attisdropped ? undefined : to.attributes.find((c) => c.attname === a.attname && !c.attisdropped);
    if (found !== undefined) map.set(a.attnum, found.attnum);
  }
  return map;
}

/** A key is unique over all partitions only when it says which partition a row is in. */
export function checkUniqueKey(table: Relation, columns: readonly IndexColumnSpec[], primary: boolean): void {
  const kind = primary ? 'PRIMARY KEY' : 'UNIQUE';
  for (const c of partitionKeyOf(table).columns) {
    if (c.attnum === 0) {
      throw new PgError('feature_not_supported', `unsupported ${kind} constraint with partition key definition`, { detail: `${kind} constraints cannot be used when partition keys include expressions.` });
    }
    const equality = getOpfamilyMember(c.opfamily, c.opcintype, c.opcintype, partitionKeyOf(table).strategy === 'h' ? 1 : 3);
    const found = columns.some((k) => {
      if (k.attnum !== c.attnum || k.opclass === 0 || (k.collation !== c.collation && c.collation !== 0)) return false;
      const { opcfamily, opcintype } = opclassByOid(k.opclass)!;
      return getOpfamilyMember(opcfamily, opcintype, opcintype, 3) === equality;
    });
    if (found) continue;
    throw new PgError('feature_not_supported', 'unique constraint on partitioned table must include all partitioning columns', {
      detail: `${kind} constraint on table "${table.name}" lacks column "${table.attributes[c.attnum - 1]!.attname}" which is part of the partition key.`,
    });
  }
}

/** Every partition gets its part of an index of the partitioned table (the second half of DefineIndex). */
export function indexPartitions(parent: Relation, index: Oid, build: boolean): void {
  for (const oid of partitionDescOf(parent).oids) ensureIndex(openRelation(oid), openRelation(parent.oid), index, build);
}

/** A partition that is made or attached: it must have all of its parent's indexes. */
export function ensureIndexes(partition: Relation, parent: Relation, build: boolean): void {
  if (partition.kind === 'f' && parent.indexes.some((i) => i.unique)) {
    throw build
      ? new PgError('wrong_object_type', `cannot attach foreign table "${partition.name}" as partition of partitioned table "${parent.name}"`, { detail: `Partitioned table "${parent.name}" contains unique indexes.` })
      : new PgError('wrong_object_type', `cannot create foreign partition of partitioned table "${parent.name}"`, { detail: `Table "${parent.name}" contains indexes that are unique.` });
  }
  for (const index of parent.indexes) ensureIndex(openRelation(partition.oid), openRelation(parent.oid), index.indexrelid, build);
}

function ensureIndex(partition: Relation, parent: Relation, index: Oid, build: boolean): void {
  if (partition.kind === 'f') {
    if (indexByOid(index)!.indisunique) {
      throw new PgError('wrong_object_type', `cannot create unique index on partitioned table "${parent.name}"`, { detail: `Table "${parent.name}" contains partitions that are foreign tables.` });
    }
    return;
  }
  const info = parent.indexes.find((i) => i.indexrelid === index)!;
  const map = columnMapByName(partition, parent);
  const constraint = indexConstraint(index);
  for (const own of partition.indexes) {
    if (classByOid(own.indexrelid)!.relispartition || !sameIndex(own, info, map)) continue;
    const ownConstraint = indexConstraint(own.indexrelid);
    if (constraint !== 0 && ownConstraint === 0) continue;
    setParentIndex(own.indexrelid, index, partition.oid);
    if (constraint !== 0) setParentConstraint(ownConstraint, constraint, partition.oid);
    commandCounterIncrement();
    if (!indexByOid(own.indexrelid)!.indisvalid) setValid(index, false);
    return;
  }
  cloneIndex(partition, parent, info, constraint, build);
}

/** CompareIndexInfo: `map` from the first index's table to the second's. */
function sameIndex(a: IndexInfo, b: IndexInfo, map: ReadonlyMap<number, number>): boolean {
  if (a.unique !== b.unique || a.nullsNotDistinct !== b.nullsNotDistinct || a.accessMethod !== b.accessMethod || a.keyCount !== b.keyCount
    || a.keyAttributes.length !== b.keyAttributes.length) return false;
  for (let i = 0; i < a.keyAttributes.length; i++) {
    const own = a.keyAttributes[i]!;
    if ((own === 0 ? 0 : map.get(own)) !== b.keyAttributes[i]) return false;
    if (i < a.keyCount && (a.columns[i]!.collation !== b.columns[i]!.collation || a.columns[i]!.opfamily !== b.columns[i]!.opfamily)) return false;
  }
  if (a.expressions.length !== b.expressions.length || (a.predicate === null) !== (b.predicate === null)) return false;
  return a.expressions.every((e, i) => equal(mapVars(e, map), b.expressions[i]!)) && (a.predicate === null || equal(mapVars(a.predicate, map), b.predicate!));
}

/** The same index for a partition (generateClonedIndexStmt). */
function cloneIndex(partition: Relation, parent: Relation, info: IndexInfo, constraint: Oid, build: boolean): void {
  const map = columnMapByName(parent, partition);
  const row = indexByOid(info.indexrelid)!;
  const columns = info.keyAttributes.map((attnum, i): IndexColumnSpec => {
    const a = info.index.attributes[i]!;
    const own = attnum === 0 ? 0 : map.get(attnum)!;
    return {
      attnum: own, name: a.attname, typeOid: attnum === 0 ? a.atttypid : partition.attributes[own - 1]!.atttypid, typmod: a.atttypmod, collation: info.columns[i]?.collation ?? 0,
      opclass: i < info.keyCount ? row.indclass[i]! : 0, option: i < info.keyCount ? row.indoption[i]! : 0,
    };
  });
  const of = constraint === 0 ? undefined : constraintByOid(constraint);
  const name = info.primary ? chooseRelationName(partition.name, null, 'pkey', partition.namespace, true)
    : chooseRelationName(partition.name, joinColumnNames(columns.map((c) => c.name)), of === undefined ? 'idx' : 'key', partition.namespace, of !== undefined);
  if (info.primary && partition.indexes.some((i) => i.primary)) {
    throw new PgError('invalid_table_definition', `multiple primary keys for table "${partition.name}" are not allowed`);
  }
  if (partition.kind === 'p' && info.unique) checkUniqueKey(partition, columns, info.primary);
  const { index, constraint: made } = indexCreate({
    table: partition, name, accessMethod: info.index.accessMethod, columns, keyCount: info.keyCount, expressions: info.expressions.map((e) => mapVars(e, map)),
    predicate: info.predicate === null ? null : mapVars(info.predicate, map), unique: info.unique, nullsNotDistinct: info.nullsNotDistinct, primary: info.primary,
    constraint: of === undefined ? null : { type: of.contype as 'p' | 'u', deferrable: of.condeferrable, initiallyDeferred: of.condeferred },
    options: [...info.index.options].map(([k, v]) => `${k}=${v}`),
    tablespace: chooseTablespace(null, partition.persistence, partition.kind === 'p', classByOid(info.indexrelid)!.reltablespace),
  });
  commandCounterIncrement();
  setParentIndex(index, info.indexrelid, partition.oid);
  if (made !== 0) setParentConstraint(made, constraint, partition.oid, { connoinherit: false });
  commandCounterIncrement();
  if (partition.kind === 'p') indexPartitions(openRelation(partition.oid), index, build);
  else if (build) buildIndex(openRelation(partition.oid), openRelation(index).indexInfo!);
}

// ---- part of another index

/** Index `child` becomes a part of index `parent` (0: of none any more) (IndexSetParentIndex). */
function setParentIndex(child: Oid, parent: Oid, table: Oid): void {
  const self = objectAddress(ids.RelationRelationId, child);
  const known = catalogFind(ids.InheritsRelationId, ids.PgInheritsRelidSeqnoIndexId, [child]);
  for (const tuple of known) catalogDelete(ids.InheritsRelationId, tuple);
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [child], { relispartition: parent !== 0 });
  if (parent === 0) {
    deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'P');
    deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'S');
    return;
  }
  catalogInsert(ids.InheritsRelationId, { inhrelid: child, inhparent: parent, inhseqno: 1, inhdetachpending: false });
  if (!classByOid(parent)!.relhassubclass) catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [parent], { relhassubclass: true });
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, parent), 'P');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, table), 'S');
}

/** The same for constraints (ConstraintSetParentConstraint). */
export function setParentConstraint(child: Oid, parent: Oid, table: Oid, changes: Partial<PgConstraint> = {}): void {
  const self = objectAddress(ids.ConstraintRelationId, child);
  if (parent === 0) {
    catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [child], { conislocal: true, coninhcount: 0, conparentid: 0 });
    deleteDependencyRecordsForClass(self, ids.ConstraintRelationId, 'P');
    deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'S');
    return;
  }
  catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [child], { conislocal: false, coninhcount: 1, conparentid: parent, ...changes });
  recordDependencyOn(self, objectAddress(ids.ConstraintRelationId, parent), 'P');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, table), 'S');
}

function setValid(index: Oid, valid: boolean): void {
  catalogUpdateByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [index], { indisvalid: valid });
  commandCounterIncrement();
}

/** DETACH: the partition's indexes are nobody's parts any more. */
export function detachIndexes(partition: Relation): void {
  for (const index of partition.indexes) {
    if (!classByOid(index.indexrelid)!.relispartition) continue;
    setParentIndex(index.indexrelid, 0, partition.oid);
    const constraint = indexConstraint(index.indexrelid);
    if (constraint !== 0) setParentConstraint(constraint, 0, partition.oid);
    commandCounterIncrement();
  }
}

// ---- ALTER INDEX ... ATTACH PARTITION

/** ATExecAttachPartitionIdx. */
export function attachIndex(parentOid: Oid, rv: RawNode): void {
  const parentIndex = openRelation(parentOid);
  const child = openRelation(rangeVarGetRelid(rv as never));
  if (child.kind !== 'i' && child.kind !== 'I') throw new PgError('wrong_object_type', `"${child.name}" is not an index`);
  requireOwner(ids.RelationRelationId, child.oid);
  const table = openRelation(parentIndex.indexInfo!.indrelid);
  const partition = openRelation(child.indexInfo!.indrelid);
  lockTable(partition.oid, partition.name, false, 8);
  const current = partitionParent(child.oid);
  if (current === parentOid) return;
  const refuse = (detail: string, condition: 'object_not_in_prerequisite_state' | 'invalid_object_definition' = 'object_not_in_prerequisite_state'): PgError =>
    new PgError(condition, `cannot attach index "${child.name}" as a partition of index "${parentIndex.name}"`, { detail });
  if (partition.indexes.some((i) => partitionParent(i.indexrelid) === parentOid)) throw refuse(`Another index is already attached for partition "${partition.name}".`);
  if (current !== 0) throw refuse(`Index "${child.name}" is already attached to another index.`);
  if (!partitionDescOf(table).oids.includes(partition.oid)) throw refuse(`Index "${child.name}" is not an index on any partition of table "${table.name}".`);
  if (!sameIndex(child.indexInfo!, parentIndex.indexInfo!, columnMapByName(partition, table))) throw refuse('The index definitions do not match.', 'invalid_object_definition');
  const constraint = indexConstraint(parentOid);
  const own = indexConstraint(child.oid);
  if (constraint !== 0 && own === 0) {
    throw refuse(`The index "${parentIndex.name}" belongs to a constraint in table "${table.name}" but no constraint exists for index "${child.name}".`, 'invalid_object_definition');
  }
  setParentIndex(child.oid, parentOid, partition.oid);
  if (constraint !== 0) setParentConstraint(own, constraint, partition.oid);
  commandCounterIncrement();
  validateIfComplete(parentOid, table);
}

/** An index with valid parts on all partitions is valid itself (validatePartitionedIndex). */
function validateIfComplete(index: Oid, table: Relation): void {
  const complete = partitionDescOf(openRelation(table.oid)).oids.every((oid) => openRelation(oid).indexes.some((i) => i.valid && partitionParent(i.indexrelid) === index));
  if (!complete || indexByOid(index)!.indisvalid) return;
  setValid(index, true);
  const above = partitionParent(index);
  if (above !== 0) validateIfComplete(above, openRelation(indexByOid(above)!.indrelid));
}
