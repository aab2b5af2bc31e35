// Vars of joins replaced by what they stand for (flatten_join_alias_vars of PostgreSQL's var.c).
import { makeNullConst } from '../nodes/makefuncs.ts';
import { expressionTreeMutator, queryTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, RowExpr } from '../nodes/primnodes.ts';
import { INT4OID } from '../types/oids.ts';
import { incrementVarSublevelsUp } from '../rewrite/rewrite_manip.ts';

/** `e` (of `query`) with every Var of a join's entry replaced by the join's own expression for that column. */
export function flattenJoinAliasVars(query: Query, e: Expr): Expr {
  let levels = 0;
  const mutate = (node: Expr): Expr => {
    if (node.kind === 'Var' && node.varlevelsup === levels) {
      const rte = query.rtable[node.varno - 1];
      if (rte?.rtekind !== 'join') return node;
      if (node.varattno === 0) {
        const args: Expr[] = [];
        const colnames: string[] = [];
        rte.joinaliasvars.forEach((v, i) => {
          if (v === null) {
            args.push(makeNullConst(INT4OID, -1, 0));
            colnames.push('');
            return;
          }
          args.push(mutate(levels > 0 ? incrementVarSublevelsUp(v, levels, 0) : v));
          colnames.push(rte.eref.colnames[i]!);
        });
        const row: RowExpr = { kind: 'RowExpr', args, row_typeid: node.vartype, row_format: 'implicit_cast', colnames, location: node.location };
        return row;
      }
      const target = rte.joinaliasvars[node.varattno - 1];
      if (target === null || target === undefined) return makeNullConst(INT4OID, -1, 0);
      const moved = levels > 0 ? incrementVarSublevelsUp(target, levels, 0) : target;
      return mutate(moved.kind === 'Var' ? { ...moved, location: node.location } : moved);
    }
    return expressionTreeMutator(node, mutate, descend);
  };
  const descend = (sub: Query): Query => {
    levels++;
    const result = queryTreeMutator(sub, mutate, { query: descend });
    levels--;
    return result;
  };
  return mutate(e);
}
