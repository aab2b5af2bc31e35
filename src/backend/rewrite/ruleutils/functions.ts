// pg_get_viewdef, pg_get_indexdef, pg_get_constraintdef, pg_get_expr, ...: definitions of objects as SQL text.
import { PgError } from '../../../common/errors.ts';
import { isOrdered, withOptionsText } from './index_options.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { getDefaultOpClass, getNamespaceName, getTypCollation } from '../../catalog/lsyscache.ts';
import { opclassIsVisible } from '../../catalog/namespace.ts';
import { quoteIdentifier, quoteLiteral, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import type { IndexInfo, Relation } from '../../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../../catalog/relcache.ts';
import { languageByOid, opclassByOid, constraintByOid, procByOid } from '../../catalog/syscache.ts';
import type { PgConstraint, PgProc } from '../../catalog/rows.ts';
import { exprType } from '../../nodes/nodeFuncs.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import { registerBuiltins } from '../../types/fmgr.ts';
import { typeHooks } from '../../types/hooks.ts';
import type { Oid } from '../../types/datum.ts';
import { PRETTY_INDENT, PRETTY_PAREN, PRETTY_SCHEMA, makeContext, relationName, relationNamespace } from './context.ts';
import { ruleExpr } from './expression.ts';
import { deparseQuery } from './query.ts';

const flags = (pretty: boolean): number => (pretty ? PRETTY_PAREN | PRETTY_INDENT | PRETTY_SCHEMA : PRETTY_INDENT);

/** An expression over one relation (or none) as text: what EXPLAIN, \d and error messages show. */
export function deparseExpression(e: Expr, relid: Oid, pretty: boolean, forceprefix = false): string {
  const ns = relid === 0 ? [] : [relationNamespace(tryOpenRelation(relid)?.name ?? '', relid)];
  return ruleExpr(e, makeContext(ns, pretty ? flags(true) : PRETTY_INDENT, forceprefix));
}

// ---- views and expressions

function viewdef(oid: Oid, pretty: boolean, wrap: boolean): string | null {
  void wrap;
  const relation = tryOpenRelation(oid);
  if (relation === undefined || relation.viewQuery === null) return relation === undefined ? null : 'Not a view';
  const names = relation.attributes.filter((a) => !a.attisdropped).map((a) => a.attname);
  return `${deparseQuery(relation.viewQuery, makeContext([], flags(pretty), false), names, 0)};`;
}

function viewByName(name: string): Oid {
  return typeHooks.regLookup('regclass', name, false);
}

function exprText(node: string, relid: Oid, pretty: boolean): string | null {
  if (relid !== 0 && tryOpenRelation(relid) === undefined) return null;
  const tree = stringToNode(node) as unknown as Expr | Expr[];
  return Array.isArray(tree) ? tree.map((e) => deparseExpression(e, relid, pretty)).join(', ') : deparseExpression(tree, relid, pretty);
}

// ---- indexes

/** `column` 0: the whole CREATE INDEX; n: the definition of its n-th column (pg_get_indexdef_worker). */
export function indexdef(oid: Oid, column: number, pretty: boolean): string | null {
  const index = tryOpenRelation(oid);
  const info = index?.indexInfo ?? null;
  if (index === undefined || info === null) return null;
  const table = openRelation(info.indrelid);
  const c = makeContext([relationNamespace(table.name, table.oid)], flags(pretty), false);
  let nextExpression = 0;
  const columns = info.keyAttributes.map((attnum, i) => {
    const expr = attnum === 0 ? info.expressions[nextExpression++]! : null;
    let text: string;
    if (expr === null) text = quoteIdentifier(table.attributes[attnum - 1]!.attname);
    else {
      text = ruleExpr(expr, c);
      // Anything but a plain function call is parenthesized.
      if (!(expr.kind === 'FuncExpr' && expr.funcformat === 'explicit_call')) text = text.startsWith('(') && closes(text) ? text : `(${text})`;
    }
    if (column !== 0 || i >= info.keyCount) return text;
    return text + columnOptions(info, i, expr === null ? table.attributes[attnum - 1]!.atttypid : exprType(expr), expr === null ? table.attributes[attnum - 1]!.attcollation : 0);
  });
  if (column !== 0) return columns[column - 1] ?? '';
  const name = pretty ? relationName(table.oid) : relationName(table.oid, true);
  let text = `CREATE ${info.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${table.kind === 'p' && index.kind === 'I' ? 'ONLY ' : ''}${name} USING ${quoteIdentifier(info.accessMethod)} (${columns.slice(0, info.keyCount).join(', ')})`;
  if (columns.length > info.keyCount) text += ` INCLUDE (${columns.slice(info.keyCount).join(', ')})`;
  if (info.nullsNotDistinct) text += ' NULLS NOT DISTINCT';
  text += withOptions(index);
  if (info.predicate !== null) {
    const where = ruleExpr(info.predicate, c);
    text += ` WHERE ${pretty ? where : where}`;
  }
  return text;
}

/** Whether the parenthesis at the start is closed only at the end. */
function closes(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i === text.length - 1;
  }
  return false;
}

