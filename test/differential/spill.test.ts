// Queries whose tables, sorts and stores outgrow their memory give what PostgreSQL gives, and what they give with much
// memory. Tables and queries come from SEED. Files are gone afterwards, whatever happened, and memory stays bounded.
import test from 'ava';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracle } from '../support/oracle.ts';
import { RawClient } from '../support/raw_client.ts';
import { until } from '../support/run.ts';
import { startSite, type Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';

const seed = Number(process.env['SEED'] ?? 1);
const count = Number(process.env['COUNT'] ?? 40);
const random = randomFrom(seed);
const below = (n: number): number => random(n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off\nlog_temp_files = 0' }); });
test.after.always(async () => site?.remove());

/** Keys of all kinds: dense and sparse, few and many, some very frequent, NULL now and then, strings short and long. */
const makeTables = (rows: number): string[] => ['l', 'r'].flatMap((name, n) => [
  `create temp table ${name} (id int, k int, big int8, t text, n numeric, f float8, d date, a int[])`,
  `insert into ${name} select i, case when i % 7 = 0 then 5 when i % 11 = 0 then null else (i * 7919 + ${n}) % ${rows} end,
     (i % ${rows / 3}) * 3000000000::int8, case when i % 13 = 0 then null else repeat(chr(97 + i % 26), i % 40) || (i % ${rows / 2}) end,
     ((i * 31) % ${rows / 4})::numeric / 8, (i % ${rows / 5}) / 4.0, date '2020-01-01' + i % ${rows / 10}, array[i % ${rows / 3}, i % 2]
   from generate_series(1, ${rows}) i`,
  `analyze ${name}`,
]);

const JOINS = ['join', 'left join', 'right join', 'full join'];
const KEYS = ['l.k = r.k', 'l.big = r.big', 'l.t = r.t', 'l.n = r.n', 'l.f = r.f', 'l.a = r.a', 'l.k = r.k and l.d = r.d', 'l.t = r.t and l.n = r.n', 'l.id = r.k', 'l.k = r.id and l.big < r.big'];
const COLUMNS = ['k', 'big', 't', 'n', 'f', 'd', 'a'];
const AGGREGATES = ['count(*)', 'sum(id)', 'sum(big * id)', 'min(t)', 'max(n)', 'avg(n)', 'count(distinct k)', 'max(a)', 'bool_or(id % 2 = 0)', 'array_agg(id order by id) filter (where id % 50 = 0)', 'sum(f)'];
const digest = (inner: string): string => `select count(*), sum(hashtext(x::text)::int8) from (${inner}) x`;

function query(): string {
  const columns = (): string[] => [...new Set([pick(COLUMNS), pick(COLUMNS), pick(COLUMNS)])].slice(0, 1 + below(3));
  switch (below(9)) {
    case 0: return digest(`select l.id, r.id as other, r.t from (select * from l where id % 9 < 3) l ${pick(JOINS)} (select * from r where id % 5 < 2 and k <> 5) r on ${pick(KEYS.slice(0, 8))}`);
    case 1: return digest(`select l.* from l where ${pick(['', 'not '])}exists (select from r where ${pick(KEYS)} and r.id % 3 = 0)`);
    case 2: { const list = columns(); return digest(`select ${[...list, pick(AGGREGATES), pick(AGGREGATES)].map((c, i) => `${c} as c${i}`).join(', ')} from l group by ${list.join(', ')}`); }
    case 3: { const list = columns(); return digest(`select ${[...list, pick(AGGREGATES), `grouping(${list[0]})`].map((c, i) => `${c} as c${i}`).join(', ')} from l group by grouping sets ((${list.join(', ')}), (${list[0]}), ())`); }
    case 4: return digest(`select distinct ${columns().join(', ')} from l`);
    case 5: { const list = columns().join(', '); return digest(`select ${list} from l ${pick(['union', 'intersect', 'except', 'intersect all', 'except all'])} select ${list} from r`); }
    case 6: return digest(`select id, ${pick(['row_number()', 'rank()', 'sum(id)', 'lag(t, 3)', 'lead(n)', 'last_value(id)', 'nth_value(t, 2)', 'ntile(7)'])} over (${pick(['', `partition by ${pick(COLUMNS)} `])}order by ${pick(COLUMNS)}, id ${pick(['', 'rows between 3 preceding and 2 following', 'rows between current row and 5 following'])}) from l`);
    case 7: return digest(`with w as materialized (select * from l where id % 2 = 0) select w1.id, w2.t from w w1 join w w2 on w1.id = w2.id + 2 ${pick(JOINS)} r on w1.k = r.id and r.id % 3 = 0`);
    default: return `select ${['id', ...columns()].join(', ')} from l order by ${columns().join(', ')}, id offset ${below(6000)} limit 5`;
  }
}

const serial = oracle === undefined ? test.skip : test.serial;
if (oracle === undefined) test('queries with little memory', (t) => { t.log(NOT_INSTALLED); t.pass(); });

serial(`random queries with little memory, SEED=${seed}`, async (t) => {
  t.timeout(300_000);
  const [ours, theirs] = await Promise.all([RawClient.open(site.port), RawClient.open(oracle!.port)]);
  ours.patienceMs = theirs.patienceMs = 120_000;
  for (const client of [ours, theirs]) for (const statement of makeTables(15000)) await client.query(statement);
  for (let i = 0; i < count; i++) {
    const text = query();
    const settings = `set work_mem = '64kB'; set hash_mem_multiplier = ${pick([1, 2])}; set enable_hashjoin = ${pick(['on', 'on', 'on', 'off'])}; set enable_nestloop = off`;
    await ours.query(settings);
    ours.Query(text);
    theirs.Query(text);
    const [mine, wanted] = await Promise.all([ours.answer(), theirs.answer()]);
    t.deepEqual(mine, wanted, `${settings}; ${text}`);
  }
  ours.end();
  theirs.end();
});

/** Temporary files a process has open. */
const openFiles = (pid: number): string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => {
  try { return readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; }
}).filter((name) => name.includes('pgsql_tmp'));
const residentKb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]);

