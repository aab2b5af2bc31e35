-- ==== basics
select 1;
select 1 as a, 2 as b; select 3;
select
  1
  ;
create temp table t (a int);
insert into t values (1), (2);
update t set a = 3;
delete from t;
select 1 where false
-- ==== echo all [-a]
-- a comment
select 1; -- trailing

/* block
comment */ select 2;
\echo hi
select 'multi
line';
-- ==== echo queries [-e]
select 1;
select 2; select 3;
\echo x
insert into nix values (1);
-- ==== echo errors [-b]
select 1;
select 1/0;
-- ==== errors
select * from nix;
select 1/0;
selec 1;
select 'a very long line that goes on and on for quite some time so that it has to be cut', foo, 'and more behind the place so that both ends are cut off';
select
  1,
  bar
from nix;
	select	tabbed;
select 'äöü', foo;
do $$ begin raise exception 'x' using detail = 'd', hint = 'h'; end $$;
do $$ begin raise notice 'note'; raise warning 'warn' using detail = 'dd'; end $$;
do $$ begin perform 1/0; end $$;
select 1
-- ==== verbosity
\set VERBOSITY verbose
select 1/0;
select * from nix;
create temp table u (a int primary key);
insert into u values (1);
insert into u values (1);
\set VERBOSITY terse
insert into u values (1);
select * from nix;
\set VERBOSITY sqlstate
insert into u values (1);
\set VERBOSITY foo
\set VERBOSITY default
\errverbose
\set SHOW_CONTEXT always
do $$ begin raise notice 'n'; end $$;
\set SHOW_CONTEXT never
do $$ begin perform 1/0; end $$;
-- ==== errverbose none
\errverbose
-- ==== stop on error [-v ON_ERROR_STOP=1]
select 1;
select 1/0;
select 2;
-- ==== stop on bad command [-v ON_ERROR_STOP=1]
\foo
select 2;
-- ==== variables
\set a 1
\set b 'x y'
\set c foo bar baz
\set d
\echo :a :b :c :d :nix
\echo :'b' :"b" :{?a} :{?nix}
select :a, :'b', :"b" from (select 1 as "x y") s;
select :nix;
\set e 'it''s'
select :'e';
\set f :a:b
\echo :f
select ':a', ":a" from (select 1 as ":a") s;
select 1::int, array[1,2][1:2];
select :{?a}, :{?nope};
\unset a
\echo :a
\set bad-name x
\set 1 one
\echo :1
\set q 'select 5;'
:q
\set s1 'select'
:s1 6;
-- ==== special variables
select 1/0;
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
select 1 union select 2;
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
\echo :DBNAME :USER :PORT :HOST :ENCODING :SERVER_VERSION_NUM :AUTOCOMMIT :QUIET :FETCH_COUNT
\set AUTOCOMMIT foo
\set FETCH_COUNT x
\set ECHO nix
\set ON_ERROR_ROLLBACK nix
\set QUIET
\echo :QUIET
\set QUIET off
\unset FETCH_COUNT
\echo :FETCH_COUNT
-- ==== backslash and quoting
\echo 'a b' "c d" e'f'g \\ select 7;
\echo -n no newline
\echo
\echo 'x\ny\tz\101\x42'
\echo `echo from shell`
\echo 'unterminated
\echo "unterminated
\echo :nix:'nix'
\qecho to output
\warn to stderr
\echo one two \echo three
select 1 \; select 2;
select 1\; select 2 \g
select '\\';
-- ==== g and gx
select 1 as a \g
select 1 as a, 2 as b \gx
select 3 as c
\g
\g
select 1 as a \g (format=csv)
select 1 as a, 'x' as b \g (format=unaligned tuples_only=on fieldsep=';')
select 1 as a \g (format=csv border=2
select 1 as a \g (nix=1)
select 1 as a;
select 'to pipe' \g |cat
select 'to file' \g /tmp/psql_corpus_out.txt
\! cat /tmp/psql_corpus_out.txt; rm /tmp/psql_corpus_out.txt
-- ==== gset
select 1 as a, 'x y' as b, null as c \gset
\echo :a :b :{?c}
select 2 as a \gset p_
\echo :p_a
select 1 where false \gset
select 1 union select 2 \gset
select 1 as "bad name" \gset
select 'foo' as "AUTOCOMMIT" \gset
-- ==== gexec
select 'select 1 as one', 'select 2 as two' \gexec
select 'select 1/0' union all select null union all select 'select 3' \gexec
-- ==== gexec echo [-a]
select 'select 1' \gexec
-- ==== gdesc
select 1 as a, 'x'::varchar(5) as b, now() as c \gdesc
create temp table gd (a int) \gdesc
select nix \gdesc
-- ==== crosstabview
select 'r' || a as row, 'c' || b as col, a * b as val from generate_series(1, 2) a, generate_series(1, 3) b \crosstabview
select a, b, a+b, 'x' from generate_series(1, 2) a, generate_series(1, 2) b \crosstabview 1 2 3
select a, b, a+b as c, 5-b as s from generate_series(1, 2) a, generate_series(1, 3) b \crosstabview a b c s
select 1, 2 \crosstabview
select 1, 2, 3, 4 \crosstabview
select 1 as a, 2 as b, 3 as c union all select 1, 2, 4 \crosstabview
select 1 as a, 2 as b, 3 as c \crosstabview a a
select 1 as a, 2 as b, 3 as c \crosstabview 1 5
select 1 as a, 2 as b, 3 as c \crosstabview nix
select 'x' as a, null as b, 3 as c \crosstabview
-- ==== if
\if true
\echo yes
\else
\echo no
\endif
\if false
\echo no
\elif 1
\echo elif
\else
\echo no
\endif
\if 0
select 'no';
\elif off
\foo
\else
\echo else
\endif
\if true
\if false
\echo inner
\endif
\echo outer
\endif
\if nonsense
\echo no
\endif
select
\if true
  1 as a
\else
  2 as b
\endif
;
\if false
select :nix `echo no`
\endif
\else
\elif true
\endif
\if true
\else
\else
\endif
\if true
-- ==== if unclosed [-v ON_ERROR_STOP=1]
\if true
select 1;
-- ==== transaction
begin;
select 1/0;
select 1;
rollback;
\set AUTOCOMMIT off
select 1;
rollback;
\set ON_ERROR_ROLLBACK on
begin;
select 1/0;
select 2;
commit;
-- ==== copy
create temp table c (a int, b text);
copy c from stdin;
1	x
2	\N
3	y z
\.
copy c to stdout;
copy c from stdin csv;
4,"q,q"
\.
copy (select * from c order by a) to stdout csv header;
copy c from stdin;
bad	x
\.
select count(*) from c;
\copy c to stdout
\copy (select a from c where a < 3) to stdout csv
\copy c from stdin
9	z
\.
\copy c to '/tmp/psql_corpus_copy.txt'
truncate c;
\copy c from '/tmp/psql_corpus_copy.txt'
select * from c;
-- To stderr: on stdout psql's own COPY 5 comes before or after what the program writes, as it happens, in both.
\copy c (a) to program 'cat >&2'
\copy c from program 'printf "77\\tp\\n"'
\copy c from '/nonexistent/file'
\copy c to '/nonexistent/file'
\copy
\copy c
\copy nix from stdin
\.
\copy c from nowhere bad
select count(*) from c;
\! rm -f /tmp/psql_corpus_copy.txt
-- ==== p r w
select 1
\p
\r
\p
select 2;
\p
select 3 \w /tmp/psql_corpus_w.txt
\! cat /tmp/psql_corpus_w.txt; rm /tmp/psql_corpus_w.txt
;
\w
-- ==== o
\o /tmp/psql_corpus_o.txt
select 1;
\qecho in file
\echo on screen
\o
\! cat /tmp/psql_corpus_o.txt; rm /tmp/psql_corpus_o.txt
\o |cat
select 2;
\o
select 3;
-- ==== i
\! printf 'select 1;\nselect 1/0;\n\\echo inside\n\\foo\n' > /tmp/psql_corpus_i.sql
\i /tmp/psql_corpus_i.sql
\ir /tmp/psql_corpus_i.sql
\i /nonexistent/x.sql
\i
\! rm /tmp/psql_corpus_i.sql
-- ==== shell
\! echo out
\! exit 3
\echo :SHELL_ERROR :SHELL_EXIT_CODE
\setenv FOO bar
\! echo $FOO
\getenv v FOO
\echo :v
\setenv FOO
\! echo x$FOO
\setenv a=b c
\getenv x
\cd /tmp
\! pwd
\cd /nonexistent
-- ==== conninfo and connect
\conninfo
\c
\c postgres
\c - postgres
\conninfo
\c template1 postgres 127.0.0.1
\c "dbname=postgres"
\c nix
select 1;
-- ==== timing
\timing off
\timing foo
\timing on
\timing
-- ==== prompt [-f -]
\prompt 'Name? ' name
typed
\echo :name
\prompt
-- ==== extra arguments
\conninfo extra args
\r x
-- ==== password usage
\encoding
\encoding UTF8
\encoding nix
-- ==== dollar quoting and strings
select $$a;b$$, $x$c;$$d$x$, E'e\';f', 'g;''h', "i;j" from (select 1 as "i;j") s;
select /* ; /* nested ; */ ; */ 1;
select 1 /* : */, ':x', 2;
create function pg_temp.ff() returns int language sql begin atomic select 1; select 2; end;
select pg_temp.ff();
select (1
+ 2);
select U&'\0061', u&"b;c" from (select 1 as "b;c") s;
-- ==== single line [-S]
select 1
select 2
\echo x
-- ==== single transaction [-1 -v ON_ERROR_STOP=1 -f -]
create table zz_single (a int);
select 1/0;
-- ==== fetch count
\set FETCH_COUNT 2
select generate_series(1, 5) as g;
select generate_series(1, 4) as g \g (format=csv)
select 1/(3-g) as x from generate_series(1, 5) g;
insert into nix values (1);
-- ==== show all results
select 1\; select 2\; select 3;
\set SHOW_ALL_RESULTS off
select 1\; select 2\; select 3;
select 1\; select 1/0\; select 3;
-- ==== notifications
listen chan;
notify chan;
notify chan, 'load';
-- ==== watch errors
select 1/0 \watch 1
\watch
-- ==== help
\?
\? options
\? variables
\copyright
-- ==== command line queries [-c select(1) -c \echo(x) -c select/0]
-- ==== quit
select 1;
\q
select 2;
-- ==== comments only
-- nothing
/* nothing */
-- ==== lo
\! printf 'blob' > /tmp/psql_corpus_lo
\lo_import /tmp/psql_corpus_lo 'a comment' 
\echo :{?LASTOID}
\lo_export :LASTOID /tmp/psql_corpus_lo2
\! cat /tmp/psql_corpus_lo2; rm /tmp/psql_corpus_lo /tmp/psql_corpus_lo2
\lo_unlink :LASTOID
\lo_unlink
\lo_export 1
\lo_export 99999999 /tmp/psql_corpus_lo3
\! rm -f /tmp/psql_corpus_lo3
\lo_unlink 99999999
-- ==== ef
\setenv EDITOR 'sed -i s/LANGUAGE/language/'
\ef f
;
\setenv EDITOR true
\ef f
\ev v
\ef nix
-- ==== trailing garbage
select 1; select
