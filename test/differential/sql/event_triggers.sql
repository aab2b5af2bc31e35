-- Event triggers; objects by their identity; security labels without providers.
create function watch() returns event_trigger language plpgsql as $$ begin raise notice 'watched: % of %', tg_event, tg_tag; end $$;
create function watch_with(who int) returns event_trigger language plpgsql as $$ begin null; end $$;
select watch();
-- what CREATE refuses
create event trigger w on ddl_command_start execute function version();
create event trigger w on ddl_command_start execute function nowhere();
create event trigger w on midnight execute function watch();
create event trigger w on ddl_command_start when weekday in ('monday') execute function watch();
create event trigger w on ddl_command_start when tag in ('monday') execute function watch();
create event trigger w on ddl_command_end when tag in ('create view', 'create nothing') execute function watch();
create event trigger w on ddl_command_end when tag in ('ALTER EVENT TRIGGER') execute function watch();
create event trigger w on ddl_command_end when tag in ('DROP ROLE') execute function watch();
create event trigger w on ddl_command_end when tag in ('DROP DATABASE') execute function watch();
create event trigger w on ddl_command_end when tag in ('ALTER TABLESPACE') execute function watch();
create event trigger w on sql_drop when tag in ('create view') and tag in ('drop view') execute function watch();
create event trigger w on ddl_command_start execute function watch(1);
create event trigger w on ddl_command_start execute function watch('text');
-- all commands; some of them
create event trigger w_all on ddl_command_start execute function watch();
create event trigger w_all on ddl_command_end execute function watch();
create event trigger w_end on ddl_command_end execute procedure watch();
create event trigger w_some on ddl_command_end when tag in ('create view', 'DROP VIEW', 'Create Sequence') execute function watch();
select evtname, evtevent, evtfoid::regproc, evtenabled, evttags from pg_event_trigger order by evtname;
comment on event trigger w_all is 'sees everything';
create view seen as select 1 as one;
create or replace view seen as select 1 as one, 2 as two;
create sequence seen_seq;
drop view seen;
create table stays (k int, v text);
-- fired in functions and procedures, by settings and by state
alter event trigger w_end disable;
create function makes() returns text language plpgsql as $$ begin create table made_here (k int); return 'made'; end $$;
select makes();
create procedure unmakes() language plpgsql as $$ begin drop table made_here; end $$;
call unmakes();
set session_replication_role = replica;
create index on stays (k);
alter event trigger w_all enable replica;
create index on stays (v);
alter event trigger w_all enable always;
alter table stays add w int;
reset session_replication_role;
alter table stays add x int;
alter event trigger w_all enable replica;
alter table stays add y int;
select evtname, evtenabled from pg_event_trigger order by evtname;
alter event trigger w_all enable;
grant select on stays to public;
revoke select on stays from public;
comment on column stays.k is 'a key';
select 1 as x into stays_too;
create materialized view stays_mat as select k from stays;
refresh materialized view stays_mat;
import foreign schema far from server nowhere into public;
create foreign data wrapper far_away;
create server far_server foreign data wrapper far_away;
create role evt_keeper;
create user mapping for evt_keeper server far_server;
alter default privileges for role evt_keeper grant select on tables to public;
alter default privileges for role evt_keeper revoke select on tables from public;
-- owners are superusers
alter event trigger w_all owner to evt_keeper;
set role evt_keeper;
create event trigger mine on ddl_command_start execute function watch();
reset role;
alter role evt_keeper superuser;
alter event trigger w_all owner to evt_keeper;
alter role evt_keeper nosuperuser;
alter event trigger w_all rename to w_end;
alter event trigger w_all rename to w_every;
alter event trigger w_all rename to nobody;
drop role evt_keeper;
drop event trigger w_all;
drop event trigger if exists w_all;
drop function watch();
drop event trigger w_every;
drop event trigger w_end;
drop event trigger w_some;
drop materialized view stays_mat;
drop table stays, stays_too;
-- sql_drop: what it is told, keeping things from being dropped, and dropping more
create schema north authorization evt_keeper;
create schema south authorization evt_keeper;
create schema ledger authorization evt_keeper;
create temp table passing ();
set session authorization evt_keeper;
create table north.inn (beds int);
create table north."inn yard" (carts int);
create table north.ferry (boats int);
create table south.inn (beds int, host text default 'nobody');
create table ledger.north_inn (note text);
create table ledger.south_inn (note text);
create function south.longer(text, text) returns text language sql as $$ select case when length($1) > length($2) then $1 else $2 end $$;
create aggregate south.longest (text) (sfunc = south.longer, stype = text, initcond = '');
reset session authorization;
create table kept (kind text, what text);
insert into kept values ('table', 'north.ferry'), ('table', 'ledger.south_inn');
create table gone (kind text, place text, what text);
create function keep() returns event_trigger language plpgsql as $$
declare d record;
begin
  if to_regclass('kept') is null then
    raise notice 'nothing is kept';
    return;
  end if;
  for d in select object_type, object_identity from pg_event_trigger_dropped_objects() where exists (select from kept where kind = object_type and what = object_identity) loop
    raise exception '% % stays', d.object_type, d.object_identity;
  end loop;
