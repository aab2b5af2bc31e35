-- trigger functions
create table tt (a int, b text, c int generated always as (a * 2) stored);
create function tg() returns trigger language plpgsql as $$
begin
  raise notice '% % % % % %.% rel % nargs % argv %', tg_name, tg_when, tg_level, tg_op, tg_relid::regclass, tg_table_schema, tg_table_name, tg_relname, tg_nargs, tg_argv;
  raise notice 'old % new %', old, new;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;
create trigger t1 before insert or update or delete on tt for each row execute function tg('x', 'y z');
create trigger t2 after insert or update or delete on tt for each row execute function tg();
create trigger t3 after insert or update or delete or truncate on tt for each statement execute function tg(5);
insert into tt values (1, 'one'), (2, 'two');
update tt set b = b || '!' where a = 1;
delete from tt where a = 2;
truncate tt;
drop trigger t1 on tt; drop trigger t2 on tt; drop trigger t3 on tt;
create function tg2() returns trigger language plpgsql as $$
begin
  if new.a < 0 then return null; end if;
  if new.a = 100 then return row(101, 'row'::text, null::int); end if;
  if new.a = 200 then return row(201, 'other'::text, null::int); end if;
  new.b := coalesce(new.b, 'default') || '/' || tg_argv[0];
  new.a = new.a + 1;
  return new;
end $$;
create trigger t1 before insert or update on tt for each row execute function tg2('arg');
insert into tt(a, b) values (1, null), (-1, 'x'), (100, 'y'), (200, 'z') returning *;
update tt set a = a + 1 returning *;
select * from tt order by a;
create or replace function tg2() returns trigger language plpgsql as $$ begin return row(1, 2); end $$;
insert into tt(a) values (1);
create or replace function tg2() returns trigger language plpgsql as $$ begin return 5; end $$;
insert into tt(a) values (1);
create or replace function tg2() returns trigger language plpgsql as $$ begin null; end $$;
insert into tt(a) values (1);
create or replace function tg2() returns trigger language plpgsql as $$ begin raise notice '% %', old.a, old is null; new.nosuch := 1; return new; end $$;
insert into tt(a) values (1);
create or replace function tg2() returns trigger language plpgsql as $$ declare r record; begin r := new; r.a := r.a * 10; raise notice '%', r; if tg_op = 'UPDATE' and old.a is distinct from new.a then raise notice 'changed % to %', old.a, new.a; end if; return r; end $$;
insert into tt(a) values (1) returning *;
update tt set a = 7 where a = 10;
drop trigger t1 on tt;
-- auditing, with SQL inside
create table audit (op text, who text, oldrow tt, newrow tt);
create function aud() returns trigger language plpgsql as $$ begin insert into audit values (tg_op, current_user, old, new); return null; end $$;
create trigger t9 after insert or update or delete on tt for each row execute function aud();
insert into tt(a, b) values (50, 'audit'); update tt set b = 'changed' where a = 50; delete from tt where a = 50;
select op, oldrow, newrow, (newrow).b from audit;
drop trigger t9 on tt;
-- transition tables
create function trans() returns trigger language plpgsql as $$
declare r record; n int;
begin
  select count(*), sum(a) into r from newtab;
  raise notice '% rows, sum %', r.count, r.sum;
  for r in select n.a as na, o.a as oa from newtab n join oldtab o on n.b = o.b order by 1 loop raise notice '% -> %', r.oa, r.na; end loop;
  get diagnostics n = row_count;
  return null;
end $$;
create trigger t5 after update on tt referencing old table as oldtab new table as newtab for each statement execute function trans();
update tt set a = a + 1000;
update tt set a = a + 1000 where false;
drop trigger t5 on tt;
-- errors inside a trigger
create function tgerr() returns trigger language plpgsql as $$ begin perform 1 / (new.a - 5); return new; exception when division_by_zero then raise exception 'a must not be %', new.a using hint = 'Choose another.'; end $$;
create trigger t6 before insert on tt for each row execute function tgerr();
insert into tt(a) values (6);
insert into tt(a) values (5);
drop trigger t6 on tt;
create trigger t7 before insert on tt for each row when (new.a > 10) execute function tg();
insert into tt(a) values (5), (15);
drop trigger t7 on tt;
-- one function, two tables
create table tu (x text, a int);
create function addone() returns trigger language plpgsql as $$ begin new.a := new.a + 1; return new; end $$;
create trigger t1 before insert on tt for each row execute function addone();
create trigger t1 before insert on tu for each row execute function addone();
insert into tt(a) values (1) returning a; insert into tu values ('u', 10) returning *; insert into tt(a) values (2) returning a;
alter table tu add column extra int default 5;
insert into tu values ('v', 20) returning *;
alter table tu drop column x;
insert into tu values (30) returning *;
-- a view
create view tv as select a, b from tt;
create function tvins() returns trigger language plpgsql as $$ begin insert into tt(a, b) values (new.a, 'via view ' || coalesce(new.b, '')); return new; end $$;
create trigger tvi instead of insert on tv for each row execute function tvins();
insert into tv values (900, 'x') returning *;
select a, b from tt where a > 899 order by a;
-- event triggers' functions can be made
create function evt() returns event_trigger language plpgsql as $$ begin raise notice '% %', tg_event, tg_tag; end $$;
select evt();
