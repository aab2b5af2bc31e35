-- LATERAL subqueries on the right of left joins; the order of rows that comes from equal columns, and what sorting in parts costs.
create schema lateral_left; set search_path to lateral_left; set max_parallel_workers_per_gather = 0;
create table a (x int, y int); create table b (x int, z int); create index on b (x); create table c (x int, w int);
insert into a select i, i % 10 from generate_series(1, 1000) i; insert into b select i % 500, i from generate_series(1, 3000) i; insert into c select i % 50, i from generate_series(1, 200) i;
create table u (x int primary key, n text); insert into u select i, i from generate_series(1, 100) i;
analyze a; analyze b; analyze c; analyze u;
-- They were run once for each row of the left side: now their conditions are the join's, and it can be hashed.
explain (costs off) select * from a left join lateral (select * from b where b.x = a.x) s on true;
explain (costs off) select * from a left join lateral (select b.z, a.y + b.z q from b where b.x = a.x) s on true;
explain (costs off) select * from a left join lateral (select b.z, 1 one from b where b.x = a.x) s on true where s.one is null;
explain (costs off) select * from a left join (b left join lateral (select a.x from a where a.x = b.x) s on true) on a.x = b.x;
explain (costs off) select * from a left join (c join lateral (select * from b where b.x = c.x and b.z = a.y) s on true) on a.x = c.x;
explain (costs off) select * from a left join lateral (select * from c join lateral (select * from b where b.x = c.x and b.z = a.y) s on true) q on true;
explain (costs off) select * from a left join lateral (select c.w, s.z from c left join lateral (select * from b where b.x = c.x and b.z = a.y) s on true where c.x = a.x) q on true;
explain (costs off) select a.x from a left join lateral (select n from u where u.x = a.x) s on true;
select sum(a.x), count(s.z), sum(s.z) from a left join lateral (select * from b where b.x = a.x and b.z > 300) s on true;
select sum(a.x), count(s.z), sum(s.z), sum(q) from a left join lateral (select b.z, a.y + b.z q from b join c on c.w = b.z where b.x = a.x) s on s.q > 10;
select sum(a.x), count(q.x), sum(q.z) from a left join lateral (select c.x, s.z from c join lateral (select * from b where b.x = c.x and b.z = a.y) s on true) q on true;
select sum(a.x), count(q.w), sum(q.z) from a left join lateral (select c.w, s.z from c left join lateral (select * from b where b.x = c.x and b.z = a.y) s on true where c.x = a.x) q on true;
select sum(a.x), count(c.x), sum(s.z) from a left join c on c.x = a.y left join lateral (select b.z from b where b.x = c.x and b.z > a.x) s on true;
select sum(a.x), count(c.x), sum(s.z) from a full join c on c.x = a.y left join lateral (select b.z from b where b.x = c.x and b.z > a.x) s on true;
select sum(a.x), count(s.z), sum(s.k) from a left join lateral (select b.z, coalesce(b.z, 0) k from b where b.x = a.x and exists (select 1 from c where c.w = b.z and c.x = a.y)) s on true;
select sum(a.x), sum(s.k) from a left join lateral (select 7 k from b where b.x = a.x and b.z % 2 = 0) s on true where s.k is null or s.k = 7;
select count(*), count(k) from a left join lateral (select 7 + a.y k where a.x = 4) s on true;
select count(*), count(g) from a left join lateral (select g from generate_series(1, a.y) g where g > a.x) s on true;
select count(*) from (select a.x, s.z from a left join lateral (select z from b where b.x = a.x and b.z < 700) s on s.z > 3 group by rollup (1, 2)) t;
-- Of columns that are equal the first of the output is sorted by, whichever was named.
explain (costs off) select x, y from a where x = y order by y;
explain (costs off) select distinct y, x from a where x = y order by x;
-- GROUP BY is shown, and hashed, in the order of ORDER BY, but only where one order serves both.
explain (costs off) select x, y, count(*) from a group by 1, 2 order by y;
explain (costs off) select x, y, count(*) from a group by 1, 2 order by y, count(*);
-- Groups that are sorted one after the other are thought to differ in size.
create table t (a int, b int); insert into t select i % 10, i from generate_series(1, 10000) i; create index on t (a); analyze t;
explain select * from (select * from t order by a limit 100) s order by a, b;
explain (costs off) select * from t order by a, b limit 10;
-- A plan that scans nothing names the tables of the query all the same.
explain (costs off) select distinct a.x from a, b where false;
explain (costs off) select a.x, b.z from a, b where a.x = 1 and a.x = 2 group by 1, 2;
-- What is said of a column in a left join that becomes an inner join, and in WHERE, leaves nothing of the query.
explain (costs off) select * from a left join b on a.x = b.x and b.z = 1 where b.z = 2 order by b.x;
-- Aggregates that nobody wants do not make it a query without any; a distinct or grouped subquery is not scanned.
explain (costs off) select x from (select x, count(*) n from a group by x) s;
set enable_hashagg = off; explain (costs off) select x from (select x, count(*) n from a group by x) s; reset enable_hashagg;
explain (costs off) select distinct y from (select * from a order by x limit 20) s;
explain (costs off) select distinct m from (select y, max(x) m from a group by y) s;
explain (costs off) select v, count(*) from (select y + 1 as v, max(x) from a group by y) s group by v;
explain (costs off) select distinct count(*) from a group by y; explain (costs off) select distinct generate_series(1, 2), y from a;
select distinct v from (select x as v from a order by y, x limit 10) s order by v;
select v, count(*) from (select y + 1 as v, max(x) from a group by y, x) s group by v order by 1 limit 3;
-- Memoize takes a column as often as conditions mention it.
set enable_hashjoin = off; set enable_mergejoin = off;
explain (costs off) select * from c join b on b.x = c.x and b.x < c.x;
reset enable_hashjoin; reset enable_mergejoin;
-- A numeric takes two bytes for four digits.
create table n (a numeric, b numeric); insert into n select i, i * 1.5 from generate_series(1, 2000) i; analyze n;
select attname, avg_width from pg_stats where tablename = 'n' order by 1; select pg_column_size(123456.789), pg_column_size('NaN'::numeric), pg_column_size(1e-70), pg_column_size(1000000::numeric);
