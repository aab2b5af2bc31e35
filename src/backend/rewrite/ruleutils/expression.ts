// Expressions as SQL text (get_rule_expr of PostgreSQL's ruleutils.c): what comes out can be parsed again and means the
// same. Without PRETTY_PAREN every operator is parenthesized; with it only where it is needed.
import { internalError } from '../../../common/errors.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { getAttname, getBaseElementType, typeIsRowtype } from '../../catalog/lsyscache.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { tryOpenRelation } from '../../catalog/relcache.ts';
import { typeByOid } from '../../catalog/syscache.ts';
import { exprIsLengthCoercion, exprType, exprTypmod, stripImplicitCoercions } from '../../nodes/nodeFuncs.ts';
import type {
  Aggref, CaseExpr, CoercionForm, Expr, FuncExpr, OpExpr, Param, RowExpr, SQLValueFunctionOp, SubLink, SubscriptingRef, Var, WindowFunc,
} from '../../nodes/primnodes.ts';
import { getRteAttributeName } from '../../parser/parse_relation.ts';
import type { Oid } from '../../types/datum.ts';
import { RECORDOID } from '../../types/oids.ts';
import { constantText, simpleQuoteLiteral } from './constant.ts';
import { INDENT_VAR, type DeparseContext } from './context.ts';
import { collationName, functionName, operatorName, relationName } from './object_names.ts';
import { recordFieldName } from './record_field.ts';
import { recursion } from './recursion.ts';
import { isSimpleNode, looksLikeFunction } from './simple_node.ts';
import { writeOrderBy, writeWindowSpec } from './sort_group.ts';
import { functionSqlSyntax } from './sql_syntax.ts';
import { writeTableFunc, writeXmlExpr } from './xml.ts';

type Writer<K extends Expr['kind']> = (e: Extract<Expr, { kind: K }>, c: DeparseContext, showImplicit: boolean) => void;
type WriterTable = { [K in Expr['kind']]: Writer<K> };

/** Writes an expression; `showImplicit`: also casts that nobody wrote. */
export function ruleExpr(e: Expr, c: DeparseContext, showImplicit = false): void {
  if (c.special !== null && c.special(e, c)) return;
  (WRITERS[e.kind] as (e: Expr, c: DeparseContext, s: boolean) => void)(e, c, showImplicit);
}

/** The same for a part of `parent`, in parentheses where the pretty form needs them. */
export function ruleExprParen(e: Expr, c: DeparseContext, showImplicit: boolean, parent: Expr): void {
  const parens = c.prettyParen && !isSimpleNode(e, parent);
  if (parens) c.put('(');
  ruleExpr(e, c, showImplicit);
  if (parens) c.put(')');
}

/** Where "t.*" would be taken for all its columns, a whole row gets a cast. */
export function ruleExprToplevel(e: Expr, c: DeparseContext, showImplicit: boolean): void {
  if (e.kind !== 'Var') ruleExpr(e, c, showImplicit);
  else if (c.special === null || !c.special(e, c)) writeVariable(e, 0, true, c);
}

/** In FROM only function calls may stand. */
export function ruleExprFunccall(e: Expr, c: DeparseContext, showImplicit: boolean): void {
  if (looksLikeFunction(e)) { ruleExpr(e, c, showImplicit); return; }
  c.put('CAST(');
  ruleExpr(e, c, false);
  c.put(` AS ${formatTypeWithTypmod(exprType(e), exprTypmod(e))})`);
}

export function ruleList(list: readonly Expr[], c: DeparseContext, showImplicit: boolean): void {
  list.forEach((e, i) => {
    if (i > 0) c.put(', ');
    ruleExpr(e, c, showImplicit);
  });
}
export function ruleListToplevel(list: readonly Expr[], c: DeparseContext, showImplicit: boolean): void {
  list.forEach((e, i) => {
    if (i > 0) c.put(', ');
    ruleExprToplevel(e, c, showImplicit);
  });
}

/** In parentheses unless they are only put where needed. */
function enclosed(c: DeparseContext, write: () => void): void {
  if (!c.prettyParen) c.put('(');
  write();
  if (!c.prettyParen) c.put(')');
}
function call(name: string, args: readonly Expr[], c: DeparseContext): void {
  c.put(`${name}(`);
  ruleList(args, c, true);
  c.put(')');
}

