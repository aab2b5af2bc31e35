-- EXECUTE of texts that differ in their numbers only uses one plan for all: whatever a number decides must be seen anew.
CREATE TABLE dt (a int PRIMARY KEY, b text, n numeric);
INSERT INTO dt SELECT i, 'row ' || i, i / 4.0 FROM generate_series(1, 20) i;
DO $$ DECLARE r text; BEGIN
  FOR i IN -3..3 LOOP EXECUTE 'SELECT 10 - ' || i || '::text' INTO r; RAISE NOTICE '%', r; END LOOP;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;
DO $$ DECLARE r text; BEGIN
  FOR i IN -3..3 LOOP EXECUTE 'SELECT 10 - (' || i || ')' INTO r; RAISE NOTICE '%', r; END LOOP;
  FOREACH r IN ARRAY ARRAY['1', '99999', '2147483647', '2147483648', '-2147483648', '99999999999999999999', '1.5', '1e3'] LOOP
    EXECUTE 'SELECT pg_typeof(' || r || ')::text' INTO r; RAISE NOTICE '%', r;
  END LOOP;
  FOR i IN 1..3 LOOP EXECUTE 'SELECT b FROM dt ORDER BY ' || i || ' DESC LIMIT 1' INTO r; RAISE NOTICE '%', r; END LOOP;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;
DO $$ DECLARE r text; c int; BEGIN
  FOR i IN 1..3 LOOP EXECUTE 'SELECT a, b FROM dt ORDER BY ' || i % 2 + 1 || ' DESC LIMIT ' || i INTO r; RAISE NOTICE '%', r; END LOOP;
  FOR i IN 18..22 LOOP
    EXECUTE 'UPDATE dt SET n = n + ' || i || ' WHERE a = ' || i;
    GET DIAGNOSTICS c = ROW_COUNT;
    EXECUTE 'SELECT n FROM dt WHERE a = ' || i INTO r;
    RAISE NOTICE '% % % %', i, c, r, FOUND;
  END LOOP;
  FOR i IN 19..22 LOOP
    BEGIN
      EXECUTE 'SELECT b FROM dt WHERE a >= ' || i INTO STRICT r;
      RAISE NOTICE '%', r;
    EXCEPTION WHEN no_data_found OR too_many_rows THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END;
  END LOOP;
  FOR i IN REVERSE 1..-1 LOOP
    BEGIN
      EXECUTE 'INSERT INTO dt VALUES (' || i || ', ''again'', 7 / ' || i || ')';
    EXCEPTION WHEN unique_violation OR division_by_zero THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END;
  END LOOP;
  FOR i IN 8..11 LOOP EXECUTE 'SELECT numeric(' || i || ', 2) ''12345678.129''' INTO r; RAISE NOTICE '%', r; END LOOP;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$;
-- The same shape runs inside itself.
CREATE FUNCTION dt_sum(n int) RETURNS int LANGUAGE plpgsql AS $$ DECLARE r int; BEGIN
  IF n <= 0 THEN RETURN 0; END IF;
  EXECUTE 'SELECT dt_sum(' || n - 1 || ')' INTO r;
  RETURN n + r;
END $$;
SELECT dt_sum(4);
SELECT dt_sum(6);
SELECT dt_sum(2), dt_sum(3);
-- A plan is made again when what it rests on has changed; errors point into the text of now.
DO $$ DECLARE r text; BEGIN
  EXECUTE 'SELECT b FROM dt WHERE a = 3' INTO r; RAISE NOTICE '%', r;
  ALTER TABLE dt RENAME b TO c; ALTER TABLE dt ADD b text DEFAULT 'new';
  EXECUTE 'SELECT b FROM dt WHERE a = 12' INTO r; RAISE NOTICE '%', r;
  SET LOCAL datestyle = 'German';
  FOR i IN 1..2 LOOP EXECUTE 'SELECT date ''2024-03-01'' + ' || i INTO r; RAISE NOTICE '%', r; END LOOP;
  SET LOCAL datestyle = 'SQL, DMY';
  FOR i IN 1..2 LOOP EXECUTE 'SELECT (date ''03/01/2024'' + ' || i || ')::text' INTO r; RAISE NOTICE '%', r; END LOOP;
  SET LOCAL datestyle = 'SQL, MDY';
  FOR i IN 1..2 LOOP EXECUTE 'SELECT (date ''03/01/2024'' + ' || i || ')::text' INTO r; RAISE NOTICE '%', r; END LOOP;
END $$;
DO $$ BEGIN FOR i IN 9..11 LOOP EXECUTE 'SELECT ' || i || ' / (10 - ' || i || ')'; END LOOP; END $$;
DO $$ BEGIN FOR i IN 9..11 LOOP EXECUTE 'SELECT ' || i || ', nosuch + 1'; END LOOP; END $$;
DO $$ BEGIN FOR i IN 9..11 LOOP EXECUTE 'SELECT ' || i || ' INTO nosuch'; END LOOP; END $$;
SELECT 9 INTO dt_made;
DO $$ BEGIN EXECUTE 'SELECT 8 INTO dt_other'; END $$;
DO $$ BEGIN EXECUTE 'SELECT 8; SELECT 9'; END $$;
DROP TABLE dt, dt_made; DROP FUNCTION dt_sum;