end $$;
create event trigger keeper on sql_drop execute function keep();
create function bury() returns event_trigger language plpgsql as $$
declare d record;
begin
  for d in select * from pg_event_trigger_dropped_objects() loop
    if d.object_type = 'table' and d.schema_name <> 'ledger' then
      execute format('drop table if exists ledger.%I', d.schema_name || '_' || d.object_name);
    end if;
    insert into gone values (d.object_type, d.schema_name, d.object_identity);
  end loop;
end $$;
create event trigger burier on sql_drop when tag in ('drop schema', 'alter table', 'drop table', 'drop owned', 'drop view') execute function bury();
alter table north.inn drop column beds;
drop schema north, south cascade;
delete from kept where what like 'ledger%';
drop schema north, south cascade;
delete from kept;
drop schema north, south cascade;
select * from gone where place is null or place not like 'pg_toast%';
drop owned by evt_keeper;
select kind, what from gone where kind = 'schema' order by what;
drop role evt_keeper;
drop table kept;
drop event trigger burier;
drop event trigger keeper;
-- every column of what the functions tell
create function tell_dropped() returns event_trigger language plpgsql as $$
declare d record;
begin
  for d in select * from pg_event_trigger_dropped_objects() where original or normal loop
    raise notice '% % (%, %): original % normal % temporary %', d.object_type, d.object_identity, d.address_names, d.address_args, d.original, d.normal, d.is_temporary;
  end loop;
end $$;
create function tell_made() returns event_trigger language plpgsql as $$
declare d record;
begin
  for d in select * from pg_event_trigger_ddl_commands() loop
    raise notice '%: % % in % (extension %)', d.command_tag, d.object_type, d.object_identity, d.schema_name, d.in_extension;
  end loop;
end $$;
create event trigger a_drop on sql_drop execute function tell_dropped();
create event trigger b_end on ddl_command_end execute function tell_made();
select * from pg_event_trigger_dropped_objects();
select * from pg_event_trigger_ddl_commands();
create schema road
  create table stage (no bigserial primary key, town text default 'Hof', miles smallserial)
  create index by_town on stage (town)
  create table coach (at bigint default 7 check (at <> 13) references stage)
  create table ticket (no int generated by default as identity, price numeric not null)
  create view long_stage as select no from stage where miles > 9;
