// The FROM clause (get_from_clause), also USING of DELETE.
import { internalError } from '../../../common/errors.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { getRelName, getTypCollation } from '../../catalog/lsyscache.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { procByOid } from '../../catalog/syscache.ts';
import type { Query, RangeTblEntry, RangeTblFunction, TableSampleClause } from '../../nodes/parsenodes.ts';
import type { FromItem, JoinExpr } from '../../nodes/primnodes.ts';
import { INTERNALOID } from '../../types/oids.ts';
import { nameList, writeValues } from './clauses.ts';
import { INDENT_JOIN, INDENT_STD, INDENT_VAR, type DeparseContext } from './context.ts';
import { ruleExpr, ruleExprFunccall, ruleList } from './expression.ts';
import type { DeparseColumns } from './names.ts';
import { collationName, functionName, relationName } from './object_names.ts';
import { recursion } from './recursion.ts';

export const onlyMarker = (rte: RangeTblEntry): string => (rte.inh ? '' : 'ONLY ');

export function writeFromClause(query: Query, prefix: string, c: DeparseContext): void {
  let first = true;
  for (const item of query.jointree.fromlist) {
    // The target of UPDATE, and OLD and NEW, stand in the jointree too.
    if (item.kind === 'RangeTblRef' && !query.rtable[item.rtindex - 1]!.inFromCl) continue;
    if (first) {
      c.keyword(prefix, -INDENT_STD, INDENT_STD, 2);
      first = false;
      writeFromItem(item, query, c);
      continue;
    }
    c.put(', ');
    const text = c.capture(() => writeFromItem(item, query, c));
    if (c.prettyIndent && c.wrapColumn >= 0) {
      if (text.startsWith('\n')) c.trimSpaces();
      else if (c.overflows(text)) c.keyword('', -INDENT_STD, INDENT_STD, INDENT_VAR);
    }
    c.put(text);
  }
}

function writeFromItem(item: FromItem, query: Query, c: DeparseContext): void {
  switch (item.kind) {
    case 'RangeTblRef': writeEntry(item.rtindex, query, c); break;
    case 'JoinExpr': writeJoin(item, query, c); break;
    case 'FromExpr': throw internalError('unrecognized node type in FROM: FromExpr');
  }
}

function writeEntry(rtindex: number, query: Query, c: DeparseContext): void {
  const rte = query.rtable[rtindex - 1]!;
  const ns = c.namespaces[0]!;
  const refname = ns.rtableNames[rtindex - 1] ?? '';
  const columns = ns.columns[rtindex - 1]!;
  let definitions: RangeTblFunction | null = null;
  if (rte.lateral) c.put('LATERAL ');
  switch (rte.rtekind) {
    case 'relation': c.put(onlyMarker(rte) + relationName(rte.relid, c.namespaces)); break;
    case 'subquery':
      c.put('(');
      recursion.writeQuery(rte.subquery!, c, null, true);
      c.put(')');
      break;
    case 'function': definitions = writeFunctions(rte, c); break;
    case 'values':
      c.put('(');
      writeValues(rte.values_lists, c);
      c.put(')');
      break;
    case 'cte': case 'namedtuplestore': c.put(quoteIdentifier(rte.ctename)); break;
    default: throw internalError(`unrecognized RTE kind: ${rte.rtekind}`);
  }
  if (needsAlias(rte, refname, columns)) c.put(` ${quoteIdentifier(refname)}`);
  if (definitions !== null && definitions.funccolnames.length > 0) writeColumnDefinitions(definitions, columns, c);
  else writeColumnAliases(columns, c);
  if (rte.tablesample) writeTableSample(rte.tablesample, c);
}

function writeTableSample({ tsmhandler, args, repeatable }: TableSampleClause, c: DeparseContext): void {
  c.put(` TABLESAMPLE ${functionName(tsmhandler, [INTERNALOID], [], false)} (`);
  ruleList(args, c, false);
  c.put(')');
  if (repeatable === null) return;
  c.put(' REPEATABLE (');
  ruleExpr(repeatable, c);
  c.put(')');
}

function needsAlias(rte: RangeTblEntry, refname: string, columns: DeparseColumns): boolean {
  if (rte.alias !== null || columns.printAliases) return true;
  switch (rte.rtekind) {
    case 'relation': return refname !== getRelName(rte.relid);
    case 'function': return rte.functions[0]?.funcexpr.kind !== 'TableFunc';
    case 'values': return true;
    case 'cte': case 'namedtuplestore': return refname !== rte.ctename;
    default: return false;
  }
}

