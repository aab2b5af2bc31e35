// Aggregates as text: what state one needs, how a value is added, what comes out. The common ones over fixed-size
// types keep plain numbers; any other calls the transition and final functions of pg_aggregate; DISTINCT and ORDER BY
// collect their input and run over it at the end.
import { PgError } from '../../common/errors.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { Aggref } from '../nodes/primnodes.ts';
import { type Datum, int8, type Int8, type Oid } from '../types/datum.ts';
import { divideNumeric, makeNumeric } from '../types/numeric.ts';
import type { Generator, Value } from './codegen.ts';
import { type ExprContext, genAtom, genExpr, genTest } from './expr_codegen.ts';
import { aggregate, callable, functionInfo, inputFunction } from './fmgr_info.ts';
import { type Comparator, hashKeyFunction, keyOf, sortComparator, sortOperator, typeComparator } from './sort_support.ts';
import { hashMemBytes, workMemBytes } from './memory.ts';
import { rowBytes, type RowReader, type SortSpec, Tuplesort } from './tuplesort.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { quicksort } from './qsort.ts';
import { collatedSort } from './collated_sort.ts';
import { compareWithoutCollation } from './collated.ts';
import { isNondeterministic } from '../types/collation.ts';

export interface StateVariable {
  /** The text of the initial value. */
  readonly init: string;
  /** Numbers only, so that groups can keep it in a Float64Array. */
  readonly numeric: boolean;
}

export interface AggCode {
  readonly state: readonly StateVariable[];
  /** Adds a row. `ref(i)` is the text of state variable i, to be read or assigned; `group` that of the group's number. */
  readonly accumulate: (g: Generator, cx: ExprContext, ref: (i: number) => string, group: string) => void;
  /** The value; `cx` is where the finished group is, for direct arguments. */
  readonly final: (g: Generator, ref: (i: number) => string, group: string, cx: ExprContext) => Value;
  /** For aggregation in two steps: the state as a value of a type, and how such values are put together. */
  readonly step?: AggStep;
  /** The state is that of the catalog's transition function: another aggregate with the same one may finish it. */
  readonly shared?: true;
}
interface AggStep {
  readonly type: Oid;
  readonly give: (g: Generator, ref: (i: number) => string, group: string) => Value;
  /** `value` is not NULL. */
  readonly combine: (g: Generator, ref: (i: number) => string, group: string, value: string) => void;
}
const INT8 = 20, TEXT = 25, BOOLEAN = 16, INTERNAL = 2281;

const LIMIT = 4503599627370496; // 2^52: room to add one more safe value exactly

/** Sums that left the safe range, in part: group number to what was carried away. */
class Carry {
  readonly parts = new Map<number, bigint>();
  /** Keeps `value` for the group; the running sum starts again from 0. */
  add(group: number, value: Int8): number {
    this.parts.set(group, (this.parts.get(group) ?? 0n) + BigInt(value));
    return 0;
  }
  total(group: number, rest: number): bigint | number {
    const part = this.parts.get(group);
    return part === undefined ? rest : part + BigInt(rest);
  }
}
const int8Sum = (carry: Carry, group: number, rest: number): Int8 => {
  const total = carry.total(group, rest);
  if (typeof total === 'number') return total;
  if (total > 9223372036854775807n || total < -9223372036854775808n) throw new PgError('numeric_value_out_of_range', 'bigint out of range');
  return int8(total);
};
const numericSum = (carry: Carry, group: number, rest: number): Datum => makeNumeric(BigInt(carry.total(group, rest)), 0);
const numericAverage = (carry: Carry, group: number, rest: number, count: number): Datum =>
  divideNumeric(makeNumeric(BigInt(carry.total(group, rest)), 0), makeNumeric(BigInt(count), 0));

const number: StateVariable = { init: '0', numeric: true };
const datum: StateVariable = { init: 'null', numeric: false };

/** Wraps an accumulation into the tests for FILTER and NULL. */
function whenPresent(g: Generator, node: Aggref, cx: ExprContext, body: (arg: Value) => void): void {
  const rest = (): void => {
    const arg = genAtom(g, node.args[0]!.expr, cx);
    if (arg.nullable) g.block(`if (${arg.code} !== null)`, () => body(arg));
    else body(arg);
  };
  if (node.aggfilter === null) rest();
  else g.block(`if (${genTest(g, node.aggfilter, cx)})`, rest);
}

