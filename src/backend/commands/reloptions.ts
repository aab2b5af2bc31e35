// WITH (name = value, ...) of tables, views and indexes: known names and values only (PostgreSQL's reloptions.c). Those
// that steer vacuuming and page filling are kept and shown; there is nothing here for them to steer.
import { PgError } from '../../common/errors.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { defGetBoolean, defGetString } from './def_elem.ts';

/** Each access method has its own. */
export type IndexMethod = 'btree' | 'hash' | 'gist' | 'spgist' | 'gin' | 'brin';
type Kind = 'table' | 'toast' | 'tablespace' | 'view' | 'column' | IndexMethod;
interface OptionRule { type: 'integer' | 'boolean' | 'real' | 'enum'; min?: number; max?: number; values?: readonly string[]; /** Accepted without being listed. */ also?: readonly string[] }

const VACUUM: Record<string, OptionRule> = {
  autovacuum_enabled: { type: 'boolean' }, autovacuum_vacuum_threshold: { type: 'integer', min: 0, max: 2147483647 },
  autovacuum_vacuum_insert_threshold: { type: 'integer', min: -1, max: 2147483647 }, autovacuum_analyze_threshold: { type: 'integer', min: 0, max: 2147483647 },
  autovacuum_vacuum_cost_limit: { type: 'integer', min: 1, max: 10000 }, autovacuum_vacuum_cost_delay: { type: 'real', min: 0, max: 100 },
  autovacuum_vacuum_scale_factor: { type: 'real', min: 0, max: 100 }, autovacuum_vacuum_insert_scale_factor: { type: 'real', min: 0, max: 100 },
  autovacuum_analyze_scale_factor: { type: 'real', min: 0, max: 100 }, autovacuum_freeze_min_age: { type: 'integer', min: 0, max: 1000000000 },
  autovacuum_freeze_max_age: { type: 'integer', min: 100000, max: 2000000000 }, autovacuum_freeze_table_age: { type: 'integer', min: 0, max: 2000000000 },
  autovacuum_multixact_freeze_min_age: { type: 'integer', min: 0, max: 1000000000 }, autovacuum_multixact_freeze_max_age: { type: 'integer', min: 10000, max: 2000000000 },
  autovacuum_multixact_freeze_table_age: { type: 'integer', min: 0, max: 2000000000 }, log_autovacuum_min_duration: { type: 'integer', min: -1, max: 2147483647 },
  vacuum_index_cleanup: { type: 'enum', values: ['on', 'off', 'auto'], also: ['true', 'false', 'yes', 'no', '1', '0'] }, vacuum_truncate: { type: 'boolean' },
};

/** To the nearest integer, ties to even. */
const rint = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const FILLFACTOR: OptionRule = { type: 'integer', min: 10, max: 100 };
const RULES: Record<Kind, Record<string, OptionRule>> = {
  table: {
    ...VACUUM, fillfactor: { type: 'integer', min: 10, max: 100 }, toast_tuple_target: { type: 'integer', min: 128, max: 8160 }, user_catalog_table: { type: 'boolean' },
    parallel_workers: { type: 'integer', min: 0, max: 1024 },
  },
  toast: Object.fromEntries(Object.entries(VACUUM).filter(([name]) => !name.startsWith('autovacuum_analyze_'))),
  btree: { fillfactor: FILLFACTOR, deduplicate_items: { type: 'boolean' }, vacuum_cleanup_index_scale_factor: { type: 'real', min: 0, max: 1e10 } },
  hash: { fillfactor: FILLFACTOR },
  gist: { fillfactor: FILLFACTOR, buffering: { type: 'enum', values: ['on', 'off', 'auto'] } },
  spgist: { fillfactor: FILLFACTOR },
  gin: { fastupdate: { type: 'boolean' }, gin_pending_list_limit: { type: 'integer', min: 64, max: 2147483647 } },
  brin: { autosummarize: { type: 'boolean' }, pages_per_range: { type: 'integer', min: 1, max: 131072 } },
  column: { n_distinct: { type: 'real', min: -1, max: Number.MAX_VALUE }, n_distinct_inherited: { type: 'real', min: -1, max: Number.MAX_VALUE } },
  tablespace: {
    random_page_cost: { type: 'real', min: 0, max: Number.MAX_VALUE }, seq_page_cost: { type: 'real', min: 0, max: Number.MAX_VALUE },
    effective_io_concurrency: { type: 'integer', min: 0, max: 1000 }, maintenance_io_concurrency: { type: 'integer', min: 0, max: 1000 },
  },
  view: { security_barrier: { type: 'boolean' }, security_invoker: { type: 'boolean' }, check_option: { type: 'enum', values: ['local', 'cascaded'] } },
};

