// Expressions as SQL text (get_rule_expr of PostgreSQL's ruleutils.c): what comes out can be parsed again and means the
// same. Without PRETTY_PAREN every operator is parenthesized; with it only where it is needed.
import { internalError } from '../../../common/errors.ts';
import { getCollationName, getFuncRettype, getOpName, getTypCollation, typeIsRowtype } from '../../catalog/lsyscache.ts';
import { getNamespaceName, getElementType, getRelName } from '../../catalog/lsyscache.ts';
import { collationByOid, operatorByOid, procByOid } from '../../catalog/syscache.ts';
import { operatorIsBareVisible, procIsBareVisible } from './visibility.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import { exprIsLengthCoercion, exprType, exprTypmod } from '../../nodes/nodeFuncs.ts';
import type { Aggref, CaseExpr, Const, Expr, FuncExpr, OpExpr, Param, RowExpr, SubLink, SubscriptingRef, Var, WindowFunc } from '../../nodes/primnodes.ts';
import type { WindowClause } from '../../nodes/parsenodes.ts';
import { typeHooks } from '../../types/hooks.ts';
import type { Oid } from '../../types/datum.ts';
import { PRETTY_PAREN, type DeparseContext } from './context.ts';
import { deparseSubquery, windowSpecText, sortClauseText } from './query.ts';
import { functionSqlSyntax } from './sql_syntax.ts';

type Emit<K extends Expr['kind']> = (e: Extract<Expr, { kind: K }>, c: DeparseContext, showImplicit: boolean) => string;
type EmitTable = { [K in Expr['kind']]: Emit<K> };

const isPretty = (c: DeparseContext): boolean => (c.pretty & PRETTY_PAREN) !== 0;

export function ruleExpr(e: Expr, c: DeparseContext, showImplicit = false): string {
  return (EMIT[e.kind] as (e: Expr, c: DeparseContext, s: boolean) => string)(e, c, showImplicit);
}

/** An operand: parenthesized in pretty mode where precedence asks for it (get_rule_expr_paren). */
function operand(e: Expr, c: DeparseContext, parent: Expr, showImplicit = false): string {
  const text = ruleExpr(e, c, showImplicit);
  return isPretty(c) && !isSimpleNode(e, parent) ? `(${text})` : text;
}

const list = (exprs: readonly Expr[], c: DeparseContext, showImplicit = true): string => exprs.map((e) => ruleExpr(e, c, showImplicit)).join(', ');

