-- A rule's SELECT in place of a change: its rows were lost beside WITH that changes data, and its tag was SELECT's.
create table rw_other (i int);
insert into rw_other values (1), (2);
create table rw_target as select generate_series(11, 13) as a;
create rule rw_instead as on insert to rw_target do instead select i from rw_other;
insert into rw_target values (1), (2);
with t as (select * from generate_series(1, 3) x) insert into rw_target select * from t;
with t as (delete from rw_target where a < 13 returning *) insert into rw_target select * from t;
select * from rw_target;
-- WITH queries that an action takes over from the query were rewritten once for each level.
create table rw_id1 (i int generated always as identity);
create table rw_id2 (i int generated always as identity);
create view rw_id2_view as select * from rw_id2;
create table rw_id3 (i int generated always as identity);
create rule rw_id3_ins as on insert to rw_id3 do instead with t as (insert into rw_id1 default values returning i) insert into rw_id2_view default values returning i;
create view rw_id3_view as select * from rw_id3;
create table rw_id4 (i int generated always as identity);
with t as (insert into rw_id4 default values returning i) insert into rw_id3_view default values returning i;
select (select count(*) from rw_id1), (select count(*) from rw_id2), (select count(*) from rw_id3), (select count(*) from rw_id4);
