// Who may do what (PostgreSQL's aclchk.c): checks of privileges and ownership, their errors, and the heart of GRANT and
// REVOKE. A check answers yes or no; what to throw is built by notOwnerOrDenied / mustBeOwner.
import { PgError } from '../../common/errors.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { sendWarning, session } from '../utils/session.ts';
import { aclDefault, aclMask, aclUpdate, aclMembers, ALL_RIGHTS, formatAcl, hasPrivsOfRole, parseAcl, selectBestGrantor, superuserArg,
  aclSorted, type AclItem, type AclKind } from './acl.ts';
import { catalogDelete, catalogFind, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import { objectName, objectOwner, objectProperty, objectRow } from './object_property.ts';
import { updateAclDependencies } from './pg_shdepend.ts';
import { isCatalogRelation } from './schema.ts';
import * as sys from './syscache.ts';

/** 42501 'permission denied for table x'. */
export const notOwnerOrDenied = (noun: string, name: string): PgError =>
  new PgError('insufficient_privilege', `permission denied for ${noun} ${name}`);
/** 42501 'must be owner of table x'. */
export const mustBeOwner = (noun: string, name: string): PgError =>
  new PgError('insufficient_privilege', `must be owner of ${noun} ${name}`);

const RELKIND_NOUNS: Readonly<Record<string, string>> = {
  r: 'table', p: 'table', i: 'index', I: 'index', S: 'sequence', v: 'view', m: 'materialized view', f: 'foreign table',
  t: 'table', c: 'table',
};
/** The word for a relation in messages (get_relkind_objtype). */
export const relkindNoun = (relkind: string): string => RELKIND_NOUNS[relkind] ?? 'relation';

const PROKIND_NOUNS: Readonly<Record<string, string>> = { f: 'function', a: 'aggregate', p: 'procedure', w: 'function' };

/** The word for an object's kind in messages. */
function objectNoun(classId: Oid, objectId: Oid): string {
  if (classId === ids.RelationRelationId) return relkindNoun(sys.classByOid(objectId)?.relkind ?? '');
  if (classId === ids.ProcedureRelationId) return PROKIND_NOUNS[sys.procByOid(objectId)?.prokind ?? 'f']!;
  return objectProperty(classId)?.noun ?? 'object';
}

// ---------------------------------------------------------------- checks

/** An object's ACL, owner and kind; undefined when it does not exist. */
export function objectAcl(classId: Oid, objectId: Oid): { acl: AclItem[]; owner: Oid; kind: AclKind; isDefault: boolean } | undefined {
  const p = objectProperty(classId);
  const row = objectRow(classId, objectId);
  if (!row || !p?.aclKind) return undefined;
  const owner = p.owner === undefined ? ids.BOOTSTRAP_SUPERUSERID : row[p.owner] as Oid;
  const kind = classId === ids.RelationRelationId && row.relkind === 'S' ? 's' : p.aclKind;
  const acl = row[p.acl!] as readonly string[] | null;
  return { acl: acl ? parseAcl(acl) : aclDefault(kind, owner), owner, kind, isDefault: acl === null };
}

const WRITING = ACL.INSERT | ACL.UPDATE | ACL.DELETE | ACL.TRUNCATE | ACL.USAGE;

/** Which of these privileges a role has on an object. `any`: one is enough, the rest may be left out. */
export function objectAclmask(classId: Oid, objectId: Oid, role: Oid, mask: number, any = false): number {
  if (classId === ids.RelationRelationId) return relationAclmask(objectId, role, mask, any);
  if (superuserArg(role)) return mask;
  if (classId === ids.TypeRelationId) { // an array is as its element
    const type = sys.typeByOid(objectId);
    if (type && type.typelem !== 0 && type.typsubscript === 6179) objectId = type.typelem;
  }
  // One's own temporary objects are a matter of TEMP on the database, whichever role has made their schema.
  if (classId === ids.NamespaceRelationId && sys.namespaceByOid(objectId)?.nspname === `pg_temp_${session.pid}`) {
    return objectAclcheck(ids.DatabaseRelationId, session.databaseOid, role, ACL.CREATE_TEMP) ? mask : mask & ACL.USAGE;
  }
  const found = objectAcl(classId, objectId);
  if (!found) return 0;
  let result = aclMask(found.acl, role, found.owner, mask, any);
  if (classId === ids.NamespaceRelationId && (mask & ACL.USAGE) && !(result & ACL.USAGE)
    && (hasPrivsOfRole(role, ids.ROLE_PG_READ_ALL_DATA) || hasPrivsOfRole(role, ids.ROLE_PG_WRITE_ALL_DATA))) result |= ACL.USAGE;
  return result;
}

function relationAclmask(oid: Oid, role: Oid, mask: number, any: boolean): number {
  const row = sys.classByOid(oid);
  if (!row) return 0;
  const isSuperuser = superuserArg(role);
  // Nobody but a superuser changes catalogs by hand, whatever has been granted.
  if ((mask & WRITING) !== 0 && isCatalogRelation(oid) && row.relkind !== 'v' && !isSuperuser) mask &= ~WRITING;
  if (isSuperuser) return mask;
  const found = objectAcl(ids.RelationRelationId, oid)!;
  let result = aclMask(found.acl, role, found.owner, mask, any);
  if ((mask & ACL.SELECT) && !(result & ACL.SELECT) && hasPrivsOfRole(role, ids.ROLE_PG_READ_ALL_DATA)) result |= ACL.SELECT;
  const changes = ACL.INSERT | ACL.UPDATE | ACL.DELETE;
  if ((mask & changes & ~result) !== 0 && hasPrivsOfRole(role, ids.ROLE_PG_WRITE_ALL_DATA)) result |= mask & changes;
  return result;
}

/** Whether a role has any of these privileges on an object. */
export const objectAclcheck = (classId: Oid, objectId: Oid, role: Oid, mode: number): boolean =>
  objectAclmask(classId, objectId, role, mode, true) !== 0;
export const aclcheckNamespace = (namespace: Oid, role: Oid, mode: number): boolean =>
  objectAclcheck(ids.NamespaceRelationId, namespace, role, mode);
export const aclcheckRelation = (oid: Oid, role: Oid, mode: number): boolean => objectAclcheck(ids.RelationRelationId, oid, role, mode);
export const aclcheckProc = (oid: Oid, role: Oid, mode = ACL.EXECUTE): boolean => objectAclcheck(ids.ProcedureRelationId, oid, role, mode);
export const aclcheckDatabase = (oid: Oid, role: Oid, mode: number): boolean => objectAclcheck(ids.DatabaseRelationId, oid, role, mode);

/** Which of these privileges a role has on one column, those on the whole table not counted. */
export function attributeAclmask(relation: Oid, attnum: number, role: Oid, mask: number): number {
  const attribute = sys.attributeByNumber(relation, attnum);
  if (!attribute || attribute.attisdropped || !attribute.attacl) return 0;
  return aclMask(parseAcl(attribute.attacl), role, sys.classByOid(relation)!.relowner, mask, true);
}
/** Whether a role has the privilege on the column, by the column's own ACL (pg_attribute_aclcheck). */
export const aclcheckAttribute = (relation: Oid, attnum: number, role: Oid, mode: number): boolean =>
  attributeAclmask(relation, attnum, role, mode) !== 0;
/** Whether it has the privilege on all columns, or on any (pg_attribute_aclcheck_all). */
export function aclcheckAttributes(relation: Oid, role: Oid, mode: number, how: 'all' | 'any'): boolean {
  const columns = sys.attributesOf(relation).filter((a) => a.attnum > 0 && !a.attisdropped);
  const has = (a: { attnum: number }): boolean => aclcheckAttribute(relation, a.attnum, role, mode);
  return how === 'all' ? columns.length > 0 && columns.every(has) : columns.some(has);
}

/** Throws 42501 unless the current user has the privilege. */
export function requirePrivilege(classId: Oid, objectId: Oid, mode: number, role: Oid = session.currentUser): void {
  if (!objectAclcheck(classId, objectId, role, mode)) {
    throw notOwnerOrDenied(objectNoun(classId, objectId), objectName(classId, objectId) ?? String(objectId));
  }
}

const PRIVILEGE_BITS = { INSERT: ACL.INSERT, SELECT: ACL.SELECT, UPDATE: ACL.UPDATE, DELETE: ACL.DELETE } as const;

/** Throws 42501 unless a role may do this to the relation, or to each of these columns (ExecCheckRTPerms). Columns
 * empty: the privilege on the relation, or on any column of it for SELECT and INSERT without named columns. */
export function checkRelationPrivileges(relation: { oid: Oid; name: string; kind: string }, privilege: keyof typeof PRIVILEGE_BITS,
  columns: readonly number[] = [], role: Oid = session.currentUser): void {
  const mode = PRIVILEGE_BITS[privilege];
  if (aclcheckRelation(relation.oid, role, mode)) return;
  const allowed = privilege === 'DELETE' ? false : columns.length === 0 ? aclcheckAttributes(relation.oid, role, mode, 'any')
    : columns.every((c) => (c === 0 ? aclcheckAttributes(relation.oid, role, mode, 'all') : aclcheckAttribute(relation.oid, c, role, mode)));
  if (!allowed) throw notOwnerOrDenied(relkindNoun(relation.kind), relation.name);
}

/** `what`: create a base type, ... */
export function mustBeSuperuser(what: string): void {
  if (!session.isSuperuser) throw new PgError('insufficient_privilege', `must be superuser to ${what}`);
}

/** Whether a role has the privileges of another, given by name. */
export function hasRoleByName(role: Oid, name: string): boolean {
  const other = sys.authIdByName(name);
  return other !== undefined && hasPrivsOfRole(role, other.oid);
}

export function objectOwnercheck(classId: Oid, objectId: Oid, role: Oid): boolean {
  return superuserArg(role) || hasPrivsOfRole(role, objectOwner(classId, objectId));
}
/** Throws 42501 unless the current user owns the object. */
export function requireOwner(classId: Oid, objectId: Oid, role: Oid = session.currentUser): void {
  if (!objectOwnercheck(classId, objectId, role)) {
    throw mustBeOwner(objectNoun(classId, objectId), objectName(classId, objectId) ?? String(objectId));
  }
}
export const hasCreateRolePrivilege = (role: Oid): boolean => superuserArg(role) || (sys.authIdByOid(role)?.rolcreaterole ?? false);
export const hasCreateDbPrivilege = (role: Oid): boolean => superuserArg(role) || (sys.authIdByOid(role)?.rolcreatedb ?? false);

// ---------------------------------------------------------------- GRANT and REVOKE

export interface Grant {
  readonly isGrant: boolean;
  /** Roles, 0 for PUBLIC. */
  readonly grantees: readonly Oid[];
  /** Privilege bits; 0 means all of the object's kind. */
  readonly privileges: number;
  readonly grantOption: boolean;
  readonly cascade: boolean;
}

/** Applies GRANT or REVOKE to one object; privileges must have been checked to suit its kind. */
export function grantOnObject(classId: Oid, objectId: Oid, grant: Grant): void {
  const p = objectProperty(classId);
  const found = objectAcl(classId, objectId);
  if (!p?.acl || !found) throw new PgError('internal_error', `object ${objectId} of class ${classId} has no ACL`);
  const acl = applyGrant(found.acl, found.owner, found.kind, grant, objectNoun(classId, objectId), classId === ids.LargeObjectRelationId ? `large object ${objectId}` : objectName(classId, objectId) ?? '');
  const [tuple] = catalogFind(p.classId, p.oidIndex, [objectId]);
  // A setting of which only its owner has rights is as one that nobody was given rights of.
  if (classId === ids.ParameterAclRelationId && acl.every((item) => item.grantee === found.owner)) catalogDelete(p.classId, tuple!);
  else catalogUpdate(p.classId, tuple!, { [p.acl]: formatAcl(acl) });
  updateAclDependencies(classId, objectId, 0, found.owner, found.isDefault ? [] : aclMembers(found.acl), aclMembers(acl));
}

/** The same for one column of a table. */
export function grantOnColumn(relation: Oid, attnum: number, grant: Grant): void {
  const [tuple] = catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [relation, attnum]);
  const owner = sys.classByOid(relation)!.relowner;
  const old = tuple!.row.attacl ? parseAcl(tuple!.row.attacl) : [];
  const acl = applyGrant(old, owner, 'c', grant, 'column', tuple!.row.attname, getTableAcl(relation), sys.classByOid(relation)!.relname);
  catalogUpdate(ids.AttributeRelationId, tuple!, { attacl: acl.length === 0 ? null : formatAcl(acl) });
  updateAclDependencies(ids.RelationRelationId, relation, attnum, owner, aclMembers(old), aclMembers(acl));
}
const getTableAcl = (relation: Oid): readonly AclItem[] => objectAcl(ids.RelationRelationId, relation)!.acl;

