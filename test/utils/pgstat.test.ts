// The table of activity statistics: entries come and go, and are kept in a file from a stop to the next start.
import test from 'ava';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countCheckpoint, resetShared } from '../../src/backend/utils/pgstat.ts';
import { BGWRITER, KIND, SHARED, addValue, eachEntry, findEntry, loadStatistics, makeEntry, makeStatistics, readEntry, removeDatabaseEntries, removeEntry, saveStatistics, setValue } from '../../src/backend/utils/pgstat_shmem.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
process.chdir(folder);
test.after.always(() => { rmSync(folder, { recursive: true }); });

test.serial('entries that are removed leave the others to be found', (t) => {
  makeStatistics();
  for (let oid = 1; oid <= 20_000; oid++) setValue(makeEntry(5, KIND.relation, oid), 0, oid);
  for (let oid = 3; oid <= 20_000; oid += 3) removeEntry(5, KIND.relation, oid);
  for (let oid = 1; oid <= 20_000; oid++) {
    const entry = findEntry(5, KIND.relation, oid);
    if (oid % 3 === 0 ? entry !== 0 : readEntry(entry)[0] !== oid) return t.fail(`entry of ${oid}`);
  }
  removeDatabaseEntries(5);
  let left = 0;
  eachEntry(() => left++);
  t.is(left, 0);
});

test.serial('beyond its limit there are no entries, until others go', (t) => {
  makeStatistics();
  let made = 0;
  while (makeEntry(5, KIND.function, made + 1) !== 0) made++;
  t.true(made > 30_000);
  removeEntry(5, KIND.function, 7);
  t.true(makeEntry(6, KIND.function, 7) > 0);
});

test.serial('values of more than 32 bits, and below zero', (t) => {
  makeStatistics();
  const entry = makeEntry(5, KIND.relation, 4_294_967_295);
  addValue(entry, 0, 4_294_967_295);
  addValue(entry, 0, 2);
  addValue(entry, 1, -5);
  addValue(entry, 1, 3);
  addValue(entry, 2, 3);
  addValue(entry, 2, -10_000_000_000);
  setValue(entry, 3, 848_000_000_123_456);
  t.deepEqual([...readEntry(entry).subarray(0, 4)], [4_294_967_297, -2, -9_999_999_997, 848_000_000_123_456]);
});

test.serial('what a stop has kept is there at the next start, once', (t) => {
  makeStatistics();
  addValue(makeEntry(5, KIND.relation, 16_400), 3, 12_345_678_901);
  saveStatistics();
  makeStatistics();
  loadStatistics();
  t.is(readEntry(findEntry(5, KIND.relation, 16_400))[3], 12_345_678_901);
  t.false(existsSync('statistics'));
  makeStatistics();
  loadStatistics();
  t.is(findEntry(5, KIND.relation, 16_400), 0);
});

test.serial('a CHECKPOINT is counted (none was), until bgwriter is reset', (t) => {
  makeStatistics();
  const requested = (): number => readEntry(findEntry(0, KIND.shared, SHARED.bgwriter))[BGWRITER.requestedCheckpoints]!;
  countCheckpoint();
  countCheckpoint();
  t.is(requested(), 2);
  resetShared('bgwriter');
  t.is(requested(), 0);
});
