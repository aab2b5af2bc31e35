// Nodes without state of their own: Result, ProjectSet, ValuesScan, NamedTuplestoreScan, SubqueryScan, Append, Limit.
import { PgError, internalError } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Append, Hash, Limit, NamedTuplestoreScan, Plan, ProjectSet, Result, SubqueryScan, ValuesScan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { ephemeralRelation } from '../parser/query_environment.ts';
import { type Datum, RecordValue } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column } from './codegen.ts';
import { type ExprContext, genExpr, genFilter } from './expr_codegen.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';
import { genLiveMembers } from './partition_pruning.ts';
import { rowsByTemplate } from './values_templates.ts';
import { walkExpr } from './plan_walker.ts';
import { rowsEqual } from './row_compare.ts';
import { setFunction } from './set_function.ts';

const result: Producer<Result> = (pc, plan, consume) => {
  const { g } = pc;
  const { lefttree } = plan;
  g.labelled((label) => {
    if (plan.resconstantqual.length > 0) genFilter(g, plan.resconstantqual, pc.context({}), g.jumpCode(label));
    if (lefttree === null) {
      // Columns of a relation that was found to be empty are never really read.
      const none = (_attno: number, node: { vartype: number }): Column => ({ nullable: true, type: node.vartype, read: () => 'null' });
      pc.filterAndProject(plan, pc.context({ scan: none }), g.jumpCode(label), consume);
      return;
    }
    pc.produce(lefttree, (outer) => {
      g.labelled((row) => pc.filterAndProject(plan, pc.context({ outer }), g.jumpCode(row), consume));
    });
  });
};

