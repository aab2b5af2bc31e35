-- ==== every command by its other name
\connect - - - -
\html
select 1 as one;
\html
\list no*
\lo_list
\dl
\o /dev/null
\out
\print
select 2 as two \print
\reset
select 3 as three
\w
\w |cat
\reset
\dPti+
\dPit
\e /nowhere/at/all 0
\ef nosuch(
\ef nosuch
\ev nosuch
\ef more 0
\include /nowhere
\include
\include_relative /nowhere
\include_relative
\?x
\password nosuchrole extra
-- ==== unknown commands and options
\foo
\dzz
\d+z nosuch
\lx
\dS+S nosuch
\dT++
\dtiv
\dtvq
\zS
\pset nosuch
\pset format nosuch
\pset format
\pset format a
\pset format l
\pset format u
\pset border x
\pset border -1
\pset border 99999999999
\pset columns -3
\pset pager maybe
\pset pager always
\pset pager off
\pset pager
\pset pager on
\pset pager_min_lines 12
\pset pager_min_lines
\pset expanded maybe
\pset expanded on
\pset expanded off
\pset expanded auto
\pset expanded auto
\pset linestyle nosuch
\pset linestyle old
\pset csv_fieldsep ab
\pset csv_fieldsep "\n"
\pset csv_fieldsep '"'
\pset csv_fieldsep
\pset null
\pset null 'a b' c
\pset numericlocale maybe
\pset numericlocale
\pset tableattr
\pset tableattr 'a b'
\pset title x y
\pset title
\pset tuples_only maybe
\pset tuples_only 1
\pset tuples_only 0
\pset footer 2
\pset unicode_border_linestyle nosuch
\pset unicode_border_linestyle
\pset recordsep '\n\n'
\pset fieldsep '\t'
\pset fieldsep_zero
\pset recordsep_zero
\pset
-- ==== words of commands: quotes, variables, backticks
\set a 'it''s' "a b" c'd'e
\echo :a :'a' :"a"
\echo 'a\tb\nc\x41\101\\' "x\ty" a"b c"d'e f'g
\echo `echo back tick` `echo 'in quotes'`
\echo `false` :SHELL_ERROR
\echo :{?a} :{?nosuch} :nosuch :'nosuch' :"nosuch"
\set b :a:a
\echo :b x:a :a.y ::a
\set c `printf 'two\nlines'`
\echo :'c'
\set q 'say "hi"'
\echo :"q"
\echo -n no newline
\echo
\echo -n
\echo '-n' x
\qecho -n q
\qecho
\warn -n w
\warn
\echo 'unterminated
\echo "unterminated
\echo `unterminated
\echo \\ select 1; \echo two commands \\ \echo in a line
-- ==== set and unset
\set foo
\echo :{?foo} [:foo]
\unset foo
\echo :{?foo}
\unset
\unset a b
\set 1digit x
\set a-b x
\set AUTOCOMMIT maybe
\set AUTOCOMMIT
\set ECHO nix
\set ECHO_HIDDEN nix
\set ON_ERROR_ROLLBACK nix
\set ON_ERROR_STOP nix
\set COMP_KEYWORD_CASE nix
\set HISTCONTROL nix
\set HISTSIZE x
\set IGNOREEOF x
\set IGNOREEOF
\echo :IGNOREEOF
\set FETCH_COUNT x
\set FETCH_COUNT
\echo :FETCH_COUNT
\set PROMPT1
\set VERBOSITY nix
\set SHOW_CONTEXT nix
\set SHOW_ALL_RESULTS nix
\set HIDE_TABLEAM 1
\set QUIET maybe
\set SINGLELINE maybe
\unset AUTOCOMMIT
\echo :AUTOCOMMIT
\unset VERBOSITY
\echo :VERBOSITY
\unset PROMPT1
\echo :{?PROMPT1}
\set DBNAME x
\echo :DBNAME
-- ==== getenv and setenv
\getenv home HOME
\echo :home
\getenv
\getenv x
\getenv x NOSUCHVAR
\echo :{?x}
\setenv FRONT one
\getenv x FRONT
\echo :x
\setenv FRONT
\getenv x FRONT
\echo :x
\setenv
\setenv A=B c
\! echo shell $FRONT
\setenv FRONT two
\! echo shell $FRONT
\! exit 3
\echo :SHELL_ERROR :SHELL_EXIT_CODE
-- ==== if in all nestings
\if true
  \echo 1
  \if false
    \echo no
    \if true
      \echo never
    \else
      \echo never
    \endif
    select 'never';
  \elif 0
    \echo no
  \elif on
    \echo 2
  \else
    \echo no
  \endif
  \echo 3
\else
  \echo no
\endif
\if
\endif
\if maybe
  \echo no
\endif
\if tru
  \echo yes
\endif
\if 1 2 3
  \echo extra
\endif
\elif
\else
\endif
\if true
\else
\else
\elif true
\endif
\if false
  \echo :nosuch `echo never`
  \set z 1
  select :'no;
  ';
  \i /nowhere
  \! echo never
  \unknowncommand
  \c nowhere
\endif
\echo :{?z}
select \if true 1 \else 2 \endif as n;
select \if false 1 \else 2 \endif as n;
select 1 (
\if true
) as x;
\endif
\r
\if true
-- ==== errverbose and verbosity
\errverbose
select 1/0;
\errverbose
\set VERBOSITY verbose
select * from nosuch;
select 1 +;
\set VERBOSITY sqlstate
select 1/0;
\set VERBOSITY terse
select nosuch from child;
\set VERBOSITY default
\set SHOW_CONTEXT always
do $$ begin raise notice 'n'; perform 1/0; end $$;
\set SHOW_CONTEXT never
do $$ begin raise notice 'n'; perform 1/0; end $$;
\set SHOW_CONTEXT errors
do $$ begin raise notice 'n' using hint = 'h', detail = 'd'; raise exception 'e' using errcode = 'P0099', column = 'c', constraint = 'k'; end $$;
\errverbose
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE :SQLSTATE :ERROR :ROW_COUNT
select 1;
\echo :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE :SQLSTATE :ERROR :ROW_COUNT
select 'é', 'wide 表', x from child;
select

   nosuch

from child;
-- ==== where statements end
select 1; select 2;
select 1 \; select 2 \; select 3;
select 'a;b' || "x" from (values ('q')) t(x);
select $$a;b$$, $x$ a $$ ; $x$;
/* a ; /* nested ; */ still */ select 4;
-- a ; comment
select 5 -- behind ;
;
select E'it\'s;', U&'\0041;', B'1', X'F', N'n';
create function front_f() returns int language sql begin atomic select 1; select 2; end;
select front_f();
drop function front_f();
create rule front_r as on insert to child do also (select 1; select 2);
drop rule front_r on child;
select (1;
);
\r
select 'open
literal';
select "open
ident" from (select 1 as "open
ident") x;
;;
;
begin; select 1; rollback;
-- ==== variables in SQL
\set v 42
\set s 'it''s'
\set i 'a "b"'
select :v, :'s', :'v' as "x:v", 'no :v', "y:v" from (select 1 as "y:v") t;
select 1 as :"i";
select :nosuch;
select :'nosuch';
select ':v', $$:v$$, 1::int, array[1,2,3][1:2];
select :v::text, :v :v;
\set rec ':rec x'
select :rec;
select :{?v}, :{?nosuch};
\set semi 'select 1; select 2'
:semi;
:semi
;
-- ==== transactions and AUTOCOMMIT
\set AUTOCOMMIT off
create temp table au (a int);
insert into au values (1);
\echo :AUTOCOMMIT
rollback;
select * from au;
rollback;
\set ON_ERROR_ROLLBACK on
begin;
create temp table au (a int);
select 1/0;
insert into au values (2);
select * from au;
savepoint x;
select 1/0;
commit;
\set ON_ERROR_ROLLBACK interactive
begin;
select 1/0;
select 2;
rollback;
vacuum;
\set AUTOCOMMIT on
start transaction isolation level serializable;
show transaction_isolation;
end;
-- ==== copy of all sorts
create temp table co (a int, b text);
\copy co from stdin
1	one
2	two
\.
copy co from stdin with (format csv);
3,three
\.
\copy co to stdout
\copy (select a from co order by a desc) to stdout csv header
\copy co (a) to stdout
\copy co to '/tmp/front_copy.out'
\copy co from '/tmp/front_copy.out'
\! rm /tmp/front_copy.out
select count(*) from co;
\copy co to program 'cat | sort -r'
\copy co from program 'echo 9; exit 3'
\copy co from program 'printf "7\tseven\n"'
\copy co from '/nowhere'
\copy co to '/nowhere/x'
\copy nosuch from stdin
\copy
\copy co
\copy co frm x
\copy co from
\copy (select 1
\copy co from stdin (format nix)
\copy co from stdin
1	x	y
\.
\copy co from pstdin
\copy binary co to stdout
copy co to stdout; select 'behind';
copy (select 1) to stdout \g /dev/stdout
copy (select 1) to stdout \g | cat
\copy co (b) from stdin with (null 'N')
N
\.
select count(*) from co where b is null;
-- ==== numbers and alignment
\pset null ∅
select 1::int, 1::int8, 1.50::numeric, 1::float8, 'NaN'::float8, '1'::text, 1::oid, '1 day'::interval, now()::date - now()::date, '$1.00'::money, array[1], 'a'::"char", true, '{}'::json, null;
\pset numericlocale on
select 1234567, 1234567.89, -1234567.1, 123, 'x1234567', 1e30::float8, 12345678901234567890::numeric, '1234'::text;
\x
select 1234567, 1234567.89;
\x
\pset format csv
select 1234567.5;
\pset format unaligned
select 1234567.5;
-- ==== expanded, with lines and widths
\x
select 1 as a, E'two\nlines' as b, repeat('x', 100) as "a longer name";
\pset border 2
select 1 as a, E'two\nlines' as b, null as "a longer name";
\pset linestyle unicode
select 1 as a, E'two\nlines\nthree' as b, E'x' as E from generate_series(1, 2);
\t
select 1 as a, 2 as b from generate_series(1, 2);
\t
\pset columns 30
\pset format wrapped
select 1 as a, repeat('many words ', 9) as b, repeat('x', 70) as c;
\pset border 0
select 1 as a, repeat('many words ', 9) as b, repeat('x', 70) as c;
\pset title 'expanded'
select where false;
select 1 as a where false;
\pset expanded auto
select 1 as a, repeat('many words ', 9) as b;
select 1 as a;
-- ==== wrapped headers and cells
\pset format wrapped
\pset columns 40
select 'a' as "a very long header that must be wrapped", repeat('word ', 20) as "b", 12345678901234567890 as number;
select repeat('表', 30) as wide, repeat('e' || U&'\0301', 30) as combining;
select E'tab\there\nnew\rcr' as control, E'\u200b' as zero, E'\x01\x7f' as c1;
\pset border 2
select 'a' as "header
of two lines", repeat('word ', 20) as "b";
\pset columns 0
select 1;
\pset columns 3
select 'too narrow' as x, 'for this' as y;
-- ==== fetch count
\set FETCH_COUNT 3
select g, repeat('x', g) as x from generate_series(1, 8) g;
select g from generate_series(1, 8) g \gx
select 1 where false;
select 1/(3-g) from generate_series(1, 5) g;
\pset format unaligned
select g, 'y' from generate_series(1, 4) g;
\pset format csv
select g, 'y' from generate_series(1, 4) g;
\pset format html
select g from generate_series(1, 4) g;
insert into child (pid) values (null) returning 1;
values (1), (2);
explain (costs off) select 1;
-- ==== timing, quiet, echo
\timing maybe
\timing off
\timing
\timing
\set QUIET on
create temp table qt (a int);
\timing off
\set QUIET off
insert into qt values (1);
\set ECHO queries
select 1; select 2;
\set ECHO all
select 3;
\echo x
\set ECHO errors
select 4;
select 1/0;
\set ECHO none
\set ECHO_HIDDEN on
\dn public
\set ECHO_HIDDEN noexec
\dt qt
\set ECHO_HIDDEN off
-- ==== watch and its errors
select 1/0 \watch 0.01
\watch
\r
-- ==== conninfo, connect, encoding
\encoding
\encoding nosuch
\encoding LATIN1
\encoding
select 'x';
\encoding UTF8
\c nosuchdb
select current_database();
\c - nosuchrole
\c "dbname=nosuchdb"
\c -reuse-previous=maybe x
\c -reuse-previous=on "application_name=front"
show application_name;
\c postgres
select current_database();
\c corpus
\echo :DBNAME :USER
-- ==== large objects
\lo_import /nowhere
\lo_import /dev/null 'a comment'
\lo_list nothing else
\lo_export :LASTOID /nowhere/x
\lo_export x /dev/null
\lo_export
\lo_unlink :LASTOID
\lo_unlink 1
\lo_unlink
\lo_import
-- ==== gset, gexec, gdesc and g in odd places
\gset
\gexec
\gdesc
select 1 as a \gset
\gset b_
\echo :a :b_a
select 2 \g nosuch/dir/file
select 6 \g ( format = csv )
select 7 \g ()
select 8 \g (format=csv
select 9 as "9" \gset p
\echo :p9
select 'drop table if exists nosuch_front', 'select 10 as ten' \gexec
select 'select 1/0' \gexec
select format('select %s as n', g) from generate_series(1, 3) g \gexec
\set AUTOCOMMIT off
select 'select 11' \gexec
rollback;
\set AUTOCOMMIT on
select 1 \gdesc \echo behind
select \gdesc
with x as (select 1 as a) select * from x \gdesc
-- ==== sf and sv
create or replace function front_sf(a int, b text default 'x') returns int language plpgsql as $$
begin
  -- body
  return a;
end $$;
\sf front_sf
\sf+ front_sf
\sf front_sf(int, text)
\sf front_sf(int)
\sf nosuch
\sf
\sf nosuch.f
\sf+ abs
\sf abs(int4)
create or replace view front_sv as select 1 as a, 'x' as b where true;
\sv front_sv
\sv+ front_sv
\sv nosuch
\sv
\sv child
\sv+
drop view front_sv;
drop function front_sf;
-- ==== crosstab odds
\pset format unaligned
values ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3) \crosstabview
values ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3) \crosstabview column1 column2 column3
values ('a', 'x', 1), ('a', 'x', 2) \crosstabview
values (1, 'x', 1, 3), (1, 'y', 2, 1) \crosstabview 1 2 3 4
values (1, 'x', 1, 3), (1, 'y', 2, 1) \crosstabview "column1" "Column2"
values (1, 'x', 1, 'z') \crosstabview 1 2 3 4
values (1, 'x') \crosstabview
values (1, 'x', 2) \crosstabview 1 1
values (1, 'x', 2) \crosstabview 0
values (1, 'x', 2) \crosstabview 1 2 3 4 5
select where false \crosstabview
-- ==== tuples only with everything
\t on
select 1 as a, 2 as b;
\x
select 1 as a, 2 as b union all select 3, 4;
\x
\a
select 1 as a, 2 as b;
\f '|'
\f
select 1 as a, 2 as b;
\C title
select 1;
\C
\T class=x
\H
select 1 as "<a>";
\T
\H
\a
\t off
\t maybe
-- ==== input from a file, variables of it [-v one=1 -v two -v=x]
\echo :one :two
-- ==== single transaction, stop at error [-1 -v ON_ERROR_STOP=1 -f -]
create temp table st (a int);
select 1/0;
select 2;
-- ==== fields and records [-At0z]
select 1, 2 union all select 3, 4;
-- ==== csv from the start [--csv]
select 'a,b' as "x,y", E'q"\n' as q, null as n;
-- ==== echo all and log [-a -L /nowhere/log]
select 1;
\echo x
-- ==== single line [-S]
select 1
select 2; select 3
\echo x
-- ==== echo hidden [-E]
\dn public
-- ==== quiet html with attributes [-qH -T border=3 -P title=t]
select 1 as a;
-- ==== step by step [-s]
select 1;
-- ==== describe by patterns of marks
\do ||
\do pg_catalog.||
\do pg_catalog."||"
\do+ |/
\do ~~*
\do+ pg_catalog.^@
\df generate_series
\dT+ bool
\dFp+ default
\dAo+ btree integer_ops
-- ==== notify
listen front_a;
notify front_a;
notify front_a, 'it''s';
select 1;
unlisten front_a;
-- ==== notices in all levels
set client_min_messages = debug1;
do $$ begin raise debug 'd'; raise log 'l'; raise info 'i'; raise notice 'n' using hint='h'; raise warning 'w' using detail='d', errcode='01999'; end $$;
-- ==== composite and arrays in output
select row(1,'a b',null), array['x','y z',null], '{"a":1}'::jsonb, '<a/>'::xml, b'101', '12:00'::time, 'infinity'::timestamp, E'\\x01ff'::bytea, point(1,2), int4range(1,5);
select * from (values ('a', 1), (null, null)) v(" spaced name ", "x""y");
select 1 as a, 2 as a, 3 as "A";
select array[[1,2],[3,4]]::text, ' lead and trail ' as t, '' as empty;
-- ==== copy binary and csv
\copy (select 1, 'a,b', null, E'q"x\ny') to stdout csv
\copy (select 1, 'a,b', null) to stdout with (format csv, header, delimiter ';', null 'N', force_quote *)
copy (select E'tab\there', E'back\\slash', E'cr\rlf\n') to stdout;
create temp table cb (a int, b text);
copy cb from stdin csv header;
a,b
1,"two
lines"
2,\.
\.
select * from cb;
copy cb from stdin;
1	a\tb\nc\\d
\N	\N
\.
select * from cb;
copy cb from stdin \g
5	five
\.
select count(*) from cb;
begin; copy cb from stdin; select count(*) from cb; rollback;
6	six
\.
-- ==== errors at all positions
select 1
from nosuch
where x = 1;
select a, bb from (select 1 as a) t;
	select	tabbed from child;
select 'éééé', nosuchcol from child;
select '表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表', nosuchcol, '表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表表' from child;
select aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb from child;
do $$ begin execute 'select 1 from nosuch'; end $$;
create function front_bad() returns int language sql as 'select nosuch';
select (;
);
insert into child (pid) values ('x');
insert into child (cid) values (1), (1);
select to_char(now(), 'x') + 1;
-- ==== stop at an error [-v ON_ERROR_STOP=1]
select 1;
select 1/0;
select 2;
-- ==== single transaction [-1]
create temp table s1 (a int);
insert into s1 values (1);
select 1/0;
select * from s1;
-- ==== pset from the command line [-P format=csv -P null=N -P footer=off -P border=2 -x]
select 1 as a, null as b;
-- ==== variables [-v a=1 -v b= -v c --set=d=x=y]
\echo [:a] [:b] :{?c} [:d]
-- ==== echo errors [-b]
select 1/0;
-- ==== html [-H]
select '<&>"' as "<b>", E'a\nb', null;
\x
select 1 as a;
-- ==== output [-o /dev/null]
select 1;
\echo x
\qecho y
\! echo z
