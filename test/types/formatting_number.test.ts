// to_char and to_number: every template with every value of the pools against a real PostgreSQL, and a few golden ones.
import test from 'ava';
import { askOracle, callOurs, callSql, fn, oracleAvailable, type Call } from './harness.ts';
import { POOLS } from './pools.ts';

const TEMPLATES = ['FMRN', 'RN', '999S', '999.999', '9.9', 'FM9.9', 'FM0009', '9999MI', '9999PR', 'FM9999PR', '999th', '9 9 9', '9,999', '9G999', '999D999',
  '9G999D999', 'SG999', 'S999', '99V999', '"Good number"999', '9.99EEEE', '999', 'L999', 'PL999', '99999.999', '0.9', 'B9.9', 'MI9', 'PL9', 'SG9', 'S9', '9S',
  'FM999.', 'FM999.990', '99TH', 'FM.99', 'FM9PR', 'FM99999999.9999999', '00000.00', 'S0.9', '.9', '9.', '099.90', 'FMS99.99', '9.9S', '9.9MI', '9.9PL', 'S9S',
  '9PR9', '9..9', '9V.9', 'EEEE9', '9EEEEFM', 'FM9,999,999.99', 'xyz9', '\\"9', 'SP99', '9C9', 'rn', '0', 'FM00.00', '9990', '0999', '999V9', 'V99', 'L9G999D99'];
const TYPES = [['numeric', 'numeric_to_char'], ['integer', 'int4_to_char'], ['bigint', 'int8_to_char'], ['real', 'float4_to_char'],
  ['double precision', 'float8_to_char']] as const;
const NUMBERS = ['-34,338,492', '-34,338,492.654,878', '<564646.654564>', '0.00001-', '5.01-', '.0', '0', '-0.01', '.-01', ' . 0 1-', ' 1 2 3', '$1,234.56',
  '123-', '+45', '12th', '1.5e3', 'abc', '', '12345678901234567890', '- 7', '7 -', '<9>'];

(oracleAvailable ? test : test.skip)('as PostgreSQL', (t) => {
  const calls = TEMPLATES.flatMap((template): Call[] => [
    ...TYPES.flatMap(([type, prosrc]) => POOLS[type]!.map((value): Call =>
      ({ prosrc, proname: 'to_char', args: [type, 'text'], values: [value, template], result: 'text' }))),
    ...NUMBERS.map((text): Call => ({ prosrc: 'numeric_to_number', proname: 'to_number', args: ['text', 'text'], values: [text, template], result: 'numeric' })),
  ]);
  const theirs = askOracle(calls.map(callSql));
  t.log(`${calls.length} calls`);
  t.deepEqual(calls.flatMap((call, i) => (callOurs(call) === theirs[i] ? [] : [`${callSql(call)}: |${callOurs(call)}| |${theirs[i]}|`])), []);
});

test('golden', (t) => {
  t.is(fn('int4_to_char')(485, 'FMRN'), 'CDLXXXV');
  t.is(fn('int4_to_char')(-12, '9999PR'), '  <12>');
  t.is(fn('float8_to_char')(-7.25, '9.9MI'), '7.2-', 'halves go to even, as in C');
  t.is(String(fn('numeric_to_number')('-34,338,492.654', '99G999G999D999')), '-34338492.654');
});
