// Text search parsers and dictionaries by OID (PostgreSQL's ts_cache.c, and the init functions of dict_*.c). The built-in
// ones are all there is behind a parser or a template: functions of one's own would have to be written in C.
import { PgError, notSupported } from '../../common/errors.ts';
import * as ids from '../catalog/oids.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';
import { TOKEN_TYPES } from './token_types.ts';

export interface TokenType { tokid: number; alias: string; description: string }
export interface DictionaryOption { name: string; value: string; quoted: boolean }

const DEFAULT_LEXTYPES = 'prsd_lextype';
const tokenTypes: readonly TokenType[] = TOKEN_TYPES.map(([alias, description], i) => ({ tokid: i + 1, alias, description }));

export function tokenTypesOf(parser: Oid): readonly TokenType[] {
  const row = sys.lookup(ids.TSParserRelationId, ids.PgTsParserOidIndexId, parser);
  if (row === undefined) throw new PgError('internal_error', `cache lookup failed for text search parser ${parser}`);
  if (sys.procByOid(row.prslextype)?.prosrc !== DEFAULT_LEXTYPES) throw notSupported(`text search parser "${row.prsname}"`);
  return tokenTypes;
}

/** A Boolean option (defGetBoolean): a word, or a number without quotes. */
const isBoolean = ({ value, quoted }: DictionaryOption): boolean => /^(true|false|on|off)$/i.test(value) || (!quoted && /^[01]$/.test(value));
export const isTrue = (value: string): boolean => /^(true|on|1)$/i.test(value);

/** What a kind of dictionary takes; in the order in which it misses what it needs. */
interface Kind { word: string; known: readonly string[]; needed: readonly string[] }
const KINDS: Readonly<Record<string, Kind>> = {
  dsimple_init: { word: 'simple dictionary', known: ['StopWords', 'Accept'], needed: [] },
  dsynonym_init: { word: 'synonym', known: ['Synonyms', 'CaseSensitive'], needed: ['Synonyms'] },
  dispell_init: { word: 'Ispell', known: ['DictFile', 'AffFile', 'StopWords'], needed: ['AffFile', 'DictFile'] },
  thesaurus_init: { word: 'Thesaurus', known: ['DictFile', 'Dictionary'], needed: ['DictFile', 'Dictionary'] },
  dsnowball_init: { word: 'Snowball', known: ['StopWords', 'Language'], needed: ['Language'] },
};

const STEMMERS = new Set(['arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek', 'hindi', 'hungarian', 'indonesian',
  'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'porter', 'portuguese', 'romanian', 'russian', 'serbian', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish']);

/** The options of a dictionary of this template must be such as it knows (verify_dictoptions). */
export function checkDictionaryOptions(template: Oid, options: readonly DictionaryOption[]): void {
  const row = sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateOidIndexId, template)!;
  if (row.tmplinit === 0) {
    if (options.length > 0) throw new PgError('syntax_error', `text search template "${row.tmplname}" does not accept options`);
    return;
  }
  const kind = KINDS[sys.procByOid(row.tmplinit)?.prosrc ?? ''];
  if (kind === undefined) throw notSupported(`text search template "${row.tmplname}"`);
  const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);
  const seen = new Set<string>();
  for (const option of options) {
    const { name, value } = option;
    const found = kind.known.find((k) => k.toLowerCase() === name);
    if (found === undefined) throw invalid(`unrecognized ${kind.word} parameter: "${name}"`);
    if (seen.has(found)) throw invalid(`multiple ${found} parameters`);
    seen.add(found);
    if ((found === 'Accept' || found === 'CaseSensitive') && !isBoolean(option)) throw new PgError('syntax_error', `${name} requires a Boolean value`);
    if (found === 'Language' && !STEMMERS.has(value.toLowerCase())) throw new PgError('undefined_object', `no Snowball stemmer available for language "${value}" and encoding "UTF8"`);
  }
  for (const name of kind.needed) if (!seen.has(name)) throw invalid(`missing ${name} parameter`);
}

/** Options as pg_ts_dict keeps them, and as ts_headline takes them: name = 'value', ... (deserialize_deflist). */
export function deserializeOptions(text: string): DictionaryOption[] {
  const list: DictionaryOption[] = [];
  const pattern = /[\s,]*(?:"((?:[^"]|"")*)"|([^\s,"][^\s=]*))\s*=\s*(?:E?'((?:[^'\\]|''|\\.)*)'|"((?:[^"]|"")*)"|([^\s"'][^\s,]*))/gy;
  let end = 0;
  for (const [all, quotedName, name, single, double, bare] of text.matchAll(pattern)) {
    list.push({ name: quotedName?.replaceAll('""', '"') ?? name!, value: single?.replaceAll("''", "'").replaceAll('\\\\', '\\') ?? double?.replaceAll('""', '"') ?? bare!, quoted: bare === undefined });
    end += all.length;
  }
  if (/[^\s,]/.test(text.slice(end))) throw new PgError('syntax_error', `invalid parameter list format: "${text}"`);
  return list;
}
