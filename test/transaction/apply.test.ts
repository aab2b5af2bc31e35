import test from 'ava';
import { PgError } from '../../src/common/errors.ts';
import { rowIdOf } from '../../src/backend/access/row.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { ByteWriter } from '../../src/backend/transaction/bytes.ts';
import { decodeCommit, encodeCommit } from '../../src/backend/transaction/commit_codec.ts';
import { MemoryStore } from './memory_store.ts';
import { allEntries, allRows, block, changing, inserting, localClient, provisional, request, row, stored } from './helpers.ts';

const TABLE = 20000, INDEX = 20001;

function site() {
  const store = new MemoryStore();
  const manager = new LocalManager(store, 5);
  return { store, manager, client: localClient(manager) };
}
const values = (store: MemoryStore) => [...allRows(store, TABLE).values()].map((one) => one.value);

test('rows are inserted, changed and deleted in place', (t) => {
  const { store, client } = site();
  const first = client.commit(request({ relations: [inserting(TABLE, [row(1), row(2), row(3)])] }));
  t.is(first.kind, 'committed');
  if (first.kind !== 'committed') return;
  t.is(first.commitSeq, 1);
  t.deepEqual(values(store), [1, 2, 3]);
  t.is(stored(store, TABLE, rowIdOf(0, 0))!.version, first.xid);
  const second = client.commit(request({ relations: [changing(TABLE,
    { row: rowIdOf(0, 1), version: first.xid, bytes: row(22, 100) }, { row: rowIdOf(0, 0), version: first.xid, bytes: null })] }));
  t.is(second.kind, 'committed');
  t.deepEqual(values(store), [22, 3]);
  t.is(stored(store, TABLE, rowIdOf(0, 1))!.length, 115);
  t.is(stored(store, TABLE, rowIdOf(0, 0)), undefined);
  t.is(store.meta('commit-seq'), 2);
});

test('a changed version refuses the whole request', (t) => {
  const { store, client } = site();
  const first = client.commit(request({ relations: [inserting(TABLE, [row(1), row(2)])] }));
  if (first.kind !== 'committed') return t.fail();
  const stale = request({ relations: [
    changing(TABLE, { row: rowIdOf(0, 0), version: first.xid, bytes: row(10) }, { row: rowIdOf(0, 1), version: first.xid + 1, bytes: row(20) }),
    inserting(TABLE + 5, [row(9)])] });
  t.deepEqual(client.commit(stale), { kind: 'changed', relation: TABLE, row: rowIdOf(0, 1) });
  t.deepEqual(values(store), [1, 2]);
  t.is(allRows(store, TABLE + 5).size, 0);
  const asserted = request({ relations: [inserting(TABLE + 5, [row(9)])],
    asserted: [{ relation: TABLE, row: rowIdOf(0, 1), version: 77, mode: 'keyshare' }] });
  t.is(client.commit(asserted).kind, 'changed');
  const looking = (version: number) => request({ asserted: [{ relation: TABLE, row: 0, version, mode: 'update' }], optimistic: true, snapshotSeq: 1 });
  t.is(client.commit(looking(first.xid)).kind, 'committed');
  t.is(client.commit(looking(first.xid + 1)).kind, 'changed', 'also when there is nothing to write');
  const { puts } = store;
  client.commit(looking(first.xid));
  t.is(store.puts, puts, 'it writes nothing');
});

