// LIKE and ILIKE, over text and bytea, and the ESCAPE clauses. A pattern is split at its "%" once and then kept.
import { PgError } from '../../common/errors.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { lowerText } from './string_ops.ts';

type Matcher = (text: string) => boolean;

/** A stretch of pattern without "%": a plain string, or a RegExp source when it has "_". */
interface Segment { text: string; wild: boolean }

function parsePattern(pattern: string): { segments: Segment[]; percents: number } {
  const segments: Segment[] = [{ text: '', wild: false }];
  let percents = 0;
  let parts: (string | null)[] = [];
  const finish = (): void => {
    const wild = parts.includes(null);
    segments[segments.length - 1] = {
      text: parts.map((part) => (part === null ? '[^]' : wild ? part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : part)).join(''), wild,
    };
    parts = [];
  };
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '%') {
      finish();
      segments.push({ text: '', wild: false });
      percents++;
    } else if (char === '_') {
      parts.push(null);
    } else if (char === '\\') {
      i++;
      parts.push(pattern[i]!);
    } else {
      parts.push(char);
    }
  }
  finish();
  return { segments, percents };
}

/** An escape character with nothing after it is an error only for a text that gets the match as far as there: with a character left for it,
 * unless "%" looks ahead for what follows. */
function endsInEscape(pattern: string): boolean {
  return pattern.endsWith('\\') && /(\\+)$/.exec(pattern)![1]!.length % 2 === 1;
}

function compilePattern(pattern: string): Matcher {
  if (endsInEscape(pattern)) {
    const before = pattern.slice(0, -1);
    const reaches = compilePattern(/(?<!\\)%%*_[%_]*$/.test(before) ? before : `${before}_%`);
    return (text) => {
      if (reaches(text)) throw new PgError('invalid_escape_sequence', 'LIKE pattern must not end with escape character');
      return false;
    };
  }
  const { segments, percents } = parsePattern(pattern);
  const first = segments[0]!, last = segments.at(-1)!;
  if (!segments.some((segment) => segment.wild)) {
    if (percents === 0) return (text) => text === first.text;
    if (percents === 1) {
      if (last.text === '') return (text) => text.startsWith(first.text);
      if (first.text === '') return (text) => text.endsWith(last.text);
    }
    if (percents === 2 && first.text === '' && last.text === '') {
      const inner = segments[1]!.text;
      return (text) => text.includes(inner);
    }
  }
  if (percents === 0) {
    const whole = new RegExp(`^${first.text}$`, 'u');
    return (text) => whole.test(text);
  }
  // The first segment stands at the start, the last at the end, those between as far left as they can.
  const finders = segments.map((segment, i) => {
    if (!segment.wild) return null;
    if (i === segments.length - 1) return new RegExp(`${segment.text}$`, 'gu');
    return new RegExp(segment.text, i === 0 ? 'uy' : 'gu');
  });
  return (text) => {
    let at = 0;
    for (let i = 0; i < segments.length - 1; i++) {
      const finder = finders[i];
      if (finder) {
        finder.lastIndex = at;
        if (!finder.test(text)) return false;
        at = finder.lastIndex;
      } else {
        const segment = segments[i]!.text;
        const found = i === 0 ? (text.startsWith(segment) ? 0 : -1) : text.indexOf(segment, at);
        if (found < 0) return false;
        at = found + segment.length;
      }
    }
    const finder = finders.at(-1);
    if (finder) {
      finder.lastIndex = at;
      return finder.test(text);
    }
    return text.length - last.text.length >= at && text.endsWith(last.text);
  };
}

const cache = new Map<string, Matcher>();
let lastPattern: string | undefined;
let lastMatcher: Matcher = () => false;

function matcherOf(pattern: string): Matcher {
  if (pattern === lastPattern) return lastMatcher;
  let matcher = cache.get(pattern);
  if (matcher === undefined) {
    matcher = compilePattern(pattern);
    if (cache.size >= 256) cache.clear();
    cache.set(pattern, matcher);
  }
  lastPattern = pattern;
  lastMatcher = matcher;
  return matcher;
}

function like(text: string, pattern: string): boolean {
  return matcherOf(pattern)(text);
}

function ilike(text: string, pattern: string, collation: number): boolean {
  return like(lowerText(text, collation), lowerText(pattern, collation));
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** LIKE ... ESCAPE: the pattern with the backslash as its escape character. */
function likeEscape(pattern: string, escape: string): string {
  const chars = [...escape];
  if (chars.length === 0) return pattern.replaceAll('\\', '\\\\');
  if (chars.length > 1) {
    throw new PgError('invalid_escape_sequence', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
  }
  if (escape === '\\') return pattern;
  let result = '';
  let escaped = false;
  for (const char of pattern) {
    if (char === escape && !escaped) {
      result += '\\';
      escaped = true;
    } else {
      if (char === '\\' && !escaped) result += '\\';
      result += char;
      escaped = false;
    }
  }
  return result;
}

const caseless = (context: FunctionContext, text: string, pattern: string): boolean => ilike(text, pattern, context.collation);
const notCaseless = (context: FunctionContext, text: string, pattern: string): boolean => !ilike(text, pattern, context.collation);
const notLike = (text: string, pattern: string): boolean => !like(text, pattern);

registerBuiltins({
  pure: {
    textlike: like,
    textnlike: notLike,
    namelike: like,
    namenlike: notLike,
    bytealike: (bytes: Uint8Array, pattern: Uint8Array) => like(latin1(bytes), latin1(pattern)),
    byteanlike: (bytes: Uint8Array, pattern: Uint8Array) => !like(latin1(bytes), latin1(pattern)),
    like_escape: likeEscape,
    like_escape_bytea: (pattern: Uint8Array, escape: Uint8Array) => Buffer.from(likeEscape(latin1(pattern), latin1(escape)), 'latin1'),
  },
  context: {
    texticlike: caseless,
    texticnlike: notCaseless,
    nameiclike: caseless,
    nameicnlike: notCaseless,
  },
});
