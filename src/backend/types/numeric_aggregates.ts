// Transition and final functions of sum, avg, variance and standard deviation over numeric.
import { registerBuiltins } from './fmgr.ts';
import type { Int8 } from './datum.ts';
import {
  addNumeric, divideAt, divideNumeric, FINITE, makeNumeric, NAN, Numeric, NUMERIC_INFINITY, NUMERIC_NAN,
  NUMERIC_NEGATIVE_INFINITY, NUMERIC_ZERO, numericFromInt8, POSITIVE_INFINITY, pow10, selectDivScale,
} from './numeric.ts';
import { sqrtAt } from './numeric_math.ts';

class NumericAggregate {
  /** Finite values. */
  count = 0;
  nans = 0;
  positiveInfinities = 0;
  negativeInfinities = 0;
  /** Of the sums; the largest scale seen. */
  scale = 0;
  /** How many values had that scale, so that taking them out again can lower it. */
  scaleCount = 0;
  sum = 0n;
  /** Sum of squares at scale 2 * scale. */
  squares = 0n;

  get total(): number {
    return this.count + this.nans + this.positiveInfinities + this.negativeInfinities;
  }

  add(value: Numeric, withSquare: boolean): void {
    if (value.special !== FINITE) {
      this.addSpecial(value, 1);
      return;
    }
    if (value.scale > this.scale) {
      this.rescale(value.scale);
      this.scaleCount = 1;
    } else if (value.scale === this.scale) {
      this.scaleCount++;
    }
    const coefficient = value.scale === this.scale ? value.coefficient : value.coefficient * pow10(this.scale - value.scale);
    this.count++;
    this.sum += coefficient;
    if (withSquare) this.squares += coefficient * coefficient;
  }

  /** Takes a value out again; false when the scale of the rest is no longer known. */
  remove(value: Numeric, withSquare: boolean): boolean {
    if (value.special !== FINITE) {
      this.addSpecial(value, -1);
      return true;
    }
    if (value.scale === this.scale) {
      if (this.scaleCount > 1 || this.scale === 0) {
        this.scaleCount--;
      } else if (this.count === 1) {
        this.scale = 0;
        this.scaleCount = 0;
        this.count = 0;
        this.sum = 0n;
        this.squares = 0n;
        return true;
      } else {
        return false;
      }
    }
    const coefficient = value.coefficient * pow10(this.scale - value.scale);
    this.count--;
    this.sum -= coefficient;
    if (withSquare) this.squares -= coefficient * coefficient;
    return true;
  }

  private addSpecial(value: Numeric, step: number): void {
    if (value.special === NAN) this.nans += step;
    else if (value.special === POSITIVE_INFINITY) this.positiveInfinities += step;
    else this.negativeInfinities += step;
  }

  /** What another has seen, too. */
  combine(other: NumericAggregate): void {
    const scale = Math.max(this.scale, other.scale);
    this.scaleCount = (this.scale === scale ? this.scaleCount : 0) + (other.scale === scale ? other.scaleCount : 0);
    this.rescale(scale);
    const factor = pow10(scale - other.scale);
    this.sum += other.sum * factor;
    this.squares += other.squares * factor * factor;
    this.count += other.count;
    this.nans += other.nans;
    this.positiveInfinities += other.positiveInfinities;
    this.negativeInfinities += other.negativeInfinities;
  }

  private rescale(scale: number): void {
    const factor = pow10(scale - this.scale);
    this.sum *= factor;
    this.squares *= factor * factor;
    this.scale = scale;
  }

  /** The sum when specials decide it, else undefined. */
  specialSum(): Numeric | undefined {
    if (this.nans > 0 || (this.positiveInfinities > 0 && this.negativeInfinities > 0)) return NUMERIC_NAN;
    if (this.positiveInfinities > 0) return NUMERIC_INFINITY;
    if (this.negativeInfinities > 0) return NUMERIC_NEGATIVE_INFINITY;
    return undefined;
  }
}

type State = NumericAggregate | null;

function accum(state: State, value: Numeric | null, withSquare: boolean): NumericAggregate {
  state ??= new NumericAggregate();
  if (value !== null) state.add(value, withSquare);
  return state;
}

