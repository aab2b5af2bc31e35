// Two-phase commit where processes die: a prepared transaction and its locks outlive everybody, and its two halves never part.
import { spawnSync } from 'node:child_process';
import test from 'ava';
import { isRunning, until } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

const LIMIT = 4;
let site: Site;
let a: Session, b: Session;
let databaseOid = '';

const open = async (database = 'postgres'): Promise<Session> => Session.open(site, { database });
async function reconnect(): Promise<void> {
  [a, b] = await Promise.all([open(), open()]);
}

test.before(async () => {
  site = await startSite({ ini: `max_prepared_transactions = ${LIMIT}\nmanager_idle_exit = 300ms\ndress_rehearsal = off` });
  await reconnect();
  databaseOid = (await a.run('select oid from pg_database where datname = current_database()'))[0]!;
});
test.beforeEach(async () => {
  await a.run('drop table if exists child, parent cascade; create table parent (id int primary key, v int); create table child (id int primary key, p int references parent);'
    + 'insert into parent select i, 100 from generate_series(1, 5) i');
});
test.after.always(async () => site?.remove());

const prepared = async (s: Session): Promise<string[] | string> => s.run('select gid from pg_prepared_xacts order by gid');
const manager = (database: 'global' | 'base'): number => {
  const path = database === 'global' ? database : `base/${databaseOid}`;
  return site.processes().find(({ title }) => new RegExp(`transaction manager ${path}(?!\\d)`).test(title))!.pid;
};

/** Ends a process; returns when it is gone. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(`process ${pid} is gone`, () => !isRunning(pid), 10_000);
}

/** Whether a process that was stopped has a message (iproute2's ss knows). */
function hasUnread(pid: number): boolean {
  const sockets = spawnSync('ss', ['-xpnH'], { encoding: 'utf8' }).stdout.split('\n').filter((line) => line.includes(`pid=${pid},`) && line.includes('ESTAB'));
  return sockets.some((line) => Number(line.trim().split(/\s+/)[2]) > 0);
}

/** Everything that this transaction has locked, tried by others. */
async function checkLocks(t: { deepEqual: (a: unknown, b: unknown, m?: string) => void }, when: string): Promise<void> {
  const timeout = '55P03 canceling statement due to lock timeout';
  await b.run("set lock_timeout = '20ms'");
  for (const [text, wanted] of [
    ['update parent set v = 0 where id = 1', timeout], // changed
    ['delete from parent where id = 2', timeout], // referenced
    ['select 1 from parent where id = 3 for update nowait', '55P03 could not obtain lock on row in relation "parent"'], // locked
    ['insert into child values (7, null)', timeout], // a key of a new row
    ['lock table child in share mode nowait', '25P01 LOCK TABLE can only be used in transaction blocks'],
    ['begin; lock table child in share mode nowait', '55P03 could not obtain lock on relation "child"'], ['rollback', []],
    ['drop table parent cascade', timeout],
    ['create role two_phase_site', timeout], // a key of a shared catalog
    ['select pg_try_advisory_lock(42)', ['f']],
    ['update parent set v = v where id = 4', []], // free
    ['select id, v from parent where id = 1', ['1|100']],
    ['select count(*) from child', ['0']],
  ] as const) t.deepEqual(await b.run(text), wanted, `${when}: ${text}`);
  await b.run('reset lock_timeout');
}

const WORK = `begin; update parent set v = 1 where id = 1; insert into child values (7, 2); select 1 from parent where id = 3 for no key update;
  select pg_advisory_xact_lock(42); create role two_phase_site; prepare transaction 'lasting'`;

