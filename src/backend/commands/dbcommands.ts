// CREATE, DROP and ALTER DATABASE (PostgreSQL's dbcommands.c). A new database is a copy of its template's environment as
// it is now. Its folder is made before the commit that makes it known, and that of a dropped one goes after the commit:
// a crash in between leaves a folder that no row of pg_database names, which the next CREATE DATABASE of that OID removes.
import { existsSync, rmSync } from 'node:fs';
import { PgError, notSupported } from '../../common/errors.ts';
import { databaseFolder } from '../../common/site.ts';
import { isMemberOfRole } from '../catalog/acl.ts';
import { hasCreateDbPrivilege, mustBeOwner, objectOwnercheck, requirePrivilege } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { copyDatabase } from '../catalog/copy_database.ts';
import { PG_UTF8, charToEncoding, encodingToChar } from '../../common/encoding.ts';
import { catalogDelete, catalogDeleteByKey, catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getRoleOid, getTablespaceOid } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { actualCollationVersion } from '../catalog/pg_collation.ts';
import { deleteSharedComments } from '../catalog/pg_description.ts';
import { deleteSharedDependencyRecordsFor, recordDependencyOnOwner, sharedDependentsOf } from '../catalog/pg_shdepend.ts';
import { keepTablespace } from '../catalog/pg_tablespace.ts';
import type { PgDatabase } from '../catalog/rows.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { openStore } from '../storage/lmdb.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { sharedClient } from '../transaction/client.ts';
import { retireManager } from '../transaction/link.ts';
import { getStore, registerCallback, requireLocks } from '../transaction/xact.ts';
import { icuCollationVersion } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { port } from '../../port/port.ts';
import { backends, countOtherBackends } from '../utils/backend_status.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { removeDatabaseEntries } from '../utils/pgstat_shmem.ts';
import { sendWarning, session } from '../utils/session.ts';
import { PROVIDERS, changedVersion } from './collationcmds.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem } from './def_elem.ts';
import { databaseHooks } from './rename.ts';
import { preparedInDatabase } from './twophase.ts';
import { alterSetting } from './user.ts';
import { constantText } from './variable.ts';

const LOCALES: Readonly<Record<string, string>> = { 'C': 'C', 'POSIX': 'POSIX', 'C.UTF-8': 'C.UTF-8', 'C.utf8': 'C.UTF-8' };
const SIGTERM = 15;
/** How long others may take to leave. */
const LEAVE_LIMIT_MS = 5000, LEAVE_PAUSE_MS = 100;

// ---- folders

/** Folders to remove when the transaction ends one way or the other. */
let made: Oid[] = [];
let dropped: Oid[] = [];
const removeFolder = (oid: Oid): void => rmSync(databaseFolder(oid), { recursive: true, force: true });
registerCallback({
  onCommit() {
    if (made.length + dropped.length === 0) return;
    const gone = dropped;
    made = [];
    dropped = [];
    for (const oid of gone) {
      retireManager(oid);
      removeFolder(oid);
      removeDatabaseEntries(oid);
    }
  },
  onAbort() {
    const gone = made;
    made = [];
    dropped = [];
    for (const oid of gone) removeFolder(oid);
  },
});

// ---- who is there

const noFds = new Int32Array(0);
const noEvents = new Int16Array(0);
function pause(ms: number): void {
  port.poll(noFds, noEvents, noEvents, 0, ms);
  checkForInterrupts();
}

/** Waits a little for others to leave; how many are still there (CountOtherDBBackends). */
function othersIn(oid: Oid): number {
  for (const end = performance.now() + LEAVE_LIMIT_MS; ; pause(LEAVE_PAUSE_MS)) {
    const count = countOtherBackends(oid);
    if (count === 0 || performance.now() >= end) return count;
  }
}

