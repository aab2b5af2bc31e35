// Arrays: text and binary form, subscripts and slices (exported for the executor).
import { PgError } from '../../common/errors.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { settings } from '../utils/settings.ts';
import { byPieces, joinTexts } from './characters.ts';
import { ArrayValue, type Datum, type Oid } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { typeHooks, type TypeIo } from './hooks.ts';
import { limitExceeded } from './errors.ts';
import { sendInt32, WireReader } from './wire.ts';

const MAX_DIMENSIONS = 6;
export const MAX_ARRAY_SIZE = 134217727;

export function emptyArray(elementType: Oid): ArrayValue {
  return new ArrayValue(elementType, [], [], []);
}

/** ArrayGetNItems: the product of the dimensions, checked. */
export function elementCount(dims: readonly number[]): number {
  if (dims.length === 0) return 0;
  let count = 1;
  for (const dim of dims) {
    if (dim < 0) throw arrayTooLarge();
    count *= dim;
    if (count > MAX_ARRAY_SIZE) throw arrayTooLarge();
  }
  return count;
}

export function arrayTooLarge(): PgError {
  return limitExceeded(`array size exceeds the maximum allowed (${MAX_ARRAY_SIZE})`);
}

/** Upper bounds must fit an int4 too. */
export function checkBounds(dims: readonly number[], lbounds: readonly number[]): void {
  for (let i = 0; i < dims.length; i++) {
    if (dims[i]! + lbounds[i]! > 2147483647) {
      throw limitExceeded(`array lower bound is too large: ${lbounds[i]}`);
    }
  }
}

function tooManyDimensions(count: number): PgError {
  return limitExceeded(`number of array dimensions (${count}) exceeds the maximum allowed (${MAX_DIMENSIONS})`);
}

// --- text form

function malformed(text: string, detail?: string): PgError {
  return new PgError('invalid_text_representation', `malformed array literal: "${text}"`,
    detail === undefined ? {} : { detail });
}

const SPACE = new Set([' ', '\t', '\n', '\v', '\f', '\r']);

/** Explicit dimensions "[l:u]...=", if there are any, and where the braces begin. */
function readDimensions(text: string): { dims: number[]; lbounds: number[]; at: number } {
  const dims: number[] = [], lbounds: number[] = [];
  let at = 0;
  const skipSpace = (): void => {
    while (SPACE.has(text[at]!)) at++;
  };
  const readBound = (missing: string): number => {
    // As PostgreSQL: any signs and digits make a bound, read as atoi would.
    const match = /^[-+\d]+/.exec(text.slice(at, at + 32));
    if (match === null) throw malformed(text, missing);
    at += match[0].length;
    return (Number.parseInt(match[0], 10) || 0) | 0;
  };
  for (;;) {
    skipSpace();
    if (text[at] !== '[') break;
    at++;
    if (dims.length >= MAX_DIMENSIONS) throw tooManyDimensions(dims.length + 1);
    const first = readBound('"[" must introduce explicitly-specified array dimensions.');
    let lower = 1, upper = first;
    if (text[at] === ':') {
      at++;
      lower = first;
      upper = readBound('Missing array dimension value.');
    }
    if (text[at] !== ']') throw malformed(text, 'Missing "]" after array dimensions.');
    at++;
    if (upper < lower) throw new PgError('array_subscript_error', 'upper bound cannot be less than lower bound');
    dims.push(upper - lower + 1);
    lbounds.push(lower);
  }
  if (dims.length === 0) {
    if (text[at] !== '{') throw malformed(text, 'Array value must start with "{" or dimension information.');
  } else {
    if (text[at] !== '=') throw malformed(text, 'Missing "=" after array dimensions.');
    at++;
    skipSpace();
    if (text[at] !== '{') throw malformed(text, 'Array contents must start with "{".');
  }
  return { dims, lbounds, at };
}

type ParseState =
  | 'start' | 'level started' | 'element' | 'quotes' | 'quotes closed' | 'element delimited' | 'level completed'
  | 'level delimited';

