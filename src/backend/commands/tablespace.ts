// CREATE, ALTER and DROP TABLESPACE, and ALTER ... ALL IN TABLESPACE (PostgreSQL's tablespace.c). A tablespace here is a name with an owner,
// rights and options: all of a database lies in one environment, so only tablespaces that are to lie within the site are made.
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { PgError, notSupported } from '../../common/errors.ts';
import { GLOBAL, tablespaceFolder } from '../../common/site.ts';
import { lockTable } from '../access/table.ts';
import { hasPrivsOfRole } from '../catalog/acl.ts';
import { notOwnerOrDenied, objectOwnercheck, requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { getNewOid, isPinnedObject, isReservedName } from '../catalog/catalog.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogScanAll, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getTablespaceOid } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { changeDependencyOnTablespace, checkedTablespace, databaseTablespace } from '../catalog/pg_tablespace.ts';
import { deleteSharedComments } from '../catalog/pg_description.ts';
import { deleteSharedDependencyRecordsFor, recordDependencyOnOwner, sharedDependentsOf } from '../catalog/pg_shdepend.ts';
import { databaseSize, relationSize } from '../catalog/relation_size.ts';
import { openRelation } from '../catalog/relcache.ts';
import { checkSharedDependencies } from '../catalog/shdepend.ts';
import { classByOid, namespaceByOid, tablespaceByName, tablespaceByOid } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { managerClient } from '../transaction/client.ts';
import { commandCounterIncrement, registerCallback, requireLocks } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { getBool, getString } from '../utils/guc.ts';
import { sendWarning, session } from '../utils/session.ts';
import { mergeOptions, readOptions } from './reloptions.ts';
import { rolespecOid, type RoleSpec } from './user.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;

/** Folders to remove when the transaction ends one way or the other. */
let made: Oid[] = [], dropped: Oid[] = [];
function removeFolders(gone: readonly Oid[]): void {
  made = [];
  dropped = [];
  for (const oid of gone) rmSync(tablespaceFolder(oid), { recursive: true, force: true });
}
registerCallback({
  onCommit() { if (made.length + dropped.length > 0) removeFolders(dropped); },
  onAbort() { if (made.length + dropped.length > 0) removeFolders(made); },
});

/** Commands on one tablespace wait for each other, and for those who put something into it. */
function lockTablespace(oid: Oid): void {
  requireLocks();
  managerClient(true).acquireLock({ kind: 'object', classid: ids.TableSpaceRelationId, objid: oid, exclusive: true });
}

function refuseReservedName(name: string): void {
  if (!isReservedName(name) || getBool('allow_system_table_mods')) return;
  throw new PgError('reserved_name', `unacceptable tablespace name "${name}"`, { detail: 'The prefix "pg_" is reserved for system tablespaces.' });
}

const alreadyExists = (name: string): PgError => new PgError('duplicate_object', `tablespace "${name}" already exists`);

function createTablespace(stmt: RawNode, context: UtilityContext): void {
  preventInTransactionBlock(context, 'CREATE TABLESPACE');
  const name = stmt['tablespacename'] as string;
  if (!session.isSuperuser) throw new PgError('insufficient_privilege', `permission denied to create tablespace "${name}"`, { hint: 'Must be superuser to create a tablespace.' });
  const owner = stmt['owner'] === undefined ? session.currentUser : rolespecOid(stmt['owner'] as RoleSpec);
  const location = ((stmt['location'] as string | undefined) ?? '').replace(/(?<=.)\/+$/, '');
  if (location.includes("'")) throw new PgError('invalid_name', 'tablespace location cannot contain single quotes');
  const inPlace = location === '' && getBool('allow_in_place_tablespaces');
  if (!inPlace && !location.startsWith('/')) throw new PgError('invalid_object_definition', 'tablespace location must be an absolute path');
  const site = getString('data_directory');
  if (!inPlace && (location === site || location.startsWith(`${site}/`))) {
    sendWarning('invalid_object_definition', 'tablespace location should not be inside the data directory');
  }
  refuseReservedName(name);
  if (tablespaceByName(name) !== undefined) throw alreadyExists(name);
  const options = readOptions((stmt['options'] ?? []) as RawNode[], 'tablespace');
  if (!inPlace) {
    if (statSync(location, { throwIfNoEntry: false }) === undefined) throw new PgError('undefined_file', `directory "${location}" does not exist`);
    throw notSupported('a tablespace outside of the site');
  }
  requireLocks();
  const oid = getNewOid(ids.TableSpaceRelationId);
  catalogInsert(ids.TableSpaceRelationId, { oid, spcname: name, spcowner: owner, spcacl: null, spcoptions: options });
  recordDependencyOnOwner(ids.TableSpaceRelationId, oid, owner);
  made.push(oid);
  mkdirSync(tablespaceFolder(oid), { recursive: true });
}

function dropTablespace(stmt: RawNode, context: UtilityContext): void {
  preventInTransactionBlock(context, 'DROP TABLESPACE');
  const name = stmt['tablespacename'] as string;
  const oid = tablespaceByName(name)?.oid;
  if (oid === undefined) {
    if (stmt['missing_ok']) return ddlNotice(`tablespace "${name}" does not exist, skipping`);
    throw new PgError('undefined_object', `tablespace "${name}" does not exist`);
  }
  requireOwner(ids.TableSpaceRelationId, oid);
  if (isPinnedObject(ids.TableSpaceRelationId, oid)) throw notOwnerOrDenied('tablespace', name);
  lockTablespace(oid);
  const detail = checkSharedDependencies(ids.TableSpaceRelationId, oid);
  if (detail !== null) throw new PgError('dependent_objects_still_exist', `tablespace "${name}" cannot be dropped because some objects depend on it`, { detail });
  const holdsRelations = sharedDependentsOf(ids.TableSpaceRelationId, oid).length > 0;
  if (holdsRelations || catalogScanAll(ids.DatabaseRelationId).some((d) => d.dattablespace === oid)) {
    throw new PgError('object_not_in_prerequisite_state', `tablespace "${name}" is not empty`);
  }
  const [tuple] = catalogFind(ids.TableSpaceRelationId, ids.PgTablespaceOidIndexId, [oid]);
  if (tuple === undefined) throw new PgError('undefined_object', `tablespace "${name}" does not exist`);
  catalogDelete(ids.TableSpaceRelationId, tuple);
  deleteSharedComments(oid, ids.TableSpaceRelationId);
  deleteSharedDependencyRecordsFor(ids.TableSpaceRelationId, oid);
  dropped.push(oid);
}

export function renameTablespace(name: string, newName: string): void {
  const oid = getTablespaceOid(name);
  if (!objectOwnercheck(ids.TableSpaceRelationId, oid, session.currentUser)) throw notOwnerOrDenied('tablespace', name);
  refuseReservedName(newName);
  if (tablespaceByName(newName) !== undefined) throw alreadyExists(newName);
  catalogUpdateByKey(ids.TableSpaceRelationId, ids.PgTablespaceOidIndexId, [oid], { spcname: newName });
}

function alterTablespaceOptions(stmt: RawNode): void {
  const row = tablespaceByOid(getTablespaceOid(stmt['tablespacename'] as string))!;
  requireOwner(ids.TableSpaceRelationId, row.oid);
  const spcoptions = mergeOptions(row.spcoptions, (stmt['options'] ?? []) as RawNode[], 'tablespace', stmt['isReset'] === true);
  catalogUpdateByKey(ids.TableSpaceRelationId, ids.PgTablespaceOidIndexId, [row.oid], { spcoptions });
}

/** The relation is said to be in another tablespace (0: the database's own); the caller has checked that one. */
export function setRelationTablespace(oid: Oid, tablespace: Oid): void {
  const row = classByOid(oid)!;
  if (row.reltablespace === tablespace) return;
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { reltablespace: tablespace });
  changeDependencyOnTablespace(oid, tablespace, !'pI'.includes(row.relkind));
  commandCounterIncrement();
}

