// Transition and final functions of sum, avg, variance, ... over integers and floating point numbers, and string_agg.
//
// Where the catalog says that the state is an array ({count, sum} and the like), it is one, but of a class of our own
// that may be changed in place: a state made here is never seen by anybody but its aggregate. A state that came from
// elsewhere (the initial value) is copied first.
import { ArrayValue, int8, type Datum, type Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { PgError, internalError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { overflow } from './float.ts';
import { int8Add } from './int8.ts';
import { divideNumeric, numericFromInt8, NUMERIC_ZERO, type Numeric } from './numeric.ts';
import { variance } from './numeric_aggregates.ts';
import { FLOAT8OID, INT8OID } from './oids.ts';

// --- integers

class Int8State extends ArrayValue {
  declare readonly values: Datum[];
  constructor(count: Int8, sum: Int8) {
    super(INT8OID, [2], [1], [count, sum]);
  }
}

function averageAccum(state: ArrayValue, value: number, step: 1 | -1): ArrayValue {
  const own = state instanceof Int8State ? state : copyAverage(state);
  const { values } = own;
  values[0] = (values[0] as number) + step;
  const sum = values[1] as Int8;
  const next = typeof sum === 'number' ? sum + step * value : NaN;
  values[1] = Number.isSafeInteger(next) ? next : int8Add(sum, step * value);
  return own;
}

function copyAverage(state: ArrayValue): Int8State {
  if (state.values.length !== 2) throw new PgError('internal_error', 'expected 2-element int8 array');
  return new Int8State(state.values[0] as Int8, state.values[1] as Int8);
}

function average(state: ArrayValue): Numeric | null {
  const [count, sum] = state.values as [Int8, Int8];
  return count === 0 ? null : divideNumeric(numericFromInt8(sum), numericFromInt8(count));
}

function addToSum(sum: Int8 | null, value: number | null): Int8 | null {
  if (sum === null || value === null) return sum ?? value;
  const next = typeof sum === 'number' ? sum + value : NaN;
  return next >= -9007199254740991 && next <= 9007199254740991 ? next : int8Add(sum, value);
}

/** State of sum and avg over int8, and of variance over int2 and int4: exact sums of any size. */
class IntegerAggregate {
  count = 0;
  /** Numbers while they are safe. */
  sum: number | bigint = 0;
  squares = 0n;
  /** Squares not yet added to `squares`, at most 2^52. */
  pendingSquares = 0;

  add(value: Int8, step: 1 | -1, withSquare: boolean): void {
    this.count += step;
    const { sum } = this;
    const next = typeof sum === 'number' && typeof value === 'number' ? sum + step * value : NaN;
    this.sum = Number.isSafeInteger(next) ? next : int8Wide(BigInt(sum) + BigInt(step) * BigInt(value));
    if (!withSquare) return;
    if (typeof value === 'number' && value >= -33554432 && value <= 33554432) {
      this.pendingSquares += step * value * value;
      if (this.pendingSquares > 4503599627370496 || this.pendingSquares < -4503599627370496) this.flush();
    } else {
      this.squares += BigInt(step) * BigInt(value) * BigInt(value);
    }
  }

  flush(): void {
    this.squares += BigInt(this.pendingSquares);
    this.pendingSquares = 0;
  }
}

const int8Wide = (value: bigint): number | bigint => int8(value);

function integerAccum(state: IntegerAggregate | null, value: Int8 | null, step: 1 | -1, withSquare: boolean): IntegerAggregate {
  state ??= new IntegerAggregate();
  if (value !== null) state.add(value, step, withSquare);
  return state;
}

function integerVariance(state: IntegerAggregate | null, sample: boolean, root: boolean): Numeric | null {
  if (state === null) return null;
  state.flush();
  return variance(BigInt(state.count), BigInt(state.sum), state.squares, 0, sample, root);
}

// --- floating point: sums of squares after Youngs and Cramer, as PostgreSQL since version 12

class FloatState extends ArrayValue {
  declare readonly values: number[];
  constructor(values: number[]) {
    super(FLOAT8OID, [values.length], [1], values);
  }
}

function ownFloats(state: ArrayValue, length: number, name: string): number[] {
  if (state.values.length !== length) throw new PgError('internal_error', `${name}: expected ${length}-element float8 array`);
  return state.values as number[];
}

const infinite = (value: number): boolean => value === Infinity || value === -Infinity;

function floatAccum(state: ArrayValue, value: number): ArrayValue {
  const own = state instanceof FloatState ? state : new FloatState([...ownFloats(state, 3, 'float8_accum')]);
  const values = own.values;
  const oldCount = values[0]!, oldSum = values[1]!;
  const count = oldCount + 1, sum = oldSum + value;
  let squares = values[2]!;
  if (oldCount > 0) {
    const difference = value * count - sum;
    squares += (difference * difference) / (count * oldCount);
    if (infinite(sum) || infinite(squares)) {
      if (!infinite(oldSum) && !infinite(value)) throw overflow();
      squares = NaN;
    }
  } else if (!Number.isFinite(value)) {
    squares = NaN;
  }
  values[0] = count;
  values[1] = sum;
  values[2] = squares;
  return own;
}

/** A sum of two; an infinity is an overflow unless it came in. */
function sumOf(a: number, b: number): number {
  const sum = a + b;
  if (infinite(sum) && !infinite(a) && !infinite(b)) throw overflow();
  return sum;
}

/** The sum of squares (or of products) of both, from what each knows; none is too large. */
function spread(a: number, b: number, product: number): number {
  const sum = a + b + product;
  if (infinite(sum) && !infinite(a) && !infinite(b)) throw overflow();
  return sum;
}

function floatCombine(a: ArrayValue, b: ArrayValue): ArrayValue {
  const [n1, sx1, sxx1] = ownFloats(a, 3, 'float8_combine') as [number, number, number];
  const [n2, sx2, sxx2] = ownFloats(b, 3, 'float8_combine') as [number, number, number];
  if (n1 === 0) return b;
  if (n2 === 0) return a;
  const n = n1 + n2, d = sx1 / n1 - sx2 / n2;
  return new FloatState([n, sumOf(sx1, sx2), spread(sxx1, sxx2, (n1 * n2 * d * d) / n)]);
}

function regressionCombine(a: ArrayValue, b: ArrayValue): ArrayValue {
  const [n1, sx1, sxx1, sy1, syy1, sxy1] = ownFloats(a, 6, 'float8_regr_combine') as [number, number, number, number, number, number];
  const [n2, sx2, sxx2, sy2, syy2, sxy2] = ownFloats(b, 6, 'float8_regr_combine') as [number, number, number, number, number, number];
  if (n1 === 0) return b;
  if (n2 === 0) return a;
  const n = n1 + n2, dx = sx1 / n1 - sx2 / n2, dy = sy1 / n1 - sy2 / n2, scale = (n1 * n2) / n;
  return new FloatState([n, sumOf(sx1, sx2), spread(sxx1, sxx2, scale * dx * dx), sumOf(sy1, sy2), spread(syy1, syy2, scale * dy * dy), spread(sxy1, sxy2, scale * dx * dy)]);
}

/** Over pairs (y, x): {N, Sx, Sxx, Sy, Syy, Sxy}. */
function regressionAccum(state: ArrayValue, y: number, x: number): ArrayValue {
  const own = state instanceof FloatState ? state : new FloatState([...ownFloats(state, 6, 'float8_regr_accum')]);
  const values = own.values;
  const [oldCount, oldX, , oldY] = values as [number, number, number, number];
  const count = oldCount + 1, sumX = oldX + x, sumY = oldY + y;
  let xx = values[2]!, yy = values[4]!, xy = values[5]!;
  if (oldCount > 0) {
    const dx = x * count - sumX, dy = y * count - sumY, scale = 1 / (count * oldCount);
    xx += dx * dx * scale;
    yy += dy * dy * scale;
    xy += dx * dy * scale;
    if (infinite(sumX) || infinite(xx) || infinite(sumY) || infinite(yy) || infinite(xy)) {
      const finiteX = !infinite(oldX) && !infinite(x), finiteY = !infinite(oldY) && !infinite(y);
      if (((infinite(sumX) || infinite(xx)) && finiteX) || ((infinite(sumY) || infinite(yy)) && finiteY) ||
          (infinite(xy) && finiteX && finiteY)) throw overflow();
      if (infinite(xx)) xx = NaN;
      if (infinite(yy)) yy = NaN;
      if (infinite(xy)) xy = NaN;
    }
  } else {
    if (!Number.isFinite(x)) xx = xy = NaN;
    if (!Number.isFinite(y)) yy = xy = NaN;
  }
  values[0] = count;
  values[1] = sumX;
  values[2] = xx;
  values[3] = sumY;
  values[4] = yy;
  values[5] = xy;
  return own;
}

/** A final function: NULL below so many rows, else what `compute` makes of the state. */
function final(minimum: number, compute: (...state: number[]) => number | null) {
  return (state: ArrayValue): number | null => {
    const values = state.values as number[];
    return values[0]! < minimum ? null : compute(...values);
  };
}

type Floats = [n: number, sx: number, sxx: number, sy: number, syy: number, sxy: number];
const regression = (minimum: number, compute: (...state: Floats) => number | null) =>
  final(minimum, compute as (...state: number[]) => number | null);

// --- string_agg

/** State of string_agg: the delimiter of each value but the first is part of the text. */
interface TextAggregate { text: string }

registerBuiltins({
  pure: {
    int2_sum: addToSum,
    int4_sum: addToSum,
    int2_avg_accum: (state: ArrayValue, value: number) => averageAccum(state, value, 1),
    int4_avg_accum: (state: ArrayValue, value: number) => averageAccum(state, value, 1),
    int2_avg_accum_inv: (state: ArrayValue, value: number) => averageAccum(state, value, -1),
    int4_avg_accum_inv: (state: ArrayValue, value: number) => averageAccum(state, value, -1),
    int8_avg: average,
    int2int4_sum: (state: ArrayValue) => {
      if (state.values.length !== 2 || state.values.includes(null)) throw internalError('expected 2-element int8 array');
      return state.values[0] === 0 ? null : state.values[1]!;
    },

    int8_avg_accum: (state: IntegerAggregate | null, value: Int8 | null) => integerAccum(state, value, 1, false),
    int8_avg_accum_inv: (state: IntegerAggregate | null, value: Int8 | null) => integerAccum(state, value, -1, false),
    int2_accum: (state: IntegerAggregate | null, value: number | null) => integerAccum(state, value, 1, true),
    int4_accum: (state: IntegerAggregate | null, value: number | null) => integerAccum(state, value, 1, true),
    int2_accum_inv: (state: IntegerAggregate | null, value: number | null) => integerAccum(state, value, -1, true),
    int4_accum_inv: (state: IntegerAggregate | null, value: number | null) => integerAccum(state, value, -1, true),
    numeric_poly_sum: (state: IntegerAggregate | null) =>
      state === null || state.count === 0 ? null : numericFromInt8(state.sum),
    numeric_poly_avg: (state: IntegerAggregate | null) => (state === null || state.count === 0 ? null
      : divideNumeric(state.sum === 0 ? NUMERIC_ZERO : numericFromInt8(state.sum), numericFromInt8(state.count))),
    numeric_poly_var_pop: (state: IntegerAggregate | null) => integerVariance(state, false, false),
    numeric_poly_var_samp: (state: IntegerAggregate | null) => integerVariance(state, true, false),
    numeric_poly_stddev_pop: (state: IntegerAggregate | null) => integerVariance(state, false, true),
    numeric_poly_stddev_samp: (state: IntegerAggregate | null) => integerVariance(state, true, true),

    float8_accum: floatAccum,
    float4_accum: floatAccum,
    float8_avg: final(1, (n, sx) => sx! / n!),
    float8_var_pop: final(1, (n, _sx, sxx) => sxx! / n!),
    float8_var_samp: final(2, (n, _sx, sxx) => sxx! / (n! - 1)),
    float8_stddev_pop: final(1, (n, _sx, sxx) => Math.sqrt(sxx! / n!)),
    float8_stddev_samp: final(2, (n, _sx, sxx) => Math.sqrt(sxx! / (n! - 1))),
    float8_combine: floatCombine,
    float8_regr_accum: regressionAccum,
    float8_regr_combine: regressionCombine,
    float8_regr_sxx: regression(1, (_n, _sx, sxx) => sxx),
    float8_regr_syy: regression(1, (_n, _sx, _sxx, _sy, syy) => syy),
    float8_regr_sxy: regression(1, (_n, _sx, _sxx, _sy, _syy, sxy) => sxy),
    float8_regr_avgx: regression(1, (n, sx) => sx / n),
    float8_regr_avgy: regression(1, (n, _sx, _sxx, sy) => sy / n),
    float8_covar_pop: regression(1, (n, _sx, _sxx, _sy, _syy, sxy) => sxy / n),
    float8_covar_samp: regression(2, (n, _sx, _sxx, _sy, _syy, sxy) => sxy / (n - 1)),
    float8_corr: regression(1, (_n, _sx, sxx, _sy, syy, sxy) => (sxx === 0 || syy === 0 ? null : sxy / Math.sqrt(sxx * syy))),
    float8_regr_r2: regression(1, (_n, _sx, sxx, _sy, syy, sxy) =>
      sxx === 0 ? null : syy === 0 ? 1 : (sxy * sxy) / (sxx * syy)),
    float8_regr_slope: regression(1, (_n, _sx, sxx, _sy, _syy, sxy) => (sxx === 0 ? null : sxy / sxx)),
    float8_regr_intercept: regression(1, (n, sx, sxx, sy, _syy, sxy) => (sxx === 0 ? null : (sy - (sx * sxy) / sxx) / n)),

    string_agg_transfn: (state: TextAggregate | null, value: string | null, delimiter: string | null) => {
      if (value === null) return state;
      if (state === null) return { text: value };
      state.text += delimiter === null ? value : delimiter + value;
      expectBytes(state.text.length);
      return state;
    },
    string_agg_finalfn: (state: TextAggregate | null) => (state === null ? null : state.text),
  },
});
