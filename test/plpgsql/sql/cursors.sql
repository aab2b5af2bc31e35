-- cursors
create table rc_test (a int, b int);
insert into rc_test select x, x * 10 from generate_series(1, 10) x;
create function return_refcursor(rc refcursor) returns refcursor as $$ begin open rc for select a from rc_test order by a; return rc; end $$ language plpgsql;
create function refcursor_test1(refcursor) returns refcursor as $$ begin perform return_refcursor($1); return $1; end $$ language plpgsql;
begin;
select refcursor_test1('test1');
fetch next in test1;
select refcursor_test1('test2');
fetch all from test2;
commit;
fetch next from test1;
create function refcursor_test2(int, int) returns boolean as $$
declare c1 cursor (param1 int, param2 int) for select * from rc_test where a > param1 and b > param2;
  nonsense record;
begin
  open c1($1, $2);
  fetch c1 into nonsense;
  close c1;
  if found then return true; else return false; end if;
end $$ language plpgsql;
select refcursor_test2(20000, 20000) as "Should be false", refcursor_test2(2, 2) as "Should be true";
create function namedparmcursor_test1(int, int) returns boolean as $$
declare c1 cursor (param1 int, param12 int) for select * from rc_test where a > param1 and b > param12;
  nonsense record;
begin
  open c1(param12 := $2, param1 := $1);
  fetch c1 into nonsense;
  close c1;
  return found;
end $$ language plpgsql;
select namedparmcursor_test1(20000, 20000), namedparmcursor_test1(2, 20);
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1(param2 := 20, 21, 22); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1(20, param1 := 21); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1(param2 := 20); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1(nosuch := 20, param1 := 1); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1; end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor for select 1; begin open c1(1); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (param1 int, param2 int) for select 1; begin open c1(1, 2, 3); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 int; begin open c1 for select 1; end $$ language plpgsql;
create function nc() returns void as $$ declare c1 refcursor; begin open c1; end $$ language plpgsql;
-- scrolling
create function sc_test() returns setof integer as $$
declare c scroll cursor for select a from rc_test order by a; x integer;
begin
  open c;
  fetch last from c into x;
  while found loop return next x; fetch prior from c into x; end loop;
  close c;
end $$ language plpgsql;
select * from sc_test();
create or replace function sc_test() returns setof integer as $$
declare c no scroll cursor for select a from rc_test order by a; x integer;
begin
  open c;
  fetch last from c into x;
  while found loop return next x; fetch prior from c into x; end loop;
  close c;
end $$ language plpgsql;
select * from sc_test();
create or replace function sc_test() returns setof integer as $$
declare c refcursor; x integer;
begin
  open c scroll for execute 'select a from rc_test order by a';
  fetch absolute 3 from c into x; return next x;
  fetch relative -1 from c into x; return next x;
  fetch first from c into x; return next x;
  fetch absolute -2 from c into x; return next x;
  move forward 1 in c; raise notice '%', found;
  move forward 5 in c; raise notice '%', found;
  move backward 3 from c; raise notice '%', found;
  fetch next from c into x; return next x;
  fetch relative 0 from c into x; return next x;
  move backward all in c; fetch c into x; return next x;
  fetch from c into x; return next x;
  move last from c; fetch backward from c into x; return next x;
  close c;
end $$ language plpgsql;
create or replace function sc_test() returns setof integer as $$
declare c refcursor; x integer;
begin
  open c scroll for execute 'select a from rc_test where a > $1 order by a' using 2;
  fetch absolute 3 from c into x; return next x;
  fetch relative -1 from c into x; return next x;
  fetch first from c into x; return next x;
  fetch absolute -2 from c into x; return next x;
  move forward 1 in c; raise notice '%', found;
  move forward 5 in c; raise notice '%', found;
  move backward 3 from c; raise notice '%', found;
  fetch next from c into x; return next x;
  fetch relative 0 from c into x; return next x;
  move backward all in c; fetch c into x; return next x;
  fetch from c into x; return next x;
  close c;
