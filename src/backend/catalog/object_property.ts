// What classes of objects have in common (ObjectProperty in PostgreSQL's objectaddress.c): for each catalog whose rows
// are objects, the index by OID and the columns for name, schema, owner and ACL.
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import type { AclKind } from './acl.ts';
import * as ids from './oids.ts';
import type { ObjectAddress } from './pg_depend.ts';
import type { CatalogId } from './rows.ts';
import * as sys from './syscache.ts';

export interface ObjectProperty {
  readonly classId: CatalogId;
  /** "table", "function", ...: as in 'permission denied for table x'; relations refine it by relkind. */
  readonly noun: string;
  readonly oidIndex: Oid;
  readonly oidColumn?: string; // 'oid' unless said
  readonly name?: string;
  readonly namespace?: string;
  readonly owner?: string;
  readonly acl?: string;
  readonly aclKind?: AclKind;
}

const list: ObjectProperty[] = [
  { classId: ids.RelationRelationId, noun: 'table', oidIndex: ids.PgClassOidIndexId, name: 'relname', namespace: 'relnamespace', owner: 'relowner', acl: 'relacl', aclKind: 'r' },
  { classId: ids.TypeRelationId, noun: 'type', oidIndex: ids.PgTypeOidIndexId, name: 'typname', namespace: 'typnamespace', owner: 'typowner', acl: 'typacl', aclKind: 'T' },
  { classId: ids.ProcedureRelationId, noun: 'function', oidIndex: ids.PgProcOidIndexId, name: 'proname', namespace: 'pronamespace', owner: 'proowner', acl: 'proacl', aclKind: 'f' },
  { classId: ids.NamespaceRelationId, noun: 'schema', oidIndex: ids.PgNamespaceOidIndexId, name: 'nspname', owner: 'nspowner', acl: 'nspacl', aclKind: 'n' },
  { classId: ids.DatabaseRelationId, noun: 'database', oidIndex: ids.PgDatabaseOidIndexId, name: 'datname', owner: 'datdba', acl: 'datacl', aclKind: 'd' },
  { classId: ids.TableSpaceRelationId, noun: 'tablespace', oidIndex: ids.PgTablespaceOidIndexId, name: 'spcname', owner: 'spcowner', acl: 'spcacl', aclKind: 't' },
  { classId: ids.LanguageRelationId, noun: 'language', oidIndex: ids.PgLanguageOidIndexId, name: 'lanname', owner: 'lanowner', acl: 'lanacl', aclKind: 'l' },
  { classId: ids.ForeignDataWrapperRelationId, noun: 'foreign-data wrapper', oidIndex: ids.PgForeignDataWrapperOidIndexId, name: 'fdwname', owner: 'fdwowner', acl: 'fdwacl', aclKind: 'F' },
  { classId: ids.ForeignServerRelationId, noun: 'foreign server', oidIndex: ids.PgForeignServerOidIndexId, name: 'srvname', owner: 'srvowner', acl: 'srvacl', aclKind: 'S' },
  { classId: ids.LargeObjectMetadataRelationId, noun: 'large object', oidIndex: ids.PgLargeobjectMetadataOidIndexId, owner: 'lomowner', acl: 'lomacl', aclKind: 'L' },
  { classId: ids.OperatorRelationId, noun: 'operator', oidIndex: ids.PgOperatorOidIndexId, name: 'oprname', namespace: 'oprnamespace', owner: 'oprowner' },
  { classId: ids.OperatorClassRelationId, noun: 'operator class', oidIndex: ids.PgOpclassOidIndexId, name: 'opcname', namespace: 'opcnamespace', owner: 'opcowner' },
  { classId: ids.OperatorFamilyRelationId, noun: 'operator family', oidIndex: ids.PgOpfamilyOidIndexId, name: 'opfname', namespace: 'opfnamespace', owner: 'opfowner' },
  { classId: ids.CollationRelationId, noun: 'collation', oidIndex: ids.PgCollationOidIndexId, name: 'collname', namespace: 'collnamespace', owner: 'collowner' },
  { classId: ids.ConversionRelationId, noun: 'conversion', oidIndex: ids.PgConversionOidIndexId, name: 'conname', namespace: 'connamespace', owner: 'conowner' },
  { classId: ids.StatisticExtRelationId, noun: 'statistics object', oidIndex: ids.PgStatisticExtOidIndexId, name: 'stxname', namespace: 'stxnamespace', owner: 'stxowner' },
  { classId: ids.ConstraintRelationId, noun: 'constraint', oidIndex: ids.PgConstraintOidIndexId, name: 'conname', namespace: 'connamespace' },
  { classId: ids.AttrDefaultRelationId, noun: 'default value', oidIndex: ids.PgAttrdefOidIndexId },
  { classId: ids.CastRelationId, noun: 'cast', oidIndex: ids.PgCastOidIndexId },
  { classId: ids.RewriteRelationId, noun: 'rule', oidIndex: ids.PgRewriteOidIndexId, name: 'rulename' },
  { classId: ids.TriggerRelationId, noun: 'trigger', oidIndex: ids.PgTriggerOidIndexId, name: 'tgname' },
  { classId: ids.PolicyRelationId, noun: 'policy', oidIndex: ids.PgPolicyOidIndexId, name: 'polname' },
  { classId: ids.ParameterAclRelationId, noun: 'parameter', oidIndex: ids.PgParameterAclOidIndexId, name: 'parname', acl: 'paracl', aclKind: 'p' },
  { classId: ids.AuthIdRelationId, noun: 'role', oidIndex: ids.PgAuthidOidIndexId, name: 'rolname' },
  { classId: ids.AccessMethodRelationId, noun: 'access method', oidIndex: ids.PgAmOidIndexId, name: 'amname' },
  { classId: ids.AccessMethodOperatorRelationId, noun: 'operator of access method', oidIndex: ids.PgAmopOidIndexId },
  { classId: ids.AccessMethodProcedureRelationId, noun: 'function of access method', oidIndex: ids.PgAmprocOidIndexId },
  { classId: ids.ExtensionRelationId, noun: 'extension', oidIndex: ids.PgExtensionOidIndexId, name: 'extname', owner: 'extowner' },
  { classId: ids.EventTriggerRelationId, noun: 'event trigger', oidIndex: ids.PgEventTriggerOidIndexId, name: 'evtname', owner: 'evtowner' },
  { classId: ids.PublicationRelationId, noun: 'publication', oidIndex: ids.PgPublicationOidIndexId, name: 'pubname', owner: 'pubowner' },
  { classId: ids.PublicationRelRelationId, noun: 'publication relation', oidIndex: ids.PgPublicationRelOidIndexId },
  { classId: ids.PublicationNamespaceRelationId, noun: 'publication namespace', oidIndex: ids.PgPublicationNamespaceOidIndexId },
  { classId: ids.SubscriptionRelationId, noun: 'subscription', oidIndex: ids.PgSubscriptionOidIndexId, name: 'subname', owner: 'subowner' },
  { classId: ids.TransformRelationId, noun: 'transform', oidIndex: ids.PgTransformOidIndexId },
  { classId: ids.DefaultAclRelationId, noun: 'default ACL', oidIndex: ids.PgDefaultAclOidIndexId },
  { classId: ids.UserMappingRelationId, noun: 'user mapping', oidIndex: ids.PgUserMappingOidIndexId },
  { classId: ids.TSConfigRelationId, noun: 'text search configuration', oidIndex: ids.PgTsConfigOidIndexId, name: 'cfgname', namespace: 'cfgnamespace', owner: 'cfgowner' },
  { classId: ids.TSDictionaryRelationId, noun: 'text search dictionary', oidIndex: ids.PgTsDictOidIndexId, name: 'dictname', namespace: 'dictnamespace', owner: 'dictowner' },
  { classId: ids.TSParserRelationId, noun: 'text search parser', oidIndex: ids.PgTsParserOidIndexId, name: 'prsname', namespace: 'prsnamespace' },
  { classId: ids.TSTemplateRelationId, noun: 'text search template', oidIndex: ids.PgTsTemplateOidIndexId, name: 'tmplname', namespace: 'tmplnamespace' },
];
const byClass = new Map<Oid, ObjectProperty>(list.map((p) => [p.classId, p]));
// Large objects go by the class of their pages, but what is known of them stands elsewhere.
byClass.set(ids.LargeObjectRelationId, byClass.get(ids.LargeObjectMetadataRelationId)!);

