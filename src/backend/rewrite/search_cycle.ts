// SEARCH and CYCLE of a recursive WITH query (rewriteSearchCycle.c): both sides of its UNION become subqueries of queries that
// add the columns. A path is an array of records, which the recursive side makes longer; breadth first is a record with
// the depth before the columns.
import { internalError } from '../../common/errors.ts';
import { RECORD_EQ_OP } from '../catalog/oids.ts';
import { operatorByOid } from '../catalog/syscache.ts';
import { makeAlias, makeConst, makeFromExpr, makeFuncExpr, makeOpExpr, makeQuery, makeRangeTblEntry, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import type { CommonTableExpr, Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr, RowExpr, TargetEntry } from '../nodes/primnodes.ts';
import { makeSortGroupClauseForSetOp } from '../parser/analyze_setop.ts';
import { makeParseState } from '../parser/parse_node.ts';
import type { Oid } from '../types/datum.ts';
import { BOOLOID, INT8OID, RECORDARRAYOID, RECORDOID } from '../types/oids.ts';
import { incrementVarSublevelsUpInQuery } from './rewrite_manip.ts';

const F_ARRAY_CAT = 383, F_INT8INC = 1219;

interface Added { name: string; type: Oid; typmod: number; collation: Oid }

/** The columns that the clauses add, in order. */
function addedColumns(cte: CommonTableExpr): { search: Added | null; mark: Added | null; path: Added | null; all: Added[] } {
  const { search_clause: s, cycle_clause: c } = cte;
  const search = s === null ? null : { name: s.search_seq_column, type: s.search_breadth_first ? RECORDOID : RECORDARRAYOID, typmod: -1, collation: 0 };
  const mark = c === null ? null : { name: c.cycle_mark_column, type: c.cycle_mark_type, typmod: c.cycle_mark_typmod, collation: c.cycle_mark_collation };
  const path = c === null ? null : { name: c.cycle_path_column, type: RECORDARRAYOID, typmod: -1, collation: 0 };
  return { search, mark, path, all: [search, mark, path].filter((a) => a !== null) };
}

const ownColumn = (cte: CommonTableExpr, i: number): Expr => makeVar(1, i + 1, cte.ctecoltypes[i]!, cte.ctecoltypmods[i]!, cte.ctecolcollations[i]!, 0);

function pathRow(cte: CommonTableExpr, columns: readonly string[]): RowExpr {
  return {
    kind: 'RowExpr', args: columns.map((name) => ownColumn(cte, cte.ctecolnames.indexOf(name))), row_typeid: RECORDOID, row_format: 'implicit_cast',
    colnames: [...columns], location: -1,
  };
}
const withDepth = (row: RowExpr, depth: Expr): RowExpr => ({ ...row, args: [depth, ...row.args], colnames: ['*DEPTH*', ...row.colnames] });
const arrayOf = (row: RowExpr): Expr => ({ kind: 'ArrayExpr', array_typeid: RECORDARRAYOID, array_collid: 0, element_typeid: RECORDOID, elements: [row], multidims: false, location: -1 });
const longerPath = (row: RowExpr, path: Expr): Expr => makeFuncExpr(F_ARRAY_CAT, RECORDARRAYOID, [path, arrayOf(row)], 0, 0, 'explicit_call');

/** `SELECT columns FROM (subquery) alias [WHERE quals]`, with the CTE's columns first. */
function around(cte: CommonTableExpr, subquery: Query, aliasname: string, colnames: string[], added: readonly { column: Added; expr: Expr }[], quals: Expr | null): Query {
  const rte = {
    ...makeRangeTblEntry('subquery', makeAlias(aliasname, colnames), makeAlias(aliasname, colnames)), inFromCl: true,
    subquery: incrementVarSublevelsUpInQuery(subquery, 1, 1),
  };
  const targetList: TargetEntry[] = cte.ctecolnames.map((name, i) => {
    const { resorigtbl, resorigcol } = subquery.targetList[i]!;
    return { ...makeTargetEntry(ownColumn(cte, i), i + 1, name, false), resorigtbl, resorigcol };
  });
  for (const { column, expr } of added) targetList.push(makeTargetEntry(expr, targetList.length + 1, column.name, false));
  return { ...makeQuery('select'), rtable: [rte], jointree: makeFromExpr([{ kind: 'RangeTblRef', rtindex: 1 }], quals), targetList };
}

export function rewriteSearchAndCycle(cte: CommonTableExpr): CommonTableExpr {
  const query = cte.ctequery;
  const operation = query.setOperations;
  if (operation === null || operation.larg.kind !== 'RangeTblRef' || operation.rarg.kind !== 'RangeTblRef') throw internalError('SEARCH or CYCLE of a query that is not a UNION');
  const { search_clause: s, cycle_clause: c } = cte;
  const { search, mark, path, all } = addedColumns(cte);
  const names = all.map((a) => a.name);
  const own = cte.ctecolnames.length;
  /** The added column as the recursive side gets it from the work table. */
  const former = (a: Added): Expr => makeVar(1, own + all.indexOf(a) + 1, a.type, a.typmod, a.collation, 0);
  const first: { column: Added; expr: Expr }[] = [];
  const next: { column: Added; expr: Expr }[] = [];
  if (s !== null && search !== null) {
    const row = pathRow(cte, s.search_col_list);
    if (s.search_breadth_first) {
      const depth: Expr = { kind: 'FieldSelect', arg: former(search), fieldnum: 1, resulttype: INT8OID, resulttypmod: -1, resultcollid: 0 };
      first.push({ column: search, expr: withDepth(row, makeConst(INT8OID, -1, 0, 0)) });
      next.push({ column: search, expr: withDepth(row, makeFuncExpr(F_INT8INC, INT8OID, [depth], 0, 0, 'explicit_call')) });
    } else {
      first.push({ column: search, expr: arrayOf(row) });
      next.push({ column: search, expr: longerPath(row, former(search)) });
    }
  }
  let goesOn: Expr | null = null;
  if (c !== null && mark !== null && path !== null) {
    const row = pathRow(cte, c.cycle_col_list);
    first.push({ column: mark, expr: c.cycle_mark_default }, { column: path, expr: arrayOf(row) });
    const seen: Expr = { kind: 'ScalarArrayOpExpr', opno: RECORD_EQ_OP, opfuncid: operatorByOid(RECORD_EQ_OP)!.oprcode, useOr: true, inputcollid: 0, args: [row, former(path)], location: -1 };
    next.push({
      column: mark, expr: {
        kind: 'CaseExpr', casetype: mark.type, casecollid: mark.collation, arg: null, args: [{ expr: seen, result: c.cycle_mark_value, location: -1 }],
        defresult: c.cycle_mark_default, location: -1,
      },
    }, { column: path, expr: longerPath(row, former(path)) });
    goesOn = makeOpExpr(c.cycle_mark_neop, operatorByOid(c.cycle_mark_neop)!.oprcode, BOOLOID, [former(mark), c.cycle_mark_value], 0, mark.collation);
  }
  const left = query.rtable[operation.larg.rtindex - 1]!, right = query.rtable[operation.rarg.rtindex - 1]!;
  const recursive = right.subquery!;
  // The recursive side shows the work table's added columns, too.
  const reference = recursive.rtable.findIndex((r) => r.rtekind === 'cte' && r.ctename === cte.ctename && r.ctelevelsup === 2) + 1;
  if (reference === 0) throw internalError(`no reference to WITH query "${cte.ctename}" in its recursive term`);
  const visible = recursive.targetList.filter((t) => !t.resjunk);
  const passed = all.map((a, i) => makeTargetEntry(makeVar(reference, own + i + 1, a.type, a.typmod, a.collation, 0), visible.length + i + 1, a.name, false));
  const junk = recursive.targetList.filter((t) => t.resjunk).map((t) => ({ ...t, resno: t.resno + all.length }));
  const inner: Query = { ...recursive, targetList: [...visible, ...passed, ...junk] };
  const replace = (rte: RangeTblEntry, subquery: Query): RangeTblEntry => ({ ...rte, subquery, eref: { ...rte.eref, colnames: [...rte.eref.colnames, ...names] } });
  const one = replace(left, around(cte, left.subquery!, '*TLOCRN*', [...cte.ctecolnames], first, null));
  const two = replace(right, around(cte, inner, '*TROCRN*', [...cte.ctecolnames, ...names], next, goesOn));
  const state = makeParseState('');
  const groupClauses = operation.groupClauses.length === 0 ? [] : [...operation.groupClauses, ...all.map((a) => makeSortGroupClauseForSetOp(state, a.type, -1, true))];
  const ctequery: Query = {
    ...query, rtable: query.rtable.map((rte) => (rte === left ? one : rte === right ? two : rte)),
    setOperations: {
      ...operation, groupClauses, colTypes: [...operation.colTypes, ...all.map((a) => a.type)], colTypmods: [...operation.colTypmods, ...all.map((a) => a.typmod)],
      colCollations: [...operation.colCollations, ...all.map((a) => a.collation)],
    },
    targetList: [...query.targetList, ...all.map((a, i) => makeTargetEntry(makeVar(1, own + i + 1, a.type, a.typmod, a.collation, 0), own + i + 1, a.name, false))],
  };
  return {
    ...cte, ctequery, search_clause: null, cycle_clause: null, ctecolnames: [...cte.ctecolnames, ...names], ctecoltypes: [...cte.ctecoltypes, ...all.map((a) => a.type)],
    ctecoltypmods: [...cte.ctecoltypmods, ...all.map((a) => a.typmod)], ctecolcollations: [...cte.ctecolcollations, ...all.map((a) => a.collation)],
  };
}
