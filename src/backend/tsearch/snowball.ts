// Snowball, Martin Porter's language for stemmers: its programs (snowball/*.sbl, as the Snowball project publishes them) are
// compiled to JavaScript when a language is asked for first. A command becomes an expression that is true when the command
// has succeeded. What it works on are the variables of a closure: the word `s`, the cursor `c` between the limits `b` and
// `l`, the slice from `bra` to `ket`. Backwards, a place is remembered by its distance from the end, for the word may change.
import { readFileSync } from 'node:fs';

export type Stemmer = (word: string) => string;

interface Token { readonly kind: 'name' | 'number' | 'string' | 'symbol'; readonly text: string }
type Mode = 'forward' | 'backward';

const SYMBOL = /^(?:<=|>=|==|!=|<-|<\+|->|=>|\+=|-=|\*=|\/=|[-+*/<>=$()[\]])/;

/** stringdef names a string, which literals then contain in braces. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [], named = new Map<string, string>([["'", "'"], ['{', '{']]);
  let at = 0;
  const skip = (): void => { at += /^(?:\s+|\/\/.*|\/\*[^]*?\*\/)*/.exec(text.slice(at))![0].length; };
  const literal = (): string => {
    const found = /^'((?:\{[^}]*\}|[^'{])*)'/.exec(text.slice(at));
    if (found === null) throw new Error(`a string is expected at ${at}`);
    at += found[0].length;
    return found[1]!.replace(/\{([^}]*)\}/g, (_, name: string) => {
      const code = /^U\+([0-9A-Fa-f]+)$/.exec(name), value = code === null ? named.get(name) : String.fromCodePoint(parseInt(code[1]!, 16));
      if (value === undefined) throw new Error(`string "${name}" is not defined`);
      return value;
    });
  };
  for (skip(); at < text.length; skip()) {
    const rest = text.slice(at, at + 200);
    const word = /^[A-Za-z]\w*/.exec(rest)?.[0];
    if (word === 'stringescapes') at += /^stringescapes\s*\{\s*\}/.exec(rest)![0].length;
    else if (word === 'stringdef') {
      const [whole, name] = /^stringdef\s+(\S+)\s+/.exec(rest)!;
      at += whole!.length;
      named.set(name!, literal());
    } else if (rest.startsWith("'")) tokens.push({ kind: 'string', text: literal() });
    else {
      const number = /^\d+/.exec(rest)?.[0], found = word ?? number ?? SYMBOL.exec(rest)?.[0];
      if (found === undefined) throw new Error(`what is "${rest.slice(0, 10)}"?`);
      at += found.length;
      tokens.push({ kind: word !== undefined ? 'name' : number !== undefined ? 'number' : 'symbol', text: found });
    }
  }
  return tokens;
}

/** What programs call; `find` looks for the longest string of an among at the cursor that its routine agrees to, among those that
 * begin (backwards: end) with the letter there. */
