// COPY's data: from the script or the keyboard to the server, and back (handleCopyIn, handleCopyOut of copy.c).
import type { Readable, Writable } from 'node:stream';
import { ConditionalStack } from './conditional.ts';
import { current, FileSource, INTERRUPTED } from './input.ts';
import { stdout, toBytes, type Sink } from './output.ts';
import { Progress } from './progress.ts';
import { promptText } from './prompt.ts';
import { pset } from './settings.ts';

const CHUNK_BYTES = 1 << 16;

/** Where \copy reads instead of the script: pieces of whole lines (or of anything, when binary); null: the end. */
export interface CopyFile { nextLines(): Buffer | null | Promise<Buffer | null> }
export const copySource: { file: CopyFile | null; binary: boolean; totalBytes: number | null } = { file: null, binary: false, totalBytes: null };

type CopyIn = Writable & { fail: (reason: string) => void };

async function push(stream: Writable, bytes: Buffer): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

/** Where the line "\." begins in whole lines; -1: nowhere. */
function endMark(lines: Buffer): number {
  for (let at = lines.indexOf('\\.'); at >= 0; at = lines.indexOf('\\.', at + 1)) {
    if (at > 0 && lines[at - 1] !== 10) continue;
    const end = at + 2 + (lines[at + 2] === 13 ? 1 : 0);
    if (end >= lines.length || lines[end] === 10) return at;
  }
  return -1;
}

async function copyFile(stream: CopyIn, file: CopyFile): Promise<void> {
  const progress = new Progress(copySource.totalBytes);
  for (;;) {
    const lines = await file.nextLines();
    // The server may have refused it meanwhile.
    if (lines === null || stream.destroyed) break;
    const end = copySource.binary ? -1 : endMark(lines);
    await push(stream, end < 0 ? lines : lines.subarray(0, end));
    progress.add(lines.length);
    if (end >= 0) break;
  }
  progress.end();
  stream.end();
}

/** Lines up to "\." or the end. What the server thinks of them comes later. */
export async function copyDataIn(stream: CopyIn): Promise<void> {
  stream.on('error', () => {});
  if (copySource.file !== null) return copyFile(stream, copySource.file);
  const { source } = current;
  if (source === null) {
    stream.fail('no data');
    return;
  }
  if (source.interactive && !pset.quiet) {
    stdout.write('Enter data to be copied followed by a newline.\nEnd with a backslash and a period on a line by itself, or an EOF signal.\n');
    stdout.flush();
  }
  let parts: Buffer[] = [], bytes = 0;
  for (;;) {
    let line: Buffer | null;
    if (source instanceof FileSource) line = source.nextBytes();
    else {
      const text = await source.next(source.interactive ? promptText('copy', new ConditionalStack()) : '');
      if (text === INTERRUPTED) {
        stream.fail('canceled by user');
        return;
      }
      line = text === null ? null : toBytes(`${text}\n`);
    }
    if (line === null) break;
    pset.lineNumber++;
    if (line.length <= 4 && line[0] === 0x5c && /^\\\.\r?\n?$/.test(line.toString('latin1'))) break;
    parts.push(line);
    bytes += line.length;
    if (bytes < CHUNK_BYTES) continue;
    await push(stream, Buffer.concat(parts));
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) await push(stream, Buffer.concat(parts));
  stream.end();
}

export async function copyDataOut(stream: Readable, out: Sink | null): Promise<void> {
  const progress = pset.copyTarget !== null && !pset.copyTarget.isStdout ? new Progress(null) : null;
  try {
    for await (const piece of stream) {
      out?.write(piece as Buffer);
      progress?.add((piece as Buffer).length);
    }
  } finally {
    progress?.end();
  }
}
