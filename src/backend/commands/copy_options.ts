// COPY's options, checked before anything is read or written (PostgreSQL's ProcessCopyOptions).
import { charToEncoding, encodingToChar } from '../../common/encoding.ts';
import { PgError } from '../../common/errors.ts';
import { makeParseState, parserError, type ParseState } from '../parser/parse_node.ts';
import { client } from '../types/client_encoding.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem, type DefElem } from './def_elem.ts';

export interface CopyOptions {
  format: 'text' | 'csv' | 'binary';
  header: false | true | 'match';
  delimiter: string;
  nullText: string;
  quote: string;
  escape: string;
  forceQuote: string[] | 'all';
  forceNotNull: string[];
  forceNull: string[];
  freeze: boolean;
  /** Of the data, the client's unless another is asked for; null: the server's. */
  encoding: string | null;
}

/** defGetCopyHeaderChoice. */
function header(option: DefElem, isFrom: boolean): false | true | 'match' {
  if (typeof option.arg === 'string' && option.arg.toLowerCase() === 'match') {
    if (!isFrom) throw new PgError('feature_not_supported', 'cannot use "match" with HEADER in COPY TO');
    return 'match';
  }
  try {
    return defGetBoolean(option);
  } catch {
    throw new PgError('syntax_error', `${option.defname} requires a Boolean value or "match"`);
  }
}

function columnList(option: DefElem, state: ParseState): string[] {
  const { arg } = option;
  if (!Array.isArray(arg)) throw parserError(state, 'invalid_parameter_value', `argument to option "${option.defname}" must be a list of column names`, option.location);
  return arg.map((c) => (String(c)));
}

export function processCopyOptions(isFrom: boolean, list: readonly DefElem[], text: string): CopyOptions {
  const seen = new Map<string, DefElem>(), state = makeParseState(text);
  for (const option of list) {
    if (seen.has(option.defname)) throw errorConflictingDefElem(option, text);
    seen.set(option.defname, option);
  }
  const take = <T>(name: string, read: (option: DefElem) => T): T | undefined => {
    const option = seen.get(name);
    if (option === undefined) return undefined;
    seen.delete(name);
    return read(option);
  };
  const format = take('format', (o) => {
    const name = defGetString(o);
    if (name !== 'text' && name !== 'csv' && name !== 'binary') {
      throw parserError(state, 'invalid_parameter_value', `COPY format "${name}" not recognized`, o.location);
    }
    return name;
  }) ?? 'text';
  const csv = format === 'csv';
  const delimiter = take('delimiter', defGetString);
  const nullText = take('null', defGetString);
  const headerValue = take('header', (o) => header(o, isFrom)) ?? false;
  const quote = take('quote', defGetString);
  const escape = take('escape', defGetString);
  const forceQuote = take('force_quote', (o) => (o.arg?.tag === 'A_Star' ? 'all' as const : columnList(o, state)));
  const forceNotNull = take('force_not_null', (o) => columnList(o, state));
  const forceNull = take('force_null', (o) => columnList(o, state));
  const freeze = take('freeze', defGetBoolean) ?? false;
  const encoding = take('encoding', (o) => {
    const found = encodingToChar(charToEncoding(defGetString(o)));
    if (found === '') throw parserError(state, 'invalid_parameter_value', 'argument to option "encoding" must be a valid encoding name', o.location);
    return found;
  }) ?? client.encoding?.name ?? 'UTF8';
  for (const option of seen.values()) {
    throw parserError(state, 'syntax_error', `option "${option.defname}" not recognized`, option.location);
  }
  const options: CopyOptions = {
    format, header: headerValue, delimiter: delimiter ?? (csv ? ',' : '\t'), nullText: nullText ?? (csv ? '' : '\\N'),
    quote: quote ?? '"', escape: escape ?? quote ?? '"', forceQuote: forceQuote ?? [], forceNotNull: forceNotNull ?? [], forceNull: forceNull ?? [], freeze,
    encoding: encoding === 'UTF8' || encoding === 'SQL_ASCII' || format === 'binary' ? null : encoding,
  };
  check(options, isFrom, { delimiter, nullText, quote, escape, forceQuote, forceNotNull, forceNull });
  return options;
}

interface Given {
  delimiter: string | undefined; nullText: string | undefined; quote: string | undefined; escape: string | undefined;
  forceQuote: unknown; forceNotNull: unknown; forceNull: unknown;
}

function check(o: CopyOptions, isFrom: boolean, given: Given): void {
  const csv = o.format === 'csv';
  const binary = o.format === 'binary';
  const syntax = (message: string): never => { throw new PgError('syntax_error', message); };
  const invalid = (message: string): never => { throw new PgError('invalid_parameter_value', message); };
  const unsupported = (message: string): never => { throw new PgError('feature_not_supported', message); };
  if (binary && given.delimiter !== undefined) syntax('cannot specify DELIMITER in BINARY mode');
  if (binary && given.nullText !== undefined) syntax('cannot specify NULL in BINARY mode');
  if (Buffer.byteLength(o.delimiter) !== 1) unsupported('COPY delimiter must be a single one-byte character');
  if (/[\r\n]/.test(o.delimiter)) invalid('COPY delimiter cannot be newline or carriage return');
  if (/[\r\n]/.test(o.nullText)) invalid('COPY null representation cannot use newline or carriage return');
  if (!csv && !binary && '\\.abcdefghijklmnopqrstuvwxyz0123456789'.includes(o.delimiter)) invalid(`COPY delimiter cannot be "${o.delimiter}"`);
  if (binary && o.header) unsupported('cannot specify HEADER in BINARY mode');
  if (!csv && given.quote !== undefined) unsupported('COPY quote available only in CSV mode');
  if (csv && Buffer.byteLength(o.quote) !== 1) unsupported('COPY quote must be a single one-byte character');
  if (csv && o.delimiter === o.quote) invalid('COPY delimiter and quote must be different');
  if (!csv && given.escape !== undefined) unsupported('COPY escape available only in CSV mode');
  if (csv && Buffer.byteLength(o.escape) !== 1) unsupported('COPY escape must be a single one-byte character');
  if (!csv && given.forceQuote !== undefined) unsupported('COPY force quote available only in CSV mode');
  if (given.forceQuote !== undefined && isFrom) unsupported('COPY force quote only available using COPY TO');
  if (!csv && given.forceNotNull !== undefined) unsupported('COPY force not null available only in CSV mode');
  if (given.forceNotNull !== undefined && !isFrom) unsupported('COPY force not null only available using COPY FROM');
  if (!csv && given.forceNull !== undefined) unsupported('COPY force null available only in CSV mode');
  if (given.forceNull !== undefined && !isFrom) unsupported('COPY force null only available using COPY FROM');
  if (o.nullText.includes(o.delimiter)) unsupported('COPY delimiter must not appear in the NULL specification');
  if (csv && o.nullText.includes(o.quote)) unsupported('CSV quote character must not appear in the NULL specification');
}