const PRELUDE = `
let s = '', c = 0, b = 0, l = 0, bra = 0, ket = 0;
const replace = (from, to, text) => {
  const grown = text.length - (to - from);
  s = s.slice(0, from) + text + s.slice(to);
  l += grown;
  if (c >= to) c += grown; else if (c > from) c = from;
  return grown;
};
const insert = (text, stay) => {
  const at = c, grown = replace(at, at, text);
  if (at <= bra) bra += grown;
  if (at <= ket) ket += grown;
  if (stay) c = at;
  return true;
};
const find = (among, back) => {
  const entries = among.get(back ? (c > b ? s.charCodeAt(c - 1) : -1) : c < l ? s.charCodeAt(c) : -1) ?? among.get(-1);
  for (let i = 0; i < entries.length; i++) {
    const [text, index, routine] = entries[i], n = text.length, before = c;
    if (back ? c - b < n || !s.startsWith(text, c - n) : l - c < n || !s.startsWith(text, c)) continue;
    const after = c = back ? c - n : c + n;
    if (routine !== undefined && !routine()) { c = before; continue; }
    c = after;
    return index;
  }
  return -1;
};
const amongOf = (list, back) => {
  const letter = (text) => (text === '' ? -1 : text.charCodeAt(back ? text.length - 1 : 0));
  const empty = list.filter((e) => e[0] === ''), lists = new Map([[-1, empty]]);
  for (const e of list) if (e[0] !== '') lists.set(letter(e[0]), [...lists.get(letter(e[0])) ?? empty, e].sort((x, y) => y[0].length - x[0].length));
  return lists;
};
const bytes = (at) => { let n = 0; for (let i = 0; i < at; i++) { const u = s.charCodeAt(i); n += u < 0x80 ? 1 : u < 0x800 ? 2 : 3; } return n; };
const atByte = (n) => { let at = 0; while (at < l && bytes(at) < n) at++; return at; };
const repeatForward = (f) => { for (;;) { const t = c; if (!f()) { c = t; return true; } } };
const repeatBackward = (f) => { for (;;) { const t = l - c; if (!f()) { c = l - t; return true; } } };
const loop = (n, f) => { for (; n > 0; n--) if (!f()) return false; return true; };
const goForward = (f, past) => { for (;;) { const t = c; if (f()) { if (!past) c = t; return true; } c = t; if (c >= l) return false; c++; } };
const goBackward = (f, past) => { for (;;) { const t = l - c; if (f()) { if (!past) c = l - t; return true; } c = l - t; if (c <= b) return false; c--; } };
`;

const quote = JSON.stringify;

