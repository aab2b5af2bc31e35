// ANALYZE: a sample of a table's rows, and from it pg_statistic: fraction of NULLs, width, number of distinct values, the
// most common ones, a histogram of the others, correlation with the order on disk (PostgreSQL's analyze.c). The
// statistics have PostgreSQL's slots, so that pg_stats shows them and the planner reads them the same way.
import { convertRow, rowMap } from '../executor/partition_routing.ts';
import { openRelation } from '../catalog/relcache.ts';
import { readRow, slotStart } from '../access/row.ts';
import { beginQuietScan, type TableScan } from '../access/table.ts';
import { catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import { getBaseType, getElementType, getType, typeOperators } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import type { Attribute, IndexInfo, Relation } from '../catalog/relation.ts';
import type { PgStatistic } from '../catalog/rows.ts';
import { attributeByNumber, rangeByType } from '../catalog/syscache.ts';
import { compileExpr, compilePredicate } from '../executor/expression.ts';
import { operatorFunction } from '../executor/fmgr_info.ts';
import { datumSize, storedSize } from '../executor/datum_size.ts';
import { hashKeyFunction, typeComparator } from '../executor/sort_support.ts';
import { arrayStatistics, lexemeStatistics, rangeStatistics } from './element_statistics.ts';
import { analyzeExtended } from './extended_stats.ts';
import { allChildren } from './tablecmds.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { makeArray, type Datum, type Oid } from '../types/datum.ts';
import { FLOAT8OID, TEXTOID, TSVECTOROID } from '../types/oids.ts';
import { typeHooks } from '../types/hooks.ts';
import { getInt } from '../utils/guc.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';

/** Rows of the sample for each unit of the statistics target. */
const ROWS_PER_TARGET = 300;
/** Values wider than this are neither compared nor kept. */
const WIDTH_THRESHOLD_BYTES = 1024;
const STATISTIC_KIND_MCV = 1, STATISTIC_KIND_HISTOGRAM = 2, STATISTIC_KIND_CORRELATION = 3, STATISTIC_KIND_MCELEM = 4, STATISTIC_KIND_DECHIST = 5, STATISTIC_KIND_RANGE_LENGTHS = 6, STATISTIC_KIND_BOUNDS = 7;
const TEXT_EQUAL = 98, FLOAT8_LESS = 672;

export interface Sample { rows: Datum[][]; totalRows: number; blocks: number }

/** Rows in the block that a scan shows: what its head says may be of another order (`TableScan.arrange`). */
function liveRows({ view, slotCount, wide }: TableScan): number {
  let count = 0;
  for (let slot = 0; slot < slotCount; slot++) if (slotStart(view, 0, slot, wide) !== 0) count++;
  return count;
}

/** A random sample of at most `wanted` rows, in the order they lie in the table. The rows are counted first, then each is taken
 * with the chance that just fills the sample (Knuth's algorithm S), so that no row is read that is not kept. */
export function sampleRows(table: Relation, wanted: number): Sample {
  let totalRows = 0, blocks = 0;
  for (const scan = beginQuietScan(table); scan.next(); blocks++) {
    checkForInterrupts();
    totalRows += liveRows(scan);
  }
  const rows: Datum[][] = [];
  let missing = Math.min(wanted, totalRows), left = totalRows;
  const scan = beginQuietScan(table);
  while (missing > 0 && scan.next()) {
    checkForInterrupts();
    const { bytes, view, slotCount, wide } = scan;
    for (let slot = 0; slot < slotCount; slot++) {
      const start = wide ? view.getUint32(8 + 4 * slot, true) : view.getUint16(8 + 2 * slot, true);
      if (start === 0 || left-- * Math.random() >= missing) continue;
      missing--;
      rows.push(readRow(bytes, view, start, table.layout));
    }
  }
  scan.close();
  return { rows, totalRows, blocks };
}

/** `type`: of the values, when it is not the column's. */
interface Slot { type?: Oid; kind: number; op: Oid; collation: Oid; numbers: readonly number[] | null; values: readonly Datum[] | null }
interface ColumnStatistics { nullFraction: number; width: number; distinct: number; slots: Slot[] }

/** Samples a table and stores what it shows; `columns` null: all. */
export function analyzeTable(table: Relation, columns: readonly number[] | null): Sample {
  const wanted = table.attributes.filter((a) => !a.attisdropped && (columns === null || columns.includes(a.attnum)));
  const targets = new Map(wanted.map((a) => [a.attnum, statisticsTarget(table.oid, a.attnum)]));
  const most = Math.max(100, ...targets.values());
  const sample = sampleRows(table, most * ROWS_PER_TARGET);
  if (sample.rows.length > 0) {
    for (const a of wanted) {
      const target = targets.get(a.attnum)!;
      if (target === 0) continue;
      storeStatistics(table.oid, a.attnum, a.atttypid, columnStatistics(a, sample, target));
    }
    if (columns === null) for (const index of table.indexes) if (index.expressions.length > 0) analyzeIndex(index, sample);
    analyzeExtended(table, sample, columns, false, describeExpression);
    commandCounterIncrement();
  }
  return sample;
}

/** What an index's expressions are in the sampled rows that it holds (compute_index_stats). */
function analyzeIndex(info: IndexInfo, sample: Sample): void {
  const holds = info.predicate === null ? null : compilePredicate([info.predicate]);
  const rows = holds === null ? sample.rows : sample.rows.filter((row) => holds(null, row));
  if (rows.length === 0) return;
  const indexed = { ...sample, totalRows: Math.round((sample.totalRows * rows.length) / sample.rows.length) };
  let next = 0;
  info.keyAttributes.forEach((attnum, i) => {
    if (attnum !== 0) return;
    const run = compileExpr(info.expressions[next++]!), target = statisticsTarget(info.indexrelid, i + 1);
    if (target === 0) return;
    const values = rows.map((row) => {
      checkForInterrupts();
      return [run(null, row)];
    });
    const column = info.index.attributes[i]!;
    storeStatistics(info.indexrelid, column.attnum, column.atttypid, columnStatistics({ ...column, attnum: 1 }, { ...indexed, rows: values }, target, true));
  });
}

/** The same for a table together with its children: each gives its share of the sample (acquire_inherited_sample_rows). The
 * number of rows they have. */
export function analyzeTree(table: Relation, columns: readonly number[] | null): number {
  const wanted = table.attributes.filter((a) => !a.attisdropped && (columns === null || columns.includes(a.attnum)));
  const targets = new Map(wanted.map((a) => [a.attnum, statisticsTarget(table.oid, a.attnum)]));
  const rows = Math.max(100, ...targets.values()) * ROWS_PER_TARGET;
  const members = [table.oid, ...allChildren(table.oid)].map(openRelation).filter((r) => r.kind === 'r');
  const samples = members.map((member) => ({ sample: sampleRows(member, rows), map: rowMap(member, table) }));
  const totalRows = samples.reduce((n, s) => n + s.sample.totalRows, 0);
  const merged: Sample = {
    rows: samples.flatMap(({ sample, map }) => everyNth(sample.rows, Math.ceil((rows * sample.totalRows) / Math.max(1, totalRows))).map((row) => convertRow(map, row))),
    totalRows, blocks: samples.reduce((n, s) => n + s.sample.blocks, 0),
  };
  if (merged.rows.length === 0) return totalRows;
  for (const a of wanted) {
    const target = targets.get(a.attnum)!;
    if (target > 0) storeStatistics(table.oid, a.attnum, a.atttypid, columnStatistics(a, merged, target), true);
  }
  analyzeExtended(table, merged, columns, true, describeExpression);
  commandCounterIncrement();
  return totalRows;
}

const everyNth = <T>(list: readonly T[], count: number): T[] => (count >= list.length ? [...list] : Array.from({ length: count }, (_x, i) => list[Math.floor((i * list.length) / count)]!));

function statisticsTarget(relation: Oid, attnum: number): number {
  const own = attributeByNumber(relation, attnum)?.attstattarget ?? -1;
  return own >= 0 ? own : getInt('default_statistics_target');
}

/** `computed`: values of an expression, whose length stands before them in four bytes. */
function columnStatistics(column: Attribute, sample: Sample, target: number, computed = false): ColumnStatistics {
  const { typlen } = getType(column.atttypid);
  const { ltOpr, eqOpr } = typeOperators(column.atttypid);
  const values: Datum[] = [];
  const positions: number[] = [];
  let nulls = 0;
  let totalWidth = 0;
  let tooWide = 0;
  sample.rows.forEach((row, i) => {
    const value = row[column.attnum - 1];
    if (value === null || value === undefined) {
      nulls++;
      return;
    }
    const width = typlen > 0 ? typlen : computed ? datumSize(value, column.atttypid) : storedSize(value, column.atttypid);
    totalWidth += width;
    if (width > WIDTH_THRESHOLD_BYTES) tooWide++;
    else {
      values.push(value);
      positions.push(i);
    }
  });
  const total = sample.rows.length;
  const stats: ColumnStatistics = { nullFraction: nulls / total, width: nulls === total ? (typlen > 0 ? typlen : 0) : Math.floor(totalWidth / (total - nulls)), distinct: 0, slots: [] };
  if (values.length === 0) return stats;
  if (getBaseType(column.atttypid) === TSVECTOROID) {
    stats.distinct = -1 * (1 - Math.fround(stats.nullFraction));
    const common = lexemeStatistics(values, target);
    if (common !== null) stats.slots.push({ kind: STATISTIC_KIND_MCELEM, op: TEXT_EQUAL, collation: ids.DEFAULT_COLLATION_OID, numbers: common.frequencies, values: common.values, type: TEXTOID });
    return stats;
  }
  if (rangeByType(getBaseType(column.atttypid)) !== undefined) {
    stats.distinct = -1 * (1 - Math.fround(stats.nullFraction));
    const { bounds, lengths, empty } = rangeStatistics(values, getBaseType(column.atttypid), target);
    if (bounds !== null) stats.slots.push({ kind: STATISTIC_KIND_BOUNDS, op: 0, collation: 0, numbers: null, values: bounds });
    stats.slots.push({ kind: STATISTIC_KIND_RANGE_LENGTHS, op: FLOAT8_LESS, collation: 0, numbers: [empty], values: lengths.length === 0 ? null : lengths, type: FLOAT8OID });
    return stats;
  }
  if (eqOpr === 0) return stats;
  const counted = ltOpr !== 0 ? sortedGroups(column, ltOpr, values, positions) : hashedGroups(column, eqOpr, values);
  describeDistribution(stats, counted, { column, target, sample, tooWide, nonNull: total - nulls, ltOpr, eqOpr, values: values.length });
  describeElements(stats, column, values, target);
  return stats;
}

/** Of arrays besides: their elements. */
function describeElements(stats: ColumnStatistics, { atttypid, attcollation: collation }: Attribute, arrays: readonly Datum[], target: number): void {
  const type = getElementType(getBaseType(atttypid));
  if (type === 0) return;
  const { eqOpr: op, cmpProc, hashProc } = typeOperators(type);
  if (op === 0 || cmpProc === 0 || hashProc === 0) return;
  const { common, withNull, counts } = arrayStatistics(arrays, target, typeComparator(type, collation), hashKeyFunction(type, collation));
  if (common !== null) stats.slots.push({ kind: STATISTIC_KIND_MCELEM, op, collation, numbers: [...common.frequencies, Math.fround(withNull)], values: common.values, type });
  stats.slots.push({ kind: STATISTIC_KIND_DECHIST, op, collation, numbers: counts, values: null });
}

interface Groups {
  /** Each distinct value with how often it is there, in the type's order if it has one. */
  groups: { value: Datum; count: number }[];
  correlation: number | null;
}

function sortedGroups(column: Attribute, ltOpr: Oid, values: readonly Datum[], positions: readonly number[]): Groups {
  const lt = operatorFunction(ltOpr, column.attcollation);
  const order = values.map((_v, i) => i).sort((a, b) => (lt(values[a], values[b]) === true ? -1 : lt(values[b], values[a]) === true ? 1 : a - b));
  const groups: Groups['groups'] = [];
  let sumXY = 0;
  order.forEach((index, rank) => {
    sumXY += rank * index;
    const last = groups[groups.length - 1];
    if (last !== undefined && lt(last.value, values[index]) !== true) last.count++;
    else groups.push({ value: values[index]!, count: 1 });
  });
  const n = positions.length;
  if (n < 2) return { groups, correlation: null };
  const sum = ((n - 1) * n) / 2;
  const squares = ((n - 1) * n * (2 * n - 1)) / 6;
  return { groups, correlation: (n * sumXY - sum * sum) / (n * squares - sum * sum) };
}

/** Types that have only an equality: counted by their text form. */
function hashedGroups(column: Attribute, _eqOpr: Oid, values: readonly Datum[]): Groups {
  const { output } = typeHooks.typeIo(column.atttypid);
  const byText = new Map<string, { value: Datum; count: number }>();
  for (const value of values) {
    const text = output(value);
    const known = byText.get(text);
    if (known !== undefined) known.count++;
    else byText.set(text, { value, count: 1 });
  }
  return { groups: [...byText.values()], correlation: null };
}

interface Facts { column: Attribute; target: number; sample: Sample; tooWide: number; nonNull: number; ltOpr: Oid; eqOpr: Oid; values: number }

function describeDistribution(stats: ColumnStatistics, { groups, correlation }: Groups, f: Facts): void {
  const { totalRows } = f.sample;
  const sampleSize = f.sample.rows.length;
  const distinct = groups.length;
  const repeated = groups.filter((g) => g.count > 1);
  stats.distinct = estimateDistinct(distinct, repeated.length, f, stats.nullFraction);
  const candidates = repeated.sort((a, b) => b.count - a.count).slice(0, f.target);
  let common: typeof groups;
  if (distinct <= f.target && f.tooWide === 0 && stats.distinct > 0) {
    common = [...groups].sort((a, b) => b.count - a.count); // few values: all of them, and nothing else
  } else common = candidates.slice(0, mostCommonCount(candidates.map((c) => c.count), stats.distinct, stats.nullFraction, sampleSize, totalRows));
  const collation = f.column.attcollation;
  if (common.length > 0) {
    stats.slots.push({ kind: STATISTIC_KIND_MCV, op: f.eqOpr, collation, numbers: common.map((c) => Math.fround(c.count / sampleSize)), values: common.map((c) => c.value) });
  }
  if (f.ltOpr === 0) return;
  const inCommon = new Set(common.map((c) => c.value));
  const rest = groups.filter((g) => !inCommon.has(g.value));
  const bounds = Math.min(rest.length, f.target + 1);
  if (bounds >= 2) stats.slots.push({ kind: STATISTIC_KIND_HISTOGRAM, op: f.ltOpr, collation, numbers: null, values: histogram(rest, bounds) });
  if (correlation !== null) stats.slots.push({ kind: STATISTIC_KIND_CORRELATION, op: f.ltOpr, collation, numbers: [Math.fround(correlation)], values: null });
}

/** Values that part the rows into equal parts. */
function histogram(groups: Groups['groups'], bounds: number): Datum[] {
  const total = groups.reduce((sum, g) => sum + g.count, 0);
  const result: Datum[] = [];
  let group = 0;
  let before = 0; // rows before this group
  for (let i = 0; i < bounds; i++) {
    const position = Math.floor((i * (total - 1)) / (bounds - 1));
    while (before + groups[group]!.count <= position) before += groups[group++]!.count;
    result.push(groups[group]!.value);
  }
  return result;
}

/** How many different values the whole table has; negative: as a fraction of its rows (Haas and Stokes' estimator). */
function estimateDistinct(distinct: number, repeated: number, f: Facts, nullFraction: number): number {
  const { totalRows } = f.sample;
  let estimate: number;
  if (repeated === 0) return -1 * (1 - nullFraction);
  if (f.tooWide === 0 && repeated === distinct) estimate = distinct;
  else {
    const once = distinct - repeated + f.tooWide;
    const d = once + repeated;
    const n = f.nonNull;
    const all = totalRows * (1 - nullFraction);
    estimate = all > 0 ? (n * d) / (n - once + (once * n) / all) : 0;
    estimate = Math.floor(Math.min(Math.max(estimate, d), all) + 0.5);
  }
  return estimate > 0.1 * totalRows ? -(estimate / totalRows) : estimate;
}

/** How many of the candidates are clearly more frequent than the average of the others (analyze_mcv_list). */
function mostCommonCount(counts: readonly number[], distinct: number, nullFraction: number, n: number, total: number): number {
  let count = counts.length;
  if (n === total || total <= 1) return count;
  const allDistinct = distinct < 0 ? -distinct * total : distinct;
  let sum = counts.slice(0, -1).reduce((a, b) => a + b, 0);
  while (count > 0) {
    const last = counts[count - 1]!;
    let selectivity = Math.min(Math.max(1 - sum / n - nullFraction, 0), 1);
    const others = allDistinct - (count - 1);
    if (others > 1) selectivity /= others;
    const k = (total * last) / n;
    const deviation = Math.sqrt((n * k * (total - k) * (total - n)) / (total * total * (total - 1)));
    if (last > selectivity * n + 2 * deviation + 0.5) break;
    count--;
    if (count === 0) break;
    sum -= counts[count - 1]!;
  }
  return count;
}

const describeExpression = (column: Attribute, sample: Sample, target: number): PgStatistic => statisticRow(0, 0, column.atttypid, columnStatistics(column, sample, target, true), false);

function statisticRow(relation: Oid, attnum: number, type: Oid, stats: ColumnStatistics, inherited: boolean): PgStatistic {
  const slot = (n: number): Slot => stats.slots[n] ?? { kind: 0, op: 0, collation: 0, numbers: null, values: null };
  const values = (n: number): Datum => (slot(n).values === null ? null : makeArray(slot(n).type ?? type, slot(n).values!));
  return {
    starelid: relation, staattnum: attnum, stainherit: inherited, stanullfrac: Math.fround(stats.nullFraction), stawidth: stats.width, stadistinct: Math.fround(stats.distinct),
    stakind1: slot(0).kind, stakind2: slot(1).kind, stakind3: slot(2).kind, stakind4: slot(3).kind, stakind5: slot(4).kind,
    staop1: slot(0).op, staop2: slot(1).op, staop3: slot(2).op, staop4: slot(3).op, staop5: slot(4).op,
    stacoll1: slot(0).collation, stacoll2: slot(1).collation, stacoll3: slot(2).collation, stacoll4: slot(3).collation, stacoll5: slot(4).collation,
    stanumbers1: slot(0).numbers, stanumbers2: slot(1).numbers, stanumbers3: slot(2).numbers, stanumbers4: slot(3).numbers, stanumbers5: slot(4).numbers,
    stavalues1: values(0), stavalues2: values(1), stavalues3: values(2), stavalues4: values(3), stavalues5: values(4),
  };
}

function storeStatistics(relation: Oid, attnum: number, type: Oid, stats: ColumnStatistics, inherited = false): void {
  const row = statisticRow(relation, attnum, type, stats, inherited);
  const [old] = catalogFind(ids.StatisticRelationId, ids.PgStatisticRelidAttInhIndexId, [relation, attnum, inherited]);
  if (old !== undefined) catalogUpdate(ids.StatisticRelationId, old, row);
  else catalogInsert(ids.StatisticRelationId, row);
}
