// GROUPING SETS, ROLLUP and CUBE spelled out: the list of sets of sort group references (expand_grouping_sets).
import { PgError } from '../../common/errors.ts';
import type { GroupingSet, Query } from '../nodes/parsenodes.ts';

/** One element as the list of its sets. */
function expandOne(set: GroupingSet): number[][] {
  switch (set.kind) {
    case 'empty': return [[]];
    case 'simple': return [set.content as number[]];
    case 'rollup': {
      const parts = (set.content as GroupingSet[]).map((s) => s.content as number[]);
      const result: number[][] = [];
      for (let n = parts.length; n >= 0; n--) result.push(parts.slice(0, n).flat());
      return result;
    }
    case 'cube': {
      const parts = (set.content as GroupingSet[]).map((s) => s.content as number[]);
      const count = 2 ** parts.length;
      const result: number[][] = [];
      for (let i = 0; i < count; i++) result.push(parts.filter((_p, j) => (i & (1 << j)) !== 0).flat());
      return result;
    }
    case 'sets': return (set.content as GroupingSet[]).flatMap(expandOne);
  }
}

/** The product of all elements of GROUP BY, in the order written. */
export function expandGroupingSets(query: Pick<Query, 'groupingSets' | 'groupDistinct'>): number[][] {
  let result: number[][] = [[]];
  for (const element of query.groupingSets) {
    const sets = expandOne(element);
    if (result.length * sets.length > 4096) throw new PgError('statement_too_complex', 'too many grouping sets present (maximum 4096)');
    result = result.flatMap((left) => sets.map((right) => [...left, ...right.filter((r) => !left.includes(r))]));
  }
  result = result.map((set) => [...new Set(set)]);
  if (query.groupDistinct) {
    const seen = new Set<string>();
    result = result.filter((set) => {
      const key = [...set].sort((a, b) => a - b).join(' ');
      return seen.has(key) ? false : (seen.add(key), true);
    });
  }
  return result;
}
