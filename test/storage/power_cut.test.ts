// The power goes at any point of any commit: of what was written since the last flush, any sectors may be on the disk. The
// environment must open as of the last commit that was acknowledged, or of the one under way, whole.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openStore, openWritableStore } from '../../src/backend/storage/lmdb.ts';
import type { Store } from '../../src/backend/storage/store.ts';
import { randomFrom } from '../support/random.ts';

const SEED = Number(process.env['SEED'] ?? 7), COMMITS = 1000, CUTS = process.env['TORTURE'] === '1' ? 4000 : 300;
const SECTOR = 512, KEYS = 300;

const writer = `
  import { openWritableStore } from ${JSON.stringify(new URL('../../src/backend/storage/lmdb.ts', import.meta.url).href)};
  import { commits } from ${JSON.stringify(import.meta.url.replace(/\.test\.ts$/, '.ts'))};
  import { appendFileSync } from 'node:fs';
  const store = openWritableStore(process.argv[1]);
  for (const [number, changes] of commits(${SEED}, ${COMMITS}, ${KEYS})) {
    store.write((batch) => { for (const [key, value] of changes) { if (value === null) batch.remove(key); else batch.put(key, value); } });
    // kind 2: this commit was acknowledged
    const head = Buffer.alloc(16);
    head.writeUInt32LE(2, 0);
    head.writeUInt32LE(number, 8);
    appendFileSync(process.env.WRITES_LOG, head);
  }
`;