const EMIT: EmitTable = {
  Var: (e, c) => variable(e, c),
  Const: (e) => constant(e, 0),
  Param: (e, c) => parameter(e, c),
  Aggref: (e, c) => aggregate(e, c),
  GroupingFunc: (e, c) => `GROUPING(${list(e.args, c)})`,
  WindowFunc: (e, c) => windowFunction(e, c),
  SubscriptingRef: (e, c) => subscripting(e, c),
  FuncExpr: (e, c, showImplicit) => functionCall(e, c, showImplicit),
  NamedArgExpr: (e, c) => `${quoteIdentifier(e.name)} => ${ruleExpr(e.arg, c)}`,
  OpExpr: (e, c) => operatorCall(e, c),
  DistinctExpr: (e, c) => wrap(c, `${operand(e.args[0]!, c, e, true)} IS DISTINCT FROM ${operand(e.args[1]!, c, e, true)}`),
  NullIfExpr: (e, c) => `NULLIF(${list(e.args, c)})`,
  ScalarArrayOpExpr: (e, c) => {
    const [left, right] = e.args;
    let array = operand(right, c, e, true);
    // ANY (subquery) and ANY (array) look alike: a sublink as the array gets a cast to say which it is.
    if (right.kind === 'SubLink' && right.subLinkType === 'expr') array += `::${formatTypeWithTypmod(exprType(right), exprTypmod(right))}`;
    return wrap(c, `${operand(left, c, e, true)} ${operatorName(e.opno, exprType(left), getElementType(exprType(right)))} ${e.useOr ? 'ANY' : 'ALL'} (${array})`);
  },
  BoolExpr: (e, c) => {
    if (e.boolop === 'not') return wrap(c, `NOT ${operand(e.args[0]!, c, e)}`);
    return wrap(c, e.args.map((a) => operand(a, c, e)).join(e.boolop === 'and' ? ' AND ' : ' OR '));
  },
  SubLink: (e, c) => subLink(e, c),
  SubPlan: (e) => (e.useHashTable ? `(hashed ${e.planName})` : `(${e.planName})`),
  FieldSelect: (e, c) => {
    const { arg } = e;
    const text = ruleExpr(arg, c, true);
    const simple = arg.kind === 'SubscriptingRef' || arg.kind === 'FieldSelect';
    return `${simple ? text : `(${text})`}.${quoteIdentifier(fieldName(arg, e.fieldnum))}`;
  },
  FieldStore: (e, c) => (e.newvals.length === 1 ? ruleExpr(e.newvals[0]!, c) : `ROW(${list(e.newvals, c)})`),
  RelabelType: (e, c, showImplicit) => (e.relabelformat === 'implicit_cast' && !showImplicit
    ? operand(e.arg, c, e) : coercion(e.arg, c, e.resulttype, e.resulttypmod, e)),
  CoerceViaIO: (e, c, showImplicit) => (e.coerceformat === 'implicit_cast' && !showImplicit ? operand(e.arg, c, e) : coercion(e.arg, c, e.resulttype, -1, e)),
  ArrayCoerceExpr: (e, c, showImplicit) => (e.coerceformat === 'implicit_cast' && !showImplicit
    ? operand(e.arg, c, e) : coercion(e.arg, c, e.resulttype, e.resulttypmod, e)),
  ConvertRowtypeExpr: (e, c, showImplicit) => (e.convertformat === 'implicit_cast' && !showImplicit
    ? operand(e.arg, c, e) : coercion(e.arg, c, e.resulttype, -1, e)),
  CollateExpr: (e, c) => wrap(c, `${operand(e.arg, c, e)} COLLATE ${collationName(e.collOid)}`),
  CaseExpr: (e, c) => caseExpr(e, c),
  CaseTestExpr: () => 'CASE_TEST_EXPR',
  ArrayExpr: (e, c) => {
    const text = `ARRAY[${list(e.elements, c)}]`;
    return e.elements.length === 0 ? `${text}::${formatTypeWithTypmod(e.array_typeid, -1)}` : text;
  },
  RowExpr: (e, c) => rowExpr(e, c),
  RowCompareExpr: (e, c) => `(ROW(${list(e.largs, c)}) ${operatorName(e.opnos[0]!, exprType(e.largs[0]!), exprType(e.rargs[0]!))} ROW(${list(e.rargs, c)}))`,
  CoalesceExpr: (e, c) => `COALESCE(${list(e.args, c)})`,
  MinMaxExpr: (e, c) => `${e.op === 'greatest' ? 'GREATEST' : 'LEAST'}(${list(e.args, c)})`,
  SQLValueFunction: (e) => SQL_VALUE_FUNCTIONS[e.op]! + (e.op.endsWith('_n') ? `(${e.typmod})` : ''),
  NullTest: (e, c) => {
    const arg = operand(e.arg, c, e, true);
    // A composite column that is tested as a whole, not field by field, needs IS DISTINCT FROM.
    if (!e.argisrow && typeIsRowtype(exprType(e.arg))) return wrap(c, `${arg} IS ${e.isNull ? 'NOT ' : ''}DISTINCT FROM NULL`);
    return wrap(c, `${arg} IS ${e.isNull ? '' : 'NOT '}NULL`);
  },
  BooleanTest: (e, c) => wrap(c, `${operand(e.arg, c, e)} ${e.booltesttype.toUpperCase().replaceAll('_', ' ')}`),
  CoerceToDomain: (e, c, showImplicit) => (e.coercionformat === 'implicit_cast' && !showImplicit
    ? ruleExpr(e.arg, c) : coercion(e.arg, c, e.resulttype, e.resulttypmod, e)),
  CoerceToDomainValue: () => 'VALUE',
  SetToDefault: () => 'DEFAULT',
  CurrentOfExpr: (e) => (e.cursor_name !== null ? `CURRENT OF ${quoteIdentifier(e.cursor_name)}` : `CURRENT OF $${e.cursor_param}`),
  NextValueExpr: (e) => `nextval('${quoteIdentifier(getRelName(e.seqid) ?? '')}'::regclass)`,
};

const wrap = (c: DeparseContext, text: string): string => (isPretty(c) ? text : `(${text})`);

