-- Configurations of many languages, what is checked when a dictionary is made, and how ranks are rounded.
SELECT to_tsvector('swedish', 'hundarna sprang över gatorna'), to_tsvector('finnish', 'koirat juoksivat kaduilla'), to_tsvector('basque', 'etxeetan dauden txakurrak');
SELECT to_tsvector('greek', 'ΟΙ ΣΚΎΛΟΙ ΤΡΈΧΟΥΝ ΣΤΟΥΣ ΔΡΌΜΟΥΣ'), to_tsvector('serbian', 'пси трче улицама'), to_tsvector('hindi', 'कुत्ते सड़कों पर दौड़ते हैं');
SELECT to_tsquery('catalan', 'gossos & (carrers | places)'), websearch_to_tsquery('norwegian', '"hundene løper" -gatene'), phraseto_tsquery('romanian', 'câinii aleargă repede');
SELECT ts_headline('portuguese', 'Os cachorros correm pelas ruas da cidade velha', to_tsquery('portuguese', 'cachorro & rua'));
SELECT alias, lexemes FROM ts_debug('hungarian', 'A kutyák az utcán futnak, 3 km-t');
SELECT ts_rank('w:2,5A x:3B z:8'::tsvector, 'w | x', 2 | 8), ts_rank('{0.1, 0.3, 0.7, 0.9}', 'w:2,5A,6B,11 x:3B'::tsvector, 'w | x | z');
CREATE TEXT SEARCH DICTIONARY tl_bad (TEMPLATE = snowball, LANGUAGE = danish, STOPWORDS = not_there);
CREATE TEXT SEARCH DICTIONARY tl_good (TEMPLATE = snowball, LANGUAGE = Danish, STOPWORDS = danish);
ALTER TEXT SEARCH DICTIONARY tl_good (STOPWORDS = not_there);
SELECT ts_lexize('tl_good', 'Hundene'), ts_lexize('tl_good', 'ikke'), ts_lexize('greek_stem', 'ΔΡΌΜΟΣ'), ts_lexize('simple', 'ΔΡΌΜΟΣ');
SELECT ('''' || repeat('long', 600) || ''' & b')::tsquery;
DROP TEXT SEARCH DICTIONARY tl_good;
-- How much a tsvector holds; weights that are none; a search of signs alone; what the built-in dictionaries depend on.
SELECT length(string_agg(i::text, ' ')::tsvector) FROM generate_series(1, 200000) i;
SELECT length(to_tsvector('simple', string_agg('w' || i, ' '))) FROM generate_series(1, 200000) i;
SELECT cardinality(positions) FROM unnest((SELECT 'many:' || string_agg(i::text, ',') FROM generate_series(1, 400) i)::tsvector);
SELECT cardinality(positions) FROM unnest(to_tsvector('simple', repeat('many ', 400)));
SELECT * FROM ts_stat($$VALUES ('b:3A c:4'::tsvector), ('b')$$, 'x?') ORDER BY 1;
SELECT websearch_to_tsquery('simple', '!( )') a, websearch_to_tsquery('simple', ':') b;
SELECT websearch_to_tsquery('simple', '   ') c;
SELECT pg_describe_object(classid, objid, objsubid), deptype FROM pg_depend WHERE refobjid = 'english_stem'::regdictionary AND refclassid = 'pg_ts_dict'::regclass ORDER BY 1;
DROP TEXT SEARCH TEMPLATE snowball;
-- Hosts without a domain, ports of addresses, numbers that begin words, files at home, what only looks like a tag.
SELECT t, string_agg(alias || '=' || token, ' | ' ORDER BY n) FROM (VALUES ('see http://intranet:8080/wiki or ftp://box'), ('http://my-box/x'), ('me@mail.example.org:25/in'),
  ('7z-file 3d-print-2b a-1b'), ('3.5cm 1.2.3beta 2.5e3m 1e5x +5kg -0x1f 12_13'), ('~joe/notes ~root /~ann a_b.c www..org'), ('foo.bar-baz up.com_x host.ab1'), ('<?php echo?> <?xml v?>'),
  ('ftp://http://x.org/y'), ('see <http://x.org/y> BSD-3-clause, <br/><a:b c="d"></p>')) v (t), LATERAL (SELECT row_number() OVER () n, * FROM ts_debug('simple', t)) d GROUP BY t ORDER BY t;
-- ts_headline's options are read as a whole, what is no list is refused; fragments may be found in longer covers; weights do not matter.
select ts_headline('a b', 'a'::tsquery, 'MaxWords'); select ts_headline('a b', 'a'::tsquery, 'MaxWords='); select ts_headline('a b', 'a'::tsquery, '=3'); select ts_headline('a b', 'a'::tsquery, 'StartSel="<');
select ts_headline('[1]'::json, 'a', 'a b'); select ts_headline('a b', 'a'::tsquery, 'MaxWords=99999999999'); select ts_headline('a b', 'a'::tsquery, 'Nope=1');
select ts_headline('a b', 'a'::tsquery, 'StartSel="a""b", StopSel=''q'''), ts_headline('a b', 'a'::tsquery, E'StartSel = [ ,\n StopSel = ]'), ts_headline('simple'::regconfig, 'a b fox c', 'fox:A');
select ts_headline('english', repeat('aaa bbb ccc. ', 30) || 'the fox ' || repeat('x y z ', 40) || 'dog end', to_tsquery('english', 'fox & dog'), 'MaxFragments=3, MaxWords=7, MinWords=3');
select ts_headline('english', repeat('filler text ', 100) || 'fox' || repeat(' more text', 100) || ' dog end', 'fox & dog', 'MinWords=3,MaxWords=6');
-- Words come from ts_stat from the last to the first; the last position of all keeps the first weight it was given.
select * from ts_stat('select v::tsvector from (values (''b d''), (''a b c d e''), ('''')) x (v)');
select 'a:1,16383A'::tsvector || 'b:1B,2C'::tsvector, 'a:16383A'::tsvector || 'a:1B'::tsvector, 'a:16380A'::tsvector || 'a:1B,2C,3D,4A'::tsvector;
select * from ts_parse('no "such" parser', 'x'); select * from ts_parse('No.such', 'x');
