// The byte form of a commit. The backend writes it; the manager works on the bytes as they came, so that a commit
// of a million rows costs it no objects: lists of rows and index entries are stepped through with cursors.
//
//   u48 token session, u32 token number, u32 timeout ms
//   u48 snapshotSeq, u48 xid, u8 flags (see below)
//   u32 relations: u32 filenode, u8 catalog,
//                  u32 inserted: u32 block, u32 length, bytes
//                  u32 changed, u32 their bytes, groups of rows of one block: u32 block, u16 rows, u8 1: deleted, and then
//                    changed: each u16 slot, u32 version, u32 length, bytes | deleted: u32 version of all, each u16 slot
//   u32 indexes:   u32 filenode, u32 table's filenode, u8 unique, u32 removed, u32 their bytes, leaves, u32 added, u32 their bytes, leaves
//     leaf:        access/index_leaf.ts; the flag says whether a unique index takes its keys more than once
//   u32 dropped: u32 | u32 asserted: u32 relation, u48 row, u32 version, u8 mode | u32 read: u32
//   u32 tables: u32 oid, u8 mode | u32 notifications: u32 pid, text channel, text payload
//   a prepared transaction: text gid, u48 xid, u32 owner, u32 database, f64 prepared at, u32 pid, u32 limit, u32 locks: lock_codec.ts
//   the end of one: text gid, u48 xid, u8 commit
//   u32 moved rows: u32 relation, u48 row
import { assert, internalError } from '../../common/errors.ts';
import { LeafReader, ROW_ID_BYTES, readRowId, writeRowId } from '../access/index_leaf.ts';
import { PackedEntries, writeEntries } from '../access/index_run.ts';
import { PROVISIONAL_BLOCK, type RowId } from '../access/row.ts';
import { ByteReader, type ByteWriter } from './bytes.ts';
import { readTarget, writeTarget } from './lock_codec.ts';
import { ROW_MODES } from './locks.ts';
import type { CommitRequest, CommitToken, FinishSection, IndexChanges, PreparedXact, PrepareSection } from './messages.ts';

const CATALOG_CHANGED = 1, OPTIMISTIC = 2, TABLES_GIVEN = 4, SERIALIZABLE = 8, PREPARE = 16, FINISH = 32, MOVED = 64;
/** A row, a block: what one value of the store may be. */
const MAX_VALUE_BYTES = 0x7fffffff;

export function encodeCommit(out: ByteWriter, token: CommitToken, timeoutMs: number, request: CommitRequest): void {
  out.u48(token.session);
  out.u32(token.number);
  out.u32(timeoutMs);
  out.u48(request.snapshotSeq);
  out.u48(request.xid);
  out.u8((request.catalogChanged ? CATALOG_CHANGED : 0) | (request.optimistic ? OPTIMISTIC : 0)
    | (request.tables !== undefined ? TABLES_GIVEN : 0) | (request.serializable === true ? SERIALIZABLE : 0)
    | (request.prepare !== undefined ? PREPARE : 0) | (request.finish !== undefined ? FINISH : 0) | (request.moved !== undefined ? MOVED : 0));
  out.u32(request.relations.length);
  for (const relation of request.relations) {
    out.u32(relation.filenode);
    out.bool(relation.catalog);
    out.u32(relation.inserted.length);
    for (const { block, bytes } of relation.inserted) {
      assert(block >= PROVISIONAL_BLOCK && bytes.length < MAX_VALUE_BYTES, 'new rows come in provisional blocks');
      out.u32(block);
      out.blob(bytes);
    }
    out.u32(relation.changed.length);
    const lengthAt = out.position;
    out.u32(0);
    const { changed } = relation, writer = new ChangeWriter(out);
    if (changed instanceof Array) {
      for (const { row, version, bytes } of changed) {
        const block = Math.floor(row / 65536), slot = row % 65536;
        if (bytes === null) writer.deleted(block, slot, version);
        else writer.changed(block, slot, version, bytes, 0, bytes.length);
      }
    } else {
      changed.write(writer);
    }
    writer.end();
    out.fillInU32(lengthAt, out.position - lengthAt - 4);
  }
  out.u32(request.indexes.length);
  for (const index of request.indexes) {
    out.u32(index.filenode);
    out.u32(index.relation);
    out.bool(index.unique);
    encodeEntries(out, index.removed);
    encodeEntries(out, index.added);
  }
  out.u32(request.droppedFilenodes.length);
  for (const filenode of request.droppedFilenodes) out.u32(filenode);
  out.u32(request.asserted.length);
  for (const { relation, row, version, mode } of request.asserted) {
    out.u32(relation);
    out.u48(row);
    out.u32(version);
    out.u8(ROW_MODES[mode]);
  }
  out.u32(request.readSet.length);
  for (const filenode of request.readSet) out.u32(filenode);
  const tables = request.tables ?? [];
  out.u32(tables.length);
  for (const { oid, mode } of tables) {
    out.u32(oid);
    out.u8(mode);
  }
  out.u32(request.notifications.length);
  for (const { channel, payload, pid } of request.notifications) {
    out.u32(pid);
    out.text(channel);
    out.text(payload);
  }
  if (request.prepare !== undefined) {
    writePreparedXact(out, request.prepare);
    out.u32(request.prepare.limit);
    out.u32(request.prepare.locks.length);
    for (const target of request.prepare.locks) writeTarget(out, target);
  }
  if (request.finish !== undefined) {
    out.text(request.finish.gid);
    out.u48(request.finish.xid);
    out.bool(request.finish.commit);
  }
  if (request.moved !== undefined) {
    out.u32(request.moved.length);
    for (const { relation, row } of request.moved) {
      out.u32(relation);
      out.u48(row);
    }
  }
}

