import { spawnSync } from 'node:child_process';
import test from 'ava';
import { CUT_BYTES, encodeKey, encodePrefix, keyHasNull, keyRange, MAX_INDEX_KEY_BYTES, mayBeCut, plainRange, successor } from '../../src/backend/access/key.ts';
import type { IndexColumn } from '../../src/backend/catalog/relation.ts';
import { ArrayValue, Interval, RecordValue, TimeTz, type Datum } from '../../src/backend/types/datum.ts';
import { NUMERIC_INFINITY, NUMERIC_NAN, NUMERIC_NEGATIVE_INFINITY, parseNumeric } from '../../src/backend/types/numeric.ts';
import { ascending, below, pick, seeded } from './helpers.ts';
import { oracle } from '../support/oracle.ts';

const num = parseNumeric;
/** Values in SQL order; those in one list are equal. */
const ORDERS: [string, number, number, Datum[][]][] = [
  ['bool', 16, 10003, [[false], [true]]],
  ['int8', 20, 3124, [[-(2n ** 63n)], [-(2n ** 53n)], [-(2 ** 53) + 1], [-4294967297], [-4294967296], [-65537], [-65536], [-257], [-256], [-255], [-2], [-1], [0], [1], [127], [128],
    [255], [256], [65535], [65536], [16777215], [16777216], [4294967295], [4294967296], [2 ** 53 - 1], [2n ** 53n], [2n ** 63n - 1n]]],
  ['float8', 701, 3123, [[-Infinity], [-1e300], [-1.5], [-1e-300], [0, -0], [1e-300], [1.5], [1e300], [Infinity], [NaN]]],
  ['numeric', 1700, 3125, [[NUMERIC_NEGATIVE_INFINITY], [num('-1e50')], [num('-100.5')], [num('-100'), num('-100.00')], [num('-99')], [num('-1.01')], [num('-1')], [num('-0.1')], [num('-0.01')], [num('0'), num('0.000')],
    [num('0.001')], [num('0.01')], [num('0.011')], [num('0.1'), num('0.100')], [num('1'), num('1.0')], [num('1.5')], [num('9')], [num('10'), num('10.0')], [num('10.01')], [num('99')], [num('100')], [num('123456789012345678901234567890')], [NUMERIC_INFINITY], [NUMERIC_NAN]]],
  ['text', 25, 3126, [[''], [' '], ['A'], ['Aa'], ['a'], ['a b'], ['ab'], ['b'], ['é'], ['é1'], ['日'], ['𝄞']]],
  ['bpchar', 1042, 10004, [['', '   '], ['a', 'a  '], ['a b'], ['ab', 'ab   ']]],
  ['bytea', 17, 10006, [[Uint8Array.of()], [Uint8Array.of(0)], [Uint8Array.of(0, 0)], [Uint8Array.of(0, 1)], [Uint8Array.of(0, 255)], [Uint8Array.of(1)], [Uint8Array.of(1, 0)], [Uint8Array.of(255)]]],
  ['char', 18, 10007, [[''], ['a'], ['b'], ['\xff']]],
  ['interval', 1186, 10022, [[new Interval(0, -1, 0), new Interval(0, 0, -86400000000)], [new Interval(0, 0, 0)], [new Interval(0, 0, 1)], [new Interval(0, 29, 0)],
    [new Interval(1, 0, 0), new Interval(0, 30, 0), new Interval(0, 29, 86400000000)], [new Interval(12, 0, 0)], [new Interval(2147483647, 2147483647, 2n ** 63n - 1n)]]],
  ['timetz', 1266, 10041, [[new TimeTz(0, -3600)], [new TimeTz(3600e6, -3600)], [new TimeTz(0, 0)], [new TimeTz(3600e6, 0)], [new TimeTz(0, 3600)]].slice(0, 1).concat([])],
  ['uuid', 2950, 10065, [['00000000-0000-0000-0000-000000000000'], ['00000000-0000-0000-0000-000000000001'], ['ffffffff-ffff-ffff-ffff-ffffffffffff']]],
  ['int4[]', 1007, 10000, [[new ArrayValue(23, [], [], [])], [new ArrayValue(23, [1], [1], [-5])], [new ArrayValue(23, [1], [1], [1])], [new ArrayValue(23, [2], [1], [1, 1])], [new ArrayValue(23, [2], [1], [1, null])], [new ArrayValue(23, [1], [1], [null])]]],
  ['oidvector', 30, 10032, [[new ArrayValue(26, [], [], [])], [new ArrayValue(26, [1], [0], [9])], [new ArrayValue(26, [2], [0], [1, 1])]]],
  ['record', 2249, 10034, [1, 2].flatMap((a) => ['x', 'y', null].map((b) => [new RecordValue(2249, [
    { name: 'a', typeOid: 23, typmod: -1, collation: 0, dropped: false }, { name: 'b', typeOid: 25, typmod: -1, collation: 0, dropped: false }], [a, b])]))],
];

for (const [name, type, opclass, groups] of ORDERS) {
  test(`${name}: keys are in SQL order, also with other columns behind, and inverted`, (t) => {
    for (const descending of [false, true]) {
      for (const nullsFirst of [false, true]) {
        const columns: IndexColumn[] = [{ ...ascending(type, opclass), descending, nullsFirst }, ascending(23, 1978)];
        const all: Datum[][] = [...(descending ? groups.toReversed() : groups)];
        if (nullsFirst) all.unshift([null]); else all.push([null]);
        for (let i = 0; i < all.length; i++) {
          for (const value of all[i]!) t.is(encodeKey(columns, [value]), encodeKey(columns, [all[i]![0]!]), 'equal values have equal keys');
          for (let j = i + 1; j < all.length; j++) {
            t.true(encodeKey(columns, [all[i]![0]!, 1e9]) < encodeKey(columns, [all[j]![0]!, -1e9]), `${i} < ${j}`);
            t.false(encodeKey(columns, [all[j]![0]!]).startsWith(encodeKey(columns, [all[i]![0]!])), 'no key is the beginning of another');
          }
        }
      }
    }
  });
}

