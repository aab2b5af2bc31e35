// The activity statistics of a site, in memory that all its processes share (PostgreSQL's pgstat_shmem.c): made by the postmaster
// before the first fork, kept in a file from an orderly stop to the next start, and thrown away by any other end.
//
//   header    lock, entries ever used, first free entry
//   buckets   numbers of entries (0: none) by hash of database, kind and oid; the next bucket where one is taken
//   entries   kind (0: free), database, oid, next free entry; from word 8 on, values of two words each
//
// Who counts adds to the words of an entry by atomic instructions and asks nobody. To make an entry or remove one takes the
// lock, a process id. When its holder has died at that, nobody knows what the table looks like: it begins anew, empty.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { FILE_MODE, STATISTICS } from '../../common/site.ts';
import { port } from '../../port/port.ts';

export const KIND = { database: 1, relation: 2, function: 3, shared: 4 } as const;
/** What is there once in a site, by its oid of kind `shared`: the time of its reset is kept, and what BGWRITER names. */
export const SHARED = { archiver: 1, bgwriter: 2, recovery_prefetch: 3, wal: 4 } as const;
/** The caches of transaction states, each with a time of its own: from this oid on. */
export const FIRST_SLRU = 16, SLRU = ['CommitTs', 'MultiXactMember', 'MultiXactOffset', 'Notify', 'Serial', 'Subtrans', 'Xact', 'other'] as const;

/** Values by position. The first nine of a relation are added up for its database, in the same places. */
export const RELATION = {
  scans: 0, returned: 1, fetched: 2, inserted: 3, updated: 4, deleted: 5, hotUpdated: 6, blocksFetched: 7, blocksHit: 8,
  live: 9, dead: 10, changed: 11, insertedSinceVacuum: 12, vacuumTime: 13, vacuums: 14, analyzeTime: 15, analyzes: 16,
} as const;
export const SUMMED = 9;
export const DATABASE = {
  ...RELATION, commits: 9, rollbacks: 10, deadlocks: 11, temporaryFiles: 12, temporaryBytes: 13, sessions: 14, sessionTime: 15,
  activeTime: 16, idleInTransactionTime: 17, abandoned: 18, fatal: 19, killed: 20, resetTime: 21,
} as const;
export const BGWRITER = { requestedCheckpoints: 0 } as const;
export const FUNCTION = { calls: 0, totalTime: 1, selfTime: 2 } as const;
const VALUES = 28;

/** Objects beyond this many have no statistics. */
const MAX_ENTRIES = 32768;
const BUCKETS = 65536;
const LOCK = 0, USED = 1, FREE = 2, HEADER_WORDS = 16, ENTRIES_AT = HEADER_WORDS + BUCKETS;
const ENTRY_KIND = 0, ENTRY_DATABASE = 1, ENTRY_OBJECT = 2, ENTRY_NEXT = 3, VALUES_AT = 8, ENTRY_WORDS = VALUES_AT + 2 * VALUES;
const FILE_MAGIC = 0x50535431;
const WORD = 2 ** 32;

/** Empty: there is no table, and nothing is counted. */
let words = new Int32Array(0);

export const hasTable = (): boolean => words.length > 0;
const newTable = (): ArrayBuffer => new ArrayBuffer(4 * (ENTRIES_AT + (64 + 1) * ENTRY_WORDS));

/** In the postmaster, before the first fork. */
export function makeStatistics(): void {
  words = new Int32Array(port.sharedMemory(4 * (ENTRIES_AT + (MAX_ENTRIES + 1) * ENTRY_WORDS)));
}

/** While `work` runs the table is another, and small: what is counted there nobody sees. */
export function withOwnStatistics(work: () => void): void {
  const saved = words;
  words = new Int32Array(newTable());
  // Times in microseconds soon take more than a word: what adds them up is compiled for that.
  for (const amount of [1, 2 ** 40 - 1, 2 ** 32 - 1]) addValue(0, 0, amount);
  try {
    work();
  } finally {
    words = saved;
  }
}

