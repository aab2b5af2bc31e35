// Memory of a write set: bytes that are written once and read again, in chunks of a megabyte. Past its limit the
// oldest full chunks go to a temporary file, and are mapped when they are read again.
import { MappedFile } from './temporary_file.ts';

const CHUNK_BYTES = 1 << 20;
/** The first chunk: small transactions need little. */
const FIRST_BYTES = CHUNK_BYTES >> 4;
/** The first chunk of a write set that is through, for the next one: memory outside V8's heap that comes and goes with every
 * transaction makes it collect the whole heap again and again, and drop optimized code. */
let spare: Chunk | null = null;

export const arenaSettings = {
  /** Memory for one write set before it spills. */
  limitBytes: 64 << 20,
};

/** Where bytes are: chunk number and offset in it. */
export interface Chunk { bytes: Buffer; view: DataView }
interface Slot { chunk: Chunk | null; used: number; readonly size: number; fileOffset: number; mapped: Chunk | null; wasRead: boolean }

export class Arena {
  private readonly slots: Slot[] = [];
  private memoryBytes = 0;
  private file: MappedFile | null = null;
  private firstInMemory = 0;
  /** A chunk that was written to the file and that nobody has seen: what V8 is left to free piles up. */
  private written: Chunk | null = null;
  /** The place `allocate` found. */
  chunk = -1;
  offset = 0;
  spills = 0;

  /** Makes room for bytes; `chunk` and `offset` say where, the result is where to write them. */
  allocate(lengthBytes: number): Chunk {
    let slot = this.slots[this.slots.length - 1];
    if (slot === undefined || slot.used + lengthBytes > slot.size || slot.chunk === null) {
      const size = Math.max(lengthBytes, this.slots.length === 0 ? FIRST_BYTES : CHUNK_BYTES);
      if (this.memoryBytes + size > arenaSettings.limitBytes) this.spill(size);
      slot = { chunk: this.newChunk(size), used: 0, size, fileOffset: -1, mapped: null, wasRead: false };
      this.slots.push(slot);
      this.memoryBytes += size;
    }
    this.chunk = this.slots.length - 1;
    this.offset = slot.used;
    slot.used += lengthBytes;
    return slot.chunk!;
  }

  /** A chunk for reading, until the write set ends. */
  load(index: number): Chunk {
    const slot = this.slots[index]!;
    slot.wasRead = true;
    return slot.chunk ?? (slot.mapped ??= chunkOf(this.file!.map(slot.fileOffset, slot.used)));
  }

  private spill(wanted: number): void {
    while (this.firstInMemory < this.slots.length && this.memoryBytes + wanted > arenaSettings.limitBytes) {
      const slot = this.slots[this.firstInMemory++]!;
      this.file ??= new MappedFile();
      slot.fileOffset = this.file.append([slot.chunk!.bytes.subarray(0, slot.used)]);
      this.memoryBytes -= slot.size;
      if (!slot.wasRead && slot.size === CHUNK_BYTES) this.written = slot.chunk;
      slot.chunk = null;
      this.spills++;
    }
  }

  private newChunk(size: number): Chunk {
    const chunk = size === FIRST_BYTES ? spare : size === CHUNK_BYTES ? this.written : null;
    if (chunk === null) return chunkOf(Buffer.allocUnsafeSlow(size));
    if (size === FIRST_BYTES) spare = null; else this.written = null;
    return chunk;
  }

  close(): void {
    this.file?.close();
    if (this.slots[0]?.size === FIRST_BYTES) spare = this.slots[0].chunk;
    this.file = this.written = null;
    this.slots.length = 0;
  }
}

function chunkOf(bytes: Buffer): Chunk {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}
