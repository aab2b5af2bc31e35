// Functions about the session, other backends and the server: version, pg_stat_activity, pg_cancel_backend, pg_sleep,
// transaction ids, notifications, prepared statements and cursors (PostgreSQL's misc.c, signalfuncs.c, pgstatfuncs.c).
import { readFileSync } from 'node:fs';
import { triggerDepth } from '../executor/trigger.ts';
import { PgError } from '../../common/errors.ts';
import { POSTMASTER_PID, readSiteFile } from '../../common/site.ts';
import { EINTR, port } from '../../port/port.ts';
import { hasPrivsOfRole, superuserArg } from '../catalog/acl.ts';
import { hasRoleByName } from '../catalog/aclchk.ts';
import { collationName } from '../rewrite/ruleutils/object_names.ts';
import { formatType } from '../catalog/format_type.ts';
import { actualCollationVersion } from '../catalog/pg_collation.ts';
import { classByOid, typeByOid, databaseByOid } from '../catalog/syscache.ts';
import { allPortals, findPortal } from '../tcop/portal.ts';
import { exportSnapshot } from '../transaction/exported_snapshots.ts';
import { currentTransactionId, currentTransactionIdIfAny, snapshotXids, transactionStatus } from '../transaction/xact.ts';
import { makeArray, type ArrayValue, type Datum, type Int8 } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';
import { REGTYPEOID, UNKNOWNOID } from '../types/oids.ts';
import { PgSnapshot } from '../types/pg_lsn.ts';
import { backendByPid, backends, reportWait, type BackendStatus } from '../utils/backend_status.ts';
import { log } from '../utils/elog.ts';
import { getInt, getString } from '../utils/guc.ts';
import { configLoadTime } from '../utils/guc_file.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { sendWarning, session } from '../utils/session.ts';
import { ROLE_PG_READ_ALL_STATS } from '../catalog/oids.ts';
import { allPreparedStatements } from './prepare.ts';
import { rowMaker } from './set_results.ts';

const FIRST_NORMAL_XID = 3, FIRST_MULTIXACT = 1, INT_MAX = 2_147_483_647;
const VOID = '';
const SIGHUP = 1, SIGINT = 2, SIGTERM = 15;
const INETOID = 869;

/** As drivers read it: the version whose behaviour this is, then whose it is. */
const VERSION_TEXT = 'PostgreSQL 15.18 (Posthouse) on Node.js';

// ---- time

const noFds = new Int32Array(0);
const noEvents = new Int16Array(0);

function sleep(seconds: number): Datum {
  const end = performance.now() + seconds * 1000;
  reportWait('PgSleep');
  try {
    for (;;) {
      checkForInterrupts();
      const left = end - performance.now();
      if (left <= 0) return VOID;
      const result = port.poll(noFds, noEvents, noEvents, 0, Math.min(Math.ceil(left), 600_000));
      if (result < 0 && result !== -EINTR) throw new PgError('internal_error', `poll failed: ${-result}`);
    }
  } finally {
    reportWait(null);
  }
}

// ---- other backends

function warnNoBackend(pid: number): false {
  sendWarning('warning', `PID ${pid} is not a PostgreSQL backend process`);
  return false;
}

function signalBackend(pid: number, signal: number): boolean {
  const backend = backendByPid(pid);
  if (backend === undefined) return warnNoBackend(pid);
  const cancel = signal === SIGINT;
  if (superuserArg(backend.roleOid) && !session.isSuperuser) {
    throw new PgError('insufficient_privilege', cancel ? 'must be a superuser to cancel superuser query' : 'must be a superuser to terminate superuser process');
  }
  if (!hasPrivsOfRole(session.currentUser, backend.roleOid) && !hasRoleByName(session.currentUser, 'pg_signal_backend')) {
    throw new PgError('insufficient_privilege', cancel
      ? 'must be a member of the role whose query is being canceled or member of pg_signal_backend'
      : 'must be a member of the role whose process is being terminated or member of pg_signal_backend');
  }
  if (port.kill(pid, signal) === 0) return true;
  return warnNoBackend(pid);
}

function terminateBackend(pid: number, timeoutMs: number): boolean {
  if (timeoutMs < 0) throw new PgError('numeric_value_out_of_range', '"timeout" must not be negative');
  if (!signalBackend(pid, SIGTERM)) return false;
  if (timeoutMs === 0) return true;
  const end = performance.now() + timeoutMs;
  while (backendByPid(pid) !== undefined) {
    if (performance.now() >= end) {
      sendWarning('warning', `backend with PID ${pid} did not terminate within ${timeoutMs} milliseconds`);
      return false;
    }
    sleep(0.01);
  }
  return true;
}

