// What a session counts of its tables, functions and transactions (PostgreSQL's pgstat.c): numbers in its own memory, which it adds to
// those of the site (pgstat_shmem.ts) outside of transactions, at most once a second, and at its end. A relation's numbers are an
// array that its Relation holds (`counts`), so that a scan adds to them once for a block. What is changed counts at the end of
// the transaction (access/writeset.ts), as rows that were rolled back are no live ones.
import { port } from '../../port/port.ts';
import { now, timeSpent } from './backend_status.ts';
import { BGWRITER, DATABASE, FIRST_SLRU, FUNCTION, KIND, RELATION, SHARED, SLRU, SUMMED, addValue, clearEntry, eachEntry, findEntry, hasTable, isEntryOf, makeEntry, removeEntry, setValue } from './pgstat_shmem.ts';
import type { Oid } from '../types/datum.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';

/** What a session adds to; RELATION names the places. */
const COUNTED = 13;
const { timers } = port;
export type Counts = Float64Array;

/** System catalogs are read from memory as well as from their tables: nobody counts that. */
const FIRST_NORMAL_OID = 16384;
export const uncounted: Counts = new Float64Array(COUNTED);

class Pending {
  readonly counts: Counts;
  entry = 0;
  truncated = false;
  constructor(size: number) {
    this.counts = new Float64Array(size);
  }
}
const relations = new Map<number, Pending>();
const functions = new Map<number, Pending>();
/** DATABASE names the places. */
const own = new Float64Array(DATABASE.resetTime);

function pendingOf(map: Map<number, Pending>, oid: number, size: number): Pending {
  let pending = map.get(oid);
  if (pending === undefined) map.set(oid, (pending = new Pending(size)));
  return pending;
}

/** Where what is done to a relation is counted. */
export const countsOf = (relation: number): Counts => (relation < FIRST_NORMAL_OID ? uncounted : pendingOf(relations, relation, COUNTED).counts);

/** What has not been handed over yet (pg_stat_xact_*); undefined: nothing. */
export const pendingRelation = (oid: number): Counts | undefined => relations.get(oid)?.counts;
export const pendingFunction = (oid: number): Counts | undefined => functions.get(oid)?.counts;

/** TRUNCATE: rows that were counted before are no more. How many they were, for `untruncated`. */
export function truncated(relation: number): { live: number; dead: number } {
  const counts = countsOf(relation), before = { live: counts[RELATION.live]!, dead: counts[RELATION.dead]! };
  counts[RELATION.live] = counts[RELATION.dead] = 0;
  return before;
}
export function untruncated(relation: number, { live, dead }: { live: number; dead: number }): void {
  const counts = countsOf(relation);
  counts[RELATION.live]! += live;
  counts[RELATION.dead]! += dead;
}
export function truncateCommitted(relation: number): void {
  pendingOf(relations, relation, COUNTED).truncated = true;
}

/** The first try of a statement that is run again counts for nothing. */
export const counting = { retry: false };

export function countTransaction(committed: boolean): void {
  if (!counting.retry) own[committed ? DATABASE.commits : DATABASE.rollbacks]!++;
}
export function countOfDatabase(value: number, amount = 1): void {
  own[value]! += amount;
}

// --- Functions

/** Milliseconds spent in functions called by the one that runs. */
let innerMs = 0;
/** Calls of a function within itself: its total time counts once. */
const running = new Map<number, number>();

/** Counts a call, where track_functions says so. */
export function tracked<T>(oid: number, call: () => T): T {
  const outerMs = innerMs, depth = running.get(oid) ?? 0, start = performance.now();
  innerMs = 0;
  running.set(oid, depth + 1);
  try {
    return call();
  } finally {
    const { counts } = pendingOf(functions, oid, 3), totalMs = performance.now() - start;
    counts[FUNCTION.calls]!++;
    counts[FUNCTION.selfTime]! += (totalMs - innerMs) * 1000;
    if (depth === 0) counts[FUNCTION.totalTime]! += totalMs * 1000;
    if (depth === 0) running.delete(oid);
    else running.set(oid, depth);
    innerMs = outerMs + totalMs;
  }
}

// --- Handing over

