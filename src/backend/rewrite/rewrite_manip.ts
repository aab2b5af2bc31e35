// Changes to Vars all through a tree (rewriteManip.c): range table offsets, other relations, other levels, and target
// lists put in the place of Vars.
import { internalError, PgError } from '../../common/errors.ts';
import { getBaseTypeAndTypmod } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import { makeNullConst } from '../nodes/makefuncs.ts';
import { containsNode, expressionTreeMutator, expressionTreeWalker, exprCollation, exprType, exprTypmod, fromItemWalker, queryTreeMutator, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry, RowMarkClause } from '../nodes/parsenodes.ts';
import type { Expr, FromExpr, FromItem, RowExpr, TargetEntry, Var } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { INT4OID } from '../types/oids.ts';

/** Applies `change` to every node of an expression, with the number of levels it is below the start. */
function deepMutate(e: Expr, levels: number, change: (node: Expr, levels: number) => Expr | undefined, query: (q: Query, levels: number) => Query): Expr {
  const mutate = (node: Expr): Expr => change(node, levels) ?? expressionTreeMutator(node, mutate, (q) => query(q, levels + 1));
  return mutate(e);
}

type Change = (node: Expr, levels: number) => Expr | undefined;

/** Applies a change to all expressions of a query, subqueries included. */
export function mutateQueryDeep(query: Query, levels: number, change: Change, adjust?: (q: Query, levels: number) => Query): Query {
  const sub = (q: Query, l: number): Query => mutateQueryDeep(q, l, change, adjust);
  const result = queryTreeMutator(query, (node) => deepMutate(node, levels, change, sub), { query: (q) => sub(q, levels + 1) });
  return adjust === undefined ? result : adjust(result, levels);
}

function offsetFromItem(item: FromItem, move: (rt: number) => number): FromItem {
  switch (item.kind) {
    case 'RangeTblRef': return { kind: 'RangeTblRef', rtindex: move(item.rtindex) };
    case 'JoinExpr': return { ...item, rtindex: item.rtindex === 0 ? 0 : move(item.rtindex), larg: offsetFromItem(item.larg, move), rarg: offsetFromItem(item.rarg, move) };
    case 'FromExpr': return { ...item, fromlist: item.fromlist.map((f) => offsetFromItem(f, move)) };
  }
}

/** Renumbers range table references of the query itself (not of its subqueries). */
function renumberQuery(query: Query, move: (rt: number) => number): Query {
  const marks: RowMarkClause[] = query.rowMarks.map((rc) => ({ ...rc, rti: move(rc.rti) }));
  return {
    ...query, resultRelation: query.resultRelation === 0 ? 0 : move(query.resultRelation), rowMarks: marks,
    onConflict: query.onConflict === null || query.onConflict.exclRelIndex === 0 ? query.onConflict : { ...query.onConflict, exclRelIndex: move(query.onConflict.exclRelIndex) },
    jointree: offsetFromItem(query.jointree, move) as FromExpr,
    setOperations: query.setOperations === null ? null : renumberSetOperations(query.setOperations, move),
  };
}

type SetOps = NonNullable<Query['setOperations']>;
function renumberSetOperations(op: SetOps, move: (rt: number) => number): SetOps {
  const side = (node: SetOps['larg']): SetOps['larg'] => node.kind === 'RangeTblRef' ? { kind: 'RangeTblRef', rtindex: move(node.rtindex) }
    : { ...renumberSetOperations(node, move), kind: 'SetOperationStmt' };
  return { ...op, larg: side(op.larg), rarg: side(op.rarg) };
}

const moveVars = (levelsUp: number, move: (rt: number) => number): Change => (node, levels) => {
  if (node.kind === 'Var' && node.varlevelsup === levels + levelsUp) {
    const varno = move(node.varno);
    return varno === node.varno ? node : { ...node, varno };
  }
  if (node.kind === 'CurrentOfExpr' && levels + levelsUp === 0) return { ...node, cvarno: move(node.cvarno) };
  return undefined;
};

/** Adds `offset` to the varno of every Var of level `sublevelsUp`. */
export function offsetVarNodes(e: Expr, offset: number, sublevelsUp = 0): Expr {
  const change = moveVars(0, (rt) => rt + offset);
  return deepMutate(e, sublevelsUp, change, (q, l) => mutateQueryDeep(q, l, change));
}
export function offsetVarNodesInQuery(query: Query, offset: number): Query {
  const move = (rt: number): number => rt + offset;
  const change = moveVars(0, move);
  return renumberQuery(mutateQueryDeep(query, 0, change), move);
}

