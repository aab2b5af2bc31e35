-- RAISE
do $$ begin raise notice 'plain'; raise notice '% and %%', 5; raise info 'i'; raise log 'l'; raise debug 'd'; raise warning 'w'; end $$;
do $$ begin raise exception 'boom %', 1 using detail = 'some detail', hint = 'some hint', errcode = '22012'; end $$;
do $$ begin raise 'no level'; end $$;
do $$ begin raise division_by_zero; end $$;
do $$ begin raise sqlstate 'ABCDE'; end $$;
do $$ begin raise unique_violation using message = 'not unique', column = 'c', constraint = 'k', table = 't', schema = 's', datatype = 'd'; end $$;
do $$ begin raise using message = 'only a message', errcode = 'check_violation'; end $$;
do $$ begin raise notice using message = 'a notice', detail = 'its detail'; end $$;
do $$ begin raise notice 'null: %', null; end $$;
do $$ begin raise notice 'x' using message = 'y'; end $$;
do $$ begin raise division_by_zero using errcode = '22013'; end $$;
do $$ begin raise exception 'x' using detail = null; end $$;
do $$ begin raise exception 'x' using detail = 'a', detail = 'b'; end $$;
do $$ begin raise; end $$;
do $$ begin raise no_such_condition; end $$;
do $$ begin raise exception 'x' using errcode = 'no_such'; end $$;
do $$ begin raise 'too few % %', 1; end $$;
do $$ begin raise 'too many %', 1, 2; end $$;
do $$ begin raise warning division_by_zero; end $$;
do $$ begin raise notice '%, %', (select count(*) from pg_class where false), array[1,2]; end $$;


-- exceptions
create function trap_zero_divide(int) returns int as $$
declare x int;
	sx smallint;
begin
	begin	-- start a subtransaction
		raise notice 'should see this';
		x := 100 / $1;
		raise notice 'should see this only if % <> 0', $1;
		sx := $1;
		raise notice 'should see this only if % fits in smallint', $1;
		if $1 < 0 then
			raise exception '% is less than zero', $1;
		end if;
	exception
		when division_by_zero then
			raise notice 'caught division_by_zero';
			x := -1;
		when NUMERIC_VALUE_OUT_OF_RANGE then
			raise notice 'caught numeric_value_out_of_range';
			x := -2;
	end;
	return x;
end$$ language plpgsql;
select trap_zero_divide(50);
select trap_zero_divide(0);
select trap_zero_divide(100000);
select trap_zero_divide(-100);
create table match_source(x int);
insert into match_source values (10), (20);
create function trap_matching_test(int) returns int as $$
declare x int;
	sx smallint;
	y int;
begin
	begin	-- start a subtransaction
		x := 100 / $1;
		sx := $1;
		select into y x from match_source where x =
			(select x from match_source ms where x = sx or x > 10 limit $1);
	exception
		when data_exception then  -- category match
			raise notice 'caught data_exception';
			x := -1;
		when NUMERIC_VALUE_OUT_OF_RANGE OR CARDINALITY_VIOLATION then
			raise notice 'caught numeric_value_out_of_range or cardinality_violation';
			x := -2;
	end;
	return x;
end$$ language plpgsql;
select trap_matching_test(50);
select trap_matching_test(0);
select trap_matching_test(100000);
-- what a block did is taken back
create table subx(a int primary key);
do $$
begin
  insert into subx values (1);
  begin
    insert into subx values (2);
    insert into subx values (1);
  exception when unique_violation then raise notice 'caught: %', sqlerrm;
  end;
  begin insert into subx values (3); end;
  begin insert into subx values (4); exception when others then null; end;
end $$;
select * from subx order by a;
create function blockme() returns int as $$
declare x int;
begin
  x := 1;
  insert into subx values (100);
  begin
    x := x + 1;
    insert into subx values (101);
    perform 1/0;
  exception
    when others then
      raise notice 'caught others? x = %', x;
      return -1;
    when query_canceled then
      return 1;
  end;
  return 2;
end$$ language plpgsql;
select blockme();
select * from subx where a >= 100;
-- nested handlers, rethrow, return and exit out of blocks
create function nested(p int) returns text as $$
declare t text := '';
begin
  for i in 1..3 loop
    begin
      if i = p then perform 1/0; end if;
      t := t || i;
      if p = 9 and i = 2 then exit; end if;
      if p = 8 and i = 2 then continue; end if;
      if p = 7 and i = 2 then return t || ' returned'; end if;
      insert into subx values (1000 * p + i);
    exception when division_by_zero then
      begin
        raise exception 'from handler %', sqlerrm;
      exception when raise_exception then
        t := t || '[' || sqlerrm || ']';
        if p = 3 then raise; end if;
      end;
      t := t || '<' || sqlerrm || '>';
    end;
  end loop;
  return t;
