-- ADD FOREIGN KEY took AccessExclusiveLock, options of views ShareUpdateExclusiveLock; dropping did not lock the other table of a
-- foreign key nor the partitioned table, CREATE INDEX on a partitioned table not its partitions.
CREATE VIEW held AS SELECT relation::regclass AS relation, mode FROM pg_locks
  WHERE pid = pg_backend_pid() AND relation >= 16384 AND relation NOT IN (SELECT indexrelid FROM pg_index) AND relation <> 'held'::regclass;
CREATE TABLE lk_a (a int PRIMARY KEY, b varchar(10));
CREATE TABLE lk_b (a int PRIMARY KEY, b int);
BEGIN; ALTER TABLE lk_b ADD FOREIGN KEY (b) REFERENCES lk_a NOT VALID;
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
BEGIN; ALTER TABLE lk_b ADD CHECK (b > 0);
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
ALTER TABLE lk_b ADD FOREIGN KEY (b) REFERENCES lk_a;
BEGIN; ALTER TABLE lk_b DROP CONSTRAINT lk_b_b_fkey;
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
BEGIN; DROP TABLE lk_b;
SELECT * FROM held WHERE mode = 'AccessExclusiveLock' AND relation::oid IN (SELECT oid FROM pg_class) ORDER BY 1, 2; ROLLBACK;
BEGIN; DROP TABLE lk_a CASCADE;
SELECT * FROM held WHERE mode = 'AccessExclusiveLock' AND relation::oid IN (SELECT oid FROM pg_class) ORDER BY 1, 2; ROLLBACK;
BEGIN; ALTER TABLE lk_a SET (fillfactor = 80);
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
BEGIN; ALTER TABLE lk_a SET (fillfactor = 80, user_catalog_table = true);
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
CREATE VIEW lk_v AS SELECT * FROM lk_a;
BEGIN; ALTER VIEW lk_v SET (security_barrier = on);
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
BEGIN; ALTER INDEX lk_v RENAME TO lk_w;
SELECT * FROM held ORDER BY 1, 2; ROLLBACK;
BEGIN; ALTER INDEX lk_a_pkey RENAME TO lk_w;
SELECT mode FROM pg_locks WHERE relation = 'lk_w'::regclass; ROLLBACK;
CREATE TABLE lk_p (a int, b int) PARTITION BY LIST (a);
CREATE TABLE lk_p1 PARTITION OF lk_p FOR VALUES IN (1);
BEGIN; CREATE INDEX ON lk_p (b);
SELECT * FROM held WHERE mode = 'ShareLock' ORDER BY 1, 2; ROLLBACK;
BEGIN; DROP TABLE lk_p1;
SELECT * FROM held WHERE relation::oid IN (SELECT oid FROM pg_class) ORDER BY 1, 2; ROLLBACK;
