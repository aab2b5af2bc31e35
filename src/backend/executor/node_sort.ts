// Nodes that keep rows: Sort, Material, Unique, SetOp, MergeAppend, Memoize.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { IncrementalSort, Material, Memoize, MergeAppend, Plan, SetOp, Sort, Unique } from '../nodes/plannodes.ts';
import type { Datum } from '../types/datum.ts';
import { genExpr } from './expr_codegen.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { rowComparator, rowKey, rowsEqual } from './row_compare.ts';
import { hashKeyFunction, isPrimitiveKey } from './sort_support.ts';
import { Merge, Tuplesort } from './tuplesort.ts';
import { Tuplestore } from './tuplestore.ts';

export const outputTypes = (plan: Plan): { nullable: boolean; type: number }[] =>
  plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }));

/**
 * Runs a child in a function of its own into a store, again only when it can give something else. `store` is the text
 * that makes the store; rows go to its `add`. Returns the variable that holds the store.
 */
export function keep(pc: PlanCompiler, child: Plan, store: string, cached: boolean, finish = ''): string {
  const { g } = pc;
  const name = g.state('null');
  const build = (): void => {
    // Evaluated where the node is entered: the bound of a sort may depend on parameters.
    g.emit(`${name}?.close(); ${name} = ${store};`);
    const fn = g.fn([], () => {
      const store = pc.mayOutline(child) ? name : g.local(name);
      pc.produce(child, (columns) => g.emit(`${store}.add(${pc.row(columns)});`));
    });
    g.call(fn, []);
    if (finish !== '') g.emit(`${name}.${finish}();`);
  };
  if (cached && !pc.dependsOnParams(child)) g.block(`if (${name} === null)`, build);
  else build();
  return name;
}

