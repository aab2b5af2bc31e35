// What the catalogs know for the planner: widths and statistics of columns (pg_statistic).
import { statisticOf } from '../catalog/syscache.ts';
import type { Relation } from '../catalog/relation.ts';
import type { ArrayValue, Datum, Oid } from '../types/datum.ts';
import { typeInfo } from '../executor/fmgr_info.ts';

export interface ColumnStatistics {
  nullFraction: number;
  width: number;
  /** Positive: number of distinct values; negative: its share of the rows, times -1. */
  distinct: number;
  mcv: { values: readonly Datum[]; frequencies: readonly number[] } | null;
  histogram: readonly Datum[] | null;
  correlation: number;
}

const STATISTIC_KIND_MCV = 1;
const STATISTIC_KIND_HISTOGRAM = 2;
const STATISTIC_KIND_CORRELATION = 3;

/** `inherited`: of the table together with its children. */
export function columnStatistics(relid: Oid, attnum: number, inherited = false): ColumnStatistics | undefined {
  const row = statisticOf(relid, attnum, inherited) as Record<string, unknown> | undefined;
  if (row === undefined) return undefined;
  const stats: ColumnStatistics = {
    nullFraction: row['stanullfrac'] as number, width: row['stawidth'] as number, distinct: row['stadistinct'] as number,
    mcv: null, histogram: null, correlation: 0,
  };
  for (let i = 1; i <= 5; i++) {
    const numbers = listOf(row[`stanumbers${i}`]) as readonly number[] | null;
    const values = listOf(row[`stavalues${i}`]);
    switch (row[`stakind${i}`]) {
      case STATISTIC_KIND_MCV:
        if (values !== null && numbers !== null) stats.mcv = { values, frequencies: numbers };
        break;
      case STATISTIC_KIND_HISTOGRAM: stats.histogram = values; break;
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
  if (typmod >= 4 && (type === 1042 || type === 1043)) {
    const max = typmod - 4;
    if (type === 1042) return max;
    return max <= 32 ? max : max < 1000 ? 32 + (max - 32) / 2 : 32 + (1000 - 32) / 2;
  }
  return 32;
}

export function columnWidth(relation: Relation, attnum: number): number {
  const stats = columnStatistics(relation.oid, attnum);
  if (stats !== undefined && stats.width > 0) return stats.width;
  const a = relation.attributes[attnum - 1];
  return a === undefined ? 32 : typeWidth(a.atttypid, a.atttypmod);
}
