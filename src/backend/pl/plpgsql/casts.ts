// Conversions on assignment (exec_cast_value): as an assignment cast of SQL, or by the types' text forms where there is none.
import { registerCatalogCache } from '../../catalog/inval.ts';
import { getType } from '../../catalog/lsyscache.ts';
import { compileExpr } from '../../executor/expression.ts';
import { exprType, exprTypmod } from '../../nodes/nodeFuncs.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { coerceToTargetType } from '../../parser/parse_coerce.ts';
import { assignExprCollations } from '../../parser/parse_collate.ts';
import { makeParseState } from '../../parser/parse_node.ts';
import type { Datum, Oid } from '../../types/datum.ts';
import { RECORDOID, TEXTOID, UNKNOWNOID } from '../../types/oids.ts';

/** Whether a value of the one type is one of the other as it is. */
export const needsCast = (from: Oid, fromTypmod: number, to: Oid, typmod: number): boolean =>
  from !== to || (typmod !== -1 && fromTypmod !== typmod);

/** The expression with the cast around it. */
export function castNode(node: Expr, to: Oid, typmod: number): Expr {
  const from = exprType(node);
  if (!needsCast(from, exprTypmod(node), to, typmod)) return node;
  // Rows are converted column by column, elsewhere.
  let cast: Expr | null = from === RECORDOID && to === RECORDOID ? node : from === RECORDOID || from === UNKNOWNOID ? null : coerceToTargetType(null, node, from, to, typmod, 'assignment', 'implicit_cast', -1);
  if (cast === null) {
    cast = { kind: 'CoerceViaIO', arg: node, resulttype: to, resultcollid: 0, coerceformat: 'implicit_cast', location: -1 };
    if (typmod !== -1) cast = coerceToTargetType(null, cast, to, to, typmod, 'assignment', 'implicit_cast', -1) ?? cast;
  }
  assignExprCollations(makeParseState(), cast);
  return cast;
}

export type Cast = (value: Datum) => Datum;

const casts = new Map<string, Cast | null>();
const MAX_CASTS = 2000;
registerCatalogCache(() => casts.clear());

/** What converts values; null: nothing needs to be done. A domain's checks see nulls, too. */
export function castFunction(from: Oid, fromTypmod: number, to: Oid, typmod: number): Cast | null {
  if (!needsCast(from, fromTypmod, to, typmod)) return null;
  const key = `${from}/${fromTypmod}/${to}/${typmod}`;
  let known = casts.get(key);
  if (known === undefined) {
    const source = from === UNKNOWNOID ? TEXTOID : from;
    const param: Expr = { kind: 'Param', paramkind: 'extern', paramid: 1, paramtype: source, paramtypmod: fromTypmod, paramcollid: getType(source)?.typcollation ?? 0, location: -1 };
    const node = castNode(param, to, typmod);
    if (node === param) known = null;
    else {
      const run = compileExpr(node);
      known = (value) => run([value]);
    }
    if (casts.size >= MAX_CASTS) casts.clear();
    casts.set(key, known);
  }
  return known;
}

export function castValue(value: Datum, from: Oid, fromTypmod: number, to: Oid, typmod: number): Datum {
  if (!needsCast(from, fromTypmod, to, typmod)) return value;
  const cast = castFunction(from, fromTypmod, to, typmod);
  return cast === null ? value : cast(value);
}
