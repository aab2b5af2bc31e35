// The same statements for Posthouse and for PostgreSQL 15: columns, rows, tags, errors with SQLSTATE, message and position must
// be the same. sql/*.sql: statements end with ";" at the end of a line. Random expressions, calls, queries, changes and programs come from SEED.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { fields, RawClient, show } from '../support/raw_client.ts';
import { startSite, type Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';
import { expressions } from './generate.ts';
import { changes, type Change } from './random_changes.ts';
import { BEFORE, definitions, LOOKS } from './random_definitions.ts';
import { CALLABLES, Calls } from './random_functions.ts';
import { programs } from './random_plpgsql.ts';
import { queries, TABLES, withOtherLiterals } from './random_queries.ts';
import { Selects, TABLE } from './random_selects.ts';

const folder = join(import.meta.dirname, 'sql');
const seed = Number(process.env['SEED'] ?? 1);
const count = Number(process.env['COUNT'] ?? 400);
let ours: Site | undefined, theirs: Site | undefined;

if (!oracleInstalled) test('differential tests', (t) => { t.log(NOT_INSTALLED); t.pass(); });
const serial = oracleInstalled ? test.serial : test.skip;

test.before(async () => {
  if (!oracleInstalled) return;
  [ours, theirs] = await Promise.all([startSite({ ini: 'max_prepared_transactions = 10' }), startOracle('fsync = off\nmax_prepared_transactions = 10')]);
});
test.after.always(async () => { await Promise.all([ours?.remove(), theirs?.remove()]); });

const openBoth = (): Promise<[RawClient, RawClient]> => Promise.all([RawClient.open(ours!.port), RawClient.open(theirs!.port)]);
const difference = (statement: string, wanted: string, mine: string): string => `${statement}\n  PostgreSQL: ${short(wanted)}\n  Posthouse:  ${short(mine)}`;

/** What both say to the statements, each on a connection of its own; the differences, readably. `lazy`: PostgreSQL may fail
 * computing what we do not compute at all (constants of rows that are not there, arguments beside a NULL), and where both
 * fail on values it does not matter which comes first. */
async function compare(statements: readonly string[], lazy = false): Promise<string[]> {
  const [a, b] = await openBoth();
  const differences: string[] = [];
  for (const statement of statements) {
    a.Query(statement);
    b.Query(statement);
    const [mine, wanted] = (await Promise.all([a.answer(), b.answer()])).map(plain) as [string, string];
    if (lazy && /^ErrorResponse 22/.test(wanted) && (/^ErrorResponse 22/.test(mine) || !mine.startsWith('Error'))) continue;
    if (mine !== wanted) differences.push(difference(statement, wanted, mine));
  }
  a.end();
  b.end();
  return differences;
}

const short = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)} ...` : text);
/** An error ends what counts: rows sent before it, or not, are no difference. OIDs of new objects differ. */
function plain(lines: string[]): string {
  const error = lines.find((line) => line.startsWith('ErrorResponse'));
  return (error === undefined ? lines : [error, lines.at(-1)!]).join('\n              ').replace(/(?<!Response )\b(?:1[6-9]|2[0-4])\d{3}\b/g, '<oid>');
}

export const split = (text: string): string[] =>
  text.replace(/^--.*\n/gm, '').split(/;[ \t]*\n/).map((s) => s.trim()).filter((s) => s !== '');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql')).sort()) {
  serial(file, async (t) => {
    const differences = await compare(split(readFileSync(join(folder, file), 'utf8')));
    t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
  });
}

serial(`random expressions, SEED=${seed}`, async (t) => {
  const differences = await compare(expressions(randomFrom(seed), count), true);
  t.is(differences.length, 0, `\n${differences.slice(0, 20).join('\n\n')}`);
});

serial(`random functions, SEED=${seed}`, async (t) => {
  const [a, b] = await openBoth();
  for (const client of [a, b]) await client.query("set timezone = 'America/New_York'");
  b.Query(CALLABLES);
  const calls = new Calls(randomFrom(seed), (await b.answer()).filter((line) => line.startsWith('DataRow ')).map((line) => line.slice('DataRow '.length)));
  const differences: string[] = [];
  for (let i = 0; i < count; i++) {
    const statement = calls.statement();
    for (const client of [a, b]) client.Query(statement);
    const [mine, wanted] = (await Promise.all([a.answer(), b.answer()])).map(plain) as [string, string];
    // What is no text of the encoding is shown in its own way by either.
    if (mine !== wanted && !wanted.includes('\ufffd')) differences.push(difference(statement, wanted, mine));
  }
  a.end();
  b.end();
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

/** What a body finds with a connection to each, in a schema that both have for it. */
async function inSchemaOfBoth(schema: string, before: readonly string[], body: (a: RawClient, b: RawClient, differences: string[]) => Promise<void>): Promise<string[]> {
  const [a, b] = await openBoth();
  for (const client of [a, b]) {
    client.patienceMs = 60_000;
    for (const statement of [`create schema ${schema}`, `set search_path = ${schema}`, ...before]) await client.query(statement);
  }
  // Some queries are too much for anybody.
  await b.query("set statement_timeout = '3s'");
  const differences: string[] = [];
  await body(a, b, differences);
  for (const client of [a, b]) {
    await client.query(`drop schema ${schema} cascade`);
    client.end();
  }
  return differences;
}
const TOO_LONG = 'ErrorResponse 57014';

serial(`random queries, SEED=${seed}`, async (t) => {
  const random = randomFrom(seed + 1);
  const differences = await inSchemaOfBoth('random', TABLES, async (a, b, found) => {
    for (const statement of queries(randomFrom(seed), Math.ceil(count / 3))) {
      b.Query(statement);
      const wanted = asSet(await b.answer());
      if (wanted.startsWith(TOO_LONG)) continue;
      // As it would be planned, and by other ways.
      const avoided = PLAN_SWITCHES.filter(() => random(3) === 0);
      for (const off of random(2) === 0 ? [[]] : [[], avoided]) {
        for (const name of off) await a.query(`set ${name} = off`);
        a.Query(statement);
        const mine = asSet(await a.answer());
        for (const name of off) await a.query(`reset ${name}`);
        if (mine !== wanted) found.push(difference(`${statement}\n  without: ${off.join(', ')}`, wanted, mine));
      }
    }
  });
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

// In one session each, where plans are kept by what remains of a text without its literals.
serial(`random queries with other literals, SEED=${seed}`, async (t) => {
  const random = randomFrom(seed + 2);
  // Which values an error is about is the order's; and rows of a part are any.
  const codeOrSet = (lines: string[]): string => lines.find((line) => line.startsWith('ErrorResponse'))?.slice(0, 'ErrorResponse 00000'.length) ?? asSet(lines);
  const differences = await inSchemaOfBoth('literals', TABLES, async (a, b, found) => {
    for (const query of queries(randomFrom(seed + 3), Math.ceil(count / 3))) {
      if (/\b(?:limit|offset)\b/i.test(query)) continue;
      for (const statement of [query, withOtherLiterals(query, random), withOtherLiterals(query, random), query]) {
        b.Query(statement);
        const wanted = codeOrSet(await b.answer());
        if (wanted === TOO_LONG) continue;
        a.Query(statement);
        const mine = codeOrSet(await a.answer());
        if (mine !== wanted) found.push(difference(statement, wanted, mine));
      }
    }
  });
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

serial(`random selects, SEED=${seed}`, async (t) => {
  const selects = new Selects(randomFrom(seed));
  // What fails on a value may be computed for rows that the other never comes to.
  const ofValue = /^ErrorResponse (22|0A000 \w+ing .*elements? (in|from) multidimensional)/;
  const differences = await inSchemaOfBoth('selects', ["set timezone = 'America/New_York'", ...TABLE], async (a, b, found) => {
    for (let i = 0; i < count; i++) {
      const sql = selects.statement();
      const wanted = await answerTo(b, { sql });
      if (wanted.startsWith(TOO_LONG)) continue;
      const mine = await answerTo(a, { sql });
      if (mine === wanted || (ofValue.test(wanted) && (ofValue.test(mine) || !mine.startsWith('Error')))) continue;
      found.push(difference(sql, wanted, mine));
    }
  });
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

serial(`random changes, SEED=${seed}`, async (t) => {
  const [a, b] = await openBoth();
  const differences: string[] = [];
  for (const world of changes(randomFrom(seed), Math.ceil(count / 50), 30)) {
    for (const client of [a, b]) await client.query('rollback; drop schema if exists random cascade; create schema random; set search_path = random');
    for (const change of world) {
      const [mine, wanted] = (await Promise.all([answerTo(a, change), answerTo(b, change)])) as [string, string];
      if (mine === wanted || (change.loose === true && isOfRow(mine) && isOfRow(wanted))) continue;
      differences.push(difference(change.sql, wanted, mine));
      // What follows would only show it again.
      break;
    }
  }
  for (const client of [a, b]) await client.query('rollback; drop schema if exists random cascade');
  a.end();
  b.end();
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

serial(`random definitions, SEED=${seed}`, async (t) => {
  const [a, b] = await Promise.all([RawClient.open(ours!.port), RawClient.open(theirs!.port)]);
  const differences: string[] = [];
  for (let i = 0; i < Math.ceil(count / 40); i++) {
    for (const client of [a, b]) await client.query(`drop schema if exists random cascade; create schema random; ${BEFORE}; set search_path = random`);
    const done: string[] = [];
    for (const sql of definitions(randomFrom(seed * 100_000 + i), 60)) {
      const [mine, wanted] = (await Promise.all([everythingOf(a, sql), everythingOf(b, sql)])).map(sortedDetail) as [string, string];
      const looked = mine === wanted && !mine.includes('"S":"ERROR"') ? await firstLook(a, b) : null;
      done.push(`${sql};${mine.includes('"S":"ERROR"') ? ' -- fails' : ''}`);
      if (mine === wanted && looked === null) continue;
      const [text, theirsSay, oursSay] = looked ?? ['', wanted, mine];
      differences.push(`-- world ${i}\n${done.join('\n')}\n${text}\n  PostgreSQL: ${short(theirsSay)}\n  Posthouse:  ${short(oursSay)}`);
      break;
    }
  }
  for (const client of [a, b]) await client.query('drop schema if exists random cascade');
  a.end();
  b.end();
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

/** What the catalogs say, where both do not say the same: the lines that differ. */
async function firstLook(a: RawClient, b: RawClient): Promise<[string, string, string] | null> {
  for (const sql of LOOKS) {
    const [mine, wanted] = (await Promise.all([everythingOf(a, sql), everythingOf(b, sql)])).map((answer) => answer.split('\n')) as [string[], string[]];
    const only = (x: string[], y: string[]): string => x.filter((line) => !y.includes(line)).join('\n');
    if (mine.join('\n') !== wanted.join('\n')) return [sql, only(wanted, mine), only(mine, wanted)];
  }
  return null;
}

/** What CASCADE takes along, in any order. */
const sortedDetail = (answer: string): string => answer.replace(/"D":"([^"]*(?:\\n|depends on|cascades)[^"]*)"/g, (_all, detail: string) => `"D":"${detail.split('\\n').sort().join('\\n')}"`);

serial(`random PL/pgSQL, SEED=${seed}`, async (t) => {
  const differences: string[] = [];
  for (const program of programs(randomFrom(seed), Math.ceil(count / 25), 6)) {
    const [a, b] = await openBoth();
    for (const client of [a, b]) await client.query('drop schema if exists random cascade; create schema random; set search_path = random');
    for (const { sql } of program) {
      const [mine, wanted] = (await Promise.all([everythingOf(a, sql), everythingOf(b, sql)])) as [string, string];
      if (mine === wanted) continue;
      differences.push(difference(sql, wanted, mine));
      break;
    }
    for (const client of [a, b]) await client.query('rollback; drop schema if exists random cascade');
    a.end();
    b.end();
  }
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});

/** The answer with all that errors and notices say. */
async function everythingOf(client: RawClient, sql: string): Promise<string> {
  client.Query(sql);
  return (await client.upTo('Z')).filter(({ type }) => type !== 'S').map((message) => {
    const line = show(message).replace(/:\d{5,}/g, ':<oid>');
    if (message.type !== 'E' && message.type !== 'N') return line;
    // Where in the source of either it was raised.
    const { F: _f, L: _l, R: _r, ...said } = fields(message.body);
    return JSON.stringify(said);
  }).join('\n');
}

/** Sends a statement, and what COPY asks for; the answer as a set of rows. OIDs of types differ. */
async function answerTo(client: RawClient, { sql, data = '' }: Change): Promise<string> {
  client.Query(sql);
  const lines: string[] = [];
  for (;;) {
    const message = await client.next();
    lines.push(show(message).replace(/:\d{5,}/g, ':<oid>'));
    if (message.type === 'G') client.CopyData(data).CopyDone();
    if (message.type === 'Z') return asSet(lines);
  }
}

/** An error that a row's values are to blame for. */
const isOfRow = (answer: string): boolean => /^ErrorResponse (2[1237]|44)/.test(answer);

const PLAN_SWITCHES = ['hashjoin', 'mergejoin', 'nestloop', 'hashagg', 'sort', 'seqscan', 'indexscan', 'bitmapscan', 'material', 'memoize', 'incremental_sort']
  .map((what) => `enable_${what}`);

/** An answer whose rows may come in any order; of an error, which. */
function asSet(lines: string[]): string {
  const error = lines.find((line) => line.startsWith('ErrorResponse'));
  return error !== undefined ? error.split('\n')[0]! : [...lines].sort().join('\n');
}
