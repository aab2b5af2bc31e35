// Values of the later types that were wrong once, or that no differential test can see.
import test from 'ava';
import { callOurs, fn, typeIo } from './harness.ts';
import { numericToText, parseNumeric } from '../../src/backend/types/numeric.ts';

const call = (prosrc: string, args: string[], values: (string | null)[], result: string): string =>
  callOurs({ prosrc, proname: prosrc, args, values, result });

test('what is left of a range when its beginning is cut off', (t) => {
  t.is(call('range_minus', ['int4range', 'int4range'], ['[1,10)', '[1,2]'], 'int4range'), '[3,10)');
  t.is(call('multirange_minus', ['int4multirange', 'int4multirange'], ['{[1,3),[5,8)}', '{[5,5]}'], 'int4multirange'), '{[1,3),[6,8)}');
});

test('powers near one with huge exponents', (t) => {
  // The scale for the logarithm was once chosen by a result too small to be shown.
  const power = fn('numeric_power');
  t.is(Number(numericToText(power(parseNumeric('0.9999999999'), parseNumeric('23300000000000')))), 0);
});

test('numeric series up to the largest numeric', (t) => {
  const top = parseNumeric(`9${'0'.repeat(131071)}`);
  t.is([...fn('generate_series_step_numeric')({}, parseNumeric(`8${'0'.repeat(131071)}`), top, parseNumeric(`1${'0'.repeat(131071)}`))].length, 2);
});

test('jsonb subscripts', (t) => {
  const jsonb = typeIo(3802);
  const assign = (target: string | null, path: unknown[], value: string | null): string =>
    jsonb.output(fn('subscript_assign_jsonb')(target === null ? null : jsonb.input(target, -1), path, value === null ? null : jsonb.input(value, -1)));
  t.is(assign('{}', ['a', '0', 'b', '1'], '1'), '{"a": [{"b": [null, 1]}]}');
  t.is(assign('[0]', [3], '1'), '[0, null, null, 1]');
  t.is(assign(null, [0], '"x"'), '["x"]');
  t.is(assign('{"a": 1}', ['a'], null), '{"a": null}');
  t.throws(() => assign('{"a": 1}', ['a', 'b'], '1'), { message: 'cannot replace existing key' });
  t.throws(() => assign('[0]', [-2], '1'), { message: 'path element at position 1 is out of range: -2' });
  t.is(fn('subscript_jsonb')(jsonb.input('{"a": 1}', -1), ['b']), null);
});

test('ids of keyvalue() are offsets in PostgreSQL\'s form', (t) => {
  const jsonb = typeIo(3802), path = typeIo(4072);
  const found = fn('jsonb_path_query_array')(jsonb.input('[{"a": 1, "b": [1, 2]}, {"c": {"a": "bbb"}}]', -1), path.input('$[*].keyvalue().id', -1), jsonb.input('{}', -1), false);
  t.is(jsonb.output(found), '[12, 12, 72]');
});