/** Emits a loop over the rows of a store; `nullable` as known of the child's columns is lost. */
export function readBack(pc: PlanCompiler, store: string, types: { nullable: boolean; type: number }[], body: (columns: import('./codegen.ts').Column[], row: string) => void): void {
  const { g } = pc;
  const reader = g.local(`${store}.reader()`);
  const row = g.next('r');
  const count = g.local('0', true);
  g.block(`for (let ${row}; (${row} = ${reader}.next()) !== undefined;)`, () => {
    g.emit(`if ((++${count} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    body(pc.columnsOfRow(row, types), row);
  });
}

const sort: Producer<Sort> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan.lefttree!);
  const spec = g.konst({ keys: plan.sortKeys, types: types.map((t) => t.type) });
  const bound = plan.bound === null ? 'null' : genExpr(g, plan.bound, pc.context({})).code;
  const store = keep(pc, plan.lefttree!, `new ${g.konst(Tuplesort)}(${spec}, ${bound})`, plan.bound === null, 'finish');
  if (pc.options.instrument) g.emit(`rt.notes.set(${g.konst(plan)}, ${store});`);
  readBack(pc, store, types, consume);
};

const incrementalSort: Producer<IncrementalSort> = (pc, plan, consume) =>
  sort(pc, { ...plan, kind: 'Sort', bound: null } as Sort, consume);

const material: Producer<Material> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan.lefttree!);
  const store = keep(pc, plan.lefttree!, `new ${g.konst(Tuplestore)}(${g.konst(types.map((t) => t.type))})`, true);
  readBack(pc, store, types, consume);
};

/** Results by parameter value: the child is run once for each. */
const memoize: Producer<Memoize> = (pc, plan, consume) => {
  const { g } = pc;
  const cx = pc.context({});
  const cache = g.state('new Map()');
  const types = outputTypes(plan.lefttree!);
  const hashes = plan.param_exprs.map((e) => {
    const value = g.atomic(genExpr(g, e, cx));
    const type = exprType(e);
    return isPrimitiveKey(type) ? value.code : `(${value.code} === null ? null : ${g.konst(hashKeyFunction(type))}(${value.code}))`;
  });
  const key = g.local(hashes.length === 1 ? hashes[0]! : `${g.konst((...k: Datum[]) => JSON.stringify(k))}(${hashes.join(', ')})`);
  const rows = g.local(`${cache}.get(${key})`, true);
  const current = g.state('null');
  g.block(`if (${rows} === undefined)`, () => {
    g.emit(`${current} = [];`);
    const fn = g.fn([], () => {
      pc.produce(plan.lefttree!, (columns) => g.emit(`${current}.push(${pc.row(columns)});`));
    });
    g.call(fn, []);
    g.emit(`${rows} = ${current}; ${cache}.set(${key}, ${rows});`);
  });
  const row = g.next('r');
  g.block(`for (const ${row} of ${rows})`, () => consume(pc.columnsOfRow(row, types)));
};

const unique: Producer<Unique> = (pc, plan, consume) => {
  const { g } = pc;
  const same = g.konst(rowsEqual(plan.uniqueKeys));
  // The consumer may be in another function than the loop.
  const state = g.state('null');
  g.emit(`${state} = null;`);
  pc.produce(plan.lefttree!, (columns) => {
    g.labelled((label) => {
      const row = g.local(pc.row(columns));
      g.emit(`if (${state} !== null && ${same}(${state}, ${row})) ${g.jumpCode(label)}`);
      g.emit(`${state} = ${row};`);
      consume(columns);
    });
  });
};

/** INTERSECT and EXCEPT over an Append of both sides: counts of each distinct row by side. */
const setOp: Producer<SetOp> = (pc, plan, consume) => {
  const { g } = pc;
  const counts = g.state('null');
  g.emit(`${counts} = new Map();`);
  const key = g.konst(rowKey(plan.dupColumns));
  const flag = plan.flagColumn - 1;
  const fn = g.fn([], () => {
    pc.produce(plan.lefttree!, (columns) => {
      const row = g.local(pc.row(columns));
      const k = g.local(`${key}(${row})`);
      const entry = g.local(`${counts}.get(${k})`, true);
      g.emit(`if (${entry} === undefined) ${counts}.set(${k}, ${entry} = { row: ${row}, n: [0, 0] });`);
      g.emit(`${entry}.n[${row}[${flag}]]++;`);
    });
  });
  g.call(fn, []);
  const entry = g.next('e');
  g.block(`for (const ${entry} of ${counts}.values())`, () => {
    const [left, right] = [`${entry}.n[0]`, `${entry}.n[1]`];
    const times = {
      intersect: `${left} > 0 && ${right} > 0 ? 1 : 0`, intersect_all: `Math.min(${left}, ${right})`,
      except: `${left} > 0 && ${right} === 0 ? 1 : 0`, except_all: `Math.max(0, ${left} - ${right})`,
    }[plan.cmd];
    const n = g.local(times, true);
    const row = g.local(`${entry}.row`);
    g.block(`for (; ${n} > 0; ${n}--)`, () => consume(pc.columnsOfRow(row, outputTypes(plan)).slice(0, plan.targetlist.length)));
  });
};

/** Every input is sorted already; each is kept, then they are merged. */
const mergeAppend: Producer<MergeAppend> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan);
  const typeList = g.konst(types.map((t) => t.type));
  const stores = plan.mergeplans.map((child) => keep(pc, child, `new ${g.konst(Tuplestore)}(${typeList})`, true));
  const merge = (inputs: Tuplestore[], compare: (a: Datum[], b: Datum[]) => number): { reader(): Merge } => ({
    reader: () => new Merge(inputs.map((s) => s.reader()), compare),
  });
  const merged = g.local(`${g.konst(merge)}([${stores.join(', ')}], ${g.konst(rowComparator(plan.sortKeys))})`);
  readBack(pc, merged, types, consume);
};

export const sortProducers = {
  Sort: sort, IncrementalSort: incrementalSort, Material: material, Memoize: memoize, Unique: unique, SetOp: setOp, MergeAppend: mergeAppend,
};
