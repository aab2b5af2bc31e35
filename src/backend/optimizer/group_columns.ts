// GROUP BY as it is carried out: in the order of ORDER BY where one sort can serve both (preprocess_groupclause), and without
// columns that say nothing (remove_useless_groupby_columns): a table's primary key is among them, so its other columns are the
// same in all rows of a group.
import { openRelation } from '../catalog/relcache.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { SortGroupClause } from '../nodes/primnodes.ts';
import { standsForChildren } from './inherit.ts';

/** ORDER BY's columns first; as it is where not all of either are in the other's beginning. */
function inSortOrder({ groupClause, sortClause }: Query): SortGroupClause[] {
  const matched: SortGroupClause[] = [];
  for (const s of sortClause) {
    const g = groupClause.find((c) => c.tleSortGroupRef === s.tleSortGroupRef);
    if (g === undefined) break;
    matched.push({ ...g, sortop: s.sortop, nulls_first: s.nulls_first });
  }
  if (matched.length === 0) return groupClause;
  const rest = groupClause.filter((g) => !matched.some((m) => m.tleSortGroupRef === g.tleSortGroupRef));
  if (rest.length > 0 && (matched.length < sortClause.length || rest.some((g) => g.sortop === 0))) return groupClause;
  return [...matched, ...rest];
}

export function usefulGroupClause(q: Query): SortGroupClause[] {
  if (q.groupingSets.length > 0) return q.groupClause;
  const groupClause = inSortOrder(q);
  if (groupClause.length < 2) return groupClause;
  const columns = groupClause.map((c) => {
    const expr = q.targetList.find((t) => t.ressortgroupref === c.tleSortGroupRef)?.expr;
    return expr?.kind === 'Var' && expr.varlevelsup === 0 && expr.varattno > 0 ? expr : null;
  });
  const keys = new Map<number, readonly number[]>();
  for (const column of columns) if (column !== null && !keys.has(column.varno)) keys.set(column.varno, primaryKey(q, column.varno));
  return groupClause.filter((_, i) => {
    const column = columns[i]!;
    if (column === null) return true;
    const key = keys.get(column.varno)!;
    return key.length === 0 || key.includes(column.varattno) || !key.every((attno) => columns.some((c) => c !== null && c.varno === column.varno && c.varattno === attno));
  });
}

/** Column numbers; none where the key holds for one of several tables only, or not at all times. */
function primaryKey(q: Query, rti: number): readonly number[] {
  const rte = q.rtable[rti - 1]!;
  if (rte.rtekind !== 'relation') return [];
  const relation = openRelation(rte.relid);
  if (relation.kind !== 'p' && standsForChildren(rte)) return [];
  const index = relation.indexes.find((i) => i.primary && i.immediate);
  return index === undefined ? [] : index.keyAttributes.slice(0, index.keyCount);
}
