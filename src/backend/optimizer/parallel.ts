// What may be run in parallel workers (max_parallel_hazard and is_parallel_safe of PostgreSQL's clauses.c), and how many of them a
// scan is worth (compute_parallel_worker of its allpaths.c).
import { operatorByOid, procByOid, typeByOid } from '../catalog/syscache.ts';
import { functionOf } from '../executor/plan_walker.ts';
import { expressionTreeWalker, exprType, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { settings } from '../utils/settings.ts';
import type { PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { limitNeeded } from './limit.ts';

/** s: it may be run in a worker; r: by the leader, while it has workers; u: it must not have any (pg_proc.proparallel). */
type Hazard = 's' | 'r' | 'u';

const worse = (a: Hazard, b: Hazard): Hazard => (a === 'u' || b === 'u' ? 'u' : a === 'r' || b === 'r' ? 'r' : 's');

const functionHazard = (oid: Oid): Hazard => (procByOid(oid)?.proparallel ?? 'u') as Hazard;

/** Of a node by itself, but for subqueries and parameters. */
function nodeHazard(node: Expr): Hazard {
  switch (node.kind) {
    case 'NextValueExpr': return 'u';
    case 'CoerceToDomain': case 'SubLink': return 'r';
    case 'WindowFunc': return worse('r', functionHazard(node.winfnoid));
    case 'Aggref': return functionHazard(node.aggfnoid);
    case 'CoerceViaIO': return worse(functionHazard(typeByOid(node.resulttype)!.typinput), functionHazard(typeByOid(exprType(node.arg))!.typoutput));
    case 'RowCompareExpr': return node.opnos.reduce<Hazard>((h, opno) => worse(h, functionHazard(operatorByOid(opno)!.oprcode)), 's');
    default: {
      const fn = functionOf(node);
      return fn === 0 ? 's' : functionHazard(fn);
    }
  }
}

/** The worst of what a query does. */
export function maxParallelHazard(query: Query): Hazard {
  let worst: Hazard = 's';
  const walk = (node: Expr | Query): boolean => {
    if (node.kind === 'Query') {
      if (node.rowMarks.length > 0) worst = 'u';
      return worst === 'u' || queryTreeWalker(node, walk);
    }
    worst = worse(worst, node.kind === 'Param' && node.paramkind !== 'extern' ? 'r' : nodeHazard(node));
    return worst === 'u' || expressionTreeWalker(node, walk);
  };
  walk(query);
  return worst;
}

/** Whether expressions of this query level may be evaluated in a worker. Values of initplans are known before there are any. */
export function isParallelSafe(root: PlannerInfo, list: readonly Expr[]): boolean {
  const { glob } = root;
  if (!glob.hasRestricted && glob.paramExecCount === 0) return true;
  const known = new Set<number>();
  for (let at: PlannerInfo | null = root; at !== null; at = at.parent) for (const plan of at.initPlans) plan.setParam.forEach((p) => known.add(p));
  const isUnsafe = (node: Expr | Query, params: ReadonlySet<number>): boolean => {
    if (node.kind === 'Query') return maxParallelHazard(node) !== 's';
    if (node.kind === 'Param') return node.paramkind !== 'extern' && !(node.paramkind === 'exec' && params.has(node.paramid));
    if (node.kind === 'SubPlan') {
      // What the subquery gives its own test is nobody else's.
      const inTest = new Set([...params, ...node.paramIds]);
      return !node.parallel_safe || (node.testexpr !== null && isUnsafe(node.testexpr, inTest)) || node.args.some((e) => isUnsafe(e, params)) || (node.alternative !== null && isUnsafe(node.alternative, params));
    }
    return nodeHazard(node) !== 's' || expressionTreeWalker(node, (child) => isUnsafe(child, params));
  };
  return !list.some((e) => isUnsafe(e, known));
}

/** set_rel_consider_parallel: whether a base relation may be read in workers. */
export function considerParallel(root: PlannerInfo, rel: RelOptInfo): boolean {
  const rte = rel.rte!;
  if (!root.glob.parallelMode) return false;
  switch (rte.rtekind) {
    case 'relation':
      // Other processes do not see a session's temporary tables.
      if (rel.relation!.persistence === 't') return false;
      if (rte.tablesample && (functionHazard(rte.tablesample.tsmhandler) !== 's' || !isParallelSafe(root, rte.tablesample.args))) return false;
      break;
    case 'subquery': if (limitNeeded(rte.subquery!)) return false; break;
    case 'function': if (rte.functions.some((f) => f.funcexpr.kind === 'TableFunc') || !isParallelSafe(root, rte.functions.map((f) => f.funcexpr))) return false; break;
    case 'values': if (!isParallelSafe(root, rte.values_lists.flat())) return false; break;
    case 'result': break;
    // Rows of WITH queries and transition tables are the leader's.
    case 'cte': case 'namedtuplestore': case 'join': return false;
  }
  return isParallelSafe(root, rel.restrictions.map((r) => r.clause)) && isParallelSafe(root, rel.target);
}

/** One more for each three times as many pages as are worth the first. */
function workersFor(pages: number, least: number): number {
  let workers = 1;
  for (let threshold = Math.max(least, 1); pages >= threshold * 3 && threshold <= 0x7fffffff / 3; threshold *= 3) workers++;
  return workers;
}

/** compute_parallel_worker; pages that are read of the table and of an index, -1: none are. 0: a scan by one process is better. */
export function parallelWorkers(rel: RelOptInfo, heapPages: number, indexPages: number): number {
  const { max_parallel_workers_per_gather: most, min_parallel_table_scan_size: table, min_parallel_index_scan_size: index } = settings;
  const given = rel.relation!.options.get('parallel_workers');
  if (given !== undefined) return Math.min(Number(given), most);
  // Of many small tables it is their sum that counts.
  if (rel.appendInfo === null && ((heapPages >= 0 && heapPages < table) || (indexPages >= 0 && indexPages < index))) return 0;
  let workers = heapPages >= 0 ? workersFor(heapPages, table) : 0;
  if (indexPages >= 0) {
    const wanted = workersFor(indexPages, index);
    workers = workers > 0 ? Math.min(workers, wanted) : wanted;
  }
  return Math.min(workers, most);
}
