import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { leaveOutRuns, putBackRuns } from '../../src/backend/parser/constant_runs.ts';
import { loadParser, parseWhole, rawParse } from '../../src/backend/parser/raw_parser.ts';
import type { PgError } from '../../src/common/errors.ts';

test.before(loadParser);

const many = (n: number, item: (i: number) => string, separator = ', '): string => Array.from({ length: n }, (_, i) => item(i)).join(separator);

/** The trees, or the error. */
function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (e) {
    const { code, message, fields } = e as PgError;
    return { code, message, position: fields.position };
  }
}

function runsOf(text: string): number {
  const shortened = leaveOutRuns(text, parseWhole);
  if (shortened === null) return 0;
  return putBackRuns(parseWhole(shortened.text), shortened) ? shortened.runs.length : -1;
}

test('lists of constants are left out and put back as the grammar would make them', (t) => {
  const lists = [
    many(100, (i) => `(${i}, 'it''s ${i}', ${i}.5, NULL, true, -${i}, - ${i}.25, DEFAULT, now(), $${i + 1})`),
    many(100, (i) => `('é${i}', '😀', E'a\\n\\\\b''${i}', '{}'::jsonb , 'x'::character varying (3)::text, '1'::numeric(10,2)[], -${i}::int8)`),
    many(100, (i) => `(${2147483600 + i}, -214748364${i}, 0${i}, 1e${i}, .5, 5., current_timestamp, FALSE, "c")`.replace(', "c"', '')),
    many(60, (i) => `(${i})`, '\n  ,\t') + ', (f(1, \'(,\'), "q)") , ' + many(60, (i) => `(${i}, 2)`, ','),
  ];
  for (const list of lists) {
    const text = `INSERT INTO t VALUES ${list} ON CONFLICT (a) DO UPDATE SET a = 5 RETURNING a + 1; SELECT 'é', 2;`;
    t.true(runsOf(text) > 0, text.slice(0, 80));
    t.true(isDeepStrictEqual(rawParse(text), parseWhole(text)), text.slice(0, 80));
  }
  const numbers = many(300, String);
  for (const text of [
    `SELECT * FROM t WHERE a IN (${numbers}) AND b NOT IN (${many(300, (i) => `'${i}'`)}) AND c = ANY (ARRAY[${numbers}]) AND (a, b) IN (${many(300, (i) => `(${i}, 'b')`)}) ORDER BY a`,
    `WITH v (a, b) AS (VALUES ${many(300, (i) => `(${i}, 'x')`)}) SELECT a FROM v WHERE a IN (SELECT 1 WHERE 2 IN (${numbers}))`,
  ]) {
    t.true(runsOf(text) > 0);
    t.true(isDeepStrictEqual(rawParse(text), parseWhole(text)), text.slice(0, 80));
  }
});

test('what only looks like a list, or is wrong, goes the long way', (t) => {
  const numbers = many(300, String), rows = many(300, (i) => `(${i})`);
  for (const text of [
    `SELECT 'VALUES ${rows}' AS "VALUES ${rows.slice(0, 40)}"`, `SELECT 1 /* VALUES ${rows} */`, `DO $$ BEGIN INSERT INTO t VALUES ${rows}; END $$`,
    `CREATE TABLE p PARTITION OF q FOR VALUES IN (${numbers})`, `VALUES ${rows}, (1`, `VALUES ${rows} (2)`, `VALUES ${rows}, (1 2), ${rows}`,
    `SELECT x IN (${numbers}, 1e), y`, `SELECT x IN (${numbers}, )`, `SELECT x IN (${numbers} FROM t`, `SELECT x IN (${numbers}) frm t t`, `SELECT ARRAY[${numbers})`,
    `SELECT in (${numbers})`, `SELECT 1.values(${numbers})`, `VALUES ${many(300, (i) => `('a' 'b${i}')`)}`, `VALUES ${many(300, (i) => `('a'\n'b${i}')`)}`,
    `VALUES ${many(300, (i) => `(0x${i})`)}`, `VALUES ${many(300, (i) => `(1_${i})`)}`, `VALUES ${many(300, (i) => `(B'1${i}')`)}`, `VALUES ${many(300, () => '(E\'\\\'\')')}`,
  ]) {
    t.true(isDeepStrictEqual(outcome(() => rawParse(text)), outcome(() => parseWhole(text))), text.slice(0, 60));
  }
});