/** Turns references to range table entry `from` into references to `to`. */
export function changeVarNodes(e: Expr, from: number, to: number, sublevelsUp = 0): Expr {
  const change = moveVars(0, (rt) => rt === from ? to : rt);
  return deepMutate(e, sublevelsUp, change, (q, l) => mutateQueryDeep(q, l, change));
}
export function changeVarNodesInQuery(query: Query, from: number, to: number): Query {
  const move = (rt: number): number => rt === from ? to : rt;
  const change = moveVars(0, move);
  return renumberQuery(mutateQueryDeep(query, 0, change), move);
}

const raise = (delta: number, minLevel: number): Change => (node, levels) => {
  if (node.kind === 'Var') return node.varlevelsup >= minLevel + levels ? { ...node, varlevelsup: node.varlevelsup + delta } : node;
  if (node.kind === 'Aggref' && node.agglevelsup >= minLevel + levels) {
    const inner = expressionTreeMutator(node, (child) => deepMutate(child, levels, raise(delta, minLevel), (q, l) => raiseQuery(q, l, delta, minLevel)), (q) => raiseQuery(q, levels + 1, delta, minLevel));
    return { ...(inner as typeof node), agglevelsup: node.agglevelsup + delta };
  }
  if (node.kind === 'GroupingFunc' && node.agglevelsup >= minLevel + levels) return { ...node, agglevelsup: node.agglevelsup + delta };
  return undefined;
};
function raiseQuery(query: Query, levels: number, delta: number, minLevel: number): Query {
  return mutateQueryDeep(query, levels, raise(delta, minLevel), (q, l) => ({
    ...q, rtable: q.rtable.map((rte) => rte.rtekind === 'cte' && rte.ctelevelsup >= minLevel + l ? { ...rte, ctelevelsup: rte.ctelevelsup + delta } : rte),
  }));
}

/** Adds `delta` to the level of everything that refers to `minLevel` or further out. */
export function incrementVarSublevelsUp(e: Expr, delta: number, minLevel: number): Expr {
  return deepMutate(e, 0, raise(delta, minLevel), (q, l) => raiseQuery(q, l, delta, minLevel));
}
export function incrementVarSublevelsUpInQuery(query: Query, delta: number, minLevel: number): Query {
  return raiseQuery(query, 0, delta, minLevel);
}

/** Whether a query, a part of its join tree or an expression refers to range table entry `rt` of level `sublevelsUp`. */
export function rangeTableEntryUsed(node: Expr | Query | FromItem, rt: number, sublevelsUp = 0): boolean {
  let levels = sublevelsUp;
  const walker = (n: Expr | Query): boolean => {
    if (n.kind === 'Query') {
      levels++;
      const result = queryTreeWalker(n, walker);
      levels--;
      return result;
    }
    if (n.kind === 'Var') return n.varlevelsup === levels && n.varno === rt;
    if (n.kind === 'CurrentOfExpr') return levels === 0 && n.cvarno === rt;
    if (n.kind === 'SubLink') {
      levels++;
      const inside = queryTreeWalker(n.subselect, walker);
      levels--;
      return inside || (n.testexpr !== null && walker(n.testexpr));
    }
    return expressionTreeWalker(n, walker);
  };
  switch (node.kind) {
    case 'Query': return queryTreeWalker(node, walker) || (sublevelsUp === 0 && fromItemUses(node.jointree, rt));
    case 'FromExpr': case 'JoinExpr': case 'RangeTblRef': return fromItemWalker(node, walker) || fromItemUses(node, rt);
    default: return walker(node);
  }
}
function fromItemUses(item: FromItem, rt: number): boolean {
  switch (item.kind) {
    case 'RangeTblRef': return item.rtindex === rt;
    case 'JoinExpr': return item.rtindex === rt || fromItemUses(item.larg, rt) || fromItemUses(item.rarg, rt);
    case 'FromExpr': return item.fromlist.some((f) => fromItemUses(f, rt));
  }
}

export type NoMatch = 'error' | 'change_varno' | 'substitute_null';

