// tsvector: sorted lexemes with the positions where they stand and the weights of those.
import { PgError } from '../../common/errors.ts';
import { compareText, utf8Length } from './characters.ts';
import { registerComparison } from './compare.ts';
import { makeArray, RecordValue, tupleDesc, type ArrayValue, type Datum } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { INT2ARRAYOID, INT2OID, RECORDOID, TEXTARRAYOID, TEXTOID, TSVECTOROID } from './oids.ts';
import { decodeUtf8, receiveText, sendInt16, sendInt32, sendText, WireReader } from './wire.ts';

export const MAX_POSITION = 16383, MAX_POSITIONS = 256, MAX_LEXEME_BYTES = 2046;
const WEIGHTS = 'DCBA';
const MAX_VECTOR_BYTES = (1 << 20) - 1;
const tooLong = (bytes: number): PgError => new PgError('program_limit_exceeded', `string is too long for tsvector (${bytes} bytes, max ${MAX_VECTOR_BYTES} bytes)`);

export interface Position { readonly at: number; readonly weight: number }
export interface Lexeme { readonly text: string; readonly positions: readonly Position[] }

export class TsVector {
  readonly lexemes: readonly Lexeme[];
  constructor(lexemes: readonly Lexeme[]) {
    this.lexemes = lexemes;
  }

  find(text: string): Lexeme | undefined {
    let low = 0, high = this.lexemes.length - 1;
    while (low <= high) {
      const mid = (low + high) >> 1, order = compareText(this.lexemes[mid]!.text, text);
      if (order === 0) return this.lexemes[mid];
      if (order < 0) low = mid + 1;
      else high = mid - 1;
    }
    return undefined;
  }
}

/** Sorted, each lexeme once; of equal positions the heaviest stays. Throws 54000 if it is more than PostgreSQL's form can hold. */
export function makeTsVector(lexemes: readonly Lexeme[], maxPositions = MAX_POSITIONS): TsVector {
  const byText = new Map<string, Map<number, number>>();
  for (const { text, positions } of lexemes) {
    let known = byText.get(text);
    if (known === undefined) byText.set(text, (known = new Map()));
    for (const { at, weight } of positions) known.set(at, Math.max(weight, known.get(at) ?? 0));
  }
  let bytes = 0;
  const sorted = [...byText].sort((a, b) => compareText(a[0], b[0])).map(([text, positions]) => {
    bytes += utf8Length(text);
    if (positions.size > 0) bytes += (bytes & 1) + 2 + 2 * Math.min(positions.size, maxPositions);
    return { text, positions: [...positions].sort((a, b) => a[0] - b[0]).slice(0, maxPositions).map(([at, weight]) => ({ at, weight })) };
  });
  if (bytes > MAX_VECTOR_BYTES) throw tooLong(bytes);
  return new TsVector(sorted);
}

const syntaxError = (text: string): PgError => new PgError('syntax_error', `syntax error in tsvector: "${text}"`);

function checkLexemeLength(text: string): void {
  const length = utf8Length(text);
  if (length > MAX_LEXEME_BYTES) throw new PgError('program_limit_exceeded', `word is too long (${length} bytes, max ${MAX_LEXEME_BYTES} bytes)`);
}

/** One word as tsvector and tsquery write it, quoted or not; `stops` says what else ends it. Null when there is none. */
export function readWord(text: string, start: number, stops: RegExp, fail: () => PgError): { word: string; at: number } | null {
  let at = start, word = '';
  const escaped = (): string => {
    const char = text[at + 1];
    if (char === undefined) throw new PgError('syntax_error', `there is no escaped character: "${text}"`);
    at += 2;
    return char;
  };
  if (text[at] === "'") {
    at++;
    for (;;) {
      const char = text[at];
      if (char === undefined) throw fail();
      if (char === '\\') word += escaped();
      else if (char !== "'") { word += char; at++; }
      else if (text[at + 1] === "'") { word += "'"; at += 2; }
      else { at++; break; }
    }
    if (word === '') throw fail();
    return { word, at };
  }
  let first = true;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\\') word += escaped();
    else if (/\s/.test(char) || (stops.test(char) && (!first || char !== ':'))) break;
    else { word += char; at++; }
    first = false;
  }
  return word === '' ? null : { word, at };
}