const WRITERS: WriterTable = {
  Var: (e, c) => { writeVariable(e, 0, false, c); },
  Const: (e, c) => c.put(constantText(e, 0)),
  Param: (e, c) => c.put(parameter(e, c)),
  Aggref: writeAggregate,
  GroupingFunc: (e, c) => call('GROUPING', e.args, c),
  WindowFunc: writeWindowFunction,
  SubscriptingRef: writeSubscripting,
  FuncExpr: writeFunctionCall,
  NamedArgExpr: (e, c, showImplicit) => { c.put(`${quoteIdentifier(e.name)} => `); ruleExpr(e.arg, c, showImplicit); },
  OpExpr: writeOperator,
  DistinctExpr: (e, c) => enclosed(c, () => {
    ruleExprParen(e.args[0]!, c, true, e);
    c.put(' IS DISTINCT FROM ');
    ruleExprParen(e.args[1]!, c, true, e);
  }),
  NullIfExpr: (e, c) => call('NULLIF', e.args, c),
  ScalarArrayOpExpr: (e, c) => enclosed(c, () => {
    const [left, right] = e.args;
    ruleExprParen(left, c, true, e);
    c.put(` ${operatorName(e.opno, exprType(left), getBaseElementType(exprType(right)))} ${e.useOr ? 'ANY' : 'ALL'} (`);
    ruleExprParen(right, c, true, e);
    // A cast says that a sub-SELECT is one array, not many values.
    if (right.kind === 'SubLink' && right.subLinkType === 'expr') c.put(`::${formatTypeWithTypmod(exprType(right), exprTypmod(right))}`);
    c.put(')');
  }),
  BoolExpr: (e, c) => enclosed(c, () => {
    if (e.boolop === 'not') c.put('NOT ');
    e.args.forEach((arg, i) => {
      if (i > 0) c.put(e.boolop === 'and' ? ' AND ' : ' OR ');
      ruleExprParen(arg, c, false, e);
    });
  }),
  SubLink: writeSubLink,
  SubPlan: (e, c) => c.put(e.useHashTable ? `(hashed ${e.planName})` : `(${e.planName})`),
  FieldSelect: (e, c) => {
    // One name more would be a schema: everything but another selection is parenthesized.
    const parens = e.arg.kind !== 'SubscriptingRef' && e.arg.kind !== 'FieldSelect';
    if (parens) c.put('(');
    ruleExpr(e.arg, c, true);
    if (parens) c.put(')');
    c.put(`.${quoteIdentifier(recordFieldName(e.arg, e.fieldnum, 0, c.namespaces))}`);
  },
  FieldStore: (e, c, showImplicit) => {
    if (e.newvals.length !== 1) c.put('ROW(');
    ruleList(e.newvals, c, showImplicit);
    if (e.newvals.length !== 1) c.put(')');
  },
  RelabelType: (e, c, showImplicit) => writeCast(e.arg, e.relabelformat, e.resulttype, e.resulttypmod, e, c, showImplicit),
  CoerceViaIO: (e, c, showImplicit) => writeCast(e.arg, e.coerceformat, e.resulttype, -1, e, c, showImplicit),
  ArrayCoerceExpr: (e, c, showImplicit) => writeCast(e.arg, e.coerceformat, e.resulttype, e.resulttypmod, e, c, showImplicit),
  ConvertRowtypeExpr: (e, c, showImplicit) => writeCast(e.arg, e.convertformat, e.resulttype, -1, e, c, showImplicit),
  CollateExpr: (e, c, showImplicit) => enclosed(c, () => {
    ruleExprParen(e.arg, c, showImplicit, e);
    c.put(` COLLATE ${collationName(e.collOid)}`);
  }),
  PlaceHolderVar: (e, c, showImplicit) => ruleExpr(e.arg, c, showImplicit),
  CaseExpr: writeCase,
  CaseTestExpr: (_e, c) => c.put('CASE_TEST_EXPR'),
  ArrayExpr: (e, c) => {
    c.put('ARRAY[');
    ruleList(e.elements, c, true);
    c.put(']');
    if (e.elements.length === 0) c.put(`::${formatTypeWithTypmod(e.array_typeid, -1)}`);
  },
  RowExpr: writeRow,
  RowCompareExpr: (e, c) => {
    c.put('(ROW(');
    ruleListToplevel(e.largs, c, true);
    // The first column's operator stands for all.
    c.put(`) ${operatorName(e.opnos[0]!, exprType(e.largs[0]!), exprType(e.rargs[0]!))} ROW(`);
    ruleListToplevel(e.rargs, c, true);
    c.put('))');
  },
  CoalesceExpr: (e, c) => call('COALESCE', e.args, c),
  MinMaxExpr: (e, c) => call(e.op === 'greatest' ? 'GREATEST' : 'LEAST', e.args, c),
  SQLValueFunction: (e, c) => c.put(e.op.endsWith('_n') ? `${SQL_VALUE_FUNCTIONS[e.op]}(${e.typmod})` : SQL_VALUE_FUNCTIONS[e.op]),
  XmlExpr: writeXmlExpr,
  TableFunc: writeTableFunc,
  NullTest: (e, c) => enclosed(c, () => {
    ruleExprParen(e.arg, c, true, e);
    // IS NULL on a row would look into it; IS NOT DISTINCT FROM NULL looks at the row as a whole.
    if (e.argisrow || !typeIsRowtype(exprType(e.arg))) c.put(e.isNull ? ' IS NULL' : ' IS NOT NULL');
    else c.put(e.isNull ? ' IS NOT DISTINCT FROM NULL' : ' IS DISTINCT FROM NULL');
  }),
  BooleanTest: (e, c) => enclosed(c, () => {
    ruleExprParen(e.arg, c, false, e);
    c.put(` ${e.booltesttype.toUpperCase().replaceAll('_', ' ')}`);
  }),
  CoerceToDomain: (e, c, showImplicit) => {
    if (e.coercionformat === 'implicit_cast' && !showImplicit) ruleExpr(e.arg, c, false);
    else writeCoercion(e.arg, e.resulttype, e.resulttypmod, e, c);
  },
  CoerceToDomainValue: (_e, c) => c.put('VALUE'),
  SetToDefault: (_e, c) => c.put('DEFAULT'),
  CurrentOfExpr: (e, c) => c.put(e.cursor_name !== null ? `CURRENT OF ${quoteIdentifier(e.cursor_name)}` : `CURRENT OF $${e.cursor_param}`),
  NextValueExpr: (e, c) => c.put(`nextval(${simpleQuoteLiteral(relationName(e.seqid))})`),
};

