// Tables of a composite type (CREATE TABLE ... OF; ATExecAddOf and the like of PostgreSQL's tablecmds.c): their columns are
// the type's, and change only with it.
import { PgError } from '../../common/errors.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import { formatType } from '../catalog/format_type.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsForClass, dependentsOf, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgType } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { typenameType } from '../parser/parse_type.ts';
import type { ColumnSpec } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { Oid } from '../types/datum.ts';
import type { Altered } from './altertable.ts';

/** The type that OF names: one of CREATE TYPE, not the row type of a table (check_of_type). */
export function ofType(typeName: RawNode): PgType {
  const { type } = typenameType(null, typeName);
  if (type.typtype !== 'c' || openRelation(type.typrelid).kind !== 'c') throw new PgError('wrong_object_type', `type ${formatType(type.oid)} is not a composite type`);
  return type;
}

/** The columns of the type, with what the table says about them. */
export function columnsOfType(type: PgType, own: readonly ColumnSpec[]): ColumnSpec[] {
  requireTypeUsage(type.oid);
  const columns: ColumnSpec[] = openRelation(type.typrelid).attributes.filter((a) => !a.attisdropped).map((a) => ({
    name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, ndims: a.attndims, notNull: false, rawDefault: null, cookedDefault: null,
    identity: '', generated: '', inhcount: 0, islocal: true, storage: null, compression: null, sequence: null, location: -1,
  }));
  own.forEach((c, i) => {
    if (own.findIndex((o) => o.name === c.name) !== i) throw new PgError('duplicate_column', `column "${c.name}" specified more than once`);
    const column = columns.find((known) => known.name === c.name);
    if (column === undefined) throw new PgError('undefined_column', `column "${c.name}" does not exist`);
    column.notNull = c.notNull;
    column.rawDefault = c.rawDefault;
    column.generated = c.generated;
    column.identity = c.identity;
    column.sequence = c.sequence === null ? null : { ...c.sequence, typeOid: column.typeOid };
  });
  return columns;
}

const typeOfTable = (relation: Oid): Oid => sys.classByOid(relation)?.reloftype ?? 0;

/** What only a change of the type may do. */
export function refuseForTypedTable(relation: Relation, message: string): void {
  if (typeOfTable(relation.oid) !== 0) throw new PgError('wrong_object_type', message);
}

/** The tables of a composite type that is changed; without CASCADE there may be none (find_typed_table_dependencies). */
export function typedTablesOf(relation: Relation, cascade: boolean): Oid[] {
  if (relation.kind !== 'c') return [];
  const tables = dependentsOf(objectAddress(ids.TypeRelationId, relation.rowType))
    .filter((d) => d.classid === ids.RelationRelationId && d.objsubid === 0 && typeOfTable(d.objid) === relation.rowType).map((d) => d.objid);
  if (tables.length > 0 && !cascade) {
    throw new PgError('dependent_objects_still_exist', `cannot alter type "${relation.name}" because it is the type of a typed table`, { hint: 'Use ALTER ... CASCADE to alter the typed tables too.' });
  }
  return tables;
}

/** ALTER TABLE ... OF. */
export function addOf(tab: Altered, typeName: RawNode): void {
  const type = ofType(typeName);
  const relation = tab.current;
  if (sys.parentsOf(relation.oid).length > 0) throw new PgError('wrong_object_type', 'typed tables cannot inherit');
  const mismatch = (message: string): PgError => new PgError('datatype_mismatch', message);
  const columns = relation.attributes.filter((a) => !a.attisdropped);
  let next = 0;
  for (const wanted of openRelation(type.typrelid).attributes) {
    if (wanted.attisdropped) continue;
    const column = columns[next++];
    if (column === undefined) throw mismatch(`table is missing column "${wanted.attname}"`);
    if (column.attname !== wanted.attname) throw mismatch(`table has column "${column.attname}" where type requires "${wanted.attname}"`);
    if (column.atttypid !== wanted.atttypid || column.atttypmod !== wanted.atttypmod || column.attcollation !== wanted.attcollation) {
      throw mismatch(`table "${relation.name}" has different type for column "${wanted.attname}"`);
    }
  }
  if (columns[next] !== undefined) throw mismatch(`table has extra column "${columns[next]!.attname}"`);
  const self = objectAddress(ids.RelationRelationId, relation.oid);
  if (typeOfTable(relation.oid) !== 0) deleteDependencyRecordsForClass(self, ids.TypeRelationId, 'n');
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, type.oid), 'n');
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [relation.oid], { reloftype: type.oid });
}

/** ALTER TABLE ... NOT OF. */
export function dropOf(tab: Altered): void {
  const relation = tab.current;
  if (typeOfTable(relation.oid) === 0) throw new PgError('wrong_object_type', `"${relation.name}" is not a typed table`);
  deleteDependencyRecordsForClass(objectAddress(ids.RelationRelationId, relation.oid), ids.TypeRelationId, 'n');
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [relation.oid], { reloftype: 0 });
}
