// Joins. The outer side is pushed; the inner side is entered again for every outer row (NestLoop), or is in a hash
// table built before (HashJoin: node_hashjoin.ts), or comes sorted, too (MergeJoin).
import { exprType } from '../nodes/nodeFuncs.ts';
import type { HashJoin, MergeJoin, NestLoop, Plan } from '../nodes/plannodes.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column } from './codegen.ts';
import { genExpr, genFilter } from './expr_codegen.ts';
import { MergeInner } from './merge_inner.ts';
import { keep, outputTypes } from './node_sort.ts';
import type { Consumer, PlanCompiler, Producer } from './plan_compiler.ts';
import { typeComparator } from './sort_support.ts';
import { Tuplestore } from './tuplestore.ts';

type Join = NestLoop | HashJoin | MergeJoin;

/** What is done with a pair: the qual and the projection, then the consumer. */
export function emitPair(pc: PlanCompiler, plan: Join, outer: Column[], inner: Column[], consume: Consumer): void {
  const { g } = pc;
  g.labelled((label) => pc.filterAndProject(plan, pc.context({ outer, inner }), g.jumpCode(label), consume));
}

/** The same as a function of its own, for joins that pass on from two places. */
export function outlinedPair(pc: PlanCompiler, plan: Join, consume: Consumer): (outer: Column[], inner: Column[]) => void {
  const left = outputTypes(plan.lefttree!);
  const right = outputTypes(plan.righttree!);
  const out = pc.outlineFor((columns) => emitPair(pc, plan, columns.slice(0, left.length), columns.slice(left.length), consume), [...left, ...right]);
  return (outer, inner) => out([...outer, ...inner]);
}

export const nullColumns = (plan: Plan): Column[] => plan.targetlist.map((t) => ({ nullable: true, type: exprType(t.expr), read: () => 'null' }));

const nestLoop: Producer<NestLoop> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype } = plan;
  const pair = jointype === 'left' ? outlinedPair(pc, plan, consume) : null;
  pc.produce(plan.lefttree!, (outer) => {
    // The inner side may overwrite what the outer row is read from.
    for (const column of outer) g.column(column);
    const outerCx = pc.context({ outer });
    for (const { paramno, paramval } of plan.nestParams) g.emit(`${pc.param(paramno)} = ${genExpr(g, paramval, outerCx).code};`);
    // A state rather than a local variable: the inner consumer may be in a function of its own.
    const matched = jointype === 'inner' || jointype === 'semi' ? '' : g.state('false');
    if (matched !== '') g.emit(`${matched} = false;`);
    g.labelled((innerLoop) => {
      produceInner(pc, plan, outer, (outerHere, inner) => {
        g.labelled((label) => {
          genFilter(g, plan.joinqual, pc.context({ outer: outerHere, inner }), pc.counted(plan, g.jumpCode(label), 'joinFiltered'));
          switch (jointype) {
            // The columns of a semi join's match may be asked for above, where they stand for those they equal.
            case 'inner': case 'semi':
              emitPair(pc, plan, outerHere, inner, consume);
              if (plan.inner_unique || jointype === 'semi') g.jump(innerLoop);
              break;
            case 'left':
              g.emit(`${matched} = true;`);
              pair!(outerHere, inner);
              if (plan.inner_unique) g.jump(innerLoop);
              break;
            default: // anti
              g.emit(`${matched} = true;`);
              g.jump(innerLoop);
          }
        });
      });
    });
    if (jointype === 'left') g.block(`if (!${matched})`, () => pair!(outer, nullColumns(plan.righttree!)));
    else if (jointype === 'anti') g.block(`if (!${matched})`, () => emitPair(pc, plan, outer, nullColumns(plan.righttree!), consume));
  });
};

/**
 * Runs the inner side. Its consumer may end up in a function of its own (below an Append, an outer join), where the
 * variables of the outer row are not in sight; then the outer columns go through variables of the execution.
 */
function produceInner(pc: PlanCompiler, plan: NestLoop, outer: Column[], body: (outer: Column[], inner: Column[]) => void): void {
  const { g } = pc;
  if (!pc.mayOutline(plan.righttree!)) {
    pc.produce(plan.righttree!, (inner) => body(outer, inner));
    return;
  }
  const saved = outer.map((column) => {
    const name = g.state('null');
    g.emit(`${name} = ${g.column(column).code};`);
    return { nullable: column.nullable, type: column.type, read: () => name } as Column;
  });
  pc.produce(plan.righttree!, (inner) => body(saved, inner));
}

