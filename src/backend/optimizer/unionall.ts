// UNION ALL as a relation with children (pull_up_simple_union_all and flatten_simple_union_all of PostgreSQL's prepjointree.c):
// its members become relations of the query, so that conditions, joins and orders reach their indexes. A member that just
// reads one table, or nothing, is that table; any other stays a subquery.
import { makeAlias, makeRangeTblEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry, SetOperationNode } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsOuter, containsSrf, containsVolatile, evalConstExpressions, incrementQueryLevels, isFalseOrNull, movePlaceholder, mutateDeep } from './clauses.ts';
import { adjustRestriction, adopt, childRestrictions, excludedByConstraints, expandInheritedRel, standsForChildren, toChild } from './inherit.ts';
import type { AppendRelInfo, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { pullUpSubqueries } from './prepjointree.ts';
import { buildBaseRel } from './relnode.ts';

/** is_simple_union_all: nothing but UNION ALL, all columns in the types of the whole, and nothing done to the result. */
function isSimpleUnionAll(q: Query): boolean {
  if (q.setOperations === null || q.commandType !== 'select' || q.cteList.length > 0) return false;
  if (q.sortClause.length > 0 || q.limitCount !== null || q.limitOffset !== null || q.rowMarks.length > 0) return false;
  return isUnionAll(q, { kind: 'SetOperationStmt', ...q.setOperations }, q.setOperations.colTypes);
}

function isUnionAll(q: Query, node: SetOperationNode, types: readonly number[]): boolean {
  if (node.kind === 'SetOperationStmt') return node.op === 'union' && node.all && isUnionAll(q, node.larg, types) && isUnionAll(q, node.rarg, types);
  const list = q.rtable[node.rtindex - 1]!.subquery!.targetList.filter((t) => !t.resjunk);
  return list.length === types.length && list.every((t, i) => t.resno === i + 1 && exprType(t.expr) === types[i] && exprCollation(t.expr) === exprCollation(q.targetList[i]!.expr));
}

const leaves = (node: SetOperationNode): number[] => (node.kind === 'RangeTblRef' ? [node.rtindex] : [...leaves(node.larg), ...leaves(node.rarg)]);

/** A query that is UNION ALL as a SELECT from it. */
export function overUnionAll(q: Query): Query {
  const bare: Query = {
    ...q, sortClause: [], limitCount: null, limitOffset: null, cteList: [], targetList: q.targetList.filter((t) => !t.resjunk).map((t) => ({ ...t, ressortgroupref: 0 })),
  };
  if (q.setOperations === null || q.targetList.some((t) => t.resjunk) || !isSimpleUnionAll(bare)) return q;
  const names = makeAlias('*SELECT*', q.targetList.map((t) => t.resname ?? '?column?'));
  const entry: RangeTblEntry = { ...makeRangeTblEntry('subquery', null, names), subquery: incrementQueryLevels(bare, 1, 1), inFromCl: true };
  const targetList = q.targetList.map((t, i) => ({ ...t, expr: makeVar(1, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0) }));
  return { ...q, setOperations: null, targetList, rtable: [entry], jointree: { kind: 'FromExpr', fromlist: [{ kind: 'RangeTblRef', rtindex: 1 }], quals: null } };
}

/** Whether the entry can have its members as children. */
export const standsForMembers = (rte: RangeTblEntry): boolean =>
  rte.rtekind === 'subquery' && rte.subquery !== null && !rte.security_barrier && !rte.lateral && isSimpleUnionAll(rte.subquery);

/** Gives the relation its members. Those of which the conditions leave nothing are left out. */
export function expandUnionAll(root: PlannerInfo, rel: RelOptInfo): void {
  const union = rel.rte!.subquery!;
  const children: AppendRelInfo[] = [];
  rel.children = children;
  if (rel.restrictions.some((r) => isFalseOrNull(r.clause))) return;
  // The rights of views that were written out are still to be checked.
  root.rtable = [...root.rtable, ...union.rtable.filter((r) => r.rtekind !== 'subquery')];
  for (const rtindex of leaves({ kind: 'SetOperationStmt', ...union.setOperations! })) addMember(root, rel, union.rtable[rtindex - 1]!, children);
}

function addMember(root: PlannerInfo, rel: RelOptInfo, leaf: RangeTblEntry, into: AppendRelInfo[]): void {
  const subquery = incrementQueryLevels(leaf.subquery!, -1, 2);
  const source = plainSource(subquery);
  const list = (source?.query ?? subquery).targetList.filter((t) => !t.resjunk);
  if (source === null) {
    const rti = root.rtable.length + 1;
    addChild(root, rel, { ...leaf, subquery }, list.map((t, i) => makeVar(rti, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0)), into);
    return;
  }
  root.rtable = [...root.rtable, ...source.query.rtable.filter((r) => r !== source.rte)];
  const rti = root.rtable.length + 1;
  const translated = list.map((t) => evalConstExpressions(source.rtindex === 0 ? t.expr : moved(t.expr, source.rtindex, rti)));
  const isUnion = source.rte.rtekind === 'subquery';
  if (!isUnion && !standsForChildren(source.rte)) {
    addChild(root, rel, source.rte, translated, into);
    return;
  }
  // Tables that inherit, and members of members, are members by themselves.
  const table = addChild(root, rel, source.rte, translated, []);
  if (table === null) return;
  if (isUnion) expandUnionAll(root, table.child);
  else expandInheritedRel(root, table.child);
  for (const below of table.child.children!) {
    const info: AppendRelInfo = { ...below, parent: rel, translated: translated.map((e) => toChild(below, e)), members: [table, ...below.members ?? []] };
    below.child.appendInfo = info;
    below.child.joinClauses = rel.joinClauses.map((r) => adjustRestriction(info, r));
    into.push(info);
  }
}

const moved = (e: Expr, from: number, to: number): Expr =>
  mutateDeep(e, (n, depth) => {
    if (n.kind === 'PlaceHolderVar') return movePlaceholder(n, moved(n.arg, from, to), from, to);
    return n.kind === 'Var' && n.varno === from && n.varlevelsup === depth ? { ...n, varno: to } : undefined;
  });

/** The one table a member reads, or rtindex 0 when it reads nothing; null when there is more to it (is_safe_append_member). */
function plainSource(leaf: Query): { rte: RangeTblEntry; rtindex: number; query: Query } | null {
  const q = pullUpSubqueries(leaf);
  const plain = q.setOperations === null && !q.hasAggs && !q.hasWindowFuncs && !q.hasTargetSRFs && q.groupClause.length === 0 && q.groupingSets.length === 0
    && q.havingQual === null && q.sortClause.length === 0 && q.distinctClause.length === 0 && q.limitOffset === null && q.limitCount === null
    && q.rowMarks.length === 0 && q.cteList.length === 0 && q.jointree.quals === null && !q.hasSubLinks
    && !q.targetList.some((t) => containsVolatile(t.expr) || containsSrf(t.expr) || containsOuter(t.expr));
  if (!plain) return null;
  const [item, another] = q.jointree.fromlist;
  const isNothing = item === undefined || (another === undefined && item.kind === 'RangeTblRef' && q.rtable[item.rtindex - 1]!.rtekind === 'result');
  if (isNothing) return { rte: makeRangeTblEntry('result', null, makeAlias('*RESULT*', [])), rtindex: 0, query: q };
  if (another !== undefined || item.kind !== 'RangeTblRef') return null;
  const rte = q.rtable[item.rtindex - 1]!;
  if (standsForMembers(rte)) return { rte, rtindex: item.rtindex, query: q };
  if (rte.rtekind !== 'relation' || rte.relkind === 'f' || rte.tablesample || rte.securityQuals.length > 0) return null;
  return { rte, rtindex: item.rtindex, query: q };
}

/** A member as a relation of the query; null when the conditions leave nothing of it. */
function addChild(root: PlannerInfo, rel: RelOptInfo, entry: RangeTblEntry, translated: readonly Expr[], into: AppendRelInfo[]): AppendRelInfo | null {
  const rti = root.rtable.length + 1;
  root.rtable = [...root.rtable, entry];
  const info: AppendRelInfo = { parent: rel, relation: null, columns: [], path: [], translated, rti, child: null as unknown as RelOptInfo };
  const restrictions = childRestrictions(info);
  if (restrictions === null) return null;
  const child = buildBaseRel(root, rti);
  if (child.relation !== null && excludedByConstraints(child.relation, rti, restrictions, false)) return null;
  adopt(info, child, restrictions);
  into.push(info);
  return info;
}
