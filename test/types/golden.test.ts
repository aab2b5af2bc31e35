// Fixed cases, which need no PostgreSQL: one or more of every family.
import test from 'ava';
import '../../src/backend/types/index.ts';
import { ArrayValue, Interval, makeArray } from '../../src/backend/types/datum.ts';
import { arrayAssignElement, arrayAssignSlice, arrayElement, arraySlice } from '../../src/backend/types/array_subscript.ts';
import { comparatorFor, equalsFor, hashKeyFor } from '../../src/backend/types/compare.ts';
import { parseNumeric } from '../../src/backend/types/numeric.ts';
import { describeError, fn, TYPES, typeIo } from './harness.ts';

const oid = (name: string): number => TYPES.get(name)!.oid;
const value = (type: string, text: string): any => typeIo(oid(type)).input(text, -1);
const show = (type: string, datum: any): string => typeIo(oid(type)).output(datum);

function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return describeError(error);
  }
  return 'no error';
}

test('integers keep to their range, and -0 is 0', (t) => {
  t.is(failure(() => fn('int4pl')(2147483647, 1)), 'ERROR 22003: integer out of range');
  t.is(failure(() => fn('int4div')(1, 0)), 'ERROR 22012: division by zero');
  t.true(Object.is(fn('int4mul')(0, -5), 0));
  t.is(fn('int8mul')(3037000500, 3037000499), 9223372033963249500n);
  t.is(failure(() => fn('int8pl')(value('bigint', '9223372036854775807'), 1)), 'ERROR 22003: bigint out of range');
  t.is(fn('int8mi')(9007199254740993n, 2), 9007199254740991);
});

test('floating point shows the shortest digits, strictly inside the rounding interval', (t) => {
  t.is(show('double precision', 1e23), '9.999999999999999e+22');
  t.is(show('double precision', 2e23), '1.9999999999999998e+23');
  t.is(show('real', Math.fround(1.5e10)), '1.5000001e+10');
  t.is(show('real', Math.fround(0.1)), '0.1');
  t.is(show('double precision', 1e15), '1e+15');
});

test('numeric scales', (t) => {
  const divide = (a: string, b: string): string => show('numeric', fn('numeric_div')(parseNumeric(a), parseNumeric(b)));
  t.is(divide('1', '3'), '0.33333333333333333333');
  t.is(divide('10', '4.00'), '2.5000000000000000');
  t.is(show('numeric', fn('numeric_sqrt')(parseNumeric('2'))), '1.414213562373095');
  t.is(show('numeric', fn('numeric_exp')(parseNumeric('1'))), '2.7182818284590452');
  t.is(show('numeric', fn('numeric_power')(parseNumeric('2'), parseNumeric('0.5'))), '1.4142135623730950');
  t.is(show('numeric', fn('numeric_round')(parseNumeric('-2.5'), 0)), '-3');
});

test('arrays: subscripts, slices, assignment', (t) => {
  const array = value('integer[]', '[0:2]={1,NULL,3}') as ArrayValue;
  t.is(show('integer[]', array), '[0:2]={1,NULL,3}');
  t.is(arrayElement(array, [2]), 3);
  t.is(arrayElement(array, [3]), null);
  t.is(show('integer[]', arraySlice(array, [1], [9])), '{NULL,3}');
  t.is(show('integer[]', arrayAssignElement(array, 23, [5], 9)), '[0:5]={1,NULL,3,NULL,NULL,9}');
  t.is(show('integer[]', arrayAssignElement(null, 23, [1], 7)), '{7}');
  t.is(show('integer[]', arrayAssignSlice(array, 23, [1], [2], makeArray(23, [8, 9]))), '[0:2]={1,8,9}');
  t.is(failure(() => value('integer[]', '{1,{2}}')), 'ERROR 22P02: malformed array literal: "{1,{2}}" | Unexpected "{" character.');
});

test('equal values have equal hash keys', (t) => {
  const numericKey = hashKeyFor(oid('numeric'));
  t.is(numericKey(parseNumeric('1.0')), numericKey(parseNumeric('1.000000000000000000000000')));
  t.not(numericKey(parseNumeric('12345678901234567890.1')), numericKey(parseNumeric('12345678901234567890.2')));
  t.is(hashKeyFor(oid('character'))('ab  '), 'ab');
  t.true(equalsFor(1186)(new Interval(1, 0, 0), new Interval(0, 30, 0)));
  t.is(hashKeyFor(1186)(new Interval(1, 0, 0)), hashKeyFor(1186)(new Interval(0, 30, 0)));
  t.is(hashKeyFor(oid('integer[]'))(makeArray(23, [1, 23])) === hashKeyFor(oid('integer[]'))(makeArray(23, [12, 3])), false);
  t.true(comparatorFor(oid('text'))('\u{10000}', '\uffff') > 0, 'code points, not UTF-16 units');
});

test('aggregates leave their initial value alone', (t) => {
  const initial = value('bigint[]', '{0,0}') as ArrayValue;
  let state = fn('int4_avg_accum')(initial, 3);
  state = fn('int4_avg_accum')(state, 4);
  t.is(show('numeric', fn('int8_avg')(state)), '3.5000000000000000');
  t.is(show('bigint[]', initial), '{0,0}');
  let sums = fn('numeric_accum')(null, parseNumeric('1.5'));
  sums = fn('numeric_accum')(sums, parseNumeric('2.50'));
  t.is(show('numeric', fn('numeric_sum')(sums)), '4.00');
  t.is(show('numeric', fn('numeric_var_samp')(sums)), '0.50000000000000000000');
  let variance = fn('int4_accum')(null, 1);
  for (const next of [2, 3, 4]) variance = fn('int4_accum')(variance, next);
  t.is(show('numeric', fn('numeric_poly_stddev_samp')(variance)), '1.2909944487358056');
});

test('binary form: what is sent can be received', (t) => {
  for (const [type, texts] of Object.entries({
    boolean: ['t', 'f'], smallint: ['-5'], integer: ['2147483647'], bigint: ['-9223372036854775808', '5'], numeric: ['-123.4500', '0', '1e30', 'NaN', '0.00001'],
    text: ['äöü😀'], bytea: ['\\x00ff'], uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'], real: ['1.5'], 'double precision': ['-Infinity'],
    'integer[]': ['{1,NULL,3}', '{}'], 'bit varying': ['10101010101'], tid: ['(7,3)'], oidvector: ['1 2 3'],
  })) {
    for (const text of texts) {
      const io = typeIo(oid(type));
      const datum = value(type, text);
      t.is(io.output(io.receive(io.send(datum), -1)), io.output(datum), `${type} ${text}`);
    }
  }
  t.is(failure(() => typeIo(23).receive(new Uint8Array(3), -1)), 'ERROR 08P01: insufficient data left in message');
});
