// The default text search parser: cuts text into tokens as PostgreSQL's wparser_def.c does, which is a state machine; here each
// kind of token is a pattern, tried in an order that gives the same. Compound tokens (URLs, hyphenated words) are given whole and
// then in parts.
import { checkForInterrupts } from '../utils/interrupts.ts';
import * as T from './token_types.ts';

export interface Token { readonly type: number; readonly text: string }

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?';
/** The last label of a host name has two letters at least, and nothing else. */
const HOST = `(?:${LABEL}\\.)+[A-Za-z]{2,}(?![A-Za-z0-9])(?::[0-9]+)?`;

const TAG = /<(?:!--[\s\S]*?-->|(?:\/?[A-Za-z_:][A-Za-z0-9_:.-]*(?=\s|\/?>)|![A-Za-z]|\?x)(?:[A-Za-z0-9=\-_#/:.&?%~\s]|"[^"]*"|'[^']*')*>)/y;
const ENTITY = /&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z_:][A-Za-z0-9._:-]*);/y;
const PROTOCOL = /[A-Za-z]+:\/\//y;
const EMAIL = new RegExp(`[A-Za-z0-9][A-Za-z0-9._-]*@${HOST}`, 'y');
const HOST_AT = new RegExp(HOST, 'y');
/** What follows a host: one character at least that may stand in a URL. */
const PATH_AT = /\/[!#-;=?-[\]_a-z~]+/y;
const FILE = /(?:~?\/[A-Za-z0-9_.~][A-Za-z0-9_.-]*|~[A-Za-z0-9_][A-Za-z0-9_.-]*|\.{1,2}\/[A-Za-z0-9_.-]+|[A-Za-z0-9]+(?:(?=\/)|\.[A-Za-z0-9_][A-Za-z0-9_.-]*))(?:\/[A-Za-z0-9_.~][A-Za-z0-9_.~-]*)*/y;
const SCIENTIFIC = /[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+/y;
const VERSION = /[0-9]+(?:\.[0-9]+){2,}/y;
const DECIMAL = /[+-]?[0-9]+\.[0-9]+/y;
const SIGNED_DECIMAL = /[+-][0-9]+\.[0-9]+/y;
const SIGNED = /[+-][0-9]+/y;
const UNSIGNED = /[0-9]+(?![\p{L}\p{N}])/uy;
const WORD = /[\p{L}\p{N}\p{M}]+/uy;
const COMPOUND = /(?=\p{N}*\p{L})[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:-[\p{L}\p{N}\p{M}]+)+/uy;
const STARTS = /[\p{L}\p{N}]/u;

export function parseText(text: string): Token[] {
  const tokens: Token[] = [];
  let blank = '';
  const flush = (): void => {
    if (blank !== '') tokens.push({ type: T.SPACE, text: blank });
    blank = '';
  };
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  const put = (type: number, found: string): void => {
    flush();
    tokens.push({ type, text: found });
    at += found.length;
  };
  // Between these and their ends nothing is a word.
  let ignoring = false;
  while (at < text.length) {
    checkForInterrupts();
    const char = String.fromCodePoint(text.codePointAt(at)!);
    // These begin something of their own, or a new run of blanks.
    if (char === '<' || !ignoring && '&+-/'.includes(char)) flush();
    const before = blank === '';
    if (char === '<') {
      const tag = match(TAG);
      if (tag !== null) {
        if (/^<\/?(?:script|style)[\s>]/i.test(tag)) ignoring = tag[1] !== '/';
        put(T.TAG, tag);
        continue;
      }
    }
    if (ignoring) {
      blank += char;
      at += char.length;
      continue;
    }
    if (char === '&') {
      const entity = match(ENTITY);
      if (entity !== null) { put(T.ENTITY, entity); continue; }
    }
    const found: Found | null = STARTS.test(char) ? ofWord(text, match) : char === '/' || char === '~' || char === '.' ? ofPath(match, before) : ofNumber(char, match);
    if (found === null) {
      blank += char;
      at += char.length;
      continue;
    }
    flush();
    for (const t of found.tokens) tokens.push(t);
    at += found.length;
    // The hyphen after a compound word was looked at as its next one: no number begins with it.
    if (found.tokens.length > 1 && found.tokens[0]!.type !== T.URL_T && text[at] === '-') {
      blank = '-';
      at++;
    }
  }
  flush();
  return tokens;
}

interface Found { tokens: Token[]; length: number }
type Match = (pattern: RegExp) => string | null;
const one = (type: number, text: string): Found => ({ tokens: [{ type, text }], length: text.length });

/** What begins with a sign. */
function ofNumber(char: string, match: Match): Found | null {
  if (char !== '+' && char !== '-') return null;
  for (const [type, pattern] of [[T.SCIENTIFIC, SCIENTIFIC], [T.DECIMAL, SIGNED_DECIMAL], [T.SIGNEDINT, SIGNED]] as const) {
    const found = match(pattern);
    if (found !== null) return one(type, found);
  }
  return null;
}

function ofPath(match: Match, before: boolean): Found | null {
  const file = match(FILE);
  if (file === null || !before) return null;
  const trimmed = file.replace(/\.+$/, '');
  return /^(?:~?\/|\.{1,2}\/|~)./.test(trimmed) ? one(T.FILEPATH, trimmed) : null;
}

function ofWord(text: string, match: Match): Found | null {
  const protocol = match(PROTOCOL);
  if (protocol !== null) return one(T.PROTOCOL, protocol);
  const email = match(EMAIL);
  if (email !== null) return one(T.EMAIL, email);
  const host = match(HOST_AT);
  if (host !== null) {
    const path = pathAfter(text, match);
    if (path === null) return one(T.HOST, host);
    return { tokens: [{ type: T.URL_T, text: host + path }, { type: T.HOST, text: host }, { type: T.URLPATH, text: path }], length: host.length + path.length };
  }
  for (const [type, pattern] of [[T.SCIENTIFIC, SCIENTIFIC], [T.VERSION, VERSION], [T.DECIMAL, DECIMAL]] as const) {
    const found = match(pattern);
    if (found !== null) return one(type, found);
  }
  const file = match(FILE)?.replace(/\.+$/, '');
  if (file !== undefined && /[/.]./.test(file) && /[A-Za-z]/.test(file)) return one(T.FILEPATH, file);
  return compound(match) ?? plain(match);
}

/** A path that is more than a slash, right after the host. */
function pathAfter(text: string, match: Match): string | null {
  match(HOST_AT);
  PATH_AT.lastIndex = HOST_AT.lastIndex;
  const path = PATH_AT.exec(text)?.[0] ?? null;
  return path === null || path === '/' ? null : path;
}

const isAscii = (s: string): boolean => /^[A-Za-z]+$/.test(s);
const isLetters = (s: string): boolean => /^[\p{L}\p{M}]+$/u.test(s);

function compound(match: Match): Found | null {
  const found = match(COMPOUND);
  if (found === null) return null;
  // A number after a hyphen is a signed one.
  const parts = found.split('-');
  const upTo = parts.findIndex((p, i) => i > 0 && /^[0-9]+$/.test(p));
  const words = upTo < 0 ? parts : parts.slice(0, upTo);
  if (words.length < 2) return null;
  const whole = words.join('-');
  const type = words.every(isAscii) ? T.ASCIIHWORD : words.every(isLetters) ? T.HWORD : T.NUMHWORD;
  const tokens: Token[] = [{ type, text: whole }];
  words.forEach((word, i) => {
    if (i > 0) tokens.push({ type: T.SPACE, text: '-' });
    tokens.push({ type: isAscii(word) ? T.ASCIIPARTHWORD : isLetters(word) ? T.PARTHWORD : T.NUMPARTHWORD, text: word });
  });
  return { tokens, length: whole.length };
}

function plain(match: Match): Found | null {
  const number = match(UNSIGNED);
  if (number !== null) return one(T.UNSIGNEDINT, number);
  const word = match(WORD);
  if (word === null) return null;
  return one(isAscii(word) ? T.ASCIIWORD : isLetters(word) ? T.WORD : T.NUMWORD, word);
}
