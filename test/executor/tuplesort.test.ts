// Sorting by radix, with ties, and by merging runs, against a plain sort.
import test from 'ava';
import { rowComparator } from '../../src/backend/executor/row_compare.ts';
import { Tuplesort } from '../../src/backend/executor/tuplesort.ts';
import type { SortKey } from '../../src/backend/nodes/plannodes.ts';
import { rawParse } from '../../src/backend/parser/raw_parser.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { below, pick, seeded } from '../access/helpers.ts';
import { openSession, run, runOne, transaction } from './session.ts';

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
      const compare = rowComparator(keys);
      t.deepEqual(got.map((r) => [r[0], keys.length > 1 ? r[1] : null]), [...rows].sort(compare).map((r) => [r[0], keys.length > 1 ? r[1] : null]), `round ${round}`);
      t.deepEqual(got.map((r) => r[2] as number).sort((a, b) => a - b), rows.map((_, i) => i));
    }
  });
  t.deepEqual(run('select 1'), ['1']);
});

// Many rows are sorted by 32 bits of the first key, and what these leave by comparing.
test.serial('abbreviated keys', (t) => {
  const random = seeded(5), count = 21_000, INT8_LT = 412, INT8_GT = 413, FLOAT8_LT = 672, TIMESTAMP_GT = 2064;
  const ascii = 'abcxyz019 _~', wide = 'abz\x7f\x80éü\u07ff\ud7ff\ue000\uffee';
  const word = (letters: string, longest: number): string => Array.from({ length: below(random, longest) }, () => letters[below(random, letters.length)]).join('');
  const makers: [string, number, number, number, () => Datum][] = [
    ['words', 25, TEXT_LT, TEXT_GT, () => word(ascii, 9)], ['wide', 25, TEXT_LT, TEXT_GT, () => word(wide, 7) + pick(random, ['', '\u{1d11e}', '\u{10ffff}x'])],
    ['alike', 25, TEXT_LT, TEXT_GT, () => `name of something ${below(random, 30_000)}`], ['same', 25, TEXT_LT, TEXT_GT, () => 'same'],
    ['numbers', 20, INT8_LT, INT8_GT, () => below(random, 1e9) - 5e8], ['large', 20, INT8_LT, INT8_GT, () => (random() < 0.5 ? below(random, 100) : BigInt(below(random, 1e9)) * 9_000_000_000n - 1n)],
    ['floats', 701, FLOAT8_LT, FLOAT8_LT, () => (random() - 0.5) * 10 ** below(random, 200)], ['strange floats', 701, FLOAT8_LT, FLOAT8_LT, () => pick(random, [1, -0, 0, Infinity, -Infinity, NaN, 1e308])],
    ['times', 1114, TIMESTAMP_GT, TIMESTAMP_GT, () => 7e14 + below(random, 1e9)], ['few', 701, FLOAT8_LT, FLOAT8_LT, () => below(random, 3)],
  ];
  transaction(() => {
    for (const [name, type, lt, gt, make] of makers) {
      const reverse = lt === gt ? lt === TIMESTAMP_GT : random() < 0.5, nulls = random() < 0.5 ? 0.05 : 0, nullsFirst = random() < 0.5;
      const keys = [key(1, type, reverse ? gt : lt, reverse, nullsFirst), key(2, 23, INT_GT, true, true)];
      const rows = Array.from({ length: count }, (_, i): Datum[] => [random() < nulls ? null : make(), below(random, 4), i]);
      const sort = new Tuplesort({ keys, types: [type, 23, 23] }, null);
      for (const row of rows) sort.add(row);
      const reader = sort.finish().reader(), compare = rowComparator(keys), got: Datum[][] = [];
      for (let row; (row = reader.next()) !== undefined;) got.push(row);
      sort.close();
      t.is(got.findIndex((row, i) => i > 0 && compare(got[i - 1]!, row) > 0), -1, name);
      t.is(new Set(got.map((r) => r[2])).size, count, name);
    }
  });
});

const ORACLE = {
  whole: '15 9 18 3 12 6 10 13 16 7 19 1 4 20 2 5 8 11 14 17',
  sixty: '31 17 33 3 35 19 37 11 39 21 41 7 43 23 45 13 47 25 49 5 51 27 53 15 55 29 57 9 59 1 60 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 42 44 46 48 50 52 54 56 58',
  limited: '12 3 6 9 15',
  inside: '8 24 12 4 28 20 16 1 5 9 13 17 21 25 29 6 30 2 10 26 14 22 18 15 27 19 23 3 11 7',
};
const inTransaction = (sql: string): string[] => runOne(rawParse(sql)[0]!, sql);

// Rows that tie come as from PostgreSQL's sort: these orders are what it gave.
test.serial('ties', (t) => {
  t.deepEqual(run('select i from generate_series(1, 20) i order by i % 3').join(' '), ORACLE.whole);
  t.deepEqual(run('select i from generate_series(1, 60) i order by i % 2 desc').join(' '), ORACLE.sixty);
  t.deepEqual(run('select i from generate_series(1, 20) i order by i % 3 limit 5').join(' '), ORACLE.limited);
  t.deepEqual(run("select string_agg(i::text, ' ' order by i % 4) from generate_series(1, 30) i").join(' '), ORACLE.inside);
});

// An updated row goes behind the others, as in PostgreSQL's heap.
test.serial('rows after UPDATE', (t) => {
  const all = (): string => run('select a from heap_order').join(' ');
  run('create table heap_order (a int, b text)');
  run("insert into heap_order select i, 'x' from generate_series(1, 6) i");
  t.is(all(), '1 2 3 4 5 6');
  run("update heap_order set b = 'y' where a in (2, 4)");
  t.is(all(), '1 3 5 6 2 4');
  run("update heap_order set b = 'longer' where a = 1");
  run('delete from heap_order where a = 5');
  run('insert into heap_order values (7)');
  t.is(all(), '3 6 2 4 1 7');
  run("update heap_order set b = b || '!'");
  t.is(all(), '3 6 2 4 1 7');
  t.deepEqual(run('select a from heap_order where ctid = (select ctid from heap_order where a = 4)'), ['4']);
  run("update heap_order set b = 'c' where a = 6");
  run('delete from heap_order where a > 3 and a < 7');
  t.is(all(), '3 2 1 7');
});

// Two updates in one transaction: the order is theirs, not that of the rows.
test.serial('rows after updates in one transaction', (t) => {
  run('create table heap_order2 (a int, b int)');
  run('insert into heap_order2 select i, 0 from generate_series(1, 5) i');
  transaction(() => {
    inTransaction('update heap_order2 set b = 1 where a = 4');
    inTransaction('update heap_order2 set b = 1 where a = 2');
    t.is(inTransaction('select a from heap_order2').join(' '), '1 3 5 4 2');
  });
  t.is(run('select a from heap_order2').join(' '), '1 3 5 4 2');
  transaction(() => {
    inTransaction('insert into heap_order2 values (6, 0), (7, 0), (8, 0)');
    inTransaction('update heap_order2 set b = 1 where a = 7');
    inTransaction('update heap_order2 set b = 1 where a = 6');
  });
  t.is(run('select a from heap_order2').join(' '), '1 3 5 4 2 8 7 6');
});