// Every text below is parsed both ways.
test('random lists', (t) => {
  let state = 20261123;
  const random = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const space = (): string => pick(['', '', '', ' ', '\n', ' \t', '  ', ' -- c\n', '/* , */']);
  const strange = ['a + 1', 'f(1)', '(1)', '"q"', 'N\'x\'', 'X\'1F\'', '$$x$$', 'CASE WHEN true THEN 1 END', '1 AND 2', 'date \'2024-01-01\'', 'a.b', '- a', '--1\n', '1..2', '\'x', '1 2', ';',
    'ARRAY[1,2]', '\'a\'::text COLLATE "C"', '1 IS NULL', 'NULL::int = 5', 'interval \'1\' day', '5 in (1,2)', 'VALUES (1)', '*', 'E\'\\u0041\'', '1e', '$0', '\'1\'::interval day to second', '0b1', 'row(1,2)', '+5', '- -5', '?', ''];
  const simple = (): string => pick([String(random(100)), `${random(1e9)}${random(100)}`, `-${random(10)}`, `${random(99)}.${random(99)}`, `'${pick(['', 'a', 'it\'\'s', 'é', ',', ')', '\\', '😀', '--', '"'])}'`,
    'NULL', 'null', 'true', 'False', 'DEFAULT', `$${random(20) + 1}`, `E'${pick(['', '\\n', '\\\\', 'a\'\'b', 'é\\t'])}'`, 'current_date', 'now()', 'col', '.5', '7.', '1e5', '-1.5E-3', '- 3']) + (random(4) === 0 ? pick(['::int', '::text', '::numeric(5,2)', '::int[]', ' :: date', '::double precision', '::timestamp with time zone', '::timestamp(3) with time zone', '::a.b', '::int::text', '::"char"', '::varchar (3)']) : '');
  let put = 0;
  for (let n = 0; n < 800; n++) {
    const oddity = pick([0, 0, 3, 100]);
    const item = (): string => `${space()}${oddity > 0 && random(4000) < oddity ? pick(strange) : simple()}${space()}`;
    const style = pick([() => '', () => ' ', space]);
    const cell = style === space ? item : (): string => `${style()}${oddity > 0 && random(4000) < oddity ? pick(strange) : simple()}`;
    const rows = (): string => { const width = 1 + random(4); return many(30 + random(40), () => `(${many(width, cell, ',')})`, pick([',', ', ', ',\n'])); };
    const list = (): string => (random(4) === 0 ? rows() : many(30 + random(60), cell, ','));
    const text = many(1 + random(3), () => pick([
      () => `INSERT INTO "é" (a, b) VALUES ${rows()} RETURNING a`, () => `SELECT 'é', a FROM t WHERE a IN (${list()}) OR b NOT IN (${list()}) GROUP BY 1`,
      () => `SELECT ARRAY [${list()}], x FROM (VALUES ${rows()}) v`, () => `UPDATE t SET a = 1 WHERE b = ANY (ARRAY[${list()}]) AND c > 5`, () => `SELECT '${'é'.repeat(random(5))}', 1 -- values (`,
    ])(), ';\n');
    const whole = outcome(() => parseWhole(text)), quick = outcome(() => rawParse(text));
    if (runsOfQuietly(text) > 0) put++;
    t.true(isDeepStrictEqual(quick, whole), text);
  }
  t.true(put > 150, `${put} texts had lists to leave out`);
});

function runsOfQuietly(text: string): number {
  try {
    return runsOf(text);
  } catch {
    return 0;
  }
}
