// Statements that need more than they may fail alone, and their session goes on.
import test from 'ava';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

// A limit that was lowered in the session was not looked at until the old one was near.
test('backend_memory_limit and temp_file_limit', async (t) => {
  const session = await Session.open(site);
  await session.run("set backend_memory_limit = '100MB'");
  for (const text of [
    "select length(string_agg(repeat('x', 1000), ',')) from generate_series(1, 300000) i",
    "select cardinality(array_agg(i::text || repeat('y', 100))) from generate_series(1, 3000000) i",
  ]) {
    t.is(await session.run(text), '53200 out of memory');
    t.deepEqual(await session.run('select 1'), ['1']);
  }
  await session.run("set temp_file_limit = '1MB'; set work_mem = '64kB'");
  const sort = "select count(*) from (select i, repeat('w', 200) from generate_series(1, 20000) i order by 2, 1 offset 1) s";
  t.is(await session.run(sort), '53400 temporary file size exceeds temp_file_limit (1024kB)');
  await session.run('reset temp_file_limit');
  t.deepEqual(await session.run(sort), ['19999']);
  await session.end();
});

// repeat('x', 300000000) made the 300 MB, whatever the limit was; and what V8 cannot make at all, such as the 100 million parts of
// quote_literal's result here, ended the backend.
test('one huge value fails before it is made', async (t) => {
  const session = await Session.open(site);
  await session.run("set backend_memory_limit = '64MB'");
  const wide = (n: number): string => `repeat('x', ${n * 1_000_000})`;
  for (const value of [
    wide(300), `md5(${wide(300)})`, `lpad('a', 200000000, 'xy')`, `rpad('a', 200000000)`, `format('%200000000s', 'x')`, `${wide(90)} || ${wide(90)}`,
    'array_fill(1, array[30000000])', 'array_cat(array_fill(1, array[9000000]), array_fill(1, array[9000000]))', `string_to_array(repeat('a,', 20000000), ',')`,
    `string_to_array(${wide(20)}, null)`, `array_to_string(array_fill('x'::text, array[1000000]), ${wide(0.001)})`,
    `json_build_array(${wide(60)}, ${wide(60)})`, `jsonb_build_array(${wide(60)}, ${wide(60)})::text`, `to_json(${wide(200)})`,
    `convert_to(${wide(110)}, 'UTF8')`, `encode(convert_to(${wide(40)}, 'UTF8'), 'base64')`, `decode(repeat('ab', 60000000), 'hex')`,
    `repeat('x', 40000000)::bytea || repeat('x', 40000000)::bytea`, `regexp_replace(${wide(1)}, 'x', ${wide(0.001)}, 'g')`,
    `replace(${wide(1)}, 'x', ${wide(0.001)})`, `overlay(${wide(60)} placing ${wide(60)} from 10)`, `concat(${wide(60)}, ${wide(60)})`,
    `concat_ws(',', ${wide(60)}, ${wide(60)})`, `quote_literal(repeat('''', 90000000))`, `upper(${wide(90)})`, `reverse(${wide(90)})`,
    `xmlelement(name a, ${wide(200)})`, `to_jsonb(${wide(200)})`, `initcap(${wide(20)})`,
    `(select string_agg(${wide(10)}, ',') from generate_series(1, 30))`, `(select json_agg(${wide(10)} || i) from generate_series(1, 30) i)`,
    `(select xmlagg(xmlelement(name a, ${wide(10)})) from generate_series(1, 30) i)`, 'array(select generate_series(1, 30000000))',
  ]) {
    const answer = await session.run(`select ${value} is null`);
    t.true(typeof answer === 'string' && /^(53200 out of memory|54000 )/.test(answer), `${value}: ${String(answer)}`);
    t.deepEqual(await session.run('select 1'), ['1']);
  }
  for (const body of ["s text := 'x'; begin for i in 1..40 loop s := s || s; end loop;", "s bytea := 'x'; begin for i in 1..40 loop s := s || s; end loop;",
    "a text[] := '{}'; begin for i in 1..3000000 loop a := a || repeat(i::text, 100); end loop;"]) {
    t.is(await session.run(`do $$ declare ${body} end $$`), '53200 out of memory');
  }
  t.deepEqual(await session.run("select length(translate(repeat('ab', 5000000), 'a', 'c')), length(decode(encode(convert_to(repeat('ä', 1000000), 'UTF8'), 'escape'), 'escape'))"),
    ['10000000|2000000']);
  await session.end();
});

