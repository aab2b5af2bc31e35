-- What random programs (random_plpgsql.ts) have found: a statement or two on what went wrong each.
create schema programmed;
set search_path = programmed;
create domain small as int check (value < 20);
create table item (id int primary key, a int);
insert into item values (1, 1), (2, 2), (3, 3);

-- void is no NULL.
create function nothing() returns void language plpgsql as $$ begin null; end $$;
create function nothing_caught() returns void language plpgsql as $$ begin perform 1 / 0; exception when others then return; end $$;
select nothing(), nothing() is null, nothing_caught(), nothing_caught() is null;
select * from nothing();

-- A result is cast when the function is over, where no block handles what goes wrong.
create function cast_late() returns small language plpgsql as $$ begin return 30; exception when others then return 1; end $$;
select cast_late();
create function cast_or_not(a int) returns int language plpgsql as $$ begin if a = 1 then return 'x'; end if; return a; exception when others then return 1; end $$;
select cast_or_not(2);
select cast_or_not(1);

-- Cursors: no SCROLL with FOR UPDATE, no locks in functions that are not volatile.
do $$ declare c scroll cursor for select * from item for update; begin open c; end $$;
do $$ declare c refcursor; begin open c scroll for execute 'select * from item for share'; end $$;
create function locks() returns int language plpgsql stable as $$ declare c cursor for select * from item for no key update; begin open c; return 1; end $$;
select locks();
create function locks_at_once() returns int language plpgsql stable as $$ declare x int; begin select id into x from item order by id for key share; return x; end $$;
select locks_at_once();
-- To the start of a cursor that is there already.
do $$ declare c no scroll cursor for select * from item; begin open c; move backward all from c; raise notice '%', found; move c; move backward all from c; end $$;
-- The arguments of a cursor are a query.
do $$ declare c cursor (k int) for select * from item where id > k; begin raise notice '%', found; open c(2); raise notice '%', found; end $$;

-- A message of no letters is one; so are a detail and a hint.
do $$ begin raise exception using message = '', detail = '', hint = ''; end $$;
do $$ begin assert false, ''; end $$;

-- The line of a variable whose default has failed stays.
do $$
declare a int;
begin
  declare b int not null := a;
  begin null; end;
exception when others then
  raise notice 'caught';
end $$;

-- A row's text is not for ever: its conversion was done when the expression was made ready, and the error said so.
create function context_of(what text) returns text language plpgsql as $$
declare said text;
begin
  execute format('do $q$ declare n int; begin %s end $q$', what);
  return 'no error';
exception when others then
  get stacked diagnostics said = pg_exception_context;
  return sqlerrm || chr(10) || split_part(said, 'SQL statement', 1);
end $$;
select context_of('n := upper(row(1, 2)::text);');
select context_of('n := upper(''x'');');
select context_of('if row(1, 2)::text::int = 1 then null; end if;');

drop schema programmed cascade;
