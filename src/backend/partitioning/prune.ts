// Pruning (the part of PostgreSQL's partprune.c that runs): steps say which partitions may have wanted rows, given the
// values that the key is compared with. optimizer/partprune.ts makes them from conditions; the same steps serve while
// planning, with constants, and while running, with parameters.
import type { ArrayValue, Datum } from '../types/datum.ts';
import type { Comparator } from '../executor/sort_support.ts';
import type { PartitionBounds, RangeBound } from './partbounds.ts';
import { partitionHash, type PartitionKey } from './partkey.ts';

/** One value of a step: which of the values given, and how bounds are compared with it. */
export interface PruneOperand { readonly value: number; readonly compare: Comparator; readonly hash: PartitionKey['hash'][number] | null }

/** btree strategies 1 to 5; 0: <>. Hash: 3. */
export type PruneStrategy = 0 | 1 | 2 | 3 | 4 | 5;

export type PruneStep =
  /** The leading key columns compared; `nulls`: columns that are NULL. */
  | { kind: 'op'; strategy: PruneStrategy; operands: readonly (PruneOperand | null)[]; nulls: ReadonlySet<number> }
  /** column = ANY (array) of a value that is not known yet; for tables with one key column. */
  | { kind: 'array'; strategy: PruneStrategy; operand: PruneOperand; useOr: boolean }
  | { kind: 'union' | 'intersect'; steps: readonly PruneStep[] }
  | { kind: 'all' } | { kind: 'none' };

/** What a step finds: list values, places between range bounds or remainders (bits), and the two special partitions. */
interface Found { offsets: bigint; scanDefault: boolean; scanNull: boolean }

const NOTHING: Found = { offsets: 0n, scanDefault: false, scanNull: false };
/** Bits from..to. */
const bits = (from: number, to: number): bigint => (to < from ? 0n : ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from));

/** The numbers of the partitions that are left. */
export function runPruneStep(key: PartitionKey, bounds: PartitionBounds, step: PruneStep, values: (n: number) => Datum): Set<number> {
  const found = run(key, bounds, step, values);
  const live = new Set<number>();
  let { scanDefault } = found;
  for (let base = 0, rest = found.offsets; rest !== 0n; base += 32, rest >>= 32n) {
    for (let word = Number(BigInt.asIntN(32, rest)); word !== 0; word &= word - 1) {
      const n = bounds.indexes[base + 31 - Math.clz32(word & -word)]!;
      if (n >= 0) live.add(n);
      // Values that no partition has been made for.
      else if (key.strategy !== 'h') scanDefault = true;
    }
  }
  if (found.scanNull && bounds.nullIndex >= 0) live.add(bounds.nullIndex);
  if (scanDefault && bounds.defaultIndex >= 0) live.add(bounds.defaultIndex);
  return live;
}

function everything(key: PartitionKey, bounds: PartitionBounds): Found {
  const last = bounds.indexes.length - 1;
  // Beyond the outermost range bounds there may be nothing.
  if (key.strategy === 'r') {
    let from = 0;
    let to = last;
    if (bounds.indexes[from] === -1) from++;
    if (bounds.indexes[to] === -1) to--;
    return { offsets: bits(from, to), scanDefault: true, scanNull: true };
  }
  return { offsets: bits(0, last), scanDefault: true, scanNull: true };
}

function run(key: PartitionKey, bounds: PartitionBounds, step: PruneStep, values: (n: number) => Datum): Found {
  switch (step.kind) {
    case 'none': return NOTHING;
    case 'all': return everything(key, bounds);
    case 'union': case 'intersect': {
      let result: Found | null = null;
      for (const s of step.steps) {
        const f = run(key, bounds, s, values);
        if (result === null) result = f;
        else if (step.kind === 'union') result = { offsets: result.offsets | f.offsets, scanDefault: result.scanDefault || f.scanDefault, scanNull: result.scanNull || f.scanNull };
        else result = { offsets: result.offsets & f.offsets, scanDefault: result.scanDefault && f.scanDefault, scanNull: result.scanNull && f.scanNull };
      }
      return result ?? NOTHING;
    }
    case 'array': {
      const array = values(step.operand.value) as ArrayValue | null;
      if (array === null) return NOTHING;
      const steps = (array.values as Datum[]).map((v): Found => (v === null ? NOTHING : single(key, bounds, step.strategy, [step.operand], [v], new Set())));
      if (steps.length === 0) return step.useOr ? NOTHING : everything(key, bounds);
      return steps.reduce((a, b) => (step.useOr
        ? { offsets: a.offsets | b.offsets, scanDefault: a.scanDefault || b.scanDefault, scanNull: a.scanNull || b.scanNull }
        : { offsets: a.offsets & b.offsets, scanDefault: a.scanDefault && b.scanDefault, scanNull: a.scanNull && b.scanNull }));
    }
    case 'op': {
      const given: Datum[] = [];
      for (const o of step.operands) {
        const v = o === null ? null : values(o.value);
        // Operators are strict: nothing is equal to NULL.
        if (o !== null && v === null) return NOTHING;
        given.push(v);
      }
      return single(key, bounds, step.strategy, step.operands, given, step.nulls);
    }
  }
}

function single(key: PartitionKey, bounds: PartitionBounds, strategy: PruneStrategy, operands: readonly (PruneOperand | null)[], values: readonly Datum[], nulls: ReadonlySet<number>): Found {
  switch (key.strategy) {
    case 'h': return matchHash(key, bounds, operands, values, nulls);
    case 'l': return matchList(bounds, strategy, operands[0]?.compare ?? null, values, nulls);
    case 'r': return matchRange(key, bounds, strategy, operands, values, nulls);
  }
}