function tsVectorIn(text: string): TsVector {
  const lexemes: Lexeme[] = [];
  let bytes = 0;
  for (let at = 0; ;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at >= text.length) break;
    const found = readWord(text, at, /:/, () => syntaxError(text));
    if (found === null) throw syntaxError(text);
    at = found.at;
    checkLexemeLength(found.word);
    if (bytes > MAX_VECTOR_BYTES) throw tooLong(bytes);
    bytes += utf8Length(found.word);
    const positions: Position[] = [];
    if (text[at] === ':') {
      do {
        at++;
        const match = /^(\d+)[dD]*([a-cA-C*]?)/.exec(text.slice(at, at + 24));
        if (match === null) throw syntaxError(text);
        at += match[0].length;
        const place = Math.min(Number(match[1]), MAX_POSITION);
        if (place === 0) throw new PgError('syntax_error', `wrong position info in tsvector: "${text}"`);
        positions.push({ at: place, weight: match[2] === '*' ? 3 : Math.max(0, WEIGHTS.indexOf(match[2]!.toUpperCase() || 'D')) });
      } while (text[at] === ',');
      if (at < text.length && !/\s/.test(text[at]!)) throw syntaxError(text);
    }
    lexemes.push({ text: found.word, positions });
  }
  return makeTsVector(lexemes);
}

export const quoteLexeme = (text: string): string => `'${text.replace(/['\\]/g, '$&$&')}'`;
const weightText = (weight: number): string => (weight === 0 ? '' : WEIGHTS[weight]!);
const lexemeOut = ({ text, positions }: Lexeme): string =>
  quoteLexeme(text) + (positions.length === 0 ? '' : `:${positions.map(({ at, weight }) => at + weightText(weight)).join(',')}`);
const tsVectorOut = (vector: TsVector): string => vector.lexemes.map(lexemeOut).join(' ');

/** As bytes: in the protocol lexemes are as the client writes them, stored they are UTF-8. */
function tsVectorBytes({ lexemes }: TsVector, textBytes: (text: string) => Uint8Array): Uint8Array {
  return Buffer.concat([sendInt32(lexemes.length), ...lexemes.flatMap(({ text, positions }) => [
    textBytes(`${text}\0`), sendInt16(positions.length), ...positions.map(({ at, weight }) => sendInt16((weight << 14) | at)),
  ])]);
}

function tsVectorFrom(bytes: Uint8Array, textOf: (bytes: Uint8Array) => string): TsVector {
  const reader = new WireReader(bytes);
  const lexemes: Lexeme[] = [];
  for (let left = reader.int32(); left > 0; left--) {
    const word: number[] = [];
    for (let byte = reader.uint8(); byte !== 0; byte = reader.uint8()) word.push(byte);
    const positions: Position[] = [];
    for (let count = reader.uint16(); count > 0; count--) {
      const packed = reader.uint16();
      positions.push({ at: packed & 0x3fff, weight: packed >> 14 });
    }
    lexemes.push({ text: textOf(Uint8Array.from(word)), positions });
  }
  reader.end();
  return makeTsVector(lexemes);
}

/** Stored as in the protocol. */
export const tsVectorCodec = { number: 24, type: TsVector, encode: (value: TsVector) => tsVectorBytes(value, Buffer.from), decode: (bytes: Uint8Array) => tsVectorFrom(bytes, decodeUtf8) };

/** VARSIZE in PostgreSQL's form: by that its order goes first. */
export function sizeBytes({ lexemes }: TsVector): number {
  let area = 0;
  for (const { text, positions } of lexemes) {
    area += utf8Length(text);
    if (positions.length > 0) area = area + (area & 1) + 2 + 2 * positions.length;
  }
  return 8 + 4 * lexemes.length + area;
}

function compareTsVectors(a: TsVector, b: TsVector): number {
  const bySize = sizeBytes(a) - sizeBytes(b) || a.lexemes.length - b.lexemes.length;
  if (bySize !== 0) return bySize;
  for (let i = 0; i < a.lexemes.length; i++) {
    const x = a.lexemes[i]!, y = b.lexemes[i]!;
    if ((x.positions.length > 0) !== (y.positions.length > 0)) return x.positions.length > 0 ? -1 : 1;
    const byText = compareText(x.text, y.text);
    if (byText !== 0) return byText;
    if (x.positions.length !== y.positions.length) return x.positions.length > y.positions.length ? -1 : 1;
    for (let k = 0; k < x.positions.length; k++) {
      const p = x.positions[k]!, q = y.positions[k]!;
      if (p.at !== q.at) return p.at > q.at ? -1 : 1;
      if (p.weight !== q.weight) return p.weight > q.weight ? -1 : 1;
    }
  }
  return 0;
}

registerComparison(TSVECTOROID, { compare: compareTsVectors, hashKey: tsVectorOut });

// --- functions

function weightOf(letter: string, shown: (letter: string) => string | number): number {
  const weight = WEIGHTS.indexOf(letter.toUpperCase());
  if (letter === '' || weight < 0) throw new PgError('internal_error', `unrecognized weight: ${shown(letter)}`);
  return weight;
}