const SQL_VALUE_FUNCTIONS: Record<SQLValueFunctionOp, string> = {
  current_date: 'CURRENT_DATE', current_time: 'CURRENT_TIME', current_time_n: 'CURRENT_TIME', current_timestamp: 'CURRENT_TIMESTAMP',
  current_timestamp_n: 'CURRENT_TIMESTAMP', localtime: 'LOCALTIME', localtime_n: 'LOCALTIME', localtimestamp: 'LOCALTIMESTAMP',
  localtimestamp_n: 'LOCALTIMESTAMP', current_role: 'CURRENT_ROLE', current_user: 'CURRENT_USER', user: 'USER', session_user: 'SESSION_USER',
  current_catalog: 'CURRENT_CATALOG', current_schema: 'CURRENT_SCHEMA',
};

// ---- variables

/** Writes a Var; the column's name, null for a whole row (get_variable). `toplevel`: see ruleExprToplevel. */
export function writeVariable(v: Var, levelsUp: number, toplevel: boolean, c: DeparseContext): string | null {
  const level = v.varlevelsup + levelsUp;
  const ns = c.namespaces[level];
  if (ns === undefined) throw internalError(`bogus varlevelsup: ${v.varlevelsup} offset ${levelsUp}`);
  const rte = ns.rtable[v.varno - 1];
  if (rte === undefined) throw internalError(`bogus varno: ${v.varno}`);
  // A column of an unnamed join goes by the name of what it comes from, unless it was merged from two.
  if (rte.rtekind === 'join' && rte.alias === null && v.varattno > 0) {
    const source = rte.joinaliasvars[v.varattno - 1];
    if (source?.kind === 'Var') return writeVariable(source, level, toplevel, c);
  }
  const name = ns.rtableNames[v.varno - 1] ?? null;
  const columns = ns.columns[v.varno - 1]!;
  let column: string | null = null;
  if (v.varattno > 0) {
    if (v.varattno > columns.colnames.length) throw internalError(`invalid attnum ${v.varattno} for relation "${rte.eref.aliasname}"`);
    column = columns.colnames[v.varattno - 1] ?? '?dropped?column?';
  } else if (v.varattno < 0) column = getRteAttributeName(rte, v.varattno);
  if (name !== null && (c.varprefix || column === null)) c.put(`${quoteIdentifier(name)}.`);
  if (column !== null) c.put(quoteIdentifier(column));
  else c.put(toplevel ? `*::${formatTypeWithTypmod(v.vartype, v.vartypmod)}` : '*');
  return column;
}