create table road.day (d date, n int, primary key (d, n)) partition by range (d);
create table road.day_1 partition of road.day for values from ('2020-01-01') to ('2020-01-02');
create table road.day_2 partition of road.day for values from ('2020-01-02') to ('2020-02-01') partition by list (n);
create table road.day_2a partition of road.day_2 for values in (1, 2);
alter table road.stage alter town drop default;
alter table road.stage drop constraint stage_pkey;
alter table road.stage drop constraint stage_pkey cascade;
alter table road.stage drop miles cascade;
alter table road.ticket alter no drop identity, alter price type numeric(9,2);
drop index road.by_town;
create operator class far_ops for type text using btree as storage text;
create operator class road.far_ops for type bigint using hash as operator 1 =;
drop function tell_made();
drop schema road cascade;
drop table passing;
drop operator family far_ops using btree;
drop event trigger a_drop;
drop event trigger b_end;
-- rewrites of tables
select pg_event_trigger_table_rewrite_oid();
select pg_event_trigger_table_rewrite_reason();
create function refuses() returns event_trigger language plpgsql as $$ begin raise exception 'leave it as it is'; end $$;
create function tells() returns event_trigger language plpgsql as $$ begin raise notice '% is written anew for %', pg_event_trigger_table_rewrite_oid()::regclass, pg_event_trigger_table_rewrite_reason(); end $$;
create event trigger rewrites on table_rewrite when tag in ('create table') execute function refuses();
create event trigger rewrites on table_rewrite execute function refuses();
create table heavy (no int primary key, weight real, seen timestamp);
insert into heavy select g, g / 3.0, '2020-02-03' from generate_series(1, 20) g;
alter table heavy alter weight type numeric;
alter table heavy add colour text default 'grey';
alter table heavy add at float8 default random();
drop event trigger rewrites;
create event trigger rewrites on table_rewrite execute function tells();
alter table heavy alter weight type numeric(8, 2), add left_side bool default false, add right_side bool default true;
alter table heavy alter weight type numeric(8, 2);
alter table heavy alter weight type numeric(9, 2);
alter table heavy alter weight type text;
alter table heavy alter weight type varchar;
alter table heavy alter weight type varchar(9);
alter table heavy add at float8 default random();
alter table heavy set unlogged;
create type cargo as (tons int);
create table load_1 of cargo; -- of several, PostgreSQL's order is that of rows in pg_class
alter type cargo alter attribute tons type bigint cascade;
create table holds (c cargo);
alter type cargo alter attribute tons type text cascade;
drop event trigger rewrites;
drop function refuses(), tells();
drop table heavy;
-- policies
create function says() returns event_trigger language plpgsql as $$ begin raise notice '% at %', tg_tag, tg_event; end $$;
create event trigger p_start on ddl_command_start when tag in ('DROP POLICY', 'CREATE POLICY', 'ALTER POLICY') execute function says();
create event trigger p_end on ddl_command_end when tag in ('ALTER POLICY', 'DROP POLICY', 'CREATE POLICY') execute function says();
create event trigger p_drop on sql_drop when tag in ('DROP POLICY') execute function says();
create table guarded (k int);
create policy few on guarded using (k < 3);
alter policy few on guarded using (k < 4);
alter policy few on guarded rename to some;
drop policy some on guarded;
select t.evtname, pg_describe_object(t.tableoid, t.oid, 0), a.* from pg_event_trigger t, pg_identify_object_as_address(t.tableoid, t.oid, 0) a order by 1;
drop event trigger p_start;
drop event trigger p_end;
drop event trigger p_drop;
create type ident_type as (a int);
create table ident (a int primary key default 3, b ident_type, constraint positive check (a > 0));
create view ident_view as select a from ident;
create function ident_fn(int, text) returns int language sql as 'select 1';
create operator === (leftarg = int, rightarg = int, function = int4eq);
create domain ident_domain as int constraint small check (value < 10);
select i.* from (values ('pg_class'::regclass, 'ident'::regclass::oid, 0), ('pg_class', 'ident'::regclass, 1), ('pg_class', 'ident_view'::regclass, 0), ('pg_class', 'ident_pkey'::regclass, 0),
  ('pg_proc', 'ident_fn(int,text)'::regprocedure, 0), ('pg_operator', '===(int,int)'::regoperator, 0), ('pg_type', 'ident_domain'::regtype, 0), ('pg_type', 'int4[]'::regtype, 0),
  ('pg_namespace', 'public'::regnamespace, 0), ('pg_collation', '"C"'::regcollation, 0), ('pg_class', 1, 0), ('pg_proc', 'sum(int4)'::regprocedure, 0)) as v(c, o, s), pg_identify_object(c, o, s) i;
