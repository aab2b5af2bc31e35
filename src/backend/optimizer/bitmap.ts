// Bitmap scans (choose_bitmap_and and create_bitmap_heap_path of PostgreSQL's indxpath.c, costs of costsize.c): row ids from
// one or several indexes, put together, then the rows in the order of the table.
import { makeAndsExplicit, makeBoolExpr } from '../nodes/makefuncs.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { BitmapPlan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsMutable, equal } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, enabled, indexPagesFetched, parallelDivisor, qualEvalCost, rowsOfOne } from './costsize.ts';
import { ginScanPath, type GinIndexInfo } from './ginpath.ts';
import type { IndexPathInfo } from './indxpath.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { parallelWorkers } from './parallel.ts';
import { loopCount, paramPathInfo } from './parampath.ts';
import { forRelation } from './pathkeys.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { predicateImpliedBy } from './predtest.ts';
import { EMPTY } from './relids.ts';
import { withoutRepeated } from './restrictinfo.ts';

/** One index, or several put together. */
export type BitmapNode = (
  | { kind: 'index'; index: IndexPathInfo }
  | { kind: 'gin'; index: GinIndexInfo }
  | { kind: 'and' | 'or'; nodes: BitmapNode[] }
) & { cost: number; selectivity: number; outer: Relids };

/** cost_bitmap_tree_node of an index. */
export const bitmapIndex = (index: IndexPathInfo): BitmapNode => ({
  kind: 'index', index, cost: index.total + 0.1 * costs.cpuOperator * index.rows, selectivity: index.selectivity, outer: index.outer,
});
export const bitmapGin = (index: GinIndexInfo): BitmapNode => ({ kind: 'gin', index, cost: index.total + 0.1 * costs.cpuOperator * index.rows, selectivity: index.selectivity, outer: EMPTY });
function bitmapAnd(nodes: BitmapNode[]): BitmapNode {
  return {
    kind: 'and', nodes, cost: nodes.reduce((c, n, i) => c + n.cost + (i > 0 ? 100 * costs.cpuOperator : 0), 0),
    selectivity: nodes.reduce((s, n) => s * n.selectivity, 1), outer: nodes.reduce((o, n) => o | n.outer, EMPTY),
  };
}
export function bitmapOr(nodes: BitmapNode[]): BitmapNode {
  return {
    kind: 'or', nodes, cost: nodes.reduce((c, n, i) => c + n.cost + (i > 0 && n.kind !== 'index' && n.kind !== 'gin' ? 100 * costs.cpuOperator : 0), 0),
    selectivity: Math.min(1, nodes.reduce((s, n) => s + n.selectivity, 0)), outer: nodes.reduce((o, n) => o | n.outer, EMPTY),
  };
}

/** cost_bitmap_heap_scan. */
function heapCost(root: PlannerInfo, rel: RelOptInfo, node: BitmapNode, processes = 1): { startup: number; total: number; pages: number } {
  const loops = loopCount(root, rel, node.outer);
  const fetched = clampRows(node.selectivity * rel.tuples);
  const t = Math.max(rel.pages, 1);
  let pages: number;
  if (loops > 1) pages = indexPagesFetched(fetched * loops, rel.pages, root.totalTablePages + indexPages(node)) / loops;
  else pages = (2 * t * fetched) / (2 * t + fetched);
  pages = pages >= t ? t : Math.ceil(pages);
  const perPage = pages >= 2 ? costs.randomPage - (costs.randomPage - costs.seqPage) * Math.sqrt(pages / t) : costs.randomPage;
  const quals = qualEvalCost([...rel.restrictions, ...(node.outer === EMPTY ? [] : paramPathInfo(root, rel, node.outer).clauses)]);
  const startup = node.cost + quals.startup + (enabled.bitmapscan ? 0 : DISABLE_COST);
  return { startup, total: startup + pages * perPage + ((costs.cpuTuple + quals.perTuple) * fetched) / processes, pages };
}
const indexPages = (node: BitmapNode): number => (node.kind === 'index' ? node.index.pages : node.kind === 'gin' ? 0 : node.nodes.reduce((n, x) => n + indexPages(x), 0));

