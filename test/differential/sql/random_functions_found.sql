-- What random calls of functions found, each with what it was.

-- V8 looks around also between the two halves of a character beyond U+FFFF: an empty text was found there, so that '😀' ~ '^$'.
select 'a😀' ~ '^$', '😀' ~ '^$', '😀' ~ '^x*$', '😀' similar to '', 'a😀b' ~ '\A\Z', regexp_count('😀😀', '^'), regexp_substr('Zoë ❄ 𝄞', '^.*$', 3);
select regexp_replace('a😀', '^', 'X', 'g'), regexp_replace('a😀b', '\A|b', 'X', 'g'), regexp_replace('a😀', '$', 'X', 'g'), regexp_split_to_array('😀a😀', '^|$'), regexp_replace('a😀', '\Z', '-', 'g');
select regexp_replace('x😀', '(?<!x)', '-', 'g'), regexp_replace('x😀', '(?!x)', '-', 'g'), regexp_replace('x😀y', '(?<=[^x])', '-', 'g'), regexp_replace('😀x', '\M', '-', 'g'), '😀' ~ '(?<!x)(?!😀)', 'x😀' ~ '(?<!x)$';
select regexp_replace(E'x😀\n😀y', '^', '-', 'gn'), regexp_replace(E'x😀\n😀y', '$', '-', 'gn'), regexp_matches(E'a\nb\nc', '^(.)$', 'gn'), regexp_replace(E'a\nb\n', '\Z', '-', 'gn');

-- A negative smallint as an oid.
select x::int2::oid, x::int2::regtype, x::int2::oid > 5::oid, x::int2::regclass::int4 from (values (-1), (-7)) v(x);
select '-7'::int2::oid, '-7'::int2::regproc;

-- What stands last in a pattern of LIKE may not be an escape: "%" looks ahead for it.
select 'ß' like '%_\';
select '' like '%\', 'a' like 'a%\', 'a' like 'a%_\';
select 'ab' like 'a%_\';

-- Options of ts_headline that cannot be read were left out.
select ts_headline('english', 'a b c', 'b', 'x');
select ts_headline('english', 'a b c', 'b', 'StartSel=<, StopSel = ">>" =');
select ts_headline('english', 'a b c', 'b', 'StartSel=<, , StopSel = "x""y" ,');
select ts_token_type('x y');
select jsonb_to_tsvector('simple', '{"a": "b"}', '["string", []]');
select * from json_to_recordset(null);
select json_to_recordset(null::json);
select inet_server_addr();
-- Modifiers of types that have none.
select format_type(1000, 0), format_type(16, 3), format_type(1560, 3), format_type(25, 3), format_type(1184, 3), format_type(19, 4), format_type(790, 4);
-- It is rounded when it is added.
select '0/1'::pg_lsn + -0.5, 'FFFFFFFF/FFFFFFFF'::pg_lsn + -0.5, '0/0'::pg_lsn + 0.5;
select x::regconfig, x::regdictionary, x::regcollation from (values (-1), (-7)) v(x);