const nullIfNone = (g: Generator, count: string, code: string): Value => ({ code: g.local(`${count} === 0 ? null : ${code}`), nullable: true });

function count(node: Aggref): AggCode {
  return {
    state: [number],
    accumulate: (g, cx, ref) => {
      if (!node.aggstar && node.args.length > 0) whenPresent(g, node, cx, () => g.emit(`${ref(0)}++;`));
      else if (node.aggfilter !== null) g.emit(`if (${genTest(g, node.aggfilter, cx)}) ${ref(0)}++;`);
      else g.emit(`${ref(0)}++;`);
    },
    final: (_g, ref) => ({ code: ref(0), nullable: false }),
    step: { type: INT8, give: (_g, ref) => ({ code: ref(0), nullable: false }), combine: (g, ref, _group, value) => g.emit(`${ref(0)} += ${value};`) },
  };
}

/** A sum and how many were added, as text: it may have to wait in a file. */
const giveSum = (sum: bigint | number, count: number): string => `${sum} ${count}`;
const givenCount = (given: string): number => Number(given.slice(given.indexOf(' ') + 1));
const givenFloat = (given: string): number => Number(given.slice(0, given.indexOf(' ')));
const addGiven = (carry: Carry, group: number, rest: number, given: string): number => {
  carry.add(group, int8(BigInt(given.slice(0, given.indexOf(' ')))));
  return rest;
};
const giveExact = (carry: Carry, group: number, rest: number, count: number): string => giveSum(carry.total(group, rest), count);

/** sum and avg of int2, int4 and int8: an exact number, carried over to a bigint before it gets too large. */
function integerSum(node: Aggref, wide: boolean, result: 'int8' | 'numeric' | 'average'): AggCode {
  let carry = '';
  const carryOf = (g: Generator): string => {
    if (carry === '') carry = g.state('null', 'carry');
    return carry;
  };
  return {
    state: [number, number],
    accumulate: (g, cx, ref, group) => {
      const c = carryOf(g);
      whenPresent(g, node, cx, (arg) => {
        g.emit(`${ref(1)}++;`);
        const add = (): void => {
          const sum = g.local(`${ref(0)} + ${arg.code}`);
          g.emit(`${ref(0)} = ${sum} < ${LIMIT} && ${sum} > -${LIMIT} ? ${sum} : ${wide ? `(${c}.add(${group}, ${ref(0)}), ${c}.add(${group}, ${arg.code}))` : `${c}.add(${group}, ${sum})`};`);
        };
        if (wide) {
          g.block(`if (typeof ${arg.code} === 'number')`, add);
          g.emit(`else ${c}.add(${group}, ${arg.code});`);
        } else add();
      });
    },
    final: (g, ref, group) => {
      const c = carryOf(g);
      switch (result) {
        case 'int8': return nullIfNone(g, ref(1), `${g.konst(int8Sum)}(${c}, ${group}, ${ref(0)})`);
        case 'numeric': return nullIfNone(g, ref(1), `${g.konst(numericSum)}(${c}, ${group}, ${ref(0)})`);
        case 'average': return nullIfNone(g, ref(1), `${g.konst(numericAverage)}(${c}, ${group}, ${ref(0)}, ${ref(1)})`);
      }
    },
    step: {
      type: TEXT, give: (g, ref, group) => ({ code: g.local(`${g.konst(giveExact)}(${carryOf(g)}, ${group}, ${ref(0)}, ${ref(1)})`), nullable: false }),
      combine: (g, ref, group, value) => g.emit(`${ref(0)} = ${g.konst(addGiven)}(${carryOf(g)}, ${group}, ${ref(0)}, ${value}); ${ref(1)} += ${g.konst(givenCount)}(${value});`),
    },
    carryName: carryOf,
  } as AggCode & { carryName: (g: Generator) => string };
}

/** The carries are made anew each time the node is entered. */
export function resetCarry(g: Generator, code: AggCode): void {
  const { carryName } = code as { carryName?: (g: Generator) => string };
  if (carryName !== undefined) g.emit(`${carryName(g)} = new ${g.konst(Carry)}();`);
}

const overflow = (): never => { throw new PgError('numeric_value_out_of_range', 'value out of range: overflow'); };

