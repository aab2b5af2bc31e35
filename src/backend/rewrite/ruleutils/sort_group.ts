// ORDER BY, GROUP BY, grouping sets and windows.
import { internalError } from '../../../common/errors.ts';
import { typeOperators } from '../../catalog/lsyscache.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import { exprType } from '../../nodes/nodeFuncs.ts';
import type { GroupingSet, Query, WindowClause } from '../../nodes/parsenodes.ts';
import type { Expr, SortGroupClause, TargetEntry } from '../../nodes/primnodes.ts';
import { constantText } from './constant.ts';
import { INDENT_STD, type DeparseContext } from './context.ts';
import { operatorName } from './object_names.ts';
import { recursion } from './recursion.ts';

/** Writes the expression a sort or group clause refers to (get_rule_sortgroupclause). */
function writeSortGroup(ref: number, list: readonly TargetEntry[], forceColno: boolean, c: DeparseContext): Expr {
  const te = list.find((t) => t.ressortgroupref === ref);
  if (te === undefined) throw internalError('ORDER/GROUP BY expression not found in targetlist');
  const { expr } = te;
  if (forceColno) c.put(String(te.resno));
  // A bare constant would be taken for a column's number.
  else if (expr.kind === 'Const') c.put(constantText(expr, 1));
  else if (expr.kind === 'Var') recursion.ruleExpr(expr, c, true);
  else {
    // Parentheses keep it from being taken for cube() or rollup(); most have them already when they are not pretty.
    const parens = c.prettyParen || expr.kind === 'FuncExpr' || expr.kind === 'Aggref' || expr.kind === 'WindowFunc';
    if (parens) c.put('(');
    recursion.ruleExpr(expr, c, true);
    if (parens) c.put(')');
  }
  return expr;
}

export function writeSortGroupList(clauses: readonly SortGroupClause[], list: readonly TargetEntry[], c: DeparseContext): void {
  clauses.forEach((g, i) => {
    if (i > 0) c.put(', ');
    writeSortGroup(g.tleSortGroupRef, list, false, c);
  });
}

export function writeOrderBy(clauses: readonly SortGroupClause[], list: readonly TargetEntry[], forceColno: boolean, c: DeparseContext): void {
  clauses.forEach((s, i) => {
    if (i > 0) c.put(', ');
    const type = exprType(writeSortGroup(s.tleSortGroupRef, list, forceColno, c));
    const { ltOpr: lt, gtOpr: gt } = typeOperators(type);
    if (s.sortop === lt) {
      if (s.nulls_first) c.put(' NULLS FIRST');
    } else if (s.sortop === gt) {
      c.put(s.nulls_first ? ' DESC' : ' DESC NULLS LAST');
    } else {
      c.put(` USING ${operatorName(s.sortop, type, type)} NULLS ${s.nulls_first ? 'FIRST' : 'LAST'}`);
    }
  });
}

const GROUPING_WORDS = { rollup: 'ROLLUP(', cube: 'CUBE(', sets: 'GROUPING SETS (' } as const;

export function writeGroupingSet(set: GroupingSet, list: readonly TargetEntry[], omitParens: boolean, c: DeparseContext): void {
  if (set.kind === 'empty') { c.put('()'); return; }
  if (set.kind === 'simple') {
    const refs = set.content as number[];
    const parens = !omitParens || refs.length !== 1;
    if (parens) c.put('(');
    refs.forEach((ref, i) => {
      if (i > 0) c.put(', ');
      writeSortGroup(ref, list, false, c);
    });
    if (parens) c.put(')');
    return;
  }
  c.put(GROUPING_WORDS[set.kind]);
  (set.content as GroupingSet[]).forEach((s, i) => {
    if (i > 0) c.put(', ');
    writeGroupingSet(s, list, set.kind !== 'sets', c);
  });
  c.put(')');
}

// ---- windows

export function writeWindowClause(query: Query, c: DeparseContext): void {
  let first = true;
  for (const window of query.windowClause) {
    if (window.name === null) continue;
    if (first) c.keyword(' WINDOW ', -INDENT_STD, INDENT_STD, 1);
    else c.put(', ');
    first = false;
    c.put(`${quoteIdentifier(window.name)} AS `);
    writeWindowSpec(window, query.targetList, c);
  }
}

/** FRAMEOPTION_* of parsenodes.h. */
const FRAME = {
  NONDEFAULT: 1, RANGE: 2, ROWS: 4, BETWEEN: 0x10, START_UNBOUNDED_PRECEDING: 0x20, END_UNBOUNDED_FOLLOWING: 0x100, START_CURRENT_ROW: 0x200,
  END_CURRENT_ROW: 0x400, START_OFFSET_PRECEDING: 0x800, END_OFFSET_PRECEDING: 0x1000, EXCLUDE_CURRENT_ROW: 0x8000, EXCLUDE_GROUP: 0x10000, EXCLUDE_TIES: 0x20000,
} as const;

export function writeWindowSpec(w: WindowClause, list: readonly TargetEntry[], c: DeparseContext): void {
  let sep = '';
  const begin = (): void => { c.put(sep); sep = ' '; };
  c.put('(');
  if (w.refname !== null) {
    begin();
    c.put(quoteIdentifier(w.refname));
  }
  // What is inherited from the window referred to is not written again.
  if (w.partitionClause.length > 0 && w.refname === null) {
    begin();
    c.put('PARTITION BY ');
    writeSortGroupList(w.partitionClause, list, c);
  }
  if (w.orderClause.length > 0 && !w.copiedOrder) {
    begin();
    c.put('ORDER BY ');
    writeOrderBy(w.orderClause, list, false, c);
  }
  if (w.frameOptions & FRAME.NONDEFAULT) {
    begin();
    writeFrame(w, c);
  }
  c.put(')');
}

function writeFrame(w: WindowClause, c: DeparseContext): void {
  const o = w.frameOptions;
  const between = (o & FRAME.BETWEEN) !== 0;
  c.put(o & FRAME.RANGE ? 'RANGE ' : o & FRAME.ROWS ? 'ROWS ' : 'GROUPS ');
  if (between) c.put('BETWEEN ');
  if (o & FRAME.START_UNBOUNDED_PRECEDING) c.put('UNBOUNDED PRECEDING');
  else if (o & FRAME.START_CURRENT_ROW) c.put('CURRENT ROW');
  else {
    recursion.ruleExpr(w.startOffset!, c);
    c.put(o & FRAME.START_OFFSET_PRECEDING ? ' PRECEDING' : ' FOLLOWING');
  }
  if (between) {
    c.put(' AND ');
    if (o & FRAME.END_UNBOUNDED_FOLLOWING) c.put('UNBOUNDED FOLLOWING');
    else if (o & FRAME.END_CURRENT_ROW) c.put('CURRENT ROW');
    else {
      recursion.ruleExpr(w.endOffset!, c);
      c.put(o & FRAME.END_OFFSET_PRECEDING ? ' PRECEDING' : ' FOLLOWING');
    }
  }
  if (o & FRAME.EXCLUDE_CURRENT_ROW) c.put(' EXCLUDE CURRENT ROW');
  else if (o & FRAME.EXCLUDE_GROUP) c.put(' EXCLUDE GROUP');
  else if (o & FRAME.EXCLUDE_TIES) c.put(' EXCLUDE TIES');
}
