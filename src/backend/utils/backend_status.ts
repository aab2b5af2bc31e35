// What the processes of a site know of each other (PostgreSQL's backend_status.c and the part of procarray.c that we
// need): a table in shared memory, one slot for each possible backend, made by the postmaster before the first fork.
// A backend writes only its own slot; the postmaster frees the slot of a backend that has ended, however it ended.
import { port } from '../../port/port.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';

const QUERY_BYTES = 1024, APPLICATION_BYTES = 64, ADDRESS_BYTES = 48;
const TEXT_BYTES = 4 + QUERY_BYTES + 4 + APPLICATION_BYTES + 4 + ADDRESS_BYTES;
/** The integers and times of a slot, by position. */
const PID = 0, CANCEL_KEY = 1, DATABASE = 2, ROLE = 3, STATE = 4, CLIENT_PORT = 5, WAIT_EVENT = 6, LEADER = 7, INTS = 8;
const BACKEND_START = 0, XACT_START = 1, QUERY_START = 2, STATE_CHANGE = 3, TIMES = 4;

const BACKEND_STATES = ['', 'idle', 'active', 'idle in transaction', 'fastpath function call', 'idle in transaction (aborted)', 'disabled'] as const;
export type BackendState = (typeof BACKEND_STATES)[number];

/** What a backend may wait for in the middle of a statement: type and name, as in PostgreSQL's wait_event.h. */
const WAIT_EVENTS = [null, ['Lock', 'relation'], ['Lock', 'transactionid'], ['Lock', 'advisory'], ['Lock', 'object'], ['Timeout', 'PgSleep']] as const;
export type WaitEvent = Exclude<(typeof WAIT_EVENTS)[number], null>[1];

export interface BackendStatus {
  slot: number;
  pid: number;
  /** Of a parallel worker: the backend it works for; else 0. */
  leaderPid: number;
  databaseOid: number;
  roleOid: number;
  state: BackendState;
  /** Null for a Unix socket. */
  clientAddress: string | null;
  clientPort: number;
  applicationName: string;
  query: string;
  /** Type and name; null: it waits for nothing, or for its client. */
  waitEvent: (typeof WAIT_EVENTS)[number];
  /** Microseconds since 2000-01-01 UTC; 0: none. */
  backendStart: number;
  xactStart: number;
  queryStart: number;
  stateChange: number;
}

/** The slots of parallel workers come last. */
let slotCount = 0, workersFrom = 0;
let ints = new Int32Array(0);
let times = new Float64Array(0);
let texts = Buffer.alloc(0);
let mySlot = -1;
/** What stands in the slot as the last query: mostly the next one is the same string. */
let shownQuery = '';

/** In the postmaster, before the first fork (or for a backend without one). */
export function makeBackendTable(backends: number, workers: number): void {
  const slots = slotCount = backends + workers;
  workersFrom = backends;
  const timeBytes = slots * TIMES * 8, intBytes = (slots * INTS * 4 + 7) & ~7;
  const memory = port.sharedMemory(timeBytes + intBytes + slots * TEXT_BYTES);
  times = new Float64Array(memory, 0, slots * TIMES);
  ints = new Int32Array(memory, timeBytes, slots * INTS);
  texts = Buffer.from(memory, timeBytes + intBytes, slots * TEXT_BYTES);
}

/** While `work` runs the table is another: what it does there nobody sees. The first place is taken, as it often is. */
export function withOwnTable(work: () => void): void {
  const saved = { slotCount, workersFrom, ints, times, texts, mySlot };
  slotCount = workersFrom = 2;
  ints = new Int32Array(slotCount * INTS);
  times = new Float64Array(slotCount * TIMES);
  texts = Buffer.alloc(slotCount * TEXT_BYTES);
  ints[PID] = -1;
  try {
    work();
  } finally {
    ({ slotCount, workersFrom, ints, times, texts, mySlot } = saved);
  }
}

const int = (slot: number, field: number): number => Atomics.load(ints, slot * INTS + field);
const setInt = (slot: number, field: number, value: number): void => { Atomics.store(ints, slot * INTS + field, value); };

/** Microseconds since 2000-01-01 UTC. */
export function now(): number {
  return (Date.now() - 946684800000) * 1000;
}

