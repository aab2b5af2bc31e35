// PostgreSQL's regular expressions (AREs) in JavaScript's notation. What is said differently is translated: classes,
// escapes, newline modes, expanded syntax, bounds, the options in front. What cannot be said:
//   - A POSIX match is the longest of those that start leftmost; JavaScript takes the first that its alternatives and
//     quantifiers come to. `RegexInfo` says where that can matter, and regexp.ts looks for the right end there.
//   - An ARE as a whole is greedy or not, by its first quantifier; JavaScript decides for each quantifier. `source` has all
//     quantifiers turned to the preference of the whole, `inner` leaves them as written, to divide a found match.
//   - Equivalence classes [[=a=]] are the character itself; collating elements are single characters.
// Basic regular expressions (option b) are refused.
import { PgError, notSupported } from '../../common/errors.ts';

export interface RegexInfo {
  /** For JavaScript, with flag u (and i). */
  readonly source: string;
  /** As `source`, with the quantifiers as written; equal to it when nothing is mixed. */
  readonly inner: string;
  readonly groups: number;
  readonly caseless: boolean;
  readonly greedy: boolean;
  /** Alternatives: the first that matches need not be the longest. */
  readonly alternatives: boolean;
  /** Looks at text beyond the match: the end of a match cannot be tried by cutting the text. */
  readonly looksAhead: boolean;
}

export interface RegexFlags {
  caseless: boolean;
  /** `.` and [^...] do not match a newline. */
  newlineSensitive: boolean;
  /** ^ and $ match at line ends too. */
  newlineAnchors: boolean;
  expanded: boolean;
  literal: boolean;
  basic: boolean;
  /** Only the functions that take it look at it. */
  global: boolean;
  extendedOnly: boolean;
}

export function defaultFlags(caseless = false): RegexFlags {
  return {
    caseless, newlineSensitive: false, newlineAnchors: false, expanded: false, literal: false, basic: false, global: false,
    extendedOnly: false,
  };
}

/** One option letter, as in the flags argument and in "(?...)". False: there is no such option. */
export function applyFlag(flags: RegexFlags, letter: string): boolean {
  switch (letter) {
    case 'b': flags.basic = true; flags.literal = false; return true;
    case 'c': flags.caseless = false; return true;
    case 'e': flags.extendedOnly = true; flags.basic = false; flags.literal = false; return true;
    case 'i': flags.caseless = true; return true;
    case 'm': case 'n': flags.newlineSensitive = true; flags.newlineAnchors = true; return true;
    case 'p': flags.newlineSensitive = true; flags.newlineAnchors = false; return true;
    case 'q': flags.literal = true; flags.basic = false; return true;
    case 's': flags.newlineSensitive = false; flags.newlineAnchors = false; return true;
    case 't': flags.expanded = false; return true;
    case 'w': flags.newlineSensitive = false; flags.newlineAnchors = true; return true;
    case 'x': flags.expanded = true; return true;
    default: return false;
  }
}

export function regexError(message: string): PgError {
  return new PgError('invalid_regular_expression', `invalid regular expression: ${message}`);
}

const WORD = '\\p{L}\\p{N}\\p{M}_';
const CLASSES: Record<string, string> = {
  alpha: '\\p{L}\\p{Nl}\\p{Mc}\\p{Mn}', upper: '\\p{Lu}', lower: '\\p{Ll}', digit: '\\p{Nd}', alnum: '\\p{L}\\p{N}\\p{M}', word: WORD,
  space: '\\s', blank: '\\t\\p{Zs}', punct: '\\p{P}\\p{S}', cntrl: '\\p{Cc}', xdigit: '0-9A-Fa-f',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}', print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}', ascii: '\\0-\\x7f',
};
const SIMPLE_ESCAPES: Record<string, number> = { a: 7, b: 8, B: 92, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 };

function quoteChar(code: number): string {
  const char = String.fromCodePoint(code);
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function quoteInClass(code: number): string {
  const char = String.fromCodePoint(code);
  return /[\\^\]\-[]/.test(char) ? `\\${char}` : char;
}

/** A quantifier's place in the output is left open until the preference of the whole is known. */
type Piece = string | { readonly quantifier: string; readonly lazy: boolean };

/** Whether a group's content may match the empty string; said of any with assertions, too. */
function matchesEmpty(pieces: readonly Piece[]): boolean {
  const source = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.quantifier)).join('');
  if (/\(\?(?!:)|\\[1-9]|(?<!\\)[$^](?!\])/.test(source)) return true;
  return new RegExp(`^(?:${source})$`, 'u').test('');
}

