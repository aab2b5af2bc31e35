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

/** A query with tableoid and ctid of the tables whose rows its rows are, those of its subqueries among them: columns `resno` and the
 * next. No sources: it groups, sorts out doubles, or reads no table. */
interface WithRowIds { query: Query; sources: { relid: Oid; locked: boolean; resno: number }[] }

function withRowIds(query: Query): WithRowIds {
  const found: WithRowIds = { query, sources: [] };
  if (query.commandType !== 'select' || query.hasAggs || query.hasWindowFuncs || query.hasTargetSRFs || query.groupClause.length > 0 || query.groupingSets.length > 0
    || query.havingQual !== null || query.distinctClause.length > 0 || query.setOperations !== null) return found;
  const tables = new Set<number>();
  const collect = (item: FromItem): void => {
    if (item.kind === 'RangeTblRef') tables.add(item.rtindex);
    else if (item.kind === 'JoinExpr') { collect(item.larg); collect(item.rarg); } else item.fromlist.forEach(collect);
  };
  query.jointree.fromlist.forEach(collect);
  const rtable = [...query.rtable], extra: TargetEntry[] = [];
  const add = (rti: number, relid: Oid, locked: boolean, tableoid: number, ctid: number): void => {
    const resno = query.targetList.length + extra.length + 1;
    found.sources.push({ relid, locked, resno });
    extra.push(makeTargetEntry(makeVar(rti, tableoid, OIDOID, -1, 0, 0), resno, 'tableoid', false), makeTargetEntry(makeVar(rti, ctid, TIDOID, -1, 0, 0), resno + 1, 'ctid', false));
  };
  for (const rti of tables) {
    const rte = rtable[rti - 1]!;
    if (rte.rtekind === 'relation' && 'rp'.includes(rte.relkind)) add(rti, rte.relid, query.rowMarks.some((m) => m.rti === rti), TABLEOID, CTID);
    if (rte.rtekind !== 'subquery' || rte.subquery!.targetList.some((t) => t.resjunk)) continue;
    const inner = withRowIds(rte.subquery!);
    if (inner.sources.length === 0) continue;
    rtable[rti - 1] = { ...rte, subquery: inner.query, eref: { ...rte.eref, colnames: inner.query.targetList.map((t, i) => rte.eref.colnames[i] ?? t.resname ?? '') } };
    for (const s of inner.sources) add(rti, s.relid, s.locked, s.resno, s.resno + 1);
  }
  if (extra.length > 0) found.query = { ...query, rtable, targetList: [...query.targetList, ...extra] };
  return found;
}

/** The query with tableoid and ctid of its tables; null: there are none. */
function planWithRowIds({ query }: PlannedUnit): { plan: CompiledPlan; sources: RowSource[] } | null {
  const visible = query.targetList.filter((t) => !t.resjunk).length;
  const { query: wider, sources } = withRowIds(query);
  if (sources.length === 0) return null;
  return { plan: compilePlan(planner(wider, false)), sources: sources.map(({ relid, locked }, i) => ({ relid, locked, column: visible + 2 * i })) };
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
  const known: readonly Pick<RowSource, 'relid' | 'locked'>[] = portal.isFilled ? portal.rowSources ?? [] : withRowIds(portal.units[0]!.query).sources;
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
