// Functions over text: case, padding, trimming, splitting, translating. PostgreSQL's oracle_compat.c and half of varlena.c.
import { PgError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { ArrayValue, makeArray, type Datum, type Int8, type Oid } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { invalidParameter, limitExceeded } from './errors.ts';
import { hasPlainCtype, icuCollator } from './collation.ts';
import { byPieces, charactersOf, charLength, hasSurrogates, joinTexts, sliceChars, splitText, trimPadding, utf8Length } from './characters.ts';
import { typeHooks } from './hooks.ts';
import { TEXTOID } from './oids.ts';
import { MAX_TEXT_BYTES } from './text.ts';

const ASCII = /^[\x00-\x7f]*$/;
/** One character to one character, as towupper and towlower do. */
function mapChars(text: string, change: (char: string) => string): string {
  return byPieces(text, (piece) => {
    let result = '';
    for (const char of piece) {
      const changed = change(char);
      result += changed.length === char.length || charLength(changed) === 1 ? changed : char;
    }
    return result;
  });
}

function upperText(text: string, collation: Oid): string {
  expectBytes(text.length);
  const collator = icuCollator(collation);
  if (collator !== null) return collator.upper(text);
  if (ASCII.test(text)) return text.toUpperCase();
  if (hasPlainCtype(collation)) return byPieces(text, (piece) => piece.replace(/[a-z]+/g, (part) => part.toUpperCase()));
  return mapChars(text, (char) => char.toUpperCase());
}

export function lowerText(text: string, collation: Oid): string {
  expectBytes(text.length);
  const collator = icuCollator(collation);
  if (collator !== null) return collator.lower(text);
  if (ASCII.test(text)) return text.toLowerCase();
  if (hasPlainCtype(collation)) return byPieces(text, (piece) => piece.replace(/[A-Z]+/g, (part) => part.toLowerCase()));
  return mapChars(text, (char) => (char === '\u0130' ? 'i' : char.toLowerCase()));
}

/** A replaced word takes a string, and places in V8's list of what the result is made of. */
const BYTES_PER_WORD_LETTER = 32;

function initcap(text: string, collation: Oid): string {
  expectBytes(text.length * BYTES_PER_WORD_LETTER);
  const collator = icuCollator(collation), ascii = hasPlainCtype(collation);
  if (collator !== null) return collator.initcap(text);
  return text.replace(ascii ? /[a-z0-9]+/gi : /[\p{L}\p{N}]+/gu, (word) => {
    const first = String.fromCodePoint(word.codePointAt(0)!);
    return upperText(first, collation) + lowerText(word.slice(first.length), collation);
  });
}

/** Trims the characters of a set from either end. */
function trimText(text: string, set: string, left: boolean, right: boolean): string {
  let start = 0, end = text.length;
  if (!hasSurrogates(text)) {
    if (left) while (start < end && set.includes(text[start]!)) start++;
    if (right) while (end > start && set.includes(text[end - 1]!)) end--;
    return text.slice(start, end);
  }
  const chars = charactersOf(text), unwanted = new Set(set);
  end = chars.length;
  if (left) while (start < end && unwanted.has(chars[start]!)) start++;
  if (right) while (end > start && unwanted.has(chars[end - 1]!)) end--;
  return chars.slice(start, end).join('');
}

function checkLength(characters: number): void {
  if (characters > MAX_TEXT_BYTES / 4) throw limitExceeded('requested length too large');
}

function pad(text: string, length: number, fill: string, left: boolean): string {
  length = Math.max(length, 0);
  checkLength(length);
  const have = charLength(text);
  if (have >= length) return sliceChars(text, 0, length);
  const fillLength = charLength(fill);
  if (fillLength === 0) return text;
  expectBytes(length);
  const missing = length - have;
  const padding = sliceChars(fill.repeat(Math.ceil(missing / fillLength)), 0, missing);
  return left ? padding + text : text + padding;
}

function repeatText(text: string, count: number): string {
  if (count <= 0 || text === '') return '';
  if (utf8Length(text) * count > MAX_TEXT_BYTES - 4) throw limitExceeded('requested length too large');
  expectBytes(text.length * count);
  return text.repeat(count);
}

function chr(code: number): string {
  if (code < 0) throw invalidParameter('character number must be positive');
  if (code === 0) throw limitExceeded('null character not permitted');
  if (code > 0x10ffff) throw limitExceeded(`requested character too large for encoding: ${code}`);
  if (code >= 0xd800 && code <= 0xdfff) throw limitExceeded(`requested character not valid for encoding: ${code}`);
  return String.fromCodePoint(code);
}

function translate(text: string, from: string, to: string): string {
  const targets = [...to];
  const map = new Map<string, string>();
  [...from].forEach((char, i) => {
    if (!map.has(char)) map.set(char, targets[i] ?? '');
  });
  return byPieces(text, (piece) => {
    let result = '';
    for (const char of piece) result += map.get(char) ?? char;
    return result;
  });
}

function splitPart(text: string, separator: string, field: number): string {
  if (field === 0) throw invalidParameter('field position must not be zero');
  if (text === '') return '';
  if (separator === '') return field === 1 || field === -1 ? text : '';
  const parts = splitText(text, separator);
  return parts[field > 0 ? field - 1 : parts.length + field] ?? '';
}

/** The fields of string_to_array: a NULL separator splits into characters, an empty one not at all. */
function splitFields(text: string, separator: string | null, nullText: string | null): (string | null)[] {
  if (text === '') return [];
  const fields = separator === null ? charactersOf(text) : separator === '' ? [text] : splitText(text, separator);
  return nullText === null ? fields : fields.map((field) => (field === nullText ? null : field));
}

const toArray = (text: string | null, separator: string | null, nullText: string | null): ArrayValue | null =>
  text === null ? null : makeArray(TEXTOID, splitFields(text, separator, nullText));

function joinArray(array: ArrayValue, separator: string, nullText: string | null): string {
  const { output } = typeHooks.typeIo(array.elementType);
  const parts: string[] = [];
  for (const value of array.values) {
    if (value !== null) parts.push(output(value));
    else if (nullText !== null) parts.push(nullText);
  }
  return joinTexts(parts, separator);
}

/** The arguments of concat and friends from number `first` on, as text; NULLs stay. VARIADIC gives them as an array. */
function variadicTexts(context: FunctionContext, args: readonly Datum[], first: number): (string | null)[] | null {
  if (context.variadic) {
    const array = args.at(-1) as ArrayValue | null;
    if (array === null) return null;
    const { output } = typeHooks.typeIo(array.elementType);
    return array.values.map((value) => (value === null ? null : output(value)));
  }
  return args.slice(first).map((value, i) => (value === null ? null : typeHooks.typeIo(context.argTypes[first + i]!).output(value)));
}

const present = (texts: (string | null)[]): string[] => texts.filter((text) => text !== null);

// --- Unicode

const FORMS = new Set(['NFC', 'NFD', 'NFKC', 'NFKD']);

function normalForm(name: string): string {
  const form = name.toUpperCase();
  if (!FORMS.has(form)) throw invalidParameter(`invalid normalization form: ${name}`);
  return form;
}

function normalize(text: string, form: string): string {
  expectBytes(text.length * 2);
  return text.normalize(normalForm(form));
}

function unistr(text: string): string {
  expectBytes(text.length);
  let result = '';
  let high = 0;
  const bad = (): PgError => new PgError('syntax_error', 'invalid Unicode surrogate pair');
  for (let i = 0; i < text.length;) {
    let code = -1;
    if (text[i] !== '\\') {
      if (high !== 0) throw bad();
      result += text[i++];
      continue;
    }
    if (text[i + 1] === '\\') {
      if (high !== 0) throw bad();
      result += '\\';
      i += 2;
      continue;
    }
    const match = /^\\(?:([0-9a-fA-F]{4})|u([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|U([0-9a-fA-F]{8}))/.exec(text.slice(i, i + 10));
    if (match !== null) code = parseInt(match[1] ?? match[2] ?? match[3] ?? match[4]!, 16);
    if (code < 0) {
      throw new PgError('syntax_error', 'invalid Unicode escape',
        { hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.' });
    }
    if (code === 0 || code > 0x10ffff) throw invalidParameter(`invalid Unicode code point: ${code.toString(16).toUpperCase().padStart(4, '0')}`);
    if (high !== 0) {
      if (code < 0xdc00 || code > 0xdfff) throw bad();
      result += String.fromCharCode(high, code);
      high = 0;
    } else if (code >= 0xd800 && code <= 0xdbff) {
      high = code;
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      throw bad();
    } else {
      result += String.fromCodePoint(code);
    }
    i += match![0].length;
  }
  if (high !== 0) throw bad();
  return result;
}

const both = (text: string, set = ' '): string => trimText(text, set, true, true);
const left = (text: string, set = ' '): string => trimText(text, set, true, false);
const right = (text: string, set = ' '): string => trimText(text, set, false, true);

registerBuiltins({
  pure: {
    btrim: both,
    btrim1: (text: string) => both(text),
    ltrim: left,
    ltrim1: (text: string) => left(text),
    rtrim: right,
    rtrim1: trimPadding,
    lpad: (text: string, length: number, fill: string) => pad(text, length, fill, true),
    rpad: (text: string, length: number, fill: string) => pad(text, length, fill, false),
    repeat: repeatText,
    ascii: (text: string) => text.codePointAt(0) ?? 0,
    chr,
    translate,
    split_part: splitPart,
    text_to_array: (text: string | null, separator: string | null) => toArray(text, separator, null),
    text_to_array_null: toArray,
    array_to_text: (array: ArrayValue, separator: string) => joinArray(array, separator, null),
    array_to_text_null: (array: ArrayValue | null, separator: string | null, nullText: string | null) =>
      array === null || separator === null ? null : joinArray(array, separator, nullText),
    to_hex32: (value: number) => (value >>> 0).toString(16),
    to_hex64: (value: Int8) => BigInt.asUintN(64, BigInt(value)).toString(16),
    unicode_normalize_func: normalize,
    unicode_is_normalized: (text: string, form: string) => normalize(text, form) === text,
    unistr,
  },
  context: {
    upper: (context: FunctionContext, text: string) => upperText(text, context.collation),
    lower: (context: FunctionContext, text: string) => lowerText(text, context.collation),
    initcap: (context: FunctionContext, text: string) => initcap(text, context.collation),
    text_concat: (context: FunctionContext, ...args: Datum[]) => {
      const texts = variadicTexts(context, args, 0);
      return texts === null ? null : joinTexts(present(texts), '');
    },
    text_concat_ws: (context: FunctionContext, separator: string | null, ...args: Datum[]) => {
      if (separator === null) return null;
      const texts = variadicTexts(context, [separator, ...args], 1);
      return texts === null ? null : joinTexts(present(texts), separator);
    },
  },
  set: {
    text_to_table: (_context: FunctionContext, text: string | null, separator: string | null) =>
      text === null ? [] : splitFields(text, separator, null),
    text_to_table_null: (_context: FunctionContext, text: string | null, separator: string | null, nullText: string | null) =>
      text === null ? [] : splitFields(text, separator, nullText),
  },
});
