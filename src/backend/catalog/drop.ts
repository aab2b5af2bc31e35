// How the rows of one object go away, by its class (doDeletion in PostgreSQL's dependency.c, heap_drop_with_catalog and
// its like). Everything that depends on it has gone before; dependencies, comments and ACL entries go after.
import { dropStorage } from '../access/table.ts';
import { notSupported } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { catalogDelete, catalogDeleteByKey, catalogFind, catalogUpdate } from './indexing.ts';
import { objectProperty } from './object_property.ts';
import * as ids from './oids.ts';
import type { ObjectAddress } from './pg_depend.ts';
import { noteStatistics } from './pgstat_xact.ts';
import * as sys from './syscache.ts';
import { isSharedRelation } from './schema.ts';

/** What must not be dropped yet; commands/trigger.ts fills this in (CheckTableNotInUse). */
export const dropHooks = { refuseInUse: (_relation: Oid, _command: string): void => {} };

type Dropper = (oid: Oid, subId: number) => void;

/** Relkinds that have blocks or entries in the store. */
const WITH_STORAGE = 'rimStI';

function removeStatistics(relation: Oid, attnum = 0): void {
  catalogDeleteByKey(ids.StatisticRelationId, ids.PgStatisticRelidAttInhIndexId, attnum === 0 ? [relation] : [relation, attnum]);
}

/** A table, index, view, sequence, ...: with its columns and what only it has. */
function dropRelation(oid: Oid): void {
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [oid]);
  if (!tuple) return;
  const row = tuple.row;
  if (row.relkind === 'r' || row.relkind === 'p') dropHooks.refuseInUse(oid, 'DROP TABLE');
  if (WITH_STORAGE.includes(row.relkind) && row.relfilenode !== 0) dropStorage(row.relfilenode, isSharedRelation(oid));
  noteStatistics('dropped', 'relation', oid);
  if (row.relkind === 'i' || row.relkind === 'I') catalogDeleteByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [oid]);
  if (row.relkind === 'S') catalogDeleteByKey(ids.SequenceRelationId, ids.PgSequenceSeqrelidIndexId, [oid]);
  if (row.relkind === 'p') catalogDeleteByKey(ids.PartitionedRelationId, ids.PgPartitionedTablePartrelidIndexId, [oid]);
  if (row.relkind === 'f') catalogDeleteByKey(ids.ForeignTableRelationId, ids.PgForeignTableRelidIndexId, [oid]);
  catalogDeleteByKey(ids.InheritsRelationId, ids.PgInheritsRelidSeqnoIndexId, [oid]);
  removeStatistics(oid);
  catalogDeleteByKey(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [oid]);
  catalogDelete(ids.RelationRelationId, tuple);
}

/** ALTER TABLE DROP COLUMN: the column keeps its place under another name (RemoveAttributeById). */
function dropColumn(relation: Oid, attnum: number): void {
  const [tuple] = catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [relation, attnum]);
  if (!tuple) return;
  catalogUpdate(ids.AttributeRelationId, tuple, { attisdropped: true, atttypid: 0, attnotnull: false, attstattarget: 0,
    attgenerated: '', attidentity: '', atthasmissing: false, attmissingval: null, attname: `........pg.dropped.${attnum}........` });
  removeStatistics(relation, attnum);
}

function dropConstraint(oid: Oid): void {
  const [tuple] = catalogFind(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [oid]);
  if (!tuple) return;
  const { contype, conrelid } = tuple.row;
  if (contype === 'c' && conrelid !== 0) {
    const [table] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [conrelid]);
    if (table && table.row.relchecks > 0) catalogUpdate(ids.RelationRelationId, table, { relchecks: table.row.relchecks - 1 });
  }
  catalogDelete(ids.ConstraintRelationId, tuple);
}

function dropDefault(oid: Oid): void {
  const [tuple] = catalogFind(ids.AttrDefaultRelationId, ids.PgAttrdefOidIndexId, [oid]);
  if (!tuple) return;
  catalogDelete(ids.AttrDefaultRelationId, tuple);
  const [column] = catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [tuple.row.adrelid, tuple.row.adnum]);
  if (column) catalogUpdate(ids.AttributeRelationId, column, { atthasdef: false });
}

function dropFunction(oid: Oid): void {
  if (sys.procByOid(oid)?.prokind === 'a') catalogDeleteByKey(ids.AggregateRelationId, ids.PgAggregateFnoidIndexId, [oid]);
  noteStatistics('dropped', 'function', oid);
  dropGeneric(ids.ProcedureRelationId)(oid, 0);
}

