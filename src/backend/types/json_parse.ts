// JSON text to a tree, with PostgreSQL's errors: its jsonapi.c. A node knows where it stands in the text, because values
// of type json are handed out as they were written.
import { PgError } from '../../common/errors.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { compareText } from './characters.ts';
import { stackDepthExceeded } from '../utils/stack_depth.ts';

export type JsonNode =
  | { readonly kind: 'null' | 'true' | 'false' | 'number'; readonly start: number; readonly end: number }
  | { readonly kind: 'string'; readonly start: number; readonly end: number; readonly value: string }
  | { readonly kind: 'array'; readonly start: number; readonly end: number; readonly elements: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly start: number; readonly end: number; readonly members: readonly JsonMember[] };

export interface JsonMember {
  readonly key: string;
  readonly value: JsonNode;
}

/** Containers in containers. PostgreSQL's limit is its stack (max_stack_depth), ours is this. */
const MAX_DEPTH = 6000;

/** What was expected where something else stands; the message follows it with what was found. */
const EXPECTED = {
  end: 'end of input',
  value: 'JSON value',
  string: 'string',
  arrayNext: '"," or "]"',
  objectStart: 'string or "}"',
  colon: '":"',
  objectNext: '"," or "}"',
} as const;

const QUOTE = 34, BACKSLASH = 92, MINUS = 45, DOT = 46, PLUS = 43;
const isDigit = (c: number): boolean => c >= 48 && c <= 57;
/** Characters that belong to a word, in errors as well. */
const isWord = (c: number): boolean =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || isDigit(c) || c === 95 || c >= 128;
const SIMPLE_ESCAPES: Record<string, string> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
};

type TokenType = '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'number' | 'true' | 'false' | 'null' | 'end' | 'invalid';

class Parser {
  private readonly text: string;
  /** Whether escapes are worked out, so that \u0000 and lone surrogates are errors. */
  private readonly unescape: boolean;
  private looks = 0;
  private token: TokenType = 'invalid';
  private start = 0; // of the token; -1: the input ended
  private end = 0;
  private line = 1;
  private lineStart = 0;
  private value = ''; // of a string token
  private depth = 0;

  constructor(text: string, unescape: boolean) {
    this.text = text;
    this.unescape = unescape;
  }

  parse(): JsonNode {
    this.advance();
    const node = this.parseValue();
    if (this.token !== 'end') throw this.unexpected('end');
    return node;
  }

  // --- errors

  private error(detail: string, untranslatable = false): PgError {
    const fields = { detail, where: this.context() };
    return untranslatable
      ? new PgError('untranslatable_character', 'unsupported Unicode escape sequence', fields)
      : new PgError('invalid_text_representation', 'invalid input syntax for type json', fields);
  }

  /** The line that is wrong, up to the token, fifty bytes at most. */
  private context(): string {
    const { text, lineStart, end } = this;
    let from = lineStart;
    while (from < end && Buffer.byteLength(text.slice(from, end)) >= 50) from += text.codePointAt(from)! > 0xffff ? 2 : 1;
    if (Buffer.byteLength(text.slice(lineStart, from)) <= 3) from = lineStart;
    const next = text.charAt(end);
    const more = this.token !== 'end' && end < text.length && next !== '\n' && next !== '\r';
    return `JSON data, line ${this.line}: ${from > lineStart ? '...' : ''}${text.slice(from, end)}${more ? '...' : ''}`;
  }

  private unexpected(expected: keyof typeof EXPECTED): PgError {
    if (this.start < 0 || this.token === 'end') return this.error('The input string ended unexpectedly.');
    return this.error(`Expected ${EXPECTED[expected]}, but found "${this.text.slice(this.start, this.end)}".`);
  }

  private invalidToken(end: number): PgError {
    this.end = end;
    return this.error(`Token "${this.text.slice(this.start, end)}" is invalid.`);
  }

  // --- tokens

