// Labels of enum types (PostgreSQL's pg_enum.c) and rows of range types (pg_range.c).
import { PgError, internalError } from '../../common/errors.ts';
import { commandCounterIncrement, registerCallback } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { uncommittedLabels } from '../types/enum.ts';
import { getNewOid } from './catalog.ts';
import { catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import type { PgEnum, PgRange } from './rows.ts';
import { enumByLabel, enumsByType } from './syscache.ts';

const NAME_BYTES = 63;
function checkLabel(label: string): void {
  if (Buffer.byteLength(label) > NAME_BYTES) {
    throw new PgError('invalid_name', `invalid enum label "${label}"`, { detail: `Labels must be ${NAME_BYTES} bytes or less.` });
  }
}

/** The labels of a new type, in order. */
export function enumValuesCreate(type: Oid, labels: readonly string[]): void {
  labels.forEach((label, i) => {
    checkLabel(label);
    if (labels.indexOf(label) !== i) {
      throw new PgError('unique_violation', 'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
        { detail: `Key (enumtypid, enumlabel)=(${type}, ${label}) already exists.`, schema: 'pg_catalog', table: 'pg_enum', constraint: 'pg_enum_typid_label_index' });
    }
    catalogInsert(ids.EnumRelationId, { oid: getNewOid(ids.EnumRelationId), enumtypid: type, enumsortorder: i + 1, enumlabel: label });
  });
}

/** ALTER TYPE ADD VALUE; false: it is there and ifNotExists. */
export function addEnumLabel(type: Oid, label: string, neighbor: string | null, isAfter: boolean, ifNotExists: boolean): boolean {
  checkLabel(label);
  if (enumByLabel(type, label)) {
    if (ifNotExists) return false;
    throw new PgError('duplicate_object', `enum label "${label}" already exists`);
  }
  const rows = enumsByType(type);
  let order = (rows[rows.length - 1]?.enumsortorder ?? 0) + 1;
  if (neighbor !== null) {
    const i = rows.findIndex((r) => r.enumlabel === neighbor);
    if (i < 0) throw new PgError('invalid_parameter_value', `"${neighbor}" is not an existing enum label`);
    const here = rows[i]!.enumsortorder;
    const other = rows[isAfter ? i + 1 : i - 1]?.enumsortorder;
    order = other === undefined ? here + (isAfter ? 1 : -1) : Math.fround((here + other) / 2);
    // No float between the two is left: number all of them anew.
    if (order === here || order === other) {
      renumber(rows);
      return addEnumLabel(type, label, neighbor, isAfter, ifNotExists);
    }
  }
  const oid = getNewOid(ids.EnumRelationId);
  uncommittedLabels.add(oid);
  catalogInsert(ids.EnumRelationId, { oid, enumtypid: type, enumsortorder: order, enumlabel: label });
  return true;
}

const forgetUncommitted = (): void => uncommittedLabels.clear();
registerCallback({ onCommit: forgetUncommitted, onAbort: forgetUncommitted });

/** 1, 2, 3, ...: from the end, so that no two are the same on the way (RenumberEnumType). */
function renumber(rows: readonly PgEnum[]): void {
  for (let i = rows.length - 1; i >= 0; i--) {
    const [tuple] = catalogFind(ids.EnumRelationId, ids.PgEnumOidIndexId, [rows[i]!.oid]);
    if (rows[i]!.enumsortorder !== i + 1) catalogUpdate(ids.EnumRelationId, tuple!, { enumsortorder: i + 1 });
  }
  commandCounterIncrement();
}

export function renameEnumLabel(type: Oid, old: string, label: string): void {
  checkLabel(label);
  const row = enumByLabel(type, old);
  if (!row) throw new PgError('invalid_parameter_value', `"${old}" is not an existing enum label`);
  if (enumByLabel(type, label)) throw new PgError('duplicate_object', `enum label "${label}" already exists`);
  const [tuple] = catalogFind(ids.EnumRelationId, ids.PgEnumOidIndexId, [row.oid]);
  if (!tuple) throw internalError(`cache lookup failed for enum ${row.oid}`);
  catalogUpdate(ids.EnumRelationId, tuple, { enumlabel: label });
}

/** The pg_range row of a range type, with its dependencies (RangeCreate). */
export function rangeCreate(row: PgRange): void {
  catalogInsert(ids.RangeRelationId, row);
  const self = objectAddress(ids.TypeRelationId, row.rngtypid);
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, row.rngsubtype), 'n');
  recordDependencyOn(self, objectAddress(ids.OperatorClassRelationId, row.rngsubopc), 'n');
  if (row.rngcollation !== 0) recordDependencyOn(self, objectAddress(ids.CollationRelationId, row.rngcollation), 'n');
  if (row.rngcanonical !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, row.rngcanonical), 'n');
  if (row.rngsubdiff !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, row.rngsubdiff), 'n');
  recordDependencyOn(objectAddress(ids.TypeRelationId, row.rngmultitypid), self, 'i');
}