const leavesOf = (node: BitmapNode): Pick<IndexPathInfo, 'info' | 'clauses'>[] => (node.kind === 'index' || node.kind === 'gin' ? [node.index] : node.nodes.flatMap(leavesOf));

/** The one or several of these whose rows in common are found cheapest. */
export function chooseBitmapAnd(root: PlannerInfo, rel: RelOptInfo, paths: readonly BitmapNode[]): BitmapNode {
  if (paths.length === 1) return paths[0]!;
  const known: Expr[] = [];
  const idOf = (e: Expr): number => {
    const i = known.findIndex((k) => equal(k, e));
    return i >= 0 ? i : known.push(e) - 1;
  };
  const candidates: { node: BitmapNode; ids: Set<number>; quals: Expr[]; preds: Expr[] }[] = [];
  for (const node of paths) {
    const leaves = leavesOf(node);
    const quals = leaves.flatMap((l) => l.clauses.map((r) => r.clause));
    const preds = leaves.flatMap((l) => (l.info.predicate === null ? [] : makeAndsImplicit(forRelation(l.info.predicate, rel.rti))));
    const ids = new Set([...quals, ...preds].map(idOf));
    const same = candidates.findIndex((c) => c.ids.size === ids.size && [...ids].every((i) => c.ids.has(i)));
    if (same < 0) candidates.push({ node, ids, quals, preds });
    else if (node.cost < candidates[same]!.node.cost) candidates[same] = { node, ids, quals, preds };
  }
  if (candidates.length === 1) return candidates[0]!.node;
  candidates.sort((a, b) => a.node.cost - b.node.cost || a.node.selectivity - b.node.selectivity);
  let best: BitmapNode[] = [];
  let bestCost = Infinity;
  for (let i = 0; i < candidates.length; i++) {
    const first = candidates[i]!;
    let chosen = [first.node];
    let cost = heapCost(root, rel, first.node).total;
    const quals = [...first.quals, ...first.preds];
    const ids = new Set(first.ids);
    for (let j = i + 1; j < candidates.length; j++) {
      const c = candidates[j]!;
      if ([...c.ids].some((id) => ids.has(id))) continue;
      if (c.preds.some((p) => predicateImpliedBy([p], quals, false))) continue;
      const together = [...chosen, c.node];
      const sum = heapCost(root, rel, bitmapAnd(together)).total;
      if (sum >= cost) continue;
      chosen = together;
      cost = sum;
      quals.push(...c.quals, ...c.preds);
      c.ids.forEach((id) => ids.add(id));
    }
    if (cost < bestCost) {
      best = chosen;
      bestCost = cost;
    }
  }
  return best.length === 1 ? best[0]! : bitmapAnd(best);
}

/** create_partial_bitmap_paths: one process makes the bitmap, all read the table; null: it is not worth a worker. */
export function partialBitmapPath(root: PlannerInfo, rel: RelOptInfo, node: BitmapNode): Path | null {
  const workers = parallelWorkers(rel, heapCost(root, rel, node).pages, -1);
  return workers <= 0 ? null : bitmapHeapPath(root, rel, node, workers);
}

