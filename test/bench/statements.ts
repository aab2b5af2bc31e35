// Statements of many kinds beside Debian's PostgreSQL 15, worst ratio first: not what is to be reached (bench.ts has that), but where
// something takes many times longer than it should. A figure is the best of a few runs on one connection.
//   node test/bench/statements.ts [--only WORD]... [--times N] [--list] [--ports [USER@]OURS,[USER@]THEIRS]
import { parseArgs } from 'node:util';
import { RawClient } from '../support/raw_client.ts';
import { POSTGRESQL, startSite, type Site } from '../support/site.ts';

const { values: options } = parseArgs({ options: {
  only: { type: 'string', multiple: true, default: [] }, times: { type: 'string', default: '3' }, list: { type: 'boolean', default: false }, ports: { type: 'string' },
} });

interface Kind {
  name: string;
  /** Run once before, and after: not timed. */
  before?: string[];
  after?: string[];
  /** Run before each of the runs: not timed. */
  each?: string[];
  run: string | string[] | ((client: RawClient) => Promise<void>);
}

const list = (n: number, item: (i: number) => string, separator = ','): string => Array.from({ length: n }, (_, i) => item(i)).join(separator);
const repeat = (n: number, item: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => item(i));
const loop = (name: string, declare: string, body: string, n = 100_000): Kind => ({
  name: `PL/pgSQL: ${name}`, run: `DO $$ DECLARE ${declare} BEGIN FOR i IN 1..${n} LOOP ${body} END LOOP; END $$`,
});
const million = 'CREATE TABLE big AS SELECT i AS id, i % 1000 AS g, (i::int8 * 7919 % 1000003)::int AS r, md5(i::text) AS t, i * 1.5 AS n FROM generate_series(1, 1000000) i';

