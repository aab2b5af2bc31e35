-- Rows of VALUES that differ in constants and parameters only are made by one function; the others by their own.
create temp table vt (a int default 7, b text, c timestamptz);
create temp sequence vs;
prepare p as select count(*), sum(a), min(b), max(b), count(b) from (values ($1, $2::text), ($3, $4), (5, $2), ($1, null), (null, 'x'), ($1 + 1, upper($2)), ($3 + 2, upper($4)), (1, 'q'), (2, 'r'), (3, 's'), (4, 't'), (5, 'u'), (6, 'v'), (7, $4), (8, $2), (9, 'z'), ($1 + 5, upper('w')), (11, lower($2)), (12, lower('ABC')), ($3 + $1, 'k')) v (a, b);
execute p(100, 'one', 200, 'two');
execute p(null, 'one', 200, null);
select a, b from (values (1, nextval('vs')), (2, nextval('vs')), (3, 0), (4, nextval('vs')), (5, nextval('vs')), (6, nextval('vs')), (7, nextval('vs')), (8, nextval('vs')), (9, nextval('vs')), (10, nextval('vs')), (11, nextval('vs')), (12, -1), (13, nextval('vs')), (14, nextval('vs')), (15, nextval('vs')), (16, nextval('vs')), (17, nextval('vs')), (null, null), (19, nextval('vs') * 2), (20, currval('vs'))) v (a, b);
select x, y from (values (1, 4), (random() * 0 + 2, 1 / 1), (3, 1 / 1), (4, 2/1), (5, 3), (6, 6), (7, 7), (8, 8), (9, 9), (10, 10), (11, 11), (12, 12), (random() * 0 + 13, 13), (14, 14), (15, 15), (16, 16), (random() * 0 + 17, 17), (18, 18)) v (x, y) where y > 3;
create temp table vt2 (id serial primary key, a int, b varchar(5), n numeric(6,2), t text default 'none');
insert into vt2 (a, b, n, t) values (1, 'a', 1.005, default), (2, 'b', 2, 'x'), (3, null, 3, default), (4, upper('d'), 4, default), (5, 'e', 5, default), (6, 'f', 6.666, default), (7, 'g', 7, default), (8, 'h', 8, 'y' || 'z'),
  (9, 'i', 9, default), (10, 'j', 10, default), (11, 'k', 11, default), (12, 'l', 12, default), (13, 'm', 13, current_user::text = ''), (14, 'n', (select 14), default), (15, 'o', (select max(a) from vt2), default), (16, 'p', 16, default), (17, 'q', 17, default) returning *;
select a, count(*) over (), x.b from (values (1, array[1, 2]), (2, array[3, 4]), (3, array[random()::int * 0]), (4, array[4, 5]), (5, null), (6, '{}'), (7, array[7]), (8, array[7]), (9, array[7]), (10, array[7]), (11, array[7]), (12, array[7]), (13, array[7]), (14, array[7]), (15, array[7]), (16, array[random()::int * 0 + 16])) x (a, b);
insert into vt2 (a) values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (1 / (random() * 0)::int), (17);
insert into vt2 (a, b) values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f'), (7, 'g'), (8, 'h'), (9, 'i'), (10, 'j'), (11, 'k'), (12, 'l'), (13, 'm'), (14, 'n'), (15, 'o' || current_setting('server_version_num')), (16, 'p'), (17, 'q');
insert into vt2 (a) values (1) returning id;
prepare q as insert into vt2 (a, b, n) values ($1, $2, $3), ($4, $5, $6), ($1, $5, $3), ($1, $2, $3), ($4, $2, $6), ($1, 'b', 1), ($1, $2, 1.555), (4, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($1, $2, $3), ($4, $5, $6 + 1) returning a, b, n;
execute q(1, 'one', 1.119, 2, 'two', 2.2);
execute q(1, null, 1.119, 2, 'two  ', 2.2);
execute q(1, 'one', 1.119, 2, 'too long', 2.2);
prepare r as update vt2 set t = v.t from (values ($1::int, $2::text), (2, 'second'), ($3, $4), (5, 'e'), (6, 'f'), (7, 'g'), (8, 'h'), (9, 'i'), (10, 'j'), (11, 'k'), (12, 'l'), (13, 'm'), (14, 'n'), (15, 'o'), (16, 'p'), (17, $2), (18, $4 || 'x')) v (a, t) where v.a = vt2.a;
execute r(1, 'first', 3, 'third');
select a, b, n, t from vt2 order by id;
