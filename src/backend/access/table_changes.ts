// A table's part of the write set: rows changed, and rows inserted.
//
// A changed row has a chain of versions, newest first, each with the command that wrote it. A command sees the first
// version older than itself, and below the chain the row as the store (or the block it was inserted into) has it: so a
// statement never sees its own changes.
//
// Inserted rows have provisional row ids and stand packed in blocks, as they will be sent: one row more costs its bytes
// and four for its command. The last block is open; it is sealed into the arena when it is full.
import { BLOCK_HEADER_BYTES, BLOCK_TARGET_BYTES, BLOCK_WIDE, MAX_SLOTS, PROVISIONAL_BLOCK, blockOf, formRow, formRowInto, rowIdOf, setSlotStart, slotOf, slotStart, type RowId, type RowLayout } from './row.ts';
import { BlockImage } from '../transaction/block_image.ts';
import type { Datum } from '../types/datum.ts';
import { uncounted, type Counts } from '../utils/pgstat.ts';
import { RELATION } from '../utils/pgstat_shmem.ts';
import type { Arena, Chunk } from './arena.ts';

const DELETED = -1;

export class Version {
  readonly cid: number;
  /** Where the row is in the arena; a deleted row has length -1. */
  readonly chunk: number;
  readonly offset: number;
  readonly length: number;
  readonly prev: Version | undefined;
  /** The version (xmin) of the row as it was read from the store; 0 for rows inserted here. */
  readonly readVersion: number;
  constructor(cid: number, chunk: number, offset: number, length: number, prev: Version | undefined, readVersion: number) {
    this.cid = cid;
    this.chunk = chunk;
    this.offset = offset;
    this.length = length;
    this.prev = prev;
    this.readVersion = readVersion;
  }
  get deleted(): boolean { return this.length === DELETED; }
}

/** The version a command sees; undefined: the row below the chain. */
export function visibleVersion(head: Version | undefined, cid: number): Version | undefined {
  let version = head;
  while (version !== undefined && version.cid >= cid) version = version.prev;
  return version;
}

/** The slots of a block that a command sees changed, in the order of their last changes; deleted rows first. */
export function slotsInOrderOfChange(slots: readonly (Version | undefined)[], cid: number): number[] {
  const order: number[] = [];
  let ordered = true, before: Version | null = null;
  for (let slot = 0; slot < slots.length; slot++) {
    const version = visibleVersion(slots[slot], cid);
    if (version === undefined) continue;
    order.push(slot);
    if (before !== null && comesAfter(before, version)) ordered = false;
    before = version;
  }
  if (!ordered) {
    order.sort((a, b) => {
      const x = visibleVersion(slots[a], cid)!, y = visibleVersion(slots[b], cid)!;
      return comesAfter(x, y) ? 1 : comesAfter(y, x) ? -1 : a - b;
    });
  }
  return order;
}

function comesAfter(a: Version, b: Version): boolean {
  if (a.deleted || b.deleted) return b.deleted && !a.deleted;
  return a.chunk !== b.chunk ? a.chunk > b.chunk : a.offset > b.offset;
}

/** Where a row is: good until the next call that returns one from the same source. */
export interface RowRef { bytes: Buffer; view: DataView; offset: number }

interface SealedBlock {
  chunk: number; offset: number; length: number; slots: number; wide: boolean;
  minCid: number; maxCid: number;
  /** By slot, when they are not all the same. */
  cids: Uint32Array | null;
}

const OPEN_BYTES = 65536;

/** The block that rows are being put into: rows from the start of its buffer, starts and commands beside it. */
class OpenBlock {
  bytes = Buffer.allocUnsafeSlow(OPEN_BYTES);
  view = new DataView(this.bytes.buffer);
  used = 0;
  slots = 0;
  starts = new Uint32Array(1024);
  cids = new Uint32Array(1024);
  minCid = Infinity;
  maxCid = -1;

