// Automatically updatable views (rewriteTargetView of rewriteHandler.c): INSERT, UPDATE and DELETE on a view of one table,
// with that table's rows and columns, become the same on the table.
import { PgError, internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../catalog/relcache.ts';
import { rulesOf, triggersOf } from '../catalog/syscache.ts';
import type { Query, WithCheckOption } from '../nodes/parsenodes.ts';
import type { TargetEntry } from '../nodes/primnodes.ts';
import { buildOnConflictExcludedTargetlist } from '../parser/analyze_modify.ts';
import { makeAlias } from '../nodes/makefuncs.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import type { Oid } from '../types/datum.ts';
import { isTrue, refuseRestrictedView } from './expand_views.ts';
import { changeVarNodes, changeVarNodesInQuery, replaceVarsFromTargetListInQuery } from './rewrite_manip.ts';
import { addQual, EVENT_NUMBERS, type ModifyEvent } from './rules.ts';

const ROW_EXCLUSIVE_LOCK = 3;

// ---- whether it can be done

/** Why a view's query is not one of a single table's rows; null: it is (view_query_is_auto_updatable). */
export function viewNotUpdatable(view: Query, checkColumns: boolean): string | null {
  const because = (what: string): string => `Views ${what} are not automatically updatable.`;
  if (view.distinctClause.length > 0) return because('containing DISTINCT');
  if (view.groupClause.length > 0 || view.groupingSets.length > 0) return because('containing GROUP BY');
  if (view.havingQual !== null) return because('containing HAVING');
  if (view.setOperations !== null) return because('containing UNION, INTERSECT, or EXCEPT');
  if (view.cteList.length > 0) return because('containing WITH');
  if (view.limitOffset !== null || view.limitCount !== null) return because('containing LIMIT or OFFSET');
  if (view.hasAggs) return because('that return aggregate functions');
  if (view.hasWindowFuncs) return because('that return window functions');
  if (view.hasTargetSRFs) return because('that return set-returning functions');
  const [from, another] = view.jointree.fromlist;
  const single = because('that do not select from a single table or view');
  if (from?.kind !== 'RangeTblRef' || another !== undefined) return single;
  const base = view.rtable[from.rtindex - 1]!;
  if (base.rtekind !== 'relation' || !'rfvp'.includes(base.relkind)) return single;
  if (base.tablesample) return because('containing TABLESAMPLE');
  if (checkColumns && !view.targetList.some((te) => columnNotUpdatable(from.rtindex, te) === null)) return because('that have no updatable columns');
  return null;
}

function columnNotUpdatable(base: number, te: TargetEntry): string | null {
  if (te.resjunk) return 'Junk view columns are not updatable.';
  const v = te.expr;
  if (v.kind !== 'Var' || v.varno !== base || v.varlevelsup !== 0) return 'View columns that are not columns of their base relation are not updatable.';
  if (v.varattno < 0) return 'View columns that refer to system columns are not updatable.';
  return v.varattno === 0 ? 'View columns that return whole-row references are not updatable.' : null;
}

const baseIndex = (view: Query): number => {
  const from = view.jointree.fromlist[0];
  if (from?.kind !== 'RangeTblRef') throw internalError('unexpected view query');
  return from.rtindex;
};

const WORDS: Record<ModifyEvent, { message: string; doing: string }> = {
  insert: { message: 'cannot insert into view', doing: 'inserting into' }, update: { message: 'cannot update view', doing: 'updating' },
  delete: { message: 'cannot delete from view', doing: 'deleting from' },
};

export function cannotModifyView(view: Relation, event: ModifyEvent, detail: string): PgError {
  const { message, doing } = WORDS[event];
  const word = event.toUpperCase();
  return new PgError('object_not_in_prerequisite_state', `${message} "${view.name}"`, {
    detail, hint: `To enable ${doing} the view, provide an INSTEAD OF ${word} trigger or an unconditional ON ${word} DO INSTEAD rule.`,
  });
}

const viewQueryOf = (view: Relation): Query => {
  const query = view.viewQuery;
  if (query === null) throw internalError(`view "${view.name}" has no query`);
  return query;
};

// ---- doing it

export function rewriteViewTarget(query: Query, view: Relation): Query {
  const event = query.commandType as ModifyEvent;
  refuseRestrictedView(view);
  const viewQuery = viewQueryOf(view);
  const reason = viewNotUpdatable(viewQuery, event !== 'delete');
  if (reason !== null) throw cannotModifyView(view, event, reason);
  const base = baseIndex(viewQuery);
  if (event !== 'delete') checkColumns(query, view, viewQuery, base, event);
  const viewIndex = query.resultRelation;
  const viewRte = query.rtable[viewIndex - 1]!;
  const baseRte = viewQuery.rtable[base - 1]!;
  const table = openRelation(baseRte.relid);
  const newIndex = query.rtable.length + 1;
  const targetList = viewQuery.targetList.map((te) => ({ ...te, expr: changeVarNodes(te.expr, base, newIndex) }));
  const baseColumn = (attnum: number): number[] => {
    const e = targetList.find((te) => te.resno === attnum && !te.resjunk)?.expr;
    return e?.kind === 'Var' ? [e.varattno] : [];
  };
  const newRte = {
    ...baseRte, relkind: table.kind, rellockmode: ROW_EXCLUSIVE_LOCK, inh: event !== 'insert' && baseRte.inh,
    checkAsUser: isTrue(view.options.get('security_invoker')) ? 0 : view.owner, requiredPerms: viewRte.requiredPerms,
    insertedCols: viewRte.insertedCols.flatMap(baseColumn), updatedCols: viewRte.updatedCols.flatMap(baseColumn),
    securityQuals: viewRte.securityQuals,
  };
  let q: Query = {
    ...query, rtable: [...query.rtable.map((rte, i) => (i === viewIndex - 1 && rte.securityQuals.length > 0 ? { ...rte, securityQuals: [] } : rte)), newRte],
  };
  // The conflict clause has Vars of EXCLUDED, which has the view's columns and gets the table's.
  q = replaceVarsFromTargetListInQuery(q, viewIndex, viewRte, targetList, 'error', 0);
  q = changeVarNodesInQuery(q, viewIndex, newIndex);
  const renumber = (list: readonly TargetEntry[]): TargetEntry[] => list.map((te) => {
    if (te.resjunk) return te;
    const [resno] = baseColumn(te.resno);
    if (resno === undefined) throw internalError(`attribute number ${te.resno} not found in view targetlist`);
    return { ...te, resno };
  });
  if (event !== 'delete') q = { ...q, targetList: renumber(q.targetList) };
  if (q.onConflict?.action === 'update') q = rewriteExcluded(q, view, table, targetList, newIndex, renumber);
  const viewQual = viewQuery.jointree.quals === null ? null : changeVarNodes(viewQuery.jointree.quals, base, newIndex);
  if (event !== 'insert' && viewQual !== null && isTrue(view.options.get('security_barrier'))) {
    const given = q.rtable[newIndex - 1]!, guarded = { ...given, securityQuals: [viewQual, ...given.securityQuals] };
    q = { ...q, rtable: q.rtable.map((rte, i) => (i === newIndex - 1 ? guarded : rte)), hasSubLinks: q.hasSubLinks || viewQuery.hasSubLinks };
  } else if (event !== 'insert' && viewQual !== null) q = addQual({ ...q, hasSubLinks: q.hasSubLinks || viewQuery.hasSubLinks }, viewQual);
  if (event !== 'delete') q = addCheckOption(q, view, viewQual, viewQuery.hasSubLinks);
  return q;
}

function checkColumns(query: Query, view: Relation, viewQuery: Query, base: number, event: ModifyEvent): void {
  const { insertedCols, updatedCols } = query.rtable[query.resultRelation - 1]!;
  // A column given as DEFAULT may have left the target list.
  const modified = new Set([...insertedCols, ...updatedCols, ...[...query.targetList, ...(query.onConflict?.onConflictSet ?? [])].filter((te) => !te.resjunk).map((te) => te.resno)]);
  viewQuery.targetList.forEach((te, i) => {
    const reason = modified.has(i + 1) ? columnNotUpdatable(base, te) : null;
    if (reason === null) return;
    throw new PgError('feature_not_supported', `cannot ${event === 'insert' ? 'insert into' : 'update'} column "${te.resname}" of view "${view.name}"`, { detail: reason });
  });
}

function rewriteExcluded(query: Query, view: Relation, table: Relation, targetList: readonly TargetEntry[], newIndex: number, renumber: (list: readonly TargetEntry[]) => TargetEntry[]): Query {
  const conflict = query.onConflict!;
  const oldExcluded = conflict.exclRelIndex;
  const { rte } = addRangeTableEntryForRelation(makeParseState(), table, ROW_EXCLUSIVE_LOCK, makeAlias('excluded', []), false, false);
  const excluded = query.rtable.length + 1;
  const columns = targetList.map((te) => ({ ...te, expr: changeVarNodes(te.expr, newIndex, excluded) }));
  const viewRte = { ...rte, relid: view.oid };
  const only: Query = { ...query, targetList: [], returningList: [], jointree: { kind: 'FromExpr', fromlist: [], quals: null }, onConflict: { ...conflict, exclRelTlist: [] }, withCheckOptions: [] };
  const rewritten = replaceVarsFromTargetListInQuery(only, oldExcluded, viewRte, columns, 'error', 0).onConflict!;
  return {
    ...query, rtable: [...query.rtable, { ...rte, relkind: 'c', requiredPerms: 0 }],
    onConflict: {
      ...rewritten, onConflictSet: renumber(rewritten.onConflictSet), exclRelIndex: excluded, exclRelTlist: buildOnConflictExcludedTargetlist(table.oid, excluded),
    },
  };
}

/** WITH CHECK OPTION: checks of inner views come before those of outer ones. */
function addCheckOption(query: Query, view: Relation, qual: WithCheckOption['qual'], hasSubLinks: boolean): Query {
  const option = view.options.get('check_option');
  const list = query.withCheckOptions;
  const cascaded = option === 'cascaded' || list[0]?.cascaded === true;
  if (!cascaded && (option === undefined || qual === null)) return query;
  return { ...query, withCheckOptions: [{ kind: 'view', relname: view.name, polname: null, qual, cascaded }, ...list], hasSubLinks: query.hasSubLinks || hasSubLinks };
}

// ---- pg_relation_is_updatable

const UPDATE = 4, INSERT = 8, DELETE = 16, ALL_EVENTS = UPDATE | INSERT | DELETE;
const EVENT_BITS: Record<string, number> = { [EVENT_NUMBERS.update]: UPDATE, [EVENT_NUMBERS.insert]: INSERT, [EVENT_NUMBERS.delete]: DELETE };
const TRIGGER_INSTEAD = 64;

/** Bits (1 << CmdType) of what can be done to a relation; `columns` limits it to changes of these. */
function relationIsUpdatable(oid: Oid, outer: readonly Oid[], includeTriggers: boolean, columns: ReadonlySet<number> | null): number {
  const relation = outer.includes(oid) ? undefined : tryOpenRelation(oid);
  if (relation === undefined) return 0;
  if (relation.kind === 'r' || relation.kind === 'p') return ALL_EVENTS;
  let events = 0;
  for (const rule of rulesOf(oid)) if (rule.is_instead && rule.ev_qual === '<>') events |= EVENT_BITS[rule.ev_type] ?? 0;
  if (events === ALL_EVENTS) return events;
  if (includeTriggers && relation.hasTriggers) {
    for (const t of triggersOf(oid)) {
      if ((t.tgtype & TRIGGER_INSTEAD) === 0) continue;
      events |= (t.tgtype & 4 ? INSERT : 0) | (t.tgtype & 8 ? DELETE : 0) | (t.tgtype & 16 ? UPDATE : 0);
    }
    if (events === ALL_EVENTS) return events;
  }
  if (relation.kind !== 'v') return events;
  const view = viewQueryOf(relation);
  if (viewNotUpdatable(view, false) !== null) return events;
  const base = baseIndex(view);
  const baseRte = view.rtable[base - 1]!;
  const updatable = view.targetList.filter((te, i) => columnNotUpdatable(base, te) === null && (columns === null || columns.has(i + 1)));
  let auto = updatable.length === 0 ? DELETE : ALL_EVENTS;
  if (baseRte.relkind !== 'r' && baseRte.relkind !== 'p') {
    const inner = new Set(updatable.map((te) => (te.expr.kind === 'Var' ? te.expr.varattno : 0)));
    auto &= relationIsUpdatable(baseRte.relid, [...outer, oid], includeTriggers, inner);
  }
  return events | auto;
}

registerBuiltins({
  pure: {
    pg_relation_is_updatable: (oid: Oid, includeTriggers: boolean) => relationIsUpdatable(oid, [], includeTriggers, null),
    pg_column_is_updatable: (oid: Oid, attnum: number, includeTriggers: boolean) => attnum > 0
      && (relationIsUpdatable(oid, [], includeTriggers, new Set([attnum])) & (UPDATE | DELETE)) === (UPDATE | DELETE),
  },
});
