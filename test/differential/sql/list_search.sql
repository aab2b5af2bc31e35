-- Lists that are looked up rather than gone through: x = ANY (list), x <> ALL (list), constant, lifted or a parameter.
-- Of numerics, strings with blanks, floats and intervals, equal values may be written differently. NOT IN was gone through
-- item by item, as was every list of a type whose values are not JavaScript's.
CREATE TABLE ls (i int, n numeric, t text, c char(6), f float8, v interval, d date, u uuid, b bytea, j jsonb, a int[]);
INSERT INTO ls SELECT g, g * 1.50, 'x' || g, 'x' || g, g / 4.0, g * interval '12 hours', date '2024-01-01' + g, md5(g::text)::uuid, decode(md5(g::text), 'hex'), to_jsonb(g), ARRAY[g, NULL] FROM generate_series(1, 30) g;
INSERT INTO ls (i) VALUES (NULL);
INSERT INTO ls (i, f) VALUES (31, 'NaN'), (32, '-0');
SELECT i FROM ls WHERE n IN (1.5, 3, 4.500, 6.0, 7.5, 9, 10.5, 12, 13.5, 100, 1e2) ORDER BY i;
SELECT i FROM ls WHERE n NOT IN (1.5, 3, 4.500, 6.0, 7.5, 9, 10.5, 12, 13.5, 100, 1e2) ORDER BY i;
SELECT i FROM ls WHERE c IN ('x1', 'x2   ', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8', 'x9 ', 'x10') ORDER BY i;
SELECT i FROM ls WHERE c NOT IN ('x1', 'x2   ', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8', 'x9 ', 'x10') ORDER BY i;
SELECT i FROM ls WHERE t NOT IN ('x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8', 'x9', 'x10 ') ORDER BY i;
SELECT i, f FROM ls WHERE f IN (0.25, 0.5, 'NaN', 0, 1, 2, 3, 4, 5, 6) ORDER BY i;
SELECT i, f FROM ls WHERE f NOT IN (0.25, 0.5, 'NaN', 0, 1, 2, 3, 4, 5, 6) ORDER BY i;
SELECT i FROM ls WHERE v = ANY ('{12:00:00,1 day,36:00:00,48:00:00,60:00:00,3 days,1 mon,15 days,1:00,2:00}') ORDER BY i;
SELECT i FROM ls WHERE v <> ALL ('{12:00:00,1 day,36:00:00,48:00:00,60:00:00,3 days,1 mon,15 days,1:00,2:00}') ORDER BY i;
SELECT i FROM ls WHERE d NOT IN ('2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05', '2024-01-06', '2024-01-07', '2024-01-08', '2024-01-09', '2024-01-10') ORDER BY i;
SELECT i FROM ls WHERE u = ANY (ARRAY(SELECT md5(g::text)::uuid FROM generate_series(5, 15) g)) ORDER BY i;
SELECT i FROM ls WHERE b <> ALL (ARRAY(SELECT decode(md5(g::text), 'hex') FROM generate_series(5, 15) g)) ORDER BY i;
SELECT i FROM ls WHERE j IN ('1', '2.0', '3', '4', '5', '6', '7', '8', '9', '"10"') ORDER BY i;
SELECT i FROM ls WHERE a IN ('{1,NULL}', '{2}', '{3,NULL}', '{4,4}', '{5,NULL}', '{6}', '{7}', '{8}', '{9}', '{10,NULL}') ORDER BY i;
-- A NULL in the list makes no out of it what is not found; an empty list finds nothing, and NULL is not in it either way.
SELECT i, i IN (1, 2, 3, 4, 5, 6, 7, 8, 9, NULL) AS is_in, i NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9, NULL) AS is_out FROM ls WHERE i IS NULL OR i % 9 = 0 ORDER BY i;
SELECT i, n = ANY ('{1.5,3,4.5,6,7.5,9,10.5,12,13.5,NULL}') AS is_in, n <> ALL ('{1.5,3,4.5,6,7.5,9,10.5,12,13.5,NULL}') AS is_out FROM ls WHERE i IS NULL OR i % 9 = 0 ORDER BY i;
SELECT i, i = ANY ('{}') AS is_in, i <> ALL ('{}') AS is_out, n = ANY ('{}') AS n_in, n <> ALL ('{}') AS n_out FROM ls WHERE i IS NULL OR i < 3 ORDER BY i;
SELECT i, i = ANY (NULL::int[]) AS is_in, i <> ALL (NULL::int[]) AS is_out FROM ls WHERE i IS NULL OR i < 3 ORDER BY i;
PREPARE ls_in (int[]) AS SELECT count(*) FILTER (WHERE i = ANY ($1)), count(*) FILTER (WHERE i <> ALL ($1)), count(*) FILTER (WHERE (i <> ALL ($1)) IS NULL) FROM ls;
EXECUTE ls_in ('{1,2,3,4,5,6,7,8,9,10,11}');
EXECUTE ls_in ('{1,2,3,4,5,6,7,8,9,10,NULL}');
EXECUTE ls_in ('{}');
EXECUTE ls_in (NULL);
EXECUTE ls_in ('{{1,2,3,4,5},{6,7,8,9,10}}');
PREPARE ls_numeric (numeric[]) AS SELECT count(*) FILTER (WHERE n = ANY ($1)), count(*) FILTER (WHERE n <> ALL ($1)), count(*) FILTER (WHERE (n <> ALL ($1)) IS NULL) FROM ls;
EXECUTE ls_numeric ('{1.50,3,4.5,6.000,7.5,9,10.5,12,13.5,15}');
EXECUTE ls_numeric ('{1.50,3,4.5,6.000,7.5,9,10.5,12,13.5,NULL}');
-- Other operators, and others than ANY of = and ALL of <>, have to see each item.
SELECT count(*) FROM ls WHERE i = ALL ('{1,1,1,1,1,1,1,1,1,1}');
SELECT count(*) FROM ls WHERE i <> ANY ('{1,2,3,4,5,6,7,8,9,10}');
SELECT count(*) FROM ls WHERE n > ANY ('{1,2,3,4,5,6,7,8,9,10}');
SELECT count(*) FROM ls WHERE i = ANY ('{1,2,3,4,5,6,7,8,9,10}'::int8[]);
SELECT count(*) FROM ls WHERE f = ANY ('{0.25,0.5,0.75,1,1.25,1.5,1.75,2,2.25}'::float4[]);
-- A list that another row changes.
SELECT x, count(*) FROM (VALUES ('{1,2,3,4,5,6,7,8,9,10}'::int[]), ('{11,12,13,14,15,16,17,18,19,NULL}')) v (x), ls WHERE i = ANY (x) GROUP BY x ORDER BY x;
DO $$
DECLARE list int[] := '{1,2,3,4,5,6,7,8,9,10}'; found int := 0;
BEGIN
  FOR k IN 1..20 LOOP
    list[1 + k % 10] := k;
    IF k = ANY (list) THEN found := found + 1; END IF;
    IF k + 1 = ANY (list) THEN found := found + 100; END IF;
    SELECT found + 10000 * count(*) INTO found FROM ls WHERE i = ANY (list);
  END LOOP;
  RAISE NOTICE 'found %', found;
END $$;
DROP TABLE ls;
