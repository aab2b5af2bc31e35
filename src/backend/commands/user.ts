// Roles: CREATE, ALTER and DROP ROLE, membership, settings per role and database (PostgreSQL's user.c).
import { PgError } from '../../common/errors.ts';
import { isMd5Secret, md5Secret } from '../../common/md5.ts';
import { hasCreateRolePrivilege, mustBeSuperuser } from '../catalog/aclchk.ts';
import { isAdminOfRole, isMemberOfRoleNosuper, superuserArg } from '../catalog/acl.ts';
import { getNewOid, isPinnedObject, isReservedName } from '../catalog/catalog.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { checkSharedDependencies } from '../catalog/shdepend.ts';
import { authIdByName, authIdByOid, databaseByName } from '../catalog/syscache.ts';
import { verifyPlainPassword } from '../libpq/auth.ts';
import { buildScramSecret, isScramSecret } from '../libpq/scram.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { typeHooks } from '../types/hooks.ts';
import type { Int8, Oid } from '../types/datum.ts';
import { findSetting, flattenSetArgs, getString, setConfigOption, show } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { getRoleOid } from '../catalog/objectaddress.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { settingArguments } from './variable.ts';
import { lockObject } from '../catalog/object_lock.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';

export interface RoleSpec { tag: 'RoleSpec'; roletype: string; rolename?: string; location?: number }
interface DefElem { defname: string; arg?: any; location?: number }

function notice(condition: 'successful_completion' | 'warning', message: string, severity: 'NOTICE' | 'WARNING' = 'NOTICE'): void {
  const report = new PgError(condition, message);
  report.severity = severity;
  session.notice(report);
}

/** The OID a role specification means (get_rolespec_oid). */
export function rolespecOid(spec: RoleSpec, missingOk = false): Oid {
  switch (spec.roletype) {
    case 'ROLESPEC_CURRENT_ROLE': case 'ROLESPEC_CURRENT_USER': return session.currentUser;
    case 'ROLESPEC_SESSION_USER': return session.sessionUser;
    case 'ROLESPEC_PUBLIC': throw new PgError('undefined_object', 'role "public" does not exist');
    default: return getRoleOid(spec.rolename!, missingOk);
  }
}

function checkRolespecName(spec: RoleSpec, detail: string): void {
  if (spec.roletype === 'ROLESPEC_CSTRING' && isReservedName(spec.rolename!)) {
    throw new PgError('reserved_name', `role name "${spec.rolename}" is reserved`, { detail });
  }
}

interface RoleOptions {
  password?: string | null; rolsuper?: boolean; rolinherit?: boolean; rolcreaterole?: boolean; rolcreatedb?: boolean; rolcanlogin?: boolean;
  rolreplication?: boolean; rolbypassrls?: boolean; rolconnlimit?: number; validUntil?: string;
  addroleto?: RoleSpec[]; rolemembers?: RoleSpec[]; adminmembers?: RoleSpec[];
}

const FLAGS: Record<string, 'rolsuper' | 'rolinherit' | 'rolcreaterole' | 'rolcreatedb' | 'rolcanlogin' | 'rolreplication' | 'rolbypassrls'> = {
  superuser: 'rolsuper', inherit: 'rolinherit', createrole: 'rolcreaterole', createdb: 'rolcreatedb', canlogin: 'rolcanlogin',
  isreplication: 'rolreplication', bypassrls: 'rolbypassrls',
};

function readOptions(list: readonly DefElem[], text: string): RoleOptions {
  const options: RoleOptions = {};
  const seen = new Set<string>();
  for (const option of list) {
    if (option.defname === 'sysid') { notice('successful_completion', 'SYSID can no longer be specified'); continue; }
    if (seen.has(option.defname)) throw errorConflictingDefElem(option, text);
    seen.add(option.defname);
    const flag = FLAGS[option.defname];
    if (flag !== undefined) { options[flag] = option.arg?.boolval ?? Boolean(option.arg); continue; }
    switch (option.defname) {
      case 'password': options.password = option.arg === undefined || option.arg === null ? null : String(option.arg); break;
      case 'connectionlimit':
        options.rolconnlimit = Number(option.arg ?? 0);
        if (options.rolconnlimit < -1) throw new PgError('invalid_parameter_value', `invalid connection limit: ${options.rolconnlimit}`);
        break;
      case 'validUntil': options.validUntil = String(option.arg); break;
      case 'addroleto': options.addroleto = option.arg; break;
      case 'rolemembers': options.rolemembers = option.arg; break;
      case 'adminmembers': options.adminmembers = option.arg; break;
      default: throw new PgError('internal_error', `option "${option.defname}" not recognized`);
    }
  }
  return options;
}

