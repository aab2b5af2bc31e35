// Views give way to their queries (fireRIRrules of rewriteHandler.c).
import { PgError, internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { expressionTreeMutator, queryTreeMutator } from '../nodes/nodeFuncs.ts';
import { ACL, type Query, type RangeTblEntry, type RowMarkClause } from '../nodes/parsenodes.ts';
import type { Expr, FromItem } from '../nodes/primnodes.ts';
import { checkSelectLocking, lockName } from '../parser/analyze.ts';
import type { Oid } from '../types/datum.ts';
import { getString } from '../utils/guc.ts';
import { changeVarNodes, rangeTableEntryUsed } from './rewrite_manip.ts';
import { rewriteSearchAndCycle } from './search_cycle.ts';
import { rowSecurityOf } from './rowsecurity.ts';

/** A copy of the query with every query directly inside it (FROM, WITH, sublinks) replaced by what `change` makes of it. */
function mutateSubqueries(query: Query, change: (q: Query) => Query): Query {
  if (query.hasSubLinks) {
    const m = (e: Expr): Expr => expressionTreeMutator(e, m, change);
    return queryTreeMutator(query, m, { query: change });
  }
  if (query.cteList.length === 0 && !query.rtable.some((r) => r.subquery !== null)) return query;
  return {
    ...query, cteList: query.cteList.map((c) => ({ ...c, ctequery: change(c.ctequery) })),
    rtable: query.rtable.map((r) => (r.subquery === null ? r : { ...r, subquery: change(r.subquery) })),
  };
}

const checkAsExpr = (expr: Expr, user: Oid): Expr => {
  const m = (e: Expr): Expr => expressionTreeMutator(e, m, (q) => checkAs(q, user));
  return m(expr);
};

/** Tables of the query are used with this user's rights (setRuleCheckAsUser); 0: the current user's. */
export function checkAs(query: Query, user: Oid): Query {
  const inner = mutateSubqueries(query, (q) => checkAs(q, user));
  return { ...inner, rtable: inner.rtable.map((rte) => (rte.rtekind === 'relation' ? { ...rte, checkAsUser: user } : rte)) };
}

/** Replaces every view of the query, at any depth, by its query. `active`: the views being expanded. */
export function expandViews(query: Query, active: readonly Oid[]): Query {
  const ctes = query.cteList.some((c) => c.search_clause !== null || c.cycle_clause !== null)
    ? { ...query, cteList: query.cteList.map((c) => (c.search_clause !== null || c.cycle_clause !== null ? rewriteSearchAndCycle(c) : c)) } : query;
  let q = mutateSubqueries(ctes, (sub) => expandViews(sub, active));
  if (q.rtable.some((r) => r.rtekind === 'relation' && r.relkind === 'v')) {
    q = viewTarget(q);
    q = { ...q, rtable: q.rtable.map((rte, i) => expandEntry(q, rte, i + 1, active)) };
  }
  return applyRowSecurity(q, active);
}

/** Policies become conditions of the tables they are on; what they select from is expanded in turn. */
function applyRowSecurity(query: Query, active: readonly Oid[]): Query {
  let q = query;
  query.rtable.forEach((rte, i) => {
    const added = rowSecurityOf(query, rte, i + 1);
    if (added === null) return;
    let change = (e: Expr): Expr => checkAsExpr(e, rte.checkAsUser);
    if (added.hasSubLinks) {
      if (active.includes(rte.relid)) throw new PgError('invalid_object_definition', `infinite recursion detected in policy for relation "${openRelation(rte.relid).name}"`);
      const inside = [...active, rte.relid];
      const expand = (e: Expr): Expr => expressionTreeMutator(e, expand, (sub) => expandViews(checkAs(sub, rte.checkAsUser), inside));
      change = expand;
    }
    const securityQuals = [...added.securityQuals.map(change), ...rte.securityQuals];
    q = {
      ...q, hasSubLinks: q.hasSubLinks || added.hasSubLinks, rtable: q.rtable.map((r, n) => (n === i ? { ...rte, securityQuals } : r)),
      withCheckOptions: [...added.withCheckOptions.map((o) => ({ ...o, qual: change(o.qual!) })), ...q.withCheckOptions],
    };
  });
  return q;
}

/** A view that is the target itself has INSTEAD OF triggers: rows come from one entry, changes go to another. */
function viewTarget(query: Query): Query {
  const index = query.resultRelation;
  const rte = query.rtable[index - 1];
  if (rte === undefined || rte.relkind !== 'v' || query.commandType === 'insert' || query.commandType === 'select') return query;
  const target = query.rtable.length + 1;
  const wholeRow = makeVar(index, 0, openRelation(rte.relid).rowType, -1, 0, 0);
  return {
    ...query, rtable: [...query.rtable, rte], resultRelation: target,
    returningList: query.returningList.map((te) => ({ ...te, expr: changeVarNodes(te.expr, index, target) })),
    targetList: [...query.targetList, makeTargetEntry(wholeRow, query.targetList.length + 1, 'wholerow', true)],
  };
}

function expandEntry(query: Query, rte: RangeTblEntry, rtindex: number, active: readonly Oid[]): RangeTblEntry {
  if (rte.rtekind !== 'relation' || rte.relkind !== 'v' || rtindex === query.resultRelation) return rte;
  // What rules left behind is not read: expanding it could go on for ever.
  if (!rangeTableEntryUsed(query, rtindex)) return rte;
  const relation = openRelation(rte.relid);
  if (active.includes(relation.oid)) {
    throw new PgError('invalid_object_definition', `infinite recursion detected in rules for relation "${relation.name}"`);
  }
  refuseRestrictedView(relation);
  const view = relation.viewQuery;
  if (view === null) throw internalError(`view "${relation.name}" has no query`);
  let subquery = checkAs(view, isTrue(relation.options.get('security_invoker')) ? 0 : relation.owner);
  const mark = query.rowMarks.find((m) => m.rti === rtindex);
  if (mark !== undefined) subquery = lockTables(subquery, mark);
  // A view may have got more columns since the query was stored; a whole row has them all.
  const { colnames } = rte.eref;
  const eref = colnames.length === relation.attributes.length ? rte.eref
    : { ...rte.eref, colnames: relation.attributes.map((a, i) => colnames[i] ?? a.attname) };
  return { ...rte, eref, rtekind: 'subquery', subquery: expandViews(subquery, [...active, relation.oid]), security_barrier: isTrue(relation.options.get('security_barrier')), inh: false };
}

/** restrict_nonsystem_relation_kind: what a dump of a hostile database must not run. */
export function refuseRestrictedView(relation: Relation): void {
  const kinds = getString('restrict_nonsystem_relation_kind');
  if (kinds === '' || relation.oid < 16384 || !kinds.split(',').some((k) => k.trim().toLowerCase() === 'view')) return;
  throw new PgError('object_not_in_prerequisite_state', `access to non-system view "${relation.name}" is restricted`);
}

export const isTrue = (option: string | undefined): boolean => option === 'true' || option === 'on' || option === '1' || option === 'yes';

/** FOR UPDATE of a view locks the rows of its tables (markQueryForLocking). */
function lockTables(query: Query, mark: RowMarkClause): Query {
  const rowMarks = [...query.rowMarks];
  const rtable = [...query.rtable];
  const visit = (item: FromItem): void => {
    switch (item.kind) {
      case 'FromExpr': item.fromlist.forEach(visit); break;
      case 'JoinExpr': visit(item.larg); visit(item.rarg); break;
      case 'RangeTblRef': {
        const rte = rtable[item.rtindex - 1]!;
        if (rte.rtekind === 'relation') {
          add(item.rtindex, false);
          rtable[item.rtindex - 1] = { ...rte, requiredPerms: rte.requiredPerms | ACL.UPDATE };
        } else if (rte.rtekind === 'subquery') {
          add(item.rtindex, true);
          rtable[item.rtindex - 1] = { ...rte, subquery: lockTables(rte.subquery!, mark) };
        }
      }
    }
  };
  const add = (rti: number, pushedDown: boolean): void => {
    if (!rowMarks.some((m) => m.rti === rti)) rowMarks.push({ rti, strength: mark.strength, waitPolicy: mark.waitPolicy, pushedDown: pushedDown || mark.pushedDown });
  };
  visit(query.jointree);
  if (rowMarks.length > 0) checkSelectLocking(null, query, lockName(mark.strength));
  return { ...query, rtable, rowMarks, hasForUpdate: true };
}