function columnOptions(info: IndexInfo, i: number, keyType: Oid, attCollation: Oid): string {
  const c = info.columns[i]!;
  let text = '';
  const natural = attCollation !== 0 ? attCollation : getTypCollation(keyType);
  if (c.collation !== 0 && c.collation !== natural) text += ` COLLATE ${quoteIdentifier(collationNameOf(c.collation))}`;
  const opclass = opclassByOid(c.opclass);
  if (opclass !== undefined && (getDefaultOpClass(keyType, opclass.opcmethod) !== c.opclass)) {
    text += ` ${opclassIsVisible(c.opclass) ? quoteIdentifier(opclass.opcname) : quoteQualifiedIdentifier(getNamespaceName(opclass.opcnamespace), opclass.opcname)}`;
  }
  if (isOrdered(info.accessMethod)) {
    if (c.descending) text += c.nullsFirst ? ' DESC' : ' DESC NULLS LAST';
    else if (c.nullsFirst) text += ' NULLS FIRST';
  }
  return text;
}

const collationNameOf = (oid: Oid): string => typeHooks.regName('regcollation', oid)?.replaceAll('"', '') ?? String(oid);

const withOptions = (relation: Relation): string => withOptionsText(relation.options);

// ---- constraints

const ACTIONS: Record<string, string> = { a: '', r: ' RESTRICT', c: ' CASCADE', n: ' SET NULL', d: ' SET DEFAULT' };

const columnList = (relation: Relation, numbers: readonly number[]): string => numbers.map((n) => quoteIdentifier(relation.attributes[n - 1]!.attname)).join(', ');

/** What stands after CONSTRAINT name (pg_get_constraintdef_worker). */
export function constraintdef(oid: Oid, pretty: boolean, full = false): string | null {
  const con = constraintByOid(oid);
  if (con === undefined) return null;
  let text = full ? `ALTER TABLE ${relationName(con.conrelid, true)} ADD CONSTRAINT ${quoteIdentifier(con.conname)} ` : '';
  text += constraintBody(con, pretty);
  if (con.condeferrable) text += ' DEFERRABLE';
  if (con.condeferred) text += ' INITIALLY DEFERRED';
  if (!con.convalidated) text += ' NOT VALID';
  return text;
}

