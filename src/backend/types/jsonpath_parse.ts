// The jsonpath language: text to a tree and back (PostgreSQL's jsonpath_scan.l, jsonpath_gram.y and jsonpath.c).
import { PgError, notSupported } from '../../common/errors.ts';
import { quoteJson } from './json_parse.ts';
import { int4In } from './int.ts';
import { invalidInput } from './errors.ts';
import { negateNumeric, type Numeric, numericToText, parseNumeric } from './numeric.ts';
import { regexTester } from './regexp.ts';

export type BinaryOperator = '&&' | '||' | '==' | '!=' | '<' | '>' | '<=' | '>=' | '+' | '-' | '*' | '/' | '%' | 'starts with';
export type MethodName = 'abs' | 'size' | 'type' | 'floor' | 'double' | 'ceiling' | 'keyvalue';
/** Levels of `**`: LAST stands for the deepest. */
export const LAST_LEVEL = 4294967295;

type Bare =
  | { readonly type: 'null' | 'root' | 'current' | 'last' | 'anyArray' | 'anyKey' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'numeric'; readonly value: Numeric }
  | { readonly type: 'string' | 'variable' | 'key'; readonly value: string }
  | { readonly type: 'binary'; readonly op: BinaryOperator; readonly left: PathItem; readonly right: PathItem }
  | { readonly type: 'plus' | 'minus' | 'not' | 'isUnknown' | 'exists' | 'filter'; readonly arg: PathItem }
  | { readonly type: 'likeRegex'; readonly arg: PathItem; readonly pattern: string; readonly flags: string; readonly test: (text: string) => boolean }
  | { readonly type: 'indexArray'; readonly subscripts: readonly { from: PathItem; to: PathItem | null }[] }
  | { readonly type: 'any'; readonly first: number; readonly last: number }
  | { readonly type: 'method'; readonly name: MethodName }
  | { readonly type: 'datetime'; readonly arg: PathItem | null };

/** A step of a path; what follows it is `next`. */
export type PathItem = Bare & { next: PathItem | null };
const item = (bare: Bare): PathItem => ({ ...bare, next: null });

/** The datum. */
export class JsonPath {
  readonly lax: boolean;
  readonly root: PathItem;
  constructor(lax: boolean, root: PathItem) {
    this.lax = lax;
    this.root = root;
  }
}

// --- tokens

interface Token {
  /** 'string', 'variable', 'numeric', 'int', 'ident', 'end', a keyword, or the operator itself. */
  readonly kind: string;
  readonly value: string;
  /** What an error message shows; null: the end of the input. */
  readonly shown: string | null;
}

const KEYWORDS = new Set(['is', 'to', 'abs', 'lax', 'flag', 'last', 'size', 'type', 'with', 'floor', 'double', 'exists', 'starts', 'strict',
  'ceiling', 'datetime', 'keyvalue', 'unknown', 'like_regex']);
/** These are words only in lower case. */
const LOWER_KEYWORDS = new Set(['null', 'true', 'false']);
const METHODS = new Set(['abs', 'size', 'type', 'floor', 'double', 'ceiling', 'keyvalue']);

const OTHER = '[^?%$.\\[\\]{}()|&!=<>@#,*:+/\\\\" \\t\\n\\r\\f-]';
const BLANK = /[ \t\n\r\f]+/y, NUMBER = /(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[Ee][-+]?\d+)?/y, WORD = new RegExp(`${OTHER}+`, 'uy'),
  JUNK = new RegExp(OTHER, 'uy'), OPERATOR = /&&|\|\||\*\*|<=|==|<>|!=|>=|[?%$.[\](){}|&!=<>@#,*:+/-]/y;
const HEX = /\\x[0-9A-Fa-f]{2}/y, UNICODE = /\\u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\})/y;

function scanError(message: string, shown: string | null): PgError {
  return new PgError('syntax_error', shown === null || shown === '' ? `${message} at end of jsonpath input` : `${message} at or near "${shown}" of jsonpath input`);
}

class Scanner {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  private skipComment(): boolean {
    if (!this.text.startsWith('/*', this.at)) return false;
    const end = this.text.indexOf('*/', this.at + 2);
    if (end < 0) throw scanError('unexpected end of comment', null);
    this.at = end + 2;
    return true;
  }

