// Objects as messages name them, and objects by the names statements give them (PostgreSQL's objectaddress.c).
import { PgError, internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { amByName, authIdByName } from './syscache.ts';
import { formatNamed, formatOperator, formatProcedure, formatRelation } from './format_object.ts';
import { formatType } from './format_type.ts';
import * as ns from './namespace.ts';
import { objectName, objectNamespace, objectRow, refuseSubId } from './object_property.ts';
import * as ids from './oids.ts';
import { objectAddress, type ObjectAddress } from './pg_depend.ts';
import * as sys from './syscache.ts';
import type { CatalogId } from './rows.ts';
import { relkindNoun } from './aclchk.ts';

// ---------------------------------------------------------------- descriptions

type Describer = (oid: Oid, subId: number) => string | undefined;

function describeRelation(oid: Oid): string | undefined {
  const row = sys.classByOid(oid);
  if (!row) return undefined;
  const noun = row.relkind === 't' ? 'toast table' : row.relkind === 'c' ? 'composite type' : relkindNoun(row.relkind);
  return `${noun} ${formatRelation(oid)}`;
}
const onRelation = (noun: string, name: string, relation: Oid): string => `${noun} ${name} on ${describeRelation(relation)}`;
const simple = (noun: string, classId: Oid): Describer => (oid) => {
  const name = objectName(classId, oid);
  return name === undefined ? undefined : `${noun} ${name}`;
};

/** With its schema, unless the search path finds it. */
const inSchema = (noun: string, classId: CatalogId, nameIndex: Oid): Describer => (oid) => {
  const name = objectName(classId, oid);
  if (name === undefined) return undefined;
  const visible = ns.lookupByName([name], (n, namespace) => (sys.lookup(classId, nameIndex, n, namespace) as { oid: Oid } | undefined)?.oid ?? 0, true) === oid;
  return `${noun} ${formatNamed(objectNamespace(classId, oid), name, visible)}`;
};

function describeFamily(oid: Oid): string {
  const f = sys.opfamilyByOid(oid)!;
  return `operator family ${formatNamed(f.opfnamespace, f.opfname, ns.opfamilyIsVisible(oid))} for access method ${sys.amByOid(f.opfmethod)?.amname}`;
}

const DESCRIBERS: Readonly<Record<Oid, Describer>> = {
  [ids.RelationRelationId]: (oid, subId) => {
    const relation = describeRelation(oid);
    if (subId === 0 || relation === undefined) return relation;
    const column = sys.attributeByNumber(oid, subId)?.attname;
    return column && `column ${column} of ${relation}`;
  },
  [ids.ProcedureRelationId]: (oid) => (sys.procByOid(oid) ? `function ${formatProcedure(oid)}` : undefined),
  [ids.TypeRelationId]: (oid) => (sys.typeByOid(oid) ? `type ${formatType(oid)}` : undefined),
  [ids.CastRelationId]: (oid) => {
    const cast = objectRow(ids.CastRelationId, oid) as { castsource: Oid; casttarget: Oid } | undefined;
    return cast && `cast from ${formatType(cast.castsource)} to ${formatType(cast.casttarget)}`;
  },
  [ids.CollationRelationId]: (oid) => {
    const c = sys.collationByOid(oid);
    return c && `collation ${formatNamed(c.collnamespace, c.collname, ns.collationIsVisible(oid))}`;
  },
  [ids.ConstraintRelationId]: (oid) => {
    const c = sys.constraintByOid(oid);
    if (!c) return undefined;
    return c.conrelid !== 0 ? onRelation('constraint', c.conname, c.conrelid) : `constraint ${c.conname}`;
  },
  [ids.ConversionRelationId]: (oid) => {
    const c = sys.conversionByOid(oid);
    return c && `conversion ${formatNamed(c.connamespace, c.conname, ns.conversionIsVisible(oid))}`;
  },
  [ids.AttrDefaultRelationId]: (oid) => {
    const d = sys.lookup(ids.AttrDefaultRelationId, ids.PgAttrdefOidIndexId, oid);
    return d && `default value for ${getObjectDescription(objectAddress(ids.RelationRelationId, d.adrelid, d.adnum))}`;
  },
  [ids.LanguageRelationId]: simple('language', ids.LanguageRelationId),
  [ids.LargeObjectRelationId]: (oid) => (sys.lookup(ids.LargeObjectMetadataRelationId, ids.PgLargeobjectMetadataOidIndexId, oid) && `large object ${oid}`),
  [ids.ParameterAclRelationId]: (oid) => {
    const p = sys.lookup(ids.ParameterAclRelationId, ids.PgParameterAclOidIndexId, oid);
    return p && `parameter ${p.parname}`;
  },
  [ids.OperatorRelationId]: (oid) => (sys.operatorByOid(oid) ? `operator ${formatOperator(oid)}` : undefined),
  [ids.OperatorClassRelationId]: (oid) => {
    const c = sys.opclassByOid(oid);
    return c && `operator class ${formatNamed(c.opcnamespace, c.opcname, ns.opclassIsVisible(oid))} for access method ${sys.amByOid(c.opcmethod)?.amname}`;
  },
  [ids.OperatorFamilyRelationId]: (oid) => (sys.opfamilyByOid(oid) ? describeFamily(oid) : undefined),
  [ids.AccessMethodRelationId]: simple('access method', ids.AccessMethodRelationId),
  [ids.AccessMethodOperatorRelationId]: (oid) => {
    const m = sys.lookup(ids.AccessMethodOperatorRelationId, ids.PgAmopOidIndexId, oid);
    return m && `operator ${m.amopstrategy} (${formatType(m.amoplefttype)}, ${formatType(m.amoprighttype)}) of ${describeFamily(m.amopfamily)}: ${formatOperator(m.amopopr)}`;
  },
  [ids.AccessMethodProcedureRelationId]: (oid) => {
    const m = sys.lookup(ids.AccessMethodProcedureRelationId, ids.PgAmprocOidIndexId, oid);
    return m && `function ${m.amprocnum} (${formatType(m.amproclefttype)}, ${formatType(m.amprocrighttype)}) of ${describeFamily(m.amprocfamily)}: ${formatProcedure(m.amproc)}`;
  },
  [ids.TransformRelationId]: (oid) => {
    const t = sys.lookup(ids.TransformRelationId, ids.PgTransformOidIndexId, oid);
    return t && `transform for ${formatType(t.trftype)} language ${sys.languageByOid(t.trflang)?.lanname}`;
  },
  [ids.RewriteRelationId]: (oid) => {
    const r = sys.lookup(ids.RewriteRelationId, ids.PgRewriteOidIndexId, oid);
    return r && onRelation('rule', r.rulename, r.ev_class);
  },
  [ids.TriggerRelationId]: (oid) => {
    const t = sys.lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, oid);
    return t && onRelation('trigger', t.tgname, t.tgrelid);
  },
  [ids.PolicyRelationId]: (oid) => {
    const p = sys.lookup(ids.PolicyRelationId, ids.PgPolicyOidIndexId, oid);
    return p && onRelation('policy', p.polname, p.polrelid);
  },
  [ids.NamespaceRelationId]: simple('schema', ids.NamespaceRelationId),
  [ids.StatisticExtRelationId]: inSchema('statistics object', ids.StatisticExtRelationId, ids.PgStatisticExtNameIndexId),
  [ids.TSParserRelationId]: inSchema('text search parser', ids.TSParserRelationId, ids.PgTsParserPrsnameIndexId),
  [ids.TSDictionaryRelationId]: inSchema('text search dictionary', ids.TSDictionaryRelationId, ids.PgTsDictDictnameIndexId),
  [ids.TSTemplateRelationId]: inSchema('text search template', ids.TSTemplateRelationId, ids.PgTsTemplateTmplnameIndexId),
  [ids.TSConfigRelationId]: inSchema('text search configuration', ids.TSConfigRelationId, ids.PgTsConfigCfgnameIndexId),
  [ids.AuthIdRelationId]: simple('role', ids.AuthIdRelationId),
  [ids.DatabaseRelationId]: simple('database', ids.DatabaseRelationId),
  [ids.TableSpaceRelationId]: simple('tablespace', ids.TableSpaceRelationId),
  [ids.ForeignDataWrapperRelationId]: simple('foreign-data wrapper', ids.ForeignDataWrapperRelationId),
  [ids.ForeignServerRelationId]: simple('server', ids.ForeignServerRelationId),
  [ids.UserMappingRelationId]: (oid) => {
    const m = sys.lookup(ids.UserMappingRelationId, ids.PgUserMappingOidIndexId, oid);
    return m && `user mapping for ${m.umuser === 0 ? 'public' : sys.authIdByOid(m.umuser)?.rolname} on server ${objectName(ids.ForeignServerRelationId, m.umserver)}`;
  },
  [ids.PublicationRelRelationId]: (oid) => {
    const r = sys.lookup(ids.PublicationRelRelationId, ids.PgPublicationRelOidIndexId, oid);
    return r && `publication of ${describeRelation(r.prrelid)} in publication ${objectName(ids.PublicationRelationId, r.prpubid)}`;
  },
  [ids.PublicationNamespaceRelationId]: (oid) => {
    const r = sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespaceOidIndexId, oid);
    return r && `publication of schema ${sys.namespaceByOid(r.pnnspid)?.nspname} in publication ${objectName(ids.PublicationRelationId, r.pnpubid)}`;
  },
  [ids.ExtensionRelationId]: simple('extension', ids.ExtensionRelationId),
  [ids.EventTriggerRelationId]: simple('event trigger', ids.EventTriggerRelationId),
  [ids.PublicationRelationId]: simple('publication', ids.PublicationRelationId),
  [ids.SubscriptionRelationId]: simple('subscription', ids.SubscriptionRelationId),
  [ids.DefaultAclRelationId]: (oid) => {
    const d = sys.lookup(ids.DefaultAclRelationId, ids.PgDefaultAclOidIndexId, oid);
    if (!d) return undefined;
    const nouns: Record<string, string> = { r: 'relations', S: 'sequences', f: 'functions', T: 'types', n: 'schemas' };
    const where = d.defaclnamespace === 0 ? '' : ` in schema ${sys.namespaceByOid(d.defaclnamespace)?.nspname}`;
    return `default privileges on new ${nouns[d.defaclobjtype]} belonging to role ${sys.authIdByOid(d.defaclrole)?.rolname}${where}`;
  },
};

