// The narrow interface to the ordered map below: snapshot, get, range, commit. LMDB stands behind it today
// (storage/lmdb.ts is the only file that imports it); an engine with the same four could stand there one day.
//
// Keys are bytes, ordered by memcmp, at most MAX_KEY_BYTES. The first four bytes (big-endian) are a number: the
// filenode of a table or index, or META_FILENODE for the environment's own entries.
//   table:  u32 filenode, u32 block number                      -> block (access/row.ts)
//   index:  u32 filenode, encoded columns [, 6 bytes row id]    -> 6 bytes row id (big-endian)
//           the row id is part of the key when the index is not unique or a key column is NULL
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

/** Read access to one environment as of one commit. Never keep bytes beyond the next call: copy. */
export interface Store {
  readonly path: string;
  /** Look at the newest commit from now on. Costs about a microsecond. */
  renew(): void;
  /** Let go of the snapshot, so that its pages can be reused (idle backends hold none). */
  release(): void;
  /** The value in a buffer that the next call on this store overwrites; undefined when there is none.
   * `length` of the value is in `lastLength`: the buffer itself may be longer. */
  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined;
  lastLength: number;
  meta(name: string): number;
  /** Entries with from <= key < to, in order or backwards. */
  range(from: Uint8Array, to: Uint8Array, reverse?: boolean): Cursor;
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
}
export interface Batch {
  get(key: Uint8Array, keyLengthBytes: number): Buffer | undefined;
  lastLength: number;
  put(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): boolean;
  /** The greatest key below `to` and its value's length, when it is not below `from`. */
  last(from: Uint8Array, to: Uint8Array): Buffer | undefined;
  removeRange(from: Uint8Array, to: Uint8Array): void;
  range(from: Uint8Array, to: Uint8Array, reverse?: boolean): Cursor;
}
