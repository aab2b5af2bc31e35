// What workers cost here where nobody has said what they are to cost. PostgreSQL's parallel_setup_cost of 1000 stands for a scan of a
// few milliseconds there; here simple rows are scanned ten times faster (4 ns and more), and a worker costs more CPU: to fork a
// backend, and to copy the pages that it then writes to. What the settings say counts as soon as somebody has set them.
import { typeByOid } from '../catalog/syscache.ts';
import { aggregate, functionInfo } from '../executor/fmgr_info.ts';
import { functionOf } from '../executor/plan_walker.ts';
import { expressionTreeWalker, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { findSetting } from '../utils/guc.ts';
import { costs } from './costsize.ts';

/** Measured with 1,000,000 rows, two cores and two workers: what a worker adds, in it and in the leader, so that statements of less than
 * 150 ms gain nothing; and a row of a few columns on its way to the leader. */
const WORKER_NS = 50e6, ROW_NS = 300;
/** A row of a scan; a call over numbers, over values of any length, of a function in another language. */
const SCAN_NS = 10, NUMBER_NS = 4, TEXT_NS = 100, OTHER_LANGUAGE_NS = 1000;

/** In units of cost: a Gather's `setup` is no less than so much for each worker, and `tuple` no less for each row. */
export interface WorkerCosts { readonly setup: number; readonly tuple: number }
/** Somebody has said what workers are to cost. */
export const FREE: WorkerCosts = { setup: 0, tuple: 0 };

const isGiven = (name: string): boolean => findSetting(name)!.source !== 'default';

export function workerCosts(query: Query): WorkerCosts {
  if (isGiven('parallel_setup_cost') || isGiven('parallel_tuple_cost')) return FREE;
  const nsPerUnit = speed(query);
  return { setup: WORKER_NS / nsPerUnit, tuple: ROW_NS / nsPerUnit };
}

/** Nanoseconds in a unit of cost: of rows of the query's tables, of which each computes its share of all that is computed. */
function speed(query: Query): number {
  let ns = SCAN_NS, units = costs.cpuTuple, tables = 0;
  const visit = (node: Expr | Query): boolean => {
    if (node.kind === 'Query') {
      for (const rte of node.rtable) {
        if (rte.rtekind !== 'relation' || ++tables === 1) continue;
        ns += SCAN_NS;
        units += costs.cpuTuple;
      }
      return queryTreeWalker(node, visit);
    }
    const fn = node.kind === 'Aggref' ? aggregate(node.aggfnoid).aggtransfn : functionOf(node);
    if (fn !== 0) {
      ns += callNs(fn);
      units += functionInfo(fn).proc.procost * costs.cpuOperator;
    }
    return expressionTreeWalker(node, visit);
  };
  visit(query);
  return ns / units;
}

function callNs(fn: Oid): number {
  const { internal, proc } = functionInfo(fn);
  if (!internal) return OTHER_LANGUAGE_NS;
  return proc.proargtypes.some((type) => typeByOid(type)?.typbyval === false) ? TEXT_NS : NUMBER_NS;
}
