// Text as SQL counts it: in characters (code points), while JavaScript counts UTF-16 units. Every function has a fast
// path for text without surrogates, where both are the same.
import { checkForInterrupts } from '../utils/interrupts.ts';
import { expectBytes } from '../utils/memory_limit.ts';

const SURROGATE = /[\ud800-\udfff]/;

export function hasSurrogates(text: string): boolean {
  return SURROGATE.test(text);
}

/** Length in characters. */
export function charLength(text: string): number {
  const units = text.length;
  if (units === 0 || !SURROGATE.test(text)) return units;
  let count = units;
  for (let i = 0; i < units - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800) {
      count--;
      i++;
    }
  }
  return count;
}

/** What is made of a text by the piece needs no more memory than a piece's multiple, and can be cancelled. */
const PIECE_UNITS = 1 << 16;

const NEVER = /(?!)/;

/** The same text in one piece: V8 keeps what was added up as a tree, of 32 bytes for each addition, until somebody looks into it. */
export function flat(text: string): string {
  NEVER.test(text);
  return text;
}

/** `change(text)` for changes that look at each character for itself. */
export function byPieces(text: string, change: (piece: string) => string): string {
  if (text.length <= PIECE_UNITS) return change(text);
  const parts: string[] = [];
  for (let at = 0, end = 0; at < text.length; at = end) {
    checkForInterrupts();
    end = at + PIECE_UNITS;
    if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
    parts.push(flat(change(text.slice(at, end))));
  }
  return joinTexts(parts, '');
}

/** `parts.join(separator)`, where there is room for it. */
export function joinTexts(parts: readonly string[], separator: string): string {
  let length = parts.length * separator.length;
  for (let i = 0; i < parts.length; i++) length += parts[i]!.length;
  expectBytes(length);
  return parts.join(separator);
}

/** `text.split(separator)` that can be cancelled. */
export function splitText(text: string, separator: string): string[] {
  if (text.length <= PIECE_UNITS) return text.split(separator);
  const fields: string[] = [];
  let at = 0;
  for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, at)) {
    fields.push(text.slice(at, end));
    at = end + separator.length;
    if ((fields.length & 1023) === 0) checkForInterrupts();
  }
  fields.push(text.slice(at));
  return fields;
}

/** V8 cannot make an array of more than 2^27 elements, and dies of trying. */
const BYTES_PER_CHARACTER_IN_ARRAY = 32;

/** The characters of a text, one by one. */
export function charactersOf(text: string): string[] {
  expectBytes(text.length * BYTES_PER_CHARACTER_IN_ARRAY);
  return [...text];
}

/** Index in UTF-16 units of the character number `index` (from 0), at most the length. */
export function unitOffset(text: string, index: number): number {
  if (index <= 0) return 0;
  if (!SURROGATE.test(text)) return Math.min(index, text.length);
  let at = 0;
  for (let i = 0; i < index && at < text.length; i++) at += (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
  return Math.min(at, text.length);
}

/** Characters from `start` (from 0) up to but without `end`. */
export function sliceChars(text: string, start: number, end: number): string {
  if (!SURROGATE.test(text)) return text.slice(Math.max(start, 0), Math.max(end, 0));
  return text.slice(unitOffset(text, start), unitOffset(text, end));
}

/** Number of characters before a UTF-16 offset. */
export function charIndex(text: string, offset: number): number {
  return charLength(text.slice(0, offset));
}

/** Length in bytes of the UTF-8 form. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** At most so many bytes of UTF-8, cut at a character boundary. */
export function clipUtf8(text: string, limitBytes: number): string {
  if (text.length * 3 <= limitBytes || utf8Length(text) <= limitBytes) return text;
  let bytes = 0;
  let end = 0;
  for (const char of text) {
    bytes += utf8Length(char);
    if (bytes > limitBytes) break;
    end += char.length;
  }
  return text.slice(0, end);
}

/** Order by code point, which is the order of the UTF-8 bytes (the C collation). */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates stand for code points beyond U+FFFF: they come after U+E000 to U+FFFF.
      const xSurrogate = (x & 0xf800) === 0xd800, ySurrogate = (y & 0xf800) === 0xd800;
      return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : -1;
    }
  }
  return a.length - b.length;
}

/** char(n) compares without its trailing spaces. */
export function trimPadding(text: string): string {
  let end = text.length;
  if (end === 0 || text.charCodeAt(end - 1) !== 32) return text;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return text.slice(0, end);
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
