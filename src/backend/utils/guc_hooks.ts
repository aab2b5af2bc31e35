// Checks and appearances of settings that need no other floor (the rest is registered where the knowledge is:
// DateStyle and TimeZone by types, search_path by catalog, transaction_* by transaction). Importing it registers them.
import { CheckFailure, defineHooks, type GucValue } from './guc.ts';

const octal = { show: (value: GucValue): string => `0${(value as number).toString(8).padStart(3, '0')}` };
defineHooks('unix_socket_permissions', octal);
defineHooks('log_file_mode', octal);
defineHooks('data_directory_mode', octal);

/** PostgreSQL's pg_clean_ascii: what could upset a terminal or a log becomes '?', byte by byte. */
function cleanAscii(value: GucValue): string {
  return (value as string).replace(/[^ -~]/gu, (c) => '?'.repeat(Buffer.byteLength(c)));
}
defineHooks('application_name', { check: cleanAscii });
defineHooks('cluster_name', { check: cleanAscii });

/** The encodings PostgreSQL knows as client encodings, canonical. We speak UTF8 (SQL_ASCII asks for no conversion). */
const ENCODINGS = ['SQL_ASCII', 'EUC_JP', 'EUC_CN', 'EUC_KR', 'EUC_TW', 'EUC_JIS_2004', 'UTF8', 'MULE_INTERNAL', 'LATIN1', 'LATIN2', 'LATIN3',
  'LATIN4', 'LATIN5', 'LATIN6', 'LATIN7', 'LATIN8', 'LATIN9', 'LATIN10', 'WIN1256', 'WIN1258', 'WIN866', 'WIN874', 'KOI8R', 'WIN1251', 'WIN1252',
  'ISO_8859_5', 'ISO_8859_6', 'ISO_8859_7', 'ISO_8859_8', 'WIN1250', 'WIN1253', 'WIN1254', 'WIN1255', 'WIN1257', 'KOI8U', 'SJIS', 'BIG5', 'GBK',
  'UHC', 'GB18030', 'JOHAB', 'SHIFT_JIS_2004'];
const ALIASES: Readonly<Record<string, string>> = { unicode: 'UTF8', sqlascii: 'SQL_ASCII' };
const folded = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
const byFoldedName = new Map([...ENCODINGS.map((name) => [folded(name), name] as const), ...Object.entries(ALIASES)]);

/** The canonical name of an encoding, or undefined. */
export function encodingByName(name: string): string | undefined {
  return byFoldedName.get(folded(name));
}

defineHooks('client_encoding', {
  check: (value) => {
    const name = encodingByName(value as string);
    if (name === undefined) return new CheckFailure();
    if (name === 'UTF8' || name === 'SQL_ASCII') return name;
    return new CheckFailure({ condition: 'feature_not_supported', message: `conversion between ${name} and UTF8 is not supported` });
  },
});

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