test('slots and block numbers are never used again', (t) => {
  const { store, client } = site();
  const first = client.commit(request({ relations: [inserting(TABLE, [row(1), row(2)])] }));
  if (first.kind !== 'committed') return t.fail();
  const gone = [0, 1].map((slot) => ({ row: rowIdOf(0, slot), version: first.xid, bytes: null }));
  client.commit(request({ relations: [changing(TABLE, ...gone)] }));
  t.is(allRows(store, TABLE).size, 0);
  client.commit(request({ relations: [inserting(TABLE, [row(3)])] }));
  t.deepEqual([...allRows(store, TABLE).keys()], [rowIdOf(0, 2)]);
  // A full block comes after it; then the first one is emptied and goes away, and nothing takes its number.
  const full = Array.from({ length: 60 }, (_, i) => row(100 + i, 50));
  client.commit(request({ relations: [inserting(TABLE, full)] }));
  t.is([...allRows(store, TABLE).keys()][1], rowIdOf(1, 0));
  const last = stored(store, TABLE, rowIdOf(0, 2))!;
  client.commit(request({ relations: [changing(TABLE, { row: rowIdOf(0, 2), version: last.version, bytes: null })] }));
  t.is(store.content.keys.filter((key) => key.startsWith('\0\0\x4e\x20')).length, 1);
  client.commit(request({ relations: [inserting(TABLE, [row(4, 1000)])] }));
  t.is([...allRows(store, TABLE).keys()].at(-1), rowIdOf(2, 0));
  // Also after a restart, with the tail empty.
  const tail = stored(store, TABLE, rowIdOf(2, 0))!;
  client.commit(request({ relations: [changing(TABLE, { row: rowIdOf(2, 0), version: tail.version, bytes: null })] }));
  const again = localClient(new LocalManager(store, 5));
  again.commit(request({ relations: [inserting(TABLE, full)] }));
  t.is([...allRows(store, TABLE).keys()].at(-1), rowIdOf(3, 59));
  t.is(store.content.keys.filter((key) => key.startsWith('\0\0\x4e\x20')).length, 2, 'the empty tail is gone');
});

test('index entries lead to the real rows; unique keys are checked', (t) => {
  const { store, client } = site();
  const entry = (key: string, at: number, withRow = false) => ({ key, row: at, withRow });
  const insert = (from: number, keys: string[], unique = true) => request({
    relations: [inserting(TABLE, keys.map((_, i) => row(from + i)))],
    indexes: [{ filenode: INDEX, relation: TABLE, unique, removed: [], added: keys.map((key, i) => entry(key, provisional(0, i))) }],
  });
  t.is(client.commit(insert(1, ['a', 'c'])).kind, 'committed');
  t.is(client.commit(insert(3, ['b', 'd'])).kind, 'committed');
  t.deepEqual(client.commit(insert(5, ['bb', 'c'])), { kind: 'duplicate', index: INDEX, key: 'c' });
  t.deepEqual(client.commit(insert(5, ['x', 'x'])), { kind: 'duplicate', index: INDEX, key: 'x' });
  t.deepEqual(values(store), [1, 2, 3, 4]);
  t.deepEqual(allEntries(store, INDEX), [{ key: 'a', row: 0 }, { key: 'b', row: 2 }, { key: 'c', row: 1 }, { key: 'd', row: 3 }]);
  // An exchange of keys: both are removed and added in one request.
  const exchange = request({ indexes: [{ filenode: INDEX, relation: TABLE, unique: true,
    removed: [entry('a', 0), entry('c', 1)], added: [entry('a', 1), entry('c', 0)] }] });
  t.is(client.commit(exchange).kind, 'committed');
  t.deepEqual(allEntries(store, INDEX).map(({ row: place }) => place), [1, 2, 0, 3]);
  // An index that is not unique takes a key more than once.
  const common = request({ relations: [inserting(TABLE, [row(8), row(9)])], indexes: [{ filenode: INDEX + 1, relation: TABLE, unique: false,
    removed: [], added: [entry('k', provisional(0, 0), true), entry('k', provisional(0, 1), true)] }] });
  t.is(client.commit(common).kind, 'committed');
  t.deepEqual(allEntries(store, INDEX + 1).map(({ key }) => key), ['k', 'k']);
});

test('later requests of a batch see earlier ones', (t) => {
  const { store, manager } = site();
  const [a, b] = [localClient(manager), localClient(manager)];
  const first = a.commit(request({ relations: [inserting(TABLE, [row(1)])] }));
  if (first.kind !== 'committed') return t.fail();
  const update = (value: number) => request({ relations: [changing(TABLE, { row: 0, version: first.xid, bytes: row(value) })], optimistic: true });
  t.is(a.commit(update(2)).kind, 'committed');
  t.is(b.commit(update(3)).kind, 'changed');
  t.deepEqual(values(store), [2]);
});

