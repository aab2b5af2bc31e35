// What the files of ALTER TABLE's subcommands share.
import { PgError } from '../../common/errors.ts';
import type { DropBehavior } from '../catalog/dependency.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { systemColumnByName } from '../catalog/pg_class.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import type { PgAttribute } from '../catalog/rows.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { Oid } from '../types/datum.ts';
import { sendWarning } from '../utils/session.ts';
import type { Altered } from './altertable.ts';

export const behaviorOf = (cmd: RawNode): DropBehavior => (cmd['behavior'] === 'DROP_CASCADE' ? 'cascade' : 'restrict');

export function updateAttribute(relation: Oid, attnum: number, changes: Partial<PgAttribute>): void {
  catalogUpdateByKey(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [relation, attnum], changes);
}

/** A user column by name; system columns cannot be altered. */
export function columnToAlter(relation: Relation, name: string): Attribute {
  const column = relation.attributes.find((a) => a.attname === name && !a.attisdropped);
  if (column !== undefined) return column;
  if (relation.kind !== 'v' && relation.kind !== 'c' && systemColumnByName(name)) throw new PgError('feature_not_supported', `cannot alter system column "${name}"`);
  throw undefinedColumn(relation, name);
}
export const undefinedColumn = (relation: Relation, name: string): PgError =>
  new PgError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);

/** Phase 3 looks whether the rows that are there agree. */
export function setNotNull(tab: Altered, name: string): void {
  const column = columnToAlter(tab.current, name);
  if (column.attnotnull) return;
  updateAttribute(tab.oid, column.attnum, { attnotnull: true });
  tab.verifyNotNull = true;
}

const MAX_STATISTICS_TARGET = 10000;

/** What SET STATISTICS asks for, lowered to the greatest there is. */
export function statisticsTarget(target: number): number {
  if (target < -1) throw new PgError('invalid_parameter_value', `statistics target ${target} is too low`);
  if (target <= MAX_STATISTICS_TARGET) return target;
  sendWarning('invalid_parameter_value', `lowering statistics target to ${MAX_STATISTICS_TARGET}`);
  return MAX_STATISTICS_TARGET;
}
