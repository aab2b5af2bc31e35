-- Counts of what was done to tables, indexes, functions and databases. Dead row versions, and what a scan reads because of them, are
-- PostgreSQL's alone: what is compared does not touch rows that were changed.
create table counted (id int primary key, kind int, note text);
create index counted_kind on counted (kind);
insert into counted select n, n % 10, 'first' from generate_series(1, 500) n;
begin;
insert into counted values (1001, 1, 'taken back');
delete from counted where id <= 10;
rollback;
begin;
insert into counted values (1002, 1, 'stays');
savepoint here;
delete from counted where id <= 10;
insert into counted values (1003, 1, 'taken back');
rollback to here;
update counted set note = 'second' where id = 5;
commit;
delete from counted where id between 11 and 20;
select pg_stat_force_next_flush();
select n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_mod_since_analyze, n_ins_since_vacuum, last_analyze is null, last_vacuum is null
  from pg_stat_user_tables where relname = 'counted';
-- The rows of a block in which one was updated were counted with those that are gone.
analyze counted;
select reltuples from pg_class where relname = 'counted';
select n_live_tup, n_mod_since_analyze, n_ins_since_vacuum, analyze_count, last_analyze is not null, vacuum_count from pg_stat_user_tables where relname = 'counted';
vacuum counted;
select n_live_tup, n_mod_since_analyze, n_ins_since_vacuum, analyze_count, last_vacuum is not null, vacuum_count from pg_stat_user_tables where relname = 'counted';
select pg_stat_reset_single_table_counters('counted'::regclass);
select seq_scan, n_tup_ins, n_live_tup, analyze_count from pg_stat_user_tables where relname = 'counted';
-- How it was read.
set enable_seqscan = off;
set enable_bitmapscan = off;
select count(note) from counted where id between 100 and 199;
select note from counted where id = 7;
select note from counted where id = 15;
select count(*) from counted where id in (200, 201, 15);
set enable_indexscan = off;
set enable_indexonlyscan = off;
set enable_bitmapscan = on;
select count(note) from counted where kind = 3 and id > 20;
reset all;
set enable_indexscan = off;
set enable_indexonlyscan = off;
set enable_bitmapscan = off;
select count(*), max(note) from counted where id > 400;
reset all;
select pg_stat_force_next_flush();
select seq_scan, seq_tup_read, n_tup_ins from pg_stat_user_tables where relname = 'counted';
select indexrelname, idx_scan from pg_stat_user_indexes where relname = 'counted' order by 1;
select heap_blks_read + heap_blks_hit > 0, idx_blks_read + idx_blks_hit > 0 from pg_statio_user_tables where relname = 'counted';
-- A transaction's own.
begin;
insert into counted values (2001), (2002);
update counted set note = 'new' where id = 2001;
select n_tup_ins, n_tup_upd, n_tup_del from pg_stat_xact_user_tables where relname = 'counted';
rollback;
-- TRUNCATE, and what is written anew without being new.
begin;
truncate counted;
rollback;
begin;
truncate counted;
insert into counted values (1), (2);
commit;
alter table counted alter kind type bigint;
cluster counted using counted_pkey;
select pg_stat_force_next_flush();
select n_tup_ins, n_live_tup from pg_stat_user_tables where relname = 'counted';
-- Functions.
create function counted_inner(int) returns int language plpgsql as $$ begin return $1 + 1; end $$;
create function counted_outer(int) returns int language sql volatile as $$ select counted_inner($1); select counted_inner($1) + 1; $$;
select counted_inner(1);
set track_functions = 'all';
select counted_outer(counted_inner(1));
begin;
select counted_inner(1);
select calls > 0, total_time >= self_time from pg_stat_xact_user_functions where funcname = 'counted_inner';
rollback;
set track_functions = 'pl';
select counted_outer(1);
reset track_functions;
select counted_outer(1);
select pg_stat_force_next_flush();
select funcname, calls, total_time >= self_time, self_time >= 0 from pg_stat_user_functions order by 1;
select pg_stat_reset_single_function_counters('counted_inner'::regproc);
select funcname, calls from pg_stat_user_functions order by 1;
-- Objects that go, or do not.
create table remembered as select (select oid from pg_database where datname = current_database()) as database, 'counted'::regclass::oid as relation, 'counted_outer'::regproc::oid as function;
select pg_stat_have_stats('relation', database, relation), pg_stat_have_stats('function', database, function), pg_stat_have_stats('relation', database, 1) from remembered;
begin;
drop table counted;
drop function counted_outer;
rollback;
select pg_stat_have_stats('relation', database, relation), pg_stat_have_stats('function', database, function) from remembered;
begin;
savepoint here;
drop table counted;
rollback to here;
drop function counted_outer;
commit;
select pg_stat_have_stats('relation', database, relation), pg_stat_have_stats('function', database, function) from remembered;
drop table counted;
select pg_stat_have_stats('relation', database, relation), pg_stat_have_stats('function', database, function) from remembered;
-- track_counts.
create table uncounted (n int);
set track_counts = off;
insert into uncounted values (1);
select pg_stat_force_next_flush();
select n_tup_ins from pg_stat_user_tables where relname = 'uncounted';
reset track_counts;
insert into uncounted values (1);
select pg_stat_force_next_flush();
select n_tup_ins from pg_stat_user_tables where relname = 'uncounted';
-- Within a transaction they stand still.
begin;
select pg_stat_get_snapshot_timestamp() is null;
set local stats_fetch_consistency = snapshot;
select pg_stat_get_tuples_inserted('uncounted'::regclass), pg_stat_get_snapshot_timestamp() is null;
select pg_stat_clear_snapshot();
select pg_stat_get_snapshot_timestamp() is null;
commit;
-- Databases.
select xact_commit > 10, sessions >= 1, session_time > 0, active_time >= 0, idle_in_transaction_time >= 0, tup_inserted >= 500, tup_updated >= 1, tup_deleted >= 30, deadlocks
  from pg_stat_database where datname = current_database();
select pg_stat_reset();
select tup_inserted < 500, stats_reset is not null from pg_stat_database where datname = current_database();
select pg_stat_reset_shared('bgwriter'), pg_stat_reset_shared('wal'), pg_stat_reset_shared('archiver');
select (select stats_reset is not null from pg_stat_bgwriter), (select stats_reset is not null from pg_stat_wal), (select stats_reset is not null from pg_stat_archiver);
drop table uncounted, remembered;
drop function counted_inner;
-- Backends are numbered from 1; functions of standbys, commit times and slots say why there is nothing.
select pg_stat_get_backend_activity(0), pg_stat_get_backend_userid(0), pg_stat_get_backend_pid(0);
select count(*) filter (where pg_stat_get_backend_pid(i) = pg_backend_pid()), min(i) > 0 from pg_stat_get_backend_idset() i;
select pg_stat_get_progress_info('dancing');
select count(*) from pg_stat_get_progress_info('create index');
select pg_promote();
select pg_wal_replay_pause();
select pg_wal_replay_resume();
select pg_is_wal_replay_paused();
select pg_get_wal_replay_pause_state();
select pg_last_wal_receive_lsn(), pg_last_xact_replay_timestamp();
select pg_xact_commit_timestamp('3');
select pg_xact_commit_timestamp_origin('3');
select pg_last_committed_xact();
select (select count(*) from pg_ls_logicalsnapdir()), (select count(*) from pg_ls_logicalmapdir());
select pg_ls_replslotdir('no_slot');
select pg_import_system_collations('pg_catalog'), pg_database_collation_actual_version(1);
select pg_database_collation_actual_version(0);
