// What an Append that processes share is made of (the parts of add_paths_to_append_rel of PostgreSQL's allpaths.c and of cost_append
// that are about partial paths): paths whose rows all may share, and whole ones, each for one process.
import { settings } from '../utils/settings.ts';
import { clampRows, costs, parallelDivisor } from './costsize.ts';
import { cheapestSafe } from './pathnode.ts';
import type { Path, RelOptInfo } from './pathnodes.ts';

/** A path, and the number of the member it is of. */
interface MemberPath { path: Path; member: number }

/** `firstPartial`: those before are whole. `isAware`: each process takes another member, else all take one after the other. */
export interface SharedMembers { paths: MemberPath[]; firstPartial: number; isAware: boolean; workers: number; startup: number; total: number; rows: number }

/** The Appends worth having of these. */
export function sharedMembers(rels: readonly RelOptInfo[]): SharedMembers[] {
  const found: SharedMembers[] = [];
  const isAware = settings.enable_parallel_append;
  const partial: MemberPath[] = [], mixed: MemberPath[] = [], whole: MemberPath[] = [];
  rels.forEach(({ partialPaths: [cheapest], paths }, member) => {
    if (cheapest !== undefined) partial.push(...inlined(cheapest, member));
    const safe = cheapestSafe(paths);
    if (safe === null || (cheapest !== undefined && cheapest.total < safe.total)) {
      if (cheapest === undefined) return;
      const list = isAppend(cheapest) ? cheapest.subpaths!.map((path) => ({ path, member })) : [{ path: cheapest, member }];
      const first = isAppend(cheapest) ? cheapest.firstPartial ?? 0 : 0;
      whole.push(...list.slice(0, first));
      mixed.push(...list.slice(first));
    } else whole.push(...inlined(safe, member));
  });
  const has = (list: readonly MemberPath[]): Set<number> => new Set(list.map((m) => m.member));
  if (has(partial).size === rels.length) found.push(shared([], partial, rels.length, isAware, null));
  if (isAware && whole.length > 0 && has([...whole, ...mixed]).size === rels.length) found.push(shared(whole, mixed, rels.length, true, found[0]?.rows ?? null));
  return found;
}

/** The Append of partial paths. */
export const sharedAppend = (paths: readonly Path[]): SharedMembers =>
  shared([], paths.map((path, member) => ({ path, member })), paths.length, settings.enable_parallel_append, null);

const isAppend = (p: Path): boolean => p.subpaths !== undefined;
/** accumulate_append_subpath: an Append gives its members, unless some of them are for one process each. */
const inlined = (path: Path, member: number): MemberPath[] =>
  (path.subpaths !== undefined && (path.firstPartial ?? 0) === 0 ? path.subpaths.map((p) => ({ path: p, member })) : [{ path, member }]);

function shared(whole: readonly MemberPath[], partial: readonly MemberPath[], members: number, isAware: boolean, rows: number | null): SharedMembers {
  const most = settings.max_parallel_workers_per_gather;
  let workers = Math.max(0, ...partial.map((m) => m.path.parallelWorkers!));
  // A few more, as they spread over the members.
  if (isAware) workers = Math.min(Math.max(workers, Math.floor(Math.log2(members)) + 1), most);
  // The longest first; of partial ones those that one process has to begin alone.
  const paths = isAware ? [
    ...whole.toSorted((a, b) => b.path.total - a.path.total || b.path.startup - a.path.startup || Number(a.path.rel.relids - b.path.rel.relids)),
    ...partial.toSorted((a, b) => b.path.startup - a.path.startup || b.path.total - a.path.total || Number(a.path.rel.relids - b.path.rel.relids)),
  ] : [...partial];
  const cost = appendCost(paths.map((m) => m.path), whole.length, isAware, workers);
  return { paths, firstPartial: whole.length, isAware, workers, ...cost, ...(rows === null ? {} : { rows }) };
}

function appendCost(paths: readonly Path[], firstPartial: number, isAware: boolean, workers: number): { startup: number; total: number; rows: number } {
  const [first] = paths as [Path];
  if (paths.length === 1 && first.parallelWorkers === workers) return first;
  const overhead = (rows: number): number => 0.5 * costs.cpuTuple * rows;
  if (!isAware) {
    const rows = paths.reduce((n, p) => n + p.rows, 0);
    return { startup: first.startup, total: paths.reduce((c, p) => c + p.total, 0) + overhead(rows), rows };
  }
  const divisor = parallelDivisor(workers);
  const startup = Math.min(...paths.slice(0, Math.max(1, workers)).map((p) => p.startup));
  let rows = 0, total = 0;
  paths.forEach((p, i) => {
    if (i < firstPartial) rows += p.rows / divisor;
    else {
      rows += (p.rows * parallelDivisor(p.parallelWorkers!)) / divisor;
      total += p.total;
    }
    rows = clampRows(rows);
  });
  return { startup, total: total + wholeCost(paths.slice(0, firstPartial), workers) + overhead(rows), rows };
}

/** append_nonpartial_cost: when the last of these is done, each process taking the next one. */
function wholeCost(paths: readonly Path[], workers: number): number {
  if (paths.length === 0) return 0;
  const busy = paths.slice(0, Math.min(workers, paths.length)).map((p) => p.total);
  let least = busy.length - 1;
  for (const p of paths.slice(busy.length)) {
    busy[least]! += p.total;
    least = busy.indexOf(Math.min(...busy));
  }
  return Math.max(...busy);
}
