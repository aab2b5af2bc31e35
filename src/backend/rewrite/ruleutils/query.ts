// Queries as SQL text (get_query_def of PostgreSQL's ruleutils.c), with PostgreSQL's line breaks and indentation.
import { internalError } from '../../../common/errors.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import type { Query, RangeTblEntry, SetOperationNode } from '../../nodes/parsenodes.ts';
import type { RawNode } from '../../parser/raw_nodes.ts';
import { writeTargetList, writeValues, writeWhere, writeWithClause } from './clauses.ts';
import { simpleQuoteLiteral } from './constant.ts';
import { DeparseContext, INDENT_STD, WRAP_COLUMN_DEFAULT } from './context.ts';
import { ruleExpr } from './expression.ts';
import { writeFromClause } from './from.ts';
import { writeDelete, writeInsert, writeMerge, writeUpdate } from './modify.ts';
import { queryNamespace, type DeparseNamespace } from './names.ts';
import { recursion } from './recursion.ts';
import { writeGroupingSet, writeOrderBy, writeSortGroupList, writeWindowClause } from './sort_group.ts';

export interface QueryTextOptions {
  /** What stands before the query: the result begins with it. */
  before?: string;
  flags: number;
  wrapColumn?: number;
  indentLevel?: number;
  /** Names the result's columns have outside (a view's), whatever the query says. */
  resultNames?: readonly string[] | null;
  outer?: readonly DeparseNamespace[];
  /** The query is the action of a rule, whose range table begins with OLD and NEW, whether they are in it or not. */
  rule?: boolean;
  /** RETURN expression, the body of a function. */
  isReturn?: boolean;
}

/** The text of a whole query. */
export function queryText(query: Query, options: QueryTextOptions): string {
  const outer = options.outer ?? [];
  const c = new DeparseContext(outer, {
    flags: options.flags, wrapColumn: options.wrapColumn ?? WRAP_COLUMN_DEFAULT, varprefix: false, indentLevel: options.indentLevel ?? 0,
  }, { text: options.before ?? '' });
  writeQuery(query, c, options.resultNames ?? null, outer.length === 0, options);
  return c.text;
}

/** Writes a query at its place in a text. `namesVisible`: the names of its columns matter outside. */
export function writeQuery(query: Query, outer: DeparseContext, resultNames: readonly string[] | null, namesVisible: boolean, options: Partial<QueryTextOptions> = {}): void {
  const rule = options.rule ?? false;
  const namespace = queryNamespace(query, outer.namespaces, rule ? ['old', 'new'] : []);
  const c = outer.inner(namespace, outer.namespaces.length > 0 || rule || query.rtable.length !== 1);
  switch (query.commandType) {
    case 'select': writeSelect(query, c, resultNames, namesVisible, options.isReturn ?? query.isReturn ?? false); break;
    case 'insert': writeInsert(query, c, namesVisible); break;
    case 'update': writeUpdate(query, c, namesVisible); break;
    case 'delete': writeDelete(query, c, namesVisible); break;
    case 'merge': writeMerge(query, c); break;
    case 'nothing': c.put('NOTHING'); break;
    case 'utility': writeUtility(query.utilityStmt as RawNode, c); break;
  }
}

/** NOTIFY is the one utility statement that rules may run. */
function writeUtility(stmt: RawNode, c: DeparseContext): void {
  if (stmt.tag !== 'NotifyStmt') throw internalError('unexpected utility statement type');
  c.keyword('', 0, INDENT_STD, 1);
  c.put(`NOTIFY ${quoteIdentifier(stmt['conditionname'] as string)}`);
  const payload = stmt['payload'] as string | undefined;
  if (payload) c.put(`, ${simpleQuoteLiteral(payload)}`);
}

// ---- SELECT

function writeSelect(query: Query, c: DeparseContext, resultNames: readonly string[] | null, namesVisible: boolean, isReturn: boolean): void {
  writeWithClause(query, c);
  c.windowClause = query.windowClause;
  c.windowTargetList = query.targetList;
  if (query.setOperations !== null) writeSetOperation({ kind: 'SetOperationStmt', ...query.setOperations }, query, c, resultNames, namesVisible);
  else writeBasicSelect(query, c, resultNames, namesVisible, isReturn);
  if (query.sortClause.length > 0) {
    c.keyword(' ORDER BY ', -INDENT_STD, INDENT_STD, 1);
    writeOrderBy(query.sortClause, query.targetList, query.setOperations !== null, c);
  }
  if (query.limitOffset !== null) {
    c.keyword(' OFFSET ', -INDENT_STD, INDENT_STD, 0);
    ruleExpr(query.limitOffset, c);
  }
  if (query.limitCount !== null) {
    if (query.limitWithTies) {
      c.keyword(' FETCH FIRST ', -INDENT_STD, INDENT_STD, 0);
      // Only a c_expr may stand there.
      const parens = query.limitCount.kind !== 'Const';
      c.put(parens ? '(' : '');
      ruleExpr(query.limitCount, c);
      c.put(`${parens ? ')' : ''} ROWS WITH TIES`);
    } else {
      c.keyword(' LIMIT ', -INDENT_STD, INDENT_STD, 0);
      if (query.limitCount.kind === 'Const' && query.limitCount.constvalue === null) c.put('ALL');
      else ruleExpr(query.limitCount, c);
    }
  }
  writeRowMarks(query, c);
}

