// Column numbers of one table turned into those of another (PostgreSQL's tupconvert.c and map_variable_attnos).
import { PgError } from '../../common/errors.ts';
import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';

/** A copy of an expression over one relation (varno 1) with every column number replaced by the map's. */
export function mapVars(expr: Expr, map: ReadonlyMap<number, number>): Expr {
  const m = (e: Expr): Expr => {
    if (e.kind !== 'Var') return expressionTreeMutator(e, m);
    if (e.varattno === 0) throw new PgError('feature_not_supported', 'cannot convert whole-row table reference');
    if (e.varattno < 0) return e;
    const to = map.get(e.varattno);
    if (to === undefined) throw new PgError('internal_error', `column ${e.varattno} has no counterpart`);
    return to === e.varattno ? e : { ...e, varattno: to };
  };
  return m(expr);
}
