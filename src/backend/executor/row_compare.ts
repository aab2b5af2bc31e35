// Comparing whole rows (arrays of datums) by some of their columns.
import type { GroupKey, SortKey } from '../nodes/plannodes.ts';
import type { Datum } from '../types/datum.ts';
import { type Comparator, hashKeyFunction, isPrimitiveKey, keyOf, sortComparator } from './sort_support.ts';

export type RowComparator = (a: Datum[], b: Datum[]) => number;

/** ORDER BY: NULLs where the key says. */
export function rowComparator(keys: readonly SortKey[]): RowComparator {
  const parts = keys.map((k) => {
    const { compare, reverse } = sortComparator(k.sortop, k.type, k.collation);
    return columnComparator(k.column - 1, compare, reverse, k.nullsFirst);
  });
  if (parts.length === 1) return parts[0]!;
  if (parts.length === 2) {
    const [first, second] = parts as [RowComparator, RowComparator];
    return (a, b) => first(a, b) || second(a, b);
  }
  return (a, b) => {
    for (const part of parts) {
      const order = part(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function columnComparator(i: number, compare: Comparator, reverse: boolean, nullsFirst: boolean): RowComparator {
  const nullOrder = nullsFirst ? -1 : 1;
  const sign = reverse ? -1 : 1;
  return (a, b) => {
    const x = a[i]!;
    const y = b[i]!;
    if (x === y) return 0;
    if (x === null) return nullOrder;
    if (y === null) return -nullOrder;
    return sign * compare(x, y);
  };
}

/** GROUP BY and DISTINCT equality: NULLs are equal. */
export function rowsEqual(keys: readonly Pick<GroupKey, 'column' | 'type' | 'collation'>[]): (a: Datum[], b: Datum[]) => boolean {
  const columns = keys.map((k) => k.column - 1);
  const hashes = keys.map((k) => (isPrimitiveKey(k.type, k.collation) ? null : hashKeyFunction(k.type, k.collation)));
  return (a, b) => {
    for (let i = 0; i < columns.length; i++) {
      const x = a[columns[i]!]!;
      const y = b[columns[i]!]!;
      if (x === y) continue;
      if (x === null || y === null) return false;
      const hash = hashes[i]!;
      if (hash === null ? !(x !== x && y !== y) : hash(x) !== hash(y)) return false;
    }
    return true;
  };
}

/** A Map key for the columns of a row: the same exactly for rows that are equal. */
export function rowKey(keys: readonly Pick<GroupKey, 'column' | 'type' | 'collation'>[]): (row: Datum[]) => Datum {
  const columns = keys.map((k) => k.column - 1);
  const hashes = keys.map((k) => hashKeyFunction(k.type, k.collation));
  if (columns.length === 1) {
    const column = columns[0]!;
    const hash = hashes[0]!;
    return (row) => (row[column] === null ? null : hash(row[column]));
  }
  return (row) => keyOf(columns.map((c, i) => (row[c] === null ? null : hashes[i]!(row[c]))));
}