  grow(lengthBytes: number): void {
    if (lengthBytes <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(lengthBytes, this.bytes.length * 2));
    this.bytes.copy(bytes, 0, 0, this.used);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  clear(): void {
    this.used = 0;
    this.slots = 0;
    this.minCid = Infinity;
    this.maxCid = -1;
    if (this.bytes.length > OPEN_BYTES) {
      this.bytes = Buffer.allocUnsafeSlow(OPEN_BYTES);
      this.view = new DataView(this.bytes.buffer);
    }
  }

  /** The length of the block these rows make. */
  get length(): number {
    const narrow = BLOCK_HEADER_BYTES + 2 * this.slots + this.used;
    return narrow > 65535 ? narrow + 2 * this.slots : narrow;
  }

  /** Writes the block at `at`. */
  write(bytes: Buffer, view: DataView, at: number): void {
    const wide = BLOCK_HEADER_BYTES + 2 * this.slots + this.used > 65535;
    const data = BLOCK_HEADER_BYTES + (wide ? 4 : 2) * this.slots;
    view.setUint32(at, 1 | (wide ? BLOCK_WIDE << 8 : 0) | (this.slots << 16), true);
    view.setUint32(at + 4, 0, true);
    for (let i = 0; i < this.slots; i++) {
      if (wide) view.setUint32(at + BLOCK_HEADER_BYTES + 4 * i, data + this.starts[i]!, true);
      else view.setUint16(at + BLOCK_HEADER_BYTES + 2 * i, data + this.starts[i]!, true);
    }
    this.bytes.copy(bytes, at + data, 0, this.used);
  }
}

/** Open blocks of tables whose write set is through, for the next ones (see arena.ts). */
const spareBlocks: OpenBlock[] = [];
const MAX_SPARE_BLOCKS = 2, MAX_SPARE_SLOTS = 4096;

interface InsertMark { blocks: number; slots: number; rows: number }

/** What the savepoint machinery calls to take a change back. */
export interface UndoEntry { undo(): void }

export class TableChanges {
  readonly filenode: number;
  readonly catalog: boolean;
  /** Changed rows by block, then by slot. */
  readonly changed = new Map<number, (Version | undefined)[]>();
  private readonly arena: Arena;
  private deleted: Version | null = null;
  private lastBlock = -1;
  private lastSlots: (Version | undefined)[] | undefined = undefined;
  private readonly sealed: SealedBlock[] = [];
  private open: OpenBlock | null = null;
  /** See WriteSet.level: whether this level has noted where its inserts begin. */
  insertLevel = -1;
  /** Rows inserted, updated and deleted, what was taken back included. */
  inserted = 0;
  updated = 0;
  rowsDeleted = 0;
  /** Of them, those that stay. */
  private liveInserted = 0;
  private liveDeleted = 0;
  private liveUpdated = 0;
  /** Where they are added up when the transaction ends. */
  counts: Counts = uncounted;
  private readonly found: RowRef = { bytes: Buffer.alloc(0), view: new DataView(new ArrayBuffer(0)), offset: 0 };

  constructor(filenode: number, catalog: boolean, arena: Arena) {
    this.filenode = filenode;
    this.catalog = catalog;
    this.arena = arena;
  }

  get isEmpty(): boolean {
    return this.changed.size === 0 && this.sealed.length === 0 && (this.open === null || this.open.slots === 0);
  }

  /** A row is deleted. */
  noteDeleted(): void {
    this.rowsDeleted++;
    this.liveDeleted++;
  }

  /** What was inserted is nothing new: the table is written anew. */
  forgetInserted(): void {
    this.inserted = this.liveInserted = 0;
  }

  /** TRUNCATE, or its being taken back: what is there now was never done. What has been taken back before was. */
  forgetStanding(): void {
    this.inserted -= this.liveInserted;
    this.updated -= this.liveUpdated;
    this.rowsDeleted -= this.liveDeleted;
    this.liveInserted = this.liveUpdated = this.liveDeleted = 0;
  }

