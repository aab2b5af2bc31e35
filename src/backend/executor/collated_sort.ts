// Sorting rows whose first key is a text by a collation of ICU: to compare two such texts takes ICU ten times as long as to compare
// two strings, so the sort key of each is made once.
import { sortKeyOf } from '../types/collation.ts';
import type { Datum } from '../types/datum.ts';
import type { RowComparator } from './row_compare.ts';

interface Keyed { key: string | null; row: Datum[] }
type Compare<T> = (a: T, b: T) => number;

/** Below this it does not matter. */
const FEW = 8;

/** The rows in order, as `sort` sorts by `all`, whose first part is `first` over a column (from 0); null: that is no such key. */
export function collatedSort(
  rows: readonly Datum[][], column: number, first: { compare: Compare<any>; reverse: boolean }, all: RowComparator, sort: (list: Keyed[], compare: Compare<Keyed>) => void,
): Datum[][] | null {
  const sortKey = sortKeyOf(first.compare);
  if (sortKey === undefined || rows.length < FEW) return null;
  const list = rows.map((row): Keyed => ({ key: row[column] === null ? null : sortKey(row[column] as string), row }));
  const less = first.reverse ? 1 : -1;
  sort(list, ({ key: x, row: a }, { key: y, row: b }) => (x === y || x === null || y === null ? all(a, b) : x < y ? less : -less));
  return list.map(({ row }) => row);
}