test.serial('a prepared transaction outlives its session, the managers and everything, with its locks', async (t) => {
  t.timeout(120_000);
  t.deepEqual(await a.run(WORK), []);
  await checkLocks(t, 'prepared');
  await a.end();
  a = await open();
  await checkLocks(t, 'its session has ended');
  await kill(manager('base'));
  await checkLocks(t, 'the manager of the database was killed');
  await kill(manager('global'));
  await checkLocks(t, 'the manager of global/ was killed');
  // Without sessions, managers go home.
  await a.end();
  await b.end();
  await until('the managers have gone', () => !site.processes().some(({ title }) => title.includes('transaction manager')), 20_000);
  await reconnect();
  await checkLocks(t, 'the managers had nothing to do');
  await site.killEverything();
  await site.start();
  await reconnect();
  await checkLocks(t, 'everything was killed');
  await site.stop();
  await site.start();
  await reconnect();
  await checkLocks(t, 'the site was stopped');
  t.deepEqual(await prepared(b), ['lasting']);
  t.deepEqual(await b.run("commit prepared 'lasting'"), []);
  t.deepEqual(await b.run('select id, v from parent where id = 1 union all select id, p from child'), ['1|1', '7|2']);
  t.deepEqual(await b.run("select count(*) from pg_roles where rolname = 'two_phase_site'"), ['1']);
  t.deepEqual(await b.run('select pg_try_advisory_lock(42), pg_advisory_unlock_all()'), ['t|']);
  t.deepEqual(await b.run('update parent set v = 2 where id in (1, 2, 3); drop role two_phase_site'), []);
  t.deepEqual(await prepared(b), []);
});

test.serial('its backend is killed, and it is rolled back by another one', async (t) => {
  t.deepEqual(await a.run(WORK), []);
  await kill(a.client.processID!);
  a = await open();
  await checkLocks(t, 'its backend was killed');
  t.deepEqual(await a.run("rollback prepared 'lasting'"), []);
  t.deepEqual(await a.run('update parent set v = v + 1 returning v'), ['101', '101', '101', '101', '101'].slice(0, 5));
  t.deepEqual(await b.run('insert into child values (7, 1); select count(*) from child'), ['1']);
  t.deepEqual(await b.run("select count(*) from pg_roles where rolname = 'two_phase_site'"), ['0']);
});

test.serial('who waits for it goes on when it ends', async (t) => {
  await a.run("begin; update parent set v = 1 where id = 1; insert into parent values (6, 6); prepare transaction 'p'");
  const update = await b.startWaiting('update parent set v = v + 1 where id = 1 returning v');
  t.deepEqual(await a.run(`select pg_blocking_pids(${b.client.processID})`), ['{0}']);
  t.deepEqual(await a.run("commit prepared 'p'"), []);
  t.deepEqual(await update.answer, ['2']);
  await a.run("begin; insert into parent values (7, 7); prepare transaction 'p'");
  const refused = await b.startWaiting('insert into parent values (7, 8)');
  await a.run("commit prepared 'p'");
  t.is(await refused.answer, '23505 duplicate key value violates unique constraint "parent_pkey"');
  await a.run("begin; delete from parent where id = 7; insert into parent values (8, 8); prepare transaction 'p'");
  const gone = await b.startWaiting('insert into parent values (8, 9) returning v');
  await a.run("rollback prepared 'p'");
  t.deepEqual(await gone.answer, ['9']);
  await a.run("begin isolation level repeatable read; update parent set v = 3 where id = 2; prepare transaction 'p'");
  await b.run('begin isolation level repeatable read; select 1 from parent');
  const stale = await b.startWaiting('update parent set v = 4 where id = 2');
  await a.run("commit prepared 'p'");
  t.is(await stale.answer, '40001 could not serialize access due to concurrent update');
  await b.run('rollback');
});

