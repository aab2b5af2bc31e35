// Keeping the paths that may be part of the best plan (PostgreSQL's pathnode.c).
import type { Path, PathKey, RelOptInfo } from './pathnodes.ts';
import { EMPTY, isSubset } from './relids.ts';

const FUZZ = 1.01;

export const samePathkey = (a: PathKey, b: PathKey): boolean => a.ec === b.ec && a.reverse === b.reverse && a.nullsFirst === b.nullsFirst;

/** Whether an order satisfies a wanted one. */
export function pathkeysContain(have: readonly PathKey[], want: readonly PathKey[]): boolean {
  if (want.length > have.length) return false;
  for (let i = 0; i < want.length; i++) if (!samePathkey(have[i]!, want[i]!)) return false;
  return true;
}
/** How many of the wanted keys an order has at its head. */
export function commonPathkeys(have: readonly PathKey[], want: readonly PathKey[]): number {
  let n = 0;
  while (n < have.length && n < want.length && samePathkey(have[n]!, want[n]!)) n++;
  return n;
}

const EQUAL = 0;
const FIRST = 1;
const SECOND = 2;
const DIFFERENT = 3;
type Comparison = 0 | 1 | 2 | 3;

/** compare_path_costs_fuzzily. */
function compareCosts(a: Path, b: Path, fuzz: number): Comparison {
  const early = (p: Path): boolean => (p.requiredOuter === EMPTY ? p.rel.considerStartup : p.rel.considerParamStartup);
  if (a.total > b.total * fuzz) return early(a) && b.startup > a.startup * fuzz ? DIFFERENT : SECOND;
  if (b.total > a.total * fuzz) return early(b) && a.startup > b.startup * fuzz ? DIFFERENT : FIRST;
  if (a.startup > b.startup * fuzz) return SECOND;
  return b.startup > a.startup * fuzz ? FIRST : EQUAL;
}

function comparePathkeys(a: readonly PathKey[], b: readonly PathKey[]): Comparison {
  const common = commonPathkeys(a, b);
  if (common < a.length) return common < b.length ? DIFFERENT : FIRST;
  return common < b.length ? SECOND : EQUAL;
}

const NONE: readonly PathKey[] = [];
const orderOf = (p: Path): readonly PathKey[] => (p.requiredOuter === EMPTY ? p.pathkeys : NONE);

function dominance(a: Path, b: Path): Comparison {
  const costs = compareCosts(a, b, FUZZ);
  if (costs === DIFFERENT) return DIFFERENT;
  const keys = comparePathkeys(orderOf(a), orderOf(b));
  if (keys === DIFFERENT) return DIFFERENT;
  const firstNeedsLess = isSubset(a.requiredOuter, b.requiredOuter);
  const secondNeedsLess = isSubset(b.requiredOuter, a.requiredOuter);
  const firstFits = firstNeedsLess && a.rows <= b.rows && (a.parallelSafe === true || b.parallelSafe !== true);
  const secondFits = secondNeedsLess && a.rows >= b.rows && (b.parallelSafe === true || a.parallelSafe !== true);
  if (costs === EQUAL) {
    if (keys === FIRST) return firstFits ? FIRST : DIFFERENT;
    if (keys === SECOND) return secondFits ? SECOND : DIFFERENT;
    if (firstNeedsLess && secondNeedsLess) {
      if ((a.parallelSafe === true) !== (b.parallelSafe === true)) return a.parallelSafe === true ? FIRST : SECOND;
      if (a.rows !== b.rows) return a.rows < b.rows ? FIRST : SECOND;
      return compareCosts(a, b, 1.0000000001) === FIRST ? FIRST : SECOND;
    }
    if (firstNeedsLess) return firstFits ? FIRST : DIFFERENT;
    return secondFits ? SECOND : DIFFERENT;
  }
  if (costs === FIRST) return keys !== SECOND && firstFits ? FIRST : DIFFERENT;
  return keys !== FIRST && secondFits ? SECOND : DIFFERENT;
}

