// jsonb: JSON in a form that is quick to look into. Its values, text form, order and the class that is its datum.
import { PgError } from '../../common/errors.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { stackDepthExceeded } from '../utils/stack_depth.ts';
import { compareText } from './characters.ts';
import { registerComparison } from './compare.ts';
import { registerBuiltins } from './fmgr.ts';
import { compareKeys, type JsonNode, parseJson, quoteJson } from './json_parse.ts';
import { endOfString, isObjectText, memberText } from './jsonb_text.ts';
import { compareNumeric, Numeric, numericHashKey, numericToText, parseNumeric } from './numeric.ts';
import { JSONBOID } from './oids.ts';
import { receiveText, sendText, WireReader } from './wire.ts';

/** An object: keys in jsonb's order, each once. */
export class JsonbObject {
  readonly keys: readonly string[];
  readonly values: readonly JsonbItem[];
  constructor(keys: readonly string[], values: readonly JsonbItem[]) {
    this.keys = keys;
    this.values = values;
  }

  get(key: string): JsonbItem | undefined {
    const index = this.indexOf(key);
    return index < 0 ? undefined : this.values[index];
  }

  indexOf(key: string): number {
    const { keys } = this;
    if (keys.length <= 8) return keys.indexOf(key);
    let low = 0, high = keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = compareKeys(keys[middle]!, key);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** A value inside a jsonb. */
export type JsonbItem = null | boolean | Numeric | string | readonly JsonbItem[] | JsonbObject;

/** The datum: SQL's NULL and JSON's null must not be mixed up. A stored one is its text until somebody looks into it: most are only
 * handed on. */
export class JsonbValue {
  private item: JsonbItem | undefined;
  private stored: string | undefined;
  private looks = 0;
  constructor(root: JsonbItem | undefined, stored?: string) {
    this.item = root;
    this.stored = stored;
  }

  get root(): JsonbItem {
    if (this.item === undefined) this.item = itemOfText(this.stored!);
    return this.item;
  }

  get text(): string {
    return this.stored ?? itemToText(this.root);
  }

  /** Its text, while it is not yet a tree. */
  get storedText(): string | undefined {
    return this.item === undefined ? this.stored : undefined;
  }

  get isObject(): boolean {
    return this.item === undefined ? isObjectText(this.stored!) : this.item instanceof JsonbObject;
  }

  /** What an object has under a key, as a value of its own; undefined: no such key, or no object. The text is looked through for it
   * a few times before it becomes a tree: in a scan each value is asked for a member or two, of many. */
  member(key: string): JsonbValue | undefined {
    if (this.item === undefined && isObjectText(this.stored!) && ++this.looks <= LOOKS_BEFORE_TREE) {
      const text = memberText(this.stored!, key);
      return text === undefined ? undefined : new JsonbValue(undefined, text);
    }
    const { root } = this, item = root instanceof JsonbObject ? root.get(key) : undefined;
    return item === undefined ? undefined : new JsonbValue(item);
  }
}
const LOOKS_BEFORE_TREE = 8;

export const isArray = (item: JsonbItem): item is readonly JsonbItem[] => Array.isArray(item);
export const isScalar = (item: JsonbItem): boolean => !isArray(item) && !(item instanceof JsonbObject);

/** An object of pairs in any order; of equal keys the last counts. */
export function makeObject(pairs: readonly (readonly [key: string, value: JsonbItem])[]): JsonbObject {
  if (pairs.every(([key], i) => i === 0 || compareKeys(pairs[i - 1]![0], key) < 0)) return new JsonbObject(pairs.map(([key]) => key), pairs.map(([, value]) => value));
  const last = new Map(pairs);
  const sorted = [...last].sort((a, b) => compareKeys(a[0], b[0]));
  return new JsonbObject(sorted.map(([key]) => key), sorted.map(([, value]) => value));
}

export function itemOfNode(node: JsonNode, text: string): JsonbItem {
  switch (node.kind) {
    case 'null': return null;
    case 'true': return true;
    case 'false': return false;
    case 'number': return parseNumeric(text.slice(node.start, node.end));
    case 'string': return node.value;
    case 'array': return node.elements.map((element) => itemOfNode(element, text));
    case 'object': return makeObject(node.members.map(({ key, value }) => [key, itemOfNode(value, text)]));
  }
}

/** The members of both; of equal keys those of the second. */
export function mergeObjects(a: JsonbObject, b: JsonbObject): JsonbObject {
  const keys: string[] = [], values: JsonbItem[] = [];
  let i = 0, j = 0;
  while (i < a.keys.length || j < b.keys.length) {
    const order = i === a.keys.length ? 1 : j === b.keys.length ? -1 : compareKeys(a.keys[i]!, b.keys[j]!);
    const [from, at] = order < 0 ? [a, i] : [b, j];
    keys.push(from.keys[at]!);
    values.push(from.values[at]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return new JsonbObject(keys, values);
}

/** Of what is stored: itemToText has written it, so that its syntax and the order of its keys need no look. */
function itemOfText(text: string): JsonbItem {
  place = 0;
  try {
    return itemAt(text);
  } catch (error) {
    throw error instanceof RangeError ? stackDepthExceeded() : error;
  }
}

let place = 0, looks = 0;
/** The value that begins at `place`, which then is behind it. */
function itemAt(text: string): JsonbItem {
  if ((++looks & 1023) === 0) checkForInterrupts();
  const start = place;
  switch (text.charCodeAt(start)) {
    case 0x22: return stringAt(text);
    case 0x6e: place += 4; return null;
    case 0x74: place += 4; return true;
    case 0x66: place += 5; return false;
    case 0x5b: {
      const items: JsonbItem[] = [];
      if (text.charCodeAt(start + 1) === 0x5d) place++;
      else do {
        place += place === start ? 1 : 2;
        items.push(itemAt(text));
      } while (text.charCodeAt(place) === COMMA);
      place++;
      return items;
    }
    case 0x7b: {
      const keys: string[] = [], values: JsonbItem[] = [];
      if (text.charCodeAt(start + 1) === 0x7d) place++;
      else do {
        place += place === start ? 1 : 2;
        keys.push(stringAt(text));
        place += 2;
        values.push(itemAt(text));
      } while (text.charCodeAt(place) === COMMA);
      place++;
      return new JsonbObject(keys, values);
    }
    default: {
      for (let c = 0; c !== COMMA && c !== 0x5d && c !== 0x7d && place < text.length;) c = text.charCodeAt(++place);
      return parseNumeric(text.slice(start, place));
    }
  }
}
const COMMA = 0x2c;

function stringAt(text: string): string {
  const start = place;
  place = endOfString(text, start);
  const inner = text.slice(start + 1, place - 1);
  return inner.includes('\\') ? JSON.parse(text.slice(start, place)) as string : inner;
}

export function jsonbIn(text: string): JsonbValue {
  return new JsonbValue(itemOfNode(parseJson(text), text));
}

export function itemToText(item: JsonbItem): string {
  if (item === null) return 'null';
  switch (typeof item) {
    case 'boolean': return item ? 'true' : 'false';
    case 'string': return quoteJson(item);
  }
  if (item instanceof Numeric) return numericToText(item);
  if (isArray(item)) return `[${item.map(itemToText).join(', ')}]`;
  const { keys, values } = item;
  return `{${keys.map((key, i) => `${quoteJson(key)}: ${itemToText(values[i]!)}`).join(', ')}}`;
}

export function jsonbOut(value: JsonbValue): string {
  return value.text;
}

export type JsonbKind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

export function kindOf(item: JsonbItem): JsonbKind {
  if (item === null) return 'null';
  if (typeof item === 'boolean') return 'boolean';
  if (typeof item === 'string') return 'string';
  return item instanceof Numeric ? 'number' : isArray(item) ? 'array' : 'object';
}

const RANK: Record<JsonbKind, number> = { null: 0, string: 1, number: 2, boolean: 3, array: 4, object: 5 };

/** compareJsonbContainers: by kind, then containers by size before content. */
function compareItems(a: JsonbItem, b: JsonbItem): number {
  const kind = kindOf(a), other = kindOf(b);
  if (kind !== other) return RANK[kind] - RANK[other];
  switch (kind) {
    case 'null': return 0;
    case 'string': return compareText(a as string, b as string);
    case 'boolean': return Number(a) - Number(b);
    case 'number': return compareNumeric(a as Numeric, b as Numeric);
    case 'array': {
      const x = a as readonly JsonbItem[], y = b as readonly JsonbItem[];
      if (x.length !== y.length) return x.length - y.length;
      for (let i = 0; i < x.length; i++) {
        const order = compareItems(x[i]!, y[i]!);
        if (order !== 0) return order;
      }
      return 0;
    }
    case 'object': {
      const x = a as JsonbObject, y = b as JsonbObject;
      if (x.keys.length !== y.keys.length) return x.keys.length - y.keys.length;
      for (let i = 0; i < x.keys.length; i++) {
        const order = compareText(x.keys[i]!, y.keys[i]!) || compareItems(x.values[i]!, y.values[i]!);
        if (order !== 0) return order;
      }
      return 0;
    }
  }
}

/** Order of whole values. By an old slip of PostgreSQL's an empty array comes before every scalar. */
function compareJsonb(a: JsonbValue, b: JsonbValue): number {
  const x = a.root, y = b.root;
  const scalarX = !isArray(x) && !(x instanceof JsonbObject), scalarY = !isArray(y) && !(y instanceof JsonbObject);
  if (isArray(x) && scalarY) return x.length === 0 ? -1 : 1;
  if (isArray(y) && scalarX) return y.length === 0 ? 1 : -1;
  return compareItems(x, y);
}

/** A key that equal items share. */
export function itemKey(item: JsonbItem): string {
  if (item instanceof Numeric) return `#${numericHashKey(item)}`;
  if (isArray(item)) return `[${item.map(itemKey).join(',')}]`;
  if (item instanceof JsonbObject) return `{${item.keys.map((key, i) => `${quoteJson(key)}:${itemKey(item.values[i]!)}`).join(',')}}`;
  return itemToText(item);
}

registerComparison(JSONBOID, { compare: compareJsonb, hashKey: (value: JsonbValue) => itemKey(value.root) });

/** The byte form on disk and in the protocol is the text; `access` stores values by this codec. */
export const jsonbCodec = {
  number: 1,
  type: JsonbValue,
  encode: (value: JsonbValue): Uint8Array => Buffer.from(jsonbOut(value)),
  decodeText: (text: string): JsonbValue => new JsonbValue(undefined, text),
};

registerBuiltins({
  pure: {
    jsonb_in: jsonbIn,
    jsonb_out: jsonbOut,
    jsonb_recv: (bytes: Uint8Array) => {
      const reader = new WireReader(bytes);
      const version = reader.uint8();
      if (version !== 1) throw new PgError('internal_error', `unsupported jsonb version number ${version}`);
      return jsonbIn(receiveText(reader.takeBytes(reader.remaining)));
    },
    jsonb_send: (value: JsonbValue) => Buffer.concat([Buffer.of(1), sendText(jsonbOut(value))]),
    jsonb_eq: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) === 0,
    jsonb_ne: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) !== 0,
    jsonb_lt: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) < 0,
    jsonb_le: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) <= 0,
    jsonb_gt: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) > 0,
    jsonb_ge: (a: JsonbValue, b: JsonbValue) => compareJsonb(a, b) >= 0,
    jsonb_cmp: (a: JsonbValue, b: JsonbValue) => Math.sign(compareJsonb(a, b)),
  },
});