function refuseInUse(what: string, oid: Oid): void {
  const others = othersIn(oid), prepared = preparedInDatabase(oid);
  if (others + prepared === 0) return;
  const sessions = others === 1 ? 'is 1 other session' : `are ${others} other sessions`;
  const detail = others > 0 && prepared > 0
    ? `There are ${others} other session(s) and ${prepared} prepared transaction(s) using the database.`
    : `There ${others > 0 ? sessions : preparedCount(prepared)} using the database.`;
  throw new PgError('object_in_use', what, { detail });
}

const preparedCount = (count: number): string => (count === 1 ? 'is 1 prepared transaction' : `are ${count} prepared transactions`);

function requireDatabaseOwner(row: PgDatabase): void {
  if (!objectOwnercheck(ids.DatabaseRelationId, row.oid, session.currentUser)) throw mustBeOwner('database', row.datname);
}

/** Two commands on the same database wait for each other. */
function lockDatabase(oid: Oid): void {
  requireLocks();
  sharedClient.acquireLock({ kind: 'object', classid: ids.DatabaseRelationId, objid: oid, exclusive: true });
}

function databaseNamed(name: string): PgDatabase {
  const row = sys.databaseByName(name);
  if (row === undefined) throw new PgError('undefined_database', `database "${name}" does not exist`);
  return row;
}

// ---- options

type Options = Map<string, RawNode>;

function readDatabaseOptions(list: readonly RawNode[], known: readonly string[], text: string): Options {
  const options: Options = new Map();
  const state = makeParseState(text);
  for (const e of list) {
    const name = e['defname'] as string;
    if (name === 'location') {
      sendWarning('feature_not_supported', 'LOCATION is not supported anymore', { hint: 'Consider using tablespaces instead.' });
      continue;
    }
    if (!known.includes(name)) throw parserError(state, 'syntax_error', `option "${name}" not recognized`, e.location);
    if (options.has(name)) throw errorConflictingDefElem(e, text);
    options.set(name, e);
  }
  return options;
}

/** DEFAULT is an option without a value. */
const textOf = (o: Options, name: string): string | undefined => {
  const arg = o.get(name)?.['arg'] as unknown;
  return arg === undefined ? undefined : defGetString(o.get(name)!);
};

const booleanOf = (o: Options, name: string): boolean | undefined => (o.has(name) ? defGetBoolean(o.get(name)!) : undefined);

function connectionLimitOf(o: Options): number | undefined {
  const text = textOf(o, 'connection_limit');
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (limit < -1) throw new PgError('invalid_parameter_value', `invalid connection limit: ${limit}`);
  return limit;
}

/** A tablespace for the relations of a database that name none. */
function defaultTablespaceOf(name: string): Oid {
  const oid = getTablespaceOid(name);
  requirePrivilege(ids.TableSpaceRelationId, oid, ACL.CREATE);
  if (oid === ids.GLOBALTABLESPACE_OID) throw new PgError('invalid_parameter_value', 'pg_global cannot be used as default tablespace');
  keepTablespace(oid);
  return oid;
}

const hasRelationsIn = (database: Oid, tablespace: Oid): boolean => sharedDependentsOf(ids.TableSpaceRelationId, tablespace).some((d) => d.dbid === database);

/** For a copy of `template`. */
function newDatabaseTablespace(o: Options, template: PgDatabase): Oid {
  const name = textOf(o, 'tablespace');
  if (name === undefined) return template.dattablespace;
  const oid = defaultTablespaceOf(name);
  if (oid !== template.dattablespace && hasRelationsIn(template.oid, oid)) {
    throw new PgError('feature_not_supported', `cannot assign new default tablespace "${name}"`, {
      detail: `There is a conflict because database "${template.datname}" already has some tables in this tablespace.`,
    });
  }
  return oid;
}

