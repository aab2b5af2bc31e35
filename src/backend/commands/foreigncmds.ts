// Foreign-data wrappers, servers, user mappings, foreign tables (PostgreSQL's foreigncmds.c): what is known of them. There is
// no wrapper with a handler, so that nothing can be read by them; who tries is told so.
import { PgError, internalError } from '../../common/errors.ts';
import { superuserArg } from '../catalog/acl.ts';
import { mustBeOwner, notOwnerOrDenied, objectAclcheck, objectOwnercheck } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { wrapperHasNoHandler } from '../catalog/foreign.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { PgForeignDataWrapper, PgForeignServer } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { functionInfo, callable } from '../executor/fmgr_info.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { lookupFuncName } from '../parser/parse_func.ts';
import { ddlNotice, refuseOnForeignTables } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { makeArray, type ArrayValue, type Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { sendWarning, session } from '../utils/session.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { createTable } from './tablecmds.ts';
import { updateAttribute } from './alter_common.ts';
import { rolespecOid, type RoleSpec } from './user.ts';
import { constantText } from './variable.ts';

const FDW_HANDLEROID = 3115, TEXTOID = 25, TEXTARRAYOID = 1009;

const warn = (message: string): void => {
  sendWarning('warning', message);
};
const normal = (classId: Oid, oid: Oid, otherClass: Oid, other: Oid): void => {
  if (other !== 0) recordDependencyOn(objectAddress(classId, oid), objectAddress(otherClass, other), 'n');
};

// ---- OPTIONS

/** OPTIONS (ADD, SET, DROP ...) on top of those there are, looked at by the wrapper's validator (transformGenericOptions). */
function genericOptions(catalog: Oid, old: readonly string[] | null, changes: readonly RawNode[] | undefined, validator: Oid): string[] | null {
  const list = (old ?? []).map((o) => ({ name: o.slice(0, o.indexOf('=')), text: o }));
  for (const c of changes ?? []) {
    const name = c['defname'] as string;
    const at = list.findIndex((o) => o.name === name);
    const text = `${name}=${c['arg'] === undefined ? '' : constantText(c['arg'] as never)}`;
    switch (c['defaction']) {
      case 'DEFELEM_DROP':
        if (at < 0) throw new PgError('undefined_object', `option "${name}" not found`);
        list.splice(at, 1);
        break;
      case 'DEFELEM_SET':
        if (at < 0) throw new PgError('undefined_object', `option "${name}" not found`);
        list[at] = { name, text };
        break;
      default:
        if (at >= 0) throw new PgError('duplicate_object', `option "${name}" provided more than once`);
        list.push({ name, text });
    }
  }
  const options = list.map((o) => o.text);
  if (validator !== 0) callable(functionInfo(validator), [TEXTARRAYOID, ids.OIDOID], ids.BOOLOID, 0)(makeArray(TEXTOID, options), catalog);
  return options.length === 0 ? null : options;
}

/** What PostgreSQL's own validator, of little use but for tests, takes: libpq's options of a connection. */
const SERVER_OPTIONS = ['authtype', 'service', 'connect_timeout', 'dbname', 'host', 'hostaddr', 'port', 'tty', 'options', 'requiressl', 'sslmode', 'gsslib'];
const USER_OPTIONS = ['user', 'password'];
registerBuiltins({
  pure: {
    postgresql_fdw_validator: (options: ArrayValue, catalog: Oid) => {
      const known = catalog === ids.ForeignServerRelationId ? SERVER_OPTIONS : catalog === ids.UserMappingRelationId ? USER_OPTIONS : [];
      if (options.values.includes(null)) throw new PgError('null_value_not_allowed', 'null array element not allowed in this context');
      for (const option of options.values as string[]) {
        const name = option.slice(0, option.indexOf('='));
        if (known.includes(name)) continue;
        throw new PgError('syntax_error', `invalid option "${name}"`, {
          hint: known.length === 0 ? 'There are no valid options in this context.' : `Valid options in this context are: ${known.join(', ')}`,
        });
      }
      return true;
    },
  },
});

// ---- foreign-data wrappers

function wrapperNamed(name: string): PgForeignDataWrapper {
  const row = sys.lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperNameIndexId, name);
  if (row === undefined) throw new PgError('undefined_object', `foreign-data wrapper "${name}" does not exist`);
  return row;
}
const wrapperByOid = (oid: Oid): PgForeignDataWrapper => sys.lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperOidIndexId, oid)!;

