// Rows in record variables: made from the rows of queries, from row values, taken apart and changed by field (exec_move_row
// and its kin). A record's value is a RecordValue; null where nothing was assigned, or a NULL of a row type.
import { PgError } from '../../../common/errors.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { getBaseType, getType, typeIsRowtype } from '../../catalog/lsyscache.ts';
import { columnsOfRowType } from '../../parser/func_result.ts';
import { RecordValue, type Datum, type Oid, type RecordAttribute } from '../../types/datum.ts';
import { RECORDOID, UNKNOWNOID } from '../../types/oids.ts';
import { castValue } from './casts.ts';
import type { PlRec, PlRecField } from './nodes.ts';
import { registerCatalogCache } from '../../catalog/inval.ts';

/** The columns a query or a row has, as far as records care. */
export interface Column { readonly name: string; readonly typeOid: Oid; readonly typmod: number; readonly collation: Oid; readonly dropped?: boolean }

const attributes = new WeakMap<readonly Column[], readonly RecordAttribute[]>();

/** A query's columns as a record's: the same ones for the same columns, so that what was made for them fits again. */
export function attributesOf(columns: readonly Column[]): readonly RecordAttribute[] {
  let known = attributes.get(columns);
  if (known === undefined) {
    known = columns.map((c) => ({ name: c.name, typeOid: c.typeOid, typmod: c.typmod, collation: c.collation, dropped: c.dropped ?? false }));
    attributes.set(columns, known);
  }
  return known;
}

export const sameAttributes = (a: readonly RecordAttribute[], b: readonly RecordAttribute[]): boolean =>
  a === b || (a.length === b.length && a.every((x, i) => x.name === b[i]!.name && x.typeOid === b[i]!.typeOid && x.typmod === b[i]!.typmod && x.dropped === b[i]!.dropped));

const rowTypes = new Map<Oid, readonly RecordAttribute[]>();
registerCatalogCache(() => rowTypes.clear());

/** The columns of a row type (or a domain over one). */
export function rowTypeAttributes(type: Oid): readonly RecordAttribute[] {
  let known = rowTypes.get(type);
  if (known === undefined) {
    known = columnsOfRowType(type).map((c) => ({ name: c.name, typeOid: c.type, typmod: c.typmod, collation: c.collation, dropped: c.dropped }));
    rowTypes.set(type, known);
  }
  return known;
}

export interface MultiAssignment { level: 'ERROR' | 'WARNING'; notice: (warning: PgError) => void }

/** More or fewer values than targets: what plpgsql.extra_errors says of it. */
export function checkCounts(given: number, wanted: number, strict: MultiAssignment | null): void {
  if (strict === null || given === wanted) return;
  const error = new PgError('datatype_mismatch', 'number of source and target fields in assignment does not match', {
    detail: `strict_multi_assignment check of ${strict.level === 'ERROR' ? 'extra_errors' : 'extra_warnings'} is active.`,
    hint: 'Make sure the query returns the exact list of columns.',
  });
  if (strict.level === 'ERROR') throw error;
  error.severity = 'WARNING';
  strict.notice(error);
}

/** The columns of a row as a record of this variable; `values` null: no row, so all its columns are NULL. */
export function moveRow(rec: PlRec, values: readonly Datum[] | null, columns: readonly Column[], strict: MultiAssignment | null): RecordValue {
  if (rec.type.oid === RECORDOID) {
    const own = attributesOf(columns);
    return new RecordValue(RECORDOID, own, values ?? own.map(() => null));
  }
  return toRowType(rec.type.oid, values, columns, strict);
}

/** By position, each value cast to its column's type. */
function toRowType(type: Oid, values: readonly Datum[] | null, columns: readonly Column[], strict: MultiAssignment | null): RecordValue {
  const wanted = rowTypeAttributes(type);
  let from = 0;
  const live = columns.filter((c) => !c.dropped).length;
  const row = wanted.map((w) => {
    if (w.dropped) return null;
    while (columns[from]?.dropped) from++;
    const column = columns[from];
    const value = column === undefined || values === null ? null : values[from] ?? null;
    from++;
    return column === undefined ? castValue(null, UNKNOWNOID, -1, w.typeOid, w.typmod) : castValue(value, column.typeOid, column.typmod, w.typeOid, w.typmod);
  });
  if (values !== null) checkCounts(live, wanted.filter((w) => !w.dropped).length, strict);
  return checkDomain(type, new RecordValue(getBaseType(type), wanted, row));
}