const wordOf = (entry: number): number => ENTRIES_AT + entry * ENTRY_WORDS;
const maxEntries = (): number => Math.floor((words.length - ENTRIES_AT) / ENTRY_WORDS) - 1;

function bucketOf(database: number, kind: number, object: number): number {
  let hash = Math.imul(object, 0x9e3779b1) ^ Math.imul(database + kind, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1);
}

/** Whether an entry is still that of the object. */
export function isEntryOf(entry: number, database: number, kind: number, object: number): boolean {
  const at = wordOf(entry);
  return words[at + ENTRY_KIND] === kind && words[at + ENTRY_DATABASE] === database >> 0 && words[at + ENTRY_OBJECT] === object >> 0;
}

/** The bucket that names the object's entry, or the one where it would stand. */
function findBucket(database: number, kind: number, object: number): number {
  let bucket = bucketOf(database, kind, object);
  for (let n = 0; n < BUCKETS; n++) {
    const entry = words[HEADER_WORDS + bucket]!;
    if (entry === 0 || isEntryOf(entry, database, kind, object)) break;
    bucket = (bucket + 1) & (BUCKETS - 1);
  }
  return bucket;
}

/** The object's entry; 0: none. */
export function findEntry(database: number, kind: number, object: number): number {
  if (words.length === 0) return 0;
  const entry = words[HEADER_WORDS + findBucket(database, kind, object)]!;
  return entry !== 0 && isEntryOf(entry, database, kind, object) ? entry : 0;
}

const noFds = new Int32Array(0), noEvents = new Int16Array(0);

function locked<T>(work: () => T): T {
  const me = port.getpid();
  for (let turn = 1; ; turn++) {
    const holder = Atomics.compareExchange(words, LOCK, 0, me);
    if (holder === 0) break;
    if (turn % 64 !== 0) continue;
    if (port.kill(holder, 0) < 0 && Atomics.compareExchange(words, LOCK, holder, me) === holder) {
      words.fill(0, USED);
      break;
    }
    port.poll(noFds, noEvents, noEvents, 0, 1);
  }
  try {
    return work();
  } finally {
    Atomics.store(words, LOCK, 0);
  }
}

/** The object's entry, made when there is none; 0: no room. */
export function makeEntry(database: number, kind: number, object: number): number {
  return findEntry(database, kind, object) || (words.length === 0 ? 0 : locked(() => {
    const bucket = findBucket(database, kind, object), known = words[HEADER_WORDS + bucket]!;
    if (known !== 0) return known;
    let entry = words[FREE]!;
    if (entry !== 0) words[FREE] = words[wordOf(entry) + ENTRY_NEXT]!;
    else if (words[USED]! < maxEntries()) entry = ++words[USED]!;
    else return 0;
    const at = wordOf(entry);
    words.fill(0, at, at + ENTRY_WORDS);
    words[at + ENTRY_DATABASE] = database;
    words[at + ENTRY_OBJECT] = object;
    words[at + ENTRY_KIND] = kind;
    Atomics.store(words, HEADER_WORDS + bucket, entry);
    return entry;
  }));
}

/** The object is gone. */
export function removeEntry(database: number, kind: number, object: number): void {
  if (findEntry(database, kind, object) === 0) return;
  locked(() => {
    let hole = findBucket(database, kind, object);
    const entry = words[HEADER_WORDS + hole]!;
    if (entry === 0) return;
    const at = wordOf(entry);
    // Those behind it that would be looked for here move up.
    for (let bucket = (hole + 1) & (BUCKETS - 1); ; bucket = (bucket + 1) & (BUCKETS - 1)) {
      const other = words[HEADER_WORDS + bucket]!;
      if (other === 0) break;
      const o = wordOf(other), home = bucketOf(words[o + ENTRY_DATABASE]! >>> 0, words[o + ENTRY_KIND]!, words[o + ENTRY_OBJECT]! >>> 0);
      if (((bucket - home) & (BUCKETS - 1)) < ((bucket - hole) & (BUCKETS - 1))) continue;
      words[HEADER_WORDS + hole] = other;
      hole = bucket;
    }
    words[HEADER_WORDS + hole] = 0;
    words[at + ENTRY_KIND] = 0;
    words[at + ENTRY_NEXT] = words[FREE]!;
    words[FREE] = entry;
  });
}