end $$ language plpgsql;
select nested(1);
select nested(2);
select nested(3);
select nested(7);
select nested(8);
select nested(9);
select * from subx where a >= 1000 order by 1;
-- diagnostics
create function raiser() returns void as $$
begin
  raise exception 'custom exception' using detail = 'some detail of custom exception', hint = 'some hint related to custom exception',
    column = '>>some column name<<', constraint = '>>some constraint name<<', datatype = '>>some datatype name<<', table = '>>some table name<<', schema = '>>some schema name<<';
end $$ language plpgsql;
create function stacked() returns void as $$
declare _sqlstate text; _message text; _context text; _detail text; _hint text; c text; k text; d text; t text; s text;
begin
  perform raiser();
exception when others then
  get stacked diagnostics _sqlstate = returned_sqlstate, _message = message_text, _context = pg_exception_context, _detail = pg_exception_detail, _hint = pg_exception_hint,
    c = column_name, k = constraint_name, d = pg_datatype_name, t = table_name, s = schema_name;
  raise notice 'sqlstate: %, message: %, context: [%], detail: %, hint: %', _sqlstate, _message, replace(_context, E'\n', ' <- '), _detail, _hint;
  raise notice '% % % % %', c, k, d, t, s;
end $$ language plpgsql;
select stacked();
create function current_context() returns text as $$ declare c text; n int; begin get diagnostics c = pg_context; get current diagnostics n = row_count; return c || ' ' || n; end $$ language plpgsql;
select current_context();
create function outer_context() returns text as $$ begin return current_context(); end $$ language plpgsql;
select outer_context();
do $$ declare n int; begin insert into match_source select generate_series(1, 5); get diagnostics n = row_count; raise notice '%', n; delete from match_source where x <= 5; get diagnostics n := row_count; raise notice '%', n; end $$;
do $$ declare n text; begin get stacked diagnostics n = message_text; end $$;
create function gd() returns void as $$ declare n int; begin get stacked diagnostics n = row_count; end $$ language plpgsql;
create function gd() returns void as $$ declare n int; begin get diagnostics n = message_text; end $$ language plpgsql;
create function gd() returns void as $$ declare n int; begin get diagnostics n = nonsense; end $$ language plpgsql;
-- ASSERT
do $$ begin assert 1 = 1; assert 1 = 0; end $$;
do $$ begin assert null; end $$;
do $$ begin assert false, 'with a message'; end $$;
do $$ declare var text := 'some value'; begin assert 1 = 0, format('assertion failed, var = "%s"', var); end $$;
do $$ begin assert 1 = 0, 'unhandled assertion'; exception when others then null; end $$;
do $$ begin assert 1 = 0, 'handled'; exception when assert_failure then raise notice 'ok'; end $$;
set plpgsql.check_asserts = off;
do $$ begin assert 1 = 0; end $$;
reset plpgsql.check_asserts;
-- contexts through functions and SQL
create function lvl3(x int) returns int as $$ begin return 1 / x; end $$ language plpgsql;
create function lvl2(x int) returns int as $$ select lvl3(x) + 1 $$ language sql volatile;
create function lvl1(x int) returns int as $$ declare r int; begin select lvl2(x) into r; return r; end $$ language plpgsql;
select lvl1(0);
create function lvl0() returns int as $$ declare r int; begin r := lvl1(0); return r; end $$ language plpgsql;
select lvl0();
do $$ declare r record; begin for r in select lvl3(x) from generate_series(1, -1, -1) x loop raise notice '%', r; end loop; end $$;
do $$ begin execute 'select 1/0'; end $$;
do $$ begin execute 'select * from no_such_table'; end $$;
do $$ begin execute null; end $$;
do $$ begin perform * from no_such_table; end $$;
do $$ begin insert into no_such_table values (1); end $$;
do $$ declare x int; begin x := 'abc'; end $$;
do $$ declare x int := 'abc'; begin end $$;
do $$ declare x int; begin x := (select 1 union select 2); end $$;
do $$ declare x int; begin x := 1, 2; end $$;
do $$ declare x int; begin x := nosuch; end $$;
do $$ declare x int; begin x := no_such_function(1); end $$;
do $$ begin if no_such_column then null; end if; end $$;
do $$ begin return 5; end $$;
do $$ begin for x in select 1 loop null; end loop; end $$;
do $$ begin select 1; end $$;
do $$ begin insert into subx values (77) returning a; end $$;
do $$ begin update subx set a = a where a = 1 returning a; end $$;
do $$ begin show search_path; end $$;
do $$ begin begin; commit; end $$;
do $$ begin savepoint x; end $$;
do $$ begin copy subx to stdout; end $$;
do $$ declare x int; begin create table zz(a int) into x; end $$;
do $$ declare x int; begin insert into subx values (78) into x; end $$;
create function noreturn() returns int as $$ begin null; end $$ language plpgsql;
select noreturn();
create function unread() returns int as $$ begin return 'x'; end $$ language plpgsql;
select unread();
create or replace function unread() returns varchar(3) as $$ begin return 12345678; end $$ language plpgsql;
select unread();
