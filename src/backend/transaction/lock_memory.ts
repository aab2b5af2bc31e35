// The memory in which backends take the locks that nobody else wants, without asking the transaction manager
// (PostgreSQL's fast-path locks, lmgr/README "Fast Path Locking", for rows and keys as well). One piece for each environment,
// a memory file of the manager's own, which it tells backends where to open; words of 32 bits, changed by atomic instructions only.
//
//   header     magic, nonce
//   strong     1,024 counters by hash of a table's oid: strong locks (above ShareUpdateExclusive) held or waited for
//   slots      131,072 words by hash of a row or key: who holds it; see below
//   advisory   65,536 words by hash of an advisory lock's keys
//   sessions   for each: what it holds, so that its end frees everything, whenever it dies
//   keys       of each advisory slot: its three keys
//
// A slot is free (0), or names one holder: owner, mode, whether it is a key, and 15 more bits of the hash, which tell it from
// others in the same slot. A backend takes a free slot by compare-and-swap; that is all. As soon as the manager has anything
// to do with a row or key of the slot, it sets MANAGED: from then on only the manager changes the word, and who wants
// something of that slot must ask it. It puts the holder's lock into its own table first, where waiting and deadlocks are its
// business as ever, and clears MANAGED when its table has nothing of that slot any more.
//
// A slot of an advisory lock says more: the modes held by the transaction, those held by the session, and whether its keys are
// still being written (PENDING, nobody's yet); the keys stand beside it, since pg_locks shows them and since nobody may be refused
// for a mere likeness. Its MANAGED is that of the others.
//
// A weak table lock (up to RowExclusive; they never conflict with each other) is an entry of the session, good if the strong
// counter is 0 afterwards. Who wants a strong lock first raises the counter (through the manager), then moves all entries of
// that table into the manager's table, leaving MOVED in their place.
import type { Oid } from '../types/datum.ts';
import type { RowId } from '../access/row.ts';

const MAGIC = 0x504c6b31;
const HEADER_WORDS = 16, STRONG_COUNTERS = 1024, SLOT_COUNT = 1 << 17, SLOT_MASK = SLOT_COUNT - 1, ADVISORY_COUNT = 1 << 16;
/** Sessions have numbers from 1 to this. */
export const MAX_SESSIONS = 4095;
/** Rows and keys a session publishes one by one; of more it only says that there are. */
export const PUBLISHED = 24;
export const TABLE_ENTRIES = 16;
const STRONG_AT = HEADER_WORDS, SLOTS_AT = STRONG_AT + STRONG_COUNTERS, ADVISORY_AT = SLOTS_AT + SLOT_COUNT, SESSIONS_AT = ADVISORY_AT + ADVISORY_COUNT;
/** Slots are words below this one. */
export const SLOTS_END = SESSIONS_AT;
/** Of a session: how many slots it has published; 1 when it holds others; 1 when it holds keys; 1 when it has advisory locks of its
 * session. Then the slots, each with the weaker mode that was held there before (0: none; of an advisory lock, the mode that was
 * added) and the mark of its request; then table entries: oid, mode, mark. */
export const COUNT = 0, OVERFLOW = 1, HAS_KEYS = 2, HAS_ADVISORY = 3, SLOTS = 4, TABLES = SLOTS + 2 * PUBLISHED;
const SESSION_WORDS = 128;
const KEYS_AT = SESSIONS_AT + (MAX_SESSIONS + 1) * SESSION_WORDS;
export const LOCK_MEMORY_BYTES = 4 * (KEYS_AT + 3 * ADVISORY_COUNT);

const OWNER_MASK = 0xfff, MODE_SHIFT = 12, MODE_MASK = 7 << MODE_SHIFT, KEY = 1 << 15, CHECK_SHIFT = 16;
export const MANAGED = 1 << 31;
/** In place of a table's oid: the manager has this lock in its table now. */
export const MOVED = -1;
/** Weak table locks: up to RowExclusiveLock. Strong ones conflict with some of them. */
export const MAX_WEAK_MODE = 3, MIN_STRONG_MODE = 5;

/** A published slot and, above it, a mode. */
export const published = (slot: number, before: number): number => slot | before << 20;
export const publishedSlot = (entry: number): number => entry & 0xfffff;
export const publishedMode = (entry: number): number => entry >>> 20;
export const withMode = (word: number, mode: number): number => (word & ~MODE_MASK) | mode << MODE_SHIFT;
export const ownerOf = (word: number): number => word & OWNER_MASK;
export const modeOf = (word: number): number => (word & MODE_MASK) >> MODE_SHIFT;
export const withoutOwner = (word: number): number => word & MANAGED;
/** The same row or key, by the bits we have. */
export const sameObject = (word: number, tag: number): boolean => ((word ^ tag) & (0x7fff << CHECK_SHIFT | KEY)) === 0;
export const wordOf = (tag: number, owner: number, mode: number): number => tag | owner | mode << MODE_SHIFT;
export const sessionAt = (session: number): number => SESSIONS_AT + session * SESSION_WORDS;

