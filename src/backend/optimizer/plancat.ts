// What the catalogs know for the planner (PostgreSQL's plancat.c): sizes of tables and indexes, widths and statistics of
// columns (pg_statistic). Rows take less room here than in PostgreSQL; the planner counts in its pages all the same, as its
// cost model was made for them.
import { statisticOf } from '../catalog/syscache.ts';
import { estimateRelationSize } from '../catalog/relation_size.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import type { ArrayValue, Datum, Oid, RangeValue } from '../types/datum.ts';
import { BITOID, BPCHAROID, NUMERICOID, VARBITOID, VARCHAROID } from '../types/oids.ts';
import { maxAlign } from './costsize.ts';
import type { RangeStatistics } from './range_selectivity.ts';
import type { ElementStatistics } from './element_selectivity.ts';
import { typeInfo } from '../executor/fmgr_info.ts';

export interface ColumnStatistics {
  nullFraction: number;
  width: number;
  /** Positive: number of distinct values; negative: its share of the rows, times -1. */
  distinct: number;
  mcv: { values: readonly Datum[]; frequencies: readonly number[] } | null;
  histogram: readonly Datum[] | null;
  correlation: number;
  /** Of arrays and tsvectors. */
  elements: ElementStatistics | null;
  /** Histogram of the numbers of distinct elements in arrays, and their average. */
  elementCounts: readonly number[] | null;
  /** Of ranges. */
  ranges: RangeStatistics | null;
}

const STATISTIC_KIND_MCV = 1;
const STATISTIC_KIND_HISTOGRAM = 2;
const STATISTIC_KIND_CORRELATION = 3;
const STATISTIC_KIND_MCELEM = 4;
const STATISTIC_KIND_DECHIST = 5;
const STATISTIC_KIND_RANGE_LENGTHS = 6;
const STATISTIC_KIND_BOUNDS = 7;

/** `inherited`: of the table together with its children. */
export function columnStatistics(relid: Oid, attnum: number, inherited = false): ColumnStatistics | undefined {
  const row = statisticOf(relid, attnum, inherited) as Record<string, unknown> | undefined;
  return row === undefined ? undefined : statisticsOfRow(row);
}

/** A row of pg_statistic. */
export function statisticsOfRow(row: Record<string, unknown>): ColumnStatistics {
  const stats: ColumnStatistics = {
    nullFraction: row['stanullfrac'] as number, width: row['stawidth'] as number, distinct: row['stadistinct'] as number,
    mcv: null, histogram: null, correlation: 0, elements: null, elementCounts: null, ranges: null,
  };
  for (let i = 1; i <= 5; i++) {
    const numbers = listOf(row[`stanumbers${i}`]) as readonly number[] | null;
    const values = listOf(row[`stavalues${i}`]);
    switch (row[`stakind${i}`]) {
      case STATISTIC_KIND_MCV:
        if (values !== null && numbers !== null) stats.mcv = { values, frequencies: numbers };
        break;
      case STATISTIC_KIND_HISTOGRAM: stats.histogram = values; break;
      case STATISTIC_KIND_MCELEM:
        if (values !== null && numbers !== null) stats.elements = { values, frequencies: numbers };
        break;
      case STATISTIC_KIND_RANGE_LENGTHS: stats.ranges = { bounds: null, ...stats.ranges, lengths: (values ?? []) as readonly number[], empty: numbers?.[0] ?? 0 }; break;
      case STATISTIC_KIND_BOUNDS: stats.ranges = { lengths: [], empty: 0, ...stats.ranges, bounds: values as readonly RangeValue[] }; break;
      case STATISTIC_KIND_DECHIST: stats.elementCounts = numbers; break;
      case STATISTIC_KIND_CORRELATION: stats.correlation = numbers?.[0] ?? 0; break;
      default:
    }
  }
  return stats;
}

function listOf(value: unknown): readonly Datum[] | null {
  if (value === null || value === undefined) return null;
  return Array.isArray(value) ? value : (value as ArrayValue).values;
}

/** get_typavgwidth. */
export function typeWidth(type: Oid, typmod: number): number {
  const { typlen } = typeInfo(type);
  if (typlen > 0) return typlen;
  const max = typeMaximumSize(type, typmod);
  if (max <= 0) return 32;
  return type === BPCHAROID || max <= 32 ? max : 32 + Math.trunc((Math.min(max, 1000) - 32) / 2);
}

const UTF8_MAX_LENGTH = 4, VARHDRSZ = 4;
/** type_maximum_size: bytes; 0 when there is no limit. */
function typeMaximumSize(type: Oid, typmod: number): number {
  if (typmod < 0) return 0;
  switch (type) {
    case BPCHAROID: case VARCHAROID: return (typmod - VARHDRSZ) * UTF8_MAX_LENGTH + VARHDRSZ;
    // Digits to base 10000, behind eight bytes of header.
    case NUMERICOID: return 8 + 2 * Math.trunc((((typmod - VARHDRSZ) >> 16 & 0xffff) + 6) / 4);
    case BITOID: case VARBITOID: return Math.trunc((typmod + 7) / 8) + 8;
    default: return 0;
  }
}

