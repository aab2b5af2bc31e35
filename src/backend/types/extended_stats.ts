// What ANALYZE finds out of several columns together (pg_ndistinct, pg_dependencies, pg_mcv_list; PostgreSQL's mvdistinct.c,
// dependencies.c, mcv.c): kept as JSON. Columns go by their numbers, expressions by -1, -2 and so on.
import { makeArray, RecordValue, tupleDesc, type Datum, type Oid } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { typeHooks } from './hooks.ts';
import { BOOLARRAYOID, FLOAT8OID, INT4OID, RECORDOID, TEXTARRAYOID, TEXTOID } from './oids.ts';

/** How many combinations of values some columns have. */
export interface DistinctItem { columns: number[]; distinct: number }
/** The last column follows from the others for this share of the rows. */
export interface Dependency { columns: number[]; degree: number }
/** `values`: as text. `base`: how often they would be there together if they were independent. */
export interface CommonItem { values: (string | null)[]; frequency: number; base: number }
export interface CommonValues { columns: number[]; types: Oid[]; items: CommonItem[] }

export const serialize = (value: readonly DistinctItem[] | readonly Dependency[] | CommonValues): Datum => JSON.stringify(value);
export const parseDistinct = (value: Datum): DistinctItem[] => (value === null ? [] : JSON.parse(value as string));
export const parseDependencies = (value: Datum): Dependency[] => (value === null ? [] : JSON.parse(value as string));
export const parseCommonValues = (value: Datum): CommonValues | null => (value === null ? null : JSON.parse(value as string));

const ITEM_COLUMNS = tupleDesc([['index', INT4OID], ['values', TEXTARRAYOID], ['nulls', BOOLARRAYOID], ['frequency', FLOAT8OID], ['base_frequency', FLOAT8OID]]);

function* items(value: Datum): Generator<Datum> {
  for (const [i, { values, frequency, base }] of (parseCommonValues(value)?.items ?? []).entries()) {
    yield new RecordValue(RECORDOID, ITEM_COLUMNS, [i, makeArray(TEXTOID, values), makeArray(16, values.map((v) => v === null)), frequency, base]);
  }
}

/** The values of an item of a list. */
export const itemValues = (list: CommonValues, item: CommonItem): Datum[] => item.values.map((v, i) => (v === null ? null : typeHooks.typeIo(list.types[i]!).input(v, -1)));

registerBuiltins({
  pure: {
    pg_ndistinct_out: (value: Datum) => `{${parseDistinct(value).map((d) => `"${d.columns.join(', ')}": ${Math.trunc(d.distinct)}`).join(', ')}}`,
    pg_dependencies_out: (value: Datum) => `{${parseDependencies(value).map((d) => `"${d.columns.slice(0, -1).join(', ')} => ${d.columns.at(-1)!}": ${d.degree.toFixed(6)}`).join(', ')}}`,
    pg_mcv_list_out: (value: Datum) => `\\x${Buffer.from(value as string).toString('hex')}`,
  },
  set: { pg_stats_ext_mcvlist_items: (_context, value: Datum) => items(value) },
});
