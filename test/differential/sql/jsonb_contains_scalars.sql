-- Containment compares scalars by their texts as long as that tells: 1 is 1.0, and "1" is neither; in a table, for what is stored is text.
CREATE TABLE jcs (i int, j jsonb);
INSERT INTO jcs VALUES (1, '{"a": 1}'), (2, '{"a": 1.0}'), (3, '{"a": "1"}'), (4, '{"a": 1.00e0, "b": null}'), (5, '{"a": -0.0}'), (6, '{"a": 0}'), (7, '{"a": true}'), (8, '{"a": "true"}'), (9, '{"a": null}'), (10, '{"a": [1]}'), (11, '{"a": {"b": 1.50}}'), (12, '{"a": 10}'), (13, '{"a": "x.y"}'), (14, '{"b": {"a": 1}}'), (15, '{"a": 100000000000000000000.5}'), (16, '[1, 1.0, {"a": 1}]'), (17, '1'), (18, '{}');
SELECT v, array_agg(i ORDER BY i) FROM jcs, (VALUES ('{"a": 1}'::jsonb), ('{"a": 1.000}'), ('{"a": "1"}'), ('{"a": 0.0}'), ('{"a": -0}'), ('{"a": true}'), ('{"a": "true"}'), ('{"a": null}'), ('{"a": []}'), ('{"a": {"b": 1.5}}'), ('{"a": 10.0}'), ('{"a": "x.y"}'), ('{"b": {"a": 1.0}}'), ('{"a": 100000000000000000000.50}'), ('[{"a": 1.0}]'), ('{"a": 1, "b": null}'), ('1.0'), ('{}')) p (v) WHERE j @> v GROUP BY v ORDER BY v;
SELECT i, j -> 'a', j ->> 'a', j ? 'a', j ? 'b', j -> 'b' ->> 'a', j -> 'a' -> 'b' FROM jcs ORDER BY i;
DROP TABLE jcs;
