// Servers refuse root. Tests started by root run them as an account without rights; and when that account cannot enter
// the checkout, from a copy of it.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const NOBODY = 65534;

export const isRoot = process.getuid!() === 0;
/** For child_process: who to run as. */
export const account: { uid?: number; gid?: number } = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

const checkout = resolve(import.meta.dirname, '../..');
let program: string | null = null;

function othersCanEnter(folder: string): boolean {
  return (statSync(folder).mode & 0o005) === 0o005 && (folder === '/' || othersCanEnter(dirname(folder)));
}

/** The folder to run things from: this checkout, or a copy that the account can read. */
export function programFolder(): string {
  if (program !== null) return program;
  const copied = process.env['POSTHOUSE_TEST_PROGRAM']; // by tools/test.ts, for all test files
  if (copied) return program = copied;
  if (!isRoot || othersCanEnter(checkout)) return program = checkout;
  const copy = mkdtempSync(join(tmpdir(), 'posthouse-program-'));
  process.once('exit', () => execFileSync('rm', ['-rf', copy]));
  copyProgram(copy);
  return program = copy;
}

/** Whether the account cannot run what lies in this checkout. */
export const needsCopy = (): boolean => isRoot && !othersCanEnter(checkout);

export function copyProgram(to: string): void {
  chmodSync(to, 0o755);
  execFileSync('sh', ['tools/stage.sh', to], { cwd: checkout });
  execFileSync('sh', ['-c', 'cp -rL src test package.json "$0" && chmod -R a+rX "$0"', to], { cwd: checkout });
}

/** A new folder of that account, 0700. */
export function accountFolder(prefix = 'posthouse-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** Gives everything below to the account. */
export function giveToAccount(folder: string): void {
  if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
}
