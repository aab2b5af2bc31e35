// pg_get_object_address: objects by the words and lists that pg_identify_object_as_address tells, and the kinds of objects that
// only these name (PostgreSQL's objectaddress.c).
import { PgError } from '../../common/errors.ts';
import { getNamespaceOid, makeRangeVarFromNameList, rangeVarGetRelid } from '../catalog/namespace.ts';
import { getObjectDescription } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import * as sys from '../catalog/syscache.ts';
import { typeNameToString, typeStringToTypeName } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { RecordValue, tupleDesc, type ArrayValue, type Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { resolveObject, typeOidOf, type RawObject } from './object_names.ts';

const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);
const undefinedObject = (message: string): PgError => new PgError('undefined_object', message);

/** The words for kinds of objects. `null`: told of objects, and not taken here. */
const KINDS: Readonly<Record<string, string | null>> = {
  'table': 'TABLE', 'index': 'INDEX', 'sequence': 'SEQUENCE', 'toast table': null, 'view': 'VIEW', 'materialized view': 'MATVIEW', 'composite type': null, 'foreign table': 'FOREIGN_TABLE',
  'table column': 'COLUMN', 'index column': null, 'sequence column': null, 'toast table column': null, 'view column': null, 'materialized view column': null,
  'composite type column': null, 'foreign table column': 'COLUMN', 'aggregate': 'AGGREGATE', 'function': 'FUNCTION', 'procedure': 'PROCEDURE', 'type': 'TYPE', 'cast': 'CAST',
  'collation': 'COLLATION', 'table constraint': 'TABCONSTRAINT', 'domain constraint': 'DOMCONSTRAINT', 'conversion': 'CONVERSION', 'default value': 'DEFAULT', 'language': 'LANGUAGE',
  'large object': 'LARGEOBJECT', 'operator': 'OPERATOR', 'operator class': 'OPCLASS', 'operator family': 'OPFAMILY', 'access method': 'ACCESS_METHOD',
  'operator of access method': 'AMOP', 'function of access method': 'AMPROC', 'rule': 'RULE', 'trigger': 'TRIGGER', 'schema': 'SCHEMA', 'text search parser': 'TSPARSER',
  'text search dictionary': 'TSDICTIONARY', 'text search template': 'TSTEMPLATE', 'text search configuration': 'TSCONFIGURATION', 'role': 'ROLE', 'database': 'DATABASE',
  'tablespace': 'TABLESPACE', 'foreign-data wrapper': 'FDW', 'server': 'FOREIGN_SERVER', 'user mapping': 'USER_MAPPING', 'default acl': 'DEFACL', 'extension': 'EXTENSION',
  'event trigger': 'EVENT_TRIGGER', 'parameter ACL': 'PARAMETER_ACL', 'policy': 'POLICY', 'publication': 'PUBLICATION', 'publication namespace': 'PUBLICATION_NAMESPACE',
  'publication relation': 'PUBLICATION_REL', 'subscription': 'SUBSCRIPTION', 'transform': 'TRANSFORM', 'statistics object': 'STATISTIC_EXT',
};
/** A type stands where others have a name. */
const NAMED_BY_TYPE = new Set(['TYPE', 'CAST', 'TRANSFORM', 'DOMCONSTRAINT']);
const ARGUMENTS_ARE_TYPES = new Set(['AGGREGATE', 'FUNCTION', 'PROCEDURE', 'OPERATOR', 'CAST', 'AMOP', 'AMPROC']);
const ONE_NAME = new Set([
  'ACCESS_METHOD', 'DATABASE', 'EVENT_TRIGGER', 'EXTENSION', 'FDW', 'FOREIGN_SERVER', 'LANGUAGE', 'PARAMETER_ACL', 'PUBLICATION', 'ROLE', 'SCHEMA', 'SUBSCRIPTION', 'TABLESPACE',
  'PUBLICATION_NAMESPACE', 'USER_MAPPING',
]);
const ONE_ARGUMENT = new Set(['PUBLICATION_NAMESPACE', 'USER_MAPPING', 'DOMCONSTRAINT', 'CAST', 'PUBLICATION_REL', 'DEFACL', 'TRANSFORM']);
const TWO_ARGUMENTS = new Set(['AMOP', 'AMPROC', 'OPERATOR']);
const LEAST_NAMES: Readonly<Record<string, number>> = { OPFAMILY: 2, OPCLASS: 2, AMOP: 3, AMPROC: 3 };

