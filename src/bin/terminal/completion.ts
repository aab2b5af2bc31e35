// What the Tab key may put behind what is typed: commands, words of SQL, and the names that are in reach of the connection.
import { readdirSync } from 'node:fs';
import { ENCODING_NAMES } from '../../common/charsets.ts';
import { COMMANDS } from './command.ts';
import { literal } from './describe.ts';
import { pset } from './settings.ts';
import { variableNames } from './variables.ts';

const STATEMENTS = ['ABORT', 'ALTER', 'ANALYZE', 'BEGIN', 'CALL', 'CHECKPOINT', 'CLOSE', 'CLUSTER', 'COMMENT', 'COMMIT', 'COPY', 'CREATE', 'DEALLOCATE', 'DECLARE', 'DELETE FROM', 'DISCARD', 'DO', 'DROP', 'END',
  'EXECUTE', 'EXPLAIN', 'FETCH', 'GRANT', 'IMPORT', 'INSERT INTO', 'LISTEN', 'LOAD', 'LOCK', 'MERGE', 'MOVE', 'NOTIFY', 'PREPARE', 'REASSIGN', 'REFRESH MATERIALIZED VIEW', 'REINDEX', 'RELEASE', 'RESET',
  'REVOKE', 'ROLLBACK', 'SAVEPOINT', 'SECURITY LABEL', 'SELECT', 'SET', 'SHOW', 'START', 'TABLE', 'TRUNCATE', 'UNLISTEN', 'UPDATE', 'VACUUM', 'VALUES', 'WITH'];
const WORDS = ['AND', 'AS', 'ASC', 'BETWEEN', 'BY', 'CASE', 'CROSS JOIN', 'DESC', 'DISTINCT', 'ELSE', 'END', 'EXCEPT', 'EXISTS', 'FROM', 'FULL JOIN', 'GROUP BY', 'HAVING', 'ILIKE', 'IN', 'INNER JOIN', 'INTERSECT',
  'INTO', 'IS', 'JOIN', 'LATERAL', 'LEFT JOIN', 'LIKE', 'LIMIT', 'NOT', 'NULL', 'OFFSET', 'ON', 'OR', 'ORDER BY', 'RETURNING', 'RIGHT JOIN', 'SELECT', 'SET', 'THEN', 'UNION', 'USING', 'VALUES', 'WHEN', 'WHERE', 'WITH'];
/** Of statements that define something. */
const DEFINING = [...WORDS, 'ADD COLUMN', 'ALTER COLUMN', 'CASCADE', 'CHECK', 'CONSTRAINT', 'DEFAULT', 'DROP COLUMN', 'EXECUTE FUNCTION', 'FOREIGN KEY', 'IF EXISTS', 'IF NOT EXISTS', 'LANGUAGE', 'OWNER TO',
  'PARTITION BY', 'PRIMARY KEY', 'REFERENCES', 'RENAME TO', 'RETURNS', 'TABLE', 'UNIQUE', 'VIEW'].sort();
const OBJECTS = ['AGGREGATE', 'CAST', 'COLLATION', 'DATABASE', 'DOMAIN', 'EXTENSION', 'FUNCTION', 'INDEX', 'MATERIALIZED VIEW', 'OPERATOR', 'POLICY', 'PROCEDURE', 'PUBLICATION', 'ROLE', 'RULE', 'SCHEMA', 'SEQUENCE',
  'STATISTICS', 'TABLE', 'TABLESPACE', 'TEMP TABLE', 'TRIGGER', 'TYPE', 'UNIQUE INDEX', 'USER', 'VIEW'];
const D_COMMANDS = ['d', 'd+', 'da', 'dA', 'db', 'dc', 'dC', 'dconfig', 'dD', 'ddp', 'dE', 'df', 'dg', 'di', 'dl', 'dL', 'dm', 'dn', 'do', 'dO', 'dp', 'drds', 'ds', 'dt', 'dT', 'du', 'dv', 'dx', 'dy'];
const PSET = ['border', 'columns', 'csv_fieldsep', 'expanded', 'fieldsep', 'fieldsep_zero', 'footer', 'format', 'linestyle', 'null', 'numericlocale', 'pager', 'pager_min_lines', 'recordsep', 'recordsep_zero',
  'tableattr', 'title', 'tuples_only', 'unicode_border_linestyle', 'unicode_column_linestyle', 'unicode_header_linestyle'];
