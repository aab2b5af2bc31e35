// A row block (access/row.ts has the format) that is being changed. The manager knows no column layouts and needs
// none: a row is the bytes from its start to the next row's start. Slots are never used again: a deleted row leaves
// a dead slot, and a block without a live row goes away as a whole.
import { internalError } from '../../common/errors.ts';
import { BLOCK_HEADER_BYTES, BLOCK_MOVED, BLOCK_WIDE, MAX_SLOTS, slotsInRowOrder } from '../access/row.ts';

const FORMAT = 1;
const INITIAL_BYTES = 8192;
/** A row is at least its header of six bytes. */
const ROW_MINIMUM_BYTES = 6;

export class BlockImage {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private view = new DataView(this.bytes.buffer);
  private used = 0;
  slots = 0;
  wide = false;
  dirty = false;
  /** Rows stand in the order of their slots, as far as is known. */
  private ordered = true;
  private orderKnown = true;
  /** Ends of rows by slot, once more than one was asked for in a block where rows do not stand in order. */
  private ends: Uint32Array | null = null;
  private endsRoom = new Uint32Array(256);
  private order = new Uint16Array(256);
  private asked = false;
  /** A row was put behind others. */
  private moved = false;
  /** Starts and ends of rows removed whose bytes are still there: a block loses many rows at once more often than one. */
  private holes: number[] = [];

  /** The bytes of the block; what was removed is squeezed out first. */
  get length(): number {
    if (this.holes.length > 0) this.squeeze();
    if (this.moved) {
      this.lookAtOrder();
      this.bytes[1] = this.ordered ? this.bytes[1]! & ~BLOCK_MOVED : this.bytes[1]! | BLOCK_MOVED;
      this.moved = false;
    }
    return this.used;
  }

  /** Starts with a block without rows. */
  reset(): void {
    this.bytes.fill(0, 0, BLOCK_HEADER_BYTES);
    this.bytes[0] = FORMAT;
    this.used = BLOCK_HEADER_BYTES;
    this.slots = 0;
    this.wide = false;
    this.dirty = false;
    this.ordered = this.orderKnown = true;
    this.holes.length = 0;
    this.moved = false;
    this.forgetEnds();
  }

  private forgetEnds(): void {
    this.ends = null;
    this.asked = false;
  }

  load(source: Uint8Array, length: number): void {
    this.reserve(length);
    this.bytes.set(length === source.length ? source : source.subarray(0, length), 0);
    this.used = length;
    this.wide = (this.bytes[1]! & BLOCK_WIDE) !== 0;
    this.slots = this.view.getUint16(2, true);
    this.dirty = false;
    this.orderKnown = this.moved = false;
    this.holes.length = 0;
    this.forgetEnds();
  }

  /** Where the row in a slot starts; 0: dead, or no such slot. */
  start(slot: number): number {
    if (slot >= this.slots) return 0;
    return this.wide ? this.view.getUint32(BLOCK_HEADER_BYTES + 4 * slot, true) : this.view.getUint16(BLOCK_HEADER_BYTES + 2 * slot, true);
  }

  /** The version of the row in a slot; -1 when there is none. */
  version(slot: number): number {
    const start = this.start(slot);
    return start === 0 ? -1 : this.view.getUint32(start, true);
  }

  /** Where the row of a live slot ends. */
  private endOf(slot: number): number {
    if (!this.orderKnown) this.lookAtOrder();
    if (!this.ordered) {
      if (this.ends !== null && slot < this.ends.length) return this.ends[slot]!;
      if (this.asked) return this.lookAtEnds()[slot]!;
      this.asked = true;
      return this.nextStart(this.start(slot));
    }
    for (let following = slot + 1; following < this.slots; following++) {
      const start = this.start(following);
      if (start !== 0) return start;
    }
    return this.used;
  }

  private lookAtOrder(): void {
    this.orderKnown = this.ordered = true;
    let before = 0;
    for (let slot = 0; slot < this.slots; slot++) {
      const start = this.start(slot);
      if (start === 0) continue;
      if (start < before) { this.ordered = false; return; }
      before = start;
    }
  }

  private lookAtEnds(): Uint32Array {
    if (this.endsRoom.length < this.slots) this.endsRoom = new Uint32Array(2 * this.slots);
    const ends = (this.ends = this.endsRoom);
    const count = slotsInRowOrder(this.view, this.wide, this.slots, this.orderRoom());
    for (let i = 0; i < count; i++) ends[this.order[i]!] = i + 1 < count ? this.start(this.order[i + 1]!) : this.used;
    return ends;
  }

  private orderRoom(): Uint16Array {
    if (this.order.length < this.slots) this.order = new Uint16Array(2 * this.slots);
    return this.order;
  }

  /** The live slots in the order their rows stand in. Good until the next change. */
  inOrder(): Uint16Array {
    const order = this.orderRoom();
    return order.subarray(0, slotsInRowOrder(this.view, this.wide, this.slots, order));
  }

  /** Where the row that starts at `start` ends. */
  end(start: number): number {
    if (this.holes.length > 0) this.squeeze();
    return this.nextStart(start);
  }

  private nextStart(start: number): number {
    let end = this.used;
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
    if (this.holes.length > 0) this.squeeze();
    let start = this.start(slot);
    const end = this.endOf(slot);
    const difference = row.length - (end - start);
    if (difference !== 0) {
      this.reserve(this.used + difference + 2 * this.slots);
      this.move(end, difference);
      start = this.start(slot);
      this.forgetEnds();
    }
    this.bytes.set(row, start);
    this.view.setUint32(start, version, true);
    this.dirty = true;
  }

