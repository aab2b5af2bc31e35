// DROP of everything but roles and databases (PostgreSQL's dropcmds.c and RemoveRelations of tablecmds.c): the objects
// are found and checked one by one and then deleted at once, since they may depend on each other.
import { PgError } from '../../common/errors.ts';
import { performMultipleDeletions } from '../catalog/dependency.ts';
import { makeRangeVarFromNameList, rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import { objectNamespace } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import * as sys from '../catalog/syscache.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import { lookupTypeName, typeNameToString } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { partitionParent } from '../partitioning/partdesc.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { behaviorOf } from './alter_common.ts';
import { asNames, lockRelation, refuseSystemCatalog, requireOwnerOrSchemaOwner, resolveObject, type RawObject } from './object_names.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;

interface RelationKind { kinds: string; noun: string; code: ConditionName }
const RELATION_KINDS: Readonly<Record<string, RelationKind>> = {
  OBJECT_TABLE: { kinds: 'rp', noun: 'table', code: 'undefined_table' },
  OBJECT_SEQUENCE: { kinds: 'S', noun: 'sequence', code: 'undefined_table' },
  OBJECT_VIEW: { kinds: 'v', noun: 'view', code: 'undefined_table' },
  OBJECT_MATVIEW: { kinds: 'm', noun: 'materialized view', code: 'undefined_table' },
  OBJECT_INDEX: { kinds: 'iI', noun: 'index', code: 'undefined_object' },
  OBJECT_FOREIGN_TABLE: { kinds: 'f', noun: 'foreign table', code: 'undefined_object' },
};
const article = (noun: string): string => (/^[aeiou]/.test(noun) ? 'an' : 'a');

const DROP_HINTS: Readonly<Record<string, string>> = {
  r: 'Use DROP TABLE to remove a table.', p: 'Use DROP TABLE to remove a table.', S: 'Use DROP SEQUENCE to remove a sequence.', v: 'Use DROP VIEW to remove a view.',
  m: 'Use DROP MATERIALIZED VIEW to remove a materialized view.', i: 'Use DROP INDEX to remove an index.', I: 'Use DROP INDEX to remove an index.',
  c: 'Use DROP TYPE to remove a type.', f: 'Use DROP FOREIGN TABLE to remove a foreign table.',
};

function drop(stmt: RawNode, context: UtilityContext): void {
  const kind = RELATION_KINDS[stmt['removeType'] as string];
  if (kind !== undefined) dropRelations(stmt, kind, context);
  else dropObjects(stmt);
}

// ---- relations

function dropRelations(stmt: RawNode, kind: RelationKind, context: UtilityContext): void {
  const list = stmt['objects'] as string[][];
  if (stmt['concurrent']) {
    preventInTransactionBlock(context, 'DROP INDEX CONCURRENTLY');
    if (list.length !== 1) throw new PgError('feature_not_supported', 'DROP INDEX CONCURRENTLY does not support dropping multiple objects');
    if (behaviorOf(stmt) === 'cascade') throw new PgError('feature_not_supported', 'DROP INDEX CONCURRENTLY does not support CASCADE');
  }
  const addresses: ObjectAddress[] = [];
  for (const names of list) {
    const rv = makeRangeVarFromNameList(names);
    let oid = rangeVarGetRelid(rv, true);
    if (oid === 0) {
      relationMissing(rv, kind, Boolean(stmt['missing_ok']));
      continue;
    }
    checkDroppable(oid, kind);
    if (stmt['concurrent'] && sys.classByOid(oid)!.relkind === 'I') throw new PgError('feature_not_supported', `cannot drop partitioned index "${rv.relname}" concurrently`);
    // The table first, so as not to lock index and table the other way round than everybody else.
    if (kind.noun === 'index') lockRelation(sys.indexByOid(oid)!.indrelid, ACCESS_EXCLUSIVE_LOCK);
    const parent = partitionParent(oid);
    if (parent !== 0) lockRelation(parent, ACCESS_EXCLUSIVE_LOCK);
    lockRelation(oid, ACCESS_EXCLUSIVE_LOCK);
    // Somebody may have dropped or replaced it while we waited.
    oid = rangeVarGetRelid(rv, true);
    if (oid === 0) relationMissing(rv, kind, Boolean(stmt['missing_ok']));
    else addresses.push(objectAddress(ids.RelationRelationId, oid));
  }
  performMultipleDeletions(addresses, behaviorOf(stmt));
}

function relationMissing(rv: RangeVarName, kind: RelationKind, missingOk: boolean): void {
  if (rv.schemaname && sys.namespaceByName(rv.schemaname) === undefined) {
    if (!missingOk) throw new PgError('undefined_schema', `schema "${rv.schemaname}" does not exist`);
    return ddlNotice(`schema "${rv.schemaname}" does not exist, skipping`);
  }
  if (!missingOk) throw new PgError(kind.code, `${kind.noun} "${rv.relname}" does not exist`);
  ddlNotice(`${kind.noun} "${rv.relname}" does not exist, skipping`);
}

function checkDroppable(oid: number, kind: RelationKind): void {
  const row = sys.classByOid(oid)!;
  if (!kind.kinds.includes(row.relkind)) {
    throw new PgError('wrong_object_type', `"${row.relname}" is not ${article(kind.noun)} ${kind.noun}`, { hint: DROP_HINTS[row.relkind] });
  }
  requireOwnerOrSchemaOwner(objectAddress(ids.RelationRelationId, oid), row.relnamespace);
  refuseSystemCatalog(oid);
}

// ---- all other objects

function dropObjects(stmt: RawNode): void {
  const removeType = stmt['removeType'] as string;
  const addresses: ObjectAddress[] = [];
  for (const object of stmt['objects'] as RawObject[]) {
    const missingOk = Boolean(stmt['missing_ok']);
    if (missingOk && ownerMissing(removeType, object)) continue;
    const address = resolveObject(removeType, object, missingOk);
    if (address === undefined) {
      ddlNotice(`${missingText(removeType, object)}, skipping`);
      continue;
    }
    if (removeType === 'OBJECT_FUNCTION' && sys.procByOid(address.objectId)!.prokind === 'a') {
      throw new PgError('wrong_object_type', `"${asNames((object as RawNode)['objname']).join('.')}" is an aggregate function`, { hint: 'Use DROP AGGREGATE to drop aggregate functions.' });
    }
    requireOwnerOrSchemaOwner(address, objectNamespace(address.classId, address.objectId), removeType, object);
    lockOwningTable(address);
    addresses.push(address);
  }
  performMultipleDeletions(addresses, behaviorOf(stmt));
}

function lockOwningTable({ classId, objectId }: ObjectAddress): void {
  if (classId === ids.RewriteRelationId) lockRelation(sys.lookup(classId, ids.PgRewriteOidIndexId, objectId)!.ev_class, ACCESS_EXCLUSIVE_LOCK);
  else if (classId === ids.TriggerRelationId) lockRelation(sys.lookup(classId, ids.PgTriggerOidIndexId, objectId)!.tgrelid, ACCESS_EXCLUSIVE_LOCK);
  else if (classId === ids.PolicyRelationId) lockRelation(sys.lookup(classId, ids.PgPolicyOidIndexId, objectId)!.polrelid, ACCESS_EXCLUSIVE_LOCK);
}

/** IF EXISTS also forgives a missing schema, table or argument type; says so. */
function ownerMissing(removeType: string, object: RawObject): boolean {
  const skip = (text: string): true => { ddlNotice(`${text} does not exist, skipping`); return true; };
  const schemaOf = (names: readonly string[]): string | undefined => names.at(-2);
  const missingSchema = (names: readonly string[]): boolean => {
    const schema = schemaOf(names);
    return schema !== undefined && sys.namespaceByName(schema) === undefined;
  };
  const missingType = (types: readonly (RawNode | null)[]): boolean => types.some((t) => {
    if (t === null || lookupTypeName(null, t, true) !== undefined) return false;
    if (missingSchema((t['names'] ?? []) as string[])) return skip(`schema "${schemaOf(t['names'] as string[])}"`);
    return skip(`type "${typeNameToString(t)}"`);
  });
  switch (removeType) {
    case 'OBJECT_TYPE': case 'OBJECT_DOMAIN': {
      const names = (object as RawNode)['names'] as string[];
      return missingSchema(names) && skip(`schema "${schemaOf(names)}"`);
    }
    case 'OBJECT_FUNCTION': case 'OBJECT_PROCEDURE': case 'OBJECT_ROUTINE': case 'OBJECT_AGGREGATE': case 'OBJECT_OPERATOR': {
      const node = object as RawNode;
      if (missingSchema(node['objname'] as string[])) return skip(`schema "${schemaOf(node['objname'] as string[])}"`);
      return missingType((node['objargs'] ?? []) as (RawNode | null)[]);
    }
    case 'OBJECT_CAST': return missingType(object as RawNode[]);
    case 'OBJECT_TRIGGER': case 'OBJECT_RULE': case 'OBJECT_POLICY': {
      const table = asNames(object).slice(0, -1);
      if (missingSchema(table)) return skip(`schema "${schemaOf(table)}"`);
      return rangeVarGetRelid(makeRangeVarFromNameList(table), true) === 0 && skip(`relation "${table.join('.')}"`);
    }
    case 'OBJECT_OPCLASS': case 'OBJECT_OPFAMILY': {
      const [, ...names] = asNames(object);
      return missingSchema(names) && skip(`schema "${schemaOf(names)}"`);
    }
    case 'OBJECT_COLLATION': case 'OBJECT_CONVERSION': case 'OBJECT_STATISTIC_EXT': case 'OBJECT_TSPARSER': case 'OBJECT_TSDICTIONARY': case 'OBJECT_TSTEMPLATE': case 'OBJECT_TSCONFIGURATION': {
      const names = asNames(object);
      return missingSchema(names) && skip(`schema "${schemaOf(names)}"`);
    }
    default: return false;
  }
}

const NOUNS: Readonly<Record<string, string>> = {
  ACCESS_METHOD: 'access method', COLLATION: 'collation', CONVERSION: 'conversion', SCHEMA: 'schema', TSPARSER: 'text search parser', TSDICTIONARY: 'text search dictionary',
  TSTEMPLATE: 'text search template', TSCONFIGURATION: 'text search configuration', EXTENSION: 'extension', LANGUAGE: 'language', EVENT_TRIGGER: 'event trigger',
  FDW: 'foreign-data wrapper', FOREIGN_SERVER: 'server', PUBLICATION: 'publication', STATISTIC_EXT: 'statistics object',
};

function missingText(removeType: string, object: RawObject): string {
  const type = removeType.replace(/^OBJECT_/, '');
  const node = object as RawNode;
  switch (type) {
    case 'TYPE': case 'DOMAIN': return `type "${typeNameToString(node)}" does not exist`;
    case 'FUNCTION': case 'PROCEDURE': case 'ROUTINE': case 'AGGREGATE': {
      const args = ((node['objargs'] ?? []) as RawNode[]).map(typeNameToString).join(',');
      return `${type.toLowerCase()} ${(node['objname'] as string[]).join('.')}(${args}) does not exist`;
    }
    case 'OPERATOR': return `operator ${(node['objname'] as string[]).join('.')} does not exist`;
    case 'CAST': { const [a, b] = object as RawNode[]; return `cast from type ${typeNameToString(a!)} to type ${typeNameToString(b!)} does not exist`; }
    case 'TRANSFORM': { const [t, language] = object as [RawNode, string]; return `transform for type ${typeNameToString(t)} language "${language}" does not exist`; }
    case 'TRIGGER': case 'RULE': case 'POLICY': {
      const names = asNames(object);
      return `${type.toLowerCase()} "${names.at(-1)}" for relation "${names.slice(0, -1).join('.')}" does not exist`;
    }
    case 'OPCLASS': case 'OPFAMILY': {
      const [method, ...names] = asNames(object);
      return `operator ${type === 'OPCLASS' ? 'class' : 'family'} "${names.join('.')}" does not exist for access method "${method}"`;
    }
    default: return `${NOUNS[type] ?? type.toLowerCase()} "${asNames(object).join('.')}" does not exist`;
  }
}

export const DROP_COMMANDS: UtilityTable = {
  DropStmt: { run: drop },
};
