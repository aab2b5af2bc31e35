// Grouping sets as rollups (PostgreSQL's planner.c): lists of sets that rows in one order give in one go, each set the beginning of
// the one before. As few rollups as can be, found as chains of subsets.
import { PgError } from '../../common/errors.ts';
import { quicksort } from '../executor/qsort.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { SortGroupClause } from '../nodes/primnodes.ts';
import { expandGroupingSets } from '../parser/grouping_sets.ts';

/** `refs`: what is grouped by, as ressortgrouprefs in the order of the rollup. */
export interface SetData { readonly refs: readonly number[]; groups: number }
export interface Rollup {
  readonly clause: SortGroupClause[];
  /** Largest first. */
  readonly sets: SetData[];
  readonly hashable: boolean;
  readonly hashed: boolean;
  groups: number;
}
export interface GroupingSetsData {
  readonly rollups: Rollup[];
  /** Sets that can only be hashed. */
  readonly unsortable: SetData[];
  readonly anyHashable: boolean;
}

/** preprocess_grouping_sets. */
export function groupingSetsData(q: Query): GroupingSetsData {
  const { groupClause, sortClause } = q;
  const unhashable = new Set(groupClause.filter((c) => !c.hashable).map((c) => c.tleSortGroupRef));
  const unsortableRefs = new Set(groupClause.filter((c) => c.sortop === 0).map((c) => c.tleSortGroupRef));
  const sets = bySize(expandGroupingSets(q), q.groupDistinct);
  const unsortable = sets.filter((set) => set.some((ref) => unsortableRefs.has(ref)));
  if (unsortable.some((set) => set.some((ref) => unhashable.has(ref)))) throw cannotGroup();
  const chains = chainsOf(sets.filter((set) => !unsortable.includes(set)));
  const rollups = chains.map((chain): Rollup => {
    const ordered = inPrefixOrder(chain, chains.length === 1 ? sortClause : []);
    const [largest] = ordered as [number[]];
    return {
      clause: clausesOf(groupClause, largest), sets: ordered.map((refs) => ({ refs, groups: 0 })), hashable: largest.length > 0 && !largest.some((ref) => unhashable.has(ref)), hashed: false, groups: 0,
    };
  });
  return { rollups, unsortable: unsortable.map((refs) => ({ refs, groups: 0 })), anyHashable: unsortable.length > 0 || rollups.some((r) => r.hashable) };
}

export const cannotGroup = (): PgError => new PgError('feature_not_supported', 'could not implement GROUP BY', {
  detail: 'Some of the datatypes only support hashing, while others only support sorting.',
});

const clausesOf = (groupClause: readonly SortGroupClause[], refs: readonly number[]): SortGroupClause[] => refs.map((ref) => groupClause.find((c) => c.tleSortGroupRef === ref)!);

/** A set of its own, to be hashed. */
export const hashedRollup = (groupClause: readonly SortGroupClause[], set: SetData): Rollup => ({ clause: clausesOf(groupClause, set.refs), sets: [set], hashable: true, hashed: true, groups: set.groups });

/** Smallest first (the end of expand_grouping_sets). */
function bySize(sets: number[][], distinct: boolean): number[][] {
  if (!distinct || sets.length < 2) {
    quicksort(sets, (a, b) => a.length - b.length);
    return sets;
  }
  const compare = (a: number[], b: number[]): number => {
    if (a.length !== b.length) return a.length - b.length;
    const i = a.findIndex((ref, k) => ref !== b[k]);
    return i < 0 ? 0 : a[i]! - b[i]!;
  };
  for (const set of sets) set.sort((a, b) => a - b);
  quicksort(sets, compare);
  return sets.filter((set, i) => i === 0 || compare(set, sets[i - 1]!) !== 0);
}

