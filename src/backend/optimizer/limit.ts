// LIMIT and OFFSET as the planner sees them.
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { clampRows } from './costsize.ts';

/** The number that is written there; null: it is computed. */
export const literal = (e: Expr | null): number | null => (e !== null && e.kind === 'Const' && e.slot === undefined && e.constvalue !== null ? Number(e.constvalue) : null);

/** LIMIT ALL and OFFSET 0 leave everything in (limit_needed). */
export function limitNeeded({ limitCount, limitOffset }: Query): boolean {
  if (limitCount !== null && !(limitCount.kind === 'Const' && limitCount.constvalue === null)) return true;
  return limitOffset !== null && !(limitOffset.kind === 'Const' && (limitOffset.constvalue === null || literal(limitOffset) === 0));
}

/** adjust_limit_rows_costs. */
export function limitCost({ limitCount, limitOffset }: Query, below: { startup: number; total: number; rows: number }): { startup: number; total: number; rows: number } {
  const { rows } = below;
  const offset = limitOffset === null ? 0 : literal(limitOffset) ?? clampRows(rows * 0.1);
  const count = limitCount === null ? rows : literal(limitCount) ?? clampRows(rows * 0.1);
  const run = below.total - below.startup;
  return {
    startup: below.startup + (rows > 0 ? (run * Math.min(offset, rows)) / rows : 0), total: below.startup + (rows > 0 ? (run * Math.min(offset + count, rows)) / rows : 0),
    rows: clampRows(Math.min(Math.max(0, rows - offset), count)),
  };
}
