// Makes calls of every registered function, on values from the pools, and compares ours with PostgreSQL's.
import { builtinNames } from '../../src/backend/types/fmgr.ts';
import { randomFrom } from '../support/random.ts';
import { askOracle, callOurs, callSql, queryOracle, TYPES, type Call } from './harness.ts';
import { POOLS } from './pools.ts';

/** The last bit of the mathematical library's results is not ours to match. */
const APPROXIMATE = /^(d(exp|log1|log10|pow|sin|cos|tan|cot|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|cbrt|sind|cosd|tand|cotd|asind|acosd|atand|atan2d))$/;

export function agree(prosrc: string, ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  // Of a comparison only the sign counts.
  if (/cmp$/.test(prosrc) && Math.sign(Number(ours)) === Math.sign(Number(theirs))) return true;
  if (!APPROXIMATE.test(prosrc)) return false;
  const x = Number(ours), y = Number(theirs);
  return Math.abs(x - y) <= Math.abs(y) * 4e-15;
}

const RANGE_OF: Record<string, string> = { integer: 'int4range', numeric: 'numrange', bigint: 'int8range' };

export function functionCalls(perFunction: number, seed: number, only?: RegExp): Call[] {
  const names = builtinNames().filter((name) => only === undefined || only.test(name));
  const rows = queryOracle(`select prosrc, proname, proisstrict, provolatile, prorettype::regtype, array_to_string(array(select t::regtype from unnest(proargtypes) t), '|')
    from pg_proc where prolang = 12 and not proretset and prokind = 'f' and provariadic = 0 and oid < 16384 order by oid`);
  const random = randomFrom(seed);
  const calls: Call[] = [];
  // Need a catalog, a clock or encodings that are not there, or show how PostgreSQL lets an int8 wrap around.
  const left = /^(circle_poly|now|statement_timestamp|clock_timestamp|oidvectortypes|char_bpchar|pg_convert.*|length_in_encoding|int[24]_sum|cash_div_int.|pg_.*|make_.*|to_(timestamp|date))$/;
  const wanted = new Set(names);
  const unify = (types: string[], element: string): string[] => types.map((type) =>
    type === 'anyrange' ? RANGE_OF[element] ?? '' : type === 'anymultirange' ? RANGE_OF[element]?.replace('range', 'multirange') ?? ''
      : type === 'anyarray' || type === 'anycompatiblearray' ? `${element}[]`
      : type === 'anyelement' || type === 'anycompatible' ? element : type);
  for (const [prosrc, proname, strict, volatility, result, argList] of rows as [string, string, string, string, string, string][]) {
    if (!wanted.has(prosrc) || left.test(prosrc) || volatility === 'v' || result === 'cstring') continue;
    const types = argList === '' ? [] : argList.split('|');
    const signature = [...types, result];
    for (const element of signature.some((type) => /^any/.test(type)) ? signature.some((type) => /range/.test(type)) ? ['integer', 'numeric', 'bigint'] : ['integer', 'text', 'numeric'] : ['integer']) {
      const concrete = unify(signature, element);
      if (!concrete.every((type) => TYPES.has(type)) || concrete.slice(0, -1).some((type) => type === 'cstring')) continue;
      const args = concrete.slice(0, -1);
      const pools = args.map((type) => (/^(circle_poly|[lr]pad|repeat|bpchar|array_fill.*|bit|varbit|bitfromint.)$/.test(prosrc) && type === 'integer' ? ['-1', '0', '1', '7', '100'] : POOLS[type] ?? []));
      if (pools.some((pool) => pool.length === 0)) continue;
      const combinations = pools.reduce((product, pool) => product * pool.length, 1);
      const seen = new Set<string>();
      for (let i = 0; i < Math.min(perFunction, combinations) && seen.size < combinations; i++) {
        const values = combinations <= perFunction
          ? pools.map((pool, k) => pool[Math.floor(i / pools.slice(0, k).reduce((p, q) => p * q.length, 1)) % pool.length]!)
          : pools.map((pool) => pool[random(pool.length)]!);
        const nulled: (string | null)[] = strict === 'f' && random(8) === 0 ? values.map((value) => (random(3) === 0 ? null : value)) : values;
        const key = JSON.stringify(nulled);
        if (seen.has(key)) continue;
        seen.add(key);
        calls.push({ prosrc, proname, args, values: nulled, result: concrete.at(-1)!, strict: strict === 't' });
      }
    }
  }
  return calls;
}

export function compare(calls: Call[]): { differences: string[]; total: number } {
  const theirs = askOracle(calls.map(callSql));
  const differences: string[] = [];
  calls.forEach((call, i) => {
    const ours = callOurs(call);
    if (ours.includes('is not supported')) return;
    if (!agree(call.prosrc, ours, theirs[i]!)) differences.push(`${call.prosrc}: ${callSql(call)}\n   ours:   ${ours}\n   theirs: ${theirs[i]}`);
  });
  return { differences, total: calls.length };
}