const SQL_VALUE_FUNCTIONS: Record<string, string> = {
  current_date: 'CURRENT_DATE', current_time: 'CURRENT_TIME', current_time_n: 'CURRENT_TIME', current_timestamp: 'CURRENT_TIMESTAMP',
  current_timestamp_n: 'CURRENT_TIMESTAMP', localtime: 'LOCALTIME', localtime_n: 'LOCALTIME', localtimestamp: 'LOCALTIMESTAMP',
  localtimestamp_n: 'LOCALTIMESTAMP', current_role: 'CURRENT_ROLE', current_user: 'CURRENT_USER', user: 'USER', session_user: 'SESSION_USER',
  current_catalog: 'CURRENT_CATALOG', current_schema: 'CURRENT_SCHEMA',
};

// ---- names

export function variable(e: Var, c: DeparseContext): string {
  const ns = c.namespaces[e.varlevelsup];
  if (ns === undefined) throw internalError(`bogus varlevelsup: ${e.varlevelsup} offset 0`);
  const rte = ns.rtable[e.varno - 1];
  const name = ns.rtableNames[e.varno - 1];
  if (rte?.rtekind === 'join' && rte.alias === null && e.varattno > 0) {
    const merged = rte.joinaliasvars[e.varattno - 1];
    if (merged?.kind === 'Var') return variable({ ...merged, varlevelsup: merged.varlevelsup + e.varlevelsup }, c);
    return quoteIdentifier(ns.columnNames[e.varno - 1]![e.varattno - 1]!);
  }
  if (e.varattno === 0) {
    const whole = name === null || name === undefined ? '*' : `${quoteIdentifier(name)}.*`;
    return whole;
  }
  const column = e.varattno > 0 ? ns.columnNames[e.varno - 1]?.[e.varattno - 1] ?? '?column?' : SYSTEM_NAMES[-e.varattno]!;
  const needPrefix = name !== null && name !== undefined && (c.varprefix || e.varlevelsup > 0);
  return needPrefix ? `${quoteIdentifier(name)}.${quoteIdentifier(column)}` : quoteIdentifier(column);
}

const SYSTEM_NAMES = ['', 'ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'];

function fieldName(arg: Expr, fieldnum: number): string {
  if (arg.kind === 'RowExpr' && arg.colnames[fieldnum - 1] !== undefined) return arg.colnames[fieldnum - 1]!;
  try {
    return typeHooks.rowAttributes(exprType(arg), exprTypmod(arg))[fieldnum - 1]?.name ?? `f${fieldnum}`;
  } catch {
    return `f${fieldnum}`;
  }
}

function parameter(e: Param, _c: DeparseContext): string {
  return `$${e.paramid}`;
}

export function collationName(oid: Oid): string {
  const collation = collationByOid(oid);
  const name = getCollationName(oid) ?? String(oid);
  return collation !== undefined && getNamespaceName(collation.collnamespace) === 'pg_catalog' ? quoteIdentifier(name)
    : quoteQualifiedIdentifier(getNamespaceName(collation?.collnamespace ?? 0), name);
}

/** An operator's name, as OPERATOR(schema.op) where the bare one would mean another. */
export function operatorName(opno: Oid, left: Oid, right: Oid): string {
  const op = operatorByOid(opno);
  if (op === undefined) throw internalError(`cache lookup failed for operator ${opno}`);
  return operatorIsBareVisible(op, left, right) ? op.oprname : `OPERATOR(${quoteIdentifier(getNamespaceName(op.oprnamespace)!)}.${op.oprname})`;
}

export function functionName(oid: Oid, argTypes: readonly Oid[], variadic: boolean): string {
  const proc = procByOid(oid);
  if (proc === undefined) throw internalError(`cache lookup failed for function ${oid}`);
  // Names that the grammar takes for something else must be qualified or quoted.
  return procIsBareVisible(proc, argTypes, variadic) ? quoteIdentifier(proc.proname) : quoteQualifiedIdentifier(getNamespaceName(proc.pronamespace), proc.proname);
}

// ---- constants

export const simpleQuoteLiteral = (text: string): string => (text.includes('\\')
  ? `E'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\'\'')}'` : `'${text.replaceAll('\'', '\'\'')}'`);

const BOOLOID = 16, INT4OID = 23, NUMERICOID = 1700, UNKNOWNOID = 705;