export function writePreparedXact(out: ByteWriter, { gid, xid, owner, database, preparedAt, pid }: PreparedXact): void {
  out.text(gid);
  out.u48(xid);
  out.u32(owner);
  out.u32(database);
  out.f64(preparedAt);
  out.u32(pid);
}
export function readPreparedXact(input: ByteReader): PreparedXact {
  return { gid: input.text(), xid: input.u48(), owner: input.u32(), database: input.u32(), preparedAt: input.f64(), pid: input.u32() };
}

/** Writes changed rows, those of a block together. */
class ChangeWriter {
  private readonly out: ByteWriter;
  private block = -1;
  private isDeletion = false;
  private version = 0;
  private countAt = 0;
  private count = 0;
  constructor(out: ByteWriter) {
    this.out = out;
  }

  deleted(block: number, slot: number, version: number): void {
    if (block !== this.block || !this.isDeletion || version !== this.version) {
      this.begin(block, true);
      this.version = version;
      this.out.u32(version);
    }
    this.count++;
    this.out.u16(slot);
  }

  /** A new version: bytes start to end of these. */
  changed(block: number, slot: number, version: number, bytes: Uint8Array, start: number, end: number): void {
    if (block !== this.block || this.isDeletion) this.begin(block, false);
    this.count++;
    const { out } = this, length = end - start;
    out.reserve(10 + length);
    const to = out.bytes;
    let at = out.length;
    to[at] = slot;
    to[at + 1] = slot >> 8;
    out.patchU32(at + 2, version);
    out.patchU32(at + 6, length);
    at += 10;
    out.length = at + length;
    if (length > 64) to.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at);
    else while (start < end) to[at++] = bytes[start++]!;
  }

  private begin(block: number, isDeletion: boolean): void {
    assert(block < PROVISIONAL_BLOCK, 'a changed row has its real place');
    this.end();
    this.block = block;
    this.isDeletion = isDeletion;
    this.count = 0;
    this.out.u32(block);
    this.countAt = this.out.position;
    this.out.u16(0);
    this.out.u8(isDeletion ? 1 : 0);
  }

  end(): void {
    if (this.block >= 0) this.out.fillInU16(this.countAt, this.count);
    this.block = -1;
  }
}

function encodeEntries(out: ByteWriter, entries: IndexChanges['added']): void {
  out.u32(entries.length);
  const lengthAt = out.position;
  out.u32(0);
  if (entries instanceof PackedEntries) for (const run of entries.runs) run.writeLeaves(out);
  else writeEntries(out, entries);
  out.fillInU32(lengthAt, out.position - lengthAt - 4);
}

export interface InsertedBlock { readonly block: number; readonly at: number; readonly length: number }
/** A stretch of a message that holds `count` things. */
export interface Stretch { readonly count: number; readonly at: number; readonly length: number }
export interface RelationView {
  readonly filenode: number;
  readonly catalog: boolean;
  readonly inserted: readonly InsertedBlock[];
  readonly changed: Stretch;
}
export interface IndexView {
  readonly filenode: number;
  readonly relation: number;
  readonly unique: boolean;
  readonly removed: Stretch;
  readonly added: Stretch;
}
export interface AssertedRow { readonly relation: number; readonly row: RowId; readonly version: number; readonly mode: number }