export const objectProperty = (classId: Oid): ObjectProperty | undefined => byClass.get(classId);

/** The row of an object, whatever its class. */
export function objectRow(classId: Oid, objectId: Oid): Record<string, unknown> | undefined {
  switch (classId) {
    case ids.TypeRelationId: return sys.typeByOid(objectId) as Record<string, unknown> | undefined;
    case ids.ProcedureRelationId: return sys.procByOid(objectId) as Record<string, unknown> | undefined;
    case ids.OperatorRelationId: return sys.operatorByOid(objectId) as Record<string, unknown> | undefined;
  }
  const p = byClass.get(classId);
  return p && (sys.lookup(p.classId, p.oidIndex, objectId) as Record<string, unknown> | undefined);
}
export const objectName = (classId: Oid, objectId: Oid): string | undefined => {
  const column = byClass.get(classId)?.name;
  return column === undefined ? undefined : objectRow(classId, objectId)?.[column] as string | undefined;
};
export const objectOwner = (classId: Oid, objectId: Oid): Oid => {
  const column = byClass.get(classId)?.owner;
  return column === undefined ? 0 : (objectRow(classId, objectId)?.[column] as Oid | undefined) ?? 0;
};
export const objectNamespace = (classId: Oid, objectId: Oid): Oid => {
  const column = byClass.get(classId)?.namespace;
  return column === undefined ? 0 : (objectRow(classId, objectId)?.[column] as Oid | undefined) ?? 0;
};

/** Only relations have numbered parts (getObjectClass). */
export function refuseSubId({ classId, objectSubId }: ObjectAddress): void {
  if (objectSubId !== 0 && classId !== ids.RelationRelationId) throw internalError(`invalid non-zero objectSubId for object class ${classId}`);
}