const TIMESTAMPTZOID = 1184;
const parseValidUntil = (text: string): Int8 => typeHooks.typeIo(TIMESTAMPTZOID).input(text, -1) as Int8;

/** As pg_authid keeps it: a SCRAM or MD5 secret, made here unless the client has made it. An empty password is none. */
function storedPassword(password: string | null | undefined, role: string): string | null {
  if (password === null || password === undefined) return null;
  const isSecret = isMd5Secret(password) || isScramSecret(password);
  if (password === '' || isSecret && verifyPlainPassword(password, role, '')) {
    notice('successful_completion', 'empty string is not a valid password, clearing password');
    return null;
  }
  if (isSecret) return password;
  return getString('password_encryption') === 'md5' ? md5Secret(password, role) : buildScramSecret(password);
}

// ---- CREATE ROLE

interface CreateRoleStmt { stmt_type: string; role: string; options?: DefElem[] }

function createRole(stmt: CreateRoleStmt, text: string): void {
  const o = readOptions(stmt.options ?? [], text);
  if (o.rolsuper) mustBeSuperuser('create superusers');
  else if (o.rolreplication) mustBeSuperuser('create replication users');
  else if (o.rolbypassrls) mustBeSuperuser('create bypassrls users');
  else if (!hasCreateRolePrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to create role');
  checkNewName(stmt.role);
  if (authIdByName(stmt.role) !== undefined) throw new PgError('duplicate_object', `role "${stmt.role}" already exists`);
  const oid = getNewOid(ids.AuthIdRelationId);
  catalogInsert(ids.AuthIdRelationId, {
    oid, rolname: stmt.role, rolsuper: o.rolsuper ?? false, rolinherit: o.rolinherit ?? true, rolcreaterole: o.rolcreaterole ?? false,
    rolcreatedb: o.rolcreatedb ?? false, rolcanlogin: o.rolcanlogin ?? stmt.stmt_type === 'ROLESTMT_USER', rolreplication: o.rolreplication ?? false,
    rolbypassrls: o.rolbypassrls ?? false, rolconnlimit: o.rolconnlimit ?? -1, rolpassword: storedPassword(o.password, stmt.role),
    rolvaliduntil: o.validUntil === undefined ? null : parseValidUntil(o.validUntil),
  });
  // Notices name it.
  commandCounterIncrement();
  for (const spec of o.addroleto ?? []) {
    const role = rolespecOid(spec);
    checkMayGrant(role);
    addMember(role, oid, false, session.currentUser);
  }
  for (const spec of o.adminmembers ?? []) addMember(oid, rolespecOid(spec), true, session.currentUser);
  for (const spec of o.rolemembers ?? []) addMember(oid, rolespecOid(spec), false, session.currentUser);
}

function checkNewName(name: string): void {
  if (isReservedName(name)) throw new PgError('reserved_name', `role name "${name}" is reserved`, { detail: 'Role names starting with "pg_" are reserved.' });
  if (name === 'public' || name === 'none') throw new PgError('reserved_name', `role name "${name}" is reserved`);
}

// ---- ALTER ROLE

interface AlterRoleStmt { role: RoleSpec; options?: DefElem[]; action: number }

function alterRole(stmt: AlterRoleStmt, text: string): void {
  checkRolespecName(stmt.role, 'Cannot alter reserved roles.');
  const o = readOptions(stmt.options ?? [], text);
  const oid = rolespecOid(stmt.role);
  const [tuple] = catalogFind(ids.AuthIdRelationId, ids.PgAuthidOidIndexId, [oid]);
  const { row } = tuple!;
  if (o.rolsuper !== undefined || row.rolsuper) mustBeSuperuser('alter superuser roles or change superuser attribute');
  else if (o.rolreplication !== undefined || row.rolreplication) mustBeSuperuser('alter replication roles or change replication attribute');
  else if (o.rolbypassrls !== undefined) mustBeSuperuser('change bypassrls attribute');
  else if (!hasCreateRolePrivilege(session.currentUser)) {
    const { password, ...others } = o;
    if (Object.keys(others).length > 0 || password === undefined || oid !== session.currentUser) {
      throw new PgError('insufficient_privilege', 'permission denied');
    }
  }
  const { password, validUntil, addroleto, rolemembers, adminmembers, ...columns } = o;
  void addroleto; void adminmembers;
  if (o.rolsuper === false && oid === ids.BOOTSTRAP_SUPERUSERID) {
    throw new PgError('feature_not_supported', 'permission denied: bootstrap user must be superuser');
  }
  const changes: Record<string, unknown> = { ...columns };
  if (validUntil !== undefined) changes['rolvaliduntil'] = parseValidUntil(validUntil);
  if (password !== undefined) changes['rolpassword'] = storedPassword(password, row.rolname);
  if (Object.keys(changes).length > 0) catalogUpdate(ids.AuthIdRelationId, tuple!, changes);
  for (const spec of rolemembers ?? []) {
    if (stmt.action > 0) addMember(oid, rolespecOid(spec), false, session.currentUser);
    else removeMember(oid, rolespecOid(spec), false);
  }
}

/** ALTER ROLE ... RENAME TO. A SCRAM secret does not hold the name, so it stays; an MD5 secret would never match again. */
export function renameRole(oldName: string, newName: string): void {
  const oid = getRoleOid(oldName);
  const [tuple] = catalogFind(ids.AuthIdRelationId, ids.PgAuthidOidIndexId, [oid]);
  if (oid === session.sessionUser) throw new PgError('feature_not_supported', 'session user cannot be renamed');
  if (oid === session.currentUser) throw new PgError('feature_not_supported', 'current user cannot be renamed');
  if (isReservedName(oldName)) throw new PgError('reserved_name', `role name "${oldName}" is reserved`, { detail: 'Role names starting with "pg_" are reserved.' });
  checkNewName(newName);
  if (authIdByName(newName) !== undefined) throw new PgError('duplicate_object', `role "${newName}" already exists`);
  if (tuple!.row.rolsuper) mustBeSuperuser('rename superusers');
  else if (!hasCreateRolePrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to rename role');
  const clear = isMd5Secret(tuple!.row.rolpassword ?? '');
  if (clear) notice('successful_completion', 'MD5 password cleared because of role rename');
  catalogUpdate(ids.AuthIdRelationId, tuple!, clear ? { rolname: newName, rolpassword: null } : { rolname: newName });
}

// ---- DROP ROLE

function dropRoles(stmt: { roles: RoleSpec[]; missing_ok?: boolean }): void {
  if (!hasCreateRolePrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to drop role');
  for (const spec of stmt.roles) {
    if (spec.roletype !== 'ROLESPEC_CSTRING') throw new PgError('invalid_parameter_value', 'cannot use special role specifier in DROP ROLE');
    const name = spec.rolename!;
    const oid = getRoleOid(name, true);
    if (oid === 0) {
      if (!stmt.missing_ok) throw new PgError('undefined_object', `role "${name}" does not exist`);
      notice('successful_completion', `role "${name}" does not exist, skipping`);
      continue;
    }
    if (oid === session.currentUser) throw new PgError('object_in_use', 'current user cannot be dropped');
    if (oid === session.authenticatedUser) throw new PgError('object_in_use', 'session user cannot be dropped');
    if (oid === session.sessionUser) throw new PgError('object_in_use', 'session user cannot be dropped');
    if (authIdByOid(oid)!.rolsuper) mustBeSuperuser('drop superusers');
    if (isPinnedObject(ids.AuthIdRelationId, oid)) throw new PgError('dependent_objects_still_exist', `cannot drop role ${name} because it is required by the database system`);
    lockObject(true, ids.AuthIdRelationId, oid);
    const dependents = checkSharedDependencies(ids.AuthIdRelationId, oid);
    if (dependents !== null) {
      throw new PgError('dependent_objects_still_exist', `role "${name}" cannot be dropped because some objects depend on it`, { detail: dependents });
    }
    for (const tuple of catalogFind(ids.AuthMemRelationId, ids.PgAuthMembersRoleMemberIndexId, [oid])) catalogDelete(ids.AuthMemRelationId, tuple);
    for (const tuple of catalogFind(ids.AuthMemRelationId, ids.PgAuthMembersMemberRoleIndexId, [oid])) catalogDelete(ids.AuthMemRelationId, tuple);
    for (const tuple of catalogFind(ids.DbRoleSettingRelationId, ids.PgDbRoleSettingDatabaseidRolIndexId, [])) {
      if (tuple.row.setrole === oid) catalogDelete(ids.DbRoleSettingRelationId, tuple);
    }
    const [tuple] = catalogFind(ids.AuthIdRelationId, ids.PgAuthidOidIndexId, [oid]);
    catalogDelete(ids.AuthIdRelationId, tuple!);
    // The next one may be a member of it.
    commandCounterIncrement();
  }
}

// ---- GRANT role TO role

interface GrantRoleStmt {
  granted_roles: { priv_name: string; cols?: unknown[] }[]; grantee_roles: RoleSpec[]; is_grant?: boolean; opt?: DefElem[]; grantor?: RoleSpec;
}

function grantRole(stmt: GrantRoleStmt): void {
  const admin = (stmt.opt ?? []).some((o) => o.defname === 'admin');
  // REVOKE takes no notice of whose grant it is.
  const grantor = stmt.grantor === undefined || !stmt.is_grant ? session.currentUser : rolespecOid(stmt.grantor);
  const grantees = stmt.grantee_roles.map((spec) => rolespecOid(spec));
  for (const granted of stmt.granted_roles) {
    if (granted.cols !== undefined) throw new PgError('invalid_grant_operation', 'column names cannot be included in GRANT/REVOKE ROLE');
    const role = getRoleOid(granted.priv_name);
    checkMayGrant(role);
    for (const grantee of grantees) {
      if (stmt.is_grant) addMember(role, grantee, admin, grantor);
      else removeMember(role, grantee, admin);
    }
  }
}

function checkMayGrant(role: Oid): void {
  const name = authIdByOid(role)!.rolname;
  if (superuserArg(role)) {
    mustBeSuperuser('alter superusers');
  } else if (!hasCreateRolePrivilege(session.currentUser) && !isAdminOfRole(session.currentUser, role)) {
    throw new PgError('insufficient_privilege', `must have admin option on role "${name}"`);
  }
}

function addMember(role: Oid, member: Oid, admin: boolean, grantor: Oid): void {
  const roleName = authIdByOid(role)!.rolname;
  const memberName = authIdByOid(member)!.rolname;
  if (role === ids.ROLE_PG_DATABASE_OWNER) throw new PgError('internal_error', `role "${roleName}" cannot have explicit members`);
  if (member === ids.ROLE_PG_DATABASE_OWNER) throw new PgError('internal_error', `role "${memberName}" cannot be a member of any role`);
  if (isMemberOfRoleNosuper(role, member)) {
    throw new PgError('invalid_grant_operation', role === member ? `role "${roleName}" is a member of role "${memberName}"` : `role "${roleName}" is a member of role "${memberName}"`);
  }
  const [existing] = catalogFind(ids.AuthMemRelationId, ids.PgAuthMembersRoleMemberIndexId, [role, member]);
  if (existing !== undefined) {
    if (!admin || existing.row.admin_option) {
      notice('successful_completion', `role "${memberName}" is already a member of role "${roleName}"`);
      return;
    }
    catalogUpdate(ids.AuthMemRelationId, existing, { admin_option: true, grantor });
  } else catalogInsert(ids.AuthMemRelationId, { roleid: role, member, grantor, admin_option: admin });
  // The same member may be named again, and a circle be closed.
  commandCounterIncrement();
}

function removeMember(role: Oid, member: Oid, adminOnly: boolean): void {
  const [existing] = catalogFind(ids.AuthMemRelationId, ids.PgAuthMembersRoleMemberIndexId, [role, member]);
  if (existing === undefined) {
    notice('warning', `role "${authIdByOid(member)!.rolname}" is not a member of role "${authIdByOid(role)!.rolname}"`, 'WARNING');
  } else if (adminOnly) {
    catalogUpdate(ids.AuthMemRelationId, existing, { admin_option: false });
  } else {
    catalogDelete(ids.AuthMemRelationId, existing);
  }
  commandCounterIncrement();
}

// ---- ALTER ROLE ... SET, ALTER DATABASE ... SET

interface SetStmt { kind: string; name: string; args?: any[] }

/** Changes the settings kept for a role, a database, or a role in a database (0: all) (AlterSetting). */
export function alterSetting(database: Oid, role: Oid, stmt: SetStmt): void {
  const [tuple] = catalogFind(ids.DbRoleSettingRelationId, ids.PgDbRoleSettingDatabaseidRolIndexId, [database, role]);
  let entries = [...(tuple?.row.setconfig ?? [])];
  if (stmt.kind === 'VAR_RESET_ALL') {
    entries = [];
  } else {
    const setting = findSetting(stmt.name);
    if (setting === undefined && !stmt.name.includes('.')) throw new PgError('undefined_object', `unrecognized configuration parameter "${stmt.name}"`);
    const name = setting?.name ?? stmt.name;
    const known = entries.findIndex((e) => e.toLowerCase().startsWith(`${name.toLowerCase()}=`));
    if (stmt.kind === 'VAR_SET_VALUE' || stmt.kind === 'VAR_SET_CURRENT') {
      const value = stmt.kind === 'VAR_SET_CURRENT' ? show(name) : flattenSetArgs(name, settingArguments(stmt.args));
      // Checked, not applied: a wrong value is refused now rather than at the next connection.
      setConfigOption(name, value, session.isSuperuser ? 'superuser' : 'user', 'test', 'set', false);
      entries.splice(known < 0 ? entries.length : known, known < 0 ? 0 : 1, `${name}=${value}`);
    } else if (known >= 0) entries.splice(known, 1);
  }
  if (tuple === undefined) {
    if (entries.length > 0) catalogInsert(ids.DbRoleSettingRelationId, { setdatabase: database, setrole: role, setconfig: entries });
  } else if (entries.length === 0) catalogDelete(ids.DbRoleSettingRelationId, tuple);
  else catalogUpdate(ids.DbRoleSettingRelationId, tuple, { setconfig: entries });
}

function alterRoleSet(stmt: { role?: RoleSpec; database?: string; setstmt: SetStmt }): void {
  let role = 0;
  if (stmt.role !== undefined) {
    checkRolespecName(stmt.role, 'Cannot alter reserved roles.');
    role = rolespecOid(stmt.role);
    if (superuserArg(role)) mustBeSuperuser('alter superusers');
    else if (!hasCreateRolePrivilege(session.currentUser) && role !== session.currentUser) throw new PgError('insufficient_privilege', 'permission denied');
  } else if (stmt.database === undefined) {
    mustBeSuperuser('alter settings globally');
  }
  let database = 0;
  if (stmt.database !== undefined) {
    database = databaseByName(stmt.database)?.oid ?? 0;
    if (database === 0) throw new PgError('undefined_database', `database "${stmt.database}" does not exist`);
  }
  alterSetting(database, role, stmt.setstmt);
}

export const USER_COMMANDS: UtilityTable = {
  CreateRoleStmt: { run: (stmt: never, context) => createRole(stmt, context.text) },
  AlterRoleStmt: { run: (stmt: never, context) => alterRole(stmt, context.text) },
  DropRoleStmt: { run: dropRoles },
  GrantRoleStmt: { run: grantRole },
  AlterRoleSetStmt: { run: alterRoleSet },
};
