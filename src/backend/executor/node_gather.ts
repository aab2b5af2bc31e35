// Gather, GatherMerge: rows of a plan that several processes run (exec_parallel.ts). The plan below is a function; a worker, which is a
// fork of the leader, runs it and sends the rows, the leader runs it and passes them on, between those that have come from workers.
import type { Gather, GatherMerge, Plan } from '../nodes/plannodes.ts';
import { GatherState, type GatherSpec } from './exec_parallel.ts';
import { outputTypes, readBack } from './node_sort.ts';
import type { OutlinedFunction } from './codegen.ts';
import type { Consumer, PlanCompiler, Producer } from './plan_compiler.ts';
import { evaluatedByLeader } from './plan_walker.ts';
import { rowComparator } from './row_compare.ts';
import { Merge, type RowReader } from './tuplesort.ts';
import { Tuplestore } from './tuplestore.ts';
import type { Datum } from '../types/datum.ts';

/** The leader looks whether workers have sent something after so many rows of its own, less one. */
const LOOK_AFTER = 63;

/** The hash joins that rows of the plan come through: their tables are certainly asked for. */
function outerHashJoins(plan: Plan): Set<Plan> {
  const joins = new Set<Plan>();
  for (let p: Plan | null = plan; p !== null; p = p.kind === 'SubqueryScan' ? p.subplan : p.lefttree) if (p.kind === 'HashJoin') joins.add(p);
  return joins;
}

/** The plan below as a function, whose rows go to the leader in a worker, and to `own` in the leader; `leader` emits what the leader does
 * with it. */
function gathered(pc: PlanCompiler, plan: Gather | GatherMerge, own: (state: string) => Consumer, leader: (state: string, run: () => void) => void): void {
  const { g } = pc, child = plan.lefttree!;
  const spec: GatherSpec = { workers: plan.numWorkers, singleCopy: plan.kind === 'Gather' && plan.singleCopy, types: outputTypes(child).map((t) => t.type), counters: 0, shared: [] };
  const state = g.state('null', 'gather');
  // Evaluated before there are workers, once for all.
  for (const param of evaluatedByLeader(plan, pc.stmt)) pc.readParam(param);
  g.emit(`${state} = new ${g.konst(GatherState)}(${g.konst(spec)}, rt);`);
  const outer = pc.gather, tables: OutlinedFunction[] = [];
  pc.gather = { state, spec, joins: outerHashJoins(child), tables };
  const fn = g.fn([], () => pc.produce(child, (columns) => {
    g.block(`if (${state}.isWorker)`, () => g.emit(`${state}.send(${pc.row(columns)});`));
    g.block('else', () => own(state)(columns));
  }));
  pc.gather = outer;
  for (const table of tables) g.call(table, []);
  g.emit('try {');
  g.block(`if (${state}.launch())`, () => {
    // What the leader would jump to is not in a worker.
    g.emit(`try { ${fn.name}(); ${state}.finish(); } catch (error) { ${state}.fail(error); }`);
  });
  if (pc.options.instrument) g.emit(`rt.notes.set(${g.konst(plan as Plan)}, ${state}.launched);`);
  leader(state, () => g.call(fn, []));
  g.emit(`} finally { ${state}.close(); }`);
}

const gather: Producer<Gather> = (pc, plan, consume) => {
  const { g } = pc, types = outputTypes(plan.lefttree!);
  const out = pc.outlineFor((outer) => consume(pc.project(plan.targetlist, pc.context({ outer }))), types);
  const drain = (state: string, method: string): void => {
    const row = g.next('r');
    g.block(`for (let ${row}; (${row} = ${state}.${method}()) !== undefined;)`, () => out(pc.columnsOfRow(row, types)));
  };
  gathered(pc, plan, (state) => {
    const count = g.state('0');
    return (columns) => {
      out(columns);
      g.block(`if ((++${count} & ${LOOK_AFTER}) === 0 && ${state}.launched > 0)`, () => drain(state, 'ready'));
    };
  }, (state, run) => {
    g.block(`if (${state}.takesPart)`, run);
    drain(state, 'next');
  });
};

/** Rows come sorted from each process. */
const gatherMerge: Producer<GatherMerge> = (pc, plan, consume) => {
  const { g } = pc, types = outputTypes(plan.lefttree!);
  const store = g.state('null'), typeList = g.konst(types.map((t) => t.type));
  const merge = (own: Tuplestore, others: RowReader[], compare: (a: Datum[], b: Datum[]) => number): { reader(): Merge } => ({
    reader: () => new Merge([own.reader(), ...others], compare),
  });
  gathered(pc, plan, () => (columns) => g.emit(`${store}.add(${pc.row(columns)});`), (state, run) => {
    g.emit(`${store}?.close(); ${store} = new ${g.konst(Tuplestore)}(${typeList});`);
    g.block(`if (${state}.takesPart)`, run);
    const merged = g.local(`${g.konst(merge)}(${store}, ${state}.readers(), ${g.konst(rowComparator(plan.sortKeys))})`);
    readBack(pc, merged, types, consume);
  });
};

export const gatherProducers = { Gather: gather, GatherMerge: gatherMerge };
