// What the Tab key may put behind what is typed: commands, words of SQL, and the names that are in reach of the connection.
import { COMMANDS } from './command.ts';
import { literal } from './describe.ts';
import { pset } from './settings.ts';
import { variableNames } from './variables.ts';

const STATEMENTS = ['ABORT', 'ALTER', 'ANALYZE', 'BEGIN', 'CALL', 'CHECKPOINT', 'CLOSE', 'CLUSTER', 'COMMENT', 'COMMIT', 'COPY', 'CREATE', 'DEALLOCATE', 'DECLARE', 'DELETE FROM', 'DISCARD', 'DO', 'DROP', 'END',
  'EXECUTE', 'EXPLAIN', 'FETCH', 'GRANT', 'IMPORT', 'INSERT INTO', 'LISTEN', 'LOAD', 'LOCK', 'MERGE', 'MOVE', 'NOTIFY', 'PREPARE', 'REASSIGN', 'REFRESH MATERIALIZED VIEW', 'REINDEX', 'RELEASE', 'RESET',
  'REVOKE', 'ROLLBACK', 'SAVEPOINT', 'SECURITY LABEL', 'SELECT', 'SET', 'SHOW', 'START', 'TABLE', 'TRUNCATE', 'UNLISTEN', 'UPDATE', 'VACUUM', 'VALUES', 'WITH'];
const WORDS = ['AND', 'AS', 'ASC', 'BETWEEN', 'BY', 'CASE', 'CONSTRAINT', 'CROSS JOIN', 'DEFAULT', 'DESC', 'DISTINCT', 'ELSE', 'EXCEPT', 'EXISTS', 'FROM', 'FULL JOIN', 'GROUP BY', 'HAVING', 'ILIKE', 'IN',
  'INNER JOIN', 'INTERSECT', 'INTO', 'IS', 'JOIN', 'LEFT JOIN', 'LIKE', 'LIMIT', 'NOT', 'NULL', 'OFFSET', 'ON', 'OR', 'ORDER BY', 'PRIMARY KEY', 'REFERENCES', 'RETURNING', 'RIGHT JOIN', 'SET', 'TABLE', 'THEN',
  'UNION', 'UNIQUE', 'USING', 'VALUES', 'VIEW', 'WHEN', 'WHERE', 'WITH'];
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
  const tables = [...statement.matchAll(/\b(?:from|join|update|into|table)\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)/gi)].map((m) => m[1]!);
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

async function commandArguments(command: string, before: string, word: string): Promise<string[]> {
  if (/^d[S+]*$/.test(command)) return relations(word, 'rvmSfpcI');
  if (/^(d[tp]|z|dp)[S+]*$/.test(command)) return relations(word, 'rvmSfp');
  if (/^(dv|sv|ev)/.test(command)) return relations(word, 'v');
  if (/^di/.test(command)) return relations(word, 'iI');
  if (/^ds/.test(command)) return relations(word, 'S');
  if (/^(df|sf|ef)/.test(command)) return names(`SELECT DISTINCT pg_catalog.quote_ident(p.proname) FROM pg_catalog.pg_proc p WHERE pg_catalog.pg_function_is_visible(p.oid) AND ${begins('pg_catalog.quote_ident(p.proname)', word)} ORDER BY 1`);
  if (/^dn/.test(command)) return names(`SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace WHERE ${begins('pg_catalog.quote_ident(nspname)', word)} ORDER BY 1`);
  if (/^d[ug]/.test(command)) return names(`SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE ${begins('pg_catalog.quote_ident(rolname)', word)} ORDER BY 1`);
  if (/^(c|connect|l)\+?$/.test(command)) return names(`SELECT pg_catalog.quote_ident(datname) FROM pg_catalog.pg_database WHERE ${begins('pg_catalog.quote_ident(datname)', word)} ORDER BY 1`);
  if (/^(set|unset|echo)$/.test(command)) return beginning(variableNames(), word);
  if (command === 'pset') return /\\pset\s+format\s/.test(before) ? beginning(FORMATS, word) : /\\pset\s+\S+\s/.test(before) ? beginning(['on', 'off', 'auto', 'ascii', 'unicode'], word) : beginning(PSET, word);
  return [];
}

async function candidates(before: string, word: string): Promise<string[]> {
  const command = /^\s*\\([^\s\\]*)\s/.exec(before);
  if (command !== null) return commandArguments(command[1]!, before, word);
  if (/:$/.test(before) || word.startsWith(':')) return beginning(variableNames().map((v) => `:${v}`), word);
  const statement = before.slice(before.lastIndexOf(';') + 1), previous = /(\S+)\s+$/.exec(statement)?.[1]?.toUpperCase() ?? '';
  if (statement.trim() === '') return cased(STATEMENTS, word);
  switch (previous) {
    case 'FROM': case 'JOIN': case 'INTO': case 'UPDATE': case 'TABLE': case 'COPY': case 'TRUNCATE': case 'ANALYZE': case 'VACUUM': case 'LOCK': return relations(word, 'rvmfp');
    case 'CREATE': case 'ALTER': case 'DROP': return cased(OBJECTS, word);
    case 'DATABASE': return names(`SELECT pg_catalog.quote_ident(datname) FROM pg_catalog.pg_database WHERE ${begins('pg_catalog.quote_ident(datname)', word)} ORDER BY 1`);
    case 'SCHEMA': return names(`SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace WHERE ${begins('pg_catalog.quote_ident(nspname)', word)} ORDER BY 1`);
    case 'ROLE': case 'USER': return names(`SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles WHERE ${begins('pg_catalog.quote_ident(rolname)', word)} ORDER BY 1`);
    case 'SET': case 'SHOW': case 'RESET':
      if (/^\s*(set|show|reset)\s+$/i.test(statement)) return names(`SELECT name FROM pg_catalog.pg_settings WHERE ${begins('name', word.toLowerCase())} ORDER BY 1`);
      break;
    case 'VIEW': return relations(word, 'vm');
    case 'INDEX': return relations(word, 'iI');
    case 'SEQUENCE': return relations(word, 'S');
    default:
  }
  return [...await columns(before, word), ...(word === '' ? [] : cased(WORDS, word))];
}

/** For readline: the candidates and the part of the line that they complete. */
export async function complete(line: string): Promise<[string[], string]> {
  const word = /[^\s(),;=<>+*/|]*$/.exec(line)![0], before = line.slice(0, line.length - word.length);
  if (/^\s*$/.test(before) && word.startsWith('\\')) {
    const all = [...new Set([...COMMANDS.keys(), ...D_COMMANDS])].map((c) => `\\${c}`).filter((c) => c.startsWith(word)).sort();
    return [all, word];
  }
  const found = await candidates(before, word);
  return [found.length === 1 && !found[0]!.endsWith('.') ? [`${found[0]} `] : found, word];
}