/** ALTER DATABASE ... SET TABLESPACE (movedb). */
function moveDatabase(row: PgDatabase, name: string): void {
  lockDatabase(row.oid);
  requireDatabaseOwner(row);
  if (row.oid === session.databaseOid) throw new PgError('object_in_use', 'cannot change the tablespace of the currently open database');
  const dattablespace = defaultTablespaceOf(name);
  if (dattablespace === row.dattablespace) return;
  refuseInUse(`database "${row.datname}" is being accessed by other users`, row.oid);
  if (hasRelationsIn(row.oid, dattablespace)) {
    throw new PgError('object_not_in_prerequisite_state', `some relations of database "${row.datname}" are already in tablespace "${name}"`, {
      hint: 'You must move them back to the database\'s default tablespace before using this command.',
    });
  }
  catalogUpdateByKey(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, [row.oid], { dattablespace });
}

function localeOf(o: Options, name: string, template: string, what: string, templateName: string): string {
  const given = textOf(o, name) ?? textOf(o, 'locale');
  if (given === undefined) return template;
  const locale = LOCALES[given];
  if (locale === undefined) throw new PgError('wrong_object_type', `invalid locale name: "${given}"`);
  if (locale !== template && templateName !== 'template0') {
    throw new PgError('invalid_parameter_value', `new ${what} (${given}) is incompatible with the ${what} of the template database (${template})`, {
      hint: `Use the same ${what} as in the template database, or use template0 as template.`,
    });
  }
  return locale;
}

function providerOf(o: Options): 'c' | 'i' | undefined {
  const given = textOf(o, 'locale_provider');
  if (given === undefined) return undefined;
  const provider = PROVIDERS[given.toLowerCase()];
  if (provider === undefined) throw new PgError('invalid_object_definition', `unrecognized locale provider: ${given}`);
  return provider;
}

const PROVIDER_NAMES: Readonly<Record<string, string>> = { c: 'libc', i: 'icu' };

/** What sorts texts in the new database. */
function icuLocaleOf(o: Options, given: 'c' | 'i' | undefined, template: PgDatabase): Pick<PgDatabase, 'datlocprovider' | 'daticulocale'> {
  const provider = given ?? template.datlocprovider;
  const locale = provider === 'i' ? textOf(o, 'icu_locale') ?? template.daticulocale : null;
  if (provider === 'i') {
    if (locale === null) throw new PgError('invalid_parameter_value', 'ICU locale must be specified');
    icuCollationVersion(locale);
  }
  const differs = (what: string, of: string, hint: string): PgError => new PgError('invalid_parameter_value', `new ${what} of the template database ${of}`, {
    hint: `Use the same ${hint} as in the template database, or use template0 as template.`,
  });
  if (template.datname !== 'template0') {
    if (provider !== template.datlocprovider) {
      throw differs(`locale provider (${PROVIDER_NAMES[provider]}) does not match locale provider`, `(${PROVIDER_NAMES[template.datlocprovider]})`, 'locale provider');
    }
    if (locale !== template.daticulocale) throw differs(`ICU locale (${locale}) is incompatible with the ICU locale`, `(${template.daticulocale})`, 'ICU locale');
  }
  return { datlocprovider: provider, daticulocale: locale };
}

/** The version that the indexes of the template are of. */
function collationVersionOf(o: Options, icu: Pick<PgDatabase, 'datlocprovider' | 'daticulocale'>, template: PgDatabase): string | null {
  const given = textOf(o, 'collation_version'), recorded = template.datcollversion, { datname } = template;
  if (given !== undefined) return given;
  const actual = actualCollationVersion(icu.datlocprovider, icu.daticulocale);
  if (recorded === null) return actual;
  if (actual === null) throw new PgError('internal_error', `template database "${datname}" has a collation version, but no actual collation version could be determined`);
  if (actual !== recorded) {
    throw new PgError('internal_error', `template database "${datname}" has a collation version mismatch`, {
      detail: `The template database was created using collation version ${recorded}, but the operating system provides version ${actual}.`,
      hint: `Rebuild all objects in the template database that use the default collation and run ALTER DATABASE ${quoteIdentifier(datname)} REFRESH COLLATION VERSION, or build PostgreSQL with the right library version.`,
    });
  }
  return recorded;
}

