// INSERT, UPDATE and DELETE as SQL text.
import { getAttname } from '../../catalog/lsyscache.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { constraintByOid } from '../../catalog/syscache.ts';
import type { MergeAction, Query, RangeTblEntry } from '../../nodes/parsenodes.ts';
import type { Expr, OnConflictExpr, SubLink, TargetEntry } from '../../nodes/primnodes.ts';
import { stripImplicitCoercions } from '../../nodes/nodeFuncs.ts';
import { writeTargetList, writeValues, writeWhere, writeWithClause } from './clauses.ts';
import { INDENT_STD, type DeparseContext } from './context.ts';
import { ruleExpr, ruleListToplevel, writeIndirection } from './expression.ts';
import { onlyMarker, writeFromClause } from './from.ts';
import { relationName } from './object_names.ts';
import { recursion } from './recursion.ts';

/** The column's present name, not the one it had when the query was stored. */
const columnName = (rte: RangeTblEntry, te: TargetEntry): string => quoteIdentifier(getAttname(rte.relid, te.resno) ?? te.resname ?? '');

const aliasText = (rte: RangeTblEntry, before: string): string => (rte.alias === null ? '' : before + quoteIdentifier(rte.alias.aliasname));

function begin(c: DeparseContext): void {
  if (!c.prettyIndent) return;
  c.indentLevel += INDENT_STD;
  c.put(' ');
}

function writeReturning(query: Query, c: DeparseContext, namesVisible: boolean): void {
  if (query.returningList.length === 0) return;
  c.keyword(' RETURNING', -INDENT_STD, INDENT_STD, 1);
  writeTargetList(query.returningList, c, null, namesVisible);
}

export function writeInsert(query: Query, c: DeparseContext, namesVisible: boolean): void {
  writeWithClause(query, c);
  const select = query.rtable.find((rte) => rte.rtekind === 'subquery');
  const values = query.rtable.find((rte) => rte.rtekind === 'values');
  const rte = query.rtable[query.resultRelation - 1]!;
  begin(c);
  c.put(`INSERT INTO ${relationName(rte.relid)} ${rte.alias === null ? '' : `${aliasText(rte, 'AS ')} `}`);
  const columns = query.targetList.filter((te) => !te.resjunk);
  const assigned: Expr[] = [];
  if (query.targetList.length > 0) c.put('(');
  columns.forEach((te, i) => {
    c.put((i > 0 ? ', ' : '') + columnName(rte, te));
    assigned.push(writeIndirection(te.expr, c));
  });
  if (query.targetList.length > 0) c.put(') ');
  if (query.override !== 'none') c.put(`OVERRIDING ${query.override.toUpperCase()} VALUE `);
  if (select !== undefined) recursion.writeQuery(select.subquery!, c, null, false);
  else if (values !== undefined) writeValues(values.values_lists, c);
  else if (assigned.length > 0) {
    c.keyword('VALUES (', -INDENT_STD, INDENT_STD, 2);
    ruleListToplevel(assigned, c, false);
    c.put(')');
  } else c.put('DEFAULT VALUES');
  if (query.onConflict !== null) writeOnConflict(query, query.onConflict, rte, c);
  writeReturning(query, c, namesVisible);
}

function writeOnConflict(query: Query, conflict: OnConflictExpr, rte: RangeTblEntry, c: DeparseContext): void {
  c.put(' ON CONFLICT');
  if (conflict.arbiterElems.length > 0) {
    c.put('(');
    const saved = c.varprefix;
    // Names there are those of the target, and must be bare.
    c.varprefix = false;
    conflict.arbiterElems.forEach((e, i) => {
      if (i > 0) c.put(', ');
      const inner = e.kind === 'CollateExpr' ? e.arg : e;
      const parens = inner.kind !== 'Var' && !(inner.kind === 'FuncExpr' && inner.funcformat === 'explicit_call');
      if (parens) c.put('(');
      ruleExpr(e, c);
      if (parens) c.put(')');
    });
    c.put(')');
    if (conflict.arbiterWhere !== null) {
      c.keyword(' WHERE ', -INDENT_STD, INDENT_STD, 1);
      ruleExpr(conflict.arbiterWhere, c);
    }
    c.varprefix = saved;
  } else if (conflict.constraint !== 0) {
    c.put(` ON CONSTRAINT ${quoteIdentifier(constraintByOid(conflict.constraint)?.conname ?? '')}`);
  }
  if (conflict.action === 'nothing') { c.put(' DO NOTHING'); return; }
  c.put(' DO UPDATE SET ');
  writeAssignments(query, conflict.onConflictSet, rte, c);
  if (conflict.onConflictWhere !== null) {
    c.keyword(' WHERE ', -INDENT_STD, INDENT_STD, 1);
    ruleExpr(conflict.onConflictWhere, c);
  }
}