select pg_identify_object('pg_constraint'::regclass, oid, 0), pg_identify_object_as_address('pg_constraint'::regclass, oid, 0) from pg_constraint where conname in ('positive', 'small', 'ident_pkey') order by conname;
select pg_identify_object('pg_attrdef'::regclass, oid, 0), pg_identify_object_as_address('pg_attrdef'::regclass, oid, 0) from pg_attrdef where adrelid = 'ident'::regclass;
select pg_identify_object_as_address('pg_proc'::regclass, 'ident_fn(int,text)'::regprocedure, 0), pg_identify_object_as_address('pg_operator'::regclass, '===(int,int)'::regoperator, 0);
select pg_identify_object('pg_opclass'::regclass, oid, 0), pg_identify_object_as_address('pg_opclass'::regclass, oid, 0) from pg_opclass where opcname = 'int4_ops' order by 1;
select pg_identify_object('pg_cast'::regclass, oid, 0) from pg_cast where castsource = 'int4'::regtype and casttarget = 'int8'::regtype;
select pg_identify_object('pg_amop'::regclass, oid, 0), pg_identify_object('pg_am'::regclass, (select oid from pg_am where amname = 'gist'), 0) from pg_amop where amopopr = '<(int4,int4)'::regoperator;
security label on table ident is 'classified';
security label for dummy on table ident is 'classified';
drop view ident_view;
drop table ident;
-- What is told of commands that change, grant and replace.
create function tells() returns event_trigger language plpgsql as $$ declare r record; begin for r in select * from pg_event_trigger_ddl_commands() loop raise notice '% / % / % / % / %', r.command_tag, r.object_type, r.schema_name, r.object_identity, r.objsubid; end loop; end $$;
create event trigger telling on ddl_command_end execute function tells();
create table told_of (a serial, b int);
alter table told_of rename b to c;
create view told_view as select a from told_of;
create or replace view told_view as select a, c from told_of;
create function told_fn(int) returns int language sql as 'select 1';
create or replace function told_fn(int) returns int language sql as 'select 2';
alter function told_fn(int) strict;
grant execute on function told_fn(int) to public;
revoke all on told_of from public;
alter default privileges grant select on tables to public;
alter default privileges revoke select on tables from public;
create type told_enum as enum ('a');
alter type told_enum add value 'b';
create domain told_domain as int;
alter domain told_domain add check (value > 1);
alter sequence told_of_a_seq restart;
create publication told_pub;
alter publication told_pub add table told_of;
alter publication told_pub set (publish = 'insert');
create operator family told_family using btree;
alter operator family told_family using btree add operator 1 < (int4, int8);
create rule told_rule as on insert to told_of do nothing;
create or replace rule told_rule as on insert to told_of do also nothing;
create type told_row as (a int);
alter type told_row rename attribute a to b;
drop event trigger telling;
create function told_dropped() returns event_trigger language plpgsql as $$ declare r record; begin for r in select * from pg_event_trigger_dropped_objects() loop raise notice '% / % / % / %', r.object_type, r.schema_name, r.object_identity, r.address_names; end loop; end $$;
create event trigger dropping_told on sql_drop execute function told_dropped();
create policy told_policy on told_of using (true);
drop policy told_policy on told_of;
alter table told_of alter a drop default;
create temp table told_temp (a int);
drop table told_temp;
drop type told_row;
drop view told_view;
drop event trigger dropping_told;
drop table told_of cascade;
drop function told_fn(int), tells(), told_dropped();
drop type told_enum;
drop domain told_domain;
drop publication told_pub;
drop operator family told_family using btree;
-- Indexes of partitions and of constraints, a session's temporary schema; the new name of a schema; default privileges that go.
create function told() returns event_trigger language plpgsql as $$
  declare r record;
  begin
    for r in select * from pg_event_trigger_ddl_commands() loop raise notice 'done: % % %', r.command_tag, r.object_type, r.object_identity; end loop;
  end $$;
