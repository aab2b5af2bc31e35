// Leaves of an index against a plain list, by seed: additions and removals of every size, keys long and short.
import test from 'ava';
import { LEAF_TARGET_BYTES, LeafReader } from '../../src/backend/access/index_leaf.ts';
import { ADDED, PackedEntries, WITH_ROW, netOf, packRun } from '../../src/backend/access/index_run.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { allEntries, localClient, request } from './helpers.ts';
import { MemoryStore } from './memory_store.ts';

const INDEX = 20001, NEIGHBOUR = 20002;

interface Entry { key: string; row: number }
const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.row - b.row);

function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * n);
  };
}

/** What leaves promise beside their entries: bounds, sizes. */
function faultOf(store: MemoryStore): string | null {
  const names = store.content.keys.filter((name) => name.startsWith('\0\0\x4e\x21'));
  const leaf = new LeafReader();
  let before = '';
  for (const name of names) {
    const value = store.content.values.get(name)!, bound = name.slice(4);
    leaf.load(value).check(value.length);
    if (value.length > LEAF_TARGET_BYTES) return 'a leaf is too large';
    const entry = (i: number): string => value.toString('latin1', leaf.start(i), leaf.start(i + 1));
    if (entry(leaf.count - 1) > bound) return 'an entry lies beyond the bound of its leaf';
    if (before !== '' && entry(0) <= before) return 'an entry lies before its leaf';
    before = bound;
  }
  return null;
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`leaves hold what was added and not removed, seed ${seed}`, (t) => {
    const next = random(seed), store = new MemoryStore();
    const client = localClient(new LocalManager(store, 5));
    client.commit(request({ indexes: [{ filenode: NEIGHBOUR, relation: 0, unique: false, removed: [], added: [{ key: 'n', row: 1, withRow: true }] }] }));
    let model: Entry[] = [], ascending = 0;
    const kinds = ['short', 'number', 'long', 'mixed'] as const, kind = kinds[seed % 4];
    const makeKey = (): string => {
      const number = next(4) > 0 ? next(1 << 20) : ascending += 1 + next(3);
      const digits = String(number).padStart(8, '0');
      if (kind === 'number') return String.fromCharCode(0x83, (number >> 16) & 255, (number >> 8) & 255, number & 255);
      return kind === 'short' || (kind === 'mixed' && next(3) > 0) ? `k${digits}\0` : `${'long'.repeat(1 + next(400))}${digits}\0`;
    };
    for (let step = 0; step < 40; step++) {
      const size = [1, 2, 10, 300, 3000][next(5)]!, keys: string[] = [], rows: number[] = [], additions: boolean[] = [];
      const say = (entry: Entry, addition: boolean): void => { keys.push(entry.key); rows.push(entry.row); additions.push(addition); };
      const taken = new Set(model.map(({ key, row }) => `${key} ${row}`)), fresh: Entry[] = [], gone = new Set<Entry>();
      const fewer = next(3) === 0;
      const begin = next(model.length + 1);
      for (let i = 0; i < size; i++) {
        const entry = { key: makeKey(), row: next(1 << 18) };
        if (!fewer && !taken.has(`${entry.key} ${entry.row}`)) { fresh.push(entry); taken.add(`${entry.key} ${entry.row}`); say(entry, true); }
        // Neighbours often go together, so that leaves become empty.
        const old = model[next(2) === 0 ? next(model.length) : (begin + i) % model.length];
        if (old !== undefined && !gone.has(old) && (fewer || next(3) === 0)) { gone.add(old); say(old, false); }
      }
      if (keys.length === 0) continue;
      const { removed, added } = netOf([packRun(keys, rows, additions.map((addition) => WITH_ROW | (addition ? ADDED : 0)), 0)]);
      const answer = client.commit(request({ indexes: [{ filenode: INDEX, relation: 0, unique: false, removed: new PackedEntries(removed), added: new PackedEntries(added) }] }));
      t.is(answer.kind, 'committed');
      model = model.filter((entry) => !gone.has(entry)).concat(fresh).sort(byKey);
      if (step % 5 === 4 || model.length < 500) {
        t.deepEqual(allEntries(store, INDEX), model, `step ${step}`);
        t.is(faultOf(store), null, `step ${step}`);
      }
    }
    t.deepEqual(allEntries(store, NEIGHBOUR), [{ key: 'n', row: 1 }]);
  });
}

test('unique keys are looked for among thousands, and may come again in the commit that removes them', (t) => {
  const store = new MemoryStore(), client = localClient(new LocalManager(store, 5));
  const key = (n: number): string => String.fromCharCode(0x83, (n >> 16) & 255, (n >> 8) & 255, n & 255);
  const commit = (removed: [number, number][], added: [number, number][]) => {
    const changes = removed.map(([n, row]) => ({ key: key(n), row, addition: false })).concat(added.map(([n, row]) => ({ key: key(n), row, addition: true })));
    const runs = netOf([packRun(changes.map((c) => c.key), changes.map((c) => c.row), changes.map((c) => (c.addition ? ADDED : 0)), 0)]);
    return client.commit(request({ indexes: [{ filenode: INDEX, relation: 0, unique: true, removed: new PackedEntries(runs.removed), added: new PackedEntries(runs.added) }] }));
  };
  const even = Array.from({ length: 5000 }, (_, i): [number, number] => [2 * i, i]);
  t.is(commit([], even).kind, 'committed');
  t.is(commit([], even.map(([n, row]): [number, number] => [n + 1, row + 10_000])).kind, 'committed');
  for (const n of [0, 1, 4999, 5000, 9999]) t.deepEqual(commit([], [[n, 20_000], [20_000, 5]]), { kind: 'duplicate', index: INDEX, key: key(n) }, String(n));
  t.deepEqual(commit([], Array.from({ length: 10_000 }, (_, i): [number, number] => [i + 9999, i + 30_000])), { kind: 'duplicate', index: INDEX, key: key(9999) });
  // All keys move by one.
  const all = allEntries(store, INDEX).map(({ row }, n): [number, number] => [n, row]);
  t.is(all.length, 10_000);
  t.is(commit(all, all.map(([n, row]) => [n + 1, row])).kind, 'committed');
  t.deepEqual(allEntries(store, INDEX).map((entry) => [entry.key, entry.row]), all.map(([n, row]) => [key(n + 1), row]));
  t.is(commit(all.map(([n, row]) => [n + 1, row]), []).kind, 'committed');
  t.false(store.content.keys.some((name) => name.startsWith('\0\0\x4e\x21')));
});
