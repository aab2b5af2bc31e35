// Where lines come from: scripts and standard input; the keyboard is in keyboard.ts.
import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import type { Judge } from './line_editor.ts';
import { standardInput } from '../prompt.ts';
import { pset } from './settings.ts';

export interface LineSource {
  readonly interactive: boolean;
  /** The next line without its end; null: there are no more. A judge tells an editor when a text of several lines may go. */
  next(prompt: string, judge?: Judge | null): Promise<string | null>;
  close(): void;
}

/** A file descriptor, read as it is needed: what stands behind a command may be meant for somebody else. */
export class FileSource implements LineSource {
  readonly interactive = false;
  private readonly fd: number;
  private buffer = Buffer.alloc(0);
  private ended = false;
  private first = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  private static standard: FileSource | null = null;
  /** One for all: the script, answers to questions where there is no terminal, and COPY's data from pstdin. */
  static standardInput(): FileSource {
    if (FileSource.standard === null) {
      const source = FileSource.standard = new FileSource(0);
      standardInput.line = () => source.nextBytes();
    }
    return FileSource.standard;
  }

  static open(path: string): FileSource {
    return new FileSource(openSync(path, 'r'));
  }

  private fill(): boolean {
    const piece = Buffer.allocUnsafe(65536);
    for (;;) {
      try {
        const n = readSync(this.fd, piece, 0, piece.length, null);
        if (n === 0) return false;
        this.buffer = Buffer.concat([this.buffer, piece.subarray(0, n)]);
        return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF') return false;
        if (code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  /** With its line end, as bytes: COPY data. */
  nextBytes(): Buffer | null {
    let from = 0;
    for (;;) {
      const end = this.buffer.indexOf(10, from);
      if (end >= 0) {
        const line = this.buffer.subarray(0, end + 1);
        this.buffer = this.buffer.subarray(end + 1);
        return line;
      }
      from = this.buffer.length;
      if (this.ended || !this.fill()) {
        this.ended = true;
        const line = this.buffer;
        this.buffer = Buffer.alloc(0);
        return line.length === 0 ? null : line;
      }
    }
  }

  /** All whole lines that are at hand, at least one; without an end only the last. */
  nextLines(): Buffer | null {
    for (;;) {
      const end = this.buffer.lastIndexOf(10) + 1, whole = end > 0 ? end : this.ended ? this.buffer.length : 0;
      if (whole > 0) {
        const lines = this.buffer.subarray(0, whole);
        this.buffer = this.buffer.subarray(whole);
        return lines;
      }
      if (this.ended) return null;
      if (!this.fill()) this.ended = true;
    }
  }

  async next(): Promise<string | null> {
    const bytes = this.nextBytes();
    if (bytes === null) return null;
    let line = pset.encoding.decode(bytes);
    if (line.endsWith('\n')) line = line.slice(0, -1);
    if (this.first && pset.encoding.name === 'UTF8' && line.startsWith('\ufeff')) line = line.slice(1);
    this.first = false;
    return line;
  }

  close(): void {
    if (this.fd > 2) closeSync(this.fd);
  }
}

/** What a line is when Ctrl-C was pressed instead. */
export const INTERRUPTED = '\x03';

/** Somebody who sits there (keyboard.ts). */
export interface Keyboard extends LineSource {
  /** Statements typed, oldest first; null: it keeps none. */
  readonly history: { entries: readonly string[]; add(text: string): void; save(): void } | null;
  /** Ctrl-C came as a signal: true when it gives up a line. */
  interrupt(): boolean;
  /** Prints above what is being typed. */
  interject(print: () => void): void;
}

/** Where statements come from at the moment; \i and the like set it for a while. */
export const current: { source: LineSource | null; terminal: Keyboard | null; log: (text: string) => void } = {
  source: null, terminal: null, log: (text) => {
    if (pset.logFile === null) return;
    try {
      appendFileSync(pset.logFile, text);
    } catch { /* a log that takes no more keeps nobody from working */ }
  },
};
