// Temporary files below the site's tmp/. A file has no name any more once it is open, so nothing is left of it whatever
// happens to the process. What is written counts for temp_file_limit, and log_temp_files says what is put into the log.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { noteMapped } from '../utils/memory_limit.ts';
import { countOfDatabase } from '../utils/pgstat.ts';
import { DATABASE } from '../utils/pgstat_shmem.ts';
import { session } from '../utils/session.ts';

export const temporaryFiles = {
  /** Where they go. */
  directory: '/tmp',
};

const PAGE_BYTES = 4096;
let counter = 0;
/** Bytes of the process's temporary files. */
let total = 0;

export class TemporaryFile {
  readonly fd: number;
  private readonly name: string;
  private bytes = 0;

  constructor() {
    this.name = `pgsql_tmp${session.pid}.${counter++}`;
    const path = `${temporaryFiles.directory}/${this.name}`;
    this.fd = onTemporaryFile(() => openSync(path, 'w+', 0o600));
    unlinkSync(path);
  }

  /** How much has been written, which is at least one byte. 53400 past temp_file_limit. */
  write(bytes: Buffer, from: number, lengthBytes: number, position: number): number {
    const limit = getInt('temp_file_limit');
    if (limit >= 0 && total + lengthBytes > limit * 1024) {
      throw new PgError('configuration_limit_exceeded', `temporary file size exceeds temp_file_limit (${limit}kB)`);
    }
    const done = onTemporaryFile(() => writeSync(this.fd, bytes, from, lengthBytes, position));
    if (done === 0) throw new PgError('disk_full', 'could not write to temporary file: No space left on device');
    this.bytes += done;
    total += done;
    return done;
  }

  close(): void {
    closeSync(this.fd);
    countOfDatabase(DATABASE.temporaryFiles);
    countOfDatabase(DATABASE.temporaryBytes, this.bytes);
    total -= this.bytes;
    const limit = getInt('log_temp_files');
    if (limit >= 0 && this.bytes >= limit * 1024) log('LOG', `temporary file: path "tmp/${this.name}", size ${this.bytes}`);
    this.bytes = 0;
  }
}

/** A temporary file that grows, and is read as memory: memory that is the kernel's, which has it back when it likes. */
export class MappedFile {
  private readonly file = new TemporaryFile();
  private length = 0;
  private readonly mapped = new Set<ArrayBufferLike>();

  /** Writes these bytes from the beginning of a page on; where that is. */
  append(parts: readonly Buffer[]): number {
    const offset = this.length = Math.ceil(this.length / PAGE_BYTES) * PAGE_BYTES;
    for (const bytes of parts) {
      for (let done = 0; done < bytes.length;) {
        const count = this.file.write(bytes, done, bytes.length - done, this.length);
        done += count;
        this.length += count;
      }
    }
    return offset;
  }

  /** Bytes that were written, from the beginning of a page on. */
  map(offset: number, lengthBytes: number): Buffer {
    const memory = port.mapPart(this.file.fd, offset, lengthBytes);
    if (typeof memory === 'number') throw new PgError('io_error', `could not map a temporary file: errno ${-memory}`);
    noteMapped(lengthBytes);
    this.mapped.add(memory);
    return Buffer.from(memory);
  }

  /** Nobody will look at these bytes any more. (Their place in the file is not used again.) */
  unmap(memory: ArrayBufferLike): void {
    if (!this.mapped.delete(memory)) return;
    port.unmapPart(memory as ArrayBuffer);
    noteMapped(-memory.byteLength);
  }

  close(): void {
    for (const memory of this.mapped) this.unmap(memory);
    this.file.close();
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
