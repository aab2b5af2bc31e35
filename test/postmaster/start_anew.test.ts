// A postmaster that has rehearsed and is not needed starts itself anew (idle_restart).
import test, { type ExecutionContext } from 'ava';
import { appendFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { port } from '../../src/port/port.ts';
import { programFolder } from '../support/account.ts';
import { ask, login, makeSiteFolder, serviceManager, startStub, type StartOptions, type StubSite } from './stub_site.ts';

const ANEW = 'nobody is connected: starting anew', READY = 'ready to accept connections', CLIENTS = 200;
/** The postmaster's launcher loads it; it holds signals back over the exec. */
const before = `export LD_PRELOAD=${join(programFolder(), 'dist/port/heap.so')};`;

interface Passed {
  site: StubSite;
  /** How many clients were served of so many at once. */
  wave: (count: number) => Promise<number>;
  port: number;
}

async function start(t: ExecutionContext, options: StartOptions = {}): Promise<Passed> {
  const passed = (port.listenTcp('127.0.0.1', 0, 1000) as number[])[0]!, address = port.socketAddress(passed) as { port: number };
  t.teardown(() => port.close(passed));
  const site = await startStub({ before, ini: 'idle_restart = 1\nmax_connections = 300\n', ...options, env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'tcp', ...options.env }, passed });
  const client = async (): Promise<boolean> => {
    try {
      const { frontend } = await login(address.port), answer = await ask(frontend, 'served');
      frontend.message('X');
      return answer === 'served';
    } catch {
      return false;
    }
  };
  const wave = async (count: number): Promise<number> => (await Promise.all(Array.from({ length: count }, client))).filter(Boolean).length;
  return { site, wave, port: address.port };
}

/** 0: there is no such process. */
function parentOf(pid: number): number {
  try {
    return Number(/\) . (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]);
  } catch {
    return 0;
  }
}

test('the same process, with its sockets and its lock; nobody who connects around it is lost', async (t) => {
  const folder = makeSiteFolder('idle_restart = 1\nmax_connections = 300\n'), notify = `${folder}.notify`, manager = await serviceManager(t, notify);
  const { site, wave, port: number } = await start(t, { folder, env: { NOTIFY_SOCKET: notify, WATCHDOG_USEC: '20000000' } });
  await manager.wait('READY=1');
  manager.forget();
  let { frontend } = await login(number);
  for (let round = 1; round <= 2; round++) {
    // A manager stays behind, and has to leave first.
    const manages = Number(/pid (\d+)/.exec(await ask(frontend, 'manager'))![1]);
    t.is(await wave(CLIENTS), CLIENTS);
    // On a busy machine it may have been idle for a second between two waves as well: counted from here.
    const anews = site.log().split(ANEW).length, readies = site.log().split(READY).length;
    frontend.message('X');
    await site.logged(ANEW, anews);
    // Now between two programs. One of them stays, or it would happen again meanwhile.
    const [served, next] = await Promise.all([wave(CLIENTS), login(number)]);
    t.is(served, CLIENTS);
    ({ frontend } = next);
    await site.logged(READY, readies);
    t.not(parentOf(manages), site.process.pid!); // on a busy machine another process may have its number already
    t.is(Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n', 1)[0]), site.process.pid!);
    const second = await startStub({ folder, waitFor: '' });
    t.is(await second.ended, 1);
    t.regex(second.log(), /lock file "postmaster.pid" already exists/);
  }
  await manager.wait('WATCHDOG=1 STATUS=');
  t.false(/READY=1|STOPPING=1/.test(manager.said()));
  t.is(await site.stop(), 0);
});

// Each of these signals ends a program that has just begun.
test('signals that come between are answered afterwards', async (t) => {
  const { site, wave } = await start(t);
  t.is(await wave(40), 40);
  await site.logged(ANEW);
  const nagging = setInterval(() => { for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGCHLD', 'SIGALRM'] as const) site.process.kill(signal); }, 3);
  await site.logged(READY, 2);
  clearInterval(nagging);
  t.is(await wave(40), 40);
  await site.logged(ANEW, 2);
  site.process.kill('SIGTERM'); // was lost now and then: a thread of the old program's took it
  t.is(await site.ended, 0);
  t.regex(site.log(), /received smart shutdown request/);
  rmSync(site.folder, { recursive: true });
});

test('only the main thread takes signals', async (t) => {
  const { site, wave } = await start(t), tasks = `/proc/${site.process.pid}/task`, TERM = 1 << 14;
  t.is(await wave(40), 40);
  await site.logged(ANEW);
  await site.logged(READY, 2);
  t.is(await wave(40), 40);
  const taking = readdirSync(tasks).filter((id) => (Number.parseInt(/SigBlk:\s*(\w+)/.exec(readFileSync(`${tasks}/${id}/status`, 'utf8'))![1]!, 16) & TERM) === 0);
  t.deepEqual(taking, [String(site.process.pid)]);
  t.is(await site.stop(), 0);
});

test('a site that would not start keeps its postmaster until it is mended', async (t) => {
  const { site, wave } = await start(t), ini = join(site.folder, 'site.ini'), good = readFileSync(ini, 'utf8');
  t.is(await wave(40), 40);
  appendFileSync(ini, 'no_such_setting = 1\n');
  await site.logged('not starting anew: the site would not start');
  t.is(await wave(1), 1);
  await site.logged('not starting anew: the site would not start', 2);
  t.false(site.log().includes(ANEW));
  writeFileSync(ini, good);
  site.process.kill('SIGHUP');
  await site.logged(READY, 2);
  t.is(await wave(1), 1);
  t.is(await site.stop(), 0);
});

test('idle_exit counts from the last session, not from the new start', async (t) => {
  const hourAgo = `$(( $(cut -d . -f 1 /proc/uptime) * 1000 - 3600000 ))`;
  const { site } = await start(t, { ini: 'idle_exit = 30min\n', before: `${before} export POSTHOUSE_ANEW="$$ -1 ${hourAgo}";` });
  t.is(await site.ended, 0);
  t.regex(site.log(), /nobody is connected: shutting down until the next connection/);
  rmSync(site.folder, { recursive: true });
});

test('never when it has not rehearsed, when the sockets are its own, or when it shall not', async (t) => {
  const few = await start(t), forbidden = await start(t, { ini: 'idle_restart = 0\nidle_exit = 2\n' });
  t.is(await few.wave(5), 5);
  t.is(await forbidden.wave(40), 40);
  t.is(await forbidden.site.ended, 0);
  t.false(forbidden.site.log().includes(ANEW) || few.site.log().includes(ANEW));
  t.is(await few.site.stop(), 0);
  rmSync(forbidden.site.folder, { recursive: true });
});
