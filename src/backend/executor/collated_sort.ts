// Sorting rows whose first key is a text by a collation of ICU: to compare two such texts takes ICU ten times as long as to compare
// two strings, so the sort key of each is made once.
import { type Collator, collatorOf } from '../types/collation.ts';
import type { Datum } from '../types/datum.ts';
import type { RowComparator } from './row_compare.ts';

/** Four bytes of each row's sort key, behind those that all begin with, as numbers. No text is NULL. */
export function abbreviatedKeys(rows: readonly Datum[][], column: number, collator: Collator): Uint32Array<ArrayBuffer> {
  let bytes = Buffer.allocUnsafe(rows.length * 32), at = 0;
  const starts = Uint32Array.from(rows, (row) => {
    const text = row[column] as string, start = at;
    let end: number;
    while ((end = collator.putSortKey(text, bytes, start, bytes.length)) < 0) {
      const larger = Buffer.allocUnsafe(bytes.length * 2 + 1024);
      bytes.copy(larger, 0, 0, start);
      bytes = larger;
    }
    at = end + 1; // a zero ends it
    return start;
  });
  let common = bytes.indexOf(0);
  for (const start of starts) {
    let i = 0;
    while (i < common && bytes[start + i] === bytes[i]) i++;
    common = i;
  }
  return starts.map((start) => {
    let key = 0;
    for (let i = start + common, shift = 24; shift >= 0 && bytes[i] !== 0; i++, shift -= 8) key |= bytes[i]! << shift;
    return key;
  });
}

interface Keyed { key: string | null; row: Datum[] }
type Compare<T> = (a: T, b: T) => number;

/** Below this it does not matter. */
const FEW = 8;

/** The rows in order, as `sort` sorts by `all`, whose first part is `first` over a column (from 0); null: that is no such key. */
export function collatedSort(
  rows: readonly Datum[][], column: number, first: { compare: Compare<any>; reverse: boolean }, all: RowComparator, sort: (list: Keyed[], compare: Compare<Keyed>) => void,
): Datum[][] | null {
  const sortKey = collatorOf(first.compare)?.sortKey;
  if (sortKey === undefined || rows.length < FEW) return null;
  const list = rows.map((row): Keyed => ({ key: row[column] === null ? null : sortKey(row[column] as string), row }));
  const less = first.reverse ? 1 : -1;
  sort(list, ({ key: x, row: a }, { key: y, row: b }) => (x === y || x === null || y === null ? all(a, b) : x < y ? less : -less));
  return list.map(({ row }) => row);
}
