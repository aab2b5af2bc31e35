// Objects by their full identity, whatever the search path (getObjectIdentityParts and getObjectTypeDescription of
// PostgreSQL's objectaddress.c): what event triggers tell, and pg_identify_object.
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { formatTypeExtended } from './format_type.ts';
import { isTempNamespace } from './namespace.ts';
import { objectName, objectProperty, objectRow, refuseSubId } from './object_property.ts';
import * as ids from './oids.ts';
import type { ObjectAddress } from './pg_depend.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from './quote.ts';
import * as sys from './syscache.ts';

/** `names` and `args`: as pg_get_object_address takes them. */
export interface Identity { identity: string; names: string[]; args: string[] }

const schemaOf = (oid: Oid): string => (isTempNamespace(oid) ? 'pg_temp' : sys.namespaceByOid(oid)?.nspname ?? '');
const typeText = (oid: Oid): string => formatTypeExtended(oid, -1, { forceQualify: true });
/** A missing operand. */
const operandText = (oid: Oid): string => (oid === 0 ? 'NONE' : typeText(oid));

const qualified = (namespace: Oid, name: string): Identity => ({ identity: quoteQualifiedIdentifier(schemaOf(namespace), name), names: [schemaOf(namespace), name], args: [] });
const plain = (name: string): Identity => ({ identity: quoteIdentifier(name), names: [name], args: [] });

function relation(oid: Oid): Identity {
  const row = sys.classByOid(oid)!;
  return qualified(row.relnamespace, row.relname);
}
function onRelation(name: string, table: Oid): Identity {
  const of = relation(table);
  return { identity: `${quoteIdentifier(name)} on ${of.identity}`, names: [...of.names, name], args: [] };
}
function family(oid: Oid): Identity {
  const f = sys.opfamilyByOid(oid)!;
  const method = sys.amByOid(f.opfmethod)!.amname, own = qualified(f.opfnamespace, f.opfname);
  return { identity: `${own.identity} USING ${quoteIdentifier(method)}`, names: [method, ...own.names], args: [] };
}

type Identifier = (oid: Oid, subId: number) => Identity;

