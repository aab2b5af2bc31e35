// Row ids of several indexes put together (PostgreSQL's tidbitmap.c; ids are exact here, never whole pages).
import type { RowId } from '../access/row.ts';

/** Those that are in all lists. */
export function commonRowIds(lists: readonly (readonly RowId[])[]): RowId[] {
  const bySize = [...lists].sort((a, b) => a.length - b.length);
  let common = [...bySize[0]!];
  for (let i = 1; i < bySize.length && common.length > 0; i++) {
    const other = new Set(bySize[i]);
    common = common.filter((id) => other.has(id));
  }
  return common;
}
