-- Objects by their addresses: every kind of object there and back, and what is no address.
create role sqla_u superuser;
create schema oa;
set search_path to oa, public;
create foreign data wrapper oa_fdw;
create server oa_srv foreign data wrapper oa_fdw;
create foreign table oa_ft (a int) server oa_srv;
create user mapping for sqla_u server oa_srv;
create text search dictionary oa_dict (template = simple);
create text search configuration oa_conf (copy = simple);
create text search parser oa_prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template oa_tmpl (lexize = dsimple_lexize);
create table tab (a serial primary key, b text default 'x', c int generated always as (a) stored, constraint ck check (a > 0));
create index tab_b on tab (b);
create view vw as select * from tab;
create materialized view mv as select * from tab;
create type comp as (x int, y text);
create type en as enum ('p','q');
create domain dom as int constraint dc check (value > 0);
create function fn(int, text) returns int language sql as 'select 1';
create procedure pc(int4[]) language sql as 'select 1';
create aggregate ag(int) (sfunc = int4pl, stype = int);
create trigger trg before update on tab for each row execute function suppress_redundant_updates_trigger();
create rule rl as on insert to vw do instead nothing;
create policy pl on tab;
create sequence sq;
create operator #-# (leftarg = int, rightarg = int, function = int4pl);
create operator family of using btree;
create operator class oc for type en using btree family of as storage en;
alter operator family of using btree add operator 1 < (int4, int8), function 1 (int4, int8) btint48cmp(int4, int8);
create cast (comp as int) with inout;
create collation cl from "C";
create conversion cv for 'latin1' to 'utf8' from iso8859_1_to_utf8;
create statistics st on a, b from tab;
create publication pb for table tab;
create publication pb2 for tables in schema oa;
alter default privileges for role sqla_u in schema oa grant all on tables to public;
alter default privileges for role sqla_u revoke execute on functions from public;
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
create event trigger et on ddl_command_end when tag in ('LOAD') execute function fn();
create function etf() returns event_trigger language plpgsql as 'begin end';
create event trigger et on ddl_command_end execute function etf();
create access method am_h type index handler bthandler;
create table part (a int) partition by range (a);
create index part_i on part (a);
create table part1 partition of part for values from (0) to (1);
select lo_create(4711);
create language mylang handler plpgsql_call_handler;
do $$
declare r record; ot text; 
begin
 foreach ot in array array['table','index','sequence','toast table','view','materialized view','foreign table','table column','view column','materialized view column','index column','sequence column','toast table column','foreign table column','composite type column','composite type','aggregate','function','procedure','routine','type','cast','table constraint','domain constraint','default value','operator','operator of access method','function of access method','rule','trigger','text search parser','text search dictionary','text search template','text search configuration','policy','user mapping','default acl','transform','operator class','operator family','conversion','collation','language','large object','schema','tablespace','database','role','foreign-data wrapper','server','extension','event trigger','access method','publication','publication relation','publication namespace','subscription','statistics object','property graph'] loop
  for r in select n, a from (values ('{eins}'::text[]), ('{oa,zwei}'), ('{eins,zwei,drei}'), ('{}'), ('{oa,tab,a}'), ('{1}'), (null), ('{x,y}')) n(n), (values ('{}'::text[]), ('{integer}'), ('{int,text}'), ('{x,1,2}'), (null), ('{"integer","-"}')) a(a) loop
   begin
     perform pg_get_object_address(ot, r.n, r.a);
     raise notice 'ok % % %', ot, r.n, r.a;
   exception when others then raise notice '% % %: % %', ot, r.n, r.a, sqlstate, sqlerrm; end;
  end loop;
 end loop;
end $$;
with v(t, n, a) as (values ('table', '{oa,tab}'::text[], '{}'::text[]), ('index','{oa,tab_b}','{}'), ('sequence','{oa,sq}','{}'), ('view','{oa,vw}','{}'), ('materialized view','{oa,mv}','{}'), ('foreign table','{oa,oa_ft}','{}'),
 ('table column','{oa,tab,b}','{}'), ('foreign table column','{oa,oa_ft,a}','{}'), ('view column','{oa,vw,a}','{}'), ('composite type column', '{oa,comp,x}','{}'), ('aggregate','{oa,ag}','{int4}'), ('function','{oa,fn}','{int4,text}'), ('procedure','{oa,pc}','{int4[]}'), ('type','{oa.comp}','{}'), ('type','{oa._comp}','{}'),
 ('cast','{oa.comp}','{int4}'), ('table constraint','{oa,tab,ck}','{}'), ('domain constraint','{oa.dom}','{dc}'), ('default value','{oa,tab,b}','{}'), ('operator','{oa,#-#}','{int4,int4}'), ('operator','{pg_catalog,-}','{NONE,int4}'), ('operator of access method','{btree,oa,of,1}','{int4,int8}'), ('function of access method','{btree,oa,of,1}','{int4,int8}'),
 ('rule','{oa,vw,rl}','{}'), ('trigger','{oa,tab,trg}','{}'), ('text search parser','{oa,oa_prs}','{}'), ('text search dictionary','{oa_dict}','{}'), ('text search template','{oa_tmpl}','{}'), ('text search configuration','{oa_conf}','{}'), ('policy','{oa,tab,pl}','{}'), ('user mapping','{sqla_u}','{oa_srv}'), ('default acl','{sqla_u,oa}','{r}'), ('default acl','{sqla_u}','{f}'),
 ('transform','{int}','{sql}'), ('operator class','{btree,oa,oc}','{}'), ('operator family','{btree,oa,of}','{}'), ('conversion','{oa,cv}','{}'), ('collation','{oa,cl}','{}'), ('language','{plpgsql}','{}'), ('large object','{4711}','{}'), ('schema','{oa}','{}'), ('tablespace','{pg_default}','{}'), ('database','{postgres}','{}'), ('role','{sqla_u}','{}'), ('foreign-data wrapper','{oa_fdw}','{}'), ('server','{oa_srv}','{}'), ('extension','{plpgsql}','{}'), ('event trigger','{et}','{}'), ('access method','{am_h}','{}'), ('publication','{pb}','{}'), ('publication relation','{oa,tab}','{pb}'), ('publication namespace','{oa}','{pb2}'), ('statistics object','{oa,st}','{}'), ('materialized view column','{oa,mv,b}','{}'), ('table','{oa,part}','{}'), ('index','{oa,part_i}','{}'))
