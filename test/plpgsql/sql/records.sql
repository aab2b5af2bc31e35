-- records and row types (after plpgsql_record.sql)
create type two_int4s as (f1 int4, f2 int4);
create type more_int4s as (f0 text, f1 int4, f2 int4);
create type two_int8s as (q1 int8, q2 int8);
create type nested_int8s as (c1 two_int8s, c2 two_int8s);
create domain ordered_int8s as two_int8s check((value).q1 <= (value).q2);
-- base-case return of a composite type
create function retc(int) returns two_int8s language plpgsql as $$ begin return row($1,1)::two_int8s; end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ begin return row($1::int8, 1::int8); end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ declare r record; begin r := row($1::int8, 1::int8); return r; end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ declare r two_int8s; begin r := row($1::int8, 1::int8); return r; end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ declare r two_int8s; begin r.q1 := $1; r.q2 := 1; return r; end $$;
select retc(42);
select * from retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ begin return null; end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ begin return row($1,1); end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ begin return row($1::int8); end $$;
select retc(42);
create or replace function retc(int) returns two_int8s language plpgsql as $$ begin return 5; end $$;
select retc(42);
-- nested
create function retn(int, int) returns nested_int8s language plpgsql as $$ declare r nested_int8s; begin r := row(row($1,$2)::two_int8s, row(1,2)::two_int8s)::nested_int8s; return r; end $$;
select retn(3,4); select (retn(3,4)).*; select ((retn(3,4)).c1).q2; select * from retn(3,4);
do $$ declare c nested_int8s; begin raise notice 'c = %', c; c.c1.q1 := 1; raise notice 'c = %', c; c.c1 := row(3,4); raise notice 'c.c1.q2 = % %', (c.c1).q2, c; c.c2.q2 := (c.c1).q1 + 1; raise notice '%', c; end $$;
do $$ declare c nested_int8s; begin c.x.y := 1; end $$;
do $$ declare c nested_int8s; begin c.c1.x := 1; end $$;
do $$ declare c nested_int8s := row(row(1,2),row(3,4)); d two_int8s[]; begin raise notice '%', c; d[2] := c.c1; raise notice '%', d; d[2].q1 := 77; d[1].q2 := 5; raise notice '% %', d, d[2].q1; end $$;
-- RECORD
do $$ declare r record; begin raise notice '%', r; raise notice '%', r.a; end $$;
do $$ declare r record; begin r := null; raise notice '%', r; select 1 as a, 'x'::text as b into r; raise notice '% % %', r, r.a, r.b; r.a := 10; raise notice '%', r; r.b := r.a || 'y'; raise notice '%', r; r.c := 1; end $$;
do $$ declare r record; begin r.x := 1; end $$;
do $$ declare r record; begin select * into r from two_int8s; end $$;
do $$ declare r record; begin select 1 as a into r; raise notice '%', r.b; end $$;
do $$ declare r record; begin for r in select 1 as a union all select 2 loop raise notice '%', r.a; end loop; for r in select 'z'::text as a loop raise notice '%', r.a || '!'; end loop; end $$;
do $$ declare r record; begin r := row(1, 'two', 3.0); raise notice '% % %', r.f1, r.f2, r.f3; end $$;
do $$ declare r record := row(1,2); s record; begin s := r; s.f1 := 5; raise notice '% %', r, s; raise notice '%', r = s; raise notice '%', r is null; end $$;
do $$ declare r record; begin select 1 as a, 2 as b into r; raise notice '%', (select r.a + t.x from (values (5)) t(x)); raise notice '%', (select row_to_json(r)); end $$;
create table some_table (fooid int primary key, fooname text, foodate date);
insert into some_table values (1, 'one', '2001-01-01'), (2, 'two', '2002-02-02'), (3, null, null);
do $$ declare r some_table; s some_table%rowtype; n some_table.fooname%type; begin select * into r from some_table where fooid = 1; raise notice '% %', r, r.foodate; s := r; s.fooid := s.fooid + 10; n := s.fooname; insert into some_table select s.*; insert into some_table values (s.fooid + 1, n || '!', r.foodate); raise notice '%', r; select some_table.* into s from some_table where fooid = 99; raise notice '% %', s, s is null; end $$;
select * from some_table order by 1;
do $$ declare r some_table; begin r := row(5, 'five'); raise notice '%', r; r := row(5, 'five', '2020-01-01', 'extra'); raise notice '%', r; r := row('x', 1, 2); end $$;
do $$ declare r some_table; begin select fooid, fooname into r from some_table where fooid = 2; raise notice '%', r; select 1, 2, '2020-02-02', 4 into r; raise notice '%', r; r := null; raise notice '%', r; update some_table set fooname = 'changed' where fooid = 2 returning * into r; raise notice '%', r; delete from some_table where fooid > 10 returning fooid, fooname into r.fooid, r.fooname; raise notice '%', r; end $$;
do $$ declare a int; b text; begin select fooid, fooname into a, b from some_table where fooid = 1; raise notice '% %', a, b; select 7 into a, b; raise notice '% %', a, b; select fooid into a from some_table where fooid = 99; raise notice '%', a; insert into some_table values (20, 'x', null) returning fooid + 1 into strict a; raise notice '%', a; end $$;
do $$ declare a int; begin select fooid into strict a from some_table; end $$;
do $$ declare a int; begin select fooid into strict a from some_table where fooid = 99; end $$;
create function strictparams(p1 int, p3 text) returns void language plpgsql as $$
#print_strict_params on
declare a int; p2 text := 'it''s';
begin select fooid into strict a from some_table where fooid = p1 and fooname = p3 and fooname <> p2; end $$;
select strictparams(2, 'foo');
select strictparams(2, null);
do $$ #print_strict_params on
declare a int; begin execute 'select 1 from generate_series(1, $1)' into strict a using 3; end $$;
do $$ #print_strict_params on
declare a int; begin execute 'select 1 where $1 = $2' into strict a using 3, 'x'; end $$;
do $$ declare a int; begin update some_table set fooname = fooname returning fooid into a; end $$;
-- domains over composites
do $$ declare r ordered_int8s; begin r := row(1, 2); raise notice '%', r; r := row(2, 1); end $$;
do $$ declare r ordered_int8s := row(1, 2); begin r.q1 := 3; end $$;
do $$ declare r ordered_int8s; begin r.q2 := 7; r.q1 := 3; raise notice '%', r; end $$;
create function ret_od(int8) returns ordered_int8s language plpgsql as $$ begin return row($1, 10); end $$;
select ret_od(5); select ret_od(15);
-- OUT parameters
create function outs(in a int, out b int, out c text) language plpgsql as $$ begin b := a * 2; c := 'c' || a; end $$;
select outs(5); select * from outs(5);
create function outs1(in a int, out b int) language plpgsql as $$ begin b := a; b := b + 1; return; end $$;
select outs1(5); select * from outs1(5);
create function inouts(inout a int, inout b int default 7) language plpgsql as $$ declare t int := a; begin a := b; b := t; end $$;
select inouts(1, 2); select inouts(1); select * from inouts(b => 5, a => 3);
create function outs_bad(out a int) returns text language plpgsql as $$ begin end $$;
create function outs_ret(out a int, out b int) language plpgsql as $$ begin return 1; end $$;
-- functions with record arguments
create function getf1(x record) returns int language plpgsql as $$ begin return x.f1; end $$;
select getf1(1);
select getf1(row(1,2));
select getf1(row(1,2)::two_int4s);
select getf1(row('foo', 123, 456)::more_int4s);
select getf1(row(1,2)::two_int8s);
create function getq1(x two_int8s) returns int8 language plpgsql as $$ begin return x.q1; end $$;
select getq1(row(1,2)); select getq1(row(1,2)::two_int8s); select getq1(null);
-- set returning with records
create function srf1(n int) returns setof two_int8s language plpgsql as $$ declare r two_int8s; begin for i in 1..n loop r := row(i, i*i); return next r; end loop; r.q2 := null; return next r; return query select 100::int8, 200::int8; return; end $$;
select * from srf1(2); select srf1(1);
create function srf2() returns setof record language plpgsql as $$ begin return query select 1, 'x'::text; return next row(2, 'y'::text); end $$;
select * from srf2() as t(a int, b text);
select * from srf2() as t(a int, b int);
create function srf3(n int) returns table(a int, b text) language plpgsql as $$ begin for a in 1..n loop b := 'x' || a; return next; end loop; a := 100; b := 'end'; return next; return query select 7, 'q'::text; end $$;
select * from srf3(2);
create function srf4() returns setof int language plpgsql as $$ begin return next 1; return next 2.6; return next '3'; return query select 4; return query execute 'select $1 + 1' using 5; end $$;
select * from srf4();
create function srf5() returns setof int language plpgsql as $$ begin return query select 'x'::text; end $$;
select * from srf5();
create function srf6() returns setof two_int8s language plpgsql as $$ begin return query select 1, 2; end $$;
select * from srf6();
create function srf7() returns setof two_int8s language plpgsql as $$ begin return next row(1, 2); end $$;
select * from srf7();
create function srf8() returns setof int language plpgsql as $$ begin return 5; end $$;
create function srf9() returns int language plpgsql as $$ begin return next 5; end $$;
create function srf10() returns setof int language plpgsql as $$ begin return query delete from some_table where fooid = 20 returning fooid; raise notice '%', found; end $$;
select * from srf10();
select * from srf10();
-- NULL and unusual assignments
do $$ declare x constant int := 5; begin x := 6; end $$;
do $$ declare x int not null := 5; begin x := null; end $$;
do $$ declare x int not null := null; begin end $$;
do $$ declare x int not null; begin end $$;
do $$ declare r record not null := row(1); begin r := null; end $$;
do $$ declare x constant record := row(1,2); begin raise notice '%', x; end $$;
do $$ declare x constant two_int8s := row(1,2); begin x.q1 := 3; end $$;
do $$ declare x int default 3; y int = 4; z int := x + y; begin raise notice '% % %', x, y, z; declare x int := x + 1; begin raise notice '%', x; end; end $$;
