// Rows that go into a partitioned table find their partition here (PostgreSQL's execPartition.c). Partitions may have
// their columns in another order than the table that the statement names: rows are converted on the way.
import { PgError } from '../../common/errors.ts';
import { aclcheckAttribute, aclcheckRelation } from '../catalog/aclchk.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { checkReplicaIdentity } from '../catalog/publication.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { makeAndsExplicit } from '../nodes/makefuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { partitionForValues } from '../partitioning/partbounds.ts';
import { partitionDescOf, type PartitionDesc } from '../partitioning/partdesc.ts';
import { partitionKeyOf, partitionKeyValues, type PartitionKey } from '../partitioning/partkey.ts';
import { partitionQual } from '../partitioning/partqual.ts';
import { partitionColumnsText } from '../rewrite/ruleutils/partitiondef.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { session } from '../utils/session.ts';
import '../partitioning/partition_functions.ts';
import { compileExpr, type CompiledExpr } from './expression.ts';

import { failingRow, ResultRelation } from './result_relation.ts';
import type { TriggerOp } from './trigger.ts';

/** map[i]: which column of the source goes to column i of the result, -1: none. Null: rows are alike. */
export type RowMap = readonly number[] | null;

/** convert_tuples_by_name. */
export function rowMap(from: Relation, to: Relation): RowMap {
  if (from === to) return null;
  let same = from.attributes.length === to.attributes.length;
  const map = to.attributes.map((a, i) => {
    const found = a.attisdropped ? -1 : from.attributes.findIndex((f) => f.attname === a.attname && !f.attisdropped);
    if (found !== i && !(found < 0 && a.attisdropped && from.attributes[i]?.attisdropped === true)) same = false;
    return found;
  });
  return same ? null : map;
}

export function convertRow(map: RowMap, row: Datum[]): Datum[] {
  return map === null ? row : map.map((n) => (n < 0 ? null : row[n]!));
}

/** A table that rows are written into, and how its rows relate to those of the table that the statement names. */
export interface Place {
  readonly relation: Relation;
  readonly target: ResultRelation;
  readonly fromRoot: RowMap;
  readonly toRoot: RowMap;
}

/** The place of a child table of `root`; messages show rows as the root has them. */
/** `ops`: what the statement does, for the root's triggers that want to see all rows. */
export function makePlace(root: Relation, relation: Relation, routed: boolean, ops: readonly TriggerOp[] = []): Place {
  const toRoot = rowMap(relation, root);
  const target = new ResultRelation(relation, relation === root ? null : { relation: root, toRoot, routed });
  for (const op of ops) if (op === 'UPDATE' || op === 'DELETE') checkReplicaIdentity(relation, op);
  if (root.hasTriggers) for (const op of ops) target.captureFor(root, op);
  return { relation, target, fromRoot: rowMap(root, relation), toRoot };
}

/** One partitioned table on the way down. */
interface Level {
  readonly relation: Relation;
  readonly key: PartitionKey;
  readonly desc: PartitionDesc;
  readonly fromRoot: RowMap;
  readonly children: (Level | Place | undefined)[];
}

export class PartitionRouter {
  readonly #root: Relation;
  readonly #ops: readonly TriggerOp[];
  readonly #top: Level;
  readonly #places: Map<Oid, Place>;
  /** The root's own bound, when it is a partition itself. */
  readonly #rootCheck: CompiledExpr | null;

  /** `places`: those that are there already, which it adds to. */
  constructor(root: Relation, places: Map<Oid, Place>, ops: readonly TriggerOp[]) {
    this.#root = root;
    this.#ops = ops;
    this.#top = this.#level(root);
    this.#places = places;
    const qual = root.isPartition ? makeAndsExplicit(partitionQual(root)) : null;
    this.#rootCheck = qual === null ? null : compileExpr(qual);
  }

  #level(relation: Relation): Level {
    return { relation, key: partitionKeyOf(relation), desc: partitionDescOf(relation), fromRoot: rowMap(this.#root, relation), children: [] };
  }

  /** The leaf a row of the root belongs to (ExecFindPartition). */
  find(row: Datum[]): Place {
    if (this.#rootCheck !== null && this.#rootCheck(null, row) === false) {
      const { name, namespace } = this.#root;
      throw new PgError('check_violation', `new row for relation "${name}" violates partition constraint`, {
        detail: failingRow(this.#root, row), schema: getNamespaceName(namespace) ?? '', table: name,
      });
    }
    let level = this.#top;
    for (;;) {
      const own = convertRow(level.fromRoot, row);
      const values = partitionKeyValues(level.key, own);
      const n = partitionForValues(level.key, level.desc.bounds, values);
      if (n < 0) throw noPartition(level, values);
      const next = level.children[n] ?? (level.children[n] = this.#child(level.desc.oids[n]!));
      if ('target' in next) return next;
      level = next;
    }
  }

  #child(oid: Oid): Level | Place {
    const relation = openRelation(oid);
    if (relation.kind === 'p') return this.#level(relation);
    let place = this.#places.get(oid);
    if (place === undefined) this.#places.set(oid, (place = makePlace(this.#root, relation, true, this.#ops)));
    return place;
  }
}

function noPartition(level: Level, values: readonly Datum[]): PgError {
  const { relation, key } = level;
  const description = describeKey(relation, key, values);
  return new PgError('check_violation', `no partition of relation "${relation.name}" found for row`, {
    ...(description === null ? {} : { detail: `Partition key of the failing row contains ${description}.` }),
    schema: getNamespaceName(relation.namespace) ?? '', table: relation.name,
  });
}

const MAX_FIELD_CHARACTERS = 64;

/** "(a, (b + 1)) = (1, 2)"; null: to be kept from this user (ExecBuildSlotPartitionKeyDescription). */
function describeKey(relation: Relation, key: PartitionKey, values: readonly Datum[]): string | null {
  const may = aclcheckRelation(relation.oid, session.currentUser, ACL.SELECT)
    || key.columns.every((c) => c.attnum > 0 && aclcheckAttribute(relation.oid, c.attnum, session.currentUser, ACL.SELECT));
  if (!may) return null;
  const texts = values.map((v, i) => {
    if (v === null) return 'null';
    const text = typeHooks.typeIo(key.columns[i]!.typeOid).output(v);
    return Buffer.byteLength(text) <= MAX_FIELD_CHARACTERS ? text : `${Buffer.from(text).subarray(0, MAX_FIELD_CHARACTERS).toString('utf8').replace(/�+$/, '')}...`;
  });
  return `(${partitionColumnsText(relation, key)}) = (${texts.join(', ')})`;
}