/** A function's body calls its arguments by name, with the function's name in front where a column could be meant. */
function parameter(p: Param, c: DeparseContext): string {
  const outermost = c.namespaces[c.namespaces.length - 1];
  const name = p.paramkind === 'extern' ? outermost?.argnames?.[p.paramid - 1] : undefined;
  if (!name) return `$${p.paramid}`;
  const qualify = c.namespaces.some((ns) => ns.rtableNames.length > 0);
  return qualify ? `${quoteIdentifier(outermost!.funcname!)}.${quoteIdentifier(name)}` : quoteIdentifier(name);
}

// ---- operators and calls

function writeOperator(e: OpExpr, c: DeparseContext): void {
  const [a, b] = e.args;
  enclosed(c, () => {
    if (b === undefined) {
      c.put(`${operatorName(e.opno, 0, exprType(a!))} `);
      ruleExprParen(a!, c, true, e);
    } else {
      ruleExprParen(a!, c, true, e);
      c.put(` ${operatorName(e.opno, exprType(a!), exprType(b))} `);
      ruleExprParen(b, c, true, e);
    }
  });
}

/** The arguments of a call with names as they were written. */
function argumentsAsWritten(args: readonly Expr[], { numbers, names }: NonNullable<FuncExpr['written']>): Expr[] {
  const positional = numbers.length - names.length;
  return numbers.map((n, i) => (i < positional ? args[n]! : { kind: 'NamedArgExpr', arg: args[n]!, name: names[i - positional]!, argnumber: n, location: -1 }));
}

function writeFunctionCall(call: FuncExpr, c: DeparseContext, showImplicit: boolean): void {
  const e = call.written !== undefined ? { ...call, args: argumentsAsWritten(call.args, call.written) }
    : call.defaulted === undefined ? call : { ...call, args: call.args.slice(0, call.args.length - call.defaulted) };
  if (e.funcformat === 'implicit_cast' && !showImplicit) { ruleExprParen(e.args[0]!, c, false, e); return; }
  if (e.funcformat === 'explicit_cast' || e.funcformat === 'implicit_cast') {
    writeCoercion(e.args[0]!, e.funcresulttype, exprIsLengthCoercion(e) ?? -1, e, c);
    return;
  }
  if (e.funcformat === 'sql_syntax' && functionSqlSyntax(e, c)) return;
  const names = e.args.flatMap((a) => (a.kind === 'NamedArgExpr' ? [a.name] : []));
  c.put(`${functionName(e.funcid, e.args.map(exprType), names, !e.funcvariadic, c.inGroupBy)}(`);
  e.args.forEach((arg, i) => {
    if (i > 0) c.put(', ');
    if (e.funcvariadic && i === e.args.length - 1) c.put('VARIADIC ');
    ruleExpr(arg, c, true);
  });
  c.put(')');
}