/** A domain over a row type has its checks. */
function checkDomain(type: Oid, value: RecordValue | null): RecordValue {
  if (getType(type).typtype !== 'd') return value as RecordValue;
  return castValue(value, getBaseType(type), -1, type, -1) as RecordValue;
}


/** A value assigned to a record variable as a whole. */
export function assignRecord(rec: PlRec, value: Datum, type: Oid): RecordValue | null {
  if (value === null) {
    if (rec.notNull) throw nullNotAllowed(rec.name);
    if (rec.type.oid !== RECORDOID) checkDomain(rec.type.oid, null);
    return null;
  }
  if (!typeIsRowtype(type) || !(value instanceof RecordValue)) throw new PgError('datatype_mismatch', 'cannot assign non-composite value to a record variable');
  if (rec.type.oid === RECORDOID) return value;
  if (value.typeOid === getBaseType(rec.type.oid)) return checkDomain(rec.type.oid, value);
  return toRowType(rec.type.oid, value.values, value.attributes, null);
}

export const isConstant = (name: string): PgError => new PgError('error_in_assignment', `variable "${name}" is declared CONSTANT`);

export const nullNotAllowed = (name: string): PgError =>
  new PgError('null_value_not_allowed', `null value cannot be assigned to variable "${name}" declared NOT NULL`);

/** The field of a record: its place and type. A RECORD that has no value has no fields, a row type always has its own. */
export function findField(rec: PlRec, value: RecordValue | null, field: string): { index: number; attribute: RecordAttribute } {
  const all = value?.attributes ?? recordAttributes(rec);
  const index = all.findIndex((a) => a.name === field && !a.dropped);
  if (index < 0) throw noField(rec, field);
  return { index, attribute: all[index]! };
}

const noField = (rec: PlRec, field: string): PgError => new PgError('undefined_column', `record "${rec.name}" has no field "${field}"`);

/** What a record variable without a value looks like. */
function recordAttributes(rec: PlRec): readonly RecordAttribute[] {
  if (rec.type.oid !== RECORDOID) return rowTypeAttributes(rec.type.oid);
  throw new PgError('object_not_in_prerequisite_state', `record "${rec.name}" is not assigned yet`, { detail: 'The tuple structure of a not-yet-assigned record is indeterminate.' });
}

/** The record with another value in one field; that value is of the field's type already. */
export function setField(target: PlRecField, record: RecordValue | null, value: Datum): RecordValue {
  const { rec } = target;
  const { index } = findField(rec, record, target.field);
  const all = record?.attributes ?? recordAttributes(rec);
  const values = record === null ? all.map(() => null as Datum) : record.values.slice();
  values[index] = value;
  const changed = new RecordValue(record?.typeOid ?? getBaseType(rec.type.oid), all, values);
  return rec.type.oid === RECORDOID ? changed : checkDomain(rec.type.oid, changed);
}

/** A row as a function's result of another row type: the same types in the same places (convert_tuples_by_position). */
export function convertByPosition(value: RecordValue, type: Oid, wanted: readonly RecordAttribute[], message: string): RecordValue {
  if (value.typeOid === type && type !== RECORDOID) return value;
  if (value.attributes === wanted) return value.typeOid === type ? value : new RecordValue(type, wanted, value.values);
  const live = value.attributes.map((a, i) => ({ a, i })).filter(({ a }) => !a.dropped);
  let n = 0, exact = live.length === value.attributes.length;
  const values = wanted.map((w) => {
    if (w.dropped) {
      exact = false;
      return null;
    }
    const given = live[n++];
    if (given === undefined) return null;
    const { a, i } = given;
    if (a.typeOid !== w.typeOid || (a.typmod !== w.typmod && w.typmod >= 0)) {
      throw new PgError('datatype_mismatch', message, {
        detail: `Returned type ${formatTypmod(a)} does not match expected type ${formatTypmod(w)} in column ${n}.`,
      });
    }
    return value.values[i] ?? null;
  });
  if (n !== live.length) {
    throw new PgError('datatype_mismatch', message, { detail: `Number of returned columns (${live.length}) does not match expected column count (${n}).` });
  }
  return new RecordValue(type, wanted, exact ? value.values : values);
}

const formatTypmod = (a: RecordAttribute): string => formatTypeWithTypmod(a.typeOid, a.typmod);
