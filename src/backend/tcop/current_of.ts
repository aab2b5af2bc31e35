// What WHERE CURRENT OF asks of cursors (execCurrentOf): a cursor over plain tables keeps with each row where its parts come from.
import { PgError } from '../../common/errors.ts';
import { openRelation } from '../catalog/relcache.ts';
import { currentOf } from '../executor/current_of.ts';
import { compilePlan, type CompiledPlan } from '../executor/execute.ts';
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { FromItem, TargetEntry } from '../nodes/primnodes.ts';
import { planner } from '../optimizer/planner.ts';
import { childrenOf } from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';
import { OIDOID, TIDOID } from '../types/oids.ts';
import type { PlannedUnit } from './plancache.ts';
import { findPortal, rowIdPlans } from './portal.ts';

const CTID = -1, TABLEOID = -6;

/** A table a cursor reads: its columns tableoid and ctid stand behind the cursor's own, from `column` on. */
export interface RowSource { readonly relid: Oid; readonly locked: boolean; readonly column: number }

/** The tables whose rows a query's rows are; empty: it groups, sorts out doubles, or reads no table. */
function sourcesOf(query: Query): { rti: number; relid: Oid; locked: boolean }[] {
  if (query.commandType !== 'select' || query.hasAggs || query.hasWindowFuncs || query.hasTargetSRFs || query.groupClause.length > 0 || query.groupingSets.length > 0
    || query.havingQual !== null || query.distinctClause.length > 0 || query.setOperations !== null) return [];
  const tables = new Set<number>();
  const collect = (item: FromItem): void => {
    if (item.kind === 'RangeTblRef') tables.add(item.rtindex);
    else if (item.kind === 'JoinExpr') { collect(item.larg); collect(item.rarg); } else item.fromlist.forEach(collect);
  };
  query.jointree.fromlist.forEach(collect);
  return [...tables].flatMap((rti) => {
    const rte = query.rtable[rti - 1]!;
    return rte.rtekind === 'relation' && 'rp'.includes(rte.relkind) ? [{ rti, relid: rte.relid, locked: query.rowMarks.some((m) => m.rti === rti) }] : [];
  });
}

/** The query with tableoid and ctid of its tables; null: there are none. */
function planWithRowIds({ query }: PlannedUnit): { plan: CompiledPlan; sources: RowSource[] } | null {
  const visible = query.targetList.filter((t) => !t.resjunk).length;
  const extra: TargetEntry[] = [];
  const sources: RowSource[] = [];
  let resno = query.targetList.length;
  for (const { rti, relid, locked } of sourcesOf(query)) {
    sources.push({ relid, locked, column: visible + extra.length });
    extra.push(makeTargetEntry(makeVar(rti, TABLEOID, OIDOID, -1, 0, 0), ++resno, 'tableoid', false), makeTargetEntry(makeVar(rti, CTID, TIDOID, -1, 0, 0), ++resno, 'ctid', false));
  }
  if (sources.length === 0) return null;
  return { plan: compilePlan(planner({ ...query, targetList: [...query.targetList, ...extra] })), sources };
}

const isOrHasChild = (parent: Oid, table: Oid): boolean =>
  parent === table || childrenOf(parent).some((row) => isOrHasChild(row.inhrelid, table));

/** Whether each row of the plan is one of a table (search_plan_tree). */
function isSimpleScan(plan: Plan): boolean {
  switch (plan.kind) {
    case 'SeqScan': case 'SampleScan': case 'IndexScan': case 'IndexOnlyScan': case 'BitmapHeapScan': case 'TidScan': case 'GinScan': return true;
    case 'Append': return plan.appendplans.every(isSimpleScan);
    case 'Result': case 'Limit': return plan.lefttree !== null && isSimpleScan(plan.lefttree);
    case 'SubqueryScan': return isSimpleScan(plan.subplan);
    default: return false;
  }
}

currentOf.rowId = (cursor, tableOid) => {
  const portal = findPortal(cursor);
  if (portal === undefined) throw new PgError('invalid_cursor_name', `cursor "${cursor}" does not exist`);
  if (portal.strategy !== 'one_select') throw new PgError('invalid_cursor_state', `cursor "${cursor}" is not a SELECT query`);
  if (portal.held) throw new PgError('invalid_cursor_state', `cursor "${cursor}" is held from a previous transaction`);
  const fail = (what: string): PgError => new PgError('invalid_cursor_state', `cursor "${cursor}" ${what}`);
  const table = openRelation(tableOid).name;
  const known: readonly Pick<RowSource, 'relid' | 'locked'>[] = portal.isFilled ? portal.rowSources ?? [] : sourcesOf(portal.units[0]!.query);
  const all = known.filter((s) => isOrHasChild(s.relid, tableOid));
  const locked = all.filter((s) => s.locked);
  if (locked.length > 1) throw fail(`has multiple FOR UPDATE/SHARE references to table "${table}"`);
  if (locked.length === 0 && known.some((s) => s.locked)) throw fail(`does not have a FOR UPDATE/SHARE reference to table "${table}"`);
  const source = locked[0] ?? (all.length === 1 && isSimpleScan(portal.units[0]!.plan!.stmt.planTree) ? all[0] : undefined);
  if (source === undefined) throw fail(`is not a simply updatable scan of table "${table}"`);
  const row = portal.currentRow();
  if (row === null) throw fail('is not positioned on a row');
  const { column } = source as RowSource;
  return row[column] === tableOid ? row[column + 1] as number | null : null;
};

rowIdPlans.make = planWithRowIds;
