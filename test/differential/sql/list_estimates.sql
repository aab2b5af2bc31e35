-- How many rows a list of values is expected to find: each value by itself.
CREATE TABLE le (few int, many int, word text);
INSERT INTO le SELECT n % 4, n, CASE n % 5 WHEN 0 THEN 'zero' ELSE 'other' END FROM generate_series(1, 2000) n;
ANALYZE le;
EXPLAIN SELECT * FROM le WHERE few IN (1, 77);
EXPLAIN SELECT * FROM le WHERE few IN (1, 2);
EXPLAIN SELECT * FROM le WHERE word IN ('zero', 'none', 'never');
EXPLAIN SELECT * FROM le WHERE few NOT IN (0, 55);
EXPLAIN SELECT * FROM le WHERE word NOT IN ('zero', 'other');
EXPLAIN SELECT * FROM le WHERE many < ANY (ARRAY[10, 100]);
EXPLAIN SELECT * FROM le WHERE many > ALL (ARRAY[10, 1900]);
EXPLAIN SELECT * FROM le WHERE few = ANY (ARRAY[1, length(word)]);
EXPLAIN SELECT * FROM le WHERE few = ANY (NULL::int[]);
EXPLAIN SELECT * FROM le WHERE word LIKE ANY (ARRAY['zer%', 'q%']);
CREATE STATISTICS le_words ON (upper(word)), (few + 1) FROM le;
ANALYZE le;
SELECT expr, avg_width, n_distinct FROM pg_stats_ext_exprs WHERE tablename = 'le' ORDER BY 1;
DROP TABLE le;
