// Queries as SQL text (get_query_def of PostgreSQL's ruleutils.c), indented as PostgreSQL indents them.
import { internalError } from '../../../common/errors.ts';
import { getTypCollation, typeOperators } from '../../catalog/lsyscache.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { operatorByOid } from '../../catalog/syscache.ts';
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { exprType } from '../../nodes/nodeFuncs.ts';
import type { GroupingSet, Query, RangeTblEntry, SetOperationNode, WindowClause } from '../../nodes/parsenodes.ts';
import type { Expr, FromItem, JoinExpr, SortGroupClause, TargetEntry } from '../../nodes/primnodes.ts';
import { PRETTY_INDENT, queryNamespace, relationName, type DeparseContext } from './context.ts';
import { collationName, ruleExpr } from './expression.ts';
import { targetNames } from './target_names.ts';

const INDENT_STD = 8, INDENT_JOIN = 4, INDENT_VAR = 4, INDENT_LIMIT = 40;

class Writer {
  text = '';
  indent: number;
  readonly pretty: boolean;
  constructor(indent: number, pretty: boolean) {
    this.indent = indent;
    this.pretty = pretty;
  }
  /** A keyword at the start of a line (appendContextKeyword). */
  keyword(text: string, before: number, after: number, plus: number): void {
    if (!this.pretty) { this.text += text; return; }
    this.indent += before;
    this.text = this.text.replace(/ +$/, '');
    const amount = this.indent < INDENT_LIMIT ? Math.max(this.indent, 0) + plus : (INDENT_LIMIT + Math.floor((this.indent - INDENT_LIMIT) / (INDENT_STD / 2)) % INDENT_LIMIT) + plus;
    this.text += `\n${' '.repeat(amount)}${text}`;
    this.indent = Math.max(0, this.indent + after);
  }
}

/** The text of a whole query; `resultNames` are the names its columns go by outside. */
export function deparseQuery(query: Query, outer: DeparseContext, resultNames: readonly string[] | null, startIndent = outer.indent): string {
  const ns = queryNamespace(query, outer.namespaces);
  const c: DeparseContext = {
    ...outer, namespaces: [ns, ...outer.namespaces], varprefix: outer.namespaces.length > 0 || query.rtable.length !== 1, indent: startIndent, resultNames,
  };
  const w = new Writer(startIndent, (outer.pretty & PRETTY_INDENT) !== 0);
  withClause(query, c, w);
  switch (query.commandType) {
    case 'select': selectQuery(query, c, w); break;
    case 'insert': insertQuery(query, c, w); break;
    case 'update': updateQuery(query, c, w); break;
    case 'delete': deleteQuery(query, c, w); break;
    case 'nothing': w.keyword('NOTHING', 0, 0, 0); break;
    default: throw internalError(`unrecognized query command type: ${query.commandType}`);
  }
  return w.text;
}

export function deparseSubquery(query: Query, c: DeparseContext): string {
  return deparseQuery(query, c, null, c.indent);
}

function withClause(query: Query, c: DeparseContext, w: Writer): void {
  if (query.cteList.length === 0) return;
  w.text += query.hasRecursive || query.cteList.some((cte) => cte.cterecursive) ? 'WITH RECURSIVE ' : 'WITH ';
  if (w.pretty) { w.indent += INDENT_STD; w.text = w.text.replace(/^/, ' '); }
  query.cteList.forEach((cte, i) => {
    if (i > 0) w.text += ', ';
    w.text += quoteIdentifier(cte.ctename);
    if (cte.aliascolnames.length > 0) w.text += `(${cte.aliascolnames.map(quoteIdentifier).join(', ')})`;
    w.text += cte.materialized === 'always' ? ' AS MATERIALIZED (' : cte.materialized === 'never' ? ' AS NOT MATERIALIZED (' : ' AS (';
    if (w.pretty) w.keyword('', 0, 0, 0);
    w.text += deparseQuery(cte.ctequery, c, null, w.indent);
    if (w.pretty) w.keyword('', 0, 0, 0);
    w.text += ')';
    if (cte.search_clause !== null) {
      w.text += ` SEARCH ${cte.search_clause.search_breadth_first ? 'BREADTH' : 'DEPTH'} FIRST BY ${cte.search_clause.search_col_list.map(quoteIdentifier).join(', ')} SET ${quoteIdentifier(cte.search_clause.search_seq_column)}`;
    }
    if (cte.cycle_clause !== null) {
      const cy = cte.cycle_clause;
      w.text += ` CYCLE ${cy.cycle_col_list.map(quoteIdentifier).join(', ')} SET ${quoteIdentifier(cy.cycle_mark_column)}`;
      const plain = cy.cycle_mark_value.kind === 'Const' && cy.cycle_mark_value.constvalue === true && cy.cycle_mark_default.kind === 'Const' && cy.cycle_mark_default.constvalue === false;
      if (!plain) w.text += ` TO ${ruleExpr(cy.cycle_mark_value, c)} DEFAULT ${ruleExpr(cy.cycle_mark_default, c)}`;
      w.text += ` USING ${quoteIdentifier(cy.cycle_path_column)}`;
    }
  });
  if (w.pretty) { w.indent -= INDENT_STD; w.keyword('', 0, 0, 0); } else w.text += ' ';
}

