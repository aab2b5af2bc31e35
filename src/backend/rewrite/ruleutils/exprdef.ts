// Expressions kept in catalogs as text: pg_get_expr, defaults, checks, index expressions.
import { PgError } from '../../../common/errors.ts';
import { tryOpenRelation } from '../../catalog/relcache.ts';
import { expressionTreeWalker } from '../../nodes/nodeFuncs.ts';
import type { Query } from '../../nodes/parsenodes.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import type { PartitionBound } from '../../partitioning/partbounds.ts';
import type { Oid } from '../../types/datum.ts';
import { DeparseContext, PRETTY_INDENT, WRAP_COLUMN_DEFAULT, prettyFlags, type SpecialNode } from './context.ts';
import { ruleExpr, ruleList } from './expression.ts';
import { boundText } from './boundtext.ts';
import { relationNamespace, type DeparseNamespace } from './names.ts';

export interface ExpressionOptions {
  namespaces?: readonly DeparseNamespace[];
  /** Write alias.column even where the column alone would do. */
  forceprefix?: boolean;
  showImplicit?: boolean;
  flags?: number;
  special?: SpecialNode;
}

/** An expression, or several with commas between them (deparse_expression_pretty). */
export function expressionText(e: Expr | readonly Expr[], options: ExpressionOptions = {}): string {
  const c = new DeparseContext(options.namespaces ?? [], {
    flags: options.flags ?? 0, wrapColumn: WRAP_COLUMN_DEFAULT, varprefix: options.forceprefix ?? false, indentLevel: 0,
  });
  c.special = options.special ?? null;
  const showImplicit = options.showImplicit ?? false;
  if ('kind' in e) ruleExpr(e, c, showImplicit);
  else ruleList(e, c, showImplicit);
  return c.text;
}

/** An expression over one relation (0: over none). */
export function deparseExpression(e: Expr | readonly Expr[], relid: Oid, pretty: boolean, forceprefix = false): string {
  return expressionText(e, { namespaces: relid === 0 ? [] : [relationNamespace(relid)], forceprefix, flags: prettyFlags(pretty) });
}

/** pg_get_expr: null when the relation is gone. */
export function exprText(node: string, relid: Oid, flags = PRETTY_INDENT): string | null {
  const tree = stringToNode<Expr | Query | Expr[] | PartitionBound>(node);
  if (!Array.isArray(tree) && tree.kind === 'PartitionBoundSpec') return boundText(tree);
  const list = Array.isArray(tree) ? tree : [tree];
  const exprs = list as Expr[];
  if (list.some((n) => n.kind === 'Query')) throw new PgError('invalid_parameter_value', 'input is a query, not an expression');
  const varnos = new Set<number>();
  const collect = (n: Expr | Query): boolean => {
    if (n.kind === 'Var' && n.varlevelsup === 0) varnos.add(n.varno);
    return n.kind !== 'Query' && expressionTreeWalker(n, collect);
  };
  for (const e of exprs) collect(e);
  if (relid === 0) {
    if (varnos.size > 0) throw new PgError('invalid_parameter_value', 'expression contains variables');
  } else {
    varnos.delete(1);
    if (varnos.size > 0) throw new PgError('invalid_parameter_value', 'expression contains variables of more than one relation');
    if (tryOpenRelation(relid) === undefined) return null;
  }
  return expressionText(Array.isArray(tree) ? exprs : exprs[0]!, { namespaces: relid === 0 ? [] : [relationNamespace(relid)], flags });
}