function dropType(oid: Oid): void {
  const kind = sys.typeByOid(oid)?.typtype;
  dropGeneric(ids.TypeRelationId)(oid, 0);
  if (kind === 'e') catalogDeleteByKey(ids.EnumRelationId, ids.PgEnumTypidLabelIndexId, [oid]);
  if (kind === 'r') catalogDeleteByKey(ids.RangeRelationId, ids.PgRangeRngtypidIndexId, [oid]);
}

/** pg_class's relhasrules and relhastriggers stay as they are: they say "maybe". */
function dropOperator(oid: Oid): void {
  const row = sys.operatorByOid(oid);
  for (const other of row ? new Set([row.oprcom, row.oprnegate]) : []) { // those that name it as commutator or negator
    if (other === 0 || other === oid) continue;
    const [tuple] = catalogFind(ids.OperatorRelationId, ids.PgOperatorOidIndexId, [other]);
    if (tuple) catalogUpdate(ids.OperatorRelationId, tuple, { oprcom: tuple.row.oprcom === oid ? 0 : tuple.row.oprcom,
      oprnegate: tuple.row.oprnegate === oid ? 0 : tuple.row.oprnegate });
  }
  dropGeneric(ids.OperatorRelationId)(oid, 0);
}

function dropGeneric(classId: Oid): Dropper {
  const property = objectProperty(classId)!;
  return (oid) => { catalogDeleteByKey(property.classId, property.oidIndex, [oid]); };
}

const DROPPERS: Readonly<Record<Oid, Dropper>> = {
  [ids.RelationRelationId]: (oid, subId) => (subId === 0 ? dropRelation(oid) : dropColumn(oid, subId)),
  [ids.ConstraintRelationId]: dropConstraint,
  [ids.AttrDefaultRelationId]: dropDefault,
  [ids.ProcedureRelationId]: dropFunction,
  [ids.TypeRelationId]: dropType,
  [ids.OperatorRelationId]: dropOperator,
  [ids.LargeObjectRelationId]: (oid) => {
    catalogDeleteByKey(ids.LargeObjectMetadataRelationId, ids.PgLargeobjectMetadataOidIndexId, [oid]);
    catalogDeleteByKey(ids.LargeObjectRelationId, ids.PgLargeobjectLoidPnIndexId, [oid]);
  },
  [ids.TSConfigRelationId]: (oid) => {
    dropGeneric(ids.TSConfigRelationId)(oid, 0);
    catalogDeleteByKey(ids.TSConfigMapRelationId, ids.PgTsConfigMapIndexId, [oid]);
  },
  [ids.StatisticExtRelationId]: (oid) => {
    dropGeneric(ids.StatisticExtRelationId)(oid, 0);
    catalogDeleteByKey(ids.StatisticExtDataRelationId, ids.PgStatisticExtDataStxoidInhIndexId, [oid]);
  },
};
/** Classes of which an object is one row and nothing else. */
const GENERIC = new Set<Oid>([ids.CastRelationId, ids.CollationRelationId, ids.ConversionRelationId, ids.LanguageRelationId,
  ids.OperatorClassRelationId, ids.OperatorFamilyRelationId, ids.AccessMethodRelationId, ids.AccessMethodOperatorRelationId,
  ids.AccessMethodProcedureRelationId, ids.NamespaceRelationId, ids.RewriteRelationId, ids.TriggerRelationId,
  ids.PolicyRelationId, ids.DefaultAclRelationId, ids.TransformRelationId, ids.EventTriggerRelationId,
  ids.TSParserRelationId, ids.TSDictionaryRelationId, ids.TSTemplateRelationId, ids.ForeignDataWrapperRelationId, ids.ForeignServerRelationId, ids.UserMappingRelationId,
  ids.PublicationRelationId, ids.PublicationRelRelationId, ids.PublicationNamespaceRelationId]);

export function doDeletion(object: ObjectAddress): void {
  const dropper = DROPPERS[object.classId] ?? (GENERIC.has(object.classId) ? dropGeneric(object.classId) : undefined);
  if (!dropper) throw notSupported(`dropping a ${objectProperty(object.classId)?.noun ?? `object of class ${object.classId}`}`);
  dropper(object.objectId, object.objectSubId);
}
