import test from 'ava';
import { ROW_WIDE, formRow, makeLayout, readColumn, readRow, rowLength, storageClassOf } from '../../src/backend/access/row.ts';
import { ArrayValue, Interval, RecordValue, TimeTz, type Datum } from '../../src/backend/types/datum.ts';
import { NUMERIC_INFINITY, NUMERIC_NAN, NUMERIC_NEGATIVE_INFINITY, parseNumeric } from '../../src/backend/types/numeric.ts';
import { below, pick, seeded, type Random } from './helpers.ts';

const texts = ['', 'a', 'hello', 'ünïcödé', '日本語のテキスト', '𝄞 clef', 'x'.repeat(23), 'y'.repeat(24), 'z'.repeat(25), 'é'.repeat(24), 'long '.repeat(200)];
const numerics = ['0', '0.00', '1', '-1', '255', '256', '-65536', '4294967295', '4294967296', '1099511627776', '281474976710656',
  '9007199254740991', '9007199254740992', '-9007199254740993', '123456789012345678901234567890.123456789', `0.${'0'.repeat(200)}1`, `-1.${'9'.repeat(130)}`];

const VALUES: Record<number, (r: Random) => Datum> = {
  16: (r) => r() < 0.5,
  21: (r) => pick(r, [0, -1, 32767, -32768, below(r, 30000)]),
  23: (r) => pick(r, [0, -1, 2147483647, -2147483648, below(r, 1e9)]),
  26: (r) => pick(r, [0, 4294967295, below(r, 4e9)]),
  20: (r) => pick<Datum>(r, [0, -1, 1, 2 ** 53 - 1, -(2 ** 53) + 1, 2n ** 53n, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), below(r, 1e15), -4294967296, 4294967295]),
  700: (r) => pick(r, [0, -0, NaN, Infinity, -Infinity, Math.fround(r())]),
  701: (r) => pick(r, [0, -0, NaN, Infinity, -Infinity, r() * 1e300]),
  25: (r) => pick(r, texts),
  1042: (r) => pick(r, ['', 'ä  ', ' x', ' '.repeat(254), `b${' '.repeat(255)}`, ' '.repeat(70), 'c'.repeat(30)]),
  19: (r) => pick(r, ['pg_class', 'x', '']),
  18: (r) => pick(r, ['', 'a', '\x80', '\xff']),
  17: (r) => Uint8Array.from({ length: below(r, 40) }, () => below(r, 256)),
  1082: (r) => pick(r, [0, -2147483648, 2147483647, below(r, 10000)]),
  1114: (r) => pick<Datum>(r, [0, 2n ** 63n - 1n, -(2n ** 63n), 7.5e14]),
  1186: (r) => new Interval(below(r, 99) - 50, below(r, 99) - 50, pick(r, [0, -5e11, 2n ** 62n])),
  1266: (r) => new TimeTz(below(r, 86400) * 1e6, pick(r, [0, 3600, -7200])),
  2950: (r) => Array.from({ length: 32 }, () => below(r, 16).toString(16)).join('').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  1700: (r) => pick(r, [NUMERIC_NAN, NUMERIC_INFINITY, NUMERIC_NEGATIVE_INFINITY, ...numerics.map(parseNumeric)]),
  1007: (r) => new ArrayValue(23, [3], [1], [1, r() < 0.5 ? null : 2, -3]),
  1009: (r) => new ArrayValue(25, [2, 1], [0, -4], [pick(r, texts), null]),
  2249: (r) => new RecordValue(2249, [{ name: 'ä', typeOid: 23, typmod: -1, collation: 0, dropped: false }, { name: 'b', typeOid: 25, typmod: 5, collation: 100, dropped: false }], [below(r, 9), pick(r, texts)]),
};
const types = Object.keys(VALUES).map(Number);
const storageOf = (t: number) => storageClassOf(t, -1, 'b');

const decode = (row: Uint8Array): [Buffer, DataView] => {
  // A row never stands at the start of a block.
  const bytes = Buffer.concat([Buffer.alloc(11), row, Buffer.alloc(5)]);
  return [bytes, new DataView(bytes.buffer, bytes.byteOffset)];
};

test('rows of random layouts come back as they were', (t) => {
  const random = seeded(1);
  for (let i = 0; i < 300; i++) {
    const columns = Array.from({ length: 1 + below(random, 20) }, () => pick(random, types));
    const layout = makeLayout(columns.map((atttypid, n) => ({ attnum: n + 1, atttypid })), storageOf);
    const values = columns.map((c) => (random() < 0.15 ? null : VALUES[c]!(random)));
    const row = formRow(layout, values);
    const [bytes, view] = decode(row);
    t.deepEqual(readRow(bytes, view, 11, layout), values);
    const attnum = 1 + below(random, columns.length);
    t.deepEqual(readColumn(bytes, view, 11, layout, attnum), values[attnum - 1]);
    t.is(rowLength(view, 11, layout), row.length);
  }
});

test('a row with more than 64 kB of variable data has wide ends', (t) => {
  const layout = makeLayout([23, 25, 25, 1700, 1009, 17].map((atttypid, n) => ({ attnum: n + 1, atttypid })), storageOf);
  const values = [7, 'ä'.repeat(50000), null, parseNumeric('1.50'), new ArrayValue(25, [1], [1], ['q'.repeat(70000)]), new Uint8Array(5)];
  const [bytes, view] = decode(formRow(layout, values));
  t.true((view.getUint16(15, true) & ROW_WIDE) !== 0);
  t.deepEqual(readRow(bytes, view, 11, layout), values);
  // Large, but not in its variable part alone.
  const almost = [1, 'x'.repeat(65000), 'y'.repeat(535), null, null, null];
  const [b2, v2] = decode(formRow(layout, almost));
  t.deepEqual(readRow(b2, v2, 11, layout), almost);
});

test('rows written before a column was added give its missing value', (t) => {
  const before = makeLayout([23, 25].map((atttypid, n) => ({ attnum: n + 1, atttypid })), storageOf);
  const after = makeLayout([{ attnum: 1, atttypid: 23 }, { attnum: 2, atttypid: 25 }, { attnum: 3, atttypid: 20 }, { attnum: 4, atttypid: 25, missing: 'dflt' }], storageOf);
  const [bytes, view] = decode(formRow(before, [5, 'five']));
  t.deepEqual(readRow(bytes, view, 11, after), [5, 'five', null, 'dflt']);
  t.is(readColumn(bytes, view, 11, after, 4), 'dflt');
  t.is(readColumn(bytes, view, 11, after, 2), 'five');
});

test('a dropped column keeps its place', (t) => {
  const before = makeLayout([{ attnum: 1, atttypid: 20 }, { attnum: 2, atttypid: 701 }, { attnum: 3, atttypid: 25 }], storageOf);
  const after = makeLayout([{ attnum: 1, atttypid: 20 }, { attnum: 2, atttypid: 0, attlen: 8, attalign: 'd' }, { attnum: 3, atttypid: 25 }], storageOf);
  const [bytes, view] = decode(formRow(before, [1, 2.5, 'x']));
  t.is(readColumn(bytes, view, 11, after, 3), 'x');
  const [b2, v2] = decode(formRow(after, [1, null, 'y']));
  t.deepEqual(readRow(b2, v2, 11, after), [1, null, 'y']);
});