function checkEncoding(o: Options, template: PgDatabase): void {
  const arg = o.get('encoding')?.['arg'] as unknown;
  if (arg === undefined) return;
  const encoding = typeof arg === 'number' ? arg : charToEncoding(constantText(arg));
  if (encoding < 0 || encodingToChar(encoding) === '') {
    throw new PgError('undefined_object', typeof arg === 'number' ? `${arg} is not a valid encoding code` : `${constantText(arg)} is not a valid encoding name`);
  }
  if (encoding === template.encoding) return;
  if (template.datname !== 'template0') {
    throw new PgError('invalid_parameter_value', `new encoding (${encodingToChar(encoding)}) is incompatible with the encoding of the template database (${encodingToChar(template.encoding)})`, {
      hint: 'Use the same encoding as in the template database, or use template0 as template.',
    });
  }
  if (encoding !== PG_UTF8) throw notSupported(`a database of encoding ${encodingToChar(encoding)}`);
}

// ---- CREATE DATABASE

const CREATE_OPTIONS = [
  'tablespace', 'owner', 'template', 'encoding', 'locale', 'lc_collate', 'lc_ctype', 'icu_locale', 'locale_provider', 'is_template', 'allow_connections',
  'connection_limit', 'collation_version', 'oid', 'strategy',
];