/** `showtype`: -1 never, 0 as needed, 1 always (get_const_expr). */
export function constant(e: Const, showtype: number): string {
  const cast = (): string => `::${formatTypeWithTypmod(e.consttype, e.consttypmod)}${constCollation(e)}`;
  if (e.constvalue === null) return showtype >= 0 ? `NULL${cast()}` : 'NULL';
  const text = typeHooks.typeIo(e.consttype).output(e.constvalue);
  let out: string;
  let label = false;
  switch (e.consttype) {
    case INT4OID:
      if (text.startsWith('-')) { out = `'${text}'`; label = true; } else out = text;
      break;
    case NUMERICOID:
      if (/^\d/.test(text) && /[eE.]/.test(text)) out = text;
      else { out = `'${text}'`; label = true; }
      break;
    case BOOLOID: out = e.constvalue ? 'true' : 'false'; break;
    default: out = simpleQuoteLiteral(text);
  }
  if (showtype < 0) return out;
  switch (e.consttype) {
    case BOOLOID: case UNKNOWNOID: break;
    case INT4OID: break;
    case NUMERICOID: label ||= e.consttypmod >= 0; break;
    default: label = true;
  }
  return label || showtype > 0 ? out + cast() : out + constCollation(e);
}

function constCollation(e: Const): string {
  if (e.constcollid === 0) return '';
  return e.constcollid === getTypCollation(e.consttype) ? '' : ` COLLATE ${collationName(e.constcollid)}`;
}

// ---- calls

function coercion(arg: Expr, c: DeparseContext, type: Oid, typmod: number, parent: Expr): string {
  // A constant of the very type is written with its label alone; a length coercion shows the final typmod.
  if (arg.kind === 'Const' && arg.consttype === type && arg.consttypmod === -1) return `${constant(arg, -1)}::${formatTypeWithTypmod(type, typmod)}`;
  const text = operand(arg, c, parent);
  const body = isPretty(c) ? text : `(${text})`;
  return `${body}::${formatTypeWithTypmod(type, typmod)}`;
}

function functionCall(e: FuncExpr, c: DeparseContext, showImplicit: boolean): string {
  if (e.funcformat === 'implicit_cast' && !showImplicit) return operand(e.args[0]!, c, e);
  if (e.funcformat === 'explicit_cast' || e.funcformat === 'implicit_cast') {
    const typmod = exprIsLengthCoercion(e);
    return coercion(e.args[0]!, c, getFuncRettype(e.funcid), typmod ?? -1, e);
  }
  if (e.funcformat === 'sql_syntax') {
    const text = functionSqlSyntax(e, (a) => ruleExpr(a, c), (a) => operand(a, c, e));
    if (text !== null) return text;
  }
  const types = e.args.map((a) => exprType(a.kind === 'NamedArgExpr' ? a.arg : a));
  const args = e.args.map((a, i) => `${e.funcvariadic && i === e.args.length - 1 ? 'VARIADIC ' : ''}${ruleExpr(a, c, true)}`);
  return `${functionName(e.funcid, types, e.funcvariadic)}(${args.join(', ')})`;
}

function operatorCall(e: OpExpr, c: DeparseContext): string {
  const [a, b] = e.args;
  if (b !== undefined) {
    return wrap(c, `${operand(a!, c, e, true)} ${operatorName(e.opno, exprType(a!), exprType(b))} ${operand(b, c, e, true)}`);
  }
  return wrap(c, `${operatorName(e.opno, 0, exprType(a!))} ${operand(a!, c, e, true)}`);
}

function aggregate(e: Aggref, c: DeparseContext): string {
  const name = functionName(e.aggfnoid, e.aggargtypes, e.aggvariadic);
  let args: string;
  if (e.aggkind !== 'n') {
    args = `${list(e.aggdirectargs, c)}) WITHIN GROUP (ORDER BY ${sortClauseText(e.aggorder, e.args, c)}`;
  } else {
    const shown = e.args.filter((te) => !te.resjunk);
    args = e.aggstar ? '*' : shown.map((te, i) => `${e.aggvariadic && i === shown.length - 1 ? 'VARIADIC ' : ''}${ruleExpr(te.expr, c, true)}`).join(', ');
    if (e.aggdistinct.length > 0) args = `DISTINCT ${args}`;
    if (e.aggorder.length > 0) args += ` ORDER BY ${sortClauseText(e.aggorder, e.args, c)}`;
  }
  const filter = e.aggfilter === null ? '' : ` FILTER (WHERE ${ruleExpr(e.aggfilter, c)})`;
  return `${name}(${args})${filter}`;
}