// The rows a recursive query joins with were gone through, and its results gathered, without a look at memory or interrupts.
test('what gathers rows and cannot spill fails alone', async (t) => {
  const session = await Session.open(site), other = await Session.open(site);
  await other.run('begin; create table theirs (i int); insert into theirs values (1)');
  await session.run(`create temp table q (i int); create temp table q2 (i int, t text);
    create function pg_temp.nothing() returns trigger language plpgsql as 'begin return null; end';
    create function pg_temp.counts() returns trigger language plpgsql as 'begin perform count(*) from added; return null; end';
    create function pg_temp.many() returns setof text language plpgsql as 'begin for i in 1..3000000 loop return next repeat(i::text, 20); end loop; end';
    create constraint trigger late after insert on q deferrable initially deferred for each row execute function pg_temp.nothing();
    create trigger many after insert on q2 referencing new table as added for each statement execute function pg_temp.counts();
    set backend_memory_limit = '64MB'; set work_mem = '1GB'; set max_parallel_workers_per_gather = 0`);
  const series = 'generate_series(1, 2000000) i', wide = "i::text || repeat('x', 100)";
  for (const text of [
    `with recursive r (i, t) as (select 1, repeat('x', 1000) union all select i + 1, repeat('x', 1000) || i from r where i < 2000000) select count(*), (select count(*) from r) from r`,
    'with recursive r (i) as (select 1 union select i + 1 from r where i < 4000000) select count(*) from r',
    `with recursive r (i, t) as (select i, repeat('x', 100) || i from generate_series(1, 1000) i union all select g, t || g from r, generate_series(1001, 4000) g where i <= 1000) select count(*) from r`,
    `select count(distinct ${wide}) from ${series}`,
    `select percentile_disc(0.5) within group (order by ${wide}) from ${series}`,
    `select mode() within group (order by ${wide}) from ${series}`,
    `select cardinality(array_agg(${wide} order by i desc)) from ${series}`,
    `select max(c) from (select cardinality(array_agg(${wide}) over (order by i)) c from ${series}) s`,
    `select count(*) from generate_series(1, 3) x where x::text not in (select ${wide} from ${series})`,
    `select count(*) from (select ${wide}, count(*) from ${series} group by 1) s`,
    `select length(jsonb_object_agg(i, ${wide})::text) from ${series}`,
    `begin; declare c cursor with hold for select ${wide} from ${series}; commit`,
    `insert into q2 select i, repeat('z', 100) from ${series}`,
    'select count(*) from pg_temp.many()',
    `do $$ declare a text[]; begin select array_agg(${wide}) into a from ${series}; end $$`,
  ]) {
    t.is(await session.run(text), '53200 out of memory', text);
    await session.run('rollback');
    t.deepEqual(await session.run('select 1'), ['1'], text);
  }
  t.deepEqual(await other.run('insert into theirs values (2); commit; select count(*) from theirs'), ['2']);
  await session.end();
  await other.end();
});

// A regular expression that goes back and back, translate() and decode() of long texts, WorkTableScan, window frames and others could
// not be cancelled; some made 2 GB of garbage meanwhile.
test('everything that takes long can be cancelled', async (t) => {
  const session = await Session.open(site);
  await session.run(`create table big (a int primary key, b int, c text); insert into big select i, i % 1000, md5(i::text) from generate_series(1, 300000) i;
    create table child (x int); insert into child select a from big, generate_series(1, 5); set statement_timeout = '300ms'`);
  for (const text of [
    "create index on big (c, reverse(c), md5(c), md5(c || '1'), md5(c || '2'), md5(c || '3'), md5(c || '4'))",
    "create index on big using gin (to_tsvector('simple', c || ' ' || md5(c) || ' ' || md5(c || '1')))",
    'select count(*) from (select * from big, generate_series(1, 10) g order by c, g offset 1) s',
    'select count(*) from big x join big y using (b)',
    'select count(*) from (select array_agg(y.c) from big x join big y using (b) group by x.a) s',
    'with recursive r (i) as (select 1 union select i + 1 from r) select count(*) from r',
    'with recursive r (i) as (select 1 union all select g from r, generate_series(1, 2000) g where i <= 1000) select count(*) from r',
    'alter table child alter x type bigint using length(repeat(md5(x::text), 20))',
    "alter table child add column z text default md5(random()::text) || md5(random()::text)",
    'alter table child add check (length(repeat(md5(x::text), 100)) > 10)',
    "select repeat('a', 40) ~ '(a*)*b'",
    "select regexp_matches(repeat('a', 100000), '(.*)(.*)(.*)x')",
    'select array_agg(g) from generate_series(1, 100000000) g',
    'select count(*) from big x, big y where x.b < y.b',
    'select count(*) from generate_series(1, 1000000) x, generate_series(1, 1000000) y',
    'select max(s) from (select sum(length(c)) over (order by a rows between current row and unbounded following) s from big) s',
    "select translate(repeat('x', 50000000), 'x', 'y') = ''",
    "select decode(repeat('ab ', 30000000), 'hex') = ''",
    "select to_tsvector('simple', repeat('abc def ', 5000000)) is null",
    "select count(*) from regexp_split_to_table(repeat('a,', 50000000), ',')",
    'select array(select generate_series(1, 50000)) @> array(select 50000 - g % 10 from generate_series(1, 100000) g)',
    'do $$ begin loop end loop; end $$',
    'insert into child select generate_series(1, 100000000)',
    "update child set x = length(repeat(md5(x::text), 50)) where x::text like '%'",
    'cluster big using big_pkey; cluster big; cluster big; cluster big; cluster big',
  ]) {
    const from = performance.now();
    t.is(await session.run(text), '57014 canceling statement due to statement timeout', text);
    t.true(performance.now() - from < 3000, `${text}: ${performance.now() - from} ms`);
  }
  await session.end();
});