  next(): Token {
    const { text } = this;
    while (this.match(BLANK) !== null || this.skipComment());
    if (this.at >= text.length) return { kind: 'end', value: '', shown: null };
    const start = this.at, number = this.match(NUMBER);
    if (number !== null) {
      const end = this.at, junk = this.match(JUNK);
      // The longest match wins: 1a is a wrong number, 1ab a word.
      this.at = start;
      const word = this.match(WORD);
      if (word !== null && word.length > number.length + (junk?.length ?? 0)) {
        this.at = start;
        return this.word();
      }
      this.at = end;
      if (junk !== null) throw scanError('trailing junk after numeric literal', number + junk);
      return { kind: /^\d+$/.test(number) ? 'int' : 'numeric', value: number, shown: number };
    }
    const char = text[this.at]!;
    if (char === '"') {
      this.at++;
      return { kind: 'string', value: this.quoted(), shown: '"' };
    }
    if (char === '$') {
      this.at++;
      if (text[this.at] === '"') {
        this.at++;
        return { kind: 'variable', value: this.quoted(), shown: '"' };
      }
      const name = this.match(WORD);
      return name === null ? { kind: '$', value: '$', shown: '$' } : { kind: 'variable', value: name, shown: `$${name}` };
    }
    const operator = this.match(OPERATOR);
    if (operator !== null) return { kind: operator === '<>' ? '!=' : operator, value: operator, shown: operator };
    return this.word();
  }

  /** A name without quotes, which may hold escapes; or a keyword. */
  private word(): Token {
    let value = '';
    for (;;) {
      const part = this.match(WORD);
      if (part !== null) value += part;
      else if (this.text[this.at] === '\\') value += this.escape();
      else break;
    }
    // What flex last saw when it knew the end of the word.
    const blank = this.match(BLANK);
    const lower = value.toLowerCase();
    const kind = LOWER_KEYWORDS.has(value) || KEYWORDS.has(lower) ? lower : 'ident';
    return { kind, value, shown: blank };
  }

  private quoted(): string {
    let value = '';
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw scanError('unexpected end of quoted string', null);
      if (char === '"') {
        this.at++;
        return value;
      }
      if (char === '\\') value += this.escape();
      else {
        const start = this.at;
        while (this.at < this.text.length && this.text[this.at] !== '"' && this.text[this.at] !== '\\') this.at++;
        value += this.text.slice(start, this.at);
      }
    }
  }

  private escape(): string {
    const { text } = this;
    const letter = text[this.at + 1];
    if (letter === undefined) throw scanError('unexpected end after backslash', '\\');
    if (letter === 'u') return this.unicode();
    if (letter === 'x') {
      const hex = this.match(HEX);
      if (hex === null) throw scanError('invalid hex character sequence', /\\x[0-9A-Fa-f]?/.exec(text.slice(this.at))![0]);
      return codePoint(parseInt(hex.slice(2), 16));
    }
    const char = String.fromCodePoint(text.codePointAt(this.at + 1)!);
    this.at += 1 + char.length;
    return { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }[char] ?? char;
  }

  private unicode(): string {
    const start = this.at;
    const codes: number[] = [];
    for (let part = this.match(UNICODE); part !== null; part = this.match(UNICODE)) codes.push(parseInt(part.replace(/[\\u{}]/g, ''), 16));
    if (this.text.startsWith('\\u', this.at)) {
      const fail = /\\u(?:\{[0-9A-Fa-f]{0,6}|[0-9A-Fa-f]{0,3})/y;
      fail.lastIndex = this.at;
      throw scanError('invalid unicode sequence', this.text.slice(start, this.at) + fail.exec(this.text)![0]);
    }
    let value = '', high = 0;
    const surrogate = (detail: string): PgError => new PgError('invalid_text_representation', 'invalid input syntax for type jsonpath', { detail });
    for (const code of codes) {
      if (code >= 0xd800 && code < 0xdc00) {
        if (high !== 0) throw surrogate('Unicode high surrogate must not follow a high surrogate.');
        high = code;
        continue;
      }
      if (code >= 0xdc00 && code < 0xe000) {
        if (high === 0) throw surrogate('Unicode low surrogate must follow a high surrogate.');
        value += String.fromCharCode(high, code);
        high = 0;
        continue;
      }
      if (high !== 0) throw surrogate('Unicode low surrogate must follow a high surrogate.');
      value += codePoint(code);
    }
    if (high !== 0) throw surrogate('Unicode low surrogate must follow a high surrogate.');
    return value;
  }
}

function codePoint(code: number): string {
  if (code === 0) {
    throw new PgError('untranslatable_character', 'unsupported Unicode escape sequence', { detail: '\\u0000 cannot be converted to text.' });
  }
  if (code > 0x10ffff) throw new PgError('syntax_error', 'invalid Unicode escape value');
  return String.fromCodePoint(code);
}

