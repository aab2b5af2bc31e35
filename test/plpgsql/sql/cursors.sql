-- cursors
create table pairs (a int, b int);
insert into pairs select x, x * 10 from generate_series(1, 10) x;
create function hand_over(rc refcursor) returns refcursor as $$ begin open rc for select a from pairs order by a; return rc; end $$ language plpgsql;
create function open_named(refcursor) returns refcursor as $$ begin perform hand_over($1); return $1; end $$ language plpgsql;
begin;
select open_named('first_one');
fetch next in first_one;
select open_named('second_one');
fetch all from second_one;
commit;
fetch next from first_one;
create function any_beyond(int, int) returns boolean as $$
declare c1 cursor (p1 int, p2 int) for select * from pairs where a > p1 and b > p2;
  got record;
begin
  open c1($1, $2);
  fetch c1 into got;
  close c1;
  if found then return true; else return false; end if;
end $$ language plpgsql;
select any_beyond(7000, 8000) as none, any_beyond(2, 2) as some;
create function any_beyond_named(int, int) returns boolean as $$
declare c1 cursor (p1 int, p22 int) for select * from pairs where a > p1 and b > p22;
  got record;
begin
  open c1(p22 := $2, p1 := $1);
  fetch c1 into got;
  close c1;
  return found;
end $$ language plpgsql;
select any_beyond_named(7000, 8000), any_beyond_named(2, 20);
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1(p2 := 20, 21, 22); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1(20, p1 := 21); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1(p2 := 20); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1(nosuch := 20, p1 := 1); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1; end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor for select 1; begin open c1(1); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 cursor (p1 int, p2 int) for select 1; begin open c1(1, 2, 3); end $$ language plpgsql;
create function nc() returns void as $$ declare c1 int; begin open c1 for select 1; end $$ language plpgsql;
create function nc() returns void as $$ declare c1 refcursor; begin open c1; end $$ language plpgsql;
-- scrolling
create function walk_back() returns setof integer as $$
declare c scroll cursor for select a from pairs order by a; x integer;
begin
  open c;
  fetch last from c into x;
  while found loop return next x; fetch prior from c into x; end loop;
  close c;
end $$ language plpgsql;
select * from walk_back();
create or replace function walk_back() returns setof integer as $$
declare c no scroll cursor for select a from pairs order by a; x integer;
begin
  open c;
  fetch last from c into x;
  while found loop return next x; fetch prior from c into x; end loop;
  close c;
end $$ language plpgsql;
select * from walk_back();
create or replace function walk_back() returns setof integer as $$
declare c refcursor; x integer;
begin
  open c scroll for execute 'select a from pairs order by a';
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
create or replace function walk_back() returns setof integer as $$
declare c refcursor; x integer;
begin
  open c scroll for execute 'select a from pairs where a > $1 order by a' using 2;
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
select * from walk_back();
do $$ declare c refcursor; r record; begin open c for select 1 as x; fetch all from c into r; end $$;
do $$ declare c refcursor; r record; begin fetch c into r; end $$;
do $$ declare c refcursor := 'nosuch'; r record; begin fetch c into r; end $$;
do $$ declare c refcursor; begin close c; end $$;
do $$ declare c refcursor := 'x'; d refcursor := 'x'; begin open c for select 1; open d for select 2; end $$;
do $$ declare c refcursor; r record; x int; n int; begin open c for select 1 as x, 'a'::text as y; fetch c into r; raise notice '% %', r, c is null; fetch c into r; raise notice '% %', r, found; get diagnostics n = row_count; raise notice '%', n; close c; open c for select 5; fetch c into x; raise notice '%', x; close c; fetch c into x; end $$;
do $$ declare c refcursor; x int; begin open c for insert into pairs values (99, 99) returning a; fetch c into x; raise notice '%', x; end $$;
select * from pairs where a = 99;
do $$ declare c refcursor; begin open c for update pairs set a = a; end $$;
do $$ declare c refcursor; begin open c for execute 'create table zzz(a int)'; end $$;
-- loops over cursors
create function loops() returns void as $$
declare
  c cursor(r1 integer, r2 integer) for select * from generate_series(r1,r2) i;
  c2 cursor for select * from generate_series(31,33) i;