  private advance(): void {
    const { text } = this;
    if ((++this.looks & 255) === 0) checkForInterrupts();
    let i = this.end;
    let c = text.charCodeAt(i);
    while (c === 32 || c === 10 || c === 13 || c === 9) {
      i++;
      if (c === 10) {
        this.line++;
        this.lineStart = i;
      }
      c = text.charCodeAt(i);
    }
    if (i >= text.length) {
      this.token = 'end';
      this.start = -1;
      this.end = i;
      return;
    }
    this.start = i;
    switch (c) {
      case 123: case 125: case 91: case 93: case 44: case 58:
        this.token = text.charAt(i) as TokenType;
        this.end = i + 1;
        return;
      case QUOTE:
        this.lexString();
        return;
      case MINUS:
        this.lexNumber(i + 1);
        return;
      default:
        if (isDigit(c)) this.lexNumber(i);
        else this.lexWord();
    }
  }

  private lexWord(): void {
    const { text, start } = this;
    let i = start;
    while (i < text.length && isWord(text.charCodeAt(i))) i++;
    if (i === start) throw this.invalidToken(start + 1);
    const word = text.slice(start, i);
    if (word !== 'true' && word !== 'false' && word !== 'null') throw this.invalidToken(i);
    this.token = word;
    this.end = i;
  }

  private lexNumber(from: number): void {
    const { text } = this;
    let i = from, wrong = false;
    const digits = (): void => {
      if (!isDigit(text.charCodeAt(i))) wrong = true;
      while (isDigit(text.charCodeAt(i))) i++;
    };
    if (text.charCodeAt(i) === 48) i++; // no leading zeros
    else digits();
    if (text.charCodeAt(i) === DOT) {
      i++;
      digits();
    }
    const c = text.charCodeAt(i);
    if (c === 101 || c === 69) {
      i++;
      const sign = text.charCodeAt(i);
      if (sign === PLUS || sign === MINUS) i++;
      digits();
    }
    while (i < text.length && isWord(text.charCodeAt(i))) {
      wrong = true;
      i++;
    }
    if (wrong) throw this.invalidToken(i);
    this.token = 'number';
    this.end = i;
  }

  private lexString(): void {
    const { text } = this;
    let i = this.start + 1;
    // Most strings have nothing special in them.
    let c = text.charCodeAt(i);
    while (c !== QUOTE && c !== BACKSLASH && c >= 32) c = text.charCodeAt(++i);
    let value = text.slice(this.start + 1, i);
    let from = i; // what stands from here on is not in `value` yet
    let high = -1; // a surrogate that waits for its second half
    // One character on from `at`, for the context of an error.
    const endAt = (at: number): void => {
      this.end = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    };
    const lowMissing = (at: number): PgError => {
      endAt(at);
      return this.error('Unicode low surrogate must follow a high surrogate.');
    };
    for (;; i++) {
      if (i >= text.length) throw this.invalidToken(i);
      c = text.charCodeAt(i);
      if (c === QUOTE) break;
      if (c !== BACKSLASH) {
        if (high >= 0) throw lowMissing(i);
        if (c < 32) {
          this.end = i;
          throw this.error(`Character with value 0x${c.toString(16).padStart(2, '0')} must be escaped.`);
        }
        continue;
      }
      value += text.slice(from, i);
      i++;
      if (i >= text.length) throw this.invalidToken(i);
      if (text.charAt(i) === 'u') {
        for (let k = 1; k <= 4; k++) {
          i++;
          if (i >= text.length) throw this.invalidToken(i);
          if (!/[0-9a-fA-F]/.test(text.charAt(i))) {
            endAt(i);
            throw this.error('"\\u" must be followed by four hexadecimal digits.');
          }
        }
        const code = parseInt(text.slice(i - 3, i + 1), 16);
        if (this.unescape) {
          if (code >= 0xd800 && code <= 0xdbff) {
            if (high >= 0) {
              endAt(i);
              throw this.error('Unicode high surrogate must not follow a high surrogate.');
            }
            high = code;
          } else if (code >= 0xdc00 && code <= 0xdfff) {
            if (high < 0) throw lowMissing(i);
            value += String.fromCharCode(high, code);
            high = -1;
          } else if (high >= 0) {
            throw lowMissing(i);
          } else if (code === 0) {
            endAt(i);
            throw this.error('\\u0000 cannot be converted to text.', true);
          } else {
            value += String.fromCharCode(code);
          }
        }
      } else {
        if (high >= 0) throw lowMissing(i);
        const simple = SIMPLE_ESCAPES[text.charAt(i)];
        if (simple === undefined) {
          this.start = i;
          endAt(i);
          throw this.error(`Escape sequence "\\${text.slice(i, this.end)}" is invalid.`);
        }
        value += simple;
      }
      from = i + 1;
    }
    if (high >= 0) {
      this.end = i + 1;
      throw this.error('Unicode low surrogate must follow a high surrogate.');
    }
    this.token = 'string';
    this.value = value + text.slice(from, i);
    this.end = i + 1;
  }