/** An advisory lock's modes, as bits: 1 shared, 2 exclusive; those of the session stand above those of the transaction. */
const SESSION_MODE_SHIFT = 16;
/** The word is still being written. */
export const PENDING = 1 << 18;
const ADVISORY_MODES = 3 << MODE_SHIFT | 3 << SESSION_MODE_SHIFT;
export const isAdvisory = (slot: number): boolean => slot >= ADVISORY_AT;
export const modeBit = (shared: boolean): number => shared ? 1 : 2;
export const transactionModes = (word: number): number => (word & PENDING) !== 0 ? 0 : word >> MODE_SHIFT & 3;
export const sessionModes = (word: number): number => (word & PENDING) !== 0 ? 0 : word >> SESSION_MODE_SHIFT & 3;
export const advisoryModes = (bit: number, ofSession: boolean): number => bit << (ofSession ? SESSION_MODE_SHIFT : MODE_SHIFT);
/** The word without these modes, and without its owner when there is none left. */
export function withoutModes(word: number, modes: number): number {
  const left = word & ~modes;
  return (left & ADVISORY_MODES) === 0 || (left & PENDING) !== 0 ? left & MANAGED : left;
}
/** The keys of an advisory lock as the lock table names it. */
export function advisoryKeys(words: Int32Array, slot: number): string {
  const at = KEYS_AT + 3 * (slot - ADVISORY_AT);
  return `${words[at]! >>> 0},${words[at + 1]! >>> 0},${words[at + 2]!}`;
}
export function hasKeys(words: Int32Array, slot: number, key1: number, key2: number, key3: number): boolean {
  const at = KEYS_AT + 3 * (slot - ADVISORY_AT);
  return words[at] === (key1 | 0) && words[at + 1] === (key2 | 0) && words[at + 2] === key3;
}
export function writeKeys(words: Int32Array, slot: number, key1: number, key2: number, key3: number): void {
  const at = KEYS_AT + 3 * (slot - ADVISORY_AT);
  words[at] = key1;
  words[at + 1] = key2;
  words[at + 2] = key3;
}
export const strongAt = (oid: Oid): number => STRONG_AT + (mix(oid) & (STRONG_COUNTERS - 1));

/** Place and tag of a row or key: read both right after `hashRow` or `hashKey`. */
export const hashed = { slot: 0, tag: 0 };

export function hashRow(relation: number, row: RowId): void {
  const block = Math.floor(row / 65536);
  finish(Math.imul(relation, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b) ^ Math.imul((row & 0xffff) + 1, 0xc2b2ae35), 0);
}

export function hashKey(index: number, key: string): void {
  let hash = Math.imul(index, 0x9e3779b1);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193) + 0x9e37;
  finish(hash, KEY);
}

/** The slot of an advisory lock. */
export function hashAdvisory(key1: number, key2: number, key3: number): number {
  return ADVISORY_AT + (mix(Math.imul(mix(Math.imul(key1, 0x9e3779b1) ^ key3), 0x85ebca6b) ^ key2) & (ADVISORY_COUNT - 1));
}

function finish(hash: number, kind: number): void {
  const mixed = mix(hash);
  hashed.slot = SLOTS_AT + (mixed & SLOT_MASK);
  hashed.tag = (mix(mixed ^ 0x5bd1e995) & 0x7fff) << CHECK_SHIFT | kind;
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return hash ^ (hash >>> 16);
}

export const eachSlot = (visit: (slot: number) => void): void => {
  for (let slot = SLOTS_AT; slot < SLOTS_END; slot++) visit(slot);
};
export const eachAdvisorySlot = (visit: (slot: number) => void): void => {
  for (let slot = ADVISORY_AT; slot < SLOTS_END; slot++) visit(slot);
};

/** Makes the memory new; `nonce` tells it from that of another manager. */
export function formatLockMemory(words: Int32Array, nonce: number): void {
  words[1] = nonce | 0;
  Atomics.store(words, 0, MAGIC);
}
export const isLockMemory = (words: Int32Array, nonce: number): boolean => words[0] === MAGIC && words[1] === (nonce | 0);

/** The same inside one process. */
export interface LockMemory {
  words: Int32Array;
  /** Where backends open it; '': they do not, and ask for every lock. */
  path: string;
}
/** Memory that is not in use any more: the rehearsal has managers by the dozen, and V8 collects all garbage when 64 MB of such
 * have come since it last did. */
const spareWords: Int32Array[] = [];

export const privateLockMemory = (): LockMemory => ({ words: spareWords.pop() ?? new Int32Array(LOCK_MEMORY_BYTES / 4), path: '' });

/** Nobody uses it any more. Reading a page that was never written takes no memory, writing does. */
export function keepLockMemory({ words, path }: LockMemory): void {
  if (path !== '') return;
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) words[i] = 0;
  spareWords.push(words);
}