const IDENTIFIERS: Readonly<Record<Oid, Identifier>> = {
  [ids.RelationRelationId]: (oid, subId) => {
    const of = relation(oid);
    if (subId === 0) return of;
    const column = sys.attributeByNumber(oid, subId)!.attname;
    return { identity: `${of.identity}.${quoteIdentifier(column)}`, names: [...of.names, column], args: [] };
  },
  [ids.ProcedureRelationId]: (oid) => {
    const proc = sys.procByOid(oid)!, own = qualified(proc.pronamespace, proc.proname), args = proc.proargtypes.map(typeText);
    return { identity: `${own.identity}(${args.join(',')})`, names: own.names, args };
  },
  [ids.TypeRelationId]: (oid) => ({ identity: typeText(oid), names: [typeText(oid)], args: [] }),
  [ids.CastRelationId]: (oid) => {
    const cast = objectRow(ids.CastRelationId, oid) as { castsource: Oid; casttarget: Oid };
    return { identity: `(${typeText(cast.castsource)} AS ${typeText(cast.casttarget)})`, names: [typeText(cast.castsource)], args: [typeText(cast.casttarget)] };
  },
  [ids.ConstraintRelationId]: (oid) => {
    const c = sys.constraintByOid(oid)!;
    if (c.conrelid !== 0) return onRelation(c.conname, c.conrelid);
    const domain = typeText(c.contypid);
    return { identity: `${quoteIdentifier(c.conname)} on ${domain}`, names: [domain], args: [c.conname] };
  },
  [ids.AttrDefaultRelationId]: (oid) => {
    const d = sys.lookup(ids.AttrDefaultRelationId, ids.PgAttrdefOidIndexId, oid)!;
    const column = identify(ids.RelationRelationId, d.adrelid, d.adnum);
    return { ...column, identity: `for ${column.identity}` };
  },
  [ids.LargeObjectRelationId]: (oid) => ({ identity: String(oid), names: [String(oid)], args: [] }),
  [ids.OperatorRelationId]: (oid) => {
    const op = sys.operatorByOid(oid)!;
    return {
      identity: `${quoteIdentifier(schemaOf(op.oprnamespace))}.${op.oprname}(${operandText(op.oprleft)},${operandText(op.oprright)})`, names: [schemaOf(op.oprnamespace), op.oprname],
      args: [op.oprleft, op.oprright].filter((t) => t !== 0).map(typeText),
    };
  },
  [ids.OperatorClassRelationId]: (oid) => {
    const c = sys.opclassByOid(oid)!;
    const method = sys.amByOid(c.opcmethod)!.amname, own = qualified(c.opcnamespace, c.opcname);
    return { identity: `${own.identity} USING ${quoteIdentifier(method)}`, names: [method, ...own.names], args: [] };
  },
  [ids.OperatorFamilyRelationId]: family,
  [ids.AccessMethodOperatorRelationId]: (oid) => {
    const m = sys.lookup(ids.AccessMethodOperatorRelationId, ids.PgAmopOidIndexId, oid)!, of = family(m.amopfamily);
    const args = [typeText(m.amoplefttype), typeText(m.amoprighttype)];
    return { identity: `operator ${m.amopstrategy} (${args.join(', ')}) of ${of.identity}`, names: [...of.names, String(m.amopstrategy)], args };
  },
  [ids.AccessMethodProcedureRelationId]: (oid) => {
    const m = sys.lookup(ids.AccessMethodProcedureRelationId, ids.PgAmprocOidIndexId, oid)!, of = family(m.amprocfamily);
    const args = [typeText(m.amproclefttype), typeText(m.amprocrighttype)];
    return { identity: `function ${m.amprocnum} (${args.join(', ')}) of ${of.identity}`, names: [...of.names, String(m.amprocnum)], args };
  },
  [ids.TransformRelationId]: (oid) => {
    const t = sys.lookup(ids.TransformRelationId, ids.PgTransformOidIndexId, oid)!, language = sys.languageByOid(t.trflang)!.lanname;
    return { identity: `for ${typeText(t.trftype)} on language ${quoteIdentifier(language)}`, names: [typeText(t.trftype)], args: [language] };
  },
  [ids.RewriteRelationId]: (oid) => {
    const r = sys.lookup(ids.RewriteRelationId, ids.PgRewriteOidIndexId, oid)!;
    return onRelation(r.rulename, r.ev_class);
  },
  [ids.TriggerRelationId]: (oid) => {
    const t = sys.lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, oid)!;
    return onRelation(t.tgname, t.tgrelid);
  },
  [ids.PolicyRelationId]: (oid) => {
    const p = sys.lookup(ids.PolicyRelationId, ids.PgPolicyOidIndexId, oid)!;
    return onRelation(p.polname, p.polrelid);
  },
  [ids.UserMappingRelationId]: (oid) => {
    const m = sys.lookup(ids.UserMappingRelationId, ids.PgUserMappingOidIndexId, oid)!;
    const user = m.umuser === 0 ? 'public' : sys.authIdByOid(m.umuser)!.rolname, server = objectName(ids.ForeignServerRelationId, m.umserver)!;
    return { identity: `${quoteIdentifier(user)} on server ${server}`, names: [user], args: [server] };
  },
  [ids.PublicationRelRelationId]: (oid) => {
    const r = sys.lookup(ids.PublicationRelRelationId, ids.PgPublicationRelOidIndexId, oid)!;
    const of = relation(r.prrelid), publication = objectName(ids.PublicationRelationId, r.prpubid)!;
    return { identity: `${of.identity} in publication ${publication}`, names: of.names, args: [publication] };
  },
  [ids.PublicationNamespaceRelationId]: (oid) => {
    const r = sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespaceOidIndexId, oid)!;
    const publication = objectName(ids.PublicationRelationId, r.pnpubid)!, schema = schemaOf(r.pnnspid);
    return { identity: `${schema} in publication ${publication}`, names: [schema], args: [publication] };
  },
  [ids.ParameterAclRelationId]: (oid) => {
    const name = objectName(ids.ParameterAclRelationId, oid)!;
    return { identity: name, names: [name], args: [] };
  },
  [ids.DefaultAclRelationId]: (oid) => {
    const d = sys.lookup(ids.DefaultAclRelationId, ids.PgDefaultAclOidIndexId, oid)!;
    const role = sys.authIdByOid(d.defaclrole)!.rolname;
    const nouns: Readonly<Record<string, string>> = { r: 'tables', S: 'sequences', f: 'functions', T: 'types', n: 'schemas' };
    const schema = d.defaclnamespace === 0 ? null : schemaOf(d.defaclnamespace);
    return {
      identity: `for role ${quoteIdentifier(role)}${schema === null ? '' : ` in schema ${quoteIdentifier(schema)}`} on ${nouns[d.defaclobjtype]}`,
      names: schema === null ? [role] : [role, schema], args: [d.defaclobjtype],
    };
  },
};

