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

-- nor of the bounds and lengths of ranges
create type fr as range (subtype=float8, subtype_diff=float8mi); create type txr as range (subtype=text, collation="C");
create table rg(r int4range, n numrange, d daterange, ts tstzrange, f fr, t txr, few int4range);
insert into rg select case when i%20=0 then null when i%11=0 then 'empty' when i%13=0 then int4range(null,i) when i%17=0 then int4range(i,null) else int4range(i*i%997, i*i%997 + i%50 + 1) end, numrange(i/7.0, i/7.0+i%9,'[]'), daterange('2020-01-01'::date+i%365, '2020-01-01'::date+i%365+i%30+1), tstzrange('2020-01-01'::timestamptz + i*interval '1 hour', '2020-01-01'::timestamptz+i*interval '1 hour'+ (i%5)*interval '1 day'), fr(i%100, i%100+ (i%3)/2.0), txr('a'||i%50, 'b'||i%9), case when i < 3 then int4range(i,i+5) end from generate_series(1,4000) i;
analyze rg;
select attname, null_frac, avg_width, n_distinct, most_common_vals is null, histogram_bounds is null, correlation from pg_stats where tablename='rg' order by 1;
select c, rows_of('select from rg where '||c) from unnest(array['r && ''[5,100)''','r @> 5','r @> 500','r @> 100000','r @> ''[5,9)''','r @> ''[500,503)''','r <@ ''[5,100)''','r <@ ''[200,700)''','r <@ ''(,700)''','r <@ ''[300,)''','r <@ ''(,)''','r < ''[5,100)''','r < ''[500,510)''','r <= ''[500,510)''','r > ''[500,510)''','r >= ''[500,510)''','r << ''[500,510)''','r >> ''[500,510)''','r &< ''[500,510)''','r &> ''[500,510)''','''[500,510)'' >> r','''[500,510)'' &< r','r -|- ''[1,2)''','500 <@ r','''[500,510)''::int4range <@ r','''[500,510)''::int4range @> r','r @> ''empty''','r <@ ''empty''','r && ''empty''','r < ''empty''','r <= ''empty''','r > ''empty''','r >= ''empty''','r << ''empty''','r = ''[5,9)''','r <> ''[5,9)''','not r && ''[5,100)''','r is null', 'isempty(r)','r && null',
'n && ''[100,200]''','n @> 100.5','n @> ''[100,105]''','n <@ ''[100,200]''','n << ''[100,105]''','n &> ''(300,)''','d @> ''2020-06-01''::date','d && ''[2020-03-01,2020-04-01)''','d <@ ''[2020-03-01,2020-06-01)''','d @> ''[2020-03-01,2020-03-20)''','ts && ''[2020-03-01,2020-04-01)''','ts @> ''2020-02-01''::timestamptz','ts <@ ''[2020-02-01,2020-06-01)''','f && ''[10,20]''','f @> ''[10,10.5]''','f <@ ''[10,30]''','f @> 33::float8','t && ''[a1,a2)''','t @> ''a5''::text','t <@ ''[a1,b5)''','t @> ''[a1,b5)''','few && ''[1,3)''','few @> 3','few <@ ''[0,10)''']) c;
select staattnum, stakind1, stakind2, stakind3, staop1, staop2, stanumbers2, stavalues1::text, stavalues2::text from pg_statistic where starelid = 'rg'::regclass order by 1;
drop table rg;
drop type fr;
drop type txr;

-- operators that are tried on common values: @> and ? of jsonb; and those that nothing is asked about
create table ms(j jsonb, j2 jsonb, p point, b box); insert into ms select jsonb_build_object('a',i%10,'k'||i%7,i%3), case when i%9=0 then null else jsonb_build_object('u',i) end, point(i,i), box(point(i,i),point(i+1,i+1)) from generate_series(1,5000) i;
analyze ms;
select c, rows_of('select from ms where '||c) from unnest(array['j @> ''{"a":1}''','j ? ''k1''','j ?| ''{k1,k2}''','j ?& ''{k1,k2}''','j <@ ''{}''','j @? ''$.k1''','j @@ ''$.a == 1''','''{"a":1}'' <@ j','j2 @> ''{"u":5}''','j2 ? ''u''','j2 ? ''x''','j2 @@ ''$.u > 2500''','p <@ ''(1,1),(2,2)''::box','p << ''(1,1)''','b && ''(1,1),(2,2)''::box','b @> ''(1,1),(2,2)''::box','b << ''(1,1),(2,2)''::box','p ~= ''(1,1)''','p |>> ''(1,1)''']) c;
drop table ms;
drop function rows_of;
