// GRANT and REVOKE on objects, ALTER DEFAULT PRIVILEGES (the statements of PostgreSQL's aclchk.c; catalog/aclchk.ts
// does the rest for one object).
import { PgError, notSupported } from '../../common/errors.ts';
import { ACL_ID_PUBLIC, ALL_RIGHTS, PRIVILEGE_NAMES, aclDefault, aclMembers, aclSorted, aclUpdate, formatAcl, hasPrivsOfRole, parseAcl, type AclItem, type AclKind } from '../catalog/acl.ts';
import { grantOnColumn, grantOnObject, type Grant } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogScanAll, catalogUpdate } from '../catalog/indexing.ts';
import { getNamespaceOid, lookupExplicitNamespace, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { createParameterAcl, parameterAclOid } from '../catalog/pg_parameter_acl.ts';
import { deleteSharedDependencyRecordsFor, recordDependencyOnOwner, updateAclDependencies } from '../catalog/pg_shdepend.ts';
import * as sys from '../catalog/syscache.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { sendWarning, session } from '../utils/session.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { refuseIndex, resolveObject, type RawObject } from './object_names.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

interface AccessPriv { priv_name?: string; cols?: string[] }
/** A GRANT or REVOKE with privileges and roles looked up. */
interface Internal { isGrant: boolean; grantees: Oid[]; privileges: number; columns: { bits: number; names: string[] }[]; grantOption: boolean; cascade: boolean }

/** What may be granted on an object type, and its word in 'invalid privilege type ... for ...'. */
const TARGETS: Readonly<Record<string, { rights: number; word: string; kind: AclKind }>> = {
  TABLE: { rights: ALL_RIGHTS.r | ALL_RIGHTS.s, word: 'relation', kind: 'r' }, SEQUENCE: { rights: ALL_RIGHTS.s, word: 'sequence', kind: 's' },
  DATABASE: { rights: ALL_RIGHTS.d, word: 'database', kind: 'd' }, FUNCTION: { rights: ALL_RIGHTS.f, word: 'function', kind: 'f' },
  PROCEDURE: { rights: ALL_RIGHTS.f, word: 'procedure', kind: 'f' }, ROUTINE: { rights: ALL_RIGHTS.f, word: 'routine', kind: 'f' },
  LANGUAGE: { rights: ALL_RIGHTS.l, word: 'language', kind: 'l' }, LARGEOBJECT: { rights: ALL_RIGHTS.L, word: 'large object', kind: 'L' },
  SCHEMA: { rights: ALL_RIGHTS.n, word: 'schema', kind: 'n' }, TABLESPACE: { rights: ALL_RIGHTS.t, word: 'tablespace', kind: 't' },
  TYPE: { rights: ALL_RIGHTS.T, word: 'type', kind: 'T' }, DOMAIN: { rights: ALL_RIGHTS.T, word: 'domain', kind: 'T' },
  FDW: { rights: ALL_RIGHTS.F, word: 'foreign-data wrapper', kind: 'F' }, FOREIGN_SERVER: { rights: ALL_RIGHTS.S, word: 'foreign server', kind: 'S' },
  PARAMETER_ACL: { rights: ALL_RIGHTS.p, word: 'parameter', kind: 'p' },
};
const typeOf = (stmt: RawNode): string => (stmt['objtype'] as string).replace(/^OBJECT_/, '');

function privilegeBit(name: string): number {
  const upper = name.toUpperCase() === 'TEMP' ? 'TEMPORARY' : name.toUpperCase();
  const i = PRIVILEGE_NAMES.indexOf(upper as never);
  if (i < 0) throw new PgError('syntax_error', `unrecognized privilege type "${name}"`);
  return 1 << i;
}
const privilegeName = (bit: number): string => PRIVILEGE_NAMES[31 - Math.clz32(bit)]!;

function granteesOf(specs: readonly RoleSpec[]): Oid[] {
  return specs.map((spec) => (spec.roletype === 'ROLESPEC_PUBLIC' ? ACL_ID_PUBLIC : rolespecOid(spec)));
}

function interpret(stmt: RawNode, rights: number, word: string): Internal {
  if (stmt['grantor'] !== undefined && rolespecOid(stmt['grantor'] as RoleSpec) !== session.currentUser) {
    throw new PgError('feature_not_supported', 'grantor must be current user');
  }
  const result: Internal = {
    isGrant: Boolean(stmt['is_grant']), grantees: granteesOf(stmt['grantees'] as RoleSpec[]), privileges: 0, columns: [], grantOption: Boolean(stmt['grant_option']),
    cascade: stmt['behavior'] === 'DROP_CASCADE',
  };
  for (const priv of (stmt['privileges'] ?? []) as AccessPriv[]) {
    if (priv.cols !== undefined) {
      if (typeOf(stmt) !== 'TABLE') throw new PgError('invalid_grant_operation', 'column privileges are only valid for relations');
      result.columns.push({ bits: priv.priv_name === undefined ? 0 : privilegeBit(priv.priv_name), names: priv.cols });
      continue;
    }
    const bit = privilegeBit(priv.priv_name!);
    if ((rights & bit) === 0) throw new PgError('invalid_grant_operation', `invalid privilege type ${privilegeName(bit)} for ${word}`);
    result.privileges |= bit;
  }
  return result;
}

function grant(stmt: RawNode): void {
  const type = typeOf(stmt);
  const target = TARGETS[type];
  if (target === undefined) throw notSupported(`GRANT on ${type.toLowerCase()}`);
  const internal = interpret(stmt, target.rights, target.word);
  const all = ((stmt['privileges'] ?? []) as unknown[]).length === 0;
  const objects = stmt['objects'] as RawObject[];
  if (stmt['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA') {
    for (const [classId, oid] of objectsInSchemas(type, objects as string[])) apply(type, classId, oid, internal, all);
    return;
  }
  for (const object of objects) {
    if (type === 'TABLE' || type === 'SEQUENCE') apply(type, ids.RelationRelationId, rangeVarGetRelid(object as never), internal, all);
    else {
      if (type === 'PARAMETER_ACL') {
        grantOnParameter(object as unknown as string, internal);
        continue;
      }
      const address = resolveObject(type === 'DOMAIN' ? 'TYPE' : type, object)!;
      apply(type, address.classId, address.objectId, internal, all);
    }
    commandCounterIncrement();
  }
}

/** Where nobody has rights there is nothing to revoke. */
function grantOnParameter(name: string, internal: Internal): void {
  let oid = parameterAclOid(name);
  if (oid === 0) {
    if (!internal.isGrant) return;
    oid = createParameterAcl(name);
    commandCounterIncrement();
  }
  apply('PARAMETER_ACL', ids.ParameterAclRelationId, oid, internal, false);
  commandCounterIncrement();
}

function objectsInSchemas(type: string, schemas: readonly string[]): [Oid, Oid][] {
  const result: [Oid, Oid][] = [];
  for (const name of schemas) {
    const namespace = lookupExplicitNamespace(name);
    if (type === 'TABLE' || type === 'SEQUENCE') {
      const kinds = type === 'TABLE' ? 'rvmfp' : 'S';
      const rows = catalogScanAll(ids.RelationRelationId).filter((r) => r.relnamespace === namespace);
      for (const kind of kinds) for (const row of rows) if (row.relkind === kind) result.push([ids.RelationRelationId, row.oid]);
    } else {
      const wanted = (prokind: string): boolean => (type === 'FUNCTION' ? prokind !== 'p' : type === 'PROCEDURE' ? prokind === 'p' : true);
      for (const row of catalogScanAll(ids.ProcedureRelationId).filter((p) => p.pronamespace === namespace)) if (wanted(row.prokind)) result.push([ids.ProcedureRelationId, row.oid]);
    }
  }
  return result;
}

function apply(type: string, classId: Oid, oid: Oid, internal: Internal, all: boolean): void {
  const base = { isGrant: internal.isGrant, grantees: internal.grantees, grantOption: internal.grantOption, cascade: internal.cascade };
  if (classId === ids.RelationRelationId) return grantOnRelation(type, oid, internal, all, base);
  if (classId === ids.LanguageRelationId) {
    const row = sys.languageByOid(oid)!;
    if (!row.lanpltrusted) {
      throw new PgError('wrong_object_type', `language "${row.lanname}" is not trusted`, {
        detail: 'GRANT and REVOKE are not allowed on untrusted languages, because only superusers can use untrusted languages.',
      });
    }
  }
  if (classId === ids.TypeRelationId) {
    const row = sys.typeByOid(oid)!;
    if (row.typelem !== 0 && row.typsubscript === 6179) {
      throw new PgError('invalid_grant_operation', 'cannot set privileges of array types', { hint: 'Set the privileges of the element type instead.' });
    }
    if (type === 'DOMAIN' && row.typtype !== 'd') throw new PgError('wrong_object_type', `"${row.typname}" is not a domain`);
  }
  grantOnObject(classId, oid, { ...base, privileges: internal.privileges });
}

function grantOnRelation(type: string, oid: Oid, internal: Internal, all: boolean, base: Omit<Grant, 'privileges'>): void {
  const row = sys.classByOid(oid)!;
  refuseIndex(row.relkind, row.relname);
  if (type === 'SEQUENCE' && row.relkind !== 'S') throw new PgError('wrong_object_type', `"${row.relname}" is not a sequence`);
  let { privileges } = internal;
  if (type === 'TABLE' && !all) {
    if (row.relkind === 'S') {
      // For compatibility: a sequence may be named as a table.
      if ((privileges & ~ALL_RIGHTS.s) !== 0) {
        sendWarning('invalid_grant_operation', `sequence "${row.relname}" only supports USAGE, SELECT, and UPDATE privileges`);
        privileges &= ALL_RIGHTS.s;
      }
    } else if ((privileges & ~ALL_RIGHTS.r) !== 0) {
      throw new PgError('invalid_grant_operation', 'invalid privilege type USAGE for table');
    }
  }
  if (all || privileges !== 0) {
    grantOnObject(ids.RelationRelationId, oid, { ...base, privileges: all ? 0 : privileges });
    commandCounterIncrement();
  }
  // What is revoked for the table is revoked for its columns.
  if (!internal.isGrant) {
    const bits = (!all ? privileges : row.relkind === 'S' ? ALL_RIGHTS.s : ALL_RIGHTS.c) & ALL_RIGHTS.c;
    for (const column of bits === 0 ? [] : sys.attributesOf(oid)) {
      if (column.attacl !== null && !column.attisdropped) grantOnColumn(oid, column.attnum, { ...base, privileges: bits });
    }
  }
  for (const { bits, names } of internal.columns) {
    if ((bits & ~ALL_RIGHTS.c) !== 0) throw new PgError('invalid_grant_operation', `invalid privilege type ${privilegeName(bits & ~ALL_RIGHTS.c)} for column`);
    if (row.relkind === 'S' && (bits & ~ACL_SELECT) !== 0) {
      sendWarning('invalid_grant_operation', `sequence "${row.relname}" only supports SELECT column privileges`);
    }
    for (const name of names) {
      const column = sys.attributeByName(oid, name);
      if (column === undefined || column.attisdropped) throw new PgError('undefined_column', `column "${name}" of relation "${row.relname}" does not exist`);
      grantOnColumn(oid, column.attnum, { ...base, privileges: bits });
      commandCounterIncrement();
    }
  }
}
const ACL_SELECT = 2;

/** What event triggers are told of rights that DROP OWNED takes back. */
const REVOKED_KINDS: Readonly<Record<Oid, string>> = {
  [ids.RelationRelationId]: 'TABLE', [ids.ProcedureRelationId]: 'ROUTINE', [ids.TypeRelationId]: 'TYPE', [ids.LanguageRelationId]: 'LANGUAGE', [ids.NamespaceRelationId]: 'SCHEMA',
  [ids.LargeObjectRelationId]: 'LARGE OBJECT', [ids.ForeignServerRelationId]: 'FOREIGN SERVER', [ids.ForeignDataWrapperRelationId]: 'FOREIGN DATA WRAPPER',
};

/** DROP OWNED: whatever an object's ACL says of a role (RemoveRoleFromObjectACL). */
export function revokeAllFromRole(role: Oid, classId: Oid, oid: Oid): void {
  const internal: Internal = { isGrant: false, grantees: [role], privileges: 0, columns: [], grantOption: false, cascade: true };
  if (classId === ids.DefaultAclRelationId) {
    const row = sys.lookup(ids.DefaultAclRelationId, ids.PgDefaultAclOidIndexId, oid);
    if (row === undefined) return;
    const letter = row.defaclobjtype as 'r' | 'S' | 'f' | 'T' | 'n';
    return setDefaultAcl(row.defaclrole, row.defaclnamespace, letter, letter === 'S' ? 's' : letter, internal);
  }
  const kind = REVOKED_KINDS[classId];
  if (kind !== undefined) ddlHooks.altered?.(null, 'REVOKE', kind);
  apply(classId === ids.RelationRelationId && sys.classByOid(oid)?.relkind === 'S' ? 'SEQUENCE' : 'TABLE', classId, oid, internal, true);
}

// ---- ALTER DEFAULT PRIVILEGES

const DEFAULT_TYPES: Readonly<Record<string, { letter: 'r' | 'S' | 'f' | 'T' | 'n'; kind: AclKind; word: string }>> = {
  TABLE: { letter: 'r', kind: 'r', word: 'relation' }, SEQUENCE: { letter: 'S', kind: 's', word: 'sequence' }, FUNCTION: { letter: 'f', kind: 'f', word: 'function' },
  PROCEDURE: { letter: 'f', kind: 'f', word: 'procedure' }, ROUTINE: { letter: 'f', kind: 'f', word: 'routine' }, TYPE: { letter: 'T', kind: 'T', word: 'type' },
  SCHEMA: { letter: 'n', kind: 'n', word: 'schema' },
};

function alterDefaultPrivileges(stmt: RawNode, context: UtilityContext): void {
  let roles: RoleSpec[] | null = null;
  let schemas: string[] | null = null;
  for (const option of (stmt['options'] ?? []) as RawNode[]) {
    if (option['defname'] === 'schemas') {
      if (schemas !== null) throw errorConflictingDefElem(option, context.text);
      schemas = option['arg'] as string[];
    } else if (option['defname'] === 'roles') {
      if (roles !== null) throw errorConflictingDefElem(option, context.text);
      roles = option['arg'] as RoleSpec[];
    }
  }
  const action = stmt['action'] as RawNode;
  const target = DEFAULT_TYPES[typeOf(action)]!;
  const internal = interpret(action, ALL_RIGHTS[target.kind], target.word);
  if (target.letter === 'n' && schemas !== null) {
    throw new PgError('invalid_grant_operation', 'cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS');
  }
  const owners = roles === null ? [session.currentUser] : roles.map((spec) => {
    const role = rolespecOid(spec);
    if (!hasPrivsOfRole(session.currentUser, role)) throw new PgError('insufficient_privilege', `must be member of role "${sys.authIdByOid(role)!.rolname}"`);
    return role;
  });
  for (const owner of owners) {
    if (schemas === null) setDefaultAcl(owner, 0, target.letter, target.kind, internal);
    else for (const name of schemas) setDefaultAcl(owner, getNamespaceOid(name), target.letter, target.kind, internal);
  }
}

/** One row of pg_default_acl comes, changes, or goes (SetDefaultACL). */
function setDefaultAcl(owner: Oid, namespace: Oid, letter: 'r' | 'S' | 'f' | 'T' | 'n', kind: AclKind, internal: Internal): void {
  const plain: AclItem[] = namespace === 0 ? aclDefault(kind, owner) : [];
  const [tuple] = catalogFind(ids.DefaultAclRelationId, ids.PgDefaultAclRoleNspObjIndexId, [owner, namespace, letter]);
  const old = tuple === undefined ? null : parseAcl(tuple.row.defaclacl);
  let acl = old ?? plain;
  const bits = internal.privileges === 0 ? ALL_RIGHTS[kind] : internal.privileges;
  for (const grantee of internal.grantees) {
    if (internal.isGrant && internal.grantOption && grantee === ACL_ID_PUBLIC) throw new PgError('invalid_grant_operation', 'grant options can only be granted to roles');
    const change: AclItem = internal.isGrant
      ? { grantee, grantor: owner, privs: bits, goptions: internal.grantOption ? bits : 0 }
      : { grantee, grantor: owner, privs: internal.grantOption ? 0 : bits, goptions: bits };
    acl = aclUpdate(acl, change, internal.isGrant ? 'add' : 'remove', owner, internal.cascade);
  }
  acl = aclSorted(acl);
  const text = formatAcl(acl);
  const default_ = formatAcl(plain);
  const isDefault = text.length === default_.length && text.every((i) => default_.includes(i));
  if (isDefault) {
    if (tuple === undefined) return;
    ddlHooks.dropping?.(objectAddress(ids.DefaultAclRelationId, tuple.row.oid), true, false);
    catalogDelete(ids.DefaultAclRelationId, tuple);
    deleteDependencyRecordsFor(objectAddress(ids.DefaultAclRelationId, tuple.row.oid));
    deleteSharedDependencyRecordsFor(ids.DefaultAclRelationId, tuple.row.oid);
    commandCounterIncrement();
    return;
  }
  let oid: Oid;
  if (tuple === undefined) {
    oid = getNewOid(ids.DefaultAclRelationId);
    catalogInsert(ids.DefaultAclRelationId, { oid, defaclrole: owner, defaclnamespace: namespace, defaclobjtype: letter, defaclacl: text });
    recordDependencyOnOwner(ids.DefaultAclRelationId, oid, owner);
    if (namespace !== 0) recordDependencyOn(objectAddress(ids.DefaultAclRelationId, oid), objectAddress(ids.NamespaceRelationId, namespace), 'a');
  } else {
    ({ oid } = tuple.row);
    catalogUpdate(ids.DefaultAclRelationId, tuple, { defaclacl: text });
  }
  commandCounterIncrement();
  updateAclDependencies(ids.DefaultAclRelationId, oid, 0, owner, old === null ? [] : aclMembers(old), aclMembers(acl));
  commandCounterIncrement();
}

export const GRANT_COMMANDS: UtilityTable = {
  GrantStmt: { run: grant },
  AlterDefaultPrivilegesStmt: { run: alterDefaultPrivileges },
};