export function writeUpdate(query: Query, c: DeparseContext, namesVisible: boolean): void {
  writeWithClause(query, c);
  const rte = query.rtable[query.resultRelation - 1]!;
  begin(c);
  c.put(`UPDATE ${onlyMarker(rte)}${relationName(rte.relid)}${aliasText(rte, ' ')} SET `);
  writeAssignments(query, query.targetList, rte, c);
  writeFromClause(query, ' FROM ', c);
  writeWhere(query, c);
  writeReturning(query, c, namesVisible);
}

export function writeDelete(query: Query, c: DeparseContext, namesVisible: boolean): void {
  writeWithClause(query, c);
  const rte = query.rtable[query.resultRelation - 1]!;
  begin(c);
  c.put(`DELETE FROM ${onlyMarker(rte)}${relationName(rte.relid)}${aliasText(rte, ' ')}`);
  writeFromClause(query, ' USING ', c);
  writeWhere(query, c);
  writeReturning(query, c, namesVisible);
}

export function writeMerge(query: Query, c: DeparseContext): void {
  writeWithClause(query, c);
  const rte = query.rtable[query.resultRelation - 1]!;
  begin(c);
  c.put(`MERGE INTO ${onlyMarker(rte)}${relationName(rte.relid)}${aliasText(rte, ' ')}`);
  writeFromClause(query, ' USING ', c);
  c.keyword(' ON ', -INDENT_STD, INDENT_STD, 2);
  ruleExpr(query.jointree.quals!, c);
  for (const action of query.mergeActionList) {
    c.keyword(' WHEN ', -INDENT_STD, INDENT_STD, 2);
    c.put(action.matched ? 'MATCHED' : 'NOT MATCHED');
    if (action.qual !== null) {
      c.keyword(' AND ', -INDENT_STD, INDENT_STD, 3);
      ruleExpr(action.qual, c);
    }
    c.keyword(' THEN ', -INDENT_STD, INDENT_STD, 3);
    writeMergeAction(query, action, rte, c);
  }
}

function writeMergeAction(query: Query, action: MergeAction, rte: RangeTblEntry, c: DeparseContext): void {
  switch (action.command) {
    case 'insert': {
      c.put('INSERT');
      const assigned: Expr[] = [];
      if (action.targetList.length > 0) c.put(' (');
      action.targetList.forEach((te, i) => {
        c.put((i > 0 ? ', ' : '') + columnName(rte, te));
        assigned.push(writeIndirection(te.expr, c));
      });
      if (action.targetList.length > 0) c.put(')');
      if (action.override !== 'none') c.put(` OVERRIDING ${action.override.toUpperCase()} VALUE`);
      if (assigned.length === 0) {
        c.put(' DEFAULT VALUES');
        return;
      }
      c.keyword(' VALUES (', -INDENT_STD, INDENT_STD, 4);
      ruleListToplevel(assigned, c, false);
      c.put(')');
      return;
    }
    case 'update':
      c.put('UPDATE SET ');
      writeAssignments(query, action.targetList, rte, c);
      return;
    case 'delete': c.put('DELETE'); return;
    case 'nothing': c.put('DO NOTHING'); return;
  }
}

/** column = value, ...; (a, b) = (SELECT ...) comes as Params of a junk sublink (get_update_query_targetlist_def). */
function writeAssignments(query: Query, list: readonly TargetEntry[], rte: RangeTblEntry, c: DeparseContext): void {
  const sublinks = query.hasSubLinks ? list.flatMap((te) => (te.resjunk && te.expr.kind === 'SubLink' && te.expr.subLinkType === 'multiexpr' ? [te.expr] : [])) : [];
  let next = 0;
  let current: SubLink | null = null;
  let remaining = 0;
  let sep = '';
  for (const te of list) {
    if (te.resjunk) continue;
    c.put(sep);
    sep = ', ';
    if (current === null && next < sublinks.length && isMultiexprParam(te.expr)) {
      current = sublinks[next++]!;
      remaining = current.subselect.targetList.filter((t) => !t.resjunk).length;
      c.put('(');
    }
    c.put(columnName(rte, te));
    let expr = writeIndirection(te.expr, c);
    if (current !== null) {
      if (--remaining > 0) continue;
      c.put(')');
      expr = current;
      current = null;
    }
    c.put(' = ');
    ruleExpr(expr, c);
  }
}

function isMultiexprParam(e: Expr): boolean {
  let node = e;
  for (;;) {
    if (node.kind === 'FieldStore') node = node.newvals[0]!;
    else if (node.kind === 'SubscriptingRef' && node.refassgnexpr !== null) node = node.refassgnexpr;
    else if (node.kind === 'CoerceToDomain' && node.coercionformat === 'implicit_cast') node = node.arg;
    else break;
  }
  node = stripImplicitCoercions(node);
  return node.kind === 'Param' && node.paramkind === 'multiexpr';
}
