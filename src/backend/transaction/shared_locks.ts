// The transaction manager's side of lock_memory.ts: brings locks that backends have taken by themselves into its own table
// when somebody else is interested, and frees what a session held when its transaction ends.
import {
  COUNT, HAS_ADVISORY, HAS_KEYS, MANAGED, MAX_SESSIONS, MIN_STRONG_MODE, MOVED, OVERFLOW, PENDING, PUBLISHED, SLOTS, SLOTS_END, TABLES,
  TABLE_ENTRIES, advisoryKeys, advisoryModes, eachAdvisorySlot, eachSlot, hashAdvisory, hashKey, hashRow, hashed, isAdvisory, modeBit, modeOf,
  ownerOf, publishedMode, publishedSlot, sameObject, sessionAt, sessionModes, strongAt, transactionModes, withMode, withoutModes, withoutOwner,
} from './lock_memory.ts';
import { countLockedTable, noTableLocked } from './locked_tables.ts';
import { ACCESS_EXCLUSIVE, KIND_ADVISORY, KIND_KEY, KIND_ROW, KIND_TABLE, MODE_EXCLUSIVE, MODE_SHARED, hasStrong, Lock, type LockOwner, type LockTable } from './locks.ts';
import type { Oid } from '../types/datum.ts';

/** The mark of what a session holds beyond its transaction. */
export const SESSION_HOLD = -1;
/** Called with each lock that turns out to be held: it enters the table. */
type Adopt = (owner: LockOwner, lock: Lock, mode: number, mark: number) => void;

export class SharedLocks {
  readonly words: Int32Array;
  private readonly table: LockTable;
  private readonly adopt: Adopt;
  private readonly database: Oid;
  private readonly owners: (LockOwner | null)[] = [null];
  private readonly free: number[] = [];
  /** How many locks of the table, and pins, a slot has: MANAGED is set while there is one. */
  private readonly managed: Int32Array;
  private pins: number[] = [];

  constructor(words: Int32Array, database: Oid, table: LockTable, adopt: Adopt) {
    this.words = words;
    this.database = database;
    noTableLocked(database);
    this.managed = new Int32Array(SLOTS_END);
    this.table = table;
    this.adopt = adopt;
    table.onObtain = (lock) => this.obtained(lock);
    table.onDispose = (lock) => this.disposed(lock);
    table.onWeaker = (lock) => this.weaker(lock);
  }

  /** A number for a session; 0: there is none left, and it asks for all its locks. */
  attach(owner: LockOwner): number {
    const number = this.free.pop() ?? (this.owners.length <= MAX_SESSIONS ? this.owners.length : 0);
    if (number > 0) this.owners[number] = owner;
    return number;
  }

  /** After `clear`. */
  detach(number: number): void {
    if (number === 0) return;
    this.owners[number] = null;
    this.free.push(number);
  }

  // Rows and keys.

  private place(lock: Lock): boolean {
    if (lock.kind === KIND_ROW) hashRow(lock.space, lock.id as number);
    else if (lock.kind === KIND_KEY) hashKey(lock.space, lock.id as string);
    else if (lock.kind === KIND_ADVISORY) hashed.slot = slotOf(lock.id as string);
    else return false;
    return true;
  }

  /** A lock has come into the table: its slot is ours from now on, and whoever holds it is a holder in the table. */
  private obtained(lock: Lock): void {
    if (!this.place(lock)) return;
    const { slot, tag } = hashed;
    const word = this.manage(slot);
    const number = ownerOf(word);
    const owner = this.owners[number];
    if (!owner) return;
    if (lock.kind === KIND_ADVISORY) this.adoptAdvisory(owner, lock, number, slot, word);
    else if (sameObject(word, tag)) this.adoptAll(owner, lock, number, slot, modeOf(word));
  }

  private disposed(lock: Lock): void {
    if (this.place(lock)) this.unmanage(hashed.slot);
  }

  /** Sets MANAGED; the word. */
  private manage(slot: number): number {
    return this.managed[slot]!++ > 0 ? Atomics.load(this.words, slot) : Atomics.or(this.words, slot, MANAGED) | MANAGED;
  }

  private unmanage(slot: number): void {
    if (--this.managed[slot]! === 0) Atomics.and(this.words, slot, ~MANAGED);
  }

  /** A lock may have been made stronger, in a savepoint that is then rolled back: each mode is a hold with the mark of its own. */
  private adoptAll(owner: LockOwner, lock: Lock, number: number, slot: number, mode: number): void {
    const { words } = this, base = sessionAt(number);
    let mark = 0;
    for (let i = 0, n = Math.min(words[base + COUNT]!, PUBLISHED); i < n; i++) {
      const entry = words[base + SLOTS + 2 * i]!, weaker = publishedMode(entry);
      if (publishedSlot(entry) !== slot) continue;
      if (weaker >= mode) break; // said, and not done yet
      if (weaker !== 0) this.adopt(owner, lock, weaker, mark);
      mark = words[base + SLOTS + 2 * i + 1]!;
    }
    this.adopt(owner, lock, mode, mark);
  }