/** Adds to a value; atomic, though who reads meanwhile may see one half changed. */
export function addValue(entry: number, value: number, amount: number): void {
  const at = wordOf(entry) + VALUES_AT + 2 * value, low = amount >>> 0;
  const before = Atomics.add(words, at, low | 0) >>> 0;
  const high = Math.floor(amount / WORD) + (before + low >= WORD ? 1 : 0);
  if (high !== 0) Atomics.add(words, at + 1, high | 0);
}

export function setValue(entry: number, value: number, to: number): void {
  const at = wordOf(entry) + VALUES_AT + 2 * value;
  words[at] = to;
  words[at + 1] = Math.floor(to / WORD);
}

/** All values of an entry. */
export function readEntry(entry: number): Float64Array {
  const values = new Float64Array(VALUES), at = wordOf(entry) + VALUES_AT;
  for (let i = 0; i < VALUES; i++) values[i] = words[at + 2 * i + 1]! * WORD + (words[at + 2 * i]! >>> 0);
  return values;
}

export function clearEntry(entry: number): void {
  const at = wordOf(entry) + VALUES_AT;
  words.fill(0, at, at + 2 * VALUES);
}

export function eachEntry(visit: (entry: number, database: number, kind: number, object: number) => void): void {
  if (words.length === 0) return;
  for (let entry = 1; entry <= words[USED]!; entry++) {
    const at = wordOf(entry), kind = words[at + ENTRY_KIND]!;
    if (kind !== 0) visit(entry, words[at + ENTRY_DATABASE]! >>> 0, kind, words[at + ENTRY_OBJECT]! >>> 0);
  }
}

/** DROP DATABASE. */
export function removeDatabaseEntries(database: number): void {
  const gone: [number, number][] = [];
  eachEntry((_entry, of, kind, object) => { if (of === database) gone.push([kind, object]); });
  for (const [kind, object] of gone) removeEntry(database, kind, object);
}

// --- From one start to the next

/** An orderly stop: all other processes have gone. */
export function saveStatistics(): void {
  const parts: Int32Array[] = [Int32Array.of(FILE_MAGIC, ENTRY_WORDS)];
  eachEntry((entry) => parts.push(words.slice(wordOf(entry), wordOf(entry) + ENTRY_WORDS)));
  try {
    writeFileSync(STATISTICS, Buffer.concat(parts.map((part) => Buffer.from(part.buffer))), { mode: FILE_MODE });
  } catch {
    rmSync(STATISTICS, { force: true }); // half of them would be worse than none
  }
}

/** Takes what the last stop has left; then the file goes, so that a crash leaves none. */
export function loadStatistics(): void {
  takeSaved();
  for (const shared of [...Object.values(SHARED), ...SLRU.map((_name, i) => FIRST_SLRU + i)]) {
    if (findEntry(0, KIND.shared, shared) === 0) setValue(makeEntry(0, KIND.shared, shared), DATABASE.resetTime, (Date.now() - 946684800000) * 1000);
  }
}

function takeSaved(): void {
  let bytes: Buffer;
  try {
    bytes = readFileSync(STATISTICS);
  } catch {
    return;
  }
  rmSync(STATISTICS, { force: true });
  const saved = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)));
  if (saved[0] !== FILE_MAGIC || saved[1] !== ENTRY_WORDS) return;
  for (let from = 2; from + ENTRY_WORDS <= saved.length; from += ENTRY_WORDS) {
    const entry = makeEntry(saved[from + ENTRY_DATABASE]! >>> 0, saved[from + ENTRY_KIND]!, saved[from + ENTRY_OBJECT]! >>> 0);
    if (entry !== 0) words.set(saved.subarray(from + VALUES_AT, from + ENTRY_WORDS), wordOf(entry) + VALUES_AT);
  }
}
