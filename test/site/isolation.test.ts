// Two and three sessions at once: waiting, re-checking, giving up. Every expectation is PostgreSQL's: run with
// AGAINST=postgresql to see.
import test from 'ava';
import { until } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
let a: Session, b: Session, c: Session;

test.before(async () => {
  site = await startSite();
  [a, b, c] = await Promise.all([Session.open(site), Session.open(site), Session.open(site)]);
});
test.beforeEach(async () => {
  await a.run('drop table if exists child, acc cascade; create table acc (id int primary key, v int, tag text); insert into acc select i, 100, null from generate_series(1, 5) i');
});
test.afterEach.always(async () => {
  for (const s of [a, b, c]) await s.run('rollback; reset all');
});
test.after.always(async () => site?.remove());

const sums = async (): Promise<string[] | string> => c.run('select id, v from acc order by id');

test.serial('READ COMMITTED: a waiting update sees what the other committed, and its WHERE is checked again', async (t) => {
  await a.run('begin; update acc set v = v + 1 where id = 1');
  const waiting = await b.startWaiting('update acc set v = v * 2 where id = 1 returning v');
  t.deepEqual(await c.run('select v from acc where id = 1'), ['100'], 'readers do not wait');
  await a.run('commit');
  t.deepEqual(await waiting.answer, ['202']);
  await a.run('begin; update acc set v = 5 where id = 2');
  const rechecked = await b.startWaiting('update acc set tag = $$hit$$ where v = 100 and id = 2 returning id');
  await a.run('commit');
  t.deepEqual(await rechecked.answer, []);
  await a.run('begin; update acc set v = 5 where id = 3');
  const deleting = await b.startWaiting('delete from acc where v = 100 and id = 3');
  await a.run('rollback');
  t.deepEqual(await deleting.answer, []);
  t.deepEqual(await sums(), ['1|202', '2|5', '4|100', '5|100']);
  await a.run('begin; delete from acc where id = 4');
  const gone = await b.startWaiting('update acc set v = 0 where id = 4 returning v');
  await a.run('commit');
  t.deepEqual(await gone.answer, []);
});

test.serial('pg_stat_activity says what somebody waits for', async (t) => {
  // It was empty for all but those who wait for their client.
  const event = async (): Promise<string[] | string> => c.run(`select wait_event_type, wait_event from pg_stat_activity where pid = ${b.client.processID}`);
  for (const [before, waits, wanted] of [
    ['begin; update acc set v = 1 where id = 1', 'begin; update acc set v = 2 where id = 1', 'Lock|transactionid'],
    ['begin; insert into acc values (77)', 'begin; insert into acc values (77)', 'Lock|transactionid'],
    ['begin; lock acc', 'begin; lock acc', 'Lock|relation'],
    ['begin; select pg_advisory_xact_lock(5)', 'begin; select pg_advisory_xact_lock(5)', 'Lock|advisory'],
  ] as const) {
    await a.run(before);
    const waiting = await b.startWaiting(waits);
    t.deepEqual(await event(), [wanted], waits);
    await a.run('rollback');
    await waiting.answer;
    await b.run('rollback');
    t.deepEqual(await event(), ['Client|ClientRead']);
  }
  const sleeping = b.run('select pg_sleep(60)');
  await until('it sleeps', async () => (await event())[0] === 'Timeout|PgSleep');
  await c.run(`select pg_cancel_backend(${b.client.processID})`);
  t.regex(String(await sleeping), /^57014/);
  t.deepEqual(await event(), ['Client|ClientRead']);
});

test.serial('READ COMMITTED: each statement has its snapshot, REPEATABLE READ keeps the first', async (t) => {
  await a.run('begin');
  await b.run('begin isolation level repeatable read');
  t.deepEqual(await a.run('select sum(v) from acc'), ['500']);
  t.deepEqual(await b.run('select sum(v) from acc'), ['500']);
  await c.run('update acc set v = v + 1');
  t.deepEqual(await a.run('select sum(v) from acc'), ['505']);
  t.deepEqual(await b.run('select sum(v) from acc'), ['500']);
  t.is(await b.run('update acc set v = 0 where id = 1'), '40001 could not serialize access due to concurrent update');
  t.deepEqual(await b.run('rollback'), []);
});