function floatSum(node: Aggref, average: boolean, single: boolean): AggCode {
  return {
    state: [number, number],
    accumulate: (g, cx, ref) => whenPresent(g, node, cx, (arg) => {
      const sum = g.local(single ? `Math.fround(${ref(0)} + ${arg.code})` : `${ref(0)} + ${arg.code}`);
      // An infinite sum of finite numbers is an overflow.
      g.emit(`if (${sum} - ${sum} !== 0 && isFinite(${ref(0)}) && isFinite(${arg.code})) ${g.konst(overflow)}();`);
      g.emit(`${ref(0)} = ${sum}; ${ref(1)}++;`);
    }),
    final: (g, ref) => nullIfNone(g, ref(1), average ? `${ref(0)} / ${ref(1)}` : ref(0)),
    step: {
      type: TEXT, give: (g, ref) => ({ code: g.local(`${g.konst(giveSum)}(${ref(0)}, ${ref(1)})`), nullable: false }),
      combine: (g, ref, _group, value) => {
        const given = g.local(`${g.konst(givenFloat)}(${value})`);
        const sum = g.local(single ? `Math.fround(${ref(0)} + ${given})` : `${ref(0)} + ${given}`);
        g.emit(`if (${sum} - ${sum} !== 0 && isFinite(${ref(0)}) && isFinite(${given})) ${g.konst(overflow)}();`);
        g.emit(`${ref(0)} = ${sum}; ${ref(1)} += ${g.konst(givenCount)}(${value});`);
      },
    },
  };
}

const PLAIN_EXTREMES = new Set(['int2', 'int4', 'int8', 'oid', 'date_', 'time_', 'timestamp_', 'timestamptz_', 'cash']);

function extreme(node: Aggref, largest: boolean, plain: boolean): AggCode {
  const type = exprType(node.args[0]!.expr), orEqual = type !== 1042 && isNondeterministic(node.inputcollid) ? '=' : ''; // of equal ones the last
  const compare = plain ? null : compareWithoutCollation(type, node.inputcollid) ?? typeComparator(type, node.inputcollid);
  return {
    state: [datum],
    accumulate: (g, cx, ref) => whenPresent(g, node, cx, (arg) => {
      const op = `${largest ? '>' : '<'}${orEqual}`;
      const better = plain ? `${arg.code} ${op} ${ref(0)}` : `${g.konst(compare)}(${arg.code}, ${ref(0)}) ${op} 0`;
      g.emit(`if (${ref(0)} === null || ${better}) ${ref(0)} = ${arg.code};`);
    }),
    final: (_g, ref) => ({ code: ref(0), nullable: true }),
    step: {
      type, give: (_g, ref) => ({ code: ref(0), nullable: true }),
      combine: (g, ref, _group, value) => {
        const op = `${largest ? '>' : '<'}${orEqual}`;
        g.emit(`if (${ref(0)} === null || ${plain ? `${value} ${op} ${ref(0)}` : `${g.konst(compare)}(${value}, ${ref(0)}) ${op} 0`}) ${ref(0)} = ${value};`);
      },
    },
  };
}

function booleanAggregate(node: Aggref, and: boolean): AggCode {
  return {
    state: [datum],
    accumulate: (g, cx, ref) => whenPresent(g, node, cx, (arg) => {
      g.emit(`if (${ref(0)} !== ${!and}) ${ref(0)} = ${arg.code};`);
    }),
    final: (_g, ref) => ({ code: ref(0), nullable: true }),
    step: { type: BOOLEAN, give: (_g, ref) => ({ code: ref(0), nullable: true }), combine: (g, ref, _group, value) => g.emit(`if (${ref(0)} !== ${!and}) ${ref(0)} = ${value};`) },
  };
}

type Fn = (...args: any[]) => any;

/** An aggregate by its catalog entry, for use from here and from window functions. */
export interface GenericAggregate {
  readonly init: () => Datum;
  /** A strict transition function takes the first value as its state when there is no initial one. */
  readonly takesFirst: boolean;
  readonly strict: boolean;
  readonly step: Fn;
  readonly final: (state: Datum, direct: readonly Datum[]) => Datum;
  readonly argCount: number;
  /** Takes a row out again, in moving-aggregate mode; null: it cannot, and the rows left are added up anew. */
  readonly inverse: Fn | null;
}