/** extract_rollup_sets: chains of sets, each within the next, smallest first; all sets without columns in the first. */
function chainsOf(sets: readonly number[][]): number[][][] {
  const first = sets.findIndex((set) => set.length > 0);
  if (first < 0) return sets.length === 0 ? [] : [[...sets]];
  const same: number[][][] = [], masks: Set<number>[] = [], subsets: number[][] = [];
  // Where those begin that are as large as the last one.
  let size = 0, start = 0;
  for (const set of sets.slice(first)) {
    if (set.length > size) {
      size = set.length;
      start = same.length;
    }
    const known = masks.findIndex((mask, i) => i >= start && set.every((ref) => mask.has(ref)));
    if (known >= 0) {
      same[known]!.push(set);
      continue;
    }
    const inside: number[] = [];
    for (let k = start - 1; k >= 0; k--) if (same[k]![0]!.every((ref) => set.includes(ref))) inside.push(k);
    same.push([set]);
    masks.push(new Set(set));
    subsets.push(inside);
  }
  const { below, above } = bipartiteMatch(subsets);
  const chain: number[] = [];
  const result: number[][][] = [];
  for (let i = 0; i < same.length; i++) {
    const u = above[i]!, v = below[i]!;
    chain.push(u >= 0 && u < i ? chain[u]! : v >= 0 && v < i ? chain[v]! : result.push([]) - 1);
    result[chain[i]!]!.push(...same[i]!);
  }
  result[0]!.unshift(...sets.slice(0, first));
  return result;
}

/** The largest matching of nodes with those they have edges to (lib/bipartite_match.c, Hopcroft and Karp): -1 for none. */
function bipartiteMatch(edges: readonly (readonly number[])[]): { below: number[]; above: number[] } {
  const n = edges.length;
  const below = new Array<number>(n).fill(-1), above = new Array<number>(n).fill(-1);
  let distance: number[], end: number;
  const layers = (): boolean => {
    end = Infinity;
    distance = below.map((v) => (v < 0 ? 0 : Infinity));
    const queue = [...below.keys()].filter((u) => below[u]! < 0);
    for (let at = 0; at < queue.length; at++) {
      const u = queue[at]!;
      if (distance[u]! >= end) continue;
      for (let i = edges[u]!.length - 1; i >= 0; i--) {
        const next = above[edges[u]![i]!]!;
        if (next < 0) {
          if (end === Infinity) end = 1 + distance[u]!;
        } else if (distance[next] === Infinity) {
          distance[next] = 1 + distance[u]!;
          queue.push(next);
        }
      }
    }
    return end !== Infinity;
  };
  const pair = (u: number): boolean => {
    if (u < 0) return true;
    if (distance[u] === Infinity) return false;
    const next = distance[u]! + 1;
    for (let i = edges[u]!.length - 1; i >= 0; i--) {
      const v = edges[u]![i]!, other = above[v]!;
      if ((other < 0 ? end : distance[other]) === next && pair(other)) {
        above[v] = u;
        below[u] = v;
        return true;
      }
    }
    distance[u] = Infinity;
    return false;
  };
  while (layers()) for (let u = 0; u < n; u++) if (below[u]! < 0) pair(u);
  return { below, above };
}

/** reorder_grouping_sets: each set begins with the columns of the next smaller one, in ORDER BY's order as far as that goes; largest first. */
function inPrefixOrder(chain: readonly number[][], sortClause: readonly SortGroupClause[]): number[][] {
  const result: number[][] = [];
  const order: number[] = [];
  let sort = sortClause;
  for (const set of chain) {
    let added = set.filter((ref) => !order.includes(ref));
    while (sort.length > order.length && added.length > 0) {
      const ref = sort[order.length]!.tleSortGroupRef;
      if (!added.includes(ref)) {
        sort = [];
        break;
      }
      order.push(ref);
      added = added.filter((r) => r !== ref);
    }
    order.push(...added);
    result.unshift([...order]);
  }
  return result;
}

/** DiscreteKnapsack, each item of the same value: the numbers of those that fit together. */
export function fitting(capacity: number, weights: readonly number[]): Set<number> {
  const best: number[][] = Array.from({ length: capacity + 1 }, () => []);
  weights.forEach((weight, i) => {
    for (let j = capacity; j >= weight; j--) if (best[j]!.length <= best[j - weight]!.length + 1) best[j] = [...best[j - weight]!, i];
  });
  return new Set(best[capacity]);
}