class Compiler {
  private at = 0;
  private temporaries = 0;
  private readonly kinds = new Map<string, 'routine' | 'grouping' | 'integer' | 'boolean' | 'string'>();
  private readonly groupings = new Map<string, string>();
  private readonly code: string[] = [];
  private mode: Mode = 'forward';
  /** The substring whose among is still to come: where its result is. */
  private substring: { result: string; among: string; mode: Mode } | null = null;
  /** Numbers that a program compares places with count bytes of UTF-8. */
  private inBytes = false;
  private readonly places: ReadonlySet<string>;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
    this.places = new Set(['cursor', 'limit', ...tokens.filter((_, i) => tokens[i - 1]?.text === 'setmark').map((t) => t.text)]);
  }

  program(): string {
    while (this.at < this.tokens.length) this.declaration();
    return `${PRELUDE}${this.code.join('\n')}\nreturn (word) => { s = word; c = b = bra = 0; l = ket = s.length; r_stem(); return s; };`;
  }

  private next(): string { return this.tokens[this.at++]!.text; }
  private sees(text: string): boolean {
    const token = this.tokens[this.at];
    return token !== undefined && token.kind !== 'string' && token.text === text;
  }
  private accept(text: string): boolean {
    const seen = this.sees(text);
    if (seen) this.at++;
    return seen;
  }
  private expect(text: string): void { if (!this.accept(text)) throw new Error(`"${text}" is expected, not "${this.tokens[this.at]?.text}"`); }
  private temporary(): string {
    const name = `t${this.temporaries++}`;
    this.code.push(`let ${name} = 0;`);
    return name;
  }

  private declaration(): void {
    const word = this.next();
    if (word === 'define') this.definition();
    else if (word === 'backwardmode') {
      this.expect('(');
      this.mode = 'backward';
      while (!this.accept(')')) this.declaration();
      this.mode = 'forward';
    } else {
      const kind = { routines: 'routine', externals: 'routine', groupings: 'grouping', integers: 'integer', booleans: 'boolean', strings: 'string' }[word] as 'routine' | undefined;
      if (kind === undefined) throw new Error(`unknown declaration "${word}"`);
      this.expect('(');
      while (!this.accept(')')) {
        const name = this.next();
        this.kinds.set(name, kind);
        if (word === 'integers') this.code.push(`let v_${name} = 0;`);
        if (word === 'booleans') this.code.push(`let v_${name} = false;`);
        if (word === 'strings') this.code.push(`let v_${name} = '';`);
      }
    }
  }

  private definition(): void {
    const name = this.next();
    if (this.kinds.get(name) === 'routine') {
      this.expect('as');
      const body = this.command();
      this.code.push(`function r_${name}() { return ${body}; }`);
      return;
    }
    let letters = this.letters();
    for (;;) {
      if (this.accept('+')) letters += this.letters();
      else if (this.accept('-')) {
        const without = this.letters();
        letters = letters.split('').filter((ch) => !without.includes(ch)).join('');
      } else break;
    }
    this.groupings.set(name, letters);
  }
  private letters(): string {
    const token = this.tokens[this.at++]!;
    return token.kind === 'string' ? token.text : this.groupings.get(token.text)!;
  }

  private save(into: string): string { return this.mode === 'forward' ? `${into} = c` : `${into} = l - c`; }
  private restore(from: string): string { return this.mode === 'forward' ? `c = ${from}` : `c = l - ${from}`; }

  /** Commands up to a closing bracket; those joined by "and" or "or" begin at the same place. */
  private list(end: string): string {
    const parts: string[] = [];
    while (!this.accept(end)) {
      let part = this.command();
      while (this.sees('and') || this.sees('or')) {
        const word = this.next(), begin = this.temporary(), back = this.restore(begin);
        const all = [part];
        do all.push(this.command()); while (this.accept(word));
        part = `(${this.save(begin)}, ${all.join(word === 'and' ? ` && (${back}, true) && ` : ` || (${back}, false) || `)})`;
      }
      parts.push(part);
    }
    return parts.length === 0 ? 'true' : `(${parts.join(' && ')})`;
  }

  private command(): string {
    const token = this.tokens[this.at++]!, forward = this.mode === 'forward';
    if (token.kind === 'string') return this.matches(quote(token.text), String(token.text.length));
    const atEnd = forward ? 'c >= l' : 'c <= b', step = forward ? 'c++' : 'c--';
    const moved = (): string => `(${atEnd} ? false : (${step}, true))`;
    switch (token.text) {
      case '(': return this.list(')');
      case 'true': return 'true';
      case 'false': return 'false';
      case 'do': return this.with((t, body) => `(${this.save(t)}, ${body}, ${this.restore(t)}, true)`);
      case 'test': return this.with((t, body) => `(${this.save(t)}, ${body} && (${this.restore(t)}, true))`);
      case 'not': return this.with((t, body) => `(${this.save(t)}, ${body} ? false : (${this.restore(t)}, true))`);
      case 'try': return this.with((t, body) => `(${this.save(t)}, ${body} || (${this.restore(t)}, true))`);
      case 'fail': return `(${this.command()}, false)`;
      case 'repeat': return `${forward ? 'repeatForward' : 'repeatBackward'}(() => ${this.command()})`;
      case 'loop': return `loop(${this.arithmetic()}, () => ${this.command()})`;
      case 'atleast': {
        const times = this.arithmetic(), body = this.command();
        return `(loop(${times}, () => ${body}) && ${forward ? 'repeatForward' : 'repeatBackward'}(() => ${body}))`;
      }
      case 'goto': return `${forward ? 'goForward' : 'goBackward'}(() => ${this.command()}, false)`;
      case 'gopast': return `${forward ? 'goForward' : 'goBackward'}(() => ${this.command()}, true)`;
      case 'next': return moved();
      case 'hop': {
        const t = this.temporary(), n = this.arithmetic();
        return `(${t} = ${n}, ${t} < 0 || ${t} > ${forward ? 'l - c' : 'c - b'} ? false : (c ${forward ? '+' : '-'}= ${t}, true))`;
      }
      case 'setmark': return `(v_${this.next()} = c, true)`;
      case 'tomark': {
        const to = this.arithmetic();
        return `(c ${forward ? '>' : '<'} ${to} ? false : (c = ${to}, true))`;
      }
      case 'atmark': return `(c === ${this.arithmetic()})`;
      case 'tolimit': return `(c = ${forward ? 'l' : 'b'}, true)`;
      case 'atlimit': return `(${atEnd})`;
      case 'setlimit': return this.limited();
      case 'backwards': {
        this.mode = 'backward';
        const body = this.command();
        this.mode = 'forward';
        return `(b = c, c = l, ${body} && (c = b, b = 0, true))`;
      }
      case '[': return `(${forward ? 'bra' : 'ket'} = c, true)`;
      case ']': return `(${forward ? 'ket' : 'bra'} = c, true)`;
      case 'delete': return `(replace(bra, ket, ''), true)`;
      case '<-': return `(replace(bra, ket, ${this.text()}), true)`;
      case '->': return `(v_${this.next()} = s.slice(bra, ket), true)`;
      case 'insert': case '<+': return `insert(${this.text()}, ${!forward})`;
      case 'attach': return `insert(${this.text()}, ${forward})`;
      case 'set': return `(v_${this.next()} = true)`;
      case 'unset': return `(v_${this.next()} = false, true)`;
      case 'substring': return this.findAmong();
      case 'among': return this.among();
      case 'non':
        this.accept('-');
        return this.inGroup(this.next(), false);
      case '$': return this.assignment();
      default: return this.named(token.text);
    }
  }

  private with(make: (temporary: string, body: string) => string): string {
    const t = this.temporary();
    return make(t, this.command());
  }

  private named(name: string): string {
    switch (this.kinds.get(name)) {
      case 'routine': return `r_${name}()`;
      case 'boolean': return `v_${name}`;
      case 'grouping': return this.inGroup(name, true);
      case 'string': return this.matches(`v_${name}`, `v_${name}.length`);
      default: throw new Error(`unknown command "${name}"`);
    }
  }

  private matches(text: string, length: string): string {
    return this.mode === 'forward'
      ? `(l - c >= ${length} && s.startsWith(${text}, c) && (c += ${length}, true))`
      : `(c - b >= ${length} && s.startsWith(${text}, c - ${length}) && (c -= ${length}, true))`;
  }

  private inGroup(name: string, inside: boolean): string {
    const letters = quote(this.groupings.get(name)), no = inside ? '' : '!';
    return this.mode === 'forward' ? `(c < l && ${no}${letters}.includes(s[c]) && (c++, true))` : `(c > b && ${no}${letters}.includes(s[c - 1]) && (c--, true))`;
  }

  /** setlimit C1 for C2: the second works no further than where the first has led. */
  private limited(): string {
    const t = this.temporary(), limit = this.temporary(), result = this.temporary(), reach = this.command();
    this.expect('for');
    const body = this.command();
    return this.mode === 'forward'
      ? `(${this.save(t)}, ${reach} && (${limit} = l - c, l = c, ${this.restore(t)}, ${result} = ${body}, l += ${limit}, ${result}))`
      : `(${this.save(t)}, ${reach} && (${limit} = b, b = c, ${this.restore(t)}, ${result} = ${body}, b = ${limit}, ${result}))`;
  }

  private text(): string {
    const token = this.tokens[this.at++]!;
    return token.kind === 'string' ? quote(token.text) : `v_${token.text}`;
  }

  private findAmong(): string {
    const result = this.temporary(), among = `a${this.temporaries++}`;
    this.substring = { result, among, mode: this.mode };
    return `((${result} = find(${among}, ${this.mode === 'backward'})) >= 0)`;
  }

  /** among('a' 'b' R (C) ...): the command behind some strings is theirs; one before all is done for each. */
  private among(): string {
    const search = this.substring === null ? this.findAmong() : 'true';
    const { result, among, mode } = this.substring!;
    this.substring = null;
    this.expect('(');
    const first = this.accept('(') ? this.list(')') : 'true';
    const entries: string[] = [], commands: string[] = [];
    while (!this.accept(')')) {
      if (this.accept('(')) {
        commands.push(this.list(')'));
        continue;
      }
      const string = quote(this.next()), routine = this.tokens[this.at]!.kind === 'name' ? `, r_${this.next()}` : '';
      entries.push(`[${string}, ${commands.length}${routine}]`);
    }
    this.code.push(`const ${among} = amongOf([${entries.join(', ')}], ${mode === 'backward'});`);
    const chosen = commands.map((command, i) => `${result} === ${i} ? ${command} : `).join('');
    return `(${search} && ${first} && (${chosen}true))`;
  }

  /** $x = 1, $x < 2, $(x + 1 >= cursor) */
  private assignment(): string {
    if (this.accept('(')) {
      const comparison = this.tokens.slice(this.at, this.tokens.findIndex((t, i) => i > this.at && t.text === ')'));
      this.inBytes = comparison.some((t) => t.kind === 'number') && comparison.some((t) => this.places.has(t.text));
      const left = this.arithmetic(), relation = this.next(), right = this.arithmetic();
      this.inBytes = false;
      this.expect(')');
      return `(${left} ${relation} ${right})`;
    }
    const name = this.next(), operator = this.next();
    const number = this.tokens[this.at]!.kind === 'number', value = this.arithmetic();
    const place = number && this.places.has(name) ? `atByte(${value})` : value;
    return /^[-+*/]?=$/.test(operator) ? `(v_${name} ${operator} ${place}, true)` : `(v_${name} ${operator} ${place})`;
  }

  private arithmetic(): string {
    let value = this.operand();
    while (this.sees('+') || this.sees('-') || this.sees('*') || this.sees('/')) value = `(${value} ${this.next()} ${this.operand()})`;
    return value;
  }
  private operand(): string {
    if (this.accept('-')) return `-${this.operand()}`;
    if (this.accept('(')) {
      const value = this.arithmetic();
      this.expect(')');
      return value;
    }
    const token = this.tokens[this.at++]!;
    if (token.kind === 'number') return token.text;
    const built: Readonly<Record<string, string>> = { cursor: 'c', limit: this.mode === 'forward' ? 'l' : 'b', len: 's.length', size: 's.length', maxint: '2147483647', minint: '-2147483648' };
    if (token.text === 'lenof' || token.text === 'sizeof') {
      const of = this.tokens[this.at++]!;
      return of.kind === 'string' ? String(of.text.length) : `v_${of.text}.length`;
    }
    const value = built[token.text] ?? `v_${token.text}`;
    return this.inBytes && this.places.has(token.text) ? `bytes(${value})` : value;
  }
}

