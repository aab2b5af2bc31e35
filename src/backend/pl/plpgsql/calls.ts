// CALL and DO inside a function. What a procedure puts out goes into the variables that stand for its arguments.
import { PgError } from '../../../common/errors.ts';
import { procByOid } from '../../catalog/syscache.ts';
import { inputArguments, outPositions, runProcedure } from '../../commands/call.ts';
import { compileExpr } from '../../executor/expression.ts';
import { exprType } from '../../nodes/nodeFuncs.ts';
import { transformCall } from '../../parser/analyze.ts';
import { makeParseState } from '../../parser/parse_node.ts';
import { rawParse } from '../../parser/raw_parser.ts';
import { processUtility } from '../../tcop/utility.ts';
import { commandCounterIncrement } from '../../transaction/xact.ts';
import { RecordValue, type Datum } from '../../types/datum.ts';
import { procedureCall } from '../../executor/procedure_call.ts';
import { DISCARD } from '../../executor/dest.ts';
import { castValue } from './casts.ts';
import type { Estate } from './estate.ts';
import { Binding, setupHooks, type Site } from './expression.ts';
import { assignRecord, findField, isConstant, setField } from './records.ts';

/** Runs CALL; what the site's variables are now (undefined: as before), null when nothing came out. */
export function call(rt: Estate, site: Site, values: readonly Datum[]): (Datum | undefined)[] | null {
  rt.running = site.running;
  if (!rt.fn.readOnly) commandCounterIncrement();
  const { text } = site.expr;
  const raw = rawParse(text)[0]!.stmt;
  const state = makeParseState(text);
  const binding = new Binding(site.refs, values);
  setupHooks(state, site.expr.namespace, rt.fn.variableConflict, binding);
  const node = transformCall(state, raw);
  const proc = procByOid(node.funcid)!;
  const outs = outPositions(proc);
  // Every argument that comes back must be a variable.
  const targets = outs.map(({ position, name }) => {
    const given = node.args.find((a, i) => (a.kind === 'NamedArgExpr' ? a.argnumber : i) === position);
    const arg = given?.kind === 'NamedArgExpr' ? given.arg : given;
    if (arg?.kind !== 'Param') {
      rt.running = null;
      throw new PgError('syntax_error', name !== '' ? `procedure parameter "${name}" is an output parameter but corresponding argument is not writable`
        : `procedure parameter ${position + 1} is an output parameter but corresponding argument is not writable`);
    }
    const slot = binding.slots[arg.paramid - 1]!;
    const holder = site.refs[slot.ref]!;
    if (holder.isConst) {
      rt.running = null;
      throw isConstant(holder.name);
    }
    return slot;
  });
  const params = binding.bind(values);
  const args = inputArguments(node, proc);
  const inputs = args.map((a) => compileExpr(a)(params));
  const result = runProcedure(proc, inputs, args.map(exprType), node.inputcollid, !rt.atomic);
  commandCounterIncrement();
  rt.running = null;
  if (targets.length === 0) return null;
  const changed: (Datum | undefined)[] = site.refs.map(() => undefined);
  const row = result instanceof RecordValue ? result : null;
  targets.forEach(({ ref, field }, i) => {
    const holder = site.refs[ref]!;
    const value = row?.values[i] ?? null;
    const type = row?.attributes[i]?.typeOid ?? outs[i]!.type;
    if (holder.kind === 'var') changed[ref] = castValue(value, type, -1, holder.type.oid, holder.type.typmod);
    else if (field < 0) changed[ref] = assignRecord(holder, value, type);
    else {
      const record = (changed[ref] ?? values[ref]!) as RecordValue;
      const name = record.attributes[field]!.name;
      const { attribute } = findField(holder, record, name);
      changed[ref] = setField({ kind: 'recfield', dno: -1, name, line: 0, rec: holder, field: name }, record, castValue(value, type, -1, attribute.typeOid, attribute.typmod));
    }
  });
  return changed;
}

/** DO inside a function. */
export function doBlock(rt: Estate, site: Site): void {
  const { text } = site.expr;
  rt.running = site.running;
  commandCounterIncrement();
  procedureCall.nonatomic = !rt.atomic;
  try {
    processUtility(rawParse(text)[0]!.stmt, { text, statementText: text, topLevel: false, params: [], paramTypes: [], dest: DISCARD });
  } finally {
    procedureCall.nonatomic = false;
  }
  rt.running = null;
}