test.serial('READ COMMITTED: after one wait the later rows of the command are checked again too', async (t) => {
  await a.run('create table big (k int, v int); insert into big select g, 0 from generate_series(1, 1500) g');
  const twoRows = 'begin; update big set v = v + 1 where k in (3, 1200)';
  const during = async (other: string, mine: string): Promise<string[] | string> => {
    await a.run('update big set v = 0');
    await a.run(other);
    const waiting = await b.startWaiting(mine);
    await a.run('commit');
    return waiting.answer;
  };
  await during(twoRows, 'update big set v = v + 10');
  t.deepEqual(await c.run('select k, v from big where v <> 10 order by k'), ['3|11', '1200|11']);
  t.deepEqual(await during(twoRows, 'with l as (select * from big where v = 0 for update) select count(*) from l'), ['1498']);
  await during(twoRows, 'merge into big using generate_series(1, 1300) g on g = k when matched and v = 0 then update set v = 10 when matched then update set v = v + 100');
  t.deepEqual(await c.run('select k, v from big where v not in (0, 10) order by k'), ['3|101', '1200|101']);
  await during(twoRows, 'delete from big where v = 0');
  t.deepEqual(await c.run('select k, v from big order by k'), ['3|1', '1200|1']);
  await a.run('drop table big; create table big (k int, v text) partition by range (k); create table big1 partition of big for values from (0) to (10);'
    + ' create table big2 (v text, k int); alter table big attach partition big2 default; insert into big values (1, $$one$$), (11, $$eleven$$)');
  await a.run('begin; update big set v = v || $$A$$');
  const both = await b.startWaiting('update big set v = v || $$B$$ returning v');
  await a.run('commit');
  t.deepEqual(await both.answer, ['oneAB', 'elevenAB']);
  await a.run('begin; update big set v = v || $$C$$');
  const seen = await b.startWaiting('select v from big order by k for update');
  await a.run('commit');
  t.deepEqual(await seen.answer, ['oneABC', 'elevenABC']);
  await a.run('drop table big');
});

test.serial('REPEATABLE READ: waiting for a change ends with 40001, unless it is undone', async (t) => {
  await b.run('begin isolation level repeatable read; select 1 from acc');
  await a.run('begin; update acc set v = 1 where id = 1');
  const first = await b.startWaiting('update acc set v = v + 1 where id = 1 returning v');
  await a.run('rollback');
  t.deepEqual(await first.answer, ['101']);
  await b.run('rollback; begin isolation level repeatable read; select 1 from acc');
  await a.run('begin; update acc set v = 1 where id = 1');
  const second = await b.startWaiting('update acc set v = v + 1 where id = 1');
  await a.run('commit');
  t.is(await second.answer, '40001 could not serialize access due to concurrent update');
  await b.run('rollback; begin isolation level repeatable read; select 1 from acc');
  await a.run('delete from acc where id = 2');
  t.regex(String(await b.run('select v from acc where id = 2 for update')), /^40001 could not serialize access due to concurrent (update|delete)$/);
});

test.serial('SERIALIZABLE: write skew is refused', async (t) => {
  await a.run('begin isolation level serializable; select sum(v) from acc');
  await b.run('begin isolation level serializable; select sum(v) from acc');
  t.deepEqual(await a.run('update acc set v = 0 where id = 1'), []);
  t.deepEqual(await b.run('update acc set v = 0 where id = 2'), []);
  const results = [await a.run('commit'), await b.run('commit')];
  t.is(results.filter((r) => typeof r === 'string' && r.startsWith('40001')).length, 1);
});

test.serial('deadlocks end with 40P01 for one, and the other goes on', async (t) => {
  await a.run("set deadlock_timeout = '30ms'");
  await b.run("set deadlock_timeout = '30ms'");
  await a.run('begin; update acc set v = 1 where id = 1');
  await b.run('begin; update acc set v = 2 where id = 2');
  const one = await a.startWaiting('update acc set v = 1 where id = 2');
  const two = b.run('update acc set v = 2 where id = 1');
  const answers = await Promise.all([Promise.race([one.answer, two]), one.answer.then(async (r) => { if (typeof r === 'string') await a.run('rollback'); return r; }),
    two.then(async (r) => { if (typeof r === 'string') await b.run('rollback'); return r; })]);
  t.is(answers.slice(1).filter((r) => r === '40P01 deadlock detected').length, 1);
  t.is(answers.slice(1).filter((r) => Array.isArray(r)).length, 1);
});

