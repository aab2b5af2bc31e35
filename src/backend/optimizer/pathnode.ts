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

/** Adds a path unless another is as good in everything; drops those it beats. */
export function addPath(rel: RelOptInfo, path: Path): void {
  const dominates = (a: Path, b: Path): boolean => a.total <= b.total * FUZZ && a.startup <= b.startup * FUZZ && pathkeysContain(a.pathkeys, b.pathkeys)
    && isSubset(a.requiredOuter, b.requiredOuter) && a.rows <= b.rows * FUZZ;
  for (const old of rel.paths) {
    if (dominates(old, path) && !(dominates(path, old) && path.total < old.total)) return;
  }
  rel.paths = rel.paths.filter((old) => !dominates(path, old));
  rel.paths.push(path);
}

export function setCheapest(rel: RelOptInfo): void {
  let best: Path | null = null;
  for (const p of rel.paths) {
    if (p.requiredOuter !== EMPTY) continue;
    if (best === null || p.total < best.total) best = p;
  }
  rel.cheapestTotal = best ?? rel.paths[0] ?? null;
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

export function fractionalCost(p: Path, fraction: number): number {
  const share = fraction <= 0 ? 1 : fraction >= 1 ? Math.min(1, fraction / Math.max(1, p.rows)) : fraction;
  return p.startup + share * (p.total - p.startup);
}