// ---- SELECT

function selectQuery(query: Query, c: DeparseContext, w: Writer): void {
  if (query.setOperations !== null) {
    setOperation({ kind: 'SetOperationStmt', ...query.setOperations }, query, c, w);
    c = { ...c, varprefix: false };
  } else {
    basicSelect(query, c, w);
  }
  if (query.sortClause.length > 0) {
    w.keyword(' ORDER BY ', -INDENT_STD, INDENT_STD, 1);
    w.text += sortClauseText(query.sortClause, query.targetList, c, query.setOperations !== null);
  }
  if (query.limitOffset !== null) {
    w.keyword(' OFFSET ', -INDENT_STD, INDENT_STD, 0);
    w.text += ruleExpr(query.limitOffset, c);
  }
  if (query.limitCount !== null) {
    if (query.limitWithTies) {
      w.keyword(' FETCH FIRST ', -INDENT_STD, INDENT_STD, 0);
      w.text += `(${ruleExpr(query.limitCount, c)}) ROWS WITH TIES`;
    } else {
      w.keyword(' LIMIT ', -INDENT_STD, INDENT_STD, 0);
      w.text += query.limitCount.kind === 'Const' && query.limitCount.constvalue === null ? 'ALL' : ruleExpr(query.limitCount, c);
    }
  }
  for (const mark of query.rowMarks) {
    if (mark.pushedDown) continue;
    const words = { update: ' FOR UPDATE', nokeyupdate: ' FOR NO KEY UPDATE', share: ' FOR SHARE', keyshare: ' FOR KEY SHARE' };
    w.keyword(words[mark.strength], -INDENT_STD, INDENT_STD, 0);
    w.text += ` OF ${quoteIdentifier(c.namespaces[0]!.rtableNames[mark.rti - 1] ?? '')}`;
    if (mark.waitPolicy === 'error') w.text += ' NOWAIT';
    else if (mark.waitPolicy === 'skip') w.text += ' SKIP LOCKED';
  }
}

/** A bare VALUES: one VALUES entry, and a target list that says no more than its columns. */
function simpleValues(query: Query): RangeTblEntry | null {
  const entries = query.rtable.filter((r) => r.inFromCl);
  const values = query.rtable.find((r) => r.rtekind === 'values' && r.inFromCl);
  if (values === undefined || entries.length !== 1 || query.rtable.some((r) => r.rtekind === 'relation' || r.rtekind === 'join')) return null;
  if (query.targetList.length !== values.eref.colnames.length) return null;
  return query.targetList.every((te, i) => !te.resjunk && te.expr.kind === 'Var' && te.expr.varattno === i + 1 && te.resname === values.eref.colnames[i]) ? values : null;
}