  private adoptAdvisory(owner: LockOwner, lock: Lock, number: number, slot: number, word: number): void {
    if (advisoryKeys(this.words, slot) !== lock.id) return;
    for (const mode of modesOf(sessionModes(word))) this.adopt(owner, lock, mode, SESSION_HOLD);
    for (const mode of modesOf(transactionModes(word))) this.adopt(owner, lock, mode, this.markOf(number, slot, modeBit(mode === MODE_SHARED)));
  }

  private markOf(number: number, slot: number, bit: number): number {
    const { words } = this, base = sessionAt(number);
    for (let i = 0, n = Math.min(words[base + COUNT]!, PUBLISHED); i < n; i++) {
      const entry = words[base + SLOTS + 2 * i]!;
      if (publishedSlot(entry) === slot && publishedMode(entry) === bit) return words[base + SLOTS + 2 * i + 1]!;
    }
    return 0;
  }

  /** For a commit that holds no locks: nobody takes this row until `unpin`. The lock, if another session has taken it. */
  pinRow(relation: number, row: number, owner: LockOwner): Lock | undefined {
    const there = this.table.find(KIND_ROW, relation, row);
    if (there !== undefined) return there;
    hashRow(relation, row);
    const { slot, tag } = hashed;
    const word = this.manage(slot), holder = this.owners[ownerOf(word)];
    this.pins.push(slot);
    return holder && holder !== owner && sameObject(word, tag) ? this.table.obtain(KIND_ROW, relation, row) : undefined;
  }

  unpin(): void {
    if (this.pins.length === 0) return;
    const { pins } = this;
    this.pins = [];
    for (const slot of pins) this.unmanage(slot);
  }

  /** Whether anybody may hold a key that the table does not know. */
  get keysAreTaken(): boolean {
    for (let number = 1; number < this.owners.length; number++) {
      if (this.owners[number] !== null && Atomics.load(this.words, sessionAt(number) + HAS_KEYS) !== 0) return true;
    }
    return false;
  }

  /** The lock on a key, if somebody holds it. */
  findKey(index: number, key: string): Lock | undefined {
    const there = this.table.find(KIND_KEY, index, key);
    if (there !== undefined) return there;
    hashKey(index, key);
    const word = Atomics.load(this.words, hashed.slot);
    return this.owners[ownerOf(word)] && sameObject(word, hashed.tag) ? this.table.obtain(KIND_KEY, index, key) : undefined;
  }

  // Tables.

  /** Before a strong lock is taken or waited for: all weak ones of that table come into ours. */
  strengthen(lock: Lock, mode: number): void {
    if (lock.kind !== KIND_TABLE || mode < MIN_STRONG_MODE) return;
    if (mode === ACCESS_EXCLUSIVE && !lock.exclusive) {
      lock.exclusive = true;
      countLockedTable(this.database, 1);
    }
    if (lock.strong) return;
    lock.strong = true;
    const oid = lock.id as number;
    Atomics.add(this.words, strongAt(oid), 1);
    this.eachTableEntry((owner, at) => {
      if (this.words[at] === (oid | 0) && Atomics.compareExchange(this.words, at, oid | 0, MOVED) === (oid | 0)) {
        this.adopt(owner, lock, this.words[at + 1]!, this.words[at + 2]!);
      }
    });
  }

  /** After a strong lock was let go, or not obtained. */
  weaker(lock: Lock): void {
    if (lock.exclusive && !hasStrong(lock, ACCESS_EXCLUSIVE)) {
      lock.exclusive = false;
      countLockedTable(this.database, -1);
    }
    if (!lock.strong || hasStrong(lock, MIN_STRONG_MODE)) return;
    lock.strong = false;
    Atomics.sub(this.words, strongAt(lock.id as number), 1);
  }

  private eachTableEntry(visit: (owner: LockOwner, at: number) => void): void {
    for (let number = 1; number < this.owners.length; number++) {
      const owner = this.owners[number];
      if (!owner) continue;
      for (let i = 0; i < TABLE_ENTRIES; i++) visit(owner, sessionAt(number) + TABLES + 3 * i);
    }
  }

