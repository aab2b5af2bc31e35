// Sorting by radix, with ties, and by merging runs, against a plain stable sort.
import test from 'ava';
import { rowComparator } from '../../src/backend/executor/row_compare.ts';
import { Tuplesort } from '../../src/backend/executor/tuplesort.ts';
import type { SortKey } from '../../src/backend/nodes/plannodes.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { below, pick, seeded } from '../access/helpers.ts';
import { openSession, run, transaction } from './session.ts';

let session: { remove: () => void };
test.before(async () => { session = await openSession(); });
test.after.always(() => session?.remove());

const key = (column: number, type: number, sortop: number, reverse: boolean, nullsFirst: boolean): SortKey =>
  ({ column, type, sortop, reverse, nullsFirst, collation: 100 }) as unknown as SortKey;
const INT_LT = 97, INT_GT = 521, TEXT_LT = 664, TEXT_GT = 666;

test.serial('random rows', (t) => {
  const random = seeded(11);
  transaction(() => {
    for (let round = 0; round < 12; round++) {
      const count = pick(random, [10, 1500, 4000]), range = pick(random, [1, 5, 1e9]), nulls = round % 3 === 0 ? 0.1 : 0;
      const big = round % 4 === 3 ? 2000 : 5;
      const keys = pick(random, [
        [key(1, 23, INT_LT, false, false)], [key(1, 23, INT_GT, true, true)],
        [key(1, 23, INT_LT, false, false), key(2, 25, TEXT_GT, true, true)], [key(1, 23, INT_GT, true, true), key(2, 25, TEXT_LT, false, false)],
      ]);
      const rows = Array.from({ length: count }, (_, i): Datum[] => [
        random() < nulls ? null : below(random, range) - Math.floor(range / 2), random() < nulls ? null : pick(random, ['a', 'ü', '', 'zz', '\u{1d11e}', '\uffee']), i, 'x'.repeat(below(random, big)),
      ]);
      const sort = new Tuplesort({ keys, types: [23, 25, 23, 25] }, null);
      for (const row of rows) sort.add(row);
      const reader = sort.finish().reader(), got: Datum[][] = [];
      for (let row; (row = reader.next()) !== undefined;) got.push(row);
      sort.close();
      t.deepEqual(got.map((r) => r[2]), [...rows].sort(rowComparator(keys)).map((r) => r[2]), `round ${round}`);
    }
  });
  t.deepEqual(run('select 1'), ['1']);
});
