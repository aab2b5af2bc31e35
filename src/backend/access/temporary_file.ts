// Temporary files below the site's tmp/. A file has no name any more once it is open, so nothing is left of it whatever
// happens to the process. What is written counts for temp_file_limit, and log_temp_files says what is put into the log.
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { log } from '../utils/elog.ts';
import { getInt } from '../utils/guc.ts';
import { session } from '../utils/session.ts';

export const temporaryFiles = {
  /** Where they go. */
  directory: '/tmp',
};

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
    total -= this.bytes;
    const limit = getInt('log_temp_files');
    if (limit >= 0 && this.bytes >= limit * 1024) log('LOG', `temporary file: path "tmp/${this.name}", size ${this.bytes}`);
    this.bytes = 0;
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
