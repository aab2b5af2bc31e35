// to_tsvector and to_tsquery with their kin (PostgreSQL's to_tsany.c and ts_parse.c), and what is known of parsers and dictionaries.
import { PgError } from '../../common/errors.ts';
import * as ids from '../catalog/oids.ts';
import { lookupByName } from '../catalog/namespace.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { quoteQualifiedIdentifier } from '../catalog/quote.ts';
import { regLookup, stringToQualifiedNameList } from '../catalog/reg_names.ts';
import * as sys from '../catalog/syscache.ts';
import { isTransactionState } from '../transaction/xact.ts';
import { utf8Length } from '../types/characters.ts';
import { makeArray, RecordValue, tupleDesc, type Datum, type Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { RECORDOID, TEXTOID, INT4OID } from '../types/oids.ts';
import { parseTsQuery, tsMatch, TsQuery, type QueryNode } from '../types/tsquery.ts';
import { MAX_LEXEME_BYTES, MAX_POSITION, MAX_POSITIONS, makeTsVector, type Lexeme, type TsVector } from '../types/tsvector.ts';
import { CheckFailure, defineHooks, getString } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { dictionaryOf, lexizeAll, mappingOf } from './dictionaries.ts';
import { parseText } from './parser.ts';
import { tokenTypesOf } from './ts_cache.ts';

const notice = (message: string, code: 'successful_completion' | 'program_limit_exceeded' | 'undefined_object' = 'successful_completion', detail?: string): void => {
  const n = new PgError(code, message, { detail });
  n.severity = 'NOTICE';
  session.notice(n);
};

// Where there are catalogs to look at, a configuration is there, and its name is kept with its schema.
defineHooks('default_text_search_config', {
  check: (value, source) => {
    if (!isTransactionState() || session.databaseOid === 0) return value;
    const oid = regLookup('regconfig', value as string, true);
    const row = oid === 0 ? undefined : sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, oid);
    // For later: it may be there by then.
    if (row === undefined && source === 'test') {
      notice(`text search configuration "${value as string}" does not exist`, 'undefined_object');
      return value;
    }
    return row === undefined ? new CheckFailure() : quoteQualifiedIdentifier(getNamespaceName(row.cfgnamespace) ?? '', row.cfgname);
  },
});

export function currentConfig(): Oid {
  return regLookup('regconfig', getString('default_text_search_config'), false);
}

/** Checks that the configuration is there and its parser the one we have. */
export function configOf(config: Oid): Oid {
  const row = sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, config);
  if (row === undefined) throw new PgError('internal_error', `cache lookup failed for text search configuration ${config}`);
  tokenTypesOf(row.cfgparser);
  return config;
}

export interface Word { readonly text: string; readonly position: number; readonly variant: number; readonly prefix: boolean }

/** The lexemes of a text; positions count what dictionaries know, stop words too. Returns the last position. */
export function parseWords(config: Oid, text: string, words: Word[], start = 0): number {
  let position = start;
  const tokens = parseText(text).filter((token) => {
    if (utf8Length(token.text) <= MAX_LEXEME_BYTES) return true;
    notice('word is too long to be indexed', 'program_limit_exceeded', `Words longer than ${MAX_LEXEME_BYTES + 1} characters are ignored.`);
    return false;
  });
  for (const { lexemes } of lexizeAll(config, tokens)) {
    if (lexemes === null) continue;
    position++;
    for (const l of lexemes) {
      if (l.newPosition) position++;
      words.push({ text: l.text, position, variant: l.variant, prefix: l.prefix });
    }
  }
  return position;
}

export function vectorOf(words: readonly Word[]): TsVector {
  return makeTsVector(words.map((w): Lexeme => ({ text: w.text, positions: [{ at: Math.min(w.position, MAX_POSITION), weight: 0 }] })), MAX_POSITIONS - 1);
}

function toTsVector(config: Oid, text: string): TsVector {
  const words: Word[] = [];
  parseWords(configOf(config), text, words);
  return vectorOf(words);
}

/** Several texts as one: a phrase does not go from one to the next. */
export function textsToTsVector(config: Oid, texts: Iterable<string>): TsVector {
  const words: Word[] = [];
  let position = 0;
  for (const text of texts) {
    configOf(config);
    const before = words.length;
    position = parseWords(config, text, words, position);
    if (words.length > before) position++;
  }
  return vectorOf(words);
}

// ---- queries

/** Stands for a stop word until the tree is cleaned. */
const STOP: QueryNode = { op: 'value', text: '', weights: 0, prefix: false };
type Joint = '&' | '<>';

