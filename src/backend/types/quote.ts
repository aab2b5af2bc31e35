// quote_ident, quote_literal, format(), parse_ident.
import { PgError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { settings } from '../utils/settings.ts';
import { ArrayValue, makeArray, type Datum } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { invalidParameter } from './errors.ts';
import { int4In } from './int.ts';
import { byPieces, charLength } from './characters.ts';
import { typeHooks } from './hooks.ts';
import { TEXTOID } from './oids.ts';

/** An identifier as it must be written in SQL: quoted unless lower-case, plain and no keyword that needs it. */
export function quoteIdentifier(name: string): string {
  const plain = !settings.quote_all_identifiers && /^[a-z_][a-z0-9_]*$/.test(name) && !typeHooks.isReservedWord(name);
  return plain ? name : `"${byPieces(name, (piece) => piece.replaceAll('"', '""'))}"`;
}

export function quoteLiteral(text: string): string {
  const quoted = `'${byPieces(text, (piece) => piece.replace(/['\\]/g, '$&$&'))}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

function format(context: FunctionContext, pattern: string | null, args: readonly Datum[]): string | null {
  if (pattern === null) return null;
  let values: readonly Datum[] = args;
  let typeOf = (index: number): number => context.argTypes[index + 1]!;
  if (context.variadic) {
    const array = args[0] as ArrayValue | null;
    values = array === null ? [] : array.values;
    typeOf = () => array!.elementType;
  }
  let next = 0;
  let result = '';
  let at = 0;
  const unterminated = (): PgError => new PgError('invalid_parameter_value', 'unterminated format() type specifier',
    { hint: 'For a single "%" use "%%".' });
  const readNumber = (): number | undefined => {
    const match = /^\d+/.exec(pattern.slice(at, at + 12));
    if (match === null) return undefined;
    at += match[0].length;
    const value = Number(match[0]);
    if (value > 2147483647) throw new PgError('numeric_value_out_of_range', 'number is out of range');
    return value;
  };
  const take = (position: number | undefined): number => {
    if (position === 0) throw invalidParameter('format specifies argument 0, but arguments are numbered from 1');
    const index = position === undefined ? next : position - 1;
    next = index + 1;
    if (index >= values.length) throw invalidParameter('too few arguments for format()');
    return index;
  };
  while (at < pattern.length) {
    const percent = pattern.indexOf('%', at);
    if (percent < 0) break;
    result += pattern.slice(at, percent);
    at = percent + 1;
    if (at >= pattern.length) throw unterminated();
    if (pattern[at] === '%') {
      result += '%';
      at++;
      continue;
    }
    let position: number | undefined, width = 0, alignLeft = false;
    const start = at;
    const number = readNumber();
    if (number !== undefined && pattern[at] === '$') {
      position = number;
      at++;
      if (position === 0) take(0);
    } else {
      at = start;
    }
    while (pattern[at] === '-') {
      alignLeft = true;
      at++;
    }
    if (pattern[at] === '*') {
      at++;
      const widthPosition = readNumber();
      if (widthPosition !== undefined) {
        if (pattern[at] !== '$') throw invalidParameter('width argument position must be ended by "$"');
        at++;
      }
      const index = take(widthPosition);
      const value = values[index]!;
      width = value === null ? 0 : int4In(typeHooks.typeIo(typeOf(index)).output(value));
      if (width < 0) {
        alignLeft = true;
        width = -width;
      }
    } else {
      width = readNumber() ?? 0;
    }
    const kind = pattern[at];
    if (kind === undefined) throw unterminated();
    if (kind !== 's' && kind !== 'I' && kind !== 'L') {
      throw new PgError('invalid_parameter_value',
        `unrecognized format() type specifier "${String.fromCodePoint(pattern.codePointAt(at)!)}"`, { hint: 'For a single "%" use "%%".' });
    }
    at++;
    const index = take(position);
    const value = values[index]!;
    let text: string;
    if (value === null) {
      if (kind === 'I') throw new PgError('null_value_not_allowed', 'null values cannot be formatted as an SQL identifier');
      text = kind === 'L' ? 'NULL' : '';
    } else {
      const raw = typeHooks.typeIo(typeOf(index)).output(value);
      text = kind === 's' ? raw : kind === 'I' ? quoteIdentifier(raw) : quoteLiteral(raw);
    }
    expectBytes(width);
    const padding = ' '.repeat(Math.max(0, width - charLength(text)));
    result += alignLeft ? text + padding : padding + text;
    expectBytes(result.length);
  }
  return result + pattern.slice(at);
}

/** parse_ident: "a.b"."c" into its names, folded to lower case where not quoted. */
function parseIdent(text: string, strict: boolean): ArrayValue {
  const names: string[] = [];
  const fail = (detail?: string): PgError => new PgError('invalid_parameter_value', `string is not a valid identifier: "${text}"`,
    detail === undefined ? {} : { detail });
  const spaces = /[ \t\n\v\f\r]*/y;
  let at = 0;
  const skip = (): void => {
    spaces.lastIndex = at;
    spaces.exec(text);
    at = spaces.lastIndex;
  };
  skip();
  let afterDot = false;
  for (;;) {
    let missing = true;
    if (text[at] === '"') {
      let end = at + 1;
      for (;;) {
        end = text.indexOf('"', end);
        if (end < 0) throw fail('String has unclosed double quotes.');
        if (text[end + 1] !== '"') break;
        end += 2;
      }
      const name = text.slice(at + 1, end).replaceAll('""', '"');
      if (name === '') throw fail('Quoted identifier must not be empty.');
      names.push(name);
      at = end + 1;
      missing = false;
    } else {
      const word = /^[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_$\u0080-\u{10ffff}]*/u.exec(text.slice(at));
      if (word !== null) {
        names.push(word[0].replace(/[A-Z]/g, (char) => char.toLowerCase()));
        at += word[0].length;
        missing = false;
      }
    }
    if (missing) {
      if (text[at] === '.') throw fail('No valid identifier before ".".');
      if (afterDot) throw fail('No valid identifier after ".".');
      throw fail();
    }
    skip();
    if (text[at] === '.') {
      afterDot = true;
      at++;
      skip();
    } else if (at >= text.length || !strict) {
      return makeArray(TEXTOID, names);
    } else {
      throw fail();
    }
  }
}

registerBuiltins({
  pure: {
    quote_ident: quoteIdentifier,
    quote_literal: quoteLiteral,
    quote_nullable: (text: string | null) => (text === null ? 'NULL' : quoteLiteral(text)),
    parse_ident: parseIdent,
  },
  context: {
    text_format: (context: FunctionContext, pattern: string | null, ...args: Datum[]) => format(context, pattern, args),
    text_format_nv: (context: FunctionContext, pattern: string | null) => format(context, pattern, []),
  },
});
