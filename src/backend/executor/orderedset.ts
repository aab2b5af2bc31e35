// Ordered-set and hypothetical-set aggregates (PostgreSQL's orderedsetaggs.c): final functions over the sorted rows of a
// group, by prosrc. Rows hold the aggregated columns; `direct` the direct arguments.
import { PgError } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Aggref } from '../nodes/primnodes.ts';
import { ArrayValue, type Datum, type Interval, type Oid } from '../types/datum.ts';
import { float8Add, float8Multiply, float8Subtract, formatG } from '../types/float.ts';
import { addIntervals, multiplyInterval, negateInterval } from '../types/interval.ts';
import { FLOAT8OID, INTERVALOID } from '../types/oids.ts';
import { orderedSetFunctions } from './agg_functions.ts';

type Row = Datum[];
type Order = (a: Row, b: Row) => number;
type Lerp = (low: any, high: any, proportion: number) => Datum;

/** Aggregates over one column leave NULLs out. */
const present = (rows: Row[]): Datum[] => {
  const values: Datum[] = [];
  for (const row of rows) if (row[0] !== null) values.push(row[0]!);
  return values;
};

function checkFraction(fraction: number): void {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new PgError('numeric_value_out_of_range', `percentile value ${formatG(fraction, 6)} is not between 0 and 1`);
  }
}

const discrete = (values: readonly Datum[], fraction: number): Datum =>
  values[Math.max(1, Math.ceil(fraction * values.length)) - 1]!;

const continuous = (lerp: Lerp) => (values: readonly Datum[], fraction: number): Datum => {
  const position = fraction * (values.length - 1);
  const first = Math.floor(position), second = Math.ceil(position);
  return first === second ? values[first]! : lerp(values[first]!, values[second]!, position - first);
};

const lerpFloat = continuous((low: number, high: number, proportion) => float8Add(low, float8Multiply(proportion, float8Subtract(high, low))));
const lerpInterval = continuous((low: Interval, high: Interval, proportion) =>
  addIntervals(multiplyInterval(addIntervals(high, negateInterval(low)), proportion), low));

type Pick = (values: readonly Datum[], fraction: number) => Datum;

const percentile = (pick: Pick) => (_node: Aggref, rows: Row[], direct: Row): Datum => {
  const fraction = direct[0] as number | null;
  if (fraction === null) return null;
  checkFraction(fraction);
  const values = present(rows);
  return values.length === 0 ? null : pick(values, fraction);
};

const percentiles = (pick: Pick, elementType: Oid | null) => (node: Aggref, rows: Row[], direct: Row): Datum => {
  const values = present(rows);
  const fractions = direct[0] as ArrayValue | null;
  if (values.length === 0 || fractions === null) return null;
  const type = elementType ?? exprType(node.args[0]!.expr);
  const results = fractions.values.map((fraction) => {
    if (fraction === null) return null;
    checkFraction(fraction as number);
    return pick(values, fraction as number);
  });
  return new ArrayValue(type, fractions.dims, fractions.lbounds, results);
};

function mode(_node: Aggref, rows: Row[], _direct: Row, order: Order): Datum {
  let best: Datum = null, bestCount = 0;
  let current: Row | null = null, count = 0;
  for (const row of rows) {
    if (row[0] === null) continue;
    count = current !== null && order(current, row) === 0 ? count + 1 : 1;
    current = row;
    if (count > bestCount) {
      // The value of the run's first row: equal values may look different.
      if (count === 1 || best === null || order([best], row) !== 0) best = row[0]!;
      bestCount = count;
    }
  }
  return best;
}

/** How many rows come before the hypothetical one, its peers before it or after it. */
function rowsBefore(rows: Row[], direct: Row, order: Order, peersToo: boolean): number {
  let count = 0;
  for (const row of rows) {
    const c = order(row, direct);
    if (c > 0 || (c === 0 && !peersToo)) break;
    count++;
  }
  return count;
}

function denseRank(_node: Aggref, rows: Row[], direct: Row, order: Order): Datum {
  let rank = 1;
  for (let i = 0; i < rows.length && order(rows[i]!, direct) < 0; i++) {
    if (i === 0 || order(rows[i - 1]!, rows[i]!) !== 0) rank++;
  }
  return rank;
}

for (const [prosrc, fn] of Object.entries({
  percentile_disc_final: percentile(discrete),
  percentile_cont_float8_final: percentile(lerpFloat),
  percentile_cont_interval_final: percentile(lerpInterval),
  percentile_disc_multi_final: percentiles(discrete, null),
  percentile_cont_float8_multi_final: percentiles(lerpFloat, FLOAT8OID),
  percentile_cont_interval_multi_final: percentiles(lerpInterval, INTERVALOID),
  mode_final: mode,
  hypothetical_rank_final: (_node: Aggref, rows: Row[], direct: Row, order: Order) => rowsBefore(rows, direct, order, false) + 1,
  hypothetical_percent_rank_final: (_node: Aggref, rows: Row[], direct: Row, order: Order) =>
    (rows.length === 0 ? 0 : rowsBefore(rows, direct, order, false) / rows.length),
  hypothetical_cume_dist_final: (_node: Aggref, rows: Row[], direct: Row, order: Order) =>
    (rowsBefore(rows, direct, order, true) + 1) / (rows.length + 1),
  hypothetical_dense_rank_final: denseRank,
})) orderedSetFunctions.set(prosrc, fn);
