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
-- EXISTS whose WHERE compares with what is outside may read its rows once (hashed), and what a subquery costs is what it takes. Where WindowAgg has
-- others above, its condition is shown, too. Volatile conditions go into subqueries where nothing is done to the rows there.
create table parts (id int primary key, kind int, n int); insert into parts select i, i % 7, i % 100 from generate_series(1, 3000) i; create table picks (part int, kind int, w int); insert into picks select i * 3, i % 5, i from generate_series(1, 800) i; insert into picks values (null, null, 1); analyze parts; analyze picks;
explain (costs off) select count(*) from parts p where exists (select from picks k where k.part = p.id and k.w > 10) or p.n = 3;
select count(*) from parts p where exists (select from picks k where k.part = p.id and k.w > 10) or p.n = 3;
explain (costs off) select count(*) from parts p where not exists (select 1 from picks k where p.id + 1 = k.part and k.kind = p.kind) and p.n < 50 or p.n = 70;
select count(*) from parts p where not exists (select 1 from picks k where p.id + 1 = k.part and k.kind = p.kind) and p.n < 50 or p.n = 70;
explain (costs off) select p.id, exists (select from picks k where k.part = p.id) as e from parts p where p.id < 4;
explain (costs off) select p.id, exists (select from picks k where k.part = p.id) as e from parts p order by e, id limit 2;
select p.id, exists (select from picks k where k.part = p.id) as e from parts p order by e desc, id limit 4;
select exists (select from picks k where k.part = p.id) as e, count(*) from parts p group by 1 order by 1;
select p.kind, bool_or(exists (select from picks k where k.part = p.id)) from parts p where n > 95 group by 1 order by 1;
explain (costs off) select count(*) from picks p where exists (select from parts k where k.id = p.part) or p.w = 3; select count(*) from picks p where exists (select from parts k where k.id = p.part) or p.w = 3;
explain (costs off) select count(*) from parts p where exists (select from picks k where k.part > p.id) or p.n = 3;
explain (costs off) select count(*) from parts p where exists (select from picks k where k.part = p.id and k.w > p.n) or p.n = 3;
select (select count(*) from parts p where exists (select from picks k where k.part = p.id and k.kind = o.kind) or p.n = o.kind) from (select distinct kind from picks) o order by 1;
select case when exists (select from picks k where k.kind = p.kind) then 'some' else 'none' end as c, count(*) from parts p left join picks q on exists (select from picks k where k.part = p.id) and q.w = p.n group by 1 order by 1;
with x as (select * from parts where n < 5) select count(*) from x where exists (select from picks k where k.part = x.id) or exists (select from x y where y.id = x.n);
update parts p set n = -1 where exists (select from picks k where k.part = p.id and k.w < 20) or p.id = 1; select count(*) from parts where n = -1;
delete from parts p where (exists (select from picks k where k.part = p.id and k.w < 10)) is not false; select count(*) from parts;
explain (costs off) select * from (select id, kind, row_number() over (partition by kind order by id) rn, count(*) over (partition by n) c from parts) s where rn <= 2 and kind = 3;
select * from (select id, kind, row_number() over (partition by kind order by id) rn, count(*) over (partition by n order by id) c from parts) s where rn <= 2 order by 1;
create view guarded with (security_barrier) as select * from picks where w < 3; create function says(text) returns bool cost 0.001 language plpgsql as $$ begin raise notice 'says %', $1; return true; end $$;
explain (costs off) select * from guarded where says('it') and says(w::text); select * from guarded where says('it') and says(w::text);
explain (costs off) select * from (select distinct kind from picks) d where random() < 2; explain (costs off) select * from (select kind, count(*) from picks group by 1) d where random() < 2 and kind > 1;
-- The table of a hashed subquery that has values from further out was kept when these changed.
select o.kind, (select count(*) from parts p where p.id in (select k.part from picks k where k.kind = o.kind) or p.n = 1000) from (select distinct kind from picks) o order by 1;
select o.kind, (select count(*) from parts p where (p.id in (select k.part from picks k where k.kind = o.kind)) is not true) from (select distinct kind from picks) o order by 1;
