// Makers of the nodes that are made in many places; every maker sets all fields, in one order.
import type { Datum, Oid } from '../types/datum.ts';
import { BOOLOID } from '../types/oids.ts';
import type { Query, RangeTblEntry, RTEKind } from './parsenodes.ts';
import type {
  Alias, BoolExpr, CoercionForm, Const, Expr, FromExpr, FromItem, FuncExpr, OpExpr, RelabelType, TargetEntry, Var,
} from './primnodes.ts';

export function makeVar(varno: number, varattno: number, vartype: Oid, vartypmod: number, varcollid: Oid, varlevelsup: number, location = -1): Var {
  return { kind: 'Var', varno, varattno, vartype, vartypmod, varcollid, varlevelsup, location };
}

export function makeConst(consttype: Oid, consttypmod: number, constcollid: Oid, constvalue: Datum, location = -1): Const {
  return { kind: 'Const', consttype, consttypmod, constcollid, constvalue, location };
}
export const makeNullConst = (type: Oid, typmod: number, collation: Oid): Const => makeConst(type, typmod, collation, null);
export const makeBoolConst = (value: boolean | null): Const => makeConst(BOOLOID, -1, 0, value);

export function makeFuncExpr(funcid: Oid, funcresulttype: Oid, args: Expr[], funccollid: Oid, inputcollid: Oid, funcformat: CoercionForm, location = -1): FuncExpr {
  return { kind: 'FuncExpr', funcid, funcresulttype, funcretset: false, funcvariadic: false, funcformat, funccollid, inputcollid, args, location };
}

export function makeOpExpr(opno: Oid, opfuncid: Oid, opresulttype: Oid, args: Expr[], opcollid: Oid, inputcollid: Oid, location = -1): OpExpr {
  return { kind: 'OpExpr', opno, opfuncid, opresulttype, opretset: false, opcollid, inputcollid, args, location };
}

export function makeBoolExpr(boolop: BoolExpr['boolop'], args: Expr[], location = -1): BoolExpr {
  return { kind: 'BoolExpr', boolop, args, location };
}

/** AND of a list of quals: null for none. */
export function makeAndsExplicit(quals: Expr[]): Expr | null {
  return quals.length === 0 ? null : quals.length === 1 ? quals[0]! : makeBoolExpr('and', quals);
}
/** a AND b, either of which may be missing. */
export function makeAndQual(a: Expr | null, b: Expr | null): Expr | null {
  return a === null ? b : b === null ? a : makeBoolExpr('and', [a, b]);
}

export function makeRelabelType(arg: Expr, resulttype: Oid, resulttypmod: number, resultcollid: Oid, relabelformat: CoercionForm, location = -1): RelabelType {
  return { kind: 'RelabelType', arg, resulttype, resulttypmod, resultcollid, relabelformat, location };
}

export function makeTargetEntry(expr: Expr, resno: number, resname: string | null, resjunk: boolean): TargetEntry {
  return { expr, resno, resname, ressortgroupref: 0, resorigtbl: 0, resorigcol: 0, resjunk };
}

export const makeAlias = (aliasname: string, colnames: string[]): Alias => ({ aliasname, colnames });
export const makeFromExpr = (fromlist: FromItem[], quals: Expr | null): FromExpr => ({ kind: 'FromExpr', fromlist, quals });

/** A range table entry with all fields empty. */
export function makeRangeTblEntry(rtekind: RTEKind, alias: Alias | null, eref: Alias): RangeTblEntry {
  return {
    rtekind, alias, eref, lateral: false, inh: false, inFromCl: false, relid: 0, relkind: '', rellockmode: 0, requiredPerms: 0, checkAsUser: 0,
    selectedCols: [], insertedCols: [], updatedCols: [], securityQuals: [], tablesample: null, subquery: null, security_barrier: false, jointype: 'inner',
    joinmergedcols: 0, joinaliasvars: [], joinleftcols: [], joinrightcols: [], join_using_alias: null, functions: [], funcordinality: false,
    values_lists: [], ctename: '', ctelevelsup: 0, self_reference: false, coltypes: [], coltypmods: [], colcollations: [],
  };
}

export function makeQuery(commandType: Query['commandType']): Query {
  return {
    kind: 'Query', commandType, utilityStmt: null, resultRelation: 0, canSetTag: true, hasAggs: false, hasWindowFuncs: false,
    hasTargetSRFs: false, hasSubLinks: false, hasDistinctOn: false, hasRecursive: false, hasModifyingCTE: false, hasForUpdate: false,
    cteList: [], rtable: [], jointree: makeFromExpr([], null), targetList: [], override: 'none', onConflict: null, mergeActionList: [], returningList: [],
    groupClause: [], groupDistinct: false, groupingSets: [], havingQual: null, windowClause: [], distinctClause: [], sortClause: [],
    limitOffset: null, limitCount: null, limitWithTies: false, rowMarks: [], setOperations: null, withCheckOptions: [], constraintDeps: [],
    stmt_location: 0, stmt_len: 0,
  };
}
