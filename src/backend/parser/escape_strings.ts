// Literals as standard_conforming_strings = off reads them: a backslash in 'text' is an escape, as in E'text'. The grammar only reads
// standard ones, so they are made such before it sees them, with blanks behind where they got shorter: every place stays what it is.
// No escape is longer read than written.
import { PgError } from '../../common/errors.ts';
import { decodeUtf8 } from '../types/wire.ts';
import { endOfComment } from '../utils/identifier.ts';
import { settings } from '../utils/settings.ts';
import { CONTINUATION } from './older_syntax.ts';

/** Whether the grammar may be given literals as they are. If not, what was made of a text is not kept: each parse warns anew. */
export const literalsAreStandard = (): boolean => settings.standard_conforming_strings && settings.backslash_quote !== 'off';

/** What may hide quotes, or begins a literal: 1 the tag of a dollar quote, 2 the prefix of a literal. */
const TOKEN = /"(?:[^"]|"")*"|--[^\n\r]*|\/\*|(?<![\w$\x80-\uffff])\$((?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?)\$|(?:(?<![\w$\x80-\uffff])(e|b|x|u&))?'/gi;
const PLAIN_END = /(?:[^']|'')*'/y;
const PART = /[^'\\]+|''|\\(?:[0-7]{1,3}|x[\da-fA-F]{1,2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^])/y;

type Warn = (warning: PgError) => void;

/** The text with standard literals only. Throws what PostgreSQL's scanner says of them, and gives `warn` its warnings. */
export function withStandardLiterals(text: string, warn: Warn): string {
  if (!/\\|u&'/i.test(text)) return text;
  let out = '', kept = 0;
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m !== null; m = TOKEN.exec(text)) {
    let at: number = TOKEN.lastIndex;
    const prefix = m[2]?.toLowerCase();
    if (m[0] === '/*') {
      at = endOfComment(text, at);
    } else if (m[1] !== undefined) {
      const end = text.indexOf(m[0], at);
      at = end < 0 ? text.length : end + m[0].length;
    } else if (prefix === 'b' || prefix === 'x' || prefix === 'u&') {
      if (prefix === 'u&') refuseUnicodeLiteral(text, m.index);
      PLAIN_END.lastIndex = at;
      at = PLAIN_END.test(text) ? PLAIN_END.lastIndex : text.length;
    } else if (m[0].endsWith("'")) {
      const isPlain = prefix === undefined && !settings.standard_conforming_strings;
      if (prefix === undefined && !isPlain) {
        PLAIN_END.lastIndex = at;
        at = PLAIN_END.test(text) ? PLAIN_END.lastIndex : text.length;
      } else {
        const literal = readEscapes(text, at - 1, m.index, isPlain, warn);
        at = literal.end;
        if (isPlain) {
          for (const { from, to, value } of literal.parts) {
            const standard = `'${value.replaceAll("'", "''")}'`;
            out += text.slice(kept, from) + standard + ' '.repeat(Buffer.byteLength(text.slice(from, to)) - Buffer.byteLength(standard));
            kept = to;
          }
        }
      }
    }
    TOKEN.lastIndex = at;
  }
  return kept === 0 ? text : out + text.slice(kept);
}

/** Throws if U&'...' at that place is not to be read. */
export function refuseUnicodeLiteral(text: string, start: number): void {
  if (settings.standard_conforming_strings) return;
  throw failure(text, start, 'feature_not_supported', 'unsafe use of string constant with Unicode escapes',
    { detail: 'String constants with Unicode escapes cannot be used when standard_conforming_strings is off.' });
}

/** What stands between the quotes of one line of a literal, at [from, to) with its quotes. */
interface Part { from: number; to: number; value: string }

/** Reads a literal with escapes, on however many lines. `start`: where it begins, with its prefix; `isPlain`: it has none, which is
 * warned of when it has escapes. */
export function readEscapes(text: string, quote: number, start: number, isPlain: boolean, warn: Warn): { parts: Part[]; end: number } {
  const parts: Part[] = [];
  let warns = isPlain && settings.escape_string_warning;
  for (let from = quote; ;) {
    const bytes: Buffer[] = [];
    let at = from + 1, high = 0;
    for (;;) {
      PART.lastIndex = at;
      const part = PART.exec(text)?.[0];
      if (part === undefined) break;
      const escape = part.startsWith('\\') ? part[1]! : undefined;
      const unit = /^\\[uU]./.test(part) ? parseInt(part.slice(2), 16) : -1;
      if (unit < 0 && (escape === 'u' || escape === 'U')) {
        throw failure(text, at, 'invalid_escape_sequence', 'invalid Unicode escape', { hint: 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.' });
      }
      if (escape !== undefined && warns) {
        warn(warningOf(text, start, escape));
        warns = false;
      }
      if (escape === "'" && settings.backslash_quote === 'off') {
        throw failure(text, start, 'nonstandard_use_of_escape_character', "unsafe use of \\' in a string literal",
          { hint: "Use '' to write quotes in strings. \\' is insecure in client-only encodings." });
      }
      const isLow = unit >= 0xdc00 && unit < 0xe000;
      if ((high !== 0) !== isLow) throw near(text, at, part, 'invalid Unicode surrogate pair');
      if (unit < 0) {
        bytes.push(escape === undefined ? Buffer.from(part === "''" ? "'" : part) : unescaped(part));
      } else if (unit >= 0xd800 && unit < 0xdc00) {
        high = unit;
      } else {
        if (unit === 0 || unit > 0x10ffff) throw near(text, at, part, 'invalid Unicode escape value');
        bytes.push(Buffer.from(String.fromCodePoint(isLow ? ((high & 0x3ff) << 10) + (unit & 0x3ff) + 0x10000 : unit)));
        high = 0;
      }
      at += part.length;
    }
    if (high !== 0) throw near(text, at, text.slice(at, at + 1), 'invalid Unicode surrogate pair');
    if (at >= text.length) throw near(text, start, text.slice(start), 'unterminated quoted string');
    parts.push({ from, to: at + 1, value: decodeUtf8(Buffer.concat(bytes)) });
    CONTINUATION.lastIndex = at + 1;
    const gap = CONTINUATION.exec(text)?.[0];
    if (gap === undefined) return { parts, end: at + 1 };
    from = at + 1 + gap.length;
  }
}

const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The bytes of \n, \', \047, \x27. */
function unescaped(escape: string): Buffer {
  const code = escape.slice(1);
  if (/^[0-7]/.test(code)) return Buffer.of(parseInt(code, 8) & 255);
  if (/^x./.test(code)) return Buffer.of(parseInt(code.slice(1), 16));
  return Buffer.from(LETTERS[code] ?? code);
}

const positionOf = (text: string, offset: number): number => Array.from(text.slice(0, offset)).length + 1;
const failure = (text: string, at: number, condition: ConstructorParameters<typeof PgError>[0], message: string, fields: { detail?: string; hint?: string }): PgError =>
  new PgError(condition, message, { position: positionOf(text, at), ...fields });
const near = (text: string, at: number, token: string, message: string): PgError => failure(text, at, 'syntax_error', `${message} at or near "${token}"`, {});

function warningOf(text: string, start: number, escape: string): PgError {
  const [what, hint] = escape === "'" ? ["\\'", "Use '' to write quotes in strings, or use the escape string syntax (E'...')."]
    : escape === '\\' ? ['\\\\', "Use the escape string syntax for backslashes, e.g., E'\\\\'."]
      : ['escape', "Use the escape string syntax for escapes, e.g., E'\\r\\n'."];
  const warning = failure(text, start, 'nonstandard_use_of_escape_character', `nonstandard use of ${what} in a string literal`, { hint });
  warning.severity = 'WARNING';
  return warning;
}
