-- A role may not grant membership in itself.
create role assorted_a createrole;
create role assorted_b;
create role assorted_c;
set session authorization assorted_b;
grant assorted_b to assorted_c;
select pg_has_role('assorted_b', 'assorted_b', 'usage with admin option'), pg_has_role('assorted_b', 'assorted_b', 'member');
reset session authorization;
drop role assorted_a, assorted_b, assorted_c;
-- ANALYZE of a partitioned table that has lost its partitions in the same transaction changed one row twice: XX000.
begin;
create table assorted_parted (i int) partition by list (i);
create table assorted_part partition of assorted_parted for values in (1);
insert into assorted_parted values (1), (1);
analyze assorted_parted;
drop table assorted_part;
select reltuples, relhassubclass from pg_class where oid = 'assorted_parted'::regclass;
analyze assorted_parted;
select reltuples, relhassubclass from pg_class where oid = 'assorted_parted'::regclass;
commit;
drop table assorted_parted;
-- current_schema() makes the schema for temporary tables.
set search_path = pg_temp;
select current_schema() like 'pg\_temp\_%', current_schema() = any (current_schemas(false)::text[]);
reset search_path;
-- SET of a function fails before the function begins.
set check_function_bodies = off;
create function assorted_bad_set() returns int language sql set default_text_search_config = no_such_config as 'select 1';
select assorted_bad_set();
drop function assorted_bad_set();
reset check_function_bodies;
-- Letters behind a parameter's number.
prepare assorted as select $1a;
prepare assorted as select 1, $2é;
prepare assorted as select $1 a, '$1a', $$ $1a $$;
execute assorted (7);
deallocate assorted;
