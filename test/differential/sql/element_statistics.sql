-- ANALYZE knew nothing of the elements of arrays and tsvectors: pg_stats had no most_common_elems, every @> found 0.5 % of the rows,
-- and scans of inverted indexes were never put together with others.
create function rows_of(query text) returns text language plpgsql as $$ declare line text; begin
  execute 'explain ' || query into line; return substring(line from 'rows=(\d+)'); end $$;
create table bag (id int, a int[], t text[], v tsvector, d numeric[]);
insert into bag select i, case when i % 10 = 0 then null when i % 7 = 0 then array[null::int] else (select array_agg((i * j) % (j + 20)) from generate_series(1, i % 9) j) end,
  array['x' || i % 13, 'Y' || i % 3, 'x' || i % 13],
  case when i % 3 <> 0 then to_tsvector('simple', (select string_agg('l' || (i * j) % (j + 200), ' ') from generate_series(1, i % 9) j)) end,
  array[i % 5, null, 2.50] from generate_series(1, 3000) i;
select rows_of('select from bag where a @> ''{1,2}'''), rows_of('select from bag where v @@ ''l1 & l2''');
analyze bag;
select attname, null_frac, n_distinct, most_common_elems, most_common_elem_freqs, elem_count_histogram from pg_stats where tablename = 'bag' order by 1;
select c, rows_of('select from bag where ' || c) from unnest(array[
  'a @> ''{3}''', 'a @> ''{3,4}''', 'a @> ''{}''', 'a @> ''{1,null}''', 'a @> ''{77}''', 'a <@ ''{1,2,3,4,5,6,7,8,99}''', 'a && ''{1,2,null}''', '''{3}'' <@ a', '5 = any (a)', '5 <> all (a)',
  '5 <> any (a)', '5 = all (a)', 't @> ''{x1}''', 't @> ''{x1,Y1}''', '''x1'' = any (t)', 'd @> ''{2.5}''', 'd @> ''{2.50,3}''', 'a = ''{1}''',
  'v @@ ''l5''', 'v @@ ''l5 & l6''', 'v @@ ''l5 | !l6''', 'v @@ ''l1:*''', 'v @@ ''zz:*''', 'v @@ ''nothing''', 'v @@ ''l1 <-> l2''', '''l5''::tsquery @@ v']) c;
create index bag_a on bag using gin (a);
create index bag_v on bag using gin (v);
explain (costs off) select id from bag where a @> '{3,4}';
explain (costs off) select id from bag where a @> '{}';
explain (costs off) select id from bag where v @@ '!l5';
explain (costs off) select id from bag where v @@ 'l5' and a @> '{11}';
select count(*) from bag where v @@ 'l5' and a @> '{11}';
select count(*) from bag where '{3,4}' <@ a;
drop table bag;
drop function rows_of;
