-- Literals in parts: PostgreSQL 18's scanner, which is ours, no longer reads comments between them.
SELECT 'a' -- one
'b';
SELECT 'a'
-- one
   -- two
  'b' -- three

'c' AS abc, 'd' 'e';
SELECT 'a' -- one
  'it''s' || E'x\'' -- two
'\ty', E'\x41' -- 'not this'
'\x42', U&'\0041' -- u
'\0042';
SELECT 'no' /* comment */ 'b';
SELECT 'no' /* comment
*/ 'b';
SELECT 'no' -- comment
/* another */
'b';
SELECT b'10' -- bits
'01', x'1' -- more
'F';
SELECT $$'a' -- in dollars
'b'$$, $t$'a' -- $$
'b'$t$, "c'" FROM (SELECT 1 AS "c'") AS s /* 'a' /* -- */
'b' */ WHERE 'x' -- here
'y' = 'xy';
SELECT 'a' -- one
'b' FROM nowhere_to_be_found;
SELECT 'a' -- one
'b' WHERE WHERE;
INSERT INTO nowhere_to_be_found VALUES ('a' -- one
'b', 1);
CREATE FUNCTION continued_literal() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN 'a' -- one
    'b' || 'c' -- two
'd';
END $$;
SELECT continued_literal();
DROP FUNCTION continued_literal();
