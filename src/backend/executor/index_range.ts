// From index conditions and their values to ranges of keys (PostgreSQL's nbtutils, _bt_preprocess_keys).
import { encodeBound, encodeKey, encodePrefix, type KeyRange, successor } from '../access/key.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import type { IndexCondition } from '../nodes/plannodes.ts';
import type { ArrayValue, Datum, RecordValue } from '../types/datum.ts';
import { datetimeBounds } from '../types/datetime_bounds.ts';
import { fixedPrefix, greaterText } from '../types/pattern_prefix.ts';
import { typeComparator } from './sort_support.ts';

type Condition = Pick<IndexCondition, 'column' | 'strategy' | 'asRow' | 'unlike'>;

/** The full key of a unique index, null when a value is NULL (nothing can be equal to it). */
export function uniqueKey(info: IndexInfo, values: Datum[]): string | null {
  for (const v of values) if (v === null) return null;
  return encodeKey(info.columns, values);
}

/** Ranges in key order that hold every entry the conditions allow (and maybe more: gaps after the first range). */
export function indexRanges(info: IndexInfo, conditions: readonly Condition[], values: readonly Datum[]): KeyRange[] {
  const pattern = conditions.findIndex((c) => c.strategy === 'like' || c.strategy === 'prefix');
  if (pattern >= 0) return patternRanges(info, conditions, values, pattern);
  if (conditions.some((c) => c.unlike !== undefined)) return rangesOfUnlike(info, conditions, values);
  let prefixes: Datum[][] = [[]];
  let column = 1;
  for (;;) {
    const equal = conditions.findIndex((c) => c.column === column && (c.strategy === '=' || c.strategy === 'in' || c.strategy === 'isnull'));
    if (equal < 0) break;
    const { strategy } = conditions[equal]!;
    const value = values[equal] ?? null;
    if (strategy === 'isnull') prefixes = prefixes.map((p) => [...p, null]);
    else if (value === null) return [];
    else if (strategy === '=') prefixes = prefixes.map((p) => [...p, value]);
    else {
      const elements = listElements(info, column, value as ArrayValue);
      prefixes = prefixes.flatMap((p) => elements.map((v) => [...p, v]));
    }
    column++;
    if (column > info.keyCount) break;
  }
  const ranges: KeyRange[] = [];
  for (const prefix of prefixes) {
    const range = column > info.keyCount ? wholePrefix(info, prefix) : boundedRange(info, prefix, column, conditions, values);
    if (range !== null && (range.to === null || range.from < range.to)) ranges.push(range);
  }
  return ranges;
}

/** A pattern that has become known says where the texts are that fit it. */
function patternRanges(info: IndexInfo, conditions: readonly Condition[], values: readonly Datum[], at: number): KeyRange[] {
  const { column, strategy } = conditions[at]!;
  const value = values[at] ?? null;
  if (value === null) return [];
  const { prefix, exact } = fixedPrefix(value as string, strategy as 'like' | 'prefix');
  const greater = exact ? prefix : greaterText(prefix);
  const bounds: [Condition['strategy'], Datum][] = [['>=', prefix]];
  if (greater !== null) bounds.push([exact ? '<=' : '<', greater]);
  const others = conditions.filter((_, i) => i !== at);
  return indexRanges(info, [...others, ...bounds.map(([s]) => ({ column, strategy: s }))], [...values.filter((_, i) => i !== at), ...bounds.map(([, v]) => v)]);
}

/** Values of another type than the column, as what they allow there. */
function rangesOfUnlike(info: IndexInfo, conditions: readonly Condition[], values: readonly Datum[]): KeyRange[] {
  const known: Condition[] = [], bounds: Datum[] = [];
  const add = (c: Condition, strategy: Condition['strategy'], value: Datum): void => {
    known.push({ column: c.column, strategy });
    bounds.push(value);
  };
  conditions.forEach((c, i) => {
    const value = values[i] ?? null;
    const { unlike, ...plain } = c;
    if (unlike === undefined || value === null) {
      known.push(plain);
      bounds.push(value);
      return;
    }
    const { column, value: type } = unlike;
    const list = (c.strategy === 'in' ? (value as ArrayValue).values.filter((v) => v !== null) : [value]).map((v) => datetimeBounds(column, type, v as Datum));
    const low = (): Datum => list.reduce((a, b) => (a.low! < b.low! ? a : b)).low;
    const high = (): Datum => list.reduce((a, b) => (a.high! > b.high! ? a : b)).high;
    if (c.strategy === '<' || c.strategy === '<=') add(c, '<=', high());
    else if (c.strategy === '>' || c.strategy === '>=') add(c, '>=', low());
    else if (list.every((b) => b.low === b.high)) add(c, c.strategy, c.strategy === 'in' ? { ...(value as ArrayValue), values: list.map((b) => b.low) } as ArrayValue : list[0]!.low);
    else {
      add(c, '>=', low());
      add(c, '<=', high());
    }
  });
  return indexRanges(info, known, bounds);
}

/** Values of an IN list, each once, in the order of the index, without NULLs. */
function listElements(info: IndexInfo, column: number, list: ArrayValue): Datum[] {
  const { typeOid, collation, descending } = info.columns[column - 1]!;
  const compare = typeComparator(typeOid, collation);
  const sorted = list.values.filter((v) => v !== null).sort(compare).filter((v, i, all) => i === 0 || compare(all[i - 1], v) !== 0);
  return descending ? sorted.reverse() : sorted;
}

const encode = (info: IndexInfo, values: readonly Datum[]): string =>
  values.length === 0 ? '' : encodePrefix(info.columns, values as Datum[]);

function wholePrefix(info: IndexInfo, prefix: Datum[]): KeyRange {
  const key = encode(info, prefix);
  return { from: key, fromInclusive: true, to: successor(key), toInclusive: false };
}

/** The range within one prefix given by <, <=, >=, > and IS NOT NULL on the next column. */
function boundedRange(info: IndexInfo, prefix: Datum[], column: number, conditions: readonly Condition[], values: readonly Datum[]): KeyRange | null {
  const range = wholePrefix(info, prefix);
  const { descending, nullsFirst } = info.columns[column - 1]!;
  let bounded = false;
  conditions.forEach((c, i) => {
    if (c.column !== column) return;
    if (c.strategy !== 'notnull') {
      const all = c.asRow ? (values[i] as RecordValue).values : [values[i] ?? null];
      if (all[0] === null) {
        range.to = '';
        return;
      }
      // Behind a NULL in a row nothing is compared; what is equal up to there is looked at again.
      const known = all.includes(null) ? all.slice(0, all.indexOf(null)) : all;
      const { key, cut } = encodeBound(info.columns, [...prefix, ...known]);
      const greater = (c.strategy === '>' || c.strategy === '>=') !== descending;
      const inclusive = c.strategy === '>=' || c.strategy === '<=' || known.length < all.length || cut;
      const bound = greater === inclusive ? key : successor(key);
      if (greater) {
        if (bound !== null && bound > range.from) range.from = bound;
      } else if (bound !== null && (range.to === null || bound < range.to)) range.to = bound;
    }
    bounded = true;
  });
  if (bounded) {
    // No comparison is true for NULL.
    const nulls = encode(info, [...prefix, null]);
    if (nullsFirst) {
      const after = successor(nulls);
      if (after !== null && after > range.from) range.from = after;
    } else if (range.to === null || nulls < range.to) range.to = nulls;
  }
  return range;
}
