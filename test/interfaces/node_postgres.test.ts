// What programs use of the drivers `pg` and `postgres`: pools, parameters of all types, prepared statements, COPY, cursors,
// LISTEN, transactions, errors with their fields, cancelling. AGAINST=postgresql runs it against PostgreSQL.
import test from 'ava';
import pg, { type DatabaseError, type QueryResult } from 'pg';
import postgres from 'postgres';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { startSite, SUPERUSER, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());
const settings = (): { host: string; port: number; user: string; database: string } => ({ host: '127.0.0.1', port: site.port, user: SUPERUSER, database: 'postgres' });

test('pg: parameters and results of all types', async (t) => {
  const client = await site.connect();
  const at = new Date('2020-01-01T10:00:00.123Z');
  const { rows } = await client.query(
    `select $1::int2 as a, $2::int4 as b, $3::int8 as c, $4::numeric as d, $5::float8 as e, $6::text as f, $7::bool as g, $8::timestamptz as h, $9::bytea as i,
       $10::json as j, $11::jsonb as k, $12::uuid as l, $13::int[] as m, $14::text[] as n, $15::interval as o, $16::point as p, $17::varchar(3) as q, $18::float4 as r, $19::date as s`,
    [1, -2, '9007199254740993', '1.50', 1.5, 'é\u{1f600}"\'\\', true, at, Buffer.from([0, 255]), { a: [1] }, { b: { c: null } }, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      [1, null, 3], ['a,b', '"q"', null, 'NULL', ''], '1 year 2 days 04:05:06.7', '(1,2)', 'abcdef', 0.1, null]);
  const { o, ...rest } = rows[0];
  t.deepEqual(rest, {
    a: 1, b: -2, c: '9007199254740993', d: '1.50', e: 1.5, f: 'é\u{1f600}"\'\\', g: true, h: at, i: Buffer.from([0, 255]), j: { a: [1] }, k: { b: { c: null } },
    l: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', m: [1, null, 3], n: ['a,b', '"q"', null, 'NULL', ''], p: { x: 1, y: 2 }, q: 'abc', r: 0.1, s: null,
  });
  t.like(o, { years: 1, days: 2, hours: 4, minutes: 5, seconds: 6, milliseconds: 700 });
  t.deepEqual((await client.query({ text: "select 1::int4 as a, 2::int8 as b, 1.5::float8 as c, true as d, 'x'::text as e, null::int as f", binary: true })).rows,
    [{ a: 1, b: '2', c: 1.5, d: true, e: 'x', f: null }]);
  for (const i of [1, 2, 3]) t.deepEqual((await client.query({ name: 'plus', text: 'select $1::int + 1 as x', values: [i] })).rows, [{ x: i + 1 }]);
  const several = await client.query('select 1 as a; select 2 as b; create temp table made ()') as unknown as QueryResult[];
  t.deepEqual(several.map((r) => [r.command, r.rows]), [['SELECT', [{ a: 1 }]], ['SELECT', [{ b: 2 }]], ['CREATE', []]]);
});

test('pg: errors have their fields, and the session goes on', async (t) => {
  const client = await site.connect();
  await client.query('create schema e; set search_path = e; create table u (id int primary key, name text not null unique, age int check (age > 0))');
  await client.query("insert into u values (1, 'a')");
  const failure = async (text: string, values?: unknown[]): Promise<DatabaseError> => client.query(text, values).then(() => { throw new Error(text); }, (error: DatabaseError) => error);
  t.like(await failure("insert into u values (2, 'a')"), { code: '23505', severity: 'ERROR', detail: 'Key (name)=(a) already exists.', schema: 'e', table: 'u', constraint: 'u_name_key' });
  t.like(await failure('insert into u values ($1, null)', [3]), { code: '23502', table: 'u', column: 'name' });
  t.like(await failure("insert into u values (4, 'x', -1)"), { code: '23514', constraint: 'u_age_check', detail: 'Failing row contains (4, x, -1).' });
  t.like(await failure('select nope from u'), { code: '42703', position: '8' });
  // It was said which parameter, but nothing of its value.
  t.like(await failure('select $1::int', ['abc']), { code: '22P02', where: "unnamed portal parameter $1 = '...'" });
  await client.query('set log_parameter_max_length_on_error = 2');
  t.like(await failure('select $1::int', ["a'bc"]), { where: "unnamed portal parameter $1 = 'a''...'" });
  t.like(await failure('select 1 / $1::int, $2::text, $3::text', [0, null, 'long']), { code: '22012', where: "unnamed portal with parameters: $1 = '0', $2 = NULL, $3 = 'lo...'" });
  t.deepEqual((await client.query('select count(*)::int as n from u')).rows, [{ n: 1 }]);
});