const FORMATS = ['aligned', 'asciidoc', 'csv', 'html', 'latex', 'latex-longtable', 'troff-ms', 'unaligned', 'wrapped'];
/** Names that are asked for at most. */
const MAX_NAMES = 1000;

/** One column of names, for the beginning of a word; nothing when the server does not like to be asked now. */
async function names(sql: string): Promise<string[]> {
  if (pset.db === null || pset.db.transactionStatus === 'active' || pset.db.transactionStatus === 'in error') return [];
  try {
    return (await pset.db.exec(`${sql} LIMIT ${MAX_NAMES}`, { rowMode: 'text' }))[0]!.rows.map((r) => (r as string[])[0]!);
  } catch {
    return [];
  }
}

const begins = (column: string, word: string): string => `pg_catalog.starts_with(${column}, ${literal(word)})`;

async function relations(word: string, kinds: string): Promise<string[]> {
  const list = [...kinds].map((k) => `'${k}'`).join(','), dot = word.lastIndexOf('.');
  if (dot > 0) {
    return names(`SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN (${list}) AND ${begins('pg_catalog.quote_ident(n.nspname) || \'.\' || pg_catalog.quote_ident(c.relname)', word)} ORDER BY 1`);
  }
  return names(`SELECT x FROM (SELECT pg_catalog.quote_ident(c.relname) AS x FROM pg_catalog.pg_class c WHERE c.relkind IN (${list}) AND pg_catalog.pg_table_is_visible(c.oid)
      ${word === '' ? 'AND c.relnamespace <> \'pg_catalog\'::pg_catalog.regnamespace' : ''} UNION SELECT pg_catalog.quote_ident(n.nspname) || '.' FROM pg_catalog.pg_namespace n
      ${word === '' ? 'WHERE n.nspname !~ \'^pg_\'' : ''}) s WHERE ${begins('x', word)} ORDER BY 1`);
}

/** Columns of the tables that the statement names. */
async function columns(statement: string, word: string): Promise<string[]> {
  const tables = [...statement.matchAll(/\b(?:from|join|update|into|table|copy|on)\s+((?:only\s+)?[\w".]+(?:(?:\s+as)?\s+\w+)?(?:\s*,\s*[\w".]+(?:(?:\s+as)?\s+\w+)?)*)/gi)]
    .flatMap((m) => m[1]!.split(',').map((t) => /^\s*(?:only\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)/i.exec(t)?.[1] ?? '')).filter((t) => t !== '');
  if (tables.length === 0) return [];
  const oids = tables.map((t) => `pg_catalog.to_regclass(${literal(t)})`).join(', ');
  return names(`SELECT DISTINCT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (${oids}) AND a.attnum > 0 AND NOT a.attisdropped AND ${begins('pg_catalog.quote_ident(a.attname)', word)} ORDER BY 1`);
}

/** Words of SQL in the case that COMP_KEYWORD_CASE wants. */
function cased(list: readonly string[], word: string): string[] {
  const lower = word === word.toLowerCase() && word !== '', choice = pset.compKeywordCase;
  const toLower = choice === 'lower' || (choice === 'preserve-lower' && (word === '' || lower)) || (choice === 'preserve-upper' && lower);
  const wanted = word.toUpperCase();
  return list.filter((w) => w.startsWith(wanted)).map((w) => (toLower ? w.toLowerCase() : w));
}

const beginning = (list: readonly string[], word: string): string[] => list.filter((w) => w.startsWith(word));
const ON_OFF = ['off', 'on'];
/** What variables and options may be set to. */
const VALUES: Record<string, readonly string[]> = {
  AUTOCOMMIT: ON_OFF, COMP_KEYWORD_CASE: ['lower', 'preserve-lower', 'preserve-upper', 'upper'], ECHO: ['all', 'errors', 'none', 'queries'], ECHO_HIDDEN: ['noexec', ...ON_OFF], HIDE_TABLEAM: ON_OFF,
  HIDE_TOAST_COMPRESSION: ON_OFF, HISTCONTROL: ['ignoreboth', 'ignoredups', 'ignorespace', 'none'], ON_ERROR_ROLLBACK: ['interactive', ...ON_OFF], ON_ERROR_STOP: ON_OFF, QUIET: ON_OFF, SHOW_ALL_RESULTS: ON_OFF,
  SHOW_CONTEXT: ['always', 'errors', 'never'], SINGLELINE: ON_OFF, SINGLESTEP: ON_OFF, VERBOSITY: ['default', 'sqlstate', 'terse', 'verbose'],
  border: ['0', '1', '2', '3'], expanded: ['auto', ...ON_OFF], footer: ON_OFF, format: FORMATS, linestyle: ['ascii', 'old-ascii', 'unicode'], numericlocale: ON_OFF, pager: ['always', ...ON_OFF], tuples_only: ON_OFF,
  unicode_border_linestyle: ['double', 'single'], unicode_column_linestyle: ['double', 'single'], unicode_header_linestyle: ['double', 'single'],
};

