// The rows of the built-in objects, in memory. The generated text (data/*.json) is read once, by the postmaster, and
// shared by all forks; a row is taken apart when it is first asked for, so that the postmaster stays small.
//
// A row's text: fields separated by tabs; an empty (or missing last) field stands for the column's usual value, \N is
// NULL, \e the empty string; \\ \t \n as in COPY.
import type { Oid } from '../types/datum.ts';
import { catalogByOid, rowFactory, type CatalogDefinition } from './schema.ts';
import type { CatalogId, CatalogRows } from './rows.ts';
import pgAggregate from './data/pg_aggregate.json' with { type: 'json' };
import pgAm from './data/pg_am.json' with { type: 'json' };
import pgAmop from './data/pg_amop.json' with { type: 'json' };
import pgAmproc from './data/pg_amproc.json' with { type: 'json' };
import pgCast from './data/pg_cast.json' with { type: 'json' };
import pgCollation from './data/pg_collation.json' with { type: 'json' };
import pgConversion from './data/pg_conversion.json' with { type: 'json' };
import pgLanguage from './data/pg_language.json' with { type: 'json' };
import pgNamespace from './data/pg_namespace.json' with { type: 'json' };
import pgOpclass from './data/pg_opclass.json' with { type: 'json' };
import pgOperator from './data/pg_operator.json' with { type: 'json' };
import pgOpfamily from './data/pg_opfamily.json' with { type: 'json' };
import pgProc from './data/pg_proc.json' with { type: 'json' };
import pgRange from './data/pg_range.json' with { type: 'json' };
import pgType from './data/pg_type.json' with { type: 'json' };

export interface BuiltinData { readonly usual: readonly (string | null)[]; readonly rows: readonly string[] }
type Decoder = (text: string) => unknown;

const numbers = (text: string, separator: string): number[] => (text === '' ? [] : text.split(separator).map(Number));
const words = (text: string): string[] => {
  const list: string[] = [];
  for (const m of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)) {
    list.push(m[1] !== undefined ? m[1].replace(/\\(.)/g, '$1') : m[2]!);
  }
  return list;
};
const asNumber: Decoder = Number;
const asString: Decoder = (text) => text;
const asVector: Decoder = (text) => numbers(text, ' ');
const asNumbers: Decoder = (text) => numbers(text.slice(1, -1), ',');

/** From a value's text to what rows.ts says a column of that type holds. */
const DECODERS: Readonly<Record<Oid, Decoder>> = {
  16: (text) => text === 't', 18: asString, 19: asString, 20: asNumber, 21: asNumber, 22: asVector, 23: asNumber,
  24: asNumber, 25: asString, 26: asNumber, 28: asNumber, 30: asVector, 194: asString, 700: asNumber, 701: asNumber,
  1002: words, 1005: asNumbers, 1009: words, 1021: asNumbers, 1028: asNumbers, 1034: words, 1184: asNumber, 2205: asNumber, 2206: asNumber,
};

const unescape = (text: string): string =>
  text.replace(/\\(.)/g, (_all, c: string) => (c === 't' ? '\t' : c === 'n' ? '\n' : c === 'e' ? '' : c));

/** One catalog's built-in rows. */
export class BuiltinTable<R extends object> {
  readonly length: number;
  /** The OID of the last row: the greatest. */
  readonly lastOid: Oid;
  readonly #lines: readonly string[];
  readonly #rows: (R | undefined)[];
  readonly #usual: readonly (string | null)[];
  readonly #definition: CatalogDefinition;
  readonly #decoders: readonly Decoder[];
  /** From OID to row number, for catalogs that have OIDs (or an OID for a primary key) in their first column. */
  readonly #byOid = new Map<Oid, number>();

  constructor(relation: CatalogId, data: BuiltinData) {
    const definition = catalogByOid(relation)!;
    this.length = data.rows.length;
    this.#lines = data.rows;
    this.#rows = new Array<R | undefined>(data.rows.length).fill(undefined);
    this.#usual = data.usual;
    this.#definition = definition;
    this.#decoders = definition.columns.map((c) => {
      const decoder = DECODERS[c.type];
      if (!decoder) throw new Error(`no decoder for ${definition.name}.${c.name}`);
      return decoder;
    });
    for (let i = 0; i < this.length; i++) this.#byOid.set(Number(this.field(i, 0)), i);
    this.lastOid = Number(this.field(this.length - 1, 0));
  }

  /** The text of one field, without taking the row apart; NULL is given as undefined. */
  field(i: number, column: number): string | undefined {
    const line = this.#lines[i]!;
    let start = 0;
    for (let n = 0; n < column && start >= 0; n++) start = line.indexOf('\t', start) + 1 || -1;
    let text = '';
    if (start >= 0) {
      const end = line.indexOf('\t', start);
      text = end < 0 ? line.slice(start) : line.slice(start, end);
    }
    if (text === '') return this.#usual[column] ?? undefined;
    if (text === '\\N') return undefined;
    return text.includes('\\') ? unescape(text) : text;
  }

  row(i: number): R {
    return (this.#rows[i] ??= this.#decode(this.#lines[i]!));
  }

  byOid(oid: Oid): R | undefined {
    const i = this.#byOid.get(oid);
    return i === undefined ? undefined : this.row(i);
  }

  has(oid: Oid): boolean {
    return this.#byOid.has(oid);
  }

  *[Symbol.iterator](): Generator<R> {
    for (let i = 0; i < this.length; i++) yield this.row(i);
  }

  /** Row numbers by a key made of some columns' texts, joined by commas. */
  indexBy(...columns: number[]): Map<string, number[]> {
    const index = new Map<string, number[]>();
    for (let i = 0; i < this.length; i++) {
      let key = this.field(i, columns[0]!) ?? '';
      for (let n = 1; n < columns.length; n++) key += ',' + (this.field(i, columns[n]!) ?? '');
      const list = index.get(key);
      if (list) list.push(i);
      else index.set(key, [i]);
    }
    return index;
  }

  #decode(line: string): R {
    const fields = line.split('\t');
    const values: unknown[] = [];
    for (let n = 0; n < this.#decoders.length; n++) {
      let text: string | null | undefined = fields[n];
      if (text === undefined || text === '') text = this.#usual[n]!;
      else if (text === '\\N') text = null;
      else if (text.includes('\\')) text = unescape(text);
      values.push(text === null ? null : this.#decoders[n]!(text));
    }
    return rowFactory(this.#definition)(values) as R;
  }
}

function table<K extends CatalogId>(relation: K, data: BuiltinData): BuiltinTable<CatalogRows[K]> {
  return new BuiltinTable<CatalogRows[K]>(relation, data);
}

export const builtinAggregates = table(2600, pgAggregate);
export const builtinAms = table(2601, pgAm);
export const builtinAmops = table(2602, pgAmop);
export const builtinAmprocs = table(2603, pgAmproc);
export const builtinCasts = table(2605, pgCast);
export const builtinCollations = table(3456, pgCollation);
export const builtinConversions = table(2607, pgConversion);
export const builtinLanguages = table(2612, pgLanguage);
export const builtinNamespaces = table(2615, pgNamespace);
export const builtinOpclasses = table(2616, pgOpclass);
export const builtinOperators = table(2617, pgOperator);
export const builtinOpfamilies = table(2753, pgOpfamily);
export const builtinProcs = table(1255, pgProc);
export const builtinRanges = table(3541, pgRange);
export const builtinTypes = table(1247, pgType);
