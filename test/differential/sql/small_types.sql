-- Places of a log are unsigned; a name has bytes; what a parsed identifier is long; types' modifiers are integers.
create table journal_places (place pg_lsn);
insert into journal_places values ('FFFFFFFF/FFFFFFFE'), ('0/0'), ('7FFFFFFF/1'), ('80000000/1');
select place from journal_places order by place desc;
select min(place), max(place), max(place) - min(place) from journal_places;
select place + 1::numeric, place > '10/0', place = '80000000/1', pg_lsn_cmp(place, '7FFFFFFF/FFFFFFFF') from journal_places order by place;
select 'FFFFFFFF/FFFFFFFF'::pg_lsn + 1::numeric;
select ''::money, '$'::money, ' '::money;
select '1,5'::money, '4 4'::money;
select ('horse'::name)[0], ('horse'::name)[4], ('horse'::name)[5] = ''::"char", ('horse'::name)[64], ('horse'::name)[-1];
select ('horse'::name)[0:1];
select parse_ident(repeat('long', 20) || '."' || repeat('x', 70) || '"');
create table wrong_modifiers (a bit('four'));
create table wrong_modifiers (a varchar('four'));
create table wrong_modifiers (a numeric('four'));
select hash_aclitem('postgres=r/postgres'), hash_aclitem_extended('postgres=rw*/postgres', 0), hash_aclitem_extended('postgres=r/postgres', 42);
select 'stable.horse'::regtype;
select to_regtype('stable.horse');
set timezone = '+01:02:03';
set timezone = '500';
reset timezone;
select pg_size_bytes('3 B');
select pg_size_bytes('1e200000');
select pg_size_bytes('2.5 GB'), pg_size_bytes('-1.5kB');
select collation for (7);
select collation for ('x'), collation for ('x' collate "C");
select box '(1,1),(0,0)' from (values (1)) v(a) group by point(a, a);
select distinct on (point(a, 1)) a from (values (1)) v(a);
select ''::tsquery, ' '::tsquery;
set default_text_search_config = 'no_such_configuration';
set default_text_search_config = 'simple';
show default_text_search_config;
reset default_text_search_config;
select pg_settings_get_flags('role'), pg_settings_get_flags('work_mem'), pg_settings_get_flags('no_such_setting');
select name from pg_settings where name in ('role', 'seed', 'is_superuser', 'session_authorization', 'work_mem') order by 1;
select setseed(0.25) is null, pg_stat_clear_snapshot() is null;
select '2020-01-01'::timestamptz(9);
-- Places of the upper half came first in an index.
create table places (a pg_lsn primary key);
insert into places values ('0/1'), ('7FFFFFFF/FFFFFFFF'), ('80000000/0'), ('FFFFFFFF/FFFFFFFF'), ('0/0'), ('9/9');
set enable_seqscan = off;
set enable_sort = off;
select a from places order by a;
select a from places where a >= '80000000/0' order by a desc;
select count(*) from places where a < '80000000/0';
reset enable_seqscan;
reset enable_sort;
drop table places;