const LOCKS = { update: ' FOR UPDATE', nokeyupdate: ' FOR NO KEY UPDATE', share: ' FOR SHARE', keyshare: ' FOR KEY SHARE' } as const;

function writeRowMarks(query: Query, c: DeparseContext): void {
  if (!query.hasForUpdate) return;
  for (const mark of query.rowMarks) {
    if (mark.pushedDown) continue;
    c.keyword(LOCKS[mark.strength], -INDENT_STD, INDENT_STD, 0);
    c.put(` OF ${quoteIdentifier(c.namespaces[0]!.rtableNames[mark.rti - 1] ?? '')}`);
    if (mark.waitPolicy === 'error') c.put(' NOWAIT');
    else if (mark.waitPolicy === 'skip') c.put(' SKIP LOCKED');
  }
}

function writeBasicSelect(query: Query, c: DeparseContext, resultNames: readonly string[] | null, namesVisible: boolean, isReturn: boolean): void {
  if (c.prettyIndent) {
    c.indentLevel += INDENT_STD;
    c.put(' ');
  }
  const values = simpleValues(query, resultNames);
  if (values !== null) { writeValues(values.values_lists, c); return; }
  c.put(isReturn ? 'RETURN' : 'SELECT');
  if (query.distinctClause.length > 0) {
    c.put(' DISTINCT');
    if (query.hasDistinctOn) {
      c.put(' ON (');
      writeSortGroupList(query.distinctClause, query.targetList, c);
      c.put(')');
    }
  }
  writeTargetList(isReturn ? query.targetList.map((te) => ({ ...te, resname: null })) : query.targetList, c, resultNames, namesVisible);
  writeFromClause(query, ' FROM ', c);
  writeWhere(query, c);
  if (query.groupClause.length > 0 || query.groupingSets.length > 0) {
    c.keyword(' GROUP BY ', -INDENT_STD, INDENT_STD, 1);
    if (query.groupDistinct) c.put('DISTINCT ');
    const saved = c.inGroupBy;
    c.inGroupBy = true;
    if (query.groupingSets.length === 0) writeSortGroupList(query.groupClause, query.targetList, c);
    query.groupingSets.forEach((set, i) => {
      if (i > 0) c.put(', ');
      writeGroupingSet(set, query.targetList, true, c);
    });
    c.inGroupBy = saved;
  }
  if (query.havingQual !== null) {
    c.keyword(' HAVING ', -INDENT_STD, INDENT_STD, 0);
    ruleExpr(query.havingQual, c);
  }
  writeWindowClause(query, c);
}

/** The VALUES list of SELECT * FROM (VALUES ...), when that is all the query is and no name was changed. */
function simpleValues(query: Query, resultNames: readonly string[] | null): RangeTblEntry | null {
  let values: RangeTblEntry | null = null;
  for (const rte of query.rtable) {
    if (rte.rtekind === 'values' && rte.inFromCl && values === null) values = rte;
    else if (!(rte.rtekind === 'relation' && !rte.inFromCl)) return null;
  }
  if (values === null || query.targetList.length !== values.eref.colnames.length) return null;
  const names = values.eref.colnames;
  return query.targetList.every((te, i) => !te.resjunk && (resultNames?.[i] ?? te.resname) === names[i]) ? values : null;
}

// ---- set operations

function writeSetOperation(node: SetOperationNode, query: Query, c: DeparseContext, resultNames: readonly string[] | null, namesVisible: boolean): void {
  if (node.kind === 'RangeTblRef') {
    const q = query.rtable[node.rtindex - 1]!.subquery!;
    const parens = q.cteList.length > 0 || q.sortClause.length > 0 || q.rowMarks.length > 0 || q.limitOffset !== null || q.limitCount !== null;
    if (parens) c.put('(');
    writeQuery(q, c, resultNames, namesVisible);
    if (parens) c.put(')');
    return;
  }
  // Nested operations are parenthesized, but for a chain of the same one on the left.
  const left = node.larg;
  const leftParens = left.kind === 'SetOperationStmt' && !(left.op === node.op && left.all === node.all);
  if (leftParens) {
    c.put('(');
    c.keyword('', INDENT_STD, 0, 0);
  }
  writeSetOperation(left, query, c, resultNames, namesVisible);
  if (leftParens) c.keyword(') ', -INDENT_STD, 0, 0);
  else if (c.prettyIndent) c.keyword('', 0, 0, 0);
  else c.put(' ');
  c.put(`${node.op.toUpperCase()} ${node.all ? 'ALL ' : ''}`);
  const rightParens = node.rarg.kind === 'SetOperationStmt';
  if (rightParens) c.put('(');
  const indent = rightParens ? INDENT_STD : 0;
  c.keyword('', indent, 0, 0);
  writeSetOperation(node.rarg, query, c, resultNames, false);
  if (c.prettyIndent) c.indentLevel -= indent;
  if (rightParens) c.keyword(')', 0, 0, 0);
}

recursion.writeQuery = writeQuery;
