// What is kept by a text, or by its shape. Of those who send ever new texts nothing should live long: what survives two collections of
// young garbage costs a collection of all garbage later. So what is new is on trial, with few others; it stays if it is asked for again
// then, or if its like was kept before (PostgreSQL has no such cache; "TinyLFU" calls this a window and a doorkeeper).

const ON_TRIAL = 24;
/** Hashes of what was kept lately, by some of their bits. */
const REMEMBERED = 4096;

export class TextCache<K extends string | number, V> {
  private readonly lasting = new Map<K, V>();
  /** No Map: what churns in one survives. It is made anew again and again, and the old table, once it is in the old space, keeps the
   * next ones, with all that was in them, until all garbage is collected. */
  private readonly trialKeys: (K | undefined)[] = new Array<K | undefined>(ON_TRIAL).fill(undefined);
  private readonly trialValues: (V | undefined)[] = new Array<V | undefined>(ON_TRIAL).fill(undefined);
  /** By which most of them are told apart. */
  private readonly trialMarks = new Int32Array(ON_TRIAL);
  private nextOnTrial = 0;
  private readonly before = new Int32Array(REMEMBERED);
  private readonly limit: number;

  /** `limit`: how many there are at most, beside those on trial; the oldest goes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get(key: K): V | undefined {
    const known = this.lasting.get(key);
    if (known !== undefined) return known;
    const at = this.onTrial(key);
    if (at < 0) return undefined;
    const value = this.trialValues[at]!;
    this.put(at, undefined, undefined);
    this.keep(key, value);
    return value;
  }

  set(key: K, value: V): void {
    if (this.lasting.has(key)) {
      this.lasting.set(key, value);
      return;
    }
    const hash = hashOf(key), at = hash >>> 1 & (REMEMBERED - 1), known = this.onTrial(key);
    if (this.before[at] === hash) {
      if (known >= 0) this.put(known, undefined, undefined);
      this.keep(key, value);
    } else {
      this.before[at] = hash;
      if (known >= 0) this.put(known, key, value);
      else {
        this.put(this.nextOnTrial, key, value);
        this.nextOnTrial = (this.nextOnTrial + 1) % ON_TRIAL;
      }
    }
  }

  /** Its place; -1: it is not there. */
  private onTrial(key: K): number {
    const mark = markOf(key), { trialMarks, trialKeys } = this;
    for (let i = 0; i < ON_TRIAL; i++) if (trialMarks[i] === mark && trialKeys[i] === key) return i;
    return -1;
  }

  private put(at: number, key: K | undefined, value: V | undefined): void {
    this.trialMarks[at] = key === undefined ? 0 : markOf(key);
    this.trialKeys[at] = key;
    this.trialValues[at] = value;
  }

  private keep(key: K, value: V): void {
    const { lasting } = this;
    if (lasting.size >= this.limit) lasting.delete(lasting.keys().next().value!);
    lasting.set(key, value);
  }

  clear(): void {
    this.lasting.clear();
    this.trialKeys.fill(undefined);
    this.trialValues.fill(undefined);
  }
}

/** Of texts the length and the end, where they differ most. */
function markOf(key: string | number): number {
  if (typeof key === 'number') return key | 0;
  let mark = key.length;
  for (let i = Math.max(0, mark - 12); i < key.length; i++) mark = (Math.imul(mark, 31) + key.charCodeAt(i)) | 0;
  return mark;
}

/** Never 0; texts that differ in their last digit have different ones. */
function hashOf(key: string | number): number {
  if (typeof key === 'number') return ((key ^ (key >>> 12)) << 1) | 1;
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return ((hash ^ (hash >>> 15)) << 1) | 1;
}
