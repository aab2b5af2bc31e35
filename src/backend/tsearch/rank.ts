// ts_rank and ts_rank_cd (PostgreSQL's tsrank.c).
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import type { ArrayValue } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { tsMatch, type QueryNode, type TsQuery } from '../types/tsquery.ts';
import { makeTsVector, type Lexeme, type Position, type TsVector } from '../types/tsvector.ts';

const DEFAULT_WEIGHTS = [0.1, 0.2, 0.4, 1];
const BY_LOG_LENGTH = 1, BY_LENGTH = 2, BY_EXTENT = 4, BY_UNIQUE = 8, BY_LOG_UNIQUE = 16, BY_SELF = 32;
const MAX_ENTRY_POSITION = 16384;
/** Of a lexeme without positions. */
const NOWHERE: readonly Position[] = [{ at: 0, weight: 0 }];
const f = Math.fround;
const { libm } = port;

function weightsOf(array: ArrayValue | null): number[] {
  if (array === null) return DEFAULT_WEIGHTS.map(f);
  if (array.dims.length !== 1) throw new PgError('array_subscript_error', 'array of weight must be one-dimensional');
  if (array.values.length < 4) throw new PgError('array_subscript_error', 'array of weight is too short');
  if (array.values.slice(0, 4).some((v) => v === null)) throw new PgError('null_value_not_allowed', 'array of weight must not contain nulls');
  return DEFAULT_WEIGHTS.map((w, i) => {
    const given = array.values[i] as number;
    if (given > 1) throw new PgError('invalid_parameter_value', 'weight out of range');
    return f(given >= 0 ? given : w);
  });
}

type Value = QueryNode & { op: 'value' };
function values(node: QueryNode, into: Map<string, Value>): Map<string, Value> {
  if (node.op === 'value') into.set(node.text, into.get(node.text) ?? node);
  else if (node.op === '!') values(node.arg, into);
  else { values(node.left, into); values(node.right, into); }
  return into;
}
const sortedValues = (query: TsQuery): Value[] => {
  const list = query.root === null ? [] : [...values(query.root, new Map()).values()];
  return list.sort((a, b) => Buffer.byteLength(a.text) - Buffer.byteLength(b.text) || (a.text < b.text ? -1 : 1));
};

const entriesFor = (vector: TsVector, v: Value): readonly Lexeme[] => {
  if (v.prefix) return vector.lexemes.filter((l) => l.text.startsWith(v.text));
  const found = vector.find(v.text);
  return found === undefined ? [] : [found];
};

const wordDistance = (w: number): number => (w > 100 ? 1e-30 : 1 / (1.005 + 0.05 * libm.exp(f(w) / 1.5 - 2)));

function rankOr(weights: readonly number[], vector: TsVector, list: readonly Value[]): number {
  let result = 0;
  for (const v of list) {
    for (const { positions } of entriesFor(vector, v)) {
      const places = positions.length === 0 ? NOWHERE : positions;
      let sum = 0, heaviest = -1, at = 0;
      places.forEach((p, j) => {
        const w = weights[p.weight]!;
        sum = f(sum + f(w / ((j + 1) * (j + 1))));
        if (w > heaviest) { heaviest = w; at = j; }
      });
      result = f(result + f(f(heaviest + sum) - f(heaviest / ((at + 1) * (at + 1)))) / 1.64493406685);
    }
  }
  return list.length > 0 ? f(result / list.length) : result;
}

function rankAnd(weights: readonly number[], vector: TsVector, list: readonly Value[]): number {
  if (list.length < 2) return rankOr(weights, vector, list);
  const known: (readonly Position[] | null)[] = list.map(() => null);
  let result = -1;
  list.forEach((v, i) => {
    for (const { positions } of entriesFor(vector, v)) {
      const places = positions.length === 0 ? NOWHERE : positions;
      known[i] = places;
      for (let k = 0; k < i; k++) {
        const others = known[k];
        if (others === null || others === undefined) continue;
        for (const a of places) {
          for (const b of others) {
            let distance = Math.abs((places === NOWHERE ? MAX_ENTRY_POSITION - 1 : a.at) - (others === NOWHERE ? MAX_ENTRY_POSITION - 1 : b.at));
            if (distance === 0 && places !== NOWHERE && others !== NOWHERE) continue;
            if (distance === 0) distance = MAX_ENTRY_POSITION;
            const current = f(Math.sqrt(f(f(weights[a.weight]! * weights[b.weight]!) * f(wordDistance(distance)))));
            result = f(result < 0 ? current : 1 - (1 - result) * (1 - current));
          }
        }
      }
    }
  });
  return result;
}

const lengthOf = (vector: TsVector): number => vector.lexemes.reduce((n, l) => n + (l.positions.length || 1), 0);

