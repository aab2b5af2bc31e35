-- loops and labels
do $$
begin
  for i in 1..3 loop raise notice '1..3: i = %', i; end loop;
  for i in 10..1 by 3 loop raise notice 'never'; end loop;
  for i in reverse 10..1 by 3 loop raise notice 'reverse 10..1 by 3: i = %', i; end loop;
  for i in 2147483620..2147483647 by 10 loop raise notice 'overflow: i = %', i; end loop;
  for i in reverse -2147483620..-2147483647 by 10 loop raise notice 'reverse overflow: i = %', i; end loop;
end$$;
do $$ begin for i in 1..3 by 0 loop raise notice 'never'; end loop; end$$;
do $$ begin for i in null..3 loop raise notice 'never'; end loop; end$$;
do $$ begin for i in 1..null loop raise notice 'never'; end loop; end$$;
do $$ begin for i in 1..3 by -1 loop raise notice 'never'; end loop; end$$;
create table conttesttbl(idx serial, v integer);
insert into conttesttbl(v) values(10), (20), (30), (40);
create function continue_test1() returns void as $$
declare _i integer = 0; _r record;
begin
  raise notice '---1---';
  loop
    _i := _i + 1;
    raise notice '%', _i;
    continue when _i < 10;
    exit;
  end loop;
  raise notice '---2---';
  <<lbl>>
  loop
    _i := _i - 1;
    loop
      raise notice '%', _i;
      continue lbl when _i > 0;
      exit lbl;
    end loop;
  end loop;
  raise notice '---3---';
  <<the_loop>>
  while _i < 10 loop
    _i := _i + 1;
    continue the_loop when _i % 2 = 0;
    raise notice '%', _i;
  end loop;
  raise notice '---4---';
  for _i in 1..10 loop
    begin
      continue when _i < 5;
      raise notice '%', _i;
    end;
  end loop;
  raise notice '---5---';
  for _r in select * from conttesttbl loop
    continue when _r.v <= 20;
    raise notice '%', _r.v;
  end loop;
  raise notice '---6---';
  for _r in execute 'select * from conttesttbl' loop
    continue when _r.v <= 20;
    raise notice '%', _r.v;
  end loop;
  raise notice '---7---';
  <<looplabel>>
  for _i in 1..3 loop
    continue looplabel when _i = 2;
    raise notice '%', _i;
  end loop;
  raise notice '---8---';
  _i := 1;
  while _i <= 3 loop
    raise notice '%', _i;
    _i := _i + 1;
    continue when _i = 3;
  end loop;
  raise notice '---9---';
  for _r in select * from conttesttbl order by v limit 1 loop
    raise notice '%', _r.v;
    continue;
  end loop;
  raise notice '---10---';
  for _r in execute 'select * from conttesttbl order by v limit 1' loop
    raise notice '%', _r.v;
    continue;
  end loop;
  raise notice '---11---';
  <<outerlooplabel>>
  for _i in 1..2 loop
    raise notice 'outer %', _i;
    <<innerlooplabel>>
    for _j in 1..3 loop
      continue outerlooplabel when _j = 2;
      raise notice 'inner %', _j;
    end loop;
  end loop;
end; $$ language plpgsql;
select continue_test1();
create function continue_error1() returns void as $$
begin
    begin
        continue;
    end;
end;
$$ language plpgsql;
create function exit_error1() returns void as $$
begin
    begin
        exit;
    end;
end;
$$ language plpgsql;
create function continue_error2() returns void as $$
begin
    begin
        loop
            continue no_such_label;
        end loop;
    end;
end;
$$ language plpgsql;
create function continue_error3() returns void as $$
begin
    <<begin_block1>>
    begin
        loop
            continue begin_block1;
        end loop;
    end;
end;
$$ language plpgsql;
create function exit_block1() returns void as $$
begin
  <<begin_block1>>
  begin
    loop
      exit begin_block1;
      raise exception 'should not get here';
    end loop;
  end;
end;
$$ language plpgsql;
select exit_block1();
create function end_label1() returns void as $$
<<blbl>>
begin
  <<flbl1>>
  for i in 1 .. 10 loop
    raise notice 'i = %', i;
    exit flbl1;
  end loop flbl1;
  <<flbl2>>
  for j in 1 .. 10 loop
    raise notice 'j = %', j;
    exit flbl2;
  end loop;