/** The authentication's, which is over: one more costs a session a system call, and another at its end. */
const STATISTICS_TIMER = 5;
const INTERVAL_MS = 1000;
let intervalMs = INTERVAL_MS;
let timerRuns = false;
/** pg_stat_force_next_flush. */
let forced = false;
/** Up to when session_time has been told; 0: not yet a session. */
let toldUntil = 0;

export function forceNextFlush(): void {
  forced = true;
}

/** The session is in its database. */
export function statisticsBegin(): void {
  own[DATABASE.sessions]!++;
  toldUntil = now();
}

/** Outside of a transaction, before it waits for its frontend: once a second, and when nothing comes for that long. */
export function statisticsAtIdle(): void {
  if (timerRuns && !forced && timers[STATISTICS_TIMER] === 0) return;
  if (timerRuns || forced) handOver();
  else if (hasTable() && toldUntil !== 0 && (own[DATABASE.commits] !== 0 || own[DATABASE.rollbacks] !== 0)) {
    timerRuns = true;
    port.setTimer(STATISTICS_TIMER, intervalMs);
  }
}

/** A signal has come while the session was idle. */
export function statisticsWhileIdle(): void {
  if (timerRuns && timers[STATISTICS_TIMER] !== 0) handOver();
}

/** The session ends. */
export function statisticsAtEnd(how: 'normal' | 'abandoned' | 'fatal' | 'killed'): void {
  if (toldUntil === 0) return;
  if (how !== 'normal') own[DATABASE[how]]!++;
  timerRuns = false; // it ends with the process
  handOver();
  toldUntil = 0;
}

function handOver(): void {
  if (timerRuns) port.setTimer(STATISTICS_TIMER, 0);
  timerRuns = forced = false;
  if (!hasTable()) return;
  const database = session.databaseOid;
  for (const [oid, pending] of relations) if (hasCounts(pending)) hand(database, KIND.relation, oid, pending);
  for (const [oid, pending] of functions) if (pending.counts[FUNCTION.calls] !== 0) hand(database, KIND.function, oid, pending);
  const time = now();
  own[DATABASE.sessionTime]! += time - toldUntil;
  own[DATABASE.activeTime]! += Math.max(0, timeSpent[0]!);
  own[DATABASE.idleInTransactionTime]! += Math.max(0, timeSpent[1]!);
  timeSpent.fill(0);
  toldUntil = time;
  databaseEntry = databaseEntry !== 0 && isEntryOf(databaseEntry, database, KIND.database, 0) ? databaseEntry : makeEntry(database, KIND.database, 0);
  if (databaseEntry === 0) return;
  for (let i = 0; i < own.length; i++) {
    if (own[i] !== 0) addValue(databaseEntry, i, Math.round(own[i]!));
    own[i] = 0;
  }
}
let databaseEntry = 0;

function hasCounts({ counts, truncated }: Pending): boolean {
  for (let i = 0; i < COUNTED; i++) if (counts[i] !== 0) return true;
  return truncated;
}

function hand(database: number, kind: number, oid: number, pending: Pending): void {
  const { counts } = pending, counted = kind === KIND.function || settings.track_counts;
  if (counted && kind === KIND.relation) {
    counts[RELATION.blocksHit] = counts[RELATION.blocksFetched]!; // all of them are in mapped memory
    for (let i = 1; i < SUMMED; i++) own[i]! += counts[i]!;
  }
  if (pending.entry === 0 && counted) pending.entry = makeEntry(database, kind, oid);
  // An object that has been dropped meanwhile has no entry any more.
  if (pending.entry !== 0 && counted && isEntryOf(pending.entry, database, kind, oid)) {
    if (pending.truncated) for (const value of [RELATION.live, RELATION.dead, RELATION.insertedSinceVacuum]) setValue(pending.entry, value, 0);
    for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) addValue(pending.entry, i, Math.round(counts[i]!));
  }
  counts.fill(0);
  pending.truncated = false;
}

/** A relation that will be counted. */
export function createStatistics(relation: number): void {
  if (settings.track_counts && relation >= FIRST_NORMAL_OID) makeEntry(session.databaseOid, KIND.relation, relation);
}

/** An object is gone, or has never come to be. */
export function dropStatistics(kind: 'relation' | 'function', oid: number): void {
  // Its Relation may live on for a moment, and count: nobody looks.
  (kind === 'relation' ? relations : functions).delete(oid);
  removeEntry(session.databaseOid, KIND[kind], oid);
}

