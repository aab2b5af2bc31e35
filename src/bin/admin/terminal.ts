// What commands show: tables and colours on a terminal, plain text in a pipe; questions; progress.
import { writeSync } from 'node:fs';
import { readLine } from '../prompt.ts';

const onTerminal = (fd: 1 | 2): boolean => (fd === 1 ? process.stdout : process.stderr).isTTY === true;
const coloured = onTerminal(1) && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, grey: 90 } as const;
export type Colour = keyof typeof COLOURS;

export const paint = (colour: Colour, text: string): string => (coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text);

export function say(text: string): void {
  writeSync(1, `${text}\n`);
}

/** What is no part of the answer. */
export function note(text: string): void {
  writeSync(2, `posthouse: ${text}\n`);
}

/** The end of the command: what went wrong, and what to do next. */
export class Failure extends Error {
  readonly hint: string | undefined;
  readonly code: number;
  constructor(message: string, hint?: string, code = 1) {
    super(message);
    this.hint = hint;
    this.code = code;
  }
}
/** Exit codes that scripts can use. */
export const USAGE = 2, NOT_RUNNING = 3, NO_SUCH_SITE = 4;

// eslint-disable-next-line no-control-regex
const width = (text: string): number => text.replace(/\x1b\[\d+m/g, '').length;

/** Columns in line; a pipe gets tabs and no heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): void {
  if (!onTerminal(1)) {
    for (const row of rows) say(row.join('\t'));
    return;
  }
  const widths = heading.map((h, i) => Math.max(width(h), ...rows.map((row) => width(row[i] ?? ''))));
  const line = (cells: readonly string[]): string => cells.map((cell, i) => {
    const fill = ' '.repeat(widths[i]! - width(cell));
    return right.includes(i) ? fill + cell : cell + fill;
  }).join('  ').trimEnd();
  say(line(heading.map((h) => paint('bold', h))));
  for (const row of rows) say(line(row));
}

export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes, unit = 0;
  for (; value >= 10000 && unit < units.length - 1; unit++) value /= 1024;
  return `${Math.round(value)} ${units[unit]}`;
}

/** A line that is written over, on a terminal only; the function ends it. */
export function progress(what: string): { at: (done: string) => void; end: (word: string) => void } {
  const shown = onTerminal(2);
  if (shown) writeSync(2, `${what} ...`);
  let last = 0;
  return {
    at: (done) => {
      const now = Date.now();
      if (!shown || now - last < 100) return;
      last = now;
      writeSync(2, `\r\x1b[K${what} ... ${done}`);
    },
    end: (word) => { if (shown) writeSync(2, `\r\x1b[K${word === '' ? '' : `${what} ... ${word}\n`}`); },
  };
}

/** Whether the person at the terminal wants it. */
export async function confirm(question: string): Promise<boolean> {
  if (!onTerminal(1) && process.stdin.isTTY !== true) {
    throw new Failure(`${question.replace(/\?$/, '')}: nobody to ask`, 'Give --yes to do it without a question.', USAGE);
  }
  return /^y(es)?$/i.test((await readLine(`${question} [y/N] `)).trim());
}
