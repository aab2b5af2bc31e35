// New indexes in the catalogs (PostgreSQL's index.c): pg_class, pg_attribute, pg_index, dependencies, and the constraint
// an index may stand for. The entries are made by commands/ (they need expressions to be evaluated).
import { PgError, notSupported } from '../../common/errors.ts';
import { PATTERN_OPCLASSES } from '../access/key.ts';
import { lockRows } from '../access/table.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { isNondeterministic } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { getNewRelationOid } from './catalog.ts';
import { catalogRelation } from './catalog_relations.ts';
import { recordDependencyOnSingleRelExpr } from './expr_references.ts';
import { checkAttributeType } from './heap.ts';
import { catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from './indexing.ts';
import { getBaseElementType, getType } from './lsyscache.ts';
import * as ids from './oids.ts';
import { recordDependencyOnTablespace } from './pg_tablespace.ts';
import { attributeRow, classRow } from './pg_class.ts';
import { createConstraintEntry } from './pg_constraint.ts';
import { F_UNIQUE_KEY_RECHECK, TRIGGER_TYPE, createInternalTrigger, noteTriggers } from './pg_trigger.ts';
import { deleteDependencyRecordsForClass, objectAddress, recordDependencyOn, type ObjectAddress } from './pg_depend.ts';
import { noteStatistics } from './pgstat_xact.ts';
import type { IndexInfo } from './relation.ts';
import { noteStorage } from './storage.ts';
import type { PgAttribute } from './rows.ts';
import * as sys from './syscache.ts';

const INDEX_MAX_KEYS = 32;
export const INDOPTION_DESC = 1, INDOPTION_NULLS_FIRST = 2;

export interface IndexColumnSpec {
  /** The table's column; 0: the next of `expressions`. */
  attnum: number;
  /** Name of the index's own column. */
  name: string;
  /** Type of the column or expression. */
  typeOid: Oid;
  typmod?: number;
  collation: Oid;
  /** 0 for INCLUDE columns. */
  opclass: Oid;
  /** INDOPTION bits. */
  option: number;
  options?: readonly string[] | null;
}

export interface IndexSpec {
  table: { readonly oid: Oid; readonly namespace: Oid; readonly owner: Oid; readonly persistence: 'p' | 'u' | 't'; readonly kind: string };
  name: string;
  accessMethod: Oid;
  /** Key columns, then INCLUDE columns. */
  columns: readonly IndexColumnSpec[];
  keyCount: number;
  expressions?: readonly Expr[];
  predicate?: Expr | null;
  unique?: boolean;
  nullsNotDistinct?: boolean;
  primary?: boolean;
  /** The constraint it is for. */
  constraint?: { type: 'p' | 'u' | 'x'; operators?: readonly Oid[]; deferrable?: boolean; initiallyDeferred?: boolean } | null;
  tablespace?: Oid;
  options?: readonly string[] | null;
  /** false: not to be used before it is built (CREATE INDEX CONCURRENTLY). */
  valid?: boolean;
}

/** Makes an index; its OID, and that of its constraint (0: none) (index_create). */
export function indexCreate(spec: IndexSpec): { index: Oid; constraint: Oid } {
  if (spec.columns.length > INDEX_MAX_KEYS) {
    throw new PgError('too_many_columns', `cannot use more than ${INDEX_MAX_KEYS} columns in an index`);
  }
  const { table } = spec;
  if (sys.relationOidByName(spec.name, table.namespace) !== 0) {
    throw new PgError('duplicate_table', `relation "${spec.name}" already exists`);
  }
  if (spec.constraint && sys.constraintsOf(table.oid).some((c) => c.conname === spec.name)) {
    throw new PgError('duplicate_object', `constraint "${spec.name}" for relation "${sys.classByOid(table.oid)?.relname}" already exists`);
  }
  const index = getNewRelationOid();
  const isPartitioned = table.kind === 'p';
  noteStatistics('created', 'relation', index);
  if (!isPartitioned) noteStorage(index);
  catalogInsert(ids.RelationRelationId, classRow({ oid: index, relname: spec.name, relnamespace: table.namespace, relowner: table.owner,
    relam: spec.accessMethod, relfilenode: isPartitioned ? 0 : index, reltablespace: spec.tablespace ?? 0, relpersistence: table.persistence,
    relkind: isPartitioned ? 'I' : 'i', relnatts: spec.columns.length, reltuples: 0, reloptions: spec.options && spec.options.length > 0 ? spec.options : null }));
  if (spec.tablespace) recordDependencyOnTablespace(index, spec.tablespace, !isPartitioned);
  const columns = sys.attributesOf(table.oid);
  spec.columns.forEach((c, i) => addIndexColumn(index, i + 1, c, spec.accessMethod, columns.find((a) => a.attnum === c.attnum)));
  const expressions = spec.expressions ?? [];
  catalogInsert(ids.IndexRelationId, {
    indexrelid: index, indrelid: table.oid, indnatts: spec.columns.length, indnkeyatts: spec.keyCount, indisunique: spec.unique ?? false,
    indnullsnotdistinct: spec.nullsNotDistinct ?? false, indisprimary: spec.primary ?? false, indisexclusion: spec.constraint?.type === 'x',
    indimmediate: !(spec.constraint?.deferrable ?? false), indisclustered: false, indisvalid: spec.valid ?? true, indcheckxmin: false,
    indisready: spec.valid ?? true, indislive: true, indisreplident: false, indkey: spec.columns.map((c) => c.attnum),
    indcollation: spec.columns.slice(0, spec.keyCount).map((c) => c.collation), indclass: spec.columns.slice(0, spec.keyCount).map((c) => c.opclass),
    indoption: spec.columns.slice(0, spec.keyCount).map((c) => c.option),
    indexprs: expressions.length > 0 ? nodeToString(expressions as Expr[]) : null, indpred: spec.predicate ? nodeToString(spec.predicate) : null,
  });
  setHasIndex(table.oid);

  const self = objectAddress(ids.RelationRelationId, index);
  let constraint: Oid = 0;
  if (spec.constraint) constraint = indexConstraintCreate(spec, index);
  else recordColumnDependencies(spec, self);
  for (const c of spec.columns.slice(0, spec.keyCount)) {
    if (PATTERN_OPCLASSES.has(c.opclass) && isNondeterministic(c.collation)) {
      throw new PgError('feature_not_supported', `nondeterministic collations are not supported for operator class "${sys.opclassByOid(c.opclass)!.opcname}"`);
    }
    if (c.collation !== 0 && c.collation !== ids.DEFAULT_COLLATION_OID) recordDependencyOn(self, objectAddress(ids.CollationRelationId, c.collation), 'n');
    recordDependencyOn(self, objectAddress(ids.OperatorClassRelationId, c.opclass), 'n');
  }
  // What expressions refer to besides the table is recorded once, also when there is a constraint.
  if (expressions.length > 0) recordDependencyOnSingleRelExpr(self, expressions, table.oid, 'n', 'a');
  if (spec.predicate) recordDependencyOnSingleRelExpr(self, spec.predicate, table.oid, 'n', 'a');
  return { index, constraint };
}

/** An index that a failed CONCURRENTLY has left is good once it is built. */
export function markIndexBuilt(info: IndexInfo): void {
  if (!info.ready) catalogUpdateByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [info.indexrelid], { indisvalid: true, indisready: true });
}

