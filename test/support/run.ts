// What the test files of one run share: a folder that tools/test.ts makes and removes, in which things are made once
// (a site to copy), by whichever file needs them first. A test file that is run alone makes a folder for itself.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | null = null;

/** The folder of this run; whoever starts it removes it. */
export function runFolder(): string {
  if (folder !== null) return folder;
  const given = process.env['POSTHOUSE_TEST_RUN'];
  if (given) return folder = given;
  const made = mkdtempSync(join(tmpdir(), 'posthouse-run-'));
  chmodSync(made, 0o755);
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  return folder = made;
}

/** The path of something in the run's folder that `make` makes, once for all test files; others wait for it. */
export async function once(name: string, make: (path: string) => void | Promise<void>): Promise<string> {
  const base = runFolder(), path = join(base, name), failed = `${path}.failed`;
  if (existsSync(path)) return path;
  try {
    mkdirSync(`${path}.making`);
  } catch {
    await new Promise<void>((done) => {
      const watcher = watch(base, look);
      function look(): void {
        if (!existsSync(path) && !existsSync(failed)) return;
        watcher.close();
        done();
      }
      look();
    });
    if (existsSync(failed)) throw new Error(`${name} could not be made: ${readFileSync(failed, 'utf8')}`);
    return path;
  }
  try {
    await make(`${path}.new`);
  } catch (error) {
    writeFileSync(failed, String(error));
    throw error;
  }
  renameSync(`${path}.new`, path);
  return path;
}

export async function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => found(port));
    });
  });
}

export interface ProcessInfo { pid: number; parent: number; state: string; title: string }

/** What /proc tells of a process; undefined when it is gone. */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'), rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    return { pid, parent: Number(rest[1]), state: rest[0]!, title };
  } catch {
    return undefined;
  }
}

/** All processes below this one, children of children too. */
export function descendants(pid: number): ProcessInfo[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => processInfo(Number(name)))
    .filter((info): info is ProcessInfo => info !== undefined);
  const found: ProcessInfo[] = [], parents = new Set([pid]);
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const info of all) {
      if (!parents.has(info.parent) || parents.has(info.pid)) continue;
      parents.add(info.pid);
      found.push(info);
    }
  }
  return found;
}

/** Whether it is there and no zombie. */
export const isRunning = (pid: number): boolean => {
  const info = processInfo(pid);
  return info !== undefined && info.state !== 'Z';
};

/** Asks until the answer is true; for things that give no event. Fails after `limitMs`. */
export async function until(what: string, answer: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!await answer()) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((wake) => { setTimeout(wake, 5); });
  }
}
