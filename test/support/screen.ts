// A program at a pseudo-terminal, and what stands on its screen.
import { spawn, type IPty } from 'node-pty';

export interface ScreenOptions {
  env: Readonly<Record<string, string>>;
  columns?: number;
  rows?: number;
  /** What the program says when it waits for something to do, for `ask`. */
  prompt?: string;
  /** How long a text may take to come. */
  limitMs?: number;
}

/** `until` waits for a text behind the last one found. */
export class Screen {
  private readonly pty: IPty;
  private readonly prompt: string;
  private readonly limitMs: number;
  private found = 0;
  private look: (() => void) | null = null;
  /** All that was written, without what only moves the cursor or colours; and as it came. */
  text = '';
  raw = '';
  readonly exit: Promise<number>;

  constructor(program: string, args: readonly string[], { env, columns = 80, rows = 24, prompt = '', limitMs = 15_000 }: ScreenOptions) {
    this.prompt = prompt;
    this.limitMs = limitMs;
    this.pty = spawn(program, [...args], { cols: columns, rows, env: { PATH: process.env['PATH']!, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env } });
    this.pty.onData((data) => {
      this.raw += data;
      // oxlint-disable-next-line no-control-regex -- what moves the cursor is no text
      this.text += data.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '');
      this.look?.();
    });
    this.exit = new Promise((done) => { this.pty.onExit(({ exitCode }) => done(exitCode)); });
  }

  resize(columns: number, rows: number): void { this.pty.resize(columns, rows); }
  type(text: string): void { this.pty.write(text); }

  until(wanted: string): Promise<void> {
    return new Promise((done, failed) => {
      const limit = setTimeout(() => {
        this.pty.kill();
        failed(new Error(`"${wanted}" does not come:\n${this.text.slice(this.found)}`));
      }, this.limitMs);
      this.look = () => {
        const at = this.text.indexOf(wanted, this.found);
        if (at < 0) return;
        this.found = at + wanted.length;
        this.look = null;
        clearTimeout(limit);
        done();
      };
      this.look();
    });
  }

  /** Types a line and waits for what it gives. */
  async line(text: string, answer: string): Promise<void> {
    this.type(`${text}\r`);
    await this.until(answer);
  }

  /** The same, up to the next prompt. */
  async ask(text: string, ...answers: readonly string[]): Promise<void> {
    this.type(`${text}\r`);
    for (const answer of answers) await this.until(answer);
    await this.until(this.prompt);
  }

  /** Ctrl-D: the exit code. */
  end(): Promise<number> {
    this.type('\x04');
    return this.exit;
  }
}
