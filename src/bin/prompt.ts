// Questions on the terminal: /dev/tty where there is one, so that a password can be given although standard input is a file.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Loaded when there is something to run. */
export const childProcess = (): typeof import('node:child_process') => process.getBuiltinModule('node:child_process');

/** Ctrl-C instead of an answer; programs that do not answer signals have ended by then. */
export class Interrupted extends Error {}

function terminal(): { input: number; output: number; isTty: boolean } {
  try {
    const tty = openSync('/dev/tty', 'r+');
    return { input: tty, output: tty, isTty: true };
  } catch {
    return { input: 0, output: 2, isTty: false };
  }
}

/** Asks for a line without showing what is typed. */
export async function readPassword(prompt: string): Promise<string> {
  return ask(prompt, false);
}

/** Asks for a line. */
export async function readLine(prompt: string): Promise<string> {
  return ask(prompt, true);
}

/** Asks until the answer is y or n; the end of input is a no. */
export async function askYesNo(question: string): Promise<boolean> {
  for (;;) {
    const answer = ask(`${question} (y/n) `, true);
    if (answer === 'y') return true;
    if (answer === 'n' || ended) return false;
    writeSync(1, 'Please answer "y" or "n".\n');
  }
}

/** Nothing more can be read. */
let ended = false;

/** A child of ours reads, for a process that waits for a line hears no signals; it leaves the terminal as it was, and asks when it can be interrupted. */
const READER = 'saved=$(stty -g); trap \'stty "$saved"; exit 130\' INT TERM HUP; [ "$1" = echo ] || stty -echo; printf %s "$2" >&0; IFS= read -r line; stty "$saved"; printf %s "$line"';

function ask(prompt: string, echo: boolean): string {
  const { input, output, isTty } = terminal();
  try {
    if (!isTty) {
      writeSync(output, prompt);
      const line = readTextLine(input);
      if (!echo) writeSync(output, '\n');
      return line;
    }
    const { status, stdout } = childProcess().spawnSync('/bin/sh', ['-c', READER, 'sh', echo ? 'echo' : '', prompt], { stdio: [input, 'pipe', 'ignore'], encoding: 'utf8' });
    if (!echo || status !== 0) writeSync(output, '\n');
    if (status !== 0) throw new Interrupted('canceled by user');
    return stdout.replace(/\r$/, '');
  } finally {
    if (isTty) closeSync(input);
  }
}

/** Who has already read from standard input gives its lines out (psql, when its script comes from there). */
export const standardInput: { line: (() => Buffer | null) | null } = { line: null };

function readTextLine(fd: number): string {
  if (fd === 0 && standardInput.line !== null) {
    const line = standardInput.line();
    ended = line === null;
    return (line ?? '').toString('utf8').replace(/\r?\n$/, '');
  }
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (!(ended = readSync(fd, one, 0, 1, null) !== 1) && one[0] !== 10) bytes.push(one[0]!);
  return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
}
