// Every registered function of the simple types, on values from pools of awkward ones, against a real PostgreSQL.
import test from 'ava';
import { compare, functionCalls } from './differential.ts';
import { askOracle, callOurs, callSql, oracleAvailable, TYPES, type Call } from './harness.ts';
import { POOLS } from './pools.ts';

const check = oracleAvailable ? test : test.skip;
if (!oracleAvailable) console.log('differential tests of data types: skipped, no PostgreSQL 15');

check('functions', (t) => {
  const { differences, total } = compare(functionCalls(Number(process.env['POSTHOUSE_CASES'] ?? 25), 1, new RegExp(process.env['POSTHOUSE_ONLY'] ?? '')));
  t.log(`${total} calls`);
  t.deepEqual(differences, []);
});

check('text input', (t) => {
  const inputs: { expression: string; call: Call }[] = [];
  const everything = [...new Set(Object.values(POOLS).flat())];
  for (const [name, row] of TYPES) {
    if (name === 'unknown' || name === 'cstring' || name === 'cid[]' || name === 'character[]' || name.startsWith('bit') || name.startsWith('money')) continue;
    for (const value of [...(POOLS[name] ?? []), ...(name.startsWith('oid') ? [] : everything)]) {
      const call: Call = { prosrc: 'textin', proname: '', args: [name], values: [value], result: name };
      inputs.push({ expression: callSql(call).replace(/^[^(]*/, ''), call: { ...call, result: row.name } });
    }
  }
  const theirs = askOracle(inputs.map((input) => input.expression));
  const differences: string[] = [];
  inputs.forEach(({ call, expression }, i) => {
    const ours = callOurs(call);
    if (ours !== theirs[i]) differences.push(`${expression}\n   ours:   ${ours}\n   theirs: ${theirs[i]}`);
  });
  t.log(`${inputs.length} inputs`);
  t.deepEqual(differences, []);
});
