import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openStore, openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { ValueBuffer, type Store, type WritableStore } from '../../src/backend/storage/store.ts';

const key = (filenode: number, block: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(filenode, 0);
  bytes.writeUInt32BE(block, 4);
  return bytes;
};
const put = (store: WritableStore, block: number, byte: number, length = 100) => store.write((b) => b.put(key(5, block), Buffer.alloc(length, byte)));
const value = new ValueBuffer(64);
const byteAt = (store: Store, block: number): number => (store.getBlock(5, block, value) < 0 ? -1 : value.bytes[0]!);
const blocks = (store: Store, from: number, to: number, reverse = false): number[] => {
  const cursor = store.range(key(5, from), key(5, to), reverse);
  const found: number[] = [];
  while (cursor.next()) found.push(cursor.key.readUInt32BE(4));
  return found;
};

let path: string;
let store: WritableStore;
test.beforeEach(() => { path = mkdtempSync(join(tmpdir(), 'posthouse-')); store = openWritableStore(path); });
test.afterEach.always(() => { store.close(); rmSync(path, { recursive: true }); });

test.serial('files belong to their owner alone', (t) => {
  for (const name of ['data.mdb', 'lock.mdb', 'journal.mdb']) t.is(statSync(join(path, name)).mode & 0o777, 0o600);
});

test.serial('get, ranges in both directions, values of any size', (t) => {
  for (let i = 0; i < 20; i++) put(store, i * 2, i, 1 + i * 5000);
  store.renew();
  t.is(store.getBlock(5, 38, value), 95001);
  t.is(value.bytes[95000], 19);
  t.is(store.getBlock(5, 39, value), -1);
  t.deepEqual(blocks(store, 3, 10), [4, 6, 8]);
  t.deepEqual(blocks(store, 4, 10, true), [8, 6, 4]);
  t.deepEqual(blocks(store, 100, 200), []);
  t.deepEqual(blocks(store, 30, 4_000_000_000, true), [38, 36, 34, 32, 30]);
});

test.serial('a snapshot stays the same until renew, with an event loop turning', async (t) => {
  put(store, 1, 1);
  store.renew();
  t.is(byteAt(store, 1), 1);
  put(store, 1, 2);
  for (let i = 0; i < 3; i++) { await sleep(5); t.is(byteAt(store, 1), 1); }
  store.renew();
  t.is(byteAt(store, 1), 2);
});

test.serial('snapshots held beside the present one', (t) => {
  put(store, 1, 1);
  store.renew();
  const first = store.hold();
  put(store, 1, 2);
  store.renew();
  t.is(byteAt(store, 1), 2);
  const second = store.hold();
  put(store, 1, 3);
  store.renew();
  t.is(byteAt(store, 1), 3);
  store.use(first);
  t.is(byteAt(store, 1), 1);
  store.use(second);
  t.is(byteAt(store, 1), 2);
  store.unhold(first);
  store.unhold(second);
  t.is(byteAt(store, 1), 2);
  store.renew();
  t.is(byteAt(store, 1), 3);
});

test.serial('cursors: after renew they go on in the new snapshot, after advance in their own', (t) => {
  for (let i = 0; i < 10; i++) put(store, i, i);
  for (const how of ['renew', 'advance'] as const) {
    store.renew();
    const cursor = store.range(key(5, 0), key(5, 100));
    for (let i = 0; i < 3; i++) cursor.next();
    store.write((b) => { b.put(key(5, 50), Buffer.alloc(1)); b.remove(key(5, 5)); });
    store[how]();
    const rest: number[] = [];
    while (cursor.next()) rest.push(cursor.key.readUInt32BE(4));
    t.deepEqual(rest, how === 'renew' ? [3, 4, 6, 7, 8, 9, 50] : [3, 4, 5, 6, 7, 8, 9]);
    t.is(byteAt(store, 50), 0);
    store.write((b) => { b.remove(key(5, 50)); b.put(key(5, 5), Buffer.alloc(1)); });
  }
});

