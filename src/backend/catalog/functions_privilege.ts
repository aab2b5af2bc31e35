// SQL functions that ask for privileges: has_table_privilege and its family, pg_has_role (the end of PostgreSQL's
// acl.c). Each comes in six forms: user by name, by OID or the current one; object by name or by OID.
import { PgError } from '../../common/errors.ts';
import { parameterAclOid } from './pg_parameter_acl.ts';
import { registerBuiltins, type PureFunction } from '../types/fmgr.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { aclcheckAttributes, attributeAclmask, objectAcl, objectAclmask } from './aclchk.ts';
import { aclMask, hasPrivsOfRole, isAdminOfRole, isMemberOfRole, superuserArg } from './acl.ts';
import { getDatabaseOid, getLanguageOid, getRoleOid, getTablespaceOid } from './objectaddress.ts';
import * as ns from './namespace.ts';
import * as ids from './oids.ts';
import { objectRow } from './object_property.ts';
import { regLookup, relidOfText } from './reg_names.ts';
import * as sys from './syscache.ts';

/** Privileges asked for: bits held, bits held with grant option. Any one is enough. */
interface Asked { mode: number; withGrant: number }

/** "SELECT, UPDATE WITH GRANT OPTION" as bits. */
function parsePrivileges(text: string, known: Readonly<Record<string, number>>): Asked {
  const asked = { mode: 0, withGrant: 0 };
  for (const part of text.split(',')) {
    const word = part.trim();
    const upper = word.toUpperCase();
    const grant = upper.endsWith(' WITH GRANT OPTION') || upper.endsWith(' WITH ADMIN OPTION');
    const bit = known[grant ? upper.replace(/ WITH (GRANT|ADMIN) OPTION$/, '') : upper];
    if (bit === undefined) throw new PgError('invalid_parameter_value', `unrecognized privilege type: "${word}"`);
    if (grant) asked.withGrant |= bit; else asked.mode |= bit;
  }
  return asked;
}

function holds(classId: Oid, oid: Oid, role: Oid, asked: Asked): boolean {
  if (asked.mode !== 0 && objectAclmask(classId, oid, role, asked.mode, true) !== 0) return true;
  if (asked.withGrant === 0) return false;
  if (superuserArg(role)) return true;
  const found = objectAcl(classId, oid);
  return found !== undefined && aclMask(found.acl, role, found.owner, asked.withGrant, true, true) !== 0;
}

/** A user name for these functions: "public" is PUBLIC. */
const roleOrPublic = (name: string): Oid => (name === 'public' ? 0 : getRoleOid(name));
const oidOr = (kind: 'regprocedure' | 'regtype') => (name: string): Oid => regLookup(kind, name, false);
const missing = (what: string) => (name: string): never => { throw new PgError('undefined_object', `${what} "${name}" does not exist`); };

const TABLE_PRIVILEGES = { SELECT: ACL.SELECT, INSERT: ACL.INSERT, UPDATE: ACL.UPDATE, DELETE: ACL.DELETE, TRUNCATE: ACL.TRUNCATE,
  REFERENCES: ACL.REFERENCES, TRIGGER: ACL.TRIGGER, RULE: 0 };
const COLUMN_PRIVILEGES = { SELECT: ACL.SELECT, INSERT: ACL.INSERT, UPDATE: ACL.UPDATE, REFERENCES: ACL.REFERENCES };

const FAMILIES: Readonly<Record<string, { classId: Oid; find: (name: string) => Oid; privileges: Record<string, number> }>> = {
  table: { classId: ids.RelationRelationId, find: relidOfText, privileges: TABLE_PRIVILEGES },
  sequence: { classId: ids.RelationRelationId, privileges: { USAGE: ACL.USAGE, SELECT: ACL.SELECT, UPDATE: ACL.UPDATE }, find(name) {
    const oid = relidOfText(name);
    if (sys.classByOid(oid)?.relkind !== 'S') throw new PgError('wrong_object_type', `"${name}" is not a sequence`);
    return oid;
  } },
  schema: { classId: ids.NamespaceRelationId, find: (name) => ns.getNamespaceOid(name), privileges: { CREATE: ACL.CREATE, USAGE: ACL.USAGE } },
  database: { classId: ids.DatabaseRelationId, find: (name) => getDatabaseOid(name),
    privileges: { CREATE: ACL.CREATE, TEMPORARY: ACL.CREATE_TEMP, TEMP: ACL.CREATE_TEMP, CONNECT: ACL.CONNECT } },
  function: { classId: ids.ProcedureRelationId, find: oidOr('regprocedure'), privileges: { EXECUTE: ACL.EXECUTE } },
  language: { classId: ids.LanguageRelationId, find: (name) => getLanguageOid(name), privileges: { USAGE: ACL.USAGE } },
  tablespace: { classId: ids.TableSpaceRelationId, find: (name) => getTablespaceOid(name), privileges: { CREATE: ACL.CREATE } },
  type: { classId: ids.TypeRelationId, find: oidOr('regtype'), privileges: { USAGE: ACL.USAGE } },
  foreign_data_wrapper: { classId: ids.ForeignDataWrapperRelationId, find: (name) => sys.lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperNameIndexId, name)?.oid ?? missing('foreign-data wrapper')(name), privileges: { USAGE: ACL.USAGE } },
  server: { classId: ids.ForeignServerRelationId, find: (name) => sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, name)?.oid ?? missing('server')(name), privileges: { USAGE: ACL.USAGE } },
};

