// Functions that generated code does itself instead of calling them, by prosrc. All are strict and never return
// NULL; arguments are names or literals, known not to be null. Whatever is not the plain case (overflow, division
// by zero, an int8 beyond 2^53, NaN) goes to the registered function, which knows the error or the slow way.
import { findBuiltin } from '../types/fmgr.ts';
import { internalError } from '../../common/errors.ts';
import type { Generator } from './codegen.ts';

export type Inliner = (g: Generator, ...args: string[]) => string;

type Slow = (...args: unknown[]) => unknown;
const slowPaths = new Map<string, Slow>();

/** The registered function, looked up at its first call. */
function slow(g: Generator, prosrc: string): string {
  let fn = slowPaths.get(prosrc);
  if (fn === undefined) {
    fn = (...args) => {
      const entry = findBuiltin(prosrc);
      if (entry === undefined || entry.kind !== 'pure') throw internalError(`function ${prosrc} is not there`);
      return entry.fn(...args);
    };
    slowPaths.set(prosrc, fn);
  }
  return g.konst(fn);
}

export const inliners = new Map<string, Inliner>();

const COMPARISONS = [['eq', '==='], ['ne', '!=='], ['lt', '<'], ['le', '<='], ['gt', '>'], ['ge', '>=']] as const;

// Types whose datums compare as JavaScript values do: numbers, canonical Int8 (number or bigint), booleans.
for (const prefix of [
  'int2', 'int4', 'int8', 'int24', 'int42', 'int28', 'int82', 'int48', 'int84', 'oid', 'bool', 'char', 'cash_',
  'date_', 'time_', 'timestamp_', 'timestamptz_', 'uuid_',
]) {
  for (const [name, op] of COMPARISONS) inliners.set(prefix + name, (_g, a, b) => `${a} ${op} ${b}`);
}
for (const prefix of ['text', 'name', 'nametext', 'textname', 'enum_', 'xid', 'xid8', 'cid']) {
  inliners.set(`${prefix}eq`, (_g, a, b) => `${a} === ${b}`);
  inliners.set(`${prefix}ne`, (_g, a, b) => `${a} !== ${b}`);
}
for (const name of ['nameeqtext', 'texteqname', 'xideq', 'xideqint4']) inliners.set(name, (_g, a, b) => `${a} === ${b}`);
for (const name of ['namenetext', 'textnename', 'xidneq', 'xidneqint4']) inliners.set(name, (_g, a, b) => `${a} !== ${b}`);

// NaN equals itself and is greater than everything else.
for (const prefix of ['float8', 'float4', 'float48', 'float84']) {
  inliners.set(`${prefix}eq`, (_g, a, b) => `(${a} === ${b} || (${a} !== ${a} && ${b} !== ${b}))`);
  inliners.set(`${prefix}ne`, (_g, a, b) => `(${a} !== ${b} && (${a} === ${a} || ${b} === ${b}))`);
  inliners.set(`${prefix}lt`, (_g, a, b) => `(${a} < ${b} || (${b} !== ${b} && ${a} === ${a}))`);
  inliners.set(`${prefix}gt`, (_g, a, b) => `(${a} > ${b} || (${a} !== ${a} && ${b} === ${b}))`);
  inliners.set(`${prefix}le`, (_g, a, b) => `(${a} <= ${b} || ${b} !== ${b})`);
  inliners.set(`${prefix}ge`, (_g, a, b) => `(${a} >= ${b} || ${a} !== ${a})`);
}