  // --- grammar

  private parseValue(): JsonNode {
    const { start, end } = this;
    const kind = this.token;
    switch (kind) {
      case '{': return this.parseObject();
      case '[': return this.parseArray();
      case 'string': {
        const { value } = this;
        this.advance();
        return { kind, start, end, value };
      }
      case 'number': case 'true': case 'false': case 'null':
        this.advance();
        return { kind, start, end };
      default:
        throw this.unexpected('value');
    }
  }

  private parseObject(): JsonNode {
    if (++this.depth > MAX_DEPTH) throw stackDepthExceeded();
    const { start } = this;
    const members: JsonMember[] = [];
    this.advance();
    if (this.token === 'string') {
      members.push(this.parseMember());
      while ((this.token as TokenType) === ',') {
        this.advance();
        if (this.token !== 'string') throw this.unexpected('string');
        members.push(this.parseMember());
      }
    } else if (this.token !== '}') {
      throw this.unexpected('objectStart');
    }
    if ((this.token as TokenType) !== '}') throw this.unexpected('objectNext');
    const { end } = this;
    this.advance();
    this.depth--;
    return { kind: 'object', start, end, members };
  }

  private parseMember(): JsonMember {
    const key = this.value;
    this.advance();
    if (this.token !== ':') throw this.unexpected('colon');
    this.advance();
    return { key, value: this.parseValue() };
  }

  private parseArray(): JsonNode {
    if (++this.depth > MAX_DEPTH) throw stackDepthExceeded();
    const { start } = this;
    const elements: JsonNode[] = [];
    this.advance();
    if (this.token !== ']') {
      elements.push(this.parseValue());
      while ((this.token as TokenType) === ',') {
        this.advance();
        elements.push(this.parseValue());
      }
    }
    if ((this.token as TokenType) !== ']') throw this.unexpected('arrayNext');
    const { end } = this;
    this.advance();
    this.depth--;
    return { kind: 'array', start, end, elements };
  }
}

/** The tree of a JSON text; `unescape`: escapes must stand for text that PostgreSQL can hold. */
export function parseJson(text: string, unescape = true): JsonNode {
  try {
    return new Parser(text, unescape).parse();
  } catch (error) {
    throw error instanceof RangeError ? stackDepthExceeded() : error;
  }
}

/** Throws unless the text is JSON. */
export function checkJson(text: string): void {
  try {
    JSON.parse(text);
    if (text.length < MAX_DEPTH) return;
  } catch {
    // Then our own parser says why.
  }
  parseJson(text, false);
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f]/;

/** escape_json: with quotes. */
export function quoteJson(text: string): string {
  expectBytes(text.length);
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function lengthBytes(key: string): number {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) > 127) return Buffer.byteLength(key);
  return key.length;
}

/** Order of the keys of a jsonb object: by length in bytes, then by bytes. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const x = lengthBytes(a), y = lengthBytes(b);
  return x !== y ? x - y : compareText(a, b);
}
