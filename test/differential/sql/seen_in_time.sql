-- (a, b) = (SELECT ...) with a conversion to the columns' types gave each row what the row before should have had.
create table pick (n int);
insert into pick values (1);
create table label (id int, short varchar(8), name name, amount numeric(6, 2));
insert into label values (1, 'a', 'one', 1), (2, 'b', 'two', 2), (3, 'c', 'three', 3);
update label l set (short, amount) = (select l.short || '-', l.amount + n / 3.0 from pick limit 1);
table label order by id;
update label l set (name, id) = (select l.name || '+', l.id * 10 from pick), short = l.id || l.short;
table label order by id;
explain (verbose, costs off) update label l set (short, amount) = (select l.short || '-', l.amount + n / 3.0 from pick limit 1);
create table label_more (extra int) inherits (label);
insert into label_more values (40, 'd', 'four', 4, 0);
update label l set (short, name) = (select left(l.short, 2), upper(l.name) from pick);
table label order by id;
insert into pick select 2;
create table keyed (k int primary key, v varchar(5), w int);
insert into keyed values (1, 'x', 1), (2, 'y', 2);
insert into keyed values (1, 'n', 7), (2, 'm', 8) on conflict (k) do update set (v, w) = (select excluded.v || keyed.v, excluded.w + max(n) from pick);
table keyed order by k;
drop table label, label_more, keyed, pick;

-- A new row with a deferred key that is there already was changed, and with that forgotten.
create table slot (n int unique deferrable initially deferred, who text);
insert into slot values (1, 'ann'), (2, 'bob');
begin;
insert into slot values (1, 'cleo');
update slot set who = 'CLEO' where who = 'cleo';
commit;
table slot order by 1, 2;
begin;
insert into slot values (1, 'dora');
update slot set who = 'DORA' where who = 'dora';
update slot set n = 3 where who = 'ann';
commit;
table slot order by 1, 2;
begin;
update slot set n = 2 where who = 'ann';
update slot set who = 'anna' where n = 2 and who = 'ann';
set constraints all immediate;
rollback;
begin;
update slot set n = 2 where who = 'ann';
update slot set n = 9 where who = 'ann';
commit;
table slot order by 1, 2;
drop table slot;

-- What a function has done was not seen by a stable function in an expression after it.
create table guest (id serial primary key, name text unique);
create function guest_id(text) returns int language plpgsql stable as $$
declare found_id int;
begin
  select id into found_id from guest where name = $1;
  return coalesce(found_id, 0);
end $$;
create function guests() returns bigint language sql stable as 'select count(*) from guest';
create function invite(text) returns text language plpgsql as $$
declare before int := guest_id($1); after int;
begin
  if guest_id($1) > 0 then return 'knows ' || $1; end if;
  insert into guest (name) values ($1);
  after := guest_id($1);
  if guest_id($1) = 0 then return 'lost'; end if;
  for i in 1 .. guests() loop
    if i = guests() then delete from guest where name = 'nobody'; end if;
  end loop;
  update guest set name = name || '!' where id = after;
  return before || ' ' || after || ' ' || guest_id($1) || ' ' || guest_id($1 || '!') || ' ' || guests();
end $$;
select invite('a');
select invite('b');
select invite('a!');
select invite(n) from unnest(array['c', 'd', 'c!']) n;
create function watch() returns int language plpgsql stable as $$ begin return guests() + 0; end $$;
create function add_and_watch(out before int, out after int) language plpgsql as $$
begin
  before := watch();
  insert into guest (name) values ('e');
  after := watch();
end $$;
select * from add_and_watch();
create function count_then_add() returns table (seen bigint) language plpgsql as $$
begin
  seen := guests(); return next;
  insert into guest (name) values ('f');
  seen := guests(); return next;
  return query select guests();
end $$;
select * from count_then_add();
drop function invite(text), guest_id(text), watch(), add_and_watch(), count_then_add(), guests();
drop table guest;
