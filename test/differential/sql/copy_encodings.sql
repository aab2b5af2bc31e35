-- COPY in other encodings, and what is looked at first.
CREATE TABLE en (n int, word text);
INSERT INTO en VALUES (1, 'größer'), (2, 'żółw'), (3, '馬');
COPY (SELECT n, word FROM en WHERE n = 1) TO STDOUT (ENCODING 'LATIN1');
COPY (SELECT n, word FROM en WHERE n < 3 ORDER BY n) TO STDOUT (FORMAT csv, FORCE_QUOTE *, ENCODING 'win1250');
COPY (SELECT n, word FROM en WHERE n = 3) TO STDOUT (ENCODING 'Shift_JIS');
COPY en TO STDOUT (ENCODING 'LATIN2');
COPY en TO STDOUT (ENCODING 'unheard-of');
COPY en TO STDOUT (ENCODING 7);
COPY not_there TO STDOUT (FORMAT nonsense);
COPY not_there FROM STDIN (DELIMITER 'xy');
SELECT convert_from('\x81', 'WIN1252');
SELECT convert_from('\x98', 'WIN1251');
-- What a trigger does stands before the line in the CONTEXT.
CREATE TABLE en_words (word text);
CREATE FUNCTION en_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
CREATE TRIGGER en_refuse BEFORE INSERT ON en_words FOR EACH ROW EXECUTE FUNCTION en_refuse();
COPY en_words FROM '/usr/share/postgresql/15/tsearch_data/turkish.stop';
DROP TABLE en_words;
DROP FUNCTION en_refuse;
CREATE ROLE en_nobody;
SET ROLE en_nobody;
COPY en TO PROGRAM 'cat';
COPY en FROM PROGRAM 'cat';
RESET ROLE;
DROP ROLE en_nobody;
DROP TABLE en;
