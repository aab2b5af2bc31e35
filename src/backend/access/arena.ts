// Memory of a write set: bytes that are written once and read again, in chunks of a megabyte. Past its limit the
// oldest full chunks go to a temporary file, which has no name any more once it is open, so nothing can stay behind.
import { readSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { onTemporaryFile, TemporaryFile } from './temporary_file.ts';

const CHUNK_BYTES = 1 << 20;
/** The first chunk: small transactions need little. */
const FIRST_BYTES = CHUNK_BYTES >> 4;
/** The first chunk of a write set that is through, for the next one: memory outside V8's heap that comes and goes with every
 * transaction makes it collect the whole heap again and again, and drop optimized code. */
let spare: Chunk | null = null;
/** So many chunks that were read back from the file stay in memory. */
const RELOADED_CHUNKS = 4;

export const arenaSettings = {
  /** Memory for one write set before it spills. */
  limitBytes: 64 << 20,
};

/** Where bytes are: chunk number and offset in it. */
export interface Chunk { bytes: Buffer; view: DataView }
interface Slot { chunk: Chunk | null; used: number; size: number; fileOffset: number }

export class Arena {
  private readonly slots: Slot[] = [];
  private memoryBytes = 0;
  private file: TemporaryFile | null = null;
  private fileBytes = 0;
  private firstInMemory = 0;
  private readonly reloaded = new Map<number, Chunk>();
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
      slot = { chunk: newChunk(size), used: 0, size, fileOffset: -1 };
      this.slots.push(slot);
      this.memoryBytes += size;
    }
    this.chunk = this.slots.length - 1;
    this.offset = slot.used;
    slot.used += lengthBytes;
    return slot.chunk!;
  }

  /** A chunk for reading. It stays readable as long as the caller keeps it. */
  load(index: number): Chunk {
    const slot = this.slots[index]!;
    return slot.chunk ?? this.reload(index, slot);
  }

  private spill(wanted: number): void {
    while (this.firstInMemory < this.slots.length && this.memoryBytes + wanted > arenaSettings.limitBytes) {
      const slot = this.slots[this.firstInMemory++]!;
      this.file ??= new TemporaryFile();
      slot.fileOffset = this.fileBytes;
      for (let done = 0; done < slot.used;) {
        done += this.file.write(slot.chunk!.bytes, done, slot.used - done, slot.fileOffset + done);
      }
      this.fileBytes += slot.used;
      this.memoryBytes -= slot.size;
      slot.chunk = null;
      this.spills++;
    }
  }

  private reload(index: number, slot: Slot): Chunk {
    let chunk = this.reloaded.get(index);
    if (chunk !== undefined) return chunk;
    const bytes = Buffer.allocUnsafeSlow(slot.size);
    for (let done = 0; done < slot.used;) {
      const count = onTemporaryFile(() => readSync(this.file!.fd, bytes, done, slot.used - done, slot.fileOffset + done));
      if (count === 0) throw new PgError('io_error', 'could not read from temporary file: unexpected end');
      done += count;
    }
    chunk = { bytes, view: new DataView(bytes.buffer) };
    if (this.reloaded.size >= RELOADED_CHUNKS) this.reloaded.delete(this.reloaded.keys().next().value!);
    this.reloaded.set(index, chunk);
    return chunk;
  }

  close(): void {
    this.file?.close();
    if (this.slots[0]?.size === FIRST_BYTES) spare = this.slots[0].chunk;
    this.fileBytes = 0;
    this.file = null;
    this.slots.length = 0;
    this.reloaded.clear();
  }
}

function newChunk(size: number): Chunk {
  if (size === FIRST_BYTES && spare !== null) {
    const chunk = spare;
    spare = null;
    return chunk;
  }
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, view: new DataView(bytes.buffer) };
}
