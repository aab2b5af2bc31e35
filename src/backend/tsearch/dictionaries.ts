// What dictionaries make of a token (dict_simple.c, dict_snowball.c, dict_synonym.c, dict_ispell.c), and the dictionaries of a
// configuration asked in turn (ts_parse.c).
import { PgError, notSupported } from '../../common/errors.ts';
import { refreshCatalogs, registerCatalogCache } from '../catalog/inval.ts';
import * as ids from '../catalog/oids.ts';
import { regLookup } from '../catalog/reg_names.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';
import { lowerString, readLines } from './config_files.ts';
import { stemmerOf } from './snowball.ts';
import { SpellDictionary } from './spell.ts';
import { Thesaurus, type ThesaurusState } from './thesaurus.ts';
import { deserializeOptions, isTrue, type DictionaryOption } from './ts_cache.ts';

/** Of several variants of a token one is meant; `prefix`: the beginning of a word; `newPosition`: a word behind the one before. */
export interface DictionaryLexeme { readonly text: string; readonly variant: number; readonly prefix: boolean; readonly newPosition: boolean }

/** The lexemes of a token; none: a stop word; null: not known here. */
export interface Dictionary {
  lexize: (token: string) => readonly DictionaryLexeme[] | null;
  /** Phrases of several tokens. */
  readonly thesaurus: Thesaurus | null;
}

const MAX_STEMMED_BYTES = 1000;
const NO_STOP: ReadonlySet<string> = new Set();
const NOTHING: readonly DictionaryLexeme[] = [];
const dictionaries = new Map<Oid, Dictionary>();
const configurations = new Map<Oid, readonly (readonly Oid[])[]>();
registerCatalogCache(() => { dictionaries.clear(); configurations.clear(); });

const lexemeOf = (text: string, variant = 0, prefix = false): DictionaryLexeme => ({ text, variant, prefix, newPosition: false });

export function dictionaryOf(oid: Oid): Dictionary {
  refreshCatalogs();
  let found = dictionaries.get(oid);
  if (found === undefined) {
    const row = sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, oid);
    if (row === undefined) throw new PgError('internal_error', `cache lookup failed for text search dictionary ${oid}`);
    dictionaries.set(oid, (found = makeDictionary(row.dicttemplate, deserializeOptions(row.dictinitoption ?? ''))));
  }
  return found;
}

function stopWords(name: string | undefined): ReadonlySet<string> {
  if (name === undefined) return NO_STOP;
  return new Set(readLines(name.toLowerCase(), 'stop', 'stop-word').map((l) => lowerString(l.split(/\s/)[0]!)).filter((w) => w !== ''));
}

/** A dictionary by its template and options, which have been checked (ts_cache.ts). */
export function makeDictionary(templateOid: Oid, list: readonly DictionaryOption[]): Dictionary {
  const template = sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateOidIndexId, templateOid)!;
  const options = new Map(list.map((o) => [o.name, o.value]));
  const plain = (lexize: Dictionary['lexize']): Dictionary => ({ lexize, thesaurus: null });
  switch (sys.procByOid(template.tmpllexize)?.prosrc) {
    case 'dsimple_lexize': {
      const stop = stopWords(options.get('stopwords'));
      const accept = isTrue(options.get('accept') ?? 'true');
      return plain((token) => {
        const word = lowerString(token);
        return word === '' || stop.has(word) ? NOTHING : accept ? [lexemeOf(word)] : null;
      });
    }
    case 'dsnowball_lexize': {
      const stem = stemmerOf(options.get('language')!.toLowerCase());
      const stop = stopWords(options.get('stopwords'));
      return plain((token) => {
        const word = lowerString(token);
        if (Buffer.byteLength(token) > MAX_STEMMED_BYTES) return [lexemeOf(word)];
        return word === '' || stop.has(word) ? NOTHING : [lexemeOf(stem(word) || word)];
      });
    }
    case 'dsynonym_lexize': return plain(synonyms(readLines(options.get('synonyms')!, 'syn', 'synonym'), isTrue(options.get('casesensitive') ?? 'false')));
    case 'dispell_lexize': {
      const words = readLines(options.get('dictfile')!, 'dict', 'dictionary');
      const spell = new SpellDictionary(readLines(options.get('afffile')!, 'affix', 'affix'), words);
      const stop = stopWords(options.get('stopwords'));
      return plain((token) => {
        const found = token === '' ? null : spell.normalize(lowerString(token));
        return found === null ? null : found.filter((n) => !stop.has(n.text)).map((n) => lexemeOf(n.text, n.variant));
      });
    }
    case 'thesaurus_lexize': {
      const inner = regLookup('regdictionary', options.get('dictionary')!, false);
      const thesaurus = new Thesaurus(readLines(options.get('dictfile')!, 'ths', 'thesaurus'), (word) => dictionaryOf(inner).lexize(word));
      return { thesaurus, lexize: (token) => thesaurus.step(token, null).lexemes };
    }
    default: throw notSupported(`text search template "${template.tmplname}"`);
  }
}

