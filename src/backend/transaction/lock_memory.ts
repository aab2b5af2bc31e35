// The memory in which backends take the locks that nobody else wants, without asking the transaction manager
// (PostgreSQL's fast-path locks, lmgr/README "Fast Path Locking", for rows and keys as well). One piece for each environment,
// a memory file of the manager's own, which it tells backends where to open; words of 32 bits, changed by atomic instructions only.
//
//   header     magic, nonce
//   strong     1,024 counters by hash of a table's oid: strong locks (above ShareUpdateExclusive) held or waited for
//   slots      131,072 words by hash of a row or key: who holds it; see below
//   sessions   for each: what it holds, so that its end frees everything, whenever it dies
//
// A slot is free (0), or names one holder: owner, mode, whether it is a key, and 15 more bits of the hash, which tell it from
// others in the same slot. A backend takes a free slot by compare-and-swap; that is all. As soon as the manager has anything
// to do with a row or key of the slot, it sets MANAGED: from then on only the manager changes the word, and who wants
// something of that slot must ask it. It puts the holder's lock into its own table first, where waiting and deadlocks are its
// business as ever, and clears MANAGED when its table has nothing of that slot any more.
//
// A weak table lock (up to RowExclusive; they never conflict with each other) is an entry of the session, good if the strong
// counter is 0 afterwards. Who wants a strong lock first raises the counter (through the manager), then moves all entries of
// that table into the manager's table, leaving MOVED in their place.
import type { Oid } from '../types/datum.ts';
import type { RowId } from '../access/row.ts';

const MAGIC = 0x504c6b31;
const HEADER_WORDS = 16, STRONG_COUNTERS = 1024, SLOT_COUNT = 1 << 17, SLOT_MASK = SLOT_COUNT - 1;
/** Sessions have numbers from 1 to this. */
export const MAX_SESSIONS = 4095;
/** Rows and keys a session publishes one by one; of more it only says that there are. */
export const PUBLISHED = 24;
export const TABLE_ENTRIES = 16;
const STRONG_AT = HEADER_WORDS, SLOTS_AT = STRONG_AT + STRONG_COUNTERS, SESSIONS_AT = SLOTS_AT + SLOT_COUNT;
/** Slots are words below this one. */
export const SLOTS_END = SESSIONS_AT;
/** Of a session: how many slots it has published; 1 when it holds others; 1 when it holds keys. Then the slots, each with the
 * weaker mode that was held there before (0: none) and the mark of its request; then table entries: oid, mode, mark. */
export const COUNT = 0, OVERFLOW = 1, HAS_KEYS = 2, SLOTS = 4, TABLES = SLOTS + 2 * PUBLISHED;
const SESSION_WORDS = 128;
export const LOCK_MEMORY_BYTES = 4 * (SESSIONS_AT + (MAX_SESSIONS + 1) * SESSION_WORDS);

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
  for (let slot = SLOTS_AT; slot < SESSIONS_AT; slot++) visit(slot);
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