export function genericAggregate(fnoid: Oid, argTypes: readonly Oid[], transType: Oid, resultType: Oid, collation: Oid, variadic: boolean, moving = false): GenericAggregate {
  const row = aggregate(fnoid);
  const agg = moving
    ? { aggtransfn: row.aggmtransfn, aggfinalfn: row.aggmfinalfn, aggfinalextra: row.aggmfinalextra, agginitval: row.aggminitval } : row;
  const trans = functionInfo(agg.aggtransfn);
  const finalInfo = agg.aggfinalfn === 0 ? null : functionInfo(agg.aggfinalfn);
  const initval = agg.agginitval;
  const init: () => Datum = initval === null ? () => null : ((input) => () => input(initval, -1))(inputFunction(transType));
  const step = callable(trans, [transType, ...argTypes], transType, collation, variadic, true);
  let final: GenericAggregate['final'] = (state) => state;
  if (finalInfo !== null) {
    const extra = agg.aggfinalextra ? argTypes.map(() => null) : [];
    const fn = callable(finalInfo, [transType, ...argTypes], resultType, collation, variadic, true);
    final = (state, direct) => (finalInfo.strict && (state === null || direct.includes(null)) ? null : fn(state, ...direct, ...extra.slice(direct.length)) ?? null);
  }
  const inverse = moving ? callable(functionInfo(row.aggminvtransfn), [transType, ...argTypes], transType, collation, variadic, true) : null;
  return { init, takesFirst: trans.strict && initval === null, strict: trans.strict, step, final, argCount: argTypes.length, inverse };
}

export function runStep(agg: GenericAggregate, state: Datum, first: boolean, args: readonly Datum[]): Datum {
  if (agg.strict) {
    if (args.includes(null)) return state;
    if (first && agg.takesFirst) return args[0]!;
    if (state === null) return null;
  }
  return agg.step(state, ...args) ?? null;
}

function generic(node: Aggref): AggCode {
  const args = node.args.filter((a) => !a.resjunk);
  const agg = genericAggregate(node.aggfnoid, node.aggargtypes.length > 0 ? node.aggargtypes : args.map((a) => exprType(a.expr)), node.aggtranstype, node.aggtype, node.inputcollid, node.aggvariadic);
  return {
    state: [{ init: '', numeric: false }, ...(agg.takesFirst ? [number] : [])].map((s, i) => (i === 0 ? { ...s, init: 'init' } : s)),
    accumulate: (g, cx, ref) => {
      const body = (): void => {
        const values = args.map((a) => genAtom(g, a.expr, cx));
        const present = agg.strict ? values.filter((v) => v.nullable).map((v) => `${v.code} !== null`) : [];
        const call = `${g.konst(agg.step)}(${[ref(0), ...values.map((v) => v.code)].join(', ')}) ?? null`;
        const step = (): void => {
          if (agg.takesFirst) g.emit(`if (${ref(1)} === 0) { ${ref(1)} = 1; ${ref(0)} = ${values[0]!.code}; } else if (${ref(0)} !== null) ${ref(0)} = ${call};`);
          else if (agg.strict) g.emit(`if (${ref(0)} !== null) ${ref(0)} = ${call};`);
          else g.emit(`${ref(0)} = ${call};`);
        };
        if (present.length > 0) g.block(`if (${present.join(' && ')})`, step);
        else step();
      };
      if (node.aggfilter === null) body();
      else g.block(`if (${genTest(g, node.aggfilter, cx)})`, body);
    },
    final: (g, ref) => ({ code: g.local(`${g.konst(agg.final)}(${ref(0)}, ${g.konst(NO_DIRECT)})`), nullable: true }),
    initial: agg.init, shared: true,
    ...genericStep(node, agg),
  } as AggCode & { initial: () => Datum };
}
const NO_DIRECT: readonly Datum[] = [];

