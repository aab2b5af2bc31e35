// The rows an inverted index has entries of, for scans of it and for bitmaps.
import { ginQuery, type GinQuery } from '../access/gin.ts';
import { beginIndexScan, type IndexScan } from '../access/index.ts';
import { ROW_ID_BYTES, writeRowId } from '../access/index_leaf.ts';
import { successor } from '../access/key.ts';
import type { RowId } from '../access/row.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import type { GinScan } from '../nodes/plannodes.ts';
import type { Datum } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { genExpr } from './expr_codegen.ts';
import type { PlanCompiler } from './plan_compiler.ts';

/** Reads the rows of all entries between two keys, some at a time. Those of one key come in their order. */
class EntryRows {
  readonly rows = new Set<RowId>();
  isDone = false;
  /** The row read last. */
  last: RowId = -1;
  private readonly scan: IndexScan;

  constructor(info: IndexInfo, from: string, to: string | null, cid: number) {
    this.scan = beginIndexScan(info, { from, fromInclusive: true, to, toInclusive: false }, false, cid);
  }

  /** Until there are so many rows, or no more. */
  readUpTo(count: number): this {
    const { rows, scan } = this;
    for (let n = 0; !this.isDone && rows.size < count; n++) {
      if ((n & 255) === 0) checkForInterrupts();
      if (scan.next()) rows.add(this.last = scan.rowId);
      else this.isDone = true;
    }
    return this;
  }

  close(): void { this.scan.close(); }
}

function scanInto(info: IndexInfo, from: string, to: string | null, cid: number): Set<RowId> {
  const entries = new EntryRows(info, from, to, cid);
  try {
    return entries.readUpTo(Infinity).rows;
  } finally {
    entries.close();
  }
}

/** So many rows of each key are read in turn. */
const ROUND = 256;
/** So many of the rows of the rarest key are looked for among those of another one first, and up to so many one by one. */
const SAMPLE = 16, MANY_ROWS = 2000;

/** Those of some rows, in order, that have a key; null: only by reading all of them, since this transaction has changed the index. */
function rowsThere(info: IndexInfo, key: string, rows: Iterable<RowId>, cid: number): Set<RowId> | null {
  const there = new Set<RowId>();
  let at = -1;
  const scan = beginIndexScan(info, { from: key, fromInclusive: true, to: successor(key), toInclusive: false }, false, cid);
  try {
    for (const row of rows) {
      if (at < row) {
        // An entry is its key with the row id behind it.
        writeRowId(place, 0, row);
        if (!scan.skipTo(key + place.latin1Slice())) return null;
        if (!scan.next()) break;
        at = scan.rowId;
      }
      if (at === row) there.add(row);
    }
    return there;
  } finally {
    scan.close();
  }
}
const place = Buffer.alloc(ROW_ID_BYTES);

/** The rows that have all these keys; or some more, for what is found is looked at again. The key with the fewest rows decides: of one
 * that has many more, and most of those that the others leave, the rest is not read. (@> '{"a": 1}' asks for the key "a", too, which
 * every row has.) */
function rowsOfAllKeys(info: IndexInfo, keys: readonly string[], cid: number): Set<RowId> {
  const all = keys.map((key) => new EntryRows(info, key, successor(key), cid)); // entries are keys with the row id behind them
  try {
    let fewest: EntryRows | undefined;
    for (let count = ROUND; fewest === undefined; count += ROUND) fewest = all.find((entries) => entries.readUpTo(count).isDone);
    let { rows } = fewest;
    for (const [i, entries] of all.entries()) {
      if (rows.size === 0) break;
      if (entries === fewest) continue;
      if (!entries.isDone) {
        const step = Math.ceil(rows.size / SAMPLE), sample = [...rows].filter((_, n) => n % step === 0);
        const there = rowsThere(info, keys[i]!, sample, cid);
        if (there !== null && 2 * there.size >= sample.length) continue;
        if (there !== null && rows.size <= MANY_ROWS) {
          rows = rowsThere(info, keys[i]!, rows, cid)!;
          continue;
        }
        while (!entries.isDone) {
          entries.readUpTo(entries.rows.size + 4 * rows.size + ROUND);
          const covered = [...rows].filter((row) => row <= entries.last);
          if (covered.length > 0 && 2 * covered.filter((row) => entries.rows.has(row)).length >= covered.length) break;
        }
      }
      if (entries.isDone) rows = rows.intersection(entries.rows);
    }
    return rows;
  } finally {
    for (const entries of all) entries.close();
  }
}

function rowsOf(info: IndexInfo, query: Exclude<GinQuery, 'all'>, cid: number): Set<RowId> {
  if (query === 'none') return new Set();
  if ('key' in query) return rowsOfAllKeys(info, [query.key], cid);
  if ('prefix' in query) return scanInto(info, query.prefix, successor(query.prefix), cid);
  if ('or' in query) {
    const all = new Set<RowId>();
    for (const part of query.or) for (const row of rowsOf(info, part as Exclude<GinQuery, 'all'>, cid)) all.add(row);
    return all;
  }
  const keys = query.and.flatMap((part) => (typeof part === 'object' && 'key' in part ? [part.key] : []));
  let rows: Set<RowId> | null = keys.length === 0 ? null : rowsOfAllKeys(info, keys, cid);
  for (const part of query.and) {
    if (rows?.size === 0) break;
    if (typeof part === 'object' && 'key' in part) continue;
    const next = rowsOf(info, part as Exclude<GinQuery, 'all'>, cid);
    rows = rows === null ? next : rows.intersection(next);
  }
  return rows!;
}

/** The rows that may meet all conditions, in order. */
export function ginRows(info: IndexInfo, conditions: readonly { column: number; strategy: number }[], values: readonly Datum[], cid: number): Float64Array {
  let rows: Set<RowId> | null = null;
  conditions.forEach(({ column, strategy }, i) => {
    const query = ginQuery(column - 1, info.columns[column - 1]!, strategy, values[i] ?? null);
    if (query === 'all') return;
    const found = rowsOf(info, query, cid);
    rows = rows === null ? found : rows.intersection(found);
  });
  rows ??= scanInto(info, '\x01', '\x02', cid); // every row has an entry for the first column
  return Float64Array.from(rows).sort();
}

/** An expression for the ids of rows that may meet the plan's conditions. */
export function ginRowIds(pc: PlanCompiler, plan: GinScan, info: IndexInfo): string {
  const { g } = pc, cx = pc.context({});
  const values = plan.conditions.map((c) => genExpr(g, c.value, cx).code);
  const spec = g.konst(plan.conditions.map(({ column, strategy }) => ({ column, strategy })));
  return `${g.konst(ginRows)}(${g.konst(info)}, ${spec}, [${values.join(', ')}], rt.cid)`;
}