  /** At the end of the transaction. PostgreSQL's dead rows: those that VACUUM would find there. */
  count(committed: boolean, truncated: boolean): void {
    const { counts } = this;
    if (counts === uncounted) return;
    if (truncated) this.forgetStanding();
    const { inserted, updated, rowsDeleted } = this;
    counts[RELATION.inserted]! += inserted;
    counts[RELATION.insertedSinceVacuum]! += inserted;
    counts[RELATION.updated]! += updated;
    counts[RELATION.deleted]! += rowsDeleted;
    if (truncated) return;
    counts[RELATION.dead]! += updated + (committed ? inserted - this.liveInserted + this.liveDeleted : inserted);
    if (!committed) return;
    counts[RELATION.live]! += this.liveInserted - this.liveDeleted;
    counts[RELATION.changed]! += this.liveInserted + this.liveUpdated + this.liveDeleted;
  }

  // --- Inserting -------------------------------------------------------------------------------------------------

  private openBlock(): OpenBlock {
    return (this.open ??= spareBlocks.pop() ?? new OpenBlock());
  }

  /** The write set is through: nobody looks at it again. */
  close(): void {
    const { open } = this;
    this.open = null;
    if (open === null || spareBlocks.length >= MAX_SPARE_BLOCKS || open.starts.length > MAX_SPARE_SLOTS) return;
    open.clear();
    spareBlocks.push(open);
  }

  /** Inserts a formed row. */
  insertRow(row: Uint8Array, cid: number): RowId {
    const open = this.openBlock();
    if (open.slots > 0 && this.overflows(open, open.used + row.length)) this.seal(open);
    open.grow(open.used + row.length);
    open.bytes.set(row, open.used);
    return this.finishInsert(open, open.used + row.length, cid);
  }

  /** Forms a row straight into the open block. */
  insertValues(layout: RowLayout, values: readonly Datum[], cid: number): RowId {
    const open = this.openBlock();
    const end = formRowInto(layout, values, open.bytes, open.view, open.used);
    if (end < 0) return this.insertRow(formRow(layout, values), cid);
    return this.closeInsert(open, end, cid);
  }

  /** A row was written behind the others of the open block: does it fit there? */
  private closeInsert(open: OpenBlock, end: number, cid: number): RowId {
    if (open.slots > 0 && this.overflows(open, end)) {
      // Sealing may give the block another buffer.
      const start = open.used, { bytes } = open;
      this.seal(open);
      bytes.copy(open.bytes, 0, start, end);
      return this.finishInsert(open, end - start, cid);
    }
    return this.finishInsert(open, end, cid);
  }

  /** Inserts a row that `form` writes at a place of a buffer, saying where it ends; -1 from it: no row. */
  insertFormed(form: (bytes: Buffer, view: DataView, at: number) => number, cid: number): RowId {
    const open = this.openBlock();
    const end = form(open.bytes, open.view, open.used);
    if (end < 0) return -1;
    return this.closeInsert(open, end, cid);
  }

  private overflows(open: OpenBlock, end: number): boolean {
    return BLOCK_HEADER_BYTES + 2 * (open.slots + 1) + end > BLOCK_TARGET_BYTES || open.slots + 1 > MAX_SLOTS;
  }

  private finishInsert(open: OpenBlock, end: number, cid: number): RowId {
    const slot = open.slots++;
    this.inserted++;
    this.liveInserted++;
    if (slot >= open.starts.length) {
      const starts = new Uint32Array(slot * 2), cids = new Uint32Array(slot * 2);
      starts.set(open.starts);
      cids.set(open.cids);
      open.starts = starts;
      open.cids = cids;
    }
    open.starts[slot] = open.used;
    open.cids[slot] = cid;
    if (cid < open.minCid) open.minCid = cid;
    if (cid > open.maxCid) open.maxCid = cid;
    open.used = end;
    return rowIdOf(PROVISIONAL_BLOCK + this.sealed.length, slot);
  }

  private seal(open: OpenBlock): void {
    const { length, slots, minCid, maxCid } = open;
    const chunk = this.arena.allocate(length);
    open.write(chunk.bytes, chunk.view, this.arena.offset);
    this.sealed.push({
      chunk: this.arena.chunk, offset: this.arena.offset, length, slots, wide: length > 65535, minCid, maxCid,
      cids: minCid === maxCid ? null : open.cids.slice(0, slots),
    });
    open.clear();
  }

  /** Where inserting stands, for `truncateInserts`. */
  insertMark(): InsertMark {
    return { blocks: this.sealed.length, slots: this.open?.slots ?? 0, rows: this.liveInserted };
  }

