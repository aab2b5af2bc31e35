import type { TargetEntry } from '../../nodes/primnodes.ts';

/** The name each visible target column shall have: the outside's names where it has given some. */
export function targetNames(list: readonly TargetEntry[], resultNames: readonly string[] | null): (string | null)[] {
  return list.filter((te) => !te.resjunk).map((te, i) => resultNames?.[i] ?? te.resname);
}
