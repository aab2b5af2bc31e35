// Regular expressions: ~ and its kin, substring(), the regexp_* functions, SIMILAR TO. The language is translated by
// regexp_translate.ts; here is the matching, with a cache of compiled patterns.
import { PgError } from '../../common/errors.ts';
import { callInterruptibly, checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { makeArray, type ArrayValue } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { invalidParameter } from './errors.ts';
import { charIndex, unitOffset } from './characters.ts';
import { TEXTOID } from './oids.ts';
import { applyFlag, defaultFlags, regexError, translateRegex, type RegexFlags, type RegexInfo } from './regexp_translate.ts';

/** How much longer a match may be and still be looked for (see `longest`). */
const LONGEST_SEARCH_UNITS = 256;

/** Backtracking may take for ever where there are two choices or more, unless the text is very short; and long where it is long. */
const CHOICE = /(?<!\()[*+?{|]|\\[1-9]/g, SHORT_UNITS = 16, LONG_UNITS = 4096;


class Regex {
  readonly info: RegexInfo;
  /** Whether JavaScript's first match is the one PostgreSQL means, without further search. */
  readonly plain: boolean;
  private readonly quickUnits: number;
  /** V8 tries what looks around also between the halves of a surrogate pair: an empty match there is none. */
  private readonly looksAround: boolean;
  private readonly tester: RegExp;
  private readonly finder: RegExp;
  private exact: RegExp | undefined;
  private divider: RegExp | undefined;

  constructor(info: RegexInfo) {
    this.info = info;
    this.plain = info.source === info.inner && !(info.alternatives && info.greedy);
    this.quickUnits = (info.source.match(CHOICE)?.length ?? 0) > 1 ? SHORT_UNITS : LONG_UNITS;
    this.looksAround = /\(\?<?[=!]/.test(info.source);
    const flags = info.caseless ? 'iu' : 'u';
    try {
      this.tester = new RegExp(info.source, flags);
      this.finder = new RegExp(info.source, `${flags}gd`);
    } catch (error) {
      throw regexError((error as Error).message);
    }
  }

  test(text: string): boolean {
    if (this.looksAround && HIGH_SURROGATE.test(text)) return this.find(text, 0) !== null;
    return text.length <= this.quickUnits ? this.tester.test(text) : callInterruptibly(this.tester, TEST, text);
  }

  private exec(regex: RegExp, text: string): RegExpExecArray | null {
    return text.length <= this.quickUnits ? regex.exec(text) : callInterruptibly(regex, EXEC, text);
  }

  /** The next match that starts at or after a UTF-16 offset. */
  find(text: string, from: number): Match | null {
    const { finder, info } = this;
    finder.lastIndex = from;
    const found = this.exec(finder, text);
    if (found === null) return null;
    const start = found.index;
    if (this.looksAround && start > 0 && (text.codePointAt(start - 1) ?? 0) > 0xffff) return this.find(text, start + 1);
    let end = start + found[0].length;
    if (this.plain) return new Match(found);
    const flags = info.caseless ? 'iuyd' : 'uyd';
    if (info.alternatives && info.greedy && !info.looksAhead) end = this.longest(text, start, end, flags);
    if (end === start + found[0].length && info.source === info.inner) return new Match(found);
    // The groups by the quantifiers as written, within the bounds that are known now.
    this.divider ??= new RegExp(info.looksAhead ? info.inner : `(?:${info.inner})$`, flags);
    this.divider.lastIndex = start;
    const divided = this.exec(this.divider, info.looksAhead ? text : text.slice(0, end));
    return new Match(divided !== null && start + divided[0].length === end ? divided : found);
  }

  /** POSIX wants the longest match: tries the ends beyond the one that was found, the farthest first. */
  private longest(text: string, start: number, end: number, flags: string): number {
    this.exact ??= new RegExp(`(?:${this.info.source})$`, flags);
    for (let longer = Math.min(text.length, end + LONGEST_SEARCH_UNITS); longer > end; longer--) {
      this.exact.lastIndex = start;
      if (this.exec(this.exact, text.slice(0, longer)) !== null) return longer;
    }
    return end;
  }
}

const HIGH_SURROGATE = /[\ud800-\udbff]/;
const { test: TEST, exec: EXEC } = RegExp.prototype;

class Match {
  readonly start: number;
  readonly end: number;
  private readonly found: RegExpExecArray;

  constructor(found: RegExpExecArray) {
    this.found = found;
    this.start = found.index;
    this.end = found.index + found[0].length;
  }

  /** Group 0 is the whole match; null: took no part. */
  group(number: number): string | null {
    return this.found[number] ?? null;
  }

  range(number: number): [number, number] | undefined {
    return this.found.indices?.[number];
  }

  /** All groups; the whole match when there are none. */
  groups(): ArrayValue {
    const { found } = this;
    return makeArray(TEXTOID, found.length === 1 ? [found[0]] : Array.from({ length: found.length - 1 }, (_, i) => found[i + 1] ?? null));
  }
}

const cache = new Map<string, Regex>();
let lastKey: string | undefined;
let lastRegex: Regex | undefined;

function compile(pattern: string, flags: RegexFlags): Regex {
  const key = (flags.caseless ? 'i' : '') + (flags.newlineSensitive ? 's' : '') + (flags.newlineAnchors ? 'a' : '') +
    (flags.expanded ? 'x' : '') + (flags.literal ? 'q' : '') + (flags.basic ? 'b' : '') + (flags.extendedOnly ? 'e' : '') + '/' + pattern;
  if (key === lastKey) return lastRegex!;
  let regex = cache.get(key);
  if (regex === undefined) {
    regex = new Regex(translateRegex(pattern, flags));
    if (cache.size >= 256) cache.clear();
    cache.set(key, regex);
  }
  lastKey = key;
  lastRegex = regex;
  return regex;
}

const CASE_SENSITIVE = defaultFlags(false), CASELESS = defaultFlags(true);
let lastPattern: string | undefined, lastPlain: Regex | undefined;

function regexMatches(text: string, pattern: string): boolean {
  if (pattern !== lastPattern) {
    lastPlain = compile(pattern, CASE_SENSITIVE);
    lastPattern = pattern;
  }
  return lastPlain!.test(text);
}

const regexMatchesCaseless = (text: string, pattern: string): boolean => compile(pattern, CASELESS).test(text);

/** A test for one pattern with options not given as letters; errors of the pattern come at once. */
export function regexTester(pattern: string, options: Partial<RegexFlags>): (text: string) => boolean {
  const regex = compile(pattern, { ...CASE_SENSITIVE, ...options });
  return (text) => regex.test(text);
}

/** parse_re_flags. */
function parseFlags(options: string | undefined): RegexFlags {
  const flags = defaultFlags();
  for (const letter of options ?? '') {
    if (letter === 'g') flags.global = true;
    else if (!applyFlag(flags, letter)) throw invalidParameter(`invalid regular expression option: "${letter}"`);
  }
  return flags;
}

/** For functions that do not know the option g. */
function flagsWithoutGlobal(options: string | undefined, name: string, instead?: string): RegexFlags {
  const flags = parseFlags(options);
  if (flags.global) {
    throw new PgError('invalid_parameter_value', `${name}() does not support the "global" option`,
      instead === undefined ? {} : { hint: `Use the ${instead} function instead.` });
  }
  return flags;
}

/** All matches from an offset on. `skipDegenerate` leaves out empty ones at the end or right after another (splitting). */
function* allMatches(regex: Regex, text: string, from: number, skipDegenerate: boolean): Generator<Match> {
  let previousEnd = 0, looks = 0;
  for (let at = from; at <= text.length;) {
    const match = regex.find(text, at);
    if (match === null) return;
    if ((++looks & 63) === 0) checkForInterrupts();
    if (!skipDegenerate || (match.start < text.length && match.end > previousEnd)) yield match;
    previousEnd = match.end;
    at = match.end;
    if (match.start === match.end) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
}

function split(text: string, pattern: string, options: string | undefined, name: string): string[] {
  const regex = compile(pattern, flagsWithoutGlobal(options, name));
  const parts: string[] = [];
  let at = 0;
  for (const match of allMatches(regex, text, 0, true)) {
    parts.push(text.slice(at, match.start));
    at = match.end;
  }
  parts.push(text.slice(at));
  return parts;
}

/** The replacement text as parts: strings, and group numbers (0: "\&"). */
function parseReplacement(replacement: string): (string | number)[] {
  const parts: (string | number)[] = [];
  let at = 0;
  for (;;) {
    const escape = replacement.indexOf('\\', at);
    if (escape < 0 || escape === replacement.length - 1) {
      parts.push(replacement.slice(at));
      return parts;
    }
    const next = replacement[escape + 1]!;
    if (next === '&' || (next >= '1' && next <= '9')) {
      parts.push(replacement.slice(at, escape), next === '&' ? 0 : Number(next));
    } else {
      parts.push(replacement.slice(at, escape), next === '\\' ? '\\' : `\\${next}`);
    }
    at = escape + 2;
  }
}

/** Replaces match number `which` (0: all of them) from a character position on. */
function replace(text: string, pattern: string, replacement: string, flags: RegexFlags, start: number, which: number): string {
  const regex = compile(pattern, flags);
  if (start > 1 && start - 1 > charIndex(text, text.length)) return text;
  const parts = parseReplacement(replacement);
  let result = '';
  let at = 0, count = 0;
  for (const match of allMatches(regex, text, unitOffset(text, start - 1), false)) {
    if (which !== 0 && ++count < which) continue;
    result += text.slice(at, match.start);
    for (const part of parts) result += typeof part === 'string' ? part : match.group(part) ?? '';
    expectBytes(result.length);
    at = match.end;
    if (which !== 0) break;
  }
  return result + text.slice(at);
}

function replaceWithOptions(text: string, pattern: string, replacement: string, options: string): string {
  if (options !== '' && options[0]! >= '0' && options[0]! <= '9') {
    throw new PgError('invalid_parameter_value', `invalid regular expression option: "${options[0]}"`, {
      hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.',
    });
  }
  const flags = parseFlags(options);
  return replace(text, pattern, replacement, flags, 1, flags.global ? 0 : 1);
}

function checkParameter(name: string, value: number, low: number, high = 2147483647): void {
  if (value < low || value > high) throw invalidParameter(`invalid value for parameter "${name}": ${value}`);
}

function replaceExtended(text: string, pattern: string, replacement: string, start: number, which?: number, options?: string): string {
  checkParameter('start', start, 1);
  if (which !== undefined) checkParameter('n', which, 0);
  const flags = parseFlags(options);
  return replace(text, pattern, replacement, flags, start, which ?? (flags.global ? 0 : 1));
}

function count(text: string, pattern: string, start = 1, options?: string): number {
  checkParameter('start', start, 1);
  const regex = compile(pattern, flagsWithoutGlobal(options, 'regexp_count'));
  if (start - 1 > charIndex(text, text.length)) return 0;
  let matches = 0;
  for (const match of allMatches(regex, text, unitOffset(text, start - 1), false)) if (match.end >= 0) matches++;
  return matches;
}

/** Match number n from a character position on. */
function nth(text: string, regex: Regex, start: number, n: number): Match | undefined {
  if (start - 1 > charIndex(text, text.length)) return undefined;
  for (const match of allMatches(regex, text, unitOffset(text, start - 1), false)) if (--n === 0) return match;
  return undefined;
}

function instr(text: string, pattern: string, start = 1, n = 1, endOption = 0, options?: string, group = 0): number {
  checkParameter('start', start, 1);
  checkParameter('n', n, 1);
  checkParameter('endoption', endOption, 0, 1);
  checkParameter('subexpr', group, 0);
  const regex = compile(pattern, flagsWithoutGlobal(options, 'regexp_instr'));
  if (group > regex.info.groups) return 0;
  const range = nth(text, regex, start, n)?.range(group);
  return range === undefined ? 0 : charIndex(text, range[endOption]!) + 1;
}

function substr(text: string, pattern: string, start = 1, n = 1, options?: string, group = 0): string | null {
  checkParameter('start', start, 1);
  checkParameter('n', n, 1);
  checkParameter('subexpr', group, 0);
  const regex = compile(pattern, flagsWithoutGlobal(options, 'regexp_substr'));
  if (group > regex.info.groups) return null;
  return nth(text, regex, start, n)?.group(group) ?? null;
}

/** substring(text from pattern): the first group, or the whole match. */
function substring(text: string, pattern: string): string | null {
  const regex = compile(pattern, CASE_SENSITIVE);
  return regex.find(text, 0)?.group(regex.info.groups > 0 ? 1 : 0) ?? null;
}

function firstMatch(text: string, pattern: string, options?: string): ArrayValue | null {
  return compile(pattern, flagsWithoutGlobal(options, 'regexp_match', 'regexp_matches')).find(text, 0)?.groups() ?? null;
}

function* matches(text: string, pattern: string, options?: string): Generator<ArrayValue> {
  const flags = parseFlags(options);
  for (const match of allMatches(compile(pattern, flags), text, 0, false)) {
    yield match.groups();
    if (!flags.global) return;
  }
}

/** similar_escape_internal: a SIMILAR TO pattern as a regular expression. */
function similarToRegex(pattern: string, escape: string): string {
  if ([...escape].length > 1) {
    throw new PgError('invalid_escape_sequence', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
  }
  let result = '^(?:';
  let escaped = false, separators = 0;
  // How many brackets are open, and how far into the character class: past 2, a ] closes it.
  let brackets = 0, classPosition = 0;
  for (const char of pattern) {
    if (escaped) {
      if (char === '"' && brackets === 0) {
        if (separators === 0) result += '){1,1}?(';
        else if (separators === 1) result += '){1,1}(?:';
        else {
          throw new PgError('invalid_use_of_escape_character',
            'SQL regular expression may not contain more than two escape-double-quote separators');
        }
        separators++;
      } else {
        result += `\\${char}`;
        classPosition = 3;
      }
      escaped = false;
    } else if (char === escape) {
      escaped = true;
    } else if (brackets > 0) {
      if (char === '\\') result += '\\';
      result += char;
      if (char === ']' && classPosition > 2) brackets--;
      else if (char === '^') classPosition++;
      else {
        if (char === '[') brackets++;
        classPosition = 3;
      }
    } else if (char === '[') {
      result += char;
      brackets = 1;
      classPosition = 1;
    } else if (char === '%') {
      result += '.*';
    } else if (char === '_') {
      result += '.';
    } else if (char === '(') {
      result += '(?:';
    } else if (char === '\\' || char === '.' || char === '^' || char === '$') {
      result += `\\${char}`;
    } else {
      result += char;
    }
  }
  return `${result})$`;
}

const not = (test: (text: string, pattern: string) => boolean) => (text: string, pattern: string): boolean => !test(text, pattern);
const toArray = (parts: string[]): ArrayValue => makeArray(TEXTOID, parts);

registerBuiltins({
  pure: {
    textregexeq: regexMatches,
    textregexne: not(regexMatches),
    texticregexeq: regexMatchesCaseless,
    texticregexne: not(regexMatchesCaseless),
    nameregexeq: regexMatches,
    nameregexne: not(regexMatches),
    nameicregexeq: regexMatchesCaseless,
    nameicregexne: not(regexMatchesCaseless),
    textregexsubstr: substring,
    textregexreplace_noopt: (text: string, pattern: string, replacement: string) => replace(text, pattern, replacement, CASE_SENSITIVE, 1, 1),
    textregexreplace: replaceWithOptions,
    textregexreplace_extended: replaceExtended,
    textregexreplace_extended_no_flags: replaceExtended,
    textregexreplace_extended_no_n: replaceExtended,
    regexp_match: firstMatch,
    regexp_match_no_flags: firstMatch,
    regexp_like: (text: string, pattern: string, options: string) => compile(pattern, flagsWithoutGlobal(options, 'regexp_like')).test(text),
    regexp_like_no_flags: regexMatches,
    regexp_count: count,
    regexp_count_no_flags: count,
    regexp_count_no_start: count,
    regexp_instr: instr,
    regexp_instr_no_subexpr: instr,
    regexp_instr_no_flags: instr,
    regexp_instr_no_endoption: instr,
    regexp_instr_no_n: instr,
    regexp_instr_no_start: instr,
    regexp_substr: substr,
    regexp_substr_no_subexpr: substr,
    regexp_substr_no_flags: substr,
    regexp_substr_no_n: substr,
    regexp_substr_no_start: substr,
    regexp_split_to_array: (text: string, pattern: string, options: string) => toArray(split(text, pattern, options, 'regexp_split_to_array')),
    regexp_split_to_array_no_flags: (text: string, pattern: string) => toArray(split(text, pattern, undefined, 'regexp_split_to_array')),
    similar_to_escape_1: (pattern: string) => similarToRegex(pattern, '\\'),
    similar_to_escape_2: similarToRegex,
    similar_escape: (pattern: string | null, escape: string | null) =>
      pattern === null ? null : similarToRegex(pattern, escape ?? '\\'),
  },
  set: {
    regexp_matches: (_context: FunctionContext, text: string, pattern: string, options: string) => matches(text, pattern, options),
    regexp_matches_no_flags: (_context: FunctionContext, text: string, pattern: string) => matches(text, pattern),
    regexp_split_to_table: (_context: FunctionContext, text: string, pattern: string, options: string) =>
      split(text, pattern, options, 'regexp_split_to_table'),
    regexp_split_to_table_no_flags: (_context: FunctionContext, text: string, pattern: string) =>
      split(text, pattern, undefined, 'regexp_split_to_table'),
  },
});
