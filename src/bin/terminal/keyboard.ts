// The keyboard: with an editor of our own, or with the terminal's.
import { writeSync } from 'node:fs';
import { History } from './history.ts';
import { INTERRUPTED, type Keyboard } from './input.ts';
import { LineEditor, type Completer, type Judge } from './line_editor.ts';
import { pset } from './settings.ts';

/** The keyboard with an editor, history and completion. */
export class Terminal implements Keyboard {
  readonly interactive = true;
  readonly history = new History();
  private readonly editor: LineEditor;
  /** Lines of a text that have not been asked for yet; null: the end. */
  private readonly queue: (string | null)[] = [];

  constructor(completer: Completer) {
    this.editor = new LineEditor(process.stdin, process.stdout, this.history.entries);
    this.editor.completer = completer;
  }

  async next(prompt: string, judge: Judge | null = null): Promise<string | null> {
    if (this.queue.length === 0) {
      const { kind, text } = await this.editor.read(prompt, judge);
      if (kind === 'interrupted') return INTERRUPTED;
      // The terminal speaks UTF-8; what these bytes mean to the server, client_encoding says.
      if (kind === 'text' || text !== '') this.queue.push(...pset.encoding.decode(Buffer.from(text)).split('\n'));
      if (kind === 'end') this.queue.push(null);
    }
    return this.queue.shift()!;
  }

  /** While a text is typed Ctrl-C is a key. */
  interrupt(): boolean { return false; }
  interject(print: () => void): void { this.editor.interject(print); }

  close(): void { /* the terminal is as it was whenever nothing is read */ }
}

/** A terminal without an editor (--no-readline, TERM=dumb): its own line editing is all there is. */
export class PlainTerminal implements Keyboard {
  readonly interactive: boolean;
  readonly history = null;
  private bytes: Buffer = Buffer.alloc(0);
  private ended = false;
  private done: ((line: string | null) => void) | null = null;

  constructor(interactive: boolean) {
    this.interactive = interactive;
    process.stdin.on('data', (bytes: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      this.look();
    });
    process.stdin.on('end', () => {
      this.ended = true;
      this.look();
    });
    process.stdin.pause();
  }

  private look(): void {
    if (this.done === null) return;
    // A piece without a line end was sent off by Ctrl-D: behind nothing it is the end.
    const end = this.bytes.indexOf(10), { length } = this.bytes;
    if (end >= 0) this.give(pset.encoding.decode(this.bytes.subarray(0, end)), end + 1);
    else if (this.ended) this.give(length === 0 ? null : pset.encoding.decode(this.bytes), length);
  }

  private give(line: string | null, taken: number): void {
    const { done } = this;
    this.bytes = this.bytes.subarray(taken);
    this.done = null;
    process.stdin.pause();
    done!(line);
  }

  next(prompt: string): Promise<string | null> {
    // oxlint-disable-next-line no-control-regex -- marks for readline alone
    if (prompt !== '') writeSync(1, prompt.replace(/[\x01\x02]/g, ''));
    return new Promise((resolve) => {
      this.done = resolve;
      this.look();
      if (this.done !== null) process.stdin.resume();
    });
  }

  /** Ctrl-C gives up the line. */
  interrupt(): boolean {
    if (this.done === null) return false;
    this.bytes = Buffer.alloc(0);
    this.give(INTERRUPTED, 0);
    writeSync(1, '\n');
    return true;
  }

  interject(print: () => void): void { print(); }
  close(): void { process.stdin.pause(); }
}
