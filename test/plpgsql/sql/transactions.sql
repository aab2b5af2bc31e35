-- procedures, CALL, COMMIT and ROLLBACK (after plpgsql_transaction.sql and plpgsql_call.sql)
create table test1 (a int, b text);
create procedure transaction_test1(x int, y text) language plpgsql as $$
begin
  for i in 0..x loop
    insert into test1 (a, b) values (i, y);
    if i % 2 = 0 then commit; else rollback; end if;
  end loop;
end $$;
call transaction_test1(9, 'foo');
select * from test1 order by a;
truncate test1;
do language plpgsql $$ begin for i in 0..9 loop insert into test1 (a) values (i); if i % 2 = 0 then commit; else rollback; end if; end loop; end $$;
select * from test1 order by a;
-- not in a transaction block
begin;
call transaction_test1(9, 'error');
commit;
begin;
do $$ begin commit; end $$;
commit;
truncate test1;
-- not in a function
create function transaction_test2() returns int language plpgsql as $$ begin for i in 0..9 loop insert into test1 (a) values (i); if i % 2 = 0 then commit; else rollback; end if; end loop; return 1; end $$;
select transaction_test2();
select * from test1;
create function transaction_test3() returns int language plpgsql as $$ begin call transaction_test1(9, 'error'); return 1; end $$;
select transaction_test3();
create function transaction_test4() returns int language plpgsql as $$ begin execute 'do language plpgsql $x$ begin commit; end $x$'; return 1; end $$;
select transaction_test4();
-- security definer, SET
create procedure transaction_test5() language plpgsql security definer as $$ begin commit; end $$;
call transaction_test5();
create procedure transaction_test5b() language plpgsql set work_mem = '2MB' as $$ begin commit; end $$;
call transaction_test5b();
-- nested
create table test2 (x int);
insert into test2 values (0), (1), (2), (3), (4);
create procedure transaction_test6(c text) language plpgsql as $$ begin call transaction_test1(9, c); end $$;
call transaction_test6('bar');
select * from test1 order by a;
truncate test1;
do $$ begin call transaction_test1(3, 'baz'); end $$;
select * from test1 order by a;
create procedure transaction_test7() language plpgsql as $$ begin do $x$ begin insert into test1 values (77); commit; insert into test1 values (78); rollback; end $x$; end $$;
truncate test1;
call transaction_test7();
select * from test1;
-- loops over queries
truncate test1;
do $$ declare r record; begin for r in select * from test2 order by x loop insert into test1 (a) values (r.x); commit; end loop; end $$;
select * from test1 order by a;
truncate test1;
do $$ declare r record; begin for r in select * from test2 order by x loop insert into test1 (a) values (12/(r.x-2)); commit; end loop; end $$;
select * from test1 order by a;
truncate test1;
do $$ declare r record; begin for r in select * from test2 order by x loop insert into test1 (a) values (r.x); rollback; end loop; end $$;
select * from test1;
do $$ declare r record; begin for r in select * from test2 order by x loop insert into test1 (a) values (r.x); if r.x % 2 = 0 then commit; else rollback; end if; end loop; end $$;
select * from test1 order by a;
truncate test1;
do $$ declare c cursor for select * from test2 order by x; begin for r in c loop insert into test1 (a) values (r.x); commit; end loop; end $$;
select * from test1 order by a;
-- exception blocks
truncate test1;
do $$ begin begin insert into test1 (a) values (1); commit; insert into test1 (a) values (1/0); commit; exception when division_by_zero then raise notice 'caught division_by_zero'; end; end $$;
select * from test1;
do $$ begin begin perform 1/0; exception when division_by_zero then insert into test1 values (5); commit; raise notice 'after'; end; end $$;
select * from test1;
do $$ begin begin rollback; exception when others then raise notice '% %', sqlstate, sqlerrm; end; end $$;
-- variables across commits, chain
do $$ declare t text := 'kept'; r record; begin select 1 as x, array[1,2] as y into r; commit; raise notice '% %', t, r; rollback; raise notice '%', r.y; end $$;
do $$ begin set transaction isolation level repeatable read; commit and chain; raise notice '%', current_setting('transaction_isolation'); commit; raise notice '%', current_setting('transaction_isolation'); end $$;
create table test3 (y int unique deferrable initially deferred);
do $$ begin insert into test3 values (1); insert into test3 values (1); commit; end $$;
select * from test3;
-- savepoints are refused
do $$ begin savepoint foo; end $$;
do $$ begin execute 'savepoint foo'; end $$;
-- OUT and INOUT
create procedure test_proc5(inout a text) language plpgsql as $$ begin a := a || '+' || a; end $$;
call test_proc5('abc');
create procedure test_proc6(a int, inout b int, inout c int) language plpgsql as $$ begin b := b * a; c := c * a; end $$;
call test_proc6(2, 3, 4);
do $$ declare x int := 3; y int := 4; begin call test_proc6(2, x, y); raise notice 'x = %, y = %', x, y; call test_proc6(2, c => y, b => x); raise notice 'x = %, y = %', x, y; end $$;
do $$ declare x int := 3; y int := 4; begin call test_proc6(2, x + 1, y); end $$;
do $$ declare r record; begin select 1 as p, 2 as q into r; call test_proc6(10, r.p, r.q); raise notice '%', r; end $$;
create procedure test_proc7(x int, inout a int, inout b numeric) language plpgsql as $$ begin if x > 1 then a := x / 10; b := x / 2; call test_proc7(b::int, a, b); end if; end $$;
call test_proc7(100, -1, -1);
create procedure test_proc8(inout a int default 5, inout b int default 6) language plpgsql as $$ begin raise notice 'a: %, b: %', a, b; a := a * 10; b := b + a; end $$;
call test_proc8(); call test_proc8(1); call test_proc8(b => 3);
do $$ declare _a int := 1; _b int := 2; begin call test_proc8(_a, _b); raise notice '% %', _a, _b; call test_proc8(b => _a, a => _b); raise notice '% %', _a, _b; end $$;
create procedure test_proc9(in a int, out b int) language plpgsql as $$ begin raise notice 'a: %, b: %', a, b; b := a * 2; end $$;
call test_proc9(5, null);
do $$ declare _a int := 10; _b int := 30; begin call test_proc9(_a, _b); raise notice '_a: %, _b: %', _a, _b; call test_proc9(_a, 5); end $$;
create procedure test_proc10(a anyelement, inout b anyelement) language plpgsql as $$ begin b := a; end $$;
call test_proc10('x'::text, 'y'::text);
create procedure test_proc11() language plpgsql as $$ begin return; raise notice 'never'; end $$;
call test_proc11();
create procedure test_proc12() language plpgsql as $$ begin return 5; end $$;
create procedure test_proc13() language plpgsql as $$ begin raise exception 'in procedure'; end $$;
call test_proc13();
do $$ begin call test_proc13(); exception when others then raise notice 'caught %', sqlerrm; end $$;
do $$ begin call nosuch(1); end $$;
select test_proc11();
create procedure sqlproc(x int) language sql as $$ insert into test1 values (x) $$;
do $$ begin call sqlproc(999); end $$;
select * from test1 where a = 999;
do $$ declare x int; begin call sqlproc(1) into x; end $$;
create procedure sqlcaller(y text) language sql as $$ call transaction_test1(0, y); call sqlproc(length(sqlcaller.y)) $$;
create procedure sqlcaller2(y int) language sql as $$ call sqlproc(y); call sqlproc($1 + 1) $$;
call sqlcaller2(5000);
select a from test1 where a >= 5000 order by 1;
set plpgsql.nosuch = 1;