test('timetz sorts by UTC time, then by zone', (t) => {
  const columns = [ascending(1266, 10041)];
  const key = (time: number, zone: number) => encodeKey(columns, [new TimeTz(time, zone)]);
  t.true(key(0, -3600) < key(0, 0));
  t.true(key(3600e6, 0) < key(0, 3600) && key(0, 3600) > key(0, 0));
  t.not(key(3600e6, 0), key(0, 3600));
});

test('the integer types share their keys', (t) => {
  t.is(encodeKey([ascending(21, 1979)], [300]), encodeKey([ascending(20, 3124)], [300]));
  t.is(encodeKey([ascending(700, 10012)], [1.5]), encodeKey([ascending(701, 3123)], [1.5]));
});

test('ranges hold what the conditions allow', (t) => {
  const random = seeded(3);
  for (let round = 0; round < 200; round++) {
    const columns = [0, 1].map((): IndexColumn => ({ ...ascending(23, 1978), descending: random() < 0.5, nullsFirst: random() < 0.5 }));
    const value = (): Datum => (random() < 0.2 ? null : below(random, 6) - 3);
    const rows = Array.from({ length: 30 }, () => [value(), value()]);
    const equals = random() < 0.5 ? [] : [value()];
    const column = equals.length;
    const lower = random() < 0.5 ? { value: below(random, 6) - 3, inclusive: random() < 0.5 } : null;
    const upper = random() < 0.5 ? { value: below(random, 6) - 3, inclusive: random() < 0.5 } : null;
    const notNull = random() < 0.3;
    const { from, to } = plainRange(keyRange(columns, equals, lower, upper, notNull));
    for (const row of rows) {
      const v = row[column] as number | null;
      const expected = equals.every((e, i) => e === row[i])
        && (lower === null || (v !== null && (v > (lower.value as number) || (lower.inclusive && v === lower.value))))
        && (upper === null || (v !== null && (v < (upper.value as number) || (upper.inclusive && v === upper.value))))
        && (!notNull || v !== null);
      const key = encodeKey(columns, row);
      t.is(from !== null && key >= from && (to === null || key < to), expected, JSON.stringify({ row, equals, lower, upper, columns }));
    }
  }
});

test('small things', (t) => {
  t.is(successor('ab'), 'ac');
  t.is(successor('a\xff\xff'), 'b');
  t.is(successor('\xff'), null);
  const columns = [ascending(23, 1978), ascending(25, 3126)];
  t.true(keyHasNull(columns, [1, null]));
  t.false(keyHasNull(columns, [1, 'a']));
});

test('long keys are cut to what the store takes, and tell whole keys apart', (t) => {
  const columns = [ascending(25, 3126), ascending(25, 3126)];
  const key = (...values: string[]) => encodeKey(columns, values);
  const long = 'x'.repeat(1500);
  t.is(key(long, 'a'.repeat(464)), encodePrefix(columns, [long, 'a'.repeat(464)]), 'what fits is stored as it is');
  t.false(mayBeCut(key(long, 'a'.repeat(464))));
  const a = key(long, 'a'.repeat(465)), b = key(long, `${'a'.repeat(465)}b`);
  t.is(a.length, MAX_INDEX_KEY_BYTES);
  t.true(mayBeCut(a) && mayBeCut(b));
  t.not(a, b);
  t.is(a.slice(0, CUT_BYTES), b.slice(0, CUT_BYTES));
  t.true(key(long, 'b'.repeat(600)) > a, 'the beginning tells the order');
  t.is(encodePrefix(columns, ['x'.repeat(5000)]).length, 5002, 'prefixes are not cut');
});

// The oracle sorts what we sort.
const run = (sql: string) => spawnSync('psql', [...oracle!.psql, '-c', sql], { encoding: 'utf8' });
const asOracle = oracle === undefined ? test.skip : test;

asOracle('random numerics and texts sort as in PostgreSQL', (t) => {
  const random = seeded(9);
  const number = (): string => `${random() < 0.5 ? '-' : ''}${below(random, 10 ** below(random, 9))}.${'0'.repeat(below(random, 4))}${below(random, 100)}`;
  const text = (): string => Array.from({ length: below(random, 6) }, () => pick(random, ['a', 'B', ' ', 'é', '日', '𝄞', '_', '1', '~'])).join('');
  for (const [type, oid, opclass, make, parse] of [['numeric', 1700, 3125, number, num], ['text', 25, 3126, text, String]] as const) {
    const values = Array.from({ length: 300 }, make);
    const list = values.map((v) => `('${v}'::${type})`).join(',');
    const { stdout, stderr } = run(`select v from (values ${list}) x(v) order by v ${type === 'text' ? 'collate "C"' : ''}`);
    t.is(stderr, '');
    const columns = [ascending(oid, opclass)];
    const ours = values.map((v) => parse(v)).sort((a, b) => { const x = encodeKey(columns, [a]), y = encodeKey(columns, [b]); return x < y ? -1 : x > y ? 1 : 0; });
    const theirs = stdout.split('\n').slice(0, -1).map((v) => parse(v));
    t.deepEqual(ours.map((v) => encodeKey(columns, [v])), theirs.map((v) => encodeKey(columns, [v])));
  }
});