/** A commit as the manager sees it. `bytes` may be changed: provisional row ids are replaced in it. */
export interface CommitView {
  readonly bytes: Buffer;
  /** Where it stands in them. */
  readonly from: number;
  readonly end: number;
  readonly token: CommitToken;
  readonly timeoutMs: number;
  readonly snapshotSeq: number;
  readonly xid: number;
  readonly catalogChanged: boolean;
  readonly optimistic: boolean;
  readonly relations: readonly RelationView[];
  readonly indexes: readonly IndexView[];
  readonly dropped: readonly number[];
  readonly asserted: readonly AssertedRow[];
  readonly readSet: readonly number[];
  readonly tables: readonly { oid: number; mode: number }[] | null;
  readonly notifications: readonly { channel: string; payload: string; pid: number }[];
  readonly serializable: boolean;
  readonly prepare: PrepareSection | null;
  readonly finish: FinishSection | null;
  readonly moved: NonNullable<CommitRequest['moved']>;
}
const NONE: CommitView['moved'] = [];

/** Reads a commit; throws when it is not well formed. The bytes stay the view's. */
export function decodeCommit(bytes: Buffer, from: number, end: number): CommitView {
  const input = new ByteReader(bytes, from, end);
  const token = { session: input.u48(), number: input.u32() };
  const timeoutMs = input.u32(), snapshotSeq = input.u48(), xid = input.u48(), flags = input.u8();
  const relations = list(input, 9, (): RelationView => {
    const filenode = input.u32(), catalog = input.bool();
    const inserted = list(input, 8, (): InsertedBlock => {
      const block = input.u32(), length = input.u32();
      if (block < PROVISIONAL_BLOCK) throw internalError('new rows must come in provisional blocks');
      return { block, length, at: input.skip(length) };
    });
    return { filenode, catalog, inserted, changed: stretch(input) };
  });
  const indexes = list(input, 13, (): IndexView =>
    ({ filenode: input.u32(), relation: input.u32(), unique: input.bool(), removed: stretch(input), added: stretch(input) }));
  const dropped = list(input, 4, () => input.u32());
  const asserted = list(input, 15, (): AssertedRow => {
    const row = { relation: input.u32(), row: input.u48(), version: input.u32(), mode: input.u8() };
    if (row.mode < 1 || row.mode > 4) throw internalError('no such row lock mode');
    return row;
  });
  const readSet = list(input, 4, () => input.u32());
  const tables = list(input, 5, () => {
    const table = { oid: input.u32(), mode: input.u8() };
    if (table.mode < 1 || table.mode > 8) throw internalError('no such table lock mode');
    return table;
  });
  const notifications = list(input, 12, () => ({ pid: input.u32(), channel: input.text(), payload: input.text() }));
  const prepare = (flags & PREPARE) === 0 ? null : { ...readPreparedXact(input), limit: input.u32(), locks: list(input, 5, () => readTarget(input)) };
  const finish = (flags & FINISH) === 0 ? null : { gid: input.text(), xid: input.u48(), commit: input.bool() };
  const moved = (flags & MOVED) === 0 ? NONE : list(input, 10, () => ({ relation: input.u32(), row: input.u48() }));
  if (input.at !== end) throw internalError('a commit has bytes left over');
  return {
    bytes, from, end, token, timeoutMs, snapshotSeq, xid, catalogChanged: (flags & CATALOG_CHANGED) !== 0,
    optimistic: (flags & OPTIMISTIC) !== 0, relations, indexes, dropped, asserted, readSet,
    tables: (flags & TABLES_GIVEN) !== 0 ? tables : null, notifications, serializable: (flags & SERIALIZABLE) !== 0, prepare, finish, moved,
  };
}

