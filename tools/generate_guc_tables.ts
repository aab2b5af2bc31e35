// Writes src/backend/utils/guc_tables.ts: every setting of PostgreSQL 15, as a real one lists them in pg_settings.
//   node tools/generate_guc_tables.ts -h 127.0.0.1 -p 5432 -U postgres   (arguments go to psql)
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

interface Row {
  name: string; vartype: string; context: string; unit: string | null; boot_val: string | null; min_val: string | null;
  max_val: string | null; enumvals: string[] | null; category: string; short_desc: string; extra_desc: string | null;
  flags: string[]; hidden: boolean;
}

function ask(sql: string): string {
  return execFileSync('psql', [...process.argv.slice(2), '-X', '-A', '-t', '-q', '-c', sql], { encoding: 'utf8', maxBuffer: 1 << 26 });
}

// What pg_settings does not tell: guc.c's GUC_REPORT, GUC_LIST_INPUT, GUC_LIST_QUOTE and GUC_IS_NAME.
const FLAGS: Record<string, string[]> = {
  REPORT: ['application_name', 'client_encoding', 'DateStyle', 'default_transaction_read_only', 'in_hot_standby',
    'integer_datetimes', 'IntervalStyle', 'is_superuser', 'server_encoding', 'server_version', 'session_authorization',
    'standard_conforming_strings', 'TimeZone'],
  LIST_INPUT: ['DateStyle', 'search_path', 'listen_addresses', 'log_destination', 'unix_socket_directories', 'local_preload_libraries',
    'session_preload_libraries', 'shared_preload_libraries', 'synchronous_standby_names', 'temp_tablespaces',
    'wal_consistency_checking', 'restrict_nonsystem_relation_kind'],
  LIST_QUOTE: ['search_path', 'unix_socket_directories', 'local_preload_libraries', 'session_preload_libraries',
    'shared_preload_libraries', 'temp_tablespaces'],
  IS_NAME: ['application_name', 'default_tablespace', 'default_table_access_method', 'role', 'session_authorization'],
};

// Where Posthouse differs.
const BOOT: Record<string, string | null> = {
  server_version: '15.18', server_encoding: 'UTF8', client_encoding: 'UTF8', unix_socket_directories: '/tmp',
  config_file: 'site.ini', hba_file: 'hba.conf', ident_file: 'ident.conf', max_stack_depth: '2048', lc_collate: 'C.UTF-8',
  lc_ctype: 'C.UTF-8', lc_messages: 'C', timezone_abbreviations: 'Default', log_line_prefix: '%m [%p] %q%u@%d ',
};

const rows = JSON.parse(ask(`
  WITH seen AS MATERIALIZED (SELECT * FROM pg_settings)
  SELECT json_agg(json_build_object('name', name, 'vartype', vartype, 'context', context, 'unit', unit, 'boot_val', boot_val,
    'min_val', min_val, 'max_val', max_val, 'enumvals', enumvals, 'category', category, 'short_desc', short_desc,
    'extra_desc', extra_desc, 'flags', pg_settings_get_flags(name), 'hidden', false) ORDER BY lower(name) COLLATE "C") FROM seen`)) as Row[];
const open = new Set(ask(`BEGIN; CREATE ROLE guc_probe; SET LOCAL ROLE guc_probe; SELECT name FROM pg_settings; ROLLBACK`).split('\n'));

const hidden = (name: string, vartype: string, context: string, boot_val: string, short_desc: string): Row => ({
  name, vartype, context, unit: null, boot_val, min_val: vartype === 'real' ? '-1' : null, max_val: vartype === 'real' ? '1' : null, enumvals: null,
  category: 'Ungrouped', short_desc, extra_desc: null, flags: ['NO_SHOW_ALL', 'NO_RESET_ALL', 'NOT_IN_SAMPLE'], hidden: true,
});
rows.push(
  hidden('is_superuser', 'bool', 'internal', 'off', "Shows whether the current user is a superuser."),
  hidden('role', 'string', 'user', 'none', 'Sets the current role.'),
  hidden('seed', 'real', 'user', '0', 'Sets the seed for random-number generation.'),
  hidden('session_authorization', 'string', 'user', '', 'Sets the session user name.'),
  hidden('default_with_oids', 'bool', 'user', 'off', 'WITH OIDS is no longer supported; this can only be false.'),
  hidden('ssl_renegotiation_limit', 'integer', 'user', '0', 'SSL renegotiation is no longer supported; this can only be 0.'),
);
rows.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

const quote = (s: string): string => `'${s.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
const categories = [...new Set(rows.map((r) => r.category))].sort();
const lines = rows.filter((r) => r.name !== 'extension_destdir').map((r) => {
  const flags = [...r.flags, ...Object.keys(FLAGS).filter((f) => FLAGS[f]!.includes(r.name))];
  if (!r.hidden && !open.has(r.name)) flags.push('SUPERUSER_ONLY');
  const boot = r.name in BOOT ? BOOT[r.name]! : (r.boot_val ?? '');
  const field = (v: string | null): string => (v === null ? 'null' : quote(v));
  const number = (v: string | null): string => (v === null ? '0' : v === '1.79769e+308' ? 'Number.MAX_VALUE' : v);
  return `  [${quote(r.name)}, ${quote(r.vartype)}, ${quote(r.context)}, ${quote(boot)}, ${field(r.unit)}, ${number(r.min_val)}, ${number(r.max_val)}, `
    + `${r.enumvals ? `[${r.enumvals.map(quote).join(', ')}]` : 'null'}, ${categories.indexOf(r.category)},\n    ${quote(r.short_desc)}, `
    + `${field(r.extra_desc)}, ${quote(flags.join(' '))}],`;
});

writeFileSync('src/backend/utils/guc_tables.ts', `// Generated by tools/generate_guc_tables.ts from PostgreSQL 15's pg_settings; do not edit.

export type VarType = 'bool' | 'integer' | 'real' | 'string' | 'enum';
export type GucContext = 'internal' | 'postmaster' | 'sighup' | 'superuser-backend' | 'backend' | 'superuser' | 'user';

/** name, vartype, context, boot value, unit, min, max, enum values, category (index), short and extra description, flags */
export type SettingRow = readonly [name: string, vartype: VarType, context: GucContext, boot: string, unit: string | null, min: number,
  max: number, enumvals: readonly string[] | null, category: number, short: string, extra: string | null, flags: string];

export const CATEGORIES: readonly string[] = [
${categories.map((c) => `  ${quote(c)},`).join('\n')}
];

/** Sorted by name, in lower case. */
export const SETTINGS: readonly SettingRow[] = [
${lines.join('\n')}
];
`);
