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

-- The inner side of a hash join is not read when the outer one has no rows, which is looked at first where it costs less to begin with; it
-- was read always.
create table outer_rows (a int, b int);
create table inner_rows (a int, b int);
insert into inner_rows select g, g from generate_series(1, 1000) g;
analyze outer_rows, inner_rows;
create sequence inner_reads;
set enable_mergejoin = off;
set enable_nestloop = off;
select * from outer_rows o left join (select a, nextval('inner_reads') from inner_rows) i using (a);
select * from inner_rows o join (select a, nextval('inner_reads') from inner_rows) i using (a) where o.a < 0;
select * from outer_rows o where not exists (select from inner_rows i where i.a = o.a and 1 / (i.a - 1) > 0);
select * from (select a, count(*) from inner_rows where b < 0 group by a) o join (select a, nextval('inner_reads') from inner_rows offset 0) i using (a);
select count(*) from (select a, nextval('inner_reads') from inner_rows) o join outer_rows i using (a);
select nextval('inner_reads');
select count(*), sum(i.b), sum(j.b) from inner_rows o join (select * from inner_rows offset 0) i using (a) left join inner_rows j on j.a = i.a + 500;
select g, (select sum(o.b) from inner_rows o join inner_rows i on o.a = i.a and i.b = g), (select count(*) from inner_rows o join inner_rows i on o.a = i.a where o.b = g and i.b > 2) from generate_series(1, 4) g;
reset enable_mergejoin;
reset enable_nestloop;
drop table outer_rows, inner_rows;
drop sequence inner_reads;