test.serial('many readers of one store do not overwrite each other', (t) => {
  for (let i = 0; i < 5; i++) put(store, i, i);
  store.renew();
  const a = store.range(key(5, 0), key(5, 9)), b = store.range(key(5, 0), key(5, 9));
  for (let i = 0; i < 5; i++) {
    t.true(a.next());
    t.true(b.next());
    byteAt(store, 4 - i);
    t.is(a.value[0], i);
    t.is(b.value[0], i);
  }
});

test.serial('a write that fails leaves nothing; batches read what they wrote', (t) => {
  put(store, 1, 1);
  t.throws(() => store.write((b) => { b.put(key(5, 1), Buffer.alloc(3, 9)); throw new Error('no'); }), { message: 'no' });
  store.renew();
  t.is(byteAt(store, 1), 1);
  store.write((b) => {
    for (let i = 0; i < 3000; i++) b.put(key(6, i), Buffer.alloc(5000));
    t.is(b.last(key(6, 0), key(7, 0))?.readUInt32BE(4), 2999);
    t.is(b.lastLength, 5000);
    b.removeRange(key(6, 10), key(6, 2990), Infinity);
    t.true(b.remove(key(6, 5)));
    t.false(b.remove(key(6, 5)));
    const cursor = b.range(key(6, 0), key(7, 0));
    let count = 0;
    while (cursor.next()) count++;
    t.is(count, 19);
  });
});

test.serial('a reader in another, blocking process sees the writer’s file grow, and never moves by itself', (t) => {
  put(store, 1, 1);
  const script = `
    import { openStore } from ${JSON.stringify(new URL('../../src/backend/storage/lmdb.ts', import.meta.url).href)};
    import { ValueBuffer } from ${JSON.stringify(new URL('../../src/backend/storage/store.ts', import.meta.url).href)};
    import { execFileSync } from 'node:child_process';
    const store = openStore(process.argv[1]), value = new ValueBuffer();
    const before = store.getBlock(5, 1, value);
    execFileSync(process.execPath, ['--input-type=module', '-e', process.argv[2], process.argv[1]]);
    const same = store.getBlock(5, 1, value), none = store.getBlock(5, 2000, value);
    store.renew();
    console.log(JSON.stringify([before, same, none, store.getBlock(5, 1, value), store.getBlock(5, 2000, value)]));
    process.exit(0);`;
  const writer = `
    import { openWritableStore } from ${JSON.stringify(new URL('../../src/backend/storage/lmdb.ts', import.meta.url).href)};
    const store = openWritableStore(process.argv[1]), key = Buffer.alloc(8);
    key.writeUInt32BE(5, 0);
    store.write((b) => { for (let i = 1; i <= 2000; i++) { key.writeUInt32BE(i, 4); b.put(key, Buffer.alloc(4000)); } });
    process.exit(0);`;
  store.close();
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path, writer], { encoding: 'utf8' });
  t.is(stderr, '');
  t.deepEqual(JSON.parse(stdout), [100, 100, -1, 4000, 4000]);
  store = openWritableStore(path);
});

test.serial('a dead process’s reader slot is swept', (t) => {
  const script = `
    import { openStore } from ${JSON.stringify(new URL('../../src/backend/storage/lmdb.ts', import.meta.url).href)};
    const store = openStore(process.argv[1]);
    store.hold();
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--input-type=module', '-e', script, path]);
  t.is(store.readerCheck(), 1);
  t.is(store.readerCheck(), 0);
});

test.serial('a closed store can be opened again, read-only as well', (t) => {
  put(store, 7, 7);
  store.close();
  const reader = openStore(path);
  t.is(byteAt(reader, 7), 7);
  reader.close();
  store = openWritableStore(path);
  store.renew();
  t.is(byteAt(store, 7), 7);
});