function applyGrant(old: readonly AclItem[], owner: Oid, kind: AclKind, grant: Grant, noun: string, name: string,
  tableAcl: readonly AclItem[] = [], relationName = ''): AclItem[] {
  const all = grant.privileges === 0 || (kind === 'c' && grant.privileges === ALL_RIGHTS.c);
  const wanted = all ? ALL_RIGHTS[kind] : grant.privileges;
  const role = session.currentUser;
  // For a column, grant options on the whole table count as well.
  const { grantor, goptions } = selectBestGrantor(role, wanted, [...tableAcl, ...old], owner);
  if (goptions === 0 && aclMask([...tableAcl, ...old], role, owner, wanted, true) === 0
    && aclMask([...tableAcl, ...old], role, owner, ALL_RIGHTS[kind], true) === 0) {
    throw notOwnerOrDenied(noun, kind === 'c' ? `"${name}" of relation "${relationName}"` : name);
  }
  const possible = wanted & goptions;
  if (possible === 0) warn(grant.isGrant ? 'warning_privilege_not_granted' : 'warning_privilege_not_revoked',
    `no privileges ${grant.isGrant ? 'were granted' : 'could be revoked'} for ${kind === 'c' ? `column "${name}" of relation "${relationName}"` : `"${name}"`}`);
  else if (!all && possible !== wanted) warn(grant.isGrant ? 'warning_privilege_not_granted' : 'warning_privilege_not_revoked',
    `not all privileges ${grant.isGrant ? 'were granted' : 'could be revoked'} for ${kind === 'c' ? `column "${name}" of relation "${relationName}"` : `"${name}"`}`);
  let acl: AclItem[] = [...old];
  for (const grantee of grant.grantees) {
    if (grant.isGrant && grant.grantOption && grantee === 0) {
      throw new PgError('invalid_grant_operation', 'grant options can only be granted to roles');
    }
    const change: AclItem = grant.isGrant
      ? { grantee, grantor, privs: possible, goptions: grant.grantOption ? possible : 0 }
      : { grantee, grantor, privs: grant.grantOption ? 0 : possible, goptions: possible };
    acl = aclUpdate(acl, change, grant.isGrant ? 'add' : 'remove', owner, grant.cascade);
  }
  return acl;
}

function warn(condition: 'warning_privilege_not_granted' | 'warning_privilege_not_revoked', message: string): void {
  sendWarning(condition, message);
}

/** The ACL a new object gets by ALTER DEFAULT PRIVILEGES, null: the built-in default (get_user_default_acl). */
export function userDefaultAcl(objectType: 'r' | 'S' | 'f' | 'T' | 'n', owner: Oid, namespace: Oid): string[] | null {
  const find = (ns: Oid): readonly string[] | undefined => sys.lookup(ids.DefaultAclRelationId, ids.PgDefaultAclRoleNspObjIndexId, owner, ns, objectType)?.defaclacl;
  const global = find(0);
  const local = objectType === 'n' ? undefined : find(namespace);
  if (!global && !local) return null;
  const kind: AclKind = objectType === 'S' ? 's' : objectType;
  let acl = global ? parseAcl(global) : aclDefault(kind, owner);
  for (const item of local ? parseAcl(local) : []) acl = aclUpdate(acl, item, 'add', owner, false);
  const plain = formatAcl(aclDefault(kind, owner));
  const result = formatAcl(aclSorted(acl));
  return result.length === plain.length && result.every((i) => plain.includes(i)) ? null : result;
}
