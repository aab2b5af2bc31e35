// Checks and appearances of settings that need no other floor (the rest is registered where the knowledge is:
// DateStyle and TimeZone by types, search_path by catalog, transaction_* by transaction). Importing it registers them.
import { CheckFailure, defineHooks, type GucValue } from './guc.ts';
import { splitIdentifierList } from './guc_parse.ts';

const octal = { show: (value: GucValue): string => `0${(value as number).toString(8).padStart(3, '0')}` };
defineHooks('unix_socket_permissions', octal);
defineHooks('log_file_mode', octal);
defineHooks('data_directory_mode', octal);

/** There since nobody can turn it on any more. */
defineHooks('default_with_oids', {
  check: (value) => (value === true ? new CheckFailure({ condition: 'feature_not_supported', message: 'tables declared WITH OIDS are not supported' }) : value),
});

/** PostgreSQL's pg_clean_ascii: what could upset a terminal or a log becomes '?', byte by byte. */
function cleanAscii(value: GucValue): string {
  return (value as string).replace(/[^ -~]/gu, (c) => '?'.repeat(Buffer.byteLength(c)));
}
defineHooks('application_name', { check: cleanAscii });
defineHooks('cluster_name', { check: cleanAscii });

const LOCALES = new Set(['', 'C', 'POSIX', 'C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.utf8']);
for (const name of ['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time']) {
  defineHooks(name, { check: (value) => (LOCALES.has(value as string) ? value : new CheckFailure()) });
}

/** Whether there is a table access method of this name; the catalogs tell. */
export const tableMethodHooks = { exists: (_name: string): boolean => false };
defineHooks('default_table_access_method', {
  check: (value) => {
    if (value === '') return new CheckFailure({ detail: 'default_table_access_method cannot be empty.' });
    if (value === 'heap' || tableMethodHooks.exists(value as string)) return value;
    return new CheckFailure({ detail: `Table access method "${value as string}" does not exist.` });
  },
});

/** Lists of words out of a few. `sole` are those that stand alone or not at all. */
export function keyWords(name: string, words: readonly string[], sole: readonly string[] = []): void {
  defineHooks(name, {
    check: (value) => {
      if (sole.includes((value as string).toLowerCase())) return value;
      const list = splitIdentifierList(value as string);
      if (list === null) return new CheckFailure({ detail: 'List syntax is invalid.' });
      for (const word of list) {
        if (sole.includes(word)) return new CheckFailure({ detail: `Key word "${word}" cannot be combined with other key words.` });
        if (!words.includes(word)) return new CheckFailure({ detail: `Unrecognized key word: "${word}".` });
      }
      return value;
    },
  });
}
keyWords('restrict_nonsystem_relation_kind', ['view', 'foreign-table']);
keyWords('wal_consistency_checking', ['heap2', 'heap', 'btree', 'hash', 'gin', 'gist', 'sequence', 'spgist', 'brin', 'generic', 'all']);
defineHooks('archive_command', { show: () => '(disabled)' });