/** Takes a free slot for this process; -1 when there is none. */
export function takeSlot(pid: number, cancelKey: number): number {
  for (let slot = 0; slot < workersFrom; slot++) {
    if (Atomics.compareExchange(ints, slot * INTS + PID, 0, pid) !== 0) continue;
    mySlot = slot;
    shownQuery = '';
    for (let field = CANCEL_KEY; field < INTS; field++) setInt(slot, field, 0);
    times.fill(0, slot * TIMES, (slot + 1) * TIMES);
    texts.fill(0, slot * TEXT_BYTES, (slot + 1) * TEXT_BYTES);
    setInt(slot, CLIENT_PORT, -1); // until it is known
    setInt(slot, CANCEL_KEY, cancelKey);
    times[slot * TIMES + BACKEND_START] = now();
    return slot;
  }
  return -1;
}

/** At the end of a session. (Parentheses: only children call it, and each would compile it.) */
export const leaveSlot: () => void = (function leaveSlot(): void {
  if (mySlot < 0) return;
  setInt(mySlot, CANCEL_KEY, 0);
  setInt(mySlot, PID, 0);
  mySlot = -1;
});

/** The postmaster: whatever slot the ended process had is free again, and those of its workers, which have ended with it. */
export function freeSlotOf(pid: number): void {
  for (let slot = 0; slot < slotCount; slot++) {
    if (slot < workersFrom ? int(slot, PID) !== pid : int(slot, PID) !== -pid && int(slot, LEADER) !== pid) continue;
    setInt(slot, CANCEL_KEY, 0);
    setInt(slot, LEADER, 0);
    setInt(slot, PID, 0);
  }
}

/** Up to so many slots for workers of this process, where fewer than `limit` work in the whole site. Whoever forks them gives the slots back. */
export function reserveWorkerSlots(leader: number, wanted: number, limit: number): number[] {
  const slots: number[] = [];
  let busy = 0;
  for (let slot = workersFrom; slot < slotCount; slot++) if (int(slot, PID) !== 0) busy++;
  for (let slot = workersFrom; slot < slotCount && slots.length < wanted && busy < limit; slot++) {
    // Until it has a worker, its pid is the leader's with a minus: the leader may be killed at any moment.
    if (Atomics.compareExchange(ints, slot * INTS + PID, 0, -leader) !== 0) continue;
    setInt(slot, LEADER, leader);
    slots.push(slot);
    busy++;
  }
  return slots;
}

export function freeWorkerSlot(slot: number): void {
  setInt(slot, LEADER, 0);
  setInt(slot, PID, 0);
}

/** The leader has forked it. */
export const setWorkerPid = (slot: number, pid: number): void => setInt(slot, PID, pid);

/** In a worker: its slot says what its leader's says. The pid is the leader's to set, and the slot to free: it may have ended meanwhile. */
export function showWorker(slot: number): void {
  const leader = mySlot;
  for (let field = DATABASE; field < INTS; field++) if (field !== LEADER) setInt(slot, field, int(leader, field));
  times.copyWithin(slot * TIMES, leader * TIMES, (leader + 1) * TIMES);
  texts.copyWithin(slot * TEXT_BYTES, leader * TEXT_BYTES, (leader + 1) * TEXT_BYTES);
  times[slot * TIMES + BACKEND_START] = now();
  setInt(slot, CLIENT_PORT, -1);
  mySlot = slot;
}

export function freeSlotCount(): number {
  let free = 0;
  for (let slot = 0; slot < workersFrom; slot++) if (int(slot, PID) === 0) free++;
  return free;
}

/** A cancel request: the backend to signal, or 0 with why not. */
export function findForCancel(pid: number, key: number): 'found' | 'wrong key' | 'no such process' {
  for (let slot = 0; slot < workersFrom; slot++) {
    if (int(slot, PID) === pid && pid > 0) return int(slot, CANCEL_KEY) === key ? 'found' : 'wrong key';
  }
  return 'no such process';
}

/** Once the session's database and role are known. */
export function reportSession(databaseOid: number, roleOid: number, clientAddress: string | null, clientPort: number): void {
  if (mySlot < 0) return;
  setInt(mySlot, DATABASE, databaseOid);
  setInt(mySlot, ROLE, roleOid);
  writeText(4 + QUERY_BYTES + 4 + APPLICATION_BYTES, ADDRESS_BYTES, clientAddress ?? '');
  setInt(mySlot, CLIENT_PORT, clientAddress === null ? -1 : clientPort);
  reportApplicationName(settings.application_name);
}