-- Found by random calls of every function. The last digit of mathematics is the C library's (V8's functions round otherwise).
select cbrt(30), cbrt(1.5), cbrt(3.14159), cbrt(1.7e308), ||/ 3.14159::float8, cos(90), atan2(30, -0.25), atan2d(1, 3.14159), atan2d(30, -0.25);
select exp(x), ln(x), log(x), power(x, 1.7), sin(x), tan(x), sinh(x / 10), tanh(x), asinh(x), acosh(x + 1), atan(x) from (values (0.1::float8), (1.37), (7.77), (33.3)) v(x);
select polygon(6, '<(1,1),2>'::circle), polygon('<(0,0),1>'::circle);
-- Numbers in JSON are written as the type writes them (whole floats were written as integers).
select to_json(1e15::float8), to_json(1e6::float4), to_json(123456789::float4), to_json(-0.0::float8), json_agg(x) from (values (1e10::float4)) v(x);
-- Of members of one name the last counts that has the rest of the path.
select '{"a":{"b":"c"},"a":2}'::json #> '{a,b}', '{"a":{"b":1},"a":{"b":2}}'::json #>> '{a,b}', '{"a":1,"a":2}'::json -> 'a';
-- A silent error leaves what was found before it.
select jsonb_path_query_array('[1, "x", 3]', '$.ceiling()', '{}', true), jsonb_path_query_first('[1, "x"]', '$[*].double()', '{}', true);
select * from jsonb_path_query('[1, 2, "x", 4]', '$[*].floor()', '{}', true);
select jsonb_path_match('[true, 1]', '$[0]', '{}', true), jsonb_path_match('[true, 1]', '$[*]', '{}', true);
-- Names with blanks in them are no names; those of types, configurations and dictionaries are told folded.
select 'hello world'::regclass;
select 'a world b'::regclass;
select 'NoSuch'::regtype;
select 'noSuch.Type[]'::regtype;
select '"noSuch"'::regtype;
select 'NoSuch'::regconfig;
select 'Pg_Catalog.NoSuch'::regdictionary;
-- The first argument must be a row, also when there is nothing to be done; what is not known then is another error.
select json_populate_record(1, null);
select jsonb_populate_recordset('a'::text, '[]');
select json_populate_record(null::json, '{}');
select json_to_record('{"a":1}');
select json_populate_record(null::record, '{"a":1}');
-- Widths in format() are integers.
select format('%*s|%-*s|', 5, 'a', -5, 'b'), format('%*s', null, 'a'), format('%1$*2$s', 'a', '7');
select format('%*s', 'x', 'a');
select to_ascii('äöü', 'latin1'), to_ascii('Äß', 'LATIN2'), to_ascii('ñé€', 'latin9'), to_ascii('ñé€', 'win1250'), to_ascii('é', 8), to_ascii('plain', 'latin1');
select to_ascii('x');
select to_ascii('x', 'nosuch');
select to_ascii('x', 999);
select '1/0'::pg_lsn - 1.5::numeric, '1/0'::pg_lsn - 0.5, '1/0'::pg_lsn + 0.5;
select ts_rank('a b c'::tsvector, 'a'::tsquery, 32767), ts_rank('a:1,5 b:2A c:3'::tsvector, 'a & b'::tsquery, 32);
select make_time(1, -5, -0.0);
select interval_avg('{1 day}'), 1;
select int2int4_sum('{1,2,3}');
select "bit"('1'::bit, 2147483647, true), postgresql_fdw_validator('{NULL,a}', 23);
-- A text that comes again is analyzed again when that told something.
select ''::tsquery;
select ''::tsquery;
-- In an empty array nothing is looked for.
select array_position('{}'::int[], -7, null), array_position('{}'::int[], null, null);
select array_position('{1}'::int[], 1, null);
-- An array that was relabelled may be no vector.
select array[]::oidvector;
select array_dims(array[]::oidvector), array[1,2]::oidvector;
select array[[1,2]]::int2vector;
select array[null]::int2vector;
select array[]::oidvector = ''::oidvector;
select ''::oidvector, ''::int2vector, oidvectortypes(array[]::oidvector);
-- xid8 beyond the greatest int8 came back from a table as a negative number.
create table xid8s (x xid8 primary key);
insert into xid8s values ('3'), ('18446744073709551615'), ('9223372036854775808'), ('0');
select x, x > '9223372036854775807' as upper from xid8s order by x;
select min(x), max(x), count(*) filter (where x >= '9223372036854775808') from xid8s;
select x from xid8s where x > '7' order by x desc;
drop table xid8s;
-- A NaN with a sign was hashed to something else.
select hashfloat4('-nan') = hashfloat4('nan'), hashfloat8extended('-nan', 7) = hashfloat8extended('nan', 7);
-- A type modifier that is none; a dash is the name of an operator.
select bittypmodin('{}');
select varchartypmodin('{}');
select numerictypmodin('{{1},{2}}');
select timestamptypmodin('{null}');
select '-'::regoper;
select '-'::regoperator;
select '-'::regproc, '0'::regoper;
-- sscanf takes signs and 0x.
select '0x8:+0:2b:1:2:3'::macaddr;
select '-8:00:2b:01:02:03'::macaddr;
-- A point is not in a box of which a corner is not known; elements without an equality.
select point '(3,4)' <-> box '(0,0,nan,nan)', point '(3,4)' <@ box '(0,0,nan,nan)', lseg '(1,2),(3,4)' <@ box '(0,0,nan,nan)';
select array[point '1,2'] = array[point '1,2'];
select hash_array(array[box '1,2,3,4']);
-- Functions that are written in SQL in PostgreSQL are seen through in plans, and show in the context of errors.
create table seen_through (a int, b text, d date, n numeric);
explain (costs off, verbose) select a || b, b || a, lpad(b, 3), round(n), trunc(n), date_part('year', d), 3 + d, interval '1 day' + d, bit_length(b), quote_literal(a), log(n) from seen_through;
explain (costs off) select * from seen_through where a || 'x' = b and 'x' || a < b;
explain (costs off) select distinct s.a || t.b from seen_through s, seen_through t;
explain (costs off) select s.a + t.a from seen_through s join seen_through t using (a) group by s.a + t.a, t.b;
select lpad('x', 2147483647);
select log(0.0);
select substring('abc' similar 'a' escape '##');
select 5 + date '5874897-12-31';
drop table seen_through;
-- A group that matched nothing is there all the same; no unit of intervals.
select regexp_matches('foobarbequebaz', '(bar)(.*)?(beque)'), regexp_matches('ab', '(x*)?b'), regexp_matches('ab', '(x+)?b');
select interval '1 yr 2 mm';
select interval '1 on';
select pg_size_pretty(1.50), pg_size_pretty(-1500.5), pg_size_pretty(10239.99), pg_size_pretty(10240.5), pg_size_pretty('nan'::numeric), pg_size_pretty('-inf'::numeric);
create type twice as enum ('a', 'b', 'a');
-- Times of commits are not kept.
select pg_xact_commit_timestamp('5'::xid);
select pg_last_committed_xact();
-- The bits of one number as another, by way of a type of one's own that is read from a table, too.
create type bits4;
create function bits4in(cstring) returns bits4 immutable strict language internal as 'int4in';
create function bits4out(bits4) returns cstring immutable strict language internal as 'int4out';
create type bits4 (input = bits4in, output = bits4out, like = float4);
create cast (bits4 as float4) without function;
create table bits4s (x bits4);
insert into bits4s values ('1065353216'), ('1073741824');
select x, x::float4 from bits4s;
drop type bits4 cascade;
drop table bits4s;
-- How wide a column may be is told by its type's modifier.
create table widths (a char(5), b varchar(50), c numeric(10,2), d bit(8), e varbit(900), f char(300));
explain select * from widths;
drop table widths;
-- The end of time has an age, and differences of timestamps go round; infinity before all time has none.
select age('infinity'::timestamp, '2001-02-16'), age('2024-02-29'::timestamp, 'infinity'), age('infinity'::timestamptz, 'infinity'), timestamp '294276-12-31' - timestamp '4713-01-01 BC';
select age('-infinity'::timestamp, '2001-02-16'); select age(now(), '-infinity');
-- The sum is rounded, not what is added.
select -2.5 + '16/B374D848'::pg_lsn, '16/B374D848'::pg_lsn + -0.4, '16/B374D848'::pg_lsn - 2.5;
select '-92233720368547758.08'::money / -1; select '-92233720368547758.08'::money / 1::int2;
select btint2cmp(3::int2, 1::int2), numeric_cmp(1, 'NaN'), numeric_cmp('-inf', 'inf'), multirange_cmp('{}', '{[1,5)}'::int4multirange);
select oidvectortypes('23 0 1 25'), pg_filenode_relation(0, 0), pg_indexam_progress_phasename(403, 2), pg_indexam_progress_phasename(405, 2), btequalimage(25), spg_poly_quad_compress('((0,0),(1,2))');
select pg_visible_in_snapshot('18446744073709551615', '10:20:');
-- Which of several faults is told.
select pg_describe_object(1, 2, 3); select pg_describe_object(1, 2, 0); select pg_identify_object(1259, 1, 2); select pg_sequence_parameters(1);
select has_parameter_privilege('nobody_there', 'work_mem', 'x'); select has_sequence_privilege('nothing_there', 'x'); select has_table_privilege('nothing_there', 'x');
-- The bytes of values, as PostgreSQL stores them: of columns, of expressions, and as ANALYZE takes their width.
create table st_bytes (a numeric, b numeric, c int[], d text[], e jsonb, f json, g varbit, h inet, i interval, j uuid, k bytea, m path, n tsvector, o int4range, p char(5), q numeric[], r xml, s box, u name, x tsquery, y oidvector, z bit(3), aa cidr, bb polygon, dd int4multirange, ee nummultirange, ff daterange);
insert into st_bytes select i, i * 1234567.891, array[i, i], array['a', 'bcd'], '{"a":1,"b":[1,2]}', '{"a":1}', b'1010', '10.0.0.1', '1 day', '00000000-0000-0000-0000-000000000000', 'abcd',
  '((1,1),(2,2))', 'a b:1', '[1,5)', 'ab', array[1.5, i], '<a/>', '((1,1),(2,2))', 'nm', 'a & b', '1 2', b'101', '10.0.0.0/8', '((1,1),(2,2))', '{[1,5),[7,9)}', '{[1,5.5),[7,)}', '[2020-01-01,)' from generate_series(1, 20) i;
