-- Columns of the system in hints, defaults of partitions' generated columns, canonical functions of ranges.
CREATE TABLE sc (a int, b int);
MERGE INTO sc USING (VALUES (1)) v (k) ON a = k WHEN NOT MATCHED AND tableoid > 0 THEN INSERT VALUES (k, 1);
MERGE INTO sc USING (VALUES (1)) v (k) ON a = k WHEN NOT MATCHED THEN INSERT VALUES (k, ctid::text::int);
SELECT * FROM sc, LATERAL (SELECT 1) x WHERE EXISTS (SELECT 1 FROM (VALUES (2)) y) AND cmax = 1 AND z;
CREATE TABLE sp (k int, v int, twice int GENERATED ALWAYS AS (v * 2) STORED) PARTITION BY LIST (k);
CREATE TABLE sp_one PARTITION OF sp (twice DEFAULT 11) FOR VALUES IN (1);
CREATE TABLE sp_two PARTITION OF sp (twice GENERATED ALWAYS AS (v * 3) STORED) FOR VALUES IN (2);
INSERT INTO sp (k, v) VALUES (1, 4) RETURNING *;
INSERT INTO sp_one (k, v, twice) VALUES (1, 5, 6);
SELECT a.attname, a.attgenerated, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'sp_one'::regclass;
CREATE TYPE whole_range AS RANGE (SUBTYPE = int8, CANONICAL = whole_canonical);
CREATE TYPE whole_range;
CREATE TYPE whole_range AS RANGE (SUBTYPE = int8, CANONICAL = whole_canonical);
CREATE FUNCTION whole_canonical(whole_range) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'int8range_canonical';
CREATE TYPE whole_range AS RANGE (SUBTYPE = int8, CANONICAL = whole_canonical);
DROP FUNCTION whole_canonical;
CREATE FUNCTION whole_canonical(whole_range) RETURNS whole_range LANGUAGE internal STRICT AS 'int8range_canonical';
CREATE TYPE whole_range AS RANGE (SUBTYPE = int8, CANONICAL = whole_canonical);
ALTER FUNCTION whole_canonical IMMUTABLE;
CREATE TYPE whole_range AS RANGE (SUBTYPE = int8, CANONICAL = whole_canonical);
SELECT '[3,7]'::whole_range, whole_range(3, 7, '(]'), '(3,4)'::whole_range, '[3,7]'::whole_range = '[3,8)', '{[1,2],[3,4]}'::whole_multirange;
SELECT rngcanonical::regprocedure FROM pg_range WHERE rngtypid = 'whole_range'::regtype;
DROP FUNCTION whole_canonical;
DROP TYPE whole_range CASCADE;
DROP TABLE sc, sp;
-- A sign too many: SET TIME ZONE INTERVAL went to the other side of Greenwich.
set time zone interval '-08:15' hour to minute;
show timezone;
select '2000-01-01 00:00+00'::timestamptz;
set time zone interval '+02:00';
show timezone;
set time zone interval '1 month';
set time zone interval '1 day';
reset timezone;
-- A text that a double cannot hold halfway between two reals; no digits at all.
select '3.4028235677973366e38'::float4, '16777217'::float4, '16777217.0000000001'::float4, '16777218.99999999999'::float4, '1.00000005960464477539062400000001'::float4;
select '3.4028235677973367e38'::float4;
set extra_float_digits = -15;
select 1.5::float8, 0.123456::float4, 123::float8;
reset extra_float_digits;
-- NULL in an array of a domain that has none.
create domain never_null as text not null;
select '{a,NULL}'::never_null[];
select '{a,b}'::never_null[];
drop domain never_null;
-- The place of a mistake in a query given as text.
select ts_rewrite('a', 'bad sql');
select query_to_xml('select nope', true, true, '');
select * from ts_stat('sel');
-- Indexes over bit strings, tsvector and tsquery.
create table ordered_bits (b bit(5) unique, v varbit primary key, t tsvector unique, q tsquery unique);
insert into ordered_bits values (b'10101', b'1', 'a:1 b', 'a&b'), (b'00001', b'', '', 'a'), (b'11111', b'10', 'a', '!a'), (b'01111', b'01111111111', 'a:1A', 'a<->b'), (b'00000', b'0', 'b:1,2', 'a<2>b'),
  (null, b'000', 'c', 'a|b'), (null, b'11', 'z:5', '(a&b)|c'), (null, b'100000001', 'ä:3', ''), (null, b'0100', 'a:1,2', 'a<3>b');
