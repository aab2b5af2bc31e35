// What went wrong: LMDB, as lmdb-js ships it, stored the number of the last commit again at every open; a commit that came
// meanwhile was undone by the next one, though it had been acknowledged (tools/lmdb.patch).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openWritableStore } from '../../src/backend/storage/lmdb.ts';

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
