// SET ROLE and SET SESSION AUTHORIZATION: settings whose values decide who the session is (check_role, assign_role and
// their kin of PostgreSQL's variable.c). A rollback brings the old value back, when no catalog can be read any more:
// what a role name meant is remembered from when it was checked.
import { isMemberOfRole } from '../catalog/acl.ts';
import { authIdByName, authIdByOid } from '../catalog/syscache.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { Oid } from '../types/datum.ts';
import { CheckFailure, defineHooks, setInternal, type GucSource } from '../utils/guc.ts';
import { session } from '../utils/session.ts';

interface KnownRole { oid: Oid; isSuperuser: boolean }
const known = new Map<string, KnownRole>();

function remember(name: string): KnownRole | undefined {
  const row = authIdByName(name);
  if (row === undefined) return undefined;
  const role = { oid: row.oid, isSuperuser: row.rolsuper };
  known.set(name, role);
  return role;
}

function become(role: KnownRole): void {
  session.currentUser = role.oid;
  session.isSuperuser = role.isSuperuser;
  setInternal('is_superuser', role.isSuperuser ? 'on' : 'off');
}

/** A setting kept for later (ALTER ROLE ... SET) may name a role that is not there yet. */
function unknownRole(name: string, source: GucSource): string | CheckFailure {
  const message = `role "${name}" does not exist`;
  if (source !== 'test') return new CheckFailure({ condition: 'invalid_parameter_value', message });
  ddlNotice(message, 'undefined_object');
  return name;
}

let sessionRole: KnownRole | null = null;
/** SET ROLE holds (SetRoleIsActive). */
let roleIsSet = false;

defineHooks('role', {
  check(value, source) {
    const name = String(value);
    if (name === 'none') return name;
    const role = remember(name);
    if (role === undefined) return unknownRole(name, source);
    if (source !== 'test' && !isMemberOfRole(session.sessionUser, role.oid)) {
      return new CheckFailure({ condition: 'insufficient_privilege', message: `permission denied to set role "${name}"` });
    }
    return name;
  },
  assign(value) {
    if (session.sessionUser === 0) return;
    const name = String(value);
    const role = name === 'none' ? sessionRole ?? rememberSession() : known.get(name);
    roleIsSet = name !== 'none';
    if (role !== undefined && role !== null) become(role);
  },
  show: (value) => (roleIsSet ? String(value) : 'none'),
});

/** The session user as it was at the start. */
function rememberSession(): KnownRole | null {
  const row = authIdByOid(session.sessionUser);
  if (row !== undefined) sessionRole = { oid: row.oid, isSuperuser: row.rolsuper };
  return sessionRole;
}

defineHooks('session_authorization', {
  check(value, source) {
    const name = String(value);
    if (session.authenticatedUser === 0 || source === 'override') return name;
    const role = remember(name);
    if (role === undefined) return unknownRole(name, source);
    if (source !== 'test' && role.oid !== session.authenticatedUser && !(authIdByOid(session.authenticatedUser)?.rolsuper ?? false)) {
      return new CheckFailure({ condition: 'insufficient_privilege', message: 'permission denied to set session authorization' });
    }
    return name;
  },
  assign(value) {
    const role = known.get(String(value));
    if (role === undefined) return;
    sessionRole = role;
    session.sessionUser = role.oid;
    if (!roleIsSet) become(role);
  },
});

/** At the start of a session, when it is known who has connected. */
export function rememberSessionRole(name: string): void {
  sessionRole = remember(name) ?? null;
}
