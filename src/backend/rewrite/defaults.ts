// The default of a column (build_column_default): its own, its identity sequence's next value, or its domain's.
import type { Attribute, Relation } from '../catalog/relation.ts';
import { getType } from '../catalog/lsyscache.ts';
import { identitySequenceOf } from '../catalog/pg_depend.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { makeConst } from '../nodes/makefuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { coerceToTargetType } from '../parser/parse_coerce.ts';
import { formatType, stringTypeDatum } from '../parser/parse_type.ts';
import { PgError } from '../../common/errors.ts';

/** Null when the column has none: it is NULL. */
export function buildColumnDefault(relation: Relation, attribute: Attribute): Expr | null {
  if (attribute.attidentity !== '') {
    return { kind: 'NextValueExpr', seqid: identitySequenceOf(relation.oid, attribute.attnum), typeId: attribute.atttypid };
  }
  let expr = relation.defaults.get(attribute.attnum) ?? null;
  if (expr === null) {
    const type = getType(attribute.atttypid);
    if (type.typdefaultbin !== null) expr = (stringToNode(type.typdefaultbin) as unknown as Expr);
    else if (type.typdefault !== null) expr = makeConst(type.oid, -1, type.typcollation, stringTypeDatum(type.oid, type.typdefault, -1));
  }
  if (expr === null) return null;
  const given = exprType(expr);
  const coerced = coerceToTargetType(null, expr, given, attribute.atttypid, attribute.atttypmod, 'assignment', 'implicit_cast', -1);
  if (coerced === null) {
    throw new PgError('datatype_mismatch', `column "${attribute.attname}" is of type ${formatType(attribute.atttypid)} but default expression is of type ${formatType(given)}`, {
      hint: 'You will need to rewrite or cast the expression.',
    });
  }
  return coerced;
}
