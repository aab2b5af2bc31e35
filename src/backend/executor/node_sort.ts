// Nodes that keep rows: Sort, Material, Unique, SetOp, MergeAppend, Memoize.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { IncrementalSort, Material, Memoize, MergeAppend, Plan, SetOp, Sort, Unique } from '../nodes/plannodes.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { genExpr } from './expr_codegen.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';
import { genLiveMembers } from './partition_pruning.ts';
import { paramsUsed, walkExpr } from './plan_walker.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { rowComparator, rowKey, rowsEqual } from './row_compare.ts';
import { GroupSpill, spillHash } from './hash_spill.ts';
import { cacheMemBytes } from './memory.ts';
import { hashKeyFunction, imageKeyFunction, isPrimitiveKey, keyOf } from './sort_support.ts';
import { Merge, rowBytes, Tuplesort } from './tuplesort.ts';
import { Tuplestore } from './tuplestore.ts';

export const outputTypes = (plan: Plan): { nullable: boolean; type: number }[] =>
  plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }));

/**
 * Runs a child in a function of its own into a store, again only when it can give something else. `store` is the text
 * that makes the store; rows go to its `add`, no more than `bound`. Returns the variable that holds the store.
 */
export function keep(pc: PlanCompiler, child: Plan, store: string, cached: boolean, finish = '', bound: string | null = null): string {
  const { g } = pc;
  const name = g.state('null');
  const build = (): void => {
    // Evaluated where the node is entered: the bound of a sort may depend on parameters.
    g.emit(`${name}?.close(); ${name} = ${store};`);
    const fn = g.fn([], () => {
      const store = pc.mayOutline(child) ? name : g.local(name);
      if (bound === null) {
        pc.produce(child, (columns) => g.emit(`${store}.add(${pc.row(columns)});`));
        return;
      }
      const count = g.state('0');
      g.emit(`${count} = 0;`);
      g.labelled((label) => pc.produce(child, (columns) => g.emit(`${store}.add(${pc.row(columns)}); if (++${count} >= ${bound}) ${g.jumpCode(label)}`)));
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

/** So many rows are sorted together at least, whatever they have in common. */
const MIN_GROUP_ROWS = 32;

/** The rows come in order of the first keys: rows that have these in common are sorted, one such group after the other. */
const incrementalSort: Producer<IncrementalSort> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan.lefttree!);
  const spec = g.konst({ keys: plan.sortKeys, types: types.map((t) => t.type) });
  const compare = g.konst(rowComparator(plan.sortKeys.slice(0, plan.presortedCount)));
  const store = g.state('null');
  const last = g.state('null');
  const count = g.state('0');
  const make = `new ${g.konst(Tuplesort)}(${spec}, null)`;
  const flush = g.fn([], () => {
    g.emit(`const full = ${store}; ${store} = ${make}; ${count} = 0; full.finish();`);
    g.emit('try {');
    readBack(pc, 'full', types, consume);
    g.emit('} finally { full.close(); }');
  });
  g.emit(`${store}?.close(); ${store} = ${make}; ${last} = null; ${count} = 0;`);
  const input = g.fn([], () => {
    pc.produce(plan.lefttree!, (columns) => {
      const row = g.local(pc.row(columns));
      g.block(`if (${count} >= ${MIN_GROUP_ROWS} && ${compare}(${last}, ${row}) !== 0)`, () => g.call(flush, []));
      g.emit(`${store}.add(${row}); ${last} = ${row}; ${count}++;`);
    });
  });
  g.call(input, []);
  g.call(flush, []);
};

const material: Producer<Material> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan.lefttree!);
  const store = keep(pc, plan.lefttree!, `new ${g.konst(Tuplestore)}(${g.konst(types.map((t) => t.type))})`, true);
  readBack(pc, store, types, consume);
};

/** What Memoize keeps: results by parameter value, as many as have room; the oldest go first. */
class MemoizeCache {
  hits = 0;
  misses = 0;
  evictions = 0;
  spaceBytes = 0;
  private bytes = 0;
  private readonly limit = cacheMemBytes();
  private readonly entries = new Map<Datum, { rows: Datum[][]; bytes: number }>();

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  get(key: Datum): Datum[][] | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) this.misses++;
    else this.hits++;
    return entry?.rows;
  }

  set(key: Datum, rows: Datum[][]): void {
    let bytes = 96;
    for (const row of rows) bytes += rowBytes(row);
    this.bytes += bytes;
    for (const [old, entry] of this.entries) {
      if (this.bytes <= this.limit) break;
      this.entries.delete(old);
      this.bytes -= entry.bytes;
      this.evictions++;
    }
    this.entries.set(key, { rows, bytes });
    this.spaceBytes = Math.max(this.spaceBytes, this.bytes);
  }
}

