// The name of a field of a record-valued expression, found where the record is made (get_name_for_var_field).
import { internalError } from '../../../common/errors.ts';
import type { Query } from '../../nodes/parsenodes.ts';
import type { Expr, TargetEntry, Var } from '../../nodes/primnodes.ts';
import { getExprResultType } from '../../parser/func_result.ts';
import { RECORDOID } from '../../types/oids.ts';
import { queryNamespace, type DeparseNamespace } from './names.ts';

export function recordFieldName(e: Expr, field: number, levelsUp: number, namespaces: readonly DeparseNamespace[]): string {
  if (e.kind === 'RowExpr' && e.colnames[field - 1] !== undefined) return e.colnames[field - 1]!;
  if (e.kind !== 'Var' || e.vartype !== RECORDOID) return declaredName(e, field);
  const level = e.varlevelsup + levelsUp;
  const rte = namespaces[level]?.rtable[e.varno - 1];
  if (rte === undefined) throw internalError(`bogus varno: ${e.varno}`);
  if (e.varattno === 0) return rte.alias?.colnames[field - 1] ?? rte.eref.colnames[field - 1] ?? `f${field}`;
  switch (rte.rtekind) {
    case 'subquery': {
      const te = targetOf(rte.subquery!, e);
      return te.kind === 'Var' ? inside(rte.subquery!, te, field, namespaces.slice(level)) : declaredName(te, field);
    }
    case 'join': {
      const target = rte.joinaliasvars[e.varattno - 1]!;
      return target.kind === 'Var' ? recordFieldName(target, field, level, namespaces) : declaredName(target, field);
    }
    case 'cte': {
      const outer = namespaces.slice(level + rte.ctelevelsup);
      const cte = outer[0]?.ctes.find((c) => c.ctename === rte.ctename);
      if (cte === undefined) return declaredName(e, field);
      const te = targetOf(cte.ctequery, e);
      return te.kind === 'Var' ? inside(cte.ctequery, te, field, outer) : declaredName(te, field);
    }
    default: return declaredName(e, field);
  }
}

const inside = (query: Query, v: Var, field: number, outer: readonly DeparseNamespace[]): string => recordFieldName(v, field, 0, [queryNamespace(query, outer), ...outer]);

function targetOf(query: Query, v: Var): Expr {
  const list: readonly TargetEntry[] = query.commandType === 'select' ? query.targetList : query.returningList;
  const te = list.find((t) => t.resno === v.varattno && !t.resjunk);
  if (te === undefined) throw internalError(`query does not have attribute ${v.varattno}`);
  return te.expr;
}

function declaredName(e: Expr, field: number): string {
  return getExprResultType(e).columns[field - 1]?.name ?? `f${field}`;
}