const kinds: Kind[] = [
  { name: 'INSERT of 5,000 tuples', before: ['CREATE TABLE w (a int, b text, c numeric, d date)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: `INSERT INTO w VALUES ${list(5000, (i) => `(${i}, 'name ${i}', ${i}.25, '2024-01-01')`)}` },
  { name: 'INSERT of 5,000 tuples of one int', before: ['CREATE TABLE w (a int)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: `INSERT INTO w VALUES ${list(5000, (i) => `(${i})`)}` },
  { name: 'IN (5,000 numbers)', before: ['CREATE TABLE w AS SELECT i AS a FROM generate_series(1, 1000) i'], after: ['DROP TABLE w'],
    run: `SELECT count(*) FROM w WHERE a IN (${list(5000, (i) => `${i}`)})` },
  { name: 'IN (5,000 strings)', before: ['CREATE TABLE w AS SELECT i::text AS a FROM generate_series(1, 1000) i'], after: ['DROP TABLE w'],
    run: `SELECT count(*) FROM w WHERE a IN (${list(5000, (i) => `'${i}'`)})` },
  { name: 'ARRAY[5,000 numbers]', run: `SELECT cardinality(ARRAY[${list(5000, (i) => `${i}`)}])` },
  { name: 'VALUES of 5,000 tuples in FROM', run: `SELECT count(*) FROM (VALUES ${list(5000, (i) => `(${i}, 'x${i}')`)}) v(a, b)` },
  { name: '5,000 INSERTs in one message', before: ['CREATE TABLE w (a int, b text)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: list(5000, (i) => `INSERT INTO w VALUES (${i}, 'x')`, ';') },
  { name: '5,000 INSERTs as messages', before: ['CREATE TABLE w (a int, b text)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: ['BEGIN', ...repeat(5000, (i) => `INSERT INTO w VALUES (${i}, 'x')`), 'COMMIT'] },
  { name: 'CREATE FUNCTION of 500 kB', run: `CREATE OR REPLACE FUNCTION long_one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${list(10_000, (i) => `PERFORM ${i} + 1; /* a line of a function */`, '\n')} RETURN 1; END $$` },
  { name: 'select of 1,000 expressions', run: `SELECT ${list(1000, (i) => `${i} + 1 AS c${i}`)}` },
  { name: 'WHERE with 1,000 ORs', before: ['CREATE TABLE w AS SELECT generate_series(1, 10) AS a'], after: ['DROP TABLE w'], run: `SELECT count(*) FROM w WHERE ${list(1000, (i) => `a = ${i}`, ' OR ')}` },
  { name: 'UNION ALL of 200', run: list(200, (i) => `SELECT ${i}`, ' UNION ALL ') },
  { name: '100 materialized CTEs', run: `WITH ${list(100, (i) => `c${i} AS MATERIALIZED (SELECT ${i} AS x)`)} SELECT ${list(100, (i) => `c${i}.x`, '+')} FROM ${list(100, (i) => `c${i}`)}` },

  { name: '1,000 advisory locks', each: ['SELECT pg_advisory_unlock_all()'], run: 'SELECT count(pg_advisory_lock(i)) FROM generate_series(1, 1000) i' },
  { name: '1,000 advisory xact locks', run: 'SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 1000) i' },
  { name: '1,000 advisory lock statements', run: repeat(1000, (i) => `SELECT pg_advisory_xact_lock(${i})`) },

  loop('assignments', 'a int8 := 0;', 'a := a + i;', 300_000),
  loop('append to an array', 'a int[] := \'{}\';', 'a := a || i;', 10_000),
  loop('array_append', 'a int[] := \'{}\';', 'a := array_append(a, i);', 10_000),
  loop('append to a string', 's text := \'\';', 's := s || \'x\';', 10_000),
  loop('set an element', 'a int[] := array_fill(0, ARRAY[10000]);', 'a[i] := i;', 10_000),
  loop('read an element', 'a int[] := array_fill(1, ARRAY[1000]); s int := 0;', 's := s + a[1 + i % 1000];'),
  loop('append texts', 'a text[] := \'{}\';', 'a := a || (\'x\' || i);', 5000),
  loop('IF and CASE', 's int := 0;', 'IF i % 3 = 0 THEN s := s + 1; ELSIF i % 3 = 1 THEN s := s + 2; ELSE CASE i % 2 WHEN 0 THEN s := s - 1; ELSE s := s - 2; END CASE; END IF;'),
  loop('numeric', 's numeric := 0;', 's := s + i * 1.5;'),
  loop('text functions', 's text;', 's := upper(substr(md5(i::text), 1, 8));'),
  loop('dates', 'd date := \'2000-01-01\'; n int := 0;', 'd := d + 1; n := n + extract(year FROM d)::int;'),
  loop('SELECT INTO', 's int := 0;', 'SELECT i + 1 INTO s;', 30_000),
  { name: 'PL/pgSQL: SELECT by key', before: ['CREATE TABLE w AS SELECT i AS id, i::text AS v FROM generate_series(1, 10000) i', 'ALTER TABLE w ADD PRIMARY KEY (id)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: 'DO $$ DECLARE s text; BEGIN FOR i IN 1..20000 LOOP SELECT v INTO s FROM w WHERE id = 1 + i % 10000; END LOOP; END $$' },
  { name: 'PL/pgSQL: UPDATE by key', before: ['CREATE TABLE w AS SELECT i AS id, i AS v FROM generate_series(1, 10000) i', 'ALTER TABLE w ADD PRIMARY KEY (id)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: 'DO $$ BEGIN FOR i IN 1..10000 LOOP UPDATE w SET v = v + 1 WHERE id = i; END LOOP; END $$' },
  { name: 'PL/pgSQL: INSERT', before: ['CREATE TABLE w (a int, b text)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'], run: 'DO $$ BEGIN FOR i IN 1..10000 LOOP INSERT INTO w VALUES (i, \'x\'); END LOOP; END $$' },
  { name: 'PL/pgSQL: FOR over a query', run: 'DO $$ DECLARE r record; s int8 := 0; BEGIN FOR r IN SELECT i, i::text AS t FROM generate_series(1, 100000) i LOOP s := s + r.i; END LOOP; END $$' },
  { name: 'PL/pgSQL: 5,000 small FOR loops', run: 'DO $$ DECLARE r record; s int8 := 0; BEGIN FOR n IN 1..5000 LOOP FOR r IN SELECT i FROM generate_series(1, 3) i LOOP s := s + r.i; END LOOP; END LOOP; END $$' },
  loop('FOREACH', 'a int[] := array_fill(1, ARRAY[10]); e int; s int := 0;', 'FOREACH e IN ARRAY a LOOP s := s + e; END LOOP;', 20_000),
  loop('EXECUTE', 's int;', 'EXECUTE \'SELECT $1 + 1\' INTO s USING i;', 10_000),
  loop('EXECUTE of new texts', 's int;', 'EXECUTE \'SELECT 1 + \' || i INTO s;', 3000),
  loop('EXECUTE format', 's int;', 'EXECUTE format(\'SELECT %s AS %I\', i, \'c\' || i) INTO s;', 3000),
  loop('exception blocks', 's int := 0;', 'BEGIN s := s + 1; EXCEPTION WHEN division_by_zero THEN NULL; END;', 10_000),
  loop('caught exceptions', 's int := 0;', 'BEGIN s := 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;', 5000),
  { name: 'PL/pgSQL: caught unique violations', before: ['CREATE TABLE w (a int PRIMARY KEY)', 'INSERT INTO w VALUES (1)'], after: ['DROP TABLE w'],
    run: 'DO $$ BEGIN FOR i IN 1..2000 LOOP BEGIN INSERT INTO w VALUES (1); EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP; END $$' },
  { name: 'PL/pgSQL: INSERT in exception blocks', before: ['CREATE TABLE w (a int PRIMARY KEY)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: 'DO $$ BEGIN FOR i IN 1..5000 LOOP BEGIN INSERT INTO w VALUES (i); EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP; END $$' },
  loop('RAISE NOTICE', '', 'RAISE NOTICE \'row % of %\', i, 10000;', 10_000),
  loop('RAISE DEBUG', '', 'RAISE DEBUG \'row % of %\', i, 10000;', 30_000),
  { name: 'PL/pgSQL: function called per row', before: ['CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN a + 1; END $$'], after: ['DROP FUNCTION f'],
    run: 'SELECT sum(f(i)) FROM generate_series(1, 100000) i' },
  { name: 'PL/pgSQL: recursive function', before: ['CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF a < 2 THEN RETURN a; END IF; RETURN f(a - 1) + f(a - 2); END $$'], after: ['DROP FUNCTION f'],
    run: 'SELECT f(20)' },
  { name: 'PL/pgSQL: RETURN NEXT', before: ['CREATE FUNCTION f(n int) RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..n LOOP RETURN NEXT i; END LOOP; END $$'], after: ['DROP FUNCTION f'],
    run: 'SELECT count(*) FROM f(100000)' },
  loop('records', 'r record; s int := 0;', 'r := ROW(i, \'x\'); ', 30_000),
  loop('fields of rows', 'r pg_attribute; s int := 0;', 'r.attnum := i % 1000; s := s + r.attnum;', 50_000),
  loop('jsonb', 'j jsonb := \'{"a": 1}\';', 'j := jsonb_set(j, \'{a}\', to_jsonb(i));', 20_000),
  { name: 'PL/pgSQL: row trigger', before: ['CREATE TABLE w (a int, b int)', 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := NEW.a + 1; RETURN NEW; END $$', 'CREATE TRIGGER t BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION f()'],
    each: ['TRUNCATE w'], after: ['DROP TABLE w', 'DROP FUNCTION f'], run: 'INSERT INTO w SELECT i FROM generate_series(1, 30000) i' },
  { name: 'SQL function called per row', before: ['CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql VOLATILE STRICT AS $$ SELECT a + 1 LIMIT 1 $$'], after: ['DROP FUNCTION f'],
    run: 'SELECT sum(f(i)) FROM generate_series(1, 20000) i' },

  { name: 'cursor: FETCH 1 by 2,000', run: ['BEGIN', 'DECLARE c CURSOR FOR SELECT i, i::text FROM generate_series(1, 3000) i', ...repeat(2000, () => 'FETCH 1 FROM c'), 'COMMIT'] },
  { name: '2,000 open cursors', run: ['BEGIN', ...repeat(2000, (i) => `DECLARE c${i} CURSOR FOR SELECT 1`), ...repeat(2000, (i) => `FETCH 1 FROM c${i}`), 'COMMIT'] },
  { name: 'cursor: backwards', run: ['BEGIN', 'DECLARE c SCROLL CURSOR FOR SELECT i, i::text FROM generate_series(1, 3000) i', 'MOVE LAST FROM c', ...repeat(2000, () => 'FETCH PRIOR FROM c'), 'COMMIT'] },
  { name: '2,000 savepoints', run: ['BEGIN', ...repeat(2000, (i) => `SAVEPOINT s${i}`), 'COMMIT'] },
  { name: '2,000 SAVEPOINT and RELEASE', run: ['BEGIN', ...repeat(2000, () => 'SAVEPOINT s;RELEASE s'), 'COMMIT'] },
  { name: '1,000 SAVEPOINT, INSERT, ROLLBACK TO', before: ['CREATE TABLE w (a int)'], after: ['DROP TABLE w'], run: ['BEGIN', ...repeat(1000, () => 'SAVEPOINT s;INSERT INTO w VALUES (1);ROLLBACK TO s'), 'COMMIT'] },
  { name: '1,000 PREPARE, EXECUTE, DEALLOCATE', run: repeat(1000, (i) => `PREPARE p AS SELECT $1::int + ${i};EXECUTE p(1);DEALLOCATE p`) },
  { name: '100 temporary tables made and dropped', run: repeat(100, () => 'CREATE TEMP TABLE x (a int PRIMARY KEY, b text);INSERT INTO x VALUES (1);DROP TABLE x') },
  { name: '50 tables made and dropped', run: repeat(50, () => 'CREATE TABLE x (a serial PRIMARY KEY, b text);DROP TABLE x') },
  { name: '1,000 SET and SHOW', run: repeat(1000, (i) => `SET work_mem = ${1000 + i};SHOW work_mem`) },
  { name: 'large object: 500 writes of 10 kB', run: 'DO $$ DECLARE o oid; f int; d bytea := decode(repeat(\'ab\', 10000), \'hex\'); BEGIN o := lo_create(0); f := lo_open(o, 393216); FOR i IN 1..500 LOOP PERFORM lowrite(f, d); END LOOP; PERFORM lo_lseek(f, 0, 0); FOR i IN 1..500 LOOP PERFORM loread(f, 10000); END LOOP; PERFORM lo_close(f); PERFORM lo_unlink(o); END $$' },
  { name: '300 notifications', run: ['LISTEN ch', 'BEGIN', ...repeat(300, (i) => `NOTIFY ch, 'payload ${i}'`), 'COMMIT', 'UNLISTEN *'] },

  { name: 'COPY of wide rows out', before: [`CREATE TABLE w AS SELECT ${list(50, (i) => `i + ${i} AS c${i}`)} FROM generate_series(1, 20000) i`], after: ['DROP TABLE w'], run: 'COPY w TO STDOUT' },
  { name: 'COPY of long texts out', before: ['CREATE TABLE w AS SELECT i, repeat(md5(i::text), 100) AS t FROM generate_series(1, 10000) i'], after: ['DROP TABLE w'], run: 'COPY w TO STDOUT' },
  { name: 'COPY of CSV out', before: ['CREATE TABLE w AS SELECT i, md5(i::text) AS t, now() AS z, i * 1.5 AS n FROM generate_series(1, 100000) i'], after: ['DROP TABLE w'], run: 'COPY w TO STDOUT (FORMAT csv)' },
  { name: 'COPY of wide rows in', before: [`CREATE TABLE w (${list(50, (i) => `c${i} text`)})`], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: async (client) => { await copyIn(client, 'COPY w FROM STDIN', wideRows); } },
  { name: 'COPY of texts in, with quotes', before: ['CREATE TABLE w (a int, b text, c timestamptz, d numeric, e jsonb)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: async (client) => { await copyIn(client, 'COPY w FROM STDIN (FORMAT csv)', csvRows); } },
];

const onBig: Kind[] = [
  { name: 'scan', run: 'SELECT count(*), sum(n), max(t) FROM big' },
  { name: 'LIKE', run: 'SELECT count(*) FROM big WHERE t LIKE \'%abc%\'' },
  { name: 'ILIKE', run: 'SELECT count(*) FROM big WHERE t ILIKE \'%ABC%\'' },
  { name: 'regular expression', run: 'SELECT count(*) FROM big WHERE t ~ \'a[0-9]+b$\'' },
  { name: 'regexp_replace', run: 'SELECT count(regexp_replace(t, \'[0-9]+\', \'#\', \'g\')) FROM big WHERE id <= 200000' },
  { name: 'row_number by group', run: 'SELECT max(x) FROM (SELECT row_number() OVER (PARTITION BY g ORDER BY r) AS x FROM big) s' },
  { name: 'running sum', run: 'SELECT max(x) FROM (SELECT sum(r) OVER (ORDER BY id) AS x FROM big) s' },
  { name: 'moving average', run: 'SELECT max(x) FROM (SELECT avg(r) OVER (ORDER BY id ROWS BETWEEN 10 PRECEDING AND 10 FOLLOWING) AS x FROM big) s' },
  { name: 'moving maximum', run: 'SELECT max(x) FROM (SELECT max(r) OVER (ORDER BY id ROWS BETWEEN 50 PRECEDING AND CURRENT ROW) AS x FROM big) s' },
  { name: 'lag and lead', run: 'SELECT max(x) FROM (SELECT lag(r) OVER (ORDER BY id) + lead(r) OVER (ORDER BY id) AS x FROM big) s' },
  { name: 'rank and ntile', run: 'SELECT max(x + y) FROM (SELECT rank() OVER (ORDER BY g) AS x, ntile(100) OVER (ORDER BY g) AS y FROM big) s' },
  { name: 'recursive CTE of 300,000', run: 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000) SELECT sum(n) FROM c' },
  { name: 'recursive CTE over an index', run: 'WITH RECURSIVE c(id, d) AS (SELECT 1, 0 UNION ALL SELECT big.id, d + 1 FROM c JOIN big ON big.id = c.id * 2 OR big.id = c.id * 2 + 1 WHERE d < 12) SELECT count(*) FROM c' },
  { name: 'recursive CTE with UNION', run: 'WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT (n * 7 + 1) % 100003 FROM c) SELECT count(*) FROM c' },
  { name: 'string_agg of all', run: 'SELECT length(string_agg(t, \',\')) FROM big' },
  { name: 'string_agg in order', run: 'SELECT length(string_agg(t, \',\' ORDER BY r)) FROM big' },
  { name: 'array_agg of all', run: 'SELECT cardinality(array_agg(id)) FROM big' },
  { name: 'array_agg by group', run: 'SELECT sum(cardinality(a)) FROM (SELECT array_agg(t) AS a FROM big GROUP BY g) s' },
  { name: 'jsonb_agg', run: 'SELECT length(jsonb_agg(jsonb_build_object(\'id\', id, \'t\', t))::text) FROM big WHERE id <= 200000' },
  { name: 'json_agg of rows', run: 'SELECT length(json_agg(big)::text) FROM big WHERE id <= 100000' },
  { name: 'unnest', run: 'SELECT count(*) FROM unnest((SELECT array_agg(id) FROM big)) u' },
  { name: 'DISTINCT of texts', run: 'SELECT count(*) FROM (SELECT DISTINCT t FROM big) s' },
  { name: 'count(DISTINCT)', run: 'SELECT count(DISTINCT t), count(DISTINCT r) FROM big' },
  { name: 'GROUP BY text', run: 'SELECT count(*) FROM (SELECT substr(t, 1, 3) AS k, count(*), min(id), max(n) FROM big GROUP BY 1) s' },
  { name: 'ORDER BY text "C"', run: 'SELECT id FROM big ORDER BY t COLLATE "C" OFFSET 999999' },
  { name: 'ORDER BY numeric', run: 'SELECT id FROM big ORDER BY n DESC OFFSET 999999' },
  { name: 'ORDER BY two', run: 'SELECT id FROM big ORDER BY g, t OFFSET 999999' },
  { name: 'percentile', run: 'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r), mode() WITHIN GROUP (ORDER BY g) FROM big' },
  { name: 'GROUPING SETS', run: 'SELECT count(*) FROM (SELECT g, r % 10, count(*) FROM big GROUP BY CUBE (g, r % 10)) s' },
  { name: 'nested loop over an index', run: 'SELECT count(*), sum(b.r) FROM generate_series(1, 100000) i JOIN big b ON b.id = i * 7' },
  { name: 'LATERAL with LIMIT', run: 'SELECT count(*) FROM generate_series(1, 20000) i, LATERAL (SELECT r FROM big WHERE big.id > i ORDER BY id LIMIT 3) x' },
  { name: 'correlated EXISTS', run: 'SELECT count(*) FROM big a WHERE id <= 100000 AND EXISTS (SELECT FROM big b WHERE b.id = a.r)' },
  { name: 'correlated scalar subquery', run: 'SELECT sum((SELECT b.g FROM big b WHERE b.id = a.r)) FROM big a WHERE id <= 100000' },
  { name: 'NOT IN', run: 'SELECT count(*) FROM big WHERE id NOT IN (SELECT r FROM big WHERE id < 100000)' },
  { name: 'hash join on texts', run: 'SELECT count(*) FROM big a JOIN big b ON a.t = b.t' },
  { name: 'left join and anti join', run: 'SELECT count(*) FROM big a LEFT JOIN big b ON a.r = b.id AND b.g < 500 WHERE b.id IS NULL' },
  { name: 'merge join', run: 'SELECT count(*) FROM (SELECT * FROM big ORDER BY r OFFSET 0) a JOIN (SELECT * FROM big ORDER BY r OFFSET 0) b USING (r)' },
  { name: 'range join', run: 'SELECT count(*) FROM generate_series(1, 1000) i JOIN generate_series(1, 2000) j ON i < j AND i + j < 2000' },
  { name: 'EXCEPT and INTERSECT', run: 'SELECT count(*) FROM (SELECT id FROM big EXCEPT SELECT r FROM big) s' },
  { name: 'dates and formats', run: 'SELECT count(to_char(timestamp \'2020-01-01\' + id * interval \'1 minute\', \'YYYY-MM-DD HH24:MI\')) FROM big WHERE id <= 200000' },
  { name: 'date_trunc by day', run: 'SELECT date_trunc(\'day\', timestamptz \'2020-01-01\' + id * interval \'1 minute\'), count(*) FROM big GROUP BY 1 ORDER BY 1 LIMIT 5' },
  { name: 'numeric arithmetic', run: 'SELECT sum(n * n / 3 + round(n, 1)), stddev(n) FROM big' },
  { name: 'float arithmetic', run: 'SELECT sum(sqrt(id::float8) * sin(r)) FROM big' },
  { name: 'text functions', run: 'SELECT count(upper(t) || lower(t) || substr(t, 3, 5) || replace(t, \'a\', \'b\') || lpad(t, 40)) FROM big WHERE id <= 300000' },
  { name: 'string_to_array, split_part', run: 'SELECT sum(cardinality(string_to_array(t, \'a\'))), max(split_part(t, \'b\', 2)) FROM big WHERE id <= 300000' },
  { name: 'CASE and COALESCE', run: 'SELECT sum(CASE WHEN g < 10 THEN 1 WHEN g < 100 THEN 2 ELSE coalesce(nullif(g, 500), 0) END) FROM big' },
  { name: 'md5 and hashes', run: 'SELECT count(md5(t)), count(sha256(t::bytea)), sum(hashtext(t)) FROM big WHERE id <= 300000' },
  { name: 'generate_series to the client', run: 'SELECT i, i::text, i * 1.5 FROM generate_series(1, 100000) i' },
  { name: 'rows to the client', run: 'SELECT * FROM big WHERE id <= 200000' },
  { name: 'index range, ORDER BY DESC', run: 'SELECT sum(x) FROM (SELECT r AS x FROM big WHERE id BETWEEN 100000 AND 500000 ORDER BY id DESC) s' },
  { name: 'TABLESAMPLE', run: 'SELECT count(*) FROM big TABLESAMPLE BERNOULLI (10) REPEATABLE (1)' },
  { name: 'many lookups as messages', run: repeat(3000, (i) => `SELECT t FROM big WHERE id = ${i}`) },
];

const writes: Kind[] = [
  { name: 'INSERT ... SELECT 300,000 with 3 indexes', before: ['CREATE TABLE w (a int PRIMARY KEY, b int, c text)', 'CREATE INDEX ON w (b)', 'CREATE INDEX ON w (c)'], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: 'INSERT INTO w SELECT id, r, t FROM big WHERE id <= 300000' },
  { name: 'CREATE INDEX on texts', after: ['DROP INDEX bi'], each: ['DROP INDEX IF EXISTS bi'], run: 'CREATE INDEX bi ON big (t)' },
  { name: 'CREATE INDEX on an expression', after: ['DROP INDEX bi'], each: ['DROP INDEX IF EXISTS bi'], run: 'CREATE INDEX bi ON big (lower(t), n)' },
  { name: 'ANALYZE', run: 'ANALYZE big' },
  { name: 'VACUUM', run: 'VACUUM big' },
  { name: 'CREATE TABLE AS', each: ['DROP TABLE IF EXISTS w'], after: ['DROP TABLE w'], run: 'CREATE TABLE w AS SELECT * FROM big' },
  { name: 'ALTER TABLE ... TYPE', before: ['CREATE TABLE w AS SELECT id, r FROM big'], after: ['DROP TABLE w'], each: ['ALTER TABLE w ALTER r TYPE int'], run: 'ALTER TABLE w ALTER r TYPE int8' },
  { name: 'UPDATE of 100,000', before: ['CREATE TABLE w AS SELECT * FROM big WHERE id <= 100000', 'ALTER TABLE w ADD PRIMARY KEY (id)'], after: ['DROP TABLE w'], run: 'UPDATE w SET n = n + 1, g = g + 1' },
  { name: 'DELETE of 100,000 referenced', before: ['CREATE TABLE w (a int PRIMARY KEY)', 'CREATE TABLE v (a int PRIMARY KEY, b int REFERENCES w)'], each: ['TRUNCATE w, v', 'INSERT INTO w SELECT generate_series(1, 100000)'], after: ['DROP TABLE v, w'],
    run: 'DELETE FROM w' },
  { name: 'INSERT of 100,000 referencing', before: ['CREATE TABLE w AS SELECT i AS a FROM generate_series(1, 1000) i', 'ALTER TABLE w ADD PRIMARY KEY (a)', 'CREATE TABLE v (a int PRIMARY KEY, b int REFERENCES w)'], each: ['TRUNCATE v'], after: ['DROP TABLE v, w'],
    run: 'INSERT INTO v SELECT i, 1 + i % 1000 FROM generate_series(1, 100000) i' },
  { name: 'DELETE cascading', before: ['CREATE TABLE w (a int PRIMARY KEY)', 'CREATE TABLE v (a int PRIMARY KEY, b int REFERENCES w ON DELETE CASCADE)', 'CREATE INDEX ON v (b)'],
    each: ['TRUNCATE w, v', 'INSERT INTO w SELECT generate_series(1, 10000)', 'INSERT INTO v SELECT i, 1 + i % 10000 FROM generate_series(1, 30000) i'], after: ['DROP TABLE v, w'], run: 'DELETE FROM w' },
  { name: 'UPDATE ... FROM', before: ['CREATE TABLE w AS SELECT * FROM big WHERE id <= 100000', 'ALTER TABLE w ADD PRIMARY KEY (id)'], after: ['DROP TABLE w'], run: 'UPDATE w SET r = b.g FROM big b WHERE b.id = w.id' },
  { name: 'ON CONFLICT DO UPDATE', before: ['CREATE TABLE w (a int PRIMARY KEY, n int)'], after: ['DROP TABLE w'], run: 'INSERT INTO w SELECT i % 50000, 1 FROM generate_series(0, 49999) i ON CONFLICT (a) DO UPDATE SET n = w.n + 1' },
  { name: 'UPDATE with a row trigger', before: ['CREATE TABLE w AS SELECT id, g FROM big WHERE id <= 50000', 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.g <> OLD.g THEN NEW.g := NEW.g; END IF; RETURN NEW; END $$', 'CREATE TRIGGER t BEFORE UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f()'],
    after: ['DROP TABLE w', 'DROP FUNCTION f'], run: 'UPDATE w SET g = g + 1' },
  { name: 'AFTER row trigger', before: ['CREATE TABLE w (id int, g int)', 'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.g < 0 THEN RAISE \'x\'; END IF; RETURN NULL; END $$', 'CREATE TRIGGER t AFTER INSERT ON w FOR EACH ROW EXECUTE FUNCTION f()'],
    each: ['TRUNCATE w'], after: ['DROP TABLE w', 'DROP FUNCTION f'], run: 'INSERT INTO w SELECT i, i FROM generate_series(1, 30000) i' },
  { name: 'taken from a queue: FOR UPDATE SKIP LOCKED LIMIT 10', before: ['CREATE TABLE w AS SELECT id, t FROM big WHERE id <= 200000', 'ALTER TABLE w ADD PRIMARY KEY (id)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(100, () => 'DELETE FROM w WHERE id = ANY (ARRAY(SELECT id FROM w ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED))') },
  { name: 'MERGE', before: ['CREATE TABLE w AS SELECT id, g FROM big WHERE id <= 50000', 'ALTER TABLE w ADD PRIMARY KEY (id)'], after: ['DROP TABLE w'],
    run: 'MERGE INTO w USING (SELECT id, r FROM big WHERE id <= 50000) b ON b.id = w.id WHEN MATCHED THEN UPDATE SET g = b.r WHEN NOT MATCHED THEN INSERT VALUES (b.id, b.r)' },
  { name: 'jsonb: operators', before: ['CREATE TABLE w AS SELECT id, jsonb_build_object(\'id\', id, \'g\', g, \'tags\', jsonb_build_array(t, g), \'deep\', jsonb_build_object(\'r\', r)) AS j FROM big WHERE id <= 100000'], after: ['DROP TABLE w'],
    run: 'SELECT sum((j->>\'g\')::int), count(j->\'deep\'->>\'r\'), count(*) FILTER (WHERE j @> \'{"g": 5}\'), count(*) FILTER (WHERE j ? \'tags\') FROM w' },
  { name: 'jsonb: path queries', before: ['CREATE TABLE w AS SELECT jsonb_build_object(\'id\', id, \'a\', jsonb_build_array(g, r, id)) AS j FROM big WHERE id <= 50000'], after: ['DROP TABLE w'],
    run: 'SELECT count(*) FROM w WHERE j @? \'$.a[*] ? (@ > 900000)\'' },
  { name: 'jsonb: each and elements', before: ['CREATE TABLE w AS SELECT jsonb_build_object(\'id\', id, \'a\', jsonb_build_array(g, r, id)) AS j FROM big WHERE id <= 50000'], after: ['DROP TABLE w'],
    run: 'SELECT count(*), count(x) FROM w, jsonb_each(j), jsonb_array_elements(j->\'a\') x' },
  { name: 'jsonb: GIN build', before: ['CREATE TABLE w AS SELECT jsonb_build_object(\'id\', id, \'g\', g, \'tags\', jsonb_build_array(t, g)) AS j FROM big WHERE id <= 50000'], after: ['DROP TABLE w'], each: ['DROP INDEX IF EXISTS wj'],
    run: 'CREATE INDEX wj ON w USING gin (j)' },
  { name: 'jsonb: GIN search', before: ['CREATE TABLE w AS SELECT jsonb_build_object(\'id\', id, \'g\', g, \'tags\', jsonb_build_array(t, g)) AS j FROM big WHERE id <= 50000', 'CREATE INDEX wj ON w USING gin (j)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(200, (i) => `SELECT count(*) FROM w WHERE j @> '{"g": ${i}}'`) },
  { name: 'arrays: GIN search', before: ['CREATE TABLE w AS SELECT ARRAY[g, r, id] AS a FROM big WHERE id <= 50000', 'CREATE INDEX wa ON w USING gin (a)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(200, (i) => `SELECT count(*) FROM w WHERE a @> ARRAY[${i}]`) },
  { name: 'arrays: operators', before: ['CREATE TABLE w AS SELECT ARRAY[g, r, id] AS a FROM big WHERE id <= 200000'], after: ['DROP TABLE w'],
    run: 'SELECT count(*) FROM w WHERE a @> ARRAY[5] OR 7 = ANY (a) OR a && ARRAY[8, 9]' },
  { name: 'full text: to_tsvector', run: 'SELECT count(to_tsvector(\'english\', \'The quick brown foxes \' || t || \' jumped over lazy dogs\')) FROM big WHERE id <= 20000' },
  { name: 'full text: search', before: ['CREATE TABLE w AS SELECT to_tsvector(\'english\', \'word\' || g || \' thing\' || r % 50) AS v FROM big WHERE id <= 50000', 'CREATE INDEX wv ON w USING gin (v)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(100, (i) => `SELECT count(*) FROM w WHERE v @@ to_tsquery('english', 'word${i} & thing1')`) },
  { name: 'partitions: MergeAppend', before: ['CREATE TABLE w (a int, b text) PARTITION BY RANGE (a)', ...repeat(10, (i) => `CREATE TABLE w${i} PARTITION OF w FOR VALUES FROM (${i * 50000}) TO (${(i + 1) * 50000})`), 'INSERT INTO w SELECT id % 500000, t FROM big', 'CREATE INDEX ON w (b)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: 'SELECT max(x) FROM (SELECT b AS x FROM w ORDER BY b OFFSET 0) s' },
  { name: 'partitions: insert', before: ['CREATE TABLE w (a int, b text) PARTITION BY HASH (a)', ...repeat(8, (i) => `CREATE TABLE w${i} PARTITION OF w FOR VALUES WITH (MODULUS 8, REMAINDER ${i})`)], each: ['TRUNCATE w'], after: ['DROP TABLE w'],
    run: 'INSERT INTO w SELECT id, t FROM big WHERE id <= 100000' },
  { name: 'partitions: 100 of them, look-ups', before: ['CREATE TABLE w (a int PRIMARY KEY, b text) PARTITION BY RANGE (a)', ...repeat(100, (i) => `CREATE TABLE w${i} PARTITION OF w FOR VALUES FROM (${i * 100}) TO (${(i + 1) * 100})`), 'INSERT INTO w SELECT i, i FROM generate_series(0, 9999) i', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(500, (i) => `SELECT b FROM w WHERE a = ${i * 7}`) },
  { name: 'partitions: scan of 100', before: ['CREATE TABLE w (a int PRIMARY KEY, b text) PARTITION BY RANGE (a)', ...repeat(100, (i) => `CREATE TABLE w${i} PARTITION OF w FOR VALUES FROM (${i * 100}) TO (${(i + 1) * 100})`), 'INSERT INTO w SELECT i, i FROM generate_series(0, 9999) i', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(20, (i) => `SELECT count(*) FROM w WHERE b > '${i}'`) },
  { name: 'ranges: GiST overlap', before: ['CREATE TABLE w AS SELECT int4range(r, r + 10) AS x FROM big WHERE id <= 30000', 'CREATE INDEX wx ON w USING gist (x)', 'ANALYZE w'], after: ['DROP TABLE w'],
    run: repeat(100, (i) => `SELECT count(*) FROM w WHERE x && int4range(${i * 1000}, ${i * 1000 + 50})`) },
  { name: 'REFRESH MATERIALIZED VIEW', before: ['CREATE MATERIALIZED VIEW m AS SELECT g, count(*), sum(n) FROM big GROUP BY g'], after: ['DROP MATERIALIZED VIEW m'], run: 'REFRESH MATERIALIZED VIEW m' },
];
for (const kind of onBig) kinds.push({ ...kind, name: `1M: ${kind.name}` });
for (const kind of writes) kinds.push({ ...kind, name: `1M: ${kind.name}` });

const wideRows = Buffer.from(list(10_000, (i) => list(50, (c) => `value ${i}.${c}`, '\t') + '\n', ''));
const csvRows = Buffer.from(list(50_000, (i) => `${i},"a ""quoted"" text, number ${i}",2024-01-01 12:00:00+00,${i}.5,"{""a"": ${i}}"\n`, ''));

async function copyIn(client: RawClient, command: string, rows: Buffer): Promise<void> {
  client.Query(command);
  await client.upTo('G');
  for (let at = 0; at < rows.length; at += 65536) client.CopyData(rows.subarray(at, at + 65536));
  client.CopyDone();
  for (const line of await client.answer()) if (line.startsWith('ErrorResponse')) throw new Error(line);
}

/** Reads the answers and keeps nothing of them: what the client does is not to be measured. */
async function run(client: RawClient, text: string): Promise<void> {
  client.Query(text);
  await settle(client);
}
async function settle(client: RawClient): Promise<void> {
  let failure: Buffer | null = null;
  for (;;) {
    const { type, body } = await client.next();
    if (type === 'E') failure = body;
    if (type === 'Z') break;
  }
  if (failure !== null) throw new Error(failure.toString('utf8').replaceAll('\0', ' '));
}

async function measure(client: RawClient, kind: Kind): Promise<number> {
  let best = Infinity;
  try {
    for (const text of kind.before ?? []) await run(client, text);
    for (let i = 0; i < Number(options.times); i++) {
      for (const text of kind.each ?? []) await run(client, text);
      const from = performance.now();
      if (typeof kind.run === 'string') await run(client, kind.run);
      else if (typeof kind.run === 'function') await kind.run(client);
      else for (const text of kind.run) await run(client, text);
      best = Math.min(best, performance.now() - from);
    }
  } finally {
    await run(client, 'ROLLBACK').catch(() => {});
    for (const text of kind.after ?? []) await run(client, text).catch(() => {});
  }
  return best;
}

/** `[user@]port` */
async function open(where: string): Promise<RawClient> {
  const [port, user = 'postgres'] = where.split('@').reverse();
  const client = await RawClient.open(Number(port), { user, options: '-c max_parallel_workers_per_gather=0 -c jit=off' });
  client.patienceMs = 300_000;
  return client;
}

async function main(): Promise<void> {
  const chosen = kinds.filter((kind) => options.only.length === 0 || options.only.some((word) => kind.name.toLowerCase().includes(word.toLowerCase())));
  if (options.list) {
    for (const kind of chosen) console.log(kind.name);
    return;
  }
  const sites: Site[] = [];
  try {
    let ports = options.ports?.split(',');
    if (ports === undefined) {
      for (const product of [undefined, POSTGRESQL]) sites.push(await startSite(product === undefined ? {} : { product }));
      ports = sites.map((site) => String(site.port));
    }
    const clients = [await open(ports[0]!), await open(ports[1]!)] as const;
    const isBig = chosen.some((kind) => kind.name.startsWith('1M'));
    if (isBig) {
      for (const client of clients) {
        if ((await client.query('SELECT to_regclass(\'big\')'))[0]![0] !== null) continue;
        for (const text of [million, 'ALTER TABLE big ADD PRIMARY KEY (id)', 'VACUUM ANALYZE big']) await run(client, text);
      }
    }
    const lines: { ratio: number; text: string }[] = [];
    for (const kind of chosen) {
      try {
        const ours = await measure(clients[0], kind), other = await measure(clients[1], kind);
        const text = `${kind.name.padEnd(46)}${ours.toFixed(1).padStart(9)}${other.toFixed(1).padStart(9)}${(ours / other).toFixed(2).padStart(8)}`;
        console.error(text);
        lines.push({ ratio: ours / other, text });
      } catch (error) {
        console.error(`${kind.name.padEnd(46)} failed: ${(error as Error).message.slice(0, 200)}`);
      }
    }
    console.log(`${'milliseconds'.padEnd(46)}Posthouse PostgreSQL ratio`);
    for (const { text } of lines.sort((a, b) => b.ratio - a.ratio)) console.log(text);
    for (const client of clients) client.Terminate();
  } finally {
    for (const site of sites) await site.remove();
  }
}

await main();