test('grouping by millions of keys takes bounded memory; cancelling leaves no files', async (t) => {
  t.timeout(300_000);
  const client = await site.connect();
  const pid = (await client.query('select pg_backend_pid() as pid')).rows[0].pid as number;
  const other = await site.connect();
  let most = 0;
  const watch = setInterval(() => { most = Math.max(most, residentKb(pid)); }, 20);
  const { rows } = await client.query('select count(*), sum(c) from (select i % 2500000 as k, count(*) as c from generate_series(1, 3000000) i group by 1) x');
  clearInterval(watch);
  t.deepEqual(rows, [{ count: '2500000', sum: '3000000' }]);
  t.true(most < 450 * 1024, `${most} kB`);
  t.deepEqual(openFiles(pid), []);
  t.deepEqual(readdirSync(join(site.folder, 'tmp')).filter((name) => name.startsWith('pgsql_tmp')), []);

  for (const text of [
    'select count(*) from (select i, count(*) from generate_series(1, 100000000) i group by 1) x',
    'select count(*) from (select i from generate_series(1, 100000000) i order by -i) x',
    'select count(*) from generate_series(1, 100000000) i join generate_series(1, 100000000) j on i = j',
  ]) {
    const failed = client.query(`set work_mem = '64kB'; ${text}`).then(() => '', (error: { code: string }) => error.code);
    await until('it spills', () => openFiles(pid).length > 0);
    await other.query('select pg_cancel_backend($1)', [pid]);
    t.is(await failed, '57014');
    t.deepEqual(openFiles(pid), []);
  }
  t.regex(site.log(), /LOG: {2}temporary file: path "tmp\/pgsql_tmp\d+\.\d+", size \d+/);
});

test('cursors keep their rows in files, held ones beyond the transaction', async (t) => {
  const client = await site.connect();
  const pid = (await client.query('select pg_backend_pid() as pid')).rows[0].pid as number;
  await client.query("set work_mem = '64kB'; begin; declare c scroll cursor with hold for select i, repeat('x', i % 50) as t from generate_series(1, 50000) i; commit");
  t.is(openFiles(pid).length, 1);
  for (const n of [40000, 3, 49999]) t.deepEqual((await client.query(`fetch absolute ${n} from c`)).rows, [{ i: n, t: 'x'.repeat(n % 50) }]);
  t.deepEqual((await client.query('fetch backward 2 from c')).rows.map((r) => r.i), [49998, 49997]);
  await client.query('close c');
  t.deepEqual(openFiles(pid), []);
  await client.query('begin; declare c cursor for select i from generate_series(1, 50000) i; move 5 in c');
  t.is(openFiles(pid).length, 1);
  await client.query('rollback');
  t.deepEqual(openFiles(pid), []);
});