/** By the combine function, and where states are no values of a type, by those that make them bytes and read these. */
function genericStep(node: Aggref, agg: GenericAggregate): { step?: AggStep } {
  const { aggcombinefn, aggserialfn, aggdeserialfn } = aggregate(node.aggfnoid);
  const isInternal = node.aggtranstype === INTERNAL;
  if (aggcombinefn === 0 || (isInternal && (aggserialfn === 0 || aggdeserialfn === 0))) return {};
  const infos = [aggcombinefn, ...(isInternal ? [aggserialfn, aggdeserialfn] : [])].map(functionInfo);
  if (infos.some((f) => f.builtin === undefined)) return {};
  const type = isInternal ? infos[1]!.resultType : node.aggtranstype;
  const [merge, serialize, deserialize] = infos.map((f, i) => callable(f, i === 0 ? [node.aggtranstype, node.aggtranstype] : [type], i === 1 ? type : node.aggtranstype, node.inputcollid, false, true)) as [Fn, Fn?, Fn?];
  const { strict } = infos[0]!;
  const give = (state: Datum): Datum => (state === null || serialize === undefined ? state : serialize(state));
  const combine = (state: Datum, given: Datum): Datum => {
    const other = deserialize === undefined ? given : deserialize(given, null) as Datum;
    return strict && state === null ? other : merge(state, other) ?? null;
  };
  return {
    step: {
      type, give: (g, ref) => ({ code: g.local(`${g.konst(give)}(${ref(0)})`), nullable: true }),
      combine: (g, ref, _group, value) => g.emit(`${agg.takesFirst ? `${ref(1)} = 1; ` : ''}${ref(0)} = ${g.konst(combine)}(${ref(0)}, ${value});`),
    },
  };
}

/** The type in which an aggregate's state can be handed on; 0: it cannot. */
export function partialType(node: Aggref): Oid {
  if (node.aggkind !== 'n' || node.aggdistinct.length > 0 || node.aggorder.length > 0 || aggregate(node.aggfnoid).aggcombinefn === 0) return 0;
  return wholeCode(node).step?.type ?? 0;
}

/** The text of a state variable's initial value. */
export function initialValue(g: Generator, code: AggCode, i: number): string {
  const { init } = code.state[i]!;
  if (init !== 'init') return init;
  return `${g.konst((code as unknown as { initial: () => Datum }).initial)}()`;
}

/** With fewer rows a group needs no table of them. */
const MIN_TABLE = 64;

/** Numbers of a DISTINCT: sorted, and each kept once, whenever there is no room left. */
class DistinctNumbers {
  private values = new Float64Array(2 * MIN_TABLE);
  private size = 0;

  add(value: number): void {
    if (this.size === this.values.length) {
      this.compact();
      if (this.size > this.values.length >> 1) {
        const wider = new Float64Array(2 * this.values.length);
        wider.set(this.values);
        this.values = wider;
      }
    }
    this.values[this.size++] = value;
  }

  get bytes(): number {
    return this.values.byteLength;
  }

  private compact(): void {
    const values = this.values.subarray(0, this.size).sort();
    let n = 0;
    for (let i = 0; i < values.length; i++) if (i === 0 || values[i] !== values[n - 1]) values[n++] = values[i]!;
    this.size = n;
    checkForInterrupts();
  }

  /** In ascending order. */
  all(): Float64Array {
    this.compact();
    return this.values.subarray(0, this.size);
  }
}

/** Of one argument: whose values are numbers in their own order, none of them -0 or NaN, or else bigints. */
const DISTINCT_NUMBERS = new Set([20, 21, 23, 26, 1082, 1114, 1184]);

/** What an entry of it takes beside the row. */
const ENTRY_BYTES = 32;

/** The input of one group; beyond work_mem it is sorted in files, where it can be. Of a DISTINCT one of many rows each value is kept once,
 * as long as the table of them has room. */
class Collected {
  rows: Datum[][] = [];
  /** Instead of the rows. */
  numbers: DistinctNumbers | null = null;
  /** The keys of the rows, none of which comes twice. */
  seen: Set<Datum> | null = null;
  sort: Tuplesort | null = null;
  /** What the transition function made of it, once it has: aggregates that share the input share this. */
  state: Datum | undefined = undefined;
  private bytes = 0;
  private readonly limit: number;
  private readonly spec: SortSpec | null;
  private readonly keyOfRow: KeyOfRow | null;
  private ofNumbers: boolean;

  constructor(spec: SortSpec | null, keyOfRow: KeyOfRow | null, ofNumbers: boolean) {
    this.ofNumbers = ofNumbers;
    this.spec = spec;
    this.keyOfRow = keyOfRow;
    this.limit = keyOfRow === null ? workMemBytes() : hashMemBytes();
  }

