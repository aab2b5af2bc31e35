// ts_headline: a part of a text that shows what a query is after (wparser_def.c, ts_parse.c of PostgreSQL).
import { PgError, notSupported } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { tsMatch, type QueryNode, type TsQuery } from '../types/tsquery.ts';
import { makeTsVector } from '../types/tsvector.ts';
import { lexize } from './dictionaries.ts';
import { parseText } from './parser.ts';
import * as T from './token_types.ts';
import { currentConfig } from './to_tsany.ts';

/** A token of the text. `lexemes`: those of it that the query mentions. */
interface Word { type: number; text: string; position: number; lexemes: string[] }

interface Options {
  maxWords: number; minWords: number; shortWord: number; maxFragments: number; highlightAll: boolean; startSel: string; stopSel: string; fragmentDelimiter: string;
}

const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);

function readOptions(text: string): Options {
  const o: Options = { maxWords: 35, minWords: 15, shortWord: 3, maxFragments: 0, highlightAll: false, startSel: '<b>', stopSel: '</b>', fragmentDelimiter: ' ... ' };
  for (const m of text.matchAll(/\s*([A-Za-z_]\w*)\s*=\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|([^,\s]*))\s*(?:,|$)/g)) {
    const value = m[2]?.replaceAll('""', '"') ?? m[3]?.replaceAll("''", "'") ?? m[4] ?? '';
    const number = (): number => {
      if (!/^\s*[+-]?\d+\s*$/.test(value)) throw new PgError('invalid_text_representation', `invalid input syntax for type integer: "${value}"`);
      return Number(value);
    };
    switch (m[1]!.toLowerCase()) {
      case 'maxwords': o.maxWords = number(); break;
      case 'minwords': o.minWords = number(); break;
      case 'shortword': o.shortWord = number(); break;
      case 'maxfragments': o.maxFragments = number(); break;
      case 'startsel': o.startSel = value; break;
      case 'stopsel': o.stopSel = value; break;
      case 'fragmentdelimiter': o.fragmentDelimiter = value; break;
      case 'highlightall': o.highlightAll = ['1', 'on', 'true', 't', 'y', 'yes'].includes(value.toLowerCase()); break;
      default: throw invalid(`unrecognized headline parameter: "${m[1]!}"`);
    }
  }
  if (!o.highlightAll) {
    if (o.minWords >= o.maxWords) throw invalid('MinWords should be less than MaxWords');
    if (o.minWords <= 0) throw invalid('MinWords should be positive');
    if (o.shortWord < 0) throw invalid('ShortWord should be >= 0');
    if (o.maxFragments < 0) throw invalid('MaxFragments should be >= 0');
  }
  return o;
}

/** The words of a query; what NOT stands before does not matter for what is shown. */
function* operands(node: QueryNode): Generator<QueryNode & { op: 'value' }> {
  if (node.op === 'value') yield node;
  else if (node.op === '!') yield* operands(node.arg);
  else { yield* operands(node.left); yield* operands(node.right); }
}

function wordsOf(config: Oid, text: string, wanted: readonly (QueryNode & { op: 'value' })[]): Word[] {
  let position = 0;
  return parseText(text).map(({ type, text: token }) => {
    const lexemes = lexize(config, type, token);
    if (lexemes !== null) position++;
    return { type, text: token, position, lexemes: (lexemes ?? []).filter((l) => wanted.some((w) => (w.prefix ? l.startsWith(w.text) : l === w.text))) };
  });
}

/** Parts of words that are there as a whole, too. */
const isSkipped = (type: number): boolean => type === T.URL_T || type === T.NUMHWORD || type === T.ASCIIHWORD || type === T.HWORD;
const isWord = (type: number): boolean => type !== T.SPACE && type !== T.TAG && !isSkipped(type);
const NO_END = new Set([T.SCIENTIFIC, T.VERSION, T.DECIMAL, T.SIGNEDINT, T.UNSIGNEDINT]);

class Headline {
  private readonly words: readonly Word[];
  private readonly query: TsQuery;
  private readonly o: Options;

  constructor(words: readonly Word[], query: TsQuery, o: Options) {
    this.words = words;
    this.query = query;
    this.o = o;
  }