const KINDS: Readonly<Record<string, string>> = { OBJECT_TABLE: 'rp', OBJECT_INDEX: 'iI', OBJECT_MATVIEW: 'm' };

/** ALTER TABLE ALL IN TABLESPACE ... (AlterTableMoveAll). */
function moveAll(stmt: RawNode): void {
  const owners = (stmt['roles'] as RoleSpec[] | undefined)?.map((role) => rolespecOid(role));
  const name = stmt['orig_tablespacename'] as string, own = databaseTablespace();
  const from = getTablespaceOid(name), to = getTablespaceOid(stmt['new_tablespacename'] as string);
  if (from === ids.GLOBALTABLESPACE_OID || to === ids.GLOBALTABLESPACE_OID) {
    throw new PgError('invalid_parameter_value', 'cannot move relations in to or out of pg_global tablespace');
  }
  const wanted = checkedTablespace(to), present = from === own ? 0 : from;
  if (present === wanted) return;
  const kinds = KINDS[stmt['objtype'] as string]!;
  const found: Oid[] = [];
  for (const row of catalogScanAll(ids.RelationRelationId)) {
    const schema = namespaceByOid(row.relnamespace)!.nspname;
    if (row.reltablespace !== present || !kinds.includes(row.relkind) || row.relisshared || /^pg_(catalog|toast|temp_)/.test(schema)) continue;
    if (owners !== undefined && !owners.includes(row.relowner)) continue;
    requireOwner(ids.RelationRelationId, row.oid);
    if (!lockTable(row.oid, row.relname, false, ACCESS_EXCLUSIVE_LOCK, stmt['nowait'] ? 'skip' : 'block').granted) {
      throw new PgError('object_in_use', `aborting because lock on relation "${schema}.${row.relname}" is not available`);
    }
    found.push(row.oid);
  }
  if (found.length === 0) ddlNotice(`no matching relations in tablespace "${present === 0 ? '(database default)' : name}" found`, 'no_data_found');
  for (const oid of found) setRelationTablespace(openRelation(oid).oid, wanted);
}