function synonyms(lines: readonly string[], caseSensitive: boolean): Dictionary['lexize'] {
  const fold = (text: string): string => (caseSensitive ? text : lowerString(text));
  const known = new Map<string, DictionaryLexeme>();
  for (const line of lines) {
    const [word, other] = line.trim().split(/\s+/);
    if (word === undefined || other === undefined || known.has(fold(word))) continue;
    const prefix = other.endsWith('*');
    known.set(fold(word), lexemeOf(fold(prefix ? other.slice(0, -1) : other), 0, prefix));
  }
  return (token) => {
    const found = token === '' ? undefined : known.get(fold(token));
    return found === undefined ? null : [found];
  };
}

/** By token type: the dictionaries to be asked in turn. */
export function mappingOf(config: Oid): readonly (readonly Oid[])[] {
  refreshCatalogs();
  let found = configurations.get(config);
  if (found !== undefined) return found;
  const lists: { dict: Oid; seq: number }[][] = [];
  for (const m of sys.lookupAll(ids.TSConfigMapRelationId, ids.PgTsConfigMapIndexId, config)) (lists[m.maptokentype] ??= []).push({ dict: m.mapdict, seq: m.mapseqno });
  found = Array.from(lists, (list) => (list ?? []).sort((a, b) => a.seq - b.seq).map((m) => m.dict));
  configurations.set(config, found);
  return found;
}

export interface Token { readonly type: number; readonly text: string }
/** What the tokens from `first` on, `count` of them, have become; null: no dictionary knows the one. */
export interface Lexized { readonly first: number; readonly count: number; readonly lexemes: readonly DictionaryLexeme[] | null }

/** The lexemes of tokens, each by the first dictionary that knows it (LexizeExec). */
export function* lexizeAll(config: Oid, tokens: readonly Token[]): Generator<Lexized> {
  const mapping = mappingOf(config);
  for (let at = 0; at < tokens.length;) {
    const { type, text } = tokens[at]!;
    let done: Lexized | null = null;
    for (const oid of mapping[type] ?? []) {
      const dictionary = dictionaryOf(oid);
      done = dictionary.thesaurus === null ? null : phrase(dictionary.thesaurus, oid, mapping, tokens, at);
      if (done !== null) break;
      const lexemes = dictionary.thesaurus === null ? dictionary.lexize(text) : null;
      if (lexemes === null) continue;
      done = { first: at, count: 1, lexemes };
      break;
    }
    done ??= { first: at, count: 1, lexemes: null };
    yield done;
    at += done.count;
  }
}

/** The longest phrase of a thesaurus that begins with a token. */
function phrase(thesaurus: Thesaurus, oid: Oid, mapping: readonly (readonly Oid[])[], tokens: readonly Token[], first: number): Lexized | null {
  let best: Lexized | null = null;
  let state: ThesaurusState | null = null;
  for (let i = first; i < tokens.length; i++) {
    const { type, text } = tokens[i]!, dictionaries = mapping[type] ?? [];
    if (dictionaries.length === 0) continue;
    if (!dictionaries.includes(oid)) return null;
    const step = thesaurus.step(text, state);
    if (step.lexemes !== null) best = { first, count: i - first + 1, lexemes: step.lexemes };
    state = step.state;
    if (state === null) break;
  }
  return best;
}