end blbl;
$$ language plpgsql;
select end_label1();
create function end_label2() returns void as $$ begin for _i in 1 .. 10 loop exit; end loop flbl1; end; $$ language plpgsql;
create function end_label3() returns void as $$
<<outer_label>>
begin
  <<inner_label>>
  for _i in 1 .. 10 loop
    exit;
  end loop outer_label;
end;
$$ language plpgsql;
-- a function whose own name is the label
create function lab(x int) returns int as $$
begin
  if x > 0 then return lab.x; end if;
  exit lab when x < -5;
  return -1;
end $$ language plpgsql;
select lab(3), lab(-1);
select lab(-10);
-- unlabeled exit does match a while loop
do $$
begin
  <<outermostwhile>>
  while 1 > 0 loop
    <<outermost>>
    begin
      for i in 1..10 loop
        exit outermost when i = 3;
        raise notice '%', i;
      end loop;
    end;
    exit;
  end loop;
end$$;
-- case
create function case_test(bigint) returns text as $$
declare a int = 10; b int = 1;
begin
  case $1
    when 1 then return 'one';
    when 2 then return 'two';
    when 3,4,3+5 then return 'three, four or eight';
    when a then return 'ten';
    when a+b, a+b+1 then return 'eleven, twelve';
  end case;
end;
$$ language plpgsql immutable;
select case_test(1), case_test(2), case_test(3), case_test(8), case_test(10), case_test(11), case_test(12);
select case_test(13);
create function catch() returns void as $$
begin
  raise notice '%', case_test(6);
exception
  when case_not_found then
    raise notice 'caught case_not_found % %', sqlstate, sqlerrm;
end
$$ language plpgsql;
select catch();
create or replace function case_test2(x text) returns text as $$
begin
  case when x is null then return 'null'; when x = 'a' then return 'A'; else return 'other'; end case;
end $$ language plpgsql;
select case_test2(null), case_test2('a'), case_test2('b');
do $$ begin case 'x' when 'y' then raise notice 'y'; when 'x' then raise notice 'x'; end case; end $$;
do $$ declare v text; begin for i in 1..3 loop case i when 1 then v := 'one'; else v := 'many'; end case; raise notice '%', v; end loop; end $$;
do $$ begin case when false then null; else raise notice 'else'; end case; case 1 when 2 then null; end case; end $$;
-- if
create function iftest(n int) returns text as $$
begin
  if n = 1 then return 'one'; elsif n = 2 then return 'two'; elseif n = 3 then return 'three'; else return 'more'; end if;
end $$ language plpgsql;
select iftest(n) from generate_series(1, 4) n;
do $$ begin if null then raise notice 'yes'; else raise notice 'no'; end if; end $$;
do $$ begin if 'x' then raise notice 'yes'; end if; end $$;
-- foreach
do $$
declare a int[] := '{1,2,3}'; b int[][] := '{{1,2},{3,4}}'; x int; s int[];
begin
  foreach x in array a loop raise notice '%', x; end loop;
  foreach x in array b loop raise notice '%', x; end loop;
  foreach s slice 1 in array b loop raise notice '%', s; end loop;
  foreach s slice 2 in array b loop raise notice '%', s; end loop;
  foreach s slice 0 in array b loop raise notice '%', s; end loop;
end $$;
do $$ declare x int; begin foreach x slice 1 in array '{1,2}'::int[] loop null; end loop; end $$;
do $$ declare x int[]; begin foreach x slice 3 in array '{1,2}'::int[] loop null; end loop; end $$;
do $$ declare x int; begin foreach x in array 5 loop null; end loop; end $$;
do $$ declare x int; begin foreach x in array null::int[] loop null; end loop; end $$;
do $$ declare x int; begin foreach x in array '{}'::int[] loop raise notice 'never'; end loop; raise notice '%', found; end $$;
-- FOUND
do $$
begin
  raise notice '%', found;
  for i in 1..0 loop null; end loop; raise notice '%', found;
  for i in 1..1 loop null; end loop; raise notice '%', found;
  perform 1 where false; raise notice '%', found;
  perform 1; raise notice '%', found;
  update conttesttbl set v = v where v > 1000; raise notice '%', found;
  update conttesttbl set v = v; raise notice '%', found;
  execute 'select 1 where false'; raise notice '%', found;
end $$;
