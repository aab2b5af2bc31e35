// Calls of functions that return sets: in target lists (ProjectSet) and in FROM.
import { notSupported } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Datum, RecordAttribute } from '../types/datum.ts';
import { type ExprContext, genExpr } from './expr_codegen.ts';
import { collatedFunction } from './collated.ts';
import { calledFunction, functionMissing, makeContext } from './fmgr_info.ts';
import type { PlanCompiler } from './plan_compiler.ts';
import { genTableFunc } from './xml_codegen.ts';

type SetCall = Expr & { kind: 'FuncExpr' | 'OpExpr' };

const EMPTY: readonly Datum[] = [];

/** The text of an iterator over the rows of a set-returning call; null for any other expression. */
export function setFunction(pc: PlanCompiler, node: Expr, cx: ExprContext): string | null {
  if (!returnsSet(node)) return null;
  return `${setIterable(pc, node as SetCall, cx)}[Symbol.iterator]()`;
}

function returnsSet(node: Expr): boolean {
  return (node.kind === 'FuncExpr' && node.funcretset) || (node.kind === 'OpExpr' && node.opretset);
}

/** The text of an iterable of the rows a call in FROM makes: one, unless it returns a set. `attributes`: of its column definition list. */
export function rowsOfCall(pc: PlanCompiler, node: Expr, cx: ExprContext, attributes: readonly RecordAttribute[] | undefined): string {
  if (node.kind === 'TableFunc') return genTableFunc(pc.g, node, (e) => pc.g.atomic(genExpr(pc.g, e, cx)));
  if (returnsSet(node)) return setIterable(pc, node as SetCall, cx, attributes);
  if (attributes !== undefined && node.kind === 'FuncExpr' && calledFunction(node.funcid).builtin?.kind === 'context') return `[${callText(pc, node, cx, attributes, 'null')}]`;
  return `[${genExpr(pc.g, node, cx).code}]`;
}

function setIterable(pc: PlanCompiler, node: SetCall, cx: ExprContext, attributes?: readonly RecordAttribute[]): string {
  const { builtin, name } = calledFunction(node.kind === 'FuncExpr' ? node.funcid : node.opfuncid);
  if (builtin !== undefined && builtin.kind !== 'set') throw notSupported(`function ${name} as a set`);
  return callText(pc, node, cx, attributes, pc.g.konst(EMPTY));
}

/** A call with a context; `whenNull` is the result of a strict function for a null argument. */
function callText(
  pc: PlanCompiler, node: SetCall, cx: ExprContext, resultAttributes: readonly RecordAttribute[] | undefined, whenNull: string,
): string {
  const { g } = pc;
  const oid = node.kind === 'FuncExpr' ? node.funcid : node.opfuncid;
  const info = calledFunction(oid);
  const { builtin } = info;
  if (builtin === undefined) throw functionMissing(info);
  const args = node.args.map((a) => g.atomic(genExpr(g, a, cx)));
  const resultType = node.kind === 'FuncExpr' ? node.funcresulttype : node.opresulttype;
  const context = { ...makeContext(oid, node.args.map((a) => exprType(a)), resultType, node.inputcollid, node.kind === 'FuncExpr' && node.funcvariadic), resultAttributes };
  const codes = args.map((a) => a.code), collated = info.internal && node.inputcollid !== 0 ? collatedFunction(info.prosrc, node.inputcollid) : null;
  const call = collated !== null ? `${g.konst(collated)}(${codes.join(', ')})` : `${g.konst(builtin.fn)}(${[g.konst(context), ...codes].join(', ')})`;
  const nulls = info.strict ? args.filter((a) => a.nullable).map((a) => `${a.code} === null`) : [];
  return nulls.length === 0 ? call : `(${nulls.join(' || ')} ? ${whenNull} : ${call})`;
}
