// WITH: CteScan reads what a query of the WITH list gave, which is kept when first asked for; RecursiveUnion and the
// WorkTableScan inside it run a recursive query.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { CteScan, Plan, RecursiveUnion, WorkTableScan } from '../nodes/plannodes.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { mainQueryDone } from './after_triggers.ts';
import type { Column } from './codegen.ts';
import { wholeRowOf } from './node_simple.ts';
import { outputTypes } from './node_sort.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';
import { rowKey } from './row_compare.ts';
import { Tuplestore } from './tuplestore.ts';

/** The function that fills the store of a CTE when called the first time, and the store's variable. */
function cteStore(pc: PlanCompiler, planId: number): { store: string; fill: string } {
  const { g } = pc;
  const key = `cte${planId}`;
  let store = pc.shared.get(key);
  if (store === undefined) {
    store = g.state('null', 'cte');
    pc.shared.set(key, store);
    const fill = g.next('fill');
    pc.shared.set(`${key}fill`, fill);
    const plan = pc.subplan(planId);
    g.namedFn(fill, [], () => {
      g.emit(`if (${store} !== null) return;`);
      if (pc.options.epq !== null) g.emit(`if ((${store} = rt.ctes?.get(${planId}) ?? null) !== null) return;`);
      g.emit(`${store} = new ${g.konst(Tuplestore)}(${g.konst(plan.targetlist.map((t) => exprType(t.expr)))});`);
      pc.produce(plan, (columns) => g.emit(`${store}.add(${pc.row(columns)});`));
      if (pc.mayLookAgain) g.emit(`(rt.ctes ??= new Map()).set(${planId}, ${store});`);
    });
  }
  return { store, fill: pc.shared.get(`${key}fill`)! };
}

/** INSERT, UPDATE and DELETE in WITH are run to their end, also when nobody reads them: the last of them first (ExecPostprocessPlan). */
export function finishModifyingCtes(pc: PlanCompiler): void {
  pc.g.emit(`${pc.g.konst(mainQueryDone)}();`);
  for (const [i, plan] of [...pc.stmt.subplans.entries()].reverse()) if (plan.kind === 'ModifyTable') pc.g.emit(`${cteStore(pc, i + 1).fill}();`);
}

function scanRows(pc: PlanCompiler, plan: CteScan | WorkTableScan, columns: Column[], consume: (columns: Column[]) => void): void {
  const { g } = pc;
  const scan = (attno: number): Column => (attno === 0 ? wholeRowOf(pc, plan, columns) : columns[attno - 1]!);
  g.labelled((row) => pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(row), consume));
}

const cteScan: Producer<CteScan> = (pc, plan, consume) => {
  const { g } = pc;
  const source = pc.subplan(plan.ctePlanId);
  if (plan.direct) {
    pc.produce(source, (columns) => scanRows(pc, plan, columns, consume));
    return;
  }
  const { store, fill } = cteStore(pc, plan.ctePlanId);
  if (pc.dependsOnParams(source)) g.emit(`${store} = null;`);
  g.emit(`${fill}();`);
  const reader = g.local(`${store}.reader()`);
  const row = g.next('r');
  const looks = g.local('0', true);
  g.block(`for (let ${row}; (${row} = ${reader}.next()) !== undefined;)`, () => {
    g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    scanRows(pc, plan, pc.columnsOfRow(row, outputTypes(source)), consume);
  });
};

const workTable = (pc: PlanCompiler, wtParam: number): string => {
  const key = `wt${wtParam}`;
  let name = pc.shared.get(key);
  if (name === undefined) pc.shared.set(key, (name = pc.g.state('null', 'wt')));
  return name;
};

const workTableScan: Producer<WorkTableScan> = (pc, plan, consume) => {
  const { g } = pc;
  const rte = pc.stmt.rtable[plan.scanrelid - 1]!;
  const types = rte.coltypes.map((type) => ({ nullable: true, type }));
  const reader = g.local(`${workTable(pc, plan.wtParam)}.reader()`);
  const row = g.next('r');
  const looks = g.local('0', true);
  g.block(`for (let ${row}; (${row} = ${reader}.next()) !== undefined;)`, () => {
    g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    scanRows(pc, plan, pc.columnsOfRow(row, types), consume);
  });
};

const recursiveUnion: Producer<RecursiveUnion> = (pc, plan, consume) => {
  const { g } = pc;
  const types = outputTypes(plan);
  const table = workTable(pc, plan.wtParam);
  const next = g.state('null');
  const seen = plan.dupColumns.length > 0 ? g.state('null') : '';
  const makeStore = `new ${g.konst(Tuplestore)}(${g.konst(types.map((t) => t.type))})`;
  const count = g.state('0');
  if (seen !== '') g.emit(`${seen} = new Set();`);
  const out = pc.outlineFor((columns) => {
    g.labelled((label) => {
      const row = g.local(pc.row(columns));
      if (seen !== '') {
        const key = g.local(`${g.konst(rowKey(plan.dupColumns))}(${row})`);
        g.emit(`if (${seen}.has(${key})) ${g.jumpCode(label)} ${seen}.add(${key});`);
      }
      g.emit(`${next}.add(${row}); ${count}++;`);
      consume(columns);
    });
  }, types);
  const width = plan.targetlist.length;
  g.emit(`${next} = ${makeStore}; ${count} = 0;`);
  pc.produce(plan.lefttree as Plan, (columns) => out(columns.slice(0, width)));
  g.block(`while (${count} > 0)`, () => {
    g.emit(`${g.konst(checkForInterrupts)}();`);
    g.emit(`${table}?.close(); ${table} = ${next}; ${next} = ${makeStore}; ${count} = 0;`);
    pc.produce(plan.righttree as Plan, (columns) => out(columns.slice(0, width)));
  });
};

export const cteProducers = { CteScan: cteScan, WorkTableScan: workTableScan, RecursiveUnion: recursiveUnion };
