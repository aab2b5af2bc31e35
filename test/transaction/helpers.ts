// Rows, blocks and requests for tests of the transaction manager, which knows rows only as bytes.
import { LeafReader } from '../../src/backend/access/index_leaf.ts';
import { rowIdOf, PROVISIONAL_BLOCK, type RowId } from '../../src/backend/access/row.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import type { LocalManager } from '../../src/backend/transaction/local.ts';
import type { CommitRequest } from '../../src/backend/transaction/messages.ts';
import { ValueBuffer, type Store } from '../../src/backend/storage/store.ts';

/** A row of one int8-like number and some filling: version, natts, no nulls, number. */
export function row(value: number, filling = 0): Uint8Array {
  const bytes = Buffer.alloc(6 + 1 + 8 + filling);
  bytes.writeUInt16LE(1, 4);
  bytes.writeDoubleLE(value, 7);
  return bytes;
}

export function sequenceRow(lastValue: bigint, logCount = 0, isCalled = false): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt16LE(3, 4);
  bytes.writeBigInt64LE(lastValue, 7);
  bytes.writeBigInt64LE(BigInt(logCount), 15);
  bytes[23] = isCalled ? 1 : 0;
  return bytes;
}

export function block(rows: readonly (Uint8Array | null)[]): Buffer {
  const directoryEnd = 8 + 2 * rows.length;
  const bytes = Buffer.alloc(directoryEnd + rows.reduce((sum, one) => sum + (one?.length ?? 0), 0));
  bytes[0] = 1;
  bytes.writeUInt16LE(rows.length, 2);
  let at = directoryEnd;
  rows.forEach((one, slot) => {
    if (one === null) return;
    bytes.writeUInt16LE(at, 8 + 2 * slot);
    bytes.set(one, at);
    at += one.length;
  });
  return bytes;
}

export const provisional = (index: number, slot: number): RowId => rowIdOf(PROVISIONAL_BLOCK + index, slot);

export function request(parts: Partial<CommitRequest> = {}): CommitRequest {
  return {
    kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, relations: [], indexes: [], droppedFilenodes: [],
    asserted: [], readSet: [], notifications: [], optimistic: false, ...parts,
  };
}

/** A request that inserts rows, in blocks of the given sizes. */
export function inserting(filenode: number, ...blocks: Uint8Array[][]): CommitRequest['relations'][number] {
  return {
    filenode, catalog: false, changed: [],
    inserted: blocks.map((rows, index) => ({ block: PROVISIONAL_BLOCK + index, bytes: block(rows) })),
  };
}
export function changing(filenode: number, ...changed: { row: RowId; version: number; bytes: Uint8Array | null }[]): CommitRequest['relations'][number] {
  return { filenode, catalog: false, inserted: [], changed };
}

export interface StoredRow { version: number; value: number; length: number }

/** A row as the store has it. */
export function stored(store: Store, filenode: number, rowId: RowId): StoredRow | undefined {
  const into = new ValueBuffer();
  const length = store.getBlock(filenode, Math.floor(rowId / 65536), into);
  return length < 0 ? undefined : rowsOf(into.bytes.subarray(0, length))[rowId % 65536];
}

/** The rows of a block by slot. */
function rowsOf(bytes: Buffer): (StoredRow | undefined)[] {
  const wide = (bytes[1]! & 1) !== 0, slots = bytes.readUInt16LE(2);
  const starts: number[] = [];
  for (let i = 0; i < slots; i++) starts.push(wide ? bytes.readUInt32LE(8 + 4 * i) : bytes.readUInt16LE(8 + 2 * i));
  const sorted = starts.filter((start) => start !== 0).sort((a, b) => a - b);
  sorted.push(bytes.length);
  return starts.map((start) => start === 0 ? undefined : {
    version: bytes.readUInt32LE(start), value: bytes.readDoubleLE(start + 7), length: sorted[sorted.indexOf(start) + 1]! - start,
  });
}

/** All rows of a table, by row id. */
export function allRows(store: Store, filenode: number): Map<RowId, StoredRow> {
  const from = Buffer.alloc(4), to = Buffer.alloc(4), rows = new Map<RowId, StoredRow>();
  from.writeUInt32BE(filenode);
  to.writeUInt32BE(filenode + 1);
  const cursor = store.range(from, to);
  while (cursor.next()) {
    const number = cursor.key.readUInt32BE(4);
    rowsOf(cursor.value.subarray(0, cursor.valueLength)).forEach((one, slot) => {
      if (one !== undefined) rows.set(rowIdOf(number, slot), one);
    });
  }
  return rows;
}

/** All entries of an index, in order. */
export function allEntries(store: Store, filenode: number): { key: string; row: RowId }[] {
  const from = Buffer.alloc(4), to = Buffer.alloc(4), entries: { key: string; row: RowId }[] = [];
  from.writeUInt32BE(filenode);
  to.writeUInt32BE(filenode + 1);
  const cursor = store.range(from, to), leaf = new LeafReader();
  while (cursor.next()) {
    leaf.load(cursor.value);
    for (let i = 0; i < leaf.count; i++) entries.push({ key: leaf.key(i), row: leaf.rowId(i) });
  }
  cursor.close();
  return entries;
}

export function localClient(manager: LocalManager): ManagerClient {
  const client = new ManagerClient(() => 5);
  manager.serve(client);
  return client;
}
