-- standard_conforming_strings = off was refused: the grammar reads standard literals only. Now plain ones are made standard
-- before it sees them; warnings, errors and places are those of the text as it was sent.
SET standard_conforming_strings = off;
SHOW standard_conforming_strings;
SELECT 'a\\bcd' AS f1, 'a\\b\'cd' AS f2, 'a\\b\'''cd' AS f3, 'abcd\\' AS f4, '\\' AS f6;
SELECT 'tab\there', 'one\101\x42\u0043\U00000044', 'caf\u00e9', '\q\"', n'x\ty', length('\n');
SELECT 'abc\n'
  'def\t' -- a comment
  'ghi', 1/0;
SELECT '\u00e9\u00e9', nothing;
SELECT '\u00e9\u00e9' FROM WHERE;
SELECT '\u00e9' 1 'a\'b\u00e9' FROM x;
SELECT x '1\t' '\u00e9';
SELECT '\ud83d\ude00', length('\ud83d\ude00');
SELECT 'é\\ü' || 'x', nowhere.column;
SELECT U&'d\0061ta';
SELECT U&"c\0061se" FROM (SELECT 1 AS "case") x;
SELECT U&'' AS tricky;
SELECT '\u12';
SELECT 'ü', 'x\u0000y';
SELECT 'x\ud83dy';
SELECT 'x\ude00y';
SELECT 'a\0b';
SELECT 'a\xffb';
SELECT '\xc3\xa9';
SELECT 'never closed\';
SELECT $$do not\touch$$, E'but\\this', b'01', x'1f', "x\y" FROM (SELECT 1 AS "x\y") t /* it's \n */ -- isn't \n
;
SELECT $tag$'\n'$tag$, 'it''s\tit';
SET escape_string_warning = off;
SELECT 'quiet\\', 'a\'b';
SELECT 1 AS one, 'a\\'::text;
SELECT 2 AS one, 'a\\'::text;
SET backslash_quote = off;
SELECT 'a\'b';
SELECT 'a''b\\', E'x\'y';
SET standard_conforming_strings = on;
SELECT 'a\';
SELECT E'x\'y';
RESET backslash_quote;
SELECT E'x\'y';
SET standard_conforming_strings = off;
RESET escape_string_warning;
CREATE FUNCTION escapes_sql() RETURNS text LANGUAGE sql AS $$ SELECT 'a\\b' || 'c\'d' $$;
SELECT escapes_sql();
CREATE FUNCTION escapes_sql2() RETURNS text LANGUAGE sql AS 'SELECT ''x'' || ''y\\\\z''';
SELECT escapes_sql2();
CREATE FUNCTION escapes_pl() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v text := 'dé\\cl'; --
BEGIN
  RAISE NOTICE 'foo\\bar\041baz %', 'x\ty'; --
  v := v || 'q\'r'
    's\n'; --
  EXECUTE 'SELECT \'in\\\\side\'' INTO v; --
  RETURN v || 'foo\\bar\041baz'; --
END $$;
SELECT escapes_pl();
SELECT escapes_pl();
CREATE FUNCTION escapes_bad() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN U&'a\0061'; --
END $$;
CREATE FUNCTION escapes_bad() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN 'a\u12'; --
END $$;
DO $$ BEGIN RAISE NOTICE 'do\\it'; END $$;
CREATE TABLE escapes_t (a text DEFAULT 'de\\fault', CHECK (a <> 'no\\'));
INSERT INTO escapes_t DEFAULT VALUES;
INSERT INTO escapes_t VALUES ('x\\y'), ('1\t2');
SELECT * FROM escapes_t;
CREATE VIEW escapes_v AS SELECT a || '\\' AS b FROM escapes_t;
SELECT pg_get_viewdef('escapes_v'), pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'escapes_t'::regclass;
PREPARE escapes_p AS SELECT 'p\\q';
EXECUTE escapes_p;
EXECUTE escapes_p;
DO 'BEGIN PERFORM \'a\\\\b\'; END';
SET standard_conforming_strings = on;
SELECT escapes_sql(), escapes_sql2();
SELECT pg_get_viewdef('escapes_v'), pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'escapes_t'::regclass;
EXECUTE escapes_p;
SELECT 'a\\b\n';
