// Numeric functions on random numbers of all sizes (seeded) against a real PostgreSQL: scales and last digits.
import test from 'ava';
import { randomFrom } from '../support/random.ts';
import { askOracle, callOurs, callSql, oracleAvailable, type Call } from './harness.ts';

const ONE = ['numeric_sqrt', 'numeric_exp', 'numeric_ln', 'numeric_float8', 'numeric_trim_scale'];
const NAMES: Record<string, string> = { numeric_trim_scale: 'trim_scale', numeric_float8: 'float8', float8_numeric: 'numeric' };
const TWO = ['numeric_div', 'numeric_mul', 'numeric_mod', 'numeric_power', 'numeric_log', 'numeric_add'];

function calls(count: number, seed: number): Call[] {
  const random = randomFrom(seed);
  const digits = (most: number): string => Array.from({ length: 1 + random(most) }, () => random(10)).join('');
  const number = (size: number): string =>
    `${random(4) === 0 ? '-' : ''}${random(3) === 0 ? '0' : digits(size)}${random(3) > 0 ? `.${random(3) === 0 ? '0'.repeat(random(9)) : ''}${digits(size)}` : ''}`;
  const result: Call[] = [];
  for (let i = 0; i < count; i++) {
    for (const prosrc of ONE) {
      const value = number(prosrc === 'numeric_exp' ? 3 : 20);
      result.push({ prosrc, proname: NAMES[prosrc] ?? prosrc, args: ['numeric'], values: [value], result: prosrc.endsWith('float8') ? 'double precision' : 'numeric' });
    }
    for (const prosrc of TWO) {
      const values = prosrc === 'numeric_power' ? [number(5), number(2)] : [number(12), number(12)];
      result.push({ prosrc, proname: prosrc, args: ['numeric', 'numeric'], values, result: 'numeric' });
    }
    result.push({ prosrc: 'float8_numeric', proname: 'numeric', args: ['double precision'], values: [number(20)], result: 'numeric' });
  }
  return result;
}

(oracleAvailable ? test : test.skip)('random numbers', (t) => {
  const all = calls(Number(process.env['POSTHOUSE_CASES'] ?? 150), Number(process.env['POSTHOUSE_SEED'] ?? 1));
  const theirs = askOracle(all.map(callSql));
  t.log(`${all.length} calls`);
  t.deepEqual(all.flatMap((call, i) => (callOurs(call) === theirs[i] ? [] : [`${callSql(call)}: ${callOurs(call)} | ${theirs[i]}`])), []);
});