function windowFunction(e: WindowFunc, c: DeparseContext): string {
  const args = e.winstar ? '*' : list(e.args, c);
  const filter = e.aggfilter === null ? '' : ` FILTER (WHERE ${ruleExpr(e.aggfilter, c)})`;
  const wc: WindowClause | undefined = c.namespaces[0]?.query?.windowClause.find((w) => w.winref === e.winref);
  const over = wc === undefined ? '(?)' : wc.name !== null ? quoteIdentifier(wc.name) : `(${windowSpecText(wc, c)})`;
  return `${functionName(e.winfnoid, e.args.map(exprType), false)}(${args})${filter} OVER ${over}`;
}

function subscripting(e: SubscriptingRef, c: DeparseContext): string {
  const base = ruleExpr(e.refexpr, c, true);
  const needParens = e.refexpr.kind !== 'Var' && e.refexpr.kind !== 'SubscriptingRef' && e.refexpr.kind !== 'FieldSelect';
  const subscripts = e.refupperindexpr.map((upper, i) => {
    const isSlice = e.reflowerindexpr.length > 0;
    const lower = e.reflowerindexpr[i];
    const low = isSlice ? `${lower === null || lower === undefined ? '' : ruleExpr(lower, c)}:` : '';
    return `[${low}${upper === null ? '' : ruleExpr(upper, c)}]`;
  }).join('');
  return `${needParens ? `(${base})` : base}${subscripts}`;
}

function caseExpr(e: CaseExpr, c: DeparseContext): string {
  const indent = (c.pretty & 4) !== 0;
  const save = c.indent;
  const line = (extra: number): string => (indent ? `\n${' '.repeat(Math.max(0, save + extra))}` : ' ');
  c.indent = save + 4;
  let text = 'CASE';
  if (e.arg !== null) text += ` ${ruleExpr(e.arg, c, true)}`;
  for (const when of e.args) {
    let test = when.expr;
    // "CASE x WHEN y" was analyzed into "CaseTestExpr = y".
    if (e.arg !== null && test.kind === 'OpExpr' && test.args.length === 2) {
      const left = stripImplicit(test.args[0]!);
      if (left.kind === 'CaseTestExpr') test = test.args[1]!;
    }
    text += `${line(4)}WHEN ${ruleExpr(test, c)} THEN ${ruleExpr(when.result, c, true)}`;
  }
  text += `${line(4)}ELSE ${e.defresult === null ? 'NULL' : ruleExpr(e.defresult, c, true)}${line(0)}END`;
  c.indent = save;
  return text;
}

function stripImplicit(e: Expr): Expr {
  if (e.kind === 'RelabelType' && e.relabelformat === 'implicit_cast') return stripImplicit(e.arg);
  if (e.kind === 'FuncExpr' && e.funcformat === 'implicit_cast') return stripImplicit(e.args[0]!);
  if (e.kind === 'CoerceViaIO' && e.coerceformat === 'implicit_cast') return stripImplicit(e.arg);
  return e;
}

function rowExpr(e: RowExpr, c: DeparseContext): string {
  const args = e.args.map((a) => (a.kind === 'Var' && a.varattno === 0 ? ruleExpr(a, c, true) : ruleExpr(a, c, true)));
  return `ROW(${args.join(', ')})${e.row_format === 'explicit_cast' ? `::${formatTypeWithTypmod(e.row_typeid, -1)}` : ''}`;
}

function subLink(e: SubLink, c: DeparseContext): string {
  const query = deparseSubquery(e.subselect, c);
  const open = e.subLinkType === 'array' ? 'ARRAY(' : '(';
  if (e.testexpr === null) {
    const inner = e.subLinkType === 'exists' ? `EXISTS ${open}${query})` : `${open}${query})`;
    return wrapSubLink(e, inner);
  }
  const { left, op } = testParts(e.testexpr, c);
  if (e.subLinkType === 'any') return op === '=' && e.operName.length === 0 ? `(${left} IN (${query}))` : `(${left} ${op === '=' && e.operName.length === 0 ? 'IN' : `${op} ANY`} (${query}))`;
  if (e.subLinkType === 'all') return `(${left} ${op} ALL (${query}))`;
  return `(${left} ${op} (${query}))`;
}

