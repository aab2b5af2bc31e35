// What the statistics views ask of the counts of a site (PostgreSQL's pgstatfuncs.c; utils/pgstat.ts has how they are counted), and what
// resets them. Within a transaction they stand still as stats_fetch_consistency says.
import { PgError } from '../../common/errors.ts';
import { countedSoFar } from '../access/writeset.ts';
import { classByOid } from '../catalog/syscache.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { registerBuiltins, type PureFunction } from '../types/fmgr.ts';
import { now } from '../utils/backend_status.ts';
import { forceNextFlush, pendingFunction, pendingRelation, resetDatabase, resetShared, resetSlru, resetStatistics } from '../utils/pgstat.ts';
import { BGWRITER, DATABASE, FIRST_SLRU, FUNCTION, KIND, RELATION, SHARED, eachEntry, findEntry, readEntry } from '../utils/pgstat_shmem.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';

// --- What a transaction sees

const seen = new Map<string, Float64Array | null>();
/** When all was read at once; 0: it was not. */
let snapshotTime = 0;
/** The transaction that has seen it, by its beginning. */
let seenIn = 0;
function forget(): void {
  seen.clear();
  snapshotTime = 0;
  seenIn = session.transactionStart;
}
const forgetOlder = (): void => { if (seenIn !== session.transactionStart) forget(); };

const keyOf = (database: Oid, kind: number, oid: Oid): string => `${kind}/${database}/${oid}`;

function readNow(database: Oid, kind: number, oid: Oid): Float64Array | null {
  const entry = findEntry(database, kind, oid);
  return entry === 0 ? null : readEntry(entry);
}

/** The object's values; null: there are none. */
function valuesOf(kind: number, oid: Oid, database = session.databaseOid): Float64Array | null {
  const consistency = settings.stats_fetch_consistency;
  forgetOlder();
  if (consistency === 'none') return readNow(database, kind, oid);
  if (consistency === 'snapshot' && snapshotTime === 0) {
    snapshotTime = now();
    eachEntry((entry, of, k, o) => { if (of === session.databaseOid || k === KIND.database || k === KIND.shared) seen.set(keyOf(of, k, o), readEntry(entry)); });
  }
  const key = keyOf(database, kind, oid);
  let values = seen.get(key);
  if (values === undefined) seen.set(key, (values = snapshotTime === 0 ? readNow(database, kind, oid) : null));
  return values;
}

// --- Functions by what they show

const ofRelation = (value: number): PureFunction => (oid: Oid) => valuesOf(KIND.relation, oid)?.[value] ?? 0;
const ofRelationTime = (value: number): PureFunction => (oid: Oid) => valuesOf(KIND.relation, oid)?.[value] || null;
const ofDatabase = (value: number): PureFunction => (oid: Oid) => valuesOf(KIND.database, 0, oid)?.[value] ?? 0;
const ofDatabaseMs = (value: number): PureFunction => (oid: Oid) => (valuesOf(KIND.database, 0, oid)?.[value] ?? 0) / 1000;
const ofFunction = (show: (values: Float64Array) => Datum): PureFunction => (oid: Oid) => {
  const values = valuesOf(KIND.function, oid);
  return values === null ? null : show(values);
};
const pendingOf = (show: (values: Float64Array) => Datum): PureFunction => (oid: Oid) => {
  const values = pendingFunction(oid);
  return values === undefined || values[FUNCTION.calls] === 0 ? null : show(values);
};
const xact = (value: number, what?: 'inserted' | 'updated' | 'deleted'): PureFunction => (oid: Oid) => {
  const counts = pendingRelation(oid);
  if (counts === undefined) return 0;
  return counts[value]! + (what === undefined ? 0 : countedSoFar(counts)[what]);
};

/** When what is there once in a site was reset. */
export const sharedResetTime = (what: keyof typeof SHARED): number | null => readNow(0, KIND.shared, SHARED[what])?.[DATABASE.resetTime] || null;

export const slruResetTime = (index: number): number | null => readNow(0, KIND.shared, FIRST_SLRU + index)?.[DATABASE.resetTime] || null;

