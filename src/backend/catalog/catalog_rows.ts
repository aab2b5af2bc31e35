// Between the rows of catalogs as objects (rows.ts: plain arrays) and as values of their columns (ArrayValue).
import { ArrayValue, type Datum, type Oid } from '../types/datum.ts';
import { rowFactory, type CatalogDefinition } from './schema.ts';

/** Element type and lower bound of the array types that catalogs use. anyarray columns stay as they are. */
const ARRAYS: Readonly<Record<Oid, { element: Oid; lbound: number }>> = {
  22: { element: 21, lbound: 0 }, 30: { element: 26, lbound: 0 }, 1000: { element: 16, lbound: 1 },
  1002: { element: 18, lbound: 1 }, 1005: { element: 21, lbound: 1 }, 1007: { element: 23, lbound: 1 },
  1009: { element: 25, lbound: 1 }, 1021: { element: 700, lbound: 1 }, 1028: { element: 26, lbound: 1 },
  1034: { element: 1033, lbound: 1 },
};

interface Converter {
  readonly names: readonly string[];
  readonly arrays: readonly { column: number; element: Oid; lbound: number }[];
  readonly make: (values: readonly unknown[]) => object;
}
const converters = new Map<Oid, Converter>();

function converterOf(definition: CatalogDefinition): Converter {
  let converter = converters.get(definition.oid);
  if (!converter) {
    const arrays = definition.columns.flatMap((c, column) => (ARRAYS[c.type] ? [{ column, ...ARRAYS[c.type]! }] : []));
    converter = { names: definition.columns.map((c) => c.name), arrays, make: rowFactory(definition) };
    converters.set(definition.oid, converter);
  }
  return converter;
}

/** The column values of a row object; a field left out is NULL. */
export function toValues(definition: CatalogDefinition, row: object): Datum[] {
  const { names, arrays } = converterOf(definition);
  const values = names.map((name) => ((row as Record<string, unknown>)[name] ?? null) as Datum);
  for (const { column, element, lbound } of arrays) {
    const list = values[column];
    if (Array.isArray(list)) {
      // A vector has one dimension even when it is empty.
      values[column] = list.length === 0 && lbound === 1 ? new ArrayValue(element, [], [], []) : new ArrayValue(element, [list.length], [lbound], list);
    }
  }
  return values;
}

/** The row object of column values. The array of values is used up. */
export function toRow(definition: CatalogDefinition, values: Datum[]): object {
  const { arrays, make } = converterOf(definition);
  for (const { column } of arrays) {
    const value = values[column];
    if (value instanceof ArrayValue) values[column] = value.values as Datum[];
  }
  return make(values);
}