// int4 and int2 arithmetic. A product that leaves int4 may be rounded, but then it is out of range anyway;
// `+ 0` makes -0 into 0.
for (const [name, op] of [['int4pl', '+'], ['int4mi', '-'], ['int24pl', '+'], ['int24mi', '-'], ['int42pl', '+'], ['int42mi', '-']] as const) {
  inliners.set(name, (g, a, b) => {
    const t = g.local(`${a} ${op} ${b}`);
    g.emit(`if (${t} !== (${t} | 0)) ${slow(g, name)}(${a}, ${b});`);
    return t;
  });
}
for (const name of ['int4mul', 'int24mul', 'int42mul']) {
  inliners.set(name, (g, a, b) => {
    const t = g.local(`${a} * ${b} + 0`);
    g.emit(`if (${t} !== (${t} | 0)) ${slow(g, name)}(${a}, ${b});`);
    return t;
  });
}
inliners.set('int4div', (g, a, b) => `(${b} > 0 ? (${a} / ${b}) | 0 : ${slow(g, 'int4div')}(${a}, ${b}))`);
inliners.set('int4mod', (g, a, b) => `(${b} > 0 ? (${a} % ${b}) | 0 : ${slow(g, 'int4mod')}(${a}, ${b}))`);
inliners.set('int4um', (g, a) => `(${a} !== -2147483648 ? -${a} | 0 : ${slow(g, 'int4um')}(${a}))`);
inliners.set('int4up', (_g, a) => a);
inliners.set('int4abs', (g, a) => `(${a} !== -2147483648 ? Math.abs(${a}) : ${slow(g, 'int4abs')}(${a}))`);
for (const [name, op] of [['int4and', '&'], ['int4or', '|'], ['int4xor', '^']] as const) inliners.set(name, (_g, a, b) => `(${a} ${op} ${b})`);

const SAFE = '9007199254740991';
for (const [name, op] of [
  ['int8pl', '+'], ['int8mi', '-'], ['int8mul', '*'], ['int48pl', '+'], ['int48mi', '-'], ['int48mul', '*'],
  ['int84pl', '+'], ['int84mi', '-'], ['int84mul', '*'], ['int28pl', '+'], ['int82pl', '+'],
] as const) {
  inliners.set(name, (g, a, b) => {
    const t = g.local('0', true);
    return `(typeof ${a} === 'number' && typeof ${b} === 'number' && (${t} = ${a} ${op} ${b}${op === '*' ? ' + 0' : ''}) <= ${SAFE} && ${t} >= -${SAFE} ? ${t} : ${slow(g, name)}(${a}, ${b}))`;
  });
}

// float8 arithmetic: a finite result other than zero is right; the function decides about all others.
for (const [name, op] of [['float8pl', '+'], ['float8mi', '-'], ['float8mul', '*'], ['float8div', '/'], ['float48pl', '+'], ['float84pl', '+'], ['float48mul', '*'], ['float84mul', '*']] as const) {
  inliners.set(name, (g, a, b) => {
    const t = g.local(`${a} ${op} ${b}`);
    return `(${t} !== 0 && ${t} - ${t} === 0 ? ${t} : ${slow(g, name)}(${a}, ${b}))`;
  });
}
inliners.set('float8um', (_g, a) => `-${a}`);

// Casts that change nothing, or only the range.
for (const name of ['int48', 'int28', 'i2toi4', 'i4tod', 'i2tod', 'ftod', 'name_text']) inliners.set(name, (_g, a) => a);
inliners.set('int84', (g, a) => `(typeof ${a} === 'number' && ${a} === (${a} | 0) ? ${a} : ${slow(g, 'int84')}(${a}))`);
inliners.set('i4toi2', (g, a) => `(${a} >= -32768 && ${a} <= 32767 ? ${a} : ${slow(g, 'i4toi2')}(${a}))`);
inliners.set('i8tod', (_g, a) => `Number(${a})`);
inliners.set('int4_bool', (_g, a) => `${a} !== 0`);
inliners.set('bool_int4', (_g, a) => `(${a} ? 1 : 0)`);
inliners.set('textcat', (g, a, b) => `${slow(g, 'textcat')}(${a}, ${b})`);

/** Functions that are not inlined but never return NULL for arguments that are not. */
export function neverReturnsNull(prosrc: string): boolean {
  return /^(?:numeric|text|bpchar|bytea|interval|timetz|array|jsonb|record|enum|name|float|date|timestamp|btrecord|bt)\w*_?(?:eq|ne|lt|le|gt|ge|cmp)$/.test(prosrc)
    || /^(?:text_?(?:lt|le|gt|ge|like|nlike|len|regexeq)|textlike|textnlike|numeric_(?:add|sub|mul|div))$/.test(prosrc);
}