function requireSuperuser(verb: string, name: string, what = ''): void {
  if (session.isSuperuser) return;
  throw new PgError('insufficient_privilege', `permission denied to ${verb} ${what}foreign-data wrapper "${name}"`, { hint: `Must be superuser to ${verb} ${what === '' ? 'a' : 'owner of a'} foreign-data wrapper.` });
}

function wrapperFunctions(options: readonly RawNode[], text: string): { handler?: Oid; validator?: Oid } {
  const result: { handler?: Oid; validator?: Oid } = {};
  for (const o of options) {
    const key = o['defname'] as 'handler' | 'validator';
    if (result[key] !== undefined) throw errorConflictingDefElem(o, text);
    const names = o['arg'] as string[] | undefined;
    if (names === undefined) result[key] = 0;
    else if (key === 'validator') result.validator = lookupFuncName(names, [TEXTARRAYOID, ids.OIDOID], false);
    else {
      const oid = lookupFuncName(names, [], false);
      if (sys.procByOid(oid)!.prorettype !== FDW_HANDLEROID) throw new PgError('wrong_object_type', `function ${names.join('.')} must return type ${formatType(FDW_HANDLEROID)}`);
      result.handler = oid;
    }
  }
  return result;
}

function createWrapper(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['fdwname'] as string;
  requireSuperuser('create', name);
  if (sys.lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperNameIndexId, name) !== undefined) throw new PgError('duplicate_object', `foreign-data wrapper "${name}" already exists`);
  const { handler = 0, validator = 0 } = wrapperFunctions((stmt['func_options'] ?? []) as RawNode[], context.text);
  const fdwoptions = genericOptions(ids.ForeignDataWrapperRelationId, null, stmt['options'] as RawNode[], validator);
  const oid = getNewOid(ids.ForeignDataWrapperRelationId);
  catalogInsert(ids.ForeignDataWrapperRelationId, { oid, fdwname: name, fdwowner: session.currentUser, fdwhandler: handler, fdwvalidator: validator, fdwacl: null, fdwoptions });
  for (const fn of [handler, validator]) normal(ids.ForeignDataWrapperRelationId, oid, ids.ProcedureRelationId, fn);
  recordDependencyOnOwner(ids.ForeignDataWrapperRelationId, oid, session.currentUser);
  commandCounterIncrement();
}

function alterWrapper(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['fdwname'] as string;
  requireSuperuser('alter', name);
  const row = wrapperNamed(name);
  const given = wrapperFunctions((stmt['func_options'] ?? []) as RawNode[], context.text);
  if (given.handler !== undefined) warn('changing the foreign-data wrapper handler can change behavior of existing foreign tables');
  if (given.validator !== undefined && given.validator !== 0) warn('changing the foreign-data wrapper validator can cause the options for dependent objects to become invalid');
  const { handler = row.fdwhandler, validator = row.fdwvalidator } = given;
  const fdwoptions = stmt['options'] === undefined ? row.fdwoptions : genericOptions(ids.ForeignDataWrapperRelationId, row.fdwoptions, stmt['options'] as RawNode[], validator);
  catalogUpdateByKey(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperOidIndexId, [row.oid], { fdwhandler: handler, fdwvalidator: validator, fdwoptions });
  if (given.handler !== undefined || given.validator !== undefined) {
    deleteDependencyRecordsFor(objectAddress(ids.ForeignDataWrapperRelationId, row.oid));
    for (const fn of [handler, validator]) normal(ids.ForeignDataWrapperRelationId, row.oid, ids.ProcedureRelationId, fn);
  }
  commandCounterIncrement();
}

