// The code of ModifyTable: hands rows to ModifyRun and puts out RETURNING.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { ModifyTable } from '../nodes/plannodes.ts';
import type { TargetEntry } from '../nodes/primnodes.ts';
import { RecordValue } from '../types/datum.ts';
import type { Column } from './codegen.ts';
import { ViewRun } from './instead_of.ts';
import { ownXid } from './scan_columns.ts';
import { MergeRun } from './merge_run.ts';
import { ModifyRun, ModifySpec } from './modify_table.ts';
import { type ExprContext, genExpr, genTest } from './expr_codegen.ts';
import type { PlanCompiler, Producer } from './plan_compiler.ts';

export const modifyTable: Producer<ModifyTable> = (pc, plan, consume) => {
  const { g } = pc;
  const rte = pc.stmt.rtable[plan.resultRelation - 1]!;
  const spec = new ModifySpec(plan, rte.relid);
  const run = g.state('null', 'mt');
  if (spec.relation.kind === 'v') g.emit(`${run} = new ${g.konst(ViewRun)}(rt, ${g.konst(spec)}, ${rowChecks(pc, plan, spec)});`);
  else if (plan.operation === 'merge') g.emit(`${run} = new ${g.konst(MergeRun)}(rt, ${g.konst(spec)}, ${mergeActions(pc, plan, spec)}, ${rowChecks(pc, plan, spec)});`);
  else g.emit(`${run} = new ${g.konst(ModifyRun)}(rt, ${g.konst(spec)}, ${conflictUpdate(pc, plan, spec)}, ${rowChecks(pc, plan, spec)});`);
  pc.produce(plan.lefttree!, (columns) => g.emit(spec.idsOnly ? `${run}.addId(${g.column(columns[plan.rowIdColumn - 1]!).code});` : `${run}.add(${pc.row(columns)});`));
  g.emit(`${run}.finish();`);
  if (plan.returningList.length === 0) return;
  const entry = g.next('e');
  g.block(`for (const ${entry} of ${run}.changed)`, () => {
    const row = g.local(`${entry}.row`);
    const source = plan.lefttree!.targetlist.map((t, i): Column => ({ nullable: true, type: exprType(t.expr), read: () => `${entry}.source[${i}]` }));
    const scan = rowColumns(pc, spec, row, `${entry}.rowId`, `${entry}.relation`, plan.operation === 'delete' ? -4 : -2);
    const cx = pc.context({ outer: source, scan });
    consume(pc.project(plan.returningList, cx));
  });
};

/** The columns of a row of the target that is there as an array; `own`: the system column (xmin, xmax) that is this transaction's. */
function rowColumns(pc: PlanCompiler, { relation }: ModifySpec, row: string, rowId: string, table?: string, own = 0): (attno: number) => Column {
  const { g } = pc;
  const columns = new Map<number, Column>();
  const make = (attno: number): Column => {
    if (attno > 0) return { nullable: true, type: relation.attributes[attno - 1]!.atttypid, read: () => `${row}[${attno - 1}]` };
    switch (attno) {
      case 0: {
        const attributes = relation.attributes.map((a) => ({ name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, dropped: a.attisdropped }));
        return { nullable: false, type: relation.rowType, read: () => `new ${g.konst(RecordValue)}(${g.konst(relation.rowType)}, ${g.konst(attributes)}, ${row})` };
      }
      case -1: return { nullable: false, type: 27, read: () => rowId };
      case -6: return { nullable: false, type: 26, read: () => table ?? g.konst(relation.oid) };
      default: return { nullable: false, type: 28, read: () => (attno === own ? `${g.konst(ownXid)}()` : '0') };
    }
  };
  return (attno) => {
    let column = columns.get(attno);
    if (column === undefined) columns.set(attno, (column = make(attno)));
    return column;
  };
}

/** Returns the values of an assignment. (a, b) = (SELECT ...) comes as a junk entry that sets parameters for the others. */
function assignedValues(pc: PlanCompiler, list: readonly TargetEntry[], cx: ExprContext): void {
  const { g } = pc;
  for (const t of list) if (t.resjunk) g.emit(`${genExpr(g, t.expr, cx).code};`);
  g.emit(`return [${list.filter((t) => !t.resjunk).map((t) => genExpr(g, t.expr, cx).code).join(', ')}];`);
}

/** The text of the MergeActionCodes: functions of the target row, the subplan's row, and where the target row is. */
function mergeActions(pc: PlanCompiler, plan: ModifyTable, spec: ModifySpec): string {
  const { g } = pc;
  const params = ['o', 's', 'id', 'tab'];
  const context = (): ExprContext => {
    const outer = plan.lefttree!.targetlist.map((t, i): Column => ({ nullable: true, type: exprType(t.expr), read: () => `s[${i}]` }));
    return pc.context({ outer, scan: rowColumns(pc, spec, 'o', 'id', 'tab') });
  };
  const actions = plan.mergeActions.map(({ qual, targetList, command }) => {
    const test = qual === null ? 'null' : g.fn(params, () => g.emit(`return ${genTest(g, qual, context())};`)).name;
    const values = command !== 'insert' && command !== 'update' ? 'null' : g.fn(params, () => {
      assignedValues(pc, targetList, context());
    }).name;
    return `{ test: ${test}, values: ${values} }`;
  });
  return `[${actions.join(', ')}]`;
}

/** The text of a ConflictUpdate: functions of the row that is there and of EXCLUDED. */
function conflictUpdate(pc: PlanCompiler, plan: ModifyTable, spec: ModifySpec): string {
  const oc = plan.onConflict;
  if (oc === null || oc.action === 'nothing') return 'null';
  const { g } = pc;
  const context = (): ExprContext => {
    const existing = rowColumns(pc, spec, 'o', '0');
    const excluded = rowColumns(pc, spec, 'x', '0');
    return pc.context({ scan: (attno, node) => (node.varno === oc.exclRelIndex ? excluded : existing)(attno) });
  };
  const { onConflictWhere } = oc;
  const where = onConflictWhere === null ? 'null' : g.fn(['o', 'x'], () => g.emit(`return ${genTest(g, onConflictWhere, context())};`)).name;
  const values = g.fn(['o', 'x'], () => {
    assignedValues(pc, oc.onConflictSet, context());
  }).name;
  return `{ where: ${where}, values: ${values} }`;
}

/** The text of the RowChecks of WITH CHECK OPTION and of policies. */
function rowChecks(pc: PlanCompiler, plan: ModifyTable, spec: ModifySpec): string {
  const { g } = pc;
  const checks = plan.withCheckOptions.flatMap((wco) => {
    const { qual } = wco;
    if (qual === null) return [];
    const test = g.fn(['o', 'id'], () => g.emit(`return ${genTest(g, qual, pc.context({ scan: rowColumns(pc, spec, 'o', 'id') }))};`)).name;
    return [`{ kind: ${g.konst(wco.kind)}, name: ${g.konst(wco.relname)}, policy: ${g.konst(wco.polname)}, test: ${test} }`];
  });
  return checks.length === 0 ? 'null' : `[${checks.join(', ')}]`;
}