  /** Takes back what was inserted since the mark. */
  truncateInserts(mark: InsertMark): void {
    this.liveInserted = mark.rows;
    const open = this.openBlock();
    if (this.sealed.length > mark.blocks) {
      // The block that was open at the mark has been sealed since: open it again.
      const block = this.sealed[mark.blocks]!;
      this.sealed.length = mark.blocks;
      const { bytes, view } = this.arena.load(block.chunk);
      const data = BLOCK_HEADER_BYTES + (block.wide ? 4 : 2) * block.slots;
      open.clear();
      open.grow(block.length - data);
      for (let slot = 0; slot <= mark.slots && slot < block.slots; slot++) {
        open.starts[slot] = slotStart(view, block.offset, slot, block.wide) - data;
        open.cids[slot] = block.cids === null ? block.minCid : block.cids[slot]!;
      }
      const end = mark.slots < block.slots ? open.starts[mark.slots]! : block.length - data;
      bytes.copy(open.bytes, 0, block.offset + data, block.offset + data + end);
      open.used = end;
    } else if (mark.slots < open.slots) {
      open.used = open.starts[mark.slots]!;
    }
    open.slots = mark.slots;
    open.minCid = Infinity;
    open.maxCid = -1;
    for (let slot = 0; slot < open.slots; slot++) {
      open.minCid = Math.min(open.minCid, open.cids[slot]!);
      open.maxCid = Math.max(open.maxCid, open.cids[slot]!);
    }
  }

  // --- Changing --------------------------------------------------------------------------------------------------

  /** Changes come block after block. */
  private slotsOf(block: number): (Version | undefined)[] | undefined {
    if (block !== this.lastBlock) {
      this.lastBlock = block;
      this.lastSlots = this.changed.get(block);
    }
    return this.lastSlots;
  }

  /** The newest version of a row, or undefined when the write set has none above the block it stands in. */
  head(rowId: RowId): Version | undefined {
    if (this.changed.size === 0) return undefined;
    return this.slotsOf(blockOf(rowId))?.[slotOf(rowId)];
  }

  /** Puts a new version (null: deleted) on top. */
  change(rowId: RowId, row: Uint8Array | null, cid: number, readVersion: number): void {
    const block = blockOf(rowId), slot = slotOf(rowId);
    let slots = this.slotsOf(block);
    if (slots === undefined) this.changed.set(block, (this.lastSlots = slots = []));
    const prev = slots[slot];
    if (row === null) {
      this.noteDeleted();
      slots[slot] = prev === undefined ? this.deletion(cid, readVersion) : new Version(cid, 0, 0, DELETED, prev, prev.readVersion);
      return;
    }
    this.updated++;
    this.liveUpdated++;
    const target = this.arena.allocate(row.length);
    const { chunk, offset } = this.arena;
    target.bytes.set(row, offset);
    slots[slot] = new Version(cid, chunk, offset, row.length, prev, prev === undefined ? readVersion : prev.readVersion);
  }

  /** For deletions of many rows: what is known of a block's slots, made when there is nothing (at its full length: growing
   * arrays leave the heap full of shorter ones). */
  slotsForChange(block: number, slotCount: number): (Version | undefined)[] {
    let slots = this.changed.get(block);
    if (slots === undefined) this.changed.set(block, (slots = new Array<Version | undefined>(slotCount)));
    this.lastBlock = -1;
    return slots;
  }

  /** Rows that were written together and are deleted together share what is to be said of it. */
  deletion(cid: number, readVersion: number): Version {
    const { deleted } = this;
    if (deleted !== null && deleted.cid === cid && deleted.readVersion === readVersion) return deleted;
    return (this.deleted = new Version(cid, 0, 0, DELETED, undefined, readVersion));
  }

  /** Takes the newest version back. */
  unchange(rowId: RowId): void {
    const block = blockOf(rowId), slot = slotOf(rowId);
    const slots = this.changed.get(block)!;
    if (slots[slot]!.deleted) this.liveDeleted--;
    else this.liveUpdated--;
    slots[slot] = slots[slot]!.prev;
    if (slots.every((v) => v === undefined)) this.changed.delete(block);
    this.lastBlock = -1;
  }