/** "table t", "column a of table t", "constraint c on table t", ...; undefined when the object is gone and may be. */
export function describeObject(object: ObjectAddress): string | undefined {
  refuseSubId(object);
  const describer = DESCRIBERS[object.classId];
  if (!describer) throw internalError(`unrecognized object class: ${object.classId}`);
  return describer(object.objectId, object.objectSubId);
}
export function getObjectDescription(object: ObjectAddress): string {
  const text = describeObject(object);
  if (text === undefined) throw internalError(`cache lookup failed for object ${object.classId}/${object.objectId}`);
  return text;
}

// ---------------------------------------------------------------- by name

export function getRoleOid(name: string, missingOk = false): Oid {
  const oid = authIdByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_object', `role "${name}" does not exist`);
  return oid;
}
export function getDatabaseOid(name: string, missingOk = false): Oid {
  const oid = sys.databaseByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_database', `database "${name}" does not exist`);
  return oid;
}
export function getTablespaceOid(name: string, missingOk = false): Oid {
  const oid = sys.tablespaceByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_object', `tablespace "${name}" does not exist`);
  return oid;
}
export function getLanguageOid(name: string, missingOk = false): Oid {
  const oid = sys.languageByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_object', `language "${name}" does not exist`);
  return oid;
}
function getAmOid(name: string, missingOk = false): Oid {
  const oid = amByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_object', `access method "${name}" does not exist`);
  return oid;
}

