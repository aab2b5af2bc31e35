-- declarations, names, types
create table t1 (id int, name varchar(5), amount numeric(6,2), tags text[], d date);
insert into t1 values (1, 'one', 1.5, '{a,b}', '2020-01-01'), (2, 'two', 22.25, null, null);
do $$ declare n t1.name%type := 'toolong'; begin end $$;
do $$ declare a t1.amount%type := 3.14159; b a%type := 2.71828; begin raise notice '% %', a, b; end $$;
do $$ declare v varchar(3); begin v := 'ab'; raise notice '[%]', v; v := 'abcd'; end $$;
do $$ declare v char(5) := 'ab'; n numeric(4,1) := 12.345; begin raise notice '[%] %', v, n; n := 12345; end $$;
do $$ declare i smallint; begin i := 70000; end $$;
do $$ declare i int; begin i := 2.5; raise notice '%', i; i := '7'; raise notice '%', i; i := 3.5::float8; raise notice '%', i; i := true; end $$;
do $$ declare b bool; begin b := 'yes'; raise notice '%', b; b := 1; raise notice '%', b; b := 'maybe'; end $$;
do $$ declare t text; begin t := 5; raise notice '%', t; t := now() - now(); raise notice '%', t; t := array[1,2]; raise notice '%', t; t := row(1,2); raise notice '%', t; end $$;
do $$ declare x int; x text; begin end $$;
do $$ declare a alias for $1; begin end $$;
do $$ declare a int := 1; b alias for a; begin b := b + 1; raise notice '% %', a, b; end $$;
create function al(int, text) returns text language plpgsql as $$ declare n alias for $1; t alias for $2; begin n := n + 1; $2 := t || '!'; return t || n || $1; end $$;
select al(4, 'x');
do $$ <<outer_block>> declare x int := 1; begin declare x int := 2; begin raise notice '% % %', x, outer_block.x, outer_block.x + x; outer_block.x := 10; end; raise notice '%', x; end $$;
create function fq(x int) returns int language plpgsql as $$ declare y int := 3; begin declare x int := 100; begin return x + fq.x + y; end; end $$;
select fq(1);
-- quoted and odd names
do $$ declare "A b" int := 1; "select" text := 's'; begin "A b" := "A b" + 1; raise notice '% %', "A b", "select"; end $$;
do $$ declare comment text := 'c'; "end" int := 3; begin comment := comment || 'x'; raise notice '% %', comment, "end"; end $$;
do $$ declare return int; exception int; begin return := 1; exception := 2; raise notice '% %', return, exception; end $$;
do $$ declare loop int; begin end $$;
-- conflicts of names
create function conflict(id int) returns setof t1 language plpgsql as $$ begin return query select * from t1 where id = conflict.id; end $$;
select * from conflict(1);
create or replace function conflict(id int) returns setof t1 language plpgsql as $$
#variable_conflict use_variable
begin return query select * from t1 where id = 1; end $$;
select count(*) from conflict(1);
create or replace function conflict(id int) returns setof t1 language plpgsql as $$
#variable_conflict use_column
begin return query select * from t1 where id = conflict.id; end $$;
select count(*) from conflict(1);
create or replace function conflict(id int) returns setof t1 language plpgsql as $$
#variable_conflict error
begin return query select * from t1 where t1.id = conflict.id; end $$;
select count(*) from conflict(1);
set plpgsql.variable_conflict = use_column;
do $$ declare id int := 2; n int; begin select count(*) into n from t1 where id = 1; raise notice '%', n; end $$;
reset plpgsql.variable_conflict;
set plpgsql.variable_conflict = nonsense;
do $$
#variable_conflict nonsense
begin end $$;
-- arrays
do $$ declare a int[]; begin a[3] := 5; raise notice '% %', a, array_length(a, 1); a[1] := 1; raise notice '%', a; a[2:3] := array[7,8]; raise notice '%', a; a := a || 9; raise notice '% %', a, a[2:3]; a[1] := null; raise notice '%', a; a[null] := 1; end $$;
do $$ declare a int[] := array[[1,2],[3,4]]; begin a[2][1] := 99; raise notice '% %', a, a[2][1]; a[2] := 5; end $$;
do $$ declare t t1; begin t.tags[2] := 'second'; raise notice '%', t; t.tags[1] := 'first'; raise notice '% %', t.tags, t.tags[2]; t.amount := '7.777'; raise notice '%', t; end $$;
do $$ declare a text[] := '{}'; begin for i in 1..3 loop a[i] := 'x' || i; a := array_append(a, 'y'); end loop; raise notice '%', a; end $$;
do $$ declare j jsonb := '{"a": 1}'; begin j['b'] := '2'; raise notice '% %', j, j['a']; j['c']['d'] := '"x"'; raise notice '%', j; end $$;
do $$ declare x int; begin x[1] := 5; end $$;
-- domains
create domain posint as int check (value > 0);
create domain notnulltext as text not null;
do $$ declare p posint := 5; begin p := 3; raise notice '%', p; p := -1; end $$;
do $$ declare p posint; begin raise notice '%', p; p := null; end $$;
do $$ declare p notnulltext; begin end $$;
do $$ declare p notnulltext := 'x'; begin p := null; end $$;
create function dom(x posint) returns posint language plpgsql as $$ begin return x - 5; end $$;
select dom(10); select dom(5); select dom(0);
create domain posints as posint[] check (array_length(value, 1) < 4);
do $$ declare p posints := array[1,2]; begin p[3] := 4; raise notice '%', p; p[4] := 4; end $$;
do $$ declare p posints := array[1,2]; begin p[1] := -4; end $$;
-- polymorphic
create function poly1(x anyelement) returns anyelement language plpgsql as $$ begin return x + 1; end $$;
select poly1(42), poly1(4.5), poly1(1::int8);
create function poly2(x anyelement) returns anyarray language plpgsql as $$ begin return array[x, x]; end $$;
select poly2(42), poly2('a'::text);
create function poly3(x anyarray) returns anyelement language plpgsql as $$ declare r x%type; e $0%type; begin e := x[1]; raise notice '%', pg_typeof(e); return e; end $$;
select poly3(array[1,2]), poly3(array['a','b']);
create function poly4(x anyelement, inout y anyelement, out z anyarray) language plpgsql as $$ begin z := array[x, y]; y := x; end $$;
select * from poly4(1, 2); select * from poly4('a'::text, 'b'::text);
create function poly5(variadic a anyarray) returns int language plpgsql as $$ begin return array_length(a, 1); end $$;
select poly5(1,2,3), poly5('a'::text), poly5(variadic array[1,2]);
create function poly6(x anycompatible, y anycompatible) returns anycompatiblearray language plpgsql as $$ begin return array[x, y]; end $$;
select poly6(1, 2.5), poly6('a'::text, 'b');
create function named(a int, b int default 2, c text default 'x') returns text language plpgsql as $$ begin return a || '/' || b || '/' || c; end $$;
select named(1), named(1, 5), named(1, c => 'z'), named(c => 'q', a => 9, b => 8);
select named();
-- cursors' and other parse errors
create function perr() returns int language plpgsql as $$ begin retrun 1; end $$;
create function perr() returns int language plpgsql as $$ begin return 1 end $$;
create function perr() returns int language plpgsql as $$ declare x int begin return 1; end $$;
create function perr() returns int language plpgsql as $$ begin x := ; end $$;
create function perr() returns int language plpgsql as $$ begin if true then return 1; end; $$;
create function perr() returns int language plpgsql as $$ begin if true return 1; end if; end; $$;
create function perr() returns int language plpgsql as $$ begin for i in 1..10 return 1; end loop; end; $$;
create function perr() returns int language plpgsql as $$ begin while true return 1; end loop; end; $$;
create function perr() returns int language plpgsql as $$ begin select 1 into; end; $$;
create function perr() returns int language plpgsql as $$ declare x int; begin select 1 into x into x; end; $$;
create function perr() returns int language plpgsql as $$ declare r record; x int; begin select 1 into x, r; end; $$;
create function perr() returns int language plpgsql as $$ begin select 1 into nosuch; end; $$;
create function perr() returns int language plpgsql as $$ begin nosuch := 1; end; $$;
create function perr() returns int language plpgsql as $$ begin nosuch.x.y := 1; end; $$;
create function perr() returns int language plpgsql as $$ begin return (1; end; $$;
create function perr() returns int language plpgsql as $$ begin return 1); end; $$;
create function perr() returns int language plpgsql as $$ begin perform; end; $$;
create function perr() returns int language plpgsql as $$ begin execute; end; $$;
create function perr() returns int language plpgsql as $$ begin select from where; end; $$;
create function perr() returns int language plpgsql as $$ begin return 1 +; end; $$;
create function perr() returns int language plpgsql as $$ begin raise exception; end; $$;
create function perr() returns int language plpgsql as $$ begin raise foo 'x'; end; $$;
create function perr() returns int language plpgsql as $$ begin raise 'x' using nonsense = 1; end; $$;
create function perr() returns int language plpgsql as $$ begin raise 'x' using detail 1; end; $$;
create function perr() returns int language plpgsql as $$ begin begin null; exception when nonsense then null; end; end; $$;
create function perr() returns int language plpgsql as $$ begin begin null; exception when sqlstate 'xx' then null; end; end; $$;
create function perr() returns int language plpgsql as $$ begin begin null; exception end; end; $$;
create function perr() returns int language plpgsql as $$ declare x nosuchtype; begin end; $$;
create function perr() returns int language plpgsql as $$ declare x nosuchtable%rowtype; begin end; $$;
create function perr() returns int language plpgsql as $$ declare x t1.nosuch%type; begin end; $$;
create function perr() returns int language plpgsql as $$ declare x int constant := 1; begin end; $$;
create function perr() returns int language plpgsql as $$ declare x constant int; begin x := 1; end; $$;
create function perr() returns int language plpgsql as 'begin return ''a'' || x''; end';
create function perr() returns int language plpgsql as 'begin return ''a'' || ; end';
create function perr() returns int language plpgsql as $$ $$;
create function perr() returns int language plpgsql as $$ begin end end $$;
create function perr(x nosuch) returns int language plpgsql as $$ begin end $$;
create function perr(a int, a int) returns int language plpgsql as $$ begin end $$;
create function perr() returns cstring language plpgsql as $$ begin end $$;
create function perr(x cstring) returns int language plpgsql as $$ begin end $$;
create function perr(int) returns trigger language plpgsql as $$ begin return new; end $$;
create function ptrig() returns trigger language plpgsql as $$ begin return new; end $$;
select ptrig();
set check_function_bodies = off;
create function perr() returns int language plpgsql as $$ begin return 1 +; end; $$;
select perr();
create or replace function perr() returns int language plpgsql as $$
begin
  nonsense here;
  x := 1;
