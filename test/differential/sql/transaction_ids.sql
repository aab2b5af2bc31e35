-- How a transaction ended, and which ones a snapshot sees: both were refused.
create sequence pg_temp.xid_of_rolled_back;
create temp table xid_of (what text, xid xid8);
begin;
insert into xid_of select 'committed', pg_current_xact_id();
select pg_xact_status(xid) from xid_of;
select pg_visible_in_snapshot(pg_current_xact_id(), pg_current_snapshot()), pg_current_xact_id() >= pg_snapshot_xmin(pg_current_snapshot());
commit;
select what, pg_xact_status(xid), pg_visible_in_snapshot(xid, pg_current_snapshot()) from xid_of;
-- one that changed nothing has committed, too
begin;
select setval('xid_of_rolled_back', pg_current_xact_id()::text::int8) > 0;
commit;
select pg_xact_status(last_value::text::xid8) from xid_of_rolled_back;
begin;
select setval('xid_of_rolled_back', pg_current_xact_id()::text::int8) > 0;
rollback;
select pg_xact_status(last_value::text::xid8), txid_status(last_value) from xid_of_rolled_back;
select pg_xact_status('0'), pg_xact_status('1'), pg_xact_status('2'), txid_status(1);
select txid_status(9223372036854775807);
select pg_xact_status('18446744073709551615');
-- the snapshot of a transaction that keeps it does not move
begin isolation level repeatable read;
select pg_current_snapshot()::text = pg_current_snapshot()::text;
select pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmin(txid_current_snapshot()::text::pg_snapshot);
commit;
-- the lower half of a number may not be 0
select pg_snapshot '1:9223372036854775808:';
select pg_snapshot '1:9223372036854775809:';
select txid_snapshot '4294967296:4294967297:';
