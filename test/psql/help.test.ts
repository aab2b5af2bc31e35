// \h knows every SQL command of PostgreSQL 15, in words of our own.
import test from 'ava';
import { readHelp } from '../../src/bin/terminal/sql_help.ts';

const PREPARED = ['COMMIT PREPARED', 'CREATE TEXT SEARCH CONFIGURATION', 'MERGE', 'SECURITY LABEL', 'WITH'];

test('every command has a purpose and is written as it begins', (t) => {
  const entries = readHelp();
  t.is(entries.length, 185);
  t.is(new Set(entries.map((e) => e.name)).size, entries.length);
  t.deepEqual(entries.map((e) => e.name), entries.map((e) => e.name).sort());
  for (const name of PREPARED) t.true(entries.some((e) => e.name === name), name);
  for (const { name, purpose, lines } of entries) {
    t.regex(purpose, /^[a-zE]/, name);
    // "ALTER [PROCEDURAL] LANGUAGE", "SET [SESSION | LOCAL] ROLE": words of the name in their order, options between.
    const words = name.split(' '), pattern = new RegExp(words.map((w) => `[[{]?\\b${w}\\b`).join('.*?'));
    t.true(pattern.test(lines.join(' ')), name);
    for (const pair of ['[]', '{}', '()']) {
      const count = (c: string): number => lines.join('').split(c).length;
      t.is(count(pair[0]!), count(pair[1]!), `${name}: ${pair}`);
    }
  }
});