test.serial('lock_timeout, statement_timeout, NOWAIT, SKIP LOCKED', async (t) => {
  await a.run('begin; select * from acc where id in (1, 2) for update');
  await b.run("set lock_timeout = '30ms'");
  t.is(await b.run('update acc set v = 0 where id = 1'), '55P03 canceling statement due to lock timeout');
  await b.run("set lock_timeout = 0; set statement_timeout = '30ms'");
  t.is(await b.run('update acc set v = 0 where id = 1'), '57014 canceling statement due to statement timeout');
  await b.run('set statement_timeout = 0');
  t.is(await b.run('select id from acc where id = 1 for update nowait'), '55P03 could not obtain lock on row in relation "acc"');
  t.deepEqual(await b.run('select id from acc order by id for update skip locked'), ['3', '4', '5']);
  t.deepEqual(await b.run('select id from acc order by id limit 1 for no key update skip locked'), ['3']);
  t.is(await b.run('begin; lock table acc in access exclusive mode nowait'), '55P03 could not obtain lock on relation "acc"');
});

test.serial('row lock modes: who may pass whom', async (t) => {
  const modes = ['key share', 'share', 'no key update', 'update'];
  const conflicts: string[] = [];
  for (const held of modes) {
    await a.run(`begin; select 1 from acc where id = 1 for ${held}`);
    for (const wanted of modes) {
      const answer = await b.run(`select 1 from acc where id = 1 for ${wanted} nowait`);
      if (typeof answer === 'string') conflicts.push(`${held}: ${wanted}`);
    }
    await a.run('rollback');
  }
  t.deepEqual(conflicts, ['key share: update', 'share: no key update', 'share: update', 'no key update: share', 'no key update: no key update', 'no key update: update',
    'update: key share', 'update: share', 'update: no key update', 'update: update']);
});

test.serial('FOR UPDATE waits, reads again and checks again', async (t) => {
  await a.run('begin; update acc set v = 7 where id = 1');
  const waiting = await b.startWaiting('select v from acc where id = 1 for update');
  await a.run('commit');
  t.deepEqual(await waiting.answer, ['7']);
  await a.run('begin; update acc set v = 8 where id = 1');
  const empty = await b.startWaiting('select v from acc where v = 7 for update');
  await a.run('commit');
  t.deepEqual(await empty.answer, []);
  await a.run('begin; update acc set v = 9 where id = 1');
  const joined = await b.startWaiting('select x.v, y.v from acc x join acc y on y.id = x.id where x.id = 1 for update of x');
  await a.run('commit');
  t.deepEqual(await joined.answer, ['9|8'], 'only the locked side is read again');
});

test.serial('an update by join is checked again with the new row', async (t) => {
  await a.run('create table delta (id int, d int); insert into delta values (1, 10), (2, 20)');
  await a.run('begin; update acc set v = 200 where id = 1');
  const waiting = await b.startWaiting('update acc set v = v + d from delta where delta.id = acc.id returning acc.id, v');
  await a.run('commit');
  t.deepEqual((await waiting.answer as string[]).sort(), ['1|210', '2|120']);
  await a.run('drop table delta');
});

test.serial('unique keys: the second waits for the first', async (t) => {
  await a.run("begin; insert into acc values (10, 0, 'a')");
  const refused = await b.startWaiting("insert into acc values (10, 0, 'b')");
  await a.run('commit');
  t.is(await refused.answer, '23505 duplicate key value violates unique constraint "acc_pkey"');
  await a.run("begin; insert into acc values (11, 0, 'a')");
  const taken = await b.startWaiting("insert into acc values (11, 0, 'b')");
  await a.run('rollback');
  t.deepEqual(await taken.answer, []);
  await a.run('begin; delete from acc where id = 1');
  const freed = await b.startWaiting("insert into acc values (1, 0, 'again')");
  await a.run('commit');
  t.deepEqual(await freed.answer, []);
  await a.run('begin; insert into acc values (12, 0)');
  const updated = await b.startWaiting('update acc set id = 12 where id = 2');
  await a.run('commit');
  t.is(await updated.answer, '23505 duplicate key value violates unique constraint "acc_pkey"');
});

