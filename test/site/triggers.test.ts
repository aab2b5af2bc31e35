// Triggers and deferred constraints with several sessions, killed and rolled back ones among them. Every expectation is
// PostgreSQL's: run with AGAINST=postgresql to see.
import test from 'ava';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
let a: Session, b: Session, c: Session;

test.before(async () => {
  site = await startSite();
  [a, b, c] = await Promise.all([Session.open(site), Session.open(site), Session.open(site)]);
});
test.beforeEach(async () => {
  await a.run(`drop table if exists child, parent, seen cascade;
    create table parent (id int primary key, v int); insert into parent select i, 100 from generate_series(1, 5) i;
    create table child (x int references parent deferrable initially deferred, k int unique deferrable initially deferred);
    create table seen (n serial, what text);
    create or replace function see() returns trigger language plpgsql as $f$ begin
      insert into seen (what) values (tg_when || ' ' || coalesce(old.v::text, '-') || ' ' || coalesce(new.v::text, '-')); return coalesce(new, old); end $f$`);
});
test.afterEach.always(async () => {
  for (const s of [a, b, c]) await s.run('rollback; reset all');
});
test.after.always(async () => site?.remove());

const seen = async (): Promise<string[] | string> => c.run('select what from seen order by n');

test.serial('a trigger gets the row that somebody else has changed meanwhile', async (t) => {
  await a.run('create trigger b before update on parent for each row execute function see(); create trigger z after update on parent for each row execute function see()');
  await a.run('begin; update parent set v = 101 where id = 1');
  const waiting = await b.startWaiting('update parent set v = v * 2 where id = 1 returning v');
  await a.run('commit');
  t.deepEqual(await waiting.answer, ['202']);
  t.deepEqual(await seen(), ['BEFORE 100 101', 'AFTER 100 101', 'BEFORE 101 202', 'AFTER 101 202']);
});

test.serial('what triggers did goes with a savepoint, and with the transaction', async (t) => {
  await a.run('create trigger z after insert or update or delete on parent for each row execute function see()');
  await a.run('begin; update parent set v = 1 where id = 1; savepoint s; delete from parent where id = 2; rollback to s; insert into parent values (9, 9); commit');
  t.deepEqual(await seen(), ['AFTER 100 1', 'AFTER - 9']);
  await a.run('begin; update parent set v = 2; rollback');
  t.deepEqual(await seen(), ['AFTER 100 1', 'AFTER - 9']);
});

test.serial('deferred events that a savepoint takes back, or that were fired in it', async (t) => {
  await a.run('begin; insert into child values (77, 1); savepoint s; insert into parent values (77, 0); set constraints all immediate; rollback to s');
  t.is(await a.run('commit'), '23503 insert or update on table "child" violates foreign key constraint "child_x_fkey"', 'fired in the savepoint, waiting again');
  t.deepEqual(await a.run('begin; savepoint s; insert into child values (78, 1); rollback to s; commit'), []);
  t.deepEqual(await c.run('select * from child'), []);
});

test.serial('a deferred foreign key is checked at COMMIT, against what others have done', async (t) => {
  await a.run('begin; insert into child values (1, 1)');
  t.deepEqual(await b.run('delete from parent where id = 1'), [], 'nobody has asked for the row yet');
  t.is(await a.run('commit'), '23503 insert or update on table "child" violates foreign key constraint "child_x_fkey"');
  await a.run('begin; insert into child values (2, 1); set constraints all immediate');
  const deleting = await b.startWaiting('delete from parent where id = 2');
  await a.run('commit');
  t.is(await deleting.answer, '23503 update or delete on table "parent" violates foreign key constraint "child_x_fkey" on table "child"');
});

test.serial('a deferrable key is waited for', async (t) => {
  await a.run('begin; insert into child values (null, 1)');
  const losing = await b.startWaiting('insert into child values (null, 1)');
  await a.run('commit');
  t.is(await losing.answer, '23505 duplicate key value violates unique constraint "child_k_key"');
  await a.run('begin; insert into child values (null, 2)');
  const winning = await b.startWaiting('insert into child values (null, 2)');
  await a.run('rollback');
  t.deepEqual(await winning.answer, []);
  await a.run('begin; delete from child where k = 2');
  const taking = await b.startWaiting('insert into child values (null, 2)');
  await a.run('commit');
  t.deepEqual(await taking.answer, []);
  t.deepEqual(await a.run('begin; update child set k = 3 - k; commit'), [], 'two keys change places');
  t.deepEqual(await c.run('select k from child order by 1'), ['1', '2']);
});

test.serial('a killed session leaves no event, no lock and no row behind', async (t) => {
  await a.run('begin; insert into child values (1, 1), (77, 2); set constraints child_k_key immediate; update parent set v = 0 where id = 1');
  const waiting = await b.startWaiting('delete from parent where id = 1');
  process.kill(a.client.processID, process.env['AGAINST'] ? 'SIGTERM' : 'SIGKILL');
  t.deepEqual(await waiting.answer, []);
  t.deepEqual(await c.run('select * from child'), []);
  t.deepEqual(await c.run('insert into child values (2, 1), (3, 2)'), []);
  a = await Session.open(site);
});