function list<T>(input: ByteReader, minimumBytes: number, read: () => T): T[] {
  const count = input.count(minimumBytes);
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

function stretch(input: ByteReader): Stretch {
  const count = input.u32(), length = input.u32();
  return { count, length, at: input.skip(length) };
}

/** Steps through the changed rows of a relation. */
export class ChangeCursor {
  block = 0;
  slot = 0;
  version = 0;
  /** -1: deleted. */
  at = 0;
  length = 0;
  private bytes!: Buffer;
  private next_ = 0;
  private left = 0;
  private end = 0;
  /** Rows of a group stand in one block, and are all deleted or all changed. */
  groupSize = 0;
  isDeletion = false;
  /** Rows of this group that are still to come. */
  private inGroup = 0;

  get row(): RowId { return this.block * 65536 + this.slot; }

  reset(bytes: Buffer, changes: Stretch): this {
    this.bytes = bytes;
    this.next_ = changes.at;
    this.end = changes.at + changes.length;
    this.left = changes.count;
    this.inGroup = 0;
    return this;
  }

  next(): boolean {
    if (this.inGroup === 0 && !this.nextGroup()) return false;
    this.inGroup--;
    const { bytes, next_: at } = this;
    if (this.isDeletion) {
      this.slot = bytes[at]! | (bytes[at + 1]! << 8);
      this.next_ = at + 2;
      if (this.next_ > this.end) throw internalError('a changed row is cut off');
      return true;
    }
    if (at + 10 > this.end) throw internalError('a changed row is cut off');
    this.slot = bytes.readUInt16LE(at);
    this.version = bytes.readUInt32LE(at + 2);
    this.length = bytes.readUInt32LE(at + 6);
    this.at = at + 10;
    this.next_ = this.at + this.length;
    if (this.length < 6 || this.next_ > this.end) throw internalError('a changed row is cut off');
    return true;
  }

  get startsGroup(): boolean { return this.inGroup === this.groupSize - 1; }
  /** Goes to the last row of a group of deletions. */
  skipDeletions(): void {
    this.next_ += 2 * this.inGroup;
    this.inGroup = 0;
  }

  private nextGroup(): boolean {
    const { bytes, next_: at } = this;
    if (this.left === 0 || at >= this.end) {
      if (this.left !== 0 || at !== this.end) throw internalError('changed rows do not fill their place');
      return false;
    }
    if (at + 11 > this.end) throw internalError('a changed row is cut off');
    this.block = bytes.readUInt32LE(at);
    this.inGroup = bytes.readUInt16LE(at + 4);
    this.isDeletion = bytes[at + 6] !== 0;
    if (this.inGroup === 0 || this.inGroup > this.left) throw internalError('changed rows do not fill their place');
    this.left -= this.inGroup;
    this.groupSize = this.inGroup;
    this.next_ = at + 7;
    if (this.isDeletion) {
      this.version = bytes.readUInt32LE(at + 7);
      this.next_ += 4;
      this.at = -1;
      this.length = 0;
    }
    return true;
  }
}

/** Steps through index entries, which stand in leaves. */
export class EntryCursor {
  /** Where the entry stands: its key, and behind that the row id. */
  at = 0;
  end = 0;
  bytes!: Buffer;
  readonly leaf = new LeafReader();
  /** The entry's number in its leaf. */
  i = 0;
  /** Of the leaf: entries whose keys may come more than once in a unique index. */
  notUnique = false;
  private left = 0;
  private finish = 0;

  reset(bytes: Buffer, entries: Stretch): this {
    this.bytes = bytes;
    this.left = entries.count;
    this.finish = entries.at + entries.length;
    this.leaf.clear();
    this.leaf.finish = entries.at;
    this.i = -1;
    return this;
  }

  next(): boolean {
    const { leaf } = this;
    if (++this.i >= leaf.count) {
      const at = leaf.finish;
      if (this.left === 0 || at >= this.finish) {
        if (this.left !== 0 || at !== this.finish) throw internalError('index entries do not fill their place');
        return false;
      }
      leaf.load(this.bytes, at).check(this.finish);
      if (leaf.count > this.left) throw internalError('index entries do not fill their place');
      this.left -= leaf.count;
      this.notUnique = leaf.notUnique;
      this.i = 0;
    }
    this.at = leaf.start(this.i);
    this.end = leaf.start(this.i + 1);
    return true;
  }

  /** Goes behind the last entry of the leaf. */
  skipLeaf(): boolean {
    this.i = this.leaf.count;
    return this.next();
  }

  get row(): RowId {
    return readRowId(this.bytes, this.end - ROW_ID_BYTES);
  }
  set row(row: RowId) {
    writeRowId(this.bytes, this.end - ROW_ID_BYTES, row);
  }
  get keyEnd(): number {
    return this.end - ROW_ID_BYTES;
  }
  /** The key as the lock table has it. */
  get lockKey(): string {
    return this.bytes.latin1Slice(this.at, this.keyEnd);
  }
}
