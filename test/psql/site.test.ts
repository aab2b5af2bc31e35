// psql and LIBPQ against a site of ours: both psqls say the same of it, and the library's ways of asking all work.
import test from 'ava';
import { connect, type Connection } from '../../src/interfaces/libpq/libpq.ts';
import { startSite, type Site } from '../support/site.ts';
import { OURS, runPsql } from './compare.ts';

let site: Site;
test.before(async () => { site = await startSite(); });
test.after.always(async () => site?.remove());

const SCRIPT = `create table thing (id serial primary key, name text not null default 'x', price numeric(8,2) check (price > 0));
create index on thing (lower(name)) where id > 1;
create view cheap as select name from thing where price < 5;
insert into thing (name, price) values ('a', 1), ('b', 20) returning id;
copy thing (name, price) from stdin;
c	3
\\.
select * from cheap;
\\d thing
\\d+ thing
\\d+ cheap
\\dt+
\\di
\\ds
\\dv
\\dn+
\\du
\\dp
\\df
\\dT
\\sv cheap
insert into thing (price) values (-1);
select * from thing where nam = 1;
select count(*) as n from thing \\gset
\\echo :n
\\copy thing to stdout csv
drop view cheap; drop table thing;
`;

test('the same script, the same words', async (t) => {
  const script = { name: 'site', args: [], text: SCRIPT };
  const theirs = await runPsql(['/usr/bin/psql'], script, site.env()), ours = await runPsql(OURS, script, site.env());
  t.is(ours.out, theirs.out);
  t.is(ours.err, theirs.err);
  t.is(ours.code, theirs.code);
  t.regex(ours.out, /Table "public\.thing"/);
});

// Debian's psql 15 has no \\bind.
test('\\bind gives a query its parameters, once', async (t) => {
  const { out, err } = await runPsql(OURS, { name: 'bind', args: ['-At'], text: `select $1::int + 1, $2 || '!' \\bind 5 'it''s :x' \\g
select $1 as v \\bind 7 \\gset
\\echo :v
select $1::text \\bind semicolon
;
select 'select 8' where $1 = 'x' \\bind x \\gexec
select $1;
select $1, $2 \\bind 1 \\g
select 1 \\; select 2 \\bind \\g
\\set FETCH_COUNT 1
select $1 union all select 'b' \\bind a \\g
create temp table bound (a text); copy bound from stdin;
from copy
\\.
insert into bound values ($1) returning a \\bind inserted \\g
copy bound to stdout \\bind \\g
` }, site.env());
  t.is(out, '6|it\'s :x!\n7\nsemicolon\n8\na\nb\nCREATE TABLE\nCOPY 1\ninserted\nINSERT 0 1\nfrom copy\ninserted\n');
  t.deepEqual(err.split('\n').filter((l) => l.startsWith('ERROR')), ['ERROR:  there is no parameter $1', 'ERROR:  bind message supplies 1 parameters, but prepared statement "" requires 2', 'ERROR:  cannot insert multiple commands into a prepared statement']);
});

const open = (): Promise<Connection> => connect({ host: '127.0.0.1', port: site.port, user: 'postgres', dbname: 'postgres', passfile: '/nowhere' });

test('LIBPQ: values, transactions, streams, COPY, pipeline, notifications, cancel, the fast path', async (t) => {
  await using db = await open();
  t.deepEqual((await db.query('select $1::int as a, $2::jsonb as j, array[1, null] as l, null::text as n', [7, { k: [1] }])).rows, [{ a: 7, j: { k: [1] }, l: [1, null], n: null }]);
  for (let i = 0; i < 3; i++) t.deepEqual((await db.query('select $1::int8 * 2 as d', [i])).rows, [{ d: BigInt(i * 2) }]);
  await db.exec('create temp table x (a int)');
  await db.begin(async (tx) => {
    await tx.query('insert into x values (1)');
    await t.throwsAsync(tx.savepoint(async (s) => s.query('select 1/0')), { message: 'division by zero' });
  });
  for (const rowLimit of [0, 100]) {
    let n = 0;
    for await (const row of db.stream('select g from generate_series(1, 5000) g', [], { rowLimit })) n += row.g === 0 ? 0 : 1;
    t.is(n, 5000);
  }
  const into = await db.copyFrom('copy x from stdin');
  into.stream.end('2\n3\n');
  t.is((await into.finished).tag, 'COPY 2');
  const out = await db.copyTo('copy (select a from x order by a) to stdout');
  let text = '';
  for await (const piece of out.stream) text += String(piece);
  t.is(text, '1\n2\n3\n');
  const settled = await db.pipeline((p) => Promise.allSettled([p.query('select 1'), p.query('select 1/0'), p.query('select 2')]));
  t.deepEqual(settled.map((s) => s.status), ['fulfilled', 'rejected', 'rejected']);
  const notes = db.notifications('post');
  await db.exec('notify post, \'horse\'');
  t.like((await notes.next()).value, { channel: 'post', payload: 'horse' });
  await notes.return!();
  const controller = new AbortController(), sleeping = db.query('select pg_sleep(60)', [], { signal: controller.signal });
  setImmediate(() => controller.abort(new Error('enough')));
  await t.throwsAsync(sleeping, { message: 'enough' });
  t.is((await db.functionCall(1397, [Buffer.from([255, 255, 255, 251])]))!.readInt32BE(0), 5);
});