// --- grammar

/** What an expression in brackets turns out to be decides what may follow. */
interface Parsed { readonly item: PathItem; readonly predicate: boolean }

class Parser {
  private readonly scanner: Scanner;
  private token: Token;

  constructor(text: string) {
    this.scanner = new Scanner(text);
    this.token = this.scanner.next();
  }

  private advance(): Token {
    const { token } = this;
    this.token = this.scanner.next();
    return token;
  }

  private fail(): PgError {
    return scanError('syntax error', this.token.shown);
  }

  private expect(kind: string): Token {
    if (this.token.kind !== kind) throw this.fail();
    return this.advance();
  }

  private accept(kind: string): boolean {
    if (this.token.kind !== kind) return false;
    this.advance();
    return true;
  }

  parse(): JsonPath | null {
    if (this.token.kind === 'end') return null;
    const lax = !this.accept('strict');
    if (lax) this.accept('lax');
    const { item: root } = this.or();
    if (this.token.kind !== 'end') throw this.fail();
    checkItem(root, 0, false);
    return new JsonPath(lax, root);
  }

  private predicate(parsed: Parsed): PathItem {
    if (!parsed.predicate) throw this.fail();
    return parsed.item;
  }

  private expression(parsed: Parsed): PathItem {
    if (parsed.predicate) throw this.fail();
    return parsed.item;
  }

  private or(): Parsed {
    let left = this.and();
    while (this.token.kind === '||') {
      const a = this.predicate(left);
      this.advance();
      left = { item: item({ type: 'binary', op: '||', left: a, right: this.predicate(this.and()) }), predicate: true };
    }
    return left;
  }

  private and(): Parsed {
    let left = this.comparison();
    while (this.token.kind === '&&') {
      const a = this.predicate(left);
      this.advance();
      left = { item: item({ type: 'binary', op: '&&', left: a, right: this.predicate(this.comparison()) }), predicate: true };
    }
    return left;
  }

  private comparison(): Parsed {
    if (this.accept('!')) {
      // Only something in brackets may follow.
      if (this.token.kind === 'exists') return { item: item({ type: 'not', arg: this.exists() }), predicate: true };
      this.expect('(');
      const arg = this.predicate(this.or());
      this.expect(')');
      return { item: item({ type: 'not', arg }), predicate: true };
    }
    if (this.token.kind === 'exists') return { item: this.exists(), predicate: true };
    const left = this.additive();
    if (left.predicate) return left;
    const { kind } = this.token;
    switch (kind) {
      case '==': case '!=': case '<': case '>': case '<=': case '>=': {
        this.advance();
        return { item: item({ type: 'binary', op: kind, left: left.item, right: this.expression(this.additive()) }), predicate: true };
      }
      case 'starts': {
        this.advance();
        this.expect('with');
        if (this.token.kind !== 'string' && this.token.kind !== 'variable') throw this.fail();
        const { kind: type, value } = this.advance();
        return { item: item({ type: 'binary', op: 'starts with', left: left.item, right: item({ type: type as 'string' | 'variable', value }) }), predicate: true };
      }
      case 'like_regex': {
        this.advance();
        const pattern = this.expect('string').value;
        const flags = this.accept('flag') ? this.expect('string').value : '';
        return { item: likeRegex(left.item, pattern, flags), predicate: true };
      }
      default: return left;
    }
  }

  private exists(): PathItem {
    this.expect('exists');
    this.expect('(');
    const arg = this.expression(this.or());
    this.expect(')');
    return item({ type: 'exists', arg });
  }

  private additive(): Parsed {
    return this.binary(['+', '-'], () => this.binary(['*', '/', '%'], () => this.unary()));
  }

  private binary(operators: readonly string[], operand: () => Parsed): Parsed {
    let left = operand();
    while (operators.includes(this.token.kind)) {
      const a = this.expression(left);
      const op = this.advance().kind as BinaryOperator;
      left = { item: item({ type: 'binary', op, left: a, right: this.expression(operand()) }), predicate: false };
    }
    return left;
  }

  private unary(): Parsed {
    const { kind } = this.token;
    if (kind !== '+' && kind !== '-') return this.accessor();
    this.advance();
    const arg = this.expression(this.unary());
    // A literal takes the sign itself.
    if (arg.type === 'numeric' && arg.next === null) {
      return { item: kind === '+' ? arg : item({ type: 'numeric', value: negateNumeric(arg.value) }), predicate: false };
    }
    return { item: item({ type: kind === '+' ? 'plus' : 'minus', arg }), predicate: false };
  }

