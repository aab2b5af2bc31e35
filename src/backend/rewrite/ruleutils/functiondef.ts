// pg_get_functiondef and what psql shows of functions: arguments, results, defaults, bodies.
import { PgError } from '../../../common/errors.ts';
import { formatType } from '../../catalog/format_type.ts';
import { getFuncName } from '../../catalog/lsyscache.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import type { PgProc } from '../../catalog/rows.ts';
import { aggregateByOid, languageByOid, procByOid } from '../../catalog/syscache.ts';
import type { Query } from '../../nodes/parsenodes.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import type { Oid } from '../../types/datum.ts';
import { formatG, splitList } from '../../utils/guc_parse.ts';
import { simpleQuoteLiteral } from './constant.ts';
import { PRETTY_INDENT } from './context.ts';
import { expressionText } from './exprdef.ts';
import { emptyNamespace } from './names.ts';
import { functionName, namespaceNameOrTemp } from './object_names.ts';
import { queryText } from './query.ts';

const INTERNAL_LANGUAGE = 12, C_LANGUAGE = 13, SQL_LANGUAGE = 14;
const INTERNALOID = 2281;

const isInput = (mode: string): boolean => mode === 'i' || mode === 'b' || mode === 'v';
const MODE_WORDS: Record<string, string> = { b: 'INOUT ', o: 'OUT ', v: 'VARIADIC ' };

interface Argument { type: Oid; name: string; mode: string }

function argumentsOf(proc: PgProc): Argument[] {
  return (proc.proallargtypes ?? proc.proargtypes).map((type, i) => ({ type, name: proc.proargnames?.[i] ?? '', mode: proc.proargmodes?.[i] ?? 'i' }));
}
const defaultsOf = (proc: PgProc): Expr[] => (proc.proargdefaults === null ? [] : stringToNode<Expr[]>(proc.proargdefaults));

/** The arguments, or the columns of RETURNS TABLE; one text each (print_function_arguments). */
function argumentList(proc: PgProc, tableColumns: boolean, withDefaults: boolean): string {
  const args = argumentsOf(proc);
  const defaults = withDefaults ? defaultsOf(proc) : [];
  const withoutDefault = proc.pronargs - defaults.length;
  let input = 0;
  const shown: string[] = [];
  for (const arg of args) {
    if (isInput(arg.mode)) input++;
    if (tableColumns !== (arg.mode === 't')) continue;
    const mode = arg.mode === 'i' && proc.prokind === 'p' ? 'IN ' : MODE_WORDS[arg.mode] ?? '';
    let text = `${mode}${arg.name === '' ? '' : `${quoteIdentifier(arg.name)} `}${formatType(arg.type)}`;
    if (withDefaults && isInput(arg.mode) && input > withoutDefault) text += ` DEFAULT ${expressionText(defaults[input - 1 - withoutDefault]!)}`;
    shown.push(text);
  }
  const direct = orderedSetDirectArgs(proc);
  if (direct === null) return shown.join(', ');
  // The direct arguments of an ordered-set aggregate; the last argument is both when it is VARIADIC "any".
  const ordered = direct === shown.length ? shown.slice(-1) : shown.slice(direct);
  const before = shown.slice(0, direct).join(', ');
  return `${before}${before === '' ? '' : ' '}ORDER BY ${ordered.join(', ')}`;
}

function orderedSetDirectArgs(proc: PgProc): number | null {
  if (proc.prokind !== 'a') return null;
  const aggregate = aggregateByOid(proc.oid);
  return aggregate === undefined || aggregate.aggkind === 'n' ? null : aggregate.aggnumdirectargs;
}

const withProc = (oid: Oid, f: (proc: PgProc) => string | null): string | null => {
  const proc = procByOid(oid);
  return proc === undefined ? null : f(proc);
};

export const functionArguments = (oid: Oid): string | null => withProc(oid, (p) => argumentList(p, false, true));
export const functionIdentityArguments = (oid: Oid): string | null => withProc(oid, (p) => argumentList(p, false, false));
export const functionResult = (oid: Oid): string | null => withProc(oid, resultText);

function resultText(proc: PgProc): string | null {
  if (proc.prokind === 'p') return null;
  const columns = proc.proretset ? argumentList(proc, true, false) : '';
  if (columns !== '') return `TABLE(${columns})`;
  return `${proc.proretset ? 'SETOF ' : ''}${formatType(proc.prorettype)}`;
}

