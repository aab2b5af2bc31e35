// FunctionCall: one function by OID with its arguments, without SQL around it (PostgreSQL's fastpath.c).
import { PgError } from '../../common/errors.ts';
import { typeHooks } from '../types/hooks.ts';
import { procByOid } from '../catalog/syscache.ts';
import { callable, functionInfo } from '../executor/fmgr_info.ts';
import type { Frontend } from '../libpq/pqcomm.ts';
import { commitTransactionCommand, renewSnapshot, startTransactionCommand, transactionBlockStatus } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { sendFunctionCallResponse } from './protocol.ts';
import { statementEnds, statementStarts } from './statement.ts';

export function functionCall(f: Frontend): void {
  const oid = f.readInt32() >>> 0;
  if (transactionBlockStatus() === 'E') {
    throw new PgError('in_failed_sql_transaction', 'current transaction is aborted, commands ignored until end of transaction block');
  }
  statementStarts();
  startTransactionCommand();
  renewSnapshot();
  const proc = procByOid(oid);
  if (proc === undefined) throw new PgError('undefined_function', `function with OID ${oid} does not exist`);
  if (proc.prokind !== 'f' || proc.proretset) {
    throw new PgError('feature_not_supported', `cannot call function "${proc.proname}" via fastpath interface`);
  }
  const formats: number[] = [];
  for (let n = f.readInt16() & 0xffff; n > 0; n--) formats.push(f.readInt16());
  const count = f.readInt16() & 0xffff;
  const types = proc.proargtypes;
  if (count !== types.length) {
    throw new PgError('protocol_violation', `function call message contains ${count} arguments but function requires ${types.length}`);
  }
  if (formats.length > 1 && formats.length !== count) {
    throw new PgError('protocol_violation', `function call message contains ${formats.length} argument formats but ${count} arguments`);
  }
  const args: Datum[] = types.map((type, i) => {
    const length = f.readInt32();
    if (length === -1) return null;
    return (formats.length > 1 ? formats[i] : formats[0] ?? 0) === 1
      ? typeHooks.typeIo(type).receive(Buffer.from(f.readBytes(length)), -1)
      : typeHooks.typeIo(type).input(f.readText(length), -1);
  });
  const resultFormat = f.readInt16();
  f.endOfMessage();
  const result = callable(functionInfo(oid), types, proc.prorettype, 0)(...args);
  if (result === null) sendFunctionCallResponse(null);
  else if (resultFormat === 0) sendFunctionCallResponse(typeHooks.typeIo(proc.prorettype).output(result));
  else sendFunctionCallResponse(typeHooks.typeIo(proc.prorettype).send(result));
  commitTransactionCommand();
  statementEnds();
}
