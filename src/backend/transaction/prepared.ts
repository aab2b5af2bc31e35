// What the store keeps of prepared transactions, so that nothing but COMMIT PREPARED or ROLLBACK PREPARED ends them (PostgreSQL's
// twophase.c). Under a storage number of its own, by the transaction's id in this environment:
//
//   u32 PREPARED_FILENODE, u48 id, u32 0    -> its state: a PreparedXact (commit_codec.ts), u32 read: u32 filenode (SERIALIZABLE),
//                                              u32 changed: u32 filenode, u32 locks: lock_codec.ts
//   u32 PREPARED_FILENODE, u48 id, u32 1..  -> the commit request as it came, in pieces
//
// Both are written when the request has been validated, and go with the commit that applies it.
import { internalError } from '../../common/errors.ts';
import type { Batch, Store } from '../storage/store.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { decodeCommit, readPreparedXact, writePreparedXact, type CommitView } from './commit_codec.ts';
import { readTarget, writeTarget } from './lock_codec.ts';
import type { LockTarget, PreparedXact } from './messages.ts';

/** Beside those of access/cross_commit.ts. */
const PREPARED_FILENODE = 92;
const PIECE_BYTES = 1 << 16, KEY_BYTES = 14;

export interface PreparedState {
  /** The transaction's id in this environment. */
  readonly id: number;
  readonly xact: PreparedXact;
  /** Of a SERIALIZABLE transaction: what it has read. */
  readonly readSet: readonly number[];
  /** Tables and indexes that change or go when it commits. */
  readonly changes: readonly number[];
  readonly locks: readonly LockTarget[];
}

function keyOf(id: number, piece: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt32BE(PREPARED_FILENODE, 0);
  key.writeUIntBE(id, 4, 6);
  key.writeUInt32BE(piece, 10);
  return key;
}

export function writePrepared(batch: Batch, state: PreparedState, view: CommitView): void {
  const out = new ByteWriter();
  writePreparedXact(out, state.xact);
  for (const filenodes of [state.readSet, state.changes]) {
    out.u32(filenodes.length);
    for (const filenode of filenodes) out.u32(filenode);
  }
  out.u32(state.locks.length);
  for (const target of state.locks) writeTarget(out, target);
  batch.put(keyOf(state.id, 0), out.bytes.subarray(0, out.length));
  for (let at = view.from, piece = 1; at < view.end; at += PIECE_BYTES, piece++) {
    batch.put(keyOf(state.id, piece), view.bytes.subarray(at, Math.min(at + PIECE_BYTES, view.end)));
  }
}

/** The request that was kept. */
export function readPreparedCommit(batch: Batch, id: number): CommitView {
  const pieces: Buffer[] = [];
  for (let piece = 1; ; piece++) {
    const bytes = batch.get(keyOf(id, piece), KEY_BYTES);
    if (bytes === undefined) break;
    pieces.push(Buffer.from(bytes.subarray(0, batch.lastLength)));
  }
  if (pieces.length === 0) throw internalError(`the prepared transaction ${id} is not there`);
  const bytes = Buffer.concat(pieces);
  return decodeCommit(bytes, 0, bytes.length);
}

export function removePrepared(batch: Batch, id: number): void {
  batch.removeRange(keyOf(id, 0), keyOf(id + 1, 0), Infinity);
}

/** All that the store has. */
export function readPreparedStates(store: Store): PreparedState[] {
  const states: PreparedState[] = [];
  for (let next = 0; ;) {
    const cursor = store.range(keyOf(next, 0), keyOf(2 ** 48 - 1, 0)), found = cursor.next();
    if (found) {
      const id = cursor.key.readUIntBE(4, 6), input = new ByteReader(cursor.value, 0, cursor.valueLength);
      const numbers = (): number[] => Array.from({ length: input.count(4) }, () => input.u32());
      states.push({ id, xact: readPreparedXact(input), readSet: numbers(), changes: numbers(), locks: Array.from({ length: input.count(5) }, () => readTarget(input)) });
      next = id + 1;
    }
    cursor.close();
    if (!found) return states;
  }
}
