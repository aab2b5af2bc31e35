// Looking into a jsonb as it is stored, without making a tree of it. What is stored was written by itemToText (jsonb.ts): each key once,
// `", "` and `": "` between, nothing escaped that need not be.
import { quoteJson } from './json_parse.ts';

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;

export const isObjectText = (text: string): boolean => text.charCodeAt(0) === OPEN_OBJECT;

/** Behind the closing quote of the string that begins at `at`. */
export function endOfString(text: string, at: number): number {
  const end = text.indexOf('"', at + 1);
  if (text.charCodeAt(end - 1) !== BACKSLASH) return end + 1;
  for (let i = at + 1; ; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i++;
  }
}

/** Behind the value that begins at `at`. */
function endOfValue(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length;) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
      if (depth === 0) return i;
      continue;
    }
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth++;
    else if (c === CLOSE_OBJECT || c === CLOSE_ARRAY) {
      if (depth === 0) return i; // of what the value is in
      if (--depth === 0) return i + 1;
    } else if (c === COMMA && depth === 0) return i;
    i++;
  }
  return text.length;
}

let lastKey = '', lastQuoted = '""', lastMember: string | null = null;

/** The text of the value that an object has under the key; undefined: it has no such key. */
export function memberText(text: string, key: string): string | undefined {
  if (key !== lastKey) {
    lastQuoted = quoteJson(key);
    lastMember = /^\w+$/.test(key) ? `${lastQuoted}:` : null;
    lastKey = key;
  }
  const quoted = lastQuoted;
  // A word in quotes before a colon is a key, unless the first of the quotes is part of one; the object's own if nothing is opened before it.
  if (lastMember !== null) {
    const at = text.indexOf(lastMember, 1);
    if (at < 0) return undefined;
    const object = text.indexOf('{', 1), array = text.indexOf('[', 1);
    if (text.charCodeAt(at - 1) !== BACKSLASH && (object < 0 || object > at) && (array < 0 || array > at)) {
      const from = at + lastMember.length + 1;
      return text.slice(from, endOfValue(text, from));
    }
  }
  for (let at = 1; text.charCodeAt(at) === QUOTE;) {
    const end = endOfString(text, at), from = end + 2, to = endOfValue(text, from);
    if (end - at === quoted.length && text.startsWith(quoted, at)) return text.slice(from, to);
    at = to + 2;
  }
  return undefined;
}