/** Kinds of relations by the word of the statement: what relkind each wants, and the error's text. */
const RELATION_KINDS: Readonly<Record<string, { kinds: string; text: string }>> = {
  TABLE: { kinds: 'rp', text: 'is not a table' }, INDEX: { kinds: 'iI', text: 'is not an index' },
  SEQUENCE: { kinds: 'S', text: 'is not a sequence' }, VIEW: { kinds: 'v', text: 'is not a view' },
  MATVIEW: { kinds: 'm', text: 'is not a materialized view' }, FOREIGN_TABLE: { kinds: 'f', text: 'is not a foreign table' },
};

/** The relation a statement such as DROP TABLE or COMMENT ON VIEW names; it must be of that kind. Undefined: missing. */
export function getRelationByQualifiedName(kind: string, names: readonly string[], missingOk = false): ObjectAddress | undefined {
  const oid = ns.rangeVarGetRelid(ns.makeRangeVarFromNameList(names), missingOk);
  if (oid === 0) return undefined;
  const wanted = RELATION_KINDS[kind];
  const row = sys.classByOid(oid)!;
  if (wanted && !wanted.kinds.includes(row.relkind)) throw new PgError('wrong_object_type', `"${row.relname}" ${wanted.text}`);
  return objectAddress(ids.RelationRelationId, oid);
}

/** The column "t.a" names. */
function getColumnByQualifiedName(names: readonly string[], missingOk = false): ObjectAddress | undefined {
  if (names.length < 2) throw new PgError('syntax_error', 'column name must be qualified');
  const relation = getRelationByQualifiedName('', names.slice(0, -1), missingOk);
  if (!relation) return undefined;
  const name = names[names.length - 1]!;
  const attribute = sys.attributeByName(relation.objectId, name);
  if (!attribute) {
    if (missingOk) return undefined;
    throw new PgError('undefined_column', `column "${name}" of relation "${names.slice(0, -1).join('.')}" does not exist`);
  }
  return objectAddress(ids.RelationRelationId, relation.objectId, attribute.attnum);
}

