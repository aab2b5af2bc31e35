-- What constants decide is not reached: it was folded before the decision, and failed.
select length('x') < coalesce(greatest(0, 1), -7 * 2147483647) from (values (1)) v(a);
select repeat('a', case when -5::int8 between 0 and 0::int8 then 2147483647 + 1 else false::int4 end % 3);
select case when true then 1 else 1/0 end, case when false then 1/0 else 2 end, coalesce(1, 1/0), coalesce(null, 2, 1/0);
select true or 1/0 = 1, false and 1/0 = 1, not (true or 1/0 = 1);
select case 1 when 1 then 2 when 1/0 then 3 end, case 3 when 1 then 1/0 when 2 then 1/0 else 7 end;
select case when null then 1/0 end, case a when 1 then 'one' else 'other' end from (values (1), (2)) v(a);
prepare unreached(int) as select case when $1 > 0 then 1 when false then 1/0 else 3 end order by 1;
execute unreached(1);
execute unreached(-1);