/** Into the log goes what the system knows of the process, whoever's it is. */
function logMemory(pid: number): boolean {
  if (backendByPid(pid) === undefined) {
    sendWarning('warning', `PID ${pid} is not a PostgreSQL server process`);
    return false;
  }
  const figure = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? 'unknown';
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  log('LOG', `memory of PID ${pid}: ${figure('VmRSS')} resident, ${figure('RssAnon')} of it its own, ${figure('VmHWM')} at most`);
  return true;
}

// Messages go to standard error: there is no file of the server's own.
const noLogFile = (): false => {
  sendWarning('warning', 'rotation not possible because log collection not active');
  return false;
};
function currentLogFile(format: string | null): null {
  if (format !== null && !['stderr', 'csvlog', 'jsonlog'].includes(format)) {
    throw new PgError('invalid_parameter_value', `log format "${format}" is not supported`, { hint: 'The supported log formats are "stderr", "csvlog", and "jsonlog".' });
  }
  return null;
}

function postmasterPid(): number {
  return Number.parseInt(readSiteFile(POSTMASTER_PID), 10);
}

/** HAS_PGSTAT_PERMISSIONS. */
export const maySee = (b: BackendStatus): boolean => hasPrivsOfRole(session.currentUser, b.roleOid) || hasPrivsOfRole(session.currentUser, ROLE_PG_READ_ALL_STATS);
const timeOrNull = (t: number): Datum => (t === 0 ? null : t);
export const inet = (address: string | null): Datum => (address === null ? null : typeHooks.typeIo(INETOID).input(address, -1));

/** Where this session's client has connected to; null: a Unix socket. */
function serverAddress(): string | null {
  const address = session.clientAddress === null ? null : port.socketAddress(session.clientFd);
  return address === null || typeof address === 'number' ? null : address.address;
}

/** What it waits for: type and name. */
export function waitEventOf(b: BackendStatus): readonly [Datum, Datum] {
  const idle = b.state === 'idle' || b.state === 'idle in transaction' || b.state === 'idle in transaction (aborted)';
  return idle ? ['Client', 'ClientRead'] : b.waitEvent ?? [null, null];
}

function activityOf(b: BackendStatus): Record<string, Datum> {
  const common = { datid: b.databaseOid || null, pid: b.pid, usesysid: b.roleOid || null, application_name: b.applicationName, backend_type: b.leaderPid === 0 ? 'client backend' : 'parallel worker', ssl: false, gss_auth: false, gss_enc: false };
  if (!maySee(b)) return { ...common, query: '<insufficient privilege>' };
  const [waitType, waitEvent] = waitEventOf(b);
  return {
    ...common, leader_pid: b.leaderPid || null, state: b.state === '' ? null : b.state, query: b.query, wait_event_type: waitType, wait_event: waitEvent,
    xact_start: timeOrNull(b.xactStart), query_start: timeOrNull(b.queryStart), backend_start: timeOrNull(b.backendStart), state_change: timeOrNull(b.stateChange),
    client_addr: inet(b.clientAddress), client_port: b.leaderPid !== 0 ? null : b.clientAddress === null ? -1 : b.clientPort,
  };
}

// ---- numbers of arguments that are NULL

function countNulls(args: readonly Datum[], variadic: boolean, nulls: boolean): Datum {
  if (variadic) {
    const array = args[0] as ArrayValue | null;
    if (array === null) return null;
    return array.values.filter((v) => (v === null) === nulls).length;
  }
  return args.filter((v) => (v === null || v === undefined) === nulls).length;
}

/** No site is a standby that follows another. */
function notInRecovery(): never {
  throw new PgError('object_not_in_prerequisite_state', 'recovery is not in progress', { hint: 'Recovery control functions can only be executed during recovery.' });
}

function noCommitTimestamps(): never {
  throw new PgError('object_not_in_prerequisite_state', 'could not get commit timestamp data', { hint: 'Make sure the configuration parameter "track_commit_timestamp" is set.' });
}