end; $$;
select perr();
reset check_function_bodies;
-- settings, security
create function sett() returns text language plpgsql set work_mem = '3MB' as $$ begin return current_setting('work_mem'); end $$;
select sett(), current_setting('work_mem') <> '3MB';
create role plp_user;
create function secd() returns text language plpgsql security definer as $$ begin return current_user; end $$;
create function seci() returns text language plpgsql as $$ begin return current_user; end $$;
set role plp_user;
select secd(), seci();
reset role;
drop role plp_user;
-- volatility
create function stab() returns int language plpgsql stable as $$ begin insert into t1 values (9); return 1; end $$;
select stab();
create function stab2() returns bigint language plpgsql stable as $$ begin return (select count(*) from t1); end $$;
create function vol2() returns bigint language plpgsql volatile as $$ begin return (select count(*) from t1); end $$;
create function ins() returns int language plpgsql as $$ begin insert into t1 values (50); return 50; end $$;
select stab2(), ins(), stab2(), vol2();
create function strictf(a int, b int) returns int language plpgsql strict as $$ begin return 1; end $$;
select strictf(1, null), strictf(1, 2);
\sf named
\sf+ named
\df named
\df+ secd
create procedure proc1(a int, inout b int) language plpgsql as $$ begin b := a + b; end $$;
call proc1(1, 2);
\sf proc1
\df proc1
select proc1(1, 2);
call named(1);
\dx
select lanname, lanispl, lanpltrusted from pg_language order by 1;
-- arrays that are changed in place must not be anybody else's
create function inplace() returns setof int[] language plpgsql as $$
declare a int[] := '{1,2,3}'; b int[]; r record; n int := 0;
begin
  for i in 1..3 loop
    b := a;
    a[i] := 100 + i;
    b[4] := i;
    return next a; return next b;
    a[4 + i] := i;
    select a as x into r;
    a[1] := a[1] + array_length(a, 1);
    n := n + coalesce(a[2], 0) + r.x[1];
  end loop;
  raise notice '% % % %', a, b, r, n;
  for i in 1..2 loop a := array_append(a, i); a[i] := null; b := a || b; a[2] := 7; end loop;
  return next a; return next b;
end $$;
select * from inplace();
create function inplace2(a int[]) returns int[] language plpgsql as $$ begin for i in 1..2 loop a[i] := -i; end loop; return a; end $$;
create table ip(a int[]); insert into ip values ('{1,2,3}'), ('{4,5,6}');
select a, inplace2(a), a from ip;
select x, inplace2(x), x from (values (array[9,9])) v(x);
do $$ declare a int[]; b text[]; begin for i in 1..3 loop a[i + 5] := i; b[i] := 'x' || i; end loop; raise notice '% % %', a, b, a[7]; for i in 1..2 loop a[0] := i; a[9] := a[8]; end loop; raise notice '%', a; for i in 1..1 loop a[null] := 1; end loop; end $$;
do $$ declare a int[] := array[[1,2],[3,4]]; begin for i in 1..2 loop a[i][1] := 0; end loop; raise notice '%', a; for i in 1..2 loop a[1] := 0; end loop; end $$;
