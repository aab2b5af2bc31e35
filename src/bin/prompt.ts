// Questions on the terminal: /dev/tty where there is one, so that a password can be given although standard input is a file.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

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

function ask(prompt: string, echo: boolean): string {
  const { input, output, isTty } = terminal();
  const stty = (mode: string): void => { if (isTty && !echo) execFileSync('stty', [mode], { stdio: [input, 'ignore', 'ignore'] }); };
  writeSync(output, prompt);
  stty('-echo');
  try {
    return readTextLine(input);
  } finally {
    stty('echo');
    if (!echo) writeSync(output, '\n');
    if (isTty) closeSync(input);
  }
}

function readTextLine(fd: number): string {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  while (readSync(fd, one, 0, 1, null) === 1 && one[0] !== 10) bytes.push(one[0]!);
  return Buffer.from(bytes).toString('utf8').replace(/\r$/, '');
}