/** NULL asks the executor to aggregate the window frame anew. */
function accumInverse(state: State, value: Numeric | null, withSquare: boolean): State {
  if (state === null || value === null) return state;
  return state.remove(value, withSquare) ? state : null;
}

const asNumeric = (value: Int8 | null): Numeric | null => (value === null ? null : numericFromInt8(value));

/** numeric_stddev_internal, over exact sums at the given scales: PostgreSQL's order of operations decides the scale. */
export function variance(count: bigint, sum: bigint, squares: bigint, scale: number, sample: boolean, root: boolean): Numeric | null {
  if (count < (sample ? 2n : 1n)) return null;
  const spread = count * squares - sum * sum;
  if (spread <= 0n) return NUMERIC_ZERO;
  const numerator = new Numeric(spread, 2 * scale, FINITE);
  const denominator = new Numeric(count * (sample ? count - 1n : count), 0, FINITE);
  const resultScale = selectDivScale(numerator, denominator);
  const result = divideAt(numerator, denominator, resultScale);
  return root ? sqrtAt(result, resultScale) : result;
}

function finalVariance(state: State, sample: boolean, root: boolean): Numeric | null {
  if (state === null || state.total < (sample ? 2 : 1)) return null;
  if (state.specialSum() !== undefined) return NUMERIC_NAN;
  return variance(BigInt(state.count), state.sum, state.squares, state.scale, sample, root);
}

function combineNumerics(state: State, other: State): State {
  if (other === null) return state;
  state ??= new NumericAggregate();
  state.combine(other);
  return state;
}

const serializeNumerics = ({ count, nans, positiveInfinities, negativeInfinities, scale, scaleCount, sum, squares }: NumericAggregate): Uint8Array =>
  Buffer.from([count, nans, positiveInfinities, negativeInfinities, scale, scaleCount, sum, squares].join(' '));

function deserializeNumerics(bytes: Uint8Array): NumericAggregate {
  const [count, nans, positive, negative, scale, scaleCount, sum, squares] = Buffer.from(bytes).toString().split(' ') as [string, string, string, string, string, string, string, string];
  return Object.assign(new NumericAggregate(), {
    count: Number(count), nans: Number(nans), positiveInfinities: Number(positive), negativeInfinities: Number(negative), scale: Number(scale), scaleCount: Number(scaleCount), sum: BigInt(sum), squares: BigInt(squares),
  });
}

registerBuiltins({
  pure: {
    numeric_combine: combineNumerics, numeric_serialize: serializeNumerics, numeric_deserialize: deserializeNumerics,
    numeric_avg_combine: combineNumerics, numeric_avg_serialize: serializeNumerics, numeric_avg_deserialize: deserializeNumerics,
    numeric_avg_accum: (state: State, value: Numeric | null) => accum(state, value, false),
    numeric_avg_accum_inv: inverse(false),
    numeric_accum_inv: inverse(true),
    numeric_accum: (state: State, value: Numeric | null) => accum(state, value, true),
    int8_accum: (state: State, value: Int8 | null) => accum(state, asNumeric(value), true),
    int8_accum_inv: (state: State, value: Int8 | null) => accumInverse(state, asNumeric(value), true),
    int8_sum: (sum: Numeric | null, value: Int8 | null) =>
      sum === null || value === null ? sum ?? asNumeric(value) : addNumeric(sum, numericFromInt8(value)),
    numeric_sum: (state: State) =>
      state === null || state.total === 0 ? null : state.specialSum() ?? makeNumeric(state.sum, state.scale),
    numeric_avg: (state: State) => (state === null || state.total === 0 ? null
      : state.specialSum() ?? divideNumeric(makeNumeric(state.sum, state.scale), numericFromInt8(state.count))),
    numeric_var_pop: (state: State) => finalVariance(state, false, false),
    numeric_var_samp: (state: State) => finalVariance(state, true, false),
    numeric_stddev_pop: (state: State) => finalVariance(state, false, true),
    numeric_stddev_samp: (state: State) => finalVariance(state, true, true),
  },
});

function inverse(withSquare: boolean) {
  return (state: State, value: Numeric | null): State => accumInverse(state, value, withSquare);
}
