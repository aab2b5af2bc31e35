-- parts of one column assigned one after the other: each works on what the one before has made
create type asg_pair as (n int, list text[]);
create domain asg_domain as asg_pair check ((value).n is not null or (value).list[1] is not null);
create table asg (a asg_pair, b asg_domain default row(1, null));
create table asg_strict (a int, b asg_domain);
insert into asg_strict (a) values (1);
insert into asg (a.list[1], a.list[2]) values ('foo', 'bar'), ('baz', 'quux');
insert into asg (b.n, b.list) values (1, array['foo']);
insert into asg (b.list[1], b.list[2]) select 'x', 'y';
insert into asg (a.n, a.list[2], a.list[3]) values (3, 'two', 'three');
insert into asg (a.n) values (now());
insert into asg (a.list[2]) values (1, 2);
select * from asg;
update asg set a.list[1] = 'p', a.list[3] = 'q', a.n = 7 where (a).n is null;
select * from asg order by a, b;
-- brackets in SIMILAR TO
select 'a_b' similar to '_[_[:alpha:]_]_', 'x%' similar to '%[%]', ']' similar to '[]%]', 'a' similar to '[^]%]', 'b.' similar to '_[.[:alnum:].]';
-- a primary key among the GROUP BY columns
create table grp (a int primary key, b int, c text);
insert into grp select i, i % 2, 'c' || i % 3 from generate_series(1, 6) i;
select a, b, c, count(*) from grp group by a, b, c order by a;
select b, c, count(*) from grp group by c, a, b order by a desc;
select g.a, g.b, h.b, count(*) from grp g left join grp h on h.a = g.a + 3 group by g.a, g.b, h.a, h.b order by g.a;
explain (costs off) select a, b, c from grp group by a, b, c;
-- columns out of the keys of an index
create index grp_desc on grp (c desc, b desc nulls last, a);
set enable_seqscan = off;
set enable_bitmapscan = off;
insert into grp values (-5, null, 'ü'), (100000, -300, ''), (7, 1, null);
select c, b, a from grp where c >= '' order by c desc, b desc nulls last, a;
select a from grp where a between -10 and 3 order by a;
select max(a), min(a) from grp where a < 50;
reset enable_seqscan;
reset enable_bitmapscan;
-- tables from EXPLAIN
explain (analyze, costs off, timing off, summary off) create table made (x) as select generate_series(1, 3);
select * from made;
explain (costs off) create table if not exists made as select 1;
explain (costs off) create table made as select 1;
explain (analyze, costs off, timing off, summary off) create table made2 as select 1 as y with no data;
select * from made2;
begin;
explain (costs off) declare cur cursor for select a from grp where b = 0;
declare cur cursor for select count(*) from grp;
fetch cur;
fetch backward 1 from cur;
rollback;
-- index columns with a collation
create index grp_c on grp ((c collate "C"), (lower(c) collate "POSIX"));
select indexdef from pg_indexes where indexname = 'grp_c';
-- what this transaction writes bears its number
insert into grp values (8, 8, '8') returning xmin = pg_current_xact_id()::xid as own;
delete from grp where a = 8 returning xmax = pg_current_xact_id()::xid as own;
-- columns of a join with an alias
create role asg_reader;
grant select (a) on grp to asg_reader;
set role asg_reader;
select j.a from (grp g join grp h(a, x, y) using (a)) j order by 1 limit 1;
select j.x from (grp g join grp h(a, x, y) using (a)) j;
select * from (grp g join grp h using (a)) j;
reset role;
-- USAGE of types
revoke usage on type asg_pair from public;
create schema asg_schema authorization asg_reader;
set role asg_reader;
create table asg_schema.asg_temp (x asg_pair);
create table asg_schema.asg_temp (x asg_pair[]);
create table asg_schema.asg_temp (x int);
alter table asg_schema.asg_temp add column y asg_pair;
alter table asg_schema.asg_temp alter column x type asg_pair using null;
reset role;
revoke all on grp from asg_reader;
drop schema asg_schema cascade;
drop role asg_reader;