function rank(weights: readonly number[], vector: TsVector, query: TsQuery, method: number): number {
  if (vector.lexemes.length === 0 || query.root === null) return 0;
  const list = sortedValues(query);
  let result = query.root.op === '&' || query.root.op === '<>' ? rankAnd(weights, vector, list) : rankOr(weights, vector, list);
  if (result < 0) result = f(1e-20);
  const size = vector.lexemes.length;
  if (method & BY_LOG_LENGTH) result = f(result / (libm.log(lengthOf(vector) + 1) / libm.log(2)));
  if (method & BY_LENGTH && lengthOf(vector) > 0) result = f(result / lengthOf(vector));
  if (method & BY_UNIQUE) result = f(result / size);
  if (method & BY_LOG_UNIQUE) result = f(result / (libm.log(size + 1) / libm.log(2)));
  if (method & BY_SELF) result = f(result / f(result + 1));
  return result;
}

// ---- cover density

/** A place where words of the query stand. */
interface Place { at: number; weight: number; lexemes: string[] }

function placesOf(vector: TsVector, query: TsQuery): Place[] {
  const byPlace = new Map<number, Place>();
  for (const v of sortedValues(query)) {
    for (const { text, positions } of entriesFor(vector, v)) {
      for (const { at, weight } of positions) {
        const key = at * 4 + weight;
        const place = byPlace.get(key);
        if (place === undefined) byPlace.set(key, { at, weight, lexemes: [text] });
        else if (!place.lexemes.includes(text)) place.lexemes.push(text);
      }
    }
  }
  return [...byPlace.values()].sort((a, b) => a.at - b.at || a.weight - b.weight);
}

const satisfied = (places: readonly Place[], query: TsQuery): boolean =>
  tsMatch(makeTsVector(places.flatMap((p) => p.lexemes.map((text) => ({ text, positions: [{ at: p.at, weight: p.weight }] })))), query);

/** The next shortest run of places that satisfies the query (Cover). */
function cover(places: readonly Place[], query: TsQuery, from: number): [number, number] | null {
  let end = -1;
  for (let i = from; i < places.length; i++) if (satisfied(places.slice(from, i + 1), query)) { end = i; break; }
  if (end < 0) return null;
  for (let i = end; i >= from; i--) if (satisfied(places.slice(i, end + 1), query)) return [i, end];
  return null;
}

function rankCd(weights: readonly number[], vector: TsVector, query: TsQuery, method: number): number {
  const inverse = weights.map((w) => 1 / w);
  const places = query.root === null ? [] : placesOf(vector, query);
  let result = 0, extents = 0, distances = 0, previous = 0;
  for (let found = cover(places, query, 0); found !== null; found = cover(places, query, found[0] + 1)) {
    const [begin, end] = found;
    let sum = 0;
    for (let i = begin; i <= end; i++) sum += inverse[places[i]!.weight]!;
    const p = places[begin]!.at, q = places[end]!.at;
    let noise = q - p - (end - begin);
    if (noise < 0) noise = Math.trunc((end - begin) / 2);
    result += (end - begin + 1) / sum / (1 + noise);
    const middle = (q + p) / 2;
    if (extents > 0 && middle > previous) distances += 1 / (middle - previous);
    previous = middle;
    extents++;
  }
  const size = vector.lexemes.length;
  if (method & BY_LOG_LENGTH && size > 0) result /= libm.log(lengthOf(vector) + 1);
  if (method & BY_LENGTH && lengthOf(vector) > 0) result /= lengthOf(vector);
  if (method & BY_EXTENT && extents > 0 && distances > 0) result /= extents / distances;
  if (method & BY_UNIQUE && size > 0) result /= size;
  if (method & BY_LOG_UNIQUE && size > 0) result /= libm.log(size + 1) / libm.log(2);
  if (method & BY_SELF) result /= result + 1;
  return f(result);
}

registerBuiltins({
  pure: {
    ts_rank_tt: (v: TsVector, q: TsQuery) => rank(weightsOf(null), v, q, 0), ts_rank_ttf: (v: TsVector, q: TsQuery, m: number) => rank(weightsOf(null), v, q, m),
    ts_rank_wtt: (w: ArrayValue, v: TsVector, q: TsQuery) => rank(weightsOf(w), v, q, 0), ts_rank_wttf: (w: ArrayValue, v: TsVector, q: TsQuery, m: number) => rank(weightsOf(w), v, q, m),
    ts_rankcd_tt: (v: TsVector, q: TsQuery) => rankCd(weightsOf(null), v, q, 0), ts_rankcd_ttf: (v: TsVector, q: TsQuery, m: number) => rankCd(weightsOf(null), v, q, m),
    ts_rankcd_wtt: (w: ArrayValue, v: TsVector, q: TsQuery) => rankCd(weightsOf(w), v, q, 0), ts_rankcd_wttf: (w: ArrayValue, v: TsVector, q: TsQuery, m: number) => rankCd(weightsOf(w), v, q, m),
  },
});