class Translator {
  private readonly text: string;
  private readonly flags: RegexFlags;
  private at = 0;
  private groups = 0;
  private readonly openGroups = new Set<number>();
  /** Groups that match some text if they match; kept where a reference to one may come before it has matched. */
  private readonly nonEmpty = new Set<number>();
  private readonly mayBeUnset: boolean;
  private alternatives = false;
  private looksAhead = false;
  private lookbehind = 0;

  constructor(text: string, flags: RegexFlags) {
    this.text = text;
    this.flags = flags;
    this.mayBeUnset = /\\[1-9]/.test(text) && /[|*?]|\{0/.test(text);
  }

  translate(): RegexInfo {
    const out: Piece[] = [];
    const lazy = this.alternation(out, 0);
    if (this.at < this.text.length) throw regexError('parentheses () not balanced');
    const render = (force: boolean | undefined): string =>
      out.map((piece) => (typeof piece === 'string' ? piece : piece.quantifier + ((force ?? piece.lazy) ? '?' : ''))).join('');
    const greedy = lazy !== true;
    return {
      source: render(!greedy), inner: render(undefined), groups: this.groups, caseless: this.flags.caseless, greedy,
      alternatives: this.alternatives, looksAhead: this.looksAhead,
    };
  }

  /** Branches between "|", up to ")" or the end. The result: lazy, greedy, or (undefined) without preference. */
  private alternation(out: Piece[], depth: number): boolean | undefined {
    if (depth > 500) throw regexError('regular expression is too complex');
    let lazy = this.branch(out, depth);
    while (this.text[this.at] === '|') {
      this.at++;
      out.push('|');
      this.branch(out, depth);
      this.alternatives = true;
      lazy = false;
    }
    return lazy;
  }

  private skipExpanded(): void {
    if (!this.flags.expanded) {
      while (this.text.startsWith('(?#', this.at)) this.skipComment();
      return;
    }
    for (;;) {
      const char = this.text[this.at];
      if (char !== undefined && /\s/.test(char)) this.at++;
      else if (char === '#') {
        const end = this.text.indexOf('\n', this.at);
        this.at = end < 0 ? this.text.length : end + 1;
      } else if (this.text.startsWith('(?#', this.at)) this.skipComment();
      else return;
    }
  }

  private skipComment(): void {
    const end = this.text.indexOf(')', this.at);
    this.at = end < 0 ? this.text.length : end + 1;
  }

  private branch(out: Piece[], depth: number): boolean | undefined {
    let preference: boolean | undefined;
    for (;;) {
      this.skipExpanded();
      const char = this.text[this.at];
      if (char === undefined || char === '|') return preference;
      if (char === ')') {
        if (depth > 0) return preference;
        throw regexError('parentheses () not balanced');
      }
      const start = out.length;
      const atom = this.atom(out, depth);
      this.skipExpanded();
      const quantifier = this.quantifier();
      if (quantifier === undefined) {
        preference ??= atom.lazy;
        continue;
      }
      if (!atom.quantifiable) throw regexError('quantifier operand invalid');
      // {1,1} exists to set the preference of what it stands behind.
      if (quantifier.text === '{1,1}' || quantifier.text === '{1}') {
        for (let i = start; i < out.length; i++) {
          const piece = out[i]!;
          if (typeof piece !== 'string') out[i] = { quantifier: piece.quantifier, lazy: quantifier.lazy };
        }
      } else if (quantifier.text === '?' && !quantifier.lazy && out[start] === '(' && out.some((piece, i) => i > start && typeof piece !== 'string' && /^[*?]|^\{0/.test(piece.quantifier))) {
        // A group that is there matches, if only nothing; JavaScript's ? takes a group that matches nothing for none.
        out[start] = '(?:(';
        out.push('|)');
      } else {
        out.push({ quantifier: quantifier.text, lazy: quantifier.lazy });
      }
      preference ??= quantifier.lazy;
      this.skipExpanded();
      if (/[*+?]/.test(this.text[this.at] ?? '')) throw regexError('quantifier operand invalid');
    }
  }

  private quantifier(): { text: string; lazy: boolean } | undefined {
    const char = this.text[this.at];
    let text: string;
    if (char === '*' || char === '+' || char === '?') {
      text = char;
      this.at++;
    } else if (char === '{' && /[0-9]/.test(this.text[this.at + 1] ?? '')) {
      const match = /^\{(\d+)(,(\d*))?\}/.exec(this.text.slice(this.at));
      if (match === null) throw regexError(/^\{\d+(,\d*)?$/.test(this.text.slice(this.at)) ? 'braces {} not balanced' : 'invalid repetition count(s)');
      const low = Number(match[1]), high = match[3] ? Number(match[3]) : low;
      if (low > 255 || high > 255 || high < low) throw regexError('invalid repetition count(s)');
      text = match[0];
      this.at += text.length;
    } else {
      return undefined;
    }
    const lazy = this.text[this.at] === '?' && !this.flags.extendedOnly;
    if (lazy) this.at++;
    return { text, lazy };
  }

  private atom(out: Piece[], depth: number): { quantifiable: boolean; lazy?: boolean | undefined } {
    const char = String.fromCodePoint(this.text.codePointAt(this.at)!);
    const { newlineSensitive, newlineAnchors } = this.flags;
    switch (char) {
      case '(': return this.group(out, depth);
      case '[': return this.bracket(out);
      case '\\': return this.escape(out);
      case '.':
        this.at++;
        out.push(newlineSensitive ? '[^\\n]' : '[^]');
        return { quantifiable: true };
      case '^':
        this.at++;
        out.push(newlineAnchors ? '(?:^|(?<=\\n))' : '^');
        return { quantifiable: false };
      case '$':
        this.at++;
        this.looksAhead = true;
        out.push(newlineAnchors ? '(?:$|(?=\\n))' : '$');
        return { quantifiable: false };
      case '*': case '+': case '?':
        throw regexError('quantifier operand invalid');
      case '{':
        if (/[0-9]/.test(this.text[this.at + 1] ?? '')) throw regexError('quantifier operand invalid');
        break;
      default:
    }
    this.at += char.length;
    out.push(quoteChar(char.codePointAt(0)!));
    return { quantifiable: true };
  }

  private group(out: Piece[], depth: number): { quantifiable: boolean; lazy?: boolean | undefined } {
    const { text } = this;
    let opening = '(', look = false, behind = false;
    this.at++;
    if (text[this.at] === '?') {
      const kind = /^\?(?:<[=!]|[:=!])/.exec(text.slice(this.at, this.at + 3))?.[0];
      if (kind === undefined) throw regexError('quantifier operand invalid');
      this.at += kind.length;
      opening = `(${kind}`;
      look = kind !== '?:';
      behind = kind.startsWith('?<');
      if (look && !behind) this.looksAhead = true;
    }
    // Inside a lookaround nothing is captured.
    const capturing = opening === '(' && this.lookbehind === 0;
    if (opening === '(' && !capturing) opening = '(?:';
    const number = capturing ? ++this.groups : 0;
    if (capturing) this.openGroups.add(number);
    const from = out.push(opening);
    if (look) this.lookbehind++;
    const lazy = this.alternation(out, depth + 1);
    if (look) this.lookbehind--;
    if (text[this.at] !== ')') throw regexError('parentheses () not balanced');
    this.at++;
    if (capturing) this.openGroups.delete(number);
    if (capturing && this.mayBeUnset && !matchesEmpty(out.slice(from))) this.nonEmpty.add(number);
    out.push(')');
    return look ? { quantifiable: false } : { quantifiable: true, lazy };
  }

  private readHex(count: number): number {
    const digits = this.text.slice(this.at, this.at + count);
    if (digits.length < count || !/^[0-9a-f]+$/i.test(digits)) throw regexError('invalid escape \\ sequence');
    this.at += count;
    return parseInt(digits, 16);
  }

  /** The character that an escape stands for, or undefined (nothing consumed but the letter) when it is no character. */
  private charEscape(letter: string): number | undefined {
    if (Object.hasOwn(SIMPLE_ESCAPES, letter)) return SIMPLE_ESCAPES[letter];
    switch (letter) {
      case 'c': {
        const control = this.text.codePointAt(this.at);
        if (control === undefined) throw regexError('invalid escape \\ sequence');
        this.at++;
        return control & 0x1f;
      }
      case 'u': return this.readHex(4);
      case 'U': {
        const code = this.readHex(8);
        if (code > 0x10ffff) throw regexError('invalid escape \\ sequence');
        return code;
      }
      case 'x': {
        const digits = /^[0-9a-f]+/i.exec(this.text.slice(this.at))?.[0];
        if (digits === undefined) throw regexError('invalid escape \\ sequence');
        this.at += digits.length;
        const code = parseInt(digits, 16);
        if (code > 0x10ffff) throw regexError('invalid escape \\ sequence');
        return code;
      }
      case '0': {
        const digits = /^[0-7]{0,2}/.exec(this.text.slice(this.at))![0];
        this.at += digits.length;
        return parseInt(`0${digits}`, 8);
      }
      default:
        return /[0-9A-Za-z]/.test(letter) ? undefined : letter.codePointAt(0)!;
    }
  }

  private escape(out: Piece[]): { quantifiable: boolean } {
    const { text } = this;
    this.at++;
    if (this.at >= text.length) throw regexError('invalid escape \\ sequence');
    const letter = String.fromCodePoint(text.codePointAt(this.at)!);
    this.at += letter.length;
    if (this.flags.extendedOnly) {
      out.push(quoteChar(letter.codePointAt(0)!));
      return { quantifiable: true };
    }
    const constraint = (source: string): { quantifiable: boolean } => {
      this.looksAhead = true;
      out.push(source);
      return { quantifiable: false };
    };
    const set = (source: string): { quantifiable: boolean } => {
      out.push(source);
      return { quantifiable: true };
    };
    const before = `(?<=[${WORD}])`, notBefore = `(?<![${WORD}])`, after = `(?=[${WORD}])`, notAfter = `(?![${WORD}])`;
    switch (letter) {
      case 'd': return set('\\p{Nd}');
      case 's': return set('\\s');
      case 'w': return set(`[${WORD}]`);
      case 'D': return set(this.flags.newlineSensitive ? '[^\\p{Nd}\\n]' : '\\P{Nd}');
      case 'S': return set('\\S');
      case 'W': return set(this.flags.newlineSensitive ? `[^${WORD}\\n]` : `[^${WORD}]`);
      case 'A': return constraint('^');
      case 'Z': return constraint('$');
      case 'm': return constraint(notBefore + after);
      case 'M': return constraint(before + notAfter);
      case 'y': return constraint(`(?:${notBefore}${after}|${before}${notAfter})`);
      case 'Y': return constraint(`(?:${before}${after}|${notBefore}${notAfter})`);
      default:
    }
    if (/[1-9]/.test(letter)) {
      const digits = /^\d*/.exec(text.slice(this.at))![0];
      const many = Number(letter + digits);
      if (digits === '' || many <= this.groups) {
        if (many > this.groups || this.openGroups.has(many) || this.lookbehind > 0) throw regexError('invalid backreference number');
        this.at += digits.length;
        // A group that has not matched is matched by nothing; in JavaScript by the empty string, as at the end of the text no other is.
        out.push(this.nonEmpty.has(many) ? `(?:(?![^]*$\\${many})\\${many})` : `(?:\\${many})`);
        return { quantifiable: true };
      }
      // Not a back reference: octal, as far as it goes.
      const octal = /^[0-7]{1,3}/.exec(letter + digits)?.[0];
      if (octal === undefined) throw regexError('invalid backreference number');
      this.at += octal.length - 1;
      out.push(quoteChar(parseInt(octal, 8)));
      return { quantifiable: true };
    }
    const code = this.charEscape(letter);
    if (code === undefined) throw regexError('invalid escape \\ sequence');
    out.push(quoteChar(code));
    return { quantifiable: true };
  }

  private bracket(out: Piece[]): { quantifiable: boolean } {
    const { text } = this;
    if (text.startsWith('[[:<:]]', this.at) || text.startsWith('[[:>:]]', this.at)) {
      out.push(text[this.at + 3] === '<' ? `(?<![${WORD}])(?=[${WORD}])` : `(?<=[${WORD}])(?![${WORD}])`);
      this.looksAhead = true;
      this.at += 7;
      return { quantifiable: false };
    }
    this.at++;
    const negated = text[this.at] === '^';
    if (negated) this.at++;
    let set = '';
    let first = true;
    /** Of \D, \S, \W: what each is not. */
    const others: string[] = [];
    for (;;) {
      if (this.at >= text.length) throw regexError('brackets [] not balanced');
      if (text[this.at] === ']' && !first) break;
      first = false;
      const low = this.bracketItem();
      if (typeof low !== 'number') {
        if (typeof low === 'string') set += low;
        else others.push(low.not);
        if (text[this.at] === '-' && text[this.at + 1] !== ']') throw regexError('invalid character range');
        continue;
      }
      if (text[this.at] === '-' && text[this.at + 1] !== ']' && this.at + 1 < text.length) {
        this.at++;
        const high = this.bracketItem();
        if (typeof high !== 'number' || high < low) throw regexError('invalid character range');
        set += `${quoteInClass(low)}-${quoteInClass(high)}`;
      } else {
        set += quoteInClass(low);
      }
    }
    this.at++;
    const newline = this.flags.newlineSensitive ? '\\n' : '';
    if (others.length === 0) out.push(negated ? `[^${set}${newline}]` : `[${set}]`);
    else if (negated) out.push(`(?:${others.map((o) => `(?=[${o}])`).join('')}[^${set}${newline}])`);
    else out.push(`(?:[${set}]|${others.map((o) => `[^${o}]`).join('|')})`);
    return { quantifiable: true };
  }

  /** A character's code, the source of a class, or of what is none of it. */
  private bracketItem(): number | string | { not: string } {
    const { text } = this;
    const char = String.fromCodePoint(text.codePointAt(this.at)!);
    const special = /^\[([:.=])/.exec(text.slice(this.at, this.at + 2))?.[1];
    if (special !== undefined) {
      const end = text.indexOf(`${special}]`, this.at + 2);
      if (end < 0) throw regexError('brackets [] not balanced');
      const name = text.slice(this.at + 2, end);
      this.at = end + 2;
      if (special === ':') {
        if (!Object.hasOwn(CLASSES, name)) throw regexError('invalid character class');
        // Without regard to case, upper and lower are any letter of either case.
        if (this.flags.caseless && (name === 'upper' || name === 'lower')) return CLASSES['alpha']!;
        return CLASSES[name]!;
      }
      if ([...name].length !== 1) throw regexError('invalid collating element');
      return name.codePointAt(0)!;
    }
    this.at += char.length;
    if (char !== '\\' || this.flags.extendedOnly) return char.codePointAt(0)!;
    if (this.at >= text.length) throw regexError('invalid escape \\ sequence');
    const letter = String.fromCodePoint(text.codePointAt(this.at)!);
    this.at += letter.length;
    if (letter === 'd') return CLASSES['digit']!;
    if (letter === 's') return CLASSES['space']!;
    if (letter === 'w') return WORD;
    if (letter === 'D') return { not: CLASSES['digit']! };
    if (letter === 'S') return { not: CLASSES['space']! };
    if (letter === 'W') return { not: WORD };
    const code = this.charEscape(letter);
    if (code === undefined) throw regexError('invalid escape \\ sequence');
    return code;
  }
}

/** Reads "***:", "***=" and "(?flags)" in front, then translates the rest. */
export function translateRegex(pattern: string, given: RegexFlags): RegexInfo {
  const flags = { ...given };
  let text = pattern;
  if (text.startsWith('***')) {
    if (text[3] === '=') {
      flags.literal = true;
    } else if (text[3] === ':') {
      flags.extendedOnly = false;
    } else {
      throw regexError('quantifier operand invalid');
    }
    text = text.slice(4);
  }
  if (!flags.literal && !flags.extendedOnly && !flags.basic) {
    const embedded = /^\(\?([A-Za-z]+)\)/.exec(text);
    if (embedded !== null) {
      for (const letter of embedded[1]!) if (!applyFlag(flags, letter)) throw regexError('invalid embedded option');
      text = text.slice(embedded[0].length);
    }
  }
  if (flags.basic) throw notSupported('basic regular expression syntax (option b)');
  if (flags.literal) {
    const source = Array.from(text, (char) => quoteChar(char.codePointAt(0)!)).join('');
    return { source, inner: source, groups: 0, caseless: flags.caseless, greedy: true, alternatives: false, looksAhead: false };
  }
  return new Translator(text, flags).translate();
}