insert into ordered_bits values (b'10101', b'1111', 'k', 'k');
insert into ordered_bits values (null, b'1', 'k', 'k');
insert into ordered_bits values (null, b'1111111', 'a:1 b', 'k');
insert into ordered_bits values (null, b'1111111', 'k', 'a & b');
set enable_seqscan = off;
set enable_bitmapscan = off;
set enable_sort = off;
select b from ordered_bits order by b;
select v from ordered_bits order by v desc;
select t from ordered_bits order by t;
select q from ordered_bits order by q;
select v from ordered_bits where v > b'10';
select t from ordered_bits where t >= 'a:1' order by t;
select q from ordered_bits where q < 'a<->b' order by q;
select b, v from ordered_bits where b between b'00001' and b'10101' order by b;
reset enable_seqscan;
reset enable_bitmapscan;
reset enable_sort;
drop table ordered_bits;
select 'w:13*'::tsvector, 'w:1d*,2'::tsvector, 'asd:1dc'::tsvector;
select 'w:1*B'::tsvector;
-- What stands in a script is no text.
select * from ts_parse('default', 'a <script>x + y-z</script> b <STYLE type="c">p < q { r: s }</style> <scripts>d</scripts>');
select jsonb_path_query('"nan"', '$.double()');
-- Names of collations were always quoted and never qualified.
create collation sc_plain from "C";
create schema sc_other;
create collation sc_other."Odd name" from "C";
select collation for ('a' collate sc_plain), collation for ('a' collate sc_other."Odd name"), collation for ('a' collate "C"), collation for ('a');
drop schema sc_other cascade;
drop collation sc_plain;
-- Flags that are no numbers where the affix file wants numbers.
create text search dictionary sc_bad (template = ispell, dictfile = ispell_sample, afffile = hunspell_sample_num);
create text search dictionary sc_good (template = ispell, dictfile = hunspell_sample_num, afffile = hunspell_sample_num);
select ts_lexize('sc_good', w) from unnest('{skies,footballyklubber,unbookings,rebook,ballyklubber}'::text[]) w;
drop text search dictionary sc_good;

-- Arguments of a prepared statement that has no parameters were refused: nobody looks at them.
prepare without_parameters as select 1 as one;
execute without_parameters(1, 'x', no_such_column);
explain (costs off) execute without_parameters(5);
deallocate without_parameters;

-- NULL equals nothing: the other argument of NULLIF was computed.
select nullif(null::int, x / 0) from (values (1), (2)) v(x);
select nullif(x, null::int), nullif(x, 1 / nullif(0, 0)) from (values (1), (2)) v(x);
-- What constants decide is decided first, though their values may be others next time.
select 5 between (a * 2147483647) and (0 + 1) from (values (1), (3)) v(a);
-- Letters of collations whose LC_CTYPE is C are those of ASCII, whatever the collation is called.
create collation plain_letters (locale = 'C'); create collation more_letters (lc_collate = 'C', lc_ctype = 'C.utf8');
select upper('éa' collate plain_letters), lower('ÉA' collate ucs_basic), initcap('éa b' collate plain_letters), upper('éa' collate more_letters), 'É' ilike 'é' collate plain_letters, 'É' ilike 'é' collate more_letters;
drop collation plain_letters; drop collation more_letters;
-- \D, \S and \W stand in brackets.
select 'é' ~ '^[^\W]$', regexp_replace('a1 b_', '[\W\d]', '-', 'g'), regexp_replace('a1 b_', '[^\S1]', '-', 'g'), regexp_replace('a1 b_é', '[^\W\d]', '-', 'g'), regexp_replace('a1 b', '[\Da]', '-', 'g'), 'a' ~ '[\W-a]';
select regexp_replace(E'a1\nb', '[\D]', '-', 'gn'), regexp_replace(E'a1\nb', '[^\d]', '-', 'gn'), regexp_replace(E'a1\nb', '[^\D]', '-', 'gn'), 'A' ~* '[^\Wb]', 'b' ~* '[^\WB]';
-- A level of jsonpath's ** is an integer; of a faulty \u what was read is shown.
select '$.**{2147483648}'::jsonpath; select '$.**{2147483647}'::jsonpath, '$.**{1 to last}'::jsonpath; select '"\u{}"'::jsonpath; select '"\u{1234567}"'::jsonpath; select '"\u12"'::jsonpath;
-- Literals are cast before there is a row: a sequence number was used up for one that is out of range.
create table numbered_small (a serial, b smallint);
insert into numbered_small (b) values (100000);
insert into numbered_small (b) values (7) returning *;
drop table numbered_small;
-- Of constraints that make the same index one is kept, whatever they are called: EXCLUDE was made twice, UNIQUE when both had names.
create table same_twice (a int, r int4range, exclude using gist (r with &&), exclude using gist (r with &&), constraint x unique (a), constraint y unique (a), constraint z primary key (a),
  constraint e exclude using gist (r with &&) where (a > 1), exclude using gist (r with &&) where (a > 1), constraint w unique (a) deferrable);
select conname, contype, condeferrable from pg_constraint where conrelid = 'same_twice'::regclass order by 1;
drop table same_twice;
-- What has no text does not ask for a configuration, a headline asks for it first.
select to_tsvector(100::regconfig, '{"a":1}'::json), to_tsvector(100::regconfig, '[1, null]'::jsonb);
select to_tsvector(100::regconfig, '{"a":"x"}'::json);
select to_tsvector(100::regconfig, '');
select ts_headline(100::regconfig, 'x', 'a'::tsquery, 'foo');
select ts_headline(100::regconfig, '{"a":1}'::jsonb, 'a'::tsquery, 'foo');
select ts_headline(100::regconfig, '{"a":1}'::json, 'a'::tsquery);
-- A rule may use NEW beside an assignment of several columns that it does not mention: any NEW was refused.
create table several (a int, b int, c int);
insert into several values (1, 2, 3);
create table several_log (n int);
create rule r as on update to several do also insert into several_log values (new.c);
update several set (a, b) = (select 5, 6) where c = 3;
update several set (a, c) = (select 5, 6) where c = 3;
select * from several, several_log;
drop rule r on several;
create rule r as on update to several do also insert into several_log select (new).a;
update several set (a, b) = (select 5, 6);
create rule r2 as on update to several where new.b > 100 do instead nothing;
drop rule r on several;
update several set (a, b) = (select 5, 6);
drop table several, several_log;
