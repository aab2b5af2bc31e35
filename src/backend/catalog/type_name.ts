// Types by their written names, "character varying(10)[]", for what reads types outside of a statement: regtype,
// regprocedure, format_type's inverse (parseTypeString). Inside statements the grammar does it.
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { getArrayType } from './lsyscache.ts';
import { typmodFromList } from './format_type.ts';
import { deconstructQualifiedName, lookupExplicitNamespace, typenameToOid } from './namespace.ts';
import { truncateIdentifier } from '../utils/identifier.ts';
import * as ids from './oids.ts';

/** SQL's own names, as the grammar reads them. Modifier and "time zone" are taken out before. */
const SQL_TYPES: Readonly<Record<string, Oid>> = {
  int: ids.INT4OID, integer: ids.INT4OID, smallint: ids.INT2OID, bigint: ids.INT8OID, real: ids.FLOAT4OID, float: ids.FLOAT8OID,
  'double precision': ids.FLOAT8OID, decimal: ids.NUMERICOID, dec: ids.NUMERICOID, numeric: ids.NUMERICOID, boolean: ids.BOOLOID,
  bit: ids.BITOID, 'bit varying': ids.VARBITOID, character: ids.BPCHAROID, char: ids.BPCHAROID, varchar: ids.VARCHAROID,
  'character varying': ids.VARCHAROID, 'char varying': ids.VARCHAROID, 'national character': ids.BPCHAROID, 'national char': ids.BPCHAROID,
  nchar: ids.BPCHAROID, 'national character varying': ids.VARCHAROID, 'national char varying': ids.VARCHAROID, 'nchar varying': ids.VARCHAROID,
  timestamp: ids.TIMESTAMPOID, 'timestamp without time zone': ids.TIMESTAMPOID, 'timestamp with time zone': ids.TIMESTAMPTZOID,
  time: ids.TIMEOID, 'time without time zone': ids.TIMEOID, 'time with time zone': ids.TIMETZOID, interval: ids.INTERVALOID,
};
/** Types for which no modifier means one character or bit. */
const ONE_BY_DEFAULT = new Set<string>(['bit', 'character', 'char', 'national character', 'national char', 'nchar']);
/** Interval fields and their typmod range (INTERVAL_MASK bits). */
const INTERVAL_FIELDS: Readonly<Record<string, number>> = {
  year: 4, month: 2, day: 8, hour: 1024, minute: 2048, second: 4096, 'year to month': 6, 'day to hour': 1032,
  'day to minute': 3080, 'day to second': 7176, 'hour to minute': 3072, 'hour to second': 7168, 'minute to second': 6144,
};

type Token = { kind: 'word' | 'quoted' | 'number' | 'sign'; text: string };

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_\u0080-\u{10ffff}][\p{L}\p{N}_$\u0080-\u{10ffff}]*)|(-?\d+)|(\[|\]|\(|\)|,|\.|%))/uy;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    pattern.lastIndex = at;
    const m = pattern.exec(text);
    if (!m) return undefined;
    if (m[1] !== undefined) tokens.push({ kind: 'quoted', text: truncateIdentifier(m[1].replaceAll('""', '"')) });
    else if (m[2] !== undefined) tokens.push({ kind: 'word', text: truncateIdentifier(m[2].toLowerCase()) });
    else if (m[3] !== undefined) tokens.push({ kind: 'number', text: m[3] });
    else tokens.push({ kind: 'sign', text: m[4]! });
    at = pattern.lastIndex;
  }
  return tokens;
}

export interface ParsedType { readonly type: Oid; readonly typmod: number }

/** The type of a written name; undefined when missingOk and there is none. */
export function parseTypeString(text: string, missingOk = false): ParsedType | undefined {
  const syntax = (): PgError => new PgError('syntax_error', `invalid type name "${text}"`);
  const tokens = tokenize(text);
  if (!tokens || tokens.length === 0) throw syntax();
  let at = 0;
  const isSign = (sign: string): boolean => tokens[at]?.kind === 'sign' && tokens[at]!.text === sign;
  const words: string[] = [];
  const names: string[] = [];
  const modifiers: string[] = [];
  const takeModifiers = (): void => {
    if (!isSign('(')) return;
    for (at++; !isSign(')'); at++) {
      const token = tokens[at];
      if (!token) throw syntax();
      if (!(token.kind === 'sign' && token.text === ',')) modifiers.push(token.text);
    }
    at++;
  };
  const qualified = tokens[0]!.kind === 'quoted' || (tokens[1]?.kind === 'sign' && tokens[1].text === '.');
  if (qualified) {
    for (;;) {
      const token = tokens[at++];
      if (!token || token.kind === 'sign' || token.kind === 'number') throw syntax();
      names.push(token.text);
      if (!isSign('.')) break;
      at++;
    }
    takeModifiers();
  } else {
    while (tokens[at]?.kind === 'word' && tokens[at]!.text !== 'array') words.push(tokens[at++]!.text);
    takeModifiers();
    while (tokens[at]?.kind === 'word' && tokens[at]!.text !== 'array') words.push(tokens[at++]!.text);
  }
  let dimensions = 0;
  if (tokens[at]?.kind === 'word' && tokens[at]!.text === 'array') { dimensions = 1; at++; }
  while (isSign('[')) {
    at++;
    if (tokens[at]?.kind === 'number') at++;
    if (!isSign(']')) throw syntax();
    at++;
    dimensions = 1;
  }
  if (at !== tokens.length) throw syntax();

  const found = qualified ? named(names, modifiers, missingOk) : sqlType(words, modifiers) ?? (words.length === 1 ? named(words, modifiers, missingOk) : undefined);
  if (!found && !qualified && words.length > 1) throw syntax();
  const type = found && dimensions > 0 ? getArrayType(found.type) : found?.type;
  if (!type) {
    if (missingOk) return undefined;
    throw new PgError('undefined_object', `type "${(qualified ? names : words).join('.')}${dimensions > 0 ? '[]' : ''}" does not exist`);
  }
  return { type, typmod: found!.typmod };
}

function named(names: readonly string[], modifiers: readonly string[], missingOk: boolean): ParsedType | undefined {
  if (names.length > 1) {
    const { schema } = deconstructQualifiedName(names);
    if (schema !== null && lookupExplicitNamespace(schema, missingOk) === 0) return undefined;
  }
  const type = typenameToOid(names);
  return type === 0 ? undefined : { type, typmod: modifiers.length > 0 ? typmodFromList(type, modifiers) ?? -1 : -1 };
}

function sqlType(words: readonly string[], modifiers: readonly string[]): ParsedType | undefined {
  const name = words.join(' ');
  const type = SQL_TYPES[name];
  if (type !== undefined) {
    if (name === 'float' && modifiers.length === 1) return { type: Number(modifiers[0]) <= 24 ? ids.FLOAT4OID : ids.FLOAT8OID, typmod: -1 };
    if (modifiers.length === 0 && ONE_BY_DEFAULT.has(name)) return { type, typmod: typmodFromList(type, ['1']) ?? -1 };
    return { type, typmod: modifiers.length > 0 ? typmodFromList(type, modifiers) ?? -1 : -1 };
  }
  if (words[0] === 'interval') {
    const fields = INTERVAL_FIELDS[words.slice(1).join(' ')];
    if (fields !== undefined) return { type: ids.INTERVALOID, typmod: typmodFromList(ids.INTERVALOID, [String(fields), ...modifiers]) ?? -1 };
  }
  return undefined;
}