/** Undefined: there is no such object. */
export function identityOf(object: ObjectAddress): Identity | undefined {
  const { classId, objectId, objectSubId } = object;
  const row = classId === ids.LargeObjectRelationId ? sys.lookup(ids.LargeObjectMetadataRelationId, ids.PgLargeobjectMetadataOidIndexId, objectId) : objectRow(classId, objectId);
  if (row === undefined) return undefined;
  if (classId === ids.RelationRelationId && objectSubId !== 0 && sys.attributeByNumber(objectId, objectSubId) === undefined) return undefined;
  return identify(classId, objectId, objectSubId);
}

function identify(classId: Oid, oid: Oid, subId: number): Identity {
  const own = IDENTIFIERS[classId];
  if (own !== undefined) return own(oid, subId);
  const property = objectProperty(classId)!;
  const row = objectRow(classId, oid) as unknown as Record<string, unknown>;
  const name = row[property.name!] as string;
  return property.namespace === undefined ? plain(name) : qualified(row[property.namespace] as Oid, name);
}

const RELATION_TYPES: Readonly<Record<string, string>> = {
  r: 'table', p: 'table', i: 'index', I: 'index', S: 'sequence', t: 'toast table', v: 'view', m: 'materialized view', c: 'composite type', f: 'foreign table',
};
const OTHER_TYPES: Readonly<Record<Oid, string>> = {
  [ids.ForeignServerRelationId]: 'server', [ids.DefaultAclRelationId]: 'default acl', [ids.LargeObjectRelationId]: 'large object',
  [ids.PublicationNamespaceRelationId]: 'publication namespace', [ids.ParameterAclRelationId]: 'parameter ACL',
};

/** getObjectTypeDescription. */
export function typeOfObject(object: ObjectAddress): string {
  const { classId, objectId, objectSubId } = object;
  refuseSubId(object);
  switch (classId) {
    case ids.RelationRelationId: {
      const row = sys.classByOid(objectId), kind = RELATION_TYPES[row?.relkind ?? ''] ?? 'relation';
      return objectSubId === 0 || row === undefined ? kind : `${kind} column`;
    }
    case ids.ProcedureRelationId: {
      const kind = sys.procByOid(objectId)?.prokind;
      return kind === undefined ? 'routine' : kind === 'a' ? 'aggregate' : kind === 'p' ? 'procedure' : 'function';
    }
    case ids.ConstraintRelationId: {
      const table = sys.constraintByOid(objectId)?.conrelid;
      return table === undefined ? 'constraint' : table === 0 ? 'domain constraint' : 'table constraint';
    }
    default: {
      const text = OTHER_TYPES[classId] ?? objectProperty(classId)?.noun;
      if (text === undefined) throw internalError(`unrecognized object class: ${classId}`);
      return text;
    }
  }
}

/** Schema and name of an object that has them; the name only where it is the only one of its kind in the schema. */
export function placeOf({ classId, objectId }: ObjectAddress): { schema: string | null; name: string | null } {
  const property = objectProperty(classId);
  const row = property === undefined ? undefined : objectRow(classId, objectId) as unknown as Record<string, unknown> | undefined;
  if (property === undefined || row === undefined) return { schema: null, name: null };
  const namespace = property.namespace === undefined ? 0 : row[property.namespace] as Oid;
  const unique = property.name !== undefined && !NAME_NOT_UNIQUE.has(classId);
  return { schema: namespace === 0 ? null : schemaOf(namespace), name: unique ? row[property.name!] as string : null };
}
const NAME_NOT_UNIQUE = new Set<Oid>([
  ids.ProcedureRelationId, ids.OperatorRelationId, ids.ConstraintRelationId, ids.RewriteRelationId, ids.TriggerRelationId,
  ids.PolicyRelationId, ids.ParameterAclRelationId,
]);

