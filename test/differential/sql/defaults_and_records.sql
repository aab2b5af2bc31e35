-- A function's defaults are those of the day, not of when a view was made; fields of records out of subqueries and WITH.
create function ffd(a int, b int default 3) returns int language sql as $$ select a+b $$;
create view vffd as select ffd(1) as x;
select pg_get_viewdef('vffd');
select (r).column1 from (values(1,2)) r;
select (r).column1 from (select r from (values(1,2)) r) s;
with cte as (select r from (values(1,2)) r) select (r).column1 from cte;
with cte as materialized (select r from (values(1,2)) r) select (cte.r).column1 from cte join (select 1) z on (r).column1 = 1;
with cte as (select r from (values(1,2)) r) select (r).column1 from cte join (select rr from (values(1,7),(3,8)) rr limit 2) ss on (rr).column1 = 1;
with cte as (select r from (values(1,2)) r) select 1 from cte join (select 1) z on (r).column1 = 1;
select 1 from (select r from (values(1,2)) r) s join (select 1) z on (r).column1 = 1;
create or replace function ffd(a int, b int default 30) returns int language sql as $$ select a+b $$;
select * from vffd;
explain (verbose, costs off) select ffd(1) from generate_series(1,2);
create function ffdv(a int, b int default 3) returns int language plpgsql as $$ begin return a+b; end $$;
create table tfd (x int default ffdv(1), y int check (ffdv(y) > 0));
create index on tfd (ffd(x));
select pg_get_indexdef(indexrelid) from pg_index where indrelid='tfd'::regclass;
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid='tfd'::regclass;
select pg_get_constraintdef(oid) from pg_constraint where conrelid='tfd'::regclass;
create or replace function ffdv(a int, b int default 7) returns int language plpgsql as $$ begin return a+b; end $$;
insert into tfd values (default, 1) returning *;
-- A row that is made here is NULL when its columns are, which an index may know.
create table row_tests (a text, b text not null, c int);
create index on row_tests (a, c);
explain (costs off) select * from row_tests where row(a, 'x') is null;
explain (costs off) select * from row_tests where row(a, c) is null;
explain (costs off) select * from row_tests where row(a, null) is not null;
explain (costs off) select * from row_tests where row(a, 1, c) is not null;
explain (costs off) select * from row_tests where row() is null;
-- Records of different shapes have no order by their bytes either.
create type pair_of_ints as (a int, b int);
create type int_and_text as (a int, b text);
create type one_int as (a int);
select row(1, 2)::pair_of_ints *< row(1, 'abc')::int_and_text;
select row(1, 2)::pair_of_ints *= row(1, 'abc')::int_and_text;
select row(1, 2)::pair_of_ints *< row(1)::one_int;
select row(1, null)::pair_of_ints *< row(1, 5)::pair_of_ints, row(1, null)::pair_of_ints *= row(1, null)::pair_of_ints;
-- A default is kept once for all rows, but rows inside other tables have no place for it.
create table inner_row (a int);
create table outer_row (r inner_row);
alter table inner_row add column b text default 'x';
alter table inner_row add column b text;
-- VALUES has no system columns to be reminded of.
insert into inner_row values (1), (2) returning nosuch;
create view inner_view as select * from inner_row;
insert into inner_view values (1), (2) returning tableoid;
explain (costs off, verbose) select row(1, 'x', null), row(a, 1), row() from row_tests where row(1, 2) is null or row(c, 1) = row(2, 1) or (row(1,2.5)).f2 > 1;
select row(1, 'x', null), row(row(1), array[2]), row() is null;
explain (costs off, verbose) insert into outer_row values (row(1)), (row(2)::inner_row);
explain (costs off, verbose) select row(1,'z')::inner_row, (row(1,'z')::inner_row).b, row(1, 'z')::inner_row = r from outer_row;
-- The columns of a record that says nothing of them (a row without columns was the answer); a column list with a name twice; of an
-- array of unknown elements no element is known.
create function untold() returns setof record language sql as 'select 1, 2';
select (untold()).*;
select (x).* from (select untold() as x) s;
select (null::record).*;
select * from untold() as x (a int, a int);
create function first_of(anyarray) returns anyelement language sql as 'select $1[1]';
select first_of(stavalues1) from pg_statistic limit 1;
select hash_record_extended(row(1, 'a'), 0), hash_array_extended('{1}'::int[], 1) is null;
drop function untold(), first_of(anyarray);
