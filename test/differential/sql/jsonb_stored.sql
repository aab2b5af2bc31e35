-- Members of a stored jsonb are found in its text (types/jsonb_text.ts): what looks like the end of a key or value must not be taken for it.
CREATE TABLE stored (id int, j jsonb);
INSERT INTO stored VALUES
  (1, '{"a": 1, "b": "text", "c": {"a": 2, "d": [1, {"a": 3}, "]"]}, "z": null}'),
  (2, '{"a\"b": "x\\", "a\\": "\"}, \"a\": 5", "a": "{\"a\": 9}", "": "empty"}'),
  (3, '{}'), (4, '[]'), (5, '"a"'), (6, '1'), (7, 'null'), (8, NULL), (9, '["a", {"a": 1}]'),
  (10, '{"ä": "ö", "\u0001": "\u0002\n", "a b": -1.50e2, "aa": true, "aaa": false, "a": [], "b": {}, "c": [[], {}, [{}]]}'),
  (11, '{"a": {"b": {"c": {"d": "deep, \"}\""}}}, "b": "[", "c": "}"}'),
  (12, '{"a": "", "b": ",", "c": ": ", "d": "\"", "e": "\\\\\"", "f": 0.10, "g": 123456789012345678901234567890.000}');
SELECT id, j->'a' AS a, j->>'a' AS at, j->>'b' AS b, j->>'c' AS c, j->'c' AS cj, j->>'z' AS z, j->'z' AS zj FROM stored ORDER BY id;
SELECT id, j->>'a"b', j->>'a\', j->>'', j->>'ä', j->>E'\x01', j->>'a b', j->>'aa', j->>'aaa' FROM stored ORDER BY id;
SELECT id, j->>'d', j->>'e', j->>'f', j->>'g', j->'a'->'b'->'c'->>'d', j->'c'->'d'->1->>'a' FROM stored ORDER BY id;
SELECT id, j#>'{a}', j#>>'{a,b,c}', j#>>'{c,d,1,a}', j#>>'{c,0}', j#>'{}', j#>>'{}', j#>'{a,NULL}', j#>>'{1,a}' FROM stored ORDER BY id;
SELECT id, j ? 'a', j ? '', j ? 'b', j ?| '{z,d}', j ?& '{a,b}' FROM stored ORDER BY id;
SELECT id, j @> '{}', j @> '{"a": 1}', j @> '{"a": 1.0, "b": "text"}', j @> '{"c": {"d": [1]}}', j @> '{"z": null}', j @> '[]', j @> '"a"', j @> '["a"]' FROM stored ORDER BY id;
SELECT id, j @> '{"a": []}', j @> '{"a": {}}', j @> '{"b": {}, "c": [[]]}', j <@ '{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}' FROM stored ORDER BY id;
SELECT (j->>'a')::int + 1, (j->'a')::int, jsonb_typeof(j->'c'), j->'c' = '{"d": [1, {"a": 3}, "]"], "a": 2}'::jsonb FROM stored WHERE id = 1;
SELECT j->>'a', j->'c', j FROM stored WHERE j->>'b' = 'text' AND j->'c'->>'a' = '2' AND j->'a' = '1';
-- asked more often than it is looked through before it becomes a tree
SELECT id, j->>'a', j->>'b', j->>'c', j->>'d', j->>'e', j->>'f', j->>'g', j->>'z', j->>'aa', j->>'aaa', j->>'none', j->'a', j->'b', j->'c', j->>'a', j->'none' FROM stored ORDER BY id;
DO $$
DECLARE v jsonb; s text := '';
BEGIN
  SELECT j INTO v FROM stored WHERE id = 12;
  FOR i IN 1..12 LOOP s := s || (v->>'e') || coalesce(v->>'none', '-') || (v->'f') || (v @> '{"a": ""}'); END LOOP;
  RAISE NOTICE '%', s;
