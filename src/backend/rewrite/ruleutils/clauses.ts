// The clauses that SELECT shares with INSERT, UPDATE and DELETE: WITH, WHERE, VALUES, what is selected or returned.
import { quoteIdentifier } from '../../catalog/quote.ts';
import type { CommonTableExpr, Query } from '../../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../../nodes/primnodes.ts';
import { BOOLOID } from '../../types/oids.ts';
import { INDENT_STD, INDENT_VAR, type DeparseContext } from './context.ts';
import { ruleExpr, ruleExprToplevel, writeVariable } from './expression.ts';
import { recursion } from './recursion.ts';

export function writeWithClause(query: Query, c: DeparseContext): void {
  if (query.cteList.length === 0) return;
  if (c.prettyIndent) {
    c.indentLevel += INDENT_STD;
    c.put(' ');
  }
  let sep = query.hasRecursive ? 'WITH RECURSIVE ' : 'WITH ';
  for (const cte of query.cteList) {
    c.put(`${sep}${quoteIdentifier(cte.ctename)}`);
    sep = ', ';
    if (cte.aliascolnames.length > 0) c.put(`(${nameList(cte.aliascolnames)})`);
    c.put(cte.materialized === 'always' ? ' AS MATERIALIZED (' : cte.materialized === 'never' ? ' AS NOT MATERIALIZED (' : ' AS (');
    if (c.prettyIndent) c.keyword('', 0, 0, 0);
    recursion.writeQuery(cte.ctequery, c, null, true);
    if (c.prettyIndent) c.keyword('', 0, 0, 0);
    c.put(')');
    writeSearchAndCycle(cte, c);
  }
  if (c.prettyIndent) {
    c.indentLevel -= INDENT_STD;
    c.keyword('', 0, 0, 0);
  } else c.put(' ');
}

export const nameList = (names: readonly string[]): string => names.map(quoteIdentifier).join(', ');

function writeSearchAndCycle(cte: CommonTableExpr, c: DeparseContext): void {
  const { search_clause: search, cycle_clause: cycle } = cte;
  if (search !== null) {
    c.put(` SEARCH ${search.search_breadth_first ? 'BREADTH' : 'DEPTH'} FIRST BY ${nameList(search.search_col_list)} SET ${quoteIdentifier(search.search_seq_column)}`);
  }
  if (cycle !== null) {
    c.put(` CYCLE ${nameList(cycle.cycle_col_list)} SET ${quoteIdentifier(cycle.cycle_mark_column)}`);
    if (!isBoolConst(cycle.cycle_mark_value, true) || !isBoolConst(cycle.cycle_mark_default, false)) {
      c.put(' TO ');
      ruleExpr(cycle.cycle_mark_value, c);
      c.put(' DEFAULT ');
      ruleExpr(cycle.cycle_mark_default, c);
    }
    c.put(` USING ${quoteIdentifier(cycle.cycle_path_column)}`);
  }
}

const isBoolConst = (e: Expr, value: boolean): boolean => e.kind === 'Const' && e.consttype === BOOLOID && e.constvalue === value;

export function writeWhere(query: Query, c: DeparseContext): void {
  if (query.jointree.quals === null) return;
  c.keyword(' WHERE ', -INDENT_STD, INDENT_STD, 1);
  ruleExpr(query.jointree.quals, c);
}

export function writeValues(rows: readonly (readonly Expr[])[], c: DeparseContext): void {
  c.put('VALUES ');
  rows.forEach((row, i) => {
    c.put(i > 0 ? ', (' : '(');
    row.forEach((e, j) => {
      if (j > 0) c.put(',');
      ruleExprToplevel(e, c, false);
    });
    c.put(')');
  });
}

/** What is selected (get_target_list); also RETURNING. */
export function writeTargetList(list: readonly TargetEntry[], c: DeparseContext, resultNames: readonly string[] | null, namesVisible: boolean): void {
  let count = 0;
  let lastWasMultiline = false;
  for (const te of list) {
    if (te.resjunk) continue;
    c.put(count === 0 ? ' ' : ', ');
    const name = resultNames?.[count] ?? te.resname;
    count++;
    const text = c.capture(() => {
      let attname: string | null;
      if (te.expr.kind === 'Var') attname = writeVariable(te.expr, 0, true, c);
      else {
        ruleExpr(te.expr, c, true);
        // "?column?" is what it is called by itself.
        attname = namesVisible ? null : '?column?';
      }
      if (name !== null && name !== attname) c.put(` AS ${quoteIdentifier(name)}`);
    });
    if (c.prettyIndent && c.wrapColumn >= 0) {
      const ownLine = text.startsWith('\n');
      if (ownLine) c.trimSpaces();
      else if (count > 1 && (lastWasMultiline || c.overflows(text))) c.keyword('', -INDENT_STD, INDENT_STD, INDENT_VAR);
      lastWasMultiline = text.includes('\n', ownLine ? 1 : 0);
    }
    c.put(text);
  }
}
