// A row block (access/row.ts has the format) that is being changed. The manager knows no column layouts and needs
// none: a row is the bytes from its start to the next row's start. Slots are never used again: a deleted row leaves
// a dead slot, and a block without a live row goes away as a whole.
import { internalError } from '../../common/errors.ts';
import { BLOCK_HEADER_BYTES, BLOCK_WIDE, MAX_SLOTS } from '../access/row.ts';

const FORMAT = 1;
const INITIAL_BYTES = 8192;
/** A row is at least its header of six bytes. */
const ROW_MINIMUM_BYTES = 6;

export class BlockImage {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;
  slots = 0;
  wide = false;
  dirty = false;

  /** Starts with a block without rows. */
  reset(): void {
    this.bytes.fill(0, 0, BLOCK_HEADER_BYTES);
    this.bytes[0] = FORMAT;
    this.length = BLOCK_HEADER_BYTES;
    this.slots = 0;
    this.wide = false;
    this.dirty = false;
  }

  load(source: Uint8Array, length: number): void {
    this.reserve(length);
    this.bytes.set(length === source.length ? source : source.subarray(0, length), 0);
    this.length = length;
    this.wide = (this.bytes[1]! & BLOCK_WIDE) !== 0;
    this.slots = this.bytes.readUInt16LE(2);
    this.dirty = false;
  }

  /** Where the row in a slot starts; 0: dead, or no such slot. */
  start(slot: number): number {
    if (slot >= this.slots) return 0;
    return this.wide
      ? this.bytes.readUInt32LE(BLOCK_HEADER_BYTES + 4 * slot)
      : this.bytes.readUInt16LE(BLOCK_HEADER_BYTES + 2 * slot);
  }

  /** The version of the row in a slot; -1 when there is none. */
  version(slot: number): number {
    const start = this.start(slot);
    return start === 0 ? -1 : this.bytes.readUInt32LE(start);
  }

  /** Where the row that starts at `start` ends. */
  end(start: number): number {
    let end = this.length;
    for (let slot = 0; slot < this.slots; slot++) {
      const other = this.start(slot);
      if (other > start && other < end) end = other;
    }
    return end;
  }

  liveRows(): number {
    let live = 0;
    for (let slot = 0; slot < this.slots; slot++) if (this.start(slot) !== 0) live++;
    return live;
  }

  /** Puts a row in the place of the one in a live slot. */
  replace(slot: number, row: Uint8Array, version: number): void {
    let start = this.start(slot);
    const end = this.end(start);
    const difference = row.length - (end - start);
    if (difference !== 0) {
      this.reserve(this.length + difference + 2 * this.slots);
      this.move(end, difference);
      start = this.start(slot);
    }
    this.bytes.set(row, start);
    this.bytes.writeUInt32LE(version, start);
    this.dirty = true;
  }

  /** Leaves a dead slot. */
  remove(slot: number): void {
    const start = this.start(slot);
    const end = this.end(start);
    this.setStart(slot, 0);
    this.move(end, start - end);
    this.dirty = true;
  }

  /** Adds a row after all others; returns its slot. */
  append(row: Uint8Array, version: number): number {
    if (this.slots >= MAX_SLOTS) throw internalError('a block has no slot left');
    const entry = this.wide ? 4 : 2;
    this.reserve(this.length + entry + row.length + 2 * this.slots + 4);
    // The directory grows into the place of the first row.
    const slot = this.slots;
    const directoryEnd = BLOCK_HEADER_BYTES + entry * slot;
    this.move(directoryEnd, entry);
    this.slots = slot + 1;
    this.bytes.writeUInt16LE(this.slots, 2);
    const start = this.length;
    this.setStart(slot, 0);
    this.bytes.set(row, start);
    this.bytes.writeUInt32LE(version, start);
    this.length += row.length;
    if (!this.wide && start > 0xffff) {
      this.widen();
      this.setStart(slot, start + 2 * this.slots);
    } else {
      this.setStart(slot, start);
    }
    this.dirty = true;
    return slot;
  }

  /** Moves everything from `from` on by some bytes and corrects the directory. */
  private move(from: number, by: number): void {
    this.bytes.copyWithin(from + by, from, this.length);
    this.length += by;
    let tooFar = false;
    for (let slot = 0; slot < this.slots; slot++) {
      const start = this.start(slot);
      if (start < from || start === 0) continue;
      if (!this.wide && start + by > 0xffff) {
        tooFar = true;
        break;
      }
    }
    if (tooFar) {
      // Widening moves all rows by the same distance, so do it on the old offsets, then shift the ones behind.
      this.length -= by;
      this.bytes.copyWithin(from, from + by, this.length + by);
      this.widen();
      this.move(from + 2 * this.slots, by);
      return;
    }
    for (let slot = 0; slot < this.slots; slot++) {
      const start = this.start(slot);
      if (start !== 0 && start >= from) this.setStart(slot, start + by);
    }
  }

  /** Turns the directory's u16 into u32. */
  private widen(): void {
    const growth = 2 * this.slots;
    this.reserve(this.length + growth);
    const starts = Array.from({ length: this.slots }, (_, slot) => this.start(slot));
    const directoryEnd = BLOCK_HEADER_BYTES + 2 * this.slots;
    this.bytes.copyWithin(directoryEnd + growth, directoryEnd, this.length);
    this.length += growth;
    this.wide = true;
    this.bytes[1]! |= BLOCK_WIDE;
    for (let slot = 0; slot < starts.length; slot++) this.setStart(slot, starts[slot] === 0 ? 0 : starts[slot]! + growth);
  }

  private setStart(slot: number, start: number): void {
    if (this.wide) this.bytes.writeUInt32LE(start, BLOCK_HEADER_BYTES + 4 * slot);
    else this.bytes.writeUInt16LE(start, BLOCK_HEADER_BYTES + 2 * slot);
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** Throws unless these are the bytes of a block whose rows lie inside it. A block of a backend that went mad must not
 * get into the store. */
export function checkBlock(bytes: Uint8Array): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < BLOCK_HEADER_BYTES || view[0] !== FORMAT) throw internalError('not a row block');
  const wide = (view[1]! & BLOCK_WIDE) !== 0, slots = view.readUInt16LE(2);
  const directoryEnd = BLOCK_HEADER_BYTES + slots * (wide ? 4 : 2);
  if (directoryEnd > view.length) throw internalError('a row block is cut off');
  for (let slot = 0; slot < slots; slot++) {
    const start = wide ? view.readUInt32LE(BLOCK_HEADER_BYTES + 4 * slot) : view.readUInt16LE(BLOCK_HEADER_BYTES + 2 * slot);
    if (start !== 0 && (start < directoryEnd || start > view.length - ROW_MINIMUM_BYTES)) {
      throw internalError('a row lies outside its block');
    }
  }
}

/** Fills in the version of every row of a block, which is taken over as it is. */
export function stampVersions(view: Buffer, version: number): void {
  const wide = (view[1]! & BLOCK_WIDE) !== 0, slots = view.readUInt16LE(2);
  for (let slot = 0; slot < slots; slot++) {
    const start = wide ? view.readUInt32LE(BLOCK_HEADER_BYTES + 4 * slot) : view.readUInt16LE(BLOCK_HEADER_BYTES + 2 * slot);
    if (start !== 0) view.writeUInt32LE(version, start);
  }
}