const catalog = (table: string, column: string, where = ''): ((word: string) => Promise<string[]>) => (word) =>
  names(`SELECT DISTINCT pg_catalog.quote_ident(${column}) FROM pg_catalog.${table} WHERE ${where}${begins(`pg_catalog.quote_ident(${column})`, word)} ORDER BY 1`);
const databases = catalog('pg_database', 'datname'), schemas = catalog('pg_namespace', 'nspname'), roles = catalog('pg_roles', 'rolname'), languages = catalog('pg_language', 'lanname');
const extensions = catalog('pg_extension', 'extname'), available = catalog('pg_available_extensions', 'name', 'installed_version IS NULL AND '), tablespaces = catalog('pg_tablespace', 'spcname');
const types = catalog('pg_type', 'typname', 'typrelid = 0 AND typname !~ \'^_\' AND pg_catalog.pg_type_is_visible(oid) AND '), functions = catalog('pg_proc', 'proname', 'pg_catalog.pg_function_is_visible(oid) AND ');
const settings = (word: string): Promise<string[]> => names(`SELECT name FROM pg_catalog.pg_settings WHERE ${begins('name', word.toLowerCase())} ORDER BY 1`);

/** Names of files; folders end in "/". */
function files(word: string): string[] {
  const quote = word.startsWith('\'') ? '\'' : '', path = word.slice(quote.length), cut = path.lastIndexOf('/') + 1, folder = path.slice(0, cut), start = path.slice(cut);
  try {
    return readdirSync((folder || '.').replace(/^~(?=\/)/, process.env['HOME'] ?? '~'), { withFileTypes: true }).filter((f) => f.name.startsWith(start) && (start !== '' || !f.name.startsWith('.')))
      .map((f) => `${quote}${folder}${f.name}${f.isDirectory() ? '/' : ''}`).sort();
  } catch {
    return [];
  }
}

/** Values that a setting may have: those of an enum or a truth value; DEFAULT always. */
async function settingValues(name: string, word: string): Promise<string[]> {
  const found = await names(`SELECT v FROM (SELECT pg_catalog.unnest(CASE vartype WHEN 'bool' THEN '{off,on}'::pg_catalog.text[] ELSE enumvals END) AS v FROM pg_catalog.pg_settings WHERE name = ${literal(name.toLowerCase())}) s WHERE ${begins('v', word)} ORDER BY 1`);
  return [...found, ...cased(['DEFAULT'], word)];
}