const joined = (op: Joint | '|', left: QueryNode | null, right: QueryNode): QueryNode =>
  left === null ? right : op === '<>' ? { op, distance: 1, left, right } : { op, left, right };

/** What an operand's text becomes (pushval_morph): its lexemes, one after another, joined by `op`. */
function operand(config: Oid, text: string, weights: number, prefix: boolean, op: Joint): QueryNode {
  const words: Word[] = [];
  parseWords(config, text, words);
  if (words.length === 0) return STOP;
  let result: QueryNode | null = null;
  let position = 0;
  for (let i = 0; i < words.length;) {
    const at = words[i]!.position;
    if (position > 0) for (let p = position + 1; p < at; p++) result = joined(op, result, STOP);
    let here: QueryNode | null = null;
    while (i < words.length && words[i]!.position === at) {
      const { variant } = words[i]!;
      let one: QueryNode | null = null;
      for (; i < words.length && words[i]!.position === at && words[i]!.variant === variant; i++) {
        one = joined('&', one, { op: 'value', text: words[i]!.text, weights, prefix: prefix || words[i]!.prefix });
      }
      here = joined('|', here, one!);
    }
    result = joined(op, result, here!);
    position = at;
  }
  return result!;
}

interface Cleaned { node: QueryNode | null; left: number; right: number }

/** Takes stop words out; phrases keep their distances (clean_stopword_intree). */
function clean(node: QueryNode): Cleaned {
  if (node === STOP) return { node: null, left: 0, right: 0 };
  if (node.op === 'value') return { node, left: 0, right: 0 };
  if (node.op === '!') {
    const arg = clean(node.arg);
    return { node: arg.node === null ? null : { op: '!', arg: arg.node }, left: arg.left, right: arg.right };
  }
  const isPhrase = node.op === '<>';
  const own = isPhrase ? node.distance : 0;
  const l = clean(node.left), r = clean(node.right);
  if (l.node === null && r.node === null) {
    const add = isPhrase ? l.left + own + r.left : Math.max(l.left, r.left);
    return { node: null, left: add, right: add };
  }
  if (l.node === null) return isPhrase ? { node: r.node, left: l.left + own + r.left, right: r.right } : { node: r.node, left: r.left, right: r.right };
  if (r.node === null) return isPhrase ? { node: l.node, left: l.left, right: l.right + own + r.right } : { node: l.node, left: l.left, right: l.right };
  if (isPhrase) return { node: { op: '<>', distance: own + l.right + r.left, left: l.node, right: r.node }, left: l.left, right: r.right };
  return { node: { op: node.op as '&' | '|', left: l.node, right: r.node }, left: 0, right: 0 };
}

function finish(root: QueryNode | null, text: string): TsQuery {
  if (root === null) {
    notice(`text-search query doesn't contain lexemes: "${text}"`);
    return new TsQuery(null);
  }
  const { node } = clean(root);
  if (node === null) notice('text-search query contains only stop words or doesn\'t contain lexemes, ignored');
  return new TsQuery(node);
}

function toTsQuery(config: Oid, text: string): TsQuery {
  configOf(config);
  return finish(parseTsQuery(text, (word, weights, prefix) => operand(config, word, weights, prefix, '<>')).root, text);
}

function plainToTsQuery(config: Oid, text: string, op: Joint): TsQuery {
  configOf(config);
  return finish(text === '' ? null : operand(config, text, 0, false, op), text);
}

/** As people write to search engines: "phrases", or, -not. */
function webSearchToTsQuery(config: Oid, text: string): TsQuery {
  configOf(config);
  const alternatives: QueryNode[][] = [[]];
  let at = 0, negations = 0;
  const push = (node: QueryNode): void => {
    let result = node;
    for (; negations > 0; negations--) result = { op: '!', arg: result };
    alternatives.at(-1)!.push(result);
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const or = alternatives.at(-1)!.length > 0 && negations === 0 ? /^or(?![\p{L}\p{N}_-])(?=[\s\S]\s*\S)/iu.exec(rest) : null;
    const quote = /^"([^"]*)(?:"|$)/.exec(rest);
    if (or !== null) {
      alternatives.push([]);
      at += 2;
    } else if (rest[0] === '-') {
      negations++;
      at++;
    } else if (quote !== null) {
      push(quote[1]!.trim() === '' ? STOP : operand(config, quote[1]!, 0, false, '<>'));
      at += quote[0].length;
    } else {
      const word = /^[^\s"!&|():]+/.exec(rest);
      if (word === null) at++;
      else {
        push(operand(config, word[0], 0, false, '<>'));
        at += word[0].length;
      }
    }
  }
  if (negations > 0) push(STOP);
  let root: QueryNode | null = null;
  for (const list of alternatives) {
    let all: QueryNode | null = null;
    for (const node of list) all = joined('&', all, node);
    if (all !== null) root = joined('|', root, all);
  }
  // Signs that mean nothing here are as a stop word.
  return finish(root ?? (/\S/.test(text) ? STOP : null), text);
}

