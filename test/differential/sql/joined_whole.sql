-- A side of a FULL JOIN was joined to something else first.
create table here (a int, t text);
create table there (b int, t text);
create table times (n int);
insert into here values (1, 'x'), (2, 'y');
insert into there values (2, 'y'), (3, 'z');
insert into times values (1), (2), (3);
select h.a, s.b, n from here h full join there s on h.a = s.b cross join times order by 1, 2, 3;
select h.a, s.b, n from (select a + 1 as a from here where a > 5) h full join there s on h.a = s.b cross join times order by 1, 2, 3;
select h.a, s.b, n from times, here h full join there s on h.a = s.b where n <> 2 order by 1, 2, 3;
select h.a, s.b, n from times left join (here h full join there s on h.a = s.b) on n = coalesce(h.a, s.b) order by 1, 2, 3;
select count(*) from here h full join there s on h.a = s.b join times x on x.n = s.b cross join times y;
select h.a, s.b, n, g from here h full join there s on true full join times on n = h.a cross join generate_series(1, 2) g order by 1, 2, 3, 4;
select a.n, b.n, c.n, d.n from (times a join times b on a.n = b.n + 1) full join (times c join times d on c.n = d.n - 1) on a.n = c.n cross join here order by 1, 2, 3, 4;
select count(*) from here h full join there s on h.t = s.t where exists (select 1 from times where n = h.a);
select count(*) from here h full join there s on h.t = s.t, lateral (select n from times where n = h.a or n = s.b) l;

-- A join that was left out left a condition behind.
select h.a, o.m from here h left join (select max(b) as m from there offset 1) o on h.a = o.m and h.a = 1 order by 1;
select h.a from here h left join (select b from there group by b) o on h.a = o.b and 1 in (0, h.a) order by 1;
alter table there add primary key (b);
select h.a from here h left join there o on h.a = o.b and h.t = 'x' order by 1;
explain (costs off) select h.a from here h left join there o on h.a = o.b and h.t = 'x';
select h.a from here h left join there o on h.a = o.b and h.t is null left join times x on x.n = h.a order by 1;
drop table here, there, times;

-- What is sorted by has one collation.
create table two (x text collate "C", y text collate "POSIX");
insert into two values ('a', 'b'), ('B', 'c');
select x || y from two;
select x || y from two order by x || y;
select x || y as z from two order by z;
select distinct x || y from two;
select x || y from two group by 1;
select array_agg(x order by x || y) from two;
select array_agg(distinct x || y) from two;
select x || y from two order by (x || y) collate "C";
select x from two order by x || y;
drop table two;

-- What a semi join found was NULL to the join above it, which looked it up in an index.
create table few (k int);
create table many (k int, v text);
create table listed (x int);
insert into few values (3), (5), (7), (7);
insert into many select i % 50, 'v' || i from generate_series(1, 400) i;
insert into listed values (6), (2), (2);
create index on many (k);
analyze few, many, listed;
set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off; set enable_material = off;
select f.k, count(*), max(m.v) from few f join many m on f.k = m.k where f.k in (select x + 1 from listed offset 0) group by f.k order by 1;
select f.k, max(m.v) from few f join many m on f.k = m.k where exists (select 1 from listed where x + 1 = f.k) group by 1 order by 1;
reset all;
set enable_nestloop = off; set enable_mergejoin = off;
select f.k, count(*), max(m.v) from few f join many m on f.k = m.k where f.k in (select x + 1 from listed offset 0) group by f.k order by 1;
reset all;
set enable_nestloop = off; set enable_hashjoin = off;
select f.k, count(*), max(m.v) from few f join many m on f.k = m.k where f.k in (select x + 1 from listed offset 0) group by f.k order by 1;
reset all;
drop table few, many, listed;
-- MERGE: unmatched rows count only where they are inserted, and know no target, not even for DO NOTHING.
create table jw_target (id int primary key, v int);
create table jw_source (id int);
explain (costs off) merge into jw_target t using jw_source s on t.id = s.id when matched and t.v > 3 then update set v = 0 when not matched then do nothing;
merge into jw_target t using jw_source s on t.id = s.id when not matched and t.tableoid > 0 then do nothing;
merge into jw_target t using jw_source s on t.id = s.id when not matched then insert values (s.id, 1) when matched and t.v > 3 then do nothing;
drop table jw_target, jw_source;
-- Columns that are equal to each other and to a constant: where an index asked for one, the other was asked no more.
create table alike as select i as a, (i * 7) % 1000 as b, i % 50 as c, i % 50 as d from generate_series(0, 9999) i;
create unique index on alike (a);
create index on alike (c);
create table alike_too as select i as x, i % 10 as y, i as z from generate_series(0, 99) i;
analyze alike, alike_too;
explain (costs off) select * from alike where a = b and b = 5;
select * from alike where a = b and b = 5;
select count(*) from alike where c = b and b = 3;
explain (costs off) select count(*) from alike where c = b and b = 3;
set enable_seqscan = off;
select count(*) from alike_too, alike where a = x and b = x and y = 3;
select count(*) from alike_too, alike where a = x and a = z;
explain (costs off) select count(*) from alike_too, alike where a = x and a = z;
select count(*) from alike_too, alike where a = x and a = b;
set enable_indexscan = off;
select * from alike where a = b and b = 5;
select count(*) from alike_too, alike where a = x and a = b;
explain (costs off) select count(*) from alike_too, alike where a = x and a = b;
reset enable_indexscan;
reset enable_seqscan;
drop table alike, alike_too;
-- Columns that USING can't merge were told as an operator that there is not (42883).
select 1 from (select 1 as k) x join (select 'a'::text as k) y using (k);
select 1 from (select 1 as k, date '2024-01-01' as d) x natural full join (select 2.5 as k, interval '1 day' as d) y;
select k, pg_typeof(k) from (select 1 as k) x join (select 1.0 as k) y using (k);
select 1 from (select point '(1,1)' as k) x join (select point '(1,1)' as k) y using (k);
