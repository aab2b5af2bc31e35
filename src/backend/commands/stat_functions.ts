// What statistics views and a few others ask beside the counts (pgstat_functions.ts): what backends do, and what nobody does or counts
// here: such counters are zero, times unknown, and processes that do not exist (WAL senders, receivers, progress of commands) have no rows.
import { publishedTables } from '../catalog/publication.ts';
import { PgError } from '../../common/errors.ts';
import { makeArray, type ArrayValue, type Datum, type Oid } from '../types/datum.ts';
import { INT2OID } from '../types/oids.ts';
import { registerBuiltins, type ContextFunction, type PureFunction, type SetFunction } from '../types/fmgr.ts';
import { backends, type BackendStatus } from '../utils/backend_status.ts';
import { inet, maySee, waitEventOf } from './admin_functions.ts';
import { sharedResetTime } from './pgstat_functions.ts';
import { rowMaker } from './set_results.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Nobody does such things here: no autovacuum, no background writer, no standby. */
const COUNTERS = words(`
  autoanalyze_count autovacuum_count bgwriter_buf_written_checkpoints bgwriter_buf_written_clean bgwriter_maxwritten_clean
  bgwriter_timed_checkpoints buf_alloc buf_fsync_backend buf_written_backend checkpoint_sync_time
  checkpoint_write_time db_blk_read_time db_blk_write_time db_conflict_all db_conflict_bufferpin db_conflict_lock
  db_conflict_snapshot db_conflict_startup_deadlock db_conflict_tablespace`);

const UNKNOWN = words('db_checksum_failures db_checksum_last_failure last_autoanalyze_time last_autovacuum_time');

const NO_ROWS = words(`
  pg_ls_logicalsnapdir pg_ls_logicalmapdir pg_stat_get_wal_senders pg_get_replication_slots pg_show_replication_origin_status
  pg_get_shmem_allocations`);

/** The commands whose progress is told by PostgreSQL's views. */
const PROGRESS = new Set(['VACUUM', 'ANALYZE', 'CLUSTER', 'CREATE INDEX', 'BASEBACKUP', 'COPY']);

function noSlot(name: string | null): string {
  if (name !== null) throw new PgError('invalid_parameter_value', `replication slot "${name}" does not exist`);
  return '';
}

/** Numbers of backends count from 1. */
const backendOf = (number: number): BackendStatus | undefined => backends().find((b) => b.slot === number - 1);

/** What a backend does, by its number; what only its owner may see is empty for others. */
const ofBackend = (what: (b: BackendStatus) => Datum): PureFunction => (number: number) => {
  const found = backendOf(number);
  return found === undefined ? null : what(found);
};
const ownersOnly = (what: (b: BackendStatus) => Datum): PureFunction => ofBackend((b) => (maySee(b) ? what(b) : null));
/** Texts that say why there is nothing to see. */
const spoken = (what: (b: BackendStatus) => Datum): PureFunction => (number: number) => {
  const found = backendOf(number);
  if (found === undefined) return '<backend information not available>';
  return maySee(found) ? what(found) : '<insufficient privilege>';
};

const pure: Record<string, PureFunction> = {
  pg_stat_reset_replication_slot: noSlot,
  pg_stat_get_backend_activity: spoken((b) => b.query),
  pg_stat_get_backend_wait_event_type: spoken((b) => waitEventOf(b)[0]),
  pg_stat_get_backend_wait_event: spoken((b) => waitEventOf(b)[1]),
  pg_stat_get_backend_client_addr: ownersOnly((b) => inet(b.clientAddress)),
  pg_stat_get_backend_pid: ofBackend((b) => b.pid),
  pg_stat_get_backend_dbid: ofBackend((b) => b.databaseOid),
  pg_stat_get_backend_userid: ofBackend((b) => b.roleOid),
  pg_stat_get_backend_start: ownersOnly((b) => b.backendStart || null),
  pg_stat_get_backend_xact_start: ownersOnly((b) => b.xactStart || null),
  pg_stat_get_backend_activity_start: ownersOnly((b) => b.queryStart || null),
  pg_stat_get_backend_client_port: ownersOnly((b) => (b.clientAddress === null ? -1 : b.clientPort)),
  pg_stat_get_db_numbackends: (oid: Oid) => backends().filter((b) => b.databaseOid === oid).length,
};
for (const name of COUNTERS) pure[`pg_stat_get_${name}`] = () => 0;
for (const name of UNKNOWN) pure[`pg_stat_get_${name}`] = () => null;

const zeros = (...names: string[]): Record<string, Datum> => Object.fromEntries(names.map((name) => [name, 0]));

const context: Record<string, ContextFunction> = {
  pg_stat_get_archiver: (c) => rowMaker(c).named({ ...zeros('archived_count', 'failed_count'), stats_reset: sharedResetTime('archiver') }),
  pg_stat_get_wal_receiver: () => null,
};

const set: Record<string, SetFunction> = {
  * pg_get_publication_tables(c, name: string) {
    const { named } = rowMaker(c);
    for (const t of publishedTables(name)) yield named({ relid: t.relid, attrs: t.attrs === null ? null : makeArray(INT2OID, [...t.attrs]), qual: t.qual });
  },
  * pg_stat_get_backend_idset() {
    for (const b of backends()) yield b.slot + 1;
  },
  pg_stat_get_progress_info(_context, command: string) {
    if (!PROGRESS.has(command.toUpperCase())) throw new PgError('invalid_parameter_value', `invalid command name: "${command}"`);
    return [];
  },
  pg_ls_replslotdir: (_context, name: string) => {
    throw new PgError('undefined_object', `replication slot "${name}" does not exist`);
  },
  * pg_options_to_table(c, options: ArrayValue) {
    const { named } = rowMaker(c);
    if (options.values.includes(null)) throw new PgError('null_value_not_allowed', 'null array element not allowed in this context');
    for (const option of options.values as string[]) {
      const at = option.indexOf('=');
      yield named({ option_name: at < 0 ? option : option.slice(0, at), option_value: at < 0 ? null : option.slice(at + 1) });
    }
  },
  * pg_available_extensions(c) {
    yield rowMaker(c).named({ name: 'plpgsql', default_version: '1.0', comment: 'PL/pgSQL procedural language' });
  },
  * pg_available_extension_versions(c) {
    yield rowMaker(c).named({
      name: 'plpgsql', version: '1.0', superuser: true, trusted: true, relocatable: false, schema: 'pg_catalog', requires: null, comment: 'PL/pgSQL procedural language',
    });
  },
};
for (const name of NO_ROWS) set[name] = () => [];

registerBuiltins({ pure, context, set });
