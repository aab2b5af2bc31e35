// The partitions a partitioned table has, in the order of their bounds (PostgreSQL's partdesc.c), and a partition's own
// bound and parent.
import { internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf, classByOid, parentsOf } from '../catalog/syscache.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Oid } from '../types/datum.ts';
import { makeBounds, type PartitionBound, type PartitionBounds } from './partbounds.ts';
import { partitionKeyOf } from './partkey.ts';

export interface PartitionDesc {
  /** By number. */
  readonly oids: readonly Oid[];
  readonly isLeaf: readonly boolean[];
  readonly bounds: PartitionBounds;
}

const descs = new WeakMap<Relation, PartitionDesc>();

/** RelationGetPartitionDesc. */
export function partitionDescOf(relation: Relation): PartitionDesc {
  let desc = descs.get(relation);
  if (desc === undefined) descs.set(relation, (desc = readDesc(relation)));
  return desc;
}

function readDesc(relation: Relation): PartitionDesc {
  const children = childrenOf(relation.oid).filter((row) => !row.inhdetachpending).map((row) => classByOid(row.inhrelid)!);
  const specs = children.map((row) => {
    if (row.relpartbound === null) throw internalError(`missing relpartbound for relation ${row.oid}`);
    return stringToNode<PartitionBound>(row.relpartbound);
  });
  const { bounds, order } = makeBounds(partitionKeyOf(relation), specs);
  return { bounds, oids: order.map((i) => children[i]!.oid), isLeaf: order.map((i) => children[i]!.relkind !== 'p') };
}

/** The bound of a partition; undefined: it is none. */
export function partitionBoundOf(oid: Oid): PartitionBound | undefined {
  const text = classByOid(oid)?.relpartbound;
  return text === null || text === undefined ? undefined : stringToNode<PartitionBound>(text);
}

/** The partitioned table (or index) this is a partition of; 0: none. */
export function partitionParent(oid: Oid): Oid {
  return classByOid(oid)?.relispartition === true ? parentsOf(oid)[0]?.inhparent ?? 0 : 0;
}

/** Parents, nearest first. */
export function partitionAncestors(oid: Oid): Oid[] {
  const list: Oid[] = [];
  for (let at = partitionParent(oid); at !== 0; at = partitionParent(at)) list.push(at);
  return list;
}

/** get_default_oid_from_partdesc; 0: none. */
export function defaultPartitionOf(relation: Relation): Oid {
  const { bounds, oids } = partitionDescOf(relation);
  return bounds.defaultIndex < 0 ? 0 : oids[bounds.defaultIndex]!;
}

/** The table and all below it, parents before children, in the order of their bounds. */
export function partitionTree(relation: Relation): Relation[] {
  const list = [relation];
  for (let i = 0; i < list.length; i++) {
    const at = list[i]!;
    if (at.kind === 'p') for (const oid of partitionDescOf(at).oids) list.push(openRelation(oid));
  }
  return list;
}