/** The braces, as PostgreSQL's ArrayCount checks them: the texts of the elements, null for NULL, and the dimensions. */
function readBraces(text: string, from: number, delimiter: string): { items: (string | null)[]; dims: number[] } {
  const items: (string | null)[] = [];
  /** Size of each level as first completed, and of the level being read. */
  const sizes: number[] = [], counts: number[] = [];
  let state: ParseState = 'start';
  let level = 0, at = from;
  // The element being read; `kept` is its length without trailing spaces (an escaped one stays).
  let value = '', kept = 0, verbatim = false;
  const unexpected = (char: string): PgError => malformed(text, `Unexpected "${char}" character.`);
  const endOfInput = (): PgError => malformed(text, 'Unexpected end of input.');
  const finishElement = (): void => {
    const item = verbatim && state === 'quotes closed' ? value : value.slice(0, kept);
    const isNull = !verbatim && settings.array_nulls && item.length === 4 && item.toUpperCase() === 'NULL';
    items.push(isNull ? null : item);
    if ((items.length & 255) === 0) checkForInterrupts();
    counts[level]!++;
    value = '';
    kept = 0;
    verbatim = false;
  };
  do {
    const char = text[at];
    if (char === undefined) throw endOfInput();
    if (char === '\\') {
      if (state !== 'level started' && state !== 'element' && state !== 'quotes' && state !== 'element delimited') {
        throw unexpected(char);
      }
      if (at + 1 >= text.length) throw endOfInput();
      if (state !== 'quotes') state = 'element';
      value += text[++at];
      kept = value.length;
      verbatim = true;
    } else if (char === '"') {
      if (state === 'quotes') {
        state = 'quotes closed';
      } else {
        if (state !== 'level started' && state !== 'element delimited') throw malformed(text, 'Unexpected array element.');
        state = 'quotes';
        verbatim = true;
      }
    } else if (state === 'quotes') {
      // All up to the next special character at once.
      let end = at + 1;
      while (end < text.length && text[end] !== '"' && text[end] !== '\\') end++;
      value += text.slice(at, end);
      at = end - 1;
    } else if (char === '{') {
      if (state !== 'start' && state !== 'level started' && state !== 'level delimited') throw unexpected(char);
      // A level that holds elements cannot hold a level as well.
      state = 'level started';
      if (level >= MAX_DIMENSIONS) throw tooManyDimensions(level + 1);
      counts[++level] = 0;
    } else if (char === '}') {
      if (state === 'element' || state === 'quotes closed') finishElement();
      else if (state !== 'level completed' && !(level === 1 && state === 'level started')) throw unexpected(char);
      state = 'level completed';
      const known = sizes[level];
      if (known !== undefined && known !== counts[level]) {
        throw malformed(text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
      }
      sizes[level] = counts[level]!;
      level--;
      if (level > 0) counts[level]!++;
    } else if (char === delimiter) {
      if (state === 'element' || state === 'quotes closed') {
        finishElement();
        state = 'element delimited';
      } else if (state === 'level completed') {
        state = 'level delimited';
      } else {
        throw unexpected(char);
      }
    } else if (!SPACE.has(char)) {
      if (state !== 'level started' && state !== 'element' && state !== 'element delimited') {
        throw malformed(text, 'Unexpected array element.');
      }
      state = 'element';
      value += char;
      kept = value.length;
    } else if (state === 'element') {
      value += char;
    }
    at++;
  } while (level > 0);
  while (at < text.length) if (!SPACE.has(text[at++]!)) throw malformed(text, 'Junk after closing right brace.');
  const dims = items.length === 0 ? [] : sizes.slice(1);
  // Sub-arrays of unequal depth pass when the numbers agree, as in PostgreSQL: '{{1},{{2}}}' has three dimensions.
  if (items.length > 0 && dims.reduce((product, size) => product * size, 1) !== items.length) {
    throw malformed(text, 'Multidimensional arrays must have sub-arrays with matching dimensions.');
  }
  return { items, dims };
}

function parseArray(text: string, elementType: Oid, delimiter: string, element: (text: string | null) => Datum): ArrayValue {
  const { dims, lbounds, at } = readDimensions(text);
  // Errors show what is left to read, as PostgreSQL's.
  const braces = readBraces(text.slice(at), 0, delimiter);
  if (dims.length > 0 && (dims.length !== braces.dims.length || dims.some((dim, i) => dim !== braces.dims[i]))) {
    throw malformed(text, 'Specified array dimensions do not match array contents.');
  }
  if (braces.items.length === 0) return emptyArray(elementType);
  elementCount(braces.dims);
  const bounds = dims.length > 0 ? lbounds : braces.dims.map(() => 1);
  checkBounds(braces.dims, bounds);
  return new ArrayValue(elementType, braces.dims, bounds, braces.items.map(element));
}

function arrayIn(text: string, elementType: Oid, typmod: number): ArrayValue {
  const io = typeHooks.typeIo(elementType);
  return parseArray(text, elementType, io.typdelim, (item) => (item === null ? io.checkDomain?.(null) ?? null : io.input(item, typmod)));
}

/** Whether an element must stand in quotes. */
function needsQuotes(text: string, delimiter: string): boolean {
  if (text === '' || (text.length === 4 && text.toUpperCase() === 'NULL')) return true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34 || code === 92 || code === 123 || code === 125 || code === 32 || (code >= 9 && code <= 13) ||
        code === delimiter.charCodeAt(0)) return true;
  }
  return false;
}