test.serial('ON CONFLICT waits, then updates or does nothing', async (t) => {
  await a.run("begin; insert into acc values (20, 1, 'a')");
  const upsert = await b.startWaiting("insert into acc values (20, 2, 'b') on conflict (id) do update set v = acc.v + excluded.v returning v, tag");
  await a.run('commit');
  t.deepEqual(await upsert.answer, ['3|a']);
  await a.run("begin; insert into acc values (21, 1, 'a')");
  const nothing = await b.startWaiting('insert into acc values (21, 2) on conflict do nothing returning v');
  await a.run('commit');
  t.deepEqual(await nothing.answer, []);
  await a.run("begin; insert into acc values (22, 1, 'a')");
  const inserted = await b.startWaiting('insert into acc values (22, 2) on conflict do nothing returning v');
  await a.run('rollback');
  t.deepEqual(await inserted.answer, ['2']);
});

test.serial('foreign keys hold under concurrency', async (t) => {
  await a.run('create table child (id int primary key, acc int references acc)');
  await a.run('begin; insert into child values (1, 1)');
  t.deepEqual(await b.run('update acc set v = 0 where id = 1'), [], 'other columns of the parent are free');
  const deleting = await b.startWaiting('delete from acc where id = 1');
  await a.run('commit');
  t.is(await deleting.answer, '23503 update or delete on table "acc" violates foreign key constraint "child_acc_fkey" on table "child"');
  await a.run('begin; delete from acc where id = 2');
  const inserting = await b.startWaiting('insert into child values (2, 2)');
  await a.run('commit');
  t.is(await inserting.answer, '23503 insert or update on table "child" violates foreign key constraint "child_acc_fkey"');
  await a.run('begin; delete from acc where id = 3');
  const saved = await b.startWaiting('insert into child values (3, 3)');
  await a.run('rollback');
  t.deepEqual(await saved.answer, []);
  t.deepEqual(await c.run('select acc from child order by 1'), ['1', '3']);
});

test.serial('savepoints give their locks back', async (t) => {
  await a.run('begin; savepoint s; update acc set v = 1 where id = 1');
  const waiting = await b.startWaiting('update acc set v = 2 where id = 1 returning v');
  await a.run('rollback to s');
  t.deepEqual(await waiting.answer, ['2']);
  await a.run('update acc set v = 3 where id = 2; release s; savepoint u; insert into acc values (30, 1); rollback to u; commit');
  t.deepEqual(await c.run('select v from acc where id in (2, 30)'), ['3']);
});

test.serial('advisory locks: of the session, of the transaction, shared, counted', async (t) => {
  t.deepEqual(await a.run('select pg_try_advisory_lock(1), pg_try_advisory_lock(1)'), ['t|t']);
  t.deepEqual(await b.run('select pg_try_advisory_lock(1), pg_try_advisory_lock(0, 1), pg_try_advisory_lock_shared(1)'), ['f|t|f']);
  const waiting = await b.startWaiting('select pg_advisory_lock(1)');
  t.deepEqual(await a.run('select pg_advisory_unlock(1)'), ['t']);
  t.true(b.waits());
  t.deepEqual(await a.run('select pg_advisory_unlock(1)'), ['t']);
  await waiting.answer;
  t.deepEqual(await b.run('select pg_advisory_unlock_all()'), ['']);
  await a.run('begin; select pg_advisory_xact_lock_shared(5)');
  t.deepEqual(await b.run('select pg_try_advisory_xact_lock_shared(5), pg_try_advisory_xact_lock(5)'), ['t|f']);
  const exclusive = await b.startWaiting('select pg_advisory_xact_lock(5)');
  await a.run('commit');
  t.deepEqual(await exclusive.answer, ['']);
  await a.run('select pg_advisory_lock(9)');
  await a.end();
  const held = await b.startWaiting('select pg_advisory_lock(9)').catch(() => null);
  if (held) await held.answer; // freed when its session ends
  await b.run('select pg_advisory_unlock_all()');
  a = await Session.open(site);
  t.pass();
});

