// Scans of inverted indexes: the rows that have the entries a condition asks for, in the order they stand in; the condition
// itself is asked of each row again.
import type { GinScan } from '../nodes/plannodes.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { ginRowIds } from './gin_rows.ts';
import { indexOf, produceEpqRow, produceFetched, scannedRelation } from './node_scan.ts';
import type { Producer } from './plan_compiler.ts';

export const ginScan: Producer<GinScan> = (pc, plan, consume) => {
  if (produceEpqRow(pc, plan, plan.indexqual, consume)) return;
  const { g } = pc;
  const rel = scannedRelation(pc, plan.scanrelid);
  const info = indexOf(rel, plan.indexid);
  const rows = g.local(ginRowIds(pc, plan, info));
  const i = g.next('i');
  g.block(`for (let ${i} = 0; ${i} < ${rows}.length; ${i}++)`, () => {
    g.emit(`if ((${i} & 255) === 0) ${g.konst(checkForInterrupts)}();`);
    g.labelled((row) => produceFetched(pc, rel, g.local(`${rows}[${i}]`), row, plan, plan.indexqual, consume));
  });
};
