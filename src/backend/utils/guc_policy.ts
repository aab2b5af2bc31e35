// Settings of PostgreSQL that mean something Posthouse does not do: any value but the default ('*'), or the one value
// named here, is refused with 0A000. All others that we do not look at are accepted because ignoring them changes no
// answer: write-ahead log, vacuum, checkpoint and shared-buffer tuning, planner knobs, statistics collection.
// Take a name out when its feature comes in.

export const UNSUPPORTED: Readonly<Record<string, string>> = {
  archive_mode: '*', archive_command: '*', archive_library: '*', archive_cleanup_command: '*', restore_command: '*',
  recovery_end_command: '*', recovery_target: '*', recovery_target_lsn: '*', recovery_target_name: '*', recovery_target_time: '*',
  recovery_target_timeline: '*', recovery_target_xid: '*', primary_conninfo: '*', primary_slot_name: '*', promote_trigger_file: '*',
  synchronous_standby_names: '*', wal_level: 'logical', track_commit_timestamp: '*',
  shared_preload_libraries: '*', session_preload_libraries: '*', local_preload_libraries: '*',
  ssl: '*', bonjour: '*', db_user_namespace: '*', external_pid_file: '*', unix_socket_group: '*', log_hostname: '*',
  debug_print_parse: '*', debug_print_plan: '*', debug_print_rewritten: '*',
  log_parser_stats: '*', log_planner_stats: '*', log_executor_stats: '*', log_statement_stats: '*',
  ignore_system_indexes: '*', old_snapshot_threshold: '*', backtrace_functions: '*', track_io_timing: '*',
};