test('blocks grow beyond 64 kB and stay readable', (t) => {
  const { store, client } = site();
  const first = client.commit(request({ relations: [inserting(TABLE, Array.from({ length: 100 }, (_, i) => row(i, 20)))] }));
  if (first.kind !== 'committed') return t.fail();
  const grow = Array.from({ length: 100 }, (_, i) => ({ row: rowIdOf(0, i), version: first.xid, bytes: row(i * 10, 1000 + i) }));
  const second = client.commit(request({ relations: [changing(TABLE, ...grow)] }));
  if (second.kind !== 'committed') return t.fail();
  for (let i = 0; i < 100; i++) t.like(stored(store, TABLE, rowIdOf(0, i)), { value: i * 10, length: 1015 + i });
  const shrink = grow.map((one, i) => ({ ...one, version: second.xid, bytes: i % 2 === 0 ? null : row(i) }));
  t.is(client.commit(request({ relations: [changing(TABLE, ...shrink)] })).kind, 'committed');
  t.deepEqual([...allRows(store, TABLE).values()].map((one) => one.value), Array.from({ length: 50 }, (_, i) => 2 * i + 1));
  t.is(client.commit(request({ relations: [inserting(TABLE, [row(5, 100_000)])] })).kind, 'committed');
});

test('a full disk fails the batch, loses nothing, and it goes on', (t) => {
  const { store, client } = site();
  client.commit(request({ relations: [inserting(TABLE, [row(1)])] }));
  store.failNextWrite = new PgError('disk_full', 'could not write to the database: No space left on device');
  const error = t.throws(() => client.commit(request({ relations: [inserting(TABLE, [row(2)])] })), { instanceOf: PgError });
  t.is(error.code, '53100');
  t.is(client.commit(request({ relations: [inserting(TABLE, [row(3)])] })).kind, 'committed');
  t.deepEqual(values(store), [1, 3]);
  t.is(store.meta('commit-seq'), 2);
});

test('requests of a batch that failed are tried again as they came: index entries lead to rows, wherever those get their places', (t) => {
  // Row ids that the first attempt had put into the request stayed in it; when an earlier request of the batch failed again, the
  // rows of the later ones got other places than their index entries said.
  const { store, manager } = site();
  const insert = (number: number, keys: readonly string[], blocks: number) => {
    const out = new ByteWriter();
    const rows = keys.map((_, i) => row(number * 100 + i));
    const perBlock = keys.length / blocks;
    encodeCommit(out, { session: 1, number }, 0, request({
      relations: [inserting(TABLE, ...Array.from({ length: blocks }, (_, b) => rows.slice(b * perBlock, (b + 1) * perBlock)))],
      indexes: [{ filenode: INDEX, relation: TABLE, unique: true, removed: [],
        added: keys.map((key, i) => ({ key, row: provisional(Math.floor(i / perBlock), i % perBlock), withRow: false })) }],
    }));
    return { view: decodeCommit(out.bytes, 0, out.length), xid: 1000 + number, prepared: null };
  };
  const work = (...commits: ReturnType<typeof insert>[]) => ({ commits, sequences: [], nextXid: 2000, nextOid: 20_000, mustWrite: false });
  const { applier } = manager.core, full = () => new PgError('disk_full', 'No space left on device');
  for (const failing of [0, 1, 2]) {
    let attempts = 0;
    store.failNextWrite = full();
    const write = store.write.bind(store);
    store.write = (apply) => {
      if (attempts++ === failing + 1) store.failNextWrite = full();
      write(apply);
    };
    const letter = String.fromCharCode(97 + failing);
    const { outcomes } = applier.apply(work(insert(3 * failing + 1, [`${letter}a`, `${letter}b`], 1), insert(3 * failing + 2, [`${letter}c`, `${letter}d`, `${letter}e`, `${letter}f`], 2),
      insert(3 * failing + 3, [`${letter}g`], 1)));
    store.write = write;
    t.deepEqual(outcomes.map(({ kind }) => kind), [0, 1, 2].map((i) => (i === failing ? 'failed' : 'committed')));
  }
  const rows = allRows(store, TABLE), entries = allEntries(store, INDEX);
  t.is(entries.length, rows.size);
  t.is(new Set(entries.map((one) => one.row)).size, rows.size);
  for (const { key, row: place } of entries) {
    const batch = key.charCodeAt(0) - 97, i = key.charCodeAt(1) - 97;
    const [number, from] = i < 2 ? [1, 0] : i < 6 ? [2, 2] : [3, 6];
    t.is(rows.get(place)?.value, (3 * batch + number) * 100 + i - from, key);
  }
});