  push(row: Datum[]): void {
    const { numbers } = this;
    if (numbers !== null) {
      const [value] = row;
      if (typeof value === 'number' && numbers.bytes <= this.limit) {
        numbers.add(value);
        return;
      }
      this.numbers = null;
      this.ofNumbers = false;
      for (const each of numbers.all()) this.push([each]);
    }
    if (this.sort !== null) {
      this.sort.add(row);
      return;
    }
    if (this.seen !== null) {
      const { size } = this.seen;
      if (this.seen.add(this.keyOfRow!(row)).size === size) return;
      this.bytes += ENTRY_BYTES;
    }
    this.rows.push(row);
    this.bytes += rowBytes(row);
    if (this.keyOfRow !== null && this.seen === null && this.rows.length >= MIN_TABLE) this.makeTable(this.keyOfRow);
    if (this.bytes <= this.limit || this.spec === null) return;
    this.sort = new Tuplesort(this.spec, null);
    for (const each of this.rows) this.sort.add(each);
    this.rows = [];
    this.seen = null;
  }

  private makeTable(keyOfRow: KeyOfRow): void {
    if (this.ofNumbers && this.rows.every(([value]) => typeof value === 'number')) {
      this.numbers = new DistinctNumbers();
      for (const [value] of this.rows) this.numbers.add(value as number);
      this.rows = [];
      return;
    }
    this.seen = new Set();
    this.rows = distinctRows(this.rows, keyOfRow, this.seen);
    this.bytes = this.rows.reduce((n, row) => n + rowBytes(row) + ENTRY_BYTES, 0);
  }
}

type KeyOfRow = (row: Datum[]) => Datum;
const distinctRows = (rows: Datum[][], keyOfRow: KeyOfRow, seen = new Set<Datum>()): Datum[][] =>
  rows.filter((row) => {
    const { size } = seen;
    return seen.add(keyOfRow(row)).size > size;
  });

