-- Rights: roles that cannot be members, aclitem as text, of columns and types, of tables that inherit.
create role g1;
create role g2;

grant g1 to pg_database_owner;
grant pg_database_owner to g1;

grant pg_read_all_data to g2;
grant g2 to pg_read_all_data;

revoke admin option for g1 from g2 granted by foo;

grant g1 to g2 granted by nosuch;

grant g1 to g2 granted by g1;

revoke g1 from g2 granted by nosuch;

revoke pg_database_owner from g1;

select '""=r*/""'::aclitem;
select '=r/'::aclitem;
select 'nosuch=r/postgres'::aclitem;
select 'postgres=zz/postgres'::aclitem;
select '"postgres=r/postgres'::aclitem;
select 'group postgres=r/postgres'::aclitem;
select 'foo postgres=r/postgres'::aclitem;
select 'postgres=a*r*w/postgres'::aclitem = 'postgres=r*w*a/postgres'::aclitem;
-- Lists of rights could not be compared, which pg_dump does once a function of the system's has other rights than initdb gave it.
select '{postgres=ar/postgres,=r/postgres}'::aclitem[] = '{postgres=ra/postgres,=r/postgres}'::aclitem[], '{=r/postgres}'::aclitem[] is distinct from '{=a/postgres}'::aclitem[];
select count(distinct x), count(*) from unnest('{postgres=ar/postgres,=r/postgres,postgres=ra/postgres}'::aclitem[]) x;
select '{=r/postgres}'::aclitem[] < '{=a/postgres}'::aclitem[];
select makeaclitem('g1'::regrole, 'g2'::regrole, 'SELECT, INSERT', true);
select makeaclitem('g1'::regrole, 'g2'::regrole, 'SELECT, fake', true);
select aclexplode('{postgres=r*w/postgres,=X/postgres}');
select acldefault('r', 10), acldefault('z', 10);

create table pt(a int, b int, c text);
alter table pt drop column b;

select has_column_privilege('pt', '........pg.dropped.2........', 'select'), has_column_privilege('pt'::regclass, 2::int2, 'select'), has_column_privilege('pt', 99::int2, 'select'), has_column_privilege(99999::oid, 1::int2, 'select'), has_column_privilege('pt','nosuch','select');

select has_column_privilege('pt', 'a', 'nopriv');
select has_table_privilege('nosuch', 'pt', 'select');
select has_table_privilege('g1', 'pt', 'select, insert with grant option');
select has_table_privilege(99999::oid, 'pt'::regclass, 'select'), has_table_privilege('g1', 99999::oid, 'select'), has_schema_privilege('g1','public','usage'), has_any_column_privilege('g1','pt','update'), has_sequence_privilege('g1', 'pt', 'usage');
select has_type_privilege('g1','int4','usage'), has_language_privilege('g1','sql','usage'), has_function_privilege('g1','abs(int)','execute'), has_database_privilege('g1', current_database(), 'create'), has_foreign_data_wrapper_privilege('g1','nosuch','usage');
select pg_has_role('g1','g2','member'), pg_has_role('g1','g1','usage'), pg_has_role('g1','nosuch','usage');
select pg_has_role('g1','g2','bogus');
select has_parameter_privilege('g1','work_mem','set'), has_parameter_privilege('g1','shared_buffers','alter system'), has_parameter_privilege('g1','no.such','set');

create table tp(a int) partition by list (a);
create table tpc partition of tp for values in (1);
grant truncate, select on tp to g1;
set role g1;
truncate tp;
truncate tpc;
select * from tp;
select * from tpc;
lock table tp in access share mode;
lock table tp;
lock tpc in access share mode;
reset role;

create domain pdom as int;
revoke usage on type pdom from public;
create type ptype as (x int);
revoke usage on type ptype from public;
grant create on schema public to g1;
set role g1;

create table td as select 1::pdom as a;
create table td (a pdom);
create table td (a ptype);
create table td (a pdom[]);
create function fd(pdom) returns int language sql as 'select 1';
create function fd() returns pdom language sql as 'select 1';
create domain d2 as pdom;
create view vd as select 1::pdom as a;
create type t3 as (x pdom);
create cast (text as pdom) without function;
create operator +! (rightarg = pdom, procedure = abs);
create aggregate agd(pdom) (sfunc=int4pl, stype=int);
select 1::pdom into td2;
create table td3 (a int);
alter table td3 add b pdom;
alter table td3 alter a type pdom;
create table td4 of ptype;
prepare pd(pdom) as select $1;

reset role;

revoke all on pt from public;
grant select(a), update(c), insert(a,c), references(a) on pt to g1 with grant option;
set role g1;
grant select(a) on pt to g2;
grant select(c) on pt to g2;
grant select on pt to g2;
grant all on pt to g2;
select a from pt;
select c from pt;
select * from pt;
update pt set c='x';
update pt set c = c;
update pt set a = 1;
delete from pt;
insert into pt values (1,'x');
insert into pt values(1,'x') returning a;
insert into pt values(1,'x') returning c;
select count(*) from pt;
select pt from pt;
select 1 from pt;
select a from pt for update;
copy pt to stdout;
copy pt(a) to stdout;
reset role;
revoke select(a) on pt from g1;
revoke select(a) on pt from g1 cascade;

grant select(nosuch) on pt to g1;
grant select(ctid) on pt to g1;
grant delete(a) on pt to g1;
grant usage on pt to g1;
grant select on schema public to g1;
grant create on language sql to g1;
grant select on nosuch to g1;
grant select on pt to nosuch;
grant select on all tables in schema nosuch to g1;
grant execute on function nosuch() to g1;
grant execute on procedure abs(int) to g1;
grant execute on routine abs(int) to g1;
grant usage on sequence pt to g1;
grant connect on database nosuch to g1;
grant usage on type nosuch to g1;
grant usage on type _int4 to g1;
grant select on large object 99 to g1;
grant usage on foreign server nosuch to g1;
grant create on tablespace pg_default to g1;
revoke create on tablespace pg_default from g1;

drop owned by g1, g2 cascade;
drop table pt, tp;
drop domain pdom cascade;
drop type ptype cascade;
drop table if exists td, td2, td3;
drop role g1, g2;

-- Nobody (role 0, as whom the information schema asks for PUBLIC) was taken for a superuser.
select pg_has_role(0::oid, 10::oid, 'usage'), pg_has_role(0::oid, 10::oid, 'member'), has_table_privilege(0::oid, 'pg_authid', 'select'), has_table_privilege(0::oid, 'pg_class', 'select');
select distinct is_grantable from information_schema.role_routine_grants where grantee = 'PUBLIC' and specific_schema = 'pg_catalog';