function writeAggregate(e: Aggref, c: DeparseContext): void {
  if (e.aggsplit === 'partial') c.put('PARTIAL ');
  c.put(`${functionName(e.aggfnoid, e.aggargtypes, [], !e.aggvariadic, c.inGroupBy)}(${e.aggdistinct.length > 0 ? 'DISTINCT ' : ''}`);
  if (e.aggkind !== 'n') {
    ruleList(e.aggdirectargs, c, true);
    c.put(') WITHIN GROUP (ORDER BY ');
    writeOrderBy(e.aggorder, e.args, false, c);
  } else {
    if (e.aggstar) c.put('*');
    const shown = e.args.filter((te) => !te.resjunk);
    shown.forEach((te, i) => {
      if (i > 0) c.put(', ');
      if (e.aggvariadic && i === shown.length - 1) c.put('VARIADIC ');
      ruleExpr(te.expr, c, true);
    });
    if (e.aggorder.length > 0) {
      c.put(' ORDER BY ');
      writeOrderBy(e.aggorder, e.args, false, c);
    }
  }
  if (e.aggfilter !== null) {
    c.put(') FILTER (WHERE ');
    ruleExpr(e.aggfilter, c);
  }
  c.put(')');
}

function writeWindowFunction(e: WindowFunc, c: DeparseContext): void {
  const names = e.args.flatMap((a) => (a.kind === 'NamedArgExpr' ? [a.name] : []));
  c.put(`${functionName(e.winfnoid, e.args.map(exprType), names, true, c.inGroupBy)}(`);
  if (e.winstar) c.put('*');
  else ruleList(e.args, c, true);
  if (e.aggfilter !== null) {
    c.put(') FILTER (WHERE ');
    ruleExpr(e.aggfilter, c);
  }
  c.put(') OVER ');
  const window = c.windowClause.find((w) => w.winref === e.winref);
  if (window === undefined) c.put('(?)'); // a plan knows no window clauses
  else if (window.name !== null) c.put(quoteIdentifier(window.name));
  else writeWindowSpec(window, c.windowTargetList, c);
}

// ---- casts

function writeCast(arg: Expr, format: CoercionForm, type: Oid, typmod: number, e: Expr, c: DeparseContext, showImplicit: boolean): void {
  if (format === 'implicit_cast' && !showImplicit) ruleExprParen(arg, c, false, e);
  else writeCoercion(arg, type, typmod, e, c);
}

function writeCoercion(arg: Expr, type: Oid, typmod: number, parent: Expr, c: DeparseContext): void {
  // 'x'::bpchar::char(3) was written as 'x'::char(3).
  if (arg.kind === 'Const' && arg.consttype === type && arg.consttypmod === -1) c.put(constantText(arg, -1));
  else enclosed(c, () => ruleExprParen(arg, c, false, parent));
  c.put(`::${formatTypeWithTypmod(type, typmod)}`);
}

// ---- CASE, rows, subscripts

function writeCase(e: CaseExpr, c: DeparseContext): void {
  const space = c.prettyIndent ? '' : ' ';
  c.keyword('CASE', 0, INDENT_VAR, 0);
  if (e.arg !== null) {
    c.put(' ');
    ruleExpr(e.arg, c, true);
  }
  for (const when of e.args) {
    // CASE x WHEN y was analyzed into CaseTestExpr = y.
    const test = e.arg !== null && when.expr.kind === 'OpExpr' && when.expr.args.length === 2 && stripImplicitCoercions(when.expr.args[0]!).kind === 'CaseTestExpr'
      ? when.expr.args[1]! : when.expr;
    c.put(space);
    c.keyword('WHEN ', 0, 0, 0);
    ruleExpr(test, c, false);
    c.put(' THEN ');
    ruleExpr(when.result, c, true);
  }
  c.put(space);
  c.keyword('ELSE ', 0, 0, 0);
  if (e.defresult !== null) ruleExpr(e.defresult, c, true);
  else c.put(`NULL::${formatTypeWithTypmod(e.casetype, -1)}`);
  c.put(space);
  c.keyword('END', -INDENT_VAR, 0, 0);
}

function writeRow(e: RowExpr, c: DeparseContext): void {
  const relid = e.row_typeid === RECORDOID ? 0 : typeByOid(e.row_typeid)?.typrelid ?? 0;
  const columns = relid === 0 ? [] : tryOpenRelation(relid)?.attributes ?? [];
  c.put('ROW(');
  let sep = '';
  e.args.forEach((arg, i) => {
    if (columns[i]?.attisdropped) return;
    c.put(sep);
    sep = ', ';
    ruleExprToplevel(arg, c, true);
  });
  // Columns the type has got since are NULL.
  for (const column of columns.slice(e.args.length)) {
    if (column.attisdropped) continue;
    c.put(`${sep}NULL`);
    sep = ', ';
  }
  c.put(')');
  if (e.row_format === 'explicit_cast') c.put(`::${formatTypeWithTypmod(e.row_typeid, -1)}`);
}

