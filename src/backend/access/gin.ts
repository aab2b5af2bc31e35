// What an inverted index (gin) has entries for (PostgreSQL's ginarrayproc.c, jsonb_gin.c, tsginidx.c): the elements of an
// array, the keys and values of a jsonb, the lexemes of a tsvector. An entry's key is the number of the index column, then
// the entry. A row without any has a placeholder, so that every row is found by a scan of the whole column.
import type { IndexColumn, IndexInfo } from '../catalog/relation.ts';
import type { ArrayValue, Datum, Oid } from '../types/datum.ts';
import { hashBytesExtended } from '../types/hash_bytes.ts';
import { type JsonbItem, JsonbObject, type JsonbValue } from '../types/jsonb.ts';
import { Numeric } from '../types/numeric.ts';
import type { QueryNode, TsQuery } from '../types/tsquery.ts';
import type { TsVector } from '../types/tsvector.ts';
import { elementKey } from './key.ts';

const GIN_OPCLASS = { array: 10064, tsvector: 10073, jsonb: 10090, jsonbPath: 10091 } as const;

const MAX_ENTRY_BYTES = 120;
const PLACEHOLDER = '\x01', ENTRY = '\x02';

/** No key may begin with another one. Long entries are their hash: what is found by them is looked at again anyway. */
function entry(text: string): string {
  if (text.length <= MAX_ENTRY_BYTES) return `${ENTRY}${text}\x00`;
  return `${ENTRY}\x00${hash8(text)}`;
}
function hash8(text: string): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hashBytesExtended(Buffer.from(text, 'latin1'), 0n));
  return bytes.latin1Slice();
}
const utf8 = (text: string): string => Buffer.from(text, 'utf8').latin1Slice();

// ---- entries of values

const element = (type: Oid, value: Datum, collation: Oid): string => entry(elementKey(type, value, collation));

function scalar(item: JsonbItem): string {
  if (item === null) return entry('n');
  if (typeof item === 'boolean') return entry(item ? 't' : 'f');
  if (item instanceof Numeric) return entry(`#${item.toString().replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')}`);
  return entry(`v${utf8(item as string)}`);
}
/** Keys of objects, and strings in arrays, which the operator ? takes for keys. */
const jsonKey = (text: string): string => entry(`k${utf8(text)}`);

function jsonbEntries(item: JsonbItem, into: Set<string>): void {
  if (item instanceof JsonbObject) {
    item.keys.forEach((key, i) => {
      into.add(jsonKey(key));
      const value = item.values[i]!;
      if (typeof value === 'object' && value !== null && !(value instanceof Numeric)) jsonbEntries(value, into);
      else into.add(scalar(value));
    });
  } else if (Array.isArray(item)) {
    for (const value of item as readonly JsonbItem[]) {
      if (typeof value === 'string') into.add(jsonKey(value));
      else jsonbEntries(value, into);
    }
  } else into.add(typeof item === 'string' ? jsonKey(item) : scalar(item));
}

/** A value with the keys above it. */
function pathEntries(item: JsonbItem, path: string, into: Set<string>): void {
  if (item instanceof JsonbObject) item.keys.forEach((key, i) => pathEntries(item.values[i]!, `${path}${utf8(key)}\x00`, into));
  else if (Array.isArray(item)) for (const value of item as readonly JsonbItem[]) pathEntries(value, path, into);
  else into.add(ENTRY + hash8(path + scalar(item)));
}

function entriesOf(opclass: Oid, value: Datum, collation: Oid): Set<string> {
  const found = new Set<string>();
  switch (opclass) {
    case GIN_OPCLASS.array: {
      const { elementType, values } = value as ArrayValue;
      for (const v of values) if (v !== null) found.add(element(elementType, v, collation));
      break;
    }
    case GIN_OPCLASS.jsonb: jsonbEntries((value as JsonbValue).root, found); break;
    case GIN_OPCLASS.jsonbPath: pathEntries((value as JsonbValue).root, '', found); break;
    default: for (const { text } of (value as TsVector).lexemes) found.add(entry(utf8(text)));
  }
  return found;
}