test.serial('transactional DDL: seen by others when committed; others wait', async (t) => {
  await a.run('begin; create table fresh (a int); alter table acc add column extra int default 5; insert into fresh values (1)');
  t.is(await b.run('select * from fresh'), '42P01 relation "fresh" does not exist');
  const waiting = await b.startWaiting('update acc set extra = 1 where id = 1').catch(() => null); // what only reads does not wait here
  await a.run('rollback');
  if (waiting !== null) t.is(await waiting.answer, '42703 column "extra" of relation "acc" does not exist');
  await a.run('begin; alter table acc add column extra int default 5; create table fresh (a int); insert into fresh values (1)');
  const second = await b.startWaiting('insert into acc values (50, 1) returning *');
  await a.run('commit');
  t.deepEqual(await second.answer, ['50|1|NULL|5']);
  t.deepEqual(await b.run('select * from fresh'), ['1']);
  await a.run('begin; drop table fresh');
  const dropped = await b.startWaiting('insert into fresh values (2)');
  await a.run('commit');
  t.is(await dropped.answer, '42P01 relation "fresh" does not exist');
  await a.run('begin; update acc set v = 1 where id = 1');
  const altering = await b.startWaiting('alter table acc drop column tag');
  t.deepEqual(await a.run('commit'), []);
  t.deepEqual(await altering.answer, []);
});

test.serial('TRUNCATE is transactional', async (t) => {
  await a.run('begin; truncate acc; insert into acc values (1, 1)');
  t.deepEqual(await a.run('select count(*) from acc'), ['1']);
  await a.run('rollback');
  t.deepEqual(await sums(), ['1|100', '2|100', '3|100', '4|100', '5|100']);
});

// The second was told at COMMIT only.
test.serial('two create the same: the second waits at its statement', async (t) => {
  for (const [what, index] of [
    ['table twice (a int)', 'pg_type_typname_nsp'], ['sequence twice', 'pg_class_relname_nsp'], ['schema twice', 'pg_namespace_nspname'],
    ["type twice as enum ('a')", 'pg_type_typname_nsp'], ['role twice', 'pg_authid_rolname'],
  ] as const) {
    await a.run(`begin; create ${what}`);
    let second = await b.startWaiting(`create ${what}`);
    await a.run('rollback');
    t.deepEqual(await second.answer, []);
    await a.run(`drop ${what.split(' (')[0]!.split(' as')[0]!}`);
    await a.run(`begin; create ${what}`);
    second = await b.startWaiting(`create ${what}`);
    await a.run('commit');
    t.is(await second.answer, `23505 duplicate key value violates unique constraint "${index}_index"`);
    await a.run(`drop ${what.split(' (')[0]!.split(' as')[0]!}`);
  }
  await b.run("begin isolation level repeatable read; select 1");
  await a.run('create table twice ()');
  t.regex(String(await b.run('create table twice ()')), /^(23505|42P07) /); // before the commit
  await b.run('rollback');
  await a.run('drop table twice');
});

// The first try of an INSERT meets the other's row at its commit, and is run again: with the same numbers.
test.serial('a statement that is run again takes no more numbers', async (t) => {
  await a.run('create table numbered (id serial, v int unique); create table counter (n int); insert into counter values (0)');
  for (let i = 0; i < 40; i++) {
    await Promise.all([
      a.run('update counter set n = n + 1'), b.run(`insert into numbered (v) select ${i} + 0 * (n + 1) from counter`),
      c.run(`insert into numbered (v) values (${-1 - i})`), a.run(`update counter set n = n + 1`),
    ]);
  }
  t.deepEqual(await a.run("select nextval('numbered_id_seq'), count(*), count(distinct id), max(id) from numbered"), ['81|80|80|80']);
  await a.run('drop table numbered, counter');
});

test.serial('sequences: never the same number, not undone', async (t) => {
  await a.run('create sequence s');
  await a.run("begin; select nextval('s')");
  t.deepEqual(await b.run("select nextval('s')"), ['2']);
  await a.run('rollback');
  t.deepEqual(await a.run("select nextval('s'), currval('s')"), ['3|3']);
  t.deepEqual(await b.run("select currval('s'), lastval()"), ['2|2']);
  t.is(await c.run("select currval('s')"), '55000 currval of sequence "s" is not yet defined in this session');
  t.deepEqual(await a.run("select setval('s', 100); select nextval('s')"), ['101']);
  await a.run('drop sequence s');
});

