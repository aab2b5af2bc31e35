// Expressions hold queries, which hold expressions. The files import only those that stand below them, and call what stands
// above through this table, which the files above fill in when they are loaded (query.ts loads them all).
import type * as expression from './expression.ts';
import type * as query from './query.ts';

export const recursion = {} as {
  ruleExpr: typeof expression.ruleExpr;
  ruleExprParen: typeof expression.ruleExprParen;
  writeQuery: typeof query.writeQuery;
};
