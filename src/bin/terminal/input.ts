// Lines of a script, of standard input, or from the keyboard.
import { appendFileSync, closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { pset } from './settings.ts';
import { getVariable } from './variables.ts';

export interface LineSource {
  readonly interactive: boolean;
  /** The next line without its end; null: there are no more. */
  next(prompt: string): Promise<string | null>;
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

  async next(): Promise<string | null> {
    const bytes = this.nextBytes();
    if (bytes === null) return null;
    let line = bytes.toString('utf8');
    if (line.endsWith('\n')) line = line.slice(0, -1);
    if (this.first && line.startsWith('\ufeff')) line = line.slice(1);
    this.first = false;
    return line;
  }

  close(): void {
    if (this.fd > 2) closeSync(this.fd);
  }
}

export const historyFile = (): string => getVariable('HISTFILE') ?? process.env['PSQL_HISTORY'] ?? `${process.env['HOME'] || homedir()}/.psql_history`;

/** The keyboard, with history and completion. */
export class Terminal implements LineSource {
  readonly interactive = true;
  /** Given the text before the cursor: what may stand there. Set by the completion. */
  static completer: ((line: string) => Promise<[string[], string]>) | null = null;
  /** Lines taken back, oldest first. */
  readonly history: string[] = [];
  private readonly lines: Interface;
  private waiting: ((line: string | null) => void) | null = null;
  private readonly queue: string[] = [];
  private closed = false;
  /** Ctrl-C while a line is being typed. */
  onInterrupt: () => void = () => {};

  constructor() {
    try {
      this.history.push(...readFileSync(historyFile(), 'utf8').split('\n').filter((l) => l !== '').map((l) => l.replaceAll('\x01', '\n')));
    } catch { /* none yet */ }
    this.lines = createInterface({
      input: process.stdin, output: process.stdout, terminal: true, historySize: Math.max(0, pset.historySize), history: this.history.toReversed(),
      completer: (line: string, callback: (error: Error | null, result: [string[], string]) => void) => {
        if (Terminal.completer === null) callback(null, [[], line]);
        else Terminal.completer(line).then((result) => callback(null, result), () => callback(null, [[], line]));
      },
    });
    this.lines.on('line', (line) => this.give(line));
    this.lines.on('close', () => {
      this.closed = true;
      this.waiting?.(null);
    });
    this.lines.on('SIGINT', () => this.onInterrupt());
  }

  private give(line: string): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting === null) this.queue.push(line);
    else waiting(line);
  }

  next(prompt: string): Promise<string | null> {
    const queued = this.queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.lines.setPrompt(prompt);
      this.lines.resume();
      this.lines.prompt();
    });
  }

  /** The line being typed is given up. */
  abandon(): void {
    process.stdout.write('^C\n');
    (this.lines as unknown as { line: string; cursor: number }).line = '';
    (this.lines as unknown as { line: string; cursor: number }).cursor = 0;
    this.give('\x03');
  }

  /** While something else has the terminal (an editor, a pager). */
  pause(): void {
    this.lines.pause();
  }

  remember(text: string): void {
    const control = pset.historyControl;
    if (text === '' || ((control === 'ignorespace' || control === 'ignoreboth') && text.startsWith(' '))) return;
    if ((control === 'ignoredups' || control === 'ignoreboth') && this.history.at(-1) === text) return;
    this.history.push(text);
    const lines = this.lines as unknown as { history: string[] };
    // Readline has put in the lines one by one; a statement of several is one entry.
    if (text.includes('\n')) lines.history.splice(0, text.split('\n').length, text.replaceAll('\n', ' '));
  }

  save(): void {
    const limit = pset.historySize;
    const kept = limit >= 0 ? this.history.slice(-limit || this.history.length) : this.history;
    try {
      writeFileSync(historyFile(), kept.map((l) => `${l.replaceAll('\n', '\x01')}\n`).join(''), { mode: 0o600 });
    } catch { /* no history, then */ }
  }

  close(): void {
    this.lines.close();
  }
}

/** Where statements come from at the moment; \i and the like set it for a while. */
export const current: { source: LineSource | null; terminal: Terminal | null; log: (text: string) => void } = {
  source: null, terminal: null, log: (text) => { if (pset.logFile !== null) appendFileSync(pset.logFile, text); },
};