function recordColumnDependencies(spec: IndexSpec, self: ObjectAddress): void {
  const columns = [...new Set(spec.columns.map((c) => c.attnum).filter((n) => n !== 0))];
  for (const attnum of columns) recordDependencyOn(self, objectAddress(ids.RelationRelationId, spec.table.oid, attnum), 'a');
  // An index without any column of its own, or with expressions over none, goes with the table.
  if (columns.length === 0) recordDependencyOn(self, objectAddress(ids.RelationRelationId, spec.table.oid), 'a');
}

/** The constraint for an index: the index depends on it, and it on the columns (index_constraint_create). */
export function indexConstraintCreate(spec: IndexSpec, index: Oid): Oid {
  const { type, operators = null, deferrable = false, initiallyDeferred = false } = spec.constraint!;
  if (spec.table.oid < 16384 && spec.table.namespace === ids.PG_CATALOG_NAMESPACE) throw notSupported('a constraint on a system catalog');
  deleteDependencyRecordsForClass(objectAddress(ids.RelationRelationId, index), ids.RelationRelationId, 'a');
  const constraint = createConstraintEntry({ conname: spec.name, connamespace: spec.table.namespace, contype: type, condeferrable: deferrable,
    condeferred: initiallyDeferred, conrelid: spec.table.oid, conindid: index, connoinherit: true, conexclop: operators,
    conkey: spec.columns.slice(0, spec.keyCount).map((c) => c.attnum) }, null, spec.columns.slice(spec.keyCount).map((c) => c.attnum));
  recordDependencyOn(objectAddress(ids.RelationRelationId, index), objectAddress(ids.ConstraintRelationId, constraint), 'i');
  if (deferrable) {
    createInternalTrigger(type === 'p' ? 'PK_ConstraintTrigger' : 'Unique_ConstraintTrigger', {
      tgrelid: spec.table.oid, tgfoid: F_UNIQUE_KEY_RECHECK, tgtype: TRIGGER_TYPE.ROW | TRIGGER_TYPE.INSERT | TRIGGER_TYPE.UPDATE, tgconstraint: constraint,
      tgconstrindid: index, tgdeferrable: true, tginitdeferred: initiallyDeferred,
    });
    noteTriggers(spec.table.oid);
  }
  return constraint;
}

