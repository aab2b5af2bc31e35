// Hash tables of joins: from key to the row numbers that have it, chained newest first. The columns of the rows are
// arrays of the generated code; here are only keys and chains. `first(key)` is the first row or -1, `next[row]` the
// following one or -1.
import type { Datum } from '../types/datum.ts';
import { hashPrimitive } from './group_table.ts';

const INITIAL = 1024;

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}

/**
 * One integer key of 32 bits, never NULL. Keys are only kept while rows come; at the first look-up it is known how they
 * lie: when they are dense (a primary key, a foreign key) their heads stand in an array by key, without any hashing.
 */
export class JoinIntTable {
  count = 0;
  next: Int32Array<ArrayBuffer> = new Int32Array(0);
  static readonly rowBytes = 20;
  private keys = new Int32Array(INITIAL);
  private slots: Int32Array<ArrayBuffer> = new Int32Array(0);
  private mask = 0;
  private built = -1;
  private dense = false;
  private minimum = 0;
  private unmatchable: Uint8Array | null = null;

  add(key: number): void {
    const row = this.count++;
    if (row === this.keys.length) this.keys = grown(this.keys);
    this.keys[row] = key;
  }

  addUnmatchable(): void {
    const row = this.count++;
    if (row === this.keys.length) this.keys = grown(this.keys);
    if (this.unmatchable === null || this.unmatchable.length < this.keys.length) {
      const larger = new Uint8Array(this.keys.length);
      if (this.unmatchable !== null) larger.set(this.unmatchable);
      this.unmatchable = larger;
    }
    this.unmatchable[row] = 1;
  }

  clear(): void {
    this.count = 0;
    this.built = -1;
    this.keys = new Int32Array(INITIAL);
    this.next = this.slots = new Int32Array(0);
    this.unmatchable = null;
  }

  private build(): void {
    const { count, keys, unmatchable } = this;
    this.built = count;
    let minimum = Infinity, maximum = -Infinity;
    for (let row = 0; row < count; row++) {
      if (unmatchable?.[row] === 1) continue;
      const key = keys[row]!;
      if (key < minimum) minimum = key;
      if (key > maximum) maximum = key;
    }
    const next = (this.next = new Int32Array(count));
    // Without any key the table is dense, and empty.
    if (maximum < minimum) minimum = maximum = 0;
    const range = maximum - minimum + 1;
    this.dense = range <= count * 4 + INITIAL;
    if (this.dense) {
      this.minimum = minimum;
      const slots = (this.slots = new Int32Array(range).fill(-1));
      for (let row = 0; row < count; row++) {
        if (unmatchable?.[row] === 1) { next[row] = UNMATCHABLE; continue; }
        const at = keys[row]! - minimum;
        next[row] = slots[at]!;
        slots[at] = row;
      }
      return;
    }
    let size = INITIAL * 2;
    while (size < count * 2) size *= 2;
    const mask = (this.mask = size - 1);
    const slots = (this.slots = new Int32Array(size).fill(-1));
    for (let row = 0; row < count; row++) {
      if (unmatchable?.[row] === 1) { next[row] = UNMATCHABLE; continue; }
      // Open addressing over the distinct keys; a slot holds the newest row of its key.
      const key = keys[row]!;
      let at = hashInt(key) & mask;
      let other = slots[at]!;
      while (other >= 0 && keys[other] !== key) {
        at = (at + 1) & mask;
        other = slots[at]!;
      }
      next[row] = other;
      slots[at] = row;
    }
  }

  first(key: number): number {
    if (this.built !== this.count) this.build();
    const { slots } = this;
    if (this.dense) {
      const at = key - this.minimum;
      return at >= 0 && at < slots.length ? slots[at]! : -1;
    }
    const { keys, mask } = this;
    let at = hashInt(key) & mask;
    let row = slots[at]!;
    while (row >= 0 && keys[row] !== key) {
      at = (at + 1) & mask;
      row = slots[at]!;
    }
    return row;
  }
}

const UNMATCHABLE = -2;