/** The child is run once for each value of its parameters. */
const memoize: Producer<Memoize> = (pc, plan, consume) => {
  const { g } = pc;
  const cx = pc.context({});
  const cache = g.state(`new ${g.konst(MemoizeCache)}()`);
  // What else the child depends on is the same for many rows; when it changes, nothing that was kept holds.
  const keyParams = new Set<number>();
  for (const e of plan.param_exprs) walkExpr(e, (n) => { if (n.kind === 'Param' && n.paramkind === 'exec') keyParams.add(n.paramid); });
  for (const p of paramsUsed(plan.lefttree!, pc.stmt)) {
    if (keyParams.has(p)) continue;
    const before = g.state('undefined');
    g.emit(`if (${before} !== ${pc.param(p)}) { ${before} = ${pc.param(p)}; ${cache}.clear(); }`);
  }
  if (pc.options.instrument) g.emit(`rt.notes.set(${g.konst(plan)}, ${cache});`);
  const types = outputTypes(plan.lefttree!);
  const hashes = plan.param_exprs.map((e) => {
    const value = g.atomic(genExpr(g, e, cx));
    const type = exprType(e);
    const hash = plan.binaryMode ? imageKeyFunction(type) : isPrimitiveKey(type, 0) ? null : hashKeyFunction(type, 0); // what is compared with it may tell apart what its own collation does not
    return hash === null ? value.code : `(${value.code} === null ? null : ${g.konst(hash)}(${value.code}))`;
  });
  const key = g.local(hashes.length === 1 ? hashes[0]! : `${g.konst((...k: Datum[]) => keyOf(k))}(${hashes.join(', ')})`);
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
  const looks = g.local('0', true);
  g.block(`for (const ${row} of ${rows})`, () => {
    g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    consume(pc.columnsOfRow(row, types));
  });
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

interface SetEntry { row: Datum[]; n: [number, number] }

/** INTERSECT and EXCEPT: how often each distinct row comes from the left and from the right. */
class SetCounts {
  private readonly entries = new Map<Datum, SetEntry>();
  private readonly spill: GroupSpill;
  private readonly key: (row: Datum[]) => Datum;
  private readonly flag: number;

  constructor(spec: { types: readonly Oid[]; key: (row: Datum[]) => Datum; flag: number }) {
    this.spill = new GroupSpill(spec.types, 160);
    this.key = spec.key;
    this.flag = spec.flag;
  }

  add(row: Datum[]): void {
    const { entries, spill } = this;
    const key = this.key(row);
    let entry = entries.get(key);
    if (entry === undefined) {
      if (entries.size >= spill.maxGroups || (spill.bytes > spill.limit && entries.size > 0)) {
        spill.add(row, spillHash(key));
        return;
      }
      entries.set(key, (entry = { row, n: [0, 0] }));
      spill.bytes += rowBytes(row) - 24;
    }
    entry.n[row[this.flag] as number]!++;
  }

  /** All of them, some of them from files. */
  * all(): Generator<SetEntry> {
    yield* this.entries.values();
    while (this.spill.next()) {
      this.entries.clear();
      const rows = this.spill.rows();
      for (let row, n = 1; (row = rows.next()) !== undefined; n++) {
        if ((n & 1023) === 0) checkForInterrupts();
        row.pop();
        this.add(row);
      }
      yield* this.entries.values();
    }
  }
}

/** INTERSECT and EXCEPT over an Append of both sides: counts of each distinct row by side. */
const setOp: Producer<SetOp> = (pc, plan, consume) => {
  const { g } = pc;
  const counts = g.state('null');
  const types = outputTypes(plan.lefttree!);
  const spec = { types: types.map((t) => t.type), key: rowKey(plan.dupColumns), flag: plan.flagColumn - 1 };
  g.emit(`${counts} = new ${g.konst(SetCounts)}(${g.konst(spec)});`);
  const fn = g.fn([], () => {
    pc.produce(plan.lefttree!, (columns) => g.emit(`${counts}.add(${pc.row(columns)});`));
  });
  g.call(fn, []);
  const entry = g.next('e');
  const looks = g.local('0', true);
  g.block(`for (const ${entry} of ${counts}.all())`, () => {
    g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
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

/** Every input is sorted already; each is kept, as far as it can be wanted, then they are merged. */
const mergeAppend: Producer<MergeAppend> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan);
  const typeList = g.konst(types.map((t) => t.type));
  const bound = plan.bound === null ? null : g.state('0');
  if (plan.bound !== null) g.emit(`${bound} = Number(${genExpr(g, plan.bound, pc.context({})).code} ?? Infinity);`);
  const live = genLiveMembers(pc, plan.pruning);
  const stores = plan.mergeplans.map((child, i) => {
    let store = '';
    const fill = (): void => { store = keep(pc, child, `new ${g.konst(Tuplestore)}(${typeList})`, bound === null, '', bound); };
    if (live === null) fill();
    else {
      g.block(`if (${live}[${i}])`, fill);
      g.emit(`else { ${store}?.close(); ${store} = null; }`);
    }
    return store;
  });
  const merge = (inputs: (Tuplestore | null)[], compare: (a: Datum[], b: Datum[]) => number): { reader(): Merge } => ({
    reader: () => new Merge(inputs.filter((s) => s !== null).map((s) => s.reader()), compare),
  });
  const merged = g.local(`${g.konst(merge)}([${stores.join(', ')}], ${g.konst(rowComparator(plan.sortKeys))})`);
  readBack(pc, merged, types, consume);
};

export const sortProducers = {
  Sort: sort, IncrementalSort: incrementalSort, Material: material, Memoize: memoize, Unique: unique, SetOp: setOp, MergeAppend: mergeAppend,
};
