// Real processes for tests and benchmarks: a small parent that forks managers as the postmaster does, and backends
// that each run a piece of code. Started with the flags of the postmaster; the folder is a site with nothing in it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FLAGS = ['--single-threaded', '--v8-pool-size=0', '--disable-sigusr1'];
const at = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

const PRELUDE = `
  import { port } from ${at('../../src/port/port.ts')};
  import { writeSync } from 'node:fs';
  import { managerMain } from ${at('../../src/backend/transaction/manager.ts')};
  import { client, ManagerClient } from ${at('../../src/backend/transaction/client.ts')};
  import { openStore, openWritableStore } from ${at('../../src/backend/storage/lmdb.ts')};
  import { setConfigOption } from ${at('../../src/backend/utils/guc.ts')};
  import { session } from ${at('../../src/backend/utils/session.ts')};
  import { settings } from ${at('../../src/backend/utils/settings.ts')};
  import { installBackendSignals } from ${at('../../src/backend/utils/interrupts.ts')};
  import * as help from ${at('./helpers.ts')};
  const print = (...words) => writeSync(1, words.join(' ') + '\\n');
  const sleep = (ms) => { port.poll(new Int32Array(1), new Int16Array(1), new Int16Array(1), 0, ms); };
  const shared = new Int32Array(port.sharedMemory(4096));
  const DATABASE = 5;
  session.databaseOid = DATABASE;
  const listening = port.listenUnix('tmp/postmaster.sock', 0o600, 100);
  let managerPid = 0, managersForked = 0;
  const children = new Map();
  /** Forks a child that runs this and ends; what it throws is printed. */
  function backend(work) {
    const pid = port.fork(false);
    if (pid !== 0) { children.set(pid, work); return pid; }
    port.close(listening);
    installBackendSignals();
    session.pid = port.getpid();
    try { work(); port._exit(0); } catch (error) { print('FAILED', error.stack); port._exit(1); }
  }
  function startManager() {
    const pid = port.fork(false);
    if (pid === 0) { port.close(listening); managerMain(DATABASE); }
    managerPid = pid;
    managersForked++;
  }
  /** What the postmaster does, until it is told to stop: forks managers, reaps children. */
  function serve(until, every = () => {}) {
    const fds = new Int32Array([listening]), events = new Int16Array([1]), revents = new Int16Array(1);
    while (!until()) {
      every();
      for (let ended; (ended = port.waitpid())[0] > 0;) {
        if (ended[0] === managerPid) managerPid = 0;
        children.delete(ended[0]);
      }
      if (port.poll(fds, events, revents, 1, 5) <= 0) continue;
      const fd = port.accept(listening);
      if (fd < 0) continue;
      port.setBlocking(fd, true);
      const question = Buffer.alloc(64);
      const length = port.recv(fd, question, 0, 64, false);
      if (length > 0) {
        for (let ended; (ended = port.waitpid())[0] > 0;) { if (ended[0] === managerPid) managerPid = 0; children.delete(ended[0]); }
        if (managerPid === 0) startManager();
        port.send(fd, Buffer.from('ok\\n'), 0, 3);
      }
      port.close(fd);
    }
  }
  function finish() {
    if (managerPid !== 0) { port.kill(managerPid, 15); while (port.waitpid()[0] !== managerPid) sleep(2); }
    port._exit(0);
  }
`;

/** Runs code in such a site; what it prints. */
export function runInSite(code: string, timeoutMs = 120_000): string {
  const site = mkdtempSync(join(tmpdir(), 'manager-'));
  try {
    mkdirSync(join(site, 'tmp'));
    mkdirSync(join(site, 'base/5'), { recursive: true });
    const run = spawnSync(process.execPath, [...FLAGS, '--input-type=module', '--eval', PRELUDE + code],
      { cwd: site, encoding: 'utf8', timeout: timeoutMs, killSignal: 'SIGKILL' });
    if (run.status !== 0 || run.stderr !== '') return `${run.stdout}status ${run.status}, signal ${run.signal}, ${run.error?.message ?? ''}\n${run.stderr}`;
    return run.stdout;
  } finally {
    rmSync(site, { recursive: true });
  }
}
