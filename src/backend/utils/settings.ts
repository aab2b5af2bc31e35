// The settings that hot paths look at, as plain fields. guc.ts keeps them up to date and is the only one to write them;
// the values here are only placeholders until it is loaded. Units are those of pg_settings (work_mem: kB, timeouts: ms).

export const settings = {
  work_mem: 4096, maintenance_work_mem: 65536, hash_mem_multiplier: 2, temp_file_limit: -1, max_stack_depth: 2048,
  enable_seqscan: true, enable_indexscan: true, enable_indexonlyscan: true, enable_bitmapscan: true, enable_tidscan: true,
  enable_sort: true, enable_incremental_sort: true, enable_hashagg: true, enable_material: true, enable_memoize: true,
  enable_nestloop: true, enable_mergejoin: true, enable_hashjoin: true, enable_partition_pruning: true,
  seq_page_cost: 1, random_page_cost: 4, cpu_tuple_cost: 0.01, cpu_index_tuple_cost: 0.005, cpu_operator_cost: 0.0025,
  max_parallel_workers_per_gather: 2, parallel_setup_cost: 1000, parallel_tuple_cost: 0.1, min_parallel_table_scan_size: 1024, min_parallel_index_scan_size: 64,
  parallel_leader_participation: true, enable_parallel_append: true, enable_parallel_hash: true, force_parallel_mode: 'off',
  effective_cache_size: 524288, cursor_tuple_fraction: 0.1, recursive_worktable_factor: 10,
  from_collapse_limit: 8, join_collapse_limit: 8, geqo: true, geqo_threshold: 12, default_statistics_target: 100,
  constraint_exclusion: 'partition', plan_cache_mode: 'auto',
  search_path: '"$user", public', DateStyle: 'ISO, MDY', TimeZone: 'GMT', IntervalStyle: 'postgres', bytea_output: 'hex',
  extra_float_digits: 1, array_nulls: true, xmlbinary: 'base64', xmloption: 'content', lc_monetary: 'C', transform_null_equals: false,
  client_min_messages: 'notice', log_min_messages: 'warning', log_min_error_statement: 'error', log_error_verbosity: 'default',
  log_statement: 'none', log_duration: false, log_min_duration_statement: -1, log_lock_waits: false,
  statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0, idle_session_timeout: 0, deadlock_timeout: 1000,
  default_transaction_isolation: 'read committed', default_transaction_read_only: false, default_transaction_deferrable: false,
  transaction_isolation: 'read committed', transaction_read_only: false, transaction_deferrable: false,
  synchronous_commit: 'on', max_prepared_transactions: 0, session_replication_role: 'origin', row_security: true, check_function_bodies: true, quote_all_identifiers: false,
  standard_conforming_strings: true, escape_string_warning: true, backslash_quote: 'safe_encoding',
  track_activities: true, track_counts: true, track_functions: 'none', stats_fetch_consistency: 'cache', update_process_title: true, application_name: '',
};
