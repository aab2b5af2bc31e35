-- Aggregates with an inverse transition function added each frame up anew, and those that only differ in their final
-- function each ran the transition function.
create function ma_fwd(state text, v text) returns text language sql immutable as $$ select coalesce(state, '') || '+' || coalesce(v, '~') $$;
create function ma_inv(state text, v text) returns text language sql immutable as $$ select state || '-' || coalesce(v, '~') $$;
create function ma_plain(state text, v text) returns text language sql immutable as $$ select coalesce(state, '') || '*' || coalesce(v, '~') $$;
create aggregate ma_trace (text) (stype = text, sfunc = ma_plain, mstype = text, msfunc = ma_fwd, minvfunc = ma_inv);
create aggregate ma_traced (text) (stype = text, sfunc = ma_plain, initcond = 'i', mstype = text, msfunc = ma_fwd, minvfunc = ma_inv, minitcond = 'mi');
create function ma_sfwd(state text, v text) returns text language sql immutable strict as $$ select state || '+' || v $$;
create function ma_sinv(state text, v text) returns text language sql immutable strict as $$ select state || '-' || v $$;
create aggregate ma_strict (text) (stype = text, sfunc = ma_sfwd, mstype = text, msfunc = ma_sfwd, minvfunc = ma_sinv);
create table ma_in (g int, n int, v text, keep bool);
insert into ma_in values (1, 1, null, true), (1, 2, 'a', false), (1, 3, 'b', true), (1, 4, null, false), (1, 5, null, false), (1, 6, 'c', true), (2, 1, 'x', true), (2, 2, null, false), (3, 1, 'z', true);
select g, n, ma_trace(v) over w, ma_traced(v) over w, ma_strict(v) over w from ma_in window w as (partition by g order by n rows between 1 preceding and current row);
select g, n, ma_trace(v) filter (where keep) over w, ma_strict(v) filter (where keep) over w from ma_in window w as (partition by g order by n rows between 1 preceding and current row);
select g, n, ma_trace(v) over w, ma_strict(v) over w from ma_in window w as (order by g, n rows between 4 preceding and 3 preceding);
select g, n, ma_trace(v) over w from ma_in window w as (order by g, n rows between 2 preceding and 1 following exclude current row);
select g, n, ma_trace(v) over w from ma_in window w as (order by g range between current row and unbounded following);
select g, n, ma_trace(v) over w from ma_in window w as (order by g groups between 1 preceding and 1 following);
select ma_trace(v) over (order by g, n) from ma_in;
-- a volatile argument cannot be taken out again
select ma_trace(v || case when random() < 0 then '?' else '' end) over (order by g, n rows between 1 preceding and current row) from ma_in;
create function ma_no_inv(state text, v text) returns text language sql immutable as $$ select case when v = 'b' then null else state || '-' || coalesce(v, '~') end $$;
create aggregate ma_restart (text) (stype = text, sfunc = ma_plain, mstype = text, msfunc = ma_fwd, minvfunc = ma_no_inv);
select n, ma_restart(v) over (order by g, n rows between 2 preceding and current row) from ma_in;
create function ma_null(state text, v text) returns text language sql immutable as $$ select null::text $$;
create aggregate ma_nulls (text) (stype = text, sfunc = ma_plain, mstype = text, msfunc = ma_null, minvfunc = ma_inv);
select ma_nulls(v) over (order by g, n rows between 2 preceding and current row) from ma_in;
select ma_nulls(v) over (order by g, n) from ma_in;
-- those of the system
select n, sum(n) over w, avg(n) over w, count(*) over w, count(v) over w, sum(n::numeric) over w, avg(n::int8) over w, bool_and(keep) over w, every(n < 3) over w from ma_in window w as (order by g, n rows between 1 preceding and 1 following);
select n, sum(x) over w, variance(x) over w, stddev(n) over w, sum(n * interval '1 hour') over w, avg(n * interval '1 day') over w from (select g, n, n * 1.5 + 1e-10 * g as x from ma_in) s window w as (order by g, n rows between 2 preceding and current row);
select sum(x) over (order by k rows between current row and 1 following) from (values (1, 1.10), (2, 2.2), (3, 'NaN'), (4, 3), (5, null), (6, 4.000)) v (k, x);
select sum(x) over (order by k rows between current row and 1 following) from (values (1, 1::money), (2, 2::money), (3, null), (4, null), (5, 3::money)) v (k, x);
-- one state for two
create function sh_step(state int, v int) returns int language plpgsql as $$ begin raise notice 'step %', v; return coalesce(state, 0) + coalesce(v, 0); end $$;
create function sh_half(state int) returns int language sql as $$ select state / 2 $$;
create aggregate sh_sum (int) (stype = int, sfunc = sh_step);
create aggregate sh_halves (int) (stype = int, sfunc = sh_step, finalfunc = sh_half);
create aggregate sh_from_ten (int) (stype = int, sfunc = sh_step, initcond = '10');
create aggregate sh_own (int) (stype = int, sfunc = sh_step, finalfunc = sh_half, finalfunc_modify = read_write);
create aggregate sh_shareable (int) (stype = int, sfunc = sh_step, finalfunc = sh_half, finalfunc_modify = shareable);
select sh_sum(x), sh_halves(x), sh_sum(x) + 1 from (values (1), (3)) v (x);
select sh_sum(x), sh_from_ten(x) from (values (1), (3)) v (x);
select sh_sum(distinct x), sh_halves(distinct x) from (values (1), (3), (1)) v (x);
select sh_sum(x order by x desc), sh_halves(x order by x desc), sh_halves(x order by x) from (values (1), (3), (1)) v (x);
select sh_sum(x) filter (where b), sh_halves(x) filter (where b), sh_halves(x) from (values (1, false), (3, true)) v (x, b);
select sh_sum(x), sh_own(x) from (values (1), (3)) v (x);
select sh_sum(x), sh_shareable(x) from (values (1), (3)) v (x);
select x % 2, sh_sum(x), sh_halves(x) from (values (1), (3), (4)) v (x) group by 1 order by 1;
select sh_sum(x), sh_halves(x) from (values (1)) v (x) where x > 1;
select sum(random()) <> sum(random()) from generate_series(1, 5);
-- states put together
select float8_combine('{3,60,200}', '{0,0,0}'), float8_combine('{0,0,0}', '{2,180,200}'), float8_combine('{3,60,200}', '{2,180,200}');
select float8_regr_combine('{3,60,200,750,20000,2000}', '{0,0,0,0,0,0}'), float8_regr_combine('{3,60,200,750,20000,2000}', '{2,180,200,740,57800,-3400}');
select float8_combine('{1,1e300,1e300}', '{1,-1e300,1e300}');
-- a window function of one's own
create function second_value(val anyelement, n int = 2) returns anyelement language internal window immutable strict as 'window_nth_value';
select n, second_value(v) over (order by n), second_value(n => 1, val => v) over (order by n) from ma_in where g = 1;
create function no_such_window(int) returns int language internal window as 'window_no_such_thing';