const wrapSubLink = (e: SubLink, text: string): string => (e.subLinkType === 'exists' ? `(${text})` : e.subLinkType === 'array' ? `(${text})` : text);

/** The left side and the operator of a sublink's test. */
function testParts(test: Expr, c: DeparseContext): { left: string; op: string } {
  if (test.kind === 'OpExpr') {
    return { left: ruleExpr(test.args[0]!, c, true), op: operatorName(test.opno, exprType(test.args[0]!), exprType(test.args[1]!)) };
  }
  if (test.kind === 'BoolExpr') {
    const ops = test.args as OpExpr[];
    return { left: `(${ops.map((o) => ruleExpr(o.args[0]!, c, true)).join(', ')})`, op: operatorName(ops[0]!.opno, exprType(ops[0]!.args[0]!), exprType(ops[0]!.args[1]!)) };
  }
  if (test.kind === 'RowCompareExpr') {
    return { left: `(${list(test.largs, c)})`, op: operatorName(test.opnos[0]!, exprType(test.largs[0]!), exprType(test.rargs[0]!)) };
  }
  throw internalError(`unrecognized testexpr type: ${test.kind}`);
}

// ---- precedence (isSimpleNode)

const SIMPLE = new Set<Expr['kind']>([
  'Var', 'Const', 'Param', 'CoerceToDomainValue', 'SetToDefault', 'CurrentOfExpr', 'SubscriptingRef', 'ArrayExpr', 'RowExpr', 'CoalesceExpr', 'MinMaxExpr',
  'SQLValueFunction', 'NullIfExpr', 'Aggref', 'GroupingFunc', 'WindowFunc', 'CaseExpr', 'CaseTestExpr', 'NextValueExpr', 'FieldStore', 'NamedArgExpr',
]);

function isSimpleNode(e: Expr, parent: Expr): boolean {
  if (SIMPLE.has(e.kind)) return true;
  switch (e.kind) {
    case 'FuncExpr': return e.funcformat === 'explicit_call' || e.funcformat === 'sql_syntax' || e.funcformat === 'implicit_cast' && isSimpleNode(e.args[0]!, parent);
    case 'FieldSelect': return parent.kind !== 'FieldSelect';
    case 'CoerceToDomain': case 'RelabelType': case 'CoerceViaIO': case 'ArrayCoerceExpr': case 'ConvertRowtypeExpr': return isSimpleNode(e.arg, parent);
    case 'OpExpr': {
      if (parent.kind !== 'OpExpr') return simpleInside(parent);
      return simpleArithmetic(e, parent);
    }
    case 'SubLink': case 'NullTest': case 'BooleanTest': case 'DistinctExpr': return simpleInside(parent);
    case 'BoolExpr':
      if (parent.kind === 'BoolExpr') return !(e.boolop === 'not' || parent.boolop === 'not') ? (e.boolop === 'and' ? true : parent.boolop === 'or') : e.boolop !== 'or' && parent.boolop !== 'not';
      return simpleInside(parent);
    default: return false;
  }
}

/** Constructs with brackets of their own. */
function simpleInside(parent: Expr): boolean {
  switch (parent.kind) {
    case 'FuncExpr': return parent.funcformat === 'explicit_call' || parent.funcformat === 'sql_syntax';
    case 'BoolExpr': case 'SubscriptingRef': case 'ArrayExpr': case 'RowExpr': case 'CoalesceExpr': case 'MinMaxExpr': case 'NullIfExpr': case 'Aggref':
    case 'GroupingFunc': case 'WindowFunc': case 'CaseExpr': return true;
    default: return false;
  }
}

/** a + b * c needs no parentheses, (a + b) * c does; of equal precedence only on the left. */
function simpleArithmetic(e: OpExpr, parent: OpExpr): boolean {
  const op = getOpName(e.opno) ?? '';
  const parentOp = getOpName(parent.opno) ?? '';
  const low = op === '+' || op === '-';
  const high = op === '*' || op === '/' || op === '%';
  if (!low && !high) return false;
  const parentLow = parentOp === '+' || parentOp === '-';
  const parentHigh = parentOp === '*' || parentOp === '/' || parentOp === '%';
  if (!parentLow && !parentHigh) return false;
  if (high && parentLow) return true;
  if (low && parentHigh) return false;
  return parent.args[0] === e;
}