/** A rule, trigger, constraint or policy: the last name; the table: those before it. */
function getObjectOnRelation(kind: 'RULE' | 'TRIGGER' | 'TABCONSTRAINT' | 'POLICY', names: readonly string[], missingOk = false): ObjectAddress | undefined {
  if (names.length < 2) throw new PgError('syntax_error', 'must specify relation and object name');
  const name = names[names.length - 1]!;
  const relation = getRelationByQualifiedName('', names.slice(0, -1), missingOk);
  if (!relation) return undefined;
  const table = sys.classByOid(relation.objectId)!.relname;
  const found = (classId: Oid, row: { oid: Oid } | undefined, noun: string): ObjectAddress | undefined => {
    if (row) return objectAddress(classId, row.oid);
    if (missingOk) return undefined;
    throw new PgError('undefined_object', `${noun} "${name}" for ${noun === 'rule' ? 'relation' : 'table'} "${table}" does not exist`);
  };
  switch (kind) {
    case 'RULE': return found(ids.RewriteRelationId, sys.rulesOf(relation.objectId).find((r) => r.rulename === name), 'rule');
    case 'TRIGGER': return found(ids.TriggerRelationId, sys.triggersOf(relation.objectId).find((t) => t.tgname === name), 'trigger');
    case 'TABCONSTRAINT': return found(ids.ConstraintRelationId, sys.constraintsOf(relation.objectId).find((c) => c.conname === name), 'constraint');
    case 'POLICY': return found(ids.PolicyRelationId, sys.lookup(ids.PolicyRelationId, ids.PgPolicyPolrelidPolnameIndexId, relation.objectId, name), 'policy');
  }
}

/** Objects that a single name names. */
const UNQUALIFIED: Readonly<Record<string, { classId: Oid; find: (name: string, missingOk: boolean) => Oid }>> = {
  SCHEMA: { classId: ids.NamespaceRelationId, find: ns.getNamespaceOid },
  ROLE: { classId: ids.AuthIdRelationId, find: getRoleOid },
  DATABASE: { classId: ids.DatabaseRelationId, find: getDatabaseOid },
  TABLESPACE: { classId: ids.TableSpaceRelationId, find: getTablespaceOid },
  LANGUAGE: { classId: ids.LanguageRelationId, find: getLanguageOid },
  ACCESS_METHOD: { classId: ids.AccessMethodRelationId, find: getAmOid },
};

/** The object a statement names, by libpg-query's ObjectType without "OBJECT_" for what needs no argument types:
 * relations, columns, schemas, roles, databases, languages, collations, conversions, types, domains, and what hangs on
 * tables. Functions and operators are looked up by the parser (their argument types are types to be resolved). */
export function getObjectAddress(type: string, names: readonly string[], missingOk = false): ObjectAddress | undefined {
  const plain = UNQUALIFIED[type];
  if (plain) {
    const oid = plain.find(names[0]!, missingOk);
    return oid === 0 ? undefined : objectAddress(plain.classId, oid);
  }
  const found = (classId: Oid, oid: Oid): ObjectAddress | undefined => (oid === 0 ? undefined : objectAddress(classId, oid));
  switch (type) {
    case 'TABLE': case 'INDEX': case 'SEQUENCE': case 'VIEW': case 'MATVIEW': case 'FOREIGN_TABLE':
      return getRelationByQualifiedName(type, names, missingOk);
    case 'COLUMN': return getColumnByQualifiedName(names, missingOk);
    case 'RULE': case 'TRIGGER': case 'TABCONSTRAINT': case 'POLICY': return getObjectOnRelation(type, names, missingOk);
    case 'COLLATION': return found(ids.CollationRelationId, ns.getCollationOid(names, missingOk));
    case 'CONVERSION': return found(ids.ConversionRelationId, ns.getConversionOid(names, missingOk));
    case 'TYPE': case 'DOMAIN': {
      const oid = ns.typenameToOid(names, missingOk);
      if (oid === 0 && !missingOk) throw new PgError('undefined_object', `type "${ns.nameListToString(names)}" does not exist`);
      if (oid !== 0 && type === 'DOMAIN' && sys.typeByOid(oid)!.typtype !== 'd') {
        throw new PgError('wrong_object_type', `"${formatType(oid)}" is not a domain`);
      }
      return found(ids.TypeRelationId, oid);
    }
    case 'OPCLASS': case 'OPFAMILY': { // access method first
      const method = getAmOid(names[0]!);
      return type === 'OPCLASS' ? found(ids.OperatorClassRelationId, ns.getOpclassOid(method, names.slice(1), missingOk))
        : found(ids.OperatorFamilyRelationId, ns.getOpfamilyOid(method, names.slice(1), missingOk));
    }
    default: throw internalError(`unrecognized object type: ${type} (database ${session.databaseName})`);
  }
}