function matchHash(key: PartitionKey, bounds: PartitionBounds, operands: readonly (PruneOperand | null)[], values: readonly Datum[], nulls: ReadonlySet<number>): Found {
  const given = operands.filter((o) => o !== null).length;
  if (bounds.indexes.length === 0) return NOTHING;
  if (given + nulls.size < key.columns.length) return everything(key, bounds);
  const typed: PartitionKey = { ...key, hash: key.hash.map((own, i) => operands[i]?.hash ?? own) };
  const row = key.columns.map((_c, i) => (nulls.has(i) ? null : values[i] ?? null));
  const offset = Number(partitionHash(typed, row) % BigInt(bounds.indexes.length));
  return { ...NOTHING, offsets: 1n << BigInt(offset) };
}

/** get_matching_list_bounds. */
function matchList(bounds: PartitionBounds, strategy: PruneStrategy, compare: Comparator | null, values: readonly Datum[], nulls: ReadonlySet<number>): Found {
  const hasDefault = bounds.defaultIndex >= 0;
  if (nulls.size > 0) return bounds.nullIndex >= 0 ? { ...NOTHING, scanNull: true } : { ...NOTHING, scanDefault: hasDefault };
  const last = bounds.values.length - 1;
  if (last < 0) return { ...NOTHING, scanDefault: hasDefault };
  if (values.length === 0 || compare === null) return { ...NOTHING, offsets: bits(0, last), scanDefault: hasDefault };
  let low = -1;
  let high = last;
  let equal = false;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    const cmp = compare(bounds.values[mid], values[0]);
    if (cmp === 0) {
      low = mid;
      equal = true;
      break;
    }
    if (cmp < 0) low = mid;
    else high = mid - 1;
  }
  switch (strategy) {
    case 0: return { ...NOTHING, offsets: equal ? bits(0, last) & ~(1n << BigInt(low)) : bits(0, last), scanDefault: hasDefault };
    case 3: return equal ? { ...NOTHING, offsets: 1n << BigInt(low) } : { ...NOTHING, scanDefault: hasDefault };
    // Between listed values there may be others, which are the default partition's.
    case 4: case 5: return { ...NOTHING, offsets: bits(equal && strategy === 4 ? low : low + 1, last), scanDefault: hasDefault };
    case 1: case 2: return { ...NOTHING, offsets: bits(0, equal && strategy === 1 ? low - 1 : low), scanDefault: hasDefault };
  }
}

/** get_matching_range_bounds. Offset i is what lies between bound i - 1 and bound i. */
function matchRange(key: PartitionKey, bounds: PartitionBounds, strategy: PruneStrategy, operands: readonly (PruneOperand | null)[], values: readonly Datum[], nulls: ReadonlySet<number>): Found {
  const hasDefault = bounds.defaultIndex >= 0;
  const { ranges, indexes } = bounds;
  const n = ranges.length;
  if (nulls.size > 0 || n === 0) return { ...NOTHING, scanDefault: hasDefault };
  if (values.length === 0) return { ...everything(key, bounds), scanNull: false, scanDefault: hasDefault };
  // A condition on some of the columns says little about what has no partition.
  const scanDefault = values.length < key.columns.length && hasDefault;
  const prefix = values.length < key.columns.length;
  const cmp = (bound: RangeBound): number => {
    for (let i = 0; i < values.length; i++) {
      if (bound.kinds[i] !== 0) return bound.kinds[i]!;
      const c = operands[i]!.compare(bound.values[i], values[i]);
      if (c !== 0) return c;
    }
    return 0;
  };
  let off = -1;
  let high = n - 1;
  let equal = false;
  while (off < high) {
    const mid = (off + high + 1) >> 1;
    const c = cmp(ranges[mid]!);
    if (c <= 0) {
      off = mid;
      equal = c === 0;
      if (equal) break;
    } else high = mid - 1;
  }
  /** The outermost bound that is equal as well. */
  const outermost = (step: 1 | -1): number => {
    let at = off;
    while (at + step >= 0 && at + step < n && cmp(ranges[at + step]!) === 0) at += step;
    return at;
  };
  let from = 0;
  let to = n;
  switch (strategy) {
    case 3: {
      if (!equal || !prefix) return { ...NOTHING, offsets: 1n << BigInt(off + 1), scanDefault };
      from = outermost(-1);
      if (ranges[from]!.kinds[values.length] === -1) from++;
      return { ...NOTHING, offsets: bits(from, outermost(1) + 1), scanDefault };
    }
    case 4: case 5:
      if (off >= 0) from = equal && prefix ? (strategy === 4 ? outermost(-1) : outermost(1) + 1) : off + 1;
      break;
    case 1: case 2:
      if (off < 0) to = 0;
      else if (equal && prefix) to = strategy === 2 ? outermost(1) + 1 : outermost(-1);
      else to = !equal || strategy === 2 ? off + 1 : off;
      break;
    case 0: return { ...everything(key, bounds), scanNull: false };
  }
  const lastKey = values.length - 1;
  // Nothing is below MINVALUE or above MAXVALUE: do not look for it in the default partition.
  if (from < n && indexes[from]! < 0 && ranges[from]!.kinds[lastKey] === -1) from++;
  if (to >= 1 && indexes[to]! < 0 && ranges[to - 1]!.kinds[lastKey] === 1) to--;
  return { ...NOTHING, offsets: bits(from, to), scanDefault };
}
