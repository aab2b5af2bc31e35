-- Partition keys of operator classes of ones own.
create function self_hash(value int4, seed int8) returns int8 as $$ select seed + value $$ strict immutable parallel safe language sql;
create operator class self_hash_ops for type int4 using hash as operator 1 =, function 2 self_hash(int4, int8);
create table spread (a int, b int) partition by hash (a self_hash_ops);
create table spread_1 partition of spread for values with (modulus 5, remainder 0);
create table spread_2 partition of spread for values with (modulus 5, remainder 1);
insert into spread select x, x from generate_series(0, 20) x where x % 5 < 2;
select tableoid::regclass, count(*) from spread group by 1 order by 1;
select * from spread where a = 6;
select tableoid::regclass, * from spread where a = 10;