async function commandArguments(command: string, before: string, word: string): Promise<string[]> {
  const argument = before.trimStart().split(/\s+/).slice(1, -1), [first] = argument;
  if (/^(i|ir|include|include_relative|o|out|w|write|s|cd|e|edit|lo_import|g|gx)$/.test(command)) return files(word);
  if (command === 'lo_export' && first !== undefined) return files(word);
  if (command === 'copy') {
    if (first === undefined) return relations(word, 'rvmfp');
    if (/\b(from|to)\s+$/i.test(before)) return files(word);
    return cased(['FROM', 'TO', 'WITH', 'PROGRAM'], word);
  }
  if (/^(h|help)$/.test(command)) {
    const { readHelp } = await import('./sql_help.ts'), typed = before.replace(/^\s*\\\w+\s+/, '').toUpperCase();
    const rest = readHelp().map((e) => e.name).filter((n) => n.startsWith(typed)).map((n) => n.slice(typed.length).split(' ')[0]!);
    return cased([...new Set(rest)], word);
  }
  if (command === '?') return beginning(['commands', 'options', 'variables'], word);
  if (/^d[S+]*$/.test(command)) return relations(word, 'rvmSfpcI');
  if (/^(d[tp]|z|dp)[S+]*$/.test(command)) return relations(word, 'rvmSfp');
  if (/^(dv|sv|ev)/.test(command)) return relations(word, 'v');
  if (/^dm/.test(command)) return relations(word, 'm');
  if (/^dE|^det/.test(command)) return relations(word, 'f');
  if (/^di/.test(command)) return relations(word, 'iI');
  if (/^ds/.test(command)) return relations(word, 'S');
  if (/^dconfig/.test(command)) return settings(word);
  if (/^(df[anptw]*[S+]*|sf\+?|ef|da[S]*)$/.test(command)) return functions(word);
  if (/^dT/.test(command)) return types(word);
  if (/^dn/.test(command)) return schemas(word);
  if (/^d[ug]/.test(command) || command === 'password') return roles(word);
  if (/^dL/.test(command)) return languages(word);
  if (/^dx/.test(command)) return extensions(word);
  if (/^db/.test(command)) return tablespaces(word);
  if (/^(c|connect)$/.test(command)) return first === undefined ? databases(word) : argument.length === 1 ? roles(word) : [];
  if (/^l\+?$/.test(command)) return databases(word);
  if (command === 'encoding') return beginning(ENCODING_NAMES, word.toUpperCase());
  if (command === 'set') return first === undefined ? beginning(variableNames(), word) : beginning(VALUES[first] ?? [], word);
  if (/^(unset|echo|getenv|prompt)$/.test(command)) return beginning(variableNames(), word);
  if (command === 'setenv') return beginning(Object.keys(process.env).sort(), word);
  if (command === 'pset') return first === undefined ? beginning(PSET, word) : beginning(VALUES[first] ?? [], word);
  if (/^(t|timing)$/.test(command)) return beginning(ON_OFF, word);
  if (command === 'x') return beginning(VALUES['expanded']!, word);
  return [];
}

/** Behind these words comes a name of this kind. */
const AFTER: Record<string, (word: string) => Promise<string[]>> = {
  DATABASE: databases, SCHEMA: schemas, ROLE: roles, USER: roles, GROUP: roles, EXTENSION: extensions, LANGUAGE: languages, TABLESPACE: tablespaces, FUNCTION: functions, PROCEDURE: functions, ROUTINE: functions,
  CALL: functions, TYPE: types, DOMAIN: types, VIEW: (w) => relations(w, 'vm'), INDEX: (w) => relations(w, 'iI'), SEQUENCE: (w) => relations(w, 'S'),
  EXECUTE: catalog('pg_prepared_statements', 'name'), DEALLOCATE: catalog('pg_prepared_statements', 'name'), FETCH: catalog('pg_cursors', 'name'), CLOSE: catalog('pg_cursors', 'name'),
  CHANNEL: catalog('pg_listening_channels()', 'pg_listening_channels'),
};
for (const word of ['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE', 'COPY', 'TRUNCATE', 'ANALYZE', 'VACUUM', 'LOCK', 'ONLY', 'CLUSTER', 'REFERENCES']) AFTER[word] = (w) => relations(w, 'rvmfp');

const ITEM = String.raw`(?:only\s+)?(?:"[^"]+"|[\w.]+)+(?:\s+(?:as\s+)?(?!(?:as|cross|except|full|group|having|inner|intersect|join|left|limit|natural|offset|on|order|returning|right|set|union|using|values|where|window)\b)\w+)?`;
/** What may follow the tables that a statement begins with, before any column can. */
const BEHIND_TABLES: readonly (readonly [RegExp, readonly string[]])[] = [
  [new RegExp(String.raw`^\s*delete\s+from\s+${ITEM}\s+$`, 'i'), ['RETURNING', 'USING', 'WHERE']],
  [new RegExp(String.raw`^\s*insert\s+into\s+(?:"[^"]+"|[\w.]+)+\s+$`, 'i'), ['DEFAULT VALUES', 'OVERRIDING', 'SELECT', 'TABLE', 'VALUES']],
  [new RegExp(String.raw`^\s*update\s+${ITEM}\s+$`, 'i'), ['SET']],
  [new RegExp(String.raw`\bjoin\s+${ITEM}\s+$`, 'i'), ['ON', 'USING']],
  [new RegExp(String.raw`\bfrom\s+${ITEM}(?:\s*,\s*${ITEM})*\s+$`, 'i'),
    ['CROSS JOIN', 'EXCEPT', 'FULL JOIN', 'GROUP BY', 'HAVING', 'INNER JOIN', 'INTERSECT', 'JOIN', 'LEFT JOIN', 'LIMIT', 'NATURAL JOIN', 'OFFSET', 'ORDER BY', 'RIGHT JOIN', 'TABLESAMPLE', 'UNION', 'WHERE', 'WINDOW']],
];