function basicSelect(query: Query, c: DeparseContext, w: Writer): void {
  if (w.pretty) { w.indent += INDENT_STD; w.text += ' '; }
  const values = simpleValues(query);
  if (values !== null) {
    w.text += valuesText(values, c);
    return;
  }
  w.text += 'SELECT';
  if (query.distinctClause.length > 0) {
    w.text += query.hasDistinctOn ? ` DISTINCT ON (${query.distinctClause.map((s) => sortGroupExpr(s.tleSortGroupRef, query.targetList, false, c)).join(', ')})` : ' DISTINCT';
  }
  targetList(query.targetList, c, w);
  fromClause(query, ' FROM ', c, w);
  if (query.jointree.quals !== null) {
    w.keyword(' WHERE ', -INDENT_STD, INDENT_STD, 1);
    w.text += inContext(query.jointree.quals, c, w);
  }
  if (query.groupClause.length > 0 || query.groupingSets.length > 0) {
    w.keyword(' GROUP BY ', -INDENT_STD, INDENT_STD, 1);
    if (query.groupDistinct) w.text += 'DISTINCT ';
    w.text += query.groupingSets.length === 0
      ? query.groupClause.map((g) => sortGroupExpr(g.tleSortGroupRef, query.targetList, false, c)).join(', ')
      : query.groupingSets.map((s) => groupingSet(s, query.targetList, true, c)).join(', ');
  }
  if (query.havingQual !== null) {
    w.keyword(' HAVING ', -INDENT_STD, INDENT_STD, 0);
    w.text += inContext(query.havingQual, c, w);
  }
  const named = query.windowClause.filter((wc) => wc.name !== null);
  if (named.length > 0) {
    w.keyword(' WINDOW ', -INDENT_STD, INDENT_STD, 1);
    w.text += named.map((wc) => `${quoteIdentifier(wc.name!)} AS (${windowSpecText(wc, c)})`).join(', ');
  }
}

const inContext = (e: Expr, c: DeparseContext, w: Writer): string => ruleExpr(e, { ...c, indent: w.indent });

function targetList(list: readonly TargetEntry[], c: DeparseContext, w: Writer): void {
  const names = targetNames(list, c.resultNames);
  let sep = ' ';
  list.filter((te) => !te.resjunk).forEach((te, i) => {
    w.text += sep;
    const inner: DeparseContext = { ...c, indent: w.indent };
    let text: string;
    let attname: string | null;
    if (te.expr.kind === 'Var') {
      text = ruleExpr(te.expr, te.expr.varattno === 0 ? c : inner, true);
      attname = te.expr.varattno === 0 ? null : columnOf(te.expr, c);
    } else {
      text = ruleExpr(te.expr, inner, true);
      attname = '?column?';
    }
    const name = names[i]!;
    if (name !== null && (attname === null || attname !== name)) text += ` AS ${quoteIdentifier(name)}`;
    // In pretty mode every column has a line of its own.
    sep = ', ';
    if (w.pretty) {
      if (i > 0) {
        w.text = w.text.replace(/ +$/, '');
        w.text += `\n${' '.repeat(Math.max(0, w.indent) + INDENT_VAR)}`;
      }
    }
    w.text += text;
  });
}

function columnOf(e: Extract<Expr, { kind: 'Var' }>, c: DeparseContext): string | null {
  const ns = c.namespaces[e.varlevelsup]!;
  const rte = ns.rtable[e.varno - 1];
  if (rte?.rtekind === 'join' && rte.alias === null && e.varattno > 0) {
    const merged = rte.joinaliasvars[e.varattno - 1];
    if (merged?.kind === 'Var') return columnOf(merged, c);
  }
  return e.varattno > 0 ? ns.columnNames[e.varno - 1]?.[e.varattno - 1] ?? null : null;
}

function groupingSet(set: GroupingSet, list: readonly TargetEntry[], omitParens: boolean, c: DeparseContext): string {
  switch (set.kind) {
    case 'empty': return '()';
    case 'simple': {
      const refs = set.content as number[];
      const text = refs.map((r) => sortGroupExpr(r, list, false, c)).join(', ');
      return omitParens && refs.length === 1 ? text : `(${text})`;
    }
    default: {
      const word = { rollup: 'ROLLUP(', cube: 'CUBE(', sets: 'GROUPING SETS (' }[set.kind];
      return `${word}${(set.content as GroupingSet[]).map((s) => groupingSet(s, list, set.kind !== 'sets', c)).join(', ')})`;
    }
  }
}