test.serial('a row of a catalog: who wants to change it waits, and can be cancelled', async (t) => {
  await a.run('create role two_phase_catalog');
  await a.run("begin; alter role two_phase_catalog createdb; prepare transaction 'p'");
  const first = await b.startWaiting('alter role two_phase_catalog createrole');
  await a.run(`select pg_cancel_backend(${b.client.processID})`);
  t.is(await first.answer, '57014 canceling statement due to user request');
  const second = await b.startWaiting('alter role two_phase_catalog createrole');
  await a.run("rollback prepared 'p'");
  t.deepEqual(await second.answer, []);
  await a.run("begin; alter role two_phase_catalog createdb; prepare transaction 'p'");
  const third = await b.startWaiting('alter role two_phase_catalog nocreaterole');
  t.deepEqual(await a.run("commit prepared 'p'"), [], 'what is prepared can be committed');
  t.is(await third.answer, 'XX000 tuple concurrently updated');
  t.deepEqual(await b.run("select rolcreatedb, rolcreaterole from pg_roles where rolname = 'two_phase_catalog'"), ['t|t']);
  const c = await open();
  await a.run("begin; alter role two_phase_catalog nocreatedb; prepare transaction 'p'");
  const last = await c.startWaiting('alter role two_phase_catalog nocreaterole');
  await b.run(`select pg_terminate_backend(${c.client.processID})`);
  t.is(await last.answer, '57P01 terminating connection due to administrator command');
  t.deepEqual(await a.run("commit prepared 'p'"), []);
  t.deepEqual(await a.run('drop role two_phase_catalog'), []);
});

test.serial('its DDL reaches other sessions when it is committed', async (t) => {
  t.deepEqual(await b.run('prepare q as select * from parent where id = 1; execute q'), ['1|100']);
  await a.run("begin; alter table parent add column w int default 5; create view over as select 1 as one; prepare transaction 'p'");
  t.is(await a.run('begin; lock table parent in access share mode nowait'), '55P03 could not obtain lock on relation "parent"', 'its own session waits, too');
  await a.run('rollback');
  const reader = await b.startWaiting('select * from parent where id = 1');
  t.is(await a.run('select * from over'), '42P01 relation "over" does not exist');
  t.deepEqual(await a.run("commit prepared 'p'"), []);
  t.deepEqual(await reader.answer, ['1|100|5']);
  t.deepEqual(await b.run('select * from parent where id = 1'), ['1|100|5']);
  t.deepEqual(await b.run('select * from over; drop view over; deallocate q'), []);
});

test.serial('SERIALIZABLE: what it has read is not changed behind its back', async (t) => {
  await a.run("begin isolation level serializable; select sum(v) from parent; insert into child values (1, 1); prepare transaction 'p'");
  await b.run('begin isolation level serializable; select count(*) from child; update parent set v = 0 where id = 5');
  t.regex(String(await b.run('commit')), /^40001 could not serialize access due to read\/write dependencies/);
  t.deepEqual(await b.run('update parent set v = 1 where id = 5'), [], 'others may');
  await kill(manager('base'));
  await b.run('begin isolation level serializable; select count(*) from child; update parent set v = 0 where id = 5');
  t.regex(String(await b.run('commit')), /^40001 could not serialize access due to read\/write dependencies/, 'also after the manager was killed');
  t.deepEqual(await a.run("commit prepared 'p'"), []);
  await a.run('begin isolation level serializable; select sum(v) from parent');
  await b.run('update parent set v = 7 where id = 5');
  await a.run('insert into child values (2, 2)');
  t.regex(String(await a.run("prepare transaction 'p'")), /^40001 could not serialize access due to read\/write dependencies/);
  t.deepEqual(await prepared(a), []);
});

test.serial('there are so many and no more; databases in use stay', async (t) => {
  for (let i = 1; i <= LIMIT; i++) t.deepEqual(await a.run(`begin; prepare transaction 'n${i}'`), []);
  await a.run('begin; update parent set v = 1 where id = 1');
  const error = await a.client.query("prepare transaction 'one more'").catch((e: unknown) => e) as { code: string; message: string; hint: string };
  t.like(error, { code: '53200', message: 'maximum number of prepared transactions reached', hint: `Increase max_prepared_transactions (currently ${LIMIT}).` });
  t.deepEqual(await b.run('update parent set v = 2 where id = 1'), [], 'its locks are free');
  for (let i = 1; i <= LIMIT; i++) t.deepEqual(await b.run(`commit prepared 'n${i}'`), []);
  await a.run('create database two_phase');
  const other = await open('two_phase');
  t.deepEqual(await other.run("create table here (a int); begin; insert into here values (1); prepare transaction 'there'"), []);
  t.is(await a.run("commit prepared 'there'"), '0A000 prepared transaction belongs to another database');
  t.is(await a.run("begin; prepare transaction 'there'"), '42710 transaction identifier "there" is already in use');
  t.deepEqual(await a.run("select gid, database from pg_prepared_xacts"), ['there|two_phase']);
  await other.end();
  t.is(await a.run('drop database two_phase'), '55006 database "two_phase" is being accessed by other users');
  t.is(await a.run('drop database two_phase with (force)'), '55006 database "two_phase" is being used by prepared transactions');
  const again = await open('two_phase');
  t.deepEqual(await again.run("commit prepared 'there'"), []);
  t.deepEqual(await again.run('select * from here'), ['1']);
  await again.end();
  t.deepEqual(await a.run('drop database two_phase'), []);
});

