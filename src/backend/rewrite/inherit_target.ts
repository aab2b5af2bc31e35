// UPDATE and DELETE on a table with child tables: the same statement for each of them, column numbers turned into the
// child's.
import { notSupported } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf } from '../catalog/syscache.ts';
import { makeAlias } from '../nodes/makefuncs.ts';
import { expressionTreeMutator, queryTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';

/** One query a table; the query itself when there are no children. */
export function expandInheritedTarget(query: Query): Query[] {
  if (query.commandType !== 'update' && query.commandType !== 'delete') return [query];
  const rte = query.rtable[query.resultRelation - 1]!;
  if (!rte.inh || rte.rtekind !== 'relation') return [query];
  const parent = openRelation(rte.relid);
  if (!parent.hasSubclass) return [query];
  const members = [parent.oid];
  for (let i = 0; i < members.length; i++) for (const row of childrenOf(members[i]!)) if (!members.includes(row.inhrelid)) members.push(row.inhrelid);
  return members.map(openRelation).filter((r) => r.kind !== 'p').map((member) => (member.oid === parent.oid ? withEntry(query, parent, parent) : forMember(query, parent, member)));
}

function withEntry(query: Query, parent: Relation, member: Relation): Query {
  const index = query.resultRelation - 1;
  const rte = query.rtable[index]!;
  const own = member === parent;
  const entry = {
    ...rte, inh: false, relid: member.oid, relkind: member.kind, requiredPerms: own ? rte.requiredPerms : 0,
    eref: own ? rte.eref : makeAlias(rte.eref.aliasname, member.attributes.map((a) => (a.attisdropped ? '' : a.attname))),
  };
  return { ...query, rtable: query.rtable.map((r, i) => (i === index ? entry : r)) };
}

function forMember(query: Query, parent: Relation, member: Relation): Query {
  const attnum = (n: number): number => {
    const name = parent.attributes[n - 1]!.attname;
    const found = member.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (found === undefined) throw notSupported(`child table "${member.name}" without column "${name}"`);
    return found.attnum;
  };
  const rewrite = (q: Query, depth: number): Query => {
    const m = (e: Expr): Expr => {
      if (e.kind === 'Var' && e.varno === query.resultRelation && e.varlevelsup === depth) {
        if (e.varattno > 0) return { ...e, varattno: attnum(e.varattno) };
        if (e.varattno === 0) {
          const args = parent.attributes.filter((a) => !a.attisdropped).map((a): Expr => ({
            kind: 'Var', varno: e.varno, varattno: attnum(a.attnum), vartype: a.atttypid, vartypmod: a.atttypmod, varcollid: a.attcollation, varlevelsup: depth, location: -1,
          }));
          return { kind: 'RowExpr', args, row_typeid: parent.rowType, row_format: 'implicit_cast', colnames: [], location: -1 };
        }
        return e;
      }
      return expressionTreeMutator(e, m, (sub) => rewrite(sub, depth + 1));
    };
    return queryTreeMutator(q, m, { query: (sub) => rewrite(sub, depth + 1) });
  };
  const rewritten = withEntry(rewrite(query, 0), parent, member);
  const columns = rewritten.targetList.filter((t) => !t.resjunk).map((t) => ({ ...t, resno: attnum(t.resno) })).sort((a, b) => a.resno - b.resno);
  const junk = rewritten.targetList.filter((t) => t.resjunk).map((t, i) => ({ ...t, resno: member.attributes.length + 1 + i }));
  return query.commandType === 'update' ? { ...rewritten, targetList: [...columns, ...junk] } : rewritten;
}
