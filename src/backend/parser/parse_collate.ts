// Which collation each function and operator works with (parse_collate.c). Runs over finished expressions and fills
// the collation fields in, in place: nothing else refers to the nodes yet.
import { internalError } from '../../common/errors.ts';
import * as sys from '../catalog/syscache.ts';
import { exprCollation, exprLocation, exprType, expressionTreeWalker, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Aggref, Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { parserError, type ParseState } from './parse_node.ts';

const DEFAULT_COLLATION = 100;
const NONE = 0, IMPLICIT = 1, CONFLICT = 2, EXPLICIT = 3;

interface Context { collation: Oid; strength: number; location: number; collation2: Oid; location2: number }
const fresh = (): Context => ({ collation: 0, strength: NONE, location: -1, collation2: 0, location2: -1 });

/** Works through every expression of a query; its subqueries have been done when they were analyzed. */
export function assignQueryCollations(state: ParseState, query: Query): void {
  for (const te of query.targetList) if (te.ressortgroupref !== 0) walkSorted(state, te.expr, fresh());
  queryTreeWalker(query, (node) => {
    if (node.kind !== 'Query') assignExprCollations(state, node);
    return false;
  }, { ignoreRangeTable: true, ignoreCteSubqueries: true });
}

export function assignExprCollations(state: ParseState, e: Expr): void {
  walk(state, e, fresh());
}

/** The collation that all of these would have in common; a conflict is an error unless noneOk (then 0). */
export function selectCommonCollation(state: ParseState, exprs: readonly Expr[], noneOk: boolean): Oid {
  const context = fresh();
  for (const e of exprs) walk(state, e, context);
  if (context.strength === CONFLICT && noneOk) return 0;
  refuseConflict(state, context);
  return context.collation;
}

const collationName = (oid: Oid): string => sys.collationByOid(oid)?.collname ?? String(oid);
const typCollation = (type: Oid): Oid => type === 0 ? 0 : (sys.typeByOid(type)?.typcollation ?? 0);

function merge(state: ParseState, c: Context, collation: Oid, strength: number, location: number, collation2: Oid, location2: number): void {
  if (strength > c.strength) {
    c.collation = collation;
    c.strength = strength;
    c.location = location;
    if (strength === CONFLICT) {
      c.collation2 = collation2;
      c.location2 = location2;
    }
  } else if (strength === c.strength) {
    if (strength === IMPLICIT && collation !== c.collation) {
      if (c.collation === DEFAULT_COLLATION) {
        c.collation = collation;
        c.location = location;
      } else if (collation !== DEFAULT_COLLATION) {
        c.strength = CONFLICT;
        c.collation2 = collation;
        c.location2 = location;
      }
    } else if (strength === EXPLICIT && collation !== c.collation) {
      throw parserError(state, 'collation_mismatch', `collation mismatch between explicit collations "${collationName(c.collation)}" and "${collationName(collation)}"`, location);
    }
  }
}

const all = (state: ParseState, list: readonly (Expr | null)[], c: Context): void => {
  for (const e of list) if (e !== null) walk(state, e, c);
};

function walk(state: ParseState, node: Expr, outer: Context): void {
  const inner = fresh();
  let collation: Oid;
  let strength: number;
  let location: number;
  switch (node.kind) {
    case 'CollateExpr':
      walk(state, node.arg, inner);
      collation = node.collOid;
      strength = EXPLICIT;
      location = node.location;
      break;
    case 'FieldSelect':
      walk(state, node.arg, inner);
      collation = typCollation(node.resulttype) === 0 ? 0 : node.resultcollid;
      strength = collation === 0 ? NONE : IMPLICIT;
      location = exprLocation(node);
      break;
    case 'RowExpr':
      for (const arg of node.args) assignExprCollations(state, arg);
      return;
    case 'RowCompareExpr':
      node.inputcollids = node.largs.map((l, i) => selectCommonCollation(state, [l, node.rargs[i]!], true));
      return;
    case 'CoerceToDomain': {
      walk(state, node.arg, inner);
      const own = typCollation(node.resulttype);
      if (own === 0) {
        collation = 0;
        strength = NONE;
        location = -1;
      } else if (own === DEFAULT_COLLATION && inner.strength !== NONE) {
        collation = inner.strength === CONFLICT ? 0 : inner.collation;
        strength = inner.strength;
        location = inner.location;
      } else {
        collation = own;
        strength = IMPLICIT;
        location = exprLocation(node);
      }
      node.resultcollid = collation;
      break;
    }
    case 'Var': case 'Const': case 'Param': case 'CoerceToDomainValue': case 'CaseTestExpr': case 'SetToDefault': case 'CurrentOfExpr':
      collation = exprCollation(node);
      strength = collation === 0 ? NONE : IMPLICIT;
      location = exprLocation(node);
      break;
    default: {
      children(state, node, inner);
      const own = typCollation(exprType(node));
      if (own !== 0) {
        if (inner.strength !== NONE) {
          collation = inner.strength === CONFLICT ? 0 : inner.collation;
          strength = inner.strength;
          location = inner.location;
        } else {
          collation = own;
          strength = IMPLICIT;
          location = exprLocation(node);
        }
      } else {
        collation = 0;
        strength = NONE;
        location = -1;
      }
      if (node.kind === 'SubLink') {
        collation = exprCollation(node);
        strength = collation === 0 ? NONE : IMPLICIT;
      } else if (node.kind !== 'SQLValueFunction') setCollation(node, collation);
      else collation = exprCollation(node);
      setInputCollation(node, inner.strength === CONFLICT ? 0 : inner.collation);
    }
  }
  merge(state, outer, strength === CONFLICT ? inner.collation : collation, strength, location, inner.collation2, inner.location2);
}

/** What is sorted or grouped by must have one collation. */
function walkSorted(state: ParseState, e: Expr, c: Context): void {
  const own = fresh();
  walk(state, e, own);
  refuseConflict(state, own);
  merge(state, c, own.collation, own.strength, own.location, own.collation2, own.location2);
}

function refuseConflict(state: ParseState, c: Context): void {
  if (c.strength !== CONFLICT) return;
  throw parserError(state, 'collation_mismatch', `collation mismatch between implicit collations "${collationName(c.collation)}" and "${collationName(c.collation2)}"`, c.location2,
    { hint: 'You can choose the collation by applying the COLLATE clause to one or both expressions.' });
}

/** The children whose collations count for the node; the others are done by themselves. */
function children(state: ParseState, node: Expr, c: Context): void {
  switch (node.kind) {
    case 'Aggref': aggregateArguments(state, node, c); return;
    case 'WindowFunc':
      all(state, node.args, c);
      if (node.aggfilter !== null) assignExprCollations(state, node.aggfilter);
      return;
    case 'CaseExpr':
      // The argument was done before its comparisons were made.
      for (const w of node.args) {
        walk(state, w.expr, c);
        walk(state, w.result, c);
      }
      if (node.defresult !== null) walk(state, node.defresult, c);
      return;
    case 'SubscriptingRef':
      for (const e of [...node.refupperindexpr, ...node.reflowerindexpr]) if (e !== null) assignExprCollations(state, e);
      walk(state, node.refexpr, c);
      if (node.refassgnexpr !== null) walk(state, node.refassgnexpr, c);
      return;
    case 'SubLink': {
      if (node.testexpr !== null) walk(state, node.testexpr, c);
      const first = node.subselect.targetList[0];
      if (first === undefined || first.resjunk) return;
      const collation = exprCollation(first.expr);
      merge(state, c, collation, collation === 0 ? NONE : IMPLICIT, exprLocation(first.expr), 0, -1);
      return;
    }
    case 'ArrayCoerceExpr': walk(state, node.arg, c); assignExprCollations(state, node.elemexpr); return;
    default:
      expressionTreeWalker(node, (child) => {
        if (child.kind === 'Query') throw internalError('unexpected query in expression');
        walk(state, child, c);
        return false;
      });
  }
}

function aggregateArguments(state: ParseState, agg: Aggref, c: Context): void {
  if (agg.aggkind === 'n') {
    for (const te of agg.args) {
      const work = te.ressortgroupref === 0 ? walk : walkSorted;
      work(state, te.expr, te.resjunk ? fresh() : c);
    }
  } else if (agg.aggkind === 'o') {
    // Only a single sort column's collation counts.
    const single = agg.args.length === 1 && agg.aggvariadic === false && (sys.procByOid(agg.aggfnoid)?.provariadic ?? 0) === 0;
    all(state, agg.aggdirectargs, c);
    for (const te of agg.args) {
      if (single) walk(state, te.expr, c);
      else assignExprCollations(state, te.expr);
    }
  } else {
    const extra = agg.aggdirectargs.length - agg.args.length;
    agg.aggdirectargs.slice(0, extra).forEach((e) => walk(state, e, c));
    agg.args.forEach((te, i) => {
      const direct = agg.aggdirectargs[extra + i]!;
      const collation = selectCommonCollation(state, [direct, te.expr], true);
      if (collation !== 0 && collation !== exprCollation(te.expr)) {
        te.expr = { kind: 'RelabelType', arg: te.expr, resulttype: exprType(te.expr), resulttypmod: -1, resultcollid: collation, relabelformat: 'implicit_cast', location: -1 };
      }
    });
  }
  if (agg.aggfilter !== null) assignExprCollations(state, agg.aggfilter);
}

const COLLATION_FIELD: Partial<Record<Expr['kind'], string>> = {
  Aggref: 'aggcollid', WindowFunc: 'wincollid', SubscriptingRef: 'refcollid', FuncExpr: 'funccollid', OpExpr: 'opcollid', DistinctExpr: 'opcollid', NullIfExpr: 'opcollid',
  RelabelType: 'resultcollid', CoerceViaIO: 'resultcollid', ArrayCoerceExpr: 'resultcollid', CaseExpr: 'casecollid', ArrayExpr: 'array_collid', CoalesceExpr: 'coalescecollid',
  MinMaxExpr: 'minmaxcollid',
};
function setCollation(node: Expr, collation: Oid): void {
  const field = COLLATION_FIELD[node.kind];
  if (field !== undefined) (node as unknown as Record<string, Oid>)[field] = collation;
}

function setInputCollation(node: Expr, collation: Oid): void {
  switch (node.kind) {
    case 'Aggref': case 'WindowFunc': case 'FuncExpr': case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': case 'ScalarArrayOpExpr': case 'MinMaxExpr':
      node.inputcollid = collation;
      break;
    default:
  }
}