analyze st_bytes;
select attname, avg_width from pg_stats where tablename = 'st_bytes' order by attname;
select pg_column_size(a), pg_column_size(b), pg_column_size(c), pg_column_size(d), pg_column_size(e), pg_column_size(f), pg_column_size(g), pg_column_size(h), pg_column_size(i), pg_column_size(n), pg_column_size(st_bytes) from st_bytes limit 1;
select pg_column_size(1::numeric), pg_column_size(123456.78), pg_column_size('NaN'::numeric), pg_column_size(1e100::numeric), pg_column_size(0.00::numeric), pg_column_size(10000::numeric), pg_column_size(1.00001::numeric);
select pg_column_size(array[1, 2]), pg_column_size(array['a']), pg_column_size('{}'::int[]), pg_column_size(array[null, 1]), pg_column_size(array[[1.5, 2], [3, 4]]), pg_column_size(row(1, 'a')), pg_column_size(row(1, null, 2::int8)), pg_column_size('empty'::numrange);
select pg_column_size('{"a":1}'::jsonb), pg_column_size('[]'::jsonb), pg_column_size('1'::jsonb), pg_column_size('[1,"a",{"b":[true,null]}]'::jsonb), pg_column_size('a b'::tsvector), pg_column_size('a:1,2 b'::tsvector), pg_column_size('!a <-> b'::tsquery), pg_column_size('::1'::inet), pg_column_size(b''::varbit), pg_column_size('10:20:12'::pg_snapshot);
drop table st_bytes;
-- The difference of IPv6 addresses goes round: it was out of range.
select '::'::inet - 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'::inet - '::', '::1'::inet - '::', '::'::inet - '::1', '0.0.0.0'::inet - '255.255.255.255';
select '::'::inet - '7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
select '::'::inet - '::1:0:0:0:0';
