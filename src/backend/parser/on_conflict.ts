// ON CONFLICT: which unique index decides (transformOnConflictArbiter of parse_clause.c, infer_arbiter_indexes of
// plancat.c).
import { PgError } from '../../common/errors.ts';
import { getOpclassOid } from '../catalog/namespace.ts';
import { BTREE_AM_OID } from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import * as sys from '../catalog/syscache.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { exprLocation, expressionTreeMutator, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Expr, OnConflictExpr } from '../nodes/primnodes.ts';
import { predicateImpliedBy } from '../optimizer/predtest.ts';
import type { Oid } from '../types/datum.ts';
import { pinLiteral } from '../utils/session.ts';
import { assignExprCollations } from './parse_collate.ts';
import { transformExpr } from './parse_expr.ts';
import { parserError, type ParseState } from './parse_node.ts';
import { lookupCollation } from './parse_type.ts';
import type { RawNode } from './raw_nodes.ts';

type Arbiter = Pick<OnConflictExpr, 'arbiterElems' | 'arbiterInference' | 'arbiterWhere' | 'arbiterIndexes' | 'constraint'>;

/** The constraint an ON CONFLICT clause names, or what inferArbiterIndexes looks for. */
export function transformOnConflictArbiter(state: ParseState, clause: RawNode): Arbiter {
  const infer = clause.infer as RawNode | undefined;
  const result: Arbiter = { arbiterElems: [], arbiterInference: [], arbiterWhere: null, arbiterIndexes: [], constraint: 0 };
  if (clause.action === 'ONCONFLICT_UPDATE' && infer === undefined) {
    throw parserError(state, 'syntax_error', 'ON CONFLICT DO UPDATE requires inference specification or constraint name', clause.location,
      { hint: 'For example, ON CONFLICT (column_name).' });
  }
  const relation = state.targetRelation!;
  if (relation.oid < 16384 && relation.namespace === 11) {
    throw parserError(state, 'feature_not_supported', 'ON CONFLICT is not supported with system catalog tables', clause.location);
  }
  if (infer === undefined) return result;
  if (infer.indexElems !== undefined) {
    for (const elem of infer.indexElems as RawNode[]) {
      if (elem.ordering !== 'SORTBY_DEFAULT') throw parserError(state, 'invalid_column_reference', 'ASC/DESC is not allowed in ON CONFLICT clause', infer.location);
      if (elem.nulls_ordering !== 'SORTBY_NULLS_DEFAULT') throw parserError(state, 'invalid_column_reference', 'NULLS FIRST/LAST is not allowed in ON CONFLICT clause', infer.location);
      const raw: RawNode = elem.expr === undefined ? { tag: 'ColumnRef', fields: [elem.name], location: infer.location ?? -1 } : elem.expr;
      const expr = transformExpr(state, raw, 'index_expression');
      assignExprCollations(state, expr);
      let collation = 0;
      if (elem.collation !== undefined) collation = lookupCollation(state, elem.collation, exprLocation(expr));
      let opclass = 0;
      if (elem.opclass !== undefined) opclass = getOpclassOid(BTREE_AM_OID, elem.opclass);
      result.arbiterElems.push(expr);
      result.arbiterInference!.push({ collation, opclass });
    }
  }
  if (infer.whereClause !== undefined) {
    result.arbiterWhere = transformExpr(state, infer.whereClause, 'index_predicate');
    assignExprCollations(state, result.arbiterWhere);
  }
  if (infer.conname !== undefined) {
    const constraint = sys.constraintsOf(relation.oid).find((c) => c.conname === infer.conname);
    if (constraint === undefined) throw parserError(state, 'undefined_object', `constraint "${infer.conname}" for table "${relation.name}" does not exist`);
    result.constraint = constraint.oid;
    const key = constraint.conkey as readonly number[] | null;
    const { selectedCols } = state.targetItem!.rte;
    for (const attnum of key ?? []) if (!selectedCols.includes(attnum)) selectedCols.push(attnum);
    state.targetItem!.rte.requiredPerms |= ACL.SELECT;
  }
  return result;
}
/**
 * The index of the constraint, or the unique indexes whose columns (and predicate) are those given; none is an error; [] where
 * nothing is given: any (infer_arbiter_indexes). The planner asks.
 */
export function inferArbiterIndexes(relation: Relation, arbiter: OnConflictExpr): Oid[] {
  if (arbiter.constraint !== 0) {
    const constraint = sys.constraintsOf(relation.oid).find((c) => c.oid === arbiter.constraint);
    if (constraint === undefined || !'pux'.includes(constraint.contype)) throw new PgError('wrong_object_type', 'constraint in ON CONFLICT clause has no associated index');
    if (constraint.contype === 'x' && arbiter.action === 'update') throw new PgError('wrong_object_type', 'ON CONFLICT DO UPDATE not supported with exclusion constraints');
    return [constraint.conindid];
  }
  if (arbiter.arbiterElems.length === 0) return [];
  const where = arbiter.arbiterWhere;
  const elems = arbiter.arbiterElems.map((expr, i) => ({ expr, collation: 0, opclass: 0, ...arbiter.arbiterInference?.[i] }));
  const attnums = new Set<number>();
  const exprs: Expr[] = [];
  for (const { expr } of elems) {
    if (expr.kind === 'Var') {
      if (expr.varattno === 0) throw new PgError('feature_not_supported', 'whole row unique index inference specifications are not supported');
      attnums.add(expr.varattno);
    } else exprs.push(expr);
  }
  const result: Oid[] = [];
  for (const index of relation.indexes) {
    if (!index.unique || !index.valid) continue;
    const keys = index.keyAttributes.slice(0, index.keyCount);
    const columns = new Set(keys.filter((k) => k !== 0));
    if (columns.size !== attnums.size || [...columns].some((c) => !attnums.has(c))) continue;
    const own = index.expressions;
    const inferred = exprs.map(withVarno1);
    if (!inferred.every((e) => own.some((o) => equal(o, e))) || !own.every((o) => inferred.some((e) => equal(o, e)))) continue;
    const fits = elems.every((e) => keys.some((key, i) => {
      const column = index.columns[i]!;
      const same = e.expr.kind === 'Var' ? key === e.expr.varattno : key === 0;
      return same && (e.collation === 0 || e.collation === column.collation) && (e.opclass === 0 || sys.opclassByOid(e.opclass)?.opcfamily === column.opfamily);
    }));
    if (!fits) continue;
    if (index.predicate !== null && !(where !== null && predicateImpliedBy(makeAndsImplicit(index.predicate), makeAndsImplicit(withVarno1(where)), false))) continue;
    result.push(index.indexrelid);
  }
  if (result.length === 0) {
    throw new PgError('invalid_column_reference', 'there is no unique or exclusion constraint matching the ON CONFLICT specification');
  }
  return result;
}

/** As indexes store their expressions: of varno 1, with the literals as they are. */
function withVarno1(e: Expr): Expr {
  if (e.kind === 'Const' && e.slot !== undefined) {
    const { slot, ...plain } = e;
    pinLiteral(slot);
    return plain;
  }
  return e.kind === 'Var' ? { ...e, varno: 1 } : expressionTreeMutator(e, withVarno1);
}
