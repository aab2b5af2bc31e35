// The backend's side of lock_memory.ts: locks that nobody else wants, taken without a message.
import { assert } from '../../common/errors.ts';
import {
  COUNT, HAS_ADVISORY, HAS_KEYS, MAX_WEAK_MODE, MOVED, OVERFLOW, PENDING, PUBLISHED, SLOTS, TABLES, TABLE_ENTRIES, advisoryModes, hasKeys,
  hashAdvisory, hashKey, hashRow, hashed, isAdvisory, modeBit, modeOf, ownerOf, published, publishedSlot, sameObject, sessionAt, strongAt,
  withoutModes, wordOf, writeKeys,
} from './lock_memory.ts';
import { MODE_EXCLUSIVE, ROW_MODES } from './locks.ts';
import type { AdvisoryTarget, LockTarget, TableLockMode } from './messages.ts';

/** More rows and keys than these are the manager's business. */
const MAX_HELD = 32_768;

export class FastPath {
  private readonly words: Int32Array;
  private readonly session: number;
  private readonly base: number;
  /** Slots in the order of taking, in step: what the word was before (0, or our own weaker mode), what it is (of an advisory lock: the
   * mode that was added), the mark. */
  private slots: number[] = [];
  private before: number[] = [];
  private now: number[] = [];
  private marks: number[] = [];
  /** What they are on, in step with them, where it may be asked for: of a slot nobody could tell. */
  private readonly targets: LockTarget[] | null;
  private published = 0;
  private tables = 0;

  /** `known`: see `heldTargets`. */
  constructor(words: Int32Array, session: number, known = false) {
    this.targets = known ? [] : null;
    this.words = words;
    this.session = session;
    this.base = sessionAt(session);
  }

  get held(): boolean {
    return this.slots.length > 0 || this.tables > 0;
  }

  /** True: the lock is ours, and nobody was in the way. False: ask the manager. */
  take(target: LockTarget, mark: number): boolean {
    switch (target.kind) {
      case 'row':
        hashRow(target.relation, target.row);
        return this.takeSlot(target, ROW_MODES[target.mode], mark);
      case 'key':
        hashKey(target.index, target.key);
        if (this.words[this.base + HAS_KEYS] === 0) Atomics.store(this.words, this.base + HAS_KEYS, 1);
        return this.takeSlot(target, MODE_EXCLUSIVE, mark);
      case 'table': return target.mode <= MAX_WEAK_MODE && this.takeTable(target.oid, target.mode, mark);
      case 'advisory': return this.takeAdvisory(target, mark);
      default: return false;
    }
  }

  private takeSlot(target: LockTarget, mode: number, mark: number): boolean {
    const { words, session } = this;
    const { slot, tag } = hashed;
    const word = Atomics.load(words, slot);
    if (word === 0) {
      if (this.slots.length >= MAX_HELD) return false;
      // Said before it is so: whenever we die, what we hold is found.
      this.publish(slot, 0, mark);
      const mine = wordOf(tag, session, mode);
      if (Atomics.compareExchange(words, slot, 0, mine) === 0) {
        this.note(target, slot, 0, mine, mark);
        return true;
      }
      this.unpublish(slot);
      return false;
    }
    if (word < 0 || ownerOf(word) !== session || !sameObject(word, tag)) return false; // below 0: MANAGED
    if (modeOf(word) >= mode) return true;
    const stronger = wordOf(tag, session, mode);
    this.publish(slot, modeOf(word), mark);
    if (Atomics.compareExchange(words, slot, word, stronger) !== word) {
      this.unpublish(slot);
      return false;
    }
    this.note(target, slot, word, stronger, mark);
    return true;
  }

  private note(target: LockTarget, slot: number, before: number, now: number, mark: number): void {
    if (this.targets !== null) this.targets.push(target);
    this.slots.push(slot);
    this.before.push(before);
    this.now.push(now);
    this.marks.push(mark);
  }

  private publish(slot: number, before: number, mark: number): void {
    const { words, base } = this;
    if (this.published === PUBLISHED) {
      Atomics.store(words, base + OVERFLOW, 1);
      return;
    }
    words[base + SLOTS + 2 * this.published] = published(slot, before);
    words[base + SLOTS + 2 * this.published + 1] = mark;
    Atomics.store(words, base + COUNT, ++this.published);
  }

  private unpublish(slot: number): void {
    const { words, base } = this;
    if (this.published > 0 && publishedSlot(words[base + SLOTS + 2 * (this.published - 1)]!) === slot) Atomics.store(words, base + COUNT, --this.published);
  }

  /** Those of the session are the caller's to count and to let go; the others go as rows and keys do. */
  private takeAdvisory(target: AdvisoryTarget, mark: number): boolean {
    const { words, session, base } = this, { key1, key2, key3, session: ofSession } = target;
    const slot = hashAdvisory(key1, key2, key3), bit = modeBit(target.shared), modes = advisoryModes(bit, ofSession);
    const word = Atomics.load(words, slot);
    if (word !== 0) {
      if (word < 0 || ownerOf(word) !== session || !hasKeys(words, slot, key1, key2, key3)) return false;
      if ((word & modes) !== 0) return true;
    }
    if (!ofSession && this.slots.length >= MAX_HELD) return false;
    if (ofSession) Atomics.store(words, base + HAS_ADVISORY, 1);
    else this.publish(slot, bit, mark);
    if (word !== 0 ? Atomics.compareExchange(words, slot, word, word | modes) === word : this.takeFree(slot, target, modes)) {
      if (!ofSession) this.note(target, slot, 0, modes, mark);
      return true;
    }
    if (!ofSession) this.unpublish(slot);
    return false;
  }