/** create_bitmap_heap_path. */
export function bitmapHeapPath(root: PlannerInfo, rel: RelOptInfo, node: BitmapNode, workers?: number): Path {
  const cost = heapCost(root, rel, node, workers === undefined ? 1 : parallelDivisor(workers));
  if (node.kind === 'gin' && workers === undefined) return ginScanPath(root, rel, node.index, cost);
  const outer = node.outer | rel.lateralRelids;
  const param = outer === EMPTY ? null : paramPathInfo(root, rel, outer);
  const path: Path = {
    kind: 'BitmapHeapScan', rel, rows: param === null ? rowsOfOne(rel.rows, workers) : param.rows, startup: cost.startup, total: cost.total, pathkeys: [], requiredOuter: outer,
    paramClauses: param === null ? [] : param.clauses, ...(node.kind === 'index' ? { indexClauses: node.index.clauses } : {}),
    parallelSafe: rel.considerParallel, ...(workers === undefined ? {} : { parallelWorkers: workers }),
    make: () => {
      const fix = (e: Expr): Expr => (outer === EMPTY ? e : replaceNestloopParams(root, e));
      const { plan, quals, clauses } = bitmapPlan(rel, node, fix);
      const rest = [...rel.restrictions, ...withoutRepeated(path.paramClauses, clauses)].filter((r) => !r.pseudoconstant && !quals.some((q) => equal(q, r.clause))
        && !(!containsMutable(r.clause) && predicateImpliedBy([r.clause], quals, false)));
      return {
        kind: 'BitmapHeapScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix), plan), scanrelid: rel.rti, bitmapqualorig: quals.map(fix), ...(workers === undefined ? {} : { parallelAware: true }),
      };
    },
  };
  return path;
}

interface BitmapParts { plan: BitmapPlan; quals: Expr[]; clauses: readonly RestrictInfo[] }

/** create_bitmap_subplan: the plan, and the conditions that its rows meet. */
function bitmapPlan(rel: RelOptInfo, node: BitmapNode, fix: (e: Expr) => Expr): BitmapParts {
  const base = {
    startup_cost: 0, total_cost: node.cost, plan_rows: clampRows(node.selectivity * rel.tuples), plan_width: 0, targetlist: [], qual: [], lefttree: null, righttree: null, initPlan: [],
  };
  if (node.kind === 'index') {
    const { info, clauses, matches } = node.index;
    const lossy = new Set(matches.filter((m) => m.lossy).map((m) => m.rinfo));
    const quals = clauses.filter((r) => !lossy.has(r)).map((r) => r.clause);
    const preds = info.predicate === null ? [] : makeAndsImplicit(forRelation(info.predicate, rel.rti));
    for (const p of preds) if (!predicateImpliedBy([p], quals, false)) quals.push(p);
    return {
      plan: {
        ...base, kind: 'BitmapIndexScan', total_cost: node.index.total, scanrelid: rel.rti, indexid: info.indexrelid, ...node.index.executable(fix),
        indexqual: matches.map((m) => fix(m.expr)), indexorderdir: 'forward', indexorderby: [],
      },
      quals, clauses,
    };
  }
  if (node.kind === 'gin') {
    const { info, clauses } = node.index;
    return {
      plan: { ...base, kind: 'GinScan', startup_cost: node.cost, scanrelid: rel.rti, indexid: info.indexrelid, ...node.index.executable(fix) },
      quals: clauses.map((r) => r.clause), clauses: [],
    };
  }
  const parts = node.nodes.map((n) => bitmapPlan(rel, n, fix));
  const bitmapplans = parts.map((p) => p.plan);
  if (node.kind === 'and') {
    const quals: Expr[] = [];
    for (const p of parts) for (const q of p.quals) if (!quals.some((x) => equal(x, q))) quals.push(q);
    return { plan: { ...base, startup_cost: node.cost, kind: 'BitmapAnd', bitmapplans }, quals, clauses: parts.flatMap((p) => p.clauses) };
  }
  if (bitmapplans.length === 1) return parts[0]!;
  const whole: BitmapPlan = { ...base, startup_cost: node.cost, kind: 'BitmapOr', bitmapplans };
  // An arm whose index finds more than the rows wanted leaves nothing that all rows meet.
  if (parts.some((p) => p.quals.length === 0)) return { plan: whole, quals: [], clauses: [] };
  const arms = parts.map((p) => makeAndsExplicit(p.quals)!);
  return {
    plan: whole, quals: [makeBoolExpr('or', arms.flatMap((a) => (a.kind === 'BoolExpr' && a.boolop === 'or' ? a.args : [a])))], clauses: [],
  };
}