// --- Told at once

/** VACUUM, ANALYZE: how many rows there are. */
export function reportMaintenance(kind: 'vacuum' | 'analyze', relation: number, liveRows: number): void {
  if (relation < FIRST_NORMAL_OID || !settings.track_counts) return;
  const entry = makeEntry(session.databaseOid, KIND.relation, relation);
  if (entry === 0) return;
  setValue(entry, RELATION.live, liveRows);
  if (kind === 'vacuum') setValue(entry, RELATION.dead, 0);
  setValue(entry, kind === 'vacuum' ? RELATION.insertedSinceVacuum : RELATION.changed, 0);
  setValue(entry, kind === 'vacuum' ? RELATION.vacuumTime : RELATION.analyzeTime, now());
  addValue(entry, kind === 'vacuum' ? RELATION.vacuums : RELATION.analyzes, 1);
}

/** pg_stat_reset_single_*_counters. */
export function resetStatistics(kind: 'relation' | 'function', oid: number): void {
  const entry = findEntry(session.databaseOid, KIND[kind], oid);
  if (entry === 0) return;
  clearEntry(entry);
  noteReset(session.databaseOid, KIND.database, 0);
}

/** pg_stat_reset: all of this database. */
export function resetDatabase(): void {
  eachEntry((entry, database) => { if (database === session.databaseOid) clearEntry(entry); });
  noteReset(session.databaseOid, KIND.database, 0);
}

/** pg_stat_reset_shared. */
export function resetShared(what: keyof typeof SHARED): void {
  const entry = findEntry(0, KIND.shared, SHARED[what]);
  if (entry !== 0) clearEntry(entry);
  noteReset(0, KIND.shared, SHARED[what]);
}

/** pg_stat_reset_slru: one, the last for a name that is none of them, or all. */
export function resetSlru(name: string | null): void {
  const one = SLRU.findIndex((known) => known === name);
  SLRU.forEach((_known, i) => { if (name === null || i === (one < 0 ? SLRU.length - 1 : one)) noteReset(0, KIND.shared, FIRST_SLRU + i); });
}

/** CHECKPOINT. */
export function countCheckpoint(): void {
  const entry = makeEntry(0, KIND.shared, SHARED.bgwriter);
  if (entry !== 0) addValue(entry, BGWRITER.requestedCheckpoints, 1);
}

function noteReset(database: number, kind: number, oid: number): void {
  const entry = makeEntry(database, kind, oid);
  if (entry !== 0) setValue(entry, DATABASE.resetTime, now());
}

/** What a parallel worker has counted, for its leader: [relation or function, oid, values], and the database's values. */
export interface WorkerCounts { readonly of: readonly (readonly ['relation' | 'function', Oid, readonly number[]])[]; readonly own: readonly number[] }

/** In a parallel worker: what was counted before is its leader's. */
export function countFromHere(): void {
  for (const map of [relations, functions]) for (const { counts } of map.values()) counts.fill(0);
  own.fill(0);
}
export function countsForLeader(): WorkerCounts {
  const of: ['relation' | 'function', Oid, number[]][] = [];
  for (const [oid, { counts }] of relations) if (counts.some((n) => n !== 0)) of.push(['relation', oid, [...counts]]);
  for (const [oid, { counts }] of functions) if (counts.some((n) => n !== 0)) of.push(['function', oid, [...counts]]);
  return { of, own: [...own] };
}
export function addCountsOfWorker(given: WorkerCounts): void {
  for (const [kind, oid, values] of given.of) {
    const { counts } = pendingOf(kind === 'relation' ? relations : functions, oid, values.length);
    values.forEach((n, i) => { counts[i]! += n; });
  }
  given.own.forEach((n, i) => { own[i]! += n; });
}

/** While `work` runs statistics are told so often: a rehearsed session is interrupted as one that lasts. */
export function withStatisticsEvery(ms: number, work: () => void): void {
  intervalMs = ms;
  try {
    work();
  } finally {
    intervalMs = INTERVAL_MS;
  }
}

/** What the rehearsal has counted. */
export function forgetStatistics(): void {
  port.setTimer(STATISTICS_TIMER, 0);
  timerRuns = forced = false;
  toldUntil = databaseEntry = 0;
  relations.clear();
  functions.clear();
  own.fill(0);
}