/** After each commit, what is in the store, in one word per key: `content` below. */
function statesOf(changesOf: Iterable<[number, [Buffer, Buffer | null][]]>): string[] {
  const states: string[] = [''];
  const model = new Map<string, Buffer>();
  for (const [, changes] of changesOf) {
    for (const [key, value] of changes) if (value === null) model.delete(key.toString('hex')); else model.set(key.toString('hex'), value);
    states.push([...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value.length}:${value[0]}:${value[value.length - 1]}`).join(' '));
  }
  return states;
}

interface Call { kind: number; file: number; offset: number; bytes: Buffer }
/** What is surely on the disk of a file. */
interface Durable { bytes: Buffer; size: number; pending: Call[] }

function calls(log: Buffer): Call[] {
  const all: Call[] = [];
  for (let at = 0; at < log.length;) {
    const kind = log.readUInt16LE(at), file = log.readUInt16LE(at + 2), length = log.readUInt32LE(at + 4), offset = Number(log.readBigUInt64LE(at + 8));
    all.push({ kind, file, offset, bytes: log.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return all;
}

/** What is in the store, in one word per key. */
function content(store: Store): string {
  store.renew();
  const cursor = store.range(Buffer.from([0, 0, 0, 0]), Buffer.from([255, 255, 255, 255]));
  const lines: string[] = [];
  while (cursor.next()) lines.push(`${cursor.key.toString('hex', 0, cursor.keyLength)}=${cursor.valueLength}:${cursor.value[0]}:${cursor.value[cursor.valueLength - 1]}`);
  cursor.close();
  return lines.join(' ');
}

test('whatever the disk has of the last commit, it is there whole or not at all', async (t) => {
  t.timeout(900_000);
  const { commits } = await import('./power_cut.ts');
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', join(folder, 'cut.so'), new URL('power_cut.c', import.meta.url).pathname, '-ldl']);
    mkdirSync(join(folder, 'written'));
    execFileSync(process.execPath, ['--input-type=module', '-e', writer, join(folder, 'written')],
      { env: { ...process.env, LD_PRELOAD: join(folder, 'cut.so'), WRITES_LOG: join(folder, 'log') } });
    const log = calls(readFileSync(join(folder, 'log')));
    // Of what was asked for: one flush of one place for each small commit.
    const flushes = log.filter(({ kind }) => kind === 1).length;
    t.true(flushes < COMMITS * 1.4, `${flushes} flushes for ${COMMITS} commits`);

    const states = statesOf(commits(SEED, COMMITS, KEYS));
    const random = randomFrom(SEED + 1);
    // Before the first commit there is no environment yet.
    const first = log.findIndex(({ kind }) => kind === 2) + 1;
    // Where the journal begins anew the power goes several times: its head was flushed with the first record only, which had overwritten
    // records of the old head by then. With that on the disk and the new one not, the journal looked damaged, and nothing opened it.
    const heads = log.flatMap(({ kind, file, offset }, i) => (i >= first && kind === 0 && file === 1 && offset === 0 ? [1, 2, 2, 3, 3].map((after) => i + after) : []));
    t.true(heads.length > 0);
    const places = [...heads, ...Array.from({ length: CUTS }, () => first + random(log.length - first))].sort((a, b) => a - b);
    const files = [0, 1].map((file): Durable => ({
      bytes: Buffer.alloc(log.reduce((end, call) => (call.file === file ? Math.max(end, call.offset + call.bytes.length) : end), 0)), size: 0, pending: [],
    }));
    let position = 0, acknowledged = 0, under = 0, before = 0;
    for (const place of places) {
      for (; position < place; position++) {
        const call = log[position]!;
        if (call.kind === 2) { acknowledged = call.offset; continue; }
        const file = files[call.file]!;
        if (call.kind === 0) { file.pending.push(call); continue; }
        for (const { offset, bytes } of file.pending) { bytes.copy(file.bytes, offset); file.size = Math.max(file.size, offset + bytes.length); }
        file.pending = [];
      }
      const path = join(folder, 'cut');
      mkdirSync(path);
      files.forEach((file, i) => {
        const image = Buffer.from(file.bytes);
        let { size } = file;
        const share = random(5); // of the sectors: none, some, most, all
        for (const { offset, bytes } of file.pending) {
          for (let at = 0; at < bytes.length; at += SECTOR) {
            if (random(4) >= share) continue;
            bytes.copy(image, offset + at, at, Math.min(at + SECTOR, bytes.length));
            size = Math.max(size, offset + at + SECTOR);
          }
        }
        writeFileSync(join(path, ['data.mdb', 'journal.mdb'][i]!), image.subarray(0, i === 0 ? Math.max(size, 8192) : size));
      });
      // Sometimes a reader is the first to look.
      if (random(2) === 0) openStore(path).close();
      await new Promise((done) => { setImmediate(done); });
      const store = openWritableStore(path, false);
      const found = content(store);
      if (found === states[acknowledged + 1]) under++;
      else if (found === states[acknowledged]) before++;
      else t.fail(`SEED=${SEED}: cut at call ${place} of ${log.length}, after commit ${acknowledged}: commit ${states.indexOf(found)} is there`);
      // And it can be written on.
      store.write((batch) => batch.put(Buffer.from('0000ffff', 'hex'), Buffer.from('x')));
      store.close();
      await new Promise((done) => { setImmediate(done); });
      rmSync(path, { recursive: true });
    }
    t.log({ calls: log.length, flushes, before, under });
    t.true(before > CUTS / 10 && under > 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// A file system that copies what is overwritten may have no room for that: a page that can't be stored is written by a call.
test('where pages can not be stored in a mapping they are written', async (t) => {
  const { commits } = await import('./power_cut.ts');
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', join(folder, 'no_store.so'), new URL('no_store.c', import.meta.url).pathname]);
    const path = join(folder, 'written');
    mkdirSync(path);
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', writer, path],
      { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: join(folder, 'no_store.so'), WRITES_LOG: join(folder, 'log') } });
    t.is(status, 0, stderr);
    t.true(stderr.includes('no store'));
    const store = openStore(path);
    t.is(content(store), statesOf(commits(SEED, COMMITS, KEYS)).at(-1)!);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** An environment whose writer was killed: what it acknowledged last is in its journal only. */
function killedWriter(folder: string): string {
  const path = join(folder, 'written');
  mkdirSync(path);
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `${writer}\nprocess.kill(process.pid, 'SIGKILL');`, path], { encoding: 'utf8', env: { ...process.env, WRITES_LOG: join(folder, 'log') } });
  if (signal !== 'SIGKILL') throw new Error(stderr);
  return path;
}

// Whoever came first went on without the journal when that could not be opened (no descriptors left), and the next writer began it anew.
test('a journal that can not be opened is not one that is not there', async (t) => {
  const { commits } = await import('./power_cut.ts');
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  try {
    const path = killedWriter(folder), journal = join(path, 'journal.mdb');
    renameSync(journal, join(path, 'elsewhere'));
    symlinkSync('elsewhere', journal); // which is refused
    for (const open of [openStore, openWritableStore]) t.like(t.throws(() => open(path)), { condition: 'io_error' });
    renameSync(join(path, 'elsewhere'), journal);
    const store = openStore(path);
    t.is(content(store), statesOf(commits(SEED, COMMITS, KEYS)).at(-1)!);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a journal that is damaged before its end is not one that ends there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  try {
    const path = killedWriter(folder), journal = join(path, 'journal.mdb'), bytes = readFileSync(journal);
    bytes[4096 + 100]! ^= 1; // in its first record
    writeFileSync(journal, bytes);
    for (const open of [openStore, openWritableStore]) t.like(t.throws(() => open(path)), { condition: 'data_corrupted' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// Whoever read what was cut off ended with SIGBUS.
test('a data file that was cut off, or is none, is told as damaged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  try {
    const store = openWritableStore(folder), data = join(folder, 'data.mdb');
    store.write((batch) => { for (let i = 0; i < 2000; i++) batch.put(Buffer.from(`0000${i}`), Buffer.alloc(1000, i)); });
    store.close();
    await new Promise((done) => { setImmediate(done); });
    truncateSync(data, statSync(data).size / 2);
    const reader = openStore(folder);
    t.like(t.throws(() => content(reader)), { condition: 'data_corrupted' });
    reader.close();
    writeFileSync(data, Buffer.alloc(100_000, 7));
    for (const open of [openStore, openWritableStore]) t.like(t.throws(() => open(folder)), { condition: 'data_corrupted' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
