// Long output goes through a pager when somebody sits there (PageOutput of print.c).
import type { ChildProcess } from 'node:child_process';
import { pset } from './settings.ts';
import { textWidth } from './mbprint.ts';
import { stdout, toBytes, type Sink } from './output.ts';
import { runShell, startShell } from './shell.ts';
import type { TableOptions } from './print_options.ts';

/** Whether somebody sits there who wants long output paged. */
export const mayBePaged = (options: Pick<TableOptions, 'pager'>, out: Sink): boolean => out === stdout && !pset.notTty && options.pager !== 0 && process.stdout.isTTY;

export function pageOut(text: string, options: Pick<TableOptions, 'pager' | 'pagerMinLines'>, out: Sink): void {
  if (!mayBePaged(options, out)) {
    out.write(text);
    return;
  }
  const screen = process.stdout.rows ?? 0;
  const lines = text.split('\n').length - 1, columns = process.stdout.columns;
  const long = lines >= screen && lines >= options.pagerMinLines, wide = text.split('\n').some((l) => l.length > columns || textWidth(l) > columns);
  const program = process.env['PSQL_PAGER'] ?? process.env['PAGER'] ?? 'more';
  if (program.trim() === '' || !(options.pager === 2 || long || wide)) {
    out.write(text);
    return;
  }
  stdout.flush();
  runShell(program, { input: toBytes(text), stdio: ['pipe', 'inherit', 'inherit'] });
}

/** One pager for all that \watch prints ($PSQL_WATCH_PAGER), which goes on until it ends; null: none is wanted. */
export function watchPager(): WatchPager | null {
  const program = process.env['PSQL_WATCH_PAGER'] ?? '';
  return program.trim() === '' || pset.notTty || pset.popt.pager === 0 || pset.out !== stdout ? null : new WatchPager(program);
}

class WatchPager implements Sink {
  readonly isStdout = false;
  ended = false;
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;

  constructor(program: string) {
    stdout.flush();
    this.child = startShell(program, 'in');
    this.child.stdin!.on('error', () => { this.ended = true; });
    this.gone = new Promise((resolve) => {
      this.child.on('close', () => {
        this.ended = true;
        resolve();
      });
    });
  }

  write(text: string | Buffer): void { if (!this.ended) this.child.stdin!.write(typeof text === 'string' ? toBytes(text) : text); }
  flush(): void { /* it goes out by itself */ }
  failure(): null { return null; }

  async close(): Promise<null> {
    this.child.stdin!.end();
    await this.gone;
    return null;
  }
}