export function reportApplicationName(name: string): void {
  if (mySlot >= 0) writeText(4 + QUERY_BYTES, APPLICATION_BYTES, name);
}

/** Microseconds active and idle in a transaction, for the statistics. `now` has whole milliseconds, and so is half of one late. */
export const timeSpent = new Float64Array(2);
const HALF_MS = 500;

/** What the backend does now; `query` when a new one begins. Costs one short copy; nothing when track_activities is off. */
export function reportActivity(state: number, query?: string): void {
  if (mySlot < 0 || !settings.track_activities) return;
  const base = mySlot * TIMES;
  const before = ints[mySlot * INTS + STATE]!, time = state === 2 ? session.statementStart : now();
  if (before === 2) timeSpent[0]! += time - times[base + STATE_CHANGE]! + HALF_MS;
  else if (before !== 1) timeSpent[1]! += time - times[base + STATE_CHANGE]! - HALF_MS;
  ints[mySlot * INTS + STATE] = state;
  if (query !== undefined) {
    if (query !== shownQuery) writeText(0, QUERY_BYTES, query);
    shownQuery = query;
    times[base + QUERY_START] = session.statementStart;
  }
  times[base + XACT_START] = state === 1 ? 0 : session.transactionStart;
  times[base + STATE_CHANGE] = time;
}

/** What it waits for from now on; null: the wait is over. */
export function reportWait(event: WaitEvent | null): void {
  if (mySlot >= 0) setInt(mySlot, WAIT_EVENT, event === null ? 0 : WAIT_EVENTS.findIndex((one) => one?.[1] === event));
}

function writeText(offset: number, limit: number, text: string): void {
  const at = mySlot * TEXT_BYTES + offset;
  let n = 0;
  // Nearly every text is ASCII, and short: a loop is cheaper than to leave JavaScript.
  for (const end = Math.min(text.length, limit); n < end; n++) {
    const c = text.charCodeAt(n);
    if (c > 127) {
      n = texts.write(text.length > limit ? text.slice(0, limit) : text, at + 4, limit, 'utf8');
      break;
    }
    texts[at + 4 + n] = c;
  }
  texts[at] = n;
  texts[at + 1] = n >>> 8;
  texts[at + 2] = n >>> 16;
  texts[at + 3] = n >>> 24;
}

function readText(slot: number, offset: number, limit: number): string {
  const at = slot * TEXT_BYTES + offset;
  const n = Math.max(0, Math.min(texts.readInt32LE(at), limit));
  return texts.toString('utf8', at + 4, at + 4 + n);
}

/** Everybody who is connected (pg_stat_activity). What is read while its owner writes may be mixed; it is never unsafe. */
export function backends(): BackendStatus[] {
  const all: BackendStatus[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    const pid = int(slot, PID);
    if (pid <= 0) continue;
    const clientPort = int(slot, CLIENT_PORT), t = slot * TIMES;
    const address = clientPort < 0 ? '' : readText(slot, 4 + QUERY_BYTES + 4 + APPLICATION_BYTES, ADDRESS_BYTES);
    all.push({
      slot, pid, leaderPid: int(slot, LEADER), databaseOid: int(slot, DATABASE), roleOid: int(slot, ROLE), state: BACKEND_STATES[int(slot, STATE)] ?? '',
      clientAddress: /^[\d.]+$|:/.test(address) ? address : null, clientPort,
      applicationName: readText(slot, 4 + QUERY_BYTES, APPLICATION_BYTES), query: readText(slot, 0, QUERY_BYTES),
      waitEvent: WAIT_EVENTS[int(slot, WAIT_EVENT)] ?? null,
      backendStart: times[t + BACKEND_START]!, xactStart: times[t + XACT_START]!, queryStart: times[t + QUERY_START]!,
      stateChange: times[t + STATE_CHANGE]!,
    });
  }
  return all;
}

/** Other backends connected to a database (DROP DATABASE asks). */
export function countOtherBackends(databaseOid: number): number {
  let count = 0;
  for (let slot = 0; slot < workersFrom; slot++) if (slot !== mySlot && int(slot, PID) !== 0 && int(slot, DATABASE) === databaseOid) count++;
  return count;
}

/** Whether the process is a backend of this site (pg_cancel_backend, pg_terminate_backend). */
export function backendByPid(pid: number): BackendStatus | undefined {
  return backends().find((b) => b.pid === pid);
}
