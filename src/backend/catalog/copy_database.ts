// A database made from another: every entry of its environment, in order, into a new and dense one.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { FOLDER_MODE } from '../../common/site.ts';
import { openWritableStore } from '../storage/lmdb.ts';
import { flushToDisk } from '../storage/packed.ts';
import type { Store } from '../storage/store.ts';

const LOWEST = Buffer.alloc(0);
const BEYOND_ALL = Buffer.alloc(16, 0xff);
/** Entries of one transaction: bounds the memory of copying a large template. */
const BATCH_BYTES = 64 << 20;

/** Copies what `from` shows into a new environment at `path`; durable when it returns. */
export function copyDatabase(from: Store, path: string, onProgress: () => void = () => {}): void {
  mkdirSync(path, { mode: FOLDER_MODE });
  const to = openWritableStore(path);
  try {
    const cursor = from.range(LOWEST, BEYOND_ALL);
    let more = cursor.next();
    while (more) {
      to.write((batch) => {
        for (let bytes = 0; more && bytes < BATCH_BYTES; more = cursor.next()) {
          batch.put(Buffer.from(cursor.key.subarray(0, cursor.keyLength)), Buffer.from(cursor.value.subarray(0, cursor.valueLength)));
          bytes += cursor.keyLength + cursor.valueLength;
        }
      });
      onProgress();
    }
    cursor.close();
  } finally {
    to.close();
  }
  flushToDisk(dirname(path));
}
