// Commits per second of TPC-B-like write sets (three rows changed in three blocks, one row inserted): the applier
// alone, in batches of 1, 8 and 32, and with real processes.
//   node test/bench/manager.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Applier, type BatchWork } from '../../src/backend/transaction/apply.ts';
import { ByteWriter } from '../../src/backend/transaction/bytes.ts';
import { decodeCommit, encodeCommit } from '../../src/backend/transaction/commit_codec.ts';
import type { CommitRequest } from '../../src/backend/transaction/messages.ts';
import { openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { changing, inserting, provisional, request, row } from '../transaction/helpers.ts';
import { runInSite } from '../transaction/processes.ts';

const ACCOUNTS = 20000, HISTORY = 20001, KEYS = 20002;
const BLOCKS = 15000, ROWS = 36; // of 96 bytes: about 3.5 kB a block

function commitOf(message: CommitRequest, number: number): BatchWork['commits'][number] {
  const out = new ByteWriter(1024);
  encodeCommit(out, { session: 1, number }, 0, message);
  return { view: decodeCommit(out.bytes, 0, out.length), xid: 1000 + number, prepared: null };
}

function applierAlone(): void {
  const path = mkdtempSync(join(tmpdir(), 'bench-'));
  const store = openWritableStore(path);
  const applier = new Applier(store);
  const work = (commits: BatchWork['commits']): BatchWork => ({ commits, sequences: [], nextXid: 5, nextOid: 16384, mustWrite: false });
  let number = 0;
  const full = Array.from({ length: ROWS }, () => row(0, 81));
  let started = performance.now();
  for (let from = 0; from < BLOCKS; from += 1000) {
    const result = applier.apply(work([commitOf(request({ relations: [inserting(ACCOUNTS, ...Array.from({ length: 1000 }, () => full))] }), number++)]));
    if (result.outcomes[0]!.kind !== 'committed') throw new Error(result.outcomes[0]!.kind);
  }
  console.log(`${BLOCKS} blocks adopted: ${(performance.now() - started).toFixed(0)} ms`);

  const entries = Array.from({ length: 1_000_000 }, (_, i) => ({
    key: String.fromCharCode(0x80, 0, (i >> 16) & 255, (i >> 8) & 255, i & 255), row: provisional(0, i % ROWS), withRow: false,
  }));
  const bulk = commitOf(request({ relations: [inserting(HISTORY + 10, full)],
    indexes: [{ filenode: KEYS, relation: HISTORY + 10, unique: true, removed: [], added: entries }] }), number++);
  started = performance.now();
  applier.apply(work([bulk]));
  console.log(`1,000,000 index entries in key order: ${(performance.now() - started).toFixed(0)} ms`);

  const versions = new Float64Array(BLOCKS * ROWS);
  versions.fill(-1);
  const version = (block: number, slot: number): number => {
    const known = versions[block * ROWS + slot]!;
    return known >= 0 ? known : 1000 + Math.floor(block / 1000);
  };
  for (const size of [1, 8, 32]) {
    const batches = Math.ceil(1500 / size);
    let applying = 0, writes = 0;
    const write = store.write.bind(store);
    store.write = (apply) => write((batch) => {
      const from = performance.now();
      apply(batch);
      applying += performance.now() - from;
      writes++;
    });
    started = performance.now();
    for (let b = 0; b < batches; b++) {
      const commits: BatchWork['commits'][number][] = [];
      for (let i = 0; i < size; i++) {
        const rows = new Set<number>();
        while (rows.size < 3) rows.add(Math.floor(Math.random() * Math.floor(BLOCKS / 32)) * 32 + i); // none twice in a batch
        const changed = [...rows].map((block) => {
          const slot = Math.floor(Math.random() * ROWS), old = version(block, slot);
          versions[block * ROWS + slot] = 1000 + number;
          return { row: block * 65536 + slot, version: old, bytes: row(number, 81) };
        });
        commits.push(commitOf(request({ relations: [changing(ACCOUNTS, ...changed), inserting(HISTORY, [row(number, 40)])] }), number));
        number++;
      }
      for (const outcome of applier.apply(work(commits)).outcomes) if (outcome.kind !== 'committed') throw new Error(outcome.kind);
      applier.undelivered = [];
    }
    const ms = performance.now() - started;
    store.write = write;
    console.log(`batches of ${size}: ${(batches * size / ms * 1000).toFixed(0)} commits/s; ${(applying * 1000 / (batches * size)).toFixed(0)} us each before the flush, `
      + `${((ms - applying) / writes).toFixed(2)} ms a flush`);
  }
  store.close();
  rmSync(path, { recursive: true });
}

function processes(clients: number): void {
  process.stdout.write(runInSite(`
    const CLIENTS = ${clients}, COMMITS = ${Math.ceil(3000 / clients)};
    backend(() => { client.commit(help.request({ relations: [help.inserting(20000, ...Array.from({ length: 3200 }, () => Array.from({ length: 36 }, () => help.row(0, 81))))] })); });
    serve(() => children.size === 0);
    const started = performance.now();
    for (let n = 0; n < CLIENTS; n++) {
      backend(() => {
        const store = openStore('base/5');
        for (let i = 0; i < COMMITS; i++) {
          store.renew();
          const blocks = [i % 33, 33 + (i * 7) % 33, 66 + (i * 11) % 33].map((block) => block * CLIENTS + n);
          const changed = blocks.map((block) => ({ row: block * 65536 + i % 36, version: help.stored(store, 20000, block * 65536 + i % 36).version, bytes: help.row(i, 81) }));
          const answer = client.commit(help.request({ relations: [help.changing(20000, ...changed), help.inserting(20001, [help.row(i, 40)])], optimistic: true, snapshotSeq: store.meta('commit-seq') }));
          if (answer.kind !== 'committed') throw new Error(answer.kind);
        }
      });
    }
    serve(() => children.size === 0);
    print('${clients} processes:', (CLIENTS * COMMITS / (performance.now() - started) * 1000).toFixed(0), 'commits/s');
    if (CLIENTS === 1) {
      backend(() => {
        client.acquireLock({ kind: 'row', relation: 1, row: 1, mode: 'update' });
        const from = performance.now();
        for (let i = 0; i < 20000; i++) client.acquireLock({ kind: 'row', relation: 1, row: i, mode: 'update' });
        print('a lock and its answer:', ((performance.now() - from) / 20).toFixed(1), 'us');
      });
      serve(() => children.size === 0);
    }
    finish();
  `, 120_000));
}

applierAlone();
for (const clients of [1, 8, 32]) processes(clients);
