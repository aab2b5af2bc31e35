// What a row comparison such as (a, b) < (c, d) means: the btree strategy that all its operators share.
import { BTEqualStrategyNumber } from '../catalog/lsyscache.ts';
import { BTREE_AM_OID } from '../catalog/oids.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';

export type RowCompareStrategy = '<' | '<=' | '=' | '>=' | '>' | '<>';
const STRATEGIES: readonly (RowCompareStrategy | undefined)[] = [undefined, '<', '<=', '=', '>=', '>', '<>'];
const NOT_EQUAL = 6;

/** The (family, strategy) pairs an operator has in btree families; <> by way of its negator. */
function btreeInterpretation(operator: Oid): { family: Oid; strategy: number }[] {
  const own = sys.amopsByOperator(operator).filter((a) => a.amopmethod === BTREE_AM_OID).map((a) => ({ family: a.amopfamily, strategy: a.amopstrategy }));
  if (own.length > 0) return own;
  const negator = sys.operatorByOid(operator)?.oprnegate ?? 0;
  if (negator === 0) return [];
  return sys.amopsByOperator(negator).filter((a) => a.amopmethod === BTREE_AM_OID && a.amopstrategy === BTEqualStrategyNumber)
    .map((a) => ({ family: a.amopfamily, strategy: NOT_EQUAL }));
}

/** Null: the operators have no strategy in common; opfamilies null: more than one family fits. */
export function getRowCompareStrategies(operators: readonly Oid[]): { strategy: RowCompareStrategy; opfamilies: Oid[] } | null {
  const all = operators.map(btreeInterpretation);
  let common: number[] | null = null;
  for (const list of all) {
    const own = new Set(list.map((i) => i.strategy));
    common = common === null ? [...own].sort((a, b) => a - b) : common.filter((s) => own.has(s));
  }
  const chosen = common?.[0];
  if (chosen === undefined) return null;
  return { strategy: STRATEGIES[chosen]!, opfamilies: all.map((list) => list.find((i) => i.strategy === chosen)!.family) };
}
