// Functions in FROM: one, or several side by side (ROWS FROM).
import { PgError } from '../../common/errors.ts';
import { formatType } from '../catalog/format_type.ts';
import { getBaseType, typeIsRowtype } from '../catalog/lsyscache.ts';
import type { Attribute } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { FunctionScan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { RecordAttribute, RecordValue } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkSameColumns } from '../types/record.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Column } from './codegen.ts';
import { functionInfo, typeInfo } from './fmgr_info.ts';
import { wholeRowOf } from './node_simple.ts';
import type { Producer } from './plan_compiler.ts';
import { walkExpr } from './plan_walker.ts';
import { rowsOfCall } from './set_function.ts';

/** The columns of a column definition list. */
function definitionList(f: FunctionScan['functions'][number]): RecordAttribute[] | undefined {
  if (f.funccoltypes.length === 0) return undefined;
  return f.funccoltypes.map((typeOid, i) => ({ name: f.funccolnames[i]!, typeOid, typmod: f.funccoltypmods[i]!, collation: f.funccolcollations[i]!, dropped: false }));
}

/** Sees that the rows a function returns are what the column definition list says. */
class RowCheck {
  /** The columns of the last row: most functions make all rows alike. */
  seen: readonly RecordAttribute[] | undefined;
  private readonly wanted: readonly RecordAttribute[];

  constructor(wanted: readonly RecordAttribute[]) {
    this.wanted = wanted;
  }

  check(row: RecordValue): void {
    checkSameColumns(row.attributes, this.wanted);
    this.seen = row.attributes;
  }
}

/** Whether the value of a function in FROM is a row to be taken apart. */
const isComposite = (f: FunctionScan['functions'][number]): boolean => f.funccoltypes.length > 0 || typeIsRowtype(exprType(f.funcexpr));

/** A row type may have been changed since the columns of its rows were named (CheckVarSlotCompatibility). */
function checkRowTypes(plan: FunctionScan): void {
  const attributes = plan.functions.flatMap((f): (Attribute | null)[] => {
    const relation = f.funccoltypes.length === 0 && isComposite(f) ? typeInfo(getBaseType(exprType(f.funcexpr))).typrelid : 0;
    const known = relation === 0 ? [] : openRelation(relation).attributes;
    return Array.from({ length: f.funccolcount }, (_n, i) => known[i] ?? null);
  });
  for (const e of [...plan.targetlist.map((t) => t.expr), ...plan.qual]) {
    walkExpr(e, (n) => {
      const a = n.kind === 'Var' && n.varno === plan.scanrelid ? attributes[n.varattno - 1] : null;
      if (n.kind !== 'Var' || a === null || a === undefined) return;
      if (a.attisdropped) throw new PgError('undefined_column', `attribute ${n.varattno} of type record has been dropped`);
      if (a.atttypid !== n.vartype) {
        throw new PgError('datatype_mismatch', `attribute ${n.varattno} of type record has wrong type`, { detail: `Table has type ${formatType(a.atttypid)}, but query expects ${formatType(n.vartype)}.` });
      }
    });
  }
}

export const functionScan: Producer<FunctionScan> = (pc, plan, consume) => {
  checkRowTypes(plan);
  const { g } = pc;
  const cx = pc.context({});
  const scanWith = (columns: Column[]): void => {
    const scan = (attno: number): Column => (attno === 0 ? wholeRowOf(pc, plan, columns) : columns[attno - 1]!);
    g.labelled((row) => pc.filterAndProject(plan, pc.context({ scan }), g.jumpCode(row), consume));
  };
  const sources = plan.functions.map((f) => {
    const attributes = definitionList(f);
    const iterable = g.local(rowsOfCall(pc, f.funcexpr, cx, attributes));
    // Rows of XMLTABLE are made by their definition.
    const isTrusted = attributes === undefined || f.funcexpr.kind === 'TableFunc';
    return { f, iterable, composite: isComposite(f), check: isTrusted ? undefined : g.konst(new RowCheck(attributes)) };
  });
  const columnsOf = (source: (typeof sources)[number], value: string): Column[] => {
    const { f, composite, check } = source;
    if (!composite) return [{ nullable: true, type: exprType(f.funcexpr), read: () => value }];
    if (check !== undefined) g.emit(`if (${value} !== null && ${value}.attributes !== ${check}.seen) ${check}.check(${value});`);
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
  if (type !== 2249) return typeHooks.rowAttributes(type, -1).slice(0, count).map((a) => a.typeOid);
  // OUT parameters of a function that returns record.
  const proc = e.kind === 'FuncExpr' ? functionInfo(e.funcid).proc : undefined;
  const modes = proc?.proargmodes;
  const all = proc?.proallargtypes;
  if (modes && all) return all.filter((_t, i) => modes[i] === 'o' || modes[i] === 'b' || modes[i] === 't');
  return new Array<number>(count).fill(25);
}
