// The start of a session: the role and the database that were asked for, their settings, the snapshots' stores
// (PostgreSQL's postinit.c). Also what authentication asks of the shared catalogs before that.
import { FatalError, PgError } from '../../common/errors.ts';
import { GLOBAL, TMP, databaseFolder } from '../../common/site.ts';
import { crossCommitsPending, finishCrossCommits } from '../access/cross_commit.ts';
import { temporaryFiles } from '../access/temporary_file.ts';
import { isMemberOfRoleNosuper } from '../catalog/acl.ts';
import { aclcheckDatabase } from '../catalog/aclchk.ts';
import { catalogFind } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { actualCollationVersion } from '../catalog/pg_collation.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import type { PgDatabase } from '../catalog/rows.ts';
import { authIdByName, databaseByName } from '../catalog/syscache.ts';
import { rememberSessionRole } from '../commands/role_settings.ts';
import { setAuthCatalog } from '../libpq/auth_catalog.ts';
import type { Connection } from '../libpq/connection.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { abortCurrentTransaction, commitTransactionCommand, renewSnapshot, setStorePaths, startTransactionCommand } from '../transaction/xact.ts';
import { backendByPid, countOtherBackends, reportApplicationName, reportSession } from '../utils/backend_status.ts';
import { addContext } from '../utils/error_context.ts';
import { logError, shouldSendToClient, shouldLog } from '../utils/elog.ts';
import { beginReporting, defineHooks, getString, processGucArray, setConfigOption, setInternal } from '../utils/guc.ts';
import { statisticsBegin } from '../utils/pgstat.ts';
import { sendWarning, session } from '../utils/session.ts';
import { setDatabaseCollation } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { sendNoticeResponse, sendParameterStatus, hasFrontend } from './protocol.ts';
import { currentTimestamp } from './statement.ts';

const UNIX_EPOCH_TO_2000_MS = 946684800000;

/** Lets authentication look into global/; called when the floors are loaded, before any fork. */
export function installAuthCatalog(): void {
  const inTransaction = <T>(work: () => T): T => {
    setStorePaths(GLOBAL, null);
    startTransactionCommand();
    try {
      renewSnapshot();
      const result = work();
      commitTransactionCommand();
      return result;
    } catch (error) {
      abortCurrentTransaction();
      throw error;
    }
  };
  setAuthCatalog({
    role: (name) => inTransaction(() => {
      const role = authIdByName(name);
      if (role === undefined) return undefined;
      const until = role.rolvaliduntil;
      return {
        isSuperuser: role.rolsuper, password: role.rolpassword,
        validUntilMs: until === null || typeof until === 'bigint' ? null : until / 1000 + UNIX_EPOCH_TO_2000_MS,
      };
    }),
    isMember: (user, group) => inTransaction(() => {
      const member = authIdByName(user);
      const role = authIdByName(group);
      return member !== undefined && role !== undefined && isMemberOfRoleNosuper(member.oid, role.oid);
    }),
  });
}

/** What the notices of this session do, and the settings it reports. */
function connectSession(): void {
  session.notice = (notice: PgError) => {
    addContext(notice);
    if (shouldLog(notice.severity)) logError(notice);
    if (hasFrontend() && shouldSendToClient(notice.severity)) sendNoticeResponse(notice);
  };
  session.reportParameter = hasFrontend() ? sendParameterStatus : () => {};
}

