-- What plans do and say in places where they were PostgreSQL's but for one thing. A boolean column that a condition fixes is no more to be ordered by.
create table flags (b bool, a int, primary key (b, a)) partition by range (b, a);
create table flags_f1 partition of flags for values from (false, 0) to (false, 1000);
create table flags_f2 partition of flags for values from (false, 1000) to (false, 2000);
create table flags_t1 partition of flags for values from (true, 0) to (true, 1000);
create table flags_t2 partition of flags for values from (true, 1000) to (true, 2000);
insert into flags select b, i from generate_series(0, 1999) i, (values (true), (false)) v(b);
vacuum analyze flags;
explain (costs off) select * from flags where b = true order by b, a;
explain (costs off) select * from flags where not b order by a;
explain (costs off) select * from flags where b is true order by a desc;
select * from flags where b is not true order by a limit 3;
select * from flags where b and a > 998 order by a limit 3;
select * from flags where b = false order by a desc limit 2;
create table words (id int primary key, w varchar, n name); insert into words select i, 'w' || i % 50, 'n' || i from generate_series(1, 500) i; create index on words (w); vacuum analyze words;
explain (costs off) select w from words where w = 'w3';
explain (costs off) select * from words where w = 'w3';
-- A condition above outer joins on what they make of both sides; with a constant it is one of the next join, too, and nothing to sort by. Above two
-- full joins it was asked of the tables of the first one, whose rows the second one keeps as well: a wrong answer.
create table l (x int primary key, y int); create table r (x int primary key, z int); create table s (k int primary key, v int);
insert into l select i, i % 7 from generate_series(1, 300) i; insert into r select i * 2, i % 11 from generate_series(1, 200) i; insert into s select i, -i from generate_series(0, 400) i;
analyze l; analyze r; analyze s;
explain (costs off) select * from (select l.x, coalesce(r.z, -1) + l.y as f from l left join r on l.x = r.x) q where f = 4 order by f;
select count(*), min(x), max(x) from (select l.x, coalesce(r.z, -1) + l.y as f from l left join r on l.x = r.x) q where f = 4;
explain (costs off) select * from l left join r on r.x = l.y left join s on s.k = coalesce(r.z, l.x) where l.x < 10 and coalesce(r.z, l.x) = 3;
select * from l left join r on r.x = l.y left join s on s.k = coalesce(r.z, l.x) where l.x < 10 and coalesce(r.z, l.x) = 3 order by l.x;
select * from l left join r on r.x = l.y left join s on s.k = coalesce(r.z, l.x) where l.x < 10 and 3 = coalesce(r.z, l.x) and s.v = coalesce(r.z, l.x) order by l.x;
select count(*) from l left join r on r.x = l.y join s on s.k = coalesce(r.z, l.x) where l.x < 30 and 3 = coalesce(r.z, l.x) and s.k = 3;
select count(*) from l left join r on r.x = l.y and coalesce(r.z, l.x) = 3 where l.x < 30;
explain (costs off) select * from l full join r using (x) where x = 42;
select * from l full join r using (x) where x = 42; select * from l full join r using (x) where x = 43; select * from l full join r using (x) where x = 400;
explain (costs off) select * from l full join r using (x) full join s on s.k = x where x = 42;
select * from l full join r using (x) full join s on s.k = x where x = 42;
-- Two constants in one class leave nothing of the whole join.
explain (costs off) select l.* from (l left join r on l.x = r.x) join s on l.x = s.k where l.x = 1 and l.x = 2;
select l.* from (l left join r on l.x = r.x) join s on l.x = s.k where l.x = 1 and l.x = 2;
explain (verbose, costs off) select * from l full join r on l.x = r.x;
set enable_hashjoin = off; set enable_nestloop = off;
explain (costs off) select l.y, r.z from l left join r on l.y = coalesce(r.z, 1) where coalesce(r.z, 1) > 0;
select count(*), count(r.z), sum(l.y) from l left join r on l.y = coalesce(r.z, 1) where coalesce(r.z, 1) > 0;
explain (costs off) select * from l full join (select * from r order by x desc, z) r on l.x = r.x and l.x = r.z;
select count(*), count(l.x), count(r.x) from l full join (select * from r order by x desc, z) r on l.x = r.x and l.x = r.z;
reset enable_hashjoin; reset enable_nestloop;
-- What is volatile waits for LIMIT, in the scan itself.
create sequence tickets;
explain (verbose, costs off) select x, y, nextval('tickets') from l order by x limit 3;
select x, y, nextval('tickets') from l order by x limit 3; select currval('tickets');
select x, y, nextval('tickets') from l order by x desc offset 2 limit 3; select currval('tickets');
select x, generate_series(1, 2) g from l order by x desc limit 3;
explain (verbose, costs off) select count(*) from (select distinct y, x, y from l) q;
-- One row type becomes another at once.
create table base_row (a int); create table mid_row (b int) inherits (base_row); create table low_row (c int) inherits (mid_row); insert into low_row values (1, 2, 3);
explain (verbose, costs off) select row(a, b, c)::low_row::mid_row::base_row from low_row;
explain (verbose, costs off) select (1, 2, 3)::low_row::mid_row::base_row;
select row(a, b, c)::low_row::mid_row::base_row, (1, 2, 3)::low_row::mid_row::base_row from low_row;
select coalesce(l) from l where x < 3; explain (verbose, costs off) select coalesce(x) from l;
-- EXPLAIN shows a plan to those only who may run it.
create role shown_nothing; create view lv as select * from l; grant select on r to shown_nothing; grant usage on schema public to shown_nothing;
set role shown_nothing;
explain (costs off) select * from l; explain (costs off) select * from lv; explain (costs off) select x from r; explain (costs off) update r set z = 1; explain (costs off) execute nobody;
reset role; drop owned by shown_nothing; drop role shown_nothing;
begin read only; explain (costs off) delete from l; rollback;
explain (costs off) declare c scroll cursor for select (select 42) as x;
explain (costs off) declare c scroll cursor for select generate_series(1, 3) as g;
explain (costs off) declare c scroll cursor for select * from l;
explain (costs off) declare c no scroll cursor for select generate_series(1, 3) as g;
-- A table that is there already is found before the query is planned.
create table there (); prepare never as select 1 / 0;
explain (analyze, costs off, summary off, timing off) create table there as execute never;
explain (analyze, costs off, summary off, timing off) create table if not exists there as execute never;
create table there as execute never; create table if not exists there as execute never; create table if not exists there as select * from absent;

-- a condition of a left join that the constant of the other side implies was there twice
create table held (id int8 primary key, n int8);
create table holder (id int8 primary key, n int8);
explain (costs off) select * from held a left join holder b on a.id = b.n and b.n = 5 where a.id = 5;
explain (costs off) select * from held a left join (select * from holder where n = 5) b on a.id = b.n where a.id = 5;
-- of sets inside sets those of the level come first; a hash table has its buckets
explain (verbose, costs off) select generate_series(1, generate_series(1, 3)), id from held;
explain (verbose, costs off) select generate_series(1, 3) + 1, sum(id) over (order by n) from held order by 1;
select generate_series(1, generate_series(1, 2)), generate_series(1, 3) + 1, id from (values (7), (8)) v(id) order by 1, 2, 3;
explain (analyze, costs off, timing off, summary off) select * from generate_series(1, 3) g join generate_series(1, 4) h on g = h;
drop table held, holder;