/** Operator class of gist over tsvector: such an index, of one column, is an inverted one as well. (PostgreSQL's has signatures.) */
const GIST_TSVECTOR = 10072;

/** Whether an index has several entries for a row. */
export const isInverted = ({ accessMethod, columns }: Pick<IndexInfo, 'accessMethod' | 'columns'>): boolean =>
  accessMethod === 'gin' || (columns.length === 1 && columns[0]!.opclass === GIST_TSVECTOR);

const columnMark = (column: number): string => String.fromCharCode(column + 1);

/** The keys of a row: `values` of the index's columns. */
export function ginKeys(info: IndexInfo, values: readonly Datum[]): string[] {
  const keys: string[] = [];
  info.columns.forEach(({ opclass, collation }, i) => {
    const value = values[i] ?? null;
    const found = value === null ? null : entriesOf(opclass, value, collation);
    const mark = columnMark(i);
    if (found === null || found.size === 0) keys.push(mark + PLACEHOLDER);
    else for (const e of found) keys.push(mark + e);
  });
  return keys;
}

// ---- questions

/** Which rows may be the ones: those with a key, all or any of several; `all`: nothing is known. */
export type GinQuery = 'all' | 'none' | { key: string } | { prefix: string } | { and: GinQuery[] } | { or: GinQuery[] };

const and = (list: GinQuery[]): GinQuery => {
  const rest = list.filter((q) => q !== 'all');
  return rest.includes('none') ? 'none' : rest.length === 0 ? 'all' : rest.length === 1 ? rest[0]! : { and: rest };
};
const or = (list: GinQuery[]): GinQuery => {
  const rest = list.filter((q) => q !== 'none');
  return rest.includes('all') ? 'all' : rest.length === 0 ? 'none' : rest.length === 1 ? rest[0]! : { or: rest };
};

/** What `column <operator of this strategy> value` asks of the entries. Rows found are to be looked at again. */
export function ginQuery(column: number, { opclass, collation }: IndexColumn, strategy: number, value: Datum): GinQuery {
  if (value === null) return 'none';
  const key = (e: string): GinQuery => ({ key: columnMark(column) + e });
  const keys = (set: Iterable<string>): GinQuery[] => [...set].map(key);
  switch (opclass) {
    case GIN_OPCLASS.array: {
      const array = value as ArrayValue;
      const hasNull = array.values.includes(null);
      const each = keys(entriesOf(opclass, array, collation));
      if (strategy === 1) return or(each);
      if (strategy === 2) return hasNull ? 'none' : and(each);
      if (strategy === 4) return array.values.length === 0 ? key(PLACEHOLDER) : and(each);
      return hasNull ? 'all' : or([...each, key(PLACEHOLDER)]); // <@: what has none of them has others, but for []
    }
    case GIN_OPCLASS.jsonb:
      if (strategy === 7) return and(keys(entriesOf(opclass, value, collation)));
      if (strategy === 9) return key(jsonKey(value as string));
      if (strategy === 10) return or(keys((value as ArrayValue).values.filter((v) => v !== null).map((v) => jsonKey(v as string))));
      if (strategy === 11) return and(keys((value as ArrayValue).values.filter((v) => v !== null).map((v) => jsonKey(v as string))));
      return 'all';
    case GIN_OPCLASS.jsonbPath: return strategy === 7 ? and(keys(entriesOf(opclass, value, collation))) : 'all';
    default: {
      const { root } = value as TsQuery;
      return root === null ? 'none' : tsQuery(root, (text, isPrefix) => {
        if (!isPrefix) return key(entry(utf8(text)));
        // Long lexemes stand there as their hashes.
        const mark = columnMark(column) + ENTRY;
        return { or: [{ prefix: mark + utf8(text).slice(0, MAX_ENTRY_BYTES) }, { prefix: `${mark}\x00` }] };
      });
    }
  }
}

function tsQuery(node: QueryNode, word: (text: string, prefix: boolean) => GinQuery): GinQuery {
  switch (node.op) {
    case 'value': return word(node.text, node.prefix);
    case '!': return 'all';
    case '|': return or([tsQuery(node.left, word), tsQuery(node.right, word)]);
    default: return and([tsQuery(node.left, word), tsQuery(node.right, word)]);
  }
}