/** The expression a sort or group clause refers to (get_rule_sortgroupclause). */
function sortGroupExpr(ref: number, list: readonly TargetEntry[], forceColno: boolean, c: DeparseContext): string {
  const te = list.find((t) => t.ressortgroupref === ref);
  if (te === undefined) throw internalError('targetlist reference not found');
  if (forceColno) return String(te.resno);
  const { expr } = te;
  // A bare constant would be taken for a column number.
  if (expr.kind === 'Const') return expr.constvalue === null ? ruleExpr(expr, c) : constantWithLabel(expr, c);
  if (expr.kind === 'Var') return ruleExpr(expr, { ...c, varprefix: c.varprefix }, true);
  const needParens = expr.kind === 'FuncExpr' || expr.kind === 'Aggref' || expr.kind === 'WindowFunc' ? false : (c.pretty & 2) !== 0 && expr.kind !== 'CaseExpr' && expr.kind !== 'CoalesceExpr';
  const text = ruleExpr(expr, c, true);
  return needParens ? `(${text})` : text;
}

function constantWithLabel(e: Extract<Expr, { kind: 'Const' }>, c: DeparseContext): string {
  const text = ruleExpr(e, c, true);
  return text.includes('::') ? text : `${text}::${formatTypeWithTypmod(e.consttype, e.consttypmod)}`;
}

/** ORDER BY's list (get_rule_orderby). */
export function sortClauseText(clauses: readonly SortGroupClause[], list: readonly TargetEntry[], c: DeparseContext, forceColno = false): string {
  return clauses.map((s) => {
    const te = list.find((t) => t.ressortgroupref === s.tleSortGroupRef)!;
    let text = sortGroupExpr(s.tleSortGroupRef, list, forceColno, c);
    const operators = typeOperators(exprType(te.expr));
    if (s.sortop === operators.ltOpr) {
      if (s.nulls_first) text += ' NULLS FIRST';
    } else if (s.sortop === operators.gtOpr) {
      text += ' DESC';
      if (!s.nulls_first) text += ' NULLS LAST';
    } else {
      const op = operatorByOid(s.sortop);
      text += ` USING ${op?.oprname ?? '?'}`;
      text += s.nulls_first ? ' NULLS FIRST' : ' NULLS LAST';
    }
    return text;
  }).join(', ');
}

// Frame option bits of parsenodes.h.
const FRAME = {
  NONDEFAULT: 1, RANGE: 2, ROWS: 4, GROUPS: 8, BETWEEN: 0x10, START_UNBOUNDED_PRECEDING: 0x20, END_UNBOUNDED_FOLLOWING: 0x100, START_CURRENT_ROW: 0x200,
  END_CURRENT_ROW: 0x400, START_OFFSET_PRECEDING: 0x800, END_OFFSET_PRECEDING: 0x1000, START_OFFSET_FOLLOWING: 0x2000, END_OFFSET_FOLLOWING: 0x4000,
  EXCLUDE_CURRENT_ROW: 0x8000, EXCLUDE_GROUP: 0x10000, EXCLUDE_TIES: 0x20000,
} as const;

export function windowSpecText(wc: WindowClause, c: DeparseContext): string {
  const list = c.namespaces[0]!.query!.targetList;
  const parts: string[] = [];
  if (wc.refname !== null) parts.push(quoteIdentifier(wc.refname));
  if (wc.partitionClause.length > 0 && wc.refname === null) parts.push(`PARTITION BY ${wc.partitionClause.map((p) => sortGroupExpr(p.tleSortGroupRef, list, false, c)).join(', ')}`);
  if (wc.orderClause.length > 0 && !wc.copiedOrder) parts.push(`ORDER BY ${sortClauseText(wc.orderClause, list, c)}`);
  const o = wc.frameOptions;
  if (o & FRAME.NONDEFAULT) {
    let text = o & FRAME.RANGE ? 'RANGE ' : o & FRAME.ROWS ? 'ROWS ' : 'GROUPS ';
    if (o & FRAME.BETWEEN) text += 'BETWEEN ';
    text += o & FRAME.START_UNBOUNDED_PRECEDING ? 'UNBOUNDED PRECEDING' : o & FRAME.START_CURRENT_ROW ? 'CURRENT ROW'
      : `${ruleExpr(wc.startOffset!, c)} ${o & FRAME.START_OFFSET_PRECEDING ? 'PRECEDING' : 'FOLLOWING'}`;
    if (o & FRAME.BETWEEN) {
      text += ' AND ';
      text += o & FRAME.END_UNBOUNDED_FOLLOWING ? 'UNBOUNDED FOLLOWING' : o & FRAME.END_CURRENT_ROW ? 'CURRENT ROW'
        : `${ruleExpr(wc.endOffset!, c)} ${o & FRAME.END_OFFSET_PRECEDING ? 'PRECEDING' : 'FOLLOWING'}`;
    }
    if (o & FRAME.EXCLUDE_CURRENT_ROW) text += ' EXCLUDE CURRENT ROW';
    else if (o & FRAME.EXCLUDE_GROUP) text += ' EXCLUDE GROUP';
    else if (o & FRAME.EXCLUDE_TIES) text += ' EXCLUDE TIES';
    parts.push(text);
  }
  return parts.join(' ');
}

