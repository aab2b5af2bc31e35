// Memory that large work needed is given back when it is done.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { until } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

/** What it has for itself, in MB. */
function memoryOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Private_Dirty:\s*(\d+) kB/m.exec(rollup)![1]) / 1024;
}
const managerMemory = (database: string): number => memoryOf(site.processes().find(({ title }) => title.includes(`transaction manager base/${database}`))!.pid);

// After 50 MB it kept 150, after an update of them 210: the bytes of the commit, which V8 did not collect because nothing happened
// any more, and every page that LMDB had changed.
test('a manager that has committed a large load', async (t) => {
  const session = await Session.open(site);
  const [database] = await session.run('select oid from pg_database where datname = current_database()');
  await session.run("create table load as select i, repeat('x', 100) as t, i::text as u from generate_series(1, 400000) i");
  await until('the manager is small', () => managerMemory(database!) < 80, 30_000);
  t.deepEqual(await session.run('select count(*), sum(i) from load'), ['400000|80000200000']);
  await session.run('update load set i = i + 1');
  await until('the manager is small again', () => managerMemory(database!) < 80, 30_000);
  t.deepEqual(await session.run('select count(*), sum(i) from load'), ['400000|80000600000']);
  await session.end();
});

// It kept all of 270 MB until its next large statement.
test('a session that idles after a large statement', async (t) => {
  const session = await Session.open(site);
  await session.run("create temp table filled as select i, repeat('x', 100) as t, i::text as u from generate_series(1, 600000) i");
  await until('the session is small', () => memoryOf(session.client.processID!) < 100, 30_000);
  t.deepEqual(await session.run("select length(string_agg(t, '')) from filled"), ['60000000']);
  await until('the session is small again', () => memoryOf(session.client.processID!) < 100, 30_000);
  t.deepEqual(await session.run('select count(*), sum(i) from filled'), ['600000|180000300000']);
  await session.end();
});
