-- PL/pgSQL and functions in SQL: what went wrong, a statement or two each.
create schema procedural;
set search_path = procedural;
create table item (a int primary key, b text);
insert into item values (1, 'one'), (2, 'two');

-- OPEN of a statement that changes rows runs nothing; the first FETCH does.
do $$ declare c cursor for insert into item values (9) returning a; begin open c; end $$;
do $$ declare c refcursor; x int; begin open c for execute 'insert into item values (8) returning a'; fetch c into x; raise notice '%', x; end $$;
select a from item order by a;
-- Whether a cursor is open is asked before its query and arguments are looked at.
do $$ declare c refcursor := 'x'; begin open c for select 1; open c for execute null; end $$;
do $$ declare c cursor (a int) for select a; begin open c(1); open c(1 / 0); end $$;
do $$ declare c cursor (a int) for select a; begin open c(1 / 0); end $$;
do $$ declare c cursor (a int) for select a; begin open c(a := 1 / 0); end $$;
-- Texts of no statement, or of several.
do $$ declare c refcursor; begin open c for execute ''; end $$;
do $$ declare c refcursor; begin open c for execute 'select 1; select 2'; end $$;
do $$ declare c refcursor; begin open c for execute 'select 1; select nosuch'; end $$;
do $$ declare r record; begin for r in execute ' ' loop null; end loop; end $$;
create function no_rows() returns setof int language plpgsql as $$ begin return query execute ''; end $$;
select no_rows();
create function more_rows() returns setof int language plpgsql as $$ begin return query execute 'select 1; select 2'; end $$;
select more_rows();

-- A record of unknown columns has no place in a select list.
create function any_rows() returns setof record language plpgsql as $$ begin return next row(1, 2); return query select 3, 4; end $$;
select any_rows();
select * from any_rows() as (a int, b int);

-- A transaction may not end in a loop over rows that are changed.
do $$ declare r record; begin for r in update item set b = b returning a loop commit; end loop; end $$;
do $$ declare r record; begin for r in select a from item loop commit; end loop; end $$;
-- After COMMIT no query has run yet.
do $$ begin commit; set transaction isolation level repeatable read; raise notice '%', current_setting('transaction_isolation'); commit; raise notice '%', current_setting('transaction_isolation'); end $$;
do $$ begin commit; perform 1 from item; set transaction isolation level repeatable read; end $$;
-- What comes back into a constant is refused in the order of arguments.
create procedure gives(inout a int, out b text, inout c int default 9) language plpgsql as $$ begin a := a + 1; b := 'x'; end $$;
do $$ declare x constant int := 1; y text; begin call gives(x, y); end $$;

-- A column of a variable's row is no type.
do $$ declare x item%rowtype; z x.a%type; begin end $$;
do $$ declare x int collate "C"; begin end $$;
do $$ begin case 3 when 'x' then null; else null; end case; end $$;
do $$ begin end $$ language plpgsql language plpgsql;
-- Lists of checks are looked at when they are set, and their findings point into the function alone.
set plpgsql.extra_warnings = 'nope';
set plpgsql.extra_errors = 'none, too_many_rows';
set plpgsql.extra_warnings = 'Shadowed_Variables';
create function shadows(a int) returns int language plpgsql as $$ declare a int; begin return a; end $$;
reset plpgsql.extra_warnings;

-- Transactions are not a function's.
create function begins() returns int language sql as 'begin; select 1';
select begins();
create function locks() returns int stable language sql as 'lock item; select 1';
select locks();
select 1 as still_outside;

-- Transition tables are the trigger function's own: what it calls, and what it defines, does not see them.
create table logged (a int);
create table logged_too (b text, a int);
create table changed (q numeric);
insert into changed values (1.5);
create function sees_table() returns numeric language plpgsql as $$ begin return (select sum(q) from changed); end $$;
create function sees_table_too() returns numeric language sql stable as 'select sum(q) from changed';
create function sees_changes() returns trigger language plpgsql as $$
declare r record;
begin
  raise notice '% % %', sees_table(), sees_table_too(), (select count(*) from changed);
  for r in execute 'select * from changed' loop raise notice '%', r; end loop;
  begin execute 'create view of_changes as select * from changed where a > 1'; exception when others then raise notice '%', sqlerrm; end;
  begin execute 'prepare of_changes as select * from changed where a > 1'; exception when others then raise notice '%', sqlerrm; end;
  execute 'do $d$ begin raise notice ''%'', (select sum(q) from changed); end $d$';
  return null;
end $$;
create trigger t after insert on logged referencing new table as changed for each statement execute function sees_changes();
create trigger t after insert on logged_too referencing new table as changed for each statement execute function sees_changes();
insert into logged values (1), (2);
insert into logged_too values ('x', 3);
insert into logged values (4);
do $$ declare r record; begin execute 'select * from changed' into r; raise notice '%', r; end $$;

-- All columns of a domain are found before any is looked into.
create domain small as int;
create table uses_small (a small);
insert into uses_small values (1);
create domain smaller as small;
create table holds_smaller (a smaller[]);
alter domain small add check (value > 100);
drop table holds_smaller;
alter domain small add check (value > 100);
drop domain int4;
-- COPY opens tables.
create index on uses_small (a);
copy uses_small_a_idx to stdout;
-- The order of a function's rows has its own place, whatever becomes of the row type.
create table grows (a int, b text);
insert into grows values (1, 'x'), (2, 'y');
create function grown() returns setof grows language sql as 'select * from grows order by a';
create view numbered as select * from grown() with ordinality;
alter table grows add column c text;
select * from numbered;
-- Functions of scalars have no columns to take.
select (g).a from generate_series(1, 2) g(a);
create function in_array(anyelement) returns anyarray language sql as 'select array[$1]';
select in_array(row(1, 2));
create function into_nowhere() returns int begin atomic select 1 into x; end;
select * from json_to_record('{}') as (a int, b unknown);
-- Constants are computed by calls, and so are several statements.
create function fails() returns int immutable language sql as 'select 1 / 0';
select fails();

drop schema procedural cascade;
-- Mistakes in the target of an assignment were told behind it; subqueries there failed (XX000), and aggregates.
do $$ declare a int[]; begin a[nowhere] := 1; end $$;
do $$ declare a int[]; begin a['é' || nowhere] := 1; end $$;
do $$ declare a int[]; begin a['x'] := 1; end $$;
do $$ declare a int[]; begin a[1] := 'y'; end $$;
do $$ declare j jsonb; begin j[1:2] := '4'; end $$;
do $$ declare a int[]; begin a[(select 1)] := 3; a[(select 2)] := (select 4); raise notice '%', a; end $$;
do $$ declare a int[]; begin a[sum(1)] := 3; end $$;
do $$ declare a int[]; begin a[generate_series(1, 2)] := 3; end $$;
do $$ declare a int[]; begin a[1][2][3][4][5][6][7] := 3; end $$;
-- A loop over a query takes the name of a portal. An error has no successful SQLSTATE.
do $$ declare r record; c refcursor; d refcursor; begin open c for select 1; for r in select 1 loop null; end loop; for r in execute 'select 2' loop null; end loop;
  open d for select 2; raise notice '%', replace(d, c, ''); end $$;
do $$ begin raise exception sqlstate '00000'; exception when others then raise notice '%', sqlstate; end $$;