// ---- set operations

function setOperation(node: SetOperationNode, query: Query, c: DeparseContext, w: Writer): void {
  if (node.kind === 'RangeTblRef') {
    const { subquery } = query.rtable[node.rtindex - 1]!;
    // Parentheses where the member has clauses of its own.
    const q = subquery!;
    const parens = q.cteList.length > 0 || q.sortClause.length > 0 || q.rowMarks.length > 0 || q.limitOffset !== null || q.limitCount !== null || q.setOperations !== null;
    if (parens) w.text += '(';
    w.text += deparseQuery(q, { ...c, namespaces: c.namespaces.slice(1) }, c.resultNames, w.indent);
    if (parens) w.text += ')';
    return;
  }
  const left = node.larg;
  const needLeft = left.kind === 'SetOperationStmt' && !(left.op === node.op && left.all === node.all);
  if (needLeft) { w.text += '('; w.indent += INDENT_STD; w.keyword('', 0, 0, 0); }
  setOperation(left, query, c, w);
  if (needLeft) w.keyword(') ', -INDENT_STD, 0, 0);
  else if (w.pretty) w.keyword('', 0, 0, 0);
  else w.text += ' ';
  w.text += `${node.op.toUpperCase()} ${node.all ? 'ALL ' : ''}`;
  const needRight = node.rarg.kind === 'SetOperationStmt';
  const sub = needRight ? INDENT_STD : 0;
  if (needRight) w.text += '(';
  if (w.pretty) w.keyword('', sub, 0, 0);
  setOperation(node.rarg, query, { ...c, resultNames: null }, w);
  if (w.pretty) w.indent -= sub;
  if (needRight) w.keyword(')', 0, 0, 0);
}

// ---- FROM

function fromClause(query: Query, prefix: string, c: DeparseContext, w: Writer): void {
  let first = true;
  for (const item of query.jointree.fromlist) {
    if (item.kind === 'RangeTblRef' && !query.rtable[item.rtindex - 1]!.inFromCl) continue;
    if (first) {
      w.keyword(prefix, -INDENT_STD, INDENT_STD, 2);
      first = false;
      fromItem(item, query, c, w);
    } else {
      w.text += ', ';
      const before = w.text.length;
      fromItem(item, query, c, w);
      if (w.pretty) {
        const added = w.text.slice(before);
        w.text = `${w.text.slice(0, before).replace(/ +$/, '')}\n${' '.repeat(Math.max(0, w.indent) + INDENT_VAR)}${added.replace(/^\s+/, '')}`;
      }
    }
  }
}

function fromItem(item: FromItem, query: Query, c: DeparseContext, w: Writer): void {
  if (item.kind === 'RangeTblRef') { rangeTableEntry(item.rtindex, query, c, w); return; }
  if (item.kind === 'FromExpr') throw internalError('FromExpr in a FROM clause');
  join(item, query, c, w);
}

const JOIN_WORDS: Record<string, string> = { left: 'LEFT JOIN ', right: 'RIGHT JOIN ', full: 'FULL JOIN ' };

