// ts_headline: a part of a text that shows what a query is after (wparser_def.c, ts_parse.c of PostgreSQL).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { int4In } from '../types/int.ts';
import { tsMatch, TsQuery, type QueryNode } from '../types/tsquery.ts';
import { makeTsVector } from '../types/tsvector.ts';
import { lexizeAll } from './dictionaries.ts';
import { parseText } from './parser.ts';
import { deserializeOptions } from './ts_cache.ts';
import * as T from './token_types.ts';
import { configOf, currentConfig } from './to_tsany.ts';

/** A token of the text. `lexemes`: those of it that the query mentions. */
interface Word { type: number; text: string; position: number; lexemes: string[] }

interface Options {
  maxWords: number; minWords: number; shortWord: number; maxFragments: number; highlightAll: boolean; startSel: string; stopSel: string; fragmentDelimiter: string;
}

interface Fragment { from: number; to: number; length: number; hits: number }

const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);

function readOptions(text: string): Options {
  const o: Options = { maxWords: 35, minWords: 15, shortWord: 3, maxFragments: 0, highlightAll: false, startSel: '<b>', stopSel: '</b>', fragmentDelimiter: ' ... ' };
  for (const { name, value } of deserializeOptions(text)) {
    switch (name.toLowerCase()) {
      case 'maxwords': o.maxWords = int4In(value); break;
      case 'minwords': o.minWords = int4In(value); break;
      case 'shortword': o.shortWord = int4In(value); break;
      case 'maxfragments': o.maxFragments = int4In(value); break;
      case 'startsel': o.startSel = value; break;
      case 'stopsel': o.stopSel = value; break;
      case 'fragmentdelimiter': o.fragmentDelimiter = value; break;
      case 'highlightall': o.highlightAll = ['1', 'on', 'true', 't', 'y', 'yes'].includes(value.toLowerCase()); break;
      default: throw invalid(`unrecognized headline parameter: "${name}"`);
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
  const tokens = parseText(text), words: Word[] = [];
  for (const { first, count, lexemes } of lexizeAll(config, tokens)) {
    if (lexemes !== null) position++;
    const hits = (lexemes ?? []).map((l) => l.text).filter((l) => wanted.some((w) => (w.prefix ? l.startsWith(w.text) : l === w.text)));
    for (let i = first; i < first + count; i++) words.push({ type: tokens[i]!.type, text: tokens[i]!.text, position, lexemes: hits });
  }
  return words;
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
    return tsMatch(makeTsVector(list, Infinity), this.query);
  }

  /** Runs of words that satisfy the query: from each word of it on the first and shortest (hlCover). */
  private* covers(): Generator<[number, number]> {
    const longest = Math.max(this.o.maxWords * 10, 100) * Math.max(this.o.maxFragments, 1);
    for (let first = this.nextHit(0); first >= 0; first = this.nextHit(first + 1)) {
      for (let last = first; last >= 0 && last - first < longest; last = this.nextHit(last + 1)) if (this.matches(first, last)) {
        yield [first, last];
        break;
      }
    }
  }

  /** The words to be shown (mark_hl_words). */
  best(): [number, number] {
    const { words, o } = this;
    if (o.highlightAll) return [0, words.length - 1];
    let best = { from: -1, to: -1, hits: -1, covers: false };
    for (const [first, last] of this.covers()) {
      const candidate = this.around(first, last);
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

  /** A cover cut into parts of no more than MaxWords words that begin and end with words of the query. */
  private parts([first, last]: [number, number]): Fragment[] {
    const list: Fragment[] = [];
    for (let from = first; from <= last;) {
      let length = 0, hits = 0, to = last, i = from;
      while (i < last && !this.isHit(i)) i++;
      from = i;
      for (; i <= last && length < this.o.maxWords; i++) {
        if (isWord(this.words[i]!.type)) length++;
        if (this.isHit(i)) hits++;
      }
      if (last > i) for (to = i; to > from && !this.isHit(to); to--) if (isWord(this.words[to]!.type)) length--;
      list.push({ from, to, length, hits });
      from = to + 1;
    }
    return list;
  }

  /** The words of the best fragments (mark_hl_fragments). */
  fragments(): boolean[] {
    const { words, o } = this, shown: boolean[] = Array(words.length).fill(false);
    let covers = [...this.covers()].flatMap((found) => this.parts(found));
    let count = 0;
    for (; count < o.maxFragments && covers.length > 0; count++) {
      let best = covers[0]!;
      for (const c of covers) if (c.hits > best.hits || (c.hits === best.hits && c.length < best.length)) best = c;
      const { from, to } = this.stretched(best, shown);
      shown.fill(true, from, to + 1);
      covers = covers.filter((c) => c !== best && (c.to < from || c.from > to));
    }
    if (count === 0) for (let i = 0; i < words.length && count < o.minWords; i++) {
      if (isWord(words[i]!.type)) count++;
      shown[i] = true;
    }
    return shown;
  }

  /** As many words on both sides as there is room for. */
  private stretched({ from, to, length }: Fragment, shown: readonly boolean[]): { from: number; to: number } {
    const { words, o } = this;
    if (length >= o.maxWords) return { from, to };
    const most = Math.floor((o.maxWords - length) / 2);
    let count = length, edge = from, stretch = 0, i: number;
    for (i = from - 1; i >= 0 && stretch < most && !shown[i]; edge = i--) if (isWord(words[i]!.type)) { count++; stretch++; }
    for (i = edge; i < from && this.isBadEnd(i); i++) if (isWord(words[i]!.type)) count--;
    const start = i;
    edge = to;
    for (i = to + 1; i < words.length && count < o.maxWords && !shown[i]; edge = i++) if (isWord(words[i]!.type)) count++;
    for (i = edge; i > to && this.isBadEnd(i); i--);
    return { from: start, to: i };
  }

  text(shown: readonly boolean[]): string {
    const { words, o } = this;
    let out = '', count = 0;
    for (let i = 0; i < words.length; i++) {
      if (!shown[i]) continue;
      if (!(i > 0 && shown[i - 1]) && ++count > 1) out += o.fragmentDelimiter;
      const { type, text } = words[i]!;
      if (!o.highlightAll && type === T.TAG) out += ' ';
      else if (!isSkipped(type)) out += this.isHit(i) ? `${o.startSel}${text}${o.stopSel}` : text;
    }
    return out;
  }
}

/** What ts_headline makes of one text after another. */
export function headlineMaker(config: Oid, query: TsQuery, options: string): (text: string) => string {
  configOf(config);
  const o = readOptions(options);
  const root = query.root && anyWeight(query.root);
  const wanted = root === null ? [] : [...operands(root)];
  return (text) => {
    const words = wordsOf(config, text, wanted);
    if (words.length === 0) return '';
    const headline = new Headline(words, new TsQuery(root), o);
    if (o.maxFragments > 0 && !o.highlightAll) return headline.text(headline.fragments());
    const [from, to] = headline.best();
    return headline.text(words.map((_, i) => i >= from && i <= to));
  };
}

/** What a word weighs is not known here. */
function anyWeight(node: QueryNode): QueryNode {
  if (node.op === 'value') return { ...node, weights: 0 };
  return node.op === '!' ? { ...node, arg: anyWeight(node.arg) } : { ...node, left: anyWeight(node.left), right: anyWeight(node.right) };
}

const headline = (config: Oid, text: string, query: TsQuery, options = ''): string => headlineMaker(config, query, options)(text);
registerBuiltins({
  pure: {
    ts_headline: (text: string, query: TsQuery) => headline(currentConfig(), text, query), ts_headline_byid: headline, ts_headline_byid_opt: headline,
    ts_headline_opt: (text: string, query: TsQuery, options: string) => headline(currentConfig(), text, query, options),
  },
});
