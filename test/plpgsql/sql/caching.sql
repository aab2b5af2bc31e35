-- what is kept, and when it is made anew (after plpgsql_cache.sql and plpgsql_simple.sql)
create table cc (a int, b text);
insert into cc values (1, 'one');
create function readcc() returns text language plpgsql as $$ declare r cc; begin select * into r from cc; return r::text; end $$;
select readcc();
alter table cc add column c int default 5;
select readcc();
alter table cc drop column b;
select readcc();
alter table cc rename column a to z;
select readcc();
create function readz() returns int language plpgsql as $$ declare r record; begin select * into r from cc; return r.z; end $$;
select readz();
alter table cc alter column z type bigint;
select readz();
drop table cc;
select readz();
create table cc (z text);
insert into cc values ('77');
select readz();
-- functions called from functions, replaced
create function simplesql(int) returns int language sql as 'select $1';
create function simplecaller() returns int language plpgsql as $$ declare sum int := 0; begin for n in 1..10 loop sum := sum + simplesql(n); if n = 5 then create or replace function simplesql(int) returns int language sql as 'select $1 + 100'; end if; end loop; return sum; end $$;
select simplecaller();
create or replace function simplesql(int) returns int language plpgsql as $$ begin return $1 * 2; end $$;
select simplecaller();
create or replace function simplesql(int) returns int language sql as 'select 2 + 2 / ($1 - $1)';
create or replace function simplecaller() returns int language plpgsql as $$ declare x int; begin begin x := simplesql(5); exception when division_by_zero then x := -1; end; return x; end $$;
select simplecaller();
create or replace function simplesql(int) returns int language sql as 'select $1 - $1';
select simplecaller();
-- search path
create schema s1; create schema s2;
create table s1.st (x text); insert into s1.st values ('from s1');
create table s2.st (x text); insert into s2.st values ('from s2');
create function s1.which() returns text language sql as $$ select 'which s1'::text $$;
create function s2.which() returns text language sql as $$ select 'which s2'::text $$;
create function readst() returns text language plpgsql as $$ declare t text; w text; begin select x into t from st; w := which(); return t || ', ' || w; end $$;
set search_path = public, s1;
select readst();
set search_path = public, s2;
select readst();
do $$ begin set search_path = public, s1; raise notice '%', readst(); set search_path = public, s2; raise notice '%', readst(); end $$;
reset search_path;
-- temporary tables, made and dropped
create function temps(n int) returns text language plpgsql as $$ declare r record; t text := ''; begin for i in 1..n loop create temp table tmp_t on commit drop as select i as v, n as w; select * into r from tmp_t; t := t || r.v || '/' || r.w || ' '; drop table tmp_t; end loop; return t; end $$;
select temps(3); select temps(2);
create function temps2(ty text) returns text language plpgsql as $$ declare r record; begin execute 'create temp table tmp_u (v ' || ty || ')'; insert into tmp_u values ('12'); select * into r from tmp_u; drop table tmp_u; return r.v; end $$;
select temps2('int'); select temps2('text'); select temps2('numeric(6,2)');
-- variables in statements that are no queries
do $$ declare v int := 5; r record; begin create temp table ctas as select v as a, v + 1 as b; select * into r from ctas; raise notice '%', r; drop table ctas; for r in explain (costs off) select v loop raise notice '%', r; end loop; end $$;
do $$ declare n text; begin for n in execute 'show work_mem' loop raise notice '%', n; end loop; end $$;
-- recursion, many arguments, deep expressions
create function fact(n int) returns numeric language plpgsql as $$ begin if n <= 1 then return 1; end if; return n * fact(n - 1); end $$;
select fact(20);
create function rec(n int) returns int language plpgsql as $$ declare x int; begin if n = 0 then return 0; end if; select rec(n - 1) + 1 into x; return x; end $$;
select rec(50);
create function ack(m int, n int) returns int language plpgsql as $$ begin if m = 0 then return n + 1; elsif n = 0 then return ack(m - 1, 1); else return ack(m - 1, ack(m, n - 1)); end if; end $$;
select ack(2, 3);
create function infinite() returns int language plpgsql as $$ begin return infinite(); end $$;
do $$ begin perform infinite(); exception when statement_too_complex then raise notice 'caught'; end $$;
-- in queries, indexes, defaults, checks, views
create function dbl(x int) returns int language plpgsql immutable strict as $$ begin return x * 2; end $$;
create table du (a int default dbl(4) check (dbl(a) < 100), b int generated always as (dbl(a)) stored);
insert into du values (default), (5), (10);
insert into du values (50);
create index on du (dbl(a));
select * from du where dbl(a) = 20;
create view dv as select a, dbl(a) as d from du;
select * from dv order by 1;
select sum(dbl(a)) over (order by a), dbl(count(*)::int) over () from du group by a order by a;
drop function dbl(int);
create aggregate mysum(int) (sfunc = plsum, stype = int, initcond = '0');
create function plsum(s int, x int) returns int language plpgsql as $$ begin return s + coalesce(x, 0); end $$;
create aggregate mysum(int) (sfunc = plsum, stype = int, initcond = '0');
select mysum(a) from du;
create function cmp(a int, b int) returns bool language plpgsql as $$ begin return a % 10 = b % 10; end $$;
create operator %% (leftarg = int, rightarg = int, function = cmp);
select 12 %% 22, 12 %% 23;
-- settings and set_config inside
create function gucs() returns text language plpgsql set work_mem = '1MB' as $$ begin perform set_config('work_mem', '2MB', false); set work_mem = '4MB'; return current_setting('work_mem'); end $$;
select gucs(), current_setting('work_mem');
create function gucs2() returns text language plpgsql as $$ begin set local work_mem = '5MB'; return current_setting('work_mem'); end $$;
begin; select gucs2(), current_setting('work_mem'); rollback;
-- many statements on rows while looping over them
create table lu (a int primary key, b int);
insert into lu select i, 0 from generate_series(1, 300) i;
do $$ declare r record; n int := 0; begin for r in select * from lu loop update lu set b = b + 1 where a = r.a; if r.a % 3 = 0 then delete from lu where a = r.a + 1; end if; insert into lu values (r.a + 1000, -1); n := n + 1; end loop; raise notice '%', n; end $$;
select count(*), sum(b), min(a), max(a) from lu;
do $$ declare r record; begin for r in select * from lu order by a for update loop update lu set a = -a where a = r.a; exit when r.a > 10; end loop; end $$;
select count(*) from lu where a < 0;
do $$ declare r record; s record; n int := 0; begin for r in select * from lu where a between 20 and 30 loop for s in select * from lu where a > r.a order by a limit 5 loop n := n + 1; continue when s.a % 2 = 0; exit; end loop; end loop; raise notice '%', n; end $$;
create function early() returns int language plpgsql as $$ declare r record; begin for r in select * from lu order by a desc loop if r.a < 1200 then return r.a; end if; end loop; return null; end $$;
select early();
create function earlyexc() returns text language plpgsql as $$ declare r record; begin for r in select * from lu order by a loop begin if r.a > 0 then perform 1 / (r.a - 12); end if; exception when division_by_zero then return 'at ' || r.a; end; end loop; return null; end $$;
select earlyexc();
-- notices through views of the context
\set SHOW_CONTEXT always
create function warns() returns void language plpgsql as $$ begin raise notice 'inside'; create table if not exists lu(a int); end $$;
do $$ begin perform warns(); end $$;
\set SHOW_CONTEXT errors