function elements(array: ArrayValue): string[] {
  if (array.values.includes(null)) throw invalid('name or argument lists may not contain nulls');
  return array.values as string[];
}

function getObjectAddress(word: string, nameArray: ArrayValue, argArray: ArrayValue): ObjectAddress {
  const kind = KINDS[word];
  if (kind === undefined) throw invalid(`unrecognized object type "${word}"`);
  if (kind === null) throw invalid(`unsupported object type "${word}"`);
  if ((NAMED_BY_TYPE.has(kind) || kind === 'LARGEOBJECT') && nameArray.values.length !== 1) throw invalid('name list length must be exactly 1');
  if (kind === 'LARGEOBJECT' && nameArray.values[0] === null) throw invalid('large object OID may not be null');
  const names = elements(nameArray);
  const typeName = NAMED_BY_TYPE.has(kind) ? typeStringToTypeName(names[0]!) : null;
  if (names.length === 0) throw invalid('name list length must be at least 1');
  const args = elements(argArray);
  const types = ARGUMENTS_ARE_TYPES.has(kind) ? args.map((text) => typeStringToTypeName(text)) : [];
  checkLengths(kind, names.length, args.length);
  switch (kind) {
    case 'AGGREGATE': case 'FUNCTION': case 'PROCEDURE': case 'OPERATOR': return resolve(kind, { tag: 'ObjectWithArgs', objname: names, objargs: types } as unknown as RawObject);
    case 'TYPE': return resolve(kind, typeName!);
    case 'CAST': return resolve(kind, [typeName!, types[0]!]);
    case 'TRANSFORM': case 'DOMCONSTRAINT': return resolve(kind, [typeName!, args[0]!]);
    case 'AMOP': case 'AMPROC': return familyMember(kind, names, types);
    case 'DEFAULT': return columnDefault(names);
    case 'USER_MAPPING': return userMapping(names[0]!, args[0]!);
    case 'PUBLICATION_REL': return publicationRelation(names, args[0]!);
    case 'PUBLICATION_NAMESPACE': return publicationSchema(names[0]!, args[0]!);
    case 'DEFACL': return defaultAcl(args[0]!, names[0]!, names[1]);
    case 'LARGEOBJECT': return resolve(kind, names[0]!);
    default: return resolve(kind, names);
  }
}
const resolve = (kind: string, object: RawObject): ObjectAddress => resolveObject(`OBJECT_${kind}`, object)!;

function checkLengths(kind: string, names: number, args: number): void {
  const least = LEAST_NAMES[kind] ?? 1;
  if (ONE_NAME.has(kind) && names !== 1) throw invalid('name list length must be exactly 1');
  if (ONE_ARGUMENT.has(kind) && args !== 1) throw invalid('argument list length must be exactly 1');
  if (names < least) throw invalid(`name list length must be at least ${least}`);
  if (TWO_ARGUMENTS.has(kind) && args !== 2) throw invalid('argument list length must be exactly 2');
}

/** The last name is the number. */
function familyMember(kind: 'AMOP' | 'AMPROC', names: readonly string[], typeNames: readonly RawNode[]): ObjectAddress {
  const family = resolve('OPFAMILY', names.slice(0, -1));
  const number = Number(/^\s*([-+]?\d+)/.exec(names.at(-1)!)?.[1] ?? 0);
  const [left, right] = typeNames.map((t) => typeOidOf(t));
  const row = kind === 'AMOP' ? sys.lookup(ids.AccessMethodOperatorRelationId, ids.PgAmopFamStratIndexId, family.objectId, left!, right!, number)
    : sys.lookup(ids.AccessMethodProcedureRelationId, ids.PgAmprocFamProcIndexId, family.objectId, left!, right!, number);
  if (row === undefined) {
    throw undefinedObject(`${kind === 'AMOP' ? 'operator' : 'function'} ${number} (${typeNames.map(typeNameToString).join(', ')}) of ${getObjectDescription(family)} does not exist`);
  }
  return objectAddress(kind === 'AMOP' ? ids.AccessMethodOperatorRelationId : ids.AccessMethodProcedureRelationId, row.oid);
}

