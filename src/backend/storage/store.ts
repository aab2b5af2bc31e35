// The narrow interface to the ordered map below: snapshot, get, range, commit. LMDB stands behind it today
// (storage/lmdb.ts is the only file that imports it); an engine with the same four could stand there one day.
//
// Keys are bytes, ordered by memcmp, at most MAX_KEY_BYTES. The first four bytes (big-endian) are a number: the
// filenode of a table or index, or META_FILENODE for the environment's own entries.
//   table:  u32 filenode, u32 block number                      -> block (access/row.ts)
//   index:  u32 filenode, upper bound of its entries            -> leaf (access/index_leaf.ts)
//   meta:   u32 0, name in ASCII                                -> see META below
//
// In the write set and wherever keys are compared in memory, a key is a JavaScript string of one character per
// byte ("binary string"): such strings compare, hash and sort as the bytes do.

export const MAX_KEY_BYTES = 1978;
export const META_FILENODE = 0;

/** Meta entries, all little-endian u64 unless said. */
export const META = {
  /** Commit sequence number: +1 at every commit applied. */
  commitSeq: 'commit-seq',
  /** +1 whenever a commit touched a system catalog: cached catalogs and plans of other numbers are stale. */
  catalogVersion: 'catalog-version',
  /** Next transaction id, next OID to hand out (reserved ahead). */
  nextXid: 'next-xid',
  nextOid: 'next-oid',
} as const;

/** A buffer that values are read into; it grows as needed. Whoever reads owns one, so that no read overwrites
 * what another reader still looks at. */
export class ValueBuffer {
  bytes: Buffer;
  view: DataView;
  constructor(lengthBytes = 16384) {
    this.bytes = Buffer.allocUnsafeSlow(lengthBytes);
    this.view = new DataView(this.bytes.buffer);
  }
  /** Makes room for so many bytes; what was inside is lost. */
  grow(lengthBytes: number): void {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(lengthBytes, this.bytes.length * 2));
    this.view = new DataView(this.bytes.buffer);
  }
}

/** A snapshot somebody holds on to while the store looks at others. */
export interface HeldSnapshot { readonly snapshotId: number }

/** Read access to one environment as of one commit. Never keep bytes beyond the next call: copy. */
export interface Store {
  readonly path: string;
  /** Names what reads see now: a new number whenever that may have changed. Caches of what was read compare it. */
  readonly snapshotId: number;
  /** The same, without taking the snapshot when nothing was committed since the last one: what is read later may be newer. */
  readonly nextSnapshotId: number;
  /** Look at the newest commit from now on. Costs about a microsecond. Cursors still open start again behind the
   * key they stand on. */
  renew(): void;
  /** Whether the present snapshot certainly shows the newest commit. */
  isNewest(): boolean;
  /** As renew, but cursors already open stay where they are and see what they saw. */
  advance(): void;
  /** Let go of the snapshot, so that its pages can be reused (idle backends hold none). */
  release(): void;
  /** Keeps the present snapshot readable until unhold, beyond renew. */
  hold(): HeldSnapshot;
  /** Reads see a held snapshot from now on. */
  use(snapshot: HeldSnapshot): void;
  unhold(snapshot: HeldSnapshot): void;
  /** What another process needs to read this held snapshot too, as long as it is held here. */
  describe(snapshot: HeldSnapshot): Buffer;
  /** Holds a snapshot that another process has described; null when that one has let it go. The writer may not have seen that somebody
   * else wants it now: hear from it, then ask `isStillHeld`. */
  take(description: Buffer): HeldSnapshot | null;
  /** Whether who described it holds it. */
  isStillHeld(description: Buffer): boolean;
  /** The value in a buffer that the next call on this store overwrites; undefined when there is none.
   * `length` of the value is in `lastLength`: the buffer itself may be longer. */
  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined;
  lastLength: number;
  /** The block of a table into the reader's own buffer: its length, or -1 when there is none. */
  getBlock(filenode: number, block: number, into: ValueBuffer): number;
  /** The first entry of a filenode whose key (binary string, without the filenode) is not less: as getBlock. */
  ceiling(filenode: number, key: string, into: ValueBuffer): number;
  meta(name: string): number;
  /** Entries with from <= key < to, in order or backwards. Values go to `into`, or to a buffer of the cursor's own. */
  range(from: Uint8Array, to: Uint8Array, reverse?: boolean, into?: ValueBuffer): Cursor;
  /** The blocks of a table, or those with from <= number < to: as range. */
  blocks(filenode: number, into: ValueBuffer, from?: number, to?: number): Cursor;
  /** The number behind that of a table's last block; 0: it has none. */
  blockLimit(filenode: number, into: ValueBuffer): number;
  /** In a process forked from the one that has opened it: this goes on seeing the snapshot of then, as long as that process holds it. */
  freeze(): void;
  /** The process ends: others may have the places of its snapshots. Cheaper than to close. */
  leave(): void;
  close(): void;
}

/** Steps through a range: `while (cursor.next()) use(cursor.key, cursor.value)`. */
export interface Cursor {
  next(): boolean;
  /** Valid until the next call on the cursor. */
  readonly key: Buffer;
  readonly keyLength: number;
  readonly value: Buffer;
  readonly valueLength: number;
  close(): void;
}

/** The writer's side: only the transaction manager (and initdb, and a single-user backend) has one. */
export interface WritableStore extends Store {
  /** Everything `apply` puts and removes becomes durable together, or nothing does. Returns after the flush. */
  write(apply: (batch: Batch) => void): void;
  /** Frees the reader slots of processes that are no more; how many. */
  readerCheck(): number;
}
export interface Batch {
  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined;
  lastLength: number;
  /** The value of the first entry whose key is not less, when it is of the same filenode. Its key is in lastKey. */
  ceiling(key: Uint8Array, keyLengthBytes: number): Buffer | undefined;
  readonly lastKey: Buffer;
  lastKeyLength: number;
  put(key: Uint8Array, value: Uint8Array): void;
  /** Puts an entry behind all others of the environment, which is cheaper; false, and nothing done, when it is not
   * greater than they are. */
  append(key: Uint8Array, value: Uint8Array): boolean;
  remove(key: Uint8Array): boolean;
  /** The greatest key below `to` and its value's length (in lastLength), when it is not below `from`. */
  last(from: Uint8Array, to: Uint8Array): Buffer | undefined;
  /** Removes the first entries of a range; how many there were. */
  removeRange(from: Uint8Array, to: Uint8Array, limit: number): number;
  range(from: Uint8Array, to: Uint8Array, reverse?: boolean): Cursor;
}
