// Whether an expression needs no parentheses inside another one (isSimpleNode of PostgreSQL's ruleutils.c).
import { exprType } from '../../nodes/nodeFuncs.ts';
import type { Expr, OpExpr } from '../../nodes/primnodes.ts';
import { operatorName } from './object_names.ts';

type Kind = Expr['kind'];

/** Single words, function-like things, and those with brackets or keywords of their own. */
const ALWAYS = new Set<Kind>([
  'Var', 'Const', 'Param', 'CoerceToDomainValue', 'SetToDefault', 'CurrentOfExpr', 'SubscriptingRef', 'ArrayExpr', 'RowExpr', 'CoalesceExpr', 'MinMaxExpr',
  'SQLValueFunction', 'XmlExpr', 'NextValueExpr', 'NullIfExpr', 'Aggref', 'GroupingFunc', 'WindowFunc', 'FuncExpr', 'CaseExpr',
]);

/** Parents that enclose each of their parts. */
const SEPARATING = new Set<Kind>([
  'SubscriptingRef', 'ArrayExpr', 'RowExpr', 'CoalesceExpr', 'MinMaxExpr', 'NullIfExpr', 'Aggref', 'GroupingFunc', 'WindowFunc', 'CaseExpr', 'XmlExpr',
]);

/** Things written as name(...). */
const FUNCTION_LIKE = new Set<Kind>(['Aggref', 'GroupingFunc', 'WindowFunc', 'CoalesceExpr', 'MinMaxExpr', 'NullIfExpr', 'SQLValueFunction', 'XmlExpr', 'TableFunc']);

export function looksLikeFunction(e: Expr): boolean {
  if (e.kind === 'FuncExpr') return e.funcformat === 'explicit_call' || e.funcformat === 'sql_syntax';
  return FUNCTION_LIKE.has(e.kind);
}

const encloses = (parent: Expr): boolean => (parent.kind === 'FuncExpr' ? parent.funcformat === 'explicit_call' : SEPARATING.has(parent.kind));

export function isSimpleNode(e: Expr, parent: Expr): boolean {
  if (ALWAYS.has(e.kind)) return true;
  switch (e.kind) {
    case 'FieldSelect': return parent.kind !== 'FieldSelect';
    case 'FieldStore': return parent.kind !== 'FieldStore';
    case 'CoerceToDomain': case 'RelabelType': case 'CoerceViaIO': case 'ArrayCoerceExpr': case 'ConvertRowtypeExpr': return isSimpleNode(e.arg, e);
    case 'OpExpr': return parent.kind === 'OpExpr' ? isTighter(e, parent) : parent.kind === 'BoolExpr' || encloses(parent);
    case 'SubLink': case 'SubPlan': case 'NullTest': case 'BooleanTest': case 'DistinctExpr': return parent.kind === 'BoolExpr' || encloses(parent);
    case 'BoolExpr':
      if (parent.kind === 'BoolExpr') return e.boolop === 'or' ? parent.boolop === 'or' : parent.boolop !== 'not';
      return encloses(parent);
    default: return false;
  }
}

/** a * b inside +, and what stands left of an operator of the same precedence. Only + - * / % are known. */
function isTighter(e: OpExpr, parent: OpExpr): boolean {
  const inner = precedence(e);
  const outer = precedence(parent);
  if (inner === 0 || outer === 0) return false;
  return inner === outer ? parent.args[0] === e : inner > outer;
}

function precedence(e: OpExpr): number {
  if (e.args.length !== 2) return 0;
  const name = operatorName(e.opno, exprType(e.args[0]!), exprType(e.args[1]!));
  return name === '+' || name === '-' ? 1 : name === '*' || name === '/' || name === '%' ? 2 : 0;
}
