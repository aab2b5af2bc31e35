// Subscripts of arrays and jsonb, fetched from or assigned to (parse_node.c and the subscript handlers of
// arraysubs.c and jsonbsubs.c).
import { getBaseTypeAndTypmod } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { makeConst } from '../nodes/makefuncs.ts';
import { exprLocation, exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, SubscriptingRef } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { canCoerceType, coerceToTargetType, coerceType } from './parse_coerce.ts';
import { parserError, type ParseState } from './parse_node.ts';
import { formatType } from './parse_type.ts';
import type { RawNode } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

const MAXDIM = 6;

/** The type that is subscripted: a domain's base type; int2vector and oidvector as arrays of their elements. */
export function transformContainerType(type: Oid, typmod: number): { type: Oid; typmod: number } {
  const base = getBaseTypeAndTypmod(type, typmod);
  if (base.type === T.INT2VECTOROID) return { type: T.INT2ARRAYOID, typmod: base.typmod };
  if (base.type === T.OIDVECTOROID) return { type: T.OIDARRAYOID, typmod: base.typmod };
  return base;
}

/** A SubscriptingRef for container[...]; with isAssignment the caller fills refassgnexpr in. */
export function transformContainerSubscripts(
  state: ParseState, containerBase: Expr, containerTypeIn: Oid, containerTypmodIn: number, indirection: readonly RawNode[], isAssignment: boolean,
): SubscriptingRef {
  const container = isAssignment ? { type: containerTypeIn, typmod: containerTypmodIn } : transformContainerType(containerTypeIn, containerTypmodIn);
  // Arrays, and types of fixed length that are subscripted like them (point, name, ...).
  const element = sys.typeByOid(container.type)?.typelem ?? 0;
  const isJsonb = container.type === T.JSONBOID;
  if (!isJsonb && (element === 0 || (sys.typeByOid(container.type)?.typsubscript ?? 0) === 0)) {
    throw parserError(state, 'datatype_mismatch', `cannot subscript type ${formatType(container.type)} because it does not support subscripting`, exprLocation(containerBase));
  }
  const isSlice = indirection.some((n) => n.is_slice === true);
  if (isJsonb) return jsonbSubscripts(state, containerBase, container, indirection, isSlice);
  const upper: (Expr | null)[] = [];
  const lower: (Expr | null)[] = [];
  const integer = (raw: RawNode): Expr => {
    const e = recursion.recurse(state, raw);
    const result = coerceToTargetType(state, e, exprType(e), T.INT4OID, -1, 'assignment', 'implicit_cast', -1);
    if (result === null) throw parserError(state, 'datatype_mismatch', 'array subscript must have type integer', exprLocation(e));
    return result;
  };
  for (const n of indirection) {
    if (isSlice) {
      if (n.lidx !== undefined) lower.push(integer(n.lidx));
      else if (n.is_slice !== true) lower.push(makeConst(T.INT4OID, -1, 0, 1));
      else lower.push(null);
    }
    if (n.uidx !== undefined) upper.push(integer(n.uidx));
    else upper.push(null);
  }
  if (upper.length > MAXDIM) throw parserError(state, 'program_limit_exceeded', `number of array dimensions (${upper.length}) exceeds the maximum allowed (${MAXDIM})`);
  return {
    kind: 'SubscriptingRef', refcontainertype: container.type, refelemtype: element, refrestype: isSlice ? container.type : element, reftypmod: container.typmod,
    refcollid: 0, refupperindexpr: upper, reflowerindexpr: isSlice ? lower : [], refexpr: containerBase, refassgnexpr: null, location: exprLocation(containerBase),
  };
}

function jsonbSubscripts(state: ParseState, containerBase: Expr, container: { type: Oid; typmod: number }, indirection: readonly RawNode[], isSlice: boolean): SubscriptingRef {
  const upper = indirection.map((n) => {
    if (isSlice) {
      const at = n.uidx ?? n.lidx;
      throw parserError(state, 'datatype_mismatch', 'jsonb subscript does not support slices', at === undefined ? -1 : exprLocation(recursion.recurse(state, at)));
    }
    const e = recursion.recurse(state, n.uidx);
    const type = exprType(e);
    let target = 0;
    if (type !== T.UNKNOWNOID) {
      const candidates = [T.INT4OID, T.TEXTOID].filter((t) => canCoerceType([type], [t], 'implicit'));
      if (candidates.length > 1) {
        throw parserError(state, 'datatype_mismatch', `subscript type ${formatType(type)} is not supported`, exprLocation(e), { hint: 'jsonb subscript must be coercible to only one type, integer or text.' });
      }
      target = candidates[0] ?? 0;
      if (target === 0) {
        throw parserError(state, 'datatype_mismatch', `subscript type ${formatType(type)} is not supported`, exprLocation(e), { hint: 'jsonb subscript must be coercible to either integer or text.' });
      }
    } else target = T.TEXTOID;
    return coerceType(state, e, type, target, -1, 'implicit', 'implicit_cast', -1);
  });
  return {
    kind: 'SubscriptingRef', refcontainertype: container.type, refelemtype: 0, refrestype: T.JSONBOID, reftypmod: -1, refcollid: 0,
    refupperindexpr: upper, reflowerindexpr: [], refexpr: containerBase, refassgnexpr: null, location: exprLocation(containerBase),
  };
}