/** Databases with something in the tablespace. */
function databasesIn(tablespace: Oid): Oid[] {
  if (tablespace === ids.GLOBALTABLESPACE_OID) {
    sendWarning('warning', 'global tablespace never has databases');
    return [];
  }
  const oids = new Set(sharedDependentsOf(ids.TableSpaceRelationId, tablespace).filter((d) => d.deptype === 'f').map((d) => d.dbid));
  for (const d of catalogScanAll(ids.DatabaseRelationId)) if (d.dattablespace === tablespace) oids.add(d.oid);
  return [...oids];
}

/** Bytes of what is in it; only the databases' own tablespaces and what this database has in others is counted. */
function tablespaceSize(oid: Oid): number | null {
  if (tablespaceByOid(oid) === undefined) return null;
  if (oid !== databaseTablespace() && !session.isSuperuser && !hasPrivsOfRole(session.currentUser, ids.ROLE_PG_READ_ALL_STATS)) {
    requirePrivilege(ids.TableSpaceRelationId, oid, ACL.CREATE);
  }
  let bytes = oid === ids.GLOBALTABLESPACE_OID ? statSync(`${GLOBAL}/data.mdb`).blocks * 512 : 0;
  for (const d of catalogScanAll(ids.DatabaseRelationId)) if (d.dattablespace === oid) bytes += databaseSize(d.oid) ?? 0;
  for (const d of sharedDependentsOf(ids.TableSpaceRelationId, oid)) if (d.deptype === 'f' && d.dbid === session.databaseOid) bytes += relationSize(d.objid) ?? 0;
  return bytes;
}

registerBuiltins({
  pure: {
    pg_tablespace_size_oid: tablespaceSize,
    pg_tablespace_size_name: (name: string) => tablespaceSize(getTablespaceOid(name)),
    pg_tablespace_location: (oid: Oid) => {
      if (oid === 0 || oid === ids.DEFAULTTABLESPACE_OID || oid === ids.GLOBALTABLESPACE_OID) return '';
      const folder = tablespaceFolder(oid);
      if (!existsSync(folder)) throw new PgError('undefined_file', `could not stat file "${folder}": No such file or directory`);
      return folder;
    },
  },
  set: {
    * pg_tablespace_databases(_c, oid: Oid): Generator<Oid> { yield* databasesIn(oid); },
  },
});

export const TABLESPACE_COMMANDS: UtilityTable = {
  CreateTableSpaceStmt: { run: createTablespace }, DropTableSpaceStmt: { run: dropTablespace }, AlterTableSpaceOptionsStmt: { run: alterTablespaceOptions },
  AlterTableMoveAllStmt: { run: moveAll },
};