  /** Weak table locks that the table does not know, for pg_locks. */
  eachWeak(visit: (owner: LockOwner, oid: number, mode: number) => void): void {
    this.eachTableEntry((owner, at) => {
      const oid = Atomics.load(this.words, at);
      if (oid !== 0 && oid !== MOVED) visit(owner, oid >>> 0, this.words[at + 1]!);
    });
  }

  // Advisory locks of a session.

  /** Frees one, wherever the session has it; the table's part is the caller's. */
  clearAdvisory(number: number, id: string, shared: boolean): void {
    const slot = slotOf(id), word = Atomics.load(this.words, slot);
    if (number !== 0 && ownerOf(word) === number && advisoryKeys(this.words, slot) === id) this.removeModes(slot, number, advisoryModes(modeBit(shared), true));
  }

  clearAllAdvisory(number: number): void {
    if (number === 0 || Atomics.load(this.words, sessionAt(number) + HAS_ADVISORY) === 0) return;
    eachAdvisorySlot((slot) => this.removeModes(slot, number, advisoryModes(3, true)));
    Atomics.store(this.words, sessionAt(number) + HAS_ADVISORY, 0);
  }

  private removeModes(slot: number, number: number, modes: number): void {
    const word = Atomics.load(this.words, slot);
    if (ownerOf(word) === number) Atomics.store(this.words, slot, withoutModes(word, modes));
  }

  /** Advisory locks that the table does not know, for pg_locks. */
  eachAdvisory(visit: (owner: LockOwner, lock: Lock, mode: number) => void): void {
    eachAdvisorySlot((slot) => {
      const word = Atomics.load(this.words, slot), owner = this.owners[ownerOf(word)];
      if (!owner || (word & PENDING) !== 0) return;
      const id = advisoryKeys(this.words, slot);
      if (this.table.find(KIND_ADVISORY, 0, id) !== undefined || Atomics.load(this.words, slot) !== word) return;
      for (const mode of modesOf(sessionModes(word) | transactionModes(word))) visit(owner, new Lock(KIND_ADVISORY, 0, id), mode);
    });
  }

  // The end.

  /** Frees what a session has taken by itself. Before its locks in the table are released: who goes on then must not find it
   * here again. The session waits for our answer, or is gone. */
  clear(number: number): void {
    if (number === 0) return;
    const { words } = this, base = sessionAt(number);
    if (Atomics.load(words, base + OVERFLOW) !== 0) {
      eachSlot((slot) => { if (ownerOf(words[slot]!) === number) this.vacate(slot, 3); });
    } else {
      this.clearAfter(number, -1);
    }
    for (let i = 0; i < TABLE_ENTRIES; i++) {
      const at = base + TABLES + 3 * i;
      if (words[at] !== 0) Atomics.store(words, at, 0);
    }
    Atomics.store(words, base + HAS_KEYS, 0);
    Atomics.store(words, base + OVERFLOW, 0);
    Atomics.store(words, base + COUNT, 0);
  }

  /** ROLLBACK TO: frees what it has taken by requests with a greater mark, as far as it has published that. */
  clearAfter(number: number, mark: number): void {
    if (number === 0) return;
    const { words } = this, base = sessionAt(number);
    let count = Math.min(Atomics.load(words, base + COUNT), PUBLISHED);
    for (; count > 0 && words[base + SLOTS + 2 * (count - 1) + 1]! > mark; count--) {
      const entry = words[base + SLOTS + 2 * (count - 1)]!, slot = publishedSlot(entry), word = Atomics.load(words, slot);
      if (ownerOf(word) !== number) continue;
      if (isAdvisory(slot)) this.vacate(slot, publishedMode(entry));
      else if (mark >= 0 && publishedMode(entry) !== 0) Atomics.store(words, slot, withMode(word, publishedMode(entry)));
      else this.vacate(slot, 0);
    }
    Atomics.store(words, base + COUNT, count);
  }

  /** `bits`: what a transaction holds of an advisory lock. Its session may hold it further. */
  private vacate(slot: number, bits: number): void {
    const word = this.words[slot]!;
    Atomics.store(this.words, slot, isAdvisory(slot) ? withoutModes(word, advisoryModes(bits, false)) : withoutOwner(word));
  }

  /** For tests: what is not free. */
  get takenSlots(): number {
    let taken = 0;
    eachSlot((slot) => { if (this.words[slot] !== 0) taken++; });
    return taken;
  }
}

/** The modes that stand for these bits. */
const modesOf = (bits: number): readonly number[] => MODES_OF[bits]!;
const MODES_OF = [[], [MODE_SHARED], [MODE_EXCLUSIVE], [MODE_SHARED, MODE_EXCLUSIVE]];

function slotOf(id: string): number {
  const [key1, key2, key3] = id.split(',').map(Number);
  return hashAdvisory(key1!, key2!, key3!);
}
