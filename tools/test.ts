// Runs ava on the given test files (or all) and closes with one plain line: "N passed, N failed". The test files share
// one folder, which is removed at the end, with whatever process a test left behind; such a process is a failure. So is a
// run that does not end by itself: TEST_LIMIT minutes (default 25), then it says which tests it waited for, and stops.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyProgram, needsCopy } from '../test/support/account.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthouse-run-'));
chmodSync(folder, 0o755);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.env['POSTHOUSE_TEST_RUN'] = folder;
if (needsCopy()) {
  const program = process.env['POSTHOUSE_TEST_PROGRAM'] = join(folder, 'program');
  mkdirSync(program);
  copyProgram(program);
}
// It looks at what was set above.
const { NOT_INSTALLED, oracleInstalled, startOracle } = await import('../test/support/oracle.ts');
const oracle = oracleInstalled ? await startOracle('fsync = off') : undefined;
if (oracle) process.env['ORACLE'] = `127.0.0.1:${oracle.port}`;
else console.log(NOT_INSTALLED);
const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.js', import.meta.url));
// Nothing that a test leaves behind can hold our own output open: it gets pipes, and nobody waits for their end.
const child = spawn(process.execPath, [ava, ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'pipe'] });

/**
 * Processes that the tests started, or the tests' own: the run's folder is in their environment, or, for those whose title
 * lies where that was, they work in it.
 */
function leftBehind(): number[] {
  const found = (look: () => boolean): boolean => { try { return look(); } catch { return false; } };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== process.pid
    && (found(() => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`POSTHOUSE_TEST_RUN=${folder}\0`)) || found(() => readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`))));
}

let tail = '', passed = 0, line = '';
child.stderr.pipe(process.stderr);
child.stdout.on('data', (data: Buffer) => {
  process.stdout.write(data);
  const text = data.toString('utf8');
  tail = (tail + text).slice(-4000);
  // ava counts what passed only when nothing failed.
  const lines = (line + text).split('\n');
  line = lines.pop()!;
  for (const l of lines) if (/^ *\u2714 /.test(l)) passed++;
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));

const minutes = Number(process.env['TEST_LIMIT'] ?? 25);
let overdue = false;
const limit = setTimeout(() => {
  overdue = true;
  console.log(`the tests have not ended after ${minutes} minutes; these processes are still there:`);
  for (const pid of leftBehind()) console.log(describe(pid));
  child.kill('SIGINT'); // ava names the tests it waits for
  setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
}, minutes * 60_000);

function describe(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'pid=,ppid=,stat=,etime=,wchan=,args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return `${pid} (it was just leaving)`;
  }
}

child.on('exit', (code) => {
  clearTimeout(limit);
  setTimeout(() => { void finish(code); }, 200); // what it wrote last is still in the pipe
});

async function finish(code: number | null): Promise<void> {
  await oracle?.stop();
  const count = (pattern: RegExp): number =>
    [...tail.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
  let failed = count(/^\s*(\d+) (?:tests?|hooks?|known failures?) failed/gm)
    + count(/^\s*(\d+) (?:uncaught exceptions?|unhandled rejections?|tests? files? (?:were|was) not run)/gm);
  if ((code !== 0 || overdue) && failed === 0) failed = 1; // a crash or a time-out has no count of its own
  for (const pid of leftBehind()) {
    console.log(`a test left a process behind: ${describe(pid)}`);
    try {
      process.kill(pid, 'SIGKILL');
      failed++;
    } catch { /* it was just leaving */ }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