/** As pg_class.reloptions keeps them: "name=value". Those of the TOAST table ("toast.name") are checked, and go the way they go in
 * PostgreSQL for a table that has none. ALTER takes them for whatever has no TOAST table, too (`altered`). */
export function readOptions(list: readonly RawNode[], kind: Kind, altered = false): string[] | null {
  if (list.length === 0) return null;
  const seen = new Set<string>();
  const options = list.map((option) => {
    const bare = option['defname'] as string;
    const namespace = option['defnamespace'] as string | undefined;
    if (namespace !== undefined && !((kind === 'table' || altered) && namespace === 'toast')) throw new PgError('invalid_parameter_value', `unrecognized parameter namespace "${namespace}"`);
    if (namespace !== undefined && kind !== 'table') return '';
    const name = namespace === undefined ? bare : `${namespace}.${bare}`;
    if (name === 'oids') {
      if (defGetBoolean(option)) throw new PgError('feature_not_supported', 'tables declared WITH OIDS are not supported');
      return '';
    }
    const rule = RULES[namespace === undefined ? kind : 'toast'][bare];
    if (rule === undefined) throw new PgError('invalid_parameter_value', `unrecognized parameter "${bare}"`);
    if (seen.has(name)) throw new PgError('invalid_parameter_value', `parameter "${bare}" specified more than once`);
    seen.add(name);
    const value = option['arg'] === undefined ? 'true' : defGetString(option);
    check(bare, value, rule);
    return namespace === undefined ? `${bare}=${value}` : '';
  }).filter((t) => t !== '');
  return options.length === 0 ? null : options;
}

/** What SET or RESET (...) makes of the options that are there (transformRelOptions). */
export function mergeOptions(old: readonly string[] | null, list: readonly RawNode[], kind: Kind, reset: boolean): string[] | null {
  const nameOf = (option: RawNode): string => (option['defnamespace'] === undefined ? option['defname'] as string : `${option['defnamespace'] as string}.${option['defname'] as string}`);
  if (reset && list.some((o) => o['arg'] !== undefined)) throw new PgError('syntax_error', 'RESET must not include values for parameters');
  if (!reset && list.some((o) => o['defname'] === 'oids')) throw new PgError('invalid_parameter_value', 'unrecognized parameter "oids"');
  const changed = new Set(list.map(nameOf));
  const kept = (old ?? []).filter((o) => !changed.has(o.slice(0, o.indexOf('='))));
  const result = reset ? kept : [...kept, ...readOptions(list, kind, kind !== 'tablespace' && kind !== 'column') ?? []];
  return result.length === 0 ? null : result;
}

/** "a" and "b"; "a", "b", and "c". */
function enumerated(words: readonly string[]): string {
  const quoted = words.map((w) => `"${w}"`);
  return quoted.length === 2 ? quoted.join(' and ') : `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)!}`;
}

/** What parse_int and parse_real take. */
export function isNumber(value: string, type: 'integer' | 'real'): boolean {
  const n = Number(value);
  return value.trim() !== '' && Number.isFinite(n) && (type === 'real' || Math.abs(rint(n) + 0.5) <= 2147483648);
}

function check(name: string, value: string, rule: OptionRule): void {
  const bad = (what: string): PgError => new PgError('invalid_parameter_value', `invalid value for ${what} option "${name}": ${value}`);
  switch (rule.type) {
    case 'boolean':
      if (!/^(t|tr|tru|true|f|fa|fal|fals|false|on|of|off|yes|ye|y|no|n|1|0)$/i.test(value)) throw bad('boolean');
      return;
    case 'enum':
      if (!rule.values!.includes(value.toLowerCase()) && rule.also?.includes(value.toLowerCase()) !== true) {
        throw new PgError('invalid_parameter_value', `invalid value for enum option "${name}": ${value}`, { detail: `Valid values are ${enumerated(rule.values!)}.` });
      }
      return;
    default: {
      if (!isNumber(value, rule.type)) throw bad(rule.type === 'real' ? 'floating point' : 'integer');
      const given = Number(value), n = rule.type === 'integer' ? rint(given) : given;
      if (rule.type === 'integer' && Math.abs(n) > 0x7fffffff) throw bad('integer');
      const bound = (x: number): string => (rule.type === 'integer' ? String(x) : x > 1e21 ? `${BigInt(x)}.000000` : x.toFixed(6));
      if (n < rule.min! || n > rule.max!) {
        throw new PgError('invalid_parameter_value', `value ${value} out of bounds for option "${name}"`, {
          detail: `Valid values are between "${bound(rule.min!)}" and "${bound(rule.max!)}".`,
        });
      }
    }
  }
}
