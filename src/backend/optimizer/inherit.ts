// A table with child tables stands for the rows of all of them (PostgreSQL's inherit.c): its range table entry becomes a
// subquery, UNION ALL of the table itself and each child, with the parent's columns. Conditions are pushed into the
// members as into any UNION ALL, so each child is read by its own best path.
import { notSupported } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf } from '../catalog/syscache.ts';
import { makeAlias, makeConst, makeFromExpr, makeQuery, makeRangeTblEntry, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import { expressionTreeMutator, exprCollation, exprType, exprTypmod, queryTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry, SetOperationNode } from '../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';

const INT4OID = 23;
/** System columns a parent's Vars may name, with their types. */
const SYSTEM_TYPES: Record<number, Oid> = { [-1]: 27, [-2]: 28, [-3]: 29, [-4]: 28, [-5]: 29, [-6]: 26 };

/** The table and all that inherit from it, parents before children. */
export function inheritanceMembers(oid: Oid): Oid[] {
  const found = [oid];
  for (let i = 0; i < found.length; i++) {
    for (const row of childrenOf(found[i]!)) if (!found.includes(row.inhrelid)) found.push(row.inhrelid);
  }
  return found;
}

/** Replaces every such entry of this query level. */
export function expandInheritance(query: Query): Query {
  let result = query;
  query.rtable.forEach((rte, i) => {
    if (rte.rtekind !== 'relation' || !rte.inh || i + 1 === query.resultRelation || rte.relid === 0) return;
    const relation = openRelation(rte.relid);
    if (!relation.hasSubclass) return;
    const members = inheritanceMembers(relation.oid);
    if (members.length === 1 && relation.kind !== 'p') return;
    if (result.rowMarks.some((m) => m.rti === i + 1)) throw notSupported('FOR UPDATE of a table with child tables');
    result = expandEntry(result, i + 1, relation, members.map(openRelation).filter((r) => r.kind !== 'p'));
  });
  return result;
}

function expandEntry(query: Query, rti: number, parent: Relation, members: readonly Relation[]): Query {
  // Whole rows and system columns become columns behind the table's own.
  const extras = new Map<number, number>();
  const extraColumn = (attno: number): number => {
    let column = extras.get(attno);
    if (column === undefined) extras.set(attno, (column = parent.attributes.length + extras.size + 1));
    return column;
  };
  const rewriteVars = (q: Query, depth: number): Query => {
    const m = (e: Expr): Expr => {
      if (e.kind === 'Var' && e.varno === rti && e.varlevelsup === depth && e.varattno <= 0) return { ...e, varattno: extraColumn(e.varattno) };
      return expressionTreeMutator(e, m, (sub) => rewriteVars(sub, depth + 1));
    };
    return queryTreeMutator(q, m, { query: (sub) => rewriteVars(sub, depth + 1) });
  };
  const rewritten = rewriteVars(query, 0);
  const rte = rewritten.rtable[rti - 1]!;
  const subquery = unionOf(parent, members, [...extras.keys()], rte);
  const names = [...rte.eref.colnames];
  while (names.length < parent.attributes.length) names.push('');
  for (const attno of extras.keys()) names.push(attno === 0 ? 'wholerow' : `system${-attno}`);
  const entry: RangeTblEntry = { ...rte, rtekind: 'subquery', subquery, inh: false, eref: makeAlias(rte.eref.aliasname, names) };
  return { ...rewritten, rtable: rewritten.rtable.map((r, i) => (i === rti - 1 ? entry : r)) };
}

function unionOf(parent: Relation, members: readonly Relation[], extras: readonly number[], outer: RangeTblEntry): Query {
  const queries = members.map((member) => memberQuery(parent, member, extras, outer));
  if (queries.length === 0) {
    const none = memberQuery(parent, parent, extras, outer);
    return { ...none, jointree: { ...none.jointree, quals: { kind: 'Const', consttype: 16, consttypmod: -1, constcollid: 0, constvalue: false, location: -1 } } };
  }
  if (queries.length === 1) return queries[0]!;
  const union = makeQuery('select');
  const list = queries[0]!.targetList;
  union.rtable = queries.map((q) => ({ ...makeRangeTblEntry('subquery', null, makeAlias('member', list.map((t) => t.resname ?? ''))), subquery: q }));
  let node: SetOperationNode = { kind: 'RangeTblRef', rtindex: 1 };
  for (let i = 2; i <= queries.length; i++) {
    node = {
      kind: 'SetOperationStmt', op: 'union', all: true, larg: node, rarg: { kind: 'RangeTblRef', rtindex: i }, colTypes: list.map((t) => exprType(t.expr)),
      colTypmods: list.map((t) => exprTypmod(t.expr)), colCollations: list.map((t) => exprCollation(t.expr)), groupClauses: [],
    };
  }
  if (node.kind === 'SetOperationStmt') union.setOperations = node;
  union.targetList = list.map((t, i): TargetEntry => makeTargetEntry(makeVar(1, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0), i + 1, t.resname, false));
  union.jointree = makeFromExpr([], null);
  return union;
}

/** SELECT the parent's columns FROM ONLY a member. */
function memberQuery(parent: Relation, member: Relation, extras: readonly number[], outer: RangeTblEntry): Query {
  const q = makeQuery('select');
  const rte = makeRangeTblEntry('relation', null, makeAlias(member.name, member.attributes.map((a) => (a.attisdropped ? '' : a.attname))));
  rte.relid = member.oid;
  rte.relkind = member.kind;
  rte.rellockmode = outer.rellockmode;
  rte.inFromCl = true;
  q.rtable = [rte];
  q.jointree = makeFromExpr([{ kind: 'RangeTblRef', rtindex: 1 }], null);
  const columns = parent.attributes.map((a): Expr => {
    if (a.attisdropped) return makeConst(INT4OID, -1, 0, null);
    const own = member === parent ? a : member.attributes.find((m) => m.attname === a.attname && !m.attisdropped);
    if (own === undefined) throw notSupported(`child table "${member.name}" without column "${a.attname}"`);
    return makeVar(1, own.attnum, a.atttypid, a.atttypmod, a.attcollation, 0);
  });
  for (const attno of extras) {
    if (attno !== 0) columns.push(makeVar(1, attno, SYSTEM_TYPES[attno]!, -1, 0, 0));
    else if (member === parent) columns.push(makeVar(1, 0, parent.rowType, -1, 0, 0));
    else columns.push({ kind: 'RowExpr', args: columns.slice(0, parent.attributes.length), row_typeid: parent.rowType, row_format: 'implicit_cast', colnames: [], location: -1 });
  }
  q.targetList = columns.map((e, i) => makeTargetEntry(e, i + 1, parent.attributes[i]?.attname ?? `system${i}`, false));
  return q;
}