export function columnWidth(relation: Relation, attnum: number): number {
  const stats = columnStatistics(relation.oid, attnum);
  if (stats !== undefined && stats.width > 0) return stats.width;
  const a = relation.attributes[attnum - 1];
  return a === undefined ? 32 : typeWidth(a.atttypid, a.atttypmod);
}

// ------------------------------------------------------------------ sizes

const PAGE_BYTES = 8168;
const ALIGNMENT: Record<string, number> = { c: 1, s: 2, i: 4, d: 8 };

/** Bytes of a row's data in PostgreSQL's heap; `variable`: of a column of variable length without statistics. */
function dataWidth(relation: Relation, variable: number): number {
  let at = 0;
  for (const a of relation.attributes) {
    if (a.attisdropped) continue;
    const { typlen, typalign } = typeInfo(a.atttypid);
    const width = typlen > 0 ? typlen : columnStatistics(relation.oid, a.attnum)?.width ?? variable;
    // Short values have a header of one byte, which needs no place of its own.
    const alignment = typlen > 0 || width >= 127 ? ALIGNMENT[typalign] ?? 1 : 1;
    at = Math.ceil(at / alignment) * alignment + width;
  }
  return at;
}

/** How many pages so many rows take. */
function heapPages(relation: Relation, tuples: number, rowBytes: number): number {
  let variable = 32;
  if (rowBytes > 0 && relation.layout.varCount > 0) variable = Math.max(1, (rowBytes - relation.layout.varDataStart) / relation.layout.varCount) + 1;
  const perPage = Math.max(1, Math.floor(PAGE_BYTES / (maxAlign(24 + dataWidth(relation, variable)) + 4)));
  return Math.ceil(tuples / perPage);
}

/** estimate_rel_size: what VACUUM or ANALYZE last saw and how far the table has grown; ten pages at least for a table nobody has
 * looked at. */
export function estimateSize(relation: Relation): { tuples: number; pages: number; allVisible: number; storedTuples: number } {
  const size = sizeOf(relation);
  return { ...size, storedTuples: size.storedTuples ?? size.tuples };
}

function sizeOf(relation: Relation): { tuples: number; pages: number; allVisible: number; storedTuples?: number } {
  if (relation.kind === 'p') return { tuples: 0, pages: 0, allVisible: 1 };
  const now = estimateRelationSize(relation);
  let pages = heapPages(relation, now.tuples, now.rowBytes);
  const known = relation.tuples >= 0 && relation.pages > 0;
  if (pages < 10 && relation.tuples < 0 && !relation.hasSubclass) pages = 10;
  if (pages === 0) return { tuples: 0, pages: 0, allVisible: 0 };
  if (known) return { tuples: Math.round(now.tuples), pages, allVisible: Math.min(1, relation.allVisible / relation.pages) };
  const width = relation.attributes.reduce((n, a) => n + (a.attisdropped ? 0 : columnWidth(relation, a.attnum)), 0) + 28;
  return { tuples: Math.round(Math.floor(PAGE_BYTES / width) * pages), pages, allVisible: 0, storedTuples: now.tuples };
}

export interface IndexSize { pages: number; tuples: number; height: number }

/** An index over so many rows, as PostgreSQL's btree would be; `stored`: as many are there, whatever the estimate. */
export function indexSize(relation: Relation, info: IndexInfo, tuples: number, stored: number): IndexSize {
  return { ...treeSize(relation, info, stored), tuples };
}

function treeSize(relation: Relation, info: IndexInfo, tuples: number): { pages: number; height: number } {
  if (tuples < 1) return { pages: 1, height: 0 };
  let width = 8;
  let distinct = tuples;
  for (const [i, column] of info.columns.entries()) {
    const attnum = info.keyAttributes[i] ?? 0;
    const { typlen, typalign } = typeInfo(column.typeOid);
    const stats = attnum > 0 ? columnStatistics(relation.oid, attnum) : undefined;
    const alignment = typlen > 0 ? ALIGNMENT[typalign] ?? 1 : 1;
    width = Math.ceil(width / alignment) * alignment + (typlen > 0 ? typlen : stats?.width ?? 32);
    if (info.columns.length === 1 && stats !== undefined && stats.distinct !== 0) distinct = stats.distinct > 0 ? stats.distinct : -stats.distinct * tuples;
  }
  const entry = maxAlign(width) + 4;
  // Entries of one key share it.
  const bytes = !info.unique && distinct < tuples / 2 ? tuples * 6 + distinct * entry : tuples * entry;
  const perPage = Math.max(2, Math.floor((8152 * 0.9) / entry));
  let level = Math.ceil(bytes / (8152 * 0.9));
  let pages = level + 1;
  let height = 0;
  while (level > 1) {
    level = Math.ceil(level / perPage);
    pages += level;
    height++;
  }
  return { pages, height };
}
