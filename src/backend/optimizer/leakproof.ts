// Whether an expression may tell somebody of the values it gets (contain_leaked_vars of PostgreSQL's clauses.c): by an
// error message, a notice, a write. Conditions that may must not see rows that policies or a security barrier hide.
import { procByOid } from '../catalog/syscache.ts';
import { operator } from '../executor/fmgr_info.ts';
import { functionOf } from '../executor/plan_walker.ts';
import { containsNode, expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';

const isLeakproof = (fn: number): boolean => procByOid(fn)?.proleakproof === true;
const hasVar = (e: Expr): boolean => containsNode(e, (n) => n.kind === 'Var');

/** Nodes that by themselves tell nothing. */
const QUIET = new Set<Expr['kind']>([
  'Var', 'Const', 'Param', 'ArrayExpr', 'FieldSelect', 'FieldStore', 'NamedArgExpr', 'BoolExpr', 'RelabelType', 'CollateExpr', 'CaseExpr', 'CaseTestExpr', 'RowExpr',
  'SQLValueFunction', 'NullTest', 'BooleanTest', 'NextValueExpr', 'CoalesceExpr', 'CurrentOfExpr', 'ConvertRowtypeExpr', 'SubscriptingRef',
]);

export function containsLeakedVars(e: Expr): boolean {
  const walker = (n: Expr | Query): boolean => {
    if (n.kind === 'Query') return true;
    const fn = functionOf(n);
    if (fn !== 0) return (!isLeakproof(fn) && hasVar(n)) || expressionTreeWalker(n, walker);
    if (n.kind === 'RowCompareExpr') return n.opnos.some((op) => !isLeakproof(operator(op).oprcode) && hasVar(n)) || expressionTreeWalker(n, walker);
    return !QUIET.has(n.kind) || expressionTreeWalker(n, walker);
  };
  return walker(e);
}
