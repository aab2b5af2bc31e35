// Calls to built-in functions that analysis itself needs: typmod input and output.
import { notSupported } from '../../common/errors.ts';
import * as sys from '../catalog/syscache.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { findBuiltin, type FunctionContext } from '../types/fmgr.ts';

/** Calls the internal function behind a pg_proc row. */
export function callBuiltin(functionOid: Oid, ...args: Datum[]): Datum {
  const proc = sys.procByOid(functionOid);
  const builtin = proc === undefined ? undefined : findBuiltin(proc.prosrc);
  if (proc === undefined || builtin === undefined) throw notSupported(`function ${proc?.proname ?? functionOid}`);
  if (builtin.kind === 'pure') return (builtin.fn(...args) ?? null) as Datum;
  const context: FunctionContext = {
    functionOid, argTypes: proc.proargtypes, resultType: proc.prorettype, collation: 0, variadic: false, extra: undefined, aggregate: false,
  };
  return ((builtin.fn as (...a: unknown[]) => Datum)(context, ...args) ?? null) as Datum;
}