function constraintBody(con: PgConstraint, pretty: boolean): string {
  switch (con.contype) {
    case 'f': {
      const from = openRelation(con.conrelid);
      const to = openRelation(con.confrelid);
      let text = `FOREIGN KEY (${columnList(from, con.conkey!)}) REFERENCES ${relationName(con.confrelid, !pretty && false)}(${columnList(to, con.confkey!)})`;
      if (con.confmatchtype === 'f') text += ' MATCH FULL';
      if (con.confupdtype !== 'a') text += ` ON UPDATE${ACTIONS[con.confupdtype]}`;
      if (con.confdeltype !== 'a') text += ` ON DELETE${ACTIONS[con.confdeltype]}`;
      if (con.confdelsetcols !== null && con.confdelsetcols.length > 0) text += ` (${columnList(from, con.confdelsetcols)})`;
      return text;
    }
    case 'p': case 'u': {
      const relation = openRelation(con.conrelid);
      const info = openRelation(con.conindid).indexInfo!;
      let text = con.contype === 'p' ? 'PRIMARY KEY ' : `UNIQUE ${info.nullsNotDistinct ? 'NULLS NOT DISTINCT ' : ''}`;
      text += `(${columnList(relation, con.conkey!)})`;
      const included = info.keyAttributes.slice(info.keyCount);
      if (included.length > 0) text += ` INCLUDE (${columnList(relation, included)})`;
      return text + withOptions(info.index);
    }
    case 'c': {
      const expr = deparseExpression((stringToNode(con.conbin!) as unknown as Expr), con.conrelid, pretty);
      return `CHECK (${expr})${con.connoinherit ? ' NO INHERIT' : ''}`;
    }
    case 't': return 'TRIGGER';
    default: throw new PgError('internal_error', `invalid constraint type "${con.contype}"`);
  }
}

// ---- functions

function argumentText(proc: PgProc, withDefaults: boolean, identity: boolean): string {
  const types = proc.proallargtypes ?? proc.proargtypes;
  const defaults = proc.proargdefaults === null ? [] : (stringToNode(proc.proargdefaults) as unknown as Expr[]);
  const inputs = types.filter((_, i) => isInput(proc.proargmodes?.[i])).length;
  let input = 0;
  const parts: string[] = [];
  types.forEach((type, i) => {
    const mode = proc.proargmodes?.[i] ?? 'i';
    const takes = isInput(mode);
    if (takes) input++;
    if (mode === 't' || (identity && mode === 'o' && proc.prokind !== 'p')) return;
    const words = { i: proc.prokind === 'p' && proc.proargmodes !== null ? 'IN ' : '', b: 'INOUT ', o: 'OUT ', v: 'VARIADIC ' }[mode] ?? '';
    const name = proc.proargnames?.[i];
    let text = `${proc.prokind === 'p' && mode === 'i' ? 'IN ' : words}${name ? `${quoteIdentifier(name)} ` : ''}${formatTypeWithTypmod(type, -1)}`;
    const d = takes ? defaults[input - 1 - (inputs - defaults.length)] : undefined;
    if (withDefaults && d !== undefined) text += ` DEFAULT ${deparseExpression(d, 0, false)}`;
    parts.push(text);
  });
  return parts.join(', ');
}
const isInput = (mode: string | undefined): boolean => mode === undefined || mode === 'i' || mode === 'b' || mode === 'v';

function resultText(proc: PgProc): string | null {
  if (proc.prokind === 'p') return null;
  const columns = (proc.proargmodes ?? []).flatMap((m, i) => (m === 't' ? [i] : []));
  if (proc.proretset && columns.length > 0) {
    return `TABLE(${columns.map((i) => `${quoteIdentifier(proc.proargnames![i]!)} ${formatTypeWithTypmod(proc.proallargtypes![i]!, -1)}`).join(', ')})`;
  }
  return `${proc.proretset ? 'SETOF ' : ''}${formatTypeWithTypmod(proc.prorettype, -1)}`;
}

