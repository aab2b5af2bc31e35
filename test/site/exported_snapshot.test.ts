// Snapshots that sessions lend to one another: pg_export_snapshot, SET TRANSACTION SNAPSHOT, and pg_dump with several of them.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { runFolder } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

const open = async (): Promise<Session> => Session.open(site);
const fresh = async (s: Session): Promise<void> => {
  await s.run('drop table if exists lent, made_later; create table lent (a int primary key, b text); insert into lent select i, repeat(md5(i::text), 20) from generate_series(1, 3000) i');
};
const code = (answer: string[] | string): string => (typeof answer === 'string' ? answer.slice(0, 5) : 'none');
const LOOK = 'select count(*), sum(a), sum(length(b)) from lent';
/** Commits after which no page of the table is what it was. */
async function change(s: Session, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await s.run(`update lent set b = b || 'x' where a % 10 = ${i % 10}; delete from lent where a = ${i + 1}`);
}

test.serial('another session reads what the first one saw, also after that one has gone', async (t) => {
  const [giver, taker, other] = [await open(), await open(), await open()];
  await fresh(other);
  await giver.run('begin isolation level repeatable read');
  const before = await giver.run(LOOK), id = (await giver.run('select pg_export_snapshot()'))[0]!;
  await change(other, 40);
  await other.run('create table made_later (a int); create role made_later');
  await taker.run(`begin isolation level repeatable read; set transaction snapshot '${id}'`);
  t.deepEqual(await taker.run(LOOK), before);
  await giver.run('commit');
  await change(other, 40);
  t.deepEqual(await taker.run(LOOK), before);
  t.deepEqual(await taker.run("set enable_seqscan = off; select (select count(*) from lent where a between 1 and 50), (select count(*) from pg_class where relname = 'made_later'), (select count(*) from pg_roles where rolname = 'made_later')"), ['50|0|0']);
  await taker.run('commit');
  t.notDeepEqual(await taker.run(LOOK), before);
  // Its transaction is over.
  t.is(code(await taker.run(`begin isolation level repeatable read; set transaction snapshot '${id}'`)), '22023');
  await taker.run('rollback; drop role made_later');
  await Promise.all([giver, taker, other].map(async (s) => s.end()));
});

test.serial('what cannot be imported or exported', async (t) => {
  const [giver, taker] = [await open(), await open()];
  await giver.run('begin');
  const id = (await giver.run('select pg_export_snapshot()'))[0]!;
  t.not((await giver.run('select pg_export_snapshot()'))[0], id);
  for (const [statements, wanted] of [
    [`begin; set transaction snapshot '${id}'`, '0A000'],
    [`begin isolation level serializable; set transaction snapshot '${id}'`, '0A000'],
    [`begin isolation level repeatable read; select 1; set transaction snapshot '${id}'`, '25001'],
    ["begin isolation level repeatable read; set transaction snapshot '../postmaster.pid'", '22023'],
    ["begin isolation level repeatable read; set transaction snapshot 'FFFFFFFF-1-1'", '22023'],
    ['begin; savepoint s; select pg_export_snapshot()', '25001'],
  ] as const) {
    t.is(code(await taker.run(statements)), wanted, statements);
    await taker.run('rollback');
  }
  const elsewhere = await Session.open(site, { database: 'template1' });
  t.is(code(await elsewhere.run(`begin isolation level repeatable read; set transaction snapshot '${id}'`)), '0A000');
  await giver.run('rollback');
  t.is(code(await taker.run(`begin isolation level repeatable read; set transaction snapshot '${id}'`)), '22023');
  await Promise.all([giver, taker, elsewhere].map(async (s) => s.end()));
});

test.serial('pg_dump with three sessions writes one state of all tables', async (t) => {
  const client = await open(), TABLES = 8, ROWS = 2000;
  for (let i = 0; i < TABLES; i++) await client.run(`create table part_${i} (a int primary key, n int); insert into part_${i} select i, 100 from generate_series(1, ${ROWS}) i`);
  await client.run('create database copied');
  let writing = true, moves = 0;
  const writer = (async () => {
    const s = await open();
    for (; writing; moves++) await s.run(`begin; update part_${moves % TABLES} set n = n - 1 where a = ${moves % ROWS + 1}; update part_${(moves * 3 + 1) % TABLES} set n = n + 1 where a = 7; commit`);
    await s.end();
  })();
  const folder = join(mkdtempSync(join(runFolder(), 'dump-')), 'all');
  const dumped = await site.client('pg_dump', ['-Fd', '-j', '3', '-t', 'part_*', '-f', folder]);
  writing = false;
  await writer;
  t.deepEqual([dumped.code, dumped.err], [0, '']);
  t.true(moves > 0);
  const restored = await site.client('pg_restore', ['-j', '2', '-d', 'copied', folder]);
  t.deepEqual([restored.code, restored.err], [0, '']);
  const copied = await Session.open(site, { database: 'copied' });
  const all = Array.from({ length: TABLES }, (_, i) => `select n from part_${i}`).join(' union all ');
  t.deepEqual(await copied.run(`select count(*), sum(n) from (${all}) s`), [`${TABLES * ROWS}|${TABLES * ROWS * 100}`]);
  await Promise.all([client, copied].map(async (s) => s.end()));
});