/** DISTINCT, ORDER BY and ordered-set aggregates: all input of the group is kept, then sorted and run. */
function collected(node: Aggref): AggCode {
  const args = node.args;
  const plainArgs = args.filter((a) => !a.resjunk).length;
  const columnOf = (ref: number): number => args.findIndex((a) => a.ressortgroupref === ref);
  const distinct = node.aggdistinct.map((c) => columnOf(c.tleSortGroupRef));
  const compares: { column: number; compare: Comparator; reverse: boolean; nullsFirst: boolean }[] = [];
  for (const c of [...node.aggorder, ...node.aggdistinct]) {
    const column = columnOf(c.tleSortGroupRef);
    if (compares.some((x) => x.column === column)) continue;
    const type = exprType(args[column]!.expr);
    const sort = c.sortop !== 0 ? sortComparator(c.sortop, type, exprCollation(args[column]!.expr)) : { compare: (() => 0) as Comparator, reverse: false };
    compares.push({ column, ...sort, nullsFirst: c.nulls_first });
  }
  const orderedSet = node.aggkind !== 'n';
  const counts = !orderedSet && functionInfo(aggregate(node.aggfnoid).aggtransfn).prosrc === 'int8inc_any'; // in whatever order
  const argTypes = orderedSet ? node.aggargtypes : args.slice(0, plainArgs).map((a) => exprType(a.expr));
  const agg = orderedSet ? null : genericAggregate(node.aggfnoid, argTypes, node.aggtranstype, node.aggtype, node.inputcollid, node.aggvariadic);
  const hashes = distinct.map((c) => hashKeyFunction(exprType(args[c]!.expr), exprCollation(args[c]!.expr)));
  const [only] = distinct;
  const keyOfRow: KeyOfRow | null = only === undefined ? null
    : distinct.length === 1 ? (r) => (r[only] === null ? null : hashes[0]!(r[only]))
      : (r) => keyOf(distinct.map((c, i) => (r[c] === null ? null : hashes[i]!(r[c]))));
  const order = (a: Datum[], b: Datum[]): number => {
    for (const { column, compare, reverse, nullsFirst } of compares) {
      const x = a[column]!;
      const y = b[column]!;
      if (x === null || y === null) {
        if (x !== y) return (x === null) === nullsFirst ? -1 : 1;
        continue;
      }
      const c = compare(x, y);
      if (c !== 0) return reverse ? -c : c;
    }
    return 0;
  };
  const finish = (list: Collected | null, direct: Datum[]): Datum => {
    if (list !== null && list.state !== undefined) return agg!.final(list.state, NO_DIRECT);
    if (list !== null && list.numbers !== null && counts) return agg!.final(list.state = list.numbers.all().length, NO_DIRECT);
    if (list?.sort) return agg!.final(list.state = runOver(list.sort.finish().reader(), list), NO_DIRECT);
    let rows = list?.numbers ? Array.from(list.numbers.all(), (value): Datum[] => [value]) : list?.rows ?? [];
    if (agg?.strict) rows = rows.filter((r) => !r.slice(0, plainArgs).includes(null));
    if (keyOfRow !== null && list !== null && list.seen === null && list.numbers === null) rows = distinctRows(rows, keyOfRow);
    if (agg === null && !orderedSetFunctions.has(finalSource(node))) return ownOrderedSetResult(node, rows.map((r) => r.slice(0, plainArgs)), direct);
    const [main] = compares;
    if (main !== undefined && !counts) rows = collatedSort(rows, main.column, main, order, quicksort) ?? (quicksort(rows, order), rows);
    if (agg === null) return orderedSetResult(node, rows, direct, order);
    let state = agg.init();
    let first = true;
    for (const row of rows) {
      state = runStep(agg, state, first, plainArgs === row.length ? row : row.slice(0, plainArgs));
      first = false;
    }
    if (list !== null) list.state = state;
    return agg.final(state, NO_DIRECT);
  };
  /** The same over rows that were sorted in files: those that are not distinct come one after the other. */
  const runOver = (rows: RowReader, list: Collected): Datum => {
    let state = agg!.init();
    let first = true;
    let before: Datum[] | null = null;
    for (let row, n = 1; (row = rows.next()) !== undefined; n++) {
      if ((n & 1023) === 0) checkForInterrupts();
      const same = before !== null && distinct.length > 0 && distinct.every((c, i) => (row![c] === null || before![c] === null ? row![c] === before![c] : hashes[i]!(row![c]) === hashes[i]!(before![c])));
      before = row;
      const values = plainArgs === row.length ? row : row.slice(0, plainArgs);
      if (same || (agg!.strict && values.includes(null))) continue;
      state = runStep(agg!, state, first, values);
      first = false;
    }
    list.sort!.close();
    return state;
  };
  const clauses = [...node.aggorder, ...node.aggdistinct.filter((d) => !node.aggorder.some((o) => o.tleSortGroupRef === d.tleSortGroupRef))];
  const spec: SortSpec | null = orderedSet || clauses.some((c) => c.sortop === 0) ? null : {
    keys: clauses.map((c) => {
      const column = columnOf(c.tleSortGroupRef);
      return { column: column + 1, sortop: c.sortop, collation: exprCollation(args[column]!.expr), nullsFirst: c.nulls_first, type: exprType(args[column]!.expr), reverse: sortOperator(c.sortop).reverse };
    }),
    types: args.map((a) => exprType(a.expr)),
  };
  const ofNumbers = only !== undefined && args.length === 1 && DISTINCT_NUMBERS.has(exprType(args[0]!.expr));
  return {
    state: [datum],
    accumulate: (g, cx, ref) => {
      const body = (): void => {
        const values = args.map((a) => genExpr(g, a.expr, cx).code);
        g.emit(`(${ref(0)} ?? (${ref(0)} = new ${g.konst(Collected)}(${g.konst(spec)}, ${g.konst(keyOfRow)}, ${ofNumbers}))).push([${values.join(', ')}]);`);
      };
      if (node.aggfilter === null) body();
      else g.block(`if (${genTest(g, node.aggfilter, cx)})`, body);
    },
    final: (g, ref, _group, cx) => {
      const direct = node.aggdirectargs.map((d) => genExpr(g, d, cx).code);
      return { code: g.local(`${g.konst(finish)}(${ref(0)}, [${direct.join(', ')}])`), nullable: true };
    },
    ...(agg === null ? {} : { shared: true }),
  };
}

/** Filled in by orderedset.ts: percentile_cont, mode, rank(...) WITHIN GROUP, by prosrc of the final function. */
export const orderedSetFunctions = new Map<string, (node: Aggref, rows: Datum[][], direct: Datum[], order: (a: Datum[], b: Datum[]) => number) => Datum>();

const finalSource = (node: Aggref): string => {
  const { aggfinalfn } = aggregate(node.aggfnoid);
  return aggfinalfn === 0 ? '' : functionInfo(aggfinalfn).prosrc;
};
const orderedSetResult = (node: Aggref, rows: Datum[][], direct: Datum[], order: (a: Datum[], b: Datum[]) => number): Datum =>
  orderedSetFunctions.get(finalSource(node))!(node, rows, direct, order);

