// The grammar is recursive: an expression holds a query, which holds expressions. The files are not: each imports only those
// that stand below it, and calls what stands above through this table, which the files above fill in when they are loaded
// (analyze.ts loads them all).

import type * as analyze from './analyze.ts';
import type * as parseAgg from './parse_agg.ts';
import type * as parseClause from './parse_clause.ts';
import type * as parseCoerce from './parse_coerce.ts';
import type * as parseExpr from './parse_expr.ts';
import type * as parseTarget from './parse_target.ts';

export const recursion = {} as {
  applyLimit: typeof analyze.applyLimit;
  applyWithClause: typeof analyze.applyWithClause;
  finishQuery: typeof analyze.finishQuery;
  parseSubAnalyze: typeof analyze.parseSubAnalyze;
  rawLockName: typeof analyze.rawLockName;
  transformLockingClause: typeof analyze.transformLockingClause;
  transformStmt: typeof analyze.transformStmt;
  transformAggregateCall: typeof parseAgg.transformAggregateCall;
  transformWindowFuncCall: typeof parseAgg.transformWindowFuncCall;
  transformWhereClause: typeof parseClause.transformWhereClause;
  canCoerceType: typeof parseCoerce.canCoerceType;
  typeCategory: typeof parseCoerce.typeCategory;
  analyzedSubLinks: typeof parseExpr.analyzedSubLinks;
  exprKindName: typeof parseExpr.exprKindName;
  recurse: typeof parseExpr.recurse;
  transformExpr: typeof parseExpr.transformExpr;
  expandRecordVariable: typeof parseTarget.expandRecordVariable;
};