/** ALTER ... OWNER TO: wrappers are superusers'; a server's new owner must be allowed to use its wrapper. */
export function checkForeignOwner(classId: Oid, oid: Oid, owner: Oid): void {
  if (classId === ids.ForeignDataWrapperRelationId) {
    const { fdwname } = wrapperByOid(oid);
    requireSuperuser('change', fdwname, 'owner of ');
    if (!superuserArg(owner)) {
      throw new PgError('insufficient_privilege', `permission denied to change owner of foreign-data wrapper "${fdwname}"`, { hint: 'The owner of a foreign-data wrapper must be a superuser.' });
    }
  } else if (!session.isSuperuser) {
    const { srvfdw } = sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerOidIndexId, oid)!;
    if (!objectAclcheck(ids.ForeignDataWrapperRelationId, srvfdw, owner, ACL.USAGE)) throw notOwnerOrDenied('foreign-data wrapper', wrapperByOid(srvfdw).fdwname);
  }
}

// ---- servers

function serverNamed(name: string): PgForeignServer {
  const row = sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, name);
  if (row === undefined) throw new PgError('undefined_object', `server "${name}" does not exist`);
  return row;
}

function createServer(stmt: RawNode): void {
  const name = stmt['servername'] as string;
  if (sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, name) !== undefined) {
    if (stmt['if_not_exists']) return ddlNotice(`server "${name}" already exists, skipping`, 'duplicate_object');
    throw new PgError('duplicate_object', `server "${name}" already exists`);
  }
  const fdw = wrapperNamed(stmt['fdwname'] as string);
  if (!objectAclcheck(ids.ForeignDataWrapperRelationId, fdw.oid, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('foreign-data wrapper', fdw.fdwname);
  const srvoptions = genericOptions(ids.ForeignServerRelationId, null, stmt['options'] as RawNode[], fdw.fdwvalidator);
  const oid = getNewOid(ids.ForeignServerRelationId);
  catalogInsert(ids.ForeignServerRelationId, {
    oid, srvname: name, srvowner: session.currentUser, srvfdw: fdw.oid, srvtype: (stmt['servertype'] as string | undefined) ?? null, srvversion: (stmt['version'] as string | undefined) ?? null, srvacl: null, srvoptions,
  });
  normal(ids.ForeignServerRelationId, oid, ids.ForeignDataWrapperRelationId, fdw.oid);
  recordDependencyOnOwner(ids.ForeignServerRelationId, oid, session.currentUser);
  commandCounterIncrement();
}

function alterServer(stmt: RawNode): void {
  const row = serverNamed(stmt['servername'] as string);
  if (!objectOwnercheck(ids.ForeignServerRelationId, row.oid, session.currentUser)) throw mustBeOwner('foreign server', row.srvname);
  catalogUpdateByKey(ids.ForeignServerRelationId, ids.PgForeignServerOidIndexId, [row.oid], {
    ...(stmt['has_version'] ? { srvversion: (stmt['version'] as string | undefined) ?? null } : {}),
    ...(stmt['options'] === undefined ? {} : { srvoptions: genericOptions(ids.ForeignServerRelationId, row.srvoptions, stmt['options'] as RawNode[], wrapperByOid(row.srvfdw).fdwvalidator) }),
  });
  commandCounterIncrement();
}

// ---- user mappings

const mappedUser = (spec: RoleSpec): Oid => (spec.roletype === 'ROLESPEC_PUBLIC' ? 0 : rolespecOid(spec));
const userName = (user: Oid): string => (user === 0 ? 'public' : sys.authIdByOid(user)!.rolname);
const mappingOf = (user: Oid, server: Oid) => sys.lookup(ids.UserMappingRelationId, ids.PgUserMappingUserServerIndexId, user, server);

/** Of one's own with USAGE on the server, else the server's owner's business (user_mapping_ddl_aclcheck). */
function checkMappingRight(user: Oid, server: PgForeignServer): void {
  if (objectOwnercheck(ids.ForeignServerRelationId, server.oid, session.currentUser)) return;
  if (user !== session.currentUser) throw mustBeOwner('foreign server', server.srvname);
  if (!objectAclcheck(ids.ForeignServerRelationId, server.oid, user, ACL.USAGE)) throw notOwnerOrDenied('foreign server', server.srvname);
}

function createUserMapping(stmt: RawNode): void {
  const user = mappedUser(stmt['user'] as RoleSpec);
  const server = serverNamed(stmt['servername'] as string);
  checkMappingRight(user, server);
  if (mappingOf(user, server.oid) !== undefined) {
    const text = `user mapping for "${userName(user)}" already exists for server "${server.srvname}"`;
    if (stmt['if_not_exists']) return ddlNotice(`${text}, skipping`, 'duplicate_object');
    throw new PgError('duplicate_object', text);
  }
  const umoptions = genericOptions(ids.UserMappingRelationId, null, stmt['options'] as RawNode[], wrapperByOid(server.srvfdw).fdwvalidator);
  const oid = getNewOid(ids.UserMappingRelationId);
  catalogInsert(ids.UserMappingRelationId, { oid, umuser: user, umserver: server.oid, umoptions });
  normal(ids.UserMappingRelationId, oid, ids.ForeignServerRelationId, server.oid);
  if (user !== 0) recordDependencyOnOwner(ids.UserMappingRelationId, oid, user);
  commandCounterIncrement();
}

const noMapping = (user: Oid, server: PgForeignServer): string => `user mapping for "${userName(user)}" does not exist for server "${server.srvname}"`;

function alterUserMapping(stmt: RawNode): void {
  const user = mappedUser(stmt['user'] as RoleSpec);
  const server = serverNamed(stmt['servername'] as string);
  const row = mappingOf(user, server.oid);
  if (row === undefined) throw new PgError('undefined_object', noMapping(user, server));
  checkMappingRight(user, server);
  if (stmt['options'] !== undefined) {
    const umoptions = genericOptions(ids.UserMappingRelationId, row.umoptions, stmt['options'] as RawNode[], wrapperByOid(server.srvfdw).fdwvalidator);
    catalogUpdateByKey(ids.UserMappingRelationId, ids.PgUserMappingOidIndexId, [row.oid], { umoptions });
  }
  commandCounterIncrement();
}

function dropUserMapping(stmt: RawNode): void {
  const spec = stmt['user'] as RoleSpec;
  const missingOk = Boolean(stmt['missing_ok']);
  const name = stmt['servername'] as string;
  if (spec.roletype === 'ROLESPEC_CSTRING' && sys.authIdByName(spec.rolename!) === undefined) {
    if (!missingOk) rolespecOid(spec);
    return ddlNotice(`role "${spec.rolename}" does not exist, skipping`);
  }
  const user = mappedUser(spec);
  const server = sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, name);
  if (server === undefined) {
    if (!missingOk) throw new PgError('undefined_object', `server "${name}" does not exist`);
    return ddlNotice(`server "${name}" does not exist, skipping`);
  }
  const row = mappingOf(user, server.oid);
  if (row === undefined) {
    if (!missingOk) throw new PgError('undefined_object', noMapping(user, server));
    return ddlNotice(`${noMapping(user, server)}, skipping`);
  }
  checkMappingRight(user, server);
  performDeletion(objectAddress(ids.UserMappingRelationId, row.oid), 'cascade');
}

