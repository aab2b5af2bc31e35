// CALL (ExecuteCallStmt of PostgreSQL's functioncmds.c).
import { PgError } from '../../common/errors.ts';
import { aclcheckProc, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { getTypCollation } from '../catalog/lsyscache.ts';
import type { PgProc } from '../catalog/rows.ts';
import { procByOid } from '../catalog/syscache.ts';
import type { ResultColumn } from '../executor/dest.ts';
import { compileExpr } from '../executor/expression.ts';
import { callable, functionInfo } from '../executor/fmgr_info.ts';
import { procedureCall } from '../executor/procedure_call.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, FuncExpr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement, inTransactionBlock } from '../transaction/xact.ts';
import { RecordValue, type Datum, type Oid } from '../types/datum.ts';
import { RECORDOID } from '../types/oids.ts';
import { session } from '../utils/session.ts';

/** The values of the input arguments, in the order of proargtypes, defaults filled in. */
export function inputArguments(call: FuncExpr, proc: PgProc): Expr[] {
  const modes = proc.proargmodes;
  const all = proc.proallargtypes ?? proc.proargtypes;
  const given: (Expr | undefined)[] = new Array<Expr | undefined>(all.length).fill(undefined);
  call.args.forEach((arg, i) => { given[arg.kind === 'NamedArgExpr' ? arg.argnumber : i] = arg.kind === 'NamedArgExpr' ? arg.arg : arg; });
  const inputs = all.map((_t, i) => i).filter((i) => modes === null || 'ibv'.includes(modes[i]!));
  const defaults = proc.proargdefaults === null ? [] : stringToNode<Expr[]>(proc.proargdefaults);
  return inputs.map((position, i) => {
    const expr = given[position] ?? defaults[i - (inputs.length - defaults.length)];
    if (expr === undefined) throw new PgError('undefined_function', `procedure "${proc.proname}" lacks an argument`);
    return expr;
  });
}

/** The arguments that come back, by their places among all. */
export function outPositions(proc: PgProc): { position: number; name: string; type: Oid }[] {
  const result: { position: number; name: string; type: Oid }[] = [];
  proc.proargmodes?.forEach((mode, i) => {
    if (mode === 'o' || mode === 'b') result.push({ position: i, name: proc.proargnames?.[i] ?? '', type: proc.proallargtypes![i]! });
  });
  return result;
}

function outColumns(proc: PgProc): ResultColumn[] {
  return outPositions(proc).map(({ name, type }, i) => ({
    name: name || `column${i + 1}`, typeOid: type, typmod: -1, collation: getTypCollation(type), tableOid: 0, tableColumn: 0,
  }));
}

/** Runs a procedure; `nonatomic`: it may end the transaction, unless it brings settings or a role of its own. */
export function runProcedure(proc: PgProc, values: readonly Datum[], types: readonly Oid[], collation: Oid, nonatomic: boolean): Datum {
  if (!aclcheckProc(proc.oid, session.currentUser)) throw notOwnerOrDenied('procedure', proc.proname);
  const run = callable(functionInfo(proc.oid), types, proc.prorettype, collation);
  if (proc.proisstrict && values.includes(null)) return null;
  procedureCall.nonatomic = nonatomic && !proc.prosecdef && proc.proconfig === null;
  try {
    return (run(...values) ?? null) as Datum;
  } finally {
    procedureCall.nonatomic = false;
  }
}

function runCall(stmt: RawNode, context: UtilityContext): void {
  const call = stmt['analyzed'] as FuncExpr;
  const proc = procByOid(call.funcid)!;
  const args = inputArguments(call, proc);
  const values = args.map((a) => compileExpr(a)(context.params));
  const nonatomic = context.topLevel && !inTransactionBlock(true);
  const result = runProcedure(proc, values, args.map(exprType), call.inputcollid, nonatomic);
  commandCounterIncrement();
  if (proc.prorettype !== RECORDOID) return;
  // What polymorphic arguments are is known from the row.
  const columns = outColumns(proc).map((c, i) => (result instanceof RecordValue ? { ...c, typeOid: result.attributes[i]?.typeOid ?? c.typeOid } : c));
  context.dest.start(columns);
  context.dest.receive(result instanceof RecordValue ? [...result.values] : columns.map(() => null));
  context.dest.end();
}

export const CALL_COMMANDS: UtilityTable = {
  CallStmt: {
    run: runCall,
    columns(stmt: RawNode) {
      const proc = procByOid((stmt['analyzed'] as FuncExpr).funcid)!;
      return proc.prorettype === RECORDOID ? outColumns(proc) : null;
    },
  },
};
