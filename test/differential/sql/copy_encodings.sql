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
GRANT pg_execute_server_program TO en_nobody;
GRANT ALL ON en TO en_nobody;
SET ROLE en_nobody;
-- A program was refused.
COPY en FROM PROGRAM 'printf "4\tvier\n5\t\\N\n"';
COPY en FROM PROGRAM 'echo 6,sechs; exit 3' (FORMAT csv);
COPY en (n) FROM PROGRAM 'echo 7; exit 127';
COPY en (n) FROM PROGRAM 'exit 126';
COPY en (n) FROM PROGRAM 'kill -9 $$';
COPY en (n) FROM PROGRAM 'echo x';
-- It has more to say than is heard.
COPY en (n) FROM PROGRAM 'echo 8; echo "\."; yes 1';
COPY en (word) FROM PROGRAM 'printf "\344\n"' (ENCODING 'LATIN1');
COPY en TO PROGRAM 'cat > /dev/null';
COPY en TO PROGRAM 'cat > /dev/null; exit 4';
COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000)) TO PROGRAM 'exit 5';
COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000)) TO PROGRAM 'true';
COPY (SELECT 1 / (n - n) FROM en) TO PROGRAM 'cat > /dev/null';
TABLE en ORDER BY n, word;
RESET ROLE;
REVOKE ALL ON en FROM en_nobody;
DROP ROLE en_nobody;
DROP TABLE en;
-- Characters of two codes, syllables beyond KS X 1001, controls of ISO 8859, characters beyond the BMP.
SELECT convert_to(U&'\2116\2170\7E8A\00A2\203E', 'SJIS'), convert_to(U&'\4E02', 'EUC_JP'), convert_to(U&'\AC02\D7A3\20AC', 'UHC'), convert_to(U&'\0085\00E4', 'LATIN2'), convert_to(U&'\+01F600', 'GB18030');
SELECT convert_from('\x8141c652a2e6', 'UHC'), ascii(convert_from('\x85', 'ISO_8859_5')), convert_from('\x9439fc36', 'GB18030'), convert_from('\x8191eeef', 'SJIS');
SELECT convert_to(U&'\4E02', 'EUC_CN');