function createDatabase(stmt: RawNode, context: UtilityContext): void {
  preventInTransactionBlock(context, 'CREATE DATABASE');
  const name = stmt['dbname'] as string;
  const o = readDatabaseOptions((stmt['options'] ?? []) as RawNode[], CREATE_OPTIONS, context.text);
  const provider = providerOf(o);
  if (o.has('icu_locale') && provider !== 'i') throw new PgError('invalid_object_definition', 'ICU locale cannot be specified unless locale provider is ICU');
  const strategy = textOf(o, 'strategy')?.toLowerCase();
  if (strategy !== undefined && strategy !== 'wal_log' && strategy !== 'file_copy') {
    throw new PgError('invalid_parameter_value', `invalid create database strategy "${textOf(o, 'strategy')}"`, { hint: 'Valid strategies are "wal_log", and "file_copy".' });
  }
  if (o.has('locale') && (o.has('lc_collate') || o.has('lc_ctype'))) {
    throw parserError(makeParseState(context.text), 'syntax_error', 'conflicting or redundant options', o.get('locale')!.location, { detail: 'LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE.' });
  }
  const connectionLimit = connectionLimitOf(o) ?? -1;
  const owner = textOf(o, 'owner') === undefined ? session.currentUser : getRoleOid(textOf(o, 'owner')!);
  if (!hasCreateDbPrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to create database');
  if (!isMemberOfRole(session.currentUser, owner)) throw new PgError('insufficient_privilege', `must be member of role "${sys.authIdByOid(owner)!.rolname}"`);
  const templateName = textOf(o, 'template') ?? 'template1';
  const template = sys.databaseByName(templateName);
  if (template === undefined) throw new PgError('undefined_database', `template database "${templateName}" does not exist`);
  if (!template.datistemplate && !objectOwnercheck(ids.DatabaseRelationId, template.oid, session.currentUser)) {
    throw new PgError('insufficient_privilege', `permission denied to copy database "${templateName}"`);
  }
  checkEncoding(o, template);
  const collate = localeOf(o, 'lc_collate', template.datcollate, 'collation', templateName);
  const ctype = localeOf(o, 'lc_ctype', template.datctype, 'LC_CTYPE', templateName);
  const icu = icuLocaleOf(o, provider, template), version = collationVersionOf(o, icu, template);
  const dattablespace = newDatabaseTablespace(o, template);
  if (sys.databaseByName(name) !== undefined) throw new PgError('duplicate_database', `database "${name}" already exists`);
  lockDatabase(template.oid);
  refuseInUse(`source database "${templateName}" is being accessed by other users`, template.oid);
  const oid = getNewOid(ids.DatabaseRelationId);
  catalogInsert(ids.DatabaseRelationId, {
    oid, datname: name, datdba: owner, encoding: template.encoding, ...icu, datistemplate: booleanOf(o, 'is_template') ?? false,
    datallowconn: booleanOf(o, 'allow_connections') ?? true, datconnlimit: connectionLimit, datfrozenxid: template.datfrozenxid, datminmxid: template.datminmxid,
    dattablespace, datcollate: collate, datctype: ctype, datcollversion: version, datacl: null,
  });
  recordDependencyOnOwner(ids.DatabaseRelationId, oid, owner);
  copyTemplateDependencies(template.oid, oid);
  copyEnvironment(template.oid, oid);
}

function copyEnvironment(template: Oid, oid: Oid): void {
  const path = databaseFolder(oid);
  if (existsSync(path)) rmSync(path, { recursive: true });
  made.push(oid);
  // An environment is opened but once in a process: our own is open already.
  const own = template === session.databaseOid;
  const source = own ? getStore(false) : openStore(databaseFolder(template));
  try {
    if (!own) source.renew();
    copyDatabase(source, path, checkForInterrupts);
  } finally {
    if (!own) source.close();
  }
}

/** Objects of the new database depend on the same roles as those of the template (copyTemplateDependencies). */
function copyTemplateDependencies(template: Oid, database: Oid): void {
  for (const { row } of catalogFind(ids.SharedDependRelationId, ids.PgShdependDependerIndexId, [template])) {
    catalogInsert(ids.SharedDependRelationId, { ...row, dbid: database });
  }
}

// ---- DROP DATABASE

function dropDatabase(stmt: RawNode, context: UtilityContext): void {
  preventInTransactionBlock(context, 'DROP DATABASE');
  const name = stmt['dbname'] as string;
  const force = readDatabaseOptions((stmt['options'] ?? []) as RawNode[], ['force'], context.text).has('force');
  const row = sys.databaseByName(name);
  if (row === undefined) {
    if (!stmt['missing_ok']) throw new PgError('undefined_database', `database "${name}" does not exist`);
    return ddlNotice(`database "${name}" does not exist, skipping`);
  }
  requireDatabaseOwner(row);
  if (row.oid === session.databaseOid) throw new PgError('object_in_use', 'cannot drop the currently open database');
  if (row.datistemplate) throw new PgError('wrong_object_type', 'cannot drop a template database');
  lockDatabase(row.oid);
  const subscriptions = catalogFind(ids.SubscriptionRelationId, ids.PgSubscriptionSubnameIndexId, [row.oid]).length;
  if (subscriptions > 0) {
    throw new PgError('object_in_use', `database "${name}" is being used by logical replication subscription`, {
      detail: subscriptions === 1 ? 'There is 1 subscription.' : `There are ${subscriptions} subscriptions.`,
    });
  }
  if (force) terminateOthers(row.oid, name);
  refuseInUse(`database "${name}" is being accessed by other users`, row.oid);
  const [tuple] = catalogFind(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, [row.oid]);
  if (tuple === undefined) throw new PgError('undefined_database', `database "${name}" does not exist`);
  catalogDelete(ids.DatabaseRelationId, tuple);
  deleteSharedComments(row.oid, ids.DatabaseRelationId);
  catalogDeleteByKey(ids.DbRoleSettingRelationId, ids.PgDbRoleSettingDatabaseidRolIndexId, [row.oid]);
  catalogDeleteByKey(ids.SharedDependRelationId, ids.PgShdependDependerIndexId, [row.oid]);
  deleteSharedDependencyRecordsFor(ids.DatabaseRelationId, row.oid);
  dropped.push(row.oid);
}

function terminateOthers(oid: Oid, name: string): void {
  const prepared = preparedInDatabase(oid);
  if (prepared > 0) throw new PgError('object_in_use', `database "${name}" is being used by prepared transactions`, { detail: `There ${preparedCount(prepared)} using the database.` });
  for (const backend of backends()) {
    if (backend.databaseOid !== oid || backend.pid === session.pid) continue;
    if (!session.isSuperuser && sys.authIdByOid(backend.roleOid)?.rolsuper) throw new PgError('insufficient_privilege', 'must be a superuser to terminate superuser process');
    port.kill(backend.pid, SIGTERM);
  }
}

// ---- ALTER DATABASE

const ALTER_OPTIONS = ['is_template', 'allow_connections', 'connection_limit', 'tablespace'];

function alterDatabase(stmt: RawNode, context: UtilityContext): void {
  const o = readDatabaseOptions((stmt['options'] ?? []) as RawNode[], ALTER_OPTIONS, context.text);
  const tablespace = textOf(o, 'tablespace');
  if (tablespace !== undefined) {
    if (o.size > 1) throw parserError(makeParseState(context.text), 'feature_not_supported', 'option "tablespace" cannot be specified with other options', o.get('tablespace')!.location);
    preventInTransactionBlock(context, 'ALTER DATABASE SET TABLESPACE');
    return moveDatabase(databaseNamed(stmt['dbname'] as string), tablespace);
  }
  const row = databaseNamed(stmt['dbname'] as string);
  requireDatabaseOwner(row);
  const allow = booleanOf(o, 'allow_connections');
  if (allow === false && row.oid === session.databaseOid) throw new PgError('invalid_parameter_value', 'cannot disallow connections for current database');
  const template = booleanOf(o, 'is_template');
  const limit = connectionLimitOf(o);
  const [tuple] = catalogFind(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, [row.oid]);
  catalogUpdate(ids.DatabaseRelationId, tuple!, {
    ...(template !== undefined ? { datistemplate: template } : {}), ...(allow !== undefined ? { datallowconn: allow } : {}), ...(limit !== undefined ? { datconnlimit: limit } : {}),
  });
}

function alterDatabaseSet(stmt: RawNode): void {
  const row = databaseNamed(stmt['dbname'] as string);
  requireDatabaseOwner(row);
  alterSetting(row.oid, 0, stmt['setstmt'] as never);
}

function refreshCollationVersion(stmt: RawNode): void {
  const row = databaseNamed(stmt['dbname'] as string);
  requireDatabaseOwner(row);
  const datcollversion = changedVersion(row.datcollversion, actualCollationVersion(row.datlocprovider, row.daticulocale));
  if (datcollversion !== null) catalogUpdateByKey(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, [row.oid], { datcollversion });
}

databaseHooks.rename = (oldName, newName) => {
  const row = databaseNamed(oldName);
  requireDatabaseOwner(row);
  if (!hasCreateDbPrivilege(session.currentUser)) throw new PgError('insufficient_privilege', 'permission denied to rename database');
  if (sys.databaseByName(newName) !== undefined) throw new PgError('duplicate_database', `database "${newName}" already exists`);
  if (row.oid === session.databaseOid) throw new PgError('feature_not_supported', 'current database cannot be renamed');
  lockDatabase(row.oid);
  refuseInUse(`database "${oldName}" is being accessed by other users`, row.oid);
  const [tuple] = catalogFind(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, [row.oid]);
  catalogUpdate(ids.DatabaseRelationId, tuple!, { datname: newName });
};

export const DATABASE_COMMANDS: UtilityTable = {
  CreatedbStmt: { run: createDatabase },
  DropdbStmt: { run: dropDatabase },
  AlterDatabaseStmt: { run: alterDatabase },
  AlterDatabaseSetStmt: { run: alterDatabaseSet },
  AlterDatabaseRefreshCollStmt: { run: refreshCollationVersion },
};
