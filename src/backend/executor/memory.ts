// How much memory a statement's own state may take. Sorts and stores go to temporary files beyond work_mem; hash
// tables, which have no such way out, may grow to a multiple of it and then the statement fails alone.
import { PgError } from '../../common/errors.ts';
import { getInt } from '../utils/guc.ts';

const HASH_TABLE_LIMIT_BYTES = 1024 * 1024 * 1024;

/** work_mem in bytes. */
export function workMemBytes(): number {
  return getInt('work_mem') * 1024;
}

/** 53200 when a hash table of this size is too much. */
export function configurationLimit(bytes: number, what: string): void {
  if (bytes > HASH_TABLE_LIMIT_BYTES) {
    throw new PgError('out_of_memory', 'out of memory', { detail: `Failed on request of size ${bytes} for a ${what}.` });
  }
}
