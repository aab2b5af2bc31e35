// What joins cost (the join part of PostgreSQL's costsize.c). Its two steps, a first guess and the rest, are one here.
import { rint } from '../types/datetime_scan.ts';
import { clampRows, costs, DISABLE_COST, enabled, evalCost, materialCost, parallelDivisor, relationBytes, relationPages, rescanCost, sortCost } from './costsize.ts';
import type { MergeScan, Path, PlannerInfo, QualCost, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import type { JoinType } from '../nodes/primnodes.ts';
import { bucketStatistics, clauselistSelectivity, factsOf, mergeScanSelectivity } from './selfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';

/** For joins that stop at the first match: the share of outer rows that have one, and how many of these have. */
export interface SemiFactors { outerMatch: number; matchCount: number }

/** What all paths of a join have in common. */
export interface JoinPathContext {
  root: PlannerInfo;
  rel: RelOptInfo;
  outer: RelOptInfo;
  inner: RelOptInfo;
  jointype: JoinType;
  joinquals: RestrictInfo[];
  otherquals: RestrictInfo[];
  innerUnique: boolean;
  semi: SemiFactors | null;
  /** Relations that paths of the join may take values from. */
  sources: Relids;
  /** Rows of the outer side may be shared by processes (not where rows of the inner side that found nobody are shown, too). */
  partial: boolean;
}

export interface Cost { startup: number; total: number }

function quals(root: PlannerInfo, ...lists: (readonly RestrictInfo[])[]): QualCost {
  const sum: QualCost = { startup: 0, perTuple: 0 };
  for (const list of lists) {
    for (const { clause } of list) {
      const cost = (factsOf(root, clause).cost ??= evalCost([clause]));
      sum.startup += cost.startup;
      sum.perTuple += cost.perTuple;
    }
  }
  return sum;
}

/** compute_semi_anti_join_factors. As there, it is the join's own kind that counts: for an inner side that is unique, the share is
 * that of an ordinary join. */
export function semiFactors(root: PlannerInfo, inner: RelOptInfo, outer: RelOptInfo, jointype: JoinType, joinquals: readonly RestrictInfo[], sjinfo: SpecialJoinInfo | null): SemiFactors {
  const special: SpecialJoinInfo = {
    minLefthand: outer.relids, minRighthand: inner.relids, synLefthand: outer.relids, synRighthand: inner.relids, lhsStrict: false, delayUpperJoins: false, quals: [],
    ...(sjinfo ?? {}), jointype: sjinfo !== null && (sjinfo.jointype === 'semi' || sjinfo.jointype === 'anti') ? (jointype === 'anti' ? 'anti' : 'semi') : 'inner',
  };
  const match = clauselistSelectivity(root, joinquals, { ...special, synLefthand: outer.relids, synRighthand: inner.relids });
  const pairs = clauselistSelectivity(root, joinquals, { ...special, jointype: 'inner' });
  return { outerMatch: match, matchCount: match > 0 ? Math.max(1, (pairs * inner.rows) / match) : 1 };
}

/** approx_tuple_count. */
function approximateRows(cx: JoinPathContext, outer: Path, inner: Path, clauses: readonly RestrictInfo[]): number {
  let selectivity = 1;
  const special: SpecialJoinInfo = {
    jointype: 'inner', minLefthand: cx.outer.relids, minRighthand: cx.inner.relids, synLefthand: cx.outer.relids, synRighthand: cx.inner.relids, lhsStrict: false, delayUpperJoins: false, quals: [],
  };
  for (const r of clauses) selectivity *= clauselistSelectivity(cx.root, [r], special);
  return clampRows(selectivity * outer.rows * inner.rows);
}

const stopsEarly = (cx: JoinPathContext): boolean => cx.jointype === 'semi' || cx.jointype === 'anti' || cx.innerUnique;

/** cost_nestloop; `rest`: conditions the inner side has not tested; `indexed`: it looks all of them up in an index. */
export function nestLoopCost(cx: JoinPathContext, outer: Path, inner: Path, rest: readonly RestrictInfo[], indexed: boolean): Cost {
  // Of none one is thought of.
  const outerRows = outer.rows || 1;
  const innerRows = inner.rows || 1;
  const again = rescanCost(inner);
  let startup = outer.startup + inner.startup;
  let run = outer.total - outer.startup;
  if (outerRows > 1) run += (outerRows - 1) * again.startup;
  const innerRun = inner.total - inner.startup;
  const againRun = again.total - again.startup;
  let pairs: number;
  if (stopsEarly(cx)) {
    const { outerMatch, matchCount } = cx.semi!;
    let matched = rint(outerRows * outerMatch);
    let unmatched = outerRows - matched;
    const part = 2 / (matchCount + 1);
    pairs = matched * innerRows * part;
    if (indexed) {
      run += innerRun * part;
      if (matched > 1) run += (matched - 1) * againRun * part;
      run += (unmatched * againRun) / innerRows;
    } else {
      pairs += unmatched * innerRows;
      run += innerRun;
      if (unmatched >= 1) unmatched -= 1;
      else matched -= 1;
      if (matched > 0) run += matched * againRun * part;
      if (unmatched > 0) run += unmatched * againRun;
    }
  } else {
    run += innerRun;
    if (outerRows > 1) run += (outerRows - 1) * againRun;
    pairs = outerRows * innerRows;
  }
  if (!enabled.nestloop) startup += DISABLE_COST;
  const cost = quals(cx.root, rest, cx.otherquals);
  startup += cost.startup;
  return { startup, total: startup + run + (costs.cpuTuple + cost.perTuple) * pairs };
}

const pow2 = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/** ExecChooseHashTableSize. */
function hashTableSize(rows: number, width: number, processes: number): { buckets: number; batches: number } {
  const n = Math.max(rows, 1);
  const tuple = 16 + 16 + Math.ceil(Math.round(width) / 8) * 8;
  const bytes = n * tuple;
  const room = costs.hashMemBytes * processes * 0.98;
  const pointers = 2 ** Math.floor(Math.log2(room / 8));
  let buckets = pow2(Math.max(Math.min(Math.ceil(n), pointers), 1024));
  if (bytes + 8 * buckets <= room) return { buckets, batches: 1 };
  // Where all together have not room enough, each has its own.
  if (processes > 1) return hashTableSize(rows, width, 1);
  buckets = Math.min(buckets, pow2(room / (tuple + 8)));
  return { buckets, batches: Math.max(2, pow2(Math.ceil(bytes / Math.max(room / 2, room - buckets * 8)))) };
}

/** cost_hashjoin; `keys`: each with the inner side's expression. An inner path that is partial fills a table for all processes. */
export function hashJoinCost(cx: JoinPathContext, outer: Path, inner: Path, keys: readonly { rinfo: RestrictInfo; inner: Expr }[]): Cost {
  let startup = outer.startup + inner.total + (costs.cpuOperator * keys.length + costs.cpuTuple) * inner.rows;
  let run = outer.total - outer.startup + costs.cpuOperator * keys.length * outer.rows;
  const { buckets, batches } = hashTableSize(inner.parallelWorkers === undefined ? inner.rows : inner.rows * parallelDivisor(inner.parallelWorkers), inner.rel.width, 1 + (inner.parallelWorkers === undefined ? 0 : outer.parallelWorkers!));
  if (batches > 1) {
    const outerPages = relationPages(outer.rows, outer.rel.width);
    const innerPages = relationPages(inner.rows, inner.rel.width);
    startup += costs.seqPage * innerPages;
    run += costs.seqPage * (innerPages + 2 * outerPages);
  }
  if (!enabled.hashjoin) startup += DISABLE_COST;
  const virtualBuckets = buckets * batches;
  let size = 1;
  let mostCommon = 1;
  if (inner.kind === 'Unique') [size, mostCommon] = [1 / virtualBuckets, 0];
  else for (const k of keys) {
    const s = bucketStatistics(cx.root, k.inner, virtualBuckets);
    size = Math.min(size, s.size);
    mostCommon = Math.min(mostCommon, s.mostCommon);
  }
  // One value alone would not fit.
  if (relationBytes(clampRows(inner.rows * mostCommon), inner.rel.width) > costs.hashMemBytes) startup += DISABLE_COST;
  const clauses = keys.map((k) => k.rinfo);
  const hashed = quals(cx.root, clauses);
  const all = quals(cx.root, cx.joinquals, cx.otherquals);
  startup += all.startup;
  let rows: number;
  if (stopsEarly(cx)) {
    const { outerMatch, matchCount } = cx.semi!;
    const matched = rint(outer.rows * outerMatch);
    const part = 2 / (matchCount + 1);
    run += hashed.perTuple * matched * clampRows(inner.rows * size * part) * 0.5;
    run += hashed.perTuple * (outer.rows - matched) * clampRows(inner.rows / virtualBuckets) * 0.05;
    rows = cx.jointype === 'anti' ? outer.rows - matched : matched;
  } else {
    run += hashed.perTuple * outer.rows * clampRows(inner.rows * size) * 0.5;
    rows = approximateRows(cx, outer, inner, clauses);
  }
  return { startup, total: startup + run + (costs.cpuTuple + all.perTuple - hashed.perTuple) * rows };
}

export interface MergeCost extends Cost { material: boolean }
export interface MergeClause { rinfo: RestrictInfo; outer: Expr; inner: Expr }

/** cached_scansel. */
function mergeScan(root: PlannerInfo, { rinfo, outer, inner }: MergeClause, reverse: boolean, nullsFirst: boolean): MergeScan {
  const { mergeScans } = factsOf(root, rinfo.clause);
  let known = mergeScans.find((s) => s.left === outer && s.reverse === reverse && s.nullsFirst === nullsFirst);
  if (known === undefined) mergeScans.push((known = { left: outer, reverse, nullsFirst, scan: mergeScanSelectivity(root, outer, inner, reverse, nullsFirst) }));
  return known.scan;
}

/** cost_mergejoin; `first`: the order of the first clause; `sortOuter`, `sortInner`: that side has to be sorted. */
export function mergeJoinCost(
  cx: JoinPathContext, outer: Path, inner: Path, clauses: readonly MergeClause[], first: { reverse: boolean; nullsFirst: boolean } | null, sortOuter: boolean, sortInner: boolean,
): MergeCost {
  const { jointype } = cx;
  let [outerStart, outerEnd, innerStart, innerEnd] = [0, 1, 0, 1];
  if (clauses.length > 0 && first !== null && jointype !== 'full') {
    const s = mergeScan(cx.root, clauses[0]!, first.reverse, first.nullsFirst);
    if (jointype !== 'left' && jointype !== 'anti') [outerStart, outerEnd] = [s.leftStart, s.leftEnd];
    if (jointype !== 'right') [innerStart, innerEnd] = [s.rightStart, s.rightEnd];
  }
  // Of none at least one is thought of.
  const [outerAll, innerAll] = [Math.max(1, outer.rows), Math.max(1, inner.rows)];
  const outerSkip = rint(outerAll * outerStart);
  const innerSkip = rint(innerAll * innerStart);
  const outerRows = clampRows(outerAll * outerEnd);
  const innerRows = clampRows(innerAll * innerEnd);
  outerStart = outerSkip / outerAll;
  innerStart = innerSkip / innerAll;
  outerEnd = outerRows / outerAll;
  innerEnd = innerRows / innerAll;
  const side = (p: Path, sort: boolean): Cost => {
    if (!sort) return p;
    const s = sortCost(p.rows, p.rel.width, -1);
    return { startup: p.total + s.startup, total: p.total + s.startup + s.run };
  };
  const o = side(outer, sortOuter);
  const i = side(inner, sortInner);
  let startup = o.startup + (o.total - o.startup) * outerStart + i.startup + (i.total - i.startup) * innerStart;
  let run = (o.total - o.startup) * (outerEnd - outerStart);
  const innerRun = (i.total - i.startup) * (innerEnd - innerStart);
  const merged = quals(cx.root, clauses.map((c) => c.rinfo));
  const all = quals(cx.root, cx.joinquals, cx.otherquals);
  const neverBack = stopsEarly(cx) && cx.joinquals.length + cx.otherquals.length === clauses.length;
  const rows = approximateRows(cx, outer, inner, clauses.map((c) => c.rinfo));
  const rescanned = neverBack || outer.kind === 'Unique' ? 0 : Math.max(0, rows - innerAll);
  const ratio = 1 + rescanned / innerRows;
  const bare = innerRun * ratio;
  const kept = innerRun + costs.cpuOperator * innerRows * ratio;
  let material = false;
  if (!neverBack) {
    if (enabled.material && kept < bare) material = true;
    else if (!sortInner && !MARKS.has(inner.kind)) material = true;
    else if (enabled.material && sortInner && relationBytes(inner.rows, inner.rel.width) > costs.workMemBytes) material = true;
  }
  run += material ? kept : bare;
  startup += merged.startup + merged.perTuple * (outerSkip + innerSkip * ratio);
  run += merged.perTuple * (outerRows - outerSkip + (innerRows - innerSkip) * ratio);
  startup += all.startup - merged.startup;
  run += (costs.cpuTuple + all.perTuple - merged.perTuple) * rows;
  if (!enabled.mergejoin) startup += DISABLE_COST;
  return { startup, total: startup + run, material };
}
/** Whose position can be taken up again. */
const MARKS = new Set(['IndexScan', 'IndexOnlyScan', 'Sort', 'Material']);

/** Of a join of these: processes that share the rows of the outer path share those of the join. */
export const parallelJoin = (cx: JoinPathContext, outer: Path, inner: Path): Pick<Path, 'parallelSafe' | 'parallelWorkers'> => ({
  parallelSafe: cx.rel.considerParallel && outer.parallelSafe === true && inner.parallelSafe === true,
  ...(outer.parallelWorkers === undefined ? {} : { parallelWorkers: outer.parallelWorkers }),
});

/** A path that keeps the rows of another. */
export function materialPath(p: Path): Path {
  const { startup, total } = materialCost({ startup: p.startup, total: p.total, rows: p.rows, width: p.rel.width });
  const path: Path = {
    ...p, kind: 'Material', startup, total, make: () => {
      const child = p.make();
      return {
        kind: 'Material', startup_cost: startup, total_cost: total, plan_rows: child.plan_rows, plan_width: child.plan_width, targetlist: child.targetlist, qual: [], lefttree: child, righttree: null, initPlan: [],
      };
    },
  };
  delete path.rescan;
  delete path.reparameterize;
  return path;
}