test.serial('a session that dies gives everything back', async (t) => {
  await a.run('begin; update acc set v = 0; insert into acc values (40, 1); select pg_advisory_lock(77)');
  const waiting = await b.startWaiting('update acc set v = v + 1 where id = 1 returning v');
  process.kill(a.client.processID, process.env['AGAINST'] ? 'SIGTERM' : 'SIGKILL');
  t.deepEqual(await waiting.answer, ['101']);
  t.deepEqual(await c.run('select pg_try_advisory_lock(77), pg_advisory_unlock(77), (select count(*) from acc)'), ['t|t|5']);
  a = await Session.open(site);
});

test.serial('exclusion constraints: whoever enters an overlapping range waits for the first, and then sees its row', async (t) => {
  await a.run('drop table if exists booking; create table booking (room int4range, during int4range, exclude using gist (room with =, during with &&))');
  const refused = '23P01 conflicting key value violates exclusion constraint "booking_room_during_excl"';
  await a.run(`begin; insert into booking values ('[1,2)', '[10,20)')`);
  t.deepEqual(await c.run(`insert into booking values ('[2,3)', '[10,20)')`), [], 'another room waits for nobody');
  const waiting = await b.startWaiting(`insert into booking values ('[1,2)', '[15,25)')`);
  await a.run('commit');
  t.is(await waiting.answer, refused);
  await a.run(`begin; insert into booking values ('[1,2)', '[30,40)')`);
  const lucky = await b.startWaiting(`insert into booking values ('[1,2)', '[35,45)')`);
  await a.run('rollback');
  t.deepEqual(await lucky.answer, []);
  await a.run(`begin; delete from booking where during = '[10,20)' and room = '[1,2)'`);
  const afterDelete = await b.startWaiting(`insert into booking values ('[1,2)', '[15,25)')`);
  await a.run('commit');
  t.deepEqual(await afterDelete.answer, []);
  // A transaction with an old snapshot may not overlook what came since.
  await b.run('begin isolation level repeatable read');
  t.deepEqual(await b.run('select count(*) from booking'), ['3']);
  await a.run(`insert into booking values ('[1,2)', '[100,110)')`);
  t.is(await b.run(`insert into booking values ('[1,2)', '[105,115)')`), refused);
  await b.run('rollback');
  await a.run('alter table booking drop constraint booking_room_during_excl; alter table booking add exclude using gist (room with =, during with &&) initially deferred');
  await a.run(`begin; insert into booking values ('[1,2)', '[200,210)')`);
  const deferred = await b.startWaiting(`insert into booking values ('[1,2)', '[205,215)')`);
  await a.run('commit');
  t.is(await deferred.answer, refused);
});

// pg_restore --jobs builds the indexes of a table side by side: the second failed at its commit, with 40001.
test.serial('two make the first index of a table at once: both are there', async (t) => {
  await a.run('drop table if exists shelf; create table shelf (x int, y int); insert into shelf select i, i from generate_series(1, 100) i');
  await a.run('begin; create index shelf_x on shelf (x)');
  const waiting = await b.startWaiting('create index shelf_y on shelf (y)');
  await a.run('commit');
  t.deepEqual(await waiting.answer, []);
  await a.run('drop table shelf; create table shelf (x int, y int)');
  await a.run('begin; create index shelf_x on shelf (x)');
  const first = await b.startWaiting('create index shelf_y on shelf (y)');
  await a.run('rollback');
  t.deepEqual(await first.answer, []);
  t.deepEqual(await c.run('select indexrelid::regclass, relhasindex from pg_index join pg_class c on c.oid = indrelid where indrelid = \'shelf\'::regclass'), ['shelf_y|t']);
});

test.serial('two-phase commit is off until the site has a setting for it', async (t) => {
  await a.run('begin; update acc set v = 0 where id = 1');
  t.is(await a.run("prepare transaction 'p'"), '55000 prepared transactions are disabled');
  t.deepEqual(await b.run('select v from acc where id = 1'), ['100']);
  t.is(await a.run("commit prepared 'p'"), '42704 prepared transaction with identifier "p" does not exist');
});