begin
  c := 'named_one'; c2 := 'assigned2';
  for r in c(2,4) loop raise notice '% out of %', r.i, c; end loop;
  for r in c(6,7) loop raise notice '% out of %', r.i, c; end loop;
  for r in c2 loop raise notice '% out of %', r.i, c2; end loop;
  raise notice '% %', c, c2;
  c2 := null;
  for r in c2 loop raise notice '%', r.i; exit when r.i = 32; end loop;
  raise notice '% %', found, c2 is null;
end;
$$ language plpgsql;
select loops();
create function loops_bad() returns void as $$ declare c refcursor; begin for r in c loop raise notice '%', r.i; end loop; end; $$ language plpgsql;
do $$ declare c cursor for select 1; begin open c; for r in c loop null; end loop; end $$;
do $$ declare c cursor for select 1 as a where false; begin for r in c loop raise notice 'never'; end loop; raise notice '%', found; end $$;
do $$ declare c cursor (x int) for select x as a; begin for r in c(3) loop raise notice '%', r; begin close c; exception when others then raise notice '%', sqlerrm; end; end loop; end $$;
-- a cursor shows what it was opened on
do $$ declare c cursor for select count(*) from pairs; n int; begin open c; insert into pairs values (1000, 1000); fetch c into n; raise notice '%', n; close c; open c; fetch c into n; raise notice '%', n; close c; end $$;
-- dynamic statements
do $$ declare x int; y text; r record; begin
  execute 'select 1'; execute 'select $1, $2' into x, y using 5, 'abc'; raise notice '% %', x, y;
  execute 'select $1 as a, $1 + 1 as b' into r using 10; raise notice '%', r;
  execute 'insert into pairs values ($1, $2)' using 500, 501;
  execute format('select b from %I where a = $1', 'pairs') into strict x using 500; raise notice '%', x;
  execute 'delete from pairs where a = 500 returning a, b' into r; raise notice '%', r;
  execute 'select 1 where false' into x; raise notice '% %', x, found;
  execute 'create temp table dyn(a int)'; execute 'insert into dyn values (1), (2)'; get diagnostics x = row_count; raise notice '%', x;
  for x in execute 'select a from dyn where a > $1 order by a' using 0 loop raise notice '%', x; end loop;
  execute 'select $1' into y using null; raise notice '%', y;
end $$;
do $$ declare x int; begin execute 'select 1 into x'; end $$;
do $$ begin execute 'begin'; end $$;
do $$ begin execute 'commit'; end $$;
do $$ declare x int; begin execute 'update pairs set a = a where false' into x; end $$;
do $$ declare x int; begin execute 'select 1 union select 2' into strict x; end $$;
do $$ declare x int; begin execute 'select 1 where false' into strict x; end $$;
do $$ begin execute 'select 1; select 2'; end $$;
do $$ begin execute ''; end $$;
do $$ declare r record; begin for r in execute 'update pairs set a = a where a < 3' loop null; end loop; end $$;
do $$ declare r record; begin for r in execute 'select * from nosuch' loop null; end loop; end $$;
do $$ declare r record; begin for r in execute null loop null; end loop; end $$;
do $$ declare r record; begin for r in update pairs set a = a where a < 3 returning a loop raise notice '%', r; end loop; end $$;
do $$ declare a int; b int; begin for a, b in select x.a, x.b from pairs x where x.a in (7, 8) order by 1 loop raise notice '% %', a, b; end loop; raise notice '% %', a, b; for a, b in select 1, 2 where false loop null; end loop; raise notice '% %', a, b; end $$;
do $$ declare a int; begin for a in select x.b from pairs x where x.a = 7 loop raise notice '%', a; end loop; for a in select 'x' loop null; end loop; end $$;