/** `behind` the cursor may stand the tables whose columns are wanted. */
async function candidates(before: string, word: string, behind: string): Promise<string[]> {
  const line = before.slice(before.lastIndexOf('\n') + 1), command = /(?:^\s*|\s)\\([^\s\\]+)\s+(?:[^\\]*\s)?$/.exec(line);
  if (command !== null) return commandArguments(command[1]!, line.slice(command.index), word);
  if (/:$/.test(before) || /^:['"]?\w*$/.test(word)) {
    const mark = /^:?['"]?/.exec(word)![0];
    return variableNames().map((v) => `${mark}${v}`).filter((v) => v.startsWith(word));
  }
  const statement = before.slice(before.lastIndexOf(';') + 1), previous = /(\S+)\s+$/.exec(statement)?.[1]?.toUpperCase() ?? '';
  if (statement.trim() === '') return cased(STATEMENTS, word);
  const set = /^\s*(?:set|alter\s+system\s+set)\s+(?:(?:session|local)\s+)?([\w.]+)\s*(to|=)?\s*$/i.exec(statement);
  if (set !== null && !/^(session|local)$/i.test(set[1]!)) return set[2] === undefined ? cased(['TO'], word) : settingValues(set[1]!, word);
  if (/^\s*(set|show|reset|set\s+(local|session)|alter\s+system\s+(re)?set)\s+$/i.test(statement)) return settings(word);
  if (/^\s*create\s+extension\s+(if\s+not\s+exists\s+)?$/i.test(statement)) return available(word);
  if (/^(CREATE|ALTER|DROP)$/.test(previous)) return cased(OBJECTS, word);
  const after = AFTER[previous];
  if (after !== undefined) return after(word);
  const words = /\b(?:create|alter|copy)\b/i.test(statement) ? undefined : BEHIND_TABLES.find(([pattern]) => pattern.test(statement))?.[1];
  if (words !== undefined) return cased(words, word);
  // "alias." or "table.": its columns.
  const qualified = /^((?:"[^"]+"|\w+))\.((?:"?)\w*)$/.exec(word);
  if (qualified !== null) {
    const found = await aliasColumns(before + behind, qualified[1]!, qualified[2]!);
    if (found.length > 0) return found.map((c) => `${qualified[1]}.${c}`);
    return relations(word, 'rvmfp');
  }
  const [found, called] = [await columns(before + behind, word), word.length > 1 ? await functions(word) : []];
  return [...new Set([...found, ...(word === '' ? [] : [...cased(/^\s*(create|alter)\b/i.test(statement) ? DEFINING : WORDS, word), ...called])])];
}

/** Columns of the table that the statement calls `alias`. */
async function aliasColumns(statement: string, alias: string, word: string): Promise<string[]> {
  const pattern = new RegExp(`\\b(?:from|join|update|into|using|,)\\s*((?:"[^"]+"|\\w+)(?:\\.(?:"[^"]+"|\\w+))?)\\s+(?:as\\s+)?${alias.replace(/[^\w"]/g, '')}\\b`, 'i');
  const table = pattern.exec(statement)?.[1] ?? alias;
  return columns(`from ${table}`, word);
}

/** For the line editor: the candidates and the part of the text that they complete. */
export async function complete(text: string, behind = ''): Promise<[string[], string]> {
  const word = /[^\s(),;=<>+*/|]*$/.exec(text)![0], before = text.slice(0, text.length - word.length);
  if (word.startsWith('\\') && /(^|\s)$/.test(before)) {
    const all = [...new Set([...COMMANDS.keys(), ...D_COMMANDS])].map((c) => `\\${c}`).filter((c) => c.startsWith(word)).sort();
    return [all.length === 1 ? [`${all[0]} `] : all, word];
  }
  // A file's name may have what divides words elsewhere.
  const path = /(?:^|[\n\s])\\(?:i|ir|include|include_relative|o|out|w|write|s|cd|e|edit|lo_import|g|gx|copy\s.*\b(?:from|to))\s+(\S*)$/i.exec(text.slice(text.lastIndexOf('\n') + 1));
  const whole = path === null ? word : path[1]!;
  const found = await candidates(text.slice(0, text.length - whole.length), whole, behind);
  return [found.length === 1 && !/[./]$/.test(found[0]!) ? [`${found[0]} `] : found, whole];
}
