// What dictionaries make of a token (dict_simple.c, dict_snowball.c), and the dictionaries of a configuration. Of Snowball's
// stemmers there is the English one; dictionaries of files (ispell, synonym, thesaurus) are refused when they are used.
import { PgError, notSupported } from '../../common/errors.ts';
import { refreshCatalogs, registerCatalogCache } from '../catalog/inval.ts';
import * as ids from '../catalog/oids.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';
import { ENGLISH_STOP } from './english_stop.ts';
import { stemEnglish } from './english_stemmer.ts';
import { deserializeOptions } from './ts_cache.ts';

/** The lexemes of a token; none: a stop word; null: not known here. */
export type Dictionary = (token: string) => string[] | null;

const MAX_STEMMED = 1000;
const NO_STOP: ReadonlySet<string> = new Set();
const dictionaries = new Map<Oid, Dictionary>();
const configurations = new Map<Oid, readonly (readonly Oid[])[]>();
registerCatalogCache(() => { dictionaries.clear(); configurations.clear(); });

export function dictionaryOf(oid: Oid): Dictionary {
  refreshCatalogs();
  let found = dictionaries.get(oid);
  if (found === undefined) dictionaries.set(oid, (found = makeDictionary(oid)));
  return found;
}

function stopWords(name: string | undefined): ReadonlySet<string> {
  if (name === undefined) return NO_STOP;
  if (name.toLowerCase() !== 'english') throw notSupported(`stop-word file "${name}"`);
  return ENGLISH_STOP;
}

function makeDictionary(oid: Oid): Dictionary {
  const row = sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, oid);
  if (row === undefined) throw new PgError('internal_error', `cache lookup failed for text search dictionary ${oid}`);
  const template = sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateOidIndexId, row.dicttemplate)!;
  const options = new Map(deserializeOptions(row.dictinitoption).map((o) => [o.name, o.value]));
  switch (sys.procByOid(template.tmpllexize)?.prosrc) {
    case 'dsimple_lexize': {
      const stop = stopWords(options.get('stopwords'));
      const accept = !['false', 'off', '0', 'no'].includes((options.get('accept') ?? 'true').toLowerCase());
      return (token) => {
        const word = token.toLowerCase();
        return word === '' || stop.has(word) ? [] : accept ? [word] : null;
      };
    }
    case 'dsnowball_lexize': {
      const language = options.get('language') ?? '';
      if (language.toLowerCase() !== 'english') throw notSupported(`stemming of ${language}`);
      const stop = stopWords(options.get('stopwords'));
      return (token) => {
        const word = token.toLowerCase();
        if (word.length > MAX_STEMMED) return [word];
        return word === '' || stop.has(word) ? [] : [stemEnglish(word)];
      };
    }
    default: throw notSupported(`text search template "${template.tmplname}"`);
  }
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

/** The lexemes of a token by the first dictionary that knows it; null: none does. */
export function lexize(config: Oid, type: number, token: string): string[] | null {
  for (const dict of mappingOf(config)[type] ?? []) {
    const lexemes = dictionaryOf(dict)(token);
    if (lexemes !== null) return lexemes;
  }
  return null;
}
