-- Values from outside. A hash join whose inner keys had some kept its table from the first row: the others found that one's matches.
create table nums (q bigint); insert into nums values (7), (9000000000), (3), (-5), (7);
create table many (id int primary key, v int, n numeric); insert into many select i, i % 50, i / 10.0 from generate_series(1, 2000) i; create table few (f int); insert into few values (0), (1), (-1);
analyze nums; analyze many; analyze few;
set enable_mergejoin = off;
explain (costs off) select nums.q, s.* from nums, lateral (select m.v, few.f from many m join few on m.v = few.f + nums.q order by 1, 2) s;
select nums.q, s.v, s.f, count(*) from nums, lateral (select m.v, few.f from many m join few on m.v = few.f + nums.q order by 1, 2) s group by 1, 2, 3 order by 1, 2, 3;
select nums.q, s.c from nums, lateral (select count(*) as c from many m left join few on m.v = few.f + nums.q and few.f < nums.q offset 0) s order by 1, 2;
select nums.q, (select count(*) from many m join few on m.v = few.f * nums.q) from nums order by 1, 2;
reset enable_mergejoin;
-- Memoize knew no difference between values that are equal and are not written the same.
create table written (n numeric, i interval, f float8, s bpchar); insert into written select case when g % 2 = 0 then 1.0 else 1.00 end, case when g % 2 = 0 then '1 day'::interval else '24:00' end, case when g % 2 = 0 then 0.0 else '-0'::float8 end, 'a' from generate_series(1, 2000) g; analyze written;
explain (costs off) select x.t, sum(x.c) from written w, lateral (select w.n::text as t, count(*) as c from many where id < 5 offset 0) x group by 1 order by 1;
select x.t, sum(x.c) from written w, lateral (select w.n::text as t, count(*) as c from many where id < 5 offset 0) x group by 1 order by 1;
select x.t, sum(x.c) from written w, lateral (select w.i::text as t, count(*) as c from many where id < 5 offset 0) x group by 1 order by 1;
select x.t, sum(x.c) from written w, lateral (select w.f::text as t, count(*) as c from many where id < 5 offset 0) x group by 1 order by 1;
select x.t, sum(x.c) from written w, lateral (select array[w.n]::text as t, count(*) as c from many where id < 5 offset 0) x group by 1 order by 1;
-- It emptied its cache at each new value of its key, where that is a lateral column.
create function hits(text) returns setof text language plpgsql as $$ declare l text; begin for l in execute 'explain (analyze, costs off, timing off, summary off) ' || $1 loop if l ~ 'Hits' then return next regexp_replace(l, ' +(Hits: \d+  Misses: \d+).*', '\1'); end if; end loop; end $$;
select hits('select count(x.id) from many o, lateral (select m.id from many m where o.v = m.id offset 0) x');
-- What a subquery, a function or a table below an Append takes values from anyway gives it join conditions to test.
set enable_hashjoin = off; set enable_mergejoin = off;
explain (costs off) select * from few left join lateral (select few.f as a, m.v as b from many m where id < 5 offset 0) x on few.f = x.b;
select * from few left join lateral (select few.f as a, m.v as b from many m where id < 5 offset 0) x on few.f = x.b order by 1, 2, 3;
explain (costs off) select * from few left join lateral generate_series(few.f, few.f + 2) g(x) on few.f + 1 = x;
select * from few left join lateral generate_series(few.f, few.f + 2) g(x) on few.f + 1 = x order by 1, 2;
create table plain (k int); insert into plain select generate_series(1, 30); analyze plain;
explain (costs off) select * from few, (select id from many union all select k from plain) u where u.id = few.f;
select * from few, (select id from many union all select k from plain) u where u.id = few.f order by 1, 2;
reset enable_hashjoin; reset enable_mergejoin;
-- Keys that lose something of a value are no hindrance to an index-only scan.
create index on many (n); vacuum analyze many;
explain (costs off) select n from many where n between 1 and 2 order by n; select n from many where n between 1 and 1.3 order by n;
create table zeros (f float8, t text collate "C"); create index on zeros (f, t); insert into zeros values ('-0', 'b'), ('+0', 'a'), ('NaN', null), (null, 'x'); vacuum analyze zeros;
set enable_seqscan = off; set enable_bitmapscan = off;
explain (costs off) select f, t from zeros where f <= 0 order by f, t; select f, t from zeros where f <= 0 order by f, t;
select f from zeros order by f nulls first; select t from zeros where f = 'NaN';
reset enable_seqscan; reset enable_bitmapscan;
-- EXISTS whose WHERE says something of the outer query only.
explain (costs off) select * from many where exists (select 1 from few, lateral (select few.f from nums limit 2) s where many.v is null);
select count(*) from many where exists (select from few where many.v < 3); select count(*) from many where not exists (select from few where many.v < 3);
select count(*) from many m left join few on exists (select from nums where few.f > 0) and few.f = m.v where not exists (select from nums where m.id > 1990 limit 1);
-- A column without statistics leaves a statistics object without, and a warning.
create table unasked (a int, b int); alter table unasked alter a set statistics 0; insert into unasked select i, i from generate_series(1, 100) i; create statistics unasked_s on a, b from unasked;
analyze unasked; alter table unasked alter a set statistics -1; alter statistics unasked_s set statistics 0; analyze unasked; drop table unasked;