/** ALTER TABLE ADD CONSTRAINT USING INDEX: flags of an index that becomes a constraint's. */
export function markIndexAsConstraint(index: Oid, primary: boolean, deferrable: boolean): void {
  catalogUpdateByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [index], { ...(primary ? { indisprimary: true } : {}), ...(deferrable ? { indimmediate: false } : {}) });
}

/** SHARE locks of a table do not keep each other out: where another session is making the first index, too, its commit is waited for. */
function setHasIndex(table: Oid): void {
  const find = () => catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [table])[0];
  let tuple = find();
  if (!tuple || tuple.row.relhasindex) return;
  if (lockRows(catalogRelation(ids.RelationRelationId)!, [tuple.rowId], 'nokeyupdate', 'block')[0] !== 'ok') tuple = find();
  if (tuple && !tuple.row.relhasindex) catalogUpdate(ids.RelationRelationId, tuple, { relhasindex: true });
}

/** `column`: that of the table, if it is not an expression. */
function addIndexColumn(index: Oid, attnum: number, c: IndexColumnSpec, accessMethod: Oid, column: PgAttribute | undefined): void {
  // What PostgreSQL keeps in hash indexes is the hash.
  let typeOid = accessMethod === ids.HASH_AM_OID ? ids.INT4OID : c.typeOid;
  const opclass = c.opclass === 0 ? undefined : sys.opclassByOid(c.opclass);
  if (opclass && opclass.opckeytype !== 0) {
    typeOid = opclass.opckeytype;
    if (typeOid === ids.ANYELEMENTOID && opclass.opcintype === ids.ANYARRAYOID) typeOid = getBaseElementType(c.typeOid);
  }
  if (typeOid === c.typeOid) checkAttributeType(c.name, typeOid, c.collation || getType(typeOid).typcollation);
  const stored = column === undefined || typeOid !== c.typeOid ? {} : { attstorage: column.attstorage, attcompression: column.attcompression };
  catalogInsert(ids.AttributeRelationId, attributeRow(getType(typeOid), { attrelid: index, attname: c.name, attnum, attndims: column?.attndims ?? 0, ...stored,
    atttypmod: typeOid === c.typeOid ? c.typmod ?? -1 : -1, attcollation: c.collation, attoptions: c.options ?? null }));
}
