// Functions that return sets, in FROM and in target lists.
import { notSupported } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { FunctionScan, Plan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { type Datum, type RecordValue } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column } from './codegen.ts';
import { type ExprContext, genExpr } from './expr_codegen.ts';
import { functionInfo, functionMissing, makeContext, typeInfo } from './fmgr_info.ts';
import { wholeRowOf } from './node_simple.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';

const EMPTY: readonly Datum[] = [];

/** The text of an iterator over the rows of a set-returning call; null for any other expression. */
export function setFunction(pc: PlanCompiler, node: Expr, cx: ExprContext): string | null {
  if (!((node.kind === 'FuncExpr' && node.funcretset) || (node.kind === 'OpExpr' && node.opretset))) return null;
  const iterable = setIterable(pc, node, cx);
  return `${iterable}[Symbol.iterator]()`;
}

function setIterable(pc: PlanCompiler, node: Expr & { kind: 'FuncExpr' | 'OpExpr' }, cx: ExprContext): string {
  const { g } = pc;
  const oid = node.kind === 'FuncExpr' ? node.funcid : node.opfuncid;
  const info = functionInfo(oid);
  const args = node.args.map((a) => g.atomic(genExpr(g, a, cx)));
  const { builtin } = info;
  if (builtin === undefined) throw functionMissing(info);
  if (builtin.kind !== 'set') throw notSupported(`function ${info.name} as a set`);
  const resultType = node.kind === 'FuncExpr' ? node.funcresulttype : node.opresulttype;
  const context = makeContext(oid, node.args.map((a) => exprType(a)), resultType, node.inputcollid, node.kind === 'FuncExpr' && node.funcvariadic);
  const call = `${g.konst(builtin.fn)}(${[g.konst(context), ...args.map((a) => a.code)].join(', ')})`;
  const nulls = info.strict ? args.filter((a) => a.nullable).map((a) => `${a.code} === null`) : [];
  return nulls.length === 0 ? call : `(${nulls.join(' || ')} ? ${g.konst(EMPTY)} : ${call})`;
}

/** How many columns a function in FROM has, and whether its value is a row to be taken apart. */
function isComposite(f: FunctionScan['functions'][number]): boolean {
  if (f.funccoltypes.length > 0) return true;
  const type = exprType(f.funcexpr);
  if (type === 2249) return true;
  return typeInfo(type).typtype === 'c';
}

export const functionScan: Producer<FunctionScan> = (pc, plan, consume) => {
  const { g } = pc;
  const cx = pc.context({});
  const scanWith = (columns: Column[]): void => {
    const scan = (attno: number): Column => (attno === 0 ? (columns.length === 1 ? columns[0]! : wholeRowOf(pc, plan, columns)) : columns[attno - 1]!);
    g.labelled((row) => pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(row), consume));
  };
  const sources = plan.functions.map((f) => {
    const { funcexpr } = f;
    const isSet = (funcexpr.kind === 'FuncExpr' && funcexpr.funcretset) || (funcexpr.kind === 'OpExpr' && funcexpr.opretset);
    const iterable = isSet ? setIterable(pc, funcexpr as Expr & { kind: 'FuncExpr' }, cx) : `[${genExpr(g, funcexpr, cx).code}]`;
    return { f, iterable: g.local(iterable), composite: isComposite(f) };
  });
  const columnsOf = (source: (typeof sources)[number], value: string): Column[] => {
    const { f, composite } = source;
    if (!composite) return [{ nullable: true, type: exprType(f.funcexpr), read: () => value }];
    const types = f.funccoltypes.length > 0 ? f.funccoltypes : compositeTypes(f.funcexpr, f.funccolcount);
    return types.map((type, i) => ({ nullable: true, type, read: () => `(${value} === null ? null : ${value}.values[${i}] ?? null)` }));
  };
  if (sources.length === 1) {
    const value = g.next('e');
    const ordinal = plan.funcordinality ? g.local('0', true) : '';
    const count = g.local('0', true);
    g.block(`for (const ${value} of ${sources[0]!.iterable})`, () => {
      g.emit(`if ((++${count} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
      const columns = columnsOf(sources[0]!, value);
      if (plan.funcordinality) {
        g.emit(`${ordinal}++;`);
        columns.push({ nullable: false, type: 20, read: () => ordinal });
      }
      scanWith(columns);
    });
    return;
  }
  // ROWS FROM (f(), g(), ...): side by side.
  const iterators = sources.map((s) => g.local(`${s.iterable}[Symbol.iterator]()`));
  const ordinal = g.local('0', true);
  g.block('for (;;)', () => {
    const steps = iterators.map((it) => g.local(`${it}.next()`));
    g.emit(`if (${steps.map((s) => `${s}.done`).join(' && ')}) break;`);
    g.emit(`if ((++${ordinal} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    const columns = sources.flatMap((s, i) => columnsOf(s, g.local(`${steps[i]}.done ? null : ${steps[i]}.value ?? null`)));
    if (plan.funcordinality) columns.push({ nullable: false, type: 20, read: () => ordinal });
    scanWith(columns);
  });
};

function compositeTypes(e: Expr, count: number): number[] {
  const type = exprType(e);
  if (type !== 2249) return typeHooks.rowAttributes(type, -1).map((a) => a.typeOid);
  // OUT parameters of a function that returns record.
  const proc = e.kind === 'FuncExpr' ? functionInfo(e.funcid).proc : undefined;
  const modes = proc?.proargmodes;
  const all = proc?.proallargtypes;
  if (modes && all) return all.filter((_t, i) => modes[i] === 'o' || modes[i] === 'b' || modes[i] === 't');
  return new Array<number>(count).fill(25);
}

export type { RecordValue, Plan };