function join(j: JoinExpr, query: Query, c: DeparseContext, w: Writer): void {
  const needParen = (c.pretty & 2) === 0 || j.alias !== null;
  if (needParen) w.text += '(';
  fromItem(j.larg, query, c, w);
  const plain = j.quals !== null || j.usingClause.length > 0;
  w.keyword(j.jointype === 'inner' ? (plain ? ' JOIN ' : ' CROSS JOIN ') : ` ${JOIN_WORDS[j.jointype]!}`, -INDENT_STD, INDENT_STD, INDENT_JOIN);
  const rightParen = (c.pretty & 2) !== 0 && j.rarg.kind === 'JoinExpr' && j.rarg.alias === null;
  if (rightParen) w.text += '(';
  fromItem(j.rarg, query, c, w);
  if (rightParen) w.text += ')';
  if (j.usingClause.length > 0) {
    w.text += ` USING (${j.usingClause.map(quoteIdentifier).join(', ')})`;
    if (j.join_using_alias !== null) w.text += ` AS ${quoteIdentifier(j.join_using_alias.aliasname)}`;
  } else if (j.quals !== null) {
    const text = inContext(j.quals, c, w);
    w.text += ' ON ' + ((c.pretty & 2) === 0 ? (text.startsWith('(') ? text : `(${text})`) : text);
  } else if (j.jointype !== 'inner') {
    w.text += ' ON TRUE';
  }
  if (needParen) w.text += ')';
  if (j.alias !== null) {
    w.text += ` ${quoteIdentifier(c.namespaces[0]!.rtableNames[j.rtindex - 1] ?? j.alias.aliasname)}`;
    if (j.alias.colnames.length > 0) w.text += `(${j.alias.colnames.map(quoteIdentifier).join(', ')})`;
  }
}

function rangeTableEntry(rtindex: number, query: Query, c: DeparseContext, w: Writer): void {
  const rte = query.rtable[rtindex - 1]!;
  const name = c.namespaces[0]!.rtableNames[rtindex - 1] ?? '';
  if (rte.lateral) w.text += 'LATERAL ';
  let shown = '';
  switch (rte.rtekind) {
    case 'relation':
      w.text += (rte.inh ? '' : 'ONLY ') + relationName(rte.relid);
      shown = entryRelationName(rte);
      break;
    case 'subquery':
      w.text += `(${deparseQuery(rte.subquery!, rte.lateral ? c : { ...c, namespaces: c.namespaces.slice(1) }, null, w.indent)})`;
      break;
    case 'function': {
      const only = rte.functions.length === 1 ? rte.functions[0]! : null;
      if (only !== null && (only.funccolnames.length === 0 || !rte.funcordinality)) w.text += ruleExpr(only.funcexpr, c, true);
      else w.text += `ROWS FROM(${rte.functions.map((f) => ruleExpr(f.funcexpr, c, true) + (f.funccolnames.length > 0 ? ` AS (${columnDefinitions(f)})` : '')).join(', ')})`;
      if (rte.funcordinality) w.text += ' WITH ORDINALITY';
      break;
    }
    case 'values': w.text += `(${valuesText(rte, c)})`; break;
    case 'cte': w.text += quoteIdentifier(rte.ctename); shown = rte.ctename; break;
    default: throw internalError(`unrecognized RTE kind: ${rte.rtekind}`);
  }
  const wantAlias = rte.alias !== null || rte.rtekind === 'subquery' || rte.rtekind === 'values' || (rte.rtekind === 'function')
    || (rte.rtekind === 'relation' && name !== shown) || (rte.rtekind === 'cte' && name !== shown);
  if (wantAlias) {
    w.text += ` ${quoteIdentifier(name)}`;
    const definitions = rte.rtekind === 'function' && rte.functions.length === 1 ? rte.functions[0]! : null;
    if (definitions !== null && definitions.funccolnames.length > 0) w.text += `(${columnDefinitions(definitions)})`;
    else if ((rte.alias?.colnames.length ?? 0) > 0 || rte.rtekind === 'values' || rte.rtekind === 'function') {
      const columns = c.namespaces[0]!.columnNames[rtindex - 1]!.filter((n) => n !== '');
      if (columns.length > 0) w.text += `(${columns.map(quoteIdentifier).join(', ')})`;
    }
  }
}

const entryRelationName = (rte: RangeTblEntry): string => {
  const text = relationName(rte.relid);
  const bare = text.slice(text.lastIndexOf('.') + 1);
  return bare.startsWith('"') ? bare.slice(1, -1).replaceAll('""', '"') : bare;
};

