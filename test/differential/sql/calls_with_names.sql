-- Calls with names: views and defaults showed all arguments by position, and the defaults of the day they were made.
create function nm(a int, b int default 2, variadic c int[] default '{3}') returns text language sql as $$ select concat_ws(',', a, b, c::text) $$;
create function nm2("A x" int default 1, b text default 'q', c int default 9) returns text language plpgsql as $$ begin return concat_ws(',', "A x", b, c); end $$;
create view nv as select nm(1), nm(1, c => '{4,5}') as x2, nm(b => 3, a => 4) as x3, nm2(c => 4) as x4, nm2(7, c := 4) as x5, nm2(b => 'z', "A x" => 3) as x6, nm(1, variadic c => '{7}') as x7, nm(1,2,3,4) as x8, make_interval(mins => 5, days => 2) as x9;
select pg_get_viewdef('nv', true);
select * from nv;
create or replace function nm2("A x" int default 100, b text default 'new', c int default 900) returns text language plpgsql as $$ begin return concat_ws(',', "A x", b, c); end $$;
select * from nv;
create table nmt (a text default nm2(c => 5), b int check (nm2(c => b) <> 'x'), g text generated always as (make_date(day => 3, month => b, year => 2000)::text || 'y') stored);
select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'nmt'::regclass order by adnum; select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'nmt'::regclass;
explain verbose select nm2(c => 4), make_interval(days => x) from generate_series(1,2) x;
create function nm3() returns setof text begin atomic select nm2(c => 8, b => 'r'); end;
select pg_get_functiondef('nm3'::regproc);
select * from nm3();
select nm2(c => 1, c => 2);
create view nv2 as select * from nm2(b => 'k'), generate_series(1, 2);
select pg_get_viewdef('nv2');
create or replace function nm2("A x" int, b text default 'new', c int default 900) returns text language plpgsql as $$ begin return 1; end $$;
drop function nm cascade; drop function nm2 cascade;