/** Makes the replacer of Vars of one relation by the entries of a target list (ReplaceVarsFromTargetList). */
function replacer(targetVarno: number, targetRte: RangeTblEntry, targetlist: readonly TargetEntry[], nomatch: NoMatch, nomatchVarno: number, baseLevel: number): Change {
  const replaceVar = (v: Var, levels: number): Expr => {
    if (v.varattno === 0) {
      const columns = expandWholeRow(targetRte, v);
      const row: RowExpr = {
        kind: 'RowExpr', args: columns.map((c) => c === null ? makeNullConst(INT4OID, -1, 0) : replaceVar({ ...c, varlevelsup: levels }, levels)), row_typeid: v.vartype,
        row_format: 'implicit_cast', colnames: targetRte.eref.colnames.slice(), location: v.location,
      };
      return row;
    }
    const te = targetlist.find((t) => t.resno === v.varattno && !t.resjunk);
    if (te === undefined) {
      if (nomatch === 'change_varno') return { ...v, varno: nomatchVarno };
      if (nomatch === 'substitute_null') return nullOfType(v.vartype, v.vartypmod, v.varcollid);
      throw internalError(`could not find replacement targetlist entry for attno ${v.varattno}`);
    }
    // (a, b) = (SELECT ...) is evaluated once; NEW.a would have to evaluate it again.
    if (containsNode(te.expr, (n) => n.kind === 'Param' && n.paramkind === 'multiexpr')) {
      throw new PgError('feature_not_supported', 'NEW variables in ON UPDATE rules cannot reference columns that are part of a multiple assignment in the subject UPDATE command');
    }
    return levels > 0 ? incrementVarSublevelsUp(te.expr, levels, 0) : te.expr;
  };
  return (node, levels) => {
    if (node.kind === 'CurrentOfExpr' && node.cvarno === targetVarno && levels + baseLevel === 0) {
      throw new PgError('feature_not_supported', 'WHERE CURRENT OF on a view is not implemented');
    }
    return node.kind === 'Var' && node.varno === targetVarno && node.varlevelsup === levels + baseLevel ? replaceVar(node, levels + baseLevel) : undefined;
  };
}

/** NULL, with the constraints of its domain. */
function nullOfType(type: Oid, typmod: number, collation: Oid): Expr {
  const base = getBaseTypeAndTypmod(type, typmod);
  const arg = makeNullConst(base.type, base.typmod, collation);
  return base.type === type ? arg
    : { kind: 'CoerceToDomain', arg, resulttype: type, resulttypmod: -1, resultcollid: collation, coercionformat: 'implicit_cast', location: -1 };
}

function expandWholeRow(rte: RangeTblEntry, v: Var): (Var | null)[] {
  return columnsOfRte(rte).map((c, i) => c === null ? null : { ...v, varattno: i + 1, vartype: c.type, vartypmod: c.typmod, varcollid: c.collation });
}

/** The columns of a range table entry (expandRTE); null: dropped. */
function columnsOfRte(rte: RangeTblEntry): ({ type: number; typmod: number; collation: number } | null)[] {
  if (rte.relid !== 0) {
    return openRelation(rte.relid).attributes.map((a) => (a.attisdropped ? null : { type: a.atttypid, typmod: a.atttypmod, collation: a.attcollation }));
  }
  if (rte.subquery !== null) {
    return rte.subquery.targetList.filter((te) => !te.resjunk).map((te) => ({ type: exprType(te.expr), typmod: exprTypmod(te.expr), collation: exprCollation(te.expr) }));
  }
  if (rte.coltypes.length > 0) return rte.coltypes.map((type, i) => ({ type, typmod: rte.coltypmods[i]!, collation: rte.colcollations[i]! }));
  throw internalError(`cannot expand a whole row of a range table entry of kind ${rte.rtekind}`);
}

export function replaceVarsFromTargetList(
  e: Expr, targetVarno: number, sublevelsUp: number, targetRte: RangeTblEntry, targetlist: readonly TargetEntry[], nomatch: NoMatch, nomatchVarno: number,
): Expr {
  const change = replacer(targetVarno, targetRte, targetlist, nomatch, nomatchVarno, sublevelsUp);
  return deepMutate(e, 0, change, (q, l) => mutateQueryDeep(q, l, change));
}
export function replaceVarsFromTargetListInQuery(
  query: Query, targetVarno: number, targetRte: RangeTblEntry, targetlist: readonly TargetEntry[], nomatch: NoMatch, nomatchVarno: number,
): Query {
  return mutateQueryDeep(query, 0, replacer(targetVarno, targetRte, targetlist, nomatch, nomatchVarno, 0));
}