  /** Puts a row behind all others, instead of the one in a live slot. */
  replaceLast(slot: number, row: Uint8Array, version: number): void {
    const end = this.endOf(slot);
    if (end === this.used && this.holes.length === 0) {
      this.replace(slot, row, version);
      return;
    }
    this.holes.push(this.start(slot), end);
    if (!this.wide && this.used > 0xffff) this.squeeze();
    const last = slot === this.slots - 1;
    this.reserve(this.used + row.length + 2 * this.slots);
    if (!this.wide && this.used > 0xffff) {
      this.setStart(slot, 0);
      this.widen();
    }
    const start = this.used;
    this.bytes.set(row, start);
    this.view.setUint32(start, version, true);
    this.used += row.length;
    this.setStart(slot, start);
    if (this.ends !== null) this.ends[slot] = this.used;
    // They may stand in order again once the others have moved, too.
    if (!last) this.ordered = false;
    this.moved = true;
    this.dirty = true;
  }

  /** Leaves a dead slot. */
  remove(slot: number): void {
    const start = this.start(slot);
    // Up to the next live row: it may take in a hole that is there already.
    const end = this.endOf(slot);
    this.setStart(slot, 0);
    this.holes.push(start, end);
    this.dirty = true;
  }

  /** Moves the rows together over the holes. */
  private squeeze(): void {
    const { holes, bytes } = this;
    const order = Array.from({ length: holes.length / 2 }, (_, i) => i).sort((a, b) => holes[2 * a]! - holes[2 * b]!);
    // Stretches of bytes that stay: where each begins, and how far it moves.
    const begins: number[] = [], moves: number[] = [];
    let kept = holes[2 * order[0]!]!, end = kept;
    for (let n = 0; n <= order.length; n++) {
      const start = n === order.length ? this.used : holes[2 * order[n]!]!;
      if (start > end) {
        begins.push(end);
        moves.push(end - kept);
        bytes.copyWithin(kept, end, start);
        kept += start - end;
      }
      if (n < order.length) end = Math.max(end, holes[2 * order[n]! + 1]!);
    }
    this.used = kept;
    holes.length = 0;
    this.forgetEnds();
    if (!this.ordered) this.orderKnown = false;
    if (begins.length === 0) return;
    for (let slot = 0; slot < this.slots; slot++) {
      const start = this.start(slot);
      if (start < begins[0]!) continue;
      let low = 0, high = begins.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (begins[middle]! <= start) low = middle; else high = middle - 1;
      }
      this.setStart(slot, start - moves[low]!);
    }
  }

  /** Adds a row after all others; returns its slot. */
  append(row: Uint8Array, version: number): number {
    if (this.slots >= MAX_SLOTS) throw internalError('a block has no slot left');
    if (this.holes.length > 0) this.squeeze();
    this.forgetEnds();
    const entry = this.wide ? 4 : 2;
    this.reserve(this.used + entry + row.length + 2 * this.slots + 4);
    // The directory grows into the place of the first row.
    const slot = this.slots;
    const directoryEnd = BLOCK_HEADER_BYTES + entry * slot;
    this.move(directoryEnd, entry);
    this.slots = slot + 1;
    this.view.setUint16(2, this.slots, true);
    const start = this.used;
    this.setStart(slot, 0);
    this.bytes.set(row, start);
    this.view.setUint32(start, version, true);
    this.used += row.length;
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
    this.bytes.copyWithin(from + by, from, this.used);
    this.used += by;
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
      this.used -= by;
      this.bytes.copyWithin(from, from + by, this.used + by);
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
    this.reserve(this.used + growth);
    const starts = Array.from({ length: this.slots }, (_, slot) => this.start(slot));
    const directoryEnd = BLOCK_HEADER_BYTES + 2 * this.slots;
    this.bytes.copyWithin(directoryEnd + growth, directoryEnd, this.used);
    this.used += growth;
    this.wide = true;
    this.bytes[1]! |= BLOCK_WIDE;
    for (let slot = 0; slot < starts.length; slot++) this.setStart(slot, starts[slot] === 0 ? 0 : starts[slot]! + growth);
  }

  private setStart(slot: number, start: number): void {
    if (this.wide) this.view.setUint32(BLOCK_HEADER_BYTES + 4 * slot, start, true);
    else this.view.setUint16(BLOCK_HEADER_BYTES + 2 * slot, start, true);
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
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

/** The version of the row in a slot of a block; -1 when there is none. */
export function versionInBlock(bytes: Buffer, slot: number): number {
  if (slot >= (bytes[2]! | (bytes[3]! << 8))) return -1;
  const wide = (bytes[1]! & BLOCK_WIDE) !== 0, at = BLOCK_HEADER_BYTES + (wide ? 4 : 2) * slot;
  const start = wide ? bytes.readUInt32LE(at) : bytes[at]! | (bytes[at + 1]! << 8);
  return start === 0 ? -1 : (bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16)) + bytes[start + 3]! * 16777216;
}

export function liveRowsInBlock(bytes: Buffer): number {
  const slots = bytes.readUInt16LE(2), entry = (bytes[1]! & BLOCK_WIDE) !== 0 ? 4 : 2;
  let live = 0;
  for (let at = BLOCK_HEADER_BYTES, end = at + entry * slots; at < end; at += entry) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || (entry === 4 && bytes.readUInt16LE(at + 2) !== 0)) live++;
  }
  return live;
}