  // --- Reading ---------------------------------------------------------------------------------------------------

  versionRow(version: Version): RowRef {
    const { bytes, view } = this.arena.load(version.chunk);
    const { found } = this;
    found.bytes = bytes;
    found.view = view;
    found.offset = version.offset;
    return found;
  }

  versionBytes(version: Version): Uint8Array {
    const { bytes } = this.arena.load(version.chunk);
    return bytes.subarray(version.offset, version.offset + version.length);
  }

  /** An inserted row as it was inserted, whatever was done to it later; undefined when `cid` does not see it. */
  insertedRow(rowId: RowId, cid: number): RowRef | undefined {
    const index = blockOf(rowId) - PROVISIONAL_BLOCK, slot = slotOf(rowId);
    const { found } = this;
    if (index < this.sealed.length) {
      const block = this.sealed[index]!;
      if (slot >= block.slots || (block.cids === null ? block.minCid : block.cids[slot]!) >= cid) return undefined;
      const { bytes, view } = this.arena.load(block.chunk);
      found.bytes = bytes;
      found.view = view;
      found.offset = block.offset + slotStart(view, block.offset, slot, block.wide);
      return found;
    }
    const { open } = this;
    if (open === null || index > this.sealed.length || slot >= open.slots || open.cids[slot]! >= cid) return undefined;
    found.bytes = open.bytes;
    found.view = open.view;
    found.offset = open.starts[slot]!;
    return found;
  }

  get insertedBlocks(): number {
    return this.sealed.length + (this.open !== null && this.open.slots > 0 ? 1 : 0);
  }

  /** Writes inserted block number `index` (from 0) as `cid` sees it, changes apart; its length, 0 when it sees none. */
  insertedBlock(index: number, cid: number, target: { bytes: Buffer; view: DataView; grow(length: number): void }): number {
    let length: number, slots: number, cids: Uint32Array | null;
    if (index < this.sealed.length) {
      const block = this.sealed[index]!;
      if (block.minCid >= cid) return 0;
      ({ length, slots } = block);
      if (length > target.bytes.length) target.grow(length);
      this.arena.load(block.chunk).bytes.copy(target.bytes, 0, block.offset, block.offset + length);
      cids = block.maxCid < cid ? null : block.cids;
    } else {
      const open = this.open!;
      ({ length, slots, cids } = open);
      if (slots === 0 || open.minCid >= cid) return 0;
      if (length > target.bytes.length) target.grow(length);
      open.write(target.bytes, target.view, 0);
      if (open.maxCid < cid) cids = null;
    }
    if (cids !== null) {
      const wide = length > 65535;
      for (let slot = 0; slot < slots; slot++) if (cids[slot]! >= cid) setSlotStart(target.view, slot, wide, 0);
    }
    return length;
  }

  /** For the commit: block `index` with its rows' last versions in place, to be copied at once; undefined when no row is
   * left. */
  finalBlock(index: number): Uint8Array | undefined {
    const slots = this.changed.get(PROVISIONAL_BLOCK + index);
    const sealed = this.sealed[index];
    if (slots === undefined && sealed !== undefined) {
      return this.arena.load(sealed.chunk).bytes.subarray(sealed.offset, sealed.offset + sealed.length);
    }
    const target = { bytes: Buffer.alloc(0), view: new DataView(new ArrayBuffer(0)), grow(length: number) {
      target.bytes = Buffer.allocUnsafeSlow(length);
      target.view = new DataView(target.bytes.buffer);
    } };
    const length = this.insertedBlock(index, Infinity, target);
    if (length === 0) return undefined;
    if (slots === undefined) return target.bytes.subarray(0, length);
    const image = new BlockImage();
    image.load(target.bytes, length);
    for (const slot of slotsInOrderOfChange(slots, Infinity)) {
      const version = slots[slot]!;
      if (version.deleted) image.remove(slot);
      else image.replaceLast(slot, this.versionBytes(version), 0);
    }
    return image.liveRows() === 0 ? undefined : image.bytes.subarray(0, image.length);
  }
}

export type { Chunk };
