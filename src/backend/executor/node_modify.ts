// The code of ModifyTable: hands rows to ModifyRun and puts out RETURNING.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { ModifyTable } from '../nodes/plannodes.ts';
import { RecordValue } from '../types/datum.ts';
import type { Column } from './codegen.ts';
import { ModifyRun, ModifySpec } from './modify_table.ts';
import type { Producer } from './plan_compiler.ts';

export const modifyTable: Producer<ModifyTable> = (pc, plan, consume) => {
  const { g } = pc;
  const rte = pc.stmt.rtable[plan.resultRelation - 1]!;
  const spec = new ModifySpec(plan, rte.relid);
  const run = g.state('null', 'mt');
  g.emit(`${run} = new ${g.konst(ModifyRun)}(rt, ${g.konst(spec)});`);
  pc.produce(plan.lefttree!, (columns) => g.emit(`${run}.add(${pc.row(columns)});`));
  g.emit(`${run}.finish();`);
  if (plan.returningList.length === 0) return;
  const entry = g.next('e');
  g.block(`for (const ${entry} of ${run}.changed)`, () => {
    const row = g.local(`${entry}.row`);
    const source = plan.lefttree!.targetlist.map((t, i): Column => ({ nullable: true, type: exprType(t.expr), read: () => `${entry}.source[${i}]` }));
    const { relation } = spec;
    const columns = new Map<number, Column>();
    const scan = (attno: number): Column => {
      let column = columns.get(attno);
      if (column === undefined) {
        if (attno > 0) column = { nullable: true, type: relation.attributes[attno - 1]!.atttypid, read: () => `${row}[${attno - 1}]` };
        else if (attno === 0) {
          const attributes = relation.attributes.map((a) => ({ name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, dropped: a.attisdropped }));
          column = { nullable: false, type: relation.rowType, read: () => `new ${g.konst(RecordValue)}(${g.konst(relation.rowType)}, ${g.konst(attributes)}, ${row})` };
        } else if (attno === -1) column = { nullable: false, type: 27, read: () => `${entry}.rowId` };
        else if (attno === -6) column = { nullable: false, type: 26, read: () => g.konst(relation.oid) };
        else column = { nullable: false, type: 26, read: () => '0' };
        columns.set(attno, column);
      }
      return column;
    };
    const cx = pc.context({ outer: source, scan });
    consume(pc.project(plan.returningList, cx));
  });
};