function hashInt(key: number): number {
  const h = Math.imul(key ^ (key >>> 16), 0x45d9f3b);
  return h ^ (h >>> 15);
}

/** One key of any primitive kind. */
export class JoinMapTable {
  count = 0;
  next: Int32Array<ArrayBuffer> = new Int32Array(INITIAL);
  static readonly rowBytes = 64;
  private readonly heads = new Map<Datum, number>();

  clear(): void {
    this.count = 0;
    this.next = new Int32Array(INITIAL);
    this.heads.clear();
  }

  add(key: Datum): void {
    const row = this.count++;
    if (row === this.next.length) this.next = grown(this.next);
    this.next[row] = this.heads.get(key) ?? -1;
    this.heads.set(key, row);
  }

  addUnmatchable(): void {
    const row = this.count++;
    if (row === this.next.length) this.next = grown(this.next);
    this.next[row] = -1;
  }

  first(key: Datum): number {
    return this.heads.get(key) ?? -1;
  }
}

/** Several keys: put into `key`, then `add()` or `first()`. */
export class JoinMultiTable {
  count = 0;
  next: Int32Array<ArrayBuffer> = new Int32Array(INITIAL);
  readonly key: Datum[];
  static readonly rowBytes = 32;
  private readonly keys: Datum[][];
  private hashes = new Int32Array(INITIAL);
  private slots = new Int32Array(INITIAL * 2).fill(-1);
  private mask = INITIAL * 2 - 1;

  constructor(width: number) {
    this.key = new Array<Datum>(width).fill(null);
    this.keys = this.key.map(() => []);
  }

  clear(): void {
    this.count = 0;
    this.next = new Int32Array(INITIAL);
    this.hashes = new Int32Array(INITIAL);
    this.slots = new Int32Array(INITIAL * 2).fill(-1);
    this.mask = INITIAL * 2 - 1;
    for (const column of this.keys) column.length = 0;
  }

  private hash(): number {
    let h = 17;
    for (let i = 0; i < this.key.length; i++) h = Math.imul(h, 0x01000193) ^ hashPrimitive(this.key[i]!);
    return hashInt(h);
  }

  private same(row: number): boolean {
    for (let i = 0; i < this.key.length; i++) {
      const a = this.key[i]!;
      const b = this.keys[i]![row]!;
      if (a !== b && !(a !== a && b !== b)) return false;
    }
    return true;
  }

  add(): void {
    const row = this.count++;
    if (row === this.hashes.length) this.grow();
    const hash = this.hash();
    this.hashes[row] = hash;
    const { slots, mask } = this;
    let at = hash & mask;
    let other = slots[at]!;
    while (other >= 0 && !(this.hashes[other] === hash && this.same(other))) {
      at = (at + 1) & mask;
      other = slots[at]!;
    }
    this.next[row] = other;
    slots[at] = row;
    for (let i = 0; i < this.key.length; i++) this.keys[i]!.push(this.key[i]!);
  }

  addUnmatchable(): void {
    const row = this.count++;
    if (row === this.hashes.length) this.grow();
    this.next[row] = UNMATCHABLE;
    for (const column of this.keys) column.push(null);
  }

  private grow(): void {
    this.hashes = grown(this.hashes);
    this.next = grown(this.next);
    const size = this.hashes.length * 2;
    const mask = (this.mask = size - 1);
    const before = this.slots;
    const slots = (this.slots = new Int32Array(size).fill(-1));
    // A slot stands for a whole chain, so only slots move.
    for (const head of before) {
      if (head < 0) continue;
      let at = this.hashes[head]! & mask;
      while (slots[at]! >= 0) at = (at + 1) & mask;
      slots[at] = head;
    }
  }

  first(): number {
    const hash = this.hash();
    const { slots, mask, hashes } = this;
    let at = hash & mask;
    let row = slots[at]!;
    while (row >= 0 && !(hashes[row] === hash && this.same(row))) {
      at = (at + 1) & mask;
      row = slots[at]!;
    }
    return row;
  }
}
