// The store on LMDB; the only file that imports `lmdb`.
//
// We use lmdb-js's native functions directly, below its JavaScript. Its own read transaction renews itself by a
// timer per use, which in a blocking backend never fires and piles up; ours is a plain LMDB read transaction whose
// life this file decides. The native side renews a transaction that was reset at the next read, and touches one that
// is live never: so a snapshot stays the same until `renew`, with or without an event loop.
//
// Native calls exchange bytes through two places: the key buffer (one for the process; keys in, cursor keys out at
// offset 32, the length of a cursor's value at 0) and the value target (set by setGlobalBuffer, switched when another
// reader's turn comes: 60 ns). Every reader has its own ValueBuffer, so nobody's bytes are overwritten by another.
import { closeSync, constants, openSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { PgError, internalError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { port } from '../../port/port.ts';
import { flushToDisk, unpackEnvironment } from './packed.ts';
import { MAX_KEY_BYTES, META_FILENODE, ValueBuffer, type Batch, type Cursor, type HeldSnapshot, type Store, type WritableStore } from './store.ts';

interface NativeTxn { readonly address: number; abort(): void; renew(): void }
interface NativeCursor { readonly address: number; close(): void; del(): void }
interface NativeEnv { readonly address: number; open(options: object, flags: number, jsFlags: number): void; readerCheck(): number; close(): void }
interface NativeDbi { readonly dbi: number; readonly address: number }
interface Native {
  Env: new () => NativeEnv;
  Dbi: new (env: NativeEnv, flags: number, name: string | null, keyType: number) => NativeDbi;
  Txn: new (env: NativeEnv, flags: number) => NativeTxn;
  Cursor: new (db: { readonly dbi: number }, txnAddress: number) => NativeCursor;
  getByBinary(db: number, keyLength: number, ifNotTxnId: number, txn: number): number;
  position(cursor: number, flags: number, offset: number, keyLength: number, endKey: number): number;
  iterate(cursor: number): number;
  getCurrentValue(cursor: number): number;
  resetTxn(txn: number): void;
  setGlobalBuffer(buffer: Uint8Array): void;
  getAddress(buffer: ArrayBuffer): number;
  write(env: number, instruction: number): void;
  getEnvsPointer(): number;
  /** Ours: see tools/lmdb.patch. */
  readonly openKeepsTxnid?: boolean;
  readonly commitsInOneFlush?: boolean;
  /** The snapshot of a transaction, into `to`; how many bytes. */
  describeSnapshot(txn: number, to: Uint8Array): number;
  /** A live transaction without cursors goes back to this snapshot; false: nobody holds it. */
  takeSnapshot(txn: number, description: Uint8Array): boolean;
  isSnapshotHeld(txn: number, description: Uint8Array): boolean;
}
interface Database {
  readonly env: NativeEnv; readonly db: { readonly dbi: number }; readonly dbAddress: number;
  putSync(key: Uint8Array, value: Uint8Array): boolean;
  transactionSync(work: () => void): void;
  readerCheck(): number;
  /** A promise when it may take long. */
  close(): Promise<void> | undefined;
}

const require = createRequire(import.meta.url);
const native = require(join(dirname(findPackageJSON('lmdb', import.meta.url)!), 'build/Release/lmdb.node')) as Native;
if (!native.openKeepsTxnid || !native.commitsInOneFlush) throw new Error('the addon of the package lmdb is not the one that `make build` compiles (tools/lmdb.patch)');
// As lmdb-js does when it is loaded: the addon makes its tables of what is open.
(globalThis as { __lmdb_envs__?: number }).__lmdb_envs__ ??= native.getEnvsPointer();
/** lmdb-js's own part, which only writers need. */
export const loadWriter = (): { open: (options: object) => Database } => require('lmdb') as { open: (options: object) => Database };

/** Address space set aside, not memory and not disk; the most one database can ever hold. */
const MAP_SIZE_BYTES = 2 ** 40;
const MAX_READERS = 4000;
const READ_ONLY = 0x20000, BINARY_KEYS = 3;
const MDB_NOTFOUND = -30798;
const INCLUDE_VALUES = 0x100, REVERSE = 0x400, RENEW_CURSOR = 0x2000, INCLUSIVE_END = 0x8000, EXCLUSIVE_START = 0x10000;
/** Where a cursor's key stands in the key buffer. */
const CURSOR_KEY = 32;

/** The process's key buffer. */
const keyBuffer = Buffer.allocUnsafeSlow(4096);
const keyView = new DataView(keyBuffer.buffer, keyBuffer.byteOffset, keyBuffer.byteLength);

let target: Buffer | null = null;
function setTarget(bytes: Buffer): void {
  target = bytes;
  native.setGlobalBuffer(bytes);
}

const keyEncoder = {
  writeKey(key: Uint8Array, into: Buffer, start: number): number { into.set(key, start); return start + key.length; },
  readKey: (bytes: Buffer, start: number, end: number): Buffer => bytes.subarray(start, end),
};

const environmentOptions = (path: string): object => ({
  path, keyBytes: keyBuffer, mapSize: MAP_SIZE_BYTES, maxReaders: MAX_READERS, maxDbs: 1, permissionsMode: 0o600,
});

function openEnvironment(path: string, durable: boolean): Database {
  unpackEnvironment(path);
  let database: Database;
  try {
    database = loadWriter().open({
      ...environmentOptions(path), readOnly: false, noSubdir: false, encoding: 'binary', keyEncoder, cache: false, overlappingSync: false, noSync: !durable,
    });
  } catch (error) {
    throw openError(path, error);
  }
  // What is flushed into files without a name would be gone after a power cut. (Also names that are there already: who made them
  // may have died before this.)
  if (durable) flushToDisk(path);
  return database;
}

/** As a new backend needs it: without lmdb-js's JavaScript, which makes a class with its methods for each environment. */
function openForReading(path: string): Database {
  let env = new native.Env();
  try {
    env.open(environmentOptions(path), READ_ONLY, 0);
  } catch {
    // It lies packed, or did until now: somebody else may have been faster.
    unpackEnvironment(path);
    env = new native.Env();
    try {
      env.open(environmentOptions(path), READ_ONLY, 0);
    } catch (error) {
      throw openError(path, error);
    }
  }
  const txn = new native.Txn(env, READ_ONLY);
  const db = new native.Dbi(env, 0, null, BINARY_KEYS);
  txn.abort();
  return { env, db, dbAddress: db.address, close: () => env.close() } as Partial<Database> as Database;
}

/** Opens an environment for reading only. */
export function openStore(path: string): Store {
  return new LmdbStore(path, openForReading(path), new CommitCounter(path, true), true);
}

/** Opens (and makes) an environment for reading and writing: the one writer of its database. What is not `durable` must
 * be thrown away after a crash. */
export function openWritableStore(path: string, durable = true): WritableStore {
  return new LmdbWritableStore(path, openEnvironment(path, durable), new CommitCounter(path, durable), true);
}

/** A store of its own for reading what this process writes: LMDB wants an environment opened but once. */
export function openReader(of: WritableStore): Store {
  const { path, database, counter } = of as LmdbWritableStore;
  return new LmdbStore(path, database, counter, false);
}

/** The number of the environment's last commit, which LMDB keeps in its lock file (MDB_txninfo: magic, format, txnid):
 * read from there it costs two loads, and mostly tells that the last snapshot is still the newest. */
class CommitCounter {
  private readonly path: string;
  private words: Int32Array | null = null;
  private memory: ArrayBuffer | null = null;
  /** Stays open as long as the environment: closing any descriptor of the lock file would drop LMDB's lock on it. */
  private fd = -1;
  private asked = 0;
  /** `maps`: an environment that is opened and closed all the time does without. */
  constructor(path: string, maps: boolean) {
    this.path = path;
    if (!maps) this.asked = MAP_WHEN_ASKED;
  }
  /** After the environment. */
  close(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    // Not when V8 collects: each mapping that the rehearsal leaves is one more for every fork.
    if (this.memory !== null) port.unmapPart(this.memory);
    this.memory = this.words = null;
  }
  /** -1: not known. */
  read(): number {
    if (this.asked < MAP_WHEN_ASKED && ++this.asked === MAP_WHEN_ASKED) this.map();
    const { words } = this;
    return words === null ? -1 : (words[2]! >>> 0) + (words[3]! & 0xfffff) * 4294967296;
  }
  private map(): void {
    this.fd = openSync(`${this.path}/lock.mdb`, constants.O_RDONLY | constants.O_NOFOLLOW);
    const memory = port.mapFile(this.fd, LOCK_HEADER_BYTES);
    this.memory = typeof memory === 'number' ? null : memory;
    const words = this.memory === null ? null : new Int32Array(this.memory);
    this.words = words !== null && words[0] === LOCK_MAGIC ? words : null;
  }
}
/** A session of one or two statements does without. */
const MAP_WHEN_ASKED = 12;
const DESCRIPTION_BYTES = 256;
const LOCK_HEADER_BYTES = 16, LOCK_MAGIC = 0xbeefc0de | 0;

let nextSnapshotId = 1;

/** An LMDB read transaction, its cursors, and who holds it. */
class ReadTransaction implements HeldSnapshot {
  readonly txn: NativeTxn;
  readonly address: number;
  snapshotId = nextSnapshotId++;
  holders = 0;
  /** Not reset: it shows what it showed. */
  live = true;
  /** Cursors of another life of the transaction must be renewed. */
  life = 1;
  /** The last commit it showed; -1: not known. */
  private commit = -1;
  private readonly counter: CommitCounter;
  /** The open ones, in any order: each knows its place. (No Set: one that loses its last entry again and again makes a new
   * table each time.) */
  readonly cursors: LmdbCursor[] = [];
  constructor(env: NativeEnv, counter: CommitCounter) {
    this.counter = counter;
    this.txn = new native.Txn(env, READ_ONLY);
    this.address = this.txn.address;
  }
  /** Whether there was no commit since the one it showed last. */
  isNewest(): boolean {
    return this.commit >= 0 && this.counter.read() === this.commit;
  }
  /** After a reset: takes the newest commit. The snapshot is a new one unless that is what it showed before; a commit
   * that comes at this very moment leaves the number open. */
  renew(): void {
    const before = this.counter.read();
    this.txn.renew();
    this.life++;
    this.live = true;
    const commit = this.counter.read() === before ? before : -1;
    if (commit < 0 || commit !== this.commit) this.snapshotId = nextSnapshotId++;
    this.commit = commit;
  }
  reset(): void {
    this.detachAll();
    native.resetTxn(this.address);
    this.live = false;
  }
  detachAll(): void {
    const { cursors } = this;
    while (cursors.length > 0) cursors.pop()!.detach();
  }
  addCursor(cursor: LmdbCursor): void {
    cursor.place = this.cursors.push(cursor) - 1;
  }
  removeCursor(cursor: LmdbCursor): void {
    const last = this.cursors.pop()!;
    if (last === cursor) return;
    this.cursors[cursor.place] = last;
    last.place = cursor.place;
  }
}

class LmdbStore implements Store {
  readonly path: string;
  lastLength = 0;
  readonly database: Database;
  readonly dbAddress: number;
  current: ReadTransaction;
  private readonly idle: ReadTransaction[] = [];
  private readonly busy = new Set<ReadTransaction>();
  /** The native side renews a cursor in the youngest transaction only. */
  private youngest: ReadTransaction;
  private readonly spareCursors: NativeCursor[] = [];
  /** The cursor of `ceiling`, the transaction it is in, and which life of it. */
  private finder: NativeCursor | null = null;
  private finderIn: ReadTransaction | null = null;
  private finderLife = 0;
  private readonly ownValue = new ValueBuffer();
  private readonly metaKeys = new Map<string, Buffer>();
  private closed = false;
  private frozen = false;
  private readonly owner: boolean;
  readonly counter: CommitCounter;

  /** Not the `owner`: environment and counter are somebody else's to close. */
  constructor(path: string, database: Database, counter: CommitCounter, owner: boolean) {
    this.path = path;
    this.database = database;
    this.owner = owner;
    this.counter = counter;
    this.dbAddress = database.dbAddress;
    this.current = this.youngest = new ReadTransaction(database.env, this.counter);
    this.current.reset();
  }

  get snapshotId(): number {
    const { current } = this;
    if (!current.live) current.renew();
    return current.snapshotId;
  }

  get nextSnapshotId(): number {
    const { current } = this;
    return current.live || current.isNewest() ? current.snapshotId : this.snapshotId;
  }

  isNewest(): boolean {
    return this.frozen || this.current.isNewest();
  }

  renew(): void {
    if (this.frozen) return;
    const { current } = this;
    if (current.live && !current.isNewest()) this.release();
    else if (this.busy.size > 0) this.sweep();
  }

  advance(): void {
    if (this.frozen || !this.current.live) return;
    if (this.current.holders === 0 && this.current.cursors.length === 0) this.current.reset();
    else this.leaveCurrent();
  }

  release(): void {
    if (this.frozen) return;
    const { current } = this;
    if (current.live) {
      if (current.holders === 0) current.reset();
      else this.leaveCurrent();
    }
    if (this.busy.size > 0) this.sweep();
  }

  hold(): HeldSnapshot {
    // The transaction may be reset and not live yet: pin what it will show.
    this.openTransaction();
    this.current.holders++;
    return this.current;
  }

  use(snapshot: HeldSnapshot): void {
    const left = this.current;
    if (snapshot === left) return;
    this.leaveCurrent(snapshot as ReadTransaction);
    // What was begun in between is done with: a loop of statements must not gather readers.
    if (left.holders > 0 || this.frozen) return;
    left.reset();
    this.busy.delete(left);
    this.idle.push(left);
  }

  unhold(snapshot: HeldSnapshot): void {
    const held = snapshot as ReadTransaction;
    held.holders--;
    if (held !== this.current) this.sweep();
  }

  describe(snapshot: HeldSnapshot): Buffer {
    const to = Buffer.allocUnsafe(DESCRIPTION_BYTES);
    return to.subarray(0, native.describeSnapshot((snapshot as ReadTransaction).address, to));
  }

  take(description: Buffer): HeldSnapshot | null {
    const transaction = this.youngest = new ReadTransaction(this.database.env, this.counter), taken = native.takeSnapshot(transaction.address, description);
    this.busy.add(transaction);
    if (taken) transaction.holders++;
    else this.sweep();
    return taken ? transaction : null;
  }

  isStillHeld(description: Buffer): boolean {
    return native.isSnapshotHeld(this.current.address, description);
  }

  private leaveCurrent(next?: ReadTransaction): void {
    this.busy.add(this.current);
    this.current = next ?? this.idle.pop() ?? (this.youngest = new ReadTransaction(this.database.env, this.counter));
    this.busy.delete(this.current);
  }

  /** Transactions that only forgotten cursors kept: their readers are through. */
  private sweep(): void {
    if (this.frozen) return;
    for (const old of this.busy) {
      if (old.holders > 0) continue;
      old.reset();
      this.busy.delete(old);
      this.idle.push(old);
    }
  }

  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined {
    for (let i = 0; i < keyLengthBytes; i++) keyBuffer[i] = key[i]!;
    const length = this.read(keyLengthBytes, this.ownValue, this.openTransaction());
    if (length < 0) return undefined;
    this.lastLength = length;
    return this.ownValue.bytes;
  }

  getBlock(filenode: number, block: number, into: ValueBuffer): number {
    keyView.setUint32(0, filenode);
    keyView.setUint32(4, block);
    return this.read(8, into, this.openTransaction());
  }

  ceiling(filenode: number, key: string, into: ValueBuffer): number {
    const transaction = this.openTransaction(), { current } = this;
    let { finder } = this, flags = INCLUDE_VALUES;
    const lasting = current === this.youngest;
    if (!lasting || finder === null) {
      finder = new native.Cursor(this.database.db, transaction);
      if (lasting) this.finder = finder;
    } else if (this.finderIn !== current || this.finderLife !== current.life) {
      flags |= RENEW_CURSOR;
    }
    if (lasting) { this.finderIn = current; this.finderLife = current.life; }
    keyView.setUint32(0, filenode);
    writeBinaryString(keyBuffer, key, 4);
    const length = seek(finder, flags, 4 + key.length, filenode, into);
    if (!lasting) finder.close();
    return length;
  }

  private openTransaction(): number {
    const { current } = this;
    if (!current.live) current.renew();
    return current.address;
  }

  /** Reads under the key in the key buffer. 0 as `txn`: the write transaction. */
  read(keyLength: number, into: ValueBuffer, txn: number): number {
    if (target !== into.bytes) setTarget(into.bytes);
    const length = native.getByBinary(this.dbAddress, keyLength, 0, txn);
    if (length >= 0 && length <= into.bytes.length) return length;
    if (length === MDB_NOTFOUND) return -1;
    if (length < 0) throw readError(length);
    // The native side keeps the key buffer as it was.
    into.grow(length);
    return this.read(keyLength, into, txn);
  }

  meta(name: string): number {
    const key = this.metaKey(name);
    const bytes = this.get(key, key.length);
    return bytes === undefined ? 0 : bytes.readUInt32LE(0) + bytes.readUInt32LE(4) * 4294967296;
  }

  private metaKey(name: string): Buffer {
    let key = this.metaKeys.get(name);
    if (key === undefined) this.metaKeys.set(name, (key = metaKey(name)));
    return key;
  }

  range(from: Uint8Array, to: Uint8Array, reverse = false, into?: ValueBuffer): Cursor {
    return new LmdbCursor(this, from, to, reverse, into ?? new ValueBuffer(), false);
  }

  blocks(filenode: number, into: ValueBuffer, from = -1, to = from + 1): Cursor {
    return from < 0
      ? new LmdbCursor(this, blockKey(fromKey, filenode), blockKey(toKey, filenode + 1), false, into, false)
      : new LmdbCursor(this, blockKey(fromBlock, filenode, from), blockKey(toBlock, filenode, to), false, into, false);
  }

  blockLimit(filenode: number, into: ValueBuffer): number {
    const cursor = new LmdbCursor(this, blockKey(fromKey, filenode), blockKey(toKey, filenode + 1), true, into, false);
    const limit = cursor.next() ? cursor.key.readUInt32BE(4) + 1 : 0;
    cursor.close();
    return limit;
  }

  /** A native cursor in the current transaction; the flag to start it with. */
  takeCursor(): NativeCursor | undefined {
    return this.current === this.youngest ? this.spareCursors.pop() : undefined;
  }
  giveCursor(cursor: NativeCursor): void {
    if (this.spareCursors.length < 16) this.spareCursors.push(cursor);
    else cursor.close();
  }

  /** A reader's slot belongs to a process, and these are the parent's: its transactions are neither given back nor renewed here. */
  freeze(): void {
    this.openTransaction();
    this.frozen = true;
  }

  leave(): void {
    if (this.closed) return;
    this.closed = true;
    const all = [this.current, ...this.busy, ...this.idle];
    for (const transaction of all) transaction.detachAll();
    for (const cursor of this.spareCursors) cursor.close();
    this.finder?.close();
    for (const transaction of all) transaction.txn.abort();
  }

  close(): void {
    if (this.closed) return;
    this.leave();
    if (!this.owner) return;
    const closed = this.database.close();
    if (closed === undefined) this.counter.close();
    else void closed.then(() => this.counter.close());
  }
}

let foundKeyLength = 0;

/** The first entry not below the key in the key buffer, when it is of this filenode: the length of its value, or -1. Its
 * key stands in the key buffer. */
function seek(cursor: NativeCursor, flags: number, keyLength: number, filenode: number, into: ValueBuffer): number {
  if (target !== into.bytes) setTarget(into.bytes);
  const found = native.position(cursor.address, flags, 0, keyLength, 0);
  if (found <= 0) {
    if (found < 0 && found !== MDB_NOTFOUND) throw readError(found);
    return -1;
  }
  if (keyView.getUint32(CURSOR_KEY) !== filenode) return -1;
  foundKeyLength = found;
  const length = keyView.getUint32(0, true);
  if (length > into.bytes.length) {
    into.grow(length);
    setTarget(into.bytes);
    native.getCurrentValue(cursor.address);
  }
  return length;
}

/** The key of a meta entry. */
export function metaKey(name: string): Buffer {
  const key = Buffer.allocUnsafe(4 + name.length);
  key.writeUInt32BE(META_FILENODE, 0);
  key.latin1Write(name, 4);
  return key;
}

/** `latin1Write` for short strings, without the call. */
function writeBinaryString(into: Buffer, text: string, at: number): void {
  if (text.length > 32) { into.latin1Write(text, at); return; }
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

/** What a cursor needs besides its native part, taken over by the next one: making it costs more than a short scan. */
class CursorMemory {
  key: Buffer = Buffer.allocUnsafeSlow(64);
  /** Where the range starts, as the direction goes. */
  readonly start: Buffer = Buffer.allocUnsafeSlow(MAX_KEY_BYTES);
  startLength = 0;
  /** The end of the range for the native side: u32 length, bytes. */
  private readonly end = new ArrayBuffer(4 + MAX_KEY_BYTES + 4);
  private readonly endLength = new Uint32Array(this.end, 0, 1);
  private readonly endBytes = new Uint8Array(this.end, 4);
  readonly endAddress = native.getAddress(this.end);

  set(start: Uint8Array, end: Uint8Array): void {
    this.startLength = start.length;
    for (let i = 0; i < start.length; i++) this.start[i] = start[i]!;
    this.endLength[0] = end.length;
    for (let i = 0; i < end.length; i++) this.endBytes[i] = end[i]!;
  }
}
const spareMemories: CursorMemory[] = [];
const MAX_SPARE_MEMORIES = 16;

const fromKey = Buffer.allocUnsafeSlow(4), toKey = Buffer.allocUnsafeSlow(4), fromBlock = Buffer.allocUnsafeSlow(8), toBlock = Buffer.allocUnsafeSlow(8);
function blockKey(key: Buffer, filenode: number, block = 0): Buffer {
  for (let i = 0; i < 4; i++) key[i] = filenode >>> (24 - 8 * i);
  for (let i = 4; i < key.length; i++) key[i] = block >>> (56 - 8 * i);
  return key;
}

class LmdbCursor implements Cursor {
  keyLength = 0;
  valueLength = 0;
  /** In its transaction's list. */
  place = 0;
  private readonly store: LmdbStore;
  private readonly into: ValueBuffer;
  private readonly inWrite: boolean;
  private readonly withValues: boolean;
  private readonly flags: number;
  private memory: CursorMemory;
  private cursor: NativeCursor | null = null;
  private transaction: ReadTransaction | null = null;
  private state: 'fresh' | 'open' | 'detached' | 'done' = 'fresh';

  /** Without values: who only removes need not read them. */
  constructor(store: LmdbStore, from: Uint8Array, to: Uint8Array, reverse: boolean, into: ValueBuffer, inWrite: boolean, withValues = true) {
    this.store = store;
    this.into = into;
    this.inWrite = inWrite;
    this.withValues = withValues;
    this.memory = spareMemories.pop() ?? new CursorMemory();
    this.memory.set(reverse ? to : from, reverse ? from : to);
    this.flags = (withValues ? INCLUDE_VALUES : 0) | (reverse ? REVERSE | INCLUSIVE_END | EXCLUSIVE_START : 0);
  }

  get key(): Buffer { return this.memory.key; }
  get value(): Buffer { return this.into.bytes; }

  next(): boolean {
    if (target !== this.into.bytes) setTarget(this.into.bytes);
    let size: number;
    if (this.state === 'open') size = native.iterate(this.cursor!.address);
    else if (this.state === 'fresh') size = this.open(this.memory.start, this.memory.startLength, this.flags);
    else if (this.state === 'detached') size = this.open(this.memory.key, this.keyLength, this.flags | EXCLUSIVE_START);
    else return false;
    if (size <= 0) {
      if (size < 0 && size !== MDB_NOTFOUND) throw readError(size);
      this.close();
      return false;
    }
    this.valueLength = this.withValues ? keyView.getUint32(0, true) : 0;
    this.keyLength = size;
    const { memory } = this;
    if (size > memory.key.length) memory.key = Buffer.allocUnsafeSlow(2048);
    const { key } = memory;
    if (size <= 40) for (let i = 0; i < size; i++) key[i] = keyBuffer[CURSOR_KEY + i]!;
    else keyBuffer.copy(key, 0, CURSOR_KEY, CURSOR_KEY + size);
    if (this.valueLength > this.into.bytes.length) {
      this.into.grow(this.valueLength);
      setTarget(this.into.bytes);
      native.getCurrentValue(this.cursor!.address);
    }
    return true;
  }

  private open(start: Uint8Array, length: number, flags: number): number {
    const { store } = this;
    if (this.inWrite) {
      this.cursor = new native.Cursor(store.database.db, 0);
    } else {
      const spare = store.takeCursor();
      this.transaction = store.current;
      if (!this.transaction.live) this.transaction.renew();
      this.transaction.addCursor(this);
      if (spare !== undefined) { this.cursor = spare; flags |= RENEW_CURSOR; }
      else this.cursor = new native.Cursor(store.database.db, store.current.address);
    }
    this.state = 'open';
    for (let i = 0; i < length; i++) keyBuffer[i] = start[i]!;
    return native.position(this.cursor.address, flags, 0, length, this.memory.endAddress);
  }

  /** The transaction moves on under the cursor. */
  detach(): void {
    this.store.giveCursor(this.cursor!);
    this.cursor = null;
    this.transaction = null;
    this.state = 'detached';
  }

  /** Removes the entry the cursor stands on (writers only). */
  remove(): void {
    this.cursor!.del();
  }

  /** What it last showed is no more. */
  close(): void {
    if (this.state === 'done') return;
    if (this.state === 'open') {
      if (this.transaction === null) this.cursor!.close();
      else { this.transaction.removeCursor(this); this.store.giveCursor(this.cursor!); }
      this.cursor = null;
      this.transaction = null;
    }
    this.state = 'done';
    if (spareMemories.length < MAX_SPARE_MEMORIES) spareMemories.push(this.memory);
  }
}

class LmdbWritableStore extends LmdbStore implements WritableStore {
  /** The same for all: its memory is outside V8's heap, which is collected whole when too much of that comes and goes. */
  private readonly batch = new LmdbBatch(this);

  write(apply: (batch: Batch) => void): void {
    const { batch } = this;
    try {
      this.database.transactionSync(() => {
        try {
          apply(batch);
        } finally {
          batch.finish();
        }
      });
    } catch (error) {
      throw writeError(error);
    }
  }

  readerCheck(): number {
    return this.database.readerCheck();
  }
}

// A write instruction as lmdb-js's native side wants it: u32 code, u32 database, u32 key length, key; at the next
// multiple of 8 (with room for the length before it) the value's length and its address as f64. The result comes back
// in the code. One at a time, so one place for all; the value is copied behind it, which is cheaper than asking for
// the address of its memory.
const PUT = 15, DELETE = 13, APPEND = 0x20000, FAILED_CONDITION = 0x4000000;
const INSTRUCTION_VALUE_AT = 4096, INSTRUCTION_VALUE_BYTES = 65536;
const instruction = makeInstruction();

function makeInstruction(): { address: number; bytes: Uint8Array; u32: Uint32Array; f64: Float64Array } {
  const buffer = new ArrayBuffer(INSTRUCTION_VALUE_AT + INSTRUCTION_VALUE_BYTES);
  return { address: native.getAddress(buffer), bytes: new Uint8Array(buffer), u32: new Uint32Array(buffer), f64: new Float64Array(buffer) };
}

/** Short keys and row ids need no call. */
function putBytes(from: Uint8Array, at: number): void {
  const { bytes } = instruction;
  if (from.length > 40) bytes.set(from, at);
  else for (let i = 0; i < from.length; i++) bytes[at + i] = from[i]!;
}

class LmdbBatch implements Batch {
  lastLength = 0;
  readonly lastKey: Buffer = Buffer.allocUnsafeSlow(MAX_KEY_BYTES);
  lastKeyLength = 0;
  private finder: NativeCursor | null = null;
  private readonly store: LmdbStore;
  private readonly value = new ValueBuffer();
  private readonly cursors: LmdbCursor[] = [];
  constructor(store: LmdbStore) {
    this.store = store;
  }

  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined {
    for (let i = 0; i < keyLengthBytes; i++) keyBuffer[i] = key[i]!;
    const length = this.store.read(keyLengthBytes, this.value, 0);
    if (length < 0) return undefined;
    this.lastLength = length;
    return this.value.bytes;
  }

  ceiling(key: Uint8Array, keyLengthBytes: number): Buffer | undefined {
    this.finder ??= new native.Cursor(this.store.database.db, 0);
    for (let i = 0; i < keyLengthBytes; i++) keyBuffer[i] = key[i]!;
    const length = seek(this.finder, INCLUDE_VALUES, keyLengthBytes, keyView.getUint32(0), this.value);
    if (length < 0) return undefined;
    this.lastLength = length;
    this.lastKeyLength = foundKeyLength;
    keyBuffer.copy(this.lastKey, 0, CURSOR_KEY, CURSOR_KEY + foundKeyLength);
    return this.value.bytes;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    if (value.length > INSTRUCTION_VALUE_BYTES) this.store.database.putSync(key, value);
    else this.write(PUT, key, value);
  }

  append(key: Uint8Array, value: Uint8Array): boolean {
    if (value.length > INSTRUCTION_VALUE_BYTES) return false;
    this.write(PUT | APPEND, key, value);
    return (instruction.u32[0]! & FAILED_CONDITION) === 0;
  }

  private write(code: number, key: Uint8Array, value: Uint8Array): void {
    const { database } = this.store;
    const after = this.instruct(code, key);
    putBytes(value, INSTRUCTION_VALUE_AT);
    instruction.u32[after / 4 - 1] = value.length;
    instruction.f64[after / 8] = instruction.address + INSTRUCTION_VALUE_AT;
    native.write(database.env.address, instruction.address);
  }

  remove(key: Uint8Array): boolean {
    this.instruct(DELETE, key);
    native.write(this.store.database.env.address, instruction.address);
    return (instruction.u32[0]! & FAILED_CONDITION) === 0;
  }

  /** Begins an instruction; where the value's length and address go. */
  private instruct(code: number, key: Uint8Array): number {
    if (key.length === 0 || key.length > MAX_KEY_BYTES) throw internalError(`a key of ${key.length} bytes`);
    instruction.u32[0] = code;
    instruction.u32[1] = this.store.database.db.dbi;
    instruction.u32[2] = key.length;
    putBytes(key, 12);
    return (key.length + 28) & ~7;
  }

  last(from: Uint8Array, to: Uint8Array): Buffer | undefined {
    const cursor = this.open(from, to, true, this.value, true);
    const found = cursor.next();
    const key = found ? Buffer.from(cursor.key.subarray(0, cursor.keyLength)) : undefined;
    this.lastLength = cursor.valueLength;
    cursor.close();
    return key;
  }

  removeRange(from: Uint8Array, to: Uint8Array, limit: number): number {
    const cursor = this.open(from, to, false, this.value, false);
    let count = 0;
    for (; count < limit && cursor.next(); count++) cursor.remove();
    cursor.close();
    return count;
  }

  range(from: Uint8Array, to: Uint8Array, reverse = false): Cursor {
    return this.open(from, to, reverse, new ValueBuffer(), true);
  }

  private open(from: Uint8Array, to: Uint8Array, reverse: boolean, into: ValueBuffer, withValues: boolean): LmdbCursor {
    const cursor = new LmdbCursor(this.store, from, to, reverse, into, true, withValues);
    this.cursors.push(cursor);
    return cursor;
  }

  /** LMDB wants the cursors of a write transaction closed before it ends. */
  finish(): void {
    this.finder?.close();
    this.finder = null;
    while (this.cursors.length > 0) this.cursors.pop()!.close();
  }
}

/** Why an environment does not open, for a person. Errors of the addon have LMDB's code or errno. */
function openError(path: string, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (!(error instanceof Error) || typeof code !== 'number') return error;
  // LMDB's own; and a data file that is empty.
  if (code < 0 || code === EBADF) return new PgError('data_corrupted', `the files of the database in "${path}" are damaged`, { detail: `${message}.`, hint: 'Restore them from a backup.' });
  const why = message.replace(/: Attempting.*/s, '');
  return new PgError(OPEN_CONDITIONS[code] ?? 'io_error', `could not open the files of the database in "${path}": ${why}`);
}
const EBADF = 9;
/** ENOMEM, ENFILE, EMFILE, ENOSPC, EDQUOT. */
const OPEN_CONDITIONS: Readonly<Record<number, ConditionName>> = { 12: 'out_of_memory', 23: 'insufficient_resources', 24: 'insufficient_resources', 28: 'disk_full', 122: 'disk_full' };

function readError(code: number): PgError {
  if (code === MDB_PAGE_NOTFOUND || code === MDB_CORRUPTED) return new PgError('data_corrupted', 'the data file of the database is damaged', { hint: 'Restore it from a backup.' });
  return internalError(`could not read from the store: LMDB error ${code}`);
}
const MDB_PAGE_NOTFOUND = -30797, MDB_CORRUPTED = -30796;

function writeError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (/No space left|MDB_MAP_FULL|Disk quota|File too large/.test(message)) {
    return new PgError('disk_full', `could not write to the database: ${message.replace(/: Attempting to write page.*/s, '')}`, { hint: 'Check free disk space.' });
  }
  if (/Input\/output error/.test(message)) return new PgError('io_error', `could not write to the database: ${message}`);
  return error;
}
