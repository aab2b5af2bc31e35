// Rows of built-in set-returning functions, by the names of their OUT parameters.
import { procByOid } from '../catalog/syscache.ts';
import { RecordValue, type Datum, type RecordAttribute } from '../types/datum.ts';
import type { FunctionContext } from '../types/fmgr.ts';
import { RECORDOID } from '../types/oids.ts';

/** A maker of rows for the function that runs: of values in order, or by name (what is left out is NULL). */
export function rowMaker(context: FunctionContext): { row: (values: readonly Datum[]) => RecordValue; named: (values: Readonly<Record<string, Datum | undefined>>) => RecordValue } {
  const proc = procByOid(context.functionOid);
  const attributes: RecordAttribute[] = [];
  proc?.proargmodes?.forEach((mode, i) => {
    if ('obt'.includes(mode)) attributes.push({ name: proc.proargnames?.[i] ?? '', typeOid: proc.proallargtypes![i]!, typmod: -1, collation: 0, dropped: false });
  });
  return {
    row: (values) => new RecordValue(RECORDOID, attributes, values),
    named: (values) => new RecordValue(RECORDOID, attributes, attributes.map((a) => values[a.name] ?? null)),
  };
}
