// What went wrong: LMDB, as lmdb-js ships it, stored the number of the last commit again at every open; a commit that came
// meanwhile was undone by the next one, though it had been acknowledged (tools/lmdb.patch).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { runForking } from '../port/forking.ts';

const ROUNDS = 10_000;
const key = Buffer.from('0000000500000000', 'hex');
const opener = `
  import { openStore } from ${JSON.stringify(new URL('../../src/backend/storage/lmdb.ts', import.meta.url).href)};
  for (;;) { openStore(process.argv[1]).close(); await new Promise((done) => setImmediate(done)); process.stdout.write('.'); }`;

test('environments are opened while another process commits: nothing is undone', async (t) => {
  t.timeout(60_000);
  const path = mkdtempSync(join(tmpdir(), 'posthouse-'));
  const store = openWritableStore(path, false);
  const openers = [0, 1].map(() => spawn(process.execPath, ['--input-type=module', '-e', opener, path], { stdio: ['ignore', 'pipe', 'inherit'] }));
  try {
    await Promise.all(openers.map(async (child) => new Promise((done) => child.stdout.once('data', done))));
    for (const child of openers) child.stdout.resume();
    let undone = 0;
    for (let i = 1; i <= ROUNDS; i++) {
      store.write((batch) => {
        const stored = batch.get(key, 8)?.readUInt32LE(0) ?? 0;
        if (stored !== i - 1) undone++;
        const value = Buffer.alloc(4);
        value.writeUInt32LE(i);
        batch.put(key, value);
      });
    }
    t.is(undone, 0);
  } finally {
    for (const child of openers) child.kill('SIGKILL');
    store.close();
    rmSync(path, { recursive: true });
  }
});

// Who came while another finished unpacking a database was told that there was none, or that its file had 0 hard links: a first
// connection that failed, seldom, when another one was made at the same time.
test('a packed database is unpacked by one of those who come at once, and opened by all', (t) => {
  t.timeout(100_000);
  const path = mkdtempSync(join(tmpdir(), 'posthouse-')), source = (name: string): string => JSON.stringify(new URL(`../../src/backend/storage/${name}`, import.meta.url).href);
  openWritableStore(path, false).close();
  const failed = runForking(`
    import { rmSync, writeFileSync } from 'node:fs';
    import { openStore } from ${source('lmdb.ts')};
    import { packEnvironment } from ${source('packed.ts')};
    const folder = ${JSON.stringify(path)}, starts = new Int32Array(port.sharedMemory(4)), spin = () => { for (const until = performance.now() + Math.random(); performance.now() < until;); };
    packEnvironment(folder);
    const packed = readFileSync(folder + '/data.mdb.zst'), failures = new Map();
    for (let round = 0; round < 100; round++) {
      for (const name of ['data.mdb', 'lock.mdb', 'journal.mdb']) rmSync(folder + '/' + name, { force: true });
      writeFileSync(folder + '/data.mdb.zst', packed, { mode: 0o600 });
      starts[0] = 0;
      for (let child = 0; child < 5; child++) {
        if (port.fork(false) !== 0) continue;
        while (Atomics.load(starts, 0) === 0) port.poll(new Int32Array(0), new Int16Array(0), new Int16Array(0), 0, 0);
        spin();
        try { openStore(folder); } catch (error) { print(error.message); }
        port._exit(0);
      }
      starts[0] = 1;
      for (let left = 5; left > 0;) if (port.waitpid()[0] > 0) left--; else port.poll(new Int32Array(0), new Int16Array(0), new Int16Array(0), 0, 1);
    }`);
  rmSync(path, { recursive: true });
  t.is(failed, '');
});
