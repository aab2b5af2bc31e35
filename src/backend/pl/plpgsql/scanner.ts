// The words of PL/pgSQL: PostgreSQL's core scanner as far as one must read it to find where an expression ends, and the
// language's own keywords (pl_scanner.c). Offsets are UTF-16 units in the function's source.
import { PgError } from '../../../common/errors.ts';
import type { ConditionName } from '../../../common/sqlstate.ts';
import { readEscapes, refuseUnicodeLiteral } from '../../parser/escape_strings.ts';
import { truncateIdentifier } from '../../utils/identifier.ts';
import { movingPositions } from '../../utils/session.ts';
import { settings } from '../../utils/settings.ts';

/** `op` are operators and single signs, by their text. A keyword is an `ident` until the parser asks. */
export type TokenKind = 'ident' | 'quoted' | 'param' | 'string' | 'integer' | 'number' | 'op' | 'eof';

export interface Token {
  readonly kind: TokenKind;
  /** Names folded, strings decoded, operators as they are. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export const RESERVED = new Set([
  'all', 'begin', 'by', 'case', 'declare', 'else', 'end', 'execute', 'for', 'foreach', 'from', 'if', 'in', 'into', 'loop',
  'not', 'null', 'or', 'strict', 'then', 'to', 'using', 'when', 'while',
]);
export const UNRESERVED = new Set([
  'absolute', 'alias', 'and', 'array', 'assert', 'backward', 'call', 'chain', 'close', 'collate', 'column', 'column_name',
  'commit', 'constant', 'constraint', 'constraint_name', 'continue', 'current', 'cursor', 'datatype', 'debug', 'default',
  'detail', 'diagnostics', 'do', 'dump', 'elseif', 'elsif', 'errcode', 'error', 'exception', 'exit', 'fetch', 'first', 'forward',
  'get', 'hint', 'import', 'info', 'insert', 'is', 'last', 'log', 'merge', 'message', 'message_text', 'move', 'next', 'no',
  'notice', 'open', 'option', 'perform', 'pg_context', 'pg_datatype_name', 'pg_exception_context', 'pg_exception_detail',
  'pg_exception_hint', 'print_strict_params', 'prior', 'query', 'raise', 'relative', 'return', 'returned_sqlstate', 'reverse',
  'rollback', 'row_count', 'rowtype', 'schema', 'schema_name', 'scroll', 'slice', 'sqlstate', 'stacked', 'table', 'table_name',
  'type', 'use_column', 'use_variable', 'variable_conflict', 'warning',
]);

const SPACE = /(?:[ \t\n\r\f\v]+|--[^\n\r]*)*/y;
const IDENT = /[A-Za-z\u0080-\uffff_][A-Za-z\u0080-\uffff0-9_$]*/y;
const NUMBER = /(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const OPERATOR = /[~!@#^&|`?+\-*/%<>=]+/y;
const DOLLAR = /\$(?:[A-Za-z\u0080-\uffff_][A-Za-z\u0080-\uffff0-9_]*)?\$/y;
const PARAM = /\$\d+/y;

/** The character position of an offset, from 1. */
export function positionOf(source: string, offset: number): number {
  let n = 1;
  for (let i = 0; i < offset && i < source.length; i++) {
    const c = source.charCodeAt(i);
    if (c < 0xdc00 || c > 0xdfff) n++;
  }
  return n;
}

export function errorAt(source: string, condition: ConditionName, message: string, offset: number, fields: { hint?: string; detail?: string } = {}): PgError {
  return new PgError(condition, message, { ...fields, internalPosition: positionOf(source, offset), internalQuery: source });
}

/** What goes wrong at a place in the source has it there. */
const inSource = <T>(source: string, work: () => T): T => movingPositions((position) => ({ internalPosition: position, internalQuery: source }), work);

/** All tokens of a source; the last is 'eof'. `warn` gets the warnings of literals. */
export function scan(source: string, warn: (warning: PgError) => void): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0] ?? null;
  };
  const unterminated = (what: string, from: number): PgError =>
    errorAt(source, 'syntax_error', `unterminated ${what} at or near "${source.slice(from)}"`, from);
  const add = (kind: TokenKind, text: string, end: number): void => {
    tokens.push({ kind, text, start: at, end });
    at = end;
  };
  for (;;) {
    at += match(SPACE)!.length;
    if (source.startsWith('/*', at)) {
      at = endOfComment(source, at, unterminated);
      continue;
    }
    if (at >= source.length) {
      add('eof', '', source.length);
      return tokens;
    }
    const c = source[at]!;
    if (c === "'") {
      scanString(at, settings.standard_conforming_strings);
    } else if (c === '"') {
      const [text, end] = quotedText(source, at, '"', unterminated, 'quoted identifier');
      add('quoted', truncateIdentifier(text), end);
    } else if (c === '$') {
      const tag = match(DOLLAR), param = match(PARAM);
      if (param !== null) add('param', param, at + param.length);
      else if (tag !== null) {
        const end = source.indexOf(tag, at + tag.length);
        if (end < 0) throw unterminated('dollar-quoted string', at);
        add('string', source.slice(at + tag.length, end), end + tag.length);
      } else add('op', c, at + 1);
    } else if (/[0-9]/.test(c) || (c === '.' && /[0-9]/.test(source[at + 1] ?? ''))) {
      const text = match(NUMBER)!;
      add(/^\d+$/.test(text) ? 'integer' : 'number', text, at + text.length);
    } else {
      const word = match(IDENT);
      if (word !== null) scanWord(word);
      else scanOperator(c);
    }
  }

