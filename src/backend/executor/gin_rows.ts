// The rows an inverted index has entries of, for scans of it and for bitmaps.
import { ginQuery, type GinQuery } from '../access/gin.ts';
import { beginIndexScan } from '../access/index.ts';
import { successor } from '../access/key.ts';
import type { RowId } from '../access/row.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import type { GinScan } from '../nodes/plannodes.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { genExpr } from './expr_codegen.ts';
import type { PlanCompiler } from './plan_compiler.ts';

/** Adds the rows of all entries between two keys. */
function scanInto(info: IndexInfo, from: string, to: string | null, cid: number, into: Set<RowId>): Set<RowId> {
  const scan = beginIndexScan(info, { from, fromInclusive: true, to, toInclusive: false }, false, cid);
  try {
    for (let n = 0; scan.next(); n++) {
      if ((n & 255) === 0) checkForInterrupts();
      into.add(scan.rowId);
    }
  } finally {
    scan.close();
  }
  return into;
}

function rowsOf(info: IndexInfo, query: Exclude<GinQuery, 'all'>, cid: number): Set<RowId> {
  if (query === 'none') return new Set();
  if ('key' in query) return scanInto(info, query.key, successor(query.key), cid, new Set()); // entries are keys with the row id behind them
  if ('prefix' in query) return scanInto(info, query.prefix, successor(query.prefix), cid, new Set());
  if ('or' in query) {
    const all = new Set<RowId>();
    for (const part of query.or) for (const row of rowsOf(info, part as Exclude<GinQuery, 'all'>, cid)) all.add(row);
    return all;
  }
  let rows: Set<RowId> | null = null;
  for (const part of query.and) {
    const next = rowsOf(info, part as Exclude<GinQuery, 'all'>, cid);
    rows = rows === null ? next : rows.intersection(next);
    if (rows.size === 0) break;
  }
  return rows!;
}

/** The rows that may meet all conditions, in order. */
function ginRows(info: IndexInfo, conditions: readonly { column: number; strategy: number }[], values: readonly Datum[], cid: number): Float64Array {
  let rows: Set<RowId> | null = null;
  conditions.forEach(({ column, strategy }, i) => {
    const query = ginQuery(column - 1, info.columns[column - 1]!.opclass, strategy, values[i] ?? null);
    if (query === 'all') return;
    const found = rowsOf(info, query, cid);
    rows = rows === null ? found : rows.intersection(found);
  });
  rows ??= scanInto(info, '\x01', '\x02', cid, new Set()); // every row has an entry for the first column
  return Float64Array.from(rows).sort();
}

/** An expression for the ids of rows that may meet the plan's conditions. */
export function ginRowIds(pc: PlanCompiler, plan: GinScan, info: IndexInfo): string {
  const { g } = pc, cx = pc.context({});
  const values = plan.conditions.map((c) => genExpr(g, c.value, cx).code);
  const spec = g.konst(plan.conditions.map(({ column, strategy }) => ({ column, strategy })));
  return `${g.konst(ginRows)}(${g.konst(info)}, ${spec}, [${values.join(', ')}], rt.cid)`;
}
