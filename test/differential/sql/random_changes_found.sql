-- What random changes (random_changes.ts) have found: a statement or two on what went wrong each.
create schema changed;
set search_path = changed;

-- WHEN MATCHED after WHEN NOT MATCHED did not know the target; DO NOTHING where nothing matched did.
create table goal (id int primary key, a int, b int);
create table given (id int primary key, a int);
insert into goal values (1, 1, 1), (2, 2, 2);
insert into given values (1, 5), (3, 5);
merge into goal g using given s on s.id = g.id when not matched and s.a > 9 then do nothing when not matched then insert values (s.id, s.a, 0) when matched and g.a < 3 then do nothing;
merge into goal g using given s on s.id = g.id when not matched and g.a = 1 then do nothing;
-- UPDATE OF concerns what any action assigns to.
create function told() returns trigger language plpgsql as $$ begin raise notice '% % % %', tg_name, tg_op, old, new; return case when tg_op = 'DELETE' then old else new end; end $$;
create trigger of_a before update of a on goal for each row execute function told();
merge into goal g using given s on s.id = g.id when matched and s.id = 1 then update set b = 7 when matched then update set a = 8;
drop trigger of_a on goal;

-- Rows of VALUES are made one after the other: the first one's constraints come before a later one's domain, and volatile
-- functions see the rows before.
create domain small as int check (value < 20);
create table few (id int not null, x small);
insert into few values (null, 3), (2, 21);
create function seen() returns int language plpgsql as $$ begin return (select count(*) from few); end $$;
insert into few values (seen(), 1), (seen(), 2), (seen(), 3) returning *;

-- A row must meet the constraints, though it is left out for a conflict.
create table strict (id int primary key, a int not null check (a < 9));
insert into strict values (1, 1);
insert into strict values (1, null) on conflict do nothing;
insert into strict values (1, 10) on conflict (id) do update set a = 2;
-- A constraint without an index decides nothing; rules and generated columns are looked at before the index is.
insert into strict values (1, 1) on conflict on constraint strict_a_check do nothing;
insert into strict values (1, 1) on conflict (a) do nothing;
create table made (id int, g int generated always as (id + 1) stored);
insert into made values (1, 5) on conflict (id) do nothing;
-- The index of a rule's ON CONFLICT is found anew.
create table kept (id int constraint kept_u unique);
create rule keep as on insert to made do also insert into kept values (new.id) on conflict (id) do nothing;
alter table kept drop constraint kept_u;
alter table kept add constraint kept_v primary key (id);
insert into made (id) values (1), (1);
table kept;

-- A row that the command has inserted itself, with a trigger that runs commands: an endless loop.
create table once (id int primary key, n int);
create table log (x int);
create function logs() returns trigger language plpgsql as $$ begin insert into log values (1); return new; end $$;
create trigger logs before insert on once for each row execute function logs();
insert into once select 1, s from generate_series(1, 3) s on conflict (id) do update set n = once.n + 1;
insert into once select 1, s from generate_series(1, 3) s on conflict (id) do nothing;
insert into once select 1, s from generate_series(1, 1) s on conflict (id) do update set n = once.n + 1;
table once;

-- A row that another part of the same statement has changed is left alone, though there is a trigger.
create trigger told before delete on goal for each row execute function told();
with w as (delete from goal where id = 1 returning id) delete from goal where id in (select id from w) returning id;

-- A transition table is there though no partition has changed.
create table parts (id int, a int, g int generated always as (a + 1) stored) partition by list (id);
create table parts_1 partition of parts for values in (1);
create table parts_2 (a int, x int, id int, g int generated always as (a + 1) stored);
alter table parts_2 drop column x;
alter table parts attach partition parts_2 for values in (2);
create function counted() returns trigger language plpgsql as $$ begin raise notice '%', (select count(*) from o); return null; end $$;
create trigger counted after update on parts referencing new table as o for each statement execute function counted();
update parts set a = 1 where id = 9;
update parts set a = 1;
-- Whole rows in WHEN, on partitions with columns in another order.
create trigger whole before insert or update on parts for each row when (new.* is distinct from null) execute function told();
create trigger differs after update on parts for each row when (old.* is distinct from new.*) execute function told();
create table parts_3 (g int generated always as (a + 1) stored, a int, id int);
alter table parts attach partition parts_3 for values in (3);
insert into parts values (1, 5), (2, 6), (3, 7);
update parts set a = a where id = 3;
update parts set a = a + 1 where id <> 1;
-- What a row that moves brings along is computed.
update parts set id = 3 where id = 1;

-- The members of WITH are rewritten once: an identity column was refused the second time.
create table numbered (id int generated always as identity, a int);
create table plain (id int, a int);
create view shown as select id, a from plain where a > 0 with check option;
with w as (insert into numbered (a) values (1) returning id, a) insert into shown select id + 150, a from w returning *;

-- A check that failed left behind which keys are there.
create table self (id int primary key, b int references self);
insert into self values (6, 6), (7, 8);
insert into self values (1, 6);
table self;
-- A referenced row that moves to another partition is checked as its update is: late, if that is deferrable.
create table many (id int primary key) partition by hash (id);
create table many_1 partition of many for values with (modulus 2, remainder 0);
create table many_2 partition of many for values with (modulus 2, remainder 1);
create table refers (id int, b int references many on delete set default deferrable);
insert into many select generate_series(1, 4);
insert into refers values (1, 1), (2, 2), (3, 3), (4, 4);
begin;
set constraints all deferred;
update many set id = 14 where id = 1;
update many set id = 15 where id = 2;
update many set id = 16 where id = 3;
update many set id = 17 where id = 4;
update refers set b = b + 13;
commit;
select id from many order by id;
update many set id = 1 where id = 14;

-- What the main query does not read of WITH runs when it is done, the last part first, and each part's AFTER STATEMENT triggers are
-- queued at once: they came after the rows of all parts, and gave way to those of a foreign key's action.
create table heads (id int primary key);
create table tails (id int, b int references heads on delete set null, a int);
create table told (n serial, w text);
create function told_of() returns trigger language plpgsql as $$ begin
  insert into told (w) values (concat_ws(' ', tg_table_name, tg_when, tg_op, tg_level)); return case when tg_op = 'DELETE' then old else new end; end $$;
create trigger t1 after update on tails for each statement execute function told_of();
create trigger t2 before update on tails for each row execute function told_of();
create trigger t3 before delete or insert on heads for each row execute function told_of();
create trigger t4 after delete on heads for each row execute function told_of();
create trigger t5 after delete on heads for each statement execute function told_of();
insert into heads values (1), (2), (3);
insert into tails values (1, 1), (5, 2);
with w as (delete from heads where id < 3 returning id), x as (update tails set a = 5 where id = 5 returning id) update tails set a = 1 where id = 1;
select w from told order by n;
delete from told;
insert into heads values (1), (2);
update tails set b = 1;
delete from told;
with x as (update tails set a = 5 where id = 5 returning id), w as (delete from heads where id < 3 returning id) select 1;
select w from told order by n;

-- ON CONFLICT and rules of a view: the missing key was told first.
create view ruled as select id, a from plain union all select id, a from numbered;
create function ruled_does() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger ruled_does instead of insert on ruled for each row execute function ruled_does();
insert into ruled values (1, 2) on conflict (id) do nothing;
create rule r as on update to ruled do instead nothing;
insert into ruled values (1, 2) on conflict (id) do nothing;

drop schema changed cascade;
