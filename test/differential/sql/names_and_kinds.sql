-- A schema that is not there, where a function, an operator or a type is looked for.
select nowhere.f(1);
select 1 operator(nowhere.+) 2;
select operator(nowhere.-) 2;
-- Indexes get their names from what they are on.
create type inner_pair as (x int, y int);
create table nested (id int, p inner_pair, t text);
create index on nested (((p).x));
create index on nested ((t::int));
create index on nested ((case when id > 0 then id end));
create index on nested ((array[id]));
create index on nested ((row(id, 1)));
select indexrelid::regclass from pg_index where indrelid = 'nested'::regclass order by 1::text;
drop table nested;
drop type inner_pair;
create function two_columns() returns setof record language sql as 'values (1, 2)';
select * from rows from (two_columns() as (a int, b int)) as t(a int, b int);
drop function two_columns();
-- What cannot be locked through a view.
create table locked (a int);
create view by_group as select a from locked group by a;
create view distinctly as select distinct a from locked;
create view counted as select count(*) from locked;
select * from by_group for update;
select * from distinctly for share;
select * from counted for no key update;
select * from (select * from counted) s for key share;
create view unchecked with (check_option = sideways) as select 1 as a;
-- COPY and what rules make of its query.
copy (merge into locked using (values (1)) s(k) on a = k when matched then delete) to stdout;
copy (select 1 into elsewhere) to stdout;
copy (select 1 as a) to stdout (format csv, force_quote (b));
copy locked to stdout (format csv, force_quote (b));
create rule also as on insert to locked do also delete from locked;
copy (insert into locked values (1) returning a) to stdout;
drop rule also on locked;
create rule instead as on insert to locked do instead delete from locked returning a + 100;
insert into locked values (1);
drop rule instead on locked;
drop table locked cascade;
-- Options of operators have values; obsolete ones mean that it can be merged.
create operator %#% (function = int4eq, leftarg = int, rightarg = int, sort1 = <, sort2 = <);
select oprcanmerge from pg_operator where oprname = '%#%';
alter operator %#% (int, int) set (hashes);
alter operator %#% (int, int) set (restrict = none, merges);
drop operator %#% (int, int);
alter extension plpgsql set schema public;
alter tablespace nowhere rename to somewhere;
select pg_get_object_address('large object', '{x}', '{}');
create table parted_log (a int) partition by list (a);
alter table parted_log set access method heap;
create publication of_parted for table parted_log;
alter table parted_log set unlogged;
drop table parted_log;
drop publication of_parted;
create publication of_all for all tables;
select count(*) from pg_publication_tables where pubname = 'of_all' and schemaname = 'information_schema';
drop publication of_all;
create subscription from_nobody connection '' publication p with (connect = false, slot_name = none);
drop subscription from_nobody;
-- Sequences come before their tables.
create table counted_rows (a serial, b int generated always as identity);
select bool_and(s.oid < 'counted_rows'::regclass) from pg_class s where s.relname like 'counted\_rows\_%seq';
drop table counted_rows;