/** Set-returning functions in a target list: all run side by side, the shorter ones padded with NULL. */
const projectSet: Producer<ProjectSet> = (pc, plan, consume) => {
  const { g } = pc;
  pc.produce(plan.lefttree!, (outer) => {
    const cx = pc.context({ outer });
    const sets: { expr: Expr; name: string; value: string }[] = [];
    for (const tle of plan.targetlist) {
      walkExpr(tle.expr, (node) => {
        const set = setFunction(pc, node, cx);
        if (set !== null) sets.push({ expr: node, name: g.local(set), value: '' });
      });
    }
    // Other columns are the same for every row made here.
    for (const tle of plan.targetlist) if (tle.expr.kind === 'Var') g.column(cx.var(tle.expr));
    const rows = g.local('0', true);
    g.block('for (;;)', () => {
      g.emit(`if ((++${rows} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
      const known = new Map<Expr, Column>();
      const steps = sets.map((set) => g.local(`${set.name}.next()`));
      g.emit(`if (${steps.map((s) => `${s}.done`).join(' && ')}) break;`);
      sets.forEach((set, i) => {
        const value = g.local(`${steps[i]}.done ? null : ${steps[i]}.value ?? null`);
        known.set(set.expr, { nullable: true, type: exprType(set.expr), read: () => value });
      });
      consume(pc.project(plan.targetlist, { ...cx, known }));
    });
  });
};

/** Rows of the table of that name which the running trigger function has. */
function rowsOfEphemeral(name: string): Iterable<readonly Datum[]> {
  const found = ephemeralRelation(name);
  if (found === undefined) throw internalError(`could not find ephemeral named relation "${name}"`);
  return found.table.rows();
}

const namedTuplestoreScan: Producer<NamedTuplestoreScan> = (pc, plan, consume) => {
  const { g } = pc;
  const row = g.next('r');
  const count = g.local('0', true);
  g.block(`for (const ${row} of ${g.konst(rowsOfEphemeral)}(${g.konst(plan.enrname)}))`, () => {
    g.emit(`if ((++${count} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    const columns = pc.columnsOfRow(row, plan.coltypes.map((type) => ({ nullable: true, type })));
    const scan = (attno: number): Column => (attno === 0 ? wholeRowOf(pc, plan, columns) : columns[attno - 1]!);
    g.labelled((label) => pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(label), consume));
  });
};

/** So many rows of VALUES are made by one function. */
const ROWS_OF_A_PART = 200;

const valuesScan: Producer<ValuesScan> = (pc, plan, consume) => {
  const { g } = pc;
  const lists = plan.values_lists;
  const width = lists[0]?.length ?? 0;
  const types = (lists[0] ?? []).map((e) => exprType(e));
  const scanColumns = (name: string): ((attno: number) => Column) => {
    const columns = pc.columnsOfRow(name, types.map((type) => ({ nullable: true, type })));
    return (attno) => columns[attno - 1]!;
  };
  const constant = lists.every((list) => list.every((e) => e.kind === 'Const' && e.slot === undefined));
  const consumeRow = (row: string): void => g.labelled((label) => pc.filterAndProject(plan, pc.context({ scan: scanColumns(row) }), g.jumpCode(label), consume));
  if (constant) {
    const rows: Datum[][] = lists.map((list) => list.map((e) => (e.kind === 'Const' ? e.constvalue : null)));
    const row = g.next('r');
    const looks = g.local('0', true);
    g.block(`for (const ${row} of ${g.konst(rows)})`, () => {
      g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
      consumeRow(row);
    });
    return;
  }
  const made = rowsByTemplate(pc, lists);
  if (made !== null) {
    const i = g.next('i'), row = g.next('r');
    g.block(`for (let ${i} = 0; ${i} < ${lists.length}; ${i}++)`, () => {
      g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
      g.emit(`const ${row} = ${made(i)};`);
      consumeRow(row);
    });
    return;
  }
  // A row is made when it is its turn: it may fail, or look at what became of those before. Many functions make a very long list,
  // so that none is too large for the engine.
  const parts: string[] = [];
  const cx = pc.context({});
  for (let from = 0; from < lists.length; from += ROWS_OF_A_PART) {
    parts.push(g.fn(['i'], () => {
      g.block('switch (i)', () => {
        for (const [i, list] of lists.slice(from, from + ROWS_OF_A_PART).entries()) {
          g.block(`case ${i}:`, () => {
            const values = list.map((e) => genExpr(g, e, cx).code);
            g.emit(`return [${values.slice(0, width).join(', ')}];`);
          });
        }
      });
    }).name);
  }
  const i = g.next('i'), row = g.next('r');
  g.block(`for (let ${i} = 0; ${i} < ${lists.length}; ${i}++)`, () => {
    g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
    if (parts.length === 1) g.emit(`const ${row} = ${parts[0]}(${i});`);
    else g.emit(`const ${row} = [${parts.join(', ')}][${i} / ${ROWS_OF_A_PART} | 0](${i} % ${ROWS_OF_A_PART});`);
    consumeRow(row);
  });
};

const subqueryScan: Producer<SubqueryScan> = (pc, plan, consume) => {
  const { g } = pc;
  pc.produce(plan.subplan, (columns) => {
    const scan = (attno: number): Column => (attno === 0 ? wholeRowOf(pc, plan, columns) : columns[attno - 1]!);
    g.labelled((row) => pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(row), consume));
  });
};

export function wholeRowOf(pc: PlanCompiler, plan: { scanrelid: number }, columns: readonly Column[]): Column {
  const names = pc.stmt.rtable[plan.scanrelid - 1]!.eref.colnames;
  return {
    nullable: false, type: 2249,
    read: (g) => {
      // Type 0: a dropped column.
      const numbers = names.map((_name, i) => i).filter((i) => columns[i]!.type !== 0);
      const used = numbers.map((i) => columns[i]!);
      const attributes = used.map((c, i) => ({ name: names[numbers[i]!]!, typeOid: c.type, typmod: -1, collation: 0, dropped: false }));
      return `new ${g.konst(RecordValue)}(${g.konst(2249)}, ${g.konst(attributes)}, ${pc.row(used)})`;
    },
  };
}

const append: Producer<Append> = (pc, plan, consume) => {
  const { g } = pc;
  if (plan.appendplans.length === 0) return;
  const keep = genLiveMembers(pc, plan.pruning);
  if (plan.appendplans.length === 1 && keep === null) {
    pc.produce(plan.appendplans[0]!, (outer) => appendProject(pc, plan, outer, consume));
    return;
  }
  const types = plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr) }));
  const out = pc.outlineFor((outer) => appendProject(pc, plan, outer, consume), types);
  plan.appendplans.forEach((child, i) => {
    // A member that is no partial plan is run by one of several processes.
    const alone = i < (plan.firstPartialPlan ?? 0) ? pc.sharedCounter(plan, []) : null;
    const tests = [...(keep === null ? [] : [`${keep}[${i}]`]), ...(alone === null ? [] : [`${alone.state}.isFirst(${alone.number})`])];
    if (tests.length === 0) {
      pc.produce(child, out);
      return;
    }
    // A function of its own, so that a member left out costs one test.
    const fn = g.fn([], () => pc.produce(child, out));
    g.block(`if (${tests.join(' && ')})`, () => g.call(fn, []));
  });
};

