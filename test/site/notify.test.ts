// Notifications in great numbers, and listeners that do not listen.
import test from 'ava';
import { until } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

// One after the other: while the second listener does not read, the first session's notifications are refused.

// Each notification was compared with all before it (100,000 took 98 s), and what a listener had not read was copied for each one more.
test.serial('a hundred thousand notifications of one transaction', async (t) => {
  const listener = await Session.open(site), session = await Session.open(site);
  let count = 0, sum = 0;
  listener.client.on('notification', ({ payload }) => {
    count++;
    sum += Number(payload);
  });
  await listener.run('listen many');
  await listener.run('begin');
  t.deepEqual(await session.run("select count(pg_notify('many', (i % 100000)::text)) from generate_series(1, 150000) i"), ['150000']);
  t.is(count, 0);
  await listener.run('commit');
  await until('all have come', () => count >= 100000);
  t.deepEqual([count, sum], [100000, 4999950000]);
  await session.run("begin; notify many, '1'; savepoint s; notify many, '2'; rollback to s; notify many, '3'; notify many, '1'; commit");
  await until('the two have come', () => count >= 100002);
  t.deepEqual([count, sum], [100002, 4999950004]);
  await listener.end();
  await session.end();
});

// A listener that did not read was cut off from its manager, and heard nothing any more.
test.serial('when a listener has too many unread, there can be no others until it reads', async (t) => {
  const listener = await Session.open(site), session = await Session.open(site);
  let count = 0;
  listener.client.on('notification', () => { count++; });
  await listener.run('create table told (i int)');
  await listener.run('listen large');
  await listener.run('begin');
  let sent = 0, answer: string[] | string = [];
  for (; sent < 40 && typeof answer !== 'string'; sent++) {
    answer = await session.run(`begin; insert into told values (1); select count(pg_notify('large', repeat('x', 7900) || i)) from generate_series(1, 1000) i; commit`);
  }
  t.is(answer, '54000 too many notifications in the NOTIFY queue');
  t.deepEqual(await session.run('select count(*) from told'), [String(sent - 1)]);
  t.deepEqual(await session.run("select count(*) from (select pg_notify('unheard', '')) s where false"), ['0']);
  await listener.run('commit');
  await until('all have come', () => count === 1000 * (sent - 1));
  t.deepEqual(await session.run("select count(pg_notify('large', ''))"), ['1']);
  await until('one more has come', () => count === 1000 * (sent - 1) + 1);
  t.is(await session.run(`select pg_notify('large', repeat('x', 8000))`), '22023 payload string too long');
  await listener.end();
  await session.end();
});