test('pg: a pool, transactions, notices, notifications, cancelling, termination', async (t) => {
  const pool = new pg.Pool({ ...settings(), max: 4 });
  const sums = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await pool.query('select $1::int as n', [i])).rows[0].n as number));
  t.is(sums.reduce((a, b) => a + b), 780);
  const client = await pool.connect();
  const notices: unknown[] = [];
  client.on('notice', (n: DatabaseError) => notices.push([n.severity, n.code, n.message]));
  await client.query("do $$ begin raise notice 'hello %', 1; end $$; drop table if exists nope");
  t.deepEqual(notices, [['NOTICE', '00000', 'hello 1'], ['NOTICE', '00000', 'table "nope" does not exist, skipping']]);
  await client.query('create table tx (a int); begin; insert into tx values (1); savepoint s');
  await t.throwsAsync(client.query('select 1 / 0'), { code: '22012' });
  await t.throwsAsync(client.query('select 1'), { code: '25P02' });
  await client.query('rollback to s; commit');
  t.deepEqual((await client.query('select * from tx')).rows, [{ a: 1 }]);

  const listener = await site.connect();
  await listener.query('listen ch');
  const got: unknown[] = [];
  const all = new Promise<void>((done) => { listener.on('notification', (m: { channel: string; payload: string }) => { if (got.push([m.channel, m.payload]) === 3) done(); }); });
  await client.query("select pg_notify('ch', 'p1')");
  await client.query("begin; notify ch, 'p2'; notify ch, 'p2'; notify ch; commit");
  await all;
  t.deepEqual(got, [['ch', 'p1'], ['ch', 'p2'], ['ch', '']]);

  const other = new pg.Client(settings());
  await other.connect();
  const errors: DatabaseError[] = [];
  other.on('error', (error: DatabaseError) => { errors.push(error); });
  const { pid } = (await other.query('select pg_backend_pid() as pid')).rows[0];
  const sleeping = t.throwsAsync(other.query('select pg_sleep(60)'), { code: '57014' });
  for (let done = false; !done;) done = (await client.query("select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and query ~ 'sleep' and state = 'active'", [pid])).rowCount === 1;
  await sleeping;
  const ended = new Promise((done) => { other.on('end', done); });
  await client.query('select pg_terminate_backend($1)', [pid]);
  await ended;
  t.is(errors[0]!.code, '57P01');
  client.release();
  await pool.end();
});

test('postgres: rows in and out, cursors, COPY, savepoints, LISTEN', async (t) => {
  const sql = postgres({ ...settings(), max: 3, onnotice: () => {} });
  await sql`create table p (id int primary key, a int[], j jsonb, n numeric, b bytea, big int8)`;
  await sql`insert into p ${sql([{ id: 1, a: [1, 2], j: { x: 1 }, n: '1.5', b: Buffer.from('hi'), big: '9007199254740993' }, { id: 2, a: null, j: null, n: null, b: null, big: null }])}`;
  t.deepEqual([...await sql`select * from p where id = any(${[1, 2]}) order by id`], [
    { id: 1, a: [1, 2], j: { x: 1 }, n: '1.5', b: Buffer.from('hi'), big: '9007199254740993' }, { id: 2, a: null, j: null, n: null, b: null, big: null }]);
  const inside = await sql.begin(async (s) => {
    await s`insert into p (id) values (3)`;
    const code = await s.savepoint(async (x) => x`insert into p (id) values (3)`).catch((error: { code: string }) => error.code);
    return [code, (await s`select count(*)::int as n from p`)[0]!['n']];
  });
  t.deepEqual(inside, ['23505', 3]);
  let n = 0;
  await sql`select i from generate_series(1, 1000) i`.cursor(100, (rows) => { n += rows.length; });
  t.is(n, 1000);
  await pipeline(Readable.from(['100\n101\n']), await sql`copy p (id) from stdin`.writable());
  let text = '';
  for await (const piece of await sql`copy (select id from p order by id) to stdout`.readable()) text += String(piece);
  t.is(text, '1\n2\n3\n100\n101\n');
  const heard = new Promise((done) => { void sql.listen('ev', done).then(() => sql.notify('ev', 'yo')); });
  t.is(await heard, 'yo');
  const described = await sql`select id, a from p where id = ${1}`.describe();
  t.deepEqual([described.types, described.columns.map((c) => [c.name, c.type])], [[23], [['id', 23], ['a', 1007]]]);
  await sql.end();
});