/**
 * Both sides come sorted. The inner rows are kept, as they are read while the outer side runs; those of the outer row's key
 * stand in a list, as the next outer row may have the same key.
 */
const mergeJoin: Producer<MergeJoin> = (pc, plan, consume) => {
  const { g } = pc;
  const { jointype, mergeKeys } = plan;
  const innerPlan = plan.righttree!;
  const types = outputTypes(innerPlan);
  const store = keep(pc, innerPlan, `new ${g.konst(Tuplestore)}(${g.konst(types.map((t) => t.type))})`, true);
  const innerKeys = g.fn(['r'], () => {
    const inner = pc.columnsOfRow('r', types);
    const cx = pc.context({ outer: inner, inner });
    g.emit(`return [${mergeKeys.map((k) => genExpr(g, k.right, cx).code).join(', ')}];`);
  });
  const keepsInner = jointype === 'right' || jointype === 'full';
  const inner = g.state('null', 'M');
  g.emit(`${inner} = new ${g.konst(MergeInner)}(${store}.reader(), ${innerKeys.name}, ${g.konst(mergeComparator(plan))}, ${keepsInner});`);
  const pair = jointype === 'inner' || jointype === 'semi' || jointype === 'anti' ? null : outlinedPair(pc, plan, consume);
  const emitUnmatched = (): void => {
    if (!keepsInner) return;
    const row = g.next('r');
    g.block(`for (let ${row}; (${row} = ${inner}.unmatched()) !== undefined;)`, () => pair!(nullColumns(plan.lefttree!), pc.columnsOfRow(row, types)));
  };
  pc.produce(plan.lefttree!, (outer) => {
    const cx = pc.context({ outer });
    g.emit(`${inner}.begin([${mergeKeys.map((k) => genExpr(g, k.left, cx).code).join(', ')}]);`);
    emitUnmatched();
    const group = g.local(`${inner}.rows()`);
    const found = g.local('false', true);
    const i = g.next('i');
    g.labelled((done) => {
      g.block(`for (let ${i} = 0; ${i} < ${group}.length; ${i}++)`, () => {
        g.emit(`if ((${i} & 1023) === 1023) ${g.konst(checkForInterrupts)}();`);
        g.labelled((next) => {
          const innerRow = pc.columnsOfRow(g.local(`${group}[${i}]`), types);
          genFilter(g, plan.joinqual, pc.context({ outer, inner: innerRow }), pc.counted(plan, g.jumpCode(next), 'joinFiltered'));
          g.emit(`${found} = true;`);
          if (jointype === 'anti') {
            g.jump(done);
            return;
          }
          if (keepsInner) g.emit(`${inner}.matched(${i});`);
          if (pair !== null) pair(outer, innerRow);
          else emitPair(pc, plan, outer, innerRow, consume);
          if (jointype === 'semi') g.jump(done);
        });
      });
    });
    if (jointype === 'anti') {
      g.block(`if (!${found})`, () => emitPair(pc, plan, outer, nullColumns(innerPlan), consume));
    } else if (jointype === 'left' || jointype === 'full') {
      g.block(`if (!${found})`, () => pair!(outer, nullColumns(innerPlan)));
    }
  });
  if (keepsInner) g.emit(`${inner}.end();`);
  emitUnmatched();
};

function mergeComparator(plan: MergeJoin): (a: unknown[], b: unknown[]) => number {
  const parts = plan.mergeKeys.map((k) => ({ compare: typeComparator(exprType(k.right), k.collation, exprType(k.left)), sign: k.reverse ? -1 : 1, nullOrder: k.nullsFirst ? -1 : 1 }));
  return (a, b) => {
    for (let i = 0; i < parts.length; i++) {
      const { compare, sign, nullOrder } = parts[i]!;
      const x = a[i];
      const y = b[i];
      if (x === null || y === null) {
        if (x !== y) return x === null ? nullOrder : -nullOrder;
        continue;
      }
      const order = compare(x, y);
      if (order !== 0) return sign * order;
    }
    return 0;
  };
}

export const joinProducers = { NestLoop: nestLoop, MergeJoin: mergeJoin };