test.serial('a large one comes in a file', async (t) => {
  t.deepEqual(await a.run("begin; insert into child select i, 1 from generate_series(1, 200000) i; prepare transaction 'large'"), []);
  await site.killEverything();
  await site.start();
  await reconnect();
  t.deepEqual(await a.run('select count(*) from child'), ['0']);
  t.deepEqual(await a.run("commit prepared 'large'"), []);
  t.deepEqual(await a.run('select count(*), sum(id) from child'), ['200000|20000100000']);
  t.deepEqual(await a.run('select p from child where id = 199999'), ['1']);
});

test.serial('cut off between its halves: PREPARE was never there', async (t) => {
  // It has its number already: what it still needs of the manager of the database is the second half.
  await a.run('begin; create role two_phase_half; update parent set v = 1 where id = 1; select pg_current_xact_id()');
  const victim = a.client.processID!, base = manager('base');
  process.kill(base, 'SIGSTOP');
  void a.run("prepare transaction 'half'");
  const other = await open('template1');
  await until('one half is there', async () => (await prepared(other)).length === 1, 10_000);
  await kill(victim);
  await kill(base);
  a = await open();
  t.deepEqual(await prepared(a), []);
  t.deepEqual(await a.run("begin; create role two_phase_half; prepare transaction 'half'"), []);
  t.deepEqual(await a.run("rollback prepared 'half'"), []);
  t.deepEqual(await a.run('update parent set v = 2 where id = 1 returning v'), ['2']);
  await other.end();
});

const where = spawnSync('ss', ['-V']).status === 0 ? test.serial : test.skip;
where('cut off between its halves: COMMIT PREPARED is brought to its end, ROLLBACK PREPARED as well', async (t) => {
  for (const [command, committed] of [['commit', true], ['rollback', false]] as const) {
    await a.run("begin; create role two_phase_half; update parent set v = v + 1 where id = 1; prepare transaction 'half'");
    await b.run('select 1 from pg_prepared_xacts');
    const victim = a.client.processID!, base = manager('base'), global = manager('global');
    t.false(hasUnread(base) || hasUnread(global));
    process.kill(base, 'SIGSTOP');
    void a.run(`${command} prepared 'half'`);
    // It has the list of global/'s manager, and waits for that of the database.
    await until('it waits for the manager of the database', () => hasUnread(base), 10_000);
    process.kill(global, 'SIGSTOP');
    process.kill(base, 'SIGCONT');
    await until('the database has it', () => hasUnread(global), 10_000);
    await kill(victim);
    process.kill(global, 'SIGCONT');
    a = await open();
    t.deepEqual(await a.run("select count(*) from pg_roles where rolname = 'two_phase_half'"), [committed ? '1' : '0'], command);
    t.deepEqual(await prepared(a), [], command);
    t.deepEqual(await a.run('select v from parent where id = 1'), ['101'], command);
    t.deepEqual(await a.run(`begin; ${committed ? 'drop' : 'create'} role two_phase_half; rollback`), [], command);
    t.deepEqual(await a.run(`drop role if exists two_phase_half`), [], command);
    t.deepEqual(await a.run("begin; prepare transaction 'half'"), [], command);
    t.deepEqual(await a.run("rollback prepared 'half'"), [], command);
  }
});