/** The default of the n-th argument, or null. */
export function functionArgDefault(oid: Oid, n: number): string | null {
  return withProc(oid, (proc) => {
    const args = argumentsOf(proc);
    const arg = args[n - 1];
    if (arg === undefined || !isInput(arg.mode)) return null;
    const defaults = defaultsOf(proc);
    const input = args.slice(0, n).filter((a) => isInput(a.mode)).length;
    const e = defaults[input - 1 - (proc.pronargs - defaults.length)];
    return e === undefined ? null : expressionText(e);
  });
}

/** The body of a function in standard SQL's form; null when its body is a string. */
export function functionSqlbody(oid: Oid): string | null {
  return withProc(oid, (proc) => (proc.prosqlbody === null ? null : sqlbodyText(proc)));
}

function sqlbodyText(proc: PgProc): string {
  const argnames = argumentsOf(proc).filter((a) => isInput(a.mode)).map((a) => a.name);
  const outer = [{ ...emptyNamespace(), funcname: proc.proname, argnames }];
  const body = stringToNode<Query | Query[]>(proc.prosqlbody!);
  if (!Array.isArray(body)) return queryText(body, { flags: 0, outer, isReturn: true });
  return `BEGIN ATOMIC\n${body.map((q) => `${queryText(q, { flags: PRETTY_INDENT, outer, indentLevel: 1 })};\n`).join('')}END`;
}

/** CREATE OR REPLACE FUNCTION, whole. */
export function functiondef(oid: Oid): string | null {
  const proc = procByOid(oid);
  if (proc === undefined) return null;
  if (proc.prokind === 'a') throw new PgError('wrong_object_type', `"${proc.proname}" is an aggregate function`);
  const word = proc.prokind === 'p' ? 'procedure' : 'function';
  let text = `CREATE OR REPLACE ${word.toUpperCase()} ${quoteQualifiedIdentifier(namespaceNameOrTemp(proc.pronamespace), proc.proname)}(${argumentList(proc, false, true)})\n`;
  const result = resultText(proc);
  if (result !== null) text += ` RETURNS ${result}\n`;
  if (proc.protrftypes !== null && proc.protrftypes.length > 0) text += ` TRANSFORM ${proc.protrftypes.map((t) => `FOR TYPE ${formatType(t)}`).join(', ')}\n`;
  text += ` LANGUAGE ${quoteIdentifier(languageByOid(proc.prolang)?.lanname ?? '')}\n`;
  const properties = propertiesText(proc);
  if (properties !== '') text += `${properties}\n`;
  for (const setting of proc.proconfig ?? []) text += settingText(setting);
  if (proc.prolang === SQL_LANGUAGE && proc.prosqlbody !== null) return `${text}${sqlbodyText(proc)}\n`;
  text += 'AS ';
  if (proc.probin !== null) text += `${simpleQuoteLiteral(proc.probin)}, `;
  let tag = `$${word}`;
  while (proc.prosrc.includes(tag)) tag += 'x';
  return `${text}${tag}$${proc.prosrc}${tag}$\n`;
}

function propertiesText(proc: PgProc): string {
  let text = '';
  if (proc.prokind === 'w') text += ' WINDOW';
  if (proc.provolatile === 'i') text += ' IMMUTABLE';
  else if (proc.provolatile === 's') text += ' STABLE';
  if (proc.proparallel === 's') text += ' PARALLEL SAFE';
  else if (proc.proparallel === 'r') text += ' PARALLEL RESTRICTED';
  if (proc.proisstrict) text += ' STRICT';
  if (proc.prosecdef) text += ' SECURITY DEFINER';
  if (proc.proleakproof) text += ' LEAKPROOF';
  if (proc.procost !== (proc.prolang === INTERNAL_LANGUAGE || proc.prolang === C_LANGUAGE ? 1 : 100)) text += ` COST ${formatG(proc.procost)}`;
  if (proc.prorows > 0 && proc.prorows !== 1000) text += ` ROWS ${formatG(proc.prorows)}`;
  if (proc.prosupport !== 0 && getFuncName(proc.prosupport) !== undefined) text += ` SUPPORT ${functionName(proc.prosupport, [INTERNALOID], [], false)}`;
  return text;
}

/** Settings that are lists of names, each kept quoted (GUC_LIST_QUOTE). */
const QUOTED_LISTS = new Set(['local_preload_libraries', 'search_path', 'session_preload_libraries', 'shared_preload_libraries', 'temp_tablespaces', 'unix_socket_directories']);

function settingText(setting: string): string {
  const at = setting.indexOf('=');
  const name = setting.slice(0, at);
  const value = setting.slice(at + 1);
  const list = QUOTED_LISTS.has(name.toLowerCase()) ? splitList(value) : null;
  return ` SET ${quoteIdentifier(name)} TO ${list === null ? simpleQuoteLiteral(value) : list.map(simpleQuoteLiteral).join(', ')}\n`;
}
