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
-- Two bounds of one expression are a range as those of a column are, in HAVING and inside of OR, too; what is compared with a column is none.
create table spans (a int, b int, c text, d date); create unique index on spans (a); insert into spans select i * 3, i % 10, 'w' || i % 9, date '2020-01-01' + i from generate_series(1, 800) i; analyze spans;
explain select * from spans where a + b between 26 and 100; explain select * from spans where a + b > 26 and b + a < 100; explain select * from spans where a > b and a < b + 10;
explain select * from spans where abs(a) > 5 and abs(a) < 100; explain select * from spans where extract(year from d) between 2000 and 2020; explain select * from spans where c::varchar >= 'w1' and c::varchar < 'w3';
explain select * from spans where b between symmetric 3 and 1; explain select * from spans where (b between 1 and 3 and c = 'w1') or a = 5; explain select * from spans where (a > 5 and a < 50) is not true;
explain (costs off) select a from spans group by a having sum(b) between 2 and 20; explain select c, sum(b) from spans group by c, a having sum(b) between 26 and 201;