/** Adds a path unless another is as good in everything; drops those it beats. The cheapest stands first (add_path). */
export function addPath(rel: RelOptInfo, path: Path): void {
  const { paths } = rel;
  let at = 0;
  for (let i = 0; i < paths.length; i++) {
    const better = dominance(path, paths[i]!);
    if (better === FIRST) {
      paths.splice(i--, 1);
      continue;
    }
    if (path.total >= paths[i]!.total) at = i + 1;
    if (better === SECOND) return;
  }
  paths.splice(at, 0, path);
}

/** The same for a path that gives each process a part of the rows: what counts are the whole costs and the order (add_partial_path). */
export function addPartialPath(rel: RelOptInfo, path: Path): void {
  const kept: Path[] = [];
  let at = 0;
  for (const old of rel.partialPaths) {
    const keys = comparePathkeys(path.pathkeys, old.pathkeys);
    let remove = false;
    if (keys !== DIFFERENT) {
      let worse: boolean;
      if (path.total > old.total * FUZZ) worse = keys !== FIRST;
      else if (old.total > path.total * FUZZ) {
        worse = false;
        remove = keys !== SECOND;
      } else {
        remove = keys === FIRST || (keys === EQUAL && old.total > path.total * 1.0000000001);
        worse = !remove;
      }
      if (worse) return;
    }
    if (remove) continue;
    kept.push(old);
    if (path.total >= old.total) at = kept.length;
  }
  kept.splice(at, 0, path);
  rel.partialPaths = kept;
}

/** Where a path belongs: partial ones are for workers. */
export const givePath = (rel: RelOptInfo, path: Path): void => (path.parallelWorkers === undefined ? addPath(rel, path) : addPartialPath(rel, path));

/** get_cheapest_parallel_safe_total_inner: that takes no values from outside and can be run in a worker. */
export const cheapestSafe = (paths: readonly Path[]): Path | null => paths.find((p) => p.parallelSafe === true && p.requiredOuter === EMPTY) ?? null;

/** compare_path_costs: by total costs, then by those of the first row. */
const isCheaper = (a: Path, b: Path): number => a.total - b.total || a.startup - b.startup;

export function setCheapest(rel: RelOptInfo): void {
  let best: Path | null = null;
  /** The cheapest of those that take values of the fewest relations. */
  let parameterized: Path | null = null;
  for (const p of rel.paths) {
    if (p.requiredOuter !== EMPTY) {
      const known = parameterized?.requiredOuter ?? EMPTY;
      if (parameterized === null || (p.requiredOuter === known ? isCheaper(p, parameterized) < 0 : isSubset(p.requiredOuter, known))) parameterized = p;
      continue;
    }
    const order = best === null ? -1 : isCheaper(p, best);
    if (order < 0 || (order === 0 && comparePathkeys(best!.pathkeys, p.pathkeys) === SECOND)) best = p;
  }
  rel.cheapestTotal = best ?? parameterized;
}

/** The cheapest path for the first row. */
export function cheapestStartup(rel: RelOptInfo): Path | null {
  let best: Path | null = null;
  for (const p of rel.paths) {
    if (p.requiredOuter !== EMPTY) continue;
    const order = best === null ? -1 : p.startup - best.startup || p.total - best.total;
    if (order < 0 || (order === 0 && comparePathkeys(best!.pathkeys, p.pathkeys) === SECOND)) best = p;
  }
  return best;
}

/** The cheapest way to get the first `fraction` of the rows (above 1: so many rows) in this order. */
export function cheapestFractional(paths: readonly Path[], pathkeys: readonly PathKey[], fraction: number): Path | null {
  let best: Path | null = null;
  let bestCost = Infinity;
  for (const p of paths) {
    if (p.requiredOuter !== EMPTY || !pathkeysContain(p.pathkeys, pathkeys)) continue;
    const cost = fractionalCost(p, fraction);
    if (cost < bestCost) {
      best = p;
      bestCost = cost;
    }
  }
  return best;
}

export function fractionalCost(p: Pick<Path, 'startup' | 'total' | 'rows'>, fraction: number): number {
  const share = fraction <= 0 ? 1 : fraction >= 1 ? Math.min(1, fraction / Math.max(1, p.rows)) : fraction;
  return p.startup + share * (p.total - p.startup);
}