/** The function calls; the function whose column definitions still are to be written. */
function writeFunctions(rte: RangeTblEntry, c: DeparseContext): RangeTblFunction | null {
  const first = rte.functions[0]!;
  if (first.funcexpr.kind === 'TableFunc') {
    ruleExpr(first.funcexpr, c, true);
    return null;
  }
  let definitions: RangeTblFunction | null = first;
  if (rte.functions.length === 1 && (first.funccolnames.length === 0 || !rte.funcordinality)) {
    ruleExprFunccall(first.funcexpr, c, true);
  } else {
    definitions = null;
    if (rte.functions.every(isUnnest)) {
      c.put('UNNEST(');
      ruleList(rte.functions.flatMap((f) => (f.funcexpr.kind === 'FuncExpr' ? f.funcexpr.args : [])), c, true);
    } else {
      c.put('ROWS FROM(');
      rte.functions.forEach((f, i) => {
        if (i > 0) c.put(', ');
        ruleExprFunccall(f.funcexpr, c, true);
        if (f.funccolnames.length > 0) {
          c.put(' AS ');
          writeColumnDefinitions(f, null, c);
        }
      });
    }
    c.put(')');
  }
  if (rte.funcordinality) c.put(' WITH ORDINALITY');
  return definitions;
}

/** unnest(anyarray), which UNNEST(a, b) stands for. */
const isUnnest = (f: RangeTblFunction): boolean => f.funcexpr.kind === 'FuncExpr' && f.funccolnames.length === 0 && procByOid(f.funcexpr.funcid)?.prosrc === 'array_unnest';

function writeColumnDefinitions(f: RangeTblFunction, columns: DeparseColumns | null, c: DeparseContext): void {
  const list = f.funccolnames.map((name, i) => {
    const type = f.funccoltypes[i]!;
    const collation = f.funccolcollations[i]!;
    return `${quoteIdentifier(columns?.colnames[i] ?? name)} ${formatTypeWithTypmod(type, f.funccoltypmods[i]!)}${
      collation !== 0 && collation !== getTypCollation(type) ? ` COLLATE ${collationName(collation)}` : ''}`;
  });
  c.put(`(${list.join(', ')})`);
}

function writeColumnAliases(columns: DeparseColumns, c: DeparseContext): void {
  if (columns.printAliases && columns.newColnames.length > 0) c.put(`(${nameList(columns.newColnames)})`);
}

const JOINS = { left: ' LEFT JOIN ', right: ' RIGHT JOIN ', full: ' FULL JOIN ', inner: ' JOIN ', semi: '', anti: '' } as const;

function writeJoin(j: JoinExpr, query: Query, c: DeparseContext): void {
  const ns = c.namespaces[0]!;
  const columns = ns.columns[j.rtindex - 1]!;
  const parens = !c.prettyParen || j.alias !== null;
  const rightParens = c.prettyParen && j.rarg.kind === 'JoinExpr' && j.rarg.alias === null;
  if (parens) c.put('(');
  writeFromItem(j.larg, query, c);
  c.keyword(j.jointype === 'inner' && j.quals === null ? ' CROSS JOIN ' : JOINS[j.jointype], -INDENT_STD, INDENT_STD, INDENT_JOIN);
  if (rightParens) c.put('(');
  writeFromItem(j.rarg, query, c);
  if (rightParens) c.put(')');
  if (j.usingClause.length > 0) {
    c.put(` USING (${nameList(columns.usingNames)})`);
    if (j.join_using_alias !== null) c.put(` AS ${quoteIdentifier(j.join_using_alias.aliasname)}`);
  } else if (j.quals !== null) {
    c.put(c.prettyParen ? ' ON ' : ' ON (');
    ruleExpr(j.quals, c);
    if (!c.prettyParen) c.put(')');
  } else if (j.jointype !== 'inner') c.put(' ON TRUE');
  if (parens) c.put(')');
  if (j.alias !== null) {
    c.put(` ${quoteIdentifier(ns.rtableNames[j.rtindex - 1]!)}`);
    writeColumnAliases(columns, c);
  }
}
