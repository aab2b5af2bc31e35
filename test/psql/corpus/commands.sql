-- ==== gset, prefixes and errors
select 1 as a, 'two' as b, null as c \gset
\echo :a :b :{?c}
select 3 as a \gset pre_
\echo :pre_a
select 1 as a union select 2 \gset
select 1 where false \gset
select 1 as "bad name" \gset
select 1 as a, 2 as a \gset
\echo :a
insert into nix values (1) \gset
select 5 as "DBNAME" \gset
-- ==== gexec of several
select 'select 1 as one', 'select 2 as two' union all select null, 'select 3 as three' order by 2 \gexec
select 'select 1/0', 'select 4' \gexec
select '' \gexec
-- ==== gdesc of all sorts
select 1 as a, 'x'::varchar(10) as b, null as c, 1.5::numeric(10,2), array[1], row(1,2) \gdesc
select \gdesc
create table gd (a int) \gdesc
insert into child (pid) values (1) returning cid, note \gdesc
select * from nix \gdesc
select $1::int \gdesc
-- ==== g with options and files
select 1 as a, 2 as b \g (format=csv)
select 1 as a, 2 as b \g (format=unaligned fieldsep=: tuples_only=on)
select 1 as a \g (border=2 title='x y')
select 1 as a \g (nix=1)
select 1 as a \g (format=nix)
select 1 as a \g (expanded=on
select 2 as a \g | sed 's/^/piped /'
select 3 as a \gx | cat
select 4 as a \gx (border=0)
\o | sed 's/^/out /'
select 5 as a;
\echo to stdout
\qecho to the pipe
\o
select 6 as a;
\g
\gx
-- ==== crosstabview in all forms
create temp table ct (r text, c text, v int); insert into ct values ('a', 'x', 1), ('b', 'y', 2), ('a', 'y', 3), ('c', null, 4), (null, 'x', 5);
select r, c, v from ct order by 1, 2 \crosstabview
select r, c, v from ct order by 1, 2 \crosstabview 2 1 3
select r, c, v from ct order by 1, 2 \crosstabview r c v c
select r, c, v, length(c) as l from ct \crosstabview 1 2 3 l
select r, c from ct \crosstabview
select r, c, v from ct \crosstabview r r v
select r, c, v from ct \crosstabview nix
select r, c, v from ct \crosstabview 7
select r, c, v from ct \crosstabview 1 2 3 r
select r, c, v from ct union all select 'a', 'x', 9 \crosstabview
select 1 as a \crosstabview
select r, c, v as "R", v as r from ct \crosstabview 1 2 R
insert into ct values ('z', 'z', 0) \crosstabview
\pset null N
select r, c, v from ct order by 1, 2 \crosstabview
\x
select r, c, v from ct order by 1, 2 \crosstabview
-- ==== if, elif, else in depth
\set t on
\set f off
\if :t
\echo one
\if :f
\echo not here
\elif 1
\echo two
\elif :t
\echo nor here
\else
\echo nor there
\endif
\else
\echo never \if true
\endif
\if
\endif
\if maybe
\echo no
\else
\echo yes
\endif
\elif true
\else
\endif
\if true
\else
\else
\endif
\if true
\else
\elif true
\endif
\if false
select 'skipped';
\echo :nosuch `echo not run`
\if true
\echo inner
\endif
\i /nowhere
\q
\else
select 'done';
\endif
\if :{?t}
\echo defined
\endif
\if :{?nope}
\echo defined
\else
\echo undefined
\endif
-- ==== quoting of variables
\set v 'it''s "q" \\n'
\echo :v :'v' :"v"
select :'v' as lit, 1 as :"v";
\set w a b 'c d' "e f"
\echo :w
\set x :v:w
\echo :x
\set y `echo shell; echo two`
\echo :y
\set z `exit 3`
\set n ''
\echo [:n] [:'n'] [:"n"]
\set 1x bad
\set Umläut gut
\echo :Umläut
select ':v', $$:v$$, :v1, '::'':';
\echo ':v' ":v" :'nix' :"nix" :{?v}:{?nix}
\unset v nix
\unset
\echo :v
-- ==== special variables refuse nonsense
\set AUTOCOMMIT maybe
\set ON_ERROR_STOP nix
\set VERBOSITY loud
\set SHOW_CONTEXT sometimes
\set ECHO some
\set ECHO_HIDDEN nix
\set ON_ERROR_ROLLBACK nix
\set COMP_KEYWORD_CASE nix
\set FETCH_COUNT many
\set HISTCONTROL nix
\set HISTSIZE nix
\set IGNOREEOF nix
\set SINGLELINE nix
\set QUIET nix
\set HIDE_TABLEAM nix
\set SHOW_ALL_RESULTS nix
\unset AUTOCOMMIT
\unset ECHO
\echo :AUTOCOMMIT :ECHO :ON_ERROR_STOP :VERBOSITY :SHOW_CONTEXT :FETCH_COUNT :HISTCONTROL :HISTSIZE :IGNOREEOF
\unset HISTSIZE
\unset IGNOREEOF
\unset FETCH_COUNT
\echo :HISTSIZE :IGNOREEOF :FETCH_COUNT
\set AUTOCOMMIT
\echo :AUTOCOMMIT
-- ==== errors in all verbosities
\set VERBOSITY verbose
select 1/0;
create temp table ev (a int primary key check (a > 0), b en, c dom);
insert into ev values (-1, 'x', 1);
insert into ev values (1, 'z', 1);
insert into ev values (1, 'x', -1);
insert into ev values (1, 'x', null);
\errverbose
\set VERBOSITY terse
insert into ev values (-1, 'x', 1);
select 'x'::int;
select * from nix;
\set VERBOSITY sqlstate
insert into ev values (1, 'z', 1);
select * from nix;
do $$ begin raise notice 'n'; raise warning using errcode = '01234', message = 'w'; end $$;
\errverbose
\set VERBOSITY default
\set SHOW_CONTEXT always
do $$ begin raise notice 'n'; perform 1/0; end $$;
\set SHOW_CONTEXT never
do $$ begin raise notice 'n'; perform 1/0; end $$;
\errverbose
\set SHOW_CONTEXT errors
create function pg_temp.boom(a int) returns int language plpgsql as $$ declare x int; begin select nocolumn into x; return 1; end $$;
select pg_temp.boom(1);
select pg_temp.boom('x');
select
  a,
  b +
  'x'::date
from ev;
select 'ünïcödé', nocol from ev;
select "long_identifier_that_does_not_exist_anywhere_in_this_database_at_all_and_is_far_too_long_for_a_name" from ev;
syntax error here;
select 1 +;
select 'unterminated
';
select "";
-- ==== ON_ERROR_ROLLBACK and AUTOCOMMIT
\set ON_ERROR_ROLLBACK on
begin;
create temp table oer (a int);
select 1/0;
insert into oer values (1);
savepoint s; select 2/0; rollback to s; release s;
commit;
select * from oer;
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT off
select 1;
insert into oer values (2);
rollback;
select count(*) from oer;
select 1/0;
select 1;
rollback;
begin; select 1; commit;
vacuum;
rollback;
vacuum oer;
\set AUTOCOMMIT on
-- ==== echo of all sorts
\set ECHO all
select 1; -- c
\echo x
\set ECHO queries
select 2; select 3;
\d nix
\set ECHO errors
select 4; select 1/0;
\set ECHO none
\set ECHO_HIDDEN on
\dn more
\df more.atomic
\set ECHO_HIDDEN noexec
\dn more
\d more.pt
\set ECHO_HIDDEN off
-- ==== single line and semicolons
\set SINGLELINE on
select 1
select 2; select 3
\set SINGLELINE off
select 4 \; select 5; select 6 \;
;
;;
select 7 /* a; b */ -- c;
; begin \; select 8 \; rollback;
select 9 \; select 1/0 \; select 10;
-- ==== copy from and to
create temp table cp (a int, b text, c numeric);
\copy cp from stdin
1	one	1.5
2	\N	\N
\.
copy cp (b, a) from stdin with (format csv, header);
b,a
"x, y",3
"q""q",4
\.
\copy cp to stdout
\copy (select * from cp order by a desc) to stdout with (format csv, header, force_quote *)
\copy cp (a, b) to stdout csv delimiter ';' null 'NULL'
\copy cp to '/tmp/posthouse_corpus_copy.txt'
\copy cp from '/tmp/posthouse_corpus_copy.txt'
\copy cp from program 'echo "9	nine	9.9"'
\copy cp to program 'cat >&2; echo end >&2'
select count(*) from cp;
\copy nix from stdin
\.
\copy cp from /nowhere/at/all
\copy cp to /nowhere/at/all
\copy cp from stdin
x	y	z
\.
\copy
\copy cp
\copy cp sideways
\copy cp from
\copy cp from program
\copy (select 1 to stdout
\copy cp from pstdin
copy cp to stdout (format binary);
copy cp from stdin where a > 5;
4	no	1
6	yes	1
\.
select * from cp order by a;
begin; copy cp from stdin;
1	2
\.
rollback;
copy (select 1) to stdout \; select 2;
\! rm -f /tmp/posthouse_corpus_copy.txt
-- ==== print, reset, write, include
select 1 +
\p
\w /tmp/posthouse_corpus_w.sql
1;
\p
\i /tmp/posthouse_corpus_w.sql
2;
\r
\p
\ir /tmp/posthouse_corpus_w.sql
3;
\i /nowhere.sql
\i
\w
\w /nowhere/x
select 5 \w |cat
;
\! echo '\\echo nested' > /tmp/posthouse_corpus_n.sql; echo 'select 1/0;' >> /tmp/posthouse_corpus_n.sql; echo '\\i /tmp/posthouse_corpus_m.sql' >> /tmp/posthouse_corpus_n.sql; echo 'select 7 as seven; \\nosuch' > /tmp/posthouse_corpus_m.sql
\i /tmp/posthouse_corpus_n.sql
\ir posthouse_corpus_m.sql
\! rm -f /tmp/posthouse_corpus_?.sql
-- ==== shell, cd, environment
\! echo hello
\! exit 7
\echo :SHELL_ERROR :SHELL_EXIT_CODE
\setenv POSTHOUSE_X 'a b'
\! echo $POSTHOUSE_X
\getenv got POSTHOUSE_X
\echo :got
\setenv POSTHOUSE_X
\getenv got2 POSTHOUSE_X
\echo :{?got2}
\setenv
\setenv a=b c
\getenv
\cd /tmp
\! pwd
\cd /nowhere
\cd
-- ==== echoes
\echo -n a
\echo b
\warn -n c
\warn d
\qecho e
\echo
\echo 'a'b"c"d :nix
\echo a\b \\ \echo second
\echo 'tab\tnew\nline\'quote\\back\x41\101'
\echo `echo one` "`echo two`" '`echo three`'
-- ==== prompt with answers
\prompt name
\prompt 'say: ' a
typed words
\echo :a
\prompt -x
\prompt
-- ==== timing, which says times
\timing
\timing off
\timing on
\timing nix
\timing off
-- ==== pset with all names
\pset
\pset format
\pset border nix
\pset border -1
\pset border 99999
\pset format alig
\pset format a
\pset format nix
\pset expanded
\pset expanded auto
\pset expanded nix
\pset linestyle u
\pset linestyle nix
\pset fieldsep
\pset fieldsep '\t'
\pset fieldsep
\pset csv_fieldsep ab
\pset csv_fieldsep '"'
\pset csv_fieldsep '\n'
\pset columns x
\pset columns 77
\pset pager always
\pset pager 3
\pset pager_min_lines 5
\pset nix
\pset nix 1
\pset null 'nil'
\pset title 'T'
\pset tableattr a=b
\pset tuples_only
\pset tuples_only
\pset footer
\pset recordsep '--'
\pset numericlocale on
\pset unicode_border_linestyle double
\pset xheader_width column
\a
\a
\t
\t off
\x on
\x auto
\x off
\H
\H
\f ;
\f
\C Title
\C
\T a=b
\T
-- ==== unknown and misspelt commands
\nosuch
\nosuch arg arg
\dz
\dq
\pset format csv extra args
\d child extra
\echo ok \nosuch \echo more
\ x
\;
\:
\1
-- ==== lists with patterns
\l cor*
\l+ template0
\dn+ s|more
\dt public.*|more.*
\dt (
\dt [
\dt a.b.c.d
\dt otherdb.s.t
\dt *.*.*
\df corpus.more.atomic
\df x.y.z.w
\du r_set r_test
\dT "a.b"
\dt "Mixed".*
\dt ?hild
\dt c[gh]ild
\dt child$
\dt chi\ld
\d "We ird"
\d we_ird
\d 'child'
\sf more.multi
\sf+ more.tab
\sf nosuch
\sf f(int)
\sf more.setf(int)
\sf
\sf ag
\sv v
\sv+ more.vv
\sv nosuch
\sv child
\sv rv
\ef nosuch
-- ==== connecting
\c
\conninfo
\c corpus
\c - - - -
\c "dbname=corpus application_name=x"
show application_name;
\c nosuch
\c
\c postgresql:///corpus
\c corpus nouser
\c -reuse-previous=on "dbname=postgres"
\c -reuse-previous=off corpus
\c corpus
\c "host=127.0.0.1" postgres
\c "nix=1"
select current_database();
-- ==== notifications
listen ch;
notify ch;
notify ch, 'payload';
select pg_notify('ch', '');
unlisten *;
notify ch;
-- ==== large objects
\lo_import /nowhere
\lo_export 999999999 /tmp/x
\lo_unlink 999999999
\lo_import
\lo_export
\lo_unlink
\lo_unlink x
\lo_list
\lo_list+
-- ==== watch refuses
\watch x
select 1 \watch nix
\watch
-- ==== results of several statements
select 1 \; select 2 \; insert into more.pt values (101) \; delete from more.pt where a = 101;
\set SHOW_ALL_RESULTS off
select 1 \; select 2 \; select 3;
select 1 \; select 1/0 \; select 3;
\set SHOW_ALL_RESULTS on
create temp table t1 as select 1; select * into temp t2 from t1; table t2; values (1, 'a'), (2, 'b');
explain (costs off) select * from t1; show work_mem; set work_mem = '8MB'; reset work_mem;
declare c cursor for select 1; begin; declare c cursor for select generate_series(1, 3); fetch 2 from c; move c; fetch c; close c; commit;
prepare p as select $1::int + 1; execute p (1); execute p; deallocate p; merge into t1 using t2 on false when not matched then insert default values;
lock table t1; begin; lock table t1; end; discard temp; call more.proc(3); do 'begin end';
-- ==== fetch count
\set FETCH_COUNT 2
select generate_series(1, 5) as n;
select 1/(3 - generate_series(1, 5)) as n;
\pset format csv
select generate_series(1, 5) as n;
\pset format html
select generate_series(1, 3) as n;
\pset format aligned
\x
select generate_series(1, 3) as n;
insert into child (pid) values (999999) returning cid;
select 1 as a \gset
\echo :a
select 'select 1' \gexec
begin; select generate_series(1, 3); commit;
-- ==== command options [-c select(1) -c \d(nix) -c select(2)]
-- ==== a failing -c [-v ON_ERROR_STOP=1 -c select/0 -c select(2)]
-- ==== one transaction that fails [-1 -v ON_ERROR_STOP=1 -c select(1) -c select/0]
-- ==== csv option [--csv]
select 1 as a, 'x,y' as b;
-- ==== null bytes [-z -0 -A]
select 1 as a, 2 as b union select 3, 4;
-- ==== html with attributes [-H -T class=x]
select 1 as a;
-- ==== many options [-xtqA -F ! -R @]
select 1 as a, 2 as b;
-- ==== pset option [-P format=wrapped -P border=2 -P columns=20]
select 'many words in a row that wrap' as a;
-- ==== a bad pset option [-P nix=1]
select 1;
-- ==== variables on the line [-v a=1 -v b -v c=]
\echo :a :{?b} :{?c}
-- ==== a bad variable [-v a-b=1]
\echo x
-- ==== step by option [-s]
select 1;

x
-- ==== echo hidden option [-E]
\dn more
\dx
-- ==== list option [-l]
-- ==== list and tuples [-l -t -A]
-- ==== an unknown option [--nosuch]
-- ==== a missing argument [-c]
-- ==== too many arguments [corpus postgres more less]
select 1;
-- ==== a missing file [-f /nowhere.sql]
-- ==== a log file [-L /tmp/posthouse_corpus.log]
select 1;
\d nix
\! rm /tmp/posthouse_corpus.log
-- ==== an output file [-o /tmp/posthouse_corpus.out]
select 1;
\echo here
\! cat /tmp/posthouse_corpus.out; rm /tmp/posthouse_corpus.out
-- ==== help for variables [--help=variabls]
