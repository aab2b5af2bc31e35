// What every text that fits a pattern begins with (PostgreSQL's like_support.c): LIKE patterns and regular expressions that
// are anchored say so, and the texts between that beginning and the next greater one are a range of an index.

export type PatternKind = 'like' | 'ilike' | 'regex' | 'iregex' | 'prefix';
/** `rest`: the share of the texts with this beginning that fit the rest, as far as its looks tell. */
export interface FixedPrefix { prefix: string; exact: boolean; rest: number }

const FIXED_CHAR = 0.2, CHAR_RANGE = 0.25, ANY_CHAR = 0.9, FULL_WILDCARD = 5, PARTIAL_WILDCARD = 2;

/** Whether the other case of a letter fits, too. */
const hasCase = (c: string): boolean => /[A-Za-z\u0080-\uffff]/.test(c);

export function fixedPrefix(pattern: string, kind: PatternKind): FixedPrefix {
  switch (kind) {
    case 'prefix': return { prefix: pattern, exact: false, rest: 1 };
    case 'like': case 'ilike': return likePrefix(pattern, kind === 'ilike');
    case 'regex': case 'iregex': return regexPrefix(pattern, kind === 'iregex');
  }
}

function likePrefix(pattern: string, ignoreCase: boolean): FixedPrefix {
  let prefix = '';
  let at = 0;
  for (; at < pattern.length; at++) {
    if (pattern[at] === '%' || pattern[at] === '_') break;
    if (pattern[at] === '\\' && ++at >= pattern.length) break;
    if (ignoreCase && hasCase(pattern[at]!)) break;
    prefix += pattern[at]!;
  }
  return { prefix, exact: at >= pattern.length && pattern !== '', rest: likeSelectivity(pattern.slice(at)) };
}

function likeSelectivity(pattern: string): number {
  let s = 1;
  let at = 0;
  while (pattern[at] === '%' || pattern[at] === '_') at++;
  for (; at < pattern.length; at++) {
    if (pattern[at] === '%') s *= FULL_WILDCARD;
    else if (pattern[at] === '_') s *= ANY_CHAR;
    else {
      if (pattern[at] === '\\' && ++at >= pattern.length) break;
      s *= FIXED_CHAR;
    }
  }
  return Math.min(1, s);
}

function regexPrefix(pattern: string, ignoreCase: boolean): FixedPrefix {
  const none: FixedPrefix = { prefix: '', exact: false, rest: regexSelectivity(pattern, 0) };
  if (pattern[0] !== '^' || hasAlternative(pattern, 1)) return none;
  const { prefix, stop } = fixedSequence(pattern, 1, ignoreCase);
  if (prefix === '') return none;
  if (stop === pattern.length - 1 && pattern[stop] === '$') return { prefix, exact: true, rest: 1 };
  return { prefix, exact: false, rest: regexSelectivity(pattern, prefix.length) };
}

/** The index after the bracket expression that begins here. */
function afterBracket(pattern: string, at: number): number {
  let i = at + 1;
  if (pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length && pattern[i] !== ']'; i++) {
    const of = pattern[i + 1];
    if (pattern[i] !== '[' || (of !== '.' && of !== ':' && of !== '=')) continue;
    const end = pattern.indexOf(`${of}]`, i + 2);
    if (end < 0) return pattern.length;
    i = end + 1;
  }
  return i + 1;
}

/** Whether there is a | before the group that begins here ends. */
function hasAlternative(pattern: string, from: number): boolean {
  let depth = 0;
  for (let i = from; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') i++;
    else if (c === '[') i = afterBracket(pattern, i) - 1;
    else if (c === '(') depth++;
    else if (c === ')' && depth-- === 0) return false;
    else if (c === '|' && depth === 0) return true;
  }
  return false;
}

/** The characters that stand for themselves, and where the first of something else is. */
function fixedSequence(pattern: string, from: number, ignoreCase: boolean): { prefix: string; stop: number } {
  let prefix = '';
  let at = from;
  for (;;) {
    const start = at;
    const c = pattern[at];
    let atom: string;
    if (c === undefined || '$^.[)|*+?{'.includes(c)) return { prefix, stop: at };
    if (c === '(') {
      let inside = at + 1;
      if (pattern[inside] === '?') {
        if (pattern[inside + 1] !== ':') return { prefix, stop: at };
        inside += 2;
      }
      if (hasAlternative(pattern, inside)) return { prefix, stop: at };
      const group = fixedSequence(pattern, inside, ignoreCase);
      if (pattern[group.stop] !== ')') return { prefix: prefix + group.prefix, stop: group.stop };
      atom = group.prefix;
      at = group.stop + 1;
    } else {
      if (c === '\\' && (at + 1 >= pattern.length || /\w/.test(pattern[at + 1]!))) return { prefix, stop: at };
      if (c === '\\') at++;
      atom = String.fromCodePoint(pattern.codePointAt(at)!);
      at += atom.length;
      if (ignoreCase && hasCase(atom)) return { prefix, stop: start };
    }
    const quantifier = pattern[at];
    if (quantifier === '*' || quantifier === '?' || quantifier === '{') return { prefix, stop: start };
    prefix += atom;
    if (quantifier === '+') return { prefix, stop: at };
  }
}

function regexSelectivity(pattern: string, prefixLength: number): number {
  let s = pattern.endsWith('$') && !pattern.endsWith('\\$') ? branchSelectivity(pattern.slice(0, -1)) : branchSelectivity(pattern) * FULL_WILDCARD;
  if (prefixLength > 0) s /= FIXED_CHAR ** prefixLength;
  return Math.min(1, s);
}

function branchSelectivity(pattern: string): number {
  let s = 1;
  let depth = 0;
  let start = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '(' && depth++ === 0) start = i + 1;
    else if (c === ')' && depth > 0) {
      if (--depth === 0) s *= branchSelectivity(pattern.slice(start, i));
    } else if (c === '|' && depth === 0) return Math.min(1, s + branchSelectivity(pattern.slice(i + 1)));
    else if (c === '[') {
      if (depth === 0) s *= pattern[i + 1] === '^' ? 1 - CHAR_RANGE : CHAR_RANGE;
      i = afterBracket(pattern, i) - 1;
    } else if (c === '\\') {
      i++;
      if (depth === 0) s *= FIXED_CHAR;
    } else if (depth > 0 || c === '^' || c === '$') continue;
    else if (c === '.') s *= ANY_CHAR;
    else if (c === '*' || c === '?' || c === '+') s *= PARTIAL_WILDCARD;
    else if (c === '{') {
      while (i < pattern.length && pattern[i] !== '}') i++;
      s *= PARTIAL_WILDCARD;
    } else s *= FIXED_CHAR;
  }
  return Math.min(1, s);
}

/** The least text, byte by byte, that is greater than all that begin with this one; null if there is none (make_greater_string). */
export function greaterText(text: string): string | null {
  const chars = [...text];
  while (chars.length > 0) {
    const code = chars.pop()!.codePointAt(0)!;
    if (code === 0x7f || code === 0x7ff || code === 0xffff || code === 0x10ffff) continue;
    return chars.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return null;
}