// Parsing, planning and functions that call themselves never looked: such a backend could be neither cancelled nor terminated, a fast
// shutdown waited for it for ever, and what it ran was not compiled either.
test('parsing, planning and recursion can be cancelled', async (t) => {
  const session = await Session.open(site), terms = (n: number, f: (i: number) => string, by: string): string => Array.from({ length: n }, (_, i) => f(i)).join(by);
  await session.run(`create table one (g int); insert into one values (1);
    create function leaves(n int) returns bigint language plpgsql as 'begin if n < 2 then return 1; end if; return leaves(n - 1) + leaves(n - 2); end';
    create function leaves_sql(n int) returns bigint language sql as 'select case when n < 2 then 1 else leaves_sql(n - 1) + leaves_sql(n - 2) end';
    create function doubled(n int) returns int language sql as 'select case n when 0 then 0 else (select max(doubled(n - 1)) from (values (1), (2)) v) end';
    create function through_query(n int) returns int language plpgsql as 'declare x int; begin if n = 0 then return 0; end if; select through_query(n - 1) into x; return x + 1; end';
    set statement_timeout = '300ms'`);
  for (const text of [
    'select leaves(60)', 'select leaves_sql(60)', 'select doubled(60)',
    `with ${terms(600, (i) => `c${i} as (select * from ${i === 0 ? 'one' : `c${i - 1}`})`, ', ')} select * from c599`,
    `select count(*) from ${terms(60, (i) => `one t${i}`, ', ')} where ${terms(59, (i) => `t${i}.g = t${i + 1}.g`, ' and ')}`,
  ]) {
    const from = performance.now();
    t.is(await session.run(text), '57014 canceling statement due to statement timeout', text.slice(0, 60));
    t.true(performance.now() - from < 3000, `${text.slice(0, 60)}: ${performance.now() - from} ms`);
  }
  await session.run('reset statement_timeout');
  // A stack of V8's size was too short for a sum of 2,000 terms, and queries inside each other were 400 at most.
  t.deepEqual(await session.run(`select ${terms(3000, () => 'g', ' + ')} from one`), ['3000']);
  t.deepEqual(await session.run('select through_query(700)'), ['700']);
  t.is(await session.run('select through_query(100000)'), '54001 stack depth limit exceeded');
  t.deepEqual(await session.run('select through_query(700)'), ['700']);
  await session.end();
});

// The numbers of parameters and of their formats are unsigned: from 32,768 on no format was read, and then no parameter.
test('65,535 parameters', async (t) => {
  const client = await site.connect();
  for (const n of [32_768, 65_535]) {
    const text = `select count(*)::int as n, sum(a)::int as s from unnest(array[${Array.from({ length: n }, (_, i) => `$${i + 1}`).join(',')}]::int[]) a`;
    const { rows } = await client.query({ text, values: Array.from({ length: n }, (_, i) => i % 7) });
    t.deepEqual(rows, [{ n, s: Array.from({ length: n }, (_, i) => i % 7).reduce((a, b) => a + b) }]);
  }
  await client.end();
});

// Each row looked at the declaration of all that was there already, which copied it: 40,000 rows took ten seconds. Declarations count.
test('xmlagg of many', async (t) => {
  const session = await Session.open(site);
  t.deepEqual(await session.run("select length(xmlagg(xmlelement(name a, i))::text) from generate_series(1, 100000) i"), ['1188895']);
  t.deepEqual(await session.run(`select xmlagg(x) from (values (xml '<?xml version="1.1"?><a/>'), ('<?xml version="1.1" standalone="yes"?><b/>'), (null), ('')) v(x)`), ['<a/><b/>']);
  t.deepEqual(await session.run(`select xmlagg(x) from (values (xml '<a/>'), ('<?xml version="1.1"?><b/>'), ('<?xml-sheet a?><c/>')) v(x)`), ['<a/><b/><?xml-sheet a?><c/>']);
  await session.end();
});