function arrayOut(array: ArrayValue): string {
  return formatArray(array, typeHooks.typeIo(array.elementType));
}

function formatArray(array: ArrayValue, io: Pick<TypeIo, 'output' | 'typdelim'>): string {
  const { dims, lbounds, values } = array;
  if (values.length === 0) return '{}';
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    const text = io.output(value);
    return needsQuotes(text, io.typdelim) ? `"${byPieces(text, (piece) => piece.replace(/["\\]/g, '\\$&'))}"` : text;
  });
  let level = items;
  // From the innermost dimension outwards.
  for (let dimension = dims.length - 1; dimension >= 0; dimension--) {
    const size = dims[dimension]!;
    const outer: string[] = [];
    for (let i = 0; i < level.length; i += size) outer.push(`{${joinTexts(level.slice(i, i + size), io.typdelim)}}`);
    level = outer;
  }
  if (lbounds.every((bound) => bound === 1)) return level[0]!;
  return `${dims.map((dim, i) => `[${lbounds[i]}:${lbounds[i]! + dim - 1}]`).join('')}=${level[0]}`;
}

// --- binary form

function arrayReceive(bytes: Uint8Array, elementType: Oid, typmod: number): ArrayValue {
  const reader = new WireReader(bytes);
  const bad = (message: string): PgError => new PgError('invalid_binary_representation', message);
  const count = reader.int32();
  if (count < 0) throw bad(`invalid number of dimensions: ${count}`);
  if (count > MAX_DIMENSIONS) throw tooManyDimensions(count);
  const flags = reader.int32();
  if (flags !== 0 && flags !== 1) throw bad('invalid array flags');
  const sentType = reader.uint32();
  const io = typeHooks.typeIo(elementType);
  if (sentType !== elementType) {
    throw new PgError('datatype_mismatch', `binary data has array element type ${sentType} (${typeHooks.typeIo(sentType).name}) ` +
      `instead of expected ${elementType} (${io.name})`);
  }
  const dims: number[] = [], lbounds: number[] = [];
  for (let i = 0; i < count; i++) {
    dims.push(reader.int32());
    lbounds.push(reader.int32());
  }
  const size = elementCount(dims);
  checkBounds(dims, lbounds);
  const values: Datum[] = [];
  for (let i = 0; i < size; i++) {
    const length = reader.int32();
    if (length < -1 || length > reader.remaining) throw bad('insufficient data left in message');
    values.push(length === -1 ? io.checkDomain?.(null) ?? null : io.receive(reader.takeBytes(length), typmod));
  }
  reader.end();
  return size === 0 ? emptyArray(elementType) : new ArrayValue(elementType, dims, lbounds, values);
}

function arraySend(array: ArrayValue): Uint8Array {
  const io = typeHooks.typeIo(array.elementType);
  const parts: Uint8Array[] = [
    sendInt32(array.dims.length), sendInt32(array.values.includes(null) ? 1 : 0), sendInt32(array.elementType),
  ];
  array.dims.forEach((dim, i) => parts.push(sendInt32(dim), sendInt32(array.lbounds[i]!)));
  for (const value of array.values) {
    if (value === null) {
      parts.push(sendInt32(-1));
    } else {
      const bytes = io.send(value);
      parts.push(sendInt32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

registerBuiltins({
  pure: {
    array_in: (text: string, elementType: Oid, typmod: number) => arrayIn(text, elementType, typmod),
    array_out: arrayOut,
    array_recv: (bytes: Uint8Array, elementType: Oid, typmod: number) => arrayReceive(bytes, elementType, typmod),
    array_send: arraySend,
    anyarray_out: arrayOut,
    anyarray_send: arraySend,
    anycompatiblearray_out: arrayOut,
    anycompatiblearray_send: arraySend,
  },
});
