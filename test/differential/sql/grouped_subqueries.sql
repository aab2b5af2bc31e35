-- A subquery that is no part of its parent gave its columns as they came, and was grouped by the wrong ones.
create table meal (id int, dish text, price numeric);
insert into meal values (1, 'soup', 4), (2, 'fish', 12), (3, 'stew', 12), (4, 'soup', 5);
select kind, count(*) from (select id, dish = 'soup' as kind from meal offset 0) m group by kind order by 1;
select distinct kind from (select id, upper(dish) as kind from meal offset 0) m order by 1;
select kind, sum(price) from (select id, price, dish || '!' as kind from meal limit 3) m group by kind order by 1;
select kind, id, count(*) from (select id, price > 10 as kind from meal) m group by grouping sets (kind, id) order by 1, 2;
select kind, count(*) from (select id, price, (price > 10)::text as kind from meal where id > 1) m group by cube (kind, price) order by 1, 2;
select price, kind, count(*) from (select id, price, dish as kind from meal offset 1) m group by rollup (kind, price) order by 1, 2, 3;
select kind, not kind as other from (select id, id = 2 as kind from meal) m group by grouping sets (kind, id) order by 1, 2;
select rest, shade from (select id % 2 as rest, 'red'::text as shade from meal) m group by grouping sets (rest, shade) having shade = 'red' order by 1;
select rest, shade || 'dish' from (select id % 2 as rest, 'red'::text as shade from meal) m group by grouping sets (rest, shade) order by 1, 2;
select n, count(*) from (select dish, count(*) as n, max(price) as top from meal group by dish) m group by n order by 1;
select top, count(*) from (select dish, count(*) as n, max(price) as top from meal group by dish) m group by top order by 1;

-- HAVING without aggregates: one row or none, whatever the table has.
create table zeroes (a int);
insert into zeroes values (0);
select 1 as one from zeroes where 1 / a = 1 having 1 < 2;
select 1 as one from zeroes having 1 > 2;
select 'x' from zeroes having true;
select (select max(a) from zeroes) from zeroes where 1 / a = 1 having true;
select 1 from zeroes where a > 5 having random() >= 0;
select 1 as one from zeroes where 1 / a = 1 having 1 < 2 order by 1 limit 1;

-- An array of arrays by ARRAY(SELECT).
select array(select array[id, id * 10] from meal order by id);
select array(select array[dish, price::text] from meal where id < 3 order by id) as pairs, pg_typeof(array(select array[1]));
select id, array(select array[n, meal.id] from generate_series(1, 2) n) from meal order by id;
select array(select array[id] from meal where id > 99), array(select array[[1, 2], [3, 4]]);
select array(select case when id < 3 then array[id] else array[id, id] end from meal order by id);
select array(select null::int[] from meal);
select array(select '{}'::int[] from meal);
drop table meal, zeroes;

-- A strict call of a NULL is a NULL of the same collation: keys of it were refused.
create table wordy (a int, t text);
insert into wordy values (1, 'x'), (2, 'y'), (null, 'x');
select count(*) from wordy group by t || null::text order by 1;
select count(*), upper(null) from wordy group by upper(null), a order by 1;
select distinct t || null, a from wordy order by a;
select a, t || null from wordy union select 1, upper(null) order by 1;
select count(distinct t || null::text), max(upper(null)), string_agg(t || null, ',' order by t || null) from wordy;
select row_number() over (partition by t || null::text order by a, substr(null, 1)) from wordy order by 1;
select a from wordy where t || null in (select t || null from wordy);
drop table wordy;
-- WITH queries that are merged into their readers leave the list: those left, materialised or of the same name further in, keep their readers.
WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (SELECT x + 1 AS x FROM a), c AS (SELECT x + 10 AS x FROM b), d AS (SELECT x FROM c WHERE x > 0)
SELECT d.x, (SELECT x FROM b), (WITH a AS (SELECT 7 AS x), b AS (SELECT a.x * 2 AS x FROM a) SELECT b.x + d.x FROM b) FROM d;
WITH n AS NOT MATERIALIZED (SELECT g FROM generate_series(1, 3) g), m AS (SELECT g FROM n WHERE g > 1), unread AS (SELECT 1 / 0)
SELECT n.g, (SELECT sum(m.g + n.g) FROM m), EXISTS (WITH m AS (SELECT g FROM n AS n2) SELECT FROM m WHERE m.g > n.g) FROM n ORDER BY 1;
WITH a AS (SELECT 3 AS x), b AS (SELECT x FROM a UNION ALL SELECT 4), c AS (SELECT min(x) AS low, max(x) AS high FROM b)
SELECT low, high, (SELECT count(*) FROM generate_series(low, high)) FROM c;
-- Groups, DISTINCT and ORDER BY choose among all ways to have the rows, for as many of them as are wanted.
create table by_steps (a int, b int, c int, d int);
insert into by_steps select i % 10, i % 100, i % 1000, i from generate_series(1, 10000) i;
create index on by_steps (a, b);
create index on by_steps (d);
vacuum analyze by_steps;
set max_parallel_workers_per_gather = 0;
explain (costs off) select a, b, c, sum(d) from by_steps group by a, b, c order by a, b, c limit 5;
explain (costs off) select d, c, count(*) from by_steps group by d, c order by d limit 10;
explain (costs off) select c, d, count(*) from by_steps group by c, d limit 10;
explain (costs off) select d, c from by_steps group by c, d;
explain (costs off) select distinct d, c from by_steps limit 10;
explain (costs off) select distinct on (d) d, c from by_steps order by d, c limit 3;
explain (costs off) select distinct a, b from by_steps order by b;
explain (costs off) select a, b from by_steps union select c, d from by_steps order by 1, 2 limit 3;
set enable_hashagg = off;
explain (costs off) select * from by_steps union select * from by_steps order by 1, 3;
explain (costs off) select a, b, count(distinct c) from by_steps group by a, b;
explain (costs off) select d, sum(a) from by_steps group by d having sum(a) > 3;
reset enable_hashagg;
set work_mem = '64kB';
explain (costs off) select d, count(*) from by_steps group by d;
explain (costs off) select distinct c, d from by_steps;
reset work_mem;
reset max_parallel_workers_per_gather;