select v.t, n, a, (i).type, (i).schema, (i).name, (i).identity, (s).type as t2, (s).object_names, (s).object_args, pg_describe_object(ad.classid, ad.objid, ad.objsubid), row(b.classid, b.objid, b.objsubid) = row(ad.classid, ad.objid, ad.objsubid) as round
from v, pg_get_object_address(v.t, n, a) ad, pg_identify_object(ad.classid, ad.objid, ad.objsubid) i, pg_identify_object_as_address(ad.classid, ad.objid, ad.objsubid) s, pg_get_object_address((s).type, (s).object_names, (s).object_args) b;
select c.x::regclass, pg_describe_object(c.x, 1, 0) , pg_identify_object(c.x, 1, 0) from (values ('pg_tablespace'::regclass), ('pg_foreign_data_wrapper'), ('pg_foreign_server'),('pg_user_mapping'),('pg_default_acl'),('pg_extension'),('pg_event_trigger'),('pg_policy'),('pg_publication'),('pg_publication_rel'),('pg_publication_namespace'),('pg_subscription'),('pg_transform'),('pg_auth_members')) c(x);
select pg_describe_object(1, 1, 0);
select pg_identify_object('pg_attribute'::regclass, 1, 0);
select pg_identify_object('pg_class'::regclass, 'tab'::regclass, 99);
select pg_describe_object('pg_class'::regclass, 'tab'::regclass, 99);
select pg_describe_object('pg_class'::regclass, 'tab'::regclass, 2);
select pg_describe_object('pg_class'::regclass, 'tab'::regclass, -1);
comment on cast (comp as int) is 'c1';
comment on transform for int language sql is 'tr';
comment on policy pl on tab is 'x';
comment on rule rl on vw is 'r';
comment on trigger trg on tab is 't';
comment on constraint ck on tab is 'k';
comment on constraint dc on domain dom is 'd';
comment on operator class oc using btree is 'oc';
comment on operator family of using btree is 'of';
comment on access method am_h is 'am';
comment on large object 4711 is 'lo';
comment on statistics st is 's';
comment on text search parser oa_prs is 'p';
comment on server oa_srv is 'srv';
comment on publication pb is 'pub';
comment on column oa_ft.a is 'col';
comment on conversion cv is 'cv';
comment on language plpgsql is 'lang';
comment on foreign data wrapper oa_fdw is 'f';
comment on extension plpgsql is 'e';
comment on routine fn is 'routine';
comment on procedure pc is 'proc';
comment on aggregate ag(int) is 'agg';
comment on event trigger et is 'et';
comment on operator #-#(int,int) is 'op';
comment on index tab_b is 'i';
comment on column vw.a is 'vc';
comment on column comp.x is 'cx';
comment on column tab_b.b is 'no';
comment on column sq.last_value is 'no';
comment on constraint nosuch on tab is 'no';
comment on table vw is 'no';
comment on view tab is 'no';
comment on domain comp is 'no';
comment on type dom is 'ok';
select pg_describe_object(classoid, objoid, objsubid), description from pg_description where objoid >= 16384 or description ~ '^(ts|db|ro|lo)$' order by 1;
drop publication pb, pb2;
drop event trigger et;
select lo_unlink(4711);
drop owned by sqla_u;
drop schema oa cascade;
drop access method am_h cascade;
drop foreign data wrapper oa_fdw cascade;
drop language mylang;
drop cast (comp as int);
drop transform for int language sql;
drop role sqla_u;
-- The address of a setting's rights was refused.
select pg_get_object_address('parameter ACL', '{work_mem}', '{}');
create role oa_setter;
grant set on parameter work_mem to oa_setter;
select classid::regclass, objsubid from pg_get_object_address('parameter ACL', '{work_mem}', '{}');
revoke set on parameter work_mem from oa_setter;
drop role oa_setter;
-- To set the access method that is there already is nothing.
create access method oa_heap type table handler heap_tableam_handler;
create table oa_table (a int);
alter table oa_table set access method heap, set access method oa_heap;
drop table oa_table;
drop access method oa_heap;
-- Only relations have parts with numbers; a list of options without one of them; storage parameters of TOAST tables that are not there.
select pg_describe_object('pg_proc'::regclass, 1242, 5);
select pg_identify_object('pg_type'::regclass, 'int4'::regtype, 1);
select pg_identify_object_as_address('pg_proc'::regclass, 1, -1);
select * from pg_options_to_table('{a=b,c,NULL}');
create table oa_options (a int primary key) partition by range (a);
alter table oa_options set (toast.autovacuum_enabled = off);
alter index oa_options_pkey set (toast.autovacuum_enabled = off);
create table oa_oids (a int) with (oids = 'maybe');
drop table oa_options;
select system_user;
select 1 as system_user, 'System_User' as "system_user x";
select 1 as SYSTEM_USER, 'jSON_array' as "Json_Array";
select json_ARRAY(1), 'JSON_ARRAY' as JSON_ARRAY;
