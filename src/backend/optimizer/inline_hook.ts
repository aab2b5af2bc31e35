// Functions written in SQL put into the query that calls them: executor/sql_inline.ts, which analyzes their bodies, fills this in.
import type { RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';

export interface InlineHooks {
  /** The body in place of a call; null: it has to be called. */
  call: (node: Expr, funcid: Oid, args: readonly Expr[], inputcollid: Oid) => Expr | null;
  /** A subquery in place of a function in FROM that returns a set. */
  set: (rte: RangeTblEntry) => RangeTblEntry | null;
  /** evalConstExpressions, for what has been put in. */
  simplify: (node: Expr) => Expr;
}

export const inlineHooks: InlineHooks = { call: () => null, set: () => null, simplify: (node) => node };