  private isHit(i: number): boolean { return this.words[i]!.lexemes.length > 0; }
  private isBadEnd(i: number): boolean {
    const { type, text } = this.words[i]!;
    return (!isWord(type) || NO_END.has(type) || Buffer.byteLength(text) <= this.o.shortWord) && !this.isHit(i);
  }
  private nextHit(from: number): number {
    for (let i = from; i < this.words.length; i++) if (this.isHit(i)) return i;
    return -1;
  }
  private matches(from: number, to: number): boolean {
    const list = [];
    for (let i = from; i <= to; i++) for (const text of this.words[i]!.lexemes) list.push({ text, positions: [{ at: this.words[i]!.position, weight: 0 }] });
    return tsMatch(makeTsVector(list), this.query);
  }

  /** The first and shortest run of words from `start` on that satisfies the query (hlCover). */
  private cover(start: number, maxCover: number): [number, number] | null {
    for (let first = this.nextHit(start); first >= 0; first = this.nextHit(first + 1)) {
      for (let last = first; last >= 0 && last - first < maxCover; last = this.nextHit(last + 1)) if (this.matches(first, last)) return [first, last];
    }
    return null;
  }

  /** The words to be shown (mark_hl_words). */
  best(): [number, number] {
    const { words, o } = this;
    if (o.highlightAll) return [0, words.length - 1];
    let best = { from: -1, to: -1, hits: -1, covers: false };
    for (let found = this.cover(0, Math.max(o.maxWords * 10, 100)); found !== null; found = this.cover(found[0] + 1, Math.max(o.maxWords * 10, 100))) {
      const candidate = this.around(found[0], found[1]);
      const better = candidate.covers !== best.covers ? candidate.covers
        : candidate.hits > best.hits || (candidate.hits === best.hits && !this.isBadEnd(candidate.to) && this.isBadEnd(best.to));
      if (better) best = candidate;
    }
    if (best.hits >= 0) return [best.from, best.to];
    let count = 0, to = 0;
    for (let i = 0; i < words.length && count < o.minWords; i++) {
      if (isWord(words[i]!.type)) count++;
      to = i;
    }
    return [0, to];
  }

  private around(p: number, q: number): { from: number; to: number; hits: number; covers: boolean } {
    const { words, o } = this;
    let count = 0, hits = 0, from = p, to = p, i = p;
    const add = (n: number, by: 1 | -1): void => {
      if (isWord(words[n]!.type)) count += by;
      if (this.isHit(n)) hits += by;
    };
    for (; i <= q && count < o.maxWords; i++) {
      add(i, 1);
      to = i;
    }
    if (count < o.maxWords) {
      for (i--; i < words.length && count < o.maxWords; i++) {
        if (i > q) add(i, 1);
        to = i;
        if (!this.isBadEnd(i) && count >= o.minWords) break;
      }
      if (count < o.minWords) {
        for (i = p - 1; i >= 0; i--) {
          add(i, 1);
          if (count >= o.maxWords) break;
          if (!this.isBadEnd(i) && count >= o.minWords) break;
        }
        from = Math.max(i, 0);
      }
    } else {
      if (i > q) i = q;
      for (; count > o.minWords && this.isBadEnd(i); i--) {
        add(i, -1);
        to = i - 1;
      }
    }
    return { from, to, hits, covers: from <= p && to >= q };
  }

  text([from, to]: [number, number]): string {
    const { words, o } = this;
    let out = '';
    for (let i = from; i <= to; i++) {
      const { type, text } = words[i]!;
      if (!o.highlightAll && type === T.TAG) out += ' ';
      else if (!isSkipped(type)) out += this.isHit(i) ? `${o.startSel}${text}${o.stopSel}` : text;
    }
    return out;
  }
}

/** What ts_headline makes of one text after another. */
export function headlineMaker(config: Oid, query: TsQuery, options: string): (text: string) => string {
  const o = readOptions(options);
  if (o.maxFragments > 0 && !o.highlightAll) throw notSupported('MaxFragments of ts_headline');
  const wanted = query.root === null ? [] : [...operands(query.root)];
  return (text) => {
    const words = wordsOf(config, text, wanted);
    if (words.length === 0) return '';
    const headline = new Headline(words, query, o);
    return headline.text(headline.best());
  };
}

const headline = (config: Oid, text: string, query: TsQuery, options = ''): string => headlineMaker(config, query, options)(text);
registerBuiltins({
  pure: {
    ts_headline: (text: string, query: TsQuery) => headline(currentConfig(), text, query), ts_headline_byid: headline, ts_headline_byid_opt: headline,
    ts_headline_opt: (text: string, query: TsQuery, options: string) => headline(currentConfig(), text, query, options),
  },
});
