// Memory of a write set: bytes that are written once and read again, in chunks of a megabyte. Past its limit the
// oldest full chunks go to a temporary file, which has no name any more once it is open, so nothing can stay behind.
import { session } from '../utils/session.ts';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PgError } from '../../common/errors.ts';
import { getInt } from '../utils/guc.ts';

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
  /** Where temporary files go: the site's tmp/. */
  spillDirectory: '/tmp',
};

/** Where bytes are: chunk number and offset in it. */
export interface Chunk { bytes: Buffer; view: DataView }
interface Slot { chunk: Chunk | null; used: number; size: number; fileOffset: number }

export class Arena {
  private readonly slots: Slot[] = [];
  private memoryBytes = 0;
  private fd = -1;
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
      if (this.fd < 0) this.openFile();
      chargeTemporaryFile(slot.used);
      slot.fileOffset = this.fileBytes;
      for (let done = 0; done < slot.used;) {
        done += onTemporaryFile(() => writeSync(this.fd, slot.chunk!.bytes, done, slot.used - done, slot.fileOffset + done));
      }
      this.fileBytes += slot.used;
      this.memoryBytes -= slot.size;
      slot.chunk = null;
      this.spills++;
    }
  }

  private openFile(): void {
    const path = join(arenaSettings.spillDirectory, `writeset.${process.hrtime.bigint().toString(36)}.${session.pid}`);
    this.fd = onTemporaryFile(() => openSync(path, 'wx+', 0o600));
    unlinkSync(path);
  }

  private reload(index: number, slot: Slot): Chunk {
    let chunk = this.reloaded.get(index);
    if (chunk !== undefined) return chunk;
    const bytes = Buffer.allocUnsafeSlow(slot.size);
    for (let done = 0; done < slot.used;) {
      const count = onTemporaryFile(() => readSync(this.fd, bytes, done, slot.used - done, slot.fileOffset + done));
      if (count === 0) throw new PgError('io_error', 'could not read from temporary file: unexpected end');
      done += count;
    }
    chunk = { bytes, view: new DataView(bytes.buffer) };
    if (this.reloaded.size >= RELOADED_CHUNKS) this.reloaded.delete(this.reloaded.keys().next().value!);
    this.reloaded.set(index, chunk);
    return chunk;
  }

  close(): void {
    if (this.fd >= 0) {
      closeSync(this.fd);
      chargeTemporaryFile(-this.fileBytes);
    }
    if (this.slots[0]?.size === FIRST_BYTES) spare = this.slots[0].chunk;
    this.fileBytes = 0;
    this.fd = -1;
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

/** Bytes of the process's temporary files. */
let temporaryBytes = 0;

/** Counts what is written to temporary files (or no longer there): 53400 past temp_file_limit. */
export function chargeTemporaryFile(lengthBytes: number): void {
  temporaryBytes += lengthBytes;
  const limit = lengthBytes > 0 ? getInt('temp_file_limit') : -1;
  if (limit >= 0 && temporaryBytes > limit * 1024) {
    temporaryBytes -= lengthBytes;
    throw new PgError('configuration_limit_exceeded', `temporary file size exceeds temp_file_limit (${limit}kB)`);
  }
}

/** Runs a system call on a temporary file: 53100 when the disk is full. */
export function onTemporaryFile<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new PgError('disk_full', 'could not write to temporary file: No space left on device');
    throw new PgError('io_error', `could not use temporary file: ${message}`);
  }
}