test('a broken request harms only itself', (t) => {
  const { store, client } = site();
  const bad = request({ relations: [{ filenode: TABLE, catalog: false, changed: [], inserted: [{ block: 0x80000000, bytes: Buffer.alloc(30, 1) }] }] });
  t.throws(() => client.commit(bad), { instanceOf: PgError });
  const dangling = request({ indexes: [{ filenode: INDEX, relation: TABLE, unique: true, removed: [], added: [{ key: 'a', row: provisional(3, 0), withRow: false }] }] });
  t.throws(() => client.commit(dangling), { instanceOf: PgError });
  t.is(client.commit(request({ relations: [inserting(TABLE, [row(3)])] })).kind, 'committed');
  t.deepEqual(values(store), [3]);
});

test('a large table that is dropped goes away step by step, also across a restart', (t) => {
  const { store, client, manager } = site();
  const full = () => Array.from({ length: 60 }, (_, i) => row(i, 50));
  client.commit(request({ relations: [inserting(TABLE, ...Array.from({ length: 3000 }, full))] }));
  t.is(allRows(store, TABLE).size, 180_000);
  const { applier } = manager.core;
  applier.maintain = () => {}; // the manager dies before it finds time
  client.commit(request({ droppedFilenodes: [TABLE] }));
  t.true(applier.hasMaintenance);
  const left = store.content.keys.filter((key) => key.startsWith('\0\0\x4e\x20')).length;
  t.true(left >= 3000 - 1024 && left <= 3000 - 32, String(left)); // fewer on a busy machine: it gives way after some milliseconds
  // Commits that come take some along, so that none waits for a step.
  client.commit(request({ relations: [inserting(TABLE + 1, full())] }));
  const later = store.content.keys.filter((key) => key.startsWith('\0\0\x4e\x20')).length;
  t.true(later >= left - 256 && later < left, String(later));
  const successor = new LocalManager(store, 5);
  t.true(successor.core.applier.hasMaintenance);
  localClient(successor).commit(request());
  t.false(successor.core.applier.hasMaintenance);
  t.is(store.content.keys.filter((key) => key.startsWith('\0\0\x4e\x20')).length, 0);
  t.is(store.content.keys.filter((key) => key.includes('dropped')).length, 0);
});

// Each was allowed 1024 entries, and what had been dropped before and was small went without any limit.
test('many tables that are dropped together do not hold up the commit', (t) => {
  const { store, client, manager } = site();
  const full = Array.from({ length: 60 }, (_, i) => row(i, 50)), tables = Array.from({ length: 20 }, (_, i) => TABLE + i);
  client.commit(request({ relations: tables.map((table) => inserting(table, ...Array.from({ length: 200 }, () => full))) }));
  const { applier } = manager.core;
  const maintain = applier.maintain.bind(applier);
  applier.maintain = () => {};
  const before = store.content.keys.length;
  client.commit(request({ droppedFilenodes: tables }));
  const gone = before - store.content.keys.length;
  t.true(gone >= 20 * 32 - 20 && gone <= 1024 + 20 * 32, String(gone));
  while (applier.hasMaintenance) maintain();
  t.is(store.content.keys.filter((key) => key.startsWith('\0\0\x4e')).length, 0);
});

test('serializable: what was read must not have been changed since', (t) => {
  const { client } = site();
  client.commit(request({ relations: [inserting(TABLE, [row(1)])] }));
  const writes = inserting(TABLE + 1, [row(1)]);
  t.is(client.commit(request({ relations: [writes], readSet: [TABLE], snapshotSeq: 1 })).kind, 'committed');
  t.deepEqual(client.commit(request({ relations: [writes], readSet: [TABLE + 1], snapshotSeq: 1 })), { kind: 'serialization', relation: TABLE + 1 });
});

test('an optimistic commit made before a catalog change is refused', (t) => {
  const { client, store } = site();
  client.commit(request({ catalogChanged: true, relations: [{ ...inserting(1259, [row(1)]), catalog: true }] }));
  t.is(store.meta('catalog-version'), 1);
  t.is(client.commit(request({ optimistic: true, snapshotSeq: 0, relations: [inserting(TABLE, [row(1)])] })).kind, 'changed');
  t.is(client.commit(request({ optimistic: true, snapshotSeq: 1, relations: [inserting(TABLE, [row(1)])] })).kind, 'committed');
});

test('blocks of the helper are what the format says', (t) => {
  t.is(block([row(1), null]).readUInt16LE(10), 0);
});