const columnDefinitions = (f: RangeTblEntry['functions'][number]): string => f.funccolnames
  .map((n, i) => {
    const type = f.funccoltypes[i]!;
    const collation = f.funccolcollations[i]!;
    return `${quoteIdentifier(n)} ${formatTypeWithTypmod(type, f.funccoltypmods[i]!)}${collation !== 0 && collation !== getTypCollation(type) ? ` COLLATE ${collationName(collation)}` : ''}`;
  }).join(', ');

const valuesText = (rte: RangeTblEntry, c: DeparseContext): string => `VALUES ${rte.values_lists.map((row) => `(${row.map((e) => ruleExpr(e, c, false)).join(',')})`).join(', ')}`;

// ---- INSERT, UPDATE, DELETE

function targetRelation(query: Query, c: DeparseContext): string {
  const rte = query.rtable[query.resultRelation - 1]!;
  const alias = rte.alias !== null ? ` ${query.commandType === 'insert' ? 'AS ' : ''}${quoteIdentifier(c.namespaces[0]!.rtableNames[query.resultRelation - 1]!)}` : '';
  return `${rte.inh || query.commandType === 'insert' ? '' : 'ONLY '}${relationName(rte.relid)}${alias}`;
}

function insertQuery(query: Query, c: DeparseContext, w: Writer): void {
  const select = query.rtable.find((r) => r.rtekind === 'subquery' && r.inFromCl === true) ?? null;
  const values = query.rtable.find((r) => r.rtekind === 'values') ?? null;
  if (w.pretty) { w.indent += INDENT_STD; w.text += ' '; }
  w.text += `INSERT INTO ${targetRelation(query, c)} `;
  const columns = query.targetList.filter((te) => !te.resjunk);
  const names = c.namespaces[0]!.columnNames[query.resultRelation - 1]!;
  if (columns.length > 0) w.text += `(${columns.map((te) => quoteIdentifier(names[te.resno - 1] ?? te.resname ?? '')).join(', ')})`;
  if (query.override !== 'none') w.text += ` OVERRIDING ${query.override.toUpperCase()} VALUE`;
  if (columns.length > 0) w.text += ' ';
  if (select !== null) w.text += deparseQuery(select.subquery!, { ...c, namespaces: c.namespaces.slice(1) }, null, w.indent);
  else if (values !== null) { w.keyword('', -INDENT_STD, INDENT_STD, 2); w.text += valuesText(values, c); }
  else if (columns.length > 0) { w.keyword('VALUES (', -INDENT_STD, INDENT_STD, 2); w.text += `${columns.map((te) => ruleExpr(te.expr, c, false)).join(', ')})`; }
  else w.text += 'DEFAULT VALUES';
  returning(query, c, w);
}

function updateQuery(query: Query, c: DeparseContext, w: Writer): void {
  if (w.pretty) { w.text += ' '; w.indent += INDENT_STD; }
  const names = c.namespaces[0]!.columnNames[query.resultRelation - 1]!;
  w.text += `UPDATE ${targetRelation(query, c)} SET `;
  w.text += query.targetList.filter((te) => !te.resjunk).map((te) => `${quoteIdentifier(names[te.resno - 1]!)} = ${ruleExpr(te.expr, c, false)}`).join(', ');
  fromClause(query, ' FROM ', c, w);
  whereAndReturning(query, c, w);
}

function deleteQuery(query: Query, c: DeparseContext, w: Writer): void {
  if (w.pretty) { w.text += ' '; w.indent += INDENT_STD; }
  w.text += `DELETE FROM ${targetRelation(query, c)}`;
  fromClause(query, ' USING ', c, w);
  whereAndReturning(query, c, w);
}

function whereAndReturning(query: Query, c: DeparseContext, w: Writer): void {
  if (query.jointree.quals !== null) {
    w.keyword(' WHERE ', -INDENT_STD, INDENT_STD, 1);
    w.text += inContext(query.jointree.quals, c, w);
  }
  returning(query, c, w);
}

function returning(query: Query, c: DeparseContext, w: Writer): void {
  if (query.returningList.length === 0) return;
  w.keyword(' RETURNING', -INDENT_STD, INDENT_STD, 1);
  targetList(query.returningList, c, w);
}