function concat(a: TsVector, b: TsVector): TsVector {
  const shift = Math.max(0, ...a.lexemes.flatMap(({ positions }) => positions.map(({ at }) => at)));
  return makeTsVector([...a.lexemes, ...b.lexemes.map(({ text, positions }) => {
    // The last position there is is given once.
    const moved = positions.slice(0, 1 + positions.findIndex(({ at }) => at + shift >= MAX_POSITION) || undefined).map(({ at, weight }) => ({ at: Math.min(at + shift, MAX_POSITION), weight }));
    return { text, positions: a.find(text)?.positions.at(-1)?.at === MAX_POSITION ? [] : moved };
  })]);
}

const reweighted = ({ text, positions }: Lexeme, weight: number): Lexeme => ({ text, positions: positions.map(({ at }) => ({ at, weight })) });

/** The texts of an array; NULL and '' are no lexemes. */
function lexemeTexts(array: ArrayValue): string[] {
  for (const value of array.values) {
    if (value === null) throw new PgError('null_value_not_allowed', 'lexeme array may not contain nulls');
    if (value === '') throw new PgError('zero_length_character_string', 'lexeme array may not contain empty strings');
  }
  return array.values as string[];
}

function without(vector: TsVector, words: readonly Datum[]): TsVector {
  const gone = new Set(words);
  return new TsVector(vector.lexemes.filter(({ text }) => !gone.has(text)));
}

function filter(vector: TsVector, weights: ArrayValue): TsVector {
  const wanted = new Set(weights.values.map((letter) => {
    if (letter === null) throw new PgError('null_value_not_allowed', 'weight array may not contain nulls');
    const weight = WEIGHTS.indexOf((letter as string).toUpperCase());
    if (letter === '' || weight < 0) throw new PgError('invalid_parameter_value', `unrecognized weight: "${letter as string}"`);
    return weight;
  }));
  return new TsVector(vector.lexemes.flatMap(({ text, positions }) => {
    const kept = positions.filter(({ weight }) => wanted.has(weight));
    return kept.length === 0 ? [] : [{ text, positions: kept }];
  }));
}

const UNNESTED = tupleDesc([['lexeme', TEXTOID], ['positions', INT2ARRAYOID], ['weights', TEXTARRAYOID]]);

registerBuiltins({
  pure: {
    tsvectorin: tsVectorIn, tsvectorout: tsVectorOut, tsvectorsend: (value: TsVector) => tsVectorBytes(value, sendText), tsvectorrecv: (bytes: Uint8Array) => tsVectorFrom(bytes, receiveText),
    tsvector_cmp: (a: TsVector, b: TsVector) => Math.sign(compareTsVectors(a, b)),
    tsvector_eq: (a: TsVector, b: TsVector) => compareTsVectors(a, b) === 0, tsvector_ne: (a: TsVector, b: TsVector) => compareTsVectors(a, b) !== 0,
    tsvector_lt: (a: TsVector, b: TsVector) => compareTsVectors(a, b) < 0, tsvector_le: (a: TsVector, b: TsVector) => compareTsVectors(a, b) <= 0,
    tsvector_gt: (a: TsVector, b: TsVector) => compareTsVectors(a, b) > 0, tsvector_ge: (a: TsVector, b: TsVector) => compareTsVectors(a, b) >= 0,
    tsvector_concat: concat, tsvector_length: (vector: TsVector) => vector.lexemes.length,
    tsvector_strip: (vector: TsVector) => new TsVector(vector.lexemes.map(({ text }) => ({ text, positions: [] }))),
    tsvector_setweight: (vector: TsVector, letter: string) => {
      const weight = weightOf(letter, (one) => (one === '' ? 0 : (one.charCodeAt(0) << 24) >> 24));
      return new TsVector(vector.lexemes.map((lexeme) => reweighted(lexeme, weight)));
    },
    tsvector_setweight_by_filter: (vector: TsVector, letter: string, words: ArrayValue) => {
      const weight = weightOf(letter, (one) => (one > '\x7f' ? '' : one)), chosen = new Set(words.values);
      return new TsVector(vector.lexemes.map((lexeme) => (chosen.has(lexeme.text) ? reweighted(lexeme, weight) : lexeme)));
    },
    tsvector_delete_str: (vector: TsVector, word: string) => without(vector, [word]),
    tsvector_delete_arr: (vector: TsVector, words: ArrayValue) => without(vector, words.values),
    tsvector_filter: filter,
    tsvector_to_array: (vector: TsVector) => makeArray(TEXTOID, vector.lexemes.map(({ text }) => text)),
    array_to_tsvector: (array: ArrayValue) => makeTsVector(lexemeTexts(array).map((text) => ({ text, positions: [] }))),
  },
  set: {
    tsvector_unnest: (_context, vector: TsVector) => vector.lexemes.map(({ text, positions }) => new RecordValue(RECORDOID, UNNESTED, positions.length === 0
      ? [text, null, null]
      : [text, makeArray(INT2OID, positions.map(({ at }) => at)), makeArray(TEXTOID, positions.map(({ weight }) => WEIGHTS[weight]!))])),
  },
});
