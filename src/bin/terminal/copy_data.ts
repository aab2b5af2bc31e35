// COPY's data: from the script or the keyboard to the server, and back (handleCopyIn, handleCopyOut of copy.c).
import type { Readable, Writable } from 'node:stream';
import { FileSource, current } from './input.ts';
import { stdout, type Sink } from './output.ts';
import { pset } from './settings.ts';

const CHUNK_BYTES = 1 << 16;

/** What \copy set instead of the script. */
export const copySource: { file: FileSource | null; binary: boolean } = { file: null, binary: false };

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

/** Lines up to "\." or the end. What the server thinks of them comes later. */
export async function copyDataIn(stream: CopyIn): Promise<void> {
  stream.on('error', () => {});
  const source = copySource.file ?? current.source, interactive = copySource.file === null && current.source?.interactive === true;
  if (source === null || (!(source instanceof FileSource) && !interactive)) {
    stream.fail('no data');
    return;
  }
  if (interactive && !pset.quiet) {
    stdout.write('Enter data to be copied followed by a newline.\nEnd with a backslash and a period on a line by itself, or an EOF signal.\n');
    stdout.flush();
  }
  let parts: Buffer[] = [], bytes = 0;
  for (;;) {
    let line: Buffer | null;
    if (source instanceof FileSource) line = source.nextBytes();
    else {
      const text = await source.next(pset.prompt3);
      line = text === null ? null : Buffer.from(`${text}\n`);
    }
    if (line === null) break;
    if (copySource.file === null) pset.lineNumber++;
    if (!copySource.binary && line.length <= 4 && line[0] === 0x5c && /^\\\.\r?\n?$/.test(line.toString('latin1'))) break;
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
  for await (const piece of stream) out?.write(piece as Buffer);
}
