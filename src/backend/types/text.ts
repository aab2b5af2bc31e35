// text, cstring, unknown: input and output, comparison, and the functions that need no more than characters.ts's view of
// a string. Others: string_ops.ts (padding, trimming, case, ...), format.ts, encode.ts, like.ts, regexp.ts.
import { registerBuiltins } from './fmgr.ts';
import { limitExceeded } from './errors.ts';
import { PgError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { byPieces, charactersOf, charIndex, charLength, compareText, joinTexts, sliceChars, splitText, unitOffset, utf8Length } from './characters.ts';
import { receiveText, sendText } from './wire.ts';

const same = (value: string): string => value;

/** A value may have at most 1 GB. */
export const MAX_TEXT_BYTES = 0x3fffffff;

/** What is longer is worth a look at memory; and replaced in by the piece. */
const LONG_TEXT = 1 << 16;

function expectText(length: number): void {
  if (length > MAX_TEXT_BYTES) throw limitExceeded('requested length too large');
  expectBytes(length);
}

export function concatText(a: string, b: string): string {
  const length = a.length + b.length;
  if (length > LONG_TEXT) expectText(length);
  return a + b;
}

function reverse(text: string): string {
  if (text.length <= 4096) return [...text].reverse().join('');
  const pieces: string[] = [];
  byPieces(text, (piece) => {
    pieces.push(charactersOf(piece).reverse().join(''));
    return '';
  });
  return joinTexts(pieces.reverse(), '');
}

function replaceText(text: string, from: string, to: string): string {
  if (from === '') return text;
  if (text.length * Math.max(1, to.length) <= LONG_TEXT) return text.replaceAll(from, () => to);
  return joinTexts(splitText(text, from), to);
}

/** substring(text from start for length): positions before 1 count against the length. */
function substringText(text: string, start: number, length?: number): string {
  if (length === undefined) return sliceChars(text, Math.max(start, 1) - 1, Infinity);
  const end = start + length;
  if (end < start) throw new PgError('substring_error', 'negative substring length not allowed');
  if (end < 1) return '';
  return sliceChars(text, Math.max(start, 1) - 1, end - 1);
}

function overlayText(text: string, replacement: string, start: number, length: number): string {
  if (start <= 0) throw new PgError('substring_error', 'negative substring length not allowed');
  const end = start + length;
  if (end > 2147483647) throw new PgError('numeric_value_out_of_range', 'integer out of range');
  expectBytes(text.length + replacement.length);
  return sliceChars(text, 0, start - 1) + replacement + substringText(text, end);
}

/** Position in characters, from 1; 0: not found. */
function positionOf(text: string, search: string): number {
  const at = text.indexOf(search);
  return at < 0 ? 0 : charIndex(text, at) + 1;
}

function leftText(text: string, count: number): string {
  return count >= 0 ? sliceChars(text, 0, count) : sliceChars(text, 0, charLength(text) + count);
}

function rightText(text: string, count: number): string {
  return count >= 0 ? text.slice(unitOffset(text, charLength(text) - count)) : count < -2147483647 ? text : text.slice(unitOffset(text, -count));
}

const eq = (a: string, b: string): boolean => a === b;
const ne = (a: string, b: string): boolean => a !== b;
const lt = (a: string, b: string): boolean => compareText(a, b) < 0;
const le = (a: string, b: string): boolean => compareText(a, b) <= 0;
const gt = (a: string, b: string): boolean => compareText(a, b) > 0;
const ge = (a: string, b: string): boolean => compareText(a, b) >= 0;

/** As the C library's memcmp: the difference of the first bytes that differ, else that of the lengths as -1, 0 or 1. */
function byteDifference(a: string, b: string): number {
  const x = Buffer.from(a), y = Buffer.from(b), length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return Math.sign(x.length - y.length);
}

registerBuiltins({
  pure: {
    textin: same, textout: same, textrecv: receiveText, textsend: sendText,
    cstring_in: same, cstring_out: same, cstring_recv: receiveText, cstring_send: sendText,
    unknownin: same, unknownout: same, unknownrecv: receiveText, unknownsend: sendText,

    texteq: eq, textne: ne, text_lt: lt, text_le: le, text_gt: gt, text_ge: ge, bttextcmp: compareText, gin_cmp_tslexeme: byteDifference, gin_compare_jsonb: byteDifference, btequalimage: () => true,
    text_pattern_lt: lt, text_pattern_le: le, text_pattern_gt: gt, text_pattern_ge: ge, bttext_pattern_cmp: compareText,
    text_larger: (a: string, b: string) => (compareText(a, b) > 0 ? a : b),
    text_smaller: (a: string, b: string) => (compareText(a, b) < 0 ? a : b),

    textlen: charLength,
    textoctetlen: utf8Length,
    textcat: concatText,
    text_substr: substringText,
    text_substr_no_len: (text: string, start: number) => substringText(text, start),
    textoverlay: overlayText,
    textoverlay_no_len: (text: string, replacement: string, start: number) =>
      overlayText(text, replacement, start, charLength(replacement)),
    textpos: positionOf,
    text_left: leftText,
    text_right: rightText,
    text_reverse: reverse,
    text_starts_with: (text: string, prefix: string) => text.startsWith(prefix),
    replace_text: replaceText,
  },
});
