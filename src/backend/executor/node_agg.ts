// Agg: aggregation without groups, over sorted input, or by hashing; grouping sets that begin with each other in one go over sorted
// input, others over the same rows sorted again, or by hashing once for each set.
// States are local variables, or for hashed groups arrays indexed by the group's number, so that adding a row to a
// group allocates nothing.
import { exprType, expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import { OUTER_VAR, type Agg, type GroupingPhase, type GroupKey } from '../nodes/plannodes.ts';
import type { Aggref, Expr } from '../nodes/primnodes.ts';
import type { Column, Value } from './codegen.ts';
import { aggCode, type AggCode, initialValue, resetCarry } from './agg_functions.ts';
import './orderedset.ts';
import { type ExprContext, genFilter } from './expr_codegen.ts';
import { aggregate } from './fmgr_info.ts';
import { datumBytes, isFixedSize } from './memory.ts';
import { growFloats, IntGroups, MapGroups, MultiGroups } from './group_table.ts';
import { GroupSpill, spillHash } from './hash_spill.ts';
import { outputTypes, readBack } from './node_sort.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Consumer, PlanCompiler, Producer } from './plan_compiler.ts';
import { containsVolatile } from './plan_walker.ts';
import { hashKeyFunction, isPrimitiveKey } from './sort_support.ts';
import { Tuplesort } from './tuplesort.ts';
import { hashWithoutCollation } from './collated.ts';

/** `stateOf`: the use whose state it finishes: its own or an earlier one's. */
interface AggUse { node: Aggref; code: AggCode; stateOf: number }

/** What calls with the same input and transition function have in common, as text (find_compatible_trans); null: nothing. */
function transitionText(node: Aggref, code: AggCode): string | null {
  const agg = aggregate(node.aggfnoid);
  if (code.shared === undefined || node.aggsplit !== undefined || agg.aggfinalmodify === 'w') return null;
  const { args, aggorder, aggdistinct, aggfilter, inputcollid, aggtranstype } = node;
  return textOf({ args, aggorder, aggdistinct, aggfilter, inputcollid, aggtranstype, trans: agg.aggtransfn, initval: agg.agginitval });
}

const textOf = (e: object): string => JSON.stringify(e, (key, value) => (key === 'location' ? undefined : typeof value === 'bigint' ? `${value}n` : value));

/** Calls with the same meaning are one; those that only finish differently share the state. */
function collectAggs(plan: Agg): { uses: AggUse[]; useOf: Map<Expr, number>; outerColumns: number[] } {
  const uses: AggUse[] = [];
  const useOf = new Map<Expr, number>();
  const byText = new Map<string, number>(), byTransition = new Map<string, number>();
  const outer = new Set<number>();
  const visit = (e: Expr): void => {
    if (e.kind === 'Aggref') {
      const again = !containsVolatile(e), text = textOf(e);
      let i = again ? byText.get(text) : undefined;
      if (i === undefined) {
        i = uses.length;
        const code = aggCode(e), transition = again ? transitionText(e, code) : null;
        const stateOf = transition === null ? i : byTransition.get(transition) ?? i;
        uses.push({ node: e, code: stateOf === i ? code : { final: code.final, state: [], accumulate: () => {} }, stateOf });
        if (transition !== null && stateOf === i) byTransition.set(transition, i);
        byText.set(text, i);
      }
      useOf.set(e, i);
      return;
    }
    if (e.kind === 'Var' && e.varno === OUTER_VAR) outer.add(e.varattno);
    expressionChildren(e, visit);
  };
  for (const tle of plan.targetlist) visit(tle.expr);
  for (const q of plan.qual) visit(q);
  return { uses, useOf, outerColumns: [...outer].sort((a, b) => a - b) };
}

/** Visits the direct children of an expression. */
function expressionChildren(e: Expr, visit: (child: Expr) => void): void {
  let depth = 0;
  const walker = (node: any): boolean => {
    if (node === null || typeof node !== 'object') return false;
    if (depth > 0 && 'kind' in node) {
      visit(node as Expr);
      return false;
    }
    depth++;
    const found = expressionTreeWalker(node, walker);
    depth--;
    return found;
  };
  walker(e);
}

export const agg: Producer<Agg> = (pc, plan, consume) => {
  if (plan.groupingSets !== null) {
    producedBySets(pc, plan, plan.groupingSets.filter((p) => p.hashed).flatMap((p) => p.sets), consume, plan.groupingSets.filter((p) => !p.hashed));
    return;
  }
  switch (plan.aggstrategy) {
    case 'plain': return plainAgg(pc, plan, consume);
    case 'sorted': return sortedAgg(pc, plan, consume);
    case 'hashed': case 'mixed': return producedBySets(pc, plan, [plan.groupKeys.map((_k, i) => i)], consume);
  }
};

/** Emits filter, projection and the consumer over finished states. */
function emitGroup(
  pc: PlanCompiler, plan: Agg, uses: AggUse[], useOf: Map<Expr, number>, outer: (attno: number) => Column,
  refs: (agg: number, i: number) => string, group: string, grouped: ReadonlySet<number> | null, consume: Consumer,
): void {
  const { g } = pc;
  const finals = new Map<number, Value>();
  const cx: ExprContext = {
    ...pc.context({}),
    var: (node: { varattno: number }) => outer(node.varattno),
    aggref: (node: Aggref): Value => {
      const i = useOf.get(node)!;
      let value = finals.get(i);
      if (value === undefined) finals.set(i, (value = uses[i]!.code.final(g, (s) => refs(uses[i]!.stateOf, s), group, cx)));
      return value;
    },
    grouping: (node: { refs: number[] }): Value => {
      let bits = 0;
      for (const ref of node.refs) {
        const key = plan.groupRefs.indexOf(ref);
        bits = bits * 2 + (grouped !== null && !grouped.has(key) ? 1 : 0);
      }
      return { code: String(bits), nullable: false };
    },
  };
  // Final functions run here, not inside some branch of an expression, where their result would not be seen later.
  uses.forEach((use, i) => finals.set(i, g.atomic(use.code.final(g, (s) => refs(use.stateOf, s), group, cx))));
  g.labelled((label) => {
    genFilter(g, plan.qual, cx, pc.counted(plan, g.jumpCode(label)));
    consume(pc.project(plan.targetlist, cx));
  });
}

function plainAgg(pc: PlanCompiler, plan: Agg, consume: Consumer): void {
  const { g } = pc;
  const { uses, useOf } = collectAggs(plan);
  const child = plan.lefttree!;
  pc.allowRepeats(child);
  const names = uses.map(({ code }) => {
    resetCarry(g, code);
    return code.state.map((_s, i) => pc.variable(child, initialValue(g, code, i)));
  });
  const refs = (a: number, i: number): string => names[a]![i]!;
  pc.produce(child, (columns) => {
    const cx = pc.context({ outer: columns });
    g.block('', () => {
      uses.forEach(({ code }, a) => code.accumulate(g, cx, (i) => refs(a, i), '0'));
    });
  });
  const none: Column = { nullable: true, type: 0, read: () => 'null' };
  emitGroup(pc, plan, uses, useOf, () => none, refs, '0', null, consume);
}

/** Input arrives ordered by the group keys. */
function sortedAgg(pc: PlanCompiler, plan: Agg, consume: Consumer): void {
  const { g } = pc;
  const { uses, useOf, outerColumns } = collectAggs(plan);
  const child = plan.lefttree!;
  const group = pc.variable(child, '0');
  const kept = new Map<number, string>();
  for (const attno of outerColumns) kept.set(attno, pc.variable(child, 'null'));
  const keyNames = plan.groupKeys.map(() => pc.variable(child, 'undefined'));
  const names = uses.map(({ code }) => {
    resetCarry(g, code);
    return code.state.map((_s, i) => pc.variable(child, initialValue(g, code, i)));
  });
  const refs = (a: number, i: number): string => names[a]![i]!;
  // The finished group is passed on from two places: at a change of key and at the end.
  const types = [...kept.keys()].map((attno) => ({ nullable: true, type: exprType(child.targetlist[attno - 1]!.expr) }));
  const width = types.length;
  const states = names.flat();
  const out = pc.outline((columns) => {
    const outer = (attno: number): Column => columns[[...kept.keys()].indexOf(attno)]!;
    const at = (a: number, i: number): string => {
      let n = width;
      for (let k = 0; k < a; k++) n += names[k]!.length;
      return g.column(columns[n + i]!).code;
    };
    emitGroup(pc, plan, uses, useOf, outer, at, g.column(columns[width + states.length]!).code, null, consume);
  }, width + states.length + 1, () => true, (i) => types[i]?.type ?? 0);
  const asColumn = (code: string): Column => ({ nullable: true, type: 0, read: () => code });
  const flush = (): void => out([...[...kept.values()].map(asColumn), ...states.map(asColumn), asColumn(group)]);
  pc.produce(child, (columns) => {
    const cx = pc.context({ outer: columns });
    const keys = plan.groupKeys.map((k) => hashKey(pc, k, columns));
    const changed = keys.map((k, i) => differs(plan.groupKeys[i]!, k, keyNames[i]!)).join(' || ');
    g.block(`if (${group} === 0 || ${changed === '' ? 'false' : changed})`, () => {
      g.block(`if (${group} !== 0)`, () => {
        flush();
        names.forEach((list, a) => list.forEach((name, i) => g.emit(`${name} = ${initialValue(g, uses[a]!.code, i)};`)));
      });
      g.emit(`${group}++;`);
      keys.forEach((k, i) => g.emit(`${keyNames[i]} = ${k};`));
      for (const [attno, name] of kept) g.emit(`${name} = ${g.column(columns[attno - 1]!).code};`);
    });
    g.block('', () => uses.forEach(({ code }, a) => code.accumulate(g, cx, (i) => refs(a, i), group)));
  });
  g.block(`if (${group} !== 0)`, flush);
}

/** The test whether a key is another one; NaN is itself. */
const differs = (key: GroupKey, now: string, before: string): string => (key.type === 700 || key.type === 701 ? `!Object.is(${now}, ${before})` : `${now} !== ${before}`);

/** The primitive that stands for a key column in comparisons and hash tables. */
function hashKey(pc: PlanCompiler, key: GroupKey, columns: readonly Column[]): string {
  const { g } = pc;
  const value = g.column(columns[key.column - 1]!);
  const fails = hashWithoutCollation(key.type, key.collation);
  if (fails !== null) return `${g.konst(fails)}()`;
  if (isPrimitiveKey(key.type, key.collation)) return value.code;
  const fn = g.konst(hashKeyFunction(key.type, key.collation));
  return g.local(value.nullable ? `${value.code} === null ? null : ${fn}(${value.code})` : `${fn}(${value.code})`);
}

const INT_KEYS = new Set([21, 23, 1082]);

/** A grouping set over rows in order: `fresh` while its group has no row yet. */
interface SortedSet { grouped: number[]; fresh: string; group: string; kept: Map<number, string>; names: string[][]; flush: () => void }

interface Aggregates { uses: AggUse[]; useOf: Map<Expr, number>; outerColumns: number[]; firstGroup: number }

/** Grouping sets of rows in order, one phase after the other: what takes a row of the child, and what is to be done when there are no more. */
function sortedPhases(pc: PlanCompiler, plan: Agg, phases: readonly GroupingPhase[], { uses, useOf, outerColumns, firstGroup }: Aggregates, out: Consumer): { add: (columns: Column[]) => void; finish: () => void } {
  const { g } = pc;
  const child = plan.lefttree!;
  const types = outputTypes(child);
  const keyColumn = new Map(plan.groupKeys.map((k, i) => [k.column, i]));
  const variable = (init: string): string => {
    const name = g.state('null');
    g.emit(`${name} = ${init};`);
    return name;
  };
  let number = firstGroup;
  const sorted = phases.map((phase) => {
    const store = phase.sortKeys.length === 0 ? '' : g.state('null');
    if (store !== '') g.emit(`${store}?.close(); ${store} = new ${g.konst(Tuplesort)}(${g.konst({ keys: phase.sortKeys, types: types.map((t) => t.type) })}, null);`);
    const keys = phase.sets[0]!.map((k) => ({ number: k, before: variable('undefined') }));
    const sets = phase.sets.map((grouped): SortedSet => {
      const group = variable(String(number++ * 4294967296));
      const kept = new Map(outerColumns.filter((c) => !keyColumn.has(c) || grouped.includes(keyColumn.get(c)!)).map((c) => [c, variable('null')]));
      const names = uses.map(({ code }) => code.state.map((_s, i) => variable(initialValue(g, code, i))));
      const fresh = variable('true');
      const outer = new Map(outerColumns.map((attno): [number, Column] => [attno, { nullable: true, type: exprType(child.targetlist[attno - 1]!.expr), read: () => kept.get(attno) ?? 'null' }]));
      const fn = g.fn([], () => {
        emitGroup(pc, plan, uses, useOf, (attno) => outer.get(attno)!, (a, i) => names[a]![i]!, group, new Set(grouped), out);
        g.emit(`${fresh} = true; ${group}++;`);
        names.forEach((list, a) => list.forEach((name, i) => g.emit(`${name} = ${initialValue(g, uses[a]!.code, i)};`)));
      });
      return { grouped, fresh, group, kept, names, flush: () => g.call(fn, []) };
    });
    return { store, keys, sets };
  });
  const add = (n: number, columns: Column[], row?: string): void => {
    const { keys, sets } = sorted[n]!;
    const cx = pc.context({ outer: columns });
    if (n + 1 < sorted.length) g.emit(`${sorted[n + 1]!.store}.add(${row ?? pc.row(columns)});`);
    if (keys.length > 0) {
      const now = keys.map((k) => hashKey(pc, plan.groupKeys[k.number]!, columns));
      // How many keys are those of the row before.
      const same = g.local(keys.map((k, i) => `${differs(plan.groupKeys[k.number]!, now[i]!, k.before)} ? ${i} : `).join('') + String(keys.length));
      for (const s of sets) if (s.grouped.length > 0) g.block(`if (${same} < ${s.grouped.length} && !${s.fresh})`, s.flush);
      keys.forEach((k, i) => g.emit(`${k.before} = ${now[i]};`));
    }
    for (const s of sets) {
      g.block(`if (${s.fresh})`, () => {
        g.emit(`${s.fresh} = false;`);
        for (const [attno, name] of s.kept) g.emit(`${name} = ${g.column(columns[attno - 1]!).code};`);
      });
      g.block('', () => uses.forEach(({ code }, a) => code.accumulate(g, cx, (i) => s.names[a]![i]!, s.group)));
    }
  };
  const finish = (): void => sorted.forEach(({ store, sets }, n) => {
    if (store !== '') {
      g.emit(`${store}.finish();`);
      readBack(pc, store, types, (columns, row) => add(n, columns, row));
    }
    // The set without columns has its one group even when there was no input.
    for (const s of sets) {
      if (s.grouped.length === 0) s.flush();
      else g.block(`if (!${s.fresh})`, s.flush);
    }
  });
  return { add: (columns) => add(0, columns), finish };
}

interface SetState {
  grouped: number[]; table: string; count: string; capacity: string; kept: Map<number, string>; arrays: string[][];
  /** The files of groups that found no room. */
  spill: string;
  /** In the carries, group numbers of one table after the other. */
  base: string;
}

const INITIAL = 128;

/** Hashing: one table of groups for each grouping set (usually there is one set), and `phases` that are not hashed, the same rows' other groups. */
function producedBySets(pc: PlanCompiler, plan: Agg, sets: readonly number[][], consume: Consumer, phases: readonly GroupingPhase[] = []): void {
  const { g } = pc;
  const child = plan.lefttree!;
  if (phases.length === 0) pc.allowRepeats(child);
  const { uses, useOf, outerColumns } = collectAggs(plan);
  const out = sets.length === 1 && phases.length === 0 ? consume : pc.outlineFor(consume, plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) })));
  const keyColumn = new Map(plan.groupKeys.map((k, i) => [k.column, i]));
  const allKeys = new Set(sets.flat());
  for (const { code } of uses) resetCarry(g, code);
  const sorted = phases.length === 0 ? null : sortedPhases(pc, plan, phases, { uses, useOf, outerColumns, firstGroup: sets.length }, out);
  const types = outputTypes(child);
  const typeList = g.konst(types.map((t) => t.type));
  const freshArray = (numeric: boolean): string => (numeric ? `new Float64Array(${INITIAL})` : '[]');
  const states: SetState[] = sets.map((grouped) => ({
    grouped: [...grouped], table: '', count: pc.variable(child, '0'), capacity: pc.variable(child, String(INITIAL)),
    kept: new Map(outerColumns.filter((c) => !keyColumn.has(c) || grouped.includes(keyColumn.get(c)!)).map((c) => [c, pc.variable(child, '[]')])),
    arrays: uses.map(({ code }) => code.state.map((s) => pc.variable(child, freshArray(s.numeric)))),
    spill: '', base: '',
  }));
  const numericArrays = (s: SetState): string[] => uses.flatMap(({ code }, a) => code.state.map((v, i) => (v.numeric ? s.arrays[a]![i]! : '')).filter((x) => x !== ''));
  const otherArrays = (s: SetState): string[] => uses.flatMap(({ code }, a) => code.state.map((v, i) => (v.numeric ? '' : s.arrays[a]![i]!)).filter((x) => x !== ''));
  const makers = states.map((s, n) => {
    const Table = s.grouped.length !== 1 ? MultiGroups : INT_KEYS.has(plan.groupKeys[s.grouped[0]!]!.type) ? IntGroups : MapGroups;
    const groupBytes = Table.groupBytes * s.grouped.length + 8 * (s.kept.size + numericArrays(s).length) + 72 * otherArrays(s).length;
    s.spill = pc.variable(child, `new ${g.konst(GroupSpill)}(${typeList}, ${groupBytes})`);
    if (pc.options.instrument && n === 0) g.emit(`rt.notes.set(${g.konst(plan)}, ${s.spill});`);
    return `new ${g.konst(Table)}(${s.grouped.length !== 1 ? s.grouped.length : ''})`;
  });
  const limited = (s: SetState): string => ` ${s.table}.limit = ${s.spill}.maxGroups;`;
  states.forEach((s, n) => {
    s.table = pc.variable(child, makers[n]!);
    g.emit(limited(s));
    // A group number in the carries is set * 2^32 + group, so that sets do not share them.
    s.base = g.state(String(n * 4294967296));
    g.emit(`${s.base} = ${n * 4294967296};`);
  });
  const carryGroup = (s: SetState, gi: string): string => `(${s.base} + ${gi})`;

  /** Adds a row to its group in one set. */
  const accumulate = (s: SetState, columns: Column[], keys: ReadonlyMap<number, string>): void => {
    const cx = pc.context({ outer: columns });
    const { grouped } = s;
    let find = `${s.table}.find()`;
    if (grouped.length === 1) {
      const key = plan.groupKeys[grouped[0]!]!;
      const code = keys.get(grouped[0]!)!;
      find = INT_KEYS.has(key.type) && columns[key.column - 1]!.nullable ? `${code} === null ? ${s.table}.findNull() : ${s.table}.find(${code})` : `${s.table}.find(${code})`;
    } else grouped.forEach((k, i) => g.emit(`${s.table}.key[${i}] = ${keys.get(k)};`));
    const gi = g.local(find);
    g.labelled((label) => {
      g.block(`if (${gi} === ${s.count})`, () => {
        g.block(`if (${s.table}.count === ${s.count})`, () => {
          g.emit(`${s.spill}.add(${pc.row(columns)}, ${g.konst(spillHash)}(${grouped.map((k) => keys.get(k)).join(', ')})); ${g.jumpCode(label)}`);
        });
        g.emit(`${s.count}++;`);
        for (const [attno, array] of s.kept) g.emit(`${array}.push(${g.column(columns[attno - 1]!).code});`);
        const floats = numericArrays(s);
        if (floats.length > 0) {
          g.emit(`if (${gi} === ${s.capacity}) { ${s.capacity} *= 2; ${floats.map((f) => `${f} = ${g.konst(growFloats)}(${f}, ${s.capacity});`).join(' ')} }`);
        }
        uses.forEach(({ code }, a) => code.state.forEach((v, i) => {
          const init = initialValue(g, code, i);
          if (!v.numeric) g.emit(`${s.arrays[a]![i]}.push(${init});`);
          else if (init !== '0') g.emit(`${s.arrays[a]![i]}[${gi}] = ${init};`);
        }));
        // Strings and the like: what is kept of the group's first row, and keys that are made into strings.
        const large = new Set([...s.kept.keys(), ...grouped.map((k) => plan.groupKeys[k]!.column)].filter((c) => !isFixedSize(types[c - 1]!.type)));
        if (large.size > 0) {
          const bytes = [...large].map((c) => `${g.konst(datumBytes)}(${g.column(columns[c - 1]!).code})`);
          g.emit(`if ((${s.spill}.bytes += ${bytes.join(' + ')}) > ${s.spill}.limit) ${s.table}.limit = ${s.count};`);
        }
      });
      uses.forEach(({ code }, a) => code.accumulate(g, cx, (i) => `${s.arrays[a]![i]}[${gi}]`, carryGroup(s, gi)));
    });
  };
  const keysOf = (columns: Column[], which: Iterable<number>): Map<number, string> => new Map([...which].map((k) => [k, hashKey(pc, plan.groupKeys[k]!, columns)]));

  pc.produce(child, (columns) => {
    const keys = keysOf(columns, allKeys);
    sorted?.add(columns);
    for (const s of states) g.block('', () => accumulate(s, columns, keys));
  });
  sorted?.finish();
  if (pc.options.instrument) for (const s of states) g.emit(`${s.spill}.tableIs(${s.count});`);

  const emit = (s: SetState, to: Consumer): void => {
    const gi = g.next('i');
    g.block(`for (let ${gi} = 0; ${gi} < ${s.count}; ${gi}++)`, () => {
      g.emit(`if ((${gi} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
      const memo = new Map<number, Column>();
      const outer = (attno: number): Column => {
        let column = memo.get(attno);
        if (column === undefined) {
          const array = s.kept.get(attno);
          column = { nullable: true, type: exprType(child.targetlist[attno - 1]!.expr), read: () => (array === undefined ? 'null' : `${array}[${gi}]`) };
          memo.set(attno, column);
        }
        return column;
      };
      emitGroup(pc, plan, uses, useOf, outer, (a, i) => `${s.arrays[a]![i]}[${gi}]`, carryGroup(s, gi), new Set(s.grouped), to);
    });
  };
  /** The next table, of rows that found no room before. */
  const again = (s: SetState, n: number): void => {
    g.emit(`${s.base} += ${s.count}; ${s.count} = 0; ${s.capacity} = ${INITIAL}; ${s.table} = ${makers[n]};${limited(s)}`);
    for (const array of [...s.kept.values(), ...otherArrays(s)]) g.emit(`${array} = [];`);
    for (const array of numericArrays(s)) g.emit(`${array} = ${freshArray(true)};`);
    const rows = g.local(`${s.spill}.rows()`);
    const count = g.local('0', true);
    const row = g.next('r');
    g.block(`for (let ${row}; (${row} = ${rows}.next()) !== undefined;)`, () => {
      g.emit(`if ((++${count} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
      const columns = pc.columnsOfRow(row, types);
      accumulate(s, columns, keysOf(columns, s.grouped));
    });
  };
  states.forEach((s, n) => {
    g.labelled((done) => {
      emit(s, out);
      g.emit(`if (!${s.spill}.next()) ${g.jumpCode(done)}`);
      again(s, n);
    }, 'for (;;)');
  });
}
