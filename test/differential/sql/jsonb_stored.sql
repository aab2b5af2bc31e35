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