  private accessor(): Parsed {
    let parsed: Parsed;
    if (this.accept('(')) {
      parsed = this.or();
      this.expect(')');
      if (parsed.predicate && this.token.kind === 'is') {
        this.advance();
        this.expect('unknown');
        return { item: item({ type: 'isUnknown', arg: parsed.item }), predicate: true };
      }
      if (!['.', '[', '?'].includes(this.token.kind)) return parsed;
    } else parsed = { item: this.primary(), predicate: false };
    let last = parsed.item;
    while (last.next !== null) last = last.next;
    for (let step = this.step(); step !== null; step = this.step()) {
      last.next = step;
      last = step;
    }
    return { item: parsed.item, predicate: false };
  }

  private primary(): PathItem {
    const { kind, value } = this.token;
    switch (kind) {
      case 'string': case 'variable': this.advance(); return item({ type: kind, value });
      case 'null': this.advance(); return item({ type: 'null' });
      case 'true': case 'false': this.advance(); return item({ type: 'bool', value: kind === 'true' });
      case 'int': case 'numeric': this.advance(); return item({ type: 'numeric', value: parseNumeric(value) });
      case '$': this.advance(); return item({ type: 'root' });
      case '@': this.advance(); return item({ type: 'current' });
      case 'last': this.advance(); return item({ type: 'last' });
      default: throw this.fail();
    }
  }

  /** accessor_op: one more step of a path, or null. */
  private step(): PathItem | null {
    if (this.accept('?')) {
      this.expect('(');
      const arg = this.predicate(this.or());
      this.expect(')');
      return item({ type: 'filter', arg });
    }
    if (this.accept('[')) {
      if (this.accept('*')) {
        this.expect(']');
        return item({ type: 'anyArray' });
      }
      const subscripts: { from: PathItem; to: PathItem | null }[] = [];
      do {
        const from = this.expression(this.additive());
        subscripts.push({ from, to: this.accept('to') ? this.expression(this.additive()) : null });
      } while (this.accept(','));
      this.expect(']');
      return item({ type: 'indexArray', subscripts });
    }
    if (!this.accept('.')) return null;
    if (this.accept('*')) return item({ type: 'anyKey' });
    if (this.accept('**')) return this.levels();
    const { kind, value } = this.token;
    if (kind !== 'ident' && kind !== 'string' && !KEYWORDS.has(kind) && !LOWER_KEYWORDS.has(kind)) throw this.fail();
    this.advance();
    if (this.token.kind === '(' && METHODS.has(kind)) {
      this.advance();
      this.expect(')');
      return item({ type: 'method', name: kind as MethodName });
    }
    if (this.token.kind === '(' && kind === 'datetime') {
      this.advance();
      const template = this.token as Token; // advance() has changed it
      const arg = template.kind === 'string' ? item({ type: 'string', value: this.advance().value }) : null;
      this.expect(')');
      return item({ type: 'datetime', arg });
    }
    return item({ type: 'key', value });
  }

  /** `**`, `**{2}`, `**{1 to last}`. */
  private levels(): PathItem {
    if (!this.accept('{')) return item({ type: 'any', first: 0, last: LAST_LEVEL });
    const level = (): number => {
      if (this.accept('last')) return LAST_LEVEL;
      return int4In(this.expect('int').value);
    };
    const first = level();
    const last = this.accept('to') ? level() : first;
    this.expect('}');
    return item({ type: 'any', first: first >>> 0, last: last >>> 0 });
  }
}

function likeRegex(arg: PathItem, pattern: string, given: string): PathItem {
  for (const flag of given) {
    if (!'ismxq'.includes(flag)) {
      throw new PgError('syntax_error', 'invalid input syntax for type jsonpath', { detail: `Unrecognized flag character "${flag}" in LIKE_REGEX predicate.` });
    }
  }
  const flags = [...'ismxq'].filter((flag) => given.includes(flag)).join('');
  const literal = flags.includes('q');
  if (flags.includes('x') && !literal) throw new PgError('feature_not_supported', 'XQuery "x" flag (expanded regular expressions) is not implemented');
  const test = regexTester(pattern, {
    caseless: flags.includes('i'), newlineSensitive: !literal && !flags.includes('s'), newlineAnchors: !literal && flags.includes('m'), literal,
  });
  return item({ type: 'likeRegex', arg, pattern, flags, test });
}