function functiondef(oid: Oid): string | null {
  const proc = procByOid(oid);
  if (proc === undefined) return null;
  if (proc.prokind === 'a') throw new PgError('wrong_object_type', `"${proc.proname}" is an aggregate function`);
  const kind = proc.prokind === 'p' ? 'PROCEDURE' : 'FUNCTION';
  let text = `CREATE OR REPLACE ${kind} ${quoteQualifiedIdentifier(getNamespaceName(proc.pronamespace), proc.proname)}(${argumentText(proc, true, false)})\n`;
  const result = resultText(proc);
  if (result !== null) text += ` RETURNS ${result}\n`;
  text += ` LANGUAGE ${quoteIdentifier(languageByOid(proc.prolang)?.lanname ?? '')}\n`;
  const attributes: string[] = [];
  if (proc.prokind === 'w') attributes.push('WINDOW');
  if (proc.provolatile === 'i') attributes.push('IMMUTABLE');
  else if (proc.provolatile === 's') attributes.push('STABLE');
  if (proc.proparallel === 's') attributes.push('PARALLEL SAFE');
  else if (proc.proparallel === 'r') attributes.push('PARALLEL RESTRICTED');
  if (proc.proisstrict) attributes.push('STRICT');
  if (proc.prosecdef) attributes.push('SECURITY DEFINER');
  if (proc.proleakproof) attributes.push('LEAKPROOF');
  const plainCost = proc.prolang === 12 || proc.prolang === 13 ? 1 : 100;
  if (proc.procost !== plainCost) attributes.push(`COST ${proc.procost}`);
  if (proc.prorows > 0 && proc.prorows !== 1000) attributes.push(`ROWS ${proc.prorows}`);
  if (attributes.length > 0) text += ` ${attributes.join(' ')}\n`;
  for (const setting of proc.proconfig ?? []) {
    const eq = setting.indexOf('=');
    text += ` SET ${quoteIdentifier(setting.slice(0, eq))} TO ${quoteLiteral(setting.slice(eq + 1))}\n`;
  }
  if (proc.prolang === 13) return `${text}AS ${quoteLiteral(proc.probin ?? '')}, ${quoteLiteral(proc.prosrc)}\n`;
  const tag = dollarTag(proc.prosrc, proc.prokind === 'p' ? 'procedure' : 'function');
  return `${text}AS ${tag}${proc.prosrc}${tag}\n`;
}

function dollarTag(body: string, word: string): string {
  let tag = `$${word}`;
  while (body.includes(`${tag}$`) || body.includes(tag)) tag += 'x';
  return `${tag}$`;
}

function withProc<T>(oid: Oid, f: (proc: PgProc) => T): T | null {
  const proc = procByOid(oid);
  return proc === undefined ? null : f(proc);
}

function argDefault(oid: Oid, n: number): string | null {
  return withProc(oid, (proc) => {
    if (proc.proargdefaults === null || n < 1) return null;
    const modes = proc.proargmodes;
    const count = (proc.proallargtypes ?? proc.proargtypes).length;
    if (n > count || !isInput(modes?.[n - 1])) return null;
    const inputs = [...Array(count).keys()].filter((i) => isInput(modes?.[i]));
    const defaults = (stringToNode(proc.proargdefaults!) as unknown as Expr[]);
    const d = defaults[inputs.indexOf(n - 1) - (inputs.length - defaults.length)];
    return d === undefined ? null : deparseExpression(d, 0, false);
  });
}

registerBuiltins({
  pure: {
    pg_get_viewdef: (oid: Oid) => viewdef(oid, false, false),
    pg_get_viewdef_ext: (oid: Oid, pretty: boolean) => viewdef(oid, pretty, false),
    pg_get_viewdef_wrap: (oid: Oid) => viewdef(oid, true, true),
    pg_get_viewdef_name: (name: string) => viewdef(viewByName(name), false, false),
    pg_get_viewdef_name_ext: (name: string, pretty: boolean) => viewdef(viewByName(name), pretty, false),
    pg_get_expr: (node: string, relid: Oid) => exprText(node, relid, false),
    pg_get_expr_ext: (node: string, relid: Oid, pretty: boolean) => exprText(node, relid, pretty),
    pg_get_indexdef: (oid: Oid) => indexdef(oid, 0, false),
    pg_get_indexdef_ext: (oid: Oid, column: number, pretty: boolean) => indexdef(oid, column, pretty),
    pg_get_constraintdef: (oid: Oid) => constraintdef(oid, false),
    pg_get_constraintdef_ext: (oid: Oid, pretty: boolean) => constraintdef(oid, pretty),
    pg_get_functiondef: functiondef,
    pg_get_function_arguments: (oid: Oid) => withProc(oid, (p) => argumentText(p, true, false)),
    pg_get_function_identity_arguments: (oid: Oid) => withProc(oid, (p) => argumentText(p, false, true)),
    pg_get_function_result: (oid: Oid) => withProc(oid, resultText),
    pg_get_function_arg_default: argDefault,
    pg_get_function_sqlbody: () => null,
    pg_get_partkeydef: () => null,
    pg_get_partition_constraintdef: () => null,
  },
});

