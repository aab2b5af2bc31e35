// What is kept by a text, or by its shape. Of those who send ever new texts nothing should live long: what survives two collections of
// young garbage costs a collection of all garbage later. So what is new is on trial, with few others; it stays if it is asked for again
// then, or if its like was kept before (PostgreSQL has no such cache; "TinyLFU" calls this a window and a doorkeeper).

const ON_TRIAL = 24;
/** Hashes of what was kept lately, by some of their bits. */
const REMEMBERED = 4096;

export class TextCache<K extends string | number, V> {
  private readonly lasting = new Map<K, V>();
  private readonly trial = new Map<K, V>();
  private readonly before = new Int32Array(REMEMBERED);
  private readonly limit: number;

  /** `limit`: how many there are at most, beside those on trial; the oldest goes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: K): V | undefined {
    const known = this.lasting.get(key);
    if (known !== undefined || this.trial.size === 0) return known;
    const value = this.trial.get(key);
    if (value !== undefined) {
      this.trial.delete(key);
      this.keep(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    if (this.lasting.has(key)) {
      this.lasting.set(key, value);
      return;
    }
    const hash = hashOf(key), at = hash >>> 1 & (REMEMBERED - 1);
    if (this.before[at] === hash) {
      this.trial.delete(key);
      this.keep(key, value);
      return;
    }
    this.before[at] = hash;
    if (this.trial.size >= ON_TRIAL) this.trial.delete(this.trial.keys().next().value!);
    this.trial.set(key, value);
  }

  private keep(key: K, value: V): void {
    const { lasting } = this;
    if (lasting.size >= this.limit) lasting.delete(lasting.keys().next().value!);
    lasting.set(key, value);
  }

  clear(): void {
    this.lasting.clear();
    this.trial.clear();
  }
}

/** Never 0. */
function hashOf(key: string | number): number {
  if (typeof key === 'number') return (key ^ (key >>> 12)) | 1;
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 15)) | 1;
}
