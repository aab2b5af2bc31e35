// Runs a piece of code in a process that may fork: with the flags of the postmaster. What it prints comes back.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const FORKING_FLAGS = ['--single-threaded', '--v8-pool-size=0', '--disable-sigusr1'];

export function runForking(code: string): string {
  const portPath = fileURLToPath(new URL('../../src/port/port.ts', import.meta.url));
  const text = `import { port } from ${JSON.stringify(portPath)};
    import { readFileSync, writeSync } from 'node:fs';
    const print = (...words) => writeSync(1, words.join(' ') + '\\n');
    ${code}`;
  return execFileSync(process.execPath, [...FORKING_FLAGS, '--input-type=module', '--eval', text],
    { encoding: 'utf8', timeout: 100_000 });
}
