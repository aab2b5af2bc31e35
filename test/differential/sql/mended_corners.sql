-- Messages and answers that differed in corners: temporary tables, materialized views, array slices, statistics as JSON, views.
-- temp
begin;
create temp table tp (a int primary key) on commit delete rows;
create temp table tc (a int references tp);
commit;
create temp table tp2 (a int primary key) on commit delete rows;
create temp table tc2 (a int references tp2) on commit delete rows;
begin;
insert into tp2 values(1);
insert into tc2 values (1);
commit;
select * from tp2;
create function pg_temp.whoami() returns text as $$ select 'x'::text $$ language sql;
select whoami();
select pg_temp.whoami();
create domain pg_temp.nonempty as text check (value <> '');
select nonempty('');
select pg_temp.nonempty('');
select ''::nonempty;
set search_path = pg_temp;
select current_schema() ~ 'pg_temp';
create table xx (a int);
select current_schema() ~ 'pg_temp';
reset search_path;
-- matviews
create table mc_mt (a int, b int);
insert into mc_mt values (1,10);
create materialized view mc_mv as select * from mc_mt;
create unique index on mc_mv (a);
insert into mc_mt select * from mc_mt;
refresh materialized view mc_mv;
refresh materialized view concurrently mc_mv;
select * from mc_mv for share;
select * from mc_mv for update;
create materialized view mv2 as select 1 as i with no data;
create unique index mv2i on mv2 (i);
refresh materialized view concurrently mv2;
refresh materialized view mv2;
drop index mv2i;
refresh materialized view concurrently mv2;
create materialized view mv3 as select 1 as i;
create unique index on mv3 (i) where i > 0;
refresh materialized view concurrently mv3;
create materialized view mv4 as select 1 as i;
create unique index on mv4 ((i+1));
refresh materialized view concurrently mv4;
-- arrays
create table mc_ar (pk int primary key, f1 int[]);
insert into mc_ar(pk, f1[0:2147483647]) values (2, '{}');
insert into mc_ar(pk, f1[-2147483648:2147483647]) values (2, '{}');
insert into mc_ar(pk, f1[1:2147483647]) values (2, '{1}');
insert into mc_ar(pk, f1[2147483647]) values (3, 1);
insert into mc_ar(pk, f1[2147483646]) values (3, 1);
select array[1,2]::int2[]::int2vector;
select array[[1,2],[3,4]]::int2[]::int2vector;
select '{}'::int2[]::int2vector;
select array[null]::oid[]::oidvector;
select '[2:3]={1,2}'::oid[]::oidvector;
-- agg
select avg((select avg(a1.c order by (select avg(a2.d) from mc_mt a3)) from (values (1)) a1(c))) from (values (2)) a2(d);
-- limit
select a from mc_mt fetch first 2 row with ties;
select a from mc_mt limit 3 for update skip locked;
-- json
select to_json(most_common_vals) from pg_stats where false;
create temp table rws as select x, 'txt' || x as y from generate_series(1,3) x;
analyze rws;
select attname, to_json(histogram_bounds) h, to_jsonb(histogram_bounds) from pg_stats where tablename = 'rws' order by 1;
select json_build_object('a', histogram_bounds), row_to_json(row(histogram_bounds)), json_agg(histogram_bounds), array_to_json(histogram_bounds) from pg_stats where tablename = 'rws' group by attname, histogram_bounds order by attname;
set max_stack_depth = '100kB';
select repeat('[', 10000)::json;
reset max_stack_depth;
-- fk
create table fkp (a int primary key);
create table fkc (a int references fkp);
alter table fkc alter constraint fkc_a_fkey not valid;
alter table fkc alter constraint fkc_a_fkey deferrable not deferrable;
alter table fkc alter constraint fkc_a_fkey no inherit;
-- guc
set default_with_oids to t;
set default_with_oids to f;
create function fbs() returns int as $$ select 1 $$ language sql set default_text_search_config = no_such_config;
set check_function_bodies = off;
create function fbs() returns int as $$ select 1 $$ language sql set default_text_search_config = no_such_config;
reset check_function_bodies;
alter table mc_mt rename column a to b;
create table mti () inherits (mc_mt);
alter table mti add column zz int;
alter table mc_mt rename column a to zz;
-- views
create table mc_tv (f1 text, f2 text, f3 int, f4 text);
insert into mc_tv values ('foo','bar',42,'x');
create function tvf() returns setof mc_tv as $$ select * from mc_tv $$ language sql;
create view tvv as select t.* from tvf() t;
create view tvv2 as select f1, f3 from tvf() t;
alter table mc_tv drop column f3;
begin;
delete from pg_depend where objid = (select oid from pg_rewrite where ev_class = 'tvv'::regclass) and refobjsubid = 3;
delete from pg_depend where objid = (select oid from pg_rewrite where ev_class = 'tvv2'::regclass) and refobjsubid = 3;
alter table mc_tv drop column f3;
select * from tvv;
rollback;
begin;
delete from pg_depend where objid = (select oid from pg_rewrite where ev_class = 'tvv'::regclass) and refobjsubid = 4;
alter table mc_tv alter column f4 type int using 1;
select * from tvv;
rollback;
select pg_get_viewdef('tvv', true);
create view mc_nrm as select 'foo' is normalized as a, 'foo' is nfc normalized as b, normalize('foo') as c, normalize('foo', nfd) as d;
select pg_get_viewdef('mc_nrm', true);
create view tt24 as with cte as materialized (select r from (values(1,2),(3,4)) r) select (r).column2 as col_a, (rr).column2 as col_b from cte join (select rr from (values(1,7),(3,8)) rr limit 2) ss on (r).column1 = (rr).column1;
select pg_get_viewdef('tt24', true);
select * from tt24;
set restrict_nonsystem_relation_kind to 'view';
select * from mc_nrm;
select count(*) >= 0 from pg_views where false;
reset restrict_nonsystem_relation_kind;
select pg_tablespace_databases(oid) is not null from pg_tablespace where spcname='pg_default' limit 1;
select count(*) >= 0 as ok from pg_ls_archive_statusdir();
vacuum (parallel 1) rws;
-- Where in a type's name an error is; a literal's place stays its own.
select 1, to_regtype('ab c d');
select 1, 'ab c d'::regtype;
select 1, ('ab c ' || 'd')::regtype;
select has_function_privilege('f(ab c d)', 'execute');
-- A temporary table's own schema.
create temporary table temporary_one (a int);
select i.type, i.schema = pg_my_temp_schema()::regnamespace::text, i.identity from pg_identify_object('pg_class'::regclass, 'temporary_one'::regclass, 0) i;
-- The default of a polymorphic parameter keeps its type, too.
create function with_default(a anyelement, b anyelement default 3) returns text language sql as 'select $2::text';
create or replace function with_default(a anyelement, b anyelement default 'z') returns text language sql as 'select $2::text';
create or replace function with_default(a anyelement, b anyelement default 4) returns text language sql as 'select $2::text';
drop function with_default;
-- The family's name as it was given.
create schema families;
create operator family families.one using hash;
alter operator family families.one using hash drop function 1 (uuid);
drop schema families cascade;
-- EXPLAIN in other formats: the counts of MERGE, and no triggers.
create table explained (a int);
insert into explained values (1), (2), (3);
explain (analyze, costs off, timing off, summary off, format json) select 1;
set enable_hashjoin = off;
set enable_mergejoin = off;
explain (analyze, costs off, timing off, summary off, format yaml) merge into explained e using (values (1), (2), (7)) v(x) on e.a = x when matched and x = 1 then delete when matched then do nothing when not matched then insert values (x);
explain (costs off, format json) select a, count(*) from explained group by grouping sets ((a), ());
reset all;
drop table explained;
