-- Operators, operator classes and types that users make of the server's own functions.
set enable_hashjoin = off;
set enable_mergejoin = off;
-- Estimators may be given a name in SQL though nothing here calls them; they are looked for before what is asked of operators.
create function om_sel(internal, oid, internal, integer) returns float8 as 'contsel' language internal stable strict;
create function om_nothing(int) returns int as 'om_no_such_function' language internal;
create function om_eq(boolean, boolean) returns boolean as $$ select null::boolean $$ language sql immutable;
create operator === (leftarg = boolean, rightarg = boolean, procedure = om_eq, commutator = ===, negator = !==, restrict = om_sel, join = contjoinsel, hashes, merges);
alter operator === (boolean, boolean) set (restrict = none);
create operator #*# (leftarg = int8, rightarg = int8, procedure = int8pl, restrict = eqjoinsel);
-- One operator that is both commutator and negator of another: it was changed twice in a command.
create operator <| (procedure = int8lt, leftarg = bigint, rightarg = bigint);
create operator |> (procedure = int8gt, leftarg = bigint, rightarg = bigint, negator = <|, commutator = <|);
drop operator |>(bigint, bigint);
select oprname, oprcom, oprnegate from pg_operator where oprname = '<|' and oprleft = 20;
-- Members are refused by the name that was given.
create schema om;
create operator family om.fam using btree;
alter operator family om.fam using btree add operator 1 <(int4, int2);
alter operator family om.fam using btree add operator 1 <(int4, int2);
-- An operator class of the functions of a built-in one indexes as that does, in an access method of one's own, too.
create access method om_gist type index handler gisthandler;
create operator class om_box default for type box using om_gist as operator 3 &&, operator 8 <@,
  function 1 gist_box_consistent(internal, box, smallint, oid, internal), function 2 gist_box_union(internal, internal),
  function 5 gist_box_penalty(internal, internal, internal), function 6 gist_box_picksplit(internal, internal), function 7 gist_box_same(box, box, internal);