/** What the grammar lets pass but makes no sense where it stands. */
function checkItem(path: PathItem, filters: number, inSubscript: boolean): void {
  switch (path.type) {
    case 'current':
      if (filters <= 0) throw new PgError('syntax_error', '@ is not allowed in root expressions');
      break;
    case 'last':
      if (!inSubscript) throw new PgError('syntax_error', 'LAST is allowed only in array subscripts');
      break;
    case 'binary': checkItem(path.left, filters, inSubscript); checkItem(path.right, filters, inSubscript); break;
    case 'filter': checkItem(path.arg, filters + 1, inSubscript); break;
    case 'plus': case 'minus': case 'not': case 'isUnknown': case 'exists': case 'likeRegex': checkItem(path.arg, filters, inSubscript); break;
    case 'indexArray':
      for (const { from, to } of path.subscripts) {
        checkItem(from, filters, true);
        if (to !== null) checkItem(to, filters, true);
      }
      break;
    case 'null': case 'root': case 'anyArray': case 'anyKey': case 'bool': case 'numeric': case 'string': case 'variable': case 'key':
    case 'any': case 'method': case 'datetime': break;
  }
  if (path.next !== null) checkItem(path.next, filters, inSubscript);
}

export function parseJsonPath(text: string): JsonPath {
  if (text.length > 10_000_000) throw notSupported('a jsonpath of this length');
  const path = new Parser(text).parse();
  if (path === null) throw invalidInput('jsonpath', text);
  return path;
}

// --- back to text

const PRIORITY: Partial<Record<BinaryOperator, number>> = { '||': 0, '&&': 1, '+': 3, '-': 3, '*': 4, '/': 4, '%': 4 };
const priority = (path: PathItem): number =>
  (path.type === 'binary' ? PRIORITY[path.op] ?? 2 : path.type === 'plus' || path.type === 'minus' ? 5 : 6);

function levelsText(first: number, last: number): string {
  const level = (n: number): string => (n === LAST_LEVEL ? 'last' : String(n));
  if (first === 0 && last === LAST_LEVEL) return '**';
  return first === last ? `**{${level(first)}}` : `**{${level(first)} to ${level(last)}}`;
}

function bareText(path: PathItem, inKey: boolean, brackets: boolean): string {
  const dot = inKey ? '.' : '';
  const operand = (arg: PathItem): string => itemText(arg, false, priority(arg) <= priority(path));
  const wrap = (text: string): string => (brackets ? `(${text})` : text);
  switch (path.type) {
    case 'null': return 'null';
    case 'bool': return String(path.value);
    case 'numeric': return path.next !== null ? `(${numericToText(path.value)})` : numericToText(path.value);
    case 'string': return quoteJson(path.value);
    case 'variable': return `$${quoteJson(path.value)}`;
    case 'key': return dot + quoteJson(path.value);
    case 'root': return '$';
    case 'current': return '@';
    case 'last': return 'last';
    case 'anyArray': return '[*]';
    case 'anyKey': return `${dot}*`;
    case 'binary': return wrap(`${operand(path.left)} ${path.op} ${operand(path.right)}`);
    case 'plus': return wrap(`+${operand(path.arg)}`);
    case 'minus': return wrap(`-${operand(path.arg)}`);
    case 'likeRegex': return wrap(`${operand(path.arg)} like_regex ${quoteJson(path.pattern)}${path.flags === '' ? '' : ` flag "${path.flags}"`}`);
    case 'filter': return `?(${itemText(path.arg, false, false)})`;
    case 'not': return `!(${itemText(path.arg, false, false)})`;
    case 'isUnknown': return `(${itemText(path.arg, false, false)}) is unknown`;
    case 'exists': return `exists (${itemText(path.arg, false, false)})`;
    case 'indexArray': return `[${path.subscripts.map(({ from, to }) =>
      itemText(from, false, false) + (to === null ? '' : ` to ${itemText(to, false, false)}`)).join(',')}]`;
    case 'any': return dot + levelsText(path.first, path.last);
    case 'method': return `.${path.name}()`;
    case 'datetime': return `.datetime(${path.arg === null ? '' : itemText(path.arg, false, false)})`;
  }
}

function itemText(path: PathItem, inKey: boolean, brackets: boolean): string {
  const text = bareText(path, inKey, brackets);
  return path.next === null ? text : text + itemText(path.next, true, true);
}

export function jsonPathOut(path: JsonPath): string {
  return (path.lax ? '' : 'strict ') + itemText(path.root, false, true);
}