function columnDefault(names: readonly string[]): ObjectAddress {
  if (names.length < 2) throw new PgError('syntax_error', 'column name must be qualified');
  const relation = rangeVarGetRelid(makeRangeVarFromNameList(names.slice(0, -1)), false);
  const column = sys.attributeByName(relation, names.at(-1)!);
  const row = column && sys.lookup(ids.AttrDefaultRelationId, ids.PgAttrdefAdrelidAdnumIndexId, relation, column.attnum);
  if (row === undefined) throw new PgError('undefined_column', `default value for column "${names.at(-1)!}" of relation "${names.slice(0, -1).join('.')}" does not exist`);
  return objectAddress(ids.AttrDefaultRelationId, row.oid);
}

function userMapping(user: string, server: string): ObjectAddress {
  const missing = undefinedObject(`user mapping for user "${user}" on server "${server}" does not exist`);
  const role = user === 'public' ? 0 : sys.authIdByName(user)?.oid;
  if (role === undefined) throw missing;
  const found = sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, server);
  if (found === undefined) throw undefinedObject(`server "${server}" does not exist`);
  const row = sys.lookup(ids.UserMappingRelationId, ids.PgUserMappingUserServerIndexId, role, found.oid);
  if (row === undefined) throw missing;
  return objectAddress(ids.UserMappingRelationId, row.oid);
}

const publicationOid = (name: string): Oid => resolve('PUBLICATION', [name]).objectId;

function publicationRelation(names: readonly string[], publication: string): ObjectAddress {
  const relation = rangeVarGetRelid(makeRangeVarFromNameList(names), false);
  const row = sys.lookup(ids.PublicationRelRelationId, ids.PgPublicationRelPrrelidPrpubidIndexId, relation, publicationOid(publication));
  if (row === undefined) throw undefinedObject(`publication relation "${sys.classByOid(relation)!.relname}" in publication "${publication}" does not exist`);
  return objectAddress(ids.PublicationRelRelationId, row.oid);
}

function publicationSchema(schema: string, publication: string): ObjectAddress {
  const namespace = getNamespaceOid(schema, false);
  const row = sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId, namespace, publicationOid(publication));
  if (row === undefined) throw undefinedObject(`publication schema "${schema}" in publication "${publication}" does not exist`);
  return objectAddress(ids.PublicationNamespaceRelationId, row.oid);
}

const DEFAULT_ACLS: Readonly<Record<string, string>> = { r: 'tables', S: 'sequences', f: 'functions', T: 'types', n: 'schemas' };

function defaultAcl(kind: string, user: string, schema: string | undefined): ObjectAddress {
  const letter = kind.slice(0, 1), noun = DEFAULT_ACLS[letter];
  if (noun === undefined) {
    throw new PgError('invalid_parameter_value', `unrecognized default ACL object type "${letter}"`, { hint: `Valid object types are ${Object.keys(DEFAULT_ACLS).map((k) => `"${k}"`).join(', ')}.` });
  }
  const role = sys.authIdByName(user)?.oid, namespace = schema === undefined ? 0 : getNamespaceOid(schema, true);
  const row = role === undefined || (schema !== undefined && namespace === 0) ? undefined
    : sys.lookup(ids.DefaultAclRelationId, ids.PgDefaultAclRoleNspObjIndexId, role, namespace, letter);
  if (row === undefined) throw undefinedObject(`default ACL for user "${user}"${schema === undefined ? '' : ` in schema "${schema}"`} on ${noun} does not exist`);
  return objectAddress(ids.DefaultAclRelationId, row.oid);
}

const COLUMNS = tupleDesc([['classid', ids.OIDOID], ['objid', ids.OIDOID], ['objsubid', ids.INT4OID]]);

registerBuiltins({
  pure: {
    pg_get_object_address: (word: string, names: ArrayValue, args: ArrayValue) => {
      const { classId, objectId, objectSubId } = getObjectAddress(word, names, args);
      return new RecordValue(ids.RECORDOID, COLUMNS, [classId, objectId, objectSubId]);
    },
  },
});
