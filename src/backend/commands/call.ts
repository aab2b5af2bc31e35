// CALL (ExecuteCallStmt of PostgreSQL's functioncmds.c).
import { PgError, internalError } from '../../common/errors.ts';
import { aclcheckProc, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { getTypCollation } from '../catalog/lsyscache.ts';
import type { PgProc } from '../catalog/rows.ts';
import { procByOid } from '../catalog/syscache.ts';
import type { ResultColumn } from '../executor/dest.ts';
import { compileExpr } from '../executor/expression.ts';
import { callable, functionInfo } from '../executor/fmgr_info.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, FuncExpr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { parseFuncOrColumn } from '../parser/parse_func.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { setupParseFixedParameters } from '../parser/parse_param.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { RecordValue, type Datum, type Oid } from '../types/datum.ts';
import { RECORDOID } from '../types/oids.ts';
import { session } from '../utils/session.ts';

function analyzeCall(stmt: RawNode, text: string, paramTypes: readonly Oid[]): { call: FuncExpr; proc: PgProc } {
  const raw = stmt['funccall'] as RawNode;
  const state = makeParseState(text);
  if (paramTypes.length > 0) setupParseFixedParameters(state, paramTypes);
  const args = ((raw['args'] ?? []) as RawNode[]).map((a) => transformExpr(state, a, 'call_argument'));
  const call = parseFuncOrColumn(state, raw['funcname'] as string[], args, null, raw, true, raw.location ?? -1);
  if (call?.kind !== 'FuncExpr') throw internalError('CALL of something that is no procedure');
  assignExprCollations(state, call);
  return { call, proc: procByOid(call.funcid)! };
}

/** The values of the input arguments, in the order of proargtypes, defaults filled in. */
function inputArguments(call: FuncExpr, proc: PgProc): Expr[] {
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

function outColumns(proc: PgProc): ResultColumn[] {
  const columns: ResultColumn[] = [];
  proc.proargmodes?.forEach((mode, i) => {
    if (mode !== 'o' && mode !== 'b') return;
    const typeOid = proc.proallargtypes![i]!;
    columns.push({ name: proc.proargnames?.[i] || `column${columns.length + 1}`, typeOid, typmod: -1, collation: getTypCollation(typeOid), tableOid: 0, tableColumn: 0 });
  });
  return columns;
}

function runCall(stmt: RawNode, context: UtilityContext): void {
  const { call, proc } = analyzeCall(stmt, context.text, context.paramTypes);
  if (!aclcheckProc(proc.oid, session.currentUser)) throw notOwnerOrDenied('procedure', proc.proname);
  const args = inputArguments(call, proc);
  const values = args.map((a) => compileExpr(a)(context.params));
  const run = callable(functionInfo(proc.oid), args.map(exprType), proc.prorettype, call.inputcollid);
  const result = run(...values) as Datum;
  commandCounterIncrement();
  if (proc.prorettype !== RECORDOID) return;
  const columns = outColumns(proc);
  context.dest.start(columns);
  context.dest.receive(result instanceof RecordValue ? [...result.values] : columns.map(() => null));
  context.dest.end();
}

export const CALL_COMMANDS: UtilityTable = {
  CallStmt: {
    run: runCall,
    columns(stmt: RawNode) {
      try {
        const { proc } = analyzeCall(stmt, '', []);
        return proc.prorettype === RECORDOID ? outColumns(proc) : null;
      } catch {
        return null; // the error comes when it runs, with its place in the text
      }
    },
  },
};