// ---- foreign tables

function createForeignTable(stmt: RawNode, context: UtilityContext): void {
  const base = stmt['base'] as RawNode;
  for (const element of (base['tableElts'] ?? []) as RawNode[]) refuseOnForeignTables(element, context.text);
  const oid = createTable(base, context, 'f');
  if (oid === 0) return;
  const server = serverNamed(stmt['servername'] as string);
  if (!objectAclcheck(ids.ForeignServerRelationId, server.oid, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('foreign server', server.srvname);
  const { fdwvalidator } = wrapperByOid(server.srvfdw);
  const ftoptions = genericOptions(ids.ForeignTableRelationId, null, stmt['options'] as RawNode[], fdwvalidator);
  catalogInsert(ids.ForeignTableRelationId, { ftrelid: oid, ftserver: server.oid, ftoptions });
  normal(ids.RelationRelationId, oid, ids.ForeignServerRelationId, server.oid);
  for (const column of ((base['tableElts'] ?? []) as RawNode[]).filter((e) => e.tag === 'ColumnDef' && e['fdwoptions'] !== undefined)) {
    const attnum = sys.attributeByName(oid, column['colname'] as string)!.attnum;
    setColumnOptions(oid, attnum, column['fdwoptions'] as RawNode[], fdwvalidator);
  }
  commandCounterIncrement();
}

const validatorOf = (relation: Oid): Oid => {
  const table = sys.lookup(ids.ForeignTableRelationId, ids.PgForeignTableRelidIndexId, relation);
  if (table === undefined) throw internalError(`foreign table ${relation} has no entry`);
  return wrapperByOid(sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerOidIndexId, table.ftserver)!.srvfdw).fdwvalidator;
};

function setColumnOptions(relation: Oid, attnum: number, changes: readonly RawNode[], validator: Oid): void {
  const old = sys.attributeByNumber(relation, attnum)!.attfdwoptions;
  updateAttribute(relation, attnum, { attfdwoptions: genericOptions(ids.AttributeRelationId, old, changes, validator) });
}

/** ALTER FOREIGN TABLE ... OPTIONS, ALTER COLUMN ... OPTIONS. */
export function alterForeignOptions(relation: Oid, column: string | null, changes: readonly RawNode[]): void {
  if (column !== null) {
    const attribute = sys.attributeByName(relation, column);
    if (attribute === undefined) throw new PgError('undefined_column', `column "${column}" of relation "${sys.classByOid(relation)!.relname}" does not exist`);
    if (attribute.attnum <= 0) throw new PgError('feature_not_supported', `cannot alter system column "${column}"`);
    return setColumnOptions(relation, attribute.attnum, changes, validatorOf(relation));
  }
  const table = sys.lookup(ids.ForeignTableRelationId, ids.PgForeignTableRelidIndexId, relation)!;
  catalogUpdateByKey(ids.ForeignTableRelationId, ids.PgForeignTableRelidIndexId, [relation], { ftoptions: genericOptions(ids.ForeignTableRelationId, table.ftoptions, changes, validatorOf(relation)) });
}

function importForeignSchema(stmt: RawNode): void {
  const server = serverNamed(stmt['server_name'] as string);
  if (!objectAclcheck(ids.ForeignServerRelationId, server.oid, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('foreign server', server.srvname);
  if (sys.namespaceByName(stmt['local_schema'] as string) === undefined) throw new PgError('undefined_schema', `schema "${stmt['local_schema'] as string}" does not exist`);
  throw wrapperHasNoHandler(wrapperByOid(server.srvfdw).fdwname);
}

export const FOREIGN_COMMANDS: UtilityTable = {
  CreateFdwStmt: { run: createWrapper }, AlterFdwStmt: { run: alterWrapper },
  CreateForeignServerStmt: { run: createServer }, AlterForeignServerStmt: { run: alterServer },
  CreateUserMappingStmt: { run: createUserMapping }, AlterUserMappingStmt: { run: alterUserMapping }, DropUserMappingStmt: { run: dropUserMapping },
  CreateForeignTableStmt: { run: createForeignTable }, ImportForeignSchemaStmt: { run: importForeignSchema },
};
