// The ordered map in memory, with the same promises as the one on LMDB: all of a write or nothing. For tests of what
// stands above, and to make failures on purpose: `failNextWrite`, `crashInWrite`.
import {
  ValueBuffer, META_FILENODE, type Batch, type Cursor, type HeldSnapshot, type WritableStore,
} from '../../src/backend/storage/store.ts';

/** Sorted entries; a write works on a copy, so snapshots are free. */
interface Content {
  keys: string[];
  values: Map<string, Buffer>;
}

const text = (bytes: Uint8Array, length = bytes.length): string => Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');

export class Crash extends Error {}

export class MemoryStore implements WritableStore {
  readonly path = '(memory)';
  snapshotId = 1;
  get nextSnapshotId(): number { return this.snapshotId; }
  lastLength = 0;
  content: Content = { keys: [], values: new Map() };
  /** Thrown by the write after next puts, before anything is kept. */
  failNextWrite: Error | null = null;
  /** Called when a write is complete but not durable, and when it is durable: may throw Crash. */
  onWrite: (durable: boolean) => void = () => {};
  puts = 0;
  writes = 0;

  isNewest(): boolean { return false; }
  renew(): void { this.snapshotId++; }
  advance(): void { this.snapshotId++; }
  release(): void {}
  hold(): HeldSnapshot { return this; }
  use(): void {}
  unhold(): void {}
  describe(): Buffer { return Buffer.alloc(0); }
  take(): null { return null; }
  isStillHeld(): boolean { return false; }
  close(): void {}
  leave(): void {}
  freeze(): void {}
  blockLimit(): number { return 0; }
  readerCheck(): number { return 0; }

  get(key: Uint8Array, length: number): Buffer | undefined {
    return this.lookUp(this.content, key, length);
  }
  lookUp(content: Content, key: Uint8Array, length: number): Buffer | undefined {
    const value = content.values.get(text(key, length));
    this.lastLength = value?.length ?? 0;
    return value && Buffer.from(value);
  }
  getBlock(filenode: number, block: number, into: ValueBuffer): number {
    const key = Buffer.alloc(8);
    key.writeUInt32BE(filenode, 0);
    key.writeUInt32BE(block, 4);
    return this.into(this.get(key, 8), into);
  }
  ceiling(filenode: number, key: string, into: ValueBuffer): number {
    const full = Buffer.alloc(4 + key.length);
    full.writeUInt32BE(filenode, 0);
    full.write(key, 4, 'latin1');
    const name = ceiling(this.content, full, full.length);
    return this.into(name === undefined ? undefined : this.content.values.get(name), into);
  }
  private into(value: Buffer | undefined, into: ValueBuffer): number {
    if (value === undefined) return -1;
    if (value.length > into.bytes.length) into.grow(value.length);
    into.bytes.set(value);
    return value.length;
  }
  meta(name: string): number {
    const key = Buffer.alloc(4 + name.length);
    key.writeUInt32BE(META_FILENODE, 0);
    key.write(name, 4, 'latin1');
    const value = this.get(key, key.length);
    return value === undefined ? 0 : value.readUInt32LE(0) + value.readUInt32LE(4) * 2 ** 32;
  }
  range(from: Uint8Array, to: Uint8Array, reverse = false): Cursor {
    return new MemoryCursor(this.content, text(from), text(to), reverse);
  }

  blocks(filenode: number, _into: unknown, block = -1): Cursor {
    const key = (...numbers: number[]): Buffer => Buffer.concat(numbers.map((number) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(number); return bytes; }));
    return block < 0 ? this.range(key(filenode), key(filenode + 1)) : this.range(key(filenode, block), key(filenode, block + 1));
  }

  write(apply: (batch: Batch) => void): void {
    const content: Content = { keys: [...this.content.keys], values: new Map(this.content.values) };
    this.writes++;
    apply(new MemoryBatch(this, content));
    if (this.failNextWrite !== null) {
      const error = this.failNextWrite;
      this.failNextWrite = null;
      throw error;
    }
    this.onWrite(false);
    this.content = content;
    this.snapshotId++;
    this.onWrite(true);
  }
}

function position(keys: string[], key: string): number {
  let low = 0, high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first key that is not less, when it is of the same filenode. */
function ceiling(content: Content, key: Uint8Array, length: number): string | undefined {
  const wanted = text(key, length), name = content.keys[position(content.keys, wanted)];
  return name?.startsWith(wanted.slice(0, 4)) ? name : undefined;
}

class MemoryBatch implements Batch {
  lastKey = Buffer.alloc(0);
  lastKeyLength = 0;
  private readonly store: MemoryStore;
  private readonly content: Content;
  constructor(store: MemoryStore, content: Content) {
    this.store = store;
    this.content = content;
  }
  get lastLength(): number { return this.store.lastLength; }
  get(key: Uint8Array, length: number): Buffer | undefined {
    return this.store.lookUp(this.content, key, length);
  }
  ceiling(key: Uint8Array, length: number): Buffer | undefined {
    const name = ceiling(this.content, key, length);
    if (name === undefined) return undefined;
    this.lastKey = Buffer.from(name, 'latin1');
    this.lastKeyLength = name.length;
    return this.store.lookUp(this.content, this.lastKey, name.length);
  }
  append(): boolean {
    return false;
  }
  put(key: Uint8Array, value: Uint8Array): void {
    const name = text(key);
    this.store.puts++;
    if (!this.content.values.has(name)) this.content.keys.splice(position(this.content.keys, name), 0, name);
    this.content.values.set(name, Buffer.from(value));
  }
  remove(key: Uint8Array): boolean {
    const name = text(key);
    if (!this.content.values.delete(name)) return false;
    this.content.keys.splice(position(this.content.keys, name), 1);
    return true;
  }
  last(from: Uint8Array, to: Uint8Array): Buffer | undefined {
    const { keys } = this.content;
    const name = keys[position(keys, text(to)) - 1];
    if (name === undefined || name < text(from)) return undefined;
    this.store.lastLength = this.content.values.get(name)!.length;
    return Buffer.from(name, 'latin1');
  }
  removeRange(from: Uint8Array, to: Uint8Array, limit: number): number {
    const { keys, values } = this.content;
    const start = position(keys, text(from)), count = Math.min(limit, position(keys, text(to)) - start);
    for (const name of keys.splice(start, count)) values.delete(name);
    return count;
  }
  range(from: Uint8Array, to: Uint8Array, reverse = false): Cursor {
    return new MemoryCursor(this.content, text(from), text(to), reverse);
  }
}

class MemoryCursor implements Cursor {
  key: Buffer = Buffer.alloc(0);
  value: Buffer = Buffer.alloc(0);
  private readonly content: Content;
  private readonly names: string[];
  private at = 0;
  constructor(content: Content, from: string, to: string, reverse: boolean) {
    this.content = content;
    this.names = content.keys.slice(position(content.keys, from), position(content.keys, to));
    if (reverse) this.names.reverse();
  }
  get keyLength(): number { return this.key.length; }
  get valueLength(): number { return this.value.length; }
  next(): boolean {
    const name = this.names[this.at++];
    if (name === undefined) return false;
    this.key = Buffer.from(name, 'latin1');
    this.value = Buffer.from(this.content.values.get(name)!);
    return true;
  }
  close(): void {}
  leave(): void {}
}
