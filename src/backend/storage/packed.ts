// A database that nobody has opened yet lies packed: data.mdb.zst instead of data.mdb, an eighth of its size. Whoever opens its
// environment first unpacks it. So a new site is small, and stays so as long as only some of its databases are used.
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { zlib } from '../../common/builtin.ts';
import { openSiteFile } from '../../common/site.ts';
import { waitForLock } from '../../port/port.ts';

const DATA = 'data.mdb', JOURNAL = 'journal.mdb', LOCK = 'lock.mdb', PACKED = 'data.mdb.zst';
/** A tenth smaller than by the usual level, in 0.1 s. */
const PACKING_LEVEL = 9;

function write(path: string, bytes: Uint8Array): void {
  const fd = openSiteFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC);
  try {
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a file, or the names of a folder, which files flushed do not make durable. */
export function flushToDisk(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Packs the environment in this folder, which nobody has open. */
export function packEnvironment(folder: string): void {
  write(`${folder}/${PACKED}.new`, zlib().zstdCompressSync(readFileSync(`${folder}/${DATA}`), { params: { [zlib().constants.ZSTD_c_compressionLevel]: PACKING_LEVEL } }));
  renameSync(`${folder}/${PACKED}.new`, `${folder}/${PACKED}`);
  for (const name of [DATA, JOURNAL, LOCK]) rmSync(`${folder}/${name}`, { force: true });
}

/** Before an environment is opened, packed or not. Several processes may come at once: one unpacks, the others wait. */
export function unpackEnvironment(folder: string): void {
  const there = (): boolean => existsSync(`${folder}/${DATA}`);
  if (there()) return;
  let fd: number;
  try {
    fd = openSiteFile(`${folder}/${PACKED}`);
  } catch (error) {
    // Somebody has just unpacked it (and removed the file under our hands: it has no link any more), or it never was.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || there()) return;
    throw error;
  }
  try {
    waitForLock(fd);
    if (there()) return;
    write(`${folder}/${DATA}.new`, zlib().zstdDecompressSync(readFileSync(fd)));
    renameSync(`${folder}/${DATA}.new`, `${folder}/${DATA}`);
    flushToDisk(folder);
    rmSync(`${folder}/${PACKED}`);
  } finally {
    closeSync(fd);
  }
}

/** Copies the environment in a folder as it is on the disk, to be opened there (tools that work on a copy). */
export function copyEnvironment(from: string, to: string): void {
  const names = existsSync(`${from}/${DATA}`) ? [DATA, JOURNAL] : [PACKED];
  for (const name of names) {
    if (existsSync(`${from}/${name}`)) copyFileSync(`${from}/${name}`, `${to}/${name}`, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
}