function appendProject(pc: PlanCompiler, plan: Append, outer: Column[], consume: (columns: Column[]) => void): void {
  if (plan.qual.length === 0) consume(outer.slice(0, plan.targetlist.length));
  else pc.g.labelled((row) => pc.filterAndProject(plan, pc.context({ outer }), pc.g.jumpCode(row), consume));
}

const limitCounters = {
  offset(value: Datum): number {
    if (value === null) return 0;
    if ((value as number) < 0) throw new PgError('invalid_row_count_in_result_offset_clause', 'OFFSET must not be negative');
    return Number(value);
  },
  count(value: Datum): number {
    if (value === null) return Infinity;
    if ((value as number) < 0) throw new PgError('invalid_row_count_in_limit_clause', 'LIMIT must not be negative');
    return Number(value);
  },
};

const limit: Producer<Limit> = (pc, plan, consume) => {
  const { g } = pc;
  const cx: ExprContext = pc.context({});
  const value = (e: Expr | null, convert: (v: Datum) => number, none: string): string =>
    e === null ? none : `${g.konst(convert)}(${genExpr(g, e, cx).code})`;
  const skip = g.state('0');
  const left = g.state('0');
  g.emit(`${skip} = ${value(plan.limitOffset, limitCounters.offset, '0')};`);
  g.emit(`${left} = ${value(plan.limitCount, limitCounters.count, 'Infinity')};`);
  const last = plan.withTies ? g.state('null') : '';
  if (plan.limitCount !== null && !plan.withTies) pc.rowsWanted.set(plan.lefttree!, `${skip} + ${left}`);
  g.labelled((label) => {
    g.emit(`if (${left} === 0) ${g.jumpCode(label)}`);
    pc.produce(plan.lefttree!, (columns) => {
      g.labelled((row) => {
        if (plan.limitOffset !== null) g.emit(`if (${skip} > 0) { ${skip}--; ${g.jumpCode(row)} }`);
        if (plan.withTies) {
          const same = g.konst(rowsEqual(plan.uniqueKeys));
          const now = g.local(pc.row(columns));
          g.emit(`if (${left} <= 0 && !${same}(${last}, ${now})) ${g.jumpCode(label)}`);
          g.emit(`if (--${left} === 0) ${last} = ${now};`);
          consume(columns);
        } else if (plan.limitCount !== null) {
          // The row is passed on first, then the count is looked at: a full one ends the input.
          g.emit(`${left}--;`);
          consume(columns);
        } else consume(columns);
      });
      if (plan.limitCount !== null && !plan.withTies) g.emit(`if (${left} <= 0) ${g.jumpCode(label)}`);
    });
  });
};

const hash: Producer<Hash> = (pc, plan, consume) => pc.produce(plan.lefttree as Plan, consume);

export const simpleProducers = {
  Result: result, ProjectSet: projectSet, ValuesScan: valuesScan, NamedTuplestoreScan: namedTuplestoreScan, SubqueryScan: subqueryScan, Append: append, Limit: limit, Hash: hash,
};
