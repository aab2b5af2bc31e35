// From group keys to group numbers 0, 1, 2, ... in the order the groups are first seen. `find` gives the number of a
// key's group; a number equal to the count so far means the group is new. Keys are primitives (sort_support's hash
// keys). A table that has `limit` groups takes no more: `find` then gives the count for a key that it does not know, and
// the count stays the same. What belongs to a group is kept by the generated code in arrays indexed by its number.
import type { Datum } from '../types/datum.ts';

const INITIAL = 256;

function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return h ^ (h >>> 15);
}

/** Integers of 32 bits, or NULL. */
export class IntGroups {
  static readonly groupBytes = 16;
  count = 0;
  limit = Infinity;
  private nullGroup = -1;
  private mask = INITIAL - 1;
  private slots = new Int32Array(INITIAL).fill(-1);
  private keys = new Int32Array(INITIAL >> 1);

  find(key: number): number {
    const { slots, keys, mask } = this;
    let at = mix(key) & mask;
    let group = slots[at]!;
    while (group >= 0) {
      if (keys[group] === key) return group;
      at = (at + 1) & mask;
      group = slots[at]!;
    }
    return this.insert(key, at);
  }

  findNull(): number {
    if (this.nullGroup < 0) {
      if (this.count >= this.limit) return this.count;
      this.nullGroup = this.count++;
      if (this.count === this.keys.length) this.grow();
    }
    return this.nullGroup;
  }

  private insert(key: number, at: number): number {
    if (this.count >= this.limit) return this.count;
    const group = this.count++;
    this.slots[at] = group;
    this.keys[group] = key;
    if (this.count === this.keys.length) this.grow();
    return group;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    const mask = (this.mask = size - 1);
    const slots = (this.slots = new Int32Array(size).fill(-1));
    const keys = new Int32Array(size >> 1);
    keys.set(this.keys);
    this.keys = keys;
    for (let group = 0; group < this.count; group++) {
      if (group === this.nullGroup) continue;
      let at = mix(keys[group]!) & mask;
      while (slots[at]! >= 0) at = (at + 1) & mask;
      slots[at] = group;
    }
  }
}

/** One key of any primitive kind, or NULL. */
export class MapGroups {
  static readonly groupBytes = 56;
  count = 0;
  limit = Infinity;
  private readonly map = new Map<Datum, number>();

  find(key: Datum): number {
    const group = this.map.get(key);
    if (group !== undefined) return group;
    if (this.count >= this.limit) return this.count;
    this.map.set(key, this.count);
    return this.count++;
  }
}

const doubleBits = new Float64Array(1);
const doubleWords = new Int32Array(doubleBits.buffer);

export function hashPrimitive(v: Datum): number {
  if (typeof v === 'number') {
    const n = v | 0;
    if (n === v) return n;
    doubleBits[0] = v === 0 ? 0 : v;
    return doubleWords[0]! ^ Math.imul(doubleWords[1]!, 31);
  }
  if (typeof v === 'string') {
    let h = v.length;
    for (let i = 0; i < v.length; i++) h = Math.imul(h, 31) + v.charCodeAt(i);
    return h | 0;
  }
  if (v === null) return 0x5bd1e995;
  if (v === true) return 1;
  if (v === false) return 2;
  return Number(BigInt.asIntN(32, v as bigint));
}

/** Several keys: put into `key`, then `find()`. */
export class MultiGroups {
  static readonly groupBytes = 48;
  count = 0;
  limit = Infinity;
  readonly key: Datum[];
  private readonly keys: Datum[][];
  private mask = INITIAL - 1;
  private slots = new Int32Array(INITIAL).fill(-1);
  private hashes = new Int32Array(INITIAL >> 1);

  constructor(width: number) {
    this.key = new Array<Datum>(width).fill(null);
    this.keys = this.key.map(() => []);
  }

  find(): number {
    const { key, keys, slots, hashes, mask } = this;
    let hash = 17;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash, 0x01000193) ^ hashPrimitive(key[i]!);
    hash = mix(hash);
    let at = hash & mask;
    let group = slots[at]!;
    search: while (group >= 0) {
      if (hashes[group] === hash) {
        let same = true;
        for (let i = 0; i < key.length; i++) {
          const a = key[i]!;
          const b = keys[i]![group]!;
          if (a !== b && !(a !== a && b !== b)) {
            same = false;
            break;
          }
        }
        if (same) break search;
      }
      at = (at + 1) & mask;
      group = slots[at]!;
    }
    return group >= 0 ? group : this.insert(hash, at);
  }

  private insert(hash: number, at: number): number {
    if (this.count >= this.limit) return this.count;
    const group = this.count++;
    this.slots[at] = group;
    this.hashes[group] = hash;
    for (let i = 0; i < this.key.length; i++) this.keys[i]!.push(this.key[i]!);
    if (this.count === this.hashes.length) this.grow();
    return group;
  }

  private grow(): void {
    const size = this.slots.length * 2;
    const mask = (this.mask = size - 1);
    const slots = (this.slots = new Int32Array(size).fill(-1));
    const hashes = new Int32Array(size >> 1);
    hashes.set(this.hashes);
    this.hashes = hashes;
    for (let group = 0; group < this.count; group++) {
      let at = hashes[group]! & mask;
      while (slots[at]! >= 0) at = (at + 1) & mask;
      slots[at] = group;
    }
  }
}

export function growFloats(old: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(length);
  grown.set(old);
  return grown;
}