registerBuiltins({
  pure: {
    pg_is_wal_replay_paused: notInRecovery, pg_get_wal_replay_pause_state: notInRecovery, pg_wal_replay_pause: notInRecovery, pg_wal_replay_resume: notInRecovery,
    pg_promote: notInRecovery, pg_last_wal_receive_lsn: () => null, pg_last_xact_replay_timestamp: () => null,
    pg_xact_commit_timestamp: noCommitTimestamps, pg_xact_commit_timestamp_origin: noCommitTimestamps, pg_last_committed_xact: noCommitTimestamps,
    pg_database_collation_actual_version: (oid: number) => {
      const row = databaseByOid(oid);
      if (row === undefined) throw new PgError('undefined_object', `database with OID ${oid} does not exist`);
      return actualCollationVersion(row.datlocprovider, row.daticulocale);
    },
    inet_server_addr: () => inet(serverAddress()),
    inet_server_port: () => (session.clientAddress === null ? null : getInt('port')),
    pgsql_version: () => VERSION_TEXT,
    pg_backend_pid: () => session.pid,
    pg_client_encoding: () => getString('client_encoding'),
    pg_is_in_recovery: () => false,
    pg_jit_available: () => false,
    pg_trigger_depth: triggerDepth,
    pg_relation_is_publishable: (oid: number) => {
      const row = classByOid(oid);
      return row === undefined ? null : oid >= 16384 && row.relpersistence === 'p' && (row.relkind === 'r' || row.relkind === 'p');
    },
    current_query: () => findPortal('')?.sourceText ?? null,
    inet_client_addr: () => inet(session.clientAddress),
    inet_client_port: () => (session.clientAddress === null ? null : session.clientPort),
    pg_sleep: sleep,
    pg_cancel_backend: (pid: number) => signalBackend(pid, SIGINT),
    pg_terminate_backend: terminateBackend,
    pg_log_backend_memory_contexts: logMemory,
    pg_rotate_logfile: noLogFile, pg_rotate_logfile_v2: noLogFile,
    pg_current_logfile: () => currentLogFile(null), pg_current_logfile_1arg: currentLogFile,
    pg_reload_conf: () => port.kill(postmasterPid(), SIGHUP) === 0,
    pg_conf_load_time: configLoadTime,
    pg_postmaster_start_time: () => (Number(readSiteFile(POSTMASTER_PID).split('\n')[2]) * 1000 - 946684800000) * 1000,
    pg_current_xact_id: () => currentTransactionId(),
    // Numbers of transactions never go round here, and there are no multixacts; clients look at both all the same.
    xid_age: (xid: number) => (xid < FIRST_NORMAL_XID ? INT_MAX : (currentTransactionId() - xid) | 0),
    mxid_age: (mxid: number) => (mxid === 0 ? INT_MAX : (FIRST_MULTIXACT - mxid) | 0),
    pg_current_xact_id_if_assigned: () => currentTransactionIdIfAny() || null,
    pg_current_snapshot: () => {
      const { xmax, xip } = snapshotXids();
      return new PgSnapshot(BigInt(xip[0] ?? xmax), BigInt(xmax), xip.map(BigInt));
    },
    pg_export_snapshot: exportSnapshot,
    pg_xact_status: (xid: Int8) => {
      const status = xid > Number.MAX_SAFE_INTEGER || xid < 0 ? 'future' : transactionStatus(Number(xid));
      if (status === 'future') throw new PgError('invalid_parameter_value', `transaction ID ${BigInt.asUintN(64, BigInt(xid))} is in the future`);
      return status === 'unknown' ? null : status;
    },
  },
  context: {
    pg_typeof: (context) => {

      return context.argTypes[0] ?? 0;
    },
    pg_collation_for: (context) => {
      const type = context.argTypes[0] ?? 0;
      if (type !== UNKNOWNOID && typeByOid(type)?.typcollation === 0) throw new PgError('datatype_mismatch', `collations are not supported by type ${formatType(type)}`);
      return context.collation === 0 ? null : collationName(context.collation);
    },
    pg_num_nulls: (context, ...args) => countNulls(args, context.variadic, true),
    pg_num_nonnulls: (context, ...args) => countNulls(args, context.variadic, false),
  },
  set: {
    * pg_stat_get_activity(context, pid: number | null) {
      const { named } = rowMaker(context);
      for (const b of backends()) if (pid === null || b.pid === pid) yield named(activityOf(b));
    },
    * pg_prepared_statement(context) {
      const { named } = rowMaker(context);
      for (const p of allPreparedStatements()) {
        const { statement } = p;
        yield named({
          name: p.name, statement: statement.text, prepare_time: p.prepareTime, parameter_types: makeArray(REGTYPEOID, statement.paramTypes), from_sql: p.fromSql,
          generic_plans: statement.genericPlans, custom_plans: statement.customPlans,
        });
      }
    },
    * pg_cursor(context) {
      const { named } = rowMaker(context);
      for (const portal of allPortals()) {
        if (portal.name === '' || portal.status === 'active') continue;
        yield named({
          name: portal.name, statement: portal.sourceText, is_holdable: portal.options.hold ?? false, is_binary: portal.formats[0] === 1 || portal.options.binary === true, is_scrollable: !(portal.options.noScroll ?? false),
          creation_time: portal.creationTime,
        });
      }
    },
    // There is no write-ahead log to be archived.
    * pg_ls_archive_statusdir() { /* nothing */ },
  },
});