/** Opens the session; a FatalError says why it cannot be. */
export function initPostgres(connection: Connection): void {
  connectSession();
  setStorePaths(GLOBAL, null);
  startTransactionCommand();
  renewSnapshot();
  const role = authIdByName(connection.user);
  if (role === undefined) throw new FatalError('invalid_authorization_specification', `role "${connection.user}" does not exist`);
  if (!role.rolcanlogin) throw new FatalError('invalid_authorization_specification', `role "${connection.user}" is not permitted to log in`);
  const database = databaseByName(connection.database);
  if (database === undefined) throw new FatalError('undefined_database', `database "${connection.database}" does not exist`);
  session.isSuperuser = role.rolsuper;
  session.authenticatedUser = session.sessionUser = session.currentUser = role.oid;
  if (!database.datallowconn) {
    throw new FatalError('object_not_in_prerequisite_state', `database "${database.datname}" is not currently accepting connections`);
  }
  if (!role.rolsuper) {
    if (!aclcheckDatabase(database.oid, role.oid, ACL.CONNECT)) {
      throw new FatalError('insufficient_privilege', `permission denied for database "${database.datname}"`, { detail: 'User does not have CONNECT privilege.' });
    }
    if (database.datconnlimit >= 0 && countOtherBackends(database.oid) >= database.datconnlimit) {
      throw new FatalError('too_many_connections', `too many connections for database "${database.datname}"`);
    }
  }
  commitTransactionCommand();
  openDatabase(database.oid, database.datname);
  useCollation(database);
  session.clientAddress = connection.remoteAddress;
  session.clientFd = connection.frontend.fd;
  session.clientPort = connection.remotePort;
  session.backendStart = BigInt(currentTimestamp());
  reportSession(database.oid, role.oid, connection.remoteAddress, connection.remotePort);
  statisticsBegin();
  startTransactionCommand();
  renewSnapshot();
  applySettings(connection, database.oid, role.oid);
  const cutOff = crossCommitsPending();
  commitTransactionCommand();
  if (cutOff) finishCrossCommits((pid) => backendByPid(pid) !== undefined);
  beginReporting();
}

/** The default collation of this session. Warns if ICU is no longer what it was when the database was made. */
function useCollation({ datname, datlocprovider, datctype, daticulocale, datcollversion }: PgDatabase): void {
  setDatabaseCollation(datctype, daticulocale);
  if (datcollversion === null) return;
  const actual = actualCollationVersion(datlocprovider, daticulocale);
  if (actual === null) return sendWarning('warning', `database "${datname}" has no actual collation version, but a version was recorded`);
  if (datcollversion === actual) return;
  sendWarning('warning', `database "${datname}" has a collation version mismatch`, {
    detail: `The database was created using collation version ${datcollversion}, but the operating system provides version ${actual}.`,
    hint: `Rebuild all objects in this database that use the default collation and run ALTER DATABASE ${quoteIdentifier(datname)} REFRESH COLLATION VERSION, or build PostgreSQL with the right library version.`,
  });
}

/** From now on this process works in that database. */
export function openDatabase(oid: Oid, name: string): void {
  temporaryFiles.directory = TMP;
  session.databaseOid = oid;
  session.databaseName = name;
  setStorePaths(GLOBAL, databaseFolder(oid));
}

/** Settings of the database, the role, both together, then the start-up packet's (process_settings). */
function applySettings(connection: Connection, database: Oid, role: Oid): void {
  setInternal('is_superuser', session.isSuperuser ? 'on' : 'off');
  rememberSessionRole(connection.user);
  setInternal('session_authorization', connection.user);
  const stored = (db: Oid, r: Oid): readonly string[] =>
    catalogFind(ids.DbRoleSettingRelationId, ids.PgDbRoleSettingDatabaseidRolIndexId, [db, r])[0]?.row.setconfig ?? [];
  processGucArray(stored(0, 0), 'superuser', 'global');
  processGucArray(stored(database, 0), 'superuser', 'database');
  processGucArray(stored(0, role), 'superuser', 'user');
  processGucArray(stored(database, role), 'superuser', 'database user');
  for (const [name, value] of connection.settings) {
    try {
      setConfigOption(name, value, session.isSuperuser ? 'superuser' : 'backend', 'client');
    } catch (error) {
      if (error instanceof PgError) error.severity = 'FATAL';
      throw error;
    }
  }
  reportApplicationName(getString('application_name'));
}

defineHooks('application_name', { assign: (value) => reportApplicationName(String(value)) });
