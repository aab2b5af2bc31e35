// What ANALYZE finds out for statistics objects (PostgreSQL's extended_stats.c, mvdistinct.c, dependencies.c, mcv.c), from the
// same sample as for single columns.
import { catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import { getNamespaceName, typeOperators } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import type { PgStatistic, PgStatisticExt } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { compileExpr } from '../executor/expression.ts';
import { quicksort } from '../executor/qsort.ts';
import { typeComparator } from '../executor/sort_support.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { makeArray, RecordValue, type Datum, type Oid } from '../types/datum.ts';
import { serialize, type CommonItem, type CommonValues, type Dependency, type DistinctItem } from '../types/extended_stats.ts';
import { typeHooks } from '../types/hooks.ts';
import { getInt } from '../utils/guc.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { sendWarning } from '../utils/session.ts';
import type { Sample } from './analyze.ts';

const PG_STATISTIC_TYPE = 10029;

/** What analyze.ts does for a column, done for an expression: a row of pg_statistic. */
export type Describe = (column: Attribute, sample: Sample, target: number) => PgStatistic;

/** A column or expression of a statistics object. */
interface Dimension { number: number; type: Oid; compare: (a: Datum, b: Datum) => number; values: Datum[] }

/** Builds and stores the statistics objects of a table; `columns`: those ANALYZE was asked for, null: all. */
export function analyzeExtended(table: Relation, sample: Sample, columns: readonly number[] | null, inherited: boolean, describe: Describe): void {
  if (sample.rows.length === 0) return;
  for (const stat of sys.lookupAll(ids.StatisticExtRelationId, ids.PgStatisticExtRelidIndexId, table.oid)) {
    if (stat.stxkeys.some((k) => (columns !== null && !columns.includes(k)) || sys.attributeByNumber(table.oid, k)?.attstattarget === 0)) {
      sendWarning('invalid_object_definition', `statistics object "${getNamespaceName(stat.stxnamespace)}.${stat.stxname}" could not be computed for relation "${getNamespaceName(table.namespace)}.${table.name}"`);
      continue;
    }
    const target = targetOf(table, stat);
    if (target > 0) store(table, stat, sample, target, inherited, describe);
  }
}

function targetOf(table: Relation, stat: PgStatisticExt): number {
  if (stat.stxstattarget >= 0) return stat.stxstattarget;
  const most = Math.max(-1, ...stat.stxkeys.map((k) => sys.attributeByNumber(table.oid, k)?.attstattarget ?? -1));
  return most >= 0 ? most : getInt('default_statistics_target');
}

function store(table: Relation, stat: PgStatisticExt, sample: Sample, target: number, inherited: boolean, describe: Describe): void {
  const expressions = stat.stxexprs === null ? [] : stringToNode<Expr[]>(stat.stxexprs);
  const computed = expressions.map((e) => {
    const run = compileExpr(e);
    return sample.rows.map((row) => run(null, row));
  });
  const dimensions: Dimension[] = [
    ...stat.stxkeys.map((k): Dimension => {
      const { atttypid, attcollation } = table.attributes[k - 1]!;
      return { number: k, type: atttypid, compare: typeComparator(atttypid, attcollation), values: sample.rows.map((row) => row[k - 1] ?? null) };
    }),
    ...expressions.map((e, i): Dimension => ({ number: -1 - i, type: exprType(e), compare: typeOperators(exprType(e)).ltOpr === 0 ? () => 0 : typeComparator(exprType(e), exprCollation(e)), values: computed[i]! })),
  ];
  const has = (kind: string): boolean => stat.stxkind.includes(kind);
  const common = has('m') ? commonValues(dimensions, sample, target) : null;
  const row = {
    stxoid: stat.oid, stxdinherit: inherited,
    stxdndistinct: has('d') ? serialize(distinctItems(dimensions, sample)) : null,
    stxddependencies: has('f') ? orNull(dependencies(dimensions)) : null,
    stxdmcv: common === null ? null : serialize(common),
    stxdexpr: has('e') ? describeExpressions(expressions, computed, sample, target, describe) : null,
  };
  const [old] = catalogFind(ids.StatisticExtDataRelationId, ids.PgStatisticExtDataStxoidInhIndexId, [stat.oid, inherited]);
  if (old !== undefined) catalogUpdate(ids.StatisticExtDataRelationId, old, row);
  else catalogInsert(ids.StatisticExtDataRelationId, row);
}
const orNull = (list: readonly Dependency[]): Datum => (list.length === 0 ? null : serialize(list));

function describeExpressions(expressions: readonly Expr[], computed: readonly Datum[][], sample: Sample, target: number, describe: Describe): Datum {
  const attributes = typeHooks.rowAttributes(PG_STATISTIC_TYPE, -1);
  const rows = expressions.map((e, i) => {
    const column = { attnum: 1, attname: '', atttypid: exprType(e), atttypmod: exprTypmod(e), attcollation: exprCollation(e) } as Attribute;
    const facts = describe(column, { ...sample, rows: computed[i]!.map((v) => [v]) }, target) as unknown as Record<string, Datum>;
    const valueOf = (name: string): Datum => {
      const value = facts[name] as unknown;
      return Array.isArray(value) ? makeArray(700, value as Datum[]) : (value as Datum) ?? null;
    };
    return new RecordValue(PG_STATISTIC_TYPE, attributes, attributes.map((a) => valueOf(a.name)));
  });
  return makeArray(PG_STATISTIC_TYPE, rows);
}

// ---- rows in the order of several dimensions

const nullsLast = (d: Dimension, a: number, b: number): number => {
  const x = d.values[a]!, y = d.values[b]!;
  return x === null ? (y === null ? 0 : 1) : y === null ? -1 : d.compare(x, y);
};
function ordered(list: readonly Dimension[]): { order: number[]; same: (a: number, b: number, upTo?: number) => boolean } {
  checkForInterrupts();
  const order = list[0]!.values.map((_, i) => i);
  order.sort((a, b) => {
    for (const d of list) {
      const c = nullsLast(d, a, b);
      if (c !== 0) return c;
    }
    return 0;
  });
  return { order, same: (a, b, upTo = list.length) => list.slice(0, upTo).every((d) => nullsLast(d, a, b) === 0) };
}

/** Runs of rows that agree, as places in the order. */
function groupsOf(list: readonly Dimension[]): { order: number[]; groups: { start: number; count: number }[] } {
  const { order, same } = ordered(list);
  const groups: { start: number; count: number }[] = [];
  order.forEach((row, i) => {
    const last = groups.at(-1);
    if (last !== undefined && same(order[last.start]!, row)) last.count++;
    else groups.push({ start: i, count: 1 });
  });
  return { order, groups };
}

function* combinations<T>(list: readonly T[], k: number, from = 0): Generator<T[]> {
  if (k === 0) yield [];
  else for (let i = from; i <= list.length - k; i++) for (const rest of combinations(list, k - 1, i + 1)) yield [list[i]!, ...rest];
}

// ---- the kinds

function distinctItems(dimensions: readonly Dimension[], { rows, totalRows }: Sample): DistinctItem[] {
  const items: DistinctItem[] = [];
  const n = rows.length;
  for (let k = 2; k <= dimensions.length; k++) for (const list of combinations(dimensions, k)) {
    const { groups } = groupsOf(list);
    const d = groups.length, once = groups.filter((g) => g.count === 1).length;
    const estimate = (n * d) / (n - once + (once * n) / totalRows);
    items.push({ columns: list.map((x) => x.number), distinct: Math.floor(Math.min(totalRows, Math.max(d, estimate)) + 0.5) });
  }
  return items;
}

function dependencies(dimensions: readonly Dimension[]): Dependency[] {
  const found: Dependency[] = [];
  for (let k = 2; k <= dimensions.length; k++) for (const left of combinations(dimensions, k - 1)) for (const right of dimensions) {
    if (left.includes(right)) continue;
    const { order, same } = ordered([...left, right]);
    let supporting = 0, start = 0, violated = false;
    for (let i = 1; i <= order.length; i++) {
      if (i < order.length && same(order[i - 1]!, order[i]!, k - 1)) {
        if (nullsLast(right, order[i - 1]!, order[i]!) !== 0) violated = true;
        continue;
      }
      if (!violated) supporting += i - start;
      start = i;
      violated = false;
    }
    if (supporting > 0) found.push({ columns: [...left, right].map((d) => d.number), degree: supporting / order.length });
  }
  return found;
}

function commonValues(dimensions: readonly Dimension[], { rows, totalRows }: Sample, target: number): CommonValues | null {
  const n = rows.length;
  const { order, groups } = groupsOf(dimensions);
  quicksort(groups, (a, b) => b.count - a.count);
  // Of what is rare the sample says little (get_mincount_for_mcv_list).
  const denominator = totalRows - n + 0.04 * n * (totalRows - 1);
  const least = denominator === 0 ? 0 : (n * (totalRows - n)) / denominator;
  let kept = groups.slice(0, target);
  const rare = kept.findIndex((g) => g.count < least);
  if (rare >= 0) kept = kept.slice(0, rare);
  if (kept.length === 0) return null;
  const counts = dimensions.map((d) => {
    const single = groupsOf([d]), byRow: number[] = [];
    for (const g of single.groups) for (let i = g.start; i < g.start + g.count; i++) byRow[single.order[i]!] = g.count;
    return byRow;
  });
  const items = kept.map((g): CommonItem => {
    const row = order[g.start]!;
    return {
      values: dimensions.map((d) => (d.values[row] === null ? null : typeHooks.typeIo(d.type).output(d.values[row]!))),
      frequency: g.count / n, base: counts.reduce((p, c) => p * (c[row]! / n), 1),
    };
  });
  return { columns: dimensions.map((d) => d.number), types: dimensions.map((d) => d.type), items };
}