end $$ language plpgsql;
select * from sc_test();
do $$ declare c refcursor; r record; begin open c for select 1 as x; fetch all from c into r; end $$;
do $$ declare c refcursor; r record; begin fetch c into r; end $$;
do $$ declare c refcursor := 'nosuch'; r record; begin fetch c into r; end $$;
do $$ declare c refcursor; begin close c; end $$;
do $$ declare c refcursor := 'x'; d refcursor := 'x'; begin open c for select 1; open d for select 2; end $$;
do $$ declare c refcursor; r record; x int; n int; begin open c for select 1 as x, 'a'::text as y; fetch c into r; raise notice '% %', r, c is null; fetch c into r; raise notice '% %', r, found; get diagnostics n = row_count; raise notice '%', n; close c; open c for select 5; fetch c into x; raise notice '%', x; close c; fetch c into x; end $$;
do $$ declare c refcursor; x int; begin open c for insert into rc_test values (99, 99) returning a; fetch c into x; raise notice '%', x; end $$;
select * from rc_test where a = 99;
do $$ declare c refcursor; begin open c for update rc_test set a = a; end $$;
do $$ declare c refcursor; begin open c for execute 'create table zzz(a int)'; end $$;
-- loops over cursors
create function forc01() returns void as $$
declare
  c cursor(r1 integer, r2 integer) for select * from generate_series(r1,r2) i;
  c2 cursor for select * from generate_series(41,43) i;
begin
  c := 'assigned1'; c2 := 'assigned2';
  for r in c(5,7) loop raise notice '% from %', r.i, c; end loop;
  for r in c(9,10) loop raise notice '% from %', r.i, c; end loop;
  for r in c2 loop raise notice '% from %', r.i, c2; end loop;
  raise notice '% %', c, c2;
  c2 := null;
  for r in c2 loop raise notice '%', r.i; exit when r.i = 42; end loop;
  raise notice '% %', found, c2 is null;
end;
$$ language plpgsql;
select forc01();
create function forc_bad() returns void as $$ declare c refcursor; begin for r in c loop raise notice '%', r.i; end loop; end; $$ language plpgsql;
do $$ declare c cursor for select 1; begin open c; for r in c loop null; end loop; end $$;
do $$ declare c cursor for select 1 as a where false; begin for r in c loop raise notice 'never'; end loop; raise notice '%', found; end $$;
do $$ declare c cursor (x int) for select x as a; begin for r in c(3) loop raise notice '%', r; begin close c; exception when others then raise notice '%', sqlerrm; end; end loop; end $$;
-- a cursor shows what it was opened on
do $$ declare c cursor for select count(*) from rc_test; n int; begin open c; insert into rc_test values (1000, 1000); fetch c into n; raise notice '%', n; close c; open c; fetch c into n; raise notice '%', n; close c; end $$;
-- dynamic statements
do $$ declare x int; y text; r record; begin
  execute 'select 1'; execute 'select $1, $2' into x, y using 5, 'abc'; raise notice '% %', x, y;
  execute 'select $1 as a, $1 + 1 as b' into r using 10; raise notice '%', r;
  execute 'insert into rc_test values ($1, $2)' using 500, 501;
  execute format('select b from %I where a = $1', 'rc_test') into strict x using 500; raise notice '%', x;
  execute 'delete from rc_test where a = 500 returning a, b' into r; raise notice '%', r;
  execute 'select 1 where false' into x; raise notice '% %', x, found;
  execute 'create temp table dyn(a int)'; execute 'insert into dyn values (1), (2)'; get diagnostics x = row_count; raise notice '%', x;
  for x in execute 'select a from dyn where a > $1 order by a' using 0 loop raise notice '%', x; end loop;
  execute 'select $1' into y using null; raise notice '%', y;
end $$;
do $$ declare x int; begin execute 'select 1 into x'; end $$;
do $$ begin execute 'begin'; end $$;
do $$ begin execute 'commit'; end $$;
do $$ declare x int; begin execute 'update rc_test set a = a where false' into x; end $$;
do $$ declare x int; begin execute 'select 1 union select 2' into strict x; end $$;
do $$ declare x int; begin execute 'select 1 where false' into strict x; end $$;
do $$ begin execute 'select 1; select 2'; end $$;
do $$ begin execute ''; end $$;
do $$ declare r record; begin for r in execute 'update rc_test set a = a where a < 3' loop null; end loop; end $$;
do $$ declare r record; begin for r in execute 'select * from nosuch' loop null; end loop; end $$;
do $$ declare r record; begin for r in execute null loop null; end loop; end $$;
do $$ declare r record; begin for r in update rc_test set a = a where a < 3 returning a loop raise notice '%', r; end loop; end $$;
do $$ declare a int; b int; begin for a, b in select x.a, x.b from rc_test x where x.a in (7, 8) order by 1 loop raise notice '% %', a, b; end loop; raise notice '% %', a, b; for a, b in select 1, 2 where false loop null; end loop; raise notice '% %', a, b; end $$;
do $$ declare a int; begin for a in select x.b from rc_test x where x.a = 7 loop raise notice '%', a; end loop; for a in select 'x' loop null; end loop; end $$;