create function gone() returns event_trigger language plpgsql as $$
  declare r record;
  begin
    for r in select * from pg_event_trigger_dropped_objects() loop raise notice 'gone: % % % %', r.object_type, r.object_identity, r.original, r.normal; end loop;
  end $$;
create event trigger tells on ddl_command_end execute function told();
create event trigger mourns on sql_drop execute function gone();
create table split (a int, b int) partition by list (a);
create table split_1 partition of split for values in (1);
create index split_b on split (b);
alter table split add column c int, add primary key (a);
create schema old_schema;
alter schema old_schema rename to new_schema;
alter default privileges grant select on tables to public;
alter default privileges revoke select on tables from public;
create temp table passing_by (a int);
create view looks as select 1 as one;
create table checked (a int check (a > 0));
drop view looks;
drop table split;
drop event trigger tells;
drop event trigger mourns;
drop table checked;
drop schema new_schema;
drop function told();
drop function gone();
select null::event_trigger;
select null::trigger;
-- A check and a view's rule depend on their columns and their view of themselves, too.
create table leaned_on (a int check (a > 0));
create view leans as select a from leaned_on;
select classid::regclass::text, refclassid::regclass::text, refobjsubid, deptype from pg_depend
  where (classid = 'pg_constraint'::regclass and refobjid = 'leaned_on'::regclass) or (classid = 'pg_rewrite'::regclass and refobjid in ('leans'::regclass, 'leaned_on'::regclass)) order by 1, 2, 3, 4;
drop table leaned_on cascade;
-- The sequence of an identity column that gets another type; clocks of UTC need no rewriting.
create function et_end() returns event_trigger language plpgsql as $$ declare r record; begin for r in select * from pg_event_trigger_ddl_commands() loop raise notice 'END: % % %', r.command_tag, r.object_type, r.object_identity; end loop; end $$;
create function et_rewrite() returns event_trigger language plpgsql as $$ begin raise notice 'rewriting % %', pg_event_trigger_table_rewrite_oid()::regclass, pg_event_trigger_table_rewrite_reason(); end $$;
create table et_id (a int generated always as identity, t timestamp);
insert into et_id (t) values (now());
create event trigger et_end on ddl_command_end execute function et_end();
create event trigger et_rew on table_rewrite execute function et_rewrite();
alter table et_id alter column a set data type bigint;
alter table et_id alter column a drop identity, alter column a set data type int;
set timezone = 'UTC';
alter table et_id alter column t type timestamptz;
set timezone = 'Europe/London';
alter table et_id alter column t type timestamp;
reset timezone;
create domain et_dom as int check (value > 3);
alter table et_id add column d et_dom default 2;
drop event trigger et_end;
drop event trigger et_rew;
-- A foreign key that a partition has from its parent is no ALTER TABLE of its own; options of a foreign table's columns are one; a
-- domain's constraint that gets another name; an extension's members.
create function et_told() returns event_trigger language plpgsql as $$ declare r record; begin
  for r in select * from pg_event_trigger_ddl_commands() loop raise notice '% % %', r.command_tag, r.object_type, r.object_identity; end loop; end $$;
create event trigger et_told on ddl_command_end execute function et_told();
create table et_ref (a int primary key);
create table et_top (a int primary key, b int references et_ref) partition by range (a);
create table et_part partition of et_top for values from (1) to (10);
create foreign data wrapper et_wrapper;
create server et_server foreign data wrapper et_wrapper;
create foreign table et_foreign (a int options (x 'y'), b int) server et_server;
create domain et_named as int constraint et_check check (value > 0);
alter domain et_named rename constraint et_check to et_checked;
create function et_member() returns int language sql as 'select 1';
alter extension plpgsql add function et_member();
alter extension plpgsql drop function et_member();
drop event trigger et_told;
drop function et_member(), et_told();
drop domain et_named;
drop table et_top, et_ref;
drop foreign data wrapper et_wrapper cascade;