const PRIVATE_USE = 0xe000;
/** A letter beyond the first plane is one letter for the stemmers: another stands for it meanwhile. */
function withOneUnit(stem: Stemmer): Stemmer {
  return (word) => {
    if (!/[\ud800-\udbff]/.test(word) || /[\ue000-\ue3ff]/.test(word)) return stem(word);
    const letters: string[] = [];
    const shown = word.replace(/[\u{10000}-\u{10ffff}]/gu, (letter) => String.fromCharCode(PRIVATE_USE + letters.push(letter) - 1));
    return stem(shown).replace(/[\ue000-\ue3ff]/g, (stands) => letters[stands.charCodeAt(0) - PRIVATE_USE]!);
  };
}

// Independent of what a site contains: nothing ever invalidates a stemmer.
const stemmers = new Map<string, Stemmer>();

/** `language`: one of those there is a program for. */
export function stemmerOf(language: string): Stemmer {
  let stemmer = stemmers.get(language);
  if (stemmer === undefined) {
    const text = new Compiler(tokenize(readFileSync(snowballFile(`${language}.sbl`), 'utf8'))).program();
    // The text comes from our own files only.
    stemmer = withOneUnit((new Function(text) as () => Stemmer)());
    stemmers.set(language, stemmer);
  }
  return stemmer;
}

/** What comes with the stemmers: their programs and lists of words without meaning. */
export const snowballFile = (name: string): URL => new URL(`./snowball/${name}`, import.meta.url);
