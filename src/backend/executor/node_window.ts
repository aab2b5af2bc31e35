// WindowAgg: for each partition all rows, then the functions of each row over its frame (PostgreSQL's nodeWindowAgg.c).
import type { WindowAgg } from '../nodes/plannodes.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, WindowFunc } from '../nodes/primnodes.ts';
import type { Column, Value } from './codegen.ts';
import { genExpr, genFilter } from './expr_codegen.ts';
import { outputTypes } from './node_sort.ts';
import type { Producer } from './plan_compiler.ts';
import { walkExpr } from './plan_walker.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { PagedRows } from './paged_rows.ts';
import { rowsEqual } from './row_compare.ts';
import { makeWindowSpec, type WindowCall, WindowPartition } from './window_functions.ts';

export const windowAgg: Producer<WindowAgg> = (pc, plan, consume) => {
  const { g } = pc;
  const child = plan.lefttree!;
  const calls: WindowFunc[] = [];
  const runCondition = plan.topWindow ? plan.runCondition : [];
  for (const t of [...plan.targetlist.map((x) => x.expr), ...runCondition, ...plan.qual]) {
    walkExpr(t, (n) => { if (n.kind === 'WindowFunc' && n.winref === plan.winref && !calls.includes(n)) calls.push(n); });
  }
  const rows = g.state('null');
  const types = outputTypes(child);
  // Arguments, filters and offsets are evaluated by functions of a row.
  const rowFunction = (e: Expr): string => {
    const fn = g.fn(['r'], () => g.emit(`return ${genExpr(g, e, pc.context({ outer: pc.columnsOfRow('r', types) })).code};`));
    return fn.name;
  };
  const callTexts = calls.map((c) => `{ args: [${c.args.map(rowFunction).join(', ')}], filter: ${c.aggfilter === null ? 'null' : rowFunction(c.aggfilter)} }`);
  const spec = makeWindowSpec(plan, calls as WindowCall[]);
  const cx0 = pc.context({});
  const offsets = [plan.startOffset, plan.endOffset].map((e) => (e === null ? 'null' : genExpr(g, e, cx0).code));
  const partition = g.state('null');
  g.emit(`${partition} = new ${g.konst(WindowPartition)}(${g.konst(spec)}, [${callTexts.join(', ')}], ${offsets.join(', ')});`);
  g.emit(`${rows}?.close(); ${rows} = new ${g.konst(PagedRows)}(${g.konst(() => types.map((t) => t.type))}, false);`);
  const same = g.konst(rowsEqual(plan.partKeys));
  const results = (name: string, i: string): Map<Expr, Column> => new Map(calls.map((c, n) => [c as Expr, { nullable: true, type: exprType(c), read: () => `${name}[${n}](${i})` }]));
  const flush = g.fn([], () => {
    const values = g.local(`${partition}.evaluate(${rows})`);
    const i = g.next('i');
    g.labelled((done) => g.block(`for (let ${i} = 0; ${i} < ${rows}.length; ${i}++)`, () => {
      g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
      const row = g.local(`${rows}.at(${i})`);
      const known = results(values, i);
      // Every function sees every row, in order, whatever is made of its value.
      for (const column of known.values()) g.column(column);
      const cx = pc.context({ outer: pc.columnsOfRow(row, types) }, { window: (node): Value => g.column(known.get(node)!) });
      genFilter(g, runCondition, cx, g.jumpCode(done));
      g.labelled((label) => pc.filterAndProject(plan, cx, g.jumpCode(label), consume));
    }));
    g.emit(`${rows}.clear();`);
  });
  // A consumer that stops makes flush return false; an empty partition must not look like that.
  pc.produce(child, (columns) => {
    const row = g.local(pc.row(columns));
    g.block(`if (${rows}.length > 0 && !${same}(${rows}.at(0), ${row}))`, () => g.call(flush, []));
    g.emit(`${rows}.push(${row});`);
  });
  g.block(`if (${rows}.length > 0)`, () => g.call(flush, []));
};
