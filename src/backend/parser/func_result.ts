// What a function (or other expression) in FROM gives: a scalar, a row of a named type, or a record to be described
// (PostgreSQL's funcapi.c get_expr_result_type).
import { getBaseType } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { exprType, exprTypmod, exprCollation } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { RECORDOID, VOIDOID } from '../types/oids.ts';
import { enforceGenericTypeConsistency, isPolymorphic } from './parse_generic.ts';

export interface ResultColumnDescription { name: string; type: Oid; typmod: number; collation: Oid; dropped: boolean }
export interface ResultDescription {
  class: 'scalar' | 'composite' | 'composite_domain' | 'record' | 'other';
  type: Oid;
  /** For composite classes; dropped columns included. */
  columns: ResultColumnDescription[];
}

export function columnsOfRowType(typeOid: Oid): ResultColumnDescription[] {
  const relid = sys.typeByOid(getBaseType(typeOid))?.typrelid ?? 0;
  return sys.attributesOf(relid).filter((a) => a.attnum > 0).map((a) => ({
    name: a.attname, type: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, dropped: a.attisdropped,
  }));
}

function getTypeFuncClass(typeOid: Oid): ResultDescription['class'] {
  const type = sys.typeByOid(typeOid);
  switch (type?.typtype) {
    case 'c': return 'composite';
    case 'd': return sys.typeByOid(getBaseType(typeOid))?.typtype === 'c' ? 'composite_domain' : 'scalar';
    case 'b': case 'e': case 'r': case 'm': return 'scalar';
    case 'p':
      if (typeOid === RECORDOID) return 'record';
      return typeOid === VOIDOID || type.typname === 'cstring' ? 'scalar' : 'other';
    default: return 'other';
  }
}

export function getExprResultType(e: Expr): ResultDescription {
  if (e.kind === 'FuncExpr') {
    const outs = outColumns(e.funcid, e.args.map(exprType), e.inputcollid);
    if (outs !== null) return { class: 'composite', type: RECORDOID, columns: outs };
  }
  if (e.kind === 'RowExpr' && e.row_typeid === RECORDOID) {
    return {
      class: 'composite', type: RECORDOID,
      columns: e.args.map((arg, i) => ({ name: e.colnames[i] ?? `f${i + 1}`, type: exprType(arg), typmod: exprTypmod(arg), collation: exprCollation(arg), dropped: false })),
    };
  }
  if (e.kind === 'Param' && e.paramcolumns !== undefined) {
    return { class: 'composite', type: RECORDOID, columns: e.paramcolumns.map((c) => ({ name: c.name, type: c.typeOid, typmod: c.typmod, collation: c.collation, dropped: c.dropped })) };
  }
  const type = exprType(e);
  const kind = getTypeFuncClass(type);
  return { class: kind, type, columns: kind === 'composite' || kind === 'composite_domain' ? columnsOfRowType(type) : [] };
}

/** The OUT columns of a function returning record, polymorphic types resolved; null when it has fewer than two. */
function outColumns(funcid: Oid, argTypes: Oid[], inputCollation: Oid): ResultColumnDescription[] | null {
  const proc = sys.procByOid(funcid);
  if (proc === undefined || proc.prorettype !== RECORDOID || !proc.proallargtypes || !proc.proargmodes) return null;
  const columns: ResultColumnDescription[] = [];
  proc.proargmodes.forEach((mode, i) => {
    if (mode !== 'o' && mode !== 'b' && mode !== 't') return;
    const declared = proc.proallargtypes![i]!;
    const polymorphic = isPolymorphic(declared);
    const type = polymorphic ? enforceGenericTypeConsistency(argTypes, proc.proargtypes.slice(0, argTypes.length), declared, false) : declared;
    const name = proc.proargnames?.[i];
    const typcollation = sys.typeByOid(type)?.typcollation ?? 0;
    columns.push({
      name: name === undefined || name === '' ? `column${columns.length + 1}` : name, type, typmod: -1,
      // Columns of a certain type have its collation, whatever the arguments' is.
      collation: polymorphic && typcollation !== 0 && inputCollation !== 0 ? inputCollation : typcollation, dropped: false,
    });
  });
  return columns.length < (proc.prokind === 'p' ? 1 : 2) ? null : columns;
}