function writeSubscripting(e: SubscriptingRef, c: DeparseContext, showImplicit: boolean): void {
  // Inside a FieldStore there is no name to write: only what is assigned.
  if (e.refexpr.kind === 'CaseTestExpr') { ruleExpr(e.refassgnexpr!, c, showImplicit); return; }
  const parens = e.refexpr.kind !== 'Var' && e.refexpr.kind !== 'FieldSelect';
  if (parens) c.put('(');
  ruleExpr(e.refexpr, c, showImplicit);
  if (parens) c.put(')');
  if (e.refassgnexpr === null) { writeSubscripts(e, c); return; }
  const assigned = writeIndirection(e, c);
  c.put(' := ');
  ruleExpr(assigned, c, showImplicit);
}

function writeSubscripts(e: SubscriptingRef, c: DeparseContext): void {
  e.refupperindexpr.forEach((upper, i) => {
    c.put('[');
    if (e.reflowerindexpr.length > 0) {
      const lower = e.reflowerindexpr[i];
      if (lower) ruleExpr(lower, c);
      c.put(':');
    }
    if (upper !== null) ruleExpr(upper, c);
    c.put(']');
  });
}

/** Writes the subscripts and fields an assignment goes to; what is assigned (processIndirection). */
export function writeIndirection(e: Expr, c: DeparseContext): Expr {
  let node = e;
  let domain: Extract<Expr, { kind: 'CoerceToDomain' }> | null = null;
  for (;;) {
    if (node.kind === 'FieldStore') {
      c.put(`.${quoteIdentifier(getAttname(typeByOid(node.resulttype)?.typrelid ?? 0, node.fieldnums[0]!) ?? '')}`);
      node = node.newvals[0]!;
    } else if (node.kind === 'SubscriptingRef' && node.refassgnexpr !== null) {
      writeSubscripts(node, c);
      node = node.refassgnexpr;
    } else if (node.kind === 'CoerceToDomain' && node.coercionformat === 'implicit_cast') {
      domain = node;
      node = node.arg;
    } else break;
  }
  return domain !== null && node === domain.arg ? domain : node;
}

// ---- sublinks

function writeSubLink(e: SubLink, c: DeparseContext): void {
  c.put(e.subLinkType === 'array' ? 'ARRAY(' : '(');
  let op = '';
  const test = e.testexpr;
  const opOf = (o: OpExpr): string => operatorName(o.opno, exprType(o.args[0]!), exprType(o.args[1]!));
  if (test?.kind === 'OpExpr') {
    ruleExpr(test.args[0]!, c, true);
    op = opOf(test);
  } else if (test?.kind === 'BoolExpr') {
    c.put('(');
    ruleList(test.args.map((o) => (o as OpExpr).args[0]!), c, true);
    op = opOf(test.args[0] as OpExpr);
    c.put(')');
  } else if (test?.kind === 'RowCompareExpr') {
    c.put('(');
    ruleList(test.largs, c, true);
    op = operatorName(test.opnos[0]!, exprType(test.largs[0]!), exprType(test.rargs[0]!));
    c.put(')');
  } else if (test !== null) throw internalError(`unrecognized testexpr type: ${test.kind}`);
  let parens = true;
  switch (e.subLinkType) {
    case 'exists': c.put('EXISTS '); break;
    case 'any': c.put(op === '=' ? ' IN ' : ` ${op} ANY `); break;
    case 'all': c.put(` ${op} ALL `); break;
    case 'rowcompare': c.put(` ${op} `); break;
    default: parens = false;
  }
  if (parens) c.put('(');
  recursion.writeQuery(e.subselect, c, null, false);
  c.put(parens ? '))' : ')');
}

recursion.ruleExpr = ruleExpr;
recursion.ruleExprParen = ruleExprParen;