create table om_boxes (b box);
insert into om_boxes select box(point(i, i), point(i + 1, i + 1)) from generate_series(1, 100) i;
create index om_boxes_b on om_boxes using om_gist (b);
set enable_seqscan = off;
explain (costs off) select * from om_boxes where b <@ '(20,20),(10,10)'::box;
select count(*) from om_boxes where b <@ '(20,20),(10,10)'::box;
reset enable_seqscan;
drop access method om_gist;
drop access method om_gist cascade;
-- A class of equals that lacks operators says the rest as it was written, once.
create type om_alias1;
create function om_alias1in(cstring) returns om_alias1 strict immutable language internal as 'int8in';
create function om_alias1out(om_alias1) returns cstring strict immutable language internal as 'int8out';
create type om_alias1 (input = om_alias1in, output = om_alias1out, like = int8);
create type om_alias2;
create function om_alias2in(cstring) returns om_alias2 strict immutable language internal as 'int8in';
create function om_alias2out(om_alias2) returns cstring strict immutable language internal as 'int8out';
create type om_alias2 (input = om_alias2in, output = om_alias2out, like = int8);
create function om_eq1(int8, om_alias1) returns bool strict immutable language internal as 'int8eq';
create operator = (procedure = om_eq1, leftarg = int8, rightarg = om_alias1, restrict = eqsel, join = eqjoinsel, merges);
alter operator family integer_ops using btree add operator 3 = (int8, om_alias1);
create function om_eq12(om_alias1, om_alias2) returns bool strict immutable language internal as 'int8eq';
create operator = (procedure = om_eq12, leftarg = om_alias1, rightarg = om_alias2, restrict = eqsel, join = eqjoinsel, merges);
alter operator family integer_ops using btree add operator 3 = (om_alias1, om_alias2);
create table om_ec1 (ff int8 primary key, f1 om_alias1, f2 om_alias2);
create table om_ec2 (xf int8 primary key, x1 om_alias1, x2 om_alias2);
explain (costs off) select * from om_ec1 where ff = f1 and f1 = '42'::om_alias2;
explain (costs off) select * from om_ec1, om_ec2 where ff = x1 and '42'::int8 = x1;
explain (costs off) select * from om_ec1, om_ec2 where ff = x1 and x1 = '42'::om_alias2;
-- A domain without constraints is its base type, until it gets one.
create domain om_name as name;
create table om_names (f1 name);
insert into om_names values ('foo'), ('');
create view om_named as select f1::om_name as n from om_names;
explain (costs off) select * from om_named where n = 'foo' order by n;
prepare om_p as select f1::om_name from om_names order by 1;
execute om_p;
alter domain om_name add check (value <> '');
execute om_p;
explain (costs off) select * from om_named where n = 'foo' order by n;
-- Each key of ORDER BY in an aggregate has its own collation, whatever the aggregate's arguments are.
create table om_texts (a int, x text collate "C", y text collate "POSIX");
insert into om_texts values (1, 'b', 'c'), (2, 'a', 'd');
select array_agg(a order by x, y), array_agg(a order by y desc), sum(distinct a order by a) from om_texts;
-- A row where a domain over its type is wanted; what a domain cannot be given.
create type om_pair as (r float8, i float8);
create domain om_ordered as om_pair check ((value).r <= (value).i);
create function om_make(r float8, i float8) returns om_ordered as 'select row(r, i)' language sql;
select om_make(1, 2), (om_make(1, 2)).i;
select om_make(2, 1);
select m, m is not null from om_make(1, 2) m;
alter domain om_ordered add constraint om_c check ((value).r > 0) no inherit;
select pg_get_constraintdef(oid), connoinherit from pg_constraint where conname = 'om_c';
-- The place of a column's default that is not there; a number that is none.
select pg_get_object_address('default value', '{om_names,zz}', '{}');
select pg_get_object_address('function of access method', '{btree,integer_ops,x}', '{int4,int4}');
-- Included columns are read from the table by a scan of the index only.
create table om_incl (c1 int, c2 int);
create unique index om_incl_i on om_incl (c1) include (c2);
insert into om_incl values (1, 2), (2, 3);
set enable_seqscan = off;
set enable_bitmapscan = off;
explain (costs off) select c1, c2 from om_incl where c1 = 1 and c2 = 2;
select c1, c2 from om_incl where c1 = 1;
select c2 from om_incl where c1 > 0 order by c1;
reset enable_seqscan;
reset enable_bitmapscan;
create table om_boxed (c1 int, c3 box);
create index on om_boxed using rtree (c3) include (c1);
-- Constraints that partitions get from their table can be inherited on; what is said of indexes that have no partitions.
create table om_part (a int primary key, b int) partition by range (a);
create table om_part1 partition of om_part for values from (0) to (10);
alter table om_part add unique (a, b);
select conname, conislocal, coninhcount, connoinherit from pg_constraint where conrelid in ('om_part'::regclass, 'om_part1'::regclass) order by 1;
create index om_part1_b on om_part1 (b);
alter index om_part1_b attach partition om_part1_pkey;
insert into om_part values (1, 1);
insert into om_part1 values (1, 1) on conflict (a) do update set a = 20;
create index om_part_only on only om_part (b);
cluster om_part using om_part_only;
-- Rows of COPY (INSERT ... RETURNING) are all sent before AFTER triggers.
create table om_copy (id serial, t text);
create function om_tell() returns trigger as $$ begin raise notice '% %', tg_when, new.id; return new; end $$ language plpgsql;
create trigger om_bef before insert on om_copy for each row execute function om_tell();
create trigger om_aft after insert on om_copy for each row execute function om_tell();
copy (insert into om_copy (t) values ('f') returning id) to stdout;
create foreign data wrapper om_fdw;
create server om_srv foreign data wrapper om_fdw;
create foreign table om_ft (a int) server om_srv;
-- Options of a column that is added were lost; its sequence goes along into another schema; nobody can analyze it.
alter foreign table om_ft add column c10 int options (p1 'v1'), add column c11 serial;
select attname, attfdwoptions from pg_attribute where attrelid = 'om_ft'::regclass and attnum > 0 order by attnum;
alter foreign table om_ft set schema om;
select pg_get_serial_sequence('om.om_ft', 'c11');
analyze om.om_ft;
alter table om_names add column o int options (p1 'v1');
create table om_opt (a int options (p1 'v1'));
set client_min_messages = warning;
drop schema om cascade;
drop foreign data wrapper om_fdw cascade;
reset client_min_messages;
-- What operator classes lack; a vector has one dimension even when it is empty.
create operator class om_bt for type int4 using btree as operator 1 <, function 1 btint4cmp(int4, int4);
create operator class om_ha for type int4 using hash as operator 1 =;
create operator class om_gi for type box using gist as operator 3 &&, function 1 gist_box_consistent(internal, box, smallint, oid, internal);
create operator class om_sp for type text using spgist as operator 3 =;
create operator class om_gn for type int4[] using gin as operator 1 &&(anyarray, anyarray);
create operator class om_br for type int4 using brin as operator 1 <;
select opcname, amvalidate(oid) from pg_opclass where opcname like 'om\_%' and opcname <> 'om_box' order by 1;
create operator class om_bt2 for type int2 using btree family om_bt as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint2cmp(int2, int2), operator 1 <(int2, int4);
select amvalidate(oid) from pg_opclass where opcname = 'om_bt2';
select count(*) from pg_opclass where oid < 10000 and not amvalidate(oid);
select amvalidate(1);
drop operator family om_bt using btree cascade;
drop operator family om_ha using hash cascade;
drop operator family om_gi using gist cascade;
drop operator family om_sp using spgist cascade;
drop operator family om_gn using gin cascade;
drop operator family om_br using brin cascade;
select array_dims(proargtypes), array_ndims(proargtypes), array_upper(proargtypes, 1), array_length(proargtypes, 1), proargtypes::oid[] || 5::oid, proargtypes = '' from pg_proc where proname = 'now';
-- The server's log has no file; rotating it is in vain.
select pg_rotate_logfile(), pg_rotate_logfile_old(), pg_current_logfile(), pg_current_logfile('csvlog');
select pg_current_logfile('x');
select pg_log_backend_memory_contexts(pg_backend_pid()), pg_log_backend_memory_contexts(1);