  /** Makes a free slot ours, then writes the keys. The manager may want the slot meanwhile: it does not take us for a holder yet. */
  private takeFree(slot: number, { key1, key2, key3 }: AdvisoryTarget, modes: number): boolean {
    const { words, session } = this, pending = session | PENDING;
    if (Atomics.compareExchange(words, slot, 0, pending) !== 0) return false;
    writeKeys(words, slot, key1, key2, key3);
    if (Atomics.compareExchange(words, slot, pending, session | modes) === pending) return true;
    Atomics.and(words, slot, ~(session | PENDING));
    return false;
  }

  /** Lets go of an advisory lock of the session. False: the manager has it. */
  releaseAdvisory({ key1, key2, key3, shared }: AdvisoryTarget): boolean {
    const slot = hashAdvisory(key1, key2, key3), modes = advisoryModes(modeBit(shared), true), word = Atomics.load(this.words, slot);
    return ownerOf(word) === this.session && (word & modes) !== 0 && hasKeys(this.words, slot, key1, key2, key3) && this.letGo(slot, modes);
  }

  /** There is no advisory lock of the session left. */
  releasedAdvisory(): void {
    Atomics.store(this.words, this.base + HAS_ADVISORY, 0);
  }

  private letGo(slot: number, modes: number): boolean {
    const word = Atomics.load(this.words, slot);
    return word > 0 && Atomics.compareExchange(this.words, slot, word, withoutModes(word, modes)) === word;
  }

  /** As `take`, of a table, in a mode up to MAX_WEAK_MODE. */
  takeTable(oid: number, mode: number, mark: number): boolean {
    const { words, base } = this;
    for (let i = 0; i < this.tables; i++) {
      const at = base + TABLES + 3 * i;
      if (words[at + 1] === mode && Atomics.load(words, at) === (oid | 0)) return true;
    }
    if (this.tables === TABLE_ENTRIES) return false;
    const at = base + TABLES + 3 * this.tables;
    words[at + 1] = mode;
    words[at + 2] = mark;
    Atomics.store(words, at, oid | 0);
    // After a strong lock that came first we ask; one that comes now finds our entry.
    if (Atomics.load(words, strongAt(oid)) !== 0 && Atomics.compareExchange(words, at, oid | 0, 0) === (oid | 0)) return false;
    this.tables++;
    return true;
  }

  /** Whether a stronger lock than those up to MAX_WEAK_MODE is held or waited for, on this table or one of like hash. */
  isTableLocked(oid: number): boolean {
    return Atomics.load(this.words, strongAt(oid)) !== 0;
  }

  /** What is held, for the manager to take over: rows and keys are known if the constructor was told so. */
  heldTargets(): LockTarget[] {
    const { words, base } = this, held = (this.targets ?? []).slice();
    for (let i = 0; i < this.tables; i++) {
      const at = base + TABLES + 3 * i, oid = Atomics.load(words, at);
      if (oid !== MOVED) held.push({ kind: 'table', oid: oid >>> 0, mode: words[at + 1] as TableLockMode });
    }
    return held;
  }

  /** ROLLBACK TO: what was taken by requests with a greater mark goes. False: the manager has some of it. */
  releaseAfter(mark: number): boolean {
    const { words, base } = this;
    let all = true;
    while (this.slots.length > 0 && this.marks[this.marks.length - 1]! > mark) {
      const slot = this.slots.pop()!, before = this.before.pop()!, now = this.now.pop()!;
      this.marks.pop();
      if (this.targets !== null) this.targets.pop();
      if (isAdvisory(slot) ? !this.letGo(slot, now) : Atomics.compareExchange(words, slot, now, before) !== now) all = false;
      else this.unpublish(slot);
    }
    for (; this.tables > 0 && words[base + TABLES + 3 * (this.tables - 1) + 2]! > mark; this.tables--) {
      if (Atomics.exchange(words, base + TABLES + 3 * (this.tables - 1), 0) === MOVED) all = false;
    }
    return all;
  }

  /** The manager has let go of what releaseAfter could not. */
  released(): void {
    this.published = this.words[this.base + COUNT]!;
  }

  /** The transaction is over, and the manager does not know: lets everything go. False: it must be told, it has some of it. */
  end(): boolean {
    const all = this.releaseAfter(-1);
    if (all) this.ended();
    return all;
  }

  /** The manager knows that the transaction is over, and has cleared what was ours. */
  ended(): void {
    const { words, base } = this;
    this.slots.length = this.before.length = this.now.length = this.marks.length = 0;
    this.tables = this.published = 0;
    if (this.targets !== null) this.targets.length = 0;
    if (words[base + HAS_KEYS] !== 0) Atomics.store(words, base + HAS_KEYS, 0);
    if (words[base + OVERFLOW] !== 0) Atomics.store(words, base + OVERFLOW, 0);
    if (words[base + COUNT] !== 0) Atomics.store(words, base + COUNT, 0);
    assert(words[base + TABLES] === 0, 'no table lock is left');
  }
}
