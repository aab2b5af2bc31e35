create database icu_1 locale_provider icu;
create database icu_1 locale_provider icu template template0;
create database icu_1 locale_provider icu icu_locale 'de';
create database icu_1 locale_provider icu icu_locale '@colStrength=bogus' template template0;
create database icu_1 locale_provider nope;
create database icu_1 icu_locale 'de';
create database icu_1 icu_locale 'de' locale_provider libc template template0;
create database icu_1 locale_provider icu icu_locale 'de' template template0;
create database icu_2 template icu_1;
create database icu_2 template icu_1 icu_locale 'en' locale_provider icu;
create database icu_2 template icu_1 locale_provider libc;
create database icu_3 template template0 collation_version 'x';
create database icu_3b template icu_3;
select datname, datlocprovider, daticulocale, datcollate, datcollversion='x' from pg_database where datname ~ '^icu_' order by 1;
create database icu_4 locale_provider icu icu_locale 'de' locale 'C' template template0;
create database icu_4b locale_provider icu icu_locale 'de' collation_version 'x' template template0;
create database icu_5 template icu_4b;
create database icu_5 template icu_4;
alter database icu_4 refresh collation version;
alter database icu_3 refresh collation version;
select datname, datcollate, datctype from pg_database where datname ~ '^icu_4';
\c icu_1 postgres
select pg_collation_actual_version(100);
select 'a' < 'B', 'a' = 'A', 'ä' < 'b';
create table t(x text primary key, y "char", n name);
\d t
insert into t values ('a'),('B'),('c'),('ä'),('ß'),('ss');
insert into t values ('a');
select x from t order by x;
select x from t where x like 'a%';
select x from t where x > 'a' order by x;
select max(x), min(x) from t;
set enable_seqscan=off;
select x from t where x > 'a' order by x;
select max(x), min(x) from t;
select x from t where x like 'a%';
select relname from pg_class where relname in ('pg_class','PG_CLASS','pg_proc') order by relname;
select relname from pg_class where relname > 'pg_class' and relname < 'pg_d' and relnamespace=11 order by 1;
reset all;
select upper('ß'), lower('İ'), initcap('ab-cd ef'), upper('ß' collate "C");
select x from t where x between 'a' and 'b' order by 1;
select distinct upper(x) from t order by 1;
select array_agg(x order by x) from t;
select array['a','B'] < array['a','c'];
select row('a','b') < row('B','a');
prepare p(text) as select x from t where x > $1 order by x;
execute p('b');
execute p('B');
create index on t (upper(x));
select upper(x) from t order by upper(x);
create table r (x text) partition by range (x);
create table r1 partition of r for values from ('a') to ('M');
create table r2 partition of r for values from ('M') to ('z');
insert into r values ('B'),('l'),('N');
select tableoid::regclass, x from r order by x;
analyze t;
select x from t where x < 'C' order by x;
select * from (values ('b'),('A'),('a'),('B')) v(x) order by 1;
select * from (values ('b'),('A'),('a'),('B')) v(x) order by 1 collate "C";
do $$ begin if 'a' < 'B' then raise notice 'less'; end if; end $$;
create function f(text) returns text language sql as 'select max(x) from t where x < $1';
select f('b');
select 'a'::varchar < 'B', 'a'::bpchar < 'B', 'a'::name < 'B';
select * from t where x ~ '^[A-Z]';
select x ilike 'SS' from t order by x;
select '"b"'::jsonb < '"A"'::jsonb;
\l icu_1
update pg_database set datcollversion = 'old' where datname = 'icu_1';
\c postgres
create database icu_5 template icu_1;
\c icu_1
select 'a' < 'B';
alter database icu_1 refresh collation version;
\c icu_2
select 'a' < 'B';
\c icu_3
select 'a' < 'B';
-- A collation of another version is told of when it is first used.
create collation late (provider = icu, locale = 'de');
update pg_collation set collversion = 'old' where collname = 'late';
\c icu_3
select 1;
select 'a' < 'B' collate late;
select 'a' < 'C' collate late;
create table t (x text collate late);
alter collation late refresh version;
\c
select 'a' < 'B' collate late;
