// Thesaurus dictionaries (PostgreSQL's dict_thesaurus.c): phrases that stand for others. It wants word after word as long as a
// phrase may go on.
import { PgError } from '../../common/errors.ts';
import { configFileError } from './config_files.ts';
import type { DictionaryLexeme } from './dictionaries.ts';

type Lexize = (word: string) => readonly DictionaryLexeme[] | null;

interface Rule { readonly sample: readonly (ReadonlySet<string> | null)[]; readonly result: readonly DictionaryLexeme[] }

/** How far phrases have come: the rules that fit still, the last of the file first: a match ends the search unless others stand before it. */
export interface ThesaurusState { readonly rules: readonly number[]; readonly position: number }
export interface ThesaurusStep { readonly lexemes: readonly DictionaryLexeme[] | null; readonly state: ThesaurusState | null }

export class Thesaurus {
  private readonly rules: Rule[] = [];
  private readonly lexize: Lexize;

  constructor(lines: readonly string[], lexize: Lexize) {
    this.lexize = lexize;
    for (const line of lines) {
      const text = line.trim();
      if (text === '' || text.startsWith('#')) continue;
      const colon = text.indexOf(':');
      const left = (colon < 0 ? text : text.slice(0, colon)).split(/\s+/).filter((w) => w !== ''), right = colon < 0 ? [] : text.slice(colon + 1).split(/\s+/).filter((w) => w !== '');
      if (colon >= 0 && left.length === 0) throw configFileError('unexpected delimiter');
      if (right.length === 0) throw configFileError('unexpected end of line');
      this.rules.push({ sample: left.map((w) => this.sampleWord(w)), result: this.substitute(right) });
    }
  }

  private get number(): number { return this.rules.length + 1; }

  private sampleWord(word: string): ReadonlySet<string> | null {
    if (word === '?') return null;
    const found = this.lexize(word);
    if (found === null) throw configFileError(`thesaurus sample word "${word}" isn't recognized by subdictionary (rule ${this.number})`);
    if (found.length === 0) {
      throw new PgError('config_file_error', `thesaurus sample word "${word}" is a stop word (rule ${this.number})`, { hint: 'Use "?" to represent a stop word within a sample phrase.' });
    }
    return new Set(found.map((l) => l.text));
  }

  private substitute(words: readonly string[]): DictionaryLexeme[] {
    const result: DictionaryLexeme[] = [];
    for (const word of words) {
      const found = word.startsWith('*') ? [{ text: word.slice(1), variant: 0, prefix: false, newPosition: false }] : this.lexize(word);
      if (found === null) throw configFileError(`thesaurus substitute word "${word}" isn't recognized by subdictionary (rule ${this.number})`);
      if (found.length === 0) throw configFileError(`thesaurus substitute word "${word}" is a stop word (rule ${this.number})`);
      found.forEach((l, i) => result.push({ ...l, newPosition: i === 0 && result.length > 0 }));
    }
    return result;
  }

  /** One word more. A state is there when more words are wanted. */
  step(word: string, state: ThesaurusState | null): ThesaurusStep {
    const position = state === null ? 0 : state.position + 1;
    const found = this.lexize(word);
    if (found === null) return { lexemes: null, state: null };
    const fits = (n: number): boolean => {
      const { sample } = this.rules[n]!;
      if (position >= sample.length) return false;
      const wanted = sample[position]!;
      return found.length === 0 ? wanted === null : wanted !== null && found.some((l) => wanted.has(l.text));
    };
    const rules = (state === null ? this.rules.map((_, n) => n).reverse() : state.rules).filter(fits);
    if (rules.length === 0) return { lexemes: null, state: null };
    const done = rules.findIndex((n) => this.rules[n]!.sample.length === position + 1);
    const next = { rules, position };
    if (done < 0) return { lexemes: null, state: next };
    return { lexemes: this.rules[rules[done]!]!.result, state: done < rules.length - 1 ? next : null };
  }
}