  function scanWord(word: string): void {
    const next = source[at + word.length];
    if (next === "'" && /^[eE]$/.test(word)) {
      return addEscaped(at + 1, false);
    }
    if (next === "'" && /^[nN]$/.test(word)) return scanString(at + 1, settings.standard_conforming_strings);
    if (next === "'" && /^[bBxX]$/.test(word)) {
      const what = /[bB]/.test(word) ? 'bit string literal' : 'hexadecimal string literal';
      const [text, end] = quotedText(source, at + 1, "'", (kind) => unterminated(kind, at), what);
      return add('string', text, end);
    }
    if (/^[uU]$/.test(word) && next === '&' && (source[at + 2] === "'" || source[at + 2] === '"')) {
      const quote = source[at + 2]!;
      if (quote === "'") inSource(source, () => refuseUnicodeLiteral(source, at));
      const [text, end] = quotedText(source, at + 2, quote, unterminated, quote === "'" ? 'quoted string' : 'quoted identifier');
      const decoded = text.replace(/\\(?:([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|\\)/g, (_all, a?: string, b?: string) => (a ?? b) === undefined ? '\\' : String.fromCodePoint(parseInt((a ?? b)!, 16)));
      return add(quote === "'" ? 'string' : 'quoted', decoded, end);
    }
    add('ident', truncateIdentifier(word.replace(/[A-Z]/g, (ch) => ch.toLowerCase())), at + word.length);
  }

  function scanString(quote: number, isStandard: boolean): void {
    if (!isStandard) return addEscaped(quote, true);
    const [text, end] = quotedText(source, quote, "'", unterminated, 'quoted string');
    add('string', text, end);
  }

  function addEscaped(quote: number, isPlain: boolean): void {
    const { parts, end } = inSource(source, () => readEscapes(source, quote, isPlain ? quote : at, isPlain, warn));
    add('string', parts.map((part) => part.value).join(''), end);
  }

  function scanOperator(c: string): void {
    for (const sign of ['::', ':=', '..', '=>']) if (source.startsWith(sign, at) && (sign !== '=>' || !/[~!@#^&|`?+\-*/%<>=]/.test(source[at + 2] ?? ''))) return add('op', sign, at + 2);
    let text = match(OPERATOR);
    if (text === null) return add('op', c, at + String.fromCodePoint(source.codePointAt(at)!).length);
    const comment = /--|\/\*/.exec(text);
    if (comment !== null) text = text.slice(0, comment.index);
    // A trailing + or - belongs to the operator only beside certain signs.
    if (text.length > 1 && !/[~!@#^&|`?%]/.test(text)) text = text.replace(/[+-]+$/, '') || text[0]!;
    add('op', text, at + text.length);
  }
}

function endOfComment(source: string, from: number, unterminated: (what: string, from: number) => PgError): number {
  let depth = 0;
  for (let i = from; i < source.length;) {
    if (source.startsWith('/*', i)) { depth++; i += 2; } else if (source.startsWith('*/', i)) {
      i += 2;
      if (--depth === 0) return i;
    } else i++;
  }
  throw unterminated('/* comment', from);
}

/** A text whose quote is doubled inside. The end of the token is that behind the closing quote. */
function quotedText(source: string, from: number, quote: string, unterminated: (what: string, from: number) => PgError, what: string): [string, number] {
  let text = '';
  for (let i = from + 1; ;) {
    const end = source.indexOf(quote, i);
    if (end < 0) throw unterminated(what, from);
    text += source.slice(i, end);
    if (source[end + 1] === quote) {
      text += quote;
      i = end + 2;
      continue;
    }
    // Strings on several lines are one.
    const more = quote === "'" ? /^[ \t\f\v]*(?:--[^\n\r]*)?[\n\r]\s*'/.exec(source.slice(end + 1, end + 200)) : null;
    if (more === null) return [text, end + 1];
    i = end + 1 + more[0].length;
  }
}