/** An ordered-set aggregate whose functions are the user's: the rows come to them as they are. */
function ownOrderedSetResult(node: Aggref, rows: readonly Datum[][], direct: readonly Datum[]): Datum {
  const { aggtransfn, aggfinalfn, aggfinalextra, agginitval } = aggregate(node.aggfnoid);
  const types = node.aggargtypes.slice(node.aggargtypes.length - (rows[0]?.length ?? 0));
  const trans = functionInfo(aggtransfn), step = callable(trans, [node.aggtranstype, ...types], node.aggtranstype, node.inputcollid);
  let state: Datum = agginitval === null ? null : inputFunction(node.aggtranstype)(agginitval, -1);
  let empty = agginitval === null;
  for (const row of rows) {
    if (trans.strict) {
      if (row.includes(null)) continue;
      if (empty) {
        state = row[0]!;
        empty = false;
        continue;
      }
      if (state === null) continue;
    }
    state = step(state, ...row);
  }
  if (aggfinalfn === 0) return state;
  const final = functionInfo(aggfinalfn);
  const args = [state, ...direct, ...(aggfinalextra ? types.map(() => null) : [])];
  if (final.strict && args.includes(null)) return null;
  return callable(final, [node.aggtranstype, ...node.aggargtypes], node.aggtype, node.inputcollid)(...args);
}

/** The code for an aggregate call, or for one of its two steps. */
export function aggCode(node: Aggref): AggCode {
  const code = wholeCode(node);
  const { step } = code;
  if (node.aggsplit === undefined || step === undefined) return code;
  if (node.aggsplit === 'partial') return { ...code, final: step.give };
  return {
    ...code,
    accumulate: (g, cx, ref, group) => {
      const given = genAtom(g, node.args[0]!.expr, cx);
      g.block(`if (${given.code} !== null)`, () => step.combine(g, ref, group, given.code));
    },
  };
}

/** The best code. */
function wholeCode(node: Aggref): AggCode {
  if (node.aggkind !== 'n' || node.aggdistinct.length > 0 || node.aggorder.length > 0) {
    const simple = node.aggkind === 'n' && orderDoesNotMatter(node);
    if (!simple) return collected(node);
  }
  const agg = aggregate(node.aggfnoid);
  const trans = functionInfo(agg.aggtransfn).prosrc;
  const final = agg.aggfinalfn === 0 ? '' : functionInfo(agg.aggfinalfn).prosrc;
  switch (trans) {
    case 'int8inc': case 'int8inc_any': return count(node);
    case 'int2_sum': case 'int4_sum': return integerSum(node, false, 'int8');
    case 'int2_avg_accum': case 'int4_avg_accum': return integerSum(node, false, 'average');
    case 'int8_avg_accum':
      if (final === 'numeric_poly_sum') return integerSum(node, true, 'numeric');
      if (final === 'numeric_poly_avg') return integerSum(node, true, 'average');
      break;
    case 'float8pl': return floatSum(node, false, false);
    case 'float4pl': return floatSum(node, false, true);
    case 'float8_accum': case 'float4_accum':
      if (final === 'float8_avg') return floatSum(node, true, false);
      break;
    case 'booland_statefunc': return booleanAggregate(node, true);
    case 'boolor_statefunc': return booleanAggregate(node, false);
    default: {
      const match = /^(.*?)_?(larger|smaller)$/.exec(trans);
      if (match !== null) {
        const plain = PLAIN_EXTREMES.has(match[1]!) || PLAIN_EXTREMES.has(`${match[1]!}_`);
        return extreme(node, match[2] === 'larger', plain);
      }
    }
  }
  return generic(node);
}

/** ORDER BY or DISTINCT inside changes nothing: min and max, or ORDER BY in count and integer sums. */
function orderDoesNotMatter(node: Aggref): boolean {
  const trans = functionInfo(aggregate(node.aggfnoid).aggtransfn).prosrc;
  if (/(larger|smaller)$/.test(trans) || /^bool(and|or)_statefunc$/.test(trans)) return true;
  return node.aggdistinct.length === 0 && /^(int8inc|int8inc_any|int[248]_(sum|avg_accum))$/.test(trans);
}
