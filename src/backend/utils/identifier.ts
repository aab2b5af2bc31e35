// Names are at most 63 bytes; longer ones are cut (PostgreSQL's scansup.c).
import { PgError } from '../../common/errors.ts';
import { session } from './session.ts';

/** Cut between characters. */
export function truncateIdentifier(name: string): string {
  if (name.length * 3 < 64 || Buffer.byteLength(name) < 64) return name;
  let end = 0;
  let bytes = 0;
  for (const c of name) {
    bytes += Buffer.byteLength(c);
    if (bytes > 63) break;
    end += c.length;
  }
  return name.slice(0, end);
}

/** The same with a NOTICE. */
export function truncateIdentifierAloud(name: string): string {
  const short = truncateIdentifier(name);
  if (short.length < name.length) {
    const notice = new PgError('name_too_long', `identifier "${name}" will be truncated to "${short}"`);
    notice.severity = 'NOTICE';
    session.notice(notice);
  }
  return short;
}

export const mayHaveLongName = (sql: string): boolean =>
  sql.length > 22 && (Buffer.byteLength(sql) !== sql.length || hasLongWord(sql) || (sql.includes('"') && /"[^"]{64}/.test(sql)));

/** 64 characters of words in a row: one of them is at a place that 64 divides. */
function hasLongWord(sql: string): boolean {
  for (let i = 63; i < sql.length; i += 64) {
    let from = i, to = i;
    while (from >= 0 && i - from < 64 && isWord(sql.charCodeAt(from))) from--;
    if (from === i) continue;
    while (to < sql.length && to - from <= 64 && isWord(sql.charCodeAt(to))) to++;
    if (to - from > 64) return true;
  }
  return false;
}
const isWord = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || c === 95 || c === 36;

/** What the grammar's scanner distinguishes, as far as names are concerned. 1: a quoted one, 2: any other word. */
const TOKEN = /--[^\r\n]*|\/\*|[eE]'(?:[^'\\]+|\\[^]|'')*'|'[^']*'|\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$|"((?:[^"]|"")*)"|([A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)/g;

/** NOTICEs of the names in SQL text that the grammar cuts: it says nothing itself. */
export function reportLongNames(sql: string): void {
  if (!mayHaveLongName(sql)) return;
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(sql); m !== null; m = TOKEN.exec(sql)) {
    const [token, quoted, word] = m;
    if (quoted !== undefined) truncateIdentifierAloud(quoted.replaceAll('""', '"'));
    else if (word !== undefined) truncateIdentifierAloud(word.replace(/[A-Z]+/g, (s) => s.toLowerCase()));
    else if (token === '/*') TOKEN.lastIndex = endOfComment(sql, TOKEN.lastIndex);
    else if (token.startsWith('$')) {
      const end = sql.indexOf(token, TOKEN.lastIndex);
      if (end >= 0) TOKEN.lastIndex = end + token.length;
    }
  }
}

/** Where the comment ends that was begun before `from`; the end of the text if it does not. Comments nest. */
export function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const m = mark.exec(sql);
    if (m === null) return sql.length;
    depth += m[0] === '/*' ? 1 : -1;
  }
  return mark.lastIndex;
}