const RELATION_VALUES: Readonly<Record<string, number>> = {
  numscans: RELATION.scans, tuples_returned: RELATION.returned, tuples_fetched: RELATION.fetched, tuples_inserted: RELATION.inserted,
  tuples_updated: RELATION.updated, tuples_deleted: RELATION.deleted, tuples_hot_updated: RELATION.hotUpdated, dead_tuples: RELATION.dead,
  mod_since_analyze: RELATION.changed, ins_since_vacuum: RELATION.insertedSinceVacuum, blocks_fetched: RELATION.blocksFetched, blocks_hit: RELATION.blocksHit,
  vacuum_count: RELATION.vacuums, analyze_count: RELATION.analyzes,
};
const XACT_VALUES: Readonly<Record<string, PureFunction>> = {
  numscans: xact(RELATION.scans), tuples_returned: xact(RELATION.returned), tuples_fetched: xact(RELATION.fetched), tuples_hot_updated: xact(RELATION.hotUpdated),
  tuples_inserted: xact(RELATION.inserted, 'inserted'), tuples_updated: xact(RELATION.updated, 'updated'), tuples_deleted: xact(RELATION.deleted, 'deleted'),
  blocks_fetched: xact(RELATION.blocksFetched), blocks_hit: xact(RELATION.blocksFetched),
};
const DATABASE_VALUES: Readonly<Record<string, number>> = {
  xact_commit: DATABASE.commits, xact_rollback: DATABASE.rollbacks, blocks_fetched: DATABASE.blocksFetched, blocks_hit: DATABASE.blocksHit,
  tuples_returned: DATABASE.returned, tuples_fetched: DATABASE.fetched, tuples_inserted: DATABASE.inserted, tuples_updated: DATABASE.updated,
  tuples_deleted: DATABASE.deleted, deadlocks: DATABASE.deadlocks, temp_files: DATABASE.temporaryFiles, temp_bytes: DATABASE.temporaryBytes,
  sessions: DATABASE.sessions, sessions_abandoned: DATABASE.abandoned, sessions_fatal: DATABASE.fatal, sessions_killed: DATABASE.killed,
};
const DATABASE_MS: Readonly<Record<string, number>> = {
  session_time: DATABASE.sessionTime, active_time: DATABASE.activeTime, idle_in_transaction_time: DATABASE.idleInTransactionTime,
};

const FIXED_KINDS = new Set(['archiver', 'bgwriter', 'checkpointer', 'slru', 'wal']);
const VARIABLE_KINDS = new Set(['database', 'relation', 'function', 'replslot', 'subscription']);

function haveStats(kind: string, database: Oid, oid: Oid): boolean {
  if (FIXED_KINDS.has(kind)) return true;
  if (!VARIABLE_KINDS.has(kind)) throw new PgError('invalid_parameter_value', `invalid statistics kind: "${kind}"`);
  return (kind === 'database' || kind === 'relation' || kind === 'function') && findEntry(database, KIND[kind], oid) !== 0;
}

const RESET_TARGETS = ['archiver', 'bgwriter', 'recovery_prefetch', 'wal'] as const;
function reset(target: string): string {
  const found = RESET_TARGETS.find((t) => t === target);
  if (found === undefined) {
    throw new PgError('invalid_parameter_value', `unrecognized reset target: "${target}"`, { hint: 'Target must be "archiver", "bgwriter", "recovery_prefetch", or "wal".' });
  }
  resetShared(found);
  return '';
}

/** Functions that return void. */
const after = (work: (oid: Oid) => void): PureFunction => (oid: Oid) => {
  work(oid);
  return '';
};

const pure: Record<string, PureFunction> = {
  pg_stat_get_live_tuples: (oid: Oid) => Math.max(0, valuesOf(KIND.relation, oid)?.[RELATION.live] ?? classByOid(oid)?.reltuples ?? 0),
  pg_stat_get_last_vacuum_time: ofRelationTime(RELATION.vacuumTime),
  pg_stat_get_last_analyze_time: ofRelationTime(RELATION.analyzeTime),
  pg_stat_get_db_stat_reset_time: (oid: Oid) => valuesOf(KIND.database, 0, oid)?.[DATABASE.resetTime] || null,
  pg_stat_get_bgwriter_stat_reset_time: () => sharedResetTime('bgwriter'),
  pg_stat_get_function_calls: ofFunction((v) => v[FUNCTION.calls]!),
  pg_stat_get_function_total_time: ofFunction((v) => v[FUNCTION.totalTime]! / 1000),
  pg_stat_get_function_self_time: ofFunction((v) => v[FUNCTION.selfTime]! / 1000),
  pg_stat_get_xact_function_calls: pendingOf((v) => v[FUNCTION.calls]!),
  pg_stat_get_xact_function_total_time: pendingOf((v) => v[FUNCTION.totalTime]! / 1000),
  pg_stat_get_xact_function_self_time: pendingOf((v) => v[FUNCTION.selfTime]! / 1000),
  pg_stat_get_snapshot_timestamp: () => {
    forgetOlder();
    return snapshotTime || null;
  },
  pg_stat_clear_snapshot: after(forget),
  pg_stat_force_next_flush: after(forceNextFlush),
  pg_stat_have_stats: haveStats,
  pg_stat_reset: after(resetDatabase),
  pg_stat_reset_shared: reset,
  pg_stat_reset_slru: (name: string | null) => {
    resetSlru(name);
    return '';
  },
  pg_stat_get_bgwriter_requested_checkpoints: () => valuesOf(KIND.shared, SHARED.bgwriter, 0)?.[BGWRITER.requestedCheckpoints] ?? 0,
  pg_stat_reset_single_table_counters: after((oid) => resetStatistics('relation', oid)),
  pg_stat_reset_single_function_counters: after((oid) => resetStatistics('function', oid)),
};
for (const [name, value] of Object.entries(RELATION_VALUES)) pure[`pg_stat_get_${name}`] = ofRelation(value);
for (const [name, fn] of Object.entries(XACT_VALUES)) pure[`pg_stat_get_xact_${name}`] = fn;
for (const [name, value] of Object.entries(DATABASE_VALUES)) pure[`pg_stat_get_db_${name}`] = ofDatabase(value);
for (const [name, value] of Object.entries(DATABASE_MS)) pure[`pg_stat_get_db_${name}`] = ofDatabaseMs(value);

registerBuiltins({ pure });