END $$;
SELECT DISTINCT j->'a' FROM stored ORDER BY 1;
SELECT j->'a', count(*) FROM stored GROUP BY 1 ORDER BY 1;
SELECT j || '{"n": 1}' FROM stored WHERE id = 11;
SELECT j->'c' || '[1]' FROM stored WHERE id IN (10, 11);
CREATE INDEX ON stored ((j->>'a'));
SET enable_seqscan = off;
SELECT id FROM stored WHERE j->>'a' = '{"a": 9}';
DROP TABLE stored;
-- What is stored is read back without the parser, members of two objects are merged in order, and few elements are looked for one by one.
create table jst (i int, j jsonb);
insert into jst values (1, '{}'), (2, '[]'), (3, '""'), (4, '{"": {"": []}, "a b": [{}, [[]], "x,y", "]}", "q\"t", "b\\", "\\\"", "é€😀", "\u0001\n"]}'), (5, '[1, -2.50, 1e5, 0.000000001, 123456789012345678901234567890, true, false, null]'),
 (6, '{"b": 1, "a": 2, "aa": 3, "é": 4, "c\"d": {"z": [], "y": {}}, "€": null, "zz": "x"}'), (7, '"plain"'), (8, '12.00'), (9, 'true'), (10, null), (11, 'null'), (12, '{"k": {"k": {"k": [1, {"k": "v"}]}}}');
select i, j || '{}' , '{"n": 0}' || j, j || '[1]', j || '{"b": 9, "new": 1, "": 3}' from jst order by i;
select i, jsonb_set(j, '{b}', '"s"'), jsonb_set(j, '{new key}', '[1]'), j - 'a', j - 0 from jst where jsonb_typeof(j) in ('object') order by i;
select i, jsonb_pretty(j), jsonb_typeof(j) from jst order by i;
select i, jsonb_path_query(j, '$.**') from jst order by i;
select a.i, b.i, a.j = b.j, a.j < b.j, a.j @> b.j from jst a, jst b where a.i <> b.i order by 1, 2;
select i, j @> '[1]', j @> '[1.0, -2.5]', j @> '[null]', j @> '["x,y"]', j @> '[true, false]', j @> '{"k": {"k": {}}}', j @> '{"a": 2.0}', j @> '[[[]]]', j @> '{"a b": ["b\\"]}', j @> '{"a b": [[[]], "]}"]}', j @> '"plain"', j @> '[1, -2.50, 100000, 0.000000001, true]' from jst order by i;
select jsonb_object_agg(k, v) from (values ('b', 1), ('a', 2), ('b', 3), ('aa', 4)) x(k, v);
select jsonb_build_object('z', 1, 'y', 2, 'zz', 3, 'y', 4), jsonb_build_object('a', 1, 'b', 2, 'b', 3), '{"a": 1, "a": 2}'::jsonb, '{"b": 1, "a": 2, "b": 3}'::jsonb;
update jst set j = jsonb_set(j, '{k,k,k,1,k}', '"new"') where i = 12 returning *;
select repeat('[', 5000)::text || repeat(']', 5000) = j::text from (select (repeat('[', 5000) || repeat(']', 5000))::jsonb j) s;
create table deep as select (repeat('{"a": [', 2500) || '1' || repeat(']}', 2500))::jsonb j;
select j = j || '{}', length((j || '{"b": 2}')::text) from deep;
select key, value from jst, jsonb_each(j) where i in (4, 6) order by 1, 2;
select value from jst, jsonb_array_elements(j) where i = 5;
-- A string that is nowhere in the text; one that is, but as a key, in a deeper place, or a part of another; escaped ones.
select i, j ? 'plain', j ? 'x,y', j ? 'b\', j -> 'a b' ? 'b\', j -> 'a b' ? 'q"t', j -> 'a b' ? E'\u0001\n', j -> 'a b' ? 'é€😀', j -> 'a b' ? '€', j -> 'k' ? 'k', j -> 'k' -> 'k' -> 'k' ? 'k', j -> 'a b' ?| array['no', '\"'], j -> 'a b' ?& array['no', '\"'] from jst order by i;
select i, j @> '"pla"', j @> '["plain"]', j @> '{"a b": ["x,y", "q\"t"]}', j @> '{"a b": ["x,y", "y"]}', j @> '{"k": ["k"]}', j @> '{"k": {"k": {"k": ["k"]}}}', j @> '{"k": {"k": {"k": [{"k": "new"}]}}}', j @> '["k", 1]' from jst order by i;
drop table jst, deep;
