// Objects as statements name them, with functions, operators, casts and types, which take the parser to be looked up
// (get_object_address and check_object_ownership of PostgreSQL's objectaddress.c).
import { PgError } from '../../common/errors.ts';
import { parameterAclOid } from '../catalog/pg_parameter_acl.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckNamespace, mustBeOwner, notOwnerOrDenied, objectOwnercheck, requireOwner } from '../catalog/aclchk.ts';
import { superuserArg } from '../catalog/acl.ts';
import { isSystemRelation } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { lookupByName, qualifiedNameGetCreationNamespace } from '../catalog/namespace.ts';
import { getLanguageOid, getObjectAddress } from '../catalog/objectaddress.ts';
import type { CatalogId } from '../catalog/rows.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { lookupFuncWithArgs, type FunctionObjectKind } from '../parser/parse_func.ts';
import { lookupOperWithArgs } from '../parser/parse_oper.ts';
import { lookupTypeName, typeNameToString, typenameTypeId } from '../parser/parse_type.ts';
import type { RawNode, RawValue } from '../parser/raw_nodes.ts';
import type { TableLockMode } from '../transaction/messages.ts';
import type { Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { session } from '../utils/session.ts';

/** An object of the grammar: a name, a list of names, a TypeName, an ObjectWithArgs, ... */
export type RawObject = RawValue | readonly RawValue[];

const FUNCTIONS: Readonly<Record<string, FunctionObjectKind>> = { FUNCTION: 'function', PROCEDURE: 'procedure', ROUTINE: 'routine', AGGREGATE: 'aggregate' };
/** A catalog, its index by name, and the word of messages. */
interface NamedKind { classId: CatalogId; index: Oid; noun: string }
/** Objects whose names nothing qualifies, and the words of messages for them. */
const BY_NAME: Readonly<Record<string, NamedKind>> = {
  EXTENSION: { classId: ids.ExtensionRelationId, index: ids.PgExtensionNameIndexId, noun: 'extension' },
  FOREIGN_SERVER: { classId: ids.ForeignServerRelationId, index: ids.PgForeignServerNameIndexId, noun: 'server' },
  FDW: { classId: ids.ForeignDataWrapperRelationId, index: ids.PgForeignDataWrapperNameIndexId, noun: 'foreign-data wrapper' },
  EVENT_TRIGGER: { classId: ids.EventTriggerRelationId, index: ids.PgEventTriggerEvtnameIndexId, noun: 'event trigger' },
  PUBLICATION: { classId: ids.PublicationRelationId, index: ids.PgPublicationPubnameIndexId, noun: 'publication' },
};
/** Objects of schemas, found by the search path. */
const IN_SCHEMAS: Readonly<Record<string, NamedKind>> = {
  STATISTIC_EXT: { classId: ids.StatisticExtRelationId, index: ids.PgStatisticExtNameIndexId, noun: 'statistics object' },
  TSPARSER: { classId: ids.TSParserRelationId, index: ids.PgTsParserPrsnameIndexId, noun: 'text search parser' },
  TSDICTIONARY: { classId: ids.TSDictionaryRelationId, index: ids.PgTsDictDictnameIndexId, noun: 'text search dictionary' },
  TSTEMPLATE: { classId: ids.TSTemplateRelationId, index: ids.PgTsTemplateTmplnameIndexId, noun: 'text search template' },
  TSCONFIGURATION: { classId: ids.TSConfigRelationId, index: ids.PgTsConfigCfgnameIndexId, noun: 'text search configuration' },
};

export const asNames = (object: RawObject): string[] => (Array.isArray(object) ? object : [object]) as string[];

/** Where a new object goes, which the user must be allowed. */
export function creationPlace(names: readonly string[]): { name: string; namespace: Oid } {
  const place = qualifiedNameGetCreationNamespace(names);
  if (!aclcheckNamespace(place.namespace, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(place.namespace)!.nspname);
  return place;
}

/** A name given where the grammar has a type, a string or a list. */
export function namesOf(arg: any): string[] {
  if (Array.isArray(arg)) return arg as string[];
  if (typeof arg === 'object') return arg.names as string[];
  return [String(arg)];
}

/** The OID of a type given as TypeName or as a list of names. */
export function typeOidOf(object: RawObject, missingOk = false): Oid {
  const node: RawNode = Array.isArray(object) ? { tag: 'TypeName', names: object, typemod: -1, location: -1 } : object as RawNode;
  if (!missingOk) {
    const found = lookupTypeName(null, node);
    if (found === undefined) throw new PgError('undefined_object', `type "${typeNameToString(node)}" does not exist`);
    return found.type.oid;
  }
  return lookupTypeName(null, node, true)?.type.oid ?? 0;
}

export function requireDomain(type: Oid): void {
  if (sys.typeByOid(type)!.typtype !== 'd') throw new PgError('wrong_object_type', `${formatType(type)} is not a domain`);
}

/** The object an OBJECT_... and its name mean; undefined: there is none (missingOk). */
export function resolveObject(objectType: string, object: RawObject, missingOk = false): ObjectAddress | undefined {
  const type = objectType.replace(/^OBJECT_/, '');
  const found = (classId: Oid, oid: Oid): ObjectAddress | undefined => (oid === 0 ? undefined : objectAddress(classId, oid));
  const kind = FUNCTIONS[type];
  if (kind !== undefined) return found(ids.ProcedureRelationId, lookupFuncWithArgs(kind, object as RawNode, missingOk));
  switch (type) {
    case 'OPERATOR': return found(ids.OperatorRelationId, lookupOperWithArgs(object as RawNode, missingOk));
    case 'TYPE': case 'DOMAIN': {
      const oid = typeOidOf(object, missingOk);
      if (oid !== 0 && type === 'DOMAIN' && sys.typeByOid(oid)!.typtype !== 'd') throw notADomain(object);
      return found(ids.TypeRelationId, oid);
    }
    case 'CAST': return resolveCast(object as RawNode[], missingOk);
    case 'DOMCONSTRAINT': return resolveDomainConstraint(object as RawValue[], missingOk);
    case 'LARGEOBJECT': {
      const oid = typeof object === 'number' ? object : typeHooks.typeIo(ids.OIDOID).input(String(object), -1) as Oid;
      if (sys.lookup(ids.LargeObjectMetadataRelationId, ids.PgLargeobjectMetadataOidIndexId, oid) !== undefined) return objectAddress(ids.LargeObjectRelationId, oid);
      if (missingOk) return undefined;
      throw new PgError('undefined_object', `large object ${oid} does not exist`);
    }
    case 'TRANSFORM': return resolveTransform(object as RawValue[], missingOk);
    case 'PARAMETER_ACL': {
      const [name] = asNames(object), oid = parameterAclOid(name!);
      if (oid !== 0) return objectAddress(ids.ParameterAclRelationId, oid);
      if (missingOk) return undefined;
      throw new PgError('undefined_object', `parameter ACL "${name}" does not exist`);
    }
    case 'ROLE': case 'DATABASE': case 'TABLESPACE': case 'SCHEMA': case 'LANGUAGE': case 'ACCESS_METHOD': return getObjectAddress(type, asNames(object), missingOk);
  }
  const plain = BY_NAME[type], inSchema = IN_SCHEMAS[type];
  if (type === 'SUBSCRIPTION') return found(ids.SubscriptionRelationId, subscriptionByName(asNames(object)[0]!, missingOk));
  if (plain !== undefined) return found(plain.classId, byName(plain, asNames(object)[0]!, missingOk));
  if (inSchema !== undefined) return found(inSchema.classId, bySchema(inSchema, asNames(object), missingOk));
  return getObjectAddress(type, asNames(object), missingOk);
}

const notADomain = (object: RawObject): PgError => new PgError('wrong_object_type', `"${Array.isArray(object) ? object.join('.') : typeNameToString(object as RawNode)}" is not a domain`);

const missing = (noun: string, name: string): PgError => new PgError('undefined_object', `${noun} "${name}" does not exist`);

function byName({ classId, index, noun }: (typeof BY_NAME)[string], name: string, missingOk: boolean): Oid {
  const oid = (sys.lookup(classId as never, index, name) as { oid: Oid } | undefined)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw missing(noun, name);
  return oid;
}

/** Subscriptions are those of a database, in a catalog that all share. */
function subscriptionByName(name: string, missingOk: boolean): Oid {
  const oid = sys.lookup(ids.SubscriptionRelationId, ids.PgSubscriptionSubnameIndexId, session.databaseOid, name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw missing('subscription', name);
  return oid;
}

function bySchema({ classId, index, noun }: (typeof IN_SCHEMAS)[string], names: readonly string[], missingOk: boolean): Oid {
  const oid = lookupByName(names, (name, namespace) => (sys.lookup(classId as never, index, name, namespace) as { oid: Oid } | undefined)?.oid ?? 0, missingOk);
  if (oid === 0 && !missingOk) throw missing(noun, names.join('.'));
  return oid;
}

function resolveTransform([typeName, language]: readonly RawValue[], missingOk: boolean): ObjectAddress | undefined {
  const type = typeOidOf(typeName as RawNode, missingOk);
  const lang = getLanguageOid(language as string, missingOk);
  const row = sys.lookup(ids.TransformRelationId, ids.PgTransformTypeLangIndexId, type, lang);
  if (row !== undefined) return objectAddress(ids.TransformRelationId, row.oid);
  if (missingOk) return undefined;
  throw new PgError('undefined_object', `transform for type ${formatType(type)} language "${language as string}" does not exist`);
}

function resolveCast(types: readonly RawNode[], missingOk: boolean): ObjectAddress | undefined {
  const [source, target] = types.map((t) => (missingOk ? typeOidOf(t, true) : typenameTypeId(null, t)));
  const cast = sys.castBySourceTarget(source!, target!);
  if (cast !== undefined) return objectAddress(ids.CastRelationId, cast.oid);
  if (missingOk) return undefined;
  throw new PgError('undefined_object', `cast from type ${formatType(source!)} to type ${formatType(target!)} does not exist`);
}

function resolveDomainConstraint([typeName, name]: readonly RawValue[], missingOk: boolean): ObjectAddress | undefined {
  const domain = typeOidOf(typeName as RawNode, missingOk);
  if (domain !== 0 && sys.typeByOid(domain)!.typtype !== 'd') throw notADomain(typeName as RawNode);
  const constraint = sys.constraintsOfDomain(domain).find((c) => c.conname === name);
  if (constraint !== undefined) return objectAddress(ids.ConstraintRelationId, constraint.oid);
  if (missingOk) return undefined;
  throw new PgError('undefined_object', `constraint "${name as string}" for domain ${formatType(domain)} does not exist`);
}

/** For what hangs on a table. */
function requireTableOwner(relation: Oid): void {
  if (!objectOwnercheck(ids.RelationRelationId, relation, session.currentUser)) throw mustBeOwner('relation', sys.classByOid(relation)!.relname);
}

/** What messages call an object by the name that the statement has for it; the others go by their name in the catalog. */
const AS_WRITTEN: Readonly<Record<string, string>> = {
  FUNCTION: 'function', PROCEDURE: 'procedure', ROUTINE: 'routine', AGGREGATE: 'aggregate', OPERATOR: 'operator', OPCLASS: 'operator class', OPFAMILY: 'operator family',
  COLLATION: 'collation', CONVERSION: 'conversion', STATISTIC_EXT: 'statistics object', TSDICTIONARY: 'text search dictionary', TSCONFIGURATION: 'text search configuration',
};

/** Throws 42501 unless the current user may do to the object what only its owner may. `type` and `object`: as the statement
 * names it; without them a function of whatever kind is a function. */
export function requireObjectOwnership(address: ObjectAddress, type = '', object: RawObject = []): void {
  const { classId, objectId } = address;
  const role = session.currentUser;
  if (type === 'OBJECT_COLUMN') return requireTableOwner(objectId);
  const noun = AS_WRITTEN[type.replace(/^OBJECT_/, '')];
  if (noun !== undefined) {
    if (!objectOwnercheck(classId, objectId, role)) throw mustBeOwner(noun, asNames((object as RawNode)['objname'] as RawObject | undefined ?? object).join('.'));
    return;
  }
  switch (classId) {
    case ids.ConstraintRelationId: {
      const c = sys.constraintByOid(objectId)!;
      return c.conrelid !== 0 ? requireTableOwner(c.conrelid) : requireOwner(ids.TypeRelationId, c.contypid);
    }
    case ids.RewriteRelationId: return requireTableOwner(sys.lookup(ids.RewriteRelationId, ids.PgRewriteOidIndexId, objectId)!.ev_class);
    case ids.TriggerRelationId: return requireTableOwner(sys.lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, objectId)!.tgrelid);
    case ids.PolicyRelationId: return requireTableOwner(sys.lookup(ids.PolicyRelationId, ids.PgPolicyOidIndexId, objectId)!.polrelid);
    case ids.CastRelationId: {
      const cast = sys.lookup(ids.CastRelationId, ids.PgCastOidIndexId, objectId)!;
      if (objectOwnercheck(ids.TypeRelationId, cast.castsource, role) || objectOwnercheck(ids.TypeRelationId, cast.casttarget, role)) return;
      throw new PgError('insufficient_privilege', `must be owner of type ${formatType(cast.castsource)} or type ${formatType(cast.casttarget)}`);
    }
    case ids.AuthIdRelationId:
      if (superuserArg(role)) return;
      if (superuserArg(objectId)) throw new PgError('insufficient_privilege', 'must be superuser');
      if (!sys.authIdByOid(role)?.rolcreaterole) throw new PgError('insufficient_privilege', 'must have CREATEROLE privilege');
      return;
    case ids.TransformRelationId: {
      const { trftype } = sys.lookup(ids.TransformRelationId, ids.PgTransformOidIndexId, objectId)!;
      if (!objectOwnercheck(ids.TypeRelationId, trftype, role)) throw mustBeOwner('type', formatType(trftype));
      return;
    }
    case ids.TSParserRelationId: case ids.TSTemplateRelationId: case ids.AccessMethodRelationId:
      if (!superuserArg(role)) throw new PgError('insufficient_privilege', 'must be superuser');
      return;
    case ids.LargeObjectRelationId:
      if (!objectOwnercheck(classId, objectId, role)) throw mustBeOwner('large object', String(objectId));
      return;
    case ids.TypeRelationId:
      if (!objectOwnercheck(classId, objectId, role)) throw mustBeOwner('type', formatType(objectId));
      return;
    case ids.ProcedureRelationId:
      if (!objectOwnercheck(classId, objectId, role)) throw mustBeOwner('function', sys.procByOid(objectId)!.proname);
      return;
    default: requireOwner(classId, objectId);
  }
}

/** The schema's owner may drop what is in it, and so may the object's. */
export function requireOwnerOrSchemaOwner(address: ObjectAddress, namespace: Oid, type = '', object: RawObject = []): void {
  if (namespace !== 0 && objectOwnercheck(ids.NamespaceRelationId, namespace, session.currentUser)) return;
  requireObjectOwnership(address, type, object);
}

/** Refuses changes to system catalogs. */
export function refuseSystemCatalog(oid: Oid): void {
  const row = sys.classByOid(oid);
  if (row !== undefined && isSystemRelation(oid, row.relnamespace)) throw new PgError('insufficient_privilege', `permission denied: "${row.relname}" is a system catalog`);
}

/** What is no table at all, where a statement opens one (table_open). */
export function refuseIndex(kind: string, name: string): void {
  if (kind === 'i' || kind === 'I') throw new PgError('wrong_object_type', `"${name}" is an index`);
  if (kind === 'c') throw new PgError('wrong_object_type', `"${name}" is a composite type`);
}

/** Locks a relation by OID. */
export function lockRelation(oid: Oid, mode: TableLockMode): void {
  lockTable(oid, sys.classByOid(oid)?.relname ?? String(oid), false, mode);
}