// ---- parsers and dictionaries for SQL

const TOKEN_COLUMNS = tupleDesc([['tokid', INT4OID], ['token', TEXTOID]]);
const TYPE_COLUMNS = tupleDesc([['tokid', INT4OID], ['alias', TEXTOID], ['description', TEXTOID]]);

function parserNamed(name: string): Oid {
  const oid = lookupByName(stringToQualifiedNameList(name), (n, s) => sys.lookup(ids.TSParserRelationId, ids.PgTsParserPrsnameIndexId, n, s)?.oid ?? 0);
  if (oid === 0) throw new PgError('undefined_object', `text search parser "${stringToQualifiedNameList(name).join('.')}" does not exist`);
  return oid;
}

function* tokensBy(parser: Oid, text: string): Generator<Datum> {
  tokenTypesOf(parser);
  for (const t of parseText(text)) yield new RecordValue(RECORDOID, TOKEN_COLUMNS, [t.type, t.text]);
}
function* typesBy(parser: Oid): Generator<Datum> {
  for (const t of tokenTypesOf(parser)) yield new RecordValue(RECORDOID, TYPE_COLUMNS, [t.tokid, t.alias, t.description]);
}

const REGDICTIONARYOID = 3769, REGDICTIONARYARRAYOID = 3770, TEXTARRAYOID = 1009;
const DEBUG_COLUMNS = tupleDesc([['alias', TEXTOID], ['description', TEXTOID], ['token', TEXTOID], ['dictionaries', REGDICTIONARYARRAYOID],
  ['dictionary', REGDICTIONARYOID], ['lexemes', TEXTARRAYOID]]);

/** What becomes of each token, and by which dictionary. */
function* debug(config: Oid, text: string): Generator<Datum> {
  const types = tokenTypesOf(sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, configOf(config))!.cfgparser);
  for (const token of parseText(text)) {
    const { alias, description } = types[token.type - 1]!;
    const list = mappingOf(config)[token.type] ?? [];
    const chosen = list.find((d) => dictionaryOf(d).lexize(token.text) !== null) ?? list[0];
    const lexemes = chosen === undefined ? null : dictionaryOf(chosen).lexize(token.text);
    yield new RecordValue(RECORDOID, DEBUG_COLUMNS, [alias, description, token.text, makeArray(REGDICTIONARYOID, [...list]), chosen ?? null, lexemes === null ? null : makeArray(TEXTOID, lexemes.map((l) => l.text))]);
  }
}

registerBuiltins({
  pure: {
    get_current_ts_config: currentConfig,
    to_tsvector: (text: string) => toTsVector(currentConfig(), text), to_tsvector_byid: toTsVector,
    to_tsquery: (text: string) => toTsQuery(currentConfig(), text), to_tsquery_byid: toTsQuery,
    plainto_tsquery: (text: string) => plainToTsQuery(currentConfig(), text, '&'), plainto_tsquery_byid: (config: Oid, text: string) => plainToTsQuery(config, text, '&'),
    phraseto_tsquery: (text: string) => plainToTsQuery(currentConfig(), text, '<>'), phraseto_tsquery_byid: (config: Oid, text: string) => plainToTsQuery(config, text, '<>'),
    websearch_to_tsquery: (text: string) => webSearchToTsQuery(currentConfig(), text), websearch_to_tsquery_byid: webSearchToTsQuery,
    ts_match_tt: (text: string, query: string) => tsMatch(toTsVector(currentConfig(), text), plainToTsQuery(currentConfig(), query, '&')),
    ts_match_tq: (text: string, query: TsQuery) => tsMatch(toTsVector(currentConfig(), text), query),
    ts_lexize: (dictionary: Oid, token: string) => {
      const lexemes = dictionaryOf(dictionary).lexize(token);
      return lexemes === null ? null : makeArray(TEXTOID, lexemes.map((l) => l.text));
    },
  },
  set: {
    sql_ts_debug_regconfig_text: (_context, config: Oid, text: string) => debug(config, text), sql_ts_debug_text: (_context, text: string) => debug(currentConfig(), text),
    ts_parse_byid: (_context, parser: Oid, text: string) => tokensBy(parser, text), ts_parse_byname: (_context, name: string, text: string) => tokensBy(parserNamed(name), text),
    ts_token_type_byid: (_context, parser: Oid) => typesBy(parser), ts_token_type_byname: (_context, name: string) => typesBy(parserNamed(name)),
  },
});