const functions: Record<string, PureFunction> = {};

/** Registers prefix_name_name and so on for a check of (role, object, privileges). */
function addForms(prefix: string, find: (name: string, privileges: string) => Oid, check: (role: Oid, oid: Oid, privileges: string) => boolean | null, userOid = roleOrPublic): void {
  functions[`${prefix}_name_name`] = (user: string, name: string, p: string) => check(userOid(user), find(name, p), p);
  functions[`${prefix}_name_id`] = (user: string, oid: Oid, p: string) => check(userOid(user), oid, p);
  functions[`${prefix}_id_name`] = (user: Oid, name: string, p: string) => check(user, find(name, p), p);
  functions[`${prefix}_id_id`] = (user: Oid, oid: Oid, p: string) => check(user, oid, p);
  functions[`${prefix}_name`] = (name: string, p: string) => check(session.currentUser, find(name, p), p);
  functions[`${prefix}_id`] = (oid: Oid, p: string) => check(session.currentUser, oid, p);
}

for (const [kind, family] of Object.entries(FAMILIES)) {
  // Of a sequence what is asked is looked at before the name.
  const find = (name: string, privileges: string): Oid => {
    if (kind === 'sequence') parsePrivileges(privileges, family.privileges);
    return family.find(name);
  };
  addForms(`has_${kind}_privilege`, find, (role, oid, privileges) => {
    const asked = parsePrivileges(privileges, family.privileges);
    return objectRow(family.classId, oid) ? holds(family.classId, oid, role, asked) : null;
  });
}

function anyColumn(role: Oid, oid: Oid, privileges: string): boolean | null {
  const asked = parsePrivileges(privileges, COLUMN_PRIVILEGES);
  if (!sys.classByOid(oid)) return null;
  return holds(ids.RelationRelationId, oid, role, asked) || aclcheckAttributes(oid, role, asked.mode, 'any');
}
addForms('has_any_column_privilege', (name: string) => relidOfText(name), anyColumn);

// has_column_privilege: the column by name or number besides.
function column(role: Oid, oid: Oid, attnum: number, privileges: string): boolean | null {
  const asked = parsePrivileges(privileges, COLUMN_PRIVILEGES);
  const attribute = sys.attributeByNumber(oid, attnum);
  if (!sys.classByOid(oid) || !attribute || attribute.attisdropped) return null;
  return holds(ids.RelationRelationId, oid, role, asked) || (asked.mode !== 0 && attributeAclmask(oid, attnum, role, asked.mode) !== 0);
}
function attnumOf(oid: Oid, name: string): number {
  const row = sys.classByOid(oid);
  if (!row || /^\.{8}pg\.dropped\.\d+\.{8}$/.test(name)) return 0;
  const attribute = sys.attributeByName(oid, name);
  if (!attribute) throw new PgError('undefined_column', `column "${name}" of relation "${row.relname}" does not exist`);
  return attribute.attnum;
}
const users = { name: roleOrPublic, id: (oid: Oid) => oid } as Record<string, (user: any) => Oid>;
const tables = { name: relidOfText, id: (oid: Oid) => oid } as Record<string, (table: any) => Oid>;
const columns = { name: attnumOf, attnum: (_oid: Oid, n: number) => n } as Record<string, (oid: Oid, c: any) => number>;
for (const [t, table] of Object.entries(tables)) {
  for (const [c, attnum] of Object.entries(columns)) {
    functions[`has_column_privilege_${t}_${c}`] = (rel: unknown, col: unknown, p: string) => {
      const oid = table(rel);
      return column(session.currentUser, oid, attnum(oid, col), p);
    };
    for (const [u, user] of Object.entries(users)) {
      functions[`has_column_privilege_${u}_${t}_${c}`] = (who: unknown, rel: unknown, col: unknown, p: string) => {
        const role = user(who);
        const oid = table(rel);
        return column(role, oid, attnum(oid, col), p);
      };
    }
  }
}

// pg_has_role: MEMBER: may SET ROLE; USAGE: has its privileges.
addForms('pg_has_role', (name) => getRoleOid(name), (role, other, privileges) => {
  const asked = parsePrivileges(privileges, { USAGE: ACL.USAGE, MEMBER: ACL.CREATE });
  if ((asked.withGrant !== 0) && isAdminOfRole(role, other)) return true;
  if ((asked.mode & ACL.CREATE) !== 0 && isMemberOfRole(role, other)) return true;
  return (asked.mode & ACL.USAGE) !== 0 && hasPrivsOfRole(role, other);
}, (name) => getRoleOid(name));

// Parameters are named in any case, and need not exist.
const PARAMETER_PRIVILEGES = { SET: ACL.SET, 'ALTER SYSTEM': ACL.ALTER_SYSTEM };
const onParameter = (role: Oid, name: string, privileges: string): boolean => {
  const asked = parsePrivileges(privileges, PARAMETER_PRIVILEGES);
  return superuserArg(role) || holds(ids.ParameterAclRelationId, parameterAclOid(name), role, asked);
};
functions['has_parameter_privilege_name_name'] = (user: string, name: string, p: string) => {
  parsePrivileges(p, PARAMETER_PRIVILEGES);
  return onParameter(roleOrPublic(user), name, p);
};
functions['has_parameter_privilege_id_name'] = (user: Oid, name: string, p: string) => onParameter(user, name, p);
functions['has_parameter_privilege_name'] = (name: string, p: string) => onParameter(session.currentUser, name, p);

registerBuiltins({ pure: functions });
